/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Copies between the guest's memory and the emulator's, and who a fault belongs to: a copy, the interpreter,
 * translated code, or nobody.
 */
#define _GNU_SOURCE
#include "user/copy.h"

#include "host/fault.h"
#include "jit/direct.h"
#include "user/process.h"
#include <errno.h>
#include <setjmp.h>
#include <string.h>

/* A signal handler is told nothing but what its thread is. */
static __thread struct {
    sigjmp_buf *copy; /* where a fault in a copy goes; NULL: none is under way */
    struct user_thread *thread;
} self;

struct user_thread *user_thread_self(void)
{
    return self.thread;
}

void user_thread_set_self(struct user_thread *t)
{
    self.thread = t;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    if (fault_is_own(info)) {
        struct direct_fault fault = {
            .signal = signal,
            .code = info->si_code,
            .addr = (uint64_t)(uintptr_t)info->si_addr,
        };
        if (self.copy) {
            fault_leave(context);
            siglongjmp(*self.copy, 1);
        }
        if (!fault_knows_address(info)) { /* no address of a program's: not mapped */
            fault.code = SEGV_MAPERR;
            fault.addr = DIRECT_NO_ADDRESS;
        }
        if (self.thread && jit_direct_fault(self.thread->hart, &fault, context))
            return;
        fault_leave(context); /* the next does not come back */
        if (self.thread && direct_fault_in_c(self.thread->hart, &fault))
            return;
    }
    user_host_signal(signal, info, context);
}

bool user_catch_faults(struct error *err)
{
    return fault_catch(on_fault, err);
}

static const void *at(uint64_t address)
{
    return (const void *)(uintptr_t)address;
}

/* The compiler may not move what is between the two. */
#define GUARDED(...) \
    ({ \
        sigjmp_buf buffer_, *outer_ = self.copy; \
        bool done_ = false; \
        if (!sigsetjmp(buffer_, 0)) { \
            self.copy = &buffer_; \
            atomic_signal_fence(memory_order_seq_cst); \
            __VA_ARGS__; \
            atomic_signal_fence(memory_order_seq_cst); \
            done_ = true; \
        } \
        self.copy = outer_; \
        done_; \
    })

/* The copy's length is not the compiler's to see, so that nothing is known of what it touches. A null
 * pointer is one like any other that nothing is at. */
static __attribute__((noinline, no_sanitize("undefined"))) void copy(void *to, const void *from,
                                                                     size_t size)
{
    memcpy(to, from, size);
}

bool space_read(const struct space *s, void *to, uint64_t from, size_t size)
{
    return space_is_guest(s, from, size) && GUARDED(copy(to, at(from), size));
}

bool space_write(const struct space *s, uint64_t to, const void *from, size_t size)
{
    return space_is_guest(s, to, size) && GUARDED(copy((void *)(uintptr_t)to, from, size));
}

static __attribute__((noinline)) size_t copy_string(char *to, const char *from, size_t size)
{
    size_t n = 0;
    while (n < size && (to[n] = ((const volatile char *)from)[n]))
        n++;
    return n;
}

static bool read_string(char *to, uint64_t from, size_t size, size_t *length)
{
    return GUARDED(*length = copy_string(to, at(from), size));
}

int64_t space_read_string(const struct space *s, char *to, uint64_t from, size_t size)
{
    size_t length;
    if (!space_is_guest(s, from, 0))
        return -EFAULT;
    bool to_the_end = size > s->end - from;
    if (to_the_end)
        size = s->end - from;
    if (!read_string(to, from, size, &length))
        return -EFAULT;
    if (length == size)
        return to_the_end ? -EFAULT : -ENAMETOOLONG;
    return (int64_t)length;
}
