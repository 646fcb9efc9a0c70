/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Physical memory protection for tests. The harness leaves entry 0 open for everything; a test that
 * wants entries before it calls pmp_open_last(), which moves that entry to number 15.
 */
#ifndef ISA_PMP_H
#define ISA_PMP_H

#include "test.h"

#define PMP_LAST 15 /* 16 entries: what the specification lets be there, and QEMU has */

void pmp_set(unsigned entry, unsigned cfg, ulong addr); /* address first, then cfg */
void pmp_set_cfg(unsigned entry, unsigned cfg);
unsigned pmp_cfg(unsigned entry);
void pmp_set_addr(unsigned entry, ulong addr);
ulong pmp_addr(unsigned entry);
void pmp_open_last(void);

/* pmpaddr of a region. */
#define NAPOT(base, size) ((ulong)(base) >> 2 | ((size) / 8 - 1))
#define AT(address) ((ulong)(address) >> 2)

#endif
