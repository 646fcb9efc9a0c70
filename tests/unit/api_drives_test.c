/* SPDX-License-Identifier: GPL-3.0-only */
/* Drives that a program puts into a machine and takes out, while it runs and while it does not; the button. */
#include "api_rig.h"
#include "counting_disk.h"
#include "scratch_file.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#define DISK_SIZE 65536

static const uint32_t endless[] = {0x0000006f}; /* j . */

struct fake {
    struct rvvm_disk disk;
    _Atomic unsigned flushes;
};

static struct rvvm_drive fake_drive(struct fake *f)
{
    *f = (struct fake){.disk = COUNTING_DISK(DISK_SIZE, &f->flushes)};
    return (struct rvvm_drive){.kind = RVVM_DRIVE_NVME, .image = "fake", .disk = &f->disk};
}

static struct rvvm_machine *machine_with_slots(unsigned slots, enum rvvm_isolation isolation)
{
    struct rvvm_config config;
    RIG_CONFIG(&config, endless);
    config.drive_slots = slots;
    config.isolation = isolation;
    config.power_button = slots;
    return rig_new(&config);
}

static void slots_are_filled_and_emptied(void **state)
{
    (void)state;
    struct rvvm_machine *m = machine_with_slots(2, RVVM_ISOLATION_NONE);
    struct rvvm_error error;
    struct fake fakes[3];
    unsigned slot;
    bool gone;
    for (unsigned i = 0; i < 2; i++) {
        struct rvvm_drive drive = fake_drive(&fakes[i]);
        assert_false(rvvm_machine_has_drive(m, i + 1));
        assert_true(rvvm_machine_add_drive(m, &drive, &slot, &error));
        assert_int_equal(slot, i + 1);
        assert_true(rvvm_machine_has_drive(m, slot));
    }
    struct rvvm_drive third = fake_drive(&fakes[2]);
    assert_false(rvvm_machine_add_drive(m, &third, &slot, &error));
    assert_string_equal(error.text, "fake: all 2 slots have a drive");
    assert_true(rvvm_machine_remove_drive(m, 1, false, &gone, &error));
    assert_true(gone && !rvvm_machine_has_drive(m, 1));
    assert_int_equal(fakes[0].flushes, 1); /* what was written is safe when it is closed */
    assert_false(rvvm_machine_remove_drive(m, 1, true, &gone, &error));
    assert_string_equal(error.text, "slot 1: there is no drive in it");
    assert_true(rvvm_machine_add_drive(m, &third, &slot, NULL));
    assert_int_equal(slot, 1);
    rvvm_machine_free(m); /* with drives in it */
    assert_int_equal(fakes[1].flushes + fakes[2].flushes, 2);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    struct rvvm_machine *m = machine_with_slots(1, RVVM_ISOLATION_NONE);
    struct rvvm_machine *none = machine_with_slots(0, RVVM_ISOLATION_NONE);
    struct rvvm_error error;
    struct fake fake;
    struct rvvm_drive drive = fake_drive(&fake), missing = {RVVM_DRIVE_NVME, "/no/where", NULL};
    unsigned slot;
    bool gone;
    assert_false(rvvm_machine_add_drive(m, &missing, &slot, &error));
    assert_non_null(
        strstr(error.text, "/no/where: cannot open: ")); /* why, is the system's words */
    drive.kind = RVVM_DRIVE_ATA;
    assert_false(rvvm_machine_add_drive(m, &drive, &slot, &error));
    drive.kind = (enum rvvm_drive_kind)77;
    assert_false(rvvm_machine_add_drive(m, &drive, &slot, &error));
    drive.kind = RVVM_DRIVE_NVME;
    assert_false(rvvm_machine_add_drive(none, &drive, &slot, &error));
    assert_string_equal(error.text, "this machine has no slots for drives");
    assert_false(rvvm_machine_remove_drive(none, 1, true, &gone, &error));
    assert_false(rvvm_machine_has_drive(none, 1));
    assert_false(rvvm_machine_has_drive(m, 7));
    assert_false(rvvm_machine_press_power(none, &error));
    assert_string_equal(error.text, "this machine has no power button");
    assert_false(rvvm_machine_press_power(m, &error));
    assert_string_equal(error.text, "the machine is off");
    struct rvvm_config config;
    RIG_CONFIG(&config, endless);
    config.drive_slots = 33;
    assert_null(rvvm_machine_new(&config, &error));
    assert_string_equal(error.text, "33 slots for drives: there can be 1 to 32");
    rvvm_machine_free(m);
    rvvm_machine_free(none);
}

static void *run(void *m)
{
    int status;
    rvvm_machine_run(m, &status, NULL);
    return NULL;
}

/* By files, and from a thread that may open them while those of the machine may not. */
static void come_and_go_while_it_runs(enum rvvm_isolation isolation)
{
    struct rvvm_machine *m = machine_with_slots(3, isolation);
    char path[] = "/tmp/rvvm-drives-XXXXXX";
    struct rvvm_drive drive = {RVVM_DRIVE_VIRTIO_BLK, path, NULL};
    struct rvvm_error error;
    pthread_t runner;
    unsigned slot;
    bool gone;
    scratch_make(path, DISK_SIZE);
    assert_int_equal(pthread_create(&runner, NULL, run, m), 0);
    do
        assert_false(rvvm_machine_press_power(m, &error));
    while (strcmp(error.text, "the guest has no driver for it (virtio_input) that runs") &&
           !sched_yield());
    for (unsigned i = 0; i < 20; i++) {
        drive.kind = i & 1 ? RVVM_DRIVE_NVME : RVVM_DRIVE_VIRTIO_BLK;
        if (!rvvm_machine_add_drive(m, &drive, &slot, &error))
            fail_msg("%s", error.text);
        assert_false(rvvm_machine_add_drive(m, &drive, &slot, &error)); /* it is in use */
        assert_true(rvvm_machine_remove_drive(m, 1, i & 2, &gone, &error));
        assert_true(gone);
    }
    rvvm_machine_quit(m);
    pthread_join(runner, NULL);
    rvvm_machine_free(m);
    unlink(path);
}

static void drives_come_and_go_while_it_runs(void **state)
{
    (void)state;
    come_and_go_while_it_runs(RVVM_ISOLATION_NONE);
}

static void and_while_its_threads_are_isolated(void **state)
{
    (void)state;
    come_and_go_while_it_runs(RVVM_ISOLATION_THREADS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_filled_and_emptied),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(drives_come_and_go_while_it_runs),
        cmocka_unit_test(and_while_its_threads_are_isolated),
    };
    return cmocka_run_group_tests_name("api_drives", tests, NULL, NULL);
}
