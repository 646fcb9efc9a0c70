/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What the generator (host) and the runtime (guest) agree on: where things lie, and the tables at
 * the start of the generated part. All fields are 32 bits and all addresses fit, for both widths.
 */
#ifndef DIFF_LAYOUT_H
#define DIFF_LAYOUT_H

#define RUNTIME_BASE 0x80000000 /* runtime.S and runtime.c */
#define EXITS_BASE 0x80001000   /* exit stub of register k at EXITS_BASE + k * EXIT_SIZE */
#define EXIT_SIZE 256
#define SCRATCH_BASE 0x80080000 /* what loads, stores and atomics of the stream touch */
#define SCRATCH_SIZE 512
#define TABLES_BASE 0x80090000 /* page tables of the paging streams, copied here for each block */
#define FRAMES_BASE 0x800a0000 /* the 4 KiB frames they map */
#define FRAME_COUNT 4
#define PAGED_SIZE 0x1000    /* of each frame and table: 4 KiB */
#define GENERATED 0x80100000 /* struct diff_header and what follows it */
#define TRAP_LOG_SIZE 48     /* traps a block may take before it is ended */

/* Offsets in the saved state: slots of 8 bytes. */
#define STATE_X 0
#define STATE_F 256
#define STATE_FCSR 512
#define STATE_TARGET 520
#define STATE_SIZE 528

#ifndef __ASSEMBLER__
#include <stdint.h>

struct diff_header {
    uint32_t blocks; /* address of struct diff_block[block_count] */
    uint32_t block_count;
    uint32_t detail;  /* print whole states, not only their hashes */
    uint32_t scratch; /* address of what the scratch area starts with */
    uint32_t code, code_end;
    uint32_t tables, table_count; /* page tables as they start, table_count pages */
};

struct diff_block {
    uint32_t entry; /* first instruction */
    uint32_t abort; /* where the block ends: a trap that cannot be skipped goes here */
    uint32_t x, f;  /* addresses of 32 values each that the registers start with */
    uint32_t fcsr;
    uint32_t keep;    /* the integer register that the stream does not touch */
    uint32_t mstatus; /* MPP: the mode the block runs in */
    uint32_t medeleg;
    uint32_t satp_mode, satp_table; /* mode as in satp; number of the root table */
};
#endif
#endif
