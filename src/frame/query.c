/* Sorting, frequencies, distinct rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/order.h"

/* ---- sort ------------------------------------------------------------ */

struct sorter {
    const struct column *c;
    bool descending;
    const uint32_t *rank;
    uint64_t *key, *key2;
    uint32_t *id, *id2;
    size_t n;
};

enum { CHUNK = 65536 };

/* The keys of the rows in their present order. */
static void
fill_keys(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct sorter *s = ctx;

    (void)chunk;
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
ranks_of(const struct column *c, uint32_t **rank, struct error *err)
{
    const struct dict *d = column_dict(c);

    *rank = NULL;
    if (!d)
        return true;
    if (!(*rank = mem_try_array(dict_count(d), sizeof **rank, err)))
        return false;
    if (dict_ranks(d, *rank, err))
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

    if (!ranks_of(s->c, &rank, err))
        return false;
    s->rank = rank;
    here = part_missing(s);
    tail = s->id;
    pool_for(pool, here, CHUNK, fill_keys, s);
    order_sort_ids(&s->key, &s->id, &s->key2, &s->id2, here);
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
        if (!sort_by(s, pool, err))
            return false;
    }
    return true;
}

uint32_t *
query_sort(const struct frame *f, const struct query_key *keys, size_t n_keys,
           struct pool *pool, struct error *err)
{
    uint32_t *ids = NULL;
    struct sorter s;

    if (sorter_init(&s, f, err) && sort_rows(&s, f, keys, n_keys, pool, err)) {
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

    if (!count || !ranks_of(s->c, &rank, err)) {
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

struct run {
    uint64_t key;
    uint32_t row; /* one that has the value */
    size_t count;
};

/* Most frequent first, ties in value order. */
static int
by_count(const void *x, const void *y)
{
    const struct run *a = x, *b = y;

    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return (a->key > b->key) - (a->key < b->key);
}

/* ids are sorted by value, missing ones behind.  Returns the number of runs;
 * a last one of missing rows is not counted. */
static size_t
find_runs(const struct column *c, const uint32_t *ids, struct run *run)
{
    size_t here = column_rows(c) - column_missing(c), n = 0;
    uint64_t last = 0;

    for (size_t i = 0; i < here; i++) {
        uint64_t key;

        order_keys(c, ids[i], ids[i] + 1, NULL, &key);
        if (n == 0 || key != last) {
            /* Runs are found in value order, so n is the rank of the value. */
            run[n] = (struct run){.key = n, .row = ids[i]};
            n++;
        }
        run[n - 1].count++;
        last = key;
    }
    return n;
}

/* Columns value, count, share, from runs in their order. */
static struct frame *
frequency_frame(const struct column *c, const struct run *run, size_t n,
                struct error *err)
{
    static const char *const names[] = {"value", "count", "share"};
    size_t missing = column_missing(c), rows = n + (missing > 0);
    struct dict *d = dict_new(err);
    uint32_t *code = d ? mem_try_aligned(rows, sizeof *code, err) : NULL;
    int64_t *count = code ? mem_try_aligned(rows, sizeof *count, err) : NULL;
    double *share = count ? mem_try_aligned(rows, sizeof *share, err) : NULL;
    uint64_t *valid =
        share ? mem_try_array((rows + 63) / 64, sizeof *valid, err) : NULL;
    struct column *columns[3] = {NULL, NULL, NULL};
    struct buf text;
    bool ok = valid;

    buf_init(&text);
    for (size_t i = 0; ok && i < rows; i++) {
        size_t k = i < n ? run[i].count : missing;

        count[i] = (int64_t)k;
        share[i] = (double)k / (double)column_rows(c);
        if (i == n)
            break;
        buf_clear(&text);
        column_print(c, run[i].row, &text);
        if (column_type(c) == COL_FLOAT64 &&
            column_float64s(c)[run[i].row] == 0) {
            buf_clear(&text); /* -0 and 0 are one value */
            buf_putc(&text, '0');
        }
        ok = buf_check(&text, err) &&
             dict_add(d, (struct str){text.data, text.len}, &code[i], err);
        valid[i / 64] |= (uint64_t)1 << (i % 64);
    }
    buf_fini(&text);
    if (!ok) {
        dict_unref(d);
        free(code);
        free(count);
        free(share);
        free(valid);
        return NULL;
    }
    columns[0] = column_new(COL_TEXT, rows, code, valid, d, err);
    columns[1] = column_new(COL_INT64, rows, count, NULL, NULL, err);
    columns[2] = column_new(COL_FLOAT64, rows, share, NULL, NULL, err);
    if (columns[0] && columns[1] && columns[2])
        return frame_new(rows, 3, names, columns, err);
    for (size_t i = 0; i < 3; i++)
        column_unref(columns[i]);
    return NULL;
}

struct frame *
query_frequency(const struct frame *f, size_t col, struct pool *pool,
                struct error *err)
{
    const struct column *c = frame_column(f, col);
    struct query_key key = {.col = col};
    uint32_t *ids = query_sort(f, &key, 1, pool, err);
    struct run *run =
        ids ? mem_try_array(column_rows(c), sizeof *run, err) : NULL;
    struct frame *out = NULL;

    if (run) {
        size_t n = find_runs(c, ids, run);

        qsort(run, n, sizeof *run, by_count);
        out = frequency_frame(c, run, n, err);
    }
    free(ids);
    free(run);
    return out;
}
