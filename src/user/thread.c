/* SPDX-License-Identifier: MPL-2.0 */
/* Threads of the guest: their beginning and their end. See threads.h. */
#define _GNU_SOURCE
#include "user/threads.h"
#include "host/host_signal.h"
#include "jit/direct.h"
#include "user/copy.h"
#include "user/layout.h"
#include "user/signals.h"
#include "user/syscall.h"
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Translated code nests calls of the guest's on the host's stack (jit/), C code stands above. Address
 * space only, until it is used. */
#define HOST_STACK (1u << 20)

enum { X_SP = 2, X_TP = 4, X_A0 = 10 };

void clone_set_registers(struct user_thread *child, const struct clone_request *request)
{
    user_thread_set(child, X_A0, 0);
    if (request->stack)
        user_thread_set(child, X_SP, request->stack);
    if (request->flags & CLONE_SETTLS)
        user_thread_set(child, X_TP, request->tls);
    child->clear_tid = request->flags & CLONE_CHILD_CLEARTID ? request->child_tid : 0;
}

static void write_tid(const struct user_thread *t, uint64_t address)
{
    /* The kernel does not mind either when there is no such memory. */
    space_write(&t->process->space, address, &t->tid, sizeof(t->tid));
}

/*
 * A new thread
 */

struct start {
    struct user_thread *thread;
    const struct clone_request *request;
    pid_t tid; /* the thread may be gone when it is asked for */
    sem_t begun;
};

static void *run_thread(void *arg)
{
    struct start *start = arg;
    struct user_thread *t = start->thread;
    const struct clone_request *request = start->request;
    /* The host's C library begins threads with its own signals let in, which are the guest's to block: one
     * may be sent as soon as somebody knows the tid. */
    host_signal_mask(SIG_BLOCK, ~SIGNALS_OURS);
    start->tid = t->tid = (pid_t)syscall(SYS_gettid);
    if (request->flags & CLONE_CHILD_SETTID)
        write_tid(t, request->child_tid);
    if (request->flags & CLONE_PARENT_SETTID)
        write_tid(t, request->parent_tid);
    /* A thread of the host's shares all; what the guest's is not to share is parted. */
    int parted = (int)(~request->flags & (CLONE_FS | CLONE_FILES));
    if (parted)
        unshare(parted);
    sem_post(&start->begun);
    user_thread_set_self(t);
    signals_force_mask(t, t->signals->mask);
    user_thread_run(t);
    user_thread_free(t);
    return NULL;
}

static int start_host_thread(struct start *start)
{
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, HOST_STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int error = pthread_create(&thread, &attr, run_thread, start);
    pthread_attr_destroy(&attr);
    return error;
}

static void count_threads(struct process *p, int change)
{
    pthread_mutex_lock(&p->lock);
    p->signals->living += change;
    pthread_mutex_unlock(&p->lock);
}

int64_t clone_thread(struct user_thread *t, const struct clone_request *request)
{
    struct start start = {.thread = user_thread_new(t->process, t), .request = request};
    if (!start.thread)
        return -ENOMEM;
    clone_set_registers(start.thread, request);
    sem_init(&start.begun, 0, 0);
    count_threads(t->process, 1);
    /* The thread begins with what is blocked here, but for the C library's own signals, and sets its own
     * mask where it begins to run. */
    host_signal_mask(SIG_BLOCK, ~SIGNALS_OURS);
    int error = start_host_thread(&start);
    signals_take_back(t->signals->actions);
    int64_t result = -EAGAIN;
    if (error) {
        count_threads(t->process, -1);
        user_thread_free(start.thread);
    } else {
        while (sem_wait(&start.begun) && errno == EINTR)
            ;
        result = start.tid;
    }
    signals_force_mask(t, t->signals->mask);
    sem_destroy(&start.begun);
    return result;
}

/*
 * The end of one
 */

/* What the kernel does for a lock whose owner is gone (get_robust_list(2)): it says so and wakes one. */
static void give_up_lock(const struct user_thread *t, uint64_t address)
{
    uint32_t value;
    enum { SET_BIT = FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT, OWNER_DIED_BIT = 30 };
    if (address % sizeof(value) ||
        !space_read(&t->process->space, &value, address, sizeof(value)) ||
        (value & FUTEX_TID_MASK) != (uint32_t)t->tid)
        return;
    /* As FUTEX_OP() makes it, of ints: the operation in bits 31 to 28, its operand from bit 12. */
    const uint32_t operation =
        (uint32_t)SET_BIT << 28 | FUTEX_OP_CMP_EQ << 24 | OWNER_DIED_BIT << 12;
    const uint64_t arg[6] = {address, FUTEX_WAKE_OP, 1, 0, address, operation};
    host_call(SYS_futex, arg);
}

static void give_up_locks(const struct user_thread *t)
{
    struct robust_list_head head;
    const struct space *space = &t->process->space;
    uint64_t list = t->signals->robust_list;
    enum { PI = 1, ENTRIES_MAX = 2048 };
    if (!list || !layout_read(space, LAYOUT_robust_list, &head, list))
        return;
    uint64_t entry = (uint64_t)head.list.next, pending = (uint64_t)head.list_op_pending;
    uint64_t offset = (uint64_t)head.futex_offset,
             mask = space_word(space) == 8 ? UINT64_MAX : UINT32_MAX;
    for (unsigned n = 0; n < ENTRIES_MAX && (entry & ~(uint64_t)PI) != list; n++) {
        uint64_t next;
        if (!layout_read(space, LAYOUT_pointer, &next, entry & ~(uint64_t)PI))
            break;
        if (entry != pending && !(entry & PI))
            give_up_lock(t, (entry + offset) & mask);
        entry = next;
    }
    if (pending && !(pending & PI))
        give_up_lock(t, (pending + offset) & mask);
}

/* The kernel does not know lists of 32 bits. */
static void give_up_all_locks(struct process *p)
{
    pthread_mutex_lock(&p->lock);
    for (const struct user_thread *t = p->threads; t; t = t->next)
        give_up_locks(t);
    pthread_mutex_unlock(&p->lock);
}

void thread_let_go(struct user_thread *t)
{
    const uint64_t none[6] = {0, sizeof(struct robust_list_head)};
    give_up_locks(t);
    /* The kernel's turn comes later, when the memory may be somebody else's. */
    if (t->signals->robust_list)
        host_call(SYS_set_robust_list, none);
    const uint32_t zero = 0;
    if (!t->clear_tid || !space_write(&t->process->space, t->clear_tid, &zero, sizeof(zero)))
        return;
    const uint64_t wake[6] = {t->clear_tid, FUTEX_WAKE, 1};
    host_call(SYS_futex, wake);
}

void thread_abandon(struct user_thread *t)
{
    user_thread_leave_list(t);
    if (t->process->jit)
        jit_direct_forget_hart(t->process->jit, t->hart);
}

static _Noreturn void end_host_thread(int status)
{
    const uint64_t arg[6] = {(uint64_t)status};
    for (;;)
        host_call(SYS_exit, arg);
}

/* Whether that was the last one; then the process ends with *status. */
static bool leave_process(struct user_thread *t, bool is_leader, int *status)
{
    struct process *p = t->process;
    pthread_mutex_lock(&p->lock);
    bool is_last = --p->signals->living == 0;
    if (is_leader) {
        p->signals->leader_left = true;
        p->signals->leader_status = *status;
    } else if (is_last && p->signals->leader_left) {
        *status = p->signals->leader_status;
    }
    pthread_mutex_unlock(&p->lock);
    return is_last;
}

static void process_quit(struct process *p, int status)
{
    debug_ended(p, status, 0);
    p->config.quit(status);
}

int64_t sys_exit(struct user_thread *t, const uint64_t *arg)
{
    int status = (int)arg[0] & 0xff;
    if (t->signals->vforked)
        return sys_exit_group(t, arg);
    host_signal_mask(SIG_SETMASK, ~SIGNALS_OURS);
    bool is_leader = t->tid == getpid();
    if (leave_process(t, is_leader, &status))
        process_quit(t->process, status);
    thread_let_go(t);
    atomic_store(&t->signals->pending, 0);
    /* The host's first thread may not return either while others run. */
    if (is_leader) {
        thread_abandon(t);
        end_host_thread(status);
    }
    user_thread_stop(t);
    return 0;
}

int64_t sys_exit_group(struct user_thread *t, const uint64_t *arg)
{
    /* The child of a vfork may not run what the emulator does at its end: that is its parent's. */
    if (t->signals->vforked)
        host_call(SYS_exit_group, arg);
    if (space_word(&t->process->space) == 4)
        give_up_all_locks(t->process);
    process_quit(t->process, (int)arg[0] & 0xff);
    return 0;
}

int64_t sys_set_tid_address(struct user_thread *t, const uint64_t *arg)
{
    t->clear_tid = arg[0];
    return t->tid;
}

/* What an operation has no use for is not looked at: programs leave anything there. */
int64_t sys_futex(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    bool has_time = false, has_second = false;
    switch (arg[1] & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
        has_time = true;
        break;
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
    case FUTEX_CMP_REQUEUE_PI:
    case FUTEX_WAKE_OP:
        has_second = true;
        break;
    case FUTEX_WAIT_REQUEUE_PI:
        has_time = has_second = true;
        break;
    }
    struct time_argument time = {.address = arg[3]};
    if (!space_is_guest(space, arg[0], 4) || (has_second && !space_is_guest(space, arg[4], 4)))
        return -EFAULT;
    if (has_time && !time_argument_read(t, arg[3], &time))
        return -EFAULT;
    return syscall_host(t, SYS_futex, arg[0], arg[1], arg[2], time.address, arg[4], arg[5]);
}

int64_t sys_set_robust_list(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    if (!space_is_guest(space, arg[0], 1))
        return -EFAULT;
    /* The kernel knows it, too, for a death that we do not see; but that of 32 bits it would not read. */
    int64_t result = arg[1] == layout_size(space, LAYOUT_robust_list) ? 0 : -EINVAL;
    if (!result && space_word(space) == 8)
        result = syscall_host(t, SYS_set_robust_list, arg[0], arg[1], 0, 0, 0, 0);
    if (result == 0)
        t->signals->robust_list = arg[0];
    return result;
}
