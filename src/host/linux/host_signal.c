/* SPDX-License-Identifier: MPL-2.0 */
/* Signals by the kernel's own calls: see host_signal.h. */
#define _GNU_SOURCE
#include "host/host_signal.h"
#include "host/host_call.h"
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define SIGSET_SIZE 8

/*
 * The kernel's struct sigaction. x86-64 alone wants to be told how to return from a handler; arm64 has the member
 * all the same.
 */
#if defined(__x86_64__) || defined(__aarch64__)
#define HAS_RESTORER 1
#else
#define HAS_RESTORER 0
#endif

#if defined(__x86_64__)
#define KERNEL_SA_RESTORER UINT64_C(0x04000000)
__asm__(".pushsection .text\n"
        ".hidden host_signal_return\n"
        ".type host_signal_return, @function\n"
        "    nop\n" /* unwinders look at the instruction before a return address */
        "host_signal_return:\n"
        "    mov $15, %eax\n" /* rt_sigreturn */
        "    syscall\n"
        ".size host_signal_return, . - host_signal_return\n"
        ".popsection\n");
void host_signal_return(void);
#endif

struct kernel_action {
    uint64_t handler, flags;
#if HAS_RESTORER
    uint64_t restorer;
#endif
    uint64_t mask;
};

int host_signal_action(int signal, const struct host_action *set, struct host_action *old)
{
    struct kernel_action to = {0}, from = {0};
    if (set) {
        to.handler = (uint64_t)set->handler;
        to.flags = set->flags;
        to.mask = set->mask;
#if defined(__x86_64__)
        to.flags |= KERNEL_SA_RESTORER;
        to.restorer = (uint64_t)host_signal_return;
#endif
    }
    const uint64_t arg[6] = {(uint64_t)signal, set ? (uint64_t)&to : 0, old ? (uint64_t)&from : 0,
                             SIGSET_SIZE};
    long result = host_call(SYS_rt_sigaction, arg);
    if (old && result == 0) {
        memcpy(&old->handler, &from.handler, sizeof(old->handler));
        old->flags = from.flags;
        old->mask = from.mask;
    }
    return (int)result;
}

uint64_t host_signal_mask(int how, uint64_t set)
{
    uint64_t old = 0;
    const uint64_t arg[6] = {(uint64_t)how, (uint64_t)&set, (uint64_t)&old, SIGSET_SIZE};
    host_call(SYS_rt_sigprocmask, arg);
    return old;
}

uint64_t host_signal_mask_before(const void *context)
{
    uint64_t set;
    memcpy(&set, &((const ucontext_t *)context)->uc_sigmask, sizeof(set));
    return set;
}

void host_signal_mask_after(void *context, uint64_t set)
{
    /* The C library's set is larger; the kernel has written and reads this much. */
    memcpy(&((ucontext_t *)context)->uc_sigmask, &set, sizeof(set));
}

void host_signal_raise(int signal)
{
    const uint64_t none[6] = {0};
    const uint64_t arg[6] = {(uint64_t)host_call(SYS_getpid, none),
                             (uint64_t)host_call(SYS_gettid, none), (uint64_t)signal};
    host_call(SYS_tgkill, arg);
}
