/* SPDX-License-Identifier: GPL-3.0-only */
/* rvvm img info: for people and for programs. */
#include "img.h"

#include "block/facts.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void print_bytes(const char *what, uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    unsigned unit = 0;
    double n = (double)bytes;
    for (; n >= 1024 && unit < 6; n /= 1024)
        unit++;
    if (unit)
        printf("%-16s %.4g %s (%" PRIu64 " bytes)\n", what, n, units[unit], bytes);
    else
        printf("%-16s %" PRIu64 " bytes\n", what, bytes);
}

/* Names come from the image: nothing of them reaches the terminal but what can be printed. */
static void print_name(const char *what, const char *name)
{
    printf("%-16s ", what);
    for (; *name; name++)
        putchar((unsigned char)*name < ' ' || *name == 0x7f ? '?' : *name);
    putchar('\n');
}

static void print_text(const char *path, const struct image_facts *f)
{
    print_name("file", path);
    printf("%-16s %s\n", "format", f->format);
    print_bytes("disk", f->size);
    print_bytes("takes", f->allocated);
    if (!f->version)
        return;
    printf("%-16s %u\n", "version", f->version);
    print_bytes("cluster", f->cluster_size);
    printf("%-16s %s\n", "compression", f->compression);
    printf("%-16s %u bits%s\n", "refcounts", f->refcount_bits, f->lazy_refcounts ? ", lazy" : "");
    if (f->extended_l2)
        printf("%-16s 32 a cluster\n", "subclusters");
    if (f->dirty || f->corrupt)
        printf("%-16s %s\n", "state",
               f->corrupt ? "marked as damaged" : "was not closed: refcounts are to be counted");
    if (f->backing)
        print_name("backing file", f->backing);
    if (f->backing && f->backing_format)
        print_name("its format", f->backing_format);
    for (unsigned i = 0; i < f->snapshot_count; i++) {
        const struct snapshot_facts *s = &f->snapshots[i];
        char when[32] = "";
        time_t seconds = (time_t)s->seconds;
        struct tm tm;
        if (gmtime_r(&seconds, &tm))
            strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
        printf("%-16s %s: %s, %s, %" PRIu64 " bytes\n", i ? "" : "snapshots", s->id, s->name, when,
               s->size);
    }
}

static void print_json_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < ' ' || c == 0x7f)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void print_member(const char *name, const char *text)
{
    printf(",\n  \"%s\": ", name);
    print_json_text(text);
}

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

static void print_json(const char *path, const struct image_facts *f)
{
    printf("{\n  \"filename\": ");
    print_json_text(path);
    print_member("format", f->format);
    printf(",\n  \"virtual-size\": %" PRIu64 ",\n  \"file-size\": %" PRIu64
           ",\n  \"actual-size\": %" PRIu64,
           f->size, f->file_size, f->allocated);
    if (f->version) {
        printf(",\n  \"version\": %u,\n  \"cluster-size\": %" PRIu64 ",\n  \"refcount-bits\": %u",
               f->version, f->cluster_size, f->refcount_bits);
        print_member("compression", f->compression);
        printf(",\n  \"lazy-refcounts\": %s,\n  \"subclusters\": %s,\n  \"dirty\": %s"
               ",\n  \"corrupt\": %s",
               truth(f->lazy_refcounts), truth(f->extended_l2), truth(f->dirty), truth(f->corrupt));
    }
    if (f->backing)
        print_member("backing-filename", f->backing);
    if (f->backing && f->backing_format)
        print_member("backing-format", f->backing_format);
    printf(",\n  \"snapshots\": [");
    for (unsigned i = 0; i < f->snapshot_count; i++) {
        printf("%s\n    {\"id\": ", i ? "," : "");
        print_json_text(f->snapshots[i].id);
        printf(", \"name\": ");
        print_json_text(f->snapshots[i].name);
        printf(", \"virtual-size\": %" PRIu64 ", \"date\": %" PRIu64 "}", f->snapshots[i].size,
               f->snapshots[i].seconds);
    }
    printf("%s]\n}\n", f->snapshot_count ? "\n  " : "");
}

int img_info(const struct img *img, struct error *err)
{
    /* A running machine's image may be looked at: nothing but its header is read. */
    struct image_options options = {
        .path = img->operands[0], .read_only = true, .unlocked = true, .no_backing = true};
    if (!img_format(img->format, &options.format, err))
        return IMG_USAGE;
    struct image *image = image_open(&options, err);
    struct image_facts facts;
    if (!image)
        return IMG_FAILED;
    bool ok = image_facts(image, &facts, err);
    if (ok && img->json)
        print_json(options.path, &facts);
    else if (ok)
        print_text(options.path, &facts);
    image_facts_free(&facts);
    image_close(image);
    return ok ? 0 : IMG_FAILED;
}
