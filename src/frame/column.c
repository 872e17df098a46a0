/* frame/column.c -- one typed column.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/column.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Texts that are told apart when someone asks. */
struct loose {
    struct dict *dict; /* owns the block; to be read by others once settled */
    const char *block;
    uint32_t *codes;      /* of the rows before `done` */
    size_t done;          /* rows */
    pthread_mutex_t lock; /* over all of these */
    atomic_bool settled;
};

struct column {
    atomic_size_t refs;
    enum col_type type;
    size_t n, n_missing;
    void *data;
    uint64_t *valid; /* NULL: all present */
    struct dict *dict;
    struct file_hold *hold; /* NULL: data is its own */
    struct loose *loose;    /* then data are places, and there is no dict */
};

static const struct {
    const char *word;
    size_t width;
} types[COL_N_TYPES] = {
    [COL_BOOL] = {"bool", sizeof(uint8_t)},
    [COL_INT64] = {"int", sizeof(int64_t)},
    [COL_FLOAT64] = {"float", sizeof(double)},
    [COL_TEXT] = {"text", sizeof(uint32_t)},
    [COL_DATE] = {"date", sizeof(int32_t)},
    [COL_TIMESTAMP] = {"timestamp", sizeof(int64_t)},
};

static size_t
n_words(size_t n)
{
    return n / 64 + (n % 64 != 0);
}

/* Clear the bits past the end, so that whole words can be compared. */
static size_t
count_present(uint64_t *valid, size_t n)
{
    size_t present = 0;

    if (n % 64 != 0)
        valid[n / 64] &= (UINT64_C(1) << (n % 64)) - 1;
    for (size_t w = 0; w < n_words(n); w++)
        present += (size_t)__builtin_popcountll(valid[w]);
    return present;
}

/* Keep the promise that a missing value is stored as 0. */
static void
zero_missing(void *data, const uint64_t *valid, size_t n, size_t width)
{
    for (size_t w = 0; w < n_words(n); w++) {
        uint64_t gone = ~valid[w];

        for (; gone; gone &= gone - 1) {
            size_t i = w * 64 + (size_t)__builtin_ctzll(gone);

            if (i < n)
                memset((char *)data + i * width, 0, width);
        }
    }
}

/* A column without values yet; takes valid and dict, also when it fails. */
static struct column *
new_column(enum col_type type, size_t n, uint64_t *valid, struct dict *dict,
           struct error *err)
{
    struct column *c = mem_try_array(1, sizeof *c, err);

    if (!c) {
        free(valid);
        dict_unref(dict);
        return NULL;
    }
    atomic_init(&c->refs, 1);
    c->type = type;
    c->n = n;
    c->valid = valid;
    c->dict = dict;
    if (valid)
        c->n_missing = n - count_present(valid, n);
    if (c->n_missing == 0) {
        free(valid);
        c->valid = NULL;
    }
    return c;
}

struct column *
column_new(enum col_type type, size_t n, void *data, uint64_t *valid,
           struct dict *dict, struct error *err)
{
    struct column *c = new_column(type, n, valid, dict, err);

    assert((type == COL_TEXT) == (dict != NULL));
    if (!c) {
        free(data);
        return NULL;
    }
    c->data = data;
    if (c->valid)
        zero_missing(data, c->valid, n, types[type].width);
    return c;
}

static bool
missing_are_zero(const char *data, const uint64_t *valid, size_t n,
                 size_t width)
{
    static const char zero[sizeof(int64_t)];

    for (size_t w = 0; w < n_words(n); w++) {
        uint64_t gone = ~valid[w];

        for (; gone; gone &= gone - 1) {
            size_t i = w * 64 + (size_t)__builtin_ctzll(gone);

            if (i < n && memcmp(data + i * width, zero, width) != 0)
                return false;
        }
    }
    return true;
}

struct column *
column_borrow(enum col_type type, size_t n, const struct column_loan *loan,
              uint64_t *valid, struct dict *dict, struct error *err)
{
    struct column *c = new_column(type, n, valid, dict, err);
    size_t width = types[type].width;

    assert((type == COL_TEXT) == (dict != NULL));
    assert((uintptr_t)loan->data % width == 0);
    if (!c) {
        file_hold_unref(loan->hold);
        return NULL;
    }
    c->hold = loan->hold;
    c->data = (void *)(uintptr_t)loan->data;
    if (loan->zeroed || !c->valid ||
        missing_are_zero(loan->data, c->valid, n, width))
        return c;
    c->data = mem_try_aligned(n, width, err);
    if (c->data) {
        memcpy(c->data, loan->data, n * width);
        zero_missing(c->data, c->valid, n, width);
        file_hold_unref(c->hold);
        c->hold = NULL;
        return c;
    }
    column_unref(c);
    return NULL;
}

/* ---- texts that are not told apart yet ---- */

static void
loose_free(struct loose *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    dict_unref(l->dict);
    free(l->codes);
    free(l);
}

/* Takes the block. */
static struct loose *
loose_new(size_t n, char *block, size_t len, struct error *err)
{
    struct loose *l = mem_try_array(1, sizeof *l, err);

    if (!l) {
        free(block);
        return NULL;
    }
    pthread_mutex_init(&l->lock, NULL);
    l->block = block;
    if ((l->dict = dict_over_block(block, len, n, err)) &&
        (l->codes = mem_try_unset(n, sizeof *l->codes, err)))
        return l;
    loose_free(l);
    return NULL;
}

struct column *
column_new_loose(size_t n, uint32_t *place, uint64_t *valid, char *block,
                 size_t len, struct error *err)
{
    struct column *c = new_column(COL_TEXT, n, valid, NULL, err);

    if (!c) {
        free(place);
        free(block);
        return NULL;
    }
    c->data = place;
    if ((c->loose = loose_new(n, block, len, err)))
        return c;
    column_unref(c);
    return NULL;
}

static bool
is_settled(const struct column *c)
{
    return !c->loose ||
           atomic_load_explicit(&c->loose->settled, memory_order_acquire);
}

bool
column_is_loose(const struct column *c)
{
    return !is_settled(c);
}

static inline struct str
loose_text(const struct column *c, size_t i)
{
    const char *p = c->loose->block + ((const uint32_t *)c->data)[i];
    uint32_t n;

    memcpy(&n, p - sizeof n, sizeof n);
    return n > 0 ? (struct str){p, n} : STR("");
}

/* Codes for the rows begin..end, of which 0 stands for those not there. */
static void
settle_rows(const struct column *c, size_t begin, size_t end)
{
    enum { BATCH = 512 };
    const uint32_t *place = c->data;
    struct loose *l = c->loose;

    for (size_t at = begin, n; at < end; at += n) {
        uint32_t here[BATCH], code[BATCH], m = 0;

        n = end - at < BATCH ? end - at : BATCH;
        for (size_t i = at; i < at + n; i++) {
            here[m] = place[i];
            m += column_bit(c->valid, i);
        }
        dict_add_placed(l->dict, here, m, code);
        m = 0;
        for (size_t i = at; i < at + n; i++) {
            bool there = column_bit(c->valid, i);

            l->codes[i] = there ? code[m] : 0;
            m += there;
        }
    }
}

/* Some of the rows; whose turn it is does not matter. */
static void
settle_some(const struct column *c)
{
    enum { AT_ONCE = 1 << 16 };
    struct loose *l = c->loose;

    pthread_mutex_lock(&l->lock);
    if (!is_settled(c)) {
        size_t left = c->n - l->done, n = left < AT_ONCE ? left : AT_ONCE;

        settle_rows(c, l->done, l->done + n);
        l->done += n;
        if (l->done == c->n) {
            dict_trim(l->dict);
            atomic_store_explicit(&l->settled, true, memory_order_release);
        }
    }
    pthread_mutex_unlock(&l->lock);
}

bool
column_settle(const struct column *c, const struct progress *p,
              struct error *err)
{
    while (!is_settled(c)) {
        if (!progress_check(p, err))
            return false;
        settle_some(c);
    }
    return true;
}

static void
settle(const struct column *c)
{
    while (!is_settled(c))
        settle_some(c);
}

/* What is not settled has a block alone. */
static size_t
loose_bytes(const struct column *c)
{
    struct loose *l = c->loose;
    size_t bytes;

    pthread_mutex_lock(&l->lock);
    bytes = sizeof *l + dict_bytes(l->dict) + l->done * sizeof *l->codes;
    pthread_mutex_unlock(&l->lock);
    return bytes;
}

/* ---- lifetime ---- */

struct column *
column_ref(const struct column *c)
{
    struct column *mine = (struct column *)(uintptr_t)c;

    atomic_fetch_add_explicit(&mine->refs, 1, memory_order_relaxed);
    return mine;
}

void
column_unref(struct column *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
        return;
    if (!c->hold)
        free(c->data);
    file_hold_unref(c->hold);
    free(c->valid);
    dict_unref(c->dict);
    loose_free(c->loose);
    free(c);
}

/* ---- what it holds ---- */

bool
column_whole(const struct column *c, struct error *err)
{
    return file_hold_whole(c->hold, err) &&
           (!c->dict || dict_whole(c->dict, err));
}

enum col_type
column_type(const struct column *c)
{
    return c->type;
}

size_t
column_rows(const struct column *c)
{
    return c->n;
}

size_t
column_missing(const struct column *c)
{
    return c->n_missing;
}

const uint64_t *
column_validity(const struct column *c)
{
    return c->valid;
}

const void *
column_data(const struct column *c)
{
    settle(c);
    return c->loose ? c->loose->codes : c->data;
}

const uint8_t *
column_bools(const struct column *c)
{
    assert(c->type == COL_BOOL);
    return c->data;
}

const int64_t *
column_int64s(const struct column *c)
{
    assert(c->type == COL_INT64 || c->type == COL_TIMESTAMP);
    return c->data;
}

const double *
column_float64s(const struct column *c)
{
    assert(c->type == COL_FLOAT64);
    return c->data;
}

const uint32_t *
column_codes(const struct column *c)
{
    assert(c->type == COL_TEXT);
    return column_data(c);
}

const int32_t *
column_dates(const struct column *c)
{
    assert(c->type == COL_DATE);
    return c->data;
}

const struct dict *
column_dict(const struct column *c)
{
    settle(c);
    return c->loose ? c->loose->dict : c->dict;
}

size_t
column_width(enum col_type t)
{
    return types[t].width;
}

size_t
column_bytes(const struct column *c)
{
    size_t bytes = sizeof *c + c->n * types[c->type].width;

    if (c->valid)
        bytes += n_words(c->n) * sizeof *c->valid;
    if (c->dict)
        bytes += dict_bytes(c->dict);
    if (c->loose)
        bytes += loose_bytes(c);
    return bytes;
}

bool
column_is_valid(const struct column *c, size_t i)
{
    assert(i < c->n);
    return column_bit(c->valid, i);
}

/* ---- values ---- */

void
column_numbers(const struct column *c, size_t begin, size_t end, double *out)
{
    size_t n = end - begin;

    assert(begin <= end && end <= c->n);
    for (size_t i = 0; i < n; i++) {
        if (!column_bit(c->valid, begin + i)) {
            out[i] = NAN;
            continue;
        }
        switch (c->type) {
        case COL_BOOL:
            out[i] = ((const uint8_t *)c->data)[begin + i];
            break;
        case COL_INT64:
            out[i] = (double)((const int64_t *)c->data)[begin + i];
            break;
        case COL_FLOAT64:
            out[i] = ((const double *)c->data)[begin + i];
            break;
        case COL_DATE:
            out[i] = ((const int32_t *)c->data)[begin + i];
            break;
        case COL_TIMESTAMP:
            out[i] = (double)((const int64_t *)c->data)[begin + i] / 1e6;
            break;
        default:
            out[i] = NAN;
        }
    }
}

double
column_number(const struct column *c, size_t i)
{
    double x;

    column_numbers(c, i, i + 1, &x);
    return x;
}

struct str
column_text(const struct column *c, size_t i)
{
    assert(c->type == COL_TEXT && i < c->n);
    if (!column_bit(c->valid, i))
        return STR("");
    if (c->loose)
        return loose_text(c, i);
    return dict_text(c->dict, ((const uint32_t *)c->data)[i]);
}

void
column_print(const struct column *c, size_t i, struct buf *out)
{
    char text[STR_F64_MAX + 8];
    struct str s;

    if (!column_is_valid(c, i))
        return;
    switch (c->type) {
    case COL_BOOL:
        buf_puts(out, ((const uint8_t *)c->data)[i] ? "true" : "false");
        break;
    case COL_INT64:
        buf_printf(out, "%lld", (long long)((const int64_t *)c->data)[i]);
        break;
    case COL_FLOAT64:
        buf_double(out, ((const double *)c->data)[i]);
        break;
    case COL_TEXT:
        s = column_text(c, i);
        buf_add(out, s.p, s.n);
        break;
    case COL_DATE:
        buf_add(out, text, str_from_date(((const int32_t *)c->data)[i], text));
        break;
    case COL_TIMESTAMP:
        buf_add(out, text,
                str_from_timestamp(((const int64_t *)c->data)[i], text));
        break;
    }
}

/* ---- rows by id ---- */

#define TAKE(type)                                                      \
    do {                                                                \
        const type *from = column_data(c);                              \
        type *to = data;                                                \
                                                                        \
        for (size_t i = begin; !holes && i < end; i++)                  \
            to[i] = from[rows[i]];                                      \
        for (size_t i = begin; holes && i < end; i++)                   \
            to[i] = rows[i] == COLUMN_NO_ROW ? (type)0 : from[rows[i]]; \
    } while (0)

static void
take_valid(const struct column *c, const uint32_t *rows, size_t begin,
           size_t end, bool holes, uint64_t *valid)
{
    assert(begin % 64 == 0);
    for (size_t at = begin; at < end; at += 64) {
        size_t n = end - at < 64 ? end - at : 64;
        uint64_t bits = 0;

        for (size_t i = 0; i < n; i++) {
            uint32_t row = rows[at + i];

            if (!holes || row != COLUMN_NO_ROW)
                bits |= (uint64_t)column_bit(c->valid, row) << i;
        }
        valid[at / 64] = bits;
    }
}

void
column_take_range(const struct column *c, const uint32_t *rows, size_t begin,
                  size_t end, bool holes, void *data, uint64_t *valid)
{
    switch (types[c->type].width) {
    case 1:
        TAKE(uint8_t);
        break;
    case 4:
        TAKE(uint32_t);
        break;
    default:
        TAKE(uint64_t);
    }
    if (valid && !holes && c->valid)
        take_valid(c, rows, begin, end, false, valid);
    else if (valid)
        take_valid(c, rows, begin, end, true, valid);
}

bool
column_rows_within(const uint32_t *rows, size_t begin, size_t end, size_t n,
                   bool holes)
{
    uint32_t bad = 0; /* without a branch a row */

    for (size_t i = begin; i < end; i++)
        bad |= (rows[i] >= n) & !(holes & (rows[i] == COLUMN_NO_ROW));
    return !bad;
}

bool
column_stays_loose(const struct column *c, size_t n)
{
    enum { FEW = 64 }; /* one row in so many is few */

    return !is_settled(c) && n <= c->n / FEW;
}

/* Codes for the texts of a few rows, with a dict of their own. */
static struct dict *
take_texts(const struct column *c, const uint32_t *rows, size_t n,
           uint32_t *codes, struct error *err)
{
    struct dict *d = dict_new(err);

    for (size_t i = 0; d && i < n; i++) {
        codes[i] = 0;
        if (column_bit(c->valid, rows[i]) &&
            !dict_add(d, loose_text(c, rows[i]), &codes[i], err)) {
            dict_unref(d);
            return NULL;
        }
    }
    return d;
}

/* Of texts that are not told apart yet: these alone. */
static struct column *
take_few(const struct column *c, const uint32_t *rows, size_t n,
         struct error *err)
{
    uint64_t *valid = mem_try_array(n_words(n), sizeof *valid, err);
    uint32_t *codes = mem_try_unset(n, sizeof *codes, err);
    struct dict *d = valid && codes ? take_texts(c, rows, n, codes, err) : NULL;

    if (!d) {
        free(valid);
        free(codes);
        return NULL;
    }
    take_valid(c, rows, 0, n, false, valid);
    return column_new(COL_TEXT, n, codes, valid, d, err);
}

struct column *
column_take(const struct column *c, const uint32_t *rows, size_t n,
            struct error *err)
{
    void *data;
    uint64_t *valid = NULL;

    if (column_stays_loose(c, n))
        return take_few(c, rows, n, err);
    data = mem_try_unset(n, types[c->type].width, err);
    if (!data)
        return NULL;
    if (c->valid && !(valid = mem_try_array(n_words(n), sizeof *valid, err))) {
        free(data);
        return NULL;
    }
    assert(column_rows_within(rows, 0, n, c->n, false));
    column_take_range(c, rows, 0, n, false, data, valid);
    return column_new(c->type, n, data, valid,
                      c->type == COL_TEXT ? dict_ref(column_dict(c)) : NULL,
                      err);
}

/* ---- types ---- */

const char *
column_type_word(enum col_type t)
{
    return types[t].word;
}

bool
column_type_parse(const char *word, enum col_type *out)
{
    for (int t = 0; t < COL_N_TYPES; t++)
        if (strcmp(types[t].word, word) == 0) {
            *out = (enum col_type)t;
            return true;
        }
    return false;
}
