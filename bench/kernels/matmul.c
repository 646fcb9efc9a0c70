/* SPDX-License-Identifier: GPL-3.0-only */
/* Products of matrices of doubles, row by column: multiply and add, with one operand far apart. */
#include "kernel.h"

#define N 160

static double a[N][N], b[N][N], c[N][N];

static void prepare(void)
{
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            a[i][j] = (i * 7 + j * 3) % 11 / 11.0;
            b[i][j] = (i * 5 + j * 13) % 17 / 17.0;
        }
    }
}

static double run(unsigned rounds)
{
    double sum = 0;
    for (unsigned round = 0; round < rounds * 28; round++) {
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < N; j++) {
                double dot = 0;
                for (int k = 0; k < N; k++)
                    dot += a[i][k] * b[k][j];
                c[i][j] = dot;
            }
        }
        a[round % N][0] += 1;
        sum += c[round % N][N - 1];
    }
    return sum;
}

const struct kernel kernel_matmul = {
    .name = "matmul", .group = "float", .prepare = prepare, .run_fp = run};
