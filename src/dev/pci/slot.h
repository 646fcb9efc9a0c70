/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Slots of PCI Express whose cards come and go while the machine runs (Express Base 4.0, 6.7): a root
 * port each, with a button, a power switch in the guest's hand and two lights.
 *
 *     struct pci_slot *slot = pci_slot_new(root, &config, err);      before the machine runs
 *     pci_slot_insert(slot, function, err);      the guest switches it on and finds it
 *     pci_slot_ask(slot);                        presses the button: config.off is called when ...
 *     function = pci_slot_take(slot);            ... the guest has switched it off; or by surprise
 *     ... all harts have rested once ...
 *     pci_function_free(function);
 *
 * Any thread may call these; none waits for a hart. One card is put in or taken out at a time.
 */
#ifndef RVVM_DEV_PCI_SLOT_H
#define RVVM_DEV_PCI_SLOT_H

#include "dev/pci/pci.h"

struct pci_slot;

struct pci_slot_config {
    unsigned number; /* as printed on the case: what the guest calls it; not 0, not another's */
    /* Somebody has asked for the card, and the guest uses it no more. A hart's thread, or the one that resets
     * the machine, under the lock of config space: it may take note, no more. */
    void (*off)(void *ctx);
    void *ctx;
};

/* The root bus has it. NULL: err says why. */
struct pci_slot *pci_slot_new(struct pci_bus *root, const struct pci_slot_config *config,
                              struct error *err);

/* An empty slot gets a card. It takes over f, also when it fails; f may be NULL (its constructor failed). */
bool pci_slot_insert(struct pci_slot *slot, struct pci_function *f, struct error *err);

enum pci_slot_answer {
    PCI_SLOT_FREE, /* the guest does not use the card, if there is one: it can be taken at once */
    PCI_SLOT_ASKED, /* the guest's driver for slots has been asked: config.off will be called, or not */
    PCI_SLOT_DEAF, /* the guest uses the card and has no such driver */
};

/* Asks the guest to let go of the card, by the button; once more does no harm. */
enum pci_slot_answer pci_slot_ask(struct pci_slot *slot);

#define PCI_SLOT_ADDRESS_SIZE 16
/* Where the guest has the card, as Linux writes it: "0000:01:00.0". */
void pci_slot_address(struct pci_slot *slot, char text[PCI_SLOT_ADDRESS_SIZE]);

/* The card is out, whatever the guest was doing with it: its IO is ended. NULL: the slot was empty. Harts
 * that had found it before may still call it. */
struct pci_function *pci_slot_take(struct pci_slot *slot);

#endif
