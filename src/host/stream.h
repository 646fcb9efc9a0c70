/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Byte streams for the event loop: everything opened here never makes its thread wait.
 * A descriptor is an int; -1 is none.
 */
#ifndef RVVM_HOST_STREAM_H
#define RVVM_HOST_STREAM_H

#include "base/error.h"
#include <stddef.h>
#include <stdint.h>

enum stream_result {
    STREAM_OK,    /* *done bytes moved, at least one */
    STREAM_AGAIN, /* nothing now: wait for the event */
    STREAM_END,   /* end of file; the other side has gone */
    STREAM_ERROR, /* anything else */
};

/* The process's standard input and output. The descriptors that the process shares with its parent
 * keep their modes; stream_close() leaves 0 and 1 open. */
int stream_stdin(void);
int stream_stdout(void);

/* Creates or empties a file for output, which may be emptied again while it is open. */
int stream_create(const char *path, struct error *err);

/* A pseudo terminal's master side in raw mode; name receives the side to connect to. */
int stream_pty(char *name, size_t size, struct error *err);
/* Whether somebody has the other side of the pseudo terminal open. */
bool stream_pty_connected(int fd);

/*
 * Listening sockets. A socket file that nobody listens on any more is replaced, nothing else is.
 * address is HOST:PORT; an IPv6 host stands in brackets; port 0 takes a free one. name receives the
 * address as bound.
 */
int stream_listen_unix(const char *path, struct error *err);
int stream_listen_tcp(const char *address, char *name, size_t size, struct error *err);
/* The same for a process that is not isolated (isolation.h) and resolves no names: HOST is a number or
 * localhost. */
int stream_listen_file(const char *path, struct error *err);
int stream_listen_number(const char *address, char *name, size_t size, struct error *err);
/* Between the two. -1: errno says why. */
struct sockaddr;
int stream_listen_bound(const struct sockaddr *address, size_t size);
void stream_name_bound(int fd, char *name, size_t size);
/* Who is called when a socket is connected: resolved once, since that may take its time. */
struct stream_address {
    size_t size;
    _Alignas(8) unsigned char bytes[128]; /* struct sockaddr_storage */
};
/* where is unix:PATH or tcp:HOST:PORT. */
bool stream_resolve(const char *where, struct stream_address *address, struct error *err);
/* A descriptor that becomes writable when it is connected, or has failed to; -1: it failed at once. */
int stream_connect(const struct stream_address *address);
/* Whether it was connected. */
bool stream_connected(int fd);
/* Cuts "HOST:PORT" or "[HOST]:PORT" in place. */
bool stream_split_address(char *text, char **host, char **port);

/* The next client, or -1 when there is none (any more). */
int stream_accept(int listener);

enum stream_result stream_read(int fd, void *bytes, size_t size, size_t *done);
/* Raises no SIGPIPE. */
enum stream_result stream_write(int fd, const void *bytes, size_t size, size_t *done);
/* Waits until one of them has something to read, or its end, or has failed: whether b has. -1: none. */
bool stream_wait_readable(int a, int b);
/* Waits until fd takes output or has failed. false: milliseconds passed (-1: no limit). */
bool stream_wait_writable(int fd, int milliseconds);

/*
 * Of Unix sockets, the same with descriptors that go along, which are the receiver's then as well. *count: room
 * in fds at first, then how many have come; what there was no room for is closed.
 */
#define STREAM_PASSED_MAX 32
enum stream_result stream_read_passed(int fd, void *bytes, size_t size, size_t *done, int *fds,
                                      unsigned *count);
enum stream_result stream_write_passing(int fd, const void *bytes, size_t size, size_t *done,
                                        const int *fds, unsigned count);

void stream_close(int fd);
/* Removes a socket file that stream_listen_unix made. */
void stream_unlink(const char *path);

#endif
