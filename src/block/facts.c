/* SPDX-License-Identifier: MPL-2.0 */
/* What can be said of an image: facts.h. */
#include "block/facts.h"

#include "block/qcow2/qcow2.h"
#include "block/qcow2/snapshot.h"
#include <stdlib.h>
#include <string.h>

static bool add_snapshots(struct qcow2 *q, struct image_facts *facts, struct error *err)
{
    struct snapshot *list;
    if (!qcow2_read_snapshots(q, &list, err))
        return false;
    facts->snapshot_count = q->snapshot_count;
    facts->memory = list;
    facts->snapshots = calloc((size_t)q->snapshot_count + 1, sizeof(facts->snapshots[0]));
    if (!facts->snapshots)
        return error_set(err, "%s: out of memory", q->image.file.path);
    for (unsigned i = 0; i < q->snapshot_count; i++)
        facts->snapshots[i] =
            (struct snapshot_facts){list[i].id, list[i].name, list[i].disk_size, list[i].seconds};
    return true;
}

static void add_qcow2(struct qcow2 *q, struct image_facts *facts)
{
    facts->version = q->version;
    facts->refcount_bits = 1u << q->refcount_order;
    facts->cluster_size = q->cluster_size;
    facts->compression = q->compression == COMPRESSION_ZSTD ? "zstd" : "zlib";
    facts->lazy_refcounts = q->lazy;
    facts->extended_l2 = q->extended;
    facts->dirty = q->features[0] & INCOMPATIBLE_DIRTY;
    facts->corrupt = q->features[0] & INCOMPATIBLE_CORRUPT;
    facts->backing = q->backing_name;
    facts->backing_format = q->backing_format;
}

bool image_facts(struct image *image, struct image_facts *facts, struct error *err)
{
    *facts = (struct image_facts){.format = image->ops->name, .size = image->size};
    int error = image_file_size(&image->file, &facts->file_size);
    if (error)
        return error_set(err, "%s: cannot tell its size: %s", image->file.path, strerror(error));
    facts->allocated = image_file_allocated(&image->file);
    if (!image_is_qcow2(image))
        return true;
    add_qcow2(qcow2_of(image), facts);
    return add_snapshots(qcow2_of(image), facts, err);
}

void image_facts_free(struct image_facts *facts)
{
    qcow2_free_snapshots(facts->memory, facts->snapshot_count);
    free(facts->snapshots);
}
