/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Register writes that nobody can see are taken away: from the end to the start, a write is dead
 * when the same register is written again and between the two nothing reads it, traps, leaves the
 * block or calls. lui and addi become one constant, auipc and jalr one call.
 *
 * Rules:
 * 1. A trap sees every register; so does whatever may look at struct hart.
 * 2. What goes becomes IR_none in its place: operations keep their names.
 */
#include "jit/ir.h"

void ir_remove_dead(struct ir_block *b, unsigned first, unsigned end)
{
    uint32_t overwritten = 0; /* a bit for each register */
    for (unsigned n = end; n-- > first;) {
        struct ir_insn *i = &b->insns[n];
        uint32_t bit = i->op == IR_set_x || i->op == IR_get_x ? UINT32_C(1) << i->imm : 0;
        if (i->op == IR_get_x) {
            overwritten &= ~bit;
        } else if (i->op == IR_set_x) {
            if (overwritten & bit)
                *i = (struct ir_insn){.op = IR_none};
            overwritten |= bit;
        } else if (ir_op_infos[i->op].flags & (IR_TRAP | IR_END) || i->op == IR_call ||
                   i->op == IR_call_csr) {
            overwritten = 0;
        }
    }
}
