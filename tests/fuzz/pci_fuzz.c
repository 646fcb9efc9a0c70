/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The PCI host bridge: config space, windows, interrupts and DMA in any order, with functions on the
 * root bus, behind bridges and in a slot whose card comes and goes. Each input begins at power-on. What must
 * hold meanwhile is checked here: functions get only accesses that their BARs allow, identities stay, wires
 * follow the levels, and a card that is out is called no more and reaches nothing.
 */
#include "fuzz.h"

#include "dev/pci/pci_host.h"
#include "dev/pci/regs.h"
#include "dev/pci/slot.h"
#include "machine/machine.h"
#include <stdlib.h>

#define RAM_SIZE (1u << 20)
#define PARTS 4
#define CARD PARTS /* the part that comes and goes */
#define VECTORS 70
#define OPERATIONS_MAX 2000

static const struct pci_bar bars[PCI_BARS] = {
    [0] = {PCI_BAR_MEM64, 0x4000, 4, 4},
    [2] = {PCI_BAR_MEM32, 0x1000, 1, 8},
    [3] = {PCI_BAR_IO, 32, 1, 4},
    [4] = {PCI_BAR_MEM64_PREFETCH, 0x100000, 2, 8},
};

static struct pci_function *parts[PARTS + 1]; /* the last: NULL while it is out */
static struct pci_slot *slot;
static bool wires[4];

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_access(unsigned n, uint64_t offset, unsigned size)
{
    check(n < PCI_BARS && bars[n].kind != PCI_BAR_NONE);
    check(size >= bars[n].access_min && size <= bars[n].access_max && !(offset % size));
    check(offset + size <= bars[n].size);
}

static uint64_t part_read(void *state, unsigned bar, uint64_t offset, unsigned size)
{
    struct pci_function **f = state;
    check(*f);
    check_access(bar, offset, size);
    return offset;
}

static void part_write(void *state, unsigned bar, uint64_t offset, unsigned size, uint64_t value)
{
    struct pci_function **f = state;
    check(*f);
    check_access(bar, offset, size);
    check(size == 8 || !(value >> 8 * size));
    /* A device that answers a doorbell with everything it can do. */
    pci_interrupt(*f, (unsigned)value);
    pci_intx_set(*f, value & 1);
    pci_dma_write(*f, MACHINE_RAM_BASE + (value & 0xfffff), &value, size);
}

static void part_config(void *state, unsigned offset, unsigned size)
{
    struct pci_function **f = state;
    check(*f);
    check(offset >= PCI_CONFIG_HEADER_SIZE && offset + size <= PCI_CONFIG_SIZE);
    pci_interrupt(*f, offset);
}

static void part_reset(void *state)
{
    struct pci_function **f = state;
    pci_intx_set(*f, false);
}

static const struct pci_function_ops part_ops = {
    .name = "part",
    .bar_read = part_read,
    .bar_write = part_write,
    .config_read = part_config,
    .config_written = part_config,
    .reset = part_reset,
};

static struct pci_function *new_part(unsigned n)
{
    struct pci_function_config config = {
        .ops = &part_ops,
        .state = &parts[n],
        .ids = {0x1234, (uint16_t)(0x5670 + n), 0, 0, 0x010802, 0},
        .interrupt_pin = (uint8_t)(n % 4 + 1),
    };
    for (unsigned i = 0; i < PCI_BARS; i++)
        config.bars[i] = bars[i];
    static const uint8_t writable[18] = {[2] = 0xff, [6] = 0xff, [17] = 0x0f};
    parts[n] = pci_function_new(&config, NULL);
    check(parts[n]);
    check(pci_capability_add(parts[n], PCI_CAP_VENDOR, 20, NULL, writable));
    check(n & 1 ? pci_msi_init(parts[n], 8) : pci_msix_init(parts[n], VECTORS, 0, 0x1000, 0x2000));
    return parts[n];
}

static void set_wire(void *ctx, unsigned number, bool level)
{
    (void)ctx;
    wires[number - PCI_INTX_IRQ] = level;
}

static bool take_message(void *ctx, uint64_t address, uint32_t data)
{
    (void)ctx, (void)data;
    return address >> 16 == 0x2800;
}

/* Somebody had asked for the card, so there was one. */
static void let_go(void *ctx)
{
    (void)ctx;
    check(parts[CARD]);
}

static void bring_card(void)
{
    if (!parts[CARD])
        check(pci_slot_insert(slot, new_part(CARD), NULL));
}

static void take_card(void)
{
    struct pci_function *f = pci_slot_take(slot);
    uint64_t value = 0;
    check(f == parts[CARD]);
    if (f) {
        pci_intx_set(f, true);
        pci_interrupt(f, 1);
        check(!pci_dma_write(f, MACHINE_RAM_BASE, &value, sizeof(value)));
        pci_function_free(f);
    }
    parts[CARD] = NULL;
}

static void change_card(unsigned what)
{
    switch (what & 3) {
    case 0:
        bring_card();
        break;
    case 1:
        take_card();
        break;
    default:
        if (pci_slot_ask(slot) == PCI_SLOT_FREE && what & 1)
            take_card();
    }
}

/* Parts in 00:01.0, 00:01.1, behind a port, and behind two; the slot is 00:18.0. */
static struct machine *make_machine(void)
{
    struct machine_config config = {.ram_size = RAM_SIZE, .harts = 1, .interpret = true};
    isa_default(&config.isa, 64);
    struct machine *m = machine_new(&config, NULL);
    check(m);
    struct pci_host_config host = {.machine = m, .msi = {.send = take_message}};
    for (unsigned i = 0; i < 4; i++)
        host.intx[i] = (struct irq_line){set_wire, NULL, PCI_INTX_IRQ + i};
    struct pci_bus *root = pci_host_add(&host, NULL);
    check(root && pci_plug_at(root, new_part(0), 1 << 3, NULL));
    check(pci_plug_at(root, new_part(1), 1 << 3 | 1, NULL));
    struct pci_bus *outer = pci_bridge_new(root, 2 << 3, NULL);
    check(outer && pci_plug_at(outer, new_part(2), 0, NULL));
    struct pci_bus *middle = pci_bridge_new(root, 3 << 3, NULL);
    struct pci_bus *inner = middle ? pci_bridge_new(middle, 0, NULL) : NULL;
    check(inner && pci_plug_at(inner, new_part(3), 0, NULL));
    struct pci_slot_config bay = {.number = 1, .off = let_go};
    slot = pci_slot_new(root, &bay, NULL);
    check(slot);
    return m;
}

static void power_on(struct machine *m)
{
    for (unsigned i = 0; i < m->device_count; i++)
        if (m->devices[i]->ops->reset)
            m->devices[i]->ops->reset(m->devices[i]->state);
    for (unsigned i = 0; i < 4; i++)
        check(!wires[i]);
}

/* An address in one of the places where something may answer, aligned to size. */
static uint64_t take_address(struct fuzz_input *in, unsigned size)
{
    static const uint64_t places[] = {
        PCI_ECAM_BASE, PCI_ECAM_BASE,      PCI_LOW_WINDOW_BASE, UINT64_C(0x400000000),
        PCI_ECAM_BASE, PCI_IO_WINDOW_BASE, PCI_ECAM_BASE,       PCI_LOW_WINDOW_BASE,
    };
    unsigned place = (unsigned)fuzz_take(in, 1) % 8;
    uint64_t offset = fuzz_take(in, 3);
    if (places[place] == PCI_ECAM_BASE)
        /* buses 0 to 3, devices 0 to 3, functions 0 and 1, mostly the first registers */
        offset = (offset & 3) << 20 | (offset >> 2 & 3) << 15 | (offset >> 4 & 1) << 12 |
                 (offset >> 8 & (offset >> 5 & 7 ? 0xff : 0xfff)) |
                 (offset >> 20 & 8 ? 24u << 15 : 0);
    else if (places[place] == PCI_IO_WINDOW_BASE)
        offset &= PCI_IO_WINDOW_SIZE - 1;
    return (places[place] + offset) & ~(uint64_t)(size - 1);
}

static void operate(struct machine *m, struct fuzz_input *in)
{
    unsigned what = (unsigned)fuzz_take(in, 1);
    unsigned size = 1u << (what >> 6);
    struct pci_function *f = parts[what >> 4 & 3];
    uint64_t address, value = 0;
    switch (what & 7) {
    case 0:
    case 1:
        machine_bus_read(m, take_address(in, size), size, &value);
        break;
    default:
        address = take_address(in, size);
        machine_bus_write(m, address, size, fuzz_take(in, size));
        break;
    case 4:
        change_card(what >> 4);
        break;
    case 5:
        pci_interrupt(f, (unsigned)fuzz_take(in, 1));
        break;
    case 6:
        pci_intx_set(f, what >> 3 & 1);
        break;
    case 7:
        pci_dma_read(f, MACHINE_RAM_BASE + fuzz_take(in, 3), &value, size);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine *m;
    struct fuzz_input in = {data, size};
    if (!m)
        m = make_machine();
    take_card();
    power_on(m);
    for (unsigned n = 0; fuzz_left(&in) && n < OPERATIONS_MAX; n++)
        operate(m, &in);
    for (unsigned n = 0; n < PARTS; n++) {
        check(pci_config_get(parts[n], PCI_DEVICE_ID, 2) == 0x5670 + n);
        pci_intx_set(parts[n], false);
    }
    take_card();
    power_on(m);
    return 0;
}
