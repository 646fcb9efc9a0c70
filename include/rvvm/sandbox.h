/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Functions of a RISC-V program, called by the program that uses the library: plug-ins, filters, rules,
 * student's code, that can compute and do nothing else. The program is an ELF file for rv64, a shared
 * object (-shared) or an executable (-static), that depends on no other file.
 *
 *     struct rvvm_sandbox_config config;
 *     rvvm_sandbox_config_init(&config);
 *     config.program = "plugin.so";
 *     struct rvvm_sandbox *box = rvvm_sandbox_new(&config, &error);
 *     uint64_t add;
 *     struct rvvm_sandbox_registers r = {.a = {3, 4}};
 *     if (box && rvvm_sandbox_find(box, "add", &add, &error) &&
 *         rvvm_sandbox_call(box, add, &r, &error))
 *         printf("%d\n", (int)r.a[0]);
 *     rvvm_sandbox_free(box);
 *
 * The program runs in U-mode, in an address space of its own (Sv39) that has its segments with the rights
 * that the file gives them, a stack and a heap, and nothing of this process. It has no system calls but
 * those that the callback answers. A call costs less than a microsecond, and the code is translated.
 *
 * A sandbox is used by one thread at a time, any one whose stack has 512 KiB to spare; others make their
 * own. No signal handler is installed.
 */
#ifndef RVVM_SANDBOX_H
#define RVVM_SANDBOX_H

#include <rvvm/config.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rvvm_sandbox;

/*
 * Registers of the calling convention (psABI, "Procedure Calling Convention"): arguments go in, results
 * come out, in a[0] and a[1] or f[0] and f[1]. A narrower integer is sign-extended to 64 bits, an
 * unsigned int too.
 */
struct rvvm_sandbox_registers {
    uint64_t a[8]; /* a0 to a7 */
    uint64_t f[8]; /* fa0 to fa7: bits of a double; a float has ones in the upper half */
};

/*
 * What the program asks for by ECALL: registers->a[7] is the number, a[0] to a[5] are arguments as Linux
 * has them, a[0] becomes the result. false: the call ends, and rvvm_sandbox_call fails. In the thread
 * that called; it may use the functions for memory, and not call the program.
 */
typedef bool rvvm_sandbox_system_call_fn(void *ctx, struct rvvm_sandbox *box,
                                         struct rvvm_sandbox_registers *registers);

/* Fill it with rvvm_sandbox_config_init, which sets what stands behind the semicolons. */
struct rvvm_sandbox_config {
    size_t struct_size; /* set by rvvm_sandbox_config_init */

    const char *program;             /* an ELF file; NULL */
    struct rvvm_bytes program_bytes; /* goes before the file */
    uint64_t heap;       /* bytes, up to 64 GiB; 16 MiB. The host has what is used of it */
    uint64_t stack;      /* bytes, up to 1 GiB; 1 MiB */
    const char *cpu;     /* as rvvm_config.cpu; NULL */
    enum rvvm_jit jit;   /* not RVVM_JIT_CHECK; RVVM_JIT_ON */
    uint64_t code_cache; /* bytes for translated code, up to 1 GiB; 32 MiB */
    rvvm_sandbox_system_call_fn *system_call; /* NULL: every one gives -38 (ENOSYS) */
    void *ctx;                                /* of system_call */
};

RVVM_API void rvvm_sandbox_config_init(struct rvvm_sandbox_config *config);

/* Loads the program. NULL: error says why. Everything is copied from config. */
RVVM_API struct rvvm_sandbox *rvvm_sandbox_new(const struct rvvm_sandbox_config *config,
                                               struct rvvm_error *error);

/* Not during a call. box may be NULL. */
RVVM_API void rvvm_sandbox_free(struct rvvm_sandbox *box);

/* Memory becomes what it was behind rvvm_sandbox_new. false: a call is running. */
RVVM_API bool rvvm_sandbox_reset(struct rvvm_sandbox *box, struct rvvm_error *error);

/* The address of a function or variable that the file has a symbol for. Takes long: keep it. */
RVVM_API bool rvvm_sandbox_find(struct rvvm_sandbox *box, const char *name, uint64_t *address,
                                struct rvvm_error *error);

/*
 * Calls the function at that address with those registers. false: it did not return; error says what it
 * did and where, rvvm_sandbox_trap in numbers. Memory stays as it was then, and the next call begins
 * with an empty stack. Before the first one, and the first after a reset, the functions of DT_INIT_ARRAY are
 * called; when one of them does not return, that is what error and trap tell.
 */
RVVM_API bool rvvm_sandbox_call(struct rvvm_sandbox *box, uint64_t function,
                                struct rvvm_sandbox_registers *registers, struct rvvm_error *error);

/*
 * Any thread, not a signal handler. Ends the call that is running, soon; a time limit is a thread that does
 * this. While none is running it does nothing.
 */
RVVM_API void rvvm_sandbox_interrupt(struct rvvm_sandbox *box);

/* Why the last call did not return. */
struct rvvm_sandbox_trap {
    /* The exception (privileged specification, "scause"): 2 an illegal instruction, 3 EBREAK, 12, 13
     * and 15 an address that may not be fetched, loaded, stored; 8 a system call that ended it; or
     * RVVM_SANDBOX_INTERRUPTED. */
    unsigned cause;
    uint64_t pc;    /* of the instruction */
    uint64_t value; /* the address, or the illegal instruction's bits ("stval") */
};
#define RVVM_SANDBOX_INTERRUPTED 64

RVVM_API void rvvm_sandbox_trap(const struct rvvm_sandbox *box, struct rvvm_sandbox_trap *trap);

/*
 * Memory by the program's addresses, whatever rights its pages have; not during a call but in its
 * system_call. false: not all of the range is there; nothing was done. The heap is what nobody but the
 * caller shares out: zero at first, aligned to 2 MiB.
 */
RVVM_API bool rvvm_sandbox_read(struct rvvm_sandbox *box, uint64_t address, void *bytes,
                                size_t size, struct rvvm_error *error);
RVVM_API bool rvvm_sandbox_write(struct rvvm_sandbox *box, uint64_t address, const void *bytes,
                                 size_t size, struct rvvm_error *error);
RVVM_API void rvvm_sandbox_heap(const struct rvvm_sandbox *box, uint64_t *address, uint64_t *size);

#ifdef __cplusplus
}
#endif

#endif
