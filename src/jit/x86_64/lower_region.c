/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Regions (jit/region.h): blocks that know each other. They jump to one another without links, and
 *
 * 1. the host registers that regs.h gives to guest registers serve what the region uses most, be it
 *    another guest register or the addend of a page (choose_registers). On the way in and out, and around
 *    calls of C, everything goes to where regs.h says and back (lower_leave_map, lower_enter_map);
 * 2. a base (struct region_base) remembers the page it was checked for: how far it may move before it
 *    leaves that page, and the page's addend. The check is then
 *
 *        cmp  base, [slot.limit]
 *        jge  later                 jle, when it moves down
 *        mov  rdx, [slot.addend]    unless a register holds it
 *
 *    A slot is emptied when its loop is entered. What was checked stays true meanwhile: fences are
 *    served after leaving the region, which happens at the heads of loops (hart.events). That the
 *    base moves one way only is why one limit is enough. Addresses are compared as signed numbers: a
 *    base may well go from the last page of the address space to the first one, also without an access
 *    on either, but half the address space, none of which is canonical near its middle, it does not
 *    cross.
 *
 * Where accesses off a base do not lie on one page, the rest of the block runs as JIT_SINGLE.
 */
#include "jit/x86_64/lower_fp.h"

#include "jit/region.h"
#include <stdlib.h>

#define HOSTS 11 /* host registers that are for guest registers, at most */
/* What it costs to give one away and take it back, in uses outside the loop. */
#define SWAP_WEIGHT 24

/* What has a host register: a guest register, or the addend of a base. */
struct tenant {
    uint8_t guest; /* 0: an addend */
    uint8_t base;  /* of bases[] */
    uint32_t weight;
};

struct lower_region {
    const struct region *r;
    unsigned block; /* being lowered */
    uint8_t x[32];  /* lower.x while mapped */
    struct {
        uint8_t host, owner; /* owner: the guest register that regs.h gives it to */
        struct tenant tenant;
    } swaps[HOSTS];
    unsigned swap_count;
    bool fp_on;                           /* FP is on from the start */
    uint8_t addends[REGION_BASES_MAX];    /* host register of a base's addend, or NO_REG */
    struct group known[REGION_BASES_MAX]; /* what was checked in this run of blocks */
    const uint8_t *labels[REGION_BLOCKS_MAX];
    struct {
        uint8_t *field, block;
    } fixups[4 * REGION_BLOCKS_MAX];
    unsigned fixup_count;
    struct {
        bool fp_on;
        uint32_t boxed;
    } ends[REGION_BLOCKS_MAX]; /* what is known at a block's end */
};

static struct mem slot_limit(unsigned base)
{
    return hart_field(offsetof(struct hart, translated.slots) +
                      base * sizeof(struct translated_slot));
}

static struct mem slot_addend(unsigned base)
{
    struct mem m = slot_limit(base);
    m.disp += (int32_t)offsetof(struct translated_slot, addend);
    return m;
}

/*
 * Registers
 */

static struct mem home(const struct tenant *t)
{
    return t->guest ? hart_x(t->guest) : slot_addend(t->base);
}

const uint8_t *lower_region_map(const struct lower *l)
{
    return l->region->x;
}

void lower_set_map(struct lower *l, bool mapped)
{
    l->mapped = mapped;
    l->x = mapped ? l->region->x : pinned_x(lower_is_direct(l));
}

void lower_leave_map(struct lower *l)
{
    if (!l->mapped)
        return;
    for (unsigned n = 0; n < l->region->swap_count; n++) {
        enum reg r = l->region->swaps[n].host;
        emit_store(&l->e, W64, r, home(&l->region->swaps[n].tenant));
        emit_load(&l->e, W64, r, hart_x(l->region->swaps[n].owner));
    }
    lower_set_map(l, false);
}

void lower_enter_map(struct lower *l)
{
    if (!l->region)
        return;
    for (unsigned n = 0; n < l->region->swap_count; n++) {
        enum reg r = l->region->swaps[n].host;
        emit_store(&l->e, W64, r, hart_x(l->region->swaps[n].owner));
        emit_load(&l->e, W64, r, home(&l->region->swaps[n].tenant));
    }
    lower_set_map(l, true);
}

/* How often guest registers are named. */
static void weigh(const struct lower *l, const struct region *r, uint32_t weights[32])
{
    for (unsigned n = 0; n < r->block_count; n++) {
        const struct region_block *b = &r->blocks[n];
        unsigned end = ir_guest_start(l->ir, b->first + b->insns);
        for (unsigned k = ir_guest_start(l->ir, b->first); k < end; k++) {
            const struct ir_insn *i = &l->ir->insns[k];
            if (i->op == IR_set_x || (i->op == IR_get_x && l->values[k].uses))
                weights[i->imm] += region_weight(b);
        }
    }
}

/* The heaviest go in; a guest register that regs.h gives one to keeps that. */
static void choose_registers(struct lower *l)
{
    struct lower_region *region = l->region;
    const struct region *r = region->r;
    const uint8_t *pinned = pinned_x(lower_is_direct(l));
    uint32_t weights[32] = {0};
    struct tenant wanted[32 + REGION_BASES_MAX];
    unsigned count = 0;
    weigh(l, r, weights);
    for (unsigned g = 1; g < 32; g++)
        if (pinned[g] == NO_REG && weights[g])
            wanted[count++] = (struct tenant){.guest = (uint8_t)g, .weight = weights[g]};
    for (unsigned n = 0; n < r->base_count; n++)
        wanted[count++] = (struct tenant){.base = (uint8_t)n, .weight = r->bases[n].weight};
    memcpy(region->x, pinned, sizeof(region->x));
    memset(region->addends, NO_REG, sizeof(region->addends));
    while (region->swap_count < HOSTS) {
        struct tenant *best = NULL;
        unsigned least = 0;
        for (unsigned n = 0; n < count; n++)
            if (wanted[n].weight && (!best || wanted[n].weight > best->weight))
                best = &wanted[n];
        for (unsigned g = 1; g < 32; g++)
            if (pinned[g] != NO_REG && region->x[g] != NO_REG &&
                (!least || weights[g] < weights[least]))
                least = g;
        if (!best || !least || best->weight < weights[least] + SWAP_WEIGHT)
            return;
        uint8_t host = region->x[least];
        region->swaps[region->swap_count].host = host;
        region->swaps[region->swap_count].owner = (uint8_t)least;
        region->swaps[region->swap_count++].tenant = *best;
        region->x[least] = NO_REG;
        if (best->guest)
            region->x[best->guest] = host;
        else
            region->addends[best->base] = host;
        best->weight = 0;
    }
}

/*
 * Bases
 */

void lower_region_base_changed(struct lower *l, unsigned guest, bool moves, int32_t by)
{
    for (unsigned n = 0; n < l->region->r->base_count; n++)
        lower_group_base_changed(&l->region->known[n], guest, moves, by);
}

void lower_region_forget(struct lower *l)
{
    for (unsigned n = 0; n < l->region->r->base_count; n++)
        l->region->known[n].known = false;
}

/* The base that serves an access in the running block; -1: none. */
static int base_for(const struct lower *l, const struct ir_insn *i, struct ir_place p)
{
    const struct region *r = l->region->r;
    for (unsigned n = 0; n < r->base_count; n++) {
        const struct region_base *b = &r->bases[n];
        if (i->op == IR_store && !b->writes) /* only loads were checked */
            continue;
        unsigned size = ir_mem_bytes(i->mem);
        if (b->guest == p.base && r->loops[b->loop].blocks >> l->region->block & 1 &&
            (lower_group_covers(&l->region->known[n], p, size, i->op == IR_store) ||
             (p.imm >= b->low && p.imm + (int32_t)size <= b->high)))
            return (int)n;
    }
    return -1;
}

/* base has left the page that is remembered, or none is: the TLB's entry, remembered. */
static void check_again(struct lower *l, const struct later *later)
{
    struct emit *e = &l->e;
    const struct region_base *b = &l->region->r->bases[later->value];
    enum reg base = later->base, addend = l->region->addends[later->value];
    struct mem first = mem(base, later->imm);
    /* rdx may be another page's addend, which is wanted behind; a register's place is free for it. */
    if (addend != NO_REG)
        emit_store(e, W64, RDX, slot_addend((unsigned)later->value));
    uint8_t *miss = lower_check_page(l, first, b->writes, (unsigned)(b->high - b->low));
    if (addend == NO_REG)
        emit_store(e, W64, RDX, slot_addend((unsigned)later->value));
    else
        emit_mov_rr(e, W64, addend, RDX);
    emit_lea(e, W64, RAX, first);
    if (b->down) { /* base > first of the page - low - 1 */
        emit_ri(e, ALU_AND, W64, RAX, -(int32_t)PAGE_SIZE);
        emit_ri(e, ALU_SUB, W64, RAX, b->low + 1);
    } else { /* base < last of the page - high + 2 */
        emit_ri(e, ALU_OR, W64, RAX, (int32_t)PAGE_SIZE - 1);
        emit_ri(e, ALU_SUB, W64, RAX, b->high - 2);
    }
    emit_store(e, W64, RAX, slot_limit((unsigned)later->value));
    if (addend != NO_REG)
        emit_load(e, W64, RDX, slot_addend((unsigned)later->value));
    emit_jmp_to(e, later->back);
    emit_patch_here(e, miss);
    lower_go_on_single(l);
}

bool lower_region_check(struct lower *l, const struct ir_insn *i, struct ir_place p, enum reg base,
                        struct mem *access)
{
    struct emit *e = &l->e;
    int n = l->mapped ? base_for(l, i, p) : -1;
    if (n < 0)
        return false;
    const struct region_base *b = &l->region->r->bases[n];
    struct group *known = &l->region->known[n];
    enum reg addend = l->region->addends[n];
    bool checks = !lower_group_covers(known, p, ir_mem_bytes(i->mem), i->op == IR_store);
    struct later *later = NULL;
    if (addend == NO_REG)
        lower_forget_group(l);
    if (checks) {
        later = lower_later(l, LATER_CALL);
        later->emit = check_again;
        later->base = (uint8_t)base;
        later->imm = b->low;
        later->value = n;
        emit_rm(e, OP_CMP, W64, base, slot_limit((unsigned)n));
        later->from[0] = emit_jcc(e, b->down ? CC_LE : CC_GE);
        later->back = e->at;
        *known = (struct group){true, b->writes, true, b->guest, b->low, b->high};
    }
    if (addend == NO_REG) {
        emit_load(e, W64, RDX, slot_addend((unsigned)n));
        l->group = *known;
        addend = RDX;
    }
    *access = mem_index(base, addend, 0, p.imm);
    return true;
}

/*
 * No base is within the limit: the least number, or the greatest. In one store: the comparison that soon
 * follows would wait for two to reach the cache. rax: the number, which *there says to hold already.
 */
static void empty_slot(struct lower *l, unsigned base, uint64_t *there)
{
    uint64_t limit = l->region->r->bases[base].down ? INT64_MAX : (uint64_t)INT64_MIN;
    if (*there != limit)
        emit_mov_imm_quiet(&l->e, RAX, limit);
    *there = limit;
    emit_store(&l->e, W64, RAX, slot_limit(base));
}

/* Whether the way from one block (-1: from outside) to another leads into a base's loop. */
static bool enters_loop_of(const struct region *r, unsigned base, int from, unsigned to)
{
    uint64_t blocks = r->loops[r->bases[base].loop].blocks;
    return blocks >> to & 1 && (from < 0 || !(blocks >> from & 1));
}

/* Empties the slots whose loops are entered on the way from one block (-1: from outside) to another. */
static void empty_slots(struct lower *l, int from, unsigned to)
{
    uint64_t there = 0;
    for (unsigned n = 0; n < l->region->r->base_count; n++)
        if (enters_loop_of(l->region->r, n, from, to))
            empty_slot(l, n, &there);
}

static bool enters_loop(const struct lower *l, unsigned from, unsigned to)
{
    for (unsigned n = 0; n < l->region->r->base_count; n++)
        if (enters_loop_of(l->region->r, n, (int)from, to))
            return true;
    return false;
}

/*
 * From block to block
 */

/* Has a jump lead to a block, which may not be there yet. */
static void jump_to_block(struct lower *l, uint8_t *field, unsigned block)
{
    struct lower_region *region = l->region;
    if (region->labels[block]) {
        emit_patch(field, region->labels[block]);
        return;
    }
    region->fixups[region->fixup_count].field = field;
    region->fixups[region->fixup_count++].block = (uint8_t)block;
}

static void fix_jumps(struct lower *l)
{
    for (unsigned n = 0; n < l->region->fixup_count; n++)
        emit_patch(l->region->fixups[n].field, l->region->labels[l->region->fixups[n].block]);
}

/* A way into a loop that is not the way straight on. */
static void enter_loop(struct lower *l, const struct later *later)
{
    empty_slots(l, later->value, (unsigned)later->imm);
    emit_jmp_to(&l->e, l->region->labels[later->imm]);
}

/* The way that is taken when the condition holds. */
static void branch_to_block(struct lower *l, enum cond cc, unsigned to)
{
    unsigned from = l->region->block;
    uint8_t *field = emit_jcc(&l->e, cc);
    if (!enters_loop(l, from, to)) {
        jump_to_block(l, field, to);
        return;
    }
    struct later *later = lower_later(l, LATER_CALL);
    later->emit = enter_loop;
    later->from[0] = field;
    later->value = (int32_t)from;
    later->imm = (int32_t)to;
}

/* Straight on to a block, or out of the region to a place of the page. */
static void go_on_to(struct lower *l, int to, unsigned place)
{
    if (to < 0 || !l->region->r->blocks[to].falls)
        lower_widen_all(l);
    if (to < 0) {
        lower_leave_map(l);
        lower_go_to(l, place);
        return;
    }
    empty_slots(l, (int)l->region->block, (unsigned)to);
    if ((unsigned)to != l->region->block + 1)
        jump_to_block(l, emit_jmp(&l->e), (unsigned)to);
}

static bool branch_end(struct lower *l, const struct ir_insn *i, const struct region_block *b)
{
    const struct ir_insn *condition = lower_insn(l, i->a);
    if (b->taken >= 0 || b->next < 0 || condition->op == IR_const ||
        !l->region->r->blocks[b->next].falls)
        lower_widen_all(l);
    if (condition->op == IR_const) {
        if (condition->imm && b->taken < 0) {
            lower_leave_map(l);
            return false;
        }
        go_on_to(l, condition->imm ? b->taken : b->next, b->end);
        return true;
    }
    enum cond cc = lower_condition(l, i->a);
    if (b->taken < 0) {
        struct later *later = lower_later(l, LATER_BRANCH);
        later->from[0] = emit_jcc(&l->e, cc);
        later->imm = (int32_t)i->imm;
        go_on_to(l, b->next, b->end);
    } else if (b->next >= 0 && (unsigned)b->taken == l->region->block + 1 &&
               !enters_loop(l, l->region->block, (unsigned)b->taken)) {
        branch_to_block(l, cond_not(cc), (unsigned)b->next);
    } else {
        branch_to_block(l, cc, (unsigned)b->taken);
        go_on_to(l, b->next, b->end);
    }
    return true;
}

bool lower_region_end(struct lower *l, const struct ir_insn *i)
{
    const struct region_block *b = &l->region->r->blocks[l->region->block];
    if (i->op == IR_branch_if)
        return branch_end(l, i, b);
    if (b->taken >= 0) {
        go_on_to(l, b->taken, 0);
        return true;
    }
    lower_leave_map(l);
    return false;
}

/* What is known where a block begins: what all ways to it agree on. Those back come from blocks that it
 * dominates, where FP is still on. */
static void begin_block(struct lower *l, unsigned n)
{
    const struct region_block *b = &l->region->r->blocks[n];
    l->region->block = n;
    lower_set_map(l, true);
    if (b->falls)
        return;
    lower_forget_groups(l);
    l->sexted = 0;
    l->fp_on = n != 0 || l->region->fp_on;
    l->boxed = b->is_head ? 0 : UINT32_MAX;
    for (uint64_t rest = b->preds; rest; rest &= rest - 1) {
        unsigned from = (unsigned)__builtin_ctzll(rest);
        if (from < n) {
            l->fp_on &= l->region->ends[from].fp_on;
            l->boxed &= l->region->ends[from].boxed;
        }
    }
}

static void lower_block(struct lower *l, unsigned n)
{
    const struct region *r = l->region->r;
    const struct region_block *b = &r->blocks[n];
    begin_block(l, n);
    l->guest = b->first;
    l->count_end = b->first + b->insns;
    unsigned run = n + 1;
    while (run < r->block_count && r->blocks[run].falls)
        run++;
    l->scan_end = ir_guest_start(l->ir, run < r->block_count ? r->blocks[run].first : r->insns);
    l->region->labels[n] = l->e.at;
    if (b->is_head) {
        struct later *exit = lower_later(l, LATER_EXIT);
        emit_mi(&l->e, ALU_CMP, W32, HART(events), 0);
        exit->from[0] = emit_jcc(&l->e, CC_NE);
        exit->imm = b->place;
    }
    if (!lower_is_direct(l))
        emit_rm(&l->e, OP_PADDQ, W32, XCOUNT, hart_count(b->insns));
    lower_guests(l, b->first, l->count_end);
    const struct ir_insn *last = lower_insn(l, (ir_ref)(ir_guest_start(l->ir, l->count_end) - 1));
    if (!(ir_op_infos[last->op].flags & IR_END))
        go_on_to(l, b->next, b->end);
    l->region->ends[n].fp_on = l->fp_on;
    l->region->ends[n].boxed = l->boxed;
}

/* A loop that begins with FP has it switched on before, so that its rounds need not ask. */
static void switch_fp_on(struct lower *l)
{
    const struct region_block *head = &l->region->r->blocks[0];
    for (unsigned n = 1; n < ir_guest_start(l->ir, head->first + head->insns) && !l->fp_on; n++)
        if (lower_insn(l, (ir_ref)n)->op == IR_check_fp)
            fp_check_on(l); /* nothing is counted yet: l->count_end is 0 */
    l->region->fp_on = l->fp_on;
}

#define LATERS_EACH 6

bool backend_translate_region(struct jit_hart *jh, struct jit_block *block, const struct region *r)
{
    struct jit *jit = jh->jit;
    unsigned later_room = LATERS_EACH * REGION_INSNS_MAX;
    struct value *values = calloc(jh->ir.count + 1u, sizeof(*values));
    struct later *laters = calloc(later_room, sizeof(*laters));
    unsigned access_room = jit->direct ? 2 * REGION_INSNS_MAX : 0;
    struct jit_access *accesses = calloc(access_room + 1, sizeof(*accesses));
    struct lower_region region = {.r = r};
    struct lower l = {
        .e = {.at = jh->code, .to_exec = jit->memory.exec - jit->memory.write},
        .jh = jh,
        .jit = jit,
        .block = block,
        .ir = &jh->ir,
        .has = host_features(),
        .values = values,
        .xw = jh->ir.xlen == IR_I64 ? W64 : W32,
        .x = pinned_x(jit->direct),
        .region = &region,
        .laters = laters,
        .later_room = later_room,
        .accesses = accesses,
        .access_room = access_room,
        .failed = !values || !laters || !accesses,
    };
    if (!l.failed) {
        lower_begin(&l);
        choose_registers(&l);
        emit_nop(&l.e, 8); /* for backend_make_stale */
        lower_enter_map(&l);
        empty_slots(&l, -1, 0);
        switch_fp_on(&l);
        for (unsigned n = 0; n < r->block_count && !l.failed; n++)
            lower_block(&l, n);
        fix_jumps(&l);
        l.failed = !lower_end(&l);
    }
    free(values);
    free(laters);
    free(accesses);
    return !l.failed;
}
