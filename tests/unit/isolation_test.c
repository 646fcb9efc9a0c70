/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Isolation (host/isolation.h): a device that plays a part of the emulator which the guest has taken over, and
 * all that it tries. Each test is a process of its own, since nothing can be taken back.
 */
#include "escapes.h"

#include "host/event_loop.h"
#include "host/isolation.h"
#include "host/linux/isolation_parts.h"
#include "host/pool.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <rvvm/rvvm.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

/* What the process of a test leaves to the test, in memory that both have. */
static struct result {
    bool refused[ESCAPES];
    bool tried;
    unsigned logged;    /* refusals */
    unsigned bad_lines; /* others of that level */
    bool ended_well;
    bool neighbour_went_on, neighbour_ended_well;
    int answers[8]; /* errno, or 0 */
} * result;

static struct escape_facts facts;
static char folder[] = "/tmp/rvvm-isolation-XXXXXX";

static int open_all(void **state)
{
    (void)state;
    result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int streams[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, streams) < 0)
        return -1;
    facts = (struct escape_facts){mkdtemp(folder), getpid(), open("/proc/self/exe", O_RDONLY),
                                  streams[0]};
    return result == MAP_FAILED || !facts.folder || facts.read_only < 0;
}

static int close_all(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof(command), "rm -r '%s'", folder);
    return system(command);
}

static bool can_be_isolated(void)
{
    return !ISOLATION_SANITIZED && !system_calls_obstacle();
}

static void in_a_process(void (*run)(void))
{
    int status = -1;
    memset(result, 0, sizeof(*result));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        run();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status)
        fail_msg("the process ended with status 0x%x", (unsigned)status);
}

static void try_all(void)
{
    for (size_t i = 0; i < ESCAPES; i++)
        result->refused[i] = escape_is_refused(&escapes[i], &facts);
    result->tried = true;
}

static void hear(void *ctx, enum log_level level, const char *line)
{
    (void)ctx;
    unsigned more;
    if (level > LOG_WARN)
        return;
    if (strstr(line, "was refused the system call"))
        result->logged++;
    else if (sscanf(line, "isolation: %u more system calls were refused", &more) == 1)
        result->logged += more;
    else
        result->bad_lines++;
}

/* Those that the caller of try_all is to be refused, but for `but`; `quietly`: that nobody hears of. */
static void assert_refused(const char *const *but, const char *const *quietly)
{
    unsigned heard = 0;
    assert_true(result->tried);
    for (size_t i = 0; i < ESCAPES; i++) {
        bool allowed = false;
        for (unsigned n = 0; but && but[n]; n++)
            allowed |= !strcmp(but[n], escapes[i].name);
        if (!allowed && !result->refused[i])
            fail_msg("%s: not refused", escapes[i].name);
        if (allowed && result->refused[i])
            fail_msg("%s: refused", escapes[i].name);
        heard += result->refused[i] && !escapes[i].silent;
    }
    for (unsigned n = 0; quietly && quietly[n]; n++)
        heard--;
    assert_int_equal(result->logged, heard);
    assert_int_equal(result->bad_lines, 0);
}

static void assert_all_refused(void)
{
    assert_refused(NULL, NULL);
}

/*
 * A machine with the device, and one beside it.
 */

#define DEVICE 0x11000000u

/* Writes to the device and powers off. */
static const uint32_t exploit[] = {
    0x110002b7, /* lui t0, 0x11000 */
    0x0002a023, /* sw zero, 0(t0) */
    0x00100337, /* lui t1, 0x100 */
    0x000053b7, /* lui t2, 5 */
    0x55538393, /* addi t2, t2, 0x555 */
    0x00732023, /* sw t2, 0(t1) */
    0x0000006f, /* j . */
};

/* Writes to the device for ever. */
static const uint32_t tick[] = {
    0x110002b7, /* lui t0, 0x11000 */
    0x0002a023, /* sw zero, 0(t0) */
    0xffdff06f, /* j -4 */
};

static void hear_machine(void *ctx, enum rvvm_log_level level, const char *line)
{
    hear(ctx, (enum log_level)level, line);
}

static struct rvvm_machine *make_machine(const uint32_t *program, size_t size,
                                         enum rvvm_isolation isolation,
                                         void (*write)(void *, uint64_t, unsigned, uint64_t))
{
    struct rvvm_config config;
    struct rvvm_mmio device = {
        .struct_size = sizeof(device), .name = "exploited", .base = DEVICE, .size = 4096};
    rvvm_config_init(&config);
    config.firmware_bytes = (struct rvvm_bytes){program, size};
    config.isolation = isolation;
    config.log = hear_machine;
    config.memory = 16 << 20;
    device.write = write;
    struct rvvm_machine *m = rvvm_machine_new(&config, NULL);
    if (!m || !rvvm_machine_add_mmio(m, &device, NULL))
        _exit(3);
    return m;
}

static void on_exploit(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    (void)state, (void)offset, (void)size, (void)value;
    try_all();
}

static void run_exploit(enum rvvm_isolation isolation)
{
    int status = -1;
    struct rvvm_machine *m = make_machine(exploit, sizeof(exploit), isolation, on_exploit);
    result->ended_well = rvvm_machine_run(m, &status, NULL) && status == 0;
    rvvm_machine_free(m);
}

static void run_isolated_exploit(void)
{
    run_exploit(RVVM_ISOLATION_PROCESS);
}

static void run_free_exploit(void)
{
    run_exploit(RVVM_ISOLATION_NONE);
}

static void a_device_is_refused_all_that_it_tries_and_the_log_says_so(void **state)
{
    (void)state;
    if (!can_be_isolated())
        skip();
    in_a_process(run_isolated_exploit);
    assert_all_refused();
    assert_true(result->ended_well);
}

/* So what the others refuse would have been done. */
static void without_isolation_the_same_is_not_refused(void **state)
{
    (void)state;
    in_a_process(run_free_exploit);
    assert_true(result->tried && result->ended_well);
    for (size_t i = 0; i < ESCAPES; i++)
        if (escapes[i].anybody && result->refused[i])
            fail_msg("%s: refused without isolation", escapes[i].name);
    assert_int_equal(result->logged, 0);
}

/* Threads of the machine only: nobody hears of it, as the signal is the program's. */
static void run_embedded_exploit(void)
{
    struct sigaction before, after;
    sigaction(SIGSYS, NULL, &before);
    run_exploit(RVVM_ISOLATION_THREADS);
    int fd = open("/etc/passwd", O_RDONLY);
    result->answers[0] = fd < 0 ? errno : 0;
    sigaction(SIGSYS, NULL, &after);
    result->answers[1] = after.sa_handler != before.sa_handler;
}

static void a_program_that_embeds_a_machine_is_left_alone(void **state)
{
    (void)state;
    if (!can_be_isolated())
        skip();
    in_a_process(run_embedded_exploit);
    for (size_t i = 0; i < ESCAPES; i++)
        if (!result->refused[i])
            fail_msg("%s: not refused", escapes[i].name);
    assert_int_equal(result->answers[0], 0);
    assert_int_equal(result->answers[1], 0);
    assert_true(result->ended_well);
}

static atomic_uint ticks;

static void on_tick(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    (void)state, (void)offset, (void)size, (void)value;
    atomic_fetch_add(&ticks, 1);
}

static void *run_neighbour(void *machine)
{
    int status = -1;
    result->neighbour_ended_well = rvvm_machine_run(machine, &status, NULL) && status == 0;
    return NULL;
}

static void await_ticks(unsigned count)
{
    const unsigned start = atomic_load(&ticks);
    while (atomic_load(&ticks) - start < count)
        sched_yield();
}

static void run_two_machines(void)
{
    pthread_t thread;
    struct rvvm_machine *m = make_machine(tick, sizeof(tick), RVVM_ISOLATION_THREADS, on_tick);
    pthread_create(&thread, NULL, run_neighbour, m);
    await_ticks(1000);
    run_exploit(RVVM_ISOLATION_PROCESS);
    await_ticks(1000);
    result->neighbour_went_on = true;
    rvvm_machine_quit(m);
    pthread_join(thread, NULL);
    rvvm_machine_free(m);
}

static void another_machine_of_the_process_goes_on(void **state)
{
    (void)state;
    if (!can_be_isolated())
        skip();
    in_a_process(run_two_machines);
    assert_all_refused();
    assert_true(result->neighbour_went_on);
    assert_true(result->neighbour_ended_well);
}

/*
 * Threads of other kinds
 */

static struct log log_here = {.sink = hear, .level = LOG_WARN};

static struct isolation *enter(void)
{
    struct isolation *iso = isolation_new(&log_here, true, NULL);
    if (!iso)
        _exit(3);
    isolation_enter(iso);
    return iso;
}

static void job_tries(struct pool_job *job)
{
    (void)job;
    try_all();
}

static void run_on_a_disks_thread(void (*run)(struct pool_job *job))
{
    struct isolation *iso = enter();
    struct pool_job job = {.run = run};
    struct pool *pool = pool_new("worker", 4, NULL);
    pool_post(pool, &job);
    pool_free(pool);
    isolation_free(iso);
}

static void try_on_a_disks_thread(void)
{
    run_on_a_disks_thread(job_tries);
}

static void threads_of_disks_are_refused_all(void **state)
{
    (void)state;
    if (!can_be_isolated())
        skip();
    in_a_process(try_on_a_disks_thread);
    assert_all_refused();
}

/* What the C library does by itself, the first time that it happens in the process. */
static void job_gives_back(struct pool_job *job)
{
    (void)job;
    void *volatile blocks[64];
    for (unsigned i = 0; i < 64; i++)
        blocks[i] = malloc(100 << 10);
    for (unsigned i = 0; i < 64; i++)
        free(blocks[i]);
    result->tried = true;
}

static void give_back_on_a_disks_thread(void)
{
    run_on_a_disks_thread(job_gives_back);
}

static void a_thread_that_gives_back_memory_is_refused_nothing(void **state)
{
    (void)state;
    if (!can_be_isolated())
        skip();
    in_a_process(give_back_on_a_disks_thread);
    assert_true(result->tried);
    assert_int_equal(result->logged, 0);
}

static void call_tries(void *ctx)
{
    (void)ctx;
    try_all();
}

static void run_on_a_loop(enum thread_kind kind, struct isolation *iso, void (*run)(void *))
{
    struct event_loop *loop = event_loop_new(NULL);
    struct event_call call;
    event_loop_set_kind(loop, kind);
    event_call_init(&call, loop, run, NULL);
    event_loop_start(loop, NULL);
    event_call_post(&call);
    while (!result->tried)
        sched_yield();
    event_call_remove(&call);
    event_loop_free(loop);
    isolation_free(iso);
}

static void run_on_a_lines_thread(void)
{
    run_on_a_loop(THREAD_EVENTS, enter(), call_tries);
}

static void run_on_a_networks_thread(void)
{
    struct isolation *iso = enter();
    isolation_need_sockets(ISOLATION_INET);
    run_on_a_loop(THREAD_NET, iso, call_tries);
}

static void threads_of_serial_lines_are_refused_all(void **state)
{
    (void)state;
    if (!can_be_isolated())
        skip();
    in_a_process(run_on_a_lines_thread);
    assert_all_refused();
}

static void threads_of_networks_make_inet_sockets_and_nothing_else(void **state)
{
    static const char *const but[] = {"make_an_inet_socket", NULL};
    static const char *const quietly[] = {"make_a_raw_socket", NULL};
    (void)state;
    if (!can_be_isolated())
        skip();
    in_a_process(run_on_a_networks_thread);
    assert_refused(but, quietly);
}

/*
 * Whom cables reach
 */

/* Of servers outside. */
static struct sockaddr_in its_port, another_port;
static struct sockaddr_un abstract = {AF_UNIX, "\0rvvm-isolation-test"};

static int try_connect(int family, const void *address, socklen_t size)
{
    int fd = socket(family, SOCK_STREAM, 0);
    int e = fd < 0 || connect(fd, address, size) < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return e;
}

static void call_connects(void *ctx)
{
    (void)ctx;
    const struct sockaddr_in any = {.sin_family = AF_INET};
    result->answers[0] = try_connect(AF_INET, &its_port, sizeof(its_port));
    result->answers[1] = try_connect(AF_INET, &another_port, sizeof(another_port));
    result->answers[2] = try_connect(AF_UNIX, &abstract, sizeof(abstract));
    result->answers[3] = socket(AF_INET, SOCK_DGRAM, 0) < 0 ? errno : 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    result->answers[4] = bind(fd, (const void *)&any, sizeof(any)) < 0 ? errno : 0;
    result->answers[5] = listen(fd, 1) < 0 ? errno : 0;
    result->tried = true;
}

static void run_cable_to_a_port(void)
{
    struct isolation *iso = enter();
    isolation_need_port(ntohs(its_port.sin_port));
    run_on_a_loop(THREAD_NET, iso, call_connects);
}

static void run_cable_to_a_socket(void)
{
    struct isolation *iso = enter();
    isolation_need_sockets(ISOLATION_UNIX);
    run_on_a_loop(THREAD_NET, iso, call_connects);
}

/* A server that nobody has to answer for: its backlog does. */
static int serve(int family, void *address, socklen_t size)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, address, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, address, &size), 0);
    return fd;
}

static void cables_reach_what_they_lead_to_and_nothing_else(void **state)
{
    (void)state;
    if (!can_be_isolated() || landlock_version() < 6)
        skip();
    const struct sockaddr_in loopback = {.sin_family = AF_INET,
                                         .sin_addr = {htonl(INADDR_LOOPBACK)}};
    its_port = another_port = loopback;
    const int servers[] = {serve(AF_INET, &its_port, sizeof(its_port)),
                           serve(AF_INET, &another_port, sizeof(another_port)),
                           serve(AF_UNIX, &abstract, sizeof(abstract))};
    in_a_process(run_cable_to_a_port);
    const int by_port[] = {0, EACCES, EPERM, EPERM, EPERM, EPERM};
    assert_memory_equal(result->answers, by_port, sizeof(by_port));
    in_a_process(run_cable_to_a_socket);
    const int by_socket[] = {EPERM, EPERM, EPERM, EPERM, EPERM, EPERM};
    assert_memory_equal(result->answers, by_socket, sizeof(by_socket));
    for (unsigned i = 0; i < 3; i++)
        close(servers[i]);
}

/*
 * Files
 */

static char readable[64], other[64];

static int try_open(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    int e = fd < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return e;
}

static void call_opens(void *ctx)
{
    (void)ctx;
    result->answers[0] = try_open(readable, O_RDONLY);
    result->answers[1] = try_open(other, O_RDONLY);
    result->answers[2] = try_open(readable, O_RDWR);
    result->answers[3] = try_open(readable, O_RDONLY | O_CREAT);
    result->answers[4] = try_open(folder, O_RDONLY | O_DIRECTORY);
    result->tried = true;
}

static void run_network_that_reads(void)
{
    struct isolation *iso = enter();
    isolation_need_reading(readable);
    run_on_a_loop(THREAD_NET, iso, call_opens);
}

static void make_file(char path[64], const char *name)
{
    snprintf(path, 64, "%s/%s", folder, name);
    close(open(path, O_CREAT | O_WRONLY, 0600));
}

static void a_network_reads_what_it_asked_for_and_nothing_else(void **state)
{
    (void)state;
    if (!can_be_isolated() || !landlock_version())
        skip();
    make_file(readable, "readable");
    make_file(other, "other");
    in_a_process(run_network_that_reads);
    assert_int_equal(result->answers[0], 0);
    assert_int_equal(result->answers[1], EACCES);
    assert_int_equal(result->answers[2], EPERM);
    assert_int_equal(result->answers[3], EPERM);
    assert_int_equal(result->answers[4], EACCES);
}

static void run_caller_that_removes(void)
{
    struct isolation *iso = enter();
    isolation_need_removal(readable);
    isolation_apply(THREAD_CALLER);
    result->answers[0] = unlink(readable) < 0 ? errno : 0;
    result->answers[1] = unlink("/etc/passwd-that-is-not-there") < 0 ? errno : 0;
    result->answers[2] = unlink(other) < 0 ? errno : 0;
    result->answers[3] = rmdir("/nowhere") < 0 ? errno : 0;
    isolation_free(iso);
}

static void the_caller_removes_what_it_asked_for_and_nothing_elsewhere(void **state)
{
    (void)state;
    if (!can_be_isolated() || !landlock_version())
        skip();
    char inner[64];
    snprintf(inner, sizeof(inner), "%s/inner", folder);
    mkdir(inner, 0700);
    make_file(readable, "inner/socket");
    make_file(other, "outside");
    in_a_process(run_caller_that_removes);
    assert_int_equal(result->answers[0], 0);
    assert_int_equal(result->answers[1], ENOENT);
    assert_int_equal(result->answers[2], EACCES);
    assert_int_equal(result->answers[3], EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_refused_all_that_it_tries_and_the_log_says_so),
        cmocka_unit_test(without_isolation_the_same_is_not_refused),
        cmocka_unit_test(a_program_that_embeds_a_machine_is_left_alone),
        cmocka_unit_test(another_machine_of_the_process_goes_on),
        cmocka_unit_test(threads_of_disks_are_refused_all),
        cmocka_unit_test(a_thread_that_gives_back_memory_is_refused_nothing),
        cmocka_unit_test(threads_of_serial_lines_are_refused_all),
        cmocka_unit_test(threads_of_networks_make_inet_sockets_and_nothing_else),
        cmocka_unit_test(cables_reach_what_they_lead_to_and_nothing_else),
        cmocka_unit_test(a_network_reads_what_it_asked_for_and_nothing_else),
        cmocka_unit_test(the_caller_removes_what_it_asked_for_and_nothing_elsewhere),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
