/* engine/classic/path_wide.c -- the rows and columns of wide paths.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/path_wide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/classic/block.h"
#include "engine/classic/panels.h"
#include "engine/classic/path_choose.h"

enum { PULLED = 512 }; /* rows of a column that are pulled at once */

bool
wide_stopped(const struct wide *w)
{
    return progress_stopped(w->ctx->progress);
}

struct wide_rows
wide_left_out(const struct wide *w, size_t k)
{
    if (k + 1 == w->k)
        return (struct wide_rows){w->n, w->n};
    return (struct wide_rows){w->start[k], w->start[k + 1]};
}

double
wide_dot(const struct wide *w, size_t k, const double *a, const double *b)
{
    struct wide_rows out = wide_left_out(w, k);

    return dense_dot(a, b, out.from) +
           dense_dot(a + out.to, b + out.to, w->n - out.to);
}

double
wide_dot_out(const struct wide *w, size_t k, const double *a, const double *b)
{
    struct wide_rows out = wide_left_out(w, k);

    return dense_dot(a + out.from, b + out.from, out.to - out.from);
}

double
wide_tolerance(const struct wide *w, size_t k)
{
    return k + 1 == w->k ? w->tolerance
                         : fmax(w->tolerance, WIDE_FOLD_TOLERANCE);
}

double
wide_target(const struct wide *w, size_t k)
{
    double n = w->total[k];

    return n > 0 ? sqrt(fmax(wide_dot(w, k, w->y, w->y) / n -
                                 w->y_mean[k] * w->y_mean[k],
                             0))
                 : 0;
}

void
wide_judge(const struct wide *w, size_t k, size_t step, double squares)
{
    double rows = wide_dot_out(w, k, w->root, w->root);

    w->error[k * w->n_steps + step] = rows > 0 ? squares / rows : 0;
}

/* ---- rows and columns ---- */

static void
rows_sort(struct wide *w)
{
    size_t at[PATH_MAX_FOLDS] = {0};

    for (size_t i = 0; i < w->n && w->fold; i++)
        w->start[w->fold[i] + 1]++;
    for (size_t f = 0; f + 1 < w->k; f++)
        at[f] = w->start[f + 1] += w->start[f];
    for (size_t i = w->n; i-- > 0;)
        w->place[i] = (uint32_t)(w->fold ? --at[w->fold[i]] : i);
}

static void
learnt_take(struct wide *w)
{
    const struct target *y = w->d->y;
    double sum = 0, total = 0;

    for (size_t i = 0; i < w->n; i++) {
        double weight = y->weight ? y->weight[i] : 1;

        sum += weight * y->y[i];
        total += weight;
        w->root[w->place[i]] = sqrt(weight);
    }
    w->mean[w->p] = total > 0 ? sum / total : 0;
    for (size_t i = 0; i < w->n; i++) {
        size_t at = w->place[i];

        w->y[at] = w->root[at] * (y->y[i] - w->mean[w->p]);
    }
    for (size_t k = 0; k < w->k; k++) {
        w->total[k] = wide_dot(w, k, w->root, w->root);
        if (w->total[k] > 0)
            w->y_mean[k] = wide_dot(w, k, w->root, w->y) / w->total[k];
    }
}

/* False where it was stopped on its way. */
static bool
column_pull(const struct wide *w, size_t j, double *out)
{
    double v[PULLED];

    for (size_t r = 0; r < w->n; r += PULLED) {
        size_t end = w->n - r < PULLED ? w->n : r + PULLED;

        if (wide_stopped(w))
            return false;
        design_pull(w->d->train, j, r, end, v);
        for (size_t i = r; i < end; i++)
            out[w->place[i]] = v[i - r];
    }
    return true;
}

static void
column_centre(const struct wide *w, size_t j, double *out)
{
    for (size_t i = 0; i < w->n; i++)
        out[i] = w->root[i] * (out[i] - w->mean[j]);
}

void
wide_column(const struct wide *w, size_t j, double *out)
{
    if (column_pull(w, j, out))
        column_centre(w, j, out);
}

static void
measure_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct wide *w = ctx;
    double own[WIDE_FEW_ROWS], total = w->total[w->k - 1];

    (void)chunk;
    for (size_t j = begin; j < end && total > 0; j++) {
        double *x = w->x ? w->x + j * w->n : own, sum = 0;

        if (!column_pull(w, j, x))
            return;
        for (size_t i = 0; i < w->n; i++)
            sum += w->root[i] * w->root[i] * x[i];
        w->mean[j] = sum / total;
        column_centre(w, j, x);
        w->spread[j] = sqrt(dense_dot(x, x, w->n) / total);
        w->pull[j] = dense_dot(x, w->y, w->n) / total;
    }
}

static bool
numbers_check(const struct wide *w, struct error *err)
{
    for (size_t j = 0; j < w->p; j++)
        if (!isfinite(w->spread[j]) || !isfinite(w->pull[j]))
            return error_set(err, ERR_RANGE, "the values are too far apart");
    return isfinite(wide_target(w, w->k - 1)) ||
           error_set(err, ERR_RANGE, "the values are too far apart");
}

bool
wide_init(struct wide *w, struct error *err)
{
    size_t n = w->d->y->n, p = design_cols(w->d->train);
    bool few = w->l1_ratio == 0 && n <= w->few;

    w->n = n;
    w->p = p;
    w->k = w->fold ? w->n_folds + 1 : 1;
    w->q = w->k == 1 ? 1 : (w->k + WIDE_SIDE - 1) / WIDE_SIDE * WIDE_SIDE;
    if (!(w->start = mem_try_array(w->k, sizeof *w->start, err)) ||
        !(w->place = mem_try_array(n, sizeof *w->place, err)) ||
        !dense_try(&w->root, n, 1, err) || !dense_try(&w->y, n, 1, err) ||
        !dense_try(&w->mean, p + 1, 1, err) ||
        !dense_try(&w->spread, p, 1, err) || !dense_try(&w->pull, p, 1, err) ||
        !dense_try(&w->total, w->k, 1, err) ||
        !dense_try(&w->y_mean, w->k, 1, err) ||
        (!few && !dense_try(&w->x, n, p, err)))
        return false;
    rows_sort(w);
    learnt_take(w);
    pool_for(w->ctx->pool, p, WIDE_COLS, measure_chunk, w);
    return (!w->ctx->progress || progress_check(w->ctx->progress, err)) &&
           numbers_check(w, err);
}

void
wide_fini(struct wide *w)
{
    free(w->start);
    free(w->place);
    free(w->root);
    free(w->y);
    free(w->mean);
    free(w->spread);
    free(w->pull);
    free(w->total);
    free(w->y_mean);
    free(w->x);
}

/* ---- products with all columns ---- */

struct passing {
    const struct wide *w;
    const double *in;
    double *out, *square;
};

/* Of one problem the columns are read as fast as they come; side by side with
 * others it would wait for the sums. */
static void
back_alone(const struct passing *s, size_t begin, size_t end)
{
    const struct wide *w = s->w;

    for (size_t j = begin; j < end && !wide_stopped(w); j++)
        s->out[j] = dense_dot(w->x + j * w->n, s->in, w->n);
}

static void
forward_alone(const struct passing *s, size_t begin, size_t end)
{
    const struct wide *w = s->w;
    double *out = s->out;
    size_t j = 0;

    for (size_t i = begin; i < end; i++)
        out[i] = 0;
    for (; j + 4 <= w->p && !wide_stopped(w); j += 4) {
        const double *x = w->x + j * w->n, *v = s->in + j;
        double a = v[0], b = v[1], c = v[2], d = v[3];

        for (size_t i = begin; i < end; i++)
            out[i] += (a * x[i] + b * x[w->n + i]) +
                      (c * x[2 * w->n + i] + d * x[3 * w->n + i]);
    }
    for (; j < w->p && !wide_stopped(w); j++)
        for (size_t i = begin; i < end; i++)
            out[i] += s->in[j] * w->x[j * w->n + i];
}

static void
back_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct passing *s = ctx;
    const struct wide *w = s->w;

    (void)chunk;
    if (w->q == 1) {
        back_alone(s, begin, end);
        return;
    }
    memset(s->out + begin * w->q, 0, (end - begin) * w->q * sizeof *s->out);
    for (size_t r = 0; r < w->n && !wide_stopped(w); r += WIDE_ROWS)
        block_kernels()->product(
            &(struct block){.a = w->x + begin * w->n + r,
                            .a_row = w->n,
                            .a_col = 1,
                            .n_a = end - begin,
                            .b = s->in + r * w->q,
                            .b_row = w->q,
                            .n_b = w->q,
                            .p = w->n - r < WIDE_ROWS ? w->n - r : WIDE_ROWS,
                            .out = s->out + begin * w->q,
                            .out_row = w->q});
}

void
wide_back(const struct wide *w, const double *u, double *out)
{
    struct passing s = {.w = w, .in = u, .out = out};

    pool_for(w->ctx->pool, w->p, WIDE_COLS, back_chunk, &s);
}

static void
forward_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct passing *s = ctx;
    const struct wide *w = s->w;

    (void)chunk;
    if (w->q == 1) {
        forward_alone(s, begin, end);
        return;
    }
    memset(s->out + begin * w->q, 0, (end - begin) * w->q * sizeof *s->out);
    for (size_t j = 0; j < w->p && !wide_stopped(w); j += WIDE_COLS)
        block_kernels()->product(
            &(struct block){.a = w->x + j * w->n + begin,
                            .a_row = 1,
                            .a_col = w->n,
                            .n_a = end - begin,
                            .b = s->in + j * w->q,
                            .b_row = w->q,
                            .n_b = w->q,
                            .p = w->p - j < WIDE_COLS ? w->p - j : WIDE_COLS,
                            .out = s->out + begin * w->q,
                            .out_row = w->q});
}

void
wide_forward(const struct wide *w, const double *v, double *out)
{
    struct passing s = {.w = w, .in = v, .out = out};

    pool_for(w->ctx->pool, w->n, WIDE_ROWS, forward_chunk, &s);
}

/* Of a column.  Sums are over the rows of each fold; those of a problem are
 * those of the others, so that nothing is taken away again. */
static void
means_of(const struct passing *s, size_t j)
{
    const struct wide *w = s->w;
    const double *x = w->x + j * w->n;
    double sum[PATH_MAX_FOLDS + 1], square[PATH_MAX_FOLDS + 1];

    for (size_t f = 0; f < w->k; f++) {
        sum[f] = wide_dot_out(w, f, x, w->root);
        square[f] = wide_dot_out(w, f, x, x);
    }
    if (w->k == 1) {
        sum[0] = dense_dot(x, w->root, w->n);
        square[0] = dense_dot(x, x, w->n);
    }
    for (size_t k = 0; k < w->k; k++) {
        double mean = 0, of = 0, total = w->total[k];

        for (size_t f = 0; f < w->k; f++)
            if (f != k || k + 1 == w->k) {
                mean += sum[f];
                of += square[f];
            }
        mean = total > 0 ? mean / total : 0;
        s->out[j * w->q + k] = mean;
        if (s->square)
            s->square[j * w->q + k] =
                total > 0 ? fmax(of / total - mean * mean, 0) : 0;
    }
}

static void
means_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct passing *s = ctx;

    (void)chunk;
    for (size_t j = begin; j < end && !wide_stopped(s->w); j++)
        means_of(s, j);
}

bool
wide_means(const struct wide *w, double *mean, double *square,
           struct error *err)
{
    struct passing s = {.w = w, .out = mean, .square = square};

    pool_for(w->ctx->pool, w->p, WIDE_COLS, means_chunk, &s);
    return !w->ctx->progress || progress_check(w->ctx->progress, err);
}

bool
wide_run(struct wide *w, struct error *err)
{
    if (w->l1_ratio > 0)
        return wide_descend(w, err);
    return w->x ? wide_shift(w, err) : wide_dual(w, err);
}
