/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * For tests that give programs the addresses they would have: cmocka_run_group_tests, and all are
 * skipped under the race detector, which has these addresses for itself.
 */
#ifndef TESTS_UNIT_OWN_ADDRESSES_H
#define TESTS_UNIT_OWN_ADDRESSES_H

#if defined(__SANITIZE_THREAD__)
static void addresses_are_taken(void **state)
{
    (void)state;
    skip();
}

#define run_group_at_own_addresses(tests) \
    ({ \
        const struct CMUnitTest none_[] = {cmocka_unit_test(addresses_are_taken)}; \
        (void)(tests); \
        cmocka_run_group_tests(none_, NULL, NULL); \
    })
#else
#define run_group_at_own_addresses(tests) cmocka_run_group_tests(tests, NULL, NULL)
#endif

#endif
