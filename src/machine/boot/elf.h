/* SPDX-License-Identifier: MPL-2.0 */
/*
 * ELF executables for bare machines: segments go to their physical addresses. Position-independent
 * ones (OpenSBI's, which relocate themselves) go to where they are told.
 */
#ifndef RVVM_MACHINE_BOOT_ELF_H
#define RVVM_MACHINE_BOOT_ELF_H

#include "base/elf.h"
#include "machine/boot/plan.h"

/*
 * Whether it is an executable for a RISC-V processor of that width, its headers within the file.
 * Says why not.
 */
bool elf_check(const char *path, const void *bytes, size_t size, unsigned xlen, struct error *err);

/* Plans the segments. pie_base: where a position-independent file begins. *entry is physical. */
bool elf_plan(struct plan *plan, const char *path, const void *bytes, size_t size, unsigned xlen,
              uint64_t pie_base, uint64_t *entry, struct error *err);

#endif
