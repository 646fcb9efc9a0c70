/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * -jit check sees what is wrong. Code is run in this mode, its translation is changed behind the
 * translator's back, and the next run says which registers or which memory differ; left alone, nothing
 * does, and what the guest did is what the interpreter does.
 */
#include "host/aligned.h"
#include "lone_hart.h"

#include "jit/block.h"
#include <stdio.h>
#include <stdlib.h>

#define RAM_SIZE (4 * PAGE_SIZE)
#define DATA (2 * PAGE_SIZE) /* in it */

static struct {
    struct hart *h;
    struct jit *jit;
    struct log log;
    uint8_t *ram;
    char said[8192];
    unsigned differed;
} rig;

static void on_log(void *ctx, enum log_level level, const char *line)
{
    (void)ctx, (void)level;
    size_t length = strlen(rig.said);
    snprintf(rig.said + length, sizeof rig.said - length, "%s\n", line);
}

static void on_difference(void *ctx)
{
    (void)ctx;
    rig.differed++;
    hart_stop(rig.h);
}

/* The guest's last store, to a device. */
static bool on_device_write(void *ctx, uint64_t paddr, unsigned size, uint64_t value)
{
    (void)ctx, (void)paddr, (void)size, (void)value;
    hart_stop(rig.h);
    return true;
}

static const uint32_t program[] = {
    0x12345537, /* lui a0, 0x12345 */
    0x00a60633, /* add a2, a2, a0 */
    0x6ac5a023, /* sw a2, 0x6a0(a1) */
    0x6a05a703, /* lw a4, 0x6a0(a1) */
    0x0040006f, /* j .+4: this block ends here */
    0x0006a023, /* sw zero, 0(a3): the device */
    0x0000006f, /* j . */
};

static int set_up(void **state)
{
    (void)state;
    struct error err = {""};
    memset(&rig, 0, sizeof rig);
    rig.h = lone_hart("rv64");
    rig.ram = aligned_new(PAGE_SIZE, RAM_SIZE);
    assert_non_null(rig.ram);
    memset(rig.ram, 0, RAM_SIZE);
    memcpy(rig.ram, program, sizeof program);
    lone_bus.bus.write = on_device_write;
    lone_bus.bus.ram = rig.ram;
    lone_bus.bus.ram_size = RAM_SIZE;
    rig.log = (struct log){.sink = on_log, .level = LOG_WARN};
    struct jit_config config = {
        .isa = &rig.h->isa,
        .bus = &lone_bus.bus,
        .harts = 1,
        .log = &rig.log,
        .check = true,
        .differs = on_difference,
    };
    rig.jit = jit_new(&config, &err);
    if (!rig.jit || !jit_attach(rig.jit, rig.h, &err))
        fail_msg("%s", err.text);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    jit_detach(rig.jit, rig.h);
    jit_free(rig.jit);
    hart_free(rig.h);
    aligned_free(rig.ram);
    return 0;
}

static void run_program(void)
{
    hart_reset(rig.h, lone_bus.bus.ram_base, 0, 0);
    rig.h->x[11] = lone_bus.bus.ram_base + DATA;
    rig.h->x[12] = 1000;
    rig.h->x[13] = 0x10000000;
    hart_run(rig.h);
}

static uint64_t checked(void)
{
    struct jit_stats stats;
    jit_stats(rig.jit, &stats);
    return stats.checked;
}

/* In the host code of the program's block, all these bytes become those. Returns how many times. */
static unsigned tamper(uint32_t from, uint32_t to)
{
    const struct jit_block *block = jit_find(rig.jit, rig.ram, JIT_NORMAL);
    unsigned found = 0;
    assert_non_null(block);
    uint8_t *code = rig.jit->memory.write + (block->entry - rig.jit->memory.exec);
    for (unsigned at = 0; at < 256; at++) {
        if (memcmp(code + at, &from, sizeof from) == 0) {
            memcpy(code + at, &to, sizeof to);
            found++;
        }
    }
    return found;
}

static void expect_said(const char *text)
{
    if (!strstr(rig.said, text))
        fail_msg("'%s' is not in the report:\n%s", text, rig.said);
}

/*
 * Tests
 */

static void right_code_is_left_alone(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        uint64_t before = checked();
        run_program();
        assert_int_equal(rig.differed, 0);
        assert_string_equal(rig.said, "");
        assert_true(checked() > before);
        assert_int_equal(rig.h->x[12], 0x12345000 + 1000);
        assert_int_equal(rig.h->x[14], 0x12345000 + 1000);
        assert_int_equal(rig.h->instret, 7);
        uint32_t stored;
        memcpy(&stored, rig.ram + DATA + 0x6a0, sizeof stored);
        assert_int_equal(stored, 0x12345000 + 1000);
    }
}

static void a_wrong_register_is_reported(void **state)
{
    (void)state;
    run_program();
    assert_true(tamper(0x12345000, 0x12346000) > 0);
    run_program();
    assert_int_equal(rig.differed, 1);
    expect_said("hart 3: translated code differs from the interpreter, block at 80000000:\n");
    expect_said("80000000  lui a0,");
    expect_said("x10            0000000000000000  0000000012345000  0000000012346000\n");
    expect_said("x12            00000000000003e8  00000000123453e8  00000000123463e8\n");
    expect_said("at 800026a0    ");
    assert_null(strstr(rig.said, "\n  pc"));
}

static void a_store_that_goes_elsewhere_is_reported(void **state)
{
    (void)state;
    run_program();
    memset(rig.ram + DATA, 0, PAGE_SIZE);
    assert_true(tamper(0x6a0, 0x6a8) > 0);
    run_program();
    assert_int_equal(rig.differed, 1);
    expect_said("at 800026a0    0000000000000000  00000000123453e8  0000000000000000\n");
    expect_said("at 800026a8    0000000000000000  0000000000000000  00000000123453e8\n");
    assert_null(strstr(rig.said, "\n  x"));
}

int main(void)
{
    if (!jit_available())
        return 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(right_code_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_register_is_reported, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_store_that_goes_elsewhere_is_reported, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
