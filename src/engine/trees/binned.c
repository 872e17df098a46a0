/* engine/trees/binned.c -- learn the cuts of every column, then code all rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/binned.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/trees/bundle.h"

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
    const struct progress *progress;
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
        for (size_t at = 0;
             at < rows && !j->missing[col] && !progress_stopped(j->progress);
             at += BLOCK) {
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

/* Slots of the columns that can split: wide ones, other narrow ones, long ones.
 * How many are wide. */
static bool
place_slots(struct binned *b, const struct design *d, struct pool *pool,
            const struct progress *progress, size_t *wide, struct error *err)
{
    struct spread_job j = {d, b, mem_try_array(b->n_cols, sizeof(bool), err),
                           progress};

    if (!j.missing)
        return false;
    /* Only a column with a single bin needs to be looked at. */
    for (size_t c = 0; c < b->n_cols; c++)
        j.missing[c] = binner_bins(b->binner[c]) != 1;
    pool_for(pool, b->n_cols, 1, find_missing, &j);
    for (size_t c = 0; c < b->n_cols; c++)
        if (binner_bins(b->binner[c]) >= NARROW_FROM &&
            binner_bins(b->binner[c]) <= BINNER_NARROW)
            place(b, c, design_column(d, c)->n_levels);
    *wide = b->n_slots;
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
    return progress_check(progress, err);
}

static uint32_t
add_place(struct binned *b, unsigned n_bins)
{
    b->place[b->n_places].n_bins = (uint16_t)n_bins;
    return (uint32_t)b->n_places++;
}

/* Places of slots and bundles that are wide, or of those that are not. */
static void
add_places(struct binned *b, const struct bundle_plan *p, uint32_t *at,
           bool wide)
{
    for (size_t s = 0; s < b->n_narrow; s++)
        if (p->bundle[s] == BUNDLE_NONE &&
            (b->slot[s].n_bins >= NARROW_FROM) == wide)
            b->slot[s].place = add_place(b, b->slot[s].n_bins);
    for (size_t i = 0; i < p->n; i++)
        if ((p->codes[i] >= NARROW_FROM) == wide)
            at[i] = add_place(b, p->codes[i]);
}

/* Slots in the order of their places. */
static bool
sort_by_place(struct binned *b, struct error *err)
{
    uint32_t *start;

    b->by_place = mem_try_array(b->n_narrow, sizeof *b->by_place, err);
    b->place_start = start = mem_try_array(b->n_places + 2, sizeof *start, err);
    if (!b->by_place || !start)
        return false;
    for (size_t s = 0; s < b->n_narrow; s++)
        start[b->slot[s].place + 2]++;
    for (size_t i = 2; i < b->n_places + 2; i++)
        start[i] += start[i - 1];
    for (size_t s = 0; s < b->n_narrow; s++)
        b->by_place[start[b->slot[s].place + 1]++] = (uint32_t)s;
    return true;
}

/* *wide: places that are. */
static bool
place_bundles(struct binned *b, const struct bundle_plan *p, size_t *wide,
              struct error *err)
{
    uint32_t *at = mem_try_array(p->n, sizeof *at, err);

    b->place = mem_try_array(b->n_narrow, sizeof *b->place, err);
    if (!at || !b->place) {
        free(at);
        return false;
    }
    add_places(b, p, at, true);
    *wide = b->n_places;
    add_places(b, p, at, false);
    for (size_t s = 0; s < b->n_narrow; s++)
        if (p->bundle[s] != BUNDLE_NONE) {
            b->slot[s].bundled = true;
            b->slot[s].rest = p->rest[s];
            b->slot[s].offset = p->offset[s];
            b->slot[s].place = at[p->bundle[s]];
        }
    free(at);
    return sort_by_place(b, err);
}

/* Where everything stands in a histogram. */
static bool
number_bins(struct binned *b, size_t wide, struct error *err)
{
    b->n_wide = wide / BINNED_WORD;
    b->n_words = (b->n_places + BINNED_WORD - 1) / BINNED_WORD;
    for (size_t i = 0; i < b->n_places; i++) {
        b->place[i].first = (uint32_t)b->n_bins;
        b->n_bins +=
            i < b->n_wide * BINNED_WORD ? BINNED_WIDE : b->place[i].n_bins + 1u;
    }
    for (size_t s = 0; s < b->n_narrow; s++)
        b->slot[s].first = b->place[b->slot[s].place].first + b->slot[s].offset;
    for (size_t s = b->n_narrow; s < b->n_slots; s++) {
        b->slot[s].first = (uint32_t)b->n_bins;
        b->n_bins += b->slot[s].n_bins + 1u;
    }
    return b->n_bins <= UINT32_MAX ||
           error_set(err, ERR_NOMEM, "%zu bins do not fit", b->n_bins);
}

static bool
lay_out(struct binned *b, const struct design *d, bool bundle,
        struct pool *pool, struct progress *progress, struct error *err)
{
    struct bundle_plan plan = {0};
    size_t wide;
    bool ok;

    b->slot = mem_try_array(b->n_cols, sizeof *b->slot, err);
    if (!b->slot || !place_slots(b, d, pool, progress, &wide, err) ||
        (bundle && !bundle_find(d, b, wide, pool, progress, &plan, err)))
        return false;
    if (plan.n > 0) {
        ok = place_bundles(b, &plan, &wide, err);
    } else {
        b->place = b->slot;
        b->n_places = b->n_narrow;
        for (size_t s = 0; s < b->n_narrow; s++)
            b->slot[s].place = (uint32_t)s;
        ok = true;
    }
    bundle_fini(&plan);
    return ok && number_bins(b, wide, err);
}

/* ---- codes ---- */

struct code_job {
    const struct design *d;
    struct binned *b;
    size_t at; /* its row 0 in b */
    struct progress *progress;
    atomic_bool clash; /* two slots of a bundle, or a missing value in one */
};

/* Codes of a bundled slot among those of the others. */
static void
put_bundled(struct code_job *j, const struct binned_slot *s, uint8_t *code,
            size_t n, uint8_t *out, size_t stride)
{
    for (size_t i = 0; i < n; i++) {
        unsigned k = code[i];

        code[i] = 0;
        if (k == s->rest)
            continue;
        if (k == 0 || out[i * stride] != 0)
            atomic_store(&j->clash, true);
        else
            out[i * stride] = (uint8_t)binned_stored(s, k);
    }
}

/* By row they are all there: by column, too. */
static void
turn_rows(const struct binned *b, size_t row, size_t n)
{
    size_t stride = b->n_words * BINNED_WORD;

    for (size_t p = 0; p < b->n_places; p++) {
        const uint8_t *from = binned_row(b, row) + p;
        uint8_t *to = b->col + p * b->n_rows + row;

        for (size_t i = 0; i < n; i++)
            to[i] = from[i * stride];
    }
}

static void
code_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct code_job *j = ctx;
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
        const struct binned_slot *slot = &b->slot[s];
        uint8_t *out = (uint8_t *)(b->row + row * b->n_words) + slot->place;

        design_pull(j->d, slot->col, begin, end, x);
        binner_apply(b->binner[slot->col], x, end - begin, code);
        if (slot->bundled) {
            put_bundled(j, slot, code, end - begin, out, stride);
            continue;
        }
        for (size_t i = 0; i < end - begin; i++)
            out[i * stride] = code[i];
        if (b->col && !b->by_place)
            memcpy(b->col + slot->place * b->n_rows + row, code, end - begin);
    }
    if (b->col && b->by_place)
        turn_rows(b, row, end - begin);
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
            room_init_paged(&b->cols, b->n_rows * b->n_places, 1, left, err);
    return b->long_col && (!by_col || b->col);
}

static bool
put_rows(struct binned *b, const struct design *d, size_t at, struct pool *pool,
         struct progress *progress, bool *clash, struct error *err)
{
    struct code_job j = {.d = d, .b = b, .at = at, .progress = progress};

    assert(at + design_rows(d) <= b->n_rows);
    pool_for(pool, design_rows(d), BLOCK, code_rows, &j);
    *clash = atomic_load(&j.clash);
    return progress_check(progress, err);
}

bool
binned_put(struct binned *b, const struct design *d, size_t at,
           struct pool *pool, struct progress *progress, struct error *err)
{
    bool clash;

    if (!put_rows(b, d, at, pool, progress, &clash, err))
        return false;
    assert(!clash);
    return true;
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
        lay_out(b, sample, o->rule->bundle && design_rows(sample) == n_rows,
                pool, o->progress, err) &&
        make_codes(b, true, left, err))
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

/* By place, or, where other rows clash in a bundle, each slot by itself. */
static struct binned *
apply(const struct binned *like, const struct design *d, bool apart,
      struct error *err)
{
    struct binned *b = mem_try_array(1, sizeof *b, err);

    if (!b)
        return NULL;
    *b = *like;
    b->row = NULL;
    b->col = NULL;
    b->long_col = NULL;
    b->rows = b->cols = b->long_cols = (struct room){0};
    b->n_rows = design_rows(d);
    b->borrowed = true;
    if (apart) {
        b->by_place = b->place_start = NULL;
        b->n_places = b->n_narrow;
        b->n_words = (b->n_places + BINNED_WORD - 1) / BINNED_WORD;
        b->slot = b->own = mem_try_array(b->n_slots, sizeof *b->slot, err);
        for (size_t s = 0; b->slot && s < b->n_slots; s++) {
            b->slot[s] = like->slot[s];
            b->slot[s].bundled = false;
            b->slot[s].place = (uint32_t)s;
        }
    }
    if (b->slot && make_codes(b, false, NULL, err))
        return b;
    binned_free(b);
    return NULL;
}

struct binned *
binned_apply(const struct binned *like, const struct design *d,
             struct pool *pool, struct progress *progress, struct error *err)
{
    for (int apart = 0; apart < 2; apart++) {
        struct binned *b = apply(like, d, apart, err);
        bool clash = false, ok;

        if (!b)
            return NULL;
        ok = put_rows(b, d, 0, pool, progress, &clash, err);
        if (ok && !clash)
            return b;
        binned_free(b);
        if (!ok)
            break;
    }
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
        if (b->place != b->slot)
            free(b->place);
        free(b->slot);
        free(b->by_place);
        free(b->place_start);
    }
    free(b->own);
    room_fini(&b->rows);
    room_fini(&b->cols);
    room_fini(&b->long_cols);
    free(b);
}
