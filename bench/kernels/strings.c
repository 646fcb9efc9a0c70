/* SPDX-License-Identifier: GPL-3.0-only */
/* strlen, strcmp, strchr, memchr and strcpy over the words and lines of a text. */
#include "kernel.h"

#include <string.h>

#define SIZE 200000
#define LINES 4096

static char text[SIZE];
static char *lines[LINES];
static size_t count;

static void prepare(void)
{
    text_fill(text, SIZE, 43);
    for (char *at = text; at && *at && count < LINES;) {
        char *end = strchr(at, '\n');
        lines[count++] = at;
        if (end)
            *end++ = '\0';
        at = end;
    }
}

static uint64_t run(unsigned rounds)
{
    static char copy[SIZE];
    uint64_t sum = 0;
    for (unsigned i = 0; i < rounds * 600; i++) {
        for (size_t j = 0; j + 1 < count; j++) {
            const char *line = lines[j];
            size_t length = strlen(line);
            int order = strcmp(line, lines[j + 1]);
            const char *letter = strchr(line, 'a' + (int)((i + j) % 26));
            const char *digit = memchr(line, '7', length);
            strcpy(copy, line);
            sum += length + (order < 0) + (letter ? (size_t)(letter - line) : 0) +
                   (digit ? (size_t)(digit - line) : 0) + (uint8_t)copy[length / 2];
        }
    }
    return sum;
}

const struct kernel kernel_strings = {
    .name = "strings", .group = "memory", .prepare = prepare, .run = run};
