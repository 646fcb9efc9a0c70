/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Signals as the kernel has them, for a process whose program has signals of its own (src/user/). The C
 * library keeps two for itself and has no way to name them; such a program uses all 64.
 *
 * Sets are the kernel's: bit n - 1 is signal n. Results are 0 or -errno.
 */
#ifndef RVVM_HOST_HOST_SIGNAL_H
#define RVVM_HOST_HOST_SIGNAL_H

#include <signal.h>
#include <stdint.h>

struct host_action {
    void (*handler)(int signal, siginfo_t *info, void *context); /* also SIG_DFL, SIG_IGN */
    uint64_t flags;                                              /* SA_ */
    uint64_t mask;
};

/* Either may be NULL. */
int host_signal_action(int signal, const struct host_action *set, struct host_action *old);

/* SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK; returns what was blocked. */
uint64_t host_signal_mask(int how, uint64_t set);

/* In a handler: what was blocked before it, and is when it returns; and that this shall be so. */
uint64_t host_signal_mask_before(const void *context);
void host_signal_mask_after(void *context, uint64_t set);

/* To the calling thread. */
void host_signal_raise(int signal);

#endif
