/* SPDX-License-Identifier: MPL-2.0 */
/* Linux programs (rvvm/process.h): rvvm-user with the options that say what the caller's struct says. */
#include <rvvm/process.h>

#include "api/machine.h"
#include "host/child.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 24 };

struct rvvm_process {
    int64_t id;
};

void rvvm_process_config_init(struct rvvm_process_config *config)
{
    *config = (struct rvvm_process_config){
        .struct_size = sizeof(*config),
        .files = {-1, -1, -1},
    };
}

/* The command line: options, then "--", the program, its arguments. */
struct command {
    char **words;
    unsigned count;
    char stack[24];
};

/* execve(2) takes words that are not const and changes none. */
static void add(struct command *c, const char *word)
{
    c->words[c->count++] = (char *)(uintptr_t)word;
}

static void add_option(struct command *c, const char *name, const char *value)
{
    if (!value)
        return;
    add(c, name);
    add(c, value);
}

static const char *engine(enum rvvm_jit jit)
{
    switch (jit) {
    case RVVM_JIT_OFF:
        return "off";
    case RVVM_JIT_TIER1:
        return "tier1";
    case RVVM_JIT_TIER2:
        return "tier2";
    default:
        return NULL;
    }
}

static bool make_command(struct command *c, const struct rvvm_process_config *config,
                         struct error *err)
{
    size_t argc = 0;
    while (config->argv && config->argv[argc])
        argc++;
    c->words = calloc(OPTIONS_MAX + argc, sizeof(*c->words));
    if (!c->words)
        return error_set(err, "out of memory");
    add(c, "rvvm-user");
    add_option(c, "-L", config->sysroot);
    add_option(c, "-cpu", config->cpu);
    add_option(c, "-jit", engine(config->jit));
    add_option(c, "-gdb", config->gdb);
    add_option(c, "-0", argc ? config->argv[0] : NULL);
    if (config->stack) {
        snprintf(c->stack, sizeof(c->stack), "%" PRIu64, config->stack);
        add_option(c, "-s", c->stack);
    }
    if (config->strace)
        add(c, "-strace");
    add(c, "--");
    add(c, config->program);
    for (size_t n = 1; n < argc; n++)
        add(c, config->argv[n]);
    return true;
}

static bool start(struct rvvm_process *process, const struct rvvm_process_config *config,
                  struct error *err)
{
    struct command command = {0};
    if (!config->program)
        return error_set(err, "struct rvvm_process_config: no program");
    if (config->jit == RVVM_JIT_CHECK)
        return error_set(err, "a process has no RVVM_JIT_CHECK");
    if (!make_command(&command, config, err))
        return false;
    struct child_config child = {
        .program = config->rvvm_user ? config->rvvm_user : "rvvm-user",
        .argv = command.words,
        .envp = config->envp,
        .files = config->files,
    };
    bool ok = child_start(&child, &process->id, err);
    free(command.words);
    return ok;
}

struct rvvm_process *rvvm_process_start(const struct rvvm_process_config *config,
                                        struct rvvm_error *error)
{
    struct rvvm_process_config taken;
    struct error err;
    struct rvvm_process *process = calloc(1, sizeof(*process));
    if (!process)
        error_set(&err, "out of memory");
    if (process && api_take(&taken, sizeof(taken), config, "struct rvvm_process_config", &err) &&
        start(process, &taken, &err))
        return process;
    free(process);
    api_fail(error, &err);
    return NULL;
}

int64_t rvvm_process_id(const struct rvvm_process *process)
{
    return process->id;
}

bool rvvm_process_wait(struct rvvm_process *process, int *status, struct rvvm_error *error)
{
    struct error err;
    bool ok = child_wait(process->id, status, &err);
    free(process);
    return ok || api_fail(error, &err);
}
