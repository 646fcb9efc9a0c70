/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The interpreter: the instruction table with its vocabulary defined as C (isa/insns.def tells what
 * each word means). Included by exec_rv32.c and exec_rv64.c, once each, with XLEN and EXEC_TABLE
 * defined, and by exec_direct_rv32.c and exec_direct_rv64.c with DIRECT, too (exec_direct.h). A meaning becomes the body of one function, so words that may leave it return.
 */
#include "cpu/bits.h"
#include "cpu/exec.h"
#include "cpu/helpers.h"
#include "cpu/word_expected.h"

#if XLEN == 64
#define UX uint64_t
#define SX int64_t
#define UXX unsigned __int128
#define SXX __int128
#else
#define UX uint32_t
#define SX int32_t
#define UXX uint64_t
#define SXX int64_t
#endif

/* Registers and constants */
#define VAL UX
#define REG_rd i->rd
#define REG_rs1 i->rs1
#define REG_rs2 i->rs2
#define REG_rs3 (i->imm >> 3)
#define RX(r) ((UX)h->x[REG_##r])
#define RX_OLD (i->rd == REG_SINK ? 0 : (UX)h->x[i->rd])
#define WX(r, v) h->x[REG_##r] = (uint64_t)(int64_t)(SX)(UX)(v)
#define C(n) ((UX)(n))
#define IMM ((UX)(SX)i->imm)
#define PC ((UX)insn_pc(h, i))
#define NEXT_PC (PC + insn_link(i)->length)
#define NOP (void)h

/* Arithmetic */
#define ADD(a, b) ((UX)(a) + (UX)(b))
#define SUB(a, b) ((UX)(a) - (UX)(b))
#define AND(a, b) ((UX)(a) & (UX)(b))
#define OR(a, b) ((UX)(a) | (UX)(b))
#define XOR(a, b) ((UX)(a) ^ (UX)(b))
#define NOT(a) (~(UX)(a))
#define SLL(a, b) ((UX)(a) << ((b) & (XLEN - 1)))
#define SRL(a, b) ((UX)(a) >> ((b) & (XLEN - 1)))
#define SRA(a, b) ((UX)((SX)(a) >> ((b) & (XLEN - 1))))
#define SLT(a, b) ((UX)((SX)(a) < (SX)(b)))
#define SLTU(a, b) ((UX)((UX)(a) < (UX)(b)))
#define EQ(a, b) ((UX)((UX)(a) == (UX)(b)))
#define NE(a, b) ((UX)((UX)(a) != (UX)(b)))
#define SELECT(c, a, b) ((c) ? (UX)(a) : (UX)(b))
#define MUL(a, b) ((UX)(a) * (UX)(b))
#define MULH(a, b) ((UX)(((SXX)(SX)(a) * (SXX)(SX)(b)) >> XLEN))
#define MULHU(a, b) ((UX)(((UXX)(a) * (UXX)(b)) >> XLEN))
#define MULHSU(a, b) ((UX)(((SXX)(SX)(a) * (SXX)(UXX)(UX)(b)) >> XLEN))
#define DIV(a, b) ((UX)CAT(bits_div, XLEN)(a, b))
#define DIVU(a, b) ((UX)CAT(bits_divu, XLEN)(a, b))
#define REM(a, b) ((UX)CAT(bits_rem, XLEN)(a, b))
#define REMU(a, b) ((UX)CAT(bits_remu, XLEN)(a, b))
#define CLZ(a) ((UX)CAT(bits_clz, XLEN)(a))
#define CTZ(a) ((UX)CAT(bits_ctz, XLEN)(a))
#define CPOP(a) ((UX)bits_cpop((UX)(a)))
#define ROL(a, b) ((UX)CAT(bits_ror, XLEN)(a, -(unsigned)(b)))
#define ROR(a, b) ((UX)CAT(bits_ror, XLEN)(a, b))
#define ORCB(a) ((UX)bits_orcb((UX)(a)))
#define REV8(a) ((UX)(__builtin_bswap64((UX)(a)) >> (64 - XLEN)))
#define CLMUL(a, b) ((UX)bits_clmul((UX)(a), (UX)(b)))
#define CLMULH(a, b) ((UX)CAT(bits_clmulh, XLEN)(a, b))
#define CLMULR(a, b) ((UX)CAT(bits_clmulr, XLEN)(a, b))
#define CAT(name, width) CAT_(name, width)
#define CAT_(name, width) name##width

/* On the low half */
#define SEXT8(a) ((UX)(SX)(int8_t)(a))
#define SEXT16(a) ((UX)(SX)(int16_t)(a))
#define SEXT32(a) ((UX)(SX)(int32_t)(a))
#define ZEXT8(a) ((UX)(uint8_t)(a))
#define ZEXT16(a) ((UX)(uint16_t)(a))
#define ZEXT32(a) ((UX)(uint32_t)(a))
#define ADDW(a, b) SEXT32((uint32_t)(a) + (uint32_t)(b))
#define SUBW(a, b) SEXT32((uint32_t)(a) - (uint32_t)(b))
#define MULW(a, b) SEXT32((uint32_t)(a) * (uint32_t)(b))
#define SLLW(a, b) SEXT32((uint32_t)(a) << ((b)&31))
#define SRLW(a, b) SEXT32((uint32_t)(a) >> ((b)&31))
#define SRAW(a, b) SEXT32((int32_t)(a) >> ((b)&31))
#define DIVW(a, b) SEXT32(bits_div32(a, b))
#define DIVUW(a, b) SEXT32(bits_divu32(a, b))
#define REMW(a, b) SEXT32(bits_rem32(a, b))
#define REMUW(a, b) SEXT32(bits_remu32(a, b))
#define CLZW(a) ((UX)bits_clz32(a))
#define CTZW(a) ((UX)bits_ctz32(a))
#define ROLW(a, b) SEXT32(bits_ror32(a, -(unsigned)(b)))
#define RORW(a, b) SEXT32(bits_ror32(a, b))

/* Memory */
#define MEM_S8 int8_t
#define MEM_U8 uint8_t
#define MEM_S16 int16_t
#define MEM_U16 uint16_t
#define MEM_S32 int32_t
#define MEM_U32 uint32_t
#define MEM_U64 uint64_t
/* Atomics' values are sign-extended from the width of the access. */
#define ATOMIC_B int8_t
#define ATOMIC_H int16_t
#define ATOMIC_W int32_t
#define ATOMIC_D int64_t
#ifdef DIRECT
#include "cpu/exec_direct.h"
#else
#define LOAD(t, a) \
    ({ \
        uint64_t va_ = (UX)(a); \
        const struct tlb_entry *e_ = tlb_entry(h, va_); \
        MEM_##t v_; \
        if (SLOW) { \
            v_ = (MEM_##t)mem_load_slow(h, va_, sizeof(v_)); \
            if (unlikely(h->fault)) \
                return exec_fault(h, i); \
        } else { \
            if (unlikely(!tlb_hits(e_->read, va_, sizeof(v_)))) \
                return slow(h, i); \
            v_ = \
                __atomic_load_n((const MEM_##t *)(uintptr_t)(va_ + e_->addend), __ATOMIC_RELAXED); \
        } \
        (uint64_t)(int64_t) v_; \
    })
#define STORE(t, a, v) \
    do { \
        uint64_t va_ = (UX)(a); \
        const struct tlb_entry *e_ = tlb_entry(h, va_); \
        MEM_##t v_ = (MEM_##t)(v); \
        if (SLOW) { \
            mem_store_slow(h, va_, sizeof(v_), v_); \
            if (unlikely(h->fault)) \
                return exec_fault(h, i); \
        } else { \
            if (unlikely(!tlb_hits(e_->write, va_, sizeof(v_)))) \
                return slow(h, i); \
            __atomic_store_n((MEM_##t *)(uintptr_t)(va_ + e_->addend), v_, __ATOMIC_RELAXED); \
        } \
    } while (0)

#define ATOMIC_PLACE(t, a, access) \
    ({ \
        uint64_t va_ = (UX)(a); \
        const struct tlb_entry *e_ = tlb_entry(h, va_); \
        ATOMIC_##t *p_ = (void *)(uintptr_t)(va_ + e_->addend); \
        if (SLOW) { \
            p_ = mem_atomic_slow(h, va_, sizeof(ATOMIC_##t), access); \
            if (unlikely(!p_)) \
                return exec_fault(h, i); \
        } else if (unlikely(!tlb_hits(access == ACCESS_READ ? e_->read : e_->write, va_, \
                                      sizeof(ATOMIC_##t)))) { \
            return slow(h, i); \
        } \
        p_; \
    })
#endif
#define AMO(t, op, a, v) \
    ({ \
        ATOMIC_##t v_ = (ATOMIC_##t)(v); \
        ATOMIC_##t *at_ = ATOMIC_PLACE(t, a, ACCESS_WRITE); \
        (int64_t) AMO_##op(ATOMIC_##t, at_, v_); \
    })
#define AMO_swap(T, p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define AMO_add(T, p, v) __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST)
#define AMO_xor(T, p, v) __atomic_fetch_xor(p, v, __ATOMIC_SEQ_CST)
#define AMO_and(T, p, v) __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define AMO_or(T, p, v) __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define AMO_min(T, p, v) AMO_PICK(T, p, v, (int64_t)old_ < (int64_t)(v))
#define AMO_max(T, p, v) AMO_PICK(T, p, v, (int64_t)old_ > (int64_t)(v))
#define AMO_minu(T, p, v) AMO_PICK(T, p, v, (uint64_t)(int64_t)old_ < (uint64_t)(int64_t)(v))
#define AMO_maxu(T, p, v) AMO_PICK(T, p, v, (uint64_t)(int64_t)old_ > (uint64_t)(int64_t)(v))
#define AMO_PICK(T, p, v, keep) \
    ({ \
        T old_ = __atomic_load_n(p, __ATOMIC_RELAXED); \
        while (!__atomic_compare_exchange_n(p, &old_, (keep) ? old_ : (v), false, \
                                            __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) \
            ; \
        old_; \
    })
#define AMOCAS(t, a, expected, v) \
    ({ \
        ATOMIC_##t old_ = (ATOMIC_##t)(expected), new_ = (ATOMIC_##t)(v); \
        ATOMIC_##t *at_ = ATOMIC_PLACE(t, a, ACCESS_WRITE); \
        if (sizeof(old_) == 4) \
            WORD_EXPECTED(old_); \
        __atomic_compare_exchange_n(at_, &old_, new_, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
        (int64_t) old_; \
    })
#define LR(t, a) \
    ({ \
        ATOMIC_##t *at_ = ATOMIC_PLACE(t, a, ACCESS_READ); \
        ATOMIC_##t v_ = __atomic_load_n(at_, __ATOMIC_SEQ_CST); \
        h->reservation = (uintptr_t)at_; \
        h->reservation_value = (uint64_t)(int64_t)v_; \
        h->reservation_size = sizeof(v_); \
        (int64_t) v_; \
    })
#define SC(t, a, v) \
    ({ \
        ATOMIC_##t new_ = (ATOMIC_##t)(v), old_ = (ATOMIC_##t)h->reservation_value; \
        ATOMIC_##t *at_ = ATOMIC_PLACE(t, a, ACCESS_WRITE); \
        bool done_ = h->reservation == (uintptr_t)at_ && h->reservation_size == sizeof(new_) && \
                     __atomic_compare_exchange_n(at_, &old_, new_, false, __ATOMIC_SEQ_CST, \
                                                 __ATOMIC_RELAXED); \
        h->reservation = NO_RESERVATION; \
        !done_; \
    })

/* Floating point */
#define FBITS_H uint16_t
#define FBITS_S uint32_t
#define FBITS_D uint64_t
#define FBOX_H 0xffffffffffff0000u
#define FBOX_S 0xffffffff00000000u
#define FBOX_D 0u
#define FNAN_H FP16_NAN
#define FNAN_S FP32_NAN
#define FNAN_D FP64_NAN
#define FP_H(name) fp16_##name
#define FP_S(name) fp32_##name
#define FP_D(name) fp64_##name
#define FT_H fp16
#define FT_S fp32
#define FT_D fp64
#define RFX(w, r) ((FBITS_##w)h->f[REG_##r])
#define RF(w, r) \
    ({ \
        uint64_t f_ = h->f[REG_##r]; \
        (f_ & FBOX_##w) == FBOX_##w ? (FBITS_##w)f_ : FNAN_##w; \
    })
#define WF(w, r, v) \
    do { \
        uint64_t f_ = (FBITS_##w)(v); \
        h->f[REG_##r] = f_ | FBOX_##w; \
        h->csr.mstatus |= MSTATUS_FS; \
    } while (0)
#define FP1(w, op, a) FP1_##op(w, a)
#define FP1_sqrt(w, a) FP_##w(sqrt)(&h->fp, a, rm)
#define FP1_round(w, a) FP_##w(round)(&h->fp, a, rm, false)
#define FP1_roundnx(w, a) FP_##w(round)(&h->fp, a, rm, true)
#define FP2(w, op, a, b) FP_##w(op)(&h->fp, a, b, rm)
#define FP3(w, op, a, b, c) FP_##w(op)(&h->fp, a, b, c, rm)
#define FPN1(w, op, a) FPN1_##op(w, a)
#define FPN1_class(w, a) FP_##w(class)(a)
#define FPN1_to_i32_mod(w, a) FP_##w(to_i32_mod)(&h->fp, a)
#define FPN2(w, op, a, b) FPN2_##op(w, a, b)
#define FPN2_min(w, a, b) FP_##w(min)(&h->fp, a, b)
#define FPN2_max(w, a, b) FP_##w(max)(&h->fp, a, b)
#define FPN2_minm(w, a, b) FP_##w(minm)(&h->fp, a, b)
#define FPN2_maxm(w, a, b) FP_##w(maxm)(&h->fp, a, b)
#define FPN2_eq(w, a, b) FP_##w(eq)(&h->fp, a, b)
#define FPN2_lt(w, a, b) FP_##w(lt)(&h->fp, a, b)
#define FPN2_le(w, a, b) FP_##w(le)(&h->fp, a, b)
#define FPN2_ltq(w, a, b) FP_##w(ltq)(&h->fp, a, b)
#define FPN2_leq(w, a, b) FP_##w(leq)(&h->fp, a, b)
#define FSIGN_S FP32_SIGN
#define FSIGN_D FP64_SIGN
#define FPN2_sgnj(w, a, b) (((a) & ~FSIGN_##w) | ((b)&FSIGN_##w))
#define FPN2_sgnjn(w, a, b) (((a) & ~FSIGN_##w) | (~(b)&FSIGN_##w))
#define FPN2_sgnjx(w, a, b) ((a) ^ ((b)&FSIGN_##w))
#define F2X(w, t, a) F2X_##t(w, a)
#define F2X_I32(w, a) FP_##w(to_i32)(&h->fp, a, rm)
#define F2X_U32(w, a) FP_##w(to_u32)(&h->fp, a, rm)
#define F2X_I64(w, a) FP_##w(to_i64)(&h->fp, a, rm)
#define F2X_U64(w, a) FP_##w(to_u64)(&h->fp, a, rm)
#define X2F(w, t, a) X2F_##t(w, a)
#define X2F_I32(w, a) FP_##w(from_i32)(&h->fp, (int32_t)(a), rm)
#define X2F_U32(w, a) FP_##w(from_u32)(&h->fp, (uint32_t)(a), rm)
#define X2F_I64(w, a) FP_##w(from_i64)(&h->fp, (int64_t)(a), rm)
#define X2F_U64(w, a) FP_##w(from_u64)(&h->fp, (uint64_t)(a), rm)
#define FCVT(from, to, a) FCVT_##from##_##to(a)
#define FCVT_D_S(a) fp64_to_fp32(&h->fp, a, rm)
#define FCVT_D_H(a) fp64_to_fp16(&h->fp, a, rm)
#define FCVT_S_H(a) fp32_to_fp16(&h->fp, a, rm)
#define FCVT_S_D(a) fp32_to_fp64(&h->fp, a)
#define FCVT_H_S(a) fp16_to_fp32(&h->fp, a)
#define FCVT_H_D(a) fp16_to_fp64(&h->fp, a)
#define FLI(w) FLI_##w
#define FLI_S fp32_fli[i->rs1]
#define FLI_D fp64_fli[i->rs1]
#define FHIGH(v) ((uint64_t)(v) >> 32)
#define FPAIR(low, high) ((uint64_t)(high) << 32 | (uint32_t)(low))

/* Control */
#define CHECK_TARGET(a) \
    do { \
        if (unlikely(h->pc_misaligned & (a))) { \
            hart_fault(h, CAUSE_FETCH_MISALIGNED, (UX)(a)); \
            return exec_fault(h, i); \
        } \
    } while (0)
#define BRANCH_IF(c) \
    do { \
        if (c) \
            DISPATCH_OR_LEAVE(exec_follow(h, i, ADD(PC, IMM))); \
    } while (0)
#define JUMP_REL DISPATCH_OR_LEAVE(exec_follow(h, i, ADD(PC, IMM)))
#define JUMP(a) DISPATCH_OR_LEAVE(exec_jump(h, i, (a)))
#ifndef DIRECT
#define NOTE_SLOT
#define MAY_FAULT
#endif
#define HELPER(f) \
    do { \
        NOTE_SLOT; \
        if (unlikely(!helper_##f(h, i))) \
            return exec_fault(h, i); \
    } while (0)
#define HELPER_END(f) return exec_system(h, i, helper_##f)
#define HELPER_CSR(f) \
    do { \
        if (!exec_csr(h, i, helper_##f)) \
            return NULL; \
    } while (0)

/*
 * What stands before a meaning, by format. FP instructions are illegal while mstatus.FS is Off. Those
 * with a result in an integer register may still raise flags, and so mark FS dirty.
 */
#define FP_ON \
    if (unlikely(!(h->csr.mstatus & MSTATUS_FS))) \
        return exec_illegal(h, i);
#define FP_ROUNDS \
    FP_ON unsigned rm = i->imm & 7; \
    if (rm == 7) { \
        rm = h->frm; \
        if (unlikely(rm > FP_RMM)) \
            return exec_illegal(h, i); \
    } \
    (void)rm;
#define FP_DIRTY h->csr.mstatus |= MSTATUS_FS;
#define BEFORE_N
#define BEFORE_R
#define BEFORE_R2
#define BEFORE_I
#define BEFORE_L
#define BEFORE_S
#define BEFORE_B
#define BEFORE_U
#define BEFORE_J
#define BEFORE_JR
#define BEFORE_SH
#define BEFORE_SHW
#define BEFORE_FENCE
#define BEFORE_FENCEI
#define BEFORE_PF
#define BEFORE_CSR
#define BEFORE_CSRI
#define BEFORE_SF
#define BEFORE_CBO
#define BEFORE_A
#define BEFORE_AP
#define BEFORE_LR
#define BEFORE_FL FP_ON
#define BEFORE_FS FP_ON
#define BEFORE_F4 FP_ROUNDS
#define BEFORE_FRM FP_ROUNDS
#define BEFORE_FR1M FP_ROUNDS
#define BEFORE_FR FP_ON
#define BEFORE_FXM FP_ROUNDS FP_DIRTY
#define BEFORE_XFM FP_ROUNDS
#define BEFORE_FX2 FP_ON FP_DIRTY
#define BEFORE_FX1 FP_ON FP_DIRTY
#define BEFORE_XF1 FP_ON
#define BEFORE_FLI FP_ON
#define BEFORE_FPX FP_ON

/* Formats whose meanings access memory. */
#define MEMORY_N 0
#define MEMORY_R 0
#define MEMORY_R2 0
#define MEMORY_I 0
#define MEMORY_L 1
#define MEMORY_S 1
#define MEMORY_B 0
#define MEMORY_U 0
#define MEMORY_J 0
#define MEMORY_JR 0
#define MEMORY_SH 0
#define MEMORY_SHW 0
#define MEMORY_FENCE 0
#define MEMORY_FENCEI 0
#define MEMORY_PF 0
#define MEMORY_CSR 0
#define MEMORY_CSRI 0
#define MEMORY_SF 0
#define MEMORY_CBO 0
#define MEMORY_A 1
#define MEMORY_AP 0
#define MEMORY_LR 1
#define MEMORY_FL 1
#define MEMORY_FS 1
#define MEMORY_F4 0
#define MEMORY_FRM 0
#define MEMORY_FR1M 0
#define MEMORY_FR 0
#define MEMORY_FXM 0
#define MEMORY_XFM 0
#define MEMORY_FX2 0
#define MEMORY_FX1 0
#define MEMORY_XF1 0
#define MEMORY_FLI 0
#define MEMORY_FPX 0

/*
 * An instruction that accesses memory becomes two functions: the one in the table has only the quick
 * way through the TLB and leaves all else to its twin, so that it needs no stack frame.
 */
#define DEFINE(name, format, ...) CAT(DEFINE_, MEMORY_##format)(name, format, __VA_ARGS__)
#define DEFINE_0(name, format, ...) \
    MAY_FAULT static const struct insn *exec_##name(struct hart *h, const struct insn *i) \
    { \
        BEFORE_##format __VA_ARGS__; \
        DISPATCH(i + (FORMAT_##format == FORMAT_B ? 2 : 1)); \
    }
#ifdef DIRECT
#define DEFINE_1 DEFINE_0
#else
#define DEFINE_1(name, format, ...) \
    static __attribute__((noinline, cold)) \
    const struct insn *slow_##name(struct hart *h, const struct insn *i) \
    { \
        enum { SLOW = 1 }; \
        exec_fn *const slow = NULL; \
        BEFORE_##format __VA_ARGS__; \
        DISPATCH(i + 1); \
    } \
    static const struct insn *exec_##name(struct hart *h, const struct insn *i) \
    { \
        enum { SLOW = 0 }; \
        exec_fn *const slow = slow_##name; \
        BEFORE_##format __VA_ARGS__; \
        DISPATCH(i + 1); \
    }
#endif
#define ENTRY(name) [INSN_##name] = exec_##name,
#define CINSN(...)

/* First the functions, then the table of them; each width has the instructions of its base. */
#define DEFINE_RV(name, format, ...) DEFINE(name, format, __VA_ARGS__)
#define ENTRY_RV(name) ENTRY(name)
#define SLOW_ENTRY_RV(name, format) SLOW_ENTRY(name, format)
#if XLEN == 64
#define DEFINE_RV32(name, format, ...)
#define DEFINE_RV64(name, format, ...) DEFINE(name, format, __VA_ARGS__)
#define ENTRY_RV32(name)
#define ENTRY_RV64(name) ENTRY(name)
#define SLOW_ENTRY_RV32(name, format)
#define SLOW_ENTRY_RV64(name, format) SLOW_ENTRY(name, format)
#else
#define DEFINE_RV32(name, format, ...) DEFINE(name, format, __VA_ARGS__)
#define DEFINE_RV64(name, format, ...)
#define ENTRY_RV32(name) ENTRY(name)
#define ENTRY_RV64(name)
#define SLOW_ENTRY_RV32(name, format) SLOW_ENTRY(name, format)
#define SLOW_ENTRY_RV64(name, format)
#endif

#define INSN(name, base, ext, format, match, mask, ...) DEFINE_##base(name, format, __VA_ARGS__)
#include "isa/insns.def"
#undef INSN

exec_fn *const EXEC_TABLE[INSN_COUNT] = {
#define INSN(name, base, ext, format, match, mask, ...) ENTRY_##base(name)
#include "isa/insns.def"
#undef INSN
};

#ifndef DIRECT
/* The table with the twins in their places. */
#define SLOW_TWIN_0(name) exec_##name
#define SLOW_TWIN_1(name) slow_##name
#define SLOW_ENTRY(name, format) [INSN_##name] = CAT(SLOW_TWIN_, MEMORY_##format)(name),

exec_fn *const EXEC_SLOW_TABLE[INSN_COUNT] = {
#define INSN(name, base, ext, format, match, mask, ...) SLOW_ENTRY_##base(name, format)
#include "isa/insns.def"
#undef INSN
};
#endif
