/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Built-in SBI: dispatch, the base extension, the legacy extensions, and the state in which a hart
 * enters S-mode.
 */
#include "machine/sbi.h"

#include "machine/machine.h"

enum {
    SBI_SPEC_VERSION = 2 << 24,
    SBI_IMPL_ID = 0x7276, /* not among those registered */
    SBI_IMPL_VERSION = 1,
};

static sbi_group sbi_base;

static const struct {
    uint32_t id;
    sbi_group *call;
} groups[] = {
    {0x10, sbi_base},         /* base */
    {0x54494d45, sbi_time},   /* "TIME" */
    {0x735049, sbi_ipi},      /* "sPI" */
    {0x52464e43, sbi_rfence}, /* "RFNC" */
    {0x48534d, sbi_hsm},      /* "HSM" */
    {0x53525354, sbi_srst},   /* "SRST" */
    {0x504d55, sbi_pmu},      /* "PMU" */
    {0x4442434e, sbi_dbcn},   /* "DBCN" */
};

#define SBI_LEGACY_LAST 8 /* shutdown */

static sbi_group *find_group(uint64_t id)
{
    for (unsigned i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        if (groups[i].id == id)
            return groups[i].call;
    return NULL;
}

static uint64_t read_csr(struct hart *h, unsigned csr)
{
    /* As M-mode, whose registers these are. */
    unsigned priv = h->priv;
    uint64_t value = 0;
    h->priv = PRIV_M;
    csr_access(h, csr, CSR_SET, 0, true, false, &value);
    h->priv = (uint8_t)priv;
    return value;
}

static struct sbi_result sbi_base(struct machine *m, struct hart *h, uint64_t function,
                                  const uint64_t *arg)
{
    (void)m;
    switch (function) {
    case 0:
        return (struct sbi_result){SBI_SUCCESS, SBI_SPEC_VERSION};
    case 1:
        return (struct sbi_result){SBI_SUCCESS, SBI_IMPL_ID};
    case 2:
        return (struct sbi_result){SBI_SUCCESS, SBI_IMPL_VERSION};
    case 3:
        return (struct sbi_result){SBI_SUCCESS, arg[0] <= SBI_LEGACY_LAST || find_group(arg[0])};
    case 4:
        return (struct sbi_result){SBI_SUCCESS, read_csr(h, CSR_MVENDORID)};
    case 5:
        return (struct sbi_result){SBI_SUCCESS, read_csr(h, CSR_MARCHID)};
    case 6:
        return (struct sbi_result){SBI_SUCCESS, read_csr(h, CSR_MIMPID)};
    default:
        return (struct sbi_result){SBI_ERR_NOT_SUPPORTED, 0};
    }
}

/* Hart masks of the legacy calls lie in memory, at a virtual address; 0 means all. */
static bool legacy_mask(struct hart *h, uint64_t address, uint64_t *mask, uint64_t *base)
{
    *mask = 0;
    *base = address ? 0 : sbi_all_ones(h);
    return !address || hart_peek(h, address, mask, h->xlen / 8);
}

static int64_t legacy_call(struct machine *m, struct hart *h, uint64_t id, const uint64_t *arg)
{
    uint64_t mask, base;
    struct hart_pages pages = {arg[1], arg[2], id == 7, arg[3]};
    switch (id) {
    case 0:
        sbi_set_timer(m, h, h->xlen == 32 ? arg[1] << 32 | arg[0] : arg[0]);
        return 0;
    case 1:
        sbi_put_byte(m, h, (uint8_t)arg[0]);
        return 0;
    case 2:
        return sbi_get_byte(m);
    case 3:
        atomic_fetch_and(&h->mip_soft, ~(1ull << IRQ_SSI));
        return 0;
    case 4:
        if (!legacy_mask(h, arg[0], &mask, &base))
            return SBI_ERR_INVALID_ADDRESS;
        return sbi_send_ipi(m, h, mask, base) ? 0 : SBI_ERR_INVALID_PARAM;
    case 5:
    case 6:
    case 7:
        if (!legacy_mask(h, arg[0], &mask, &base))
            return SBI_ERR_INVALID_ADDRESS;
        return sbi_remote_fence(m, h, id == 5 ? NULL : &pages, mask, base) ? 0
                                                                           : SBI_ERR_INVALID_PARAM;
    default:
        machine_request(m, MACHINE_POWEROFF, 0);
        return 0;
    }
}

/* Registers of an rv32 hart hold their value sign-extended. */
static uint64_t to_register(const struct hart *h, uint64_t value)
{
    return h->xlen == 32 ? (uint64_t)(int64_t)(int32_t)value : value;
}

void sbi_call(void *machine, struct hart *h)
{
    struct machine *m = machine;
    uint64_t width = sbi_all_ones(h);
    uint64_t arg[6], function = h->x[16] & width, id = h->x[17] & width;
    for (unsigned i = 0; i < 6; i++)
        arg[i] = h->x[10 + i] & width;
    if (id <= SBI_LEGACY_LAST) {
        h->x[10] = to_register(h, (uint64_t)legacy_call(m, h, id, arg));
        return;
    }
    sbi_group *call = find_group(id);
    struct sbi_result result = {SBI_ERR_NOT_SUPPORTED, 0};
    if (call)
        result = call(m, h, function, arg);
    if (result.error == SBI_ENTERED)
        return;
    h->x[10] = to_register(h, (uint64_t)(int64_t)result.error);
    h->x[11] = to_register(h, result.value);
}

void sbi_enter_supervisor(struct machine *m, struct hart *h, uint64_t pc, uint64_t arg)
{
    const bool rv32 = h->xlen == 32;
    hart_reset(h, pc, h->id, arg);
    csr_write(h, CSR_MSTATUS, MSTATUS_FS);
    /* No M-mode code is there to handle anything: all that may be delegated is. */
    csr_write(h, CSR_MEDELEG, 0xb1ff);
    csr_write(h, CSR_MIDELEG, 1 << IRQ_SSI | 1 << IRQ_STI | 1 << IRQ_SEI | 1 << IRQ_LCOFI);
    csr_write(h, CSR_MCOUNTEREN, UINT32_MAX);
    csr_write(h, CSR_SCOUNTEREN, COUNTEREN_CY | COUNTEREN_TM | COUNTEREN_IR);
    uint64_t envcfg = ENVCFG_CBIE | ENVCFG_CBCFE | ENVCFG_CBZE | MENVCFG_PBMTE | MENVCFG_STCE;
    /* The device tree names one way of updating A and D, hardware's where there is it. */
    if (isa_has(&m->isa, EXT_SVADU))
        envcfg |= MENVCFG_ADUE;
    csr_write(h, CSR_MENVCFG, envcfg);
    if (rv32)
        csr_write(h, CSR_MENVCFGH, envcfg >> 32);
    csr_write(h, CSR_MSECCFG, MSECCFG_SSEED);
    /* One region that covers all and allows all. */
    csr_write(h, CSR_PMPADDR0, UINT64_MAX);
    csr_write(h, CSR_PMPCFG0, 0x1f);
    /* The timer's service works by stimecmp, whether or not the guest may reach that register. */
    h->csr.menvcfg |= MENVCFG_STCE;
    csr_set_stimecmp(h, UINT64_MAX);
    h->priv = PRIV_S;
    tlb_context_changed(h);
}
