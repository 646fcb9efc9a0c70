/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Code that a program writes: over and over at one place, by another mapping of the same memory, with rights
 * that come and go, where other code was mapped before, by a second thread. fence.i and the system call.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LI_A0(n) (0x00000513u | (uint32_t)(n) << 20)
#define RET 0x00008067u

typedef int function(void);

static void check(int holds, const char *what)
{
    if (!holds) {
        printf("not so: %s\n", what);
        exit(1);
    }
}

static void write_code(uint32_t *at, unsigned n)
{
    at[0] = LI_A0(n);
    at[1] = RET;
}

static uint32_t *map(int prot, int flags, int fd)
{
    uint32_t *p = mmap(NULL, 8192, prot, flags, fd, 0);
    check(p != MAP_FAILED, "mmap");
    return p;
}

static void over_and_over(void)
{
    uint32_t *p = map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    for (unsigned n = 0; n < 2000; n++) {
        write_code(p, n);
        if (n & 1)
            __asm__ volatile("fence.i" ::: "memory");
        else
            __builtin___clear_cache((char *)p, (char *)(p + 2));
        check(((function *)p)() == (int)n, "written over and over");
    }
    munmap(p, 8192);
}

static void by_two_mappings(void)
{
    int fd = memfd_create("code", 0);
    check(ftruncate(fd, 8192) == 0, "ftruncate");
    uint32_t *w = map(PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    uint32_t *x = map(PROT_READ | PROT_EXEC, MAP_SHARED, fd);
    for (unsigned n = 0; n < 500; n++) {
        write_code(w, n);
        __builtin___clear_cache((char *)x, (char *)(x + 2));
        check(((function *)x)() == (int)n, "by another mapping");
    }
}

static void with_rights_that_change(void)
{
    uint32_t *p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    for (unsigned n = 0; n < 500; n++) {
        mprotect(p, 4096, PROT_READ | PROT_WRITE);
        write_code(p, n);
        mprotect(p, 4096, PROT_READ | PROT_EXEC);
        __builtin___clear_cache((char *)p, (char *)(p + 2));
        check(((function *)p)() == (int)n, "with rights that change");
    }
}

static void where_other_code_was(void)
{
    uint32_t *p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    for (unsigned n = 0; n < 500; n++) {
        munmap(p, 8192);
        p = mmap(p, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        write_code(p, n);
        __builtin___clear_cache((char *)p, (char *)(p + 2));
        check(((function *)p)() == (int)n, "where other code was");
    }
}

/* A caller whose direct jump leads to code on another page that is written anew. */
static void behind_a_direct_jump(void)
{
    uint32_t *p = map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    p[0] = 0x0000106f; /* j . + 4096 */
    for (unsigned n = 0; n < 500; n++) {
        write_code(p + 1024, n);
        __builtin___clear_cache((char *)(p + 1024), (char *)(p + 1026));
        check(((function *)p)() == (int)n, "behind a direct jump");
    }
}

static uint32_t *shared_code;
static volatile unsigned round_now, round_seen;

static void *runs(void *arg)
{
    (void)arg;
    for (unsigned n = 1; n <= 300; n++) {
        while (round_now != n)
            ;
        __sync_synchronize();
        check(((function *)shared_code)() == (int)n, "written by another thread");
        round_seen = n;
    }
    return NULL;
}

static void by_another_thread(void)
{
    pthread_t thread;
    shared_code = map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    pthread_create(&thread, NULL, runs, NULL);
    for (unsigned n = 1; n <= 300; n++) {
        write_code(shared_code, n);
        __builtin___clear_cache((char *)shared_code, (char *)(shared_code + 2));
        __sync_synchronize();
        round_now = n;
        while (round_seen != n)
            ;
    }
    pthread_join(thread, NULL);
}

int main(void)
{
    over_and_over();
    by_two_mappings();
    with_rights_that_change();
    where_other_code_was();
    behind_a_direct_jump();
    by_another_thread();
    puts("as it should be");
    return 0;
}
