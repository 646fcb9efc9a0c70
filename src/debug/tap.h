/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A tap on a character channel: it stands between a device and a back and lets a third one hear what the
 * device says and say something to it. The two others notice nothing.
 *
 * What nobody has fetched when the tap is full is lost to the listener, who is told how much; the
 * device never waits for him.
 */
#ifndef RVVM_DEBUG_TAP_H
#define RVVM_DEBUG_TAP_H

#include "host/event_loop.h"
#include "machine/chardev.h"
#include <stdbool.h>

struct tap;

/* Takes over `back`, also when it fails (NULL). loop: the machine's, which outlives the tap. */
struct tap *tap_new(struct chardev *back, struct event_loop *loop, struct error *err);
/* The channel for the device; chardev_free frees the tap. */
struct chardev *tap_chardev(struct tap *tap);

/* Any thread. From now on output is kept for tap_fetch, and said so once each time that it begins to wait:
 * heard is called on the device's thread and takes note. NULL: nobody listens any more. */
void tap_listen(struct tap *tap, void (*heard)(void *ctx), void *ctx);
/* Any thread. The oldest output, at most `size` bytes; *lost: bytes that are missing behind it. */
size_t tap_fetch(struct tap *tap, void *bytes, size_t size, uint64_t *lost);
/* Any thread. Input for the device: how many bytes there was room for. */
size_t tap_say(struct tap *tap, const void *bytes, size_t size);

#endif
