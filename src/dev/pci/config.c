/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A guest's reads and writes of config space (Local Bus 3.0, chapter 6). Each byte has three masks:
 * bits that can be written, bits that a written 1 clears, and the rest, which stay. What a register
 * stands for follows from its new value, so that a write of one byte of it does what is right too.
 */
#include "dev/pci/function.h"

#define DWORD(offset) ((offset) & ~3u)

static bool touches(unsigned offset, unsigned size, unsigned first, unsigned length)
{
    return offset < first + length && first < offset + size;
}

static bool is_owned(const struct pci_function *f, unsigned offset, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        if (f->owned[offset + i])
            return true;
    return false;
}

/* Bytes that show a state that is kept elsewhere. */
static void refresh(struct pci_function *f, unsigned offset, unsigned size)
{
    if (touches(offset, size, PCI_STATUS, 1)) {
        pthread_mutex_lock(&f->lock);
        bool level = f->intx_level;
        pthread_mutex_unlock(&f->lock);
        f->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTERRUPT;
        f->config[PCI_STATUS] |= level ? PCI_STATUS_INTERRUPT : 0;
    }
    if (f->msi.capability && touches(offset, size, f->msi.capability + PCI_MSI_PENDING, 4))
        pci_bytes_set(f->config, f->msi.capability + PCI_MSI_PENDING, 4, pci_msi_pending(f));
    if (f->ops->config_read && is_owned(f, offset, size))
        f->ops->config_read(f->state, offset, size);
}

uint32_t pci_config_read(struct pci_function *f, unsigned offset, unsigned size)
{
    if (offset >= PCI_CONFIG_SIZE)
        return 0; /* no extended capability is there */
    refresh(f, offset, size);
    return pci_bytes_get(f->config, offset, size);
}

/* Registers of the header that say what is decoded where. */
static bool is_decoding(const struct pci_function *f, unsigned offset)
{
    unsigned dword = DWORD(offset);
    if (dword == PCI_COMMAND)
        return true;
    if (f->secondary)
        return dword >= PCI_BAR0 && dword <= PCI_PREFETCH_LIMIT_UPPER;
    return dword >= PCI_BAR0 && dword < PCI_BAR0 + 4 * PCI_BARS;
}

void pci_config_write(struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
    if (offset >= PCI_CONFIG_SIZE)
        return;
    uint32_t old = pci_bytes_get(f->config, offset, size);
    uint32_t old_control = pci_bytes_get(f->config, PCI_BRIDGE_CONTROL, 2);
    uint32_t writable = pci_bytes_get(f->writable, offset, size);
    uint32_t clear = pci_bytes_get(f->clear, offset, size);
    uint32_t now = ((old & ~writable) | (value & writable)) & ~(value & clear);
    pci_bytes_set(f->config, offset, size, now);
    if (now != old && is_decoding(f, offset))
        pci_topology_changed(f->host);
    if (DWORD(offset) == PCI_COMMAND || offset >= PCI_CONFIG_HEADER_SIZE)
        pci_messages_written(f);
    if (f->secondary && touches(offset, size, PCI_BRIDGE_CONTROL, 2))
        pci_bridge_written(f, old_control);
    if (f->slot)
        pci_slot_written(f, offset, size);
    if (f->ops->config_written && is_owned(f, offset, size))
        f->ops->config_written(f->state, offset, size);
}
