/* SPDX-License-Identifier: GPL-3.0-only */
/* Structures, siginfo, signal frames and arguments of programs of 32 bits. A page below 4 GiB is the program's. */
#define _GNU_SOURCE
#include "user/layout.h"
#include "user/signals.h"
#include "user/syscall.h"
#include <linux/futex.h>
#include <linux/serial.h>
#include <mqueue.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>

#include <cmocka.h>

#define WORDS 1024
static uint32_t *guest;
static const struct space space = {.end = SPACE_END_32};

/* Words that say which they are: the first is 1. */
static int set_up(void **state)
{
    (void)state;
    if (!guest)
        guest = mmap((void *)0x20000000, WORDS * sizeof(*guest), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    for (uint32_t n = 0; n < WORDS; n++)
        guest[n] = n + 1;
    return guest == MAP_FAILED;
}

static uint64_t address(void)
{
    return (uint64_t)(uintptr_t)guest;
}

#define READ(layout, host) assert_true(layout_read(&space, LAYOUT_##layout, &(host), address()))
#define SIZE(layout) layout_size(&space, LAYOUT_##layout)

/* Sizes and offsets of riscv32's kernel, and the host's last field, which is where it is if all others are. */
static void structures_are_read_field_by_field(void **state)
{
    (void)state;
    struct rusage usage;
    READ(rusage, usage);
    assert_int_equal(SIZE(rusage), 72);
    assert_int_equal(usage.ru_utime.tv_usec, 2);
    assert_int_equal(usage.ru_nivcsw, 18);
    struct sysinfo info;
    READ(sysinfo, info);
    assert_int_equal(info.loads[2], 4);
    assert_int_equal(info.freeswap, 10);
    assert_int_equal(info.procs, 11);
    assert_int_equal(info.mem_unit, 14);
    struct statfs fs;
    READ(statfs, fs);
    assert_int_equal(SIZE(statfs), 88);
    assert_int_equal(fs.f_blocks, UINT64_C(4) << 32 | 3);
    assert_int_equal(fs.f_namelen, 15);
    struct guest_msghdr message;
    READ(msghdr, message);
    assert_int_equal(SIZE(msghdr), 28);
    assert_int_equal(SIZE(mmsghdr), 32);
    assert_int_equal(message.control_size, 6);
    assert_int_equal(message.flags, 7);
    struct msqid_ds queue;
    READ(msqid, queue);
    assert_int_equal(SIZE(msqid), 88);
    assert_int_equal(queue.msg_stime, UINT64_C(11) << 32 | 10);
    assert_int_equal(queue.msg_lrpid, 20);
    struct shmid_ds segment;
    READ(shmid, segment);
    assert_int_equal(SIZE(shmid), 84);
    assert_int_equal(segment.shm_segsz, 10);
    assert_int_equal(segment.shm_nattch, 19);
    struct guest_semid semaphores;
    READ(semid, semaphores);
    assert_int_equal(SIZE(semid), 64);
    assert_int_equal(semaphores.ctime, UINT64_C(13) << 32 | 12);
    assert_int_equal(semaphores.nsems, 14);
    struct sigevent event;
    READ(sigevent, event);
    assert_int_equal(event.sigev_notify, 3);
    struct guest_sigaction action;
    READ(sigaction, action);
    assert_int_equal(SIZE(sigaction), 16);
    assert_int_equal(action.mask, UINT64_C(4) << 32 | 3);
    struct guest_stack stack;
    READ(stack, stack);
    assert_int_equal(SIZE(stack), 12);
    assert_int_equal(stack.size, 3);
    struct group_req group;
    READ(group_req, group);
    assert_int_equal(SIZE(group_req), 132);
    assert_int_equal(*(uint32_t *)&group.gr_group, 2);
    struct rtentry route;
    READ(route, route);
    assert_int_equal(*(uint32_t *)&route.rt_genmask, 10);
    assert_int_equal(route.rt_window, 20);
    assert_int_equal(route.rt_irtt, 21);
    struct serial_struct serial;
    READ(serial, serial);
    assert_int_equal(SIZE(serial), 60);
    assert_int_equal(serial.iomap_base, 15);
}

static void what_is_a_number_keeps_its_sign_and_an_address_none(void **state)
{
    (void)state;
    struct rusage usage;
    struct iovec piece;
    struct timespec time;
    memset(guest, 0xff, 64);
    READ(rusage, usage);
    READ(iovec, piece);
    assert_true(usage.ru_utime.tv_sec == -1);
    assert_true((uint64_t)piece.iov_base == UINT32_MAX && piece.iov_len == UINT32_MAX);
    /* Half of a time's nanoseconds is whatever the program left there. */
    guest[2] = 5;
    READ(timespec, time);
    assert_int_equal(time.tv_nsec, 5);
}

static void what_is_written_is_what_was_read(void **state)
{
    (void)state;
    static uint8_t host[LAYOUT_HOST_MOST], back[LAYOUT_HOST_MOST];
    for (enum layout layout = 0; layout < LAYOUTS; layout++) {
        size_t words = (layout_size(&space, layout) + 3) / 4;
        set_up(NULL);
        assert_true(layout_read(&space, layout, host, address()));
        memset(guest, 0x5a, words * sizeof(*guest));
        assert_true(layout_write(&space, layout, address(), host));
        assert_true(layout_read(&space, layout, back, address()));
        assert_memory_equal(host, back, layout_host_size(layout));
        assert_int_equal(guest[words], words + 1);
    }
}

static void siginfo_has_the_fields_of_its_code(void **state)
{
    (void)state;
    siginfo_t info, back;
    memset(&info, 0, sizeof(info));
    info.si_signo = SIGCHLD;
    info.si_code = CLD_KILLED;
    info.si_pid = 77;
    info.si_status = 9;
    info.si_utime = 5;
    assert_true(layout_write(&space, LAYOUT_siginfo, address(), &info));
    assert_int_equal(guest[3], 77);
    assert_int_equal(guest[5], 9);
    assert_int_equal(guest[6], 5);
    memset(&info, 0, sizeof(info));
    info.si_signo = SIGSEGV;
    info.si_code = SEGV_ACCERR;
    info.si_addr = (void *)0x87654321;
    assert_true(layout_write(&space, LAYOUT_siginfo, address(), &info));
    assert_int_equal(guest[3], 0x87654321);
    memset(&info, 0, sizeof(info));
    info.si_signo = SIGUSR1;
    info.si_code = SI_QUEUE;
    info.si_pid = 5;
    info.si_value.sival_ptr = (void *)0x87654321;
    assert_true(layout_write(&space, LAYOUT_siginfo, address(), &info));
    assert_int_equal(guest[5], 0x87654321);
    READ(siginfo, back);
    assert_memory_equal(&back, &info, sizeof(info));
    memset(&info, 0, sizeof(info));
    info.si_signo = SIGUSR1;
    info.si_code = SI_TIMER;
    info.si_timerid = 3;
    info.si_overrun = 4;
    assert_true(layout_write(&space, LAYOUT_siginfo, address(), &info));
    assert_int_equal(guest[4], 4);
    READ(siginfo, back);
    assert_int_equal(back.si_overrun, 4);
    memset(&info, 0, sizeof(info));
    info.si_signo = SIGIO;
    info.si_code = POLL_IN;
    info.si_band = 0x41;
    info.si_fd = 6;
    assert_true(layout_write(&space, LAYOUT_siginfo, address(), &info));
    assert_int_equal(guest[3], 0x41);
    assert_int_equal(guest[4], 6);
}

static void calls_are_those_of_riscv32(void **state)
{
    (void)state;
    assert_string_equal(syscall_find_32(63)->name, "read");
    assert_string_equal(syscall_find_32(403)->name, "clock_gettime64");
    assert_int_equal(syscall_find_32(406)->host, SYS_clock_getres);
    assert_int_equal(syscall_find_32(80)->error, 38);
    assert_null(syscall_find(403));
    assert_null(syscall_find_32(244));
    assert_null(syscall_find_32(100000));
}

/* What syscall_pass counts on. */
static void every_call_can_be_done(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < 600; number++) {
        const struct syscall *call = syscall_find_32(number);
        unsigned structures = 0, lists = 0, registers = 0;
        for (unsigned n = 0; call && n < 6 && call->args[n]; n++) {
            uint8_t kind = call->args[n];
            structures += kind == A_TIMESPEC || (kind >= A_GIVEN && kind < A_GIVEN + LAYOUTS) ||
                          (kind >= A_TAKEN && kind < A_TAKEN + LAYOUTS);
            lists += kind == A_IOV || kind == A_IOV_OUT || kind == A_IOV_OTHER;
            registers += 1 + (kind == A_WIDE);
            if (kind == A_IOV_OTHER)
                assert_int_equal(call->args[n + 1], A_SIZE);
        }
        assert_true(structures <= 2 && lists <= 2 && registers <= 6);
    }
}

static void wide_arguments_take_two_registers(void **state)
{
    (void)state;
    const uint64_t registers[8] = {3, 0xffffffff80000000, 8, 0xffffffff87654321, 5, 6, 7, 8};
    uint64_t arg[6];
    syscall_arguments_32(syscall_find_32(67), registers, arg); /* pread64 */
    assert_int_equal(arg[1], 0x80000000);
    assert_int_equal(arg[3], 0x587654321);
    syscall_arguments_32(syscall_find_32(84), registers, arg); /* sync_file_range */
    assert_int_equal(arg[1], 0x880000000);
    assert_int_equal(arg[2], 0x587654321);
    assert_int_equal(arg[3], 6);
    syscall_arguments_32(syscall_find_32(286), registers, arg); /* preadv2 */
    assert_int_equal(arg[3], 0x587654321);
    assert_int_equal(arg[5], 6);
    syscall_arguments_32(syscall_find_32(188), registers, arg); /* msgrcv */
    assert_true(arg[3] == 0xffffffff87654321);
}

static void a_frame_gives_back_what_it_took(void **state)
{
    (void)state;
    static struct guest_sigframe frame;
    struct thread_signals signals = {.stack.flags = GUEST_SS_DISABLE};
    struct process process = {.space.end = SPACE_END_32, .vdso_sigreturn = 0xf0001234};
    struct hart *hart = calloc(1, sizeof(*hart));
    struct user_thread thread = {.process = &process, .hart = hart, .signals = &signals};
    const struct guest_sigaction action = {.handler = 0x80009000};
    siginfo_t info = {.si_signo = SIGUSR1};
    hart->xlen = 32;
    hart->pc = 0x80005678;
    hart->x[31] = (uint64_t)(int32_t)0x80000001;
    hart->f[31] = 0x123456789abcdef0;
    hart->frm = 3;
    hart->x[2] = (uint64_t)(int32_t)(address() + WORDS * sizeof(*guest) - 3);
    uint64_t sp = hart->x[2];
    assert_true(sigframe_push(&thread, SIGUSR1, &info, &action, UINT64_C(0x7700000011)));
    assert_int_equal(hart->pc, 0x80009000);
    assert_true(hart->x[1] == (uint64_t)(int32_t)0xf0001234);
    const struct guest_sigframe32 *there = (const void *)(uintptr_t)(uint32_t)hart->x[2];
    assert_int_equal((uintptr_t)there % 16, 0);
    assert_int_equal((uint32_t)hart->x[12], (uintptr_t)&there->context);
    assert_int_equal(there->context.regs[0], 0x80005678);
    assert_int_equal(there->context.regs[31], 0x80000001);
    assert_int_equal(there->context.sigmask[1], 0x77);
    assert_int_equal(there->context.fp.fcsr, 0x60);
    hart->x[31] = hart->f[31] = 0;
    assert_true(sigframe_read(&thread, &frame));
    assert_int_equal(frame.context.sigmask, UINT64_C(0x7700000011));
    sigframe_pop(&thread, &frame);
    assert_int_equal(hart->pc, 0x80005678);
    assert_true(hart->x[2] == sp && hart->x[31] == (uint64_t)(int32_t)0x80000001);
    assert_true(hart->f[31] == 0x123456789abcdef0);
    free(hart);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(structures_are_read_field_by_field, set_up),
        cmocka_unit_test_setup(what_is_a_number_keeps_its_sign_and_an_address_none, set_up),
        cmocka_unit_test_setup(what_is_written_is_what_was_read, set_up),
        cmocka_unit_test_setup(siginfo_has_the_fields_of_its_code, set_up),
        cmocka_unit_test(calls_are_those_of_riscv32),
        cmocka_unit_test(every_call_can_be_done),
        cmocka_unit_test(wide_arguments_take_two_registers),
        cmocka_unit_test_setup(a_frame_gives_back_what_it_took, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
