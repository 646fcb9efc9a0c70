/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Built-in SBI: hart state management, system reset.
 */
#include "machine/machine.h"
#include "machine/sbi.h"

enum { SUSPEND_RETENTIVE = 0, SUSPEND_NON_RETENTIVE = 0x80000000u };

static struct sbi_result hart_start(struct machine *m, const uint64_t *arg)
{
    if (arg[0] >= m->hart_count)
        return (struct sbi_result){SBI_ERR_INVALID_PARAM, 0};
    if (!bus_is_ram(&m->bus, arg[1], 2) || arg[1] & 1)
        return (struct sbi_result){SBI_ERR_INVALID_ADDRESS, 0};
    if (!machine_start_hart(m, (unsigned)arg[0], arg[1], arg[2]))
        return (struct sbi_result){SBI_ERR_ALREADY_AVAILABLE, 0};
    return (struct sbi_result){SBI_SUCCESS, 0};
}

static struct sbi_result hart_suspend(struct machine *m, struct hart *h, const uint64_t *arg)
{
    struct machine_hart *mh = &m->harts[h->id];
    if (arg[0] != SUSPEND_RETENTIVE && arg[0] != SUSPEND_NON_RETENTIVE) {
        /* Platform-specific types lie above each default one; the rest is reserved. */
        bool platform = (arg[0] & 0x7fffffff) >= 0x10000000 && arg[0] <= UINT32_MAX;
        return (struct sbi_result){platform ? SBI_ERR_NOT_SUPPORTED : SBI_ERR_INVALID_PARAM, 0};
    }
    bool keeps = arg[0] == SUSPEND_RETENTIVE;
    if (!keeps && (!bus_is_ram(&m->bus, arg[1], 2) || arg[1] & 1))
        return (struct sbi_result){SBI_ERR_INVALID_ADDRESS, 0};
    atomic_store(&mh->hsm, HSM_SUSPENDED);
    /* A fence wakes it too early; so may a hold of the machine, which the specification allows. */
    while (!hart_irq_pending(h) && !(atomic_load(&h->events) & HART_EV_STOP))
        hart_wait(h);
    atomic_store(&mh->hsm, HSM_STARTED);
    if (keeps)
        return (struct sbi_result){SBI_SUCCESS, 0};
    /* The interrupt that woke it stays enabled and pending, or the kernel would not know it. */
    uint64_t mie = h->csr.mie;
    uint64_t soft = atomic_load(&h->mip_soft);
    uint64_t timer = atomic_load(&h->csr.stimecmp);
    sbi_enter_supervisor(m, h, arg[1], arg[2]);
    h->csr.mie = mie;
    hart_raise_soft(h, soft);
    csr_set_stimecmp(h, timer);
    return (struct sbi_result){SBI_ENTERED, 0};
}

struct sbi_result sbi_hsm(struct machine *m, struct hart *h, uint64_t function, const uint64_t *arg)
{
    switch (function) {
    case 0:
        return hart_start(m, arg);
    case 1:
        machine_stop_hart(m, h);
        return (struct sbi_result){SBI_SUCCESS, 0};
    case 2:
        if (arg[0] >= m->hart_count)
            return (struct sbi_result){SBI_ERR_INVALID_PARAM, 0};
        return (struct sbi_result){SBI_SUCCESS, atomic_load(&m->harts[arg[0]].hsm)};
    case 3:
        return hart_suspend(m, h, arg);
    default:
        return (struct sbi_result){SBI_ERR_NOT_SUPPORTED, 0};
    }
}

struct sbi_result sbi_srst(struct machine *m, struct hart *h, uint64_t function,
                           const uint64_t *arg)
{
    enum { SHUTDOWN, COLD_REBOOT, WARM_REBOOT };
    enum { NO_REASON, SYSTEM_FAILURE };
    (void)h;
    if (function != 0)
        return (struct sbi_result){SBI_ERR_NOT_SUPPORTED, 0};
    if (arg[0] > WARM_REBOOT || arg[1] > SYSTEM_FAILURE)
        return (struct sbi_result){SBI_ERR_INVALID_PARAM, 0};
    if (arg[0] == SHUTDOWN)
        machine_request(m, MACHINE_POWEROFF, arg[1] == SYSTEM_FAILURE);
    else
        machine_request(m, MACHINE_RESET, 0);
    return (struct sbi_result){SBI_SUCCESS, 0};
}
