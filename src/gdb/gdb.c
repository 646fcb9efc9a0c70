/* SPDX-License-Identifier: MPL-2.0 */
/* The stub's life, packets in and out, and which function is whose. */
#include "gdb/session.h"

#include <stdlib.h>
#include <string.h>

struct hart *gdb_hart_of(const struct gdb *gdb, uint64_t thread)
{
    struct hart *h;
    uint64_t id;
    for (unsigned n = 0; (h = gdb->target.ops->thread(gdb->target.ctx, n, &id)); n++)
        if (id == thread)
            return h;
    return NULL;
}

struct hart *gdb_hart(struct gdb *gdb)
{
    struct hart *h = gdb_hart_of(gdb, gdb->thread);
    return h ? h : gdb->target.ops->thread(gdb->target.ctx, 0, &gdb->thread);
}

bool gdb_take_thread(const struct gdb *gdb, struct gdb_words *w, uint64_t *thread)
{
    if (gdb_take_text(w, "-1")) {
        *thread = GDB_ALL;
        return true;
    }
    return gdb_take_number(w, thread) && (*thread == GDB_ANY || gdb_hart_of(gdb, *thread));
}

static void send_bytes(struct gdb *gdb, const void *bytes, size_t size)
{
    gdb->target.ops->send(gdb->target.ctx, bytes, size);
}

void gdb_send(struct gdb *gdb)
{
    gdb->frame_size = gdb_packet_frame(&gdb->reply, gdb->frame);
    gdb->reply.size = 0;
    gdb->reply.data[0] = '\0';
    send_bytes(gdb, gdb->frame, gdb->frame_size);
}

static void detach(struct gdb *gdb, struct gdb_words *w)
{
    (void)w;
    gdb_put(&gdb->reply, "OK");
    gdb_send(gdb);
    gdb_detach(gdb, true);
    gdb->target.ops->hang_up(gdb->target.ctx);
}

/* It wants no answer. */
static void kill_target(struct gdb *gdb, struct gdb_words *w)
{
    (void)w;
    gdb->target.ops->kill(gdb->target.ctx);
    gdb_detach(gdb, false);
    gdb->target.ops->hang_up(gdb->target.ctx);
}

/* A packet's first letter says what it is. */
static gdb_packet_fn *const packets[128] = {
    ['?'] = gdb_say_stop,
    ['C'] = gdb_continue_with,
    ['D'] = detach,
    ['G'] = gdb_write_registers,
    ['H'] = gdb_choose_thread,
    ['M'] = gdb_write_memory,
    ['P'] = gdb_write_register,
    ['Q'] = gdb_set,
    ['S'] = gdb_step_with,
    ['T'] = gdb_thread_alive,
    ['X'] = gdb_write_binary,
    ['Z'] = gdb_add_point,
    ['c'] = gdb_continue,
    ['g'] = gdb_read_registers,
    ['k'] = kill_target,
    ['m'] = gdb_read_memory,
    ['p'] = gdb_read_register,
    ['q'] = gdb_query,
    ['s'] = gdb_step,
    ['v'] = gdb_verbose,
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
    gdb->target.ops->lock(gdb->target.ctx);
    if (take && gdb_hart(gdb))
        take(gdb, &words);
    gdb->target.ops->unlock(gdb->target.ctx);
    if (gdb->attached && !gdb->running)
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

static void begin(struct gdb *gdb)
{
    gdb->attached = true;
    gdb->no_ack = gdb->running = gdb->tells_break = gdb->tells_hard = gdb->tells_exec = false;
    gdb->tells_none = false;
    gdb->thread = gdb->resumed = 0;
    gdb->resumed_is_all = true;
    gdb->frame_size = 0;
    gdb->packets.state = GDB_BETWEEN;
    gdb->stop = (struct gdb_stop){.signal = GDB_SIGNAL_TRAP, .point.kind = DEBUG_NONE};
    if (gdb->target.ops->attached)
        gdb->target.ops->attached(gdb->target.ctx);
}

void gdb_open(struct gdb *gdb)
{
    begin(gdb);
    gdb->target.ops->pause(gdb->target.ctx);
    log_line(gdb->target.log, LOG_INFO, "a debugger is attached");
}

void gdb_manners(const struct gdb *gdb, char manners[GDB_MANNERS_SIZE])
{
    const bool has[] = {gdb->no_ack, gdb->tells_break, gdb->tells_hard, gdb->tells_exec,
                        gdb->tells_none};
    for (unsigned n = 0; n < sizeof(has) / sizeof(*has); n++)
        if (has[n])
            *manners++ = "nsher"[n];
    *manners = '\0';
}

void gdb_adopt(struct gdb *gdb, const char *manners)
{
    begin(gdb);
    gdb->running = true;
    gdb->no_ack = strchr(manners, 'n');
    gdb->tells_break = strchr(manners, 's');
    gdb->tells_hard = strchr(manners, 'h');
    gdb->tells_exec = strchr(manners, 'e');
    gdb->tells_none = strchr(manners, 'r');
}

void gdb_input(struct gdb *gdb, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size && gdb->attached; i++)
        take_byte(gdb, bytes[i]);
}

void gdb_close(struct gdb *gdb)
{
    gdb->target.ops->lock(gdb->target.ctx);
    gdb_detach(gdb, false);
    gdb->target.ops->unlock(gdb->target.ctx);
}

void gdb_ended(struct gdb *gdb, unsigned status, unsigned signal)
{
    if (!gdb->attached || !gdb->running)
        return;
    gdb->running = false;
    gdb_put(&gdb->reply, "%c%02x", signal ? 'X' : 'W', (signal ? signal : status) & 0xff);
    gdb_send(gdb);
}

bool gdb_is_attached(const struct gdb *gdb)
{
    return gdb->attached;
}

bool gdb_is_running(const struct gdb *gdb)
{
    return gdb->running;
}

struct gdb *gdb_new(const struct gdb_target *target)
{
    struct gdb *gdb = calloc(1, sizeof(*gdb));
    if (gdb)
        gdb->target = *target;
    return gdb;
}

void gdb_free(struct gdb *gdb)
{
    if (!gdb)
        return;
    free(gdb->description);
    free(gdb);
}
