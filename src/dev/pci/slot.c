/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Slots: see slot.h. The registers are those of a slot that has everything but a latch (Express Base 4.0,
 * 7.5.3.9 to 7.5.3.11), so that systems find what they know from cases with hot plug.
 *
 * A card is there for config space, addresses and memory while there is a link: while it is in, the guest
 * has the power on and the link is not disabled. Power that goes off resets it. A write of the control
 * register is a command, which is done at once and reported as done.
 *
 * A driver that has lost a card is busy for a second: it switches the power off, waits, and then the light,
 * and forgets what happens meanwhile. So a card that comes then is held in front of the slot until the light
 * is off.
 *
 * A new card is told of as a change of presence and of the link. Linux asks to hear of the button or of
 * presence, not of both, but always of the link. A press on the button would do; but if the driver had found
 * the card by itself just before, it would be a wish to have it out.
 */
#include "dev/pci/slot.h"

#include "dev/pci/function.h"
#include <stdio.h>
#include <stdlib.h>

struct pci_slot {
    struct pci_slot_config config;
    struct pci_function *port;
    struct pci_bus *bus;
    unsigned express; /* the port's capability: offset in config space */

    /* Under config_lock: */
    bool link;                    /* as the guest was last told */
    bool asked;                   /* somebody wants the card */
    bool wire;                    /* there is something to tell */
    struct pci_function *waiting; /* in front of the slot; NULL: none */
};

static const uint32_t capabilities =
    PCI_SLOT_CAP_BUTTON | PCI_SLOT_CAP_POWER_CONTROL | PCI_SLOT_CAP_ATTENTION_INDICATOR |
    PCI_SLOT_CAP_POWER_INDICATOR | PCI_SLOT_CAP_SURPRISE | PCI_SLOT_CAP_HOT_PLUG;

static uint32_t get(const struct pci_slot *s, unsigned reg)
{
    return pci_bytes_get(s->port->config, s->express + reg, 2);
}

static void set(struct pci_slot *s, unsigned reg, uint32_t value)
{
    pci_bytes_set(s->port->config, s->express + reg, 2, value);
}

static struct pci_function *card(const struct pci_slot *s)
{
    return s->bus->functions[0];
}

static bool is_on(const struct pci_slot *s)
{
    return !(get(s, PCI_EXPRESS_SLOT_CONTROL) & PCI_SLOT_CONTROL_POWER_OFF);
}

/* The guest has a driver that hears of events. */
static bool is_driven(const struct pci_slot *s)
{
    return get(s, PCI_EXPRESS_SLOT_CONTROL) & PCI_SLOT_CONTROL_INTERRUPT;
}

/* The guest neither uses a card here nor is about to. */
static bool is_idle(const struct pci_slot *s)
{
    const uint32_t control = get(s, PCI_EXPRESS_SLOT_CONTROL);
    return !is_on(s) && (control & PCI_SLOT_CONTROL_INDICATOR) == PCI_SLOT_CONTROL_INDICATOR_OFF;
}

bool pci_slot_has_link(const struct pci_slot *s)
{
    return s->link;
}

/* Tells of what has happened and was not taken note of yet, as far as the guest wants to hear it. */
static void update_interrupt(struct pci_slot *s)
{
    const uint32_t control = get(s, PCI_EXPRESS_SLOT_CONTROL);
    const uint32_t status = get(s, PCI_EXPRESS_SLOT_STATUS);
    const bool due = (status & control & 0x1f) ||
                     (status & PCI_SLOT_LINK_CHANGED && control & PCI_SLOT_CONTROL_LINK_ENABLE);
    const bool wire = due && control & PCI_SLOT_CONTROL_INTERRUPT;
    pci_intx_set(s->port, wire);
    if (wire && !s->wire)
        pci_interrupt(s->port, 0);
    s->wire = wire;
}

static void note(struct pci_slot *s, uint32_t events)
{
    set(s, PCI_EXPRESS_SLOT_STATUS, get(s, PCI_EXPRESS_SLOT_STATUS) | events);
}

/* Whether there is a link follows from card, power and the guest's wish. */
static void update_link(struct pci_slot *s)
{
    const bool disabled = get(s, PCI_EXPRESS_LINK_CONTROL) & PCI_LINK_CONTROL_DISABLE;
    const bool link = card(s) && is_on(s) && !disabled;
    const uint32_t status = get(s, PCI_EXPRESS_LINK_STATUS) & ~PCI_LINK_STATUS_ACTIVE;
    set(s, PCI_EXPRESS_LINK_STATUS, status | (link ? PCI_LINK_STATUS_ACTIVE : 0));
    if (link == s->link)
        return;
    s->link = link;
    note(s, PCI_SLOT_LINK_CHANGED);
    pci_topology_changed(s->port->host);
    if (!link && card(s))
        pci_bus_reset(s->bus);
}

static void show_card(struct pci_slot *s)
{
    const uint32_t status = get(s, PCI_EXPRESS_SLOT_STATUS) & ~PCI_SLOT_PRESENT;
    set(s, PCI_EXPRESS_SLOT_STATUS, status | (card(s) ? PCI_SLOT_PRESENT : 0));
}

/* Who asked for the card gets it when power and light are off: the guest has said that it is done. */
static void update_wish(struct pci_slot *s)
{
    if (s->asked && card(s) && is_idle(s))
        s->config.off(s->config.ctx);
}

/* The card in front of the slot goes in. Its room was reserved, so that does not fail. */
static bool put_in(struct pci_slot *s, struct error *err)
{
    struct pci_function *f = s->waiting;
    s->waiting = NULL;
    if (!pci_plug_at(s->bus, f, 0, err))
        return false;
    pci_bus_reset(s->bus);
    show_card(s);
    note(s, PCI_SLOT_PRESENCE_CHANGED | PCI_SLOT_LINK_CHANGED);
    return true;
}

void pci_slot_written(struct pci_function *port, unsigned offset, unsigned size)
{
    struct pci_slot *s = port->slot;
    const unsigned control = s->express + PCI_EXPRESS_SLOT_CONTROL;
    if (offset >= s->express + PCI_EXPRESS_SIZE || offset + size <= s->express)
        return;
    if (offset < control + 2 && control < offset + size)
        note(s, PCI_SLOT_COMMAND_DONE);
    if (s->waiting && (is_idle(s) || !is_driven(s)))
        put_in(s, NULL);
    update_link(s);
    update_wish(s);
    update_interrupt(s);
}

void pci_slot_init(struct pci_function *port, unsigned capability)
{
    struct pci_slot *s = port->slot;
    s->port = port;
    s->express = capability;
    pci_config_init(port, capability + PCI_EXPRESS_SLOT_CAP, 4,
                    capabilities | s->config.number << PCI_SLOT_CAP_NUMBER_SHIFT, 0);
    pci_config_init(port, capability + PCI_EXPRESS_SLOT_CONTROL, 2,
                    PCI_SLOT_CONTROL_ATTENTION_OFF | PCI_SLOT_CONTROL_INDICATOR_OFF,
                    PCI_SLOT_CONTROL_WRITABLE);
    pci_config_init(port, capability + PCI_EXPRESS_SLOT_STATUS, 2, 0, 0);
    pci_bytes_set(port->clear, capability + PCI_EXPRESS_SLOT_STATUS, 2, PCI_SLOT_EVENTS);
    port->writable[capability + PCI_EXPRESS_LINK_CONTROL] |= PCI_LINK_CONTROL_DISABLE;
    set(s, PCI_EXPRESS_LINK_STATUS, get(s, PCI_EXPRESS_LINK_STATUS) & ~PCI_LINK_STATUS_ACTIVE);
}

/* The switch is on, with a card or without: so firmware finds one that is in, and systems without a driver
 * for slots one that comes. */
static void set_power_on(struct pci_slot *s)
{
    set(s, PCI_EXPRESS_SLOT_CONTROL,
        PCI_SLOT_CONTROL_ATTENTION_OFF |
            (card(s) ? PCI_SLOT_CONTROL_INDICATOR_ON : PCI_SLOT_CONTROL_INDICATOR_OFF));
}

/* A card that somebody has asked for is not shown again: it has no power. */
static void slot_reset(void *state)
{
    struct pci_slot *s = state;
    if (s->waiting)
        put_in(s, NULL);
    if (s->asked)
        set(s, PCI_EXPRESS_SLOT_CONTROL,
            PCI_SLOT_CONTROL_ATTENTION_OFF | PCI_SLOT_CONTROL_INDICATOR_OFF |
                PCI_SLOT_CONTROL_POWER_OFF);
    else
        set_power_on(s);
    set(s, PCI_EXPRESS_SLOT_STATUS, 0);
    show_card(s);
    s->link = card(s) && is_on(s);
    update_link(s);
    update_wish(s);
    update_interrupt(s);
}

static void slot_remove(void *state)
{
    struct pci_slot *s = state;
    pci_function_free(s->waiting);
    free(s);
}

static const struct pci_function_ops slot_ops = {
    .name = "pci-slot",
    .reset = slot_reset,
    .remove = slot_remove,
};

struct pci_slot *pci_slot_new(struct pci_bus *root, const struct pci_slot_config *config,
                              struct error *err)
{
    struct pci_slot *s = calloc(1, sizeof(*s));
    struct pci_function_config port = {
        .ops = &slot_ops,
        .state = s,
        .ids = {.vendor = 0x1b36, .device = 0x000c, .class_code = 0x060400},
    };
    unsigned devfn;
    if (!s) {
        error_set(err, "pci: out of memory");
        return NULL;
    }
    s->config = *config;
    /* Room for the card: when one comes, harts may be running. */
    if (!pci_free_port(root, &devfn, err) || !pci_host_reserve(root->host, err)) {
        free(s);
        return NULL;
    }
    /* Not INTA, which is the card's: Linux removes a card's driver on the interrupt thread of its port, and some
     * drivers then wait for all threads of their own interrupt. */
    port.interrupt_pin = (uint8_t)(2 + devfn % (PCI_WIRES - 1));
    struct pci_bus *bus = pci_bridge_make(root, devfn, &port, s, err);
    if (!bus)
        return NULL; /* and the slot is gone with its port */
    s->bus = bus;
    return s;
}

/*
 * Cards
 */

bool pci_slot_insert(struct pci_slot *s, struct pci_function *f, struct error *err)
{
    struct pci_host *host = s->port->host;
    if (!f)
        return false;
    pthread_mutex_lock(&host->config_lock);
    bool ok = !s->waiting && !card(s);
    if (ok) {
        s->waiting = f;
        s->asked = false;
        if (is_idle(s) || !is_driven(s))
            ok = put_in(s, err);
        update_link(s);
        update_interrupt(s);
    } else {
        error_set(err, "slot %u: is taken", s->config.number);
        pci_function_free(f);
    }
    pthread_mutex_unlock(&host->config_lock);
    return ok;
}

/* While the light blinks the guest is about it, and a second press would mean: leave it. */
static void press_button(struct pci_slot *s)
{
    const uint32_t light = get(s, PCI_EXPRESS_SLOT_CONTROL) & PCI_SLOT_CONTROL_INDICATOR;
    if (s->asked && light == PCI_SLOT_CONTROL_INDICATOR_BLINKS)
        return;
    s->asked = true;
    note(s, PCI_SLOT_BUTTON);
    update_interrupt(s);
}

enum pci_slot_answer pci_slot_ask(struct pci_slot *s)
{
    struct pci_host *host = s->port->host;
    enum pci_slot_answer answer = PCI_SLOT_FREE;
    pthread_mutex_lock(&host->config_lock);
    if (card(s) && !is_idle(s)) {
        if (is_driven(s))
            answer = PCI_SLOT_ASKED;
        else if (pci_is_master(card(s)))
            answer = PCI_SLOT_DEAF;
    }
    if (answer == PCI_SLOT_ASKED)
        press_button(s);
    pthread_mutex_unlock(&host->config_lock);
    return answer;
}

void pci_slot_address(struct pci_slot *s, char text[PCI_SLOT_ADDRESS_SIZE])
{
    struct pci_host *host = s->port->host;
    pthread_mutex_lock(&host->config_lock);
    snprintf(text, PCI_SLOT_ADDRESS_SIZE, "0000:%02x:00.0",
             pci_bytes_get(s->port->config, PCI_SECONDARY_BUS, 1));
    pthread_mutex_unlock(&host->config_lock);
}

static void pull_out(struct pci_slot *s, struct pci_function *f)
{
    pci_unplug(f);
    show_card(s);
    note(s, PCI_SLOT_PRESENCE_CHANGED);
    if (!is_driven(s))
        set_power_on(s);
    update_link(s);
    if (f->ops->reset)
        f->ops->reset(f->state);
    update_interrupt(s);
}

struct pci_function *pci_slot_take(struct pci_slot *s)
{
    struct pci_host *host = s->port->host;
    pthread_mutex_lock(&host->config_lock);
    struct pci_function *f = s->waiting ? s->waiting : card(s);
    s->asked = false;
    if (f && f == card(s))
        pull_out(s, f);
    s->waiting = NULL;
    pthread_mutex_unlock(&host->config_lock);
    return f;
}
