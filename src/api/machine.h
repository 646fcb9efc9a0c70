/* SPDX-License-Identifier: MPL-2.0 */
/* What is behind struct rvvm_machine, for the files of this folder: one for each header of include/rvvm/. */
#ifndef RVVM_API_MACHINE_H
#define RVVM_API_MACHINE_H

#include <rvvm/rvvm.h>

#include "api/networks.h"
#include "debug/control.h"
#include "debug/gdb.h"
#include "debug/tap.h"
#include "dev/virtio/virtio_console.h"
#include "machine/board.h"

struct console {
    char name[32]; /* for log lines */
    struct chardev *chardev;
};

struct rvvm_machine {
    struct log log;
    rvvm_log_fn *log_fn;
    void *log_ctx;
    struct event_loop *loop;
    struct chardev *serial;
    struct console consoles[VIRTIO_CONSOLE_PORTS_MAX];
    unsigned console_count;
    struct networks networks;
    struct machine *machine;
    struct event_loop *debug_loop; /* its thread may wait for harts; NULL: nobody looks */
    struct gdb *gdb;
    struct control *control;
    struct tap *tap; /* on `serial`, and a part of it; NULL: none */
};

/* The message to the caller, who may not want it. Always returns false. */
bool api_fail(struct rvvm_error *error, const struct error *err);

#endif
