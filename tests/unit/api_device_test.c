/* SPDX-License-Identifier: GPL-3.0-only */
/* Devices of a program's own, by the public interface: registers, interrupts, PCI, what is refused. */
#include "api_rig.h"

#include <libfdt.h>

struct box {
    struct rvvm_machine *machine;
    struct rvvm_device *device;
    struct rvvm_pci_function *function;
    uint64_t written, offset;
    unsigned size, resets, removes;
};

static uint64_t box_read(void *state, uint64_t offset, unsigned size)
{
    (void)state, (void)size;
    return offset ? 0 : 41;
}

static void box_write(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    struct box *box = state;
    box->written = value;
    box->offset = offset;
    box->size = size;
    if (offset == 8)
        rvvm_irq_set(box->device, 0, true);
    rvvm_irq_set(box->device, 1, true); /* which it does not have */
}

static void box_reset(void *state)
{
    ((struct box *)state)->resets++;
}

static void box_remove(void *state)
{
    ((struct box *)state)->removes++;
}

static void box_describe(void *state, struct rvvm_fdt *fdt)
{
    const uint32_t cells[] = {7};
    (void)state;
    rvvm_fdt_cells(fdt, "lamps", cells, 1);
    rvvm_fdt_bytes(fdt, "gpio-controller", NULL, 0);
    rvvm_fdt_begin(fdt, "child");
    rvvm_fdt_string(fdt, "label", "inside");
    rvvm_fdt_end(fdt);
}

static struct rvvm_mmio box_mmio(struct box *box)
{
    return (struct rvvm_mmio){
        .struct_size = sizeof(struct rvvm_mmio),
        .name = "box",
        .compatible = "example,box",
        .size = 0x100,
        .irqs = 1,
        .state = box,
        .read = box_read,
        .write = box_write,
        .reset = box_reset,
        .describe = box_describe,
        .remove = box_remove,
    };
}

static struct box box_with(const struct rvvm_config *config)
{
    return (struct box){.machine = rig_new(config)};
}

static void a_device_is_read_and_written_by_the_guest(void **state)
{
    (void)state;
    struct rvvm_config config;
    RIG_CONFIG(&config, device_program);
    struct box box = box_with(&config);
    struct rvvm_mmio how = box_mmio(&box);
    box.device = rvvm_machine_add_mmio(box.machine, &how, NULL);
    assert_non_null(box.device);
    assert_int_equal(rvvm_mmio_base(box.device), 0x11000000);
    assert_int_equal(rig_run(box.machine), 0);
    assert_int_equal(box.written, 42);
    assert_int_equal(box.offset, 4);
    assert_int_equal(box.size, 4);
    assert_int_equal(box.resets, 1);
    assert_int_equal(box.removes, 0);
    rvvm_machine_free(box.machine);
    assert_int_equal(box.removes, 1);
}

static void a_device_interrupts_a_hart(void **state)
{
    (void)state;
    struct rvvm_config config;
    RIG_CONFIG(&config, irq_program);
    struct box box = box_with(&config);
    struct rvvm_mmio how = box_mmio(&box);
    box.device = rvvm_machine_add_mmio(box.machine, &how, NULL);
    /* 36 is the first input that is not the board's. */
    assert_int_equal(rig_run(box.machine), 36);
    /* The line is low again after a power-on, or the guest would not wait for the device to raise it. */
    box.offset = 0;
    assert_int_equal(rig_run(box.machine), 36);
    assert_int_equal(box.offset, 8);
    rvvm_machine_free(box.machine);
}

static void check_node(enum rvvm_aia aia, const uint32_t *interrupts, unsigned cells)
{
    struct rvvm_config config;
    void *blob;
    size_t size;
    int length;
    RIG_CONFIG(&config, spin_program);
    config.aia = aia;
    struct box box = box_with(&config);
    struct rvvm_mmio how = box_mmio(&box);
    how.irqs = 2;
    box.device = rvvm_machine_add_mmio(box.machine, &how, NULL);
    assert_non_null(box.device);
    assert_true(rvvm_machine_device_tree(box.machine, &blob, &size, NULL));
    int node = fdt_path_offset(blob, "/soc/box@11000000");
    assert_true(node >= 0);
    assert_string_equal(fdt_getprop(blob, node, "compatible", NULL), "example,box");
    const fdt32_t *value = fdt_getprop(blob, node, "interrupts", &length);
    assert_int_equal(length, 4 * cells);
    for (unsigned i = 0; i < cells; i++)
        assert_int_equal(fdt32_to_cpu(value[i]), interrupts[i]);
    value = fdt_getprop(blob, node, "lamps", &length);
    assert_int_equal(fdt32_to_cpu(*value), 7);
    assert_non_null(fdt_getprop(blob, node, "gpio-controller", &length));
    assert_int_equal(length, 0);
    node = fdt_path_offset(blob, "/soc/box@11000000/child");
    assert_string_equal(fdt_getprop(blob, node, "label", NULL), "inside");
    free(blob);
    rvvm_machine_free(box.machine);
}

static void a_device_has_a_node_for_each_kind_of_controller(void **state)
{
    (void)state;
    const uint32_t plic[] = {36, 37}, aplic[] = {36, 4, 37, 4};
    check_node(RVVM_AIA_NONE, plic, 2);
    check_node(RVVM_AIA_APLIC, aplic, 4);
}

/* The message when the device is not taken, and that it is removed all the same. */
static void refused(struct box *box, const struct rvvm_mmio *how, const char *message)
{
    struct rvvm_error e = {""};
    const unsigned removes = box->removes;
    assert_null(rvvm_machine_add_mmio(box->machine, how, &e));
    assert_string_equal(e.text, message);
    assert_int_equal(box->removes, removes + 1);
}

static void devices_that_cannot_be_are_refused_and_removed(void **state)
{
    (void)state;
    struct rvvm_config config;
    RIG_CONFIG(&config, spin_program);
    struct box box = box_with(&config);
    struct rvvm_mmio how = box_mmio(&box);
    how.base = 0x10000000;
    refused(&box, &how, "box at 0x10000000: overlaps uart16550");
    how.base = RVVM_MEMORY_BASE + 0x1000;
    refused(&box, &how, "box at 0x80001000: overlaps main memory");
    how.base = UINT64_MAX;
    refused(&box, &how, "box at 0xffffffffffffffff: overlaps the end of the address space");
    how.base = 0;
    how.size = UINT64_MAX;
    refused(&box, &how, "box: no place for 0xffffffffffffffff bytes that the library could choose");
    how = box_mmio(&box);
    how.size = 0;
    refused(&box, &how, "box: a device of no size");
    how = box_mmio(&box);
    how.irqs = 9;
    refused(&box, &how, "box: 9 interrupt lines: at most 8");
    how = box_mmio(&box);
    how.access_max = 3;
    refused(&box, &how, "box: accesses of 1 to 3 bytes: powers of two up to 8");
    how = box_mmio(&box);
    how.name = "a box";
    refused(&box, &how, "a device called 'a box': a name has 1 to 40 letters, digits and ,._+-");
    how = box_mmio(&box);
    how.struct_size += 8;
    struct rvvm_error e;
    assert_null(rvvm_machine_add_mmio(box.machine, &how, &e));
    assert_memory_equal(e.text, "struct rvvm_mmio: struct_size", 29);
    rvvm_machine_free(box.machine);
}

static void inputs_and_places_come_to_an_end(void **state)
{
    (void)state;
    struct rvvm_config config;
    struct rvvm_error e = {""};
    RIG_CONFIG(&config, spin_program);
    struct box box = box_with(&config);
    struct rvvm_mmio how = box_mmio(&box);
    unsigned added = 0;
    uint64_t last = 0;
    for (how.irqs = 8; added < 100; added++) {
        struct rvvm_device *device = rvvm_machine_add_mmio(box.machine, &how, &e);
        if (!device)
            break;
        assert_true(rvvm_mmio_base(device) >= last + how.size || !added);
        last = rvvm_mmio_base(device);
    }
    assert_int_equal(added, 7); /* 60 inputs */
    assert_string_equal(e.text, "box: all inputs of the interrupt controller are in use");
    how.irqs = 0;
    while (rvvm_machine_add_mmio(box.machine, &how, &e))
        added++;
    assert_non_null(strstr(e.text, "too many devices"));
    assert_true(added > 40);
    rvvm_machine_free(box.machine);
}

/*
 * PCI
 */

static uint64_t pci_read(void *state, unsigned bar, uint64_t offset, unsigned size)
{
    (void)state, (void)size;
    return bar == 0 && offset == 0 ? 41 : 0;
}

static void pci_write(void *state, unsigned bar, uint64_t offset, unsigned size, uint64_t value)
{
    struct box *box = state;
    uint32_t more = (uint32_t)value + 1;
    box->written = value;
    box->size = size;
    if (bar == 0 && offset == 4) {
        assert_true(rvvm_pci_write_memory(box->function, RVVM_MEMORY_BASE + 0x1000, &more, 4));
        assert_true(rvvm_pci_read_memory(box->function, RVVM_MEMORY_BASE + 0x1000, &more, 4));
        assert_false(rvvm_pci_write_memory(box->function, 0x1000, &more, 4));
    }
    rvvm_pci_interrupt(box->function, 0);
    rvvm_pci_interrupt(box->function, 99);
    rvvm_pci_wire(box->function, true);
}

static struct rvvm_pci box_pci(struct box *box)
{
    return (struct rvvm_pci){
        .struct_size = sizeof(struct rvvm_pci),
        .name = "box",
        .vendor = 0x1234,
        .device = 0x5678,
        .class_code = 0xff0000,
        .bars = {[0] = {RVVM_BAR_MEMORY32, 0x1000, 4, 4}},
        .wire = true,
        .vectors = 3,
        .vector_bar = 1,
        .state = box,
        .read = pci_read,
        .write = pci_write,
        .reset = box_reset,
        .remove = box_remove,
    };
}

static void a_pci_function_has_bars_and_reaches_memory(void **state)
{
    (void)state;
    struct rvvm_config config;
    RIG_CONFIG(&config, pci_program);
    struct box box = box_with(&config);
    struct rvvm_pci how = box_pci(&box);
    box.function = rvvm_machine_add_pci(box.machine, &how, NULL);
    assert_non_null(box.function);
    assert_int_equal(rig_run(box.machine), 42);
    assert_int_equal(box.written, 41);
    assert_int_equal(box.size, 4);
    assert_int_equal(box.resets, 1);
    /* Its registers are as at power-on, so nobody may master the bus before the guest has said so. */
    rvvm_machine_free(box.machine);
    assert_int_equal(box.removes, 1);
}

static void pci_refused(struct box *box, const struct rvvm_pci *how, const char *message)
{
    struct rvvm_error e = {""};
    const unsigned removes = box->removes;
    assert_null(rvvm_machine_add_pci(box->machine, how, &e));
    assert_string_equal(e.text, message);
    assert_int_equal(box->removes, removes + 1);
}

static void functions_that_cannot_be_are_refused_and_removed(void **state)
{
    (void)state;
    struct rvvm_config config;
    RIG_CONFIG(&config, spin_program);
    struct box box = box_with(&config);
    struct rvvm_pci how = box_pci(&box);
    how.bars[0].size = 0x1001;
    pci_refused(&box, &how, "box: BAR 0 cannot be like that");
    how = box_pci(&box);
    how.vector_bar = 0;
    pci_refused(&box, &how, "box: BAR 0 cannot be that of the vectors");
    how.vector_bar = 6;
    pci_refused(&box, &how, "box: BAR 6 cannot be that of the vectors");
    how = box_pci(&box);
    how.vectors = 2049;
    pci_refused(&box, &how, "box: 2049 vectors: at most 2048");
    how = box_pci(&box);
    how.bars[2].kind = (enum rvvm_bar_kind)9;
    pci_refused(&box, &how, "box: BAR 2 is of no kind that there is");
    how = box_pci(&box);
    how.vectors = 2048;
    box.function = rvvm_machine_add_pci(box.machine, &how, NULL);
    assert_non_null(box.function);
    rvvm_machine_free(box.machine);
}

/*
 * Backends
 */

static int no_read(void *ctx, uint64_t offset, void *bytes, size_t size)
{
    (void)ctx, (void)offset;
    memset(bytes, 0, size);
    return 0;
}

static void a_program_is_what_drives_and_networks_lead_to(void **state)
{
    (void)state;
    struct rvvm_config config;
    struct rvvm_error e = {""};
    struct rvvm_disk disk = {.size = 1 << 20, .read = no_read};
    const struct rvvm_wire wire = {NULL, NULL};
    const struct rvvm_drive drives[] = {{RVVM_DRIVE_NVME, "mine", &disk},
                                        {RVVM_DRIVE_VIRTIO_BLK, "other,snapshot", &disk}};
    const struct rvvm_network networks[] = {{"none", NULL}, {"virtio", &wire}};
    const uint8_t frame[60] = {0};
    RIG_CONFIG(&config, device_program);
    config.drives = drives;
    config.drive_count = 2;
    config.networks = networks;
    config.network_count = 2;
    struct rvvm_machine *m = rig_new(&config);
    assert_true(rvvm_machine_deliver(m, 1, frame, sizeof(frame)));
    assert_false(rvvm_machine_deliver(m, 1, frame, 1));
    assert_false(rvvm_machine_deliver(m, 0, frame, sizeof(frame)));
    assert_false(rvvm_machine_deliver(m, 2, frame, sizeof(frame)));
    rvvm_machine_free(m);
    disk.size = 100;
    assert_null(rvvm_machine_new(&config, &e));
    assert_string_equal(e.text, "mine: a disk has a read callback and a size that is a multiple of "
                                "512 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_read_and_written_by_the_guest),
        cmocka_unit_test(a_device_interrupts_a_hart),
        cmocka_unit_test(a_device_has_a_node_for_each_kind_of_controller),
        cmocka_unit_test(devices_that_cannot_be_are_refused_and_removed),
        cmocka_unit_test(inputs_and_places_come_to_an_end),
        cmocka_unit_test(a_pci_function_has_bars_and_reaches_memory),
        cmocka_unit_test(functions_that_cannot_be_are_refused_and_removed),
        cmocka_unit_test(a_program_is_what_drives_and_networks_lead_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
