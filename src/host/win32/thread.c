/* SPDX-License-Identifier: MPL-2.0 */
/* Threads: see thread.h. POSIX threads are mingw's library winpthreads here, whose clock is the wall's. */
#include "host/thread.h"

#include "host/clock.h"
#include "host/thread_system.h"
#include "host/win32/system.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_NS 1000000000u

/* There are no signals. */
int thread_create(pthread_t *thread, void *(*run)(void *), void *arg)
{
    return pthread_create(thread, NULL, run, arg);
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
