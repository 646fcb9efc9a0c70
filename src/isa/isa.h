/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a hart is: register width, extensions, deepest page-table format. Made from the -cpu option;
 * the decoder, the CSRs and the device tree all follow it.
 */
#ifndef RVVM_ISA_ISA_H
#define RVVM_ISA_ISA_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum isa_ext {
#define EXT(symbol, name, on, needs) EXT_##symbol,
#include "isa/ext.def"
#undef EXT
    EXT_COUNT,
    EXT_NONE = -1,
};

struct isa {
    unsigned xlen; /* 32 or 64 */
    uint64_t ext;  /* bit EXT_x set: the extension is there */
    unsigned
        levels; /* most page-table levels satp accepts: 2 (Sv32), 3 (Sv39), 4 (Sv48), 5 (Sv57), 0: none */
};

static inline bool isa_has(const struct isa *isa, enum isa_ext ext)
{
    return isa->ext >> ext & 1;
}

/* The default processor of that width. */
void isa_default(struct isa *isa, unsigned xlen);

/*
 * Applies a -cpu option: "rv64" or "rv32" first (or nothing), then extensions by name with =on or
 * =off, and sv32, sv39, sv48, sv57 =on|off (on: announced up to that one; off: only below it):
 * "rv64,zfa=off,sv57=on". Switching an extension off switches off what needs it.
 */
bool isa_parse(struct isa *isa, const char *option, struct error *err);

/*
 * For the device tree. isa_string: "rv64imafdc_zicsr_..." into text; isa_list: the names one after
 * another, each with its NUL, as riscv,isa-extensions wants it. Both return the length (without
 * and with the last NUL) or 0 when it does not fit.
 */
size_t isa_string(const struct isa *isa, char *text, size_t size);
size_t isa_list(const struct isa *isa, char *list, size_t size);

#endif
