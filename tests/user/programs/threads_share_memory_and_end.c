/* SPDX-License-Identifier: GPL-3.0-only */
/* Threads: mutexes, conditions, barriers, thread-local storage, cancellation, robust and shared mutexes, the
 * end of a thread, of the first thread, of the process while others run. */
#include "show.h"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#define THREADS 32
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static __thread long own = 5;
static long sum, turns;
static _Atomic long atomic_sum;
static pthread_key_t key;

static void *work(void *arg)
{
    long n = (long)arg;
    own += n;
    pthread_setspecific(key, arg);
    for (int k = 0; k < 1000; k++) {
        pthread_mutex_lock(&lock);
        sum += n;
        pthread_mutex_unlock(&lock);
        atomic_fetch_add(&atomic_sum, n);
    }
    pthread_barrier_wait(&barrier);
    pthread_mutex_lock(&lock);
    while (turns != n)
        pthread_cond_wait(&cond, &lock);
    turns++;
    pthread_cond_broadcast(&cond);
    pthread_mutex_unlock(&lock);
    return (void *)(own + (long)pthread_getspecific(key));
}

static void together(void)
{
    pthread_t threads[THREADS];
    long results = 0;
    pthread_key_create(&key, NULL);
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (long n = 0; n < THREADS; n++)
        pthread_create(&threads[n], NULL, work, (void *)n);
    for (int n = 0; n < THREADS; n++) {
        void *result;
        pthread_join(threads[n], &result);
        results += (long)result;
    }
    SAY("sum %ld %ld turns %ld results %ld own %ld\n", sum, (long)atomic_sum, turns, results, own);
}

static void at_end(void *arg)
{
    SAY("cleanup %s\n", (char *)arg);
}

static void *sleep_long(void *arg)
{
    pthread_cleanup_push(at_end, arg);
    for (;;)
        sleep(100);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *spin(void *arg)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    for (;;)
        atomic_fetch_add((_Atomic long *)arg, 1);
    return NULL;
}

static void cancellation(void)
{
    pthread_t thread;
    void *result;
    _Atomic long turns_of = 0;
    pthread_create(&thread, NULL, sleep_long, "of a sleeper");
    usleep(1000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    SAY("cancelled %d\n", result == PTHREAD_CANCELED);
    pthread_create(&thread, NULL, spin, (void *)&turns_of);
    while (!turns_of)
        sched_yield();
    pthread_cancel(thread);
    pthread_join(thread, &result);
    SAY("cancelled %d\n", result == PTHREAD_CANCELED);
}

static void *die_with(void *mutex)
{
    pthread_mutex_lock(mutex);
    return NULL;
}

/* In a thread that ends, and in a process that is killed. */
static void robust(void)
{
    pthread_mutexattr_t attr;
    pthread_t thread;
    pthread_mutex_t *mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(mutex, &attr);
    pthread_create(&thread, NULL, die_with, mutex);
    pthread_join(thread, NULL);
    SAY("owner died: %d\n", pthread_mutex_lock(mutex) == EOWNERDEAD);
    pthread_mutex_consistent(mutex);
    pthread_mutex_unlock(mutex);
    pid_t child = fork();
    if (!child) {
        pthread_mutex_lock(mutex);
        if (sizeof(long) < 8) /* a host of 64 bits does not see it when such a process is killed */
            exit(0);
        raise(SIGKILL);
    }
    waitpid(child, NULL, 0);
    SAY("owner died: %d\n", pthread_mutex_lock(mutex) == EOWNERDEAD);
    pthread_mutex_consistent(mutex);
    pthread_mutex_unlock(mutex);
    SAY("locked again: %d\n", pthread_mutex_trylock(mutex));
}

static void *fork_in_thread(void *arg)
{
    int status;
    pid_t child = fork();
    if (!child)
        _exit(own == 5 && getpid() == gettid() ? 11 : 12);
    waitpid(child, &status, 0);
    *(int *)arg = WEXITSTATUS(status);
    return NULL;
}

static void forks(void)
{
    pthread_t threads[8], spinner;
    int results[8] = {0};
    _Atomic long turns_of = 0;
    pthread_create(&spinner, NULL, spin, (void *)&turns_of);
    for (int n = 0; n < 8; n++)
        pthread_create(&threads[n], NULL, fork_in_thread, &results[n]);
    for (int n = 0; n < 8; n++)
        pthread_join(threads[n], NULL);
    for (int n = 0; n < 8; n++)
        SAY("%d ", results[n]);
    SAY("\n");
    pthread_cancel(spinner);
    pthread_join(spinner, NULL);
}

static void timed_waits(void)
{
    struct timespec when;
    sem_t semaphore;
    clock_gettime(CLOCK_REALTIME, &when);
    when.tv_nsec += 2000000;
    when.tv_sec += when.tv_nsec / 1000000000;
    when.tv_nsec %= 1000000000;
    sem_init(&semaphore, 0, 1);
    SHOW(sem_timedwait(&semaphore, &when));
    SHOW(sem_timedwait(&semaphore, &when));
    pthread_mutex_lock(&lock);
    SHOW(pthread_cond_timedwait(&cond, &lock, &when) == ETIMEDOUT);
    pthread_mutex_unlock(&lock);
}

static void *outlive(void *arg)
{
    usleep(20000);
    SAY("the first thread is gone\n");
    exit(*(int *)arg);
}

/* exit of the process by another thread while the first sleeps, and after it has ended. */
static void ends(void)
{
    static int code = 42;
    for (int leaves = 0; leaves < 2; leaves++) {
        pthread_t thread;
        int status;
        pid_t child = fork();
        if (!child) {
            pthread_create(&thread, NULL, outlive, &code);
            if (leaves)
                pthread_exit(NULL);
            for (;;)
                pause();
        }
        waitpid(child, &status, 0);
        SAY("ended with %d\n", WEXITSTATUS(status));
    }
}

static pthread_barrier_t changed;

static void *look_at_user(void *arg)
{
    pthread_barrier_wait(&changed);
    pthread_barrier_wait(&changed);
    *(uid_t *)arg = geteuid();
    return NULL;
}

/* The kernel knows users by thread; the C library changes all, by a signal of its own. */
static void users(void)
{
    pid_t child = fork();
    if (!child) {
        pthread_t threads[8];
        uid_t seen[8];
        int same = 0;
        pthread_barrier_init(&changed, NULL, 9);
        for (int n = 0; n < 8; n++)
            pthread_create(&threads[n], NULL, look_at_user, &seen[n]);
        pthread_barrier_wait(&changed);
        SHOW(seteuid(65534) == 0 || errno == EPERM);
        pthread_barrier_wait(&changed);
        for (int n = 0; n < 8; n++) {
            pthread_join(threads[n], NULL);
            same += seen[n] == geteuid();
        }
        SAY("%d threads have the same user\n", same);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

int main(void)
{
    together();
    users();
    cancellation();
    robust();
    forks();
    timed_waits();
    ends();
    return 0;
}
