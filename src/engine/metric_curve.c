/* engine/metric_curve.c -- curves behind the scores.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/metric_curve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/metric_part.h"
#include "frame/builder.h"

enum { MAX_COLUMNS = 6 };

static const struct curve_look looks[CURVE_KINDS] = {
    {"roc", "ROC", "false_positives", "true_positives"},
    {"pr", "precision and recall", "recall", "precision"},
    {"reliability", "reliability", "predicted", "observed"},
    {"lift", "gains", "share", "gain"},
    {"threshold", "by threshold", "threshold", "f1"},
};

static const char *const columns[CURVE_KINDS][MAX_COLUMNS] = {
    {"threshold", "false_positives", "true_positives"},
    {"threshold", "recall", "precision"},
    {"low", "high", "rows", "predicted", "observed"},
    {"share", "gain", "lift"},
    {"threshold", "precision", "recall", "f1", "accuracy"},
};

const struct curve_look *
curve_look(enum curve_kind kind)
{
    return &looks[kind];
}

bool
curve_kind_of(const char *word, enum curve_kind *out, struct error *err)
{
    for (unsigned k = 0; k < CURVE_KINDS; k++)
        if (strcmp(word, looks[k].name) == 0) {
            *out = (enum curve_kind)k;
            return true;
        }
    return error_set(err, ERR_NOTFOUND,
                     "no curve '%.32s', there are roc, pr, reliability, lift "
                     "and threshold",
                     word);
}

/* ---- points ---- */

/* Weights of the rows from a threshold up. */
struct point {
    double threshold, positive, all;
};

/* One class of the rows, from its highest score down. */
struct walk {
    const struct metric_rows *of;
    size_t class;
    uint32_t *row;
    struct point *point; /* one a different score, the highest first */
    size_t n;
    double positive, all; /* in all */
};

static double
score_at(const struct walk *w, size_t i)
{
    const struct metric_rows *r = w->of;

    return r->p[w->row[i] * r->k + (r->k > 1 ? w->class : 0)];
}

static bool
walk_init(struct walk *w, struct error *err)
{
    const struct metric_rows *r = w->of;
    double class = r->k > 1 ? (double)w->class : 1;

    if (!(w->row = mem_try_array(r->n, sizeof *w->row, err)) ||
        !(w->point = mem_try_array(r->n, sizeof *w->point, err)) ||
        !metric_order(r->p + (r->k > 1 ? w->class : 0), r->k, r->n, r->pool,
                      w->row, err))
        return false;
    for (size_t i = 0; i < r->n; i++) {
        double weight = r->weight ? r->weight[w->row[i]] : 1;

        w->all += weight;
        w->positive += r->y[w->row[i]] == class ? weight : 0;
        if (i + 1 == r->n || score_at(w, i) != score_at(w, i + 1))
            w->point[w->n++] =
                (struct point){score_at(w, i), w->positive, w->all};
    }
    return true;
}

static void
walk_fini(struct walk *w)
{
    free(w->row);
    free(w->point);
}

/* ---- rows of a frame ---- */

struct curve {
    struct builder *b;
    enum curve_kind kind;
    const char *class; /* NULL: no such column */
};

static bool
put(const struct curve *c, const double *v, size_t n, struct error *err)
{
    size_t first = c->class ? 1 : 0;

    if (c->class && !builder_text(c->b, 0, str_of(c->class), err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (isfinite(v[i]) && !builder_f64(c->b, first + i, v[i], err))
            return false;
    return builder_end_row(c->b, err);
}

static double
over(double a, double b)
{
    return b > 0 ? a / b : (double)NAN;
}

/* What a curve says of the rows from a threshold up. */
static size_t
values_of(enum curve_kind kind, const struct walk *w, const struct point *p,
          double *v)
{
    double negative = w->all - w->positive, fp = p->all - p->positive;
    double precision = over(p->positive, p->all);
    double recall = over(p->positive, w->positive);

    switch (kind) {
    case CURVE_ROC:
        v[0] = p->threshold;
        v[1] = over(fp, negative);
        v[2] = recall;
        return 3;
    case CURVE_PR:
        v[0] = p->threshold;
        v[1] = recall;
        v[2] = precision;
        return 3;
    case CURVE_LIFT:
        v[0] = p->all / w->all;
        v[1] = recall;
        v[2] = over(recall, v[0]);
        return 3;
    default:
        v[0] = p->threshold;
        v[1] = precision;
        v[2] = recall;
        v[3] = over(2 * p->positive, p->all + w->positive);
        v[4] = over(p->positive + negative - fp, w->all);
        return 5;
    }
}

/* ROC and gains begin where nothing is taken; precision at no recall is one, by
 * the usual agreement. */
static bool
put_origin(const struct curve *c, struct error *err)
{
    double v[] = {(double)NAN, 0, c->kind == CURVE_PR ? 1 : 0};

    if (c->kind == CURVE_THRESHOLD)
        return true;
    if (c->kind == CURVE_LIFT) {
        v[0] = 0;
        v[2] = (double)NAN;
    }
    return put(c, v, 3, err);
}

static bool
put_walk(const struct curve *c, const struct walk *w, struct error *err)
{
    double v[MAX_COLUMNS];

    if (!put_origin(c, err))
        return false;
    for (size_t i = 0; i < w->n; i++) {
        size_t left = w->n - 1 - i;

        /* Evenly thinned; the last stays. */
        if (w->n > CURVE_POINTS && left > 0 &&
            left * CURVE_POINTS / w->n == (left + 1) * CURVE_POINTS / w->n)
            continue;
        if (!put(c, v, values_of(c->kind, w, &w->point[i], v), err))
            return false;
    }
    return true;
}

/* Bins as calibration error has them; those without rows are left out. */
static bool
put_bins(const struct curve *c, const struct metric_rows *r, size_t class,
         struct error *err)
{
    double n[METRIC_BINS] = {0}, rows[METRIC_BINS] = {0};
    double p[METRIC_BINS] = {0}, y[METRIC_BINS] = {0};

    for (size_t i = 0; i < r->n; i++) {
        double q = r->p[i * r->k + (r->k > 1 ? class : 0)];
        double w = r->weight ? r->weight[i] : 1;
        unsigned b = metric_bin(q);

        rows[b]++;
        n[b] += w;
        p[b] += w * q;
        y[b] += r->y[i] == (r->k > 1 ? (double)class : 1) ? w : 0;
    }
    for (unsigned b = 0; b < METRIC_BINS; b++) {
        double v[] = {b * 0.1, (b + 1) * 0.1, rows[b], p[b] / n[b],
                      y[b] / n[b]};

        if (rows[b] > 0 && !put(c, v, 5, err))
            return false;
    }
    return true;
}

static bool
put_class(struct curve *c, const struct metric_rows *r, size_t class,
          char *const *classes, struct error *err)
{
    struct walk w = {.of = r, .class = class};
    bool ok;

    if (!pool_check(r->pool, err))
        return false;
    c->class = r->k > 1 ? classes[class] : NULL;
    if (c->kind == CURVE_RELIABILITY)
        return put_bins(c, r, class, err);
    ok = walk_init(&w, err) && put_walk(c, &w, err);
    walk_fini(&w);
    return ok;
}

static struct builder *
builder_of(enum curve_kind kind, bool by_class, struct error *err)
{
    const char *names[MAX_COLUMNS + 1] = {"class"};
    enum col_type types[MAX_COLUMNS + 1] = {COL_TEXT};
    size_t n = by_class;

    for (size_t i = 0; i < MAX_COLUMNS && columns[kind][i]; i++, n++) {
        names[n] = columns[kind][i];
        types[n] = COL_FLOAT64;
    }
    return builder_new(n, names, types, err);
}

struct frame *
metric_curve(enum curve_kind kind, const struct metric_rows *rows,
             char *const *classes, struct error *err)
{
    struct curve c = {.kind = kind};
    bool ok;

    if (rows->problem == PROBLEM_REGRESSION || rows->n == 0) {
        error_set(err, ERR_RANGE,
                  rows->n ? "a curve is of classes, and the "
                            "target is a number"
                          : "no rows to draw a curve of");
        return NULL;
    }
    if (!(c.b = builder_of(kind, rows->k > 1, err)))
        return NULL;
    ok = true;
    for (size_t k = 0; k < rows->k && ok; k++)
        ok = put_class(&c, rows, k, classes, err);
    if (ok)
        return builder_finish(c.b, err);
    builder_free(c.b);
    return NULL;
}
