/* engine/trees/binned.c -- learn the cuts of every column, then code all rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/binned.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum {
    BLOCK = 4096,    /* rows coded at a time: they stay in the L2 cache */
    SLACK_WORDS = 8, /* kernels may read a vector past the last row */
    NARROW_FROM = 128
};

/* ---- cuts ---- */

struct fit_job {
    const struct design *d;
    struct binned *b;
    const struct binned_rule *rule;
    struct progress *progress;
    struct error *error; /* n_cols; code ERR_NONE when all is well */
    const struct binned_levels *levels; /* NULL: to be learnt */
};

/* One row of each of `n` equal stretches, in order. */
static void
pull_sample(const struct fit_job *j, size_t col, double *out, size_t n)
{
    size_t rows = design_rows(j->d), i = 0;
    double block[BLOCK];
    double width = (double)rows / (double)n;

    for (size_t begin = 0; begin < rows; begin += BLOCK) {
        size_t end = rows - begin < BLOCK ? rows : begin + BLOCK;

        design_pull(j->d, col, begin, end, block);
        for (; i < n; i++) {
            double at =
                ((double)i + rng_unit(j->rule->seed, 0x62696e73, i)) * width;
            size_t row = at < (double)rows ? (size_t)at : rows - 1;

            if (row >= end)
                break;
            /* Rounding may point a row back over the edge of a block. */
            out[i] = block[row < begin ? 0 : row - begin];
        }
    }
}

static struct binner *
fit_column(const struct fit_job *j, size_t col, struct error *err)
{
    size_t rows = design_rows(j->d);
    unsigned n_levels = design_column(j->d, col)->n_levels;
    /* Levels are only counted, so all rows have a say. */
    size_t n = rows > BINNED_SAMPLE && n_levels == 0 ? BINNED_SAMPLE : rows;
    double *x;
    struct binner *b = NULL;

    if (j->levels && n_levels > 0)
        return binner_of_codes(j->levels->code + j->levels->start[col],
                               n_levels, err);
    if (!(x = mem_try_array(n, sizeof *x, err)))
        return NULL;
    if (n < rows)
        pull_sample(j, col, x, n);
    else
        design_pull(j->d, col, 0, n, x);
    b = n_levels > 0 ? binner_fit_levels(x, n, n_levels, j->rule->max_levels,
                                         j->rule->level_rows, err)
                     : binner_fit(x, n, j->rule->max_bins, err);
    free(x);
    return b;
}

static void
fit_columns(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct fit_job *j = ctx;

    (void)chunk;
    for (size_t col = begin; col < end; col++) {
        if (progress_stopped(j->progress))
            return;
        j->b->binner[col] = fit_column(j, col, &j->error[col]);
        progress_add(j->progress, 1);
    }
}

static bool
fit_binners(struct binned *b, const struct design *d,
            const struct binned_levels *levels, const struct binned_rule *r,
            struct pool *pool, struct progress *progress, struct error *err)
{
    struct fit_job j = {d, b, r, progress, NULL, levels};
    bool ok = false;

    j.error = mem_try_array(b->n_cols, sizeof *j.error, err);
    if (!j.error)
        return false;
    pool_for(pool, b->n_cols, 1, fit_columns, &j);
    if (!progress_check(progress, err))
        goto out;
    for (size_t col = 0; col < b->n_cols; col++)
        if (!b->binner[col]) {
            *err = j.error[col];
            goto out;
        }
    ok = true;
out:
    free(j.error);
    return ok;
}

/* ---- layout ---- */

/* Does the column ever leave its first code? */
struct spread_job {
    const struct design *d;
    const struct binned *b;
    bool *missing; /* n_cols */
};

static void
find_missing(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct spread_job *j = ctx;
    size_t rows = design_rows(j->d);
    double x[BLOCK];
    uint8_t code[BLOCK];

    (void)chunk;
    for (size_t col = begin; col < end; col++)
        for (size_t at = 0; at < rows && !j->missing[col]; at += BLOCK) {
            size_t n = rows - at < BLOCK ? rows - at : BLOCK;

            design_pull(j->d, col, at, at + n, x);
            binner_apply(j->b->binner[col], x, n, code);
            j->missing[col] = memchr(code, 0, n) != NULL;
        }
}

static void
place(struct binned *b, size_t col, unsigned n_levels)
{
    struct binned_slot *s = &b->slot[b->n_slots++];

    s->col = (uint32_t)col;
    s->n_bins = (uint16_t)binner_bins(b->binner[col]);
    s->category = n_levels > 0;
}

static bool
lay_out(struct binned *b, const struct design *d, struct pool *pool,
        struct error *err)
{
    struct spread_job j = {d, b, mem_try_array(b->n_cols, sizeof(bool), err)};
    size_t wide;

    if (!j.missing)
        return false;
    b->slot = mem_try_array(b->n_cols, sizeof *b->slot, err);
    if (!b->slot) {
        free(j.missing);
        return false;
    }
    /* Only a column with a single bin needs to be looked at. */
    for (size_t c = 0; c < b->n_cols; c++)
        j.missing[c] = binner_bins(b->binner[c]) != 1;
    pool_for(pool, b->n_cols, 1, find_missing, &j);
    for (size_t c = 0; c < b->n_cols; c++)
        if (binner_bins(b->binner[c]) >= NARROW_FROM &&
            binner_bins(b->binner[c]) <= BINNER_NARROW)
            place(b, c, design_column(d, c)->n_levels);
    wide = b->n_slots;
    for (size_t c = 0; c < b->n_cols; c++) {
        unsigned bins = binner_bins(b->binner[c]);

        if (bins > 0 && bins < NARROW_FROM && j.missing[c])
            place(b, c, design_column(d, c)->n_levels);
    }
    b->n_narrow = b->n_slots;
    for (size_t c = 0; c < b->n_cols; c++)
        if (binner_bins(b->binner[c]) > BINNER_NARROW)
            place(b, c, design_column(d, c)->n_levels);
    free(j.missing);
    b->n_wide = wide / BINNED_WORD;
    b->n_words = (b->n_narrow + BINNED_WORD - 1) / BINNED_WORD;
    for (size_t s = 0; s < b->n_slots; s++) {
        b->slot[s].first = (uint32_t)b->n_bins;
        b->n_bins +=
            s < b->n_wide * BINNED_WORD ? BINNED_WIDE : b->slot[s].n_bins + 1u;
    }
    return b->n_bins <= UINT32_MAX ||
           error_set(err, ERR_NOMEM, "%zu bins do not fit", b->n_bins);
}

/* ---- codes ---- */

struct code_job {
    const struct design *d;
    struct binned *b;
    size_t at; /* its row 0 in b */
    struct progress *progress;
};

static void
code_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct code_job *j = ctx;
    struct binned *b = j->b;
    size_t stride = b->n_words * BINNED_WORD, row = j->at + begin;
    double x[BLOCK];
    uint8_t code[BLOCK];

    (void)chunk;
    if (progress_stopped(j->progress))
        return;
    for (size_t s = b->n_narrow; s < b->n_slots; s++) {
        design_pull(j->d, b->slot[s].col, begin, end, x);
        binner_apply_long(b->binner[b->slot[s].col], x, end - begin,
                          b->long_col + (s - b->n_narrow) * b->n_rows + row);
    }
    for (size_t s = 0; s < b->n_narrow; s++) {
        uint8_t *out = (uint8_t *)(b->row + row * b->n_words) + s;

        design_pull(j->d, b->slot[s].col, begin, end, x);
        binner_apply(b->binner[b->slot[s].col], x, end - begin, code);
        for (size_t i = 0; i < end - begin; i++)
            out[i * stride] = code[i];
        if (b->col)
            memcpy(b->col + s * b->n_rows + row, code, end - begin);
    }
}

static bool
make_codes(struct binned *b, bool by_col, size_t *left, struct error *err)
{
    size_t n, n_long = b->n_slots - b->n_narrow, longs;

    if (!mem_mul(b->n_rows, b->n_words, &n) ||
        !mem_mul(b->n_rows, n_long, &longs))
        return error_set(err, ERR_NOMEM, "%zu rows of %zu columns do not fit",
                         b->n_rows, b->n_slots);
    b->row =
        room_init_paged(&b->rows, n + SLACK_WORDS, sizeof *b->row, left, err);
    if (!b->row)
        return false;
    b->long_col =
        room_init_paged(&b->long_cols, longs, sizeof *b->long_col, left, err);
    if (by_col)
        b->col =
            room_init_paged(&b->cols, b->n_rows * b->n_narrow, 1, left, err);
    return b->long_col && (!by_col || b->col);
}

bool
binned_put(struct binned *b, const struct design *d, size_t at,
           struct pool *pool, struct progress *progress, struct error *err)
{
    struct code_job j = {d, b, at, progress};

    assert(at + design_rows(d) <= b->n_rows);
    pool_for(pool, design_rows(d), BLOCK, code_rows, &j);
    return progress_check(progress, err);
}

static struct binned *
new_binned(size_t n_rows, size_t n_cols, struct error *err)
{
    struct binned *b = mem_try_array(1, sizeof *b, err);

    if (!b)
        return NULL;
    b->n_rows = n_rows;
    b->n_cols = n_cols;
    b->binner = mem_try_array(b->n_cols, sizeof(struct binner *), err);
    if (!b->binner) {
        free(b);
        return NULL;
    }
    return b;
}

static struct binned *
begin(const struct design *sample, const struct binned_levels *levels,
      size_t n_rows, const struct fit_job *o, size_t *left, struct pool *pool,
      struct error *err)
{
    struct binned *b = new_binned(n_rows, design_cols(sample), err);

    if (!b)
        return NULL;
    progress_begin(o->progress, "binning", b->n_cols);
    if (fit_binners(b, sample, levels, o->rule, pool, o->progress, err) &&
        lay_out(b, sample, pool, err) && make_codes(b, true, left, err))
        return b;
    binned_free(b);
    return NULL;
}

struct binned *
binned_begin(const struct design *sample, size_t n_rows,
             const struct binned_rule *r, size_t *left, struct pool *pool,
             struct progress *progress, struct error *err)
{
    struct fit_job o = {.rule = r, .progress = progress};

    return begin(sample, NULL, n_rows, &o, left, pool, err);
}

struct binned *
binned_continue(const struct design *d, const struct binned_levels *levels,
                const struct binned_rule *r, struct pool *pool,
                struct progress *progress, struct error *err)
{
    struct fit_job o = {.rule = r, .progress = progress};
    struct binned *b = begin(d, levels, design_rows(d), &o, NULL, pool, err);

    if (!b || binned_put(b, d, 0, pool, progress, err))
        return b;
    binned_free(b);
    return NULL;
}

struct binned *
binned_fit(const struct design *d, const struct binned_rule *r,
           struct pool *pool, struct progress *progress, struct error *err)
{
    return binned_continue(d, NULL, r, pool, progress, err);
}

struct binned *
binned_apply(const struct binned *like, const struct design *d,
             struct pool *pool, struct progress *progress, struct error *err)
{
    struct binned *b = mem_try_array(1, sizeof *b, err);

    if (!b)
        return NULL;
    b->n_rows = design_rows(d);
    b->n_cols = like->n_cols;
    b->binner = like->binner;
    b->slot = like->slot;
    b->borrowed = true;
    b->n_slots = like->n_slots;
    b->n_narrow = like->n_narrow;
    b->n_words = like->n_words;
    b->n_wide = like->n_wide;
    b->n_bins = like->n_bins;
    if (make_codes(b, false, NULL, err) &&
        binned_put(b, d, 0, pool, progress, err))
        return b;
    binned_free(b);
    return NULL;
}

void
binned_free(struct binned *b)
{
    if (!b)
        return;
    if (!b->borrowed) {
        for (size_t c = 0; b->binner && c < b->n_cols; c++)
            binner_free(b->binner[c]);
        free(b->binner);
        free(b->slot);
    }
    room_fini(&b->rows);
    room_fini(&b->cols);
    room_fini(&b->long_cols);
    free(b);
}
