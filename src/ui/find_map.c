/* ui/find_map.c -- which cells of a frame match a pattern.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/find_map.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    MAX_RANGE = 1 << 20, /* values of a column that are marked */
    CHUNK = 4096         /* rows a thread takes at once; a multiple of 64 */
};

/* Row i is the i-th that shows. */
struct find_map {
    size_t n_rows, n_cols;
    uint64_t **bits;  /* of each column; NULL: none of it matches */
    uint64_t *before; /* matches before each chunk of rows, and all */
    size_t n_hit;     /* columns with a match */
};

void
find_map_free(struct find_map *m)
{
    if (!m)
        return;
    for (size_t i = 0; m->bits && i < m->n_cols; i++)
        free(m->bits[i]);
    free(m->bits);
    free(m->before);
    free(m);
}

static size_t
n_words(size_t n_rows)
{
    return (n_rows + 63) / 64;
}

size_t
find_map_count(const struct find_map *m)
{
    return m->before[pool_chunks(m->n_rows, CHUNK)];
}

/* ---- the search ---- */

struct finding {
    const struct find_what *what;
    struct find_map *map;
    struct progress *progress;
    const struct column *column; /* that is gone through */
    uint8_t *text_hits;          /* of each text of its dictionary */
    atomic_uchar *value_hits;    /* of each value from least on: UNKNOWN ... */
    int64_t least;
    const char *plain; /* the pattern, when it is plain text without letters */
    const char *literal; /* when it is plain text */
    uint64_t *bits;
    atomic_flag failing;
    atomic_bool failed;
    struct error err; /* of the first that failed */
};

enum { UNKNOWN, DIFFERS, MATCHES }; /* value_hits */

static bool
matches(struct finding *f, struct regex_work *work, struct str s)
{
    struct error err;
    bool found = false;

    if (f->plain)
        return memmem(s.p, s.n, f->plain, strlen(f->plain)) != NULL;
    if (regex_test(f->what->regex, work, s, &found, &err))
        return found;
    if (!atomic_flag_test_and_set(&f->failing)) {
        f->err = err;
        atomic_store(&f->failed, true);
    }
    return false;
}

static bool
is_over(struct finding *f)
{
    return progress_stopped(f->progress) || atomic_load(&f->failed);
}

static void
find_texts(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct finding *f = ctx;
    const struct dict *dict = column_dict(f->column);
    struct regex_work *work = regex_work_new(f->what->regex);

    (void)chunk;
    for (size_t i = begin; i < end && (i % 64 || !is_over(f)); i++)
        f->text_hits[i] = matches(f, work, dict_text(dict, (uint32_t)i));
    regex_work_free(work);
}

static int64_t
whole_value(const struct column *c, size_t id)
{
    return column_type(c) == COL_INT64  ? column_int64s(c)[id]
           : column_type(c) == COL_DATE ? column_dates(c)[id]
                                        : column_bools(c)[id];
}

/* Room for a mark of each value between the least and the greatest, when
 * these are fewer than the rows. */
static bool
prepare_values(struct finding *f, struct error *err)
{
    enum col_type type = column_type(f->column);
    int64_t least = INT64_MAX, most = INT64_MIN;

    f->value_hits = NULL;
    if (type != COL_INT64 && type != COL_DATE && type != COL_BOOL)
        return true;
    for (size_t i = 0; i < column_rows(f->column); i++) {
        int64_t v = whole_value(f->column, i);

        if (!column_is_valid(f->column, i))
            continue;
        least = v < least ? v : least;
        most = v > most ? v : most;
    }
    if (least > most || (uint64_t)most - (uint64_t)least > MAX_RANGE ||
        (uint64_t)most - (uint64_t)least > column_rows(f->column))
        return true;
    f->least = least;
    f->value_hits =
        mem_try_array((size_t)(most - least) + 1, sizeof *f->value_hits, err);
    return f->value_hits;
}

static bool
value_matches(struct finding *f, struct regex_work *work, size_t id,
              struct buf *b)
{
    atomic_uchar *mark =
        f->value_hits ? &f->value_hits[whole_value(f->column, id) - f->least]
                      : NULL;
    unsigned char known =
        mark ? atomic_load_explicit(mark, memory_order_relaxed) : UNKNOWN;
    bool hit;

    if (known != UNKNOWN)
        return known == MATCHES;
    buf_clear(b);
    column_print(f->column, id, b);
    hit = matches(f, work, (struct str){b->data, b->len});
    if (mark)
        atomic_store_explicit(mark, hit ? MATCHES : DIFFERS,
                              memory_order_relaxed);
    return hit;
}

static void
find_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct finding *f = ctx;
    const uint32_t *ids = f->what->rows ? rowset_ids(f->what->rows) : NULL;
    const uint32_t *codes = f->text_hits ? column_codes(f->column) : NULL;
    struct regex_work *work = regex_work_new(f->what->regex);
    struct buf b;

    (void)chunk;
    buf_init(&b);
    for (size_t i = begin; i < end && (i % 64 || !is_over(f)); i++) {
        size_t id = ids ? ids[i] : i;
        bool hit;

        if (!column_is_valid(f->column, id))
            continue;
        hit = codes ? f->text_hits[codes[id]] : value_matches(f, work, id, &b);
        f->bits[i / 64] |= (uint64_t)hit << (i % 64);
    }
    buf_fini(&b);
    regex_work_free(work);
    progress_add(f->progress, end - begin);
}

static bool
any_bit(const uint64_t *bits, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bits[i])
            return true;
    return false;
}

/* Can a value of this type hold the text?  Its characters are few. */
static bool
may_hold(enum col_type type, const char *literal)
{
    static const char *const letters[COL_N_TYPES] = {
        [COL_BOOL] = "truefals",
        [COL_INT64] = "0123456789-",
        [COL_FLOAT64] = "0123456789-+.einfa",
        [COL_DATE] = "0123456789-",
        [COL_TIMESTAMP] = "0123456789-:.+tz "};

    if (type == COL_TEXT || !literal)
        return true;
    for (const char *p = literal; *p; p++)
        if (!strchr(letters[type], tolower((unsigned char)*p)))
            return false;
    return true;
}

static bool
find_column(struct finding *f, size_t col, struct pool *pool, struct error *err)
{
    size_t words = n_words(f->what->n_rows), n_texts = 0;

    f->column = frame_column(f->what->frame, col);
    f->text_hits = NULL;
    if (!may_hold(column_type(f->column), f->literal)) {
        progress_add(f->progress, f->what->n_rows);
        return true;
    }
    if (!(f->bits = mem_try_array(words, sizeof *f->bits, err)))
        return false;
    f->map->bits[col] = f->bits;
    if (column_type(f->column) == COL_TEXT) {
        n_texts = dict_count(column_dict(f->column));
        if (!(f->text_hits = mem_try_array(n_texts + 1, 1, err)))
            return false;
        pool_for(pool, n_texts, CHUNK, find_texts, f);
    }
    if (!prepare_values(f, err)) {
        free(f->text_hits);
        return false;
    }
    if (!f->text_hits || memchr(f->text_hits, 1, n_texts))
        pool_for(pool, f->what->n_rows, CHUNK, find_rows, f);
    else
        progress_add(f->progress, f->what->n_rows);
    free(f->text_hits);
    free(f->value_hits);
    if (!any_bit(f->bits, words)) {
        free(f->bits);
        f->map->bits[col] = NULL;
    } else {
        f->map->n_hit++;
    }
    if (atomic_load(&f->failed)) {
        *err = f->err;
        return false;
    }
    return progress_check(f->progress, err);
}

static unsigned
count_bits(uint64_t w)
{
    unsigned n = 0;

    for (; w; w &= w - 1)
        n++;
    return n;
}

/* Matches of rows begin..end; begin is a multiple of 64. */
static uint64_t
count_rows(const struct find_map *m, size_t begin, size_t end)
{
    uint64_t n = 0;

    for (size_t col = 0; col < m->n_cols; col++)
        for (size_t i = begin; m->bits[col] && i < end; i += 64) {
            uint64_t w = m->bits[col][i / 64];

            if (end - i < 64)
                w &= ((uint64_t)1 << (end - i)) - 1;
            n += count_bits(w);
        }
    return n;
}

/* Has it no sign that means something else, and no letter? */
static bool
is_plain(const char *text, bool letters)
{
    for (const char *p = text; *p; p++)
        if (strchr("\\^$.|?*+()[]{}", *p) || (unsigned char)*p >= 0x80 ||
            (!letters && isalpha((unsigned char)*p)))
            return false;
    return true;
}

static bool
find_all(struct finding *f, struct pool *pool, struct error *err)
{
    struct find_map *m = f->map;
    size_t chunks = pool_chunks(m->n_rows, CHUNK);
    long only = f->what->only;

    progress_begin(f->progress, "searching",
                   m->n_rows * (only >= 0 ? 1 : m->n_cols));
    if (!(m->bits = mem_try_array(m->n_cols, sizeof *m->bits, err)) ||
        !(m->before = mem_try_array(chunks + 1, sizeof *m->before, err)))
        return false;
    for (size_t col = 0; col < m->n_cols; col++)
        if ((only < 0 || only == (long)col) && !find_column(f, col, pool, err))
            return false;
    for (size_t k = 0; k < chunks; k++)
        m->before[k + 1] = m->before[k] + count_rows(m, k * CHUNK,
                                                     (k + 1) * CHUNK < m->n_rows
                                                         ? (k + 1) * CHUNK
                                                         : m->n_rows);
    return true;
}

struct find_map *
find_map_new(const struct find_what *what, struct pool *pool,
             struct progress *progress, struct error *err)
{
    struct finding f = {.what = what, .progress = progress};

    if (!(f.map = mem_try_array(1, sizeof *f.map, err)))
        return NULL;
    f.map->n_rows = what->n_rows;
    f.map->n_cols = frame_cols(what->frame);
    f.literal = is_plain(what->text, true) ? what->text : NULL;
    f.plain = is_plain(what->text, false) ? what->text : NULL;
    atomic_flag_clear(&f.failing);
    if (find_all(&f, pool, err))
        return f.map;
    find_map_free(f.map);
    return NULL;
}

/* ---- from match to match ---- */

bool
find_map_at(const struct find_map *m, size_t row, size_t col)
{
    return m->bits[col] && (m->bits[col][row / 64] >> (row % 64) & 1);
}

bool
find_map_next_in_row(const struct find_map *m, size_t row, long *col, int dir)
{
    for (*col += dir; *col >= 0 && *col < (long)m->n_cols; *col += dir)
        if (find_map_at(m, row, (size_t)*col))
            return true;
    return false;
}

static bool
row_has(const struct find_map *m, size_t row)
{
    size_t chunk = row / CHUNK;

    if (m->before[chunk] == m->before[chunk + 1])
        return false;
    for (size_t col = 0; col < m->n_cols; col++)
        if (find_map_at(m, row, col))
            return true;
    return false;
}

/* Whole chunks without a match are passed over. */
bool
find_map_next_row(const struct find_map *m, size_t *row, int dir)
{
    size_t at = *row;

    for (size_t left = m->n_rows; left > 0; left--) {
        size_t chunk;

        at = dir > 0 ? (at + 1) % m->n_rows : (at + m->n_rows - 1) % m->n_rows;
        chunk = at / CHUNK;
        if (row_has(m, at)) {
            *row = at;
            return true;
        }
        if (m->before[chunk] != m->before[chunk + 1])
            continue;
        /* To the last row of the chunk in this direction. */
        if (dir > 0) {
            size_t last = (chunk + 1) * CHUNK - 1;

            last = last < m->n_rows ? last : m->n_rows - 1;
            left -= last - at < left ? last - at : left - 1;
            at = last;
        } else {
            left -= at - chunk * CHUNK < left ? at - chunk * CHUNK : left - 1;
            at = chunk * CHUNK;
        }
    }
    return false;
}

uint64_t
find_map_place(const struct find_map *m, size_t row, size_t col)
{
    size_t begin = row / CHUNK * CHUNK;
    uint64_t n;

    if (row >= m->n_rows || col >= m->n_cols || !find_map_at(m, row, col))
        return 0;
    n = m->before[row / CHUNK] + count_rows(m, begin, row);
    for (size_t i = 0; i <= col; i++)
        n += find_map_at(m, row, i);
    return n;
}

size_t
find_map_rows(const struct find_map *m)
{
    return m->n_rows;
}

size_t
find_map_columns(const struct find_map *m)
{
    return m->n_hit;
}
