/* SPDX-License-Identifier: GPL-3.0-only */
/* 64 threads send each other signals while they compute, wait, fault and take locks: none is lost that is queued,
 * none hangs. */
#include "show.h"
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

#define THREADS 64
#define ROUNDS 60
static pthread_t threads[THREADS];
static _Atomic pid_t tids[THREADS];
static _Atomic long sent, received, faults, wrong;
static _Atomic int ready, done;
static __thread sigjmp_buf back;

static void on_queued(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    atomic_fetch_add(&received, 1);
}

static void on_plain(int signal)
{
    (void)signal;
    volatile double x = 1.5;
    for (int n = 0; n < 10; n++)
        x *= 1.5;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    if (info->si_addr != (void *)0x1230)
        atomic_fetch_add(&wrong, 1);
    atomic_fetch_add(&faults, 1);
    siglongjmp(back, 1);
}

/* pthread_sigqueue, which musl has not. */
static int queue(pid_t tid, int value)
{
    siginfo_t info = {.si_signo = SIGRTMIN + 1, .si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = value;
    return (int)syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, info.si_signo, &info);
}

static void *work(void *arg)
{
    long self = (long)arg;
    unsigned seed = (unsigned)self;
    tids[self] = (pid_t)syscall(SYS_gettid);
    atomic_fetch_add(&ready, 1);
    while (ready < THREADS + 1)
        sched_yield();
    for (int round = 0; round < ROUNDS; round++) {
        double sum = 0;
        for (int n = 0; n < 500; n++)
            sum += n * 0.5;
        if (sum != 62375)
            atomic_fetch_add(&wrong, 1);
        if (queue(tids[rand_r(&seed) % THREADS], round) == 0)
            atomic_fetch_add(&sent, 1);
        pthread_kill(threads[rand_r(&seed) % THREADS], SIGUSR1);
        if (!sigsetjmp(back, 1))
            *(volatile int *)0x1230 = 1;
        struct timespec little = {0, 1000};
        nanosleep(&little, NULL);
    }
    atomic_fetch_add(&done, 1);
    while (done < THREADS || received < sent) {
        struct timespec little = {0, 1000000};
        nanosleep(&little, NULL);
    }
    return NULL;
}

int main(void)
{
    struct sigaction queued = {.sa_sigaction = on_queued, .sa_flags = SA_SIGINFO | SA_RESTART};
    struct sigaction plain = {.sa_handler = on_plain};
    struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGRTMIN + 1, &queued, NULL);
    sigaction(SIGUSR1, &plain, NULL);
    sigaction(SIGSEGV, &fault, NULL);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 256 << 10);
    for (long n = 0; n < THREADS; n++)
        pthread_create(&threads[n], &attr, work, (void *)n);
    atomic_fetch_add(&ready, 1); /* a thread may run before it is noted in the list */
    for (int n = 0; n < THREADS; n++)
        pthread_join(threads[n], NULL);
    SAY("sent %ld received %ld faults %ld wrong %ld\n", sent, received, faults, wrong);
    return 0;
}
