/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Completion scripts: completion.h. What an option's value is called decides what completes it: FILE is a
 * file, a list as in on|off is its words, and of anything else a shell knows nothing.
 */
#include "completion.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool takes_file(const struct option *o)
{
    return o->value && strstr(o->value, "FILE");
}

static bool takes_words(const struct option *o)
{
    return o->value && strchr(o->value, '|') && islower((unsigned char)o->value[0]);
}

/* on|off as on off */
static void print_words(const struct option *o)
{
    for (const char *c = o->value; *c; c++)
        putchar(*c == '|' ? ' ' : *c);
}

/* With a backslash before each character that stands in `special`; in single quotes, a quote ends them. */
static void print_escaped(const char *text, const char *special)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\'", stdout);
        else if (strchr(special, *text))
            putchar('\\');
        putchar(*text);
    }
}

/*
 * bash
 */

/* The patterns of those options that `takes` holds for, and what is done there. */
static void bash_case(const struct option *table, bool (*takes)(const struct option *),
                      const char *body)
{
    const char *between = "    ";
    for (const struct option *o = table; o->name; o++) {
        if (takes(o)) {
            printf("%s-%s", between, o->name);
            between = " | ";
        }
    }
    if (between[1] == '|')
        printf(")\n        %s\n        return\n        ;;\n", body);
}

static bool takes_other(const struct option *o)
{
    return o->value && !takes_file(o) && !takes_words(o);
}

static void print_bash(const char *command, const char *words, const struct option *table)
{
    printf("_%s()\n{\n    local cur=${COMP_WORDS[COMP_CWORD]}\n    COMPREPLY=()\n"
           "    case ${COMP_WORDS[COMP_CWORD - 1]} in\n",
           command);
    bash_case(table, takes_file, "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")");
    bash_case(table, takes_other, ":");
    for (const struct option *o = table; o->name; o++) {
        if (!takes_words(o))
            continue;
        printf("    -%s)\n        mapfile -t COMPREPLY < <(compgen -W '", o->name);
        print_words(o);
        printf("' -- \"$cur\")\n        return\n        ;;\n");
    }
    printf(
        "    esac\n    if [[ $cur == -* ]]; then\n        mapfile -t COMPREPLY < <(compgen -W '");
    for (const struct option *o = table; o->name; o++)
        if (o->help)
            printf("%s-%s", o == table ? "" : " ", o->name);
    printf("' -- \"$cur\")\n    else\n        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n");
    if (words)
        printf("        ((COMP_CWORD > 1)) || mapfile -t -O ${#COMPREPLY[@]} COMPREPLY "
               "< <(compgen -W '%s' -- \"$cur\")\n",
               words);
    printf("    fi\n}\ncomplete -o filenames -F _%s %s\n", command, command);
}

/*
 * zsh
 */

static void print_zsh(const char *command, const char *words, const struct option *table)
{
    printf("#compdef %s\n\n_arguments", command);
    for (const struct option *o = table; o->name; o++) {
        if (!o->help)
            continue;
        printf(" \\\n    '%s-%s[", o->repeats ? "*" : "", o->name);
        print_escaped(o->help, "[]:\\");
        putchar(']');
        if (o->value) {
            putchar(':');
            print_escaped(o->value, ":\\");
            if (takes_file(o)) {
                printf(":_files");
            } else if (takes_words(o)) {
                printf(":(");
                print_words(o);
                putchar(')');
            } else {
                printf(": ");
            }
        }
        putchar('\'');
    }
    if (words)
        printf(" \\\n    '1:command or file:{ compadd %s; _files }'", words);
    printf(" \\\n    '*:file:_files'\n");
}

/*
 * fish
 */

static void print_fish(const char *command, const char *words, const struct option *table)
{
    for (const struct option *o = table; o->name; o++) {
        if (!o->help)
            continue;
        printf("complete -c %s -o %s", command, o->name);
        if (takes_file(o)) {
            printf(" -r -F");
        } else if (takes_words(o)) {
            printf(" -x -a '");
            print_words(o);
            putchar('\'');
        } else if (o->value) {
            printf(" -x");
        }
        printf(" -d '");
        print_escaped(o->help, "\\");
        printf("'\n");
    }
    if (words)
        printf("complete -c %s -n __fish_use_subcommand -a '%s'\n", command, words);
}

bool completion_print(const char *shell, const char *command, const char *words,
                      const struct option *table, struct error *err)
{
    if (!strcmp(shell, "bash"))
        print_bash(command, words, table);
    else if (!strcmp(shell, "zsh"))
        print_zsh(command, words, table);
    else if (!strcmp(shell, "fish"))
        print_fish(command, words, table);
    else
        return error_set(err, "-completion %s: there are: bash, zsh, fish", shell);
    return true;
}
