/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Without a machine (jit/direct.h) an access is one host instruction, and a pc is a number. The host may
 * refuse any access, so for each it is noted which guest instruction it belongs to and what is so there
 * that struct hart does not show.
 */
#include "jit/x86_64/lower.h"

uint64_t lower_direct_pc(const struct lower *l, int64_t offset)
{
    uint64_t page = (uintptr_t)l->block->code & PAGE_MASK;
    uint64_t pc = page + (uint64_t)((int64_t)l->page_offset + offset);
    return l->xw == W32 ? (uint32_t)pc : pc;
}

void lower_note_access(struct lower *l)
{
    if (!lower_is_direct(l))
        return;
    if (l->access_count == l->access_room) {
        l->failed = true;
        return;
    }
    l->accesses[l->access_count++] = (struct jit_access){
        .at = (uint32_t)(l->e.at + l->e.to_exec - l->block->entry),
        .narrow = l->narrow,
        .place = (uint16_t)(l->page_offset + lower_guest(l)->offset),
        .mapped = l->mapped,
    };
}

void lower_keep_accesses(struct lower *l)
{
    size_t size = l->access_count * sizeof(*l->accesses);
    struct jit_access *kept = jit_meta(l->jh, size);
    memcpy(kept, l->accesses, size);
    l->block->accesses = kept;
    l->block->access_count = (uint16_t)l->access_count;
    if (l->region) {
        uint8_t *x = jit_meta(l->jh, 32);
        memcpy(x, lower_region_map(l), 32);
        l->block->x = x;
    }
}

/* Where an access goes. *base: the register that it is made from, which is the caller's to free. */
static struct mem place_of(struct lower *l, const struct ir_insn *i, enum reg *base)
{
    struct ir_place p = ir_access_place(l->ir, i);
    if (!p.base) {
        *base = lower_reg(l, i->a);
        if (l->xw == W64)
            return mem(*base, 0);
    } else {
        *base = lower_x(l, p.base);
        if (*base == NO_REG) {
            *base = lower_temp(l);
            emit_load(&l->e, W64, *base, hart_x(p.base));
        }
        if (l->xw == W64)
            return mem(*base, p.imm);
    }
    /* rv32: addresses wrap at 32 bits. */
    enum reg wrapped = lower_owns(l, *base) ? *base : lower_temp(l);
    emit_lea(&l->e, W32, wrapped, mem(*base, p.imm));
    *base = wrapped;
    return mem(wrapped, 0);
}

void lower_direct_load(struct lower *l, const struct ir_insn *i)
{
    enum reg base;
    struct mem m = place_of(l, i, &base);
    unsigned x = lower_fp_loaded(l, i);
    lower_free(l, base);
    enum reg to = x == NO_REG ? lower_dest(l) : (enum reg)(LOWER_XMM + x);
    lower_note_access(l);
    lower_load_from(l, i, to, m);
    lower_done(l, to);
}

void lower_direct_store(struct lower *l, const struct ir_insn *i)
{
    unsigned size = ir_mem_bytes(i->mem);
    enum reg base;
    struct operand v = lower_stored_operand(l, i);
    struct mem m = place_of(l, i, &base);
    if (v.kind == OPERAND_MEM) {
        enum reg r = lower_temp(l);
        emit_load(&l->e, W64, r, v.mem);
        v = (struct operand){.kind = OPERAND_REG, .reg = (uint8_t)r};
    }
    lower_note_access(l);
    if (v.kind == OPERAND_IMM)
        lower_store_imm(l, size, v.imm, m);
    else
        lower_store_reg(l, size, v.reg, m);
    if (v.kind == OPERAND_REG && v.reg < LOWER_XMM)
        lower_free(l, v.reg);
    lower_free(l, base);
}
