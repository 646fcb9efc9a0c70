/* SPDX-License-Identifier: GPL-3.0-only */
/* The Mandelbrot set: a short loop of multiplications that ends on a comparison. */
#include "kernel.h"

#define SIZE 150
#define MOST 200

static double run(unsigned rounds)
{
    double sum = 0;
    for (unsigned round = 0; round < rounds * 15; round++) {
        for (int py = 0; py < SIZE; py++) {
            for (int px = 0; px < SIZE; px++) {
                double cx = 3.0 * px / SIZE - 2.0 + round * 1e-6, cy = 2.5 * py / SIZE - 1.25;
                double x = 0, y = 0;
                int n = 0;
                while (n < MOST && x * x + y * y <= 4.0) {
                    double next = x * x - y * y + cx;
                    y = 2 * x * y + cy;
                    x = next;
                    n++;
                }
                sum += n;
            }
        }
    }
    return sum;
}

const struct kernel kernel_mandelbrot = {.name = "mandelbrot", .group = "float", .run_fp = run};
