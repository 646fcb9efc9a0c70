/* SPDX-License-Identifier: GPL-3.0-only */
/* AES-128 (FIPS 197) in counter mode by four tables of 1 KiB: loads at addresses made of data. */
#include "kernel.h"

#define ROUNDS 10

static uint8_t sbox[256];
static uint32_t tables[4][256]; /* column j of MixColumns after SubBytes */
static uint32_t keys[4 * (ROUNDS + 1)];

static uint8_t times2(uint8_t x)
{
    return (uint8_t)(x << 1 ^ (x >> 7) * 0x1b);
}

static uint32_t rotate(uint32_t x, int by)
{
    return x << by | x >> (32 - by);
}

static void make_tables(void)
{
    /* p runs through the powers of 3, q through those of its inverse: q is 1/p. */
    uint8_t p = 1, q = 1;
    do {
        p ^= times2(p);
        q ^= (uint8_t)(q << 1);
        q ^= (uint8_t)(q << 2);
        q ^= (uint8_t)(q << 4);
        q ^= (q >> 7) * 0x09;
        uint32_t bits = q * 0x01010101u;
        sbox[p] = (uint8_t)(q ^ bits >> 7 ^ bits >> 6 ^ bits >> 5 ^ bits >> 4 ^ 0x63);
    } while (p != 1);
    sbox[0] = 0x63;
    for (int i = 0; i < 256; i++) {
        uint8_t s = sbox[i], d = times2(s);
        tables[0][i] = d | (uint32_t)s << 8 | (uint32_t)s << 16 | (uint32_t)(s ^ d) << 24;
        for (int j = 1; j < 4; j++)
            tables[j][i] = rotate(tables[0][i], 8 * j);
    }
}

static uint32_t substitute(uint32_t x)
{
    return sbox[x & 255] | (uint32_t)sbox[x >> 8 & 255] << 8 | (uint32_t)sbox[x >> 16 & 255] << 16 |
           (uint32_t)sbox[x >> 24] << 24;
}

static void prepare(void)
{
    uint8_t constant = 1;
    make_tables();
    for (int i = 0; i < 4; i++)
        keys[i] = 0x03020100u + 0x04040404u * (uint32_t)i;
    for (int i = 4; i < 4 * (ROUNDS + 1); i++) {
        uint32_t k = keys[i - 1];
        if (i % 4 == 0) {
            k = substitute(rotate(k, 24)) ^ constant;
            constant = times2(constant);
        }
        keys[i] = keys[i - 4] ^ k;
    }
}

static void encrypt(uint32_t *block)
{
    uint32_t s[4], t[4];
    for (int i = 0; i < 4; i++)
        s[i] = block[i] ^ keys[i];
    for (int round = 1; round < ROUNDS; round++) {
        for (int i = 0; i < 4; i++)
            t[i] = tables[0][s[i] & 255] ^ tables[1][s[(i + 1) & 3] >> 8 & 255] ^
                   tables[2][s[(i + 2) & 3] >> 16 & 255] ^ tables[3][s[(i + 3) & 3] >> 24] ^
                   keys[4 * round + i];
        for (int i = 0; i < 4; i++)
            s[i] = t[i];
    }
    for (int i = 0; i < 4; i++) {
        uint32_t shifted = (s[i] & 0xff) | (s[(i + 1) & 3] & 0xff00) | (s[(i + 2) & 3] & 0xff0000) |
                           (s[(i + 3) & 3] & 0xff000000);
        block[i] = substitute(shifted) ^ keys[4 * ROUNDS + i];
    }
}

static uint64_t run(unsigned rounds)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < rounds * 330000; i++) {
        uint32_t block[4] = {i, 0, 0, 1};
        encrypt(block);
        sum = checksum_add(sum, (uint64_t)block[0] << 32 | block[3]);
    }
    return sum;
}

const struct kernel kernel_aes = {
    .name = "aes", .group = "integer", .prepare = prepare, .run = run};
