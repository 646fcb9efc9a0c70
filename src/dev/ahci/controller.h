/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The inside of an AHCI controller: what its files share.
 *
 *     ahci.c       PCI function, generic registers, interrupts
 *     port.c       registers of a port, its commands and their ends, resets
 *     ata.c        what ATA commands do
 *     identify.c   what a drive says of itself
 *
 * A hart takes note of what it writes and wakes the port's task, which runs on the thread of the
 * port's disk (block/disk.h) and does the rest. Registers are under the controller's lock. What is
 * only the task's needs none.
 *
 * A command that was issued before a stop or reset of its port may still be with the disk. Its slot is
 * busy until it comes back, and nobody is told then. So long PxCMD.CR says that the port runs; once it
 * says that the port has stopped, no command of before writes to memory any more.
 */
#ifndef RVVM_DEV_AHCI_CONTROLLER_H
#define RVVM_DEV_AHCI_CONTROLLER_H

#include "block/disk.h"
#include "dev/ahci/ahci.h"
#include "dev/ahci/spec.h"
#include "dev/drive_id.h"
#include "dev/pci/pci.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#define AHCI_SLOTS 32
#define AHCI_PIECES_MAX 512 /* of guest memory that a command names */
#define ATA_SECTOR 512
#define ATA_TRIM_SECTORS_MAX 8 /* of 64 ranges each */
#define AHCI_FIRMWARE "1.0"

struct ahci;
struct ahci_port;

struct ahci_slot {
    struct disk_request disk; /* first: the disk gives its address back */
    struct ahci_port *port;
    unsigned number;
    bool busy;           /* the disk has it */
    unsigned generation; /* port->generation when it was issued */
    struct ahci_command header;
    uint64_t table; /* address of the command table */
    struct fis_host_to_device fis;
    bool queued, pio; /* how it is answered */
    uint8_t tag;      /* of a queued one */
    int error;        /* of the disk */
    /* After the disk has done what was submitted: the command's end is at hand, or more is to be done. */
    void (*then)(struct ahci_slot *slot, int error);
    size_t size;          /* bytes of data */
    struct iovec *pieces; /* where they are; AHCI_PIECES_MAX */
    unsigned piece_count;
    uint64_t *ranges; /* TRIM */
    unsigned step, steps;
};

/* Under ahci.lock. */
struct ahci_port_registers {
    uint64_t clb, fb;
    uint32_t is, ie, cmd, tfd, ssts, sctl, serr, sact, ci;
};

struct ahci_port {
    struct ahci *ahci;
    unsigned number;
    struct disk *disk; /* NULL: there is no such port */
    const struct disk_info *info;
    uint64_t sectors;
    char serial[DRIVE_SERIAL_MAX + 1];
    struct disk_task task;
    _Atomic uint32_t disk_results; /* bits: slots that the disk has done */

    /* Under ahci.lock. */
    struct ahci_port_registers registers;
    unsigned generation; /* counts stops and resets */
    uint32_t begun;      /* bits of ci that the task has seen */
    uint32_t current;    /* PxCMD.CCS: the slot that was looked at last */
    bool failed;         /* a command has: nothing is begun until the host stops the port */
    bool reset;          /* the drive shall be reset when the disk has nothing of it */
    unsigned under_way;  /* slots that are busy */

    /* The task's. */
    struct ahci_slot slots[AHCI_SLOTS];
    uint32_t queue_done;       /* tags to tell the host of at the end of the run ... */
    unsigned queue_generation; /* ... unless there was a stop meanwhile */
    bool exclusive;            /* a command that is not queued is under way */
    bool soft_reset;           /* SRST is set */
    bool write_cache, look_ahead;
    bool smart;
    struct {
        bool valid;
        uint8_t tag, status, error;
        uint64_t lba;
    } queue_error; /* for the log */
};

struct ahci {
    struct pci_function *pci;
    unsigned port_count;
    _Atomic bool halted; /* the machine resets: nothing is begun */

    pthread_mutex_t lock; /* all below, and what is said so of ports */
    uint32_t ghc, is;
    bool wire; /* the level of INTx */

    struct ahci_port ports[AHCI_PORTS_MAX];
};

/* Under the lock: what a port has to interrupt for. Two causes are a shadow of SERR. */
static inline uint32_t ahci_port_causes(const struct ahci_port *p)
{
    uint32_t serr = p->registers.serr;
    return p->registers.is | (serr & SERR_DIAG_X ? IS_PCS : 0) | (serr & SERR_DIAG_N ? IS_PRCS : 0);
}

/* ahci.c, under the lock: */
void ahci_update_interrupts(struct ahci *a);
/* A port's drive has been reset. */
void ahci_port_was_reset(struct ahci *a);

/* port.c, under the lock: */
uint32_t ahci_port_read(struct ahci_port *p, unsigned offset);
void ahci_port_write(struct ahci_port *p, unsigned offset, uint32_t value);
void ahci_port_power_on(struct ahci_port *p);
void ahci_port_reset_drive(struct ahci_port *p); /* when nothing of it is under way */

/* port.c, in the task: */
void ahci_port_run(struct disk_task *task);
/* slot->disk is filled in but for done; then() follows, unless there is a stop before. */
void ahci_submit(struct ahci_slot *slot, void (*then)(struct ahci_slot *, int error));
/*
 * Ends the command: error has bits of the ATA error register, 0: it succeeded. The drive's registers
 * for address and count are shown to the host as they stand in slot->fis.
 */
void ahci_finish(struct ahci_slot *slot, uint8_t error);
/* Its address of 48 bits. */
uint64_t ahci_address(const struct fis_host_to_device *f);
/* The memory for size bytes of the command's data, into slot->pieces. false: it was ended. */
bool ahci_map_data(struct ahci_slot *slot, size_t size);
/* Between a buffer and the command's data. false: it was ended, or is of before a stop. */
bool ahci_send(struct ahci_slot *slot, const void *bytes, size_t size);
bool ahci_receive(struct ahci_slot *slot, void *bytes, size_t size);

/* ata.c */
void ata_begin(struct ahci_slot *slot);
void ata_power_on(struct ahci_port *p);
bool ata_is_queued(uint8_t command);
/* identify.c: 512 bytes; false: the command was ended. */
bool ata_identify(struct ahci_slot *slot);

#endif
