/* SPDX-License-Identifier: MPL-2.0 */
/* Interrupt files: see imsic.h. */
#include "cpu/imsic.h"

#include "cpu/hart.h"

void imsic_reset(struct imsic_file *file)
{
    for (unsigned w = 0; w < IMSIC_WORDS; w++) {
        atomic_store(&file->pending[w], 0);
        file->enabled[w] = 0;
    }
    file->delivery = IMSIC_DELIVER_WIRE;
    file->threshold = 0;
    file->seen = 0;
}

unsigned imsic_top(const struct imsic_file *file)
{
    for (unsigned w = 0; w < IMSIC_WORDS; w++) {
        uint64_t bits = atomic_load(&file->pending[w]) & file->enabled[w];
        if (!bits)
            continue;
        unsigned identity = 64 * w + (unsigned)__builtin_ctzll(bits);
        return !file->threshold || identity < file->threshold ? identity : 0;
    }
    return 0;
}

void imsic_claim(struct imsic_file *file, unsigned identity)
{
    atomic_fetch_and(&file->pending[identity / 64], ~(UINT64_C(1) << identity % 64));
}

static bool is_up(const struct imsic_file *file, bool wire)
{
    switch (file->delivery) {
    case IMSIC_DELIVER_FILE:
        return imsic_top(file);
    case IMSIC_DELIVER_WIRE:
        return wire;
    default:
        return false;
    }
}

uint64_t imsic_deliver(const struct imsic_file files[IMSIC_FILES], uint64_t wires)
{
    const uint64_t mei = 1ull << IRQ_MEI, sei = 1ull << IRQ_SEI;
    uint64_t bits = wires & ~(mei | sei);
    if (is_up(&files[IMSIC_M], wires & mei))
        bits |= mei;
    if (is_up(&files[IMSIC_S], wires & sei))
        bits |= sei;
    return bits;
}

void hart_message(struct hart *h, enum imsic_level level, uint32_t identity)
{
    if (!identity || identity > IMSIC_IDENTITIES)
        return;
    const uint64_t bit = UINT64_C(1) << identity % 64;
    if (!(atomic_fetch_or(&h->imsic[level].pending[identity / 64], bit) & bit))
        hart_kick(h, HART_EV_IRQ);
}
