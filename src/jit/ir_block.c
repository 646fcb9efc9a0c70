/* SPDX-License-Identifier: MPL-2.0 */
/* The memory of a block of operations. A failure is noted in it, so that builders need not ask. */
#include "jit/ir.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 64
#define ROOM_MAX (UINT16_MAX + 1u)

void ir_block_init(struct ir_block *b, const struct isa *isa)
{
    *b = (struct ir_block){.xlen = isa->xlen == 64 ? IR_I64 : IR_I32};
}

void ir_block_free(struct ir_block *b)
{
    free(b->insns);
    free(b->guests);
    *b = (struct ir_block){.xlen = b->xlen};
}

void ir_block_clear(struct ir_block *b)
{
    b->count = b->insns ? 1 : 0;
    b->guest_count = 0;
    memset(b->known, 0, sizeof(b->known));
    b->failed = false;
}

static bool grow_insns(struct ir_block *b)
{
    unsigned room = b->room ? b->room * 2 : ROOM_FIRST;
    if (room > ROOM_MAX)
        return false;
    struct ir_insn *insns = realloc(b->insns, room * sizeof(*insns));
    if (!insns)
        return false;
    if (!b->insns)
        insns[b->count++] = (struct ir_insn){.op = IR_none};
    b->insns = insns;
    b->room = room;
    return true;
}

static bool grow_guests(struct ir_block *b)
{
    unsigned room = b->guest_room ? b->guest_room * 2 : ROOM_FIRST;
    struct ir_guest *guests = realloc(b->guests, room * sizeof(*guests));
    if (!guests)
        return false;
    b->guests = guests;
    b->guest_room = room;
    return true;
}

void ir_begin_run(struct ir_block *b, bool falls)
{
    for (unsigned n = 0; n < 32; n++)
        if (!falls || b->known[n].op == IR_sll || b->known[n].op == IR_srl)
            b->known[n] = (struct ir_known){.op = IR_none};
}

bool ir_begin_guest(struct ir_block *b, uint32_t offset, const struct decoded *d)
{
    if (b->guest_count == b->guest_room && !grow_guests(b))
        return false;
    if (b->count == b->room && !grow_insns(b))
        return false;
    b->guests[b->guest_count++] = (struct ir_guest){offset, (ir_ref)b->count, *d};
    return true;
}

bool ir_end_guest(struct ir_block *b)
{
    if (!b->failed)
        return true;
    b->count = b->guests[--b->guest_count].first;
    b->failed = false;
    return false;
}

ir_ref ir_emit(struct ir_block *b, const struct ir_insn *insn)
{
    if (b->failed || (b->count == b->room && !grow_insns(b))) {
        b->failed = true;
        return 0;
    }
    b->insns[b->count] = *insn;
    return (ir_ref)b->count++;
}
