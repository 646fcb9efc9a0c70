/* SPDX-License-Identifier: GPL-3.0-only */
/* Patterns with . * + ? and [a-z] searched in the lines of a text by backtracking: recursion on
 * bytes. */
#include "kernel.h"

#include <string.h>

#define TEXT 60000

static char text[TEXT];

static void prepare(void)
{
    text_fill(text, TEXT, 23);
}

/* How many characters of the pattern stand for one of the text. */
static size_t item_length(const char *pattern)
{
    if (*pattern != '[')
        return 1;
    return (size_t)(strchr(pattern, ']') - pattern) + 1;
}

static int item_matches(const char *pattern, char c)
{
    if (c == '\0' || c == '\n')
        return 0;
    if (*pattern != '[')
        return *pattern == '.' || *pattern == c;
    for (pattern++; *pattern != ']'; pattern++) {
        if (pattern[1] == '-') {
            if (c >= pattern[0] && c <= pattern[2])
                return 1;
            pattern += 2;
        } else if (c == *pattern) {
            return 1;
        }
    }
    return 0;
}

/* The end of a match that begins here, the longest first; NULL if there is none. */
static const char *match_here(const char *pattern, const char *at)
{
    if (!*pattern)
        return at;
    size_t length = item_length(pattern);
    char times = pattern[length];
    size_t least = times != '*' && times != '?', most = times == '*' || times == '+' ? TEXT : 1;
    const char *rest = pattern + length + (times == '*' || times == '+' || times == '?');
    size_t count = 0;
    while (count < most && item_matches(pattern, at[count]))
        count++;
    for (; count >= least; count--) {
        const char *end = match_here(rest, at + count);
        if (end || count == 0)
            return end;
    }
    return NULL;
}

static uint64_t count_matches(const char *pattern)
{
    uint64_t sum = 0;
    for (const char *at = text; *at;) {
        const char *end = match_here(pattern, at);
        sum += end && end > at ? 1 + ((uint64_t)(end - at) << 20) : 0;
        at = end && end > at ? end : at + 1;
    }
    return sum;
}

static uint64_t run(unsigned rounds)
{
    static const char *const patterns[] = {
        "tr?ap", "[a-f]+ [0-9]+", "[a-z]+ing", "k.*l while", "pages? .* [rw]", "e[a-z]*r .*or",
    };
    uint64_t sum = 0;
    for (unsigned i = 0; i < rounds * 11; i++) {
        text[i % (TEXT - 1)] = 'z';
        for (size_t p = 0; p < sizeof(patterns) / sizeof(*patterns); p++)
            sum = checksum_add(sum, count_matches(patterns[p]));
    }
    return sum;
}

const struct kernel kernel_regex = {
    .name = "regex", .group = "integer", .prepare = prepare, .run = run};
