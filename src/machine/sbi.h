/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The built-in SBI (RISC-V Supervisor Binary Interface 2.0), in place of M-mode firmware when a
 * kernel is booted directly. A file for each group of extensions; sbi.c dispatches.
 *
 * All runs on the calling hart's thread. Every argument is the guest's word: checked before use.
 */
#ifndef RVVM_MACHINE_SBI_H
#define RVVM_MACHINE_SBI_H

#include "cpu/hart.h"
#include <stdbool.h>
#include <stdint.h>

struct machine;

enum sbi_error {
    SBI_SUCCESS = 0,
    SBI_ERR_FAILED = -1,
    SBI_ERR_NOT_SUPPORTED = -2,
    SBI_ERR_INVALID_PARAM = -3,
    SBI_ERR_DENIED = -4,
    SBI_ERR_INVALID_ADDRESS = -5,
    SBI_ERR_ALREADY_AVAILABLE = -6,
    SBI_ERR_ALREADY_STARTED = -7,
    SBI_ERR_ALREADY_STOPPED = -8,
    SBI_ERR_NO_SHMEM = -9,
    SBI_ENTERED = 1, /* not the guest's: a0 and a1 are set, the hart goes on elsewhere */
};

struct sbi_result {
    int error; /* enum sbi_error */
    uint64_t value;
};

/* arg: a0 to a5; on rv32 zero-extended. */
typedef struct sbi_result sbi_group(struct machine *m, struct hart *h, uint64_t function,
                                    const uint64_t *arg);
sbi_group sbi_time, sbi_ipi, sbi_rfence; /* sbi_ipi.c */
sbi_group sbi_hsm, sbi_srst;             /* sbi_hsm.c */
sbi_group sbi_dbcn;                      /* sbi_console.c */
sbi_group sbi_pmu;                       /* sbi_pmu.c */

/* struct bus's sbi_call; ctx is the machine. */
void sbi_call(void *machine, struct hart *h);

/* What firmware does before it enters a kernel in S-mode with a0 = hart, a1 = arg. The hart rests,
 * or this is its own thread. */
void sbi_enter_supervisor(struct machine *m, struct hart *h, uint64_t pc, uint64_t arg);

/* sbi_ipi.c: the parts that legacy calls share. false: the mask names a hart that is not there. */
void sbi_set_timer(struct machine *m, struct hart *h, uint64_t when);
bool sbi_send_ipi(struct machine *m, struct hart *h, uint64_t mask, uint64_t base);
/* pages: of translations; NULL: FENCE.I */
bool sbi_remote_fence(struct machine *m, struct hart *h, const struct hart_pages *pages,
                      uint64_t mask, uint64_t base);

/* sbi_console.c. Waits for the line to take it, but no longer than the hart may run. */
void sbi_put_byte(struct machine *m, struct hart *h, uint8_t byte);
int sbi_get_byte(struct machine *m); /* -1: none */

/* All ones of the hart's width: "all harts" as a mask base. */
static inline uint64_t sbi_all_ones(const struct hart *h)
{
    return h->xlen == 32 ? UINT32_MAX : UINT64_MAX;
}

#endif
