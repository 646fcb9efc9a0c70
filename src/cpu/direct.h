/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A hart without a machine: it runs a program of the host's own system in U-mode. Its addresses are the
 * host's, accesses to memory are the host's instructions, and what would trap calls back.
 *
 * An access that the host refuses is a signal of the host's. Who catches it (jit/direct.h) finds the
 * guest's instruction and calls `fault`; the hart is then as it was before that instruction.
 */
#ifndef RVVM_CPU_DIRECT_H
#define RVVM_CPU_DIRECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct hart;
struct decoded;

/*
 * What stops an instruction, in the terms of signals (sigaction(2)) of the system that the program is for. These
 * are what is made here, by Linux's numbers: other systems' headers do not have them all.
 */
enum direct_signal { DIRECT_SIGILL = 4, DIRECT_SIGTRAP = 5, DIRECT_SIGBUS = 7 };
enum direct_signal_code { DIRECT_ILL_ILLOPC = 1, DIRECT_TRAP_BRKPT = 1, DIRECT_BUS_ADRALN = 1 };

struct direct_fault {
    int signal; /* SIGSEGV, SIGBUS, SIGILL, SIGTRAP */
    int code;   /* si_code */
    uint64_t addr;
};

enum direct_code {
    DIRECT_NOT,      /* may not be run */
    DIRECT_FIXED,    /* may be, and cannot be written while that is so */
    DIRECT_WRITABLE, /* may be, and may change at any time */
};

/*
 * All are called on the hart's thread, with the state in struct hart. What they set there, h->pc
 * included, is what goes on.
 */
struct direct {
    /* ecall; h->pc is behind it. */
    void (*ecall)(struct hart *h);
    /* h->pc is at the instruction, which has done nothing. */
    void (*fault)(struct hart *h, const struct direct_fault *fault);
    /* HART_EV_USER was set; it is cleared. Between instructions. */
    void (*event)(struct hart *h);
    /* Whether the instruction bytes there may be run. DIRECT_NOT: *fault says why not. */
    enum direct_code (*may_run)(struct hart *h, uint64_t va, unsigned size,
                                struct direct_fault *fault);
    /* Changes when code may have; any thread. */
    _Atomic uint32_t code_version;
    /* fence.i: what was written is to be run. */
    void (*fence_i)(struct hart *h);
};

/* hart_new does it: U-mode, with what an operating system allows there. */
void direct_reset(struct hart *h);

/* hart_run for such a hart. With hart.steps it stops (debug.h: DEBUG_STEP) after each instruction. */
void direct_run(struct hart *h);

/*
 * In a signal handler, for an access that C made for a guest's instruction on this thread: does not
 * return, the hart goes on with direct->fault. false: no instruction is being performed in C.
 */
bool direct_fault_in_c(struct hart *h, const struct direct_fault *fault);

/* The address that the instruction at h->pc accesses; the host does not say it where it is one that nobody
 * can have. */
uint64_t direct_address(struct hart *h);
#define DIRECT_NO_ADDRESS UINT64_MAX
/* The same for an instruction that accesses one. */
uint64_t direct_operand(const struct hart *h, const struct decoded *d);

/* direct_points.c; hart.points is not NULL. Whether instructions at va are to run one by one; whether the one at
 * h->pc accesses what is watched: then the hart stops. */
bool direct_is_lone(const struct hart *h, uint64_t va);
bool direct_watches(struct hart *h, uint32_t bits);

/* The jump cache: where translated code for an address is; forgets all of it. */
void direct_enter_jump(struct hart *h, uint64_t pc, const void *code);
void direct_forget_jumps(struct hart *h);

/* What hart_trap is for such a hart. */
void direct_trap(struct hart *h, unsigned cause, uint64_t tval);

/* Blocks of the interpreter that are older than the code are looked at before they run again. */
void direct_see_code(struct hart *h);

/* Calls back something that may take long: nobody need wait for the hart meanwhile. */
void direct_call(struct hart *h, void (*call)(struct hart *h));

/* code_fetch for such a hart. */
const uint8_t *direct_fetch(struct hart *h, uint64_t va, unsigned size, bool *mixed);

#endif
