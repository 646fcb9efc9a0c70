/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A program of one thread may call unshare(CLONE_NEWUSER), also when it has run for so long that the
 * translator has a thread that looks for loops. Ends with 0, or says why not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    volatile double sum = 0;
    char text[100];
    for (unsigned n = 1; n < 20000; n++) {
        snprintf(text, sizeof(text), "%u %f %s %x %e %o %p %c", n, sum, "text", n, sum, n, text, 'c');
        sum += strlen(text) + 1.0 / n;
    }
    if (unshare(CLONE_NEWUSER) < 0 && errno != EPERM && errno != ENOSPC) {
        printf("unshare: %s\n", strerror(errno));
        return 1;
    }
    for (unsigned n = 1; n < 20000; n++)
        sum += 1.0 / n;
    puts("as it should be");
    return 0;
}
