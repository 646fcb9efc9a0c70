/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The board's small devices, by the bus: syscon, real-time clock, ACLINT, PLIC and UART, with lines that rise and
 * fall, a serial line that takes and gives bytes when it likes, and resets in between. (The others have
 * harnesses of their own.) Each input begins at power-on. What must hold: the PLIC's pending bits are those of a
 * model of its gateways, and what it lets be claimed may be.
 */
#include "fuzz.h"

#include "dev/aclint.h"
#include "dev/goldfish_rtc.h"
#include "dev/plic.h"
#include "dev/syscon.h"
#include "dev/uart16550.h"
#include "machine/board.h"
#include <stdlib.h>
#include <string.h>

#define HARTS 2
#define OPERATIONS_MAX 2000
#define LINES 8 /* of the PLIC that are moved here: these are nobody's */
#define FIRST_LINE (BOARD_IRQS + 1)

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* The serial line's other end: what it takes, and what it gives. */
static struct {
    struct chardev chardev;
    size_t room, waiting;
} line;

static size_t take_from(size_t *left, size_t size)
{
    size_t n = size < *left ? size : *left;
    *left -= n;
    return n;
}

static size_t line_write(struct chardev *cd, const void *bytes, size_t size)
{
    (void)cd, (void)bytes;
    return take_from(&line.room, size);
}

static size_t line_read(struct chardev *cd, void *bytes, size_t size)
{
    (void)cd;
    size_t n = take_from(&line.waiting, size);
    memset(bytes, 'x', n);
    return n;
}

static void line_attached(struct chardev *cd)
{
    (void)cd;
}

static const struct chardev_ops line_ops = {
    .name = "fuzz", .write = line_write, .read = line_read, .attached = line_attached};

/*
 * The PLIC's gateways of the lines that are moved here.
 */
static struct {
    bool level, pending, claimed;
} gateways[LINES];

static struct machine *machine;

static uint32_t read32(uint64_t address)
{
    uint64_t value;
    check(machine_bus_read(machine, address, 4, &value) && value <= UINT32_MAX);
    return (uint32_t)value;
}

static void write32(uint64_t address, uint32_t value)
{
    check(machine_bus_write(machine, address, 4, value));
}

static bool is_ours(uint32_t source)
{
    return source >= FIRST_LINE && source < FIRST_LINE + LINES;
}

static void check_pending(void)
{
    for (unsigned i = 0; i < LINES; i++) {
        uint32_t source = FIRST_LINE + i;
        check((read32(PLIC_BASE + 0x1000 + source / 32 * 4) >> source % 32 & 1) ==
              gateways[i].pending);
    }
}

static void move_line(unsigned n, bool level)
{
    struct machine_irq_controller *plic = &machine->irq_controller;
    struct irq_line wire = plic->line(plic->dev, FIRST_LINE + n);
    irq_set(&wire, level);
    gateways[n].level = level;
    if (level && !gateways[n].claimed)
        gateways[n].pending = true;
}

static uint64_t enable_of(unsigned context, uint32_t source)
{
    return PLIC_BASE + 0x2000 + context * 0x80 + source / 32 * 4;
}

static void claim(unsigned context)
{
    uint32_t threshold = read32(PLIC_BASE + 0x200000 + context * 0x1000);
    uint32_t source = read32(PLIC_BASE + 0x200004 + context * 0x1000);
    check(source <= PLIC_SOURCES);
    if (!source)
        return;
    check(read32(PLIC_BASE + source * 4) > threshold);
    check(read32(enable_of(context, source)) >> source % 32 & 1);
    if (!is_ours(source))
        return;
    check(gateways[source - FIRST_LINE].pending);
    gateways[source - FIRST_LINE].pending = false;
    gateways[source - FIRST_LINE].claimed = true;
}

static void complete(unsigned context, uint32_t source)
{
    bool enabled =
        source <= PLIC_SOURCES && (read32(enable_of(context, source)) >> source % 32 & 1);
    write32(PLIC_BASE + 0x200004 + context * 0x1000, source);
    if (!is_ours(source) || !enabled || !gateways[source - FIRST_LINE].claimed)
        return;
    gateways[source - FIRST_LINE].claimed = false;
    gateways[source - FIRST_LINE].pending |= gateways[source - FIRST_LINE].level;
}

static void reset(void)
{
    for (unsigned i = 0; i < machine->device_count; i++)
        if (machine->devices[i]->ops->reset)
            machine->devices[i]->ops->reset(machine->devices[i]->state);
    for (unsigned i = 0; i < LINES; i++) {
        gateways[i].pending = gateways[i].level;
        gateways[i].claimed = false;
    }
}

static void make_board(void)
{
    static struct log log = {.level = LOG_ERROR};
    struct machine_config config = {
        .ram_size = 1u << 20, .harts = HARTS, .interpret = true, .log = &log};
    struct board_config board = {
        .aia = BOARD_PLIC, .loop = event_loop_new(NULL), .serial = &line.chardev};
    isa_default(&config.isa, 64);
    chardev_init(&line.chardev, &line_ops);
    machine = machine_new(&config, NULL);
    check(machine && board.loop && board_build(machine, &board, NULL));
}

static void power_on(void)
{
    if (!machine)
        make_board();
    for (unsigned i = 0; i < LINES; i++)
        move_line(i, false);
    line.room = line.waiting = 0;
    reset();
    /* What it has received stays over a reset. */
    while (uart16550_get(machine->console.dev, (uint8_t[16]){0}, 16))
        ;
}

/* Aligned to size, in one of the devices, mostly among its first registers. */
static uint64_t take_address(struct fuzz_input *in, unsigned size)
{
    static const struct {
        uint64_t base, size;
    } places[] = {
        {SYSCON_BASE, SYSCON_SIZE},
        {GOLDFISH_RTC_BASE, GOLDFISH_RTC_SIZE},
        {ACLINT_BASE, 0x20},
        {ACLINT_BASE + 0x4000, 0x20},
        {ACLINT_BASE + 0xbff8, 8},
        {ACLINT_BASE, ACLINT_SIZE},
        {UART_BASE, UART_SIZE},
        {UART_BASE, UART_SIZE},
        {PLIC_BASE, 0x400},
        {PLIC_BASE + 0x2000, 0x200},
        {PLIC_BASE + 0x200000, 0x4000},
        {PLIC_BASE, PLIC_SIZE},
    };
    unsigned n = (unsigned)fuzz_take(in, 1) % (sizeof(places) / sizeof(places[0]));
    return places[n].base + fuzz_take(in, 3) % places[n].size / size * size;
}

/* Claims and completions are the model's to know. */
static bool is_claim(uint64_t address)
{
    return address >= PLIC_BASE + 0x200000 && address < PLIC_BASE + PLIC_SIZE &&
           (address & 0xfff) == 4;
}

static void step(struct fuzz_input *in)
{
    unsigned what = (unsigned)fuzz_take(in, 1), size = 1u << (what >> 6), more = what >> 4 & 3;
    uint64_t address, value;
    switch (what & 15) {
    case 0:
        move_line((unsigned)fuzz_take(in, 1) % LINES, what >> 4 & 1);
        break;
    case 1:
        claim(more);
        break;
    case 2:
        complete(more, FIRST_LINE + (uint32_t)fuzz_take(in, 1) % (LINES + 2) - 1);
        break;
    case 3: /* what the model's lines need to be claimed */
        write32(PLIC_BASE + (FIRST_LINE + (uint32_t)fuzz_take(in, 1) % LINES) * 4, what >> 4);
        write32(enable_of(more, FIRST_LINE), (uint32_t)fuzz_take(in, 1) << FIRST_LINE % 32);
        break;
    case 4:
        line.waiting += fuzz_take(in, 1);
        chardev_notify_readable(&line.chardev);
        break;
    case 5:
        line.room += fuzz_take(in, 1);
        chardev_notify_writable(&line.chardev);
        break;
    case 6:
        chardev_notify_break(&line.chardev);
        break;
    case 7:
        uart16550_get(machine->console.dev, (uint8_t[16]){0}, more + 13);
        break;
    case 8:
        uart16550_put(machine->console.dev, "words", more + 1);
        break;
    case 9:
        if (what == 0xf9)
            reset();
        break;
    case 10:
    case 11:
    case 12:
        address = take_address(in, size);
        if (!is_claim(address))
            machine_bus_read(machine, address, size, &value);
        break;
    default:
        address = take_address(in, size);
        value = fuzz_take(in, size);
        if (!is_claim(address))
            machine_bus_write(machine, address, size, value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    power_on();
    for (unsigned n = 0; fuzz_left(&in) && n < OPERATIONS_MAX; n++) {
        step(&in);
        check_pending();
    }
    return 0;
}
