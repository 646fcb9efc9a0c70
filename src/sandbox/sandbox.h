/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A hart that runs functions of a program in U-mode, for rvvm/sandbox.h, which says what it is for.
 *
 * The hart is one of a machine that has nothing but memory. All its traps go to S-mode, where one page
 * waits that the program cannot reach: an ecall, which the bus hands to this process, and an sret. So
 * whatever the program does but compute ends up in one function here.
 */
#ifndef RVVM_SANDBOX_SANDBOX_H
#define RVVM_SANDBOX_SANDBOX_H

#include "base/error.h"
#include "cpu/bus.h"
#include "cpu/hart.h"
#include "jit/jit.h"
#include "sandbox/program.h"
#include "sandbox/arena.h"

struct sandbox_registers {
    uint64_t a[8], f[8];
};

struct sandbox_config {
    const char *name; /* the program's, for messages */
    const void *bytes;
    size_t size;
    uint64_t heap, stack;
    struct isa isa;
    bool interpret;
    enum jit_tiers tiers;
    uint64_t code_cache;
    /* false: the call ends. NULL: there are no system calls */
    bool (*system_call)(void *ctx, struct sandbox_registers *r);
    void *ctx;
};

struct sandbox_trap {
    unsigned cause; /* enum trap_cause, or SANDBOX_INTERRUPTED */
    uint64_t pc, value;
};
#define SANDBOX_INTERRUPTED 64

struct sandbox;

struct sandbox *sandbox_new(const struct sandbox_config *config, struct error *err);
void sandbox_free(struct sandbox *box); /* may be NULL */

bool sandbox_reset(struct sandbox *box, struct error *err);
bool sandbox_find(const struct sandbox *box, const char *name, uint64_t *address);
bool sandbox_call(struct sandbox *box, uint64_t function, struct sandbox_registers *r,
                  struct error *err);
void sandbox_interrupt(struct sandbox *box); /* any thread */
struct sandbox_trap sandbox_last_trap(const struct sandbox *box);

bool sandbox_read(const struct sandbox *box, uint64_t address, void *bytes, size_t size);
bool sandbox_write(struct sandbox *box, uint64_t address, const void *bytes, size_t size);
void sandbox_heap(const struct sandbox *box, uint64_t *address, uint64_t *size);

#endif
