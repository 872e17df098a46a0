/* Pairs of columns that go together.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/profile_part.h"

static const double STRONG = 0.5;

struct pairs {
    const struct profile *p;
    const struct feature *feature;
    const struct progress *progress;
    double *score; /* n_cols x n_cols, a < b */
    atomic_bool failed;
};

/* Pearson's r of the ranks, over the rows that have one. */
static double
correlation(const double *x, const double *y, size_t n, size_t m)
{
    double mean = ((double)m + 1) / 2, xx = 0, yy = 0, xy = 0;

    for (size_t i = 0; i < n; i++) {
        double dx = x[i] - mean, dy = y[i] - mean;

        if (x[i] == 0 || y[i] == 0)
            continue;
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

static double
spearman(const struct feature *a, const struct feature *b, double *rank_a,
         double *rank_b)
{
    size_t m = feature_ranks(a, b, rank_a);

    feature_ranks(b, a, rank_b);
    return m > 2 ? correlation(rank_a, rank_b, a->n, m) : NAN;
}

/* Cramer's V without bias (Bergsma 2013). */
static double
unbiased(double chi2, double n, double rows, double cols)
{
    double phi2 = chi2 / n - (cols - 1) * (rows - 1) / (n - 1);
    double r = rows - (rows - 1) * (rows - 1) / (n - 1);
    double k = cols - (cols - 1) * (cols - 1) / (n - 1);
    double least = (r < k ? r : k) - 1;

    return least > 0 ? sqrt((phi2 > 0 ? phi2 : 0) / least) : NAN;
}

static double
cramer(const struct feature *a, const struct feature *b, size_t *cell)
{
    size_t row[PROFILE_MANY + 1] = {0}, col[PROFILE_MANY + 1] = {0};
    size_t n = 0, rows = 0, cols = 0;
    double chi2 = 0;

    memset(cell, 0, a->n_codes * b->n_codes * sizeof *cell);
    for (size_t i = 0; i < a->n; i++) {
        if (!a->code[i] || !b->code[i])
            continue;
        cell[a->code[i] * b->n_codes + b->code[i]]++;
        row[a->code[i]]++;
        col[b->code[i]]++;
        n++;
    }
    for (size_t r = 1; r < a->n_codes; r++)
        rows += row[r] > 0;
    for (size_t c = 1; c < b->n_codes; c++)
        cols += col[c] > 0;
    if (n < 3 || rows < 2 || cols < 2)
        return NAN;
    for (size_t r = 1; r < a->n_codes; r++)
        for (size_t c = 1; c < b->n_codes; c++) {
            double want = (double)row[r] * (double)col[c] / (double)n;
            double off = (double)cell[r * b->n_codes + c] - want;

            if (want > 0)
                chi2 += off * off / want;
        }
    return unbiased(chi2, (double)n, (double)rows, (double)cols);
}

static bool
is_ranked(const struct pairs *s, size_t col)
{
    return s->feature[col].number && !profile_is_category(&s->p->column[col]);
}

static bool
is_paired(const struct pairs *s, size_t col)
{
    const struct profile_column *c = &s->p->column[col];

    return c->n_distinct > 1 &&
           (c->numeric || s->feature[col].n_codes <= PROFILE_MANY + 1);
}

static void
measure_row(void *ctx, size_t a, size_t begin, size_t end)
{
    struct pairs *s = ctx;
    size_t n = s->feature[a].n, most = PROFILE_MANY + 1;
    struct error err;
    double *rank = mem_try_array(2 * n, sizeof *rank, &err);
    size_t *cell = mem_try_array(most * most, sizeof *cell, &err);

    (void)begin;
    (void)end;
    if (!rank || !cell)
        atomic_store(&s->failed, true);
    for (size_t b = a + 1; rank && cell && b < s->p->n_cols; b++) {
        double *out = &s->score[a * s->p->n_cols + b];

        if (!is_paired(s, a) || !is_paired(s, b) ||
            progress_stopped(s->progress))
            *out = NAN;
        else if (is_ranked(s, a) && is_ranked(s, b))
            *out = spearman(&s->feature[a], &s->feature[b], rank, rank + n);
        else
            *out = cramer(&s->feature[a], &s->feature[b], cell);
    }
    free(rank);
    free(cell);
}

/* Strongest first; ties in the order of the table. */
static int
stronger(const void *x, const void *y)
{
    const struct profile_link *a = x, *b = y;
    double sa = fabs(a->score), sb = fabs(b->score);

    if (sa != sb)
        return sa > sb ? -1 : 1;
    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    return (a->b > b->b) - (a->b < b->b);
}

static bool
collect(struct profile *p, const struct pairs *s, struct error *err)
{
    size_t n = p->n_cols, count = 0;

    for (size_t i = 0; i < n * n; i++)
        count += fabs(s->score[i]) >= STRONG;
    if (!(p->link = mem_try_array(count, sizeof *p->link, err)))
        return false;
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            if (fabs(s->score[a * n + b]) >= STRONG)
                p->link[p->n_links++] =
                    (struct profile_link){a, b, s->score[a * n + b],
                                          is_ranked(s, a) && is_ranked(s, b)};
    qsort(p->link, p->n_links, sizeof *p->link, stronger);
    return true;
}

bool
profile_relate(struct profile *p, const struct feature *features,
               struct pool *pool, const struct progress *progress,
               struct error *err)
{
    struct pairs s = {.p = p, .feature = features, .progress = progress};
    bool ok;

    if (p->n_cols > PROFILE_MAX_PAIRED)
        return true;
    if (!(s.score = mem_try_array(p->n_cols * p->n_cols, sizeof *s.score, err)))
        return false;
    pool_for(pool, p->n_cols, 1, measure_row, &s);
    if (atomic_load(&s.failed))
        ok = error_set(err, ERR_NOMEM, "no memory to compare columns");
    else
        ok = progress_check(progress, err) && collect(p, &s, err);
    free(s.score);
    return ok;
}
