/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * PCI: config space, BARs where a guest puts them, bridges, slots. Messages and wires are in
 * pci_interrupt_test.c.
 */
#include "pci_rig.h"

#define LOW PCI_LOW_WINDOW_BASE
#define HIGH UINT64_C(0x400000000)

static void set_command(struct rig *rig, unsigned bus, unsigned devfn, uint32_t value)
{
    rig_write(rig, ecam(bus, devfn, PCI_COMMAND), 2, value);
}

static void identity_reads_the_same_in_every_size(void **state)
{
    struct rig *rig = *state;
    rig_plug(rig->root, DEV(1));
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 0), 2), 0x1234);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 2), 2), 0x5678);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 0), 4), 0x56781234);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 3), 1), 0x56);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 8), 4), 0x01080242);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 0x2c), 4), 0xdef09abc);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 8), 8) & 0xffffffff, 0x01080242);
}

static void functions_that_are_not_there_read_as_ones(void **state)
{
    struct rig *rig = *state;
    rig_plug(rig->root, DEV(1));
    assert_int_equal(rig_read(rig, ecam(0, DEV(2), 0), 4), 0xffffffff);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1) + 1, 0), 2), 0xffff);
    assert_int_equal(rig_read(rig, ecam(1, DEV(1), 0), 1), 0xff);
    assert_true(rig_read(rig, ecam(255, 255, 0xff8), 8) == UINT64_MAX);
    rig_write(rig, ecam(255, 255, 0xff8), 8, 0);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 0x100), 4), 0); /* no extended capability */
}

static void what_is_read_only_stays(void **state)
{
    struct rig *rig = *state;
    rig_plug(rig->root, DEV(1));
    for (unsigned reg = 0; reg < 0x1000; reg += 4)
        if (reg != 4 && !(reg >= 0x10 && reg < 0x28))
            rig_write(rig, ecam(0, DEV(1), reg), 4, 0xffffffff);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 0), 4), 0x56781234);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 8), 4), 0x01080242);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 0x2c), 4), 0xdef09abc);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), PCI_INTERRUPT_LINE), 2), 0x01ff);
    rig_write(rig, ecam(0, DEV(1), PCI_COMMAND), 4, 0xffffffff);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), PCI_COMMAND), 2),
                     PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
                         PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE);
}

static void error_bits_of_status_are_cleared_by_ones(void **state)
{
    struct rig *rig = *state;
    struct part *p = rig_plug(rig->root, DEV(1));
    uint32_t status = (uint32_t)rig_read(rig, ecam(0, DEV(1), PCI_STATUS), 2);
    pci_config_set(p->f, PCI_STATUS, 2, status | 0xa000);
    rig_write(rig, ecam(0, DEV(1), PCI_STATUS), 2, 0x1000);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), PCI_STATUS), 2), status | 0xa000);
    rig_write(rig, ecam(0, DEV(1), PCI_STATUS + 1), 1, 0x80);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), PCI_STATUS), 2), status | 0x2000);
    rig_write(rig, ecam(0, DEV(1), PCI_COMMAND), 4, 0xffff0000);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), PCI_STATUS), 2), status);
}

static void bars_tell_their_size_and_kind(void **state)
{
    struct rig *rig = *state;
    rig_plug(rig->root, DEV(1));
    for (unsigned reg = 0x10; reg < 0x28; reg += 4)
        rig_write(rig, ecam(0, DEV(1), reg), 4, 0xffffffff);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 0x10), 4), 0xffffc004);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 0x14), 4), 0xffffffff);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 0x18), 4), 0xfffff000);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 0x1c), 4), 0);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 0x20), 4), 0xffffffe1);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 0x24), 4), 0);
    /* byte by byte it is the same register */
    rig_write(rig, ecam(0, DEV(1), 0x1a), 1, 0x12);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), 0x18), 4), 0xff12f000);
}

static void a_bar_answers_where_it_was_put_and_only_while_decoding(void **state)
{
    struct rig *rig = *state;
    struct part *p = rig_plug(rig->root, DEV(1));
    rig_write(rig, ecam(0, DEV(1), 0x18), 4, LOW + 0x10000);
    assert_int_equal(rig_read(rig, LOW + 0x10020, 4), 0xffffffff);
    set_command(rig, 0, DEV(1), PCI_COMMAND_MEMORY);
    assert_int_equal(rig_read(rig, LOW + 0x10020, 4), 0x23222120);
    assert_int_equal(p->bar, 2);
    assert_int_equal(rig_read(rig, LOW + 0x10fff, 1), 0xff);
    assert_int_equal(p->reads, 2);
    assert_int_equal(rig_read(rig, LOW + 0x11000, 4), 0xffffffff);
    assert_int_equal(rig_read(rig, LOW + 0xfffc, 4), 0xffffffff);
    assert_int_equal(p->reads, 2);
    /* moved while it decodes */
    rig_write(rig, ecam(0, DEV(1), 0x18), 4, LOW + 0x3ffff000);
    assert_int_equal(rig_read(rig, LOW + 0x10020, 4), 0xffffffff);
    rig_write(rig, LOW + 0x3ffffff0, 2, 0xabcd);
    assert_int_equal(p->offset, 0xff0);
    assert_int_equal(p->size, 2);
    assert_int_equal(p->value, 0xabcd);
    /* sized while it decodes, as some firmware does: it answers nowhere meanwhile */
    rig_write(rig, ecam(0, DEV(1), 0x18), 4, 0xffffffff);
    assert_int_equal(rig_read(rig, LOW + 0x3ffffff0, 4), 0xffffffff);
    set_command(rig, 0, DEV(1), 0);
    assert_int_equal(rig_read(rig, LOW + 0x3ffffff0, 4), 0xffffffff);
    assert_int_equal(p->reads, 2);
    assert_int_equal(p->writes, 1);
}

static void a_64_bit_bar_lives_in_either_window(void **state)
{
    struct rig *rig = *state;
    struct part *p = rig_plug(rig->root, DEV(3));
    set_command(rig, 0, DEV(3), PCI_COMMAND_MEMORY);
    rig_write(rig, ecam(0, DEV(3), 0x10), 4, 0x8000);
    rig_write(rig, ecam(0, DEV(3), 0x14), 4, HIGH >> 32);
    rig_write(rig, HIGH + 0x8000 + 0x3ffc, 4, 7);
    assert_int_equal(p->offset, 0x3ffc);
    assert_int_equal(p->bar, 0);
    rig_write(rig, ecam(0, DEV(3), 0x10), 8, LOW);
    rig_write(rig, LOW + 8, 4, 8);
    assert_int_equal(p->offset, 8);
    assert_int_equal(p->writes, 2);
    /* main memory and devices are not the bus's to answer for */
    uint64_t value;
    rig_write(rig, ecam(0, DEV(3), 0x10), 8, PCI_ECAM_BASE);
    rig_write(rig, PCI_ECAM_BASE + 8, 4, 8);
    rig_write(rig, ecam(0, DEV(3), 0x10), 8, MACHINE_RAM_BASE);
    assert_false(machine_bus_read(rig->m, MACHINE_RAM_BASE, 4, &value));
    assert_int_equal(p->writes, 2);
}

static void io_ports_begin_at_0(void **state)
{
    struct rig *rig = *state;
    struct part *p = rig_plug(rig->root, DEV(1));
    set_command(rig, 0, DEV(1), PCI_COMMAND_IO);
    rig_write(rig, ecam(0, DEV(1), 0x20), 4, 0xffe1);
    rig_write(rig, PCI_IO_WINDOW_BASE + 0xfffe, 2, 0x1122);
    assert_int_equal(p->bar, 4);
    assert_int_equal(p->offset, 0x1e);
    rig_write(rig, ecam(0, DEV(1), 0x20), 4, 0x10001); /* beyond the window */
    assert_int_equal(rig_read(rig, PCI_IO_WINDOW_BASE, 4), 0xffffffff);
    assert_int_equal(p->reads, 0);
}

static void accesses_come_in_the_sizes_that_the_bar_knows(void **state)
{
    struct rig *rig = *state;
    struct part *p = rig_plug(rig->root, DEV(1));
    set_command(rig, 0, DEV(1), PCI_COMMAND_MEMORY);
    rig_write(rig, ecam(0, DEV(1), 0x10), 8, HIGH);
    rig_write(rig, ecam(0, DEV(1), 0x18), 4, LOW);
    assert_true(rig_read(rig, HIGH + 0x10, 8) == 0x1716151413121110);
    assert_int_equal(p->reads, 2);
    rig_write(rig, HIGH + 0x10, 8, 0x1122334455667788);
    assert_int_equal(p->writes, 2);
    assert_int_equal(p->offset, 0x14);
    assert_int_equal(p->value, 0x11223344);
    assert_int_equal(rig_read(rig, HIGH + 0x10, 2), 0);
    rig_write(rig, HIGH + 0x10, 1, 1);
    assert_int_equal(p->reads + p->writes, 4);
    assert_true(rig_read(rig, LOW + 8, 8) == 0x0f0e0d0c0b0a0908);
    assert_int_equal(p->reads, 3);
}

static void capabilities_form_a_list_that_ends(void **state)
{
    struct rig *rig = *state;
    struct part *p = part_new();
    const uint8_t body[] = {0xaa, 0xbb, 0xcc}, writable[] = {0, 0xf0, 0xff};
    unsigned vendor = pci_capability_add(p->f, PCI_CAP_VENDOR, 5, body, writable);
    assert_int_equal(vendor, 0x40);
    assert_true(pci_msix_init(p->f, 3, 0, 0x1000, 0x2000));
    assert_true(pci_msi_init(p->f, 4));
    assert_int_equal(pci_capability_add(p->f, PCI_CAP_VENDOR, 200, NULL, NULL), 0); /* no room */
    assert_true(pci_plug_at(rig->root, p->f, DEV(1), NULL));
    assert_true(rig_read(rig, ecam(0, DEV(1), PCI_STATUS), 2) & PCI_STATUS_CAP_LIST);
    unsigned at = (unsigned)rig_read(rig, ecam(0, DEV(1), PCI_CAPABILITY_LIST), 1), seen = 0;
    static const uint8_t ids[] = {PCI_CAP_VENDOR, PCI_CAP_MSIX, PCI_CAP_MSI, PCI_CAP_EXPRESS};
    for (; at; at = (unsigned)rig_read(rig, ecam(0, DEV(1), at + 1), 1)) {
        assert_true(at >= 0x40 && at % 4 == 0 && seen < 4);
        assert_int_equal(rig_read(rig, ecam(0, DEV(1), at), 1), ids[seen++]);
    }
    assert_int_equal(seen, 4);
    /* the vendor's bytes: masked, and the device hears of it */
    p->config_reads = 0;
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), vendor + 2), 2), 0xbbaa);
    assert_int_equal(p->config_reads, 1);
    rig_write(rig, ecam(0, DEV(1), vendor + 2), 2, 0x5555);
    assert_int_equal(p->config_writes, 1);
    assert_int_equal(p->offset, vendor + 2);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), vendor + 2), 2), 0x5baa);
    rig_write(rig, ecam(0, DEV(1), PCI_COMMAND), 2, 7);
    assert_int_equal(p->config_writes, 1);
}

/*
 * Bridges
 */

static void number_bridge(struct rig *rig, unsigned bus, unsigned devfn, unsigned secondary,
                          unsigned subordinate)
{
    rig_write(rig, ecam(bus, devfn, PCI_PRIMARY_BUS), 1, bus);
    rig_write(rig, ecam(bus, devfn, PCI_SECONDARY_BUS), 1, secondary);
    rig_write(rig, ecam(bus, devfn, PCI_SUBORDINATE_BUS), 1, subordinate);
}

static void functions_behind_bridges_have_the_bus_numbers_they_are_given(void **state)
{
    struct rig *rig = *state;
    struct pci_bus *outer = pci_bridge_new(rig->root, DEV(4), NULL);
    struct pci_bus *inner = pci_bridge_new(outer, DEV(0), NULL);
    assert_non_null(inner);
    rig_plug(inner, DEV(0));
    assert_int_equal(rig_read(rig, ecam(0, DEV(4), PCI_HEADER_TYPE), 1), PCI_HEADER_BRIDGE);
    assert_int_equal(rig_read(rig, ecam(0, DEV(4), 8), 4) >> 8, 0x060400);
    assert_int_equal(rig_read(rig, ecam(9, 0, 0), 4), 0xffffffff);
    number_bridge(rig, 0, DEV(4), 7, 9);
    assert_int_equal(rig_read(rig, ecam(7, 0, PCI_HEADER_TYPE), 1), PCI_HEADER_BRIDGE);
    assert_int_equal(rig_read(rig, ecam(9, 0, 0), 4), 0xffffffff);
    number_bridge(rig, 7, DEV(0), 9, 9);
    assert_int_equal(rig_read(rig, ecam(9, 0, 0), 4), 0x56781234);
    assert_int_equal(rig_read(rig, ecam(8, 0, 0), 4), 0xffffffff);
    number_bridge(rig, 0, DEV(4), 7, 8); /* 9 is not behind it any more */
    assert_int_equal(rig_read(rig, ecam(9, 0, 0), 4), 0xffffffff);
    /* A bridge that claims bus 0, or its own number, takes nothing from its betters. */
    number_bridge(rig, 0, DEV(4), 0, 255);
    assert_int_equal(rig_read(rig, ecam(0, DEV(4), 8), 4) >> 8, 0x060400);
}

static void bridges_let_through_what_their_windows_hold(void **state)
{
    struct rig *rig = *state;
    struct pci_bus *behind = pci_bridge_new(rig->root, DEV(4), NULL);
    struct part *p = rig_plug(behind, DEV(0));
    number_bridge(rig, 0, DEV(4), 1, 1);
    set_command(rig, 1, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
    rig_write(rig, ecam(1, 0, 0x10), 8, HIGH + 0x100000);
    rig_write(rig, ecam(1, 0, 0x18), 4, LOW + 0x100000);
    rig_write(rig, ecam(1, 0, 0x20), 4, 0x1000);
    assert_int_equal(rig_read(rig, LOW + 0x100000, 4), 0xffffffff);
    /* memory LOW + 1 MiB to 2 MiB, prefetchable HIGH + 1 MiB to 3 MiB, IO 0x1000 to 0x1fff */
    rig_write(rig, ecam(0, DEV(4), PCI_MEMORY_BASE), 4, 0x40104010);
    rig_write(rig, ecam(0, DEV(4), PCI_PREFETCH_BASE), 4, 0x00200010);
    rig_write(rig, ecam(0, DEV(4), PCI_PREFETCH_BASE_UPPER), 4, 4);
    rig_write(rig, ecam(0, DEV(4), PCI_PREFETCH_LIMIT_UPPER), 4, 4);
    rig_write(rig, ecam(0, DEV(4), PCI_IO_BASE), 2, 0x1010);
    assert_int_equal(rig_read(rig, LOW + 0x100000, 4), 0xffffffff);
    set_command(rig, 0, DEV(4), PCI_COMMAND_MEMORY);
    assert_int_equal(rig_read(rig, LOW + 0x100000, 4), 0x03020100);
    assert_int_equal(rig_read(rig, HIGH + 0x100000, 4), 0x03020100);
    assert_int_equal(rig_read(rig, PCI_IO_WINDOW_BASE + 0x1000, 4), 0xffffffff);
    set_command(rig, 0, DEV(4), PCI_COMMAND_IO);
    assert_int_equal(rig_read(rig, PCI_IO_WINDOW_BASE + 0x1000, 4), 0x03020100);
    assert_int_equal(rig_read(rig, LOW + 0x100000, 4), 0xffffffff);
    set_command(rig, 0, DEV(4), PCI_COMMAND_MEMORY);
    /* outside of the window, and half outside */
    rig_write(rig, ecam(1, 0, 0x18), 4, LOW + 0x200000);
    assert_int_equal(rig_read(rig, LOW + 0x200000, 4), 0xffffffff);
    rig_write(rig, ecam(1, 0, 0x18), 4, LOW + 0x1ff000);
    assert_int_equal(rig_read(rig, LOW + 0x1ff000, 4), 0x03020100);
    /* limit below base: nothing */
    rig_write(rig, ecam(0, DEV(4), PCI_MEMORY_LIMIT), 2, 0x4000);
    assert_int_equal(rig_read(rig, LOW + 0x1ff000, 4), 0xffffffff);
    assert_int_equal(p->writes, 0);
}

static void a_bar_half_outside_of_a_window_is_not_let_through(void **state)
{
    struct rig *rig = *state;
    struct pci_bus *behind = pci_bridge_new(rig->root, DEV(4), NULL);
    struct part *p = calloc(1, sizeof(*p));
    struct pci_function_config config = {
        .ops = &part_ops, .state = p, .bars = {[0] = {PCI_BAR_MEM32, 4u << 20, 1, 8}}};
    p->f = pci_function_new(&config, NULL);
    assert_true(pci_plug_at(behind, p->f, 0, NULL));
    number_bridge(rig, 0, DEV(4), 1, 1);
    set_command(rig, 0, DEV(4), PCI_COMMAND_MEMORY);
    set_command(rig, 1, 0, PCI_COMMAND_MEMORY);
    rig_write(rig, ecam(1, 0, 0x10), 4, LOW + 0x400000);
    rig_write(rig, ecam(0, DEV(4), PCI_MEMORY_BASE), 4, 0x40604040); /* its last MiB is outside */
    assert_int_equal(rig_read(rig, LOW + 0x400000, 4), 0xffffffff);
    rig_write(rig, ecam(0, DEV(4), PCI_MEMORY_BASE), 4, 0x40704050); /* its first */
    assert_int_equal(rig_read(rig, LOW + 0x500000, 4), 0xffffffff);
    rig_write(rig, ecam(0, DEV(4), PCI_MEMORY_BASE), 4, 0x40704040);
    assert_int_equal(rig_read(rig, LOW + 0x400000, 4), 0x03020100);
}

static void memory_is_reached_only_by_bus_masters(void **state)
{
    struct rig *rig = *state;
    struct pci_bus *behind = pci_bridge_new(rig->root, DEV(4), NULL);
    struct part *p = rig_plug(behind, DEV(0));
    uint32_t word = 0x12345678, got = 0;
    number_bridge(rig, 0, DEV(4), 1, 1);
    set_command(rig, 1, 0, PCI_COMMAND_MASTER);
    assert_false(pci_dma_write(p->f, MACHINE_RAM_BASE, &word, 4));
    set_command(rig, 0, DEV(4), PCI_COMMAND_MASTER);
    assert_true(pci_dma_write(p->f, MACHINE_RAM_BASE, &word, 4));
    assert_true(pci_dma_read(p->f, MACHINE_RAM_BASE, &got, 4));
    assert_int_equal(got, word);
    assert_non_null(pci_dma_map(p->f, MACHINE_RAM_BASE + RIG_RAM - 4, 4));
    assert_null(pci_dma_map(p->f, MACHINE_RAM_BASE + RIG_RAM - 4, 5));
    assert_false(pci_dma_read(p->f, PCI_ECAM_BASE, &got, 4));
    assert_false(pci_dma_read(p->f, UINT64_MAX, &got, 4));
    set_command(rig, 1, 0, 0);
    assert_false(pci_dma_read(p->f, MACHINE_RAM_BASE, &got, 4));
    assert_null(pci_dma_map(p->f, MACHINE_RAM_BASE, 4));
    assert_false(pci_is_master(p->f));
}

static void reset_is_power_on(void **state)
{
    struct rig *rig = *state;
    struct pci_bus *behind = pci_bridge_new(rig->root, DEV(4), NULL);
    struct part *p = rig_plug(behind, DEV(0));
    uint8_t before[2][256];
    number_bridge(rig, 0, DEV(4), 1, 1);
    for (unsigned reg = 0; reg < 256; reg++)
        before[0][reg] = (uint8_t)rig_read(rig, ecam(1, 0, reg), 1);
    rig_write(rig, ecam(1, 0, 0x18), 4, LOW);
    set_command(rig, 1, 0, 7);
    /* The bus behind a bridge alone (bridge control, secondary bus reset). */
    set_command(rig, 0, DEV(4), 7);
    rig_write(rig, ecam(0, DEV(4), PCI_BRIDGE_CONTROL), 2, PCI_BRIDGE_CONTROL_RESET);
    assert_int_equal(p->resets, 1);
    assert_false(p->master_at_reset); /* nobody could set it up again meanwhile */
    for (unsigned reg = 0; reg < 256; reg++)
        assert_int_equal(rig_read(rig, ecam(1, 0, reg), 1), before[0][reg]);
    rig_write(rig, ecam(0, DEV(4), PCI_BRIDGE_CONTROL), 2, 0);
    assert_int_equal(p->resets, 1);
    /* Everything */
    set_command(rig, 1, 0, 7);
    for (unsigned i = 0; i < rig->m->device_count; i++)
        if (rig->m->devices[i]->ops->reset)
            rig->m->devices[i]->ops->reset(rig->m->devices[i]->state);
    assert_int_equal(p->resets, 2);
    assert_int_equal(rig_read(rig, ecam(1, 0, 0), 4), 0xffffffff); /* bus numbers are gone */
    number_bridge(rig, 0, DEV(4), 1, 1);
    assert_int_equal(rig_read(rig, ecam(1, 0, PCI_COMMAND), 2), 0);
    assert_false(pci_is_master(p->f));
}

/* Express Base 7.5.3.6: a port says that the link below it is up, and an endpoint has no such bits. */
static void ports_report_their_link(void **state)
{
    struct rig *rig = *state;
    rig_plug(pci_bridge_new(rig->root, DEV(4), NULL), DEV(0));
    number_bridge(rig, 0, DEV(4), 1, 1);
    for (unsigned bus = 0; bus < 2; bus++) {
        const unsigned devfn = bus ? 0 : DEV(4);
        const unsigned at = (unsigned)rig_read(rig, ecam(bus, devfn, PCI_CAPABILITY_LIST), 1);
        assert_int_equal(rig_read(rig, ecam(bus, devfn, at), 1), PCI_CAP_EXPRESS);
        assert_int_equal(rig_read(rig, ecam(bus, devfn, at + PCI_EXPRESS_LINK_CAP), 4),
                         bus ? 0x11 : 0x100011);
        assert_int_equal(rig_read(rig, ecam(bus, devfn, at + PCI_EXPRESS_LINK_STATUS), 2),
                         bus ? 0x11 : 0x2011);
    }
}

/*
 * Slots
 */

static void slots_run_out_only_after_those_behind_ports(void **state)
{
    struct rig *rig = *state;
    struct error err = {0};
    unsigned plugged = 0, gone = 0;
    for (;; plugged++) {
        struct part *p = part_new();
        p->gone = &gone;
        if (!pci_plug(rig->root, p->f, &err))
            break;
    }
    assert_int_equal(plugged, 23 + 8 * 8);
    assert_int_equal(gone, 1); /* the one that found no place */
    assert_string_equal(err.text, "pci: all slots are taken");
    /* All can be numbered and found. */
    unsigned bus = 0, found = 0;
    for (unsigned devfn = 0; devfn < 256; devfn++) {
        uint32_t class = (uint32_t)rig_read(rig, ecam(0, devfn, 8), 4) >> 8;
        if (class == 0x060400) {
            bus++;
            number_bridge(rig, 0, devfn, bus, bus);
            found += rig_read(rig, ecam(bus, 0, 0), 4) == 0x56781234;
        } else {
            found += class == 0x010802;
        }
    }
    assert_int_equal(found, plugged);
    assert_int_equal(rig_read(rig, ecam(0, DEV(24), PCI_HEADER_TYPE), 1),
                     PCI_HEADER_BRIDGE | PCI_HEADER_MULTIFUNCTION);
}

static void slots_that_cannot_be_are_refused(void **state)
{
    struct rig *rig = *state;
    struct error err = {0};
    struct pci_bus *behind = pci_bridge_new(rig->root, DEV(4), NULL);
    assert_false(pci_plug_at(rig->root, part_new()->f, DEV(4), &err));
    assert_string_equal(err.text, "part in slot 4.0: the slot is taken");
    assert_false(pci_plug_at(rig->root, part_new()->f, DEV(5) + 1, &err));
    assert_false(pci_plug_at(behind, part_new()->f, DEV(1), &err));
    assert_false(pci_plug_at(rig->root, part_new()->f, 256, &err));
    assert_false(pci_plug(rig->root, NULL, &err));
    assert_null(pci_bridge_new(rig->root, DEV(4), &err));
    rig_plug(behind, 0);
    assert_false(pci_plug(behind, part_new()->f, &err));
}

static void functions_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct pci_bar bad[] = {
        {PCI_BAR_MEM32, 0x1001, 4, 4},
        {PCI_BAR_MEM32, 8, 4, 4},
        {PCI_BAR_IO, 512, 1, 4},
        {PCI_BAR_MEM32, UINT64_C(1) << 32, 4, 4},
        {PCI_BAR_MEM64, 0x1000, 0, 4},
        {PCI_BAR_MEM64, 0x1000, 8, 4},
        {PCI_BAR_MEM64, UINT64_C(1) << 41, 4, 4},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct pci_function_config config = {.ops = &part_ops, .bars = {bad[i]}};
        assert_null(pci_function_new(&config, NULL));
    }
    struct pci_function_config last = {.ops = &part_ops,
                                       .bars = {[5] = {PCI_BAR_MEM64, 0x1000, 4, 4}}};
    assert_null(pci_function_new(&last, NULL));
    struct part *p = part_new();
    assert_false(pci_msix_init(p->f, 0, 0, 0, 0x2000));
    assert_false(pci_msix_init(p->f, 2049, 0, 0, 0x2000));
    assert_false(pci_msix_init(p->f, 16, 0, 0x3f80, 0));      /* beyond the BAR */
    assert_false(pci_msix_init(p->f, 16, 0, 0x1000, 0x1080)); /* into one another */
    assert_false(pci_msix_init(p->f, 16, 4, 0, 8));           /* IO ports */
    assert_false(pci_msix_init(p->f, 16, 1, 0, 8));           /* no BAR */
    assert_false(pci_msi_init(p->f, 3));
    assert_false(pci_msi_init(p->f, 64));
    pci_function_free(p->f);
}

static int setup_rv32(void **state)
{
    return rig_setup_machine(state, 32, RIG_RAM);
}

static int setup_15_gib(void **state)
{
    return rig_setup_machine(state, 64, UINT64_C(15) << 30);
}

static void the_high_window_stands_above_memory(void **state)
{
    struct rig *rig = *state;
    struct part *p = rig_plug(rig->root, DEV(1));
    set_command(rig, 0, DEV(1), PCI_COMMAND_MEMORY);
    rig_write(rig, ecam(0, DEV(1), 0x10), 8, 2 * HIGH - 0x4000); /* memory ends 1 GiB above HIGH */
    uint64_t value;
    assert_false(machine_bus_read(rig->m, 2 * HIGH - 4, 4, &value));
    rig_write(rig, ecam(0, DEV(1), 0x10), 8, 2 * HIGH);
    rig_write(rig, 2 * HIGH + 4, 4, 1);
    assert_int_equal(p->offset, 4);
}

static void rv32_has_a_high_window_that_it_can_reach(void **state)
{
    struct rig *rig = *state;
    struct part *p = rig_plug(rig->root, DEV(1));
    set_command(rig, 0, DEV(1), PCI_COMMAND_MEMORY);
    rig_write(rig, ecam(0, DEV(1), 0x10), 8, UINT64_C(0x3ffffc000));
    rig_write(rig, UINT64_C(0x3fffffffc), 4, 1);
    assert_int_equal(p->offset, 0x3ffc);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(identity_reads_the_same_in_every_size),
        TEST(functions_that_are_not_there_read_as_ones),
        TEST(what_is_read_only_stays),
        TEST(error_bits_of_status_are_cleared_by_ones),
        TEST(bars_tell_their_size_and_kind),
        TEST(a_bar_answers_where_it_was_put_and_only_while_decoding),
        TEST(a_64_bit_bar_lives_in_either_window),
        TEST(io_ports_begin_at_0),
        TEST(accesses_come_in_the_sizes_that_the_bar_knows),
        TEST(capabilities_form_a_list_that_ends),
        TEST(functions_behind_bridges_have_the_bus_numbers_they_are_given),
        TEST(bridges_let_through_what_their_windows_hold),
        TEST(a_bar_half_outside_of_a_window_is_not_let_through),
        TEST(memory_is_reached_only_by_bus_masters),
        TEST(reset_is_power_on),
        TEST(ports_report_their_link),
        TEST(slots_run_out_only_after_those_behind_ports),
        TEST(slots_that_cannot_be_are_refused),
        TEST(functions_that_cannot_be_are_refused),
        cmocka_unit_test_setup_teardown(the_high_window_stands_above_memory, setup_15_gib,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(rv32_has_a_high_window_that_it_can_reach, setup_rv32,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
