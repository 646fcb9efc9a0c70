/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the lower_fp*.c share.
 *
 * While hart.translated.fp_live is set, the pinned FP registers and MXCSR are the guest's: its rounding
 * mode is frm, its sticky flags are added to fflags later (fp_state.c). The host computes what RISC-V
 * wants, flags included, but for these, which are told apart afterwards or before:
 * - a NaN result is the canonical one in RISC-V, some operand's on x86;
 * - what does not fit an integer saturates in RISC-V;
 * - a narrow operand that is not NaN-boxed counts as NaN;
 * - a mode that the instruction brings along may not be that of frm, nor one that x86 has.
 * For what is rare there is STUB_STEP: the interpreter performs the instruction, and the block goes on
 * behind it. An operand that is not boxed has the block left to the interpreter instead, because what
 * follows takes it for boxed.
 *
 * xmm0 holds a result whose guest register is not pinned; xmm1 and xmm2 hold operands.
 */
#ifndef RVVM_JIT_X86_64_LOWER_FP_H
#define RVVM_JIT_X86_64_LOWER_FP_H

#include "jit/x86_64/emit_fp.h"
#include "jit/x86_64/lower.h"

/* 16-byte constants in hart.translated.constants: the low half; the high half is 0. */
enum fp_constant {
    FP_CONST_BOX, /* what NaN-boxing sets */
    FP_CONST_NAN64,
    FP_CONST_NAN32, /* NaN-boxed */
    FP_CONST_SIGN64,
    FP_CONST_SIGN32,
    FP_CONST_NOT_SIGN64,
    FP_CONST_NOT_SIGN32, /* the box stays */
    FP_CONST_FFLAGS,     /* 64 bytes: fflags by MXCSR's flags */
    FP_CONSTS = FP_CONST_FFLAGS + 4,
};

_Static_assert(FP_CONSTS <= TRANSLATED_CONSTANTS, "room for the constants");

static inline struct mem fp_constant(enum fp_constant n)
{
    return hart_field(offsetof(struct hart, translated.constants) + 16 * (size_t)n);
}

/* An operand in a register or, when reg is NO_REG, in memory. */
struct fp_operand {
    uint8_t reg;
    struct mem mem;
};

static inline bool fp_is_double(enum ir_type type)
{
    return type == IR_F64;
}

/* A rounding mode in x86's numbers; RMM is not among them. */
static inline unsigned fp_host_mode(unsigned rm)
{
    static const uint8_t modes[] = {[FP_RNE] = 0, [FP_RDN] = 1, [FP_RUP] = 2, [FP_RTZ] = 3};
    return modes[rm];
}

/* The opcode for that format of one given for double. */
static inline uint32_t fp_opcode(uint32_t op, enum ir_type type)
{
    return fp_is_double(type) ? op : op + OP_SINGLE;
}

struct fp_operand fp_operand(const struct lower *l, ir_ref ref);
/* The value in a register: `scratch`, all 64 bits, when it is in memory. */
unsigned fp_reg(struct lower *l, ir_ref ref, unsigned scratch);
void fp_load(struct lower *l, unsigned to, struct fp_operand o);

/* Where operation l->at computes its value, and that it is there. */
unsigned fp_dest(const struct lower *l);
void fp_done(struct lower *l, unsigned x);

/* op x, o */
void fp_op(struct lower *l, uint32_t op, unsigned x, struct fp_operand o);
/* to = a op b; changes xmm2 when `to` is b and there is no AVX */
void fp_op3(struct lower *l, uint32_t op, unsigned to, unsigned a, struct fp_operand b);

/* In front of all that needs FP. */
void fp_check_on(struct lower *l);
/* Has the interpreter perform the running instruction when it jumps from `field`. */
void fp_step_from(struct lower *l, uint8_t *field);
/* The same, and the interpreter goes on with what follows. */
void fp_leave_from(struct lower *l, uint8_t *field);
/* Has it perform the instruction for good: what is left of the instruction is not lowered. */
void fp_step(struct lower *l);
/* Steps unless the operation's rounding mode is the one that MXCSR has. */
void fp_check_mode(struct lower *l, const struct ir_insn *i);
/* x becomes the canonical NaN if it is a NaN. */
void fp_canonical(struct lower *l, unsigned x, enum ir_type type);
/* movq x, canonical NaN */
void fp_load_nan(struct lower *l, unsigned x, enum ir_type type);

/*
 * The operations by subject; false: not here.
 */
bool lower_fp_arith(struct lower *l, const struct ir_insn *i);
bool lower_fp_compare(struct lower *l, const struct ir_insn *i);
bool lower_fp_convert(struct lower *l, const struct ir_insn *i);
bool lower_fp_move(struct lower *l, const struct ir_insn *i);
/* The running instruction, which accesses a CSR. */
bool lower_fp_csr(struct lower *l);
/* Behind the comparison within a quiet one: the flags stay as they were even for a signalling NaN. */
void fp_quiet_nan(struct lower *l);

#endif
