/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A program in a fresh address space: it and its interpreter (the dynamic linker) are mapped, arguments
 * and environment stand on its stack, as the kernel's binfmt_elf does it.
 */
#ifndef RVVM_USER_LOADER_H
#define RVVM_USER_LOADER_H

#include "user/elf.h"
#include "user/process.h"

struct image {
    struct elf program, interpreter;
    bool has_interpreter;
    uint64_t vdso; /* address of its ELF header */
};

/* stack.c: puts argc, argv, envp, auxv and their strings on the stack; notes in *p where. */
bool stack_fill(struct process *p, const struct image *image, struct error *err);

/* loader.c: everything but the vdso. The program's descriptor is open when it returns true: p->exe_fd. */
bool loader_load(struct process *p, struct error *err);

/* vdso.c: maps it and notes in *p where its parts are. */
bool vdso_map(struct process *p, struct image *image, struct error *err);

#endif
