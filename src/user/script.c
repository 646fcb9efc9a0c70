/* SPDX-License-Identifier: MPL-2.0 */
/* The first line of scripts. See script.h. */
#include "user/script.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *skip_blanks(char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

/* Cuts off blanks at the end. */
static void trim(char *text)
{
    size_t n = strlen(text);
    while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
        text[--n] = 0;
}

bool script_read(struct script *script, int fd)
{
    ssize_t n = pread(fd, script->line, SCRIPT_LINE_MAX, 0);
    if (n < 2 || memcmp(script->line, "#!", 2) != 0)
        return false;
    script->line[n] = 0;
    char *end = memchr(script->line, '\n', (size_t)n);
    char *name = skip_blanks(script->line + 2);
    if (end)
        *end = 0;
    char *rest = name + strcspn(name, " \t");
    if (!end && !*rest && n == SCRIPT_LINE_MAX) /* the name may be longer than this */
        return false;
    script->argument = NULL;
    if (*rest) {
        *rest = 0;
        rest = skip_blanks(rest + 1);
        trim(rest);
        script->argument = *rest ? rest : NULL;
    }
    script->interpreter = name;
    return *name != 0;
}

/* Appends a string to the list at to[*n], its bytes to *bytes. */
static void add(char **to, unsigned *n, char **bytes, const char *string)
{
    size_t size = strlen(string) + 1;
    to[(*n)++] = memcpy(*bytes, string, size);
    *bytes += size;
}

char **script_argv(const struct script *script, const char *path, char *const *argv)
{
    unsigned argc = 0, n = 0;
    size_t size = sizeof(script->line) + 1 + strlen(path) + 1; /* the line, cut in two */
    for (; argv[argc]; argc++)
        size += argc ? strlen(argv[argc]) + 1 : 0;
    const size_t list = (argc + 4) * sizeof(char *);
    char **to = malloc(list + size);
    if (!to)
        return NULL;
    char *bytes = (char *)to + list;
    add(to, &n, &bytes, script->interpreter);
    if (script->argument)
        add(to, &n, &bytes, script->argument);
    add(to, &n, &bytes, path);
    for (unsigned i = 1; i < argc; i++)
        add(to, &n, &bytes, argv[i]);
    to[n] = NULL;
    return to;
}
