/* SPDX-License-Identifier: MPL-2.0 */
/*
 * execve: a file for RISC-V is run by this emulator again, whatever the host is set up to do with it; any
 * other by the host. Who is asked: the file itself, or of a script the interpreter that it ends up with.
 *
 * The emulator is started with its own options, the open file, and "--" before the guest's words:
 *
 *     rvvm-user [options] -fd N -0 ARGV0 -- PATH ARGUMENTS
 */
#define _GNU_SOURCE
#include "user/elf.h"
#include "user/process.h"
#include "user/script.h"
#include "user/signals.h"
#include "user/syscall.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_file(int fd)
{
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* Whether what is open there ends up as a RISC-V program. */
static bool is_for_us(const struct process *p, int fd)
{
    bool ours = false;
    int own = -1;
    for (unsigned depth = 0; depth <= SCRIPTS_MAX && is_file(fd); depth++) {
        struct script script;
        char buffer[PATH_MAX];
        struct elf elf;
        if (!script_read(&script, fd)) {
            ours = elf_read(&elf, fd, NULL);
            break;
        }
        const char *path = process_path(&p->config, script.interpreter, true, buffer);
        int next = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (own >= 0)
            close(own);
        own = fd = next;
    }
    if (own >= 0)
        close(own);
    return ours;
}

static unsigned count_of(char *const *list)
{
    unsigned n = 0;
    while (list && list[n])
        n++;
    return n;
}

/* How a program sees a path that is not from its current folder: as the kernel names it to scripts. */
static int name_of(char *name, size_t size, int dirfd, const char *path)
{
    int n;
    if (dirfd == AT_FDCWD || path[0] == '/')
        n = snprintf(name, size, "%s", path);
    else if (!path[0])
        n = snprintf(name, size, "/dev/fd/%d", dirfd);
    else
        n = snprintf(name, size, "/dev/fd/%d/%s", dirfd, path);
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* A signal that comes first is delivered first: what it blocks meanwhile is not for the next program. */
static int exec_host(int dirfd, const char *path, char **argv, char **envp, int flags)
{
    return (int)syscall_host(user_thread_self(), SYS_execveat, (uint64_t)dirfd, (uint64_t)path,
                             (uint64_t)argv, (uint64_t)envp, (uint64_t)flags, 0);
}

static int exec_self(const struct process *p, int fd, char *name, char **argv, char **envp)
{
    char number[16];
    struct debug_heirloom heirloom;
    unsigned options = count_of(p->config.self_options), argc = count_of(argv), n = 0;
    debug_hand_over(p, &heirloom);
    char **list = calloc(options + heirloom.count + argc + 8, sizeof(*list));
    if (!list) {
        debug_keep(&heirloom);
        return -ENOMEM;
    }
    user_thread_self()->signals->exec_self_list = list;
    snprintf(number, sizeof(number), "%d", fd);
    list[n++] = "rvvm-user";
    for (unsigned i = 0; i < options; i++)
        list[n++] = p->config.self_options[i];
    for (unsigned i = 0; i < heirloom.count; i++)
        list[n++] = heirloom.options[i];
    list[n++] = "-fd";
    list[n++] = number;
    list[n++] = "-0";
    list[n++] = argc ? argv[0] : "";
    list[n++] = "--";
    list[n++] = name;
    for (unsigned i = 1; i < argc; i++)
        list[n++] = argv[i];
    fcntl(fd, F_SETFD, 0);
    int result = exec_host(p->self_fd, "", list, envp, AT_EMPTY_PATH);
    user_thread_self()->signals->exec_self_list = NULL;
    debug_keep(&heirloom);
    free(list);
    return result;
}

/* Opens what is to be run. A descriptor that only says which file (O_PATH) cannot be read: it is opened anew. */
static int open_file(int dirfd, const char *path, int flags)
{
    int how = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0);
    char own[64];
    if (path[0] || !(flags & AT_EMPTY_PATH))
        return openat(dirfd, path, how);
    snprintf(own, sizeof(own), "/proc/thread-self/fd/%d", dirfd);
    int fd = open(own, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return fd >= 0 ? fd : fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
}

int process_exec(struct process *p, int dirfd, const char *path, char **argv, char **envp,
                 int flags)
{
    char name[PATH_MAX + 32], own[64];
    int result = name_of(name, sizeof(name), dirfd, path);
    if (result < 0)
        return result;
    /* The host knows best what is wrong with what cannot even be opened or is asked for in a way that is not known
     * here, and what to do with the rest. In a chroot without /proc the emulator has no name for itself, and
     * binfmt_misc is what started it. */
    const bool is_known = !(flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
    int fd = is_known ? open_file(dirfd, path, flags) : -1;
    if (p->self_fd >= 0 && is_for_us(p, fd)) {
        /* Not what the file's mode says but whether this user may, on this mount. */
        snprintf(own, sizeof(own), "/proc/thread-self/fd/%d", fd);
        bool may = path[0] ? faccessat(dirfd, path, X_OK, AT_EACCESS) == 0
                           : faccessat(AT_FDCWD, own, X_OK, AT_EACCESS) == 0;
        result = may ? exec_self(p, fd, name, argv, envp) : -EACCES;
    } else {
        result = exec_host(dirfd, path, argv, envp, flags);
    }
    if (fd >= 0)
        close(fd);
    return result;
}
