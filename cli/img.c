/* SPDX-License-Identifier: GPL-3.0-only */
/* rvvm img: the commands, their options, and create, check and resize. */
#include "img.h"

#include "block/qcow2/check.h"
#include "host/file.h"
#include "options.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct img, member)

/* Of all commands; each takes some of them. */
static const struct option options[] = {
    {"f", "FORMAT", "raw or qcow2, of FILE or FROM", option_set_string, AT(format), false},
    {"O", "FORMAT", "raw or qcow2 (the default), of TO", option_set_string, AT(target_format),
     false},
    {"c", NULL, "compress (qcow2)", option_set_true, AT(compress), false},
    {"snapshot", "NAME", "what that snapshot in the image holds", option_set_string, AT(snapshot),
     false},
    {"b", "FILE", "backing file: what the image does not have is read there", option_set_string,
     AT(backing), false},
    {"F", "FORMAT", "of the backing file", option_set_string, AT(backing_format), false},
    {"cluster", "SIZE", "of qcow2: 64k unless said, 512 to 2M", option_set_size, AT(cluster_size),
     false},
    {"compression", "KIND", "zlib (the default) or zstd, for compressed clusters",
     option_set_string, AT(compression), false},
    {"lazy-refcounts", NULL, "fewer writes, counted anew after a crash", option_set_true,
     AT(lazy_refcounts), false},
    {"subclusters", NULL, "extended L2 entries: 32 parts a cluster", option_set_true,
     AT(subclusters), false},
    {"refcount-bits", "N", "1 to 64, 16 unless said", option_set_number, AT(refcount_bits), false},
    {"compat", "N", "version of the format: 3, or 2 for old programs", option_set_number,
     AT(version), false},
    {"json", NULL, "for programs", option_set_true, AT(json), false},
    {"r", NULL, "repair what is found", option_set_true, AT(repair), false},
    {"shrink", NULL, "allow a smaller size: what lies beyond it is lost", option_set_true,
     AT(shrink), false},
    {"q", NULL, "no progress on the terminal", option_set_true, AT(quiet), false},
    {"h", NULL, "this help", option_set_true, AT(help), true},
    {"help", NULL, NULL, option_set_true, AT(help), true},
};

enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

#define SHAPE " cluster compression lazy-refcounts subclusters refcount-bits compat "

/* Helpers */

bool img_format(const char *name, enum disk_format *format, struct error *err)
{
    *format = DISK_FORMAT_AUTO;
    if (!name)
        return true;
    if (!strcmp(name, "raw"))
        *format = DISK_FORMAT_RAW;
    else if (!strcmp(name, "qcow2"))
        *format = DISK_FORMAT_QCOW2;
    else
        return error_set(err, "%s: no such format; there are raw and qcow2", name);
    return true;
}

static void log_to_stderr(void *ctx, enum log_level level, const char *line)
{
    (void)ctx, (void)level;
    fprintf(stderr, "rvvm: %s\n", line);
}

static struct log stderr_log = {.sink = log_to_stderr, .level = LOG_WARN};

struct image *img_open(const struct img *img, const char *path, bool write, struct error *err)
{
    struct image_options options = {
        .path = path, .read_only = !write, .snapshot = img->snapshot, .log = &stderr_log};
    return img_format(img->format, &options.format, err) ? image_open(&options, err) : NULL;
}

static bool shape_of(const struct img *img, uint64_t size, struct qcow2_shape *shape,
                     struct error *err)
{
    *shape = (struct qcow2_shape){
        .size = size,
        .version = img->version,
        .cluster_size = img->cluster_size,
        .refcount_bits = img->refcount_bits,
        .lazy_refcounts = img->lazy_refcounts,
        .extended_l2 = img->subclusters,
        .backing = img->backing,
        .backing_format = img->backing_format,
    };
    if (img->version && img->version != 2 && img->version != 3)
        return error_set(err, "-compat %u: there are 2 and 3", img->version);
    if (!img->compression || !strcmp(img->compression, "zlib"))
        return true;
    shape->compression = COMPRESSION_ZSTD;
    return !strcmp(img->compression, "zstd") ||
           error_set(err, "-compression %s: there are zlib and zstd", img->compression);
}

struct image *img_create(const struct img *img, const char *path, enum disk_format format,
                         uint64_t size, struct error *err)
{
    struct image_file file;
    struct qcow2_shape shape;
    struct image_options options = {
        .path = path, .format = format, .log = &stderr_log, .no_backing = true};
    if (!shape_of(img, size, &shape, err) || !image_file_open(&file, path, IMAGE_FILE_CREATE, err))
        return NULL;
    struct image *image = NULL;
    int error = 0;
    if (format == DISK_FORMAT_RAW && !file.is_device)
        error = image_file_resize(&file, size);
    if (error)
        error_set(err, "%s: cannot have %" PRIu64 " bytes: %s", path, size, strerror(error));
    else if (format == DISK_FORMAT_RAW)
        image = raw_open(&options, &file, false, err);
    else if (qcow2_create(&file, &shape, err))
        image = qcow2_open(&options, &file, err);
    if (!image)
        image_file_close(&file);
    return image;
}

/* [+-]N[kMGT] */
static bool parse_size(const char *text, uint64_t old, uint64_t *size, struct error *err)
{
    static const struct option number = {.name = "size", .value = "SIZE"};
    struct error ignored;
    uint64_t n;
    bool relative = *text == '+' || *text == '-';
    if (!option_set_size(&n, &number, text + relative, &ignored) || n > INT64_MAX)
        return error_set(err, "%s: not a size (20G, 512M)", text);
    if (*text == '-' && n > old)
        return error_set(err, "%s: the disk has only %" PRIu64 " bytes", text, old);
    if (*text == '+' && n > INT64_MAX - old)
        return error_set(err, "%s: more than there can be", text);
    *size = *text == '+' ? old + n : *text == '-' ? old - n : n;
    return true;
}

/* create */

/* The backing file as the new image will find it; its size and format if they are not said. */
static bool examine_backing(struct img *img, const char *path, uint64_t *size, struct error *err)
{
    const char *slash = strrchr(path, '/');
    char at[4096];
    int folder = *img->backing == '/' || !slash ? 0 : (int)(slash + 1 - path);
    snprintf(at, sizeof(at), "%.*s%s", folder, path, img->backing);
    struct image_options options = {.path = at, .read_only = true, .log = &stderr_log};
    if (!img_format(img->backing_format, &options.format, err))
        return false;
    struct image *backing = image_open(&options, err);
    if (!backing)
        return false;
    bool itself = image_file_is(&backing->file, path);
    *size = backing->size;
    img->backing_format = backing->ops->name;
    image_close(backing);
    return !itself || error_set(err, "%s: cannot be its own backing file", path);
}

static int create(struct img *img, struct error *err)
{
    enum disk_format format;
    uint64_t size = 0;
    const char *path = img->operands[0];
    if (!img_format(img->format ? img->format : "qcow2", &format, err))
        return IMG_USAGE;
    if (img->backing && format == DISK_FORMAT_RAW) {
        error_set(err, "-b: a raw image has no backing file");
        return IMG_USAGE;
    }
    if (img->backing && !examine_backing(img, path, &size, err))
        return IMG_FAILED;
    if (img->operand_count > 1 && !parse_size(img->operands[1], 0, &size, err))
        return IMG_USAGE;
    if (img->operand_count < 2 && !img->backing) {
        error_set(err, "create: of which size? (20G)");
        return IMG_USAGE;
    }
    struct image *image = img_create(img, path, format, (size + 511) / 512 * 512, err);
    image_close(image);
    return image ? 0 : IMG_FAILED;
}

/* check */

static void say_finding(void *ctx, const char *line)
{
    (void)ctx;
    printf("%s\n", line);
}

static int check(struct img *img, struct error *err)
{
    struct image_options options = {.path = img->operands[0],
                                    .read_only = !img->repair,
                                    .no_backing = true,
                                    .for_check = true,
                                    .log = &stderr_log};
    if (!img_format(img->format, &options.format, err))
        return IMG_USAGE;
    struct image *image = image_open(&options, err);
    if (!image)
        return IMG_FAILED;
    if (!image_is_qcow2(image)) {
        printf("%s: raw: there is nothing to check\n", options.path);
        image_close(image);
        return 0;
    }
    struct qcow2_report report = {.say = say_finding};
    bool ok = qcow2_check((struct qcow2 *)image, img->repair, &report, err);
    image_close(image);
    if (!ok)
        return IMG_FAILED;
    printf("%s: %" PRIu64 " corruptions, %" PRIu64 " leaked clusters; %" PRIu64
           " clusters in use, %" PRIu64 " of them compressed\n",
           options.path, report.corruptions, report.leaks,
           report.data_clusters + report.compressed_clusters, report.compressed_clusters);
    bool found = report.corruptions || report.leaks;
    if (img->repair && found)
        printf("%s: repaired\n", options.path);
    return !found || img->repair ? 0 : report.corruptions ? IMG_CORRUPT : IMG_LEAKS;
}

/* resize */

static int resize(struct img *img, struct error *err)
{
    if (img->operand_count < 2) {
        error_set(err, "resize: to which size? (20G, +1G)");
        return IMG_USAGE;
    }
    struct image *image = img_open(img, img->operands[0], true, err);
    if (!image)
        return IMG_FAILED;
    uint64_t size;
    int status = IMG_USAGE;
    if (!parse_size(img->operands[1], image->size, &size, err)) {
        /* the message is there */
    } else if (image->file.is_device) {
        error_set(err, "%s: a block device has the size that it has", img->operands[0]);
    } else if (size < image->size && !img->shrink) {
        error_set(err, "%s: %" PRIu64 " bytes are less than it has: say -shrink to lose the rest",
                  img->operands[0], size);
    } else {
        size = (size + 511) / 512 * 512;
        status = size != image->size && image->ops->resize(image, size, err) ? IMG_FAILED : 0;
    }
    image_close(image);
    return status;
}

/* The commands */

static int info(struct img *img, struct error *err)
{
    return img_info(img, err);
}

static int convert(struct img *img, struct error *err)
{
    return img_convert(img, err);
}

static const struct command {
    const char *name, *operands, *help;
    unsigned least, most; /* operands */
    const char *takes;    /* options */
    int (*run)(struct img *img, struct error *err);
} commands[] = {
    {"create", "FILE [SIZE]", "makes an empty image", 1, 2, " f b F" SHAPE, create},
    {"info", "FILE", "says what an image is", 1, 1, " f json ", info},
    {"convert", "FROM TO", "copies an image into a new one", 2, 2, " f O c snapshot q" SHAPE,
     convert},
    {"check", "FILE", "looks for damage in a qcow2 image", 1, 1, " f r ", check},
    {"resize", "FILE [+-]SIZE", "changes the size of the disk", 1, 2, " f shrink ", resize},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static bool set_operand(void *ctx, const char *word, struct error *err)
{
    struct img *img = ctx;
    if (img->operand_count == img->operands_most)
        return error_set(err, "%s: one word too many", word);
    img->operands[img->operand_count++] = word;
    return true;
}

static void print_help(void)
{
    puts("rvvm img COMMAND [OPTION...]: disk images\n");
    for (unsigned i = 0; i < COMMANDS; i++)
        printf("  %-8s %-14s %s\n", commands[i].name, commands[i].operands, commands[i].help);
    puts("\nrvvm img COMMAND -h lists a command's options. rvvm-img(1) has the rest.");
}

static int say_error(const struct error *err, int status)
{
    fprintf(stderr, "rvvm: %s\n", err->text);
    return status;
}

/* The options that a command takes, in the order of the table. */
static void choose_options(const struct command *command, struct option *chosen)
{
    for (unsigned i = 0; i < OPTIONS; i++) {
        char word[32];
        snprintf(word, sizeof(word), " %s ", options[i].name);
        if (options[i].offset == AT(help) || strstr(command->takes, word))
            *chosen++ = options[i];
    }
    *chosen = (struct option){0};
}

static int run_command(const struct command *command, int argc, char **argv)
{
    struct img img = {.operands_most = command->most};
    struct option chosen[OPTIONS + 1];
    struct error err = {0};
    choose_options(command, chosen);
    if (!options_parse(chosen, &img, argc, argv, set_operand, &err))
        return say_error(&err, IMG_USAGE);
    if (img.help) {
        printf("rvvm img %s [OPTION...] %s: %s\n\n", command->name, command->operands,
               command->help);
        options_print(chosen, NULL);
        return 0;
    }
    if (img.operand_count < command->least) {
        error_set(&err, "%s: needs %s", command->name, command->operands);
        return say_error(&err, IMG_USAGE);
    }
    int status = command->run(&img, &err);
    return err.text[0] ? say_error(&err, status) : status;
}

void img_list(bool of_commands, char *text, size_t size)
{
    const unsigned count = of_commands ? COMMANDS : OPTIONS;
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s%s", i ? " " : "",
                                 of_commands ? "" : "-",
                                 of_commands ? commands[i].name : options[i].name);
}

int img_main(int argc, char **argv)
{
    struct error err = {0};
    const char *name = argc > 1 ? argv[1] : "";
    for (unsigned i = 0; i < COMMANDS; i++)
        if (!strcmp(name, commands[i].name))
            return run_command(&commands[i], argc - 1, argv + 1);
    if (!strcmp(name, "-h") || !strcmp(name, "-help") || !strcmp(name, "--help")) {
        print_help();
        return 0;
    }
    error_set(&err, "img%s%s: there are create, info, convert, check, resize", *name ? " " : "",
              name);
    return say_error(&err, IMG_USAGE);
}
