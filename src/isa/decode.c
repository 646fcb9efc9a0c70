/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The decoder. An encoding is first sent to one of a few hundred buckets by the bits that nearly
 * every instruction fixes (32-bit: opcode and funct3; 16-bit: quadrant and funct3); the few
 * candidates there are tried in table order. Buckets hold only what the isa has.
 */
#include "isa/decode.h"

#include "isa/compressed.h"
#include "isa/needs.h"
#include <stdlib.h>

enum { WIDTH_RV = 3, WIDTH_RV32 = 1, WIDTH_RV64 = 2 };

static const struct insn_info insns[INSN_COUNT] = {
#define INSN(name, base, ext, format, match, mask, ...) \
    [INSN_##name] = {#name, match, mask, NEED_##ext, FORMAT_##format, WIDTH_##base},
#define CINSN(name, base, ext, format, match, mask, expansion)
#include "isa/insns.def"
#undef INSN
#undef CINSN
};

struct cinsn {
    uint16_t match, mask;
    uint16_t id; /* expansion */
    uint8_t format;
    uint8_t widths;
    uint64_t needs;
};

static const struct cinsn cinsns[] = {
#define INSN(name, base, ext, format, match, mask, ...)
#define CINSN(name, base, ext, format, match, mask, expansion) \
    {match, mask, INSN_##expansion, CFORMAT_##format, WIDTH_##base, NEED_##ext},
#include "isa/insns.def"
#undef INSN
#undef CINSN
};

#define CINSN_COUNT (sizeof(cinsns) / sizeof(cinsns[0]))
#define BUCKETS 256
#define CBUCKETS 32

struct decoder {
    bool rv64;
    uint16_t
        first[BUCKETS + 1]; /* bucket b is candidate[first[b]] to candidate[first[b + 1] - 1] */
    uint16_t cfirst[CBUCKETS + 1];
    uint16_t candidate[BUCKETS * 8 + INSN_COUNT * 8];
    uint16_t ccandidate[CINSN_COUNT];
};

static unsigned bucket_of(uint32_t bits)
{
    return (bits >> 2 & 31) << 3 | (bits >> 12 & 7);
}

static unsigned cbucket_of(uint32_t bits)
{
    return (bits & 3) << 3 | (bits >> 13 & 7);
}

static bool has(const struct isa *isa, uint64_t needs, unsigned widths)
{
    unsigned width = isa->xlen == 64 ? WIDTH_RV64 : WIDTH_RV32;
    return (widths & width) && (isa->ext & needs) == needs;
}

/* The buckets that an instruction may be in: one, or all of its opcode when it does not fix funct3. */
static unsigned buckets_of(const struct insn_info *info, unsigned *count)
{
    bool fixes = (info->mask >> 12 & 7) == 7;
    *count = fixes ? 1 : 8;
    return fixes ? bucket_of(info->match) : bucket_of(info->match) & ~7u;
}

/* Whether it belongs to bucket b of those: its mask may have a part of funct3. */
static bool is_in_bucket(const struct insn_info *info, unsigned b)
{
    return (((b & 7) << 12 ^ info->match) & info->mask & 0x7000) == 0;
}

/* First how many are in each bucket, then which; in the order of the table. */
static void fill_buckets(struct decoder *d, const struct isa *isa)
{
    uint16_t next[BUCKETS] = {0};
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned id = 0; id < INSN_COUNT; id++) {
            const struct insn_info *info = &insns[id];
            unsigned count, first = buckets_of(info, &count);
            if (!has(isa, info->needs, info->widths))
                continue;
            for (unsigned b = first; b < first + count; b++) {
                if (!is_in_bucket(info, b))
                    continue;
                if (pass)
                    d->candidate[d->first[b] + next[b]] = (uint16_t)id;
                next[b]++;
            }
        }
        if (pass)
            break;
        for (unsigned b = 0; b < BUCKETS; b++) {
            d->first[b + 1] = d->first[b] + next[b];
            next[b] = 0;
        }
    }
}

struct decoder *decoder_new(const struct isa *isa)
{
    struct decoder *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->rv64 = isa->xlen == 64;
    fill_buckets(d, isa);
    unsigned n = 0;
    for (unsigned b = 0; b < CBUCKETS; b++) {
        d->cfirst[b] = n;
        for (unsigned c = 0; c < CINSN_COUNT; c++)
            if (cbucket_of(cinsns[c].match) == b && has(isa, cinsns[c].needs, cinsns[c].widths))
                d->ccandidate[n++] = c;
    }
    d->cfirst[CBUCKETS] = n;
    return d;
}

void decoder_free(struct decoder *decoder)
{
    free(decoder);
}

const struct insn_info *insn_info(enum insn_id id)
{
    return &insns[id];
}

static int32_t imm_i(uint32_t bits)
{
    return (int32_t)bits >> 20;
}

static int32_t imm_s(uint32_t bits)
{
    return (int32_t)(bits & 0xfe000000) >> 20 | (bits >> 7 & 31);
}

static int32_t imm_b(uint32_t bits)
{
    return ((int32_t)(bits & 0x80000000) >> 19) | (bits & 0x80) << 4 | (bits >> 20 & 0x7e0) |
           (bits >> 7 & 0x1e);
}

static int32_t imm_j(uint32_t bits)
{
    return ((int32_t)(bits & 0x80000000) >> 11) | (bits & 0xff000) | (bits >> 9 & 0x800) |
           (bits >> 20 & 0x7fe);
}

/* Takes the fields of a 32-bit format. false: a reserved value. */
static bool fields(enum insn_format format, bool rv64, uint32_t bits, struct decoded *d)
{
    uint8_t rd = bits >> 7 & 31, rs1 = bits >> 15 & 31, rs2 = bits >> 20 & 31, rm = bits >> 12 & 7;
    switch (format) {
    case FORMAT_N:
        return true;
    case FORMAT_FENCEI:
        return true;
    case FORMAT_FENCE:
        d->imm = bits >> 20 & 0xff;
        return true;
    case FORMAT_R:
    case FORMAT_FR:
    case FORMAT_FX2:
    case FORMAT_FPX:
        d->rd = rd, d->rs1 = rs1, d->rs2 = rs2;
        return true;
    case FORMAT_A:
        d->rd = rd, d->rs1 = rs1, d->rs2 = rs2, d->rm = bits >> 25 & 3;
        return true;
    case FORMAT_AP:
        d->rd = rd, d->rs1 = rs1, d->rs2 = rs2, d->rm = bits >> 25 & 3;
        return !(rd & 1) && !(rs2 & 1);
    case FORMAT_LR:
        d->rd = rd, d->rs1 = rs1, d->rm = bits >> 25 & 3;
        return true;
    case FORMAT_R2:
    case FORMAT_FX1:
    case FORMAT_XF1:
        d->rd = rd, d->rs1 = rs1;
        return true;
    case FORMAT_I:
    case FORMAT_L:
    case FORMAT_JR:
    case FORMAT_FL:
        d->rd = rd, d->rs1 = rs1, d->imm = imm_i(bits);
        return true;
    case FORMAT_SH:
        d->rd = rd, d->rs1 = rs1, d->imm = bits >> 20 & 63;
        return rv64 || d->imm < 32;
    case FORMAT_SHW:
        d->rd = rd, d->rs1 = rs1, d->imm = rs2;
        return true;
    case FORMAT_S:
    case FORMAT_FS:
        d->rs1 = rs1, d->rs2 = rs2, d->imm = imm_s(bits);
        return true;
    case FORMAT_PF:
        d->rs1 = rs1, d->imm = imm_s(bits) & ~31;
        return true;
    case FORMAT_B:
        d->rs1 = rs1, d->rs2 = rs2, d->imm = imm_b(bits);
        return true;
    case FORMAT_U:
        d->rd = rd, d->imm = (int32_t)(bits & 0xfffff000);
        return true;
    case FORMAT_J:
        d->rd = rd, d->imm = imm_j(bits);
        return true;
    case FORMAT_CSR:
    case FORMAT_CSRI:
        d->rd = rd, d->rs1 = rs1, d->imm = bits >> 20;
        return true;
    case FORMAT_SF:
        d->rs1 = rs1, d->rs2 = rs2;
        return true;
    case FORMAT_CBO:
        d->rs1 = rs1;
        return true;
    case FORMAT_F4:
        d->rs3 = bits >> 27;
        /* fall through */
    case FORMAT_FRM:
        d->rs2 = rs2;
        /* fall through */
    case FORMAT_FR1M:
    case FORMAT_FXM:
    case FORMAT_XFM:
        d->rd = rd, d->rs1 = rs1, d->rm = rm;
        return rm != 5 && rm != 6;
    case FORMAT_FLI:
        d->rd = rd, d->rs1 = rs1;
        return true;
    case FORMAT_COUNT:
        break;
    }
    return false;
}

static bool decode_compressed(const struct decoder *decoder, uint16_t bits, struct decoded *out)
{
    unsigned b = cbucket_of(bits);
    for (unsigned n = decoder->cfirst[b]; n < decoder->cfirst[b + 1]; n++) {
        const struct cinsn *c = &cinsns[decoder->ccandidate[n]];
        if ((bits & c->mask) != c->match)
            continue;
        *out = (struct decoded){.id = c->id, .length = 2};
        return compressed_fields(c->format, decoder->rv64, bits, out);
    }
    return false;
}

bool isa_decode(const struct decoder *decoder, uint32_t bits, struct decoded *out)
{
    if (insn_length(bits) == 2)
        return decode_compressed(decoder, bits, out);
    unsigned b = bucket_of(bits);
    for (unsigned n = decoder->first[b]; n < decoder->first[b + 1]; n++) {
        unsigned id = decoder->candidate[n];
        if ((bits & insns[id].mask) != insns[id].match)
            continue;
        *out = (struct decoded){.id = id, .length = 4};
        return fields(insns[id].format, decoder->rv64, bits, out);
    }
    return false;
}
