/* SPDX-License-Identifier: MPL-2.0 */
/* Clocks by QueryPerformanceCounter(), which is no system call, and the precise system time: see clock.h. */
#include "host/clock.h"

#include "host/win32/system.h"

#define SECOND_NS UINT64_C(1000000000)
#define TICKS_1601_TO_1970 UINT64_C(116444736000000000) /* of 100 ns */

uint64_t clock_monotonic_ns(void)
{
    LARGE_INTEGER count, frequency;
    /* Both cannot fail since Windows XP. The frequency is a variable in memory of the system's. */
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&count);
    uint64_t ticks = (uint64_t)count.QuadPart, second = (uint64_t)frequency.QuadPart;
    return ticks / second * SECOND_NS + ticks % second * SECOND_NS / second;
}

uint64_t clock_realtime_ns(void)
{
    FILETIME time;
    GetSystemTimePreciseAsFileTime(&time);
    uint64_t ticks = (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime;
    return (ticks - TICKS_1601_TO_1970) * 100;
}
