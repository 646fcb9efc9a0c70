/* SPDX-License-Identifier: GPL-3.0-only */
/* Fragments of IPv4 (src/net/reassembly.h). Again: tools/run-tests unit/net_reassembly_test */
#include "net/reassembly.h"
#include "net_frames.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define PAYLOAD_MAX 65515

static uint8_t payload[PAYLOAD_MAX + 100], frame[70000];

/* A fragment with bytes of `payload`. */
static const uint8_t *add(struct reassembly *r, unsigned id, unsigned begin, unsigned size,
                          bool more, uint64_t now, size_t *whole)
{
    uint8_t *ip = frame + 14;
    memset(frame, 0, 34);
    put_be16(frame + 12, ETHER_TYPE_IPV4);
    ip[0] = 0x45;
    put_be16(ip + IPV4_LENGTH, (uint16_t)(20 + size));
    put_be16(ip + IPV4_ID, (uint16_t)id);
    put_be16(ip + IPV4_FRAGMENT, (uint16_t)(begin / 8 | (more ? 0x2000 : 0)));
    ip[IPV4_PROTOCOL] = PROTOCOL_UDP;
    put_be16(ip + IPV4_CHECKSUM, (uint16_t)~plain_sum(0, ip, 20));
    memcpy(frame + 34, payload + begin, size);
    assert_true(reassembly_is_fragment(frame, 34 + size));
    return reassembly_add(r, frame, 34 + size, now, whole);
}

static void check_whole(const uint8_t *got, const size_t *size_at, unsigned size)
{
    assert_non_null(got);
    size_t got_size = *size_at; /* written by what made got, whichever argument came first */
    assert_int_equal(got_size, 34 + size);
    assert_int_equal(get_be16(got + 14 + IPV4_LENGTH), 20 + size);
    assert_false(reassembly_is_fragment(got, got_size));
    assert_int_equal(plain_sum(0, got + 14, 20), 0xffff);
    assert_memory_equal(got + 34, payload, size);
}

static void fragments_in_any_order_make_the_datagram(void **state)
{
    (void)state;
    struct reassembly *r = reassembly_new();
    unsigned seed = 3;
    for (unsigned i = 0; i < PAYLOAD_MAX; i++)
        payload[i] = (uint8_t)(i * 11 + i / 255);
    for (unsigned round = 0; round < 300; round++) {
        seed = seed * 1103515245 + 12345;
        unsigned size = round % 10 ? 9 + (seed >> 8) % 60000 : PAYLOAD_MAX;
        unsigned piece = 8 * (1 + (seed >> 4) % 200), count = (size + piece - 1) / piece, left;
        if (count < 2)
            continue;
        unsigned *order = malloc(count * sizeof(*order));
        for (unsigned i = 0; i < count; i++)
            order[i] = i;
        for (left = count; left; left--) {
            seed = seed * 1103515245 + 12345;
            unsigned pick = (seed >> 8) % left, which = order[pick];
            order[pick] = order[left - 1];
            bool last = which == count - 1;
            size_t whole;
            const uint8_t *got =
                add(r, round, which * piece, last ? size - which * piece : piece, !last, 1, &whole);
            if (left > 1)
                assert_null(got);
            else
                check_whole(got, &whole, size);
        }
        free(order);
    }
    reassembly_free(r);
}

static void fragments_that_overlap_end_the_datagram(void **state)
{
    (void)state;
    struct reassembly *r = reassembly_new();
    size_t whole;
    assert_null(add(r, 1, 0, 16, true, 1, &whole));
    assert_null(add(r, 1, 8, 8, true, 1, &whole)); /* all of it is forgotten */
    assert_null(add(r, 1, 16, 8, false, 1, &whole));
    assert_null(add(r, 1, 8, 8, true, 1, &whole));
    check_whole(add(r, 1, 0, 8, true, 1, &whole), &whole, 24);
    reassembly_free(r);
}

static void what_no_sender_makes_is_dropped(void **state)
{
    (void)state;
    struct reassembly *r = reassembly_new();
    size_t whole;
    assert_null(add(r, 1, 0, 0, true, 1, &whole));
    assert_null(add(r, 1, 0, 12, true, 1, &whole));     /* no multiple of 8 */
    assert_null(add(r, 1, 65528, 8, false, 1, &whole)); /* beyond the largest */
    assert_null(add(r, 2, 16, 8, false, 1, &whole));    /* the end, */
    assert_null(add(r, 2, 24, 8, true, 1, &whole));     /* and something behind it */
    assert_null(add(r, 3, 24, 8, true, 1, &whole));
    assert_null(add(r, 3, 16, 8, false, 1, &whole));
    assert_null(add(r, 4, 0, 8, true, 1, &whole));
    frame[24] ^= 1; /* a wrong checksum: as if it had not come */
    assert_null(reassembly_add(r, frame, 42, 1, &whole));
    check_whole(add(r, 4, 8, 3, false, 1, &whole), &whole, 11);
    reassembly_free(r);
}

static void what_is_old_gives_way(void **state)
{
    (void)state;
    struct reassembly *r = reassembly_new();
    size_t whole;
    for (unsigned id = 0; id <= REASSEMBLY_DATAGRAMS; id++)
        assert_null(add(r, id, 0, 8, true, 1 + id, &whole));
    check_whole(add(r, 1, 8, 8, false, 100, &whole), &whole, 16);
    assert_null(add(r, 0, 8, 8, false, 100, &whole)); /* the first has gone */
    assert_null(add(r, 2, 8, 8, false, REASSEMBLY_NS + 3, &whole));
    check_whole(add(r, 3, 8, 8, false, REASSEMBLY_NS + 3, &whole), &whole, 16);
    reassembly_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments_in_any_order_make_the_datagram),
        cmocka_unit_test(fragments_that_overlap_end_the_datagram),
        cmocka_unit_test(what_no_sender_makes_is_dropped),
        cmocka_unit_test(what_is_old_gives_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
