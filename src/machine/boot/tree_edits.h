/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the user of a machine wants to be different in its device tree: properties to set, nodes to make
 * or to take away. Kept, and applied in their order to the tree of each start, the last thing that is
 * done to it.
 */
#ifndef RVVM_MACHINE_BOOT_TREE_EDITS_H
#define RVVM_MACHINE_BOOT_TREE_EDITS_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

enum tree_edit_kind {
    TREE_EDIT_NODE, /* it is made, if it is not there */
    TREE_EDIT_SET,  /* a property; the node is made too */
    TREE_EDIT_REMOVE_NODE,
    TREE_EDIT_REMOVE_PROPERTY,
};

struct tree_edit {
    enum tree_edit_kind kind;
    const char *path;     /* of the node, from the root: "/soc/serial@10000000" */
    const char *property; /* NULL for nodes */
    const void *bytes;
    size_t size;
};

struct tree_edits {
    struct tree_edit *all;
    unsigned count;
    size_t room; /* bytes by which a tree may grow */
};

/* Copies the edit. false: it is none that could be made. */
bool tree_edits_add(struct tree_edits *edits, const struct tree_edit *edit, struct error *err);
void tree_edits_free(struct tree_edits *edits);

/* How many bytes a tree may grow by. */
static inline size_t tree_edits_room(const struct tree_edits *edits)
{
    return edits->room;
}

/* In a blob with that room. libfdt's error code; 0: none. What is to go and is not there is gone. */
int tree_edits_apply(const struct tree_edits *edits, void *blob);

#endif
