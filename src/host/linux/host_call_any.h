/* SPDX-License-Identifier: MPL-2.0 */
/*
 * System calls on processors for which nobody has written the instructions (host_call.c). A signal
 * that comes between the look and the call does not end it; one that comes while it waits does, and
 * the kernel makes calls again by itself where SA_RESTART says so.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

long host_call(long number, const uint64_t args[6])
{
    int kept = errno;
    long result = syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
    if (result == -1)
        result = -errno;
    errno = kept;
    return result;
}

long host_call_interruptible(const _Atomic uint32_t *pending, long number, const uint64_t args[6])
{
    return atomic_load(pending) ? HOST_CALL_RESTART : host_call(number, args);
}

void host_call_interrupt(void *context)
{
    (void)context;
}
