/* SPDX-License-Identifier: GPL-3.0-only */
/* SIGSEGV and SIGBUS of a program's own: code and address, the stack they are handled on, what is as before
 * when the handler returns or jumps away, what becomes of one that is blocked or ignored. */
#include "show.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

static sigjmp_buf back;
static char *expected;
static char *page;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    (void)context;
    SAY("signal %d code %d at %s\n", signal, info->si_code,
        (char *)info->si_addr == expected ? "the address" : "another address");
    siglongjmp(back, 1);
}

static void open_page(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    SAY("opens it: code %d, right %d\n", info->si_code, (char *)info->si_addr == page + 100);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static void catch (int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigaction(signal, &action, NULL);
}

#define FAULT(address, access)                                                                     \
    do {                                                                                           \
        expected = (char *)(address);                                                              \
        SAY(#access ": ");                                                                         \
        if (!sigsetjmp(back, 1)) {                                                                 \
            access;                                                                                \
            SAY("nothing\n");                                                                      \
        }                                                                                          \
    } while (0)

static int ended_by(void (*what)(void))
{
    int status;
    pid_t child = fork();
    if (!child) {
        what();
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

static void fault_ignored(void)
{
    signal(SIGSEGV, SIG_IGN);
    *(volatile int *)16 = 1;
}

static void fault_blocked(void)
{
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    *(volatile int *)16 = 1;
}

static void fault_without_stack(void)
{
    catch (SIGSEGV, on_fault, 0);
    volatile char large[64];
    large[0] = 1;
    fault_without_stack();
    large[1] = 2;
}

static char stack[65536];
static void on_overflow(int signal, siginfo_t *info, void *context)
{
    char here;
    (void)signal, (void)info, (void)context;
    SAY("on the alternate stack: %d\n", &here > stack && &here < stack + sizeof(stack));
    _exit(0);
}

static void overflow_with_stack(void)
{
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof(stack)}, NULL);
    catch (SIGSEGV, on_overflow, SA_ONSTACK);
    fault_without_stack();
}

int main(void)
{
    volatile char *p;
    catch (SIGSEGV, on_fault, 0);
    catch (SIGBUS, on_fault, 0);
    page = mmap(NULL, 3 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    p = page;
    FAULT(16, *(volatile char *)16 = 1);
    FAULT(page + 5, p[5] = 1);
    FAULT(page + 6, (void)*(volatile char *)(page + 6));
    mprotect(page, 4096, PROT_NONE);
    FAULT(page + 7, (void)p[7]);
    FAULT(page + 4095, (void)p[4095]);
    munmap(page + 8192, 4096);
    FAULT(page + 8192, (void)p[8192]);
    FAULT(page, ((void (*)(void))page)());
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
    FAULT(page, ((void (*)(void))page)());
    int fd = memfd_create("short", 0);
    ftruncate(fd, 100);
    char *file = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    file[4095] = 1;
    FAULT(file + 4096, file[4096] = 1);
    FAULT(file + 5000, (void)*(volatile char *)(file + 5000));
    ftruncate(fd, 8192);
    FAULT(file + 4096, file[4096] = 1);
    /* The handler makes it right, and the instruction is done again. */
    mprotect(page, 4096, PROT_NONE);
    catch (SIGSEGV, open_page, 0);
    p[100] = 55;
    SAY("then %d\n", p[100]);
    SAY("ignored: ends by %d\n", ended_by(fault_ignored));
    SAY("blocked: ends by %d\n", ended_by(fault_blocked));
    SAY("no stack: ends by %d\n", ended_by(fault_without_stack));
    SAY("with a stack: ends by %d\n", ended_by(overflow_with_stack));
    SHOW(write(1, page + 8192, 10));
    SHOW(mprotect(page + 8192, 4096, PROT_READ));
    return 0;
}
