/* SPDX-License-Identifier: MPL-2.0 */
/* Paths of the guest: see paths.h. */
#define _GNU_SOURCE
#include "user/paths.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Takes "NAME/" or "NUMBER/" off the front. */
static const char *skip_part(const char *path, const char *name, pid_t number)
{
    size_t length = strcspn(path, "/");
    char digits[16];
    snprintf(digits, sizeof(digits), "%d", (int)number);
    bool is_name = name && strlen(name) == length && !memcmp(path, name, length);
    bool is_number = strlen(digits) == length && !memcmp(path, digits, length);
    if (!path[length] || (!is_name && !is_number))
        return NULL;
    path += length;
    return path + strspn(path, "/");
}

const char *path_in_own_proc(const char *path)
{
    if (strncmp(path, "/proc/", 6))
        return NULL;
    path += 6 + strspn(path + 6, "/");
    const char *rest = skip_part(path, "self", getpid());
    if (!rest)
        rest = skip_part(path, "thread-self", getpid());
    if (!rest || strncmp(rest, "task/", 5))
        return rest;
    /* A thread of ours: any number, as it is under our own directory. */
    const char *of_thread = strchr(rest + 5, '/');
    return of_thread && isdigit((unsigned char)rest[5]) ? of_thread + 1 : rest;
}

/*
 * The kernel leads symbolic links inside the sysroot (openat2), and /proc tells where that has led to.
 */
bool sysroot_find(const char *sysroot, const char *path, bool follow, char found[PATH_MAX])
{
    if (!sysroot || path[0] != '/')
        return false;
    int root = open(sysroot, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return false;
    struct open_how how = {.flags = (uint64_t)(O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW)),
                           .resolve = RESOLVE_IN_ROOT};
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
    close(root);
    if (fd < 0)
        return false;
    char link[32];
    snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", fd);
    ssize_t length = readlink(link, found, PATH_MAX - 1);
    close(fd);
    if (length <= 0 || length == PATH_MAX - 1)
        return false;
    found[length] = '\0';
    return true;
}

int64_t path_find(struct user_thread *t, uint64_t address, bool follow, struct user_path *path)
{
    const struct process *p = t->process;
    char start[6];
    path->address = address;
    if (!address)
        return 0;
    if (!space_is_guest(&p->space, address, 1))
        return -EFAULT;
    /* Most paths are the kernel's to read: what does not begin like this means the same there. */
    bool is_proc = space_read(&p->space, start, address, sizeof(start)) &&
                   !memcmp(start, "/proc/", sizeof(start));
    if (!is_proc && !p->config.sysroot)
        return 0;
    char given[PATH_MAX];
    int64_t length = space_read_string(&p->space, given, address, sizeof(given));
    if (length < 0)
        return length;
    path->address = (uint64_t)path->text;
    memcpy(path->text, given, (size_t)length + 1);
    const char *own = is_proc ? path_in_own_proc(given) : NULL;
    if (own && follow && !strcmp(own, "exe") && p->exe) {
        snprintf(path->text, sizeof(path->text), "%s", p->exe);
        memcpy(given, path->text, strlen(path->text) + 1);
    }
    char found[PATH_MAX];
    if (sysroot_find(p->config.sysroot, given, follow, found))
        memcpy(path->text, found, strlen(found) + 1);
    return 0;
}
