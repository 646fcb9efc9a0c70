/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * PCI from several threads: BARs move, messages are masked and wires hidden while others access,
 * interrupt and copy. Nothing goes to a place that it was never mapped at, and no message is lost.
 */
#include "pci_rig.h"

#include <pthread.h>
#include <sched.h>

#define LOW PCI_LOW_WINDOW_BASE
#define ROUNDS 3000
#define MOVES 150000 /* a look in the middle of a change is rare */
#define TABLE 0x1000

struct race {
    struct rig *rig;
    struct pci_function *f;
    _Atomic bool over;
    _Atomic unsigned seen, strays;
};

/* BAR 2 is 4 KiB and at LOW or at LOW + 64 KiB; what answers says which byte it is. */
static void *reads_bar(void *arg)
{
    struct race *r = arg;
    while (!atomic_load(&r->over)) {
        uint64_t here = rig_read(r->rig, LOW + 0x20, 4), there = rig_read(r->rig, LOW + 0x10020, 4);
        if (here == 0x23222120 || there == 0x23222120)
            atomic_fetch_add(&r->seen, 1);
        if ((here != 0x23222120 && here != 0xffffffff) ||
            (there != 0x23222120 && there != 0xffffffff))
            atomic_fetch_add(&r->strays, 1);
    }
    return NULL;
}

/* Another BAR's answer is not mistaken for BAR 2's. */
static uint64_t quiet_read(void *state, unsigned bar, uint64_t offset, unsigned size)
{
    (void)state, (void)size;
    return bar == 2 ? 0x03020100 + 0x01010101 * offset : 0x5a5a5a5a;
}

static const struct pci_function_ops quiet_ops = {.name = "quiet", .bar_read = quiet_read};

static struct pci_function *quiet_new(void)
{
    struct pci_function_config config = {
        .ops = &quiet_ops,
        .bars = {[0] = {PCI_BAR_MEM64, 0x4000, 4, 4}, [2] = {PCI_BAR_MEM32, 0x1000, 4, 4}},
        .interrupt_pin = 1,
    };
    struct pci_function *f = pci_function_new(&config, NULL);
    assert_non_null(f);
    assert_true(pci_msix_init(f, 4, 0, TABLE, 0x2000));
    return f;
}

static struct race race_begin(struct rig *rig)
{
    struct race r = {.rig = rig, .f = quiet_new()};
    assert_true(pci_plug_at(rig->root, r.f, DEV(1), NULL));
    return r;
}

static void accesses_find_a_bar_that_moves_or_nothing(void **state)
{
    struct rig *rig = *state;
    struct race r = race_begin(rig);
    pthread_t threads[2];
    rig_write(rig, ecam(0, DEV(1), 0x18), 4, LOW);
    rig_write(rig, ecam(0, DEV(1), PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reads_bar, &r), 0);
    for (unsigned i = 0; i < MOVES || !atomic_load(&r.seen); i++) {
        rig_write(rig, ecam(0, DEV(1), 0x18), 4, LOW + (i & 1) * 0x10000);
        /* Another one comes and goes below it, so that places in the list change. */
        rig_write(rig, ecam(0, DEV(1), 0x10), 8, i & 2 ? LOW + 0x4000 : UINT64_C(0x400000000));
    }
    atomic_store(&r.over, true);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(r.strays, 0);
}

static _Atomic unsigned told;

static bool count_message(void *ctx, uint64_t address, uint32_t data)
{
    (void)ctx, (void)data;
    if (address != RIG_MSI_BASE)
        return false;
    atomic_fetch_add(&told, 1);
    return true;
}

/* Interrupts, and waits until it was told before the next one: a lost message is a wait without end. */
static void *interrupts(void *arg)
{
    struct race *r = arg;
    for (unsigned i = 1; i <= ROUNDS; i++) {
        pci_interrupt(r->f, 1);
        while (atomic_load(&told) < i)
            sched_yield();
    }
    atomic_store(&r->over, true);
    return NULL;
}

static void masked_messages_are_told_when_they_are_let(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct machine_config machine = {.ram_size = RIG_RAM, .harts = 1, .interpret = true};
    isa_default(&machine.isa, 64);
    rig->m = machine_new(&machine, NULL);
    struct pci_host_config config = {.machine = rig->m, .msi = {count_message, NULL}};
    rig->root = pci_host_add(&config, NULL);
    struct race r = race_begin(rig);
    unsigned at = (unsigned)rig_read(rig, ecam(0, DEV(1), PCI_CAPABILITY_LIST), 1);
    rig_write(rig, ecam(0, DEV(1), 0x10), 8, LOW);
    rig_write(rig, ecam(0, DEV(1), PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    rig_write(rig, LOW + TABLE + 16, 8, RIG_MSI_BASE);
    rig_write(rig, ecam(0, DEV(1), at + PCI_MSIX_CONTROL), 2, PCI_MSIX_ENABLE);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, interrupts, &r), 0);
    for (unsigned i = 0; !atomic_load(&r.over); i++) {
        rig_write(rig, LOW + TABLE + 16 + 12, 4, i & 1);
        rig_write(rig, ecam(0, DEV(1), at + PCI_MSIX_CONTROL), 2,
                  PCI_MSIX_ENABLE | (i & 2 ? PCI_MSIX_MASK_ALL : 0));
    }
    pthread_join(thread, NULL);
    assert_int_equal(told, ROUNDS);
    *state = rig;
}

static void *toggles(void *arg)
{
    struct race *r = arg;
    for (unsigned i = 0; i < 2 * ROUNDS; i++)
        pci_intx_set(r->f, !(i & 1));
    return NULL;
}

static void a_shared_wire_ends_as_its_last_user_left_it(void **state)
{
    struct rig *rig = *state;
    struct race a = {.rig = rig, .f = quiet_new()}, b = {.rig = rig, .f = quiet_new()};
    assert_true(pci_plug_at(rig->root, a.f, DEV(1), NULL));
    assert_true(pci_plug_at(rig->root, b.f, DEV(5), NULL));
    pthread_t threads[2];
    assert_int_equal(pthread_create(&threads[0], NULL, toggles, &a), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, toggles, &b), 0);
    for (unsigned i = 0; i < ROUNDS; i++)
        rig_write(rig, ecam(0, DEV(1), PCI_COMMAND), 2, i & 1 ? PCI_COMMAND_INTX_DISABLE : 0);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_false(rig->wire[1]);
    rig_write(rig, ecam(0, DEV(1), PCI_COMMAND), 2, 0);
    pci_intx_set(b.f, true);
    assert_true(rig->wire[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(accesses_find_a_bar_that_moves_or_nothing),
        cmocka_unit_test_teardown(masked_messages_are_told_when_they_are_let, rig_teardown),
        TEST(a_shared_wire_ends_as_its_last_user_left_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
