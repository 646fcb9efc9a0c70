/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A thread for what may be done later, or not at all: chores that take long and that nobody waits for.
 *
 *     struct chores *chores = chores_new("memory", err);
 *     chores_post(chores, (struct chore){make_large, part, size});
 *     ...
 *     chores_free(chores);      what was not begun is forgotten
 */
#ifndef RVVM_HOST_CHORES_H
#define RVVM_HOST_CHORES_H

#include "base/error.h"
#include <stddef.h>

struct chores;

struct chore {
    void (*run)(void *what, size_t size); /* on the thread */
    void *what;
    size_t size;
};

/* name: of the thread. NULL: err says why. */
struct chores *chores_new(const char *name, struct error *err);
/* Waits for the chore that is under way. chores may be NULL. */
void chores_free(struct chores *chores);

/* Any thread; never waits. When too many wait already it is dropped. */
void chores_post(struct chores *chores, struct chore chore);

#endif
