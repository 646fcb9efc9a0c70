/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Entry of every bare-metal test, and the two ways a trap is met:
 *
 *   - outside run_enter() any trap is a mistake: unexpected_trap reports it and ends the machine;
 *   - run_enter() starts code in a mode of the caller's choice; the first trap that reaches M-mode
 *     ends that code, and run_enter returns to its caller with the trap's facts in its context.
 *     The code started may destroy every register.
 *
 * All harts enter here. Hart 0 goes to start_main, the others to hart_main(hartid), each on a
 * stack of its own. The loader zeroes .bss, so no hart has to do it while others already run.
 */
#include "asm.h"

    .section .text.start, "ax"
    .globl _start
_start:
    csrr a0, mhartid
    la sp, hart_stacks
    addi t0, a0, 1
    slli t0, t0, HART_STACK_SHIFT
    add sp, sp, t0
    la t0, unexpected_entry
    csrw mtvec, t0
    csrw mie, zero
    csrw mscratch, zero
    /* Every physical address is open to S and U: one NAPOT entry over all of them. */
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, 0x2000 /* mstatus.FS = Initial */
    csrs mstatus, t0
    csrw fcsr, zero
    bnez a0, 1f
    call start_main
1:  call hart_main
2:  wfi
    j 2b

    .text
    .balign 4
unexpected_entry:
    csrr a0, mcause
    csrr a1, mtval
    csrr a2, mepc
    csrr a3, mstatus
    csrr a4, mhartid
    la sp, trouble_stack_top
    tail unexpected_trap

/* void run_enter(struct run_context *context, pc, a0, a1, mode, sp, ra) */
    .globl run_enter
run_enter:
    SREG ra, 0*REGBYTES(a0)
    SREG sp, 1*REGBYTES(a0)
    SREG gp, 2*REGBYTES(a0)
    SREG tp, 3*REGBYTES(a0)
    SREG s0, 4*REGBYTES(a0)
    SREG s1, 5*REGBYTES(a0)
    SREG s2, 6*REGBYTES(a0)
    SREG s3, 7*REGBYTES(a0)
    SREG s4, 8*REGBYTES(a0)
    SREG s5, 9*REGBYTES(a0)
    SREG s6, 10*REGBYTES(a0)
    SREG s7, 11*REGBYTES(a0)
    SREG s8, 12*REGBYTES(a0)
    SREG s9, 13*REGBYTES(a0)
    SREG s10, 14*REGBYTES(a0)
    SREG s11, 15*REGBYTES(a0)
    csrr t0, mstatus
    SREG t0, 16*REGBYTES(a0)
    la t0, run_exit
    csrrw t0, mtvec, t0
    SREG t0, 17*REGBYTES(a0)
    csrrw t0, mscratch, a0
    SREG t0, 18*REGBYTES(a0)
    csrw mepc, a1
    li t0, 0x1800
    csrc mstatus, t0
    slli t0, a4, 11
    csrs mstatus, t0
    mv sp, a5
    mv ra, a6
    mv a0, a2
    mv a1, a3
    mret

    .balign 4
run_exit:
    csrrw sp, mscratch, sp
    SREG a0, 19*REGBYTES(sp)
    SREG a1, 20*REGBYTES(sp)
    mv a0, sp
    csrr t0, mcause
    SREG t0, 21*REGBYTES(a0)
    csrr t0, mtval
    SREG t0, 22*REGBYTES(a0)
    csrr t0, mepc
    SREG t0, 23*REGBYTES(a0)
    csrr t0, mstatus
    SREG t0, 24*REGBYTES(a0)
    LREG t0, 16*REGBYTES(a0)
    csrw mstatus, t0
    LREG t0, 17*REGBYTES(a0)
    csrw mtvec, t0
    LREG t0, 18*REGBYTES(a0)
    csrw mscratch, t0
    LREG ra, 0*REGBYTES(a0)
    LREG sp, 1*REGBYTES(a0)
    LREG gp, 2*REGBYTES(a0)
    LREG tp, 3*REGBYTES(a0)
    LREG s0, 4*REGBYTES(a0)
    LREG s1, 5*REGBYTES(a0)
    LREG s2, 6*REGBYTES(a0)
    LREG s3, 7*REGBYTES(a0)
    LREG s4, 8*REGBYTES(a0)
    LREG s5, 9*REGBYTES(a0)
    LREG s6, 10*REGBYTES(a0)
    LREG s7, 11*REGBYTES(a0)
    LREG s8, 12*REGBYTES(a0)
    LREG s9, 13*REGBYTES(a0)
    LREG s10, 14*REGBYTES(a0)
    LREG s11, 15*REGBYTES(a0)
    ret

/* Where code started by run_enter returns to: an ecall, which ends it. */
    .globl run_return
    .balign 4
run_return:
    ecall

    .weak hart_main
hart_main:
    wfi
    j hart_main

    .section .bss
    .balign 16
hart_stacks:
    .skip HART_MAX << HART_STACK_SHIFT
    .skip 4096
trouble_stack_top:
