/* SPDX-License-Identifier: GPL-3.0-only */
/* The -cpu option and the names for the device tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "isa/isa.h"
#include <string.h>

static struct isa parsed(const char *option)
{
    struct isa isa;
    struct error err = {""};

    isa_default(&isa, 64);
    if (!isa_parse(&isa, option, &err))
        fail_msg("%s: %s", option, err.text);
    return isa;
}

/* The option is refused with a message that holds `part`. */
static void refused(const char *option, const char *part)
{
    struct isa isa;
    struct error err = {""};

    isa_default(&isa, 64);
    assert_false(isa_parse(&isa, option, &err));
    if (!strstr(err.text, part))
        fail_msg("%s: \"%s\" lacks \"%s\"", option, err.text, part);
}

static void defaults_follow_the_width(void **state)
{
    (void)state;
    struct isa rv64 = parsed(""), rv32 = parsed("rv32");

    assert_int_equal(rv64.xlen, 64);
    assert_int_equal(rv64.levels, 4);
    assert_true(isa_has(&rv64, EXT_ZCD) && isa_has(&rv64, EXT_SVNAPOT));
    assert_false(isa_has(&rv64, EXT_ZCF));
    assert_int_equal(rv32.xlen, 32);
    assert_int_equal(rv32.levels, 2);
    assert_true(isa_has(&rv32, EXT_ZCF) && isa_has(&rv32, EXT_ZCD));
    assert_false(isa_has(&rv32, EXT_SVNAPOT) || isa_has(&rv32, EXT_SVPBMT));
}

static void off_takes_what_needs_it_along(void **state)
{
    (void)state;
    struct isa isa = parsed("rv64,f=off");
    assert_false(isa_has(&isa, EXT_F) || isa_has(&isa, EXT_D) || isa_has(&isa, EXT_ZFA) ||
                 isa_has(&isa, EXT_ZFHMIN) || isa_has(&isa, EXT_ZCD));
    assert_true(isa_has(&isa, EXT_ZCA));

    isa = parsed("c=off");
    assert_false(isa_has(&isa, EXT_C) || isa_has(&isa, EXT_ZCA) || isa_has(&isa, EXT_ZCB) ||
                 isa_has(&isa, EXT_ZCD));
    isa = parsed("a=off");
    assert_false(isa_has(&isa, EXT_ZAAMO) || isa_has(&isa, EXT_ZALRSC) || isa_has(&isa, EXT_ZACAS));
    isa = parsed("rv32,d=off");
    assert_true(isa_has(&isa, EXT_ZCF));
    assert_false(isa_has(&isa, EXT_ZCD));
    isa = parsed("zihpm=off");
    assert_false(isa_has(&isa, EXT_SSCOFPMF));
}

static void on_brings_what_it_needs(void **state)
{
    (void)state;
    struct isa isa = parsed("f=off,zfa=on");
    assert_true(isa_has(&isa, EXT_F) && isa_has(&isa, EXT_ZFA));
    assert_false(isa_has(&isa, EXT_D));
    isa = parsed("c=off,c=on");
    assert_true(isa_has(&isa, EXT_ZCA) && isa_has(&isa, EXT_ZCD));
    assert_false(isa_has(&isa, EXT_ZCB));
}

static void translation_is_chosen_by_name(void **state)
{
    (void)state;
    assert_int_equal(parsed("sv57=on").levels, 5);
    assert_int_equal(parsed("sv39=on").levels, 3);
    assert_int_equal(parsed("sv48=off").levels, 3);
    assert_int_equal(parsed("sv57=off").levels, 4);
    assert_int_equal(parsed("sv57=on,sv57=off").levels, 4);
    assert_int_equal(parsed("sv39=off").levels, 0);
    assert_int_equal(parsed("sv39=off,sv48=off").levels, 0);
    assert_int_equal(parsed("rv32,sv32=off").levels, 0);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    refused("zfaa=on", "\"zfaa\"");
    refused("zfaa=on", "zfhmin");
    refused("zfa", "zfa=on");
    refused("zfa=maybe", "zfa=maybe");
    refused("zfa=off,rv64", "first");
    refused("zfa=off,", "comma");
    refused(",", "\"\"");
    refused("rv128", "rv64");
    refused("i=off", "cannot");
    refused("zicsr=off", "cannot");
    refused("zca=off", "part of c");
    refused("sv32=on", "rv32");
    refused("rv32,sv39=on", "rv64");
    refused("zcf=on", "rv32");
    refused("rv32,svpbmt=on", "rv64");
    refused(
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=on",
        "long");
}

static void strings_are_for_the_device_tree(void **state)
{
    (void)state;
    struct isa isa = parsed("rv64,c=off,zihpm=off");
    char text[512], list[512];

    size_t length = isa_string(&isa, text, sizeof text);
    assert_int_equal(length, strlen(text));
    assert_memory_equal(text, "rv64imafd_zicbom_", 17);
    assert_null(strstr(text, "zihpm"));
    assert_non_null(strstr(text, "_svpbmt"));

    size_t size = isa_list(&isa, list, sizeof list);
    assert_memory_equal(list, "i\0m\0a\0f\0d\0zicbom", 17);
    assert_int_equal(list[size - 1], 0);

    for (size_t room = 0; room < size; room++) {
        char *exact = test_malloc(room + 1);
        assert_int_equal(isa_list(&isa, exact, room), 0);
        if (room <= strlen(text) && room)
            assert_int_equal(isa_string(&isa, exact, room), 0);
        test_free(exact);
    }
    assert_int_equal(isa_list(&isa, list, size), size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_follow_the_width),
        cmocka_unit_test(off_takes_what_needs_it_along),
        cmocka_unit_test(on_brings_what_it_needs),
        cmocka_unit_test(translation_is_chosen_by_name),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(strings_are_for_the_device_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
