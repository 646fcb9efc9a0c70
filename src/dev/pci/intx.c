/* SPDX-License-Identifier: MPL-2.0 */
/*
 * INTx: four wires for all functions. A function's pin is turned by its device number at each bridge
 * on the way and at the root (PCI-to-PCI Bridge 1.2, 9.1; the host bridge's interrupt-map says the
 * same), so that functions with the same pin share evenly. A wire is up while any function holds it.
 */
#include "dev/pci/function.h"

static unsigned wire_of(const struct pci_function *f)
{
    unsigned wire = f->pin - 1;
    for (; f; f = f->bus->bridge)
        wire += f->devfn >> 3;
    return wire % PCI_WIRES;
}

/* The line is set under the lock, so that the last change is also the last that is told. */
static void drive(struct pci_host *host, unsigned wire, bool level)
{
    pthread_mutex_lock(&host->wires_lock);
    unsigned before = host->wire_users[wire], after = level ? before + 1 : before - 1;
    host->wire_users[wire] = after;
    if (!before != !after)
        irq_set(&host->config.intx[wire], after);
    pthread_mutex_unlock(&host->wires_lock);
}

void pci_intx_update(struct pci_function *f)
{
    bool driven = f->intx_level && !f->intx_hidden;
    if (driven == f->intx_driven || !f->host || !f->pin)
        return;
    f->intx_driven = driven;
    drive(f->host, wire_of(f), driven);
}

void pci_intx_set(struct pci_function *f, bool level)
{
    pthread_mutex_lock(&f->lock);
    f->intx_level = level;
    pci_intx_update(f);
    pthread_mutex_unlock(&f->lock);
}
