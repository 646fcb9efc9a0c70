/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The intermediate representation: what a run of guest instructions does, host and interpreter
 * apart. Operations stand in the order of execution; each is named by its place, and its operands are
 * places before it.
 *
 *     struct ir_block b;
 *     ir_block_init(&b, &isa);
 *     while (... && isa_decode(decoder, bits, &d)) {
 *         if (!ir_build_insn(&b, &isa, &d, offset))
 *             ... no memory
 *         offset += d.length;
 *     }
 *     ir_print(&b, line, ctx);
 *     ir_block_free(&b);
 *
 * Rules:
 * 1. No absolute pc: code is shared by all places where its page is mapped. pc is the block's
 *    address plus a constant; at the end of the address space it wraps at XLEN.
 * 2. An operation of type i32 looks at the low 32 bits of its operands, which may be wider; what
 *    stands above bit 31 of its result is undefined. So nothing is needed to narrow a value, and sext
 *    or zext widen one. An operand of a 64-bit operation has 64 bits.
 * 3. f16, f32 and f64 are bit patterns; rule 2 holds for them too, and an integer may stand where a
 *    pattern is wanted and the other way round.
 * 4. Registers are read and written by get and set only; x0 is the constant 0 and is never set. A
 *    trap leaves the state as it is after all sets before it: an instruction sets nothing before its
 *    last operation that may trap.
 * 5. A helper sees and changes the state in struct hart: around a call, no register is held elsewhere.
 */
#ifndef RVVM_JIT_IR_H
#define RVVM_JIT_IR_H

#include "cpu/helpers.h"
#include "isa/decode.h"
#include <stdbool.h>
#include <stdint.h>

enum ir_op {
#define IR_OP(name, operands, detail, flags) IR_##name,
#include "jit/ir_ops.def"
    IR_OPS
};

enum ir_mem {
#define IR_MEM(name, bytes) IR_MEM_##name,
#include "jit/ir_ops.def"
    IR_MEMS
};

/* Bytes that an access moves. */
static inline unsigned ir_mem_bytes(enum ir_mem mem)
{
    static const uint8_t bytes_of[IR_MEMS] = {
#define IR_MEM(name, bytes) bytes,
#include "jit/ir_ops.def"
    };
    return bytes_of[mem];
}

enum ir_amo {
#define IR_AMO(name) IR_AMO_##name,
#include "jit/ir_ops.def"
    IR_AMOS
};

enum ir_fp {
#define IR_FP(name, operands, result) IR_FP_##name,
#include "jit/ir_ops.def"
    IR_FPS
};

/* Integers that FP converts from and to. */
enum ir_int { IR_INT_I32, IR_INT_U32, IR_INT_I64, IR_INT_U64 };

enum ir_type { IR_VOID, IR_I32, IR_I64, IR_F16, IR_F32, IR_F64 };

enum { IR_EFFECT = 1, IR_FLAGS = 2, IR_TRAP = 4, IR_END = 8 };

enum ir_detail {
    IR_DETAIL_NONE,
    IR_DETAIL_IMM,
    IR_DETAIL_REG,
    IR_DETAIL_AT,
    IR_DETAIL_BITS,
    IR_DETAIL_MEM,
    IR_DETAIL_AMO,
    IR_DETAIL_FP,
    IR_DETAIL_CVT,
    IR_DETAIL_HELPER,
};

struct ir_op_info {
    const char *name;
    uint8_t operands;
    uint8_t detail; /* enum ir_detail */
    uint8_t flags;  /* IR_EFFECT and so on */
};

extern const struct ir_op_info ir_op_infos[IR_OPS];

/* A function of cpu/helpers.h: call for `call` and `call_end`, csr for `call_csr`. */
struct ir_helper {
    const char *name;
    helper_fn *call;
    helper_csr_fn *csr;
};

/* The place of an operation in its block; 0: none. */
typedef uint16_t ir_ref;

struct ir_insn {
    uint8_t op;   /* enum ir_op */
    uint8_t type; /* enum ir_type, of the result; IR_VOID: it has none */
    ir_ref a, b, c;
    union {
        int64_t imm; /* constant (i32: sign-extended), register number, distance, width */
        const struct ir_helper *helper;
        struct {
            uint8_t kind; /* enum ir_amo, ir_fp or ir_int */
            uint8_t mem;  /* enum ir_mem */
            uint8_t of;   /* enum ir_type: format of FP operands (x2f: unused) */
            uint8_t rm;   /* enum fp_rounding, or IR_RM_DYNAMIC: frm */
        };
    };
};

_Static_assert(sizeof(struct ir_insn) == 16, "an operation takes a quarter of a cache line");

enum { IR_RM_DYNAMIC = 7 };

/* A guest instruction and where its operations start: they end where the next one's do. */
struct ir_guest {
    uint32_t offset; /* from the block's start, bytes */
    ir_ref first;
    struct decoded insn;
};

/* A register's value, while it is a constant or a pc, or a register's shifted by a constant. */
struct ir_known {
    uint8_t op;  /* IR_const, IR_pc, IR_sll, IR_srl, or IR_none: it may be anything */
    int64_t imm; /* of a shift: place of the operation; one of 32 bits was extended by its sign */
};

struct ir_block {
    struct ir_known known[32]; /* by integer register, behind the last instruction */
    struct ir_insn *insns;     /* insns[0] is IR_none */
    unsigned count, room;
    struct ir_guest *guests;
    unsigned guest_count, guest_room;
    uint8_t xlen; /* enum ir_type: IR_I32 or IR_I64 */
    bool failed;  /* no memory, or more operations than ir_ref can name */
};

/* Where the operations of a guest instruction begin; of the one behind the last: where they end. */
static inline unsigned ir_guest_start(const struct ir_block *b, unsigned guest)
{
    return guest < b->guest_count ? b->guests[guest].first : b->count;
}

/* Empty, for that register width. Takes no memory yet. */
void ir_block_init(struct ir_block *b, const struct isa *isa);
void ir_block_free(struct ir_block *b);
/* Empty again, the memory kept. */
void ir_block_clear(struct ir_block *b);

/* What follows is not removed together with what is there (ir_remove_dead). falls: but runs behind it, and
 * whatever comes here does. */
void ir_begin_run(struct ir_block *b, bool falls);

/* Takes away writes to registers that nobody can see before the next one, and values that nobody uses, in
 * operations [first, end), which run one after the other (ir_dead.c). What was folded counts on it (F8, F9 in
 * ir_fold.c). false: no memory, and the block is of no use. */
bool ir_remove_dead(struct ir_block *b, unsigned first, unsigned end);

/*
 * Appends what an instruction at that distance from the block's start does. false: no memory or no
 * more room, and the block is as it was.
 */
bool ir_build_insn(struct ir_block *b, const struct isa *isa, const struct decoded *d,
                   uint32_t pc_offset);

/*
 * What ir_build_insn is made of. ir_end_guest: false when something failed since ir_begin_guest, and
 * the block is as it was then.
 */
bool ir_begin_guest(struct ir_block *b, uint32_t offset, const struct decoded *d);
bool ir_end_guest(struct ir_block *b);
/* Appends one operation as it is. 0: it failed, and so will the block. */
ir_ref ir_emit(struct ir_block *b, const struct ir_insn *insn);

/*
 * Addresses (ir_access.c)
 */

#define IR_SPAN_MAX \
    1024 /* bytes that one check of a page may serve, and that a base may be moved by */

/* A guest address as a register and a distance. */
struct ir_place {
    unsigned base; /* guest register; 0: a constant or something that was computed */
    int32_t imm;
};

/* Distances from a base register: [low, high). */
struct ir_range {
    int32_t low, high;
    bool writes; /* one of the accesses is a store that is made when the first is */
};

bool ir_is_access(const struct ir_insn *i);
/* The address of an access: base register plus constant, or any value. */
struct ir_place ir_access_place(const struct ir_block *b, const struct ir_insn *i);
/* How far a value is from what the register held before: false: it is something else. */
bool ir_moves_by(const struct ir_block *b, const struct ir_insn *value, unsigned guest,
                 int32_t *by);
/*
 * The accesses off `base` in operations [from, end), as far as one check can serve them: up to an
 * operation that `ends` it or sets the register to something else. Returns how many there are.
 */
unsigned ir_scan_accesses(const struct ir_block *b, unsigned from, unsigned end, unsigned base,
                          bool (*ends)(const struct ir_insn *i), struct ir_range *range);

/* "%3 = add.i64 %1, %2". Returns the length of the text, cut to size. */
size_t ir_print_insn(const struct ir_block *b, ir_ref ref, char *text, size_t size);

/* All operations, a line each, with no newline. */
void ir_print(const struct ir_block *b, void (*line)(void *ctx, const char *text), void *ctx);

#endif
