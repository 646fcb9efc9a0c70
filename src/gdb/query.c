/* SPDX-License-Identifier: MPL-2.0 */
/* What is asked about the stub and about the threads. */
#include "gdb/session.h"

#include "gdb/registers.h"
#include <inttypes.h>
#include <string.h>

static void supported(struct gdb *gdb, struct gdb_words *w)
{
    /* data[size] is '\0', and the words are a debugger's: text it has. */
    gdb->tells_break = strstr(w->at, "swbreak+");
    gdb->tells_hard = strstr(w->at, "hwbreak+");
    gdb->tells_exec = strstr(w->at, "exec-events+");
    gdb->tells_none = strstr(w->at, "no-resumed+");
    gdb_put(&gdb->reply,
            "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;"
            "hwbreak+%s",
            GDB_PACKET_SIZE, gdb->target.features);
}

/* qXfer:features:read:target.xml:OFFSET,SIZE */
static void read_description(struct gdb *gdb, struct gdb_words *w)
{
    if (!gdb->description)
        gdb->description = registers_describe(gdb_hart(gdb));
    if (gdb->description)
        gdb_put_piece(&gdb->reply, w, gdb->description, strlen(gdb->description));
    else
        gdb_put(&gdb->reply, GDB_ERROR_MEMORY);
}

/* As many as fit, from the first one that was not told yet. */
static void list_threads(struct gdb *gdb, struct gdb_words *w)
{
    enum { ROOM_FOR_ONE = 20 };
    uint64_t id;
    char before = 'm';
    (void)w;
    while (gdb->reply.size < GDB_PACKET_SIZE - ROOM_FOR_ONE &&
           gdb->target.ops->thread(gdb->target.ctx, gdb->listed, &id)) {
        gdb_put(&gdb->reply, "%c%" PRIx64, before, id);
        before = ',';
        gdb->listed++;
    }
    if (!gdb->reply.size)
        gdb_put(&gdb->reply, "l");
}

static void list_first_threads(struct gdb *gdb, struct gdb_words *w)
{
    gdb->listed = 0;
    list_threads(gdb, w);
}

static void current_thread(struct gdb *gdb, struct gdb_words *w)
{
    (void)w;
    gdb_put(&gdb->reply, "QC%" PRIx64, gdb->thread);
}

static void describe_thread(struct gdb *gdb, struct gdb_words *w)
{
    char text[64] = "";
    uint64_t id;
    if (!gdb_take_thread(gdb, w, &id) || id == GDB_ALL || id == GDB_ANY) {
        gdb_put(&gdb->reply, GDB_ERROR_WORDS);
        return;
    }
    gdb->target.ops->describe_thread(gdb->target.ctx, id, text, sizeof(text));
    gdb_put_hex(&gdb->reply, text, strlen(text));
}

/* To something that was there before: quitting detaches. */
static void is_attached(struct gdb *gdb, struct gdb_words *w)
{
    (void)w;
    gdb_put(&gdb->reply, "%d", gdb->target.was_there);
}

/* The answer to this one is acknowledged still, which does no harm. */
static void set_no_ack(struct gdb *gdb, struct gdb_words *w)
{
    (void)w;
    gdb->no_ack = true;
    gdb_put(&gdb->reply, "OK");
}

struct named {
    const char *name;
    gdb_packet_fn *take;
};

static void take_named(struct gdb *gdb, struct gdb_words *w, const struct named *list, char letter)
{
    for (; list->name; list++)
        if (gdb_take_text(w, list->name)) {
            list->take(gdb, w);
            return;
        }
    gdb->target.ops->other(gdb->target.ctx, letter, w, &gdb->reply);
}

void gdb_query(struct gdb *gdb, struct gdb_words *w)
{
    static const struct named queries[] = {
        {"Supported", supported},
        {"Xfer:features:read:target.xml:", read_description},
        {"fThreadInfo", list_first_threads},
        {"sThreadInfo", list_threads},
        {"ThreadExtraInfo,", describe_thread},
        {"Attached", is_attached},
        {NULL, NULL},
    };
    if (w->at + 1 == w->end && gdb_take_char(w, 'C'))
        current_thread(gdb, w);
    else
        take_named(gdb, w, queries, 'q');
}

void gdb_set(struct gdb *gdb, struct gdb_words *w)
{
    static const struct named settings[] = {
        {"StartNoAckMode", set_no_ack},
        {NULL, NULL},
    };
    take_named(gdb, w, settings, 'Q');
}

/* Hg and Hc */
void gdb_choose_thread(struct gdb *gdb, struct gdb_words *w)
{
    bool registers = gdb_take_char(w, 'g');
    uint64_t id;
    if ((!registers && !gdb_take_char(w, 'c')) || !gdb_take_thread(gdb, w, &id)) {
        gdb_put(&gdb->reply, GDB_ERROR_WORDS);
        return;
    }
    const bool is_one = id != GDB_ALL && id != GDB_ANY;
    if (registers) {
        gdb->thread = is_one ? id : gdb->thread;
    } else {
        gdb->resumed_is_all = !is_one;
        gdb->resumed = is_one ? id : gdb->thread;
    }
    gdb_put(&gdb->reply, "OK");
}

void gdb_thread_alive(struct gdb *gdb, struct gdb_words *w)
{
    uint64_t id;
    bool is = gdb_take_thread(gdb, w, &id) && id != GDB_ALL && id != GDB_ANY;
    gdb_put(&gdb->reply, is ? "OK" : GDB_ERROR_WORDS);
}
