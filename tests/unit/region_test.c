/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Which loops become regions, of which blocks, and what their addresses do (jit/region.h), on pages that
 * are put together here. Nothing is translated.
 */
#include "lone_hart.h"

#include "jit/region.h"

#define NOP 0x00000013u
#define RET 0x00008067u
#define FENCE_I 0x0000100fu

static struct {
    struct hart *h;
    struct jit *jit;
    struct ir_block ir;
    struct region_source source;
    struct region region;
} t;

static int open_all(void **state)
{
    (void)state;
    struct error err = {""};
    t.h = lone_hart("rv64");
    struct jit_config config = {.isa = &t.h->isa, .bus = &lone_bus.bus, .harts = 1};
    t.jit = jit_new(&config, &err);
    if (!t.jit)
        fail_msg("%s", err.text);
    ir_block_init(&t.ir, &t.h->isa);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    ir_block_free(&t.ir);
    jit_free(t.jit);
    hart_free(t.h);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    memset(&t.source, 0, sizeof t.source);
    return 0;
}

/*
 * Code
 */

static unsigned put_insn(unsigned place, uint32_t insn)
{
    memcpy(t.source.bytes + place, &insn, 4);
    t.source.known[place / 2] = t.source.known[place / 2 + 1] = true;
    return place + 4;
}

static unsigned put_nops(unsigned place, unsigned count)
{
    while (count--)
        place = put_insn(place, NOP);
    return place;
}

static uint32_t addi(unsigned rd, unsigned rs1, int imm)
{
    return 0x13 | rd << 7 | rs1 << 15 | (uint32_t)imm << 20;
}

static uint32_t ld(unsigned rd, unsigned rs1, int imm)
{
    return 0x3003 | rd << 7 | rs1 << 15 | (uint32_t)imm << 20;
}

static uint32_t sd(unsigned rs2, unsigned rs1, int imm)
{
    uint32_t u = (uint32_t)imm;
    return 0x3023 | (u & 31) << 7 | rs1 << 15 | rs2 << 20 | u >> 5 << 25;
}

/* bne x10, x11 */
static uint32_t bne(unsigned from, unsigned to)
{
    uint32_t u = to - from;
    return 0x1063 | 10 << 15 | 11 << 20 | (u >> 11 & 1) << 7 | (u >> 1 & 15) << 8 |
           (u >> 5 & 63) << 25 | (u >> 12 & 1) << 31;
}

static uint32_t jal(unsigned rd, unsigned from, unsigned to)
{
    uint32_t u = to - from;
    return 0x6f | rd << 7 | (u >> 12 & 255) << 12 | (u >> 11 & 1) << 20 | (u >> 1 & 1023) << 21 |
           (u >> 20 & 1) << 31;
}

static bool form(unsigned head)
{
    return region_form(&t.region, &t.source, head, t.jit, &t.ir);
}

static bool form_and_build(unsigned head)
{
    return form(head) && region_build(&t.region, &t.source, t.jit, &t.ir);
}

/*
 * Shapes
 */

static void a_loop_of_one_block(void **state)
{
    (void)state;
    unsigned end = put_nops(64, 3);
    end = put_insn(end, bne(end, 64));
    put_nops(end, 2);
    assert_true(form(64));
    assert_int_equal(t.region.block_count, 1);
    assert_int_equal(t.region.insns, 4);
    assert_int_equal(t.region.first, 64);
    assert_int_equal(t.region.end, end);
    assert_int_equal(t.region.blocks[0].taken, 0);
    assert_int_equal(t.region.blocks[0].next, -1);
    assert_true(t.region.blocks[0].is_head);
    assert_false(form(68)); /* in its middle there is no head */
    assert_false(form(end));
}

static void loops_in_a_loop(void **state)
{
    (void)state;
    put_insn(0, NOP);
    put_insn(4, NOP);         /* inner head */
    put_insn(8, bne(8, 4));   /* itself */
    put_insn(12, bne(12, 0)); /* outer */
    assert_true(form(0));
    assert_int_equal(t.region.block_count, 3);
    assert_int_equal(t.region.loop_count, 2);
    assert_int_equal(t.region.loops[0].blocks, 7);
    assert_int_equal(t.region.loops[1].blocks, 2);
    assert_int_equal(t.region.blocks[1].depth, 2);
    assert_int_equal(t.region.blocks[2].depth, 1);
    assert_true(form(4)); /* the inner one alone */
    assert_int_equal(t.region.block_count, 1);
}

static void a_way_out_is_left_out(void **state)
{
    (void)state;
    put_insn(0, bne(0, 256));
    put_insn(4, NOP);
    put_insn(8, jal(0, 8, 0));
    put_nops(256, 4);
    assert_true(form(0));
    assert_int_equal(t.region.block_count, 2);
    assert_int_equal(t.region.blocks[0].taken, -1);
    assert_int_equal(t.region.blocks[0].next, 1);
    assert_true(t.region.blocks[1].falls);
    assert_int_equal(t.region.end, 12);
}

/* From 0 to 8 and 12, which lead to one another. */
static void a_loop_with_two_entries_is_none(void **state)
{
    (void)state;
    put_insn(0, bne(0, 12));
    put_insn(4, NOP);
    put_insn(8, NOP);         /* one entry */
    put_insn(12, bne(12, 8)); /* the other */
    put_insn(16, bne(16, 0));
    assert_false(form(0));
    assert_true(form(8)); /* 8 and 12 are a loop with one entry, seen from 8 */
}

static void what_is_not_known_is_not_in_it(void **state)
{
    (void)state;
    put_nops(0, 2);
    put_insn(8, bne(8, 0));
    assert_true(form(0));
    t.source.known[4 / 2] = false;
    assert_false(form(0));
    t.source.known[4 / 2] = true;
    put_insn(4, FENCE_I); /* and this has to be outside */
    assert_false(form(0));
}

static void a_loop_at_the_end_of_the_page(void **state)
{
    (void)state;
    unsigned start = PAGE_SIZE - 12;
    put_nops(start, 2);
    put_insn(PAGE_SIZE - 4, bne(PAGE_SIZE - 4, start));
    assert_true(form(start));
    assert_int_equal(t.region.end, PAGE_SIZE);
    /* With half an instruction there it is none. */
    memset(&t.source, 0, sizeof t.source);
    put_insn(start - 2, NOP);
    put_insn(start + 2, bne(start + 2, start - 2));
    assert_true(form(start - 2));
    t.source.bytes[PAGE_SIZE - 2] = 3;
    t.source.known[PAGE_SIZE / 2 - 1] = true;
    assert_false(form(PAGE_SIZE - 2));
}

/*
 * Calls
 */

static void a_leaf_is_copied_for_each_call(void **state)
{
    (void)state;
    put_insn(0, jal(1, 0, 512));
    put_insn(4, jal(1, 4, 512));
    put_insn(8, bne(8, 0));
    put_insn(512, NOP);
    put_insn(516, RET);
    assert_true(form(0));
    assert_int_equal(t.region.block_count, 5);
    assert_int_equal(t.region.insns, 7);
    unsigned copies = 0, back = 0;
    for (unsigned n = 0; n < t.region.block_count; n++) {
        if (t.region.blocks[n].place != 512)
            continue;
        copies++;
        back += t.region.blocks[n].back_to;
        assert_int_equal(t.region.blocks[t.region.blocks[n].taken].place,
                         t.region.blocks[n].back_to);
    }
    assert_int_equal(copies, 2);
    assert_int_equal(back, 4 + 8);
}

/* It may return anywhere. The loop is none then, for the way round goes through it. */
static void a_function_that_writes_ra_is_not(void **state)
{
    (void)state;
    put_insn(0, jal(1, 0, 512));
    put_insn(4, bne(4, 0));
    put_insn(512, addi(1, 1, 0));
    put_insn(516, RET);
    assert_false(form(0));
    put_insn(512, addi(2, 1, 0));
    assert_true(form(0));
    /* Only one way round: that is a loop. */
    put_insn(512, addi(1, 1, 0));
    put_insn(0, bne(0, 8));
    put_insn(4, jal(1, 4, 512));
    put_insn(8, bne(8, 0));
    assert_true(form(0));
    for (unsigned n = 0; n < t.region.block_count; n++)
        assert_int_equal(t.region.blocks[n].back_to, REGION_NO_CALL);
}

/*
 * Limits
 */

static void as_many_instructions_as_there_may_be(void **state)
{
    (void)state;
    unsigned end = put_nops(0, REGION_INSNS_MAX - 1);
    put_insn(end, bne(end, 0));
    assert_true(form_and_build(0));
    assert_int_equal(t.region.insns, REGION_INSNS_MAX);
    assert_int_equal(t.region.block_count, (REGION_INSNS_MAX + JIT_INSNS_MAX - 1) / JIT_INSNS_MAX);
    for (unsigned n = 0; n < t.region.block_count; n++)
        assert_in_range(t.region.blocks[n].insns, 1, JIT_INSNS_MAX);
    end = put_nops(0, REGION_INSNS_MAX);
    put_insn(end, bne(end, 0));
    assert_false(form(0));
}

/* Blocks of one instruction: branches over the next one, which is one, too. */
static void as_many_blocks_as_there_may_be(void **state)
{
    (void)state;
    for (unsigned count = REGION_BLOCKS_MAX; count <= REGION_BLOCKS_MAX + 1; count++) {
        unsigned place = 0;
        for (unsigned n = 0; n + 1 < count; n++)
            place = put_insn(place, bne(place, place + 4));
        put_insn(place, jal(0, place, 0));
        assert_int_equal(form(0), count == REGION_BLOCKS_MAX);
    }
}

static void as_many_loops_as_there_may_be(void **state)
{
    (void)state;
    for (unsigned count = REGION_LOOPS_MAX; count <= REGION_LOOPS_MAX + 1; count++) {
        memset(&t.source, 0, sizeof t.source);
        unsigned place = put_insn(0, NOP);
        for (unsigned n = 1; n < count; n++)
            place = put_insn(place, bne(place, place)); /* around itself */
        put_insn(place, bne(place, 0));
        assert_int_equal(form(0), count == REGION_LOOPS_MAX);
    }
}

/*
 * Bases
 */

/* A loop of these two and the branch back. */
static const struct region_base *base_of(uint32_t first, uint32_t second, uint32_t third)
{
    put_insn(0, first);
    put_insn(4, second);
    put_insn(8, third);
    put_insn(12, bne(12, 0));
    assert_true(form_and_build(0));
    return t.region.base_count ? &t.region.bases[0] : NULL;
}

static void bases_move_one_way(void **state)
{
    (void)state;
    const struct region_base *b = base_of(ld(5, 12, 16), sd(5, 12, 0), addi(12, 12, 8));
    assert_non_null(b);
    assert_int_equal(b->guest, 12);
    assert_int_equal(b->low, 0);
    assert_int_equal(b->high, 24);
    assert_false(b->down);
    assert_true(b->writes);
    b = base_of(ld(5, 12, -8), NOP, addi(12, 12, -8));
    assert_non_null(b);
    assert_true(b->down);
    assert_false(b->writes);
    assert_int_equal(b->low, -8);
    assert_int_equal(b->high, 0);
    assert_non_null(base_of(ld(5, 12, 0), NOP, NOP)); /* not at all */
    assert_null(base_of(ld(5, 12, 0), addi(12, 12, 8), addi(12, 12, -4)));
    assert_non_null(base_of(ld(5, 12, 0), addi(12, 12, 8), addi(12, 12, 4)));
    assert_null(base_of(ld(12, 12, 0), NOP, NOP)); /* a list */
    assert_null(base_of(ld(5, 12, 0), addi(12, 13, 8), NOP));
}

static void bases_move_as_far_as_they_may(void **state)
{
    (void)state;
    assert_non_null(base_of(ld(5, 12, 0), NOP, addi(12, 12, IR_SPAN_MAX)));
    assert_null(base_of(ld(5, 12, 0), NOP, addi(12, 12, IR_SPAN_MAX + 1)));
    assert_non_null(base_of(ld(5, 12, 0), NOP, addi(12, 12, -IR_SPAN_MAX)));
    assert_null(base_of(ld(5, 12, 0), NOP, addi(12, 12, -IR_SPAN_MAX - 1)));
    const struct region_base *b = base_of(ld(5, 12, 0), ld(6, 12, IR_SPAN_MAX - 8), NOP);
    assert_non_null(b);
    assert_int_equal(b->high - b->low, IR_SPAN_MAX);
    b = base_of(ld(5, 12, 0), ld(6, 12, IR_SPAN_MAX), NOP); /* does not fit in the same check */
    if (b)
        assert_in_range(b->high - b->low, 1, IR_SPAN_MAX);
}

int main(void)
{
    if (!jit_available())
        return 0;
#define TEST(name) cmocka_unit_test_setup(name, clear)
    const struct CMUnitTest tests[] = {
        TEST(a_loop_of_one_block),
        TEST(loops_in_a_loop),
        TEST(a_way_out_is_left_out),
        TEST(a_loop_with_two_entries_is_none),
        TEST(what_is_not_known_is_not_in_it),
        TEST(a_loop_at_the_end_of_the_page),
        TEST(a_leaf_is_copied_for_each_call),
        TEST(a_function_that_writes_ra_is_not),
        TEST(as_many_instructions_as_there_may_be),
        TEST(as_many_blocks_as_there_may_be),
        TEST(as_many_loops_as_there_may_be),
        TEST(bases_move_one_way),
        TEST(bases_move_as_far_as_they_may),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
