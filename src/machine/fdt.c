/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Device tree writer over libfdt's sequential interface, in buffers that grow.
 *
 * The sequential interface keeps nodes in the order they are written (its read-write one puts new
 * nodes first, and Linux numbers harts by order), but it cannot go back to the root. So root nodes
 * that a device asks for from inside /soc go to a second tree, copied in at the end.
 */
#include "machine/fdt.h"
#include <libfdt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DT_FIRST_SIZE 16384
#define DT_MAX_SIZE (4u << 20)
#define DT_NAME_MAX 64

struct dt_tree {
    void *blob; /* NULL: not begun */
    int size;   /* bytes of blob */
    int depth;  /* open nodes, the root included */
};

struct fdt {
    struct dt_tree main, tail;
    struct dt_tree *now; /* where writing goes on */
    int error;           /* first libfdt error, 0: none */
    struct dt_config config;
};

static void dt_fail(struct fdt *fdt, int code)
{
    if (!fdt->error)
        fdt->error = code;
}

/* libfdt said there is no room: a larger buffer. true: try again. */
static bool dt_grow(struct fdt *fdt, int code)
{
    struct dt_tree *tree = fdt->now;
    int size = tree->size * 2;
    if (code != -FDT_ERR_NOSPACE || size > (int)DT_MAX_SIZE) {
        dt_fail(fdt, code);
        return false;
    }
    void *blob = calloc(1, (size_t)size);
    code = blob ? fdt_resize(tree->blob, blob, size) : -FDT_ERR_NOSPACE;
    if (code < 0) {
        free(blob);
        dt_fail(fdt, code);
        return false;
    }
    free(tree->blob);
    tree->blob = blob;
    tree->size = size;
    return true;
}

static bool dt_tree_start(struct fdt *fdt, struct dt_tree *tree)
{
    tree->size = DT_FIRST_SIZE;
    tree->blob = calloc(1, DT_FIRST_SIZE);
    if (!tree->blob) {
        dt_fail(fdt, -FDT_ERR_NOSPACE);
        return false;
    }
    int code = fdt_create(tree->blob, tree->size);
    if (!code)
        code = fdt_finish_reservemap(tree->blob);
    if (!code)
        code = fdt_begin_node(tree->blob, "");
    if (code) {
        dt_fail(fdt, code);
        return false;
    }
    tree->depth = 1;
    return true;
}

struct fdt *dt_new(const struct dt_config *config)
{
    struct fdt *fdt = calloc(1, sizeof(*fdt));
    if (!fdt)
        return NULL;
    fdt->config = config ? *config : (struct dt_config){.irq_parent = DT_PLIC, .irq_cells = 1};
    fdt->now = &fdt->main;
    if (!dt_tree_start(fdt, &fdt->main)) {
        dt_free(fdt);
        return NULL;
    }
    return fdt;
}

void dt_free(struct fdt *fdt)
{
    if (!fdt)
        return;
    free(fdt->main.blob);
    free(fdt->tail.blob);
    free(fdt);
}

bool dt_is_for_supervisor(const struct fdt *fdt)
{
    return fdt->config.supervisor;
}

uint32_t dt_irq_parent(const struct fdt *fdt)
{
    return fdt->config.irq_parent;
}

unsigned dt_irq_cells(const struct fdt *fdt)
{
    return fdt->config.irq_cells;
}

static void dt_begin_named(struct fdt *fdt, const char *name)
{
    int code;
    if (fdt->error)
        return;
    while ((code = fdt_begin_node(fdt->now->blob, name)) && dt_grow(fdt, code))
        ;
    fdt->now->depth++;
}

void dt_begin_node(struct fdt *fdt, const char *format, ...)
{
    char name[DT_NAME_MAX];
    va_list args;
    if (fdt->error)
        return;
    va_start(args, format);
    int length = vsnprintf(name, sizeof(name), format, args);
    va_end(args);
    if (length < 0 || length >= (int)sizeof(name)) {
        dt_fail(fdt, -FDT_ERR_BADVALUE);
        return;
    }
    if (name[0] != '/') {
        dt_begin_named(fdt, name);
        return;
    }
    if (fdt->now == &fdt->tail || (!fdt->tail.blob && !dt_tree_start(fdt, &fdt->tail))) {
        dt_fail(fdt, -FDT_ERR_BADSTATE);
        return;
    }
    fdt->now = &fdt->tail;
    dt_begin_named(fdt, name + 1);
}

void dt_end_node(struct fdt *fdt)
{
    int code;
    if (fdt->error)
        return;
    if (fdt->now->depth <= 1) {
        dt_fail(fdt, -FDT_ERR_BADSTATE);
        return;
    }
    while ((code = fdt_end_node(fdt->now->blob)) && dt_grow(fdt, code))
        ;
    fdt->now->depth--;
    if (fdt->now == &fdt->tail && fdt->tail.depth == 1)
        fdt->now = &fdt->main;
}

void dt_prop_bytes(struct fdt *fdt, const char *name, const void *bytes, size_t size)
{
    int code;
    if (fdt->error)
        return;
    if (size > DT_MAX_SIZE) {
        dt_fail(fdt, -FDT_ERR_NOSPACE);
        return;
    }
    while ((code = fdt_property(fdt->now->blob, name, bytes, (int)size)) && dt_grow(fdt, code))
        ;
}

void dt_prop_empty(struct fdt *fdt, const char *name)
{
    dt_prop_bytes(fdt, name, "", 0);
}

void dt_prop_u32(struct fdt *fdt, const char *name, uint32_t value)
{
    dt_prop_cells(fdt, name, &value, 1);
}

void dt_prop_u64(struct fdt *fdt, const char *name, uint64_t value)
{
    uint32_t cells[] = {(uint32_t)(value >> 32), (uint32_t)value};
    dt_prop_cells(fdt, name, cells, 2);
}

void dt_prop_string(struct fdt *fdt, const char *name, const char *value)
{
    dt_prop_bytes(fdt, name, value, strlen(value) + 1);
}

void dt_prop_strings(struct fdt *fdt, const char *name, ...)
{
    char list[512];
    size_t used = 0;
    va_list args;
    va_start(args, name);
    for (const char *s; (s = va_arg(args, const char *));) {
        size_t size = strlen(s) + 1;
        if (size > sizeof(list) - used) {
            dt_fail(fdt, -FDT_ERR_NOSPACE);
            break;
        }
        memcpy(list + used, s, size);
        used += size;
    }
    va_end(args);
    dt_prop_bytes(fdt, name, list, used);
}

void dt_prop_cells(struct fdt *fdt, const char *name, const uint32_t *cells, size_t count)
{
    if (fdt->error)
        return;
    fdt32_t *out = count <= DT_MAX_SIZE / 4 ? malloc(count * 4 + 1) : NULL;
    if (!out) {
        dt_fail(fdt, -FDT_ERR_NOSPACE);
        return;
    }
    for (size_t i = 0; i < count; i++)
        out[i] = cpu_to_fdt32(cells[i]);
    dt_prop_bytes(fdt, name, out, count * 4);
    free(out);
}

void dt_prop_reg(struct fdt *fdt, uint64_t base, uint64_t size)
{
    uint32_t cells[] = {(uint32_t)(base >> 32), (uint32_t)base, (uint32_t)(size >> 32),
                        (uint32_t)size};
    dt_prop_cells(fdt, "reg", cells, 4);
}

void dt_prop_irq(struct fdt *fdt, unsigned irq)
{
    const uint32_t level_high = 4, cells[] = {irq, level_high};
    dt_prop_cells(fdt, "interrupts", cells, fdt->config.irq_cells);
    dt_prop_u32(fdt, "interrupt-parent", fdt->config.irq_parent);
}

void dt_prop_phandle(struct fdt *fdt, unsigned phandle)
{
    dt_prop_u32(fdt, "phandle", phandle);
}

/* The nodes of the second tree, in order, into the root of the first. */
static void dt_copy_tail(struct fdt *fdt)
{
    const void *tail = fdt->tail.blob;
    int depth = 0, level = 0;
    for (int node = fdt_next_node(tail, 0, &depth); node >= 0 && depth > 0;
         node = fdt_next_node(tail, node, &depth)) {
        for (; level >= depth; level--)
            dt_end_node(fdt);
        dt_begin_named(fdt, fdt_get_name(tail, node, NULL));
        level = depth;
        int prop;
        fdt_for_each_property_offset(prop, tail, node)
        {
            const char *name;
            int size;
            const void *value = fdt_getprop_by_offset(tail, prop, &name, &size);
            if (value)
                dt_prop_bytes(fdt, name, value, (size_t)size);
        }
    }
    for (; level > 0; level--)
        dt_end_node(fdt);
}

/* Ends the root of the tree that is written now. */
static void dt_close(struct fdt *fdt)
{
    int code;
    if (fdt->error)
        return;
    while ((code = fdt_end_node(fdt->now->blob)) && dt_grow(fdt, code))
        ;
    while (!fdt->error && (code = fdt_finish(fdt->now->blob)) && dt_grow(fdt, code))
        ;
}

bool dt_finish(struct fdt *fdt, void **blob, size_t *size, struct error *err)
{
    if (!fdt->error && (fdt->now != &fdt->main || fdt->main.depth != 1))
        dt_fail(fdt, -FDT_ERR_BADSTATE);
    if (!fdt->error && fdt->tail.blob) {
        fdt->now = &fdt->tail;
        dt_close(fdt);
        fdt->now = &fdt->main;
        if (!fdt->error)
            dt_copy_tail(fdt);
    }
    dt_close(fdt);
    if (fdt->error)
        return error_set(err, "the device tree cannot be made: %s", fdt_strerror(fdt->error));
    *blob = fdt->main.blob;
    *size = fdt_totalsize(fdt->main.blob);
    fdt->main.blob = NULL;
    return true;
}
