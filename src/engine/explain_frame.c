/* engine/explain_frame.c -- explanations as frames.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/explain_state.h"
#include "frame/names.h"

/* ---- lists of columns ---- */

bool
explain_columns_init(struct explain_columns *c, size_t n_rows, size_t cap,
                     struct error *err)
{
    *c = (struct explain_columns){.n_rows = n_rows, .cap = cap};
    c->taken = dict_new(err);
    c->name = mem_try_array(cap, sizeof *c->name, err);
    c->column = mem_try_array(cap, sizeof(struct column *), err);
    if (c->taken && c->name && c->column)
        return true;
    free(c->name);
    free(c->column);
    dict_unref(c->taken);
    *c = (struct explain_columns){.failed = true};
    return false;
}

void
explain_columns_add(struct explain_columns *c, const char *name,
                    struct column *column, struct error *err)
{
    char *mine = NULL;

    if (!c->failed && column)
        mine = names_unique(str_of(name), c->n, c->taken, err);
    if (!mine) {
        column_unref(column);
        c->failed = true;
        return;
    }
    c->name[c->n] = mine;
    c->column[c->n++] = column;
}

void
explain_columns_numbers(struct explain_columns *c, const char *name,
                        const double *first, size_t stride, struct error *err)
{
    double *x = c->failed ? NULL : mem_try_aligned(c->n_rows, sizeof *x, err);

    for (size_t i = 0; x && i < c->n_rows; i++)
        x[i] = first[i * stride];
    explain_columns_add(
        c, name,
        x ? column_new(COL_FLOAT64, c->n_rows, x, NULL, NULL, err) : NULL, err);
}

struct frame *
explain_columns_end(struct explain_columns *c, struct error *err)
{
    struct frame *f = NULL;

    if (!c->failed)
        f = frame_new(c->n_rows, c->n, (const char *const *)c->name, c->column,
                      err);
    else
        for (size_t i = 0; i < c->n; i++)
            column_unref(c->column[i]);
    for (size_t i = 0; i < c->n; i++)
        free(c->name[i]);
    free(c->name);
    free(c->column);
    dict_unref(c->taken);
    return f;
}

struct column *
explain_texts(const char *const *text, size_t n, size_t each, size_t n_rows,
              struct error *err)
{
    uint32_t *codes = mem_try_aligned(n_rows, sizeof *codes, err), code;
    struct dict *dict = codes ? dict_new(err) : NULL;

    for (size_t i = 0; dict && i < n; i++)
        if (!dict_add(dict, str_of(text[i]), &code, err)) {
            dict_unref(dict);
            dict = NULL;
        }
    if (!dict) {
        free(codes);
        return NULL;
    }
    for (size_t r = 0; r < n_rows; r++)
        codes[r] = dict_find(dict, str_of(text[r / each % n]));
    return column_new(COL_TEXT, n_rows, codes, NULL, dict, err);
}

/* ---- rankings ---- */

struct ranked {
    double by;
    size_t at;
};

static int
by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    bool lost = isnan(x->by), late = isnan(y->by);

    if (lost != late)
        return lost ? 1 : -1;
    if (!lost && x->by != y->by)
        return x->by > y->by ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

struct frame *
explain_ranking(const char *const *name, size_t n, const char *const *title,
                const double *const *value, size_t n_values, struct error *err)
{
    struct ranked *order = mem_try_array(n, sizeof *order, err);
    const char **names = mem_try_array(n, sizeof *names, err);
    double *x = mem_try_array(n, sizeof *x, err);
    struct explain_columns c;
    struct frame *out = NULL;

    if (!order || !names || !x)
        goto out;
    for (size_t i = 0; i < n; i++)
        order[i] = (struct ranked){value[0][i], i};
    qsort(order, n, sizeof *order, by_rank);
    for (size_t i = 0; i < n; i++)
        names[i] = name[order[i].at];
    if (explain_columns_init(&c, n, n_values + 1, err))
        explain_columns_add(&c, "column", explain_texts(names, n, 1, n, err),
                            err);
    for (size_t v = 0; v < n_values; v++) {
        for (size_t i = 0; i < n; i++)
            x[i] = value[v][order[i].at];
        explain_columns_numbers(&c, title[v], x, 1, err);
    }
    out = explain_columns_end(&c, err);
out:
    free(order);
    free(names);
    free(x);
    return out;
}

/* ---- shares ---- */

const double *
shares_at(const struct shares *s, size_t row, size_t output)
{
    size_t width = s->n_features + 1;

    return s->value + (row * s->k + output) * width * (s->pairs ? width : 1);
}

double
shares_margin(const struct shares *s, size_t row, size_t output)
{
    size_t width = s->n_features + 1;
    const double *v = shares_at(s, row, output);
    double sum = 0;

    for (size_t i = 0; i < (s->pairs ? width * width : width); i++)
        sum += v[i];
    return sum;
}

/* A feature's share in a row; of pairs, all that it has in them. */
static double
share_of(const struct shares *s, size_t row, size_t output, size_t feature)
{
    size_t width = s->n_features + 1;
    const double *v = shares_at(s, row, output);
    double sum = 0;

    if (!s->pairs)
        return v[feature];
    for (size_t i = 0; i < width; i++)
        sum += v[feature * width + i];
    return sum;
}

void
shares_mean(const struct shares *s, long output, double *mean)
{
    size_t first = output < 0 ? 0 : (size_t)output;
    size_t last = output < 0 ? s->k : first + 1;

    for (size_t j = 0; j < s->n_features; j++) {
        double sum = 0;

        for (size_t r = 0; r < s->n; r++)
            for (size_t c = first; c < last; c++)
                sum += fabs(share_of(s, r, c, j));
        mean[j] = s->n ? sum / (double)s->n : 0;
    }
}

struct frame *
shares_importance(const struct shares *s, struct error *err)
{
    static const char *const title[] = {"importance"};
    double *mean = mem_try_array(s->n_features, sizeof *mean, err);
    const double *value[] = {mean};
    struct frame *out;

    if (!mean)
        return NULL;
    shares_mean(s, -1, mean);
    out = explain_ranking((const char *const *)s->feature, s->n_features, title,
                          value, 1, err);
    free(mean);
    return out;
}

static struct column *
row_numbers(size_t n_rows, size_t each, struct error *err)
{
    int64_t *x = mem_try_aligned(n_rows, sizeof *x, err);

    for (size_t i = 0; x && i < n_rows; i++)
        x[i] = (int64_t)(i / each + 1);
    return x ? column_new(COL_INT64, n_rows, x, NULL, NULL, err) : NULL;
}

/* "row" and "class" before what is told for each output. */
static void
add_places(struct explain_columns *c, const struct shares *s, size_t each,
           size_t outputs, struct error *err)
{
    explain_columns_add(c, "row", row_numbers(c->n_rows, each * outputs, err),
                        err);
    if (outputs > 1)
        explain_columns_add(
            c, s->names.word,
            explain_texts(s->names.name, outputs, each, c->n_rows, err), err);
}

static struct frame *
pairs_frame(const struct shares *s, long output, struct error *err)
{
    size_t outputs = output < 0 ? s->k : 1, n = s->n_features, width = n + 1;
    size_t rows = s->n * outputs * n;
    double *x = mem_try_array(rows, sizeof *x, err);
    struct explain_columns c;

    if (!x || !explain_columns_init(&c, rows, n + 3, err)) {
        free(x);
        return NULL;
    }
    add_places(&c, s, n, outputs, err);
    explain_columns_add(
        &c, "feature",
        explain_texts((const char *const *)s->feature, n, 1, rows, err), err);
    for (size_t j = 0; j < n; j++) {
        for (size_t i = 0; i < rows; i++) {
            size_t r = i / n / outputs, k = i / n % outputs;

            x[i] = shares_at(
                s, r, output < 0 ? k : (size_t)output)[i % n * width + j];
        }
        explain_columns_numbers(&c, s->feature[j], x, 1, err);
    }
    free(x);
    return explain_columns_end(&c, err);
}

struct frame *
shares_frame(const struct shares *s, long output, struct error *err)
{
    bool all = output < 0 && s->k > 1;
    size_t width = s->n_features + 1;
    size_t first = output < 0 ? 0 : (size_t)output;
    size_t stride = all ? width : s->k * width;
    struct explain_columns c;

    if (s->pairs)
        return pairs_frame(s, s->k > 1 ? output : 0, err);
    if (explain_columns_init(&c, s->n * (all ? s->k : 1), width + 2, err) &&
        all)
        add_places(&c, s, 1, s->k, err);
    for (size_t j = 0; j < width; j++)
        explain_columns_numbers(&c, j < s->n_features ? s->feature[j] : "base",
                                s->value + first * width + j, stride, err);
    return explain_columns_end(&c, err);
}
