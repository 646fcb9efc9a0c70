/* SPDX-License-Identifier: GPL-3.0-only */
/* Eight bodies under gravity by the leapfrog method: square roots and divisions. */
#include "kernel.h"

#include <math.h>

#define BODIES 8
#define STEP 0.001

struct body {
    double at[3], speed[3], mass;
};

static struct body bodies[BODIES];

/* A heavy one in the middle and the others on circles about it. */
static void start(void)
{
    bodies[0] = (struct body){.mass = 1000};
    for (int i = 1; i < BODIES; i++) {
        double r = 3.0 + 2.0 * i;
        bodies[i] = (struct body){{r, 0, 0.1 * i}, {0, sqrt(1000 / r), 0}, 0.1 * i};
    }
}

static void kick(double dt)
{
    for (int i = 0; i < BODIES; i++) {
        struct body *a = &bodies[i];
        for (int j = i + 1; j < BODIES; j++) {
            struct body *b = &bodies[j];
            double d[3], square = 1e-9;
            for (int k = 0; k < 3; k++) {
                d[k] = b->at[k] - a->at[k];
                square += d[k] * d[k];
            }
            double pull = dt / (square * sqrt(square));
            for (int k = 0; k < 3; k++) {
                a->speed[k] += d[k] * b->mass * pull;
                b->speed[k] -= d[k] * a->mass * pull;
            }
        }
    }
}

static double energy(void)
{
    double sum = 0;
    for (int i = 0; i < BODIES; i++) {
        const double *v = bodies[i].speed;
        sum += bodies[i].mass * (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]) / 2;
    }
    return sum;
}

/* Always anew from the start: small differences between machines must not have the time to grow. */
static double run(unsigned rounds)
{
    double sum = 0;
    for (unsigned round = 0; round < rounds * 36; round++) {
        start();
        kick(STEP / 2);
        for (int i = 0; i < 5000; i++) {
            for (int b = 0; b < BODIES; b++)
                for (int k = 0; k < 3; k++)
                    bodies[b].at[k] += bodies[b].speed[k] * STEP;
            kick(STEP);
        }
        sum += energy();
    }
    return sum;
}

const struct kernel kernel_nbody = {.name = "nbody", .group = "float", .run_fp = run};
