/* SPDX-License-Identifier: GPL-3.0-only */
/* The programs of the benchmark in one binary, the same for every engine:
 *
 *   kernels -l                 the list: GROUP NAME
 *   kernels [-j N] NAME ROUNDS runs a kernel, in N processes at once
 *   kernels -x COMMAND ...     runs a command and times it
 *
 * What is between the two lines it prints is what they time, so that a watcher of the console can
 * check the seconds by a clock of its own:
 *   bench: begin NAME
 *   bench: end NAME RESULT SECONDS
 */
#include "kernel.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KERNEL(name) extern const struct kernel kernel_##name;
#include "list.def"
#undef KERNEL

static const struct kernel *const kernels[] = {
#define KERNEL(name) &kernel_##name,
#include "list.def"
#undef KERNEL
};

#define KERNEL_COUNT (sizeof(kernels) / sizeof(*kernels))

void kernel_fail(const char *what)
{
    perror(what);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double begin(const char *name)
{
    printf("bench: begin %s\n", name);
    fflush(stdout);
    return now();
}

static void end(const char *name, const char *result, double since)
{
    double seconds = now() - since;
    printf("bench: end %s %s %.9f\n", name, result, seconds);
    fflush(stdout);
}

static void run(const struct kernel *k, unsigned rounds, char *result, size_t size)
{
    if (k->run)
        snprintf(result, size, "0x%016" PRIx64, k->run(rounds));
    else
        snprintf(result, size, "%.17g", k->run_fp(rounds));
}

static int run_one(const struct kernel *k, unsigned rounds)
{
    char result[40];
    if (k->prepare)
        k->prepare();
    double since = begin(k->name);
    run(k, rounds, result, sizeof(result));
    end(k->name, result, since);
    return 0;
}

/* All but the result of the first are thrown away: a wrong one would be seen there. */
static int run_many(const struct kernel *k, unsigned rounds, unsigned processes)
{
    char result[40] = "";
    int results[2], status, failed = 0;
    if (k->prepare)
        k->prepare();
    if (pipe(results))
        return 1;
    double since = begin(k->name);
    for (unsigned i = 0; i < processes; i++) {
        pid_t child = fork();
        if (child < 0)
            return 1;
        if (child == 0) {
            run(k, rounds, result, sizeof(result));
            _exit(i == 0 && write(results[1], result, sizeof(result)) != sizeof(result));
        }
    }
    while (wait(&status) > 0)
        failed |= status;
    if (failed || read(results[0], result, sizeof(result)) != sizeof(result))
        return 1;
    end(k->name, result, since);
    return 0;
}

static int run_command(char **argv)
{
    int status;
    double since = begin("command");
    pid_t child = fork();
    if (child == 0) {
        execv(argv[0], argv);
        perror(argv[0]);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 1;
    end("command", "-", since);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
    unsigned processes = 1;
    int at = 1;
    if (argc == 2 && !strcmp(argv[1], "-n"))
        return 0; /* what the kernel `spawn` starts */
    if (argc == 2 && !strcmp(argv[1], "-l")) {
        for (size_t i = 0; i < KERNEL_COUNT; i++)
            printf("%s %s\n", kernels[i]->group, kernels[i]->name);
        return 0;
    }
    if (argc > 2 && !strcmp(argv[1], "-x"))
        return run_command(argv + 2);
    if (argc > 3 && !strcmp(argv[1], "-j")) {
        processes = (unsigned)atoi(argv[2]);
        at = 3;
    }
    for (size_t i = 0; argc == at + 2 && i < KERNEL_COUNT; i++) {
        unsigned rounds = (unsigned)atoi(argv[at + 1]);
        if (!strcmp(argv[at], kernels[i]->name))
            return processes > 1 ? run_many(kernels[i], rounds, processes)
                                 : run_one(kernels[i], rounds);
    }
    fprintf(stderr, "usage: kernels -l | [-j N] NAME ROUNDS | -x COMMAND ...\n");
    return 2;
}
