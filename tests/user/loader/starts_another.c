/* SPDX-License-Identifier: GPL-3.0-only */
/* Starts the program that its arguments name, under the name that the second one is, and ends as that does. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int status;
    if (argc < 3)
        return 2;
    pid_t child = fork();
    if (child == 0) {
        execv(argv[1], argv + 2);
        perror(argv[1]);
        _exit(99);
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}
