/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * An access that may not be, in the middle of straight code and of a hot loop: the handler sees the pc of just
 * that instruction, all that came before it and nothing that comes after; and what it changes goes on.
 * Again: tests/user/loader.test faults
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

static struct {
    int signal, code;
    uint64_t addr, pc, x[32];
    double f10;
    unsigned count;
} seen;
static char *page; /* readable and writable; nothing behind it */

/* Notes what it sees and goes on behind the instruction, with another value in t6. */
static void handler(int signal, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    seen.signal = signal;
    seen.code = info->si_code;
    seen.addr = (uint64_t)info->si_addr;
    memcpy(seen.x, u->uc_mcontext.__gregs, sizeof(seen.x));
    seen.pc = seen.x[0];
    memcpy(&seen.f10, &u->uc_mcontext.__fpregs.__d.__f[10], 8);
    seen.count++;
    uint16_t low;
    memcpy(&low, (void *)seen.pc, 2);
    u->uc_mcontext.__gregs[0] += (low & 3) == 3 ? 4 : 2;
    u->uc_mcontext.__gregs[31] = 4711;
}

static void check(int holds, const char *what)
{
    if (holds)
        return;
    printf("not so: %s (signal %d code %d addr %#lx pc %#lx)\n", what, seen.signal, seen.code,
           (long)seen.addr, (long)seen.pc);
    exit(1);
}

/* Registers of every kind are set before ACCESS, by results of 32 bits among others, and again behind it. */
#define STRAIGHT(access, where) \
    ({ \
        uint64_t label_, after_; \
        __asm__ volatile("la %0, 1f\n" \
                         "li t6, 0\n" \
                         "mv t5, %2\n" \
                         "li s2, 0x7fffffff\n li a0, 0x7fffffff\n li s10, 0x7fffffff\n" \
                         "addiw s2, s2, 1\n addiw a0, a0, 2\n addiw s10, s10, 3\n" \
                         "li a5, 55\n fcvt.d.w fa0, a5\n" \
                         ".option push\n.option norvc\n" \
                         "1: " access "\n" \
                         ".option pop\n" \
                         "li s2, 1\n li a0, 2\n li s10, 3\n li a5, 4\n fmv.d.x fa0, zero\n" \
                         "mv %1, t6\n" \
                         : "=&r"(label_), "=&r"(after_) \
                         : "r"(where) \
                         : "t3", "t4", "t5", "t6", "s2", "s10", "a0", "a5", "fa0", "ft0", \
                           "memory"); \
        check(seen.pc == label_, "pc of " access); \
        check(seen.x[18] == 0xffffffff80000000, "s2 at " access); \
        check(seen.x[10] == 0xffffffff80000001, "a0 at " access); \
        check(seen.x[26] == 0xffffffff80000002, "s10 at " access); \
        check(seen.x[15] == 55, "a5 at " access); \
        check(seen.f10 == 55.0, "fa0 at " access); \
        check(after_ == 4711, "what the handler has set, after " access); \
    })

static void expect(int signal, int code, uint64_t addr)
{
    check(seen.signal == signal, "signal");
    check(seen.code == code, "si_code");
    check(seen.addr == addr, "si_addr");
}

static void straight(void)
{
    uint64_t behind = (uint64_t)page + 4096, none = 0x123456;
    STRAIGHT("ld t3, 0(t5)", none);
    expect(SIGSEGV, SEGV_MAPERR, none);
    STRAIGHT("sd t5, 8(t5)", none);
    expect(SIGSEGV, SEGV_MAPERR, none + 8);
    STRAIGHT("lb t3, -1(t5)", none);
    expect(SIGSEGV, SEGV_MAPERR, none - 1);
    STRAIGHT("sw zero, 0(t5)", behind);
    expect(SIGSEGV, SEGV_MAPERR, behind);
    STRAIGHT("ld t3, -4(t5)", behind); /* half of it is there */
    expect(SIGSEGV, SEGV_MAPERR, behind);
    STRAIGHT("fld ft0, 0(t5)", behind);
    expect(SIGSEGV, SEGV_MAPERR, behind);
    STRAIGHT("fsd fa0, 0(t5)", behind);
    expect(SIGSEGV, SEGV_MAPERR, behind);
    STRAIGHT("amoadd.d t3, t4, (t5)", behind);
    expect(SIGSEGV, SEGV_MAPERR, behind);
    STRAIGHT("amomax.w t3, t4, (t5)", behind);
    expect(SIGSEGV, SEGV_MAPERR, behind);
    STRAIGHT("lr.w t3, (t5)", behind);
    expect(SIGSEGV, SEGV_MAPERR, behind);
    STRAIGHT("amoswap.w t3, t4, (t5)", behind - 3);
    expect(SIGBUS, BUS_ADRALN, behind - 3);
    STRAIGHT("ld t3, 0(t5)", UINT64_C(0xdead000000000000));
    expect(SIGSEGV, SEGV_MAPERR, UINT64_C(0xdead000000000000));
    STRAIGHT("sd t3, 16(t5)", UINT64_C(0xfffffffffffffff0));
    STRAIGHT("ebreak", none);
    check(seen.signal == SIGTRAP && seen.code == TRAP_BRKPT, "ebreak is a trap");
    STRAIGHT(".word 0x0000007b", none);
    check(seen.signal == SIGILL && seen.addr == seen.pc, "no instruction is illegal");
    mprotect(page, 4096, PROT_READ);
    STRAIGHT("sb t3, 5(t5)", (uint64_t)page);
    expect(SIGSEGV, SEGV_ACCERR, (uint64_t)page + 5);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

/* A loop that becomes a region runs off the page; each round's sums are as far as they should be. */
static void loop(void)
{
    const unsigned rounds = 512;
    memset(page, 1, 4096);
    for (unsigned repeat = 0; repeat < 3000; repeat++) {
        uint64_t n = 0, sum = 0, last = repeat % 50 == 49 ? rounds + 1 : rounds;
        uint64_t at = (uint64_t)page;
        unsigned before = seen.count;
        __asm__ volatile("li t6, 0\n"
                         "2: ld t3, 0(%2)\n"
                         "srli t3, t3, 56\n"
                         "add %1, %1, t3\n"
                         "addi %2, %2, 8\n"
                         "addiw %0, %0, 1\n"
                         "bne %0, %3, 2b\n"
                         : "+&r"(n), "+&r"(sum), "+&r"(at)
                         : "r"(last)
                         : "t3", "t6", "memory");
        check(seen.count == before + (last > rounds), "how often a loop faults");
        if (last > rounds) {
            expect(SIGSEGV, SEGV_MAPERR, (uint64_t)page + 4096);
            check(at == (uint64_t)page + 4096 + 8, "a loop goes on behind its fault");
        }
        check(sum >= rounds && n == last, "a loop's sum");
    }
}

static void code_that_may_not_be_run(void)
{
    static uint32_t ret = 0x00008067;
    void (*call)(void) = (void (*)(void))page;
    struct sigaction action = {.sa_flags = SA_SIGINFO};
    memcpy(page, &ret, 4);
    /* The handler goes on behind the return that could not be run, so put one there that can. */
    memcpy(page + 4, &ret, 4);
    (void)action;
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    call();
    check(seen.addr != (uint64_t)page, "code that may be run runs");
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

int main(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP};
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    for (unsigned n = 0; n < 4; n++)
        sigaction(signals[n], &action, NULL);
    page = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    for (unsigned n = 0; n < 20; n++)
        straight();
    loop();
    code_that_may_not_be_run();
    puts("as it should be");
    return 0;
}
