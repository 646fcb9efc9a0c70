/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Going on and stopping. What a debugger waits for is a stop reply: it comes when a hart has found
 * something, when the debugger interrupts, or when the machine ends.
 *
 * The debugger steps over its own breakpoints (it takes them away, has one hart step, and puts them back),
 * so that a hart which goes on at a breakpoint stops there again.
 */
#include "debug/gdb_session.h"

#include <inttypes.h>

enum { SIGNAL_NONE = 0, SIGNAL_INT = 2, SIGNAL_TRAP = 5 };

/*
 * Points
 */

void gdb_apply_points(struct gdb *gdb)
{
    for (unsigned i = 0; i < gdb->m->hart_count; i++)
        debug_set_points(gdb->m->hart_list[i], gdb->attached ? &gdb->points : NULL);
}

/* KIND,ADDRESS,SIZE; conditions and commands behind them were not offered. */
static bool take_point(const struct gdb *gdb, struct gdb_words *w, struct debug_point *point)
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
        gdb_apply_points(gdb);
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
    gdb_apply_points(gdb);
    gdb_put(&gdb->reply, "OK");
}

/*
 * Stops
 */

static void put_stop(struct gdb *gdb, unsigned hart, unsigned signal)
{
    static const char *const watches[] = {
        [DEBUG_WRITE] = "watch", [DEBUG_READ] = "rwatch", [DEBUG_ACCESS] = "awatch"};
    const struct debug_stop *stop = &gdb->m->harts[hart].hart->stop;
    gdb_put(&gdb->reply, "T%02xthread:%x;", signal, hart + 1);
    switch (stop->kind) {
    case DEBUG_BREAK:
        gdb_put(&gdb->reply, "%s", gdb->tells_break ? "swbreak:;" : "");
        break;
    case DEBUG_HARD_BREAK:
        gdb_put(&gdb->reply, "%s", gdb->tells_hard ? "hwbreak:;" : "");
        break;
    case DEBUG_WRITE:
    case DEBUG_READ:
    case DEBUG_ACCESS:
        gdb_put(&gdb->reply, "%s:%" PRIx64 ";", watches[stop->kind], stop->va);
        break;
    case DEBUG_STEP:
    case DEBUG_NONE:
        break;
    }
}

static void stop(struct gdb *gdb, unsigned hart, unsigned signal)
{
    gdb->running = false;
    gdb->hart = gdb->resumed = hart;
    put_stop(gdb, hart, signal);
    gdb_send(gdb);
}

/* The first hart that has found something, from the one that the debugger looks at on, since it may be
 * stepping there; hart_count: none has. */
static unsigned find_stopped(const struct gdb *gdb)
{
    const struct machine *m = gdb->m;
    for (unsigned i = 0; i < m->hart_count; i++) {
        unsigned n = (gdb->hart + i) % m->hart_count;
        if (m->harts[n].hart->stop.kind != DEBUG_NONE)
            return n;
    }
    return m->hart_count;
}

void gdb_tell_stop(struct gdb *gdb)
{
    if (!gdb->attached || !gdb->running)
        return;
    machine_pause(gdb->m, MACHINE_PAUSE_DEBUGGER);
    pthread_mutex_lock(&gdb->m->load_lock);
    unsigned n = find_stopped(gdb);
    if (n < gdb->m->hart_count)
        stop(gdb, n, SIGNAL_TRAP);
    else /* a reset came in between and has taken it away */
        machine_resume(gdb->m, MACHINE_PAUSE_DEBUGGER);
    pthread_mutex_unlock(&gdb->m->load_lock);
}

void gdb_interrupt(struct gdb *gdb)
{
    if (!gdb->running)
        return;
    machine_pause(gdb->m, MACHINE_PAUSE_DEBUGGER);
    pthread_mutex_lock(&gdb->m->load_lock);
    for (unsigned i = 0; i < gdb->m->hart_count; i++)
        gdb->m->harts[i].hart->stop.kind = DEBUG_NONE;
    stop(gdb, gdb->hart, SIGNAL_INT);
    pthread_mutex_unlock(&gdb->m->load_lock);
}

void gdb_say_stop(struct gdb *gdb, struct gdb_words *w)
{
    (void)w;
    put_stop(gdb, gdb->hart, SIGNAL_TRAP);
}

/*
 * Going on
 */

/* A hart goes on from here; what it stopped for is past. Harts rest. */
static void set_go(struct gdb *gdb, unsigned hart, enum machine_go go, uint64_t first, uint64_t end)
{
    struct machine_hart *mh = &gdb->m->harts[hart];
    pthread_mutex_lock(&gdb->m->lock);
    mh->hart->stop.kind = DEBUG_NONE;
    mh->hart->holds_interrupts = go == MACHINE_GO_ALONE;
    mh->go = go;
    mh->step_first = first;
    mh->step_end = end;
    pthread_mutex_unlock(&gdb->m->lock);
}

static void go_on(struct gdb *gdb)
{
    gdb->running = true;
    machine_resume(gdb->m, MACHINE_PAUSE_DEBUGGER | MACHINE_PAUSE_USER);
}

/* c and s, with the address to go on from behind them. */
static void resume(struct gdb *gdb, struct gdb_words *w, enum machine_go go)
{
    uint64_t pc;
    if (gdb_take_number(w, &pc))
        gdb_hart(gdb)->pc = pc & ~UINT64_C(1);
    for (unsigned i = 0; i < gdb->m->hart_count; i++) {
        bool chosen = gdb->resumed_is_all ? i == gdb->hart : i == gdb->resumed;
        enum machine_go others =
            go == MACHINE_GO_RUN && gdb->resumed_is_all ? MACHINE_GO_RUN : MACHINE_GO_REST;
        set_go(gdb, i, chosen ? go : others, 0, 0);
    }
    go_on(gdb);
}

void gdb_continue(struct gdb *gdb, struct gdb_words *w)
{
    resume(gdb, w, MACHINE_GO_RUN);
}

void gdb_step(struct gdb *gdb, struct gdb_words *w)
{
    resume(gdb, w, MACHINE_GO_STEP);
}

/* One of vCont's: what a hart does, unless an action before it has said so. */
struct action {
    enum machine_go go;
    uint64_t first, end; /* of a range to step in */
    int hart;            /* GDB_ALL, GDB_ANY or one */
};

/* LETTER[SIGNAL|FIRST,END][:THREAD]; signals have no meaning here. */
static bool take_action(const struct gdb *gdb, struct gdb_words *w, struct action *a)
{
    uint64_t signal;
    *a = (struct action){.hart = GDB_ALL};
    if (gdb_take_char(w, 'C') || gdb_take_char(w, 'S')) {
        a->go = w->at[-1] == 'C' ? MACHINE_GO_RUN : MACHINE_GO_STEP;
        if (!gdb_take_number(w, &signal))
            return false;
    } else if (gdb_take_char(w, 'r')) {
        a->go = MACHINE_GO_STEP;
        if (!gdb_take_number(w, &a->first) || !gdb_take_char(w, ',') ||
            !gdb_take_number(w, &a->end) || a->end < a->first)
            return false;
    } else if (gdb_take_char(w, 's')) {
        a->go = MACHINE_GO_STEP;
    } else if (!gdb_take_char(w, 'c')) {
        return false;
    }
    return !gdb_take_char(w, ':') || gdb_take_thread(gdb, w, &a->hart);
}

/*
 * GDB steps RISC-V by a breakpoint behind the instruction and has the hart continue, alone: that is a step
 * in all but its name.
 */
static void continue_each(struct gdb *gdb, struct gdb_words *w)
{
    struct action chosen[MACHINE_HARTS_MAX] = {0}, a;
    bool has[MACHINE_HARTS_MAX] = {false};
    unsigned count = 0;
    while (gdb_take_char(w, ';')) {
        if (!take_action(gdb, w, &a)) {
            gdb_put(&gdb->reply, GDB_ERROR_WORDS);
            return;
        }
        for (unsigned i = 0; i < gdb->m->hart_count; i++) {
            bool meant =
                a.hart == GDB_ALL || (unsigned)(a.hart == GDB_ANY ? (int)gdb->hart : a.hart) == i;
            if (!meant || has[i])
                continue;
            chosen[i] = a;
            has[i] = true;
            count++;
        }
    }
    if (!count) {
        gdb_put(&gdb->reply, GDB_ERROR_WORDS);
        return;
    }
    for (unsigned i = 0; i < gdb->m->hart_count; i++) {
        bool alone = count == 1 && chosen[i].hart >= 0 && chosen[i].go == MACHINE_GO_RUN;
        if (has[i])
            set_go(gdb, i, alone ? MACHINE_GO_ALONE : chosen[i].go, chosen[i].first, chosen[i].end);
        else
            set_go(gdb, i, MACHINE_GO_REST, 0, 0);
    }
    go_on(gdb);
}

void gdb_verbose(struct gdb *gdb, struct gdb_words *w)
{
    if (gdb_take_text(w, "Cont?")) {
        gdb_put(&gdb->reply, "vCont;c;C;s;S;r");
    } else if (gdb_take_text(w, "Cont")) {
        continue_each(gdb, w);
    } else if (gdb_take_text(w, "Kill")) {
        machine_request(gdb->m, MACHINE_POWEROFF, 0);
        gdb_put(&gdb->reply, "OK");
    }
}

/*
 * Coming and going
 */

void gdb_attach(struct gdb *gdb)
{
    machine_pause(gdb->m, MACHINE_PAUSE_DEBUGGER);
}

void gdb_detach(struct gdb *gdb)
{
    if (!gdb->attached)
        return;
    gdb->attached = false;
    gdb->client = NULL;
    gdb->running = false;
    machine_pause(gdb->m, MACHINE_PAUSE_DEBUGGER);
    gdb->points.count = 0;
    gdb_apply_points(gdb);
    for (unsigned i = 0; i < gdb->m->hart_count; i++)
        set_go(gdb, i, MACHINE_GO_RUN, 0, 0);
    machine_resume(gdb->m, MACHINE_PAUSE_DEBUGGER);
    log_line(gdb->config.log, LOG_INFO, "the debugger has gone");
}
