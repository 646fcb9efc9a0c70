/* SPDX-License-Identifier: MPL-2.0 */
/* Where the interpreter leaves straight-line code: traps, links still to make, system instructions, CSRs. */
#include "cpu/exec.h"
#include "cpu/helpers.h"

static uint64_t wrap_pc(const struct hart *h, uint64_t pc)
{
    return h->xlen == 32 ? (uint32_t)pc : pc;
}

static unsigned length_of(const struct hart *h, const struct insn *i)
{
    return insn_length(insn_bits(h->block, i));
}

/* All before slot i retired; h->pc is its address. */
static void stop_at(struct hart *h, const struct insn *i)
{
    h->pc = wrap_pc(h, insn_pc(h, i));
    h->instret += insn_index(h->block, i);
}

const struct insn *exec_fault(struct hart *h, const struct insn *i)
{
    stop_at(h, i);
    h->fault = 0;
    hart_trap(h, h->fault_cause, h->fault_tval);
    return NULL;
}

const struct insn *exec_illegal(struct hart *h, const struct insn *i)
{
    hart_fault(h, CAUSE_ILLEGAL, insn_bits(h->block, i));
    return exec_fault(h, i);
}

const struct insn *exec_end(struct hart *h, const struct insn *i)
{
    DISPATCH_OR_LEAVE(exec_follow(h, i, wrap_pc(h, insn_pc(h, i))));
}

const struct insn *exec_follow_slow(struct hart *h, const struct insn *i, uint64_t target)
{
    if (unlikely(target & h->pc_misaligned)) {
        h->instret -= insn_link(i)->count;
        hart_fault(h, CAUSE_FETCH_MISALIGNED, target);
        return exec_fault(h, i);
    }
    h->pc = target;
    if (events_pending(h))
        return NULL;
    return code_enter_from(h, i);
}

const struct insn *exec_system(struct hart *h, const struct insn *i, helper_fn *helper)
{
    stop_at(h, i);
    uint64_t pc = h->pc;
    h->pc = wrap_pc(h, pc + length_of(h, i));
    if (helper(h, i)) {
        h->instret++;
        return NULL;
    }
    h->pc = pc;
    h->fault = 0;
    hart_trap(h, h->fault_cause, h->fault_tval);
    return NULL;
}

bool exec_csr(struct hart *h, const struct insn *i, helper_csr_fn *helper)
{
    unsigned index = i->rs2; /* put there when the block was made */
    h->instret += index;
    switch (helper(h, i)) {
    case CSR_OK:
        h->instret -= index;
        return true;
    case CSR_RESYNC:
        h->instret++;
        h->pc = wrap_pc(h, insn_pc(h, i) + length_of(h, i));
        return false;
    default:
        h->instret -= index;
        exec_illegal(h, i);
        return false;
    }
}
