/* SPDX-License-Identifier: GPL-3.0-only */
/* The table of system calls, what -strace calls numbers, signal frames, /proc paths, riscv_hwprobe. */
#define _GNU_SOURCE
#include "user/hwprobe.h"
#include "user/paths.h"
#include "user/signals.h"
#include "user/strace_names.h"
#include "user/syscall.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * The table
 */

static void calls_are_found_by_the_guests_number(void **state)
{
    (void)state;
    assert_string_equal(syscall_find(63)->name, "read");
    assert_int_equal(syscall_find(63)->host, SYS_read);
    assert_string_equal(syscall_find(435)->name, "clone3");
    assert_null(syscall_find(244));
    assert_null(syscall_find(100000));
    assert_null(syscall_find(UINT64_MAX));
}

static bool has_length(uint8_t kind)
{
    return kind == A_IN || kind == A_OUT || kind == A_IOV || kind == A_IOV_OUT;
}

/* What syscall_pass counts on. */
static void every_call_can_be_done(void **state)
{
    (void)state;
    unsigned count = 0;
    for (uint64_t number = 0; number < 600; number++) {
        const struct syscall *call = syscall_find(number);
        unsigned paths = 0, lists = 0, ways;
        if (!call)
            continue;
        count++;
        ways = (call->run != NULL) + (call->error != 0);
        assert_true(ways < 2);
        for (unsigned n = 0; n < 6; n++) {
            uint8_t kind = call->args[n];
            paths += kind == A_PATH || kind == A_LINK;
            lists += kind == A_IOV || kind == A_IOV_OUT;
            if (has_length(kind)) {
                assert_true(n < 5);
                uint8_t next = call->args[n + 1];
                assert_true(next == A_SIZE || next == A_INT || next == A_UINT);
            }
        }
        assert_true(paths <= 2);
        assert_true(lists <= 1);
    }
    assert_true(count > 300);
}

/*
 * Names
 */

static const char *named(uint8_t kind, uint64_t value)
{
    static char text[256];
    strace_name(kind, value, text, sizeof(text));
    return text;
}

static void flags_and_numbers_have_names(void **state)
{
    (void)state;
    assert_string_equal(named(A_OPEN, 0), "O_RDONLY");
    assert_string_equal(named(A_OPEN, 02000101), "O_WRONLY|O_CREAT|O_CLOEXEC");
    assert_string_equal(named(A_AT, 0), "0");
    assert_string_equal(named(A_AT, 0x80100), "AT_SYMLINK_NOFOLLOW|0x80000");
    assert_string_equal(named(A_PROT, 0), "PROT_NONE");
    assert_string_equal(named(A_PROT, 0x40), "0x40");
    assert_string_equal(named(A_WHENCE, 2), "SEEK_END");
    assert_string_equal(named(A_WHENCE, 77), "0x4d");
    assert_string_equal(named(A_FUTEX, 128 + 1), "FUTEX_WAKE|FUTEX_PRIVATE_FLAG");
    char little[8];
    strace_name(A_OPEN, UINT64_MAX, little, sizeof(little));
    assert_int_equal(strlen(little), 7);
}

static void paths_of_this_process_are_known(void **state)
{
    (void)state;
    char path[64];
    assert_string_equal(path_in_own_proc("/proc/self/maps"), "maps");
    assert_string_equal(path_in_own_proc("/proc/thread-self/exe"), "exe");
    snprintf(path, sizeof(path), "/proc/%d/exe", getpid());
    assert_string_equal(path_in_own_proc(path), "exe");
    snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", getpid(), getpid());
    assert_string_equal(path_in_own_proc(path), "stat");
    assert_string_equal(path_in_own_proc("/proc/self/task/x/stat"), "task/x/stat");
    assert_null(path_in_own_proc("/proc/1x/exe"));
    assert_null(path_in_own_proc("/proc/self"));
    assert_null(path_in_own_proc("/proc/selfish/exe"));
    assert_null(path_in_own_proc("/process/self/exe"));
    assert_null(path_in_own_proc(""));
}

/*
 * Frames: the emulator's own memory serves as the guest's.
 */

static struct {
    struct process process;
    struct user_thread thread;
    struct thread_signals signals;
    struct hart *hart;
    uint8_t stack[8192], other[8192];
} rig;

static void set_up(void)
{
    memset(&rig, 0, sizeof(rig));
    rig.hart = calloc(1, sizeof(*rig.hart));
    rig.hart->xlen = 64;
    rig.process.space.end = UINT64_MAX;
    rig.process.vdso_sigreturn = 0x1234;
    rig.thread.process = &rig.process;
    rig.thread.hart = rig.hart;
    rig.thread.signals = &rig.signals;
    for (unsigned n = 1; n < 32; n++)
        rig.hart->x[n] = 1000 + n;
    for (unsigned n = 0; n < 32; n++)
        rig.hart->f[n] = 2000 + n;
    rig.hart->x[2] = (uint64_t)(rig.stack + sizeof(rig.stack) - 3);
    rig.hart->pc = 0x5678;
    rig.hart->fp.flags = 0x15;
    rig.hart->frm = 3;
}

static void a_frame_gives_back_what_it_took(void **state)
{
    (void)state;
    static struct guest_sigframe frame;
    const struct guest_sigaction action = {.handler = 0x9000};
    siginfo_t info = {.si_signo = SIGUSR1};
    set_up();
    uint64_t sp = rig.hart->x[2];
    assert_true(sigframe_push(&rig.thread, SIGUSR1, &info, &action, 0x77));
    assert_int_equal(rig.hart->pc, 0x9000);
    assert_int_equal(rig.hart->x[1], 0x1234);
    assert_int_equal(rig.hart->x[2] % 16, 0);
    assert_int_equal(rig.hart->x[10], SIGUSR1);
    assert_int_equal(*(int *)rig.hart->x[11], SIGUSR1);
    const struct guest_ucontext *context = (const void *)rig.hart->x[12];
    assert_int_equal(context->regs[0], 0x5678);
    assert_int_equal(context->regs[2], sp);
    assert_int_equal(context->regs[31], 1031);
    assert_int_equal(context->fp.f[31], 2031);
    assert_int_equal(context->fp.fcsr, 0x75);
    assert_int_equal(context->sigmask, 0x77);
    assert_int_equal(context->stack.flags, GUEST_SS_DISABLE);
    rig.hart->f[5] = 0;
    rig.hart->frm = 0;
    assert_true(sigframe_read(&rig.thread, &frame));
    sigframe_pop(&rig.thread, &frame);
    assert_int_equal(rig.hart->pc, 0x5678);
    assert_int_equal(rig.hart->x[2], sp);
    assert_int_equal(rig.hart->x[1], 1001);
    assert_int_equal(rig.hart->f[5], 2005);
    assert_int_equal(rig.hart->frm, 3);
    assert_int_equal(rig.hart->fp.flags, 0x15);
    free(rig.hart);
}

static void a_frame_that_was_written_over_is_refused(void **state)
{
    (void)state;
    static struct guest_sigframe frame;
    const struct guest_sigaction action = {.handler = 0x9000};
    siginfo_t info = {.si_signo = SIGUSR1};
    set_up();
    assert_true(sigframe_push(&rig.thread, SIGUSR1, &info, &action, 0));
    struct guest_sigframe *there = (void *)rig.hart->x[2];
    there->context.fp.reserved = 1;
    assert_false(sigframe_read(&rig.thread, &frame));
    there->context.fp.reserved = 0;
    there->context.fp.end_magic = 0x53465457;
    assert_false(sigframe_read(&rig.thread, &frame));
    free(rig.hart);
}

static void the_other_stack_is_used_when_it_is_asked_for(void **state)
{
    (void)state;
    const struct guest_sigaction plain = {.handler = 0x9000},
                                 on_it = {.handler = 0x9000, .flags = GUEST_SA_ONSTACK};
    const struct guest_stack other = {.sp = (uint64_t)rig.other, .size = sizeof(rig.other)};
    siginfo_t info = {.si_signo = SIGUSR1};
    set_up();
    assert_int_equal(sigstack_set(&rig.thread, &(struct guest_stack){.sp = 1, .size = 2047}),
                     -ENOMEM);
    assert_int_equal(sigstack_set(&rig.thread, &(struct guest_stack){.flags = 4}), -EINVAL);
    assert_int_equal(sigstack_set(&rig.thread, &other), 0);
    assert_int_equal(sigstack_get(&rig.thread).flags, 0);
    assert_true(sigframe_push(&rig.thread, SIGUSR1, &info, &plain, 0));
    assert_true(rig.hart->x[2] < (uint64_t)rig.other);
    assert_true(sigframe_push(&rig.thread, SIGUSR1, &info, &on_it, 0));
    assert_true(rig.hart->x[2] >= (uint64_t)rig.other);
    assert_int_equal(sigstack_get(&rig.thread).flags, GUEST_SS_ONSTACK);
    assert_int_equal(sigstack_set(&rig.thread, &other), -EPERM);
    /* Seven frames fit, the eighth does not, and does not go elsewhere. */
    unsigned more = 0;
    while (sigframe_push(&rig.thread, SIGUSR1, &info, &on_it, 0))
        more++;
    assert_int_equal(more, sizeof(rig.other) / sizeof(struct guest_sigframe) - 1);
    free(rig.hart);
}

static void hwprobe_knows_what_the_hart_has(void **state)
{
    (void)state;
    struct isa isa;
    struct space space = {.end = SPACE_END_64};
    uint64_t value;
    isa_default(&isa, 64);
    assert_true(hwprobe_value(&isa, &space, 3, &value));
    assert_int_equal(value, 1);
    assert_true(hwprobe_value(&isa, &space, 4, &value));
    assert_int_equal(value & 3, 3);
    uint64_t with_zba = value;
    assert_true(with_zba & 8);
    struct error err;
    assert_true(isa_parse(&isa, "zba=off", &err));
    assert_true(hwprobe_value(&isa, &space, 4, &value));
    assert_int_equal(value, with_zba & ~UINT64_C(8));
    assert_true(hwprobe_value(&isa, &space, 7, &value));
    assert_int_equal(value, SPACE_END_64 - 1);
    assert_false(hwprobe_value(&isa, &space, 1000, &value));
    assert_false(hwprobe_value(&isa, &space, -1, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_found_by_the_guests_number),
        cmocka_unit_test(every_call_can_be_done),
        cmocka_unit_test(flags_and_numbers_have_names),
        cmocka_unit_test(paths_of_this_process_are_known),
        cmocka_unit_test(a_frame_gives_back_what_it_took),
        cmocka_unit_test(a_frame_that_was_written_over_is_refused),
        cmocka_unit_test(the_other_stack_is_used_when_it_is_asked_for),
        cmocka_unit_test(hwprobe_knows_what_the_hart_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
