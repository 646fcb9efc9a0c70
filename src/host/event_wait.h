/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What an event loop sleeps with: a list of descriptors, made anew before a sleep when it has changed, a
 * deadline, and a way for other threads to end it. The loop's thread uses it, but for event_wait_wake.
 */
#ifndef RVVM_HOST_EVENT_WAIT_H
#define RVVM_HOST_EVENT_WAIT_H

#include "base/error.h"
#include "host/event_loop.h"

struct event_wait;

/* NULL: err says why. */
struct event_wait *event_wait_new(struct error *err);
void event_wait_free(struct event_wait *wait); /* may be NULL */

/* Any thread: the sleep ends that is under way, or the next one at once. */
void event_wait_wake(struct event_wait *wait);

/* Empties the list. */
void event_wait_clear(struct event_wait *wait);
/* wanted: enum event_bits. An index for event_wait_result; -1: out of memory. */
int event_wait_add(struct event_wait *wait, int fd, unsigned wanted);

/* Until one of the list is ready, somebody wakes it or the clock (clock_monotonic_ns) says `deadline`. With
 * deadline 0 it only looks at the list. */
void event_wait_sleep(struct event_wait *wait, uint64_t deadline);
/* What the sleep found. EVENT_HANGUP and EVENT_ERROR come wanted or not. */
unsigned event_wait_result(const struct event_wait *wait, int index);

#endif
