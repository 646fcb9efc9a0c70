/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Virtio input device (Virtual I/O Device 1.2, 5.8) with a key for power (Linux's input-event-codes.h names
 * and numbers it). Queue 0 has buffers for events, queue 1 what the driver has to say, of lights for instance:
 * there are none.
 *
 * A press that the guest cannot feel is refused, not kept: it would come when a driver is loaded much later,
 * and power off a system that starts.
 */
#include "dev/virtio/virtio_button.h"

#include "dev/virtio/virtio.h"
#include <stdlib.h>
#include <string.h>

#define QUEUE_SIZE 64
#define EVENTS 4 /* of a press: the key goes down and up, and after each "that was it" */
#define EVENT_SIZE 8

enum { QUEUE_EVENTS, QUEUE_STATUS, QUEUES };
enum { EV_SYN = 0, EV_KEY = 1, KEY_POWER = 116, BUS_VIRTUAL = 6 };

/* The configuration: select and subsel are the driver's, the answer is size and what follows at DATA. */
enum { SELECT, SUBSELECT, SIZE, DATA = 8, CONFIG_SIZE = 8 + 128 };
enum { SELECT_NAME = 0x01, SELECT_IDS = 0x03, SELECT_EVENT_BITS = 0x11 };

struct virtio_button {
    struct virtio *virtio;
};

static void put16(uint8_t *to, unsigned value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

/* The answer to what is selected: its size. What is none of these has no bytes. */
static unsigned answer(uint8_t *data, unsigned select, unsigned subselect)
{
    static const char name[] = "Power Button";
    switch (select) {
    case SELECT_NAME:
        memcpy(data, name, sizeof(name) - 1);
        return sizeof(name) - 1;
    case SELECT_IDS: /* bus, vendor, product, version */
        put16(data, BUS_VIRTUAL);
        return 8;
    case SELECT_EVENT_BITS:
        if (subselect != EV_KEY)
            return 0;
        data[KEY_POWER / 8] = 1u << KEY_POWER % 8;
        return KEY_POWER / 8 + 1;
    default:
        return 0;
    }
}

static bool button_config_written(void *state, uint8_t *bytes, unsigned offset, unsigned size)
{
    (void)state;
    if (offset + size > SIZE)
        return false; /* the rest is not to be written */
    memset(bytes + SIZE, 0, CONFIG_SIZE - SIZE);
    bytes[SIZE] = (uint8_t)answer(bytes + DATA, bytes[SELECT], bytes[SUBSELECT]);
    return true;
}

/*
 * What the driver says is heard and does nothing. It has no more than QUEUE_SIZE buffers before it gets
 * some back, and a hart's thread is not to be kept by one that has.
 */
static void button_notify(void *state, unsigned queue)
{
    struct virtio_button *b = state;
    struct iovec iov[QUEUE_SIZE];
    struct virtq_chain chain = {.iov = iov, .iov_max = QUEUE_SIZE};
    unsigned budget = QUEUE_SIZE;
    struct virtio_queue *q = queue == QUEUE_STATUS ? virtio_begin(b->virtio, queue) : NULL;
    if (!q)
        return;
    do {
        for (; budget && virtio_pop(q, &chain); budget--)
            virtio_push(q, &chain, 0);
    } while (virtio_notify_on(q) && budget);
    virtio_end(q);
}

static void put_event(struct virtio_queue *q, const struct virtq_chain *chain, unsigned n)
{
    uint8_t event[EVENT_SIZE] = {0};
    if (n % 2 == 0) {
        put16(event, EV_KEY);
        put16(event + 2, KEY_POWER);
        event[4] = n == 0;
    }
    virtio_push(q, chain, (uint32_t)virtq_chain_write(chain, 0, event, sizeof(event)));
}

bool virtio_button_press(struct virtio_button *b, struct error *err)
{
    struct iovec iov[EVENTS][QUEUE_SIZE];
    struct virtq_chain chains[EVENTS];
    unsigned count = 0;
    struct virtio_queue *q = virtio_begin(b->virtio, QUEUE_EVENTS);
    if (!q)
        return error_set(err, "the guest has no driver for it (virtio_input) that runs");
    for (; count < EVENTS; count++) {
        chains[count] = (struct virtq_chain){.iov = iov[count], .iov_max = QUEUE_SIZE};
        if (!virtio_pop(q, &chains[count]))
            break;
    }
    const bool felt = count == EVENTS;
    for (unsigned n = 0; felt && n < EVENTS; n++)
        put_event(q, &chains[n], n);
    while (!felt && count--)
        virtio_unpop(q, &chains[count]);
    virtio_end(q);
    return felt || error_set(err, "the guest has not looked at earlier presses yet");
}

static void button_remove(void *state)
{
    free(state);
}

static const struct virtio_ops button_ops = {
    .name = "virtio-button",
    .id = VIRTIO_ID_INPUT,
    .class_code = 0x098000, /* an input controller of another kind */
    .notify = button_notify,
    .config_written = button_config_written,
    .remove = button_remove,
};

struct pci_function *virtio_button_new(struct virtio_button **button,
                                       const struct virtio_button_config *config, struct error *err)
{
    static const uint8_t nothing_selected[CONFIG_SIZE];
    struct virtio_button *b = calloc(1, sizeof(*b));
    if (!b) {
        error_set(err, "virtio-button: out of memory");
        return NULL;
    }
    struct virtio_config virtio = {
        .ops = &button_ops,
        .state = b,
        .features_off = config->features_off,
        .queues = QUEUES,
        .queue_size = QUEUE_SIZE,
        .config = nothing_selected,
        .config_size = CONFIG_SIZE,
    };
    *button = b;
    return virtio_pci_new(&b->virtio, &virtio, err);
}
