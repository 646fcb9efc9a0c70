/* SPDX-License-Identifier: MPL-2.0 */
/* Reading and mapping of programs (System V ABI, "Object Files", "Program Loading"). See elf.h. */
#define _GNU_SOURCE
#include "user/elf.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE UINT64_C(4096)
#define PAGE_OF(address) ((address) & ~(PAGE - 1))

/* What of a header is used, of either class. */
struct header {
    uint64_t entry, table;
    unsigned type, machine, version, entry_size, count;
};

static bool read_exactly(int fd, void *to, size_t size, uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread(fd, (char *)to + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static bool read_header(struct elf *elf, int fd, struct header *h, struct error *err)
{
    union {
        unsigned char ident[EI_NIDENT];
        Elf32_Ehdr e32;
        Elf64_Ehdr e64;
    } file;
    memset(&file, 0, sizeof(file));
    if (!read_exactly(fd, &file, sizeof(file.e32), 0) || memcmp(file.ident, ELFMAG, SELFMAG) != 0)
        return error_set(err, "not an ELF program");
    if (file.ident[EI_DATA] != ELFDATA2LSB)
        return error_set(err, "not a little-endian program");
    switch (file.ident[EI_CLASS]) {
    case ELFCLASS32:
        elf->xlen = 32;
        *h = (struct header){file.e32.e_entry,   file.e32.e_phoff,   file.e32.e_type,
                             file.e32.e_machine, file.e32.e_version, file.e32.e_phentsize,
                             file.e32.e_phnum};
        elf->header_size = sizeof(Elf32_Phdr);
        break;
    case ELFCLASS64:
        if (!read_exactly(fd, &file, sizeof(file.e64), 0))
            return error_set(err, "not an ELF program");
        elf->xlen = 64;
        *h = (struct header){file.e64.e_entry,   file.e64.e_phoff,   file.e64.e_type,
                             file.e64.e_machine, file.e64.e_version, file.e64.e_phentsize,
                             file.e64.e_phnum};
        elf->header_size = sizeof(Elf64_Phdr);
        break;
    default:
        return error_set(err, "not an ELF program: class %u", file.ident[EI_CLASS]);
    }
    if (h->machine != EM_RISCV)
        return error_set(err, "not a RISC-V program: its machine is %u", h->machine);
    if (h->type != ET_EXEC && h->type != ET_DYN)
        return error_set(err, "not a program: its type is %u", h->type);
    if (h->entry_size != elf->header_size || !h->count || h->count > ELF_SEGMENTS_MAX)
        return error_set(err, "%u program headers of %u bytes", h->count, h->entry_size);
    elf->entry = h->entry;
    elf->moves = h->type == ET_DYN;
    elf->header_count = h->count;
    return true;
}

static int prot_of(uint32_t flags)
{
    return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) |
           (flags & PF_X ? PROT_EXEC : 0);
}

/* Addresses of segments rise and do not meet; an end that overflows is none. */
static bool take_segment(struct elf *elf, const Elf64_Phdr *p, struct error *err)
{
    uint64_t limit = elf->xlen == 32 ? SPACE_END_32 : SPACE_END_64;
    if (!p->p_memsz)
        return true;
    if (p->p_filesz > p->p_memsz || p->p_vaddr > limit || p->p_memsz > limit - p->p_vaddr ||
        p->p_offset > INT64_MAX - limit || (p->p_vaddr - p->p_offset) % PAGE)
        return error_set(err, "segment at 0x%llx: its place or size makes no sense",
                         (unsigned long long)p->p_vaddr);
    if (elf->segment_count && PAGE_OF(p->p_vaddr) < PAGE_OF(elf->end - 1))
        return error_set(err, "segment at 0x%llx: it lies below or over the one before it",
                         (unsigned long long)p->p_vaddr);
    elf->segments[elf->segment_count++] = (struct elf_segment){
        .address = p->p_vaddr,
        .offset = p->p_offset,
        .file_size = p->p_filesz,
        .size = p->p_memsz,
        .prot = prot_of(p->p_flags),
    };
    if (elf->segment_count == 1)
        elf->first = PAGE_OF(p->p_vaddr);
    elf->end = p->p_vaddr + p->p_memsz;
    return true;
}

static Elf64_Phdr widen(const Elf32_Phdr *p)
{
    return (Elf64_Phdr){.p_type = p->p_type,
                        .p_flags = p->p_flags,
                        .p_offset = p->p_offset,
                        .p_vaddr = p->p_vaddr,
                        .p_filesz = p->p_filesz,
                        .p_memsz = p->p_memsz};
}

static bool take_headers(struct elf *elf, int fd, const struct header *h, struct error *err)
{
    union {
        Elf32_Phdr p32[ELF_SEGMENTS_MAX];
        Elf64_Phdr p64[ELF_SEGMENTS_MAX];
    } table;
    uint64_t at = 0;
    size_t size = (size_t)(h->count * elf->header_size);
    if (h->table > INT64_MAX - sizeof(table) || !read_exactly(fd, &table, size, h->table))
        return error_set(err, "it is cut off in its program headers");
    elf->executable_stack = true;
    for (unsigned n = 0; n < h->count; n++) {
        Elf64_Phdr p = elf->xlen == 32 ? widen(&table.p32[n]) : table.p64[n];
        switch (p.p_type) {
        case PT_LOAD:
            if (!take_segment(elf, &p, err))
                return false;
            if (h->table >= p.p_offset && h->table - p.p_offset < p.p_filesz &&
                size <= p.p_filesz - (h->table - p.p_offset))
                elf->headers = p.p_vaddr + (h->table - p.p_offset);
            break;
        case PT_PHDR:
            at = p.p_vaddr;
            break;
        case PT_INTERP:
            elf->interpreter_offset = p.p_offset;
            elf->interpreter_size = p.p_filesz;
            break;
        case PT_GNU_STACK:
            elf->executable_stack = p.p_flags & PF_X;
            break;
        default:
            break;
        }
    }
    if (at)
        elf->headers = at;
    return elf->segment_count || error_set(err, "nothing is to be loaded");
}

bool elf_read(struct elf *elf, int fd, struct error *err)
{
    struct header h;
    *elf = (struct elf){0};
    return read_header(elf, fd, &h, err) && take_headers(elf, fd, &h, err);
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
    uint64_t pages = (file_end + PAGE - 1) & ~(PAGE - 1);
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
