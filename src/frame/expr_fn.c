/* The functions: one table for the parser, the binder, help and completion.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "frame/expr_plan.h"
#include "frame/synonym.h"
#include "frame/window.h"

enum { MANY = 10000, MAX_CONCAT = 32 };

struct expr_fn {
    size_t min_args, max_args;
    bool pattern; /* the second argument is a regular expression */
    struct step *(*bind)(struct plan *p, const struct node *call,
                         const struct expr_fn *fn, struct step **arg);
    kernel_fn *ints, *floats; /* bind_math: ints NULL: always float */
    kernel_fn *fn;            /* bind_text and others */
    enum col_type type;       /* of the result */
    int option;
    enum expr_over over;
    bool aggregates; /* else along the order of rows */
    int window;      /* enum aggregate_kind or window_kind */
};

static bool
want(struct plan *p, const struct node *call, struct step **s,
     enum col_type type)
{
    if ((*s)->untyped)
        return (*s = step_widen(p, *s, type));
    if ((*s)->type == type)
        return true;
    return bind_fail(p, (*s)->node, ERR_TYPE, "%s wants a %s, not %s",
                     expr_fn_usage(call->fn), column_type_word(type),
                     step_describe(p, *s));
}

/* A whole number written in the expression itself. */
static bool
literal_int(struct plan *p, const struct node *call, const struct node *n,
            int64_t low, int64_t high, int64_t *out)
{
    const struct node *digits = n->op == NODE_NEG ? n->kid : n;
    int64_t value = n->op == NODE_NEG ? -digits->i : digits->i;

    if (digits->op != NODE_INT || value < low || value > high)
        return bind_fail(
            p, n, ERR_RANGE, "%s wants a whole number from %lld to %lld here",
            expr_fn_usage(call->fn), (long long)low, (long long)high);
    *out = value;
    return true;
}

/* ---- numbers --------------------------------------------------------- */

static bool
want_number(struct plan *p, const struct node *call, struct step **s)
{
    enum col_type t = (*s)->type;

    if (!(*s)->untyped && t != COL_BOOL && t != COL_INT64 && t != COL_FLOAT64)
        return bind_fail(p, (*s)->node, ERR_TYPE, "%s wants a number, not %s",
                         expr_fn_usage(call->fn), step_describe(p, *s));
    if ((*s)->untyped || t == COL_BOOL)
        *s = step_widen(p, *s, COL_INT64);
    return *s;
}

static struct step *
bind_math(struct plan *p, const struct node *call, const struct expr_fn *fn,
          struct step **arg)
{
    if (!want_number(p, call, &arg[0]))
        return NULL;
    if (fn->ints && arg[0]->type == COL_INT64)
        return step_call(p, call, COL_INT64, fn->ints, arg, 1);
    if (!(arg[0] = step_widen(p, arg[0], COL_FLOAT64)))
        return NULL;
    return step_call(p, call, COL_FLOAT64, fn->floats, arg, 1);
}

/* Whole numbers are their own floor, ceil and round. */
static struct step *
bind_round(struct plan *p, const struct node *call, const struct expr_fn *fn,
           struct step **arg)
{
    int64_t digits = 0;
    struct step *s;

    if (!want_number(p, call, &arg[0]))
        return NULL;
    if (call->n_kids == 1 && arg[0]->type == COL_INT64)
        return arg[0];
    if (call->n_kids == 2 &&
        !literal_int(p, call, call->kid->next, -15, 15, &digits))
        return NULL;
    if (!(arg[0] = step_widen(p, arg[0], COL_FLOAT64)) ||
        !(s = step_call(p, call, COL_FLOAT64, fn->floats, arg, 1)))
        return NULL;
    s->option = digits;
    return s;
}

/* ---- any type -------------------------------------------------------- */

static struct step *
bind_if(struct plan *p, const struct node *call, const struct expr_fn *fn,
        struct step **arg)
{
    (void)fn;
    if (!want(p, call, &arg[0], COL_BOOL) || !steps_unify(p, call, arg + 1, 2))
        return NULL;
    return step_call(p, call, arg[1]->type,
                     kernel_if(vec_kind_of(arg[1]->type)), arg, 3);
}

/* coalesce (option 0), min (1), max (2). */
static struct step *
bind_fold(struct plan *p, const struct node *call, const struct expr_fn *fn,
          struct step **arg)
{
    struct step *s;
    enum vec_kind kind;

    if (!steps_unify(p, call, arg, call->n_kids))
        return NULL;
    kind = vec_kind_of(arg[0]->type);
    s = step_call(p, call, arg[0]->type,
                  fn->option ? kernel_extreme(kind, fn->option == 2)
                             : kernel_coalesce(kind),
                  arg, call->n_kids);
    if (s)
        s->op = STEP_FOLD;
    return s;
}

static struct step *
bind_cast(struct plan *p, const struct node *call, const struct expr_fn *fn,
          struct step **arg)
{
    kernel_fn *kernel;

    if (arg[0]->untyped)
        return step_widen(p, arg[0], fn->type);
    if (arg[0]->type == fn->type)
        return arg[0];
    if (!(kernel = kernel_cast(arg[0]->type, fn->type))) {
        bind_fail(p, arg[0]->node, ERR_TYPE, "%s cannot convert %s",
                  expr_fn_usage(fn), step_describe(p, arg[0]));
        return NULL;
    }
    return step_call(p, call, fn->type, kernel, arg, 1);
}

static struct step *
bind_missing(struct plan *p, const struct node *call, const struct expr_fn *fn,
             struct step **arg)
{
    return step_call(p, call, fn->type, fn->fn, arg, 1);
}

/* ---- texts ----------------------------------------------------------- */

static struct step *
bind_text(struct plan *p, const struct node *call, const struct expr_fn *fn,
          struct step **arg)
{
    for (size_t i = 0; i < call->n_kids; i++)
        if (!want(p, call, &arg[i], COL_TEXT))
            return NULL;
    return step_call(p, call, fn->type, fn->fn, arg, call->n_kids);
}

static struct step *
bind_concat(struct plan *p, const struct node *call, const struct expr_fn *fn,
            struct step **arg)
{
    for (size_t i = 0; i < call->n_kids; i++)
        if (!(arg[i] = step_widen(p, arg[i], COL_TEXT)))
            return NULL;
    return step_call(p, call, fn->type, fn->fn, arg, call->n_kids);
}

static struct step *
bind_extract(struct plan *p, const struct node *call, const struct expr_fn *fn,
             struct step **arg)
{
    const struct node *pattern = call->kid->next;
    unsigned groups = regex_groups(pattern->regex);
    int64_t group = groups > 0;
    struct step *s;

    if (!want(p, call, &arg[0], COL_TEXT) ||
        (call->n_kids == 3 &&
         !literal_int(p, call, pattern->next, 0, groups, &group)) ||
        !(s = step_call(p, call, fn->type, fn->fn, arg, 1)))
        return NULL;
    s->regex = pattern->regex;
    s->option = group;
    return s;
}

static struct step *
bind_replace(struct plan *p, const struct node *call, const struct expr_fn *fn,
             struct step **arg)
{
    struct step *text[2] = {arg[0], arg[2]}, *s;

    if (!want(p, call, &text[0], COL_TEXT) ||
        !want(p, call, &text[1], COL_TEXT) ||
        !(s = step_call(p, call, fn->type, fn->fn, text, 2)))
        return NULL;
    s->regex = call->kid->next->regex;
    return s;
}

static bool
want_int(struct plan *p, const struct node *call, struct step **s)
{
    if (!(*s)->untyped && (*s)->type == COL_BOOL)
        *s = step_widen(p, *s, COL_INT64);
    return *s && want(p, call, s, COL_INT64);
}

/* substr, split_part, lpad, rpad: a text, then texts but for the one place
 * where a whole number stands; substr has two of them. */
static struct step *
bind_part(struct plan *p, const struct node *call, const struct expr_fn *fn,
          struct step **arg)
{
    size_t place = fn->fn == k_split_part ? 2 : 1;
    struct step *s;

    for (size_t i = 0; i < call->n_kids; i++) {
        bool number = i == place || (i > 0 && fn->fn == k_substr);

        if (number ? !want_int(p, call, &arg[i])
                   : !want(p, call, &arg[i], COL_TEXT))
            return NULL;
    }
    if ((s = step_call(p, call, fn->type, fn->fn, arg, call->n_kids)))
        s->option = fn->option;
    return s;
}

/* ---- dates ----------------------------------------------------------- */

/* A text literal stands for the date it spells. */
static bool
want_day(struct plan *p, const struct node *call, struct step **s)
{
    if (!(*s)->untyped &&
        ((*s)->type == COL_DATE || (*s)->type == COL_TIMESTAMP))
        return true;
    if ((*s)->untyped || (*s)->node->op == NODE_TEXT)
        return (*s = step_widen(p, *s, COL_TIMESTAMP));
    return bind_fail(p, (*s)->node, ERR_TYPE,
                     "%s wants a date or timestamp, not %s%s",
                     expr_fn_usage(call->fn), step_describe(p, *s),
                     (*s)->type == COL_TEXT ? "; date() reads it as one" : "");
}

static struct step *
bind_date_part(struct plan *p, const struct node *call,
               const struct expr_fn *fn, struct step **arg)
{
    struct step *s;

    if (!want_day(p, call, &arg[0]))
        return NULL;
    if ((s = step_call(p, call, COL_INT64, k_date_part, arg, 1)))
        s->option = fn->option;
    return s;
}

static struct step *
bind_days_between(struct plan *p, const struct node *call,
                  const struct expr_fn *fn, struct step **arg)
{
    struct step *day[2];

    (void)fn;
    for (size_t i = 0; i < 2; i++) {
        if (!want_day(p, call, &arg[i]))
            return NULL;
        day[1 - i] =
            arg[i]->type == COL_DATE
                ? arg[i]
                : step_call(p, arg[i]->node, COL_DATE,
                            kernel_cast(COL_TIMESTAMP, COL_DATE), &arg[i], 1);
        if (!day[1 - i])
            return NULL;
    }
    return step_call(p, call, COL_INT64, kernel_binary(NODE_SUB, VEC_INT), day,
                     2);
}

static struct step *
bind_date_trunc(struct plan *p, const struct node *call,
                const struct expr_fn *fn, struct step **arg)
{
    const struct node *unit = call->kid;
    struct step *s;
    int64_t option;

    if (unit->op != NODE_TEXT || !expr_unit_find(unit->text, &option)) {
        bind_fail(p, unit, ERR_RANGE,
                  "%s wants 'year', 'quarter', 'month', 'week', 'day', 'hour', "
                  "'minute' or 'second' here",
                  expr_fn_usage(fn));
        return NULL;
    }
    if (!want_day(p, call, &arg[1]))
        return NULL;
    if ((s = step_call(p, call, arg[1]->type, fn->fn, arg + 1, 1)))
        s->option = option;
    return s;
}

static struct step *
bind_add_months(struct plan *p, const struct node *call,
                const struct expr_fn *fn, struct step **arg)
{
    if (!want_day(p, call, &arg[0]) || !want_int(p, call, &arg[1]))
        return NULL;
    return step_call(p, call, arg[0]->type, fn->fn, arg, 2);
}

static struct step *
bind_months_between(struct plan *p, const struct node *call,
                    const struct expr_fn *fn, struct step **arg)
{
    struct step *s;

    for (size_t i = 0; i < 2; i++)
        if (!want_day(p, call, &arg[i]) ||
            !(arg[i] = step_widen(p, arg[i], COL_TIMESTAMP)))
            return NULL;
    if ((s = step_call(p, call, COL_INT64, fn->fn, arg, 2)))
        s->option = fn->option;
    return s;
}

/* strptime and strftime: the format stands in the expression itself. */
static struct step *
bind_format(struct plan *p, const struct node *call, const struct expr_fn *fn,
            struct step **arg)
{
    const struct node *format = call->kid->next;
    size_t bad;

    if (format->op != NODE_TEXT) {
        bind_fail(p, format, ERR_TYPE, "%s wants a format in quotes here",
                  expr_fn_usage(fn));
        return NULL;
    }
    if (!expr_format_check(format->text, &bad)) {
        bind_fail(p, format, ERR_PARSE,
                  "no directive '%%%.*s', expected one of %%Y %%y %%m %%d %%j "
                  "%%b %%B %%a %%A %%H %%I %%p %%M %%S %%f",
                  bad < format->text.n &&
                      !((unsigned char)format->text.p[bad] & 0x80),
                  format->text.p + bad);
        return NULL;
    }
    if (fn->type == COL_TEXT ? !want_day(p, call, &arg[0])
                             : !want(p, call, &arg[0], COL_TEXT))
        return NULL;
    return step_call(p, call, fn->type, fn->fn, arg, 1);
}

/* ---- the table ------------------------------------------------------- */

/* In the order of expr_fn below: by kind, as help shows them. */
static const struct expr_function docs[] = {
    {"if", "if(condition, a, b)",
     "a where the condition is true, else b (also where it is missing)"},
    {"coalesce", "coalesce(a, b, ...)", "the first that is not missing"},
    {"is_missing", "is_missing(x)", "is x missing? also: x is null"},
    {"min", "min(a, b, ...)",
     "the smallest; missing when one is; min(x) over (...): of the group"},
    {"max", "max(a, b, ...)",
     "the largest; missing when one is; max(x) over (...): of the group"},
    {"count", "count(x) over (...)",
     "how many are there in the group; of all rows without x"},
    {"sum", "sum(x) over (...)", "sum of the group"},
    {"mean", "mean(x) over (...)", "mean of the group"},
    {"sd", "sd(x) over (...)", "standard deviation of the group"},
    {"median", "median(x) over (...)", "median of the group"},
    {"distinct", "distinct(x) over (...)", "different values in the group"},
    {"missing", "missing(x) over (...)", "missing values in the group"},
    {"share", "share(condition) over (...)", "share of true in the group"},
    {"first", "first(x) over (...)", "first value that is there in the group"},
    {"last", "last(x) over (...)", "last value that is there in the group"},
    {"rank", "rank(x) over (...)",
     "place of x in the group, 1 for the smallest; ties share the least"},
    {"dense_rank", "dense_rank(x) over (...)",
     "the same, counting different values"},
    {"row_number", "row_number() over (...)", "1, 2, ... along the rows"},
    {"lag", "lag(x, n) over (...)", "x of the row n (1) before"},
    {"lead", "lead(x, n) over (...)", "x of the row n (1) after"},
    {"cumsum", "cumsum(x) over (...)", "sum up to this row"},
    {"cummin", "cummin(x) over (...)", "smallest up to this row"},
    {"cummax", "cummax(x) over (...)", "largest up to this row"},
    {"cummean", "cummean(x) over (...)", "mean up to this row"},
    {"abs", "abs(x)", "x without its sign"},
    {"round", "round(x, digits)",
     "to so many decimals (0 when left out), halves to even"},
    {"floor", "floor(x)", "the next whole number down"},
    {"ceil", "ceil(x)", "the next whole number up"},
    {"sqrt", "sqrt(x)", "square root; missing below zero"},
    {"exp", "exp(x)", "e to the power x"},
    {"log", "log(x)", "natural logarithm; missing at zero and below"},
    {"log10", "log10(x)", "decimal logarithm; missing at zero and below"},
    {"lower", "lower(text)", "in small letters"},
    {"upper", "upper(text)", "in capital letters"},
    {"trim", "trim(text)", "without blanks at both ends"},
    {"length", "length(text)", "how many characters"},
    {"contains", "contains(text, part)", "does the part occur in it?"},
    {"starts_with", "starts_with(text, part)", "does it begin with the part?"},
    {"ends_with", "ends_with(text, part)", "does it end with the part?"},
    {"replace", "replace(text, from, to)", "every `from` becomes `to`"},
    {"extract", "extract(text, pattern, group)",
     "what the regular expression matches (its first group if it has one); "
     "missing when it does not match"},
    {"replace_matches", "replace_matches(text, pattern, to)",
     "every match of the regular expression becomes `to`, where \\1 is its "
     "first group and \\0 all of it"},
    {"concat", "concat(a, b, ...)", "joined as text"},
    {"substr", "substr(text, start, n)",
     "n characters (all when left out) from the first, 1, or the last, -1, on"},
    {"split_part", "split_part(text, separator, n)",
     "part n between separators, -1 the last; missing when there is none"},
    {"position", "position(text, part)",
     "at which character the part begins; missing when it does not occur"},
    {"lpad", "lpad(text, n, fill)",
     "to n characters with fill (a blank) on the left"},
    {"rpad", "rpad(text, n, fill)",
     "to n characters with fill (a blank) on the right"},
    {"year", "year(date)", "year"},
    {"quarter", "quarter(date)", "quarter of the year, 1 to 4"},
    {"month", "month(date)", "month, 1 to 12"},
    {"week", "week(date)", "ISO 8601 week, 1 to 53"},
    {"day", "day(date)", "day of the month, 1 to 31"},
    {"weekday", "weekday(date)", "1 for Monday to 7 for Sunday"},
    {"yearday", "yearday(date)", "day of the year, 1 to 366"},
    {"hour", "hour(timestamp)", "hour of the day in UTC, 0 to 23"},
    {"minute", "minute(timestamp)", "minute of the hour, 0 to 59"},
    {"second", "second(timestamp)", "whole second of the minute, 0 to 59"},
    {"date_trunc", "date_trunc(unit, date)",
     "beginning of its 'year', 'quarter', 'month', 'week', 'day', 'hour', "
     "'minute' or 'second'"},
    {"add_months", "add_months(date, n)",
     "the same day n months later, or the last of a shorter month"},
    {"days_between", "days_between(a, b)", "days from a to b"},
    {"months_between", "months_between(a, b)", "whole months from a to b"},
    {"years_between", "years_between(a, b)", "whole years from a to b: an age"},
    {"strptime", "strptime(text, format)",
     "a timestamp read by a format: '%d.%m.%Y %H:%M'; missing when it does not "
     "match"},
    {"strftime", "strftime(date, format)", "a text by a format: '%Y-%m'"},
    {"int", "int(x)",
     "as a whole number, cut towards zero; dates in days, timestamps in "
     "seconds since 1970"},
    {"float", "float(x)", "as a number"},
    {"text", "text(x)", "as it is printed"},
    {"bool", "bool(x)",
     "texts: true t yes y on 1 and their opposites; numbers other than 0 are true"},
    {"date", "date(x)", "read from YYYY-MM-DD, days since 1970, a timestamp"},
    {"timestamp", "timestamp(x)",
     "read from YYYY-MM-DD hh:mm:ss, seconds since 1970, a date"},
};

#define OVER(when, groups, kind) \
    .over = (when), .aggregates = (groups), .window = (kind)

static const struct expr_fn table[] = {
    {3, 3, .bind = bind_if},
    {1, MANY, .bind = bind_fold, .option = 0},
    {1, 1, .bind = bind_missing, .fn = k_is_null, .type = COL_BOOL},
    {1, MANY, .bind = bind_fold, .option = 1, OVER(OVER_TURNS, true, AGG_MIN)},
    {1, MANY, .bind = bind_fold, .option = 2, OVER(OVER_TURNS, true, AGG_MAX)},
    {0, 1, OVER(OVER_MUST, true, AGG_COUNT)},
    {1, 1, OVER(OVER_MUST, true, AGG_SUM)},
    {1, 1, OVER(OVER_MUST, true, AGG_MEAN)},
    {1, 1, OVER(OVER_MUST, true, AGG_SD)},
    {1, 1, OVER(OVER_MUST, true, AGG_MEDIAN)},
    {1, 1, OVER(OVER_MUST, true, AGG_DISTINCT)},
    {1, 1, OVER(OVER_MUST, true, AGG_MISSING)},
    {1, 1, OVER(OVER_MUST, true, AGG_SHARE)},
    {1, 1, OVER(OVER_MUST, true, AGG_FIRST)},
    {1, 1, OVER(OVER_MUST, true, AGG_LAST)},
    {1, 1, OVER(OVER_MAY, false, WINDOW_RANK)},
    {1, 1, OVER(OVER_MAY, false, WINDOW_DENSE_RANK)},
    {0, 0, OVER(OVER_MAY, false, WINDOW_ROW_NUMBER)},
    {1, 2, OVER(OVER_MAY, false, WINDOW_LAG), .option = 1},
    {1, 2, OVER(OVER_MAY, false, WINDOW_LAG), .option = -1},
    {1, 1, OVER(OVER_MAY, false, WINDOW_CUMSUM)},
    {1, 1, OVER(OVER_MAY, false, WINDOW_CUMMIN)},
    {1, 1, OVER(OVER_MAY, false, WINDOW_CUMMAX)},
    {1, 1, OVER(OVER_MAY, false, WINDOW_CUMMEAN)},
    {1, 1, .bind = bind_math, .ints = k_abs_int, .floats = k_abs_float},
    {1, 2, .bind = bind_round, .floats = k_round},
    {1, 1, .bind = bind_round, .floats = k_floor},
    {1, 1, .bind = bind_round, .floats = k_ceil},
    {1, 1, .bind = bind_math, .floats = k_sqrt},
    {1, 1, .bind = bind_math, .floats = k_exp},
    {1, 1, .bind = bind_math, .floats = k_log},
    {1, 1, .bind = bind_math, .floats = k_log10},
    {1, 1, .bind = bind_text, .fn = k_lower, .type = COL_TEXT},
    {1, 1, .bind = bind_text, .fn = k_upper, .type = COL_TEXT},
    {1, 1, .bind = bind_text, .fn = k_trim, .type = COL_TEXT},
    {1, 1, .bind = bind_text, .fn = k_length, .type = COL_INT64},
    {2, 2, .bind = bind_text, .fn = k_contains, .type = COL_BOOL},
    {2, 2, .bind = bind_text, .fn = k_starts_with, .type = COL_BOOL},
    {2, 2, .bind = bind_text, .fn = k_ends_with, .type = COL_BOOL},
    {3, 3, .bind = bind_text, .fn = k_replace, .type = COL_TEXT},
    {2, 3, true, bind_extract, .fn = k_extract, .type = COL_TEXT},
    {3, 3, true, bind_replace, .fn = k_replace_matches, .type = COL_TEXT},
    {1, MAX_CONCAT, .bind = bind_concat, .fn = k_concat, .type = COL_TEXT},
    {2, 3, .bind = bind_part, .fn = k_substr, .type = COL_TEXT},
    {3, 3, .bind = bind_part, .fn = k_split_part, .type = COL_TEXT},
    {2, 2, .bind = bind_text, .fn = k_position, .type = COL_INT64},
    {2, 3, .bind = bind_part, .fn = k_pad, .type = COL_TEXT, .option = 1},
    {2, 3, .bind = bind_part, .fn = k_pad, .type = COL_TEXT, .option = 0},
    {1, 1, .bind = bind_date_part, .option = PART_YEAR},
    {1, 1, .bind = bind_date_part, .option = PART_QUARTER},
    {1, 1, .bind = bind_date_part, .option = PART_MONTH},
    {1, 1, .bind = bind_date_part, .option = PART_WEEK},
    {1, 1, .bind = bind_date_part, .option = PART_DAY},
    {1, 1, .bind = bind_date_part, .option = PART_WEEKDAY},
    {1, 1, .bind = bind_date_part, .option = PART_YEARDAY},
    {1, 1, .bind = bind_date_part, .option = PART_HOUR},
    {1, 1, .bind = bind_date_part, .option = PART_MINUTE},
    {1, 1, .bind = bind_date_part, .option = PART_SECOND},
    {2, 2, .bind = bind_date_trunc, .fn = k_date_trunc},
    {2, 2, .bind = bind_add_months, .fn = k_add_months},
    {2, 2, .bind = bind_days_between},
    {2, 2, .bind = bind_months_between, .fn = k_months_between, .option = 1},
    {2, 2, .bind = bind_months_between, .fn = k_months_between, .option = 12},
    {2, 2, .bind = bind_format, .fn = k_strptime, .type = COL_TIMESTAMP},
    {2, 2, .bind = bind_format, .fn = k_strftime, .type = COL_TEXT},
    {1, 1, .bind = bind_cast, .type = COL_INT64},
    {1, 1, .bind = bind_cast, .type = COL_FLOAT64},
    {1, 1, .bind = bind_cast, .type = COL_TEXT},
    {1, 1, .bind = bind_cast, .type = COL_BOOL},
    {1, 1, .bind = bind_cast, .type = COL_DATE},
    {1, 1, .bind = bind_cast, .type = COL_TIMESTAMP},
};

enum { N_FUNCTIONS = sizeof table / sizeof *table };
_Static_assert(sizeof docs / sizeof *docs == N_FUNCTIONS,
               "a function without help, or help without a function");

const struct expr_function *
expr_functions(size_t *n)
{
    *n = N_FUNCTIONS;
    return docs;
}

const struct expr_fn *
expr_fn_find(struct str name)
{
    for (size_t i = 0; i < N_FUNCTIONS; i++)
        if (str_eq_nocase(name, str_of(docs[i].name)))
            return &table[i];
    return NULL;
}

const char *
expr_fn_nearest(struct str name)
{
    const char *names[N_FUNCTIONS];

    for (size_t i = 0; i < N_FUNCTIONS; i++)
        names[i] = docs[i].name;
    return synonym_nearest(name, names, N_FUNCTIONS);
}

bool
expr_fn_arity(const struct expr_fn *fn, size_t n_args)
{
    return n_args >= fn->min_args && n_args <= fn->max_args;
}

const char *
expr_fn_usage(const struct expr_fn *fn)
{
    return docs[fn - table].usage;
}

const char *
expr_fn_name(const struct expr_fn *fn)
{
    return docs[fn - table].name;
}

bool
expr_fn_wants_pattern(const struct expr_fn *fn)
{
    return fn->pattern;
}

enum expr_over
expr_fn_over(const struct expr_fn *fn)
{
    return fn->over;
}

bool
expr_fn_orders(const struct expr_fn *fn)
{
    return !fn->aggregates && fn->window != WINDOW_RANK &&
           fn->window != WINDOW_DENSE_RANK;
}

bool
expr_fn_aggregates(const struct expr_fn *fn)
{
    return fn->aggregates;
}

int
expr_fn_window(const struct expr_fn *fn)
{
    return fn->window;
}

int64_t
expr_fn_shift(const struct expr_fn *fn)
{
    return fn->option;
}

struct step *
expr_fn_bind(struct plan *p, const struct node *call)
{
    struct step **arg;
    size_t i = 0;

    if (call->over || !call->fn->bind)
        return expr_window_bind(p, call);
    if (!(arg = arena_try(&p->mem, call->n_kids, sizeof *arg, p->err)))
        return NULL;
    for (const struct node *k = call->kid; k; k = k->next)
        if (!(arg[i++] = bind_node(p, k)))
            return NULL;
    return call->fn->bind(p, call, call->fn, arg);
}
