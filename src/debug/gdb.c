/* SPDX-License-Identifier: MPL-2.0 */
/* The stub's life, packets in and out, and which function is whose. */
#include "debug/gdb_session.h"

#include <stdlib.h>
#include <string.h>

bool gdb_take_thread(const struct gdb *gdb, struct gdb_words *w, int *hart)
{
    uint64_t n;
    if (gdb_take_text(w, "-1")) {
        *hart = GDB_ALL;
        return true;
    }
    if (!gdb_take_number(w, &n) || n > gdb->m->hart_count)
        return false;
    *hart = n ? (int)n - 1 : GDB_ANY;
    return true;
}

void gdb_send(struct gdb *gdb)
{
    gdb->frame_size = gdb_packet_frame(&gdb->reply, gdb->frame);
    gdb->reply.size = 0;
    gdb->reply.data[0] = '\0';
    if (gdb->client)
        server_send(gdb->client, gdb->frame, gdb->frame_size);
}

static void send_bytes(struct gdb *gdb, const void *bytes, size_t size)
{
    if (gdb->client)
        server_send(gdb->client, bytes, size);
}

static void detach(struct gdb *gdb, struct gdb_words *w)
{
    struct server_client *client = gdb->client;
    (void)w;
    gdb_put(&gdb->reply, "OK");
    gdb_send(gdb);
    gdb_detach(gdb);
    machine_resume(gdb->m, MACHINE_PAUSE_USER);
    if (client)
        server_hang_up(client);
}

/* It wants no answer. */
static void end_machine(struct gdb *gdb, struct gdb_words *w)
{
    (void)w;
    struct server_client *client = gdb->client;
    machine_request(gdb->m, MACHINE_POWEROFF, 0);
    gdb_detach(gdb);
    if (client)
        server_hang_up(client);
}

/* A packet's first letter says what it is. */
static gdb_packet_fn *const packets[128] = {
    ['?'] = gdb_say_stop,      ['D'] = detach,           ['G'] = gdb_write_registers,
    ['H'] = gdb_choose_thread, ['M'] = gdb_write_memory, ['P'] = gdb_write_register,
    ['Q'] = gdb_set,           ['T'] = gdb_thread_alive, ['X'] = gdb_write_binary,
    ['Z'] = gdb_add_point,     ['c'] = gdb_continue,     ['g'] = gdb_read_registers,
    ['k'] = end_machine,       ['m'] = gdb_read_memory,  ['p'] = gdb_read_register,
    ['q'] = gdb_query,         ['s'] = gdb_step,         ['v'] = gdb_verbose,
    ['z'] = gdb_remove_point,
};

static void take_packet(struct gdb *gdb)
{
    struct gdb_words words = {gdb->packets.data, gdb->packets.data + gdb->packets.size};
    const unsigned char letter = gdb->packets.size ? (unsigned char)*words.at++ : 0;
    gdb_packet_fn *take = letter < 128 ? packets[letter] : NULL;
    /* While it waits for a stop, a debugger has nothing to say. */
    if (gdb->running)
        return;
    pthread_mutex_lock(&gdb->m->load_lock);
    if (take)
        take(gdb, &words);
    pthread_mutex_unlock(&gdb->m->load_lock);
    if (gdb->attached && !gdb->running && letter != 'D' && letter != 'k')
        gdb_send(gdb);
}

static void take_byte(struct gdb *gdb, uint8_t byte)
{
    switch (gdb_packet_take(&gdb->packets, byte)) {
    case GDB_PACKET:
        if (!gdb->no_ack)
            send_bytes(gdb, "+", 1);
        take_packet(gdb);
        break;
    case GDB_BROKEN:
        if (!gdb->no_ack)
            send_bytes(gdb, "-", 1);
        break;
    case GDB_NAK:
        send_bytes(gdb, gdb->frame, gdb->frame_size);
        break;
    case GDB_INTERRUPT:
        gdb_interrupt(gdb);
        break;
    case GDB_ACK:
    case GDB_NOTHING:
        break;
    }
}

void gdb_open(struct gdb *gdb, struct server_client *client)
{
    gdb->attached = true;
    gdb->client = client;
    gdb->no_ack = gdb->running = gdb->physical = gdb->tells_break = gdb->tells_hard = false;
    gdb->hart = gdb->resumed = 0;
    gdb->resumed_is_all = true;
    gdb->frame_size = 0;
    gdb->packets.state = GDB_BETWEEN;
    gdb_attach(gdb);
    log_line(gdb->config.log, LOG_INFO, "a debugger is attached");
}

void gdb_input(struct gdb *gdb, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size && gdb->attached; i++)
        take_byte(gdb, bytes[i]);
}

static void *on_opened(void *ctx, struct server_client *client)
{
    gdb_open(ctx, client);
    return ctx;
}

static void on_input(void *session, const uint8_t *bytes, size_t size)
{
    gdb_input(session, bytes, size);
}

static void on_closed(void *session)
{
    struct gdb *gdb = session;
    pthread_mutex_lock(&gdb->m->load_lock);
    gdb_detach(gdb);
    pthread_mutex_unlock(&gdb->m->load_lock);
}

static const struct server_ops ops = {on_opened, on_input, on_closed};

/* On a hart's thread, under machine.lock. */
static void on_stop(void *ctx)
{
    struct gdb *gdb = ctx;
    event_call_post(&gdb->stopped);
}

static void tell_stop(void *ctx)
{
    gdb_tell_stop(ctx);
}

static void tell_end(void *ctx)
{
    struct gdb *gdb = ctx;
    int status = atomic_exchange(&gdb->end_status, -1);
    if (!gdb->attached || !gdb->running || status < 0)
        return;
    gdb->running = false;
    gdb_put(&gdb->reply, "W%02x", status & 0xff);
    gdb_send(gdb);
}

void gdb_machine_ended(struct gdb *gdb, int status)
{
    atomic_store(&gdb->end_status, status);
    event_call_post(&gdb->ended);
}

static void ask_for_stops(struct gdb *gdb, void (*fn)(void *ctx))
{
    pthread_mutex_lock(&gdb->m->lock);
    gdb->m->on_stop = fn;
    gdb->m->on_stop_ctx = gdb;
    pthread_mutex_unlock(&gdb->m->lock);
}

struct gdb *gdb_new(const struct gdb_config *config, struct error *err)
{
    struct gdb *gdb = calloc(1, sizeof(*gdb));
    if (!gdb) {
        error_set(err, "out of memory");
        return NULL;
    }
    gdb->config = *config;
    gdb->m = config->machine;
    atomic_init(&gdb->end_status, -1);
    event_call_init(&gdb->stopped, config->loop, tell_stop, gdb);
    event_call_init(&gdb->ended, config->loop, tell_end, gdb);
    struct server_config server = {
        .where = config->where,
        .name = "the GDB stub",
        .clients = 1,
        .loop = config->loop,
        .log = config->log,
        .ops = &ops,
        .ctx = gdb,
    };
    gdb->server = server_new(&server, err);
    if (!gdb->server) {
        free(gdb);
        return NULL;
    }
    ask_for_stops(gdb, on_stop);
    return gdb;
}

void gdb_free(struct gdb *gdb)
{
    if (!gdb)
        return;
    tell_end(gdb);
    server_free(gdb->server);
    ask_for_stops(gdb, NULL);
    event_call_remove(&gdb->stopped);
    event_call_remove(&gdb->ended);
    free(gdb->description);
    free(gdb);
}
