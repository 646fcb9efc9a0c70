# SPDX-License-Identifier: GPL-3.0-only
# Each hart gets a stack; FP is on; variables are reached by gp.
    .globl _start
_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    li t0, 0x6000
    csrs mstatus, t0
    csrr a0, mhartid
    la sp, stacks
    addi t0, a0, 1
    slli t0, t0, 12
    add sp, sp, t0
    bnez a0, 1f
    call main
1:  call other_hart

    .bss
    .balign 16
stacks:
    .skip 8 * 4096
