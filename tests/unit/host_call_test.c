/* SPDX-License-Identifier: GPL-3.0-only */
/* System calls that a signal cuts short (src/host/host_call.h), and signals by the kernel's own calls. */
#define _GNU_SOURCE
#include "host/host_call.h"
#include "host/host_signal.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

static _Atomic uint32_t pending;
static volatile unsigned handled;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    handled++;
    atomic_store(&pending, 1);
    host_call_interrupt(context);
}

static void catch_alarms(uint64_t flags)
{
    const struct host_action action = {.handler = on_signal, .flags = SA_SIGINFO | flags};
    assert_int_equal(host_signal_action(SIGALRM, &action, NULL), 0);
    atomic_store(&pending, 0);
    handled = 0;
}

static long read_pipe(int fd)
{
    char byte;
    const uint64_t arg[6] = {(uint64_t)fd, (uint64_t)&byte, 1};
    return host_call_interruptible(&pending, SYS_read, arg);
}

static void results_are_the_kernels(void **state)
{
    (void)state;
    const uint64_t none[6] = {0}, bad[6] = {(uint64_t)-1};
    atomic_store(&pending, 0);
    errno = 77;
    assert_int_equal(host_call(SYS_getpid, none), getpid());
    assert_int_equal(host_call(SYS_close, bad), -EBADF);
    assert_int_equal(host_call_interruptible(&pending, SYS_getppid, none), getppid());
    assert_int_equal(host_call_interruptible(&pending, SYS_close, bad), -EBADF);
    assert_int_equal(errno, 77);
}

static void all_six_arguments_arrive(void **state)
{
    (void)state;
    long page = sysconf(_SC_PAGESIZE);
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), 2 * page), 0);
    assert_int_equal(pwrite(fileno(file), "x", 1, page), 1);
    /* mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, offset) */
    const uint64_t arg[6] = {0, (uint64_t)page, 1, 2, (uint64_t)fileno(file), (uint64_t)page};
    atomic_store(&pending, 0);
    long address = host_call_interruptible(&pending, SYS_mmap, arg);
    assert_true(address > 0);
    assert_int_equal(*(char *)address, 'x');
    const uint64_t unmap[6] = {(uint64_t)address, (uint64_t)page};
    assert_int_equal(host_call(SYS_munmap, unmap), 0);
    fclose(file);
}

static void a_pending_signal_keeps_it_from_being_made(void **state)
{
    (void)state;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(write(pipes[1], "ab", 2), 2);
    atomic_store(&pending, 1);
    assert_int_equal(read_pipe(pipes[0]), HOST_CALL_RESTART);
    atomic_store(&pending, 0);
    assert_int_equal(read_pipe(pipes[0]), 1);
    close(pipes[0]);
    close(pipes[1]);
}

/* The kernel decides, by the flag of the handler. */
static void a_signal_ends_a_call_that_waits(void **state)
{
    (void)state;
    int pipes[2];
    const struct itimerval soon = {{0, 0}, {0, 10000}};
    assert_int_equal(pipe(pipes), 0);
    catch_alarms(0);
    setitimer(ITIMER_REAL, &soon, NULL);
    assert_int_equal(read_pipe(pipes[0]), -EINTR);
    assert_int_equal(handled, 1);
    catch_alarms(SA_RESTART);
    setitimer(ITIMER_REAL, &soon, NULL);
    assert_int_equal(read_pipe(pipes[0]), HOST_CALL_RESTART);
    assert_int_equal(handled, 1);
    close(pipes[0]);
    close(pipes[1]);
}

/* Signals at any instruction: if one fell between the look and the call, the read would wait for ever, as the
 * next comes only when this one has been seen. */
static void no_signal_comes_in_between(void **state)
{
    (void)state;
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    alarm(0);
    for (unsigned n = 0; n < 3000; n++) {
        const struct itimerval soon = {{0, 0}, {0, (long)(n % 40) + 1}};
        catch_alarms(n % 2 ? SA_RESTART : 0);
        setitimer(ITIMER_REAL, &soon, NULL);
        long result = read_pipe(pipes[0]);
        assert_true(result == -EINTR || result == HOST_CALL_RESTART);
        assert_int_equal(handled, 1);
    }
    close(pipes[0]);
    close(pipes[1]);
}

static void all_signals_can_be_caught_and_blocked(void **state)
{
    (void)state;
    struct host_action old;
    const struct host_action ours = {.handler = on_signal, .flags = SA_SIGINFO, .mask = 0x55};
    /* 32 and 33 are the C library's. */
    for (int signal = 32; signal < 35; signal++) {
        assert_int_equal(host_signal_action(signal, &ours, NULL), 0);
        assert_int_equal(host_signal_action(signal, NULL, &old), 0);
        assert_ptr_equal(old.handler, on_signal);
        assert_int_equal(old.mask, 0x55);
        handled = 0;
        uint64_t bit = UINT64_C(1) << (signal - 1);
        uint64_t before = host_signal_mask(SIG_BLOCK, bit);
        host_signal_raise(signal);
        assert_int_equal(handled, 0);
        assert_int_equal(host_signal_mask(SIG_SETMASK, before), before | bit);
        assert_int_equal(handled, 1);
    }
    assert_int_equal(host_signal_action(SIGKILL, &ours, NULL), -EINVAL);
    assert_int_equal(host_signal_action(65, NULL, &old), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_the_kernels),
        cmocka_unit_test(all_six_arguments_arrive),
        cmocka_unit_test(a_pending_signal_keeps_it_from_being_made),
        cmocka_unit_test(a_signal_ends_a_call_that_waits),
        cmocka_unit_test(no_signal_comes_in_between),
        cmocka_unit_test(all_signals_can_be_caught_and_blocked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
