/* SPDX-License-Identifier: MPL-2.0 */
/* New qcow2 images. */
#ifndef RVVM_BLOCK_QCOW2_CREATE_H
#define RVVM_BLOCK_QCOW2_CREATE_H

#include "base/error.h"
#include "host/image_file.h"
#include <stdbool.h>
#include <stdint.h>

/* 0 in a number: what is usual. */
struct qcow2_shape {
    uint64_t size;          /* bytes */
    unsigned version;       /* 2 or 3 (the default) */
    uint64_t cluster_size;  /* 512 to 2 MiB, 64 KiB */
    unsigned refcount_bits; /* 1 to 64, 16 */
    unsigned compression;   /* COMPRESSION_ZLIB or _ZSTD, for what is written compressed */
    bool lazy_refcounts, extended_l2;
    const char *backing, *backing_format; /* names to be written into it, NULL: none */
};

/* Writes an empty image to the empty file. */
bool qcow2_create(const struct image_file *file, const struct qcow2_shape *shape,
                  struct error *err);

#endif
