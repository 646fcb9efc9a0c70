/* SPDX-License-Identifier: MPL-2.0 */
/* Snapshots that somebody has made in a qcow2 image. They are read, never made. */
#ifndef RVVM_BLOCK_QCOW2_SNAPSHOT_H
#define RVVM_BLOCK_QCOW2_SNAPSHOT_H

#include "block/qcow2/qcow2.h"

struct snapshot {
    char *id, *name; /* printable */
    uint64_t l1_offset, disk_size, seconds, state_size;
    uint32_t l1_size;
};

/* *list: of q->snapshot_count, to be freed. Sets q->snapshots_size. */
bool qcow2_read_snapshots(struct qcow2 *q, struct snapshot **list, struct error *err);
void qcow2_free_snapshots(struct snapshot *list, unsigned count);

/* Has the image show the snapshot of that name or, if there is none, id. Before L1 is loaded. */
bool qcow2_choose_snapshot(struct qcow2 *q, const char *which, struct error *err);

#endif
