/* SPDX-License-Identifier: GPL-3.0-only */
/* rvvm-user: runs a RISC-V Linux program on this host. rvvm-user(1) is its manual. */
#include "completion.h"
#include "options.h"

#include "user/process.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, EXIT_CANNOT_RUN = 126 };

#ifndef AT_FLAGS_PRESERVE_ARGV0
#define AT_FLAGS_PRESERVE_ARGV0 1
#endif

extern char **environ;

struct cli {
    struct process_config config;
    const char *argv0, *cpu, *jit;
    const char *completion; /* the shell that wants a script */
    bool rv32, rv64, help, version;
    unsigned verbose;
    /* Changes of the environment, in the order they were given. */
    const char **changes;
    unsigned change_count;
};

static void say(const char *line)
{
    fprintf(stderr, "rvvm-user: %s\n", line);
}

static void log_to_stderr(void *ctx, enum log_level level, const char *line)
{
    (void)ctx, (void)level;
    say(line);
}

static void dump(void *ctx, unsigned kind, const char *line)
{
    (void)ctx, (void)kind;
    fprintf(stderr, "%s\n", line);
}

/*
 * Options
 */

static bool set_verbose(void *ctx, const struct option *o, const char *value, struct error *err)
{
    (void)o, (void)value, (void)err;
    ((struct cli *)ctx)->verbose++;
    return true;
}

/* -E NAME=VALUE, -U NAME */
static bool change_environment(void *ctx, const struct option *o, const char *value,
                               struct error *err)
{
    struct cli *cli = ctx;
    bool sets = o->name[0] == 'E';
    if (*value == '=' || !*value || sets != !!strchr(value, '='))
        return error_set(err, "-%s %s: not %s", o->name, value, sets ? "NAME=VALUE" : "a NAME");
    cli->changes[cli->change_count++] = value;
    return true;
}

static bool set_jit(void *ctx, const struct option *o, const char *value, struct error *err)
{
    struct process_config *c = &((struct cli *)ctx)->config;
    ((struct cli *)ctx)->jit = value;
    if (!strcmp(value, "off"))
        c->no_jit = true;
    else if (!strcmp(value, "tier1"))
        c->tiers = JIT_TIER_ONE;
    else if (!strcmp(value, "tier2"))
        c->tiers = JIT_TIER_EAGER;
    else if (strcmp(value, "on") != 0)
        return error_set(err, "-%s %s: not on, off, tier1 or tier2", o->name, value);
    return true;
}

static bool set_debug(void *ctx, const struct option *o, const char *value, struct error *err)
{
    static const struct {
        const char *name;
        unsigned bit;
    } kinds[] = {{"in", JIT_DUMP_IN}, {"ir", JIT_DUMP_IR}, {"out", JIT_DUMP_OUT}};
    struct process_config *c = &((struct cli *)ctx)->config;
    for (const char *word = value; *word;) {
        size_t length = strcspn(word, ",");
        unsigned n = 0;
        while (n < 3 && (strlen(kinds[n].name) != length || memcmp(kinds[n].name, word, length)))
            n++;
        if (n == 3)
            return error_set(err, "-%s %s: not a list of in, ir, out", o->name, value);
        c->dump |= kinds[n].bit;
        word += length + (word[length] == ',');
    }
    return true;
}

/* By an execve of ours. */
static bool set_fd(void *ctx, const struct option *o, const char *value, struct error *err)
{
    (void)o, (void)err;
    ((struct cli *)ctx)->config.fd = atoi(value);
    return true;
}

static bool set_gdb(void *ctx, const struct option *o, const char *value, struct error *err)
{
    (void)o;
    ((struct cli *)ctx)->config.gdb = value;
    return debug_check(value, err);
}

#define AT(field) offsetof(struct cli, field)

static const struct option options[] = {
    {"L", "DIR", "look there first for absolute paths of the program's", option_set_string,
     AT(config.sysroot), false},
    {"E", "NAME=VALUE", "in the program's environment", change_environment, 0, true},
    {"U", "NAME", "not in the program's environment", change_environment, 0, true},
    {"0", "NAME", "what the program sees as its own name", option_set_string, AT(argv0), false},
    {"s", "SIZE", "stack of the first thread: what the host's limit says, unless said",
     option_set_size, AT(config.stack_size), false},
    {"cpu", "LIST", "processor, as in rv64,zfa=off", option_set_string, AT(cpu), false},
    {"rv32", NULL, "a 32-bit processor; unless said, what the program is for", option_set_true,
     AT(rv32), true},
    {"rv64", NULL, "a 64-bit processor", option_set_true, AT(rv64), true},
    {"strace", NULL, "print system calls", option_set_true, AT(config.strace), true},
    {"jit", "on|off|tier1|tier2", "translate the program (the default) or interpret it", set_jit, 0,
     false},
    {"jit-cache", "SIZE", "memory for translated code", option_set_size, AT(config.code_cache),
     false},
    {"d", "LIST", "in, ir, out: translated code", set_debug, 0, true},
    {"fd", "N", NULL, set_fd, 0, false},
    {"gdb", "WHERE", "wait for a debugger: tcp:HOST:PORT, unix:F", set_gdb, 0, false},
    {"gdb-fds", "LIST", NULL, option_set_string, AT(config.gdb_fds), false},
    {"v", NULL, "say more", set_verbose, 0, true},
    {"completion", "bash|zsh|fish", "print a script that completes options", option_set_string,
     AT(completion), false},
    {"h", NULL, "this help", option_set_true, AT(help), true},
    {"help", NULL, NULL, option_set_true, AT(help), true},
    {"version", NULL, "print the version", option_set_true, AT(version), true},
    {0},
};

static void print_help(void)
{
    puts("rvvm-user [OPTION...] PROGRAM [ARGUMENT...]: runs a RISC-V Linux program\n");
    options_print(options, NULL);
    puts(
        "\nVariables: RVVM_LD_PREFIX is -L, RVVM_STRACE=1 is -strace.\n"
        "Exit status: the program's; 2 bad usage, 126 it cannot be run. rvvm-user(1) has the rest.");
}

/* Which of the environment's strings is the one of that name; -1: none. */
static int find_variable(char **list, const char *name, size_t length)
{
    for (int n = 0; list[n]; n++)
        if (!strncmp(list[n], name, length) && list[n][length] == '=')
            return n;
    return -1;
}

/* The environment with what -E and -U say. */
static char **make_environment(const struct cli *cli)
{
    unsigned count = 0;
    while (environ[count])
        count++;
    char **list = calloc(count + cli->change_count + 1, sizeof(*list));
    if (!list)
        return NULL;
    memcpy(list, environ, count * sizeof(*list));
    for (unsigned i = 0; i < cli->change_count; i++) {
        const char *change = cli->changes[i];
        size_t length = strcspn(change, "=");
        int there = find_variable(list, change, length);
        if (change[length] && there >= 0)
            list[there] = (char *)(uintptr_t)change;
        else if (change[length])
            list[count++] = (char *)(uintptr_t)change;
        else if (there >= 0)
            list[there] = list[--count], list[count] = NULL;
    }
    return list;
}

/* Options that an execve starts us with again: those about the emulator, not about this program. */
struct own_options {
    char *list[32];
    unsigned count;
    char stack[24], cache[24];
};

static void add_own(struct own_options *own, const char *name, const char *value)
{
    own->list[own->count++] = (char *)(uintptr_t)name;
    if (value)
        own->list[own->count++] = (char *)(uintptr_t)value;
}

static char **make_own_options(const struct cli *cli, struct own_options *own)
{
    const struct process_config *c = &cli->config;
    if (c->sysroot)
        add_own(own, "-L", c->sysroot);
    if (cli->cpu)
        add_own(own, "-cpu", cli->cpu);
    if (c->stack_size) {
        snprintf(own->stack, sizeof(own->stack), "%" PRIu64, c->stack_size);
        add_own(own, "-s", own->stack);
    }
    if (c->strace)
        add_own(own, "-strace", NULL);
    if (cli->jit)
        add_own(own, "-jit", cli->jit);
    if (c->code_cache) {
        snprintf(own->cache, sizeof(own->cache), "%" PRIu64, c->code_cache);
        add_own(own, "-jit-cache", own->cache);
    }
    for (unsigned n = 0; n < cli->verbose && n < 2; n++)
        add_own(own, "-v", NULL);
    return own->list;
}

static bool set_isa(struct cli *cli, struct error *err)
{
    if (cli->rv32 && cli->rv64)
        return error_set(err, "-rv32 and -rv64: which?");
    if (cli->rv32 || cli->rv64 || cli->cpu)
        isa_default(&cli->config.isa, cli->rv32 ? 32 : 64);
    return !cli->cpu || isa_parse(&cli->config.isa, cli->cpu, err);
}

static void take_variables(struct process_config *config)
{
    const char *root = getenv("RVVM_LD_PREFIX"), *strace = getenv("RVVM_STRACE");
    config->sysroot = root && *root ? root : NULL;
    config->strace = strace && *strace;
}

/* "/" and what ends in one would give paths with two. */
static bool set_sysroot(struct process_config *config, struct error *err)
{
    static char root[PATH_MAX];
    if (!config->sysroot)
        return true;
    if (!realpath(config->sysroot, root))
        return error_set(err, "-L %s: no such directory", config->sysroot);
    config->sysroot = root[1] ? root : NULL;
    return true;
}

static int run(struct cli *cli)
{
    struct error err = {{0}};
    struct process *p = process_new(&cli->config, &err);
    if (!p || !process_load(p, &err)) {
        say(err.text);
        process_free(p);
        return EXIT_CANNOT_RUN;
    }
    process_run(p);
    return 0;
}

/* The program and what it is given, from what stands behind the options. */
static bool take_program(struct cli *cli, struct own_options *own, int first, char **argv,
                         struct error *err)
{
    struct process_config *c = &cli->config;
    /* binfmt_misc: the kernel says how it starts interpreters (flags P and O). */
    bool keeps_argv0 = getauxval(AT_FLAGS) & AT_FLAGS_PRESERVE_ARGV0;
    unsigned long fd = getauxval(AT_EXECFD);
    c->path = argv[first];
    c->argv = argv + first;
    if (keeps_argv0 && argv[first + 1])
        c->argv++;
    if (cli->argv0)
        c->argv[0] = (char *)(uintptr_t)cli->argv0;
    if (fd)
        c->fd = (int)fd;
    c->envp = make_environment(cli);
    c->self_options = make_own_options(cli, own);
    return c->envp || error_set(err, "out of memory");
}

/* What the command line asks for; an exit status. */
static int run_command(struct cli *cli, struct log *log, int argc, char **argv)
{
    struct error err = {{0}};
    struct own_options own = {.count = 0};
    int first;
    if (!options_parse_head(options, cli, argc, argv, &first, &err) || !set_isa(cli, &err) ||
        !set_sysroot(&cli->config, &err)) {
        say(err.text);
        return EXIT_USAGE;
    }
    if (cli->help) {
        print_help();
        return 0;
    }
    if (cli->completion) {
        if (completion_print(cli->completion, "rvvm-user", NULL, options, &err))
            return 0;
        say(err.text);
        return EXIT_USAGE;
    }
    if (cli->version) {
        puts("rvvm-user " RVVM_VERSION);
        return 0;
    }
    if (first == argc) {
        say("no program is named; -h helps");
        return EXIT_USAGE;
    }
    log->level = cli->verbose > 1 ? LOG_DEBUG : cli->verbose ? LOG_INFO : LOG_WARN;
    if (!take_program(cli, &own, first, argv, &err)) {
        say(err.text);
        return EXIT_CANNOT_RUN;
    }
    int status = run(cli);
    free(cli->config.envp);
    return status;
}

int main(int argc, char **argv)
{
    struct log log = {.level = LOG_WARN, .sink = log_to_stderr};
    struct cli cli = {.config = {.fd = -1, .quit = _exit, .log = &log, .dump_line = dump},
                      .changes = calloc((size_t)argc + 1, sizeof(*cli.changes))};
    if (!cli.changes) {
        say("out of memory");
        return EXIT_CANNOT_RUN;
    }
    take_variables(&cli.config);
    int status = run_command(&cli, &log, argc, argv);
    free(cli.changes);
    return status;
}
