/* SPDX-License-Identifier: MPL-2.0 */
/*
 * SiFive's test finisher, which Linux and OpenSBI drive as a syscon: a write of one of three values
 * to its only register ends the machine, fails it with a code, or restarts it.
 */
#include "dev/syscon.h"

#include "machine/fdt.h"
#include <stdlib.h>

enum {
    FINISH_FAIL = 0x3333, /* exit status in the upper 16 bits */
    FINISH_PASS = 0x5555,
    FINISH_RESET = 0x7777,
};

struct syscon {
    struct device device;
    struct machine_requests requests;
};

static uint64_t syscon_read(void *state, uint64_t offset, unsigned size)
{
    (void)state, (void)offset, (void)size;
    return 0;
}

static void syscon_write(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    (void)size;
    struct syscon *s = state;
    if (offset != 0)
        return;
    int code = value >> 16 & 0xffff;
    switch (value & 0xffff) {
    case FINISH_FAIL:
        s->requests.request(s->requests.ctx, MACHINE_POWEROFF, code ? code : 1);
        break;
    case FINISH_PASS:
        s->requests.request(s->requests.ctx, MACHINE_POWEROFF, 0);
        break;
    case FINISH_RESET:
        s->requests.request(s->requests.ctx, MACHINE_RESET, 0);
        break;
    }
}

static void describe_user(struct fdt *fdt, const char *node, const char *compatible, uint32_t value)
{
    dt_begin_node(fdt, "/%s", node);
    dt_prop_string(fdt, "compatible", compatible);
    dt_prop_u32(fdt, "regmap", DT_SYSCON);
    dt_prop_u32(fdt, "offset", 0);
    dt_prop_u32(fdt, "value", value);
    dt_end_node(fdt);
}

static bool syscon_describe(void *state, struct fdt *fdt, struct error *err)
{
    (void)err;
    struct syscon *s = state;
    dt_begin_node(fdt, "test@%llx", (unsigned long long)s->device.base);
    dt_prop_phandle(fdt, DT_SYSCON);
    dt_prop_strings(fdt, "compatible", "sifive,test1", "sifive,test0", "syscon", NULL);
    dt_prop_reg(fdt, s->device.base, s->device.size);
    dt_end_node(fdt);
    describe_user(fdt, "poweroff", "syscon-poweroff", FINISH_PASS);
    describe_user(fdt, "reboot", "syscon-reboot", FINISH_RESET);
    return true;
}

static void syscon_remove(void *state)
{
    free(state);
}

static const struct device_ops syscon_ops = {
    .name = "syscon",
    .access_min = 2,
    .access_max = 4,
    .read = syscon_read,
    .write = syscon_write,
    .describe = syscon_describe,
    .remove = syscon_remove,
};

struct device *syscon_new(struct machine_requests requests, struct error *err)
{
    struct syscon *s = calloc(1, sizeof(*s));
    if (!s) {
        error_set(err, "syscon: out of memory");
        return NULL;
    }
    s->requests = requests;
    s->device = (struct device){.ops = &syscon_ops, .state = s, .size = SYSCON_SIZE};
    return &s->device;
}
