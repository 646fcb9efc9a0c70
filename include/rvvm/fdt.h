/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The device tree that the guest is given (devicetree specification 0.4). There are two ways to it:
 *
 * Changes to the finished tree, the machine's own or one of the user's, by path. They are kept, and made
 * at each power-on and reset in the order they were asked for:
 *
 *     rvvm_machine_fdt_set_string(machine, "/chosen", "example,greeting", "hello", &error);
 *     rvvm_machine_fdt_remove(machine, "/soc/rtc@101000", NULL, &error);
 *
 * And a device's own node, written by its describe callback (rvvm/device.h) while the tree is made.
 */
#ifndef RVVM_FDT_H
#define RVVM_FDT_H

#include <rvvm/machine.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * While the machine is not running. path: "/", "/soc/serial@10000000"; nodes that are missing are made.
 * Numbers become cells of 32 bits, big-endian. false: the path or name is none, or the tree would be too
 * large.
 */
RVVM_API bool rvvm_machine_fdt_set(struct rvvm_machine *machine, const char *path,
                                   const char *property, const void *bytes, size_t size,
                                   struct rvvm_error *error);
RVVM_API bool rvvm_machine_fdt_set_string(struct rvvm_machine *machine, const char *path,
                                          const char *property, const char *value,
                                          struct rvvm_error *error);
RVVM_API bool rvvm_machine_fdt_set_cells(struct rvvm_machine *machine, const char *path,
                                         const char *property, const uint32_t *cells, size_t count,
                                         struct rvvm_error *error);
RVVM_API bool rvvm_machine_fdt_add_node(struct rvvm_machine *machine, const char *path,
                                        struct rvvm_error *error);
/* property NULL: the node and all below it. What is not there is gone already. */
RVVM_API bool rvvm_machine_fdt_remove(struct rvvm_machine *machine, const char *path,
                                      const char *property, struct rvvm_error *error);

/*
 * The tree being written, for describe callbacks. Mistakes are kept: rvvm_machine_run then says that the
 * tree cannot be made. Properties come before child nodes. A name that begins with '/' makes a node of
 * the root; after its rvvm_fdt_end writing goes on in the node before.
 */
struct rvvm_fdt;
RVVM_API void rvvm_fdt_begin(struct rvvm_fdt *fdt, const char *node);
RVVM_API void rvvm_fdt_end(struct rvvm_fdt *fdt);
RVVM_API void rvvm_fdt_bytes(struct rvvm_fdt *fdt, const char *property, const void *bytes,
                             size_t size); /* size 0: a property that is there or not */
RVVM_API void rvvm_fdt_string(struct rvvm_fdt *fdt, const char *property, const char *value);
RVVM_API void rvvm_fdt_cells(struct rvvm_fdt *fdt, const char *property, const uint32_t *cells,
                             size_t count);

#ifdef __cplusplus
}
#endif

#endif
