/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A PCI device of one's own: a serial card (a 16450 behind 8 IO ports) that Linux's 8250_pci driver finds by
 * its class. What the guest writes to /dev/ttyS1 the program prints, in brackets:
 *
 *     echo hello >/dev/ttyS1
 */
#include <pthread.h>
#include <rvvm/rvvm.h>
#include <stdio.h>

/* National Semiconductor's PC16550D data sheet, 8. */
enum { DATA, ENABLE, IDENTITY, LINE_CONTROL, MODEM_CONTROL, LINE_STATUS, MODEM_STATUS, SCRATCH };
enum { ENABLE_SENT = 2, IS_SENT = 2, IS_NOTHING = 1, DIVISOR = 0x80, LOOP = 0x10, IDLE = 0x60 };

struct card {
    struct rvvm_pci_function *function;
    pthread_mutex_t lock;
    uint8_t registers[8], divisor[2];
    bool sent; /* to be told */
    bool in_line;
};

static void update(struct card *c)
{
    rvvm_pci_wire(c->function, c->sent && c->registers[ENABLE] & ENABLE_SENT);
}

/* In a loop, the four outputs are the four inputs. */
static uint8_t modem_status(const struct card *c)
{
    const unsigned out = c->registers[MODEM_CONTROL];
    if (!(out & LOOP))
        return 0xb0; /* carrier, ready, clear to send */
    return (uint8_t)((out & 2) << 3 | (out & 1) << 5 | (out & 0xc) << 4);
}

static uint64_t card_read(void *state, unsigned bar, uint64_t offset, unsigned size)
{
    struct card *c = state;
    (void)bar, (void)size;
    pthread_mutex_lock(&c->lock);
    uint8_t value = c->registers[offset];
    if (offset <= ENABLE && c->registers[LINE_CONTROL] & DIVISOR) {
        value = c->divisor[offset];
    } else if (offset == DATA) {
        value = 0;
    } else if (offset == IDENTITY) {
        value = c->sent && c->registers[ENABLE] & ENABLE_SENT ? IS_SENT : IS_NOTHING;
        c->sent &= value != IS_SENT;
        update(c);
    } else if (offset == LINE_STATUS) {
        value = IDLE;
    } else if (offset == MODEM_STATUS) {
        value = modem_status(c);
    }
    pthread_mutex_unlock(&c->lock);
    return value;
}

static void print(struct card *c, char byte)
{
    if (byte == '\r')
        return;
    if (!c->in_line)
        printf("[");
    c->in_line = byte != '\n';
    printf(byte == '\n' ? "]\n" : "%c", byte);
}

static void card_write(void *state, unsigned bar, uint64_t offset, unsigned size, uint64_t value)
{
    struct card *c = state;
    (void)bar, (void)size;
    pthread_mutex_lock(&c->lock);
    if (offset <= ENABLE && c->registers[LINE_CONTROL] & DIVISOR) {
        c->divisor[offset] = (uint8_t)value;
    } else if (offset == DATA) {
        if (!(c->registers[MODEM_CONTROL] & LOOP))
            print(c, (char)value);
        c->sent = true;
    } else {
        c->sent |= offset == ENABLE && value & ENABLE_SENT; /* it is empty now */
        c->registers[offset] = (uint8_t)value;
    }
    update(c);
    pthread_mutex_unlock(&c->lock);
}

static void card_reset(void *state)
{
    struct card *c = state;
    pthread_mutex_lock(&c->lock);
    for (unsigned i = 0; i < 8; i++)
        c->registers[i] = 0;
    c->sent = false;
    update(c);
    pthread_mutex_unlock(&c->lock);
}

int main(int argc, char **argv)
{
    struct card card = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const struct rvvm_pci how = {
        .struct_size = sizeof(how),
        .name = "serial card",
        .vendor = 0x1b36, /* Red Hat's, with a device for experiments by nobody in particular */
        .device = 0xfff0,
        .class_code = 0x070002, /* serial, 16550-compatible */
        .bars = {[0] = {RVVM_BAR_IO, 8, 1, 1}},
        .wire = true,
        .state = &card,
        .read = card_read,
        .write = card_write,
        .reset = card_reset,
    };
    struct rvvm_config config;
    struct rvvm_error error;
    int status = 1;
    rvvm_config_init(&config);
    config.kernel = argc > 1 ? argv[1] : "Image";
    config.initrd = argc > 2 ? argv[2] : NULL;
    config.append = argc > 3 ? argv[3] : "console=ttyS0";
    config.serial = "stdio";
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct rvvm_machine *machine = rvvm_machine_new(&config, &error);
    if (!machine || !(card.function = rvvm_machine_add_pci(machine, &how, &error)) ||
        !rvvm_machine_run(machine, &status, &error))
        fprintf(stderr, "%s\n", error.text);
    rvvm_machine_free(machine);
    return status;
}
