/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A device of one's own: lamps and a switch on the pins of a GPIO block, that Linux drives as "sifive,gpio0"
 * (registers: SiFive FU540-C000 manual, GPIO). In the guest, N being the base in the name of the chip:
 *
 *     cd /sys/class/gpio; echo N >export; echo high >gpioN/direction
 *
 * and the program says `lamp 0 is on`. The switch, the last pin, is closed at all times.
 */
#include <pthread.h>
#include <rvvm/rvvm.h>
#include <stdio.h>

enum { INPUT = 0x00, OUTPUT_ENABLE = 0x08, OUTPUT = 0x0c, SIZE = 0x1000 };
enum { PINS = 4, SWITCH = 1u << (PINS - 1) };

struct lamps {
    pthread_mutex_t lock; /* harts come in at any time */
    uint32_t registers[SIZE / 4];
    uint32_t lit;
};

static uint64_t lamps_read(void *state, uint64_t offset, unsigned size)
{
    struct lamps *l = state;
    (void)size;
    pthread_mutex_lock(&l->lock);
    uint32_t value = offset == INPUT ? l->lit | SWITCH : l->registers[offset / 4];
    pthread_mutex_unlock(&l->lock);
    return value;
}

static void lamps_write(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    struct lamps *l = state;
    (void)size;
    pthread_mutex_lock(&l->lock);
    l->registers[offset / 4] = (uint32_t)value;
    uint32_t lit = l->registers[OUTPUT / 4] & l->registers[OUTPUT_ENABLE / 4] & (SWITCH - 1);
    for (unsigned i = 0; i < PINS; i++)
        if ((lit ^ l->lit) & 1u << i)
            printf("lamp %u is %s\n", i, lit & 1u << i ? "on" : "off");
    l->lit = lit;
    pthread_mutex_unlock(&l->lock);
}

static void lamps_reset(void *state)
{
    struct lamps *l = state;
    for (unsigned i = 0; i < SIZE / 4; i++)
        l->registers[i] = 0;
    l->lit = 0;
}

static void lamps_describe(void *state, struct rvvm_fdt *fdt)
{
    const uint32_t two = 2;
    (void)state;
    rvvm_fdt_bytes(fdt, "gpio-controller", NULL, 0);
    rvvm_fdt_cells(fdt, "#gpio-cells", &two, 1);
    rvvm_fdt_bytes(fdt, "interrupt-controller", NULL, 0);
    rvvm_fdt_cells(fdt, "#interrupt-cells", &two, 1);
}

int main(int argc, char **argv)
{
    struct lamps lamps = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const struct rvvm_mmio how = {
        .struct_size = sizeof(how),
        .name = "gpio",
        .compatible = "sifive,gpio0",
        .size = SIZE,
        .irqs = PINS,
        .access_min = 4,
        .access_max = 4,
        .state = &lamps,
        .read = lamps_read,
        .write = lamps_write,
        .reset = lamps_reset,
        .describe = lamps_describe,
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
    if (!machine || !rvvm_machine_add_mmio(machine, &how, &error) ||
        !rvvm_machine_run(machine, &status, &error))
        fprintf(stderr, "%s\n", error.text);
    rvvm_machine_free(machine);
    return status;
}
