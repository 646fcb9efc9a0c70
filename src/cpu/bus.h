/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a hart sees of the machine around it. The machine fills one of these for all its harts;
 * callbacks run on the calling hart's thread and must be safe against each other.
 */
#ifndef RVVM_CPU_BUS_H
#define RVVM_CPU_BUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hart;
struct code_map;

struct bus {
    void *ctx; /* first argument of every callback */

    /* Main memory, one piece: reached by pointer. Page aligned, as are base and size. */
    uint8_t *ram;
    uint64_t ram_base;
    uint64_t ram_size;

    /*
     * A device that harts fetch code from by pointer: flash that is run in place. Loads and stores go
     * to the device all the same, which may answer loads with something else for a while. Page
     * aligned; the bytes lie behind main memory's, so that code has one measure of its place.
     * size 0: none.
     */
    struct {
        uint8_t *bytes;
        uint64_t base, size;
    } rom;

    /* Where translated code was made from; NULL: nothing is translated. */
    struct code_map *code_map;

    /*
     * How often each BUS_CHUNK of main memory has been looked up by a hart that did not know its page;
     * NULL: nobody asks. When it is BUS_WARM times, `warm` is told, once.
     */
    _Atomic uint8_t *heat;
    void (*warm)(void *ctx, uint64_t offset);

    /* All else. size is 1, 2, 4 or 8 and paddr is a multiple of it. false: access fault. */
    bool (*read)(void *ctx, uint64_t paddr, unsigned size, uint64_t *value);
    bool (*write)(void *ctx, uint64_t paddr, unsigned size, uint64_t value);

    /* The machine's mtime, in ticks of the timebase. */
    uint64_t (*time)(void *ctx);

    /* stimecmp (Sstc) of this hart was set: call hart_stimer_expired() once time reaches `when`.
     * Each call replaces the last one; UINT64_MAX means never. */
    void (*set_stimer)(void *ctx, unsigned hart_id, uint64_t when);

    /* Built-in SBI: ecall from S-mode, arguments and results in h->x. NULL: a trap to M-mode. */
    void (*sbi_call)(void *ctx, struct hart *h);

    /* Random bytes for the seed CSR. */
    void (*entropy)(void *ctx, void *bytes, size_t size);
};

/* Callbacks for a bus that has no devices or no timers, and random bytes of the host's. */
bool bus_no_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value);
bool bus_no_write(void *ctx, uint64_t paddr, unsigned size, uint64_t value);
void bus_no_stimer(void *ctx, unsigned hart_id, uint64_t when);
void bus_host_entropy(void *ctx, void *bytes, size_t size);

#define BUS_CHUNK (2u << 20)
#define BUS_WARM 32

static inline void bus_note_use(const struct bus *bus, uint64_t offset)
{
    if (!bus->heat)
        return;
    _Atomic uint8_t *heat = &bus->heat[offset / BUS_CHUNK];
    uint8_t times = atomic_load_explicit(heat, memory_order_relaxed);
    if (times >= BUS_WARM)
        return;
    /* Two harts may count as one, or tell twice: no harm. */
    atomic_store_explicit(heat, times + 1, memory_order_relaxed);
    if (times + 1 == BUS_WARM)
        bus->warm(bus->ctx, offset - offset % BUS_CHUNK);
}

static inline bool bus_is_ram(const struct bus *bus, uint64_t paddr, uint64_t size)
{
    uint64_t offset = paddr - bus->ram_base;
    return offset < bus->ram_size && size <= bus->ram_size - offset;
}

/* What is fetched at that address of the rom; NULL: it is not there. */
static inline uint8_t *bus_rom(const struct bus *bus, uint64_t paddr)
{
    uint64_t offset = paddr - bus->rom.base;
    return offset < bus->rom.size ? bus->rom.bytes + offset : NULL;
}

/* Bytes from bus.ram on that code may lie in. */
static inline uint64_t bus_code_span(const struct bus *bus)
{
    return bus->rom.size ? (uint64_t)(bus->rom.bytes - bus->ram) + bus->rom.size : bus->ram_size;
}

#endif
