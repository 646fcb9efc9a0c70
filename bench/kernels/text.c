/* SPDX-License-Identifier: GPL-3.0-only */
/* The text that several kernels work on. */
#include "kernel.h"

#include <string.h>

void text_fill(char *text, size_t size, uint64_t seed)
{
    static const char *const words[] = {
        "the",  "of",     "a",     "hart", "page",   "table", "is",     "written", "trap",  "to",
        "and",  "memory", "while", "each", "return", "from",  "kernel", "value",   "error", "in",
        "when", "device", "reads", "one",  "block",  "which", "before", "order",   "are",   "by",
    };
    size_t at = 0;
    while (at + 1 < size) {
        uint64_t r = random_next(&seed) >> 16;
        char number[] = {' ', (char)('0' + r % 10), (char)('0' + r / 16 % 10), '\0'};
        /* The smaller of two draws: some words are common, as in any language. */
        size_t a = r / 256 % 30, b = r / 65536 % 30;
        const char *piece = r % 16 == 0 ? number : r % 16 == 1 ? "\n" : words[a < b ? a : b];
        size_t length = strlen(piece);
        if (length > size - at - 2)
            length = size - at - 2;
        memcpy(text + at, piece, length);
        at += length;
        text[at++] = ' ';
    }
    text[size - 1] = '\0';
}
