/* SPDX-License-Identifier: GPL-3.0-only */
/* Memory mapped, touched page by page and given back: page faults, and TLB entries that must go. */
#include "kernel.h"

#include <sys/mman.h>

#define PAGES 2048
#define PAGE 4096

static uint64_t run(unsigned rounds)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < rounds * 11; i++) {
        uint8_t *area =
            mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (area == MAP_FAILED)
            kernel_fail("mmap");
        /* Not in larger pages: how eager a kernel is for those is not the question. */
        madvise(area, PAGES * PAGE, MADV_NOHUGEPAGE);
        for (uint32_t page = 0; page < PAGES; page++)
            area[page * PAGE + page % PAGE] = (uint8_t)(page + i);
        for (uint32_t page = 0; page < PAGES; page += 16)
            sum += area[page * PAGE + page % PAGE];
        munmap(area, PAGES * PAGE);
    }
    return sum;
}

const struct kernel kernel_fault = {.name = "fault", .group = "system", .run = run};
