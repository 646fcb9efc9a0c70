/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Several harts: every hart starts at its own hart_main, hart 0 in test_main. Hart 0 gives work:
 *
 *     smp_all(work, rounds);   runs work(hart, rounds) on all harts at once, returns when all did
 *     smp_start(1, work, 0);   on one other hart; smp_wait(1) waits for it
 *
 * Only hart 0 states facts (CHECK): what others saw they leave in memory.
 */
#ifndef ISA_SMP_H
#define ISA_SMP_H

#include "test.h"

#define HARTS 4 /* as the tests' `harts:` line says */

typedef void smp_work(ulong hart, ulong argument);

/* Waits until all HARTS harts are there. */
void smp_begin(void);
void smp_start(unsigned hart, smp_work *work, ulong argument);
void smp_wait(unsigned hart);
void smp_all(smp_work *work, ulong argument);

#define fence(before, after) __asm__ volatile("fence " #before ", " #after ::: "memory")
static inline void relax(void)
{
    __asm__ volatile(".4byte 0x0100000f");
} /* pause */

/*
 * Where harts wait for one another each round may cost a turn of the host's scheduler, when it has
 * fewer cores than harts: such tests do as many rounds as they can in half a second, a few at least.
 */
static inline bool smp_go_on(unsigned rounds, uint64_t start)
{
    return rounds < 6 || clint_time() - start < 5000000;
}

/* Plain accesses of shared words: one instruction each, no ordering. */
#define GET(place) (*(volatile __typeof__(place) *)&(place))
#define SET(place, v) (*(volatile __typeof__(place) *)&(place) = (v))

#endif
