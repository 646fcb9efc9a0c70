/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The address space of a guest program. A guest address is the host's: nothing is added, so a load is a
 * load. The guest's part is [SPACE_FIRST, space.end), in which the emulator itself has nothing: Linux
 * puts programs, libraries, stacks and whatever has no address of its own above 0x5000'0000'0000. So one
 * comparison tells whether an address can be the guest's, and no mapping of the guest's can lie over the
 * emulator.
 *
 * Where things go is decided here, not by the host, which would choose addresses above. What the guest
 * has mapped is a list of areas; the host has the same mappings without PROT_EXEC, since it is never
 * the host that runs them.
 *
 * Functions named like system calls return what these return: a value, or -errno. Any thread.
 */
#ifndef RVVM_USER_SPACE_H
#define RVVM_USER_SPACE_H

#include "base/error.h"
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct jit;

#define SPACE_FIRST UINT64_C(0x10000) /* what vm.mmap_min_addr usually allows */
#define SPACE_END_64 (UINT64_C(1) << 46)
#define SPACE_END_32 (UINT64_C(1) << 32)

enum space_kind { AREA_PLAIN, AREA_STACK, AREA_HEAP, AREA_VDSO };

/* Pages with one set of rights. Neighbours that agree are one area, be they of one file or not: which
 * files are mapped the host knows (/proc/self/maps). */
struct area {
    uint64_t first, end;
    uint8_t prot; /* PROT_READ, WRITE, EXEC, as the guest asked */
    uint8_t kind; /* enum space_kind */
    bool shared;  /* MAP_SHARED */
};

struct space {
    uint64_t end;
    uint64_t mmap_top; /* addresses that nobody chose go below this */
    uint64_t brk_first, brk_now;
    uint64_t stack_first, stack_end; /* of the first thread */
    pthread_mutex_t lock; /* guards all of it; no system call that waits is made under it */
    struct area *areas;   /* by address */
    unsigned count, room; /* areas, and what there is memory for */
    struct jit *jit;      /* is told what is no longer there; NULL: nobody is */
    /* What was made from code may be stale: called after any change of it. */
    void (*code_changed)(void *ctx);
    void *code_changed_ctx;
};

bool space_init(struct space *s, unsigned xlen, struct error *err);
/* The first thread's stack, at the top; what has no address of its own goes below it from then on. */
bool space_make_stack(struct space *s, uint64_t size, bool executable, struct error *err);
void space_free(struct space *s);

/* Whether `size` bytes there are addresses that the guest could have: the emulator's are not. What is
 * mapped there is another question, which the host's kernel answers with EFAULT. */
static inline bool space_is_guest(const struct space *s, uint64_t address, uint64_t size)
{
    return address <= s->end && size <= s->end - address;
}

/* Bytes of an address and a long in the program. */
static inline unsigned space_word(const struct space *s)
{
    return s->end == SPACE_END_32 ? 4 : 8;
}

/* Pages for the vdso, which can be written until space_mprotect. An address, or -errno. */
int64_t space_map_vdso(struct space *s, uint64_t size);

/* System calls. Flags and protections are the generic ABI's, which are the host's. */
int64_t space_mmap(struct space *s, uint64_t address, uint64_t size, int prot, int flags, int fd,
                   uint64_t offset);
int64_t space_munmap(struct space *s, uint64_t address, uint64_t size);
int64_t space_mprotect(struct space *s, uint64_t address, uint64_t size, int prot);
int64_t space_mremap(struct space *s, uint64_t address, uint64_t old_size, uint64_t new_size,
                     int flags, uint64_t new_address);
int64_t space_brk(struct space *s, uint64_t address);
int64_t space_madvise(struct space *s, uint64_t address, uint64_t size, int advice);
int64_t space_shmat(struct space *s, int id, uint64_t address, int flags);
int64_t space_shmdt(struct space *s, uint64_t address);
/* riscv_flush_icache: what was written there is to be run. first >= end: everywhere. */
void space_flush_code(struct space *s, uint64_t first, uint64_t end);

/* The rights of the page at an address: PROT_ bits, -1 where nothing is. *changes: it may be written, or
 * others may through another mapping of theirs. */
int space_rights(struct space *s, uint64_t address, bool *changes);

/* One call for each area, by address, for /proc/self/maps; space.lock is held. */
void space_each(struct space *s, void (*visit)(void *ctx, const struct area *area), void *ctx);

/*
 * Copies between the guest and the emulator, which bad addresses do not kill. false: EFAULT; some of it
 * may have been copied. The second: a string of the guest's, at most `size` bytes with its end;
 * -EFAULT, -ENAMETOOLONG, or its length.
 */
bool space_read(const struct space *s, void *to, uint64_t from, size_t size);
bool space_write(const struct space *s, uint64_t to, const void *from, size_t size);
int64_t space_read_string(const struct space *s, char *to, uint64_t from, size_t size);

#endif
