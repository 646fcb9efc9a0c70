/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Folding while operations are appended, because nearly every instruction with an immediate has something of it:
 * F1. operations of two constants, extension of a constant;
 * F2. pc + constant is another pc;
 * F3. a + 0 is a; of 32 bits also where a has more (rule 2);
 * F4. extension to 32 bits of what has the type i32 anyway (rv32) is the value itself;
 * F5. a register that was set to a constant or a pc in the block is that;
 * F6. pc AND -2 is pc, and a jump to it is relative (ir_build.c);
 * F7. check_target of an address that cannot be misaligned is nothing (ir_build.c);
 * F8. an instruction that works on what the one before it has shifted left, and overwrites it, takes
 *     what was shifted: slli and srli are an extension, slli and add one operation for a host that can
 *     scale. Nothing can come between the two, and ir_dead.c takes away what nobody sees any more;
 * F9. the or of a value's two shifts, left by n and right by the width less n, is a rotation: code for
 *     processors without Zbb has three instructions for it. Others may come between them.
 */
#include "jit/ir_fold.h"

const struct ir_insn *ir_at(const struct ir_builder *b, ir_ref ref)
{
    static const struct ir_insn nothing = {.op = IR_none};
    return b->block->failed ? &nothing : &b->block->insns[ref];
}

static int64_t cut(enum ir_type type, uint64_t value)
{
    return type == IR_I32 ? (int32_t)value : (int64_t)value;
}

ir_ref ir_constant(struct ir_builder *b, enum ir_type type, uint64_t value)
{
    return EMIT(b, .op = IR_const, .type = type, .imm = cut(type, value));
}

ir_ref ir_pc(struct ir_builder *b, int64_t offset)
{
    return EMIT(b, .op = IR_pc, .type = b->xlen, .imm = offset);
}

/* F1. false: an operation that is left alone. */
static bool fold(enum ir_op op, enum ir_type type, int64_t x, int64_t y, uint64_t *result)
{
    unsigned shift = y & (type == IR_I32 ? 31 : 63);
    uint64_t low = type == IR_I32 ? (uint32_t)x : (uint64_t)x;
    switch (op) {
    case IR_add:
        *result = (uint64_t)x + (uint64_t)y;
        return true;
    case IR_sub:
        *result = (uint64_t)x - (uint64_t)y;
        return true;
    case IR_and:
        *result = x & y;
        return true;
    case IR_or:
        *result = x | y;
        return true;
    case IR_xor:
        *result = x ^ y;
        return true;
    case IR_sll:
        *result = (uint64_t)x << shift;
        return true;
    case IR_srl:
        *result = low >> shift;
        return true;
    case IR_sra:
        *result = x >> shift;
        return true;
    case IR_slt:
        *result = x < y;
        return true;
    case IR_sltu:
        *result = (uint64_t)x < (uint64_t)y;
        return true;
    case IR_eq:
        *result = x == y;
        return true;
    case IR_ne:
        *result = x != y;
        return true;
    default:
        return false;
    }
}

ir_ref ir_extend(struct ir_builder *b, enum ir_op op, unsigned bits, ir_ref x)
{
    const struct ir_insn *i = ir_at(b, x);
    if (i->op == IR_const) {
        uint64_t high = (uint64_t)i->imm << (64 - bits);
        return ir_constant(b, b->xlen,
                           op == IR_sext ? (uint64_t)((int64_t)high >> (64 - bits))
                                         : high >> (64 - bits));
    }
    if (bits == 32 && b->xlen == IR_I32)
        return x; /* F4 */
    return EMIT(b, .op = op, .type = b->xlen, .a = x, .imm = bits);
}

/* F8. x is read from a register that the instruction before this one has shifted left, and this one
 * overwrites: the place of the shift; else 0. */
static ir_ref shifted_before(const struct ir_builder *b, const struct ir_insn *x)
{
    const struct ir_block *block = b->block;
    if (x->op != IR_get_x || x->imm != b->d->rd || block->guest_count < 2)
        return 0;
    const struct ir_known *known = &block->known[x->imm];
    return known->op == IR_sll && block->insns[known->imm].type == IR_I64 &&
                   known->imm >= block->guests[block->guest_count - 2].first
               ? (ir_ref)known->imm
               : 0;
}

/* Nobody reads the register after all. */
static void unread(struct ir_builder *b, ir_ref get)
{
    b->block->insns[get] = (struct ir_insn){.op = IR_none};
}

/* slli and srli or srai */
static ir_ref shift_back(struct ir_builder *b, enum ir_op op, ir_ref x, unsigned n)
{
    ir_ref shift = shifted_before(b, ir_at(b, x));
    if (!shift)
        return 0;
    ir_ref from = ir_at(b, shift)->a;
    unsigned left = (unsigned)ir_at(b, ir_at(b, shift)->b)->imm, bits = 64 - left;
    if ((bits != 8 && bits != 16 && bits != 32) || n > left || (n < left && op == IR_sra))
        return 0;
    unread(b, x);
    ir_ref low = ir_extend(b, op == IR_sra ? IR_sext : IR_zext, bits, from);
    return n == left ? low
                     : EMIT(b, .op = IR_sll, .type = IR_I64, .a = low,
                            .b = ir_constant(b, IR_I64, left - n));
}

/* slli and add */
static ir_ref add_shifted(struct ir_builder *b, ir_ref x, ir_ref y)
{
    ir_ref shift = shifted_before(b, ir_at(b, x));
    const struct ir_insn *other = ir_at(b, y);
    if (!shift || ir_at(b, ir_at(b, shift)->b)->imm > 3 ||
        (other->op == IR_get_x && other->imm == b->d->rd))
        return 0;
    unread(b, x);
    return EMIT(b, .op = IR_add, .type = IR_I64, .a = shift, .b = y);
}

/* F9. The place of the shift whose result register x is read from; else 0. */
static ir_ref shift_read(const struct ir_builder *b, ir_ref x)
{
    const struct ir_insn *i = ir_at(b, x);
    const struct ir_known *known = &b->block->known[i->op == IR_get_x ? i->imm : 0];
    return known->op == IR_sll || known->op == IR_srl ? (ir_ref)known->imm : 0;
}

/*
 * F9. Again the value that operations `early` and `late` read from one register. Where the register has
 * been written since, that write has to be one that ir_dead.c takes away: the instruction that is being
 * built overwrites it, and nobody saw it but operations x and y. 0: it cannot be had.
 */
static ir_ref value_read(struct ir_builder *b, ir_ref early, ir_ref late, ir_ref x, ir_ref y)
{
    const struct ir_insn *insns = b->block->insns;
    int64_t reg = insns[early].imm;
    bool written = false;
    for (unsigned n = early; n < b->block->count; n++) {
        const struct ir_insn *i = &insns[n];
        bool writes = i->op == IR_set_x && i->imm == reg;
        bool reads = i->op == IR_get_x && i->imm == reg && n != x && n != y;
        if (writes && (written || n < late || reg != b->d->rd))
            return 0;
        if (written && (reads || (ir_op_infos[i->op].flags & (IR_TRAP | IR_END))))
            return 0;
        written |= writes;
    }
    return written ? late : EMIT(b, .op = IR_get_x, .type = b->xlen, .imm = reg);
}

/* F9. */
static ir_ref rotated(struct ir_builder *b, ir_ref x, ir_ref y)
{
    ir_ref s = shift_read(b, x), t = shift_read(b, y);
    const struct ir_insn *left = ir_at(b, s), *right = ir_at(b, t);
    if (left->op == right->op || left->type != right->type)
        return 0;
    if (left->op == IR_srl) {
        const struct ir_insn *swap = left;
        left = right;
        right = swap;
    }
    if (left->op != IR_sll || right->op != IR_srl)
        return 0;
    enum ir_type type = (enum ir_type)left->type;
    unsigned width = type == IR_I32 ? 32 : 64;
    unsigned up = ir_at(b, left->b)->imm & (width - 1),
             down = ir_at(b, right->b)->imm & (width - 1);
    ir_ref first = left->a, second = right->a;
    if (up + down != width || ir_at(b, first)->imm != ir_at(b, second)->imm)
        return 0;
    bool in_order = first < second;
    ir_ref from = value_read(b, in_order ? first : second, in_order ? second : first, x, y);
    if (!from)
        return 0;
    unread(b, x);
    unread(b, y);
    ir_ref by = ir_constant(b, type, down);
    ir_ref turned = EMIT(b, .op = IR_ror, .type = type, .a = from, .b = by);
    return type == IR_I32 ? ir_extend(b, IR_sext, 32, turned) : turned;
}

ir_ref ir_binary(struct ir_builder *b, enum ir_op op, enum ir_type type, ir_ref x, ir_ref y)
{
    const struct ir_insn *i = ir_at(b, x), *j = ir_at(b, y);
    uint64_t value;
    if (j->op == IR_const) {
        int64_t n = cut(type, j->imm);
        if (i->op == IR_const && fold(op, type, cut(type, i->imm), n, &value))
            return ir_constant(b, type, value);
        if (op == IR_add && n == 0 && (i->type == type || type == IR_I32))
            return x; /* F3 */
        if (op == IR_add && i->op == IR_pc && type == b->xlen)
            return ir_pc(b, i->imm + n); /* F2 */
        if (op == IR_and && i->op == IR_pc && n == -2 && type == b->xlen)
            return ir_pc(b, i->imm & -2); /* F6: blocks start at even addresses */
    }
    if (op == IR_add && i->op == IR_const && cut(type, i->imm) == 0 &&
        (j->type == type || type == IR_I32))
        return y; /* F3: mv */
    ir_ref folded = 0;
    if (type == IR_I64 && j->op == IR_const && (op == IR_srl || op == IR_sra))
        folded = shift_back(b, op, x, j->imm & 63);
    else if (type == IR_I64 && op == IR_add && i->op == IR_get_x && j->op == IR_get_x)
        folded = shifted_before(b, i) ? add_shifted(b, x, y) : add_shifted(b, y, x);
    else if (op == IR_or && i->op == IR_get_x && j->op == IR_get_x)
        folded = rotated(b, x, y);
    return folded ? folded : EMIT(b, .op = op, .type = type, .a = x, .b = y);
}

ir_ref ir_get_x(struct ir_builder *b, unsigned reg)
{
    const struct ir_known *known = &b->block->known[reg];
    if (!reg || known->op == IR_const)
        return ir_constant(b, b->xlen, reg ? (uint64_t)known->imm : 0);
    if (known->op == IR_pc)
        return ir_pc(b, known->imm);
    return EMIT(b, .op = IR_get_x, .type = b->xlen, .imm = reg);
}

/* What is to be known of a register that receives a value. A shift of 32 bits is looked for below its extension. */
static struct ir_known known_of(const struct ir_builder *b, ir_ref value)
{
    const struct ir_insn *i = ir_at(b, value);
    if (i->op == IR_const || i->op == IR_pc)
        return (struct ir_known){i->op, i->imm};
    if (i->op == IR_sext && i->imm == 32 && ir_at(b, i->a)->type == IR_I32) {
        value = i->a;
        i = ir_at(b, value);
    }
    bool is_shift = i->op == IR_sll || i->op == IR_srl;
    if (is_shift && ir_at(b, i->a)->op == IR_get_x && ir_at(b, i->b)->op == IR_const)
        return (struct ir_known){i->op, value};
    return (struct ir_known){.op = IR_none};
}

void ir_set_x(struct ir_builder *b, unsigned reg, ir_ref value)
{
    if (!reg)
        return;
    b->block->known[reg] = known_of(b, value);
    EMIT(b, .op = IR_set_x, .a = value, .imm = reg);
}
