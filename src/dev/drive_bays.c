/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Drives in slots: see drive_bays.h.
 *
 * A card that is out may still be called by a hart that had found it just before. So all harts rest for a
 * moment before it is freed; that also is why a card whose power the guest switches off, on a hart, is taken
 * out on another thread.
 */
#include "dev/drive_bays.h"

#include "dev/pci/slot.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum bay_state { BAY_EMPTY, BAY_BUSY, BAY_FULL };

struct bay {
    struct drive_bays *all;
    struct pci_slot *slot;
    unsigned number;
    struct event_call off; /* the guest has let go of it */
    /* Under drive_bays.lock: */
    enum bay_state state;
    bool asked; /* the guest, for this drive */
    char *text; /* as shown; when FULL */
};

struct drive_bays {
    struct drive_bays_config config;
    pthread_mutex_t lock;    /* what the bays hold. May be taken before the lock of config space */
    pthread_mutex_t leaving; /* one at a time has the harts rest */
    struct bay bays[DRIVE_BAYS_MAX];
    unsigned count;
};

static void set_state(struct bay *bay, enum bay_state state, char *text)
{
    struct drive_bays *all = bay->all;
    pthread_mutex_lock(&all->lock);
    free(bay->text);
    bay->text = text;
    bay->state = state;
    bay->asked = false;
    pthread_mutex_unlock(&all->lock);
    if (all->config.changed)
        all->config.changed(all->config.ctx);
}

static void await_harts(struct drive_bays *all)
{
    pthread_mutex_lock(&all->leaving);
    machine_pause(all->config.machine, MACHINE_PAUSE_LEAVE);
    machine_resume(all->config.machine, MACHINE_PAUSE_LEAVE);
    pthread_mutex_unlock(&all->leaving);
}

/* The bay is BUSY: it is ours. */
static void take_out(struct bay *bay)
{
    struct pci_function *f = pci_slot_take(bay->slot);
    await_harts(bay->all);
    pci_function_free(f);
    log_line(bay->all->config.drives.log, LOG_INFO, "slot %u: the drive is out, its image closed",
             bay->number);
    set_state(bay, BAY_EMPTY, NULL);
}

/* Under config space's lock. */
static void on_off(void *ctx)
{
    struct bay *bay = ctx;
    event_call_post(&bay->off);
}

static void eject(void *ctx)
{
    struct bay *bay = ctx;
    pthread_mutex_lock(&bay->all->lock);
    const bool due = bay->state == BAY_FULL && bay->asked;
    if (due)
        bay->state = BAY_BUSY;
    pthread_mutex_unlock(&bay->all->lock);
    if (due)
        take_out(bay);
}

static struct bay *find_empty(struct drive_bays *all)
{
    struct bay *found = NULL;
    pthread_mutex_lock(&all->lock);
    for (unsigned i = 0; !found && i < all->count; i++)
        if (all->bays[i].state == BAY_EMPTY)
            found = &all->bays[i];
    if (found)
        found->state = BAY_BUSY;
    pthread_mutex_unlock(&all->lock);
    return found;
}

bool drive_bays_add(struct drive_bays *all, const struct drive *drive, unsigned *number,
                    struct error *err)
{
    char text[DRIVE_BAY_TEXT_SIZE];
    struct bay *bay = find_empty(all);
    if (!bay)
        return error_set(err, "%s: all %u slots have a drive", drive->image.path, all->count);
    snprintf(text, sizeof(text), "%s %s", drive_kind_name(drive->kind), drive->image.path);
    char *copy = strdup(text);
    bool ok = copy || error_set(err, "%s: out of memory", drive->image.path);
    ok = ok && pci_slot_insert(bay->slot, drive_function(drive, &all->config.drives, err), err);
    if (!ok)
        free(copy);
    else
        *number = bay->number;
    set_state(bay, ok ? BAY_FULL : BAY_EMPTY, ok ? copy : NULL);
    return ok;
}

static bool complain_of_deaf_guest(const struct bay *bay, struct error *err)
{
    char address[PCI_SLOT_ADDRESS_SIZE];
    pci_slot_address(bay->slot, address);
    return error_set(err,
                     "slot %u: the guest uses it and has no driver for slots: first, in the guest, "
                     "echo 1 >/sys/bus/pci/devices/%s/remove (or force it)",
                     bay->number, address);
}

/* Of a bay that is FULL, under the lock. *gone: it can be taken at once. */
static bool ask(struct bay *bay, bool force, bool *gone, struct error *err)
{
    enum pci_slot_answer answer = PCI_SLOT_FREE;
    if (!force && machine_is_powered(bay->all->config.machine))
        answer = pci_slot_ask(bay->slot);
    *gone = answer == PCI_SLOT_FREE;
    bay->asked = answer == PCI_SLOT_ASKED;
    return answer != PCI_SLOT_DEAF || complain_of_deaf_guest(bay, err);
}

bool drive_bays_remove(struct drive_bays *all, unsigned number, bool force, bool *gone,
                       struct error *err)
{
    if (number < 1 || number > all->count)
        return error_set(err, "slot %u: there are 1 to %u", number, all->count);
    struct bay *bay = &all->bays[number - 1];
    *gone = false;
    pthread_mutex_lock(&all->lock);
    bool ok = bay->state == BAY_FULL || error_set(err, "slot %u: there is no drive in it", number);
    ok = ok && ask(bay, force, gone, err);
    if (ok && *gone)
        bay->state = BAY_BUSY;
    pthread_mutex_unlock(&all->lock);
    if (ok && *gone)
        take_out(bay);
    return ok;
}

bool drive_bays_show(struct drive_bays *all, unsigned number, char text[DRIVE_BAY_TEXT_SIZE])
{
    if (number < 1 || number > all->count)
        return false;
    pthread_mutex_lock(&all->lock);
    const char *shown = all->bays[number - 1].text;
    snprintf(text, DRIVE_BAY_TEXT_SIZE, "%s", shown ? shown : "");
    pthread_mutex_unlock(&all->lock);
    return true;
}

static bool add_bay(struct drive_bays *all, struct error *err)
{
    struct bay *bay = &all->bays[all->count];
    struct pci_slot_config config = {.number = all->count + 1, .off = on_off, .ctx = bay};
    bay->all = all;
    bay->number = config.number;
    event_call_init(&bay->off, all->config.loop, eject, bay);
    bay->slot = pci_slot_new(all->config.machine->pci, &config, err);
    all->count++;
    return bay->slot;
}

struct drive_bays *drive_bays_new(const struct drive_bays_config *config, struct error *err)
{
    struct drive_bays *all = NULL;
    if (config->count < 1 || config->count > DRIVE_BAYS_MAX)
        error_set(err, "%u slots for drives: there can be 1 to %d", config->count, DRIVE_BAYS_MAX);
    else if (!(all = calloc(1, sizeof(*all))))
        error_set(err, "out of memory");
    if (!all)
        return NULL;
    all->config = *config;
    pthread_mutex_init(&all->lock, NULL);
    pthread_mutex_init(&all->leaving, NULL);
    while (all->count < config->count) {
        if (!add_bay(all, err)) {
            drive_bays_free(all);
            return NULL;
        }
    }
    return all;
}

void drive_bays_free(struct drive_bays *all)
{
    if (!all)
        return;
    for (unsigned i = 0; i < all->count; i++) {
        event_call_remove(&all->bays[i].off);
        free(all->bays[i].text);
    }
    pthread_mutex_destroy(&all->lock);
    pthread_mutex_destroy(&all->leaving);
    free(all);
}
