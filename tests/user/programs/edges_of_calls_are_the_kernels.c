/* SPDX-License-Identifier: GPL-3.0-only */
/* What calls answer at their edges: the end of all addresses, mappings that fail half-way, programs that are named in
 * unusual ways, scripts of scripts, a wait that is ended by no handler. */
#include "show.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef SYS_execveat
#define SYS_execveat 281
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif
#ifndef O_PATH
#define O_PATH 010000000
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

#define PAGE 4096

static void the_heap_ends_where_addresses_do(void)
{
    static char kept = 7;
    char *block = malloc(100000);
    block[99999] = 8;
    long now = syscall(SYS_brk, 0), last = syscall(SYS_brk, -1L), last_page = syscall(SYS_brk, -(long)PAGE);
    SAY("brk to the last address and page: %d %d\n", last == now, last_page == now);
    SAY("memory is %d %d\n", kept, block[99999]);
    free(block);
}

static void mappings_leave_nothing_when_they_fail(void)
{
    SHOW(munmap(0, PAGE));
    SHOW(munmap(0, 0));
    char *p = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SHOW(munmap(p + PAGE, 2 * PAGE));
    SHOW(mmap(p, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, -1, 0) == MAP_FAILED);
    SHOW(mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
         p + PAGE);
    int fd = open("mapped", O_RDWR | O_CREAT, 0600);
    SHOW(ftruncate(fd, PAGE));
    const int unknown = 0x200000;
    SHOW(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | unknown, fd, 0));
    SHOW(mmap(NULL, PAGE, PROT_READ, MAP_SHARED | unknown, fd, 0) != MAP_FAILED);
    close(fd);
}

static unsigned mode_of(const char *path, int flags)
{
    struct {
        uint8_t before[28];
        uint16_t mode;
        uint8_t behind[226];
    } st;
    return syscall(SYS_statx, AT_FDCWD, path, flags, 0x7ff, &st) ? 0 : st.mode & S_IFMT;
}

static void links_are_followed_or_not(void)
{
    SHOW(mode_of("/proc/self/exe", 0) == S_IFREG);
    SHOW(mode_of("/proc/self/exe", AT_SYMLINK_NOFOLLOW) == S_IFLNK);
    SHOW(mode_of("/proc//self/exe", AT_SYMLINK_NOFOLLOW) == S_IFLNK);
}

/* A nested function whose address is taken has code on the stack, which the program asks to be executable. */
static int call(int (*function)(int), int n)
{
    return function(n);
}

static void a_program_may_have_code_on_its_stack(int much)
{
    int more(int n)
    {
        return n + much;
    }
    SAY("nested: %d\n", call(more, 3));
}

/*
 * Programs
 */

static void show_end(pid_t pid)
{
    int status;
    waitpid(pid, &status, 0);
    if (WIFEXITED(status))
        SAY("exit %d\n", WEXITSTATUS(status));
    else
        SAY("signal %d\n", WTERMSIG(status));
}

/* In a child, which does not wait for ever. */
static void run_at(int dirfd, const char *path, int flags)
{
    char *const argv[] = {"own", "ran", NULL}, *const envp[] = {NULL};
    pid_t pid = fork();
    if (!pid) {
        alarm(30);
        SHOW(syscall(SYS_execveat, dirfd, path, argv, envp, flags));
        _exit(1);
    }
    show_end(pid);
}

static void programs_are_named_by_descriptors(void)
{
    enum { NO_SUCH_FLAG = 0x8000 };
    int fd = open("/proc/self/exe", O_PATH);
    run_at(AT_FDCWD, "/proc/self/exe", 0);
    run_at(AT_FDCWD, "/proc/self/exe", NO_SUCH_FLAG);
    run_at(fd, "", AT_EMPTY_PATH);
    run_at(fd, "", 0);
    close(fd);
}

static void make_script(const char *name, const char *interpreter, const char *argument)
{
    FILE *file = fopen(name, "w");
    fprintf(file, "#!%s %s\n", interpreter, argument);
    fclose(file);
    chmod(name, 0755);
}

static void scripts_are_run_by_scripts(void)
{
    char self[1000], name[16], next[16], argument[16];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[length] = 0;
    make_script("./s1", self, "program");
    for (int n = 2; n < 8; n++) {
        snprintf(name, sizeof(name), "./s%d", n);
        snprintf(next, sizeof(next), "./s%d", n - 1);
        snprintf(argument, sizeof(argument), "script%d", n - 1);
        make_script(name, next, argument);
        SAY("%d scripts: ", n);
        run_at(AT_FDCWD, name, 0);
    }
    /* A pipe that nobody writes to is no program. */
    unlink("./pipe"); /* an earlier run's */
    SHOW(mkfifo("./pipe", 0777));
    make_script("./s1", "./pipe", "");
    run_at(AT_FDCWD, "./s1", 0);
}

/*
 * Others
 */

static void the_vdso_is_the_kernels(void)
{
    char *vdso = (char *)getauxval(AT_SYSINFO_EHDR);
    pid_t pid = fork();
    if (!pid) {
        if (!vdso) /* riscv32 has none */
            raise(SIGSEGV);
        *(volatile char *)vdso = 1;
        _exit(0);
    }
    show_end(pid);
}

static volatile int is_blocked = -1;

static void on_signal(int signal)
{
    sigset_t now;
    (void)signal;
    sigprocmask(SIG_SETMASK, NULL, &now);
    is_blocked = sigismember(&now, SIGUSR2);
}

static int wait_and_look(int told)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct epoll_event event;
    sigset_t set, none;
    int fd = epoll_create1(0);
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigaction(SIGUSR1, &action, NULL);
    SHOW(epoll_pwait(fd, &event, 1, -1, &none));
    raise(SIGUSR1);
    SAY("in the handler it is blocked: %d\n", is_blocked);
    return write(told, "", 1) != 1;
}

static volatile int told_code;

static void on_told(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    told_code = info->si_code;
}

/* To itself a program may send what looks like a fault. */
static void sent_faults_are_signals(void)
{
    static const int signals[] = {SIGTRAP, SIGFPE, SIGILL, SIGTRAP};
    struct sigaction action = {.sa_sigaction = on_told, .sa_flags = SA_SIGINFO};
    for (unsigned n = 0; n < sizeof(signals) / sizeof(*signals); n++) {
        siginfo_t info;
        memset(&info, 0, sizeof(info));
        info.si_signo = signals[n];
        info.si_code = 2;
        sigaction(signals[n], &action, NULL);
        told_code = 0;
        SHOW(syscall(SYS_rt_sigqueueinfo, getpid(), signals[n], &info));
        SAY("%d: code %d\n", signals[n], told_code);
    }
}

/* Stopped and set going until the wait has ended. */
static void a_wait_that_no_handler_ends_leaves_no_mask(void)
{
    int pipes[2], status;
    if (pipe(pipes))
        return;
    pid_t pid = fork();
    if (!pid)
        _exit(wait_and_look(pipes[1]));
    struct pollfd wait = {.fd = pipes[0], .events = POLLIN};
    do {
        kill(pid, SIGSTOP);
        waitpid(pid, &status, WUNTRACED);
        kill(pid, SIGCONT);
    } while (WIFSTOPPED(status) && poll(&wait, 1, 50) == 0);
    show_end(pid);
}

static void the_rest_of_a_timeout_is_told(void)
{
    int pair[2];
    char byte;
    struct iovec piece = {&byte, 1};
    struct mmsghdr message = {.msg_hdr = {.msg_iov = &piece, .msg_iovlen = 1}};
    long long timeout[2] = {1000, 0};
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
        return;
    SHOW(write(pair[0], "x", 1));
#ifdef SYS_recvmmsg_time64
    const long call = SYS_recvmmsg_time64;
#else
    const long call = SYS_recvmmsg;
#endif
    SHOW(syscall(call, pair[1], &message, 1, 0, timeout));
    SAY("some of it is left: %d\n", timeout[0] > 0 && timeout[0] < 1000);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        for (int n = 1; n < argc; n++)
            printf("%s%c", argv[n], n + 1 < argc ? ' ' : '\n');
        return 3;
    }
    the_heap_ends_where_addresses_do();
    mappings_leave_nothing_when_they_fail();
    links_are_followed_or_not();
    a_program_may_have_code_on_its_stack(argc);
    programs_are_named_by_descriptors();
    scripts_are_run_by_scripts();
    the_vdso_is_the_kernels();
    a_wait_that_no_handler_ends_leaves_no_mask();
    the_rest_of_a_timeout_is_told();
    sent_faults_are_signals();
    return 0;
}
