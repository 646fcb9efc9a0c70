/* SPDX-License-Identifier: GPL-3.0-only */
/* Business code of the old kind: records that are copied and compared, short strings, small calls
 * and an enumeration that decides. */
#include "kernel.h"

#include <string.h>

#define ACCOUNTS 512

enum kind { SALARY, RENT, TRANSFER, FEE, KINDS };

struct account {
    char owner[24], city[16];
    int64_t balance;
    enum kind last;
    uint32_t moves;
};

static struct account accounts[ACCOUNTS];

static void name_make(char *name, size_t size, uint64_t r)
{
    static const char *const syllables[] = {"an", "bel", "cor", "do", "eri", "fa", "gun", "hild"};
    name[0] = '\0';
    for (int i = 0; i < 3; i++, r /= 8)
        strncat(name, syllables[r % 8], size - strlen(name) - 1);
}

static void prepare(void)
{
    uint64_t seed = 7;
    for (int i = 0; i < ACCOUNTS; i++) {
        name_make(accounts[i].owner, sizeof(accounts[i].owner), random_next(&seed));
        name_make(accounts[i].city, sizeof(accounts[i].city), random_next(&seed));
        accounts[i].balance = (int64_t)(random_next(&seed) % 100000);
    }
}

static int account_before(const struct account *a, const struct account *b)
{
    int order = strcmp(a->city, b->city);
    return order ? order < 0 : strcmp(a->owner, b->owner) < 0;
}

__attribute__((noinline)) static int64_t amount_of(enum kind kind, const struct account *a,
                                                   uint64_t draw)
{
    switch (kind) {
    case SALARY:
        return 2000 + (int64_t)(draw % 500);
    case RENT:
        return -900;
    case TRANSFER:
        return a->balance / 10;
    default:
        return -(int64_t)(a->moves % 7);
    }
}

__attribute__((noinline)) static void account_move(struct account *a, enum kind kind,
                                                   int64_t amount)
{
    struct account changed = *a;
    changed.balance += amount;
    changed.last = kind;
    changed.moves++;
    *a = changed;
}

static uint64_t run(unsigned rounds)
{
    uint64_t seed = 3, sum = 0;
    for (unsigned i = 0; i < rounds * 1300000; i++) {
        uint64_t draw = random_next(&seed) >> 8;
        struct account *a = &accounts[draw % ACCOUNTS], *b = &accounts[draw / ACCOUNTS % ACCOUNTS];
        enum kind kind = (enum kind)(draw >> 20) % KINDS;
        int64_t amount = amount_of(kind, a, draw);
        account_move(a, kind, amount);
        if (kind == TRANSFER)
            account_move(b, kind, -amount);
        if (account_before(a, b))
            sum += (uint64_t)a->balance + strlen(a->owner);
    }
    return sum;
}

const struct kernel kernel_records = {
    .name = "records", .group = "integer", .prepare = prepare, .run = run};
