/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A machine of memory and a PCI host bridge, reached as a hart reaches it, with functions that note
 * what comes to them, wires that remember their level and a place that takes messages.
 */
#ifndef TESTS_UNIT_PCI_RIG_H
#define TESTS_UNIT_PCI_RIG_H

/* cmocka.h wants these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dev/pci/pci.h"
#include "dev/pci/pci_host.h"
#include "dev/pci/regs.h"
#include "machine/machine.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RIG_RAM (2u << 20)
#define RIG_MSI_BASE UINT64_C(0x28000000) /* messages here are the target's */
#define RIG_MESSAGES 128

struct rig {
    struct machine *m;
    struct pci_bus *root;
    _Atomic bool wire[4];      /* devices drive them from threads of their own */
    _Atomic unsigned messages; /* that came */
    struct {
        uint64_t address;
        uint32_t data;
    } message[RIG_MESSAGES];
};

/* A function of a test: what its callbacks were told last, and how often. */
struct part {
    struct pci_function *f;
    unsigned reads, writes, resets, removed, config_reads, config_writes;
    unsigned bar, size;
    uint64_t offset, value;
    bool master_at_reset;
    unsigned *gone; /* counted up when it is removed; NULL: nobody asks */
};

static inline uint64_t part_read(void *state, unsigned bar, uint64_t offset, unsigned size)
{
    struct part *p = state;
    p->reads++;
    p->bar = bar, p->offset = offset, p->size = size;
    /* Each byte is its own offset, so that the order of parts shows. */
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= ((offset + i) & 0xff) << 8 * i;
    return value;
}

static inline void part_write(void *state, unsigned bar, uint64_t offset, unsigned size,
                              uint64_t value)
{
    struct part *p = state;
    p->writes++;
    p->bar = bar, p->offset = offset, p->size = size, p->value = value;
}

static inline void part_config_read(void *state, unsigned offset, unsigned size)
{
    struct part *p = state;
    p->config_reads++;
    p->offset = offset, p->size = size;
}

static inline void part_config_written(void *state, unsigned offset, unsigned size)
{
    struct part *p = state;
    p->config_writes++;
    p->offset = offset, p->size = size;
}

static inline void part_reset(void *state)
{
    struct part *p = state;
    p->resets++;
    p->master_at_reset = pci_is_master(p->f);
    pci_intx_set(p->f, false);
}

static inline void part_remove(void *state)
{
    struct part *p = state;
    if (p->gone)
        ++*p->gone;
    pci_intx_set(p->f, false);
    free(p);
}

static const struct pci_function_ops part_ops = {
    .name = "part",
    .bar_read = part_read,
    .bar_write = part_write,
    .config_read = part_config_read,
    .config_written = part_config_written,
    .reset = part_reset,
    .remove = part_remove,
};

/* BAR 0: 64-bit, 16 KiB, accesses of 4 bytes. BAR 2: 32-bit, 4 KiB, of 1 to 8. BAR 4: 32 IO ports. */
static inline struct part *part_new(void)
{
    struct part *p = calloc(1, sizeof(*p));
    struct pci_function_config config = {
        .ops = &part_ops,
        .state = p,
        .ids = {0x1234, 0x5678, 0x9abc, 0xdef0, 0x010802, 0x42},
        .bars = {[0] = {PCI_BAR_MEM64, 0x4000, 4, 4},
                 [2] = {PCI_BAR_MEM32, 0x1000, 1, 8},
                 [4] = {PCI_BAR_IO, 32, 1, 4}},
        .interrupt_pin = 1,
    };
    p->f = pci_function_new(&config, NULL);
    assert_non_null(p->f);
    return p;
}

static inline void rig_wire(void *ctx, unsigned number, bool level)
{
    struct rig *rig = ctx;
    rig->wire[number - PCI_INTX_IRQ] = level;
}

static inline bool rig_message(void *ctx, uint64_t address, uint32_t data)
{
    struct rig *rig = ctx;
    if (address < RIG_MSI_BASE || address >= RIG_MSI_BASE + 0x1000)
        return false;
    assert_true(rig->messages < RIG_MESSAGES);
    rig->message[rig->messages].address = address;
    rig->message[rig->messages].data = data;
    rig->messages++;
    return true;
}

static inline int rig_setup_machine(void **state, unsigned xlen, uint64_t ram)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct machine_config machine = {.ram_size = ram, .harts = 1, .interpret = true};
    isa_default(&machine.isa, xlen);
    rig->m = machine_new(&machine, NULL);
    assert_non_null(rig->m);
    struct pci_host_config config = {.machine = rig->m, .msi = {rig_message, rig}};
    for (unsigned i = 0; i < 4; i++)
        config.intx[i] = (struct irq_line){rig_wire, rig, PCI_INTX_IRQ + i};
    rig->root = pci_host_add(&config, NULL);
    assert_non_null(rig->root);
    *state = rig;
    return 0;
}

static inline int rig_setup(void **state)
{
    return rig_setup_machine(state, 64, RIG_RAM);
}

static inline int rig_teardown(void **state)
{
    struct rig *rig = *state;
    machine_free(rig->m);
    free(rig);
    return 0;
}

/* A part in a slot of the root bus, or of another one. */
static inline struct part *rig_plug(struct pci_bus *bus, unsigned devfn)
{
    struct part *p = part_new();
    assert_true(pci_plug_at(bus, p->f, devfn, NULL));
    return p;
}

static inline uint64_t rig_read(struct rig *rig, uint64_t address, unsigned size)
{
    uint64_t value = 0;
    assert_true(machine_bus_read(rig->m, address, size, &value));
    return value;
}

static inline void rig_write(struct rig *rig, uint64_t address, unsigned size, uint64_t value)
{
    assert_true(machine_bus_write(rig->m, address, size, value));
}

static inline uint64_t ecam(unsigned bus, unsigned devfn, unsigned reg)
{
    return PCI_ECAM_BASE + ((uint64_t)bus << 20 | devfn << 12 | reg);
}

#define DEV(device) ((device) << 3)

/* As a reset of the machine does, all devices are reset. */
static inline void rig_reset(struct machine *m)
{
    for (unsigned i = 0; i < m->device_count; i++)
        if (m->devices[i]->ops->reset)
            m->devices[i]->ops->reset(m->devices[i]->state);
}

/* The same, and nothing that was under way writes to memory afterwards. */
static inline void rig_reset_ends_all(struct machine *m)
{
    rig_reset(m);
    memset(m->ram.data, 0x5a, RIG_RAM);
    usleep(1000);
    for (unsigned i = 0; i < RIG_RAM; i++)
        assert_true(m->ram.data[i] == 0x5a);
}

#endif
