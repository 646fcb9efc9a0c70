/* SPDX-License-Identifier: GPL-3.0-only */
/* Start of the programs that tests/diff/loops.py makes, and their traps' way to loops.c and back. */
#if __riscv_xlen == 64
#define SX sd
#define LX ld
#define XB 8
#else
#define SX sw
#define LX lw
#define XB 4
#endif
#define F_AT 256
#define FCSR_AT 512
#define COUNT_AT 520

    .option arch, +f,+d
    .section .text.start, "ax"
    .globl _start
_start:
    la sp, stack_end
    la t0, saved
    csrw mscratch, t0
    la t0, on_trap
    csrw mtvec, t0
    li t0, 0x6000 /* FS */
    csrw mstatus, t0
    call begin
    j back

    .balign 4
on_trap:
    csrrw x31, mscratch, x31
    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    SX x\n, \n*XB(x31)
    .endr
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fsd f\n, F_AT+\n*8(x31)
    .endr
    csrr x1, fcsr
    SX x1, FCSR_AT(x31)
    csrr x1, minstret
    SX x1, COUNT_AT(x31)
    csrr x1, mscratch
    SX x1, 31*XB(x31)
    csrw mscratch, x31
    la sp, stack_end
    call trap
back:
    la x31, saved
    LX x1, FCSR_AT(x31)
    csrw fcsr, x1
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fld f\n, F_AT+\n*8(x31)
    .endr
    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
    LX x\n, \n*XB(x31)
    .endr
    LX x31, 31*XB(x31)
    mret

    .bss
    .balign 16
stack:
    .skip 4096
stack_end:
    .globl saved
    .balign 16
saved:
    .skip 768
