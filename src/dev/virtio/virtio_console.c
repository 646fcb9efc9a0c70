/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Virtio console device (Virtual I/O Device 1.2, 5.3), with multiple ports.
 *
 * All work is done on the event loop's thread, where the channels call too. As with the UART, neither
 * side waits for the other and nothing gets lost: output that the channel does not take stays in the
 * driver's buffer, which it gets back later; input stays in the channel until the driver has given
 * a buffer, and until somebody in the guest has opened the port.
 *
 * What the device has to say on the control queue is kept as a set of bits for each port, not as a
 * list, so that a driver which asks again and again and never listens costs nothing.
 */
#include "dev/virtio/virtio_console.h"

#include "dev/virtio/virtio.h"
#include "host/event_loop.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_SIZE 64
/* What a queue may do in a row, since others want the thread too: buffers, and bytes of output. */
#define ROUND 64
#define ROUND_BYTES (1u << 20)
#define INPUT_SIZE 1024

/* 5.3.2: receive and transmit queue of port 0, the control queues, then those of the other ports. */
enum { QUEUE_CONTROL_IN = 2, QUEUE_CONTROL_OUT = 3, QUEUE_PORT_1 = 4 };

#define F_MULTIPORT (UINT64_C(1) << 1)

/* 5.3.4, struct virtio_console_config */
struct console_layout {
    uint16_t cols, rows;
    uint32_t max_nr_ports, emerg_wr;
};

/* 5.3.6.2 */
struct control {
    uint32_t id; /* of the port */
    uint16_t event, value;
};
enum control_event {
    DEVICE_READY = 0,
    PORT_ADD = 1,
    PORT_READY = 3,
    CONSOLE_PORT = 4,
    PORT_OPEN = 6,
    PORT_NAME = 7,
};

struct console;

struct port {
    struct console *console;
    unsigned id;
    struct chardev *chardev;
    char name[VIRTIO_CONSOLE_NAME_MAX + 1]; /* empty: a console */
    _Atomic unsigned owed;                  /* bits 1 << event: what the driver is yet to be told */
    _Atomic bool open;                      /* in the guest */

    /* Under the receive queue's lock. */
    uint8_t input[INPUT_SIZE];
    size_t input_first, input_end;

    /* Under the transmit queue's lock. */
    struct virtq_chain chain; /* what is being sent */
    bool sending;
    uint64_t sent; /* bytes of it that the channel has taken */
    struct iovec iov[QUEUE_SIZE];
};

struct console {
    struct virtio *virtio;
    struct event_call call;
    _Atomic uint64_t kicked; /* bits: queues to look at */
    _Atomic bool multiport;  /* the driver knows */
    unsigned port_count;
    struct port ports[];
};
_Static_assert(2 * (VIRTIO_CONSOLE_PORTS_MAX + 1) <= 64, "a bit for each queue");

static unsigned receive_queue(const struct port *p)
{
    return p->id ? QUEUE_PORT_1 + 2 * (p->id - 1) : 0;
}

static unsigned transmit_queue(const struct port *p)
{
    return receive_queue(p) + 1;
}

/* The port of a queue that is none of the control queues. */
static struct port *port_of(struct console *c, unsigned queue)
{
    return &c->ports[queue < QUEUE_PORT_1 ? 0 : (queue - QUEUE_PORT_1) / 2 + 1];
}

/* Has a queue looked at (again). */
static void kick(struct console *c, unsigned queue)
{
    atomic_fetch_or(&c->kicked, UINT64_C(1) << queue);
    event_call_post(&c->call);
}

/*
 * Data to the guest.
 */

/* Whether there is input: what is left of the last read, or more from the channel. */
static bool has_input(struct port *p)
{
    if (p->input_first == p->input_end) {
        p->input_first = 0;
        p->input_end = chardev_read(p->chardev, p->input, sizeof(p->input));
    }
    return p->input_first < p->input_end;
}

static void receive(struct port *p)
{
    struct console *c = p->console;
    struct iovec iov[QUEUE_SIZE];
    struct virtq_chain chain = {.iov = iov, .iov_max = QUEUE_SIZE};
    unsigned budget = ROUND;
    if (atomic_load(&c->multiport) && !atomic_load(&p->open))
        return;
    struct virtio_queue *q = virtio_begin(c->virtio, receive_queue(p));
    if (!q)
        return;
    virtio_notify_off(q);
    while (budget && has_input(p)) {
        if (!virtio_pop(q, &chain)) {
            if (!virtio_notify_on(q))
                break;
            continue; /* one has just come */
        }
        size_t n =
            virtq_chain_write(&chain, 0, p->input + p->input_first, p->input_end - p->input_first);
        p->input_first += n;
        virtio_push(q, &chain, (uint32_t)n);
        budget--;
    }
    virtio_end(q);
    if (!budget)
        kick(c, receive_queue(p));
}

/*
 * Data from the guest.
 */

/* false: the channel takes no more now, or budget is used up. */
static bool send_chain(struct port *p, size_t *budget)
{
    uint64_t skip = p->sent;
    for (unsigned i = 0; i < p->chain.out; i++) {
        const struct iovec *iov = &p->chain.iov[i];
        if (skip >= iov->iov_len) {
            skip -= iov->iov_len;
            continue;
        }
        size_t rest = iov->iov_len - skip, part = rest < *budget ? rest : *budget;
        size_t n = chardev_write(p->chardev, (const uint8_t *)iov->iov_base + skip, part);
        p->sent += n;
        *budget -= n;
        if (n < rest)
            return false;
        skip = 0;
    }
    return true;
}

static bool begin_sending(struct port *p, struct virtio_queue *q)
{
    if (p->sending)
        return true;
    p->chain.iov = p->iov;
    p->chain.iov_max = QUEUE_SIZE;
    p->sent = 0;
    p->sending = virtio_pop(q, &p->chain);
    return p->sending;
}

static void give_back(struct port *p, struct virtio_queue *q)
{
    virtio_push(q, &p->chain, 0);
    p->sending = false;
}

static void transmit(struct port *p)
{
    struct console *c = p->console;
    unsigned budget = ROUND;
    size_t bytes = ROUND_BYTES;
    struct virtio_queue *q = virtio_begin(c->virtio, transmit_queue(p));
    if (!q)
        return;
    virtio_notify_off(q);
    do {
        while (budget && begin_sending(p, q) && send_chain(p, &bytes)) {
            give_back(p, q);
            budget--;
        }
    } while (budget && !p->sending && virtio_notify_on(q));
    virtio_end(q);
    if (!budget || !bytes)
        kick(c, transmit_queue(p));
}

/*
 * Control messages.
 */

static void owe(struct port *p, enum control_event event)
{
    atomic_fetch_or(&p->owed, 1u << event);
}

/* false: there is no buffer for it. */
static bool tell(struct port *p, struct virtio_queue *q, enum control_event event)
{
    struct iovec iov[QUEUE_SIZE];
    struct virtq_chain chain = {.iov = iov, .iov_max = QUEUE_SIZE};
    struct control message = {.id = p->id, .event = (uint16_t)event, .value = 1};
    if (!virtio_pop(q, &chain))
        return false;
    size_t size = virtq_chain_write(&chain, 0, &message, sizeof(message));
    if (event == PORT_NAME) /* without a final zero */
        size += virtq_chain_write(&chain, size, p->name, strlen(p->name));
    virtio_push(q, &chain, (uint32_t)size);
    return true;
}

static bool tell_all(struct port *p, struct virtio_queue *q)
{
    static const enum control_event order[] = {PORT_ADD, CONSOLE_PORT, PORT_NAME, PORT_OPEN};
    for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (!(atomic_load(&p->owed) & 1u << order[i]))
            continue;
        if (!tell(p, q, order[i]))
            return false;
        atomic_fetch_and(&p->owed, ~(1u << order[i]));
    }
    return true;
}

static void tell_what_is_owed(struct console *c)
{
    struct virtio_queue *q = virtio_begin(c->virtio, QUEUE_CONTROL_IN);
    if (!q)
        return;
    bool more;
    do {
        more = false;
        for (unsigned i = 0; i < c->port_count && !more; i++)
            more = !tell_all(&c->ports[i], q);
    } while (more && virtio_notify_on(q));
    virtio_end(q);
}

static void hear(struct console *c, const struct control *message)
{
    struct port *p = message->id < c->port_count ? &c->ports[message->id] : NULL;
    if (message->event == DEVICE_READY && message->value) {
        for (unsigned i = 0; i < c->port_count; i++)
            owe(&c->ports[i], PORT_ADD);
    } else if (message->event == PORT_READY && message->value && p) {
        owe(p, p->name[0] ? PORT_NAME : CONSOLE_PORT);
        owe(p, PORT_OPEN);
    } else if (message->event == PORT_OPEN && p) {
        atomic_store(&p->open, message->value);
        kick(c, receive_queue(p));
    } else {
        virtio_log_guest(c->virtio, "control event %u with value %u for port %u", message->event,
                         message->value, message->id);
    }
}

static void hear_control(struct console *c)
{
    struct iovec iov[QUEUE_SIZE];
    struct virtq_chain chain = {.iov = iov, .iov_max = QUEUE_SIZE};
    unsigned budget = ROUND;
    struct virtio_queue *q = virtio_begin(c->virtio, QUEUE_CONTROL_OUT);
    if (!q)
        return;
    do {
        while (budget && virtio_pop(q, &chain)) {
            struct control message;
            if (virtq_chain_read(&chain, 0, &message, sizeof(message)) == sizeof(message))
                hear(c, &message);
            virtio_push(q, &chain, 0);
            budget--;
        }
    } while (budget && virtio_notify_on(q));
    virtio_end(q);
    if (!budget)
        kick(c, QUEUE_CONTROL_OUT);
    tell_what_is_owed(c);
}

/*
 * On the event loop's thread.
 */

static void serve_queue(struct console *c, unsigned queue)
{
    if (queue == QUEUE_CONTROL_IN)
        tell_what_is_owed(c);
    else if (queue == QUEUE_CONTROL_OUT)
        hear_control(c);
    else if (queue % 2)
        transmit(port_of(c, queue));
    else
        receive(port_of(c, queue));
}

static void serve(void *ctx)
{
    struct console *c = ctx;
    for (uint64_t kicked = atomic_exchange(&c->kicked, 0); kicked; kicked &= kicked - 1)
        serve_queue(c, (unsigned)__builtin_ctzll(kicked));
}

static void on_readable(void *ctx)
{
    receive(ctx);
}

static void on_writable(void *ctx)
{
    transmit(ctx);
}

static void console_notify(void *state, unsigned queue)
{
    kick(state, queue);
}

/* The output that the channel has not taken is given up. */
static void console_stop(void *state, struct virtio_queue *q)
{
    unsigned queue = virtio_queue_index(q);
    if (queue == QUEUE_CONTROL_IN || queue == QUEUE_CONTROL_OUT)
        return;
    struct port *p = port_of(state, queue);
    if (queue == transmit_queue(p) && p->sending)
        give_back(p, q);
}

static void console_agreed(void *state, uint64_t features, uint8_t *config)
{
    struct console *c = state;
    (void)config;
    atomic_store(&c->multiport, features & F_MULTIPORT);
}

/* What was received stays for the next driver. */
static void console_reset(void *state)
{
    struct console *c = state;
    atomic_store(&c->multiport, false);
    for (unsigned i = 0; i < c->port_count; i++) {
        atomic_store(&c->ports[i].owed, 0);
        atomic_store(&c->ports[i].open, false);
    }
}

static void console_remove(void *state)
{
    struct console *c = state;
    for (unsigned i = 0; i < c->port_count; i++)
        chardev_attach(c->ports[i].chardev, NULL);
    event_call_remove(&c->call);
    free(c);
}

static const struct virtio_ops console_ops = {
    .name = "virtio-console",
    .id = VIRTIO_ID_CONSOLE,
    .class_code = 0x078000, /* a communication controller */
    .notify = console_notify,
    .stop = console_stop,
    .agreed = console_agreed,
    .reset = console_reset,
    .remove = console_remove,
};

static void make_port(struct console *c, unsigned id, const struct virtio_console_port *config)
{
    struct port *p = &c->ports[id];
    p->console = c;
    p->id = id;
    p->chardev = config->chardev;
    snprintf(p->name, sizeof(p->name), "%s", config->name ? config->name : "");
}

struct pci_function *virtio_console_new(const struct virtio_console_config *config,
                                        struct error *err)
{
    struct console *c = calloc(1, sizeof(*c) + config->port_count * sizeof(c->ports[0]));
    if (!c) {
        error_set(err, "virtio-console: out of memory");
        return NULL;
    }
    c->port_count = config->port_count;
    for (unsigned i = 0; i < c->port_count; i++)
        make_port(c, i, &config->ports[i]);
    event_call_init(&c->call, config->loop, serve, c);
    struct console_layout layout = {.max_nr_ports = c->port_count};
    struct virtio_config virtio = {
        .ops = &console_ops,
        .state = c,
        .features = F_MULTIPORT,
        .features_off = config->features_off,
        .queues = 2 * (c->port_count + 1),
        .queue_size = QUEUE_SIZE,
        .config = &layout,
        .config_size = sizeof(layout),
    };
    struct pci_function *pci = virtio_pci_new(&c->virtio, &virtio, err);
    for (unsigned i = 0; pci && i < c->port_count; i++) {
        struct chardev_front front = {on_readable, on_writable, NULL, &c->ports[i]};
        chardev_attach(c->ports[i].chardev, &front);
    }
    return pci;
}
