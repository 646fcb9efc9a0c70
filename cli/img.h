/* SPDX-License-Identifier: GPL-3.0-only */
/* `rvvm img`: makes, examines and changes disk images. rvvm-img(1) is its manual. */
#ifndef RVVM_CLI_IMG_H
#define RVVM_CLI_IMG_H

#include "block/image.h"
#include "block/qcow2/create.h"

enum { IMG_FAILED = 1, IMG_USAGE = 2, IMG_LEAKS = 3, IMG_CORRUPT = 4 };

/* argv[0] is "img". Returns the exit status. */
int img_main(int argc, char **argv);

/* Its commands, or its options with their dashes, with spaces between. */
void img_list(bool commands, char *text, size_t size);

/* What a command was told; each uses what its table of options has. */
struct img {
    const char *format, *target_format; /* -f, -O */
    const char *operands[2];
    unsigned operand_count, operands_most;
    const char *backing, *backing_format, *compression, *snapshot;
    uint64_t cluster_size;
    unsigned refcount_bits, version;
    bool lazy_refcounts, subclusters, json, repair, compress, shrink, quiet, help;
};

int img_info(const struct img *img, struct error *err);
int img_convert(const struct img *img, struct error *err);

bool img_format(const char *name, enum disk_format *format, struct error *err);
struct image *img_open(const struct img *img, const char *path, bool write, struct error *err);
/* A new image at path, which is opened to be filled. */
struct image *img_create(const struct img *img, const char *path, enum disk_format format,
                         uint64_t size, struct error *err);

#endif
