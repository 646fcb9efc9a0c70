/* SPDX-License-Identifier: MPL-2.0 */
/* Reading of programs: see program.h. */
#include "sandbox/program.h"

#include <inttypes.h>
#include <string.h>

#define PAGE UINT64_C(4096)

enum { SECTION_SYMBOLS = 2, SECTION_DYNAMIC_SYMBOLS = 11 };

/* Tags of the dynamic section. */
enum {
    DT_NEEDED = 1,
    DT_PLTRELSZ = 2,
    DT_STRTAB = 5,
    DT_SYMTAB = 6,
    DT_RELA = 7,
    DT_RELASZ = 8,
    DT_STRSZ = 10,
    DT_JMPREL = 23,
    DT_INIT_ARRAY = 25,
    DT_INIT_ARRAYSZ = 27,
    DT_RELRSZ = 35,
    DT_LISTED = 36, /* tags below are kept */
};

enum { R_RISCV_NONE = 0, R_RISCV_64 = 2, R_RISCV_JUMP_SLOT = 5, R_RISCV_RELATIVE = 3 };

/* As they stand in the file. */
struct file_section {
    uint32_t name, type;
    uint64_t flags, address, offset, size;
    uint32_t link, info;
    uint64_t align, entry_size;
};
struct file_symbol {
    uint32_t name;
    uint8_t info, other;
    uint16_t section; /* 0: it is not here */
    uint64_t value, size;
};
struct file_rela {
    uint64_t offset, info;
    int64_t addend;
};
_Static_assert(sizeof(struct file_section) == 64 && sizeof(struct file_symbol) == 24 &&
                   sizeof(struct file_rela) == 24,
               "they have no gaps");

static bool copy(const struct program *p, void *to, uint64_t offset, size_t size)
{
    if (offset > p->size || size > p->size - offset)
        return false;
    memcpy(to, p->bytes + offset, size);
    return true;
}

/* Where in the file the bytes of an address without bias are; false: not all of them are there. */
static bool offset_of(const struct program *p, uint64_t address, uint64_t size, uint64_t *offset)
{
    for (unsigned i = 0; i < p->segment_count; i++) {
        const struct program_segment *s = &p->segments[i];
        uint64_t into = address + p->bias - s->address;
        if (into <= s->file_size && size <= s->file_size - into) {
            *offset = s->offset + into;
            return true;
        }
    }
    return false;
}

/*
 * Segments
 */

static bool take_segment(struct program *p, const struct elf_program_header *f, uint64_t first,
                         uint64_t end, struct error *err)
{
    struct program_segment s = {f->vaddr + p->bias, f->offset, f->file_size, f->memory_size,
                                f->flags & 7};
    if (p->segment_count) {
        const struct program_segment *before = &p->segments[p->segment_count - 1];
        first = (before->address + before->size + PAGE - 1) & ~(PAGE - 1);
    }
    if (s.address < first || s.address > end || s.size > end - s.address)
        return error_set(err,
                         "segment at 0x%" PRIx64 ", %" PRIu64
                         " bytes: no room for it there, or it is not alone on its pages",
                         f->vaddr, f->memory_size);
    if (p->segment_count == PROGRAM_SEGMENTS_MAX)
        return error_set(err, "more than %d segments", PROGRAM_SEGMENTS_MAX);
    p->segments[p->segment_count++] = s;
    return true;
}

/* Messages are without the name, up to program_read. */
static bool take_segments(struct program *p, uint64_t first, uint64_t end,
                          struct elf_program_header *dynamic, struct error *err)
{
    const uint8_t *table;
    if (!elf_find_table(&p->elf, p->bytes, p->size, &table, err))
        return false;
    for (unsigned i = 0; i < p->elf.count; i++) {
        const struct elf_program_header f = elf_program_header(&p->elf, table, i);
        const bool loaded = f.type == ELF_LOAD && f.memory_size;
        if (f.type == ELF_INTERPRETER)
            return error_set(err, "needs a dynamic linker: link it with -static or -shared");
        if ((loaded || f.type == ELF_THREAD_LOCAL) && !elf_check_segment(&f, i, p->size, err))
            return false;
        if (loaded && !p->segment_count && p->elf.moves)
            p->bias = first - (f.vaddr & ~(PAGE - 1));
        if (loaded && !take_segment(p, &f, first, end, err))
            return false;
        if (f.type == ELF_DYNAMIC)
            *dynamic = f;
        if (f.type == ELF_THREAD_LOCAL)
            p->tls = (struct program_segment){0, f.offset, f.file_size, f.memory_size, 0};
    }
    return p->segment_count || error_set(err, "an ELF file with nothing to load");
}

/*
 * The dynamic section
 */

static bool read_dynamic(struct program *p, const struct elf_program_header *dynamic,
                         struct error *err)
{
    uint64_t value[DT_LISTED] = {0};
    for (uint64_t i = 0; i < dynamic->file_size / 16; i++) {
        uint64_t entry[2];
        if (!copy(p, entry, dynamic->offset + 16 * i, sizeof(entry)))
            return error_set(err, "cut short in its dynamic section");
        if (!entry[0])
            break;
        if (entry[0] == DT_NEEDED)
            return error_set(err, "needs other libraries: link it with -nostdlib or -static");
        if (entry[0] < DT_LISTED)
            value[entry[0]] = entry[1];
    }
    if (value[DT_RELRSZ])
        return error_set(err, "packed relocations: link it with -z nopack-relative-relocs");
    p->init = value[DT_INIT_ARRAY] + p->bias;
    p->init_size = value[DT_INIT_ARRAYSZ];
    p->relocations = (struct program_table){value[DT_RELA], value[DT_RELASZ]};
    p->jump_slots = (struct program_table){value[DT_JMPREL], value[DT_PLTRELSZ]};
    p->strings = (struct program_table){value[DT_STRTAB], value[DT_STRSZ]};
    p->symbols = value[DT_SYMTAB];
    return true;
}

static bool read_headers(struct program *p, struct error *err)
{
    if (!elf_read_header(&p->elf, p->bytes, p->size, err))
        return false;
    return p->elf.xlen == 64 || error_set(err, "an ELF file for rv32, and sandboxes are for rv64");
}

bool program_read(struct program *p, const char *name, const void *bytes, size_t size,
                  uint64_t first, uint64_t end, struct error *err)
{
    struct elf_program_header dynamic = {.file_size = 0};
    *p = (struct program){.name = name, .bytes = bytes, .size = size};
    return (read_headers(p, err) && take_segments(p, first, end, &dynamic, err) &&
            read_dynamic(p, &dynamic, err)) ||
           error_prefix(err, "%s", name);
}

/*
 * Symbols
 */

/* In a table of symbols, with its strings. */
static bool find_in(const struct program *p, const struct file_section *table,
                    const struct file_section *strings, const char *name, uint64_t *address)
{
    const size_t length = strlen(name) + 1;
    for (uint64_t i = 0; i < table->size / sizeof(struct file_symbol); i++) {
        struct file_symbol symbol;
        if (!copy(p, &symbol, table->offset + i * sizeof(symbol), sizeof(symbol)))
            return false;
        if (!symbol.section || symbol.name > strings->size || length > strings->size - symbol.name)
            continue;
        uint64_t at = strings->offset + symbol.name;
        if (strings->offset <= p->size && at <= p->size && length <= p->size - at &&
            !memcmp(p->bytes + at, name, length)) {
            *address = symbol.value + p->bias;
            return true;
        }
    }
    return false;
}

/* A file has one table of each kind; one that says otherwise is not to be searched for ever. */
bool program_find(const struct program *p, const char *name, uint64_t *address)
{
    const struct elf_header *h = &p->elf;
    bool searched[SECTION_DYNAMIC_SYMBOLS + 1] = {false};
    if (h->section_size != sizeof(struct file_section) || h->sections > p->size)
        return false;
    for (unsigned i = 0; i < h->section_count; i++) {
        struct file_section table, strings;
        if (!copy(p, &table, h->sections + i * sizeof(table), sizeof(table)))
            return false;
        if ((table.type != SECTION_SYMBOLS && table.type != SECTION_DYNAMIC_SYMBOLS) ||
            searched[table.type])
            continue;
        searched[table.type] = true;
        if (table.offset <= p->size && table.link < h->section_count &&
            copy(p, &strings, h->sections + table.link * sizeof(strings), sizeof(strings)) &&
            find_in(p, &table, &strings, name, address))
            return true;
    }
    return false;
}

/*
 * Relocations
 */

struct relocation {
    const struct program *p;
    bool (*store)(void *ctx, uint64_t address, uint64_t value);
    void *ctx;
};

/* What a symbol that a relocation names has for a value; a weak one that is not there is 0. */
static bool value_of(const struct relocation *r, uint64_t index, uint64_t *value, struct error *err)
{
    enum { BIND_WEAK = 2 };
    const struct program *p = r->p;
    struct file_symbol symbol;
    uint64_t at, name;
    if (index > UINT32_MAX ||
        !offset_of(p, p->symbols + index * sizeof(symbol), sizeof(symbol), &at) ||
        !copy(p, &symbol, at, sizeof(symbol)))
        return error_set(err, "%s: relocation for symbol %" PRIu64 ": there is none", p->name,
                         index);
    *value = symbol.section ? symbol.value + p->bias : 0;
    if (symbol.section || symbol.info >> 4 == BIND_WEAK || !index)
        return true;
    const struct program_table *strings = &p->strings;
    bool named = symbol.name < strings->size &&
                 offset_of(p, strings->address + symbol.name, strings->size - symbol.name, &name) &&
                 memchr(p->bytes + name, 0, strings->size - symbol.name);
    return error_set(err, "%s: needs %.100s, which it does not have", p->name,
                     named ? (const char *)p->bytes + name : "a symbol");
}

static bool relocate(const struct relocation *r, const struct file_rela *rela, struct error *err)
{
    const uint64_t index = rela->info >> 32, addend = (uint64_t)rela->addend;
    const unsigned type = (uint32_t)rela->info;
    uint64_t value = r->p->bias;
    if (type == R_RISCV_NONE)
        return true;
    if (type != R_RISCV_RELATIVE && type != R_RISCV_64 && type != R_RISCV_JUMP_SLOT)
        return error_set(err, "%s: a relocation of type %u at 0x%" PRIx64 " is not known here",
                         r->p->name, type, rela->offset);
    if (type != R_RISCV_RELATIVE && !value_of(r, index, &value, err))
        return false;
    return r->store(r->ctx, rela->offset + r->p->bias, value + addend) ||
           error_set(err, "%s: relocation at 0x%" PRIx64 ": nothing of the program is there",
                     r->p->name, rela->offset);
}

static bool relocate_all(const struct relocation *r, const struct program_table *table,
                         struct error *err)
{
    for (uint64_t i = 0; i < table->size / sizeof(struct file_rela); i++) {
        struct file_rela rela;
        uint64_t at;
        if (!offset_of(r->p, table->address + i * sizeof(rela), sizeof(rela), &at) ||
            !copy(r->p, &rela, at, sizeof(rela)))
            return error_set(err, "%s: cut short in its relocations", r->p->name);
        if (!relocate(r, &rela, err))
            return false;
    }
    return true;
}

bool program_relocate(const struct program *p,
                      bool (*store)(void *ctx, uint64_t address, uint64_t value), void *ctx,
                      struct error *err)
{
    const struct relocation r = {p, store, ctx};
    return relocate_all(&r, &p->relocations, err) && relocate_all(&r, &p->jump_slots, err);
}
