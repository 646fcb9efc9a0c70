/* SPDX-License-Identifier: MPL-2.0 */
/* What is asked about the stub and about the threads, which are the harts. */
#include "debug/gdb_session.h"

#include "debug/registers.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void supported(struct gdb *gdb, struct gdb_words *w)
{
    /* data[size] is '\0', and the words are a debugger's: text it has. */
    gdb->tells_break = strstr(w->at, "swbreak+");
    gdb->tells_hard = strstr(w->at, "hwbreak+");
    gdb_put(&gdb->reply,
            "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;"
            "hwbreak+",
            GDB_PACKET_SIZE);
}

/* qXfer:features:read:target.xml:OFFSET,SIZE */
static void read_description(struct gdb *gdb, struct gdb_words *w)
{
    uint64_t offset, size;
    if (!gdb->description)
        gdb->description = registers_describe(gdb->m->harts[0].hart);
    if (!gdb->description || !gdb_take_number(w, &offset) || !gdb_take_char(w, ',') ||
        !gdb_take_number(w, &size)) {
        gdb_put(&gdb->reply, GDB_ERROR_WORDS);
        return;
    }
    const uint64_t all = strlen(gdb->description), room = GDB_PACKET_SIZE / 2;
    if (offset > all)
        offset = all;
    if (size > room)
        size = room;
    bool more = size < all - offset;
    gdb_put(&gdb->reply, more ? "m" : "l");
    gdb_put_bytes(&gdb->reply, gdb->description + offset, more ? size : all - offset);
}

static void list_threads(struct gdb *gdb, struct gdb_words *w)
{
    (void)w;
    for (unsigned i = 0; i < gdb->m->hart_count; i++)
        gdb_put(&gdb->reply, "%c%x", i ? ',' : 'm', i + 1);
}

static void end_of_threads(struct gdb *gdb, struct gdb_words *w)
{
    (void)w;
    gdb_put(&gdb->reply, "l");
}

static void current_thread(struct gdb *gdb, struct gdb_words *w)
{
    (void)w;
    gdb_put(&gdb->reply, "QC%x", gdb->hart + 1);
}

static void describe_thread(struct gdb *gdb, struct gdb_words *w)
{
    static const char *const modes[] = {"U-mode", "S-mode", "?", "M-mode"};
    char text[64];
    int n;
    if (!gdb_take_thread(gdb, w, &n) || n < 0) {
        gdb_put(&gdb->reply, GDB_ERROR_WORDS);
        return;
    }
    const struct machine_hart *mh = &gdb->m->harts[n];
    int length =
        snprintf(text, sizeof(text), "hart %d, %s", n,
                 atomic_load(&mh->hsm) == HSM_STOPPED ? "stopped" : modes[mh->hart->priv & 3]);
    gdb_put_hex(&gdb->reply, text, (size_t)length);
}

static void is_attached(struct gdb *gdb, struct gdb_words *w)
{
    (void)w;
    gdb_put(&gdb->reply, "1"); /* to something that was there before: quitting detaches */
}

/* qRcmd,HEX */
static void run_monitor(struct gdb *gdb, struct gdb_words *w)
{
    char command[256];
    size_t length = (size_t)(w->end - w->at) / 2;
    if (length >= sizeof(command) || !gdb_take_hex(w, command, length)) {
        gdb_put(&gdb->reply, GDB_ERROR_WORDS);
        return;
    }
    command[length] = '\0';
    gdb_monitor(gdb, command);
}

static void ask_physical(struct gdb *gdb, struct gdb_words *w)
{
    (void)w;
    gdb_put(&gdb->reply, "%d", gdb->physical);
}

static void set_physical(struct gdb *gdb, struct gdb_words *w)
{
    uint64_t on;
    bool ok = gdb_take_number(w, &on);
    if (ok)
        gdb->physical = on;
    gdb_put(&gdb->reply, ok ? "OK" : GDB_ERROR_WORDS);
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

static void take_named(struct gdb *gdb, struct gdb_words *w, const struct named *list)
{
    for (; list->name; list++)
        if (gdb_take_text(w, list->name)) {
            list->take(gdb, w);
            return;
        }
}

void gdb_query(struct gdb *gdb, struct gdb_words *w)
{
    static const struct named queries[] = {
        {"Supported", supported},
        {"Xfer:features:read:target.xml:", read_description},
        {"fThreadInfo", list_threads},
        {"sThreadInfo", end_of_threads},
        {"ThreadExtraInfo,", describe_thread},
        {"Attached", is_attached},
        {"Rcmd,", run_monitor},
        {"qemu.PhyMemMode", ask_physical},
        {"C", current_thread},
        {NULL, NULL},
    };
    take_named(gdb, w, queries);
}

void gdb_set(struct gdb *gdb, struct gdb_words *w)
{
    static const struct named settings[] = {
        {"StartNoAckMode", set_no_ack},
        {"qemu.PhyMemMode:", set_physical},
        {NULL, NULL},
    };
    take_named(gdb, w, settings);
}

/* Hg and Hc */
void gdb_choose_thread(struct gdb *gdb, struct gdb_words *w)
{
    bool registers = gdb_take_char(w, 'g');
    int n;
    if ((!registers && !gdb_take_char(w, 'c')) || !gdb_take_thread(gdb, w, &n)) {
        gdb_put(&gdb->reply, GDB_ERROR_WORDS);
        return;
    }
    if (registers) {
        gdb->hart = n >= 0 ? (unsigned)n : gdb->hart;
    } else {
        gdb->resumed_is_all = n < 0;
        gdb->resumed = n >= 0 ? (unsigned)n : gdb->hart;
    }
    gdb_put(&gdb->reply, "OK");
}

void gdb_thread_alive(struct gdb *gdb, struct gdb_words *w)
{
    int n;
    gdb_put(&gdb->reply, gdb_take_thread(gdb, w, &n) && n >= 0 ? "OK" : GDB_ERROR_WORDS);
}
