/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Fuzz harnesses. NAME_fuzz.c defines LLVMFuzzerTestOneInput, which makes what it tests anew for each
 * input, so that an input that breaks something breaks it again. Inputs worth keeping are in
 * corpus/NAME/. A harness is built twice:
 *
 *     make unit-tests               BUILD/tests/fuzz/NAME_fuzz FILE...: runs these inputs (replay.c)
 *     make fuzz-tests               build/fuzz/tests/fuzz/NAME_fuzz: clang's libFuzzer
 *     build/fuzz/tests/fuzz/NAME_fuzz -max_total_time=60 /tmp/corpus tests/fuzz/corpus/NAME
 *
 * What it finds is written to ./crash-HASH; give that to either program to see it again, and put it
 * into the corpus when it is fixed.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An input read front to back. Behind its end there are zeros, and fuzz_left is 0. */
struct fuzz_input {
    const uint8_t *bytes;
    size_t left;
};

static inline size_t fuzz_left(const struct fuzz_input *in)
{
    return in->left;
}

/* A little-endian number of 1 to 8 bytes. */
static inline uint64_t fuzz_take(struct fuzz_input *in, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size && in->left; i++, in->left--)
        value |= (uint64_t)*in->bytes++ << 8 * i;
    return value;
}

#endif
