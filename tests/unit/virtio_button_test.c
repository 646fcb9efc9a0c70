/* SPDX-License-Identifier: GPL-3.0-only */
/* The power button: what it says it is, a press as a driver gets it, and presses that nobody can feel. */
#include "virtio_rig.h"

#include "dev/virtio/virtio_button.h"

#define EVENTS (VRIG_DATA + 0x1000)
#define EVENT_SIZE 8

static struct virtio_button *button;

static struct vrig *start(void)
{
    const struct virtio_button_config config = {.features_off = 0};
    return vrig_new(virtio_button_new(&button, &config, NULL));
}

static void go_with(struct vrig *v, uint64_t features)
{
    vrig_negotiate(v, features);
    vrig_queue(v, 0, 8);
    vrig_queue(v, 1, 8);
    vrig_go(v);
}

static void go(struct vrig *v)
{
    go_with(v, 0);
}

static void add_buffers(struct vrig *v, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct driver_part part = {EVENTS + EVENT_SIZE * i, EVENT_SIZE, true};
        assert_true(driver_add(&v->queues[0], &part, 1, 0) >= 0);
    }
    vrig_kick(v, 0);
}

/* What is selected: its size. */
static unsigned ask(struct vrig *v, uint8_t select, uint8_t subselect, uint8_t *bytes)
{
    rig_write(v->pci, v->device, 1, select);
    rig_write(v->pci, v->device + 1, 1, subselect);
    unsigned size = (unsigned)rig_read(v->pci, v->device + 2, 1);
    for (unsigned i = 0; i < 128; i++)
        bytes[i] = (uint8_t)rig_read(v->pci, v->device + 8 + i, 1);
    return size;
}

static void it_is_one_key(void **state)
{
    (void)state;
    struct vrig *v = start();
    uint8_t bytes[128];
    assert_int_equal(vrig_config(v, 2, 2), 0x1040 + 18);
    assert_int_equal(ask(v, 1, 0, bytes), 12);
    assert_memory_equal(bytes, "Power Button", 12);
    assert_int_equal(ask(v, 0x11, 1, bytes), 15);
    for (unsigned i = 0; i < 128; i++)
        assert_int_equal(bytes[i], i == 116 / 8 ? 1 << 116 % 8 : 0);
    assert_int_equal(ask(v, 0x11, 2, bytes), 0); /* moves nothing */
    assert_int_equal(ask(v, 0x10, 0, bytes), 0);
    assert_int_equal(ask(v, 3, 0, bytes), 8);
    assert_int_equal(ask(v, 0, 0, bytes), 0);
    /* The answer is not the driver's to write. */
    ask(v, 1, 0, bytes);
    rig_write(v->pci, v->device + 8, 4, 0);
    rig_write(v->pci, v->device + 2, 1, 200);
    rig_write(v->pci, v->device, 4, 0);
    assert_int_equal(rig_read(v->pci, v->device + 2, 1), 12);
    assert_int_equal(rig_read(v->pci, v->device + 8, 1), 'P');
    vrig_free(v);
}

static void a_press_is_down_and_up(void **state)
{
    static const uint8_t expected[4][EVENT_SIZE] = {{1, 0, 116, 0, 1}, {0}, {1, 0, 116, 0, 0}, {0}};
    (void)state;
    struct vrig *v = start();
    uint32_t written;
    go(v);
    add_buffers(v, 6);
    assert_true(virtio_button_press(button, NULL));
    for (unsigned i = 0; i < 4; i++) {
        vrig_get_used(v, 0, &written);
        assert_int_equal(written, EVENT_SIZE);
        assert_memory_equal(driver_at(&v->queues[0], EVENTS + EVENT_SIZE * i), expected[i],
                            EVENT_SIZE);
    }
    assert_int_equal(driver_get(&v->queues[0], &written), -1);
    vrig_free(v);
}

static void nobody_feels_it_without_a_driver(void **state)
{
    (void)state;
    struct vrig *v = start();
    struct error err;
    uint32_t written;
    assert_false(virtio_button_press(button, &err));
    assert_non_null(strstr(err.text, "no driver"));
    go(v);
    add_buffers(v, 3); /* one too few: none of them is used up */
    assert_false(virtio_button_press(button, &err));
    assert_non_null(strstr(err.text, "earlier presses"));
    assert_int_equal(driver_get(&v->queues[0], &written), -1);
    add_buffers(v, 1);
    assert_true(virtio_button_press(button, &err));
    vrig_reset(v);
    assert_false(virtio_button_press(button, &err));
    vrig_free(v);
}

static void what_the_driver_says_is_taken(void **state)
{
    static const uint64_t rings[] = {0, F_EVENT_IDX, F_RING_PACKED, F_RING_PACKED | F_EVENT_IDX};
    (void)state;
    for (unsigned r = 0; r < 4; r++) {
        struct vrig *v = start();
        go_with(v, rings[r]);
        for (unsigned i = 0; i < 20; i++)
            assert_int_equal(vrig_send(v, 1, "lights!", 8, 0, 0), 0);
        vrig_free(v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_one_key),
        cmocka_unit_test(a_press_is_down_and_up),
        cmocka_unit_test(nobody_feels_it_without_a_driver),
        cmocka_unit_test(what_the_driver_says_is_taken),
    };
    return cmocka_run_group_tests_name("virtio_button", tests, NULL, NULL);
}
