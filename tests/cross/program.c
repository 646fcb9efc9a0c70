/* SPDX-License-Identifier: GPL-3.0-only */
/* For tests/cross/cross.sh: an argument count, a thread's sum, an exit status. */
#include <pthread.h>
#include <stdio.h>

static void *add_up(void *sum)
{
    for (int i = 0; i < 100; i++)
        *(int *)sum += i;
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    int sum = 0;
    (void)argv;
    if (pthread_create(&thread, NULL, add_up, &sum) || pthread_join(thread, NULL))
        return 1;
    printf("%d arguments, %d\n", argc, sum);
    return 42;
}
