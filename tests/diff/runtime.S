/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Enters and leaves blocks of the stream with every register set. The one register that a block
 * does not touch (keep) holds the address on the way in and out, so there is an entry and an exit
 * for each. With USER defined it is part of a Linux program, otherwise it owns the machine and the
 * block runs by mret in the mode that mstatus.MPP says; the exit is an ecall at a known address.
 */
#include "layout.h"

#if __riscv_xlen == 64
#define LX ld
#define SX sd
#else
#define LX lw
#define SX sw
#endif

    .option norvc
    .option norelax

    .section .text.start, "ax"
    .globl _start
_start:
    la sp, stack_end
#ifndef USER
    la t0, machine_trap
    csrw mtvec, t0
    la t0, supervisor_trap
    csrw stvec, t0
    la t0, machine_frame
    csrw mscratch, t0
    la t0, supervisor_frame
    csrw sscratch, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, 0x6000
    csrs mstatus, t0
#endif
    call runtime_main
1:  j 1b

    .section .exits, "ax"
    .irp k, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    .balign EXIT_SIZE
    .if \k
    la x\k, state
    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    .if \n != \k
    SX x\n, 8 * \n(x\k)
    .endif
    .endr
    j exit_call
    .else
    ebreak
    .endif
    .endr
exit_call:
#ifdef USER
    j leave
#else
    ecall
exit_call_supervisor:
    ecall
#endif

    .text
    .irp k, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
entry_\k:
    la x\k, state
    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    .if \n != \k
    LX x\n, 8 * \n(x\k)
    .endif
    .endr
    LX x\k, STATE_TARGET(x\k)
    jr x\k
    .endr

/* void run_block(unsigned keep, unsigned long mstatus) */
    .globl run_block
run_block:
    la t0, caller
    SX ra, 0(t0)
    SX sp, 8(t0)
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    SX s\n, 16 + 8 * \n(t0)
    .endr
    la t0, state
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fld f\n, STATE_F + 8 * \n(t0)
    .endr
    lw t1, STATE_FCSR(t0)
    fscsr t1
    la t0, entries
    slli a0, a0, __riscv_xlen / 32 + 1
    add t0, t0, a0
    LX t0, 0(t0)
#ifdef USER
    jr t0
#else
    csrw mepc, t0
    csrw mstatus, a1
    mret
#endif

leave:
#ifndef USER
    csrw satp, zero
    li t0, 0x7fffffff
    csrc mstatus, t0
    li t0, 0x6000
    csrs mstatus, t0
#endif
    la t0, state
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    fsd f\n, STATE_F + 8 * \n(t0)
    .endr
    frcsr t1
    sw t1, STATE_FCSR(t0)
    la t0, caller
    LX ra, 0(t0)
    LX sp, 8(t0)
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11
    LX s\n, 16 + 8 * \n(t0)
    .endr
    ret

#ifndef USER
/*
 * Writes cause, tval, epc and status to the log and goes on behind the instruction, or at the
 * block's end when epc is not in the stream (a jump went elsewhere) or the log is full.
 */
.macro TRAP m, return, leave
    csrrw t0, \m\()scratch, t0
    SX t1, 0(t0)
    SX t2, 8(t0)
    SX t3, 16(t0)
    csrr t1, \m\()epc
    la t2, exit_call
    beq t1, t2, 3f
    la t2, exit_call_supervisor
    beq t1, t2, 3f
    la t2, trap_count
    lw t3, 0(t2)
    addi t3, t3, 1
    sw t3, 0(t2)
    addi t2, t3, -TRAP_LOG_SIZE
    bgtz t2, 1f
    addi t3, t3, -1
    slli t3, t3, 5
    la t2, trap_log
    add t3, t3, t2
    csrr t2, \m\()tval
    SX t2, 8(t3)
    csrr t2, \m\()cause
    SX t2, 0(t3)
    addi t2, t2, -3 /* of ebreak tval may be 0 or the address: no one is to read it later */
    bnez t2, 4f
    csrw \m\()tval, zero
4:
    SX t1, 16(t3)
    csrr t2, \m\()status
    SX t2, 24(t3)
    la t2, code_first
    LX t2, 0(t2)
    bltu t1, t2, 1f
    la t2, code_last
    LX t2, 0(t2)
    bgeu t1, t2, 1f
    lhu t2, 0(t1)
    andi t2, t2, 3
    addi t2, t2, -3
    snez t2, t2
    slli t2, t2, 1
    addi t1, t1, 4
    sub t1, t1, t2
    j 2f
1:  la t1, block_end
    LX t1, 0(t1)
2:  csrw \m\()epc, t1
    LX t1, 0(t0)
    LX t2, 8(t0)
    LX t3, 16(t0)
    csrrw t0, \m\()scratch, t0
    \return
3:  csrw \m\()scratch, t0
    j \leave
.endm

    .balign 4
machine_trap:
    TRAP m, mret, leave
    .balign 4
supervisor_trap:
    TRAP s, sret, exit_call_supervisor
#endif

    .data
    .balign 8
entries:
    .irp k, entry_1,entry_1,entry_2,entry_3,entry_4,entry_5,entry_6,entry_7,entry_8,entry_9,entry_10
#if __riscv_xlen == 64
    .quad \k
#else
    .word \k
#endif
    .endr
    .irp k, 11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
#if __riscv_xlen == 64
    .quad entry_\k
#else
    .word entry_\k
#endif
    .endr

    .bss
    .balign 16
    .globl state, trap_count, trap_log, code_first, code_last, block_end
state:
    .space STATE_SIZE
caller:
    .space 16 + 12 * 8
machine_frame:
    .space 32
supervisor_frame:
    .space 32
trap_log:
    .space TRAP_LOG_SIZE * 32
code_first:
    .space 8
code_last:
    .space 8
block_end:
    .space 8
trap_count:
    .space 8
    .balign 16
    .space 8192
stack_end:

    .section .generated, "awx"
    .incbin GENERATED_FILE
