/* SPDX-License-Identifier: MPL-2.0 */
/* What is in /proc of a guest's process: see proc_files.h. */
#define _GNU_SOURCE
#include "user/proc_files.h"
#include "host/thread.h"
#include "user/paths.h"
#include "user/signals.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * maps: the host's lines below the end of the guest's addresses, which know files, with the rights that
 * the guest has given, which the host does not know.
 */

struct area_list {
    struct area *list;
    unsigned count, room;
};

static void note_area(void *ctx, const struct area *area)
{
    struct area_list *areas = ctx;
    if (areas->count == areas->room) {
        unsigned room = areas->room ? 2 * areas->room : 64;
        struct area *list = realloc(areas->list, room * sizeof(*list));
        if (!list)
            return;
        areas->list = list;
        areas->room = room;
    }
    areas->list[areas->count++] = *area;
}

/* A line of the host's: addresses, rights (which do not matter), where in the file, and the rest. */
struct host_line {
    uint64_t first, end, offset;
    char device[16];
    uint64_t inode;
    const char *name; /* in the line; empty: none */
};

static bool parse_line(char *text, struct host_line *line)
{
    int at = 0;
    text[strcspn(text, "\n")] = '\0';
    if (sscanf(text, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %15s %" SCNu64 " %n", &line->first,
               &line->end, &line->offset, line->device, &line->inode, &at) < 5)
        return false;
    line->name = text + at;
    return true;
}

/* What a line and an area have in common. */
static void write_common(FILE *out, const struct host_line *line, const struct area *area)
{
    static const char *const names[] = {[AREA_PLAIN] = "",
                                        [AREA_STACK] = "[stack]",
                                        [AREA_HEAP] = "[heap]",
                                        [AREA_VDSO] = "[vdso]"};
    uint64_t first = line->first > area->first ? line->first : area->first;
    uint64_t end = line->end < area->end ? line->end : area->end;
    if (first >= end)
        return;
    const char *name = *line->name ? line->name : names[area->kind];
    int width =
        fprintf(out, "%08" PRIx64 "-%08" PRIx64 " %c%c%c%c %08" PRIx64 " %s %" PRIu64, first, end,
                area->prot & PROT_READ ? 'r' : '-', area->prot & PROT_WRITE ? 'w' : '-',
                area->prot & PROT_EXEC ? 'x' : '-', area->shared ? 's' : 'p',
                line->inode ? line->offset + (first - line->first) : 0, line->device, line->inode);
    if (*name)
        fprintf(out, "%*s%s", width < 73 ? 73 - width : 1, "", name);
    fputc('\n', out);
}

static void write_maps(struct user_thread *t, FILE *out)
{
    struct area_list areas = {0};
    char text[4096 + 128];
    unsigned from = 0; /* both go up, and there may be many */
    FILE *host = fopen("/proc/thread-self/maps", "re");
    space_each(&t->process->space, note_area, &areas);
    while (host && fgets(text, sizeof(text), host)) {
        struct host_line line;
        if (!parse_line(text, &line))
            continue;
        while (from < areas.count && areas.list[from].end <= line.first)
            from++;
        for (unsigned n = from; n < areas.count && areas.list[n].first < line.end; n++)
            write_common(out, &line, &areas.list[n]);
    }
    if (host)
        fclose(host);
    free(areas.list);
}

/*
 * Memory that the program sees
 */

static void write_memory(struct user_thread *t, FILE *out, uint64_t first, uint64_t size)
{
    while (size) {
        uint8_t part[4096];
        size_t length = size < sizeof(part) ? size : sizeof(part);
        if (!space_read(&t->process->space, part, first, length))
            return;
        fwrite(part, 1, length, out);
        first += length;
        size -= length;
    }
}

static void write_cmdline(struct user_thread *t, FILE *out)
{
    const struct process *p = t->process;
    write_memory(t, out, p->args, p->args_end - p->args);
}

static void write_environ(struct user_thread *t, FILE *out)
{
    const struct process *p = t->process;
    write_memory(t, out, p->args_end, p->env_end - p->args_end);
}

static void write_auxv(struct user_thread *t, FILE *out)
{
    write_memory(t, out, t->process->auxv, t->process->auxv_size);
}

static unsigned thread_count(struct process *p)
{
    pthread_mutex_lock(&p->lock);
    unsigned count = p->signals->living;
    pthread_mutex_unlock(&p->lock);
    return count;
}

/* status: the host's, with the threads that are the program's. */
static void write_status(struct user_thread *t, FILE *out)
{
    char line[4096];
    FILE *host = fopen("/proc/self/status", "re");
    while (host && fgets(line, sizeof(line), host)) {
        if (!strncmp(line, "Threads:", 8))
            fprintf(out, "Threads:\t%u\n", thread_count(t->process));
        else
            fputs(line, out);
    }
    if (host)
        fclose(host);
}

/*
 * stat: the host's line with the addresses that are the program's. Fields are counted from 1 as in
 * proc(5); the second is a name in parentheses that may have anything in it.
 */
static void write_stat(struct user_thread *t, FILE *out)
{
    struct process *p = t->process;
    enum { THREADS = 20 };
    enum { START_CODE = 26, END_CODE, START_STACK, ESP, EIP, START_BRK = 47, ARG_START, ARG_END };
    enum { ENV_START = 50, ENV_END };
    char line[2048];
    FILE *host = fopen("/proc/self/stat", "re");
    if (!host)
        return;
    size_t length = fread(line, 1, sizeof(line) - 1, host);
    fclose(host);
    line[length] = '\0';
    char *rest = strrchr(line, ')');
    if (!rest)
        return;
    *rest = '\0';
    fprintf(out, "%s)", line);
    unsigned field = 3;
    for (char *save, *word = strtok_r(rest + 1, " \n", &save); word;
         word = strtok_r(NULL, " \n", &save), field++) {
        uint64_t value = 0;
        bool ours = true;
        switch (field) {
        case THREADS: /* without those of the emulator's own */
            value = thread_count(p);
            break;
        case START_CODE:
        case END_CODE:
            value = p->entry;
            break;
        case START_STACK:
            value = p->stack;
            break;
        case ESP:
        case EIP:
            break;
        case START_BRK:
            value = p->space.brk_first;
            break;
        case ARG_START:
            value = p->args;
            break;
        case ARG_END:
        case ENV_START:
            value = p->args_end;
            break;
        case ENV_END:
            value = p->env_end;
            break;
        default:
            ours = false;
        }
        if (ours)
            fprintf(out, " %" PRIu64, value);
        else
            fprintf(out, " %s", word);
    }
    fputc('\n', out);
}

/* As arch/riscv/kernel/cpu.c prints it. */
static void write_cpuinfo(struct user_thread *t, FILE *out)
{
    const struct isa *isa = &t->process->config.isa;
    char text[512] = "";
    isa_string(isa, text, sizeof(text));
    for (unsigned n = 0; n < thread_cpu_count(); n++)
        fprintf(out,
                "processor\t: %u\nhart\t\t: %u\nisa\t\t: %s\nmmu\t\t: %s\nmvendorid\t: 0x0\n"
                "marchid\t\t: 0x0\nmimpid\t\t: 0x0\nhart isa\t: %s\n\n",
                n, n, text, isa->xlen == 32 ? "sv32" : "sv48", text);
}

static const struct {
    const char *name; /* below /proc/self, or the whole path */
    void (*write)(struct user_thread *t, FILE *out);
} files[] = {
    {"maps", write_maps},
    {"cmdline", write_cmdline},
    {"environ", write_environ},
    {"auxv", write_auxv},
    {"stat", write_stat},
    {"status", write_status},
    {"/proc/cpuinfo", write_cpuinfo},
};

static int64_t open_written(struct user_thread *t, unsigned n, uint64_t flags)
{
    int fd = memfd_create(files[n].name, flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
    if (fd < 0)
        return -errno;
    /* The stream has a descriptor of its own; both are the same open file. */
    int other = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    FILE *out = other >= 0 ? fdopen(other, "w") : NULL;
    if (!out) {
        int64_t error = -errno;
        if (other >= 0)
            close(other);
        close(fd);
        return error;
    }
    files[n].write(t, out);
    fclose(out);
    lseek(fd, 0, SEEK_SET);
    fchmod(fd, 0444);
    return fd;
}

int64_t proc_file_open(struct user_thread *t, const char *path, uint64_t flags)
{
    const char *own = path_in_own_proc(path);
    if ((flags & O_ACCMODE) != O_RDONLY || flags & O_PATH)
        return -ENOENT;
    for (unsigned n = 0; n < sizeof(files) / sizeof(*files); n++) {
        if (!strcmp(path, files[n].name) || (own && !strcmp(own, files[n].name)))
            return open_written(t, n, flags);
    }
    return -ENOENT;
}
