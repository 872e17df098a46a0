/* engine/explain_kernel.c -- Shapley values of any model, by asking it.
 *
 * A coalition is a set of features that have the row's values; the others have
 * those of each background row in turn, and the mean of the answers is the
 * coalition's.  Shapley values are the weighted least squares fit of these
 * answers by the sum of the features in the coalition, where a coalition of s
 * out of m has weight (m - 1) / (C(m, s) s (m - s)), and all of them together
 * must give what the row is away from the mean.  That condition takes one
 * unknown out; what is left is a positive definite system that depends on the
 * coalitions alone, so it is factorised once for all rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/explain_state.h"

enum {
    STREAM_SIZE = 0x73697a65,
    STREAM_SUBSET,
    MAX_FEATURES = 2000,
    SAMPLES = 2048,    /* and two for each feature */
    BATCH_ROWS = 4096, /* asked of the model at once, about */
    BLOCK_UNITS =
        65536,        /* coalitions of rows between two looks at the answers */
    SYSTEM_ROWS = 8,  /* of the system, filled in one go */
    LOOK_EVERY = 256, /* coalitions */
    PIVOT_ROWS = 64   /* below a pivot, in a piece */
};

/* ---- coalitions ---- */

struct coalitions {
    size_t m, n, cap;
    uint8_t *in;    /* (n, m) */
    double *weight; /* n, of sum 1 */
    size_t whole;   /* sizes 1..whole and their complements are complete */
    bool all;
    double drawn; /* weight of those that are drawn */
};

static void
coalitions_fini(struct coalitions *c)
{
    free(c->in);
    free(c->weight);
}

/* C(m, s), or what is larger than any budget. */
static double
choose(size_t m, size_t s)
{
    double n = 1;

    for (size_t i = 1; i <= s && n < 1e15; i++)
        n = n * (double)(m - s + i) / (double)i;
    return floor(n + 0.5);
}

static uint8_t *
add_coalition(struct coalitions *c, double weight)
{
    c->weight[c->n] = weight;
    return c->in + c->n++ * c->m;
}

/* The one at `set` and its complement, which share the weight. */
static void
add_with_complement(struct coalitions *c, const uint8_t *set, double weight)
{
    memcpy(add_coalition(c, weight), set, c->m);
    uint8_t *other = add_coalition(c, weight);

    for (size_t i = 0; i < c->m; i++)
        other[i] = !set[i];
}

/* All sets of s, in order; with complements unless s is half of m. */
static void
add_size(struct coalitions *c, size_t s, double weight, uint32_t *at)
{
    bool half = 2 * s == c->m;
    uint8_t *set;

    for (size_t i = 0; i < s; i++)
        at[i] = (uint32_t)i;
    for (;;) {
        size_t i = s;

        /* A set's own place; the complement copies it from there. */
        set = c->in + c->n * c->m;
        memset(set, 0, c->m);
        for (size_t k = 0; k < s; k++)
            set[at[k]] = 1;
        (void)add_coalition(c, weight);
        if (!half) {
            uint8_t *other = add_coalition(c, weight);

            for (size_t k = 0; k < c->m; k++)
                other[k] = !set[k];
        }
        while (i > 0 && at[i - 1] == c->m - s + i - 1)
            i--;
        if (i == 0)
            return;
        at[i - 1]++;
        for (size_t k = i; k < s; k++)
            at[k] = at[k - 1] + 1;
    }
}

/* A size by its weight, then a set of it. */
static void
draw(struct coalitions *c, const double *of_size, uint64_t seed, size_t turn,
     uint8_t *set, uint32_t *id)
{
    double total = 0, at;
    size_t s = c->whole + 1;

    for (size_t i = s; i <= c->m / 2; i++)
        total += of_size[i];
    at = rng_unit(seed, STREAM_SIZE, turn) * total;
    while (s < c->m / 2 && at >= of_size[s])
        at -= of_size[s++];
    for (size_t i = 0; i < c->m; i++)
        id[i] = (uint32_t)i;
    memset(set, 0, c->m);
    for (size_t i = 0; i < s; i++) {
        size_t k =
            i + rng_below(seed, STREAM_SUBSET, turn * c->m + i, c->m - i);
        uint32_t swap = id[i];

        id[i] = id[k];
        id[k] = swap;
        set[id[i]] = 1;
    }
}

/* of_size[s]: the weight of all sets of s and, unless that is half, of m - s. */
static void
weigh_sizes(size_t m, double *of_size)
{
    double sum = 0;

    for (size_t s = 1; s <= m / 2; s++) {
        of_size[s] = (double)(m - 1) / ((double)s * (double)(m - s)) *
                     (2 * s == m ? 1 : 2);
        sum += of_size[s];
    }
    for (size_t s = 1; s <= m / 2; s++)
        of_size[s] /= sum;
}

/* Sizes from the outside in while there is room for all of their sets; then
 * draws for what is left of the budget. */
static bool
fill_coalitions(struct coalitions *c, uint64_t seed, struct error *err)
{
    double *of_size = mem_try_array(c->m / 2 + 1, sizeof *of_size, err);
    uint32_t *id = mem_try_array(c->m, sizeof *id, err);
    uint8_t *set = mem_try_array(c->m, 1, err);
    bool ok = of_size && id && set;
    size_t pairs;

    if (ok)
        weigh_sizes(c->m, of_size);
    for (size_t s = 1; ok && s <= c->m / 2; s++) {
        double n = choose(c->m, s) * (2 * s == c->m ? 1 : 2);

        if (n > (double)(c->cap - c->n))
            break;
        add_size(c, s, of_size[s] / n, id);
        c->whole = s;
    }
    c->all = ok && c->whole == c->m / 2;
    for (size_t s = c->whole + 1; ok && s <= c->m / 2; s++)
        c->drawn += of_size[s];
    pairs = ok && !c->all ? (c->cap - c->n) / 2 : 0;
    for (size_t i = 0; i < pairs; i++) {
        draw(c, of_size, seed, i, set, id);
        add_with_complement(c, set, c->drawn / (double)(2 * pairs));
    }
    free(of_size);
    free(id);
    free(set);
    return ok;
}

static bool
coalitions_init(struct coalitions *c, size_t m, size_t samples, uint64_t seed,
                struct error *err)
{
    double all = m < 50 ? ldexp(1, (int)m) - 2 : INFINITY;

    *c = (struct coalitions){.m = m, .cap = samples};
    if (all < (double)samples)
        c->cap = (size_t)all;
    c->in = mem_try_array(c->cap, m, err);
    c->weight = mem_try_array(c->cap, sizeof *c->weight, err);
    return c->in && c->weight && fill_coalitions(c, seed, err);
}

/* ---- the least squares system ---- */

/* in[j] - in[m - 1], the column of feature j once the last is taken out. */
static double
column_of(const uint8_t *in, size_t m, size_t j)
{
    return (double)in[j] - (double)in[m - 1];
}

struct system {
    const struct coalitions *c;
    struct pool *pool;
    size_t p;
    double *a;     /* (p, p), the lower half */
    size_t column; /* that is factorised */
};

/* Some rows of the system: every cell is a sum over the coalitions in order. */
static void
fill_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct system *s = ctx;
    const struct coalitions *c = s->c;

    (void)chunk;
    for (size_t i = 0; i < c->n; i++) {
        const uint8_t *in = c->in + i * c->m;

        if (i % LOOK_EVERY == 0 && pool_stopped(s->pool))
            return;
        for (size_t j = begin; j < end; j++) {
            double v = c->weight[i] * column_of(in, c->m, j);

            for (size_t k = 0; v != 0 && k <= j; k++)
                s->a[j * s->p + k] += v * column_of(in, c->m, k);
        }
    }
}

/* What is below the pivot of a column. */
static void
column_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct system *s = ctx;
    size_t j = s->column, p = s->p;
    const double *row = s->a + j * p;

    (void)chunk;
    for (size_t i = j + 1 + begin; i < j + 1 + end; i++) {
        double *own = s->a + i * p, sum = own[j];

        for (size_t k = 0; k < j; k++)
            sum -= own[k] * row[k];
        own[j] = row[j] > 0 ? sum / row[j] : 0;
    }
}

/* Cholesky's factor in the lower half.  Draws too few to tell all features
 * apart leave a pivot of nothing: that feature then shares with the last. */
static bool
factorise(struct system *s, struct error *err)
{
    for (size_t j = 0; j < s->p; j++) {
        double *row = s->a + j * s->p, d = row[j];

        for (size_t k = 0; k < j; k++)
            d -= row[k] * row[k];
        row[j] = d > 1e-12 ? sqrt(d) : 0;
        s->column = j;
        if (!pool_try(s->pool, s->p - j - 1, PIVOT_ROWS, column_chunk, s, err))
            return false;
    }
    return true;
}

static bool
system_make(const struct coalitions *c, struct pool *pool, double *a,
            struct error *err)
{
    struct system s = {.c = c, .pool = pool, .p = c->m - 1, .a = a};

    return pool_try(pool, s.p, SYSTEM_ROWS, fill_chunk, &s, err) &&
           pool_check(pool, err) && factorise(&s, err);
}

static void
solve(const double *a, size_t p, double *x)
{
    for (size_t i = 0; i < p; i++) {
        for (size_t k = 0; k < i; k++)
            x[i] -= a[i * p + k] * x[k];
        x[i] = a[i * p + i] > 0 ? x[i] / a[i * p + i] : 0;
    }
    for (size_t i = p; i-- > 0;) {
        for (size_t k = i + 1; k < p; k++)
            x[i] -= a[k * p + i] * x[k];
        x[i] = a[i * p + i] > 0 ? x[i] / a[i * p + i] : 0;
    }
}

/* ---- asking ---- */

struct kernel {
    const struct model *m;
    const struct attribution *a;
    struct coalitions c;
    size_t cols, n_back, k;
    struct design_column *column;
    double *row;    /* (columns, rows of the block) */
    double *back;   /* (columns, background rows) */
    double *base;   /* k: mean answer of the background */
    double *system; /* factorised */
    double *answer; /* (rows of the block, coalitions + 1, k); the last is the
                       row itself */
    struct pool *alone; /* this thread, until it is stopped */
    size_t first, n;    /* the block's rows */
    size_t batch, n_batches;
};

static bool
ask(const struct kernel *q, const double *x, size_t n, double *out,
    struct error *err)
{
    struct design *d = design_dense(x, n, q->cols, q->column, err);
    bool ok = d && explain_margin(q->m, d, q->alone, out, err);

    design_free(d);
    return ok;
}

static void
mean_answers(const struct kernel *q, const double *all, size_t n, double *out)
{
    for (size_t c = 0; c < q->k; c++) {
        double sum = 0;

        for (size_t i = 0; i < n; i++)
            sum += all[i * q->k + c];
        out[c] = sum / (double)n;
    }
}

/* The answers of coalitions first..last-1 for row r of the block. */
static bool
ask_batch(const struct kernel *q, size_t r, size_t first, size_t last,
          struct error *err)
{
    size_t n = (last - first) * q->n_back, m = q->c.m;
    double *x = mem_try_array(n, q->cols * sizeof *x, err);
    double *all = mem_try_array(n, q->k * sizeof *all, err);
    double *to = q->answer + (r * (q->c.n + 1)) * q->k;
    bool ok = x && all;

    for (size_t c = 0; ok && c < q->cols; c++) {
        double mine = q->row[c * q->n + r];
        uint32_t f = q->a->feature[c];

        for (size_t i = first; i < last; i++) {
            double *v = x + c * n + (i - first) * q->n_back;

            if (!q->c.in[i * m + f])
                memcpy(v, q->back + c * q->n_back, q->n_back * sizeof *v);
            else
                for (size_t b = 0; b < q->n_back; b++)
                    v[b] = mine;
        }
    }
    ok = ok && ask(q, x, n, all, err);
    for (size_t i = first; ok && i < last; i++)
        mean_answers(q, all + (i - first) * q->n_back * q->k, q->n_back,
                     to + i * q->k);
    free(x);
    free(all);
    return ok;
}

static bool
ask_one(void *ctx, size_t i, struct pool *alone, struct error *err)
{
    const struct kernel *q = ctx;
    size_t r = i / q->n_batches, first = i % q->n_batches * q->batch;
    size_t last = first + q->batch < q->c.n ? first + q->batch : q->c.n;

    (void)alone;
    return progress_check(q->a->progress, err) &&
           ask_batch(q, r, first, last, err);
}

/* The rows of the block by themselves. */
static bool
ask_rows(struct kernel *q, struct error *err)
{
    double *own = mem_try_array(q->n, q->k * sizeof *own, err);
    bool ok;

    if (!own)
        return false;
    for (size_t c = 0; c < q->cols; c++)
        design_pull(q->a->rows, c, q->first, q->first + q->n,
                    q->row + c * q->n);
    ok = ask(q, q->row, q->n, own, err);
    for (size_t r = 0; ok && r < q->n; r++)
        memcpy(q->answer + ((r + 1) * (q->c.n + 1) - 1) * q->k, own + r * q->k,
               q->k * sizeof *own);
    free(own);
    return ok;
}

/* ---- solving ---- */

static void
solve_row(const struct kernel *q, size_t r, size_t output, double *phi)
{
    const double *y = q->answer + r * (q->c.n + 1) * q->k + output;
    double base = q->base[output], whole = y[q->c.n * q->k] - base, sum = 0;
    size_t m = q->c.m;

    for (size_t j = 0; j < m; j++)
        phi[j] = 0;
    for (size_t i = 0; i < q->c.n; i++) {
        const uint8_t *in = q->c.in + i * m;
        double v = y[i * q->k] - base - (in[m - 1] ? whole : 0);

        v *= q->c.weight[i];
        for (size_t j = 0; j + 1 < m; j++)
            phi[j] += v * column_of(in, m, j);
    }
    solve(q->system, m - 1, phi);
    for (size_t j = 0; j + 1 < m; j++)
        sum += phi[j];
    phi[m - 1] = whole - sum;
    phi[m] = base;
}

static void
solve_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct kernel *q = ctx;

    (void)chunk;
    for (size_t r = begin; r < end; r++)
        for (size_t c = 0; c < q->k; c++)
            solve_row(q, r, c,
                      q->a->out + ((q->first + r) * q->k + c) * (q->c.m + 1));
    progress_add(q->a->progress, (end - begin) * q->k);
}

/* ---- all rows ---- */

static bool
ask_block(struct kernel *q, struct error *err)
{
    if (!ask_rows(q, err))
        return false;
    q->n_batches = (q->c.n + q->batch - 1) / q->batch;
    return pool_each(q->a->pool, q->n * q->n_batches, ask_one, q, err) &&
           pool_try(q->a->pool, q->n, 1, solve_rows, q, err);
}

static bool
kernel_init(struct kernel *q, size_t samples, uint64_t seed, size_t block,
            struct error *err)
{
    const struct attribution *a = q->a;
    size_t m = a->n_features;
    double *all;
    bool ok;

    if (!coalitions_init(&q->c, m, samples, seed, err))
        return false;
    q->column = mem_try_array(q->cols, sizeof *q->column, err);
    q->row = mem_try_array(block, q->cols * sizeof *q->row, err);
    q->back = mem_try_array(q->n_back, q->cols * sizeof *q->back, err);
    q->base = mem_try_array(q->k, sizeof *q->base, err);
    q->system = mem_try_array(m * m, sizeof *q->system, err);
    q->answer =
        mem_try_array(block, (q->c.n + 1) * q->k * sizeof *q->answer, err);
    all = mem_try_array(q->n_back, q->k * sizeof *all, err);
    ok = q->column && q->row && q->back && q->base && q->system && q->answer &&
         all;
    for (size_t c = 0; ok && c < q->cols; c++) {
        q->column[c] = *design_column(a->rows, c);
        design_pull(a->background, c, 0, q->n_back, q->back + c * q->n_back);
    }
    ok = ok && ask(q, q->back, q->n_back, all, err);
    if (ok) {
        mean_answers(q, all, q->n_back, q->base);
        ok = system_make(&q->c, a->pool, q->system, err);
    }
    free(all);
    return ok;
}

static void
kernel_fini(struct kernel *q)
{
    coalitions_fini(&q->c);
    free(q->column);
    free(q->row);
    free(q->back);
    free(q->base);
    free(q->system);
    free(q->answer);
}

static void
take_note(const struct kernel *q, uint64_t seed, char *note, size_t len)
{
    const struct coalitions *c = &q->c;
    char whole[100] = "";

    if (c->all) {
        snprintf(note, len,
                 "kernel SHAP, all %zu coalitions, %zu background row%s", c->n,
                 q->n_back, q->n_back == 1 ? "" : "s");
        return;
    }
    if (c->whole > 0)
        snprintf(whole, sizeof whole,
                 "those of 1 to %zu features, and of all but as many; others ",
                 c->whole);
    snprintf(note, len,
             "kernel SHAP, %zu coalitions of %zu features (%sdrawn by seed "
             "%llu), %zu background row%s",
             c->n, c->m, whole, (unsigned long long)seed, q->n_back,
             q->n_back == 1 ? "" : "s");
}

static bool
run(struct kernel *q, size_t block, struct error *err)
{
    size_t n = design_rows(q->a->rows);

    for (q->first = 0; q->first < n; q->first += block) {
        q->n = n - q->first < block ? n - q->first : block;
        if (!ask_block(q, err))
            return false;
    }
    return true;
}

bool
explain_kernel(const struct model *m, const struct attribution *a,
               size_t samples, uint64_t seed, size_t n_outputs, char *note,
               size_t note_len, struct error *err)
{
    struct kernel q = {.m = m,
                       .a = a,
                       .cols = design_cols(a->rows),
                       .n_back = design_rows(a->background),
                       .k = n_outputs};
    size_t f = a->n_features, block;
    bool ok;

    if (f == 0)
        return error_set(err, ERR_RANGE,
                         "the model looks at no column: there is nothing to "
                         "share out");
    if (f > MAX_FEATURES)
        return error_set(err, ERR_LIMIT, "%zu features, expected at most %d", f,
                         MAX_FEATURES);
    if (samples == 0)
        samples = 2 * f + SAMPLES;
    if (samples < 2 * f)
        return error_set(err, ERR_RANGE,
                         "%zu coalitions, expected at least 2 for each of %zu "
                         "features",
                         samples, f);
    block = BLOCK_UNITS / samples + 1;
    q.batch = BATCH_ROWS / q.n_back + 1;
    q.alone = pool_lend(NULL, a->progress);
    ok = kernel_init(&q, samples, seed, block, err);
    if (ok) {
        take_note(&q, seed, note, note_len);
        ok = run(&q, block, err);
    }
    kernel_fini(&q);
    pool_free(q.alone);
    return ok;
}
