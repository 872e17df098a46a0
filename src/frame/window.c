/* Rows are put in order, and then, keeping it, by group (a counting sort), so
 * that a group is a run of rows.  Ranks sort within each run instead, where
 * groups share the threads.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/gather.h"
#include "frame/order.h"
#include "frame/rowgroup.h"

enum { CHUNK = 65536, FEW = 32 };

struct window {
    enum window_kind kind;
    const struct column *values;
    enum col_type type; /* of the result */
    int64_t shift;
    struct rowgroup groups;
    size_t *begin;        /* of group i in row */
    uint32_t *row;        /* rows by group, in order */
    uint32_t *rank;       /* of texts, where their order counts */
    uint64_t *key, *key2; /* of row, and scratch, for ranks */
    uint32_t *row2;
    void *data; /* the result: values, and which are there */
    uint8_t *there;
    uint32_t *from; /* or the rows whose values it is */
};

bool
window_type(enum window_kind kind, enum col_type t, enum col_type *out,
            struct error *err)
{
    bool number = t == COL_BOOL || t == COL_INT64 || t == COL_FLOAT64;

    if ((kind == WINDOW_CUMSUM || kind == WINDOW_CUMMEAN) && !number)
        return error_set(err, ERR_TYPE, "%s() wants a number, and this is %s",
                         kind == WINDOW_CUMSUM ? "cumsum" : "cummean",
                         column_type_word(t));
    if (kind == WINDOW_CUMMEAN)
        *out = COL_FLOAT64;
    else if (kind == WINDOW_LAG || kind == WINDOW_CUMMIN ||
             kind == WINDOW_CUMMAX ||
             (kind == WINDOW_CUMSUM && t == COL_FLOAT64))
        *out = t;
    else
        *out = COL_INT64;
    return true;
}

static bool
gives_rows(enum window_kind kind)
{
    return kind == WINDOW_LAG || kind == WINDOW_CUMMIN || kind == WINDOW_CUMMAX;
}

static bool
is_rank(enum window_kind kind)
{
    return kind == WINDOW_RANK || kind == WINDOW_DENSE_RANK;
}

/* ---- one group ------------------------------------------------------- */

static uint64_t
key_of(const struct window *w, uint32_t row)
{
    uint64_t key;

    order_keys(w->values, row, row + 1, w->rank, &key);
    return key;
}

static void
put_int(struct window *w, uint32_t row, int64_t x)
{
    ((int64_t *)w->data)[row] = x;
    w->there[row] = 1;
}

static void
put_float(struct window *w, uint32_t row, double x)
{
    ((double *)w->data)[row] = x;
    w->there[row] = 1;
}

/* Rows of few keys, by insertion. */
static void
sort_few(uint64_t *key, uint32_t *row, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint64_t k = key[i];
        uint32_t r = row[i];
        size_t j = i;

        for (; j > 0 && key[j - 1] > k; j--) {
            key[j] = key[j - 1];
            row[j] = row[j - 1];
        }
        key[j] = k;
        row[j] = r;
    }
}

static void
run_ranks(struct window *w, uint32_t *row, size_t n)
{
    size_t at = (size_t)(row - w->row), there = 0;
    uint64_t *key = w->key + at, *key2 = w->key2 + at;
    uint32_t *row2 = w->row2 + at;
    int64_t rank = 0, dense = 0;

    for (size_t i = 0; i < n; i++)
        if (column_is_valid(w->values, row[i])) {
            key[there] = key_of(w, row[i]);
            row[there++] = row[i];
        }
    if (there <= FEW)
        sort_few(key, row, there);
    else
        order_sort_ids(&key, &row, &key2, &row2, there, NULL);
    for (size_t i = 0; i < there; i++) {
        if (i == 0 || key[i] != key[i - 1]) {
            rank = (int64_t)i + 1;
            dense++;
        }
        put_int(w, row[i], w->kind == WINDOW_RANK ? rank : dense);
    }
}

static void
run_shift(struct window *w, const uint32_t *row, size_t n)
{
    uint64_t by = w->shift < 0 ? 0 - (uint64_t)w->shift : (uint64_t)w->shift;

    for (size_t i = 0; i < n; i++) {
        bool there = w->shift < 0 ? by < n - i : by <= i;

        w->from[row[i]] = !there         ? COLUMN_NO_ROW
                          : w->shift < 0 ? row[i + by]
                                         : row[i - by];
    }
}

static void
run_best(struct window *w, const uint32_t *row, size_t n)
{
    uint32_t best = COLUMN_NO_ROW;
    uint64_t least = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t key;

        w->from[row[i]] = COLUMN_NO_ROW;
        if (!column_is_valid(w->values, row[i]))
            continue;
        key = key_of(w, row[i]);
        if (best == COLUMN_NO_ROW ||
            (w->kind == WINDOW_CUMMIN ? key < least : key > least)) {
            best = row[i];
            least = key;
        }
        w->from[row[i]] = best;
    }
}

static void
run_int_sum(struct window *w, const uint32_t *row, size_t n)
{
    int64_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        int64_t x;

        if (!column_is_valid(w->values, row[i]))
            continue;
        x = column_type(w->values) == COL_BOOL
                ? column_bools(w->values)[row[i]]
                : column_int64s(w->values)[row[i]];
        if (x > 0 ? sum > INT64_MAX - x : sum < INT64_MIN - x)
            return;
        sum += x;
        put_int(w, row[i], sum);
    }
}

static void
run_float_sum(struct window *w, const uint32_t *row, size_t n)
{
    double sum = 0, count = 0;

    for (size_t i = 0; i < n; i++) {
        if (!column_is_valid(w->values, row[i]))
            continue;
        sum += column_number(w->values, row[i]);
        count++;
        put_float(w, row[i], w->kind == WINDOW_CUMMEAN ? sum / count : sum);
    }
}

static void
run_group(struct window *w, uint32_t *row, size_t n)
{
    switch (w->kind) {
    case WINDOW_ROW_NUMBER:
        for (size_t i = 0; i < n; i++)
            put_int(w, row[i], (int64_t)i + 1);
        break;
    case WINDOW_RANK:
    case WINDOW_DENSE_RANK:
        run_ranks(w, row, n);
        break;
    case WINDOW_LAG:
        run_shift(w, row, n);
        break;
    case WINDOW_CUMMIN:
    case WINDOW_CUMMAX:
        run_best(w, row, n);
        break;
    case WINDOW_CUMSUM:
        if (w->type == COL_INT64)
            run_int_sum(w, row, n);
        else
            run_float_sum(w, row, n);
        break;
    case WINDOW_CUMMEAN:
        run_float_sum(w, row, n);
        break;
    }
}

static void
run_groups(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct window *w = ctx;

    (void)chunk;
    for (size_t g = begin; g < end; g++)
        run_group(w, w->row + w->begin[g], w->begin[g + 1] - w->begin[g]);
}

/* ---- the order of rows ----------------------------------------------- */

static bool
find_groups(const struct window_over *o, struct rowgroup *out,
            struct pool *pool, struct error *err)
{
    size_t n = o->by ? frame_cols(o->by) : 0;
    size_t *by = mem_try_array(n, sizeof *by, err);
    struct frame *bare = NULL;
    bool ok =
        by && (o->by || (bare = frame_new(o->n_rows, 0, NULL, NULL, err)));

    for (size_t i = 0; ok && i < n; i++)
        by[i] = i;
    ok = ok && rowgroup_find(o->by ? o->by : bare, by, n, pool, NULL, out, err);
    frame_unref(bare);
    free(by);
    return ok;
}

static bool
make_runs(struct window *w, const struct window_over *o, struct pool *pool,
          struct error *err)
{
    uint32_t *rows = NULL; /* all groups together; NULL: as they stand */

    if (!find_groups(o, &w->groups, pool, err) ||
        (o->order &&
         !(rows = query_sort(o->order, o->keys, o->n_keys, pool, NULL, err))))
        return false;
    if (!(w->row = mem_try_unset(o->n_rows, sizeof *w->row, err)) ||
        !(w->begin =
              mem_try_array(w->groups.n_groups + 2, sizeof *w->begin, err))) {
        free(rows);
        return false;
    }
    /* Counted one place further on, so that filling turns ends to begins. */
    for (size_t i = 0; i < o->n_rows; i++)
        w->begin[w->groups.group[i] + 2]++;
    for (size_t k = 2; k < w->groups.n_groups + 2; k++)
        w->begin[k] += w->begin[k - 1];
    for (size_t i = 0; i < o->n_rows; i++) {
        uint32_t row = rows ? rows[i] : (uint32_t)i;

        w->row[w->begin[w->groups.group[row] + 1]++] = row;
    }
    free(rows);
    return true;
}

/* ---- results --------------------------------------------------------- */

struct packing {
    const uint8_t *there;
    uint64_t *valid;
};

static void
pack_bits(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct packing *p = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        p->valid[i / 64] |= (uint64_t)p->there[i] << (i % 64);
}

static struct column *
finish(struct window *w, size_t n, struct pool *pool, struct error *err)
{
    struct packing p = {.there = w->there};
    struct column *out;

    if (w->from)
        return gather_columns(&w->values, 1, w->from, n, true, pool, &out, err)
                   ? out
                   : NULL;
    if (!(p.valid = mem_try_array((n + 63) / 64, sizeof *p.valid, err)))
        return NULL;
    pool_for(pool, n, CHUNK, pack_bits, &p);
    out = column_new(w->type, n, w->data, p.valid, NULL, err);
    w->data = NULL;
    return out;
}

static bool
allocate(struct window *w, size_t n, struct error *err)
{
    const struct dict *d;

    if (w->values && column_type(w->values) == COL_TEXT &&
        w->kind != WINDOW_LAG) {
        d = column_dict(w->values);
        if (!(w->rank = mem_try_array(dict_count(d), sizeof *w->rank, err)) ||
            !dict_ranks(d, w->rank, NULL, err))
            return false;
    }
    if (gives_rows(w->kind))
        return (w->from = mem_try_unset(n, sizeof *w->from, err));
    if (is_rank(w->kind) &&
        (!(w->key = mem_try_unset(n, sizeof *w->key, err)) ||
         !(w->key2 = mem_try_unset(n, sizeof *w->key2, err)) ||
         !(w->row2 = mem_try_unset(n, sizeof *w->row2, err))))
        return false;
    return (w->data = mem_try_aligned(n, 8, err)) &&
           (w->there = mem_try_array(n, 1, err));
}

struct column *
window_values(const struct window_over *o, enum window_kind kind,
              const struct column *values, int64_t shift, struct pool *pool,
              struct error *err)
{
    struct window w = {.kind = kind, .values = values, .shift = shift};
    struct column *out = NULL;

    w.type = COL_INT64;
    if ((!values || window_type(kind, column_type(values), &w.type, err)) &&
        allocate(&w, o->n_rows, err) && make_runs(&w, o, pool, err)) {
        pool_for(pool, w.groups.n_groups,
                 aggregate_grain(o->n_rows, w.groups.n_groups), run_groups, &w);
        out = finish(&w, o->n_rows, pool, err);
    }
    rowgroup_fini(&w.groups);
    free(w.begin);
    free(w.row);
    free(w.rank);
    free(w.key);
    free(w.key2);
    free(w.row2);
    free(w.data);
    free(w.there);
    free(w.from);
    return out;
}

struct column *
window_aggregate(const struct window_over *o, const struct aggregate *a,
                 struct pool *pool, struct error *err)
{
    struct aggregate_groups groups = {.n_rows = o->n_rows};
    struct rowgroup g = {0};
    struct column *one = NULL, *out = NULL;
    const struct column *in;

    if (find_groups(o, &g, pool, err)) {
        groups.group = g.group;
        groups.n_groups = g.n_groups;
        if (aggregate_columns(&groups, a, 1, pool, &one, err)) {
            in = one;
            if (!gather_columns(&in, 1, g.group, o->n_rows, false, pool, &out,
                                err))
                out = NULL;
        }
    }
    column_unref(one);
    rowgroup_fini(&g);
    return out;
}
