/* SPDX-License-Identifier: MPL-2.0 */
/* Traps: entry to and return from handlers (privileged specification, "Trap Entry", "xRET"). */
#include "cpu/hart.h"
#include "cpu/irq.h"
#include "cpu/mem.h"
#include <inttypes.h>

static void set_priv(struct hart *h, unsigned priv)
{
    h->priv = (uint8_t)priv;
    tlb_context_changed(h);
}

/* Puts `set` in place of the bits `clear` of mstatus. */
static void change_status(struct hart *h, uint64_t clear, uint64_t set)
{
    h->csr.mstatus = (h->csr.mstatus & ~clear) | set;
}

/* Vectored mode moves interrupts only. */
static uint64_t handler(uint64_t tvec, unsigned cause, bool interrupt)
{
    return (tvec & ~3ull) + (interrupt && tvec & 1 ? 4 * cause : 0);
}

static void enter(struct hart *h, unsigned cause, bool interrupt, uint64_t tval)
{
    struct csr_file *c = &h->csr;
    uint64_t deleg = interrupt ? c->mideleg : c->medeleg;
    bool to_s = h->priv <= PRIV_S && deleg >> cause & 1;
    uint64_t code = cause | (uint64_t)interrupt << (h->xlen - 1);
    uint64_t status = c->mstatus;
    uint64_t from = h->priv;

    counters_sync(h);
    if (h->xlen == 32)
        tval = (uint32_t)tval;
    if (to_s) {
        c->scause = code;
        c->sepc = h->pc;
        c->stval = tval;
        change_status(h, MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP,
                      (status & MSTATUS_SIE ? MSTATUS_SPIE : 0) | (from ? MSTATUS_SPP : 0));
        h->pc = handler(c->stvec, cause, interrupt);
    } else {
        c->mcause = code;
        c->mepc = h->pc;
        c->mtval = tval;
        change_status(h, MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP,
                      (status & MSTATUS_MIE ? MSTATUS_MPIE : 0) | from << MSTATUS_MPP_SHIFT);
        h->pc = handler(c->mtvec, cause, interrupt);
    }
    if (h->xlen == 32)
        h->pc = (uint32_t)h->pc;
    set_priv(h, to_s ? PRIV_S : PRIV_M);
}

/*
 * A trap on the first instruction of its own handler comes back for ever. It is what becomes of a file
 * that is no program, so the user is told, once: nothing else would be seen of it.
 */
static void tell_endless_trap(struct hart *h, unsigned cause)
{
    h->told_endless_trap = true;
    log_line(h->log, LOG_WARN,
             "hart %u: its trap handler at 0x%" PRIx64
             " traps itself, without end (cause %u): is what it "
             "runs a program for this machine?",
             h->id, h->pc, cause);
}

void hart_trap(struct hart *h, unsigned cause, uint64_t tval)
{
    if (h->direct) {
        direct_trap(h, cause, tval);
        return;
    }
    if (unlikely(cause == CAUSE_DEBUG)) {
        debug_stop_hart(h, h->stop.kind, h->stop.va);
        return;
    }
    const uint64_t pc = h->pc;
    const unsigned priv = h->priv;
    enter(h, cause, false, tval);
    if (h->pc == pc && h->priv == priv && !h->told_endless_trap)
        tell_endless_trap(h, cause);
}

bool hart_take_interrupt(struct hart *h)
{
    /* First the bit, then the inputs: see irq.c. */
    atomic_fetch_and(&h->events, ~(uint32_t)HART_EV_IRQ);
    counters_sync(h);
    int cause = irq_choose(h);
    if (cause < 0)
        return false;
    enter(h, (unsigned)cause, true, 0);
    irq_recheck(h); /* M-mode's may come on top of S-mode's at once */
    return true;
}

/* The common end of mret and sret. A reservation does not live through a return. */
static void leave(struct hart *h, unsigned priv, uint64_t pc)
{
    counters_sync_after(h);
    h->reservation = NO_RESERVATION;
    h->pc = pc;
    set_priv(h, priv);
    irq_recheck(h);
}

bool hart_mret(struct hart *h)
{
    uint64_t status = h->csr.mstatus;
    unsigned priv = (status & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT;

    if (h->priv != PRIV_M)
        return false;
    change_status(h, MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP | (priv < PRIV_M ? MSTATUS_MPRV : 0),
                  (status & MSTATUS_MPIE ? MSTATUS_MIE : 0) | MSTATUS_MPIE);
    leave(h, priv, h->csr.mepc);
    return true;
}

bool hart_sret(struct hart *h)
{
    uint64_t status = h->csr.mstatus;

    if (h->priv == PRIV_U || (h->priv == PRIV_S && status & MSTATUS_TSR))
        return false;
    change_status(h, MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_MPRV,
                  (status & MSTATUS_SPIE ? MSTATUS_SIE : 0) | MSTATUS_SPIE);
    leave(h, status & MSTATUS_SPP ? PRIV_S : PRIV_U, h->csr.sepc);
    return true;
}
