/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From sources to harts: when a source is pending, and who is told by a wire or a message. See
 * aplic_domain.h.
 */
#include "dev/aplic_domain.h"

void domain_send(struct domain *d, uint32_t target)
{
    const struct hart_wires *w = &d->aplic->wires;
    unsigned hart = target >> TARGET_HART_SHIFT;
    if (hart < w->count)
        w->message(w->ctx, hart, d->is_root ? IMSIC_M : IMSIC_S, target & TARGET_EIID);
}

static void send_due(struct domain *d)
{
    for (unsigned w = 0; w < APLIC_WORDS; w++) {
        uint32_t due = d->pending[w] & d->enabled[w];
        d->pending[w] &= ~due;
        for (; due; due &= due - 1)
            domain_send(d, d->target[32 * w + (unsigned)__builtin_ctz(due)]);
    }
}

/* topi (4.8.1.4): the source that goes first for that hart, 0 for none. */
uint32_t domain_top(const struct domain *d, unsigned hart)
{
    unsigned best = 0, priority = d->idc[hart].ithreshold;
    if (!priority)
        priority = APLIC_PRIORITY_MAX + 1;
    for (unsigned w = 0; w < APLIC_WORDS; w++) {
        for (uint32_t bits = d->pending[w] & d->enabled[w]; bits; bits &= bits - 1) {
            unsigned source = 32 * w + (unsigned)__builtin_ctz(bits);
            if (hart_of(d, source) == hart && priority_of(d, source) < priority) {
                best = source;
                priority = priority_of(d, source);
            }
        }
    }
    return best ? best << 16 | priority : 0;
}

void domain_set_wires(struct domain *d)
{
    const struct hart_wires *w = &d->aplic->wires;
    const uint64_t bit = d->is_root ? 1u << IRQ_MEI : 1u << IRQ_SEI;
    bool enabled = d->domaincfg & DOMAINCFG_IE && !by_messages(d);
    for (unsigned hart = 0; hart < w->count; hart++) {
        const struct idc *idc = &d->idc[hart];
        bool up = enabled && idc->idelivery && (idc->iforce || domain_top(d, hart));
        w->set(w->ctx, hart, bit, up);
    }
}

void domain_update(struct domain *d)
{
    if (!by_messages(d))
        domain_set_wires(d);
    else if (d->domaincfg & DOMAINCFG_IE)
        send_due(d);
}

/*
 * Pending bits: 4.7, "Precise effects on interrupt-pending bits"
 */

void domain_set_pending(struct domain *d, unsigned source)
{
    unsigned mode = mode_of(d, source);
    if (mode == SM_INACTIVE || (is_level(mode) && (!by_messages(d) || !input_of(d, source))))
        return;
    set_bit(d->pending, source, true);
}

void domain_clear_pending(struct domain *d, unsigned source)
{
    if (!is_level(mode_of(d, source)) || by_messages(d))
        set_bit(d->pending, source, false);
}

void domain_input_changed(struct domain *d, unsigned source)
{
    bool input = input_of(d, source);
    if (input)
        set_bit(d->pending, source, true);
    else if (is_level(mode_of(d, source)))
        set_bit(d->pending, source, false);
}

void domain_deactivate(struct domain *d, unsigned source)
{
    d->sourcecfg[source] = SM_INACTIVE;
    d->target[source] = 0;
    set_bit(d->pending, source, false);
    set_bit(d->enabled, source, false);
}
