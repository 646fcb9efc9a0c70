/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From the files that a user names to a machine about to run its first instruction.
 *
 * Files are read, unpacked and checked once (boot_files_read). Each power-on or reset plans anew
 * what lies where, with fresh seeds in the device tree, and copies it into cleared memory:
 *
 *     RAM base            firmware, if any (an ELF file: where its segments say)
 *     + 2 MiB (rv32: 4)   kernel; further up when the firmware is larger than that
 *     + half of the RAM   initrd, at most 512 MiB (rv32: 128) up; behind the kernel in small memory
 *     top of the RAM      device tree, and what OpenSBI's fw_dynamic wants to know
 *
 * The first two follow from what fw_jump has built in; the third leaves U-Boot, of whose memory
 * nothing is known here, the room it takes on QEMU's `virt` machine.
 */
#ifndef RVVM_MACHINE_BOOT_BOOT_H
#define RVVM_MACHINE_BOOT_BOOT_H

#include "base/error.h"
#include "host/file.h"
#include <stdbool.h>
#include <stdint.h>

struct isa;
struct machine;

/* Bytes that stand for a file. */
struct boot_bytes {
    const void *bytes; /* NULL: there are none */
    size_t size;
};

/* A file's name, or its bytes, which go before it; neither: none. */
struct boot_source {
    const char *path;
    struct boot_bytes bytes;
};

struct boot_sources {
    struct boot_source firmware, kernel, initrd, dtb;
    const char *append; /* kernel command line */
};

struct boot_file {
    char *path; /* for messages; NULL: the user named none */
    struct file_data data;
};

struct boot_files {
    struct boot_file firmware, kernel, initrd, dtb; /* the kernel unpacked */
    char *append;                                   /* NULL: none */
};

struct boot_state {
    bool supervisor;       /* harts start in S-mode, on the built-in SBI */
    uint64_t entry;        /* of the firmware, or else the kernel */
    uint64_t dtb_address;  /* guest-physical */
    uint64_t dynamic_info; /* the same: struct fw_dynamic_info; 0: no firmware */
    void *dtb;             /* as it was written to memory */
    size_t dtb_size;
};

/* Reads what is named, none larger than ram_size. On failure the caller frees what was read. */
bool boot_files_read(struct boot_files *files, const struct boot_sources *sources,
                     const struct isa *isa, uint64_t ram_size, struct error *err);
void boot_files_free(struct boot_files *files);

/* Places everything and makes the device tree, into m->boot; memory stays as it is. */
bool boot_prepare(struct machine *m, struct error *err);
/* The same, and memory becomes what the plan says. The harts rest. */
bool boot_load(struct machine *m, struct error *err);
void boot_state_free(struct boot_state *state);

#endif
