/* SPDX-License-Identifier: MPL-2.0 */
/* Lists of words: see words.h. */
#include "base/words.h"

#include <stddef.h>
#include <string.h>

char *words_cut(char *word)
{
    char *to = word;
    for (char *from = word; *from; from++) {
        if (*from == ',' && *++from != ',') {
            *to = '\0';
            return from;
        }
        *to++ = *from;
    }
    *to = '\0';
    return NULL;
}

char *words_value(char *word)
{
    char *value = strchr(word, '=');
    if (value)
        *value++ = '\0';
    return value;
}

int words_choose(const char *value, const char *const *choices)
{
    for (int i = 0; value && choices[i]; i++)
        if (!strcmp(value, choices[i]))
            return i;
    return -1;
}
