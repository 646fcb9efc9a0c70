/* SPDX-License-Identifier: GPL-3.0-only */
/* Work for several harts; see smp.h. */
#include "smp.h"

#include "asm.h"

void hart_main(ulong hart) __attribute__((noreturn));

/* Written by hart 0 (work last), cleared by the hart when it is done. */
static struct {
    smp_work *work;
    ulong argument;
    ulong here;
} posts[HART_MAX] __attribute__((aligned(64)));

void hart_main(ulong hart)
{
    SET(posts[hart].here, 1);
    for (;;) {
        smp_work *work = GET(posts[hart].work);

        if (!work) {
            relax();
            continue;
        }
        fence(r, rw);
        work(hart, posts[hart].argument);
        fence(rw, w);
        SET(posts[hart].work, NULL);
    }
}

void smp_begin(void)
{
    for (unsigned hart = 1; hart < HARTS; hart++)
        while (!GET(posts[hart].here))
            relax();
}

void smp_start(unsigned hart, smp_work *work, ulong argument)
{
    SET(posts[hart].argument, argument);
    fence(rw, w);
    SET(posts[hart].work, work);
}

void smp_wait(unsigned hart)
{
    while (GET(posts[hart].work))
        relax();
    fence(r, rw);
}

void smp_all(smp_work *work, ulong argument)
{
    for (unsigned hart = 1; hart < HARTS; hart++)
        smp_start(hart, work, argument);
    work(0, argument);
    for (unsigned hart = 1; hart < HARTS; hart++)
        smp_wait(hart);
}
