/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Networks, cards and forwards as a user writes them. What is refused is in tests/cli/bad_input.test.
 * Again: tools/run-tests unit/net_options_test
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dev/net_card.h"
#include "net/forward.h"
#include "net/options.h"
#include <string.h>

static struct net_options parsed(const char *text)
{
    struct net_options options;
    struct error err = {0};
    if (!net_options_parse(&options, text, &err))
        print_error("%s\n", err.text);
    assert_string_equal(err.text, "");
    return options;
}

static void nothing_is_user_mode_with_the_usual_addresses(void **state)
{
    (void)state;
    struct net_options o = parsed("");
    assert_int_equal(o.kind, NET_KIND_USER);
    assert_int_equal(ntohl(o.user.net.s_addr), 0x0a000200);
    assert_int_equal(ntohl(o.user.mask.s_addr), 0xffffff00);
    assert_int_equal(ntohl(o.user.host.s_addr), 0x0a000202);
    assert_int_equal(ntohl(o.user.dns.s_addr), 0x0a000203);
    assert_int_equal(ntohl(o.user.dhcp.s_addr), 0x0a00020f);
    assert_int_equal(o.user.net6.s6_addr[0], 0xfe);
    assert_false(o.link_down || o.user.restricted || o.user.no_ipv6 || o.mtu || o.dump);
    net_options_free(&o);
}

static void words_of_user_mode(void **state)
{
    (void)state;
    struct net_options o =
        parsed("user,net=192.168.7.0/27,dns=192.168.7.5,restrict=on,ipv6=off,tftp=a,,b,bootfile=x,"
               "hostname=h,domain=d,link=off,mtu=9000,dump=f");
    assert_int_equal(ntohl(o.user.host.s_addr), 0xc0a80702);
    assert_int_equal(ntohl(o.user.dns.s_addr), 0xc0a80705);
    assert_int_equal(ntohl(o.user.dhcp.s_addr), 0xc0a80704); /* 15 and 15 more would be too many */
    assert_true(o.user.restricted && o.user.no_ipv6 && o.link_down);
    assert_string_equal(o.user.tftp, "a,b");
    assert_string_equal(o.user.bootfile, "x");
    assert_string_equal(o.user.hostname, "h");
    assert_string_equal(o.user.domain, "d");
    assert_string_equal(o.dump, "f");
    assert_int_equal(o.mtu, 9000);
    net_options_free(&o);
    o = parsed("net6=fd00:1::/64,restrict=off,ipv6=on");
    assert_int_equal(o.user.net6.s6_addr[3], 1);
    assert_false(o.user.restricted || o.user.no_ipv6);
    net_options_free(&o);
}

static void other_backends(void **state)
{
    (void)state;
    struct net_options o = parsed("tap=tap7,dump=f");
    assert_int_equal(o.kind, NET_KIND_TAP);
    assert_string_equal(o.tap, "tap7");
    net_options_free(&o);
    o = parsed("tap");
    assert_null(o.tap);
    net_options_free(&o);
    o = parsed("socket,listen=unix:/tmp/x");
    assert_int_equal(o.kind, NET_KIND_SOCKET);
    assert_string_equal(o.listen, "unix:/tmp/x");
    net_options_free(&o);
    o = parsed("socket,connect=tcp:[::1]:70");
    assert_string_equal(o.connect, "tcp:[::1]:70");
    net_options_free(&o);
}

static void a_card_takes_its_words_and_leaves_the_others(void **state)
{
    (void)state;
    static const uint8_t mac[] = {2, 0xab, 0, 0, 0, 1};
    struct net_card_choice c;
    assert_true(net_card_parse(&c, "none,user,mac=02:ab:0:0:0:1,tftp=a,,b", NULL));
    assert_string_equal(c.kind->name, "none");
    assert_string_equal(c.network, "user,tftp=a,,b");
    assert_true(c.mac_said);
    assert_memory_equal(c.mac, mac, sizeof(mac));
    net_card_free(&c);
    assert_true(net_card_parse(&c, "tap=x", NULL));
    assert_string_equal(c.network, "tap=x");
    assert_false(c.mac_said);
    net_card_free(&c);
    assert_true(net_card_parse(&c, "", NULL));
    assert_string_equal(c.network, "");
    net_card_free(&c);
}

static void cards_have_different_addresses(void **state)
{
    (void)state;
    uint8_t first[6], second[6];
    net_card_address(first, 0);
    net_card_address(second, 1);
    assert_memory_equal(first, "\x52\x54\x00\x12\x34\x56", 6);
    assert_memory_equal(second, "\x52\x54\x00\x12\x34\x57", 6);
}

static void forward(const char *text, const char *host, const char *guest)
{
    struct net_forward f;
    struct error err = {0};
    char name[NET_FORWARD_NAME_SIZE];
    if (!net_forward_parse(&f, text, &err))
        print_error("%s\n", err.text);
    assert_string_equal(err.text, "");
    net_forward_name(&f, name);
    assert_string_equal(name, host);
    f.host = f.guest;
    net_forward_name(&f, name);
    assert_string_equal(name + 4, guest);
}

static void forwards_name_both_sides(void **state)
{
    (void)state;
    forward("8080=80", "tcp/127.0.0.1:8080", "0.0.0.0:80");
    forward("tcp/127.0.0.1:2022=22", "tcp/127.0.0.1:2022", "0.0.0.0:22");
    forward("udp/0.0.0.0:53=10.0.2.16:5353", "udp/0.0.0.0:53", "10.0.2.16:5353");
    forward("tcp/[::1]:80=80", "tcp/[::1]:80", "[::]:80");
    forward("[::]:65535=[fec0::15]:1", "tcp/[::]:65535", "[fec0::15]:1");
    forward("80=[fec0::15]:81", "tcp/[::1]:80", "[fec0::15]:81");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_user_mode_with_the_usual_addresses),
        cmocka_unit_test(words_of_user_mode),
        cmocka_unit_test(other_backends),
        cmocka_unit_test(a_card_takes_its_words_and_leaves_the_others),
        cmocka_unit_test(cards_have_different_addresses),
        cmocka_unit_test(forwards_name_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
