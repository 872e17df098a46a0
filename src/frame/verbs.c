/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/verbs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "frame/expr.h"
#include "frame/gather.h"
#include "frame/names.h"
#include "frame/order.h"
#include "frame/query.h"
#include "frame/rowgroup.h"

static size_t
count_names(const char *const *names)
{
    size_t n = 0;

    while (names && names[n])
        n++;
    return n;
}

/* The columns of these names, for the caller to free. */
static size_t *
find_columns(const struct frame *f, const char *const *names, size_t n,
             struct error *err)
{
    size_t *col = mem_try_array(n, sizeof *col, err);

    for (size_t i = 0; col && i < n; i++)
        if (!frame_need(f, names[i], &col[i], err)) {
            free(col);
            return NULL;
        }
    return col;
}

/* ---- by expressions -------------------------------------------------- */

struct frame *
verb_where(const struct frame *f, const char *expression, struct pool *pool,
           struct error *err)
{
    struct expr *e = expr_parse(str_of(expression), err);
    struct frame *out = NULL;
    uint32_t *rows;
    size_t n;

    if (e && expr_where(e, f, pool, &rows, &n, err)) {
        out = gather_frame(f, rows, n, pool, err);
        free(rows);
    }
    expr_free(e);
    return out;
}

struct frame *
verb_with(const struct frame *f, const char *name, const char *expression,
          struct pool *pool, struct error *err)
{
    struct expr *e = expr_parse(str_of(expression), err);
    struct column *c = e ? expr_eval(e, f, pool, err) : NULL;
    struct frame *out = c ? frame_with(f, name, c, err) : NULL;

    if (!out)
        error_prefix(err, "%s: ", name);
    expr_free(e);
    return out;
}

struct frame *
verb_derive(const struct frame *f, const char *text, struct pool *pool,
            struct error *err)
{
    size_t n = strcspn(text, "=");
    struct str name = str_trim((struct str){text, n});
    struct frame *out = NULL;
    char *copy;

    if (!name.n || !text[n] || text[n + 1] == '=') {
        error_set(err, ERR_PARSE,
                  "'%.60s': expected name = expression, as in total = price * "
                  "qty",
                  text);
        return NULL;
    }
    if ((copy = mem_try_text(name.p, name.n, err)))
        out = verb_with(f, copy, text + n + 1, pool, err);
    free(copy);
    return out;
}

/* ---- by names -------------------------------------------------------- */

struct frame *
verb_select(const struct frame *f, const char *const *names, struct error *err)
{
    size_t n = count_names(names), *col = find_columns(f, names, n, err);
    struct frame *out = col ? frame_select(f, col, n, err) : NULL;

    free(col);
    return out;
}

struct frame *
verb_rename(const struct frame *f, const char *from, const char *to,
            struct error *err)
{
    size_t n = frame_cols(f), at;
    const char **names = mem_try_array(n, sizeof *names, err);
    struct column **cols = mem_try_array(n, sizeof *cols, err);
    struct frame *out = NULL;

    if (names && cols && frame_need(f, from, &at, err)) {
        for (size_t i = 0; i < n; i++) {
            names[i] = i == at ? to : frame_name(f, i);
            cols[i] = column_ref(frame_column(f, i));
        }
        out = frame_new(frame_rows(f), n, names, cols, err);
    }
    free(names);
    free(cols);
    return out;
}

struct frame *
verb_top(const struct frame *f, const char *const *names, size_t n,
         struct pool *pool, struct error *err)
{
    size_t n_keys = count_names(names);
    struct query_key *key = mem_try_array(n_keys, sizeof *key, err);
    uint32_t *rows = NULL;
    struct frame *out = NULL;
    bool ok = key;

    if (n > frame_rows(f))
        n = frame_rows(f);
    for (size_t i = 0; ok && i < n_keys; i++)
        ok = query_key_find(f, names[i], &key[i], err);
    if (ok && (rows = query_top(f, key, n_keys, n, pool, err)))
        out = gather_frame(f, rows, n, pool, err);
    free(rows);
    free(key);
    return out;
}

struct frame *
verb_sort(const struct frame *f, const char *const *names, struct pool *pool,
          struct error *err)
{
    return verb_top(f, names, frame_rows(f), pool, err);
}

struct frame *
verb_group(const struct frame *f, const char *const *by,
           const char *const *aggregates, struct pool *pool,
           const struct progress *progress, struct error *err)
{
    size_t n = count_names(by), *col = find_columns(f, by, n, err);
    struct frame *out = NULL;

    if (col)
        out = query_group(f, col, n, aggregates, count_names(aggregates), pool,
                          progress, err);
    free(col);
    return out;
}

struct frame *
verb_distinct(const struct frame *f, const char *const *names,
              struct pool *pool, struct error *err)
{
    size_t n = count_names(names), *col = NULL;
    struct rowgroup g = {0};
    struct frame *out = NULL;

    if (n) {
        col = find_columns(f, names, n, err);
    } else if ((col = mem_try_array(frame_cols(f), sizeof *col, err))) {
        for (n = 0; n < frame_cols(f); n++)
            col[n] = n;
    }
    if (col && rowgroup_find(f, col, n, pool, NULL, &g, err))
        out = gather_frame(f, g.first, g.n_groups, pool, err);
    rowgroup_fini(&g);
    free(col);
    return out;
}

/* ---- samples --------------------------------------------------------- */

static int
by_row(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

struct frame *
verb_sample(const struct frame *f, double amount, uint64_t seed,
            struct pool *pool, struct error *err)
{
    size_t n = frame_rows(f), wanted;
    struct frame *out = NULL;
    uint32_t *rows;

    if (!(amount >= 0)) {
        error_set(err, ERR_RANGE,
                  "a sample is a number of rows or a share below 1, not %g",
                  amount);
        return NULL;
    }
    if (amount < 1)
        amount = rint(amount * (double)n);
    wanted = amount < (double)n ? (size_t)amount : n;
    if (!(rows = mem_try_array(n, sizeof *rows, err)))
        return NULL;
    for (size_t i = 0; i < n; i++)
        rows[i] = (uint32_t)i;
    rng_shuffle(seed, 0, rows, n);
    qsort(rows, wanted, sizeof *rows, by_row);
    out = gather_frame(f, rows, wanted, pool, err);
    free(rows);
    return out;
}

/* ---- pivots ---------------------------------------------------------- */

struct pivot {
    const struct frame *groups; /* by, across, aggregates */
    size_t n_by, n_aggregates;
    struct rowgroup row, value; /* rows of groups by `by`, and by across */
    uint32_t *order;            /* rows of groups, by the value of across */
    size_t n_cols, n_names;     /* made so far */
    char **name;
    struct column **column;
};

/* "value", or "value name" beside other aggregates. */
static char *
pivot_name(const struct pivot *p, size_t row, size_t aggregate, size_t col,
           struct dict *taken, struct error *err)
{
    const struct column *c = frame_column(p->groups, p->n_by);
    char *name = NULL;
    struct buf text;

    buf_init(&text);
    if (column_is_valid(c, row))
        column_print(c, row, &text);
    else
        buf_puts(&text, "missing");
    if (p->n_aggregates > 1)
        buf_printf(&text, " %s",
                   frame_name(p->groups, p->n_by + 1 + aggregate));
    if (buf_check(&text, err))
        name = names_unique((struct str){text.data, text.len}, col, taken, err);
    buf_fini(&text);
    return name;
}

/* The cells of one value: the row of groups for each row of the result. */
static void
cells_of(const struct pivot *p, uint32_t value, uint32_t *rows)
{
    for (size_t i = 0; i < p->row.n_groups; i++)
        rows[i] = COLUMN_NO_ROW;
    for (size_t i = 0; i < frame_rows(p->groups); i++)
        if (p->value.group[i] == value)
            rows[p->row.group[i]] = (uint32_t)i;
}

static bool
pivot_keys(struct pivot *p, struct dict *taken, struct pool *pool,
           struct error *err)
{
    for (size_t i = 0; i < p->n_by; i++) {
        const struct column *c = frame_column(p->groups, i);

        p->name[p->n_names++] =
            names_unique(str_of(frame_name(p->groups, i)), i, taken, err);
        if (!p->name[i] || !gather_columns(&c, 1, p->row.first, p->row.n_groups,
                                           false, pool, &p->column[i], err))
            return false;
        p->n_cols++;
    }
    return true;
}

static bool
pivot_value(struct pivot *p, uint32_t first, struct dict *taken, uint32_t *rows,
            struct pool *pool, struct error *err)
{
    cells_of(p, p->value.group[first], rows);
    for (size_t a = 0; a < p->n_aggregates; a++) {
        const struct column *c = frame_column(p->groups, p->n_by + 1 + a);
        size_t col = p->n_cols;

        p->name[p->n_names++] = pivot_name(p, first, a, col, taken, err);
        if (!p->name[col] || !gather_columns(&c, 1, rows, p->row.n_groups, true,
                                             pool, &p->column[col], err))
            return false;
        p->n_cols++;
    }
    return true;
}

/* Key columns, then the values in order. */
static bool
pivot_columns(struct pivot *p, struct pool *pool, struct error *err)
{
    size_t n = p->n_by + p->value.n_groups * p->n_aggregates;
    struct dict *taken = dict_new(err);
    uint32_t *rows = mem_try_array(p->row.n_groups + 1, sizeof *rows, err),
             last = 0;
    bool ok = taken && rows &&
              (p->name = mem_try_array(n, sizeof *p->name, err)) &&
              (p->column = mem_try_array(n, sizeof *p->column, err)) &&
              pivot_keys(p, taken, pool, err);

    for (size_t i = 0; ok && i < frame_rows(p->groups); i++) {
        uint32_t row = p->order[i];

        if (i && p->value.group[row] == last)
            continue;
        last = p->value.group[row];
        ok = pivot_value(p, row, taken, rows, pool, err);
    }
    free(rows);
    dict_unref(taken);
    return ok;
}

static bool
pivot_find(struct pivot *p, struct pool *pool, struct error *err)
{
    struct query_key key = {.col = p->n_by};
    size_t *by = mem_try_array(p->n_by, sizeof *by, err);
    bool ok = by;

    for (size_t i = 0; ok && i < p->n_by; i++)
        by[i] = i;
    ok = ok &&
         rowgroup_find(p->groups, by, p->n_by, pool, NULL, &p->row, err) &&
         rowgroup_find(p->groups, &key.col, 1, pool, NULL, &p->value, err) &&
         (p->order = query_sort(p->groups, &key, 1, pool, NULL, err));
    free(by);
    if (ok && p->value.n_groups * p->n_aggregates > VERB_MAX_PIVOT)
        return error_set(err, ERR_LIMIT,
                         "a pivot over %s would have %zu columns, at most %d",
                         frame_name(p->groups, p->n_by),
                         p->value.n_groups * p->n_aggregates, VERB_MAX_PIVOT);
    return ok;
}

static void
pivot_fini(struct pivot *p)
{
    for (size_t i = 0; p->name && i < p->n_names; i++)
        free(p->name[i]);
    rowgroup_fini(&p->row);
    rowgroup_fini(&p->value);
    free(p->order);
    free(p->name);
    free(p->column);
}

struct frame *
verb_spread(const struct frame *groups, size_t n_by, size_t n_aggregates,
            struct pool *pool, struct error *err)
{
    struct pivot p = {
        .groups = groups, .n_by = n_by, .n_aggregates = n_aggregates};
    struct frame *out = NULL;

    if (pivot_find(&p, pool, err) && pivot_columns(&p, pool, err))
        out = frame_new(p.row.n_groups, p.n_cols, (const char *const *)p.name,
                        p.column, err);
    else
        for (size_t i = 0; p.column && i < p.n_cols; i++)
            column_unref(p.column[i]);
    pivot_fini(&p);
    return out;
}

struct frame *
verb_pivot(const struct frame *f, const char *const *by, const char *across,
           const char *const *aggregates, struct pool *pool,
           const struct progress *progress, struct error *err)
{
    size_t n = count_names(by), n_aggregates = count_names(aggregates);
    const char **all = mem_try_array(n + 2, sizeof *all, err);
    struct frame *groups = NULL, *out = NULL;

    if (all) {
        if (n)
            memcpy(all, by, n * sizeof *all);
        all[n] = across;
        groups = verb_group(f, all, aggregates, pool, progress, err);
    }
    if (groups)
        out = verb_spread(groups, n, n_aggregates, pool, err);
    frame_unref(groups);
    free(all);
    return out;
}
