/* SPDX-License-Identifier: MPL-2.0 */
/* What is behind struct rvvm_machine, for the files of this folder: one for each header of include/rvvm/. */
#ifndef RVVM_API_MACHINE_H
#define RVVM_API_MACHINE_H

#include <rvvm/rvvm.h>

#include "api/networks.h"
#include "debug/control.h"
#include "debug/gdb_machine.h"
#include "debug/tap.h"
#include "dev/drive_bays.h"
#include "dev/virtio/virtio_console.h"
#include "host/isolation.h"
#include "jit/jit.h"
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
    struct isolation *isolation; /* its threads'; NULL: none */
    bool isolate_caller;         /* not done yet */
    struct machine *machine;
    struct event_loop *debug_loop; /* its thread may wait for harts; NULL: nobody looks */
    struct gdb_machine *gdb;
    struct control *control;
    struct drive_bays *bays; /* on debug_loop; NULL: none */
    struct tap *tap;         /* on `serial`, and a part of it; NULL: none */
    /* serial, or what is behind it: the program's own end; NULL: there is none. */
    struct chardev *terminal;
    unsigned irqs_used; /* inputs of the interrupt controller up to this one */
    void (*on_power_on)(void *ctx);
    void *on_power_on_ctx;
};

/* drives.c: those of the configuration, and slots for those that come and go. */
bool drives_plug_all(struct rvvm_machine *rv, const struct rvvm_config *config, struct error *err);
bool drives_open_slots(struct rvvm_machine *rv, unsigned count, struct error *err);
void drives_close_slots(struct rvvm_machine *rv);
/* What the control socket does to them. */
void drives_actions(struct control_actions *actions);

/* The message to the caller, who may not want it. Always returns false. */
bool api_fail(struct rvvm_error *error, const struct error *err);

/*
 * A struct of the caller's whose first field is its size, into ours: what a shorter one has not is 0. false:
 * it is of a newer library, or has no size.
 */
bool api_take(void *to, size_t size, const void *from, const char *name, struct error *err);

/* Whether hot loops are translated as a whole, and when. */
enum jit_tiers api_tiers(enum rvvm_jit jit);

/* false: the machine runs, so `what` cannot be changed. */
bool api_is_off(const struct rvvm_machine *machine, const char *what, struct error *err);

#endif
