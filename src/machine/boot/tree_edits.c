/* SPDX-License-Identifier: MPL-2.0 */
/* Changes to a finished device tree: see tree_edits.h. Names are as the specification 0.4 has them, 2.2. */
#include "machine/boot/tree_edits.h"

#include "machine/boot/device_tree.h"
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#define NODE_NAME_MAX 63     /* more than the 31 and a unit address that the specification has */
#define PROPERTY_NAME_MAX 63 /* 31 in the specification; Linux has longer ones */
#define NODE_BYTES 16        /* the tokens that begin and end a node, and padding */
#define PROPERTY_BYTES 24    /* token, length, place of the name, padding */

/*
 * Taking them
 */

static bool is_name(const char *name, size_t length, size_t longest)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ,._+-?#@";
    if (!length || length > longest)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!name[i] || !strchr(letters, name[i]))
            return false;
    return true;
}

static bool is_path(const char *path)
{
    if (!path || path[0] != '/')
        return false;
    if (!path[1])
        return true;
    for (const char *name = path; *name;) {
        size_t length = strcspn(++name, "/");
        if (!is_name(name, length, NODE_NAME_MAX))
            return false;
        name += length;
    }
    return true;
}

static bool check(const struct tree_edit *edit, struct error *err)
{
    const bool property = edit->kind == TREE_EDIT_SET || edit->kind == TREE_EDIT_REMOVE_PROPERTY;
    if (!is_path(edit->path))
        return error_set(err, "device tree: '%s' is not the path of a node",
                         edit->path ? edit->path : "");
    if (edit->kind == TREE_EDIT_REMOVE_NODE && !edit->path[1])
        return error_set(err, "device tree: the root cannot be removed");
    if (property &&
        (!edit->property || !is_name(edit->property, strlen(edit->property), PROPERTY_NAME_MAX)))
        return error_set(err, "device tree, %s: '%s' is not the name of a property", edit->path,
                         edit->property ? edit->property : "");
    return true;
}

static size_t growth(const struct tree_edit *edit)
{
    size_t bytes = 2 * strlen(edit->path) + edit->size;
    for (const char *c = edit->path; *c; c++)
        bytes += *c == '/' ? NODE_BYTES : 0;
    return bytes + (edit->property ? PROPERTY_BYTES + strlen(edit->property) : 0);
}

static void free_edit(struct tree_edit *edit)
{
    free((char *)edit->path);
    free((char *)edit->property);
    free((void *)edit->bytes);
}

static bool copy(struct tree_edit *to, const struct tree_edit *from)
{
    void *bytes = malloc(from->size + 1);
    *to = (struct tree_edit){.kind = from->kind,
                             .path = strdup(from->path),
                             .property = from->property ? strdup(from->property) : NULL,
                             .bytes = bytes,
                             .size = from->size};
    if (!to->path || !to->bytes || (from->property && !to->property)) {
        free_edit(to);
        return false;
    }
    if (from->size)
        memcpy(bytes, from->bytes, from->size);
    return true;
}

bool tree_edits_add(struct tree_edits *edits, const struct tree_edit *edit, struct error *err)
{
    if (!check(edit, err))
        return false;
    const size_t bytes = edit->size > DEVICE_TREE_MAX ? edit->size : growth(edit);
    if (bytes > DEVICE_TREE_MAX - edits->room)
        return error_set(err, "device tree, %s: larger than a device tree can be", edit->path);
    struct tree_edit *all = realloc(edits->all, (edits->count + 1) * sizeof(*all));
    if (all)
        edits->all = all;
    if (!all || !copy(&all[edits->count], edit))
        return error_set(err, "out of memory");
    edits->count++;
    edits->room += bytes;
    return true;
}

void tree_edits_free(struct tree_edits *edits)
{
    for (unsigned i = 0; i < edits->count; i++)
        free_edit(&edits->all[i]);
    free(edits->all);
    *edits = (struct tree_edits){0};
}

/*
 * Applying them
 */

static int node_make(void *blob, const char *path)
{
    int node = 0;
    for (const char *name = path; node >= 0 && name[0] && name[1];) {
        int length = (int)strcspn(++name, "/");
        int next = fdt_subnode_offset_namelen(blob, node, name, length);
        node = next == -FDT_ERR_NOTFOUND ? fdt_add_subnode_namelen(blob, node, name, length) : next;
        name += length;
    }
    return node;
}

static int apply(const struct tree_edit *edit, void *blob)
{
    const bool makes = edit->kind == TREE_EDIT_NODE || edit->kind == TREE_EDIT_SET;
    int node = makes ? node_make(blob, edit->path) : fdt_path_offset(blob, edit->path), code = 0;
    if (node < 0)
        return node == -FDT_ERR_NOTFOUND && !makes ? 0 : node;
    if (edit->kind == TREE_EDIT_SET)
        code = fdt_setprop(blob, node, edit->property, edit->bytes, (int)edit->size);
    else if (edit->kind == TREE_EDIT_REMOVE_NODE)
        code = fdt_del_node(blob, node);
    else if (edit->kind == TREE_EDIT_REMOVE_PROPERTY)
        code = fdt_delprop(blob, node, edit->property);
    return code == -FDT_ERR_NOTFOUND ? 0 : code;
}

int tree_edits_apply(const struct tree_edits *edits, void *blob)
{
    int code = 0;
    for (unsigned i = 0; code >= 0 && i < edits->count; i++)
        code = apply(&edits->all[i], blob);
    return code;
}
