/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The serial port of PCs, National Semiconductor's 16550A.
 */
#ifndef RVVM_DEV_UART16550_H
#define RVVM_DEV_UART16550_H

#include "machine/chardev.h"
#include "machine/device.h"

#define UART_BASE 0x10000000
#define UART_SIZE 0x100
#define UART_IRQ 10

struct event_loop;

struct uart16550_config {
    struct irq_line irq;
    struct chardev *chardev; /* outlives the device; NULL: nothing is connected */
    struct event_loop *loop; /* outlives the device */
};

struct device *uart16550_new(const struct uart16550_config *config, struct error *err);

/*
 * For a console service of the built-in firmware: the same transmitter and receiver, reached as
 * firmware would by polling. Any thread. put returns how many bytes were taken now (the caller
 * tries again later); get returns how many there were.
 */
size_t uart16550_put(struct device *dev, const void *bytes, size_t size);
size_t uart16550_get(struct device *dev, void *bytes, size_t size);

#endif
