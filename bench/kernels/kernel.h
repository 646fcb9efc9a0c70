/* SPDX-License-Identifier: GPL-3.0-only */
/* What a kernel of the benchmark is: some work that is done `rounds` times, each round about 40 ms
 * on a host of 2020, and a result that says it was done right. One file each, one line in
 * list.def. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct kernel {
    const char *name;
    const char *group;          /* rows of a group share a geometric mean */
    void (*prepare)(void);      /* may be NULL; not timed */
    uint64_t (*run)(unsigned);  /* the same result on every machine ... */
    double (*run_fp)(unsigned); /* ... or, in its place, one that may differ in the last digits */
};

/* Pseudo-random numbers (xorshift64*), the same everywhere; the state must not be 0. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1d;
}

/* Folds a number into a checksum, order included. */
static inline uint64_t checksum_add(uint64_t sum, uint64_t value)
{
    return (sum ^ value) * 0x9e3779b97f4a7c15 + (sum >> 29);
}

/* Ends the program with what errno says. */
_Noreturn void kernel_fail(const char *what);

/* A text of words, lines and numbers with the repetitions that texts have; no NUL but the last. */
void text_fill(char *text, size_t size, uint64_t seed);
