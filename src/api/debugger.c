/* SPDX-License-Identifier: MPL-2.0 */
/* They share an event loop of their own, whose thread may wait for harts. */
#include "api/debugger.h"

#include "api/machine.h"
#include "debug/control.h"
#include "debug/gdb_machine.h"
#include "debug/tap.h"
#include "net/net.h"

static bool change_forward(void *ctx, const char *what, bool add, struct error *err)
{
    struct rvvm_machine *rv = ctx;
    return networks_forward(&rv->networks, what, add, err);
}

static bool show_forward(void *ctx, unsigned n, char *text, size_t size)
{
    struct rvvm_machine *rv = ctx;
    return networks_show_forward(&rv->networks, n, text, size);
}

static bool set_link(void *ctx, unsigned network, bool up)
{
    return rvvm_machine_set_link(ctx, network, up);
}

struct chardev *debugger_tap(struct rvvm_machine *rv, const struct rvvm_config *config,
                             struct chardev *line, struct error *err)
{
    if (!config->control || !line)
        return line;
    rv->tap = tap_new(line, rv->loop, err);
    return rv->tap ? tap_chardev(rv->tap) : NULL;
}

static bool open_gdb(struct rvvm_machine *rv, const char *where, struct error *err)
{
    struct gdb_config config = {
        .machine = rv->machine, .where = where, .loop = rv->debug_loop, .log = &rv->log};
    rv->gdb = gdb_machine_new(&config, err);
    return rv->gdb;
}

static bool open_control(struct rvvm_machine *rv, const char *where, struct error *err)
{
    struct control_config config = {
        .machine = rv->machine,
        .where = where,
        .tap = rv->tap,
        .loop = rv->debug_loop,
        .log = &rv->log,
        .actions = {.forward = change_forward,
                    .show_forward = show_forward,
                    .set_link = set_link,
                    .ctx = rv},
    };
    if (rv->bays)
        drives_actions(&config.actions);
    rv->control = control_new(&config, err);
    return rv->control;
}

bool debugger_open(struct rvvm_machine *rv, const struct rvvm_config *config, struct error *err)
{
    if (config->paused)
        machine_pause(rv->machine, MACHINE_PAUSE_USER);
    if (!config->gdb && !config->control && !config->drive_slots)
        return true;
    rv->debug_loop = event_loop_new(err);
    if (rv->debug_loop && config->drive_slots)
        event_loop_set_kind(rv->debug_loop, THREAD_CONTROL);
    return rv->debug_loop &&
           (!config->drive_slots || drives_open_slots(rv, config->drive_slots, err)) &&
           (!config->gdb || open_gdb(rv, config->gdb, err)) &&
           (!config->control || open_control(rv, config->control, err)) &&
           event_loop_start(rv->debug_loop, err);
}

void debugger_close(struct rvvm_machine *rv)
{
    if (!rv->debug_loop)
        return;
    event_loop_stop(rv->debug_loop);
    control_free(rv->control);
    gdb_machine_free(rv->gdb);
    drives_close_slots(rv);
    event_loop_free(rv->debug_loop);
}

void rvvm_machine_pause(struct rvvm_machine *rv)
{
    machine_pause(rv->machine, MACHINE_PAUSE_USER);
}

void rvvm_machine_resume(struct rvvm_machine *rv)
{
    machine_resume(rv->machine, MACHINE_PAUSE_USER);
}

bool rvvm_machine_paused(struct rvvm_machine *rv)
{
    return machine_pauses(rv->machine) & (MACHINE_PAUSE_USER | MACHINE_PAUSE_DEBUGGER);
}

bool rvvm_machine_reset(struct rvvm_machine *rv)
{
    return machine_reset(rv->machine);
}
