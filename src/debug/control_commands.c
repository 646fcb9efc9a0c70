/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The commands. Each is a function of the request; what is wrong with it, or with the machine, is an error
 * in a sentence.
 */
#include "debug/control_session.h"

#include "debug/memory.h"
#include "gdb/registers.h"
#include "debug/tap.h"
#include "jit/jit.h"
#include "machine/machine.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_MAX 65536        /* bytes of memory in an answer */
#define FORWARDS_SHOWN_MAX 60 /* of them: an answer has no more members than can be read */

typedef bool command_fn(struct control_client *c, const struct json_object *request,
                        struct json_text *answer, struct error *err);

/* The machine rests and is not loaded, until let_go. */
static void look(struct machine *m)
{
    machine_pause(m, MACHINE_PAUSE_LOOK);
    pthread_mutex_lock(&m->load_lock);
}

static void let_go(struct machine *m)
{
    pthread_mutex_unlock(&m->load_lock);
    machine_resume(m, MACHINE_PAUSE_LOOK);
}

static void put_state(struct control_client *c, struct json_text *answer)
{
    json_put_string(answer, "state", control_state(c->control).name);
}

static bool needs(struct error *err, const char *command, const char *what)
{
    return error_set(err, "%s: needs %s", command, what);
}

/* A hart that the request may name. false: there is none such. */
static bool take_hart(struct machine *m, const struct json_object *request, struct hart **hart,
                      struct error *err)
{
    uint64_t n;
    if (!json_find(request, "hart"))
        return true;
    if (!json_integer(request, "hart", m->hart_count - 1, &n))
        return error_set(err, "\"hart\": there are 0 to %u", m->hart_count - 1);
    *hart = m->hart_list[n];
    return true;
}

/*
 * The machine's life
 */

static bool status(struct control_client *c, const struct json_object *request,
                   struct json_text *answer, struct error *err)
{
    const struct machine *m = c->control->m;
    (void)request, (void)err;
    put_state(c, answer);
    json_put_integer(answer, "resets", control_state(c->control).resets);
    json_put_integer(answer, "harts", m->hart_count);
    json_put_integer(answer, "xlen", m->isa.xlen);
    json_put_integer(answer, "memory", m->bus.ram_size);
    json_put_integer(answer, "memory_base", m->bus.ram_base);
    json_put_string(answer, "version", RVVM_VERSION);
    return true;
}

static bool pause_machine(struct control_client *c, const struct json_object *request,
                          struct json_text *answer, struct error *err)
{
    (void)request, (void)err;
    machine_pause(c->control->m, MACHINE_PAUSE_USER);
    put_state(c, answer);
    return true;
}

static bool resume_machine(struct control_client *c, const struct json_object *request,
                           struct json_text *answer, struct error *err)
{
    (void)request, (void)err;
    machine_resume(c->control->m, MACHINE_PAUSE_USER);
    put_state(c, answer);
    return true;
}

static bool reset_machine(struct control_client *c, const struct json_object *request,
                          struct json_text *answer, struct error *err)
{
    (void)request;
    if (!machine_reset(c->control->m))
        return error_set(err, "reset: the machine is off");
    put_state(c, answer);
    return true;
}

static bool quit(struct control_client *c, const struct json_object *request,
                 struct json_text *answer, struct error *err)
{
    (void)request, (void)answer, (void)err;
    machine_request(c->control->m, MACHINE_POWEROFF, 0);
    return true;
}

static bool press_button(struct control_client *c, const struct json_object *request,
                         struct json_text *answer, struct error *err)
{
    (void)request, (void)answer;
    return machine_press_power(c->control->m, err) || error_prefix(err, "button");
}

/*
 * A look inside
 */

static void put_translator(struct json_text *answer, const struct jit *jit)
{
    struct jit_stats s;
    jit_stats(jit, &s);
    json_put_integer(answer, "translated_blocks", s.blocks);
    json_put_integer(answer, "translated_insns", s.guest_insns);
    json_put_integer(answer, "translated_bytes", s.host_bytes);
    json_put_integer(answer, "translation_ns", s.translate_ns);
    json_put_integer(answer, "dropped_blocks", s.dropped);
    json_put_integer(answer, "evicted_blocks", s.evicted);
    json_put_integer(answer, "chained_jumps", s.chains);
    json_put_integer(answer, "lookups", s.lookups);
    json_put_integer(answer, "interpreted", s.interpreted);
    json_put_integer(answer, "regions", s.regions);
}

static bool stats(struct control_client *c, const struct json_object *request,
                  struct json_text *answer, struct error *err)
{
    struct machine *m = c->control->m;
    (void)request, (void)err;
    look(m);
    uint64_t instructions = m->retired;
    for (unsigned i = 0; i < m->hart_count; i++)
        instructions += m->hart_list[i]->instret;
    json_put_integer(answer, "instructions", instructions);
    json_put_integer(answer, "io_reads", atomic_load(&m->io_reads));
    json_put_integer(answer, "io_writes", atomic_load(&m->io_writes));
    json_put_integer(answer, "memory", m->bus.ram_size);
    if (m->jit)
        put_translator(answer, m->jit);
    let_go(m);
    return true;
}

static bool registers(struct control_client *c, const struct json_object *request,
                      struct json_text *answer, struct error *err)
{
    struct machine *m = c->control->m;
    struct hart *h = m->hart_list[0];
    uint64_t value;
    char name[8], text[24];
    if (!take_hart(m, request, &h, err))
        return false;
    look(m);
    snprintf(text, sizeof(text), "0x%" PRIx64, h->pc);
    json_put_string(answer, "pc", text);
    json_put_integer(answer, "priv", h->priv);
    for (unsigned n = 1; n < 32; n++) {
        snprintf(name, sizeof(name), "x%u", n);
        register_read(h, n, &value);
        snprintf(text, sizeof(text), "0x%" PRIx64, h->xlen == 32 ? (uint32_t)value : value);
        json_put_string(answer, name, text);
    }
    let_go(m);
    return true;
}

static bool read_memory(struct control_client *c, const struct json_object *request,
                        struct json_text *answer, struct error *err)
{
    static const char digits[] = "0123456789abcdef";
    struct machine *m = c->control->m;
    struct hart *h = NULL;
    uint64_t address, size;
    if (!json_integer(request, "address", UINT64_MAX, &address) ||
        !json_integer(request, "size", READ_MAX, &size))
        return needs(err, "memory", "\"address\", and \"size\" up to 65536");
    if (!take_hart(m, request, &h, err))
        return false;
    uint8_t *bytes = malloc(size + 1);
    char *hex = malloc(2 * size + 1);
    bool ok = bytes && hex;
    if (ok) {
        look(m);
        size_t done = debug_read(m, h, address, bytes, size);
        let_go(m);
        for (size_t i = 0; i < done; i++) {
            hex[2 * i] = digits[bytes[i] >> 4];
            hex[2 * i + 1] = digits[bytes[i] & 15];
        }
        hex[2 * done] = '\0';
        ok = done == size || error_set(err, "memory: there is none at 0x%" PRIx64, address + done);
    } else {
        error_set(err, "out of memory");
    }
    if (ok)
        json_put_string(answer, "data", hex);
    free(bytes);
    free(hex);
    return ok;
}

/*
 * The serial line, and events
 */

static bool hear_events(struct control_client *c, const struct json_object *request,
                        struct json_text *answer, struct error *err)
{
    (void)answer;
    return json_boolean(request, "on", &c->events) || needs(err, "events", "\"on\", true or false");
}

static bool hear_terminal(struct control_client *c, const struct json_object *request,
                          struct json_text *answer, struct error *err)
{
    bool on;
    (void)answer;
    if (!json_boolean(request, "on", &on))
        return needs(err, "terminal", "\"on\", true or false");
    if (on != c->terminal) {
        c->terminal = on;
        control_listen(c->control);
    }
    return true;
}

static bool say(struct control_client *c, const struct json_object *request,
                struct json_text *answer, struct error *err)
{
    const struct json_value *data = json_find(request, "data");
    if (!data || data->kind != JSON_STRING)
        return needs(err, "input", "\"data\"");
    /* The request is in the client's line, which is his to change. */
    char *bytes = c->line + (data->text - c->line);
    ptrdiff_t size = json_to_bytes(bytes, data->size);
    if (size < 0)
        return error_set(err, "input: \"data\" has characters above U+00FF, which are no bytes");
    size_t taken =
        c->control->config.tap ? tap_say(c->control->config.tap, bytes, (size_t)size) : 0;
    json_put_integer(answer, "taken", taken);
    return true;
}

/*
 * Networks
 */

static bool change_forward(struct control_client *c, const struct json_object *request, bool add,
                           struct error *err)
{
    const struct control_actions *actions = &c->control->config.actions;
    const char *what = json_string(request, "what");
    if (!what)
        return needs(err, add ? "forward" : "unforward", "\"what\", as behind -portfwd");
    if (!actions->forward)
        return error_set(err, "this machine has no networks");
    return actions->forward(actions->ctx, what, add, err);
}

static bool forward(struct control_client *c, const struct json_object *request,
                    struct json_text *answer, struct error *err)
{
    (void)answer;
    return change_forward(c, request, true, err);
}

static bool unforward(struct control_client *c, const struct json_object *request,
                      struct json_text *answer, struct error *err)
{
    (void)answer;
    return change_forward(c, request, false, err);
}

static bool set_link(struct control_client *c, const struct json_object *request,
                     struct json_text *answer, struct error *err)
{
    const struct control_actions *actions = &c->control->config.actions;
    uint64_t network;
    bool up;
    (void)answer;
    if (!json_integer(request, "network", UINT32_MAX, &network) ||
        !json_boolean(request, "up", &up))
        return needs(err, "link", "\"network\", from 0 on, and \"up\", true or false");
    if (!actions->set_link || !actions->set_link(actions->ctx, (unsigned)network, up))
        return error_set(err, "link: there is no network %" PRIu64, network);
    return true;
}

static bool show_forwards(struct control_client *c, const struct json_object *request,
                          struct json_text *answer, struct error *err)
{
    const struct control_actions *actions = &c->control->config.actions;
    char name[24], text[256];
    unsigned count = 0;
    (void)request, (void)err;
    while (actions->show_forward && count < FORWARDS_SHOWN_MAX &&
           actions->show_forward(actions->ctx, count, text, sizeof(text))) {
        snprintf(name, sizeof(name), "forward%u", count++);
        json_put_string(answer, name, text);
    }
    json_put_integer(answer, "forwards", count);
    return true;
}

/*
 * All of them
 */

static command_fn help;

static const struct {
    const char *name;
    command_fn *run;
} commands[] = {
    {"help", help},
    {"status", status},
    {"pause", pause_machine},
    {"resume", resume_machine},
    {"reset", reset_machine},
    {"button", press_button},
    {"quit", quit},
    {"stats", stats},
    {"registers", registers},
    {"memory", read_memory},
    {"events", hear_events},
    {"terminal", hear_terminal},
    {"input", say},
    {"forward", forward},
    {"unforward", unforward},
    {"forwards", show_forwards},
    {"link", set_link},
    {"drive-add", control_add_drive},
    {"drive-remove", control_remove_drive},
    {"drives", control_show_drives},
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static bool help(struct control_client *c, const struct json_object *request,
                 struct json_text *answer, struct error *err)
{
    char names[512] = "";
    (void)c, (void)request, (void)err;
    for (unsigned i = 0; i < COMMANDS; i++) {
        size_t length = strlen(names);
        snprintf(names + length, sizeof(names) - length, "%s%s", i ? " " : "", commands[i].name);
    }
    json_put_string(answer, "commands", names);
    return true;
}

bool control_run(struct control_client *c, const struct json_object *request,
                 struct json_text *answer, struct error *err)
{
    const char *name = json_string(request, "command");
    if (!name)
        return error_set(err, "a request has a member \"command\"");
    for (unsigned i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i].name, name))
            return commands[i].run(c, request, answer, err);
    return error_set(err, "%s: there is no such command; `help` lists them", name);
}
