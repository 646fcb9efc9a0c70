/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The real-time clock of Android's emulator: nanoseconds since 1970 and one alarm.
 */
#ifndef RVVM_DEV_GOLDFISH_RTC_H
#define RVVM_DEV_GOLDFISH_RTC_H

#include "machine/device.h"

#define GOLDFISH_RTC_BASE 0x00101000
#define GOLDFISH_RTC_SIZE 0x1000
#define GOLDFISH_RTC_IRQ 11

struct event_loop;

struct goldfish_rtc_config {
    struct irq_line irq;
    struct event_loop *loop; /* outlives the device */
};

struct device *goldfish_rtc_new(const struct goldfish_rtc_config *config, struct error *err);

#endif
