/* SPDX-License-Identifier: MPL-2.0 */
/* Harts without a machine: how they run, and what becomes of their traps. See direct.h. */
#include "cpu/direct.h"

#include "cpu/code.h"
#include "cpu/exec.h"
#include "cpu/irq.h"
#include <setjmp.h>
#include <string.h>

#define COUNTERS_ALL 7 /* cycle, time, instret */

void direct_reset(struct hart *h)
{
    csr_reset(h);
    h->priv = PRIV_U;
    h->csr.mstatus |= MSTATUS_FS;
    h->csr.mcounteren = h->csr.scounteren = COUNTERS_ALL;
    h->csr.menvcfg |= ENVCFG_CBZE;
    h->csr.senvcfg |= ENVCFG_CBZE;
    h->reservation = NO_RESERVATION;
    h->code_generation = 1;
    h->outside = true;
    h->tlb.data = h->tlb.fetch =
        &h->tlb.contexts[0]; /* for its jumps: nothing else of it is used */
    h->tlb.data->jumps[0].pc =
        TLB_NO_JUMP; /* the others' zeros are no address they could be asked for */
    h->tlb.fetch_stamp = 1;
}

void direct_enter_jump(struct hart *h, uint64_t pc, const void *code)
{
    h->tlb.fetch->jumps[tlb_jump_index(pc)] = (struct tlb_jump){pc, code};
}

void direct_forget_jumps(struct hart *h)
{
    memset(h->tlb.fetch->jumps, 0, sizeof(h->tlb.fetch->jumps));
    h->tlb.fetch->jumps[0].pc = TLB_NO_JUMP;
    tlb_fetch_changed(h);
}

const uint8_t *direct_fetch(struct hart *h, uint64_t va, unsigned size, bool *mixed)
{
    *mixed = unlikely(h->points) && direct_is_lone(h, va);
    enum direct_code code = h->direct->may_run(h, va, size, &h->direct_fault);
    h->code_is_writable = code == DIRECT_WRITABLE;
    if (code != DIRECT_NOT)
        return (const uint8_t *)(uintptr_t)va;
    hart_fault(h, CAUSE_FETCH_PAGE, va);
    return NULL;
}

void direct_see_code(struct hart *h)
{
    uint32_t version = atomic_load(&h->direct->code_version);
    if (version == h->code_version)
        return;
    h->code_version = version;
    code_fence(h);
}

void direct_trap(struct hart *h, unsigned cause, uint64_t tval)
{
    struct direct_fault fault = {.signal = DIRECT_SIGBUS, .code = DIRECT_BUS_ADRALN, .addr = tval};
    h->slot = NULL;
    switch (cause) {
    case CAUSE_ILLEGAL:
        fault = (struct direct_fault){DIRECT_SIGILL, DIRECT_ILL_ILLOPC, h->pc};
        break;
    case CAUSE_BREAKPOINT:
        fault = (struct direct_fault){DIRECT_SIGTRAP, DIRECT_TRAP_BRKPT, h->pc};
        break;
    case CAUSE_FETCH_PAGE:
        fault = h->direct_fault;
        break;
    default: /* misaligned */
        break;
    }
    h->direct->fault(h, &fault);
}

bool direct_fault_in_c(struct hart *h, const struct direct_fault *fault)
{
    if (!h->slot)
        return false;
    h->direct_fault = *fault;
    longjmp(*(jmp_buf *)h->recover, 1);
}

void direct_call(struct hart *h, void (*call)(struct hart *h))
{
    atomic_store(&h->outside, true);
    call(h);
    atomic_store(&h->outside, false);
}

uint64_t direct_operand(const struct hart *h, const struct decoded *d)
{
    switch (insn_info(d->id)->format) {
    case FORMAT_L:
    case FORMAT_S:
    case FORMAT_FL:
    case FORMAT_FS:
        return h->x[d->rs1] + (uint64_t)(int64_t)d->imm;
    default:
        return h->x[d->rs1];
    }
}

uint64_t direct_address(struct hart *h)
{
    struct decoded d;
    uint32_t bits = 0;
    const uint16_t *code = (const uint16_t *)(uintptr_t)h->pc;
    bits = code[0];
    if (insn_length((uint8_t)bits) == 4)
        bits |= (uint32_t)code[1] << 16;
    if (!isa_decode(h->code->decoder, bits, &d))
        return DIRECT_NO_ADDRESS;
    return direct_operand(h, &d);
}

static void give_fault(struct hart *h)
{
    struct direct_fault fault = h->direct_fault;
    if (fault.addr == DIRECT_NO_ADDRESS)
        fault.addr = direct_address(h);
    h->direct->fault(h, &fault);
}

/* An instruction has been taken, or a step into the handler of its fault. What was found meanwhile is told first. */
static void end_step(struct hart *h)
{
    if (h->steps && h->stop.kind == DEBUG_NONE)
        debug_stop_hart(h, DEBUG_STEP, h->pc);
}

static void step(struct hart *h)
{
    code_step_one(h);
    h->slot = NULL;
    end_step(h);
}

/* The instruction in h->slot did not happen. */
static void take_fault(struct hart *h)
{
    h->pc = insn_pc(h, h->slot);
    if (h->xlen == 32)
        h->pc = (uint32_t)h->pc;
    h->slot = NULL;
    atomic_fetch_and(&h->events, ~(uint32_t)HART_EV_STEP);
    give_fault(h);
    end_step(h);
}

/* false: the hart shall stop. */
static bool serve_events(struct hart *h)
{
    uint32_t events = atomic_load(&h->events);
    if (!hart_serve_requests(h, events))
        return false;
    if (events & HART_EV_USER) {
        atomic_fetch_and(&h->events, ~(uint32_t)HART_EV_USER);
        direct_call(h, h->direct->event);
    }
    atomic_fetch_and(&h->events, ~(uint32_t)HART_EV_IRQ);
    return true;
}

void direct_run(struct hart *h)
{
    jmp_buf recover;
    hart_set_running(h, true);
    h->recover = &recover;
    atomic_store(&h->outside, false);
    if (setjmp(recover))
        take_fault(h);
    for (;;) {
        if (atomic_load_explicit(&h->events, memory_order_relaxed) && !serve_events(h))
            break;
        if (unlikely(h->steps))
            step(h);
        else if (h->engine.run)
            h->engine.run(h->engine.ctx, h);
        else
            code_run(h);
    }
    h->recover = NULL;
    atomic_store(&h->outside, true);
    hart_set_running(h, false);
}
