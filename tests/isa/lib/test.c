/* SPDX-License-Identifier: GPL-3.0-only */
/* The harness behind test.h: output, the count of failed facts, runs in other modes. */
#include "test.h"

#include "asm.h"

/* Laid out as start.S stores it. */
struct run_context {
    ulong saved[16], mstatus, mtvec, mscratch;
    ulong a0, a1, cause, tval, epc, status;
};

void test_main(void);
void start_main(void) __attribute__((noreturn));
void unexpected_trap(ulong cause, ulong tval, ulong epc, ulong status, ulong hart)
    __attribute__((noreturn));
void run_enter(struct run_context *context, ulong pc, ulong a0, ulong a1, ulong mode, ulong sp,
               ulong ra);
extern char run_return[];

extern const int same_in_user_mode __attribute__((weak));

#define FAILURES_PRINTED 8

static volatile unsigned checks, failures;
static const char *section = "";
ulong user_alias_offset;
static char run_stack[HART_MAX][4096] __attribute__((aligned(16)));

void print(const char *text)
{
    while (*text) {
        while (!(read8(UART_BASE + 5) & 0x20))
            ;
        write8(UART_BASE, *text++);
    }
}

void print_hex(uint64_t value)
{
    char text[19] = "0x";
    int n = 2;

    for (int shift = 60; shift >= 0; shift -= 4) {
        unsigned digit = (value >> shift) & 15;

        if (digit || n > 2 || !shift)
            text[n++] = "0123456789abcdef"[digit];
    }
    text[n] = 0;
    print(text);
}

static void print_number(unsigned value)
{
    char text[12];
    int n = sizeof(text);

    text[--n] = 0;
    do {
        text[--n] = '0' + value % 10;
        value /= 10;
    } while (value);
    print(text + n);
}

void check64(const char *what, int line, uint64_t got, uint64_t want)
{
    checks++;
    if (got == want)
        return;
    if (failures++ >= FAILURES_PRINTED)
        return;
    print("check ");
    print_number(checks);
    print(" failed");
    print(section);
    print(" (line ");
    print_number(line);
    print("): ");
    print(what);
    print(": got ");
    print_hex(got);
    print(" want ");
    print_hex(want);
    print("\n");
}

void check(const char *what, int line, ulong got, ulong want)
{
    check64(what, line, got, want);
}

void check_illegal_tval(const char *what, int line, struct run r)
{
    const uint16_t *parcel = (const uint16_t *)r.epc;
    ulong insn = parcel[0];

    if ((insn & 3) == 3)
        insn |= (ulong)parcel[1] << 16;
    if (r.tval)
        check(what, line, r.tval, insn);
}

void supervisor_catch(void)
{
    csr_write(stvec, CODE(""));
}

struct run supervisor_trap(const char *what, int line, struct run r)
{
    check(what, line, r.cause, CAUSE_ECALL_S);
    check(what, line, r.epc, csr_read(stvec) & ~3UL);
    r.at += csr_read(sepc) - r.epc;
    r.epc = csr_read(sepc);
    r.cause = csr_read(scause);
    r.tval = csr_read(stval);
    return r;
}

void finish(void)
{
    if (failures || !checks) {
        print_number(failures);
        print(" of ");
        print_number(checks);
        print(" checks failed\n");
        write32(FINISHER_BASE, 0x3333 | 1 << 16);
    }
    write32(FINISHER_BASE, 0x5555);
    for (;;)
        ;
}

void unexpected_trap(ulong cause, ulong tval, ulong epc, ulong status, ulong hart)
{
    print("unexpected trap on hart ");
    print_number(hart);
    print(" after check ");
    print_number(checks);
    print(": cause ");
    print_hex(cause);
    print(" tval ");
    print_hex(tval);
    print(" epc ");
    print_hex(epc);
    print(" mstatus ");
    print_hex(status);
    print("\n");
    write32(FINISHER_BASE, 0x3333 | 2 << 16);
    for (;;)
        ;
}

static struct run run_with(unsigned mode, uintptr_t pc, ulong a0, ulong a1)
{
    struct run_context context;
    ulong hart = csr_read(mhartid);
    ulong sp = (ulong)(run_stack[hart] + sizeof(run_stack[hart]));
    ulong ra = (ulong)run_return;
    struct run r;

    if (mode == MODE_U) {
        sp += user_alias_offset;
        ra += user_alias_offset;
    }
    run_enter(&context, pc, a0, a1, mode, sp, ra);
    r.cause = context.cause;
    r.tval = context.tval;
    r.status = context.status;
    r.epc = context.epc;
    r.at = context.epc - pc;
    r.a0 = context.a0;
    r.a1 = context.a1;
    return r;
}

struct run run_at(unsigned mode, uintptr_t pc, ulong a0, ulong a1)
{
    bool linked = pc >= RAM_BASE && pc < RAM_BASE + 0x1000000;

    return run_with(mode, mode == MODE_U && linked ? pc + user_alias_offset : pc, a0, a1);
}

struct run run_function(unsigned mode, void (*function)(ulong, ulong), ulong a0, ulong a1)
{
    return run_at(mode, (uintptr_t)function, a0, a1);
}

static void main_in_user_mode(ulong a0, ulong a1)
{
    (void)a0;
    (void)a1;
    test_main();
}

void start_main(void)
{
    test_main();
    if (&same_in_user_mode) {
        struct run r;

        section = " in U-mode";
        csr_write(mcounteren, 7);
        csr_write(scounteren, 7);
        r = run_function(MODE_U, main_in_user_mode, 0, 0);
        CHECK(r.cause, CAUSE_ECALL_U);
    }
    finish();
}

uint64_t clint_time(void)
{
    uint32_t high, low;

    do {
        high = read32(CLINT_BASE + 0xbffc);
        low = read32(CLINT_BASE + 0xbff8);
    } while (read32(CLINT_BASE + 0xbffc) != high);
    return (uint64_t)high << 32 | low;
}

void clint_set_timecmp(unsigned hart, uint64_t when)
{
    uintptr_t at = CLINT_BASE + 0x4000 + 8 * hart;

    write32(at + 4, 0xffffffff); /* no interrupt between the halves */
    write32(at, (uint32_t)when);
    write32(at + 4, (uint32_t)(when >> 32));
}
