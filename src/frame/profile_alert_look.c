/* Alerts on what values look like: identifiers, dates and numbers kept as
 * text, units, spelling; and on rows that are nearly equal.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <string.h>

#include "frame/identifier.h"
#include "frame/profile_part.h"

/* Shares of the rows, and similarity of texts, from which an alert is raised;
 * the distance of a target that has shifted. */
static const double MOST = 0.9, MIXED = 0.5;
static const double ALIKE = 0.85, SHIFTED = 0.1;

/* ---- identifiers ----------------------------------------------------- */

/* Numbers that count the rows, or fill a range without many holes. */
static bool
counts_rows(const struct profile_column *c)
{
    size_t n = c->n - c->n_missing;

    return c->type == COL_INT64 &&
           identifier_range(n, c->n_rise, c->n_fall, c->min, c->max);
}

static bool
is_code(const struct profile_column *c)
{
    return c->type == COL_TEXT && c->words &&
           c->words->script[SCRIPT_BLANK] == 0 &&
           c->words->script[SCRIPT_DIGIT] > 0;
}

static void
judge_id(struct judge *j, size_t col)
{
    const struct profile_column *c = &j->p->column[col];
    size_t n = c->n - c->n_missing;
    bool target = j->p->target && strcmp(j->p->target, c->name) == 0;
    char count[STR_F64_MAX], rows[STR_F64_MAX];

    if (n <= IDENTIFIER_LEAST || target ||
        judge_share(c->n_distinct, n) < IDENTIFIER_SHARE ||
        (c->type != COL_INT64 && c->type != COL_TEXT))
        return;
    if (!identifier_name(c->name) && !counts_rows(c) && !is_code(c))
        return;
    count[str_from_count(c->n_distinct, count)] = 0;
    rows[str_from_count(n, rows)] = 0;
    judge_raise(j, ALERT_ID_LIKE, ALERT_WARN, (long)col,
                "%s%s values name %s rows: leave it out of models",
                judge_about(c), count, rows);
}

/* ---- texts ----------------------------------------------------------- */

static void
judge_words(struct judge *j, size_t col)
{
    const struct profile_column *c = &j->p->column[col];
    const struct profile_words *w = c->words;
    double number, date;
    char odd[BRIEF];

    if (!w || w->n == 0)
        return;
    number = judge_share(w->n_number, w->n);
    date = judge_share(w->n_date, w->n);
    if (judge_share(w->n_list, w->n) >= MOST)
        judge_raise(j, ALERT_UNSUPPORTED, ALERT_WARN, (long)col,
                    "lists or objects kept as text: take their parts out");
    else if (date >= MOST)
        judge_raise(j, ALERT_TYPE_DATE, ALERT_WARN, (long)col,
                    "%.1f %% read as dates, but it is text", 100 * date);
    else if (number >= MIXED && number < 1)
        judge_raise(j, ALERT_MIXED_TYPES, ALERT_WARN, (long)col,
                    "%.1f %% read as numbers, others are like %s", 100 * number,
                    w->odd ? judge_value(j, w->odd, odd) : "''");
    else if (number >= 1 - MOST && date >= 1 - MOST)
        judge_raise(j, ALERT_MIXED_TYPES, ALERT_WARN, (long)col,
                    "%.1f %% read as numbers, %.1f %% as dates", 100 * number,
                    100 * date);
}

static void
judge_length(struct judge *j, size_t col)
{
    const struct profile_column *c = &j->p->column[col];

    if (c->type == COL_TEXT && c->n_distinct > 1 &&
        c->min_length == c->max_length)
        judge_raise(j, ALERT_CONSTANT_LENGTH, ALERT_NOTE, (long)col,
                    "every text has %zu character%s", c->min_length,
                    c->min_length == 1 ? "" : "s");
}

/* 1 - distance / length of the longer one; 1 also where only case and blanks
 * differ. */
static double
similarity(const char *a, const char *b)
{
    struct str x = str_trim(str_of(a)), y = str_trim(str_of(b));
    size_t longest = x.n > y.n ? x.n : y.n;

    if (str_eq_nocase(x, y))
        return 1;
    return longest > 64 ? 0 : 1 - (double)str_distance(x, y) / (double)longest;
}

/* The two most alike of the ten most frequent values. */
static void
judge_dirty(struct judge *j, size_t col)
{
    const struct profile_column *c = &j->p->column[col];
    const char *a = NULL, *b = NULL;
    char one[BRIEF], other[BRIEF];
    double best = 0;

    if (!j->o->dirty || c->type != COL_TEXT || c->n_distinct > PROFILE_MANY)
        return;
    for (size_t i = 0; i < c->n_top; i++)
        for (size_t k = i + 1; k < c->n_top; k++) {
            double s = similarity(c->top[i].text, c->top[k].text);

            if (s > best) {
                best = s;
                a = c->top[i].text;
                b = c->top[k].text;
            }
        }
    if (best >= ALIKE)
        judge_raise(j, ALERT_DIRTY_CATEGORY, ALERT_WARN, (long)col,
                    "%s and %s may be one (%.2f alike)", judge_value(j, a, one),
                    judge_value(j, b, other), best);
}

/* ---- numbers --------------------------------------------------------- */

/* 20240131 */
static bool
is_packed_date(double x)
{
    int day = (int)x % 100, month = (int)x / 100 % 100;

    return x >= 19000101 && x <= 21001231 && month >= 1 && month <= 12 &&
           day >= 1 && day <= 31;
}

static void
judge_packed_date(struct judge *j, size_t col)
{
    const struct profile_column *c = &j->p->column[col];
    const struct feature *x = &j->feature[col];
    size_t dates = 0;

    if (c->type != COL_INT64 || c->n_distinct < PROFILE_FEW)
        return;
    for (size_t i = 0; i < x->n; i++)
        dates += is_packed_date(x->x[i]);
    if (judge_share(dates, x->n_here) >= MOST)
        judge_raise(j, ALERT_TYPE_DATE, ALERT_WARN, (long)col,
                    "%.1f %% read as dates (yyyymmdd), but it is a number",
                    100 * judge_share(dates, x->n_here));
}

static void
judge_unit(struct judge *j, size_t col)
{
    const struct profile_column *c = &j->p->column[col];
    double factor;
    char text[STR_F64_MAX];
    size_t row = 0;

    if (j->failed || c->n_distinct < PROFILE_TOP ||
        (c->type != COL_INT64 && c->type != COL_FLOAT64))
        return;
    j->failed = !profile_unit(j->p, &j->feature[col], &factor, &row, j->err);
    if (j->failed || factor == 0)
        return;
    text[str_from_count(profile_row(j->p, row) + 1, text)] = 0;
    judge_raise(j, ALERT_UNIT_CHANGE, ALERT_WARN, (long)col,
                "from about row %s on as if %s by %g: another unit?", text,
                factor > 1 ? "multiplied" : "divided",
                factor > 1 ? factor : 1 / factor);
}

static void
judge_shift(struct judge *j, size_t col)
{
    double shift;

    if (j->failed || !j->p->target ||
        strcmp(j->p->target, j->p->column[col].name) != 0)
        return;
    j->failed = !profile_target_shift(&j->feature[col], &shift, j->err);
    if (!j->failed && shift >= SHIFTED)
        judge_raise(j, ALERT_TARGET_SHIFT, ALERT_WARN, (long)col,
                    "its values differ between the first and the second half "
                    "of the rows (Jensen-Shannon %.2f): shuffle, or split by "
                    "time",
                    shift);
}

/* ---- all ------------------------------------------------------------- */

void
judge_looks(struct judge *j, size_t col)
{
    judge_id(j, col);
    judge_words(j, col);
    judge_length(j, col);
    judge_dirty(j, col);
    judge_packed_date(j, col);
    judge_unit(j, col);
    judge_shift(j, col);
}

void
judge_rows(struct judge *j)
{
    const struct profile *p = j->p;
    char text[96];

    if (p->n_near == 0)
        return;
    judge_raise(j, ALERT_NEAR_DUPLICATES, ALERT_NOTE, -1,
                "%s%s repeat an earlier row but for case, blanks or the "
                "seventh digit",
                judge_part(p->n_near, p->n_near_rows, text),
                p->n_near_rows < p->n_rows ? " of the first" : "");
}
