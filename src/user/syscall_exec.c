/* SPDX-License-Identifier: MPL-2.0 */
/* execve: the lists of strings, and where the program is. What becomes of it is process_exec's. */
#define _GNU_SOURCE
#include "user/paths.h"
#include "user/signals.h"
#include "user/syscall.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define STRINGS_MAX (1u << 20) /* of arguments and environment; the host's own limit is of bytes */

static int64_t count_strings(const struct space *s, uint64_t list, uint64_t *count)
{
    uint64_t string = 1;
    for (*count = 0; list; list += space_word(s), ++*count) {
        if (*count > STRINGS_MAX)
            return -E2BIG;
        if (!layout_read(s, LAYOUT_pointer, &string, list))
            return -EFAULT;
        if (!string)
            break;
        if (!space_is_guest(s, string, 1))
            return -EFAULT;
    }
    return 0;
}

/* The addresses are checked as they are read; the strings are the host kernel's to read. */
static int64_t read_list(const struct space *s, uint64_t list, uint64_t count, char **to)
{
    for (uint64_t n = 0; n < count; n++) {
        uint64_t string;
        if (!layout_read(s, LAYOUT_pointer, &string, list + n * space_word(s)) || !string ||
            !space_is_guest(s, string, 1))
            return -EFAULT;
        to[n] = (char *)string;
    }
    to[count] = NULL;
    return 0;
}

static int64_t exec_path(struct user_thread *t, uint64_t dirfd, uint64_t path_at, uint64_t argv_at,
                         uint64_t envp_at, int flags)
{
    const struct space *space = &t->process->space;
    struct user_path path;
    uint64_t argc, envc;
    if (syscall_fd_is_ours(t->process, dirfd))
        return -EBADF;
    if (atomic_load(&t->signals->pending))
        return SYSCALL_RESTART;
    int64_t error = path_find(t, path_at, !(flags & AT_SYMLINK_NOFOLLOW), &path);
    if (!error && path.address == path_at) {
        error = path_at ? space_read_string(space, path.text, path_at, sizeof(path.text)) : -EFAULT;
        error = error < 0 ? error : 0;
    }
    if (!error)
        error = count_strings(space, argv_at, &argc);
    if (!error)
        error = count_strings(space, envp_at, &envc);
    if (error)
        return error;
    char **lists = malloc((argc + envc + 2) * sizeof(*lists));
    if (!lists)
        return -ENOMEM;
    t->signals->exec_lists = lists;
    error = read_list(space, argv_at, argc, lists);
    if (!error)
        error = read_list(space, envp_at, envc, lists + argc + 1);
    if (!error)
        error = process_exec(t->process, (int)dirfd, path.text, lists, lists + argc + 1, flags);
    free(lists);
    t->signals->exec_lists = NULL;
    return error;
}

int64_t sys_execve(struct user_thread *t, const uint64_t *arg)
{
    return exec_path(t, (uint64_t)AT_FDCWD, arg[0], arg[1], arg[2], 0);
}

int64_t sys_execveat(struct user_thread *t, const uint64_t *arg)
{
    return exec_path(t, arg[0], arg[1], arg[2], arg[3], (int)arg[4]);
}
