/* SPDX-License-Identifier: MPL-2.0 */
/* What addresses are made of, for checks of pages that serve several accesses. */
#include "jit/ir.h"

static struct ir_place place_of(const struct ir_block *b, ir_ref ref)
{
    const struct ir_insn *i = &b->insns[ref];
    if (i->op == IR_get_x)
        return (struct ir_place){(unsigned)i->imm, 0};
    return (struct ir_place){0, 0};
}

bool ir_is_access(const struct ir_insn *i)
{
    return i->op == IR_load || i->op == IR_store;
}

struct ir_place ir_access_place(const struct ir_block *b, const struct ir_insn *i)
{
    const struct ir_insn *address = &b->insns[i->a];
    if (address->op == IR_add && b->insns[address->b].op == IR_const) {
        struct ir_place p = place_of(b, address->a);
        int64_t imm = b->insns[address->b].imm;
        if (p.base && imm == (int32_t)imm)
            return (struct ir_place){p.base, (int32_t)imm};
    }
    return place_of(b, i->a);
}

bool ir_moves_by(const struct ir_block *b, const struct ir_insn *value, unsigned guest, int32_t *by)
{
    if (!value || value->op != IR_add || value->type != IR_I64 || b->xlen != IR_I64)
        return false;
    const struct ir_insn *from = &b->insns[value->a], *distance = &b->insns[value->b];
    if (from->op != IR_get_x || (unsigned)from->imm != guest || distance->op != IR_const ||
        distance->imm < -IR_SPAN_MAX || distance->imm > IR_SPAN_MAX)
        return false;
    *by = (int32_t)distance->imm;
    return true;
}

unsigned ir_scan_accesses(const struct ir_block *b, unsigned from, unsigned end, unsigned base,
                          bool (*ends)(const struct ir_insn *i), struct ir_range *range)
{
    unsigned count = 0;
    int32_t moved = 0, by;
    bool branched = false; /* what follows may not be reached */
    for (unsigned n = from; n < end; n++) {
        const struct ir_insn *i = &b->insns[n];
        if (ir_is_access(i)) {
            struct ir_place p = ir_access_place(b, i);
            if (p.base != base)
                continue;
            int32_t start = p.imm + moved, behind = start + (int32_t)ir_mem_bytes(i->mem);
            int32_t low = count && range->low < start ? range->low : start;
            int32_t high = count && range->high > behind ? range->high : behind;
            if (high - low > IR_SPAN_MAX)
                break;
            range->low = low;
            range->high = high;
            range->writes = (count && range->writes) || (i->op == IR_store && !branched);
            count++;
        } else if (i->op == IR_set_x && (unsigned)i->imm == base) {
            if (!ir_moves_by(b, &b->insns[i->a], base, &by))
                break;
            moved += by;
        } else if (ends(i)) {
            break;
        } else if (i->op == IR_branch_if) {
            branched = true;
        }
    }
    return count;
}
