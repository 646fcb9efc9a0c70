/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Making a function: its config space with the bits that a guest may change, its capabilities; and
 * taking it apart. What a guest then does with it is in config.c, map.c and msi.c.
 */
#include "dev/pci/function.h"

#include <stdlib.h>
#include <string.h>

void pci_config_init(struct pci_function *f, unsigned offset, unsigned size, uint32_t value,
                     uint32_t writable)
{
    pci_bytes_set(f->config, offset, size, value);
    pci_bytes_set(f->writable, offset, size, writable);
}

uint32_t pci_config_get(const struct pci_function *f, unsigned offset, unsigned size)
{
    return pci_bytes_get(f->config, offset, size);
}

void pci_config_set(struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
    pci_bytes_set(f->config, offset, size, value);
}

static bool bar_is_memory(enum pci_bar_kind kind)
{
    return kind == PCI_BAR_MEM32 || kind == PCI_BAR_MEM64 || kind == PCI_BAR_MEM64_PREFETCH;
}

static bool bar_is_64(enum pci_bar_kind kind)
{
    return kind == PCI_BAR_MEM64 || kind == PCI_BAR_MEM64_PREFETCH;
}

static bool bar_is_sound(const struct pci_bar *bars, unsigned n)
{
    const struct pci_bar *bar = &bars[n];
    const uint64_t smallest = bar->kind == PCI_BAR_IO ? 4 : 16;
    uint64_t largest = UINT64_C(1) << 31;
    if (bar->kind == PCI_BAR_NONE)
        return true;
    if (bar->kind == PCI_BAR_IO)
        largest = 256;
    if (bar_is_64(bar->kind)) {
        largest = UINT64_C(1) << 40;
        if (n + 1 == PCI_BARS || bars[n + 1].kind != PCI_BAR_NONE)
            return false;
    }
    return bar->size >= smallest && bar->size <= largest && !(bar->size & (bar->size - 1)) &&
           bar->access_min && bar->access_max >= bar->access_min && bar->access_max <= 8;
}

/* The bits below the size read as 0 whatever is written: that is how a guest finds the size. */
static void init_bar(struct pci_function *f, unsigned n)
{
    const struct pci_bar *bar = &f->bars[n];
    const unsigned offset = PCI_BAR0 + 4 * n;
    const uint64_t address = ~(bar->size - 1);
    switch (bar->kind) {
    case PCI_BAR_NONE:
        break;
    case PCI_BAR_IO:
        pci_config_init(f, offset, 4, PCI_BAR_SPACE_IO, (uint32_t)address);
        break;
    case PCI_BAR_MEM32:
        pci_config_init(f, offset, 4, 0, (uint32_t)address);
        break;
    case PCI_BAR_MEM64:
    case PCI_BAR_MEM64_PREFETCH:
        pci_config_init(f, offset, 4,
                        PCI_BAR_TYPE_64 |
                            (bar->kind == PCI_BAR_MEM64_PREFETCH ? PCI_BAR_PREFETCHABLE : 0),
                        (uint32_t)address);
        pci_config_init(f, offset + 4, 4, 0, (uint32_t)(address >> 32));
        break;
    }
}

static uint32_t command_writable(const struct pci_function_config *config)
{
    uint32_t bits = PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR;
    if (config->interrupt_pin)
        bits |= PCI_COMMAND_INTX_DISABLE;
    for (unsigned n = 0; n < PCI_BARS; n++) {
        if (config->bars[n].kind == PCI_BAR_IO)
            bits |= PCI_COMMAND_IO;
        else if (bar_is_memory(config->bars[n].kind))
            bits |= PCI_COMMAND_MEMORY;
    }
    return bits;
}

struct pci_function *pci_function_alloc(const struct pci_function_config *config, struct error *err)
{
    struct pci_function *f = calloc(1, sizeof(*f));
    if (!f) {
        error_set(err, "%s: out of memory", config->ops->name);
        return NULL;
    }
    f->ops = config->ops;
    f->state = config->state;
    memcpy(f->bars, config->bars, sizeof(f->bars));
    f->pin = config->interrupt_pin;
    f->conventional = config->conventional;
    pthread_mutex_init(&f->lock, NULL);
    f->capability_end = PCI_CONFIG_HEADER_SIZE;
    f->last_capability = PCI_CAPABILITY_LIST;
    pci_config_init(f, PCI_VENDOR_ID, 2, config->ids.vendor, 0);
    pci_config_init(f, PCI_DEVICE_ID, 2, config->ids.device, 0);
    pci_config_init(f, PCI_COMMAND, 2, 0, command_writable(config));
    pci_bytes_set(f->clear, PCI_STATUS, 2, PCI_STATUS_ERRORS);
    pci_config_init(f, PCI_REVISION_ID, 1, config->ids.revision, 0);
    pci_config_init(f, PCI_CLASS_CODE, 3, config->ids.class_code, 0);
    pci_config_init(f, PCI_CACHE_LINE_SIZE, 1, 0, 0xff);
    pci_config_init(f, PCI_INTERRUPT_LINE, 1, 0, 0xff);
    pci_config_init(f, PCI_INTERRUPT_PIN, 1, config->interrupt_pin, 0);
    return f;
}

struct pci_function *pci_function_new(const struct pci_function_config *config, struct error *err)
{
    for (unsigned n = 0; n < PCI_BARS; n++) {
        if (!bar_is_sound(config->bars, n)) {
            error_set(err, "%s: BAR %u cannot be like that", config->ops->name, n);
            return NULL;
        }
    }
    struct pci_function *f = pci_function_alloc(config, err);
    if (!f)
        return NULL;
    pci_config_init(f, PCI_SUBSYSTEM_VENDOR_ID, 2, config->ids.subsystem_vendor, 0);
    pci_config_init(f, PCI_SUBSYSTEM_ID, 2, config->ids.subsystem, 0);
    for (unsigned n = 0; n < PCI_BARS; n++)
        init_bar(f, n);
    return f;
}

void pci_function_free(struct pci_function *f)
{
    if (!f)
        return;
    if (f->ops->remove)
        f->ops->remove(f->state);
    pthread_mutex_destroy(&f->lock);
    free(f->msix.entries);
    free(f->msix.pending_bits);
    free(f->secondary);
    free(f);
}

/*
 * Capabilities
 */

unsigned pci_capability_add(struct pci_function *f, enum pci_capability_id id, unsigned size,
                            const void *body, const void *writable)
{
    const unsigned at = f->capability_end, end = at + ((size + 3) & ~3u);
    if (size < 2 || end > PCI_CONFIG_SIZE)
        return 0;
    f->config[at] = (uint8_t)id;
    f->config[f->last_capability] = (uint8_t)at;
    f->last_capability = at + 1;
    f->capability_end = end;
    if (body)
        memcpy(&f->config[at + 2], body, size - 2);
    if (writable)
        memcpy(&f->writable[at + 2], writable, size - 2);
    memset(&f->owned[at], 1, size);
    pci_bytes_set(f->config, PCI_STATUS, 2,
                  pci_bytes_get(f->config, PCI_STATUS, 2) | PCI_STATUS_CAP_LIST);
    return at;
}

/* A capability whose registers are ours and not the device's. */
static unsigned add_own(struct pci_function *f, enum pci_capability_id id, unsigned size)
{
    unsigned at = pci_capability_add(f, id, size, NULL, NULL);
    if (at)
        memset(&f->owned[at], 0, size);
    return at;
}

bool pci_msi_init(struct pci_function *f, unsigned vectors)
{
    if (!vectors || vectors > 32 || vectors & (vectors - 1) || f->msi.capability)
        return false;
    unsigned at = add_own(f, PCI_CAP_MSI, PCI_MSI_SIZE);
    if (!at)
        return false;
    uint32_t capable = (uint32_t)__builtin_ctz(vectors) << PCI_MSI_CAPABLE_SHIFT;
    pci_config_init(f, at + PCI_MSI_CONTROL, 2, PCI_MSI_64BIT | PCI_MSI_MASKING | capable,
                    PCI_MSI_ENABLE | 7u << PCI_MSI_ENABLED_SHIFT);
    pci_config_init(f, at + PCI_MSI_ADDRESS, 4, 0, ~3u);
    pci_config_init(f, at + PCI_MSI_ADDRESS + 4, 4, 0, ~0u);
    pci_config_init(f, at + PCI_MSI_DATA, 2, 0, 0xffff);
    pci_config_init(f, at + PCI_MSI_MASK, 4, 0, vectors == 32 ? ~0u : (1u << vectors) - 1);
    f->msi.capability = at;
    f->msi.vectors = vectors;
    return true;
}

static bool overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

bool pci_msix_init(struct pci_function *f, unsigned vectors, unsigned bar, uint32_t table,
                   uint32_t pending)
{
    const uint64_t table_size = UINT64_C(16) * vectors, pending_size = (vectors + 63) / 64 * 8;
    if (!vectors || vectors > PCI_MSIX_VECTORS_MAX || bar >= PCI_BARS || f->msix.capability ||
        !bar_is_memory(f->bars[bar].kind) || table % 8 || pending % 8 ||
        table + table_size > f->bars[bar].size || pending + pending_size > f->bars[bar].size ||
        overlap(table, table_size, pending, pending_size))
        return false;
    struct pci_msix *x = &f->msix;
    x->entries = calloc(vectors, sizeof(*x->entries));
    x->pending_bits = calloc((vectors + 63) / 64, sizeof(*x->pending_bits));
    unsigned at = x->entries && x->pending_bits ? add_own(f, PCI_CAP_MSIX, PCI_MSIX_SIZE) : 0;
    if (!at)
        return false; /* pci_function_free frees them */
    pci_config_init(f, at + PCI_MSIX_CONTROL, 2, vectors - 1, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
    pci_config_init(f, at + PCI_MSIX_TABLE, 4, table | bar, 0);
    pci_config_init(f, at + PCI_MSIX_PENDING, 4, pending | bar, 0);
    x->capability = at;
    x->vectors = vectors;
    x->bar = bar;
    x->table = table;
    x->pending = pending;
    pci_messages_reset(f);
    return true;
}

/*
 * A link of 2.5 GT/s and one lane, up at once: what is reported is never waited for by anything. That it
 * is up is for the port above it to say (7.5.3.6).
 */
static void init_link(struct pci_function *f, unsigned at, bool is_port)
{
    const uint32_t speed = 1, width = 1u << 4;
    pci_config_init(f, at + PCI_EXPRESS_LINK_CAP, 4,
                    speed | width | (is_port ? PCI_LINK_CAP_ACTIVE_REPORTING : 0), 0);
    pci_config_init(f, at + PCI_EXPRESS_LINK_CONTROL, 2, 0, 0x00cb);
    pci_config_init(f, at + PCI_EXPRESS_LINK_STATUS, 2,
                    speed | width | (is_port ? PCI_LINK_STATUS_ACTIVE : 0), 0);
    pci_config_init(f, at + PCI_EXPRESS_LINK_CONTROL2, 2, speed, 0xf);
}

void pci_express_init(struct pci_function *f, enum pci_express_type type)
{
    const uint32_t role_based_errors = 1u << 15;
    unsigned at = add_own(f, PCI_CAP_EXPRESS, PCI_EXPRESS_SIZE);
    if (!at)
        return; /* a function without it is a conventional one, which is allowed */
    uint32_t slot = type == PCI_EXPRESS_ROOT_PORT ? 1u << 8 : 0;
    pci_config_init(f, at + PCI_EXPRESS_FLAGS, 2, 2u | (uint32_t)type << 4 | slot, 0);
    pci_config_init(f, at + PCI_EXPRESS_DEVICE_CAP, 4, role_based_errors, 0);
    pci_config_init(f, at + PCI_EXPRESS_DEVICE_CONTROL, 2, 0x2810, 0x78ff); /* 512 byte reads */
    pci_bytes_set(f->clear, at + PCI_EXPRESS_DEVICE_STATUS, 2, 0xf);
    if (type != PCI_EXPRESS_ROOT_ENDPOINT)
        init_link(f, at, type == PCI_EXPRESS_ROOT_PORT);
    if (type == PCI_EXPRESS_ROOT_PORT) {
        /* The slot is for ever full: neither hot-plug nor a button, so no events and no controls. */
        pci_config_init(f, at + PCI_EXPRESS_SLOT_CAP, 4, f->devfn << PCI_SLOT_CAP_NUMBER_SHIFT, 0);
        pci_config_init(f, at + PCI_EXPRESS_SLOT_STATUS, 2, PCI_SLOT_PRESENT, 0);
        pci_config_init(f, at + PCI_EXPRESS_ROOT_CONTROL, 2, 0, 0xf);
    }
    if (f->slot)
        pci_slot_init(f, at);
}

void pci_function_reset_config(struct pci_function *f)
{
    memcpy(f->config, f->initial, sizeof(f->config));
    pthread_mutex_lock(&f->lock);
    f->intx_level = false; /* messages have hidden it, and the device may take its time */
    pthread_mutex_unlock(&f->lock);
    pci_messages_reset(f);
    pci_messages_written(f);
}
