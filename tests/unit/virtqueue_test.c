/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Virtqueues (src/dev/virtio/virtqueue.h) against a model of a driver, split and packed: what goes in
 * comes out, nobody waits for a notification that was not sent, and what no driver may do breaks the
 * queue and nothing else. Again: tools/run-tests unit/virtqueue_test
 */
#include "host/aligned.h"
#include "dev/virtio/virtqueue.h"
#include "virtio_driver.h"
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define BASE 0x80000000u
#define MEMORY (1u << 20)
#define TABLES (BASE + 0x20000) /* room for an indirect table of 64 entries for each id */
#define DATA (BASE + 0xc0000)

struct rig {
    uint8_t *memory;
    struct virtq_memory access;
    struct virtq_layout layout;
    struct virtq vq;
    struct driver driver;
    struct iovec iov[64];
    struct virtq_chain chain;
};

static void *map(void *ctx, uint64_t address, size_t size)
{
    struct rig *rig = ctx;
    if (address < BASE || address - BASE > MEMORY || size > MEMORY - (address - BASE))
        return NULL;
    return rig->memory + (address - BASE);
}

static void written(void *ctx, const void *bytes, size_t size)
{
    struct rig *rig = ctx;
    const uint8_t *first = bytes;
    assert_true(first >= rig->memory && first + size <= rig->memory + MEMORY);
}

/* Starts both sides anew. */
static void start(struct rig *rig, bool packed, bool event_idx, uint16_t size)
{
    if (!rig->memory)
        rig->memory = aligned_new(4096, MEMORY);
    memset(rig->memory, 0, MEMORY);
    rig->access = (struct virtq_memory){map, written, rig};
    rig->driver = (struct driver){.memory = rig->memory,
                                  .base = BASE,
                                  .packed = packed,
                                  .event_idx = event_idx,
                                  .size = size};
    driver_start(&rig->driver, BASE);
    rig->layout = (struct virtq_layout){
        .packed = packed,
        .indirect = true,
        .event_idx = event_idx,
        .size = size,
        .desc = rig->driver.desc,
        .driver = rig->driver.driver,
        .device = rig->driver.device,
    };
    rig->chain = (struct virtq_chain){.iov = rig->iov, .iov_max = 64};
    assert_true(virtq_start(&rig->vq, &rig->access, &rig->layout));
}

static void stop(struct rig *rig)
{
    virtq_stop(&rig->vq);
    aligned_free(rig->memory);
    rig->memory = NULL;
}

/* Every kind of ring that there is, one test each. */
struct kind {
    bool packed, event_idx;
    uint16_t size;
};
static const struct kind kinds[] = {
    {false, false, 1}, {false, false, 8}, {false, true, 8}, {false, true, 256},
    {true, false, 1},  {true, false, 8},  {true, true, 7},  {true, true, 256},
};
#define EACH_KIND(k) \
    const struct kind *k = kinds; \
    k < kinds + sizeof(kinds) / sizeof(kinds[0]); \
    k++

static struct driver_part part(uint64_t address, uint32_t size, bool write)
{
    return (struct driver_part){address, size, write};
}

/*
 * Random traffic.
 */

struct flight {
    struct driver_part parts[8];
    unsigned count;
    bool done;
};

static unsigned below(unsigned limit)
{
    return (unsigned)rand() % limit;
}

static void add_random(struct rig *rig, struct flight *flights, uint64_t *added)
{
    struct driver *d = &rig->driver;
    struct flight f = {.count = 1 + below(d->size < 6 ? d->size : 6)};
    unsigned readable = below(f.count + 1);
    for (unsigned i = 0; i < f.count; i++)
        f.parts[i] = part(DATA + below(0x30000), 1 + below(5000), i >= readable);
    int next = driver_free_id(d);
    uint64_t table = below(3) && next >= 0 ? TABLES + 1024u * (unsigned)next % 0x80000 : 0;
    int id = driver_add(d, f.parts, f.count, table);
    if (id < 0)
        return;
    flights[id] = f;
    ++*added;
}

/* The chain is the one that was put in: the same memory in the same order. */
static void check_chain(struct rig *rig, const struct flight *f)
{
    assert_int_equal(rig->chain.out + rig->chain.in, f->count);
    uint64_t in = 0;
    for (unsigned i = 0; i < f->count; i++) {
        assert_ptr_equal(rig->iov[i].iov_base, driver_at(&rig->driver, f->parts[i].address));
        assert_int_equal(rig->iov[i].iov_len, f->parts[i].size);
        assert_int_equal(f->parts[i].write, i >= rig->chain.out);
        in += f->parts[i].write ? f->parts[i].size : 0;
    }
    assert_int_equal(rig->chain.in_size, in);
}

/* Up to three buffers, which are then there again, in their order. */
static void pop_and_think_better_of_it(struct rig *rig, const struct flight *flights)
{
    struct virtq_chain popped[3];
    unsigned count = 0;
    while (count < 3 && virtq_pop(&rig->vq, &rig->chain)) {
        check_chain(rig, &flights[rig->chain.id]);
        popped[count++] = rig->chain;
    }
    for (unsigned i = count; i--;)
        virtq_unpop(&rig->vq, &popped[i]);
    for (unsigned i = 0; i < count; i++) {
        assert_true(virtq_pop(&rig->vq, &rig->chain));
        assert_int_equal(rig->chain.id, popped[i].id);
    }
    for (unsigned i = count; i--;)
        virtq_unpop(&rig->vq, &popped[i]);
}

static void buffers_come_back_once_each_whatever_the_order(void **state)
{
    struct rig rig = {0};
    (void)state;
    for (EACH_KIND(k)) {
        start(&rig, k->packed, k->event_idx, k->size);
        struct flight flights[256];
        struct virtq_chain held[256];
        uint32_t lengths[256];
        unsigned holding = 0;
        uint64_t added = 0, returned = 0;
        srand(1);
        for (unsigned round = 0; round < 20000; round++) {
            if (below(2))
                add_random(&rig, flights, &added);
            if (below(3) == 0)
                pop_and_think_better_of_it(&rig, flights);
            if (below(2) && virtq_pop(&rig.vq, &rig.chain)) {
                check_chain(&rig, &flights[rig.chain.id]);
                held[holding++] = rig.chain;
            }
            if (below(2) && holding) {
                unsigned which = below(holding);
                lengths[held[which].id] = below(100);
                virtq_push(&rig.vq, &held[which], lengths[held[which].id]);
                held[which] = held[--holding];
            }
            if (below(3) == 0)
                virtq_publish(&rig.vq);
            uint32_t length;
            int id = below(2) ? driver_get(&rig.driver, &length) : -1;
            assert_int_not_equal(id, -2);
            if (id >= 0) {
                assert_int_equal(length, lengths[id]);
                returned++;
            }
            assert_null(rig.vq.broken);
        }
        assert_true(added > 1000 && added - returned <= k->size);
        stop(&rig);
    }
}

static void what_is_pushed_is_unseen_until_it_is_published(void **state)
{
    struct rig rig = {0};
    (void)state;
    for (EACH_KIND(k)) {
        if (k->size < 4)
            continue;
        start(&rig, k->packed, k->event_idx, k->size);
        struct driver_part p = part(DATA, 16, true);
        uint32_t length;
        for (unsigned i = 0; i < 3; i++)
            assert_true(driver_add(&rig.driver, &p, 1, 0) >= 0);
        for (unsigned i = 0; i < 3; i++) {
            assert_true(virtq_pop(&rig.vq, &rig.chain));
            virtq_push(&rig.vq, &rig.chain, 7 + i);
        }
        assert_int_equal(driver_get(&rig.driver, &length), -1);
        virtq_publish(&rig.vq);
        for (unsigned i = 0; i < 3; i++) {
            assert_true(driver_get(&rig.driver, &length) >= 0);
            assert_int_equal(length, 7 + i);
        }
        stop(&rig);
    }
}

static void the_ring_is_exhausted_when_all_its_descriptors_are_popped(void **state)
{
    struct rig rig = {0};
    (void)state;
    for (EACH_KIND(k)) {
        const struct driver_part p[2] = {part(DATA, 16, false), part(DATA, 16, true)};
        struct virtq_chain popped[256];
        unsigned count = 0, slots = 0;
        start(&rig, k->packed, k->event_idx, k->size);
        while (slots < k->size) { /* chains of one and of two descriptors, and tables */
            unsigned n = 1 + (count % 3 == 1 && k->size - slots > 1);
            assert_true(driver_add(&rig.driver, p, n, count % 3 == 2 ? TABLES : 0) >= 0);
            assert_false(virtq_is_exhausted(&rig.vq));
            assert_true(virtq_pop(&rig.vq, &rig.chain));
            popped[count++] = rig.chain;
            slots += n;
        }
        assert_true(virtq_is_exhausted(&rig.vq));
        virtq_unpop(&rig.vq, &popped[count - 1]);
        assert_false(virtq_is_exhausted(&rig.vq));
        assert_true(virtq_pop(&rig.vq, &rig.chain));
        assert_true(virtq_is_exhausted(&rig.vq));
        virtq_push(&rig.vq, &popped[0], 0);
        assert_false(virtq_is_exhausted(&rig.vq));
        stop(&rig);
    }
}

static void interrupts_come_when_asked_for_and_only_then(void **state)
{
    struct rig rig = {0};
    (void)state;
    for (EACH_KIND(k)) {
        start(&rig, k->packed, k->event_idx, k->size);
        struct driver_part p = part(DATA, 16, true);
        uint32_t length;
        assert_false(virtq_publish(&rig.vq)); /* nothing to tell of */
        for (unsigned i = 0; i < 3u * k->size + 5; i++) {
            bool calls = i % 3 != 0;
            driver_interrupts(&rig.driver, calls ? DRIVER_CALLS : DRIVER_POLLS);
            assert_true(driver_add(&rig.driver, &p, 1, 0) >= 0);
            assert_true(virtq_pop(&rig.vq, &rig.chain));
            virtq_push(&rig.vq, &rig.chain, 1);
            assert_int_equal(virtq_publish(&rig.vq), calls);
            assert_true(driver_get(&rig.driver, &length) >= 0);
        }
        stop(&rig);
    }
}

static void doorbells_are_asked_for_and_refused(void **state)
{
    struct rig rig = {0};
    (void)state;
    for (EACH_KIND(k)) {
        start(&rig, k->packed, k->event_idx, k->size);
        struct driver_part p = part(DATA, 16, false);
        uint32_t length;
        for (unsigned i = 0; i < 3u * k->size + 5; i++) {
            assert_false(virtq_notify_on(&rig.vq));
            assert_true(driver_add(&rig.driver, &p, 1, 0) >= 0);
            assert_true(driver_must_kick(&rig.driver));
            virtq_notify_off(&rig.vq);
            if (k->size > 1) {
                assert_true(driver_add(&rig.driver, &p, 1, 0) >= 0);
                assert_false(driver_must_kick(&rig.driver));
            }
            assert_true(virtq_pop(&rig.vq, &rig.chain));
            virtq_push(&rig.vq, &rig.chain, 0);
            /* The second one came with no doorbell: that is told. */
            assert_int_equal(virtq_notify_on(&rig.vq), k->size > 1);
            if (virtq_pop(&rig.vq, &rig.chain))
                virtq_push(&rig.vq, &rig.chain, 0);
            virtq_publish(&rig.vq);
            while (driver_get(&rig.driver, &length) >= 0)
                ;
        }
        stop(&rig);
    }
}

/*
 * Both sides at once, each asleep unless the other notifies it.
 */

#define TRAFFIC 20000

struct pair {
    struct rig rig;
    sem_t doorbell, interrupt;
};

static void sleep_for(sem_t *sem)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    assert_int_equal(sem_timedwait(sem, &until), 0); /* else: a notification was lost */
}

static void *device_side(void *arg)
{
    struct pair *pair = arg;
    struct virtq *vq = &pair->rig.vq;
    for (unsigned done = 0; done < TRAFFIC;) {
        virtq_notify_off(vq);
        do {
            while (virtq_pop(vq, &pair->rig.chain)) {
                virtq_push(vq, &pair->rig.chain, 1);
                done++;
                if (done % 3 == 0 && virtq_publish(vq))
                    sem_post(&pair->interrupt);
            }
            if (virtq_publish(vq))
                sem_post(&pair->interrupt);
        } while (virtq_notify_on(vq));
        if (done < TRAFFIC)
            sleep_for(&pair->doorbell);
    }
    return NULL;
}

static void no_notification_is_lost_between_threads(void **state)
{
    struct pair pair = {0};
    (void)state;
    for (EACH_KIND(k)) {
        start(&pair.rig, k->packed, k->event_idx, k->size);
        sem_init(&pair.doorbell, 0, 0);
        sem_init(&pair.interrupt, 0, 0);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, device_side, &pair), 0);
        struct driver *d = &pair.rig.driver;
        struct driver_part p = part(DATA, 16, true);
        unsigned added = 0, returned = 0;
        uint32_t length;
        while (returned < TRAFFIC) {
            while (added < TRAFFIC && driver_add(d, &p, 1, 0) >= 0)
                added++;
            if (driver_must_kick(d))
                sem_post(&pair.doorbell);
            driver_interrupts(d, DRIVER_CALLS);
            unsigned before = returned;
            while (driver_get(d, &length) >= 0)
                returned++;
            if (before == returned)
                sleep_for(&pair.interrupt);
        }
        pthread_join(thread, NULL);
        assert_null(pair.rig.vq.broken);
        sem_destroy(&pair.doorbell);
        sem_destroy(&pair.interrupt);
        stop(&pair.rig);
    }
}

/*
 * What no driver may do.
 */

static void breaks(struct rig *rig, const char *why)
{
    assert_false(virtq_pop(&rig->vq, &rig->chain));
    assert_non_null(rig->vq.broken);
    assert_string_equal(rig->vq.broken, why);
    /* From now on nothing happens to the ring. */
    uint8_t before[4096];
    memcpy(before, rig->memory, sizeof(before));
    rig->vq.popped++;
    virtq_push(&rig->vq, &rig->chain, 1);
    assert_false(virtq_publish(&rig->vq));
    virtq_notify_off(&rig->vq);
    assert_false(virtq_notify_on(&rig->vq));
    assert_memory_equal(before, rig->memory, sizeof(before));
    stop(rig);
}

static void add(struct rig *rig, const struct driver_part *parts, unsigned count, uint64_t table)
{
    assert_true(driver_add(&rig->driver, parts, count, table) >= 0);
}

static void buffers_outside_memory_break_the_queue(void **state)
{
    static const struct driver_part bad[] = {
        {0, 16, false},
        {BASE - 1, 2, true},
        {BASE + MEMORY - 8, 9, true},
        {BASE, UINT32_MAX, false},
        {UINT64_MAX, 1, true},
        {UINT64_MAX - 15, 32, false},
    };
    struct rig rig = {0};
    (void)state;
    for (unsigned packed = 0; packed < 2; packed++)
        for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
            for (unsigned indirect = 0; indirect < 2; indirect++) {
                start(&rig, packed, true, 8);
                add(&rig, &bad[i], 1, indirect ? TABLES : 0);
                breaks(&rig, "a buffer is not in memory");
            }
}

static void memory_to_read_behind_memory_to_write_breaks_the_queue(void **state)
{
    const struct driver_part parts[] = {part(DATA, 8, true), part(DATA, 8, false)};
    struct rig rig = {0};
    (void)state;
    for (unsigned packed = 0; packed < 2; packed++)
        for (unsigned indirect = 0; indirect < 2; indirect++) {
            start(&rig, packed, false, 8);
            add(&rig, parts, 2, indirect ? TABLES : 0);
            breaks(&rig, "memory to read follows memory to write");
        }
}

static void chains_longer_than_the_device_takes_break_the_queue(void **state)
{
    struct driver_part parts[65];
    struct rig rig = {0};
    (void)state;
    for (unsigned i = 0; i < 65; i++)
        parts[i] = part(DATA, 8, true);
    for (unsigned packed = 0; packed < 2; packed++)
        for (unsigned indirect = 0; indirect < 2; indirect++) {
            start(&rig, packed, false, 256);
            add(&rig, parts, 64, indirect ? TABLES : 0);
            assert_true(virtq_pop(&rig.vq, &rig.chain));
            assert_int_equal(rig.chain.in, 64);
            add(&rig, parts, 65, indirect ? TABLES + 4096 : 0);
            breaks(&rig, "a chain is longer than the device takes");
        }
}

static void indirect_tables_that_are_none_break_the_queue(void **state)
{
    static const struct {
        uint64_t address;
        uint32_t size;
        const char *why;
    } bad[] = {
        {TABLES, 0, "the size of an indirect table is none"},
        {TABLES, 24, "the size of an indirect table is none"},
        {TABLES, 16 * 32769u, "the size of an indirect table is none"},
        {TABLES + 1, 16, "an indirect table is not aligned"},
        {BASE + MEMORY, 16, "an indirect table is not in memory"},
        {UINT64_MAX - 15, 32, "an indirect table is not in memory"},
    };
    const struct driver_part good = part(DATA, 8, true);
    struct rig rig = {0};
    (void)state;
    for (unsigned packed = 0; packed < 2; packed++) {
        for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            start(&rig, packed, true, 8);
            add(&rig, &good, 1, TABLES);
            driver_desc(&rig.driver, 0)->address = bad[i].address;
            driver_desc(&rig.driver, 0)->size = bad[i].size;
            breaks(&rig, bad[i].why);
        }
        start(&rig, packed, true, 8);
        rig.vq.indirect = false;
        add(&rig, &good, 1, TABLES);
        breaks(&rig, "an indirect descriptor, which was not agreed on");

        start(&rig, packed, true, 8);
        add(&rig, &good, 1, TABLES);
        struct driver_desc *table = driver_at(&rig.driver, TABLES);
        *(packed ? &table->b : &table->a) |= F_INDIRECT;
        breaks(&rig, "an indirect descriptor in an indirect table");
    }
}

static void indirect_descriptors_stand_at_a_split_chains_end_only(void **state)
{
    const struct driver_part parts[] = {part(DATA, 8, false), part(TABLES, 16, false),
                                        part(DATA + 64, 8, true)};
    struct rig rig = {0};
    (void)state;
    /* At the end it is allowed. */
    start(&rig, false, true, 8);
    driver_fill_table(&rig.driver, TABLES, &parts[2], 1);
    add(&rig, parts, 2, 0);
    driver_desc(&rig.driver, 1)->a |= F_INDIRECT;
    assert_true(virtq_pop(&rig.vq, &rig.chain));
    assert_int_equal(rig.chain.out, 1);
    assert_int_equal(rig.chain.in, 1);
    add(&rig, parts, 3, 0);
    driver_desc(&rig.driver, 3)->a |= F_INDIRECT;
    breaks(&rig, "an indirect descriptor that is not the last");
    /* A packed ring's stand alone. */
    for (unsigned i = 0; i < 2; i++) {
        start(&rig, true, true, 8);
        driver_fill_table(&rig.driver, TABLES, &parts[2], 1);
        add(&rig, parts, 2, 0);
        driver_desc(&rig.driver, i)->address = TABLES;
        driver_desc(&rig.driver, i)->size = 16;
        driver_desc(&rig.driver, i)->b |= F_INDIRECT;
        breaks(&rig, "an indirect descriptor in a chain");
    }
}

static void split_chains_outside_the_table_or_in_a_circle_break_the_queue(void **state)
{
    const struct driver_part parts[] = {part(DATA, 8, false), part(DATA, 8, false)};
    struct rig rig = {0};
    (void)state;
    for (unsigned indirect = 0; indirect < 2; indirect++) {
        for (unsigned next = 0; next < 3; next++) {
            start(&rig, false, true, 8);
            add(&rig, parts, 2, indirect ? TABLES : 0);
            struct driver_desc *table =
                indirect ? driver_at(&rig.driver, TABLES) : driver_desc(&rig.driver, 0);
            table[next == 2 ? 0 : 1].a |= F_NEXT;
            table[next == 2 ? 0 : 1].b = next == 2 ? 8 : next;
            /* A circle of buffers is found by its length, one of nothing by the count. */
            table[0].size = table[1].size = 0;
            breaks(&rig, next == 2 ? "a descriptor outside its table" : "a chain in a circle");
        }
    }
    start(&rig, false, true, 8);
    add(&rig, parts, 1, 0);
    driver_avail(&rig.driver)[2] = 8;
    breaks(&rig, "a descriptor outside its table");
}

static void more_buffers_than_there_is_room_for_break_the_queue(void **state)
{
    const struct driver_part p = part(DATA, 8, false);
    struct rig rig = {0};
    (void)state;
    start(&rig, false, true, 8);
    driver_avail(&rig.driver)[1] = 9;
    breaks(&rig, "more buffers than the ring has room for");
    for (unsigned packed = 0; packed < 2; packed++) {
        start(&rig, packed, true, 8);
        for (unsigned i = 0; i < 8; i++) {
            add(&rig, &p, 1, 0);
            assert_true(virtq_pop(&rig.vq, &rig.chain));
        }
        /* The device has them all: an honest driver would wait. */
        rig.driver.free = 8;
        memset(rig.driver.slot_used, 0, sizeof(rig.driver.slot_used));
        memset(rig.driver.id_used, 0, sizeof(rig.driver.id_used));
        add(&rig, &p, 1, 0);
        breaks(&rig, "more buffers than the ring has room for");
    }
    /* A packed chain that goes round the ring for ever. */
    start(&rig, true, true, 8);
    add(&rig, &p, 1, 0);
    for (unsigned i = 0; i < 8; i++)
        driver_desc(&rig.driver, i)->b |= F_NEXT;
    breaks(&rig, "more buffers than the ring has room for");
}

static void refuses(struct rig *rig, struct virtq_layout layout, const char *why)
{
    assert_false(virtq_start(&rig->vq, &rig->access, &layout));
    assert_string_equal(rig->vq.broken, why);
    assert_false(virtq_pop(&rig->vq, &rig->chain));
}

static void layouts_that_do_not_fit_are_refused(void **state)
{
    struct rig rig = {0};
    (void)state;
    for (unsigned packed = 0; packed < 2; packed++) {
        start(&rig, packed, true, 8);
        struct virtq_layout l = rig.layout;
        l.size = 0;
        refuses(&rig, l, "the size of the ring is out of range");
        l.size = VIRTQ_SIZE_MAX + 1;
        refuses(&rig, l, "the size of the ring is out of range");
        l = rig.layout;
        l.desc += 8;
        refuses(&rig, l, "an area of the ring is not aligned");
        l = rig.layout;
        l.driver++;
        refuses(&rig, l, "an area of the ring is not aligned");
        l = rig.layout;
        l.device += 2;
        refuses(&rig, l, "an area of the ring is not aligned");
        l = rig.layout;
        l.desc = BASE + MEMORY - 112;
        refuses(&rig, l, "an area of the ring is not in memory");
        l = rig.layout;
        l.device = BASE + MEMORY;
        refuses(&rig, l, "an area of the ring is not in memory");
        l = rig.layout;
        l.driver = UINT64_MAX - 3;
        refuses(&rig, l, "an area of the ring is not in memory");
        stop(&rig);
    }
    start(&rig, false, true, 8);
    rig.layout.size = 7;
    refuses(&rig, rig.layout, "the size of the ring is no power of two");
    stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_come_back_once_each_whatever_the_order),
        cmocka_unit_test(what_is_pushed_is_unseen_until_it_is_published),
        cmocka_unit_test(the_ring_is_exhausted_when_all_its_descriptors_are_popped),
        cmocka_unit_test(interrupts_come_when_asked_for_and_only_then),
        cmocka_unit_test(doorbells_are_asked_for_and_refused),
        cmocka_unit_test(no_notification_is_lost_between_threads),
        cmocka_unit_test(buffers_outside_memory_break_the_queue),
        cmocka_unit_test(memory_to_read_behind_memory_to_write_breaks_the_queue),
        cmocka_unit_test(chains_longer_than_the_device_takes_break_the_queue),
        cmocka_unit_test(indirect_tables_that_are_none_break_the_queue),
        cmocka_unit_test(indirect_descriptors_stand_at_a_split_chains_end_only),
        cmocka_unit_test(split_chains_outside_the_table_or_in_a_circle_break_the_queue),
        cmocka_unit_test(more_buffers_than_there_is_room_for_break_the_queue),
        cmocka_unit_test(layouts_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
