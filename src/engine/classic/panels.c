/* engine/classic/panels.c -- rows of a design, sixteen at a time.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/panels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    TILE = 256,          /* rows that are pulled at once */
    MAX_CHUNKS = 64,     /* so many scratch areas at most */
    CHUNK_ROWS = 1 << 8, /* rows of a chunk at least */
    SUM_TILE = 512       /* numbers of a part of a sum */
};

bool
dense_try(double **out, size_t a, size_t b, struct error *err)
{
    size_t n;

    if (!mem_mul(a, b, &n))
        return error_set(err, ERR_NOMEM, "%zu x %zu numbers are too many", a,
                         b);
    *out = mem_try_array(n, sizeof **out, err);
    return *out != NULL;
}

bool
dense_load(const struct st_file *f, const char *name, double *out, size_t n,
           struct error *err)
{
    struct st_tensor t;
    const double *v;

    if (!st_need(f, name, ST_F64, (int64_t)n, &t, err))
        return false;
    v = t.data;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(v[i]))
            return error_set(err, ERR_CORRUPT,
                             "tensor '%s' holds what is not a number", name);
    if (n)
        memcpy(out, v, n * sizeof *out);
    return true;
}

bool
dense_take(const struct st_file *f, const char *name, double **out, size_t a,
           size_t b, struct error *err)
{
    struct st_tensor t;
    size_t n;

    if (!mem_mul(a, b, &n) || n > INT64_MAX)
        return error_set(err, ERR_CORRUPT, "tensor '%s' of %zu x %zu", name, a,
                         b);
    return st_need(f, name, ST_F64, (int64_t)n, &t, err) &&
           dense_try(out, n, 1, err) && dense_load(f, name, *out, n, err);
}

/* Four running sums: the order is fixed, and the adds need not wait for each
 * other. */
double
dense_dot(const double *a, const double *b, size_t n)
{
    double s[4] = {0};
    size_t i = 0;

    for (; i + 4 <= n; i += 4) {
        s[0] += a[i] * b[i];
        s[1] += a[i + 1] * b[i + 1];
        s[2] += a[i + 2] * b[i + 2];
        s[3] += a[i + 3] * b[i + 3];
    }
    for (; i < n; i++)
        s[0] += a[i] * b[i];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

double
dense_sum(const double *x, size_t n)
{
    double sum = 0;

    for (size_t r = 0; r < n; r += SUM_TILE) {
        double part = 0;

        for (size_t i = r; i < n && i < r + SUM_TILE; i++)
            part += x[i];
        sum += part;
    }
    return sum;
}

/* ---- all rows ---- */

struct filling {
    struct panels *x;
    const struct design *d;
};

static void
fill_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct filling *f = ctx;
    size_t p = f->x->p;
    double v[TILE];

    (void)chunk;
    for (size_t r = begin; r < end; r += TILE) {
        size_t m = end - r < TILE ? end - r : TILE;

        for (size_t j = 0; j < p; j++) {
            design_pull(f->d, j, r, r + m, v);
            for (size_t i = 0; i < m; i++)
                f->x->x[panels_at(f->x, r + i) + j * PANEL] = v[i];
        }
    }
}

bool
panels_init(struct panels *x, const struct design *d, struct pool *pool,
            struct error *err)
{
    size_t n = design_rows(d), p = design_cols(d);
    size_t padded = (n + PANEL - 1) / PANEL * PANEL;
    struct filling f = {x, d};
    size_t cells;

    *x = (struct panels){.n = n, .p = p};
    if (!mem_mul(padded, p, &cells))
        return error_set(err, ERR_NOMEM, "%zu x %zu numbers are too many", n,
                         p);
    if (!(x->x = mem_try_aligned(cells, sizeof *x->x, err)))
        return false;
    if (pool_try(pool, n, 16 * TILE, fill_chunk, &f, err))
        return true;
    panels_fini(x);
    return false;
}

void
panels_fini(struct panels *x)
{
    free(x->x);
    x->x = NULL;
}

void
panels_row(const struct panels *x, size_t row, double *out)
{
    const double *from = x->x + panels_at(x, row);

    for (size_t j = 0; j < x->p; j++)
        out[j] = from[j * PANEL];
}

/* ---- a panel after the other ---- */

struct passing {
    const struct design *d;
    const struct pool *pool;
    size_t p, scratch;
    double *room; /* of each chunk: a panel and the scratch */
    panel_fn *fn;
    void *ctx;
};

static void
pass_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct passing *s = ctx;
    double *x = s->room + chunk * (s->p * PANEL + s->scratch);

    for (size_t r = begin; r < end; r += PANEL) {
        size_t m = end - r < PANEL ? end - r : PANEL;

        for (size_t j = 0; j < s->p; j++) {
            design_pull(s->d, j, r, r + m, x + j * PANEL);
            for (size_t i = m; i < PANEL; i++)
                x[j * PANEL + i] = 0;
        }
        s->fn(s->ctx, r, m, x, x + s->p * PANEL);
        if (pool_stopped(s->pool))
            return;
    }
}

bool
panels_each(const struct design *d, struct pool *pool, size_t scratch,
            panel_fn *fn, void *ctx, struct error *err)
{
    size_t n = design_rows(d), grain = (n + MAX_CHUNKS - 1) / MAX_CHUNKS;
    struct passing s = {d, pool, design_cols(d), scratch, NULL, fn, ctx};
    bool ok;

    grain = grain < CHUNK_ROWS ? CHUNK_ROWS : grain;
    grain = (grain + PANEL - 1) / PANEL * PANEL;
    if (n == 0)
        return true;
    if (!dense_try(&s.room, pool_chunks(n, grain), s.p * PANEL + scratch, err))
        return false;
    ok = pool_try(pool, n, grain, pass_chunk, &s, err);
    free(s.room);
    return ok;
}
