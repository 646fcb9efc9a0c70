/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a machine is made of. The words in strings are those of the command, rvvm(1).
 *
 *     struct rvvm_config config;
 *     rvvm_config_init(&config);
 *     config.kernel = "Image";
 *     config.harts = 2;
 */
#ifndef RVVM_CONFIG_H
#define RVVM_CONFIG_H

#include <rvvm/base.h>

#ifdef __cplusplus
extern "C" {
#endif

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

/* What stands behind a port when that is the program itself: rvvm/backend.h. */
struct rvvm_terminal;
struct rvvm_disk;
struct rvvm_wire;

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
    const struct rvvm_disk
        *disk; /* in place of the file; image is then a name; NULL (rvvm/backend.h) */
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
    /* What the card is connected to, in place of a backend that text names; NULL (rvvm/backend.h) */
    const struct rvvm_wire *wire;
};

/* The interrupt controllers. */
enum rvvm_aia {
    RVVM_AIA_NONE,        /* a PLIC */
    RVVM_AIA_APLIC,       /* an APLIC, which tells harts by wires */
    RVVM_AIA_APLIC_IMSIC, /* an APLIC, and an IMSIC a hart: PCI devices send messages to harts */
};

/* Something in memory. */
struct rvvm_bytes {
    const void *bytes; /* NULL: nothing */
    size_t size;
};

/*
 * What the machine's threads give up, against guests that break out: privileges, system calls, files, as far as
 * the host's system has means for it (RVVM_LOG_INFO says what it lacks).
 */
enum rvvm_isolation {
    RVVM_ISOLATION_NONE,
    /* The machine's own threads do; those of the program that uses the library are left alone. */
    RVVM_ISOLATION_THREADS,
    /* The process is the machine's: the thread that calls rvvm_machine_run gives up all but ending the machine,
     * for good, and the library handles SIGSYS, so that what is refused is logged (RVVM_LOG_WARN). */
    RVVM_ISOLATION_PROCESS,
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
    /* Where programs may drive the machine with lines of JSON, "unix:PATH" (rvvm-ctl(1)). NULL: nowhere */
    const char *control;

    /* What a file would hold, from memory: goes before the file of that name. */
    struct rvvm_bytes firmware_bytes, kernel_bytes, initrd_bytes, dtb_bytes;

    /* The other end of the serial port, in place of `serial`; NULL (rvvm/backend.h) */
    const struct rvvm_terminal *terminal;

    enum rvvm_isolation isolation; /* RVVM_ISOLATION_NONE */

    /* Empty slots for drives that come and go (rvvm_machine_add_drive), up to 32; 0 */
    unsigned drive_slots;
    bool
        power_button; /* a key that asks the guest to power off (rvvm_machine_press_power); false */
};

/* The defaults: nothing to run, 256 MiB, one hart of rv64, a serial port that nobody hears. */
RVVM_API void rvvm_config_init(struct rvvm_config *config);

#ifdef __cplusplus
}
#endif

#endif
