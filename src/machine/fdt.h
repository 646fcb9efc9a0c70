/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The device tree being written, node by node, over libfdt.
 *
 * Errors stick: a describe() callback checks nothing, dt_finish tells. A device inside /soc writes
 *
 *     dt_begin_node(fdt, "serial@%" PRIx64, base);
 *     dt_prop_string(fdt, "compatible", "ns16550a");
 *     dt_prop_reg(fdt, base, size);
 *     dt_prop_irq(fdt, 10);
 *     dt_end_node(fdt);
 *
 * A name that begins with '/' makes a node of the root wherever the writer stands ("/poweroff");
 * after its dt_end_node writing goes on in the node before. Properties come before child nodes.
 */
#ifndef RVVM_MACHINE_FDT_H
#define RVVM_MACHINE_FDT_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fdt;

/* Fixed phandles, so that nodes can name each other in any order. */
enum dt_phandle {
    DT_PLIC = 1,
    DT_SYSCON = 2,
    DT_APLIC_M = 3,
    DT_APLIC_S = 4,
    DT_IMSIC_M = 5,
    DT_IMSIC_S = 6,
    DT_CPU0 = 0x100,  /* + hart */
    DT_INTC0 = 0x200, /* + hart: the hart's own interrupt controller */
};

struct dt_config {
    uint32_t irq_parent; /* phandle of the controller that devices' interrupts go to */
    unsigned irq_cells;  /* that an input takes: 1 the number, 2 the number and the kind */
    bool supervisor;     /* the reader starts in S-mode: nothing of M-mode's is its business */
};

/* In the middle of the root node. config may be NULL: a PLIC, and M-mode. NULL: no memory. */
struct fdt *dt_new(const struct dt_config *config);
bool dt_is_for_supervisor(const struct fdt *fdt);
void dt_free(struct fdt *fdt);
uint32_t dt_irq_parent(const struct fdt *fdt);
unsigned dt_irq_cells(const struct fdt *fdt);

void dt_begin_node(struct fdt *fdt, const char *format, ...) __attribute__((format(printf, 2, 3)));
void dt_end_node(struct fdt *fdt);

void dt_prop_empty(struct fdt *fdt, const char *name);
void dt_prop_u32(struct fdt *fdt, const char *name, uint32_t value);
void dt_prop_u64(struct fdt *fdt, const char *name, uint64_t value);
void dt_prop_string(struct fdt *fdt, const char *name, const char *value);
/* Several strings, the last argument is NULL. */
void dt_prop_strings(struct fdt *fdt, const char *name, ...) __attribute__((sentinel));
void dt_prop_cells(struct fdt *fdt, const char *name, const uint32_t *cells, size_t count);
void dt_prop_bytes(struct fdt *fdt, const char *name, const void *bytes, size_t size);

/* reg = <base size>, two cells each. */
void dt_prop_reg(struct fdt *fdt, uint64_t base, uint64_t size);
/* interrupts and interrupt-parent: an input of the interrupt controller, up while it is high. */
void dt_prop_irq(struct fdt *fdt, unsigned irq);
/* The node's own phandle. */
void dt_prop_phandle(struct fdt *fdt, unsigned phandle);

/* Closes the root; *blob is the caller's to free(). The writer is used up (dt_free it still). */
bool dt_finish(struct fdt *fdt, void **blob, size_t *size, struct error *err);

#endif
