/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The translator: runs guest code as host code. One for a machine, shared by its harts.
 *
 *     struct jit *jit = jit_new(&config, err);
 *     jit_attach(jit, hart, err);        every hart, before it runs
 *     ...
 *     jit_free(jit);                     harts have stopped
 *
 * Code is translated block by block when it is first run, is found by its physical address, holds
 * no absolute pc and no privilege, and so serves every hart and address space. docs/design.md,
 * "Translator", tells how blocks are found, chained, dropped and evicted.
 */
#ifndef RVVM_JIT_JIT_H
#define RVVM_JIT_JIT_H

#include "base/error.h"
#include "base/log.h"
#include "cpu/bus.h"
#include "cpu/hart.h"
#include "isa/isa.h"

struct chores;

#define JIT_HARTS_MAX 64

enum jit_dump {
    JIT_DUMP_IN = 1,   /* guest code */
    JIT_DUMP_IR = 2,   /* operations */
    JIT_DUMP_OUT = 4,  /* host code, as bytes */
    JIT_DUMP_PERF = 8, /* where it is, as perf's map file wants it */
};

enum jit_tiers {
    JIT_TIERS,      /* blocks, and regions where it is hot */
    JIT_TIER_ONE,   /* blocks only */
    JIT_TIER_EAGER, /* every loop becomes a region the second time round: for tests */
};

struct jit_config {
    const struct isa *isa;
    struct bus *bus;       /* outlives it; its code_map is set */
    unsigned harts;        /* 1 to JIT_HARTS_MAX */
    uint64_t cache_size;   /* bytes of code and what belongs to it; 0: the default */
    struct chores *chores; /* outlives it; NULL: what they would do is not done */
    struct log *log;       /* may be NULL */
    enum jit_tiers tiers;
    unsigned dump; /* enum jit_dump: what is said of each block that is translated */
    void (*dump_line)(void *ctx, unsigned kind, const char *line); /* on any hart's thread */
    void *dump_ctx;
    bool
        direct; /* its harts are without a machine (direct.h): bus has no memory; harts is 1, more may come */
    bool check; /* each block is interpreted too. The first difference is logged, then differs is */
    void (*differs)(void *ctx); /* called, which has the harts stop */
    void *differs_ctx;
};

struct jit_stats {
    uint64_t blocks;      /* translated */
    uint64_t guest_insns; /* in them */
    uint64_t guest_bytes;
    uint64_t host_bytes;   /* of code, without what describes it */
    uint64_t dropped;      /* blocks whose guest code was written */
    uint64_t evicted;      /* blocks that gave way to others */
    uint64_t chains;       /* jumps that go straight to another block */
    uint64_t lookups;      /* times that a block was looked for in C */
    uint64_t interpreted;  /* times that the interpreter ran a stretch of code instead */
    uint64_t checked;      /* blocks compared with the interpreter */
    uint64_t translate_ns; /* spent translating */
    uint64_t regions;      /* loops translated as one (region.h) */
    uint64_t region_insns; /* guest instructions in them */
    uint64_t region_ns;    /* spent on them, mostly by a thread of its own */
};

/* Whether there is a backend for this host. */
bool jit_available(void);

/* NULL: err says why. */
struct jit *jit_new(const struct jit_config *config, struct error *err);
void jit_free(struct jit *jit); /* may be NULL */

bool jit_attach(struct jit *jit, struct hart *h, struct error *err);
/* When all harts are attached: begins to look for loops. */
bool jit_start(struct jit *jit, struct error *err);
void jit_detach(struct jit *jit, struct hart *h); /* all have stopped */

/* The bytes were written by something other than a hart: a device's DMA, a loader. */
void jit_ram_written(struct jit *jit, uint64_t offset, uint64_t size);

/* While no hart runs. */
void jit_stats(const struct jit *jit, struct jit_stats *stats);

#endif
