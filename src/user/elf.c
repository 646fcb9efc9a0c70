/* SPDX-License-Identifier: MPL-2.0 */
/* Reading and mapping of programs (System V ABI, "Object Files", "Program Loading"). See elf.h. */
#define _GNU_SOURCE
#include "user/elf.h"

#include "base/elf.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE UINT64_C(4096)
#define PAGE_OF(address) ((address) & ~(PAGE - 1))

/* Bytes that are there: fewer at the end of the file. */
static size_t read_at(int fd, void *to, size_t size, uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread(fd, (char *)to + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return done;
}

static int prot_of(uint32_t flags)
{
    return (flags & ELF_READ ? PROT_READ : 0) | (flags & ELF_WRITE ? PROT_WRITE : 0) |
           (flags & ELF_EXEC ? PROT_EXEC : 0);
}

/* Addresses of segments rise and do not meet; an end that overflows is none. How long the file is shows when
 * it is mapped. */
static bool take_segment(struct elf *elf, const struct elf_program_header *p, unsigned number,
                         struct error *err)
{
    uint64_t limit = elf->xlen == 32 ? SPACE_END_32 : SPACE_END_64;
    if (!p->memory_size)
        return true;
    if (!elf_check_segment(p, number, INT64_MAX, err))
        return false;
    if (p->vaddr > limit || p->memory_size > limit - p->vaddr || p->offset > INT64_MAX - limit ||
        (p->vaddr - p->offset) % PAGE)
        return error_set(err, "segment %u, at 0x%llx: its place or size makes no sense", number,
                         (unsigned long long)p->vaddr);
    if (elf->segment_count && PAGE_OF(p->vaddr) < PAGE_OF(elf->end - 1))
        return error_set(err, "segment %u, at 0x%llx: it lies below or over the one before it",
                         number, (unsigned long long)p->vaddr);
    elf->segments[elf->segment_count++] = (struct elf_segment){
        .address = p->vaddr,
        .offset = p->offset,
        .file_size = p->file_size,
        .size = p->memory_size,
        .prot = prot_of(p->flags),
    };
    if (elf->segment_count == 1)
        elf->first = PAGE_OF(p->vaddr);
    elf->end = p->vaddr + p->memory_size;
    return true;
}

static bool take_headers(struct elf *elf, const struct elf_header *h, const uint8_t *table,
                         struct error *err)
{
    const uint64_t size = elf->header_count * elf->header_size;
    uint64_t at = 0;
    for (unsigned n = 0; n < h->count; n++) {
        const struct elf_program_header p = elf_program_header(h, table, n);
        switch (p.type) {
        case ELF_LOAD:
            if (!take_segment(elf, &p, n, err))
                return false;
            if (h->table >= p.offset && h->table - p.offset < p.file_size &&
                size <= p.file_size - (h->table - p.offset))
                elf->headers = p.vaddr + (h->table - p.offset);
            break;
        case ELF_HEADERS:
            at = p.vaddr;
            break;
        case ELF_INTERPRETER:
            elf->interpreter_offset = p.offset;
            elf->interpreter_size = p.file_size;
            break;
        case ELF_STACK:
            elf->executable_stack = p.flags & ELF_EXEC;
            break;
        default:
            break;
        }
    }
    if (at)
        elf->headers = at;
    return elf->segment_count || error_set(err, "an ELF file with nothing to load");
}

bool elf_read(struct elf *elf, int fd, struct error *err)
{
    uint8_t header[ELF_HEADER_MAX], table[ELF_SEGMENTS_MAX * ELF_PROGRAM_HEADER_MAX];
    struct elf_header h;
    if (!elf_read_header(&h, header, read_at(fd, header, sizeof(header), 0), err))
        return false;
    if (h.count > ELF_SEGMENTS_MAX)
        return error_set(err, "an ELF file of %u program headers: at most %d are looked at",
                         h.count, ELF_SEGMENTS_MAX);
    *elf = (struct elf){.xlen = h.xlen,
                        .moves = h.moves,
                        .entry = h.entry,
                        .header_size = h.entry_size,
                        .header_count = h.count};
    size_t size = (size_t)h.count * h.entry_size;
    if (h.table > INT64_MAX - sizeof(table) || read_at(fd, table, size, h.table) < size)
        return error_set(err, "cut short: program headers beyond the end of the file");
    return take_headers(elf, &h, table, err);
}

static bool failed(int64_t result, const struct elf_segment *s, struct error *err)
{
    return error_set(err, "segment at 0x%llx: cannot map it: %s", (unsigned long long)s->address,
                     strerror((int)-result));
}

/* What lies behind the file's bytes in its last page is zero; then come pages of nothing else. */
static bool map_zeros(struct space *space, const struct elf_segment *s, uint64_t address,
                      struct error *err)
{
    static const char zeros[4096];
    uint64_t file_end = address + s->file_size, end = address + s->size;
    /* Without bytes of the file's, the page that it begins in is one of them. */
    uint64_t pages = s->file_size ? (file_end + PAGE - 1) & ~(PAGE - 1) : PAGE_OF(address);
    if (end > pages) {
        int64_t result = space_mmap(space, pages, end - pages, s->prot,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
        if (result < 0)
            return failed(result, s, err);
    }
    uint64_t rest = pages - file_end; /* all of the page: the dynamic linker counts on it */
    /* Where it cannot be written the file's own bytes stay, as a kernel would leave them. */
    if (s->file_size && end > file_end && s->prot & PROT_WRITE &&
        !space_write(space, file_end, zeros, rest))
        return error_set(err, "segment at 0x%llx: it is cut off", (unsigned long long)s->address);
    return true;
}

static bool map_segment(struct space *space, int fd, const struct elf_segment *s, uint64_t bias,
                        struct error *err)
{
    uint64_t address = s->address + bias, before = address % PAGE;
    if (s->file_size) {
        int64_t result = space_mmap(space, address - before, s->file_size + before, s->prot,
                                    MAP_PRIVATE | MAP_FIXED, fd, s->offset - before);
        if (result < 0)
            return failed(result, s, err);
    }
    return s->size == s->file_size || map_zeros(space, s, address, err);
}

bool elf_map(struct elf *elf, struct space *space, int fd, uint64_t hint, struct error *err)
{
    /* All of it is taken before any of it is mapped, so that nothing of somebody else's is replaced. */
    uint64_t size = elf->end - elf->first;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    int64_t place = elf->moves ? space_mmap(space, hint, size, PROT_NONE, flags, -1, 0)
                               : space_mmap(space, elf->first, size, PROT_NONE,
                                            flags | MAP_FIXED_NOREPLACE, -1, 0);
    if (place < 0)
        return error_set(err, "no room for it at 0x%llx: %s", (unsigned long long)elf->first,
                         strerror((int)-place));
    elf->bias = (uint64_t)place - elf->first;
    for (unsigned n = 0; n < elf->segment_count; n++)
        if (!map_segment(space, fd, &elf->segments[n], elf->bias, err))
            return false;
    return true;
}
