/* SPDX-License-Identifier: MPL-2.0 */
/*
 * System calls on riscv64, for host_call.c: the number in a7, arguments in a0 to a5, the result in a0.
 *
 * A call that a signal ended and that is to be made again is found by the handler at the ecall instruction.
 */
#include <signal.h>
#include <ucontext.h>

__asm__(".pushsection .text\n"
        ".hidden host_call_interruptible\n"
        ".globl host_call_interruptible\n"
        ".type host_call_interruptible, @function\n"
        "host_call_interruptible:\n"
        "    .cfi_startproc\n"
        "    mv t0, a0\n"
        "    mv a7, a1\n"
        "    mv t1, a2\n"
        "    ld a0, 0(t1)\n"
        "    ld a1, 8(t1)\n"
        "    ld a2, 16(t1)\n"
        "    ld a3, 24(t1)\n"
        "    ld a4, 32(t1)\n"
        "    ld a5, 40(t1)\n"
        "host_call_look:\n"
        "    lw t2, 0(t0)\n"
        "    bnez t2, host_call_restart\n"
        "host_call_syscall:\n"
        "    ecall\n"
        "    ret\n"
        "host_call_restart:\n"
        "    li a0, -512\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size host_call_interruptible, . - host_call_interruptible\n"
        ".popsection\n");

/* Hidden, so that no table of the linker's is asked for what stands beside. */
#pragma GCC visibility push(hidden)
extern const char host_call_look[], host_call_syscall[], host_call_restart[];
#pragma GCC visibility pop

void host_call_interrupt(void *context)
{
    unsigned long *pc = &((ucontext_t *)context)->uc_mcontext.__gregs[REG_PC];
    if (*pc >= (uintptr_t)host_call_look && *pc <= (uintptr_t)host_call_syscall)
        *pc = (uintptr_t)host_call_restart;
}

long host_call(long number, const uint64_t args[6])
{
    /* All are read first: a sanitizer's calls would change the registers named below. */
    const uint64_t first = args[0], second = args[1], third = args[2];
    const uint64_t fourth = args[3], fifth = args[4], sixth = args[5];
    register long a7 __asm__("a7") = number;
    register uint64_t a0 __asm__("a0") = first;
    register uint64_t a1 __asm__("a1") = second;
    register uint64_t a2 __asm__("a2") = third;
    register uint64_t a3 __asm__("a3") = fourth;
    register uint64_t a4 __asm__("a4") = fifth;
    register uint64_t a5 __asm__("a5") = sixth;
    __asm__ volatile("ecall"
                     : "+r"(a0)
                     : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
                     : "memory");
    return (long)a0;
}
