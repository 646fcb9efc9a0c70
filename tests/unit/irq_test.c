/* SPDX-License-Identifier: GPL-3.0-only */
/* Interrupts: priority and delegation, mip, the supervisor timer, sleep, fences between threads. */
#include "lone_hart.h"
#include <sched.h>

#define ALL_M (IRQ_BIT(MEI) | IRQ_BIT(MSI) | IRQ_BIT(MTI))
#define ALL_S (IRQ_BIT(SEI) | IRQ_BIT(SSI) | IRQ_BIT(STI) | IRQ_BIT(LCOFI))

static void enter_mode(struct hart *h, unsigned priv)
{
    h->priv = PRIV_M;
    put(h, CSR_MSTATUS, (get(h, CSR_MSTATUS) & ~MSTATUS_MPP) | (uint64_t)priv << MSTATUS_MPP_SHIFT);
    assert_true(hart_mret(h));
}

static void taken_in_order_of_priority(void **state)
{
    (void)state;
    static const unsigned order[] = {IRQ_MEI, IRQ_MSI, IRQ_MTI,  IRQ_SEI,
                                     IRQ_SSI, IRQ_STI, IRQ_LCOFI};
    struct hart *h = lone_hart("rv64");

    put(h, CSR_MTVEC, 0x1001);
    put(h, CSR_MIE, UINT64_MAX);
    hart_set_irq(h, ALL_M, true);
    hart_raise_soft(h, ALL_S);
    assert_false(hart_take_interrupt(h)); /* M-mode, MIE clear */
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        assert_int_equal(put(h, CSR_MSTATUS, MSTATUS_MIE), CSR_RESYNC);
        assert_true(atomic_load(&h->events) & HART_EV_IRQ);
        h->pc = 0x7000;
        assert_true(hart_take_interrupt(h));
        assert_int_equal(h->csr.mcause, 1ull << 63 | order[i]);
        assert_int_equal(h->pc, 0x1000 + 4 * order[i]);
        assert_int_equal(h->csr.mepc, 0x7000);
        assert_int_equal(h->csr.mtval, 0);
        hart_set_irq(h, 1ull << order[i], false);
        put(h, CSR_MIP, get(h, CSR_MIP) & ~(1ull << order[i]));
    }
    assert_false(hart_irq_pending(h));
    assert_int_equal(put(h, CSR_MSTATUS, MSTATUS_MIE), CSR_OK);
    hart_free(h);
}

static void delegated_ones_wait_for_their_mode(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");

    put(h, CSR_STVEC, 0x2000);
    put(h, CSR_MIDELEG, UINT64_MAX);
    put(h, CSR_MIE, IRQ_BIT(SSI));
    hart_raise_soft(h, IRQ_BIT(SSI));
    put(h, CSR_MSTATUS, MSTATUS_MIE);
    assert_false(hart_take_interrupt(h)); /* M-mode is above it */
    enter_mode(h, PRIV_S);
    assert_false(hart_take_interrupt(h)); /* SIE clear */
    assert_int_equal(put(h, CSR_SSTATUS, MSTATUS_SIE), CSR_RESYNC);
    assert_true(hart_take_interrupt(h));
    assert_int_equal(h->csr.scause, 1ull << 63 | IRQ_SSI);
    assert_int_equal(h->priv, PRIV_S);

    enter_mode(h, PRIV_U); /* from below, SIE does not matter */
    put(h, CSR_SSTATUS, 0);
    assert_true(atomic_load(&h->events) & HART_EV_IRQ);
    assert_true(hart_take_interrupt(h));
    assert_int_equal(h->pc, 0x2000);
    hart_free(h);
}

static void supervisor_sees_its_part(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");

    put(h, CSR_MIE, ALL_M);
    hart_set_irq(h, ALL_M | IRQ_BIT(SEI), true);
    assert_int_equal(swap_in(h, CSR_SIE, UINT64_MAX), 0);
    assert_int_equal(get(h, CSR_SIP), 0);
    put(h, CSR_MIDELEG, IRQ_BIT(SSI) | IRQ_BIT(SEI));
    assert_int_equal(swap_in(h, CSR_SIE, UINT64_MAX), IRQ_BIT(SSI) | IRQ_BIT(SEI));
    assert_int_equal(get(h, CSR_MIE), ALL_M | IRQ_BIT(SSI) | IRQ_BIT(SEI));
    assert_int_equal(swap_in(h, CSR_SIP, UINT64_MAX), IRQ_BIT(SSI) | IRQ_BIT(SEI));
    assert_int_equal(swap_in(h, CSR_SIP, 0), IRQ_BIT(SEI));
    assert_int_equal(get(h, CSR_MIP), ALL_M | IRQ_BIT(SEI));
    hart_free(h);
}

/* Privileged specification, "mip and mie": what is set or cleared is the register, not the wire. */
static void seip_is_wire_or_register(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");
    uint64_t old = 0;

    hart_set_irq(h, IRQ_BIT(SEI), true);
    csr_access(h, CSR_MIP, CSR_SET, IRQ_BIT(SSI), true, true, &old);
    assert_int_equal(old, IRQ_BIT(SEI));
    hart_set_irq(h, IRQ_BIT(SEI), false);
    assert_int_equal(get(h, CSR_MIP), IRQ_BIT(SSI)); /* the wire was not copied */
    assert_int_equal(swap_in(h, CSR_MIP, UINT64_MAX), ALL_S);
    hart_set_irq(h, IRQ_BIT(SEI), true);
    csr_access(h, CSR_MIP, CSR_CLEAR, IRQ_BIT(SEI), true, true, &old);
    assert_true(get(h, CSR_MIP) & IRQ_BIT(SEI));
    hart_set_irq(h, IRQ_BIT(SEI), false);
    assert_false(get(h, CSR_MIP) & IRQ_BIT(SEI));
    hart_free(h);
}

static void stimer_follows_the_clock(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");

    lone_bus.now = 1000;
    put(h, CSR_MIP, IRQ_BIT(STI));
    assert_int_equal(get(h, CSR_MIP), IRQ_BIT(STI));
    put(h, CSR_MENVCFG, MENVCFG_STCE); /* from here STIP is the comparison */
    assert_int_equal(swap_in(h, CSR_MIP, IRQ_BIT(STI)), 0);
    put(h, CSR_MIE, IRQ_BIT(STI));

    put(h, CSR_STIMECMP, 1500);
    assert_int_equal(lone_bus.timer_at, 1500);
    assert_int_equal(get(h, CSR_MIP), 0);
    hart_stimer_expired(h); /* too early */
    assert_int_equal(get(h, CSR_MIP), 0);
    lone_bus.now = 1500;
    atomic_store(&h->events, 0);
    hart_stimer_expired(h);
    assert_int_equal(get(h, CSR_MIP), IRQ_BIT(STI));
    assert_true(atomic_load(&h->events) & HART_EV_IRQ);
    put(h, CSR_STIMECMP, 1501);
    assert_int_equal(get(h, CSR_MIP), 0);
    put(h, CSR_STIMECMP, 1); /* past already: pending at once, no timer */
    assert_int_equal(get(h, CSR_MIP), IRQ_BIT(STI));
    assert_int_equal(lone_bus.timer_at, UINT64_MAX);
    put(h, CSR_MENVCFG, 0);
    assert_int_equal(get(h, CSR_MIP), IRQ_BIT(STI)); /* the register, written above */
    hart_free(h);
}

#define ROUNDS 20000

/* Sleeps until SSIP comes, takes it away and counts, ROUNDS times. */
static void *sleeper(void *arg)
{
    struct hart *h = arg;

    hart_set_running(h, true);
    for (unsigned i = 0; i < ROUNDS; i++) {
        while (!hart_irq_pending(h))
            hart_wait(h);
        atomic_fetch_and(&h->events, ~(uint32_t)HART_EV_IRQ);
        uint64_t old;
        csr_access(h, CSR_MIP, CSR_CLEAR, IRQ_BIT(SSI), false, true, &old);
        h->x[5] = i + 1;
    }
    hart_set_running(h, false);
    return NULL;
}

static void no_wake_up_is_lost(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");
    pthread_t thread;

    put(h, CSR_MIE, IRQ_BIT(SSI));
    assert_int_equal(pthread_create(&thread, NULL, sleeper, h), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        hart_raise_soft(h, IRQ_BIT(SSI));
        while (atomic_load(&h->mip_soft) & IRQ_BIT(SSI)) /* a lost one would hang here */
            sched_yield();
    }
    pthread_join(thread, NULL);
    assert_int_equal(h->x[5], ROUNDS);
    hart_free(h);
}

struct fencer {
    struct hart *self, *other;
};

/* A run loop that fences the other hart again and again, and serves in between. */
static void *fencer(void *arg)
{
    struct fencer *f = arg;

    hart_set_running(f->self, true);
    for (unsigned i = 0; i < 2000; i++) {
        hart_fence_wait(f->other, hart_fence_ask(f->other, HART_FENCE_TLB | HART_FENCE_FETCH),
                        f->self);
        if (atomic_load(&f->self->events) & HART_EV_FENCE)
            hart_serve_fences(f->self);
    }
    hart_set_running(f->self, false);
    return NULL;
}

static void two_harts_can_fence_each_other(void **state)
{
    (void)state;
    struct hart *a = lone_hart("rv64"), *b = lone_hart("rv64");
    struct fencer fa = {.self = a, .other = b}, fb = {.self = b, .other = a};
    pthread_t ta, tb;

    assert_int_equal(pthread_create(&ta, NULL, fencer, &fa), 0);
    assert_int_equal(pthread_create(&tb, NULL, fencer, &fb), 0);
    pthread_join(ta, NULL);
    pthread_join(tb, NULL);
    hart_serve_fences(a);
    hart_serve_fences(b);
    assert_int_equal(a->fence_done, 2000);
    assert_int_equal(b->fence_done, 2000);
    assert_int_equal(atomic_load(&a->events) & HART_EV_FENCE, 0);
    hart_free(a);
    hart_free(b);
}

static void a_sleeping_hart_fences_when_it_wakes(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");

    /* Not running: nobody waits, and the request stays. */
    hart_fence_wait(h, hart_fence_ask(h, HART_FENCE_TLB | HART_FENCE_FETCH), NULL);
    assert_int_equal(h->fence_done, 0);
    hart_set_running(h, true);
    assert_int_equal(h->fence_done, 1);
    hart_fence_wait(h, hart_fence_ask(h, HART_FENCE_TLB | HART_FENCE_FETCH), h); /* itself */
    assert_int_equal(h->fence_done, 2);
    hart_fence_ask(h, HART_FENCE_TLB | HART_FENCE_FETCH);
    hart_wait(h); /* returns at once */
    assert_int_equal(h->fence_done, 3);
    hart_kick(h, HART_EV_STOP);
    hart_wait(h);
    hart_free(h);
}

/* Makes an S-mode entry for a page, and tells whether it is there. */
static void enter(struct hart *h, uint64_t va)
{
    struct tlb_page page = {va, h->bus->ram, ACCESS_READ, true, false};
    tlb_enter(h, &page, ACCESS_READ);
}

static bool is_entered(struct hart *h, uint64_t va)
{
    return h->tlb.data->entries[va / PAGE_SIZE % TLB_SIZE].read == va;
}

static void fences_of_pages_leave_the_others(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");
    struct hart_pages two = {.va = 0x5800, .size = PAGE_SIZE}; /* parts of two pages */
    struct hart_pages all = {.size = 0};

    h->priv = PRIV_S;
    tlb_context_changed(h);
    for (uint64_t va = 0x4000; va <= 0x7000; va += PAGE_SIZE)
        enter(h, va);
    hart_fence_ask_pages(h, &two);
    assert_true(is_entered(h, 0x5000));
    hart_serve_fences(h);
    assert_true(is_entered(h, 0x4000));
    assert_false(is_entered(h, 0x5000));
    assert_false(is_entered(h, 0x6000));
    assert_true(is_entered(h, 0x7000));

    /* More than are remembered: everything. */
    for (unsigned i = 0; i <= HART_FENCE_PAGES_MAX; i++)
        hart_fence_ask_pages(h, &two);
    hart_serve_fences(h);
    assert_false(is_entered(h, 0x4000));
    enter(h, 0x4000);
    hart_fence_ask_pages(h, &all);
    hart_serve_fences(h);
    assert_false(is_entered(h, 0x4000));
    hart_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_in_order_of_priority),
        cmocka_unit_test(delegated_ones_wait_for_their_mode),
        cmocka_unit_test(supervisor_sees_its_part),
        cmocka_unit_test(seip_is_wire_or_register),
        cmocka_unit_test(stimer_follows_the_clock),
        cmocka_unit_test(no_wake_up_is_lost),
        cmocka_unit_test(two_harts_can_fence_each_other),
        cmocka_unit_test(a_sleeping_hart_fences_when_it_wakes),
        cmocka_unit_test(fences_of_pages_leave_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
