/* What a profile must not tell when values are to stay where they are.
 *
 * Gone are frequent and extreme values, words, classes, quantiles, and means
 * of so few rows, or of rows so alike, that they are values themselves; what
 * is left are names of columns, counts, shapes, distances and sums over many
 * rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "frame/profile_part.h"

enum { LEAST = 10 }; /* rows that a mean may be of */

/* "#1", "#2", ... in place of a text; it stays whole without memory. */
static bool
number_text(char **text, size_t i, struct error *err)
{
    char name[32];
    char *copy;

    snprintf(name, sizeof name, "#%zu", i + 1);
    if (!(copy = mem_try_text(name, str_of(name).n, err)))
        return false;
    free(*text);
    *text = copy;
    return true;
}

static void
drop_top(struct profile_top *top, size_t *n)
{
    while (*n > 0)
        free(top[--*n].text);
}

static void
redact_classes(const struct profile *p, struct profile_column *c)
{
    for (size_t k = 0; c->by_class && k < p->n_classes; k++) {
        struct profile_class *by = &c->by_class[k];

        by->median = NAN;
        if (!(by->sd > 0) || p->class_rows[k] - by->n_missing < LEAST)
            by->mean = by->sd = NAN;
    }
}

static void
redact_numbers(struct profile_column *c)
{
    c->min = c->max = c->mad = NAN;
    for (size_t i = 0; i < PROFILE_QUANTILES; i++)
        c->quantile[i] = NAN;
    if (!(c->sd > 0) || c->n - c->n_missing < LEAST)
        c->mean = c->sd = c->sum = c->skew = c->kurtosis = NAN;
}

bool
profile_redact(struct profile *p, struct error *err)
{
    p->redacted = true;
    for (size_t i = 0; i < p->n_cols; i++) {
        struct profile_column *c = &p->column[i];

        drop_top(c->low, &c->n_low);
        drop_top(c->high, &c->n_high);
        if (c->words) {
            drop_top(c->words->top, &c->words->n_top);
            free(c->words->odd);
            c->words->odd = NULL;
        }
        redact_numbers(c);
        redact_classes(p, c);
        for (size_t k = 0; k < c->n_top; k++)
            if (!number_text(&c->top[k].text, k, err))
                return false;
    }
    for (size_t i = 0; p->against && i < p->against->n_pairs; i++)
        p->against->pair[i].mean[0] = p->against->pair[i].mean[1] = NAN;
    for (size_t k = 0; k < p->n_classes; k++)
        if (!number_text(&p->class_name[k], k, err))
            return false;
    return true;
}
