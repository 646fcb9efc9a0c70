/* SPDX-License-Identifier: MPL-2.0 */
/*
 * ELF programs and shared objects for rv64 that stand alone: their segments, symbols and relocations (System V
 * ABI, "Object Files"; RISC-V psABI, "ELF Object Files"). The file is anybody's: nothing in it is
 * believed before it is compared with the file's size.
 */
#ifndef RVVM_SANDBOX_PROGRAM_H
#define RVVM_SANDBOX_PROGRAM_H

#include "base/elf.h"
#include <stddef.h>
#include <stdint.h>

#define PROGRAM_SEGMENTS_MAX 32

enum { PROGRAM_EXEC = 1, PROGRAM_WRITE = 2, PROGRAM_READ = 4 }; /* as p_flags */

struct program_segment {
    uint64_t address, offset, file_size, size; /* address: where it lies, bias included */
    unsigned rights;
};

/* A table that the dynamic section names: its address, without bias, and bytes. */
struct program_table {
    uint64_t address, size;
};

struct program {
    const char *name; /* for messages */
    const uint8_t *bytes;
    size_t size;
    struct elf_header elf;
    uint64_t bias; /* what is added to the file's addresses: 0 but for what may lie anywhere */
    struct program_segment segments[PROGRAM_SEGMENTS_MAX];
    unsigned segment_count;
    struct program_segment tls; /* the initial image of thread-local variables; size 0: none */
    /* By the dynamic section, all 0 without one. */
    uint64_t init, init_size; /* DT_INIT_ARRAY: an address, bytes */
    struct program_table relocations, jump_slots, strings;
    uint64_t symbols; /* their address, without bias */
};

/* Segments lie at multiples of a page in [first, end), rise, and share no page. name and bytes stay the
 * caller's, who keeps them. */
bool program_read(struct program *p, const char *name, const void *bytes, size_t size,
                  uint64_t first, uint64_t end, struct error *err);

/* The address of a symbol that is defined; false: there is none of that name. */
bool program_find(const struct program *p, const char *name, uint64_t *address);

/* Calls store for each word that relocations change. false: one cannot be done, or store refused. */
bool program_relocate(const struct program *p,
                      bool (*store)(void *ctx, uint64_t address, uint64_t value), void *ctx,
                      struct error *err);

#endif
