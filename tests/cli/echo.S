/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Firmware for tests of the serial port: says "ready" and sends every byte back, by polling.
 *
 *   Ctrl-D   power off            Ctrl-R   restart: "ready" comes again
 *   a break  is answered by "<break>"
 *
 * With FLOOD defined it prints FLOOD lines of 64 bytes instead ("0000000a ...") and powers off: the
 * last ones are on their way when the machine ends.
 */
#define UART 0x10000000
#define LSR 5
#define LSR_READY 0x01
#define LSR_BREAK 0x10
#define LSR_THRE 0x20
#define FINISHER 0x00100000
#define FINISH_PASS 0x5555
#define FINISH_RESET 0x7777

        .text
        .globl _start
_start:
        li      s0, UART
#ifdef FLOOD
        li      s1, 0                   /* line */
        li      s2, FLOOD
1:      li      s3, 28                  /* its number, in hexadecimal */
2:      srl     a0, s1, s3
        andi    a0, a0, 15
        li      t0, 10
        blt     a0, t0, 3f
        addi    a0, a0, 'a' - 10 - '0'
3:      addi    a0, a0, '0'
        jal     put
        addi    s3, s3, -4
        bgez    s3, 2b
        li      s3, 55
4:      li      a0, '.'
        jal     put
        addi    s3, s3, -1
        bnez    s3, 4b
        li      a0, '\n'
        jal     put
        addi    s1, s1, 1
        bne     s1, s2, 1b
        j       off
#endif
        la      a1, ready
        jal     say
next:   lbu     t0, LSR(s0)
        andi    t1, t0, LSR_BREAK
        bnez    t1, broken
        andi    t1, t0, LSR_READY
        beqz    t1, next
        lbu     a0, 0(s0)
        li      t1, 'D' - 64
        beq     a0, t1, off
        li      t1, 'R' - 64
        beq     a0, t1, restart
        jal     put
        j       next

broken: lbu     a0, 0(s0)               /* the zero that comes with it */
        la      a1, break
        jal     say
        j       next

off:    li      t0, FINISH_PASS
        j       finish
restart:
        li      t0, FINISH_RESET
finish: li      t1, FINISHER
        sw      t0, 0(t1)
1:      j       1b

/* a1: text, NUL at its end. */
say:    mv      s4, ra
1:      lbu     a0, 0(a1)
        beqz    a0, 2f
        jal     put
        addi    a1, a1, 1
        j       1b
2:      jr      s4

/* a0: a byte. */
put:    lbu     t0, LSR(s0)
        andi    t0, t0, LSR_THRE
        beqz    t0, put
        sb      a0, 0(s0)
        ret

ready:  .asciz  "ready\r\n"
break:  .asciz  "<break>"
