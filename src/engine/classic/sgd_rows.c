/* engine/classic/sgd_rows.c -- blocks of rows, from memory or as they are fed.
 *
 * A block is the same rows whether they are in memory or not, and so is the
 * order in which they are taken: the model is the same.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/sgd_state.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"

enum {
    MOST_ROWS = 1 << 18, /* of a block */
    LEAST_ROWS = 1 << 8, /* where there are so many columns */
    CELLS = 1 << 23,     /* 64 MiB */
    GRAIN = 256,
    STREAM_PLACE = 0x73676470,
    STREAM_CHUNK = 0x73676463
};

bool
sgd_rows_init(struct sgd *s, struct error *err)
{
    size_t rows = CELLS / s->width, cells;

    rows = rows > MOST_ROWS ? MOST_ROWS : rows < LEAST_ROWS ? LEAST_ROWS : rows;
    s->block_rows = rows < s->n ? rows : s->n;
    if (!mem_mul(s->block_rows, s->width, &cells))
        return error_set(err, ERR_NOMEM, "%zu columns do not fit", s->p);
    return (s->block.x = mem_try_paged(cells, sizeof *s->block.x, err)) &&
           (s->block.norm =
                mem_try_array(s->block_rows, sizeof *s->block.norm, err)) &&
           (s->block.y =
                mem_try_array(s->block_rows, sizeof *s->block.y, err)) &&
           (!s->d->y->weight ||
            (s->block.weight =
                 mem_try_array(s->block_rows, sizeof *s->block.weight, err))) &&
           (s->block.place =
                mem_try_array(s->block_rows, sizeof *s->block.place, err)) &&
           (s->block.chunk = mem_try_array(s->block_rows / SGD_CHUNK + 1,
                                           sizeof *s->block.chunk, err));
}

void
sgd_rows_fini(struct sgd *s)
{
    design_free(s->part);
    free(s->block.x);
    free(s->block.norm);
    free(s->block.y);
    free(s->block.weight);
    free(s->block.place);
    free(s->block.chunk);
}

/* Rows of a design into the block. */
struct filling {
    struct sgd *s;
    const struct design *d;
    size_t from, to; /* the first row, and where in the block it goes */
};

static void
fill_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct filling *f = ctx;
    struct sgd *s = f->s;
    const uint32_t *place = s->block.place + f->to;
    size_t p = s->p, row = s->block.first + f->to;
    double v[GRAIN];

    (void)chunk;
    for (size_t j = 0; j < p; j++) {
        design_pull(f->d, j, f->from + begin, f->from + end, v);
        for (size_t i = begin; i < end; i++)
            s->block.x[place[i] * s->width + j] = v[i - begin];
    }
    for (size_t i = begin; i < end; i++) {
        const double *x = s->block.x + place[i] * s->width;

        s->block.norm[place[i]] = 1 + dense_dot(x, x, p);
        s->block.y[place[i]] = s->d->y->y[row + i];
        if (s->block.weight)
            s->block.weight[place[i]] = s->d->y->weight[row + i];
    }
}

static void
fill(struct sgd *s, const struct design *d, size_t from, size_t to, size_t n)
{
    struct filling f = {s, d, from, to};

    pool_for(s->ctx->pool, n, GRAIN, fill_rows, &f);
}

/* From as many parts as it takes. */
static bool
fill_fed(struct sgd *s, size_t n, struct error *err)
{
    const struct design_feed *feed = s->d->feed;
    size_t done = 0;

    while (done < n) {
        size_t m;

        if (!s->part) {
            if (!feed->next(feed->ctx, &s->part, err))
                return false;
            if (!s->part)
                return error_set(err, ERR_STATE,
                                 "the table has shrunk while it was read");
            s->part_row = 0;
        }
        m = design_rows(s->part) - s->part_row;
        m = m < n - done ? m : n - done;
        fill(s, s->part, s->part_row, done, m);
        s->part_row += m;
        done += m;
        if (s->part_row == design_rows(s->part)) {
            design_free(s->part);
            s->part = NULL;
        }
    }
    return true;
}

bool
sgd_skip(struct sgd *s, struct error *err)
{
    for (size_t done = 0, n; s->d->feed && done < s->next_row; done += n) {
        n = s->next_row - done < s->block_rows ? s->next_row - done
                                               : s->block_rows;
        if (!fill_fed(s, n, err))
            return false;
    }
    return true;
}

/* Where all rows are one block, it stays from turn to turn. */
static bool
stays(const struct sgd *s)
{
    return s->block_rows == s->n && s->block.n == s->n;
}

bool
sgd_rewind(struct sgd *s, struct error *err)
{
    const struct design_feed *feed = s->d->feed;

    s->next_row = 0;
    if (!feed || stays(s))
        return true;
    design_free(s->part);
    s->part = NULL;
    return feed->rewind(feed->ctx, err);
}

static void
number(uint32_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ids[i] = (uint32_t)i;
}

bool
sgd_next(struct sgd *s, bool *more, struct error *err)
{
    struct sgd_block *b = &s->block;
    size_t n = s->n - s->next_row, chunks;
    bool fresh = !stays(s);

    *more = n > 0;
    if (n == 0)
        return true;
    n = n < s->block_rows ? n : s->block_rows;
    chunks = (n + SGD_CHUNK - 1) / SGD_CHUNK;
    b->first = s->next_row;
    b->n = n;
    s->next_row += n;
    if (fresh) {
        number(b->place, n);
        rng_shuffle(s->ctx->seed, STREAM_PLACE + b->first, b->place, n);
        if (!s->d->feed)
            fill(s, s->d->train, b->first, 0, n);
        else if (!fill_fed(s, n, err))
            return false;
    }
    number(b->chunk, chunks);
    rng_shuffle(s->ctx->seed,
                STREAM_CHUNK + s->epoch * ((uint64_t)1 << 32) + b->first,
                b->chunk, chunks);
    return true;
}
