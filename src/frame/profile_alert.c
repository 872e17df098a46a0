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
static const double LEAK_AUC = 0.98, LEAK_R2 = 0.98;

const char *
profile_alert_word(enum alert_kind k)
{
    static const char *const words[] = {"CONSTANT",
                                        "MISSING",
                                        "HIGH_CARDINALITY",
                                        "UNIQUE",
                                        "IMBALANCE",
                                        "SKEWED",
                                        "ZEROS",
                                        "INFINITE",
                                        "DUPLICATES",
                                        "HIGH_CORRELATION",
                                        "LEAKAGE",
                                        "EMPTY"};

    return words[k];
}

enum { BRIEF = 64 };

struct judge {
    struct profile *p;
    size_t cap;
    bool failed;
    struct error *err;
};

static void PRINTF_LIKE(5, 6)
    raise(struct judge *j, enum alert_kind kind, enum alert_level level,
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

static double
share(size_t part, size_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

/* "12,345 of 67,890 (18.2 %)" */
static const char *
part_of(size_t part, size_t whole, char out[96])
{
    char a[STR_F64_MAX], b[STR_F64_MAX];

    a[str_from_count(part, a)] = 0;
    b[str_from_count(whole, b)] = 0;
    snprintf(out, 96, "%s of %s (%.*f %%)", a, b,
             share(part, whole) < 0.01 ? 2 : 1, 100 * share(part, whole));
    return out;
}

/* Text for a message: short, on one line, valid UTF-8. */
static const char *
brief(const char *s, char out[BRIEF])
{
    enum { CELLS = 24 };
    struct str in = {s, str_fit(str_of(s), CELLS, NULL)};
    size_t n = 0;
    int32_t cp;

    for (size_t at = 0; n + 8 < BRIEF && (cp = str_next(in, &at)) >= 0;)
        n += str_put_utf8(cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ? ' '
                                                                 : (uint32_t)cp,
                          out + n);
    snprintf(out + n, BRIEF - n, "%s", s[in.n] ? "..." : "");
    return out;
}

/* ---- one column ------------------------------------------------------ */

static void
judge_missing(struct judge *j, size_t col)
{
    const struct profile_column *c = &j->p->column[col];
    double part = share(c->n_missing, c->n);
    char text[96];

    if (c->n > 0 && c->n_missing == c->n)
        raise(j, ALERT_EMPTY, ALERT_WARN, (long)col, "no value at all");
    else if (c->n_missing > 0)
        raise(j, ALERT_MISSING,
              part >= MISSING_BAD    ? ALERT_BAD
              : part >= MISSING_WARN ? ALERT_WARN
                                     : ALERT_NOTE,
              (long)col, "%s missing", part_of(c->n_missing, c->n, text));
}

static void
judge_distinct(struct judge *j, size_t col)
{
    const struct profile_column *c = &j->p->column[col];
    size_t n = c->n - c->n_missing;
    char text[BRIEF], count[STR_F64_MAX];

    count[str_from_count(c->n_distinct, count)] = 0;
    if (c->n_distinct == 1) {
        raise(j, ALERT_CONSTANT, ALERT_WARN, (long)col,
              "always %s: it tells nothing",
              c->n_top ? brief(c->top[0].text, text) : "the same");
    } else if (c->n_distinct == n && n > PROFILE_TOP &&
               (c->type == COL_TEXT || c->type == COL_INT64)) {
        raise(j, ALERT_UNIQUE, ALERT_WARN, (long)col,
              "all %s values differ: an identifier?", count);
    } else if (c->type == COL_TEXT && c->n_distinct > PROFILE_MANY) {
        raise(j, ALERT_HIGH_CARDINALITY, ALERT_NOTE, (long)col,
              "%s different texts", count);
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
        raise(j, ALERT_IMBALANCE, target ? ALERT_WARN : ALERT_NOTE, (long)col,
              "%.1f %% are %s (imbalance %.2f)",
              100 * share(c->top[0].count, c->n - c->n_missing),
              brief(c->top[0].text, text), score);
}

static void
judge_number(struct judge *j, size_t col)
{
    const struct profile_column *c = &j->p->column[col];
    size_t n = c->n - c->n_missing;
    bool day = c->type == COL_DATE || c->type == COL_TIMESTAMP;
    char text[96];

    if (c->n_infinite > 0)
        raise(j, ALERT_INFINITE, ALERT_WARN, (long)col, "%s infinite",
              part_of(c->n_infinite, c->n, text));
    if (day || c->n_distinct < PROFILE_FEW)
        return;
    if (fabs(c->skew) > SKEWED)
        raise(j, ALERT_SKEWED, ALERT_WARN, (long)col,
              "skewness %.1f: a few values are far out%s", c->skew,
              c->min >= 0 && c->skew > 0 ? "; try its logarithm" : "");
    if (share(c->n_zero, n) > MANY_ZEROS)
        raise(j, ALERT_ZEROS, ALERT_NOTE, (long)col, "%s zero",
              part_of(c->n_zero, n, text));
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
    brief(p->target, name);
    if (p->target_classes && c->target_score >= LEAK_AUC)
        raise(j, ALERT_LEAKAGE, ALERT_BAD, (long)col,
              "alone it tells %s (AUC %.4f): was it known before %s was?", name,
              c->target_score, name);
    else if (!p->target_classes && r2 >= LEAK_R2)
        raise(j, ALERT_LEAKAGE, ALERT_BAD, (long)col,
              "alone it tells %s (R2 %.4f): was it known before %s was?", name,
              r2, name);
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
    brief(p->column[best->a == col ? best->b : best->a].name, name);
    if (others)
        raise(j, ALERT_HIGH_CORRELATION,
              fabs(best->score) >= CORRELATED_WARN ? ALERT_WARN : ALERT_NOTE,
              (long)col, "goes with %s (%.2f) and %zu other%s", name,
              best->score, others, others == 1 ? "" : "s");
    else
        raise(j, ALERT_HIGH_CORRELATION,
              fabs(best->score) >= CORRELATED_WARN ? ALERT_WARN : ALERT_NOTE,
              (long)col, "goes with %s (%.2f)", name, best->score);
}

static void
judge_table(struct judge *j)
{
    const struct profile *p = j->p;
    size_t n = frame_rows(p->frame);
    char text[96];

    if (n == 0 || p->n_cols == 0)
        raise(j, ALERT_EMPTY, ALERT_BAD, -1, "the table has no %s",
              n == 0 ? "rows" : "columns");
    if (p->n_duplicates > 0)
        raise(j, ALERT_DUPLICATES,
              share(p->n_duplicates, n) >= DUPLICATES_WARN ? ALERT_WARN
                                                           : ALERT_NOTE,
              -1, "%s repeat an earlier row",
              part_of(p->n_duplicates, n, text));
}

/* Which of two kinds of one level to look at first. */
static int
urgency(enum alert_kind k)
{
    static const int place[] = {
        [ALERT_LEAKAGE] = 0,
        [ALERT_EMPTY] = 1,
        [ALERT_DUPLICATES] = 2,
        [ALERT_MISSING] = 3,
        [ALERT_INFINITE] = 4,
        [ALERT_CONSTANT] = 5,
        [ALERT_UNIQUE] = 6,
        [ALERT_SKEWED] = 7,
        [ALERT_IMBALANCE] = 8,
        [ALERT_ZEROS] = 9,
        [ALERT_HIGH_CARDINALITY] = 10,
        [ALERT_HIGH_CORRELATION] = 11,
    };

    return place[k];
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
        return urgency(a->kind) < urgency(b->kind) ? -1 : 1;
    return (a->col > b->col) - (a->col < b->col);
}

bool
profile_judge(struct profile *p, struct error *err)
{
    struct judge j = {.p = p, .err = err};

    judge_table(&j);
    for (size_t col = 0; col < p->n_cols; col++) {
        judge_leakage(&j, col);
        judge_missing(&j, col);
        judge_distinct(&j, col);
        judge_balance(&j, col);
        judge_number(&j, col);
        judge_links(&j, col);
    }
    if (j.failed)
        return false;
    if (p->n_alerts > 1)
        qsort(p->alert, p->n_alerts, sizeof *p->alert, worse);
    return true;
}
