/* SPDX-License-Identifier: GPL-3.0-only */
/* Lines of JSON (src/base/json.h): what is read, what is refused, and what is written. */

/* cmocka.h wants these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char text[4096];

static bool parse(struct json_object *object, const char *line)
{
    struct error err = {""};
    strcpy(text, line);
    bool ok = json_parse(object, text, strlen(line), &err);
    assert_int_equal(!ok, err.text[0] != '\0');
    return ok;
}

static void values_are_what_they_say(void **state)
{
    (void)state;
    struct json_object o;
    uint64_t n;
    bool b;
    assert_true(parse(
        &o, " { \"a\" : \"x\\u00e9\\ud83d\\ude00\\n\\/\" , \"b\":18446744073709551615,\"c\":-5,"
            "\"d\":true,\"e\":null,\"f\":1.5e+2, \"\" : false}\r\n"));
    assert_int_equal(o.count, 7);
    assert_string_equal(json_string(&o, "a"), "x\xc3\xa9\xf0\x9f\x98\x80\n/");
    assert_true(json_integer(&o, "b", UINT64_MAX, &n));
    assert_int_equal(n, UINT64_MAX);
    assert_false(json_integer(&o, "b", UINT64_MAX - 1, &n));
    assert_false(json_integer(&o, "c", UINT64_MAX, &n));
    assert_true(json_find(&o, "c")->negative);
    assert_int_equal(json_find(&o, "c")->integer, (uint64_t)-5);
    assert_true(json_boolean(&o, "d", &b) && b);
    assert_true(json_boolean(&o, "", &b) && !b);
    assert_false(json_boolean(&o, "e", &b));
    assert_int_equal(json_find(&o, "e")->kind, JSON_NULL);
    assert_int_equal(json_find(&o, "f")->kind, JSON_NUMBER);
    assert_null(json_string(&o, "b"));
    assert_null(json_find(&o, "z"));
    assert_true(parse(&o, "{}"));
    assert_int_equal(o.count, 0);
}

static void what_is_no_json_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "[]",
        "1",
        "{",
        "}",
        "{}}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":-}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":1e}",
        "{\"a\":+1}",
        "{\"a\":tru}",
        "{\"a\":\"}",
        "{\"a\":\"\\",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":\"\\udc00\"}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\xc0\x80\"}",
        "{\"a\":\"\xed\xa0\x80\"}",
        "{\"a\":\"\xf4\x90\x80\x80\"}",
        "{\"a\":\"\xe2\x82\"}",
        "{\"a\":1,\"a\":2}",
        "{\"a\\u0000\":1}",
        "{\"a\":[1]}",
        "{\"a\":{}}",
        "{\"a\":1}x",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct json_object o;
        if (parse(&o, bad[i]))
            fail_msg("%s was taken", bad[i]);
    }
}

static void there_is_an_end_to_members(void **state)
{
    (void)state;
    struct json_object o;
    char line[4096] = "{";
    for (unsigned i = 0; i < JSON_MEMBERS_MAX; i++)
        sprintf(line + strlen(line), "%s\"%u\":%u", i ? "," : "", i, i);
    strcat(line, "}");
    assert_true(parse(&o, line));
    assert_int_equal(o.count, JSON_MEMBERS_MAX);
    strcpy(line + strlen(line) - 1, ",\"x\":0}");
    assert_false(parse(&o, line));
}

static void lines_are_written(void **state)
{
    (void)state;
    struct json_text t = {0}, more = {.comma = true};
    json_put_boolean(&more, "c", false);
    json_begin(&t);
    json_put_string(&t, "a", "\"\\\n\xc3\xa9\xff\x7f");
    json_put_integer(&t, "b", UINT64_MAX);
    json_append(&t, &more);
    json_put_bytes(&t, "d", "\x00z\xe9\n", 4);
    json_end(&t);
    assert_string_equal(
        t.at, "{\"a\":\"\\\"\\\\\\u000a\xc3\xa9?\\u007f\",\"b\":18446744073709551615,\"c\":false,"
              "\"d\":\"\\u0000z\xc3\xa9\\u000a\"}\n");
    assert_int_equal(strlen(t.at), t.size);
    free(t.at);
    free(more.at);
}

static void bytes_come_back(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct json_text t = {0};
    struct json_object o;
    for (unsigned i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    json_begin(&t);
    json_put_bytes(&t, "data", bytes, sizeof(bytes));
    json_end(&t);
    assert_true(json_parse(&o, t.at, t.size, NULL));
    const struct json_value *v = json_find(&o, "data");
    char copy[1024];
    memcpy(copy, v->text, v->size);
    assert_int_equal(json_to_bytes(copy, v->size), 256);
    assert_memory_equal(copy, bytes, 256);
    free(t.at);
    strcpy(copy, "\xe2\x82\xac");
    assert_int_equal(json_to_bytes(copy, 3), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_what_they_say),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(there_is_an_end_to_members),
        cmocka_unit_test(lines_are_written),
        cmocka_unit_test(bytes_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
