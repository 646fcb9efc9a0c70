/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Faults: not caught. What a handler may change of a thread is each system's own, and programs for Linux,
 * whose faults these would be (src/user/), run on Linux only.
 */
#include "host/fault.h"
#include "host/fault_context.h"

bool fault_catch(void (*handler)(int signal, siginfo_t *info, void *context), struct error *err)
{
    (void)handler;
    return error_set(err, "this system's faults cannot be caught");
}

void fault_leave(const void *context)
{
    (void)context;
}

bool fault_is_own(const siginfo_t *info)
{
    return info->si_code > 0;
}

bool fault_knows_address(const siginfo_t *info)
{
    (void)info;
    return false;
}

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
