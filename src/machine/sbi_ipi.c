/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Built-in SBI: timer, inter-processor interrupts, remote fences. IPIs and fences go to the harts
 * that are named and to no others.
 */
#include "machine/machine.h"
#include "machine/sbi.h"

/* Harts that (mask, base) names, as a mask from hart 0. false: one of them does not exist. */
static bool named_harts(const struct machine *m, const struct hart *h, uint64_t mask, uint64_t base,
                        uint64_t *harts)
{
    uint64_t all = m->hart_count == 64 ? UINT64_MAX : (1ull << m->hart_count) - 1;
    *harts = all;
    if (base == sbi_all_ones(h))
        return true;
    if (base >= m->hart_count || (mask << base) >> base != mask)
        return false;
    *harts = mask << base;
    return !(*harts & ~all);
}

void sbi_set_timer(struct machine *m, struct hart *h, uint64_t when)
{
    sbi_pmu_count(&m->harts[h->id].pmu, SBI_FW_SET_TIMER);
    csr_set_stimecmp(h, when);
}

bool sbi_send_ipi(struct machine *m, struct hart *h, uint64_t mask, uint64_t base)
{
    uint64_t harts;
    if (!named_harts(m, h, mask, base, &harts))
        return false;
    for (unsigned i = 0; i < m->hart_count; i++) {
        unsigned state = atomic_load(&m->harts[i].hsm);
        if (!(harts >> i & 1) || state == HSM_STOPPED || state == HSM_START_PENDING)
            continue;
        hart_raise_soft(m->harts[i].hart, 1 << IRQ_SSI);
        sbi_pmu_count(&m->harts[h->id].pmu, SBI_FW_IPI_SENT);
    }
    return true;
}

bool sbi_remote_fence(struct machine *m, struct hart *h, const struct hart_pages *pages,
                      uint64_t mask, uint64_t base)
{
    uint64_t harts;
    uint32_t ticket[MACHINE_HARTS_MAX];
    if (!named_harts(m, h, mask, base, &harts))
        return false;
    /* All are asked before one is waited for. A hart that rests fences before it goes on. */
    for (unsigned i = 0; i < m->hart_count; i++)
        if (harts >> i & 1)
            ticket[i] = pages ? hart_fence_ask_pages(m->harts[i].hart, pages)
                              : hart_fence_ask(m->harts[i].hart, HART_FENCE_FETCH);
    for (unsigned i = 0; i < m->hart_count; i++)
        if (harts >> i & 1)
            hart_fence_wait(m->harts[i].hart, ticket[i], h);
    return true;
}

struct sbi_result sbi_time(struct machine *m, struct hart *h, uint64_t function,
                           const uint64_t *arg)
{
    if (function != 0)
        return (struct sbi_result){SBI_ERR_NOT_SUPPORTED, 0};
    sbi_set_timer(m, h, h->xlen == 32 ? arg[1] << 32 | arg[0] : arg[0]);
    return (struct sbi_result){SBI_SUCCESS, 0};
}

struct sbi_result sbi_ipi(struct machine *m, struct hart *h, uint64_t function, const uint64_t *arg)
{
    if (function != 0)
        return (struct sbi_result){SBI_ERR_NOT_SUPPORTED, 0};
    bool done = sbi_send_ipi(m, h, arg[0], arg[1]);
    return (struct sbi_result){done ? SBI_SUCCESS : SBI_ERR_INVALID_PARAM, 0};
}

struct sbi_result sbi_rfence(struct machine *m, struct hart *h, uint64_t function,
                             const uint64_t *arg)
{
    /* 0: FENCE.I, 1: SFENCE.VMA, 2: the same with an ASID. The rest is the hypervisor's. */
    if (function > 2)
        return (struct sbi_result){SBI_ERR_NOT_SUPPORTED, 0};
    sbi_pmu_count(&m->harts[h->id].pmu, function ? SBI_FW_SFENCE_VMA_SENT : SBI_FW_FENCE_I_SENT);
    /* A size of 0 or of all ones means all addresses. */
    struct hart_pages pages = {
        .va = arg[2],
        .size = arg[3] == sbi_all_ones(h) ? 0 : arg[3],
        .has_asid = function == 2,
        .asid = arg[4],
    };
    bool done = sbi_remote_fence(m, h, function ? &pages : NULL, arg[0], arg[1]);
    return (struct sbi_result){done ? SBI_SUCCESS : SBI_ERR_INVALID_PARAM, 0};
}
