/* SPDX-License-Identifier: GPL-3.0-only */
/* The APLIC's two domains, by wires and by messages, and the pages of the IMSICs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dev/aplic.h"
#include "dev/imsic.h"
#include <stdlib.h>
#include <string.h>

#define HARTS 3

enum {
    DOMAINCFG = 0x0000,
    MMSIADDRCFG = 0x1bc0,
    MMSIADDRCFGH = 0x1bc4,
    SETIP = 0x1c00,
    SETIPNUM = 0x1cdc,
    IN_CLRIP = 0x1d00,
    CLRIPNUM = 0x1ddc,
    SETIE = 0x1e00,
    SETIENUM = 0x1edc,
    CLRIE = 0x1f00,
    CLRIENUM = 0x1fdc,
    SETIPNUM_LE = 0x2000,
    SETIPNUM_BE = 0x2004,
    GENMSI = 0x3000,
};
#define SOURCECFG(n) (4u * (n))
#define TARGET(n) (GENMSI + 4u * (n))
#define IDC(hart, reg) (0x4000u + 0x20u * (hart) + (reg))
enum { IDELIVERY = 0x00, IFORCE = 0x04, ITHRESHOLD = 0x08, TOPI = 0x18, CLAIMI = 0x1c };

enum { IE = 1 << 8, DM = 1 << 2, DELEGATE = 1 << 10 };
enum { DETACHED = 1, EDGE1 = 4, EDGE0 = 5, LEVEL1 = 6, LEVEL0 = 7 };

struct rig {
    struct device *m, *s;
    uint64_t wires[HARTS];
    unsigned messages;
    struct {
        unsigned hart, level;
        uint32_t identity;
    } last;
};

static void set_wire(void *ctx, unsigned hart, uint64_t bits, bool level)
{
    struct rig *rig = ctx;
    assert_true(hart < HARTS);
    rig->wires[hart] = level ? rig->wires[hart] | bits : rig->wires[hart] & ~bits;
}

static void take_message(void *ctx, unsigned hart, enum imsic_level level, uint32_t identity)
{
    struct rig *rig = ctx;
    assert_true(hart < HARTS);
    rig->messages++;
    rig->last.hart = hart, rig->last.level = level, rig->last.identity = identity;
}

static struct hart_wires wires_of(struct rig *rig)
{
    return (struct hart_wires){
        .ctx = rig, .count = HARTS, .set = set_wire, .message = take_message};
}

static int setup(void **state, bool messages)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct aplic_config config = {.wires = wires_of(rig), .messages = messages};
    rig->m = aplic_new(&config, NULL);
    assert_non_null(rig->m);
    rig->s = aplic_supervisor(rig->m);
    *state = rig;
    return 0;
}

static int setup_wires(void **state)
{
    return setup(state, false);
}

static int setup_messages(void **state)
{
    return setup(state, true);
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    rig->s->ops->remove(rig->s->state);
    rig->m->ops->remove(rig->m->state);
    free(rig);
    return 0;
}

static uint32_t rd(struct device *d, uint64_t offset)
{
    return (uint32_t)d->ops->read(d->state, offset, 4);
}

static void wr(struct device *d, uint64_t offset, uint32_t value)
{
    d->ops->write(d->state, offset, 4, value);
}

static void line(struct rig *rig, unsigned source, bool level)
{
    struct irq_line irq = aplic_line(rig->m, source);
    irq_set(&irq, level);
}

/* Source 10 in this domain, for that hart, with a mode; everything on. */
static void use(struct device *d, unsigned mode, uint32_t target)
{
    wr(d, SOURCECFG(10), mode);
    wr(d, TARGET(10), target);
    wr(d, SETIENUM, 10);
    for (unsigned hart = 0; hart < HARTS; hart++)
        wr(d, IDC(hart, IDELIVERY), 1);
}

static bool is_pending(struct device *d, unsigned source)
{
    return rd(d, SETIP + source / 32 * 4) >> source % 32 & 1;
}

static void sources_belong_to_one_domain(void **state)
{
    struct rig *rig = *state;
    wr(rig->s, SOURCECFG(10), LEVEL1);
    assert_int_equal(rd(rig->s, SOURCECFG(10)), 0); /* still the root's */
    wr(rig->m, SOURCECFG(10), EDGE1);
    wr(rig->m, SETIENUM, 10);
    wr(rig->m, SETIPNUM, 10);
    wr(rig->m, TARGET(10), 1 << 18 | 5);
    assert_int_equal(rd(rig->m, TARGET(10)), 1 << 18 | 5);
    wr(rig->m, SOURCECFG(10), DELEGATE | 3); /* there is one child, 0 */
    assert_int_equal(rd(rig->m, SOURCECFG(10)), DELEGATE);
    assert_int_equal(rd(rig->m, TARGET(10)) | rd(rig->m, SETIE) | rd(rig->m, SETIP), 0);
    wr(rig->s, SOURCECFG(10), DELEGATE); /* a leaf */
    assert_int_equal(rd(rig->s, SOURCECFG(10)), 0);
    wr(rig->s, SOURCECFG(10), EDGE0);
    wr(rig->s, SETIENUM, 10);
    assert_int_equal(rd(rig->s, SETIE), 1 << 10);
    wr(rig->m, SETIENUM, 10);
    assert_int_equal(rd(rig->m, SETIE), 0);
    wr(rig->m, SOURCECFG(10), 0); /* taken back */
    assert_int_equal(rd(rig->s, SOURCECFG(10)) | rd(rig->s, SETIE), 0);
    wr(rig->m, SOURCECFG(10), 2); /* reserved */
    assert_int_equal(rd(rig->m, SOURCECFG(10)), 0);
    /* 96 is the last one */
    aplic_delegate(rig->m);
    assert_int_equal(rd(rig->m, SOURCECFG(96)), DELEGATE);
    assert_int_equal(rd(rig->m, SOURCECFG(97)), 0);
    wr(rig->m, SOURCECFG(97), LEVEL1);
    wr(rig->m, SOURCECFG(1023), LEVEL1);
    wr(rig->m, TARGET(1023), UINT32_MAX);
    assert_int_equal(rd(rig->m, SOURCECFG(1023)) | rd(rig->m, TARGET(1023)), 0);
}

static void levels_drive_the_wire_of_their_hart(void **state)
{
    struct rig *rig = *state;
    aplic_delegate(rig->m);
    use(rig->s, LEVEL1, 2 << 18 | 7);
    line(rig, 10, true);
    assert_int_equal(rig->wires[2], 0); /* the domain is off */
    wr(rig->s, DOMAINCFG, IE);
    assert_int_equal(rd(rig->s, DOMAINCFG), 0x80000000 | IE);
    assert_int_equal(rig->wires[2], 1 << IRQ_SEI);
    assert_int_equal(rig->wires[0] | rig->wires[1], 0);
    assert_int_equal(rd(rig->s, IN_CLRIP), 1 << 10);
    assert_int_equal(rd(rig->s, IDC(2, TOPI)), 10 << 16 | 7);
    assert_int_equal(rd(rig->s, IDC(2, CLAIMI)), 10 << 16 | 7);
    assert_int_equal(rig->wires[2], 1 << IRQ_SEI); /* it is up as long as its line is */
    wr(rig->s, CLRIPNUM, 10);
    assert_true(is_pending(rig->s, 10));
    wr(rig->s, CLRIENUM, 10);
    assert_int_equal(rig->wires[2], 0);
    wr(rig->s, SETIE, 1 << 10);
    assert_int_equal(rig->wires[2], 1 << IRQ_SEI);
    line(rig, 10, false);
    assert_int_equal(rig->wires[2], 0);
    assert_int_equal(rd(rig->s, IDC(2, CLAIMI)), 0);
    wr(rig->s, SETIPNUM, 10); /* a level cannot be made up */
    assert_false(is_pending(rig->s, 10));
    wr(rig->s, SOURCECFG(10), LEVEL0);
    assert_int_equal(rig->wires[2], 1 << IRQ_SEI);
}

static void the_root_drives_machine_level_wires(void **state)
{
    struct rig *rig = *state;
    use(rig->m, LEVEL1, 1 << 18);
    wr(rig->m, DOMAINCFG, IE);
    line(rig, 10, true);
    assert_int_equal(rig->wires[1], 1 << IRQ_MEI);
    assert_int_equal(rd(rig->m, IDC(1, TOPI)), 10 << 16 | 1); /* 0 is no priority */
    wr(rig->m, SOURCECFG(10), DELEGATE);
    assert_int_equal(rig->wires[1], 0);
}

static void edges_stay_pending_until_they_are_claimed(void **state)
{
    struct rig *rig = *state;
    wr(rig->m, DOMAINCFG, IE);
    use(rig->m, EDGE1, 9);
    line(rig, 10, true);
    line(rig, 10, false);
    assert_true(is_pending(rig->m, 10));
    assert_int_equal(rd(rig->m, IDC(0, CLAIMI)), 10 << 16 | 9);
    assert_int_equal(rig->wires[0], 0);
    use(rig->m, EDGE0, 9);
    line(rig, 10, true);
    assert_false(is_pending(rig->m, 10));
    line(rig, 10, false);
    assert_true(is_pending(rig->m, 10));
    wr(rig->m, IN_CLRIP, 1 << 10);
    assert_false(is_pending(rig->m, 10));
    use(rig->m, DETACHED, 9);
    line(rig, 10, true);
    assert_false(is_pending(rig->m, 10));
    wr(rig->m, SETIP, UINT32_MAX); /* of which only 10 is active */
    assert_int_equal(rd(rig->m, SETIP), 1 << 10);
    assert_int_equal(rig->wires[0], 1 << IRQ_MEI);
    wr(rig->m, SETIPNUM_BE, 10 << 24);
    wr(rig->m, CLRIPNUM, 10);
    wr(rig->m, SETIPNUM_LE, 10);
    assert_true(is_pending(rig->m, 10));
    wr(rig->m, SETIPNUM, 97);
    wr(rig->m, SETIENUM, UINT32_MAX);
    assert_int_equal(rd(rig->m, SETIPNUM), 0);
}

static void priority_then_number_says_who_goes_first(void **state)
{
    struct rig *rig = *state;
    wr(rig->m, DOMAINCFG, IE);
    wr(rig->m, IDC(0, IDELIVERY), 1);
    static const struct {
        unsigned source, priority;
    } all[] = {{40, 5}, {90, 3}, {41, 3}, {2, 200}};
    for (unsigned i = 0; i < 4; i++) {
        wr(rig->m, SOURCECFG(all[i].source), EDGE1);
        wr(rig->m, TARGET(all[i].source), all[i].priority);
        wr(rig->m, SETIENUM, all[i].source);
        wr(rig->m, SETIPNUM, all[i].source);
    }
    wr(rig->m, IDC(0, ITHRESHOLD), 3);
    assert_int_equal(rd(rig->m, IDC(0, TOPI)), 0);
    assert_int_equal(rig->wires[0], 0);
    wr(rig->m, IDC(0, ITHRESHOLD), 5);
    assert_int_equal(rd(rig->m, IDC(0, CLAIMI)), 41 << 16 | 3);
    assert_int_equal(rd(rig->m, IDC(0, CLAIMI)), 90 << 16 | 3);
    assert_int_equal(rd(rig->m, IDC(0, CLAIMI)), 0);
    wr(rig->m, IDC(0, ITHRESHOLD), 0);
    assert_int_equal(rd(rig->m, IDC(0, CLAIMI)), 40 << 16 | 5);
    assert_int_equal(rd(rig->m, IDC(0, CLAIMI)), 2 << 16 | 200);
    wr(rig->m, IDC(0, IFORCE), 1);
    assert_int_equal(rig->wires[0], 1 << IRQ_MEI);
    assert_int_equal(rd(rig->m, IDC(0, CLAIMI)), 0); /* spurious, once */
    assert_int_equal(rig->wires[0], 0);
    /* a hart that is not there */
    wr(rig->m, IDC(HARTS, IDELIVERY), 1);
    assert_int_equal(rd(rig->m, IDC(HARTS, IDELIVERY)), 0);
    wr(rig->m, TARGET(2), UINT32_MAX);
    wr(rig->m, SETIPNUM, 2);
    assert_int_equal(rig->wires[0] | rig->wires[1] | rig->wires[2], 0);
}

static void without_imsics_there_are_no_messages(void **state)
{
    struct rig *rig = *state;
    wr(rig->m, DOMAINCFG, DM | IE);
    assert_int_equal(rd(rig->m, DOMAINCFG), 0x80000000 | IE);
    wr(rig->m, GENMSI, 5);
    assert_int_equal(rd(rig->m, GENMSI) | rd(rig->m, MMSIADDRCFGH), 0);
    assert_int_equal(rig->messages, 0);
}

static void messages_go_once_for_each_rise_of_a_line(void **state)
{
    struct rig *rig = *state;
    aplic_delegate(rig->m);
    wr(rig->s, DOMAINCFG, DM | IE);
    use(rig->s, LEVEL1, 1 << 18 | 77);
    assert_int_equal(rd(rig->s, TARGET(10)), 1 << 18 | 77);
    line(rig, 10, true);
    assert_int_equal(rig->messages, 1);
    assert_int_equal(rig->last.hart, 1);
    assert_int_equal(rig->last.level, IMSIC_S);
    assert_int_equal(rig->last.identity, 77);
    assert_false(is_pending(rig->s, 10));
    line(rig, 10, true);
    assert_int_equal(rig->messages, 1);
    wr(rig->s, SETIPNUM_LE, 10); /* "is it still up?": it is */
    assert_int_equal(rig->messages, 2);
    line(rig, 10, false);
    wr(rig->s, SETIPNUM_LE, 10); /* it is not */
    assert_int_equal(rig->messages, 2);
    wr(rig->s, CLRIENUM, 10);
    line(rig, 10, true);
    assert_true(is_pending(rig->s, 10));
    line(rig, 10, false);
    assert_false(is_pending(rig->s, 10));
    line(rig, 10, true);
    wr(rig->s, SETIENUM, 10);
    assert_int_equal(rig->messages, 3);
    assert_int_equal(rig->wires[1], 0);
}

static void the_root_sends_machine_level_messages_and_genmsi(void **state)
{
    struct rig *rig = *state;
    wr(rig->m, DOMAINCFG, DM);
    use(rig->m, EDGE1, 2 << 18 | 0x3f << 12 | 1 << 11 | 300);
    assert_int_equal(rd(rig->m, TARGET(10)), 2 << 18 | 300); /* no guests; bit 11 is reserved */
    line(rig, 10, true);
    assert_int_equal(rig->messages, 0);
    wr(rig->m, GENMSI, 1 << 18 | 1 << 12 | 9); /* whatever IE says */
    assert_int_equal(rig->messages, 1);
    assert_int_equal(rig->last.hart, 1);
    assert_int_equal(rig->last.level, IMSIC_M);
    assert_int_equal(rd(rig->m, GENMSI), 1 << 18 | 9); /* not busy */
    wr(rig->m, DOMAINCFG, DM | IE);
    assert_int_equal(rig->messages, 2);
    assert_int_equal(rig->last.hart, 2);
    assert_int_equal(rig->last.identity, 300);
    wr(rig->m, GENMSI, HARTS << 18 | 9); /* nobody */
    wr(rig->m, GENMSI, UINT32_MAX);
    assert_int_equal(rig->messages, 2);
    assert_int_equal(rd(rig->m, MMSIADDRCFGH), 0x80000000);
    wr(rig->m, MMSIADDRCFGH, 0);
    wr(rig->m, MMSIADDRCFG, 0x1234);
    assert_int_equal(rd(rig->m, MMSIADDRCFG), 0);
    assert_int_equal(rd(rig->m, MMSIADDRCFGH), 0x80000000);
    assert_int_equal(rd(rig->s, MMSIADDRCFGH), 0);
}

static void the_wire_is_let_go_when_messages_begin(void **state)
{
    struct rig *rig = *state;
    wr(rig->m, DOMAINCFG, IE);
    use(rig->m, LEVEL1, 4);
    line(rig, 10, true);
    assert_int_equal(rig->wires[0], 1 << IRQ_MEI);
    wr(rig->m, DOMAINCFG, DM | IE);
    assert_int_equal(rig->wires[0], 0);
    assert_int_equal(rig->messages, 1);
    wr(rig->m, DOMAINCFG, IE); /* and back: the level counts again */
    assert_int_equal(rig->wires[0], 1 << IRQ_MEI);
}

static void reset_leaves_the_lines_and_nothing_else(void **state)
{
    struct rig *rig = *state;
    wr(rig->m, DOMAINCFG, IE);
    use(rig->m, LEVEL1, 4);
    line(rig, 10, true);
    rig->m->ops->reset(rig->m->state);
    rig->s->ops->reset(rig->s->state);
    assert_int_equal(rig->wires[0], 0);
    for (unsigned reg = 4; reg < APLIC_SIZE; reg += 4)
        if (reg != MMSIADDRCFGH)
            assert_int_equal(rd(rig->m, reg) | rd(rig->s, reg), 0);
    wr(rig->m, DOMAINCFG, IE);
    use(rig->m, LEVEL1, 4);
    assert_int_equal(rig->wires[0], 1 << IRQ_MEI);
}

static void pages_take_messages_for_their_hart(void **state)
{
    struct rig *rig = *state;
    struct hart_wires wires = wires_of(rig);
    struct device *m = imsic_new(&wires, NULL), *s = imsic_supervisor(m);
    m->base = IMSIC_M_BASE, s->base = IMSIC_S_BASE;
    assert_int_equal(s->size, HARTS * 0x1000);
    wr(s, 0x1000, 33);
    assert_int_equal(rig->last.hart, 1);
    assert_int_equal(rig->last.level, IMSIC_S);
    assert_int_equal(rig->last.identity, 33);
    wr(s, 0x1004, 33); /* seteipnum_be */
    wr(s, 0x1ffc, 33);
    assert_int_equal(rd(s, 0x1000), 0);
    assert_int_equal(rig->messages, 1);
    assert_true(imsic_send(m, IMSIC_M_BASE + 0x2000, 4));
    assert_int_equal(rig->last.hart, 2);
    assert_int_equal(rig->last.level, IMSIC_M);
    assert_true(imsic_send(m, IMSIC_S_BASE, 5));
    assert_int_equal(rig->messages, 3);
    assert_true(imsic_send(m, IMSIC_S_BASE + 8, 5)); /* its own, and nothing there */
    assert_false(imsic_send(m, IMSIC_S_BASE + HARTS * 0x1000, 5));
    assert_false(imsic_send(m, IMSIC_M_BASE - 4, 5));
    assert_int_equal(rig->messages, 3);
    s->ops->remove(s->state);
    m->ops->remove(m->state);
}

#define WIRES(name) cmocka_unit_test_setup_teardown(name, setup_wires, teardown)
#define MESSAGES(name) cmocka_unit_test_setup_teardown(name, setup_messages, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WIRES(sources_belong_to_one_domain),
        WIRES(levels_drive_the_wire_of_their_hart),
        WIRES(the_root_drives_machine_level_wires),
        WIRES(edges_stay_pending_until_they_are_claimed),
        WIRES(priority_then_number_says_who_goes_first),
        WIRES(without_imsics_there_are_no_messages),
        MESSAGES(messages_go_once_for_each_rise_of_a_line),
        MESSAGES(the_root_sends_machine_level_messages_and_genmsi),
        MESSAGES(the_wire_is_let_go_when_messages_begin),
        MESSAGES(reset_leaves_the_lines_and_nothing_else),
        MESSAGES(pages_take_messages_for_their_hart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
