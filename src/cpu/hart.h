/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A hart: its state, and what the machine does with it.
 *
 * One host thread runs one hart (hart_run). Everything in struct hart belongs to that thread,
 * but for the fields marked "any thread", which others reach through the functions below.
 */
#ifndef RVVM_CPU_HART_H
#define RVVM_CPU_HART_H

#include "base/log.h"
#include "cpu/bus.h"
#include "cpu/csr.h"
#include "cpu/debug.h"
#include "cpu/direct.h"
#include "cpu/fp.h"
#include "cpu/imsic.h"
#include "cpu/tlb.h"
#include "isa/isa.h"
#include <pthread.h>
#include <stdatomic.h>

enum priv { PRIV_U = 0, PRIV_S = 1, PRIV_M = 3 };

/* Reasons to leave translated code at the next block boundary: bits of hart.events. */
enum hart_event {
    HART_EV_IRQ = 1 << 0,    /* mip changed, or an enable that masks it */
    HART_EV_STOP = 1 << 1,   /* hart_run shall return */
    HART_EV_FENCE = 1 << 2,  /* another hart waits for a fence of ours */
    HART_EV_STEP = 1 << 3,   /* the interpreter shall return at the next block boundary */
    HART_EV_SAMPLE = 1 << 4, /* the engine asks where the hart is */
    HART_EV_USER = 1 << 5,   /* direct->event is to be called */
};

/* Exception causes (privileged specification, "Machine Cause Register"). */
enum trap_cause {
    CAUSE_FETCH_MISALIGNED = 0,
    CAUSE_FETCH_ACCESS = 1,
    CAUSE_ILLEGAL = 2,
    CAUSE_BREAKPOINT = 3,
    CAUSE_LOAD_MISALIGNED = 4,
    CAUSE_LOAD_ACCESS = 5,
    CAUSE_STORE_MISALIGNED = 6,
    CAUSE_STORE_ACCESS = 7,
    CAUSE_ECALL_U = 8,
    CAUSE_ECALL_S = 9,
    CAUSE_ECALL_M = 11,
    CAUSE_FETCH_PAGE = 12,
    CAUSE_LOAD_PAGE = 13,
    CAUSE_STORE_PAGE = 15,
};

/* Interrupt numbers, bits of mip and mie. */
enum {
    IRQ_SSI = 1,
    IRQ_MSI = 3,
    IRQ_STI = 5,
    IRQ_MTI = 7,
    IRQ_SEI = 9,
    IRQ_MEI = 11,
    IRQ_LCOFI = 13
};

struct block;
struct insn;
struct code_cache;

/*
 * What runs a hart's code in the interpreter's place. run returns when hart.events is not zero, at an
 * instruction boundary with the state in struct hart.
 */
struct engine {
    void (*run)(void *ctx, struct hart *h);
    void (*sample)(void *ctx, struct hart *h); /* HART_EV_SAMPLE; NULL: nobody asks */
    void *ctx;
};

/* What translated code keeps beside the registers. */
#define TRANSLATED_COUNTS 65
#define TRANSLATED_CONSTANTS 12
#define TRANSLATED_ADDENDS 4
#define TRANSLATED_SLOTS 8
#define TRANSLATED_PINNED 16
/* The page that a loop has checked an address register for. */
struct translated_slot {
    uint64_t limit; /* from here on the register is not known to be on that page */
    uint64_t addend;
};
struct translated {
    uint64_t page_va;     /* virtual address of the page that is run */
    uint64_t stack_base;  /* host stack where calls of the guest begin to nest */
    uint64_t stack_limit; /* and where they have nested too deep */
    uint64_t stack_leave; /* host stack of the one who entered */
    uint64_t fault_pc;    /* direct.h: host instruction that faulted, */
    uint64_t
        fault_x[TRANSLATED_PINNED]; /* and what was in the host registers that the backend pins */
    int32_t
        wary_runs;   /* wary blocks to enter before the translator thinks one over (jit/block.h) */
    uint32_t mxcsr;  /* x86-64: to look at MXCSR */
    uint8_t fp_live; /* FP registers, flags and rounding mode are in the host's */
    uint64_t count[TRANSLATED_COUNTS][2] __attribute__((aligned(16))); /* {n, 0} */
    uint64_t addend[TRANSLATED_ADDENDS]; /* of pages that the running block has checked */
    struct translated_slot slots[TRANSLATED_SLOTS];
    uint64_t constants[TRANSLATED_CONSTANTS][2] __attribute__((aligned(16))); /* the backend's */
};

/*
 * Somebody who looks at what a hart does to memory through cpu/mem.c (jit/check.c). before_store is
 * told of bytes of RAM that are about to change; device: something that is no RAM was reached.
 */
struct watch {
    void (*before_store)(struct watch *watch, uint8_t *host, unsigned size);
    bool device;
};

/* Addresses that SFENCE.VMA is about. */
struct hart_pages {
    uint64_t va, size; /* bytes; size 0: all addresses */
    bool has_asid;
    uint64_t asid;
};

#define HART_FENCE_PAGES_MAX 8

#define REG_SINK 32 /* where a write to x0 goes */

struct hart {
    /* Used by every block: first, so that their offsets are short. */
    uint64_t x[33];          /* rv32: sign-extended from bit 31; [REG_SINK] is never read */
    uint64_t pc;             /* current only outside blocks; rv32: zero-extended */
    uint64_t block_pc;       /* virtual address of the running block */
    struct block *block;     /* the running block */
    _Atomic uint32_t events; /* any thread: enum hart_event; also the block boundary's poll flag */
    uint8_t fault;           /* the running instruction trapped: cause and tval are below */
    uint8_t priv;            /* enum priv */
    uint8_t xlen;            /* 32 or 64 */
    uint64_t instret;        /* instructions retired before the running block */

    uint8_t fault_cause;      /* enum trap_cause */
    uint8_t pc_misaligned;    /* bits that a jump target may not have: 2 without compressed code */
    uint32_t code_generation; /* links between blocks made in an older one are not followed */
    uint64_t fault_tval;

    uint64_t f[32];   /* FP registers, narrower values NaN-boxed */
    struct fp_env fp; /* fflags */
    uint8_t frm;      /* fcsr.frm as written, 5 to 7 included */

    /* direct.h */
    const struct direct *direct;      /* NULL: a hart of a machine */
    void *owner;                      /* whose hart it is: the callbacks' */
    const struct insn *slot;          /* that accesses memory in C; NULL: none does */
    void *recover;                    /* where a fault in C goes: a jmp_buf */
    struct direct_fault direct_fault; /* that is being taken */
    uint32_t code_version;            /* of direct: what its blocks are as new as */
    bool code_is_writable;            /* what was fetched last: DIRECT_WRITABLE */
    _Atomic bool outside;             /* it runs a system call, and no code of the translator's */

    struct translated translated;
    struct engine engine; /* run is NULL: the interpreter */
    struct watch *watch;  /* NULL: nobody watches */

    const struct debug_points *points; /* debug.h; NULL: there are none */
    struct debug_stop stop;            /* why hart_run or hart_step has returned */
    bool holds_interrupts;             /* a debugger wants none taken; changed while it rests */
    bool steps;                        /* without a machine: the same for one by one, direct_run */

    struct tlb tlb;
    struct code_cache *code;

    /* LR/SC: the reservation is the address and the value that LR read. */
    uint64_t reservation; /* host address of the word, or NO_RESERVATION */
    uint64_t reservation_value;
    unsigned reservation_size;

    struct csr_file csr;

    /* Interrupt inputs. */
    _Atomic uint64_t irq_lines; /* any thread: bits of mip that wires hold up */
    _Atomic uint64_t
        mip_soft; /* any thread: bits of mip that are registers (SSIP, software SEIP, LCOFIP) */

    struct imsic_file imsic[IMSIC_FILES]; /* with Smaia or Ssaia; enum imsic_level */

    unsigned id;            /* mhartid */
    bool told_endless_trap; /* trap.c: said so once */
    struct isa isa;
    const struct bus *bus;
    struct log *log;

    /* Sleep (WFI, stopped): any thread. */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool asleep; /* under lock: runs no guest code, now in hart_wait or outside hart_run */

    /* Fences that other harts ask for (SBI RFENCE): any thread. */
    _Atomic uint32_t fence_kinds;                        /* enum hart_fence of what is open */
    struct hart_pages fence_pages[HART_FENCE_PAGES_MAX]; /* under lock: translations to fence */
    unsigned fence_pages_count;                          /* under lock */
    _Atomic uint32_t fence_asked;                        /* count of requests */
    _Atomic uint32_t fence_done; /* requests served: equal when nothing is open */
};

#define NO_RESERVATION UINT64_MAX

struct hart_config {
    unsigned id;
    struct isa isa;
    const struct bus *bus;       /* outlives the hart */
    struct log *log;             /* may be NULL; outlives the hart */
    const struct direct *direct; /* not NULL: a hart without a machine (direct.h); outlives it */
    void *owner;                 /* of such a hart */
};

struct hart *hart_new(const struct hart_config *config, struct error *err);
void hart_free(struct hart *h);

/* Power-on state in M-mode at pc, x10 = a0, x11 = a1. The hart must not be running. */
void hart_reset(struct hart *h, uint64_t pc, uint64_t a0, uint64_t a1);

/* Runs on the calling thread until hart_stop; returns at an instruction boundary. */
void hart_run(struct hart *h);

/* The same for one instruction, which no interrupt comes before; WFI waits for nothing. */
void hart_step(struct hart *h);

/* Any thread. Makes hart_run return soon, or return at once when it is called next. */
void hart_stop(struct hart *h);

/* Any thread. Sets or clears an interrupt wire: 1 << IRQ_x. */
void hart_set_irq(struct hart *h, uint64_t bits, bool level);

/* Any thread. Sets bits of mip that are registers, not wires (SSIP for an IPI, LCOFIP). */
void hart_raise_soft(struct hart *h, uint64_t bits);

/* Any thread: time has reached what bus.set_stimer was told. */
void hart_stimer_expired(struct hart *h);

/* Any thread: wakes a sleeping hart and makes a running one leave its block. */
void hart_kick(struct hart *h, uint32_t events);

/* What a fence does; a fence of no kind only has the hart leave what it runs. */
enum hart_fence {
    HART_FENCE_TLB = 1,   /* address translations */
    HART_FENCE_FETCH = 2, /* instructions: FENCE.I */
    HART_FENCE_JUMPS = 4, /* what is known about translated code */
};

/*
 * Any thread. Asks for a fence of these kinds (enum hart_fence) on h; hart_fence_wait returns when h
 * has done all it was asked up to `ticket`. A hart that waits passes itself as `self` so that it
 * goes on serving others and two harts that fence each other do not wait forever. A hart that is
 * not running counts as done: it fences before it runs again.
 */
uint32_t hart_fence_ask(struct hart *h, unsigned kinds);
/* The same for the translations of some addresses. */
uint32_t hart_fence_ask_pages(struct hart *h, const struct hart_pages *pages);
void hart_fence_wait(struct hart *h, uint32_t ticket, struct hart *self);

/* For SBI calls and debuggers, on the hart's own thread or with the hart stopped. */
static inline uint64_t hart_xreg(const struct hart *h, unsigned n)
{
    return h->x[n];
}
/* Reads guest memory as the hart's current mode sees it. false: not mapped, no trap is taken. */
bool hart_peek(struct hart *h, uint64_t vaddr, void *data, size_t size);
/* Where an address leads in the hart's current mode, whatever the rights of its page. false: nowhere. */
bool hart_translate(struct hart *h, uint64_t vaddr, uint64_t *paddr);

/*
 * Between the parts of the CPU.
 */

/* irq.c, on the hart's thread. WFI: returns when hart_irq_pending, or on STOP or FENCE. */
void hart_wait(struct hart *h);
/* hart_run says when it begins and ends; a new hart is asleep. Serves open fences when it begins. */
void hart_set_running(struct hart *h, bool running);
/* HART_EV_FENCE: does the fences that were asked for, and clears the event. */
void hart_serve_fences(struct hart *h);
/* Of its events, what others ask of a hart with and without a machine alike: fences, to stop (then false,
 * and what comes behind it waits), to say where it is. */
bool hart_serve_requests(struct hart *h, uint32_t events);

/* trap.c. Enters the handler for an exception of the instruction at h->pc: h->pc becomes its address. */
void hart_trap(struct hart *h, unsigned cause, uint64_t tval);
/* HART_EV_IRQ: clears the event and takes the pending interrupt of highest priority that is enabled,
 * if any: true when one was. hart.instret must be current, as for hart_trap. */
bool hart_take_interrupt(struct hart *h);
/* mip & mie is not zero: what ends WFI. */
bool hart_irq_pending(const struct hart *h);
/* mip as the CSR reads it. */
uint64_t hart_mip(const struct hart *h);
/* xRET with h->pc at the instruction; sets h->pc. false: illegal in this mode. */
bool hart_mret(struct hart *h);
bool hart_sret(struct hart *h);

#endif
