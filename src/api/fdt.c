/* SPDX-License-Identifier: MPL-2.0 */
/* The device tree (rvvm/fdt.h): changes to the finished one, and the writer for devices' nodes. */
#include <rvvm/fdt.h>

#include "api/machine.h"
#include "machine/boot/device_tree.h"
#include "machine/fdt.h"
#include <stdlib.h>
#include <string.h>

static bool edit(struct rvvm_machine *rv, const struct tree_edit *edit, struct rvvm_error *error)
{
    struct error err;
    return (api_is_off(rv, "the device tree", &err) &&
            tree_edits_add(&rv->machine->tree_edits, edit, &err)) ||
           api_fail(error, &err);
}

bool rvvm_machine_fdt_set(struct rvvm_machine *rv, const char *path, const char *property,
                          const void *bytes, size_t size, struct rvvm_error *error)
{
    const struct tree_edit set = {TREE_EDIT_SET, path, property, bytes, size};
    return edit(rv, &set, error);
}

bool rvvm_machine_fdt_set_string(struct rvvm_machine *rv, const char *path, const char *property,
                                 const char *value, struct rvvm_error *error)
{
    return rvvm_machine_fdt_set(rv, path, property, value, strlen(value) + 1, error);
}

bool rvvm_machine_fdt_set_cells(struct rvvm_machine *rv, const char *path, const char *property,
                                const uint32_t *cells, size_t count, struct rvvm_error *error)
{
    struct error err;
    uint8_t *bytes = count <= DEVICE_TREE_MAX / 4 ? malloc(4 * count + 1) : NULL;
    if (!bytes) {
        error_set(&err, "device tree, %s: no room for %zu cells", path ? path : "", count);
        return api_fail(error, &err);
    }
    for (size_t i = 0; i < 4 * count; i++)
        bytes[i] = (uint8_t)(cells[i / 4] >> (24 - i % 4 * 8));
    bool ok = rvvm_machine_fdt_set(rv, path, property, bytes, 4 * count, error);
    free(bytes);
    return ok;
}

bool rvvm_machine_fdt_add_node(struct rvvm_machine *rv, const char *path, struct rvvm_error *error)
{
    const struct tree_edit add = {.kind = TREE_EDIT_NODE, .path = path};
    return edit(rv, &add, error);
}

bool rvvm_machine_fdt_remove(struct rvvm_machine *rv, const char *path, const char *property,
                             struct rvvm_error *error)
{
    const struct tree_edit remove = {.kind = property ? TREE_EDIT_REMOVE_PROPERTY
                                                      : TREE_EDIT_REMOVE_NODE,
                                     .path = path,
                                     .property = property};
    return edit(rv, &remove, error);
}

/*
 * The writer: struct rvvm_fdt is the inner one by another name.
 */

static struct fdt *writer(struct rvvm_fdt *fdt)
{
    return (struct fdt *)fdt;
}

void rvvm_fdt_begin(struct rvvm_fdt *fdt, const char *node)
{
    dt_begin_node(writer(fdt), "%s", node);
}

void rvvm_fdt_end(struct rvvm_fdt *fdt)
{
    dt_end_node(writer(fdt));
}

void rvvm_fdt_bytes(struct rvvm_fdt *fdt, const char *property, const void *bytes, size_t size)
{
    dt_prop_bytes(writer(fdt), property, size ? bytes : "", size);
}

void rvvm_fdt_string(struct rvvm_fdt *fdt, const char *property, const char *value)
{
    dt_prop_string(writer(fdt), property, value);
}

void rvvm_fdt_cells(struct rvvm_fdt *fdt, const char *property, const uint32_t *cells, size_t count)
{
    dt_prop_cells(writer(fdt), property, cells, count);
}
