/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The line that leads nowhere.
 */
#include "ui/serial_backs.h"
#include <stdlib.h>

static size_t null_write(struct chardev *cd, const void *bytes, size_t size)
{
    (void)cd, (void)bytes;
    return size;
}

static size_t null_read(struct chardev *cd, void *bytes, size_t size)
{
    (void)cd, (void)bytes, (void)size;
    return 0;
}

static void null_nothing(struct chardev *cd)
{
    (void)cd;
}

static void null_free(struct chardev *cd)
{
    chardev_destroy(cd);
    free(cd);
}

static const struct chardev_ops null_ops = {
    .name = "null",
    .write = null_write,
    .read = null_read,
    .drain = null_nothing,
    .attached = null_nothing,
    .free = null_free,
};

struct chardev *serial_null_open(const char *rest, const struct serial_config *config,
                                 struct error *err)
{
    (void)rest, (void)config;
    struct chardev *cd = calloc(1, sizeof(*cd));
    if (!cd) {
        error_set(err, "out of memory");
        return NULL;
    }
    chardev_init(cd, &null_ops);
    return cd;
}
