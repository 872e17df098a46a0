/* Groups and their aggregates.
 *
 * Rows are put in order of their group once (a counting sort, which keeps the
 * order of rows within a group); each aggregate then sees a group as a run.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/expr.h"
#include "frame/order.h"
#include "frame/query.h"
#include "frame/rowgroup.h"

enum aggregate_kind {
    AGG_COUNT,
    AGG_SUM,
    AGG_MEAN,
    AGG_MIN,
    AGG_MAX,
    AGG_SD,
    AGG_MEDIAN,
    AGG_DISTINCT,
    AGG_MISSING,
    AGG_SHARE
};

static const char *const words[] = {"count",   "sum",  "mean",   "min",
                                    "max",     "sd",   "median", "distinct",
                                    "missing", "share"};
enum { N_WORDS = sizeof words / sizeof *words };

struct groups {
    const struct frame *f;
    struct rowgroup found;
    uint32_t *row; /* rows, group by group */
    size_t *begin; /* of group i in row; n_groups + 1 of them */
};

struct aggregate {
    char *name;
    enum aggregate_kind kind;
    struct column *values; /* what it is taken over; NULL for count() */
};

/* ---- reading "name = mean(price)" ------------------------------------ */

/* The "=" between name and call; not "==", and not one inside the call. */
static const char *
find_equals(const char *text)
{
    size_t n = strcspn(text, "=(");

    return text[n] == '=' && text[n + 1] != '=' ? text + n : NULL;
}

static bool
find_kind(struct str word, enum aggregate_kind *out, struct error *err)
{
    const char *near;

    for (size_t i = 0; i < N_WORDS; i++)
        if (str_eq_nocase(word, str_of(words[i]))) {
            *out = (enum aggregate_kind)i;
            return true;
        }
    near = str_nearest(word, words, N_WORDS);
    return error_set(err, ERR_NOTFOUND,
                     near ? "no aggregate '%.*s' (did you mean '%s'?)"
                          : "no aggregate '%.*s'",
                     (int)(word.n > 60 ? 60 : word.n), word.p, near);
}

static bool
check_type(const struct aggregate *a, struct error *err)
{
    enum col_type t = column_type(a->values);
    bool number = t == COL_BOOL || t == COL_INT64 || t == COL_FLOAT64;

    if (a->kind == AGG_SHARE && t != COL_BOOL)
        return error_set(err, ERR_TYPE,
                         "share() wants a condition, and this is %s",
                         column_type_word(t));
    if ((a->kind == AGG_SUM || a->kind == AGG_MEAN || a->kind == AGG_SD ||
         a->kind == AGG_MEDIAN) &&
        !number)
        return error_set(err, ERR_TYPE, "%s() wants a number, and this is %s",
                         words[a->kind], column_type_word(t));
    return true;
}

/* The argument of the call, evaluated.  What surrounds it is blanked out, so
 * that errors count columns from the start of the aggregate's text. */
static bool
read_argument(struct aggregate *a, const char *text, size_t begin, size_t end,
              const struct frame *f, struct pool *pool, struct error *err)
{
    char *inner = mem_try_text(text, end, err);
    struct expr *e = NULL;
    bool blank = true;

    if (!inner)
        return false;
    memset(inner, ' ', begin);
    for (size_t i = begin; i < end; i++)
        blank = blank && isspace((unsigned char)inner[i]);
    if (blank) {
        free(inner);
        return a->kind == AGG_COUNT ||
               error_set(err, ERR_PARSE, "%s() wants a value", words[a->kind]);
    }
    if ((e = expr_parse((struct str){inner, end}, err)))
        a->values = expr_eval(e, f, pool, err);
    expr_free(e);
    free(inner);
    return a->values && check_type(a, err);
}

static bool
read_aggregate(struct aggregate *a, const char *text, const struct frame *f,
               struct pool *pool, struct error *err)
{
    const char *equals = find_equals(text);
    const char *call = equals ? equals + 1 : text;
    const char *open = strchr(call, '(');
    size_t len = strlen(text);
    struct str name = str_trim(
        equals ? (struct str){text, (size_t)(equals - text)} : str_of(text));

    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    if (!open || len == 0 || text[len - 1] != ')')
        return error_set(err, ERR_PARSE,
                         "expected name = function(value), as in total = "
                         "sum(price)");
    if (!find_kind(str_trim((struct str){call, (size_t)(open - call)}),
                   &a->kind, err) ||
        !(a->name = mem_try_text(name.p, name.n, err)))
        return false;
    return read_argument(a, text, (size_t)(open - text) + 1, len - 1, f, pool,
                         err);
}

/* ---- groups ---------------------------------------------------------- */

static bool
groups_init(struct groups *g, const struct frame *f, const size_t *by,
            size_t n_by, struct pool *pool, struct error *err)
{
    size_t n = frame_rows(f);

    g->f = f;
    if (!rowgroup_find(f, by, n_by, pool, NULL, &g->found, err) ||
        !(g->row = mem_try_array(n, sizeof *g->row, err)) ||
        !(g->begin =
              mem_try_array(g->found.n_groups + 2, sizeof *g->begin, err)))
        return false;
    /* Counted one place further on, so that filling turns ends to begins. */
    for (size_t i = 0; i < n; i++)
        g->begin[g->found.group[i] + 2]++;
    for (size_t k = 2; k < g->found.n_groups + 2; k++)
        g->begin[k] += g->begin[k - 1];
    for (size_t i = 0; i < n; i++)
        g->row[g->begin[g->found.group[i] + 1]++] = (uint32_t)i;
    return true;
}

static void
groups_fini(struct groups *g)
{
    rowgroup_fini(&g->found);
    free(g->row);
    free(g->begin);
}

/* ---- one aggregate --------------------------------------------------- */

struct result {
    enum col_type type;
    void *data;
    uint64_t *valid;
    uint64_t *key, *key2; /* scratch: the present values of a group */
    double *x;
};

static void
set_missing(struct result *r, size_t group)
{
    r->valid[group / 64] &= ~((uint64_t)1 << (group % 64));
}

static void
set_float(struct result *r, size_t group, double x, bool there)
{
    ((double *)r->data)[group] = there ? x : 0;
    if (!there)
        set_missing(r, group);
}

static size_t
present(const struct groups *g, const struct column *c, size_t group)
{
    size_t n = 0;

    for (size_t i = g->begin[group]; i < g->begin[group + 1]; i++)
        n += column_is_valid(c, g->row[i]);
    return n;
}

/* The present values of a group as numbers. */
static size_t
numbers(const struct groups *g, const struct column *c, size_t group, double *x)
{
    size_t n = 0;

    for (size_t i = g->begin[group]; i < g->begin[group + 1]; i++)
        if (column_is_valid(c, g->row[i]))
            x[n++] = column_number(c, g->row[i]);
    return n;
}

static double
sum_of(const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

static double
mean_of(const double *x, size_t n)
{
    return n ? sum_of(x, n) / (double)n : 0;
}

/* Two passes, divisor n - 1. */
static double
sd_of(const double *x, size_t n)
{
    double mean = mean_of(x, n), sum = 0, rest = 0;

    for (size_t i = 0; i < n; i++) {
        sum += (x[i] - mean) * (x[i] - mean);
        rest += x[i] - mean;
    }
    return sqrt((sum - rest * rest / (double)n) / (double)(n - 1));
}

static double
median_of(struct result *r, size_t n)
{
    uint64_t *sorted;
    double a, b;

    for (size_t i = 0; i < n; i++)
        r->key[i] = order_of_float(r->x[i]);
    sorted = order_sort(r->key, r->key2, n);
    a = order_to_float(sorted[(n - 1) / 2]);
    b = order_to_float(sorted[n / 2]);
    return a == b ? a : a / 2 + b / 2;
}

/* Sums of whole numbers are whole; one that leaves the range is missing. */
static void
sum_int(struct result *r, const struct groups *g, const struct column *c,
        size_t group)
{
    int64_t *out = (int64_t *)r->data + group, sum = 0;

    for (size_t i = g->begin[group]; i < g->begin[group + 1]; i++) {
        size_t row = g->row[i];
        int64_t x = column_type(c) == COL_BOOL ? column_bools(c)[row]
                                               : column_int64s(c)[row];

        if (x > 0 ? sum > INT64_MAX - x : sum < INT64_MIN - x) {
            set_missing(r, group);
            return;
        }
        sum += x;
    }
    *out = sum;
}

/* Row of the smallest or largest present value; the first of equal ones. */
static void
extreme(struct result *r, const struct groups *g, const struct aggregate *a,
        const uint32_t *rank, size_t group)
{
    const struct column *c = a->values;
    uint64_t best = 0, key;
    bool any = false;

    for (size_t i = g->begin[group]; i < g->begin[group + 1]; i++) {
        size_t row = g->row[i];

        if (!column_is_valid(c, row))
            continue;
        order_keys(c, row, row + 1, rank, &key);
        if (!any || (a->kind == AGG_MIN ? key < best : key > best)) {
            best = key;
            ((uint32_t *)r->data)[group] = (uint32_t)row;
        }
        any = true;
    }
    if (!any)
        set_missing(r, group);
}

static size_t
distinct(struct result *r, const struct groups *g, const struct column *c,
         size_t group)
{
    size_t n = 0, count = 0;
    uint64_t *sorted;

    for (size_t i = g->begin[group]; i < g->begin[group + 1]; i++)
        if (column_is_valid(c, g->row[i])) {
            order_keys(c, g->row[i], g->row[i] + 1, NULL, &r->key[n]);
            n++;
        }
    sorted = order_sort(r->key, r->key2, n);
    for (size_t i = 0; i < n; i++)
        count += i == 0 || sorted[i] != sorted[i - 1];
    return count;
}

static void
aggregate_group(struct result *r, const struct groups *g,
                const struct aggregate *a, size_t group)
{
    int64_t *whole = (int64_t *)r->data + group;
    size_t rows = g->begin[group + 1] - g->begin[group], n;

    switch (a->kind) {
    case AGG_COUNT:
        *whole = (int64_t)(a->values ? present(g, a->values, group) : rows);
        break;
    case AGG_MISSING:
        *whole = (int64_t)(rows - present(g, a->values, group));
        break;
    case AGG_DISTINCT:
        *whole = (int64_t)distinct(r, g, a->values, group);
        break;
    case AGG_SUM:
        if (r->type == COL_INT64) {
            sum_int(r, g, a->values, group);
            break;
        }
        n = numbers(g, a->values, group, r->x);
        set_float(r, group, sum_of(r->x, n), true);
        break;
    case AGG_MEAN:
    case AGG_SHARE:
        n = numbers(g, a->values, group, r->x);
        set_float(r, group, mean_of(r->x, n), n > 0);
        break;
    case AGG_SD:
        n = numbers(g, a->values, group, r->x);
        set_float(r, group, n > 1 ? sd_of(r->x, n) : 0, n > 1);
        break;
    case AGG_MEDIAN:
        n = numbers(g, a->values, group, r->x);
        set_float(r, group, n ? median_of(r, n) : 0, n > 0);
        break;
    case AGG_MIN:
    case AGG_MAX:
        break;
    }
}

static enum col_type
result_type(const struct aggregate *a)
{
    switch (a->kind) {
    case AGG_COUNT:
    case AGG_MISSING:
    case AGG_DISTINCT:
        return COL_INT64;
    case AGG_SUM:
        return column_type(a->values) == COL_FLOAT64 ? COL_FLOAT64 : COL_INT64;
    default:
        return COL_FLOAT64;
    }
}

static bool
result_init(struct result *r, enum col_type type, size_t width, size_t rows,
            size_t n, struct error *err)
{
    r->type = type;
    if (!(r->data = mem_try_aligned(n, width, err)) ||
        !(r->valid = mem_try_array((n + 63) / 64, sizeof *r->valid, err)) ||
        !(r->key = mem_try_array(rows, sizeof *r->key, err)) ||
        !(r->key2 = mem_try_array(rows, sizeof *r->key2, err)) ||
        !(r->x = mem_try_array(rows, sizeof *r->x, err)))
        return false;
    memset(r->valid, 0xff, (n + 63) / 64 * sizeof *r->valid);
    return true;
}

static void
result_fini(struct result *r)
{
    free(r->data);
    free(r->valid);
    free(r->key);
    free(r->key2);
    free(r->x);
}

/* min and max pick rows of the column, whatever its type. */
static struct column *
extremes(struct result *r, const struct groups *g, const struct aggregate *a,
         struct error *err)
{
    const struct column *c = a->values;
    size_t n = g->found.n_groups;
    uint32_t *rank = NULL;
    struct column *out = NULL;
    bool ok = true;

    if (column_type(c) == COL_TEXT)
        ok = (rank = mem_try_array(dict_count(column_dict(c)), sizeof *rank,
                                   err)) &&
             dict_ranks(column_dict(c), rank, err);
    for (size_t k = 0; ok && k < n; k++)
        extreme(r, g, a, rank, k);
    /* A group of missing values only names any of its rows: all are missing. */
    for (size_t k = 0; ok && k < n; k++)
        if (!(r->valid[k / 64] >> (k % 64) & 1))
            ((uint32_t *)r->data)[k] = g->row[g->begin[k]];
    if (ok)
        out = column_take(c, r->data, n, err);
    free(rank);
    return out;
}

static struct column *
aggregate_column(const struct groups *g, const struct aggregate *a,
                 struct error *err)
{
    size_t n = g->found.n_groups;
    bool picks = a->kind == AGG_MIN || a->kind == AGG_MAX;
    struct result r = {0};
    struct column *out = NULL;

    if (result_init(&r, result_type(a), picks ? sizeof(uint32_t) : 8,
                    frame_rows(g->f), n, err)) {
        if (picks) {
            out = extremes(&r, g, a, err);
        } else {
            for (size_t k = 0; k < n; k++)
                aggregate_group(&r, g, a, k);
            out = column_new(r.type, n, r.data, r.valid, NULL, err);
            r.data = r.valid = NULL;
        }
    }
    result_fini(&r);
    return out;
}

/* ---- all of them ----------------------------------------------------- */

struct work {
    const struct groups *g;
    struct aggregate *aggregate;
    struct column **column;
    struct error *error; /* one an aggregate */
};

static void
run_aggregate(void *ctx, size_t i, size_t begin, size_t end)
{
    struct work *w = ctx;

    (void)begin;
    (void)end;
    w->column[i] = aggregate_column(w->g, &w->aggregate[i], &w->error[i]);
}

/* Keys first, then aggregates; takes over what is in columns. */
static struct frame *
group_frame(const struct groups *g, const size_t *by, size_t n_by,
            const struct aggregate *a, size_t n, struct column **columns,
            struct error *err)
{
    const char **names = mem_try_array(n_by + n, sizeof *names, err);
    struct frame *out = NULL;
    bool ok = names;

    for (size_t i = 0; ok && i < n_by; i++) {
        names[i] = frame_name(g->f, by[i]);
        columns[i] = column_take(frame_column(g->f, by[i]), g->found.first,
                                 g->found.n_groups, err);
        ok = columns[i];
    }
    for (size_t i = 0; ok && i < n; i++)
        names[n_by + i] = a[i].name;
    if (ok)
        out = frame_new(g->found.n_groups, n_by + n, names, columns, err);
    else
        for (size_t i = 0; i < n_by + n; i++)
            column_unref(columns[i]);
    free(names);
    return out;
}

static struct frame *
run_all(const struct groups *g, const size_t *by, size_t n_by,
        struct aggregate *a, size_t n, struct pool *pool, struct error *err)
{
    struct column **columns = mem_try_array(n_by + n, sizeof *columns, err);
    struct error *errors =
        columns ? mem_try_array(n, sizeof *errors, err) : NULL;
    struct frame *out = NULL;
    bool ok = errors;

    if (ok) {
        struct work w = {
            .g = g, .aggregate = a, .column = columns + n_by, .error = errors};

        pool_for(pool, n, 1, run_aggregate, &w);
        for (size_t i = 0; ok && i < n; i++)
            if (!columns[n_by + i]) {
                *err = errors[i];
                ok = false;
            }
        if (ok)
            out = group_frame(g, by, n_by, a, n, columns, err);
        else
            for (size_t i = 0; i < n; i++)
                column_unref(columns[n_by + i]);
    }
    free(columns);
    free(errors);
    return out;
}

struct frame *
query_group(const struct frame *f, const size_t *by, size_t n_by,
            const char *const *aggregates, size_t n_aggregates,
            struct pool *pool, struct error *err)
{
    struct aggregate *a = mem_try_array(n_aggregates, sizeof *a, err);
    struct groups g = {0};
    struct frame *out = NULL;
    bool ok = a;

    for (size_t i = 0; ok && i < n_aggregates; i++)
        if (!(ok = read_aggregate(&a[i], aggregates[i], f, pool, err)))
            error_prefix(err, "%s: ", aggregates[i]);
    if (ok && groups_init(&g, f, by, n_by, pool, err))
        out = run_all(&g, by, n_by, a, n_aggregates, pool, err);
    groups_fini(&g);
    for (size_t i = 0; a && i < n_aggregates; i++) {
        free(a[i].name);
        column_unref(a[i].values);
    }
    free(a);
    return out;
}
