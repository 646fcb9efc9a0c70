/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Finds the program, follows "#!" lines, and puts the program and its interpreter in memory. See loader.h;
 * what becomes of a script is execve(2)'s: its interpreter gets its path as an argument.
 */
#define _GNU_SOURCE
#include "user/loader.h"

#include "user/paths.h"
#include "user/script.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_OWN_FD \
    1000 /* descriptors of the emulator's are from here on, where programs see none */
#define STACK_DEFAULT (UINT64_C(8) << 20)
#define STACK_LEAST (UINT64_C(128) << 10)
#define STACK_MOST_64 (UINT64_C(1) << 30)
#define STACK_MOST_32 (UINT64_C(64) << 20)

const char *process_path(const struct process_config *config, const char *path, bool follow,
                         char buffer[PATH_MAX])
{
    return sysroot_find(config->sysroot, path, follow, buffer) ? buffer : path;
}

/* A descriptor for ourselves, out of the way of the guest's. */
static int move_away(int fd)
{
    struct rlimit limit;
    int least = FIRST_OWN_FD;
    if (fd < 0)
        return fd;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= FIRST_OWN_FD)
        least = limit.rlim_cur > 8 ? (int)limit.rlim_cur - 8 : 0;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, least);
    if (moved < 0)
        return fd;
    close(fd);
    return moved;
}

static int open_program(const struct process_config *config, const char *path, struct error *err)
{
    char buffer[PATH_MAX];
    struct stat st;
    /* Others, a pipe that nobody writes to, may have an open wait. */
    int fd = open(process_path(config, path, true, buffer), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        error_set(err, "%s: %s", path, strerror(errno));
    } else if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        error_set(err, "%s: not a file", path);
        close(fd);
        return -1;
    }
    return move_away(fd);
}

/* The path of an open file, as the guest is to see it. */
static char *path_of(const struct process_config *config, int fd, const char *otherwise)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    if (n <= 0)
        return strdup(otherwise);
    path[n] = 0;
    size_t root = config->sysroot ? strlen(config->sysroot) : 0;
    if (root && strncmp(path, config->sysroot, root) == 0 && path[root] == '/')
        return strdup(path + root);
    return strdup(path);
}

/* Follows "#!" lines from p->exe_fd until there is a program; argv and path change with them. */
static bool find_program(struct process *p, struct elf *elf, struct error *err)
{
    for (unsigned depth = 0; depth <= SCRIPTS_MAX; depth++) {
        struct script script;
        if (!script_read(&script, p->exe_fd)) {
            if (elf_read(elf, p->exe_fd, err))
                return true;
            return error_prefix(err, "%s", p->config.path);
        }
        char **argv = script_argv(&script, p->config.path, p->config.argv);
        char *path = strdup(script.interpreter);
        free(p->script_argv);
        p->script_argv = argv;
        if (!argv || !path) {
            free(path);
            return error_set(err, "out of memory for arguments");
        }
        p->config.argv = argv;
        close(p->exe_fd);
        p->exe_fd = open_program(&p->config, path, err);
        if (p->exe_fd < 0) {
            free(path);
            return error_prefix(err, "%s: its interpreter", p->config.path);
        }
        free(p->script_path);
        p->script_path = path;
        p->config.path = path;
    }
    return error_set(err, "%s: interpreters of interpreters, too many", p->config.path);
}

static bool load_interpreter(struct process *p, struct image *image, struct error *err)
{
    const struct elf *program = &image->program;
    char name[PATH_MAX];
    if (!program->interpreter_size)
        return true;
    if (program->interpreter_size > sizeof(name) ||
        pread(p->exe_fd, name, program->interpreter_size, (off_t)program->interpreter_offset) !=
            (ssize_t)program->interpreter_size ||
        name[program->interpreter_size - 1])
        return error_set(err, "%s: the name of its interpreter makes no sense", p->config.path);
    int fd = open_program(&p->config, name, err);
    if (fd < 0)
        return error_prefix(err, "%s: its interpreter", p->config.path);
    struct elf *elf = &image->interpreter;
    bool loaded = elf_read(elf, fd, err) &&
                  (elf->xlen == program->xlen || error_set(err, "its width is another one")) &&
                  elf_map(elf, &p->space, fd, 0, err);
    close(fd);
    image->has_interpreter = true;
    return loaded || error_prefix(err, "%s: its interpreter %s", p->config.path, name);
}

static uint64_t stack_size(const struct process *p)
{
    struct rlimit limit;
    uint64_t most = p->space.end == SPACE_END_64 ? STACK_MOST_64 : STACK_MOST_32;
    uint64_t size = p->config.stack_size;
    if (!size)
        size = getrlimit(RLIMIT_STACK, &limit) < 0 ? STACK_DEFAULT : limit.rlim_cur;
    if (size < STACK_LEAST)
        size = STACK_LEAST;
    return size < most ? size : most;
}

/* The heap begins behind the program. */
static void place_heap(struct process *p, const struct elf *program)
{
    uint64_t end = program->end + program->bias;
    p->space.brk_first = p->space.brk_now = (end + PAGE_SIZE - 1) & PAGE_MASK;
}

static bool load_image(struct process *p, struct image *image, struct error *err)
{
    /* A program that may go anywhere is put where its heap has room to grow. */
    uint64_t hint = p->space.end / 3 * 2 & PAGE_MASK;
    if (!space_make_stack(&p->space, stack_size(p), image->program.executable_stack, err))
        return false;
    if (!elf_map(&image->program, &p->space, p->exe_fd, hint, err))
        return error_prefix(err, "%s", p->config.path);
    place_heap(p, &image->program);
    if (!load_interpreter(p, image, err) || !vdso_map(p, image, err) || !stack_fill(p, image, err))
        return false;
    const struct elf *first = image->has_interpreter ? &image->interpreter : &image->program;
    p->entry = first->entry + first->bias;
    return true;
}

bool loader_load(struct process *p, struct error *err)
{
    struct image image = {.has_interpreter = false};
    p->self_fd = move_away(open("/proc/self/exe", O_PATH | O_CLOEXEC));
    p->exe_fd =
        p->config.fd >= 0 ? move_away(p->config.fd) : open_program(&p->config, p->config.path, err);
    if (p->exe_fd < 0 || !find_program(p, &image.program, err))
        return false;
    if (!p->config.isa.xlen)
        isa_default(&p->config.isa, image.program.xlen);
    if (p->config.isa.xlen != image.program.xlen)
        return error_set(err, "%s: a program for rv%u, and -cpu says rv%u", p->config.path,
                         image.program.xlen, p->config.isa.xlen);
    p->exe = path_of(&p->config, p->exe_fd, p->config.path);
    return (p->exe || error_set(err, "out of memory for a path")) &&
           space_init(&p->space, image.program.xlen, err) && load_image(p, &image, err);
}
