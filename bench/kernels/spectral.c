/* SPDX-License-Identifier: GPL-3.0-only */
/* The largest singular value of the matrix 1 / ((i + j)(i + j + 1) / 2 + i + 1) by the power
 * method: conversions from integers and divisions. */
#include "kernel.h"

#include <math.h>

#define N 400

static double entry(int i, int j)
{
    return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1);
}

static void multiply(double *to, const double *from, int transposed)
{
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int j = 0; j < N; j++)
            sum += from[j] * (transposed ? entry(j, i) : entry(i, j));
        to[i] = sum;
    }
}

static double run(unsigned rounds)
{
    double u[N], v[N], w[N], result = 0;
    for (unsigned round = 0; round < rounds; round++) {
        double square = 0, product = 0;
        for (int i = 0; i < N; i++)
            u[i] = 1 + round * 1e-3 * i;
        for (int i = 0; i < 100; i++) {
            multiply(w, u, 0);
            multiply(v, w, 1);
            double length = 0;
            for (int j = 0; j < N; j++)
                length += v[j] * v[j];
            for (int j = 0; j < N; j++)
                u[j] = v[j] / sqrt(length);
        }
        multiply(w, u, 0);
        multiply(v, w, 1);
        for (int i = 0; i < N; i++) {
            product += u[i] * v[i];
            square += u[i] * u[i];
        }
        result += sqrt(product / square);
    }
    return result;
}

const struct kernel kernel_spectral = {.name = "spectral", .group = "float", .run_fp = run};
