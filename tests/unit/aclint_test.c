/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The ACLINT's timers (src/dev/aclint.c) when a hart, the event loop and a write of mtime are at them at
 * the same time. The event loop is the test's, so that what comes in between comes at a known place.
 * Again: tools/run-tests unit/aclint_test
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dev/aclint.h"
#include "host/clock.h"
#include "host/event_loop.h"
#include <stdlib.h>

#define HOUR (UINT64_C(3600) * ACLINT_TIMEBASE_HZ) /* ticks */
#define HOUR_NS UINT64_C(3600000000000)
#define MTIME 0xbff8

static struct {
    struct device *dev;
    struct event_timer *timers[4]; /* as they were made: for a hart mtimecmp's, then stimecmp's */
    unsigned timer_count;
    void (*meanwhile)(
        void); /* what another thread does just before stimecmp's deadline is stored */
    unsigned expired;
} rig;

/*
 * The event loop
 */

void event_timer_init(struct event_timer *timer, struct event_loop *loop, void (*fired)(void *ctx),
                      void *ctx)
{
    *timer =
        (struct event_timer){.deadline = EVENT_NEVER, .fired = fired, .ctx = ctx, .loop = loop};
    rig.timers[rig.timer_count++] = timer;
}

static struct event_timer *stimer(void)
{
    return rig.timers[1];
}

void event_timer_set(struct event_timer *timer, uint64_t deadline)
{
    void (*meanwhile)(void) = timer == stimer() ? rig.meanwhile : NULL;
    if (meanwhile) {
        rig.meanwhile = NULL;
        meanwhile();
    }
    timer->deadline = deadline;
}

void event_timer_remove(struct event_timer *timer)
{
    timer->deadline = EVENT_NEVER;
}

static void fire(struct event_timer *timer)
{
    timer->deadline = EVENT_NEVER;
    timer->fired(timer->ctx);
}

/*
 * The hart
 */

static void set_wires(void *ctx, unsigned hart, uint64_t bits, bool level)
{
    (void)ctx, (void)hart, (void)bits, (void)level;
}

static void stimer_expired(void *ctx, unsigned hart)
{
    (void)ctx, (void)hart;
    rig.expired++;
}

static int setup(void **state)
{
    (void)state;
    const struct aclint_config config = {
        .wires = {.count = 1, .set = set_wires, .stimer_expired = stimer_expired}};
    rig.timer_count = rig.expired = 0;
    rig.meanwhile = NULL;
    rig.dev = aclint_new(&config, NULL);
    assert_non_null(rig.dev);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig.dev->ops->remove(rig.dev->state);
    return 0;
}

static uint64_t in_hours(unsigned hours)
{
    return aclint_time(rig.dev) + hours * HOUR;
}

/* The timer is set to so many hours from now, give or take what the test has taken. */
static void assert_armed_for(unsigned hours)
{
    uint64_t now = clock_monotonic_ns();
    assert_in_range(stimer()->deadline, now + (hours - 1) * HOUR_NS, now + hours * HOUR_NS + 1000);
}

static void set_to_one_hour(void)
{
    aclint_set_stimer(rig.dev, 0, in_hours(1));
}

static void never(void)
{
    aclint_set_stimer(rig.dev, 0, UINT64_MAX);
}

static void time_jumps_two_hours(void)
{
    rig.dev->ops->write(rig.dev->state, MTIME, 8, in_hours(2));
}

static void a_timer_fires_once_for_the_time_that_was_set(void **state)
{
    (void)state;
    aclint_set_stimer(rig.dev, 0, in_hours(5));
    assert_armed_for(5);
    fire(stimer()); /* too early: a tick's rounding */
    assert_int_equal(rig.expired, 0);
    assert_armed_for(5);
    aclint_set_stimer(rig.dev, 0, aclint_time(rig.dev));
    fire(stimer());
    assert_int_equal(rig.expired, 1);
    never();
    assert_true(stimer()->deadline == EVENT_NEVER);
}

/* The loop's thread has read the old time, and arms the timer for it when the hart has set another. */
static void a_time_that_is_set_while_the_timer_fires_is_kept(void **state)
{
    (void)state;
    aclint_set_stimer(rig.dev, 0, in_hours(5));
    rig.meanwhile = set_to_one_hour;
    fire(stimer());
    assert_armed_for(1);
    aclint_set_stimer(rig.dev, 0, in_hours(5));
    rig.meanwhile = never;
    fire(stimer());
    assert_true(stimer()->deadline == EVENT_NEVER);
}

static void a_time_that_is_set_while_mtime_is_written_is_kept(void **state)
{
    (void)state;
    aclint_set_stimer(rig.dev, 0, in_hours(9));
    rig.meanwhile = set_to_one_hour;
    time_jumps_two_hours();
    assert_armed_for(1);
}

static void mtime_that_is_written_while_a_time_is_set_counts(void **state)
{
    (void)state;
    rig.meanwhile = time_jumps_two_hours;
    aclint_set_stimer(rig.dev, 0, in_hours(5));
    assert_armed_for(3);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_timer_fires_once_for_the_time_that_was_set),
        TEST(a_time_that_is_set_while_the_timer_fires_is_kept),
        TEST(a_time_that_is_set_while_mtime_is_written_is_kept),
        TEST(mtime_that_is_written_while_a_time_is_set_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
