/* SPDX-License-Identifier: MPL-2.0 */
/*
 * System calls about memory. Each checks what the guest says, has the host do it, and notes it in the list
 * of areas; translated code of what is no longer there is dropped. See space.h.
 */
#define _GNU_SOURCE
#include "user/space.h"

#include "host/random.h"
#include "jit/direct.h"
#include "user/areas.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>

#define PAGE UINT64_C(4096)
#define LARGE (UINT64_C(2) << 20)
#define STACK_GAP (UINT64_C(256) << 20) /* between the stack's place and what is mapped below it */

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef PROT_SEM
#define PROT_SEM 8
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

/* What the guest's kernel knows; MAP_GROWSDOWN is taken for granted (stacks are mapped whole). */
#define MAP_GUEST \
    (MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | \
     MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_SYNC | MAP_FIXED_NOREPLACE | \
     (int)((unsigned)MAP_HUGE_MASK << MAP_HUGE_SHIFT))

static uint64_t round_up(uint64_t size)
{
    return (size + PAGE - 1) & ~(PAGE - 1);
}

static void *at(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

/* The host only reads code; RISC-V has no page that can be written and not read. */
static int host_prot(int prot)
{
    int host = prot & (PROT_READ | PROT_WRITE);
    return prot & (PROT_EXEC | PROT_WRITE) ? host | PROT_READ : host;
}

/* Pages that the guest may name: aligned, and not the emulator's. */
static bool is_range(const struct space *s, uint64_t address, uint64_t size)
{
    return !(address & (PAGE - 1)) && address >= SPACE_FIRST && size &&
           space_is_guest(s, address, size);
}

static void drop_code(struct space *s, uint64_t first, uint64_t end)
{
    if (s->jit)
        jit_direct_drop(s->jit, first, end);
    if (s->code_changed)
        s->code_changed(s->code_changed_ctx);
}

static bool holds_code(const struct space *s, uint64_t first, uint64_t end)
{
    for (unsigned n = areas_from(s, first); n < s->count && s->areas[n].first < end; n++)
        if (s->areas[n].prot & PROT_EXEC)
            return true;
    return false;
}

/*
 * Mapping
 */

/* Has something of the host's in each hole that the list has in [first, end), or takes it away again. Returns
 * where the first hole is that could not be filled; end: none. */
static uint64_t fill_holes(const struct space *s, uint64_t first, uint64_t end, bool fill)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
    for (uint64_t hole = first; hole < end;) {
        unsigned n = areas_from(s, hole);
        uint64_t next = n < s->count && s->areas[n].first < end ? s->areas[n].first : end;
        if (next > hole && !fill)
            munmap(at(hole), next - hole);
        else if (next > hole && mmap(at(hole), next - hole, PROT_NONE, flags, -1, 0) == MAP_FAILED)
            return hole;
        hole = n < s->count ? s->areas[n].end : end;
    }
    return end;
}

/* The host's mapping at a place of the guest's. Where the list says that nothing is nothing of the
 * emulator's is covered, either. */
static int64_t map_at(struct space *s, uint64_t address, uint64_t size, int prot, int flags, int fd,
                      uint64_t offset)
{
    uint64_t end = address + size, filled = address;
    int64_t result = 0;
    if (areas_are_free(s, address, end)) {
        flags = (flags & ~MAP_FIXED) | MAP_FIXED_NOREPLACE;
    } else if (!areas_cover(s, address, end)) {
        filled = fill_holes(s, address, end, true);
        result = filled < end ? -ENOMEM : 0;
    }
    if (!result && mmap(at(address), size, host_prot(prot), flags, fd, (off_t)offset) == MAP_FAILED)
        result = -errno;
    if (result)
        fill_holes(s, address, filled, false);
    return result;
}

/* Notes a mapping that the host has made. */
static void note(struct space *s, uint64_t address, uint64_t size, int prot, bool shared,
                 unsigned kind)
{
    struct area area = {.first = address,
                        .end = address + size,
                        .prot = (uint8_t)(prot & (PROT_READ | PROT_WRITE | PROT_EXEC)),
                        .kind = (uint8_t)kind,
                        .shared = shared};
    bool code = holds_code(s, area.first, area.end);
    areas_cut(s, area.first, area.end);
    areas_put(s, &area);
    if (code)
        drop_code(s, area.first, area.end);
}

static bool is_shared(int flags)
{
    int type = flags & MAP_TYPE;
    return type == MAP_SHARED || type == MAP_SHARED_VALIDATE;
}

/* Where a mapping goes: the place that was asked for, if it is free, or one that is found. */
static uint64_t choose(const struct space *s, uint64_t hint, uint64_t size, bool large)
{
    hint &= ~(PAGE - 1);
    if (hint >= SPACE_FIRST && is_range(s, hint, size) && areas_are_free(s, hint, hint + size))
        return hint;
    uint64_t place = large ? areas_find_room(s, size, LARGE) : 0;
    return place ? place : areas_find_room(s, size, PAGE);
}

/* At a place that is chosen. Where something of the host's is in the way (a sanitizer's, nothing else),
 * a few times further below. */
static int64_t map_anywhere(struct space *s, uint64_t hint, uint64_t size, int prot, int flags,
                            int fd, uint64_t offset)
{
    bool large = size >= LARGE && flags & MAP_ANONYMOUS;
    for (unsigned tries = 0; tries < 8; tries++) {
        uint64_t place = choose(s, hint, size, large);
        if (!place)
            return -ENOMEM;
        int64_t result = map_at(s, place, size, prot, flags | MAP_FIXED, fd, offset);
        if (result != -EEXIST && !(result == -EPERM && hint))
            return result ? result : (int64_t)place;
        if (!hint)
            s->mmap_top = place;
        hint = 0;
    }
    return -ENOMEM;
}

static int64_t mmap_locked(struct space *s, uint64_t address, uint64_t size, int prot, int flags,
                           int fd, uint64_t offset)
{
    if (!areas_reserve(s))
        return -ENOMEM;
    if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))) {
        int64_t place = map_anywhere(s, address, size, prot, flags, fd, offset);
        if (place >= 0)
            note(s, (uint64_t)place, size, prot, is_shared(flags), AREA_PLAIN);
        return place;
    }
    if (address & (PAGE - 1))
        return -EINVAL;
    if (!space_is_guest(s, address, size))
        return -ENOMEM;
    if (address < SPACE_FIRST)
        return -EPERM;
    if (flags & MAP_FIXED_NOREPLACE && !areas_are_free(s, address, address + size))
        return -EEXIST;
    int64_t result = map_at(s, address, size, prot, flags, fd, offset);
    if (result < 0)
        return result;
    note(s, address, size, prot, is_shared(flags), AREA_PLAIN);
    return (int64_t)address;
}

int64_t space_mmap(struct space *s, uint64_t address, uint64_t size, int prot, int flags, int fd,
                   uint64_t offset)
{
    if (!size)
        return -EINVAL;
    if (size > s->end)
        return -ENOMEM;
    if (offset & (PAGE - 1))
        return -EINVAL;
    /* What a kernel does not know it passes over, unless it is asked not to. */
    if ((flags & MAP_TYPE) != MAP_SHARED_VALIDATE)
        flags &= MAP_GUEST;
    pthread_mutex_lock(&s->lock);
    int64_t result = mmap_locked(s, address, round_up(size), prot, flags, fd, offset);
    pthread_mutex_unlock(&s->lock);
    return result;
}

/* What is the guest's of a range goes; the rest of it is let alone. */
static int64_t munmap_locked(struct space *s, uint64_t address, uint64_t size)
{
    uint64_t end = address + size;
    if (!areas_reserve(s))
        return -ENOMEM;
    bool code = holds_code(s, address, end);
    for (unsigned n = areas_from(s, address); n < s->count && s->areas[n].first < end;) {
        uint64_t first = s->areas[n].first > address ? s->areas[n].first : address;
        uint64_t last = first;
        for (; n < s->count && s->areas[n].first <= last && last < end; n++)
            last = s->areas[n].end < end ? s->areas[n].end : end;
        if (munmap(at(first), last - first) < 0)
            return -errno;
    }
    areas_cut(s, address, end);
    if (code)
        drop_code(s, address, end);
    return 0;
}

int64_t space_munmap(struct space *s, uint64_t address, uint64_t size)
{
    /* Where nothing can be there is nothing to be unmapped, and that is no error. */
    if (address & (PAGE - 1) || !size || size > s->end ||
        !space_is_guest(s, address, round_up(size)))
        return -EINVAL;
    pthread_mutex_lock(&s->lock);
    int64_t result = munmap_locked(s, address, round_up(size));
    pthread_mutex_unlock(&s->lock);
    return result;
}

int64_t space_mprotect(struct space *s, uint64_t address, uint64_t size, int prot)
{
    int grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
    prot &= ~grows;
    if (address & (PAGE - 1) || prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
        return -EINVAL;
    if (!size)
        return 0;
    if (size > s->end || !is_range(s, address, round_up(size)))
        return -ENOMEM;
    uint64_t end = address + round_up(size);
    int64_t result = 0;
    pthread_mutex_lock(&s->lock);
    if (grows & PROT_GROWSDOWN) { /* from the start of the area, which is a stack */
        unsigned n = areas_from(s, address);
        if (n < s->count && s->areas[n].first < address)
            address = s->areas[n].first;
    }
    if (!areas_cover(s, address, end) || !areas_reserve(s))
        result = -ENOMEM;
    else if (mprotect(at(address), end - address, host_prot(prot)) < 0)
        result = -errno;
    if (!result) {
        bool code = holds_code(s, address, end);
        areas_set_prot(s, address, end, prot & (PROT_READ | PROT_WRITE | PROT_EXEC));
        if (code)
            drop_code(s, address, end);
    }
    pthread_mutex_unlock(&s->lock);
    return result;
}

/*
 * Moving
 */

static int64_t move_to(struct space *s, const struct area *old, uint64_t old_size, uint64_t to,
                       uint64_t new_size, int flags)
{
    int host = MREMAP_MAYMOVE | MREMAP_FIXED | (flags & MREMAP_DONTUNMAP);
    struct area area = *old;
    if (mremap(at(old->first), old_size, new_size, host, at(to)) == MAP_FAILED)
        return -errno;
    if (!(flags & MREMAP_DONTUNMAP) && old_size) {
        areas_cut(s, old->first, old->first + old_size);
        drop_code(s, old->first, old->first + old_size);
    }
    note(s, to, new_size, area.prot, area.shared, AREA_PLAIN);
    return (int64_t)to;
}

static int64_t resize(struct space *s, const struct area *old, uint64_t old_size, uint64_t new_size)
{
    uint64_t end = old->first + old_size, new_end = old->first + new_size;
    if (new_size <= old_size) {
        int64_t result = new_size < old_size ? munmap_locked(s, new_end, end - new_end) : 0;
        return result < 0 ? result : (int64_t)old->first;
    }
    if (!space_is_guest(s, old->first, new_size) || !areas_are_free(s, end, new_end))
        return -ENOMEM;
    /* So that nothing of the host's is there that the list does not know: as it says where it goes. */
    void *m = mremap(at(old->first), old_size, new_size, 0);
    if (m == MAP_FAILED)
        return -errno;
    note(s, end, new_end - end, old->prot, old->shared, old->kind);
    return (int64_t)old->first;
}

static int64_t mremap_locked(struct space *s, uint64_t address, uint64_t old_size,
                             uint64_t new_size, int flags, uint64_t new_address)
{
    unsigned n = areas_from(s, address);
    if (n == s->count || s->areas[n].first > address || s->areas[n].end < address + old_size)
        return -EFAULT;
    if (!areas_reserve(s))
        return -ENOMEM;
    struct area old = s->areas[n];
    old.first = address;
    if (flags & MREMAP_FIXED) {
        if (!is_range(s, new_address, new_size) ||
            (new_address < address + old_size && address < new_address + new_size))
            return -EINVAL;
        int64_t result = munmap_locked(s, new_address, new_size);
        if (result < 0 || !areas_reserve(s))
            return result < 0 ? result : -ENOMEM;
        return move_to(s, &old, old_size, new_address, new_size, flags);
    }
    if (old_size && !(flags & MREMAP_DONTUNMAP)) {
        int64_t result = resize(s, &old, old_size, new_size);
        if (result >= 0 || !(flags & MREMAP_MAYMOVE))
            return result;
    }
    if (!(flags & MREMAP_MAYMOVE))
        return -EINVAL;
    uint64_t to = choose(s, 0, new_size, new_size >= LARGE);
    return to ? move_to(s, &old, old_size, to, new_size, flags) : -ENOMEM;
}

int64_t space_mremap(struct space *s, uint64_t address, uint64_t old_size, uint64_t new_size,
                     int flags, uint64_t new_address)
{
    if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) || address & (PAGE - 1) ||
        !new_size || ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE)))
        return -EINVAL;
    if (old_size > s->end || new_size > s->end)
        return -ENOMEM;
    old_size = round_up(old_size);
    new_size = round_up(new_size);
    if (!space_is_guest(s, address, old_size) || address < SPACE_FIRST)
        return -EFAULT;
    pthread_mutex_lock(&s->lock);
    int64_t result = mremap_locked(s, address, old_size, new_size, flags, new_address);
    pthread_mutex_unlock(&s->lock);
    return result;
}

/*
 * The heap
 */

static bool set_brk(struct space *s, uint64_t address)
{
    uint64_t old = round_up(s->brk_now), new = round_up(address);
    if (address < s->brk_first || !space_is_guest(s, address, 0) || !areas_reserve(s))
        return false; /* the end of all addresses, rounded up, is 0 */
    if (new < old)
        return munmap_locked(s, new, old - new) == 0;
    if (new == old)
        return true;
    if (!areas_are_free(s, old, new))
        return false;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (map_at(s, old, new - old, PROT_READ | PROT_WRITE, flags, -1, 0) < 0)
        return false;
    note(s, old, new - old, PROT_READ | PROT_WRITE, false, AREA_HEAP);
    return true;
}

int64_t space_brk(struct space *s, uint64_t address)
{
    pthread_mutex_lock(&s->lock);
    if (address && set_brk(s, address))
        s->brk_now = address;
    int64_t result = (int64_t)s->brk_now;
    pthread_mutex_unlock(&s->lock);
    return result;
}

/*
 * Others
 */

int64_t space_madvise(struct space *s, uint64_t address, uint64_t size, int advice)
{
    if (address & (PAGE - 1))
        return -EINVAL;
    if (!space_is_guest(s, address, size))
        return -ENOMEM;
    if (madvise(at(address), size, advice) < 0)
        return -errno;
    /* Code that was thrown away reads as something else. */
    if (size && (advice == MADV_DONTNEED || advice == MADV_REMOVE || advice == MADV_FREE))
        space_flush_code(s, address, address + size);
    return 0;
}

int64_t space_shmat(struct space *s, int id, uint64_t address, int flags)
{
    struct shmid_ds segment;
    if (shmctl(id, IPC_STAT, &segment) < 0)
        return -errno;
    uint64_t size = round_up(segment.shm_segsz);
    int prot = (flags & SHM_RDONLY ? PROT_READ : PROT_READ | PROT_WRITE) |
               (flags & SHM_EXEC ? PROT_EXEC : 0);
    int host = flags & ~SHM_EXEC & ~SHM_REMAP;
    if (flags & SHM_RND)
        address &= ~(PAGE - 1);
    int64_t result = -EINVAL;
    pthread_mutex_lock(&s->lock);
    uint64_t place = address;
    if (!address)
        place = choose(s, 0, size, false);
    else if (!is_range(s, address, size) ||
             (!(flags & SHM_REMAP) && !areas_are_free(s, address, address + size)))
        place = 0;
    if (!areas_reserve(s))
        place = 0;
    if (place) {
        /* Nothing of the guest's is there but what is to be replaced. */
        void *m = shmat(id, at(place), host | (flags & SHM_REMAP));
        result = m == (void *)-1 ? -errno : (int64_t)place;
        if (result >= 0)
            note(s, place, size, prot, true, AREA_PLAIN);
    }
    pthread_mutex_unlock(&s->lock);
    return result;
}

int64_t space_shmdt(struct space *s, uint64_t address)
{
    int64_t result = -EINVAL;
    pthread_mutex_lock(&s->lock);
    unsigned n = areas_from(s, address);
    if (address >= SPACE_FIRST && n < s->count && s->areas[n].first <= address &&
        s->areas[n].shared && areas_reserve(s)) {
        result = shmdt(at(address)) < 0 ? -errno : 0;
        /* The host knows how long it was; what is left is found by asking it. */
        uint64_t end = address;
        unsigned char there;
        while (!result && areas_cover(s, end, end + PAGE) && mincore(at(end), PAGE, &there) < 0)
            end += PAGE;
        if (!result && end > address) {
            areas_cut(s, address, end);
            drop_code(s, address, end);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return result;
}

static bool differs(const uint8_t *copy, uint64_t code, size_t size)
{
    uint8_t now[256];
    size_t part;
    const struct space all = {.end = SPACE_END_64};
    for (size_t done = 0; done < size; done += part) {
        part = size - done < sizeof(now) ? size - done : sizeof(now);
        if (!space_read(&all, now, code + done, part) || memcmp(now, copy + done, part) != 0)
            return true;
    }
    return false;
}

void space_flush_code(struct space *s, uint64_t first, uint64_t end)
{
    if (first >= end) {
        first = 0;
        end = UINT64_MAX;
    }
    if (s->jit)
        jit_direct_flush(s->jit, first, end, differs);
    if (s->code_changed)
        s->code_changed(s->code_changed_ctx);
}

int space_rights(struct space *s, uint64_t address, bool *changes)
{
    pthread_mutex_lock(&s->lock);
    unsigned n = areas_from(s, address);
    int prot = n < s->count && s->areas[n].first <= address ? s->areas[n].prot : -1;
    *changes = prot >= 0 && (prot & PROT_WRITE || s->areas[n].shared);
    pthread_mutex_unlock(&s->lock);
    return prot;
}

void space_each(struct space *s, void (*visit)(void *ctx, const struct area *area), void *ctx)
{
    pthread_mutex_lock(&s->lock);
    for (unsigned n = 0; n < s->count; n++)
        visit(ctx, &s->areas[n]);
    pthread_mutex_unlock(&s->lock);
}

int64_t space_map_vdso(struct space *s, uint64_t size)
{
    int64_t place = -ENOMEM;
    pthread_mutex_lock(&s->lock);
    if (areas_reserve(s))
        place =
            map_anywhere(s, 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place >= 0)
        note(s, (uint64_t)place, size, PROT_READ | PROT_EXEC, false, AREA_VDSO);
    pthread_mutex_unlock(&s->lock);
    return place;
}

/*
 * The whole
 */

/* So many random pages that addresses are no use to who guesses them; none where the user has said so. */
static uint64_t random_distance(unsigned bits)
{
    uint64_t pages = 0;
    if (personality(0xffffffff) & ADDR_NO_RANDOMIZE)
        return 0;
    random_bytes(&pages, sizeof(pages));
    return (pages & ((UINT64_C(1) << bits) - 1)) * PAGE;
}

bool space_init(struct space *s, unsigned xlen, struct error *err)
{
    *s = (struct space){.end = xlen == 64 ? SPACE_END_64 : SPACE_END_32};
    pthread_mutex_init(&s->lock, NULL);
    s->stack_end = s->end - PAGE - random_distance(xlen == 64 ? 24 : 8);
    s->mmap_top = s->stack_end; /* until there is a stack */
    return areas_reserve(s) || error_set(err, "out of memory for an address space");
}

void space_free(struct space *s)
{
    free(s->areas);
    pthread_mutex_destroy(&s->lock);
}

bool space_make_stack(struct space *s, uint64_t size, bool executable, struct error *err)
{
    const int prot = PROT_READ | PROT_WRITE | (executable ? PROT_EXEC : 0);
    size = round_up(size);
    uint64_t first = 0;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
    int64_t result = -EEXIST;
    pthread_mutex_lock(&s->lock);
    /* A sanitizer may have taken the upper half of 32 bits. */
    for (unsigned tries = 0; tries < 2 && result == -EEXIST; tries++) {
        if (tries)
            s->stack_end = (s->stack_end / 2 - LARGE) & ~(PAGE - 1);
        first = s->stack_end - size;
        result = -ENOMEM;
        if (size < s->stack_end / 2 && areas_are_free(s, first, s->stack_end) && areas_reserve(s))
            result = map_at(s, first, size, prot, flags, -1, 0);
    }
    if (!result) {
        note(s, first, size, prot, false, AREA_STACK);
        s->stack_first = first;
        uint64_t gap = s->end == SPACE_END_64 ? STACK_GAP : STACK_GAP / 16;
        s->mmap_top = first - gap - random_distance(s->end == SPACE_END_64 ? 20 : 8);
    }
    pthread_mutex_unlock(&s->lock);
    return !result || error_set(err, "no room for a stack of %llu KiB: %s",
                                (unsigned long long)size >> 10, strerror((int)-result));
}
