/* SPDX-License-Identifier: GPL-3.0-only */
/* A fast Fourier transform of 4096 complex numbers, there and back. */
#include "kernel.h"

#include <math.h>

#define SIZE 4096

struct complex {
    double re, im;
};

static struct complex data[SIZE], roots[SIZE / 2];

static void prepare(void)
{
    for (int i = 0; i < SIZE / 2; i++) {
        double angle = 2 * 3.14159265358979323846 * i / SIZE;
        roots[i] = (struct complex){cos(angle), sin(angle)};
    }
    for (int i = 0; i < SIZE; i++)
        data[i] = (struct complex){i % 97, i % 31};
}

static void transform(double sign)
{
    for (int i = 1, j = 0; i < SIZE; i++) {
        int bit = SIZE >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            struct complex swap = data[i];
            data[i] = data[j];
            data[j] = swap;
        }
    }
    for (int half = 1; half < SIZE; half *= 2) {
        for (int start = 0; start < SIZE; start += 2 * half) {
            for (int i = 0; i < half; i++) {
                struct complex w = roots[i * (SIZE / 2 / half)];
                struct complex *a = &data[start + i], *b = a + half, t;
                t.re = b->re * w.re - b->im * w.im * sign;
                t.im = b->re * w.im * sign + b->im * w.re;
                b->re = a->re - t.re;
                b->im = a->im - t.im;
                a->re += t.re;
                a->im += t.im;
            }
        }
    }
}

static double run(unsigned rounds)
{
    double sum = 0;
    for (unsigned i = 0; i < rounds * 600; i++) {
        transform(1);
        sum += data[1].re;
        transform(-1);
        for (int j = 0; j < SIZE; j++) {
            data[j].re /= SIZE;
            data[j].im /= SIZE;
        }
    }
    return sum + data[96].re;
}

const struct kernel kernel_fft = {
    .name = "fft", .group = "float", .prepare = prepare, .run_fp = run};
