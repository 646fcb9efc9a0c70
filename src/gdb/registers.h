/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A hart's registers by the numbers that GDB has for them (its features org.gnu.gdb.riscv.cpu, fpu, csr
 * and virtual), and the description of them all. The hart rests, and nobody else looks at it.
 */
#ifndef RVVM_GDB_REGISTERS_H
#define RVVM_GDB_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hart;

enum {
    REGISTER_PC = 32,
    REGISTER_F0 = 33,
    REGISTER_CSR0 = 65, /* and the CSR's number */
    REGISTER_PRIV = REGISTER_CSR0 + 4096,
    REGISTER_COUNT,
};

/* Its bytes; 0: the hart has no such register. */
unsigned register_size(struct hart *h, unsigned n);
bool register_read(struct hart *h, unsigned n, uint64_t *value);
/* false: it has none, or does not take that value. */
bool register_write(struct hart *h, unsigned n, uint64_t value);

/* The target description, in XML, which is the caller's to free; NULL: out of memory. */
char *registers_describe(struct hart *h);

#endif
