/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The words of -serial: see serial.h.
 */
#include "ui/serial.h"

#include "ui/serial_backs.h"
#include <string.h>

struct back {
    const char *word;
    const char *rest; /* what follows a colon, NULL: nothing may */
    serial_open_fn *open;
};

static const struct back backs[] = {
    {"stdio", NULL, serial_stdio_open}, {"null", NULL, serial_null_open},
    {"pty", NULL, serial_pty_open},     {"file", "PATH", serial_file_open},
    {"unix", "PATH", serial_unix_open}, {"tcp", "HOST:PORT", serial_tcp_open},
};

/* *rest is what follows the colon, NULL if there is none. */
static const struct back *find(const char *spec, const char **rest, struct error *err)
{
    size_t length = strcspn(spec, ":");
    *rest = spec[length] ? spec + length + 1 : NULL;
    for (size_t i = 0; i < sizeof(backs) / sizeof(backs[0]); i++) {
        const struct back *b = &backs[i];
        if (strlen(b->word) != length || memcmp(b->word, spec, length))
            continue;
        if (!b->rest && *rest)
            error_set(err, "serial %s: nothing follows '%s'", spec, b->word);
        else if (b->rest && (!*rest || !**rest))
            error_set(err, "serial %s: %s:%s is wanted", spec, b->word, b->rest);
        else
            return b;
        return NULL;
    }
    error_set(err, "serial '%s': there are stdio, null, pty, file:PATH, unix:PATH, tcp:HOST:PORT",
              spec);
    return NULL;
}

struct chardev *chardev_open(const char *spec, const struct serial_config *config,
                             struct error *err)
{
    const char *rest;
    const struct back *b = find(spec, &rest, err);
    if (!b)
        return NULL;
    struct serial_config named = *config;
    if (!named.name)
        named.name = "the serial port";
    struct chardev *cd = b->open(rest, &named, err);
    if (!cd)
        error_prefix(err, "serial %s", b->word);
    return cd;
}

bool chardev_check(const char *spec, struct error *err)
{
    const char *rest;
    return find(spec, &rest, err) != NULL;
}
