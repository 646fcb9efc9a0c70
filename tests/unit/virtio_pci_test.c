/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The virtio transport over PCI (src/dev/virtio/virtio_pci.c, virtio.c) with a device of its own that
 * sends back what it gets: status, features, queues, resets with buffers under way, interrupts.
 * Again: tools/run-tests unit/virtio_pci_test
 */
#include "dev/virtio/virtio.h"
#include "virtio_rig.h"
#include <stdio.h>

#define ECHO_QUEUES 3
#define ECHO_FEATURE (UINT64_C(1) << 5)

/* Serves its queues on the thread that rings, which no real device does. */
struct echo {
    struct virtio *virtio;
    bool hold; /* keep what is popped, until it is told to go on or to stop */
    struct virtq_chain held;
    struct iovec iov[8], held_iov[8];
    struct virtio_queue *held_of;
    bool gives_up; /* stop() pushes what is held */
    unsigned resets, removed;
    uint64_t agreed;
    unsigned *gone;
};

static void echo_notify(void *state, unsigned queue)
{
    struct echo *e = state;
    struct virtq_chain chain = {.iov = e->iov, .iov_max = 8};
    uint8_t bytes[64];
    struct virtio_queue *q = virtio_begin(e->virtio, queue);
    if (!q)
        return;
    do {
        while (virtio_pop(q, &chain)) {
            if (e->hold) {
                memcpy(e->held_iov, e->iov, sizeof(e->iov));
                e->held = chain;
                e->held.iov = e->held_iov;
                e->held_of = q;
                continue;
            }
            size_t n = virtq_chain_read(&chain, 0, bytes, sizeof(bytes));
            virtio_push(q, &chain, (uint32_t)virtq_chain_write(&chain, 0, bytes, n));
        }
    } while (virtio_notify_on(q));
    virtio_end(q);
}

static void echo_go_on(struct echo *e)
{
    struct virtio_queue *q = virtio_begin(e->virtio, virtio_queue_index(e->held_of));
    assert_ptr_equal(q, e->held_of);
    virtio_push(q, &e->held, 0);
    e->held_of = NULL;
    virtio_end(q);
}

static void echo_stop(void *state, struct virtio_queue *q)
{
    struct echo *e = state;
    if (!e->gives_up || e->held_of != q)
        return;
    virtio_push(q, &e->held, 0);
    e->held_of = NULL;
}

static bool echo_config_written(void *state, uint8_t *bytes, unsigned offset, unsigned size)
{
    (void)state;
    return offset == 0 && size == 1 && bytes[0] < 100;
}

static void echo_agreed(void *state, uint64_t features, uint8_t *config)
{
    ((struct echo *)state)->agreed = features;
    config[5] = features & ECHO_FEATURE ? 0xec : 6;
}

static void echo_reset(void *state)
{
    ((struct echo *)state)->resets++;
}

static void echo_remove(void *state)
{
    struct echo *e = state;
    if (e->gone)
        ++*e->gone;
    free(e);
}

static const struct virtio_ops echo_ops = {
    .name = "echo",
    .id = VIRTIO_ID_ENTROPY,
    .class_code = 0x00ff00,
    .notify = echo_notify,
    .stop = echo_stop,
    .config_written = echo_config_written,
    .agreed = echo_agreed,
    .reset = echo_reset,
    .remove = echo_remove,
};

static struct pci_function *echo_new(struct echo **echo)
{
    static const uint8_t config[6] = {1, 2, 3, 4, 5, 6};
    struct echo *e = calloc(1, sizeof(*e));
    struct virtio_config virtio = {
        .ops = &echo_ops,
        .state = e,
        .features = ECHO_FEATURE,
        .queues = ECHO_QUEUES,
        .queue_size = 16,
        .config = config,
        .config_size = sizeof(config),
    };
    *echo = e;
    return virtio_pci_new(&e->virtio, &virtio, NULL);
}

static struct vrig *plug(struct echo **echo)
{
    return vrig_new(echo_new(echo));
}

/* With queue 0 running. */
static struct vrig *start(struct echo **echo, uint64_t features)
{
    struct vrig *v = plug(echo);
    vrig_negotiate(v, features);
    vrig_queue(v, 0, 8);
    vrig_go(v);
    return v;
}

static void says_what_it_is(void **state)
{
    struct echo *e;
    struct vrig *v = plug(&e);
    (void)state;
    assert_int_equal(vrig_config(v, PCI_VENDOR_ID, 4), 0x10441af4);
    assert_int_equal(vrig_config(v, PCI_REVISION_ID, 1), 1);
    assert_int_equal(vrig_get(v, 0x12, 2), ECHO_QUEUES);
    assert_int_equal(vrig_offered(v), ECHO_FEATURE | F_INDIRECT_DESC | F_EVENT_IDX | F_VERSION_1 |
                                          F_RING_PACKED | F_RING_RESET);
    vrig_set(v, 0x00, 4, 2); /* features from 64 on */
    assert_int_equal(vrig_get(v, 0x04, 4), 0);
    /* Configuration, at any offset in any size. */
    assert_int_equal(rig_read(v->pci, v->device, 4), 0x04030201);
    assert_int_equal(rig_read(v->pci, v->device + 4, 2), 0x0605);
    assert_int_equal(rig_read(v->pci, v->device + 4, 4), 0x0605);
    assert_int_equal(rig_read(v->pci, v->device + 8, 4), 0);
    vrig_free(v);
}

static void features_that_are_not_offered_are_refused(void **state)
{
    static const uint64_t bad[] = {0, ECHO_FEATURE, F_VERSION_1 | 1, F_VERSION_1 | 1ull << 63};
    struct echo *e;
    struct vrig *v = plug(&e);
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        vrig_reset(v);
        vrig_set_status(v, STATUS_ACK | STATUS_DRIVER);
        vrig_write_features(v, bad[i]);
        vrig_set_status(v, STATUS_ACK | STATUS_DRIVER | STATUS_FEATURES);
        assert_int_equal(vrig_status(v), STATUS_ACK | STATUS_DRIVER);
        /* And so the device does not start. */
        vrig_set(v, 0x1c, 2, 1);
        assert_int_equal(vrig_get(v, 0x1c, 2), 0);
        vrig_set_status(v, STATUS_ACK | STATUS_DRIVER | STATUS_OK);
        assert_int_equal(vrig_status(v), STATUS_ACK | STATUS_DRIVER);
        assert_int_equal(e->agreed, 0);
    }
    vrig_negotiate(v, ECHO_FEATURE);
    assert_int_equal(e->agreed, ECHO_FEATURE | F_VERSION_1);
    vrig_write_features(v, 0); /* too late */
    vrig_set(v, 0x08, 4, 0);
    assert_int_equal(vrig_get(v, 0x0c, 4), ECHO_FEATURE);
    vrig_free(v);
}

static void buffers_go_there_and_back(void **state)
{
    static const uint64_t formats[] = {0, F_EVENT_IDX, F_RING_PACKED, F_RING_PACKED | F_EVENT_IDX};
    (void)state;
    for (unsigned f = 0; f < 4; f++) {
        struct echo *e;
        struct vrig *v = start(&e, formats[f] | F_INDIRECT_DESC);
        for (unsigned i = 0; i < 40; i++) {
            char text[32];
            int size = snprintf(text, sizeof(text), "message %u", i);
            assert_int_equal(vrig_send(v, 0, text, (uint32_t)size, VRIG_DATA + 0x1000, 32), size);
            assert_memory_equal(driver_at(&v->queues[0], VRIG_DATA + 0x1000), text, size);
        }
        vrig_free(v);
    }
}

static void buffers_from_before_driver_ok_wait_for_it(void **state)
{
    struct echo *e;
    struct vrig *v = plug(&e);
    struct driver_part p = {VRIG_DATA, 8, true};
    uint32_t written;
    (void)state;
    vrig_negotiate(v, 0);
    vrig_queue(v, 0, 8);
    driver_add(&v->queues[0], &p, 1, 0);
    vrig_ring(v, 0);
    assert_int_equal(driver_get(&v->queues[0], &written), -1);
    vrig_go(v);
    assert_true(driver_get(&v->queues[0], &written) >= 0);
    vrig_free(v);
}

static void queues_stay_as_they_are_while_enabled(void **state)
{
    struct echo *e;
    struct vrig *v = start(&e, 0);
    (void)state;
    vrig_set(v, 0x18, 2, 4);
    assert_int_equal(vrig_get(v, 0x18, 2), 8);
    vrig_set(v, 0x20, 4, 0x1234);
    assert_int_equal(vrig_get(v, 0x20, 4), v->queues[0].desc);
    vrig_set(v, 0x1c, 2, 0); /* only a reset disables it */
    assert_int_equal(vrig_get(v, 0x1c, 2), 1);
    /* Sizes that are none. */
    vrig_set(v, 0x16, 2, 1);
    vrig_set(v, 0x18, 2, 0);
    assert_int_equal(vrig_get(v, 0x18, 2), 16);
    vrig_set(v, 0x18, 2, 17);
    assert_int_equal(vrig_get(v, 0x18, 2), 16);
    vrig_set(v, 0x18, 2, 12); /* a split ring is a power of two */
    assert_int_equal(vrig_get(v, 0x18, 2), 16);
    vrig_negotiate(v, F_RING_PACKED);
    vrig_set(v, 0x16, 2, 1);
    vrig_set(v, 0x18, 2, 12); /* and a packed one need not be */
    assert_int_equal(vrig_get(v, 0x18, 2), 12);
    /* There is no such queue. */
    vrig_set(v, 0x16, 2, ECHO_QUEUES);
    assert_int_equal(vrig_get(v, 0x18, 2), 0);
    vrig_set(v, 0x1c, 2, 1);
    assert_int_equal(vrig_get(v, 0x1c, 2), 0);
    vrig_ring(v, ECHO_QUEUES);
    vrig_free(v);
}

static void fields_are_accessed_as_a_whole_or_not(void **state)
{
    struct echo *e;
    struct vrig *v = plug(&e);
    (void)state;
    vrig_set(v, 0x16, 2, 1);
    vrig_set(v, 0x16, 1, 2);
    vrig_set(v, 0x14, 4, 0x00020003); /* status, generation and select at once: no field */
    assert_int_equal(vrig_status(v), 0);
    assert_int_equal(vrig_get(v, 0x16, 2), 1);
    assert_int_equal(vrig_get(v, 0x18, 1), 0);
    assert_int_equal(vrig_get(v, 0x16, 1), 0);
    assert_int_equal(rig_read(v->pci, v->common + 0x3c, 4), 0);
    assert_int_equal(rig_read(v->pci, v->common + 0xffc, 4), 0);
    vrig_free(v);
}

static void resets_wait_for_buffers_under_way(void **state)
{
    struct echo *e;
    struct vrig *v = start(&e, 0);
    struct driver_part p = {VRIG_DATA, 8, true};
    (void)state;
    unsigned resets = e->resets;
    e->hold = true;
    driver_add(&v->queues[0], &p, 1, 0);
    vrig_ring(v, 0);
    assert_non_null(e->held_of);
    vrig_set_status(v, 0);
    assert_int_not_equal(vrig_status(v), 0);
    assert_int_equal(e->resets, resets);
    vrig_set_status(v, STATUS_ACK); /* it is not the time for that */
    vrig_set_status(v, 0);
    assert_int_not_equal(vrig_status(v), STATUS_ACK);
    echo_go_on(e);
    assert_int_equal(vrig_status(v), 0);
    assert_int_equal(e->resets, resets + 1);
    assert_int_equal(vrig_get(v, 0x1c, 2), 0);
    assert_int_equal(vrig_get(v, 0x18, 2), 16);
    vrig_free(v);
}

static void resets_do_not_wait_for_what_the_device_gives_up(void **state)
{
    struct echo *e;
    struct vrig *v = start(&e, 0);
    struct driver_part p = {VRIG_DATA, 8, true};
    (void)state;
    e->hold = e->gives_up = true;
    driver_add(&v->queues[0], &p, 1, 0);
    vrig_ring(v, 0);
    vrig_set_status(v, 0);
    assert_int_equal(vrig_status(v), 0);
    assert_null(e->held_of);
    vrig_free(v);
}

static void single_queues_can_be_reset(void **state)
{
    struct echo *e;
    struct vrig *v = plug(&e);
    struct driver_part p = {VRIG_DATA, 8, true};
    (void)state;
    vrig_negotiate(v, F_RING_RESET);
    vrig_queue(v, 0, 8);
    vrig_queue(v, 1, 8);
    vrig_go(v);
    e->hold = true;
    driver_add(&v->queues[1], &p, 1, 0);
    vrig_ring(v, 1);
    vrig_set(v, 0x3a, 2, 1);
    assert_int_equal(vrig_get(v, 0x3a, 2), 1);
    assert_int_equal(vrig_get(v, 0x1c, 2), 1);
    e->hold = false;
    assert_int_equal(vrig_send(v, 0, "other", 5, VRIG_DATA + 64, 8), 5); /* the others go on */
    echo_go_on(e);
    assert_int_equal(vrig_get(v, 0x3a, 2), 0);
    assert_int_equal(vrig_get(v, 0x1c, 2), 0);
    vrig_queue(v, 1, 4);
    assert_int_equal(vrig_send(v, 1, "again", 5, VRIG_DATA + 64, 8), 5);
    vrig_set(v, 0x3a, 2, 1); /* with nothing under way it is done at once */
    assert_int_equal(vrig_get(v, 0x3a, 2), 0);
    assert_int_equal(vrig_get(v, 0x1c, 2), 0);
    vrig_free(v);
}

/* The device's reset while one of its queues is being reset waits for that too. */
static void a_device_reset_takes_over_a_queue_reset(void **state)
{
    struct echo *e;
    struct vrig *v = start(&e, F_RING_RESET);
    struct driver_part p = {VRIG_DATA, 8, true};
    (void)state;
    e->hold = true;
    driver_add(&v->queues[0], &p, 1, 0);
    vrig_ring(v, 0);
    vrig_set(v, 0x3a, 2, 1);
    vrig_set_status(v, 0);
    assert_int_not_equal(vrig_status(v), 0);
    echo_go_on(e);
    assert_int_equal(vrig_status(v), 0);
    assert_int_equal(vrig_get(v, 0x3a, 2), 0);
    vrig_free(v);
}

static void broken_rings_need_a_reset(void **state)
{
    struct echo *e;
    struct vrig *v = start(&e, 0);
    struct driver_part p = {0, 8, true};
    uint32_t written;
    (void)state;
    driver_add(&v->queues[0], &p, 1, 0);
    vrig_ring(v, 0);
    assert_true(vrig_status(v) & STATUS_BROKEN);
    assert_true(v->pci->wire[1]); /* INTA of slot 1 */
    assert_int_equal(rig_read(v->pci, v->isr, 1), ISR_CONFIG);
    p.address = VRIG_DATA;
    driver_add(&v->queues[0], &p, 1, 0);
    vrig_ring(v, 0);
    assert_int_equal(driver_get(&v->queues[0], &written), -1);
    vrig_set_status(v, vrig_status(v) & ~STATUS_BROKEN); /* it is not the driver's to say */
    assert_true(vrig_status(v) & STATUS_BROKEN);
    vrig_negotiate(v, 0);
    vrig_queue(v, 0, 8);
    vrig_go(v);
    assert_int_equal(vrig_send(v, 0, "well", 4, VRIG_DATA + 64, 8), 4);
    vrig_free(v);
}

static void rings_outside_memory_need_a_reset(void **state)
{
    struct echo *e;
    struct vrig *v = plug(&e);
    (void)state;
    vrig_negotiate(v, 0);
    vrig_queue_address(v, 0x20, 0x1000);
    vrig_set(v, 0x1c, 2, 1);
    assert_true(vrig_status(v) & STATUS_BROKEN);
    vrig_go(v);
    vrig_ring(v, 0);
    vrig_reset(v);
    vrig_free(v);
}

static void interrupts_by_wire_show_what_happened(void **state)
{
    struct echo *e;
    struct vrig *v = start(&e, 0);
    (void)state;
    assert_false(v->pci->wire[1]);
    vrig_send(v, 0, "a", 1, VRIG_DATA + 64, 8);
    assert_true(v->pci->wire[1]);
    uint8_t generation = (uint8_t)vrig_get(v, 0x15, 1);
    virtio_set_config(e->virtio, 2, "\x30", 1);
    assert_int_equal(rig_read(v->pci, v->device, 4), 0x04300201);
    assert_int_not_equal(vrig_get(v, 0x15, 1), generation);
    assert_int_equal(rig_read(v->pci, v->isr, 1), ISR_QUEUE | ISR_CONFIG);
    assert_false(v->pci->wire[1]);
    assert_int_equal(rig_read(v->pci, v->isr, 1), 0);
    /* The driver may want none. */
    driver_interrupts(&v->queues[0], DRIVER_POLLS);
    vrig_send(v, 0, "b", 1, VRIG_DATA + 64, 8);
    assert_false(v->pci->wire[1]);
    /* What the device says by itself holds for the next driver too. */
    vrig_reset(v);
    assert_int_equal(rig_read(v->pci, v->device, 4), 0x04300201);
    vrig_free(v);
}

/* Changes that the driver has not looked at are one, however many: 8 bits do not come round to what they were. */
static void the_generation_changes_with_what_the_driver_reads(void **state)
{
    struct echo *e;
    struct vrig *v = start(&e, 0);
    (void)state;
    rig_read(v->pci, v->device, 1);
    uint8_t generation = (uint8_t)vrig_get(v, 0x15, 1);
    rig_read(v->pci, v->device, 4);
    assert_int_equal(vrig_get(v, 0x15, 1), generation);
    for (unsigned i = 0; i < 256; i++)
        virtio_set_config(e->virtio, 2, &(uint8_t){(uint8_t)i}, 1);
    rig_read(v->pci, v->device, 4);
    assert_int_not_equal(vrig_get(v, 0x15, 1), generation);
    generation = (uint8_t)vrig_get(v, 0x15, 1);
    vrig_negotiate(v, ECHO_FEATURE); /* which this device makes a difference */
    assert_int_equal(rig_read(v->pci, v->device + 4, 2), 0xec05);
    assert_int_not_equal(vrig_get(v, 0x15, 1), generation);
    vrig_free(v);
}

/* 2.4.1, 4.1.5.1.2.1: the next driver finds no interrupt of this one's, and no vectors. */
static void a_reset_ends_interrupts_and_unmaps_vectors(void **state)
{
    struct echo *e;
    struct vrig *v = start(&e, 0);
    (void)state;
    vrig_set(v, 0x10, 2, 1);
    vrig_set(v, 0x1a, 2, 2);
    vrig_send(v, 0, "a", 1, VRIG_DATA + 64, 8);
    virtio_set_config(e->virtio, 2, "x", 1);
    assert_true(v->pci->wire[1]);
    vrig_set_status(v, 0);
    assert_int_equal(vrig_status(v), 0);
    assert_false(v->pci->wire[1]);
    assert_int_equal(rig_read(v->pci, v->isr, 1), 0);
    assert_int_equal(vrig_get(v, 0x10, 2), 0xffff);
    assert_int_equal(vrig_get(v, 0x1a, 2), 0xffff);
    vrig_free(v);
}

static void interrupts_by_message_have_vectors(void **state)
{
    struct echo *e;
    struct vrig *v = plug(&e);
    (void)state;
    assert_int_equal(vrig_enable_msix(v), ECHO_QUEUES + 1);
    vrig_negotiate(v, 0);
    assert_int_equal(vrig_get(v, 0x10, 2), 0xffff);
    vrig_set(v, 0x10, 2, ECHO_QUEUES + 1); /* there is no such vector */
    assert_int_equal(vrig_get(v, 0x10, 2), 0xffff);
    vrig_set(v, 0x10, 2, 0);
    vrig_queue(v, 0, 8);
    vrig_set(v, 0x1a, 2, 2);
    assert_int_equal(vrig_get(v, 0x1a, 2), 2);
    vrig_queue(v, 1, 8); /* has no vector */
    vrig_go(v);
    vrig_send(v, 0, "a", 1, VRIG_DATA + 64, 8);
    assert_int_equal(v->pci->messages, 1);
    assert_int_equal(v->pci->message[0].data, 102);
    vrig_send(v, 1, "a", 1, VRIG_DATA + 64, 8);
    assert_int_equal(v->pci->messages, 1);
    virtio_set_config(e->virtio, 0, "x", 1);
    assert_int_equal(v->pci->messages, 2);
    assert_int_equal(v->pci->message[1].data, 100);
    assert_false(v->pci->wire[1]);
    assert_int_equal(rig_read(v->pci, v->isr, 1), 0);
    vrig_free(v);
}

static void only_what_the_device_allows_is_written_to_its_configuration(void **state)
{
    struct echo *e;
    struct vrig *v = start(&e, 0);
    (void)state;
    rig_write(v->pci, v->device, 1, 77);
    rig_write(v->pci, v->device + 1, 1, 77);
    rig_write(v->pci, v->device + 5, 4, 77);
    rig_write(v->pci, v->device + 0x800, 4, 77);
    assert_int_equal(rig_read(v->pci, v->device, 4), 0x0403024d);
    rig_write(v->pci, v->device, 1, 100);
    assert_int_equal(rig_read(v->pci, v->device, 1), 77);
    vrig_reset(v);
    assert_int_equal(rig_read(v->pci, v->device, 4), 0x04030201);
    vrig_free(v);
}

static void nothing_is_served_while_bus_mastering_is_off(void **state)
{
    struct echo *e;
    struct vrig *v = start(&e, 0);
    struct driver_part p = {VRIG_DATA, 8, true};
    uint32_t written;
    (void)state;
    vrig_set_config(v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    driver_add(&v->queues[0], &p, 1, 0);
    vrig_ring(v, 0);
    assert_int_equal(driver_get(&v->queues[0], &written), -1);
    vrig_set_config(v, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    vrig_ring(v, 0);
    assert_true(driver_get(&v->queues[0], &written) >= 0);
    vrig_free(v);
}

/* 4.1.4.9: firmware that cannot reach BARs goes through config space. */
static void structures_can_be_reached_through_config_space(void **state)
{
    struct echo *e;
    struct vrig *v = start(&e, 0);
    (void)state;
    struct {
        unsigned offset, size;
        uint32_t value;
    } fields[] = {{0x12, 2, ECHO_QUEUES},
                  {0x14, 1, STATUS_ACK | STATUS_DRIVER | STATUS_OK | STATUS_FEATURES},
                  {(unsigned)(v->device - VRIG_BAR), 4, 0x04030201}};
    for (unsigned i = 0; i < 3; i++) {
        vrig_set_config(v, v->window + 4, 1, 0);
        vrig_set_config(v, v->window + 8, 4, fields[i].offset);
        vrig_set_config(v, v->window + 12, 4, fields[i].size);
        assert_int_equal(vrig_config(v, v->window + 16, fields[i].size), fields[i].value);
    }
    vrig_set_config(v, v->window + 8, 4, 0x16);
    vrig_set_config(v, v->window + 12, 4, 2);
    vrig_set_config(v, v->window + 16, 2, 2);
    assert_int_equal(vrig_get(v, 0x16, 2), 2);
    /* What leads nowhere does nothing: other BARs, other sizes, odd places. */
    static const struct {
        uint32_t bar, offset, size;
    } bad[] = {{1, 0x16, 2}, {0, 0x16, 3}, {0, 0x16, 0}, {0, 0x17, 2}, {0, 0xfffffffe, 2}};
    for (unsigned i = 0; i < 5; i++) {
        vrig_set_config(v, v->window + 4, 1, bad[i].bar);
        vrig_set_config(v, v->window + 8, 4, bad[i].offset);
        vrig_set_config(v, v->window + 12, 4, bad[i].size);
        vrig_set_config(v, v->window + 16, 4, 1);
        vrig_config(v, v->window + 16, 4);
        assert_int_equal(vrig_get(v, 0x16, 2), 2);
    }
    /* Its doorbell, too. */
    struct driver_part p = {VRIG_DATA, 8, true};
    uint32_t written;
    driver_add(&v->queues[0], &p, 1, 0);
    vrig_set_config(v, v->window + 4, 1, 0);
    vrig_set_config(v, v->window + 8, 4, (uint32_t)(v->notify - VRIG_BAR));
    vrig_set_config(v, v->window + 12, 4, 2);
    vrig_set_config(v, v->window + 16, 2, 0);
    assert_true(driver_get(&v->queues[0], &written) >= 0);
    vrig_free(v);
}

static void it_is_removed_with_its_device(void **state)
{
    struct echo *e;
    unsigned gone = 0;
    struct vrig *v = start(&e, 0);
    (void)state;
    e->gone = &gone;
    vrig_free(v);
    assert_int_equal(gone, 1);
    struct pci_function *f = echo_new(&e);
    e->gone = &gone;
    pci_function_free(f);
    assert_int_equal(gone, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_it_is),
        cmocka_unit_test(features_that_are_not_offered_are_refused),
        cmocka_unit_test(buffers_go_there_and_back),
        cmocka_unit_test(buffers_from_before_driver_ok_wait_for_it),
        cmocka_unit_test(queues_stay_as_they_are_while_enabled),
        cmocka_unit_test(fields_are_accessed_as_a_whole_or_not),
        cmocka_unit_test(resets_wait_for_buffers_under_way),
        cmocka_unit_test(resets_do_not_wait_for_what_the_device_gives_up),
        cmocka_unit_test(single_queues_can_be_reset),
        cmocka_unit_test(a_device_reset_takes_over_a_queue_reset),
        cmocka_unit_test(broken_rings_need_a_reset),
        cmocka_unit_test(rings_outside_memory_need_a_reset),
        cmocka_unit_test(interrupts_by_wire_show_what_happened),
        cmocka_unit_test(the_generation_changes_with_what_the_driver_reads),
        cmocka_unit_test(a_reset_ends_interrupts_and_unmaps_vectors),
        cmocka_unit_test(interrupts_by_message_have_vectors),
        cmocka_unit_test(only_what_the_device_allows_is_written_to_its_configuration),
        cmocka_unit_test(nothing_is_served_while_bus_mastering_is_off),
        cmocka_unit_test(structures_can_be_reached_through_config_space),
        cmocka_unit_test(it_is_removed_with_its_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
