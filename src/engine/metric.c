/* engine/metric.c -- the table of metrics and their names.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/metric_part.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "frame/synonym.h"

enum {
    TWO = 1 << PROBLEM_BINARY,
    CLASSES = 1 << PROBLEM_BINARY | 1 << PROBLEM_MULTICLASS,
    NUMBERS = 1 << PROBLEM_REGRESSION,
    RANKS = 1 << PROBLEM_BINARY | 1 << PROBLEM_REGRESSION,
    POOLED = 1 << METRIC_MACRO | 1 << METRIC_MICRO | 1 << METRIC_WEIGHTED,
    AREAS = 1 << METRIC_MACRO | 1 << METRIC_WEIGHTED
};

#define NO_NUMBER (double)NAN, 1, 0
#define USUAL true, false
#define ASKED false, false
#define GROUPED true, true

static const struct metric metrics[METRIC_N] = {
    {"logloss", "log loss", METRIC_LOGLOSS, false, CLASSES, USUAL, 0, NO_NUMBER,
     METRIC_PLAIN},
    {"auc", "AUC", METRIC_AUC, true, CLASSES, USUAL, AREAS, NO_NUMBER,
     METRIC_PLAIN},
    {"prauc", "PR AUC", METRIC_PRAUC, true, CLASSES, USUAL, AREAS, NO_NUMBER,
     METRIC_PLAIN},
    {"accuracy", "accuracy", METRIC_ACCURACY, true, CLASSES, USUAL, 0,
     NO_NUMBER, METRIC_PLAIN},
    {"balanced", "balanced accuracy", METRIC_BALANCED, true, CLASSES, USUAL, 0,
     NO_NUMBER, METRIC_PLAIN},
    {"f1", "F1", METRIC_F1, true, CLASSES, USUAL, POOLED, NO_NUMBER,
     METRIC_PLAIN},
    {"fbeta", "F-beta", METRIC_FBETA, true, CLASSES, ASKED, POOLED, 2, 0.001,
     1000, METRIC_PLAIN},
    {"precision", "precision", METRIC_PRECISION, true, CLASSES, USUAL, POOLED,
     NO_NUMBER, METRIC_PLAIN},
    {"recall", "recall", METRIC_RECALL, true, CLASSES, USUAL, POOLED, NO_NUMBER,
     METRIC_PLAIN},
    {"mcc", "MCC", METRIC_MCC, true, CLASSES, USUAL, 0, NO_NUMBER,
     METRIC_PLAIN},
    {"kappa", "kappa", METRIC_KAPPA, true, CLASSES, ASKED, 0, NO_NUMBER,
     METRIC_PLAIN},
    {"brier", "Brier score", METRIC_BRIER, false, CLASSES, USUAL, 0, NO_NUMBER,
     METRIC_PLAIN},
    {"ece", "calibration error", METRIC_ECE, false, CLASSES, USUAL, 0,
     NO_NUMBER, METRIC_PLAIN},
    {"ks", "KS", METRIC_KS, true, TWO, USUAL, 0, NO_NUMBER, METRIC_PLAIN},
    {"gain", "gain", METRIC_GAIN, true, TWO, ASKED, 0, 0.1, 0.0001, 1,
     METRIC_PLAIN},
    {"lift", "lift", METRIC_LIFT, true, TWO, ASKED, 0, 0.1, 0.0001, 1,
     METRIC_PLAIN},
    {"rmse", "RMSE", METRIC_RMSE, false, NUMBERS, USUAL, 0, NO_NUMBER,
     METRIC_PLAIN},
    {"mae", "MAE", METRIC_MAE, false, NUMBERS, USUAL, 0, NO_NUMBER,
     METRIC_PLAIN},
    {"mape", "MAPE", METRIC_MAPE, false, NUMBERS, USUAL, 0, NO_NUMBER,
     METRIC_PLAIN},
    {"r2", "R2", METRIC_R2, true, NUMBERS, USUAL, 0, NO_NUMBER, METRIC_PLAIN},
    {"pinball", "pinball loss", METRIC_PINBALL, false, NUMBERS, ASKED, 0, 0.5,
     0.0001, 0.9999, METRIC_PLAIN},
    {"ndcg", "NDCG", METRIC_NDCG, true, RANKS, GROUPED, 0, (double)NAN, 1, 1e6,
     METRIC_PLAIN},
    {"map", "MAP", METRIC_MAP, true, RANKS, GROUPED, 0, (double)NAN, 1, 1e6,
     METRIC_PLAIN},
};

const struct metric *
metric_table(size_t *n)
{
    *n = METRIC_N;
    return metrics;
}

static const struct metric *
row_find(struct str base, unsigned problems)
{
    for (size_t i = 0; i < METRIC_N; i++)
        if (metrics[i].problems & problems && str_is(base, metrics[i].name))
            return &metrics[i];
    return NULL;
}

/* What stands among the metrics and is none (judged_outcome.c). */
static const char *
outcome_of(struct str name)
{
    static const char *const ranges[] = {"coverage", "mean_width", "mean_set"};
    static const char profit[] = "profit";

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (str_is(name, ranges[i]))
            return "interval";
    return name.n >= strlen(profit) &&
                   memcmp(name.p, profit, strlen(profit)) == 0
               ? profit
               : NULL;
}

static void
metric_refuse(struct str name, enum problem t, struct error *err)
{
    const char *names[METRIC_N], *near;
    struct buf list;
    size_t n = 0;

    if (outcome_of(name)) {
        error_set(err, ERR_NOTFOUND,
                  "'%.*s' is no metric to ask for: it is told of models that "
                  "were learnt with --%s (in Lua %s)",
                  (int)(name.n < 64 ? name.n : 64), name.p, outcome_of(name),
                  outcome_of(name));
        return;
    }
    if (memchr(name.p, ',', name.n)) {
        error_set(err, ERR_NOTFOUND,
                  "'%.*s' are several metrics: name one, or in Lua a list of "
                  "them, { \"mae\", \"rmse\" }",
                  (int)(name.n < 64 ? name.n : 64), name.p);
        return;
    }
    buf_init(&list);
    for (size_t i = 0; i < METRIC_N; i++)
        if (metrics[i].problems & 1u << t) {
            buf_printf(&list, "%s%s", n ? ", " : "", metrics[i].name);
            names[n++] = metrics[i].name;
        }
    near = synonym_nearest(name, names, n);
    error_set(err, ERR_NOTFOUND, "no metric '%.*s' for %s targets%s%s%s",
              (int)(name.n < 64 ? name.n : 64), name.p, problem_word(t),
              near ? " (did you mean '" : ", there are ",
              near ? near : list.data, near ? "'?)" : "");
    buf_fini(&list);
}

const struct metric *
metric_find(const char *name, enum problem t, struct error *err)
{
    const struct metric *m = row_find(str_of(name), 1u << t);

    if (!m)
        metric_refuse(str_of(name), t, err);
    return m;
}

/* ---- names ---- */

static const struct {
    const char *suffix;
    enum metric_average average;
} averages[] = {{"_macro", METRIC_MACRO},
                {"_micro", METRIC_MICRO},
                {"_weighted", METRIC_WEIGHTED}};

/* Cut the parts off a name: what is left is the base. */
static struct str
cut_name(struct str s, struct str *number, enum metric_average *average)
{
    const char *at = memchr(s.p, '@', s.n);

    *number = (struct str){NULL, 0};
    *average = METRIC_PLAIN;
    if (at) {
        *number = (struct str){at + 1, (size_t)(s.p + s.n - at - 1)};
        s.n = (size_t)(at - s.p);
    }
    for (size_t i = 0; i < sizeof averages / sizeof *averages; i++) {
        size_t n = strlen(averages[i].suffix);

        if (s.n > n && memcmp(s.p + s.n - n, averages[i].suffix, n) == 0) {
            *average = averages[i].average;
            s.n -= n;
            break;
        }
    }
    return s;
}

static bool
number_read(struct metric *m, struct str number, struct error *err)
{
    if (m->low > m->high)
        return error_set(err, ERR_RANGE, "metric '%s' takes no number",
                         m->title);
    if (!str_to_f64(number, &m->at) || !(m->at >= m->low && m->at <= m->high) ||
        (m->grouped && m->at != floor(m->at)))
        return error_set(err, ERR_RANGE,
                         "metric '%s' with '%.*s', expected %s%g..%g", m->title,
                         (int)(number.n < 32 ? number.n : 32), number.p,
                         m->grouped ? "a whole number " : "", m->low, m->high);
    return true;
}

bool
metric_parse(const char *name, enum problem t, struct metric *out,
             struct error *err)
{
    enum metric_average average;
    struct str number, base = cut_name(str_of(name), &number, &average);
    const struct metric *m = row_find(base, 1u << t);
    struct metric got;

    if (!m) {
        metric_refuse(base, t, err);
        return false;
    }
    if (strlen(name) >= METRIC_NAME)
        return error_set(err, ERR_RANGE, "metric '%.64s' is longer than %d",
                         name, METRIC_NAME - 1);
    got = *m;
    got.name = name;
    got.average = average;
    if (average != METRIC_PLAIN && !(m->averages & 1u << average))
        return error_set(err, ERR_RANGE, "metric '%s' has no such average",
                         name);
    if (number.p && !number_read(&got, number, err))
        return false;
    *out = got;
    return true;
}

const struct metric *
metric_named(const char *name)
{
    size_t n = strcspn(name, "@"), dot = n;
    enum metric_average average;
    struct str number, base;

    while (dot > 0 && name[dot - 1] != '.')
        dot--;
    base = cut_name((struct str){name + dot, n - dot}, &number, &average);
    return row_find(base, UINT_MAX);
}

/* What judged_outcome.c tells of a model, and not of other ways to answer. */
static bool
is_outcome(const char *name, const char *is)
{
    const char *dot = strrchr(name, '.');

    return strcmp(dot ? dot + 1 : name, is) == 0;
}

static bool
is_profit(const char *name)
{
    return is_outcome(name, "profit") || is_outcome(name, "profit_total");
}

bool
metric_ranked(const char *name)
{
    return metric_named(name) || is_profit(name) ||
           is_outcome(name, "mean_width") || is_outcome(name, "mean_set");
}

bool
metric_better(const char *name, double a, double b)
{
    const struct metric *m = metric_named(name);
    bool large = m ? m->larger_is_better : is_profit(name);

    return large ? a > b : a < b;
}

const struct metric *
metric_default(enum problem p)
{
    return &metrics[p == PROBLEM_REGRESSION ? METRIC_RMSE : METRIC_LOGLOSS];
}

/* ---- lists ---- */

static size_t
count_of(const char *const *names)
{
    size_t n = 0;

    while (names && names[n])
        n++;
    return n;
}

static bool
is_listed(const struct metric_list *l, const char *name)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->metric[i]->name, name) == 0)
            return true;
    return false;
}

/* Their names are the list's own: they follow the metrics. */
static bool
ask(struct metric_list *l, enum problem t, const char *const *names,
    struct error *err)
{
    size_t n = count_of(names);
    char *text;

    if (n > METRIC_MAX - l->n)
        return error_set(err, ERR_RANGE, "over %d metrics", METRIC_MAX);
    if (n == 0)
        return true;
    l->asked = mem_try_array(n, sizeof *l->asked + METRIC_NAME, err);
    if (!l->asked)
        return false;
    text = (char *)(l->asked + n);
    for (size_t i = 0; i < n; i++, text += METRIC_NAME) {
        struct metric *m = &l->asked[i];

        if (!metric_parse(names[i], t, m, err))
            return false;
        if (is_listed(l, names[i]))
            continue;
        memcpy(text, names[i], strlen(names[i]) + 1);
        m->name = text;
        l->metric[l->n++] = m;
    }
    return true;
}

bool
metric_list_make(enum problem t, bool grouped, const char *const *names,
                 struct metric_list *out, struct error *err)
{
    struct metric_list l = {.n = 0};

    for (size_t i = 0; i < METRIC_N; i++)
        if (metrics[i].usual && metrics[i].problems & 1u << t &&
            (!metrics[i].grouped || grouped))
            l.metric[l.n++] = &metrics[i];
    if (!ask(&l, t, names, err)) {
        metric_list_fini(&l);
        return false;
    }
    *out = l;
    return true;
}

void
metric_list_fini(struct metric_list *l)
{
    free(l->asked);
    l->asked = NULL;
    l->n = 0;
}

/* ---- what is said of a row ---- */

double
metric_threshold(const struct metric_rows *rows)
{
    return rows->threshold > 0 ? rows->threshold : 0.5;
}

/* The most probable class, the first of equal ones. */
size_t
metric_guess(const struct metric_rows *rows, size_t row)
{
    const double *p = rows->p + row * rows->k;
    size_t best = 0;

    if (rows->guess)
        return rows->guess[row];
    if (rows->k == 1)
        return p[0] > metric_threshold(rows);
    for (size_t c = 1; c < rows->k; c++)
        if (p[c] > p[best])
            best = c;
    return best;
}

size_t
metric_classes(const struct metric_rows *rows)
{
    return rows->problem == PROBLEM_REGRESSION ? 0 : rows->k == 1 ? 2 : rows->k;
}

unsigned
metric_bin(double p)
{
    unsigned b = 0;

    while (b + 1 < METRIC_BINS && p > (b + 1) * 0.1)
        b++;
    return b;
}

double
metric_measure(const struct metric *m, const struct metric_rows *rows)
{
    struct scorer s = {.of = *rows, .metric = &m, .n_metrics = 1};
    double out = (double)NAN;
    struct error err;

    s.n_classes = metric_classes(rows);
    if (rows->n > 0 && scorer_init(&s, &err))
        scorer_score(&s, NULL, NULL, &out);
    scorer_fini(&s);
    return out;
}

double
metric_score(enum metric_kind kind, enum problem problem, const double *y,
             const double *p, size_t n, size_t k)
{
    return metric_measure(
        &metrics[kind],
        &(struct metric_rows){
            .problem = problem, .n = n, .k = k, .y = y, .p = p});
}
