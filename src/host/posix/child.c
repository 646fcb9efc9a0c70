/* SPDX-License-Identifier: MPL-2.0 */
/* Children by posix_spawn, which is safe in processes with threads. See child.h. */
#define _GNU_SOURCE
#include "host/child.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/*
 * Copies above 2 of the files that are to become 0, 1 and 2, which may be these already in another order.
 * Returns 0 or an errno.
 */
static int copy_files(const struct child_config *config, int copies[3],
                      posix_spawn_file_actions_t *actions)
{
    int e = 0;
    for (int n = 0; n < 3 && !e; n++) {
        if (!config->files || config->files[n] < 0)
            continue;
        copies[n] = fcntl(config->files[n], F_DUPFD_CLOEXEC, 3);
        e = copies[n] < 0 ? errno : posix_spawn_file_actions_adddup2(actions, copies[n], n);
    }
    return e;
}

bool child_start(const struct child_config *config, int64_t *id, struct error *err)
{
    posix_spawn_file_actions_t actions;
    int copies[3] = {-1, -1, -1};
    pid_t pid = 0;
    int e = posix_spawn_file_actions_init(&actions);
    if (e)
        return error_set(err, "%s: %s", config->program, strerror(e));
    e = copy_files(config, copies, &actions);
    if (!e)
        e = posix_spawnp(&pid, config->program, &actions, NULL, config->argv,
                         config->envp ? config->envp : environ);
    for (int n = 0; n < 3; n++)
        if (copies[n] >= 0)
            close(copies[n]);
    posix_spawn_file_actions_destroy(&actions);
    *id = pid;
    return !e || error_set(err, "%s: cannot start it: %s", config->program, strerror(e));
}

bool child_wait(int64_t id, int *status, struct error *err)
{
    int how;
    pid_t pid;
    do
        pid = waitpid((pid_t)id, &how, 0);
    while (pid < 0 && errno == EINTR);
    if (pid < 0)
        return error_set(err, "process %lld: %s", (long long)id, strerror(errno));
    *status = WIFSIGNALED(how) ? -WTERMSIG(how) : WEXITSTATUS(how);
    return true;
}
