/* SPDX-License-Identifier: MPL-2.0 */
/*
 * State of the built-in SBI's PMU extension, one a hart.
 *
 * Logical counters: 0 to 31 are the hardware counters of those numbers (1, the time, is none),
 * then come SBI_PMU_FW_COUNTERS that count what the SBI does.
 */
#ifndef RVVM_MACHINE_SBI_PMU_H
#define RVVM_MACHINE_SBI_PMU_H

#include <stdint.h>

#define SBI_PMU_FW_FIRST 32
#define SBI_PMU_FW_COUNTERS 16
#define SBI_PMU_COUNTERS (SBI_PMU_FW_FIRST + SBI_PMU_FW_COUNTERS)

/* Codes of firmware events. Those that hardware does here (misaligned accesses, ...) stay 0. */
enum sbi_fw_event {
    SBI_FW_SET_TIMER = 5,
    SBI_FW_IPI_SENT = 6,
    SBI_FW_FENCE_I_SENT = 8,
    SBI_FW_SFENCE_VMA_SENT = 10,
    SBI_FW_EVENTS = 22,
};

struct sbi_pmu {
    uint64_t used;                          /* bit: the logical counter is configured */
    uint64_t started;                       /* bit: it counts */
    uint32_t event[SBI_PMU_COUNTERS];       /* event_idx it was configured for */
    uint64_t fw_value[SBI_PMU_FW_COUNTERS]; /* started: minus fw_count[event]; else the value */
    uint64_t fw_count[SBI_FW_EVENTS];       /* since reset */
};

void sbi_pmu_reset(struct sbi_pmu *pmu);

/* On the hart's thread. */
static inline void sbi_pmu_count(struct sbi_pmu *pmu, enum sbi_fw_event event)
{
    pmu->fw_count[event]++;
}

#endif
