/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The stub's thread: a debugger's socket, and words from the program's threads.
 *
 * The thread has a table of descriptors of its own (unshare(2), CLONE_FILES), in which there is nothing of the
 * program's: neither can reach what is the other's, a file that the program closes is closed, and a child does
 * not inherit the debugger. What the two have in common is a pair of sockets. An execve needs the debugger's
 * socket in the program's table, and gets it through that pair.
 */
#define _GNU_SOURCE
#include "user/debug.h"

#include "host/host_signal.h"
#include "host/stream.h"
#include "user/process.h"
#include "user/signals.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INPUT_SIZE 16384
#define RETRY_MS 1000
#define OUTPUT_MAX (8u << 20) /* bytes that wait for a debugger who does not read */
#define LAST_WORDS_MS 2000    /* for it to take the rest */
#define NO_MANNERS "-"

/*
 * A debugger
 */

void debug_hang_up(void *ctx)
{
    struct process_debug *d = ctx;
    d->leaving = true;
}

/* What the client takes now. */
static void flush(struct process_debug *d)
{
    size_t sent = 0, done;
    enum stream_result result = STREAM_OK;
    while (sent < d->out_size && result == STREAM_OK) {
        result = stream_write(d->client, d->out + sent, d->out_size - sent, &done);
        sent += done;
    }
    if (sent)
        memmove(d->out, d->out + sent, d->out_size - sent);
    d->out_size -= sent;
    if (result == STREAM_END || result == STREAM_ERROR)
        debug_hang_up(d);
}

static bool make_room(struct process_debug *d, size_t size)
{
    size_t room = d->out_room ? d->out_room : INPUT_SIZE;
    if (size > OUTPUT_MAX - d->out_size)
        return false;
    while (room < d->out_size + size)
        room *= 2;
    uint8_t *out = room == d->out_room ? d->out : realloc(d->out, room);
    if (!out)
        return false;
    d->out = out;
    d->out_room = room;
    return true;
}

void debug_send(void *ctx, const void *bytes, size_t size)
{
    struct process_debug *d = ctx;
    if (d->client < 0 || d->leaving)
        return;
    if (!make_room(d, size)) {
        debug_hang_up(d);
        return;
    }
    memcpy(d->out + d->out_size, bytes, size);
    d->out_size += size;
    flush(d);
}

static void close_client(struct process_debug *d)
{
    if (d->out_size && stream_wait_writable(d->client, LAST_WORDS_MS))
        flush(d);
    stream_close(d->client);
    d->client = -1;
    d->out_size = 0;
    d->leaving = false;
}

static void drop_client(struct process_debug *d)
{
    if (d->client < 0)
        return;
    gdb_close(d->gdb);
    close_client(d);
}

static void take_client(struct process_debug *d)
{
    d->client = stream_accept(d->listener);
    if (d->client < 0) { /* perhaps there are too many descriptors: asking at once would spin */
        poll(NULL, 0, RETRY_MS);
        return;
    }
    pthread_mutex_lock(&d->lock);
    while (!d->has_begun)
        pthread_cond_wait(&d->changed, &d->lock);
    pthread_mutex_unlock(&d->lock);
    gdb_open(d->gdb);
}

static void take_input(struct process_debug *d)
{
    uint8_t bytes[INPUT_SIZE];
    size_t done;
    enum stream_result result = stream_read(d->client, bytes, sizeof(bytes), &done);
    if (result == STREAM_END || result == STREAM_ERROR)
        d->leaving = true;
    if (done)
        gdb_input(d->gdb, bytes, done);
}

static void remove_socket(const struct process_debug *d)
{
    if (d->socket)
        stream_unlink(d->socket);
}

static void end_by_debugger(const struct process_debug *d)
{
    remove_socket(d);
    kill(getpid(), SIGKILL);
}

/*
 * Words from the program's threads
 */

static void tell_end(struct process_debug *d)
{
    pthread_mutex_lock(&d->lock);
    const int status = d->end_status, signal = d->end_signal;
    pthread_mutex_unlock(&d->lock);
    if (d->client >= 0) {
        gdb_ended(d->gdb, (unsigned)status, debug_signal_to_gdb(signal));
        close_client(d);
    }
    remove_socket(d);
    pthread_mutex_lock(&d->lock);
    d->ended_told = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

/* What goes to the one who runs execve: the listener, and the client if there is one, with what is known of it. */
static void send_heirloom(const struct process_debug *d)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {.bytes = {0}};
    const int fds[2] = {d->listener, d->client};
    const size_t size = (d->client < 0 ? 1 : 2) * sizeof(int);
    char manners[GDB_MANNERS_SIZE] = "";
    gdb_manners(d->gdb, manners);
    struct iovec piece = {manners, sizeof(manners)};
    struct msghdr message = {
        .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = CMSG_SPACE(size),
    };
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(&control.header), fds, size);
    sendmsg(d->woken, &message, MSG_NOSIGNAL);
}

static void take_word(struct process_debug *d)
{
    char word;
    if (read(d->woken, &word, 1) != 1)
        return;
    switch ((enum debug_wake)word) {
    case DEBUG_WAKE_FOUND:
        gdb_found(d->gdb);
        break;
    case DEBUG_WAKE_NONE_LEFT:
        gdb_none_left(d->gdb);
        break;
    case DEBUG_WAKE_ENDED:
        tell_end(d);
        break;
    case DEBUG_WAKE_EXEC:
        send_heirloom(d);
        break;
    }
}

/*
 * The thread
 */

struct start {
    struct process_debug *debug;
    sem_t begun;
};

/* Closes all but standard error and those: nothing of the program's stays open because of us. */
static void keep_only(const int *fds, unsigned count)
{
    for (unsigned first = 0; first != UINT_MAX;) {
        unsigned next = UINT_MAX;
        for (unsigned n = 0; n < count; n++)
            if (fds[n] >= 0 && (unsigned)fds[n] >= first && (unsigned)fds[n] < next)
                next = (unsigned)fds[n];
        if (next > first)
            syscall(SYS_close_range, first, next == UINT_MAX ? UINT_MAX : next - 1, 0);
        first = next == UINT_MAX ? UINT_MAX : next + 1;
    }
}

static void serve(struct process_debug *d)
{
    for (;;) {
        const int output = d->client >= 0 && d->out_size ? POLLOUT : 0;
        struct pollfd wait[] = {
            {.fd = d->woken, .events = POLLIN},
            {.fd = d->client >= 0 ? d->client : d->listener, .events = (short)(POLLIN | output)},
        };
        if (poll(wait, 2, -1) < 0)
            continue;
        if (wait[1].revents & POLLOUT)
            flush(d);
        if (wait[0].revents)
            take_word(d);
        else if (wait[1].revents & ~POLLOUT && d->client >= 0)
            take_input(d);
        else if (wait[1].revents && d->client < 0)
            take_client(d);
        if (d->killed)
            end_by_debugger(d);
        while (d->due) {
            d->due = false;
            gdb_found(d->gdb);
        }
        if (d->leaving)
            drop_client(d);
    }
}

static void *run_stub(void *arg)
{
    struct start *start = arg;
    struct process_debug *d = start->debug;
    host_signal_mask(SIG_BLOCK, ~SIGNALS_OURS);
    unshare(CLONE_FILES);
    const int fds[] = {STDERR_FILENO, d->woken, d->listener, d->client, d->memory};
    keep_only(fds, sizeof(fds) / sizeof(*fds));
    sem_post(&start->begun);
    serve(d);
    return NULL;
}

/* The descriptors are the thread's, then, and no more the caller's. */
static bool start_thread(struct process_debug *d, struct error *err)
{
    struct signal_actions *actions = &d->process->signals->actions;
    struct start start = {.debug = d};
    /* What these are called in its own table changes as soon as it runs. */
    const int ours[] = {d->woken, d->listener, d->client, d->memory};
    sem_init(&start.begun, 0, 0);
    const uint64_t mask = host_signal_mask(SIG_BLOCK, ~SIGNALS_OURS);
    const int error = pthread_create(&d->thread, NULL, run_stub, &start);
    signals_take_back(actions);
    while (!error && sem_wait(&start.begun) && errno == EINTR)
        ;
    host_signal_mask(SIG_SETMASK, mask);
    sem_destroy(&start.begun);
    if (error)
        return error_set(err, "cannot start the GDB stub's thread: %s", strerror(error));
    for (unsigned n = 0; n < sizeof(ours) / sizeof(*ours); n++)
        if (ours[n] >= 0)
            close(ours[n]);
    return true;
}

/*
 * Its beginning
 */

static const char *after(const char *text, const char *prefix)
{
    const size_t length = strlen(prefix);
    return strncmp(text, prefix, length) ? NULL : text + length;
}

bool debug_check(const char *where, struct error *err)
{
    const char *path = after(where, "unix:"), *address = after(where, "tcp:");
    char text[256], *host, *port;
    if (path && *path)
        return true;
    if (!address)
        return error_set(err, "-gdb %s: there are: tcp:HOST:PORT, unix:PATH", where);
    snprintf(text, sizeof(text), "%s", address);
    return stream_split_address(text, &host, &port) ||
           error_set(err, "-gdb %s: not an address: HOST:PORT is one", where);
}

static int listen_for_debuggers(const char *where, struct log *log, struct error *err)
{
    const char *path = after(where, "unix:"), *address = after(where, "tcp:");
    char name[128];
    if (path)
        return stream_listen_file(path, err);
    if (!debug_check(where, err))
        return -1;
    int fd = stream_listen_number(address, name, sizeof(name), err);
    const char *port = strrchr(address, ':');
    if (fd >= 0 && port &&
        !strcmp(port, ":0")) /* the system's choice, which the user has to be told */
        log_line(log, LOG_WARN, "the GDB stub listens on %s", name);
    return fd;
}

/* LISTENER:CLIENT:MANNERS:PASSED, from debug_hand_over. */
static bool inherit(struct process_debug *d, const char *text, struct error *err)
{
    char manners[GDB_MANNERS_SIZE];
    if (sscanf(text, "%d:%d:%7[^:]:%" SCNx64, &d->listener, &d->client, manners, &d->passed) != 4)
        return error_set(err, "-gdb-fds %s: not what an execve of ours gives", text);
    fcntl(d->listener, F_SETFD, FD_CLOEXEC);
    if (d->client < 0)
        return true;
    const uint64_t passed = d->passed;
    fcntl(d->client, F_SETFD, FD_CLOEXEC);
    gdb_adopt(d->gdb, manners);
    d->passed = passed;
    d->began_exec = true;
    return true;
}

/* Away from where the program expects its own. */
static int move_far(int fd)
{
    enum { FAR_FROM_THE_PROGRAMS = 1000 };
    struct rlimit limit = {.rlim_cur = 0};
    getrlimit(RLIMIT_NOFILE, &limit);
    int far = fcntl(fd, F_DUPFD_CLOEXEC,
                    limit.rlim_cur > 2 * FAR_FROM_THE_PROGRAMS ? FAR_FROM_THE_PROGRAMS : 3);
    if (far < 0)
        return fd;
    close(fd);
    return far;
}

static bool open_descriptors(struct process_debug *d, struct error *err)
{
    const struct process_config *config = &d->process->config;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return error_set(err, "cannot make sockets for the GDB stub: %s", strerror(errno));
    d->woken = pair[0];
    d->wake = move_far(pair[1]);
    d->memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
    d->socket = after(config->gdb, "unix:");
    if (config->gdb_fds)
        return inherit(d, config->gdb_fds, err);
    d->stopping = true;
    d->listener = listen_for_debuggers(config->gdb, config->log, err);
    return d->listener >= 0;
}

bool debug_start(struct process *p, struct error *err)
{
    struct process_debug *d = calloc(1, sizeof(*d));
    const struct gdb_target target = {
        .ops = &debug_target_ops, .ctx = d, .features = debug_features, .log = p->config.log};
    if (!d || !(d->gdb = gdb_new(&target))) {
        free(d);
        return error_set(err, "out of memory for the GDB stub");
    }
    d->process = p;
    d->listener = d->client = d->wake = d->woken = d->memory = -1;
    memset(d->files, 0xff, sizeof(d->files));
    pthread_mutex_init(&d->exec_lock, NULL);
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    p->debug = d;
    if (open_descriptors(d, err) && start_thread(d, err))
        return true;
    const int fds[] = {d->wake, d->woken, d->memory, d->listener};
    for (unsigned n = 0; n < sizeof(fds) / sizeof(*fds); n++)
        if (fds[n] >= 0)
            close(fds[n]);
    p->debug = NULL;
    gdb_free(d->gdb);
    free(d);
    return false;
}

/*
 * execve
 */

/* *client stays -1 when there is none. */
static bool receive_heirloom(const struct process_debug *d, int *listener, int *client,
                             char manners[GDB_MANNERS_SIZE])
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec piece = {manners, GDB_MANNERS_SIZE};
    struct msghdr message = {
        .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    ssize_t n;
    do {
        n = recvmsg(d->wake, &message, 0);
    } while (n < 0 && errno == EINTR);
    const struct cmsghdr *header = n == GDB_MANNERS_SIZE ? CMSG_FIRSTHDR(&message) : NULL;
    if (!header || header->cmsg_type != SCM_RIGHTS)
        return false;
    memcpy(listener, CMSG_DATA(header), sizeof(*listener));
    if (header->cmsg_len >= CMSG_LEN(2 * sizeof(int)))
        memcpy(client, CMSG_DATA(header) + sizeof(int), sizeof(*client));
    return true;
}

void debug_hand_over(const struct process *p, struct debug_heirloom *h)
{
    struct process_debug *d = p->debug;
    char manners[GDB_MANNERS_SIZE];
    *h = (struct debug_heirloom){.listener = -1, .client = -1};
    if (!d || user_thread_self()->signals->vforked)
        return;
    debug_thread_waits(user_thread_self());
    pthread_mutex_lock(&d->exec_lock);
    debug_wake(d, DEBUG_WAKE_EXEC);
    const bool done = receive_heirloom(d, &h->listener, &h->client, manners);
    pthread_mutex_unlock(&d->exec_lock);
    pthread_mutex_lock(&d->lock);
    const uint64_t passed = d->passed;
    pthread_mutex_unlock(&d->lock);
    if (!done)
        return;
    snprintf(h->text, sizeof(h->text), "%d:%d:%s:%" PRIx64, h->listener, h->client,
             manners[0] ? manners : NO_MANNERS, passed);
    h->options[0] = (char *)(uintptr_t) "-gdb";
    h->options[1] = (char *)(uintptr_t)p->config.gdb;
    h->options[2] = (char *)(uintptr_t) "-gdb-fds";
    h->options[3] = h->text;
    h->count = 4;
}

void debug_keep(struct debug_heirloom *h)
{
    if (h->listener >= 0)
        close(h->listener);
    if (h->client >= 0)
        close(h->client);
}
