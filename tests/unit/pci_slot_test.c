/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Slots whose cards come and go, by a driver of a few lines that does what Linux's pciehp does: it hears of
 * events by the wire or a message, takes note of them, and switches power and light.
 */
#include "pci_rig.h"

#include "dev/pci/function.h"
#include "dev/pci/slot.h"

#define PORT DEV(24)
#define PORT_BUS 1
#define WINDOW PCI_LOW_WINDOW_BASE
#define ATTENTION_OFF PCI_SLOT_CONTROL_ATTENTION_OFF
#define POWER_OFF PCI_SLOT_CONTROL_POWER_OFF
#define LIGHT_ON PCI_SLOT_CONTROL_INDICATOR_ON
#define LIGHT_BLINKS PCI_SLOT_CONTROL_INDICATOR_BLINKS
#define LIGHT_OFF PCI_SLOT_CONTROL_INDICATOR_OFF
#define HEARS (PCI_SLOT_CONTROL_INTERRUPT | PCI_SLOT_BUTTON | PCI_SLOT_CONTROL_LINK_ENABLE)
#define WIRE ((24 + 1) % 4) /* of function 0, pin B: a card's is A, and must be another */
#define CARD_WIRE (24 % 4)

struct bay {
    struct rig *rig;
    struct pci_slot *slot;
    unsigned off; /* times that the guest has let go */
};

static void count_off(void *ctx)
{
    ((struct bay *)ctx)->off++;
}

static unsigned capability(struct rig *rig, unsigned id)
{
    unsigned at = (unsigned)rig_read(rig, ecam(0, PORT, PCI_CAPABILITY_LIST), 1);
    while (at && rig_read(rig, ecam(0, PORT, at), 1) != id)
        at = (unsigned)rig_read(rig, ecam(0, PORT, at + 1), 1);
    assert_true(at);
    return at;
}

static uint32_t get(struct rig *rig, unsigned reg)
{
    return (uint32_t)rig_read(rig, ecam(0, PORT, capability(rig, PCI_CAP_EXPRESS) + reg), 2);
}

static void set(struct rig *rig, unsigned reg, uint32_t value)
{
    rig_write(rig, ecam(0, PORT, capability(rig, PCI_CAP_EXPRESS) + reg), 2, value);
}

/* The slot's events, of which the guest takes note; a command's end is none here. */
static uint32_t take_events(struct rig *rig)
{
    const uint32_t events = get(rig, PCI_EXPRESS_SLOT_STATUS) & PCI_SLOT_EVENTS;
    set(rig, PCI_EXPRESS_SLOT_STATUS, events);
    return events & ~PCI_SLOT_COMMAND_DONE;
}

static void command(struct rig *rig, uint32_t control)
{
    set(rig, PCI_EXPRESS_SLOT_CONTROL, control | ATTENTION_OFF);
}

static void power_on(struct rig *rig)
{
    for (unsigned i = 0; i < rig->m->device_count; i++)
        if (rig->m->devices[i]->ops->reset)
            rig->m->devices[i]->ops->reset(rig->m->devices[i]->state);
    rig_write(rig, ecam(0, PORT, PCI_SECONDARY_BUS), 2, PORT_BUS | PORT_BUS << 8);
    rig_write(rig, ecam(0, PORT, PCI_MEMORY_BASE), 4, 0x40004000);
    rig_write(rig, ecam(0, PORT, PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static int setup(void **state)
{
    struct bay *bay = calloc(1, sizeof(*bay));
    void *rig;
    rig_setup(&rig);
    bay->rig = rig;
    struct pci_slot_config config = {.number = 5, .off = count_off, .ctx = bay};
    bay->slot = pci_slot_new(bay->rig->root, &config, NULL);
    assert_non_null(bay->slot);
    power_on(bay->rig);
    *state = bay;
    return 0;
}

static int teardown(void **state)
{
    struct bay *bay = *state;
    void *rig = bay->rig;
    rig_teardown(&rig);
    free(bay);
    return 0;
}

static struct part *insert(struct bay *bay)
{
    struct part *p = part_new();
    assert_true(pci_slot_insert(bay->slot, p->f, NULL));
    return p;
}

/* As the driver does when it begins, with an empty slot. */
static void begin_driver(struct rig *rig)
{
    command(rig, LIGHT_OFF | POWER_OFF | HEARS);
    take_events(rig);
    assert_false(rig->wire[WIRE]);
}

static bool is_there(struct rig *rig)
{
    return rig_read(rig, ecam(PORT_BUS, 0, 0), 4) == 0x56781234;
}

static void map_card(struct rig *rig)
{
    rig_write(rig, ecam(PORT_BUS, 0, 0x18), 4, WINDOW);
    rig_write(rig, ecam(PORT_BUS, 0, PCI_COMMAND), 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void the_slot_says_what_it_has(void **state)
{
    struct bay *bay = *state;
    const unsigned express = capability(bay->rig, PCI_CAP_EXPRESS);
    const uint32_t has =
        (uint32_t)rig_read(bay->rig, ecam(0, PORT, express + PCI_EXPRESS_SLOT_CAP), 4);
    assert_int_equal(has >> 19, 5);
    assert_int_equal(has & 0x7f, 0x7b); /* all but a latch */
    assert_int_equal(get(bay->rig, PCI_EXPRESS_FLAGS), 0x0142);
    assert_int_equal(get(bay->rig, PCI_EXPRESS_SLOT_STATUS), 0);
    assert_int_equal(get(bay->rig, PCI_EXPRESS_LINK_STATUS), 0x0011);
    /* No windows for IO */
    rig_write(bay->rig, ecam(0, PORT, PCI_IO_BASE), 2, 0xffff);
    assert_int_equal(rig_read(bay->rig, ecam(0, PORT, PCI_IO_BASE), 2), 0);
    rig_write(bay->rig, ecam(0, PORT, express + PCI_EXPRESS_SLOT_CAP), 4, 0);
    assert_int_equal(rig_read(bay->rig, ecam(0, PORT, express + PCI_EXPRESS_SLOT_CAP), 4), has);
}

static void every_command_is_done_and_says_so(void **state)
{
    struct bay *bay = *state;
    set(bay->rig, PCI_EXPRESS_SLOT_CONTROL, 0xffff);
    assert_int_equal(get(bay->rig, PCI_EXPRESS_SLOT_CONTROL), PCI_SLOT_CONTROL_WRITABLE);
    assert_int_equal(get(bay->rig, PCI_EXPRESS_SLOT_STATUS), PCI_SLOT_COMMAND_DONE);
    assert_true(bay->rig->wire[WIRE]);
    set(bay->rig, PCI_EXPRESS_SLOT_STATUS, PCI_SLOT_COMMAND_DONE);
    assert_false(bay->rig->wire[WIRE]);
    /* The upper byte alone is a command, too. */
    rig_write(bay->rig,
              ecam(0, PORT, capability(bay->rig, PCI_CAP_EXPRESS) + PCI_EXPRESS_SLOT_CONTROL + 1),
              1, 0);
    assert_int_equal(get(bay->rig, PCI_EXPRESS_SLOT_STATUS), PCI_SLOT_COMMAND_DONE);
}

static void a_driver_switches_a_new_card_on(void **state)
{
    struct bay *bay = *state;
    struct rig *rig = bay->rig;
    begin_driver(rig);
    struct part *p = insert(bay);
    assert_true(rig->wire[WIRE]);
    assert_int_equal(take_events(rig), PCI_SLOT_LINK_CHANGED | PCI_SLOT_PRESENCE_CHANGED);
    assert_false(rig->wire[WIRE]);
    assert_true(get(rig, PCI_EXPRESS_SLOT_STATUS) & PCI_SLOT_PRESENT);
    assert_false(is_there(rig));
    command(rig, LIGHT_ON | HEARS);
    assert_int_equal(take_events(rig), PCI_SLOT_LINK_CHANGED);
    assert_true(get(rig, PCI_EXPRESS_LINK_STATUS) & PCI_LINK_STATUS_ACTIVE);
    assert_true(is_there(rig));
    map_card(rig);
    rig_write(rig, WINDOW + 8, 4, 77);
    assert_int_equal(p->value, 77);
    assert_true(pci_is_master(p->f));
}

static void power_off_takes_all_of_it_away_and_resets_it(void **state)
{
    struct bay *bay = *state;
    struct rig *rig = bay->rig;
    begin_driver(rig);
    struct part *p = insert(bay);
    command(rig, LIGHT_ON | HEARS);
    map_card(rig);
    const unsigned resets = p->resets;
    command(rig, LIGHT_OFF | POWER_OFF | HEARS);
    assert_int_equal(p->resets, resets + 1);
    assert_false(is_there(rig));
    assert_false(pci_is_master(p->f));
    assert_int_equal(rig_read(rig, WINDOW + 8, 4), 0xffffffff);
    assert_int_equal(p->reads, 0);
    assert_int_equal(bay->off, 0); /* nobody had asked */
    /* And back: as after power-on */
    command(rig, LIGHT_ON | HEARS);
    assert_true(is_there(rig));
    assert_int_equal(rig_read(rig, ecam(PORT_BUS, 0, PCI_COMMAND), 2), 0);
    /* A link that the guest disables is gone, too. */
    set(rig, PCI_EXPRESS_LINK_CONTROL, PCI_LINK_CONTROL_DISABLE);
    assert_false(is_there(rig));
    set(rig, PCI_EXPRESS_LINK_CONTROL, 0);
    assert_true(is_there(rig));
}

static void the_button_asks_and_the_driver_lets_go(void **state)
{
    struct bay *bay = *state;
    struct rig *rig = bay->rig;
    begin_driver(rig);
    unsigned removed = 0;
    struct part *p = insert(bay);
    p->gone = &removed;
    command(rig, LIGHT_ON | HEARS);
    take_events(rig);
    assert_int_equal(pci_slot_ask(bay->slot), PCI_SLOT_ASKED);
    assert_true(rig->wire[WIRE]);
    assert_int_equal(take_events(rig), PCI_SLOT_BUTTON);
    command(rig, LIGHT_BLINKS | HEARS);
    /* A second press would mean that it shall stay. */
    assert_int_equal(pci_slot_ask(bay->slot), PCI_SLOT_ASKED);
    assert_int_equal(take_events(rig), 0);
    command(rig, LIGHT_BLINKS | POWER_OFF | HEARS);
    assert_int_equal(bay->off, 0);
    command(rig, LIGHT_OFF | POWER_OFF | HEARS);
    assert_int_equal(bay->off, 1);
    assert_int_equal(pci_slot_ask(bay->slot), PCI_SLOT_FREE);
    struct pci_function *f = pci_slot_take(bay->slot);
    assert_ptr_equal(f, p->f);
    assert_int_equal(removed, 0);
    pci_function_free(f);
    assert_int_equal(removed, 1);
    assert_null(pci_slot_take(bay->slot));
    assert_false(get(rig, PCI_EXPRESS_SLOT_STATUS) & PCI_SLOT_PRESENT);
}

static void a_card_may_be_pulled_out_while_it_is_used(void **state)
{
    struct bay *bay = *state;
    struct rig *rig = bay->rig;
    begin_driver(rig);
    struct part *p = insert(bay);
    command(rig, LIGHT_ON | HEARS);
    map_card(rig);
    take_events(rig);
    pci_intx_set(p->f, true);
    assert_true(rig->wire[CARD_WIRE] && !rig->wire[WIRE]);
    struct pci_function *f = pci_slot_take(bay->slot);
    assert_int_equal(take_events(rig), PCI_SLOT_PRESENCE_CHANGED | PCI_SLOT_LINK_CHANGED);
    assert_false(rig->wire[CARD_WIRE]); /* its own has fallen as well */
    assert_false(is_there(rig));
    assert_int_equal(rig_read(rig, WINDOW + 8, 4), 0xffffffff);
    /* What it still does reaches nobody. */
    uint8_t byte = 0;
    pci_intx_set(f, true);
    assert_false(rig->wire[CARD_WIRE]);
    assert_false(pci_dma_write(f, MACHINE_RAM_BASE, &byte, 1));
    pci_function_free(f);
}

static void a_new_card_waits_until_the_driver_is_done_with_the_old_one(void **state)
{
    struct bay *bay = *state;
    struct rig *rig = bay->rig;
    begin_driver(rig);
    insert(bay);
    command(rig, LIGHT_ON | HEARS);
    pci_function_free(pci_slot_take(bay->slot));
    take_events(rig);
    struct part *second = insert(bay);
    struct part *third = part_new();
    assert_false(pci_slot_insert(bay->slot, third->f, NULL)); /* there is one already */
    assert_int_equal(take_events(rig), 0);
    command(rig, LIGHT_ON | POWER_OFF | HEARS);
    assert_int_equal(take_events(rig), 0);
    command(rig, LIGHT_OFF | POWER_OFF | HEARS);
    assert_int_equal(take_events(rig), PCI_SLOT_LINK_CHANGED | PCI_SLOT_PRESENCE_CHANGED);
    command(rig, LIGHT_ON | HEARS);
    assert_true(is_there(rig));
    assert_ptr_equal(pci_slot_take(bay->slot), second->f);
    pci_function_free(second->f);
}

/* What harts search without a lock stays where it is, though functions came after the slot. */
static void a_card_finds_room_in_the_lists_that_harts_read(void **state)
{
    struct bay *bay = *state;
    struct pci_slot_config config = {.number = 6, .off = count_off, .ctx = bay};
    struct pci_slot *other = pci_slot_new(bay->rig->root, &config, NULL);
    struct pci_host *host = bay->rig->root->host;
    const struct pci_region *regions[PCI_SPACES];
    rig_plug(bay->rig->root, DEV(1));
    for (unsigned i = 0; i < PCI_SPACES; i++)
        regions[i] = host->maps[i].regions;
    for (unsigned round = 0; round < 3; round++) {
        struct part *p = part_new();
        assert_true(pci_slot_insert(other, p->f, NULL));
        insert(bay);
        for (unsigned i = 0; i < PCI_SPACES; i++)
            assert_ptr_equal(host->maps[i].regions, regions[i]);
        assert_true(host->function_count <= host->function_room);
        pci_function_free(pci_slot_take(other));
        pci_function_free(pci_slot_take(bay->slot));
    }
}

static void without_a_driver_a_card_has_power_at_once(void **state)
{
    struct bay *bay = *state;
    struct rig *rig = bay->rig;
    insert(bay);
    assert_true(is_there(rig));
    assert_false(rig->wire[WIRE]);
    /* It is free until somebody lets it reach memory. */
    assert_int_equal(pci_slot_ask(bay->slot), PCI_SLOT_FREE);
    map_card(rig);
    assert_int_equal(pci_slot_ask(bay->slot), PCI_SLOT_DEAF);
    char address[PCI_SLOT_ADDRESS_SIZE];
    pci_slot_address(bay->slot, address);
    assert_string_equal(address, "0000:01:00.0");
    pci_function_free(pci_slot_take(bay->slot));
    insert(bay);
    assert_true(is_there(rig));
}

static void a_restart_shows_the_card_unless_it_was_asked_for(void **state)
{
    struct bay *bay = *state;
    struct rig *rig = bay->rig;
    begin_driver(rig);
    insert(bay);
    power_on(rig);
    assert_true(is_there(rig));
    assert_int_equal(get(rig, PCI_EXPRESS_SLOT_STATUS), PCI_SLOT_PRESENT);
    command(rig, LIGHT_ON | HEARS);
    assert_int_equal(pci_slot_ask(bay->slot), PCI_SLOT_ASKED);
    assert_int_equal(bay->off, 0);
    power_on(rig);
    assert_int_equal(bay->off, 1);
    assert_false(is_there(rig));
    /* One that waits goes in. */
    command(rig, LIGHT_ON | HEARS);
    pci_function_free(pci_slot_take(bay->slot));
    insert(bay);
    assert_false(is_there(rig));
    power_on(rig);
    assert_true(is_there(rig));
}

static void a_message_tells_of_each_event_once(void **state)
{
    struct bay *bay = *state;
    struct rig *rig = bay->rig;
    const unsigned msi = capability(rig, PCI_CAP_MSI);
    rig_write(rig, ecam(0, PORT, msi + PCI_MSI_ADDRESS), 4, RIG_MSI_BASE);
    rig_write(rig, ecam(0, PORT, msi + PCI_MSI_DATA), 2, 42);
    rig_write(rig, ecam(0, PORT, msi + PCI_MSI_CONTROL), 2, PCI_MSI_ENABLE);
    command(rig, LIGHT_OFF | POWER_OFF | HEARS);
    take_events(rig);
    assert_int_equal(rig->messages, 0);
    insert(bay);
    assert_int_equal(rig->messages, 1);
    assert_int_equal(rig->message[0].data, 42);
    assert_false(rig->wire[WIRE]);
    take_events(rig);
    command(rig, LIGHT_ON | HEARS);
    assert_int_equal(rig->messages, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(the_slot_says_what_it_has),
        TEST(every_command_is_done_and_says_so),
        TEST(a_driver_switches_a_new_card_on),
        TEST(power_off_takes_all_of_it_away_and_resets_it),
        TEST(the_button_asks_and_the_driver_lets_go),
        TEST(a_card_may_be_pulled_out_while_it_is_used),
        TEST(a_new_card_waits_until_the_driver_is_done_with_the_old_one),
        TEST(a_card_finds_room_in_the_lists_that_harts_read),
        TEST(without_a_driver_a_card_has_power_at_once),
        TEST(a_restart_shows_the_card_unless_it_was_asked_for),
        TEST(a_message_tells_of_each_event_once),
    };
    return cmocka_run_group_tests_name("pci_slot", tests, NULL, NULL);
}
