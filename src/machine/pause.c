/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Pausing a machine and letting it go on, as a whole or hart by hart, and what harts stop for.
 *
 * The machine pauses when anybody wants it to; a debugger also says what each hart does when it goes
 * on. A hart that comes to a point of the debugger's (cpu/debug.h), or has taken its step, pauses the
 * machine from its own thread; the others are told and rest a moment later.
 */
#include "machine/machine.h"

void machine_stop_harts(struct machine *m)
{
    for (unsigned i = 0; i < m->hart_count; i++)
        if (m->harts[i].running)
            hart_stop(m->harts[i].hart);
}

void machine_await_rest(struct machine *m)
{
    for (unsigned i = 0; i < m->hart_count; i++)
        while (m->harts[i].running)
            pthread_cond_wait(&m->changed, &m->lock);
}

void machine_wake_harts(struct machine *m)
{
    for (unsigned i = 0; i < m->hart_count; i++)
        pthread_cond_signal(&m->harts[i].wake);
}

void machine_changed(struct machine *m)
{
    if (m->on_change)
        m->on_change(m->on_change_ctx);
}

void machine_pause(struct machine *m, enum machine_pause why)
{
    pthread_mutex_lock(&m->lock);
    m->pauses |= why;
    machine_changed(m);
    machine_stop_harts(m);
    machine_await_rest(m);
    pthread_mutex_unlock(&m->lock);
}

void machine_resume(struct machine *m, unsigned whys)
{
    pthread_mutex_lock(&m->lock);
    m->pauses &= ~whys;
    machine_changed(m);
    machine_wake_harts(m);
    pthread_mutex_unlock(&m->lock);
}

unsigned machine_pauses(struct machine *m)
{
    pthread_mutex_lock(&m->lock);
    unsigned pauses = m->pauses;
    pthread_mutex_unlock(&m->lock);
    return pauses;
}

bool machine_rests(struct machine *m)
{
    pthread_mutex_lock(&m->lock);
    bool rests = m->held || m->pauses;
    for (unsigned i = 0; rests && i < m->hart_count; i++)
        rests = !m->harts[i].running;
    pthread_mutex_unlock(&m->lock);
    return rests;
}

bool machine_is_powered(struct machine *m)
{
    pthread_mutex_lock(&m->lock);
    bool powered = m->powered;
    pthread_mutex_unlock(&m->lock);
    return powered;
}

bool machine_reset(struct machine *m)
{
    pthread_mutex_lock(&m->lock);
    const unsigned loads = m->loads;
    const bool powered = m->powered;
    pthread_mutex_unlock(&m->lock);
    if (!powered)
        return false;
    machine_request(m, MACHINE_RESET, 0);
    pthread_mutex_lock(&m->lock);
    while (m->powered && m->loads == loads)
        pthread_cond_wait(&m->changed, &m->lock);
    pthread_mutex_unlock(&m->lock);
    return true;
}

bool machine_may_run(const struct machine_hart *mh)
{
    const struct machine *m = mh->machine;
    return !m->held && !m->pauses && mh->go != MACHINE_GO_REST &&
           atomic_load(&mh->hsm) != HSM_STOPPED;
}

/* A debugger's line of source is many instructions: it asks for steps as long as they stay in it. */
static bool stays_in_range(const struct machine_hart *mh)
{
    return mh->hart->pc - mh->step_first < mh->step_end - mh->step_first;
}

void machine_hart_ran(struct machine_hart *mh)
{
    struct machine *m = mh->machine;
    struct hart *h = mh->hart;
    if (mh->go == MACHINE_GO_STEP && h->stop.kind == DEBUG_NONE && !stays_in_range(mh))
        h->stop = (struct debug_stop){DEBUG_STEP, h->pc};
    if (h->stop.kind == DEBUG_NONE || m->pauses & MACHINE_PAUSE_DEBUGGER)
        return;
    m->pauses |= MACHINE_PAUSE_DEBUGGER;
    machine_changed(m);
    machine_stop_harts(m);
    if (m->on_stop)
        m->on_stop(m->on_stop_ctx);
}
