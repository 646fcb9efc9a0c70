/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What comes to a hart from other threads: interrupts, kicks, fences; and its sleep.
 *
 * A thread that changes an input changes it first and then kicks. The hart clears its event bit
 * first and then looks at the inputs, and looks once more, under its lock, before it sleeps. So no
 * change goes unseen. All of this is sequentially consistent; none of it is in a hot path.
 */
#include "cpu/irq.h"
#include "cpu/code.h"

#include <string.h>

#define SOFT_BITS (1ull << IRQ_SSI | 1ull << IRQ_STI | 1ull << IRQ_SEI | 1ull << IRQ_LCOFI)

#define FENCE_PAGES_EACH 32 /* more pages: all of them */
#define FENCE_SPINS 2000    /* a fence is mostly served within a block's time */

/*
 * Interrupts
 */

uint64_t hart_mip(const struct hart *h)
{
    uint64_t lines = atomic_load(&h->irq_lines);
    uint64_t soft = atomic_load(&h->mip_soft);

    /* STIP is the wire from stimecmp, or a bit that M-mode writes, as menvcfg says. */
    if (h->csr.menvcfg & MENVCFG_STCE)
        soft &= ~(1ull << IRQ_STI);
    else
        lines &= ~(1ull << IRQ_STI);
    if (isa_has(&h->isa, EXT_SMAIA) || isa_has(&h->isa, EXT_SSAIA))
        lines = imsic_deliver(h->imsic, lines);
    return lines | soft;
}

bool hart_irq_pending(const struct hart *h)
{
    return hart_mip(h) & h->csr.mie;
}

int irq_highest(uint64_t pending)
{
    static const uint8_t order[] = {IRQ_MEI, IRQ_MSI, IRQ_MTI,  IRQ_SEI,
                                    IRQ_SSI, IRQ_STI, IRQ_LCOFI};

    for (unsigned i = 0; i < sizeof order; i++)
        if (pending >> order[i] & 1)
            return order[i];
    return -1;
}

int irq_choose(const struct hart *h)
{
    uint64_t pending = hart_mip(h) & h->csr.mie;
    uint64_t machine = pending & ~h->csr.mideleg;
    uint64_t supervisor = pending & h->csr.mideleg;

    if (machine && (h->priv < PRIV_M || h->csr.mstatus & MSTATUS_MIE))
        return irq_highest(machine);
    if (supervisor && (h->priv < PRIV_S || (h->priv == PRIV_S && h->csr.mstatus & MSTATUS_SIE)))
        return irq_highest(supervisor);
    return -1;
}

bool irq_recheck(struct hart *h)
{
    if (irq_choose(h) < 0)
        return false;
    atomic_fetch_or(&h->events, HART_EV_IRQ);
    return true;
}

void hart_set_irq(struct hart *h, uint64_t bits, bool level)
{
    if (!level) {
        atomic_fetch_and(&h->irq_lines, ~bits);
    } else if (bits & ~atomic_fetch_or(&h->irq_lines, bits)) {
        hart_kick(h, HART_EV_IRQ);
    }
}

void hart_raise_soft(struct hart *h, uint64_t bits)
{
    bits &= SOFT_BITS;
    if (bits & ~atomic_fetch_or(&h->mip_soft, bits))
        hart_kick(h, HART_EV_IRQ);
}

/*
 * The supervisor timer
 */

/* Under h->lock. Makes the STI wire what the comparison says; true when it rose. */
static bool compare_time(struct hart *h)
{
    const uint64_t sti = 1ull << IRQ_STI;

    if (h->bus->time(h->bus->ctx) >= atomic_load(&h->csr.stimecmp))
        return !(atomic_fetch_or(&h->irq_lines, sti) & sti);
    atomic_fetch_and(&h->irq_lines, ~sti);
    return false;
}

void hart_stimer_expired(struct hart *h)
{
    pthread_mutex_lock(&h->lock);
    bool rose = compare_time(h);
    pthread_mutex_unlock(&h->lock);
    if (rose)
        hart_kick(h, HART_EV_IRQ);
}

void csr_set_stimecmp(struct hart *h, uint64_t when)
{
    /* The lock keeps a timer that expires now for the old value from raising the wire after us.
     * The machine's timer has a lock of its own, so it is told with ours released. */
    pthread_mutex_lock(&h->lock);
    atomic_store(&h->csr.stimecmp, when);
    compare_time(h);
    bool reached = atomic_load(&h->irq_lines) >> IRQ_STI & 1;
    pthread_mutex_unlock(&h->lock);
    h->bus->set_stimer(h->bus->ctx, h->id, reached ? UINT64_MAX : when);
    irq_recheck(h);
}

/*
 * Kicks and sleep
 */

/* h->wake has two kinds of waiters, the hart and those that wait for its fence: wake all. */
static void set_asleep(struct hart *h, bool asleep)
{
    pthread_mutex_lock(&h->lock);
    h->asleep = asleep;
    pthread_cond_broadcast(&h->wake);
    pthread_mutex_unlock(&h->lock);
}

void hart_kick(struct hart *h, uint32_t events)
{
    atomic_fetch_or(&h->events, events);
    pthread_mutex_lock(&h->lock);
    if (h->asleep)
        pthread_cond_broadcast(&h->wake);
    pthread_mutex_unlock(&h->lock);
}

void hart_wait(struct hart *h)
{
    pthread_mutex_lock(&h->lock);
    h->asleep = true;
    pthread_cond_broadcast(&h->wake);
    while (!hart_irq_pending(h) && !(atomic_load(&h->events) & (HART_EV_STOP | HART_EV_FENCE)))
        pthread_cond_wait(&h->wake, &h->lock);
    h->asleep = false;
    pthread_mutex_unlock(&h->lock);
    hart_serve_fences(h);
}

void hart_set_running(struct hart *h, bool running)
{
    set_asleep(h, !running);
    if (running)
        hart_serve_fences(h);
}

/*
 * Fences
 */

static bool ticket_reached(uint32_t done, uint32_t ticket)
{
    return (int32_t)(done - ticket) >= 0;
}

uint32_t hart_fence_ask(struct hart *h, unsigned kinds)
{
    atomic_fetch_or(&h->fence_kinds, kinds);
    uint32_t ticket = atomic_fetch_add(&h->fence_asked, 1) + 1;

    /* A sleeping hart need not wake for it: it finds the bit when it wakes for another reason. */
    atomic_fetch_or(&h->events, HART_EV_FENCE);
    return ticket;
}

void hart_fence_wait(struct hart *h, uint32_t ticket, struct hart *self)
{
    if (h == self) {
        hart_serve_fences(h);
        return;
    }
    if (ticket_reached(atomic_load(&h->fence_done), ticket))
        return;

    /* While it waits, self runs no guest code: that counts as asleep, and others need not wait. */
    if (self)
        set_asleep(self, true);
    for (unsigned i = 0; i < FENCE_SPINS; i++)
        if (ticket_reached(atomic_load(&h->fence_done), ticket))
            break;
    pthread_mutex_lock(&h->lock);
    while (!h->asleep && !ticket_reached(atomic_load(&h->fence_done), ticket))
        pthread_cond_wait(&h->wake, &h->lock);
    pthread_mutex_unlock(&h->lock);
    if (self)
        hart_set_running(self, true);
}

uint32_t hart_fence_ask_pages(struct hart *h, const struct hart_pages *pages)
{
    unsigned kinds = 0;
    pthread_mutex_lock(&h->lock);
    if (h->fence_pages_count < HART_FENCE_PAGES_MAX)
        h->fence_pages[h->fence_pages_count++] = *pages;
    else
        kinds = HART_FENCE_TLB;
    pthread_mutex_unlock(&h->lock);
    return hart_fence_ask(h, kinds);
}

/* One by one as long as that is less than everything. */
static void fence_pages(struct hart *h, const struct hart_pages *p)
{
    uint64_t first = p->va & PAGE_MASK, end = p->va + p->size;
    if (!p->size || end < p->va || end - first > FENCE_PAGES_EACH * (uint64_t)PAGE_SIZE) {
        tlb_fence(h, false, 0, p->has_asid, p->asid);
        return;
    }
    for (uint64_t va = first; va < end; va += PAGE_SIZE)
        tlb_fence(h, true, va, p->has_asid, p->asid);
}

static void serve_pages(struct hart *h)
{
    struct hart_pages pages[HART_FENCE_PAGES_MAX];
    pthread_mutex_lock(&h->lock);
    unsigned count = h->fence_pages_count;
    memcpy(pages, h->fence_pages, count * sizeof(*pages));
    h->fence_pages_count = 0;
    pthread_mutex_unlock(&h->lock);
    for (unsigned i = 0; i < count; i++)
        fence_pages(h, &pages[i]);
}

void hart_serve_fences(struct hart *h)
{
    /* First the bit, then the count: a request that comes between them sets the bit again. */
    atomic_fetch_and(&h->events, ~(uint32_t)HART_EV_FENCE);
    uint32_t asked = atomic_load(&h->fence_asked);
    if (asked == atomic_load(&h->fence_done))
        return;
    unsigned kinds = atomic_exchange(&h->fence_kinds, 0);
    serve_pages(h);
    if (kinds & HART_FENCE_TLB)
        tlb_flush(h);
    if (kinds & HART_FENCE_FETCH)
        code_fence(h);
    if (kinds & HART_FENCE_JUMPS)
        tlb_forget_code(h);
    pthread_mutex_lock(&h->lock);
    atomic_store(&h->fence_done, asked);
    pthread_cond_broadcast(&h->wake);
    pthread_mutex_unlock(&h->lock);
}
