/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One thread that waits for descriptors, deadlines and calls from other threads.
 *
 * It sleeps until the next deadline and never ticks. Timers are what harts re-arm thousands of
 * times a second, so that setting one takes no lock: it stores the deadline and wakes the thread
 * only when the thread would sleep past it. A timer that is set to a later time wakes nobody.
 *
 *     event_timer_init(&t, loop, fired, ctx);
 *     event_timer_set(&t, clock_monotonic_ns() + 1000000);
 *     ...
 *     event_timer_remove(&t);    // fired() is not running any more, and will not
 *
 * Callbacks run on the loop's thread with no lock held; they may call everything here but
 * event_loop_stop and event_loop_free.
 */
#ifndef RVVM_HOST_EVENT_LOOP_H
#define RVVM_HOST_EVENT_LOOP_H

#include "base/error.h"
#include "host/thread.h"
#include <stdatomic.h>
#include <stdint.h>

struct event_loop;

struct event_loop *event_loop_new(struct error *err);
/* Stops it too. Timers, watches and calls must have been removed. */
void event_loop_free(struct event_loop *loop);

/* What its thread is for; THREAD_EVENTS unless said. Before it is started. */
void event_loop_set_kind(struct event_loop *loop, enum thread_kind kind);

/* Starts the thread. Things may be added before. */
bool event_loop_start(struct event_loop *loop, struct error *err);
/* Ends the thread. What is armed stays armed and goes on at the next start. */
void event_loop_stop(struct event_loop *loop);
/* Whether the caller is the loop's thread. */
bool event_loop_is_current(const struct event_loop *loop);

/*
 * Embedded in its owner's struct. Init, set and remove: any thread; init and remove of one object
 * by one thread. remove waits for a callback that is running, so call it with no lock that the
 * callback takes; inside a callback it does not wait.
 */
struct event_timer {
    _Atomic uint64_t deadline; /* clock_monotonic_ns() at which it fires once; EVENT_NEVER */
    void (*fired)(void *ctx);
    void *ctx;
    struct event_loop *loop;
    struct event_timer *next; /* loop's list */
    uint64_t pass;            /* loop: the round it last fired in */
};
#define EVENT_NEVER UINT64_MAX

void event_timer_init(struct event_timer *timer, struct event_loop *loop, void (*fired)(void *ctx),
                      void *ctx);
/* May fire once more for a deadline that was reached just before it was moved. */
void event_timer_set(struct event_timer *timer, uint64_t deadline);
void event_timer_remove(struct event_timer *timer);

/* A descriptor. Level triggered: called again as long as what it waits for holds. */
struct event_watch {
    int fd;
    _Atomic unsigned wanted; /* EVENT_READ | EVENT_WRITE; 0: sleeps */
    void (*ready)(void *ctx, unsigned events);
    void *ctx;
    struct event_loop *loop;
    struct event_watch *next;
    unsigned slot; /* loop: place in the array it waits with */
};
enum event_bits {
    EVENT_READ = 1, /* both are reported to a watch when the descriptor has failed */
    EVENT_WRITE = 2,
    EVENT_URGENT = 4, /* pollers only */
    EVENT_HANGUP = 8,
    EVENT_ERROR = 16,
};

void event_watch_init(struct event_watch *watch, struct event_loop *loop, int fd, unsigned wanted,
                      void (*ready)(void *ctx, unsigned events), void *ctx);
void event_watch_set(struct event_watch *watch, unsigned wanted);
/* Before the descriptor is closed. */
void event_watch_remove(struct event_watch *watch);

/*
 * For code that says anew before each sleep which descriptors it waits for and how long (a network
 * stack with hundreds of connections). prepare calls event_poll_add and event_poll_until; after the
 * sleep done asks for the result of each. Between the two nothing else of the loop runs.
 */
struct event_poll;

struct event_poller {
    void (*prepare)(void *ctx, struct event_poll *poll);
    void (*done)(void *ctx, const struct event_poll *poll);
    void *ctx;
    struct event_loop *loop;
    struct event_poller *next; /* loop's list */
    uint64_t pass;             /* loop: the round it was last asked in; 0: not, or told already */
};

void event_poller_init(struct event_poller *poller, struct event_loop *loop,
                       void (*prepare)(void *ctx, struct event_poll *poll),
                       void (*done)(void *ctx, const struct event_poll *poll), void *ctx);
void event_poller_remove(struct event_poller *poller);

/* wanted: enum event_bits. An index for event_poll_result; -1: out of memory, wait without it. */
int event_poll_add(struct event_poll *poll, int fd, unsigned wanted);
/* The sleep ends then at the latest, if nothing of anybody's ends it before. */
void event_poll_until(struct event_poll *poll, uint64_t deadline);
/* What has come. EVENT_HANGUP and EVENT_ERROR come wanted or not. */
unsigned event_poll_result(const struct event_poll *poll, int index);

/* A call to be made on the loop's thread. Posts between two runs are one. */
struct event_call {
    _Atomic bool posted;
    void (*run)(void *ctx);
    void *ctx;
    struct event_loop *loop;
    struct event_call *next; /* loop's list */
};

void event_call_init(struct event_call *call, struct event_loop *loop, void (*run)(void *ctx),
                     void *ctx);
void event_call_post(struct event_call *call);
void event_call_remove(struct event_call *call);

#endif
