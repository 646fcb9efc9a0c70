/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Command line options from one table: parsing, -h and -help all come from it.
 *
 * Options take one or two dashes; their value is the next word or follows '='. A word without a
 * dash is an operand. `--` ends the options.
 */
#ifndef RVVM_CLI_OPTIONS_H
#define RVVM_CLI_OPTIONS_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct option {
    const char *name;  /* without dashes */
    const char *value; /* what its value is called, NULL: takes none */
    const char *help;  /* a line; NULL: a second name, or not shown */
    bool (*set)(void *ctx, const struct option *option, const char *value, struct error *err);
    size_t offset; /* for the set functions below: of the field in ctx */
    bool repeats;  /* may be given more than once */
};

/* Ready-made set functions: the field at option.offset. */
bool option_set_string(void *ctx, const struct option *o, const char *value, struct error *err);
bool option_set_true(void *ctx, const struct option *o, const char *value, struct error *err);
/* uint64_t, with k, M, G or T (powers of 1024). */
bool option_set_size(void *ctx, const struct option *o, const char *value, struct error *err);
/* unsigned. */
bool option_set_number(void *ctx, const struct option *o, const char *value, struct error *err);

/*
 * Table ends with a NULL name. operand takes words that are no options. false: err says what is
 * wrong with the command line.
 */
bool options_parse(const struct option *table, void *ctx, int argc, char **argv,
                   bool (*operand)(void *ctx, const char *word, struct error *err),
                   struct error *err);

/* The same up to the first operand, argv[*rest]; what follows is somebody else's. *rest is argc where
 * there is none. */
bool options_parse_head(const struct option *table, void *ctx, int argc, char **argv, int *rest,
                        struct error *err);

/* One line an option that has help. only: those of these names, NULL at the end; NULL: all. */
void options_print(const struct option *table, const char *const *only);

#endif
