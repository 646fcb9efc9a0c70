/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What nobody can see is taken away, from the end to the start:
 *
 * 1. A register write is dead when the same register is written again and between the two nothing reads
 *    it, traps, leaves the block or calls. lui and addi become one constant, auipc and jalr one call.
 * 2. So is a value that no operation uses.
 *
 * Rules: a trap sees every register; so does whatever may look at struct hart. What goes becomes IR_none
 * in its place: operations keep their names.
 */
#include "jit/ir.h"

#include <stdlib.h>
#include <string.h>

enum { WORD = 64, WORDS_HERE = 1280 / WORD }; /* blocks have no more operations; regions may */

static void use(uint64_t *used, ir_ref ref)
{
    used[ref / WORD] |= UINT64_C(1) << (ref % WORD);
}

static bool is_used(const uint64_t *used, unsigned n)
{
    return used[n / WORD] >> (n % WORD) & 1;
}

static void remove_dead(struct ir_block *b, unsigned first, unsigned end, uint64_t *used)
{
    uint32_t overwritten = 0; /* a bit for each register */
    for (unsigned n = end; n-- > first;) {
        struct ir_insn *i = &b->insns[n];
        const struct ir_op_info *info = &ir_op_infos[i->op];
        uint32_t bit = i->op == IR_set_x || i->op == IR_get_x ? UINT32_C(1) << i->imm : 0;
        bool dead = i->op == IR_set_x ? overwritten & bit : !info->flags && !is_used(used, n);
        if (dead) {
            *i = (struct ir_insn){.op = IR_none};
            continue;
        }
        const ir_ref operands[] = {i->a, i->b, i->c};
        for (unsigned k = 0; k < info->operands; k++)
            use(used, operands[k]);
        if (i->op == IR_get_x)
            overwritten &= ~bit;
        else if (i->op == IR_set_x)
            overwritten |= bit;
        else if (info->flags & (IR_TRAP | IR_END) || i->op == IR_call || i->op == IR_call_csr)
            overwritten = 0;
    }
}

bool ir_remove_dead(struct ir_block *b, unsigned first, unsigned end)
{
    uint64_t here[WORDS_HERE], *used = here;
    size_t words = end / WORD + 1;
    if (words > WORDS_HERE)
        used = malloc(words * sizeof(*used));
    if (!used)
        return false;
    memset(used, 0, words * sizeof(*used));
    remove_dead(b, first, end, used);
    if (used != here)
        free(used);
    return true;
}
