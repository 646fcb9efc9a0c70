/* SPDX-License-Identifier: GPL-3.0-only */
/* Physical memory protection for tests; see pmp.h. CSR numbers are part of the instruction. */
#include "pmp.h"

#define FOR_ALL_ADDRESSES(DO) \
    DO(0) \
    DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)
#if RV64
#define FOR_ALL_CONFIGS(DO) DO(0) DO(2)
#else
#define FOR_ALL_CONFIGS(DO) DO(0) DO(1) DO(2) DO(3)
#endif

void pmp_set_addr(unsigned entry, ulong addr)
{
#define WRITE(n) \
    case n: \
        csr_write(pmpaddr##n, addr); \
        break;
    switch (entry) {
        FOR_ALL_ADDRESSES(WRITE)
    }
#undef WRITE
}

ulong pmp_addr(unsigned entry)
{
#define READ(n) \
    case n: \
        return csr_read(pmpaddr##n);
    switch (entry) {
        FOR_ALL_ADDRESSES(READ)
    }
#undef READ
    return 0;
}

static ulong read_configs(unsigned n)
{
#define READ(n) \
    case n: \
        return csr_read(pmpcfg##n);
    switch (n) {
        FOR_ALL_CONFIGS(READ)
    }
#undef READ
    return 0;
}

static void write_configs(unsigned n, ulong value)
{
#define WRITE(n) \
    case n: \
        csr_write(pmpcfg##n, value); \
        break;
    switch (n) {
        FOR_ALL_CONFIGS(WRITE)
    }
#undef WRITE
}

/* rv32 has four entries in each register; rv64 eight, in those with even numbers. */
static unsigned register_of(unsigned entry)
{
    return RV64 ? entry / 8 * 2 : entry / 4;
}

static unsigned shift_of(unsigned entry)
{
    return entry % (XLEN / 8) * 8;
}

unsigned pmp_cfg(unsigned entry)
{
    return read_configs(register_of(entry)) >> shift_of(entry) & 0xff;
}

void pmp_set_cfg(unsigned entry, unsigned cfg)
{
    ulong value = read_configs(register_of(entry));

    value &= ~(0xffUL << shift_of(entry));
    write_configs(register_of(entry), value | (ulong)cfg << shift_of(entry));
    __asm__ volatile("sfence.vma" ::: "memory"); /* as the specification asks of software */
}

void pmp_set(unsigned entry, unsigned cfg, ulong addr)
{
    pmp_set_addr(entry, addr);
    pmp_set_cfg(entry, cfg);
}

void pmp_open_last(void)
{
    pmp_set(PMP_LAST, PMP_NAPOT | PMP_RWX, -1);
    pmp_set(0, 0, 0);
}
