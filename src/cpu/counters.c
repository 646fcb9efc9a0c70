/* SPDX-License-Identifier: MPL-2.0 */
/* Performance counters: see counters.h. */
#include "cpu/counters.h"
#include "cpu/hart.h"

/* Counters 0 (cycle) and 2 (instret) are kept as offsets from hart.instret unless inhibited. */
static bool is_fixed(unsigned n)
{
    return n == 0 || n == 2;
}

static bool is_programmable(const struct hart *h, unsigned n)
{
    return n >= COUNTER_HPM_FIRST && n <= COUNTER_HPM_LAST && isa_has(&h->isa, EXT_ZIHPM);
}

static bool is_inhibited(const struct counters *c, unsigned n)
{
    return c->inhibit >> n & 1;
}

/* The count after the running instruction: a write, or a change of what counts, applies from it. */
static uint64_t next_instret(const struct hart *h)
{
    return h->instret + 1;
}

static void choose_active(struct hart *h)
{
    struct counters *c = &h->csr.counters;

    c->active = 0;
    for (unsigned n = COUNTER_HPM_FIRST; n <= COUNTER_HPM_LAST; n++) {
        uint64_t select = c->event[n] & MHPMEVENT_SELECT;
        if (select == COUNTER_EVENT_CYCLES || select == COUNTER_EVENT_INSTRUCTIONS)
            c->active |= (uint32_t)!is_inhibited(c, n) << n;
    }
}

void counters_reset(struct hart *h)
{
    struct counters *c = &h->csr.counters;

    *c = (struct counters){.synced = h->instret};
    c->value[0] = c->value[2] = 0 - h->instret;
}

static void sync_to(struct hart *h, uint64_t now)
{
    struct counters *c = &h->csr.counters;
    uint64_t passed = now - c->synced;
    uint64_t inhibited_here = h->priv == PRIV_M   ? MHPMEVENT_MINH
                              : h->priv == PRIV_S ? MHPMEVENT_SINH
                                                  : MHPMEVENT_UINH;
    bool overflow = false;

    /* Synced already past an instruction that was to retire and did not: nothing to take back. */
    if ((int64_t)passed <= 0)
        return;
    c->synced = now;
    for (uint32_t left = c->active; left; left &= left - 1) {
        unsigned n = (unsigned)__builtin_ctz(left);
        if (c->event[n] & inhibited_here)
            continue;
        bool carry = __builtin_add_overflow(c->value[n], passed, &c->value[n]);
        if (carry && isa_has(&h->isa, EXT_SSCOFPMF) && !(c->event[n] & MHPMEVENT_OF)) {
            c->event[n] |= MHPMEVENT_OF;
            overflow = true;
        }
    }
    if (overflow)
        hart_raise_soft(h, 1ull << IRQ_LCOFI);
}

void counters_sync(struct hart *h)
{
    if (h->csr.counters.active)
        sync_to(h, h->instret);
}

void counters_sync_after(struct hart *h)
{
    if (h->csr.counters.active)
        sync_to(h, next_instret(h));
}

uint64_t counters_read(struct hart *h, unsigned n)
{
    struct counters *c = &h->csr.counters;

    if (is_fixed(n))
        return is_inhibited(c, n) ? c->value[n] : c->value[n] + h->instret;
    if (!is_programmable(h, n))
        return 0;
    counters_sync(h);
    return c->value[n];
}

void counters_write(struct hart *h, unsigned n, uint64_t value)
{
    struct counters *c = &h->csr.counters;

    if (is_fixed(n)) {
        c->value[n] = is_inhibited(c, n) ? value : value - next_instret(h);
    } else if (is_programmable(h, n)) {
        counters_sync_after(h);
        c->value[n] = value;
    }
}

void counters_write_event(struct hart *h, unsigned n, uint64_t value)
{
    struct counters *c = &h->csr.counters;

    if (!is_programmable(h, n))
        return;
    if (isa_has(&h->isa, EXT_SSCOFPMF))
        value &= MHPMEVENT_SELECT | MHPMEVENT_OF | MHPMEVENT_MINH | MHPMEVENT_SINH | MHPMEVENT_UINH;
    else
        value &= h->xlen == 32 ? 0xffffffffull : MHPMEVENT_SELECT;
    counters_sync_after(h);
    c->event[n] = value;
    choose_active(h);
    c->synced = next_instret(h);
}

void counters_write_inhibit(struct hart *h, uint64_t value)
{
    struct counters *c = &h->csr.counters;
    uint64_t changed;

    value &= isa_has(&h->isa, EXT_ZIHPM) ? 5u | COUNTER_HPM_MASK : 5u;
    changed = c->inhibit ^ value;
    counters_sync_after(h);
    for (unsigned n = 0; n <= 2; n += 2) {
        if (changed >> n & 1)
            c->value[n] += value >> n & 1 ? next_instret(h) : 0 - next_instret(h);
    }
    c->inhibit = value;
    choose_active(h);
    c->synced = next_instret(h);
}

uint32_t counters_overflowed(const struct hart *h)
{
    uint32_t overflowed = 0;

    for (unsigned n = COUNTER_HPM_FIRST; n <= COUNTER_HPM_LAST; n++)
        overflowed |= (uint32_t)(h->csr.counters.event[n] >> 63) << n;
    return overflowed;
}
