/* engine/classic/gram.c -- products of the columns of a design.
 *
 * Rows are pulled in tiles that stay in cache, and every chunk of rows has a
 * matrix of its own; these are added up in order.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/gram.h"

#include <stdlib.h>
#include <string.h>

#include "engine/classic/block.h"
#include "engine/classic/panels.h"

enum {
    MAX_CHUNKS = 64,
    MAX_PARTIAL = 64 << 20, /* bytes of the chunks' matrices, at most */
    MIN_CHUNK = 1024,       /* rows */
    TILE = 256,             /* rows that are pulled at once */
    TILE_VALUES = 1 << 15,
    COLUMNS = 64 /* of a block of the product */
};

struct means {
    const struct design *d;
    double *mean;
};

static void
mean_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct means *m = ctx;
    size_t n = design_rows(m->d);
    double v[TILE];

    (void)chunk;
    for (size_t j = begin; j < end; j++) {
        double sum = 0;

        for (size_t r = 0; r < n; r += TILE) {
            size_t stop = n - r < TILE ? n : r + TILE;

            design_pull(m->d, j, r, stop, v);
            for (size_t i = 0; i < stop - r; i++)
                sum += v[i];
        }
        m->mean[j] = n ? sum / (double)n : 0;
    }
}

bool
gram_means(const struct design *d, struct pool *pool, double *mean,
           struct error *err)
{
    struct means m = {d, mean};

    return pool_try(pool, design_cols(d), 1, mean_chunk, &m, err);
}

void
gram_add_rows(const struct gram_product *g, size_t begin, size_t end)
{
    const struct block_kernels *kernels = block_kernels();

    for (size_t i = begin; i < end; i += COLUMNS)
        kernels->product(
            &(struct block){.a = g->x + i,
                            .a_row = 1,
                            .a_col = g->stride,
                            .n_a = end - i < COLUMNS ? end - i : COLUMNS,
                            .b = g->y + i,
                            .b_row = g->stride,
                            .n_b = g->p - i,
                            .p = g->n,
                            .out = g->out + i * g->p + i,
                            .out_row = g->p});
}

void
gram_add(const double *x, size_t n, size_t p, double *out)
{
    gram_add_rows(&(struct gram_product){x, x, n, p, p, out}, 0, p);
}

void
gram_mirror(double *a, size_t p)
{
    for (size_t i = 0; i < p; i++)
        for (size_t j = 0; j < i; j++)
            a[i * p + j] = a[j * p + i];
}

struct summing {
    const struct gram *g;
    size_t p, tile;
    double *room; /* a chunk each: the tile, the matrix, xy */
    size_t each;
};

static void
xy_add(const struct summing *s, const double *x, size_t r, size_t m, double *xy)
{
    const struct gram *g = s->g;

    for (size_t i = 0; i < m; i++) {
        double y = g->y[r + i] - g->y_mean;

        for (size_t j = 0; j < s->p; j++)
            xy[j] += x[i * s->p + j] * y;
    }
}

static void
sum_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct summing *s = ctx;
    const struct gram *g = s->g;
    double *x = s->room + chunk * s->each, *out = x + s->tile * s->p;
    double v[TILE];

    for (size_t r = begin; r < end; r += s->tile) {
        size_t m = end - r < s->tile ? end - r : s->tile;

        if (progress_stopped(g->progress))
            return;
        for (size_t j = 0; j < s->p; j++) {
            design_pull(g->d, j, r, r + m, v);
            for (size_t i = 0; i < m; i++)
                x[i * s->p + j] = v[i] - g->mean[j];
        }
        gram_add(x, m, s->p, out);
        if (g->y)
            xy_add(s, x, r, m, out + s->p * s->p);
    }
}

bool
gram_make(const struct gram *g, struct error *err)
{
    size_t n = design_rows(g->d), p = design_cols(g->d), grain, chunks;
    struct summing s = {g, p, TILE_VALUES / (p + 1), NULL, 0};
    size_t most = MAX_PARTIAL / (p * p * sizeof(double) + 1);

    s.tile = s.tile < PANEL ? PANEL : s.tile > TILE ? TILE : s.tile;
    s.each = s.tile * p + p * p + p;
    most = most < 1 ? 1 : most > MAX_CHUNKS ? MAX_CHUNKS : most;
    grain = (n + most - 1) / most;
    grain = grain < MIN_CHUNK ? MIN_CHUNK : grain;
    chunks = pool_chunks(n, grain);
    if (!dense_try(&s.room, chunks, s.each, err))
        return false;
    if (!pool_try(g->pool, n, grain, sum_chunk, &s, err)) {
        free(s.room);
        return false;
    }
    memset(g->out, 0, p * p * sizeof *g->out);
    if (g->y)
        memset(g->xy, 0, p * sizeof *g->xy);
    for (size_t c = 0; c < chunks; c++) {
        const double *part = s.room + c * s.each + s.tile * p;

        for (size_t i = 0; i < p; i++)
            for (size_t j = i; j < p; j++)
                g->out[i * p + j] += part[i * p + j];
        for (size_t j = 0; j < p && g->y; j++)
            g->xy[j] += part[p * p + j];
    }
    free(s.room);
    gram_mirror(g->out, p);
    return !g->progress || progress_check(g->progress, err);
}
