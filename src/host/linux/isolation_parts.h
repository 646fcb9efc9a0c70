/* SPDX-License-Identifier: MPL-2.0 */
/* The parts of isolation on Linux: isolation.c puts them together, each of the others is one means. */
#ifndef RVVM_HOST_LINUX_ISOLATION_PARTS_H
#define RVVM_HOST_LINUX_ISOLATION_PARTS_H

#include "host/isolation.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The runtime of these sanitizers opens files and stops threads at any time. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ISOLATION_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ISOLATION_SANITIZED 1
#endif
#endif
#ifndef ISOLATION_SANITIZED
#define ISOLATION_SANITIZED 0
#endif

#define ISOLATION_PATHS_MAX 64
#define ISOLATION_PORTS_MAX 64

struct isolation_paths {
    char *paths[ISOLATION_PATHS_MAX];
    unsigned count;
};

struct isolation_needs {
    unsigned sockets; /* enum isolation_sockets */
    uint16_t ports[ISOLATION_PORTS_MAX];
    unsigned port_count;
    struct isolation_paths reading, removal;
};

/*
 * System calls (seccomp(2)).
 */

/* Why there can be no filter; NULL: there can. */
const char *system_calls_obstacle(void);
/* Of the calling thread. report: a refusal is a SIGSYS, otherwise only an error. false: err says why. */
bool system_calls_restrict(enum thread_kind kind, const struct isolation_needs *needs, bool report,
                           struct error *err);
/* A system call's name, or a word that there is none. */
void system_calls_name(int number, char *name, unsigned size);

/*
 * Files (landlock(7)).
 */

/* The kernel's version of it; 0: it has none. */
int landlock_version(void);
bool landlock_restrict(enum thread_kind kind, const struct isolation_needs *needs,
                       struct error *err);

/*
 * Refusals: noted by the handler of SIGSYS on the thread that was refused, logged by another.
 */

struct refusals;

struct refusals *refusals_new(struct log *log, struct error *err);
void refusals_free(struct refusals *r);
void refusals_watch(struct refusals *r, struct event_loop *loop);
/* The calling thread's go there. SIGSYS is unblocked. */
void refusals_enter(struct refusals *r);

#endif
