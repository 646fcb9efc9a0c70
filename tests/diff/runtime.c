/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The guest's half of the differential test: runs each block of the generated stream from a known
 * state and prints a hash of the state after it, or with header.detail all of it.
 */
#include "layout.h"
#include <stdbool.h>

typedef unsigned long word; /* a register */

extern uint64_t state[STATE_SIZE / 8];
extern uint64_t trap_log[TRAP_LOG_SIZE][4];
extern uint32_t trap_count;
extern word code_first, code_last, block_end;
void run_block(unsigned keep, word mstatus);

#define AT(address) ((void *)(word)(address))
#define HEADER ((const struct diff_header *)AT(GENERATED))

static char line[4096];
static unsigned line_length;

#ifdef USER
static word system_call(word number, word a, word b, word c)
{
    register word a0 __asm__("a0") = a;
    register word a1 __asm__("a1") = b;
    register word a2 __asm__("a2") = c;
    register word a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

static void flush(void)
{
    system_call(64, 1, (word)line, line_length);
    line_length = 0;
}

static void end(void)
{
    flush();
    system_call(93, 0, 0, 0);
}

/* The areas of layout.h that are no part of the program file. */
static void begin(void)
{
    register word a0 __asm__("a0") = SCRATCH_BASE;
    register word a1 __asm__("a1") = 0x10000;
    register word a2 __asm__("a2") = 7;
    register word a3 __asm__("a3") = 0x32; /* private, fixed, anonymous */
    register word a4 __asm__("a4") = -1;
    register word a5 __asm__("a5") = 0;
    register word a7 __asm__("a7") = 222;
    __asm__ volatile("ecall"
                     : "+r"(a0)
                     : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7)
                     : "memory");
}
#else
static volatile uint8_t *const uart = (uint8_t *)0x10000000;

static void flush(void)
{
    for (unsigned i = 0; i < line_length; i++) {
        while (!(uart[5] & 0x20))
            ;
        uart[0] = line[i];
    }
    line_length = 0;
}

static void end(void)
{
    flush();
    *(volatile uint32_t *)0x100000 = 0x5555;
}

/* A and D bits set by hardware and PBMT where they must be asked for. */
static void begin(void)
{
#if __riscv_xlen == 64
    __asm__ volatile("csrs menvcfg, %0" : : "r"(3ul << 61));
#else
    __asm__ volatile("csrs 0x31a, %0" : : "r"(3ul << 29));
#endif
}
#endif

static void put(char c)
{
    line[line_length++] = c;
    if (line_length == sizeof line)
        flush();
}

static void put_text(const char *text)
{
    while (*text)
        put(*text++);
}

static void put_hex(uint64_t value, unsigned digits)
{
    while (digits--)
        put("0123456789abcdef"[value >> (4 * digits) & 15]);
}

/* Of a register. */
static void put_number(unsigned n)
{
    if (n >= 10)
        put('0' + n / 10);
    put('0' + n % 10);
}

static uint32_t hash;

static void fold(uint32_t value)
{
    hash = (hash ^ value) * 0x01000193;
    hash ^= hash >> 15;
}

static void fold_words(const void *data, unsigned bytes)
{
    const uint32_t *words = data;
    for (unsigned i = 0; i < bytes / 4; i++)
        fold(words[i]);
}

static void copy(void *to, const void *from, unsigned bytes)
{
    uint32_t *t = to;
    const uint32_t *f = from;
    for (unsigned i = 0; i < bytes / 4; i++)
        t[i] = f[i];
}

static void fold_register(uint64_t value)
{
    fold(value);
    if (sizeof(word) == 8)
        fold(value >> 32);
}

/*
 * What is compared of a trap's mstatus: modes and enables. FS is not: how exactly dirty is tracked
 * is left open; and UXL, SXL are not there in the narrow copy.
 */
#define STATUS_SEEN 0x007e19aa

static void prepare(const struct diff_block *b)
{
    for (unsigned i = 0; i < 32; i++) {
        state[STATE_X / 8 + i] = ((const uint64_t *)AT(b->x))[i];
        state[STATE_F / 8 + i] = ((const uint64_t *)AT(b->f))[i];
    }
    state[STATE_FCSR / 8] = b->fcsr;
    state[STATE_TARGET / 8] = b->entry;
    copy(AT(SCRATCH_BASE), AT(HEADER->scratch), SCRATCH_SIZE);
    trap_count = 0;
    block_end = b->abort;
#ifndef USER
    __asm__ volatile("csrw medeleg, %0" : : "r"((word)b->medeleg));
    if (b->satp_mode) {
        copy(AT(TABLES_BASE), AT(HEADER->tables), HEADER->table_count * PAGED_SIZE);
        for (unsigned i = 0; i < FRAME_COUNT * PAGED_SIZE / 4; i++)
            ((uint32_t *)AT(FRAMES_BASE))[i] = (i * 0x01040004 & 0x1ffc1ffc) | 0x80008000;
        word table = TABLES_BASE / PAGED_SIZE + b->satp_table;
        word satp = (word)b->satp_mode << (sizeof(word) == 8 ? 60 : 31) | table;
        __asm__ volatile("csrw satp, %0; sfence.vma" : : "r"(satp) : "memory");
    }
#endif
}

/*
 * Of a faulting AMO, which stores, QEMU 7.2 says that it was a load; and it loads before it asks
 * whether the page may be written, so that an access fault may come before a page fault.
 */
static word cause_seen(word cause, word epc, bool paged)
{
    bool data_fault = (cause >= 4 && cause <= 7) || cause == 13 || cause == 15;
    if (!data_fault)
        return cause;
    const uint16_t *parcels = AT(epc);
    uint32_t insn = parcels[0] | (uint32_t)parcels[1] << 16;
    bool amo = (insn & 0x7f) == 0x2f && insn >> 27 != 2; /* 2: LR */
    if (!amo)
        return cause;
    return paged ? 15 : cause | 2;
}

static void report(const struct diff_block *b, unsigned number)
{
    unsigned traps = trap_count < TRAP_LOG_SIZE ? trap_count : TRAP_LOG_SIZE;
    hash = 0x811c9dc5;
    state[STATE_X / 8 + b->keep] = 0;
    for (unsigned i = 1; i < 32; i++)
        fold_register(state[STATE_X / 8 + i]);
    fold_words(&state[STATE_F / 8], 256);
    fold(state[STATE_FCSR / 8]);
    fold(trap_count);
    for (unsigned i = 0; i < traps; i++) {
        trap_log[i][0] = cause_seen(trap_log[i][0], trap_log[i][2], b->satp_mode);
        trap_log[i][3] &= STATUS_SEEN;
        if (trap_log[i][0] == 3) /* of ebreak tval may be 0 or the address */
            trap_log[i][1] = 0;
        for (unsigned n = 0; n < 4; n++)
            fold_register(trap_log[i][n]);
    }
    fold_words(AT(SCRATCH_BASE), SCRATCH_SIZE);
    if (b->satp_mode)
        fold_words(AT(TABLES_BASE), HEADER->table_count * PAGED_SIZE);
    put_hex(number, 5);
    put(' ');
    put_hex(hash, 8);
    put('\n');
    if (!HEADER->detail)
        return;
    for (unsigned i = 1; i < 32; i++) {
        put_text(" x");
        put_number(i);
        put(' ');
        put_hex(state[STATE_X / 8 + i], 2 * sizeof(word));
        put('\n');
    }
    for (unsigned i = 0; i < 32; i++) {
        put_text(" f");
        put_number(i);
        put(' ');
        put_hex(state[STATE_F / 8 + i], 16);
        put('\n');
    }
    put_text(" fcsr ");
    put_hex(state[STATE_FCSR / 8], 2);
    put('\n');
    for (unsigned i = 0; i < traps; i++) {
        put_text(" trap cause,tval,epc,status");
        for (unsigned n = 0; n < 4; n++) {
            put(' ');
            put_hex(trap_log[i][n], 2 * sizeof(word));
        }
        put('\n');
    }
    for (unsigned i = 0; i < SCRATCH_SIZE; i += 32) {
        put_text(" memory ");
        put_hex(SCRATCH_BASE + i, 8);
        for (unsigned n = 0; n < 4; n++) {
            put(' ');
            put_hex(((uint64_t *)AT(SCRATCH_BASE + i))[n], 16);
        }
        put('\n');
    }
    if (b->satp_mode)
        for (unsigned i = 0; i < HEADER->table_count * PAGED_SIZE; i += sizeof(word)) {
            word *now = AT(TABLES_BASE + i), *before = AT(HEADER->tables + i);
            if (*now == *before)
                continue;
            put_text(" pte ");
            put_hex((word)now, 8);
            put(' ');
            put_hex(*before, 2 * sizeof(word));
            put_text(" -> ");
            put_hex(*now, 2 * sizeof(word));
            put('\n');
        }
}

void runtime_main(void)
{
    begin();
    code_first = HEADER->code;
    code_last = HEADER->code_end;
    const struct diff_block *blocks = AT(HEADER->blocks);
    for (unsigned i = 0; i < HEADER->block_count; i++) {
        prepare(&blocks[i]);
        run_block(blocks[i].keep, blocks[i].mstatus);
        report(&blocks[i], i);
    }
    put_text("end\n");
    end();
}
