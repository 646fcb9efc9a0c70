/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Byte streams that never make the event loop wait: see stream.h.
 *
 * Standard input and output are open file descriptions shared with the shell: O_NONBLOCK set there
 * would outlive us and break it. Terminals and pipes are therefore opened once more through
 * /dev/fd, which gives a description of our own where the system does that (Linux). Elsewhere, and
 * for what cannot be opened again, poll() is asked first and little is written at a time.
 */
#define _GNU_SOURCE
#include "host/stream.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define WARY_CHUNK 512 /* what a terminal or pipe that polls writable takes without blocking */

static int reopen(int fd, int flags)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -1;
    /* A regular file would get an offset of its own, and never blocks anyway. */
    if (!S_ISCHR(st.st_mode) && !S_ISFIFO(st.st_mode))
        return fd;
    char path[32];
    snprintf(path, sizeof(path), "/dev/fd/%d", fd);
    int own = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return own < 0 ? fd : own;
}

int stream_stdin(void)
{
    return reopen(STDIN_FILENO, O_RDONLY);
}

int stream_stdout(void)
{
    return reopen(STDOUT_FILENO, O_WRONLY);
}

int stream_create(const char *path, struct error *err)
{
    /* O_APPEND: who empties the file while it is written to finds what follows at its start. */
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND;
    int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
    if (fd < 0 && errno == ENXIO)
        error_set(err, "%s: a pipe that nobody reads", path);
    else if (fd < 0)
        error_set(err, "%s: cannot create: %s", path, strerror(errno));
    return fd;
}

int stream_pty(char *name, size_t size, struct error *err)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    const char *path = NULL;
    int other = -1;
    if (fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0 && (path = ptsname(fd)))
        other = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (other < 0) {
        error_set(err, "cannot make a pseudo terminal: %s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    snprintf(name, size, "%s", path);
    struct termios t;
    if (tcgetattr(other, &t) == 0) {
        cfmakeraw(&t);
        tcsetattr(other, TCSANOW, &t);
    }
    /* Only after a first close does the master report a side that nobody has open. */
    close(other);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

bool stream_pty_connected(int fd)
{
    struct pollfd p = {.fd = fd};
    return poll(&p, 1, 0) >= 0 && !(p.revents & POLLHUP);
}

static enum stream_result failed(void)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return STREAM_AGAIN;
    return errno == EPIPE || errno == ECONNRESET ? STREAM_END : STREAM_ERROR;
}

static bool is_ready(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    return poll(&p, 1, 0) > 0;
}

static bool may_block(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && !(flags & O_NONBLOCK);
}

enum stream_result stream_read(int fd, void *bytes, size_t size, size_t *done)
{
    *done = 0;
    if (may_block(fd) && !is_ready(fd, POLLIN))
        return STREAM_AGAIN;
    ssize_t n = read(fd, bytes, size);
    if (n < 0)
        return failed();
    *done = (size_t)n;
    return n ? STREAM_OK : STREAM_END;
}

/* write() with a SIGPIPE that it raises taken back: handlers are the embedding program's. */
static ssize_t write_no_sigpipe(int fd, const void *bytes, size_t size)
{
    sigset_t pipe_set, old, pending;
    sigemptyset(&pipe_set);
    sigaddset(&pipe_set, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
    ssize_t n = write(fd, bytes, size);
    int saved = errno;
    if (n < 0 && saved == EPIPE && !sigismember(&pending, SIGPIPE)) {
        /* It is looked for first: sigwait() would wait, and not every system has one that does not. */
        int taken;
        if (sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE))
            sigwait(&pipe_set, &taken);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = saved;
    return n;
}

enum stream_result stream_write(int fd, const void *bytes, size_t size, size_t *done)
{
    *done = 0;
    ssize_t n = send(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == ENOTSOCK) {
        struct stat st;
        if (may_block(fd) && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
            if (!is_ready(fd, POLLOUT))
                return STREAM_AGAIN;
            size = size < WARY_CHUNK ? size : WARY_CHUNK;
        }
        n = write_no_sigpipe(fd, bytes, size);
    }
    if (n < 0)
        return failed();
    *done = (size_t)n;
    return n ? STREAM_OK : STREAM_AGAIN;
}

bool stream_wait_readable(int a, int b)
{
    struct pollfd fds[2] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0 && errno == EINTR) {
    }
    return fds[1].revents;
}

bool stream_wait_writable(int fd, int milliseconds)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    for (;;) {
        int n = poll(&p, 1, milliseconds);
        if (n >= 0 || errno != EINTR)
            return n != 0;
    }
}

void stream_close(int fd)
{
    if (fd > STDERR_FILENO)
        close(fd);
}

void stream_unlink(const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(path);
}
