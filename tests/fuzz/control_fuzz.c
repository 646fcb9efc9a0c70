/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The control socket under lines of any kind: JSON is read to the letter, and commands are done to a machine
 * that does not run.
 */
#include "fuzz.h"

#include "base/json.h"
#include "debug/control_session.h"
#include "machine/machine.h"
#include "host/image_file.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAM (1u << 20)

/* What was read can be written, and is then read as the same. */
static void write_again(const struct json_object *object)
{
    struct json_text text = {0};
    struct json_object again;
    json_begin(&text);
    for (unsigned i = 0; i < object->count; i++)
        json_put_value(&text, object->members[i].name, &object->members[i].value);
    json_end(&text);
    if (!text.at || !json_parse(&again, text.at, text.size, NULL) || again.count != object->count)
        abort();
    for (unsigned i = 0; i < again.count; i++) {
        const struct json_value *a = &again.members[i].value, *b = &object->members[i].value;
        bool same = a->kind == b->kind || (a->kind == JSON_NULL && b->kind == JSON_NUMBER);
        if (!same || strcmp(again.members[i].name, object->members[i].name) ||
            (a->kind == JSON_STRING && (a->size != b->size || memcmp(a->text, b->text, a->size))) ||
            (a->kind == JSON_INTEGER && (a->integer != b->integer || a->negative != b->negative)))
            abort();
    }
    free(text.at);
}

static void read_and_write(const uint8_t *data, size_t size)
{
    struct json_object object;
    char *copy = malloc(size + 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    if (json_parse(&object, copy, size, NULL))
        write_again(&object);
    free(copy);
}

/*
 * Slots and forwards that answer without a machine's doing. What descriptors become is looked at: those that have
 * come are in the list or closed.
 */
static bool add_drive(void *ctx, const char *kind, const char *drive, struct image_files *files,
                      unsigned *slot, struct error *err)
{
    (void)ctx;
    *slot = 1;
    for (unsigned i = 0; files && i < files->count; i++)
        if (files->list[i].fd < 0 || !files->list[i].path)
            abort();
    return strlen(kind) <= strlen(drive) || error_set(err, "%s: no", drive);
}

static bool remove_drive(void *ctx, unsigned slot, bool force, bool *gone, struct error *err)
{
    (void)ctx;
    *gone = force;
    return slot == 1 || error_set(err, "slot %u: no", slot);
}

static bool show(void *ctx, unsigned n, char *text, size_t size)
{
    (void)ctx;
    snprintf(text, size, "%u", n);
    return n < 3;
}

static void pass_descriptors(struct control_client *c, unsigned count)
{
    while (c->passed_count < count)
        c->passed[c->passed_count++] = open("/dev/null", O_RDWR);
}

/* Made once, which takes long: commands change nothing in it that lasts. */
static struct machine *the_machine(void)
{
    static struct machine *m;
    struct machine_config config = {.ram_size = RAM, .harts = 2, .interpret = true};
    isa_default(&config.isa, 64);
    if (!m && !(m = machine_new(&config, NULL)))
        abort();
    m->requested = false;
    m->pauses = 0;
    return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct machine *m = the_machine();
    read_and_write(data, size);
    struct control *control = calloc(1, sizeof(*control));
    if (!control)
        abort();
    control->m = m;
    control->config.machine = m;
    control->told = control_state(control);
    control->config.actions = (struct control_actions){.show_forward = show,
                                                       .add_drive = add_drive,
                                                       .remove_drive = remove_drive,
                                                       .show_drive = show};
    struct control_client *c = &control->clients[0];
    c->control = control;
    c->used = true;
    pass_descriptors(c, size ? data[size - 1] & 3 : 0);
    control_input(c, (const char *)data, size);
    control_input(c, "\n", 1);
    control_drop_passed(c);
    free(control);
    return 0;
}
