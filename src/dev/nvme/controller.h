/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The inside of an NVMe controller: what its files share.
 *
 *     nvme.c       PCI function, registers, enabling, shutdown and reset
 *     queues.c     queues, doorbells, fetching of commands
 *     completion.c what disks have done, completions, interrupts
 *     data.c       PRP and SGL: what memory a command's data are in
 *     admin.c      admin commands: queues, abort, events, shadow doorbells
 *     identify.c, log_pages.c, features.c
 *     io.c         commands of the I/O queues
 *
 * Who does what: a hart that writes a register or a doorbell takes note of it and wakes the
 * controller's task (nvme_run), which runs on the thread of the first namespace's disk
 * (block/disk.h) and does all the rest. So queues, features and logs need no lock, what one run
 * fetches goes to the disk together, and completions of one run share an interrupt. Requests come
 * back through a list that any thread of any disk may append to.
 *
 * The task waits for nothing. What has to wait for requests under way (controller reset, shutdown,
 * deletion of a queue) is a state that each run looks at again.
 */
#ifndef RVVM_DEV_NVME_CONTROLLER_H
#define RVVM_DEV_NVME_CONTROLLER_H

#include "base/log.h"
#include "block/disk.h"
#include "dev/drive_id.h"
#include "dev/nvme/nvme.h"
#include "dev/nvme/spec.h"
#include "dev/pci/pci.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

/* No registered vendor has this number: nobody's quirks apply. */
#define NVME_PCI_VENDOR 0x5256
#define NVME_PCI_DEVICE 0x0010
#define NVME_FIRMWARE "1.0" /* revision, as Identify and the firmware slot log page say it */

#define NVME_PAGE_MIN 4096u /* CAP.MPSMIN */
#define NVME_PAGE_SHIFT_MAX 16
#define NVME_IO_QUEUES 64
#define NVME_QUEUES (NVME_IO_QUEUES + 1) /* the admin queue is number 0 */
#define NVME_QUEUE_SIZE_MAX 4096         /* entries */
#define NVME_REQUESTS_MAX 256            /* of a queue, under way at a time */
#define NVME_MDTS 8
#define NVME_TRANSFER_MAX ((size_t)NVME_PAGE_MIN << NVME_MDTS)
#define NVME_PIECES_MAX (NVME_TRANSFER_MAX / NVME_PAGE_MIN + 1)
#define NVME_ASYNC_EVENTS 4 /* Asynchronous Event Requests outstanding */
#define NVME_ERROR_ENTRIES 64
#define NVME_TEMPERATURE 300 /* kelvin; a disk that is not there stays cool */
#define NVME_TEMPERATURE_WARNING (NVME_TEMPERATURE + 43)

/* In place of a status: the command is completed later, or has been. */
#define NVME_LATER UINT32_MAX

struct nvme;
struct nvme_sq;

struct nvme_namespace {
    struct disk *disk;
    const struct disk_info *info;
    uint32_t nsid;
    unsigned shift;  /* a logical block has 1 << shift bytes */
    uint64_t blocks; /* logical blocks */
    uint8_t eui64[8], nguid[16], uuid[16];
    struct disk_request *batch, **batch_end; /* for the disk at the end of the run */
};

/* Guest memory that a command reads or writes. */
struct nvme_data {
    unsigned count;
    struct iovec pieces[NVME_PIECES_MAX];
};

/* What a command needs room for while it is under way. */
union nvme_room {
    struct nvme_data data;
    struct nvme_dsm_range ranges[256];
};

struct nvme_request {
    struct disk_request disk; /* first: the disk gives its address back */
    struct nvme *nvme;
    struct nvme_sq *sq; /* NULL: the controller's own */
    struct nvme_namespace *ns;
    struct nvme_command command;
    /* In the task, when the disk has done what was submitted: submits more or completes. */
    void (*then)(struct nvme_request *request, int error);
    void (*finished)(struct nvme_request *request, int error); /* nvme_flush_all's */
    int error;     /* of the disk, until then() is called */
    unsigned step; /* how far a command of several disk requests has come */
    uint16_t status;
    uint32_t result; /* completion dword 0 */
    union nvme_room *room;
    struct nvme_request *next; /* in whichever list it is */
};

struct nvme_request_list {
    struct nvme_request *first, **end;
};

/* A doorbell's shadow in guest memory, section 7.13. NULL: none. */
struct nvme_shadow {
    _Atomic uint32_t *doorbell;
    _Atomic uint32_t *event; /* the host rings the register too when it passes this value */
};

struct nvme_cq {
    /* Under nvme.lock: harts look at it. */
    unsigned size; /* entries; 0: there is no such queue */
    unsigned head, tail;
    bool interrupts;
    uint16_t vector;
    bool full; /* completions wait: the task wants to know when head moves */
    /* The task's. */
    struct nvme_completion *entries;
    bool phase;
    bool posted;    /* an interrupt is due at the end of the run */
    unsigned users; /* submission queues */
    struct nvme_shadow shadow;
    struct nvme_request_list waiting; /* done, and no room to say so */
};

struct nvme_sq {
    struct nvme *nvme;
    unsigned id;
    unsigned size; /* entries; 0: there is no such queue */
    unsigned head, tail;
    uint64_t base;
    struct nvme_cq *cq;
    struct nvme_shadow shadow;
    struct nvme_request *requests;
    union nvme_room *rooms;
    struct nvme_request *free;
    unsigned under_way;            /* requests that disks have */
    struct nvme_request *deleting; /* the Delete I/O Submission Queue command, or NULL */
};

enum nvme_state {
    NVME_DISABLED,
    NVME_READY,
    NVME_STOPPING, /* waits for requests under way, then is disabled */
    NVME_FAILED,   /* CSTS.CFS: could not be enabled */
};

/* Registers and what else harts write. */
struct nvme_registers {
    uint32_t cc, csts, aqa, intms;
    uint64_t asq, acq;
    bool reset;    /* EN was cleared or NSSR written: the task has to stop, whatever EN says now */
    bool shutdown; /* the host has announced it, and the task has not begun */
};

struct nvme_features {
    uint32_t arbitration, power_state, write_cache, coalescing, write_atomicity;
    uint32_t async_events;
    uint16_t error_recovery[NVME_NAMESPACES_MAX];
    uint16_t over_temperature, under_temperature;
    bool vector_uncoalesced[NVME_QUEUES];
    uint64_t timestamp; /* ms, at timestamp_set */
    uint64_t timestamp_set;
    bool timestamp_by_host;
};

struct nvme_error_entry {
    uint64_t count;
    uint16_t sq, cid, status, location;
    uint64_t lba;
    uint32_t nsid;
};

struct nvme_counters {
    uint64_t read_blocks, written_blocks; /* of 512 bytes */
    uint64_t reads, writes;
    uint64_t power_cycles, unsafe_shutdowns;
    uint64_t media_errors, errors;
};

struct nvme_event {
    bool pending;    /* to be told */
    bool masked;     /* was told, and its log page not read since */
    uint32_t result; /* completion dword 0 */
};

struct nvme {
    struct pci_function *pci;
    struct disk *disk;     /* whose thread runs the task */
    struct disk_task task; /* nvme_run */
    struct nvme_namespace namespaces[NVME_NAMESPACES_MAX];
    unsigned namespace_count;
    char serial[DRIVE_SERIAL_MAX + 1];
    uint8_t uuid[16];
    uint64_t started; /* clock_monotonic_ns() of power-on */

    /* Any thread. */
    _Atomic bool halted;                         /* the machine resets: nothing is begun */
    _Atomic uint32_t sq_sizes[NVME_QUEUES];      /* entries; 0: there is no such queue */
    _Atomic uint32_t doorbells[NVME_QUEUES];     /* tails */
    _Atomic uint64_t rung[2];                    /* bits: these doorbells were written */
    _Atomic unsigned bad_doorbells;              /* bits: 1 << EVENT_ERROR_INVALID_DOORBELL... */
    _Atomic(struct nvme_request *) disk_results; /* requests that disks have done, newest first */

    pthread_mutex_t lock;
    struct nvme_registers registers; /* under lock */
    bool wire;                       /* under lock: the level of INTx */
    unsigned cq_end;                 /* under lock: above the highest completion queue */
    struct nvme_cq cq[NVME_QUEUES];

    /* The task's. */
    enum nvme_state state;
    bool shut_down; /* or about to be: nothing is fetched until the next reset */
    unsigned page_size;
    struct nvme_sq sq[NVME_QUEUES];
    unsigned deletions; /* queues that are being deleted */
    unsigned sq_end;    /* above the highest submission queue that there is */
    unsigned turn;      /* the I/O queue that is served first in this run */
    unsigned under_way; /* requests that disks have */
    struct nvme_request *async[NVME_ASYNC_EVENTS];
    unsigned async_count;
    struct nvme_event events[EVENT_TYPES];
    _Atomic uint32_t *shadow_doorbells, *shadow_events; /* pages in guest memory, or NULL */
    struct nvme_features features;
    struct nvme_counters counters;
    struct nvme_error_entry errors[NVME_ERROR_ENTRIES]; /* by count modulo their number */
    struct nvme_request own;                            /* flushes for a shutdown */
    /* Compare: one at a time has the buffer. */
    void *compare_buffer;
    struct iovec compare_piece;
    struct nvme_request *comparing;
    struct nvme_request_list compare_waiting;
};

/* nvme.c */
void nvme_wake(struct nvme *c);
/* The namespace of that number, or NULL. */
struct nvme_namespace *nvme_namespace(struct nvme *c, uint32_t nsid);

/* queues.c */
/* On the thread of a hart. Index: as the registers lie, tail of 0, head of 0, tail of 1, ... */
void nvme_ring(struct nvme *c, unsigned index, uint32_t value);
/*
 * The value behind a shadow. The host has been told to ring the register too from there on, so that
 * nothing it writes later goes unnoticed.
 */
uint32_t nvme_watch_shadow(struct nvme *c, struct nvme_shadow *shadow);
/* base, entries: checked, in guest memory. false: out of memory. */
bool nvme_sq_create(struct nvme *c, unsigned id, uint64_t base, unsigned size, unsigned cq);
void nvme_sq_delete(struct nvme_sq *sq);
void nvme_cq_create(struct nvme *c, unsigned id, struct nvme_completion *entries, unsigned size,
                    bool interrupts, uint16_t vector);
void nvme_cq_delete(struct nvme *c, unsigned id);
/* Gives the I/O queue of that number its shadow doorbells. */
void nvme_cq_shadow(struct nvme *c, unsigned id);
void nvme_sq_shadow(struct nvme *c, unsigned id);
void nvme_queues_fetch(struct nvme *c);
void nvme_free_request(struct nvme_request *request);

/* completion.c */
void nvme_list_init(struct nvme_request_list *list);
void nvme_list_append(struct nvme_request_list *list, struct nvme_request *request);
struct nvme_request *nvme_list_take(struct nvme_request_list *list);
/* request->disk is filled in but for done; then() follows. */
void nvme_submit(struct nvme_request *request, void (*then)(struct nvme_request *, int error));
void nvme_submit_batches(struct nvme *c);
void nvme_take_disk_results(struct nvme *c, bool halted); /* halted: nothing may follow from them */
/* The command is done; request may be used anew when it returns. */
void nvme_complete(struct nvme_request *request, unsigned status);
void nvme_post_waiting(struct nvme *c);
void nvme_update_wire(struct nvme *c); /* under the lock, on any thread */
void nvme_queues_interrupt(struct nvme *c);

/* data.c: all give an enum nvme_status. */
unsigned nvme_map_data(struct nvme *c, const struct nvme_command *command, size_t size,
                       struct nvme_data *data);
/* From a buffer to the memory that the command names, and the other way; size is not 0. */
unsigned nvme_send(struct nvme_request *request, const void *bytes, size_t size);
unsigned nvme_receive(struct nvme_request *request, void *bytes, size_t size);
/* The guest's memory was written by the disk, or a part of it. */
void nvme_data_written(struct nvme *c, const struct nvme_data *data);

/* admin.c */
void nvme_admin_command(struct nvme_request *request);
void nvme_finish_deletions(struct nvme *c);
void nvme_async_event(struct nvme *c, enum nvme_event_type type, unsigned info,
                      enum nvme_log_page page);
/* Its log page was read: it may be told again, behind the completion of the command that reads. */
void nvme_async_event_read(struct nvme *c, enum nvme_event_type type);

/* identify.c, log_pages.c, features.c: a status or NVME_LATER; the result goes to request->result. */
unsigned nvme_identify(struct nvme_request *request);
/* What identifies controller and namespaces all over the world, from the serial number. */
void nvme_make_ids(struct nvme *c);
unsigned nvme_get_log_page(struct nvme_request *request);
void nvme_log_error(struct nvme *c, const struct nvme_request *request, unsigned status);
unsigned nvme_get_features(struct nvme_request *request);
unsigned nvme_set_features(struct nvme_request *request);
void nvme_features_reset(struct nvme *c);
/* Whether the composite temperature is beyond a threshold. */
bool nvme_is_hot(const struct nvme *c);

/* io.c */
void nvme_io_command(struct nvme_request *request);
/* Flushes all namespaces and completes the command. */
void nvme_flush_command(struct nvme_request *request);
/* Flushes namespace after namespace; finished(request, error) at the end. */
void nvme_flush_all(struct nvme_request *request, void (*finished)(struct nvme_request *, int));

#endif
