/* SPDX-License-Identifier: GPL-3.0-only */
/* Option tables: options.h. */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 64

static void *field(void *ctx, const struct option *o)
{
    return (char *)ctx + o->offset;
}

bool option_set_string(void *ctx, const struct option *o, const char *value, struct error *err)
{
    (void)err;
    *(const char **)field(ctx, o) = value;
    return true;
}

bool option_set_true(void *ctx, const struct option *o, const char *value, struct error *err)
{
    (void)value, (void)err;
    *(bool *)field(ctx, o) = true;
    return true;
}

/* Decimal digits to a number; *end is what follows them. */
static bool number(const char *text, uint64_t *result, const char **end)
{
    char *rest;
    errno = 0;
    if (!isdigit((unsigned char)text[0]))
        return false;
    *result = strtoull(text, &rest, 10);
    *end = rest;
    return errno == 0;
}

bool option_set_size(void *ctx, const struct option *o, const char *value, struct error *err)
{
    static const char units[] = "kmgt";
    uint64_t n;
    const char *end;
    if (!number(value, &n, &end))
        return error_set(err, "-%s %s: not a size (256M, 2G)", o->name, value);
    const char *unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    if (unit)
        end++;
    if (*end)
        return error_set(err, "-%s %s: not a size (256M, 2G)", o->name, value);
    if (n > UINT64_MAX >> shift)
        return error_set(err, "-%s %s: more than 64 bits", o->name, value);
    *(uint64_t *)field(ctx, o) = n << shift;
    return true;
}

bool option_set_number(void *ctx, const struct option *o, const char *value, struct error *err)
{
    uint64_t n;
    const char *end;
    if (!number(value, &n, &end) || *end || n > UINT_MAX)
        return error_set(err, "-%s %s: not a number", o->name, value);
    *(unsigned *)field(ctx, o) = (unsigned)n;
    return true;
}

static const struct option *find(const struct option *table, const char *name, size_t length)
{
    for (const struct option *o = table; o->name; o++)
        if (strlen(o->name) == length && !memcmp(o->name, name, length))
            return o;
    return NULL;
}

/* Without `operand`, up to the first one: *rest is where it stands. */
static bool parse(const struct option *table, void *ctx, int argc, char **argv,
                  bool (*operand)(void *ctx, const char *word, struct error *err), int *rest,
                  struct error *err)
{
    bool given[OPTIONS_MAX] = {false}, only_operands = false;
    int i;
    for (i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (only_operands || word[0] != '-' || !word[1]) {
            if (!operand)
                break;
            if (!operand(ctx, word, err))
                return false;
            continue;
        }
        if (!strcmp(word, "--")) {
            only_operands = true;
            continue;
        }
        const char *name = word + (word[1] == '-' ? 2 : 1);
        size_t length = strcspn(name, "=");
        const struct option *o = find(table, name, length);
        if (!o)
            return error_set(err, "%.*s: no such option", (int)(length + (size_t)(name - word)),
                             word);
        if (given[o - table] && !o->repeats)
            return error_set(err, "-%s: given twice", o->name);
        given[o - table] = true;
        const char *value = name[length] == '=' ? name + length + 1 : NULL;
        if (!o->value && value)
            return error_set(err, "-%s: takes no value", o->name);
        if (o->value && !value) {
            if (i + 1 == argc)
                return error_set(err, "-%s: needs a value (%s)", o->name, o->value);
            value = argv[++i];
        }
        if (!o->set(ctx, o, value, err))
            return false;
    }
    if (rest)
        *rest = i;
    return true;
}

bool options_parse(const struct option *table, void *ctx, int argc, char **argv,
                   bool (*operand)(void *ctx, const char *word, struct error *err),
                   struct error *err)
{
    return parse(table, ctx, argc, argv, operand, NULL, err);
}

bool options_parse_head(const struct option *table, void *ctx, int argc, char **argv, int *rest,
                        struct error *err)
{
    return parse(table, ctx, argc, argv, NULL, rest, err);
}

static bool is_among(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name))
        names++;
    return *names;
}

void options_print(const struct option *table, const char *const *only)
{
    for (const struct option *o = table; o->name; o++) {
        char left[64];
        if (!o->help || (only && !is_among(only, o->name)))
            continue;
        snprintf(left, sizeof(left), "-%s%s%s", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        printf("  %-22s %s\n", left, o->help);
    }
}
