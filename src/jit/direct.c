/* SPDX-License-Identifier: MPL-2.0 */
/* The translator in the host's memory: what becomes of code when memory changes, faults, fork. See direct.h. */
#include "jit/direct.h"

#include "host/fault.h"
#include "jit/block.h"

void jit_direct_drop(struct jit *jit, uint64_t first, uint64_t end)
{
    (void)jit, (void)first, (void)end;
}

void jit_direct_flush(struct jit *jit, uint64_t first, uint64_t end)
{
    (void)jit, (void)first, (void)end;
}

bool jit_direct_fault(struct hart *h, const struct direct_fault *fault, void *context)
{
    (void)h, (void)fault, (void)context;
    return false;
}

void jit_direct_before_fork(struct jit *jit)
{
    pthread_mutex_lock(&jit->lock);
}

void jit_direct_after_fork(struct jit *jit)
{
    pthread_mutex_unlock(&jit->lock);
}

void jit_direct_forget_hart(struct jit *jit, struct hart *h)
{
    (void)jit, (void)h;
}

void jit_direct_forked(struct jit *jit)
{
    (void)jit;
}
