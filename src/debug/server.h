/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A listening socket for a few clients who talk in bytes: what the GDB stub and the control socket have
 * in common. Everything happens on the thread of an event loop that is not the machine's, so that a
 * client may have to wait for harts.
 *
 * Output is kept for a client who does not read, up to a limit; then it is hung up on.
 */
#ifndef RVVM_DEBUG_SERVER_H
#define RVVM_DEBUG_SERVER_H

#include "base/log.h"
#include "host/event_loop.h"
#include <stddef.h>
#include <stdint.h>

#define SERVER_CLIENTS_MAX 8
#define SERVER_OUTPUT_MAX (8u << 20) /* bytes that wait for one client */

struct server;
struct server_client;

/* On the event loop's thread. */
struct server_ops {
    /* A client has come: what the others get as `session`. NULL: it is hung up on. */
    void *(*opened)(void *ctx, struct server_client *client);
    void (*input)(void *session, const uint8_t *bytes, size_t size);
    /* A descriptor came along with what follows: the session's to close. NULL: none is taken. */
    void (*passed)(void *session, int fd);
    void (*closed)(
        void *session); /* it has gone, or the server goes; not to be written to any more */
};

struct server_config {
    const char *where;       /* tcp:HOST:PORT or unix:PATH */
    const char *name;        /* for log lines, "the GDB stub"; outlives the server */
    unsigned clients;        /* at a time, up to SERVER_CLIENTS_MAX; others wait */
    struct event_loop *loop; /* outlives the server */
    struct log *log;         /* may be NULL; outlives the server */
    const struct server_ops *ops;
    void *ctx;
};

/* Checks the words without opening anything. */
bool server_check(const char *where, bool tcp, struct error *err);

/* Listens, and takes clients as soon as the loop runs. NULL: err says why. */
struct server *server_new(const struct server_config *config, struct error *err);
/* The loop has been stopped. Waits a moment for clients to take what is due to them. */
void server_free(struct server *server);

/* The loop's thread, or while the loop is stopped. */
void server_send(struct server_client *client, const void *bytes, size_t size);
/* The loop's thread: after what was sent is on its way, and the running callback has returned. */
void server_hang_up(struct server_client *client);

#endif
