/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Packets that a debugger has for programs only: what the kernel told the program (auxv), which file it is, the
 * signal a thread has stopped for, signals to be passed on unseen, and files as the program would find them
 * ("Host I/O Packets", "File-I/O Remote Protocol Extension" in GDB's manual). They are opened to be read, and no
 * other way.
 */
#define _GNU_SOURCE
#include "user/debug.h"

#include "gdb/session.h"
#include "user/process.h"
#include "user/signals.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AUXV_MAX 1024 /* bytes; ours has some 20 entries of 16 */

const char debug_features[] = ";qXfer:auxv:read+;qXfer:exec-file:read+;qXfer:siginfo:read+;"
                              "QPassSignals+;exec-events+";

/*
 * qXfer
 */

static void read_auxv(struct process_debug *d, struct gdb_words *w, struct gdb_reply *reply)
{
    const struct process *p = d->process;
    uint8_t auxv[AUXV_MAX];
    size_t size = p->auxv_size < sizeof(auxv) ? p->auxv_size : sizeof(auxv);
    size = debug_target_ops.read(d, NULL, p->auxv, auxv, size);
    gdb_put_piece(reply, w, auxv, size);
}

/* PROCESS:OFFSET,SIZE; there is one process. */
static void read_exec_file(struct process_debug *d, struct gdb_words *w, struct gdb_reply *reply)
{
    uint64_t process;
    gdb_take_number(w, &process);
    if (gdb_take_char(w, ':'))
        gdb_put_piece(reply, w, d->process->exe, strlen(d->process->exe));
    else
        gdb_put(reply, GDB_ERROR_WORDS);
}

static void read_siginfo(struct process_debug *d, struct gdb_words *w, struct gdb_reply *reply)
{
    siginfo_t info = {0};
    bool has = false;
    pthread_mutex_lock(&d->lock);
    pthread_mutex_lock(&d->process->lock);
    for (struct user_thread *t = debug_next_thread(d->process->threads); t;
         t = debug_next_thread(t->next)) {
        if ((uint64_t)t->tid != d->gdb->thread || !t->debug.found)
            continue;
        has = true;
        info = t->debug.info;
        if (t->debug.point.kind != DEBUG_NONE)
            info = (siginfo_t){.si_signo = SIGTRAP, .si_code = TRAP_BRKPT};
    }
    pthread_mutex_unlock(&d->process->lock);
    pthread_mutex_unlock(&d->lock);
    if (has)
        gdb_put_piece(reply, w, &info, GUEST_SIGINFO_SIZE);
    else
        gdb_put(reply, GDB_ERROR_WORDS);
}

/* SIGNAL[;SIGNAL]... */
static void pass_signals(struct process_debug *d, struct gdb_words *w, struct gdb_reply *reply)
{
    uint64_t number, set = 0;
    while (gdb_take_number(w, &number)) {
        const int signal = number < UINT_MAX ? debug_signal_from_gdb((unsigned)number) : 0;
        set |= signal ? signal_bit(signal) : 0;
        gdb_take_char(w, ';');
    }
    pthread_mutex_lock(&d->lock);
    d->passed = set;
    pthread_mutex_unlock(&d->lock);
    gdb_put(reply, "OK");
}

/*
 * Files
 */

/* Errors have numbers of the protocol's, most of which are Linux's. */
static void put_errno(struct gdb_reply *reply, int error)
{
    enum { LAST_ALIKE = EROFS, NO_SUCH_CALL = 88, NAME_TOO_LONG = 91, UNKNOWN = 9999 };
    int number = error <= LAST_ALIKE     ? error
                 : error == ENOSYS       ? NO_SUCH_CALL
                 : error == ENAMETOOLONG ? NAME_TOO_LONG
                                         : UNKNOWN;
    gdb_put(reply, "F-1,%x", (unsigned)number);
}

static void put_result(struct gdb_reply *reply, int64_t result)
{
    if (result < 0)
        put_errno(reply, errno);
    else
        gdb_put(reply, "F%x", (unsigned)result);
}

/* A name in hexadecimal, up to what follows it: where the program would find it. */
static const char *take_path(const struct process_debug *d, struct gdb_words *w, bool follow,
                             char buffer[PATH_MAX])
{
    static _Thread_local char name[PATH_MAX];
    size_t length = 0;
    while (length < PATH_MAX - 1 && gdb_take_hex(w, &name[length], 1))
        length++;
    name[length] = '\0';
    errno = length ? ENAMETOOLONG : ENOENT;
    return length && length < PATH_MAX - 1 ? process_path(&d->process->config, name, follow, buffer)
                                           : NULL;
}

static int *free_file(struct process_debug *d)
{
    for (unsigned n = 0; n < DEBUG_FILES; n++)
        if (d->files[n] < 0)
            return &d->files[n];
    return NULL;
}

/* PATH,FLAGS,MODE */
static void open_file(struct process_debug *d, struct gdb_words *w, struct gdb_reply *reply)
{
    enum { READ_ONLY = 0 };
    char buffer[PATH_MAX];
    uint64_t flags;
    const char *path = take_path(d, w, true, buffer);
    int *file = free_file(d);
    if (!path) {
        put_errno(reply, errno);
    } else if (!gdb_take_char(w, ',') || !gdb_take_number(w, &flags)) {
        put_errno(reply, EINVAL);
    } else if (flags != READ_ONLY) {
        put_errno(reply, EACCES);
    } else if (!file) {
        put_errno(reply, EMFILE);
    } else {
        *file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        put_result(reply, *file < 0 ? -1 : file - d->files);
    }
}

/* The number of a file that is open; NULL: none. */
static int *take_file(struct process_debug *d, struct gdb_words *w)
{
    uint64_t n;
    if (!gdb_take_number(w, &n) || n >= DEBUG_FILES || d->files[n] < 0) {
        errno = EBADF;
        return NULL;
    }
    return &d->files[n];
}

static void close_file(struct process_debug *d, struct gdb_words *w, struct gdb_reply *reply)
{
    int *file = take_file(d, w);
    if (!file) {
        put_errno(reply, errno);
        return;
    }
    close(*file);
    *file = -1;
    put_result(reply, 0);
}

/* FILE,COUNT,OFFSET */
static void read_file(struct process_debug *d, struct gdb_words *w, struct gdb_reply *reply)
{
    uint8_t bytes[GDB_PACKET_SIZE / 2];
    uint64_t count, offset;
    int *file = take_file(d, w);
    if (!file || !gdb_take_char(w, ',') || !gdb_take_number(w, &count) || !gdb_take_char(w, ',') ||
        !gdb_take_number(w, &offset)) {
        put_errno(reply, file ? EINVAL : EBADF);
        return;
    }
    ssize_t n = pread(*file, bytes, count < sizeof(bytes) ? count : sizeof(bytes), (off_t)offset);
    put_result(reply, n);
    if (n >= 0) {
        gdb_put(reply, ";");
        gdb_put_bytes(reply, bytes, (size_t)n);
    }
}

/* Numbers of a struct stat of the protocol's stand in it highest byte first. */
static void put_big(struct gdb_reply *reply, uint64_t value, unsigned size)
{
    while (size--)
        gdb_put_bytes(reply, &(uint8_t){(uint8_t)(value >> 8 * size)}, 1);
}

static void stat_file(struct process_debug *d, struct gdb_words *w, struct gdb_reply *reply)
{
    struct stat st;
    int *file = take_file(d, w);
    if (!file || fstat(*file, &st) < 0) {
        put_errno(reply, errno);
        return;
    }
    gdb_put(reply, "F40;");
    put_big(reply, st.st_dev, 4);
    put_big(reply, st.st_ino, 4);
    put_big(reply, st.st_mode, 4);
    put_big(reply, st.st_nlink, 4);
    put_big(reply, st.st_uid, 4);
    put_big(reply, st.st_gid, 4);
    put_big(reply, st.st_rdev, 4);
    put_big(reply, (uint64_t)st.st_size, 8);
    put_big(reply, (uint64_t)st.st_blksize, 8);
    put_big(reply, (uint64_t)st.st_blocks, 8);
    put_big(reply, (uint64_t)st.st_atime, 4);
    put_big(reply, (uint64_t)st.st_mtime, 4);
    put_big(reply, (uint64_t)st.st_ctime, 4);
}

static void read_link(struct process_debug *d, struct gdb_words *w, struct gdb_reply *reply)
{
    char buffer[PATH_MAX], target[PATH_MAX];
    const char *path = take_path(d, w, false, buffer);
    ssize_t n = path ? readlink(path, target, sizeof(target)) : -1;
    put_result(reply, n);
    if (n >= 0) {
        gdb_put(reply, ";");
        gdb_put_bytes(reply, target, (size_t)n);
    }
}

/* Whose file system: that of the program, which is the only one. */
static void set_file_system(struct process_debug *d, struct gdb_words *w, struct gdb_reply *reply)
{
    (void)d, (void)w;
    put_result(reply, 0);
}

void debug_close_files(struct process_debug *d)
{
    for (unsigned n = 0; n < DEBUG_FILES; n++) {
        if (d->files[n] >= 0)
            close(d->files[n]);
        d->files[n] = -1;
    }
}

/*
 * All of them
 */

void debug_other_packet(void *ctx, char letter, struct gdb_words *w, struct gdb_reply *reply)
{
    static const struct {
        char letter;
        const char *name;
        void (*take)(struct process_debug *d, struct gdb_words *w, struct gdb_reply *reply);
    } packets[] = {
        {'q', "Xfer:auxv:read::", read_auxv},
        {'q', "Xfer:exec-file:read:", read_exec_file},
        {'q', "Xfer:siginfo:read::", read_siginfo},
        {'Q', "PassSignals:", pass_signals},
        {'v', "File:open:", open_file},
        {'v', "File:close:", close_file},
        {'v', "File:pread:", read_file},
        {'v', "File:fstat:", stat_file},
        {'v', "File:readlink:", read_link},
        {'v', "File:setfs:", set_file_system},
    };
    for (unsigned n = 0; n < sizeof(packets) / sizeof(*packets); n++)
        if (letter == packets[n].letter && gdb_take_text(w, packets[n].name)) {
            packets[n].take(ctx, w, reply);
            return;
        }
}
