/* SPDX-License-Identifier: MPL-2.0 */
/* Executables for bare machines: see elf.h; what all ELF files have is read by base/elf.h. */
#include "machine/boot/elf.h"

#include <inttypes.h>

#define SEGMENTS_MAX 16

struct elf_file {
    const uint8_t *bytes;
    size_t size;
    struct elf_header header;
    const uint8_t *table;
};

/* Messages are without the name of the file. */
static bool read_headers(struct elf_file *elf, unsigned xlen, struct error *err)
{
    const struct elf_header *h = &elf->header;
    if (!elf_read_header(&elf->header, elf->bytes, elf->size, err))
        return false;
    if (h->version != 1)
        return error_set(err, "not a valid ELF file: version %u", h->version);
    if (h->xlen != xlen)
        return error_set(err, "an ELF file for rv%u, and this machine is rv%u", h->xlen, xlen);
    return elf_find_table(h, elf->bytes, elf->size, &elf->table, err);
}

bool elf_check(const char *path, const void *bytes, size_t size, unsigned xlen, struct error *err)
{
    struct elf_file elf = {.bytes = bytes, .size = size};
    return read_headers(&elf, xlen, err) || error_prefix(err, "%s", path);
}

/* The segments that take memory. false: too many, none, or not in the file. */
static bool read_segments(const struct elf_file *elf, struct elf_program_header *segments,
                          unsigned *count, struct error *err)
{
    *count = 0;
    for (unsigned i = 0; i < elf->header.count; i++) {
        struct elf_program_header s = elf_program_header(&elf->header, elf->table, i);
        if (s.type != ELF_LOAD || !s.memory_size)
            continue;
        if (!elf_check_segment(&s, i, elf->size, err))
            return false;
        if (*count == SEGMENTS_MAX)
            return error_set(err, "more than %d segments to load", SEGMENTS_MAX);
        segments[(*count)++] = s;
    }
    return *count || error_set(err, "an ELF file with nothing to load");
}

bool elf_plan(struct plan *plan, const char *path, const void *bytes, size_t size, unsigned xlen,
              uint64_t pie_base, uint64_t *entry, struct error *err)
{
    struct elf_file elf = {.bytes = bytes, .size = size};
    struct elf_program_header segments[SEGMENTS_MAX];
    unsigned count;
    if (!read_headers(&elf, xlen, err) || !read_segments(&elf, segments, &count, err))
        return error_prefix(err, "%s", path);
    /* Wraps for a file that is linked above pie_base; the sums below wrap back. */
    uint64_t bias = 0;
    if (elf.header.moves) {
        uint64_t lowest = segments[0].paddr;
        for (unsigned i = 1; i < count; i++)
            lowest = segments[i].paddr < lowest ? segments[i].paddr : lowest;
        bias = pie_base - align_down(lowest, 4096);
    }
    bool found = false;
    for (unsigned i = 0; i < count; i++) {
        const struct elf_program_header *s = &segments[i];
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
