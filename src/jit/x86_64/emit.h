/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Host instructions as bytes (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2,
 * "Instruction Format"). One function a form, not one an instruction: an opcode says which.
 *
 *     emit_rr(e, OP_ADD, W64, RAX, RCX);              add rax, rcx
 *     emit_rm(e, OP_MOV_LOAD, W32, RDX, mem(RBP, 8)); mov edx, [rbp + 8]
 *     emit_ri(e, ALU_AND, W64, RAX, -4096);           and rax, -4096
 *
 * The caller leaves room: nothing here looks at the end of the buffer.
 */
#ifndef RVVM_JIT_X86_64_EMIT_H
#define RVVM_JIT_X86_64_EMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum reg {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    NO_REG = 0xff,
};

enum width { W32, W64 };

/* base + index * 2^scale + disp */
struct mem {
    uint8_t base, index, scale; /* index: NO_REG for none */
    int32_t disp;
};

static inline struct mem mem(enum reg base, int32_t disp)
{
    return (struct mem){base, NO_REG, 0, disp};
}

static inline struct mem mem_index(enum reg base, enum reg index, unsigned scale, int32_t disp)
{
    return (struct mem){base, (uint8_t)index, (uint8_t)scale, disp};
}

struct emit {
    uint8_t *at;     /* the next byte, where it can be written */
    int64_t to_exec; /* add to an address to write at: the address it runs at */
    unsigned insns;  /* emitted so far; padding does not count */
    bool direct;     /* for a program without a machine (jit/direct.h) */
};

static inline void emit8(struct emit *e, unsigned byte)
{
    *e->at++ = (uint8_t)byte;
}

static inline void emit32(struct emit *e, uint32_t value)
{
    memcpy(e->at, &value, 4);
    e->at += 4;
}

static inline void emit64(struct emit *e, uint64_t value)
{
    memcpy(e->at, &value, 8);
    e->at += 8;
}

/*
 * Opcodes: the low byte, above it the map (0x0f, 0x0f38, 0x0f3a) and from bit 24 a mandatory prefix.
 */
enum {
    OP_ADD = 0x03,
    OP_OR = 0x0b,
    OP_AND = 0x23,
    OP_SUB = 0x2b,
    OP_XOR = 0x33,
    OP_CMP = 0x3b,

    OP_CMP_WITH = 0x39, /* memory operand first */
    OP_TEST = 0x85,
    OP_MOV_LOAD = 0x8b,
    OP_MOV_STORE = 0x89,
    OP_LEA = 0x8d,
    OP_MOVSXD = 0x63,
    OP_MOVZX8 = 0x0fb6,
    OP_MOVZX16 = 0x0fb7,
    OP_MOVSX8 = 0x0fbe,
    OP_MOVSX16 = 0x0fbf,
    OP_IMUL = 0x0faf,
    OP_XCHG = 0x87,

    OP_BSWAP = 0x0fc8,
    OP_LZCNT = 0xf3000fbd,
    OP_TZCNT = 0xf3000fbc,
    OP_POPCNT = 0xf3000fb8,
    OP_CMOV = 0x0f40, /* plus condition */
    OP_XADD = 0x0fc1,
    OP_CMPXCHG = 0x0fb1,
    /* SSE2: register forms and loads */
    OP_MOVQ_LOAD = 0xf3000f7e,
    OP_MOVQ_STORE = 0x66000fd6,
    OP_MOVD_X = 0x66000f6e,
    OP_X_MOVD = 0x66000f7e,
    OP_MOVSS_LOAD = 0xf3000f10,
    OP_MOVSS_STORE = 0xf3000f11,
    OP_MOVSD_LOAD = 0xf2000f10,
    OP_MOVSD_STORE = 0xf2000f11,
    OP_MOVAPS = 0x0f28,
    OP_PADDQ = 0x66000fd4,
    OP_PSUBQ = 0x66000ffb,
    OP_ANDPS = 0x0f54,

    OP_ORPS = 0x0f56,
    OP_XORPS = 0x0f57,
    OP_UCOMISS = 0x0f2e,
    OP_UCOMISD = 0x66000f2e,
    OP_COMISS = 0x0f2f,
    OP_COMISD = 0x66000f2f,
};

/* The ALU group by number, for immediates. */
enum alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
enum shift { SHIFT_ROL = 0, SHIFT_ROR = 1, SHIFT_SHL = 4, SHIFT_SHR = 5, SHIFT_SAR = 7 };
/* Group 3, one operand. */
enum { UNARY_NOT = 2, UNARY_NEG = 3, UNARY_MUL = 4, UNARY_IMUL = 5, UNARY_DIV = 6, UNARY_IDIV = 7 };

enum cond {
    CC_O,
    CC_NO,
    CC_B,
    CC_AE,
    CC_E,
    CC_NE,
    CC_BE,
    CC_A,
    CC_S,
    CC_NS,
    CC_P,
    CC_NP,
    CC_L,
    CC_GE,
    CC_LE,
    CC_G,
};

static inline enum cond cond_not(enum cond c)
{
    return (enum cond)(c ^ 1);
}

/* Prefixes and opcode. low8: the reg field is a byte register, which may need an empty REX. */
static inline void emit_opcode(struct emit *e, uint32_t op, enum width w, unsigned reg,
                               unsigned index, unsigned base, bool low8)
{
    e->insns++;
    if (op >> 24)
        emit8(e, op >> 24);
    unsigned rex = (w == W64) << 3 | (reg >> 3 & 1) << 2 | (index >> 3 & 1) << 1 | (base >> 3 & 1);
    if (rex || (low8 && reg >= RSP))
        emit8(e, 0x40 | rex);
    if (op & 0xff0000)
        emit8(e, op >> 16);
    if (op & 0xffff00)
        emit8(e, op >> 8);
    emit8(e, op);
}

static inline void emit_modrm_mem(struct emit *e, unsigned reg, struct mem m)
{
    bool sib = m.index != NO_REG || (m.base & 7) == RSP;
    unsigned mode = m.disp == 0 && (m.base & 7) != RBP ? 0 : m.disp == (int8_t)m.disp ? 1 : 2;
    emit8(e, mode << 6 | (reg & 7) << 3 | (sib ? 4u : m.base & 7u));
    if (sib)
        emit8(e,
              (unsigned)m.scale << 6 | (m.index == NO_REG ? 4u : m.index & 7u) << 3 | (m.base & 7));
    if (mode == 1)
        emit8(e, (uint8_t)m.disp);
    else if (mode == 2)
        emit32(e, (uint32_t)m.disp);
}

static inline void emit_rr(struct emit *e, uint32_t op, enum width w, unsigned reg, unsigned rm)
{
    emit_opcode(e, op, w, reg, 0, rm, false);
    emit8(e, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static inline void emit_rm(struct emit *e, uint32_t op, enum width w, unsigned reg, struct mem m)
{
    emit_opcode(e, op, w, reg, m.index == NO_REG ? 0 : m.index, m.base, false);
    emit_modrm_mem(e, reg, m);
}

/* The same with a byte register as source (rm) or as the stored operand (reg). */
static inline void emit_rr8(struct emit *e, uint32_t op, enum width w, unsigned reg, unsigned rm)
{
    e->insns++;
    unsigned rex = (w == W64) << 3 | (reg >> 3) << 2 | rm >> 3;
    if (rex || rm >= RSP)
        emit8(e, 0x40 | rex);
    if (op & 0xff00)
        emit8(e, op >> 8);
    emit8(e, op);
    emit8(e, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static inline void emit_mov_rr(struct emit *e, enum width w, enum reg to, enum reg from)
{
    if (to != from || w == W32)
        emit_rr(e, OP_MOV_LOAD, w, to, from);
}

static inline void emit_load(struct emit *e, enum width w, enum reg to, struct mem m)
{
    emit_rm(e, OP_MOV_LOAD, w, to, m);
}

static inline void emit_store(struct emit *e, enum width w, enum reg from, struct mem m)
{
    emit_rm(e, OP_MOV_STORE, w, from, m);
}

static inline void emit_lea(struct emit *e, enum width w, enum reg to, struct mem m)
{
    emit_rm(e, OP_LEA, w, to, m);
}

static inline void emit_ri(struct emit *e, enum alu op, enum width w, enum reg r, int32_t imm)
{
    bool small = imm == (int8_t)imm;
    emit_opcode(e, small ? 0x83 : 0x81, w, 0, 0, r, false);
    emit8(e, 0xc0 | (unsigned)op << 3 | (r & 7));
    if (small)
        emit8(e, (uint8_t)imm);
    else
        emit32(e, (uint32_t)imm);
}

static inline void emit_mi(struct emit *e, enum alu op, enum width w, struct mem m, int32_t imm)
{
    bool small = imm == (int8_t)imm;
    emit_opcode(e, small ? 0x83 : 0x81, w, 0, m.index == NO_REG ? 0 : m.index, m.base, false);
    emit_modrm_mem(e, op, m);
    if (small)
        emit8(e, (uint8_t)imm);
    else
        emit32(e, (uint32_t)imm);
}

static inline void emit_cmp8_mi(struct emit *e, struct mem m, uint8_t imm)
{
    emit_opcode(e, 0x80, W32, 0, m.index == NO_REG ? 0 : m.index, m.base, false);
    emit_modrm_mem(e, ALU_CMP, m);
    emit8(e, imm);
}

/* mov [m], imm */
static inline void emit_store_imm(struct emit *e, enum width w, struct mem m, int32_t imm)
{
    emit_rm(e, 0xc7, w, 0, m);
    emit32(e, (uint32_t)imm);
}

static inline void emit_test_ri(struct emit *e, enum width w, enum reg r, int32_t imm)
{
    emit_opcode(e, 0xf7, w, 0, 0, r, false);
    emit8(e, 0xc0 | (r & 7));
    emit32(e, (uint32_t)imm);
}

static inline void emit_mov_imm(struct emit *e, enum reg r, uint64_t imm)
{
    if (imm == 0) {
        emit_rr(e, OP_XOR, W32, r, r); /* changes flags */
    } else if (imm <= UINT32_MAX) {
        emit_opcode(e, 0xb8 | (r & 7), W32, 0, 0, r, false);
        emit32(e, (uint32_t)imm);
    } else if ((int64_t)imm == (int32_t)imm) {
        emit_opcode(e, 0xc7, W64, 0, 0, r, false);
        emit8(e, 0xc0 | (r & 7));
        emit32(e, (uint32_t)imm);
    } else {
        emit_opcode(e, 0xb8 | (r & 7), W64, 0, 0, r, false);
        emit64(e, imm);
    }
}

/* The same, flags kept. */
static inline void emit_mov_imm_quiet(struct emit *e, enum reg r, uint64_t imm)
{
    if (imm) {
        emit_mov_imm(e, r, imm);
    } else {
        emit_opcode(e, 0xb8 | (r & 7), W32, 0, 0, r, false);
        emit32(e, 0);
    }
}

static inline void emit_shift_ri(struct emit *e, enum shift op, enum width w, enum reg r,
                                 unsigned n)
{
    emit_opcode(e, 0xc1, w, 0, 0, r, false);
    emit8(e, 0xc0 | (unsigned)op << 3 | (r & 7));
    emit8(e, n);
}

/* By cl. */
static inline void emit_shift_cl(struct emit *e, enum shift op, enum width w, enum reg r)
{
    emit_opcode(e, 0xd3, w, 0, 0, r, false);
    emit8(e, 0xc0 | (unsigned)op << 3 | (r & 7));
}

static inline void emit_unary(struct emit *e, unsigned op, enum width w, enum reg r)
{
    emit_opcode(e, 0xf7, w, 0, 0, r, false);
    emit8(e, 0xc0 | op << 3 | (r & 7));
}

static inline void emit_unary_m(struct emit *e, unsigned op, enum width w, struct mem m)
{
    emit_rm(e, 0xf7, w, op, m);
}

/* imul r, rm, imm */
static inline void emit_imul_imm(struct emit *e, enum width w, enum reg to, enum reg from,
                                 int32_t imm)
{
    emit_rr(e, 0x69, w, to, from);
    emit32(e, (uint32_t)imm);
}

static inline void emit_setcc(struct emit *e, enum cond cc, enum reg r)
{
    e->insns++;
    if (r >= RSP)
        emit8(e, 0x40 | (r >> 3));
    emit8(e, 0x0f);
    emit8(e, 0x90 | cc);
    emit8(e, 0xc0 | (r & 7));
}

static inline void emit_cqo(struct emit *e, enum width w)
{
    e->insns++;
    if (w == W64)
        emit8(e, 0x48);
    emit8(e, 0x99);
}

static inline void emit_push_m(struct emit *e, struct mem m)
{
    emit_rm(e, 0xff, W32, 6, m);
}

static inline void emit_push(struct emit *e, enum reg r)
{
    e->insns++;
    if (r >= R8)
        emit8(e, 0x41);
    emit8(e, 0x50 | (r & 7));
}

static inline void emit_pop(struct emit *e, enum reg r)
{
    e->insns++;
    if (r >= R8)
        emit8(e, 0x41);
    emit8(e, 0x58 | (r & 7));
}

static inline void emit_ret(struct emit *e)
{
    e->insns++;
    emit8(e, 0xc3);
}

static inline void emit_jmp_m(struct emit *e, struct mem m)
{
    emit_rm(e, 0xff, W32, 4, m);
}

static inline void emit_jmp_r(struct emit *e, enum reg r)
{
    emit_rr(e, 0xff, W32, 4, r);
}

static inline void emit_call_r(struct emit *e, enum reg r)
{
    emit_rr(e, 0xff, W32, 2, r);
}

/*
 * Jumps within 2 GiB. A jump to what is not there yet returns its 32-bit field, for emit_patch.
 */
static inline uint8_t *emit_jcc(struct emit *e, enum cond cc)
{
    e->insns++;
    emit8(e, 0x0f);
    emit8(e, 0x80 | cc);
    emit32(e, 0);
    return e->at - 4;
}

static inline uint8_t *emit_jmp(struct emit *e)
{
    e->insns++;
    emit8(e, 0xe9);
    emit32(e, 0);
    return e->at - 4;
}

static inline uint8_t *emit_call(struct emit *e)
{
    e->insns++;
    emit8(e, 0xe8);
    emit32(e, 0);
    return e->at - 4;
}

static inline void emit_patch(uint8_t *field, const uint8_t *target)
{
    int32_t distance = (int32_t)(target - (field + 4));
    memcpy(field, &distance, 4);
}

static inline void emit_patch_here(struct emit *e, uint8_t *field)
{
    emit_patch(field, e->at);
}

/* To code that can be written at `target`. */
static inline void emit_jcc_to(struct emit *e, enum cond cc, const uint8_t *target)
{
    emit_patch(emit_jcc(e, cc), target);
}

static inline void emit_jmp_to(struct emit *e, const uint8_t *target)
{
    emit_patch(emit_jmp(e), target);
}

static inline void emit_call_to(struct emit *e, const uint8_t *target)
{
    emit_patch(emit_call(e), target);
}

/* Short forms over a few bytes: returns the 8-bit field. */
static inline uint8_t *emit_jcc_short(struct emit *e, enum cond cc)
{
    e->insns++;
    emit8(e, 0x70 | cc);
    emit8(e, 0);
    return e->at - 1;
}

static inline uint8_t *emit_jmp_short(struct emit *e)
{
    e->insns++;
    emit8(e, 0xeb);
    emit8(e, 0);
    return e->at - 1;
}

static inline void emit_patch_short(struct emit *e, uint8_t *field)
{
    *field = (uint8_t)(e->at - (field + 1));
}

/* lea r, [rip + to target], a place in the same memory object that can be written at `target`. */
static inline void emit_lea_rip(struct emit *e, enum reg r, const void *target)
{
    emit_opcode(e, OP_LEA, W64, r, 0, 0, false);
    emit8(e, 0x05 | (r & 7) << 3);
    emit32(e, (uint32_t)((const uint8_t *)target - (e->at + 4)));
}

/* One instruction of n bytes, 1 to 8, that does nothing. */
static inline void emit_nop(struct emit *e, unsigned n)
{
    static const uint8_t nops[8][8] = {
        {0x90},
        {0x66, 0x90},
        {0x0f, 0x1f, 0x00},
        {0x0f, 0x1f, 0x40, 0x00},
        {0x0f, 0x1f, 0x44, 0x00, 0x00},
        {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
        {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
        {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
    };
    memcpy(e->at, nops[n - 1], n);
    e->at += n;
}

/* So that what follows after `before` more bytes stands at a multiple of `to`. */
static inline void emit_align(struct emit *e, unsigned before, unsigned to)
{
    unsigned n = (unsigned)(-(uintptr_t)(e->at + before)) & (to - 1);
    while (n) {
        unsigned part = n > 8 ? 8 : n;
        emit_nop(e, part);
        n -= part;
    }
}

/*
 * VEX forms (BMI1, BMI2, FMA3). pp: 0 none, 1 66, 2 F3, 3 F2; map: 1 0F, 2 0F38, 3 0F3A.
 */
static inline void emit_vex(struct emit *e, unsigned pp, unsigned map, bool w64, unsigned reg,
                            unsigned vvvv, unsigned index, unsigned base, unsigned op)
{
    e->insns++;
    emit8(e, 0xc4);
    emit8(e, (~reg >> 3 & 1) << 7 | (~index >> 3 & 1) << 6 | (~base >> 3 & 1) << 5 | map);
    emit8(e, (unsigned)w64 << 7 | (~vvvv & 15) << 3 | pp);
    emit8(e, op);
}

static inline void emit_vex_rrr(struct emit *e, unsigned pp, unsigned map, unsigned op,
                                enum width w, unsigned reg, unsigned vvvv, unsigned rm)
{
    emit_vex(e, pp, map, w == W64, reg, vvvv, 0, rm, op);
    emit8(e, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

/* shlx, shrx, sarx to, from, count: pp says which (66, F2, F3). */
enum { SHLX = 1, SARX = 2, SHRX = 3 };
static inline void emit_shift_x(struct emit *e, unsigned pp, enum width w, enum reg to,
                                enum reg from, enum reg count)
{
    emit_vex_rrr(e, pp, 2, 0xf7, w, to, count, from);
}

static inline void emit_rorx(struct emit *e, enum width w, enum reg to, enum reg from, unsigned n)
{
    emit_vex_rrr(e, 3, 3, 0xf0, w, to, 0, from);
    emit8(e, n);
}

#endif
