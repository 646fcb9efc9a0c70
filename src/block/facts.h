/* SPDX-License-Identifier: MPL-2.0 */
/* What can be said of an image, for people who look at it. */
#ifndef RVVM_BLOCK_FACTS_H
#define RVVM_BLOCK_FACTS_H

#include "block/image.h"

struct snapshot_facts {
    const char *id, *name;
    uint64_t size, seconds; /* of the disk; since 1970 */
};

struct image_facts {
    const char *format;
    uint64_t size, file_size, allocated; /* of the disk; of its file; bytes that it takes */
    /* qcow2 only, version 0 otherwise */
    unsigned version, refcount_bits;
    uint64_t cluster_size;
    const char *compression;
    bool lazy_refcounts, extended_l2, dirty, corrupt;
    const char *backing, *backing_format; /* as the image names them, NULL: none */
    unsigned snapshot_count;
    struct snapshot_facts *snapshots;
    void *memory; /* that holds them */
};

/* What is pointed to lives as long as the image, and until image_facts_free. */
bool image_facts(struct image *image, struct image_facts *facts, struct error *err);
void image_facts_free(struct image_facts *facts);

#endif
