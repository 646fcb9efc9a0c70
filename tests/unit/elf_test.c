/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * ELF files (src/base/elf.h): each field comes from its place in either class, each mistake is named, and nothing
 * is read that is not there. Again: tools/run-tests unit/elf_test
 */
#include "base/elf.h"

/* cmocka.h wants these first */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

/* Where the fields are in both classes alike. */
enum { AT_CLASS = 4, AT_DATA = 5, AT_VERSION = 6, AT_TYPE = 16, AT_MACHINE = 18 };

struct file {
    unsigned xlen, header_size, entry_size, counts; /* counts: where the sizes and counts begin */
    uint8_t bytes[64 + 2 * 56 + 100];
    size_t size;
};

static void put(uint8_t *at, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* Bytes of fields in the order of `sizes`, which ends with 0: each has another value, from `first` up. */
static void put_fields(uint8_t *at, const unsigned *sizes, uint64_t first)
{
    for (; *sizes; at += *sizes++)
        put(at, *sizes, first++);
}

/* Two program headers, whose fields and those of the header are told apart by their values. */
static struct file make_file(unsigned xlen)
{
    const unsigned word = xlen / 8;
    const bool wide = xlen == 64;
    struct file f = {.xlen = xlen,
                     .header_size = wide ? 64 : 52,
                     .entry_size = wide ? 56 : 32,
                     .counts = wide ? 54 : 42};
    uint8_t *b = f.bytes;
    memcpy(b, "\177ELF", 4);
    b[AT_CLASS] = wide ? 2 : 1, b[AT_DATA] = 1, b[AT_VERSION] = 1;
    put(b + AT_TYPE, 2, 2);
    put(b + AT_MACHINE, 2, 243);
    put_fields(b + 24, (const unsigned[]){word, word, word, 0}, 0x1000);
    put(b + 24 + word, word, f.header_size);
    put_fields(b + f.counts, (const unsigned[]){2, 2, 2, 2, 0}, 0x2000);
    put(b + f.counts, 2, f.entry_size);
    put(b + f.counts + 2, 2, 2);
    b += f.header_size;
    const unsigned narrow_fields[] = {4, 4, 4, 4, 4, 4, 4, 4, 0};
    const unsigned wide_fields[] = {4, 4, 8, 8, 8, 8, 8, 8, 0};
    put_fields(b, wide ? wide_fields : narrow_fields, 1);
    put_fields(b + f.entry_size, wide ? wide_fields : narrow_fields, 0x70000001);
    f.size = f.header_size + 2 * f.entry_size + 100;
    return f;
}

/* A copy that ends where the file does, so that sanitizers see what is read beyond. */
static bool reads(const struct file *f, struct elf_header *h, struct error *err)
{
    const uint8_t *table;
    uint8_t *exact = malloc(f->size ? f->size : 1);
    assert_non_null(exact);
    memcpy(exact, f->bytes, f->size);
    bool ok =
        elf_read_header(h, exact, f->size, err) && elf_find_table(h, exact, f->size, &table, err);
    for (unsigned n = 0; ok && n < h->count; n++)
        elf_program_header(h, table, n);
    free(exact);
    return ok;
}

static void fields_of_either_class_are_read_from_their_places(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct file f = make_file(xlen);
        struct elf_header h;
        struct error err = {""};
        const uint8_t *table;
        assert_true(elf_read_header(&h, f.bytes, f.size, &err));
        assert_int_equal(h.xlen, xlen);
        assert_int_equal(h.version, 1);
        assert_false(h.moves);
        assert_int_equal(h.entry, 0x1000);
        assert_int_equal(h.table, f.header_size);
        assert_int_equal(h.sections, 0x1002);
        assert_int_equal(h.count, 2);
        assert_int_equal(h.entry_size, f.entry_size);
        assert_int_equal(h.section_size, 0x2002);
        assert_int_equal(h.section_count, 0x2003);
        assert_true(elf_find_table(&h, f.bytes, f.size, &table, &err));
        for (unsigned n = 0; n < 2; n++) {
            /* Their order is the structure's but for the flags, which are second in the larger class only. */
            const uint64_t first = n ? 0x70000001 : 1;
            const unsigned wide = xlen == 64;
            struct elf_program_header p = elf_program_header(&h, table, n);
            assert_int_equal(p.type, first);
            assert_int_equal(p.flags, first + (wide ? 1 : 6));
            assert_int_equal(p.offset, first + 1 + wide);
            assert_int_equal(p.vaddr, first + 2 + wide);
            assert_int_equal(p.paddr, first + 3 + wide);
            assert_int_equal(p.file_size, first + 4 + wide);
            assert_int_equal(p.memory_size, first + 5 + wide);
        }
    }
}

static void addresses_have_all_their_bits(void **state)
{
    (void)state;
    struct file f = make_file(64);
    struct elf_header h;
    struct error err = {""};
    put(f.bytes + 24, 8, 0xfedcba9876543210);
    put(f.bytes + f.header_size + 16, 8, 0x8877665544332211);
    assert_true(elf_read_header(&h, f.bytes, f.size, &err));
    assert_true(h.entry == 0xfedcba9876543210);
    assert_true(elf_program_header(&h, f.bytes + f.header_size, 0).vaddr == 0x8877665544332211);
}

static void refused(const struct file *f, const char *why)
{
    struct elf_header h;
    struct error err = {""};
    assert_false(reads(f, &h, &err));
    if (!strstr(err.text, why))
        fail_msg("\"%s\" is not in: %s", why, err.text);
}

static void refused_with(unsigned xlen, unsigned at, unsigned size, uint64_t value, const char *why)
{
    struct file f = make_file(xlen);
    put(f.bytes + at, size, value);
    refused(&f, why);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        const struct file f = make_file(xlen);
        const unsigned word = xlen / 8;
        refused_with(xlen, 0, 1, 0, "not an ELF file");
        refused_with(xlen, AT_CLASS, 1, 3, "class 3");
        refused_with(xlen, AT_DATA, 1, 2, "big-endian");
        refused_with(xlen, AT_TYPE, 2, 1, "no executable or shared object (type 1)");
        refused_with(xlen, AT_TYPE, 2, 4, "(type 4)");
        refused_with(xlen, AT_MACHINE, 2, 62, "for x86-64 (machine 62), not for RISC-V");
        refused_with(xlen, AT_MACHINE, 2, 9999, "another processor (machine 9999)");
        refused_with(xlen, f.counts, 2, f.entry_size + 1, "2 program headers of ");
        refused_with(xlen, f.counts + 2, 2, 0, "0 program headers of ");
        refused_with(xlen, f.counts + 2, 2, 65535, "cut short: program headers");
        refused_with(xlen, 24 + word, word, f.size, "cut short: program headers");
        refused_with(xlen, 24 + word, word, UINT64_MAX, "cut short: program headers");
    }
}

static void a_shared_object_may_lie_anywhere(void **state)
{
    (void)state;
    struct file f = make_file(64);
    struct elf_header h;
    put(f.bytes + AT_TYPE, 2, 3);
    assert_true(reads(&f, &h, NULL));
    assert_true(h.moves);
}

static void a_file_of_any_length_is_whole_or_refused(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct file f = make_file(xlen);
        const size_t whole = f.header_size + 2 * f.entry_size;
        for (f.size = 0; f.size < whole; f.size++)
            refused(&f, f.size < 4 ? "not an ELF file" : "cut short");
        struct elf_header h;
        assert_true(reads(&f, &h, NULL));
    }
}

static void segments_are_in_the_file_or_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t offset, file_size, memory_size;
        const char *why; /* NULL: it is fine */
    } cases[] = {
        {0, 1000, 1000, NULL},
        {1000, 0, 5, NULL},
        {900, 100, UINT64_MAX, NULL},
        {0, 10, 9, "segment 7 is larger than its memory"},
        {1001, 0, 5, "cut short: segment 7"},
        {901, 100, 100, "cut short: segment 7"},
        {UINT64_MAX, 2, 2, "cut short: segment 7"},
        {2, UINT64_MAX, UINT64_MAX, "cut short: segment 7"},
    };
    for (unsigned n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
        struct elf_program_header p = {.offset = cases[n].offset,
                                       .file_size = cases[n].file_size,
                                       .memory_size = cases[n].memory_size};
        struct error err = {""};
        assert_int_equal(elf_check_segment(&p, 7, 1000, &err), !cases[n].why);
        if (cases[n].why && !strstr(err.text, cases[n].why))
            fail_msg("\"%s\" is not in: %s", cases[n].why, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_either_class_are_read_from_their_places),
        cmocka_unit_test(addresses_have_all_their_bits),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(a_shared_object_may_lie_anywhere),
        cmocka_unit_test(a_file_of_any_length_is_whole_or_refused),
        cmocka_unit_test(segments_are_in_the_file_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
