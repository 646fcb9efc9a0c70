/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A machine's life: made, run until the guest powers it off, run again, freed.
 *
 * A machine that was made rests. rvvm_machine_run powers it on in the thread that calls it, with a
 * thread more for each hart, and returns when it is off again. "While it is not running" means outside
 * of that call.
 */
#ifndef RVVM_MACHINE_H
#define RVVM_MACHINE_H

#include <rvvm/config.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A machine; its parts are the library's. */
struct rvvm_machine;

/* Counters, since the machine was made. */
struct rvvm_stats {
    uint64_t instructions; /* retired, all harts */
    uint64_t blocks;       /* code blocks that the interpreter made */
    uint64_t cache_resets; /* times that a hart's store of them was full */
    /* The translator's; 0 with RVVM_JIT_OFF. */
    uint64_t translated_blocks;
    uint64_t translated_insns; /* guest instructions in them */
    uint64_t translated_bytes; /* of host code */
    uint64_t translation_ns;   /* spent translating, all harts */
    uint64_t dropped_blocks;   /* their guest code was written */
    uint64_t evicted_blocks;   /* they gave way to others */
    uint64_t chained_jumps;    /* that go straight from block to block */
    uint64_t lookups;          /* times a block was looked for by its address */
    uint64_t interpreted;      /* times the interpreter ran a stretch in the translator's place */
    uint64_t checked_blocks;   /* RVVM_JIT_CHECK: times that a block was run both ways */
    uint64_t regions;          /* loops translated as a whole */
    uint64_t region_insns;     /* guest instructions in them */
    uint64_t region_ns;        /* spent on them, by a thread that runs beside the harts */
};

/*
 * NULL when it cannot be made: then error says why. All files are read and checked now, and the
 * serial port is opened: "stdio" on a terminal makes it raw until rvvm_machine_free.
 */
RVVM_API struct rvvm_machine *rvvm_machine_new(const struct rvvm_config *config,
                                               struct rvvm_error *error);

/* Ends the machine's threads; not while rvvm_machine_run is running. machine may be NULL. */
RVVM_API void rvvm_machine_free(struct rvvm_machine *machine);

/*
 * Powers the machine on and returns true when the guest powers it off, when it resets and
 * no_reboot is set, or after rvvm_machine_quit. *status is the exit status the guest asked for, 0 for an orderly
 * poweroff, up to 65535. false: it could not be started, and error says why. It may be called again,
 * for another power-on with memory cleared and the files as they were read.
 */
RVVM_API bool rvvm_machine_run(struct rvvm_machine *machine, int *status, struct rvvm_error *error);

/*
 * Any thread, not a signal handler. Ends rvvm_machine_run with status 0, soon; while it is not
 * running, the next call returns at once.
 */
RVVM_API void rvvm_machine_quit(struct rvvm_machine *machine);

/*
 * Any thread but a callback's. A machine that pauses runs no instruction, from when rvvm_machine_pause
 * returns until rvvm_machine_resume; rvvm_machine_run waits meanwhile. Its clocks go on. A debugger that
 * has stopped the machine does not let it go on before it wants to.
 */
RVVM_API void rvvm_machine_pause(struct rvvm_machine *machine);
RVVM_API void rvvm_machine_resume(struct rvvm_machine *machine);

/* Any thread. Whether it pauses, by rvvm_machine_pause or by a debugger. */
RVVM_API bool rvvm_machine_paused(struct rvvm_machine *machine);

/*
 * Any thread but a callback's. Restarts a machine that is running, as its reset button would, and returns
 * when that is done. With no_reboot it ends. false: it was not running.
 */
RVVM_API bool rvvm_machine_reset(struct rvvm_machine *machine);

/*
 * Any thread. Plugs the cable of a network in or out; networks are counted from 0, those of the card
 * "none" too. false: there is no such network.
 */
RVVM_API bool rvvm_machine_set_link(struct rvvm_machine *machine, unsigned network, bool up);

/*
 * Any thread. Adds a forward of a port, or ends one; then only the host's side of it matters. false: error
 * says which port and why.
 */
RVVM_API bool rvvm_machine_forward(struct rvvm_machine *machine, const char *forward, bool add,
                                   struct rvvm_error *error);

/*
 * Any thread but a callback's. A drive of the kinds RVVM_DRIVE_NVME and RVVM_DRIVE_VIRTIO_BLK is put into an
 * empty slot (config.drive_slots), whether the machine runs or not. *slot: which, from 1 on. The guest finds it
 * by itself if it has a driver for PCI Express hot plug. A thread that is isolated with the process opens no
 * files any more. false: error says what is wrong with the image, or that no slot is empty.
 */
RVVM_API bool rvvm_machine_add_drive(struct rvvm_machine *machine, const struct rvvm_drive *drive,
                                     unsigned *slot, struct rvvm_error *error);
/*
 * Any thread but a callback's. Asks the guest to let go of the drive, as a press on the slot's button does, and
 * returns; when the guest has switched the slot off, the drive is taken out and its image closed, with all
 * that the guest was told is written. *gone: that was so at once. With force it is pulled out, as a hand
 * would. false: there is no drive, or the guest uses it and cannot be asked.
 */
RVVM_API bool rvvm_machine_remove_drive(struct rvvm_machine *machine, unsigned slot, bool force,
                                        bool *gone, struct rvvm_error *error);
/* Any thread. Whether there is a drive in the slot. */
RVVM_API bool rvvm_machine_has_drive(struct rvvm_machine *machine, unsigned slot);

/*
 * Any thread. A press on the power button, which asks the guest to power off. false: there is none, or the
 * guest has no driver for it that runs.
 */
RVVM_API bool rvvm_machine_press_power(struct rvvm_machine *machine, struct rvvm_error *error);

/*
 * While the machine is not running: the device tree blob that a guest would be given, its seeds and
 * places fresh. *blob is the caller's to free().
 */
RVVM_API bool rvvm_machine_device_tree(struct rvvm_machine *machine, void **blob, size_t *size,
                                       struct rvvm_error *error);

/* While the machine is not running. size: sizeof(*stats) as the caller was built; it may grow. */
RVVM_API void rvvm_machine_stats(const struct rvvm_machine *machine, struct rvvm_stats *stats,
                                 size_t size);

#ifdef __cplusplus
}
#endif

#endif
