/* SPDX-License-Identifier: MPL-2.0 */
/* Functions for sandbox.c, built for riscv64. What they do wrong hurts nobody. */

unsigned long gcd(unsigned long a, unsigned long b)
{
    while (b) {
        unsigned long rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Counts from call to call: variables keep their values. */
static long calls;

long count(void)
{
    return ++calls;
}

/* Reads what is not there. */
long wrong(void)
{
    return *(volatile long *)8;
}
