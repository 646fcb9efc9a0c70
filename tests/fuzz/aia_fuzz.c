/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * APLIC, IMSIC pages and the harts' interrupt files: registers, CSRs, lines and messages in any order,
 * by wires and by messages. Each input begins at power-on. What must hold is checked after each step:
 * what xtopei names is pending and enabled, and mip follows from it.
 */
#include "fuzz.h"

#include "dev/aplic.h"
#include "dev/imsic.h"
#include "dev/interrupts.h"
#include "machine/machine.h"
#include <stdlib.h>

#define HARTS 3
#define OPERATIONS_MAX 2000

static const unsigned csrs[] = {
    CSR_MISELECT, CSR_MIREG, CSR_MTOPEI, CSR_MTOPI,   CSR_SISELECT, CSR_SIREG,
    CSR_STOPEI,   CSR_STOPI, CSR_MVIP,   CSR_MIP,     CSR_MIE,      CSR_MIDELEG,
    CSR_SIE,      CSR_SIP,   CSR_MVIEN,  CSR_MSTATUS,
};

static void check(bool holds)
{
    if (!holds)
        abort();
}

static struct machine *make_machine(struct interrupts *all, unsigned xlen, enum board_aia kind)
{
    struct machine_config config = {.ram_size = 1u << 20, .harts = HARTS, .interpret = true};
    isa_default(&config.isa, xlen);
    config.isa.ext |= UINT64_C(1) << EXT_SMAIA | UINT64_C(1) << EXT_SSAIA;
    struct machine *m = machine_new(&config, NULL);
    check(m);
    struct hart_wires wires = {
        .ctx = m->hart_list, .count = HARTS, .set = hart_wires_set, .message = hart_wires_message};
    check(interrupts_add(all, m, &wires, kind, NULL));
    return m;
}

static void power_on(struct machine *m, const struct interrupts *all)
{
    for (unsigned source = 1; source <= APLIC_SOURCES; source++) {
        struct irq_line line = interrupts_line(all, source);
        irq_set(&line, false);
    }
    for (unsigned i = 0; i < m->device_count; i++)
        if (m->devices[i]->ops->reset)
            m->devices[i]->ops->reset(m->devices[i]->state);
    for (unsigned i = 0; i < HARTS; i++) {
        hart_reset(m->hart_list[i], MACHINE_RAM_BASE, 0, 0);
        check(!hart_mip(m->hart_list[i]));
    }
}

/* A file against the definition of its registers (3.8, 3.9, 3.10). */
static bool is_due(const struct imsic_file *file)
{
    unsigned top = imsic_top(file), first = 0;
    for (unsigned i = IMSIC_IDENTITIES; i; i--)
        if (file->pending[i / 64] & file->enabled[i / 64] & UINT64_C(1) << i % 64)
            first = i;
    check(!((file->pending[0] | file->enabled[0]) & 1));
    check(top == (file->threshold && first >= file->threshold ? 0 : first));
    return top;
}

static void check_hart(const struct hart *h)
{
    static const unsigned bits[] = {[IMSIC_M] = IRQ_MEI, [IMSIC_S] = IRQ_SEI};
    for (unsigned level = 0; level < IMSIC_FILES; level++) {
        const struct imsic_file *file = &h->imsic[level];
        bool wire = h->irq_lines >> bits[level] & 1, soft = h->mip_soft >> bits[level] & 1;
        bool file_is_due = is_due(file);
        bool due = file->delivery == IMSIC_DELIVER_WIRE ? wire : file->delivery == 1 && file_is_due;
        check((hart_mip(h) >> bits[level] & 1) == (due || soft));
    }
}

static uint64_t take_address(struct fuzz_input *in)
{
    static const uint64_t bases[] = {APLIC_M_BASE, APLIC_S_BASE, IMSIC_M_BASE, IMSIC_S_BASE};
    static const uint16_t pages[] = {0x0000, 0x1000, 0x1c00, 0x1d00,
                                     0x1e00, 0x1f00, 0x3000, 0x4000};
    uint64_t base = bases[fuzz_take(in, 1) % 4], place = fuzz_take(in, 2);
    if (base >= IMSIC_M_BASE)
        return base + (place & 3) * IMSIC_PAGE + (place >> 2 & 0xff) / 0x80 * 4;
    return base + pages[place & 7] + (place >> 3 & 0xff) * 4;
}

static void access_csr(struct hart *h, struct fuzz_input *in)
{
    unsigned how = (unsigned)fuzz_take(in, 1);
    unsigned csr = csrs[fuzz_take(in, 1) % (sizeof(csrs) / sizeof(*csrs))];
    uint64_t value = csr == CSR_MISELECT || csr == CSR_SISELECT ? fuzz_take(in, 1) | 0x30
                                                                : fuzz_take(in, how & 32 ? 8 : 1);
    uint64_t old;
    h->priv = how & 4 ? PRIV_M : PRIV_S;
    csr_access(h, csr, (enum csr_op)(how % 3), value, how & 8, how & 16, &old);
}

static void operate(struct machine *m, const struct interrupts *all, struct fuzz_input *in)
{
    unsigned what = (unsigned)fuzz_take(in, 1);
    struct hart *h = m->hart_list[(what >> 3) % HARTS];
    struct irq_line line;
    uint64_t value;
    switch (what & 7) {
    case 0:
        machine_bus_read(m, take_address(in), 4, &value);
        break;
    case 1:
        line = interrupts_line(all, 1 + (unsigned)fuzz_take(in, 1) % APLIC_SOURCES);
        irq_set(&line, what >> 7);
        break;
    case 2:
        hart_message(h, what >> 7, (uint32_t)fuzz_take(in, 2));
        break;
    case 3:
        hart_take_interrupt(h);
        break;
    case 4:
    case 5:
        access_csr(h, in);
        break;
    default:
        value = take_address(in);
        machine_bus_write(m, value, 4, fuzz_take(in, what & 32 ? 4 : 2));
    }
    check_hart(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine *machines[4];
    static struct interrupts all[4];
    struct fuzz_input in = {data, size};
    if (!machines[0]) {
        for (unsigned i = 0; i < 4; i++)
            machines[i] =
                make_machine(&all[i], i & 1 ? 32 : 64, i & 2 ? BOARD_APLIC_IMSIC : BOARD_APLIC);
    }
    unsigned which = (unsigned)fuzz_take(&in, 1) % 4;
    struct machine *m = machines[which];
    power_on(m, &all[which]);
    for (unsigned n = 0; fuzz_left(&in) && n < OPERATIONS_MAX; n++)
        operate(m, &all[which], &in);
    for (unsigned i = 0; i < HARTS; i++)
        check_hart(m->hart_list[i]);
    return 0;
}
