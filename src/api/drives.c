/* SPDX-License-Identifier: MPL-2.0 */
/* Drives: those that are there from the start, and those that come and go. */
#include "api/machine.h"
#include "block/disk.h"
#include "dev/drive.h"
#include "dev/drive_bays.h"
#include "host/image_file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)RVVM_DRIVE_NVME == DRIVE_NVME &&
                   (int)RVVM_DRIVE_NVME_NAMESPACE == DRIVE_NVME_NAMESPACE &&
                   (int)RVVM_DRIVE_VIRTIO_BLK == DRIVE_VIRTIO_BLK &&
                   (int)RVVM_DRIVE_ATA == DRIVE_ATA,
               "kinds of drives are passed on as they are");

static const struct disk_calls *disk_calls(struct disk_calls *calls, const struct rvvm_disk *disk)
{
    *calls = (struct disk_calls){disk->size, disk->read, disk->write, disk->flush, disk->ctx};
    return calls;
}

bool drives_plug_all(struct rvvm_machine *rv, const struct rvvm_config *config, struct error *err)
{
    struct drives_config how = {.harts = config->harts, .log = &rv->log};
    struct drive *drives = calloc(config->drive_count + 1, sizeof(*drives));
    struct disk_calls *calls = calloc(config->drive_count + 1, sizeof(*calls));
    unsigned parsed = 0;
    bool ok = (drives && calls) || error_set(err, "out of memory");
    for (; ok && parsed < config->drive_count; parsed += ok) {
        const struct rvvm_drive *drive = &config->drives[parsed];
        if (drive->kind > RVVM_DRIVE_ATA || !drive->image)
            ok = error_set(err, "drive %u: without an image, or of no kind that there is", parsed);
        else
            ok = drive_parse(&drives[parsed], (enum drive_kind)drive->kind, drive->image, err);
        if (ok && drive->disk)
            drives[parsed].image.calls = disk_calls(&calls[parsed], drive->disk);
    }
    ok = ok && drives_plug(rv->machine->pci, drives, parsed, &how, err);
    for (unsigned i = 0; drives && i < parsed; i++)
        drive_free(&drives[i]);
    free(drives);
    free(calls);
    return ok;
}

/*
 * Slots
 */

static void on_change(void *ctx)
{
    struct rvvm_machine *rv = ctx;
    if (rv->control)
        control_drives_changed(rv->control);
}

bool drives_open_slots(struct rvvm_machine *rv, unsigned count, struct error *err)
{
    struct drive_bays_config config = {
        .machine = rv->machine,
        .count = count,
        .loop = rv->debug_loop,
        .drives = {.harts = rv->machine->hart_count, .log = &rv->log},
        .changed = on_change,
        .ctx = rv,
    };
    rv->bays = drive_bays_new(&config, err);
    return rv->bays;
}

void drives_close_slots(struct rvvm_machine *rv)
{
    drive_bays_free(rv->bays);
    rv->bays = NULL;
}

static bool has_slots(const struct rvvm_machine *rv, struct error *err)
{
    return rv->bays || error_set(err, "this machine has no slots for drives");
}

/* The image is opened on the caller's thread, which may; the disk's threads are the machine's. */
static bool add_drive(struct rvvm_machine *rv, const struct rvvm_drive *how, unsigned *slot,
                      struct error *err)
{
    struct drive drive;
    struct disk_calls calls;
    if (!has_slots(rv, err))
        return false;
    if (how->kind > RVVM_DRIVE_ATA || !how->image)
        return error_set(err, "a drive without an image, or of no kind that there is");
    if (!drive_parse(&drive, (enum drive_kind)how->kind, how->image, err))
        return false;
    if (how->disk)
        drive.image.calls = disk_calls(&calls, how->disk);
    struct isolation *outer = rv->isolation ? isolation_enter(rv->isolation) : NULL;
    bool ok = drive_bays_add(rv->bays, &drive, slot, err);
    if (rv->isolation)
        isolation_enter(outer);
    drive_free(&drive);
    return ok;
}

bool rvvm_machine_add_drive(struct rvvm_machine *rv, const struct rvvm_drive *drive, unsigned *slot,
                            struct rvvm_error *error)
{
    struct error err = {0};
    return add_drive(rv, drive, slot, &err) || api_fail(error, &err);
}

bool rvvm_machine_remove_drive(struct rvvm_machine *rv, unsigned slot, bool force, bool *gone,
                               struct rvvm_error *error)
{
    struct error err = {0};
    return (has_slots(rv, &err) && drive_bays_remove(rv->bays, slot, force, gone, &err)) ||
           api_fail(error, &err);
}

bool rvvm_machine_has_drive(struct rvvm_machine *rv, unsigned slot)
{
    char text[DRIVE_BAY_TEXT_SIZE];
    return rv->bays && drive_bays_show(rv->bays, slot, text) && text[0];
}

/*
 * The control socket's. Its thread may make no ring of IO (host/io_queue.h), so the disk has threads.
 */

static bool action_add(void *ctx, const char *kind, const char *text, struct image_files *files,
                       unsigned *slot, struct error *err)
{
    struct rvvm_machine *rv = ctx;
    struct drive drive;
    enum drive_kind which;
    if (!drive_kind_find(&which, kind))
        return error_set(err, "drive-add: there are no drives of the kind %s: nvme, virtio-blk",
                         kind);
    const bool restricted = rv->isolation && image_files_can_pass();
    if (!files && restricted)
        return error_set(err, "drive-add: this machine is isolated and may open no file: its "
                              "descriptor has to come along (rvvm ctl does that)");
    if (!drive_parse(&drive, which, text, err))
        return false;
    drive.image.files = files;
    drive.image.threads_only = restricted;
    bool ok = drive_bays_add(rv->bays, &drive, slot, err);
    drive_free(&drive);
    return ok;
}

static bool action_remove(void *ctx, unsigned slot, bool force, bool *gone, struct error *err)
{
    struct rvvm_machine *rv = ctx;
    return drive_bays_remove(rv->bays, slot, force, gone, err);
}

static bool action_show(void *ctx, unsigned slot, char *text, size_t size)
{
    struct rvvm_machine *rv = ctx;
    char all[DRIVE_BAY_TEXT_SIZE];
    if (!drive_bays_show(rv->bays, slot, all))
        return false;
    snprintf(text, size, "%s", all);
    return true;
}

void drives_actions(struct control_actions *actions)
{
    actions->add_drive = action_add;
    actions->remove_drive = action_remove;
    actions->show_drive = action_show;
}
