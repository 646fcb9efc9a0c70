/* SPDX-License-Identifier: GPL-3.0-only */
/* Processes: fork, vfork, posix_spawn, clone, execve of this program and of scripts, what they inherit, how they
 * end. Started with a word, it is one of those that are executed. */
#include "show.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;
static char self[4096];

static int ended(pid_t pid)
{
    int status = 0;
    if (waitpid(pid, &status, 0) < 0)
        return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* What a program that was executed sees. */
static int executed(int argc, char **argv)
{
    sigset_t set;
    struct sigaction usr1, usr2;
    sigprocmask(SIG_BLOCK, NULL, &set);
    sigaction(SIGUSR1, NULL, &usr1);
    sigaction(SIGUSR2, NULL, &usr2);
    SAY("argv:");
    for (int n = 0; n < argc; n++)
        SAY(" '%s'", strcmp(argv[n], self) ? argv[n] : "SELF");
    SAY("; X=%s; blocked %d; ignored %d; default %d; fd 70 %d; fd 71 %d\n",
        getenv("X") ? getenv("X") : "-", sigismember(&set, SIGTERM), usr1.sa_handler == SIG_IGN,
        usr2.sa_handler == SIG_DFL, fcntl(70, F_GETFD), fcntl(71, F_GETFD) == -1);
    return 17;
}

static void handler(int signal)
{
    (void)signal;
}

static void executions(void)
{
    char *with_env[] = {"X=given", NULL};
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, &old);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, handler);
    dup2(1, 70);
    dup3(1, 71, O_CLOEXEC);
    pid_t child = fork();
    if (!child)
        execve(self, (char *[]){"name", "executed", "", "a b", NULL}, with_env);
    SAY("%d\n", ended(child));
    child = vfork();
    if (!child) {
        execve(self, (char *[]){self, "executed", NULL}, environ);
        _exit(1);
    }
    SAY("%d\n", ended(child));
    sigprocmask(SIG_SETMASK, &old, NULL);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
    int fd = open(self, O_RDONLY | O_CLOEXEC);
    child = fork();
    if (!child)
        fexecve(fd, (char *[]){"by-descriptor", "executed", NULL}, environ);
    SAY("%d\n", ended(child));
    close(fd);
    close(70);
    close(71);
}

static void write_file(const char *name, const char *text, int mode)
{
    int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    write(fd, text, strlen(text));
    fchmod(fd, mode);
    close(fd);
}

static void failures(void)
{
    char script[5000];
    snprintf(script, sizeof(script), "#!%s executed  with words \nrest\n", self);
    write_file("script", script, 0755);
    write_file("plain", "text", 0755);
    write_file("not-executable", script, 0644);
    write_file("no-interpreter", "#!/nowhere/at/all\n", 0755);
    SHOW(execve("nothing", NULL, NULL));
    SHOW(execve(".", (char *[]){"x", NULL}, NULL));
    SHOW(execve("plain", (char *[]){"x", NULL}, NULL));
    SHOW(execve("not-executable", (char *[]){"x", NULL}, NULL));
    SHOW(execve("no-interpreter", (char *[]){"x", NULL}, NULL));
    SHOW(execve((char *)8, (char *[]){"x", NULL}, NULL));
    SHOW(execve("script", (char **)8, NULL));
    SHOW(execve("script", (char *[]){"x", (char *)8, NULL}, NULL));
    SHOW(execve("", (char *[]){"x", NULL}, NULL));
    pid_t child = fork();
    if (!child)
        execve("./script", (char *[]){"not seen", "argument", NULL}, environ);
    SAY("%d\n", ended(child));
    SHOW(posix_spawn(&child, "nothing", NULL, NULL, (char *[]){"x", NULL}, environ));
    SHOW(posix_spawn(&child, "plain", NULL, NULL, (char *[]){"x", NULL}, environ));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 5, "/nowhere/at/all", O_RDONLY, 0);
    SHOW(posix_spawn(&child, self, &actions, NULL, (char *[]){"x", "executed", NULL}, environ));
    /* Which of the two speaks first is not said. */
    int result = posix_spawn(&child, self, NULL, NULL, (char *[]){"spawned", "executed", NULL}, environ);
    int end = ended(child);
    SAY("spawned %d, ended %d\n", result, end);
    SHOW(system("exit 5") >> 8);
}

/* A child of vfork has its parent's memory, and handlers of its own. */
static void vforks(void)
{
    volatile int shared = 1;
    signal(SIGUSR1, handler);
    pid_t child = vfork();
    if (!child) {
        signal(SIGUSR1, SIG_DFL);
        shared = 2;
        _exit(33);
    }
    struct sigaction action;
    sigaction(SIGUSR1, NULL, &action);
#ifndef __GLIBC__
    shared = 2; /* musl's vfork is a fork where it has not been written in assembly */
#endif
    SAY("shared %d, handler kept %d, ended %d\n", shared, action.sa_handler == handler, ended(child));
    child = vfork();
    if (!child)
        kill(getpid(), SIGKILL);
    SAY("killed %d\n", ended(child));
    child = vfork();
    if (!child) {
        pid_t grandchild = vfork();
        if (!grandchild)
            _exit(3);
        _exit(ended(grandchild) + 1);
    }
    SAY("two deep %d\n", ended(child));
    for (int n = 0; n < 50; n++) {
        child = vfork();
        if (!child)
            _exit(n);
        if (ended(child) != n)
            SAY("wrong\n");
    }
}

static int cloned(void *arg)
{
    *(volatile int *)arg = 9;
    return 21;
}

static void clones(void)
{
    static char stack[65536];
    int value = 1, pidfd = -1;
    pid_t child = clone(cloned, stack + sizeof(stack), SIGCHLD, &value);
    SAY("clone ended %d, value %d\n", ended(child), value);
    child = clone(cloned, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &value);
    SAY("clone ended %d, value %d\n", ended(child), value);
    child = clone(cloned, stack + sizeof(stack), CLONE_PIDFD | SIGCHLD, &value, &pidfd);
    siginfo_t info;
    SHOW(waitid(P_PIDFD, pidfd, &info, WEXITED));
    SAY("status %d, code %d\n", info.si_status, info.si_code);
    close(pidfd);
    SHOW(clone(cloned, stack + sizeof(stack), CLONE_THREAD | SIGCHLD, &value));
    SHOW(clone(cloned, stack + sizeof(stack), CLONE_SIGHAND | SIGCHLD, &value));
    SHOW(syscall(SYS_clone3, 8, 64));
    SHOW(syscall(SYS_clone3, &value, 8));
}

static void ends(void)
{
    pid_t child = fork();
    if (!child)
        abort();
    SAY("%d\n", ended(child));
    child = fork();
    if (!child)
        *(volatile int *)8 = 0;
    SAY("%d\n", ended(child));
    child = fork();
    if (!child)
        exit(256 + 7);
    siginfo_t info;
    SHOW(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
    SAY("%d\n", ended(child));
    SAY("%d\n", ended(child));
    struct rusage usage;
    SHOW(wait4(-1, NULL, WNOHANG, &usage));
    SHOW(getrusage(RUSAGE_CHILDREN, &usage));
    char name[16];
    prctl(PR_SET_NAME, "a-name-that-is-too-long");
    prctl(PR_GET_NAME, name);
    SAY("%s\n", name);
    SHOW(getpgid(0) == getpgrp());
    SHOW(setpgid(0, 0));
    SHOW(getpriority(PRIO_PROCESS, 0));
    struct rlimit limit = {100, 200};
    SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    SHOW(getrlimit(RLIMIT_NOFILE, &limit));
    SAY("%ld %ld\n", (long)limit.rlim_cur, (long)limit.rlim_max);
    SHOW(open("/dev/null", O_RDONLY) < 100);
    SHOW(dup2(0, 150));
}

int main(int argc, char **argv)
{
    self[readlink("/proc/self/exe", self, sizeof(self) - 1)] = 0;
    if (argc > 1)
        return executed(argc, argv);
    char dir[] = "/tmp/processes-XXXXXX";
    if (!mkdtemp(dir) || chdir(dir))
        return 1;
    executions();
    failures();
    vforks();
    clones();
    ends();
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}
