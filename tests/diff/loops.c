/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What the programs of tests/diff/loops.py run on. They run in S-mode; here, in M-mode, is who serves
 * their traps. Two windows of 16 pages each, one around address 0, are mapped to a few frames,
 * some pages read-only, missing, or a device's. A fault of a page is served by mapping it, perhaps to
 * another frame than before, and changing another page, so that what a loop knows of its pages is
 * wrong from one instruction to the next. All that is random depends on the seed and what the program
 * does, so a program does the same every time, and says a digest of every trap and of the state when a
 * function ends.
 *
 * EXACT: instructions that were retired are part of the digest, and the device is there. TIMER: interrupts
 * all the time, which are not part of it.
 */
#include <stdbool.h>
#include <stdint.h>

typedef unsigned long ulong;

#define RV64 (__riscv_xlen == 64)
#define PAGE 4096u
#define WINDOW 0x40000000u
#define SLOTS 32
#define FRAMES 12
#define FAULTS_MAX 2000 /* a function with more of them is left there */
#define ENTRIES (PAGE / sizeof(ulong))
#define DEVICE 0x0c000000u /* priorities of interrupts: words that can be written */
#define CLINT 0x02000000u
enum { V = 1, R = 2, W = 4, X = 8, A = 64, D = 128 };

struct saved {
    union {
        ulong x[32];
        uint64_t pad[32];
    };
    uint64_t f[32];
    ulong fcsr;
    ulong count __attribute__((aligned(8)));
};

extern struct saved saved;
extern const ulong loops[], loops_end[]; /* the functions */

static uint8_t frames[FRAMES][PAGE] __attribute__((aligned(4096)));
static ulong root[ENTRIES] __attribute__((aligned(4096)));
static ulong tables[6][ENTRIES] __attribute__((aligned(4096)));
static uint8_t frame_of[SLOTS];
static uint64_t digest = 0xcbf29ce484222325u, state;
static ulong count_before;
static unsigned function, faults;

#define csr_read(name) \
    ({ \
        ulong value_; \
        __asm__ volatile("csrr %0, " #name : "=r"(value_)); \
        value_; \
    })
#define csr_write(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"((ulong)(value)))

static volatile uint32_t *word(uintptr_t at)
{
    return (volatile uint32_t *)at;
}

static void print(const char *text)
{
    volatile uint8_t *uart = (volatile uint8_t *)0x10000000;
    for (; *text; text++) {
        while (!(uart[5] & 0x20)) /* LSR.THRE */
            ;
        uart[0] = (uint8_t)*text;
    }
}

static void print_hex(uint64_t value, unsigned digits)
{
    char text[2] = "";
    while (digits--) {
        text[0] = "0123456789abcdef"[value >> 4 * digits & 15];
        print(text);
    }
}

static uint32_t rnd(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

static void mix(uint64_t value)
{
    digest = (digest ^ value) * 0x100000001b3u;
    digest ^= digest >> 29;
}

/*
 * Pages
 */

static ulong pte(uintptr_t at, ulong flags)
{
    return (ulong)(at >> 12) << 10 | flags;
}

/* Slots 0 to 15: the window; 16 to 23: the end of the address space; 24 to 31: its beginning. */
static ulong *entry_of(unsigned slot)
{
    unsigned last = ENTRIES - 8;
    return slot < 16   ? &tables[0][slot]
           : slot < 24 ? &tables[1][last + slot - 16]
                       : &tables[2][slot - 24];
}

static int slot_of(ulong va)
{
    ulong page = va / PAGE;
    if (page - WINDOW / PAGE < 16)
        return (int)(page - WINDOW / PAGE);
    if (page < 8)
        return (int)page + 24;
    return va >= -8ul * PAGE ? (int)(24 - (-va + PAGE - 1) / PAGE) : -1;
}

static void set_slot(unsigned slot, unsigned frame, ulong flags)
{
    frame_of[slot] = (uint8_t)frame;
    *entry_of(slot) = flags ? pte((uintptr_t)frames[frame], flags | V | A | D) : 0;
}

static void fence(ulong va)
{
    if (rnd() & 1)
        __asm__ volatile("sfence.vma" ::: "memory");
    else
        __asm__ volatile("sfence.vma %0" ::"r"(va) : "memory");
}

static ulong va_of(unsigned slot)
{
    return slot < 16 ? WINDOW + slot * PAGE : ((ulong)slot - 24) * PAGE;
}

static void change_slot(unsigned slot)
{
    static const uint8_t flags[] = {0, R, R, R | W, R | W, R | W, R | W, R | W};
    unsigned r = rnd();
    set_slot(slot, r % FRAMES, flags[r >> 8 & 7]);
#ifdef EXACT
    if ((r >> 16 & 15) == 0)
        *entry_of(slot) = pte(DEVICE, R | W | V | A | D);
#endif
    fence(va_of(slot));
}

static void make_tables(void)
{
    if (RV64) {
        root[WINDOW >> 30] = pte((uintptr_t)tables[3], V);
        tables[3][0] = pte((uintptr_t)tables[0], V);
        root[ENTRIES - 1] = pte((uintptr_t)tables[4], V);
        tables[4][ENTRIES - 1] = pte((uintptr_t)tables[1], V);
        root[0] = pte((uintptr_t)tables[5], V);
        tables[5][0] = pte((uintptr_t)tables[2], V);
        root[2] = pte(0x80000000u, V | R | W | X | A | D);
    } else {
        root[WINDOW >> 22] = pte((uintptr_t)tables[0], V);
        root[ENTRIES - 1] = pte((uintptr_t)tables[1], V);
        root[0] = pte((uintptr_t)tables[2], V);
        for (unsigned n = 0; n < 16; n++)
            root[512 + n] = pte(0x80000000u + (n << 22), V | R | W | X | A | D);
    }
}

/*
 * Functions
 */

static void set_timer(void)
{
#ifdef TIMER
    static uint32_t timer_state = 1;
    timer_state = timer_state * 1103515245 + 12345;
    uint64_t now = (uint64_t)*word(CLINT + 0xbffc) << 32 | *word(CLINT + 0xbff8);
    now += timer_state >> 16 & 127;
    *word(CLINT + 0x4004) = UINT32_MAX;
    *word(CLINT + 0x4000) = (uint32_t)now;
    *word(CLINT + 0x4004) = (uint32_t)(now >> 32);
#endif
}

static uint64_t random_value(void)
{
    uint64_t value = (uint64_t)rnd() << 33 ^ (uint64_t)rnd() << 11 ^ rnd();
    static const uint64_t special[] = {0,          1,          UINT64_MAX,         0x7fffffff,
                                       0x80000000, 0xffffffff, 0xffffffff80000000, INT64_MAX};
    unsigned r = rnd() & 31;
    return r < 8 ? special[r] : r < 12 ? (uint64_t)(int32_t)value : r < 16 ? value & 255 : value;
}

static void begin_function(void)
{
    state = function * 0x9e3779b97f4a7c15u + 12345;
    for (unsigned n = 0; n < sizeof frames / 8; n++)
        ((uint64_t *)frames)[n] =
            n % 7 ? state + n * 0x123456789u : 0x3ff0000000000000u + ((uint64_t)n << 44);
    for (unsigned n = 0; n < SLOTS; n++) {
        set_slot(n, rnd() % FRAMES, R | W);
        if (rnd() % 3 == 0)
            change_slot(n);
    }
    __asm__ volatile("sfence.vma" ::: "memory");
    for (unsigned n = 1; n < 32; n++)
        saved.x[n] = (ulong)random_value();
    for (unsigned n = 0; n < 32; n++) {
        uint64_t bits = random_value();
        saved.f[n] = n % 3 == 0 ? 0xffffffff00000000u | (0x3f800000u + (uint32_t)(bits & 0xffffff))
                     : n % 3 == 1 ? 0x3ff0000000000000u + (bits >> 12) % 0x0040000000000000u
                                  : bits;
    }
    saved.fcsr = rnd() % 5 << 5;
    csr_write(mepc, loops[function]);
    faults = 0;
}

void begin(void)
{
    make_tables();
    csr_write(pmpaddr0, -1ul);
    csr_write(pmpcfg0, 0x1f);
    csr_write(mcounteren, 7);
    csr_write(mstatus, 0x6000 | 1 << 11);
    csr_write(satp, (RV64 ? (uint64_t)8 << 60 : 1u << 31) | (uintptr_t)root >> 12);
    begin_function();
#ifdef TIMER
    csr_write(mie, 1 << 7);
    set_timer();
#endif
    count_before = csr_read(minstret);
}

static void end_function(void)
{
    for (unsigned n = 0; n < sizeof frames / 8; n++)
        mix(((uint64_t *)frames)[n]);
    print("digest ");
    print_hex(function, 3);
    print(" ");
    print_hex(digest, 16);
    print(" faults ");
    print_hex(faults, 5);
    print("\n");
    if (&loops[++function] == loops_end)
        *word(0x100000) = 0x5555; /* the machine ends */
    begin_function();
}

static void skip(void)
{
    ulong at = csr_read(mepc);
    csr_write(mepc, at + ((*(uint16_t *)at & 3) == 3 ? 4 : 2));
}

static void serve_page_fault(ulong va)
{
    int slot = slot_of(va);
    if (slot < 0) {
        skip();
        return;
    }
    set_slot((unsigned)slot, rnd() & 1 ? frame_of[slot] : rnd() % FRAMES, R | W);
    fence(va);
    unsigned other = rnd() % SLOTS;
    if (other != (unsigned)slot)
        change_slot(other);
}

void trap(void)
{
    ulong cause = csr_read(mcause), value = csr_read(mtval);
    if (cause >> (__riscv_xlen - 1)) {
        set_timer();
        return;
    }
    for (unsigned n = 1; n < 32; n++)
        mix(saved.x[n]);
    for (unsigned n = 0; n < 32; n++)
        mix(saved.f[n]);
    mix(saved.fcsr);
    mix(cause);
    mix(csr_read(mepc));
#ifdef EXACT
    mix(saved.count - count_before);
#endif
    faults++;
    if (cause == 9 || faults == FAULTS_MAX) {
        end_function();
    } else if (cause == 13 || cause == 15) {
        mix(value);
        serve_page_fault(value);
    } else {
        skip();
    }
    count_before = csr_read(minstret);
}
