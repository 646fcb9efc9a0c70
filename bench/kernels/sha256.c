/* SPDX-License-Identifier: GPL-3.0-only */
/* SHA-256 (FIPS 180-4): rotations, additions and many live values. */
#include "kernel.h"

#include <string.h>

#define SIZE 65536

/* First 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static uint32_t constants[64];

/* The constants by integers alone: the largest r with r^3 <= p * 2^96, of which the low 32 bits. */
static void prepare(void)
{
    int found = 0;
    for (unsigned p = 2; found < 64; p++) {
        int prime = 1;
        for (unsigned d = 2; d * d <= p; d++)
            prime &= p % d != 0;
        if (!prime)
            continue;
        uint64_t root = 0;
        for (int bit = 34; bit >= 0; bit--) {
            uint64_t r = root | 1ull << bit;
            if ((unsigned __int128)r * r * r <= (unsigned __int128)p << 96)
                root = r;
        }
        constants[found++] = (uint32_t)root;
    }
}

static uint32_t rotate(uint32_t x, int by)
{
    return x >> by | x << (32 - by);
}

static void compress(uint32_t *state, const uint8_t *block)
{
    uint32_t w[64], s[8];
    for (int i = 0; i < 16; i++) {
        const uint8_t *b = block + 4 * i;
        w[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
               (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
    memcpy(s, state, sizeof(s));
    for (int i = 0; i < 64; i++) {
        uint32_t e = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
        uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
        uint32_t t1 = s[7] + e + choice + constants[i] + w[i];
        uint32_t a = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
        uint32_t t2 = a + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof(*s));
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

static uint64_t run(unsigned rounds)
{
    static uint8_t data[SIZE];
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    for (unsigned i = 0; i < rounds * 75; i++) {
        data[i % SIZE]++;
        for (size_t at = 0; at < SIZE; at += 64)
            compress(state, data + at);
    }
    return (uint64_t)state[0] << 32 | state[7];
}

const struct kernel kernel_sha256 = {
    .name = "sha256", .group = "integer", .prepare = prepare, .run = run};
