/* SPDX-License-Identifier: MPL-2.0 */
/* Threads: see thread.h. POSIX threads are mingw's library winpthreads here, whose clock is the wall's. */
#include "host/thread.h"

#include "host/clock.h"
#include "host/win32/system.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_NS 1000000000u

static _Thread_local struct thread_heritage *heritage;

struct thread_heritage *thread_heritage(void)
{
    return heritage;
}

void thread_set_heritage(struct thread_heritage *h)
{
    heritage = h;
}

/* What a new thread is given; it frees it. */
struct start {
    void *(*run)(void *);
    void *arg;
    struct thread_heritage *heritage;
    enum thread_kind kind;
    char name[16]; /* "": it gives itself one */
};

static void *begin(void *arg)
{
    struct start start = *(struct start *)arg;
    free(arg);
    heritage = start.heritage;
    if (*start.name)
        thread_set_name(start.name);
    if (heritage)
        heritage->begin(heritage, start.kind);
    return start.run(start.arg);
}

bool thread_start(pthread_t *thread, enum thread_kind kind, const char *name, void *(*run)(void *),
                  void *arg, struct error *err)
{
    struct start *start = malloc(sizeof(*start));
    if (!start)
        return error_set(err, "cannot start a thread: out of memory");
    *start = (struct start){run, arg, heritage, kind, ""};
    if (name)
        strncpy(start->name, name, sizeof(start->name) - 1);
    int e = pthread_create(thread, NULL, begin, start);
    if (e) {
        free(start);
        return error_set(err, "cannot start a thread: %s", strerror(e));
    }
    return true;
}

/* SetThreadDescription() is Windows 10's; a library that named it would not load on older ones. */
void thread_set_name(const char *name)
{
    HRESULT(WINAPI * describe)(HANDLE, PCWSTR);
    FARPROC found = GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "SetThreadDescription");
    wchar_t *wide = found ? system_wide(name) : NULL;
    if (!wide)
        return;
    memcpy(&describe, &found, sizeof(describe));
    describe(GetCurrentThread(), wide);
    free(wide);
}

void thread_cond_init(pthread_cond_t *condition)
{
    pthread_cond_init(condition, NULL);
}

bool thread_cond_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t deadline)
{
    uint64_t now = clock_monotonic_ns();
    uint64_t until = clock_realtime_ns() + (deadline > now ? deadline - now : 0);
    struct timespec time = {(time_t)(until / SECOND_NS), (long)(until % SECOND_NS)};
    return pthread_cond_timedwait(condition, lock, &time) == 0;
}

unsigned thread_cpu_count(void)
{
    DWORD_PTR own, all;
    if (!GetProcessAffinityMask(GetCurrentProcess(), &own, &all) || !own)
        return 1;
    return (unsigned)__builtin_popcountll(own);
}
