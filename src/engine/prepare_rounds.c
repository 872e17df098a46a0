/* engine/prepare_rounds.c -- fill in what is missing from the other columns.
 *
 * Each column is regressed on the others in turn, those with the fewest gaps
 * first, until nothing moves; applying goes through the same regressions.
 * Source: van Buuren & Groothuis-Oudshoorn 2011, with the least squares of
 * scikit-learn's IterativeImputer(LinearRegression()).
 *
 * A regression is over the rows where its column is there.  The products of all
 * rows are summed once a round and kept up to date as gaps are filled; from
 * them those of the rows with a gap are taken away, which are few.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/prepare_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define STILL 1e-3 /* of the largest value: nothing moves */

/* Rows are worked on in blocks, cut by their number alone. */
enum { ROWS_OF_BLOCK = 8192, MOST_BLOCKS = 128, ROWS_AT_ONCE = 4, LOOK = 1024 };

/* The columns, filled so far, and where they had gaps. */
struct filling {
    const struct step *s;
    const struct frame *f;
    struct pool *pool;
    size_t n, k, rows_of_block, n_blocks;
    double *x;     /* (n, k) */
    uint8_t *gap;  /* (k, n); NULL when applying */
    size_t *order; /* which column comes when */
    /* Of fitting: products of the columns about their first means, and of a
     * column of ones behind them, (k + 1, k + 1), of which what lies below the
     * diagonal counts. */
    double *all, *a, *part; /* part: of each block */
    bool *has_part;
    double *b, *mean; /* k, scratch */
    double *moved;    /* n: how far a row has moved in a round */
    size_t j;         /* the column at work */
    const double *coef;
    bool gaps; /* rows where it has gaps, or else those where it has none */
};

static void
filling_fini(struct filling *g)
{
    free(g->x);
    free(g->gap);
    free(g->order);
    free(g->all);
    free(g->a);
    free(g->part);
    free(g->has_part);
    free(g->b);
    free(g->mean);
    free(g->moved);
}

static size_t
block_begin(const struct filling *g, size_t block)
{
    size_t at = block * g->rows_of_block;

    return at < g->n ? at : g->n;
}

/* The rows of a block, each with its values side by side. */
static bool
read_block(void *ctx, size_t block, struct pool *alone, struct error *err)
{
    struct filling *g = ctx;
    size_t begin = block_begin(g, block), end = block_begin(g, block + 1), col;
    double *v = mem_try_array(end - begin, sizeof *v, err);

    for (size_t j = 0; v && j < g->k; j++) {
        const struct learnt *l = &g->s->column[j];

        if (!pool_check(alone, err) || !frame_need(g->f, l->name, &col, err) ||
            !step_is_number(frame_column(g->f, col), l->name, err)) {
            free(v);
            return false;
        }
        column_numbers(frame_column(g->f, col), begin, end, v);
        for (size_t i = begin; i < end; i++) {
            bool is = isfinite(v[i - begin]);

            g->x[i * g->k + j] = is || !g->gap ? v[i - begin] : l->number[0];
            if (g->gap)
                g->gap[j * g->n + i] = !is;
        }
    }
    free(v);
    return v != NULL;
}

static bool
filling_init(struct filling *g, bool fit, struct error *err)
{
    size_t k = g->s->n, wide = (k + 1) * (k + 1), cells;

    g->n = frame_rows(g->f);
    g->k = k;
    g->rows_of_block = g->n / MOST_BLOCKS + 1;
    if (g->rows_of_block < ROWS_OF_BLOCK)
        g->rows_of_block = ROWS_OF_BLOCK;
    g->n_blocks = pool_chunks(g->n, g->rows_of_block);
    if (!mem_mul(g->n, k, &cells))
        return error_set(err, ERR_NOMEM, "no memory for %zu rows", g->n);
    if (!(g->x = mem_try_array(cells, sizeof *g->x, err)) ||
        !(g->order = mem_try_array(k, sizeof *g->order, err)) ||
        (fit && (!(g->gap = mem_try_array(cells, 1, err)) ||
                 !(g->all = mem_try_array(wide, sizeof *g->all, err)) ||
                 !(g->a = mem_try_array(wide, sizeof *g->a, err)) ||
                 !(g->part = mem_try_array(g->n_blocks * wide, sizeof *g->part,
                                           err)) ||
                 !(g->has_part =
                       mem_try_array(g->n_blocks, sizeof *g->has_part, err)) ||
                 !(g->b = mem_try_array(k, sizeof *g->b, err)) ||
                 !(g->mean = mem_try_array(k, sizeof *g->mean, err)) ||
                 !(g->moved = mem_try_array(g->n, sizeof *g->moved, err)))))
        return false;
    return pool_each(g->pool, g->n_blocks, read_block, g, err);
}

/* a += the products of some rows; rows: (ROWS_AT_ONCE, wide). */
static void
add_products(double *a, const double *rows, size_t wide)
{
    const double *r0 = rows, *r1 = r0 + wide, *r2 = r1 + wide, *r3 = r2 + wide;

    for (size_t c = 0; c < wide; c++) {
        double v0 = r0[c], v1 = r1[c], v2 = r2[c], v3 = r3[c];
        double *to = a + c * wide;

        for (size_t d = 0; d <= c; d++)
            to[d] += v0 * r0[d] + v1 * r1[d] + v2 * r2[d] + v3 * r3[d];
    }
}

/* The products of the rows of a block that are asked for: all (j = k), or those
 * of column j. */
static bool
products_block(void *ctx, size_t block, struct pool *alone, struct error *err)
{
    struct filling *g = ctx;
    size_t k = g->k, wide = k + 1, have = 0;
    double *part = g->part + block * wide * wide;
    double rows[ROWS_AT_ONCE * (STEP_ROUNDS_COLUMNS + 1)];

    g->has_part[block] = false;
    for (size_t i = block_begin(g, block); i < block_begin(g, block + 1); i++) {
        if (i % LOOK == 0 && !pool_check(alone, err))
            return false;
        if (g->j < k && (g->gap[g->j * g->n + i] != 0) != g->gaps)
            continue;
        if (!g->has_part[block])
            memset(part, 0, wide * wide * sizeof *part);
        g->has_part[block] = true;
        for (size_t c = 0; c < k; c++)
            rows[have * wide + c] = g->x[i * k + c] - g->s->column[c].number[0];
        rows[have++ * wide + k] = 1;
        if (have == ROWS_AT_ONCE)
            add_products(part, rows, wide);
        have %= ROWS_AT_ONCE;
    }
    memset(rows + have * wide, 0, (ROWS_AT_ONCE - have) * wide * sizeof *rows);
    if (have)
        add_products(part, rows, wide);
    return true;
}

static void
add_parts(const struct filling *g, double *to, double sign, size_t len)
{
    size_t wide = (g->k + 1) * (g->k + 1);

    for (size_t b = 0; b < g->n_blocks; b++)
        for (size_t i = 0; g->has_part[b] && i < len; i++)
            to[i] += sign * g->part[b * wide + i];
}

/* The products of all rows. */
static bool
products_of_all(struct filling *g, struct error *err)
{
    size_t wide = (g->k + 1) * (g->k + 1);

    g->j = g->k;
    if (!pool_each(g->pool, g->n_blocks, products_block, g, err))
        return false;
    memset(g->all, 0, wide * sizeof *g->all);
    add_parts(g, g->all, 1, wide);
    return true;
}

/* Means of all columns and the sums of products about them, over the rows
 * where column j is there, k by k in a; its own place holds its products with
 * the others.  Of the rows where it is there and those where it is not, the
 * fewer are gone through: the latter are taken from all. */
static bool
equations(struct filling *g, size_t j, struct error *err)
{
    size_t k = g->k, wide = k + 1;
    double *a = g->a, *sum = a + k * wide, rows;

    g->j = j;
    if (!pool_each(g->pool, g->n_blocks, products_block, g, err))
        return false;
    memset(a, 0, wide * wide * sizeof *a);
    if (g->gaps)
        memcpy(a, g->all, wide * wide * sizeof *a);
    add_parts(g, a, g->gaps ? -1 : 1, wide * wide);
    rows = sum[k];
    for (size_t c = 0; c < k; c++)
        g->mean[c] = g->s->column[c].number[0] + sum[c] / rows;
    for (size_t c = 0; c < k; c++)
        for (size_t d = 0; d <= c; d++)
            a[c * wide + d] -= sum[c] * sum[d] / rows;
    /* Rows of k from here on, whole. */
    for (size_t c = 0; c < k; c++)
        memmove(a + c * k, a + c * wide, (c + 1) * sizeof *a);
    for (size_t c = 0; c < k; c++)
        for (size_t d = 0; d < c; d++)
            a[d * k + c] = a[c * k + d];
    return true;
}

/* Cholesky over the columns but j; a column that the others give has no part.
 * coef[c] becomes its slope, coef[j] the intercept. */
static void
solve(struct filling *g, size_t j, double *coef)
{
    size_t k = g->k;
    double *a = g->a;

    for (size_t c = 0; c < k; c++)
        g->b[c] = a[c * k + j];
    for (size_t c = 0; c < k; c++) {
        double own = a[c * k + c], left = own;

        for (size_t d = 0; d < c; d++)
            left -= d == j ? 0 : a[c * k + d] * a[c * k + d];
        a[c * k + c] =
            c != j && left > 1e-12 * own && left > 0 ? sqrt(left) : 0;
        for (size_t e = c + 1; e < k; e++) {
            double sum = a[e * k + c];

            for (size_t d = 0; d < c; d++)
                sum -= d == j ? 0 : a[e * k + d] * a[c * k + d];
            a[e * k + c] = a[c * k + c] > 0 ? sum / a[c * k + c] : 0;
        }
    }
    for (size_t c = 0; c < k; c++) {
        for (size_t d = 0; d < c; d++)
            g->b[c] -= d == j ? 0 : a[c * k + d] * g->b[d];
        g->b[c] = a[c * k + c] > 0 ? g->b[c] / a[c * k + c] : 0;
    }
    for (size_t c = k; c-- > 0;) {
        for (size_t e = c + 1; e < k; e++)
            g->b[c] -= e == j ? 0 : a[e * k + c] * g->b[e];
        g->b[c] = a[c * k + c] > 0 ? g->b[c] / a[c * k + c] : 0;
    }
    coef[j] = g->mean[j];
    for (size_t c = 0; c < k; c++)
        if (c != j) {
            coef[c] = g->b[c];
            coef[j] -= coef[c] * g->mean[c];
        }
}

/* What column j is by the others. */
static double
told_by(const double *x, const double *coef, size_t j, size_t k)
{
    double v = coef[j];

    for (size_t c = 0; c < k; c++)
        v += c == j ? 0 : coef[c] * x[c];
    return v;
}

/* Fill the gaps of column j; in the block's part how its products change. */
static bool
fill_block(void *ctx, size_t block, struct pool *alone, struct error *err)
{
    struct filling *g = ctx;
    size_t k = g->k, j = g->j, wide = k + 1;
    double *part = g->part + block * wide * wide;

    memset(part, 0, wide * sizeof *part);
    g->has_part[block] = true;
    for (size_t i = block_begin(g, block); i < block_begin(g, block + 1); i++) {
        double *x = g->x + i * k, old = x[j], by;

        if (i % LOOK == 0 && !pool_check(alone, err))
            return false;
        if (!g->gap[j * g->n + i])
            continue;
        x[j] = told_by(x, g->coef, j, k);
        by = x[j] - old;
        g->moved[i] += fabs(by);
        for (size_t c = 0; c < k; c++)
            if (c != j)
                part[c] += by * (x[c] - g->s->column[c].number[0]);
        old -= g->s->column[j].number[0];
        part[j] += by * (2 * old + by);
        part[k] += by;
    }
    return true;
}

static bool
fill_gaps(struct filling *g, size_t j, const double *coef, struct error *err)
{
    size_t k = g->k, wide = k + 1;
    double *moved = g->a; /* free by now */

    g->j = j;
    g->coef = coef;
    if (!pool_each(g->pool, g->n_blocks, fill_block, g, err))
        return false;
    memset(moved, 0, wide * sizeof *moved);
    add_parts(g, moved, 1, wide);
    for (size_t c = 0; c <= k; c++)
        g->all[c > j ? c * wide + j : j * wide + c] += moved[c];
    return true;
}

static double
most_moved(const struct filling *g)
{
    double most = 0;

    for (size_t i = 0; i < g->n; i++)
        most = fmax(most, g->moved[i]);
    return most;
}

static size_t
gaps_of(const struct filling *g, size_t j)
{
    size_t gaps = 0;

    for (size_t i = 0; i < g->n; i++)
        gaps += g->gap[j * g->n + i];
    return gaps;
}

/* Columns by their gaps, fewest first; the earlier one on a tie. */
static void
order_columns(struct filling *g)
{
    for (size_t j = 0; j < g->k; j++) {
        size_t at = j;

        g->b[j] = (double)gaps_of(g, j);
        for (; at > 0 && g->b[g->order[at - 1]] > g->b[j]; at--)
            g->order[at] = g->order[at - 1];
        g->order[at] = j;
    }
    for (size_t o = 0; o < g->k; o++)
        g->s->column[g->order[o]].number[2] = (double)o;
}

static double
largest_of(const struct filling *g)
{
    double largest = 0;

    for (size_t i = 0; i < g->n; i++)
        for (size_t j = 0; j < g->k; j++)
            if (!g->gap[j * g->n + i])
                largest = fmax(largest, fabs(g->x[i * g->k + j]));
    return largest;
}

static bool
fill_round(struct filling *g, size_t round, struct error *err)
{
    memset(g->moved, 0, g->n * sizeof *g->moved);
    if (!products_of_all(g, err))
        return false;
    for (size_t o = 0; o < g->k; o++) {
        size_t j = g->order[o];
        double *coef = g->s->column[j].number + 3 + round * g->k;

        g->gaps = gaps_of(g, j) <= g->n / 2;
        if (!equations(g, j, err))
            return false;
        solve(g, j, coef);
        if (!fill_gaps(g, j, coef, err))
            return false;
    }
    return true;
}

/* Room for all rounds behind what is there. */
static bool
rounds_room(struct step_fit *f, struct error *err)
{
    for (size_t j = 0; j < f->s->n; j++) {
        struct learnt *l = &f->s->column[j];
        double fill = l->number[0], gaps = l->number[1];

        if (!step_room(f, l, 3 + STEP_ROUNDS * f->s->n, 0, err))
            return false;
        l->number[0] = fill;
        l->number[1] = gaps;
    }
    return true;
}

/* number: the value to begin with, whether there were gaps, the place in the
 * order, then k coefficients a round. */
bool
step_rounds_fit(struct step_fit *f, struct error *err)
{
    struct step *s = f->s;
    struct filling g = {.s = s, .f = f->in, .pool = f->pool};
    double largest = 0, moved = HUGE_VAL;
    size_t rounds = 0;
    bool ok;

    if (s->n > STEP_ROUNDS_COLUMNS)
        return error_set(err, ERR_LIMIT,
                         "%zu columns to impute from each other, expected at "
                         "most %d: name them with 'on'",
                         s->n, STEP_ROUNDS_COLUMNS);
    if ((ok = rounds_room(f, err) && filling_init(&g, true, err))) {
        largest = largest_of(&g);
        order_columns(&g);
    }
    for (; ok && s->n > 1 && rounds < STEP_ROUNDS && moved >= STILL * largest;
         rounds++) {
        ok = fill_round(&g, rounds, err);
        moved = most_moved(&g);
    }
    for (size_t j = 0; j < s->n && ok; j++) {
        s->column[j].n_numbers = 3 + rounds * s->n;
        for (size_t i = 0; i < s->column[j].n_numbers; i++)
            if (!isfinite(s->column[j].number[i]))
                ok = error_set(err, ERR_RANGE,
                               "column '%s' cannot be told from the others",
                               s->column[j].name);
    }
    filling_fini(&g);
    return ok;
}

/* Each row of a block through all rounds. */
static bool
apply_block(void *ctx, size_t block, struct pool *alone, struct error *err)
{
    struct filling *g = ctx;
    const struct learnt *l = g->s->column;
    size_t k = g->k, rounds = (l->n_numbers - 3) / k;
    bool gap[STEP_ROUNDS_COLUMNS];

    for (size_t i = block_begin(g, block); i < block_begin(g, block + 1); i++) {
        double *x = g->x + i * k;
        bool any = false;

        if (i % LOOK == 0 && !pool_check(alone, err))
            return false;
        for (size_t j = 0; j < k; j++) {
            any |= gap[j] = !isfinite(x[j]);
            x[j] = gap[j] ? l[j].number[0] : x[j];
        }
        for (size_t r = 0; r < rounds && any; r++)
            for (size_t o = 0; o < k; o++) {
                size_t j = g->order[o];

                if (gap[j])
                    x[j] = told_by(x, l[j].number + 3 + r * k, j, k);
            }
    }
    return true;
}

static bool
filled_column(void *ctx, const struct learnt *l, const struct step_from *from,
              struct step_made *out, struct error *err)
{
    const struct filling *g = ctx;
    size_t j = (size_t)(l - g->s->column);
    double *x = mem_try_array(g->n, sizeof *x, err);

    (void)from;
    for (size_t i = 0; x && i < g->n; i++)
        x[i] = g->x[i * g->k + j];
    return x && step_make(out, l->name, x, g->n, err);
}

bool
step_rounds_apply(const struct step *s, struct frame **f, struct pool *pool,
                  struct error *err)
{
    struct filling g = {.s = s, .f = *f, .pool = pool};
    bool ok = s->n == 0 || filling_init(&g, false, err);

    for (size_t j = 0; j < s->n && ok; j++)
        g.order[(size_t)s->column[j].number[2]] = j;
    ok = ok && pool_each(pool, g.n_blocks, apply_block, &g, err) &&
         step_remake(s, f, pool, filled_column, &g, err);
    filling_fini(&g);
    return ok;
}
