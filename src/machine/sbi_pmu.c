/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Built-in SBI: performance monitoring, over the hart's counters (cpu/counters.h).
 *
 * Two hardware events are counted: cycles and instructions. The programmable counters are chosen
 * first, where they can raise an overflow interrupt (Sscofpmf), for only they can leave out modes;
 * the fixed ones are the fallback.
 */
#include "machine/machine.h"
#include "machine/sbi.h"
#include <string.h>

enum {
    EVENT_TYPE_SHIFT = 16,
    EVENT_TYPE_HARDWARE = 0,
    EVENT_TYPE_FIRMWARE = 15,
    EVENT_CODE_MASK = 0xffff,

    CONFIG_SKIP_MATCH = 1 << 0,
    CONFIG_CLEAR_VALUE = 1 << 1,
    CONFIG_AUTO_START = 1 << 2,
    CONFIG_SET_UINH = 1 << 5,
    CONFIG_SET_SINH = 1 << 6,
    CONFIG_FLAGS = 0xff,

    START_SET_VALUE = 1 << 0,
    STOP_RESET = 1 << 0,
};

void sbi_pmu_reset(struct sbi_pmu *pmu)
{
    memset(pmu, 0, sizeof(*pmu));
}

static bool is_firmware(unsigned n)
{
    return n >= SBI_PMU_FW_FIRST;
}

/* The logical counters there are. */
static uint64_t counters_there(const struct machine *m)
{
    uint64_t mask = ((1ull << SBI_PMU_FW_COUNTERS) - 1) << SBI_PMU_FW_FIRST;
    if (isa_has(&m->isa, EXT_ZICNTR))
        mask |= COUNTEREN_CY | COUNTEREN_IR;
    if (isa_has(&m->isa, EXT_ZIHPM))
        mask |= COUNTER_HPM_MASK;
    return mask;
}

/* Those that (mask, base) names; 0: none, or one that is not there. */
static uint64_t named_counters(const struct machine *m, uint64_t mask, uint64_t base)
{
    if (base >= SBI_PMU_COUNTERS || (mask << base) >> base != mask)
        return 0;
    mask <<= base;
    return mask & ~counters_there(m) ? 0 : mask;
}

static int lowest(uint64_t mask)
{
    return mask ? __builtin_ctzll(mask) : -1;
}

static uint64_t *fw_value(struct sbi_pmu *pmu, unsigned n, uint64_t **count)
{
    *count = &pmu->fw_count[pmu->event[n] & EVENT_CODE_MASK];
    return &pmu->fw_value[n - SBI_PMU_FW_FIRST];
}

static void start(struct sbi_pmu *pmu, struct hart *h, unsigned n, bool set, uint64_t value)
{
    uint64_t *count;
    if (is_firmware(n)) {
        uint64_t *v = fw_value(pmu, n, &count);
        *v = (set ? value : *v) - *count;
    } else {
        if (set)
            counters_write(h, n, value);
        /* A new period: what overflowed before is over. */
        if (n >= COUNTER_HPM_FIRST)
            counters_write_event(h, n, h->csr.counters.event[n] & ~MHPMEVENT_OF);
        counters_write_inhibit(h, h->csr.counters.inhibit & ~(1ull << n));
    }
    pmu->started |= 1ull << n;
}

static void stop(struct sbi_pmu *pmu, struct hart *h, unsigned n)
{
    uint64_t *count;
    if (is_firmware(n))
        *fw_value(pmu, n, &count) += *count;
    else
        counters_write_inhibit(h, h->csr.counters.inhibit | 1ull << n);
    pmu->started &= ~(1ull << n);
}

/* A counter among `free` that can count the event, or -1. */
static int choose(const struct machine *m, uint64_t free, uint32_t event, uint64_t flags)
{
    uint32_t code = event & EVENT_CODE_MASK;
    if (event >> EVENT_TYPE_SHIFT == EVENT_TYPE_FIRMWARE)
        return code < SBI_FW_EVENTS ? lowest(free >> SBI_PMU_FW_FIRST << SBI_PMU_FW_FIRST) : -1;
    if (event >> EVENT_TYPE_SHIFT != EVENT_TYPE_HARDWARE)
        return -1;
    uint64_t fixed = code == COUNTER_EVENT_CYCLES         ? COUNTEREN_CY
                     : code == COUNTER_EVENT_INSTRUCTIONS ? COUNTEREN_IR
                                                          : 0;
    if (!fixed)
        return -1;
    uint64_t filters = flags & (CONFIG_SET_UINH | CONFIG_SET_SINH);
    bool programmable_first = isa_has(&m->isa, EXT_SSCOFPMF) || filters;
    int hpm = lowest(free & COUNTER_HPM_MASK), plain = lowest(free & fixed);
    return programmable_first ? (hpm >= 0 ? hpm : plain) : (plain >= 0 ? plain : hpm);
}

static struct sbi_result configure(struct machine *m, struct hart *h, const uint64_t *arg)
{
    struct sbi_pmu *pmu = &m->harts[h->id].pmu;
    uint64_t mask = named_counters(m, arg[1], arg[0]), flags = arg[2];
    uint32_t event = (uint32_t)arg[3];
    int n;
    if (!mask || flags & ~(uint64_t)CONFIG_FLAGS || arg[3] >> 20)
        return (struct sbi_result){SBI_ERR_INVALID_PARAM, 0};
    if (flags & CONFIG_SKIP_MATCH) {
        n = lowest(mask & pmu->used);
        if (n < 0 || pmu->event[n] != event)
            return (struct sbi_result){SBI_ERR_INVALID_PARAM, 0};
    } else {
        n = choose(m, mask & ~pmu->used, event, flags);
        if (n < 0)
            return (struct sbi_result){SBI_ERR_NOT_SUPPORTED, 0};
        pmu->used |= 1ull << n;
        pmu->event[n] = event;
        if (is_firmware((unsigned)n))
            pmu->fw_value[n - SBI_PMU_FW_FIRST] = 0;
        else
            stop(pmu, h, (unsigned)n);
        if (n >= COUNTER_HPM_FIRST && n <= COUNTER_HPM_LAST) {
            uint64_t select = (event & EVENT_CODE_MASK) | MHPMEVENT_MINH;
            select |= flags & CONFIG_SET_SINH ? MHPMEVENT_SINH : 0;
            select |= flags & CONFIG_SET_UINH ? MHPMEVENT_UINH : 0;
            if (!isa_has(&m->isa, EXT_SSCOFPMF))
                select &= MHPMEVENT_SELECT;
            counters_write_event(h, (unsigned)n, select);
        }
    }
    if (flags & CONFIG_CLEAR_VALUE) {
        if (!is_firmware((unsigned)n))
            counters_write(h, (unsigned)n, 0);
        else if (!(pmu->started >> n & 1))
            pmu->fw_value[n - SBI_PMU_FW_FIRST] = 0;
    }
    if (flags & CONFIG_AUTO_START && !(pmu->started >> n & 1))
        start(pmu, h, (unsigned)n, false, 0);
    return (struct sbi_result){SBI_SUCCESS, (uint64_t)n};
}

/* CSR number, width - 1, and whether the counter is firmware's, as counter_get_info packs them. */
static struct sbi_result counter_info(struct machine *m, struct hart *h, uint64_t n)
{
    if (n >= SBI_PMU_COUNTERS || !(counters_there(m) >> n & 1))
        return (struct sbi_result){SBI_ERR_INVALID_PARAM, 0};
    if (is_firmware((unsigned)n))
        return (struct sbi_result){SBI_SUCCESS, 1ull << (h->xlen - 1)};
    return (struct sbi_result){SBI_SUCCESS, (0xc00 + n) | 63 << 12};
}

static struct sbi_result fw_read(struct machine *m, struct hart *h, uint64_t n, bool high)
{
    struct sbi_pmu *pmu = &m->harts[h->id].pmu;
    uint64_t *count;
    if (n < SBI_PMU_FW_FIRST || n >= SBI_PMU_COUNTERS || !(pmu->used >> n & 1))
        return (struct sbi_result){SBI_ERR_INVALID_PARAM, 0};
    uint64_t value = *fw_value(pmu, (unsigned)n, &count);
    if (pmu->started >> n & 1)
        value += *count;
    if (high)
        value = h->xlen == 32 ? value >> 32 : 0;
    return (struct sbi_result){SBI_SUCCESS, value};
}

static struct sbi_result start_counters(struct machine *m, struct hart *h, const uint64_t *arg)
{
    struct sbi_pmu *pmu = &m->harts[h->id].pmu;
    uint64_t mask = named_counters(m, arg[1], arg[0]);
    uint64_t value = h->xlen == 32 ? arg[4] << 32 | arg[3] : arg[3];
    if (arg[2] & 2)
        return (struct sbi_result){SBI_ERR_NO_SHMEM, 0};
    if (!mask || mask & ~pmu->used || arg[2] & ~(uint64_t)START_SET_VALUE)
        return (struct sbi_result){SBI_ERR_INVALID_PARAM, 0};
    int error = mask & pmu->started ? SBI_ERR_ALREADY_STARTED : SBI_SUCCESS;
    for (uint64_t rest = mask & ~pmu->started; rest; rest &= rest - 1)
        start(pmu, h, (unsigned)lowest(rest), arg[2] & START_SET_VALUE, value);
    return (struct sbi_result){error, 0};
}

static struct sbi_result stop_counters(struct machine *m, struct hart *h, const uint64_t *arg)
{
    struct sbi_pmu *pmu = &m->harts[h->id].pmu;
    uint64_t mask = named_counters(m, arg[1], arg[0]);
    if (arg[2] & 2)
        return (struct sbi_result){SBI_ERR_NO_SHMEM, 0};
    if (!mask || arg[2] & ~(uint64_t)STOP_RESET)
        return (struct sbi_result){SBI_ERR_INVALID_PARAM, 0};
    int error = mask & ~pmu->started ? SBI_ERR_ALREADY_STOPPED : SBI_SUCCESS;
    for (uint64_t rest = mask & pmu->started; rest; rest &= rest - 1)
        stop(pmu, h, (unsigned)lowest(rest));
    if (arg[2] & STOP_RESET) {
        for (uint64_t rest = mask & pmu->used & COUNTER_HPM_MASK; rest; rest &= rest - 1)
            counters_write_event(h, (unsigned)lowest(rest), 0);
        pmu->used &= ~mask;
    }
    return (struct sbi_result){error, 0};
}

struct sbi_result sbi_pmu(struct machine *m, struct hart *h, uint64_t function, const uint64_t *arg)
{
    switch (function) {
    case 0:
        return (struct sbi_result){SBI_SUCCESS, SBI_PMU_COUNTERS};
    case 1:
        return counter_info(m, h, arg[0]);
    case 2:
        return configure(m, h, arg);
    case 3:
        return start_counters(m, h, arg);
    case 4:
        return stop_counters(m, h, arg);
    case 5:
    case 6:
        return fw_read(m, h, arg[0], function == 6);
    default:
        return (struct sbi_result){SBI_ERR_NOT_SUPPORTED, 0};
    }
}
