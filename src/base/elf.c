/* SPDX-License-Identifier: MPL-2.0 */
/* ELF files: see elf.h. */
#include "base/elf.h"

#include <string.h>

enum {
    CLASS_32 = 1,
    CLASS_64 = 2,
    LITTLE_ENDIAN_DATA = 1,
    TYPE_EXECUTABLE = 2,
    TYPE_SHARED = 3,
    MACHINE_RISCV = 243,
};

/* What differs between the classes: where fields are, in bytes. */
struct layout {
    unsigned word; /* bytes of an address */
    struct {
        unsigned size, entry, table, sections, entry_size, section_size;
    } header; /* behind a size is the count */
    struct {
        unsigned size, flags, offset, vaddr, paddr, file_size, memory_size;
    } program;
};

static const struct layout layout_32 = {
    .word = 4,
    .header = {.size = 52,
               .entry = 24,
               .table = 28,
               .sections = 32,
               .entry_size = 42,
               .section_size = 46},
    .program = {.size = 32,
                .flags = 24,
                .offset = 4,
                .vaddr = 8,
                .paddr = 12,
                .file_size = 16,
                .memory_size = 20},
};

static const struct layout layout_64 = {
    .word = 8,
    .header = {.size = 64,
               .entry = 24,
               .table = 32,
               .sections = 40,
               .entry_size = 54,
               .section_size = 58},
    .program = {.size = 56,
                .flags = 4,
                .offset = 8,
                .vaddr = 16,
                .paddr = 24,
                .file_size = 32,
                .memory_size = 40},
};

static uint64_t field(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static const char *machine_name(unsigned machine)
{
    switch (machine) {
    case 3:
        return "x86";
    case 8:
        return "MIPS";
    case 20:
    case 21:
        return "PowerPC";
    case 40:
        return "32-bit Arm";
    case 62:
        return "x86-64";
    case 183:
        return "64-bit Arm";
    case 258:
        return "LoongArch";
    default:
        return "another processor";
    }
}

bool elf_is(const void *bytes, size_t size)
{
    return size >= 4 && !memcmp(bytes, "\177ELF", 4);
}

static bool check_header(const struct elf_header *h, unsigned type, unsigned machine,
                         const struct layout *l, struct error *err)
{
    if (machine != MACHINE_RISCV)
        return error_set(err, "an ELF file for %s (machine %u), not for RISC-V",
                         machine_name(machine), machine);
    if (type != TYPE_EXECUTABLE && type != TYPE_SHARED)
        return error_set(err, "an ELF file that is no executable or shared object (type %u)", type);
    if (h->entry_size != l->program.size || !h->count)
        return error_set(err, "not a valid ELF file: %u program headers of %u bytes", h->count,
                         h->entry_size);
    return true;
}

bool elf_read_header(struct elf_header *h, const void *bytes, size_t size, struct error *err)
{
    const uint8_t *b = bytes;
    if (!elf_is(bytes, size))
        return error_set(err, "not an ELF file");
    if (size < 20)
        return error_set(err, "cut short: an ELF file of %zu bytes", size);
    if (b[4] != CLASS_32 && b[4] != CLASS_64)
        return error_set(err, "not a valid ELF file: class %u", b[4]);
    if (b[5] != LITTLE_ENDIAN_DATA)
        return error_set(err, "a big-endian ELF file, RISC-V's are little-endian");
    const struct layout *l = b[4] == CLASS_64 ? &layout_64 : &layout_32;
    if (size < l->header.size)
        return error_set(err, "cut short: an ELF file of %zu bytes", size);
    const unsigned type = (unsigned)field(b + 16, 2), machine = (unsigned)field(b + 18, 2);
    *h = (struct elf_header){
        .xlen = 8 * l->word,
        .version = b[6],
        .moves = type == TYPE_SHARED,
        .entry = field(b + l->header.entry, l->word),
        .table = field(b + l->header.table, l->word),
        .entry_size = (unsigned)field(b + l->header.entry_size, 2),
        .count = (unsigned)field(b + l->header.entry_size + 2, 2),
        .sections = field(b + l->header.sections, l->word),
        .section_size = (unsigned)field(b + l->header.section_size, 2),
        .section_count = (unsigned)field(b + l->header.section_size + 2, 2),
    };
    return check_header(h, type, machine, l, err);
}

bool elf_find_table(const struct elf_header *h, const void *bytes, size_t size,
                    const uint8_t **table, struct error *err)
{
    if (h->table > size || (uint64_t)h->count * h->entry_size > size - h->table)
        return error_set(err, "cut short: program headers beyond the end of the file");
    *table = (const uint8_t *)bytes + h->table;
    return true;
}

struct elf_program_header elf_program_header(const struct elf_header *h, const uint8_t *table,
                                             unsigned number)
{
    const struct layout *l = h->xlen == 64 ? &layout_64 : &layout_32;
    const uint8_t *at = table + (size_t)number * l->program.size;
    return (struct elf_program_header){
        .type = (uint32_t)field(at, 4),
        .flags = (uint32_t)field(at + l->program.flags, 4),
        .offset = field(at + l->program.offset, l->word),
        .vaddr = field(at + l->program.vaddr, l->word),
        .paddr = field(at + l->program.paddr, l->word),
        .file_size = field(at + l->program.file_size, l->word),
        .memory_size = field(at + l->program.memory_size, l->word),
    };
}

bool elf_check_segment(const struct elf_program_header *p, unsigned number, uint64_t size,
                       struct error *err)
{
    if (p->file_size > p->memory_size)
        return error_set(err, "not a valid ELF file: segment %u is larger than its memory", number);
    if (p->offset > size || p->file_size > size - p->offset)
        return error_set(err, "cut short: segment %u ends beyond the end of the file", number);
    return true;
}
