/* SPDX-License-Identifier: GPL-3.0-only */
/* Programs for the tests of the public interface: rv64, M-mode, from 0x80000000 on. */
#ifndef RVVM_TESTS_API_PROGRAMS_H
#define RVVM_TESTS_API_PROGRAMS_H

#include <stdint.h>

/* clang-format off */

/* Reads a word of the device, gives it one more, and powers off. */
static const uint32_t device_program[] = {
    0x110002b7, /* lui t0,0x11000 */
    0x0002a303, /* lw t1,0(t0) */
    0x00130313, /* addi t1,t1,1 */
    0x0062a223, /* sw t1,4(t0) */
    0x001003b7, /* lui t2,0x100 */
    0x00005e37, /* lui t3,0x5 */
    0x555e0e13, /* addi t3,t3,1365 */
    0x01c3a023, /* sw t3,0(t2) */
    0x0000006f, /* jal zero */
};

/* Ends with status: the word at 0x80001000 and a7 added up. */
static const uint32_t registers_program[] = {
    0x800012b7, /* lui t0,0x80001 */
    0x02029293, /* slli t0,t0,0x20 */
    0x0202d293, /* srli t0,t0,0x20 */
    0x0002a303, /* lw t1,0(t0) */
    0x01130333, /* add t1,t1,a7 */
    0x01031313, /* slli t1,t1,0x10 */
    0x00003e37, /* lui t3,0x3 */
    0x333e0e13, /* addi t3,t3,819 */
    0x01c36333, /* or t1,t1,t3 */
    0x001003b7, /* lui t2,0x100 */
    0x0063a023, /* sw t1,0(t2) */
    0x0000006f, /* jal zero */
};

/* Sends what comes at the serial port, up to and with a q. */
static const uint32_t echo_program[] = {
    0x100002b7, /* lui t0,0x10000 */
    0x0052c303, /* lbu t1,5(t0) */
    0x00137313, /* andi t1,t1,1 */
    0xfe030ce3, /* beq t1,zero */
    0x0002c303, /* lbu t1,0(t0) */
    0x00628023, /* sb t1,0(t0) */
    0xf8f30313, /* addi t1,t1,-113 */
    0xfe0314e3, /* bne t1,zero */
    0x001003b7, /* lui t2,0x100 */
    0x00005e37, /* lui t3,0x5 */
    0x555e0e13, /* addi t3,t3,1365 */
    0x01c3a023, /* sw t3,0(t2) */
    0x0000006f, /* jal zero */
};

/* Enables input 36 of the PLIC, has the device raise it, ends with the status that claiming it gives. */
static const uint32_t irq_program[] = {
    0x0c0002b7, /* lui t0,0xc000 */
    0x00100313, /* addi t1,zero,1 */
    0x0862a823, /* sw t1,144(t0) */
    0x0c0023b7, /* lui t2,0xc002 */
    0x01000313, /* addi t1,zero,16 */
    0x0063a223, /* sw t1,4(t2) */
    0x7ff00313, /* addi t1,zero,2047 */
    0x00130313, /* addi t1,t1,1 */
    0x30432073, /* csrrs zero,mie,t1 */
    0x11000e37, /* lui t3,0x11000 */
    0x006e2423, /* sw t1,8(t3) */
    0x10500073, /* wfi */
    0x34402ef3, /* csrrs t4,mip,zero */
    0x006efeb3, /* and t4,t4,t1 */
    0xfe0e8ae3, /* beq t4,zero */
    0x0c2003b7, /* lui t2,0xc200 */
    0x0043a303, /* lw t1,4(t2) */
    0x01031313, /* slli t1,t1,0x10 */
    0x00003e37, /* lui t3,0x3 */
    0x333e0e13, /* addi t3,t3,819 */
    0x01c36333, /* or t1,t1,t3 */
    0x001003b7, /* lui t2,0x100 */
    0x0063a023, /* sw t1,0(t2) */
    0x0000006f, /* jal zero */
};

/* Places BAR 0 of 00:01.0, reads its first word, writes it to the second; status: what is then at 0x80001000. */
static const uint32_t pci_program[] = {
    0x300082b7, /* lui t0,0x30008 */
    0x40000337, /* lui t1,0x40000 */
    0x0062a823, /* sw t1,16(t0) */
    0x00600393, /* addi t2,zero,6 */
    0x00729223, /* sh t2,4(t0) */
    0x00032e03, /* lw t3,0(t1) */
    0x01c32223, /* sw t3,4(t1) */
    0x800012b7, /* lui t0,0x80001 */
    0x02029293, /* slli t0,t0,0x20 */
    0x0202d293, /* srli t0,t0,0x20 */
    0x0002a303, /* lw t1,0(t0) */
    0x01031313, /* slli t1,t1,0x10 */
    0x00003e37, /* lui t3,0x3 */
    0x333e0e13, /* addi t3,t3,819 */
    0x01c36333, /* or t1,t1,t3 */
    0x001003b7, /* lui t2,0x100 */
    0x0063a023, /* sw t1,0(t2) */
    0x0000006f, /* jal zero */
};

/* For ever. */
static const uint32_t spin_program[] = {
    0x0000006f, /* jal zero */
};

/* clang-format on */

#endif
