/* Most aggregates are folds: a state for each group, fed row by row.  A block
 * of rows has states of its own where groups are few, so that blocks may run
 * at the same time; where they are many, one block has all rows, and the
 * aggregates run side by side.  Median and distinct want the values of a group
 * together: rows are put in order of their group once (a counting sort).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/aggregate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/order.h"
#include "frame/synonym.h"

enum { BATCH = 1024, MAX_BLOCKS = 32, ROWS_PER_STATE = 8, PIECE = 16384 };

static const char *const words[] = {"count",   "sum",   "mean",   "min",
                                    "max",     "sd",    "median", "distinct",
                                    "missing", "share", "first",  "last"};
enum { N_WORDS = sizeof words / sizeof *words };

bool
aggregate_find(struct str word, enum aggregate_kind *out, struct error *err)
{
    const char *near;

    for (size_t i = 0; i < N_WORDS; i++)
        if (str_eq_nocase(word, str_of(words[i]))) {
            *out = (enum aggregate_kind)i;
            return true;
        }
    near = synonym_nearest(word, words, N_WORDS);
    return error_set(err, ERR_NOTFOUND,
                     near ? "no aggregate '%.*s' (did you mean '%s'?)"
                          : "no aggregate '%.*s'",
                     (int)(word.n > 60 ? 60 : word.n), word.p, near);
}

/* Is it one of the values, of any type? */
static bool
picks(enum aggregate_kind kind)
{
    return kind == AGG_MIN || kind == AGG_MAX || kind == AGG_FIRST ||
           kind == AGG_LAST;
}

static bool
by_size(enum aggregate_kind kind)
{
    return kind == AGG_MIN || kind == AGG_MAX;
}

const char *
aggregate_word(enum aggregate_kind kind)
{
    return words[kind];
}

bool
aggregate_type(enum aggregate_kind kind, enum col_type t, enum col_type *out,
               struct error *err)
{
    bool number = t == COL_BOOL || t == COL_INT64 || t == COL_FLOAT64;

    *out = COL_FLOAT64;
    if (kind == AGG_SHARE && t != COL_BOOL)
        return error_set(err, ERR_TYPE,
                         "share() wants a condition, and this is %s",
                         column_type_word(t));
    if ((kind == AGG_SUM || kind == AGG_MEAN || kind == AGG_SD ||
         kind == AGG_MEDIAN) &&
        !number)
        return error_set(err, ERR_TYPE, "%s() wants a number, and this is %s",
                         words[kind], column_type_word(t));
    if (picks(kind))
        *out = t;
    else if (kind == AGG_COUNT || kind == AGG_DISTINCT || kind == AGG_MISSING ||
             (kind == AGG_SUM && t != COL_FLOAT64))
        *out = COL_INT64;
    return true;
}

/* ---- states ---------------------------------------------------------- */

struct sum {
    double sum;
    uint64_t n;
};

struct whole { /* 128 bits */
    uint64_t low;
    int64_t high;
};

struct spread {
    double squares, rest; /* of distances from the mean */
};

struct best {
    uint64_t key;
    uint32_t row;
    bool any;
};

/* The work on one aggregate. */
struct fold {
    const struct aggregate *a;
    const struct aggregate_groups *g;
    size_t n_blocks, block; /* rows of a block */
    enum col_type type;     /* of the result */
    size_t width;           /* of a state */
    void *state;            /* [block][group] */
    struct spread *spread;  /* [block][group], of sd */
    uint32_t *rank;         /* of texts, for min and max */
    void *data;             /* the result */
    uint64_t *valid;
    const size_t *begin; /* of group i in row, for median and distinct */
    const uint32_t *row;
    bool *none; /* is there no value?  Of median. */
    struct column *column;
    struct error error;
};

static bool
sorts(enum aggregate_kind kind)
{
    return kind == AGG_MEDIAN || kind == AGG_DISTINCT;
}

static size_t
state_width(const struct fold *f)
{
    if (f->a->kind == AGG_COUNT || f->a->kind == AGG_MISSING)
        return sizeof(uint64_t);
    if (picks(f->a->kind))
        return sizeof(struct best);
    if (f->a->kind == AGG_SUM && f->type == COL_INT64)
        return sizeof(struct whole);
    return sizeof(struct sum);
}

/* ---- feeding a block ------------------------------------------------- */

struct batch {
    const uint32_t *group;
    size_t n;
    uint64_t valid[BATCH / 64];
    union {
        double number[BATCH];
        int64_t whole[BATCH];
        uint64_t key[BATCH];
    } x;
};

static inline uint64_t
is_there(const struct batch *b, size_t i)
{
    return b->valid[i / 64] >> (i % 64) & 1;
}

static void
load_valid(const struct column *c, size_t begin, struct batch *b)
{
    if (c && column_validity(c))
        memcpy(b->valid, column_validity(c) + begin / 64,
               (b->n + 63) / 64 * sizeof *b->valid);
    else
        memset(b->valid, 0xff, sizeof b->valid);
}

/* As numbers; 0 for a missing one. */
static void
load_numbers(const struct column *c, size_t begin, size_t n, double *x)
{
    if (column_type(c) == COL_FLOAT64)
        memcpy(x, column_float64s(c) + begin, n * sizeof *x);
    else if (column_type(c) == COL_INT64)
        for (size_t i = 0; i < n; i++)
            x[i] = (double)column_int64s(c)[begin + i];
    else
        for (size_t i = 0; i < n; i++)
            x[i] = column_bools(c)[begin + i];
}

static void
load_wholes(const struct column *c, size_t begin, size_t n, int64_t *x)
{
    if (column_type(c) == COL_INT64)
        memcpy(x, column_int64s(c) + begin, n * sizeof *x);
    else
        for (size_t i = 0; i < n; i++)
            x[i] = column_bools(c)[begin + i];
}

static void
feed_counts(const struct batch *b, uint64_t *state)
{
    for (size_t i = 0; i < b->n; i++)
        state[b->group[i]] += is_there(b, i);
}

static void
feed_sums(const struct batch *b, struct sum *state)
{
    for (size_t i = 0; i < b->n; i++) {
        struct sum *s = &state[b->group[i]];

        s->sum += b->x.number[i];
        s->n += is_there(b, i);
    }
}

static void
add_whole(struct whole *s, uint64_t low, int64_t high)
{
    s->low += low;
    s->high += high + (s->low < low);
}

static void
feed_wholes(const struct batch *b, struct whole *state)
{
    for (size_t i = 0; i < b->n; i++) {
        int64_t x = b->x.whole[i];

        add_whole(&state[b->group[i]], (uint64_t)x, -(int64_t)(x < 0));
    }
}

static void
feed_best(const struct batch *b, bool largest, size_t begin, struct best *state)
{
    uint64_t flip = largest ? UINT64_MAX : 0; /* then the least is the best */

    for (size_t i = 0; i < b->n; i++) {
        struct best *s = &state[b->group[i]];
        uint64_t key = b->x.key[i] ^ flip;

        if (is_there(b, i) && (!s->any || key < s->key))
            *s = (struct best){key, (uint32_t)(begin + i), true};
    }
}

static void
feed(const struct fold *f, size_t begin, size_t end, char *state)
{
    const struct column *c = f->a->values;
    struct batch b;

    for (size_t at = begin; at < end; at += BATCH) {
        b.n = end - at < BATCH ? end - at : BATCH;
        b.group = f->g->group + at;
        load_valid(c, at, &b);
        if (f->width == sizeof(uint64_t)) {
            feed_counts(&b, (void *)state);
        } else if (picks(f->a->kind)) {
            if (by_size(f->a->kind))
                order_keys(c, at, at + b.n, f->rank, b.x.key);
            else
                for (size_t i = 0; i < b.n; i++)
                    b.x.key[i] = at + i;
            feed_best(&b, f->a->kind == AGG_MAX || f->a->kind == AGG_LAST, at,
                      (void *)state);
        } else if (f->a->kind == AGG_SUM && f->type == COL_INT64) {
            load_wholes(c, at, b.n, b.x.whole);
            feed_wholes(&b, (void *)state);
        } else {
            load_numbers(c, at, b.n, b.x.number);
            feed_sums(&b, (void *)state);
        }
    }
}

/* The second pass of sd, when block 0 has the sums of all. */
static void
feed_spreads(const struct fold *f, size_t begin, size_t end,
             struct spread *state)
{
    const struct sum *sum = f->state;
    struct batch b;

    for (size_t at = begin; at < end; at += BATCH) {
        b.n = end - at < BATCH ? end - at : BATCH;
        b.group = f->g->group + at;
        load_valid(f->a->values, at, &b);
        load_numbers(f->a->values, at, b.n, b.x.number);
        for (size_t i = 0; i < b.n; i++) {
            uint32_t g = b.group[i];
            double d = b.x.number[i] - sum[g].sum / (double)sum[g].n;

            if (!is_there(&b, i))
                continue;
            state[g].squares += d * d;
            state[g].rest += d;
        }
    }
}

/* ---- adding blocks --------------------------------------------------- */

/* Into block 0, in order of the blocks. */
static void
add_blocks(struct fold *f)
{
    size_t n = f->g->n_groups;

    for (size_t i = n; i < f->n_blocks * n; i++) {
        size_t g = i % n;

        if (f->width == sizeof(uint64_t)) {
            ((uint64_t *)f->state)[g] += ((uint64_t *)f->state)[i];
        } else if (picks(f->a->kind)) {
            struct best *to = (struct best *)f->state + g, *from = to - g + i;

            if (from->any && (!to->any || from->key < to->key))
                *to = *from;
        } else if (f->a->kind == AGG_SUM && f->type == COL_INT64) {
            struct whole *to = (struct whole *)f->state + g;

            add_whole(to, to[i - g].low, to[i - g].high);
        } else {
            struct sum *to = (struct sum *)f->state + g;

            to->sum += to[i - g].sum;
            to->n += to[i - g].n;
        }
    }
}

static void
add_spreads(struct fold *f)
{
    size_t n = f->g->n_groups;

    for (size_t i = n; i < f->n_blocks * n; i++) {
        f->spread[i % n].squares += f->spread[i].squares;
        f->spread[i % n].rest += f->spread[i].rest;
    }
}

/* ---- results --------------------------------------------------------- */

static void
set_missing(struct fold *f, size_t group)
{
    f->valid[group / 64] &= ~((uint64_t)1 << (group % 64));
}

static void
set_float(struct fold *f, size_t group, double x, bool there)
{
    ((double *)f->data)[group] = there ? x : 0;
    if (!there)
        set_missing(f, group);
}

static double
sd_of(struct spread s, double n)
{
    return sqrt((s.squares - s.rest * s.rest / n) / (n - 1));
}

static void
finish_group(struct fold *f, size_t g, size_t rows)
{
    int64_t *whole = (int64_t *)f->data + g;
    const struct sum *s = (struct sum *)f->state + g;
    const struct whole *w = (struct whole *)f->state + g;

    switch (f->a->kind) {
    case AGG_COUNT:
        *whole = (int64_t)((uint64_t *)f->state)[g];
        break;
    case AGG_MISSING:
        *whole = (int64_t)(rows - ((uint64_t *)f->state)[g]);
        break;
    case AGG_SUM:
        if (f->type == COL_FLOAT64) {
            set_float(f, g, s->sum, true);
            break;
        }
        *whole = (int64_t)w->low;
        if (w->high != -(int64_t)(w->low >> 63)) {
            *whole = 0;
            set_missing(f, g);
        }
        break;
    case AGG_MEAN:
    case AGG_SHARE:
        set_float(f, g, s->sum / (double)s->n, s->n > 0);
        break;
    case AGG_SD:
        set_float(f, g, s->n > 1 ? sd_of(f->spread[g], (double)s->n) : 0,
                  s->n > 1);
        break;
    case AGG_MEDIAN:
        if (f->none[g])
            set_missing(f, g);
        break;
    case AGG_MIN:
    case AGG_MAX:
    case AGG_FIRST:
    case AGG_LAST:
    case AGG_DISTINCT:
        break;
    }
}

/* min, first and such pick rows of the column, whatever its type. */
static struct column *
take_best(const struct fold *f, struct error *err)
{
    const struct best *s = f->state;
    const struct column *c = f->a->values;
    size_t n = f->g->n_groups, width = column_width(column_type(c));
    uint32_t *rows = mem_try_array(n, sizeof *rows, err);
    void *data = rows ? mem_try_unset(n, width, err) : NULL;
    uint64_t *valid =
        data ? mem_try_array((n + 63) / 64, sizeof *valid, err) : NULL;

    for (size_t i = 0; valid && i < n; i++)
        rows[i] = s[i].any ? s[i].row : COLUMN_NO_ROW;
    if (valid)
        column_take_range(c, rows, 0, n, true, data, valid);
    free(rows);
    if (!valid) {
        free(data);
        return NULL;
    }
    return column_new(column_type(c), n, data, valid,
                      column_dict(c) ? dict_ref(column_dict(c)) : NULL, err);
}

/* ---- values of a group together -------------------------------------- */

static size_t
load_group(const struct fold *f, size_t g, uint64_t *key)
{
    const struct column *c = f->a->values;
    size_t n = 0;

    for (size_t i = f->begin[g]; i < f->begin[g + 1]; i++) {
        if (!column_is_valid(c, f->row[i]))
            continue;
        if (f->a->kind == AGG_MEDIAN)
            key[n++] = order_of_float(column_number(c, f->row[i]));
        else
            order_keys(c, f->row[i], f->row[i] + 1, NULL, &key[n++]);
    }
    return n;
}

static void
sort_group(struct fold *f, size_t g, uint64_t *key, uint64_t *scratch)
{
    size_t n = load_group(f, g, key), count = 0;
    const uint64_t *sorted = order_sort(key, scratch, n);
    double a, b;

    if (f->a->kind == AGG_DISTINCT) {
        for (size_t i = 0; i < n; i++)
            count += i == 0 || sorted[i] != sorted[i - 1];
        ((int64_t *)f->data)[g] = (int64_t)count;
        return;
    }
    a = n ? order_to_float(sorted[(n - 1) / 2]) : 0;
    b = n ? order_to_float(sorted[n / 2]) : 0;
    ((double *)f->data)[g] = a == b ? a : a / 2 + b / 2;
    f->none[g] = n == 0;
}

static bool
sort_groups(struct fold *f, size_t first, size_t last, struct error *err)
{
    size_t most = 0;
    uint64_t *key, *scratch = NULL;

    for (size_t g = first; g < last; g++)
        if (f->begin[g + 1] - f->begin[g] > most)
            most = f->begin[g + 1] - f->begin[g];
    if ((key = mem_try_unset(most, sizeof *key, err)) &&
        (scratch = mem_try_unset(most, sizeof *scratch, err)))
        for (size_t g = first; g < last; g++)
            sort_group(f, g, key, scratch);
    free(key);
    free(scratch);
    return scratch;
}

/* ---- all of them ----------------------------------------------------- */

struct work {
    const struct aggregate_groups *g;
    struct fold *fold;
    size_t n;
    size_t n_blocks;
    size_t *begin; /* rows by group, when one sorts */
    uint32_t *row;
};

static size_t
block_end(const struct fold *f, size_t block)
{
    size_t end = (block + 1) * f->block;

    return end < f->g->n_rows ? end : f->g->n_rows;
}

static void
run_block(void *ctx, size_t task, size_t begin, size_t end)
{
    struct work *w = ctx;
    struct fold *f = &w->fold[task / w->n_blocks];
    size_t block = task % w->n_blocks;

    (void)begin;
    (void)end;
    if (!sorts(f->a->kind))
        feed(f, block * f->block, block_end(f, block),
             (char *)f->state + block * f->g->n_groups * f->width);
}

static void
run_spread(void *ctx, size_t task, size_t begin, size_t end)
{
    struct work *w = ctx;
    struct fold *f = &w->fold[task / w->n_blocks];
    size_t block = task % w->n_blocks;

    (void)begin;
    (void)end;
    if (f->a->kind == AGG_SD)
        feed_spreads(f, block * f->block, block_end(f, block),
                     f->spread + block * f->g->n_groups);
}

size_t
aggregate_grain(size_t n_rows, size_t n_groups)
{
    size_t rows = n_groups ? n_rows / n_groups + 1 : 1;

    return rows < PIECE ? PIECE / rows : 1;
}

struct sorting { /* an error for each range of groups */
    struct fold *f;
    struct error *error;
    bool *failed;
};

static void
run_sort(void *ctx, size_t task, size_t begin, size_t end)
{
    struct sorting *s = ctx;

    s->failed[task] = !sort_groups(s->f, begin, end, &s->error[task]);
}

static bool
sort_all(struct fold *f, struct pool *pool, struct error *err)
{
    size_t grain = aggregate_grain(f->g->n_rows, f->g->n_groups);
    size_t n = pool_chunks(f->g->n_groups, grain);
    struct sorting s = {.f = f};
    bool ok = (s.error = mem_try_array(n, sizeof *s.error, err)) &&
              (s.failed = mem_try_array(n, sizeof *s.failed, err));

    if (ok)
        pool_for(pool, f->g->n_groups, grain, run_sort, &s);
    for (size_t i = 0; ok && i < n; i++)
        if (s.failed[i]) {
            *err = s.error[i];
            ok = false;
        }
    free(s.error);
    free(s.failed);
    return ok;
}

/* A counting sort, which keeps the order of rows within a group. */
static bool
rows_by_group(struct work *w, struct error *err)
{
    const struct aggregate_groups *g = w->g;

    if (!(w->row = mem_try_unset(g->n_rows, sizeof *w->row, err)) ||
        !(w->begin = mem_try_array(g->n_groups + 2, sizeof *w->begin, err)))
        return false;
    /* Counted one place further on, so that filling turns ends to begins. */
    for (size_t i = 0; i < g->n_rows; i++)
        w->begin[g->group[i] + 2]++;
    for (size_t k = 2; k < g->n_groups + 2; k++)
        w->begin[k] += w->begin[k - 1];
    for (size_t i = 0; i < g->n_rows; i++)
        w->row[w->begin[g->group[i] + 1]++] = (uint32_t)i;
    return true;
}

static bool
rank_texts(struct fold *f, struct error *err)
{
    const struct dict *d = column_dict(f->a->values);

    return (f->rank = mem_try_array(dict_count(d), sizeof *f->rank, err)) &&
           dict_ranks(d, f->rank, NULL, err);
}

static bool
fold_init(struct work *w, struct fold *f, const struct aggregate *a,
          struct error *err)
{
    size_t n = w->g->n_groups, words_n = (n + 63) / 64;

    f->a = a;
    f->g = w->g;
    f->n_blocks = w->n_blocks;
    f->block = (w->g->n_rows / w->n_blocks / BATCH + 1) * BATCH;
    f->type = COL_INT64;
    if (a->values &&
        !aggregate_type(a->kind, column_type(a->values), &f->type, err))
        return false;
    if (by_size(a->kind) && column_type(a->values) == COL_TEXT &&
        !rank_texts(f, err))
        return false;
    if (!picks(a->kind) &&
        (!(f->data = mem_try_aligned(n, 8, err)) ||
         !(f->valid = mem_try_array(words_n, sizeof *f->valid, err))))
        return false;
    if (f->valid)
        memset(f->valid, 0xff, words_n * sizeof *f->valid);
    f->width = state_width(f);
    if (a->kind == AGG_SD &&
        !(f->spread = mem_try_array(n * w->n_blocks, sizeof *f->spread, err)))
        return false;
    if (sorts(a->kind))
        return (f->none = mem_try_array(n, sizeof *f->none, err));
    return (f->state = mem_try_array(n * w->n_blocks, f->width, err));
}

static void
fold_fini(struct fold *f)
{
    free(f->state);
    free(f->spread);
    free(f->rank);
    free(f->none);
    free(f->data);
    free(f->valid);
}

static bool
finish(struct work *w, struct fold *f, struct pool *pool, struct error *err)
{
    uint64_t *rows = NULL; /* of each group, for missing() */
    size_t n = f->g->n_groups;

    if (sorts(f->a->kind)) {
        f->begin = w->begin;
        f->row = w->row;
        if (!sort_all(f, pool, err))
            return false;
    } else if (picks(f->a->kind)) {
        return (f->column = take_best(f, err));
    } else if (f->a->kind == AGG_MISSING) {
        if (!(rows = mem_try_array(n, sizeof *rows, err)))
            return false;
        for (size_t i = 0; i < f->g->n_rows; i++)
            rows[f->g->group[i]]++;
    }
    for (size_t g = 0; g < n; g++)
        finish_group(f, g, rows ? rows[g] : 0);
    free(rows);
    f->column = column_new(f->type, n, f->data, f->valid, NULL, err);
    f->data = f->valid = NULL;
    return f->column;
}

static bool
run_all(struct work *w, struct pool *pool, struct error *err)
{
    bool sort = false, spread = false;

    for (size_t i = 0; i < w->n; i++) {
        sort = sort || sorts(w->fold[i].a->kind);
        spread = spread || w->fold[i].a->kind == AGG_SD;
    }
    if (sort && !rows_by_group(w, err))
        return false;
    pool_for(pool, w->n * w->n_blocks, 1, run_block, w);
    for (size_t i = 0; i < w->n; i++)
        if (!sorts(w->fold[i].a->kind))
            add_blocks(&w->fold[i]);
    if (spread)
        pool_for(pool, w->n * w->n_blocks, 1, run_spread, w);
    for (size_t i = 0; i < w->n; i++) {
        if (w->fold[i].spread)
            add_spreads(&w->fold[i]);
        if (!finish(w, &w->fold[i], pool, err))
            return false;
    }
    return true;
}

/* As many as leave a state a few rows to take. */
static size_t
blocks_for(const struct aggregate_groups *g)
{
    size_t n = g->n_groups ? g->n_rows / (ROWS_PER_STATE * g->n_groups) : 1;

    return n < 1 ? 1 : n > MAX_BLOCKS ? MAX_BLOCKS : n;
}

bool
aggregate_columns(const struct aggregate_groups *g, const struct aggregate *a,
                  size_t n, struct pool *pool, struct column **out,
                  struct error *err)
{
    struct work w = {.g = g, .n_blocks = blocks_for(g)};
    bool ok;

    if (!(w.fold = mem_try_array(n, sizeof *w.fold, err)))
        return false;
    for (ok = true; ok && w.n < n; w.n++)
        ok = fold_init(&w, &w.fold[w.n], &a[w.n], err);
    ok = ok && run_all(&w, pool, err);
    for (size_t i = 0; i < w.n; i++) {
        if (ok)
            out[i] = w.fold[i].column;
        else
            column_unref(w.fold[i].column);
        fold_fini(&w.fold[i]);
    }
    free(w.fold);
    free(w.begin);
    free(w.row);
    return ok;
}
