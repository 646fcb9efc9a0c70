/* SPDX-License-Identifier: GPL-3.0-only */
/* Completion scripts for shells, made from a table of options. */
#ifndef RVVM_CLI_COMPLETION_H
#define RVVM_CLI_COMPLETION_H

#include "options.h"

/*
 * Prints the script for a shell: bash, zsh or fish. words: what else may be the first word, with spaces
 * between; NULL: nothing. false: there is no such shell.
 */
bool completion_print(const char *shell, const char *command, const char *words,
                      const struct option *table, struct error *err);

#endif
