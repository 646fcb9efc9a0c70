/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Drives: what a user wrote about them becomes controllers on a PCI bus.
 */
#include "dev/drive.h"

#include "base/words.h"
#include "dev/ahci/ahci.h"
#include "dev/nvme/nvme.h"
#include "dev/pci/pci.h"
#include "dev/virtio/virtio.h"
#include "dev/virtio/virtio_blk.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *drive_kind_name(enum drive_kind kind)
{
    static const char *const names[] = {[DRIVE_NVME] = "nvme",
                                        [DRIVE_NVME_NAMESPACE] = "nvme-ns",
                                        [DRIVE_VIRTIO_BLK] = "virtio-blk",
                                        [DRIVE_ATA] = "ata"};
    return names[kind];
}

bool drive_kind_find(enum drive_kind *kind, const char *name)
{
    for (*kind = DRIVE_NVME; *kind <= DRIVE_ATA; ++*kind)
        if (!strcmp(drive_kind_name(*kind), name))
            return true;
    return false;
}

/*
 * Words behind the file's name
 */

static bool take_switch(bool *off, const char *value)
{
    static const char *const choices[] = {"on", "off", NULL};
    int chosen = words_choose(value, choices);
    *off = chosen == 1;
    return chosen >= 0;
}

static bool take_format(struct drive *drive, const char *value)
{
    static const char *const choices[] = {"raw", "qcow2", NULL};
    static const enum disk_format formats[] = {DISK_FORMAT_RAW, DISK_FORMAT_QCOW2};
    int chosen = words_choose(value, choices);
    if (chosen >= 0)
        drive->image.format = formats[chosen];
    return chosen >= 0;
}

static bool take_cache(struct drive *drive, const char *value)
{
    static const char *const choices[] = {"writeback", "none", "unsafe", NULL};
    static const enum disk_cache caches[] = {DISK_CACHE_WRITEBACK, DISK_CACHE_NONE,
                                             DISK_CACHE_UNSAFE};
    int chosen = words_choose(value, choices);
    if (chosen >= 0)
        drive->image.cache = caches[chosen];
    return chosen >= 0;
}

static bool take_block(struct drive *drive, const char *value)
{
    static const char *const choices[] = {"512", "4096", NULL};
    static const unsigned sizes[] = {512, 4096};
    int chosen = words_choose(value, choices);
    if (chosen >= 0)
        drive->block_size = sizes[chosen];
    return chosen >= 0;
}

/* Printable ASCII that fits. */
static bool take_serial(struct drive *drive, const char *value)
{
    size_t length = value ? strlen(value) : 0;
    for (size_t i = 0; i < length; i++)
        if (value[i] < 0x20 || value[i] >= 0x7f)
            return false;
    if (!length || length > DRIVE_SERIAL_MAX)
        return false;
    memcpy(drive->serial, value, length + 1);
    return true;
}

/* value: behind '=', or NULL. */
static bool take_word(struct drive *drive, const char *name, const char *value)
{
    bool nvme = drive->kind == DRIVE_NVME || drive->kind == DRIVE_NVME_NAMESPACE;
    if (!strcmp(name, "ro"))
        return drive->image.read_only = !value;
    if (!strcmp(name, "snapshot") && !value)
        return drive->image.overlay = true;
    if (!strcmp(name, "snapshot"))
        return (drive->image.snapshot = value)[0];
    if (!strcmp(name, "discard"))
        return take_switch(&drive->image.no_discard, value);
    if (!strcmp(name, "cache"))
        return take_cache(drive, value);
    if (!strcmp(name, "format"))
        return take_format(drive, value);
    if (!strcmp(name, "serial") && drive->kind != DRIVE_NVME_NAMESPACE)
        return take_serial(drive, value);
    if (!strcmp(name, "block") && nvme)
        return take_block(drive, value);
    if (!strcmp(name, "packed") && drive->kind == DRIVE_VIRTIO_BLK)
        return take_switch(&drive->packed_off, value);
    return false;
}

bool drive_parse(struct drive *drive, enum drive_kind kind, const char *text, struct error *err)
{
    *drive = (struct drive){.kind = kind, .text = strdup(text)};
    if (!drive->text)
        return error_set(err, "%s: out of memory", text);
    char *word = words_cut(drive->text), *next;
    drive->image.path = drive->text;
    bool ok = drive->text[0] || error_set(err, "a drive needs the name of an image");
    for (; ok && word; word = next) {
        next = words_cut(word);
        char *value = words_value(word);
        if (!take_word(drive, word, value))
            ok = error_set(err, "%s: no such word for this kind of drive: %s%s%s",
                           drive->image.path, word, value ? "=" : "", value ? value : "");
    }
    /* What is in the image's past can be read, or written to in a copy. */
    if (drive->image.snapshot && !drive->image.overlay)
        drive->image.read_only = true;
    if (!drive->serial[0])
        snprintf(drive->serial, sizeof(drive->serial), "rvvm%016llx",
                 (unsigned long long)drive_hash(drive->image.path, 0));
    if (!ok)
        drive_free(drive);
    return ok;
}

void drive_free(struct drive *drive)
{
    free(drive->text);
    *drive = (struct drive){0};
}

/*
 * Controllers. Each takes its disks over when it is made; until then they are ours to close.
 */

static struct disk *open_image(const struct drive *drive, const struct drives_config *config,
                               struct error *err)
{
    struct disk_options options = drive->image;
    options.log = config->log;
    return disk_open(&options, err);
}

/* The drive at the front and the namespaces that follow before the next controller. */
static struct pci_function *make_nvme(const struct drive *drives, unsigned count,
                                      const struct drives_config *config, struct error *err)
{
    struct nvme_config nvme = {.serial = drives[0].serial};
    struct pci_function *function = NULL;
    bool ok = true;
    for (unsigned i = 0; ok && i < count && (!i || drives[i].kind != DRIVE_NVME); i++) {
        if (i && drives[i].kind != DRIVE_NVME_NAMESPACE)
            continue;
        if (nvme.namespace_count == NVME_NAMESPACES_MAX) {
            ok = error_set(err, "%s: an NVMe controller has up to %u namespaces",
                           drives[i].image.path, NVME_NAMESPACES_MAX);
            break;
        }
        struct nvme_namespace_config *ns = &nvme.namespaces[nvme.namespace_count];
        ns->block_size = drives[i].block_size;
        ns->disk = open_image(&drives[i], config, err);
        ok = ns->disk;
        nvme.namespace_count += ok;
    }
    if (ok)
        function = nvme_new(&nvme, err);
    for (unsigned i = 0; !function && i < nvme.namespace_count; i++)
        disk_close(nvme.namespaces[i].disk);
    return function;
}

static struct pci_function *make_virtio(const struct drive *drive,
                                        const struct drives_config *config, struct error *err)
{
    struct virtio_blk_config virtio = {
        .disk = open_image(drive, config, err),
        .queues = config->harts,
        .serial = drive->serial,
        .features_off = drive->packed_off ? VIRTIO_F_RING_PACKED : 0,
    };
    if (!virtio.disk)
        return NULL;
    struct pci_function *function = virtio_blk_new(&virtio, err);
    if (!function)
        disk_close(virtio.disk);
    return function;
}

struct pci_function *drive_function(const struct drive *drive, const struct drives_config *config,
                                    struct error *err)
{
    if (drive->kind == DRIVE_NVME)
        return make_nvme(drive, 1, config, err);
    if (drive->kind == DRIVE_VIRTIO_BLK)
        return make_virtio(drive, config, err);
    error_set(err, "%s: only drives of the kinds nvme and virtio-blk come and go",
              drive->image.path);
    return NULL;
}

/* All drives of the kind share a controller. */
static bool plug_ata(struct pci_bus *bus, const struct drive *drives, unsigned count,
                     const struct drives_config *config, struct error *err)
{
    struct ahci_config ahci = {.port_count = 0};
    struct pci_function *function = NULL;
    bool ok = true;
    for (unsigned i = 0; ok && i < count; i++) {
        if (drives[i].kind != DRIVE_ATA)
            continue;
        if (ahci.port_count == AHCI_PORTS_MAX) {
            ok = error_set(err, "%s: there are up to %u ATA drives", drives[i].image.path,
                           AHCI_PORTS_MAX);
            break;
        }
        struct ahci_port_config *port = &ahci.ports[ahci.port_count];
        port->serial = drives[i].serial;
        port->disk = open_image(&drives[i], config, err);
        ok = port->disk;
        ahci.port_count += ok;
    }
    if (ok && !ahci.port_count)
        return true;
    if (ok)
        function = ahci_new(&ahci, err);
    for (unsigned i = 0; !function && i < ahci.port_count; i++)
        disk_close(ahci.ports[i].disk);
    return function && pci_plug(bus, function, err);
}

bool drives_plug(struct pci_bus *bus, const struct drive *drives, unsigned count,
                 const struct drives_config *config, struct error *err)
{
    bool ok = true, has_nvme = false;
    for (unsigned i = 0; ok && i < count; i++) {
        switch (drives[i].kind) {
        case DRIVE_NVME:
            has_nvme = true;
            ok = pci_plug(bus, make_nvme(&drives[i], count - i, config, err), err);
            break;
        case DRIVE_NVME_NAMESPACE:
            ok = has_nvme || error_set(err, "%s: a namespace needs an NVMe drive before it",
                                       drives[i].image.path);
            break;
        case DRIVE_VIRTIO_BLK:
            ok = pci_plug(bus, make_virtio(&drives[i], config, err), err);
            break;
        case DRIVE_ATA:
            break;
        }
    }
    return ok && plug_ata(bus, drives, count, config, err);
}
