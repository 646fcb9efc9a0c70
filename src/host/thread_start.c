/* SPDX-License-Identifier: MPL-2.0 */
/* How threads start, and what they pass on to those that they start: see thread.h. */
#include "host/thread.h"

#include "host/thread_system.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local struct thread_heritage *heritage;

struct thread_heritage *thread_heritage(void)
{
    return heritage;
}

void thread_set_heritage(struct thread_heritage *h)
{
    heritage = h;
}

/* What a new thread is given; it frees it. */
struct start {
    void *(*run)(void *);
    void *arg;
    struct thread_heritage *heritage;
    enum thread_kind kind;
    char name[16]; /* "": it gives itself one */
};

static void *begin(void *arg)
{
    struct start start = *(struct start *)arg;
    free(arg);
    heritage = start.heritage;
    /* Not by its starter, for whom that is a file to open. */
    if (*start.name)
        thread_set_name(start.name);
    if (heritage)
        heritage->begin(heritage, start.kind);
    return start.run(start.arg);
}

bool thread_start(pthread_t *thread, enum thread_kind kind, const char *name, void *(*run)(void *),
                  void *arg, struct error *err)
{
    struct start *start = malloc(sizeof(*start));
    if (!start)
        return error_set(err, "cannot start a thread: out of memory");
    *start = (struct start){run, arg, heritage, kind, ""};
    if (name)
        snprintf(start->name, sizeof(start->name), "%s", name);
    int e = thread_create(thread, begin, start);
    if (e) {
        free(start);
        return error_set(err, "cannot start a thread: %s", strerror(e));
    }
    return true;
}
