/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A machine's memory as somebody outside sees it: main memory and what is run in place from flash.
 * Devices are left alone, whose reads may do something. The machine pauses, with load_lock held.
 */
#ifndef RVVM_DEBUG_MEMORY_H
#define RVVM_DEBUG_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct hart;
struct machine;

/* h: addresses are those of its current mode, and page rights do not matter; NULL: they are physical. How
 * many bytes could be read or written, from the first one on. */
size_t debug_read(struct machine *m, struct hart *h, uint64_t va, void *bytes, size_t size);
size_t debug_write(struct machine *m, struct hart *h, uint64_t va, const void *bytes, size_t size);

#endif
