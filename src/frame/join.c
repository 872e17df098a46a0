/* A table over the keys of the right frame tells for each left row the first
 * right row with its key: its hit.  Where keys repeat, the right rows are put
 * in order of their first row, so that hit h has the run begin[h]..begin[h+1]
 * of `row`.  Left rows are never moved: reading ahead hides the waits that
 * partitioning both sides would save, and keeps their order for nothing.
 *
 * As-of is the same over right rows that were sorted by the last key before:
 * then each run ascends, and a binary search ends the work.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/join.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/gather.h"
#include "frame/keytable.h"
#include "frame/names.h"
#include "frame/order.h"
#include "frame/rowkey.h"

enum { CHUNK = 65536 };

struct join {
    const struct frame *f[2];
    const struct join_options *o;
    struct pool *pool;
    const struct progress *progress;
    size_t *by[2];
    size_t n_by; /* keys that must be equal */
    struct rowkey *keys;
    struct keytable *table;
    uint32_t *begin; /* see above; NULL: no key repeats */
    uint32_t *row;
    uint32_t *hit;    /* of each left row */
    uint64_t *n_out;  /* of each chunk of left rows, then where it begins */
    uint32_t *out[2]; /* the result: rows of either side; out[0] NULL: all */
    size_t n;         /* how many */
    /* As-of: rows of the right frame are positions in the order of on. */
    size_t on[2];
    enum col_type on_type;
    uint64_t *on_value; /* at each position, ascending */
    uint32_t *on_row;
    size_t n_positions;
};

/* ---- names ----------------------------------------------------------- */

bool
join_how_parse(const char *word, enum join_how *out, struct error *err)
{
    static const char *const words[] = {"inner", "left", "semi", "anti",
                                        "asof"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i]) == 0) {
            *out = (enum join_how)i;
            return true;
        }
    return error_set(err, ERR_RANGE,
                     "no join '%.40s', expected inner, left, semi, anti or "
                     "asof",
                     word);
}

static bool
need_column(const struct frame *f, const char *name, const char *side,
            size_t *col, struct error *err)
{
    return frame_need(f, name, col, err) ||
           error_prefix(err, "the %s table: ", side);
}

/* "name" or "left=right"; a left column of the whole name comes first. */
static bool
read_key(const struct frame *const f[2], const char *text, size_t *const col[2],
         struct error *err)
{
    const char *equals = strchr(text, '=');
    char *left;
    bool ok;

    if (!equals || frame_find(f[0], text) >= 0)
        return need_column(f[0], text, "left", col[0], err) &&
               need_column(f[1], text, "right", col[1], err);
    if (!(left = mem_try_text(text, (size_t)(equals - text), err)))
        return false;
    ok = need_column(f[0], left, "left", col[0], err) &&
         need_column(f[1], equals + 1, "right", col[1], err);
    free(left);
    return ok;
}

bool
join_keys(const struct frame *left, const struct frame *right,
          const char *const *by, size_t *left_col, size_t *right_col,
          struct error *err)
{
    const struct frame *const f[2] = {left, right};

    for (size_t i = 0; by && by[i]; i++) {
        size_t *const col[2] = {left_col + i, right_col + i};

        if (!read_key(f, by[i], col, err))
            return false;
    }
    return true;
}

static bool
read_keys(struct join *j, struct error *err)
{
    while (j->o->by && j->o->by[j->n_by])
        j->n_by++;
    if (!j->n_by)
        return error_set(err, ERR_USAGE, "a join wants a column to join by");
    for (int side = 0; side < 2; side++)
        if (!(j->by[side] = mem_try_array(j->n_by, sizeof *j->by[side], err)))
            return false;
    if (!join_keys(j->f[0], j->f[1], j->o->by, j->by[0], j->by[1], err))
        return false;
    if (j->o->how != JOIN_ASOF)
        return true;
    j->n_by--;
    for (int side = 0; side < 2; side++)
        j->on[side] = j->by[side][j->n_by];
    return true;
}

/* ---- the table over the right frame ---------------------------------- */

/* Rows with a key in order of the first that has it. */
static bool
make_runs(struct join *j, size_t n, struct error *err)
{
    const uint32_t *first = keytable_first(j->table);
    size_t here = 0;

    for (size_t i = 0; i < n; i++)
        here += first[i] != KEYTABLE_NONE;
    if (keytable_count(j->table) == here)
        return true;
    if (!(j->begin = mem_try_array(n + 2, sizeof *j->begin, err)) ||
        !(j->row = mem_try_unset(here, sizeof *j->row, err)))
        return false;
    /* Counted one place further on, so that filling turns ends to begins. */
    for (size_t i = 0; i < n; i++)
        if (first[i] != KEYTABLE_NONE)
            j->begin[first[i] + 2]++;
    for (size_t i = 2; i < n + 2; i++)
        j->begin[i] += j->begin[i - 1];
    for (size_t i = 0; i < n; i++)
        if (first[i] != KEYTABLE_NONE)
            j->row[j->begin[first[i] + 1]++] = (uint32_t)i;
    return true;
}

static bool
make_table(struct join *j, struct error *err)
{
    const size_t *const by[2] = {j->by[0], j->by[1]};
    struct keytable_in in = {.n = frame_rows(j->f[1])};
    uint64_t *key = NULL, *valid = NULL;

    if (!(j->keys = rowkey_pair(j->f, by, j->n_by, j->pool, err)) ||
        !rowkey_all(j->keys, 1, j->pool, &key, &valid, err))
        return false;
    in.key = key;
    in.valid = valid;
    in.span = rowkey_span(j->keys);
    j->table = keytable_new(&in, j->pool, j->progress, err);
    free(key);
    free(valid);
    if (!j->table)
        return false;
    return j->o->how == JOIN_SEMI || j->o->how == JOIN_ANTI ||
           make_runs(j, in.n, err);
}

/* ---- looking up the left frame --------------------------------------- */

static void
look_up(const struct join *j, size_t begin, size_t end, uint32_t *hit)
{
    uint64_t key[ROWKEY_BATCH], valid[ROWKEY_BATCH / 64];

    for (size_t at = begin; at < end; at += ROWKEY_BATCH) {
        size_t n = end - at < ROWKEY_BATCH ? end - at : ROWKEY_BATCH;

        rowkey_fill(j->keys, 0, at, n, key, valid);
        keytable_find(j->table, key, valid, n, hit + at);
    }
}

/* Rows that a left row with this hit becomes. */
static inline size_t
rows_of(const struct join *j, uint32_t hit)
{
    switch (j->o->how) {
    case JOIN_SEMI:
        return hit != KEYTABLE_NONE;
    case JOIN_ANTI:
        return hit == KEYTABLE_NONE;
    case JOIN_LEFT:
        if (hit == KEYTABLE_NONE)
            return 1;
        break;
    case JOIN_INNER:
        if (hit == KEYTABLE_NONE)
            return 0;
        break;
    case JOIN_ASOF:
        return 1;
    }
    return j->begin ? j->begin[hit + 1] - j->begin[hit] : 1;
}

static void
count_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct join *j = ctx;
    uint64_t n = 0;

    if (progress_stopped(j->progress))
        return;
    look_up(j, begin, end, j->hit);
    for (size_t i = begin; i < end; i++)
        n += rows_of(j, j->hit[i]);
    j->n_out[chunk] = n;
}

static void
emit_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct join *j = ctx;
    size_t at = (size_t)j->n_out[chunk];

    if (progress_stopped(j->progress))
        return;
    for (size_t i = begin; i < end; i++) {
        uint32_t hit = j->hit[i];
        size_t n = rows_of(j, hit);

        for (size_t k = 0; k < n; k++, at++) {
            j->out[0][at] = (uint32_t)i;
            if (j->out[1])
                j->out[1][at] = hit == KEYTABLE_NONE ? COLUMN_NO_ROW
                                : j->begin           ? j->row[j->begin[hit] + k]
                                                     : hit;
        }
    }
}

/* Counts become places. */
static bool
place_chunks(struct join *j, size_t chunks, struct error *err)
{
    uint64_t total = 0;

    for (size_t c = 0; c < chunks; c++) {
        uint64_t n = j->n_out[c];

        j->n_out[c] = total;
        total += n;
    }
    j->n = (size_t)total;
    return total < UINT32_MAX ||
           error_set(err, ERR_LIMIT,
                     "the join would have %llu rows, at most %lu fit into a "
                     "table: do the keys repeat on both sides?",
                     (unsigned long long)total, (unsigned long)UINT32_MAX - 1);
}

static bool
match_equal(struct join *j, struct error *err)
{
    size_t n = frame_rows(j->f[0]), chunks = pool_chunks(n, CHUNK);
    bool pairs = j->o->how == JOIN_INNER || j->o->how == JOIN_LEFT;

    if (!(j->hit = mem_try_unset(n, sizeof *j->hit, err)) ||
        !(j->n_out = mem_try_array(chunks, sizeof *j->n_out, err)))
        return false;
    pool_for(j->pool, n, CHUNK, count_chunk, j);
    if (!progress_check(j->progress, err) || !place_chunks(j, chunks, err))
        return false;
    /* One row for each left one: the hits are the rows of the right frame. */
    if (pairs && !j->begin && j->n == n) {
        j->out[1] = j->hit;
        j->hit = NULL;
        return true;
    }
    if (!(j->out[0] = mem_try_unset(j->n, sizeof *j->out[0], err)) ||
        (pairs && !(j->out[1] = mem_try_unset(j->n, sizeof *j->out[1], err))))
        return false;
    pool_for(j->pool, n, CHUNK, emit_chunk, j);
    return progress_check(j->progress, err);
}

/* ---- as-of ----------------------------------------------------------- */

#define DAY_US INT64_C(86400000000)

/* A value of the last key as one that sorts, in the type both sides have; what
 * equals no number at all is not there. */
static bool
on_value(const struct join *j, const struct column *c, size_t i, uint64_t *out)
{
    if (!column_is_valid(c, i))
        return false;
    order_keys(c, i, i + 1, NULL, out);
    if (column_type(c) == COL_FLOAT64)
        return !isnan(column_float64s(c)[i]);
    if (column_type(c) == j->on_type)
        return true;
    if (j->on_type == COL_FLOAT64)
        *out = order_of_float((double)column_int64s(c)[i]);
    else if (column_dates(c)[i] > INT64_MAX / DAY_US ||
             column_dates(c)[i] < INT64_MIN / DAY_US)
        return false;
    else
        *out = order_of_int(column_dates(c)[i] * DAY_US);
    return true;
}

static bool
check_ordered(struct join *j, struct error *err)
{
    enum col_type t[2];
    bool day[2];

    for (int side = 0; side < 2; side++) {
        const char *name = frame_name(j->f[side], j->on[side]);

        t[side] = column_type(frame_column(j->f[side], j->on[side]));
        day[side] = t[side] == COL_DATE || t[side] == COL_TIMESTAMP;
        if (t[side] == COL_TEXT || t[side] == COL_BOOL)
            return error_set(err, ERR_TYPE,
                             "as-of wants a number, date or timestamp as its "
                             "last key, and %s is %s",
                             name, column_type_word(t[side]));
    }
    j->on_type = t[0] > t[1] ? t[0] : t[1];
    return day[0] == day[1] ||
           error_set(err, ERR_TYPE, "%s is %s here and %s is %s there",
                     frame_name(j->f[0], j->on[0]), column_type_word(t[0]),
                     frame_name(j->f[1], j->on[1]), column_type_word(t[1]));
}

/* The right rows that have the last key, by its value. */
static bool
order_right(struct join *j, struct error *err)
{
    const struct column *c = frame_column(j->f[1], j->on[1]);
    size_t n = column_rows(c), at = 0;
    uint64_t *value2 = NULL;
    uint32_t *row2 = NULL;
    bool ok = false;

    if ((j->on_value = mem_try_unset(n, sizeof *j->on_value, err)) &&
        (j->on_row = mem_try_unset(n, sizeof *j->on_row, err)) &&
        (value2 = mem_try_unset(n, sizeof *value2, err)) &&
        (row2 = mem_try_unset(n, sizeof *row2, err))) {
        for (size_t i = 0; i < n; i++) {
            j->on_row[at] = (uint32_t)i;
            at += on_value(j, c, i, &j->on_value[at]);
        }
        order_sort_ids(&j->on_value, &j->on_row, &value2, &row2, at, NULL);
        j->n_positions = at;
        ok = true;
    }
    free(value2);
    free(row2);
    return ok;
}

/* Keys of rows become keys of positions. */
static bool
keys_of_positions(const struct join *j, const uint64_t *key,
                  const uint64_t *valid, struct keytable_in *out,
                  struct error *err)
{
    size_t n = j->n_positions;
    uint64_t *k = mem_try_unset(n, sizeof *k, err);
    uint64_t *v = k ? mem_try_array((n + 63) / 64, sizeof *v, err) : NULL;

    *out = (struct keytable_in){k, v, n, rowkey_span(j->keys)};
    if (!v)
        return false;
    for (size_t p = 0; p < n; p++) {
        uint32_t row = j->on_row[p];

        k[p] = key[row];
        v[p / 64] |= (uint64_t)column_bit(valid, row) << (p % 64);
    }
    return true;
}

static bool
make_ordered_table(struct join *j, struct error *err)
{
    const size_t *const by[2] = {j->by[0], j->by[1]};
    struct keytable_in in = {0};
    uint64_t *key = NULL, *valid = NULL;

    if (!(j->keys = rowkey_pair(j->f, by, j->n_by, j->pool, err)) ||
        !rowkey_all(j->keys, 1, j->pool, &key, &valid, err))
        return false;
    if (keys_of_positions(j, key, valid, &in, err))
        j->table = keytable_new(&in, j->pool, j->progress, err);
    free(key);
    free(valid);
    free((void *)(uintptr_t)in.key);
    free((void *)(uintptr_t)in.valid);
    return j->table && make_runs(j, j->n_positions, err);
}

/* How far value b lies behind a, in the unit of the column. */
static double
distance(const struct join *j, uint64_t a, uint64_t b)
{
    if (j->on_type == COL_FLOAT64)
        return order_to_float(a) - order_to_float(b);
    return (double)(a - b) / (j->on_type == COL_TIMESTAMP ? 1e6 : 1);
}

/* The row of the greatest value at or below x in a run of positions. */
static uint32_t
last_at_or_below(const struct join *j, size_t low, size_t high, uint64_t x)
{
    const uint32_t *run = j->row;
    size_t begin = low;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (j->on_value[run ? run[mid] : mid] <= x)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == begin)
        return COLUMN_NO_ROW;
    low = run ? run[low - 1] : low - 1;
    if (j->o->bounded && !(distance(j, x, j->on_value[low]) <= j->o->tolerance))
        return COLUMN_NO_ROW;
    return j->on_row[low];
}

static void
asof_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct join *j = ctx;
    const struct column *c = frame_column(j->f[0], j->on[0]);

    (void)chunk;
    if (progress_stopped(j->progress))
        return;
    if (j->n_by)
        look_up(j, begin, end, j->hit);
    for (size_t i = begin; i < end; i++) {
        uint32_t hit = j->n_by ? j->hit[i] : 0;
        size_t low = 0, high = j->n_positions;
        uint64_t x;

        if (j->n_by && hit != KEYTABLE_NONE) {
            low = j->begin ? j->begin[hit] : hit;
            high = j->begin ? j->begin[hit + 1] : hit + 1;
        }
        j->out[1][i] = hit != KEYTABLE_NONE && on_value(j, c, i, &x)
                           ? last_at_or_below(j, low, high, x)
                           : COLUMN_NO_ROW;
    }
}

static bool
match_asof(struct join *j, struct error *err)
{
    j->n = frame_rows(j->f[0]);
    if (!(j->hit = mem_try_unset(j->n, sizeof *j->hit, err)) ||
        !(j->out[1] = mem_try_unset(j->n, sizeof *j->out[1], err)))
        return false;
    pool_for(j->pool, j->n, CHUNK, asof_chunk, j);
    return progress_check(j->progress, err);
}

/* ---- the result ------------------------------------------------------ */

struct result {
    size_t n_cols, n_left;
    const struct column **from;
    struct column **column;
    char **name;
};

static bool
is_right_key(const struct join *j, size_t col)
{
    for (size_t i = 0; i < j->n_by; i++)
        if (j->by[1][i] == col)
            return true;
    return j->o->how == JOIN_ASOF && col == j->on[1] &&
           strcmp(frame_name(j->f[0], j->on[0]),
                  frame_name(j->f[1], j->on[1])) == 0;
}

static bool
add_column(struct result *r, const struct frame *f, size_t col, char *name)
{
    r->from[r->n_cols] = frame_column(f, col);
    r->name[r->n_cols++] = name;
    return name;
}

static char *
right_name(const struct join *j, size_t col, struct dict *taken,
           struct error *err)
{
    const char *name = frame_name(j->f[1], col);
    const char *suffix = j->o->suffix ? j->o->suffix : "_right";
    char *longer, *out;
    uint32_t code;
    size_t len = strlen(name);

    if (dict_find(taken, str_of(name)) == DICT_NONE)
        return dict_add(taken, str_of(name), &code, err)
                   ? mem_try_text(name, len, err)
                   : NULL;
    if (!(longer = mem_try_array(len + strlen(suffix) + 1, 1, err)))
        return NULL;
    memcpy(longer, name, len);
    memcpy(longer + len, suffix, strlen(suffix));
    out = names_unique(str_of(longer), col, taken, err);
    free(longer);
    return out;
}

static bool
name_columns(const struct join *j, struct result *r, struct error *err)
{
    struct dict *taken = dict_new(err);
    bool pairs = j->out[1], ok = taken;
    uint32_t code;

    for (size_t i = 0; ok && i < frame_cols(j->f[0]); i++) {
        const char *name = frame_name(j->f[0], i);

        ok = dict_add(taken, str_of(name), &code, err) &&
             add_column(r, j->f[0], i, mem_try_text(name, strlen(name), err));
    }
    r->n_left = r->n_cols;
    for (size_t i = 0; ok && pairs && i < frame_cols(j->f[1]); i++)
        if (!is_right_key(j, i))
            ok = add_column(r, j->f[1], i, right_name(j, i, taken, err));
    dict_unref(taken);
    return ok;
}

static bool
take_rows(const struct join *j, struct result *r, struct error *err)
{
    bool holes = j->o->how == JOIN_LEFT || j->o->how == JOIN_ASOF;

    if (!j->out[0])
        for (size_t i = 0; i < r->n_left; i++)
            r->column[i] = column_ref(r->from[i]);
    else if (!gather_columns(r->from, r->n_left, j->out[0], j->n, false,
                             j->pool, r->column, err))
        return false;
    if (r->n_cols == r->n_left ||
        gather_columns(r->from + r->n_left, r->n_cols - r->n_left, j->out[1],
                       j->n, holes, j->pool, r->column + r->n_left, err))
        return true;
    for (size_t i = 0; i < r->n_left; i++)
        column_unref(r->column[i]);
    return false;
}

static struct frame *
make_frame(const struct join *j, struct error *err)
{
    size_t n_cols = frame_cols(j->f[0]) + frame_cols(j->f[1]);
    struct result r = {0};
    struct frame *out = NULL;

    if ((r.from = mem_try_array(n_cols, sizeof *r.from, err)) &&
        (r.column = mem_try_array(n_cols, sizeof *r.column, err)) &&
        (r.name = mem_try_array(n_cols, sizeof *r.name, err)) &&
        name_columns(j, &r, err) && take_rows(j, &r, err))
        out = frame_new(j->n, r.n_cols, (const char *const *)r.name, r.column,
                        err);
    for (size_t i = 0; i < r.n_cols; i++)
        free(r.name[i]);
    free(r.name);
    free(r.from);
    free(r.column);
    return out;
}

/* What the right frame is looked up by. */
static bool
prepare(struct join *j, struct error *err)
{
    if (!read_keys(j, err))
        return false;
    if (j->o->how != JOIN_ASOF)
        return make_table(j, err);
    return check_ordered(j, err) && order_right(j, err) &&
           (j->n_by == 0 || make_ordered_table(j, err));
}

/* The left frame beside it. */
static struct frame *
meet(struct join *j, struct error *err)
{
    bool ok = j->o->how == JOIN_ASOF ? match_asof(j, err) : match_equal(j, err);
    struct frame *out = ok ? make_frame(j, err) : NULL;

    for (int side = 0; side < 2; side++)
        free(j->out[side]);
    free(j->hit);
    free(j->n_out);
    return out;
}

static void
join_fini(struct join *j)
{
    rowkey_free(j->keys);
    keytable_free(j->table);
    for (int side = 0; side < 2; side++)
        free(j->by[side]);
    free(j->begin);
    free(j->row);
    free(j->on_value);
    free(j->on_row);
}

struct frame *
join_frames(const struct frame *left, const struct frame *right,
            const struct join_options *o, struct pool *pool,
            const struct progress *progress, struct error *err)
{
    struct join j = {
        .f = {left, right}, .o = o, .pool = pool, .progress = progress};
    struct frame *out = prepare(&j, err) ? meet(&j, err) : NULL;

    join_fini(&j);
    return out;
}

/* ---- one right frame, many left ones --------------------------------- */

struct join_right {
    struct join join;
    struct frame *head, *right; /* references */
};

struct join_right *
join_right_new(const struct frame *head, const struct frame *right,
               const struct join_options *o, struct pool *pool,
               const struct progress *progress, struct error *err)
{
    struct join_right *r = mem_try_array(1, sizeof *r, err);

    if (!r)
        return NULL;
    r->head = frame_ref(head);
    r->right = frame_ref(right);
    r->join = (struct join){
        .f = {head, right}, .o = o, .pool = pool, .progress = progress};
    if (prepare(&r->join, err))
        return r;
    join_right_free(r);
    return NULL;
}

void
join_right_free(struct join_right *r)
{
    if (!r)
        return;
    join_fini(&r->join);
    frame_unref(r->head);
    frame_unref(r->right);
    free(r);
}

struct frame *
join_right_to(struct join_right *r, const struct frame *left, struct error *err)
{
    struct join one = r->join;

    one.f[0] = left;
    if (one.keys && !rowkey_turn(one.keys, left, one.by[0], one.pool, err))
        return NULL;
    return meet(&one, err);
}
