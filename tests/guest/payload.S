/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A small S-mode guest for rv32 and rv64 on any SBI: says hello on the debug console, turns on paging
 * with one identity superpage, takes a timer interrupt and powers off. a0: hart, a1: device tree.
 */
#if __riscv_xlen == 64
#define LOAD ld
#define SATP_MODE (8 << 60)
#define PTE_BYTES 8
#define PTE_STORE sd
#define TOP_SHIFT 30
#else
#define LOAD lw
#define SATP_MODE (1 << 31)
#define PTE_BYTES 4
#define PTE_STORE sw
#define TOP_SHIFT 22
#endif

        .text
        .globl _start
_start:
        la      sp, stack_top
        la      a0, hello
        call    say

        /* The gigabyte (rv32: 4 MiB) that this runs in, mapped to itself. */
        la      t0, table
        la      t1, _start
        srli    t2, t1, TOP_SHIFT
        andi    t3, t2, (4096 / PTE_BYTES) - 1
        li      t4, PTE_BYTES
        mul     t3, t3, t4
        add     t3, t3, t0
        slli    t2, t2, TOP_SHIFT - 2
        ori     t2, t2, 0xcf            /* D A X W R V */
        PTE_STORE t2, 0(t3)
        srli    t0, t0, 12
        li      t1, SATP_MODE
        or      t0, t0, t1
        sfence.vma
        csrw    satp, t0
        sfence.vma
        la      a0, paged
        call    say

        la      t0, interrupt
        csrw    stvec, t0
        li      t0, 1 << 5
        csrs    sie, t0
        rdtime  a0
        li      a1, 0
#if __riscv_xlen == 32
        rdtimeh a1
#endif
        li      t0, 10000
        add     t1, a0, t0
#if __riscv_xlen == 32
        sltu    t2, t1, a0
        add     a1, a1, t2
#endif
        mv      a0, t1
        li      a7, 0x54494d45          /* TIME: set_timer */
        li      a6, 0
        ecall
        csrsi   sstatus, 2
1:      wfi
        j       1b

        .balign 4
interrupt:
        csrr    t0, scause
        bgez    t0, fail
        andi    t0, t0, 0xf
        li      t1, 5
        bne     t0, t1, fail
        la      a0, ticked
        call    say
        li      a7, 0x53525354          /* SRST: shutdown, no reason */
        li      a6, 0
        li      a0, 0
        li      a1, 0
        ecall
fail:   la      a0, failed
        call    say
1:      j       1b

/* a0: text, NUL at its end. The legacy console call, a character at a time. */
say:
        mv      s1, a0
1:      lbu     a0, 0(s1)
        beqz    a0, 2f
        li      a7, 1
        ecall
        addi    s1, s1, 1
        j       1b
2:      ret

        .section .rodata
hello:  .asciz  "payload: hello from S-mode\r\n"
paged:  .asciz  "payload: paging is on\r\n"
ticked: .asciz  "payload: a timer interrupt came\r\n"
failed: .asciz  "payload: failed\r\n"

        .bss
        .balign 4096
table:  .space  4096
        .space  4096
stack_top:
