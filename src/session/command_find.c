/* session/command_find.c -- which command is meant.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/command.h"

#include <string.h>

#include "frame/synonym.h"

enum { NAMES_MAX = 256 };

const struct command *
command_find(const char *name)
{
    size_t n;
    const struct command *table = command_table(&n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

/* How many of argv's first words are the words of name: all of them, or 0. */
static int
words_matched(const char *name, int argc, const char *const *argv)
{
    int used = 0;

    while (*name) {
        size_t n = strcspn(name, " ");

        if (used == argc || strlen(argv[used]) != n ||
            memcmp(argv[used], name, n) != 0)
            return 0;
        used++;
        name += n;
        name += *name == ' ';
    }
    return used;
}

static bool
starts_word(const char *name, const char *word)
{
    size_t n = strlen(word);

    return strncmp(name, word, n) == 0 && name[n] == ' ';
}

/* "runs" names no command but begins some. */
static bool
family_error(const struct command *table, size_t n, int argc,
             const char *const *argv, struct error *err)
{
    struct buf names;
    const char *near[NAMES_MAX];
    const char *nearest;
    size_t n_near = 0;

    buf_init(&names);
    for (size_t i = 0; i < n; i++)
        if (starts_word(table[i].name, argv[0]) &&
            !(table[i].flags & CMD_HIDDEN) && n_near < NAMES_MAX) {
            near[n_near] = table[i].name + strlen(argv[0]) + 1;
            buf_printf(&names, "%s%s", n_near ? ", " : "", near[n_near]);
            n_near++;
        }
    if (argc < 2 || argv[1][0] == '-') {
        error_set(err, ERR_USAGE, "%s needs one of: %s", argv[0], names.data);
    } else {
        nearest = str_nearest(str_of(argv[1]), near, n_near);
        if (nearest)
            error_set(err, ERR_USAGE,
                      "no command '%s %s', did you mean "
                      "'%s %s'?",
                      argv[0], argv[1], argv[0], nearest);
        else
            error_set(err, ERR_USAGE,
                      "no command '%s %s', expected one of: "
                      "%s",
                      argv[0], argv[1], names.data);
    }
    buf_fini(&names);
    return false;
}

static bool
match_error(const struct command *table, size_t n, int argc,
            const char *const *argv, struct error *err)
{
    const char *names[NAMES_MAX];
    char first[NAMES_MAX][32];
    const char *nearest;
    size_t n_names = 0;

    for (size_t i = 0; i < n; i++)
        if (starts_word(table[i].name, argv[0]))
            return family_error(table, n, argc, argv, err);
    for (size_t i = 0; i < n && n_names < NAMES_MAX; i++) {
        size_t len = strcspn(table[i].name, " ");

        if ((table[i].flags & CMD_HIDDEN) || len >= sizeof first[0])
            continue;
        memcpy(first[n_names], table[i].name, len);
        first[n_names][len] = '\0';
        names[n_names] = first[n_names];
        n_names++;
    }
    nearest = synonym_nearest(str_of(argv[0]), names, n_names);
    return nearest ? error_set(err, ERR_USAGE,
                               "no command '%s', did you mean "
                               "'%s'?",
                               argv[0], nearest)
                   : error_set(err, ERR_USAGE, "no command '%s'", argv[0]);
}

const struct command *
command_match(int argc, const char *const *argv, int *used, struct error *err)
{
    size_t n;
    const struct command *table = command_table(&n), *best = NULL;

    *used = 0;
    for (size_t i = 0; i < n; i++) {
        int m = words_matched(table[i].name, argc, argv);

        if (m > *used) {
            *used = m;
            best = &table[i];
        }
    }
    if (!best && argc > 0)
        match_error(table, n, argc, argv, err);
    else if (!best)
        error_set(err, ERR_USAGE, "no command was given");
    return best;
}
