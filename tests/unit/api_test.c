/* SPDX-License-Identifier: GPL-3.0-only */
/* The public interface: memory, registers, the device tree, the terminal, several machines. */
#include "api_rig.h"

#include <libfdt.h>
#include <pthread.h>

/*
 * Memory and registers
 */

struct visit {
    struct rvvm_machine *machine;
    unsigned calls;
    uint64_t pc;
    uint32_t first_word;
};

static void set_two_and_forty(void *ctx)
{
    struct visit *v = ctx;
    const uint32_t word = 40;
    struct rvvm_error e;
    v->calls++;
    assert_true(rvvm_hart_read_register(v->machine, 0, RVVM_REGISTER_PC, &v->pc, &e));
    assert_true(rvvm_machine_read_memory(v->machine, v->pc, &v->first_word, 4, &e));
    assert_true(rvvm_machine_write_memory(v->machine, RVVM_MEMORY_BASE + 0x1000, &word, 4, &e));
    assert_true(rvvm_hart_write_register(v->machine, 0, RVVM_REGISTER_X0 + 17, 2, &e));
}

static void what_is_written_before_the_first_instruction_is_there_each_time(void **state)
{
    (void)state;
    struct rvvm_config config;
    RIG_CONFIG(&config, registers_program);
    struct visit v = {.machine = rig_new(&config)};
    rvvm_machine_on_power_on(v.machine, set_two_and_forty, &v);
    assert_int_equal(rig_run(v.machine), 42);
    assert_int_equal(v.pc, RVVM_MEMORY_BASE);
    assert_int_equal(v.first_word, registers_program[0]);
    assert_int_equal(rig_run(v.machine), 42);
    assert_int_equal(v.calls, 2);

    uint64_t value = 0;
    assert_true(rvvm_hart_read_register(v.machine, 0, 17, &value, NULL));
    assert_int_equal(value, 2);
    /* Memory and registers are cleared: a failure with code 0, which is told as 1. */
    rvvm_machine_on_power_on(v.machine, NULL, NULL);
    assert_int_equal(rig_run(v.machine), 1);
    rvvm_machine_free(v.machine);
}

static void what_is_not_there_is_said(void **state)
{
    (void)state;
    struct rvvm_config config;
    RIG_CONFIG(&config, spin_program);
    struct rvvm_machine *m = rig_new(&config);
    struct rvvm_error e;
    uint64_t value = 5;
    assert_false(rvvm_machine_read_memory(m, 0x10000000, &value, 1, &e));
    assert_string_equal(e.text, "1 bytes at 0x10000000: not all of it is memory");
    assert_false(rvvm_machine_write_memory(m, RVVM_MEMORY_BASE + SMALL - 4, &value, 8, &e));
    assert_true(rvvm_machine_read_memory(m, RVVM_MEMORY_BASE + SMALL - 4, &value, 4, &e));
    assert_int_equal(value, 0);
    assert_false(rvvm_hart_read_register(m, 1, 0, &value, &e));
    assert_string_equal(e.text, "hart 1: there are 1");
    assert_false(rvvm_hart_read_register(m, 0, RVVM_REGISTER_PRIV + 1, &value, &e));
    assert_false(rvvm_hart_write_register(m, 0, RVVM_REGISTER_PRIV, 2, &e));
    assert_false(rvvm_machine_read_memory(m, UINT64_MAX, &value, 8, NULL));
    rvvm_machine_free(m);
}

static void *run_for_ever(void *machine)
{
    assert_int_equal(rig_run(machine), 0);
    return NULL;
}

/* The address that hart 0 is at, as soon as there is one. */
static uint64_t await_pc(struct rvvm_machine *m)
{
    uint64_t pc = 0;
    for (;;) {
        rvvm_machine_pause(m);
        bool ok = rvvm_hart_read_register(m, 0, RVVM_REGISTER_PC, &pc, NULL);
        if (ok && pc == RVVM_MEMORY_BASE)
            return pc;
        rvvm_machine_resume(m);
        sched_yield();
    }
}

static void a_machine_that_pauses_can_be_given_other_code(void **state)
{
    (void)state;
    static const uint32_t poweroff[] = {0x001003b7, 0x00005e37, 0x555e0e13, 0x01c3a023};
    struct rvvm_config config;
    RIG_CONFIG(&config, spin_program);
    struct rvvm_machine *m = rig_new(&config);
    pthread_t thread;
    struct rvvm_error e;
    uint64_t value;
    pthread_create(&thread, NULL, run_for_ever, m);
    uint64_t pc = await_pc(m);
    rvvm_machine_resume(m);
    /* It runs now, so nobody can look. */
    while (rvvm_hart_read_register(m, 0, RVVM_REGISTER_PC, &value, &e))
        sched_yield(); /* it was about to */
    assert_string_equal(e.text, "hart 0: it runs; rvvm_machine_pause stops it");
    rvvm_machine_pause(m);
    assert_true(rvvm_hart_write_memory(m, 0, pc, poweroff, sizeof(poweroff), &e));
    rvvm_machine_resume(m);
    pthread_join(thread, NULL);
    rvvm_machine_free(m);
}

/*
 * The device tree
 */

static void *tree_of(struct rvvm_machine *m)
{
    void *blob;
    size_t size;
    assert_true(rvvm_machine_device_tree(m, &blob, &size, NULL));
    assert_int_equal(fdt_check_full(blob, size), 0);
    return blob;
}

static void the_device_tree_is_as_it_was_asked_for(void **state)
{
    (void)state;
    struct rvvm_config config;
    const uint32_t cells[] = {1, 0xfeedbeef};
    const uint8_t beef[] = {0, 0, 0, 1, 0xfe, 0xed, 0xbe, 0xef};
    int length;
    RIG_CONFIG(&config, spin_program);
    struct rvvm_machine *m = rig_new(&config);
    void *before = tree_of(m);
    assert_true(fdt_path_offset(before, "/soc/rtc@101000") >= 0);
    free(before);
    assert_true(rvvm_machine_fdt_set_cells(m, "/a/b@1", "numbers", cells, 2, NULL));
    assert_true(rvvm_machine_fdt_set_string(m, "/chosen", "greeting", "hello", NULL));
    assert_true(rvvm_machine_fdt_set_string(m, "/", "model", "mine", NULL));
    assert_true(rvvm_machine_fdt_remove(m, "/soc/rtc@101000", NULL, NULL));
    assert_true(rvvm_machine_fdt_remove(m, "/soc/rtc@101000", "reg", NULL));
    assert_true(rvvm_machine_fdt_remove(m, "/chosen", "rng-seed", NULL));
    assert_true(rvvm_machine_fdt_add_node(m, "/empty", NULL));
    char *large = calloc(1, 100000);
    assert_true(rvvm_machine_fdt_set(m, "/empty", "large", large, 100000, NULL));
    free(large);

    void *tree = tree_of(m);
    int node = fdt_path_offset(tree, "/a/b@1");
    const void *value = fdt_getprop(tree, node, "numbers", &length);
    assert_non_null(value);
    assert_int_equal(length, sizeof(beef));
    assert_memory_equal(value, beef, sizeof(beef));
    node = fdt_path_offset(tree, "/chosen");
    assert_string_equal(fdt_getprop(tree, node, "greeting", NULL), "hello");
    assert_null(fdt_getprop(tree, node, "rng-seed", NULL));
    assert_string_equal(fdt_getprop(tree, 0, "model", NULL), "mine");
    assert_true(fdt_path_offset(tree, "/soc/rtc@101000") == -FDT_ERR_NOTFOUND);
    assert_non_null(fdt_getprop(tree, fdt_path_offset(tree, "/empty"), "large", &length));
    assert_int_equal(length, 100000);
    free(tree);
    rvvm_machine_free(m);
}

static void paths_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const paths[] = {"", "a", "/a/", "//", "/a b", "/a//b"};
    struct rvvm_config config;
    struct rvvm_error e;
    RIG_CONFIG(&config, spin_program);
    struct rvvm_machine *m = rig_new(&config);
    for (unsigned i = 0; i < sizeof(paths) / sizeof(*paths); i++)
        assert_false(rvvm_machine_fdt_add_node(m, paths[i], &e));
    assert_string_equal(e.text, "device tree: '/a//b' is not the path of a node");
    assert_false(rvvm_machine_fdt_remove(m, "/", NULL, &e));
    assert_false(rvvm_machine_fdt_set(m, "/a", "a property", "", 0, &e));
    assert_false(rvvm_machine_fdt_set(m, "/a", "p", "", SIZE_MAX, &e));
    assert_string_equal(e.text, "device tree, /a: larger than a device tree can be");
    rvvm_machine_free(m);
}

/*
 * The terminal
 */

struct heard {
    char text[64];
    size_t size;
};

static void hear(void *ctx, const void *bytes, size_t size)
{
    struct heard *heard = ctx;
    if (size > sizeof(heard->text) - heard->size)
        size = sizeof(heard->text) - heard->size;
    memcpy(heard->text + heard->size, bytes, size);
    heard->size += size;
}

static void what_is_typed_before_and_meanwhile_is_echoed(void **state)
{
    (void)state;
    struct rvvm_config config;
    struct heard heard = {.size = 0};
    const struct rvvm_terminal terminal = {hear, &heard};
    RIG_CONFIG(&config, echo_program);
    config.terminal = &terminal;
    struct rvvm_machine *m = rig_new(&config);
    assert_int_equal(rvvm_machine_input(m, "hello, q", 8), 8);
    assert_int_equal(rig_run(m), 0);
    assert_int_equal(heard.size, 8);
    assert_memory_equal(heard.text, "hello, q", 8);
    char *flood = calloc(1, 70000);
    assert_int_equal(rvvm_machine_input(m, flood, 70000), 65536);
    free(flood);
    rvvm_machine_free(m);

    RIG_CONFIG(&config, spin_program);
    m = rig_new(&config);
    assert_int_equal(rvvm_machine_input(m, "x", 1), 0);
    rvvm_machine_free(m);
}

/*
 * Several machines
 */

struct one_of_many {
    struct rvvm_machine *machine;
    struct heard heard;
    int status;
};

static void *run_it(void *ctx)
{
    struct one_of_many *one = ctx;
    one->status = rig_run(one->machine);
    return NULL;
}

#define MANY 4

static void machines_side_by_side_share_nothing(void **state)
{
    (void)state;
    struct one_of_many all[MANY];
    pthread_t threads[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        struct rvvm_config config;
        char line[] = {(char)('a' + i), (char)('a' + i), 'q'};
        all[i] = (struct one_of_many){.status = -1};
        const struct rvvm_terminal terminal = {hear, &all[i].heard};
        RIG_CONFIG(&config, echo_program);
        config.terminal = &terminal;
        config.jit = i % 2 ? RVVM_JIT_OFF : RVVM_JIT_ON;
        all[i].machine = rig_new(&config);
        assert_int_equal(rvvm_machine_input(all[i].machine, line, 3), 3);
    }
    for (unsigned i = 0; i < MANY; i++)
        pthread_create(&threads[i], NULL, run_it, &all[i]);
    for (unsigned i = 0; i < MANY; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(all[i].status, 0);
        assert_int_equal(all[i].heard.size, 3);
        assert_int_equal(all[i].heard.text[1], 'a' + (int)i);
    }
    for (unsigned i = 0; i < MANY; i++)
        rvvm_machine_free(all[i].machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_before_the_first_instruction_is_there_each_time),
        cmocka_unit_test(what_is_not_there_is_said),
        cmocka_unit_test(a_machine_that_pauses_can_be_given_other_code),
        cmocka_unit_test(the_device_tree_is_as_it_was_asked_for),
        cmocka_unit_test(paths_that_are_none_are_refused),
        cmocka_unit_test(what_is_typed_before_and_meanwhile_is_echoed),
        cmocka_unit_test(machines_side_by_side_share_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
