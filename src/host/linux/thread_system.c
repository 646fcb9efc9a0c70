/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Threads on Linux: see thread.h and posix/thread_signals.h.
 *
 * Masks are set by the kernel's own call: the C library's leaves out its two signals (32 and 33), which a
 * program under rvvm-user may block and wait for in the thread that starts another one.
 */
#define _GNU_SOURCE
#include "host/posix/thread_signals.h"

#include "host/host_signal.h"
#include "host/thread.h"
#include <sched.h>
#include <string.h>

/* What the C library talks to its threads by. */
#define LIBRARY_SIGNALS (UINT64_C(3) << (32 - 1))

static uint64_t others_signals(void)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
    uint64_t set = ~LIBRARY_SIGNALS;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        set &= ~(UINT64_C(1) << (own[i] - 1));
    return set;
}

/* The kernel's set is the beginning of the C library's. */
void thread_block_signals(sigset_t *before)
{
    uint64_t set = host_signal_mask(SIG_BLOCK, 0);
    memcpy(before, &set, sizeof(set));
    host_signal_mask(SIG_SETMASK, (set & LIBRARY_SIGNALS) | others_signals());
}

void thread_restore_signals(const sigset_t *before)
{
    uint64_t set;
    memcpy(&set, before, sizeof(set));
    host_signal_mask(SIG_SETMASK, set);
}

unsigned thread_cpu_count(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? (unsigned)n : 1;
}
