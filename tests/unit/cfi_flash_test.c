/* SPDX-License-Identifier: GPL-3.0-only */
/* NOR flash: what its drivers do with it, what a guest does wrong, what the image holds afterwards.
 * Again: tools/run-tests unit/cfi_flash_test */
#include "disk_rig.h"

#include "dev/cfi_flash.h"
#include "machine/machine.h"

#define SIZE (1u << 20) /* of the image */
#define SECTOR (256u << 10)
#define READY UINT64_C(0x00800080)

struct flash {
    char path[64];
    struct machine *machine;
    struct device *dev;
};

static uint64_t load(const struct flash *f, uint64_t offset, unsigned size)
{
    return f->dev->ops->read(f->dev->state, offset, size);
}

static void store(const struct flash *f, uint64_t offset, unsigned size, uint64_t value)
{
    f->dev->ops->write(f->dev->state, offset, size, value);
}

static void command(const struct flash *f, uint64_t offset, uint8_t code)
{
    store(f, offset, 4, UINT64_C(0x00010001) * code);
}

/* The status once the chips have finished. */
static uint64_t finished(const struct flash *f, uint64_t offset)
{
    uint64_t status;
    while (!((status = load(f, offset, 4)) & 0x80))
        usleep(100);
    return status;
}

static void power_on(struct flash *f, bool read_only)
{
    struct error err = {""};
    struct machine_config config = {.ram_size = 1 << 20,
                                    .harts = 1,
                                    .interpret = true,
                                    .rom_base = CFI_FLASH_BASE,
                                    .rom_size = CFI_FLASH_BANKS * CFI_FLASH_BANK_SIZE};
    struct disk_options options = {.path = f->path, .read_only = read_only};
    isa_default(&config.isa, 64);
    f->machine = machine_new(&config, &err);
    assert_non_null(f->machine);
    struct cfi_flash_config flash = {.machine = f->machine};
    flash.disks[0] = disk_open(&options, &err);
    assert_non_null(flash.disks[0]);
    f->dev = cfi_flash_new(&flash, &err);
    assert_true(machine_add(f->machine, f->dev, CFI_FLASH_BASE, &err));
}

static void power_off(struct flash *f)
{
    machine_free(f->machine);
    f->machine = NULL;
}

/* An image of bytes that name their place. */
static void with_image(struct flash *f)
{
    strcpy(f->path, "/tmp/rvvm-flash-test-XXXXXX");
    static uint8_t bytes[SIZE];
    for (unsigned i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)(i ^ i >> 8);
    scratch_make(f->path, 0);
    scratch_write(f->path, bytes, SIZE);
    power_on(f, false);
}

static void done(struct flash *f)
{
    power_off(f);
    unlink(f->path);
}

static uint8_t original(uint64_t offset)
{
    return (uint8_t)(offset ^ offset >> 8);
}

static uint8_t in_file(const struct flash *f, uint64_t offset)
{
    uint8_t byte;
    scratch_read(f->path, offset, &byte, 1);
    return byte;
}

static void array_reads_as_the_image_and_erased_behind_it(void **state)
{
    (void)state;
    struct flash f;
    with_image(&f);
    for (unsigned size = 1; size <= 8; size *= 2)
        for (unsigned byte = 0; byte < size; byte++)
            assert_int_equal(load(&f, 0x12340, size) >> 8 * byte & 0xff, original(0x12340 + byte));
    assert_int_equal(load(&f, SIZE, 4), 0xffffffff);
    assert_int_equal(load(&f, CFI_FLASH_BANK_SIZE, 8), UINT64_MAX);
    assert_int_equal(*bus_rom(&f.machine->bus, CFI_FLASH_BASE + 0x777), original(0x777));
    assert_null(bus_rom(&f.machine->bus, CFI_FLASH_BASE + 2 * CFI_FLASH_BANK_SIZE));
    done(&f);
}

static void cfi_table_tells_its_size(void **state)
{
    (void)state;
    struct flash f;
    with_image(&f);
    command(&f, 0x55 * 4, 0x98);
    assert_int_equal(load(&f, 0x10 * 4, 4), 0x00510051);
    assert_int_equal(load(&f, 0x11 * 4, 2), 'R');
    assert_int_equal(load(&f, 0x12 * 4 + 2, 1), 'Y');
    assert_int_equal(load(&f, 0x12 * 4 + 3, 1), 0);
    uint64_t chip = UINT64_C(1) << (load(&f, 0x27 * 4, 4) & 0xff);
    uint64_t blocks = (load(&f, 0x2d * 4, 4) & 0xff) + 1;
    uint64_t block = (load(&f, 0x30 * 4, 4) & 0xff) << 16 | (load(&f, 0x2f * 4, 4) & 0xff) << 8;
    assert_int_equal(2 * chip, CFI_FLASH_BANK_SIZE);
    assert_int_equal(blocks * block, chip);
    assert_int_equal(2 * block, SECTOR);
    assert_int_equal(load(&f, 0x400 * 4, 4), 0);
    command(&f, 0, 0x90);
    assert_int_equal(load(&f, 0, 4), 0x00890089);
    command(&f, 0, 0xff);
    assert_int_equal(load(&f, 0, 1), original(0));
    done(&f);
}

static void programming_clears_bits_and_is_kept(void **state)
{
    (void)state;
    struct flash f;
    with_image(&f);
    command(&f, 0x100, 0x40);
    store(&f, 0x100, 4, 0x0ff0f00f);
    assert_int_equal(finished(&f, 0x100), READY);
    command(&f, 0, 0xff);
    uint32_t before = 0;
    for (unsigned i = 0; i < 4; i++)
        before |= (uint32_t)original(0x100 + i) << 8 * i;
    assert_int_equal(load(&f, 0x100, 4), before & 0x0ff0f00f);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(in_file(&f, 0x100 + i), (before & 0x0ff0f00f) >> 8 * i & 0xff);
    power_off(&f);
    power_on(&f, false);
    assert_int_equal(load(&f, 0x100, 4), before & 0x0ff0f00f);
    assert_int_equal(load(&f, 0x104, 1), original(0x104));
    done(&f);
}

static void erase_sets_a_sector_and_no_more(void **state)
{
    (void)state;
    struct flash f;
    with_image(&f);
    command(&f, SECTOR + 0x1234, 0x20);
    command(&f, SECTOR + 0x1234, 0xd0);
    assert_int_equal(finished(&f, SECTOR), READY);
    command(&f, 0, 0xff);
    for (unsigned i = 0; i < SECTOR; i += 8)
        assert_int_equal(load(&f, SECTOR + i, 8), UINT64_MAX);
    assert_int_equal(load(&f, SECTOR - 1, 1), original(SECTOR - 1));
    assert_int_equal(load(&f, 2 * SECTOR, 1), original(2 * SECTOR));
    assert_int_equal(in_file(&f, SECTOR), 0xff);
    assert_int_equal(in_file(&f, 2 * SECTOR - 1), 0xff);
    assert_int_equal(in_file(&f, 2 * SECTOR), original(2 * SECTOR));
    done(&f);
}

static void buffer(const struct flash *f, uint64_t offset, unsigned words, uint32_t first)
{
    command(f, offset, 0xe8);
    assert_int_equal(load(f, offset, 4) & READY, READY);
    command(f, offset, (uint8_t)(words - 1));
    for (unsigned i = 0; i < words; i++)
        store(f, offset + 4 * i, 4, first + i);
}

static void buffered_program_writes_its_words(void **state)
{
    (void)state;
    struct flash f;
    with_image(&f);
    command(&f, 0, 0x20);
    command(&f, 0, 0xd0);
    finished(&f, 0);
    buffer(&f, 0x2040, 32, 0xabcd0000);
    command(&f, 0x2040, 0xd0);
    assert_int_equal(finished(&f, 0x2040), READY);
    command(&f, 0, 0xff);
    for (unsigned i = 0; i < 32; i++)
        assert_int_equal(load(&f, 0x2040 + 4 * i, 4), 0xabcd0000 + i);
    assert_int_equal(load(&f, 0x203c, 4), 0xffffffff);
    assert_int_equal(load(&f, 0x2040 + 128, 4), 0xffffffff);
    done(&f);
}

static void wrong_sequences_change_nothing_and_say_so(void **state)
{
    (void)state;
    struct flash f;
    with_image(&f);
    command(&f, 0, 0x20);
    command(&f, 0, 0x70); /* no confirmation */
    assert_int_equal(finished(&f, 0), READY | 0x00300030);
    command(&f, 0, 0x50);
    buffer(&f, 0, 2, 0);
    command(&f, 0, 0xff);
    command(&f, 0, 0x70);
    assert_int_equal(finished(&f, 0), READY | 0x00300030);
    command(&f, 0, 0x50);
    command(&f, 0, 0xe8);
    store(&f, 0, 4, 0x0fff0fff); /* more than the buffer holds */
    command(&f, 0, 0x70);
    assert_int_equal(finished(&f, 0), READY | 0x00300030);
    command(&f, 0, 0x50);
    command(&f, 0, 0xe8); /* one word is far away from the other */
    command(&f, 0, 1);
    store(&f, 0, 4, 0);
    store(&f, SECTOR, 4, 0);
    command(&f, 0, 0xd0);
    assert_int_equal(finished(&f, 0), READY | 0x00300030);
    command(&f, 0, 0x50);
    command(&f, 0, 0x70);
    assert_int_equal(finished(&f, 0), READY);
    command(&f, 0, 0xff);
    for (unsigned i = 0; i < SIZE; i += 4093)
        assert_int_equal(load(&f, i, 1), original(i));
    done(&f);
}

static void flash_that_is_read_only_stays_as_it_is(void **state)
{
    (void)state;
    struct flash f;
    with_image(&f);
    power_off(&f);
    power_on(&f, true);
    command(&f, 0, 0x40);
    store(&f, 0, 4, 0);
    assert_int_equal(finished(&f, 0), READY | 0x00120012);
    command(&f, 0, 0x50);
    command(&f, 0, 0x20);
    command(&f, 0, 0xd0);
    assert_int_equal(finished(&f, 0), READY | 0x00220022);
    command(&f, 0, 0xff);
    assert_int_equal(load(&f, 0, 1), original(0));
    assert_int_equal(load(&f, 3, 1), original(3));
    done(&f);
}

static void reset_gives_the_array_back_and_forgets_half_a_command(void **state)
{
    (void)state;
    struct flash f;
    with_image(&f);
    command(&f, 0, 0x20);
    f.dev->ops->reset(f.dev->state);
    assert_int_equal(load(&f, 1, 1), original(1));
    command(&f, 0, 0xd0); /* would confirm the erase */
    f.dev->ops->reset(f.dev->state);
    assert_int_equal(load(&f, 1, 1), original(1));
    done(&f);
}

static void image_larger_than_a_bank_is_refused(void **state)
{
    (void)state;
    struct flash f;
    struct error err = {""};
    with_image(&f);
    power_off(&f);
    scratch_resize(f.path, CFI_FLASH_BANK_SIZE + 512);
    struct machine_config config = {.ram_size = 1 << 20,
                                    .harts = 1,
                                    .interpret = true,
                                    .rom_base = CFI_FLASH_BASE,
                                    .rom_size = CFI_FLASH_BANKS * CFI_FLASH_BANK_SIZE};
    isa_default(&config.isa, 64);
    f.machine = machine_new(&config, &err);
    struct disk_options options = {.path = f.path};
    struct cfi_flash_config flash = {.machine = f.machine};
    flash.disks[1] = disk_open(&options, &err);
    assert_null(cfi_flash_new(&flash, &err));
    assert_non_null(strstr(err.text, "bank of flash"));
    done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(array_reads_as_the_image_and_erased_behind_it),
        cmocka_unit_test(cfi_table_tells_its_size),
        cmocka_unit_test(programming_clears_bits_and_is_kept),
        cmocka_unit_test(erase_sets_a_sector_and_no_more),
        cmocka_unit_test(buffered_program_writes_its_words),
        cmocka_unit_test(wrong_sequences_change_nothing_and_say_so),
        cmocka_unit_test(flash_that_is_read_only_stays_as_it_is),
        cmocka_unit_test(reset_gives_the_array_back_and_forgets_half_a_command),
        cmocka_unit_test(image_larger_than_a_bank_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
