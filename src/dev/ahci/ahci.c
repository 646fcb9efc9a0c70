/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The controller as a PCI function: generic host control (section 3.1) and interrupts (10.7).
 */
#include "dev/ahci/controller.h"

#include <stdio.h>
#include <stdlib.h>

#define BAR 5
#define BAR_SIZE 0x2000
#define VERSION_1_3_1 0x00010301
/* No registered vendor has this number. */
#define PCI_VENDOR 0x5256
#define PCI_DEVICE 0x0011

/*
 * Interrupts: a port's bit in IS is set while any of its enabled causes is, and stays until it is
 * cleared. The wire shows whether any is set; a message goes out when one is set anew, and when the
 * host clears some and others remain.
 */
static void update(struct ahci *a, bool cleared)
{
    uint32_t before = a->is;
    for (unsigned i = 0; i < a->port_count; i++)
        if (ahci_port_causes(&a->ports[i]) & a->ports[i].registers.ie)
            a->is |= 1u << i;
    bool level = a->is && (a->ghc & GHC_IE);
    if (level != a->wire)
        pci_intx_set(a->pci, level);
    if (level && (!a->wire || a->is & ~before || cleared))
        pci_interrupt(a->pci, 0);
    a->wire = level;
}

void ahci_update_interrupts(struct ahci *a)
{
    update(a, false);
}

static uint32_t generic_read(const struct ahci *a, unsigned offset)
{
    switch (offset) {
    case AHCI_CAP:
        return CAP_S64A | CAP_SNCQ | CAP_SCLO | CAP_GEN3 | CAP_SAM |
               (AHCI_SLOTS - 1) << CAP_SLOTS_SHIFT | (a->port_count - 1);
    case AHCI_GHC:
        return a->ghc | GHC_AE;
    case AHCI_IS:
        return a->is;
    case AHCI_PI:
        return UINT32_MAX >> (32 - a->port_count);
    case AHCI_VS:
        return VERSION_1_3_1;
    default:
        return 0;
    }
}

static void begin_reset(struct ahci *a)
{
    a->ghc = GHC_HR;
    a->is = 0;
    for (unsigned i = 0; i < a->port_count; i++) {
        struct ahci_port *p = &a->ports[i];
        uint64_t clb = p->registers.clb, fb = p->registers.fb; /* section 10.4.3: they are kept */
        ahci_port_power_on(p);
        p->registers.clb = clb;
        p->registers.fb = fb;
        p->reset = true;
        disk_wake(p->disk, &p->task);
    }
}

void ahci_port_was_reset(struct ahci *a)
{
    for (unsigned i = 0; i < a->port_count; i++)
        if (a->ports[i].reset)
            return;
    a->ghc &= ~(uint32_t)GHC_HR;
}

static void generic_write(struct ahci *a, unsigned offset, uint32_t value)
{
    switch (offset) {
    case AHCI_GHC:
        if (value & GHC_HR)
            begin_reset(a);
        else if (!(a->ghc & GHC_HR))
            a->ghc = value & GHC_IE;
        update(a, false);
        break;
    case AHCI_IS:
        a->is &= ~value;
        update(a, true);
        break;
    }
}

static uint64_t bar_read(void *state, unsigned bar, uint64_t offset, unsigned size)
{
    (void)bar, (void)size;
    struct ahci *a = state;
    uint64_t port = (offset - AHCI_PORTS) / AHCI_PORT_SIZE;
    uint32_t value = 0;
    pthread_mutex_lock(&a->lock);
    if (offset < AHCI_PORTS)
        value = generic_read(a, (unsigned)offset);
    else if (port < a->port_count)
        value = ahci_port_read(&a->ports[port], (unsigned)(offset % AHCI_PORT_SIZE));
    pthread_mutex_unlock(&a->lock);
    return value;
}

static void bar_write(void *state, unsigned bar, uint64_t offset, unsigned size, uint64_t value)
{
    (void)bar, (void)size;
    struct ahci *a = state;
    uint64_t port = (offset - AHCI_PORTS) / AHCI_PORT_SIZE;
    pthread_mutex_lock(&a->lock);
    if (offset < AHCI_PORTS)
        generic_write(a, (unsigned)offset, (uint32_t)value);
    else if (port < a->port_count)
        ahci_port_write(&a->ports[port], (unsigned)(offset % AHCI_PORT_SIZE), (uint32_t)value);
    pthread_mutex_unlock(&a->lock);
}

static void reset(void *state)
{
    struct ahci *a = state;
    atomic_store(&a->halted, true);
    for (unsigned i = 0; i < a->port_count; i++)
        disk_drain(a->ports[i].disk);
    pthread_mutex_lock(&a->lock);
    a->ghc = a->is = 0;
    for (unsigned i = 0; i < a->port_count; i++) {
        ahci_port_power_on(&a->ports[i]);
        ahci_port_reset_drive(&a->ports[i]);
    }
    update(a, false);
    pthread_mutex_unlock(&a->lock);
    atomic_store(&a->halted, false);
}

static void free_controller(struct ahci *a)
{
    for (unsigned i = 0; i < a->port_count; i++)
        for (unsigned n = 0; n < AHCI_SLOTS; n++) {
            free(a->ports[i].slots[n].pieces);
            free(a->ports[i].slots[n].ranges);
        }
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static void remove_function(void *state)
{
    struct ahci *a = state;
    atomic_store(&a->halted, true);
    for (unsigned i = 0; i < a->port_count; i++)
        disk_close(a->ports[i].disk);
    free_controller(a);
}

static const struct pci_function_ops function_ops = {
    .name = "ahci",
    .bar_read = bar_read,
    .bar_write = bar_write,
    .reset = reset,
    .remove = remove_function,
};

static bool add_port(struct ahci *a, const struct ahci_port_config *config, struct error *err)
{
    struct ahci_port *p = &a->ports[a->port_count];
    p->ahci = a;
    p->number = a->port_count++;
    p->disk = config->disk;
    p->info = disk_info(config->disk);
    p->sectors = p->info->size / ATA_SECTOR;
    p->task.run = ahci_port_run;
    for (unsigned n = 0; n < AHCI_SLOTS; n++) {
        struct ahci_slot *slot = &p->slots[n];
        slot->port = p;
        slot->number = n;
        /* Memory that is not used costs nothing. */
        slot->pieces = malloc(AHCI_PIECES_MAX * sizeof(*slot->pieces));
        slot->ranges = malloc(ATA_TRIM_SECTORS_MAX * ATA_SECTOR);
        if (!slot->pieces || !slot->ranges)
            return error_set(err, "ahci: out of memory");
    }
    ahci_port_power_on(p);
    ahci_port_reset_drive(p);
    snprintf(p->serial, sizeof(p->serial), "%s", config->serial);
    return true;
}

struct pci_function *ahci_new(const struct ahci_config *config, struct error *err)
{
    struct ahci *a = calloc(1, sizeof(*a));
    if (!a) {
        error_set(err, "ahci: out of memory");
        return NULL;
    }
    pthread_mutex_init(&a->lock, NULL);
    bool ok = true;
    for (unsigned i = 0; ok && i < config->port_count; i++)
        ok = add_port(a, &config->ports[i], err);
    struct pci_function_config function = {
        .ops = &function_ops,
        .state = a,
        .ids = {.vendor = PCI_VENDOR,
                .device = PCI_DEVICE,
                .subsystem_vendor = PCI_VENDOR,
                .subsystem = PCI_DEVICE,
                .class_code = 0x010601},
        .bars = {[BAR] = {PCI_BAR_MEM32, BAR_SIZE, 4, 4}},
        .interrupt_pin = 1,
    };
    a->pci = ok ? pci_function_new(&function, err) : NULL;
    if (!a->pci) {
        free_controller(a);
        return NULL;
    }
    pci_msi_init(a->pci, 1); /* without it the wire does */
    return a->pci;
}
