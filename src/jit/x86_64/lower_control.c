/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Ways out of a block, and calls of helpers.
 *
 * Within the page: a jump whose distance is filled in when its target is known (struct jit_link). To
 * other pages and to computed addresses: through the jump cache of the TLB context, inline.
 *
 * A call of the guest (jal, jalr to ra) is a call of the host. Its frame is the host's return address and,
 * above it, the guest's. A return compares: when the guest returns to where it was called from, so does
 * the host, which has predicted it.
 *
 * What waits for the hart (hart.events) is looked at before jumps backwards and jumps to computed
 * addresses: no code runs on without one of these.
 */
#include "jit/x86_64/lower.h"

#include <string.h>

enum { REG_RA = 1, REG_T0 = 5 };

static bool is_link_register(unsigned r)
{
    return r == REG_RA || r == REG_T0;
}

/* hart.instret was advanced for the whole block at its entry: `rest` instructions of it are not run. */
static void take_back(struct lower *l, unsigned rest)
{
    if (rest && !lower_is_direct(l))
        emit_rm(&l->e, OP_PSUBQ, W32, XCOUNT, hart_count(rest));
}

static unsigned rest_of_block(const struct lower *l)
{
    return l->count_end - l->guest - 1;
}

/* The target, from the block's start, as a place in the page; -1: not in it. */
static int32_t in_page(const struct lower *l, int64_t target)
{
    int64_t place = (int64_t)l->page_offset + target;
    return place >= 0 && place < (int64_t)PAGE_SIZE ? (int32_t)place : -1;
}

static void add_link(struct lower *l, struct jit_link *link)
{
    link->sibling = l->block->links;
    l->block->links = link;
    link->from = l->block;
}

static struct jit_link *new_link(struct lower *l, int32_t place, enum jit_variant variant)
{
    struct jit_link *link = jit_meta(l->jh, sizeof(*link));
    add_link(l, link);
    link->target = (uint16_t)place;
    link->variant = (uint8_t)variant;
    return link;
}

/* What an unlinked jump runs: the link in rax, to the stub. Comes behind the block's code. */
static void unlinked(struct lower *l, const struct later *later)
{
    struct jit_link *link = later->link;
    emit_patch(link->field, l->e.at);
    link->unlinked = l->e.at + l->e.to_exec;
    emit_lea_rip(&l->e, RAX, link);
    emit_jmp_to(&l->e, lower_stub(l, STUB_LINK));
}

/* jmp or call to a place in the page. */
static void link_to(struct lower *l, int32_t place, enum jit_variant variant, bool call)
{
    struct jit_link *link = new_link(l, place, variant);
    emit_align(&l->e, 1, 4);
    link->field = call ? emit_call(&l->e) : emit_jmp(&l->e);
    struct later *later = lower_later(l, LATER_CALL);
    later->emit = unlinked;
    later->link = link;
}

/* Leaves for hart.events: jumps to the returned field when there are some. */
static uint8_t *poll(struct lower *l)
{
    emit_mi(&l->e, ALU_CMP, W32, HART(events), 0);
    return emit_jcc(&l->e, CC_NE);
}

/* rax = a pc, from its distance to the block's start. */
static void pc_to_rax(struct lower *l, int64_t target)
{
    int64_t distance = (int64_t)l->page_offset + target;
    if (lower_is_direct(l)) {
        emit_mov_imm(&l->e, RAX, lower_direct_pc(l, target));
        return;
    }
    emit_load(&l->e, W64, RAX, HART(translated.page_va));
    if (distance)
        emit_ri(&l->e, ALU_ADD, l->xw, RAX, (int32_t)distance);
}

/* To the address in rax, which may be odd (none in the cache is): inline through the jump cache. */
static void jump_to_rax(struct lower *l, bool polls)
{
    struct emit *e = &l->e;
    int32_t jumps = (int32_t)offsetof(struct tlb_context, jumps);
    uint8_t *events = polls ? poll(l) : NULL;
    enum reg table = lower_is_direct(l) ? RDX : RTLB;
    if (lower_is_direct(l))
        emit_load(e, W64, RDX, HART(tlb.fetch));
    emit_mov_rr(e, W32, RCX, RAX);
    emit_ri(e, ALU_AND, W32, RCX, (int32_t)((TLB_JUMPS - 1) << 1));
    emit_rm(e, OP_CMP, W64, RAX, mem_index(table, RCX, 3, jumps));
    struct later *miss = lower_later(l, LATER_INDIRECT);
    miss->from[0] = emit_jcc(e, CC_NE);
    miss->from[1] = events;
    if (!lower_is_direct(l)) {
        emit_mov_rr(e, W64, RDX, RAX);
        emit_ri(e, ALU_AND, W64, RDX, -(int32_t)PAGE_SIZE);
        emit_store(e, W64, RDX, HART(translated.page_va));
    }
    emit_jmp_m(e, mem_index(table, RCX, 3, jumps + (int32_t)offsetof(struct tlb_jump, code)));
}
_Static_assert(sizeof(struct tlb_jump) == 16, "an index of halfwords, times 8");

/* What a jump to another page runs while it is not linked. */
static void unlinked_far(struct lower *l, const struct later *later)
{
    struct jit_link *link = &later->far->link;
    emit_patch(link->field, l->e.at);
    link->unlinked = l->e.at + l->e.to_exec;
    emit_mi(&l->e, ALU_SUB, l->xw, HART(translated.page_va), later->imm);
    emit_lea_rip(&l->e, RAX, later->far);
    emit_jmp_to(&l->e, lower_stub(l, STUB_FAR));
}

/* The same where a page is always that page: a link like any other. */
static void link_to_far(struct lower *l, int64_t target, bool call)
{
    struct jit_far *far = jit_meta(l->jh, sizeof(*far));
    add_link(l, &far->link);
    far->link.is_far = true;
    far->target = (int64_t)l->page_offset + target;
    emit_align(&l->e, 1, 4);
    far->link.field = call ? emit_call(&l->e) : emit_jmp(&l->e);
    struct later *later = lower_later(l, LATER_CALL);
    later->emit = unlinked;
    later->link = &far->link;
}

/* To another page: by a link, where the slot that is this jump's own says that it leads there. */
static void jump_far(struct lower *l, int64_t target)
{
    struct emit *e = &l->e;
    if (lower_is_direct(l)) {
        link_to_far(l, target, false);
        return;
    }
    int64_t place = (int64_t)l->page_offset + target;
    uint64_t page = (uint64_t)(l->block->code - l->jit->bus->ram) >> PAGE_SHIFT;
    int32_t pages = (int32_t)(place & -(int64_t)PAGE_SIZE);
    struct jit_far *far = jit_meta(l->jh, sizeof(*far));
    add_link(l, &far->link);
    far->link.is_far = true;
    unsigned at = (l->page_offset + lower_guest(l)->offset) % PAGE_SIZE;
    far->target = place;
    far->slot = (((uint32_t)page * UINT32_C(2654435769) >> 12) + (at >> 1)) % TLB_FARS;
    int32_t entry = (int32_t)(offsetof(struct tlb_context, fars) + far->slot * sizeof(uint64_t));
    emit_load(e, W64, RAX, HART(translated.page_va));
    emit_rm(e, OP_CMP, W64, RAX, mem(RTLB, entry));
    struct later *miss = lower_later(l, LATER_FAR);
    miss->from[0] = emit_jcc(e, CC_NE);
    miss->far = far;
    emit_mi(e, ALU_ADD, l->xw, HART(translated.page_va), pages);
    emit_align(e, 1, 4);
    far->link.field = emit_jmp(e);
    struct later *later = lower_later(l, LATER_CALL);
    later->emit = unlinked_far;
    later->far = far;
    later->imm = pages;
}

/* A direct jump. Links do not wait: the stub does, if it must. */
static void jump_direct(struct lower *l, int64_t target, bool backwards)
{
    int32_t place = in_page(l, target);
    if (backwards) {
        struct later *exit = lower_later(l, LATER_EXIT);
        exit->from[0] = poll(l);
        exit->imm = (int32_t)target;
    }
    if (place < 0)
        jump_far(l, target);
    else
        link_to(l, place, JIT_NORMAL, false);
}

static bool is_backwards(const struct lower *l, int64_t target)
{
    return target <= (int64_t)lower_guest(l)->offset;
}

static void branch(struct lower *l, const struct ir_insn *i)
{
    const struct ir_insn *condition = lower_insn(l, i->a);
    unsigned rest = rest_of_block(l);
    if (condition->op == IR_const) {
        if (!condition->imm)
            return;
        lower_widen_all(l);
        take_back(l, rest);
        jump_direct(l, i->imm, is_backwards(l, i->imm));
        return;
    }
    enum cond cc = lower_condition(l, i->a);
    if (is_backwards(l, i->imm)) { /* likely: straight on */
        uint8_t *not_taken = emit_jcc(&l->e, cond_not(cc));
        struct group group = l->group;
        uint32_t narrow = l->narrow;
        lower_widen_all(l);
        take_back(l, rest);
        jump_direct(l, i->imm, true);
        l->group = group;
        l->narrow = narrow;
        emit_patch_here(&l->e, not_taken);
        return;
    }
    struct later *later = lower_later(l, LATER_BRANCH);
    later->from[0] = emit_jcc(&l->e, cc);
    later->imm = (int32_t)i->imm;
    later->retired = rest;
}

/*
 * Calls and returns
 */

/* The call is made; what stands behind it runs when it has returned: the pc is what the frame says. */
static void landing(struct lower *l)
{
    const struct ir_guest *guest = lower_guest(l);
    int64_t next = (int64_t)guest->offset + guest->insn.length;
    emit_pop(&l->e, RAX);
    int32_t place = in_page(l, next);
    if (lower_is_direct(l)) {
        if (place < 0)
            link_to_far(l, next, false);
        else
            link_to(l, place, JIT_NORMAL, false);
        return;
    }
    if (place < 0) {
        jump_to_rax(l, false);
        return;
    }
    if (place || l->xw == W32)
        emit_ri(&l->e, ALU_SUB, l->xw, RAX, place);
    emit_store(&l->e, W64, RAX, HART(translated.page_va));
    link_to(l, place, JIT_NORMAL, false);
}

static void empty_stack(struct lower *l, const struct later *later)
{
    emit_load(&l->e, W64, RSP, HART(translated.stack_base));
    emit_jmp_to(&l->e, later->back);
}

/* Pushes the guest's return address, which stands in register `link`. */
static void push_frame(struct lower *l, unsigned link)
{
    emit_rm(&l->e, OP_CMP, W64, RSP, HART(translated.stack_limit));
    struct later *deep = lower_later(l, LATER_CALL);
    deep->emit = empty_stack;
    deep->from[0] = emit_jcc(&l->e, CC_B);
    deep->back = l->e.at;
    if (lower_x(l, link) != NO_REG)
        emit_push(&l->e, lower_x(l, link));
    else
        emit_push_m(&l->e, hart_x(link));
}

static void jump_out_of_line(struct lower *l, const struct later *later)
{
    emit_patch(later->back, l->e.at);
    if (later->value)
        jump_far(l, later->imm);
    else
        jump_to_rax(l, true);
}

/* A call to somewhere that is not in the page: to code behind the block, which jumps. */
static void call_out_of_line(struct lower *l, bool direct, int64_t target)
{
    struct later *later = lower_later(l, LATER_CALL);
    later->emit = jump_out_of_line;
    later->back = emit_call(&l->e);
    later->value = direct;
    later->imm = (int32_t)target;
}

static void jump_rel(struct lower *l, const struct ir_insn *i)
{
    const struct decoded *d = &lower_guest(l)->insn;
    if (!is_link_register(d->rd)) {
        jump_direct(l, i->imm, is_backwards(l, i->imm));
        return;
    }
    int32_t place = in_page(l, i->imm);
    if (is_backwards(l, i->imm)) {
        struct later *exit = lower_later(l, LATER_EXIT);
        exit->from[0] = poll(l);
        exit->imm = (int32_t)i->imm;
    }
    push_frame(l, d->rd);
    if (place < 0 && lower_is_direct(l))
        link_to_far(l, i->imm, true);
    else if (place < 0)
        call_out_of_line(l, true, i->imm);
    else
        link_to(l, place, JIT_NORMAL, true);
    landing(l);
}

bool lower_is_jump_mask(const struct lower *l, unsigned ref)
{
    const struct ir_insn *i = lower_insn(l, (ir_ref)ref);
    const struct value *v = &l->values[ref];
    if (i->op != IR_and || v->uses != 1) /* else there is an operation behind it */
        return false;
    /* The pc behind a jump that is no call was of no use and has gone. */
    unsigned jump = ref + 1 + (lower_insn(l, (ir_ref)(ref + 1))->op == IR_none);
    return v->user == jump && lower_insn(l, v->user)->op == IR_jump &&
           lower_insn(l, i->b)->op == IR_const && lower_insn(l, i->b)->imm == -2 &&
           lower_insn(l, i->a)->op == IR_get_x;
}

static void jump_computed(struct lower *l, const struct ir_insn *i)
{
    const struct decoded *d = &lower_guest(l)->insn;
    bool is_return = !is_link_register(d->rd) && is_link_register(d->rs1) && d->imm == 0;
    bool masks = lower_is_jump_mask(l, i->a);
    lower_into(l, RAX, masks ? lower_insn(l, i->a)->a : i->a, l->xw);
    if (is_return) {
        struct later *other = lower_later(l, LATER_CALL);
        other->emit = jump_out_of_line;
        emit_rm(&l->e, OP_CMP, l->xw, RAX, mem(RSP, 8));
        other->back = emit_jcc(&l->e, CC_NE);
        emit_ret(&l->e);
        return;
    }
    if (is_link_register(d->rd)) {
        push_frame(l, d->rd);
        call_out_of_line(l, false, 0);
        landing(l);
        return;
    }
    jump_to_rax(l, true);
}

static void check_target(struct lower *l, const struct ir_insn *i)
{
    enum reg r = lower_reg(l, i->a);
    emit_test_ri(&l->e, W32, r, 2);
    struct later *later = lower_later(l, LATER_INTERPRET);
    later->from[0] = emit_jcc(&l->e, CC_NE);
    later->site = lower_site(l);
    lower_free(l, r);
}

/*
 * Helpers
 */

static void call_helper(struct lower *l, const struct ir_insn *i, enum jit_stub stub)
{
    const struct decoded *d = &lower_guest(l)->insn;
    enum insn_format format = insn_info(d->id)->format;
    bool is_csr = format == FORMAT_CSR || format == FORMAT_CSRI;
    struct jit_helper_site *site = jit_meta(l->jh, sizeof(*site));
    lower_fill_site(l, &site->site);
    site->helper = i->helper;
    site->insn = (struct insn){.imm = d->imm,
                               .rd = d->rd,
                               .rs1 = d->rs1,
                               .rs2 = d->rs2,
                               .at = (uint8_t)(lower_guest(l)->offset / 2)};
    if ((is_csr || format == FORMAT_AP) && d->rd == 0)
        site->insn.rd = REG_SINK;
    if (is_csr)
        site->insn.rs2 = (uint8_t)l->guest;
    emit_lea_rip(&l->e, RAX, site);
    emit_call_to(&l->e, lower_stub(l, stub));
    lower_forget_groups(l);
    l->fp_on = false;
    l->boxed = 0;
}

void lower_interpret(struct lower *l)
{
    struct jit_site *site = lower_site(l);
    lower_widen_all(l);
    lower_leave_map(l);
    emit_lea_rip(&l->e, RAX, site);
    emit_call_to(&l->e, lower_stub(l, STUB_INTERPRET));
    if (l->values[l->at].uses)
        lower_done(l, lower_temp(l));
}

/* A helper that is better done here. */
static bool is_inline_helper(struct lower *l, const struct ir_insn *i)
{
    const struct decoded *d = &lower_guest(l)->insn;
    if (i->helper->call == helper_fence) {
        enum { I = 8, O = 4, R = 2, W = 1 };
        unsigned before = (unsigned)d->imm >> 4, after = (unsigned)d->imm & 15;
        /* Only stores before loads may pass one another on this host. lock or [rsp], 0 */
        if ((before & (W | O)) && (after & (R | I))) {
            emit8(&l->e, 0xf0);
            emit_mi(&l->e, ALU_OR, W32, mem(RSP, 0), 0);
        }
        return true;
    }
    if (i->helper->call == helper_pause) {
        emit8(&l->e, 0xf3);
        emit8(&l->e, 0x90);
        return true;
    }
    return false;
}

bool lower_control(struct lower *l, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_branch_if:
        if (!l->region || !lower_region_end(l, i))
            branch(l, i);
        return true;
    case IR_jump_rel:
        if (!l->region || !lower_region_end(l, i))
            jump_rel(l, i);
        return true;
    case IR_jump:
        if (!l->region || !lower_region_end(l, i))
            jump_computed(l, i);
        return true;
    case IR_check_target:
        check_target(l, i);
        return true;
    case IR_call:
        if (!is_inline_helper(l, i))
            call_helper(l, i, STUB_HELPER);
        return true;
    case IR_call_csr:
        call_helper(l, i, STUB_CSR);
        return true;
    case IR_call_end:
        call_helper(l, i, STUB_END);
        return true;
    default:
        return false;
    }
}

void lower_go_on_single(struct lower *l)
{
    int32_t place = (int32_t)(l->page_offset + lower_guest(l)->offset);
    lower_leave_map(l);
    take_back(l, l->count_end - l->guest);
    link_to(l, place, JIT_SINGLE, false);
}

void lower_go_to(struct lower *l, unsigned place)
{
    lower_widen_all(l);
    if (place < PAGE_SIZE) {
        link_to(l, (int32_t)place, JIT_NORMAL, false);
        return;
    }
    if (lower_is_direct(l)) {
        link_to_far(l, (int64_t)place - l->page_offset, false);
        return;
    }
    /* The last instruction may be a branch, whose slot for far jumps this must not share. */
    pc_to_rax(l, (int64_t)place - l->page_offset);
    jump_to_rax(l, false);
}

/*
 * The block's one instruction lies on this page and the next; its second half came from second_page.
 * If the next page is another one now, the interpreter runs it.
 */
void lower_check_second_page(struct lower *l, const uint8_t *second_page)
{
    struct emit *e = &l->e;
    struct later *later = lower_later(l, LATER_INTERPRET);
    l->guest = 0;
    later->site = lower_site(l);
    emit_load(e, W64, RCX, HART(translated.page_va));
    emit_ri(e, ALU_ADD, l->xw, RCX, (int32_t)PAGE_SIZE);
    lower_tlb_index(l, RCX);
    emit_rm(e, OP_CMP, W64, RCX, mem_index(RTLB, RAX, 0, offsetof(struct tlb_entry, fetch)));
    later->from[0] = emit_jcc(e, CC_NE);
    emit_rm(e, OP_ADD, W64, RCX, mem_index(RTLB, RAX, 0, offsetof(struct tlb_entry, addend)));
    emit_mov_imm(e, RAX, (uint64_t)(uintptr_t)second_page);
    emit_rr(e, OP_CMP, W64, RCX, RAX);
    later->from[1] = emit_jcc(e, CC_NE);
}

/* The block's guest code is not what it was, or the hart has entered enough of such blocks. */
static void wary_exit(struct lower *l, const struct later *later)
{
    if (later->back)
        emit_patch_here(&l->e, later->back);
    emit_lea_rip(&l->e, RAX, l->block->entry - l->e.to_exec + 5);
    emit_jmp_to(&l->e, lower_stub(l, STUB_WARY));
}

void lower_check_source(struct lower *l)
{
    struct emit *e = &l->e;
    unsigned at = 0, fields = 0;
    uint8_t *changed[JIT_WARY_INSNS + 2];
    emit_mov_imm(e, RAX, (uint64_t)(uintptr_t)l->block->code);
    for (; at + 4 <= l->block->bytes; at += 4) {
        int32_t bytes;
        memcpy(&bytes, l->block->copy + at, sizeof(bytes));
        emit_mi(e, ALU_CMP, W32, mem(RAX, (int32_t)at), bytes);
        changed[fields++] = emit_jcc(e, CC_NE);
    }
    if (at < l->block->bytes) {
        uint16_t half;
        memcpy(&half, l->block->copy + at, sizeof(half));
        emit_rm(e, OP_MOVZX16, W32, RCX, mem(RAX, (int32_t)at));
        emit_ri(e, ALU_CMP, W32, RCX, half);
        changed[fields++] = emit_jcc(e, CC_NE);
    }
    emit_mi(e, ALU_SUB, W32, HART(translated.wary_runs), 1);
    changed[fields++] = emit_jcc(e, CC_S);
    /* Four of the jumps to a place: what comes later has room for no more. */
    for (unsigned n = 0; n < fields; n += 4) {
        struct later *later = lower_later(l, LATER_CALL);
        later->emit = wary_exit;
        for (unsigned k = 0; k < 3; k++)
            later->from[k] = n + k < fields ? changed[n + k] : NULL;
        later->back = n + 3 < fields ? changed[n + 3] : NULL;
    }
}

void lower_later_control(struct lower *l, const struct later *later)
{
    struct emit *e = &l->e;
    lower_leave_map(l);
    switch (later->kind) {
    case LATER_BRANCH: /* a branch that was taken */
        take_back(l, later->retired);
        jump_direct(l, later->imm, false);
        break;
    case LATER_EXIT: /* something waits: to the target by way of C */
        pc_to_rax(l, later->imm);
        emit_jmp_to(e, lower_stub(l, STUB_LOOKUP));
        break;
    case LATER_FAR:
        emit_lea_rip(e, RAX, later->far);
        emit_jmp_to(e, lower_stub(l, STUB_FAR));
        break;
    case LATER_INDIRECT:
        emit_jmp_to(e, lower_stub(l, STUB_LOOKUP));
        break;
    case LATER_INTERPRET:
        emit_lea_rip(e, RAX, later->site);
        emit_call_to(e, lower_stub(l, STUB_INTERPRET));
        break;
    default:
        l->failed = true;
    }
}
