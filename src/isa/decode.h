/* SPDX-License-Identifier: MPL-2.0 */
/*
 * From bits to operands. A decoder is made once for an isa and is read-only afterwards; any number
 * of threads may use it.
 *
 *     struct decoded d;
 *     if (!isa_decode(decoder, bits, &d))
 *         ... illegal instruction
 *     printf("%s", insn_info(d.id)->name);
 */
#ifndef RVVM_ISA_DECODE_H
#define RVVM_ISA_DECODE_H

#include "isa/isa.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum insn_id {
#define INSN(name, base, ext, format, match, mask, ...) INSN_##name,
#define CINSN(name, base, ext, format, match, mask, expansion)
#include "isa/insns.def"
#undef INSN
#undef CINSN
    INSN_COUNT
};

enum insn_format {
#define FORMAT(name, text) FORMAT_##name,
#include "isa/formats.def"
#undef FORMAT
    FORMAT_COUNT
};

struct insn_info {
    const char *name; /* mnemonic with dots */
    uint32_t match, mask;
    uint64_t needs; /* extensions, as bits of isa.ext */
    uint8_t format; /* enum insn_format */
    uint8_t widths; /* bit 0: rv32, bit 1: rv64 */
};

/* An instruction taken apart. Fields its format does not have are zero. */
struct decoded {
    uint16_t id;    /* enum insn_id; a compressed instruction has the id of its expansion */
    uint8_t length; /* bytes: 2 or 4 */
    uint8_t rd, rs1, rs2, rs3;
    uint8_t rm;  /* rounding mode field, 7: dynamic; atomics: aq << 1 | rl */
    int32_t imm; /* sign-extended; CSR number; shift amount; fence: pred << 4 | succ */
};

struct decoder;

struct decoder *decoder_new(const struct isa *isa); /* NULL: no memory */
void decoder_free(struct decoder *decoder);

/* bits: the instruction; of a 16-bit one only the low half counts. false: illegal instruction. */
bool isa_decode(const struct decoder *decoder, uint32_t bits, struct decoded *out);

const struct insn_info *insn_info(enum insn_id id);

static inline unsigned insn_length(uint32_t bits)
{
    return (bits & 3) == 3 ? 4 : 2;
}

/*
 * One line of assembly, "addi a0,a0,-1"; a compressed instruction reads as its expansion.
 * pc is the instruction's address. Returns the length of the text, cut to size.
 */
size_t isa_disassemble(const struct decoded *insn, uint64_t pc, char *text, size_t size);

/* The CSR's name, or its number for one that has none. The length, as above. */
size_t isa_csr_name(unsigned csr, char *text, size_t size);

#endif
