/* SPDX-License-Identifier: MPL-2.0 */
/*
 * 16550A (National Semiconductor PC16550D data sheet). Registers are a byte each; bits that a wire
 * would drive (modem status) read as a connected terminal's.
 *
 * A byte written goes to the channel at once, so the transmitter is as fast as what is behind it:
 * THRE falls only while the channel takes no more, and the FIFO then holds what was written since.
 * The receive FIFO is filled from the channel whenever it has room, so nothing is ever overrun.
 */
#include "dev/uart16550.h"

#include "host/clock.h"
#include "host/event_loop.h"
#include "machine/fdt.h"
#include <stdlib.h>
#include <string.h>

#define FIFO_SIZE 16
#define CLOCK_HZ 3686400
/* The receiver's time-out, four characters; the guest's rate does not matter to us. */
#define TIMEOUT_NS 400000

/* Registers by offset; some stand for another when read, written, or with LCR.DLAB set. */
enum { RBR_THR_DLL, IER_DLM, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

enum { IER_RECEIVE = 1 << 0, IER_TRANSMIT = 1 << 1, IER_LINE = 1 << 2, IER_MODEM = 1 << 3 };
enum {
    IIR_NONE = 1,
    IIR_MODEM = 0,
    IIR_TRANSMIT = 2,
    IIR_RECEIVE = 4,
    IIR_LINE = 6,
    IIR_TIMEOUT = 12,
    IIR_FIFO = 0xc0,
};
enum { FCR_ENABLE = 1 << 0, FCR_CLEAR_RECEIVE = 1 << 1, FCR_CLEAR_TRANSMIT = 1 << 2 };
enum { LCR_DLAB = 1 << 7 };
enum { MCR_OUT = 0x0f, MCR_LOOP = 1 << 4 };
enum { LSR_READY = 1 << 0, LSR_BREAK = 1 << 4, LSR_THRE = 1 << 5, LSR_EMPTY = 1 << 6 };
enum { MSR_DELTA = 0x0f, MSR_CTS = 1 << 4, MSR_DSR = 1 << 5, MSR_RI = 1 << 6, MSR_DCD = 1 << 7 };

struct fifo {
    uint8_t bytes[FIFO_SIZE];
    unsigned first, count;
};

struct uart {
    struct device device;
    struct irq_line irq;
    struct chardev *chardev; /* or NULL */
    pthread_mutex_t lock;    /* all below */
    struct fifo receive, transmit;
    uint8_t ier, fcr, lcr, mcr, msr, scr, dll, dlm;
    bool transmit_idle; /* the THR-empty interrupt is due: THRE rose since IIR told it */
    bool break_seen;
    bool timed_out; /* characters below the trigger level have waited long enough */
    struct event_timer timeout;
};

static void fifo_put(struct fifo *f, uint8_t byte)
{
    if (f->count < FIFO_SIZE)
        f->bytes[(f->first + f->count++) % FIFO_SIZE] = byte;
}

static uint8_t fifo_get(struct fifo *f)
{
    uint8_t byte = f->bytes[f->first];
    f->first = (f->first + 1) % FIFO_SIZE;
    f->count--;
    return byte;
}

static bool fifos_on(const struct uart *u)
{
    return u->fcr & FCR_ENABLE;
}

static unsigned fifo_room(const struct uart *u, const struct fifo *f)
{
    unsigned size = fifos_on(u) ? FIFO_SIZE : 1;
    return f->count < size ? size - f->count : 0;
}

static unsigned trigger_level(const struct uart *u)
{
    static const uint8_t levels[] = {1, 4, 8, 14};
    return fifos_on(u) ? levels[u->fcr >> 6] : 1;
}

/* The interrupt of highest priority that is due and enabled, as IIR names it. */
static unsigned due_interrupt(const struct uart *u)
{
    if ((u->ier & IER_LINE) && u->break_seen)
        return IIR_LINE;
    if ((u->ier & IER_RECEIVE) && u->receive.count >= trigger_level(u))
        return IIR_RECEIVE;
    if ((u->ier & IER_RECEIVE) && u->receive.count && u->timed_out)
        return IIR_TIMEOUT;
    if ((u->ier & IER_TRANSMIT) && u->transmit_idle)
        return IIR_TRANSMIT;
    if ((u->ier & IER_MODEM) && (u->msr & MSR_DELTA))
        return IIR_MODEM;
    return IIR_NONE;
}

static void update_irq(struct uart *u)
{
    irq_set(&u->irq, due_interrupt(u) != IIR_NONE);
}

/* Characters that stay below the trigger level for a while are announced all the same. */
static void watch_timeout(struct uart *u)
{
    u->timed_out = false;
    bool waits = u->receive.count && u->receive.count < trigger_level(u);
    event_timer_set(&u->timeout, waits ? clock_monotonic_ns() + TIMEOUT_NS : EVENT_NEVER);
}

static void timed_out(void *ctx)
{
    struct uart *u = ctx;
    pthread_mutex_lock(&u->lock);
    u->timed_out = u->receive.count != 0;
    update_irq(u);
    pthread_mutex_unlock(&u->lock);
}

/* Takes what the channel has into the receive FIFO. */
static void fill(struct uart *u)
{
    uint8_t bytes[FIFO_SIZE];
    unsigned room = fifo_room(u, &u->receive);
    if (!u->chardev || (u->mcr & MCR_LOOP) || room == 0)
        return;
    size_t n = chardev_read(u->chardev, bytes, room);
    for (size_t i = 0; i < n; i++)
        fifo_put(&u->receive, bytes[i]);
    if (n)
        watch_timeout(u);
}

/* Gives the channel what the transmit FIFO holds. */
static void flush(struct uart *u)
{
    bool held = u->transmit.count != 0;
    while (u->transmit.count) {
        uint8_t byte = u->transmit.bytes[u->transmit.first];
        if (u->chardev && chardev_write(u->chardev, &byte, 1) == 0)
            return; /* on_writable will come */
        fifo_get(&u->transmit);
    }
    if (held)
        u->transmit_idle = true;
}

static void transmit(struct uart *u, uint8_t byte)
{
    u->transmit_idle = false;
    if (u->mcr & MCR_LOOP) {
        if (fifo_room(u, &u->receive)) {
            fifo_put(&u->receive, byte);
            watch_timeout(u);
        }
        u->transmit_idle = true;
        return;
    }
    if (fifo_room(u, &u->transmit))
        fifo_put(&u->transmit, byte);
    flush(u);
}

static void on_readable(void *ctx)
{
    struct uart *u = ctx;
    pthread_mutex_lock(&u->lock);
    fill(u);
    update_irq(u);
    pthread_mutex_unlock(&u->lock);
}

static void on_writable(void *ctx)
{
    struct uart *u = ctx;
    pthread_mutex_lock(&u->lock);
    flush(u);
    update_irq(u);
    pthread_mutex_unlock(&u->lock);
}

/* A break arrives as a zero character with its mark in LSR. */
static void on_break(void *ctx)
{
    struct uart *u = ctx;
    pthread_mutex_lock(&u->lock);
    if (fifo_room(u, &u->receive)) {
        fifo_put(&u->receive, 0);
        watch_timeout(u);
    }
    u->break_seen = true;
    update_irq(u);
    pthread_mutex_unlock(&u->lock);
}

/* In loopback the modem's outputs are its inputs. */
static uint8_t modem_lines(const struct uart *u)
{
    if (!(u->mcr & MCR_LOOP))
        return MSR_CTS | MSR_DSR | MSR_DCD;
    return (u->mcr & 1 ? MSR_DSR : 0) | (u->mcr & 2 ? MSR_CTS : 0) | (u->mcr & 4 ? MSR_RI : 0) |
           (u->mcr & 8 ? MSR_DCD : 0);
}

static void update_modem(struct uart *u)
{
    uint8_t before = u->msr & ~MSR_DELTA, lines = modem_lines(u);
    uint8_t changed = (before ^ lines) >> 4;
    /* RI counts when it ends: its delta is the trailing edge. */
    if ((before ^ lines) & lines & MSR_RI)
        changed &= ~(MSR_RI >> 4);
    u->msr = lines | (u->msr & MSR_DELTA) | changed;
}

static uint8_t read_iir(struct uart *u)
{
    unsigned due = due_interrupt(u);
    if (due == IIR_TRANSMIT)
        u->transmit_idle = false;
    return due | (fifos_on(u) ? IIR_FIFO : 0);
}

static uint8_t read_register(struct uart *u, unsigned offset)
{
    switch (offset) {
    case RBR_THR_DLL: {
        if (u->lcr & LCR_DLAB)
            return u->dll;
        uint8_t byte = u->receive.count ? fifo_get(&u->receive) : 0;
        watch_timeout(u);
        fill(u);
        return byte;
    }
    case IER_DLM:
        return u->lcr & LCR_DLAB ? u->dlm : u->ier;
    case IIR_FCR:
        return read_iir(u);
    case LCR:
        return u->lcr;
    case MCR:
        return u->mcr;
    case LSR: {
        uint8_t lsr = (u->receive.count ? LSR_READY : 0) | (u->break_seen ? LSR_BREAK : 0) |
                      (u->transmit.count ? 0 : LSR_THRE | LSR_EMPTY);
        u->break_seen = false;
        return lsr;
    }
    case MSR: {
        uint8_t msr = u->msr;
        u->msr &= ~MSR_DELTA;
        return msr;
    }
    default:
        return u->scr;
    }
}

static void write_fcr(struct uart *u, uint8_t value)
{
    bool toggled = (value ^ u->fcr) & FCR_ENABLE;
    if (toggled || (value & FCR_CLEAR_RECEIVE))
        u->receive.count = 0;
    if (toggled || (value & FCR_CLEAR_TRANSMIT)) {
        /* What was written before is on its way: only what the channel refused is lost. */
        u->transmit_idle |= u->transmit.count != 0;
        u->transmit.count = 0;
    }
    u->fcr = value & FCR_ENABLE ? value & 0xc1 : 0;
    watch_timeout(u);
    fill(u);
}

static void write_register(struct uart *u, unsigned offset, uint8_t value)
{
    switch (offset) {
    case RBR_THR_DLL:
        if (u->lcr & LCR_DLAB)
            u->dll = value;
        else
            transmit(u, value);
        break;
    case IER_DLM:
        if (u->lcr & LCR_DLAB) {
            u->dlm = value;
            break;
        }
        /* Enabling it while the holding register is empty raises it. */
        if ((value & ~u->ier & IER_TRANSMIT) && !u->transmit.count)
            u->transmit_idle = true;
        u->ier = value & 0x0f;
        break;
    case IIR_FCR:
        write_fcr(u, value);
        break;
    case LCR:
        u->lcr = value;
        break;
    case MCR:
        u->mcr = value & (MCR_OUT | MCR_LOOP);
        update_modem(u);
        fill(u);
        break;
    case SCR:
        u->scr = value;
        break;
    default: /* LSR and MSR: for the factory's tests */
        break;
    }
}

static uint64_t uart_read(void *state, uint64_t offset, unsigned size)
{
    (void)size;
    struct uart *u = state;
    if (offset > SCR)
        return 0;
    pthread_mutex_lock(&u->lock);
    uint8_t value = read_register(u, offset);
    update_irq(u);
    pthread_mutex_unlock(&u->lock);
    return value;
}

static void uart_write(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    (void)size;
    struct uart *u = state;
    if (offset > SCR)
        return;
    pthread_mutex_lock(&u->lock);
    write_register(u, offset, value);
    update_irq(u);
    pthread_mutex_unlock(&u->lock);
}

size_t uart16550_put(struct device *dev, const void *bytes, size_t size)
{
    struct uart *u = dev->state;
    pthread_mutex_lock(&u->lock);
    flush(u);
    size_t n = size;
    if (u->transmit.count)
        n = 0;
    else if (u->chardev)
        n = chardev_write(u->chardev, bytes, size);
    pthread_mutex_unlock(&u->lock);
    return n;
}

size_t uart16550_get(struct device *dev, void *bytes, size_t size)
{
    struct uart *u = dev->state;
    uint8_t *to = bytes;
    size_t n = 0;
    pthread_mutex_lock(&u->lock);
    do {
        while (n < size && u->receive.count)
            to[n++] = fifo_get(&u->receive);
        fill(u);
    } while (n < size && u->receive.count);
    update_irq(u);
    pthread_mutex_unlock(&u->lock);
    return n;
}

static void uart_reset(void *state)
{
    struct uart *u = state;
    pthread_mutex_lock(&u->lock);
    flush(u); /* the last words before a reset */
    u->transmit.count = 0;
    /* What was received stays: piped input is there before the machine is first reset. */
    u->ier = u->fcr = u->lcr = u->mcr = u->scr = u->dll = u->dlm = 0;
    u->transmit_idle = u->break_seen = false;
    u->msr = modem_lines(u);
    watch_timeout(u);
    fill(u); /* loopback may have kept it from being filled */
    update_irq(u);
    pthread_mutex_unlock(&u->lock);
}

static bool uart_describe(void *state, struct fdt *fdt, struct error *err)
{
    (void)err;
    struct uart *u = state;
    dt_begin_node(fdt, "serial@%llx", (unsigned long long)u->device.base);
    dt_prop_string(fdt, "compatible", "ns16550a");
    dt_prop_reg(fdt, u->device.base, u->device.size);
    dt_prop_irq(fdt, u->irq.number);
    dt_prop_u32(fdt, "clock-frequency", CLOCK_HZ);
    dt_end_node(fdt);
    return true;
}

static void uart_remove(void *state)
{
    struct uart *u = state;
    if (u->chardev)
        chardev_attach(u->chardev, NULL);
    event_timer_remove(&u->timeout);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

static const struct device_ops uart_ops = {
    .name = "uart16550",
    .access_min = 1,
    .access_max = 8,
    .read = uart_read,
    .write = uart_write,
    .reset = uart_reset,
    .describe = uart_describe,
    .remove = uart_remove,
};

struct device *uart16550_new(const struct uart16550_config *config, struct error *err)
{
    struct uart *u = calloc(1, sizeof(*u));
    if (!u) {
        error_set(err, "uart16550: out of memory");
        return NULL;
    }
    u->irq = config->irq;
    u->chardev = config->chardev;
    u->msr = modem_lines(u);
    u->device = (struct device){.ops = &uart_ops, .state = u, .size = UART_SIZE};
    pthread_mutex_init(&u->lock, NULL);
    event_timer_init(&u->timeout, config->loop, timed_out, u);
    if (u->chardev) {
        struct chardev_front front = {on_readable, on_writable, on_break, u};
        chardev_attach(u->chardev, &front);
    }
    return &u->device;
}
