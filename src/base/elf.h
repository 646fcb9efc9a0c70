/* SPDX-License-Identifier: MPL-2.0 */
/*
 * ELF files for RISC-V: the header and the program headers, of either class in one form (System V ABI, "Object
 * Files" and "Program Loading"), checked as far as that does not depend on what is done with them.
 *
 *     struct elf_header h;
 *     const uint8_t *table;
 *     if (!elf_read_header(&h, bytes, size, err) || !elf_find_table(&h, bytes, size, &table, err))
 *         return error_prefix(err, "%s", path);
 *     for (unsigned n = 0; n < h.count; n++) {
 *         struct elf_program_header p = elf_program_header(&h, table, n);
 *         ... elf_check_segment(&p, n, size, err) ...
 *     }
 *
 * The file is anybody's: fields are copied out one by one, never pointed to, and what is not named as checked is
 * not. Messages say what is wrong and where, without the name of the file.
 */
#ifndef RVVM_BASE_ELF_H
#define RVVM_BASE_ELF_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

#define ELF_HEADER_MAX 64         /* bytes of a header of the larger class */
#define ELF_PROGRAM_HEADER_MAX 56 /* and of a program header */

enum elf_program_header_type {
    ELF_LOAD = 1,
    ELF_DYNAMIC = 2,
    ELF_INTERPRETER = 3,
    ELF_HEADERS = 6,
    ELF_THREAD_LOCAL = 7,
    ELF_STACK = 0x6474e551, /* PT_GNU_STACK */
};

enum elf_program_header_flags { ELF_EXEC = 1, ELF_WRITE = 2, ELF_READ = 4 };

struct elf_header {
    unsigned xlen;    /* 32 or 64, by the class */
    unsigned version; /* of the identification: 1, which is not checked, as Linux does not */
    bool moves;       /* ET_DYN: it may lie anywhere; else ET_EXEC */
    uint64_t entry;
    /* Program headers: where in the file, how many (not 0), bytes of each (those of the class). */
    uint64_t table;
    unsigned count, entry_size;
    /* Sections, of which nothing is checked. */
    uint64_t sections;
    unsigned section_count, section_size;
};

struct elf_program_header {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, file_size, memory_size;
};

/* Does it begin as ELF files do? */
bool elf_is(const void *bytes, size_t size);

/*
 * bytes: the first of the file, ELF_HEADER_MAX of them or all that there are. False: it is no program or shared
 * object for RISC-V.
 */
bool elf_read_header(struct elf_header *h, const void *bytes, size_t size, struct error *err);

/* The program headers in a file of which all bytes are there. False: they are not in it. */
bool elf_find_table(const struct elf_header *h, const void *bytes, size_t size,
                    const uint8_t **table, struct error *err);

/* The one of that number, which is below h->count, of a table that is there. */
struct elf_program_header elf_program_header(const struct elf_header *h, const uint8_t *table,
                                             unsigned number);

/* False: it has more in the file than in memory, or more than there is in a file of that size. */
bool elf_check_segment(const struct elf_program_header *p, unsigned number, uint64_t size,
                       struct error *err);

#endif
