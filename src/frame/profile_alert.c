/* What to beware of.  One rule a function; each says what it saw.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "frame/profile_part.h"

/* Shares and scores from which an alert is raised. */
static const double SKEWED = 20, IMBALANCED = 0.5, MANY_ZEROS = 0.5;
static const double MISSING_WARN = 0.05, MISSING_BAD = 0.5;
static const double DUPLICATES_WARN = 0.01, CORRELATED_WARN = 0.9;
static const double LEAK_AUC = 0.98, LEAK_R2 = 0.98, SAME = 0.9999;
static const double UNIFORM = 0.999;

/* The word of each kind, and which of two kinds of one level to look at
 * first. */
static const struct {
    const char *word;
    int place;
} kinds[ALERT_N_KINDS] = {
    [ALERT_LEAKAGE] = {"LEAKAGE", 0},
    [ALERT_TRAIN_TEST_OVERLAP] = {"TRAIN_TEST_OVERLAP", 1},
    [ALERT_EMPTY] = {"EMPTY", 2},
    [ALERT_TARGET_SHIFT] = {"TARGET_SHIFT", 3},
    [ALERT_SCHEMA] = {"SCHEMA", 4},
    [ALERT_DRIFT] = {"DRIFT", 5},
    [ALERT_DUPLICATES] = {"DUPLICATES", 6},
    [ALERT_MISSING] = {"MISSING", 7},
    [ALERT_INFINITE] = {"INFINITE", 8},
    [ALERT_UNIT_CHANGE] = {"UNIT_CHANGE", 9},
    [ALERT_MIXED_TYPES] = {"MIXED_TYPES", 10},
    [ALERT_TYPE_DATE] = {"TYPE_DATE", 11},
    [ALERT_UNSUPPORTED] = {"UNSUPPORTED", 12},
    [ALERT_DIRTY_CATEGORY] = {"DIRTY_CATEGORY", 13},
    [ALERT_GAPS] = {"GAPS", 14},
    [ALERT_CONSTANT] = {"CONSTANT", 15},
    [ALERT_ID_LIKE] = {"ID_LIKE", 16},
    [ALERT_REJECTED] = {"REJECTED", 17},
    [ALERT_NON_STATIONARY] = {"NON_STATIONARY", 18},
    [ALERT_SEASONAL] = {"SEASONAL", 19},
    [ALERT_SKEWED] = {"SKEWED", 20},
    [ALERT_IMBALANCE] = {"IMBALANCE", 21},
    [ALERT_ZEROS] = {"ZEROS", 22},
    [ALERT_UNIQUE] = {"UNIQUE", 23},
    [ALERT_HIGH_CARDINALITY] = {"HIGH_CARDINALITY", 24},
    [ALERT_CONSTANT_LENGTH] = {"CONSTANT_LENGTH", 25},
    [ALERT_UNIFORM] = {"UNIFORM", 26},
    [ALERT_HIGH_CORRELATION] = {"HIGH_CORRELATION", 27},
    [ALERT_NEAR_DUPLICATES] = {"NEAR_DUPLICATES", 28},
};

const char *
profile_alert_word(enum alert_kind k)
{
    return kinds[k].word;
}

void
judge_raise(struct judge *j, enum alert_kind kind, enum alert_level level,
            long col, const char *fmt, ...)
{
    struct profile *p = j->p;
    struct alert *a;
    va_list ap;
    bool cut;
    size_t n;

    if (j->failed)
        return;
    a = mem_try_grow(p->alert, p->n_alerts, &j->cap, sizeof *a, j->err);
    j->failed = !a;
    if (!a)
        return;
    p->alert = a;
    a += p->n_alerts++;
    a->kind = kind;
    a->level = level;
    a->col = col;
    va_start(ap, fmt);
    cut = vsnprintf(a->text, sizeof a->text, fmt, ap) >= (int)sizeof a->text;
    va_end(ap);
    /* The end may lie within a character; all before it is whole. */
    for (n = strlen(a->text); cut && n > 0 && !str_utf8_valid(str_of(a->text));)
        a->text[--n] = 0;
}

double
judge_share(size_t part, size_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

const char *
judge_about(const struct profile_column *c)
{
    return c->estimated & ESTIMATE_DISTINCT ? "about " : "";
}

const char *
judge_part(size_t part, size_t whole, char out[96])
{
    char a[STR_F64_MAX], b[STR_F64_MAX];

    a[str_from_count(part, a)] = 0;
    b[str_from_count(whole, b)] = 0;
    snprintf(out, 96, "%s of %s (%.*f %%)", a, b,
             judge_share(part, whole) < 0.01 ? 2 : 1,
             100 * judge_share(part, whole));
    return out;
}

const char *
judge_brief(const char *s, char out[BRIEF])
{
    enum { CELLS = 24 };
    struct str in = {s, str_fit(str_of(s), CELLS, NULL)};
    size_t n = 0;
    int32_t cp;

    for (size_t at = 0; n + 8 < BRIEF && (cp = str_next(in, &at)) >= 0;)
        n += str_put_utf8(str_cp_is_control((uint32_t)cp) ? ' ' : (uint32_t)cp,
                          out + n);
    snprintf(out + n, BRIEF - n, "%s", s[in.n] ? "..." : "");
    return out;
}

const char *
judge_value(const struct judge *j, const char *s, char out[BRIEF])
{
    return j->o->redact ? "one value" : judge_brief(s, out);
}

/* ---- one column ------------------------------------------------------ */

static void
judge_missing(struct judge *j, size_t col)
{
    const struct profile_column *c = &j->p->column[col];
    double part = judge_share(c->n_missing, c->n);
    char text[96];

    if (c->n > 0 && c->n_missing == c->n)
        judge_raise(j, ALERT_EMPTY, ALERT_WARN, (long)col, "no value at all");
    else if (c->n_missing > 0)
        judge_raise(j, ALERT_MISSING,
                    part >= MISSING_BAD    ? ALERT_BAD
                    : part >= MISSING_WARN ? ALERT_WARN
                                           : ALERT_NOTE,
                    (long)col, "%s missing",
                    judge_part(c->n_missing, c->n, text));
}

static void
judge_distinct(struct judge *j, size_t col)
{
    const struct profile_column *c = &j->p->column[col];
    size_t n = c->n - c->n_missing;
    char text[BRIEF], count[STR_F64_MAX];

    count[str_from_count(c->n_distinct, count)] = 0;
    if (c->n_distinct == 1) {
        judge_raise(j, ALERT_CONSTANT, ALERT_WARN, (long)col,
                    "always %s: it tells nothing",
                    c->n_top ? judge_value(j, c->top[0].text, text)
                             : "the same");
    } else if (c->n_distinct == n && n > PROFILE_TOP &&
               !(c->estimated & ESTIMATE_DISTINCT) && c->type != COL_FLOAT64) {
        judge_raise(j, ALERT_UNIQUE, ALERT_NOTE, (long)col,
                    "all %s values differ", count);
    } else if (c->type == COL_TEXT && c->n_distinct > PROFILE_MANY) {
        judge_raise(j, ALERT_HIGH_CARDINALITY, ALERT_NOTE, (long)col,
                    "%s%s different texts", judge_about(c), count);
    }
}

static void
judge_balance(struct judge *j, size_t col)
{
    const struct profile_column *c = &j->p->column[col];
    bool target = j->p->target && str_is(str_of(c->name), j->p->target);
    char text[BRIEF];
    double score;

    if (!profile_is_category(c) || c->n_distinct < 2 || c->n_top == 0 ||
        c->n_distinct > PROFILE_MANY)
        return;
    /* 0 when all are as frequent, 1 when one has them all. */
    score = 1 - c->entropy * fm_log(2) / fm_log((double)c->n_distinct);
    if (score > IMBALANCED)
        judge_raise(j, ALERT_IMBALANCE, target ? ALERT_WARN : ALERT_NOTE,
                    (long)col, "%.1f %% are %s (imbalance %.2f)",
                    100 * judge_share(c->top[0].count, c->n - c->n_missing),
                    judge_value(j, c->top[0].text, text), score);
}

static void
judge_uniform(struct judge *j, size_t col)
{
    const struct profile_column *c = &j->p->column[col];

    if (c->uniform > UNIFORM && c->n_distinct < c->n - c->n_missing &&
        (c->numeric || c->n_distinct <= PROFILE_MANY))
        judge_raise(j, ALERT_UNIFORM, ALERT_NOTE, (long)col,
                    "all %s are as frequent (p %.4f)",
                    profile_is_category(c) ? "values" : "parts of its range",
                    c->uniform);
}

static void
judge_number(struct judge *j, size_t col)
{
    const struct profile_column *c = &j->p->column[col];
    size_t n = c->n - c->n_missing;
    bool day = c->type == COL_DATE || c->type == COL_TIMESTAMP;
    char text[96];

    if (c->n_infinite > 0)
        judge_raise(j, ALERT_INFINITE, ALERT_WARN, (long)col, "%s infinite",
                    judge_part(c->n_infinite, c->n, text));
    if (day || c->n_distinct < PROFILE_FEW)
        return;
    if (fabs(c->skew) > SKEWED)
        judge_raise(j, ALERT_SKEWED, ALERT_WARN, (long)col,
                    "skewness %.1f: a few values are far out%s", c->skew,
                    c->min >= 0 && c->skew > 0 ? "; try its logarithm" : "");
    if (judge_share(c->n_zero, n) > MANY_ZEROS)
        judge_raise(j, ALERT_ZEROS, ALERT_NOTE, (long)col, "%s zero",
                    judge_part(c->n_zero, n, text));
}

static void
judge_leakage(struct judge *j, size_t col)
{
    const struct profile *p = j->p;
    const struct profile_column *c = &p->column[col];
    double r2 = c->target_score * c->target_score;
    char name[BRIEF];

    if (!p->target || isnan(c->target_score))
        return;
    judge_brief(p->target, name);
    if (p->target_classes && c->target_score >= LEAK_AUC)
        judge_raise(j, ALERT_LEAKAGE, ALERT_BAD, (long)col,
                    "alone it tells %s (AUC %.4f): was it known before %s was?",
                    name, c->target_score, name);
    else if (!p->target_classes && r2 >= LEAK_R2)
        judge_raise(j, ALERT_LEAKAGE, ALERT_BAD, (long)col,
                    "alone it tells %s (R2 %.4f): was it known before %s was?",
                    name, r2, name);
}

/* ---- pairs and the table --------------------------------------------- */

static bool
is_target(const struct profile *p, size_t col)
{
    return p->target && str_is(str_of(p->column[col].name), p->target);
}

/* Its strongest partner, and how many others: that a feature goes with the
 * target is good news, so those pairs are left out. */
static void
judge_links(struct judge *j, size_t col)
{
    const struct profile *p = j->p;
    const struct profile_link *best = NULL;
    size_t others = 0;
    char name[BRIEF];

    for (size_t i = 0; i < p->n_links; i++) {
        const struct profile_link *l = &p->link[i];

        if ((l->a != col && l->b != col) || is_target(p, l->a) ||
            is_target(p, l->b))
            continue;
        if (best)
            others++;
        else
            best = l;
    }
    if (!best)
        return;
    judge_brief(p->column[best->a == col ? best->b : best->a].name, name);
    if (others)
        judge_raise(j, ALERT_HIGH_CORRELATION,
                    fabs(best->score) >= CORRELATED_WARN ? ALERT_WARN
                                                         : ALERT_NOTE,
                    (long)col, "goes with %s (%.2f) and %zu other%s", name,
                    best->score, others, others == 1 ? "" : "s");
    else
        judge_raise(j, ALERT_HIGH_CORRELATION,
                    fabs(best->score) >= CORRELATED_WARN ? ALERT_WARN
                                                         : ALERT_NOTE,
                    (long)col, "goes with %s (%.2f)", name, best->score);
}

/* The first column before it that orders or parts the rows alike. */
static void
judge_same(struct judge *j, size_t col)
{
    const struct profile *p = j->p;
    char name[BRIEF];

    for (size_t i = 0; i < p->n_links; i++) {
        const struct profile_link *l = &p->link[i];

        /* Of two categories the finer one tells more. */
        if (l->b != col || fabs(l->score) < SAME || is_target(p, l->a) ||
            is_target(p, l->b) ||
            (!l->spearman &&
             p->column[l->a].n_distinct != p->column[col].n_distinct))
            continue;
        judge_raise(j, ALERT_REJECTED, ALERT_WARN, (long)col,
                    "tells what %s tells (%.4f): one of the two is enough",
                    judge_brief(p->column[l->a].name, name), l->score);
        return;
    }
}

static void
judge_table(struct judge *j)
{
    const struct profile *p = j->p;
    size_t n = p->n_rows;
    char text[96];

    if (n == 0 || p->n_cols == 0)
        judge_raise(j, ALERT_EMPTY, ALERT_BAD, -1, "the table has no %s",
                    n == 0 ? "rows" : "columns");
    if (p->n_duplicates > 0)
        judge_raise(j, ALERT_DUPLICATES,
                    judge_share(p->n_duplicates, n) >= DUPLICATES_WARN
                        ? ALERT_WARN
                        : ALERT_NOTE,
                    -1, "%s repeat an earlier row",
                    judge_part(p->n_duplicates, n, text));
}

/* Worst first; then by kind, so that equal ones stand together; then in the
 * order of the table. */
static int
worse(const void *x, const void *y)
{
    const struct alert *a = x, *b = y;

    if (a->level != b->level)
        return a->level > b->level ? -1 : 1;
    if (a->kind != b->kind)
        return kinds[a->kind].place < kinds[b->kind].place ? -1 : 1;
    return (a->col > b->col) - (a->col < b->col);
}

bool
profile_judge(struct profile *p, const struct feature *features,
              const struct profile_options *o, struct error *err)
{
    struct judge j = {.p = p, .feature = features, .o = o, .err = err};

    judge_table(&j);
    judge_rows(&j);
    judge_against(&j);
    for (size_t col = 0; col < p->n_cols; col++) {
        judge_leakage(&j, col);
        judge_missing(&j, col);
        judge_distinct(&j, col);
        judge_balance(&j, col);
        judge_number(&j, col);
        judge_uniform(&j, col);
        judge_links(&j, col);
        judge_same(&j, col);
        judge_looks(&j, col);
        judge_series(&j, col);
    }
    if (j.failed)
        return false;
    if (p->n_alerts > 1)
        qsort(p->alert, p->n_alerts, sizeof *p->alert, worse);
    return true;
}
