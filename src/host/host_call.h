/* SPDX-License-Identifier: MPL-2.0 */
/*
 * System calls of the host as numbers, for a process whose program makes system calls of its own
 * (src/user/). They answer as the kernel does, -errno for an error, and leave errno alone.
 *
 * A signal for that program must end a call that waits. Between a look at the flag "a signal is
 * pending" and the system call a signal may come, and the call would wait all the same. So the look
 * and the call are a few instructions whose addresses are known, and the signal handler moves a
 * thread that is among them on to the end:
 *
 *     void on_signal(int signal, siginfo_t *info, void *context)
 *     {
 *         thread->pending = 1;
 *         host_call_interrupt(context);
 *     }
 *     ...
 *     result = host_call_interruptible(&thread->pending, SYS_read, args);
 *     if (result == HOST_CALL_RESTART)
 *         ... deliver the signal, then begin the call again
 */
#ifndef RVVM_HOST_HOST_CALL_H
#define RVVM_HOST_HOST_CALL_H

#include <stdatomic.h>
#include <stdint.h>

/* The call has done nothing: either it was not made, or the kernel wants it made again. */
#define HOST_CALL_RESTART (-512)

/* Never waits, or must not be cut short. */
long host_call(long number, const uint64_t args[6]);

/* HOST_CALL_RESTART at once when *pending is not zero. */
long host_call_interruptible(const _Atomic uint32_t *pending, long number, const uint64_t args[6]);

/* From a signal handler, with its third argument. */
void host_call_interrupt(void *context);

#endif
