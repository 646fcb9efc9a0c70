/* SPDX-License-Identifier: GPL-3.0-only */
/* The price of an option by drawing at random, in single precision: an exponential and a logarithm
 * by series, conversions, comparisons and minima. */
#include "kernel.h"

#include <math.h>

/* e^x = 2^k e^r: r by a series, the power of two put into the exponent. */
static float exp_series(float x)
{
    float k = floorf(x * 1.44269504f + 0.5f), r = x - k * 0.693147181f;
    float sum = 1, term = 1;
    for (int i = 1; i < 8; i++) {
        term *= r / (float)i;
        sum += term;
    }
    union {
        uint32_t bits;
        float value;
    } power = {.bits = (uint32_t)((int)k + 127) << 23};
    return sum * power.value;
}

/* ln x for x in (0, 1], by 2 atanh((x - 1) / (x + 1)) after halving the exponent away. */
static float log_series(float x)
{
    float halvings = 0;
    while (x < 0.7f) {
        x *= 2;
        halvings++;
    }
    float z = (x - 1) / (x + 1), square = z * z, sum = 0, power = z;
    for (int i = 1; i < 10; i += 2) {
        sum += power / (float)i;
        power *= square;
    }
    return 2 * sum - halvings * 0.693147181f;
}

static float uniform(uint64_t *seed)
{
    return ((float)(random_next(seed) >> 40) + 1) / 16777216.0f;
}

static double run(unsigned rounds)
{
    uint64_t seed = 31;
    double sum = 0;
    unsigned draws = rounds * 1000000;
    for (unsigned i = 0; i < draws; i++) {
        /* Two uniform numbers within the circle make a normal one (Marsaglia's polar method). */
        float a, b, square;
        do {
            a = 2 * uniform(&seed) - 1;
            b = 2 * uniform(&seed) - 1;
            square = a * a + b * b;
        } while (square >= 1 || square == 0);
        float normal = a * sqrtf(-2 * log_series(square) / square);
        float price = 100 * exp_series(0.03f + 0.2f * normal);
        sum += fmaxf(price - 105, 0);
    }
    return sum / draws;
}

const struct kernel kernel_series = {.name = "series", .group = "float", .run_fp = run};
