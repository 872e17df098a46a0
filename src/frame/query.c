/* Sorting, frequencies, distinct rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/gather.h"
#include "frame/order.h"
#include "frame/rowgroup.h"

/* ---- sort ------------------------------------------------------------ */

struct sorter {
    const struct column *c;
    bool descending;
    const uint32_t *rank;
    uint64_t *key, *key2;
    uint32_t *id, *id2;
    size_t n;
    const struct progress *progress;
};

enum { CHUNK = 65536 };

/* The keys of the rows in their present order. */
static void
fill_keys(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct sorter *s = ctx;

    (void)chunk;
    if (progress_stopped(s->progress))
        return;
    for (size_t i = begin; i < end; i++) {
        order_keys(s->c, s->id[i], s->id[i] + 1, s->rank, &s->key[i]);
        if (s->descending)
            s->key[i] = ~s->key[i];
    }
}

/* Missing rows behind the others, each part in the order it has. */
static size_t
part_missing(struct sorter *s)
{
    size_t here = 0, gone = 0;
    uint32_t *swap = s->id;

    for (size_t i = 0; i < s->n; i++)
        if (column_is_valid(s->c, s->id[i]))
            s->id2[here++] = s->id[i];
    for (size_t i = 0; i < s->n; i++)
        if (!column_is_valid(s->c, s->id[i]))
            s->id2[here + gone++] = s->id[i];
    s->id = s->id2;
    s->id2 = swap;
    return here;
}

/* NULL in *rank where c is not text. */
static bool
ranks_of(const struct column *c, uint32_t **rank,
         const struct progress *progress, struct error *err)
{
    const struct dict *d = column_dict(c);

    *rank = NULL;
    if (!d)
        return true;
    if (!(*rank = mem_try_array(dict_count(d), sizeof **rank, err)))
        return false;
    if (dict_ranks(d, *rank, progress, err))
        return true;
    free(*rank);
    *rank = NULL;
    return false;
}

/* One key; what the keys after it decided stays where they agree. */
static bool
sort_by(struct sorter *s, struct pool *pool, struct error *err)
{
    uint32_t *rank, *tail;
    size_t here;

    if (!ranks_of(s->c, &rank, s->progress, err))
        return false;
    s->rank = rank;
    here = part_missing(s);
    tail = s->id;
    pool_for(pool, here, CHUNK, fill_keys, s);
    order_sort_ids(&s->key, &s->id, &s->key2, &s->id2, here, s->progress);
    if (s->id != tail && here < s->n)
        memcpy(s->id + here, tail + here, (s->n - here) * sizeof *tail);
    free(rank);
    return true;
}

static bool
sorter_init(struct sorter *s, const struct frame *f, struct error *err)
{
    *s = (struct sorter){.n = frame_rows(f)};
    if (!(s->key = mem_try_array(s->n, sizeof *s->key, err)) ||
        !(s->key2 = mem_try_array(s->n, sizeof *s->key2, err)) ||
        !(s->id = mem_try_array(s->n, sizeof *s->id, err)) ||
        !(s->id2 = mem_try_array(s->n, sizeof *s->id2, err)))
        return false;
    for (size_t i = 0; i < s->n; i++)
        s->id[i] = (uint32_t)i;
    return true;
}

static void
sorter_fini(struct sorter *s)
{
    free(s->key);
    free(s->key2);
    free(s->id);
    free(s->id2);
}

static void
take_key(struct sorter *s, const struct frame *f, const struct query_key *key)
{
    s->c = frame_column(f, key->col);
    s->descending = key->descending;
}

/* The rows in id, of which there are n, by all keys. */
static bool
sort_rows(struct sorter *s, const struct frame *f, const struct query_key *keys,
          size_t n_keys, struct pool *pool, struct error *err)
{
    for (size_t k = n_keys; k-- > 0;) {
        take_key(s, f, &keys[k]);
        if (!sort_by(s, pool, err) || !progress_check(s->progress, err))
            return false;
    }
    return true;
}

bool
query_key_find(const struct frame *f, const char *name, struct query_key *out,
               struct error *err)
{
    bool minus = name[0] == '-';
    bool own = minus && frame_find(f, name + 1) < 0 && frame_find(f, name) >= 0;

    out->descending = minus && !own;
    return frame_need(f, name + out->descending, &out->col, err);
}

uint32_t *
query_sort(const struct frame *f, const struct query_key *keys, size_t n_keys,
           struct pool *pool, const struct progress *progress,
           struct error *err)
{
    uint32_t *ids = NULL;
    struct sorter s;
    bool ok = sorter_init(&s, f, err);

    s.progress = progress;
    if (ok && sort_rows(&s, f, keys, n_keys, pool, err)) {
        ids = s.id;
        s.id = NULL;
    }
    sorter_fini(&s);
    return ids;
}

/* ---- the first few --------------------------------------------------- */

enum { TOP_BITS = 16, TOP_VALUES = 1 << TOP_BITS };

/* A key that at least n are not above, and few more are: 16 bits at a time,
 * until the rest does not matter. */
static uint64_t
top_bound(const uint64_t *key, size_t n_keys, size_t n, uint32_t *count)
{
    uint64_t prefix = 0, mask = 0;
    size_t below = 0;

    for (unsigned shift = 64 - TOP_BITS;; shift -= TOP_BITS) {
        size_t digit = 0;

        memset(count, 0, TOP_VALUES * sizeof *count);
        for (size_t i = 0; i < n_keys; i++)
            if ((key[i] & mask) == prefix)
                count[key[i] >> shift & (TOP_VALUES - 1)]++;
        while (below + count[digit] < n)
            below += count[digit++];
        prefix |= (uint64_t)digit << shift;
        mask |= (uint64_t)(TOP_VALUES - 1) << shift;
        if (shift == 0 || count[digit] <= CHUNK)
            return prefix | ~mask;
    }
}

/* Leave only rows that may be among the first n by the first key; a missing
 * value counts as the last. */
static bool
leave_top(struct sorter *s, size_t n, struct pool *pool, struct error *err)
{
    uint32_t *rank, *count = mem_try_array(TOP_VALUES, sizeof *count, err);
    size_t left = 0;
    uint64_t bound;

    if (!count || !ranks_of(s->c, &rank, s->progress, err)) {
        free(count);
        return false;
    }
    s->rank = rank;
    pool_for(pool, s->n, CHUNK, fill_keys, s);
    for (size_t i = 0; column_missing(s->c) && i < s->n; i++)
        if (!column_is_valid(s->c, i))
            s->key[i] = UINT64_MAX;
    bound = top_bound(s->key, s->n, n, count);
    for (size_t i = 0; i < s->n; i++)
        if (s->key[i] <= bound)
            s->id[left++] = (uint32_t)i;
    s->n = left;
    free(rank);
    free(count);
    return true;
}

uint32_t *
query_top(const struct frame *f, const struct query_key *keys, size_t n_keys,
          size_t n, struct pool *pool, struct error *err)
{
    uint32_t *ids = NULL;
    struct sorter s;
    bool ok = sorter_init(&s, f, err);

    if (ok && n_keys && n && n < s.n) {
        take_key(&s, f, &keys[0]);
        ok = leave_top(&s, n, pool, err);
    }
    if (ok && sort_rows(&s, f, keys, n_keys, pool, err)) {
        ids = s.id;
        s.id = NULL;
    }
    sorter_fini(&s);
    return ids;
}

/* ---- frequency ------------------------------------------------------- */

/* The values of the groups; -0 and 0 are one value, which is 0. */
static struct column *
group_values(const struct column *c, const struct rowgroup *g,
             struct error *err)
{
    struct column *taken = column_take(c, g->first, g->n_groups, err);
    uint64_t *valid = NULL;
    double *v;

    if (!taken || column_type(c) != COL_FLOAT64)
        return taken;
    v = mem_try_aligned(g->n_groups, sizeof *v, err);
    if (v && column_missing(taken))
        valid = mem_try_array((g->n_groups + 63) / 64, sizeof *valid, err);
    if (!v || (column_missing(taken) && !valid)) {
        column_unref(taken);
        free(v);
        return NULL;
    }
    if (valid)
        memcpy(valid, column_validity(taken),
               (g->n_groups + 63) / 64 * sizeof *valid);
    for (size_t i = 0; i < g->n_groups; i++)
        v[i] = column_float64s(taken)[i] == 0 ? 0 : column_float64s(taken)[i];
    column_unref(taken);
    return column_new(COL_FLOAT64, g->n_groups, v, valid, NULL, err);
}

static bool
group_counts(const struct rowgroup *g, size_t rows, struct column **columns,
             struct error *err)
{
    int64_t *count = mem_try_aligned(g->n_groups, sizeof *count, err);
    double *share =
        count ? mem_try_aligned(g->n_groups, sizeof *share, err) : NULL;

    if (!share) {
        free(count);
        return false;
    }
    for (size_t i = 0; i < rows; i++)
        count[g->group[i]]++;
    for (size_t i = 0; i < g->n_groups; i++)
        share[i] = (double)count[i] / (double)rows;
    columns[0] = column_new(COL_INT64, g->n_groups, count, NULL, NULL, err);
    columns[1] = column_new(COL_FLOAT64, g->n_groups, share, NULL, NULL, err);
    return columns[0] && columns[1];
}

/* Columns value, count, share; groups by their first rows. */
static struct frame *
frequency_frame(const struct column *c, const struct rowgroup *g,
                struct error *err)
{
    static const char *const names[] = {"value", "count", "share"};
    struct column *columns[3] = {NULL, NULL, NULL};

    columns[0] = group_values(c, g, err);
    if (columns[0] && group_counts(g, column_rows(c), columns + 1, err))
        return frame_new(g->n_groups, 3, names, columns, err);
    for (size_t i = 0; i < 3; i++)
        column_unref(columns[i]);
    return NULL;
}

/* Most frequent first, ties in value order, missing ones behind all. */
static struct frame *
sort_frequencies(const struct frame *f, struct pool *pool, struct error *err)
{
    const struct query_key keys[] = {{.col = 1, .descending = true},
                                     {.col = 0}};
    const struct column *value = frame_column(f, 0);
    uint32_t *ids = query_sort(f, keys, 2, pool, NULL, err), gone;
    struct frame *out = NULL;
    size_t n = frame_rows(f), k = 0;

    if (ids && column_missing(value)) {
        while (column_is_valid(value, ids[k]))
            k++;
        gone = ids[k];
        memmove(ids + k, ids + k + 1, (n - k - 1) * sizeof *ids);
        ids[n - 1] = gone;
    }
    if (ids)
        out = gather_frame(f, ids, n, pool, err);
    free(ids);
    return out;
}

struct frame *
query_frequency(const struct frame *f, size_t col, struct pool *pool,
                const struct progress *progress, struct error *err)
{
    struct frame *counted = NULL, *out = NULL;
    struct rowgroup g = {0};

    if (rowgroup_find(f, &col, 1, pool, progress, &g, err))
        counted = frequency_frame(frame_column(f, col), &g, err);
    rowgroup_fini(&g);
    if (counted)
        out = sort_frequencies(counted, pool, err);
    frame_unref(counted);
    return out;
}
