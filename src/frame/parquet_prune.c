/* frame/parquet_prune.c -- which row groups need not be read.
 *
 * Statistics tell bounds, not values: a text may be cut (down for the least,
 * up for the greatest), so only what lies outside of them is certain.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/parquet_prune.h"

#include <math.h>

#include "frame/parquet_convert.h"

bool
pq_test_read(const struct parquet_test *t, const struct pq_leaf *l,
             struct pq_test *out, struct error *err)
{
    enum col_type type = pq_leaf_type(l);

    *out = (struct pq_test){.leaf = l, .op = t->op, .text = str_of(t->value)};
    if (type == COL_TEXT || column_parse(type, out->text, &out->i, &out->x))
        return true;
    /* "qty > 2.5" is a fair test of ints. */
    out->by_float = type == COL_INT64;
    if (out->by_float && column_parse(COL_FLOAT64, out->text, &out->i, &out->x))
        return true;
    return error_set(err, ERR_TYPE,
                     "column '%s' is compared with '%s', "
                     "expected %s",
                     l->name, t->value, column_type_word(type));
}

/* How a bound compares with the value of the test: below, equal, above 0. */
static bool
compare(const struct pq_test *t, struct str bound, int *order)
{
    const struct pq_leaf *l = t->leaf;
    union {
        uint8_t b;
        int32_t date;
        int64_t i;
        double x;
    } v = {0};
    bool beyond = false;
    int64_t i;

    if (l->type == COL_TEXT) {
        *order = str_cmp(bound, t->text);
        return l->kind == PQ_KIND_TEXT;
    }
    if (l->kind == PQ_KIND_DECIMAL_BYTES) {
        if (bound.n > 32)
            return false;
        v.x = pq_decimal((const uint8_t *)bound.p, bound.n, l->element->scale);
    } else {
        if (bound.n != (l->kind == PQ_KIND_BOOL ? 1 : l->width))
            return false;
        pq_convert(l, (const uint8_t *)bound.p, 1, &v, &beyond);
    }
    if (beyond)
        return false;
    if (t->by_float)
        v.x = (double)v.i;
    if (l->type == COL_FLOAT64 || t->by_float) {
        if (isnan(v.x) || isnan(t->x))
            return false;
        *order = v.x < t->x ? -1 : v.x > t->x;
        return true;
    }
    i = l->type == COL_BOOL ? v.b : l->type == COL_DATE ? v.date : v.i;
    *order = i < t->i ? -1 : i > t->i;
    return true;
}

/* The older form of bounds compared all as signed numbers. */
static bool
old_form_holds(const struct pq_leaf *l)
{
    switch (l->kind) {
    case PQ_KIND_U32:
    case PQ_KIND_U64:
    case PQ_KIND_DECIMAL_BYTES:
    case PQ_KIND_TEXT:
        return false;
    default:
        return true;
    }
}

bool
pq_test_may_hold(const struct pq_test *t, const struct pq_chunk *c)
{
    const struct pq_statistics *s = &c->statistics;
    bool old = old_form_holds(t->leaf), has_min, has_max;
    struct str min = s->min, max = s->max;
    int low = -1, high = 1; /* of the bounds against the value */

    if (t->leaf->max_rep > 0 || t->leaf->kind == PQ_KIND_INT96 ||
        t->leaf->kind == PQ_KIND_F16)
        return true;
    if (s->n_nulls >= 0 && s->n_nulls == c->n_values)
        return false;
    has_min = s->has_min || (old && s->has_old_min);
    has_max = s->has_max || (old && s->has_old_max);
    if (has_min && !s->has_min)
        min = s->old_min;
    if (has_max && !s->has_max)
        max = s->old_max;
    has_min = has_min && compare(t, min, &low);
    has_max = has_max && compare(t, max, &high);
    switch (t->op) {
    case PARQUET_EQ:
        return !(has_min && low > 0) && !(has_max && high < 0);
    case PARQUET_NE:
        /* Text bounds may be cut, and NaN is in no bounds. */
        return t->leaf->type == COL_TEXT || t->leaf->type == COL_FLOAT64 ||
               !(has_min && has_max && low == 0 && high == 0);
    case PARQUET_LT:
        return !(has_min && low >= 0);
    case PARQUET_LE:
        return !(has_min && low > 0);
    case PARQUET_GT:
        return !(has_max && high <= 0);
    case PARQUET_GE:
        return !(has_max && high < 0);
    }
    return true;
}
