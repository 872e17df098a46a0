/* engine/threshold.c -- which class is said, given the probabilities.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/threshold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/metric_part.h"
#include "engine/target.h"

enum { LOOK_ROWS = 8192 }; /* between looks whether to stop */

/* Sums over rows stay numbers. */
static const double PROFIT_MAX = 1e100;
/* Sums of the same probabilities in another order differ by as much, of the
 * largest profit, at most. */
static const double TIE = 1e-12;

void
decision_fini(struct decision *d)
{
    free(d->profit);
    *d = (struct decision){0};
}

/* ---- profit ---- */

/* "tp", or "TRUTH:SAID" where some colon has classes on both sides. */
static bool
cell_find(struct str name, char *const *classes, size_t k, size_t *cell)
{
    static const char *const two[] = {"tn", "fp", "fn", "tp"};

    for (size_t i = 0; i < 4 && k == 2; i++)
        if (str_is(name, two[i])) {
            *cell = i;
            return true;
        }
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == ':') {
            const char *const *of = (const char *const *)classes;
            struct str said = {name.p + i + 1, name.n - i - 1};
            size_t y = target_class_named(of, k, (struct str){name.p, i});
            size_t g = target_class_named(of, k, said);

            *cell = y * k + g;
            if (y < k && g < k)
                return true;
        }
    return false;
}

static bool
profit_add(double *profit, struct str text, char *const *classes, size_t k,
           struct error *err)
{
    size_t at = text.n, cell;
    double v;

    while (at > 0 && text.p[at - 1] != '=')
        at--;
    if (at == 0 ||
        !cell_find(str_trim((struct str){text.p, at - 1}), classes, k, &cell) ||
        !str_to_f64(str_trim((struct str){text.p + at, text.n - at}), &v) ||
        !(fabs(v) <= PROFIT_MAX))
        return error_set(err, ERR_RANGE,
                         "profit '%.*s', expected %sTRUTH:SAID=VALUE with the "
                         "names of classes",
                         (int)(text.n < 64 ? text.n : 64), text.p,
                         k == 2 ? "tp=, fp=, fn= or tn=VALUE, or " : "");
    if (!isnan(profit[cell]))
        return error_set(err, ERR_RANGE, "profit '%.*s' is told twice",
                         (int)(text.n < 64 ? text.n : 64), text.p);
    profit[cell] = v;
    return true;
}

/* Of what was not told nothing is won; but something must be, by saying one
 * class and not another. */
static bool
profit_settle(double *profit, size_t k, struct error *err)
{
    bool matters = false;

    for (size_t i = 0; i < k * k; i++)
        profit[i] = isnan(profit[i]) ? 0 : profit[i];
    for (size_t i = 0; i < k * k; i++)
        matters |= profit[i] != profit[i / k * k];
    return matters ||
           error_set(err, ERR_RANGE,
                     "profit: all answers bring the same, so that there is "
                     "nothing to win");
}

static double
dearest_of(const struct decision *d)
{
    double most = 0;

    for (size_t i = 0; i < d->k * d->k; i++)
        most = fmax(most, fabs(d->profit[i]));
    return most;
}

/* Each text may hold several, with commas between. */
static bool
profit_read(struct decision *d, const char *const *list, char *const *classes,
            struct error *err)
{
    if (!(d->profit = mem_try_array(d->k * d->k, sizeof *d->profit, err)))
        return false;
    for (size_t i = 0; i < d->k * d->k; i++)
        d->profit[i] = (double)NAN;
    for (; *list; list++)
        for (const char *p = *list; *p;) {
            size_t n = strcspn(p, ",");

            if (!profit_add(d->profit, str_trim((struct str){p, n}), classes,
                            d->k, err))
                return false;
            p += n + (p[n] == ',');
        }
    if (!profit_settle(d->profit, d->k, err))
        return false;
    d->dearest = dearest_of(d);
    return true;
}

/* ---- the best threshold ---- */

/* What is won when tp of the positive and fp of the negative rows are said
 * positive. */
struct seeking {
    const struct metric *metric; /* NULL: by profit */
    const double *profit;        /* tn, fp, fn, tp */
    double positive, negative;
};

static double
won(const struct seeking *s, double tp, double fp)
{
    if (s->metric)
        return metric_of_counts(s->metric, tp, fp, s->positive, s->negative);
    return (s->profit[0] * (s->negative - fp) + s->profit[1] * fp +
            s->profit[2] * (s->positive - tp) + s->profit[3] * tp) /
           (s->positive + s->negative);
}

/* From "nothing is positive" down, through the middles between scores; of equal
 * ones the first.  "All is positive" needs a threshold below the least. */
static bool
seek(struct decision *d, struct seeking *s, const struct metric_rows *r,
     struct error *err)
{
    uint32_t *row = mem_try_array(r->n, sizeof *row, err);
    double tp = 0, fp = 0, best;
    bool ok = row && metric_order(r->p, 1, r->n, r->pool, row, err);

    for (size_t i = 0; i < r->n && ok; i++) {
        double w = r->weight ? r->weight[i] : 1;

        s->positive += r->y[i] == 1 ? w : 0;
        s->negative += r->y[i] == 1 ? 0 : w;
    }
    if (ok && !(s->positive > 0 && s->negative > 0))
        ok = error_set(err, ERR_RANGE,
                       "a threshold wants rows of both classes, and %zu rows "
                       "of one were kept for it",
                       r->n);
    if (ok) {
        d->threshold = r->p[row[0]] > 0 ? r->p[row[0]] : 0.5;
        d->reached = best = won(s, 0, 0);
    }
    for (size_t i = 0; i < r->n && ok; i++) {
        double p = r->p[row[i]], below = i + 1 < r->n ? r->p[row[i + 1]] : 0;
        double w = r->weight ? r->weight[row[i]] : 1, v;

        tp += r->y[row[i]] == 1 ? w : 0;
        fp += r->y[row[i]] == 1 ? 0 : w;
        if (i % LOOK_ROWS == 0 && !pool_check(r->pool, err))
            ok = false;
        if (!(below < p) || !((p + below) / 2 > 0))
            continue;
        v = won(s, tp, fp);
        if (v > best || isnan(best)) {
            d->threshold = (p + below) / 2;
            d->reached = best = v;
        }
    }
    free(row);
    return ok;
}

static bool
metric_suits(const struct metric *m, struct error *err)
{
    switch (m->kind) {
    case METRIC_F1:
    case METRIC_FBETA:
    case METRIC_MCC:
    case METRIC_KAPPA:
    case METRIC_ACCURACY:
    case METRIC_BALANCED:
        return true;
    default:
        return error_set(err, ERR_RANGE,
                         "no threshold makes the most of %s: expected a number "
                         "or f1, fbeta@2, mcc, kappa, accuracy or balanced",
                         m->title);
    }
}

/* By what the threshold is chosen: d->how, and d->threshold where it is given;
 * *out is set where it is a metric. */
static bool
by_read(struct decision *d, const char *by, struct metric *out,
        struct error *err)
{
    if (!by) {
        strcpy(d->how, "profit");
        return true;
    }
    if (str_to_f64(str_of(by), &d->threshold)) {
        strcpy(d->how, "given");
        d->reached = (double)NAN;
        return (d->threshold > 0 && d->threshold < 1) ||
               error_set(err, ERR_RANGE,
                         "threshold is %s, expected between 0 and 1", by);
    }
    if (!metric_parse(by, PROBLEM_BINARY, out, err) || !metric_suits(out, err))
        return false;
    strcpy(d->how, by); /* metric_parse() bounds it */
    return true;
}

static bool
fit_threshold(struct decision *d, const char *by,
              const struct metric_rows *rows, struct error *err)
{
    struct seeking s = {.profit = d->profit};
    struct metric m;

    if (!by_read(d, by, &m, err))
        return false;
    s.metric = by ? &m : NULL;
    return strcmp(d->how, "given") == 0 || seek(d, &s, rows, err);
}

/* Several classes: the mean of what is won on the rows that were kept. */
static void
fit_profit(struct decision *d, const struct metric_rows *r)
{
    double all = 0;

    strcpy(d->how, "profit");
    d->threshold = 0.5;
    d->reached = 0;
    for (size_t i = 0; i < r->n; i++) {
        double w = r->weight ? r->weight[i] : 1;
        size_t said = decision_class(d, r->p + i * r->k, r->k);

        d->reached += w * d->profit[(size_t)r->y[i] * d->k + said];
        all += w;
    }
    d->reached /= all;
}

static bool
wanted_check(const char *by, const char *const *profit, size_t k,
             struct error *err)
{
    if (k == 0)
        return error_set(err, ERR_RANGE,
                         "a threshold is of classes, and the target is a "
                         "number");
    if (by && profit)
        return error_set(err, ERR_RANGE,
                         "a threshold comes from '%s' or from a profit, not "
                         "from both",
                         by);
    return !by || k == 2 ||
           error_set(err, ERR_RANGE,
                     "a threshold is of two classes, and there are %zu: "
                     "give a profit",
                     k);
}

bool
decision_check(const char *by, const char *const *profit, char *const *classes,
               size_t k, struct error *err)
{
    struct decision d = {.k = k};
    struct metric m;
    bool ok = wanted_check(by, profit, k, err) &&
              (!profit || profit_read(&d, profit, classes, err)) &&
              by_read(&d, by, &m, err);

    decision_fini(&d);
    return ok;
}

bool
decision_fit(const char *by, const char *const *profit,
             const struct metric_rows *rows, char *const *classes,
             struct decision *out, struct error *err)
{
    struct decision d = {.k = metric_classes(rows)};
    bool ok = wanted_check(by, profit, d.k, err) &&
              (!profit || profit_read(&d, profit, classes, err));

    if (ok && d.k == 2)
        ok = fit_threshold(&d, by, rows, err);
    else if (ok)
        fit_profit(&d, rows);
    if (ok)
        *out = d;
    else
        decision_fini(&d);
    return ok;
}

static double
promise(const struct decision *d, const double *p, size_t said)
{
    double sum = 0;

    for (size_t y = 0; y < d->k; y++)
        sum += p[y] * d->profit[y * d->k + said];
    return sum;
}

size_t
decision_class(const struct decision *d, const double *p, size_t cols)
{
    size_t best = 0;
    double most, tie;

    if (cols == 1)
        return p[0] > (d->k ? d->threshold : 0.5);
    if (!d->profit) {
        for (size_t c = 1; c < cols; c++)
            best = p[c] > p[best] ? c : best;
        return best;
    }
    most = promise(d, p, 0);
    tie = TIE * d->dearest;
    for (size_t c = 1; c < cols; c++) {
        double v = promise(d, p, c);

        if (v > most + tie || (v >= most - tie && p[c] > p[best]))
            best = c;
        most = fmax(most, v);
    }
    return best;
}

/* ---- saving and loading ---- */

void
decision_save(const struct decision *d, struct json_writer *w)
{
    json_name(w, "by");
    json_put_string(w, d->how);
    json_name(w, "threshold");
    json_put_double(w, d->threshold);
    json_name(w, "reached");
    json_put_double(w, d->reached);
    if (!d->profit)
        return;
    json_name(w, "profit");
    json_open(w, '[');
    for (size_t i = 0; i < d->k * d->k; i++)
        json_put_double(w, d->profit[i]);
    json_close(w, ']');
}

static bool
profit_load(const struct json *o, struct decision *d, struct error *err)
{
    const struct json *a;
    size_t i = 0;

    if (!json_find(o, "profit"))
        return true;
    if (!json_get_array(o, "profit", &a, err))
        return false;
    if (json_len(a) != d->k * d->k)
        return error_set(err, ERR_CORRUPT, "a profit of %zu for %zu classes",
                         json_len(a), d->k);
    if (!(d->profit = mem_try_array(json_len(a), sizeof *d->profit, err)))
        return false;
    for (const struct json *v = json_first(a); v; v = json_next(v)) {
        d->profit[i] =
            json_type(v) == JSON_NUMBER ? json_number(v) : (double)NAN;
        if (!isfinite(d->profit[i++]))
            return error_set(err, ERR_CORRUPT, "a profit is %s",
                             json_type_word(v));
    }
    d->dearest = dearest_of(d);
    return true;
}

bool
decision_load(const struct json *o, size_t n_classes, struct decision *out,
              struct error *err)
{
    const struct json *reached = json_find(o, "reached");
    struct decision d = {.k = n_classes, .reached = (double)NAN};
    const char *how;

    if (!json_get_string(o, "by", &how, err) ||
        !json_get_double(o, "threshold", &d.threshold, err))
        return false;
    if (n_classes == 0 || !(d.threshold > 0 && d.threshold <= 1) ||
        strlen(how) >= sizeof d.how)
        return error_set(err, ERR_CORRUPT, "a bad threshold");
    strcpy(d.how, how);
    if (reached && json_type(reached) == JSON_NUMBER)
        d.reached = json_number(reached);
    if (!profit_load(o, &d, err)) {
        decision_fini(&d);
        return false;
    }
    *out = d;
    return true;
}
