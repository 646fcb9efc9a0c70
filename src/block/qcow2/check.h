/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Does what a qcow2 image says of itself agree? Each cluster that a table points to is counted and
 * compared with its refcount.
 */
#ifndef RVVM_BLOCK_QCOW2_CHECK_H
#define RVVM_BLOCK_QCOW2_CHECK_H

#include "block/qcow2/qcow2.h"

struct qcow2_report {
    uint64_t corruptions; /* entries that cannot be, refcounts too low, flags that are wrong */
    uint64_t leaks;       /* clusters that nobody uses, refcounts too high */
    uint64_t data_clusters, compressed_clusters;
    uint64_t end; /* of what is in use, in the file */
    /* May be NULL: each finding, in a line. */
    void (*say)(void *ctx, const char *line);
    void *ctx;
};

/*
 * Nobody else uses the image. repair: makes it whole; entries that cannot be are cleared. False: it
 * could not be examined, err says why. What was found is in *report either way.
 */
bool qcow2_check(struct qcow2 *q, bool repair, struct qcow2_report *report, struct error *err);

/* Refcounts anew after an end without a close (lazy refcounts). */
bool qcow2_rebuild(struct qcow2 *q, struct error *err);

#endif
