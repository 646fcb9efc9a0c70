/* SPDX-License-Identifier: MPL-2.0 */
/* Signals of faults, by sigaction(2) and the processor's part of ucontext_t. */
#define _GNU_SOURCE
#include "host/fault.h"
#include "host/fault_context.h"
#include "host/host_signal.h"

#include <errno.h>
#include <string.h>
#include <ucontext.h>

bool fault_catch(void (*handler)(int signal, siginfo_t *info, void *context), struct error *err)
{
    struct sigaction action = {.sa_sigaction = handler,
                               .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    /* All 64, the C library's own as well. */
    memset(&action.sa_mask, 0xff, sizeof(action.sa_mask));
    sigdelset(&action.sa_mask, SIGSEGV);
    sigdelset(&action.sa_mask, SIGBUS);
    if (sigaction(SIGSEGV, &action, NULL) < 0 || sigaction(SIGBUS, &action, NULL) < 0)
        return error_set(err, "cannot catch SIGSEGV: %s", strerror(errno));
    return true;
}

void fault_leave(const void *context)
{
    host_signal_mask(SIG_SETMASK, host_signal_mask_before(context));
}

bool fault_is_own(const siginfo_t *info)
{
    return info->si_code > 0; /* SI_USER is 0, what others send is negative */
}

bool fault_knows_address(const siginfo_t *info)
{
    return info->si_code != SI_KERNEL;
}

#if defined(__x86_64__)

uint64_t fault_pc(const void *context)
{
    return (uint64_t)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
}

void fault_set_pc(void *context, uint64_t pc)
{
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] = (greg_t)pc;
}

#else /* no translator, so that nobody needs to know */

uint64_t fault_pc(const void *context)
{
    (void)context;
    return 0;
}

void fault_set_pc(void *context, uint64_t pc)
{
    (void)context;
    (void)pc;
}

#endif
