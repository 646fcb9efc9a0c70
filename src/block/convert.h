/* SPDX-License-Identifier: MPL-2.0 */
/* Copying the disk that one image holds into another, which is new and empty. */
#ifndef RVVM_BLOCK_CONVERT_H
#define RVVM_BLOCK_CONVERT_H

#include "block/image.h"

struct convert {
    struct image *from, *to; /* to is at least as large */
    bool compress;           /* qcow2 only */
    /* May be NULL: how far it is, now and then. False: give up. */
    bool (*progress)(void *ctx, uint64_t done, uint64_t all);
    void *ctx;
};

/* What is zero takes no space in the new image. */
bool image_convert(const struct convert *convert, struct error *err);

#endif
