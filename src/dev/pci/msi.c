/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Message Signaled Interrupts: MSI and MSI-X (Local Bus 3.0, 6.8). A message is a write of four bytes
 * to an address of the guest's choice. It goes to the interrupt controller that takes messages, or
 * to main memory as any write of a device, and to nothing else: a guest cannot have one of its
 * devices write to the registers of another.
 *
 * Messages are sent under the function's lock, so that none comes after the guest has masked it.
 */
#include "dev/pci/function.h"

#include <string.h>

enum { ENTRY_ADDRESS, ENTRY_ADDRESS_UPPER, ENTRY_DATA, ENTRY_CONTROL };
#define ENTRY_MASKED 1u
#define ENTRY_SIZE 16

static void send(struct pci_function *f, uint64_t address, uint32_t data)
{
    const struct pci_msi_target *target = &f->host->config.msi;
    const uint8_t bytes[4] = {(uint8_t)data, (uint8_t)(data >> 8), (uint8_t)(data >> 16),
                              (uint8_t)(data >> 24)};
    if (!pci_is_master(f))
        return; /* a message is a write like others */
    if (target->send && target->send(target->ctx, address, data))
        return;
    if (!pci_dma_write(f, address, bytes, sizeof(bytes)))
        log_line(pci_log(f), LOG_GUEST, "%s: a message to 0x%llx: nobody takes it there",
                 f->ops->name, (unsigned long long)address);
}

/*
 * MSI. Under the function's lock, as all of MSI-X.
 */

static void msi_send(struct pci_function *f, unsigned vector)
{
    struct pci_msi *msi = &f->msi;
    /* With fewer messages than vectors, the last vectors share: 6.8.1.3 lets the device choose. */
    if (vector >= msi->used)
        vector = msi->used - 1;
    if (msi->mask >> vector & 1)
        msi->pending |= 1u << vector;
    else
        send(f, msi->address, (msi->data & ~(msi->used - 1)) | vector);
}

static void msi_take(struct pci_function *f)
{
    struct pci_msi *msi = &f->msi;
    const unsigned at = msi->capability;
    const uint32_t control = pci_bytes_get(f->config, at + PCI_MSI_CONTROL, 2);
    unsigned used = 1u << (control >> PCI_MSI_ENABLED_SHIFT & 7);
    if (used > msi->vectors)
        used = msi->vectors;
    msi->used = control & PCI_MSI_ENABLE ? used : 0;
    msi->address = (uint64_t)pci_bytes_get(f->config, at + PCI_MSI_ADDRESS + 4, 4) << 32 |
                   pci_bytes_get(f->config, at + PCI_MSI_ADDRESS, 4);
    msi->data = pci_bytes_get(f->config, at + PCI_MSI_DATA, 2);
    msi->mask = pci_bytes_get(f->config, at + PCI_MSI_MASK, 4);
    uint32_t due = msi->used ? msi->pending & ~msi->mask : 0;
    msi->pending &= ~due;
    for (; due; due &= due - 1)
        msi_send(f, (unsigned)__builtin_ctz(due));
}

uint32_t pci_msi_pending(struct pci_function *f)
{
    pthread_mutex_lock(&f->lock);
    uint32_t pending = f->msi.pending;
    pthread_mutex_unlock(&f->lock);
    return pending;
}

/*
 * MSI-X
 */

static void msix_send(struct pci_function *f, unsigned vector)
{
    struct pci_msix *x = &f->msix;
    if (vector >= x->vectors)
        return;
    const uint32_t *words = x->entries[vector].words;
    const uint64_t bit = UINT64_C(1) << vector % 64;
    if (x->masked || words[ENTRY_CONTROL] & ENTRY_MASKED) {
        x->pending_bits[vector / 64] |= bit;
        return;
    }
    x->pending_bits[vector / 64] &= ~bit;
    send(f, (uint64_t)words[ENTRY_ADDRESS_UPPER] << 32 | words[ENTRY_ADDRESS], words[ENTRY_DATA]);
}

static void msix_send_if_pending(struct pci_function *f, unsigned vector)
{
    struct pci_msix *x = &f->msix;
    if (x->enabled && x->pending_bits[vector / 64] >> vector % 64 & 1)
        msix_send(f, vector);
}

static void msix_take(struct pci_function *f)
{
    struct pci_msix *x = &f->msix;
    const uint32_t control = pci_bytes_get(f->config, x->capability + PCI_MSIX_CONTROL, 2);
    const bool closed = !x->enabled || x->masked;
    x->enabled = control & PCI_MSIX_ENABLE;
    x->masked = control & PCI_MSIX_MASK_ALL;
    for (unsigned v = 0; closed && x->enabled && !x->masked && v < x->vectors; v++)
        msix_send_if_pending(f, v);
}

static bool in_table(const struct pci_msix *x, uint64_t offset)
{
    return offset - x->table < ENTRY_SIZE * x->vectors;
}

bool pci_msix_covers(const struct pci_function *f, unsigned bar, uint64_t offset)
{
    const struct pci_msix *x = &f->msix;
    return x->capability && bar == x->bar &&
           (in_table(x, offset) || offset - x->pending < (x->vectors + 63) / 64 * 8);
}

static uint32_t msix_read_word(const struct pci_msix *x, uint64_t offset)
{
    if (in_table(x, offset)) {
        uint64_t place = offset - x->table;
        return x->entries[place / ENTRY_SIZE].words[place % ENTRY_SIZE / 4];
    }
    uint64_t place = offset - x->pending;
    return (uint32_t)(x->pending_bits[place / 8] >> 8 * (place & 4));
}

static void msix_write_word(struct pci_function *f, uint64_t offset, uint32_t value)
{
    struct pci_msix *x = &f->msix;
    if (!in_table(x, offset))
        return; /* the pending bits are read-only */
    unsigned vector = (unsigned)((offset - x->table) / ENTRY_SIZE);
    uint32_t *words = x->entries[vector].words;
    switch ((offset - x->table) % ENTRY_SIZE / 4) {
    case ENTRY_ADDRESS:
        words[ENTRY_ADDRESS] = value & ~3u;
        break;
    case ENTRY_CONTROL:
        words[ENTRY_CONTROL] = value & ENTRY_MASKED;
        msix_send_if_pending(f, vector);
        break;
    default:
        words[(offset - x->table) % ENTRY_SIZE / 4] = value;
    }
}

/* 6.8.2: software shall use aligned accesses of 4 or 8 bytes; others do nothing here. */
uint64_t pci_msix_read(struct pci_function *f, uint64_t offset, unsigned size)
{
    if (size < 4)
        return 0;
    pthread_mutex_lock(&f->lock);
    uint64_t value = msix_read_word(&f->msix, offset);
    if (size == 8)
        value |= (uint64_t)msix_read_word(&f->msix, offset + 4) << 32;
    pthread_mutex_unlock(&f->lock);
    return value;
}

void pci_msix_write(struct pci_function *f, uint64_t offset, unsigned size, uint64_t value)
{
    if (size < 4)
        return;
    pthread_mutex_lock(&f->lock);
    msix_write_word(f, offset, (uint32_t)value);
    if (size == 8)
        msix_write_word(f, offset + 4, (uint32_t)(value >> 32));
    pthread_mutex_unlock(&f->lock);
}

/*
 * Both
 */

void pci_messages_written(struct pci_function *f)
{
    pthread_mutex_lock(&f->lock);
    if (f->msi.capability)
        msi_take(f);
    if (f->msix.capability)
        msix_take(f);
    bool messages = f->msi.used || f->msix.enabled;
    atomic_store(&f->messages, messages);
    f->intx_hidden =
        messages || pci_bytes_get(f->config, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE;
    pci_intx_update(f);
    pthread_mutex_unlock(&f->lock);
}

/* Vectors begin masked; address and data are as they happen to be, which is 0 here. */
void pci_messages_reset(struct pci_function *f)
{
    pthread_mutex_lock(&f->lock);
    f->msi.pending = 0;
    for (unsigned v = 0; v < f->msix.vectors; v++)
        f->msix.entries[v] = (struct pci_msix_entry){{[ENTRY_CONTROL] = ENTRY_MASKED}};
    if (f->msix.vectors)
        memset(f->msix.pending_bits, 0, (f->msix.vectors + 63) / 64 * sizeof(uint64_t));
    pthread_mutex_unlock(&f->lock);
}

bool pci_messages_enabled(const struct pci_function *f)
{
    return atomic_load(&f->messages);
}

void pci_interrupt(struct pci_function *f, unsigned vector)
{
    if (!pci_messages_enabled(f))
        return;
    pthread_mutex_lock(&f->lock);
    if (f->msix.enabled)
        msix_send(f, vector);
    else if (f->msi.used)
        msi_send(f, vector);
    pthread_mutex_unlock(&f->lock);
}
