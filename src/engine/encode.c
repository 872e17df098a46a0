/* engine/encode.c -- a frame as numbers: the design matrix.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/encode.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct design_ref {
    struct column *column;
    uint32_t *map;
};

struct design {
    size_t n_rows, n_cols, n_refs;
    const struct design_column *column;
    const struct design_source *source;
    struct design_ref *ref;
    const double *dense; /* n_rows x n_cols, or NULL */
    double *offset;      /* n_rows, or NULL */
};

struct design *
design_new(size_t n_rows, size_t n_cols, const struct design_column *columns,
           const struct design_source *sources, size_t n_refs,
           struct error *err)
{
    struct design *d = mem_try_array(1, sizeof *d, err);

    if (!d)
        return NULL;
    d->n_rows = n_rows;
    d->n_cols = n_cols;
    d->column = columns;
    d->source = sources;
    d->n_refs = n_refs;
    if (!(d->ref = mem_try_array(n_refs, sizeof *d->ref, err))) {
        free(d);
        return NULL;
    }
    return d;
}

void
design_bind(struct design *d, size_t ref, const struct column *c, uint32_t *map)
{
    assert(ref < d->n_refs && !d->ref[ref].column);
    assert(column_rows(c) == d->n_rows);
    d->ref[ref].column = column_ref(c);
    d->ref[ref].map = map;
}

struct design *
design_dense(const double *x, size_t n_rows, size_t n_cols,
             const struct design_column *columns, struct error *err)
{
    struct design *d = design_new(n_rows, n_cols, columns, NULL, 0, err);

    if (d)
        d->dense = x;
    return d;
}

void
design_free(struct design *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n_refs; i++) {
        column_unref(d->ref[i].column);
        free(d->ref[i].map);
    }
    free(d->ref);
    free(d->offset);
    free(d);
}

void
design_put_offset(struct design *d, double *offset)
{
    free(d->offset);
    d->offset = offset;
}

const double *
design_offset(const struct design *d)
{
    return d->offset;
}

size_t
design_rows(const struct design *d)
{
    return d->n_rows;
}

size_t
design_cols(const struct design *d)
{
    return d->n_cols;
}

const struct design_column *
design_column(const struct design *d, size_t col)
{
    return &d->column[col];
}

static void
pull_number(const struct design_source *s, double *v, size_t n)
{
    bool finite_only = !isnan(s->fill);

    for (size_t i = 0; i < n; i++)
        if (isnan(v[i]) || (finite_only && isinf(v[i])))
            v[i] = s->fill;
    if (s->shift == 0 && s->scale == 1)
        return;
    for (size_t i = 0; i < n; i++)
        v[i] = (v[i] - s->shift) * s->scale;
}

static void
pull_text(const struct design_source *s, const struct design_ref *r,
          size_t begin, size_t end, double *out)
{
    const uint32_t *codes = column_codes(r->column);
    const uint64_t *valid = column_validity(r->column);
    bool one_hot = s->kind == DESIGN_LEVEL;

    for (size_t i = begin; i < end; i++) {
        uint32_t m = column_bit(valid, i) ? r->map[codes[i]] : DESIGN_UNSEEN;

        if (one_hot)
            out[i - begin] = m == s->group;
        else
            out[i - begin] = m == DESIGN_UNSEEN ? (double)NAN : (double)m;
    }
}

void
design_pull(const struct design *d, size_t col, size_t begin, size_t end,
            double *out)
{
    const struct design_source *s;

    if (d->dense) {
        memcpy(out, d->dense + col * d->n_rows + begin,
               (end - begin) * sizeof *out);
        return;
    }
    s = &d->source[col];
    switch (s->kind) {
    case DESIGN_NUMBER:
        column_numbers(d->ref[s->ref].column, begin, end, out);
        pull_number(s, out, end - begin);
        break;
    case DESIGN_MISSING:
        column_numbers(d->ref[s->ref].column, begin, end, out);
        for (size_t i = 0; i < end - begin; i++)
            out[i] = !isfinite(out[i]);
        break;
    case DESIGN_TEXT:
        for (size_t i = 0; i < end - begin; i++)
            out[i] = (double)NAN;
        break;
    case DESIGN_CODE:
    case DESIGN_LEVEL:
        pull_text(s, &d->ref[s->ref], begin, end, out);
        break;
    case DESIGN_DENSE:
        assert(!"a dense source without numbers");
    }
}

enum col_type
design_type(const struct design *d, size_t col)
{
    const struct column *c =
        d->dense ? NULL : d->ref[d->source[col].ref].column;

    return c ? column_type(c) : COL_FLOAT64;
}

bool
design_is_text(const struct design *d, size_t col)
{
    return !d->dense && d->source[col].kind == DESIGN_TEXT;
}

struct str
design_text(const struct design *d, size_t col, size_t row)
{
    return column_text(d->ref[d->source[col].ref].column, row);
}
