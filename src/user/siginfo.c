/* SPDX-License-Identifier: MPL-2.0 */
/*
 * siginfo_t of programs of 32 bits: three numbers, then words whose meaning follows from the signal and its
 * code (Linux, kernel/signal.c, siginfo_layout).
 */
#define _GNU_SOURCE
#include "user/abi.h"
#include "user/layout.h"
#include <signal.h>
#include <string.h>

enum kind { SENT, QUEUED, TIMER, CHILD, FAULT, POLL, CALL };

static enum kind kind_of(int signal, int code)
{
    enum { SI_KERNEL_CODE = 0x80, POLL_CODES = 6 };
    if (code == SI_TIMER)
        return TIMER;
    if (code == SI_SIGIO)
        return POLL;
    if (code < 0)
        return QUEUED;
    if (code == SI_USER || code >= SI_KERNEL_CODE)
        return SENT;
    switch (signal) {
    case SIGILL:
    case SIGFPE:
    case SIGSEGV:
    case SIGBUS:
    case SIGTRAP:
        return FAULT;
    case SIGCHLD:
        return CHILD;
    case SIGSYS:
        return CALL;
    default:
        return code <= POLL_CODES ? POLL : SENT;
    }
}

#define WORDS (GUEST_SIGINFO_SIZE / sizeof(uint32_t))

void siginfo_narrow(uint8_t *guest, const void *host)
{
    siginfo_t info;
    uint32_t words[WORDS] = {0}, *w = words + 3;
    memcpy(&info, host, sizeof(info));
    words[0] = (uint32_t)info.si_signo;
    words[1] = (uint32_t)info.si_errno;
    words[2] = (uint32_t)info.si_code;
    switch (kind_of(info.si_signo, info.si_code)) {
    case QUEUED:
        w[2] = (uint32_t)(uintptr_t)info.si_value.sival_ptr; /* fall through */
    case SENT:
        w[0] = (uint32_t)info.si_pid;
        w[1] = info.si_uid;
        break;
    case TIMER:
        w[0] = (uint32_t)info.si_timerid;
        w[1] = (uint32_t)info.si_overrun;
        w[2] = (uint32_t)(uintptr_t)info.si_value.sival_ptr;
        break;
    case CHILD:
        w[0] = (uint32_t)info.si_pid;
        w[1] = info.si_uid;
        w[2] = (uint32_t)info.si_status;
        w[3] = (uint32_t)info.si_utime;
        w[4] = (uint32_t)info.si_stime;
        break;
    case FAULT:
        w[0] = (uint32_t)(uintptr_t)info.si_addr;
        w[1] = (uint16_t)info.si_addr_lsb;
        break;
    case POLL:
        w[0] = (uint32_t)info.si_band;
        w[1] = (uint32_t)info.si_fd;
        break;
    case CALL:
        w[0] = (uint32_t)(uintptr_t)info.si_call_addr;
        w[1] = (uint32_t)info.si_syscall;
        w[2] = info.si_arch;
        break;
    }
    memcpy(guest, words, sizeof(words));
}

void siginfo_widen(void *host, const uint8_t *guest)
{
    siginfo_t info;
    uint32_t words[WORDS];
    const uint32_t *w = words + 3;
    memcpy(words, guest, sizeof(words));
    memset(&info, 0, sizeof(info));
    info.si_signo = (int)words[0];
    info.si_errno = (int)words[1];
    info.si_code = (int)words[2];
    switch (kind_of(info.si_signo, info.si_code)) {
    case QUEUED:
        info.si_value.sival_ptr = (void *)(uintptr_t)w[2]; /* fall through */
    case SENT:
        info.si_pid = (pid_t)w[0];
        info.si_uid = w[1];
        break;
    case TIMER:
        info.si_timerid = (int)w[0];
        info.si_overrun = (int)w[1];
        info.si_value.sival_ptr = (void *)(uintptr_t)w[2];
        break;
    case CHILD:
        info.si_pid = (pid_t)w[0];
        info.si_uid = w[1];
        info.si_status = (int)w[2];
        info.si_utime = (int32_t)w[3];
        info.si_stime = (int32_t)w[4];
        break;
    case FAULT:
        info.si_addr = (void *)(uintptr_t)w[0];
        info.si_addr_lsb = (short)w[1];
        break;
    case POLL:
        info.si_band = (int32_t)w[0];
        info.si_fd = (int)w[1];
        break;
    case CALL:
        info.si_call_addr = (void *)(uintptr_t)w[0];
        info.si_syscall = (int)w[1];
        info.si_arch = w[2];
        break;
    }
    memcpy(host, &info, sizeof(info));
}
