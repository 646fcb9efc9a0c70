/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Loads and stores. The check of a page (tlb.h):
 *
 *     lea  rdx, [base + low]
 *     rorx eax, edx, 7
 *     and  eax, (TLB_SIZE - 1) * 32        entry
 *     xor  rdx, [r15 + rax + tag]
 *     cmp  rdx, PAGE_SIZE - span
 *     ja   later
 *     mov  rdx, [r15 + rax + addend]
 *     mov  reg, [base + rdx + imm]         the access
 *
 * One check serves a run of accesses off the same base register: it covers the range from the lowest
 * to the highest of them, and the ones that follow are one instruction each, also when the register is
 * moved on by a constant in between. While accesses off another register take turns with them, the
 * addend is kept in struct hart, and getting it back is one instruction more. Where they do not lie on
 * one page, the block is left for a translation of the rest that checks each by itself (JIT_SINGLE).
 *
 * What was checked stays true to the block's end: fences are served between blocks, and by helpers,
 * behind which nothing is known (lower_forget_groups).
 */
#include "jit/x86_64/lower.h"

#include "jit/x86_64/emit_fp.h"

static const struct {
    uint32_t load; /* opcode that extends as the kind says */
    uint8_t wide;  /* 64-bit form of it */
} kinds[IR_MEMS] = {
    [IR_MEM_s8] = {OP_MOVSX8, W64},    [IR_MEM_u8] = {OP_MOVZX8, W32},
    [IR_MEM_s16] = {OP_MOVSX16, W64},  [IR_MEM_u16] = {OP_MOVZX16, W32},
    [IR_MEM_s32] = {OP_MOVSXD, W64},   [IR_MEM_u32] = {OP_MOV_LOAD, W32},
    [IR_MEM_u64] = {OP_MOV_LOAD, W64},
};

bool lower_is_part_of_access(const struct lower *l, unsigned ref)
{
    const struct ir_insn *i = lower_insn(l, (ir_ref)ref);
    const struct value *v = &l->values[ref];
    return i->op == IR_add && v->uses == 1 &&
           v->user == ref + 1 + (lower_insn(l, v->user)->op == IR_store) &&
           ir_is_access(lower_insn(l, v->user)) && lower_insn(l, v->user)->a == ref &&
           ir_access_place(l->ir, lower_insn(l, v->user)).base;
}

/* Whether an operation leaves rdx changed, or the address space. */
static bool ends_group(const struct ir_insn *i)
{
    switch (i->op) {
    case IR_mulh:
    case IR_mulhu:
    case IR_mulhsu:
    case IR_div:
    case IR_divu:
    case IR_rem:
    case IR_remu:
    case IR_clmul:
    case IR_clmulh:
    case IR_clmulr:
    case IR_orcb:
    case IR_lr:
    case IR_sc:
    case IR_amo:
    case IR_amocas:
    case IR_call:
    case IR_call_csr:
    case IR_call_end:
        return true;
    default:
        return false;
    }
}

void lower_group_base_changed(struct group *g, unsigned guest, bool moves, int32_t by)
{
    if (g->base != guest)
        return;
    g->known = g->known && moves;
    g->low -= by;
    g->high -= by;
}

void lower_base_changed(struct lower *l, unsigned guest, const struct ir_insn *value)
{
    l->narrow &= ~(UINT32_C(1) << guest);
    lower_note_sexted(l, guest, value);
    int32_t by = 0;
    bool moves = ir_moves_by(l->ir, value, guest, &by);
    lower_group_base_changed(&l->group, guest, moves, by);
    for (unsigned n = 0; n < TRANSLATED_ADDENDS; n++)
        lower_group_base_changed(&l->kept_groups[n], guest, moves, by);
    if (l->region)
        lower_region_base_changed(l, guest, moves, by);
}

void lower_forget_groups(struct lower *l)
{
    l->group.known = false;
    for (unsigned n = 0; n < TRANSLATED_ADDENDS; n++)
        l->kept_groups[n].known = false;
    if (l->region)
        lower_region_forget(l);
}

bool lower_group_covers(const struct group *g, struct ir_place p, unsigned size, bool writes)
{
    return g->known && p.base && g->base == p.base && p.imm >= g->low &&
           p.imm + (int32_t)size <= g->high && (g->writable || !writes);
}

/* Whether an access behind operation l->at could use a group. */
static bool is_wanted_later(const struct lower *l, const struct group *group)
{
    struct group g = *group;
    int32_t by;
    for (unsigned n = l->at + 1; n < l->scan_end; n++) {
        const struct ir_insn *i = &l->ir->insns[n];
        if (ir_is_access(i)) {
            if (lower_group_covers(&g, ir_access_place(l->ir, i), ir_mem_bytes(i->mem),
                                   i->op == IR_store))
                return true;
        } else if (i->op == IR_set_x && (unsigned)i->imm == g.base) {
            if (!ir_moves_by(l->ir, lower_insn(l, i->a), g.base, &by))
                return false;
            lower_group_base_changed(&g, g.base, true, by);
        } else if (i->op == IR_call || i->op == IR_call_csr || i->op == IR_call_end) {
            return false;
        }
    }
    return false;
}

static struct mem kept_addend(unsigned n)
{
    return hart_field(offsetof(struct hart, translated.addend) + 8 * n);
}

/* Keeps the group of rdx, if it is of use later and not kept already. */
static void keep_group(struct lower *l)
{
    unsigned free = 0;
    for (unsigned n = 0; n < TRANSLATED_ADDENDS; n++) {
        const struct group *g = &l->kept_groups[n];
        if (g->known && g->base == l->group.base && g->low == l->group.low &&
            g->high == l->group.high && g->writable == l->group.writable)
            return;
        if (!g->known)
            free = n;
    }
    if (!is_wanted_later(l, &l->group))
        return;
    emit_store(&l->e, W64, RDX, kept_addend(free));
    l->kept_groups[free] = l->group;
}

/* Before an access: the group that covers it in rdx again, if there is one. */
static void choose_group(struct lower *l, const struct ir_insn *i)
{
    struct ir_place p = ir_access_place(l->ir, i);
    unsigned size = ir_mem_bytes(i->mem);
    bool writes = i->op == IR_store;
    if (lower_group_covers(&l->group, p, size, writes))
        return;
    if (l->group.known && !l->group.of_region)
        keep_group(l);
    for (unsigned n = 0; n < TRANSLATED_ADDENDS; n++) {
        if (lower_group_covers(&l->kept_groups[n], p, size, writes)) {
            lower_forget_group(l);
            emit_load(&l->e, W64, RDX, kept_addend(n));
            l->group = l->kept_groups[n];
            return;
        }
    }
}

void lower_tlb_index(struct lower *l, enum reg r)
{
    if (l->has->bmi2) {
        emit_rorx(&l->e, W32, RAX, r, PAGE_SHIFT - 5);
    } else {
        emit_mov_rr(&l->e, W32, RAX, r);
        emit_shift_ri(&l->e, SHIFT_SHR, W32, RAX, PAGE_SHIFT - 5);
    }
    emit_ri(&l->e, ALU_AND, W32, RAX, (TLB_SIZE - 1) * (int32_t)sizeof(struct tlb_entry));
}
_Static_assert(sizeof(struct tlb_entry) == 32, "the index is made by a shift");

uint8_t *lower_check_page(struct lower *l, struct mem address, bool writes, unsigned span)
{
    struct emit *e = &l->e;
    size_t tag = writes ? offsetof(struct tlb_entry, write) : offsetof(struct tlb_entry, read);
    lower_forget_group(l);
    if (address.index == NO_REG && address.disp == 0 && l->xw == W64)
        emit_mov_rr(e, W64, RDX, address.base);
    else
        emit_lea(e, l->xw, RDX, address);
    lower_tlb_index(l, RDX);
    emit_rm(e, OP_XOR, W64, RDX, mem_index(RTLB, RAX, 0, (int32_t)tag));
    emit_ri(e, ALU_CMP, W64, RDX, (int32_t)(PAGE_SIZE - span));
    uint8_t *miss = emit_jcc(e, CC_A);
    emit_load(e, W64, RDX, mem_index(RTLB, RAX, 0, offsetof(struct tlb_entry, addend)));
    return miss;
}

/*
 * Makes rdx the addend for [base + imm]; *later: what to do on a miss, when that is to make this one
 * access, else NULL. base: host register; retry: where its making began. Returns the address to use.
 */
static struct mem checked(struct lower *l, const struct ir_insn *i, enum reg base,
                          struct ir_place p, const uint8_t *retry, struct later **later)
{
    bool writes = i->op == IR_store;
    unsigned size = ir_mem_bytes(i->mem);
    struct group *g = &l->group;
    struct mem access = mem_index(base, RDX, 0, p.imm);
    *later = NULL;
    if (lower_group_covers(g, p, size, writes))
        return access;
    if (l->region && lower_region_check(l, i, p, base, &access))
        return access;

    struct ir_range range = {.writes = writes};
    unsigned count = 1;
    /* rv32 addresses wrap at 32 bits, so they are made one by one. */
    if (p.base && l->xw == W64 && l->block->variant == JIT_NORMAL)
        count = ir_scan_accesses(l->ir, l->at, l->scan_end, p.base, ends_group, &range);
    bool one = count <= 1;
    writes |= !one && range.writes;
    int32_t low = one ? p.imm : range.low, high = one ? p.imm + (int32_t)size : range.high;
    struct later *slow = lower_later(l, one ? (writes ? LATER_STORE : LATER_LOAD) : LATER_GROUP);
    slow->site = lower_site(l);
    slow->site->mem = i->mem;
    slow->site->writes = i->op == IR_store;
    slow->site->all_writes = writes;
    slow->site->low = (int16_t)(low - p.imm);
    slow->site->span = (uint16_t)(high - low);
    slow->site->retry = retry + l->e.to_exec;
    slow->base = (uint8_t)base;
    slow->imm = p.imm;
    if (l->xw == W32) { /* the wrapped address in rcx */
        emit_lea(&l->e, W32, RCX, mem(base, p.imm));
        slow->base = RCX;
        slow->imm = 0;
        slow->from[0] = lower_check_page(l, mem(RCX, 0), writes, size);
        *later = slow;
        return mem_index(RCX, RDX, 0, 0);
    }
    slow->from[0] = lower_check_page(l, mem(base, low), writes, (unsigned)(high - low));
    if (!one)
        *g = (struct group){true, writes, false, (uint8_t)p.base, low, high};
    *later = one ? slow : NULL;
    return access;
}

/* The host register of the address's base, which may be rcx. */
static enum reg base_of(struct lower *l, const struct ir_insn *i, struct ir_place *p)
{
    *p = ir_access_place(l->ir, i);
    enum reg base = p->base ? lower_x(l, p->base) : NO_REG;
    if (base != NO_REG)
        return base;
    lower_take(l, RCX);
    if (p->base)
        emit_load(&l->e, W64, RCX, hart_x(p->base));
    else
        lower_into(l, RCX, i->a, W64);
    return RCX;
}

void lower_load_from(struct lower *l, const struct ir_insn *i, enum reg to, struct mem m)
{
    if ((unsigned)to >= LOWER_XMM)
        emit_rm(&l->e, ir_mem_bytes(i->mem) == 8 ? OP_MOVSD_LOAD : OP_MOVSS_LOAD, W32,
                to - LOWER_XMM, m);
    else
        emit_rm(&l->e, kinds[i->mem].load, (enum width)kinds[i->mem].wide, to, m);
}

static void load(struct lower *l, const struct ir_insn *i)
{
    struct ir_place p;
    struct later *later;
    choose_group(l, i);
    const uint8_t *retry = l->e.at;
    enum reg base = base_of(l, i, &p);
    struct mem access = checked(l, i, base, p, retry, &later);
    unsigned x = lower_fp_loaded(l, i);
    lower_free(l, RCX);
    /* Not rdx: it stays the addend. The value of a load is used at once, so rax is free. */
    enum reg to = x == NO_REG ? lower_dest(l) : (enum reg)(LOWER_XMM + x);
    lower_load_from(l, i, to, access);
    if (later) {
        later->reg = (uint8_t)to;
        later->back = l->e.at;
    }
    lower_done(l, to);
}

void lower_store_reg(struct lower *l, unsigned size, enum reg r, struct mem m)
{
    struct emit *e = &l->e;
    if ((unsigned)r >= LOWER_XMM) {
        emit_rm(e, size == 8 ? OP_MOVSD_STORE : OP_MOVSS_STORE, W32, r - LOWER_XMM, m);
        return;
    }
    if (size == 2)
        emit8(e, 0x66);
    if (size == 1) {
        emit_opcode(e, 0x88, W32, r, m.index == NO_REG ? 0 : m.index, m.base, true);
        emit_modrm_mem(e, r, m);
    } else {
        emit_store(e, size == 8 ? W64 : W32, r, m);
    }
}

void lower_store_imm(struct lower *l, unsigned size, int32_t imm, struct mem m)
{
    struct emit *e = &l->e;
    if (size == 2)
        emit8(e, 0x66);
    emit_rm(e, size == 1 ? 0xc6 : 0xc7, size == 8 ? W64 : W32, 0, m);
    if (size == 1)
        emit8(e, (uint8_t)imm);
    else if (size == 2)
        emit8(e, (uint8_t)imm), emit8(e, (uint8_t)(imm >> 8));
    else
        emit32(e, (uint32_t)imm);
}

struct operand lower_stored_operand(struct lower *l, const struct ir_insn *i)
{
    const struct ir_insn *v = lower_insn(l, i->b);
    unsigned x =
        v->op == IR_get_f && ir_mem_bytes(i->mem) >= 4 ? pinned_f((unsigned)v->imm) : NO_REG;
    if (x == NO_REG)
        return lower_operand(l, i->b);
    return (struct operand){.kind = OPERAND_REG, .reg = (uint8_t)(LOWER_XMM + x)};
}

static void store(struct lower *l, const struct ir_insn *i)
{
    struct ir_place p;
    struct later *later;
    unsigned size = ir_mem_bytes(i->mem);
    struct operand v = lower_stored_operand(l, i);
    if (v.kind == OPERAND_REG && (v.reg == RAX || v.reg == RDX || (l->xw == W32 && v.reg == RCX))) {
        /* The check needs it: through the place of the sink register. */
        emit_store(&l->e, W64, v.reg, hart_x(REG_SINK));
        lower_free(l, v.reg);
        v = (struct operand){.kind = OPERAND_MEM, .mem = hart_x(REG_SINK)};
    }
    choose_group(l, i);
    const uint8_t *retry = l->e.at;
    enum reg base = base_of(l, i, &p);
    struct mem access = checked(l, i, base, p, retry, &later);
    if (v.kind == OPERAND_IMM) {
        lower_store_imm(l, size, v.imm, access);
    } else if (v.kind == OPERAND_MEM) {
        emit_load(&l->e, W64, RAX, v.mem);
        lower_store_reg(l, size, RAX, access);
    } else {
        lower_store_reg(l, size, v.reg, access);
    }
    if (later) {
        later->reg = v.kind == OPERAND_REG ? v.reg : NO_REG;
        later->wide = v.kind == OPERAND_MEM; /* imm is then a distance from the hart */
        later->value = v.kind == OPERAND_MEM ? v.mem.disp : v.imm;
        later->back = l->e.at;
    }
    lower_release(l, v);
    lower_free(l, RCX);
}

bool lower_memory(struct lower *l, const struct ir_insn *i)
{
    if (i->op == IR_add && lower_is_part_of_access(l, l->at))
        return true;
    const bool direct = lower_is_direct(l);
    if (i->op == IR_load)
        direct ? lower_direct_load(l, i) : load(l, i);
    else if (i->op == IR_store)
        direct ? lower_direct_store(l, i) : store(l, i);
    else
        return false;
    return true;
}

/* rcx: the address; rdx: the value; rax: the site. Where the guest's registers are is another place. */
void lower_later_memory(struct lower *l, const struct later *later)
{
    struct emit *e = &l->e;
    if (later->kind == LATER_GROUP && !later->site->atomic && !l->jit->check) {
        lower_go_on_single(l);
        return;
    }
    enum jit_stub stub = later->kind == LATER_LOAD    ? STUB_LOAD
                         : later->kind == LATER_STORE ? STUB_STORE
                                                      : STUB_GROUP;
    if (later->kind == LATER_STORE) {
        if (later->reg != NO_REG && later->reg >= LOWER_XMM)
            emit_movq_from_x(e, RDX, later->reg - LOWER_XMM);
        else if (later->reg != NO_REG)
            emit_mov_rr(e, W64, RDX, later->reg);
        else if (later->wide)
            emit_load(e, W64, RDX, mem(RHART, later->value));
        else
            emit_mov_imm(e, RDX, (uint64_t)(int64_t)later->value);
    }
    if (later->imm)
        emit_lea(e, W64, RCX, mem(later->base, later->imm));
    else
        emit_mov_rr(e, W64, RCX, later->base);
    lower_leave_map(l);
    emit_lea_rip(e, RAX, later->site);
    emit_call_to(e, lower_stub(l, stub));
    if (later->mapped)
        lower_enter_map(l);
    if (later->kind == LATER_LOAD && later->reg >= LOWER_XMM)
        emit_movq_to_x(e, later->reg - LOWER_XMM, RAX);
    else if (later->kind == LATER_LOAD)
        emit_mov_rr(e, W64, later->reg, RAX);
    if (later->kind != LATER_GROUP)
        emit_jmp_to(e, later->back);
}
