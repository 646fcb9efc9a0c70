/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The backs of character channels, by the words of the -serial option:
 *
 *   stdio            this terminal, raw; Ctrl-A is its escape key. Piped input and output are plain
 *   null             nobody: output is dropped, input never comes
 *   pty              a new pseudo terminal, whose name is logged
 *   file:PATH        output into a file
 *   unix:PATH        a listening socket for one client at a time
 *   tcp:HOST:PORT    the same over TCP
 */
#ifndef RVVM_UI_SERIAL_H
#define RVVM_UI_SERIAL_H

#include "base/log.h"
#include "host/event_loop.h"
#include "machine/chardev.h"

struct serial_config {
    struct event_loop *loop; /* outlives the channel */
    struct log *log;         /* may be NULL; outlives the channel */
    const char *name;        /* for log lines; NULL: "the serial port"; outlives the channel */
    /* stdio only, event loop's thread: the user asked to leave (Ctrl-A x). May be NULL. */
    void (*quit)(void *ctx);
    void *quit_ctx;
};

/* Opens and connects nothing yet: input waits for chardev_attach. NULL: err says why. */
struct chardev *chardev_open(const char *spec, const struct serial_config *config,
                             struct error *err);

/* Checks the words without opening anything: for a command line. */
bool chardev_check(const char *spec, struct error *err);

#endif
