/* Columns on evenly spaced rows, as numbers, ranks and codes.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/order.h"
#include "frame/profile_part.h"

enum { WIDTHS = 10, TENTHS = 10 };

size_t
profile_sample_rows(const struct frame *f)
{
    size_t n = frame_rows(f);

    return n < PROFILE_SAMPLE ? n : PROFILE_SAMPLE;
}

size_t
profile_sample_row(const struct frame *f, size_t i, size_t n)
{
    size_t rows = frame_rows(f);

    return n == rows ? i : (size_t)((double)i * (double)rows / (double)n);
}

/* Present rows in order of x. */
static bool
set_order(struct feature *s, struct error *err)
{
    uint64_t *key = mem_try_array(s->n, sizeof *key, err), *key2 = NULL;
    uint32_t *id2 = NULL;
    size_t m = 0;
    bool ok = false;

    if (!key || !(key2 = mem_try_array(s->n, sizeof *key2, err)) ||
        !(id2 = mem_try_array(s->n, sizeof *id2, err)) ||
        !(s->order = mem_try_array(s->n, sizeof *s->order, err)))
        goto out;
    for (size_t i = 0; i < s->n; i++)
        if (!isnan(s->x[i])) {
            key[m] = order_of_float(s->x[i]);
            s->order[m++] = (uint32_t)i;
        }
    s->n_here = m;
    order_sort_ids(&key, &s->order, &key2, &id2, m, NULL);
    ok = true;
out:
    free(key);
    free(key2);
    free(id2);
    return ok;
}

/* Code 0 is "missing"; infinite values go to the outer widths. */
/* A value at an edge is of the width below it. */
static void
set_widths(struct feature *s, double low, double high)
{
    double step = (high - low) / WIDTHS, edge[WIDTHS];

    s->n_codes = WIDTHS + 1;
    for (size_t k = 0; k < WIDTHS; k++)
        edge[k] = isfinite(step) ? low + (double)k * step
                                 : low + (double)k * (high / WIDTHS) -
                                       (double)k * (low / WIDTHS);
    for (size_t i = 0; i < s->n; i++) {
        double share = (s->x[i] / 2 - low / 2) / (high / 2 - low / 2);
        uint32_t k = (uint32_t)fmin(fmax(ceil(share * WIDTHS), 1), WIDTHS);

        while (k > 1 && s->x[i] <= edge[k - 1])
            k--;
        while (k < WIDTHS && s->x[i] > edge[k])
            k++;
        s->code[i] = isnan(s->x[i]) ? 0 : k;
    }
}

static bool
set_number(struct feature *s, const struct frame *f, size_t col, double low,
           double high, struct error *err)
{
    const struct column *c = frame_column(f, col);

    s->number = true;
    if (!(s->x = mem_try_array(s->n, sizeof *s->x, err)))
        return false;
    for (size_t i = 0; i < s->n; i++)
        s->x[i] = column_number(c, profile_sample_row(f, i, s->n));
    set_widths(s, low, high);
    return set_order(s, err);
}

/* Bools: false 1, true 2.  Texts are numbered as they appear in the sample,
 * for a dictionary may hold far more than these rows do. */
static bool
set_codes(struct feature *s, const struct frame *f, size_t col,
          struct error *err)
{
    const struct column *c = frame_column(f, col);
    bool text = column_type(c) == COL_TEXT;
    size_t entries = text ? dict_count(column_dict(c)) : 2;
    uint32_t *number = mem_try_array(entries, sizeof *number, err);

    if (!number)
        return false;
    s->n_codes = text ? 1 : 3;
    for (size_t i = 0; !text && i < entries; i++)
        number[i] = (uint32_t)i + 1;
    for (size_t i = 0; i < s->n; i++) {
        size_t row = profile_sample_row(f, i, s->n);
        uint32_t *code;

        if (!column_is_valid(c, row))
            continue;
        code = &number[text ? column_codes(c)[row] : column_bools(c)[row]];
        if (*code == 0)
            *code = (uint32_t)s->n_codes++;
        s->code[i] = *code;
        s->n_here++;
    }
    free(number);
    return true;
}

bool
feature_of(struct feature *s, const struct frame *f, size_t col, double low,
           double high, struct error *err)
{
    enum col_type type = column_type(frame_column(f, col));

    *s = (struct feature){.n = profile_sample_rows(f)};
    if (!(s->code = mem_try_array(s->n, sizeof *s->code, err)))
        return false;
    if (type != COL_TEXT && type != COL_BOOL)
        return set_number(s, f, col, low, high, err);
    return set_codes(s, f, col, err);
}

bool
feature_init(struct feature *s, const struct profile *p, size_t col,
             struct error *err)
{
    return feature_of(s, p->frame, col, p->column[col].min, p->column[col].max,
                      err);
}

void
feature_fini(struct feature *s)
{
    free(s->x);
    free(s->order);
    free(s->code);
}

size_t
feature_ranks(const struct feature *x, const struct feature *with, double *rank)
{
    size_t m = 0, first = 0; /* rows ranked; the first of the run of ties */
    size_t run = 0;          /* where that run begins in order */

    for (size_t i = 0; i < x->n; i++)
        rank[i] = 0;
    for (size_t k = 0; k <= x->n_here; k++) {
        bool ends = k == x->n_here || x->x[x->order[k]] != x->x[x->order[run]];

        if (ends) {
            for (; run < k; run++)
                if (rank[x->order[run]] != 0)
                    rank[x->order[run]] = ((double)first + 1 + (double)m) / 2;
            first = m;
        }
        if (k < x->n_here && (!with || !isnan(with->x[x->order[k]]))) {
            rank[x->order[k]] = 1;
            m++;
        }
    }
    return m;
}

size_t
feature_tenths(const struct feature *x, uint32_t *code)
{
    uint32_t k = 0;

    if (!x->number) {
        memcpy(code, x->code, x->n * sizeof *code);
        return x->n_codes;
    }
    memset(code, 0, x->n * sizeof *code);
    for (size_t i = 0; i < x->n_here; i++) {
        if (i == 0 || x->x[x->order[i]] != x->x[x->order[i - 1]])
            k = 1 + (uint32_t)(i * TENTHS / x->n_here);
        code[x->order[i]] = k;
    }
    return TENTHS + 1;
}

size_t
feature_values(const struct feature *x, uint32_t *code)
{
    uint32_t k = 0;

    if (!x->number) {
        memcpy(code, x->code, x->n * sizeof *code);
        return x->n_codes;
    }
    memset(code, 0, x->n * sizeof *code);
    for (size_t i = 0; i < x->n_here; i++) {
        if (i == 0 || x->x[x->order[i]] != x->x[x->order[i - 1]])
            k++;
        code[x->order[i]] = k;
    }
    return k + 1;
}
