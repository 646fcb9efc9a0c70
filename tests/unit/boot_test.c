/* SPDX-License-Identifier: GPL-3.0-only */
/* Boot: plans of memory, ELF files, kernels and what they are packed in, the device tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machine/boot/compressed.h"
#include "machine/boot/elf.h"
#include "machine/boot/firmware.h"
#include "machine/boot/kernel_image.h"
#include "machine/machine.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#define BASE UINT64_C(0x80000000)
#define MIB (UINT64_C(1) << 20)

static void put(uint8_t *at, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static void message_has(const struct error *err, const char *part)
{
    if (!strstr(err->text, part))
        fail_msg("\"%s\" lacks \"%s\"", err->text, part);
}

/*
 * Plans
 */

static struct plan plan_of(uint64_t size)
{
    return (struct plan){.ram_base = BASE, .ram_size = size};
}

static bool add(struct plan *plan, uint64_t address, uint64_t span)
{
    static const uint8_t bytes[16];
    struct error err = {""};
    bool ok = plan_add(plan, (struct plan_piece){"piece", address, span, bytes, 0}, &err);
    assert_true(ok || strstr(err.text, "piece"));
    return ok;
}

static void plan_takes_what_lies_within_memory_and_apart(void **state)
{
    (void)state;
    struct plan plan = plan_of(MIB);
    assert_true(add(&plan, BASE, 0x1000));
    assert_true(add(&plan, BASE + 0x1000, 0x1000)); /* touches */
    assert_true(add(&plan, BASE + MIB - 1, 1));
    assert_false(add(&plan, BASE + 0x1fff, 1));
    assert_false(add(&plan, BASE + 0x2000, MIB - 0x2000));
    assert_false(add(&plan, BASE + MIB, 1));
    assert_false(add(&plan, BASE - 1, 1));
    assert_false(add(&plan, BASE - 1, 2));
    assert_false(add(&plan, BASE + 0x2000, UINT64_MAX - BASE));
    assert_false(add(&plan, UINT64_MAX, UINT64_MAX));
    assert_int_equal(plan.count, 3);
    assert_int_equal(plan_end_below(&plan, BASE + MIB - 1), BASE + 0x2000);
    assert_int_equal(plan_end_below(&plan, BASE), BASE);
    assert_true(plan_is_free(&plan, BASE + 0x2000, MIB - 0x2001));
    assert_false(plan_is_free(&plan, BASE + 0x2000, MIB - 0x2000));
    assert_false(plan_is_free(&plan, BASE + MIB - 1, 2));
}

static void plan_has_an_end(void **state)
{
    (void)state;
    struct plan plan = plan_of(MIB);
    for (unsigned i = 0; i < PLAN_PIECES_MAX; i++)
        assert_true(add(&plan, BASE + i, 1));
    assert_false(add(&plan, BASE + PLAN_PIECES_MAX, 1));
}

static void plan_writes_what_was_given(void **state)
{
    (void)state;
    struct plan plan = plan_of(64);
    struct error err;
    uint8_t ram[64] = {0};
    assert_true(plan_add(&plan, (struct plan_piece){"a", BASE + 8, 16, "abc", 3}, &err));
    assert_int_equal(plan.pieces[0].span, 16);
    plan_write(&plan, ram);
    assert_memory_equal(ram + 7, "\0abc\0", 5);
}

/*
 * ELF
 */

struct elf_image {
    uint8_t bytes[512];
    size_t size;
};

enum { AT_TYPE = 16, AT_MACHINE = 18 };

/* A code segment of 16 bytes and a data segment of 8 with 24 more of zeros. */
static struct elf_image elf_image(unsigned xlen, uint64_t vaddr, uint64_t paddr)
{
    struct elf_image elf = {.size = 256};
    uint8_t *b = elf.bytes;
    const bool wide = xlen == 64;
    const unsigned word = wide ? 8 : 4, header = wide ? 64 : 52, entry = wide ? 56 : 32;
    memcpy(b, "\177ELF", 4);
    b[4] = wide ? 2 : 1, b[5] = 1, b[6] = 1;
    put(b + AT_TYPE, 2, 2);
    put(b + AT_MACHINE, 2, 243);
    put(b + 20, 4, 1);
    put(b + 24, word, vaddr + 4);
    put(b + 24 + word, word, header);
    put(b + (wide ? 54 : 42), 2, entry);
    put(b + (wide ? 56 : 44), 2, 2);
    for (unsigned i = 0; i < 2; i++) {
        uint8_t *s = b + header + i * entry;
        uint64_t fields[] = {200 + 16 * i, vaddr + 0x1000 * i, paddr + 0x1000 * i, i ? 8 : 16,
                             i ? 32 : 16};
        put(s, 4, 1);
        for (unsigned f = 0; f < 5; f++)
            put(s + word + f * word, word, fields[f]);
    }
    memcpy(b + 200, "code of 16 bytes", 16);
    memcpy(b + 216, "the data", 8);
    return elf;
}

static bool load(const struct elf_image *elf, unsigned xlen, struct plan *plan, uint64_t *entry,
                 struct error *err)
{
    /* A copy that ends where the file does, so that sanitizers see reads beyond. */
    uint8_t *exact = malloc(elf->size ? elf->size : 1);
    assert_non_null(exact);
    memcpy(exact, elf->bytes, elf->size);
    *plan = plan_of(16 * MIB);
    bool ok = elf_plan(plan, "x.elf", exact, elf->size, xlen, BASE, entry, err);
    if (ok) {
        static uint8_t ram[16u << 20];
        memset(ram, 0, 0x210000);
        plan_write(plan, ram);
        for (unsigned i = 0; i < plan->count; i++)
            plan->pieces[i].bytes = ram + (plan->pieces[i].address - BASE);
    }
    free(exact);
    return ok;
}

static void elf_segments_go_to_their_physical_addresses(void **state)
{
    (void)state;
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        uint64_t vaddr = xlen == 64 ? 0xffffffff80000000 : 0xc0000000, entry;
        struct elf_image elf = elf_image(xlen, vaddr, BASE + 2 * MIB);
        struct plan plan;
        struct error err = {""};
        assert_true(load(&elf, xlen, &plan, &entry, &err));
        assert_int_equal(entry, BASE + 2 * MIB + 4);
        assert_int_equal(plan.count, 2);
        assert_int_equal(plan.pieces[0].address, BASE + 2 * MIB);
        assert_int_equal(plan.pieces[1].address, BASE + 2 * MIB + 0x1000);
        assert_int_equal(plan.pieces[1].span, 32);
        assert_memory_equal(plan.pieces[0].bytes, "code of 16 bytes", 16);
        assert_memory_equal(plan.pieces[1].bytes, "the data\0", 9);
        assert_false(load(&elf, 96 - xlen, &plan, &entry, &err));
        message_has(&err, xlen == 64 ? "for rv64, and this machine is rv32" : "for rv32");
    }
}

static void elf_that_relocates_itself_goes_to_where_it_is_told(void **state)
{
    (void)state;
    struct elf_image elf = elf_image(64, 0x5000, 0x5000);
    struct plan plan;
    struct error err;
    uint64_t entry;
    put(elf.bytes + AT_TYPE, 2, 3);
    assert_true(load(&elf, 64, &plan, &entry, &err));
    assert_int_equal(plan.pieces[0].address, BASE);
    assert_int_equal(plan.pieces[1].address, BASE + 0x1000);
    assert_int_equal(entry, BASE + 4);
}

/* Each byte of the headers with each of some values: accepted or refused, nothing read beyond. */
static void elf_headers_of_any_content_are_harmless(void **state)
{
    (void)state;
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        for (unsigned at = 4; at < 180; at++) {
            for (unsigned v = 0; v < sizeof(values); v++) {
                struct elf_image elf = elf_image(xlen, BASE, BASE);
                struct plan plan = plan_of(16 * MIB);
                struct error err = {""};
                uint64_t entry;
                elf.bytes[at] = values[v];
                if (!elf_plan(&plan, "x.elf", elf.bytes, elf.size, xlen, BASE, &entry, &err))
                    message_has(&err, "x.elf: ");
                for (unsigned i = 0; i < plan.count; i++) {
                    const uint8_t *from = plan.pieces[i].bytes;
                    assert_true(from >= elf.bytes &&
                                from + plan.pieces[i].size <= elf.bytes + elf.size);
                }
            }
        }
    }
}

static void elf_of_any_length_is_whole_or_refused(void **state)
{
    (void)state;
    struct elf_image elf = elf_image(64, BASE, BASE);
    for (elf.size = 4; elf.size < 224; elf.size++) {
        struct plan plan;
        struct error err = {""};
        uint64_t entry;
        assert_false(load(&elf, 64, &plan, &entry, &err));
        message_has(&err, "cut short");
    }
}

/*
 * Kernels and what they are packed in
 */

static void image_header_says_where_and_how_large(void **state)
{
    (void)state;
    uint8_t bytes[4096] = {0};
    struct kernel_image image;
    struct error err = {""};
    put(bytes + 8, 8, 0x400000);
    put(bytes + 16, 8, 0x123456);
    put(bytes + 32, 4, 2);
    assert_true(kernel_image_read(&image, "k", bytes, sizeof(bytes), 32, &err));
    assert_false(image.has_header);
    memcpy(bytes + 56, "RSC\5", 4);
    assert_true(kernel_image_read(&image, "k", bytes, sizeof(bytes), 32, &err));
    assert_true(image.has_header);
    assert_int_equal(image.text_offset, 0x400000);
    assert_int_equal(image.image_size, 0x123456);
    put(bytes + 32, 4, 0x10000);
    assert_false(kernel_image_read(&image, "k", bytes, sizeof(bytes), 32, &err));
    message_has(&err, "version 1");
}

static struct file_data data_of(const void *bytes, size_t size)
{
    struct file_data data = {malloc(size + 1), size};
    assert_non_null(data.bytes);
    memcpy(data.bytes, bytes, size);
    return data;
}

static void what_is_not_packed_stays_as_it_is(void **state)
{
    (void)state;
    struct error err = {""};
    struct file_data data = data_of("MZ no kernel", 12);
    uint8_t *before = data.bytes;
    assert_true(compressed_unpack("k", &data, 100, &err));
    assert_ptr_equal(data.bytes, before);
    assert_int_equal(data.size, 12);
    file_data_free(&data);
}

#define CONTENT_SIZE (3u << 20)

/* Not all the same, but it packs well. */
static uint8_t *content(void)
{
    uint8_t *bytes = malloc(CONTENT_SIZE);
    assert_non_null(bytes);
    for (size_t i = 0; i < CONTENT_SIZE; i++)
        bytes[i] = (uint8_t)(i >> 8 ^ i >> 16);
    return bytes;
}

/* As the kernel's zboot header lays it out, with a few bytes after the payload. */
static struct file_data zboot_of(const struct file_data *payload)
{
    struct file_data data = {calloc(1, payload->size + 100), payload->size + 100};
    assert_non_null(data.bytes);
    memcpy(data.bytes, "MZ\0\0zimg", 8);
    put(data.bytes + 8, 4, 80);
    put(data.bytes + 12, 4, payload->size);
    memcpy(data.bytes + 80, payload->bytes, payload->size);
    return data;
}

/* Plain, in a zboot file, cut at some places, and against a limit. Takes packed. */
static void unpacks(struct file_data packed)
{
    uint8_t *expected = content();
    struct error err = {""};
    for (size_t cut = 1; cut < packed.size - 4; cut += packed.size / 16) {
        struct file_data data = data_of(packed.bytes, packed.size - cut);
        assert_false(compressed_unpack("k", &data, CONTENT_SIZE, &err));
        message_has(&err, "k: cut short");
        file_data_free(&data);
    }
    struct file_data zboot = zboot_of(&packed), small = data_of(packed.bytes, packed.size);
    assert_false(compressed_unpack("k", &small, CONTENT_SIZE - 1, &err));
    message_has(&err, "unpacks to more than");
    assert_string_equal(compressed_name(zboot.bytes, zboot.size), "EFI zboot");
    struct file_data *whole[] = {&packed, &zboot};
    for (unsigned i = 0; i < 2; i++) {
        assert_true(compressed_unpack("k", whole[i], CONTENT_SIZE, &err));
        assert_int_equal(whole[i]->size, CONTENT_SIZE);
        assert_memory_equal(whole[i]->bytes, expected, CONTENT_SIZE);
    }
    file_data_free(&packed);
    file_data_free(&zboot);
    file_data_free(&small);
    free(expected);
}

static void gzip_and_zboot_of_it_unpack(void **state)
{
    (void)state;
#ifdef HAVE_ZLIB
    uint8_t *bytes = content();
    struct file_data packed = {malloc(CONTENT_SIZE), 0};
    z_stream z = {.next_in = bytes,
                  .avail_in = CONTENT_SIZE,
                  .next_out = packed.bytes,
                  .avail_out = CONTENT_SIZE};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    packed.size = z.total_out;
    deflateEnd(&z);
    free(bytes);
    unpacks(packed);
#else
    skip();
#endif
}

static void zstd_and_zboot_of_it_unpack(void **state)
{
    (void)state;
#ifdef HAVE_ZSTD
    uint8_t *bytes = content();
    struct file_data packed = {malloc(CONTENT_SIZE), 0};
    packed.size = ZSTD_compress(packed.bytes, CONTENT_SIZE, bytes, CONTENT_SIZE, 3);
    assert_false(ZSTD_isError(packed.size));
    free(bytes);
    unpacks(packed);
#else
    skip();
#endif
}

/*
 * The whole: a machine without devices
 */

static const char *write_temporary(char *path, const void *bytes, size_t size)
{
    struct error err;
    strcpy(path, "/tmp/rvvm-boot-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_true(file_write(path, bytes, size, &err));
    return path;
}

static struct machine *machine_with(const struct boot_sources *sources, unsigned xlen, uint64_t ram)
{
    struct error err = {""};
    struct machine_config config = {.ram_size = ram, .harts = 2};
    isa_default(&config.isa, xlen);
    struct machine *m = machine_new(&config, &err);
    if (!m || !boot_files_read(&m->files, sources, &m->isa, ram, &err))
        fail_msg("%s", err.text);
    m->timebase = 10000000;
    return m;
}

static uint64_t chosen_u64(const void *tree, const char *name)
{
    int size;
    const fdt64_t *value = fdt_getprop(tree, fdt_path_offset(tree, "/chosen"), name, &size);
    assert_non_null(value);
    assert_int_equal(size, 8);
    return fdt64_ld(value);
}

static uint64_t ram_word(const struct machine *m, uint64_t address, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)m->bus.ram[address - BASE + i] << 8 * i;
    return value;
}

static void firmware_kernel_and_initrd_lie_where_firmware_expects_them(void **state)
{
    (void)state;
    static const uint8_t firmware[5000] = "firmware", initrd[9000] = "initrd";
    char firmware_path[64], kernel_path[64], initrd_path[64];
    for (unsigned xlen = 32; xlen <= 64; xlen += 32) {
        struct error err = {""};
        struct boot_sources sources = {
            .firmware.path = write_temporary(firmware_path, firmware, sizeof(firmware)),
            .kernel.path = write_temporary(kernel_path, "kernel", 7),
            .initrd.path = write_temporary(initrd_path, initrd, sizeof(initrd)),
            .append = "some words",
        };
        struct machine *m = machine_with(&sources, xlen, 64 * MIB);
        if (!boot_load(m, &err))
            fail_msg("%s", err.text);
        const uint64_t kernel = BASE + (xlen == 32 ? 4 : 2) * MIB, info = m->boot.dynamic_info;
        assert_false(m->boot.supervisor);
        assert_int_equal(m->boot.entry, BASE);
        assert_memory_equal(m->bus.ram, "firmware", 9);
        assert_memory_equal(m->bus.ram + (kernel - BASE), "kernel", 7);
        assert_int_equal(ram_word(m, info, xlen / 8), 0x4942534f);
        assert_int_equal(ram_word(m, info + 2 * (xlen / 8), xlen / 8), kernel);
        assert_int_equal(ram_word(m, info + 3 * (xlen / 8), xlen / 8), 1);
        const void *tree = m->bus.ram + (m->boot.dtb_address - BASE);
        assert_int_equal(fdt_check_full(tree, m->boot.dtb_size), 0);
        assert_int_equal(m->boot.dtb_address % (2 * MIB), 0);
        uint64_t start = chosen_u64(tree, "linux,initrd-start");
        assert_int_equal(start, BASE + 32 * MIB);
        assert_int_equal(chosen_u64(tree, "linux,initrd-end"), start + sizeof(initrd));
        assert_memory_equal(m->bus.ram + (start - BASE), initrd, sizeof(initrd));
        assert_string_equal(fdt_getprop(tree, fdt_path_offset(tree, "/chosen"), "bootargs", NULL),
                            "some words");
        machine_free(m);
        unlink(firmware_path), unlink(kernel_path), unlink(initrd_path);
    }
}

static void each_start_has_other_seeds_and_clean_memory(void **state)
{
    (void)state;
    char path[64];
    struct error err = {""};
    struct boot_sources sources = {.kernel.path = write_temporary(path, "kernel", 7)};
    struct machine *m = machine_with(&sources, 64, 16 * MIB);
    assert_true(boot_load(m, &err));
    assert_true(m->boot.supervisor);
    assert_int_equal(m->boot.entry, BASE + 2 * MIB);
    uint64_t seed = chosen_u64(m->boot.dtb, "kaslr-seed");
    m->bus.ram[0] = 1;
    m->bus.ram[2 * MIB] = 1;
    assert_true(boot_load(m, &err));
    assert_int_not_equal(chosen_u64(m->boot.dtb, "kaslr-seed"), seed);
    assert_int_equal(m->bus.ram[0], 0);
    assert_int_equal(m->bus.ram[2 * MIB], 'k');
    machine_free(m);
    unlink(path);
}

/* A tree with cells of other widths, two memories and an initrd of another time. */
static void a_users_tree_is_told_of_memory_and_this_boot(void **state)
{
    (void)state;
    uint8_t tree[2048];
    char path[64], kernel[64];
    struct error err = {""};
    fdt_create_empty_tree(tree, sizeof(tree));
    fdt_setprop_u32(tree, 0, "#address-cells", 1);
    fdt_setprop_u32(tree, 0, "#size-cells", 1);
    int node = fdt_add_subnode(tree, 0, "memory@1000");
    fdt_setprop_string(tree, node, "device_type", "memory");
    fdt_setprop_u64(tree, node, "reg", 0x100000001000);
    node = fdt_add_subnode(tree, 0, "memory@0");
    fdt_setprop_string(tree, node, "device_type", "memory");
    node = fdt_add_subnode(tree, 0, "chosen");
    fdt_setprop_u64(tree, node, "linux,initrd-start", 5);
    fdt_setprop_string(tree, node, "bootargs", "their words");
    struct boot_sources sources = {.dtb.path = write_temporary(path, tree, fdt_totalsize(tree)),
                                   .kernel.path = write_temporary(kernel, "kernel", 7)};
    struct machine *m = machine_with(&sources, 64, 16 * MIB);
    if (!boot_load(m, &err))
        fail_msg("%s", err.text);
    const void *given = m->boot.dtb;
    unsigned memories = 0;
    int chosen = fdt_path_offset(given, "/chosen"), size;
    for (node = fdt_next_node(given, -1, NULL); node >= 0;
         node = fdt_next_node(given, node, NULL)) {
        const char *type = fdt_getprop(given, node, "device_type", NULL);
        if (!type || strcmp(type, "memory"))
            continue;
        const fdt32_t *reg = fdt_getprop(given, node, "reg", &size);
        assert_int_equal(size, 8);
        assert_int_equal(fdt32_ld(reg), BASE);
        assert_int_equal(fdt32_ld(reg + 1), 16 * MIB);
        memories++;
    }
    assert_int_equal(memories, 1);
    assert_null(fdt_getprop(given, chosen, "linux,initrd-start", NULL));
    assert_string_equal(fdt_getprop(given, chosen, "bootargs", NULL), "their words");
    machine_free(m);
    unlink(path), unlink(kernel);
}

static void a_machine_that_cannot_be_made_leaves_descriptors_alone(void **state)
{
    (void)state;
    struct error err = {""};
    struct machine_config config = {.ram_size = 16 * MIB, .harts = 0};
    isa_default(&config.isa, 64);
    struct stat st;
    char path[64];
    int other = open(write_temporary(path, "", 0), O_RDONLY);
    assert_true(other >= 0 && dup2(other, 0) == 0);
    assert_null(machine_new(&config, &err));
    message_has(&err, "0 harts");
    assert_int_equal(fstat(0, &st), 0);
    close(other);
    unlink(path);
}

static const char *cpu_string(const struct machine *m, const char *name)
{
    return fdt_getprop(m->boot.dtb, fdt_path_offset(m->boot.dtb, "/cpus/cpu@1"), name, NULL);
}

static void the_tree_follows_the_processor(void **state)
{
    (void)state;
    struct error err = {""};
    struct boot_sources none = {0};
    struct machine *m = machine_with(&none, 64, 16 * MIB);
    assert_true(isa_parse(&m->isa, "sv57=on,zicboz=off,zfa=off", &err));
    assert_true(boot_prepare(m, &err));
    assert_string_equal(cpu_string(m, "mmu-type"), "riscv,sv57");
    assert_string_equal(cpu_string(m, "riscv,isa-base"), "rv64i");
    assert_null(strstr(cpu_string(m, "riscv,isa"), "zfa"));
    assert_non_null(strstr(cpu_string(m, "riscv,isa"), "zicbom"));
    assert_null(cpu_string(m, "riscv,cboz-block-size"));
    assert_non_null(cpu_string(m, "riscv,cbom-block-size"));
    assert_int_equal(fdt_path_offset(m->boot.dtb, "/cpus/cpu@2"), -FDT_ERR_NOTFOUND);
    machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_takes_what_lies_within_memory_and_apart),
        cmocka_unit_test(plan_has_an_end),
        cmocka_unit_test(plan_writes_what_was_given),
        cmocka_unit_test(elf_segments_go_to_their_physical_addresses),
        cmocka_unit_test(elf_that_relocates_itself_goes_to_where_it_is_told),
        cmocka_unit_test(elf_headers_of_any_content_are_harmless),
        cmocka_unit_test(elf_of_any_length_is_whole_or_refused),
        cmocka_unit_test(image_header_says_where_and_how_large),
        cmocka_unit_test(what_is_not_packed_stays_as_it_is),
        cmocka_unit_test(gzip_and_zboot_of_it_unpack),
        cmocka_unit_test(zstd_and_zboot_of_it_unpack),
        cmocka_unit_test(firmware_kernel_and_initrd_lie_where_firmware_expects_them),
        cmocka_unit_test(each_start_has_other_seeds_and_clean_memory),
        cmocka_unit_test(a_users_tree_is_told_of_memory_and_this_boot),
        cmocka_unit_test(a_machine_that_cannot_be_made_leaves_descriptors_alone),
        cmocka_unit_test(the_tree_follows_the_processor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
