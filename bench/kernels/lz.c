/* SPDX-License-Identifier: GPL-3.0-only */
/* A compressor of the LZ77 family, and back: hashes of four bytes, matches, copies that overlap.
 * A token is a length of literals and a length of a match, one byte each, then the literals, then
 * two bytes of distance. */
#include "kernel.h"

#include <string.h>

#define SIZE 300000
#define WINDOW 65535
#define SHORTEST 4

static char text[SIZE], back[SIZE];
static uint8_t packed[2 * SIZE];

static void prepare(void)
{
    text_fill(text, SIZE, 13);
}

static uint32_t word_at(const char *p)
{
    uint32_t word;
    memcpy(&word, p, sizeof(word));
    return word;
}

static size_t emit(uint8_t *out, const char *literals, size_t count, size_t match, size_t distance)
{
    out[0] = (uint8_t)count;
    out[1] = (uint8_t)match;
    memcpy(out + 2, literals, count);
    out[count + 2] = (uint8_t)distance;
    out[count + 3] = (uint8_t)(distance >> 8);
    return count + 4;
}

static size_t compress(void)
{
    static uint32_t recent[1 << 14];
    size_t at = 0, literals = 0, out = 0;
    memset(recent, 0, sizeof(recent));
    while (at + SHORTEST < SIZE) {
        uint32_t word = word_at(text + at), *entry = &recent[word * 2654435761u >> 18];
        size_t candidate = *entry, match = 0;
        *entry = (uint32_t)at;
        if (candidate < at && at - candidate <= WINDOW && word_at(text + candidate) == word)
            for (match = SHORTEST; match < 255 && at + match < SIZE; match++)
                if (text[candidate + match] != text[at + match])
                    break;
        if (match || at - literals == 255) {
            out += emit(packed + out, text + literals, at - literals, match, at - candidate);
            at += match;
            literals = at;
        }
        at += match == 0;
    }
    while (literals < SIZE) {
        size_t count = SIZE - literals < 255 ? SIZE - literals : 255;
        out += emit(packed + out, text + literals, count, 0, 0);
        literals += count;
    }
    return out;
}

static void expand(size_t size)
{
    size_t to = 0;
    for (const uint8_t *in = packed, *last = packed + size; in < last;) {
        size_t count = in[0], match = in[1];
        memcpy(back + to, in + 2, count);
        to += count;
        size_t distance = in[count + 2] | (size_t)in[count + 3] << 8;
        for (size_t i = 0; i < match; i++, to++)
            back[to] = back[to - distance];
        in += count + 4;
    }
}

static uint64_t run(unsigned rounds)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < rounds * 24; i++) {
        text[i % (SIZE - 1)] = 'x';
        size_t size = compress();
        expand(size);
        sum = checksum_add(sum, memcmp(text, back, SIZE) ? 0 : size);
    }
    return sum;
}

const struct kernel kernel_lz = {.name = "lz", .group = "integer", .prepare = prepare, .run = run};
