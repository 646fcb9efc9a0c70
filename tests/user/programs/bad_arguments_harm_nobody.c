/* SPDX-License-Identifier: GPL-3.0-only */
/* Every system call with arguments that make no sense, addresses among them that are the emulator's: each has a
 * result, and the program goes on. Left out is what would reach others even so. */
#include "show.h"
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define CALLS 470

/* RISC-V's numbers: what ends, makes or moves the process or its memory; what other processes would feel. */
static const short left_out[] = {
    39,  40,  41,  58,  60,  81,  89,  93,  94,  104, 105, 106, 112, 116, 117, 118, 119, 122, 129, 130,
    131, 133, 138, 139, 140, 142, 161, 162, 170, 171, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195,
    196, 197, 214, 215, 216, 217, 218, 219, 220, 221, 222, 224, 225, 226, 233, 240, 265, 266, 267, 268,
    273, 274, 281, 294, 404, 405, 420, 421, 424, 435, 436, 440, 446, 448,
};

static const uint64_t values[] = {
    0,
    1,
    8,
    4096,
    UINT64_MAX,
    UINT64_MAX - 4095,
    0x7ffff7fc0000,     /* where a host's libraries are */
    0x555555554000,     /* and its programs */
    0x3ffffffff000,     /* the guest's last page */
    0x400000000000,     /* behind it */
    0x8000000000000000,
    0x123456789,
};
#define VALUES (sizeof(values) / sizeof(*values))

static int is_left_out(int number)
{
    for (unsigned n = 0; n < sizeof(left_out) / sizeof(*left_out); n++)
        if (left_out[n] == number)
            return 1;
    return 0;
}

static void on_alarm(int signal)
{
    (void)signal;
}

/* Waits are cut short, again and again. */
static void try_call(int number)
{
    unsigned seed = (unsigned)number;
    for (unsigned round = 0; round < 60; round++) {
        uint64_t arg[6];
        for (unsigned n = 0; n < 6; n++)
            arg[n] = values[round < VALUES ? round : rand_r(&seed) % VALUES];
        syscall(number, (long)arg[0], (long)arg[1], (long)arg[2], (long)arg[3], (long)arg[4], (long)arg[5]);
    }
}

static int child(int number)
{
    struct sigaction action = {.sa_handler = on_alarm};
    for (int fd = 0; fd < 64; fd++)
        close(fd);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigaction(SIGALRM, &action, NULL);
    struct {
        long interval[2], value[2];
    } often = {{0, 5000}, {0, 5000}};
    syscall(SYS_setitimer, 0, &often, NULL);
    try_call(number);
    return 0;
}

int main(void)
{
    int wrong = 0;
    for (int number = 0; number < CALLS; number++) {
#ifdef __riscv
        if (is_left_out(number))
            continue;
        pid_t pid = fork();
        if (!pid)
            _exit(child(number));
        int status;
        waitpid(pid, &status, 0);
        /* A signal that the call itself has asked for is no accident; a fault is. */
        if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS ||
                                    WTERMSIG(status) == SIGABRT || WTERMSIG(status) == SIGILL)) {
            SAY("call %d ended by %d\n", number, WTERMSIG(status));
            wrong++;
        }
#else
        (void)child, (void)is_left_out;
#endif
    }
    SAY("wrong: %d\n", wrong);
    return 0;
}
