/* SPDX-License-Identifier: GPL-3.0-only */
/* Physical memory protection: matching, priority, locks, and the truth table of Smepmp. */
#include "lone_hart.h"

#define BASE 0x80000000ull
#define R ACCESS_READ
#define W ACCESS_WRITE
#define X ACCESS_FETCH

static uint64_t napot(uint64_t base, uint64_t size)
{
    return base >> 2 | (size / 8 - 1);
}

static unsigned allowed(struct hart *h, uint64_t paddr, unsigned priv)
{
    unsigned result = 0;
    for (unsigned access = 1; access <= X; access <<= 1)
        if (pmp_check(h, paddr, 4, access, priv))
            result |= access;
    return result;
}

static void set_entry(struct hart *h, unsigned i, uint8_t cfg, uint64_t addr)
{
    put(h, CSR_PMPADDR0 + i, addr);
    unsigned shift = i % 8 * 8;
    uint64_t value = get(h, CSR_PMPCFG0 + i / 8 * 2) & ~(0xffull << shift);
    put(h, CSR_PMPCFG0 + i / 8 * 2, value | (uint64_t)cfg << shift);
}

static void without_entries_only_machine_mode_passes(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");
    assert_int_equal(allowed(h, BASE, PRIV_M), R | W | X);
    assert_int_equal(allowed(h, BASE, PRIV_S), 0);
    assert_int_equal(allowed(h, BASE, PRIV_U), 0);
    assert_int_equal(pmp_page_access(h, BASE, PRIV_M), R | W | X);
    assert_int_equal(pmp_page_access(h, BASE, PRIV_S), 0);
    hart_free(h);
}

static void ranges_match_to_the_byte(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");

    set_entry(h, 0, PMP_A_NA4 | PMP_R, BASE >> 2);
    assert_true(pmp_check(h, BASE, 4, R, PRIV_S));
    assert_false(pmp_check(h, BASE + 4, 4, R, PRIV_S));
    assert_false(pmp_check(h, BASE, 8, R, PRIV_S)); /* matches a part only */
    assert_false(pmp_check(h, BASE, 8, R, PRIV_M));
    assert_false(pmp_check(h, BASE, 4, W, PRIV_S));

    set_entry(h, 0, 0, 0);
    set_entry(h, 1, PMP_A_TOR | PMP_R | PMP_W, (BASE + 0x100) >> 2); /* from pmpaddr0 = 0 */
    assert_true(pmp_check(h, 0, 8, W, PRIV_U));
    assert_true(pmp_check(h, BASE + 0xf8, 8, W, PRIV_U));
    assert_false(pmp_check(h, BASE + 0xfc, 8, W, PRIV_U));
    put(h, CSR_PMPADDR0, BASE >> 2); /* moves the lower end of the TOR entry */
    assert_false(pmp_check(h, BASE - 4, 4, R, PRIV_U));
    assert_true(pmp_check(h, BASE, 4, R, PRIV_U));
    put(h, CSR_PMPADDR0, (BASE + 0x200) >> 2); /* empty: matches nothing */
    assert_false(pmp_check(h, BASE, 4, R, PRIV_U));

    set_entry(h, 2, PMP_A_NAPOT | PMP_R | PMP_W | PMP_X, UINT64_MAX); /* everything */
    assert_true(pmp_check(h, 0, 1, X, PRIV_U));
    assert_true(pmp_check(h, (1ull << 56) - 8, 8, W, PRIV_U));
    assert_int_equal(get(h, CSR_PMPADDR0 + 2), (1ull << 54) - 1);
    assert_false(pmp_check(h, UINT64_MAX - 3, 8, R, PRIV_M)); /* wraps */
    hart_free(h);
}

static void the_first_entry_wins(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");

    set_entry(h, 9, PMP_A_NAPOT | PMP_R | PMP_W | PMP_X, UINT64_MAX);
    set_entry(h, 3, PMP_A_NAPOT | PMP_R, napot(BASE + 0x2000, 0x1000));
    set_entry(h, 1, PMP_A_NAPOT | PMP_X, napot(BASE + 0x5000, 8));
    assert_int_equal(allowed(h, BASE + 0x1000, PRIV_S), R | W | X);
    assert_int_equal(allowed(h, BASE + 0x2000, PRIV_S), R);
    assert_int_equal(allowed(h, BASE + 0x5004, PRIV_S), X);
    assert_int_equal(allowed(h, BASE + 0x5008, PRIV_S), R | W | X);
    assert_int_equal(allowed(h, BASE + 0x5000, PRIV_M), R | W | X); /* not locked */
    assert_int_equal(pmp_page_access(h, BASE + 0x1000, PRIV_S), R | W | X);
    assert_int_equal(pmp_page_access(h, BASE + 0x2000, PRIV_U), R);
    assert_int_equal(pmp_page_access(h, BASE + 0x5000, PRIV_S), PMP_MIXED);
    hart_free(h);
}

static void locked_entries_hold(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");

    set_entry(h, 1, PMP_A_TOR | PMP_R | PMP_L, (BASE + 0x1000) >> 2);
    assert_int_equal(allowed(h, BASE, PRIV_M), R);
    set_entry(h, 1, 0, 0);
    assert_int_equal(get(h, CSR_PMPCFG0), (uint64_t)(PMP_A_TOR | PMP_R | PMP_L) << 8);
    assert_int_equal(get(h, CSR_PMPADDR0 + 1), (BASE + 0x1000) >> 2);
    assert_int_equal(swap_in(h, CSR_PMPADDR0, 1), 0); /* lower end of a locked TOR */

    /* Locked entries keep RLB out. */
    assert_int_equal(swap_in(h, CSR_MSECCFG, MSECCFG_RLB), 0);
    hart_reset(h, BASE, 0, 0);
    assert_int_equal(get(h, CSR_PMPCFG0), 0);
    assert_int_equal(swap_in(h, CSR_MSECCFG, MSECCFG_RLB), MSECCFG_RLB);
    set_entry(h, 1, PMP_A_TOR | PMP_R | PMP_L, (BASE + 0x1000) >> 2);
    set_entry(h, 1, PMP_A_TOR | PMP_X | PMP_L, (BASE + 0x2000) >> 2);
    assert_int_equal(allowed(h, BASE + 0x1000, PRIV_M), X);
    assert_int_equal(swap_in(h, CSR_MSECCFG, 0), 0);
    assert_int_equal(swap_in(h, CSR_MSECCFG, MSECCFG_RLB), 0);
    hart_free(h);
}

static void values_are_legalised(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");

    assert_int_equal(swap_in(h, CSR_PMPCFG0, 0x7f), PMP_A_NAPOT | PMP_R | PMP_W | PMP_X);
    assert_int_equal(swap_in(h, CSR_PMPCFG0, PMP_W | PMP_X), PMP_X);
    assert_int_equal(put(h, CSR_PMPCFG0 + 1, 0), CSR_ILLEGAL);
    assert_int_equal(swap_in(h, CSR_PMPCFG0 + 4, UINT64_MAX), 0); /* no such entries */
    assert_int_equal(swap_in(h, CSR_PMPADDR0 + 63, UINT64_MAX), 0);
    hart_free(h);

    h = lone_hart("rv32");
    assert_int_equal(put(h, CSR_PMPCFG0 + 3, 0x1f000000), CSR_RESYNC);
    assert_int_equal(pmp_read_cfg(h, 15), 0x1f);
    assert_int_equal(swap_in(h, CSR_PMPADDR0 + 15, UINT64_MAX), UINT64_MAX); /* sign-extended */
    assert_true(pmp_check(h, (1ull << 34) - 4, 4, W, PRIV_U));
    hart_free(h);
}

/* Smepmp, "Physical Memory Protection": each encoding of L R W X under MML. */
static void smepmp_truth_table(void **state)
{
    (void)state;
    static const struct {
        uint8_t cfg;
        unsigned machine, lower;
    } rules[] = {
        {0, 0, 0},
        {PMP_X, 0, X},
        {PMP_W, R | W, R},
        {PMP_W | PMP_X, R | W, R | W},
        {PMP_R, 0, R},
        {PMP_R | PMP_X, 0, R | X},
        {PMP_R | PMP_W, 0, R | W},
        {PMP_R | PMP_W | PMP_X, 0, R | W | X},
        {PMP_L, 0, 0},
        {PMP_L | PMP_X, X, 0},
        {PMP_L | PMP_W, X, X},
        {PMP_L | PMP_W | PMP_X, R | X, X},
        {PMP_L | PMP_R, R, 0},
        {PMP_L | PMP_R | PMP_X, R | X, 0},
        {PMP_L | PMP_R | PMP_W, R | W, 0},
        {PMP_L | PMP_R | PMP_W | PMP_X, R, R},
    };

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct hart *h = lone_hart("rv64");
        put(h, CSR_MSECCFG, MSECCFG_MML | MSECCFG_RLB);
        set_entry(h, 0, rules[i].cfg | PMP_A_NAPOT, napot(BASE, 0x1000));
        assert_int_equal(allowed(h, BASE, PRIV_M), rules[i].machine);
        assert_int_equal(allowed(h, BASE, PRIV_S), rules[i].lower);
        assert_int_equal(allowed(h, BASE, PRIV_U), rules[i].lower);
        assert_int_equal(allowed(h, BASE + 0x1000, PRIV_M), R | W);
        assert_int_equal(allowed(h, BASE + 0x1000, PRIV_S), 0);
        hart_free(h);
    }
}

static void smepmp_bits_are_sticky(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");

    assert_int_equal(put(h, CSR_MSECCFG, MSECCFG_MMWP), CSR_RESYNC);
    assert_int_equal(allowed(h, BASE, PRIV_M), 0);
    assert_int_equal(swap_in(h, CSR_MSECCFG, MSECCFG_MML), MSECCFG_MMWP | MSECCFG_MML);
    assert_int_equal(swap_in(h, CSR_MSECCFG, 0), MSECCFG_MMWP | MSECCFG_MML);

    /* Without RLB no new code for M-mode. */
    set_entry(h, 0, PMP_L | PMP_R | PMP_X | PMP_A_NAPOT, napot(BASE, 0x1000));
    set_entry(h, 1, PMP_L | PMP_W | PMP_A_NAPOT, napot(BASE, 0x1000));
    assert_int_equal(get(h, CSR_PMPCFG0), 0);
    set_entry(h, 1, PMP_L | PMP_R | PMP_A_NAPOT, napot(BASE, 0x1000));
    assert_int_equal(allowed(h, BASE, PRIV_M), R);
    hart_free(h);

    h = lone_hart("rv64,smepmp=off,zkr=off");
    assert_false(readable(h, CSR_MSECCFG));
    hart_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_entries_only_machine_mode_passes),
        cmocka_unit_test(ranges_match_to_the_byte),
        cmocka_unit_test(the_first_entry_wins),
        cmocka_unit_test(locked_entries_hold),
        cmocka_unit_test(values_are_legalised),
        cmocka_unit_test(smepmp_truth_table),
        cmocka_unit_test(smepmp_bits_are_sticky),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
