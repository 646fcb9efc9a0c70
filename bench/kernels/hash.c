/* SPDX-License-Identifier: GPL-3.0-only */
/* A hash table with open addressing that grows: counts the words of a text, looks each up again and
 * removes every third. */
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

#define TEXT 400000

struct slot {
    const char *word;
    uint32_t length, hash, count;
};

struct table {
    struct slot *slots;
    size_t mask, used;
};

static char text[TEXT];

static void prepare(void)
{
    text_fill(text, TEXT, 5);
    /* Words of their own: letters changed here and there. */
    uint64_t seed = 9;
    for (int i = 0; i < 40000; i++) {
        uint64_t at = random_next(&seed) % (TEXT - 1);
        if (text[at] >= 'a')
            text[at] = (char)('a' + random_next(&seed) % 26);
    }
}

static struct slot *slot_find(const struct table *t, const char *word, uint32_t length,
                              uint32_t hash)
{
    size_t at = hash & t->mask;
    while (t->slots[at].word && (t->slots[at].hash != hash || t->slots[at].length != length ||
                                 memcmp(t->slots[at].word, word, length)))
        at = (at + 1) & t->mask;
    return &t->slots[at];
}

static void table_grow(struct table *t)
{
    struct table bigger = {.mask = t->mask ? 2 * t->mask + 1 : 63};
    bigger.slots = calloc(bigger.mask + 1, sizeof(*bigger.slots));
    for (size_t i = 0; t->slots && i <= t->mask; i++) {
        const struct slot *s = &t->slots[i];
        if (s->count) {
            *slot_find(&bigger, s->word, s->length, s->hash) = *s;
            bigger.used++;
        }
    }
    free(t->slots);
    *t = bigger;
}

static uint64_t count_words(void)
{
    struct table t = {0};
    uint64_t sum = 0;
    unsigned number = 0;
    for (const char *at = text; *at;) {
        uint32_t hash = 2166136261u, length = 0;
        while (at[length] > ' ')
            hash = (hash ^ (uint8_t)at[length++]) * 16777619u;
        if (length) {
            if (!t.slots || t.used * 4 >= t.mask * 3)
                table_grow(&t);
            struct slot *s = slot_find(&t, at, length, hash);
            if (!s->word)
                t.used++;
            /* A word that is taken out leaves a slot with count 0, which growing drops. */
            uint32_t count = ++number % 3 ? s->count + 1 : 0;
            *s = (struct slot){at, length, hash, count};
        }
        at += length + 1;
    }
    for (size_t i = 0; i <= t.mask; i++)
        sum = checksum_add(sum, t.slots[i].count);
    free(t.slots);
    return sum;
}

static uint64_t run(unsigned rounds)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < rounds * 18; i++)
        sum = checksum_add(sum, count_words());
    return sum;
}

const struct kernel kernel_hash = {
    .name = "hash", .group = "integer", .prepare = prepare, .run = run};
