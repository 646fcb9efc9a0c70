/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Lists of words as users write them, NAME[=VALUE],NAME[=VALUE]..., where a comma that belongs to a
 * value is written twice. They are cut in place:
 *
 *     for (char *word = text, *next; word; word = next) {
 *         next = words_cut(word);
 *         char *value = words_value(word);
 */
#ifndef RVVM_BASE_WORDS_H
#define RVVM_BASE_WORDS_H

/* Ends the word at its comma. Returns what is behind it; NULL: that was the last. */
char *words_cut(char *word);

/* Ends the name at its '='. Returns the value; NULL: there is none. */
char *words_value(char *word);

/* The value of a word that is one of a list, NULL at its end; -1: it is not. value may be NULL. */
int words_choose(const char *value, const char *const *choices);

#endif
