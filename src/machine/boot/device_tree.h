/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The device tree that is given to a guest: the machine's own, or the user's in its place, then in
 * both what follows from this boot.
 */
#ifndef RVVM_MACHINE_BOOT_DEVICE_TREE_H
#define RVVM_MACHINE_BOOT_DEVICE_TREE_H

#include "machine/boot/boot.h"

/* No system maps more than this early, and a tree of ours with 64 harts is a fiftieth of it. */
#define DEVICE_TREE_MAX (2u << 20)

/* Whether it is a device tree blob, whole and sound. */
bool device_tree_check(const struct boot_file *file, struct error *err);

/*
 * The tree for one start: from m->files.dtb or made, with main memory, command line and fresh seeds.
 * If there is an initrd its place is 0 until device_tree_set_initrd. *blob is the caller's to free().
 */
bool device_tree_make(struct machine *m, void **blob, size_t *size, struct error *err);

/* Changes no size. */
void device_tree_set_initrd(void *blob, uint64_t start, uint64_t end);

#endif
