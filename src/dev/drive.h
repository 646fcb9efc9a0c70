/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Drives as a user names them: an image, what it is connected to, and how to use it.
 *
 *     struct drive drive;
 *     drive_parse(&drive, DRIVE_NVME, "debian.img,discard=off,serial=BOOT", err)
 *     ...
 *     drives_plug(bus, drives, count, &config, err)
 *     drive_free(&drive)
 */
#ifndef RVVM_DEV_DRIVE_H
#define RVVM_DEV_DRIVE_H

#include "base/error.h"
#include "base/log.h"
#include "block/disk.h"
#include "dev/drive_id.h"

struct pci_bus;
struct pci_function;

enum drive_kind {
    DRIVE_NVME,           /* a controller of its own */
    DRIVE_NVME_NAMESPACE, /* one more namespace of the NVMe controller before it */
    DRIVE_VIRTIO_BLK,
    DRIVE_ATA, /* a port of an AHCI controller */
};

/* As options name them: "nvme", "nvme-ns", "virtio-blk", "ata". */
const char *drive_kind_name(enum drive_kind kind);
/* false: there is none of that name. */
bool drive_kind_find(enum drive_kind *kind, const char *name);

struct drive {
    enum drive_kind kind;
    struct disk_options image;         /* its strings are in text */
    char serial[DRIVE_SERIAL_MAX + 1]; /* said, or made from the image's name */
    unsigned block_size;               /* bytes of a logical block; 0: 512 */
    bool packed_off;                   /* virtio: split rings only */
    char *text;                        /* owned */
};

/*
 * text: FILE[,WORD]..., where a comma of the file's name is written twice. On false nothing has to be
 * freed, and err names the word that is wrong.
 */
bool drive_parse(struct drive *drive, enum drive_kind kind, const char *text, struct error *err);
void drive_free(struct drive *drive);

struct drives_config {
    unsigned harts; /* of the machine: as many queues are of use */
    struct log *log;
};

/* A drive that is a function of its own. NULL: err says which image could not be opened, and why. */
struct pci_function *drive_function(const struct drive *drive, const struct drives_config *config,
                                    struct error *err);

/* Opens the images and plugs their controllers in. false: err says which one could not be. */
bool drives_plug(struct pci_bus *bus, const struct drive *drives, unsigned count,
                 const struct drives_config *config, struct error *err);

#endif
