/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The Goldfish real-time clock (Android's virtual hardware documents): 64-bit nanoseconds since
 * 1970, read low half first, which latches the high half; an alarm that raises an interrupt.
 */
#include "dev/goldfish_rtc.h"

#include "host/clock.h"
#include "host/event_loop.h"
#include "machine/fdt.h"
#include <pthread.h>
#include <stdlib.h>

enum {
    TIME_LOW = 0x00,
    TIME_HIGH = 0x04,
    ALARM_LOW = 0x08, /* writing it sets the alarm, high half first */
    ALARM_HIGH = 0x0c,
    IRQ_ENABLED = 0x10,
    CLEAR_ALARM = 0x14,
    ALARM_STATUS = 0x18,
    CLEAR_INTERRUPT = 0x1c,
};

struct goldfish_rtc {
    struct device device;
    struct irq_line irq;
    pthread_mutex_t lock; /* all below */
    uint64_t offset;      /* what the guest's clock is ahead of the host's, ns */
    uint32_t time_high, alarm_high;
    uint64_t alarm;
    bool alarm_set, pending, enabled;
    struct event_timer timer;
};

static uint64_t now(const struct goldfish_rtc *r)
{
    return clock_realtime_ns() + r->offset;
}

static void update(struct goldfish_rtc *r)
{
    irq_set(&r->irq, r->pending && r->enabled);
}

/* The timer runs on the monotonic clock; a step of the host's clock moves the alarm with it. */
static void arm(struct goldfish_rtc *r)
{
    uint64_t time = now(r);
    if (r->alarm_set && r->alarm <= time) {
        r->alarm_set = false;
        r->pending = true;
        update(r);
    }
    uint64_t ahead = r->alarm - time, start = clock_monotonic_ns();
    bool far = !r->alarm_set || ahead > UINT64_MAX - 1 - start;
    event_timer_set(&r->timer, far ? EVENT_NEVER : start + ahead);
}

static void fired(void *ctx)
{
    struct goldfish_rtc *r = ctx;
    pthread_mutex_lock(&r->lock);
    arm(r);
    pthread_mutex_unlock(&r->lock);
}

static uint64_t rtc_read(void *state, uint64_t offset, unsigned size)
{
    (void)size;
    struct goldfish_rtc *r = state;
    uint32_t value = 0;
    pthread_mutex_lock(&r->lock);
    switch (offset) {
    case TIME_LOW: {
        uint64_t time = now(r);
        r->time_high = time >> 32;
        value = time;
        break;
    }
    case TIME_HIGH:
        value = r->time_high;
        break;
    case ALARM_LOW:
        value = r->alarm;
        break;
    case ALARM_HIGH:
        value = r->alarm >> 32;
        break;
    case IRQ_ENABLED:
        value = r->enabled;
        break;
    case ALARM_STATUS:
        value = r->alarm_set;
        break;
    }
    pthread_mutex_unlock(&r->lock);
    return value;
}

static void rtc_write(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    (void)size;
    struct goldfish_rtc *r = state;
    pthread_mutex_lock(&r->lock);
    switch (offset) {
    case TIME_LOW: /* the guest sets its clock, high half first; the host's stays */
        r->offset = ((uint64_t)r->time_high << 32 | (uint32_t)value) - clock_realtime_ns();
        arm(r);
        break;
    case TIME_HIGH:
        r->time_high = value;
        break;
    case ALARM_LOW:
        r->alarm = (uint64_t)r->alarm_high << 32 | (uint32_t)value;
        r->alarm_set = true;
        arm(r);
        break;
    case ALARM_HIGH:
        r->alarm_high = value;
        break;
    case IRQ_ENABLED:
        r->enabled = value & 1;
        update(r);
        break;
    case CLEAR_ALARM:
        r->alarm_set = false;
        arm(r);
        break;
    case CLEAR_INTERRUPT:
        r->pending = false;
        update(r);
        break;
    }
    pthread_mutex_unlock(&r->lock);
}

static void rtc_reset(void *state)
{
    struct goldfish_rtc *r = state;
    pthread_mutex_lock(&r->lock);
    r->offset = 0;
    r->time_high = r->alarm_high = 0;
    r->alarm = 0;
    r->alarm_set = r->pending = r->enabled = false;
    arm(r);
    update(r);
    pthread_mutex_unlock(&r->lock);
}

static bool rtc_describe(void *state, struct fdt *fdt, struct error *err)
{
    (void)err;
    struct goldfish_rtc *r = state;
    dt_begin_node(fdt, "rtc@%llx", (unsigned long long)r->device.base);
    dt_prop_string(fdt, "compatible", "google,goldfish-rtc");
    dt_prop_reg(fdt, r->device.base, r->device.size);
    dt_prop_irq(fdt, r->irq.number);
    dt_end_node(fdt);
    return true;
}

static void rtc_remove(void *state)
{
    struct goldfish_rtc *r = state;
    event_timer_remove(&r->timer);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static const struct device_ops rtc_ops = {
    .name = "goldfish-rtc",
    .access_min = 4,
    .access_max = 4,
    .read = rtc_read,
    .write = rtc_write,
    .reset = rtc_reset,
    .describe = rtc_describe,
    .remove = rtc_remove,
};

struct device *goldfish_rtc_new(const struct goldfish_rtc_config *config, struct error *err)
{
    struct goldfish_rtc *r = calloc(1, sizeof(*r));
    if (!r) {
        error_set(err, "goldfish-rtc: out of memory");
        return NULL;
    }
    r->irq = config->irq;
    pthread_mutex_init(&r->lock, NULL);
    event_timer_init(&r->timer, config->loop, fired, r);
    r->device = (struct device){.ops = &rtc_ops, .state = r, .size = GOLDFISH_RTC_SIZE};
    return &r->device;
}
