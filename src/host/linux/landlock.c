/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Files by Landlock (landlock(7); Documentation/userspace-api/landlock.rst), by its system calls, as the C
 * library has none. Kernels differ in which rights they know: a right is asked for only if the kernel's
 * version has it. Files that are open stay open with the rights that they were opened with.
 */
#define _GNU_SOURCE
#include "host/linux/isolation_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The numbers are the same on all architectures. Headers may be older than the kernel. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

enum {
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_FILE = 1 << 5,
    FS_VERSION_1 = (1 << 13) - 1,
    FS_REFER = 1 << 13,     /* version 2 */
    FS_TRUNCATE = 1 << 14,  /* version 3 */
    FS_IOCTL_DEV = 1 << 15, /* version 5 */
    NET_BIND_TCP = 1,       /* version 4 */
    NET_CONNECT_TCP = 2,
    SCOPE_ALL = 3, /* version 6: abstract sockets, signals */
};

struct ruleset {
    uint64_t fs, net, scoped;
};

struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

struct port_rule {
    uint64_t allowed, port;
};

int landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
    return version > 0 ? (int)version : 0;
}

/* What a rule does not allow again is refused. */
static struct ruleset refuse_all(int version, bool reaches_all)
{
    struct ruleset set = {.fs = FS_VERSION_1};
    if (version >= 2)
        set.fs |= FS_REFER;
    if (version >= 3)
        set.fs |= FS_TRUNCATE;
    if (version >= 5)
        set.fs |= FS_IOCTL_DEV;
    if (version >= 4 && !reaches_all)
        set.net = NET_BIND_TCP | NET_CONNECT_TCP;
    if (version >= 6)
        set.scoped = SCOPE_ALL;
    return set;
}

static size_t ruleset_size(int version)
{
    return version >= 6   ? sizeof(struct ruleset)
           : version >= 4 ? offsetof(struct ruleset, scoped)
                          : offsetof(struct ruleset, net);
}

/* A path that is not there needs no rule. */
static bool allow(int ruleset, const char *path, uint64_t rights, struct error *err)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return true;
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rights &= FS_READ_FILE;
    struct path_rule rule = {.allowed = rights, .parent = fd};
    bool ok = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0 ||
              error_set(err, "Landlock: %s: %s", path, strerror(errno));
    close(fd);
    return ok;
}

/*
 * /etc/resolv.conf is often a link to /run/SERVICE/resolv.conf, where the service replaces it by another file;
 * rules are for files, whatever their names.
 */
static bool allow_reading(int ruleset, const char *path, struct error *err)
{
    static const char services[] = "/run/";
    char target[PATH_MAX], *slash;
    if (!allow(ruleset, path, FS_READ_FILE | FS_READ_DIR, err))
        return false;
    if (!realpath(path, target) || strncmp(target, services, sizeof(services) - 1))
        return true;
    slash = strrchr(target, '/');
    *slash = '\0';
    return strlen(target) < sizeof(services) || allow(ruleset, target, FS_READ_FILE, err);
}

static bool allow_port(int ruleset, uint16_t port, struct error *err)
{
    struct port_rule rule = {.allowed = NET_CONNECT_TCP, .port = port};
    return syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) == 0 ||
           error_set(err, "Landlock: port %u: %s", port, strerror(errno));
}

/* Landlock allows removals by folder. */
static bool allow_removal(int ruleset, const char *path, struct error *err)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    if (!slash)
        return allow(ruleset, ".", FS_REMOVE_FILE, err);
    int length = slash == path ? 1 : (int)(slash - path);
    if ((size_t)snprintf(folder, sizeof(folder), "%.*s", length, path) >= sizeof(folder))
        return error_set(err, "%s: too long", path);
    return allow(ruleset, folder, FS_REMOVE_FILE, err);
}

static bool add_rules(int ruleset, const struct ruleset *set, enum thread_kind kind,
                      const struct isolation_needs *needs, struct error *err)
{
    bool ok = true;
    if (kind == THREAD_NET)
        for (unsigned i = 0; ok && i < needs->reading.count; i++)
            ok = allow_reading(ruleset, needs->reading.paths[i], err);
    if (kind == THREAD_NET && set->net)
        for (unsigned i = 0; ok && i < needs->port_count; i++)
            ok = allow_port(ruleset, needs->ports[i], err);
    if (kind == THREAD_CALLER)
        for (unsigned i = 0; ok && i < needs->removal.count; i++)
            ok = allow_removal(ruleset, needs->removal.paths[i], err);
    return ok;
}

bool landlock_restrict(enum thread_kind kind, const struct isolation_needs *needs,
                       struct error *err)
{
    const int version = landlock_version();
    const bool reaches_all = kind == THREAD_NET && (needs->sockets & ISOLATION_INET);
    struct ruleset set = refuse_all(version, reaches_all);
    int fd = (int)syscall(SYS_landlock_create_ruleset, &set, ruleset_size(version), 0);
    if (fd < 0)
        return error_set(err, "Landlock: %s", strerror(errno));
    bool ok =
        add_rules(fd, &set, kind, needs, err) && (syscall(SYS_landlock_restrict_self, fd, 0) == 0 ||
                                                  error_set(err, "Landlock: %s", strerror(errno)));
    close(fd);
    return ok;
}
