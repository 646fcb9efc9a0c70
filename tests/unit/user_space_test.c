/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The address space of programs (src/user/space.h): what is mapped where, with which rights, and that nothing
 * of the emulator's is ever replaced. Against the host's own mappings, which are the memory that is looked
 * at. Again: tools/run-tests unit/user_space_test
 */
#define _GNU_SOURCE
#include "user/areas.h"
#include "user/copy.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "own_addresses.h"

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define SOMEWHERE UINT64_C(0x2aaa00000000)

static struct space space;

static int set_up(void **state)
{
    (void)state;
    struct error err;
    return space_init(&space, 64, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    while (space.count)
        space_munmap(&space, space.areas[0].first, space.areas[0].end - space.areas[0].first);
    space_free(&space);
    return 0;
}

static uint64_t map(uint64_t address, uint64_t pages, int prot, int flags)
{
    int64_t at = space_mmap(&space, address, pages * PAGE, prot, ANONYMOUS | flags, -1, 0);
    assert_true(at > 0);
    return (uint64_t)at;
}

static int rights(uint64_t address)
{
    bool changes;
    return space_rights(&space, address, &changes);
}

/* cmocka has handlers of its own, which it puts in place before each test. */
static void catch_faults(void)
{
    struct error err;
    assert_true(user_catch_faults(&err));
}

static bool is_writable(uint64_t address)
{
    char byte = 1;
    catch_faults();
    return space_write(&space, address, &byte, 1);
}

static bool is_readable(uint64_t address)
{
    char byte;
    catch_faults();
    return space_read(&space, &byte, address, 1);
}

static void what_has_no_address_goes_below_the_end(void **state)
{
    (void)state;
    uint64_t a = map(0, 1, RW, 0), b = map(0, 3, RW, 0);
    assert_true(a < SPACE_END_64 && b < a);
    assert_true(is_writable(a) && is_writable(b + 3 * PAGE - 1));
    assert_int_equal(rights(a), RW);
    assert_int_equal(rights(b - PAGE), -1);
}

static void a_hint_is_taken_when_it_is_free(void **state)
{
    (void)state;
    assert_int_equal(map(SOMEWHERE + 5, 2, RW, 0), SOMEWHERE);
    assert_int_not_equal(map(SOMEWHERE, 1, RW, 0), SOMEWHERE);
}

static void unmapping_the_middle_leaves_both_ends(void **state)
{
    (void)state;
    uint64_t a = map(SOMEWHERE, 4, RW, MAP_FIXED);
    assert_int_equal(space_munmap(&space, a + PAGE, 2 * PAGE), 0);
    assert_int_equal(space.count, 2);
    assert_true(is_writable(a) && is_writable(a + 3 * PAGE));
    assert_false(is_readable(a + PAGE));
    assert_int_equal(rights(a + PAGE), -1);
    /* What is not there is unmapped as well. */
    assert_int_equal(space_munmap(&space, a, 16 * PAGE), 0);
    assert_int_equal(space.count, 0);
}

static void fixed_mappings_replace_what_is_there(void **state)
{
    (void)state;
    uint64_t a = map(SOMEWHERE, 4, RW, MAP_FIXED);
    memset((void *)(uintptr_t)a, 7, 4 * PAGE);
    map(a + 2 * PAGE, 8, PROT_READ, MAP_FIXED);
    assert_int_equal(*(char *)(uintptr_t)(a + PAGE), 7);
    assert_int_equal(*(char *)(uintptr_t)(a + 2 * PAGE), 0);
    assert_false(is_writable(a + 2 * PAGE));
    assert_int_equal(space_mmap(&space, a, PAGE, RW, ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
                     -EEXIST);
}

static void rights_change_page_by_page(void **state)
{
    (void)state;
    uint64_t a = map(SOMEWHERE, 3, RW, MAP_FIXED);
    assert_int_equal(space_mprotect(&space, a + PAGE, PAGE, PROT_READ | PROT_EXEC), 0);
    assert_int_equal(rights(a + PAGE), PROT_READ | PROT_EXEC);
    assert_int_equal(space.count, 3);
    assert_true(is_writable(a) && !is_writable(a + PAGE) && is_writable(a + 2 * PAGE));
    assert_int_equal(space_mprotect(&space, a + PAGE, PAGE, RW), 0);
    assert_int_equal(space.count, 1);
    assert_int_equal(space_mprotect(&space, a + PAGE, 3 * PAGE, PROT_READ), -ENOMEM);
    assert_int_equal(space_mprotect(&space, a + 1, PAGE, PROT_READ), -EINVAL);
}

static void the_emulator_is_out_of_reach(void **state)
{
    (void)state;
    catch_faults();
    static char ours[2 * PAGE];
    uint64_t page = ((uintptr_t)ours + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    char byte = 1;
    assert_false(space_is_guest(&space, page, 1));
    assert_int_equal(space_mmap(&space, page, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0), -ENOMEM);
    assert_int_equal(space_munmap(&space, page, PAGE), -EINVAL);
    assert_int_equal(space_mprotect(&space, page, PAGE, PROT_NONE), -ENOMEM);
    assert_int_equal(space_mremap(&space, page, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0), -EFAULT);
    assert_false(space_write(&space, page, &byte, 1));
    /* Lengths that wrap around. */
    assert_int_equal(space_munmap(&space, SOMEWHERE, UINT64_MAX - PAGE), -EINVAL);
    assert_int_equal(space_mmap(&space, SOMEWHERE, UINT64_MAX, RW, ANONYMOUS, -1, 0), -ENOMEM);
    assert_false(space_is_guest(&space, SPACE_END_64 - 1, UINT64_MAX));
}

static void a_mapping_that_fails_leaves_holes_as_they_were(void **state)
{
    (void)state;
    uint64_t a = map(SOMEWHERE + PAGE, 1, RW, MAP_FIXED);
    *(char *)(uintptr_t)a = 6;
    assert_int_equal(space_mmap(&space, SOMEWHERE, 3 * PAGE, RW, MAP_PRIVATE | MAP_FIXED, -1, 0),
                     -EBADF);
    assert_int_equal(space.count, 1);
    assert_int_equal(*(char *)(uintptr_t)a, 6);
    map(SOMEWHERE, 1, RW, MAP_FIXED);
    map(SOMEWHERE + 2 * PAGE, 1, RW, MAP_FIXED_NOREPLACE);
}

static void where_nothing_can_be_nothing_is_unmapped(void **state)
{
    (void)state;
    assert_int_equal(space_munmap(&space, 0, PAGE), 0);
    assert_int_equal(space_munmap(&space, 0, 0), -EINVAL);
    assert_int_equal(space_munmap(&space, 1, PAGE), -EINVAL);
}

static void fixed_mappings_do_not_replace_what_the_list_does_not_know(void **state)
{
    (void)state;
    /* Something of somebody else's in the guest's part, as a sanitizer might have. */
    void *other = mmap((void *)(uintptr_t)(SOMEWHERE + PAGE), PAGE, RW,
                       ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    assert_true(other != MAP_FAILED);
    memset(other, 5, PAGE);
    assert_true(space_mmap(&space, SOMEWHERE, 3 * PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0) < 0);
    map(SOMEWHERE, 1, RW, MAP_FIXED);
    assert_true(space_mmap(&space, SOMEWHERE, 3 * PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0) < 0);
    assert_int_equal(space_munmap(&space, SOMEWHERE, 3 * PAGE), 0);
    assert_int_equal(*(char *)other, 5);
    munmap(other, PAGE);
}

static void mappings_grow_where_there_is_room_and_move_where_not(void **state)
{
    (void)state;
    uint64_t a = map(SOMEWHERE, 2, RW, MAP_FIXED);
    *(char *)(uintptr_t)a = 9;
    assert_int_equal(space_mremap(&space, a, 2 * PAGE, 4 * PAGE, 0, 0), a);
    assert_true(is_writable(a + 3 * PAGE));
    map(a + 4 * PAGE, 1, PROT_READ, MAP_FIXED);
    assert_int_equal(space_mremap(&space, a, 4 * PAGE, 8 * PAGE, 0, 0), -ENOMEM);
    int64_t b = space_mremap(&space, a, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE, 0);
    assert_true(b > 0 && (uint64_t)b != a);
    assert_int_equal(*(char *)(uintptr_t)b, 9);
    assert_false(is_readable(a));
    assert_int_equal(rights(a), -1);
    assert_int_equal(space_mremap(&space, (uint64_t)b, 8 * PAGE, PAGE, 0, 0), b);
    assert_false(is_readable((uint64_t)b + PAGE));
    assert_int_equal(
        space_mremap(&space, (uint64_t)b, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, a), a);
    assert_int_equal(*(char *)(uintptr_t)a, 9);
}

static void the_heap_ends_where_it_was_told_to(void **state)
{
    (void)state;
    space.brk_first = space.brk_now = SOMEWHERE;
    assert_int_equal(space_brk(&space, 0), SOMEWHERE);
    assert_int_equal(space_brk(&space, SOMEWHERE + 5000), SOMEWHERE + 5000);
    assert_true(is_writable(SOMEWHERE + 8191));
    assert_int_equal(space_brk(&space, SOMEWHERE + 10), SOMEWHERE + 10);
    assert_false(is_readable(SOMEWHERE + PAGE));
    assert_int_equal(space_brk(&space, SOMEWHERE - 1), SOMEWHERE + 10);
    map(SOMEWHERE + 2 * PAGE, 1, RW, MAP_FIXED);
    assert_int_equal(space_brk(&space, SOMEWHERE + 3 * PAGE), SOMEWHERE + 10);
    /* What is 0 when it is rounded up. */
    assert_int_equal(space_brk(&space, UINT64_MAX), SOMEWHERE + 10);
    assert_true(is_writable(SOMEWHERE));
}

static void copies_end_where_memory_does(void **state)
{
    (void)state;
    uint64_t a = map(SOMEWHERE, 1, RW, MAP_FIXED);
    char text[16];
    catch_faults();
    memcpy((void *)(uintptr_t)(a + PAGE - 4), "abcd", 4);
    assert_true(space_read(&space, text, a + PAGE - 4, 4));
    assert_false(space_read(&space, text, a + PAGE - 4, 5));
    assert_int_equal(space_read_string(&space, text, a + PAGE - 4, sizeof(text)), -EFAULT);
    assert_int_equal(space_read_string(&space, text, a + PAGE - 4, 4), -ENAMETOOLONG);
    *(char *)(uintptr_t)(a + PAGE - 1) = 0;
    assert_int_equal(space_read_string(&space, text, a + PAGE - 4, sizeof(text)), 3);
    assert_string_equal(text, "abc");
    assert_false(space_read(&space, text, 0, 1));
}

static void code_that_may_change_is_told_from_code_that_may_not(void **state)
{
    (void)state;
    bool changes;
    uint64_t a = map(SOMEWHERE, 1, PROT_READ | PROT_EXEC, MAP_FIXED);
    space_rights(&space, a, &changes);
    assert_false(changes);
    space_mprotect(&space, a, PAGE, RW | PROT_EXEC);
    space_rights(&space, a, &changes);
    assert_true(changes);
    int fd = memfd_create("code", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, PAGE), 0);
    int64_t b = space_mmap(&space, 0, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    assert_true(b > 0);
    space_rights(&space, (uint64_t)b, &changes);
    assert_true(changes); /* by another mapping of the file */
    close(fd);
}

/* Random calls; the list must say what the host has, page by page. */
static void the_list_and_the_host_agree(void **state)
{
    (void)state;
    enum { PAGES = 64, CALLS = 4000 };
    unsigned seed = 1;
    for (unsigned n = 0; n < CALLS; n++) {
        unsigned r = (seed = seed * 1103515245 + 12345) >> 8;
        uint64_t at = SOMEWHERE + (r % PAGES) * PAGE, size = (r / PAGES % 8 + 1) * PAGE;
        int prot = r & 0x10000 ? RW : r & 0x20000 ? PROT_READ : PROT_NONE;
        switch (r >> 20 & 3) {
        case 0:
            space_mmap(&space, at, size, prot, ANONYMOUS | MAP_FIXED, -1, 0);
            break;
        case 1:
            space_munmap(&space, at, size);
            break;
        case 2:
            space_mprotect(&space, at, size, prot);
            break;
        default:
            space_mremap(&space, at, size, (r / 512 % 8 + 1) * PAGE,
                         r & 0x40000 ? MREMAP_MAYMOVE : 0, 0);
        }
        if (n % 16)
            continue;
        for (unsigned page = 0; page < PAGES + 8; page++) {
            int prot_there = rights(SOMEWHERE + page * PAGE);
            assert_int_equal(prot_there > 0 && prot_there & PROT_WRITE,
                             is_writable(SOMEWHERE + page * PAGE));
            assert_int_equal(prot_there > 0 && prot_there & PROT_READ,
                             is_readable(SOMEWHERE + page * PAGE));
        }
    }
    for (unsigned n = 1; n < space.count; n++)
        assert_true(space.areas[n - 1].end <= space.areas[n].first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_has_no_address_goes_below_the_end),
        TEST(a_hint_is_taken_when_it_is_free),
        TEST(unmapping_the_middle_leaves_both_ends),
        TEST(fixed_mappings_replace_what_is_there),
        TEST(rights_change_page_by_page),
        TEST(the_emulator_is_out_of_reach),
        TEST(a_mapping_that_fails_leaves_holes_as_they_were),
        TEST(where_nothing_can_be_nothing_is_unmapped),
        TEST(fixed_mappings_do_not_replace_what_the_list_does_not_know),
        TEST(mappings_grow_where_there_is_room_and_move_where_not),
        TEST(the_heap_ends_where_it_was_told_to),
        TEST(copies_end_where_memory_does),
        TEST(code_that_may_change_is_told_from_code_that_may_not),
        TEST(the_list_and_the_host_agree),
    };
    return run_group_at_own_addresses(tests);
}
