/* SPDX-License-Identifier: GPL-3.0-only */
/* What tests/debug/user.test debugs: its argument says what it does. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct point {
    int x, y;
    double d;
} point = {1, 2, 3.5};

int counter;
unsigned char bytes[16];
volatile int finish = 7;
volatile long spins;

__attribute__((noinline)) void tick(int by)
{
    counter += by;
    point.x++;
}

__attribute__((noinline)) int fib(int n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

__attribute__((noinline, used)) int square(int x)
{
    return x * x;
}

static int count(void)
{
    for (int i = 0; i < 5; i++)
        tick(i);
    printf("%d %d\n", fib(10), counter);
    return finish;
}

__attribute__((noinline)) void crash(int *to)
{
    *to = 1; /* here it ends */
}

static int fall(void)
{
    crash((int *)8);
    return 0;
}

static volatile int handled;

static void on_signal(int signal)
{
    handled += signal;
}

static int take_signals(void)
{
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
    raise(SIGUSR2); /* which would end it */
    raise(SIGRTMIN + 3);
    return handled;
}

/* Waits in system calls; a debugger that looks in between goes unnoticed. */
static int wait_for_input(void)
{
    char c = 0;
    struct timespec moment = {.tv_sec = 2};
    ssize_t n = read(0, &c, 1);
    int e = n < 0 ? errno : 0;
    int slept = nanosleep(&moment, NULL);
    printf("read %zd '%c' %d, slept %d\n", n, c, e, slept);
    return n == 1 && !slept ? 3 : 4;
}

static int spin(void)
{
    while (finish == 7)
        spins++;
    return finish;
}

static pthread_barrier_t barrier;
static volatile int turn;
static volatile long each[4];

__attribute__((noinline)) void begin(long n)
{
    each[n] = 1;
}

static void *work(void *arg)
{
    const long n = (long)arg;
    char name[16];
    snprintf(name, sizeof(name), "worker%ld", n);
    pthread_setname_np(pthread_self(), name);
    pthread_barrier_wait(&barrier);
    begin(n);
    while (!turn)
        each[n]++;
    return NULL;
}

static int run_threads(void)
{
    pthread_t threads[3];
    pthread_barrier_init(&barrier, NULL, 4);
    for (long n = 0; n < 3; n++)
        pthread_create(&threads[n], NULL, work, (void *)n);
    pthread_barrier_wait(&barrier);
    while (finish == 7)
        usleep(1000);
    turn = 1;
    for (int n = 0; n < 3; n++)
        pthread_join(threads[n], NULL);
    return finish;
}

static int fork_child(void)
{
    int status;
    pid_t pid = fork();
    if (!pid) {
        tick(1);
        raise(SIGUSR2);
        _exit(1);
    }
    waitpid(pid, &status, 0);
    tick(2);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2 ? 5 : 6;
}

static int run_shell(void)
{
    int status = system("exit 3");
    tick(3);
    return WEXITSTATUS(status);
}

static int become(const char *path)
{
    execl("/nowhere", "nowhere", NULL); /* the debugger does not mind */
    tick(1);
    execl(path, "again", "count", NULL);
    return 1;
}

/* Descriptors that it can see; then all that it can close are closed. */
static int count_files(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir))
        n++;
    closedir(dir);
    for (int fd = 3; fd < 4096; fd++)
        close(fd);
    tick(n);
    return n;
}

/* An atomic sequence, and a system call between two instructions. */
static int take_steps(void)
{
    register long a0 __asm__("a0") = 0, a7 __asm__("a7") = 172; /* getpid */
    long old, failed;
    static long word = 41;
    __asm__ volatile(".globl steps\n"
                     "steps: li %0, 1\n"
                     "1: lr.d %1, (%4)\n"
                     "   addi %1, %1, 1\n"
                     "   sc.d %2, %1, (%4)\n"
                     "   bnez %2, 1b\n"
                     "   ecall\n"
                     ".globl steps_end\n"
                     "steps_end: nop\n"
                     : "+r"(a0), "=&r"(old), "=&r"(failed)
                     : "r"(a7), "r"(&word)
                     : "memory");
    return word == 42 && a0 == getpid() ? 9 : 8;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "count";
    static const struct {
        const char *name;
        int (*run)(void);
    } all[] = {
        {"count", count},          {"fall", fall},       {"signals", take_signals},
        {"input", wait_for_input}, {"spin", spin},       {"threads", run_threads},
        {"fork", fork_child},      {"shell", run_shell}, {"files", count_files},
        {"steps", take_steps},
    };
    setvbuf(stdout, NULL, _IONBF, 0);
    for (unsigned n = 0; n < sizeof(all) / sizeof(*all); n++)
        if (!strcmp(all[n].name, what))
            return all[n].run();
    return become(what);
}
