/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Translated blocks, and the cache that holds them.
 *
 * The memory for code is cut into segments. Each hart fills one at a time. A segment has three parts:
 * code that is likely to run, close together; code that is not; and, from the end down, what
 * describes it (struct jit_block and what hangs from it). When there is no free segment the oldest one
 * is emptied.
 *
 * A block is found through a hash table by the host address of its guest code, which is to say by
 * physical address. Its entry is a 9-byte instruction at a multiple of 8, and before it stands a pointer
 * to its description. To drop a block, the first 8 bytes are replaced, in one store, by a call of
 * the `stale` stub, so that whoever still knows the block comes to look for another one. The memory is
 * used again only after its segment is emptied, when every hart has left translated code once.
 *
 * Lock order: jit.lock is taken last. Lookup in the hash table needs no lock.
 */
#ifndef RVVM_JIT_BLOCK_H
#define RVVM_JIT_BLOCK_H

#include "cpu/code.h"
#include "cpu/code_map.h"
#include "host/code_abi.h"
#include "host/code_memory.h"
#include "jit/ir.h"
#include "jit/jit.h"
#include <pthread.h>

#define JIT_INSNS_MAX 64 /* guest instructions in a block: hart.translated.count has them all */
#define JIT_BLOCK_BYTES_MAX (4 * JIT_INSNS_MAX)
#define JIT_SEGMENT_SIZE (2u << 20)
#define JIT_SEGMENT_MIN (1u << 17) /* in a small cache */
/* A block is begun only where this much is free of each part of a segment. */
#define JIT_CODE_ROOM 24576
#define JIT_COLD_ROOM 24576
#define JIT_META_ROOM 32768
/* A region (region.h) is as much as so many blocks. */
#define JIT_REGION_ROOMS 4
#define JIT_CACHE_SIZE (512u << 20) /* costs what is used of it */
#define JIT_CACHE_MAX (1u << 30)    /* a jump reaches 2 GiB */
#define JIT_BUCKETS (1u << 19)

struct jit_block;

/* A direct jump out of a block to code on the same page. */
struct jit_link {
    struct jit_block *from;
    struct jit_block *to;          /* where it goes; NULL: to the link stub */
    struct jit_link *next, **prev; /* to's incoming list */
    struct jit_link *sibling;      /* from's next one */
    uint8_t *field;                /* its 32-bit distance, a multiple of 4 */
    const uint8_t *unlinked;       /* where it goes while it leads nowhere */
    uint16_t target;               /* in the page: 0 to 4094 */
    uint8_t variant;               /* enum jit_variant of where it leads */
    bool is_far;                   /* it is part of a struct jit_far */
};

/*
 * A direct jump to another page. It goes straight to the code, too, but where that page is mapped is
 * asked each time: its slot in the TLB context holds the virtual page from which it leads to `code`.
 */
struct jit_far {
    struct jit_link link; /* first */
    int64_t target;       /* from the start of the page that the jump is on */
    uint32_t slot;        /* TLB_FARS */
    const uint8_t *
        code; /* under jit.lock: what it is known to lead to; once set it stays. NULL: not yet known */
};

/* A place in translated code that calls C. */
struct jit_site {
    struct jit_block *block;
    const uint8_t *retry; /* where a range is checked again */
    uint16_t place;       /* of its guest instruction, in the page */
    uint8_t rest;         /* instructions that were counted and not run: it and those behind it */
    uint8_t length;       /* of its guest instruction */
    int16_t low;          /* range that is checked at once: from the access's own address */
    uint16_t span;
    uint8_t mem;     /* enum ir_mem of an access */
    bool writes;     /* it is a store */
    bool all_writes; /* the range has to be writable */
    bool atomic;     /* it has to be aligned, too */
};

/* One that calls a helper, or has the interpreter perform an instruction. */
struct jit_helper_site {
    struct jit_site site;
    const struct ir_helper *helper;
    struct insn insn; /* the instruction, as the helper wants it */
};

/* The part of a block's guest code that lies on a page, in that page's list. */
struct jit_page_ref {
    struct jit_block *block;
    struct jit_page_ref *next;
    uint64_t page;  /* of main memory; jit_offset */
    uint16_t first; /* in the page */
    uint16_t bytes; /* 0: this is not in use */
};

/* A host instruction that accesses memory by itself (direct.h), and what is so where it faults. */
struct jit_access {
    uint32_t at;     /* from the block's entry */
    uint32_t narrow; /* guest registers that are still to be sign-extended */
    uint16_t place;  /* of its guest instruction, in the page */
    bool mapped;     /* guest registers are where block.x says */
};

/*
 * A page whose code is written all the time (its writes are a storm) is not watched any more for a while:
 * stores to it are like any others, and its blocks are wary. Such a block is short and begins by comparing
 * its guest code with what it was made from. Every JIT_WARY_RUNS times that a hart enters one, it asks
 * whether the storm is over.
 */
#define JIT_WARY_INSNS 8
#define JIT_WARY_RUNS 100000

/* What is known about a page of main memory. All under jit.lock. */
struct jit_page {
    struct jit_page_ref *blocks;
    uint32_t version; /* changes when code of the page is dropped */
    uint16_t storms;  /* drops that came soon after one another */
    uint16_t changes; /* since the last storm: wary blocks whose code had changed */
    uint64_t dropped; /* when: host/clock.h, nanoseconds */
    bool is_open;     /* it is in jit_direct.open */
};

enum jit_variant {
    JIT_NORMAL,
    JIT_SINGLE, /* no check of a memory access serves another one */
    JIT_VARIANTS,
};

struct jit_block {
    const uint8_t *code;    /* guest code in main memory */
    struct jit_block *next; /* in its hash bucket */
    const uint8_t *entry;   /* where it runs */
    uint16_t bytes;         /* of guest code */
    uint8_t insns;
    uint8_t variant; /* enum jit_variant */
    bool is_region;  /* it is made from several blocks, of which this is the first: region.h */
    bool valid;      /* under jit.lock */
    bool is_wary; /* it looks by itself whether its guest code is still the same (JIT_WARY_INSNS) */
    struct jit_block
        *twin; /* under jit.lock. A block that jumps to the region that begins with it, and
                                   * that region: they go together. NULL: none */
    struct jit_link *links;       /* out of it */
    struct jit_link *incoming;    /* into it */
    struct jit_page_ref pages[2]; /* the second for an instruction that lies on two */
    struct jit_block *segment_next;
    struct block *reference;           /* jit.check: the same block for the interpreter */
    const struct jit_access *accesses; /* by place in the code */
    const uint8_t *x; /* the host register of each guest register; NULL: regs.h's */
    uint16_t access_count;
    bool is_open;        /* jit.direct: its code can be written, or could have been */
    const uint8_t *copy; /* of the guest code */
};

/* Stubs that the backend makes: addresses they run at. */
enum jit_stub {
    STUB_ENTER,  /* C: void (struct hart *h, const void *code) */
    STUB_LEAVE,  /* back to who called STUB_ENTER; the state is in struct hart */
    STUB_LINK,   /* an unlinked jump */
    STUB_FAR,    /* a direct jump to another page that is not known here, or not linked */
    STUB_LOOKUP, /* a jump whose target the jump cache does not know */
    STUB_STALE,  /* the entry of a dropped block */
    STUB_WARY,   /* a wary block whose code has changed, or that is to be thought over */
    STUB_LOAD,
    STUB_STORE,
    STUB_GROUP,     /* the check of several accesses failed */
    STUB_INTERPRET, /* an instruction that translated code leaves to the interpreter */
    STUB_HELPER,
    STUB_CSR,
    STUB_END,     /* a helper after which the block ends */
    STUB_PURE,    /* a C function of numbers */
    STUB_FP_ON,   /* FP is to be made ready */
    STUB_STEP,    /* an FP instruction that the interpreter performs */
    STUB_FAULT,   /* jit.direct: an access faulted, at hart.translated.fault_pc */
    STUB_FMA_NAN, /* x86-64: flags of a multiply-add that made a NaN */
    STUBS,
};

#define JIT_MAP_MAX 255

/* Which host code stands for which guest instruction of the block that was translated last. */
struct jit_map {
    uint32_t start[JIT_MAP_MAX + 1]; /* of the host code, from the block's entry; then its end */
    uint16_t insns[JIT_MAP_MAX + 1]; /* host instructions; the last: what is out of the way */
    const uint8_t *cold;             /* where that is */
    uint32_t cold_size;
};

struct jit_segment {
    struct jit_block *blocks; /* in it */
    uint64_t age;             /* when it was taken */
    bool busy;                /* a hart is filling it */
    bool large;               /* it is, or soon will be, large pages */
    const struct jit *jit;
};

/* Where code is put next. */
struct jit_room {
    unsigned segment;
    uint8_t *code, *code_end, *cold, *meta;
};

#define JIT_LEAF_BITS 15 /* pages that struct jit_page is made for at a time */

/* Without a machine (direct.h). */
struct jit_direct {
    pthread_mutex_t making;   /* one thread translates at a time, into `room`; before jit.lock */
    struct jit_room room;     /* under making */
    struct jit_page **leaves; /* in jit.pages' place; NULL: nothing was made from there */
    struct hart **harts;      /* under jit.lock */
    unsigned hart_count, hart_room;
    _Atomic uint16_t
        *seen;      /* by place: code that was run once, and is translated the second time */
    unsigned made;  /* blocks, since the process began. Under making */
    uint64_t *open; /* pages with code that may change. Under jit.lock */
    unsigned open_count, open_room;
};

struct jit {
    struct code_memory memory;
    struct code_map map;
    struct isa isa;
    struct bus *bus;
    struct log *log;
    struct chores *chores;
    unsigned dump; /* enum jit_dump */
    void (*dump_line)(void *ctx, unsigned kind, const char *line);
    void *dump_ctx;
    struct decoder *decoder;
    const uint8_t *stub[STUBS];
    struct hart *harts[JIT_HARTS_MAX];
    enum jit_tiers tiers;
    struct jit_hot *hot;       /* NULL: nobody looks for loops */
    struct jit_direct *direct; /* NULL: a machine's */

    pthread_mutex_t lock;
    struct jit_block **buckets; /* JIT_BUCKETS; read without the lock */
    struct jit_page *pages;     /* of main memory; NULL: jit.direct */
    struct jit_segment *segments;
    unsigned segment_count;
    size_t segment_size;
    uint64_t clock;
    uint64_t last_page; /* that was written, and how often in a row */
    unsigned last_drops;
    _Atomic uint32_t known; /* counts blocks that have become known */
    struct jit_stats stats;

    /* check.h */
    bool check;
    pthread_mutex_t
        check_lock; /* held by the hart whose block is checked; before all other locks */
    bool differed;  /* under check_lock */
    void (*differs)(void *ctx);
    void *differs_ctx;
};

/* For who came to a block through another's code and has not looked it up: what was written of it before it became
 * known is seen from here on. */
static inline void jit_see_known(const struct jit *jit)
{
    (void)atomic_load_explicit(&jit->known, memory_order_acquire);
}

struct jit_check;

#define JIT_HEAT 256

/* Where a hart was when it was asked (hot.h). */
struct jit_heat {
    struct {
        const uint8_t *code;
        uint8_t times;
    } places[JIT_HEAT];
    uint64_t instret, when; /* how busy it is, is measured from here */
};

/* What a hart brings to it; and the thread that makes regions. */
struct jit_hart {
    struct jit *jit;
    struct hart *hart; /* the thread's: any of them, to look at */
    bool is_thread;
    struct jit_heat heat;
    struct ir_block ir;
    unsigned segment; /* being filled; jit.segment_count: none */
    uint8_t *code;    /* next free byte of it, to write at */
    uint8_t *code_end;
    uint8_t *cold;           /* next free byte for code that is not likely to run */
    uint8_t *meta;           /* descriptions end here: [cold, meta) is free */
    uint64_t emptied;        /* segments that it emptied */
    struct jit_map *map;     /* the backend notes here what it makes; NULL: nobody asks */
    struct jit_check *check; /* NULL: blocks are not compared with the interpreter */
    struct jit_stats stats;
    struct block running; /* for helpers that look at the running instruction's encoding */
};

/* Where code lies: its distance from main memory; without a machine, its address. */
static inline uint64_t jit_offset(const struct jit *jit, const uint8_t *code)
{
    return (uint64_t)(uintptr_t)code - (uint64_t)(uintptr_t)jit->bus->ram;
}

/* One that jit_mark was told of. */
static inline struct jit_page *jit_page(const struct jit *jit, uint64_t page)
{
    if (!jit->direct)
        return &jit->pages[page];
    return &jit->direct->leaves[page >> JIT_LEAF_BITS][page % (1u << JIT_LEAF_BITS)];
}

/*
 * cache.c
 */

/* Under jit.lock. Drops what was made from [first, first + size) of a page. */
void jit_drop_in_page(struct jit *jit, uint64_t page, unsigned first, unsigned size);
/* Under jit.lock: that block, and what goes with it. */
void jit_drop_block(struct jit *jit, struct jit_block *block);

struct jit_block *jit_find(const struct jit *jit, const uint8_t *code, enum jit_variant variant);

/* Room for that many blocks in each part of the hart's segment. May wait for others. */
void jit_make_room(struct jit_hart *jh, unsigned blocks);

/* Zeroed memory for descriptions, from jh->meta. */
void *jit_meta(struct jit_hart *jh, size_t size);

/*
 * Says that code is about to be made from that range, which does not leave its page. Stores that
 * come later are noticed. *version is for jit_publish. false: no code may be made from the page.
 */
bool jit_mark(struct jit_hart *jh, const uint8_t *code, unsigned size, uint32_t *version);

/* Whether wary blocks may be made from the page, of which jit_mark says that no other may. */
bool jit_may_be_wary(struct jit *jit, const uint8_t *code);

/* A wary block's code has changed; it may be an ordinary one again, if its page has come to rest. */
void jit_wary_changed(struct jit *jit, struct jit_block *block);
void jit_wary_think(struct jit *jit, struct jit_block *block);

/* Makes a block known, whose pages[].page, first and bytes are set; the block that a region begins with
 * jumps to it from then on. false: its guest code was written since jit_mark. */
bool jit_publish(struct jit_hart *jh, struct jit_block *block, const uint32_t version[2]);

/* Has a jump go straight to a block. */
void jit_chain(struct jit_hart *jh, struct jit_link *link, struct jit_block *to);

/* The same for a jump to another page, for the hart's address space, in which from_page is the jump's. */
void jit_chain_far(struct jit_hart *jh, struct jit_far *far, struct jit_block *to,
                   uint64_t from_page);

/*
 * translate.c
 */

/* The block for guest code at `code`, made if need be. NULL: this is for the interpreter. */
struct jit_block *jit_block_at(struct jit_hart *jh, uint64_t pc, const uint8_t *code,
                               enum jit_variant variant);

/*
 * run.c
 */

/* The block at h->pc, and the jump cache knows it. NULL: a trap was taken (*trapped), or this is for the
 * interpreter. */
struct jit_block *jit_look_up(struct hart *h, enum jit_variant variant, bool *trapped);
/* Runs translated code until it leaves; the state is in struct hart before and after. */
void jit_enter(struct hart *h, const void *code);

/* dump.c: says what was made of which guest code, as jit.config.dump asks. */
void jit_dump(struct jit_hart *jh, const struct jit_block *block, uint64_t pc);

/* What translated code calls: where to go on, and whether the stack of calls is to be emptied before. */
struct jit_next {
    const void *code;
    uint64_t unwind;
};

CODE_ABI struct jit_next jit_service_fault(struct hart *h);
CODE_ABI struct jit_next jit_service_link(struct hart *h, const struct jit_link *seen);
CODE_ABI struct jit_next jit_service_far(struct hart *h, const struct jit_far *seen);
CODE_ABI struct jit_next jit_service_lookup(struct hart *h, uint64_t pc);
CODE_ABI struct jit_next jit_service_stale(struct hart *h, const uint8_t *entry_end);
CODE_ABI struct jit_next jit_service_wary(struct hart *h, const uint8_t *entry_end);
CODE_ABI struct jit_next jit_service_group(struct hart *h, const struct jit_site *site,
                                           uint64_t va);
/* code NULL: done, the value is in *h (load: returned as unwind). */
CODE_ABI struct jit_next jit_service_load(struct hart *h, const struct jit_site *site, uint64_t va);
CODE_ABI struct jit_next jit_service_store(struct hart *h, const struct jit_site *site, uint64_t va,
                                           uint64_t value);
CODE_ABI struct jit_next jit_service_helper(struct hart *h, const struct jit_helper_site *at);
CODE_ABI struct jit_next jit_service_csr(struct hart *h, const struct jit_helper_site *at);
CODE_ABI struct jit_next jit_service_end(struct hart *h, const struct jit_helper_site *at);
/* FP is made ready, or the interpreter runs the instruction. */
CODE_ABI struct jit_next jit_service_fp_on(struct hart *h, const struct jit_site *site);
/* The guest instruction at the site, site->insn, is performed by the interpreter; FP is ready. */
CODE_ABI struct jit_next jit_service_step(struct hart *h, const struct jit_helper_site *at);
/* The guest instruction at the site is run by the interpreter, and what follows where it leads. */
CODE_ABI struct jit_next jit_service_interpret(struct hart *h, const struct jit_site *site);

/*
 * The backend: src/jit/HOST/backend.c.
 */

bool backend_available(void);
/* The constants in hart.translated. */
void backend_attach(struct hart *h);
/* While hart.translated.fp_live: FP state goes to struct hart (registers are there) and the host's FP
 * is as C expects it; the other way round. frm is one that the host has: not RMM, not reserved. */
void backend_fp_to_c(struct hart *h);
void backend_fp_from_c(struct hart *h);
/* jit.direct: what the guest's registers held at an access, from hart.translated.fault_x. */
void backend_take_registers(struct hart *h, const struct jit_block *block,
                            const struct jit_access *access);
/* Makes the stubs at the start of the code memory; returns how many bytes they take. */
size_t backend_stubs(struct jit *jit);
/*
 * Translates jh->ir, the operations of `block`, to jh->code, and moves that on. pages: for a single
 * instruction on two pages, where the second half was found, else NULL.
 * false: there is an operation that it cannot translate; nothing was moved.
 */
bool backend_translate(struct jit_hart *jh, struct jit_block *block, const uint8_t *second_page);
/* Directs a link; the entry of a dropped block to the stub. Other harts may be running there. */
void backend_set_link(struct jit_link *link, const uint8_t *target_exec, const struct jit *jit);
void backend_make_stale(struct jit *jit, struct jit_block *block);
/* Who comes to a block's entry goes to another one instead. */
void backend_make_jump(struct jit *jit, struct jit_block *block, const struct jit_block *to);
/* Translates the operations of a region, as backend_translate does those of a block. */
struct region;
bool backend_translate_region(struct jit_hart *jh, struct jit_block *block,
                              const struct region *region);

#endif
