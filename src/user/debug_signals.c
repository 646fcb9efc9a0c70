/* SPDX-License-Identifier: MPL-2.0 */
/* Signals' numbers: Linux's, and those of GDB's protocol (include/gdb/signals.def there), which are its own. */
#include "user/debug.h"

#include "user/abi.h"

enum { UNKNOWN = 143, FIRST_REALTIME = 32 };

/* Up to the first real-time signal, by Linux's numbers. */
static const uint8_t numbers[FIRST_REALTIME] = {
    [SIGHUP] = 1,     [SIGINT] = 2,   [SIGQUIT] = 3,   [SIGILL] = 4,   [SIGTRAP] = 5,
    [SIGABRT] = 6,    [SIGBUS] = 10,  [SIGFPE] = 8,    [SIGKILL] = 9,  [SIGUSR1] = 30,
    [SIGSEGV] = 11,   [SIGUSR2] = 31, [SIGPIPE] = 13,  [SIGALRM] = 14, [SIGTERM] = 15,
    [16] = UNKNOWN,   [SIGCHLD] = 20, [SIGCONT] = 19,  [SIGSTOP] = 17, [SIGTSTP] = 18,
    [SIGTTIN] = 21,   [SIGTTOU] = 22, [SIGURG] = 16,   [SIGXCPU] = 24, [SIGXFSZ] = 25,
    [SIGVTALRM] = 26, [SIGPROF] = 27, [SIGWINCH] = 28, [SIGIO] = 23,   [SIGPWR] = 32,
    [SIGSYS] = 12,
};

/* 33 to 63 follow one another there, too; 32 and 64 came later. */
enum { REALTIME_33 = 45, REALTIME_32 = 77, REALTIME_64 = 78 };

unsigned debug_signal_to_gdb(int signal)
{
    if (signal < 1 || signal > GUEST_SIGNALS)
        return GDB_SIGNAL_NONE;
    if (signal < FIRST_REALTIME)
        return numbers[signal];
    return signal == FIRST_REALTIME  ? REALTIME_32
           : signal == GUEST_SIGNALS ? REALTIME_64
                                     : REALTIME_33 + (unsigned)signal - 33;
}

int debug_signal_from_gdb(unsigned number)
{
    for (int signal = 1; number && signal <= GUEST_SIGNALS; signal++)
        if (debug_signal_to_gdb(signal) == number)
            return signal;
    return 0;
}
