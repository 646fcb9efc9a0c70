/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A machine: memory, harts, devices, and what starts and ends them.
 *
 * The default board is made by board.c; this is what all boards share. One host thread runs a hart.
 * A machine rests (all harts parked) when it is made, when it is held or paused, and while it is
 * reset. It is held for a moment, by who carries out what the guest asked for; it is paused by a user or a
 * debugger, for as long as they like.
 *
 *     m = machine_new(&config, err);   memory and harts
 *     board_build(m, ...);             devices
 *     machine_run(m, &status, err);    until the guest or machine_quit ends it
 *     machine_free(m);
 *
 * Lock order: machine.load_lock, machine.lock, then a hart's lock. Device locks are taken under neither of
 * the last two.
 */
#ifndef RVVM_MACHINE_MACHINE_H
#define RVVM_MACHINE_MACHINE_H

#include "base/error.h"
#include "base/log.h"
#include "cpu/bus.h"
#include "cpu/hart.h"
#include "host/memory.h"
#include "jit/jit.h"
#include "machine/boot/boot.h"
#include "machine/boot/tree_edits.h"
#include "machine/device.h"
#include "machine/request.h"
#include "machine/sbi_pmu.h"
#include <pthread.h>

#define MACHINE_HARTS_MAX 64
#define MACHINE_DEVICES_MAX 64
#define MACHINE_RAM_BASE 0x80000000u
#define MACHINE_RAM_MIN (1u << 20)
#define MACHINE_ROM_ALIGN (64u << 10) /* the largest page of a host */

/* Hart states, numbered as SBI HSM numbers them. */
enum hsm_state {
    HSM_STARTED = 0,
    HSM_STOPPED = 1,
    HSM_START_PENDING = 2,
    HSM_SUSPENDED = 4,
};

struct machine;
struct pci_bus; /* dev/pci/pci.h */

/* What a hart does while the machine runs. */
enum machine_go {
    MACHINE_GO_RUN,
    MACHINE_GO_ALONE, /* it runs and takes no interrupt, whose handler might wait for the others */
    MACHINE_GO_STEP,  /* one instruction; then the whole machine pauses */
    MACHINE_GO_REST,  /* nothing */
};

/* Why a machine pauses; bits, each of which is enough. */
enum machine_pause {
    MACHINE_PAUSE_USER = 1,
    MACHINE_PAUSE_DEBUGGER = 2,
    MACHINE_PAUSE_LOOK = 4,  /* for a moment, by who wants to see it at rest */
    MACHINE_PAUSE_LEAVE = 8, /* for a moment, so that no hart is in a device any more */
};

struct machine_hart {
    struct machine *machine;
    struct hart *hart;
    pthread_t thread;
    bool has_thread;
    bool running;         /* under machine.lock: in hart_run, or about to be */
    pthread_cond_t wake;  /* with machine.lock: state, held or quit changed */
    _Atomic unsigned hsm; /* enum hsm_state; written under machine.lock, or by the hart itself */
    uint64_t start_pc;    /* under machine.lock, for HSM_START_PENDING */
    uint64_t start_arg;
    struct sbi_pmu pmu; /* the hart's thread */

    /* Under machine.lock: what a debugger wants of it when the machine goes on. */
    enum machine_go go;
    uint64_t step_first, step_end; /* MACHINE_GO_STEP: steps are taken while pc is in here */
};

/* What built-in SBI calls write to and read from: functions of the board's UART. */
struct machine_console {
    size_t (*put)(struct device *dev, const void *bytes, size_t size);
    size_t (*get)(struct device *dev, void *bytes, size_t size);
    struct device *dev; /* NULL: no console */
};

/* What a user presses. */
struct machine_button {
    bool (*press)(void *ctx, struct error *err); /* any thread; NULL: there is none */
    void *ctx;
};

/* Whom the devices' interrupts go to. */
struct machine_irq_controller {
    uint32_t phandle; /* in the device tree */
    unsigned cells;   /* that an input takes there: 1 the number, 2 the number and the kind */
    /* Before a kernel starts that has no firmware below it: what that would do. NULL: nothing. */
    void (*delegate)(struct device *dev);
    /* An input, from 1 to `inputs`. */
    struct irq_line (*line)(struct device *dev, unsigned number);
    unsigned inputs;
    struct device *dev;
};

struct machine {
    struct bus bus;
    struct log *log;
    struct isa isa;
    struct chores *chores; /* for large pages */
    struct memory ram;     /* bus.ram and behind it bus.rom */
    _Atomic uint8_t *heat; /* bus.heat */
    struct machine_hart harts[MACHINE_HARTS_MAX];
    struct jit *jit;                           /* NULL: harts interpret */
    struct hart *hart_list[MACHINE_HARTS_MAX]; /* the same, for interrupt controllers */
    unsigned hart_count;

    struct device *devices[MACHINE_DEVICES_MAX]; /* by base, ascending */
    unsigned device_count;

    /* Set by the board. */
    struct machine_console console;
    struct machine_button button; /* for power */
    struct machine_irq_controller irq_controller;
    struct device *clock;    /* the device that keeps the time */
    struct pci_bus *pci;     /* the root bus, for what is plugged in; NULL: none */
    const char *stdout_path; /* device tree path of the console; NULL: none */
    uint32_t timebase;       /* ticks of bus.time a second */
    uint64_t flash_entry;    /* a program in the rom that is the next stage; 0: none */

    struct boot_files files;
    struct boot_state boot; /* what the last load did */
    struct tree_edits tree_edits;
    /* After each load, harts at rest and no lock held, on machine_run's thread. NULL: nobody asks. */
    void (*on_load)(void *ctx);
    void *on_load_ctx;
    bool no_reboot;
    uint64_t retired;                     /* instructions of all harts before the last load */
    _Atomic uint64_t io_reads, io_writes; /* accesses to devices */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* requested, or a hart came to rest */
    bool held;              /* under lock: harts shall rest */
    unsigned pauses;        /* under lock: the same, for enum machine_pause reasons */
    bool powered;           /* under lock: machine_run is in it */
    unsigned loads;         /* under lock: times it was loaded */
    /* Under lock, on a hart's thread, which has found something that hart.stop tells: the machine is about
     * to pause. NULL: nobody asks. */
    void (*on_stop)(void *ctx);
    void *on_stop_ctx;
    /* Under lock, on any thread: pauses, powered or loads have changed. NULL: nobody asks. */
    void (*on_change)(void *ctx);
    void *on_change_ctx;
    /* Held while the machine is loaded, and by who looks into it while it pauses. */
    pthread_mutex_t load_lock;
    bool quit;      /* under lock: threads shall end */
    bool requested; /* under lock */
    enum machine_request request;
    int request_code;
};

struct machine_config {
    struct isa isa;
    uint64_t ram_size; /* bytes; rounded up to pages */
    uint64_t rom_base; /* bus.rom, whole pages; the board fills it */
    uint64_t rom_size; /* 0: none */
    unsigned harts;
    bool no_reboot;
    bool interpret;       /* nothing is translated, also where it could be */
    bool check;           /* what is translated is interpreted too, and a difference ends the run */
    enum jit_tiers tiers; /* jit/jit.h */
    uint64_t code_cache;  /* bytes for translated code; 0: the default */
    unsigned dump;        /* enum jit_dump, to dump_line */
    void (*dump_line)(void *ctx, unsigned kind, const char *line);
    void *dump_ctx;
    struct log *log; /* may be NULL; outlives the machine */
};

struct machine *machine_new(const struct machine_config *config, struct error *err);
void machine_free(struct machine *m); /* the harts' threads end first; m may be NULL */

/* Any thread. false: err says why nobody has felt it. */
bool machine_press_power(struct machine *m, struct error *err);

/* Takes over dev, also when it fails. dev may be NULL (its constructor failed): false. */
bool machine_add(struct machine *m, struct device *dev, uint64_t base, struct error *err);

/*
 * Loads and runs until poweroff, or reset with no_reboot. *status is the exit status that the guest
 * asked for. Not on a hart's thread.
 */
bool machine_run(struct machine *m, int *status, struct error *err);

/* Devices to their reset state, images into memory, harts to their entry. The machine rests. */
bool machine_load(struct machine *m, struct error *err);

/* Any thread, signal handlers excepted. For struct machine_requests: ctx is the machine. */
void machine_request(void *machine, enum machine_request what, int code);

/* Not on a hart's thread: all harts come to rest; they go on. */
void machine_hold(struct machine *m);
void machine_release(struct machine *m);

/*
 * pause.c. Not on a hart's thread. When machine_pause returns the harts rest, until all reasons are
 * resumed; who looks at harts or memory then holds load_lock, since a reset may be under way.
 */
void machine_pause(struct machine *m, enum machine_pause why);
void machine_resume(struct machine *m, unsigned whys);
unsigned machine_pauses(struct machine *m);
/* Whether the harts rest and nobody lets them go on meanwhile, but for the caller. Holds for a machine
 * that is off, is paused, or has just been loaded (on_load). */
bool machine_rests(struct machine *m);
/* In machine_run. */
bool machine_is_powered(struct machine *m);
/* Restarts it, and returns when that is done or it has ended. false: it was not running. */
bool machine_reset(struct machine *m);
/* Between the parts of machine.c and pause.c; m->lock is held. */
void machine_stop_harts(struct machine *m); /* tells them, waits for none */
void machine_await_rest(struct machine *m);
void machine_wake_harts(struct machine *m);
void machine_changed(struct machine *m);
/* On the hart's thread, before and after it ran: whether it may run, and what it has stopped for. */
bool machine_may_run(const struct machine_hart *mh);
void machine_hart_ran(struct machine_hart *mh);

/* A hart that rests in HSM_STOPPED begins in S-mode. false: it was not stopped. */
bool machine_start_hart(struct machine *m, unsigned id, uint64_t pc, uint64_t arg);
/* On the hart's own thread: it rests from the next instruction on. */
void machine_stop_hart(struct machine *m, struct hart *h);

/*
 * Guest-physical memory for devices: false when any byte of the range is not main memory. Nothing
 * is copied then.
 */
bool machine_dma_read(struct machine *m, uint64_t paddr, void *data, size_t size);
bool machine_dma_write(struct machine *m, uint64_t paddr, const void *data, size_t size);
/* The range itself, or NULL. Who writes there says so afterwards: there may be translated code. */
void *machine_dma_map(struct machine *m, uint64_t paddr, size_t size);
void machine_dma_written(struct machine *m, const void *bytes, size_t size);

/* bus.c: struct bus's callbacks, ctx is the machine. */
bool machine_bus_read(void *machine, uint64_t paddr, unsigned size, uint64_t *value);
bool machine_bus_write(void *machine, uint64_t paddr, unsigned size, uint64_t value);

#endif
