/* engine/explain_effect.c -- what a model answers when one input is set.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"
#include "engine/explain_state.h"
#include "frame/order.h"

enum { POINTS = 40, MAX_POINTS = 1000, ROWS = 10000 };

/* ---- the grid ---- */

/* The values that are there and finite, ascending; caller frees. */
static double *
sorted_numbers(const struct column *c, size_t *n, struct error *err)
{
    size_t rows = column_rows(c), m = 0;
    double *x = mem_try_array(rows, sizeof *x, err);

    if (!x)
        return NULL;
    column_numbers(c, 0, rows, x);
    for (size_t i = 0; i < rows; i++)
        if (isfinite(x[i]))
            x[m++] = x[i];
    *n = m;
    if (order_numbers(x, m, NULL, err))
        return x;
    free(x);
    return NULL;
}

/* The quantile that scipy's mquantiles() gives (alpha = beta = 0.4), for the
 * grid to be that of others. */
static double
quantile(const double *x, size_t n, double p)
{
    double at = (double)n * p + 0.4 + 0.2 * p, whole;

    if (n == 1 || at < 1)
        return x[0];
    whole = floor(at);
    if (whole >= (double)n)
        return x[n - 1];
    at -= whole;
    return (1 - at) * x[(size_t)whole - 1] + at * x[(size_t)whole];
}

/* out: room for `points`; how many there are. */
static size_t
number_grid(const double *x, size_t n, size_t points, double *out)
{
    size_t distinct = 0;
    double low, high;

    for (size_t i = 0; i < n && distinct <= points; i++)
        if (i == 0 || x[i] != x[i - 1]) {
            if (distinct < points)
                out[distinct] = x[i];
            distinct++;
        }
    if (distinct <= points)
        return distinct;
    low = quantile(x, n, 0.05);
    high = quantile(x, n, 0.95);
    if (!(low < high)) { /* nearly all are alike */
        low = x[0];
        high = x[n - 1];
    }
    for (size_t i = 0; i < points; i++)
        out[i] = points == 1
                     ? low
                     : low + (high - low) * (double)i / (double)(points - 1);
    return points;
}

/* Numbers as a column that the model takes for the input's kind. */
static struct column *
column_of_numbers(enum col_type type, const double *x, size_t n,
                  struct error *err)
{
    void *data = mem_try_aligned(n, column_width(type), err);

    if (!data)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        if (type == COL_DATE)
            ((int32_t *)data)[i] = (int32_t)floor(x[i] + 0.5);
        else if (type == COL_TIMESTAMP)
            ((int64_t *)data)[i] = (int64_t)floor(x[i] * 1e6 + 0.5);
        else if (type == COL_BOOL)
            ((uint8_t *)data)[i] = x[i] != 0;
        else
            ((double *)data)[i] = x[i];
    }
    return column_new(type, n, data, NULL, NULL, err);
}

static struct column *
grid_of_numbers(const struct column *c, size_t points, struct error *err)
{
    enum col_type type =
        column_type(c) == COL_INT64 ? COL_FLOAT64 : column_type(c);
    size_t n = 0;
    double *x = sorted_numbers(c, &n, err);
    double *grid = mem_try_array(points, sizeof *grid, err);
    struct column *out = NULL;

    if (x && grid)
        out =
            column_of_numbers(type, grid, number_grid(x, n, points, grid), err);
    free(x);
    free(grid);
    return out;
}

struct level {
    size_t n;
    uint32_t code;
};

static int
by_frequency(const void *a, const void *b)
{
    const struct level *x = a, *y = b;

    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return x->code < y->code ? -1 : x->code > y->code;
}

static struct column *
column_of_levels(const struct dict *d, const struct level *l, size_t n,
                 struct error *err)
{
    uint32_t *codes = mem_try_aligned(n, sizeof *codes, err);
    struct dict *mine = codes ? dict_new(err) : NULL;

    for (size_t i = 0; mine && i < n; i++)
        if (!dict_add(mine, dict_text(d, l[i].code), &codes[i], err)) {
            dict_unref(mine);
            mine = NULL;
        }
    if (mine)
        return column_new(COL_TEXT, n, codes, NULL, mine, err);
    free(codes);
    return NULL;
}

/* The most frequent texts. */
static struct column *
grid_of_texts(const struct column *c, size_t points, struct error *err)
{
    const struct dict *d = column_dict(c);
    size_t levels = dict_count(d), n = 0;
    const uint32_t *code = column_codes(c);
    struct level *l = mem_try_array(levels, sizeof *l, err);
    struct column *out;

    if (!l)
        return NULL;
    for (size_t i = 0; i < levels; i++)
        l[i].code = (uint32_t)i;
    for (size_t i = 0; i < column_rows(c); i++)
        if (column_is_valid(c, i))
            l[code[i]].n++;
    qsort(l, levels, sizeof *l, by_frequency);
    while (n < levels && n < points && l[n].n > 0)
        n++;
    out = column_of_levels(d, l, n, err);
    free(l);
    return out;
}

static bool
make_grid(struct effect *e, const struct column *c, size_t points,
          struct error *err)
{
    e->type = column_type(c);
    e->grid = e->type == COL_TEXT ? grid_of_texts(c, points, err)
                                  : grid_of_numbers(c, points, err);
    if (!e->grid)
        return false;
    e->n_points = column_rows(e->grid);
    return e->n_points > 0 ||
           error_set(err, ERR_RANGE, "column '%s' has no value", e->column);
}

/* ---- asking ---- */

static bool
ask_point(struct effect *e, const struct frame *rows, size_t point,
          const struct train *ctx, uint32_t *id, struct error *err)
{
    struct column *c;
    struct frame *f = NULL;
    bool ok;

    for (size_t i = 0; i < e->n_rows; i++)
        id[i] = (uint32_t)point;
    if ((c = column_take(e->grid, id, e->n_rows, err)))
        f = frame_with(rows, e->column, c, err);
    ok = f && explain_predict(e->model, f, ctx, e->k,
                              e->value + point * e->n_rows * e->k, err);
    frame_unref(f);
    progress_add(ctx->progress, 1);
    return ok;
}

static bool
ask_points(struct effect *e, const struct frame *rows, const struct train *ctx,
           struct error *err)
{
    uint32_t *id = mem_try_array(e->n_rows, sizeof *id, err);
    size_t total;
    bool ok = id != NULL;

    if (!mem_mul(e->n_points, e->n_rows, &total))
        ok = error_set(err, ERR_NOMEM, "%zu points of %zu rows do not fit",
                       e->n_points, e->n_rows);
    ok = ok && (e->value = mem_try_array(total, e->k * sizeof *e->value, err));
    progress_begin(ctx->progress, "asking", e->n_points);
    for (size_t p = 0; ok && p < e->n_points; p++)
        ok = ask_point(e, rows, p, ctx, id, err);
    free(id);
    return ok;
}

static bool
need_input(const struct model *m, const char *name, struct error *err)
{
    size_t n;
    const struct input *in = model_inputs(m, &n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(in[i].name, name) == 0)
            return true;
    return error_set(err, ERR_NOTFOUND, "the model has no input '%s'", name);
}

static bool
effect_make(struct effect *e, const struct frame *f,
            const struct effect_options *o, const struct train *ctx,
            struct error *err)
{
    size_t points = o->points ? o->points : POINTS, col;
    struct frame *rows = NULL;
    bool ok;

    if (points > MAX_POINTS)
        return error_set(err, ERR_RANGE, "%zu points, expected 1..%d", points,
                         MAX_POINTS);
    if (!need_input(e->model, o->column, err) ||
        !frame_need(f, o->column, &col, err) ||
        !(e->column = mem_try_text(o->column, strlen(o->column), err)) ||
        !make_grid(e, frame_column(f, col), points, err) ||
        !explain_draw(frame_rows(f), o->rows ? o->rows : ROWS, ctx->seed,
                      &e->row, &e->n_rows, err))
        return false;
    rows = frame_take(f, e->row, e->n_rows, err);
    ok = rows && ask_points(e, rows, ctx, err);
    frame_unref(rows);
    return ok;
}

bool
explain_effect(const struct model *m, const struct frame *f,
               const struct effect_options *o, const struct train *ctx,
               struct effect *out, struct error *err)
{
    *out = (struct effect){.model = model_ref(m), .k = explain_outputs(m)};
    explain_answer_name(m, out->scale, sizeof out->scale);
    if (explain_names_init(&out->names, m, err) &&
        effect_make(out, f, o, ctx, err))
        return true;
    effect_fini(out);
    return false;
}

void
effect_fini(struct effect *e)
{
    model_unref(e->model);
    explain_names_fini(&e->names);
    free(e->column);
    column_unref(e->grid);
    free(e->row);
    free(e->value);
    *e = (struct effect){.n_rows = 0};
}

/* ---- as frames ---- */

double
effect_mean(const struct effect *e, size_t point, size_t output)
{
    const double *v = e->value + point * e->n_rows * e->k + output;
    double sum = 0;

    for (size_t i = 0; i < e->n_rows; i++)
        sum += v[i * e->k];
    return e->n_rows ? sum / (double)e->n_rows : NAN;
}

/* Column `at[i]` of the grid for each of n rows. */
static struct column *
grid_values(const struct effect *e, size_t n, size_t first, size_t each,
            struct error *err)
{
    uint32_t *id = mem_try_array(n, sizeof *id, err);
    struct column *c = NULL;

    for (size_t i = 0; id && i < n; i++)
        id[i] = (uint32_t)((i / first) % each);
    if (id)
        c = column_take(e->grid, id, n, err);
    free(id);
    return c;
}

/* Mean and percentiles of point p, output c. */
static void
sum_up(const struct effect *e, size_t p, size_t c, double *scratch, double *out)
{
    const double *v = e->value + p * e->n_rows * e->k + c;

    for (size_t i = 0; i < e->n_rows; i++)
        scratch[i] = v[i * e->k];
    qsort(scratch, e->n_rows, sizeof *scratch, sort_rising);
    out[0] = effect_mean(e, p, c);
    out[1] = e->n_rows ? quantile(scratch, e->n_rows, 0.1) : NAN;
    out[2] = e->n_rows ? quantile(scratch, e->n_rows, 0.9) : NAN;
}

struct frame *
effect_frame(const struct effect *e, long output, struct error *err)
{
    static const char *const name[] = {"mean", "low", "high"};
    size_t outputs = output < 0 ? e->k : 1, n = e->n_points * outputs;
    double *x = mem_try_array(n, 3 * sizeof *x, err);
    double *scratch = mem_try_array(e->n_rows, sizeof *scratch, err);
    struct explain_columns c;
    struct frame *out = NULL;

    for (size_t i = 0; x && scratch && i < n; i++)
        sum_up(e, i / outputs, output < 0 ? i % outputs : (size_t)output,
               scratch, x + 3 * i);
    if (x && scratch) {
        if (explain_columns_init(&c, n, 5, err))
            explain_columns_add(&c, e->column,
                                grid_values(e, n, outputs, e->n_points, err),
                                err);
        if (outputs > 1)
            explain_columns_add(
                &c, e->names.word,
                explain_texts(e->names.name, outputs, 1, n, err), err);
        for (size_t v = 0; v < 3; v++)
            explain_columns_numbers(&c, name[v], x + v, 3, err);
        out = explain_columns_end(&c, err);
    }
    free(x);
    free(scratch);
    return out;
}

struct frame *
effect_curves(const struct effect *e, long output, struct error *err)
{
    size_t outputs = output < 0 ? e->k : 1;
    size_t per_row = e->n_points * outputs, n = e->n_rows * per_row;
    double *x = mem_try_array(n, sizeof *x, err);
    int64_t *row = mem_try_aligned(n, sizeof *row, err);
    struct explain_columns c;

    if (!x || !row || !explain_columns_init(&c, n, 4, err)) {
        free(x);
        free(row);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        size_t r = i / per_row, p = i % per_row / outputs;
        size_t k = output < 0 ? i % outputs : (size_t)output;

        x[i] = e->value[(p * e->n_rows + r) * e->k + k];
        row[i] = (int64_t)e->row[r] + 1;
    }
    explain_columns_add(&c, "row",
                        column_new(COL_INT64, n, row, NULL, NULL, err), err);
    explain_columns_add(&c, e->column,
                        grid_values(e, n, outputs, e->n_points, err), err);
    if (outputs > 1)
        explain_columns_add(&c, e->names.word,
                            explain_texts(e->names.name, outputs, 1, n, err),
                            err);
    explain_columns_numbers(&c, "prediction", x, 1, err);
    free(x);
    return explain_columns_end(&c, err);
}
