/* SPDX-License-Identifier: GPL-3.0-only */
/* Interrupt files and the CSRs of Smaia and Ssaia (Advanced Interrupt Architecture 1.0). */
#include "lone_hart.h"

#include "cpu/csr_regs.h"
#include <sched.h>
#include <stdio.h>

enum { EIDELIVERY = 0x70, EITHRESHOLD = 0x72, EIP = 0x80, EIE = 0xc0 };

static struct hart *aia_hart(const char *cpu)
{
    char option[64];
    snprintf(option, sizeof(option), "%s,smaia=on,ssaia=on", cpu);
    return lone_hart(option);
}

static void put_ireg(struct hart *h, unsigned ireg, unsigned select, uint64_t value)
{
    put(h, ireg == CSR_MIREG ? CSR_MISELECT : CSR_SISELECT, select);
    assert_int_not_equal(put(h, ireg, value), CSR_ILLEGAL);
}

static uint64_t get_ireg(struct hart *h, unsigned ireg, unsigned select)
{
    put(h, ireg == CSR_MIREG ? CSR_MISELECT : CSR_SISELECT, select);
    return get(h, ireg);
}

/* csrrw rd, xtopei, zero */
static uint64_t claim(struct hart *h, unsigned csr)
{
    uint64_t old = 0;
    assert_int_not_equal(csr_access(h, csr, CSR_WRITE, 0, true, true, &old), CSR_ILLEGAL);
    return old;
}

static uint64_t topei(unsigned identity)
{
    return (uint64_t)identity << 16 | identity;
}

static const unsigned all_csrs[] = {
    CSR_SISELECT, CSR_STOPEI, CSR_STOPI, CSR_MVIEN, CSR_MVIP, CSR_MISELECT, CSR_MTOPEI, CSR_MTOPI,
};
static const unsigned high_csrs[] = {
    CSR_SIEH, CSR_SIPH, CSR_MIDELEGH, CSR_MIEH, CSR_MVIENH, CSR_MVIPH, CSR_MIPH,
};

static void registers_are_there_only_with_the_extensions(void **state)
{
    (void)state;
    struct hart *plain = lone_hart("rv64"), *rv64 = aia_hart("rv64"), *rv32 = aia_hart("rv32");
    for (size_t i = 0; i < sizeof(all_csrs) / sizeof(*all_csrs); i++) {
        assert_false(readable(plain, all_csrs[i]));
        assert_true(readable(rv64, all_csrs[i]));
        assert_true(readable(rv32, all_csrs[i]));
    }
    for (size_t i = 0; i < sizeof(high_csrs) / sizeof(*high_csrs); i++) {
        assert_false(readable(rv64, high_csrs[i]));
        assert_int_equal(swap_in(rv32, high_csrs[i], UINT32_MAX), 0);
    }
    rv64->priv = PRIV_S;
    assert_true(readable(rv64, CSR_STOPEI));
    assert_false(readable(rv64, CSR_MTOPEI));
    rv64->priv = PRIV_U;
    assert_false(readable(rv64, CSR_STOPI));
    hart_free(plain);
    hart_free(rv64);
    hart_free(rv32);
}

static void numbers_that_select_nothing_make_the_window_illegal(void **state)
{
    (void)state;
    struct hart *rv64 = aia_hart("rv64"), *rv32 = aia_hart("rv32");
    for (unsigned select = 0; select < 0x200; select++) {
        bool array = (select >= 0x30 && select < 0x40) || (select >= 0x80 && select < 0x100);
        bool single = select >= 0x70 && select < 0x80;
        assert_int_equal(swap_in(rv64, CSR_MISELECT, select), select);
        assert_int_equal(swap_in(rv32, CSR_SISELECT, select), select);
        assert_int_equal(readable(rv64, CSR_MIREG), single || (array && !(select & 1)));
        assert_int_equal(readable(rv32, CSR_SIREG), single || array);
    }
    /* those that hold nothing */
    static const unsigned zeros[] = {0x30, 0x3e, 0x71, 0x73, 0x7f, 0x88, 0xbe, 0xc8, 0xfe};
    for (size_t i = 0; i < sizeof(zeros) / sizeof(*zeros); i++) {
        put_ireg(rv64, CSR_SIREG, zeros[i], UINT64_MAX);
        assert_int_equal(get_ireg(rv64, CSR_SIREG, zeros[i]), 0);
    }
    hart_free(rv64);
    hart_free(rv32);
}

static void arrays_have_a_bit_for_each_identity(void **state)
{
    (void)state;
    struct hart *rv64 = aia_hart("rv64"), *rv32 = aia_hart("rv32");
    for (unsigned array = EIP; array <= EIE; array += EIE - EIP) {
        for (unsigned i = 0; i < 8; i += 2) {
            put_ireg(rv64, CSR_SIREG, array + i, UINT64_MAX);
            assert_true(get_ireg(rv64, CSR_SIREG, array + i) == (i ? UINT64_MAX : ~UINT64_C(1)));
            assert_int_equal(get_ireg(rv64, CSR_MIREG, array + i), 0);
        }
        put_ireg(rv32, CSR_MIREG, array + 7, 0x80000001);
        put_ireg(rv32, CSR_MIREG, array + 6, 0x12345678);
        assert_int_equal((uint32_t)get_ireg(rv32, CSR_MIREG, array + 7), 0x80000001);
        assert_int_equal(get_ireg(rv32, CSR_MIREG, array + 6), 0x12345678);
        put_ireg(rv32, CSR_MIREG, array, UINT32_MAX);
        assert_int_equal((uint32_t)get_ireg(rv32, CSR_MIREG, array), UINT32_MAX - 1);
    }
    /* csrs and csrc */
    uint64_t old;
    put_ireg(rv64, CSR_SIREG, EIP + 2, 0xf0);
    csr_access(rv64, CSR_SIREG, CSR_SET, 0x0f, true, true, &old);
    assert_int_equal(old, 0xf0);
    csr_access(rv64, CSR_SIREG, CSR_CLEAR, 0x81, true, true, &old);
    assert_int_equal(old, 0xff);
    assert_int_equal(get(rv64, CSR_SIREG), 0x7e);
    put_ireg(rv64, CSR_SIREG, EIE + 2, 0xf0);
    csr_access(rv64, CSR_SIREG, CSR_SET, 0x0f, false, true, &old);
    csr_access(rv64, CSR_SIREG, CSR_CLEAR, 0x81, false, true, &old);
    assert_int_equal(get(rv64, CSR_SIREG), 0x7e);
    hart_free(rv64);
    hart_free(rv32);
}

static void the_lowest_enabled_identity_goes_first(void **state)
{
    (void)state;
    struct hart *h = aia_hart("rv64");
    hart_message(h, IMSIC_S, 0); /* none of these is there */
    hart_message(h, IMSIC_S, 256);
    hart_message(h, IMSIC_S, UINT32_MAX);
    for (unsigned i = 0; i < 8; i += 2)
        assert_int_equal(get_ireg(h, CSR_SIREG, EIP + i), 0);
    hart_message(h, IMSIC_S, 255);
    hart_message(h, IMSIC_S, 64);
    hart_message(h, IMSIC_S, 3);
    hart_message(h, IMSIC_M, 1);
    assert_int_equal(get(h, CSR_STOPEI), 0); /* not enabled */
    put_ireg(h, CSR_SIREG, EIE + 6, 1ull << 63);
    assert_int_equal(get(h, CSR_STOPEI), topei(255));
    put_ireg(h, CSR_SIREG, EIE + 2, 1);
    assert_int_equal(get(h, CSR_STOPEI), topei(64));
    put_ireg(h, CSR_SIREG, EITHRESHOLD, 64);
    assert_int_equal(get(h, CSR_STOPEI), 0);
    put_ireg(h, CSR_SIREG, EITHRESHOLD, 65);
    assert_int_equal(claim(h, CSR_STOPEI), topei(64));
    assert_int_equal(claim(h, CSR_STOPEI), 0); /* 255 is beyond the threshold */
    put_ireg(h, CSR_SIREG, EITHRESHOLD, 0);
    assert_int_equal(claim(h, CSR_STOPEI), topei(255));
    assert_int_equal(claim(h, CSR_STOPEI), 0);
    assert_int_equal(get_ireg(h, CSR_SIREG, EIP), 1 << 3);
    assert_int_equal(get_ireg(h, CSR_MIREG, EIP), 1 << 1);
    hart_free(h);
}

static void a_claim_takes_what_was_read_and_not_what_came_since(void **state)
{
    (void)state;
    struct hart *h = aia_hart("rv64");
    put_ireg(h, CSR_SIREG, EIE, UINT64_MAX);
    hart_message(h, IMSIC_S, 9);
    assert_int_equal(csr_read_topei(h, CSR_STOPEI), topei(9));
    hart_message(h, IMSIC_S, 2);
    csr_write_topei(h, CSR_STOPEI, 0);
    assert_int_equal(get(h, CSR_STOPEI), topei(2));
    claim(h, CSR_STOPEI);
    assert_int_equal(get(h, CSR_STOPEI), 0);
    hart_free(h);
}

static void delivery_says_whether_the_file_or_the_wire_counts(void **state)
{
    (void)state;
    struct hart *h = aia_hart("rv64");
    put_ireg(h, CSR_SIREG, EIE, UINT64_MAX);
    hart_message(h, IMSIC_S, 5);
    assert_int_equal(get_ireg(h, CSR_SIREG, EIDELIVERY), 0x40000000);
    assert_int_equal(get(h, CSR_MIP), 0);
    hart_set_irq(h, IRQ_BIT(SEI) | IRQ_BIT(MEI) | IRQ_BIT(MTI), true);
    assert_int_equal(get(h, CSR_MIP), IRQ_BIT(SEI) | IRQ_BIT(MEI) | IRQ_BIT(MTI));
    put_ireg(h, CSR_SIREG, EIDELIVERY, 0);
    assert_int_equal(get(h, CSR_MIP), IRQ_BIT(MEI) | IRQ_BIT(MTI));
    put_ireg(h, CSR_SIREG, EIDELIVERY, 1);
    put_ireg(h, CSR_MIREG, EIDELIVERY, 1);
    assert_int_equal(get(h, CSR_MIP), IRQ_BIT(SEI) | IRQ_BIT(MTI));
    put_ireg(h, CSR_SIREG, EIDELIVERY, 2); /* no such value */
    assert_int_equal(get_ireg(h, CSR_SIREG, EIDELIVERY), 1);
    claim(h, CSR_STOPEI);
    assert_int_equal(get(h, CSR_MIP), IRQ_BIT(MTI));
    /* software's SEIP stands beside it */
    put(h, CSR_MIP, IRQ_BIT(SEI));
    assert_int_equal(get(h, CSR_MIP), IRQ_BIT(SEI) | IRQ_BIT(MTI));
    hart_free(h);
}

static void a_message_is_an_interrupt(void **state)
{
    (void)state;
    struct hart *h = aia_hart("rv64");
    put(h, CSR_MIDELEG, IRQ_BIT(SEI));
    put(h, CSR_MIE, IRQ_BIT(SEI));
    put(h, CSR_STVEC, 0x4000);
    put_ireg(h, CSR_SIREG, EIDELIVERY, 1);
    put_ireg(h, CSR_SIREG, EIE, 1 << 7);
    h->priv = PRIV_U;
    atomic_store(&h->events, 0);
    hart_message(h, IMSIC_S, 8);
    assert_false(hart_take_interrupt(h)); /* not enabled */
    hart_message(h, IMSIC_S, 7);
    assert_true(atomic_load(&h->events) & HART_EV_IRQ);
    assert_true(hart_take_interrupt(h));
    assert_int_equal(h->csr.scause, 1ull << 63 | IRQ_SEI);
    assert_int_equal(h->priv, PRIV_S);
    assert_int_equal(claim(h, CSR_STOPEI), topei(7));
    assert_false(hart_irq_pending(h));
    /* enabling what is pending is an interrupt too */
    put(h, CSR_SSTATUS, MSTATUS_SIE);
    put(h, CSR_SISELECT, EIE);
    assert_int_equal(put(h, CSR_SIREG, 1 << 8), CSR_RESYNC);
    assert_true(hart_take_interrupt(h));
    hart_free(h);
}

static void topi_is_the_major_interrupt_that_goes_first(void **state)
{
    (void)state;
    struct hart *h = aia_hart("rv64");
    put(h, CSR_MIE, UINT64_MAX);
    put(h, CSR_MIDELEG, IRQ_BIT(SSI) | IRQ_BIT(STI) | IRQ_BIT(SEI));
    assert_int_equal(get(h, CSR_MTOPI), 0);
    hart_set_irq(h, IRQ_BIT(MTI), true);
    hart_raise_soft(h, IRQ_BIT(SSI) | IRQ_BIT(STI) | IRQ_BIT(LCOFI));
    assert_int_equal(get(h, CSR_MTOPI), IRQ_MTI << 16 | 1);
    assert_int_equal(get(h, CSR_STOPI), IRQ_SSI << 16 | 1);
    hart_set_irq(h, IRQ_BIT(SEI) | IRQ_BIT(MSI), true);
    assert_int_equal(get(h, CSR_MTOPI), IRQ_MSI << 16 | 1);
    assert_int_equal(get(h, CSR_STOPI), IRQ_SEI << 16 | 1);
    put(h, CSR_MIE, IRQ_BIT(LCOFI));
    assert_int_equal(get(h, CSR_MTOPI), IRQ_LCOFI << 16 | 1);
    assert_int_equal(get(h, CSR_STOPI), 0);
    hart_free(h);
}

static void mvip_is_another_way_to_bits_of_mip(void **state)
{
    (void)state;
    struct hart *h = aia_hart("rv64");
    assert_int_equal(swap_in(h, CSR_MVIEN, UINT64_MAX), 0);
    assert_int_equal(swap_in(h, CSR_MVIP, UINT64_MAX), IRQ_BIT(SSI) | IRQ_BIT(STI) | IRQ_BIT(SEI));
    assert_int_equal(get(h, CSR_MIP), IRQ_BIT(SSI) | IRQ_BIT(STI) | IRQ_BIT(SEI));
    put(h, CSR_MIP, 0);
    hart_set_irq(h, IRQ_BIT(SEI), true);
    assert_int_equal(get(h, CSR_MVIP), 0); /* the wire is not software's */
    put(h, CSR_MENVCFG, MENVCFG_STCE);
    assert_int_equal(swap_in(h, CSR_MVIP, UINT64_MAX), IRQ_BIT(SSI) | IRQ_BIT(SEI));
    hart_free(h);
}

static void reset_empties_the_files(void **state)
{
    (void)state;
    struct hart *h = aia_hart("rv64");
    put_ireg(h, CSR_SIREG, EIE, UINT64_MAX);
    put_ireg(h, CSR_SIREG, EIDELIVERY, 1);
    put_ireg(h, CSR_SIREG, EITHRESHOLD, 100);
    hart_message(h, IMSIC_S, 5);
    hart_reset(h, 0x80000000, 0, 0);
    assert_int_equal(get(h, CSR_SISELECT), 0);
    assert_int_equal(get_ireg(h, CSR_SIREG, EIE), 0);
    assert_int_equal(get_ireg(h, CSR_SIREG, EIP), 0);
    assert_int_equal(get_ireg(h, CSR_SIREG, EITHRESHOLD), 0);
    assert_int_equal(get_ireg(h, CSR_SIREG, EIDELIVERY), 0x40000000);
    hart_free(h);
}

#define SENDERS 2
#define MESSAGES 20000

struct sender {
    struct hart *h;
    unsigned first; /* its identities: this one and those SENDERS apart */
    _Atomic unsigned claimed;
};

/* One at a time, each when the last one was claimed: a lost message is a wait without end. */
static void *sends(void *arg)
{
    struct sender *s = arg;
    for (unsigned i = 0; i < MESSAGES; i++) {
        hart_message(s->h, IMSIC_S, s->first + i * SENDERS % 250);
        while (atomic_load(&s->claimed) == i)
            sched_yield();
    }
    return NULL;
}

static void no_message_of_another_thread_is_lost(void **state)
{
    (void)state;
    struct hart *h = aia_hart("rv64");
    struct sender senders[SENDERS] = {{h, 1, 0}, {h, 2, 0}};
    pthread_t threads[SENDERS];
    unsigned left = SENDERS * MESSAGES;
    for (unsigned i = 0; i < 8; i += 2)
        put_ireg(h, CSR_SIREG, EIE + i, UINT64_MAX);
    put_ireg(h, CSR_SIREG, EIDELIVERY, 1);
    put(h, CSR_MIE, IRQ_BIT(SEI));
    for (unsigned i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sends, &senders[i]), 0);
    put(h, CSR_SISELECT, EIP);
    while (left) {
        hart_wait(h); /* sleeps until one is pending */
        uint64_t old, identity = claim(h, CSR_STOPEI) >> 16;
        csr_access(h, CSR_SIREG, CSR_SET, 0, true, true, &old); /* changes nothing */
        if (!identity)
            continue;
        atomic_fetch_add(&senders[(identity - 1) % SENDERS].claimed, 1);
        left--;
    }
    for (unsigned i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    assert_false(hart_irq_pending(h));
    hart_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_are_there_only_with_the_extensions),
        cmocka_unit_test(numbers_that_select_nothing_make_the_window_illegal),
        cmocka_unit_test(arrays_have_a_bit_for_each_identity),
        cmocka_unit_test(the_lowest_enabled_identity_goes_first),
        cmocka_unit_test(a_claim_takes_what_was_read_and_not_what_came_since),
        cmocka_unit_test(delivery_says_whether_the_file_or_the_wire_counts),
        cmocka_unit_test(a_message_is_an_interrupt),
        cmocka_unit_test(topi_is_the_major_interrupt_that_goes_first),
        cmocka_unit_test(mvip_is_another_way_to_bits_of_mip),
        cmocka_unit_test(reset_empties_the_files),
        cmocka_unit_test(no_message_of_another_thread_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
