/* SPDX-License-Identifier: GPL-3.0-only */
/* AHCI: ports that are stopped, and resets of every kind, with commands under way. */
#include "ahci_rig.h"

#include "host/clock.h"

/* Commands that take their time. */
static void issue_many(struct arig *a)
{
    for (unsigned tag = 0; tag < 32; tag++) {
        struct fis_host_to_device f = queued(ATA_WRITE_FPDMA_QUEUED, tag, 8 * tag, 8);
        f.device |= DEVICE_FUA;
        put(a, tag, &f, DATA, 4096);
    }
    port_set(a, PORT_SACT, UINT32_MAX);
    port_set(a, PORT_CI, UINT32_MAX);
}

static void works(struct arig *a)
{
    start(a);
    assert_int_equal(do_frame(a, frame(ATA_READ_DMA, 0, 1), DATA, 512), 0);
}

static void stopping_forgets_commands_and_waits_for_the_disk(void **state)
{
    struct arig *a = *state;
    for (unsigned round = 0; round < 20; round++) {
        issue_many(a);
        if (round % 2)
            sched_yield();
        port_set(a, PORT_CMD, CMD_FRE);
        assert_int_equal(port_get(a, PORT_CI) | port_get(a, PORT_SACT), 0);
        port_until(a, PORT_CMD, CMD_CR, 0);
        uint8_t frames[256];
        memcpy(frames, memory(a, FRAMES, 256), 256);
        usleep(1000);
        assert_memory_equal(memory(a, FRAMES, 256), frames, 256);
        works(a);
    }
}

/*
 * A port that is stopped while a command begins: as soon as PxCMD.CR is clear the memory is the driver's
 * again. The table is long, so that a command takes a while to begin.
 */
static void nothing_is_written_once_the_port_has_stopped(void **state)
{
    enum { PIECES = AHCI_PIECES_MAX, PIECE = 128, ROUNDS = 600 };
    struct arig *a = *state;
    uint8_t *bytes = memory(a, DATA, PIECES * PIECE);
    struct ahci_command *header = memory(a, LIST, 32);
    struct ahci_prd *prds = memory(a, TABLES + TABLE_PRDT, PIECES * sizeof(*prds));
    for (unsigned round = 0; round < ROUNDS; round++) {
        bool identify = round % 4 == 3; /* which copies data itself */
        struct fis_host_to_device f = identify
                                          ? frame(ATA_IDENTIFY_DEVICE, 0, 0)
                                          : frame(ATA_READ_DMA_EXT, 0, PIECES * PIECE / ATA_SECTOR);
        put(a, 0, &f, DATA, 512);
        if (!identify)
            header->prdtl = PIECES;
        for (unsigned i = 0; !identify && i < PIECES; i++)
            prds[i] = (struct ahci_prd){.address = DATA + PIECE * i, .count = PIECE - 1};
        uint64_t stop = clock_monotonic_ns() + round % 60 * 1000;
        issue(a, 0);
        while (clock_monotonic_ns() < stop)
            ;
        port_set(a, PORT_CMD, CMD_FRE);
        port_until(a, PORT_CMD, CMD_CR, 0);
        memset(bytes, 0x5a, PIECES * PIECE);
        usleep(100);
        for (unsigned i = 0; i < PIECES * PIECE; i++)
            assert_int_equal(bytes[i], 0x5a);
        start(a);
    }
}

static void a_reset_of_the_line_resets_the_drive(void **state)
{
    struct arig *a = *state;
    struct fis_host_to_device f = frame(ATA_SET_FEATURES, 0, 0);
    f.features_low = 0x82;
    for (unsigned round = 0; round < 10; round++) {
        assert_int_equal(do_frame(a, f, DATA, 512), 0);
        issue_many(a);
        port_set(a, PORT_CMD, CMD_FRE);
        port_set(a, PORT_SCTL, 1);
        assert_int_equal(port_get(a, PORT_SSTS), 0);
        assert_int_equal(port_get(a, PORT_TFD) & ATA_BSY, ATA_BSY);
        port_set(a, PORT_SCTL, 0);
        port_until(a, PORT_SSTS, UINT32_MAX, 0x133);
        assert_int_equal(port_get(a, PORT_TFD), 0x0150);
        assert_int_equal(port_get(a, PORT_IS) & IS_PCS, IS_PCS);
        port_set(a, PORT_SERR, SERR_DIAG_X);
        assert_int_equal(port_get(a, PORT_IS) & IS_PCS, 0);
        works(a);
        assert_int_equal(do_frame(a, frame(ATA_IDENTIFY_DEVICE, 0, 0), DATA, 512), 0);
        assert_int_equal(word(a, 85) & 0x0020, 0x0020); /* the cache is on again */
    }
    port_set(a, PORT_CMD, CMD_FRE);
    port_set(a, PORT_SCTL, 4); /* off */
    usleep(1000);
    assert_int_equal(port_get(a, PORT_SSTS), 0);
    port_set(a, PORT_SCTL, 0);
    port_until(a, PORT_SSTS, UINT32_MAX, 0x133);
}

static void a_reset_of_the_controller_ends_when_the_disk_is_done(void **state)
{
    struct arig *a = *state;
    for (unsigned round = 0; round < 10; round++) {
        set(a, AHCI_GHC, GHC_IE);
        port_set(a, PORT_IE, UINT32_MAX);
        issue_many(a);
        set(a, AHCI_GHC, GHC_HR);
        until(a, AHCI_GHC, UINT32_MAX, GHC_AE);
        assert_false(wire(a));
        assert_int_equal(port_get(a, PORT_IE), 0);
        assert_int_equal(port_get(a, PORT_CI) | port_get(a, PORT_SACT), 0);
        assert_int_equal(port_get(a, PORT_CMD) & (CMD_ST | CMD_CR | CMD_FR), 0);
        assert_int_equal(port_get(a, PORT_SSTS), 0x133);
        assert_int_equal(port_get(a, PORT_CLB), LIST); /* kept */
        works(a);
    }
}

static void a_reset_by_frames(void **state)
{
    struct arig *a = *state;
    struct fis_host_to_device f = frame(ATA_SET_FEATURES, 0, 0);
    f.features_low = 0x82;
    assert_int_equal(do_frame(a, f, DATA, 512), 0);
    f = (struct fis_host_to_device){.type = FIS_HOST_TO_DEVICE, .control = CONTROL_SRST};
    put(a, 0, &f, DATA, 512);
    issue(a, 0);
    port_until(a, PORT_CI, 1, 0);
    assert_int_equal(port_get(a, PORT_TFD) & ATA_BSY, ATA_BSY);
    f.control = 0;
    put(a, 0, &f, DATA, 512);
    issue(a, 0);
    port_until(a, PORT_CI, 1, 0);
    port_until(a, PORT_TFD, UINT32_MAX, 0x0150);
    const struct fis_device_to_host *signature = memory(a, FRAMES + RECEIVED_REGISTER, 20);
    assert_int_equal(signature->lba_low[0], 1);
    assert_int_equal(signature->count_low, 1);
    assert_int_equal(do_frame(a, frame(ATA_IDENTIFY_DEVICE, 0, 0), DATA, 512), 0);
    assert_int_equal(word(a, 85) & 0x0020, 0x0020);
}

static void a_machine_reset_waits_for_the_disk(void **state)
{
    struct arig *a = *state;
    struct machine *m = a->pci->m;
    for (unsigned round = 0; round < 20; round++) {
        issue_many(a);
        rig_reset_ends_all(m);
        memset(m->ram.data, 0, RIG_RAM);
        enable(a);
        assert_int_equal(port_get(a, PORT_CLB), 0);
        assert_int_equal(port_get(a, PORT_CI) | port_get(a, PORT_SACT), 0);
        works(a);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stopping_forgets_commands_and_waits_for_the_disk),
        TEST(nothing_is_written_once_the_port_has_stopped),
        TEST(a_reset_of_the_line_resets_the_drive),
        TEST(a_reset_of_the_controller_ends_when_the_disk_is_done),
        TEST(a_reset_by_frames),
        TEST(a_machine_reset_waits_for_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
