/* SPDX-License-Identifier: MPL-2.0 */
/*
 * ELF files: see elf.h. The file is anybody's, so headers are copied out field by field, never
 * pointed to, and no number from it is used before it is compared with the file's size.
 */
#include "machine/boot/elf.h"
#include <inttypes.h>
#include <string.h>

#define SEGMENTS_MAX 16

enum {
    ELF_MACHINE_RISCV = 243,
    ELF_CLASS_32 = 1,
    ELF_CLASS_64 = 2,
    ELF_LITTLE_ENDIAN = 1,
    ELF_TYPE_EXECUTABLE = 2,
    ELF_TYPE_DYNAMIC = 3,
    ELF_SEGMENT_LOAD = 1,
};

/* What both classes say, in one form. */
struct elf_header {
    unsigned type, machine;
    uint64_t entry, segments;
    unsigned segment_size, segment_count;
};

struct elf_segment {
    uint32_t type;
    uint64_t offset, vaddr, paddr, file_size, memory_size;
};

struct elf_file {
    const char *path;
    const uint8_t *bytes;
    size_t size;
    bool wide; /* class 64 */
    struct elf_header header;
};

static uint64_t field(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

bool elf_is(const void *bytes, size_t size)
{
    return size >= 4 && !memcmp(bytes, "\177ELF", 4);
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

/* The identification and the header, as far as they do not depend on who asks. */
static bool read_header(struct elf_file *elf, struct error *err)
{
    const uint8_t *b = elf->bytes;
    if (elf->size < 20)
        return error_set(err, "%s: cut short: an ELF file of %zu bytes", elf->path, elf->size);
    elf->header.type = (unsigned)field(b + 16, 2);
    elf->header.machine = (unsigned)field(b + 18, 2);
    if ((b[4] != ELF_CLASS_32 && b[4] != ELF_CLASS_64) || b[6] != 1)
        return error_set(err, "%s: not a valid ELF file: class %u, version %u", elf->path, b[4],
                         b[6]);
    if (b[5] != ELF_LITTLE_ENDIAN)
        return error_set(err, "%s: a big-endian ELF file, RISC-V's are little-endian", elf->path);
    elf->wide = b[4] == ELF_CLASS_64;
    if (elf->size < (elf->wide ? 64u : 52u))
        return error_set(err, "%s: cut short: an ELF file of %zu bytes", elf->path, elf->size);
    elf->header.entry = elf->wide ? field(b + 24, 8) : field(b + 24, 4);
    elf->header.segments = elf->wide ? field(b + 32, 8) : field(b + 28, 4);
    const uint8_t *counts = b + (elf->wide ? 54 : 42);
    elf->header.segment_size = (unsigned)field(counts, 2);
    elf->header.segment_count = (unsigned)field(counts + 2, 2);
    return true;
}

bool elf_check(const char *path, const void *bytes, size_t size, unsigned xlen, struct error *err)
{
    struct elf_file elf = {.path = path, .bytes = bytes, .size = size};
    if (!read_header(&elf, err))
        return false;
    const struct elf_header *header = &elf.header;
    if (header->machine != ELF_MACHINE_RISCV)
        return error_set(err, "%s: an ELF file for %s (machine %u), not for RISC-V", path,
                         machine_name(header->machine), header->machine);
    if (elf.wide != (xlen == 64))
        return error_set(err, "%s: an ELF file for rv%d, and this machine is rv%u", path,
                         elf.wide ? 64 : 32, xlen);
    if (header->type != ELF_TYPE_EXECUTABLE && header->type != ELF_TYPE_DYNAMIC)
        return error_set(err, "%s: an ELF file that is no executable (type %u)", path,
                         header->type);
    if (header->segment_size != (elf.wide ? 56u : 32u) || !header->segment_count)
        return error_set(err, "%s: not a valid ELF file: %u program headers of %u bytes", path,
                         header->segment_count, header->segment_size);
    uint64_t table = (uint64_t)header->segment_count * header->segment_size;
    if (header->segments > size || table > size - header->segments)
        return error_set(err, "%s: cut short: program headers beyond the end of the file", path);
    return true;
}

static struct elf_segment segment(const struct elf_file *elf, unsigned n)
{
    const uint8_t *at = elf->bytes + elf->header.segments + (size_t)n * elf->header.segment_size;
    struct elf_segment s = {.type = (uint32_t)field(at, 4)};
    if (elf->wide) {
        s.offset = field(at + 8, 8);
        s.vaddr = field(at + 16, 8);
        s.paddr = field(at + 24, 8);
        s.file_size = field(at + 32, 8);
        s.memory_size = field(at + 40, 8);
    } else {
        s.offset = field(at + 4, 4);
        s.vaddr = field(at + 8, 4);
        s.paddr = field(at + 12, 4);
        s.file_size = field(at + 16, 4);
        s.memory_size = field(at + 20, 4);
    }
    return s;
}

/* The segments that take memory. false: too many, none, or not in the file. */
static bool read_segments(const struct elf_file *elf, struct elf_segment *segments, unsigned *count,
                          struct error *err)
{
    *count = 0;
    for (unsigned i = 0; i < elf->header.segment_count; i++) {
        struct elf_segment s = segment(elf, i);
        if (s.type != ELF_SEGMENT_LOAD || !s.memory_size)
            continue;
        if (s.file_size > s.memory_size)
            return error_set(err, "%s: not a valid ELF file: segment %u is larger than its memory",
                             elf->path, i);
        if (s.offset > elf->size || s.file_size > elf->size - s.offset)
            return error_set(err, "%s: cut short: segment %u ends beyond the end of the file",
                             elf->path, i);
        if (*count == SEGMENTS_MAX)
            return error_set(err, "%s: more than %d segments to load", elf->path, SEGMENTS_MAX);
        segments[(*count)++] = s;
    }
    if (!*count)
        return error_set(err, "%s: an ELF file with nothing to load", elf->path);
    return true;
}

bool elf_plan(struct plan *plan, const char *path, const void *bytes, size_t size, unsigned xlen,
              uint64_t pie_base, uint64_t *entry, struct error *err)
{
    struct elf_file elf = {.path = path, .bytes = bytes, .size = size};
    struct elf_segment segments[SEGMENTS_MAX];
    unsigned count;
    if (!elf_check(path, bytes, size, xlen, err) || !read_header(&elf, err) ||
        !read_segments(&elf, segments, &count, err))
        return false;
    /* Wraps for a file that is linked above pie_base; the sums below wrap back. */
    uint64_t bias = 0;
    if (elf.header.type == ELF_TYPE_DYNAMIC) {
        uint64_t lowest = segments[0].paddr;
        for (unsigned i = 1; i < count; i++)
            lowest = segments[i].paddr < lowest ? segments[i].paddr : lowest;
        bias = pie_base - align_down(lowest, 4096);
    }
    bool found = false;
    for (unsigned i = 0; i < count; i++) {
        const struct elf_segment *s = &segments[i];
        struct plan_piece piece = {path, s->paddr + bias, s->memory_size, elf.bytes + s->offset,
                                   s->file_size};
        if (!plan_add(plan, piece, err))
            return false;
        /* The entry is a virtual address; there is no translation yet when it is jumped to. */
        if (!found && elf.header.entry - s->vaddr < s->memory_size) {
            *entry = elf.header.entry - s->vaddr + s->paddr + bias;
            found = true;
        }
    }
    if (!found)
        return error_set(err, "%s: not a valid ELF file: its entry 0x%" PRIx64 " is in no segment",
                         path, elf.header.entry);
    return true;
}
