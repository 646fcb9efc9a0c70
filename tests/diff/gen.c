/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Writes the generated part of a differential test (layout.h) for a seed.
 *
 *     gen -seed 1 -group float -xlen 64 -cpu zfa=off -count 500 -o FILE
 *     gen ... -block 17 -prefixes -detail -o FILE
 *
 * The second makes of block 17 one block for each of its prefixes, so that the first whose state
 * differs shows the instruction at fault; standard output tells what each prefix ends with. The first
 * tells the number of instructions. -user: for a Linux program, where nothing traps.
 */
#include "layout.h"
#include "stream.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    VALUES = 4096,
    UNITS = 32,
    IMAGE_ROOM = 24 << 20,
    TABLES = 12,
    NO_MEMORY = 0xc0000 /* page */
};

static uint8_t image[IMAGE_ROOM];
static size_t image_length;

static struct {
    uint64_t seed;
    const char *group, *cpu, *out;
    unsigned xlen, count, block;
    bool prefixes, detail, user, one;
} option = {.xlen = 64, .count = 100, .group = "integer", .cpu = ""};

static void fail(const char *what)
{
    fprintf(stderr, "gen: %s\n", what);
    exit(2);
}

static void *take(size_t size)
{
    size_t at = (image_length + 7) & ~(size_t)7;
    if (size > IMAGE_ROOM - at)
        fail("too many blocks for one image");
    image_length = at + size;
    return image + at;
}

static uint32_t address_of(const void *p)
{
    return GENERATED + (uint32_t)((const uint8_t *)p - image);
}

static uint64_t integer_value(struct random *r)
{
    static const uint64_t special[] = {
        0,          1,
        2,          0x7fffffff,
        0x80000000, 0xffffffff,
        INT64_MAX,  UINT64_C(1) << 63,
        UINT64_MAX, UINT64_C(0xffffffff80000000),
        0xff,       0x80,
        0x7fff,     0x8000,
        0xffff,     UINT64_C(0xffffffff00000000),
    };
    uint64_t bits = random_bits(r);
    switch (random_below(r, 6)) {
    case 0:
        return special[bits % (sizeof special / sizeof *special)];
    case 1:
        return (uint64_t)(int64_t)(int8_t)bits;
    case 2:
        return (uint64_t)(int64_t)(int32_t)bits;
    case 3:
        return (UINT64_C(1) << (bits & 63)) + (bits >> 8 & 3) - 1;
    default:
        return bits;
    }
}

/* A number of that many fraction and exponent bits: of the kinds where arithmetic is hard. */
static uint64_t float_bits(struct random *r, unsigned fraction, unsigned exponent)
{
    uint64_t bits = random_bits(r), one = 1;
    uint64_t sign = (bits >> 63) << (fraction + exponent);
    uint64_t f = bits & ((one << fraction) - 1), top = (one << exponent) - 1;
    uint64_t bias = top >> 1, e;

    if (one_in(r, 3)) /* few bits set: exact results, ties */
        f = (one << random_below(r, fraction)) - (one_in(r, 2) ? 1 : 0);
    if (one_in(r, 4))
        f = one_in(r, 2) ? 0 : (one << fraction) - 1;
    switch (random_below(r, 8)) {
    case 0: /* zero or subnormal */
        e = 0;
        break;
    case 1: /* infinity or NaN of either kind */
        e = top;
        break;
    case 2: /* near the ends */
        e = one_in(r, 2) ? 1 + random_below(r, 4) : top - 1 - random_below(r, 4);
        break;
    case 3: /* where integers end */
        e = bias + random_below(r, 66);
        break;
    case 4:
    case 5: /* near one another */
        e = bias - 4 + random_below(r, 8);
        break;
    default:
        e = random_bits(r) & top;
    }
    if (e > top)
        e = top - 1;
    return sign | e << fraction | f;
}

static uint64_t float_value(struct random *r)
{
    uint64_t value;
    switch (random_below(r, 10)) {
    case 0:
    case 1:
    case 2:
    case 3:
        return float_bits(r, 52, 11);
    case 4:
    case 5:
    case 6:
        return float_bits(r, 23, 8) | UINT64_C(0xffffffff00000000);
    case 7:
    case 8:
        return float_bits(r, 10, 5) | UINT64_C(0xffffffffffff0000);
    default: /* a box with a hole: a NaN to the narrow formats */
        value = float_bits(r, 23, 8) | UINT64_C(0xffffffff00000000);
        return value & ~(UINT64_C(1) << (32 + random_below(r, 32)));
    }
}

/*
 * The page tables: table 0 is a root whose block runs in S-mode and table 1 one for U-mode, each
 * with the identity for all of main memory; entries 32 to 39 of every table are random. Tables are
 * of depth (number % levels), so that a pointer goes one level down. A leaf maps one of the frames,
 * memory beyond everything, or no memory at all.
 *
 * Left out, for QEMU 7.2 is wrong there: pointers to tables outside memory (it says page fault, not
 * access fault), reserved bits of pointers (A, D, U, N and PBMT: it walks on), and in leaves PBMT 3,
 * reserved bits, N above the last level and with a page number that it may not have (it goes on, or
 * sets A before it faults).
 */
static uint64_t random_pte(struct random *r, unsigned level, unsigned levels, const struct isa *isa)
{
    uint64_t bits = random_bits(r);
    uint32_t page;

    if (level && !one_in(r, 4)) { /* a pointer to the level below */
        unsigned below = levels - level;
        page = TABLES_BASE / PAGED_SIZE + 2 * below + (bits >> 20 & 1);
        return (uint64_t)page << 10 | (one_in(r, 16) ? 0 : 1);
    }
    uint64_t flags = bits & 0x3ff;
    if (!one_in(r, 8))
        flags |= 1; /* V */
    if (!one_in(r, 8) && !(flags & 2))
        flags &= ~UINT64_C(4); /* W without R is reserved */
    if (!(flags & 0xa)) {
        if (level)
            flags |= 2; /* not a pointer */
        else
            flags &= ~UINT64_C(0xd0);
    }
    if (level == 0) {
        page = FRAMES_BASE / PAGED_SIZE + (bits >> 20) % FRAME_COUNT;
        if (one_in(r, 16))
            page = NO_MEMORY;
    } else {
        /* Free memory from 0x84000000 on by the indices below, or what a superpage may not be. */
        unsigned bits_a_level = isa->xlen == 32 ? 10 : 9;
        uint32_t span = level * bits_a_level < 31 ? 1u << level * bits_a_level : 0;
        page = level == 1 ? 0x84000 : 0x80000;
        if (!span || one_in(r, 8))
            page = 0x84001;
        else if (one_in(r, 8))
            page = NO_MEMORY;
    }
    /* An AMO there: is D set before the access fault, or not? Either will do, so it is set before. */
    if (page == NO_MEMORY && (flags & 4))
        flags |= 0x80;
    uint64_t pte = (uint64_t)page << 10 | flags;
    if (isa->xlen == 64) {
        if (one_in(r, 8))
            pte |= (uint64_t)random_below(r, 3) << 61;        /* PBMT */
        if (level == 0 && page != NO_MEMORY && one_in(r, 16)) /* N: 64 KiB */
            pte = (pte & ~(UINT64_C(15) << 10)) | UINT64_C(1) << 63 | UINT64_C(8) << 10;
    }
    return pte;
}

static void set_pte(uint8_t *table, unsigned index, uint64_t pte, bool rv64)
{
    if (rv64)
        memcpy(table + index * 8, &pte, 8);
    else
        memcpy(table + index * 4, &pte, 4);
}

static unsigned fill_tables(struct random *r, const struct isa *isa, uint8_t *tables)
{
    bool rv64 = isa->xlen == 64;
    unsigned levels = isa->levels, count = 2 * levels + 2;

    memset(tables, 0, count * PAGED_SIZE);
    for (unsigned t = 0; t < 2 * levels; t++)
        for (unsigned i = 32; i < 40; i++)
            set_pte(tables + t * PAGED_SIZE, i, random_pte(r, levels - 1 - t / 2, levels, isa),
                    rv64);
    for (unsigned user = 0; user < 2; user++) {
        uint64_t flags = user ? 0xdf : 0xcf; /* V R W X, U, A D */
        uint8_t *root = tables + user * PAGED_SIZE;
        if (!rv64) {
            for (unsigned i = 0; i < 64; i++)
                set_pte(root, 512 + i, (uint64_t)(0x80000 + i * 0x400) << 10 | flags, false);
            continue;
        }
        unsigned last = 2 * levels + user; /* gigapages of the low half of the address space */
        uint8_t *giga = root;
        if (levels > 3) {
            giga = tables + last * PAGED_SIZE;
            set_pte(root, 0, (uint64_t)(TABLES_BASE / PAGED_SIZE + last) << 10 | 1, true);
        }
        set_pte(giga, 2, UINT64_C(0x80000) << 10 | flags, true);
    }
    return count;
}

static void fill_mode(struct stream *s, struct diff_block *b)
{
    struct random *r = &s->random;
    bool paging = !strcmp(option.group, "paging");

    s->mode = 3;
    s->sret_traps = false;
    b->mstatus = 0x6000;
    if (option.user)
        return;
    if (paging) {
        s->mode = random_below(r, 2);
        b->satp_mode = s->isa.xlen == 32 ? 1 : 8 + s->isa.levels - 3;
        b->satp_table = s->mode ? 0 : 1;
        b->mstatus |= random_bits(r) & 0xc0000; /* SUM MXR */
        s->paged = true;
    } else if (!strcmp(option.group, "traps")) {
        static const uint8_t modes[] = {0, 1, 3};
        s->mode = modes[random_below(r, 3)];
        if (one_in(r, 6))
            b->mstatus &= ~0x6000u;
        else if (one_in(r, 3))
            b->mstatus = random_below(r, 3) << 13;
        b->mstatus |=
            random_bits(r) & 0x005000a2; /* TVM TSR, MPIE SPIE SIE: nothing is enabled in mie */
        s->sret_traps = s->mode == 0 || (s->mode == 1 && (b->mstatus & 0x00400000));
        /* Not ecall from S: it is how a block in S-mode ends. Nothing when the handler has no sret. */
        if (!(b->mstatus & 0x00400000))
            b->medeleg = random_bits(r) & 0xb1f5;
    }
    b->mstatus |= s->mode << 11;
}

static void describe(struct stream *s, size_t from, unsigned prefix)
{
    printf("%u:", prefix);
    for (size_t at = from; at < s->length;) {
        struct decoded d;
        uint32_t bits = 0;
        char text[80] = "?";
        memcpy(&bits, s->code + at, s->length - at < 4 ? s->length - at : 4);
        unsigned length = insn_length(bits);
        if (isa_decode(s->decoder, bits, &d))
            isa_disassemble(&d, s->base + at, text, sizeof text);
        printf(" %08" PRIx32 ": %0*" PRIx32 " %s;", s->base + (uint32_t)at, (int)length * 2,
               length == 2 ? bits & 0xffff : bits, text);
        at += length;
    }
    printf("\n");
}

/* Block `number` of the seed, its first `units` units. */
static void make_block(struct stream *s, struct diff_block *b, unsigned number, unsigned units,
                       uint32_t x, uint32_t f)
{
    s->random.state = option.seed * 0x10001 + number;
    struct random *r = &s->random;
    *b = (struct diff_block){.keep = 1 + random_below(r, 31)};
    b->x = x + 8 * random_below(r, VALUES - 32);
    b->f = f + 8 * random_below(r, VALUES - 32);
    b->fcsr = random_bits(r) & 0x1f;
    /* Reserved dynamic modes make every rounding instruction illegal: seldom. */
    b->fcsr |= (option.user || !one_in(r, 16) ? random_below(r, 5) : 5 + random_below(r, 3)) << 5;
    fill_mode(s, b);
    b->entry = s->base + s->length;
    s->kept = 1u << b->keep;
    size_t last = s->length;
    for (unsigned i = 0; i < units; i++) {
        last = s->length;
        stream_unit(s);
    }
    if (option.prefixes)
        describe(s, units ? last : s->length, units);
    b->abort = s->base + s->length;
    stream_exit(s, b->keep);
    /* The next block on a word, so that prefixes of one differ by their place alone. */
    s->length = (s->length + 3) & ~(size_t)3;
}

static void parse(int count, char **words)
{
    for (int i = 1; i < count; i++) {
        const char *w = words[i];
        if (!strcmp(w, "-prefixes")) {
            option.prefixes = true;
        } else if (!strcmp(w, "-detail")) {
            option.detail = true;
        } else if (!strcmp(w, "-user")) {
            option.user = true;
        } else if (i + 1 == count) {
            fail("an option lacks its value");
        } else {
            const char *v = words[++i];
            if (!strcmp(w, "-seed"))
                option.seed = strtoull(v, NULL, 0);
            else if (!strcmp(w, "-group"))
                option.group = v;
            else if (!strcmp(w, "-cpu"))
                option.cpu = v;
            else if (!strcmp(w, "-o"))
                option.out = v;
            else if (!strcmp(w, "-xlen"))
                option.xlen = (unsigned)strtoul(v, NULL, 0);
            else if (!strcmp(w, "-count"))
                option.count = (unsigned)strtoul(v, NULL, 0);
            else if (!strcmp(w, "-block"))
                option.block = (unsigned)strtoul(v, NULL, 0), option.one = true;
            else
                fail("unknown option");
        }
    }
    if (!option.out)
        fail("-o is missing");
}

int main(int argc, char **argv)
{
    struct stream s = {0};
    struct error err = {""};

    parse(argc, argv);
    isa_default(&s.isa, option.xlen);
    if (!isa_parse(&s.isa, option.cpu, &err))
        fail(err.text);
    s.decoder = decoder_new(&s.isa);
    s.group = group_find(option.group);
    if (!s.decoder || !s.group || !stream_init(&s))
        fail("no such group");
    s.place = option.user ? PLACE_USER : PLACE_MACHINE;

    unsigned count = option.prefixes ? UNITS + 1 : option.one ? 1 : option.count;
    struct diff_header *header = take(sizeof *header);
    struct diff_block *blocks = take(count * sizeof *blocks);
    uint64_t *x = take(VALUES * 8), *f = take(VALUES * 8);
    struct random r = {option.seed};
    for (unsigned i = 0; i < VALUES; i++) {
        x[i] = integer_value(&r);
        f[i] = float_value(&r);
    }
    uint64_t *scratch = take(SCRATCH_SIZE);
    for (unsigned i = 0; i < SCRATCH_SIZE / 8; i++)
        scratch[i] = one_in(&r, 2) ? float_value(&r) : integer_value(&r);
    uint8_t *tables = take(TABLES * PAGED_SIZE);
    header->table_count = fill_tables(&r, &s.isa, tables);

    s.code = take(0);
    s.base = address_of(s.code);
    s.room = IMAGE_ROOM - image_length;
    for (unsigned i = 0; i < count; i++) {
        unsigned number = option.one ? option.block : i;
        make_block(&s, &blocks[i], number, option.prefixes ? i : UNITS, address_of(x),
                   address_of(f));
    }
    if (s.room - s.length < 4096)
        fail("too many blocks for one image");
    image_length += s.length;
    header->blocks = address_of(blocks);
    header->block_count = count;
    header->detail = option.detail;
    header->scratch = address_of(scratch);
    header->tables = address_of(tables);
    header->code = s.base;
    header->code_end = s.base + (uint32_t)s.length;

    if (!option.prefixes)
        printf("%lu\n", s.instructions);
    FILE *out = fopen(option.out, "wb");
    if (!out || fwrite(image, 1, image_length, out) != image_length || fclose(out))
        fail("cannot write the output");
    return 0;
}
