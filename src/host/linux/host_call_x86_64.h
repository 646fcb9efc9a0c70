/* SPDX-License-Identifier: MPL-2.0 */
/*
 * System calls on x86-64, for host_call.c: the number in rax, arguments in rdi, rsi, rdx, r10, r8, r9;
 * the kernel overwrites rcx and r11.
 *
 * A call that a signal ended and that is to be made again is found by the handler at the syscall
 * instruction, with rax as it was.
 */
#include <signal.h>
#include <ucontext.h>

__asm__(".pushsection .text\n"
        ".hidden host_call_interruptible\n"
        ".globl host_call_interruptible\n"
        ".type host_call_interruptible, @function\n"
        "host_call_interruptible:\n"
        "    .cfi_startproc\n"
        "    mov %rdi, %rcx\n"
        "    mov %rsi, %rax\n"
        "    mov %rdx, %r11\n"
        "    mov 0(%r11), %rdi\n"
        "    mov 8(%r11), %rsi\n"
        "    mov 16(%r11), %rdx\n"
        "    mov 24(%r11), %r10\n"
        "    mov 32(%r11), %r8\n"
        "    mov 40(%r11), %r9\n"
        ".hidden host_call_look\n"
        "host_call_look:\n"
        "    cmpl $0, (%rcx)\n"
        "    jne host_call_restart\n"
        ".hidden host_call_syscall\n"
        "host_call_syscall:\n"
        "    syscall\n"
        "    ret\n"
        ".hidden host_call_restart\n"
        "host_call_restart:\n"
        "    mov $-512, %rax\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size host_call_interruptible, . - host_call_interruptible\n"
        ".popsection\n");

extern const char host_call_look[], host_call_syscall[], host_call_restart[];

void host_call_interrupt(void *context)
{
    greg_t *rip = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    if (*rip >= (greg_t)host_call_look && *rip <= (greg_t)host_call_syscall)
        *rip = (greg_t)host_call_restart;
}

long host_call(long number, const uint64_t args[6])
{
    long result;
    /* All are read first: a sanitizer's calls would change the registers named below. */
    const uint64_t first = args[0], second = args[1], third = args[2];
    const uint64_t fourth = args[3], fifth = args[4], sixth = args[5];
    register uint64_t r10 __asm__("r10") = fourth;
    register uint64_t r8 __asm__("r8") = fifth;
    register uint64_t r9 __asm__("r9") = sixth;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(first), "S"(second), "d"(third), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
