/* SPDX-License-Identifier: MPL-2.0 */
/* System calls: the table, what is common to all of them, and what is handed to the host's kernel. */
#define _GNU_SOURCE
#include "user/syscall.h"
#include "user/paths.h"
#include "user/signals.h"
#include "user/strace.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

enum { X_A0 = 10, X_A7 = 17, ECALL_SIZE = 4 };

static const struct syscall table[] = {
#define PASS(nr, called, kind, ...) \
    [nr] = {.name = #called, .host = SYS_##called, .result = kind, .args = {__VA_ARGS__}},
#define SAME(nr, called, kind, ...) \
    [nr] = {.name = #called, .host = nr, .result = kind, .args = {__VA_ARGS__}},
#define CALL(nr, called, kind, ...) \
    [nr] = {.name = #called, .run = sys_##called, .result = kind, .args = {__VA_ARGS__}},
#define REFUSE(nr, called, with, ...) \
    [nr] = {.name = #called, .error = with, .args = {__VA_ARGS__}},
#include "user/syscalls.def"
#undef PASS
#undef SAME
#undef CALL
#undef REFUSE
};

const struct syscall *syscall_find(uint64_t number)
{
    if (number >= sizeof(table) / sizeof(*table) || !table[number].name)
        return NULL;
    return &table[number];
}

void syscall_own_fds(const struct process *p, int fds[SYSCALL_OWN_FDS])
{
    fds[0] = p->exe_fd;
    fds[1] = p->self_fd;
    fds[2] = p->config.strace ? p->strace_fd : -1;
    fds[3] = p->debug ? p->debug->wake : -1;
}

bool syscall_fd_is_ours(const struct process *p, uint64_t fd)
{
    int ours[SYSCALL_OWN_FDS], asked = (int)fd;
    syscall_own_fds(p, ours);
    return asked >= 0 &&
           (asked == ours[0] || asked == ours[1] || asked == ours[2] || asked == ours[3]);
}

int64_t syscall_host(struct user_thread *t, long number, uint64_t a0, uint64_t a1, uint64_t a2,
                     uint64_t a3, uint64_t a4, uint64_t a5)
{
    const uint64_t arg[6] = {a0, a1, a2, a3, a4, a5};
    return host_call_interruptible(&t->signals->pending, number, arg);
}

bool time_argument_read(const struct user_thread *t, uint64_t address, struct time_argument *time)
{
    const struct space *space = &t->process->space;
    time->address = address;
    if (!address || space_word(space) == 8)
        return space_is_guest(space, address, 1);
    time->address = (uint64_t)&time->copy;
    return layout_read(space, LAYOUT_timespec, &time->copy, address);
}

void time_argument_write(const struct user_thread *t, uint64_t address,
                         const struct time_argument *time)
{
    /* As the kernel has it: where that cannot be written nobody is told. */
    if (time->address == (uint64_t)&time->copy)
        space_write(&t->process->space, address, &time->copy, sizeof(time->copy));
}

/* A structure in the host's form, and where it is to be written to. */
struct passed_structure {
    enum layout layout;
    uint64_t address; /* 0: nowhere */
    _Alignas(8) uint8_t host[LAYOUT_HOST_MOST];
};

/*
 * What a call that is handed on needs in the place of what the guest gave. A call has two paths, two lists
 * of pieces, or two structures at most.
 */
struct passed {
    uint64_t arg[6];
    struct user_path paths[2];
    unsigned path_count;
    struct iovec *pieces[2]; /* to be freed */
    struct iovec few[8];
    struct passed_structure structures[2];
    unsigned structure_count;
};

/* The list is read once: what the kernel gets is what was checked. */
static int64_t pass_pieces(struct user_thread *t, struct passed *p, unsigned n, bool is_ours)
{
    const struct space *space = &t->process->space;
    uint64_t count = p->arg[n + 1];
    if (count > IOV_MAX)
        return -EINVAL;
    struct iovec *list = p->few;
    if (count > sizeof(p->few) / sizeof(*p->few) || !is_ours) {
        list = p->pieces[!is_ours] = malloc((count + 1) * sizeof(*list));
        if (!list)
            return -ENOMEM;
    }
    if (!layout_read_list(space, LAYOUT_iovec, list, p->arg[n], count))
        return -EFAULT;
    for (uint64_t i = 0; is_ours && i < count; i++) {
        if ((int64_t)list[i].iov_len < 0)
            return -EINVAL;
        if (list[i].iov_len && !space_is_guest(space, (uint64_t)list[i].iov_base, list[i].iov_len))
            return -EFAULT;
    }
    p->arg[n] = (uint64_t)list;
    return 0;
}

static int64_t pass_structure(struct user_thread *t, struct passed *p, unsigned n,
                              enum layout layout, bool is_given)
{
    uint64_t address = p->arg[n];
    if (!address)
        return 0;
    struct passed_structure *s = &p->structures[p->structure_count++];
    s->layout = layout;
    s->address = is_given ? 0 : address;
    p->arg[n] = (uint64_t)s->host;
    if (is_given)
        return layout_read(&t->process->space, layout, s->host, address) ? 0 : -EFAULT;
    memset(s->host, 0, sizeof(s->host));
    return 0;
}

static bool give_structures(const struct user_thread *t, const struct passed *p)
{
    bool ok = true;
    for (unsigned n = 0; n < p->structure_count; n++) {
        const struct passed_structure *s = &p->structures[n];
        ok &= !s->address || layout_write(&t->process->space, s->layout, s->address, s->host);
    }
    return ok;
}

/* Whether a symbolic link at the end of a path is followed, which a call's flags may turn round. */
static bool is_followed(const struct syscall *call, const struct passed *p, uint8_t kind)
{
    uint64_t flags = 0;
    for (unsigned n = 0; n < 6; n++)
        flags |= call->args[n] == A_AT ? p->arg[n] : 0;
    /* Of two paths linkat's flag means the first. */
    return kind == A_PATH ? !(flags & AT_SYMLINK_NOFOLLOW)
                          : flags & AT_SYMLINK_FOLLOW && !p->path_count;
}

static int64_t pass_argument(struct user_thread *t, const struct syscall *call, struct passed *p,
                             unsigned n)
{
    const struct space *space = &t->process->space;
    const uint8_t kind = call->args[n];
    uint64_t value = p->arg[n];
    switch (kind) {
    case A_FD:
    case A_DIRFD:
        return syscall_fd_is_ours(t->process, value) ? -EBADF : 0;
    case A_PATH:
    case A_LINK: {
        const bool follow = is_followed(call, p, kind);
        struct user_path *path = &p->paths[p->path_count++];
        int64_t error = path_find(t, value, follow, path);
        p->arg[n] = path->address;
        return error;
    }
    case A_IOV:
    case A_IOV_OUT:
        return pass_pieces(t, p, n, true);
    case A_IOV_OTHER:
        return pass_pieces(t, p, n, false);
    case A_TIMESPEC:
        if (space_word(space) == 4)
            return pass_structure(t, p, n, LAYOUT_timespec, true);
        return space_is_guest(space, value, 1) ? 0 : -EFAULT;
    case A_GIVEN ... A_GIVEN + LAYOUTS - 1:
        return pass_structure(t, p, n, kind - A_GIVEN, true);
    case A_TAKEN ... A_TAKEN + LAYOUTS - 1:
        return pass_structure(t, p, n, kind - A_TAKEN, false);
    case A_IN:
    case A_OUT:
        return space_is_guest(space, value, p->arg[n + 1]) ? 0 : -EFAULT;
    case A_ADDRESS:
        return 0;
    default:
        return kind < A_POINTERS || space_is_guest(space, value, 1) ? 0 : -EFAULT;
    }
}

int64_t syscall_pass(struct user_thread *t, const struct syscall *call, const uint64_t *arg)
{
    struct passed p; /* large, and mostly not used */
    p.path_count = p.structure_count = 0;
    p.pieces[0] = p.pieces[1] = NULL;
    for (unsigned n = 0; n < 6; n++)
        p.arg[n] = arg[n];
    int64_t result = 0;
    for (unsigned n = 0; n < 6 && call->args[n] && !result; n++)
        result = pass_argument(t, call, &p, n);
    if (!result)
        result = host_call_interruptible(&t->signals->pending, call->host, p.arg);
    free(p.pieces[0]);
    free(p.pieces[1]);
    if (result >= 0 && p.structure_count && !give_structures(t, &p))
        return -EFAULT;
    return result;
}

static int64_t do_call(struct user_thread *t, const struct syscall *call, const uint64_t *arg)
{
    if (!call)
        return -ENOSYS;
    if (call->run)
        return call->run(t, arg);
    return call->error ? -call->error : syscall_pass(t, call, arg);
}

void user_syscall(struct user_thread *t)
{
    struct hart *h = t->hart;
    const struct syscall *call;
    uint64_t arg[6];
    int64_t result;
    if (h->xlen == 64) {
        call = syscall_find(h->x[X_A7]);
        memcpy(arg, &h->x[X_A0], sizeof(arg));
    } else {
        call = syscall_find_32((uint32_t)h->x[X_A7]);
        syscall_arguments_32(call, &h->x[X_A0], arg);
    }
    if (__builtin_expect(t->process->config.strace, 0)) {
        struct strace_line line;
        strace_enter(t, &line, call, h->x[X_A7], arg);
        result = do_call(t, call, arg);
        strace_leave(t, &line, call, arg, result);
    } else {
        result = do_call(t, call, arg);
    }
    if (result == -EINTR && debug_cuts_call(t))
        result = SYSCALL_RESTART;
    if (result == SYSCALL_RESTART)
        h->pc -= ECALL_SIZE;
    else if (!call || call->result != R_NONE)
        user_thread_set(t, X_A0, (uint64_t)result);
    if (atomic_load_explicit(&t->signals->pending, memory_order_relaxed))
        signals_deliver(t);
    t->debug.cut_short = false;
}
