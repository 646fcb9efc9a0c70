/* SPDX-License-Identifier: GPL-3.0-only */
/* Numbers of 64-bit limbs: Fibonacci numbers by doubling, with products of thousands of bits: the
 * high half of a multiplication, and carries. */
#include "kernel.h"

#include <string.h>

#define LIMBS 128

struct number {
    uint64_t limb[LIMBS]; /* least first */
    int used;
};

static void trim(struct number *n, int used)
{
    while (used > 0 && n->limb[used - 1] == 0)
        used--;
    n->used = used;
}

static void multiply(struct number *to, const struct number *a, const struct number *b)
{
    memset(to->limb, 0, sizeof(to->limb));
    for (int i = 0; i < a->used; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < b->used; j++) {
            unsigned __int128 t = (unsigned __int128)a->limb[i] * b->limb[j];
            t += to->limb[i + j];
            t += carry;
            to->limb[i + j] = (uint64_t)t;
            carry = (uint64_t)(t >> 64);
        }
        to->limb[i + b->used] = carry;
    }
    trim(to, a->used + b->used);
}

static void add(struct number *to, const struct number *a, const struct number *b)
{
    int used = a->used > b->used ? a->used : b->used;
    uint64_t carry = 0;
    for (int i = 0; i < used; i++) {
        uint64_t x = i < a->used ? a->limb[i] : 0, y = i < b->used ? b->limb[i] : 0;
        uint64_t sum = x + y, more = sum + carry;
        carry = (sum < x) | (more < sum);
        to->limb[i] = more;
    }
    to->limb[used] = carry;
    trim(to, used + 1);
}

static void subtract(struct number *to, const struct number *a, const struct number *b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < a->used; i++) {
        uint64_t y = i < b->used ? b->limb[i] : 0;
        uint64_t difference = a->limb[i] - y, less = difference - borrow;
        borrow = (a->limb[i] < y) | (difference < borrow);
        to->limb[i] = less;
    }
    trim(to, a->used);
}

/* F(2n) = F(n) (2 F(n+1) - F(n)), F(2n+1) = F(n)^2 + F(n+1)^2. */
static uint64_t fibonacci(unsigned n)
{
    static struct number f, g, t, u, v;
    f.used = 0;
    g.limb[0] = 1;
    g.used = 1;
    for (int bit = 31 - __builtin_clz(n | 1); bit >= 0; bit--) {
        add(&t, &g, &g);
        subtract(&u, &t, &f);
        multiply(&t, &f, &u);
        multiply(&u, &f, &f);
        multiply(&v, &g, &g);
        add(&g, &u, &v);
        f = t;
        if (n >> bit & 1) {
            add(&t, &f, &g);
            f = g;
            g = t;
        }
    }
    uint64_t sum = 0;
    for (int i = 0; i < f.used; i++)
        sum = checksum_add(sum, f.limb[i]);
    return sum;
}

static uint64_t run(unsigned rounds)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < rounds * 2500; i++)
        sum = checksum_add(sum, fibonacci(9000 + i % 1000));
    return sum;
}

const struct kernel kernel_bignum = {.name = "bignum", .group = "integer", .run = run};
