/* SPDX-License-Identifier: GPL-3.0-only */
/* rvvm img convert. */
#include "img.h"

#include "block/convert.h"
#include "host/clock.h"
#include "host/terminal.h"
#include <inttypes.h>
#include <stdio.h>

#define PROGRESS_NS 100000000u

struct progress {
    uint64_t next; /* when it is to be shown again */
    bool shown;
};

static bool show(void *ctx, uint64_t done, uint64_t all)
{
    struct progress *p = ctx;
    uint64_t now = clock_monotonic_ns();
    if (now >= p->next || done == all) {
        fprintf(stderr, "\r%5.1f %%", all ? 100.0 * (double)done / (double)all : 100.0);
        p->next = now + PROGRESS_NS;
        p->shown = true;
    }
    return true;
}

static bool copy(const struct img *img, struct image *from, struct image *to, struct error *err)
{
    struct progress progress = {0};
    bool terminal = !img->quiet && terminal_is_tty(2);
    struct convert convert = {.from = from,
                              .to = to,
                              .compress = img->compress,
                              .progress = terminal ? show : NULL,
                              .ctx = &progress};
    bool ok = image_convert(&convert, err);
    if (progress.shown)
        fputc('\n', stderr);
    return ok;
}

int img_convert(const struct img *img, struct error *err)
{
    enum disk_format format;
    if (!img_format(img->target_format ? img->target_format : "qcow2", &format, err))
        return IMG_USAGE;
    if (img->compress && format == DISK_FORMAT_RAW) {
        error_set(err, "-c: a raw image is not compressed");
        return IMG_USAGE;
    }
    struct image *from = img_open(img, img->operands[0], false, err);
    if (!from)
        return IMG_FAILED;
    struct image *to = img_create(img, img->operands[1], format, from->size, err);
    bool ok = to && to->size >= from->size;
    if (to && !ok)
        error_set(err, "%s: too small for %" PRIu64 " bytes", img->operands[1], from->size);
    ok = ok && copy(img, from, to, err);
    image_close(to);
    image_close(from);
    return ok ? 0 : IMG_FAILED;
}
