/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What a bare-metal test is written with. A test defines test_main() and states facts:
 *
 *     void test_main(void)
 *     {
 *         struct run r = RUN(MODE_U, 0, 0, "csrr a0, mstatus");
 *         CHECK(r.cause, CAUSE_ILLEGAL);
 *     }
 *
 * A fact that does not hold is printed with its line, and the machine ends with status 1.
 * C is compiled for IMAC only, so that the harness itself needs no other extension; assembly in
 * RUN and OP macros may use what the assembler knows, and .insn for the rest.
 */
#ifndef ISA_TEST_H
#define ISA_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "csr.h"

typedef unsigned long ulong;
#define XLEN __riscv_xlen
#if XLEN == 64
#define RV64 1
#else
#define RV64 0
#endif

enum { MODE_U = 0, MODE_S = 1, MODE_M = 3 };

/* mcause values (privileged specification, table "Machine cause register values after trap") */
enum {
    CAUSE_FETCH_MISALIGNED = 0,
    CAUSE_FETCH_ACCESS = 1,
    CAUSE_ILLEGAL = 2,
    CAUSE_BREAKPOINT = 3,
    CAUSE_LOAD_MISALIGNED = 4,
    CAUSE_LOAD_ACCESS = 5,
    CAUSE_STORE_MISALIGNED = 6,
    CAUSE_STORE_ACCESS = 7,
    CAUSE_ECALL_U = 8,
    CAUSE_ECALL_S = 9,
    CAUSE_ECALL_M = 11,
    CAUSE_FETCH_PAGE = 12,
    CAUSE_LOAD_PAGE = 13,
    CAUSE_STORE_PAGE = 15,
};
#define CAUSE_INTERRUPT (1UL << (XLEN - 1))
enum {
    IRQ_SSI = 1,
    IRQ_MSI = 3,
    IRQ_STI = 5,
    IRQ_MTI = 7,
    IRQ_SEI = 9,
    IRQ_MEI = 11,
    IRQ_LCOFI = 13
};

/* The board, as QEMU's "virt" lays it out. */
#define RAM_BASE 0x80000000UL
#define CLINT_BASE 0x02000000UL
#define PLIC_BASE 0x0c000000UL
#define UART_BASE 0x10000000UL
#define FINISHER_BASE 0x00100000UL
#define UNMAPPED_PA 0x08000000UL /* no device and no RAM is here */

/* --- stating facts ------------------------------------------------------------------------ */

/* Compares and, when they differ, prints both with the line. */
void check(const char *what, int line, ulong got, ulong want);
void check64(const char *what, int line, uint64_t got, uint64_t want);
#define CHECK(got, want) check(#got, __LINE__, (ulong)(got), (ulong)(want))
#define CHECK64(got, want) check64(#got, __LINE__, (uint64_t)(got), (uint64_t)(want))
#define CHECK_TRUE(condition) check(#condition, __LINE__, !!(condition), 1)

void print(const char *text);
void print_hex(uint64_t value);
/* Ends the machine: status 0 when no fact failed. */
void finish(void) __attribute__((noreturn));

/* A test that has `SAME_IN_USER_MODE;` at file level is run twice: in M-mode and in U-mode. */
#define SAME_IN_USER_MODE const int same_in_user_mode = 1

/* --- running code in a mode --------------------------------------------------------------- */

/* How a piece of code ended: by a trap, always; by its own final ecall when all went well. */
struct run {
    ulong cause, tval, status;
    ulong at; /* epc minus the address of the code */
    ulong epc;
    ulong a0, a1; /* the registers when it ended */
};

/* Starts code at `pc` (0: what `pc` names stays as is) with a0 and a1 and waits for its trap. */
struct run run_at(unsigned mode, uintptr_t pc, ulong a0, ulong a1);
/* The same for a C function, which ends by returning. */
struct run run_function(unsigned mode, void (*function)(ulong, ulong), ulong a0, ulong a1);

/* Distance from where U-mode code and stack are linked to where U-mode sees them. */
extern ulong user_alias_offset;

#define ALL_EXTENSIONS \
    ".option push\n.option norelax\n.option arch, +f,+d,+zfh,+zba,+zbb,+zbc,+zbs,+zbkb,+zawrs,+zicboz,+zicbom,+zicbop,+svinval,+zihintpause\n"

/* The address of a piece of assembly, which is followed by an ecall. */
#define CODE(text) \
    ({ \
        uintptr_t code_pc_; \
        __asm__ volatile(ALL_EXTENSIONS ".pushsection .text.code,\"ax\"\n.balign 8\n771:\n" text \
                                        "\necall\n.popsection\n.option pop\nla %0, 771b" \
                         : "=r"(code_pc_)); \
        code_pc_; \
    })
#define RUN(mode, a0, a1, text) run_at(mode, CODE(text), (ulong)(a0), (ulong)(a1))

/* RUN in which nothing may go wrong; its value is a0. */
#define RUN_OK(mode, in0, in1, text) \
    ({ \
        struct run run_ = RUN(mode, in0, in1, text); \
        check("ended by ecall: " text, __LINE__, run_.cause, CAUSE_ECALL_U + (mode)); \
        run_.a0; \
    })

/* RUN that must trap with this cause and tval. */
#define RUN_TRAPS(mode, a0, a1, text, want_cause, want_tval) \
    ({ \
        struct run run_ = RUN(mode, a0, a1, text); \
        check("cause of " text, __LINE__, run_.cause, want_cause); \
        check("tval of " text, __LINE__, run_.tval, want_tval); \
        run_; \
    })

/* An instruction that is illegal in this mode; tval may be the instruction or 0. */
#define RUN_ILLEGAL(mode, text) \
    ({ \
        struct run run_ = RUN(mode, 0, 0, text); \
        check("cause of " text, __LINE__, run_.cause, CAUSE_ILLEGAL); \
        check("epc of " text, __LINE__, run_.at, 0); \
        check_illegal_tval(text, __LINE__, run_); \
        run_; \
    })
void check_illegal_tval(const char *what, int line, struct run r);

/*
 * Traps that S-mode takes. After supervisor_catch() stvec leads to an ecall, so such a trap ends the
 * run as well; supervisor_trap then puts what S-mode saw in place of what M-mode saw.
 */
void supervisor_catch(void);
struct run supervisor_trap(const char *what, int line, struct run r);
#define RUN_TRAPS_TO_S(mode, a0, a1, text, want_cause, want_tval) \
    ({ \
        struct run run_ = supervisor_trap(text, __LINE__, RUN(mode, a0, a1, text)); \
        check("scause of " text, __LINE__, run_.cause, want_cause); \
        check("stval of " text, __LINE__, run_.tval, want_tval); \
        run_; \
    })

/* --- one instruction against its result --------------------------------------------------- */

#define OP_RR(op, a, b) \
    ({ \
        ulong rd_; \
        __asm__ volatile(ALL_EXTENSIONS op " %0, %1, %2\n.option pop" \
                         : "=r"(rd_) \
                         : "r"((ulong)(a)), "r"((ulong)(b))); \
        rd_; \
    })
#define OP_RI(op, a, imm) \
    ({ \
        ulong rd_; \
        __asm__ volatile(ALL_EXTENSIONS op " %0, %1, %2\n.option pop" \
                         : "=r"(rd_) \
                         : "r"((ulong)(a)), "i"(imm)); \
        rd_; \
    })
#define OP_R(op, a) \
    ({ \
        ulong rd_; \
        __asm__ volatile(ALL_EXTENSIONS op " %0, %1\n.option pop" : "=r"(rd_) : "r"((ulong)(a))); \
        rd_; \
    })
/* With rd the same register as rs1, and as rs2: an implementation may write too early. */
#define OP_RR_SAME1(op, a, b) \
    ({ \
        ulong rd_ = (ulong)(a); \
        __asm__ volatile(ALL_EXTENSIONS op " %0, %0, %1\n.option pop" \
                         : "+&r"(rd_) \
                         : "r"((ulong)(b))); \
        rd_; \
    })
#define OP_RR_SAME2(op, a, b) \
    ({ \
        ulong rd_ = (ulong)(b); \
        __asm__ volatile(ALL_EXTENSIONS op " %0, %1, %0\n.option pop" \
                         : "+&r"(rd_) \
                         : "r"((ulong)(a))); \
        rd_; \
    })
#define RR(op, a, b, want) \
    do { \
        check(op " " #a ", " #b, __LINE__, OP_RR(op, a, b), (ulong)(want)); \
        check(op " (rd=rs1) " #a ", " #b, __LINE__, OP_RR_SAME1(op, a, b), (ulong)(want)); \
        check(op " (rd=rs2) " #a ", " #b, __LINE__, OP_RR_SAME2(op, a, b), (ulong)(want)); \
    } while (0)
#define RI(op, a, imm, want) check(op " " #a ", " #imm, __LINE__, OP_RI(op, a, imm), (ulong)(want))
#define R1(op, a, want) check(op " " #a, __LINE__, OP_R(op, a), (ulong)(want))

/* --- devices ------------------------------------------------------------------------------ */

static inline void write8(uintptr_t a, uint8_t v)
{
    *(volatile uint8_t *)a = v;
}
static inline void write32(uintptr_t a, uint32_t v)
{
    *(volatile uint32_t *)a = v;
}
static inline uint8_t read8(uintptr_t a)
{
    return *(volatile uint8_t *)a;
}
static inline uint32_t read32(uintptr_t a)
{
    return *(volatile uint32_t *)a;
}

uint64_t clint_time(void);
void clint_set_timecmp(unsigned hart, uint64_t when);
static inline void clint_set_msip(unsigned hart, uint32_t v)
{
    write32(CLINT_BASE + 4 * hart, v);
}

#endif
