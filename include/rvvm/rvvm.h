/* SPDX-License-Identifier: MPL-2.0 */
/*
 * librvvm: RISC-V machines inside a program.
 *
 *     struct rvvm_config config;
 *     rvvm_config_init(&config);
 *     config.kernel = "Image";
 *     config.append = "console=ttyS0";
 *
 *     struct rvvm_error error;
 *     struct rvvm_machine *machine = rvvm_machine_new(&config, &error);
 *     int status;
 *     if (!machine || !rvvm_machine_run(machine, &status, &error))
 *         fprintf(stderr, "%s\n", error.text);
 *     rvvm_machine_free(machine);
 *
 * Any number of machines live side by side in one process; they share nothing. The library prints
 * nothing but through the log callback, installs no signal handler and never ends the process.
 * Unless a function says otherwise, calls for one machine come from one thread at a time.
 */
#ifndef RVVM_RVVM_H
#define RVVM_RVVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RVVM_API __attribute__((visibility("default")))
#else
#define RVVM_API
#endif

#define RVVM_VERSION "0.1.0"

/* Why a call failed: one line without a newline, naming what and where. Owned by the caller. */
struct rvvm_error {
    char text[512];
};

enum rvvm_log_level {
    RVVM_LOG_ERROR, /* something that was asked for does not work */
    RVVM_LOG_WARN,  /* it works, but not as one may think */
    RVVM_LOG_INFO,  /* what the machine is made of and does */
    RVVM_LOG_GUEST, /* the guest did something that the hardware does not define */
    RVVM_LOG_DEBUG, /* for those who work on the library */
};

/*
 * Receives log lines (no newline) from any of the machine's threads, several at once. It may not
 * call the library for this machine, and the guest waits while it runs. Guests cannot flood it:
 * after a thousand lines of RVVM_LOG_GUEST no more come.
 */
typedef void rvvm_log_fn(void *ctx, enum rvvm_log_level level, const char *line);

/* What is said of translated code, for those who work on the translator: bits. */
enum rvvm_dump {
    RVVM_DUMP_IN = 1,   /* guest code */
    RVVM_DUMP_IR = 2,   /* operations between */
    RVVM_DUMP_OUT = 4,  /* host code, as bytes */
    RVVM_DUMP_PERF = 8, /* for perf's map file: address and size, hexadecimal, and a name */
};

/* How guest code is run. */
enum rvvm_jit {
    RVVM_JIT_ON,  /* translated to host code, where there is a translator for the host */
    RVVM_JIT_OFF, /* interpreted */
    /* Both, block by block, one hart at a time. The first difference is logged as an error and ends the
     * run as a poweroff with status 1 does. */
    RVVM_JIT_CHECK,
    RVVM_JIT_TIER1, /* translated block by block only: hot loops are not translated as a whole */
    RVVM_JIT_TIER2, /* every loop is, from its second round on: for tests of the translator */
};

/* A bank of flash memory, 32 MiB: an image, raw or qcow2, that it holds from its first byte on. */
struct rvvm_flash {
    const char *file; /* NULL: the bank is blank */
    bool read_only;   /* the guest cannot change it */
    bool overlay;     /* what the guest changes is lost at the end */
};

/* What a drive is connected to. */
enum rvvm_drive_kind {
    RVVM_DRIVE_NVME,           /* an NVMe controller of its own */
    RVVM_DRIVE_NVME_NAMESPACE, /* one more namespace of the RVVM_DRIVE_NVME that is listed before it */
    RVVM_DRIVE_VIRTIO_BLK,
    RVVM_DRIVE_ATA, /* a port of an AHCI controller */
};

/* A drive. image: "FILE", and how to use it behind commas: "disk.qcow2,ro" (rvvm(1), DRIVES). */
struct rvvm_drive {
    enum rvvm_drive_kind kind;
    const char *image;
};

/* A port of the virtio console device. */
struct rvvm_console {
    const char *where; /* as rvvm_config.serial; "stdio" only if nothing else is there */
    const char *name;  /* a port for programs, of that name (1 to 63 bytes); NULL: a console */
};

/*
 * A network card and what it is connected to: "CARD,BACKEND,WORD..." as behind rvvm's -net (rvvm(1),
 * NETWORK): "virtio,user", "rtl8169,tap=tap0,mac=52:54:00:00:00:01".
 */
struct rvvm_network {
    const char *text; /* NULL: "", the default card in user mode */
};

/* The interrupt controllers. */
enum rvvm_aia {
    RVVM_AIA_NONE,        /* a PLIC */
    RVVM_AIA_APLIC,       /* an APLIC, which tells harts by wires */
    RVVM_AIA_APLIC_IMSIC, /* an APLIC, and an IMSIC a hart: PCI devices send messages to harts */
};

/*
 * What to make. Fill it with rvvm_config_init first, which sets what stands behind the semicolons.
 * Everything is copied by rvvm_machine_new, which alone reads strings and files. NULL names nothing.
 */
struct rvvm_config {
    size_t struct_size; /* set by rvvm_config_init: which version of this struct it is */

    /* What runs. With firmware, harts start there in M-mode (an ELF file at its entry, else at
     * 0x80000000) and the kernel is its payload; a kernel alone runs in S-mode on the built-in SBI. */
    const char *firmware; /* raw image or ELF file */
    const char *kernel;   /* Linux Image (plain, gzip, zstd, EFI zboot), ELF file or raw image */
    const char *initrd;   /* initial ramdisk for the kernel */
    const char *append;   /* kernel command line */
    const char *dtb;      /* device tree blob to use in place of the machine's own */

    /* The machine. */
    uint64_t memory;    /* bytes of main memory; 256 MiB */
    unsigned harts;     /* 1 to 64; 1 */
    unsigned xlen;      /* 32 or 64; 64 */
    const char *cpu;    /* "rv64,zfa=off,sv57=on" (rvvm(1), -cpu); NULL: the default processor */
    const char *serial; /* stdio, null, pty, file:PATH, unix:PATH or tcp:HOST:PORT; "null" */
    bool no_reboot;     /* a reset ends rvvm_machine_run; false */
    enum rvvm_jit jit;  /* RVVM_JIT_ON */
    unsigned dump; /* enum rvvm_dump: lines for each block that is translated, to dump_line; 0 */
    /* Any of the machine's threads. kind: one of the bits; ctx: log_ctx. NULL: dump says nothing. */
    void (*dump_line)(void *ctx, unsigned kind, const char *line);

    rvvm_log_fn *log; /* NULL: nothing is logged */
    void *log_ctx;
    enum rvvm_log_level log_level; /* the last level that is passed on; RVVM_LOG_WARN */

    uint64_t code_cache; /* bytes for translated code, up to 1 GiB; 0: as the library thinks best */

    /* Flash at 0x20000000 and 0x22000000; none when neither has a file. A program in the first one
     * runs in place, in S-mode, where a kernel would run if one were named. */
    struct rvvm_flash flash[2];

    const struct rvvm_drive *drives; /* in the order of their places on the bus; NULL */
    unsigned drive_count;            /* 0 */

    const struct rvvm_console *consoles; /* ports of one virtio console device; NULL */
    unsigned console_count;              /* up to 31; 0: there is no such device */
    bool entropy;                        /* a virtio entropy device; false */

    enum rvvm_aia aia; /* RVVM_AIA_NONE */

    const struct rvvm_network *networks; /* in the order of their places on the bus; NULL */
    unsigned network_count;              /* up to 16; 0: there is no network */
    /* Ports of the host that lead into the guest, through the first network in user mode:
     * "tcp/127.0.0.1:2022=22" (rvvm(1), -portfwd). NULL */
    const char *const *forwards;
    unsigned forward_count; /* 0 */

    /* Where a debugger may attach, "tcp:HOST:PORT" or "unix:PATH": whoever can connect there may do
     * everything to the machine. NULL: nowhere */
    const char *gdb;
    bool paused; /* the machine pauses before its first instruction; false */
};

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

/* The defaults: nothing to run, 256 MiB, one hart of rv64, a serial port that nobody hears. */
RVVM_API void rvvm_config_init(struct rvvm_config *config);

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
