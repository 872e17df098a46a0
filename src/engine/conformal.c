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
    *out = (struct conformal){.level = level, .width = row[at].score, .n = m};
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
    *out = (struct conformal){
        .level = level, .width = score[(size_t)rank - 1], .n = n};
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

/* ---- local ---- */

static size_t
bin_of(const struct conformal *c, double prediction)
{
    return sort_up_to(c->cut, c->n_cuts, prediction);
}

double
conformal_width(const struct conformal *c, double prediction)
{
    return c->n_cuts ? c->at[bin_of(c, prediction)] : c->width;
}

/* Cuts between bins of as many rows each; equal predictions lie in one. */
static bool
cut_bins(double level, const struct metric_rows *rows, struct conformal *c,
         struct error *err)
{
    double *p = mem_try_array(rows->n, sizeof *p, err);
    double least = fmax(CONFORMAL_BIN_ROWS, 5 * level / (1 - level));
    double bins = fmin(floor((double)rows->n / least), CONFORMAL_BINS);
    bool ok = p != NULL;

    for (size_t i = 0; ok && i < rows->n; i++)
        p[i] = rows->p[i * rows->k];
    ok = ok && order_numbers(p, rows->n, rows->pool, err);
    for (size_t b = 1; ok && b < (size_t)bins; b++) {
        double cut = p[b * rows->n / (size_t)bins];

        if (cut > (c->n_cuts ? c->cut[c->n_cuts - 1] : p[0]))
            c->cut[c->n_cuts++] = cut;
    }
    free(p);
    return ok;
}

/* The width of the rows of a bin; of all where those are too few as they weigh.
 * score and weight: room for all rows. */
static bool
fit_bin(struct conformal *c, size_t bin, const struct metric_rows *rows,
        double *score, double *weight, struct error *err)
{
    struct metric_rows own = {.pool = rows->pool,
                              .weight = rows->weight ? weight : NULL};
    struct conformal one;
    struct error why;

    for (size_t i = 0; i < rows->n; i++) {
        double p = rows->p[i * rows->k];

        if (bin_of(c, p) != bin)
            continue;
        if (rows->weight)
            weight[own.n] = rows->weight[i];
        score[own.n++] = fabs(rows->y[i] - p);
    }
    c->at[bin] = c->width;
    if (width_of(c->level, score, &own, &one, &why)) {
        c->at[bin] = one.width;
    } else if (why.code != ERR_RANGE) {
        *err = why;
        return false;
    }
    return true;
}

bool
conformal_fit_local(double level, const struct metric_rows *rows,
                    struct conformal *out, struct error *err)
{
    double *room = mem_try_array(2 * rows->n, sizeof *room, err);
    struct conformal c;
    bool ok = room && conformal_fit(level, rows, &c, err) &&
              cut_bins(level, rows, &c, err);

    for (size_t b = 0; ok && c.n_cuts && b <= c.n_cuts; b++)
        ok = fit_bin(&c, b, rows, room, room + rows->n, err);
    free(room);
    if (ok)
        *out = c;
    return ok;
}

/* ---- quantiles ---- */

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
conformal_json_local(const struct conformal *c, struct json_writer *w)
{
    json_name(w, "cuts");
    json_open(w, '[');
    for (size_t i = 0; i < c->n_cuts; i++)
        json_put_double(w, c->cut[i]);
    json_close(w, ']');
    json_name(w, "widths");
    json_open(w, '[');
    for (size_t i = 0; i <= c->n_cuts; i++)
        json_put_double(w, c->at[i]);
    json_close(w, ']');
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
    if (c->n_cuts)
        conformal_json_local(c, w);
}

/* n numbers of a list, ascending where `rising`, else widths. */
static bool
numbers_load(const struct json *o, const char *name, size_t n, bool rising,
             double *out, struct error *err)
{
    const struct json *list;
    size_t i = 0;

    if (!json_get_array(o, name, &list, err))
        return false;
    if (json_len(list) != n)
        return error_set(err, ERR_CORRUPT, "%zu %s of ranges, expected %zu",
                         json_len(list), name, n);
    for (const struct json *v = json_first(list); v; v = json_next(v), i++) {
        if (json_type(v) != JSON_NUMBER || !isfinite(json_number(v)) ||
            (rising ? i && json_number(v) <= out[i - 1] : json_number(v) < 0))
            return error_set(err, ERR_CORRUPT, "bad %s of ranges", name);
        out[i] = json_number(v);
    }
    return true;
}

static bool
local_load(const struct json *o, struct conformal *out, struct error *err)
{
    const struct json *cuts = json_find(o, "cuts");

    if (!cuts)
        return true;
    if (json_type(cuts) != JSON_ARRAY || json_len(cuts) == 0 ||
        json_len(cuts) >= CONFORMAL_BINS)
        return error_set(err, ERR_CORRUPT, "bad cuts of ranges");
    out->n_cuts = json_len(cuts);
    return numbers_load(o, "cuts", out->n_cuts, true, out->cut, err) &&
           numbers_load(o, "widths", out->n_cuts + 1, false, out->at, err);
}

bool
conformal_load(const struct json *o, struct conformal *out, struct error *err)
{
    int64_t n;

    *out = (struct conformal){0};
    if (!json_get_double(o, "level", &out->level, err) ||
        !json_get_double(o, "width", &out->width, err) ||
        !json_get_i64(o, "rows", &n, err))
        return false;
    if (!(out->level > 0 && out->level < 1) || !isfinite(out->width) || n < 0)
        return error_set(err, ERR_CORRUPT, "a bad level of intervals");
    out->n = (size_t)n;
    return local_load(o, out, err);
}
