/* Where values of a stream are missing: by parts of the rows, by pairs of
 * columns, by patterns.  A bit a row and column of the batch at hand, as in
 * profile_missing.c.
 *
 * Parts of the rows are counted in segments that double in length when there
 * are too many of them, and are shared out over the bands in the end; where the
 * number of rows is known they are the bands.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/order.h"
#include "frame/profile_stream_part.h"

bool
absence_init(struct absence *a, size_t n_cols, const uint64_t *n_rows,
             struct error *err)
{
    *a = (struct absence){
        .n_cols = n_cols, .known = n_rows ? *n_rows : 0, .width = 1};
    if (!sketch_heavy_init(&a->pattern, GATHER_PATTERNS, err) ||
        !(a->scratch = mem_try_unset(1, sizeof *a->scratch, err)))
        return false;
    return n_cols > PROFILE_MAX_PAIRED ||
           (a->both = mem_try_array(n_cols * n_cols, sizeof *a->both, err));
}

void
absence_fini(struct absence *a)
{
    sketch_heavy_fini(&a->pattern);
    free(a->both);
    free(a->scratch);
    free(a->key);
}

/* ---- columns ---- */

static size_t
segment_of(const struct absence *a, uint64_t row)
{
    size_t at;

    if (!a->known)
        return (size_t)(row / a->width);
    at = (size_t)((double)row *
                  (a->known < PROFILE_BANDS ? (double)a->known
                                            : (double)PROFILE_BANDS) /
                  (double)a->known);
    return at < GATHER_SEGMENTS ? at : GATHER_SEGMENTS - 1;
}

void
absence_begin(struct absence *a, struct gather *g, size_t n)
{
    while (!a->known && a->n_rows + n > a->width * GATHER_SEGMENTS) {
        a->width *= 2;
        for (size_t col = 0; col < a->n_cols; col++) {
            uint32_t *s = g[col].segment;

            for (size_t i = 0; s && i < GATHER_SEGMENTS; i++)
                s[i] = 2 * i < GATHER_SEGMENTS ? s[2 * i] + s[2 * i + 1] : 0;
        }
    }
}

static bool
set_bits(struct gather *g, const struct column *c, struct error *err)
{
    size_t n = column_rows(c), words = (n + 63) / 64;
    const uint64_t *valid = column_validity(c);

    g->has_holes = false;
    if (!valid && g->type != COL_FLOAT64)
        return true;
    if (words > g->cap_words || !g->bit) {
        free(g->bit);
        g->cap_words = 0;
        if (!(g->bit = mem_try_array(words, sizeof *g->bit, err)))
            return false;
        g->cap_words = words;
    }
    for (size_t w = 0; w < words; w++)
        g->bit[w] = valid ? ~valid[w] : 0;
    if (n % 64)
        g->bit[words - 1] &= ((uint64_t)1 << n % 64) - 1;
    if (g->type == COL_FLOAT64)
        for (size_t i = 0; i < n; i++)
            g->bit[i / 64] |= (uint64_t)(isnan(column_float64s(c)[i]) != 0)
                              << i % 64;
    for (size_t w = 0; w < words && !g->has_holes; w++)
        g->has_holes = g->bit[w] != 0;
    return true;
}

bool
absence_column(const struct absence *a, struct gather *g,
               const struct column *c, struct error *err)
{
    size_t words = (column_rows(c) + 63) / 64;

    if (!set_bits(g, c, err))
        return false;
    if (!g->has_holes)
        return true;
    if (!g->segment &&
        !(g->segment = mem_try_array(GATHER_SEGMENTS, sizeof *g->segment, err)))
        return false;
    for (size_t w = 0; w < words; w++)
        for (uint64_t b = g->bit[w]; b; b &= b - 1) {
            uint64_t row =
                a->n_rows + w * 64 + profile_ones((b & (~b + 1)) - 1);

            g->segment[segment_of(a, row)]++;
        }
    return true;
}

/* ---- rows ---- */

struct pairing {
    struct absence *a;
    struct gather *g;
    size_t words;
};

static void
pair_columns(void *ctx, size_t a, size_t begin, size_t end)
{
    struct pairing *p = ctx;
    size_t n = p->a->n_cols;

    (void)begin;
    (void)end;
    for (size_t b = a + 1; p->g[a].has_holes && b < n; b++) {
        size_t sum = 0;

        for (size_t w = 0; p->g[b].has_holes && w < p->words; w++)
            sum += profile_ones(p->g[a].bit[w] & p->g[b].bit[w]);
        p->a->both[a * n + b] += sum;
    }
}

/* A key of the columns that each row misses; 0 where it is complete. */
static bool
set_keys(struct absence *a, const struct gather *g, size_t n, struct error *err)
{
    if (n > a->cap || !a->key) {
        free(a->key);
        a->cap = 0;
        if (!(a->key = mem_try_array(n, sizeof *a->key, err)))
            return false;
        a->cap = n;
    }
    memset(a->key, 0, n * sizeof *a->key);
    for (size_t col = 0; col < a->n_cols; col++)
        for (size_t w = 0; g[col].has_holes && w < (n + 63) / 64; w++)
            for (uint64_t b = g[col].bit[w]; b; b &= b - 1)
                a->key[w * 64 + profile_ones((b & (~b + 1)) - 1)] ^=
                    sketch_mix(col);
    return true;
}

static void
add_block(struct absence *a, uint64_t *block, size_t n)
{
    struct gather_scratch *s = a->scratch;
    const uint64_t *key = order_sort(block, s->sorted, n);
    size_t n_runs = 0;

    for (size_t i = 0; i < n; i++) {
        if (!n_runs || s->run[n_runs - 1].key != key[i])
            s->run[n_runs++] = (struct sketch_point){key[i], 0};
        s->run[n_runs - 1].weight++;
    }
    sketch_heavy_add(&a->pattern, s->run, NULL, n_runs, &s->heavy);
}

static void
count_patterns(struct absence *a, size_t n)
{
    uint64_t *block = a->scratch->tag;
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        struct sketch_heavy_item *item;

        if (!a->key[i]) {
            a->n_complete++;
            continue;
        }
        if ((item = sketch_heavy_find(&a->pattern, a->key[i]))) {
            item->count++;
            continue;
        }
        block[k++] = a->key[i];
        if (k == SKETCH_BLOCK) {
            add_block(a, block, k);
            k = 0;
        }
    }
    add_block(a, block, k);
}

/* The columns of the patterns that are new, by the first row of each. */
static bool
hold_patterns(struct absence *a, const struct gather *g, size_t n,
              struct error *err)
{
    size_t words = (a->n_cols + 63) / 64, left = 0;

    for (size_t i = 0; i < a->pattern.n_slots; i++)
        left += a->pattern.slot[i].count && !a->pattern.slot[i].held;
    for (size_t i = 0; i < n && left > 0; i++) {
        struct sketch_heavy_item *item =
            a->key[i] ? sketch_heavy_find(&a->pattern, a->key[i]) : NULL;
        uint64_t *bits;

        if (!item || item->held)
            continue;
        if (!(bits = mem_try_array(words, sizeof *bits, err)))
            return false;
        for (size_t col = 0; col < a->n_cols; col++)
            if (g[col].has_holes)
                bits[col / 64] |= (g[col].bit[i / 64] >> i % 64 & 1)
                                  << col % 64;
        item->held = bits;
        item->tag = a->n_rows + i;
        left--;
    }
    return true;
}

bool
absence_rows(struct absence *a, struct gather *g, size_t n, struct pool *pool,
             struct error *err)
{
    struct pairing p = {a, g, (n + 63) / 64};
    bool any = false;

    for (size_t i = 0; i < a->n_cols && !any; i++)
        any = g[i].has_holes;
    if (any) {
        if (a->both)
            pool_for(pool, a->n_cols, 1, pair_columns, &p);
        if (!set_keys(a, g, n, err))
            return false;
        count_patterns(a, n);
        if (!hold_patterns(a, g, n, err))
            return false;
    } else {
        a->n_complete += n;
    }
    a->n_rows += n;
    return true;
}

/* ---- in the end ---- */

/* Segments to bands; where an edge parts one, in proportion. */
static void
share_out(const struct absence *a, const uint32_t *segment, size_t n_bands,
          uint32_t *band)
{
    double per = (double)a->n_rows / (double)n_bands, sum = 0, done = 0;
    size_t i = 0;

    if (a->known) {
        memcpy(band, segment, n_bands * sizeof *band);
        return;
    }
    for (size_t k = 0; k < n_bands; k++) {
        double edge = (double)(k + 1) * per, part = 0;

        for (;
             i < GATHER_SEGMENTS && (double)(i + 1) * (double)a->width <= edge;
             i++)
            sum += segment[i];
        if (k + 1 < n_bands && i < GATHER_SEGMENTS)
            part = segment[i] * (edge / (double)a->width - (double)i);
        else
            for (; i < GATHER_SEGMENTS; i++)
                sum += segment[i];
        band[k] = (uint32_t)fmax(rint(sum + part) - done, 0);
        done += band[k];
    }
}

static bool
set_bands(const struct absence *a, const struct gather *g, struct profile *p,
          struct error *err)
{
    p->n_bands = p->n_rows < PROFILE_BANDS ? p->n_rows : PROFILE_BANDS;
    if (!(p->band =
              mem_try_array(p->n_cols, p->n_bands * sizeof *p->band, err)))
        return false;
    for (size_t i = 0; i < p->n_cols; i++)
        if (g[i].segment)
            share_out(a, g[i].segment, p->n_bands, p->band + i * p->n_bands);
    return true;
}

/* Pearson's r of two bits a row. */
static double
nullity(const struct absence *a, const struct profile *p, size_t i, size_t k)
{
    double n = (double)p->n_rows, both = (double)a->both[i * p->n_cols + k];
    double x = (double)p->column[i].n_missing;
    double y = (double)p->column[k].n_missing;

    if (x == 0 || y == 0 || x == n || y == n)
        return NAN;
    return (n * both - x * y) / (sqrt(x * (n - x)) * sqrt(y * (n - y)));
}

static bool
set_nullity(const struct absence *a, struct profile *p, struct error *err)
{
    if (!a->both)
        return true;
    if (!(p->nullity =
              mem_try_array(p->n_cols * p->n_cols, sizeof *p->nullity, err)))
        return false;
    for (size_t i = 0; i < p->n_cols; i++)
        for (size_t k = i + 1; k < p->n_cols; k++)
            p->nullity[i * p->n_cols + k] = nullity(a, p, i, k);
    return true;
}

static bool
set_patterns(const struct absence *a, struct profile *p, struct error *err)
{
    const struct sketch_heavy_item **list = sketch_heavy_list(&a->pattern, err);
    size_t n = a->pattern.n < PROFILE_TOP ? a->pattern.n : PROFILE_TOP;
    size_t words = (p->n_cols + 63) / 64;

    if (!list || !(p->pattern_bits = mem_try_array(
                       n * words, sizeof *p->pattern_bits, err))) {
        free(list);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        p->pattern[i] = (struct profile_pattern){list[i]->count, list[i]->tag};
        memcpy(p->pattern_bits + i * words, list[i]->held,
               words * sizeof *p->pattern_bits);
        if (list[i]->slack > p->pattern_error)
            p->pattern_error = list[i]->slack;
    }
    p->n_patterns = n;
    free(list);
    return true;
}

bool
absence_end(struct absence *a, const struct gather *g, struct profile *p,
            struct error *err)
{
    bool any = false;

    p->n_complete = a->n_complete;
    for (size_t i = 0; i < p->n_cols; i++)
        any = any || p->column[i].n_missing;
    if (!any)
        return true;
    p->bands_estimated = !a->known;
    return set_bands(a, g, p, err) && set_nullity(a, p, err) &&
           set_patterns(a, p, err);
}
