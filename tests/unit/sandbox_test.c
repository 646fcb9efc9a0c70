/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Functions of a program (rvvm/sandbox.h): what they compute, what they may not do, and files that are none.
 * The program is built here, so it takes riscv64-linux-gnu-gcc. Again: tools/run-tests unit/sandbox_test
 */
#define _GNU_SOURCE
#include <fenv.h>
#include <pthread.h>
#include <rvvm/sandbox.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static const char plugin[] =
    "typedef unsigned long u64;\n"
    "long add(long a, long b) { return a + b; }\n"
    "unsigned wide(unsigned a) { return a + 1; }\n"
    "double mix(double a, float b, long c) { return a * b + c; }\n"
    "long many(long a, long b, long c, long d, long e, long f, long g, long h)\n"
    "{ return a + 2*b + 3*c + 4*d + 5*e + 6*f + 7*g + 8*h; }\n"
    "struct pair { long x, y; };\n"
    "struct pair swap(struct pair p) { return (struct pair){p.y, p.x}; }\n"
    "u64 sum(const unsigned char *p, u64 n) { u64 s = 0; while (n--) s += *p++; return s; }\n"
    "static long count; long next(void) { return ++count; }\n"
    "long table[4] = {1, 2, 3, 4}; long *where = &table[2]; long through(void) { return *where; }\n"
    "__thread long mine = 7; long thread_local_one(void) { return mine++; }\n"
    "long made; __attribute__((constructor)) static void make(void) { made = 42; }\n"
    "long get_made(void) { return made; }\n"
    "long load(long *p) { return *(volatile long *)p; }\n"
    "void store(long *p) { *(volatile long *)p = 1; }\n"
    "void jump(void (*p)(void)) { p(); }\n"
    "void trap(void) { __asm__ volatile(\"ebreak\"); }\n"
    "void bad(void) { __asm__ volatile(\".4byte 0xffffffff\"); }\n"
    "void wait(void) { __asm__ volatile(\"wfi\"); }\n"
    "void privileged(void) { __asm__ volatile(\"csrw satp, zero\"); }\n"
    "long depth(long n) { volatile char here[4096]; here[0] = n; return depth(n + 1) + here[0]; }\n"
    "long ask(long n, long a) {\n"
    "  register long a7 __asm__(\"a7\") = n; register long a0 __asm__(\"a0\") = a;\n"
    "  __asm__ volatile(\"ecall\" : \"+r\"(a0) : \"r\"(a7) : \"memory\"); return a0 + 1; }\n"
    "long forever(volatile long *p) { for (;;) { *p += 1; } }\n"
    "long spin(void) { for (;;) ; }\n"
    "double divide(double a, double b) { return a / b; }\n"
    "u64 loops(u64 n) { u64 s = 0; for (u64 i = 0; i < n; i++) s += i ^ (s >> 3); return s; }\n";

static char folder[] = "/tmp/sandbox-XXXXXX", shared[64], linked[64];

static bool run_command(const char *format, ...)
{
    char command[512];
    va_list list;
    va_start(list, format);
    vsnprintf(command, sizeof(command), format, list);
    va_end(list);
    return system(command) == 0;
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static int build_programs(void **state)
{
    (void)state;
    char source[64];
    if (!run_command("riscv64-linux-gnu-gcc --version >/dev/null 2>&1"))
        return 0;
    if (!mkdtemp(folder))
        return -1;
    snprintf(source, sizeof(source), "%s/plugin.c", folder);
    snprintf(shared, sizeof(shared), "%s/plugin.so", folder);
    snprintf(linked, sizeof(linked), "%s/plugin", folder);
    write_file(source, plugin, strlen(plugin));
    const char *build = "riscv64-linux-gnu-gcc -O1 -w -nostdlib %s -o %s %s";
    return run_command(build, "-shared -fPIC -D__thread=", shared, source) &&
                   run_command(build, "-static -Wl,-e,add", linked, source)
               ? 0
               : -1;
}

static int remove_programs(void **state)
{
    (void)state;
    return *shared && !run_command("rm -r %s", folder);
}

static struct rvvm_sandbox_config config_for(const char *program)
{
    struct rvvm_sandbox_config config;
    if (!*shared)
        skip();
    rvvm_sandbox_config_init(&config);
    config.program = program;
    return config;
}

static struct rvvm_sandbox *open_config(const struct rvvm_sandbox_config *config)
{
    struct rvvm_error error;
    struct rvvm_sandbox *box = rvvm_sandbox_new(config, &error);
    if (!box)
        fail_msg("%s", error.text);
    return box;
}

static struct rvvm_sandbox *open_box(const char *program)
{
    struct rvvm_sandbox_config config = config_for(program);
    return open_config(&config);
}

static uint64_t find(struct rvvm_sandbox *box, const char *name)
{
    struct rvvm_error error;
    uint64_t address;
    if (!rvvm_sandbox_find(box, name, &address, &error))
        fail_msg("%s", error.text);
    return address;
}

static uint64_t call(struct rvvm_sandbox *box, const char *name, uint64_t a, uint64_t b)
{
    struct rvvm_sandbox_registers r = {.a = {a, b}};
    struct rvvm_error error;
    if (!rvvm_sandbox_call(box, find(box, name), &r, &error))
        fail_msg("%s", error.text);
    return r.a[0];
}

static uint64_t bits(double value)
{
    uint64_t b;
    memcpy(&b, &value, sizeof(b));
    return b;
}

static double number(uint64_t b)
{
    double value;
    memcpy(&value, &b, sizeof(value));
    return value;
}

static uint64_t float_bits(float value)
{
    uint32_t b;
    memcpy(&b, &value, sizeof(b));
    return UINT64_C(0xffffffff00000000) | b;
}

static void compute(struct rvvm_sandbox *box)
{
    struct rvvm_error error;
    assert_int_equal(call(box, "add", 3, (uint64_t)-4), (uint64_t)-1);
    assert_int_equal(call(box, "wide", 0x7fffffff, 0), 0xffffffff80000000);
    struct rvvm_sandbox_registers r = {.a = {5}, .f = {bits(1.5), float_bits(0.5f)}};
    assert_true(rvvm_sandbox_call(box, find(box, "mix"), &r, &error));
    assert_true(number(r.f[0]) == 1.5 * 0.5 + 5);
    r = (struct rvvm_sandbox_registers){.a = {1, 2, 3, 4, 5, 6, 7, 8}};
    assert_true(rvvm_sandbox_call(box, find(box, "many"), &r, &error));
    assert_int_equal(r.a[0], 1 + 4 + 9 + 16 + 25 + 36 + 49 + 64);
    r = (struct rvvm_sandbox_registers){.a = {10, 20}};
    assert_true(rvvm_sandbox_call(box, find(box, "swap"), &r, &error));
    assert_int_equal(r.a[0], 20);
    assert_int_equal(r.a[1], 10);
    assert_int_equal(call(box, "through", 0, 0), 3);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 100000; i++)
        sum += i ^ (sum >> 3);
    assert_int_equal(call(box, "loops", 100000, 0), sum);
}

static void functions_compute_on_every_engine(void **state)
{
    (void)state;
    static const enum rvvm_jit engines[] = {RVVM_JIT_ON, RVVM_JIT_OFF, RVVM_JIT_TIER1,
                                            RVVM_JIT_TIER2};
    for (unsigned i = 0; i < 4; i++) {
        struct rvvm_sandbox_config config = config_for(shared);
        config.jit = engines[i];
        struct rvvm_sandbox *box = open_config(&config);
        compute(box);
        rvvm_sandbox_free(box);
        config.program = linked;
        box = open_config(&config);
        compute(box);
        assert_int_equal(call(box, "thread_local_one", 0, 0), 7);
        assert_int_equal(call(box, "thread_local_one", 0, 0), 8);
        rvvm_sandbox_free(box);
    }
}

static void memory_is_shared_by_copies(void **state)
{
    (void)state;
    struct rvvm_sandbox *box = open_box(shared);
    struct rvvm_error error;
    uint64_t heap, size, word;
    uint8_t data[5000];
    rvvm_sandbox_heap(box, &heap, &size);
    assert_int_equal(size, 16 << 20);
    memset(data, 3, sizeof(data));
    assert_true(rvvm_sandbox_write(box, heap + 100, data, sizeof(data), &error));
    assert_int_equal(call(box, "sum", heap, 6000), 15000);
    assert_true(rvvm_sandbox_read(box, find(box, "table") + 8, &word, 8, &error));
    assert_int_equal(word, 2);
    assert_true(rvvm_sandbox_write(box, heap + size - 1, data, 1, &error));
    assert_false(rvvm_sandbox_write(box, heap + size - 1, data, 2, &error));
    assert_non_null(strstr(error.text, "2 bytes at 0x"));
    assert_false(rvvm_sandbox_read(box, 0, data, 1, NULL));
    assert_false(rvvm_sandbox_read(box, heap, data, SIZE_MAX, NULL));
    rvvm_sandbox_free(box);
}

static void constructors_run_and_a_reset_undoes(void **state)
{
    (void)state;
    struct rvvm_sandbox *box = open_box(shared);
    struct rvvm_error error;
    uint64_t heap, size, zero = 1;
    rvvm_sandbox_heap(box, &heap, &size);
    assert_int_equal(call(box, "get_made", 0, 0), 42);
    assert_int_equal(call(box, "next", 0, 0), 1);
    assert_int_equal(call(box, "next", 0, 0), 2);
    assert_true(rvvm_sandbox_write(box, find(box, "made"), &zero, 8, &error));
    assert_true(rvvm_sandbox_write(box, heap, &zero, 8, &error));
    assert_true(rvvm_sandbox_reset(box, &error));
    assert_int_equal(call(box, "get_made", 0, 0), 42);
    assert_int_equal(call(box, "next", 0, 0), 1);
    assert_true(rvvm_sandbox_read(box, heap, &zero, 8, &error));
    assert_int_equal(zero, 0);
    rvvm_sandbox_free(box);
}

static void expect_trap(struct rvvm_sandbox *box, const char *name, uint64_t a, unsigned cause,
                        uint64_t value)
{
    struct rvvm_sandbox_registers r = {.a = {a}};
    struct rvvm_sandbox_trap trap;
    struct rvvm_error error;
    assert_false(rvvm_sandbox_call(box, find(box, name), &r, &error));
    rvvm_sandbox_trap(box, &trap);
    if (trap.cause != cause || (value && trap.value != value))
        fail_msg("%s: %s", name, error.text);
}

static void *interrupt_soon(void *arg)
{
    usleep(20000);
    rvvm_sandbox_interrupt(arg);
    return NULL;
}

static void a_constructor_without_end_is_interrupted(void **state)
{
    (void)state;
    struct rvvm_sandbox_config config = config_for(shared);
    struct rvvm_error error;
    struct rvvm_sandbox *box = open_config(&config);
    static const uint32_t jump_to_itself = 0x0000006f;
    assert_true(rvvm_sandbox_write(box, find(box, "make"), &jump_to_itself, 4, &error));
    for (unsigned round = 0; round < 2; round++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, box), 0);
        expect_trap(box, "get_made", 0, RVVM_SANDBOX_INTERRUPTED, 0);
        pthread_join(thread, NULL);
    }
    rvvm_sandbox_reset(box, &error);
    assert_int_equal(call(box, "get_made", 0, 0), 42);
    rvvm_sandbox_free(box);
}

/* A program made by hand. Its constructors: a system call, then one that returns at once, again and again, and at the
 * end one that never does. */
#define CONSTRUCTORS 100000

struct many_constructors {
    struct {
        uint8_t ident[16];
        uint16_t type, machine;
        uint32_t version;
        uint64_t entry, segments, sections;
        uint32_t flags;
        uint16_t size, segment_size, segment_count, section_size, section_count, names;
    } header;
    struct {
        uint32_t type, flags;
        uint64_t offset, address, physical, file_size, size, align;
    } segments[2];
    uint64_t dynamic[3][2];
    uint32_t code[4];
    uint64_t constructors[CONSTRUCTORS];
};

static struct many_constructors *make_constructors(void)
{
    enum { FIRST = 0x10000, EXECUTABLE = 2, RISCV = 243, LOAD = 1, DYNAMIC = 2, READ_EXEC = 5 };
    enum { DT_INIT_ARRAY = 25, DT_INIT_ARRAYSZ = 27 };
    enum { ECALL = 0x00000073, RET = 0x00008067, JUMP_TO_ITSELF = 0x0000006f };
    enum { ASK, RETURN, STAY = 3 }; /* where in the code */
    struct many_constructors *m = calloc(1, sizeof(*m));
    assert_non_null(m);
    memcpy(m->header.ident, "\177ELF\2\1\1", 7);
    m->header.type = EXECUTABLE;
    m->header.machine = RISCV;
    m->header.segments = offsetof(struct many_constructors, segments);
    m->header.segment_size = sizeof(m->segments[0]);
    m->header.segment_count = 2;
    m->segments[0].type = LOAD;
    m->segments[0].flags = READ_EXEC;
    m->segments[0].address = FIRST;
    m->segments[0].file_size = m->segments[0].size = sizeof(*m);
    m->segments[1].type = DYNAMIC;
    m->segments[1].offset = offsetof(struct many_constructors, dynamic);
    m->segments[1].file_size = m->segments[1].size = sizeof(m->dynamic);
    m->dynamic[0][0] = DT_INIT_ARRAY;
    m->dynamic[0][1] = FIRST + offsetof(struct many_constructors, constructors);
    m->dynamic[1][0] = DT_INIT_ARRAYSZ;
    m->dynamic[1][1] = sizeof(m->constructors);
    m->code[ASK] = ECALL;
    m->code[RETURN] = RET;
    m->code[STAY] = JUMP_TO_ITSELF;
    for (unsigned n = 0; n < CONSTRUCTORS; n++) {
        const unsigned which = n == 0 ? ASK : n + 1 < CONSTRUCTORS ? RETURN : STAY;
        m->constructors[n] = FIRST + offsetof(struct many_constructors, code[which]);
    }
    return m;
}

/* As many tables of symbols as there can be, each of them all of the file. */
static void a_file_with_many_tables_of_symbols_is_searched_once(void **state)
{
    (void)state;
    enum { TABLES = 60000, TABLE_OF_SYMBOLS = 2, SYMBOLS_SIZE = 8 << 20 };
    struct section {
        uint32_t name, type;
        uint64_t flags, address, offset, size;
        uint32_t link, info;
        uint64_t align, entry_size;
    };
    struct many_constructors *m = make_constructors();
    const size_t size = sizeof(*m) + TABLES * sizeof(struct section) + SYMBOLS_SIZE;
    uint8_t *bytes = calloc(1, size);
    assert_non_null(bytes);
    m->header.sections = sizeof(*m);
    m->header.section_size = sizeof(struct section);
    m->header.section_count = TABLES;
    memcpy(bytes, m, sizeof(*m));
    struct section *sections = (void *)(bytes + sizeof(*m));
    for (unsigned n = 0; n < TABLES; n++)
        sections[n] = (struct section){.type = TABLE_OF_SYMBOLS, .size = size};
    struct rvvm_sandbox_config config;
    rvvm_sandbox_config_init(&config);
    config.program_bytes = (struct rvvm_bytes){bytes, size};
    const time_t begin = time(NULL);
    struct rvvm_sandbox *box = open_config(&config);
    uint64_t address;
    assert_false(rvvm_sandbox_find(box, "nothing", &address, NULL));
    assert_true(time(NULL) - begin < 20);
    rvvm_sandbox_free(box);
    free(bytes);
    free(m);
}

struct interruption {
    struct rvvm_sandbox *box;
    unsigned after_us;
    _Atomic bool begun, over;
    bool missed;
};

static bool note_beginning(void *ctx, struct rvvm_sandbox *box, struct rvvm_sandbox_registers *r)
{
    (void)box, (void)r;
    ((struct interruption *)ctx)->begun = true;
    return true;
}

/* Once; when that was missed, again, so that the test comes to its end. */
static void *interrupt_once(void *arg)
{
    struct interruption *i = arg;
    while (!i->begun) /* what comes before the call ends nothing */
        usleep(100);
    usleep(i->after_us);
    rvvm_sandbox_interrupt(i->box);
    for (unsigned n = 0; n < 20000 && !i->over; n++)
        usleep(1000);
    i->missed = !i->over;
    while (!i->over)
        rvvm_sandbox_interrupt(i->box);
    return NULL;
}

static void an_interrupt_between_constructors_is_not_lost(void **state)
{
    (void)state;
    struct many_constructors *m = make_constructors();
    struct rvvm_sandbox_config config;
    struct rvvm_error error;
    rvvm_sandbox_config_init(&config);
    config.program_bytes = (struct rvvm_bytes){m, sizeof(*m)};
    config.system_call = note_beginning;
    for (unsigned round = 0; round < 100; round++) {
        struct interruption i = {.after_us = 37 * round};
        config.ctx = &i;
        i.box = open_config(&config);
        struct rvvm_sandbox_registers r = {.a = {0}};
        struct rvvm_sandbox_trap trap;
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, interrupt_once, &i), 0);
        assert_false(rvvm_sandbox_call(i.box, m->constructors[0], &r, &error));
        i.over = true;
        pthread_join(thread, NULL);
        rvvm_sandbox_trap(i.box, &trap);
        assert_int_equal(trap.cause, RVVM_SANDBOX_INTERRUPTED);
        assert_false(i.missed);
        rvvm_sandbox_free(i.box);
    }
    free(m);
}

static void the_largest_heap_ends_before_the_stack(void **state)
{
    (void)state;
    struct rvvm_sandbox_config config = config_for(shared);
    struct rvvm_error error;
    uint64_t heap, size, word;
    config.heap = UINT64_C(64) << 30;
    struct rvvm_sandbox *box = open_config(&config);
    rvvm_sandbox_heap(box, &heap, &size);
    assert_int_equal(call(box, "add", 1, 2), 3);
    for (uint64_t at = size - (4 << 20); at < size; at += sizeof(word)) {
        assert_true(rvvm_sandbox_read(box, heap + at, &word, sizeof(word), &error));
        assert_int_equal(word, 0);
    }
    assert_int_equal(call(box, "load", heap + size - 8, 0), 0);
    rvvm_sandbox_free(box);
}

static void what_a_program_may_not_do_ends_the_call(void **state)
{
    (void)state;
    for (unsigned interpret = 0; interpret < 2; interpret++) {
        struct rvvm_sandbox_config config = config_for(shared);
        config.jit = interpret ? RVVM_JIT_OFF : RVVM_JIT_ON;
        struct rvvm_sandbox *box = open_config(&config);
        const uint64_t traps = 0x3ffffff000, back = 0x3800000000;
        uint64_t heap, size;
        rvvm_sandbox_heap(box, &heap, &size);
        for (unsigned round = 0; round < 3; round++) {
            expect_trap(box, "load", 8, 13, 8);
            expect_trap(box, "load", heap + size, 13, heap + size);
            expect_trap(box, "load", heap - 8, 13, heap - 8);
            expect_trap(box, "load", traps, 13, traps);
            expect_trap(box, "load", 0x80000000, 13, 0x80000000);
            expect_trap(box, "load", UINT64_MAX - 7, 13, UINT64_MAX - 7);
            expect_trap(box, "store", find(box, "add"), 15, find(box, "add"));
            expect_trap(box, "store", back, 15, back);
            expect_trap(box, "store", traps, 15, traps);
            expect_trap(box, "jump", heap, 12, heap);
            expect_trap(box, "jump", traps, 12, traps);
            expect_trap(box, "jump", traps + 4, 12, traps + 4);
            expect_trap(box, "jump", 0, 12, 0);
            expect_trap(box, "trap", 0, 3, 0);
            expect_trap(box, "bad", 0, 2, 0xffffffff);
            expect_trap(box, "wait", 0, 2, 0);
            expect_trap(box, "privileged", 0, 2, 0);
            expect_trap(box, "depth", 0, 15, 0);
            assert_int_equal(call(box, "add", 1, 2), 3);
        }
        rvvm_sandbox_free(box);
    }
}

struct answers {
    unsigned calls;
    struct rvvm_sandbox *box;
    uint64_t heap;
};

static bool answer(void *ctx, struct rvvm_sandbox *box, struct rvvm_sandbox_registers *r)
{
    struct answers *a = ctx;
    struct rvvm_sandbox_registers other = {.a = {1, 2}};
    struct rvvm_error error;
    a->calls++;
    assert_false(rvvm_sandbox_call(box, find(box, "add"), &other, &error));
    assert_false(rvvm_sandbox_reset(box, &error));
    assert_true(rvvm_sandbox_write(box, a->heap, &r->a[7], 8, &error));
    r->a[0] *= 10;
    return r->a[7] != 93;
}

static void system_calls_are_the_callback_s(void **state)
{
    (void)state;
    struct rvvm_sandbox *box = open_box(shared);
    assert_int_equal(call(box, "ask", 64, 1), (uint64_t)-37);
    rvvm_sandbox_free(box);
    struct answers answers = {0};
    struct rvvm_sandbox_config config = config_for(shared);
    struct rvvm_error error;
    uint64_t size, told;
    config.system_call = answer;
    config.ctx = &answers;
    box = open_config(&config);
    rvvm_sandbox_heap(box, &answers.heap, &size);
    for (uint64_t n = 1; n <= 50; n++)
        assert_int_equal(call(box, "ask", 1000, n), 10 * n + 1);
    assert_int_equal(answers.calls, 50);
    assert_true(rvvm_sandbox_read(box, answers.heap, &told, 8, &error));
    assert_int_equal(told, 1000);
    expect_trap(box, "ask", 93, 8, 0);
    assert_int_equal(call(box, "add", 1, 2), 3);
    rvvm_sandbox_free(box);
}

static void calls_without_end_are_interrupted(void **state)
{
    (void)state;
    for (unsigned interpret = 0; interpret < 2; interpret++) {
        struct rvvm_sandbox_config config = config_for(shared);
        config.jit = interpret ? RVVM_JIT_OFF : RVVM_JIT_ON;
        struct rvvm_sandbox *box = open_config(&config);
        uint64_t heap, size;
        rvvm_sandbox_heap(box, &heap, &size);
        rvvm_sandbox_interrupt(box); /* nothing runs: nothing is ended by it */
        assert_int_equal(call(box, "add", 1, 2), 3);
        for (unsigned round = 0; round < 4; round++) {
            pthread_t thread;
            assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, box), 0);
            expect_trap(box, round % 2 ? "spin" : "forever", heap, RVVM_SANDBOX_INTERRUPTED, 0);
            pthread_join(thread, NULL);
            assert_int_equal(call(box, "add", 1, 2), 3);
        }
        rvvm_sandbox_free(box);
    }
}

static void divide_under_any_mode(struct rvvm_sandbox *box)
{
    struct rvvm_error error;
    volatile double one = 1, three = 3;
    feclearexcept(FE_ALL_EXCEPT);
    fesetround(FE_UPWARD);
    for (unsigned n = 0; n < 3; n++) {
        struct rvvm_sandbox_registers r = {.f = {bits(1), bits(n ? 3 : 0)}};
        assert_true(rvvm_sandbox_call(box, find(box, "divide"), &r, &error));
        /* The program rounds to nearest, whatever the caller does. */
        assert_int_equal(r.f[0], n ? 0x3fd5555555555555 : 0x7ff0000000000000);
        assert_int_equal(fegetround(), FE_UPWARD);
        assert_int_equal(fetestexcept(FE_ALL_EXCEPT), 0);
    }
    /* fegetround may look at one of two units: this is the one that computes. */
    assert_int_equal(bits(one / three), 0x3fd5555555555556);
    fesetround(FE_TONEAREST);
}

static void the_callers_floating_point_is_left_alone(void **state)
{
    (void)state;
    for (unsigned interpret = 0; interpret < 2; interpret++) {
        struct rvvm_sandbox_config config = config_for(shared);
        config.jit = interpret ? RVVM_JIT_OFF : RVVM_JIT_ON;
        struct rvvm_sandbox *box = open_config(&config);
        divide_under_any_mode(box);
        rvvm_sandbox_free(box);
    }
}

static void *use_own(void *arg)
{
    struct rvvm_sandbox *box = open_box(arg);
    for (uint64_t n = 1; n <= 2000; n++) {
        assert_int_equal(call(box, "next", 0, 0), n);
        assert_int_equal(call(box, "loops", n, 0), call(box, "loops", n, 0));
    }
    rvvm_sandbox_free(box);
    return NULL;
}

static void sandboxes_share_nothing(void **state)
{
    (void)state;
    pthread_t threads[4];
    config_for(shared);
    for (unsigned n = 0; n < 4; n++)
        assert_int_equal(pthread_create(&threads[n], NULL, use_own, shared), 0);
    for (unsigned n = 0; n < 4; n++)
        pthread_join(threads[n], NULL);
}

static void code_that_is_written_is_the_code_that_runs(void **state)
{
    (void)state;
    static const uint32_t li_5_ret[] = {0x00500513, 0x00008067};
    for (unsigned interpret = 0; interpret < 2; interpret++) {
        struct rvvm_sandbox_config config = config_for(shared);
        config.jit = interpret ? RVVM_JIT_OFF : RVVM_JIT_ON;
        struct rvvm_sandbox *box = open_config(&config);
        struct rvvm_error error;
        for (unsigned n = 0; n < 100; n++)
            assert_int_equal(call(box, "add", 1, n), n + 1);
        uint64_t heap, size;
        rvvm_sandbox_heap(box, &heap, &size);
        assert_true(rvvm_sandbox_write(box, find(box, "loops"), li_5_ret, 8, &error));
        assert_int_equal(call(box, "loops", 100, 0), 5);
        assert_true(rvvm_sandbox_reset(box, &error));
        assert_int_equal(call(box, "loops", 2, 0), 1);
        rvvm_sandbox_free(box);
    }
}

static void wrong_configurations_are_refused(void **state)
{
    (void)state;
    struct rvvm_error error;
    struct rvvm_sandbox_config config = config_for(NULL);
    assert_null(rvvm_sandbox_new(&config, &error));
    assert_non_null(strstr(error.text, "no program"));
    config = config_for("/nothing");
    assert_null(rvvm_sandbox_new(&config, &error));
    assert_non_null(strstr(error.text, "/nothing"));
    config = config_for("/dev/null");
    assert_null(rvvm_sandbox_new(&config, &error));
    config = config_for(shared);
    config.heap = UINT64_MAX;
    assert_null(rvvm_sandbox_new(&config, &error));
    config = config_for(shared);
    config.stack = 0;
    assert_null(rvvm_sandbox_new(&config, &error));
    config = config_for(shared);
    config.cpu = "rv32";
    assert_null(rvvm_sandbox_new(&config, &error));
    config = config_for(shared);
    config.jit = RVVM_JIT_CHECK;
    assert_null(rvvm_sandbox_new(&config, &error));
    config = config_for(shared);
    config.struct_size = 4096;
    assert_null(rvvm_sandbox_new(&config, &error));
    struct rvvm_sandbox *box = open_box(shared);
    uint64_t address;
    assert_false(rvvm_sandbox_find(box, "nothing", &address, &error));
    rvvm_sandbox_free(box);
}

/* Whatever is in the file, it is refused in one line or it is a program. */
static void files_that_are_damaged_harm_nobody(void **state)
{
    (void)state;
    struct rvvm_sandbox_config config = config_for("damaged");
    FILE *file = fopen(shared, "rb");
    static uint8_t bytes[65536], damaged[65536];
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    assert_true(size > 1000 && size < sizeof(bytes));
    config.code_cache = 4 << 20;
    config.heap = 4096;
    config.program_bytes = (struct rvvm_bytes){damaged, size};
    srandom(1);
    for (unsigned round = 0; round < 3000; round++) {
        struct rvvm_error error;
        memcpy(damaged, bytes, size);
        config.program_bytes.size = round % 4 ? size : (size_t)random() % size;
        for (unsigned n = 0; n < 1 + round % 3; n++) {
            /* Headers, the dynamic section and what it names. */
            size_t at = (size_t)random() % (round % 2 ? 0x400 : size);
            damaged[at] = (uint8_t)random();
        }
        config.jit = RVVM_JIT_OFF;
        struct rvvm_sandbox *box = rvvm_sandbox_new(&config, &error);
        uint64_t address;
        if (box)
            rvvm_sandbox_find(box, "add", &address, NULL);
        else
            assert_true(strlen(error.text) > 5 && !strchr(error.text, '\n'));
        rvvm_sandbox_free(box);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_compute_on_every_engine),
        cmocka_unit_test(memory_is_shared_by_copies),
        cmocka_unit_test(constructors_run_and_a_reset_undoes),
        cmocka_unit_test(a_constructor_without_end_is_interrupted),
        cmocka_unit_test(a_file_with_many_tables_of_symbols_is_searched_once),
        cmocka_unit_test(an_interrupt_between_constructors_is_not_lost),
        cmocka_unit_test(the_largest_heap_ends_before_the_stack),
        cmocka_unit_test(what_a_program_may_not_do_ends_the_call),
        cmocka_unit_test(system_calls_are_the_callback_s),
        cmocka_unit_test(calls_without_end_are_interrupted),
        cmocka_unit_test(the_callers_floating_point_is_left_alone),
        cmocka_unit_test(sandboxes_share_nothing),
        cmocka_unit_test(code_that_is_written_is_the_code_that_runs),
        cmocka_unit_test(wrong_configurations_are_refused),
        cmocka_unit_test(files_that_are_damaged_harm_nobody),
    };
    return cmocka_run_group_tests(tests, build_programs, remove_programs);
}
