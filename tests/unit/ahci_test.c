/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * AHCI: registers, commands of an ATA drive as a driver issues them, errors, interrupts. Stops and resets
 * are ahci_reset_test.c's.
 */
#include "ahci_rig.h"
#include "counting_disk.h"
#include "host_facts.h"

static void registers_at_power_on(void **state)
{
    struct arig *a = *state;
    uint32_t cap = get(a, AHCI_CAP);
    assert_int_equal(cap & 0x1f, 0);        /* one port */
    assert_int_equal(cap >> 8 & 0x1f, 31);  /* 32 slots */
    assert_true(cap >> 30 & cap >> 31 & 1); /* queuing, 64-bit addresses */
    assert_int_equal(get(a, AHCI_GHC), 1u << 31);
    assert_int_equal(get(a, AHCI_PI), 1);
    assert_int_equal(get(a, AHCI_VS), 0x00010301);
    assert_int_equal(port_get(a, PORT_SSTS), 0x133);
    assert_int_equal(port_get(a, PORT_SIG), 0x00000101);
    assert_int_equal(port_get(a, PORT_TFD), 0x0150);
    assert_int_equal(port_get(a, PORT_CMD) & (CMD_FR | CMD_CR), CMD_FR | CMD_CR);
    assert_int_equal(get(a, AHCI_PORTS + AHCI_PORT_SIZE + PORT_SSTS), 0); /* no second one */
}

static void identify_field_by_field(void **state)
{
    struct arig *a = *state;
    assert_int_equal(do_frame(a, frame(ATA_IDENTIFY_DEVICE, 0, 0), DATA, 512), 0);
    assert_int_equal(word(a, 0), 0x0040);
    assert_memory_equal(memory(a, DATA + 20, 20), "ESIRLA1-            ", 20);
    assert_memory_equal(memory(a, DATA + 46, 8), ".1 0    ", 8);
    assert_memory_equal(memory(a, DATA + 54, 14), "VRMVA ATd si k", 13);
    assert_int_equal(word(a, 49) & 0x0300, 0x0300); /* LBA, DMA */
    assert_int_equal(word(a, 60) | word(a, 61) << 16, DISK / 512);
    assert_int_equal(word(a, 75), 31);
    assert_true(word(a, 76) & 1 << 8);              /* queuing */
    assert_int_equal(word(a, 82) & 0x0061, 0x0061); /* look-ahead, cache, SMART */
    assert_int_equal(word(a, 83), 0x7400);          /* flushes, 48-bit addresses */
    assert_int_equal(word(a, 85) & 0x0061, 0x0061);
    assert_int_equal(word(a, 100) | word(a, 101) << 16, DISK / 512);
    assert_int_equal(word(a, 102) | word(a, 103), 0);
    assert_int_equal(word(a, 105), 8);       /* sectors of TRIM ranges */
    assert_int_equal(word(a, 108) >> 12, 5); /* world wide name */
    assert_int_equal(word(a, 169), 1);       /* TRIM */
    assert_int_equal(word(a, 217), 1);       /* does not turn */
    uint8_t sum = 0, *page = memory(a, DATA, 512);
    for (unsigned i = 0; i < 512; i++)
        sum += page[i];
    assert_int_equal(page[510], 0xa5);
    assert_int_equal(sum, 0);
    /* data in by PIO: its frame, and the bytes moved */
    const struct fis_device_to_host *f = memory(a, FRAMES + RECEIVED_PIO_SETUP, 20);
    assert_int_equal(f->type, FIS_PIO_SETUP);
    assert_int_equal(f->end_status, ATA_READY);
    assert_int_equal(f->transfer_count, 512);
    assert_int_equal(((struct ahci_command *)memory(a, LIST + 3 * 32, 32))->prdbc, 512);
    assert_int_equal(port_get(a, PORT_IS), IS_PSS);
}

static void data_go_where_the_table_says(void **state)
{
    static const uint16_t sizes[] = {2, 510, 512, 1536, 1024, 4, 508};
    struct arig *a = *state;
    struct fis_host_to_device f = frame(ATA_WRITE_DMA_EXT, 77, 8);
    uint8_t expected[4096], *at = expected;
    fill(a, DATA, 0x10000, 1);
    put(a, 0, &f, 0, 2);
    struct ahci_command *header = memory(a, LIST, 32);
    struct ahci_prd *prds = memory(a, TABLES + TABLE_PRDT, 0x100);
    header->prdtl = 7;
    for (unsigned i = 0; i < 7; i++) {
        prds[i] = (struct ahci_prd){.address = DATA + 0x2000 * i + 2, .count = sizes[i] - 1u};
        memcpy(at, memory(a, prds[i].address, sizes[i]), sizes[i]);
        at += sizes[i];
    }
    assert_ptr_equal(at, expected + 4096);
    issue(a, 0);
    port_until(a, PORT_CI, 1, 0);
    assert_int_equal(header->prdbc, 4096);
    assert_image(a, 77 * 512, expected, 4096);
    const struct fis_device_to_host *done = memory(a, FRAMES + RECEIVED_REGISTER, 20);
    assert_int_equal(done->type, FIS_DEVICE_TO_HOST);
    assert_int_equal(done->status, ATA_READY);
    assert_int_equal(port_get(a, PORT_IS), IS_DHRS);
    /* 28-bit addresses, and back */
    assert_int_equal(do_frame(a, frame(ATA_READ_DMA, 77, 8), DATA, 4096), 0);
    assert_memory_equal(memory(a, DATA, 4096), expected, 4096);
    memset(memory(a, DATA, 4096), 0, 4096);
    assert_int_equal(do_frame(a, frame(ATA_READ_SECTORS_EXT, 77, 8), DATA, 4096), 0);
    assert_memory_equal(memory(a, DATA, 4096), expected, 4096);
    assert_int_equal(do_frame(a, frame(ATA_WRITE_DMA_FUA_EXT, 0, 8), DATA, 4096), 0);
    assert_image(a, 0, expected, 4096);
    /* no count means the most there is: 256 sectors */
    assert_int_equal(do_frame(a, frame(ATA_READ_DMA, 0, 0), DATA, 256 * 512), 0);
}

static void all_tags_at_once(void **state)
{
    struct arig *a = *state;
    fill(a, DATA, 32 * 4096, 9);
    for (unsigned tag = 0; tag < 32; tag++) {
        struct fis_host_to_device f = queued(ATA_WRITE_FPDMA_QUEUED, tag, 8 * (31 - tag), 8);
        put(a, tag, &f, DATA + 4096 * tag, 4096);
    }
    port_set(a, PORT_SACT, UINT32_MAX);
    port_set(a, PORT_CI, UINT32_MAX);
    port_until(a, PORT_SACT, UINT32_MAX, 0);
    assert_int_equal(port_get(a, PORT_CI), 0);
    assert_int_equal(port_get(a, PORT_IS), IS_SDBS);
    for (unsigned tag = 0; tag < 32; tag++)
        assert_image(a, 4096 * (31 - tag), memory(a, DATA + 4096 * tag, 4096), 4096);
    const struct fis_device_bits *f = memory(a, FRAMES + RECEIVED_DEVICE_BITS, 8);
    assert_int_equal(f->type, FIS_DEVICE_BITS);
    assert_int_equal(f->error, 0);
}

static void a_queued_command_that_fails_is_named_in_the_log(void **state)
{
    struct arig *a = *state;
    for (unsigned tag = 4; tag < 8; tag++) {
        uint64_t lba = tag == 5 ? UINT64_C(0x123456789abc) : tag;
        struct fis_host_to_device f = queued(ATA_READ_FPDMA_QUEUED, tag, lba, 1);
        put(a, tag, &f, DATA, 512);
    }
    port_set(a, PORT_SACT, 0xf0);
    port_set(a, PORT_CI, 0xf0);
    port_until(a, PORT_IS, IS_TFES, IS_TFES);
    assert_true(port_get(a, PORT_SACT) & 1 << 5);
    assert_int_equal(port_get(a, PORT_TFD), ATA_IDNF << 8 | ATA_READY | ATA_ERR);
    restart(a);
    assert_int_equal(port_get(a, PORT_SACT), 0);
    const uint8_t *page = memory(a, DATA, 512);
    assert_int_equal(do_frame(a, frame(ATA_READ_LOG_EXT, 0x10, 1), DATA, 512), 0);
    assert_int_equal(page[0], 5);
    assert_int_equal(page[2], ATA_READY | ATA_ERR);
    assert_int_equal(page[3], ATA_IDNF);
    assert_memory_equal(page + 4, ((uint8_t[]){0xbc, 0x9a, 0x78}), 3);
    assert_memory_equal(page + 8, ((uint8_t[]){0x56, 0x34, 0x12}), 3);
    assert_int_equal(do_frame(a, frame(ATA_READ_LOG_DMA_EXT, 0x10, 1), DATA, 512), 0);
    assert_int_equal(page[0], 0x80); /* that was all */
    /* a tag that is not the slot */
    struct fis_host_to_device f = queued(ATA_READ_FPDMA_QUEUED, 9, 0, 1);
    put(a, 2, &f, DATA, 512);
    port_set(a, PORT_SACT, 1 << 9);
    issue(a, 2);
    port_until(a, PORT_IS, IS_TFES, IS_TFES);
    assert_int_equal(port_get(a, PORT_TFD) >> 8, ATA_ABRT);
}

static void commands_that_fail(void **state)
{
    struct arig *a = *state;
    uint64_t end = DISK / 512;
    assert_int_equal(failing(a, frame(ATA_READ_DMA_EXT, end, 1), DATA, 512), ATA_IDNF);
    assert_int_equal(failing(a, frame(ATA_READ_DMA_EXT, end - 1, 2), DATA, 1024), ATA_IDNF);
    assert_int_equal(failing(a, frame(ATA_WRITE_DMA_EXT, UINT64_MAX, 0), DATA, 512), ATA_IDNF);
    assert_int_equal(failing(a, frame(ATA_READ_VERIFY_EXT, end, 1), DATA, 512), ATA_IDNF);
    assert_int_equal(do_frame(a, frame(ATA_READ_VERIFY_EXT, end - 1, 1), DATA, 512), 0);
    assert_int_equal(failing(a, frame(0x00, 0, 0), DATA, 512), ATA_ABRT);
    assert_int_equal(failing(a, frame(0xff, 0, 0), DATA, 512), ATA_ABRT);
    assert_int_equal(failing(a, frame(ATA_READ_LOG_EXT, 0x30, 1), DATA, 512), ATA_ABRT);
    struct fis_host_to_device chs = frame(ATA_READ_DMA, 0, 1);
    chs.device = 0;
    assert_int_equal(failing(a, chs, DATA, 512), ATA_IDNF);
    assert_int_equal(do_frame(a, frame(ATA_READ_DMA, 0, 1), DATA, 512), 0);
}

static void nothing_follows_a_failure_until_the_port_is_stopped(void **state)
{
    struct arig *a = *state;
    struct fis_host_to_device bad = frame(0xff, 0, 0), good = frame(ATA_READ_DMA, 0, 1);
    put(a, 0, &bad, DATA, 512);
    put(a, 1, &good, DATA, 512);
    issue(a, 0);
    port_until(a, PORT_IS, IS_TFES, IS_TFES);
    issue(a, 1);
    usleep(5000);
    assert_int_equal(port_get(a, PORT_CI), 3);
    restart(a);
    assert_int_equal(port_get(a, PORT_CI), 0);
    issue(a, 1);
    port_until(a, PORT_CI, 2, 0);
}

/* BSD drivers look there for the command to blame. */
static void the_port_shows_which_slot_has_failed(void **state)
{
    struct arig *a = *state;
    struct fis_host_to_device bad = frame(0xff, 0, 0), good = frame(ATA_READ_DMA, 0, 1);
    put(a, 7, &bad, DATA, 512);
    put(a, 20, &good, DATA, 512);
    port_set(a, PORT_CI, 1 << 7 | 1 << 20);
    port_until(a, PORT_IS, IS_TFES, IS_TFES);
    assert_int_equal(port_get(a, PORT_CMD) >> CMD_CCS_SHIFT & 0x1f, 7);
    restart(a);
    assert_int_equal(port_get(a, PORT_CMD) >> CMD_CCS_SHIFT & 0x1f, 0);
    issue(a, 20);
    port_until(a, PORT_CI, 1 << 20, 0);
    assert_int_equal(port_get(a, PORT_CMD) >> CMD_CCS_SHIFT & 0x1f, 20);
}

static void tables_and_frames_that_are_wrong(void **state)
{
    struct arig *a = *state;
    struct fis_host_to_device f = frame(ATA_READ_DMA_EXT, 0, 2);
    struct ahci_command *header = memory(a, LIST, 32);
    static const struct {
        uint64_t data;
        unsigned size;
        uint32_t cause;
    } cases[] = {{DATA, 1022, IS_OFS},
                 {NOT_MEMORY, 1024, IS_HBFS},
                 {DATA, 1023, IS_HBFS},
                 {MACHINE_RAM_BASE + RIG_RAM - 512, 1024, IS_HBFS}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        put(a, 0, &f, cases[i].data, cases[i].size);
        issue(a, 0);
        port_until(a, PORT_IS, cases[i].cause, cases[i].cause);
        restart(a);
    }
    put(a, 0, &f, DATA, 1024);
    header->prdtl = 0;
    issue(a, 0);
    port_until(a, PORT_IS, IS_OFS, IS_OFS);
    restart(a);
    put(a, 0, &f, DATA, 1024);
    header->ctba = (uint32_t)NOT_MEMORY;
    issue(a, 0);
    port_until(a, PORT_IS, IS_HBFS, IS_HBFS);
    restart(a);
    put(a, 0, &f, DATA, 1024);
    header->flags = 4; /* a frame that is cut short */
    issue(a, 0);
    port_until(a, PORT_IS, IS_IFS, IS_IFS);
    restart(a);
    f.type = FIS_DEVICE_TO_HOST;
    put(a, 0, &f, DATA, 1024);
    issue(a, 0);
    port_until(a, PORT_IS, IS_IFS, IS_IFS);
    restart(a);
    port_set(a, PORT_CLBU, 1); /* the list is nowhere */
    issue(a, 0);
    port_until(a, PORT_IS, IS_HBFS, IS_HBFS);
    port_set(a, PORT_CLBU, 0);
    restart(a);
    assert_int_equal(do_frame(a, frame(ATA_READ_DMA, 0, 1), DATA, 512), 0);
}

static void trim_gives_space_back(void **state)
{
    static const uint8_t zeroes[65536];
    struct arig *a = *state;
    if (!host_gives_space_back())
        skip();
    fill(a, DATA, 65536, 3);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(do_frame(a, frame(ATA_WRITE_DMA_EXT, 128 * i, 128), DATA, 65536), 0);
    uint64_t before = scratch_space(a->path);
    uint64_t *ranges = memory(a, DATA + 0x20000, 1024);
    memset(ranges, 0, 1024);
    ranges[3] = UINT64_C(128) << 48 | 128;
    ranges[100] = UINT64_C(128) << 48 | 384;
    struct fis_host_to_device f = frame(ATA_DATA_SET_MANAGEMENT, 0, 2);
    assert_int_equal(failing(a, f, DATA + 0x20000, 1024), ATA_ABRT); /* not TRIM */
    f.features_low = 1;
    assert_int_equal(do_frame(a, f, DATA + 0x20000, 1024), 0);
    assert_image(a, 0, memory(a, DATA, 65536), 65536);
    assert_image(a, 65536, zeroes, 65536);
    assert_image(a, 3 * 65536, zeroes, 65536);
    assert_int_equal(before - scratch_space(a->path), 256 * 512);
    ranges[5] = UINT64_C(1) << 48 | DISK / 512;
    assert_int_equal(failing(a, f, DATA + 0x20000, 1024), ATA_IDNF);
    f.count_low = 9;
    assert_int_equal(failing(a, f, DATA, 9 * 512), ATA_ABRT);
}

static void small_commands(void **state)
{
    struct arig *a = *state;
    const struct fis_device_to_host *done = memory(a, FRAMES + RECEIVED_REGISTER, 20);
    assert_int_equal(do_frame(a, frame(ATA_FLUSH_CACHE_EXT, 0, 0), DATA, 512), 0);
    assert_int_equal(do_frame(a, frame(ATA_STANDBY_IMMEDIATE, 0, 0), DATA, 512), 0);
    assert_int_equal(do_frame(a, frame(ATA_CHECK_POWER_MODE, 0, 0), DATA, 512), 0);
    assert_int_equal(done->count_low, 0xff);
    struct fis_host_to_device f = frame(ATA_SMART, 0xc24f00, 0);
    f.features_low = 0xda;
    assert_int_equal(do_frame(a, f, DATA, 512), 0);
    assert_int_equal(done->lba_low[1] | done->lba_low[2] << 8, 0xc24f);
    f.features_low = 0xd9;
    assert_int_equal(do_frame(a, f, DATA, 512), 0);
    f.features_low = 0xda;
    assert_int_equal(failing(a, f, DATA, 512), ATA_ABRT); /* it is switched off */
    f = frame(ATA_SET_FEATURES, 0, 0);
    f.features_low = 0x82;
    assert_int_equal(do_frame(a, f, DATA, 512), 0);
    assert_int_equal(do_frame(a, frame(ATA_IDENTIFY_DEVICE, 0, 0), DATA, 512), 0);
    assert_int_equal(word(a, 85) & 0x0061, 0x0040); /* neither SMART nor the cache */
    f.features_low = 0x77;
    assert_int_equal(failing(a, f, DATA, 512), ATA_ABRT);
}

static _Atomic unsigned flushes;

static void a_cache_that_is_switched_off_is_flushed(void **state)
{
    static const struct disk_calls calls = COUNTING_DISK(DISK, &flushes);
    (void)state;
    struct arig *a = arig_new(false, &calls);
    struct fis_host_to_device f = frame(ATA_SET_FEATURES, 0, 0);
    flushes = 0;
    assert_int_equal(do_frame(a, frame(ATA_WRITE_DMA, 0, 1), DATA, 512), 0);
    assert_int_equal(flushes, 0);
    f.features_low = 0x82;
    assert_int_equal(do_frame(a, f, DATA, 512), 0);
    assert_int_equal(flushes, 1);
    assert_int_equal(do_frame(a, frame(ATA_WRITE_DMA, 0, 1), DATA, 512), 0);
    assert_int_equal(flushes, 2); /* from now on each write is */
    f.features_low = 0x02;
    assert_int_equal(do_frame(a, f, DATA, 512), 0);
    assert_int_equal(do_frame(a, frame(ATA_WRITE_DMA, 0, 1), DATA, 512), 0);
    assert_int_equal(flushes, 2);
    assert_int_equal(do_frame(a, frame(ATA_SLEEP, 0, 0), DATA, 512), 0);
    assert_int_equal(flushes, 3);
    void *rig = a;
    teardown(&rig);
}

static void what_is_write_protected_is_only_read(void **state)
{
    (void)state;
    struct arig *a = arig_new(true, NULL);
    assert_int_equal(do_frame(a, frame(ATA_READ_DMA, 0, 1), DATA, 512), 0);
    assert_int_equal(failing(a, frame(ATA_WRITE_DMA, 0, 1), DATA, 512), ATA_ABRT);
    struct fis_host_to_device f = frame(ATA_DATA_SET_MANAGEMENT, 0, 1);
    f.features_low = 1;
    assert_int_equal(failing(a, f, DATA, 512), ATA_ABRT);
    void *rig = a;
    teardown(&rig);
}

/*
 * Interrupts
 */

static void the_wire_follows_what_is_enabled(void **state)
{
    struct arig *a = *state;
    assert_int_equal(do_frame(a, frame(ATA_READ_DMA, 0, 1), DATA, 512), 0);
    assert_false(wire(a));
    port_set(a, PORT_IE, IS_DHRS);
    assert_int_equal(get(a, AHCI_IS), 1);
    assert_false(wire(a));
    set(a, AHCI_GHC, GHC_IE);
    assert_true(wire(a));
    set(a, AHCI_IS, 1); /* its cause is still there */
    assert_true(wire(a));
    port_set(a, PORT_IS, IS_DHRS);
    assert_true(wire(a)); /* IS stays until it is cleared itself */
    set(a, AHCI_IS, 1);
    assert_false(wire(a));
    port_set(a, PORT_IE, 0);
    assert_int_equal(do_frame(a, frame(ATA_READ_DMA, 0, 1), DATA, 512), 0);
    assert_false(wire(a));
}

static void messages_take_the_wires_place(void **state)
{
    struct arig *a = *state;
    unsigned cap = (unsigned)rig_read(a->pci, ecam(0, DEV(1), 0x34), 1);
    while (rig_read(a->pci, ecam(0, DEV(1), cap), 1) != PCI_CAP_MSI)
        cap = (unsigned)rig_read(a->pci, ecam(0, DEV(1), cap + 1), 1);
    rig_write(a->pci, ecam(0, DEV(1), cap + 4), 4, RIG_MSI_BASE);
    rig_write(a->pci, ecam(0, DEV(1), cap + 12), 2, 42);
    rig_write(a->pci, ecam(0, DEV(1), cap + 2), 2, 1);
    set(a, AHCI_GHC, GHC_IE);
    port_set(a, PORT_IE, IS_DHRS);
    for (unsigned i = 1; i < 10; i++) {
        assert_int_equal(do_frame(a, frame(ATA_READ_DMA, 0, 1), DATA, 512), 0);
        time_t since = time(NULL);
        while (a->pci->messages < i)
            assert_true(time(NULL) - since < PATIENCE);
        assert_int_equal(a->pci->message[i - 1].data, 42);
        port_set(a, PORT_IS, UINT32_MAX);
        set(a, AHCI_IS, UINT32_MAX);
    }
    assert_int_equal(a->pci->messages, 9);
    assert_false(wire(a));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(registers_at_power_on),
        TEST(identify_field_by_field),
        TEST(data_go_where_the_table_says),
        TEST(all_tags_at_once),
        TEST(a_queued_command_that_fails_is_named_in_the_log),
        TEST(commands_that_fail),
        TEST(nothing_follows_a_failure_until_the_port_is_stopped),
        TEST(the_port_shows_which_slot_has_failed),
        TEST(tables_and_frames_that_are_wrong),
        TEST(trim_gives_space_back),
        TEST(small_commands),
        cmocka_unit_test(a_cache_that_is_switched_off_is_flushed),
        cmocka_unit_test(what_is_write_protected_is_only_read),
        TEST(the_wire_follows_what_is_enabled),
        TEST(messages_take_the_wires_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
