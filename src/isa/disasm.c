/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The disassembler: a mnemonic from the instruction table and operands as formats.def lays them out.
 * The text is what GNU objdump prints with -M no-aliases, a space standing for its tab.
 */
#include "isa/decode.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const layouts[FORMAT_COUNT] = {
#define FORMAT(name, text) [FORMAT_##name] = text,
#include "isa/formats.def"
#undef FORMAT
};

static const char x_names[32][5] = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
    "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

static const char f_names[32][5] = {
    "ft0", "ft1", "ft2", "ft3", "ft4",  "ft5",  "ft6", "ft7", "fs0",  "fs1",  "fa0",
    "fa1", "fa2", "fa3", "fa4", "fa5",  "fa6",  "fa7", "fs2", "fs3",  "fs4",  "fs5",
    "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
};

static const char *const rounding_names[8] = {"rne", "rtz", "rdn", "rup", "rmm"};

/* Runs of CSRs: the name is the stem, the number from `n` on, and the tail. */
static const struct csr_name {
    uint16_t first, last;
    int8_t n; /* negative: no number */
    const char *stem, *tail;
} csr_names[] = {
#define CSR_NAME(number, name) {number, number, -1, #name, ""},
#define CSR_NAMES(first, last, stem, n) {first, last, n, #stem, ""},
#define CSR_HIGH_NAMES(first, last, stem, n) {first, last, n, #stem, "h"},
#include "isa/csr_names.def"
#undef CSR_NAME
#undef CSR_NAMES
#undef CSR_HIGH_NAMES
};

struct line {
    char *text;
    size_t size, length; /* length: at most size - 1 */
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
    va_list args;
    size_t room = line->size - line->length;

    va_start(args, format);
    int length = vsnprintf(line->text + line->length, room, format, args);
    va_end(args);
    if (length > 0)
        line->length += (size_t)length < room ? (size_t)length : room - 1;
}

/* Dots for underscores; "_32" and "_pair" only tell apart entries of the table that share a name. */
static void put_mnemonic(struct line *line, const char *name)
{
    size_t length = strlen(name);

    if (length > 3 && !strcmp(name + length - 3, "_32"))
        length -= 3;
    else if (length > 5 && !strcmp(name + length - 5, "_pair"))
        length -= 5;
    for (size_t i = 0; i < length; i++)
        put(line, "%c", name[i] == '_' ? '.' : name[i]);
}

static void put_csr(struct line *line, unsigned csr)
{
    for (size_t i = 0; i < sizeof csr_names / sizeof *csr_names; i++) {
        const struct csr_name *c = &csr_names[i];
        if (csr < c->first || csr > c->last)
            continue;
        if (c->n < 0)
            put(line, "%s", c->stem);
        else
            put(line, "%s%u%s", c->stem, c->n + (csr - c->first), c->tail);
        return;
    }
    put(line, "0x%x", csr);
}

static void put_fence_set(struct line *line, unsigned set)
{
    static const char letters[] = "iorw";

    if (!set)
        put(line, "unknown"); /* objdump's word for the empty set */
    for (unsigned bit = 0; bit < 4; bit++)
        if (set & 8 >> bit)
            put(line, "%c", letters[bit]);
}

static void put_operand(struct line *line, const struct decoded *d, uint64_t pc, char what)
{
    switch (what) {
    case 'd':
        put(line, "%s", x_names[d->rd & 31]);
        break;
    case 's':
        put(line, "%s", x_names[d->rs1 & 31]);
        break;
    case 't':
        put(line, "%s", x_names[d->rs2 & 31]);
        break;
    case 'D':
        put(line, "%s", f_names[d->rd & 31]);
        break;
    case 'S':
        put(line, "%s", f_names[d->rs1 & 31]);
        break;
    case 'T':
        put(line, "%s", f_names[d->rs2 & 31]);
        break;
    case 'R':
        put(line, "%s", f_names[d->rs3 & 31]);
        break;
    case 'i':
        put(line, "%" PRId32, d->imm);
        break;
    case 'h':
        put(line, "0x%" PRIx32, (uint32_t)d->imm);
        break;
    case 'j':
        put(line, "0x%" PRIx64, pc + (uint64_t)(int64_t)d->imm);
        break;
    case 'u':
        put(line, "0x%" PRIx32, (uint32_t)d->imm >> 12);
        break;
    case 'c':
        put_csr(line, (unsigned)d->imm);
        break;
    case 'z':
    case 'l':
        put(line, "%u", d->rs1);
        break;
    case 'm': /* dynamic goes without saying */
        if (rounding_names[d->rm & 7])
            put(line, ",%s", rounding_names[d->rm & 7]);
        break;
    case 'p':
        put_fence_set(line, (unsigned)d->imm >> 4 & 15);
        put(line, ",");
        put_fence_set(line, (unsigned)d->imm & 15);
        break;
    default:
        put(line, "%c", what);
    }
}

static bool is_atomic(enum insn_format format)
{
    return format == FORMAT_A || format == FORMAT_AP || format == FORMAT_LR;
}

size_t isa_disassemble(const struct decoded *insn, uint64_t pc, char *text, size_t size)
{
    static const char *const order[4] = {"", ".rl", ".aq", ".aqrl"};
    struct line line = {text, size, 0};

    if (!size)
        return 0;
    *text = 0;
    if (insn->id >= INSN_COUNT)
        return 0;

    const struct insn_info *info = insn_info(insn->id);
    put_mnemonic(&line, info->name);
    if (is_atomic(info->format))
        put(&line, "%s", order[insn->rm & 3]);
    const char *layout = layouts[info->format];
    if (*layout)
        put(&line, " ");
    for (; *layout; layout++)
        put_operand(&line, insn, pc, *layout);
    return line.length;
}

size_t isa_csr_name(unsigned csr, char *text, size_t size)
{
    struct line line = {text, size, 0};

    put_csr(&line, csr);
    return line.length;
}
