/* SPDX-License-Identifier: GPL-3.0-only */
/* What assembly sources of both XLENs share. */
#if __riscv_xlen == 64
#define SREG sd
#define LREG ld
#define REGBYTES 8
#else
#define SREG sw
#define LREG lw
#define REGBYTES 4
#endif

#define HART_MAX 8
#define HART_STACK_SHIFT 13
