/* SPDX-License-Identifier: GPL-3.0-only */
/* Completion scripts for shells, made from a table of options. */
#ifndef RVVM_CLI_COMPLETION_H
#define RVVM_CLI_COMPLETION_H

#include "options.h"

/* A first word behind which others follow than options of the table. Lists have spaces between. */
struct completion_branch {
    const char *word;     /* "img" */
    unsigned at;          /* which word is one of `commands`: behind it, 2; others are files */
    const char *commands; /* "create info" */
    const char *options;  /* with their dashes; may be empty */
};

/*
 * Prints the script for a shell: bash, zsh or fish. branches: `word` of the last one is NULL; may be NULL. false:
 * there is no such shell.
 */
bool completion_print(const char *shell, const char *command,
                      const struct completion_branch *branches, const struct option *table,
                      struct error *err);

#endif
