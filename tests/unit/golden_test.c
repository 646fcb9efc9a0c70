/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * How many host instructions each instruction of the table becomes, and each of some hot loops, beside
 * what they became before: tests/jit/golden.txt. None may rise. When one has to, or when some fell,
 * `make golden` writes the file anew.
 *
 * Counted is the way that is usually taken, for a processor that has everything, once with operands in
 * registers that the host pins and once in others. Nothing that is translated here is run.
 */
#include "host/aligned.h"
#include "lone_hart.h"

#include "golden_loops.h"
#include "jit/block.h"
#include "jit/hot.h"
#include <stdio.h>
#include <stdlib.h>

#define GOLDEN_MAX 1024
#define INTERPRETED 999 /* the count of what the interpreter does */

/* An instruction or a loop. */
struct count {
    char name[40];
    unsigned pinned, others; /* of a loop: all of it; its guest instructions */
};

struct counts {
    struct count list[GOLDEN_MAX];
    unsigned count;
};

static struct counts now, golden;

static void add_count(struct counts *counts, const char *name, unsigned pinned, unsigned others)
{
    assert_in_range(counts->count, 0, GOLDEN_MAX - 1);
    struct count *c = &counts->list[counts->count++];
    snprintf(c->name, sizeof c->name, "%s", name);
    c->pinned = pinned;
    c->others = others;
}

static const struct count *find_count(const struct counts *counts, const char *name)
{
    for (unsigned i = 0; i < counts->count; i++)
        if (!strcmp(counts->list[i].name, name))
            return &counts->list[i];
    return NULL;
}

/*
 * Translating
 */

static void no_line(void *ctx, unsigned kind, const char *line)
{
    (void)ctx, (void)kind, (void)line;
}

struct translator {
    struct hart *h;
    struct jit *jit;
    struct decoder *decoder;
    uint8_t *ram;
    unsigned used; /* pages of it: each piece of code has one to itself */
};

#define RAM_PAGES 1024

static void translator_open(struct translator *t, const char *cpu)
{
    struct error err = {""};
    t->h = lone_hart(cpu);
    t->ram = aligned_new(PAGE_SIZE, RAM_PAGES * PAGE_SIZE);
    assert_non_null(t->ram);
    memset(t->ram, 0, RAM_PAGES * PAGE_SIZE);
    lone_bus.bus.ram = t->ram;
    lone_bus.bus.ram_size = RAM_PAGES * PAGE_SIZE;
    struct jit_config config = {
        .isa = &t->h->isa,
        .bus = &lone_bus.bus,
        .harts = 1,
        .dump = JIT_DUMP_PERF, /* so that instructions are counted */
        .dump_line = no_line,
    };
    t->jit = jit_new(&config, &err);
    if (!t->jit || !jit_attach(t->jit, t->h, &err))
        fail_msg("%s", err.text);
    t->decoder = decoder_new(&t->h->isa);
    t->used = 0;
}

static void translator_close(struct translator *t)
{
    decoder_free(t->decoder);
    jit_detach(t->jit, t->h);
    jit_free(t->jit);
    hart_free(t->h);
    aligned_free(t->ram);
}

/* Far from its page's ends, so that short jumps stay within it. */
static uint32_t place_code(struct translator *t, const void *code, size_t size)
{
    uint32_t offset = t->used++ * PAGE_SIZE + PAGE_SIZE / 2;
    assert_in_range(t->used, 1, RAM_PAGES);
    memcpy(t->ram + offset, code, size);
    return offset;
}

/* What is said of it stands in its jit_hart's map. NULL: it is left to the interpreter. */
static const struct jit_block *translate(struct translator *t, uint32_t offset)
{
    return jit_block_at(t->h->engine.ctx, lone_bus.bus.ram_base + offset, t->ram + offset,
                        JIT_NORMAL);
}

static const struct jit_map *map_of(const struct translator *t)
{
    const struct jit_hart *jh = t->h->engine.ctx;
    return jh->map;
}

/*
 * One instruction each
 */

static uint32_t field(uint32_t mask, uint32_t value, unsigned at)
{
    return value << at & ~mask;
}

/* With registers from `first` on: rd, rs1, rs2, rs3. */
static uint32_t encoding(const struct insn_info *info, unsigned first)
{
    uint32_t mask = info->mask, bits = info->match;
    switch (info->format) {
    case FORMAT_CSR:
    case FORMAT_CSRI:
        return bits | first << 7 | (first + 1) << 15 | 0x340u << 20; /* mscratch */
    case FORMAT_FENCE:
        return bits | 0x0ffu << 20;
    case FORMAT_J:
        return bits | first << 7 | 8u << 21; /* to pc + 16 */
    case FORMAT_U:
        return bits | first << 7 | 0x12345u << 12;
    case FORMAT_B:
        return bits | 8u << 8 | (first + 1) << 15 | (first + 2) << 20; /* to pc + 16 */
    case FORMAT_S:
    case FORMAT_FS:
        return bits | 16u << 7 | (first + 1) << 15 | (first + 2) << 20;
    case FORMAT_I:
    case FORMAT_L:
    case FORMAT_FL:
    case FORMAT_JR:
        return bits | first << 7 | (first + 1) << 15 | field(mask, 16, 20);
    case FORMAT_AP: /* even registers */
    case FORMAT_FPX:
        return bits | field(mask, first, 7) | field(mask, first + 2, 15) |
               field(mask, first + 2, 20);
    default:
        return bits | field(mask, first, 7) | field(mask, 7, 12) | field(mask, first + 1, 15) |
               field(mask, first + 2, 20) | (info->format == FORMAT_F4 ? (first + 3) << 27 : 0);
    }
}

/* Host instructions of it, with one behind it that does nothing, so that no end of a block is counted. */
static unsigned count_insn(struct translator *t, unsigned id, unsigned first)
{
    const struct insn_info *info = insn_info(id);
    const uint32_t code[] = {encoding(info, first), 0x00000013, 0};
    struct decoded d;
    if (!isa_decode(t->decoder, code[0], &d) || d.id != id)
        fail_msg("%s: %08x is another instruction", info->name, code[0]);
    return translate(t, place_code(t, code, sizeof code)) ? map_of(t)->insns[0] : INTERPRETED;
}

static void count_all(struct translator *t)
{
    enum { PINNED = 10, OTHERS = 28 }; /* x and f alike */
    unsigned xlen = t->h->isa.xlen, width = xlen == 64 ? 2 : 1;
    for (unsigned id = 0; id < INSN_COUNT; id++) {
        const struct insn_info *info = insn_info(id);
        char name[40];
        if (!(info->widths & width))
            continue;
        snprintf(name, sizeof name, "rv%u %s", xlen, info->name);
        add_count(&now, name, count_insn(t, id, PINNED), count_insn(t, id, OTHERS));
    }
}

/*
 * Loops
 */

/* The same as a whole, once round; what is done on the way in is part of no instruction,
 * what is done on the way out is. */
static void count_region(struct translator *t, const char *name, uint32_t offset)
{
    char text[40];
    unsigned host = 0;
    const uint8_t *code = t->ram + offset;
    snprintf(text, sizeof text, "region %s", name);
    if (!jit_region_make(t->h->engine.ctx, code, 0, lone_bus.bus.ram_base + offset)) {
        add_count(&now, text, INTERPRETED, 0);
        return;
    }
    const struct jit_block *region = jit_find(t->jit, code, JIT_NORMAL);
    while (region && !region->is_region)
        region = region->twin;
    assert_non_null(region);
    for (unsigned i = 0; i < region->insns; i++)
        host += map_of(t)->insns[i];
    add_count(&now, text, host, region->insns);
}

/* All blocks that lie in it, one behind the other. */
static void count_loop(struct translator *t, const char *name, const uint16_t *code, size_t halves)
{
    unsigned host = 0, guest = 0;
    char text[40];
    uint32_t offset = place_code(t, code, 2 * halves);
    for (size_t at = 0; at < 2 * halves;) {
        const struct jit_block *block = translate(t, offset + (uint32_t)at);
        assert_non_null(block);
        for (unsigned i = 0; i < block->insns; i++)
            host += map_of(t)->insns[i];
        guest += block->insns;
        at += block->bytes;
    }
    snprintf(text, sizeof text, "loop %s", name);
    add_count(&now, text, host, guest);
    count_region(t, name, offset);
}

static void count_loops(struct translator *t)
{
#define LOOP(name, ...) \
    { \
        static const uint16_t code[] = {__VA_ARGS__}; \
        count_loop(t, #name, code, sizeof code / sizeof *code); \
    }
    GOLDEN_LOOPS(LOOP)
#undef LOOP
}

/*
 * The file
 */

static const char *golden_path(void)
{
    static char path[512];
    const char *top = getenv("SRCDIR");
    snprintf(path, sizeof path, "%s/tests/jit/golden.txt", top ? top : ".");
    return path;
}

static void read_golden(void)
{
    FILE *file = fopen(golden_path(), "r");
    char line[128], kind[16], name[24];
    unsigned pinned, others;
    if (!file)
        fail_msg("%s: cannot be read; make golden writes it", golden_path());
    while (fgets(line, sizeof line, file)) {
        if (*line == '#' || *line == '\n')
            continue;
        if (sscanf(line, "%15s %23s %u %u", kind, name, &pinned, &others) != 4)
            fail_msg("%s: not a count: %s", golden_path(), line);
        char both[40];
        snprintf(both, sizeof both, "%s %s", kind, name);
        add_count(&golden, both, pinned, others);
    }
    fclose(file);
}

static void write_golden(void)
{
    FILE *file = fopen(golden_path(), "w");
    assert_non_null(file);
    fprintf(
        file,
        "# Host instructions (x86-64) that each instruction becomes, with operands in pinned\n"
        "# registers and in others; %u: the interpreter's. Of a loop: all of it, and its guest\n"
        "# instructions; of a region (the loop as a whole, with what its ways out do): the same, or\n"
        "# %u, where it is none. tests/unit/golden_test.c counts; make golden writes.\n\n",
        INTERPRETED, INTERPRETED);
    for (unsigned i = 0; i < now.count; i++)
        fprintf(file, "%-28s %3u %3u\n", now.list[i].name, now.list[i].pinned, now.list[i].others);
    assert_int_equal(fclose(file), 0);
}

/*
 * Tests
 */

static int count_everything(void **state)
{
    (void)state;
    static const char *const cpus[] = {"rv64", "rv32"};
    putenv("RVVM_HOST_CPU=newest");
    for (unsigned i = 0; i < 2; i++) {
        struct translator t;
        translator_open(&t, cpus[i]);
        count_all(&t);
        if (t.h->isa.xlen == 64)
            count_loops(&t);
        translator_close(&t);
    }
    if (getenv("RVVM_GOLDEN_WRITE"))
        write_golden();
    read_golden();
    return 0;
}

static void no_count_rises(void **state)
{
    (void)state;
    unsigned risen = 0, fallen = 0;
    for (unsigned i = 0; i < now.count; i++) {
        const struct count *n = &now.list[i], *g = find_count(&golden, n->name);
        bool is_loop = !strncmp(n->name, "loop", 4) || !strncmp(n->name, "region", 6);
        if (!g)
            continue;
        unsigned was = g->pinned, is = n->pinned;
        unsigned others_were = is_loop ? 0 : g->others;
        unsigned others_are = is_loop ? 0 : n->others;
        if (is > was || others_are > others_were) {
            print_error("%s: was %u and %u, is %u and %u\n", n->name, g->pinned, g->others,
                        n->pinned, n->others);
            risen++;
        } else if (is < was || others_are < others_were) {
            fallen++;
        }
    }
    if (fallen)
        print_message("%u counts fell: make golden, so that they stay there\n", fallen);
    if (risen)
        fail_msg("%u counts rose; if they have to, make golden and say why in the commit", risen);
}

static void every_instruction_has_a_count(void **state)
{
    (void)state;
    for (unsigned i = 0; i < now.count; i++)
        if (!find_count(&golden, now.list[i].name))
            fail_msg("%s: no count in %s; make golden", now.list[i].name, golden_path());
    for (unsigned i = 0; i < golden.count; i++)
        if (!find_count(&now, golden.list[i].name))
            fail_msg("%s: in %s, but there is no such thing", golden.list[i].name, golden_path());
}

/* What an instruction with operands in host registers cannot be worse than. */
static void simple_instructions_are_one(void **state)
{
    (void)state;
    static const char *const simple[] = {"rv64 addi", "rv64 xor", "rv64 lui", "rv64 sub"};
    for (unsigned i = 0; i < sizeof simple / sizeof *simple; i++) {
        const struct count *c = find_count(&now, simple[i]);
        assert_non_null(c);
        assert_in_range(c->pinned, 1, 2);
    }
}

int main(void)
{
    if (!jit_available())
        return 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_count_rises),
        cmocka_unit_test(every_instruction_has_a_count),
        cmocka_unit_test(simple_instructions_are_one),
    };
    return cmocka_run_group_tests(tests, count_everything, NULL);
}
