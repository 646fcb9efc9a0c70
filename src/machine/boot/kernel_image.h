/* SPDX-License-Identifier: MPL-2.0 */
/* The header of Linux's Image file for RISC-V (Documentation/arch/riscv/boot-image-header.rst). */
#ifndef RVVM_MACHINE_BOOT_KERNEL_IMAGE_H
#define RVVM_MACHINE_BOOT_KERNEL_IMAGE_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the kernel wants to be. All zero for a raw image, which does not say. */
struct kernel_image {
    bool has_header;
    uint64_t text_offset; /* from an address aligned as kernel_image_align says */
    uint64_t image_size;  /* bytes in memory, 0: not said */
};

/* false: it is a kernel, but not one for this machine, or not all of it. */
bool kernel_image_read(struct kernel_image *image, const char *path, const uint8_t *bytes,
                       size_t size, unsigned xlen, struct error *err);

/* The kernel maps itself by the largest pages that every width has: its place is a multiple. */
static inline uint64_t kernel_image_align(unsigned xlen)
{
    return xlen == 32 ? 4u << 20 : 2u << 20;
}

#endif
