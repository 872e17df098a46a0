/* engine/conformal.c -- answers that hold the truth as often as they promise.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/conformal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/sort.h"
#include "frame/order.h"

struct weighed {
    double score, weight;
};

static int
by_width(const void *a, const void *b)
{
    const struct weighed *x = a, *y = b;

    return (x->score > y->score) - (x->score < y->score);
}

static bool
too_few(double level, size_t n, struct error *err)
{
    return error_set(err, ERR_RANGE,
                     "%zu rows were kept, and a level of %g wants %.0f", n,
                     level, ceil(level / (1 - level) - 1e-9));
}

/* What width_of() says where rows count differently: those that count nothing
 * are none, and the row to come counts as the mean of the others. */
static bool
weighted_width(double level, const double *score,
               const struct metric_rows *rows, struct conformal *out,
               struct error *err)
{
    struct weighed *row = mem_try_array(rows->n, sizeof *row, err);
    double total = 0, need, sum = 0;
    size_t m = 0, at = 0;

    if (!row)
        return false;
    for (size_t i = 0; i < rows->n; i++)
        if (rows->weight[i] > 0) {
            row[m++] = (struct weighed){score[i], rows->weight[i]};
            total += rows->weight[i];
        }
    need = m ? (level * (double)(m + 1) - 1e-9) * (total / (double)m) : 0;
    if (m == 0 || need > total) {
        free(row);
        return too_few(level, m, err);
    }
    if (!sort_items(row, m, sizeof *row, by_width, pool_stop(rows->pool),
                    err)) {
        free(row);
        return false;
    }
    while (at + 1 < m && (sum += row[at].weight) < need)
        at++;
    *out = (struct conformal){level, row[at].score, m};
    free(row);
    return true;
}

static double
rank_of(double level, size_t n)
{
    return fmax(ceil(((double)n + 1) * level - 1e-9), 1);
}

bool
conformal_check(double level, size_t n, struct error *err)
{
    if (!(level > 0 && level < 1))
        return error_set(err, ERR_RANGE,
                         "a level of %g, expected between 0 and 1", level);
    return n == SIZE_MAX || rank_of(level, n) <= (double)n ||
           too_few(level, n, err);
}

/* The ceil((n + 1) level)-th smallest: with the row to come there are n + 1, and
 * any rank is as likely for it. */
static bool
width_of(double level, double *score, const struct metric_rows *rows,
         struct conformal *out, struct error *err)
{
    size_t n = rows->n;
    double rank = rank_of(level, n);

    if (!conformal_check(level, rows->weight ? SIZE_MAX : n, err))
        return false;
    if (rows->weight)
        return weighted_width(level, score, rows, out, err);
    if (!order_numbers(score, n, rows->pool, err))
        return false;
    *out = (struct conformal){level, score[(size_t)rank - 1], n};
    return true;
}

bool
conformal_fit(double level, const struct metric_rows *rows,
              struct conformal *out, struct error *err)
{
    double *score = mem_try_array(rows->n, sizeof *score, err);
    bool ok;

    if (!score)
        return false;
    for (size_t i = 0; i < rows->n; i++) {
        double y = rows->y[i], p = rows->p[i * rows->k];

        if (rows->problem == PROBLEM_REGRESSION)
            score[i] = fabs(y - p);
        else if (rows->k == 1)
            score[i] = y == 1 ? 1 - p : p;
        else
            score[i] = 1 - rows->p[i * rows->k + (size_t)y];
    }
    ok = width_of(level, score, rows, out, err);
    free(score);
    return ok;
}

bool
conformal_fit_quantiles(double level, const struct metric_rows *rows,
                        struct conformal *out, struct error *err)
{
    double *score = mem_try_array(rows->n, sizeof *score, err);
    bool ok;

    if (!score)
        return false;
    for (size_t i = 0; i < rows->n; i++) {
        double low = rows->p[i * rows->k];
        double high = rows->p[(i + 1) * rows->k - 1];

        score[i] = fmax(low - rows->y[i], rows->y[i] - high);
    }
    ok = width_of(level, score, rows, out, err);
    free(score);
    return ok;
}

bool
conformal_has(const struct conformal *c, const double *p, size_t cols,
              size_t class)
{
    double own = cols > 1 ? p[class] : class ? p[0] : 1 - p[0];

    if (1 - own <= c->width)
        return true;
    if (cols == 1)
        return own > 0.5 || (own == 0.5 && class == 0);
    for (size_t j = 0; j < cols; j++)
        if (p[j] > own || (p[j] == own && j < class))
            return false;
    return true;
}

void
conformal_save(const struct conformal *c, struct json_writer *w)
{
    json_name(w, "level");
    json_put_double(w, c->level);
    json_name(w, "width");
    json_put_double(w, c->width);
    json_name(w, "rows");
    json_put_i64(w, (int64_t)c->n);
}

bool
conformal_load(const struct json *o, struct conformal *out, struct error *err)
{
    int64_t n;

    if (!json_get_double(o, "level", &out->level, err) ||
        !json_get_double(o, "width", &out->width, err) ||
        !json_get_i64(o, "rows", &n, err))
        return false;
    if (!(out->level > 0 && out->level < 1) || !isfinite(out->width) || n < 0)
        return error_set(err, ERR_CORRUPT, "a bad level of intervals");
    out->n = (size_t)n;
    return true;
}
