/* engine/trees/limits.c -- what trees are held to, as a user writes it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/* The part of *rest before `mark`, without blanks around; *rest begins after
 * it.  False at the end. */
static bool
next_part(struct str *rest, char mark, struct str *part)
{
    const char *at;

    if (!rest->p)
        return false;
    at = memchr(rest->p, mark, rest->n);
    part->p = rest->p;
    part->n = at ? (size_t)(at - rest->p) : rest->n;
    rest->p = at ? at + 1 : NULL;
    rest->n -= part->n + (at != NULL);
    *part = str_trim(*part);
    return true;
}

static bool
find_column(const struct design *d, const char *param, struct str name,
            size_t *col, struct error *err)
{
    for (*col = 0; *col < design_cols(d); (*col)++)
        if (str_is(name, design_column(d, *col)->name))
            return true;
    return error_set(err, ERR_RANGE,
                     "%s: '%.*s' is no column that is learnt from", param,
                     (int)name.n, name.p);
}

static bool
read_trend(const struct design *d, const char *text, struct limits *l,
           struct error *err)
{
    struct str rest = str_of(text), part;
    size_t col;

    if (str_trim(rest).n == 0)
        return true;
    l->trend = mem_try_array(design_cols(d), sizeof *l->trend, err);
    if (!l->trend)
        return false;
    while (next_part(&rest, ',', &part)) {
        char sign = part.n > 0 ? part.p[part.n - 1] : ' ';
        struct str name = {part.p, part.n > 0 ? part.n - 1 : 0};

        if (sign != '+' && sign != '-')
            return error_set(err, ERR_RANGE,
                             "monotone: '%.*s' has no + or - at its end",
                             (int)part.n, part.p);
        if (!find_column(d, "monotone", str_trim(name), &col, err))
            return false;
        if (design_column(d, col)->n_levels > 0)
            return error_set(err, ERR_RANGE,
                             "monotone: %s holds categories, which have no "
                             "order",
                             design_column(d, col)->name);
        l->trend[col] = sign == '+' ? 1 : -1;
    }
    return true;
}

static size_t
count_groups(const char *text)
{
    size_t n = 1;

    for (; *text; text++)
        n += *text == ';';
    return n;
}

static bool
read_groups(const struct design *d, const char *text, struct limits *l,
            struct error *err)
{
    size_t words = GROW_SET_WORDS(design_cols(d)), col;
    struct str rest = str_of(text), group, part;

    if (str_trim(rest).n == 0)
        return true;
    l->group = mem_try_array(count_groups(text) * words, sizeof *l->group, err);
    if (!l->group)
        return false;
    while (next_part(&rest, ';', &group)) {
        uint64_t *set = l->group + l->n_groups++ * words;

        if (group.n == 0)
            return error_set(err, ERR_RANGE, "interact: a group is empty");
        while (next_part(&group, ',', &part)) {
            if (!find_column(d, "interact", part, &col, err))
                return false;
            set[col / 64] |= UINT64_C(1) << (col % 64);
        }
    }
    return true;
}

bool
limits_read(const struct design *d, const char *monotone, const char *interact,
            struct limits *out, struct error *err)
{
    memset(out, 0, sizeof *out);
    if ((!monotone || read_trend(d, monotone, out, err)) &&
        (!interact || read_groups(d, interact, out, err)))
        return true;
    limits_fini(out);
    return false;
}

void
limits_fini(struct limits *l)
{
    free(l->trend);
    free(l->group);
    memset(l, 0, sizeof *l);
}
