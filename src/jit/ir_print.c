/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Operations as text, a line each:
 *
 *     %2 = load_s32.i64 %1          operation and kind, type of the result, operands
 *     %6 = fp2_add.f32 %4, %5 rne   rounding mode; dyn: what frm says
 *     %3 = fpn2_le.i64 %1, %2 f32   format of the operands, where the result has another type
 *     set_x x10, %2                 registers are operands too
 *     branch_if %3, pc+16
 */
#include "jit/ir.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

const struct ir_op_info ir_op_infos[IR_OPS] = {
#define IR_OP(name, operands, detail, flags) \
    [IR_##name] = {#name, operands, IR_DETAIL_##detail, flags},
#include "jit/ir_ops.def"
};

static const char *const mem_names[] = {
#define IR_MEM(name, bytes) #name,
#include "jit/ir_ops.def"
};

static const char *const amo_names[] = {
#define IR_AMO(name) #name,
#include "jit/ir_ops.def"
};

static const char *const fp_names[] = {
#define IR_FP(name, operands, result) #name,
#include "jit/ir_ops.def"
};

static const char *const type_names[] = {"void", "i32", "i64", "f16", "f32", "f64"};
static const char *const int_names[] = {"i32", "u32", "i64", "u64"};
static const char *const rounding_names[8] = {"rne", "rtz", "rdn", "rup", "rmm", "?", "?", "dyn"};

struct line {
    char *text;
    size_t size, length; /* length: at most size - 1 */
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
    va_list args;
    size_t room = line->size - line->length;

    va_start(args, format);
    int length = vsnprintf(line->text + line->length, room, format, args);
    va_end(args);
    if (length > 0)
        line->length += (size_t)length < room ? (size_t)length : room - 1;
}

/* What stands behind the operation's name. */
static void put_kind(struct line *line, const struct ir_insn *i)
{
    switch (ir_op_infos[i->op].detail) {
    case IR_DETAIL_BITS:
        put(line, "%" PRId64, i->imm);
        break;
    case IR_DETAIL_MEM:
        put(line, "_%s", mem_names[i->mem]);
        break;
    case IR_DETAIL_AMO:
        put(line, "_%s_%s", amo_names[i->kind], mem_names[i->mem]);
        break;
    case IR_DETAIL_FP:
        put(line, "_%s", fp_names[i->kind]);
        break;
    case IR_DETAIL_CVT:
        if (i->op == IR_f2x || i->op == IR_x2f)
            put(line, "_%s", int_names[i->kind]);
        break;
    default:
        break;
    }
}

/* What stands behind the operands. */
static void put_tail(struct line *line, const struct ir_insn *i)
{
    bool fp = i->op == IR_fp1 || i->op == IR_fp2 || i->op == IR_fp3 || i->op == IR_fpn1 ||
              i->op == IR_fpn2;
    bool rounds = i->op == IR_fp1 || i->op == IR_fp2 || i->op == IR_fp3 || i->op == IR_f2x ||
                  i->op == IR_x2f || i->op == IR_fcvt;

    if ((fp && i->of != i->type) || i->op == IR_f2x || i->op == IR_fcvt || i->op == IR_box)
        put(line, " %s", type_names[i->of]);
    if (rounds)
        put(line, " %s", rounding_names[i->rm & 7]);
}

size_t ir_print_insn(const struct ir_block *b, ir_ref ref, char *text, size_t size)
{
    const struct ir_insn *i = &b->insns[ref];
    const struct ir_op_info *info = &ir_op_infos[i->op];
    const ir_ref operands[3] = {i->a, i->b, i->c};
    struct line line = {text, size, 0};
    const char *comma = " ";

    if (!size)
        return 0;
    if (i->type != IR_VOID)
        put(&line, "%%%u = ", ref);
    put(&line, "%s", info->name);
    put_kind(&line, i);
    if (i->type != IR_VOID)
        put(&line, ".%s", type_names[i->type]);
    if (info->detail == IR_DETAIL_REG) {
        put(&line, " %c%" PRId64, i->op == IR_get_f || i->op == IR_set_f ? 'f' : 'x', i->imm);
        comma = ", ";
    }
    for (unsigned n = 0; n < info->operands; n++, comma = ", ")
        put(&line, "%s%%%u", comma, operands[n]);
    if (info->detail == IR_DETAIL_IMM)
        put(&line, "%s%" PRId64, comma, i->imm);
    else if (info->detail == IR_DETAIL_AT)
        put(&line, "%spc%+" PRId64, comma, i->imm);
    else if (info->detail == IR_DETAIL_HELPER)
        put(&line, "%s%s", comma, i->helper->name);
    put_tail(&line, i);
    return line.length;
}

void ir_print(const struct ir_block *b, void (*line)(void *ctx, const char *text), void *ctx)
{
    for (unsigned ref = 1; ref < b->count; ref++) {
        char text[96];
        ir_print_insn(b, (ir_ref)ref, text, sizeof text);
        line(ctx, text);
    }
}
