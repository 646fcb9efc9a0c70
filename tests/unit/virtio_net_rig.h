/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The virtio network device between a driver that does what kernels do (virtio_rig.h) and a network
 * whose other end is the test (fake_net.h):
 *
 *     start(b, features, 8);                         all queues have 8 descriptors
 *     send_frame(b, &header, frame, size);
 *     was_sent(b, 0, frame, size);
 *     offer(b, RECEIVE, AT_RECEIVE, 1600);
 *     fake_net_give(b->net, frame, size, NULL);
 *     was_received(b, RECEIVE, AT_RECEIVE, frame, size);
 */
#ifndef RVVM_TESTS_VIRTIO_NET_RIG_H
#define RVVM_TESTS_VIRTIO_NET_RIG_H

#include "dev/virtio/virtio_net.h"
#include "dev/virtio/virtio_net_parts.h"
#include "fake_net.h"
#include "virtio_rig.h"

#define HEADER 12
#define HARTS 3

/* Where frames that the driver sends lie, and buffers to receive into. */
#define AT_SEND VRIG_DATA
#define AT_RECEIVE (VRIG_DATA + 0x40000)

enum { RECEIVE = 0, TRANSMIT = 1 };
enum { CONTROL_ALONE = 2, CONTROL = 2 * HARTS };

static const uint8_t mac[NET_ADDRESS_SIZE] = {0x52, 0x54, 0, 1, 2, 3};

struct bench {
    struct net *net;
    struct vrig *v;
};

static inline int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    b->net = fake_net_new();
    struct net_card_config config = {.net = b->net, .harts = HARTS};
    memcpy(config.mac, mac, sizeof(mac));
    b->v = vrig_new(virtio_net_new(&config, NULL));
    *state = b;
    return 0;
}

static inline int teardown(void **state)
{
    struct bench *b = *state;
    vrig_free(b->v);
    fake_net_free(b->net);
    free(b);
    return 0;
}

/* Every kind of ring. */
static const uint64_t rings[] = {0, F_EVENT_IDX | F_INDIRECT_DESC, F_RING_PACKED,
                                 F_RING_PACKED | F_EVENT_IDX | F_INDIRECT_DESC};
#define EACH_RING(r) \
    const uint64_t *r = rings; \
    r < rings + sizeof(rings) / sizeof(rings[0]); \
    r++

static inline void start(struct bench *b, uint64_t features, uint16_t size)
{
    vrig_negotiate(b->v, features);
    for (unsigned i = 0; i < (features & NET_F_MQ ? 2 * HARTS + 1 : 3); i++)
        vrig_queue(b->v, i, size);
    vrig_go(b->v);
    fake_net_sync(b->net);
    fake_net_forget(b->net);
}

static inline void *guest(struct bench *b, uint64_t address)
{
    return driver_at(&b->v->queues[0], address);
}

static inline void fill_frame(uint8_t *frame, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        frame[i] = (uint8_t)(seed + i * 7 + (i >> 8));
    frame[0] &= 0xfe;
}

/* Puts header and frame in memory, makes `count` parts of `sizes` bytes of it, the last takes the rest. */
static inline void send_in_parts(struct bench *b, const struct virtio_net_header *header,
                                 const uint8_t *frame, size_t size, unsigned count,
                                 const uint32_t *sizes, uint64_t table)
{
    struct driver_part parts[DRIVER_SIZE_MAX];
    uint64_t at = AT_SEND, end = AT_SEND + HEADER + size;
    memcpy(guest(b, at), header, HEADER);
    memcpy(guest(b, at + HEADER), frame, size);
    for (unsigned i = 0; i < count; i++) {
        uint64_t n = i + 1 < count ? sizes[i] : end - at;
        parts[i] = (struct driver_part){at, (uint32_t)n, false};
        at += n;
    }
    assert_int_equal(at, end);
    assert_true(driver_add(&b->v->queues[TRANSMIT], parts, count, table) >= 0);
    vrig_kick(b->v, TRANSMIT);
}

static inline void comes_back(struct bench *b, unsigned queue)
{
    uint32_t written;
    vrig_get_used(b->v, queue, &written);
    assert_int_equal(written, 0);
}

static inline void send_frame(struct bench *b, const struct virtio_net_header *header,
                              const uint8_t *frame, size_t size)
{
    send_in_parts(b, header, frame, size, 1, NULL, 0);
    comes_back(b, TRANSMIT);
}

static inline void was_sent(struct bench *b, unsigned index, const uint8_t *frame, size_t size)
{
    assert_true(b->net->sent_count > index);
    assert_int_equal(b->net->sent[index].size, size);
    assert_memory_equal(b->net->sent[index].bytes, frame, size);
}

/* A buffer to receive into. */
static inline void offer(struct bench *b, unsigned queue, uint64_t at, uint32_t size)
{
    struct driver_part part = {at, size, true};
    memset(guest(b, at), 0xee, size);
    assert_true(driver_add(&b->v->queues[queue], &part, 1, 0) >= 0);
    vrig_kick(b->v, queue);
}

/* It comes back with header and frame, all in one; the header. */
static inline struct virtio_net_header was_received(struct bench *b, unsigned queue, uint64_t at,
                                                    const uint8_t *frame, size_t size)
{
    struct virtio_net_header header;
    uint32_t written;
    vrig_get_used(b->v, queue, &written);
    assert_int_equal(written, HEADER + size);
    memcpy(&header, guest(b, at), HEADER);
    assert_memory_equal(guest(b, at + HEADER), frame, size);
    assert_int_equal(*(uint8_t *)guest(b, at + HEADER + size), 0xee);
    return header;
}

static inline void receives_nothing(struct bench *b, unsigned queue)
{
    uint32_t written;
    fake_net_sync(b->net);
    assert_int_equal(driver_get(&b->v->queues[queue], &written), -1);
}

static inline uint32_t config(struct bench *b, unsigned offset, unsigned size)
{
    return (uint32_t)rig_read(b->v->pci, b->v->device + offset, size);
}

#define ON_BENCH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
