/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The event loop: see event_loop.h. How it sleeps is the system's: event_wait.h.
 *
 * How a setter and the sleeping thread do not miss each other. The thread publishes in `asleep_until`
 * the time it is going to sleep to, then looks once more for what came meanwhile. A setter first
 * stores what it has to say (a deadline, `changed`), then looks at asleep_until. With sequentially
 * consistent order one of the two sees the other. Whoever takes asleep_until to 0 ends the sleep.
 */
#include "host/event_loop.h"
#include "host/clock.h"
#include "host/event_wait.h"
#include "host/thread.h"
#include <limits.h>
#include <stdlib.h>

struct event_loop {
    pthread_mutex_t lock; /* the lists, running, stop */
    pthread_cond_t idle;  /* running has changed */
    struct event_timer *timers;
    struct event_watch *watches;
    struct event_poller *pollers;
    struct event_call *calls, **calls_end; /* posted, oldest first */
    const void *running;                   /* the object whose callback runs */
    uint64_t version;                      /* counts changes of the lists but that of calls */
    uint64_t pass;                         /* counts rounds */
    bool started, stop;
    enum thread_kind kind;
    pthread_t thread;

    _Atomic uint64_t asleep_until; /* 0: awake */
    _Atomic bool changed;          /* watches have changed since the array was made */

    struct event_poll {
        struct event_wait *wait;
        uint64_t deadline; /* a poller's */
    } poll;
};

static _Thread_local struct event_loop *current_loop;

bool event_loop_is_current(const struct event_loop *loop)
{
    return current_loop == loop;
}

/*
 * Waking.
 */

static void wake(struct event_loop *loop)
{
    if (atomic_exchange(&loop->asleep_until, 0))
        event_wait_wake(loop->poll.wait);
}

/* Called with the lock held: runs a callback without it. */
static void begin_callback(struct event_loop *loop, const void *object)
{
    loop->running = object;
    pthread_mutex_unlock(&loop->lock);
}

static void end_callback(struct event_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->running = NULL;
    pthread_cond_broadcast(&loop->idle);
}

/* Called with the lock held, after a timer or watch has left its list. */
static void wait_not_running(struct event_loop *loop, const void *object)
{
    if (!event_loop_is_current(loop))
        while (loop->running == object)
            pthread_cond_wait(&loop->idle, &loop->lock);
}

/*
 * Timers.
 */

void event_timer_init(struct event_timer *timer, struct event_loop *loop, void (*fired)(void *ctx),
                      void *ctx)
{
    atomic_init(&timer->deadline, EVENT_NEVER);
    timer->fired = fired;
    timer->ctx = ctx;
    timer->loop = loop;
    timer->pass = 0;
    pthread_mutex_lock(&loop->lock);
    timer->next = loop->timers;
    loop->timers = timer;
    loop->version++;
    pthread_mutex_unlock(&loop->lock);
}

void event_timer_set(struct event_timer *timer, uint64_t deadline)
{
    atomic_store(&timer->deadline, deadline);
    if (deadline < atomic_load(&timer->loop->asleep_until))
        wake(timer->loop);
}

void event_timer_remove(struct event_timer *timer)
{
    struct event_loop *loop = timer->loop;
    pthread_mutex_lock(&loop->lock);
    for (struct event_timer **p = &loop->timers; *p; p = &(*p)->next) {
        if (*p == timer) {
            *p = timer->next;
            loop->version++;
            break;
        }
    }
    wait_not_running(loop, timer);
    pthread_mutex_unlock(&loop->lock);
}

static uint64_t next_deadline(const struct event_loop *loop)
{
    uint64_t least = EVENT_NEVER;
    for (struct event_timer *t = loop->timers; t; t = t->next) {
        uint64_t deadline = atomic_load(&t->deadline);
        if (deadline < least)
            least = deadline;
    }
    return least;
}

/* Each timer fires at most once in a pass, so that one that is set into the past again and again
 * does not keep descriptors waiting. */
static void run_timers(struct event_loop *loop)
{
    uint64_t now = clock_monotonic_ns();
    struct event_timer *t = loop->timers;
    while (t) {
        struct event_timer *next = t->next;
        uint64_t deadline = atomic_load(&t->deadline);
        if (t->pass != loop->pass && deadline <= now &&
            atomic_compare_exchange_strong(&t->deadline, &deadline, EVENT_NEVER)) {
            uint64_t version = loop->version;
            t->pass = loop->pass;
            begin_callback(loop, t);
            t->fired(t->ctx);
            end_callback(loop);
            if (loop->version != version)
                next = loop->timers;
        }
        t = next;
    }
}

/*
 * Descriptors.
 */

#define NO_SLOT UINT_MAX

void event_watch_init(struct event_watch *watch, struct event_loop *loop, int fd, unsigned wanted,
                      void (*ready)(void *ctx, unsigned events), void *ctx)
{
    watch->fd = fd;
    atomic_init(&watch->wanted, wanted);
    watch->ready = ready;
    watch->ctx = ctx;
    watch->loop = loop;
    watch->slot = NO_SLOT;
    pthread_mutex_lock(&loop->lock);
    watch->next = loop->watches;
    loop->watches = watch;
    loop->version++;
    pthread_mutex_unlock(&loop->lock);
    atomic_store(&loop->changed, true);
    wake(loop);
}

void event_watch_set(struct event_watch *watch, unsigned wanted)
{
    unsigned old = atomic_exchange(&watch->wanted, wanted);
    if (!(wanted & ~old))
        return; /* what is no longer wanted is dropped when it comes */
    atomic_store(&watch->loop->changed, true);
    wake(watch->loop);
}

void event_watch_remove(struct event_watch *watch)
{
    struct event_loop *loop = watch->loop;
    pthread_mutex_lock(&loop->lock);
    for (struct event_watch **p = &loop->watches; *p; p = &(*p)->next) {
        if (*p == watch) {
            *p = watch->next;
            loop->version++;
            break;
        }
    }
    wait_not_running(loop, watch);
    pthread_mutex_unlock(&loop->lock);
    /* The thread must not go on waiting for a descriptor that is about to be closed. */
    atomic_store(&loop->changed, true);
    wake(loop);
}

static void list_watches(struct event_loop *loop)
{
    event_wait_clear(loop->poll.wait);
    for (struct event_watch *w = loop->watches; w; w = w->next) {
        unsigned wanted = atomic_load(&w->wanted);
        int slot = wanted ? event_wait_add(loop->poll.wait, w->fd, wanted) : -1;
        w->slot =
            slot < 0 ? NO_SLOT : (unsigned)slot; /* out of memory: it waits for a later round */
    }
}

static void run_watches(struct event_loop *loop)
{
    struct event_watch *w = loop->watches;
    while (w) {
        struct event_watch *next = w->next;
        unsigned slot = w->slot;
        w->slot = NO_SLOT;
        unsigned events = 0;
        if (slot != NO_SLOT) {
            events = event_wait_result(loop->poll.wait, (int)slot);
            if (events & (EVENT_HANGUP | EVENT_ERROR))
                events |= EVENT_READ | EVENT_WRITE;
        }
        events &= atomic_load(&w->wanted);
        if (events) {
            uint64_t version = loop->version;
            begin_callback(loop, w);
            w->ready(w->ctx, events);
            end_callback(loop);
            if (loop->version != version)
                next = loop->watches;
        }
        w = next;
    }
}

/*
 * Pollers.
 */

void event_poller_init(struct event_poller *poller, struct event_loop *loop,
                       void (*prepare)(void *ctx, struct event_poll *poll),
                       void (*done)(void *ctx, const struct event_poll *poll), void *ctx)
{
    *poller = (struct event_poller){.prepare = prepare, .done = done, .ctx = ctx, .loop = loop};
    pthread_mutex_lock(&loop->lock);
    poller->next = loop->pollers;
    loop->pollers = poller;
    loop->version++;
    pthread_mutex_unlock(&loop->lock);
    atomic_store(&loop->changed, true);
    wake(loop);
}

void event_poller_remove(struct event_poller *poller)
{
    struct event_loop *loop = poller->loop;
    pthread_mutex_lock(&loop->lock);
    for (struct event_poller **p = &loop->pollers; *p; p = &(*p)->next) {
        if (*p == poller) {
            *p = poller->next;
            loop->version++;
            break;
        }
    }
    wait_not_running(loop, poller);
    pthread_mutex_unlock(&loop->lock);
    /* Its descriptors may be closed now. */
    atomic_store(&loop->changed, true);
    wake(loop);
}

int event_poll_add(struct event_poll *poll, int fd, unsigned wanted)
{
    return event_wait_add(poll->wait, fd, wanted);
}

void event_poll_until(struct event_poll *poll, uint64_t deadline)
{
    if (deadline < poll->deadline)
        poll->deadline = deadline;
}

unsigned event_poll_result(const struct event_poll *poll, int index)
{
    return event_wait_result(poll->wait, index);
}

/* Each is asked once in a pass, whatever becomes of the list meanwhile. */
static void prepare_pollers(struct event_loop *loop)
{
    loop->poll.deadline = EVENT_NEVER;
    struct event_poller *p = loop->pollers;
    while (p) {
        struct event_poller *next = p->next;
        if (p->pass != loop->pass) {
            uint64_t version = loop->version;
            p->pass = loop->pass;
            begin_callback(loop, p);
            p->prepare(p->ctx, &loop->poll);
            end_callback(loop);
            if (loop->version != version)
                next = loop->pollers;
        }
        p = next;
    }
}

/* Those that were asked before the sleep. */
static void finish_pollers(struct event_loop *loop)
{
    struct event_poller *p = loop->pollers;
    while (p) {
        struct event_poller *next = p->next;
        if (p->pass == loop->pass) {
            uint64_t version = loop->version;
            p->pass = 0;
            begin_callback(loop, p);
            p->done(p->ctx, &loop->poll);
            end_callback(loop);
            if (loop->version != version)
                next = loop->pollers;
        }
        p = next;
    }
}

/*
 * Calls.
 */

void event_call_init(struct event_call *call, struct event_loop *loop, void (*run)(void *ctx),
                     void *ctx)
{
    atomic_init(&call->posted, false);
    call->run = run;
    call->ctx = ctx;
    call->loop = loop;
    call->next = NULL;
}

void event_call_post(struct event_call *call)
{
    struct event_loop *loop = call->loop;
    if (atomic_exchange(&call->posted, true))
        return;
    pthread_mutex_lock(&loop->lock);
    call->next = NULL;
    *loop->calls_end = call;
    loop->calls_end = &call->next;
    pthread_mutex_unlock(&loop->lock);
    wake(loop);
}

void event_call_remove(struct event_call *call)
{
    struct event_loop *loop = call->loop;
    pthread_mutex_lock(&loop->lock);
    wait_not_running(loop, call); /* first: it may post itself again before it ends */
    for (struct event_call **p = &loop->calls; *p; p = &(*p)->next) {
        if (*p == call) {
            *p = call->next;
            if (loop->calls_end == &call->next)
                loop->calls_end = p;
            break;
        }
    }
    pthread_mutex_unlock(&loop->lock);
}

/* Those that are posted now; what they post waits for the next round. */
static void run_calls(struct event_loop *loop)
{
    struct event_call *last = NULL;
    for (struct event_call *c = loop->calls; c; c = c->next)
        last = c;
    bool more = last != NULL;
    while (more && loop->calls) {
        struct event_call *call = loop->calls;
        loop->calls = call->next;
        if (!loop->calls)
            loop->calls_end = &loop->calls;
        more = call != last;
        atomic_store(&call->posted, false);
        begin_callback(loop, call);
        call->run(call->ctx);
        end_callback(loop);
    }
}

/*
 * The thread.
 */

static void *run_loop(void *arg)
{
    struct event_loop *loop = arg;
    current_loop = loop;
    pthread_mutex_lock(&loop->lock);
    while (!loop->stop) {
        loop->pass++;
        run_calls(loop);
        run_timers(loop);

        atomic_store(&loop->changed, false);
        list_watches(loop);
        prepare_pollers(loop);
        uint64_t deadline = next_deadline(loop);
        if (loop->poll.deadline < deadline)
            deadline = loop->poll.deadline;
        atomic_store(&loop->asleep_until, deadline ? deadline : 1);
        bool busy = loop->stop || loop->calls || atomic_load(&loop->changed) ||
                    next_deadline(loop) < deadline;
        pthread_mutex_unlock(&loop->lock);
        /* Descriptors are looked at in every round, however busy calls and timers are. */
        event_wait_sleep(loop->poll.wait, busy ? 0 : deadline);
        atomic_store(&loop->asleep_until, 0);
        pthread_mutex_lock(&loop->lock);
        finish_pollers(loop);
        run_watches(loop);
    }
    pthread_mutex_unlock(&loop->lock);
    return NULL;
}

struct event_loop *event_loop_new(struct error *err)
{
    struct event_loop *loop = calloc(1, sizeof(*loop));
    if (!loop) {
        error_set(err, "not enough memory for an event loop");
        return NULL;
    }
    loop->poll.wait = event_wait_new(err);
    if (!loop->poll.wait) {
        free(loop);
        return NULL;
    }
    pthread_mutex_init(&loop->lock, NULL);
    pthread_cond_init(&loop->idle, NULL);
    loop->calls_end = &loop->calls;
    loop->kind = THREAD_EVENTS;
    return loop;
}

void event_loop_set_kind(struct event_loop *loop, enum thread_kind kind)
{
    loop->kind = kind;
}

bool event_loop_start(struct event_loop *loop, struct error *err)
{
    if (loop->started)
        return true;
    loop->stop = false;
    loop->started = thread_start(&loop->thread, loop->kind, "rvvm-events", run_loop, loop, err);
    return loop->started;
}

void event_loop_stop(struct event_loop *loop)
{
    if (!loop->started)
        return;
    pthread_mutex_lock(&loop->lock);
    loop->stop = true;
    pthread_mutex_unlock(&loop->lock);
    wake(loop);
    pthread_join(loop->thread, NULL);
    loop->started = false;
}

void event_loop_free(struct event_loop *loop)
{
    if (!loop)
        return;
    event_loop_stop(loop);
    event_wait_free(loop->poll.wait);
    pthread_cond_destroy(&loop->idle);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}
