/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * NOR flash: loads and stores in any order. Each input begins with the same content. What must hold in
 * the end: no byte has a bit that it had not before, unless something may have erased its sector; and
 * the image has what memory has.
 */
#include "fuzz.h"

#include "block/disk.h"
#include "dev/cfi_flash.h"
#include "machine/machine.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR (256u << 10)
#define IMAGE_SIZE (2 * SECTOR)
#define WINDOW (3 * SECTOR) /* of the first bank: a sector more than the image has */
#define OPERATIONS_MAX 500

static const uint8_t commands[] = {0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0x90,
                                   0x98, 0xd0, 0xe8, 0xf0, 0xff, 0x00, 0x01};

static struct {
    struct machine *machine;
    struct device *dev;
    struct disk *disk;
    int image;
    uint8_t *bytes; /* of the first bank */
} flash;

static uint8_t before[WINDOW], after[IMAGE_SIZE];
static bool confirmed[WINDOW / SECTOR]; /* something was stored there that could confirm an erase */

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void make_flash(void)
{
    char path[] = "/tmp/rvvm-fuzz-XXXXXX";
    flash.image = mkstemp(path);
    check(flash.image >= 0 && !ftruncate(flash.image, IMAGE_SIZE));
    struct disk_options options = {.path = path, .format = DISK_FORMAT_RAW};
    struct machine_config config = {.ram_size = 1u << 20,
                                    .harts = 1,
                                    .interpret = true,
                                    .rom_base = CFI_FLASH_BASE,
                                    .rom_size = CFI_FLASH_BANKS * CFI_FLASH_BANK_SIZE};
    isa_default(&config.isa, 64);
    flash.machine = machine_new(&config, NULL);
    check(flash.machine);
    struct cfi_flash_config parts = {.machine = flash.machine};
    flash.disk = parts.disks[0] = disk_open(&options, NULL);
    check(flash.disk);
    unlink(path);
    flash.dev = cfi_flash_new(&parts, NULL);
    check(machine_add(flash.machine, flash.dev, CFI_FLASH_BASE, NULL));
    flash.bytes = flash.machine->bus.rom.bytes;
}

/* The window as it is for every input; a few bits are clear already. */
static void set_content(void)
{
    for (unsigned i = 0; !before[1] && i < WINDOW; i++)
        before[i] = i % 3 ? 0xff : (uint8_t)(i ^ i >> 8);
    memcpy(flash.bytes, before, WINDOW);
    memset(confirmed, 0, sizeof(confirmed));
    memset(flash.bytes + CFI_FLASH_BANK_SIZE, 0xff, SECTOR);
    check(pwrite(flash.image, before, IMAGE_SIZE, 0) == IMAGE_SIZE);
}

static void step(struct fuzz_input *in)
{
    unsigned choice = (unsigned)fuzz_take(in, 1), size = 1u << (choice & 3);
    uint64_t offset = fuzz_take(in, 3) % WINDOW / size * size;
    if (choice & 4)
        offset = CFI_FLASH_BANK_SIZE + offset % SECTOR;
    if (choice & 8) {
        flash.dev->ops->read(flash.dev->state, offset, size);
        return;
    }
    uint64_t value =
        choice & 16 ? commands[fuzz_take(in, 1) % sizeof(commands)] : fuzz_take(in, size);
    for (unsigned byte = 0; offset < WINDOW && byte < size; byte += 4)
        if ((uint8_t)(value >> 8 * byte) == 0xd0)
            confirmed[offset / SECTOR] = true;
    flash.dev->ops->write(flash.dev->state, offset, size, value);
    if (choice & 32)
        disk_drain(flash.disk); /* otherwise the chips may still be busy */
}

static void check_content(void)
{
    for (unsigned page = 0; page < WINDOW; page += PAGE_SIZE)
        if (!confirmed[page / SECTOR] && memcmp(flash.bytes + page, before + page, PAGE_SIZE))
            for (unsigned i = page; i < page + PAGE_SIZE; i++)
                check(!(flash.bytes[i] & ~before[i]));
    check(pread(flash.image, after, IMAGE_SIZE, 0) == IMAGE_SIZE);
    check(!memcmp(after, flash.bytes, IMAGE_SIZE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    if (!flash.machine)
        make_flash();
    set_content();
    for (unsigned i = 0; fuzz_left(&in) && i < OPERATIONS_MAX; i++)
        step(&in);
    flash.dev->ops->reset(flash.dev->state);
    check_content();
    check(flash.dev->ops->read(flash.dev->state, 0, 1) == flash.bytes[0]);
    return 0;
}
