/* SPDX-License-Identifier: GPL-3.0-only */
/* ucontext of RISC-V (Linux, asm/ucontext.h): a handler finds each register at its place, what is reserved is zero,
 * and what it writes there is what the program goes on with. Where this is no RISC-V it says what it should. */
#include "show.h"
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

#ifdef __riscv

/* Offsets in bytes: pc and x1 to x31, f0 to f31, fcsr, what is reserved behind it. */
#define REGISTERS (sizeof(long) == 8 ? 176 : 160)
#define FLOATS (REGISTERS + 32 * sizeof(long))
#define FCSR (FLOATS + 256)
#define RESERVED_WORDS 67

static volatile int next = 4; /* bytes of the instruction that is skipped */

static void handler(int signal, siginfo_t *info, void *context)
{
    unsigned long *x = (void *)((char *)context + REGISTERS);
    unsigned long long *f = (void *)((char *)context + FLOATS);
    uint32_t *fcsr = (void *)((char *)context + FCSR), reserved = 0;
    for (int n = 1; n <= RESERVED_WORDS; n++)
        reserved |= fcsr[n];
    SAY("signal %d code %d: s1 %lx s11 %lx t6 %lx fs1 %llx ft11 %llx fcsr %x reserved %x at %d\n", signal,
        info->si_code > 0, x[9], x[27], x[31], f[9], f[31], (unsigned)*fcsr, (unsigned)reserved,
        (int)((char *)context - (char *)info));
    x[0] += next;
    x[9] = 0x1111;
    x[31] = 0x2222;
    f[9] = 0x4004000000000000;
    *fcsr = 0x41;
}

static const unsigned long long one_and_half = 0x3ff8000000000000;

#define TRAP(instruction)                                                                          \
    do {                                                                                           \
        long s1, t6, fcsr;                                                                         \
        unsigned long long fs1;                                                                    \
        __asm__ volatile("li s1, 0x77\n li s11, 0x88\n li t6, 0x99\n"                              \
                         "fld fs1, %4\n fld ft11, %4\n li t1, 0xa5\n fscsr x0, t1\n"               \
                         ".option push\n .option norvc\n" instruction "\n .option pop\n"            \
                         "mv %0, s1\n mv %1, t6\n fsd fs1, %2\n frcsr %3"                          \
                         : "=&r"(s1), "=&r"(t6), "=m"(fs1), "=&r"(fcsr)                            \
                         : "m"(one_and_half)                                                       \
                         : "s1", "s11", "t1", "t6", "fs1", "ft11", "memory");                      \
        SAY("then: s1 %lx t6 %lx fs1 %llx fcsr %lx\n", s1, t6, fs1, fcsr);                         \
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
