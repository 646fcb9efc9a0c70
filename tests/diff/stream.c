/* SPDX-License-Identifier: GPL-3.0-only */
/* Units of a block: see stream.h. */
#include "stream.h"

#include "isa/needs.h"
#include "layout.h"
#include <string.h>

/* The instruction table as templates: every entry, compressed ones too. */
struct entry {
    uint32_t match, mask;
    uint64_t needs;
    uint16_t id; /* what it decodes to */
    uint8_t length;
    uint8_t widths;
};

enum { WIDTH_RV = 3, WIDTH_RV32 = 1, WIDTH_RV64 = 2 };

static const struct entry entries[] = {
#define INSN(name, base, ext, format, match, mask, ...) \
    {match, mask, NEED_##ext, INSN_##name, 4, WIDTH_##base},
#define CINSN(name, base, ext, format, match, mask, expansion) \
    {match, mask, NEED_##ext, INSN_##expansion, 2, WIDTH_##base},
#include "isa/insns.def"
#undef INSN
#undef CINSN
};
#define ENTRIES (sizeof entries / sizeof *entries)

#define BIT(ext) (UINT64_C(1) << EXT_##ext)

/* What a group's blocks are made of: most of its own extensions, the rest of all. */
struct group {
    const char *name;
    uint64_t own;   /* extensions */
    uint64_t never; /* extensions left out altogether */
    bool compressed;
    bool system; /* traps, CSRs and privileged instructions */
};

#define NEW (BIT(ZICOND) | BIT(ZFA) | BIT(ZCB) | BIT(ZACAS) | BIT(ZABHA))

static const struct group groups[] = {
    {"integer", BIT(I) | BIT(M), 0, false, false},
    {"float", BIT(F) | BIT(D) | BIT(ZFHMIN), 0, false, false},
    {"compressed", BIT(ZCA) | BIT(ZCF) | BIT(ZCD) | BIT(C), 0, true, false},
    {"bitmanip", BIT(ZBA) | BIT(ZBB) | BIT(ZBC) | BIT(ZBS), 0, false, false},
    {"atomics", BIT(ZALRSC) | BIT(ZAAMO), 0, false, false},
    {"traps", BIT(ZICSR) | BIT(I), 0, false, true},
    {"paging", BIT(I) | BIT(F) | BIT(D) | BIT(ZALRSC) | BIT(ZAAMO), BIT(ZICSR), false, false},
    {"newer", NEW, 0, false, false},
};

static uint16_t own[ENTRIES], other[ENTRIES];
static unsigned own_count, other_count;

uint64_t random_bits(struct random *r)
{
    /* splitmix64: any seed will do, and nearby seeds give unlike numbers */
    uint64_t z = r->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

const struct group *group_find(const char *name)
{
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (!strcmp(groups[i].name, name))
            return &groups[i];
    return NULL;
}

bool stream_init(struct stream *s)
{
    unsigned width = s->isa.xlen == 64 ? WIDTH_RV64 : WIDTH_RV32;

    own_count = other_count = 0;
    for (unsigned i = 0; i < ENTRIES; i++) {
        const struct entry *e = &entries[i];
        if (!(e->widths & width) || (s->isa.ext & e->needs) != e->needs ||
            (e->needs & s->group->never))
            continue;
        bool mine = s->group->compressed ? e->length == 2 : (e->needs & s->group->own) != 0;
        if (mine)
            own[own_count++] = i;
        else
            other[other_count++] = i;
    }
    return own_count && other_count;
}

static void put(struct stream *s, uint32_t bits, unsigned length)
{
    if (s->length + length > s->room)
        return;
    memcpy(s->code + s->length, &bits, length); /* hosts that run this are little-endian */
    s->length += length;
    s->instructions++;
}

static uint32_t here(const struct stream *s)
{
    return s->base + s->length;
}

static bool may_write(const struct stream *s, unsigned reg)
{
    return !(s->kept >> reg & 1);
}

/* A register that may be written, not x0. */
static unsigned free_register(struct stream *s)
{
    for (;;) {
        unsigned reg = 1 + random_below(&s->random, 31);
        if (may_write(s, reg))
            return reg;
    }
}

static void put_i(struct stream *s, enum insn_id id, unsigned rd, unsigned rs1, int32_t imm)
{
    put(s, insn_info(id)->match | rd << 7 | rs1 << 15 | (uint32_t)imm << 20, 4);
}

static void put_auipc(struct stream *s, unsigned rd, uint32_t hi)
{
    put(s, insn_info(INSN_auipc)->match | rd << 7 | (hi & 0xfffff000), 4);
}

/* rd = address, not counting the last instruction's 12 bits, which are returned. */
static int32_t put_address_high(struct stream *s, unsigned rd, uint32_t address)
{
    uint32_t delta = address - here(s), hi = (delta + 0x800) & 0xfffff000;
    put_auipc(s, rd, hi);
    return (int32_t)(delta - hi);
}

static void put_address(struct stream *s, unsigned rd, uint32_t address)
{
    int32_t low = put_address_high(s, rd, address);
    put_i(s, INSN_addi, rd, rd, low);
}

void stream_exit(struct stream *s, unsigned keep)
{
    int32_t low = put_address_high(s, keep, EXITS_BASE + keep * EXIT_SIZE);
    put_i(s, INSN_jalr, keep, keep, low);
}

static uint32_t encode_b(uint32_t offset)
{
    return (offset >> 12 & 1) << 31 | (offset >> 5 & 63) << 25 | (offset >> 1 & 15) << 8 |
           (offset >> 11 & 1) << 7;
}

static uint32_t encode_j(uint32_t offset)
{
    return (offset >> 20 & 1) << 31 | (offset >> 1 & 1023) << 21 | (offset >> 11 & 1) << 20 |
           (offset >> 12 & 255) << 12;
}

/* Does the format write integer register rd? */
static bool writes_integer(enum insn_format format)
{
    switch (format) {
    case FORMAT_N:
    case FORMAT_S:
    case FORMAT_B:
    case FORMAT_FENCE:
    case FORMAT_FENCEI:
    case FORMAT_PF:
    case FORMAT_SF:
    case FORMAT_CBO:
    case FORMAT_FL:
    case FORMAT_FS:
    case FORMAT_F4:
    case FORMAT_FRM:
    case FORMAT_FR1M:
    case FORMAT_FR:
    case FORMAT_XFM:
    case FORMAT_XF1:
    case FORMAT_FLI:
    case FORMAT_FPX:
        return false;
    default:
        return true;
    }
}

/* Random bits in the template, until they are that instruction and write nothing that is kept. */
static bool instance(struct stream *s, const struct entry *e, uint32_t *bits, struct decoded *d)
{
    for (unsigned tries = 0; tries < 200; tries++) {
        uint32_t random = random_bits(&s->random);
        *bits = (e->match | (random & ~e->mask)) & (e->length == 2 ? 0xffff : 0xffffffff);
        if (!isa_decode(s->decoder, *bits, d) || d->id != e->id || d->length != e->length)
            continue;
        enum insn_format format = insn_info(d->id)->format;
        if (writes_integer(format) && !may_write(s, d->rd))
            continue;
        if (format == FORMAT_AP && !may_write(s, d->rd | 1))
            continue;
        return true;
    }
    return false;
}

/* The same compressed instruction with another immediate: searched, its bits are scattered. */
static bool compressed_with(struct stream *s, const struct entry *e, uint32_t like,
                            const struct decoded *d, int32_t imm, uint32_t *out)
{
    for (uint32_t n = 0; n < 0x2000; n++) {
        uint32_t bits = (like & ~0x1ffcu) | n << 2;
        struct decoded o;
        if ((bits & e->mask) == e->match && isa_decode(s->decoder, bits, &o) && o.id == d->id &&
            o.rs1 == d->rs1 && o.rd == d->rd && o.imm == imm) {
            *out = bits;
            return true;
        }
    }
    return false;
}

static void some_units(struct stream *s, unsigned count)
{
    s->depth++;
    for (unsigned i = 0; i < count; i++)
        stream_unit(s);
    s->depth--;
}

/* A branch or jump forward over a few units. */
static void put_branch(struct stream *s, const struct entry *e, uint32_t bits, struct decoded *d)
{
    size_t at = s->length;
    put(s, 0, e->length);
    some_units(s, 1 + random_below(&s->random, 3));
    uint32_t offset = s->length - at;
    if (e->length == 4) {
        uint32_t fixed = d->id == INSN_jal ? 0xfff : 0x01fff07f;
        bits = (bits & fixed) | (d->id == INSN_jal ? encode_j(offset) : encode_b(offset));
    } else if (!compressed_with(s, e, bits, d, offset, &bits)) {
        bits = 0x0001; /* out of range: c.nop */
    }
    memcpy(s->code + at, &bits, e->length);
}

/* The register that gets the address for a jalr, and the jalr to just behind itself. */
static void put_indirect_jump(struct stream *s, const struct entry *e, uint32_t bits,
                              struct decoded *d)
{
    if (d->rs1 == 0 || !may_write(s, d->rs1))
        return;
    /* The low bit of a target is dropped: an odd one goes to the same place. */
    uint32_t target = here(s) + 8 + e->length + (unsigned)one_in(&s->random, 4);
    if (e->length == 2 && d->imm)
        return;
    put_address(s, d->rs1, target - (uint32_t)d->imm);
    put(s, bits, e->length);
}

/* x = n; do { units } while (--x); */
static void put_loop(struct stream *s)
{
    unsigned counter = free_register(s);
    uint32_t kept = s->kept;

    put_i(s, INSN_addi, counter, 0, 1 + random_below(&s->random, 4));
    size_t top = s->length;
    s->kept |= 1u << counter;
    some_units(s, 1 + random_below(&s->random, 3));
    s->kept = kept;
    put_i(s, INSN_addi, counter, counter, -1);
    put(s, insn_info(INSN_bne)->match | counter << 15 | encode_b((uint32_t)(top - s->length)), 4);
}

/* log2 of an atomic's or a cache block operation's size; others may be misaligned. */
static unsigned log_size(uint32_t bits)
{
    return bits >> 12 & 7;
}

/*
 * A virtual address that meets the random page tables: the index at each level is one of a few
 * that the tables fill (gen.c, fill_tables).
 */
static uint64_t virtual_address(struct stream *s, unsigned levels)
{
    uint64_t va = random_below(&s->random, 0x400) * 4;

    if (levels == 2)
        return va | (32 + random_below(&s->random, 8)) << 12 |
               (uint32_t)(32 + random_below(&s->random, 8)) << 22;
    for (unsigned i = 0; i < levels; i++)
        va |= (uint64_t)(32 + random_below(&s->random, 8)) << (12 + 9 * i);
    if (one_in(&s->random, 16)) /* not a sign-extended address: always a page fault */
        va |= random_bits(&s->random) << 40;
    return va;
}

/* rs1 = va, by a literal that a jump steps over. */
static void put_literal(struct stream *s, unsigned reg, uint64_t value)
{
    bool rv64 = s->isa.xlen == 64;
    unsigned bytes = rv64 ? 8 : 4;
    put(s, insn_info(INSN_jal)->match | encode_j(4 + bytes), 4);
    uint32_t at = here(s);
    put(s, value, 4);
    if (rv64)
        put(s, value >> 32, 4);
    int32_t low = put_address_high(s, reg, at);
    put_i(s, rv64 ? INSN_ld : INSN_lw, reg, reg, low);
}

static unsigned paged_levels(const struct stream *s)
{
    return s->isa.levels;
}

/* rs1 of a memory instruction; size: log2, misaligned when the place and a die allow. */
static bool put_memory_address(struct stream *s, const struct decoded *d, unsigned size,
                               bool aligned)
{
    if (d->rs1 == 0 || !may_write(s, d->rs1))
        return false;
    if (s->paged) {
        uint64_t va = virtual_address(s, paged_levels(s));
        put_literal(s, d->rs1, (va & -(UINT64_C(1) << size)) - (uint64_t)(int64_t)d->imm);
        return true;
    }
    uint32_t offset = random_below(&s->random, SCRATCH_SIZE - 16);
    if (aligned)
        offset &= -(1u << size);
    put_address(s, d->rs1, SCRATCH_BASE + offset - (uint32_t)d->imm);
    return true;
}

/*
 * Atomics are aligned but for LR where a trap may be seen: of a misaligned AMO QEMU 7.2 says that a
 * load was, and a misaligned SC just fails there. SC to an address that an LR of another size
 * reserved may succeed or not: words are in the low half of the scratch area, doublewords in the
 * high half.
 */
static void put_atomic(struct stream *s, uint32_t bits, const struct decoded *d)
{
    unsigned size = log_size(bits);
    enum insn_format format = insn_info(d->id)->format;
    bool aligned = true;
    bool reserves = format == FORMAT_LR || d->id == INSN_sc_w || d->id == INSN_sc_d;

    if (d->rs1 == 0 || !may_write(s, d->rs1))
        return;
    if (s->paged) {
        /* An SC without a reservation faults or just fails, as an implementation likes. */
        if (d->id == INSN_sc_w || d->id == INSN_sc_d || !put_memory_address(s, d, size, true))
            return;
        /* QEMU 7.2 sets A for the load of an AMO whose store then faults: let a load do it first. */
        put_i(s, size == 3 ? INSN_ld : INSN_lw, 0, d->rs1, 0);
    } else {
        uint32_t offset = random_below(&s->random, SCRATCH_SIZE / 2 - 16);
        if (s->place == PLACE_USER || format != FORMAT_LR || !one_in(&s->random, 12))
            offset &= -(1u << size);
        else
            aligned = false;
        if (reserves ? size == 3 : one_in(&s->random, 2))
            offset += SCRATCH_SIZE / 2;
        put_address(s, d->rs1, SCRATCH_BASE + offset);
    }
    /* A compare-and-swap that is to succeed needs what is there in rd. */
    bool cas = bits >> 27 == 5;
    if (cas && format == FORMAT_A && d->rd != d->rs1 && one_in(&s->random, 2))
        put(s,
            (insn_info(INSN_amoadd_w)->match & ~0x7000u) | size << 12 | d->rd << 7 |
                (uint32_t)d->rs1 << 15,
            4);
    if (cas && format == FORMAT_AP && (d->rd | 1) != (d->rs1 | 1) && d->rd &&
        one_in(&s->random, 2)) {
        enum insn_id load = s->isa.xlen == 64 ? INSN_ld : INSN_lw;
        put_i(s, load, d->rd, d->rs1, 0);
        put_i(s, load, d->rd + 1, d->rs1, s->isa.xlen / 8);
    }
    put(s, bits, 4);
    if (format == FORMAT_LR && aligned && !s->paged && d->rd != d->rs1 && !one_in(&s->random, 3)) {
        unsigned rd = free_register(s);
        if (one_in(&s->random, 2))
            put_i(s, INSN_addi, d->rd, d->rd, random_below(&s->random, 64));
        put(s,
            insn_info(INSN_sc_w)->match | size << 12 | rd << 7 | (uint32_t)d->rs1 << 15 |
                random_below(&s->random, 32) << 20,
            4);
    }
}

/*
 * CSRs whose value is the same on every conforming machine when written like this. Addresses: the
 * privileged specification, "CSR Listing". Those at the end are absent or read-only.
 */
static const uint16_t float_csrs[] = {0x001, 0x002, 0x003};
static const uint16_t trap_csrs[] = {
    0x001, 0x002, 0x003, 0x341, 0x342, 0x343, 0x340 + 1, 0x143, 0x141, 0x142, 0x106,
    0xf14, 0x005, 0x0c0, 0x7c1, 0x800, 0x9c0, 0xbc0,     0xfc0, 0xcc5, 0x5c0, 0x6c0,
};

static bool put_csr(struct stream *s, uint32_t bits, const struct decoded *d)
{
    const uint16_t *list = float_csrs;
    unsigned count = sizeof float_csrs / sizeof *float_csrs;

    if (s->group->system) {
        list = trap_csrs;
        count = sizeof trap_csrs / sizeof *trap_csrs;
    }
    uint32_t csr = list[random_below(&s->random, count)];
    bool reads_only = (bits >> 13 & 1) && !(bits >> 15 & 31); /* csrrs, csrrc of x0 */
    /* Causes are WLRL and handlers' addresses have modes: read, not written. */
    if ((csr == 0x342 || csr == 0x142 || csr == 0x106) && !reads_only)
        return false;
    /* QEMU 7.2 keeps bit 0 of a return address: nothing odd is written to one. */
    if (csr == 0x341 || csr == 0x141) {
        if (bits >> 14 & 1)
            bits &= ~(1u << 15);
        else if (d->rs1 && may_write(s, d->rs1))
            put_i(s, INSN_andi, d->rs1, d->rs1, -2);
        else if (d->rs1)
            return false;
    }
    /* A csrrs of a register that holds 0 is a write, but not to QEMU 7.2: a write must show. */
    if (csr >> 10 == 3 && (bits >> 12 & 7) >= 2 && (bits >> 12 & 7) <= 3 && d->rs1) {
        if (!may_write(s, d->rs1))
            return false;
        put_i(s, INSN_ori, d->rs1, d->rs1, 1);
    }
    put(s, (bits & 0xfffff) | csr << 20, 4);
    return true;
}

/* ecall, ebreak and what is illegal outside machine mode. */
static void put_system(struct stream *s, uint32_t bits, const struct decoded *d)
{
    if (d->id == INSN_pause) {
        put(s, bits, 4);
        return;
    }
    if (s->place == PLACE_USER || !s->group->system)
        return;
    switch (d->id) {
    case INSN_ecall:
    case INSN_ebreak:
        break;
    case INSN_sfence_w_inval:
    case INSN_sfence_inval_ir:
        if (s->mode == 0) /* illegal, but not to QEMU 7.2 */
            return;
        break;
    case INSN_sret:
        if (!s->sret_traps)
            return;
        break;
    case INSN_mret:
        if (s->mode == 3)
            return;
        break;
    default:
        return;
    }
    put(s, bits, d->length);
}

/* Bits that are no instruction of ours: they must be none of the other's either. */
static void put_illegal(struct stream *s)
{
    for (unsigned tries = 0; tries < 1000; tries++) {
        uint32_t bits = random_bits(&s->random);
        struct decoded d;
        if (one_in(&s->random, 2)) {
            const struct entry *e = &entries[random_below(&s->random, ENTRIES)];
            bits = e->match | (bits & ~e->mask);
            bits ^= 1u << random_below(&s->random, e->length * 8);
        }
        unsigned length = insn_length(bits);
        if (length == 2)
            bits &= 0xffff;
        if ((bits & 31) == 31 && length == 4)
            continue; /* the space of longer instructions: the length is not 4 */
        if (isa_decode(s->decoder, bits, &d))
            continue;
        put(s, bits, length);
        return;
    }
}

static void put_instruction(struct stream *s, const struct entry *e, uint32_t bits,
                            struct decoded *d)
{
    switch ((enum insn_format)insn_info(d->id)->format) {
    case FORMAT_B:
    case FORMAT_J:
        if (s->depth < 2)
            put_branch(s, e, bits, d);
        return;
    case FORMAT_JR:
        put_indirect_jump(s, e, bits, d);
        return;
    case FORMAT_L:
    case FORMAT_FL:
        /* QEMU 7.2 reports another tval for loads over a page's end: aligned when pages fault. */
        if (put_memory_address(s, d, s->paged ? 3 : 0, s->paged))
            put(s, bits, e->length);
        return;
    case FORMAT_S:
    case FORMAT_FS:
        if (put_memory_address(s, d, 0, false))
            put(s, bits, e->length);
        return;
    case FORMAT_A:
    case FORMAT_AP:
    case FORMAT_LR:
        put_atomic(s, bits, d);
        return;
    case FORMAT_CBO:
        return;
    case FORMAT_CSR:
    case FORMAT_CSRI:
        put_csr(s, bits, d);
        return;
    case FORMAT_SF:
        /* QEMU 7.2 forgets tval where sinval.vma is illegal. */
        if (s->place == PLACE_MACHINE && (d->id != INSN_sinval_vma || s->mode == 3))
            put(s, bits, 4);
        return;
    case FORMAT_N:
        put_system(s, bits, d);
        return;
    case FORMAT_R2:
        /* QEMU 7.2 looks at the high half of a register whose low half is zero. */
        if (d->id == INSN_ctzw) {
            if (d->rs1 == 0 || !may_write(s, d->rs1))
                return;
            put_i(s, INSN_ori, d->rs1, d->rs1, 1 + random_below(&s->random, 0x7ff));
        }
        put(s, bits, e->length);
        return;
    case FORMAT_FENCE:
    case FORMAT_FENCEI:
    default:
        put(s, bits, e->length);
    }
}

void stream_unit(struct stream *s)
{
    if (s->depth < 2 && one_in(&s->random, 24)) {
        put_loop(s);
        return;
    }
    if (s->group->system && s->place == PLACE_MACHINE && one_in(&s->random, 5)) {
        put_illegal(s);
        return;
    }
    bool mine = !one_in(&s->random, 4);
    const struct entry *e = mine ? &entries[own[random_below(&s->random, own_count)]]
                                 : &entries[other[random_below(&s->random, other_count)]];
    uint32_t bits;
    struct decoded d;
    if (instance(s, e, &bits, &d))
        put_instruction(s, e, bits, &d);
}
