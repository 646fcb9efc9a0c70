/* SPDX-License-Identifier: MPL-2.0 */
/* Page by page, since neighbours need not lie side by side. */
#include "debug/memory.h"

#include "machine/machine.h"
#include <string.h>

/* What one step moves: bytes of one page. host is NULL where there is no memory. */
struct piece {
    uint8_t *host;
    size_t size;
};

static struct piece piece_at(struct machine *m, struct hart *h, uint64_t va, size_t size,
                             bool write)
{
    struct piece piece = {NULL, PAGE_SIZE - (va & ~PAGE_MASK)};
    uint64_t paddr = va;
    if (piece.size > size)
        piece.size = size;
    if (h && !hart_translate(h, va, &paddr))
        return piece;
    if (bus_is_ram(&m->bus, paddr, piece.size))
        piece.host = m->bus.ram + (paddr - m->bus.ram_base);
    else if (!write)
        piece.host = bus_rom(&m->bus, paddr);
    return piece;
}

static uint64_t wrap(const struct hart *h, uint64_t va)
{
    return h && h->xlen == 32 ? (uint32_t)va : va;
}

size_t debug_read(struct machine *m, struct hart *h, uint64_t va, void *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        struct piece piece = piece_at(m, h, wrap(h, va + done), size - done, false);
        if (!piece.host)
            break;
        memcpy((uint8_t *)bytes + done, piece.host, piece.size);
        done += piece.size;
    }
    return done;
}

size_t debug_write(struct machine *m, struct hart *h, uint64_t va, const void *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        struct piece piece = piece_at(m, h, wrap(h, va + done), size - done, true);
        if (!piece.host)
            break;
        memcpy(piece.host, (const uint8_t *)bytes + done, piece.size);
        machine_dma_written(m, piece.host, piece.size);
        done += piece.size;
    }
    /* The guest has not asked for FENCE.I, and is none the wiser that its code is another. */
    for (unsigned i = 0; done && i < m->hart_count; i++)
        hart_fence_ask(m->hart_list[i], HART_FENCE_FETCH);
    return done;
}
