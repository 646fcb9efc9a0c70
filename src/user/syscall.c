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

/*
 * What a call that is handed on needs in the place of what the guest gave. A call has two paths or one
 * list of pieces at most.
 */
struct passed {
    uint64_t arg[6];
    struct user_path paths[2];
    unsigned path_count;
    struct iovec *pieces; /* to be freed */
    struct iovec few[8];
};

/* The list is read once: what the kernel gets is what was checked. */
static int64_t pass_pieces(struct user_thread *t, struct passed *p, unsigned n)
{
    const struct space *space = &t->process->space;
    uint64_t count = p->arg[n + 1];
    if (count > IOV_MAX)
        return -EINVAL;
    struct iovec *list = p->few;
    if (count > sizeof(p->few) / sizeof(*p->few)) {
        list = p->pieces = malloc(count * sizeof(*list));
        if (!list)
            return -ENOMEM;
    }
    if (!space_read(space, list, p->arg[n], count * sizeof(*list)))
        return -EFAULT;
    for (uint64_t i = 0; i < count; i++) {
        if ((int64_t)list[i].iov_len < 0)
            return -EINVAL;
        if (list[i].iov_len && !space_is_guest(space, (uint64_t)list[i].iov_base, list[i].iov_len))
            return -EFAULT;
    }
    p->arg[n] = (uint64_t)list;
    return 0;
}

static int64_t pass_argument(struct user_thread *t, struct passed *p, unsigned n, uint8_t kind)
{
    const struct space *space = &t->process->space;
    uint64_t value = p->arg[n];
    switch (kind) {
    case A_FD:
    case A_DIRFD:
        return syscall_fd_is_ours(t->process, value) ? -EBADF : 0;
    case A_PATH:
    case A_LINK: {
        struct user_path *path = &p->paths[p->path_count++];
        int64_t error = path_find(t, value, kind == A_PATH, path);
        p->arg[n] = path->address;
        return error;
    }
    case A_IOV:
    case A_IOV_OUT:
        return pass_pieces(t, p, n);
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
    p.path_count = 0;
    p.pieces = NULL;
    for (unsigned n = 0; n < 6; n++)
        p.arg[n] = arg[n];
    int64_t result = 0;
    for (unsigned n = 0; n < 6 && call->args[n] && !result; n++)
        result = pass_argument(t, &p, n, call->args[n]);
    if (!result)
        result = host_call_interruptible(&t->signals->pending, call->host, p.arg);
    free(p.pieces);
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
    const struct syscall *call = syscall_find(h->x[X_A7]);
    uint64_t arg[6];
    for (unsigned n = 0; n < 6; n++) /* registers of rv32 are kept sign-extended */
        arg[n] = h->xlen == 32 ? (uint32_t)h->x[X_A0 + n] : h->x[X_A0 + n];
    int64_t result;
    if (__builtin_expect(t->process->config.strace, 0)) {
        struct strace_line line;
        strace_enter(t, &line, call, h->x[X_A7], arg);
        result = do_call(t, call, arg);
        strace_leave(t, &line, call, arg, result);
    } else {
        result = do_call(t, call, arg);
    }
    if (result == SYSCALL_RESTART)
        h->pc -= ECALL_SIZE;
    else if (result == -EINTR && t->process->debug && debug_cuts_call(t))
        ;
    else if (!call || call->result != R_NONE)
        h->x[X_A0] = h->xlen == 32 ? (uint64_t)(int32_t)result : (uint64_t)result;
    if (atomic_load_explicit(&t->signals->pending, memory_order_relaxed))
        signals_deliver(t);
    t->debug.cut_short = false;
}
