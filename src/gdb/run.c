/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Going on and stopping. What a debugger waits for is a stop reply: it comes when a thread has found
 * something, when the debugger interrupts, or when the target ends.
 *
 * The debugger steps over its own breakpoints (it takes them away, has one thread step, and puts them back),
 * so that a thread which goes on at a breakpoint stops there again.
 */
#include "gdb/session.h"

#include "cpu/hart.h"
#include "gdb/registers.h"
#include <inttypes.h>
#include <string.h>

/*
 * Points
 */

/* KIND,ADDRESS,SIZE; conditions and commands behind them were not offered. */
static bool take_point(struct gdb *gdb, struct gdb_words *w, struct debug_point *point)
{
    uint64_t kind;
    if (!gdb_take_number(w, &kind) || kind > DEBUG_ACCESS || !gdb_take_char(w, ',') ||
        !gdb_take_number(w, &point->va) || !gdb_take_char(w, ',') ||
        !gdb_take_number(w, &point->size) || w->at != w->end)
        return false;
    point->kind = (enum debug_kind)kind;
    if (gdb_hart(gdb)->xlen == 32)
        point->va = (uint32_t)point->va;
    return point->size;
}

void gdb_add_point(struct gdb *gdb, struct gdb_words *w)
{
    struct debug_point point;
    if (!take_point(gdb, w, &point)) {
        gdb_put(&gdb->reply, GDB_ERROR_WORDS);
    } else if (!debug_points_add(&gdb->points, &point)) {
        gdb_put(&gdb->reply, GDB_ERROR_FULL);
    } else {
        gdb->target.ops->set_points(gdb->target.ctx, &gdb->points, &point);
        gdb_put(&gdb->reply, "OK");
    }
}

void gdb_remove_point(struct gdb *gdb, struct gdb_words *w)
{
    struct debug_point point;
    if (!take_point(gdb, w, &point)) {
        gdb_put(&gdb->reply, GDB_ERROR_WORDS);
        return;
    }
    debug_points_remove(&gdb->points, &point);
    gdb->target.ops->set_points(gdb->target.ctx, &gdb->points, NULL);
    gdb_put(&gdb->reply, "OK");
}

/*
 * Stops
 */

static void put_point(struct gdb *gdb, const struct debug_stop *point)
{
    static const char *const watches[] = {
        [DEBUG_WRITE] = "watch", [DEBUG_READ] = "rwatch", [DEBUG_ACCESS] = "awatch"};
    switch (point->kind) {
    case DEBUG_BREAK:
        gdb_put(&gdb->reply, "%s", gdb->tells_break ? "swbreak:;" : "");
        break;
    case DEBUG_HARD_BREAK:
        gdb_put(&gdb->reply, "%s", gdb->tells_hard ? "hwbreak:;" : "");
        break;
    case DEBUG_WRITE:
    case DEBUG_READ:
    case DEBUG_ACCESS:
        gdb_put(&gdb->reply, "%s:%" PRIx64 ";", watches[point->kind], point->va);
        break;
    case DEBUG_STEP:
    case DEBUG_NONE:
        break;
    }
}

static void put_stop(struct gdb *gdb)
{
    const struct gdb_stop *stop = &gdb->stop;
    gdb_put(&gdb->reply, "T%02xthread:%" PRIx64 ";", stop->signal, stop->thread);
    put_point(gdb, &stop->point);
    if (stop->exec && gdb->tells_exec) {
        gdb_put(&gdb->reply, "exec:");
        gdb_put_hex(&gdb->reply, stop->exec, strlen(stop->exec));
        gdb_put(&gdb->reply, ";");
    }
}

static void tell_stop(struct gdb *gdb, const struct gdb_stop *stop)
{
    gdb->running = false;
    gdb->thread = gdb->resumed = stop->thread;
    gdb->stop = *stop;
    put_stop(gdb);
    gdb_send(gdb);
}

void gdb_found(struct gdb *gdb)
{
    struct gdb_stop stop;
    if (!gdb->attached || !gdb->running)
        return;
    gdb->target.ops->pause(gdb->target.ctx);
    gdb->target.ops->lock(gdb->target.ctx);
    if (gdb->target.ops->find_stop(gdb->target.ctx, gdb->thread, &stop))
        tell_stop(gdb, &stop);
    else /* something came in between and has taken it away */
        gdb->target.ops->resume(gdb->target.ctx, false);
    gdb->target.ops->unlock(gdb->target.ctx);
}

void gdb_interrupt(struct gdb *gdb)
{
    if (!gdb->running)
        return;
    gdb->target.ops->pause(gdb->target.ctx);
    gdb->target.ops->lock(gdb->target.ctx);
    gdb_hart(gdb);
    const struct gdb_stop stop = {
        .thread = gdb->thread, .signal = GDB_SIGNAL_INT, .point.kind = DEBUG_NONE};
    tell_stop(gdb, &stop);
    gdb->target.ops->unlock(gdb->target.ctx);
}

void gdb_none_left(struct gdb *gdb)
{
    if (!gdb->attached || !gdb->running)
        return;
    gdb->target.ops->pause(gdb->target.ctx);
    gdb->target.ops->lock(gdb->target.ctx);
    gdb_hart(gdb);
    if (gdb->tells_none) {
        gdb->running = false;
        gdb_put(&gdb->reply, "N");
        gdb_send(gdb);
    } else {
        const struct gdb_stop stop = {.thread = gdb->thread, .point.kind = DEBUG_NONE};
        tell_stop(gdb, &stop);
    }
    gdb->target.ops->unlock(gdb->target.ctx);
}

void gdb_say_stop(struct gdb *gdb, struct gdb_words *w)
{
    (void)w;
    if (!gdb_hart_of(gdb, gdb->stop.thread))
        gdb->stop.thread = gdb->thread;
    put_stop(gdb);
}

/*
 * Going on
 */

static void set_go(struct gdb *gdb, uint64_t thread, const struct gdb_go *go)
{
    gdb->target.ops->set_go(gdb->target.ctx, thread, go);
}

static void go_on(struct gdb *gdb)
{
    gdb->running = true;
    gdb->target.ops->resume(gdb->target.ctx, true);
}

/* c, C, s and S, with the address to go on from behind them. */
static void resume(struct gdb *gdb, struct gdb_words *w, const struct gdb_go *go)
{
    static const struct gdb_go rest = {.how = GDB_REST}, run = {.how = GDB_RUN};
    const bool all_run = go->how == GDB_RUN && gdb->resumed_is_all;
    uint64_t chosen = gdb->resumed_is_all ? gdb->thread : gdb->resumed, id, pc;
    if (!gdb_hart_of(gdb, chosen))
        chosen = gdb->thread;
    if (gdb_take_number(w, &pc))
        register_write(gdb_hart(gdb), REGISTER_PC, pc);
    for (unsigned n = 0; gdb->target.ops->thread(gdb->target.ctx, n, &id); n++)
        set_go(gdb, id, id == chosen ? go : all_run ? &run : &rest);
    set_go(gdb, 0, all_run ? &run : &rest);
    go_on(gdb);
}

void gdb_continue(struct gdb *gdb, struct gdb_words *w)
{
    resume(gdb, w, &(struct gdb_go){.how = GDB_RUN});
}

void gdb_step(struct gdb *gdb, struct gdb_words *w)
{
    resume(gdb, w, &(struct gdb_go){.how = GDB_STEP});
}

/* SIGNAL[;ADDRESS] */
static void resume_with(struct gdb *gdb, struct gdb_words *w, enum gdb_how how)
{
    uint64_t signal;
    if (!gdb_take_number(w, &signal)) {
        gdb_put(&gdb->reply, GDB_ERROR_WORDS);
        return;
    }
    gdb_take_char(w, ';');
    resume(gdb, w, &(struct gdb_go){.how = how, .signal = (unsigned)signal});
}

void gdb_continue_with(struct gdb *gdb, struct gdb_words *w)
{
    resume_with(gdb, w, GDB_RUN);
}

void gdb_step_with(struct gdb *gdb, struct gdb_words *w)
{
    resume_with(gdb, w, GDB_STEP);
}

/* One of vCont's: what a thread does, unless an action before it has said so. */
struct action {
    struct gdb_go go;
    uint64_t thread; /* GDB_ALL, GDB_ANY or one */
};

/* LETTER[SIGNAL|FIRST,END][:THREAD] */
static bool take_action(const struct gdb *gdb, struct gdb_words *w, struct action *a)
{
    uint64_t signal = 0;
    *a = (struct action){.thread = GDB_ALL};
    if (gdb_take_char(w, 'C') || gdb_take_char(w, 'S')) {
        a->go.how = w->at[-1] == 'C' ? GDB_RUN : GDB_STEP;
        if (!gdb_take_number(w, &signal))
            return false;
    } else if (gdb_take_char(w, 'r')) {
        a->go.how = GDB_STEP;
        if (!gdb_take_number(w, &a->go.first) || !gdb_take_char(w, ',') ||
            !gdb_take_number(w, &a->go.end) || a->go.end < a->go.first)
            return false;
    } else if (gdb_take_char(w, 's')) {
        a->go.how = GDB_STEP;
    } else if (!gdb_take_char(w, 'c')) {
        return false;
    }
    a->go.signal = (unsigned)signal;
    return !gdb_take_char(w, ':') || gdb_take_thread(gdb, w, &a->thread);
}

/* All of a vCont's words are as they should be. */
static bool check_actions(const struct gdb *gdb, struct gdb_words w)
{
    struct action a;
    while (w.at < w.end)
        if (!gdb_take_char(&w, ';') || !take_action(gdb, &w, &a))
            return false;
    return true;
}

/* What of it is for a thread; id 0: for those to come. false: nothing. */
static bool find_action(const struct gdb *gdb, struct gdb_words w, uint64_t id, struct action *a)
{
    while (gdb_take_char(&w, ';') && take_action(gdb, &w, a))
        if (a->thread == GDB_ALL || (id && a->thread == id) ||
            (a->thread == GDB_ANY && id == gdb->thread))
            return true;
    return false;
}

/*
 * GDB steps RISC-V by a breakpoint behind the instruction and has the thread continue, alone: that is a step
 * in all but its name.
 */
static void continue_each(struct gdb *gdb, struct gdb_words *w)
{
    static const struct gdb_go rest = {.how = GDB_REST};
    struct action a;
    unsigned count = 0;
    uint64_t id;
    const bool fine = check_actions(gdb, *w);
    for (unsigned n = 0; fine && gdb->target.ops->thread(gdb->target.ctx, n, &id); n++)
        count += find_action(gdb, *w, id, &a);
    if (!count) {
        gdb_put(&gdb->reply, GDB_ERROR_WORDS);
        return;
    }
    for (unsigned n = 0; gdb->target.ops->thread(gdb->target.ctx, n, &id); n++) {
        const bool has = find_action(gdb, *w, id, &a);
        if (has && count == 1 && a.thread != GDB_ALL && a.thread != GDB_ANY && a.go.how == GDB_RUN)
            a.go.how = GDB_RUN_ALONE;
        set_go(gdb, id, has ? &a.go : &rest);
    }
    set_go(gdb, 0, find_action(gdb, *w, 0, &a) && a.go.how == GDB_RUN ? &a.go : &rest);
    go_on(gdb);
}

void gdb_verbose(struct gdb *gdb, struct gdb_words *w)
{
    if (gdb_take_text(w, "Cont?")) {
        gdb_put(&gdb->reply, "vCont;c;C;s;S;r");
    } else if (gdb_take_text(w, "Cont")) {
        continue_each(gdb, w);
    } else if (gdb_take_text(w, "Kill")) {
        gdb->target.ops->kill(gdb->target.ctx);
        gdb_put(&gdb->reply, "OK");
    } else {
        gdb->target.ops->other(gdb->target.ctx, 'v', w, &gdb->reply);
    }
}

/*
 * Going away
 */

void gdb_detach(struct gdb *gdb, bool asked)
{
    static const struct gdb_go run = {.how = GDB_RUN};
    uint64_t id;
    if (!gdb->attached)
        return;
    gdb->attached = false;
    gdb->running = false;
    gdb->target.ops->pause(gdb->target.ctx);
    gdb->points.count = 0;
    gdb->target.ops->set_points(gdb->target.ctx, NULL, NULL);
    for (unsigned n = 0; gdb->target.ops->thread(gdb->target.ctx, n, &id); n++)
        set_go(gdb, id, &run);
    set_go(gdb, 0, &run);
    if (gdb->target.ops->detached)
        gdb->target.ops->detached(gdb->target.ctx);
    gdb->target.ops->resume(gdb->target.ctx, asked);
    log_line(gdb->target.log, LOG_INFO, "the debugger has gone");
}
