/* SPDX-License-Identifier: MPL-2.0 */
/* Which interrupt controllers a board has: see interrupts.h. */
#include "dev/interrupts.h"

#include "dev/aplic.h"
#include "dev/imsic.h"
#include "dev/plic.h"
#include "machine/fdt.h"

_Static_assert(MACHINE_HARTS_MAX <= HART_WIRES_MAX, "controllers have room for all harts");

static bool add_plic(struct interrupts *all, struct machine *m, const struct hart_wires *wires,
                     struct error *err)
{
    const struct plic_config config = {.wires = *wires};
    all->wired = plic_new(&config, err);
    m->irq_controller = (struct machine_irq_controller){.phandle = DT_PLIC,
                                                        .cells = 1,
                                                        .line = plic_line,
                                                        .inputs = INTERRUPTS_INPUTS,
                                                        .dev = all->wired};
    return machine_add(m, all->wired, PLIC_BASE, err);
}

static bool add_imsic(struct interrupts *all, struct machine *m, const struct hart_wires *wires,
                      struct error *err)
{
    all->messages = imsic_new(wires, err);
    return machine_add(m, all->messages, IMSIC_M_BASE, err) &&
           machine_add(m, imsic_supervisor(all->messages), IMSIC_S_BASE, err);
}

static bool add_aplic(struct interrupts *all, struct machine *m, const struct hart_wires *wires,
                      struct error *err)
{
    const struct aplic_config config = {.wires = *wires, .messages = all->messages};
    all->wired = aplic_new(&config, err);
    if (!machine_add(m, all->wired, APLIC_M_BASE, err) ||
        !machine_add(m, aplic_supervisor(all->wired), APLIC_S_BASE, err))
        return false;
    m->irq_controller = (struct machine_irq_controller){.phandle = DT_APLIC_S,
                                                        .cells = 2,
                                                        .delegate = aplic_delegate,
                                                        .line = aplic_line,
                                                        .inputs = INTERRUPTS_INPUTS,
                                                        .dev = all->wired};
    return true;
}

bool interrupts_add(struct interrupts *all, struct machine *m, const struct hart_wires *wires,
                    enum board_aia kind, struct error *err)
{
    *all = (struct interrupts){.kind = kind};
    if (kind == BOARD_PLIC)
        return add_plic(all, m, wires, err);
    return (kind != BOARD_APLIC_IMSIC || add_imsic(all, m, wires, err)) &&
           add_aplic(all, m, wires, err);
}

struct irq_line interrupts_line(const struct interrupts *all, unsigned number)
{
    return all->kind == BOARD_PLIC ? plic_line(all->wired, number) : aplic_line(all->wired, number);
}

void interrupts_for_pci(const struct interrupts *all, struct pci_host_config *pci)
{
    for (unsigned i = 0; i < 4; i++)
        pci->intx[i] = interrupts_line(all, PCI_INTX_IRQ + i);
    pci->intx_parent = pci->machine->irq_controller.phandle;
    pci->intx_cells = pci->machine->irq_controller.cells;
    if (all->messages) {
        pci->msi = (struct pci_msi_target){imsic_send, all->messages};
        pci->msi_parent = DT_IMSIC_S;
    }
}
