/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Points (src/cpu/debug.h): a hart stops before the instruction, nothing of which has happened; and the
 * packets of GDB's protocol (src/debug/gdb_packet.h).
 */
#include "lone_hart.h"

#include "cpu/debug.h"
#include "gdb/packet.h"
#include "gdb/registers.h"

#define BASE 0x80000000u

/* Instructions at BASE, and a buffer at BASE + 0x800 that a1 leads to. */
static struct hart *hart_with(const uint32_t *code, unsigned count)
{
    struct hart *h = lone_hart("rv64");
    memset(lone_bus.ram, 0, sizeof(lone_bus.ram));
    memcpy(lone_bus.ram, code, count * sizeof(*code));
    h->x[11] = BASE + 0x800;
    return h;
}

static const uint32_t counting[] = {
    0x00150513, /* addi a0, a0, 1 */
    0x00150513, /* addi a0, a0, 1 */
    0x00a5b023, /* sd a0, 0(a1) */
    0x0005b603, /* ld a2, 0(a1) */
    0x00a5b6af, /* amoadd.d a3, a0, (a1) */
    0x0000006f, /* j . */
};
#define COUNTING (sizeof(counting) / sizeof(*counting))

static struct debug_points points;

static void set_point(struct hart *h, enum debug_kind kind, uint64_t va, uint64_t size)
{
    points.count = 0;
    assert_true(debug_points_add(&points, &(struct debug_point){va, size, kind}));
    debug_set_points(h, &points);
    h->stop.kind = DEBUG_NONE;
}

static void stops_at(struct hart *h, enum debug_kind kind, unsigned insn)
{
    hart_run(h);
    assert_int_equal(h->stop.kind, kind);
    assert_int_equal(h->pc, BASE + 4 * insn);
    assert_int_equal(h->instret, insn);
}

static void breakpoint_stops_before_the_instruction(void **state)
{
    (void)state;
    struct hart *h = hart_with(counting, COUNTING);
    set_point(h, DEBUG_BREAK, BASE + 4, 4);
    stops_at(h, DEBUG_BREAK, 1);
    assert_int_equal(h->x[10], 1);
    assert_int_equal(h->stop.va, BASE + 4);
    /* There again, since nobody has stepped over it. */
    stops_at(h, DEBUG_BREAK, 1);
    hart_step(h);
    assert_int_equal(h->x[10], 2);
    set_point(h, DEBUG_HARD_BREAK, BASE + 20, 4);
    stops_at(h, DEBUG_HARD_BREAK, 5);
    hart_free(h);
}

static void watchpoint_stops_before_the_access(void **state)
{
    (void)state;
    static const struct {
        enum debug_kind kind;
        uint64_t va, size;
        unsigned insn; /* that is stopped at */
    } cases[] = {
        {DEBUG_WRITE, BASE + 0x800, 8, 2},  {DEBUG_READ, BASE + 0x800, 8, 3},
        {DEBUG_ACCESS, BASE + 0x807, 1, 2}, {DEBUG_WRITE, BASE + 0x7ff, 2, 2},
        {DEBUG_READ, BASE + 0x801, 1, 3},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct hart *h = hart_with(counting, COUNTING);
        set_point(h, cases[i].kind, cases[i].va, cases[i].size);
        stops_at(h, cases[i].kind, cases[i].insn);
        assert_int_equal(h->x[12], 0);
        assert_int_equal(lone_bus.ram[0x800], cases[i].insn == 2 ? 0 : 2);
        assert_int_equal(h->stop.va, cases[i].va);
        hart_free(h);
    }
}

static void points_beside_stop_nothing(void **state)
{
    (void)state;
    struct hart *h = hart_with(counting, COUNTING);
    set_point(h, DEBUG_ACCESS, BASE + 0x808, 8);
    assert_true(debug_points_add(&points, &(struct debug_point){BASE + 0x7f8, 8, DEBUG_ACCESS}));
    assert_true(debug_points_add(&points, &(struct debug_point){BASE + 2, 4, DEBUG_BREAK}));
    assert_true(debug_points_add(&points, &(struct debug_point){BASE + 20, 4, DEBUG_BREAK}));
    stops_at(h, DEBUG_BREAK, 5);
    assert_int_equal(h->x[12], 2);
    assert_int_equal(lone_bus.ram[0x800], 4);
    hart_free(h);
}

static void a_step_is_one_instruction_and_no_interrupt(void **state)
{
    (void)state;
    static const uint32_t code[] = {0x10500073 /* wfi */, 0x00150513, 0x00150513};
    struct hart *h = hart_with(code, 3);
    put(h, CSR_MTVEC, BASE + 0x400);
    for (unsigned i = 1; i <= 3; i++) {
        hart_step(h);
        assert_int_equal(h->pc, BASE + 4 * i);
        assert_int_equal(h->instret, i);
        if (i == 1) { /* pending from now on */
            put(h, CSR_MIE, IRQ_BIT(MSI));
            put(h, CSR_MSTATUS, MSTATUS_MIE);
            hart_set_irq(h, IRQ_BIT(MSI), true);
        }
    }
    hart_free(h);
}

static void points_that_are_gone_are_gone(void **state)
{
    (void)state;
    struct hart *h = hart_with(counting, COUNTING);
    set_point(h, DEBUG_BREAK, BASE + 4, 4);
    stops_at(h, DEBUG_BREAK, 1);
    assert_false(debug_points_remove(&points, &(struct debug_point){BASE + 4, 2, DEBUG_BREAK}));
    assert_true(debug_points_remove(&points, &(struct debug_point){BASE + 4, 4, DEBUG_BREAK}));
    debug_set_points(h, &points);
    assert_null(h->points);
    set_point(h, DEBUG_BREAK, BASE + 20, 4);
    stops_at(h, DEBUG_BREAK, 5);
    hart_free(h);
}

static void there_is_an_end_to_the_list(void **state)
{
    (void)state;
    points.count = 0;
    for (unsigned i = 0; i < DEBUG_POINTS_MAX; i++)
        assert_true(debug_points_add(&points, &(struct debug_point){i, 1, DEBUG_READ}));
    assert_true(debug_points_add(&points, &(struct debug_point){0, 1, DEBUG_READ}));
    assert_false(debug_points_add(&points, &(struct debug_point){0, 2, DEBUG_READ}));
}

static void registers_keep_what_they_must(void **state)
{
    (void)state;
    struct hart *h = lone_hart("rv64");
    uint64_t value;
    assert_true(register_write(h, 0, 5));
    assert_true(register_read(h, 0, &value));
    assert_int_equal(value, 0);
    assert_false(register_write(h, REGISTER_PRIV, 2));
    assert_true(register_write(h, REGISTER_PRIV, PRIV_U));
    /* As M-mode, whatever the mode is. */
    assert_true(register_write(h, REGISTER_CSR0 + CSR_MSCRATCH, 77));
    assert_true(register_read(h, REGISTER_CSR0 + CSR_MSCRATCH, &value));
    assert_int_equal(value, 77);
    assert_int_equal(h->priv, PRIV_U);
    /* FP is off, its registers are there, and it stays off. */
    assert_true(register_write(h, REGISTER_CSR0 + CSR_FCSR, 0x21));
    assert_true(register_read(h, REGISTER_CSR0 + CSR_FRM, &value));
    assert_int_equal(value, 1);
    assert_int_equal(h->csr.mstatus & MSTATUS_FS, 0);
    assert_false(register_read(h, REGISTER_CSR0 + 0x7c0, &value));
    assert_false(register_read(h, REGISTER_CSR0 + CSR_SEED, &value));
    hart_free(h);
    h = lone_hart("rv32");
    assert_true(register_write(h, 5, 0x80000000));
    assert_int_equal(h->x[5], 0xffffffff80000000);
    assert_true(register_write(h, REGISTER_PC, 0xffffffff80000001));
    assert_int_equal(h->pc, 0x80000000);
    assert_int_equal(register_size(h, 5), 4);
    hart_free(h);
}

static struct gdb_packets packets;

/* What the last byte of it makes. */
static enum gdb_input take(const char *bytes)
{
    enum gdb_input got = GDB_NOTHING;
    for (; *bytes; bytes++)
        got = gdb_packet_take(&packets, (uint8_t)*bytes);
    return got;
}

static void packets_are_taken_apart(void **state)
{
    (void)state;
    assert_int_equal(take("+"), GDB_ACK);
    assert_int_equal(take("-"), GDB_NAK);
    assert_int_equal(take("\003"), GDB_INTERRUPT);
    assert_int_equal(take("x#"), GDB_NOTHING);
    assert_int_equal(take("$g#67"), GDB_PACKET);
    assert_string_equal(packets.data, "g");
    assert_int_equal(take("$g#68"), GDB_BROKEN);
    assert_int_equal(take("$g#6x"), GDB_BROKEN);
    assert_int_equal(take("$lost$g#67"), GDB_PACKET);
    assert_int_equal(packets.size, 1);
    assert_int_equal(take("$X}\x03#d8"), GDB_PACKET);
    assert_string_equal(packets.data, "X#");
    assert_int_equal(take("$"), GDB_NOTHING);
    for (unsigned i = 0; i <= GDB_PACKET_SIZE; i++)
        assert_int_equal(take("a"), GDB_NOTHING);
    assert_int_equal(take("#61"), GDB_BROKEN);
    assert_int_equal(take("$#00"), GDB_PACKET);
    assert_int_equal(packets.size, 0);
}

static void packets_are_put_together(void **state)
{
    (void)state;
    static struct gdb_reply reply;
    static char text[GDB_FRAME_SIZE];
    gdb_put(&reply, "%s", "a#b");
    gdb_put_hex(&reply, "\x0f\xf0", 2);
    size_t size = gdb_packet_frame(&reply, text);
    assert_int_equal(size, 12);
    assert_memory_equal(text,
                        "$a}\x03"
                        "b0ff0#6f",
                        12);
    while (reply.size < GDB_PACKET_SIZE)
        gdb_put(&reply, "##########");
    gdb_put_bytes(&reply, "more", 4);
    assert_int_equal(reply.size, GDB_PACKET_SIZE);
    assert_true(gdb_packet_frame(&reply, text) <= GDB_FRAME_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breakpoint_stops_before_the_instruction),
        cmocka_unit_test(watchpoint_stops_before_the_access),
        cmocka_unit_test(points_beside_stop_nothing),
        cmocka_unit_test(a_step_is_one_instruction_and_no_interrupt),
        cmocka_unit_test(points_that_are_gone_are_gone),
        cmocka_unit_test(there_is_an_end_to_the_list),
        cmocka_unit_test(registers_keep_what_they_must),
        cmocka_unit_test(packets_are_taken_apart),
        cmocka_unit_test(packets_are_put_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
