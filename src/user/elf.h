/* SPDX-License-Identifier: MPL-2.0 */
/*
 * ELF programs: what the file says, checked, and its segments in an address space. Both classes are read
 * into one struct.
 */
#ifndef RVVM_USER_ELF_H
#define RVVM_USER_ELF_H

#include "user/space.h"
#include <stdbool.h>

#define ELF_SEGMENTS_MAX 64

struct elf_segment {
    uint64_t address, offset, file_size, size;
    int prot;
};

struct elf {
    unsigned xlen;         /* 32 or 64 */
    bool moves;            /* ET_DYN: it goes where there is room */
    bool executable_stack; /* it asks for one */
    uint64_t entry;
    uint64_t headers, header_size,
        header_count; /* the program headers, as addresses; 0: not loaded */
    struct elf_segment segments[ELF_SEGMENTS_MAX];
    unsigned segment_count;
    uint64_t first, end;                           /* addresses that the segments take */
    uint64_t interpreter_offset, interpreter_size; /* of its name in the file; size 0: none */
    /* elf_map */
    uint64_t bias; /* to be added to all addresses above */
};

/* Reads the headers. false: err says what is wrong with the file, without its name. */
bool elf_read(struct elf *elf, int fd, struct error *err);

/* Maps the segments; one that moves goes to `hint` or where there is room. */
bool elf_map(struct elf *elf, struct space *space, int fd, uint64_t hint, struct error *err);

#endif
