/* SPDX-License-Identifier: GPL-3.0-only */
/* Two processes that hand a byte to each other over pipes: two changes of context a turn. */
#include "kernel.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void answer(int in, int out)
{
    uint8_t byte;
    while (read(in, &byte, 1) == 1) {
        byte = (uint8_t)(byte * 5 + 1);
        if (write(out, &byte, 1) != 1)
            break;
    }
    _exit(0);
}

static uint64_t run(unsigned rounds)
{
    int to[2], from[2];
    uint64_t sum = 0;
    uint8_t byte = 1;
    if (pipe(to) || pipe(from))
        kernel_fail("pipe");
    pid_t child = fork();
    if (child < 0)
        kernel_fail("fork");
    if (child == 0) {
        close(to[1]);
        close(from[0]);
        answer(to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    for (unsigned i = 0; i < rounds * 8000; i++) {
        if (write(to[1], &byte, 1) != 1 || read(from[0], &byte, 1) != 1)
            kernel_fail("pipe");
        sum = checksum_add(sum, byte);
    }
    close(to[1]);
    close(from[0]);
    waitpid(child, NULL, 0);
    return sum;
}

const struct kernel kernel_pipe = {.name = "pipe", .group = "system", .run = run};
