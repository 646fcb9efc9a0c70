/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Drives that are brought to a machine. It may be isolated and open no file, so that a guest which breaks out
 * cannot either: the image, and what it stands on, are opened here, with the rights of who brings them, and
 * their descriptors handed over. Trying them first has one more merit: what is wrong is said here.
 */
#include "ctl_parts.h"

#include "dev/drive.h"
#include "host/clock.h"
#include "host/file.h"
#include "host/image_file.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME_MAX 8192                /* of a file and what it is for */
#define PATIENCE_NS UINT64_C(60000000000) /* for the guest to let go of a drive; Linux takes 6 s */

/* With the folder in front, as the machine may be in another one; a comma in it is written twice. NULL: said
 * why. */
static char *absolute(const char *drive)
{
    char *folder = *drive ? file_folder_before(drive) : strdup("");
    char *whole = folder ? malloc(2 * strlen(folder) + strlen(drive) + 1) : NULL, *to = whole;
    for (const char *from = folder; whole && *from; from++) {
        *to++ = *from;
        if (*from == ',')
            *to++ = ',';
    }
    if (whole)
        strcpy(to, drive);
    else
        ctl_complain(drive, "the folder has no name");
    free(folder);
    return whole;
}

/* Opens what belongs to the drive. */
static bool collect(const char *type, const char *text, struct image_files *files)
{
    struct drive drive;
    struct error err = {0};
    enum drive_kind kind;
    if (!drive_kind_find(&kind, type)) {
        ctl_complain(type, "there is no such kind of drive: nvme, virtio-blk");
        return false;
    }
    bool ok = drive_parse(&drive, kind, text, &err);
    if (ok) {
        drive.image.files = files;
        ok = disk_collect(&drive.image, &err);
        drive_free(&drive);
    }
    if (!ok)
        ctl_complain("drive-add", err.text);
    return ok;
}

static bool hand_over(struct ctl *ctl, const char *type, const char *text,
                      const struct image_files *files)
{
    struct json_text request = {0};
    int fds[IMAGE_FILES_MAX];
    json_begin(&request);
    json_put_string(&request, "command", "drive-add");
    json_put_string(&request, "type", type);
    json_put_string(&request, "drive", text);
    for (unsigned i = 0; i < files->count; i++) {
        char name[16], value[FILE_NAME_MAX];
        snprintf(name, sizeof(name), "file%u", i);
        snprintf(value, sizeof(value), "%s %s", image_file_use_name(files->list[i].use),
                 files->list[i].path);
        json_put_string(&request, name, value);
        fds[i] = files->list[i].fd;
    }
    json_end(&request);
    if (ctl_send(ctl, &request, fds, files->count))
        return true;
    ctl_complain("the machine", "does not listen any more");
    return false;
}

bool ctl_add_drive(struct ctl *ctl, const char *type, const char *drive)
{
    struct image_files files = {.collects = true};
    struct json_object answer;
    uint64_t slot;
    char *text = absolute(drive);
    bool ok = text && collect(type, text, &files) && hand_over(ctl, type, text, &files) &&
              ctl_answer(ctl, "drive-add", &answer);
    if (ok && json_integer(&answer, "slot", UINT32_MAX, &slot))
        printf("slot: %" PRIu64 "\n", slot);
    image_files_close(&files);
    free(text);
    return ok;
}

static bool ask_for_events(struct ctl *ctl)
{
    struct json_text request = {0};
    struct json_object answer;
    json_begin(&request);
    json_put_string(&request, "command", "events");
    json_put_boolean(&request, "on", true);
    json_end(&request);
    return ctl_send(ctl, &request, NULL, 0) && ctl_answer(ctl, "events", &answer);
}

/* Until the machine says that the slot is empty. */
static bool await_removal(struct ctl *ctl, uint64_t slot)
{
    struct json_object line;
    ctl->deadline = clock_monotonic_ns() + PATIENCE_NS;
    while (ctl_next(ctl, &line)) {
        const char *event = json_string(&line, "event"), *state = json_string(&line, "state");
        uint64_t which;
        if (event && state && !strcmp(event, "drive") && !strcmp(state, "removed") &&
            json_integer(&line, "slot", UINT32_MAX, &which) && which == slot)
            return true;
    }
    if (!ctl->failed)
        ctl_complain("drive-remove", "the guest was asked and has not let go of it for a minute; "
                                     "`force` takes it all the same");
    return false;
}

bool ctl_remove_drive(struct ctl *ctl, const char *word, bool force)
{
    const uint64_t slot = strtoull(word, NULL, 0);
    struct json_text request = {0};
    struct json_object answer;
    bool gone = false;
    if (!ask_for_events(ctl))
        return false;
    json_begin(&request);
    json_put_string(&request, "command", "drive-remove");
    json_put_integer(&request, "slot", slot);
    json_put_boolean(&request, "force", force);
    json_end(&request);
    return ctl_send(ctl, &request, NULL, 0) && ctl_answer(ctl, "drive-remove", &answer) &&
           ((json_boolean(&answer, "gone", &gone) && gone) || await_removal(ctl, slot));
}
