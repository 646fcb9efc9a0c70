/* SPDX-License-Identifier: GPL-3.0-only */
/* Huffman's code: counts, a tree by two queues, a stream of bits written and read back. */
#include "kernel.h"

#include <string.h>

#define SIZE 120000
#define SYMBOLS 256

struct tree {
    uint32_t weight[2 * SYMBOLS];
    int16_t child[2 * SYMBOLS][2]; /* of inner nodes; the leaves come first */
    int leaves, nodes;
    uint8_t symbol[SYMBOLS];
};

static char text[SIZE];
static uint8_t bits[2 * SIZE];

static void prepare(void)
{
    text_fill(text, SIZE, 17);
}

/* Leaves by weight; then always the two lightest of the leaves and inner nodes left become one. */
static void tree_make(struct tree *t)
{
    uint32_t counts[SYMBOLS] = {0};
    t->leaves = 0;
    for (size_t i = 0; i < SIZE; i++)
        counts[(uint8_t)text[i]]++;
    for (int s = 0; s < SYMBOLS; s++) {
        int at = t->leaves;
        if (!counts[s])
            continue;
        for (; at > 0 && t->weight[at - 1] > counts[s]; at--) {
            t->weight[at] = t->weight[at - 1];
            t->symbol[at] = t->symbol[at - 1];
        }
        t->weight[at] = counts[s];
        t->symbol[at] = (uint8_t)s;
        t->leaves++;
    }
    int leaf = 0, inner = t->leaves;
    for (t->nodes = t->leaves; t->nodes < 2 * t->leaves - 1; t->nodes++) {
        t->weight[t->nodes] = 0;
        for (int side = 0; side < 2; side++) {
            int take_leaf =
                leaf < t->leaves && (inner == t->nodes || t->weight[leaf] <= t->weight[inner]);
            int lightest = take_leaf ? leaf++ : inner++;
            t->child[t->nodes][side] = (int16_t)lightest;
            t->weight[t->nodes] += t->weight[lightest];
        }
    }
}

static void codes_make(const struct tree *t, int node, uint32_t code, int length, uint32_t *codes,
                       uint8_t *lengths)
{
    if (node < t->leaves) {
        codes[t->symbol[node]] = code;
        lengths[t->symbol[node]] = (uint8_t)length;
        return;
    }
    for (uint32_t side = 0; side < 2; side++)
        codes_make(t, t->child[node][side], code | side << length, length + 1, codes, lengths);
}

static size_t encode(const uint32_t *codes, const uint8_t *lengths)
{
    size_t out = 0;
    uint64_t pending = 0;
    int count = 0;
    for (size_t i = 0; i < SIZE; i++) {
        uint8_t symbol = (uint8_t)text[i];
        pending |= (uint64_t)codes[symbol] << count;
        for (count += lengths[symbol]; count >= 8; count -= 8, pending >>= 8)
            bits[out++] = (uint8_t)pending;
    }
    bits[out++] = (uint8_t)pending;
    return out;
}

static uint64_t decode(const struct tree *t)
{
    uint64_t sum = 0;
    size_t at = 0;
    for (size_t i = 0; i < SIZE; i++) {
        int node = t->nodes - 1;
        for (; node >= t->leaves; at++)
            node = t->child[node][bits[at >> 3] >> (at & 7) & 1];
        sum += t->symbol[node] == (uint8_t)text[i];
    }
    return sum;
}

static uint64_t run(unsigned rounds)
{
    static struct tree tree;
    uint32_t codes[SYMBOLS];
    uint8_t lengths[SYMBOLS];
    uint64_t sum = 0;
    for (unsigned i = 0; i < rounds * 32; i++) {
        text[i % (SIZE - 1)] = 'q';
        tree_make(&tree);
        codes_make(&tree, tree.nodes - 1, 0, 0, codes, lengths);
        size_t size = encode(codes, lengths);
        sum = checksum_add(sum, size + decode(&tree));
    }
    return sum;
}

const struct kernel kernel_huffman = {
    .name = "huffman", .group = "integer", .prepare = prepare, .run = run};
