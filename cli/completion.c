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

static void print_branch_words(const struct completion_branch *branches)
{
    for (const struct completion_branch *b = branches; b->word; b++)
        printf("%s%s", b == branches ? "" : " ", b->word);
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

/* The words behind "img" and the like. */
static void bash_branches(const struct completion_branch *branches)
{
    printf("    if ((COMP_CWORD > 1)); then\n        case ${COMP_WORDS[1]} in\n");
    for (const struct completion_branch *b = branches; b->word; b++)
        printf("        %s)\n"
               "            if ((COMP_CWORD == %u)); then\n"
               "                mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$cur\")\n"
               "            elif [[ $cur == -* ]]; then\n"
               "                mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$cur\")\n"
               "            else\n"
               "                mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
               "            fi\n            return\n            ;;\n",
               b->word, b->at, b->commands, b->options);
    printf("        esac\n    fi\n");
}

static void print_bash(const char *command, const struct completion_branch *branches,
                       const struct option *table)
{
    printf("_%s()\n{\n    local cur=${COMP_WORDS[COMP_CWORD]}\n    COMPREPLY=()\n", command);
    if (branches)
        bash_branches(branches);
    printf("    case ${COMP_WORDS[COMP_CWORD - 1]} in\n");
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
    if (branches) {
        printf("        ((COMP_CWORD > 1)) || mapfile -t -O ${#COMPREPLY[@]} COMPREPLY "
               "< <(compgen -W '");
        print_branch_words(branches);
        printf("' -- \"$cur\")\n");
    }
    printf("    fi\n}\ncomplete -o filenames -F _%s %s\n", command, command);
}

/*
 * zsh
 */

static void zsh_branches(const struct completion_branch *branches)
{
    printf("if (( CURRENT > 2 )); then\n    case $words[2] in\n");
    for (const struct completion_branch *b = branches; b->word; b++)
        printf("    %s)\n"
               "        if (( CURRENT == %u )); then\n            compadd -- %s\n"
               "        elif [[ $PREFIX == -* ]]; then\n            compadd -- %s\n"
               "        else\n            _files\n        fi\n        return\n        ;;\n",
               b->word, b->at + 1, b->commands, b->options);
    printf("    esac\nfi\n");
}

static void print_zsh(const char *command, const struct completion_branch *branches,
                      const struct option *table)
{
    printf("#compdef %s\n\n", command);
    if (branches)
        zsh_branches(branches);
    printf("_arguments");
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
    if (branches) {
        printf(" \\\n    '1:command or file:{ compadd ");
        print_branch_words(branches);
        printf("; _files }'");
    }
    printf(" \\\n    '*:file:_files'\n");
}

/*
 * fish
 */

static void fish_branches(const char *command, const struct completion_branch *branches)
{
    printf("complete -c %s -n __fish_use_subcommand -a '", command);
    print_branch_words(branches);
    printf("'\n");
    for (const struct completion_branch *b = branches; b->word; b++) {
        printf("complete -c %s -n '__fish_seen_subcommand_from %s; and test (count (commandline "
               "-opc)) -eq %u' -a '%s'\n",
               command, b->word, b->at, b->commands);
        if (*b->options)
            printf("complete -c %s -n '__fish_seen_subcommand_from %s' -a '%s'\n", command, b->word,
                   b->options);
    }
}

static void print_fish(const char *command, const struct completion_branch *branches,
                       const struct option *table)
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
    if (branches)
        fish_branches(command, branches);
}

bool completion_print(const char *shell, const char *command,
                      const struct completion_branch *branches, const struct option *table,
                      struct error *err)
{
    if (!strcmp(shell, "bash"))
        print_bash(command, branches, table);
    else if (!strcmp(shell, "zsh"))
        print_zsh(command, branches, table);
    else if (!strcmp(shell, "fish"))
        print_fish(command, branches, table);
    else
        return error_set(err, "-completion %s: there are: bash, zsh, fish", shell);
    return true;
}
