/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which instructions are a region, and what its loops do with addresses. See region.h.
 *
 * 1. From the head, every instruction that can be reached within the page is looked at once (explore).
 *    A call of a function on the page is followed, one deep, and so is its return when nothing in
 *    the function writes ra: so a call is two jumps. Each call has its own copy of the function.
 * 2. They are cut into blocks (cut).
 * 3. What can get back to the head by a jump backwards, without passing it, is its loop (choose).
 *    The rest is left out; so are loops that are entered elsewhere than at their head.
 * 4. Blocks are put in reverse postorder, loops are found by dominators (order, find_loops).
 */
#include "jit/region.h"

#include "cpu/csr.h"

#include <stdlib.h>
#include <string.h>

#define INSNS_SEEN_MAX 1024 /* that are looked at to find a loop */
#define NODES_MAX 250       /* and blocks that they may make */
#define CALLS_MAX 8         /* inlined */

enum { REG_RA = 1 };

enum way {
    WAY_ON,     /* to the next instruction */
    WAY_BRANCH, /* there or to the target */
    WAY_JUMP,   /* to the target */
    WAY_CALL,   /* the same, and ra is the next instruction */
    WAY_RETURN,
    WAY_OUT_BEHIND, /* behind it the region ends */
    WAY_OUT,        /* it is not in the region */
};

/* What an instruction does. */
struct step {
    uint8_t way; /* enum way */
    uint8_t length;
    bool writes_ra;
    int32_t target; /* in the page, or outside of it */
};

/* Code for one inlined call, or for none. */
struct frame {
    uint16_t back_to; /* REG_NO_CALL */
    bool seen[PAGE_SIZE / 2];
    bool leads[PAGE_SIZE / 2]; /* a block starts here */
    bool writes_ra;
};

struct node {
    uint16_t place, end;
    uint8_t frame, insns;
    int16_t next, taken; /* -1: out */
};

struct finder {
    const struct region_source *source;
    const struct jit *jit;
    struct ir_block *scratch;
    struct frame frames[1 + CALLS_MAX]; /* [0]: no call */
    unsigned frame_count;
    bool no_calls;
    struct {
        uint16_t place;
        uint8_t frame;
    } todo[INSNS_SEEN_MAX];
    unsigned todo_count, seen;
    struct node nodes[NODES_MAX];
    unsigned node_count;
    int16_t order[NODES_MAX]; /* in postorder */
    unsigned order_count;
    uint8_t mark[NODES_MAX];
};

static bool decode_at(const struct region_source *source, const struct jit *jit, unsigned place,
                      struct decoded *d)
{
    uint32_t bits = 0;
    if (place + 2 > PAGE_SIZE || !source->known[place / 2])
        return false;
    unsigned length = insn_length(source->bytes[place]);
    if (place + length > PAGE_SIZE || !source->known[(place + length) / 2 - 1])
        return false;
    memcpy(&bits, source->bytes + place, length);
    return isa_decode(jit->decoder, bits, d);
}

/* Whether an operation has no place in a region: the hart may be another afterwards, or it goes back to
 * where it is by way of C. */
static bool is_foreign(const struct ir_insn *i, const struct decoded *d)
{
    switch (i->op) {
    case IR_call_csr: /* FP's are lowered without a call */
        return d->imm < CSR_FFLAGS || d->imm > CSR_FCSR;
    case IR_call:
    case IR_call_end:
    case IR_lr:
    case IR_sc:
    case IR_amo:
    case IR_amocas:
    case IR_check_target:
        return true;
    default:
        return false;
    }
}

static struct step step_at(struct finder *f, unsigned place)
{
    struct step step = {.way = WAY_OUT};
    struct decoded d;
    struct ir_block *ir = f->scratch;
    if (!decode_at(f->source, f->jit, place, &d) || d.id == INSN_ebreak)
        return step;
    ir_block_clear(ir);
    if (!ir_build_insn(ir, &f->jit->isa, &d, place))
        return step;
    step.length = d.length;
    step.way = WAY_ON;
    for (unsigned n = 1; n < ir->count; n++) {
        const struct ir_insn *i = &ir->insns[n];
        if (is_foreign(i, &d))
            return (struct step){.way = WAY_OUT};
        if (i->op == IR_set_x && i->imm == REG_RA)
            step.writes_ra = true;
    }
    if (!ir->count)
        return step;
    const struct ir_insn *last = &ir->insns[ir->count - 1];
    step.target = (int32_t)last->imm;
    bool inside = step.target >= 0 && step.target < (int32_t)PAGE_SIZE;
    if (last->op == IR_branch_if) {
        step.way = WAY_BRANCH;
    } else if (last->op == IR_jump_rel) {
        if (d.rd == REG_RA)
            step.way = inside ? WAY_CALL : WAY_OUT_BEHIND;
        else
            step.way = d.rd ? WAY_OUT_BEHIND : WAY_JUMP;
    } else if (last->op == IR_jump) {
        bool is_return = d.rd == 0 && d.rs1 == REG_RA && d.imm == 0;
        step.way = is_return ? WAY_RETURN : WAY_OUT_BEHIND;
    }
    return step;
}

static bool is_inside(int32_t target)
{
    return target >= 0 && target < (int32_t)PAGE_SIZE;
}

/*
 * 1. Everything that can be reached
 */

static void lead(struct finder *f, unsigned frame, int32_t place)
{
    if (!is_inside(place))
        return;
    bool *leads = &f->frames[frame].leads[place / 2];
    if (*leads || f->todo_count == INSNS_SEEN_MAX)
        return;
    *leads = true;
    f->todo[f->todo_count].place = (uint16_t)place;
    f->todo[f->todo_count].frame = (uint8_t)frame;
    f->todo_count++;
}

/* The frame for a call that returns there; -1: there are too many. */
static int frame_for(struct finder *f, unsigned back_to)
{
    if (f->no_calls || f->frame_count == 1 + CALLS_MAX)
        return -1;
    f->frames[f->frame_count].back_to = (uint16_t)back_to;
    return (int)f->frame_count++;
}

static void explore_from(struct finder *f, unsigned place, unsigned frame)
{
    struct frame *at = &f->frames[frame];
    for (; place < PAGE_SIZE && !at->seen[place / 2];) {
        struct step step = step_at(f, place);
        if (step.way == WAY_OUT || ++f->seen > INSNS_SEEN_MAX)
            return;
        at->seen[place / 2] = true;
        at->writes_ra |= step.writes_ra;
        unsigned next = place + step.length;
        int callee;
        switch (step.way) {
        case WAY_BRANCH:
            lead(f, frame, step.target);
            lead(f, frame, (int32_t)next);
            return;
        case WAY_JUMP:
            lead(f, frame, step.target);
            return;
        case WAY_CALL:
            callee = frame == 0 ? frame_for(f, next) : -1;
            if (callee >= 0)
                lead(f, (unsigned)callee, step.target);
            return;
        case WAY_RETURN:
            if (frame)
                lead(f, 0, at->back_to);
            return;
        case WAY_OUT_BEHIND:
            return;
        default:
            place = next;
        }
    }
    /* Where this way meets one that was gone before. */
    if (place < PAGE_SIZE)
        at->leads[place / 2] = true;
}

static void explore(struct finder *f, unsigned head)
{
    f->frame_count = 1;
    f->frames[0].back_to = REGION_NO_CALL;
    lead(f, 0, (int32_t)head);
    while (f->todo_count) {
        f->todo_count--;
        explore_from(f, f->todo[f->todo_count].place, f->todo[f->todo_count].frame);
    }
}

static bool calls_are_leaves(const struct finder *f)
{
    for (unsigned n = 1; n < f->frame_count; n++)
        if (f->frames[n].writes_ra)
            return false;
    return true;
}

/*
 * 2. Blocks
 */

static int node_at(const struct finder *f, unsigned frame, int32_t place)
{
    for (unsigned n = 0; n < f->node_count; n++)
        if (f->nodes[n].place == place && f->nodes[n].frame == frame)
            return (int)n;
    return -1;
}

static unsigned callee_of(const struct finder *f, unsigned back_to)
{
    for (unsigned n = 1; n < f->frame_count; n++)
        if (f->frames[n].back_to == back_to)
            return n;
    return 0;
}

/* Where a block ends, and the ways from it as places; links are made when all blocks are known. */
static struct step measure(struct finder *f, struct node *n)
{
    const struct frame *frame = &f->frames[n->frame];
    struct step step = {.way = WAY_ON};
    unsigned place = n->place;
    for (;;) {
        if (place >= PAGE_SIZE || !frame->seen[place / 2] ||
            (place != n->place && frame->leads[place / 2]))
            break;
        step = step_at(f, place);
        place += step.length;
        if (++n->insns == JIT_INSNS_MAX || step.way != WAY_ON)
            break;
    }
    n->end = (uint16_t)place;
    return step;
}

static bool cut(struct finder *f)
{
    for (unsigned frame = 0; frame < f->frame_count; frame++) {
        for (unsigned k = 0; k < PAGE_SIZE / 2; k++) {
            if (!f->frames[frame].leads[k] || !f->frames[frame].seen[k])
                continue;
            if (f->node_count == NODES_MAX)
                return false;
            f->nodes[f->node_count++] =
                (struct node){.place = (uint16_t)(2 * k), .frame = (uint8_t)frame};
        }
    }
    for (unsigned n = 0; n < f->node_count; n++) {
        struct node *node = &f->nodes[n];
        struct step step = measure(f, node);
        node->next = node->taken = -1;
        if (step.way == WAY_ON && f->node_count < NODES_MAX && node->end < PAGE_SIZE &&
            f->frames[node->frame].seen[node->end / 2] &&
            node_at(f, node->frame, node->end) < 0) /* it was too long */
            f->nodes[f->node_count++] = (struct node){.place = node->end, .frame = node->frame};
        if (step.way == WAY_ON || step.way == WAY_BRANCH)
            node->next = (int16_t)node_at(f, node->frame, node->end);
        if (step.way == WAY_BRANCH || step.way == WAY_JUMP)
            node->taken = (int16_t)node_at(f, node->frame, step.target);
        if (step.way == WAY_CALL && node->frame == 0 && callee_of(f, node->end))
            node->taken = (int16_t)node_at(f, callee_of(f, node->end), step.target);
        if (step.way == WAY_RETURN && node->frame)
            node->taken = (int16_t)node_at(f, 0, f->frames[node->frame].back_to);
    }
    return true;
}

/*
 * 3. The head's loop
 */

/* Marks what leads to node `to` among the marked `among`, not going through the head. */
static void mark_leading(struct finder *f, int head, int to)
{
    int16_t stack[NODES_MAX];
    unsigned count = 0;
    if (f->mark[to])
        return;
    f->mark[to] = 1;
    if (to != head)
        stack[count++] = (int16_t)to;
    while (count) {
        int at = stack[--count];
        for (unsigned n = 0; n < f->node_count; n++) {
            if ((f->nodes[n].next == at || f->nodes[n].taken == at) && !f->mark[n]) {
                f->mark[n] = 1;
                if ((int)n != head)
                    stack[count++] = (int16_t)n;
            }
        }
    }
}

static bool choose(struct finder *f, int head)
{
    bool any = false;
    memset(f->mark, 0, sizeof(f->mark));
    for (unsigned n = 0; n < f->node_count; n++) {
        const struct node *node = &f->nodes[n];
        bool back = node->frame == 0 && node->end > f->nodes[head].place &&
                    (node->next == head || node->taken == head);
        if (back) {
            mark_leading(f, head, (int)n);
            any = true;
        }
    }
    return any && f->mark[head];
}

/* The head of the smallest loop that has node `inner` in it and another head; -1: there is none. */
static int head_around(struct finder *f, int inner)
{
    int best = -1;
    unsigned least = NODES_MAX + 1;
    for (unsigned n = 0; n < f->node_count; n++) {
        if ((int)n == inner || f->nodes[n].frame || !choose(f, (int)n) || !f->mark[inner])
            continue;
        unsigned size = 0;
        for (unsigned k = 0; k < f->node_count; k++)
            size += f->mark[k];
        if (size < least) {
            least = size;
            best = (int)n;
        }
    }
    return best;
}

/*
 * 4. Order and loops
 */

/* Marks: 1 in the region, 2 on the way, 3 done. Postorder; the next block last, so that it comes to stand
 * behind this one. */
static void visit(struct finder *f, int n)
{
    if (n < 0 || f->mark[n] != 1)
        return;
    f->mark[n] = 2;
    visit(f, f->nodes[n].taken);
    visit(f, f->nodes[n].next);
    f->mark[n] = 3;
    f->order[f->order_count++] = (int16_t)n;
}

static bool order(struct region *r, struct finder *f, int head)
{
    int8_t where[NODES_MAX];
    visit(f, head);
    if (f->order_count > REGION_BLOCKS_MAX)
        return false;
    memset(where, -1, sizeof(where));
    for (unsigned n = 0; n < f->order_count; n++)
        where[f->order[n]] = (int8_t)(f->order_count - 1 - n);
    r->block_count = f->order_count;
    r->first = UINT16_MAX;
    for (unsigned n = 0; n < r->block_count; n++) {
        const struct node *node = &f->nodes[f->order[r->block_count - 1 - n]];
        struct region_block *b = &r->blocks[n];
        *b = (struct region_block){
            .place = node->place,
            .end = node->end,
            .back_to = f->frames[node->frame].back_to,
            .insns = node->insns,
            .next = node->next < 0 ? -1 : where[node->next],
            .taken = node->taken < 0 ? -1 : where[node->taken],
        };
        if (r->insns + b->insns > REGION_INSNS_MAX)
            return false;
        b->first = (uint8_t)r->insns;
        r->insns += b->insns;
        if (b->place < r->first)
            r->first = b->place;
        if (b->end > r->end)
            r->end = b->end;
    }
    return true;
}

static uint64_t bit(unsigned n)
{
    return UINT64_C(1) << n;
}

static void find_dominators(struct region *r)
{
    uint64_t all = r->block_count == 64 ? UINT64_MAX : bit(r->block_count) - 1;
    for (unsigned n = 0; n < r->block_count; n++) {
        struct region_block *b = &r->blocks[n];
        if (b->next >= 0)
            r->blocks[b->next].preds |= bit(n);
        if (b->taken >= 0)
            r->blocks[b->taken].preds |= bit(n);
        b->dominators = n ? all : bit(0);
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (unsigned n = 1; n < r->block_count; n++) {
            uint64_t dominators = all;
            for (uint64_t rest = r->blocks[n].preds; rest; rest &= rest - 1)
                dominators &= r->blocks[__builtin_ctzll(rest)].dominators;
            dominators |= bit(n);
            changed |= dominators != r->blocks[n].dominators;
            r->blocks[n].dominators = dominators;
        }
    }
}

static struct region_loop *loop_at(struct region *r, unsigned head)
{
    for (unsigned n = 0; n < r->loop_count; n++)
        if (r->loops[n].head == head)
            return &r->loops[n];
    if (r->loop_count == REGION_LOOPS_MAX)
        return NULL;
    r->loops[r->loop_count] = (struct region_loop){(uint8_t)head, bit(head)};
    return &r->loops[r->loop_count++];
}

/* In reverse postorder a jump to itself or an earlier block is one back; its target has to dominate it. */
static bool find_loops(struct region *r)
{
    find_dominators(r);
    if (!loop_at(r, 0))
        return false;
    for (unsigned head = 0; head < r->block_count; head++) {
        struct region_block *h = &r->blocks[head];
        for (uint64_t rest = h->preds; rest; rest &= rest - 1) {
            unsigned from = (unsigned)__builtin_ctzll(rest);
            if (from < head)
                continue;
            struct region_loop *loop = loop_at(r, head);
            if (!(r->blocks[from].dominators & bit(head)) || !loop)
                return false;
            h->is_head = true;
            uint64_t todo = bit(from) & ~loop->blocks;
            while (todo) {
                unsigned n = (unsigned)__builtin_ctzll(todo);
                loop->blocks |= bit(n);
                todo = (todo | r->blocks[n].preds) & ~loop->blocks;
            }
        }
    }
    for (unsigned n = 0; n < r->loop_count; n++)
        for (uint64_t rest = r->loops[n].blocks; rest; rest &= rest - 1)
            r->blocks[__builtin_ctzll(rest)].depth++;
    for (unsigned n = 1; n < r->block_count; n++)
        r->blocks[n].falls = r->blocks[n].preds == bit(n - 1) && r->blocks[n - 1].next == (int)n &&
                             r->blocks[n - 1].taken != (int)n;
    return r->blocks[0].is_head;
}

static bool form(struct region *r, struct finder *f, unsigned head, unsigned outer)
{
    explore(f, head);
    if (!calls_are_leaves(f) || !cut(f))
        return false;
    int at = node_at(f, 0, (int32_t)head);
    for (; outer && at >= 0; outer--)
        at = head_around(f, at);
    return at >= 0 && choose(f, at) && order(r, f, at) && find_loops(r);
}

bool region_form_around(struct region *r, const struct region_source *source, unsigned head,
                        unsigned outer, const struct jit *jit, struct ir_block *scratch)
{
    bool formed = false;
    struct finder *f = malloc(sizeof(*f));
    for (unsigned tries = 0; f && tries < 2 && !formed; tries++) {
        memset(f, 0, sizeof(*f));
        f->source = source;
        f->jit = jit;
        f->scratch = scratch;
        f->no_calls = tries;
        *r = (struct region){0};
        formed = form(r, f, head, outer);
    }
    free(f);
    return formed;
}

bool region_form(struct region *r, const struct region_source *source, unsigned head,
                 const struct jit *jit, struct ir_block *scratch)
{
    return region_form_around(r, source, head, 0, jit, scratch);
}

/*
 * Operations and bases
 */

static bool ends_range(const struct ir_insn *i)
{
    (void)i;
    return false; /* the check can be made again, so nothing that happens in between matters */
}

/* Operations [first, end) of a block. */
static unsigned first_op(const struct region *r, const struct ir_block *ir, unsigned block)
{
    return ir_guest_start(ir, block < r->block_count ? r->blocks[block].first : r->insns);
}

/* Adds what a run of blocks, one falling into the next, accesses off a register. */
static void widen(const struct region *r, const struct ir_block *ir, unsigned block,
                  struct region_base *base)
{
    unsigned end = block + 1;
    while (end < r->block_count && r->blocks[end].falls)
        end++;
    struct ir_range range;
    for (unsigned n = first_op(r, ir, block); n < first_op(r, ir, end); n++) {
        if (!ir_is_access(&ir->insns[n]) || ir_access_place(ir, &ir->insns[n]).base != base->guest)
            continue;
        unsigned count =
            ir_scan_accesses(ir, n, first_op(r, ir, end), base->guest, ends_range, &range);
        if (!count)
            return;
        bool none = base->weight == 0;
        base->low = none || range.low < base->low ? range.low : base->low;
        base->high = none || range.high > base->high ? range.high : base->high;
        base->writes |= range.writes;
        base->weight += count * region_weight(&r->blocks[block]);
        return;
    }
}

/* Whether a register only moves one way in a loop, by constants; notes which. */
static bool moves_one_way(const struct region *r, const struct ir_block *ir,
                          const struct region_loop *loop, struct region_base *base)
{
    bool up = false, down = false;
    for (uint64_t rest = loop->blocks; rest; rest &= rest - 1) {
        unsigned block = (unsigned)__builtin_ctzll(rest);
        for (unsigned n = first_op(r, ir, block); n < first_op(r, ir, block + 1); n++) {
            const struct ir_insn *i = &ir->insns[n];
            int32_t by;
            if (i->op != IR_set_x || (unsigned)i->imm != base->guest)
                continue;
            if (!ir_moves_by(ir, &ir->insns[i->a], base->guest, &by))
                return false;
            up |= by > 0;
            down |= by < 0;
        }
    }
    base->down = down;
    return !(up && down);
}

/* The outermost loops in which a register can be a base; in loops[] outer ones are first. */
static void find_base(struct region *r, const struct ir_block *ir, unsigned guest)
{
    uint64_t served = 0;
    for (unsigned n = 0; n < r->loop_count && r->base_count < REGION_BASES_MAX; n++) {
        struct region_base base = {.guest = (uint8_t)guest, .loop = (uint8_t)n};
        const struct region_loop *loop = &r->loops[n];
        if (loop->blocks & served || !moves_one_way(r, ir, loop, &base))
            continue;
        for (uint64_t rest = loop->blocks; rest; rest &= rest - 1) {
            unsigned block = (unsigned)__builtin_ctzll(rest);
            if (!r->blocks[block].falls || !(loop->blocks & bit(block - 1)))
                widen(r, ir, block, &base);
        }
        bool narrow = base.high - base.low <= IR_SPAN_MAX && base.low >= -2 * IR_SPAN_MAX &&
                      base.high <= 3 * IR_SPAN_MAX;
        if (!base.weight || !narrow)
            continue;
        served |= loop->blocks;
        r->bases[r->base_count++] = base;
    }
}

bool region_build(struct region *r, const struct region_source *source, const struct jit *jit,
                  struct ir_block *ir)
{
    ir_block_clear(ir);
    for (unsigned n = 0; n < r->block_count; n++) {
        const struct region_block *b = &r->blocks[n];
        unsigned first = ir->count;
        ir_begin_run(ir, b->falls);
        for (unsigned place = b->place; place < b->end;) {
            struct decoded d;
            if (!decode_at(source, jit, place, &d) || !ir_build_insn(ir, &jit->isa, &d, place))
                return false;
            place += d.length;
        }
        if (!ir_remove_dead(ir, first, ir->count))
            return false;
    }
    if (ir->count > REGION_OPS_MAX || ir->guest_count != r->insns)
        return false;
    if (jit->isa.xlen == 64 && !jit->direct)
        for (unsigned guest = 1; guest < 32; guest++)
            find_base(r, ir, guest);
    return true;
}
