/* SPDX-License-Identifier: GPL-3.0-only */
/* Signals (POSIX, XSH 2.4; signal(7)): what handlers are told, in which order they run, with which mask, on
 * which stack; what waits for signals; what becomes of calls that they interrupt. */
#include "show.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static volatile int depth, count;

static void catch (int signal, void (*handler)(int, siginfo_t *, void *), int flags, int also_blocked)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    if (also_blocked)
        sigaddset(&action.sa_mask, also_blocked);
    sigaction(signal, &action, NULL);
}

static const char *blocked(void)
{
    static char text[256];
    sigset_t set;
    text[0] = 0;
    sigprocmask(SIG_BLOCK, NULL, &set);
    for (int n = 1; n < 65; n++)
        if (sigismember(&set, n) == 1)
            sprintf(text + strlen(text), " %d", n);
    return text;
}

static void tell(int signal, siginfo_t *info, void *context)
{
    (void)context;
    SAY("%d: signo %d code %d value %d from us %d blocked%s\n", signal, info->si_signo,
        info->si_code, info->si_code == SI_QUEUE ? info->si_value.sival_int : 0,
        info->si_pid == getpid(), blocked());
}

static void nest(int signal, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    depth++;
    SAY("%*s%d begins%s\n", depth * 2, "", signal, blocked());
    if (signal == SIGUSR1 && count++ == 0) {
        raise(SIGUSR2);
        raise(SIGUSR1);
    }
    SAY("%*s%d ends\n", depth * 2, "", signal);
    depth--;
}

static void again(int signal, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    if (++count < 4)
        raise(signal);
    SAY("no defer: %d\n", count--);
}

static char stack[65536];
static void where(int signal, siginfo_t *info, void *context)
{
    char here;
    stack_t now;
    (void)info, (void)context;
    sigaltstack(NULL, &now);
    SAY("%d on the stack: %d, flags %d\n", signal, &here > stack && &here < stack + sizeof(stack),
        now.ss_flags);
}

static void nothing(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    count++;
}

static void order(void)
{
    sigset_t all, old;
    sigfillset(&all);
    for (int n = 35; n < 40; n++) /* 34 is musl's own */
        catch (n, tell, 0, 0);
    catch (SIGUSR1, tell, 0, SIGTERM);
    catch (SIGTERM, tell, 0, 0);
    sigprocmask(SIG_BLOCK, &all, &old);
    for (int n = 39; n > 34; n--)
        for (int k = 0; k < 3; k++)
            sigqueue(getpid(), n, (union sigval){.sival_int = n * 10 + k});
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGTERM);
    sigset_t pending;
    sigpending(&pending);
    SAY("pending: %d %d %d\n", sigismember(&pending, SIGUSR1), sigismember(&pending, 35),
        sigismember(&pending, SIGUSR2));
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void waiting(void)
{
    sigset_t set, none;
    siginfo_t info;
    struct timespec soon = {0, 1000000}, longer = {20, 0};
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, 40);
    sigprocmask(SIG_BLOCK, &set, NULL);
    SHOW(sigtimedwait(&set, &info, &soon));
    sigqueue(getpid(), 40, (union sigval){.sival_int = 7});
    SHOW(sigtimedwait(&set, &info, &longer));
    SAY("value %d\n", info.si_value.sival_int);
    kill(getpid(), SIGUSR1);
    catch (SIGUSR1, tell, 0, 0);
    SHOW(sigsuspend(&none));
    SAY("blocked%s\n", blocked());
    kill(getpid(), SIGUSR1);
    SHOW(ppoll(NULL, 0, &longer, &none));
    kill(getpid(), SIGUSR1);
    SHOW(pselect(0, NULL, NULL, NULL, &longer, &none));
    SAY("blocked%s\n", blocked());
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    struct signalfd_siginfo read_info;
    kill(getpid(), SIGUSR1);
    SHOW(read(fd, &read_info, sizeof(read_info)));
    SAY("signalfd: %d\n", read_info.ssi_signo);
    close(fd);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void interrupt_reads(void)
{
    int pipes[2];
    char byte;
    struct itimerval soon = {{0, 0}, {0, 20000}};
    pipe(pipes);
    catch (SIGALRM, nothing, 0, 0);
    count = 0;
    setitimer(ITIMER_REAL, &soon, NULL);
    SHOW(read(pipes[0], &byte, 1));
    SAY("handlers run %d\n", count);
    /* With SA_RESTART the read goes on until there is something to read. */
    catch (SIGALRM, nothing, SA_RESTART, 0);
    pid_t child = fork();
    if (!child) {
        for (int n = 0; n < 5; n++) {
            usleep(3000);
            kill(getppid(), SIGALRM);
        }
        usleep(3000);
        write(pipes[1], "x", 1);
        _exit(0);
    }
    SHOW(read(pipes[0], &byte, 1));
    int status;
    while (waitpid(child, &status, 0) < 0)
        ;
    SAY("some handlers have run: %d\n", count > 1);
    /* poll and nanosleep are never begun again. */
    setitimer(ITIMER_REAL, &soon, NULL);
    SHOW(poll(NULL, 0, 20000));
    struct timespec longer = {20, 0}, left;
    setitimer(ITIMER_REAL, &soon, NULL);
    SHOW(nanosleep(&longer, &left));
    SAY("time is left: %d\n", left.tv_sec > 15);
    close(pipes[0]);
    catch (SIGPIPE, nothing, 0, 0);
    count = 0;
    SHOW(write(pipes[1], "x", 1));
    SAY("handlers run %d\n", count);
}

static void children(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)context;
    SAY("child: code %d status %d\n", info->si_code, info->si_status);
    count++;
}

static void stops(void)
{
    sigset_t block, none;
    int status;
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGCHLD);
    sigprocmask(SIG_BLOCK, &block, NULL);
    catch (SIGCHLD, children, 0, 0);
    pid_t child = fork();
    if (!child) {
        raise(SIGSTOP);
        raise(SIGKILL);
    }
    for (int n = 0; n < 2; n++) {
        count = 0;
        while (!count)
            sigsuspend(&none);
        waitpid(child, &status, WUNTRACED);
        SAY("stopped %d signalled %d\n", WIFSTOPPED(status) ? WSTOPSIG(status) : 0,
            WIFSIGNALED(status) ? WTERMSIG(status) : 0);
        /* Of going on and of dying, one may be all that is told. */
        catch (SIGCHLD, nothing, SA_NOCLDSTOP, 0);
        kill(child, SIGCONT);
    }
    signal(SIGCHLD, SIG_IGN);
    child = fork();
    if (!child)
        _exit(3);
    SHOW(waitpid(child, &status, 0) == -1 && errno == ECHILD);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &block, NULL);
}

static void deaths(void)
{
    static const int signals[] = {SIGTERM, SIGSEGV, SIGUSR1, 50, SIGABRT, SIGBUS};
    for (unsigned n = 0; n < sizeof(signals) / sizeof(*signals); n++) {
        int status;
        pid_t child = fork();
        if (!child) {
            signal(signals[n], SIG_DFL);
            raise(signals[n]);
            _exit(0);
        }
        waitpid(child, &status, 0);
        SAY("died of %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    }
}

/* SIGSEGV is the emulator's own as well; one that was sent behaves as any other. */
static void sent_faults(void)
{
    sigset_t set, none;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    catch (SIGSEGV, tell, 0, 0);
    kill(getpid(), SIGSEGV);
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGSEGV);
    SAY("blocked%s\n", blocked());
    sigset_t pending;
    sigpending(&pending);
    SAY("pending %d\n", sigismember(&pending, SIGSEGV));
    SHOW(sigsuspend(&none));
    kill(getpid(), SIGSEGV);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    signal(SIGSEGV, SIG_IGN);
    kill(getpid(), SIGSEGV);
    SAY("ignored\n");
    signal(SIGSEGV, SIG_DFL);
}

int main(void)
{
    struct sigaction old;
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)}, was;
    SHOW(sigaction(SIGKILL, &(struct sigaction){.sa_handler = SIG_IGN}, NULL));
    SHOW(sigaction(65, NULL, &old));
    order();
    catch (SIGUSR1, nest, 0, 0);
    catch (SIGUSR2, nest, 0, SIGINT);
    raise(SIGUSR1);
    count = 0;
    catch (SIGUSR2, again, SA_NODEFER, 0);
    raise(SIGUSR2);
    catch (SIGUSR2, tell, SA_RESETHAND, 0);
    raise(SIGUSR2);
    sigaction(SIGUSR2, NULL, &old);
    SAY("reset: %d\n", old.sa_handler == SIG_DFL);
    SHOW(sigaltstack(NULL, &was));
    SAY("flags %d\n", was.ss_flags);
    SHOW(sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = 100}, NULL));
    SHOW(sigaltstack(&alternate, NULL));
    catch (SIGUSR2, where, SA_ONSTACK, 0);
    raise(SIGUSR2);
    catch (SIGUSR2, where, 0, 0);
    raise(SIGUSR2);
    waiting();
    interrupt_reads();
    stops();
    deaths();
    sent_faults();
    return 0;
}
