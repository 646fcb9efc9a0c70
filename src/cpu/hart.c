/* SPDX-License-Identifier: MPL-2.0 */
/* Making a hart and running it. */
#include "cpu/hart.h"

#include "cpu/code.h"
#include "host/aligned.h"
#include <stdlib.h>
#include <string.h>

struct hart *hart_new(const struct hart_config *config, struct error *err)
{
    struct hart *h = aligned_new(64, sizeof(*h));
    if (!h) {
        error_set(err, "hart %u: out of memory", config->id);
        return NULL;
    }
    memset(h, 0, sizeof(*h));
    h->id = config->id;
    h->isa = config->isa;
    h->bus = config->bus;
    h->log = config->log;
    h->xlen = config->isa.xlen;
    h->pc_misaligned = isa_has(&h->isa, EXT_ZCA) ? 0 : 2;
    h->asleep = true;
    h->direct = config->direct;
    h->owner = config->owner;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->wake, NULL);
    if (!tlb_new(h)) {
        error_set(err, "hart %u: out of memory for its TLB", config->id);
        hart_free(h);
        return NULL;
    }
    if (!code_new(h, err)) {
        hart_free(h);
        return NULL;
    }
    if (h->direct)
        direct_reset(h);
    else
        hart_reset(h, 0, 0, 0);
    return h;
}

void hart_free(struct hart *h)
{
    if (!h)
        return;
    code_free(h);
    tlb_free(h);
    pthread_cond_destroy(&h->wake);
    pthread_mutex_destroy(&h->lock);
    aligned_free(h);
}

void hart_reset(struct hart *h, uint64_t pc, uint64_t a0, uint64_t a1)
{
    memset(h->x, 0, sizeof(h->x));
    memset(h->f, 0, sizeof(h->f));
    h->fp.flags = 0;
    h->frm = 0;
    h->fault = 0;
    h->stop.kind = DEBUG_NONE;
    h->told_endless_trap = false;
    h->priv = PRIV_M;
    h->instret = 0;
    h->reservation = NO_RESERVATION;
    atomic_store(&h->mip_soft, 0);
    h->block = NULL;
    csr_reset(h);
    h->pc = pc;
    h->x[10] = a0;
    h->x[11] = a1;
    tlb_flush(h);
    code_flush(h);
}

void hart_stop(struct hart *h)
{
    hart_kick(h, HART_EV_STOP);
}

bool hart_serve_requests(struct hart *h, uint32_t events)
{
    if (events & HART_EV_FENCE)
        hart_serve_fences(h);
    if (events & HART_EV_STOP) {
        atomic_fetch_and(&h->events, ~(uint32_t)HART_EV_STOP);
        return false;
    }
    if (events & HART_EV_SAMPLE) {
        atomic_fetch_and(&h->events, ~(uint32_t)HART_EV_SAMPLE);
        if (h->engine.sample)
            h->engine.sample(h->engine.ctx, h);
    }
    return true;
}

/* Serves what hart.events says. false: hart_run shall return. */
static bool serve_events(struct hart *h)
{
    uint32_t events = atomic_load(&h->events);
    if (!hart_serve_requests(h, events))
        return false;
    if (events & HART_EV_IRQ && h->holds_interrupts)
        atomic_fetch_and(&h->events, ~(uint32_t)HART_EV_IRQ); /* hart_run asks again */
    else if (events & HART_EV_IRQ)
        hart_take_interrupt(h);
    return true;
}

void hart_step(struct hart *h)
{
    hart_set_running(h, true);
    tlb_context_changed(h);
    atomic_fetch_or(&h->events, HART_EV_STOP); /* what waits comes back at once */
    code_step_one(h);
    atomic_fetch_and(&h->events, ~(uint32_t)HART_EV_STOP);
    hart_set_running(h, false);
}

void hart_run(struct hart *h)
{
    hart_set_running(h, true);
    tlb_context_changed(h);
    atomic_fetch_or(&h->events, HART_EV_IRQ); /* what came while it did not run */
    for (;;) {
        if (atomic_load_explicit(&h->events, memory_order_relaxed) && !serve_events(h))
            break;
        if (h->engine.run)
            h->engine.run(h->engine.ctx, h);
        else
            code_run(h);
    }
    hart_set_running(h, false);
}
