/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Programs (src/user/elf.h) and "#!" lines (src/user/script.h): what is read of them, and that what is wrong
 * is said in one line. Again: tools/run-tests unit/user_elf_test
 */
#define _GNU_SOURCE
#include "user/copy.h"
#include "user/elf.h"
#include "user/script.h"
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "own_addresses.h"

#define BASE UINT64_C(0x40000)

static struct {
    Elf64_Ehdr header;
    Elf64_Phdr segments[3];
    char rest[8192];
} file;

static void make_file(void)
{
    memset(&file, 0, sizeof(file));
    memcpy(file.header.e_ident, ELFMAG, SELFMAG);
    file.header.e_ident[EI_CLASS] = ELFCLASS64;
    file.header.e_ident[EI_DATA] = ELFDATA2LSB;
    file.header.e_type = ET_EXEC;
    file.header.e_machine = EM_RISCV;
    file.header.e_entry = BASE + 0x100;
    file.header.e_phoff = sizeof(file.header);
    file.header.e_phentsize = sizeof(Elf64_Phdr);
    file.header.e_phnum = 2;
    file.segments[0] = (Elf64_Phdr){.p_type = PT_LOAD,
                                    .p_flags = PF_R | PF_X,
                                    .p_vaddr = BASE,
                                    .p_filesz = 4096,
                                    .p_memsz = 4096};
    file.segments[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                                    .p_flags = PF_R | PF_W,
                                    .p_offset = 4096,
                                    .p_vaddr = BASE + 4096,
                                    .p_filesz = 100,
                                    .p_memsz = 10000};
    memset((char *)&file + 4096, 0xee, 4096);
}

static int file_of(const void *bytes, size_t size)
{
    int fd = memfd_create("program", MFD_CLOEXEC);
    assert_true(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    return fd;
}

static void refused(const char *why)
{
    struct elf elf;
    struct error err = {{0}};
    int fd = file_of(&file, sizeof(file));
    assert_false(elf_read(&elf, fd, &err));
    if (!strstr(err.text, why))
        fail_msg("\"%s\" is not in: %s", why, err.text);
    close(fd);
    make_file();
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    make_file();
    file.header.e_ident[0] = 0;
    refused("not an ELF file");
    file.header.e_ident[EI_CLASS] = 7;
    refused("class 7");
    file.header.e_ident[EI_DATA] = ELFDATA2MSB;
    refused("little-endian");
    file.header.e_machine = EM_X86_64;
    refused("for x86-64 (machine 62), not for RISC-V");
    file.header.e_type = ET_REL;
    refused("(type 1)");
    file.header.e_phentsize = 7;
    refused("2 program headers of 7 bytes");
    file.header.e_phnum = 1000;
    refused("1000 program headers");
    file.header.e_phoff = 1 << 20;
    refused("cut short: program headers");
    file.header.e_phoff = UINT64_MAX;
    refused("cut short: program headers");
    file.segments[1].p_filesz = 20000;
    refused("segment 1 is larger than its memory");
    file.segments[1].p_offset = INT64_MAX - 99;
    refused("cut short: segment 1");
    file.segments[1].p_offset = INT64_MAX & ~UINT64_C(0xfff);
    file.segments[1].p_filesz = 0;
    refused("makes no sense");
    file.segments[1].p_memsz = UINT64_MAX;
    refused("makes no sense");
    file.segments[1].p_vaddr = UINT64_MAX - 4095;
    refused("makes no sense");
    file.segments[1].p_offset = 4097;
    refused("makes no sense");
    file.segments[1].p_vaddr = 4096;
    refused("below or over");
    file.segments[0].p_type = file.segments[1].p_type = PT_NOTE;
    refused("nothing to load");
}

static void an_empty_file_is_none(void **state)
{
    (void)state;
    struct elf elf;
    struct error err;
    int fd = file_of("", 0);
    assert_false(elf_read(&elf, fd, &err));
    close(fd);
}

static void segments_lie_where_they_belong(void **state)
{
    (void)state;
    struct error err = {{0}};
    struct space space;
    struct elf elf;
    make_file();
    int fd = file_of(&file, sizeof(file));
    assert_true(user_catch_faults(&err) && space_init(&space, 64, &err));
    assert_true(elf_read(&elf, fd, &err) && elf_map(&elf, &space, fd, 0, &err));
    const unsigned char *data = (const unsigned char *)(uintptr_t)(BASE + 4096);
    assert_memory_equal((const void *)(uintptr_t)BASE, &file, 100);
    assert_int_equal(data[99], 0xee);
    /* To the end of the page, and in the pages behind it: zero. */
    for (unsigned n = 100; n < 12288; n++)
        assert_int_equal(data[n], 0);
    assert_int_equal(elf.bias, 0);
    /* Its place is taken now. */
    assert_false(elf_map(&elf, &space, fd, 0, &err));
    assert_non_null(strstr(err.text, "no room"));
    elf.moves = true;
    assert_true(elf_map(&elf, &space, fd, 0, &err));
    assert_memory_equal((const void *)(uintptr_t)(BASE + elf.bias), &file, 100);
    while (space.count)
        space_munmap(&space, space.areas[0].first, space.areas[0].end - space.areas[0].first);
    space_free(&space);
    close(fd);
}

static void a_segment_without_bytes_of_the_file_is_there_from_its_page_on(void **state)
{
    (void)state;
    struct error err = {{0}};
    struct space space;
    struct elf elf;
    make_file();
    file.segments[1].p_offset = 4096 + 0x148;
    file.segments[1].p_vaddr = BASE + 4096 + 0x148;
    file.segments[1].p_filesz = 0;
    int fd = file_of(&file, sizeof(file));
    assert_true(user_catch_faults(&err) && space_init(&space, 64, &err));
    assert_true(elf_read(&elf, fd, &err) && elf_map(&elf, &space, fd, 0, &err));
    char *data = (char *)(uintptr_t)(BASE + 4096);
    for (unsigned n = 0; n < 12288; n++)
        assert_int_equal(data[n]++, 0);
    while (space.count)
        space_munmap(&space, space.areas[0].first, space.areas[0].end - space.areas[0].first);
    space_free(&space);
    close(fd);
}

static void a_file_that_ends_too_soon_is_refused(void **state)
{
    (void)state;
    struct error err = {{0}};
    struct space space;
    struct elf elf;
    make_file();
    int fd = file_of(&file, 4096); /* the second segment is not there */
    assert_true(user_catch_faults(&err) && space_init(&space, 64, &err));
    assert_true(elf_read(&elf, fd, &err));
    assert_false(elf_map(&elf, &space, fd, 0, &err));
    assert_non_null(strstr(err.text, "cut off"));
    while (space.count)
        space_munmap(&space, space.areas[0].first, space.areas[0].end - space.areas[0].first);
    space_free(&space);
    close(fd);
}

static void check_script(const char *line, const char *interpreter, const char *argument)
{
    struct script script;
    int fd = file_of(line, strlen(line));
    bool found = script_read(&script, fd);
    close(fd);
    assert_int_equal(found, interpreter != NULL);
    if (!found)
        return;
    assert_string_equal(script.interpreter, interpreter);
    if (argument)
        assert_string_equal(script.argument, argument);
    else
        assert_null(script.argument);
}

static void script_lines(void **state)
{
    (void)state;
    char longest[400];
    check_script("#!/bin/sh\n", "/bin/sh", NULL);
    check_script("#! /bin/sh -e  -x \t\nmore", "/bin/sh", "-e  -x");
    check_script("#!/bin/sh", "/bin/sh", NULL);
    check_script("#!\t/bin/sh   \n", "/bin/sh", NULL);
    check_script("#!\n", NULL, NULL);
    check_script("#!", NULL, NULL);
    check_script("#", NULL, NULL);
    check_script("\177ELF", NULL, NULL);
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "#!", 2);
    longest[sizeof(longest) - 1] = 0;
    check_script(longest, NULL, NULL);
}

static void script_arguments(void **state)
{
    (void)state;
    char *given[] = {"own", "one", "two", NULL};
    const char *line = "#!/bin/awk -f\n";
    struct script script;
    int fd = file_of(line, strlen(line));
    assert_true(script_read(&script, fd));
    close(fd);
    char **argv = script_argv(&script, "/tmp/script", given);
    const char *expected[] = {"/bin/awk", "-f", "/tmp/script", "one", "two"};
    for (unsigned n = 0; n < 5; n++)
        assert_string_equal(argv[n], expected[n]);
    assert_null(argv[5]);
    /* For the interpreter's interpreter: what it is given outlives both. */
    char *path = strdup("/bin/awk");
    char **more = script_argv(&script, path, argv);
    const char *again[] = {"/bin/awk", "-f", "/bin/awk", "-f", "/tmp/script", "one", "two"};
    memset(path, 'x', 3);
    memset(argv[1], 'x', 2);
    free(path);
    free(argv);
    for (unsigned n = 0; n < 7; n++)
        assert_string_equal(more[n], again[n]);
    assert_null(more[7]);
    free(more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(an_empty_file_is_none),
        cmocka_unit_test(segments_lie_where_they_belong),
        cmocka_unit_test(a_segment_without_bytes_of_the_file_is_there_from_its_page_on),
        cmocka_unit_test(a_file_that_ends_too_soon_is_refused),
        cmocka_unit_test(script_lines),
        cmocka_unit_test(script_arguments),
    };
    return run_group_at_own_addresses(tests);
}
