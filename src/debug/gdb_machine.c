/* SPDX-License-Identifier: MPL-2.0 */
/* A machine as GDB's target, and how a debugger comes to it. */
#include "debug/gdb_machine.h"

#include "debug/memory.h"
#include "debug/server.h"
#include "gdb/session.h"
#include "machine/machine.h"
#include <stdio.h>
#include <stdlib.h>

/*
 * The debugger's socket
 */

static void send_bytes(void *ctx, const void *bytes, size_t size)
{
    struct gdb_machine *g = ctx;
    if (g->client)
        server_send(g->client, bytes, size);
}

static void hang_up(void *ctx)
{
    struct gdb_machine *g = ctx;
    if (g->client)
        server_hang_up(g->client);
}

static void *on_opened(void *ctx, struct server_client *client)
{
    struct gdb_machine *g = ctx;
    g->client = client;
    gdb_open(g->gdb);
    return g;
}

static void on_input(void *session, const uint8_t *bytes, size_t size)
{
    struct gdb_machine *g = session;
    gdb_input(g->gdb, bytes, size);
}

static void on_closed(void *session)
{
    struct gdb_machine *g = session;
    g->client = NULL;
    gdb_close(g->gdb);
}

/*
 * Threads
 */

static void lock(void *ctx)
{
    struct gdb_machine *g = ctx;
    pthread_mutex_lock(&g->m->load_lock);
}

static void unlock(void *ctx)
{
    struct gdb_machine *g = ctx;
    pthread_mutex_unlock(&g->m->load_lock);
}

static struct hart *thread_at(void *ctx, unsigned n, uint64_t *id)
{
    const struct gdb_machine *g = ctx;
    if (n >= g->m->hart_count)
        return NULL;
    *id = n + 1;
    return g->m->harts[n].hart;
}

static void describe_thread(void *ctx, uint64_t id, char *text, size_t size)
{
    static const char *const modes[] = {"U-mode", "S-mode", "?", "M-mode"};
    const struct gdb_machine *g = ctx;
    const struct machine_hart *mh = &g->m->harts[id - 1];
    snprintf(text, size, "hart %u, %s", (unsigned)id - 1,
             atomic_load(&mh->hsm) == HSM_STOPPED ? "stopped" : modes[mh->hart->priv & 3]);
}

/*
 * Memory
 */

/* Whose addresses are meant. */
static struct hart *space(const struct gdb_machine *g, struct hart *h)
{
    return g->physical ? NULL : h;
}

static size_t read_memory(void *ctx, struct hart *h, uint64_t va, void *bytes, size_t size)
{
    const struct gdb_machine *g = ctx;
    return debug_read(g->m, space(g, h), va, bytes, size);
}

static size_t write_memory(void *ctx, struct hart *h, uint64_t va, const void *bytes, size_t size)
{
    const struct gdb_machine *g = ctx;
    return debug_write(g->m, space(g, h), va, bytes, size);
}

static void set_points(void *ctx, const struct debug_points *points,
                       const struct debug_point *added)
{
    const struct gdb_machine *g = ctx;
    (void)added;
    for (unsigned i = 0; i < g->m->hart_count; i++)
        debug_set_points(g->m->hart_list[i], points);
}

/*
 * Going on and stopping
 */

static void pause_machine(void *ctx)
{
    const struct gdb_machine *g = ctx;
    machine_pause(g->m, MACHINE_PAUSE_DEBUGGER);
}

/* A hart goes on from here; what it stopped for is past. Signals have no meaning here. */
static void set_go(void *ctx, uint64_t id, const struct gdb_go *go)
{
    static const enum machine_go hows[] = {
        [GDB_RUN] = MACHINE_GO_RUN,
        [GDB_RUN_ALONE] = MACHINE_GO_ALONE,
        [GDB_STEP] = MACHINE_GO_STEP,
        [GDB_REST] = MACHINE_GO_REST,
    };
    const struct gdb_machine *g = ctx;
    if (!id)
        return;
    struct machine_hart *mh = &g->m->harts[id - 1];
    pthread_mutex_lock(&g->m->lock);
    mh->hart->stop.kind = DEBUG_NONE;
    mh->hart->holds_interrupts = go->how == GDB_RUN_ALONE;
    mh->go = hows[go->how];
    mh->step_first = go->first;
    mh->step_end = go->end;
    pthread_mutex_unlock(&g->m->lock);
}

static void resume(void *ctx, bool asked)
{
    const struct gdb_machine *g = ctx;
    machine_resume(g->m, MACHINE_PAUSE_DEBUGGER | (asked ? (unsigned)MACHINE_PAUSE_USER : 0));
}

/* From the one that the debugger looks at on, since it may be stepping there. */
static bool find_stop(void *ctx, uint64_t first, struct gdb_stop *stop)
{
    const struct gdb_machine *g = ctx;
    const struct machine *m = g->m;
    for (unsigned i = 0; i < m->hart_count; i++) {
        const unsigned n = ((unsigned)first - 1 + i) % m->hart_count;
        const struct hart *h = m->harts[n].hart;
        if (h->stop.kind == DEBUG_NONE)
            continue;
        *stop = (struct gdb_stop){.thread = n + 1, .signal = GDB_SIGNAL_TRAP, .point = h->stop};
        return true;
    }
    return false;
}

static void kill_machine(void *ctx)
{
    const struct gdb_machine *g = ctx;
    machine_request(g->m, MACHINE_POWEROFF, 0);
}

/*
 * Its own packets
 */

/* qRcmd,HEX */
static void run_monitor(struct gdb_machine *g, struct gdb_words *w, struct gdb_reply *reply)
{
    char command[256];
    size_t length = (size_t)(w->end - w->at) / 2;
    if (length >= sizeof(command) || !gdb_take_hex(w, command, length)) {
        gdb_put(reply, GDB_ERROR_WORDS);
        return;
    }
    command[length] = '\0';
    gdb_monitor(g, command);
}

static void set_physical(struct gdb_machine *g, struct gdb_words *w, struct gdb_reply *reply)
{
    uint64_t on;
    bool ok = gdb_take_number(w, &on);
    if (ok)
        g->physical = on;
    gdb_put(reply, ok ? "OK" : GDB_ERROR_WORDS);
}

static void other_packet(void *ctx, char letter, struct gdb_words *w, struct gdb_reply *reply)
{
    struct gdb_machine *g = ctx;
    if (letter == 'q' && gdb_take_text(w, "Rcmd,"))
        run_monitor(g, w, reply);
    else if (letter == 'q' && gdb_take_text(w, "qemu.PhyMemMode"))
        gdb_put(reply, "%d", g->physical);
    else if (letter == 'Q' && gdb_take_text(w, "qemu.PhyMemMode:"))
        set_physical(g, w, reply);
}

static void attached(void *ctx)
{
    struct gdb_machine *g = ctx;
    g->physical = false;
}

static const struct gdb_target_ops target_ops = {
    .send = send_bytes,
    .hang_up = hang_up,
    .lock = lock,
    .unlock = unlock,
    .thread = thread_at,
    .describe_thread = describe_thread,
    .read = read_memory,
    .write = write_memory,
    .set_points = set_points,
    .pause = pause_machine,
    .set_go = set_go,
    .resume = resume,
    .find_stop = find_stop,
    .attached = attached,
    .kill = kill_machine,
    .other = other_packet,
};

/*
 * Its life
 */

/* On a hart's thread, under machine.lock. */
static void on_stop(void *ctx)
{
    struct gdb_machine *g = ctx;
    event_call_post(&g->stopped);
}

static void tell_stop(void *ctx)
{
    struct gdb_machine *g = ctx;
    gdb_found(g->gdb);
}

static void tell_end(void *ctx)
{
    struct gdb_machine *g = ctx;
    int status = atomic_exchange(&g->end_status, -1);
    if (status >= 0)
        gdb_ended(g->gdb, (unsigned)status, GDB_SIGNAL_NONE);
}

void gdb_machine_ended(struct gdb_machine *g, int status)
{
    atomic_store(&g->end_status, status);
    event_call_post(&g->ended);
}

static void ask_for_stops(struct gdb_machine *g, void (*fn)(void *ctx))
{
    pthread_mutex_lock(&g->m->lock);
    g->m->on_stop = fn;
    g->m->on_stop_ctx = g;
    pthread_mutex_unlock(&g->m->lock);
}

static bool listen_for_debuggers(struct gdb_machine *g, struct error *err)
{
    static const struct server_ops ops = {
        .opened = on_opened, .input = on_input, .closed = on_closed};
    const struct server_config server = {
        .where = g->config.where,
        .name = "the GDB stub",
        .clients = 1,
        .loop = g->config.loop,
        .log = g->config.log,
        .ops = &ops,
        .ctx = g,
    };
    if (!g->config.where)
        return true;
    event_call_init(&g->stopped, g->config.loop, tell_stop, g);
    event_call_init(&g->ended, g->config.loop, tell_end, g);
    g->server = server_new(&server, err);
    if (!g->server)
        return false;
    ask_for_stops(g, on_stop);
    return true;
}

struct gdb_machine *gdb_machine_new(const struct gdb_config *config, struct error *err)
{
    struct gdb_machine *g = calloc(1, sizeof(*g));
    if (!g) {
        error_set(err, "out of memory");
        return NULL;
    }
    const struct gdb_target target = {
        .ops = &target_ops, .ctx = g, .features = "", .was_there = true, .log = config->log};
    g->config = *config;
    g->m = config->machine;
    atomic_init(&g->end_status, -1);
    g->gdb = gdb_new(&target);
    if (!g->gdb)
        error_set(err, "out of memory");
    if (!g->gdb || !listen_for_debuggers(g, err)) {
        gdb_free(g->gdb);
        free(g);
        return NULL;
    }
    return g;
}

void gdb_machine_free(struct gdb_machine *g)
{
    if (!g)
        return;
    if (g->server) {
        tell_end(g);
        server_free(g->server);
        ask_for_stops(g, NULL);
        event_call_remove(&g->stopped);
        event_call_remove(&g->ended);
    }
    gdb_free(g->gdb);
    free(g);
}
