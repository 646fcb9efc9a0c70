/* SPDX-License-Identifier: MPL-2.0 */
/* What goes where in main memory: see plan.h. */
#include "machine/boot/plan.h"
#include <inttypes.h>
#include <string.h>

static bool in_ram(const struct plan *plan, uint64_t address, uint64_t span)
{
    uint64_t offset = address - plan->ram_base;
    return offset < plan->ram_size && span <= plan->ram_size - offset;
}

/* Both lie in main memory, so that the sums do not wrap. */
static bool overlap(const struct plan_piece *piece, uint64_t address, uint64_t span)
{
    return address < piece->address + piece->span && piece->address < address + span;
}

bool plan_add(struct plan *plan, struct plan_piece piece, struct error *err)
{
    if (piece.span < piece.size)
        piece.span = piece.size;
    if (!piece.span)
        return true;
    if (!in_ram(plan, piece.address, piece.span))
        return error_set(err,
                         "%s: its %" PRIu64 " KiB at 0x%" PRIx64
                         " are not within main memory, %" PRIu64 " MiB at 0x%" PRIx64
                         " (-m makes it larger)",
                         piece.name, (piece.span >> 10) + 1, piece.address, plan->ram_size >> 20,
                         plan->ram_base);
    for (unsigned i = 0; i < plan->count; i++) {
        const struct plan_piece *other = &plan->pieces[i];
        if (overlap(other, piece.address, piece.span))
            return error_set(err,
                             "%s: 0x%" PRIx64 " to 0x%" PRIx64 " overlaps %s at 0x%" PRIx64
                             " to 0x%" PRIx64,
                             piece.name, piece.address, piece.address + piece.span - 1, other->name,
                             other->address, other->address + other->span - 1);
    }
    if (plan->count == PLAN_PIECES_MAX)
        return error_set(err, "%s: more than %d pieces to load", piece.name, PLAN_PIECES_MAX);
    plan->pieces[plan->count++] = piece;
    return true;
}

uint64_t plan_end_below(const struct plan *plan, uint64_t limit)
{
    uint64_t end = plan->ram_base;
    for (unsigned i = 0; i < plan->count; i++) {
        const struct plan_piece *piece = &plan->pieces[i];
        if (piece->address < limit && piece->address + piece->span > end)
            end = piece->address + piece->span;
    }
    return end;
}

bool plan_is_free(const struct plan *plan, uint64_t address, uint64_t span)
{
    if (!in_ram(plan, address, span))
        return false;
    for (unsigned i = 0; i < plan->count; i++)
        if (overlap(&plan->pieces[i], address, span))
            return false;
    return true;
}

void plan_write(const struct plan *plan, uint8_t *ram)
{
    for (unsigned i = 0; i < plan->count; i++) {
        const struct plan_piece *piece = &plan->pieces[i];
        if (piece->size)
            memcpy(ram + (piece->address - plan->ram_base), piece->bytes, piece->size);
    }
}
