/* SPDX-License-Identifier: MPL-2.0 */
/* A qcow2 image as struct image_ops sees it: what header.c puts into its table. */
#ifndef RVVM_BLOCK_QCOW2_OPEN_H
#define RVVM_BLOCK_QCOW2_OPEN_H

#include "block/qcow2/qcow2.h"

void qcow2_map_quickly(struct image *image, uint64_t offset, uint64_t size, bool write,
                       struct extent *extent);
void qcow2_unmap(struct image *image, unsigned epoch);
int qcow2_status(struct image *image, uint64_t offset, uint64_t size, struct extent *extent);
int qcow2_resize(struct image *image, uint64_t size, struct error *err);
void qcow2_free_struct(struct qcow2 *q);

#endif
