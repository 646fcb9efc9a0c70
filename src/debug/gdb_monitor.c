/* SPDX-License-Identifier: MPL-2.0 */
/* `monitor COMMAND`: what a debugger's user may ask of the machine that has no packet of its own. */
#include "debug/gdb_machine.h"

#include "debug/memory.h"
#include "gdb/registers.h"
#include "gdb/session.h"
#include "isa/decode.h"
#include "jit/jit.h"
#include "machine/machine.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DUMP_DEFAULT 64
#define DUMP_MAX 4096

/* A piece of text for the user, now. */
__attribute__((format(printf, 2, 3))) static void say(struct gdb_machine *g, const char *format,
                                                      ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (length < 0)
        return;
    size_t size = (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1;
    gdb_put(&g->gdb->reply, "O");
    gdb_put_hex(&g->gdb->reply, text, size);
    gdb_send(g->gdb);
}

/* The next number, in C's notation; `other` where there is none. false: it is no number. */
static bool take_number(char **words, uint64_t *value, bool *has)
{
    char *end, *word = strtok_r(NULL, " \t", words);
    *has = word;
    if (!word)
        return true;
    *value = strtoull(word, &end, 0);
    return *end == '\0' && end != word;
}

/*
 * info
 */

static void info_registers(struct gdb_machine *g)
{
    struct hart *h = gdb_hart(g->gdb);
    char name[32];
    say(g, "pc 0x%" PRIx64 ", priv %u\n", h->pc, h->priv);
    for (unsigned n = 0; n < 32; n += 4)
        say(g,
            "x%-2u 0x%016" PRIx64 "  x%-2u 0x%016" PRIx64 "  x%-2u 0x%016" PRIx64
            "  x%-2u 0x%016" PRIx64 "\n",
            n, h->x[n], n + 1, h->x[n + 1], n + 2, h->x[n + 2], n + 3, h->x[n + 3]);
    for (unsigned csr = 0x100; csr < 0x400; csr++) {
        uint64_t value;
        isa_csr_name(csr, name, sizeof(name));
        if (register_read(h, REGISTER_CSR0 + csr, &value) && value)
            say(g, "%-12s 0x%" PRIx64 "\n", name, value);
    }
}

static void info_harts(struct gdb_machine *g)
{
    for (unsigned i = 0; i < g->m->hart_count; i++) {
        const struct machine_hart *mh = &g->m->harts[i];
        static const char *const states[] = {"started", "stopped", "starting", "?", "suspended"};
        unsigned state = atomic_load(&mh->hsm);
        say(g, "%c hart %u: %s, pc 0x%" PRIx64 ", priv %u, %" PRIu64 " instructions\n",
            i + 1 == g->gdb->thread ? '*' : ' ', i, state < 5 ? states[state] : "?", mh->hart->pc,
            mh->hart->priv, mh->hart->instret);
    }
}

static void say_entries(struct gdb_machine *g, const struct tlb_context *c, const char *name)
{
    unsigned reads = 0, writes = 0, fetches = 0;
    for (unsigned slot = 0; slot < TLB_SIZE; slot++) {
        const struct tlb_entry *e = &c->entries[slot];
        uint64_t write = __atomic_load_n(&e->write, __ATOMIC_RELAXED);
        reads += tlb_slot(e->read) == slot;
        writes += tlb_slot(write) == slot;
        fetches += tlb_slot(e->fetch) == slot;
    }
    say(g, "%-8s %u pages to read, %u to write, %u to run\n", name, reads, writes, fetches);
}

static void info_tlb(struct gdb_machine *g)
{
    static const char *const names[] = {"M", "S", "S+SUM"};
    const struct tlb *tlb = &gdb_hart(g->gdb)->tlb;
    for (unsigned i = 0; i < TLB_CONTEXTS; i++) {
        const struct tlb_context *c = &tlb->contexts[i];
        char name[32];
        if (!c->ready)
            continue;
        if (i >= TLB_U)
            snprintf(name, sizeof(name), "U %" PRIx64, c->satp);
        say_entries(g, c, i < TLB_U ? names[i] : name);
    }
}

static void info_blocks(struct gdb_machine *g)
{
    struct jit_stats s;
    if (!g->m->jit) {
        say(g, "nothing is translated: the interpreter runs\n");
        return;
    }
    jit_stats(g->m->jit, &s);
    say(g,
        "%" PRIu64 " blocks, %" PRIu64 " instructions to %" PRIu64 " bytes; %" PRIu64
        " dropped, %" PRIu64 " evicted\n",
        s.blocks, s.guest_insns, s.host_bytes, s.dropped, s.evicted);
    say(g, "%" PRIu64 " loops as a whole, %" PRIu64 " jumps chained\n", s.regions, s.chains);
}

static void info_stats(struct gdb_machine *g)
{
    uint64_t instructions = g->m->retired;
    for (unsigned i = 0; i < g->m->hart_count; i++)
        instructions += g->m->hart_list[i]->instret;
    say(g, "%" PRIu64 " instructions, %" PRIu64 " MiB of memory, %u resets\n", instructions,
        g->m->bus.ram_size >> 20, g->m->loads ? g->m->loads - 1 : 0);
}

static void info_devices(struct gdb_machine *g)
{
    for (unsigned i = 0; i < g->m->device_count; i++) {
        const struct device *dev = g->m->devices[i];
        say(g, "0x%09" PRIx64 " 0x%08" PRIx64 " %s\n", dev->base, dev->size, dev->ops->name);
    }
}

static void info_points(struct gdb_machine *g)
{
    static const char *const kinds[] = {"break", "hbreak", "watch", "rwatch", "awatch"};
    for (unsigned i = 0; i < g->gdb->points.count; i++) {
        const struct debug_point *p = &g->gdb->points.list[i];
        say(g, "%s 0x%" PRIx64 ", %" PRIu64 " bytes\n", kinds[p->kind], p->va, p->size);
    }
}

struct command {
    const char *name, *help;
    void (*run)(struct gdb_machine *g);
};

static const struct command infos[] = {
    {"registers", "registers of the hart, CSRs that are not 0", info_registers},
    {"harts", "where each hart is", info_harts},
    {"tlb", "how full the hart's TLB is", info_tlb},
    {"blocks", "translated code", info_blocks},
    {"stats", "instructions run, memory, resets", info_stats},
    {"devices", "what is at which address", info_devices},
    {"points", "breakpoints and watchpoints that are set now", info_points},
    {NULL, NULL, NULL},
};

static bool info(struct gdb_machine *g, char **words)
{
    const char *word = strtok_r(NULL, " \t", words);
    const struct command *c = infos;
    while (c->name && (!word || strcmp(c->name, word)))
        c++;
    if (c->name)
        c->run(g);
    return c->name;
}

/*
 * Memory
 */

static bool dump_physical(struct gdb_machine *g, char **words)
{
    uint8_t bytes[16];
    uint64_t paddr = 0, size = DUMP_DEFAULT;
    bool has, has_size;
    if (!take_number(words, &paddr, &has) || !has || !take_number(words, &size, &has_size))
        return false;
    size = size < DUMP_MAX ? size : DUMP_MAX;
    for (uint64_t at = 0; at < size; at += sizeof(bytes)) {
        size_t most = size - at < sizeof(bytes) ? size - at : sizeof(bytes);
        size_t done = debug_read(g->m, NULL, paddr + at, bytes, most);
        char line[3 * sizeof(bytes) + 1] = "";
        for (size_t i = 0; i < done; i++)
            snprintf(line + 3 * i, 4, " %02x", bytes[i]);
        if (done)
            say(g, "0x%" PRIx64 ":%s\n", paddr + at, line);
        if (done < most) {
            say(g, "0x%" PRIx64 ": no memory is there\n", paddr + at + done);
            break;
        }
    }
    return true;
}

static bool translate(struct gdb_machine *g, char **words)
{
    uint64_t va = 0, paddr;
    bool has;
    if (!take_number(words, &va, &has) || !has)
        return false;
    if (hart_translate(gdb_hart(g->gdb), va, &paddr))
        say(g, "0x%" PRIx64 " is 0x%" PRIx64 "\n", va, paddr);
    else
        say(g, "0x%" PRIx64 " is not mapped\n", va);
    return true;
}

/*
 * All of them
 */

static bool reset(struct gdb_machine *g, char **words)
{
    (void)words;
    /* It loads the machine, on another thread. */
    pthread_mutex_unlock(&g->m->load_lock);
    bool done = machine_reset(g->m);
    pthread_mutex_lock(&g->m->load_lock);
    say(g, done ? "reset; `maintenance flush register-cache` shows it\n"
                : "the machine is not running\n");
    return true;
}

static bool quit(struct gdb_machine *g, char **words)
{
    (void)words;
    machine_request(g->m, MACHINE_POWEROFF, 0);
    return true;
}

static bool help(struct gdb_machine *g, char **words)
{
    (void)words;
    say(g, "physical ADDRESS [BYTES]  memory by physical address\n"
           "translate ADDRESS         the physical address of a virtual one\n"
           "reset                     restart the machine\n"
           "quit                      end it\n");
    for (const struct command *c = infos; c->name; c++)
        say(g, "info %-20s %s\n", c->name, c->help);
    return true;
}

void gdb_monitor(struct gdb_machine *g, const char *command)
{
    static const struct {
        const char *name;
        bool (*run)(struct gdb_machine *g, char **words); /* false: it did not like its words */
    } commands[] = {
        {"help", help},           {"info", info},   {"physical", dump_physical},
        {"translate", translate}, {"reset", reset}, {"quit", quit},
    };
    char copy[256], *words;
    snprintf(copy, sizeof(copy), "%s", command);
    const char *name = strtok_r(copy, " \t", &words);
    for (unsigned i = 0; name && i < sizeof(commands) / sizeof(*commands); i++)
        if (!strcmp(commands[i].name, name)) {
            if (!commands[i].run(g, &words))
                say(g, "monitor %s: these words are not understood; `monitor help` lists them\n",
                    command);
            gdb_put(&g->gdb->reply, "OK");
            return;
        }
    say(g, "monitor %s: there is no such command; `monitor help` lists them\n", command);
    gdb_put(&g->gdb->reply, "OK");
}
