/* How columns go together, pair by pair, by several measures.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/profile_part.h"

static const double STRONG = 0.5;

enum { CODES = PROFILE_MANY + 1 };

struct pairs {
    struct profile *p;
    const struct feature *feature;
    const struct progress *progress;
    atomic_bool failed;
};

const char *
profile_relation_word(enum relation r)
{
    static const char *const words[RELATION_N] = {
        [RELATION_AUTO] = "auto",         [RELATION_PEARSON] = "pearson",
        [RELATION_SPEARMAN] = "spearman", [RELATION_KENDALL] = "kendall",
        [RELATION_CRAMER] = "cramers_v",  [RELATION_PHIK] = "phi_k"};

    return words[r];
}

double
profile_relation(const struct profile *p, enum relation r, size_t a, size_t b)
{
    if (!p->relation[r])
        return NAN;
    return p->relation[r][a < b ? a * p->n_cols + b : b * p->n_cols + a];
}

/* ---- numbers --------------------------------------------------------- */

/* r over the rows where both are finite. */
static double
correlation(const double *x, const double *y, size_t n)
{
    double m = 0, mx = 0, my = 0, xx = 0, yy = 0, xy = 0;

    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i]) && isfinite(y[i])) {
            m++;
            mx += x[i];
            my += y[i];
        }
    mx /= m;
    my /= m;
    for (size_t i = 0; i < n; i++)
        if (isfinite(x[i]) && isfinite(y[i])) {
            double dx = x[i] - mx, dy = y[i] - my;

            xx += dx * dx;
            yy += dy * dy;
            xy += dx * dy;
        }
    return m > 2 && xx > 0 && yy > 0 ? xy / (sqrt(xx) * sqrt(yy)) : NAN;
}

/* Pearson's r of the ranks, over the rows that have one. */
static double
rank_correlation(const double *x, const double *y, size_t n, size_t m)
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
    return m > 2 ? rank_correlation(rank_a, rank_b, a->n, m) : NAN;
}

/* ---- categories ------------------------------------------------------ */

struct counts {
    size_t cell[CODES * CODES];
    size_t row[CODES], col[CODES];
    size_t n, rows, cols; /* rows and columns that are not empty */
};

static void
count_cells(const struct feature *a, const struct feature *b, struct counts *t)
{
    memset(t, 0, sizeof *t);
    for (size_t i = 0; i < a->n; i++) {
        if (!a->code[i] || !b->code[i])
            continue;
        t->cell[a->code[i] * b->n_codes + b->code[i]]++;
        t->row[a->code[i]]++;
        t->col[b->code[i]]++;
        t->n++;
    }
    for (size_t r = 1; r < a->n_codes; r++)
        t->rows += t->row[r] > 0;
    for (size_t c = 1; c < b->n_codes; c++)
        t->cols += t->col[c] > 0;
}

static double
chi_square(const struct feature *a, const struct feature *b,
           const struct counts *t)
{
    double chi2 = 0;

    for (size_t r = 1; r < a->n_codes; r++)
        for (size_t c = 1; c < b->n_codes; c++) {
            double want = (double)t->row[r] * (double)t->col[c] / (double)t->n;
            double off = (double)t->cell[r * b->n_codes + c] - want;

            if (want > 0)
                chi2 += off * off / want;
        }
    return chi2;
}

/* Cramer's V without bias (Bergsma 2013). */
static double
cramer(double chi2, double n, double rows, double cols)
{
    double phi2 = chi2 / n - (cols - 1) * (rows - 1) / (n - 1);
    double r = rows - (rows - 1) * (rows - 1) / (n - 1);
    double k = cols - (cols - 1) * (cols - 1) / (n - 1);
    double least = (r < k ? r : k) - 1;

    return least > 0 ? sqrt((phi2 > 0 ? phi2 : 0) / least) : NAN;
}

/* ---- pairs ----------------------------------------------------------- */

static bool
is_ranked(const struct profile *p, size_t col)
{
    return p->column[col].numeric && !profile_is_category(&p->column[col]);
}

static bool
is_paired(const struct pairs *s, size_t col)
{
    const struct profile_column *c = &s->p->column[col];

    return c->n_distinct > 1 &&
           (c->numeric || s->feature[col].n_codes <= CODES);
}

static void
put(struct pairs *s, enum relation r, size_t at, double score)
{
    if (s->p->relation[r])
        s->p->relation[r][at] = score;
}

static bool
measure_numbers(struct pairs *s, size_t a, size_t b, double *rank,
                struct error *err)
{
    const struct feature *x = &s->feature[a], *y = &s->feature[b];
    size_t at = a * s->p->n_cols + b;
    double score = spearman(x, y, rank, rank + x->n);

    put(s, RELATION_SPEARMAN, at, score);
    put(s, RELATION_AUTO, at, score);
    put(s, RELATION_PEARSON, at, correlation(x->x, y->x, x->n));
    if (!s->p->relation[RELATION_KENDALL])
        return true;
    return profile_kendall(x, y, &s->p->relation[RELATION_KENDALL][at], err);
}

static void
measure_codes(struct pairs *s, size_t a, size_t b, struct counts *t)
{
    const struct feature *x = &s->feature[a], *y = &s->feature[b];
    bool ranked = is_ranked(s->p, a) && is_ranked(s->p, b);
    size_t at = a * s->p->n_cols + b;
    double chi2, v;

    if (ranked && !s->p->relation[RELATION_PHIK])
        return;
    count_cells(x, y, t);
    if (t->n < 3 || t->rows < 2 || t->cols < 2)
        return;
    chi2 = chi_square(x, y, t);
    v = cramer(chi2, (double)t->n, (double)t->rows, (double)t->cols);
    if (!ranked)
        put(s, RELATION_AUTO, at, v);
    if (!is_ranked(s->p, a) && !is_ranked(s->p, b))
        put(s, RELATION_CRAMER, at, v);
    if (s->p->relation[RELATION_PHIK])
        put(s, RELATION_PHIK, at,
            profile_phik(chi2, (double)t->n, t->rows, t->cols));
}

static void
measure_row(void *ctx, size_t a, size_t begin, size_t end)
{
    struct pairs *s = ctx;
    size_t n = s->feature[a].n;
    struct error err;
    double *rank = mem_try_array(2 * n, sizeof *rank, &err);
    struct counts *t = mem_try_array(1, sizeof *t, &err);

    (void)begin;
    (void)end;
    if (!rank || !t)
        atomic_store(&s->failed, true);
    for (size_t b = a + 1; rank && t && b < s->p->n_cols; b++) {
        if (!is_paired(s, a) || !is_paired(s, b) ||
            progress_stopped(s->progress))
            continue;
        if (is_ranked(s->p, a) && is_ranked(s->p, b) &&
            !measure_numbers(s, a, b, rank, &err))
            atomic_store(&s->failed, true);
        measure_codes(s, a, b, t);
    }
    free(rank);
    free(t);
}

/* ---- the whole ------------------------------------------------------- */

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
collect(struct profile *p, struct error *err)
{
    const double *score = p->relation[RELATION_AUTO];
    size_t n = p->n_cols, count = 0;

    for (size_t i = 0; i < n * n; i++)
        count += fabs(score[i]) >= STRONG;
    if (!(p->link = mem_try_array(count, sizeof *p->link, err)))
        return false;
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            if (fabs(score[a * n + b]) >= STRONG)
                p->link[p->n_links++] = (struct profile_link){
                    a, b, score[a * n + b], is_ranked(p, a) && is_ranked(p, b)};
    qsort(p->link, p->n_links, sizeof *p->link, stronger);
    return true;
}

static bool
make_matrices(struct profile *p, bool slow, struct error *err)
{
    size_t n = p->n_cols * p->n_cols;

    for (enum relation r = 0; r < RELATION_N; r++) {
        if (!slow && (r == RELATION_KENDALL || r == RELATION_PHIK))
            continue;
        if (!(p->relation[r] = mem_try_array(n, sizeof **p->relation, err)))
            return false;
        for (size_t i = 0; i < n; i++)
            p->relation[r][i] = NAN;
    }
    return true;
}

bool
profile_relate(struct profile *p, const struct feature *features, bool slow,
               struct pool *pool, const struct progress *progress,
               struct error *err)
{
    struct pairs s = {.p = p, .feature = features, .progress = progress};

    if (p->n_cols > PROFILE_MAX_PAIRED)
        return true;
    if (!make_matrices(p, slow, err))
        return false;
    pool_for(pool, p->n_cols, 1, measure_row, &s);
    if (atomic_load(&s.failed))
        return error_set(err, ERR_NOMEM, "no memory to compare columns");
    return progress_check(progress, err) && collect(p, err);
}
