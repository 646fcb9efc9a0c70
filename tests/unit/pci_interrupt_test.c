/* SPDX-License-Identifier: GPL-3.0-only */
/* PCI: INTx wires, MSI, MSI-X. */
#include "pci_rig.h"

#define LOW PCI_LOW_WINDOW_BASE
#define TABLE 0x1000 /* in BAR 0 of the parts here */
#define PENDING 0x2000

static void set_command(struct rig *rig, unsigned devfn, uint32_t value)
{
    rig_write(rig, ecam(0, devfn, PCI_COMMAND), 2, value);
}

/*
 * INTx
 */

static void wires_are_those_of_the_interrupt_map(void **state)
{
    struct rig *rig = *state;
    for (unsigned device = 1; device < 9; device++) {
        struct part *p = rig_plug(rig->root, DEV(device));
        pci_intx_set(p->f, true);
        for (unsigned wire = 0; wire < 4; wire++)
            assert_int_equal(rig->wire[wire], wire == device % 4);
        pci_intx_set(p->f, false);
        assert_false(rig->wire[device % 4]);
    }
    struct pci_bus *outer = pci_bridge_new(rig->root, DEV(10), NULL);
    struct pci_bus *inner = pci_bridge_new(outer, DEV(0), NULL);
    struct part *deep = rig_plug(inner, DEV(0));
    pci_intx_set(deep->f, true);
    assert_true(rig->wire[2]);
}

static void a_wire_is_up_while_anybody_holds_it(void **state)
{
    struct rig *rig = *state;
    struct part *a = rig_plug(rig->root, DEV(1)), *b = rig_plug(rig->root, DEV(5));
    pci_intx_set(a->f, true);
    pci_intx_set(a->f, true);
    pci_intx_set(b->f, true);
    pci_intx_set(a->f, false);
    assert_true(rig->wire[1]);
    pci_intx_set(b->f, false);
    assert_false(rig->wire[1]);
}

static void intx_disable_hides_the_level_but_not_the_status(void **state)
{
    struct rig *rig = *state;
    struct part *p = rig_plug(rig->root, DEV(1));
    pci_intx_set(p->f, true);
    assert_true(rig_read(rig, ecam(0, DEV(1), PCI_STATUS), 2) & PCI_STATUS_INTERRUPT);
    set_command(rig, DEV(1), PCI_COMMAND_INTX_DISABLE);
    assert_false(rig->wire[1]);
    assert_true(rig_read(rig, ecam(0, DEV(1), PCI_STATUS), 1) & PCI_STATUS_INTERRUPT);
    set_command(rig, DEV(1), 0);
    assert_true(rig->wire[1]);
    pci_intx_set(p->f, false);
    assert_false(rig_read(rig, ecam(0, DEV(1), PCI_COMMAND), 4) >> 16 & PCI_STATUS_INTERRUPT);
}

static void a_level_from_before_it_was_plugged_in_is_shown(void **state)
{
    struct rig *rig = *state;
    struct part *p = part_new();
    pci_intx_set(p->f, true);
    assert_true(pci_plug_at(rig->root, p->f, DEV(2), NULL));
    assert_true(rig->wire[2]);
}

/* Behind a bridge too, which is there as long as the function is. */
static void a_function_that_goes_lets_go_of_its_wire(void **state)
{
    void *made;
    (void)state;
    rig_setup(&made);
    struct rig *rig = made;
    struct pci_bus *behind = pci_bridge_new(rig->root, DEV(4), NULL);
    struct part *p = rig_plug(behind, DEV(0));
    pci_intx_set(p->f, true);
    assert_true(rig->wire[0]);
    machine_free(rig->m);
    assert_false(rig->wire[0]);
    free(rig);
}

/* By the reset of its bus, before the device hears of it. */
static void a_reset_lets_go_of_the_wire(void **state)
{
    static const struct pci_function_ops ops = {.name = "mute"};
    const struct pci_function_config config = {.ops = &ops, .interrupt_pin = 1};
    struct rig *rig = *state;
    struct pci_bus *behind = pci_bridge_new(rig->root, DEV(4), NULL);
    struct pci_function *f = pci_function_new(&config, NULL);
    assert_true(pci_plug_at(behind, f, DEV(0), NULL));
    pci_intx_set(f, true);
    assert_true(rig->wire[0]);
    rig_write(rig, ecam(0, DEV(4), PCI_BRIDGE_CONTROL), 2, PCI_BRIDGE_CONTROL_RESET);
    assert_false(rig->wire[0]);
}

/*
 * MSI-X
 */

/* Three vectors, messages on, bus master; BAR 0 at LOW. The capability's offset in *at. */
static struct part *plug_msix(struct rig *rig, unsigned *at)
{
    struct part *p = part_new();
    assert_true(pci_msix_init(p->f, 70, 0, TABLE, PENDING));
    assert_true(pci_plug_at(rig->root, p->f, DEV(1), NULL));
    *at = (unsigned)rig_read(rig, ecam(0, DEV(1), PCI_CAPABILITY_LIST), 1);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), *at), 1), PCI_CAP_MSIX);
    rig_write(rig, ecam(0, DEV(1), 0x10), 8, LOW);
    set_command(rig, DEV(1), PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    return p;
}

static void set_control(struct rig *rig, unsigned at, uint32_t value)
{
    rig_write(rig, ecam(0, DEV(1), at + PCI_MSIX_CONTROL), 2, value);
}

static void set_vector(struct rig *rig, unsigned vector, uint64_t address, uint32_t data)
{
    rig_write(rig, LOW + TABLE + 16 * vector, 8, address);
    rig_write(rig, LOW + TABLE + 16 * vector + 8, 4, data);
    rig_write(rig, LOW + TABLE + 16 * vector + 12, 4, 0);
}

static void msix_is_described_as_it_is(void **state)
{
    struct rig *rig = *state;
    unsigned at;
    plug_msix(rig, &at);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), at + 2), 2), 69);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), at + 4), 4), TABLE);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), at + 8), 4), PENDING);
    set_control(rig, at, 0xffff);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), at + 2), 2),
                     69 | PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
}

static void msix_messages_carry_the_address_and_data_of_their_vector(void **state)
{
    struct rig *rig = *state;
    unsigned at;
    struct part *p = plug_msix(rig, &at);
    set_vector(rig, 0, RIG_MSI_BASE, 11);
    set_vector(rig, 69, RIG_MSI_BASE + 0x100, 12);
    pci_interrupt(p->f, 0);
    assert_int_equal(rig->messages, 0); /* not enabled */
    assert_false(pci_messages_enabled(p->f));
    set_control(rig, at, PCI_MSIX_ENABLE);
    assert_true(pci_messages_enabled(p->f));
    pci_interrupt(p->f, 0);
    pci_interrupt(p->f, 69);
    pci_interrupt(p->f, 70); /* there is none */
    pci_interrupt(p->f, UINT32_MAX);
    assert_int_equal(rig->messages, 2);
    assert_true(rig->message[0].address == RIG_MSI_BASE);
    assert_int_equal(rig->message[0].data, 11);
    assert_true(rig->message[1].address == RIG_MSI_BASE + 0x100);
    assert_int_equal(rig->message[1].data, 12);
}

static void msix_masks_keep_messages_until_they_go(void **state)
{
    struct rig *rig = *state;
    unsigned at;
    struct part *p = plug_msix(rig, &at);
    assert_int_equal(rig_read(rig, LOW + TABLE + 16 * 65 + 12, 4), 1); /* masked at power-on */
    set_control(rig, at, PCI_MSIX_ENABLE);
    pci_interrupt(p->f, 65);
    pci_interrupt(p->f, 65);
    assert_int_equal(rig_read(rig, LOW + PENDING + 8, 4), 2);
    assert_true(rig_read(rig, LOW + PENDING + 8, 8) == 2);
    rig_write(rig, LOW + PENDING + 8, 4, 0); /* read-only */
    assert_int_equal(rig->messages, 0);
    set_vector(rig, 65, RIG_MSI_BASE, 1);
    assert_int_equal(rig->messages, 1);
    assert_int_equal(rig_read(rig, LOW + PENDING + 8, 4), 0);
    /* all vectors at once */
    set_vector(rig, 2, RIG_MSI_BASE, 2);
    set_control(rig, at, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
    pci_interrupt(p->f, 2);
    pci_interrupt(p->f, 65);
    assert_int_equal(rig->messages, 1);
    assert_int_equal(rig_read(rig, LOW + PENDING, 4), 4);
    set_control(rig, at, PCI_MSIX_ENABLE);
    assert_int_equal(rig->messages, 3);
    assert_int_equal(rig->message[1].data, 2);
    assert_int_equal(rig_read(rig, LOW + PENDING, 8), 0);
}

static void msix_tables_are_accessed_in_words(void **state)
{
    struct rig *rig = *state;
    unsigned at;
    struct part *p = plug_msix(rig, &at);
    rig_write(rig, LOW + TABLE, 4, 0xffffffff);
    rig_write(rig, LOW + TABLE + 4, 4, 0x12345678);
    assert_true(rig_read(rig, LOW + TABLE, 8) == 0x12345678fffffffc);
    rig_write(rig, LOW + TABLE + 4, 2, 0);
    rig_write(rig, LOW + TABLE + 4, 1, 0);
    assert_int_equal(rig_read(rig, LOW + TABLE + 4, 4), 0x12345678);
    assert_int_equal(rig_read(rig, LOW + TABLE + 4, 2), 0);
    rig_write(rig, LOW + TABLE + 8, 8, UINT64_MAX);
    assert_true(rig_read(rig, LOW + TABLE + 8, 8) == 0x1ffffffff);
    /* the device sees nothing of it, and all of the rest */
    assert_int_equal(p->reads + p->writes, 0);
    rig_read(rig, LOW + TABLE + 16 * 70, 4);
    rig_read(rig, LOW + TABLE - 4, 4);
    rig_read(rig, LOW + PENDING + 16, 4);
    assert_int_equal(p->reads, 3);
}

static void messages_hide_the_wire(void **state)
{
    struct rig *rig = *state;
    unsigned at;
    struct part *p = plug_msix(rig, &at);
    pci_intx_set(p->f, true);
    assert_true(rig->wire[1]);
    set_control(rig, at, PCI_MSIX_ENABLE);
    assert_false(rig->wire[1]);
    set_control(rig, at, 0);
    assert_true(rig->wire[1]);
}

static void messages_go_to_the_controller_or_to_memory_and_nowhere_else(void **state)
{
    struct rig *rig = *state;
    unsigned at;
    struct part *p = plug_msix(rig, &at), *other = rig_plug(rig->root, DEV(2));
    uint8_t *ram = rig->m->ram.data;
    set_control(rig, at, PCI_MSIX_ENABLE);
    set_vector(rig, 0, MACHINE_RAM_BASE + 0x100, 0x11223344);
    pci_interrupt(p->f, 0);
    assert_memory_equal(ram + 0x100, "\x44\x33\x22\x11", 4);
    /* a register of a neighbour */
    rig_write(rig, ecam(0, DEV(2), 0x18), 4, LOW + 0x100000);
    set_command(rig, DEV(2), PCI_COMMAND_MEMORY);
    set_vector(rig, 0, LOW + 0x100000, 1);
    pci_interrupt(p->f, 0);
    set_vector(rig, 0, LOW, 1); /* its own */
    pci_interrupt(p->f, 0);
    set_vector(rig, 0, MACHINE_RAM_BASE + RIG_RAM, 1);
    pci_interrupt(p->f, 0);
    assert_int_equal(other->writes + p->writes + rig->messages, 0);
    /* no bus master: not even a message */
    set_vector(rig, 0, RIG_MSI_BASE, 1);
    set_command(rig, DEV(1), PCI_COMMAND_MEMORY);
    pci_interrupt(p->f, 0);
    assert_int_equal(rig->messages, 0);
}

/*
 * MSI
 */

static struct part *plug_msi(struct rig *rig, unsigned vectors, unsigned *at)
{
    struct part *p = part_new();
    assert_true(pci_msi_init(p->f, vectors));
    assert_true(pci_plug_at(rig->root, p->f, DEV(1), NULL));
    *at = (unsigned)rig_read(rig, ecam(0, DEV(1), PCI_CAPABILITY_LIST), 1);
    set_command(rig, DEV(1), PCI_COMMAND_MASTER);
    rig_write(rig, ecam(0, DEV(1), *at + PCI_MSI_ADDRESS), 4, RIG_MSI_BASE + 4);
    rig_write(rig, ecam(0, DEV(1), *at + PCI_MSI_DATA), 2, 0x4321);
    return p;
}

static void msi_puts_the_vector_into_the_data(void **state)
{
    struct rig *rig = *state;
    unsigned at;
    struct part *p = plug_msi(rig, 8, &at);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), at + 2), 2), 0x186);
    pci_interrupt(p->f, 3);
    assert_int_equal(rig->messages, 0);
    rig_write(rig, ecam(0, DEV(1), at + 2), 2, PCI_MSI_ENABLE | 3 << 4);
    pci_interrupt(p->f, 3);
    assert_true(rig->message[0].address == RIG_MSI_BASE + 4);
    assert_int_equal(rig->message[0].data, 0x4323);
    /* two messages for eight vectors: the others share the last */
    rig_write(rig, ecam(0, DEV(1), at + 2), 2, PCI_MSI_ENABLE | 1 << 4);
    pci_interrupt(p->f, 0);
    pci_interrupt(p->f, 7);
    assert_int_equal(rig->message[1].data, 0x4320);
    assert_int_equal(rig->message[2].data, 0x4321);
    /* more than there are */
    rig_write(rig, ecam(0, DEV(1), at + 2), 2, PCI_MSI_ENABLE | 7 << 4);
    pci_interrupt(p->f, 31);
    assert_int_equal(rig->message[3].data, 0x4327);
}

static void msi_masks_keep_messages_until_they_go(void **state)
{
    struct rig *rig = *state;
    unsigned at;
    struct part *p = plug_msi(rig, 4, &at);
    rig_write(rig, ecam(0, DEV(1), at + 2), 2, PCI_MSI_ENABLE | 2 << 4);
    rig_write(rig, ecam(0, DEV(1), at + PCI_MSI_MASK), 4, 0xffffffff);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), at + PCI_MSI_MASK), 4), 0xf);
    pci_interrupt(p->f, 1);
    pci_interrupt(p->f, 2);
    assert_int_equal(rig->messages, 0);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), at + PCI_MSI_PENDING), 4), 6);
    rig_write(rig, ecam(0, DEV(1), at + PCI_MSI_MASK), 1, 0xb);
    assert_int_equal(rig->messages, 1);
    assert_int_equal(rig->message[0].data, 0x4322);
    assert_int_equal(rig_read(rig, ecam(0, DEV(1), at + PCI_MSI_PENDING), 1), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wires_are_those_of_the_interrupt_map),
        TEST(a_wire_is_up_while_anybody_holds_it),
        TEST(intx_disable_hides_the_level_but_not_the_status),
        TEST(a_level_from_before_it_was_plugged_in_is_shown),
        cmocka_unit_test(a_function_that_goes_lets_go_of_its_wire),
        TEST(a_reset_lets_go_of_the_wire),
        TEST(msix_is_described_as_it_is),
        TEST(msix_messages_carry_the_address_and_data_of_their_vector),
        TEST(msix_masks_keep_messages_until_they_go),
        TEST(msix_tables_are_accessed_in_words),
        TEST(messages_hide_the_wire),
        TEST(messages_go_to_the_controller_or_to_memory_and_nowhere_else),
        TEST(msi_puts_the_vector_into_the_data),
        TEST(msi_masks_keep_messages_until_they_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
