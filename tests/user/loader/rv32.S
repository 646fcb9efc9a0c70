# SPDX-License-Identifier: GPL-3.0-only
# A program for riscv32, without a C library: writes its second argument, ends with the number of them.
    .globl _start
_start:
    lw s0, 0(sp)            # argc
    lw a1, 8(sp)            # argv[1]
    mv a2, a1
1:  lbu t0, 0(a2)
    beqz t0, 2f
    addi a2, a2, 1
    j 1b
2:  sub a2, a2, a1
    li a0, 1
    li a7, 64               # write
    ecall
    # sums in 32 bits, on the stack and in what starts as zero
    li t0, 0x7fffffff
    addi t0, t0, 1
    la t1, zeros
    sw t0, 2044(t1)
    lw t2, 2044(t1)
    bne t0, t2, bad
    bgez t2, bad
    mv a0, s0
    li a7, 93               # exit
    ecall
bad:
    li a0, 99
    li a7, 93
    ecall
    .bss
    .balign 4096
zeros:
    .space 8192
