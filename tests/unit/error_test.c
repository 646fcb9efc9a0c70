/* SPDX-License-Identifier: GPL-3.0-only */
/* Errors (src/base/error.h): a message is one line, whatever is put into it. Again: tools/run-tests unit/error_test */
#include "base/error.h"

/* cmocka.h wants these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void a_message_is_one_line_without_control_characters(void **state)
{
    (void)state;
    struct error err;
    assert_false(error_set(&err, "%s: bad", "a\nb\033[2J\177 Grüße"));
    assert_string_equal(err.text, "a?b?[2J? Grüße: bad");
    assert_false(error_prefix(&err, "%s", "x\ty"));
    assert_string_equal(err.text, "x?y: a?b?[2J? Grüße: bad");
}

static void a_message_that_is_too_long_is_cut(void **state)
{
    (void)state;
    struct error err;
    char name[2 * sizeof(err.text)];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    error_set(&err, "%s", name);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    error_prefix(&err, "%s", "before");
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_memory_equal(err.text, "before: nnn", 11);
    error_set(&err, "why");
    error_prefix(&err, "%s", name);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_memory_equal(err.text + sizeof(err.text) - 4, "n: ", 4);
}

static void nobody_has_to_be_told(void **state)
{
    (void)state;
    struct error err;
    assert_false(error_set(NULL, "%s", "a"));
    assert_false(error_prefix(NULL, "%s", "a"));
    /* The arguments may be what is there. */
    error_set(&err, "one");
    error_set(&err, "%s, two", err.text);
    assert_string_equal(err.text, "one, two");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_one_line_without_control_characters),
        cmocka_unit_test(a_message_that_is_too_long_is_cut),
        cmocka_unit_test(nobody_has_to_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
