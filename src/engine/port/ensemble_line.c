/* engine/port/ensemble_line.c -- leaves that are lines.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/ensemble_line.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- building ---- */

bool
ensemble_room_for_lines(struct ensemble *e, size_t cap, struct error *err)
{
    bool fresh = !e->line_start;
    uint32_t *start =
        mem_try_resize(e->line_start, cap + 1, sizeof *start, err);
    double *base;

    if (!start)
        return false;
    e->line_start = start;
    if (fresh)
        memset(start, 0, (cap + 1) * sizeof *start);
    if (!(base = mem_try_resize(e->line_base, cap, sizeof *base, err)))
        return false;
    e->line_base = base;
    if (fresh)
        memset(base, 0, cap * sizeof *base);
    return true;
}

static bool
room_for_terms(struct ensemble *e, size_t n, struct error *err)
{
    size_t need = e->n_terms + n, cap = e->cap_terms * 2;
    uint32_t *col;
    double *line;

    if (need >= UINT32_MAX)
        return error_set(err, ERR_LIMIT, "more than 2^32 terms of lines");
    if (need <= e->cap_terms)
        return true;
    cap = cap > need ? cap : need;
    if (!(col = mem_try_resize(e->line_col, cap, sizeof *col, err)))
        return false;
    e->line_col = col;
    if (!(line = mem_try_resize(e->line, cap, sizeof *line, err)))
        return false;
    e->line = line;
    e->cap_terms = cap;
    return true;
}

void
ensemble_end_line(struct ensemble *e)
{
    if (!e->line_start)
        return;
    e->line_base[e->n_values - 1] = 0;
    e->line_start[e->n_values] = (uint32_t)e->n_terms;
}

bool
ensemble_add_line(struct ensemble *e, double base, const uint32_t *col,
                  const double *term, size_t n, struct error *err)
{
    if (!isfinite(base))
        return error_set(err, ERR_PARSE, "a line begins with %g", base);
    for (size_t k = 0; k < n; k++) {
        if (col[k] >= e->n_cols)
            return error_set(err, ERR_PARSE, "a line has column %u of %zu",
                             (unsigned)col[k], e->n_cols);
        if (!isfinite(term[k]))
            return error_set(err, ERR_PARSE, "a term of a line is %g", term[k]);
    }
    if ((!e->line_start && !ensemble_room_for_lines(e, e->cap_values, err)) ||
        !room_for_terms(e, n, err))
        return false;
    memcpy(e->line_col + e->n_terms, col, n * sizeof *col);
    memcpy(e->line + e->n_terms, term, n * sizeof *term);
    e->n_terms += n;
    ensemble_end_line(e);
    e->line_base[e->n_values - 1] = base;
    return true;
}

void
ensemble_lines_free(struct ensemble *e)
{
    free(e->line_start);
    free(e->line_base);
    free(e->line_col);
    free(e->line);
}

void
ensemble_scale(struct ensemble *e, double f, double by)
{
    for (size_t v = 0; v < e->n_values; v++)
        e->value[v] = e->value[v] * f / by;
    for (size_t v = 0; e->line_start && v < e->n_values; v++)
        e->line_base[v] = e->line_base[v] * f / by;
    for (size_t t = 0; t < e->n_terms; t++)
        e->line[t] = e->line[t] * f / by;
}

/* ---- looking ---- */

uint32_t
ensemble_line(const struct ensemble *e, uint32_t v, uint32_t *end)
{
    *end = e->line_start ? e->line_start[v + 1] : 0;
    return e->line_start ? e->line_start[v] : 0;
}

double
ensemble_value(const struct ensemble *e, uint32_t v, const double *x)
{
    uint32_t end, t = ensemble_line(e, v, &end);
    double sum;

    if (t == end)
        return e->value[v];
    for (sum = e->line_base[v]; t < end; t++)
        sum += e->line[t] * x[e->line_col[t]];
    return isfinite(sum) ? sum : e->value[v];
}

bool
ensemble_no_lines(const struct ensemble *e, const char *format,
                  struct error *err)
{
    return !e->line_start ||
           error_set(err, ERR_TYPE,
                     "leaves that are lines (linear_leaves) are not in %s: "
                     "write this model as --lightgbm or --c",
                     format);
}

bool
ensemble_lines_are_sound(const struct ensemble *e)
{
    if (!e->line_start)
        return true;
    if (e->line_start[0] != 0 || e->line_start[e->n_values] != e->n_terms)
        return false;
    for (size_t v = 0; v < e->n_values; v++)
        if (e->line_start[v] > e->line_start[v + 1] ||
            !isfinite(e->line_base[v]))
            return false;
    for (size_t t = 0; t < e->n_terms; t++)
        if (e->line_col[t] >= e->n_cols || !isfinite(e->line[t]))
            return false;
    return true;
}
