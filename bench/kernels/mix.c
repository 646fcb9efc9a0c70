/* SPDX-License-Identifier: GPL-3.0-only */
/* What small controllers do, in turns: walk and sort a linked list, multiply small integer
 * matrices, scan numbers with a state machine, and a bitwise CRC over the results of each. */
#include "kernel.h"

#define NODES 256
#define N 12

struct node {
    struct node *next;
    int16_t key, value;
};

static uint16_t crc16(uint16_t crc, uint32_t data)
{
    for (int bit = 0; bit < 32; bit++) {
        uint16_t mask = -(uint16_t)((crc ^ data) & 1) & 0xa001;
        crc = (uint16_t)(crc >> 1) ^ mask;
        data >>= 1;
    }
    return crc;
}

static struct node *list_merge(struct node *a, struct node *b)
{
    struct node head, *tail = &head;
    while (a && b) {
        struct node **less = a->key <= b->key ? &a : &b;
        tail->next = *less;
        tail = *less;
        *less = (*less)->next;
    }
    tail->next = a ? a : b;
    return head.next;
}

static struct node *list_sort(struct node *list, int length)
{
    if (length < 2)
        return list;
    struct node *last = list;
    for (int i = 1; i < length / 2; i++)
        last = last->next;
    struct node *rest = last->next;
    last->next = NULL;
    return list_merge(list_sort(list, length / 2), list_sort(rest, length - length / 2));
}

static uint16_t list_job(uint16_t crc, uint64_t *seed)
{
    static struct node nodes[NODES];
    for (int i = 0; i < NODES; i++) {
        nodes[i].next = i + 1 < NODES ? &nodes[i + 1] : NULL;
        nodes[i].key = (int16_t)random_next(seed);
        nodes[i].value = (int16_t)i;
    }
    for (struct node *n = list_sort(nodes, NODES); n; n = n->next)
        if (n->key & 1)
            crc = crc16(crc, (uint32_t)n->value);
    return crc;
}

static uint16_t matrix_job(uint16_t crc, uint64_t *seed)
{
    static int32_t a[N][N], b[N][N];
    for (int i = 0; i < N * N; i++) {
        a[i / N][i % N] = (int16_t)random_next(seed);
        b[i / N][i % N] = (int8_t)random_next(seed);
    }
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            uint32_t sum = 0;
            for (int k = 0; k < N; k++)
                sum += (uint32_t)(a[i][k] * b[k][j]) >> 2;
            crc = crc16(crc, sum);
        }
    }
    return crc;
}

/* How numbers are spelt: sign, digits, fraction, exponent. Counts what it finds. */
static uint16_t scan_job(uint16_t crc, uint64_t *seed)
{
    enum { START, SIGN, DIGITS, FRACTION, EXPONENT, BAD, STATES };
    static const char alphabet[] = "0123456789012345+-.e,,,z";
    uint32_t seen[STATES] = {0};
    int state = START;
    for (int i = 0; i < 1200; i++) {
        char c = alphabet[(random_next(seed) >> 8) % 24];
        if (c == ',') {
            seen[state]++;
            state = START;
        } else if (c >= '0' && c <= '9') {
            state = state <= SIGN ? DIGITS : state;
        } else if (c == '+' || c == '-') {
            state = state == START ? SIGN : BAD;
        } else if (c == '.') {
            state = state <= DIGITS ? FRACTION : BAD;
        } else {
            state = c == 'e' && (state == DIGITS || state == FRACTION) ? EXPONENT : BAD;
        }
    }
    for (int i = 0; i < STATES; i++)
        crc = crc16(crc, seen[i]);
    return crc;
}

static uint64_t run(unsigned rounds)
{
    uint64_t seed = 1;
    uint16_t crc = 0;
    for (unsigned i = 0; i < rounds * 1200; i++)
        crc = scan_job(matrix_job(list_job(crc, &seed), &seed), &seed);
    return crc;
}

const struct kernel kernel_mix = {.name = "mix", .group = "integer", .run = run};
