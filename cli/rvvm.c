/* SPDX-License-Identifier: GPL-3.0-only */
/* rvvm: runs a RISC-V machine. rvvm(1) is its manual. */
#include "completion.h"
#include "ctl.h"
#include "firmware.h"
#include "img.h"
#include "options.h"

#include "debug/server.h"
#include "dev/drive.h"
#include "dev/net_card.h"
#include "host/arguments.h"
#include "host/clock.h"
#include "host/file.h"
#include "host/perf_map.h"
#include "host/terminal.h"
#include "isa/isa.h"
#include "net/forward.h"
#include "ui/serial.h"
#include <inttypes.h>
#include <pthread.h>
#include <rvvm/rvvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_BAD_INPUT = 1, EXIT_USAGE = 2 };

#define DRIVES_MAX 64
#define CONSOLES_MAX 31
#define NETWORKS_MAX 16
#define FORWARDS_MAX 256

struct cli {
    struct rvvm_config config;
    const char *dump_dtb;
    const char *completion; /* the shell that wants a script */
    unsigned verbose;
    bool rv32, rv64, help, version, stats;
    bool no_window, no_network, no_isolation;
    bool slots_said;
    struct firmware_choice firmware; /* by name */
    unsigned flash_banks;            /* that -pflash has given */
    struct rvvm_drive drives[DRIVES_MAX];
    struct rvvm_console consoles[CONSOLES_MAX];
    struct rvvm_network networks[NETWORKS_MAX];
    const char *forwards[FORWARDS_MAX];
};

static void say(const char *line)
{
    /* In raw mode a newline alone leaves the cursor where it is. */
    fprintf(stderr, "rvvm: %s%s\n", line, terminal_is_raw() ? "\r" : "");
}

static void log_to_stderr(void *ctx, enum rvvm_log_level level, const char *line)
{
    (void)ctx, (void)level;
    say(line);
}

/* -d perf: where perf looks for the names of code that no file has. */
static FILE *perf_map;

static void add_to_perf_map(const char *line)
{
    if (perf_map) {
        fprintf(perf_map, "%s\n", line);
        fflush(perf_map);
    }
}

static void dump(void *ctx, unsigned kind, const char *line)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    (void)ctx;
    pthread_mutex_lock(&lock);
    if (kind == RVVM_DUMP_PERF)
        add_to_perf_map(line);
    else
        fprintf(stderr, "%s\n", line);
    pthread_mutex_unlock(&lock);
}

/* Options of their own */

static bool set_verbose(void *ctx, const struct option *o, const char *value, struct error *err)
{
    (void)o, (void)value, (void)err;
    ((struct cli *)ctx)->verbose++;
    return true;
}

static bool set_debug(void *ctx, const struct option *o, const char *value, struct error *err)
{
    static const struct {
        const char *name;
        unsigned dump; /* 0: stats */
    } words[] = {{"stats", 0},
                 {"in", RVVM_DUMP_IN},
                 {"ir", RVVM_DUMP_IR},
                 {"out", RVVM_DUMP_OUT},
                 {"perf", RVVM_DUMP_PERF}};
    struct cli *cli = ctx;
    while (*value) {
        size_t length = strcspn(value, ","), n = 0;
        while (n < 5 && (strlen(words[n].name) != length || memcmp(words[n].name, value, length)))
            n++;
        if (n == 5)
            return error_set(err, "-%s %s: there are: stats, in, ir, out, perf", o->name, value);
        cli->stats |= !words[n].dump;
        cli->config.dump |= words[n].dump;
        value += length + (value[length] == ',');
    }
    return true;
}

static bool set_jit(void *ctx, const struct option *o, const char *value, struct error *err)
{
    struct cli *cli = ctx;
    if (!strcmp(value, "on"))
        cli->config.jit = RVVM_JIT_ON;
    else if (!strcmp(value, "off"))
        cli->config.jit = RVVM_JIT_OFF;
    else if (!strcmp(value, "check"))
        cli->config.jit = RVVM_JIT_CHECK;
    else if (!strcmp(value, "tier1"))
        cli->config.jit = RVVM_JIT_TIER1;
    else if (!strcmp(value, "tier2"))
        cli->config.jit = RVVM_JIT_TIER2;
    else
        return error_set(err, "-%s %s: there are: on, off, check, tier1, tier2", o->name, value);
    return true;
}

static bool set_bios(void *ctx, const struct option *o, const char *value, struct error *err)
{
    struct cli *cli = ctx;
    if (!*value)
        return error_set(err, "-%s: needs a name or a file", o->name);
    if (firmware_is_name(&cli->firmware, value))
        return true;
    if (cli->config.firmware)
        return error_set(err, "-%s %s: there is a firmware already (%s)", o->name, value,
                         cli->config.firmware);
    cli->config.firmware = value;
    return true;
}

/* FILE, with ",ro" or ",snapshot" behind it. The words stay the command line's. */
static bool set_pflash(void *ctx, const struct option *o, const char *value, struct error *err)
{
    struct cli *cli = ctx;
    if (cli->flash_banks == 2)
        return error_set(err, "-%s %s: there are two banks of flash", o->name, value);
    struct rvvm_flash *flash = &cli->config.flash[cli->flash_banks++];
    char *suffix = strrchr(value, ',');
    if (suffix && (!strcmp(suffix, ",ro") || !strcmp(suffix, ",snapshot"))) {
        flash->read_only = !strcmp(suffix, ",ro");
        flash->overlay = !flash->read_only;
        *suffix = '\0';
    }
    if (!*value)
        return error_set(err, "-%s: needs the name of an image", o->name);
    flash->file = value;
    return true;
}

static bool set_aia(void *ctx, const struct option *o, const char *value, struct error *err)
{
    static const char *const words[] = {
        [RVVM_AIA_NONE] = "none",
        [RVVM_AIA_APLIC] = "aplic",
        [RVVM_AIA_APLIC_IMSIC] = "aplic-imsic",
    };
    struct cli *cli = ctx;
    for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
        if (!strcmp(value, words[i])) {
            cli->config.aia = (enum rvvm_aia)i;
            return true;
        }
    }
    return error_set(err, "-%s %s: there are: none, aplic, aplic-imsic", o->name, value);
}

static void not_there(const struct option *o, const char *what)
{
    fprintf(stderr, "rvvm: -%s: this version has no %s; ignored\n", o->name, what);
}

/* What is no word of it is wrong usage; the machine would call it bad input. */
static bool add_drive(struct cli *cli, const struct option *o, const char *value,
                      enum rvvm_drive_kind kind, struct error *err)
{
    struct drive drive;
    struct rvvm_config *config = &cli->config;
    if (config->drive_count == DRIVES_MAX)
        return error_set(err, "-%s %s: there are %u drives already", o->name, value, DRIVES_MAX);
    if (!drive_parse(&drive, (enum drive_kind)kind, value, err))
        return error_prefix(err, "-%s", o->name);
    drive_free(&drive);
    cli->drives[config->drive_count++] = (struct rvvm_drive){.kind = kind, .image = value};
    config->drives = cli->drives;
    return true;
}

static bool set_nvme(void *ctx, const struct option *o, const char *value, struct error *err)
{
    return add_drive(ctx, o, value, RVVM_DRIVE_NVME, err);
}

static bool set_nvme_namespace(void *ctx, const struct option *o, const char *value,
                               struct error *err)
{
    struct cli *cli = ctx;
    for (unsigned i = 0; i < cli->config.drive_count; i++)
        if (cli->drives[i].kind == RVVM_DRIVE_NVME)
            return add_drive(cli, o, value, RVVM_DRIVE_NVME_NAMESPACE, err);
    return error_set(err, "-%s %s: needs an NVMe drive before it", o->name, value);
}

static bool set_virtio_blk(void *ctx, const struct option *o, const char *value, struct error *err)
{
    return add_drive(ctx, o, value, RVVM_DRIVE_VIRTIO_BLK, err);
}

static bool set_ata(void *ctx, const struct option *o, const char *value, struct error *err)
{
    return add_drive(ctx, o, value, RVVM_DRIVE_ATA, err);
}

/* WHERE, with ",name=NAME" behind it for a port that is no console. The words stay the command line's. */
static bool set_console(void *ctx, const struct option *o, const char *value, struct error *err)
{
    struct cli *cli = ctx;
    struct rvvm_config *config = &cli->config;
    if (config->console_count == CONSOLES_MAX)
        return error_set(err, "-%s %s: there are %u already", o->name, value, CONSOLES_MAX);
    struct rvvm_console *console = &cli->consoles[config->console_count++];
    config->consoles = cli->consoles;
    char *name = strstr(value, ",name=");
    console->where = value;
    if (name) {
        console->name = name + strlen(",name=");
        if (!*console->name || strlen(console->name) > 63)
            return error_set(err, "-%s %s: a name has 1 to 63 bytes", o->name, value);
        *name = '\0';
    }
    return chardev_check(value, err) || error_prefix(err, "-%s", o->name);
}

static bool set_resolution(void *ctx, const struct option *o, const char *value, struct error *err)
{
    (void)ctx;
    unsigned width, height;
    char rest;
    if (sscanf(value, "%5ux%5u%c", &width, &height, &rest) != 2 || !width || !height)
        return error_set(err, "-%s %s: not a size in pixels (1280x720)", o->name, value);
    not_there(o, "screen");
    return true;
}

static bool set_network(void *ctx, const struct option *o, const char *value, struct error *err)
{
    struct cli *cli = ctx;
    struct net_card_choice choice;
    if (cli->config.network_count == NETWORKS_MAX)
        return error_set(err, "-%s %s: there are %u networks already", o->name, value,
                         NETWORKS_MAX);
    if (!net_card_parse(&choice, value, err))
        return error_prefix(err, "-%s %s", o->name, value);
    bool ok = net_check(choice.network, err) || error_prefix(err, "-%s %s", o->name, value);
    net_card_free(&choice);
    cli->networks[cli->config.network_count++].text = value;
    cli->config.networks = cli->networks;
    return ok;
}

static bool set_forward(void *ctx, const struct option *o, const char *value, struct error *err)
{
    struct cli *cli = ctx;
    struct net_forward forward;
    if (cli->config.forward_count == FORWARDS_MAX)
        return error_set(err, "-%s %s: there are %u already", o->name, value, FORWARDS_MAX);
    if (!net_forward_parse(&forward, value, err))
        return error_prefix(err, "-%s", o->name);
    cli->forwards[cli->config.forward_count++] = value;
    cli->config.forwards = cli->forwards;
    return true;
}

static bool set_gdb(void *ctx, const struct option *o, const char *value, struct error *err)
{
    ((struct cli *)ctx)->config.gdb = value;
    return server_check(value, true, err) || error_prefix(err, "-%s", o->name);
}

static bool set_control(void *ctx, const struct option *o, const char *value, struct error *err)
{
    ((struct cli *)ctx)->config.control = value;
    return server_check(value, false, err) || error_prefix(err, "-%s", o->name);
}

/* A machine that programs drive has what they press, and room for what they bring. */
#define SLOTS_MAX 32
#define SLOTS_OF_CONTROL 4

static bool set_slots(void *ctx, const struct option *o, const char *value, struct error *err)
{
    struct cli *cli = ctx;
    char *end;
    unsigned long count = strtoul(value, &end, 10);
    if (end == value || *end || *value == '-' || count > SLOTS_MAX)
        return error_set(err, "-%s %s: there can be 0 to %d slots", o->name, value, SLOTS_MAX);
    cli->config.drive_slots = (unsigned)count;
    cli->slots_said = true;
    return true;
}

#define AT(member) offsetof(struct cli, member)

static const struct option options[] = {
    {"kernel", "FILE", "kernel: Image (also gzip, zstd, EFI zboot), ELF or raw", option_set_string,
     AT(config.kernel), false},
    {"bios", "NAME|FILE", "firmware: opensbi, u-boot, edk2[=VARS] or a file", set_bios, 0, true},
    {"pflash", "FILE[,ro]", "flash: twice for both banks; a program in the first runs", set_pflash,
     0, true},
    {"initrd", "FILE", "initial ramdisk for the kernel", option_set_string, AT(config.initrd),
     false},
    {"append", "TEXT", "kernel command line", option_set_string, AT(config.append), false},
    {"dtb", "FILE", "device tree blob in place of the machine's own", option_set_string,
     AT(config.dtb), false},
    {"dumpdtb", "FILE", "write the device tree blob and end", option_set_string, AT(dump_dtb),
     false},
    {"m", "SIZE", "main memory: 256M unless said, k M G T", option_set_size, AT(config.memory),
     false},
    {"smp", "N", "harts: 1 to 64, one unless said", option_set_number, AT(config.harts), false},
    {"cpu", "LIST", "processor, as in rv64,zfa=off,sv57=on", option_set_string, AT(config.cpu),
     false},
    {"aia", "KIND", "interrupt controllers: none (a PLIC, the default), aplic, aplic-imsic",
     set_aia, 0, false},
    {"rv32", NULL, "a 32-bit processor", option_set_true, AT(rv32), true},
    {"rv64", NULL, "a 64-bit processor (the default)", option_set_true, AT(rv64), true},
    {"i", "FILE[,WORD...]", "the same as -nvme", set_nvme, 0, true},
    {"image", "FILE", NULL, set_nvme, 0, true},
    {"nvme", "FILE[,WORD...]", "an NVMe drive: raw or qcow2; ro, snapshot, discard=off", set_nvme,
     0, true},
    {"nvme-ns", "FILE[,WORD...]", "one more namespace of the NVMe controller before it",
     set_nvme_namespace, 0, true},
    {"virtio-blk", "FILE[,WORD...]", "a virtio drive", set_virtio_blk, 0, true},
    {"ata", "FILE[,WORD...]", "an ATA drive on an AHCI controller", set_ata, 0, true},
    {"net", "CARD[,BACKEND]...", "a network: virtio, rtl8169, none; user, tap=NAME, ...",
     set_network, 0, true},
    {"nonet", NULL, "no network; one in user mode is there unless -net says otherwise",
     option_set_true, AT(no_network), true},
    {"portfwd", "[HOST:]PORT=PORT", "a port of the host leads into the guest", set_forward, 0,
     true},
    {"serial", "WHERE", "stdio, null, pty, file:F, unix:F, tcp:HOST:PORT", option_set_string,
     AT(config.serial), false},
    {"virtio-console", "WHERE", "a virtio console, hvc0 and so on; WHERE as for -serial",
     set_console, 0, true},
    {"virtio-rng", NULL, "a virtio entropy device", option_set_true, AT(config.entropy), true},
    {"nographic", NULL, "no window (there is none yet)", option_set_true, AT(no_window), true},
    {"nogui", NULL, NULL, option_set_true, AT(no_window), true},
    {"no-reboot", NULL, "end when the guest restarts", option_set_true, AT(config.no_reboot), true},
    {"jit", "on|off|check|tier1|tier2",
     "translate guest code (the default), interpret it, or compare both", set_jit, 0, false},
    {"jit-cache", "SIZE", "memory for translated code", option_set_size, AT(config.code_cache),
     false},
    {"gdb", "WHERE", "a debugger may attach: tcp:HOST:PORT, unix:F", set_gdb, 0, false},
    {"control", "unix:F", "programs may drive the machine (rvvm ctl F)", set_control, 0, false},
    {"hotplug", "N", "slots for drives that come and go; 4 with -control", set_slots, 0, false},
    {"S", NULL, "pause before the first instruction", option_set_true, AT(config.paused), true},
    {"noisolation", NULL, "what breaks out of the guest may do all that you may do",
     option_set_true, AT(no_isolation), true},
    {"d", "LIST", "stats: counters at the end; in, ir, out: translated code", set_debug, 0, true},
    {"v", NULL, "say more; twice: still more", set_verbose, 0, true},
    {"completion", "bash|zsh|fish", "print a script that completes options", option_set_string,
     AT(completion), false},
    {"h", NULL, "the options that are used most; -help all: all of them", option_set_true, AT(help),
     true},
    {"help", NULL, NULL, option_set_true, AT(help), true},
    {"version", NULL, "print the version", option_set_true, AT(version), true},
    {"res", "WxH", NULL, set_resolution, 0, false},
    {0},
};

static bool set_operand(void *ctx, const char *word, struct error *err)
{
    struct cli *cli = ctx;
    if (cli->config.firmware)
        return error_set(err, "%s: there is a firmware already (%s)", word, cli->config.firmware);
    cli->config.firmware = word;
    return true;
}

static void print_help(bool all)
{
    static const char *const used_most[] = {
        "kernel", "bios",    "initrd", "append",    "m",   "smp", "nvme",    "virtio-blk",
        "net",    "portfwd", "serial", "nographic", "gdb", "v",   "version", NULL};
    puts("rvvm [FIRMWARE] [OPTION...]: runs a RISC-V machine\n\n"
         "  FIRMWARE               image or ELF file that starts in M-mode; without it a\n"
         "                         kernel runs on the built-in SBI");
    options_print(options, all ? NULL : used_most);
    puts("\n`rvvm img` is for disk images, `rvvm ctl` drives a machine: both have -h. On the\n"
         "terminal Ctrl-A x leaves, Ctrl-A h helps. Exit status: the guest's; 1 bad input,\n"
         "2 bad usage. `rvvm -help all` lists all options, rvvm(1) says more.");
}

static bool names_firmware(const struct firmware_choice *choice)
{
    return choice->opensbi || choice->u_boot || choice->edk2;
}

/* One program for M-mode and one to follow it; where the files are is asked later. */
static bool check_firmware(const struct cli *cli, struct error *err)
{
    const struct firmware_choice *choice = &cli->firmware;
    if (choice->opensbi && cli->config.firmware)
        return error_set(err, "-bios opensbi: there is a firmware already (%s)",
                         cli->config.firmware);
    if (choice->u_boot + choice->edk2 + !!cli->config.kernel > 1)
        return error_set(err, "of -kernel, -bios u-boot and -bios edk2 only one can run");
    if (choice->edk2 && cli->flash_banks)
        return error_set(err, "-bios edk2 and -pflash want the same flash");
    return true;
}

/* Standard input and output are the serial port's, unless a console has asked for them. */
static bool choose_stdio(struct rvvm_config *config, struct error *err)
{
    unsigned users = config->serial && !strcmp(config->serial, "stdio");
    for (unsigned i = 0; i < config->console_count; i++)
        users += !strcmp(config->consoles[i].where, "stdio");
    if (users > 1)
        return error_set(err, "of -serial and -virtio-console only one can be stdio");
    if (!config->serial)
        config->serial = users ? "null" : "stdio";
    return chardev_check(config->serial, err);
}

/* One is there unless the user has said otherwise. */
static bool choose_network(struct cli *cli, struct error *err)
{
    struct rvvm_config *c = &cli->config;
    if (cli->no_network && c->network_count)
        return error_set(err, "-nonet and -net contradict each other");
    if (cli->no_network && c->forward_count)
        return error_set(err, "-nonet and -portfwd contradict each other");
    if (!cli->no_network && !c->network_count && net_has_user_mode()) {
        cli->networks[c->network_count++].text = "";
        c->networks = cli->networks;
    }
    return true;
}

static bool check(struct cli *cli, struct error *err)
{
    struct rvvm_config *c = &cli->config;
    if (cli->rv32 && cli->rv64)
        return error_set(err, "-rv32 and -rv64 contradict each other");
    if (cli->rv32)
        c->xlen = 32;
    if (c->cpu &&
        ((cli->rv32 && !strncmp(c->cpu, "rv64", 4)) || (cli->rv64 && !strncmp(c->cpu, "rv32", 4))))
        return error_set(err, "-cpu %s contradicts -rv%u", c->cpu, c->xlen);
    /* What is no word of these options is wrong usage; the machine would call it bad input. */
    struct isa isa;
    isa_default(&isa, c->xlen);
    if (c->cpu && !isa_parse(&isa, c->cpu, err))
        return false;
    c->xlen = isa.xlen;
    c->power_button = c->control;
    if (c->control && !cli->slots_said)
        c->drive_slots = SLOTS_OF_CONTROL;
    if (!choose_stdio(c, err) || !choose_network(cli, err) || !check_firmware(cli, err))
        return false;
    if (!c->firmware && !c->kernel && !c->flash[0].file && !names_firmware(&cli->firmware) &&
        !cli->dump_dtb)
        return error_set(err,
                         "nothing to run: name a firmware, or a kernel with -kernel (-h helps)");
    return true;
}

static int dump_device_tree(struct rvvm_machine *machine, const char *path)
{
    struct rvvm_error error;
    struct error failed = {0};
    void *blob;
    size_t size;
    if (!rvvm_machine_device_tree(machine, &blob, &size, &error)) {
        say(error.text);
        return EXIT_BAD_INPUT;
    }
    bool written = file_write(path, blob, size, &failed);
    free(blob);
    if (!written)
        say(failed.text);
    return written ? 0 : EXIT_BAD_INPUT;
}

static void print_stats(const struct rvvm_machine *machine, uint64_t ns)
{
    struct rvvm_stats stats;
    rvvm_machine_stats(machine, &stats, sizeof(stats));
    double seconds = (double)ns / 1e9;
    fprintf(stderr,
            "rvvm: %" PRIu64 " instructions in %.3f s, %.1f million a second; %" PRIu64
            " blocks made, code cache full %" PRIu64 " times\n",
            stats.instructions, seconds, (double)stats.instructions / 1e6 / seconds, stats.blocks,
            stats.cache_resets);
    if (!stats.translated_blocks)
        return;
    fprintf(stderr,
            "rvvm: translated %" PRIu64 " blocks, %" PRIu64 " instructions to %" PRIu64
            " bytes in %.3f s; %" PRIu64 " dropped, %" PRIu64 " evicted\n"
            "rvvm: %" PRIu64 " jumps chained, %" PRIu64 " lookups, %" PRIu64 " times interpreted\n",
            stats.translated_blocks, stats.translated_insns, stats.translated_bytes,
            (double)stats.translation_ns / 1e9, stats.dropped_blocks, stats.evicted_blocks,
            stats.chained_jumps, stats.lookups, stats.interpreted);
    if (stats.region_ns)
        fprintf(stderr, "rvvm: %" PRIu64 " loops as a whole, %" PRIu64 " instructions in %.3f s\n",
                stats.regions, stats.region_insns, (double)stats.region_ns / 1e9);
    if (stats.checked_blocks)
        fprintf(stderr, "rvvm: %" PRIu64 " blocks run both ways and compared\n",
                stats.checked_blocks);
}

static int run(struct cli *cli)
{
    struct rvvm_error error;
    struct error missing = {0};
    if (!firmware_find(&cli->firmware, &cli->config, &missing)) {
        say(missing.text);
        return EXIT_BAD_INPUT;
    }
    struct rvvm_machine *machine = rvvm_machine_new(&cli->config, &error);
    if (!machine) {
        say(error.text);
        return EXIT_BAD_INPUT;
    }
    int status = 0;
    if (cli->dump_dtb) {
        status = dump_device_tree(machine, cli->dump_dtb);
    } else {
        uint64_t start = clock_monotonic_ns();
        bool ran = rvvm_machine_run(machine, &status, &error);
        uint64_t end = clock_monotonic_ns();
        terminal_restore();
        if (!ran) {
            say(error.text);
            status = EXIT_BAD_INPUT;
        }
        if (cli->stats)
            print_stats(machine, end - start);
    }
    rvvm_machine_free(machine);
    terminal_restore();
    return status > 255 ? 255 : status;
}

static int complete(const char *shell)
{
    char img[256], img_options[256], ctl[512];
    struct error err;
    img_list(true, img, sizeof(img));
    img_list(false, img_options, sizeof(img_options));
    ctl_list(ctl, sizeof(ctl));
    const struct completion_branch branches[] = {
        {"img", 2, img, img_options},
        {"ctl", 3, ctl, ""}, /* behind the socket */
        {NULL, 0, NULL, NULL},
    };
    if (completion_print(shell, "rvvm", branches, options, &err))
        return 0;
    say(err.text);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct cli cli = {0};
    struct error err = {0};
    arguments_take(&argc, &argv);
    if (argc > 1 && !strcmp(argv[1], "img"))
        return img_main(argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "ctl"))
        return ctl_main(argc - 1, argv + 1);
    rvvm_config_init(&cli.config);
    cli.config.serial = NULL;
    cli.config.log = log_to_stderr;
    cli.config.dump_line = dump;
    if (!options_parse(options, &cli, argc, argv, set_operand, &err)) {
        say(err.text);
        return EXIT_USAGE;
    }
    if (cli.help) {
        print_help(cli.config.firmware && !strcmp(cli.config.firmware, "all"));
        return 0;
    }
    if (cli.completion) {
        return complete(cli.completion);
    }
    if (cli.version) {
        puts("rvvm " RVVM_VERSION);
        return 0;
    }
    if (!check(&cli, &err)) {
        say(err.text);
        return EXIT_USAGE;
    }
    if (cli.verbose)
        cli.config.log_level = cli.verbose > 1 ? RVVM_LOG_DEBUG : RVVM_LOG_GUEST;
    if (cli.dump_dtb) {
        cli.config.serial = "null";
        cli.config.gdb = cli.config.control = NULL;
        cli.config.console_count = 0;
        cli.config.network_count = cli.config.forward_count = 0;
    }
    if (!cli.no_isolation && !cli.dump_dtb)
        cli.config.isolation = RVVM_ISOLATION_PROCESS;
    /* Before the process gives up opening files. */
    if (cli.config.dump & RVVM_DUMP_PERF)
        perf_map = perf_map_open();
    terminal_install_handlers();
    return run(&cli);
}
