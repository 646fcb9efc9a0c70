/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Byte rings (src/base/ring.h), compared with a plain queue. Again: tools/run-tests unit/ring_test
 */
#include "base/ring.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SIZE 13

static void takes_no_more_than_it_has_room_for(void **state)
{
    (void)state;
    struct ring r;
    uint8_t bytes[SIZE + 1];
    assert_true(ring_init(&r, SIZE));
    assert_int_equal(ring_get(&r, bytes, sizeof(bytes)), 0);
    memset(bytes, 7, sizeof(bytes));
    assert_int_equal(ring_put(&r, bytes, SIZE + 1), SIZE);
    assert_int_equal(ring_put(&r, bytes, 1), 0);
    assert_int_equal(ring_room(&r), 0);
    assert_int_equal(ring_get(&r, bytes, sizeof(bytes)), SIZE);
    assert_int_equal(ring_room(&r), SIZE);
    ring_free(&r);
}

/* Numbers go in and come out in order, whatever the sizes of the moves. */
static void keeps_the_order_over_the_edge(void **state)
{
    (void)state;
    struct ring r;
    uint8_t next_in = 0, next_out = 0, bytes[SIZE];
    unsigned held = 0, seed = 1;
    assert_true(ring_init(&r, SIZE));
    for (unsigned round = 0; round < 20000; round++) {
        seed = seed * 1103515245 + 12345;
        size_t n = (seed >> 16) % (SIZE + 1), part;
        if (seed & (1u << 30)) {
            for (size_t i = 0; i < n; i++)
                bytes[i] = (uint8_t)(next_in + i);
            size_t put = ring_put(&r, bytes, n);
            assert_int_equal(put, n < SIZE - held ? n : SIZE - held);
            next_in += (uint8_t)put;
            held += (unsigned)put;
        } else if (seed & (1u << 29)) {
            size_t got = ring_get(&r, bytes, n);
            assert_int_equal(got, n < held ? n : held);
            for (size_t i = 0; i < got; i++)
                assert_int_equal(bytes[i], next_out++);
            held -= (unsigned)got;
        } else {
            const uint8_t *oldest = ring_peek(&r, &part);
            assert_true(part <= held && (part > 0) == (held > 0));
            for (size_t i = 0; i < part; i++)
                assert_int_equal(oldest[i], next_out++);
            ring_drop(&r, part);
            held -= (unsigned)part;
        }
        assert_int_equal(r.count, held);
    }
    ring_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_no_more_than_it_has_room_for),
        cmocka_unit_test(keeps_the_order_over_the_edge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
