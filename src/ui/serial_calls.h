/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A line whose other end is the program that has the machine: output goes to a function, input is put in
 * by a call from any thread.
 */
#ifndef RVVM_UI_SERIAL_CALLS_H
#define RVVM_UI_SERIAL_CALLS_H

#include "host/event_loop.h"
#include "machine/chardev.h"

struct serial_calls_config {
    struct event_loop *loop; /* outlives the channel */
    /* Any thread, one at a time; takes all. NULL: output is dropped. */
    void (*output)(void *ctx, const void *bytes, size_t size);
    void *ctx;
};

struct chardev *serial_calls_open(const struct serial_calls_config *config, struct error *err);

/* Any thread, also from within output. How many of the bytes there was room for. */
size_t serial_calls_input(struct chardev *cd, const void *bytes, size_t size);

#endif
