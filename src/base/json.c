/* SPDX-License-Identifier: MPL-2.0 */
/* Reading by descent, which cannot descend: an object has no depth. */
#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Reading
 */

struct reader {
    char *start, *at, *end;
    struct error *err;
};

static bool fail(const struct reader *r, const char *what)
{
    return error_set(r->err, "JSON, at byte %zu: %s", (size_t)(r->at - r->start), what);
}

static void skip_space(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\r' || *r->at == '\n'))
        r->at++;
}

static bool take(struct reader *r, char c)
{
    skip_space(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits behind \u. -1: they are not there. */
static int32_t take_unit(struct reader *r)
{
    int32_t unit = 0;
    if (r->end - r->at < 4)
        return -1;
    for (unsigned i = 0; i < 4; i++) {
        int digit = hex_digit(*r->at);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
        r->at++;
    }
    return unit;
}

/* Returns how many bytes. They are fewer than the escape that they stand for. */
static unsigned put_character(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    to[0] = (char)(lead[more] | c >> (6 * more));
    for (unsigned i = 1; i <= more; i++)
        to[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3f));
    return more + 1;
}

/* Length of the UTF-8 character at `s`, shortest form, no surrogate; 0: it is none. */
static unsigned utf8_length(const char *s, const char *end)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const uint8_t first = (uint8_t)*s;
    if (first < 0x80)
        return 1;
    unsigned more = first >= 0xf0 && first < 0xf8   ? 3
                    : first >= 0xe0 && first < 0xf0 ? 2
                    : first >= 0xc0 && first < 0xe0 ? 1
                                                    : 0;
    if (!more || end - s <= (ptrdiff_t)more)
        return 0;
    uint32_t c = first & (0x3f >> more);
    for (unsigned i = 1; i <= more; i++) {
        if (((uint8_t)s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | ((uint8_t)s[i] & 0x3f);
    }
    return c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : more + 1;
}

static bool take_escape(struct reader *r, char **to)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (r->at == r->end)
        return fail(r, "a string without an end");
    const char *name = *r->at ? strchr(names, *r->at) : NULL;
    if (name) {
        *(*to)++ = values[name - names];
        r->at++;
        return true;
    }
    if (*r->at++ != 'u')
        return fail(r, "there is no such escape");
    int32_t c = take_unit(r);
    if (c >= 0xd800 && c < 0xdc00) {
        if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u')
            return fail(r, "half a surrogate pair");
        r->at += 2;
        int32_t low = take_unit(r);
        if (low < 0xdc00 || low >= 0xe000)
            return fail(r, "half a surrogate pair");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    } else if (c < 0 || (c >= 0xdc00 && c < 0xe000)) {
        return fail(r, "a bad \\u escape");
    }
    *to += put_character(*to, (uint32_t)c);
    return true;
}

/* Behind the opening quote. What is taken apart is shorter than it was, so it goes where it stood. */
static bool take_string(struct reader *r, const char **text, size_t *size)
{
    char *to = r->at;
    *text = to;
    while (r->at < r->end && *r->at != '"') {
        if (*r->at == '\\') {
            r->at++;
            if (!take_escape(r, &to))
                return false;
            continue;
        }
        unsigned length = utf8_length(r->at, r->end);
        if (!length || (uint8_t)*r->at < 0x20)
            return fail(r, length ? "a control character in a string" : "not UTF-8");
        memmove(to, r->at, length);
        to += length;
        r->at += length;
    }
    if (r->at == r->end)
        return fail(r, "a string without an end");
    *size = (size_t)(to - *text);
    r->at++;
    *to = '\0'; /* at the closing quote, at the latest */
    return true;
}

static bool is_digit(const struct reader *r)
{
    return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

static bool skip_digits(struct reader *r)
{
    if (!is_digit(r))
        return fail(r, "a number without digits");
    while (is_digit(r))
        r->at++;
    return true;
}

static bool take_number(struct reader *r, struct json_value *v)
{
    bool fits = true;
    v->kind = JSON_INTEGER;
    v->negative = *r->at == '-';
    r->at += v->negative;
    const char *digits = r->at;
    if (!skip_digits(r))
        return false;
    if (*digits == '0' && r->at - digits > 1)
        return fail(r, "a number that begins with 0");
    for (const char *d = digits; d < r->at; d++) {
        unsigned digit = (unsigned)(*d - '0');
        fits = fits && v->integer <= (UINT64_MAX - digit) / 10;
        v->integer = v->integer * 10 + digit;
    }
    v->negative = v->negative && v->integer; /* -0 is 0 */
    if (v->negative) {
        fits = fits && v->integer <= UINT64_C(1) << 63;
        v->integer = -v->integer;
    }
    if (r->at < r->end && *r->at == '.') {
        r->at++;
        fits = false;
        if (!skip_digits(r))
            return false;
    }
    if (r->at < r->end && (*r->at | 0x20) == 'e') {
        r->at++;
        fits = false;
        if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
            r->at++;
        if (!skip_digits(r))
            return false;
    }
    if (!fits)
        v->kind = JSON_NUMBER;
    return true;
}

static bool take_word(struct reader *r, struct json_value *v)
{
    static const char *const words[] = {
        [JSON_NULL] = "null", [JSON_FALSE] = "false", [JSON_TRUE] = "true"};
    for (unsigned kind = JSON_NULL; kind <= JSON_TRUE; kind++) {
        size_t length = strlen(words[kind]);
        if ((size_t)(r->end - r->at) >= length && !memcmp(r->at, words[kind], length)) {
            r->at += length;
            v->kind = (enum json_kind)kind;
            return true;
        }
    }
    return fail(r, "not a value");
}

static bool take_value(struct reader *r, struct json_value *v)
{
    *v = (struct json_value){0};
    if (take(r, '"')) {
        v->kind = JSON_STRING;
        return take_string(r, &v->text, &v->size);
    }
    if (r->at == r->end)
        return fail(r, "a value is missing");
    if (*r->at == '{' || *r->at == '[')
        return fail(r, "values that hold others are not used here");
    return *r->at == '-' || is_digit(r) ? take_number(r, v) : take_word(r, v);
}

static bool take_member(struct reader *r, struct json_object *o)
{
    size_t size;
    if (o->count == JSON_MEMBERS_MAX)
        return fail(r, "too many members");
    struct json_member *m = &o->members[o->count];
    if (!take(r, '"'))
        return fail(r, "a name in quotes is due");
    if (!take_string(r, &m->name, &size))
        return false;
    if (strlen(m->name) != size)
        return fail(r, "a name with a zero in it");
    if (json_find(o, m->name))
        return fail(r, "a name that was there before");
    if (!take(r, ':'))
        return fail(r, "a colon is due");
    if (!take_value(r, &m->value))
        return false;
    o->count++;
    return true;
}

bool json_parse(struct json_object *object, char *text, size_t size, struct error *err)
{
    struct reader r = {text, text, text + size, err};
    object->count = 0;
    if (!take(&r, '{'))
        return fail(&r, "an object is due");
    if (!take(&r, '}')) {
        do {
            if (!take_member(&r, object))
                return false;
        } while (take(&r, ','));
        if (!take(&r, '}'))
            return fail(&r, "a comma or a closing brace is due");
    }
    skip_space(&r);
    return r.at == r.end || fail(&r, "something follows the object");
}

const struct json_value *json_find(const struct json_object *object, const char *name)
{
    for (unsigned i = 0; i < object->count; i++)
        if (!strcmp(object->members[i].name, name))
            return &object->members[i].value;
    return NULL;
}

const char *json_string(const struct json_object *object, const char *name)
{
    const struct json_value *v = json_find(object, name);
    return v && v->kind == JSON_STRING && strlen(v->text) == v->size ? v->text : NULL;
}

bool json_integer(const struct json_object *object, const char *name, uint64_t most,
                  uint64_t *value)
{
    const struct json_value *v = json_find(object, name);
    if (!v || v->kind != JSON_INTEGER || v->negative || v->integer > most)
        return false;
    *value = v->integer;
    return true;
}

bool json_boolean(const struct json_object *object, const char *name, bool *value)
{
    const struct json_value *v = json_find(object, name);
    if (!v || (v->kind != JSON_TRUE && v->kind != JSON_FALSE))
        return false;
    *value = v->kind == JSON_TRUE;
    return true;
}

ptrdiff_t json_to_bytes(char *text, size_t size)
{
    char *to = text;
    for (size_t i = 0; i < size; i++) {
        const uint8_t c = (uint8_t)text[i];
        if (c < 0x80) {
            *to++ = (char)c;
        } else if (c == 0xc2 ||
                   c == 0xc3) { /* U+0080 to U+00FF; the string is UTF-8, so one follows */
            i++;
            *to++ = (char)((c & 3) << 6 | ((uint8_t)text[i] & 0x3f));
        } else {
            return -1;
        }
    }
    return to - text;
}

/*
 * Writing
 */

static void put(struct json_text *t, const char *text, size_t size)
{
    if (t->failed)
        return;
    if (t->size + size + 1 > t->room) {
        size_t room = t->room ? t->room : 256;
        while (room < t->size + size + 1)
            room *= 2;
        char *more = realloc(t->at, room);
        if (!more) {
            free(t->at);
            *t = (struct json_text){.failed = true};
            return;
        }
        t->at = more;
        t->room = room;
    }
    memcpy(t->at + t->size, text, size);
    t->size += size;
    t->at[t->size] = '\0';
}

static void put_text(struct json_text *t, const char *text)
{
    put(t, text, strlen(text));
}

/* One character that a string may not hold as it is, and what stands for it. */
static void put_escaped(struct json_text *t, uint8_t c)
{
    char escape[8];
    if (c == '"' || c == '\\')
        snprintf(escape, sizeof(escape), "\\%c", c);
    else
        snprintf(escape, sizeof(escape), "\\u%04x", c);
    put_text(t, escape);
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

/* Bytes that are no UTF-8 (a file's name may hold any) become question marks. */
static void put_quoted(struct json_text *t, const char *value, size_t size)
{
    put_text(t, "\"");
    for (const char *end = value + size; value < end;) {
        unsigned length = utf8_length(value, end);
        if (!length)
            put_text(t, "?");
        else if (is_plain((uint8_t)*value))
            put(t, value, length);
        else
            put_escaped(t, (uint8_t)*value);
        value += length ? length : 1;
    }
    put_text(t, "\"");
}

static void put_name(struct json_text *t, const char *name)
{
    if (t->comma)
        put_text(t, ",");
    t->comma = true;
    put_quoted(t, name, strlen(name));
    put_text(t, ":");
}

void json_begin(struct json_text *t)
{
    put_text(t, "{");
    t->comma = false;
}

void json_put_string(struct json_text *t, const char *name, const char *value)
{
    put_name(t, name);
    put_quoted(t, value, strlen(value));
}

void json_put_bytes(struct json_text *t, const char *name, const void *bytes, size_t size)
{
    const uint8_t *b = bytes;
    put_name(t, name);
    put_text(t, "\"");
    for (size_t i = 0; i < size; i++) {
        char utf8[4];
        if (b[i] < 0x80 && !is_plain(b[i]))
            put_escaped(t, b[i]);
        else
            put(t, utf8, put_character(utf8, b[i]));
    }
    put_text(t, "\"");
}

void json_put_integer(struct json_text *t, const char *name, uint64_t value)
{
    char digits[24];
    put_name(t, name);
    snprintf(digits, sizeof(digits), "%" PRIu64, value);
    put_text(t, digits);
}

void json_put_boolean(struct json_text *t, const char *name, bool value)
{
    put_name(t, name);
    put_text(t, value ? "true" : "false");
}

void json_put_value(struct json_text *t, const char *name, const struct json_value *v)
{
    char digits[24];
    switch (v->kind) {
    case JSON_STRING:
        put_name(t, name);
        put_quoted(t, v->text, v->size);
        break;
    case JSON_INTEGER:
        put_name(t, name);
        snprintf(digits, sizeof(digits), v->negative ? "%" PRId64 : "%" PRIu64, v->integer);
        put_text(t, digits);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        json_put_boolean(t, name, v->kind == JSON_TRUE);
        break;
    case JSON_NULL:
    case JSON_NUMBER:
        put_name(t, name);
        put_text(t, "null");
        break;
    }
}

void json_append(struct json_text *t, const struct json_text *other)
{
    if (other->size)
        put(t, other->at, other->size);
}

void json_end(struct json_text *t)
{
    put_text(t, "}\n");
}
