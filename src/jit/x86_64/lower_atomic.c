/* SPDX-License-Identifier: MPL-2.0 */
/*
 * LR, SC and atomic memory operations, as locked host instructions on the word itself: rcx becomes its
 * host address. x86 orders every locked instruction and every load as sequential consistency asks.
 */
#include "jit/x86_64/lower.h"

static void take_all(struct lower *l)
{
    lower_take(l, RAX);
    lower_take(l, RCX);
    lower_take(l, RDX);
}

/* The same where the guest's address is the host's. */
static void find_direct(struct lower *l, const struct ir_insn *i, bool writes, unsigned size)
{
    struct later *later = lower_later(l, LATER_GROUP);
    later->site = lower_site(l);
    later->site->writes = writes;
    later->site->atomic = true;
    later->site->span = (uint16_t)size;
    later->base = RCX;
    lower_into(l, RCX, i->a, l->xw);
    if (l->xw == W32)
        emit_mov_rr(&l->e, W32, RCX, RCX);
    emit_test_ri(&l->e, W32, RCX, (int32_t)size - 1);
    later->from[0] = emit_jcc(&l->e, CC_NE);
}

/* rcx = the host address of the aligned word. rax and rdx are changed. */
static void find_word(struct lower *l, const struct ir_insn *i, bool writes)
{
    struct emit *e = &l->e;
    unsigned size = ir_mem_bytes(i->mem);
    if (lower_is_direct(l)) {
        find_direct(l, i, writes, size);
        return;
    }
    size_t tag = writes ? offsetof(struct tlb_entry, write) : offsetof(struct tlb_entry, read);
    struct later *later = lower_later(l, LATER_GROUP);
    later->site = lower_site(l);
    later->site->writes = later->site->all_writes = writes;
    later->site->atomic = true;
    later->site->span = (uint16_t)size;
    later->site->retry = e->at + e->to_exec;
    later->base = RCX;
    lower_into(l, RCX, i->a, l->xw);
    emit_mov_rr(e, W64, RDX, RCX);
    lower_tlb_index(l, RCX);
    emit_rm(e, OP_XOR, W64, RDX, mem_index(RTLB, RAX, 0, (int32_t)tag));
    emit_opcode(e, 0xf7, W64, 0, 0, RDX, false); /* test rdx, imm32, sign-extended */
    emit8(e, 0xc0 | RDX);
    emit32(e, (uint32_t)PAGE_MASK | (size - 1));
    later->from[0] = emit_jcc(e, CC_NE);
    emit_rm(e, OP_ADD, W64, RCX, mem_index(RTLB, RAX, 0, offsetof(struct tlb_entry, addend)));
}

static void lock_rm(struct lower *l, uint32_t op, enum width w, enum reg r)
{
    lower_note_access(l);
    emit8(&l->e, 0xf0);
    emit_rm(&l->e, op, w, r, mem(RCX, 0));
}

/* The value in rax is the word: sign-extended it is the result. */
static void result_in_rax(struct lower *l, enum width w)
{
    if (w == W32 && l->xw == W64)
        emit_rr(&l->e, OP_MOVSXD, W64, RAX, RAX);
    lower_free(l, RCX);
    lower_free(l, RDX);
    lower_done(l, RAX);
}

static void load_reserved(struct lower *l, const struct ir_insn *i)
{
    enum width w = ir_mem_bytes(i->mem) == 8 ? W64 : W32;
    take_all(l);
    find_word(l, i, false);
    lower_note_access(l);
    emit_rm(&l->e, w == W64 ? OP_MOV_LOAD : OP_MOVSXD, W64, RAX, mem(RCX, 0));
    emit_store(&l->e, W64, RCX, HART(reservation));
    emit_store(&l->e, W64, RAX, HART(reservation_value));
    emit_store_imm(&l->e, W32, HART(reservation_size), (int32_t)ir_mem_bytes(i->mem));
    result_in_rax(l, W64);
}

static void store_conditional(struct lower *l, const struct ir_insn *i)
{
    struct emit *e = &l->e;
    enum width w = ir_mem_bytes(i->mem) == 8 ? W64 : W32;
    take_all(l);
    find_word(l, i, true);
    emit_rm(e, OP_CMP, W64, RCX, HART(reservation));
    uint8_t *other_place = emit_jcc(e, CC_NE);
    emit_mi(e, ALU_CMP, W32, HART(reservation_size), (int32_t)ir_mem_bytes(i->mem));
    uint8_t *other_size = emit_jcc(e, CC_NE);
    emit_load(e, W64, RAX, HART(reservation_value));
    lower_into(l, RDX, i->b, w);
    lock_rm(l, OP_CMPXCHG, w, RDX);
    emit_patch_here(e, other_place);
    emit_patch_here(e, other_size);
    /* On all three ways ZF tells whether it was stored. */
    emit_setcc(e, CC_NE, RAX);
    emit_rr8(e, OP_MOVZX8, W32, RAX, RAX);
    emit_store_imm(e, W64, HART(reservation), -1);
    result_in_rax(l, W64);
}
_Static_assert(NO_RESERVATION == UINT64_MAX, "stored as a sign-extended constant");

/* rax: the old value; a new one from it and the operand, until nobody came in between. */
static void exchange_loop(struct lower *l, const struct ir_insn *i, enum width w)
{
    struct emit *e = &l->e;
    static const uint8_t keeps_old[IR_AMOS] = {
        [IR_AMO_min] = CC_L,
        [IR_AMO_max] = CC_G,
        [IR_AMO_minu] = CC_B,
        [IR_AMO_maxu] = CC_A,
    };
    lower_note_access(l);
    emit_load(e, w, RAX, mem(RCX, 0));
    const uint8_t *again = e->at;
    lower_into(l, RDX, i->b, w);
    if (keeps_old[i->kind]) {
        emit_rr(e, OP_CMP, w, RAX, RDX);
        emit_rr(e, OP_CMOV | keeps_old[i->kind], w, RDX, RAX);
    } else {
        emit_rr(e,
                i->kind == IR_AMO_and  ? OP_AND
                : i->kind == IR_AMO_or ? OP_OR
                                       : OP_XOR,
                w, RDX, RAX);
    }
    lock_rm(l, OP_CMPXCHG, w, RDX);
    emit_jcc_to(e, CC_NE, again);
}

static void amo(struct lower *l, const struct ir_insn *i)
{
    enum width w = ir_mem_bytes(i->mem) == 8 ? W64 : W32;
    take_all(l);
    find_word(l, i, true);
    switch (i->kind) {
    case IR_AMO_swap:
        lower_into(l, RAX, i->b, w);
        lower_note_access(l);
        emit_rm(&l->e, OP_XCHG, w, RAX, mem(RCX, 0));
        break;
    case IR_AMO_add:
        lower_into(l, RAX, i->b, w);
        lock_rm(l, OP_XADD, w, RAX);
        break;
    default:
        exchange_loop(l, i, w);
    }
    result_in_rax(l, w);
}

static void compare_and_swap(struct lower *l, const struct ir_insn *i)
{
    enum width w = ir_mem_bytes(i->mem) == 8 ? W64 : W32;
    take_all(l);
    find_word(l, i, true);
    lower_into(l, RAX, i->b, w);
    lower_into(l, RDX, i->c, w);
    lock_rm(l, OP_CMPXCHG, w, RDX);
    result_in_rax(l, w);
}

bool lower_atomic(struct lower *l, const struct ir_insn *i)
{
    if (i->op != IR_lr && i->op != IR_sc && i->op != IR_amo && i->op != IR_amocas)
        return false;
    if (ir_mem_bytes(i->mem) < 4) { /* Zabha */
        lower_interpret(l);
        return true;
    }
    switch (i->op) {
    case IR_lr:
        load_reserved(l, i);
        return true;
    case IR_sc:
        store_conditional(l, i);
        return true;
    case IR_amo:
        amo(l, i);
        return true;
    default:
        compare_and_swap(l, i);
        return true;
    }
}
