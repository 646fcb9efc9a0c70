/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Performance counters: mcycle, minstret, and mhpmcounter3 to 18 with Sscofpmf.
 *
 * Nothing is counted while instructions run. Everything follows from hart.instret: mcycle and
 * minstret are instret plus an offset, a cycle being an instruction. A programmable counter is
 * brought up to date where its conditions may change or its value is seen (counters_sync), so an
 * overflow is noticed at the next trap, counter access or interrupt poll.
 *
 * Event selectors (low 56 bits of mhpmevent): 0 nothing, 1 CPU cycles, 2 instructions: the SBI's
 * numbers, which OpenSBI writes when the device tree maps them to no others. Others are held and
 * count nothing.
 */
#ifndef RVVM_CPU_COUNTERS_H
#define RVVM_CPU_COUNTERS_H

#include <stdint.h>

#define COUNTERS 32
#define COUNTER_HPM_FIRST 3
#define COUNTER_HPM_LAST 18
/* The programmable counters there are, as in mcounteren: also the mask of the pmu node. */
#define COUNTER_HPM_MASK 0x0007fff8u

enum { COUNTER_EVENT_CYCLES = 1, COUNTER_EVENT_INSTRUCTIONS = 2 };

/* mhpmevent (Sscofpmf). */
#define MHPMEVENT_OF (1ull << 63)
#define MHPMEVENT_MINH (1ull << 62)
#define MHPMEVENT_SINH (1ull << 61)
#define MHPMEVENT_UINH (1ull << 60)
#define MHPMEVENT_SELECT 0x00ffffffffffffffull

struct counters {
    uint64_t value[COUNTERS]; /* 0, 2: minus instret while it counts; 3 and up: as of `synced` */
    uint64_t event[COUNTERS]; /* mhpmevent */
    uint64_t inhibit;         /* mcountinhibit */
    uint64_t synced;          /* hart.instret that the programmable counters stand at */
    uint32_t active;          /* programmable counters that count in some mode */
};

struct hart;

void counters_reset(struct hart *h);

/* Brings the programmable counters up to hart.instret: before privilege changes. */
void counters_sync(struct hart *h);

/* The same, counting also the running instruction, which retires in the old mode: before xRET. */
void counters_sync_after(struct hart *h);

/* Registers by counter number; a write takes effect with the next instruction. */
uint64_t counters_read(struct hart *h, unsigned n);
void counters_write(struct hart *h, unsigned n, uint64_t value);
void counters_write_event(struct hart *h, unsigned n, uint64_t value);
void counters_write_inhibit(struct hart *h, uint64_t value);

/* Bit n: counter n has mhpmevent.OF set. */
uint32_t counters_overflowed(const struct hart *h);

#endif
