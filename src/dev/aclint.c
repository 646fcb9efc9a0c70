/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Time and software interrupts: msip words at 0, mtimecmp at 0x4000, mtime at 0xbff8 (SiFive's
 * CLINT; ACLINT specification, MSWI and MTIMER). The service behind stimecmp (Sstc) is here too,
 * since it is the same clock.
 *
 * Time is the host's monotonic clock plus an offset that a write to mtime changes. A comparison
 * that lies ahead arms a timer of the event loop; nothing ticks.
 */
#include "dev/aclint.h"

#include "host/clock.h"
#include "host/event_loop.h"
#include "machine/fdt.h"
#include <stdlib.h>

#define MTIMECMP 0x4000
#define MTIME 0xbff8
#define NS_PER_TICK (1000000000 / ACLINT_TIMEBASE_HZ)

struct comparator {
    struct aclint *aclint;
    unsigned hart;
    _Atomic uint64_t when; /* ticks; UINT64_MAX: never */
    struct event_timer timer;
};

struct aclint {
    struct device device;
    struct hart_wires wires;
    pthread_mutex_t lock;    /* msip, the MTIP wires against mtimecmp, writes of mtime */
    _Atomic uint64_t offset; /* mtime is the host's ticks plus this */
    struct comparator *mtimer;
    struct comparator *stimer;
    bool *msip;
};

static uint64_t host_ticks(void)
{
    return clock_monotonic_ns() / NS_PER_TICK;
}

static uint64_t time_now(const struct aclint *a)
{
    return host_ticks() + atomic_load_explicit(&a->offset, memory_order_relaxed);
}

uint64_t aclint_time(const struct device *dev)
{
    return time_now(dev->state);
}

/* The host's clock when mtime reaches `when`. */
static uint64_t deadline_of(const struct aclint *a, uint64_t when)
{
    uint64_t ticks = when - atomic_load_explicit(&a->offset, memory_order_relaxed);
    if (when == UINT64_MAX || ticks > UINT64_MAX / NS_PER_TICK - 1)
        return EVENT_NEVER;
    return ticks * NS_PER_TICK;
}

/* Under a->lock. */
static void update_mtip(struct aclint *a, struct comparator *c)
{
    uint64_t when = atomic_load(&c->when);
    bool reached = time_now(a) >= when;
    a->wires.set(a->wires.ctx, c->hart, 1u << IRQ_MTI, reached);
    event_timer_set(&c->timer, reached ? EVENT_NEVER : deadline_of(a, when));
}

static void mtimer_fired(void *ctx)
{
    struct comparator *c = ctx;
    pthread_mutex_lock(&c->aclint->lock);
    update_mtip(c->aclint, c);
    pthread_mutex_unlock(&c->aclint->lock);
}

/*
 * No lock keeps the hart, the loop's thread and a write of mtime from arming the timer at the same time.
 * Each looks once more afterwards, so that the last of them arms it for what holds by then.
 */
static void arm_stimer(struct aclint *a, struct comparator *c)
{
    uint64_t when, offset;
    do {
        when = atomic_load(&c->when);
        offset = atomic_load(&a->offset);
        event_timer_set(&c->timer, deadline_of(a, when));
    } while (atomic_load(&c->when) != when || atomic_load(&a->offset) != offset);
}

void aclint_set_stimer(struct device *dev, unsigned hart, uint64_t when)
{
    struct aclint *a = dev->state;
    atomic_store(&a->stimer[hart].when, when);
    arm_stimer(a, &a->stimer[hart]);
}

static void stimer_fired(void *ctx)
{
    struct comparator *c = ctx;
    struct aclint *a = c->aclint;
    if (time_now(a) >= atomic_load(&c->when))
        a->wires.stimer_expired(a->wires.ctx, c->hart);
    else /* a tick's rounding, or it was moved meanwhile */
        arm_stimer(a, c);
}

/* mtime jumped: every comparison is looked at again. */
static void set_time(struct aclint *a, uint64_t time)
{
    pthread_mutex_lock(&a->lock);
    atomic_store(&a->offset, time - host_ticks());
    for (unsigned i = 0; i < a->wires.count; i++)
        update_mtip(a, &a->mtimer[i]);
    pthread_mutex_unlock(&a->lock);
    for (unsigned i = 0; i < a->wires.count; i++) {
        a->wires.stimer_expired(a->wires.ctx, i);
        arm_stimer(a, &a->stimer[i]);
    }
}

/* One half or the whole of a 64-bit register. */
static uint64_t part_of(uint64_t value, uint64_t offset, unsigned size)
{
    return size == 8 ? value : (uint32_t)(value >> (offset & 4 ? 32 : 0));
}

static uint64_t with_part(uint64_t old, uint64_t offset, unsigned size, uint64_t value)
{
    if (size == 8)
        return value;
    unsigned shift = offset & 4 ? 32 : 0;
    return (old & ~(UINT64_C(0xffffffff) << shift)) | (uint64_t)(uint32_t)value << shift;
}

static uint64_t aclint_read(void *state, uint64_t offset, unsigned size)
{
    struct aclint *a = state;
    uint64_t value = 0;
    if (offset >= MTIME && offset < MTIME + 8)
        return part_of(time_now(a), offset, size);
    unsigned compare = (offset - MTIMECMP) / 8, software = offset / 4;
    if (offset >= MTIMECMP && compare < a->wires.count)
        return part_of(atomic_load(&a->mtimer[compare].when), offset, size);
    pthread_mutex_lock(&a->lock);
    if (software < a->wires.count)
        value = a->msip[software];
    if (size == 8 && software + 1 < a->wires.count)
        value |= (uint64_t)a->msip[software + 1] << 32;
    pthread_mutex_unlock(&a->lock);
    return value;
}

static void set_msip(struct aclint *a, unsigned hart, bool level)
{
    if (hart >= a->wires.count)
        return;
    pthread_mutex_lock(&a->lock);
    a->msip[hart] = level;
    a->wires.set(a->wires.ctx, hart, 1u << IRQ_MSI, level);
    pthread_mutex_unlock(&a->lock);
}

static void aclint_write(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    struct aclint *a = state;
    if (offset >= MTIME && offset < MTIME + 8) {
        set_time(a, with_part(time_now(a), offset, size, value));
    } else if (offset >= MTIMECMP) {
        unsigned hart = (offset - MTIMECMP) / 8;
        if (hart >= a->wires.count)
            return;
        struct comparator *c = &a->mtimer[hart];
        pthread_mutex_lock(&a->lock);
        atomic_store(&c->when, with_part(atomic_load(&c->when), offset, size, value));
        update_mtip(a, c);
        pthread_mutex_unlock(&a->lock);
    } else {
        set_msip(a, offset / 4, value & 1);
        if (size == 8)
            set_msip(a, offset / 4 + 1, value >> 32 & 1);
    }
}

static void aclint_reset(void *state)
{
    struct aclint *a = state;
    for (unsigned i = 0; i < a->wires.count; i++) {
        set_msip(a, i, false);
        aclint_write(a, MTIMECMP + 8 * i, 8, UINT64_MAX);
        aclint_set_stimer(&a->device, i, UINT64_MAX);
    }
    set_time(a, 0);
}

static bool aclint_describe(void *state, struct fdt *fdt, struct error *err)
{
    (void)err;
    struct aclint *a = state;
    uint32_t cells[4 * HART_WIRES_MAX];
    unsigned n = 0;
    for (unsigned i = 0; i < a->wires.count; i++) {
        cells[n++] = DT_INTC0 + i;
        cells[n++] = IRQ_MSI;
        cells[n++] = DT_INTC0 + i;
        cells[n++] = IRQ_MTI;
    }
    dt_begin_node(fdt, "clint@%llx", (unsigned long long)a->device.base);
    dt_prop_strings(fdt, "compatible", "sifive,clint0", "riscv,clint0", NULL);
    dt_prop_reg(fdt, a->device.base, a->device.size);
    dt_prop_cells(fdt, "interrupts-extended", cells, n);
    dt_end_node(fdt);
    return true;
}

static void aclint_remove(void *state)
{
    struct aclint *a = state;
    for (unsigned i = 0; i < a->wires.count; i++) {
        event_timer_remove(&a->mtimer[i].timer);
        event_timer_remove(&a->stimer[i].timer);
    }
    pthread_mutex_destroy(&a->lock);
    free(a->mtimer);
    free(a->stimer);
    free(a->msip);
    free(a);
}

static const struct device_ops aclint_ops = {
    .name = "aclint",
    .access_min = 4,
    .access_max = 8,
    .read = aclint_read,
    .write = aclint_write,
    .reset = aclint_reset,
    .describe = aclint_describe,
    .remove = aclint_remove,
};

struct device *aclint_new(const struct aclint_config *config, struct error *err)
{
    unsigned count = config->wires.count;
    struct aclint *a = calloc(1, sizeof(*a));
    if (a) {
        a->mtimer = calloc(count, sizeof(*a->mtimer));
        a->stimer = calloc(count, sizeof(*a->stimer));
        a->msip = calloc(count, sizeof(*a->msip));
    }
    if (!a || !a->mtimer || !a->stimer || !a->msip) {
        if (a)
            free(a->mtimer), free(a->stimer), free(a->msip);
        free(a);
        error_set(err, "aclint: out of memory");
        return NULL;
    }
    a->wires = config->wires;
    a->device = (struct device){.ops = &aclint_ops, .state = a, .size = ACLINT_SIZE};
    atomic_store(&a->offset, 0 - host_ticks());
    pthread_mutex_init(&a->lock, NULL);
    for (unsigned i = 0; i < count; i++) {
        struct comparator *m = &a->mtimer[i], *s = &a->stimer[i];
        *m = (struct comparator){.aclint = a, .hart = i, .when = UINT64_MAX};
        *s = (struct comparator){.aclint = a, .hart = i, .when = UINT64_MAX};
        event_timer_init(&m->timer, config->loop, mtimer_fired, m);
        event_timer_init(&s->timer, config->loop, stimer_fired, s);
    }
    return &a->device;
}
