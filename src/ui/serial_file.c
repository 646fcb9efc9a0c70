/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Output into a file (or a named pipe, or a device). Input never comes.
 */
#include "ui/serial_backs.h"
#include "ui/serial_stream.h"
#include <stdlib.h>

struct serial_file {
    struct serial_stream stream;
    int fd;
};

static void on_output_ended(struct serial_stream *s)
{
    log_line(s->config.log, LOG_ERROR,
             "the file of %s takes no more: what the guest prints is dropped", s->config.name);
}

static const struct serial_hooks hooks = {
    .output_ended = on_output_ended,
};

static void file_free(struct chardev *cd)
{
    struct serial_file *b = (struct serial_file *)cd;
    serial_stream_destroy(&b->stream);
    stream_close(b->fd);
    free(b);
}

static const struct chardev_ops ops = {
    .name = "file",
    .write = serial_stream_write,
    .read = serial_stream_read,
    .drain = serial_stream_drain,
    .attached = serial_stream_attached,
    .free = file_free,
};

struct chardev *serial_file_open(const char *path, const struct serial_config *config,
                                 struct error *err)
{
    int fd = stream_create(path, err);
    if (fd < 0)
        return NULL;
    struct serial_file *b = calloc(1, sizeof(*b));
    if (!b)
        error_set(err, "out of memory");
    if (!b || !serial_stream_init(&b->stream, &ops, &hooks, config, SERIAL_IN_SIZE, err)) {
        stream_close(fd);
        free(b);
        return NULL;
    }
    b->fd = fd;
    serial_stream_connect(&b->stream, -1, fd);
    return &b->stream.chardev;
}
