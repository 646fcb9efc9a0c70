/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Isolation by Capsicum (capsicum(4), rights(4)): the process enters capability mode, in which nothing has a
 * name, and its descriptors keep the rights that its parts use. Both are the process's and not a thread's, so only
 * a process that is the machine's is isolated: when the thread that runs it is, which is the last to be.
 *
 * Capability mode knows no addresses to connect to. A machine whose network connects is not isolated, and says so.
 */
#include "host/isolation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capsicum.h>
#include <sys/stat.h>
#include <unistd.h>

struct isolation {
    struct log *log;
    bool whole_process;
    bool connects;
    bool removes; /* names that will stay, as it cannot remove them then */
};

static _Thread_local struct isolation *current;

struct isolation *isolation_new(struct log *log, bool whole_process, struct error *err)
{
    struct isolation *iso = calloc(1, sizeof(*iso));
    if (!iso) {
        error_set(err, "out of memory");
        return NULL;
    }
    *iso = (struct isolation){.log = log, .whole_process = whole_process};
    if (!whole_process)
        log_line(log, LOG_INFO,
                 "isolation: none: capability mode is all of the program's, and not the machine's");
    return iso;
}

void isolation_free(struct isolation *iso)
{
    if (current == iso)
        current = NULL;
    free(iso);
}

struct isolation *isolation_enter(struct isolation *iso)
{
    struct isolation *before = current;
    current = iso;
    return before;
}

/* Nobody is told of refusals. */
void isolation_watch(struct isolation *iso, struct event_loop *loop)
{
    (void)iso;
    (void)loop;
}

/*
 * Needs
 */

void isolation_need_sockets(unsigned sockets)
{
    if (current && sockets)
        current->connects = true;
}

void isolation_need_port(uint16_t port)
{
    (void)port;
    isolation_need_sockets(ISOLATION_TCP);
}

/* They come by descriptors that are there. */
void isolation_need_clients(void)
{
}

/* Only networks that connect read files. */
void isolation_need_reading(const char *path)
{
    (void)path;
}

void isolation_need_removal(const char *path)
{
    (void)path;
    if (current)
        current->removes = true;
}

/*
 * Giving up
 */

/* False: it keeps all rights, since what a driver wants of its descriptor nobody knows. */
static bool choose_rights(int fd, cap_rights_t *rights)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return false;
    cap_rights_init(rights, CAP_READ, CAP_WRITE, CAP_EVENT, CAP_FCNTL, CAP_FSTAT);
    if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
        cap_rights_set(rights, CAP_SEEK, CAP_FSYNC, CAP_FTRUNCATE);
    else if (S_ISSOCK(st.st_mode))
        cap_rights_set(rights, CAP_ACCEPT, CAP_SHUTDOWN, CAP_GETSOCKOPT, CAP_SETSOCKOPT,
                       CAP_GETPEERNAME, CAP_GETSOCKNAME);
    return S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) || S_ISSOCK(st.st_mode) ||
           S_ISFIFO(st.st_mode);
}

static bool limit_descriptors(struct error *err)
{
    int end = getdtablesize();
    for (int fd = 0; fd < end; fd++) {
        cap_rights_t rights;
        if (choose_rights(fd, &rights) && cap_rights_limit(fd, &rights) < 0)
            return error_set(err, "cap_rights_limit: %s", strerror(errno));
    }
    return true;
}

void isolation_apply(enum thread_kind kind)
{
    struct isolation *iso = current;
    struct error err = {0};
    if (!iso || !iso->whole_process || kind != THREAD_CALLER)
        return;
    if (iso->connects) {
        log_line(iso->log, LOG_INFO,
                 "isolation: none: a network connects, which capability mode does not allow");
        return;
    }
    /* The mode first: of a kernel without it this fails, and nothing is to be half done. */
    if (cap_enter() < 0)
        error_set(&err, "cap_enter: %s", strerror(errno));
    else
        limit_descriptors(&err);
    if (err.text[0])
        log_line(iso->log, LOG_INFO, "isolation: incomplete: %s", err.text);
    else
        log_line(iso->log, LOG_INFO, "isolation: the process is in capability mode%s",
                 iso->removes ? "; its sockets' names stay when it ends" : "");
}
