/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The public interface (rvvm/rvvm.h): a machine with its log, event loop and serial line put together,
 * and taken apart in the opposite order.
 */
#include <rvvm/rvvm.h>

#include "api/machine.h"
#include "block/disk.h"
#include "cpu/code.h"
#include "api/debugger.h"
#include "dev/cfi_flash.h"
#include "dev/virtio/virtio_button.h"
#include "dev/virtio/virtio_rng.h"
#include "jit/jit.h"
#include "machine/board.h"
#include "net/calls.h"
#include "net/net.h"
#include "ui/serial.h"
#include "ui/serial_calls.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sv32 reaches 16 GiB, of which main memory may have what is above its base. */
#define RV32_MEMORY_MAX ((UINT64_C(1) << 34) - MACHINE_RAM_BASE)

_Static_assert((int)RVVM_LOG_ERROR == LOG_ERROR && (int)RVVM_LOG_WARN == LOG_WARN &&
                   (int)RVVM_LOG_INFO == LOG_INFO && (int)RVVM_LOG_GUEST == LOG_GUEST &&
                   (int)RVVM_LOG_DEBUG == LOG_DEBUG,
               "log levels are passed on as they are");
_Static_assert(sizeof(((struct rvvm_error *)0)->text) == sizeof(((struct error *)0)->text),
               "no message is cut on the way out");

_Static_assert((int)RVVM_AIA_NONE == BOARD_PLIC && (int)RVVM_AIA_APLIC == BOARD_APLIC &&
                   (int)RVVM_AIA_APLIC_IMSIC == BOARD_APLIC_IMSIC,
               "interrupt controllers are passed on as they are");

static void pass_log(void *ctx, enum log_level level, const char *line)
{
    struct rvvm_machine *rv = ctx;
    rv->log_fn(rv->log_ctx, (enum rvvm_log_level)level, line);
}

bool api_fail(struct rvvm_error *error, const struct error *err)
{
    if (error)
        memcpy(error->text, err->text, sizeof(error->text));
    return false;
}

bool api_take(void *to, size_t size, const void *from, const char *name, struct error *err)
{
    size_t given;
    memcpy(&given, from, sizeof(given));
    if (given > size || given <= sizeof(given))
        return error_set(err, "%s: struct_size %zu: this library knows %zu", name, given, size);
    memset(to, 0, size);
    memcpy(to, from, given);
    return true;
}

enum jit_tiers api_tiers(enum rvvm_jit jit)
{
    switch (jit) {
    case RVVM_JIT_TIER1:
        return JIT_TIER_ONE;
    case RVVM_JIT_TIER2:
        return JIT_TIER_EAGER;
    default:
        return JIT_TIERS;
    }
}

bool api_is_off(const struct rvvm_machine *rv, const char *what, struct error *err)
{
    return !machine_is_powered(rv->machine) ||
           error_set(err, "%s: cannot be changed while the machine runs", what);
}

void rvvm_config_init(struct rvvm_config *config)
{
    *config = (struct rvvm_config){
        .struct_size = sizeof(*config),
        .memory = UINT64_C(256) << 20,
        .harts = 1,
        .xlen = 64,
        .serial = "null",
        .log_level = RVVM_LOG_WARN,
    };
}

/* A program that was built against an older header has a shorter struct: the rest is as init says. */
static bool take_config(struct rvvm_config *config, const struct rvvm_config *from,
                        struct error *err)
{
    rvvm_config_init(config);
    if (from->struct_size > sizeof(*config) || from->struct_size <= sizeof(from->struct_size))
        return error_set(err,
                         "struct rvvm_config of %zu bytes: this library knows %zu "
                         "(rvvm_config_init was not called, or it is of a newer librvvm)",
                         from->struct_size, sizeof(*config));
    memcpy(config, from, from->struct_size);
    return true;
}

static bool check_memory(const struct rvvm_config *config, const struct isa *isa, struct error *err)
{
    const uint64_t host = memory_host_total(), size = config->memory;
    if (size < MACHINE_RAM_MIN)
        return error_set(err, "%" PRIu64 " bytes of main memory: at least 1 MiB", size);
    if (isa->xlen == 32 && size > RV32_MEMORY_MAX)
        return error_set(
            err, "%" PRIu64 " MiB of main memory: a 32-bit processor reaches %" PRIu64 " MiB",
            size >> 20, (uint64_t)RV32_MEMORY_MAX >> 20);
    if (host && size > host)
        return error_set(
            err, "%" PRIu64 " MiB of main memory: this host has %" PRIu64 " MiB, swap included",
            size >> 20, host >> 20);
    return true;
}

static bool make_isa(struct isa *isa, const struct rvvm_config *config, struct error *err)
{
    if (config->xlen != 32 && config->xlen != 64)
        return error_set(err, "a processor of %u bits: 32 or 64", config->xlen);
    if (config->aia > RVVM_AIA_APLIC_IMSIC)
        return error_set(err, "there are no interrupt controllers %u", (unsigned)config->aia);
    isa_default(isa, config->xlen);
    if (config->cpu && !isa_parse(isa, config->cpu, err))
        return false;
    if (config->aia == RVVM_AIA_APLIC_IMSIC)
        isa->ext |= UINT64_C(1) << EXT_SMAIA | UINT64_C(1) << EXT_SSAIA;
    return true;
}

static void serial_quit(void *ctx)
{
    rvvm_machine_quit(ctx);
}

static struct chardev *open_line(struct rvvm_machine *rv, const char *where, const char *name,
                                 struct error *err)
{
    struct serial_config config = {
        .loop = rv->loop,
        .log = &rv->log,
        .name = name,
        .quit = serial_quit,
        .quit_ctx = rv,
    };
    return chardev_open(where ? where : "null", &config, err);
}

/* The process has one standard input. */
static bool check_lines(const struct rvvm_config *config, struct error *err)
{
    bool taken = config->serial && !strcmp(config->serial, "stdio");
    if (config->console_count > VIRTIO_CONSOLE_PORTS_MAX)
        return error_set(err, "%u virtio consoles: at most %u", config->console_count,
                         VIRTIO_CONSOLE_PORTS_MAX);
    for (unsigned i = 0; i < config->console_count; i++) {
        const struct rvvm_console *c = &config->consoles[i];
        bool stdio = c->where && !strcmp(c->where, "stdio");
        if (taken && stdio)
            return error_set(err, "virtio console %u: stdio is taken already", i);
        if (c->name && (!*c->name || strlen(c->name) > VIRTIO_CONSOLE_NAME_MAX))
            return error_set(err, "virtio console %u: a name has 1 to %u bytes", i,
                             VIRTIO_CONSOLE_NAME_MAX);
        taken |= stdio;
    }
    return true;
}

static struct chardev *open_serial(struct rvvm_machine *rv, const struct rvvm_config *config,
                                   struct error *err)
{
    const struct rvvm_terminal *terminal = config->terminal;
    if (!terminal)
        return open_line(rv, config->serial, NULL, err);
    struct serial_calls_config calls = {rv->loop, terminal->output, terminal->ctx};
    rv->terminal = serial_calls_open(&calls, err);
    return rv->terminal;
}

static bool open_lines(struct rvvm_machine *rv, const struct rvvm_config *config, struct error *err)
{
    if (!check_lines(config, err))
        return false;
    rv->serial = debugger_tap(rv, config, open_serial(rv, config, err), err);
    for (unsigned i = 0; rv->serial && i < config->console_count; i++) {
        struct console *c = &rv->consoles[i];
        snprintf(c->name, sizeof(c->name), "virtio console %u", i);
        c->chardev = open_line(rv, config->consoles[i].where, c->name, err);
        if (!c->chardev)
            return error_prefix(err, "%s", c->name);
        rv->console_count++;
    }
    return rv->serial;
}

static bool add_virtio(struct rvvm_machine *rv, const struct rvvm_config *config, struct error *err)
{
    struct virtio_console_port ports[VIRTIO_CONSOLE_PORTS_MAX];
    for (unsigned i = 0; i < rv->console_count; i++)
        ports[i] = (struct virtio_console_port){rv->consoles[i].chardev, config->consoles[i].name};
    struct virtio_console_config consoles = {
        .loop = rv->loop, .ports = ports, .port_count = rv->console_count};
    struct virtio_rng_config entropy = {.loop = rv->loop};
    struct pci_bus *bus = rv->machine->pci;
    return (!rv->console_count || pci_plug(bus, virtio_console_new(&consoles, err), err)) &&
           (!config->entropy || pci_plug(bus, virtio_rng_new(&entropy, err), err));
}

static bool has_flash(const struct rvvm_config *config)
{
    return config->flash[0].file || config->flash[1].file;
}

static bool add_flash(struct rvvm_machine *rv, const struct rvvm_config *config, struct error *err)
{
    struct disk *images[2] = {NULL, NULL};
    if (!has_flash(config))
        return true;
    for (unsigned i = 0; i < 2; i++) {
        const struct rvvm_flash *flash = &config->flash[i];
        struct disk_options options = {.path = flash->file,
                                       .read_only = flash->read_only,
                                       .overlay = flash->overlay,
                                       .log = &rv->log};
        if (flash->file && !(images[i] = disk_open(&options, err))) {
            disk_close(images[0]);
            return false;
        }
    }
    return board_add_flash(rv->machine, images, err);
}

static bool press_power(void *ctx, struct error *err)
{
    return virtio_button_press(ctx, err);
}

static bool add_button(struct rvvm_machine *rv, const struct rvvm_config *config, struct error *err)
{
    const struct virtio_button_config how = {.features_off = 0};
    struct virtio_button *button;
    if (!config->power_button)
        return true;
    if (!pci_plug(rv->machine->pci, virtio_button_new(&button, &how, err), err))
        return false;
    rv->machine->button = (struct machine_button){press_power, button};
    return true;
}

static struct boot_source source(const char *path, const struct rvvm_bytes *bytes)
{
    return (struct boot_source){path, {bytes->bytes, bytes->size}};
}

/* What can fail for the user's input goes first: the serial line may listen and make files. */
static bool make_parts(struct rvvm_machine *rv, const struct rvvm_config *config, struct error *err)
{
    struct machine_config machine = {
        .ram_size = config->memory,
        .rom_base = CFI_FLASH_BASE,
        .rom_size = has_flash(config) ? CFI_FLASH_BANKS * CFI_FLASH_BANK_SIZE : 0,
        .harts = config->harts,
        .no_reboot = config->no_reboot,
        .interpret = config->jit == RVVM_JIT_OFF,
        .check = config->jit == RVVM_JIT_CHECK,
        .tiers = api_tiers(config->jit),
        .code_cache = config->code_cache,
        .dump = config->dump_line ? config->dump : 0,
        .dump_line = config->dump_line,
        .dump_ctx = config->log_ctx,
        .log = &rv->log,
    };
    struct boot_sources sources = {
        .firmware = source(config->firmware, &config->firmware_bytes),
        .kernel = source(config->kernel, &config->kernel_bytes),
        .initrd = source(config->initrd, &config->initrd_bytes),
        .dtb = source(config->dtb, &config->dtb_bytes),
        .append = config->append,
    };
    if (!make_isa(&machine.isa, config, err) || !check_memory(config, &machine.isa, err))
        return false;
    rv->machine = machine_new(&machine, err);
    if (!rv->machine)
        return false;
    if (!boot_files_read(&rv->machine->files, &sources, &machine.isa, config->memory, err))
        return false;
    rv->irqs_used = BOARD_IRQS;
    rv->loop = event_loop_new(err);
    if (!rv->loop || !open_lines(rv, config, err))
        return false;
    struct board_config board = {
        .aia = (enum board_aia)config->aia, .loop = rv->loop, .serial = rv->serial};
    return board_build(rv->machine, &board, err) && add_flash(rv, config, err) &&
           drives_plug_all(rv, config, err) && add_virtio(rv, config, err) &&
           networks_plug(&rv->networks, rv->machine->pci, config, &rv->log, err) &&
           add_button(rv, config, err) &&
           (!has_flash(config) || board_add_boot_order(rv->machine, err));
}

/* Threads are started in between, and files opened; so all of it knows whom it belongs to. */
static bool make_isolated(struct rvvm_machine *rv, const struct rvvm_config *config,
                          struct error *err)
{
    rv->isolate_caller = config->isolation == RVVM_ISOLATION_PROCESS;
    if (config->isolation == RVVM_ISOLATION_NONE)
        return make_parts(rv, config, err) && debugger_open(rv, config, err);
    if (config->isolation > RVVM_ISOLATION_PROCESS)
        return error_set(err, "there is no isolation %u", (unsigned)config->isolation);
    rv->isolation = isolation_new(&rv->log, rv->isolate_caller, err);
    if (!rv->isolation)
        return false;
    struct isolation *outer = isolation_enter(rv->isolation);
    bool ok = make_parts(rv, config, err) && debugger_open(rv, config, err);
    isolation_enter(outer);
    return ok;
}

struct rvvm_machine *rvvm_machine_new(const struct rvvm_config *config, struct rvvm_error *error)
{
    struct rvvm_machine *rv = calloc(1, sizeof(*rv));
    struct rvvm_config taken;
    struct error err = {0};
    if (!rv)
        error_set(&err, "out of memory");
    if (rv)
        networks_init(&rv->networks);
    if (rv && take_config(&taken, config, &err)) {
        rv->log_fn = taken.log;
        rv->log_ctx = taken.log_ctx;
        rv->log.sink = taken.log ? pass_log : NULL;
        rv->log.ctx = rv;
        rv->log.level = (enum log_level)taken.log_level;
        if (make_isolated(rv, &taken, &err))
            return rv;
    }
    rvvm_machine_free(rv);
    api_fail(error, &err);
    return NULL;
}

void rvvm_machine_free(struct rvvm_machine *rv)
{
    if (!rv)
        return;
    debugger_close(rv);
    machine_free(rv->machine);
    networks_close(&rv->networks);
    chardev_free(rv->serial);
    for (unsigned i = 0; i < rv->console_count; i++)
        chardev_free(rv->consoles[i].chardev);
    if (rv->loop)
        event_loop_free(rv->loop);
    isolation_free(rv->isolation);
    free(rv);
}

static bool start_loop(struct rvvm_machine *rv, struct error *err)
{
    if (!rv->isolation)
        return event_loop_start(rv->loop, err);
    struct isolation *outer = isolation_enter(rv->isolation);
    bool ok = event_loop_start(rv->loop, err);
    isolation_enter(outer);
    return ok;
}

/* The caller gives up more than the loop, so its thread was started before. */
static bool run_isolated(struct rvvm_machine *rv, int *status, struct error *err)
{
    if (!rv->isolation)
        return machine_run(rv->machine, status, err);
    struct isolation *outer = isolation_enter(rv->isolation);
    isolation_watch(rv->isolation, rv->loop);
    if (rv->isolate_caller)
        isolation_apply(THREAD_CALLER);
    rv->isolate_caller = false;
    bool ok = machine_run(rv->machine, status, err);
    isolation_watch(rv->isolation, NULL);
    isolation_enter(outer);
    return ok;
}

bool rvvm_machine_run(struct rvvm_machine *rv, int *status, struct rvvm_error *error)
{
    struct error err = {0};
    const struct boot_files *files = &rv->machine->files;
    bool ok = files->firmware.path || files->kernel.path || rv->machine->flash_entry ||
              error_set(&err, "nothing to run: no firmware and no kernel");
    ok = ok && start_loop(rv, &err);
    if (ok) {
        ok = run_isolated(rv, status, &err);
        if (rv->gdb)
            gdb_machine_ended(rv->gdb, ok ? *status : 1);
        chardev_drain(rv->serial);
        for (unsigned i = 0; i < rv->console_count; i++)
            chardev_drain(rv->consoles[i].chardev);
        event_loop_stop(rv->loop);
    }
    if (!ok)
        api_fail(error, &err);
    return ok;
}

void rvvm_machine_quit(struct rvvm_machine *rv)
{
    machine_request(rv->machine, MACHINE_POWEROFF, 0);
}

size_t rvvm_machine_input(struct rvvm_machine *rv, const void *bytes, size_t size)
{
    return rv->terminal ? serial_calls_input(rv->terminal, bytes, size) : 0;
}

bool rvvm_machine_deliver(struct rvvm_machine *rv, unsigned network, const void *frame, size_t size)
{
    struct net_calls *wire = network < rv->networks.count ? rv->networks.wires[network] : NULL;
    return wire && net_calls_deliver(wire, frame, size);
}

bool rvvm_machine_set_link(struct rvvm_machine *rv, unsigned network, bool up)
{
    struct net *net = network < rv->networks.count ? rv->networks.nets[network] : NULL;
    if (net)
        net_set_link(net, up);
    return net;
}

bool rvvm_machine_forward(struct rvvm_machine *rv, const char *forward, bool add,
                          struct rvvm_error *error)
{
    struct error err = {0};
    bool ok = networks_forward(&rv->networks, forward, add, &err);
    if (!ok)
        api_fail(error, &err);
    return ok;
}

bool rvvm_machine_press_power(struct rvvm_machine *rv, struct rvvm_error *error)
{
    struct error err = {0};
    bool ok = machine_press_power(rv->machine, &err);
    if (!ok)
        api_fail(error, &err);
    return ok;
}

bool rvvm_machine_device_tree(struct rvvm_machine *rv, void **blob, size_t *size,
                              struct rvvm_error *error)
{
    struct error err = {0};
    struct boot_state *boot = &rv->machine->boot;
    if (!boot_prepare(rv->machine, &err)) {
        api_fail(error, &err);
        return false;
    }
    *blob = boot->dtb;
    *size = boot->dtb_size;
    boot->dtb = NULL;
    return true;
}

static void add_translator(struct rvvm_stats *stats, const struct jit *translator)
{
    struct jit_stats jit;
    jit_stats(translator, &jit);
    stats->translated_blocks = jit.blocks;
    stats->translated_insns = jit.guest_insns;
    stats->translated_bytes = jit.host_bytes;
    stats->translation_ns = jit.translate_ns;
    stats->dropped_blocks = jit.dropped;
    stats->evicted_blocks = jit.evicted;
    stats->chained_jumps = jit.chains;
    stats->lookups = jit.lookups;
    stats->interpreted = jit.interpreted;
    stats->checked_blocks = jit.checked;
    stats->regions = jit.regions;
    stats->region_insns = jit.region_insns;
    stats->region_ns = jit.region_ns;
}

void rvvm_machine_stats(const struct rvvm_machine *rv, struct rvvm_stats *stats, size_t size)
{
    const struct machine *m = rv->machine;
    struct rvvm_stats all = {.instructions = m->retired};
    for (unsigned i = 0; i < m->hart_count; i++) {
        const struct hart *h = m->harts[i].hart;
        all.instructions += h->instret;
        all.blocks += h->code->blocks;
        all.cache_resets += h->code->resets;
    }
    if (m->jit)
        add_translator(&all, m->jit);
    memset(stats, 0, size);
    memcpy(stats, &all, size < sizeof(all) ? size : sizeof(all));
}
