/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Where a fault was, of an exception's CONTEXT: see fault_context.h. Programs without a machine, who need it, are
 * Linux's only; the translator is the same.
 */
#include "host/fault_context.h"

#include "host/win32/system.h"

#if defined(__x86_64__)

uint64_t fault_pc(const void *context)
{
    return ((const CONTEXT *)context)->Rip;
}

void fault_set_pc(void *context, uint64_t pc)
{
    ((CONTEXT *)context)->Rip = pc;
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
