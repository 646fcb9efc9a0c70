/* SPDX-License-Identifier: MPL-2.0 */
/* The answers of riscv_hwprobe, and the call: see hwprobe.h. */
#define _GNU_SOURCE
#include "user/hwprobe.h"
#include "user/abi.h"
#include "user/syscall.h"
#include <errno.h>
#include <sched.h>
#include <string.h>

enum hwprobe_key {
    KEY_MVENDORID,
    KEY_MARCHID,
    KEY_MIMPID,
    KEY_BASE_BEHAVIOR,
    KEY_IMA_EXT_0,
    KEY_CPUPERF_0,
    KEY_ZICBOZ_BLOCK_SIZE,
    KEY_HIGHEST_VIRT_ADDRESS,
    KEY_TIME_CSR_FREQ,
    KEY_MISALIGNED_SCALAR_PERF,
    KEY_MISALIGNED_VECTOR_PERF,
    KEY_VENDOR_THEAD,
    KEY_ZICBOM_BLOCK_SIZE,
};

enum { BASE_BEHAVIOR_IMA = 1, MISALIGNED_FAST = 3, VECTOR_MISALIGNED_UNSUPPORTED = 4 };

#define CACHE_BLOCK 64
#define TIMEBASE 10000000 /* what the time CSR counts in a second */

/* Bits of IMA_EXT_0. Extensions that the machine lacks are not listed. */
static const struct {
    uint8_t ext, bit;
} ext_bits[] = {
    {EXT_C, 1},       {EXT_ZBA, 3},          {EXT_ZBB, 4},    {EXT_ZBS, 5},     {EXT_ZICBOZ, 6},
    {EXT_ZBC, 7},     {EXT_ZFHMIN, 28},      {EXT_ZFA, 32},   {EXT_ZACAS, 34},  {EXT_ZICOND, 35},
    {EXT_ZCA, 43},    {EXT_ZIHINTPAUSE, 36}, {EXT_ZCB, 44},   {EXT_ZCD, 45},    {EXT_ZCF, 46},
    {EXT_ZAWRS, 48},  {EXT_ZICNTR, 50},      {EXT_ZIHPM, 51}, {EXT_ZICBOM, 55}, {EXT_ZAAMO, 56},
    {EXT_ZALRSC, 57}, {EXT_ZABHA, 58},
};

static uint64_t extensions(const struct isa *isa)
{
    uint64_t bits = isa_has(isa, EXT_F) && isa_has(isa, EXT_D);
    for (unsigned n = 0; n < sizeof(ext_bits) / sizeof(*ext_bits); n++)
        bits |= (uint64_t)isa_has(isa, ext_bits[n].ext) << ext_bits[n].bit;
    return bits;
}

bool hwprobe_value(const struct isa *isa, const struct space *space, int64_t key, uint64_t *value)
{
    *value = 0;
    switch (key) {
    case KEY_MVENDORID:
    case KEY_MARCHID:
    case KEY_MIMPID:
        return true;
    case KEY_BASE_BEHAVIOR:
        *value = isa_has(isa, EXT_M) && isa_has(isa, EXT_A) ? BASE_BEHAVIOR_IMA : 0;
        return true;
    case KEY_IMA_EXT_0:
        *value = extensions(isa);
        return true;
    case KEY_CPUPERF_0:
    case KEY_MISALIGNED_SCALAR_PERF:
        *value = MISALIGNED_FAST;
        return true;
    case KEY_MISALIGNED_VECTOR_PERF:
        *value = VECTOR_MISALIGNED_UNSUPPORTED;
        return true;
    case KEY_ZICBOZ_BLOCK_SIZE:
        *value = isa_has(isa, EXT_ZICBOZ) ? CACHE_BLOCK : 0;
        return true;
    case KEY_ZICBOM_BLOCK_SIZE:
        *value = isa_has(isa, EXT_ZICBOM) ? CACHE_BLOCK : 0;
        return true;
    case KEY_HIGHEST_VIRT_ADDRESS:
        *value = space->end - 1;
        return true;
    case KEY_TIME_CSR_FREQ:
        *value = TIMEBASE;
        return true;
    case KEY_VENDOR_THEAD:
        return true;
    default:
        return false;
    }
}

/* All harts are alike, so a set of them matters only in that it may not be empty. */
static int64_t check_harts(struct user_thread *t, uint64_t size, uint64_t address)
{
    cpu_set_t harts;
    memset(&harts, 0, sizeof(harts));
    if (!size && !address)
        return 0;
    size = size < sizeof(harts) ? size : sizeof(harts);
    if (!space_read(&t->process->space, &harts, address, size))
        return -EFAULT;
    return CPU_COUNT(&harts) ? 0 : -EINVAL;
}

static int64_t give_values(struct user_thread *t, uint64_t address, uint64_t count)
{
    const struct process *p = t->process;
    for (uint64_t n = 0; n < count; n++, address += sizeof(struct guest_hwprobe)) {
        struct guest_hwprobe pair;
        if (!space_read(&p->space, &pair, address, sizeof(pair)))
            return -EFAULT;
        if (!hwprobe_value(&p->config.isa, &p->space, pair.key, &pair.value))
            pair.key = -1;
        if (!space_write(&p->space, address, &pair, sizeof(pair)))
            return -EFAULT;
    }
    return 0;
}

/* Of a set of harts those that have all that the pairs ask for: all of them, or none. */
static int64_t choose_harts(struct user_thread *t, const uint64_t *arg)
{
    const struct process *p = t->process;
    uint64_t address = arg[0];
    bool all_match = true;
    if (!arg[2] || !arg[3])
        return -EINVAL;
    for (uint64_t n = 0; n < arg[1]; n++, address += sizeof(struct guest_hwprobe)) {
        struct guest_hwprobe pair;
        uint64_t value;
        if (!space_read(&p->space, &pair, address, sizeof(pair)))
            return -EFAULT;
        bool known = hwprobe_value(&p->config.isa, &p->space, pair.key, &value);
        bool is_set =
            pair.key == KEY_BASE_BEHAVIOR || pair.key == KEY_IMA_EXT_0 || pair.key == KEY_CPUPERF_0;
        if (!known) {
            struct guest_hwprobe unknown = {.key = -1};
            if (!space_write(&p->space, address, &unknown, sizeof(unknown)))
                return -EFAULT;
        }
        all_match &= known && (is_set ? (value & pair.value) == pair.value : value == pair.value);
    }
    cpu_set_t harts;
    memset(&harts, 0, sizeof(harts));
    uint64_t size = arg[2] < sizeof(harts) ? arg[2] : sizeof(harts);
    if (!space_read(&p->space, &harts, arg[3], size))
        return -EFAULT;
    if (!CPU_COUNT(&harts))
        sched_getaffinity(0, sizeof(harts), &harts);
    if (!all_match)
        memset(&harts, 0, sizeof(harts));
    return space_write(&p->space, arg[3], &harts, size) ? 0 : -EFAULT;
}

int64_t sys_riscv_hwprobe(struct user_thread *t, const uint64_t *arg)
{
    enum { WHICH_CPUS = 1 };
    if (arg[4] & ~(uint64_t)WHICH_CPUS)
        return -EINVAL;
    if (arg[4] & WHICH_CPUS)
        return choose_harts(t, arg);
    int64_t error = check_harts(t, arg[2], arg[3]);
    return error ? error : give_values(t, arg[0], arg[1]);
}
