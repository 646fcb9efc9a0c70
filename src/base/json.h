/* SPDX-License-Identifier: MPL-2.0 */
/*
 * JSON (RFC 8259) as far as a line of requests and answers needs it: one object, whose values are no
 * objects or arrays. What is read is checked to the letter, UTF-8 included.
 *
 *     struct json_object request;
 *     if (!json_parse(&request, line, size, err)) ...
 *     const char *name = json_string(&request, "command");
 *
 *     struct json_text out = {0};
 *     json_begin(&out);
 *     json_put_string(&out, "name", name);
 *     json_end(&out);              // out.at, out.size: the line with its newline; NULL: out of memory
 *     free(out.at);
 */
#ifndef RVVM_BASE_JSON_H
#define RVVM_BASE_JSON_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

#define JSON_MEMBERS_MAX 64

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_INTEGER, /* from 0 to UINT64_MAX, or negative down to INT64_MIN */
    JSON_NUMBER,  /* any other: nobody wants its value */
    JSON_STRING,
};

struct json_value {
    enum json_kind kind;
    bool negative;
    uint64_t integer; /* of a negative one: the value as two's complement */
    const char *text; /* a string's bytes, UTF-8; '\0' follows, and may be in it */
    size_t size;
};

struct json_member {
    const char *name;
    struct json_value value;
};

struct json_object {
    struct json_member members[JSON_MEMBERS_MAX];
    unsigned count;
};

/* Takes the text apart in place: what is in `object` points into it. */
bool json_parse(struct json_object *object, char *text, size_t size, struct error *err);

/* NULL: there is none of that name. */
const struct json_value *json_find(const struct json_object *object, const char *name);
/* NULL: none, no string, or one with '\0' in it. */
const char *json_string(const struct json_object *object, const char *name);
/* false: none, or no integer from 0 to `most`. */
bool json_integer(const struct json_object *object, const char *name, uint64_t most,
                  uint64_t *value);
/* false: none, or neither true nor false. */
bool json_boolean(const struct json_object *object, const char *name, bool *value);

/*
 * Bytes that are no text are written as a string, each byte as the character of its number, U+0000 to
 * U+00FF. In place; -1: the string holds others.
 */
ptrdiff_t json_to_bytes(char *text, size_t size);

/* A line that is being made. All zero at first. */
struct json_text {
    char *at; /* NULL with size 0: nothing yet; NULL in the end: out of memory */
    size_t size, room;
    bool failed, comma;
};

void json_begin(struct json_text *t);
void json_put_string(struct json_text *t, const char *name, const char *value); /* UTF-8 */
void json_put_bytes(struct json_text *t, const char *name, const void *bytes, size_t size);
void json_put_integer(struct json_text *t, const char *name, uint64_t value);
void json_put_boolean(struct json_text *t, const char *name, bool value);
void json_put_value(struct json_text *t, const char *name, const struct json_value *value);
/* Members that were put into `other`, which was not begun, and whose comma was true. */
void json_append(struct json_text *t, const struct json_text *other);
void json_end(struct json_text *t);

#endif
