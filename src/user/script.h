/* SPDX-License-Identifier: MPL-2.0 */
/* Files that begin with "#!" and the name of a program that runs them: execve(2). */
#ifndef RVVM_USER_SCRIPT_H
#define RVVM_USER_SCRIPT_H

#include <stdbool.h>

#define SCRIPT_LINE_MAX 255 /* what the kernel looks at */
#define SCRIPTS_MAX 5       /* interpreters of interpreters, as the kernel has it */

struct script {
    char line[SCRIPT_LINE_MAX + 1];
    const char *interpreter; /* in line */
    const char *argument;    /* in line; NULL: none */
};

/* false: the file is none, or its line is of no use. */
bool script_read(struct script *script, int fd);

/* Arguments for the interpreter: it, its argument, the script's path, argv behind argv[0]. All strings are
 * copied, into the same piece of memory: `path` and `argv` may be of another script's. NULL: no memory. */
char **script_argv(const struct script *script, const char *path, char *const *argv);

#endif
