/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What the tests of the GDB stub look at: hart 0 counts and calls, the others count; the machine ends with
 * the status that somebody puts into `finish`, less one.
 */
typedef unsigned long word;

volatile int counter;
volatile long total;
volatile word others[8];
volatile double ratio = 1.5;
volatile unsigned finish;

#define SYSCON (*(volatile unsigned *)0x100000)

__attribute__((noinline)) void tick(int by)
{
    counter += by;
}

__attribute__((noinline)) int fib(int n)
{
    if (n < 2)
        return n;
    return fib(n - 1) + fib(n - 2);
}

void other_hart(word hart)
{
    for (;;)
        others[hart]++;
}

int main(void)
{
    for (int i = 0; !finish; i++) {
        tick(i & 1 ? 1 : 2);
        total += fib(5);
    }
    SYSCON = finish == 1 ? 0x5555 : 0x3333 | (finish - 1) << 16;
    for (;;)
        ;
}
