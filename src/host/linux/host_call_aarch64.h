/* SPDX-License-Identifier: MPL-2.0 */
/*
 * System calls on aarch64, for host_call.c: the number in x8, arguments in x0 to x5, the result in x0.
 *
 * A call that a signal ended and that is to be made again is found by the handler at the svc instruction.
 */
#include <signal.h>
#include <ucontext.h>

__asm__(".pushsection .text\n"
        ".hidden host_call_interruptible\n"
        ".globl host_call_interruptible\n"
        ".type host_call_interruptible, @function\n"
        "host_call_interruptible:\n"
        "    .cfi_startproc\n"
        "    mov x9, x0\n"
        "    mov x8, x1\n"
        "    mov x10, x2\n"
        "    ldp x0, x1, [x10]\n"
        "    ldp x2, x3, [x10, 16]\n"
        "    ldp x4, x5, [x10, 32]\n"
        "host_call_look:\n"
        "    ldr w11, [x9]\n"
        "    cbnz w11, host_call_restart\n"
        "host_call_syscall:\n"
        "    svc 0\n"
        "    ret\n"
        "host_call_restart:\n"
        "    mov x0, -512\n"
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
    mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
    if (m->pc >= (uintptr_t)host_call_look && m->pc <= (uintptr_t)host_call_syscall)
        m->pc = (uintptr_t)host_call_restart;
}

long host_call(long number, const uint64_t args[6])
{
    /* All are read first: a sanitizer's calls would change the registers named below. */
    const uint64_t first = args[0], second = args[1], third = args[2];
    const uint64_t fourth = args[3], fifth = args[4], sixth = args[5];
    register long x8 __asm__("x8") = number;
    register uint64_t x0 __asm__("x0") = first;
    register uint64_t x1 __asm__("x1") = second;
    register uint64_t x2 __asm__("x2") = third;
    register uint64_t x3 __asm__("x3") = fourth;
    register uint64_t x4 __asm__("x4") = fifth;
    register uint64_t x5 __asm__("x5") = sixth;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return (long)x0;
}
