/* frame/split.c -- which rows train and which rows test.
 *
 * One seeded permutation of the rows serves everything; strata only decide
 * how far down that order each level fills its share.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/split_part.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

void
strata_fini(struct strata *s)
{
    free(s->of);
    free(s->n_rows);
}

/* ---- levels ---- */

static bool
level_by_code(const struct column *c, uint32_t *of, size_t *n,
              struct error *err)
{
    const uint32_t *codes = column_codes(c);
    size_t missing = dict_count(column_dict(c));
    uint32_t *number = mem_try_array(missing + 1, sizeof *number, err);

    if (!number)
        return false;
    *n = 0;
    for (size_t i = 0; i < column_rows(c); i++) {
        size_t code = column_is_valid(c, i) ? codes[i] : missing;

        if (number[code] == 0)
            number[code] = (uint32_t)++ * n;
        of[i] = number[code] - 1;
    }
    free(number);
    return true;
}

/* Bool and int: by way of text, of which there are few. */
static bool
level_by_text(const struct column *c, uint32_t *of, size_t *n,
              struct error *err)
{
    struct column *t;
    size_t lost;
    bool ok;

    if (!(t = column_cast(c, COL_TEXT, &lost, err)))
        return false;
    ok = level_by_code(t, of, n, err);
    column_unref(t);
    return ok;
}

static bool
find_levels(const struct frame *f, const char *stratify, struct strata *s,
            struct error *err)
{
    const struct column *c;
    enum col_type t;
    size_t col;

    s->n = 1;
    if (!stratify)
        return true;
    if (!frame_need(f, stratify, &col, err))
        return false;
    c = frame_column(f, col);
    t = column_type(c);
    if (t == COL_TEXT)
        return level_by_code(c, s->of, &s->n, err);
    if (t == COL_BOOL || t == COL_INT64)
        return level_by_text(c, s->of, &s->n, err);
    return error_set(err, ERR_TYPE,
                     "cannot stratify by '%s': it is %s, expected text, bool "
                     "or int",
                     stratify, column_type_word(t));
}

bool
strata_init(struct strata *s, const struct frame *f, const char *stratify,
            struct error *err)
{
    size_t n = frame_rows(f);

    *s = (struct strata){NULL, NULL, 0};
    if (!(s->of = mem_try_array(n, sizeof *s->of, err)) ||
        !find_levels(f, stratify, s, err) ||
        !(s->n_rows = mem_try_array(s->n, sizeof *s->n_rows, err)))
        return false;
    for (size_t i = 0; i < n; i++)
        s->n_rows[s->of[i]]++;
    return true;
}

static uint32_t *
shuffled_rows(size_t n, uint64_t seed, struct error *err)
{
    uint32_t *ids = mem_try_array(n, sizeof *ids, err);

    if (!ids)
        return NULL;
    for (size_t i = 0; i < n; i++)
        ids[i] = (uint32_t)i;
    rng_shuffle(seed, STREAM_SPLIT, ids, n);
    return ids;
}

/* ---- holdout ---- */

struct share {
    double rest; /* what rounding down left */
    size_t level;
};

/* Largest rest first; the earlier level on a tie. */
static int
by_rest(const void *a, const void *b)
{
    const struct share *p = a, *q = b;

    if (p->rest != q->rest)
        return p->rest < q->rest ? 1 : -1;
    return (p->level > q->level) - (p->level < q->level);
}

/* Test rows of each level by largest remainder, so that the whole comes to
 * the nearest number of rows; then one on each side where a level can. */
static bool
set_quotas(const struct strata *s, size_t n, double test_share, size_t *quota,
           struct error *err)
{
    struct share *list = mem_try_array(s->n, sizeof *list, err);
    size_t total = (size_t)floor((double)n * test_share + 0.5), given = 0;

    if (!list)
        return false;
    for (size_t k = 0; k < s->n; k++) {
        double want = (double)s->n_rows[k] * test_share;

        quota[k] = (size_t)want;
        given += quota[k];
        list[k] = (struct share){want - floor(want), k};
    }
    qsort(list, s->n, sizeof *list, by_rest);
    for (size_t k = 0; k < s->n && given < total; k++, given++)
        quota[list[k].level]++;
    for (size_t k = 0; k < s->n; k++) {
        if (s->n_rows[k] < 2)
            continue;
        if (quota[k] == 0)
            quota[k] = 1;
        if (quota[k] == s->n_rows[k])
            quota[k]--;
    }
    free(list);
    return true;
}

/* Ascending ids of the rows whose mark is `which`. */
static uint32_t *
rows_marked(const uint8_t *mark, size_t n, bool equal, uint8_t which,
            size_t *n_out, struct error *err)
{
    uint32_t *ids;
    size_t m = 0;

    for (size_t i = 0; i < n; i++)
        m += (mark[i] == which) == equal;
    if (!(ids = mem_try_array(m, sizeof *ids, err)))
        return NULL;
    *n_out = m;
    m = 0;
    for (size_t i = 0; i < n; i++)
        if ((mark[i] == which) == equal)
            ids[m++] = (uint32_t)i;
    return ids;
}

bool
split_fold(const uint8_t *fold, size_t n, unsigned which, struct split *out,
           struct error *err)
{
    uint8_t w = (uint8_t)which;

    assert(which <= UINT8_MAX);
    *out = (struct split){0};
    out->test = rows_marked(fold, n, true, w, &out->n_test, err);
    if (out->test)
        out->train = rows_marked(fold, n, false, w, &out->n_train, err);
    if (out->train)
        return true;
    split_fini(out);
    return false;
}

bool
split_holdout(const struct frame *f, double test_share, const char *stratify,
              uint64_t seed, struct split *out, struct error *err)
{
    size_t n = frame_rows(f);
    uint32_t *order = NULL;
    uint8_t *mark = NULL;
    size_t *quota = NULL;
    struct strata s;
    bool ok = false;

    *out = (struct split){0};
    if (!(test_share > 0 && test_share < 1))
        return error_set(err, ERR_RANGE,
                         "test share is %g, expected between 0 and 1",
                         test_share);
    if (n < 2)
        return error_set(err, ERR_RANGE, "cannot split %zu rows", n);
    if (!strata_init(&s, f, stratify, err) ||
        !(order = shuffled_rows(n, seed, err)) ||
        !(mark = mem_try_array(n, 1, err)) ||
        !(quota = mem_try_array(s.n, sizeof *quota, err)) ||
        !set_quotas(&s, n, test_share, quota, err))
        goto out;
    for (size_t i = 0; i < n; i++) {
        uint32_t row = order[i];

        if (quota[s.of[row]] > 0) {
            quota[s.of[row]]--;
            mark[row] = 1;
        }
    }
    ok = split_fold(mark, n, 1, out, err);
out:
    strata_fini(&s);
    free(order);
    free(mark);
    free(quota);
    return ok;
}

/* ---- folds ---- */

/* The rows stand in order of level, shuffled within; dealing them out like
 * cards keeps both the folds and the levels in them within one row. */
bool
split_folds(const struct frame *f, unsigned k, const char *stratify,
            uint64_t seed, uint8_t *fold, struct error *err)
{
    size_t n = frame_rows(f), at = 0;
    uint32_t *order = NULL;
    struct strata s;
    bool ok = false;

    if (k < 2 || k > UINT8_MAX || k > n)
        return error_set(err, ERR_RANGE,
                         "%u folds of %zu rows, expected 2..%zu", k, n,
                         n < UINT8_MAX ? n : (size_t)UINT8_MAX);
    if (!strata_init(&s, f, stratify, err) ||
        !(order = shuffled_rows(n, seed, err)))
        goto out;
    /* From counts to the place where each level's first card lies. */
    for (size_t j = 0; j < s.n; j++) {
        size_t rows = s.n_rows[j];

        s.n_rows[j] = at;
        at += rows;
    }
    for (size_t i = 0; i < n; i++)
        fold[order[i]] = (uint8_t)(s.n_rows[s.of[order[i]]]++ % k);
    ok = true;
out:
    strata_fini(&s);
    free(order);
    return ok;
}

void
split_fini(struct split *s)
{
    free(s->train);
    free(s->test);
    *s = (struct split){0};
}
