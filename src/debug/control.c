/* SPDX-License-Identifier: MPL-2.0 */
/* Lines in, answers and events out. */
#include "debug/control_session.h"

#include "debug/tap.h"
#include "machine/machine.h"
#include <stdlib.h>
#include <string.h>

#define OUTPUT_PIECE 4096 /* bytes of the serial line in an event */
#define OUTPUT_PIECES 16  /* events at a time: others want to be heard, too */

static void send_line(struct control_client *c, const struct json_text *line)
{
    if (line->at && c->client)
        server_send(c->client, line->at, line->size);
}

/*
 * Events
 */

struct control_state control_state(struct control *control)
{
    struct machine *m = control->m;
    struct control_state s = {.name = "running"};
    pthread_mutex_lock(&m->lock);
    s.resets = m->loads ? m->loads - 1 : 0;
    s.status = m->request_code;
    if (!m->powered)
        s.name = "off";
    else if (m->pauses & MACHINE_PAUSE_DEBUGGER)
        s.name = "stopped";
    else if (m->pauses & MACHINE_PAUSE_USER)
        s.name = "paused";
    pthread_mutex_unlock(&m->lock);
    return s;
}

static void send_event(struct control *control, const struct json_text *line)
{
    for (unsigned i = 0; i < SERVER_CLIENTS_MAX; i++)
        if (control->clients[i].used && control->clients[i].events)
            send_line(&control->clients[i], line);
}

static void tell_changes(void *ctx)
{
    struct control *control = ctx;
    const struct control_state now = control_state(control);
    if (now.resets != control->told.resets) {
        struct json_text line = {0};
        json_begin(&line);
        json_put_string(&line, "event", "reset");
        json_put_integer(&line, "resets", now.resets);
        json_end(&line);
        send_event(control, &line);
        free(line.at);
    }
    if (strcmp(now.name, control->told.name)) {
        struct json_text line = {0};
        json_begin(&line);
        json_put_string(&line, "event", "state");
        json_put_string(&line, "state", now.name);
        if (!strcmp(now.name, "off"))
            json_put_integer(&line, "status", (uint64_t)now.status);
        json_end(&line);
        send_event(control, &line);
        free(line.at);
    }
    control->told = now;
}

static void tell_drives(struct control *control)
{
    const struct control_actions *actions = &control->config.actions;
    char text[CONTROL_DRIVE_SIZE];
    if (!actions->show_drive)
        return;
    for (unsigned slot = 1;
         slot <= CONTROL_SLOTS_MAX && actions->show_drive(actions->ctx, slot, text, sizeof(text));
         slot++) {
        if (control->drives_told[slot] == (text[0] != '\0'))
            continue;
        struct json_text line = {0};
        control->drives_told[slot] = text[0];
        json_begin(&line);
        json_put_string(&line, "event", "drive");
        json_put_integer(&line, "slot", slot);
        json_put_string(&line, "state", text[0] ? "added" : "removed");
        json_end(&line);
        send_event(control, &line);
        free(line.at);
    }
}

static void on_drives(void *ctx)
{
    tell_drives(ctx);
}

void control_drives_changed(struct control *control)
{
    event_call_post(&control->drives);
}

static void tell_output(void *ctx)
{
    struct control *control = ctx;
    uint8_t bytes[OUTPUT_PIECE];
    uint64_t lost;
    for (unsigned i = 0; i < OUTPUT_PIECES; i++) {
        size_t size = tap_fetch(control->config.tap, bytes, sizeof(bytes), &lost);
        if (!size && !lost)
            return;
        struct json_text line = {0};
        json_begin(&line);
        json_put_string(&line, "event", "output");
        json_put_bytes(&line, "data", bytes, size);
        if (lost)
            json_put_integer(&line, "lost", lost);
        json_end(&line);
        for (unsigned n = 0; n < SERVER_CLIENTS_MAX; n++)
            if (control->clients[n].used && control->clients[n].terminal)
                send_line(&control->clients[n], &line);
        free(line.at);
    }
    event_call_post(&control->heard);
}

/* On a device's thread, with the tap locked. */
static void on_heard(void *ctx)
{
    struct control *control = ctx;
    event_call_post(&control->heard);
}

void control_listen(struct control *control)
{
    bool wanted = false;
    for (unsigned i = 0; i < SERVER_CLIENTS_MAX; i++)
        wanted |= control->clients[i].used && control->clients[i].terminal;
    if (control->config.tap)
        tap_listen(control->config.tap, wanted ? on_heard : NULL, control);
}

/* On any thread, under machine.lock. */
static void on_change(void *ctx)
{
    struct control *control = ctx;
    event_call_post(&control->changed);
}

/*
 * Requests
 */

void control_drop_passed(struct control_client *c)
{
    while (c->passed_count)
        stream_close(c->passed[--c->passed_count]);
}

static void take_line(struct control_client *c)
{
    struct error err = {0};
    struct json_object request = {.count = 0};
    struct json_text answer = {0}, rest = {.comma = true};
    bool ok = c->too_long ? error_set(&err, "a line of more than %u bytes", CONTROL_LINE_MAX)
                          : json_parse(&request, c->line, c->size, &err);
    ok = ok && control_run(c, &request, &rest, &err);
    if (c->client && !c->used)
        return;
    json_begin(&answer);
    const struct json_value *id = c->too_long ? NULL : json_find(&request, "id");
    if (id)
        json_put_value(&answer, "id", id);
    json_put_boolean(&answer, "ok", ok);
    if (!ok)
        json_put_string(&answer, "error", err.text);
    json_append(&answer, &rest);
    json_end(&answer);
    send_line(c, &answer);
    free(answer.at);
    free(rest.at);
}

void control_input(struct control_client *c, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\n') {
            /* Empty lines are no requests, which is what people's fingers want. */
            if (c->size || c->too_long)
                take_line(c);
            c->size = 0;
            c->too_long = false;
        } else if (c->size < CONTROL_LINE_MAX) {
            c->line[c->size++] = bytes[i];
        } else {
            c->too_long = true;
        }
    }
}

/*
 * Coming and going
 */

static void *on_opened(void *ctx, struct server_client *client)
{
    struct control *control = ctx;
    struct control_client *c = control->clients;
    while (c->used)
        c++;
    c->control = control;
    c->client = client;
    c->used = true;
    c->events = c->terminal = c->too_long = false;
    c->passed_count = 0;
    c->size = 0;
    return c;
}

static void on_input(void *session, const uint8_t *bytes, size_t size)
{
    control_input(session, (const char *)bytes, size);
}

static void on_passed(void *session, int fd)
{
    struct control_client *c = session;
    if (c->passed_count < STREAM_PASSED_MAX)
        c->passed[c->passed_count++] = fd;
    else
        stream_close(fd);
}

static void on_closed(void *session)
{
    struct control_client *c = session;
    control_drop_passed(c);
    c->used = false;
    c->client = NULL;
    if (c->terminal)
        control_listen(c->control);
}

static const struct server_ops ops = {
    .opened = on_opened, .input = on_input, .passed = on_passed, .closed = on_closed};

static void watch_machine(struct control *control, void (*fn)(void *ctx))
{
    pthread_mutex_lock(&control->m->lock);
    control->m->on_change = fn;
    control->m->on_change_ctx = control;
    pthread_mutex_unlock(&control->m->lock);
}

struct control *control_new(const struct control_config *config, struct error *err)
{
    struct control *control = calloc(1, sizeof(*control));
    if (!control) {
        error_set(err, "out of memory");
        return NULL;
    }
    control->config = *config;
    control->m = config->machine;
    control->told = control_state(control);
    event_call_init(&control->changed, config->loop, tell_changes, control);
    event_call_init(&control->heard, config->loop, tell_output, control);
    event_call_init(&control->drives, config->loop, on_drives, control);
    struct server_config server = {
        .where = config->where,
        .name = "the control socket",
        .clients = SERVER_CLIENTS_MAX,
        .loop = config->loop,
        .log = config->log,
        .ops = &ops,
        .ctx = control,
    };
    if (!server_check(config->where, false, err) || !(control->server = server_new(&server, err))) {
        free(control);
        return NULL;
    }
    watch_machine(control, on_change);
    return control;
}

void control_free(struct control *control)
{
    if (!control)
        return;
    /* The last words: what was said on the line, and that the machine is off. */
    if (control->config.tap)
        tell_output(control);
    tell_changes(control);
    watch_machine(control, NULL);
    server_free(control->server);
    if (control->config.tap)
        tap_listen(control->config.tap, NULL, NULL);
    event_call_remove(&control->changed);
    event_call_remove(&control->heard);
    event_call_remove(&control->drives);
    free(control);
}
