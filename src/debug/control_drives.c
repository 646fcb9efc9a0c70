/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Commands that put drives into slots and take them out. The machine's process may open no files when it is
 * isolated, so a client opens the image and what it stands on, and hands the descriptors over
 * (host/image_file.h): "file0", "file1" and so on say what they are, in the order in which they come.
 *
 *     {"command":"drive-add","type":"nvme","drive":"/new.qcow2","file0":"write /new.qcow2",
 *      "file1":"read /base.img"}
 */
#include "debug/control_session.h"

#include "host/image_file.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool has_slots(struct control_client *c, struct error *err)
{
    return c->control->config.actions.add_drive ||
           error_set(err, "this machine has no slots for drives (rvvm -hotplug N gives it some)");
}

/* "write /new.qcow2" */
static bool take_file(struct image_files *files, const char *text, int fd, struct error *err)
{
    const char *path = strchr(text, ' ');
    for (unsigned use = 0; path && use < IMAGE_FILE_USES; use++) {
        const char *word = image_file_use_name((enum image_file_use)use);
        if (!strncmp(text, word, strlen(word)) && text + strlen(word) == path)
            return image_files_add(files, path + 1, (enum image_file_use)use, fd, err);
    }
    stream_close(fd);
    return error_set(err, "drive-add: %s: not a use and a file", text);
}

/* As many as have come. */
static bool take_files(struct control_client *c, const struct json_object *request,
                       struct image_files *files, struct error *err)
{
    const unsigned count = c->passed_count;
    char name[16];
    bool ok = true;
    for (unsigned i = 0; ok && i < count; i++) {
        snprintf(name, sizeof(name), "file%u", i);
        const char *text = json_string(request, name);
        int fd = c->passed[i];
        c->passed[i] = -1;
        if (text) {
            ok = take_file(files, text, fd, err);
        } else {
            stream_close(fd);
            ok = error_set(err, "drive-add: a descriptor has come without \"%s\"", name);
        }
    }
    snprintf(name, sizeof(name), "file%u", count);
    if (ok && json_find(request, name))
        ok = error_set(err, "drive-add: \"%s\" has come without its descriptor", name);
    control_drop_passed(c);
    return ok;
}

bool control_add_drive(struct control_client *c, const struct json_object *request,
                       struct json_text *answer, struct error *err)
{
    const struct control_actions *actions = &c->control->config.actions;
    const char *kind = json_string(request, "type"), *drive = json_string(request, "drive");
    struct image_files files = {.count = 0};
    unsigned slot;
    if (!has_slots(c, err) || !kind || !drive)
        control_drop_passed(c);
    if (!has_slots(c, err))
        return false;
    if (!kind || !drive)
        return error_set(err,
                         "drive-add: needs \"type\" (nvme, virtio-blk) and \"drive\", as behind "
                         "the option of that name");
    bool ok =
        take_files(c, request, &files, err) &&
        actions->add_drive(actions->ctx, kind, drive, files.count ? &files : NULL, &slot, err);
    image_files_close(&files);
    if (ok)
        json_put_integer(answer, "slot", slot);
    return ok;
}

bool control_remove_drive(struct control_client *c, const struct json_object *request,
                          struct json_text *answer, struct error *err)
{
    const struct control_actions *actions = &c->control->config.actions;
    uint64_t slot;
    bool force = false, gone;
    if (!has_slots(c, err))
        return false;
    if (!json_integer(request, "slot", UINT32_MAX, &slot) ||
        (json_find(request, "force") && !json_boolean(request, "force", &force)))
        return error_set(err,
                         "drive-remove: needs \"slot\", from 1 on; \"force\" is true or false");
    if (!actions->remove_drive(actions->ctx, (unsigned)slot, force, &gone, err))
        return false;
    json_put_boolean(answer, "gone", gone);
    return true;
}

bool control_show_drives(struct control_client *c, const struct json_object *request,
                         struct json_text *answer, struct error *err)
{
    const struct control_actions *actions = &c->control->config.actions;
    char name[24], text[CONTROL_DRIVE_SIZE];
    unsigned slot = 1;
    (void)request, (void)err;
    while (actions->show_drive && slot <= CONTROL_SLOTS_MAX &&
           actions->show_drive(actions->ctx, slot, text, sizeof(text))) {
        snprintf(name, sizeof(name), "slot%u", slot++);
        json_put_string(answer, name, text);
    }
    json_put_integer(answer, "slots", slot - 1);
    return true;
}
