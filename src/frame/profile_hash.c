/* Rows as 64-bit numbers that are equal where the rows are, whatever table
 * they come from: texts by their bytes, whole numbers as the same floats.  Two
 * different rows of a million share one with a chance of 1 to 40 million.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/mem.h"
#include "frame/order.h"
#include "frame/profile_part.h"
#include "frame/sketch.h"

enum { GRAIN = 1024, MISSING = 0x6d697373 };

/* A word of eight bytes at a time, where loose of ASCII in lower case. */
static uint64_t
hash_text(struct str s, bool loose)
{
    uint64_t h, word = 0;

    if (loose)
        s = str_trim(s);
    h = s.n;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        word = word << 8 | (loose && c >= 'A' && c <= 'Z' ? c | 0x20u : c);
        if (i % 8 == 7)
            h = sketch_fold(h, word);
    }
    return sketch_fold(h, word);
}

/* Twenty bits of the mantissa: one part in a million. */
static uint64_t
round_float(uint64_t key)
{
    return key > UINT64_MAX - ((uint64_t)1 << 31)
               ? key >> 32
               : (key + ((uint64_t)1 << 31)) >> 32;
}

static uint64_t
hash_int(int64_t x)
{
    double f = (double)x;

    return f < 9e18 && (int64_t)f == x ? order_of_float(f) : order_of_int(x);
}

static void
hash_column(const struct rowhash *r, size_t col, size_t begin, size_t end)
{
    const struct column *c =
        frame_column(r->frame, r->cols ? r->cols[col] : col);
    const uint64_t *valid = column_validity(c);
    enum col_type type = column_type(c);
    uint64_t key[GRAIN];

    order_keys(c, begin, end, NULL, key);
    for (size_t i = begin; i < end; i++) {
        uint64_t k = key[i - begin];

        if (!column_bit(valid, i))
            k = MISSING;
        else if (type == COL_TEXT)
            k = hash_text(dict_text(column_dict(c), column_codes(c)[i]),
                          r->loose);
        else if (type == COL_INT64)
            k = hash_int(column_int64s(c)[i]);
        else if (type == COL_FLOAT64)
            k = k == UINT64_MAX ? MISSING : r->loose ? round_float(k) : k;
        r->hash[i] = sketch_fold(r->hash[i], k);
    }
}

static void
hash_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct rowhash *r = ctx;

    (void)chunk;
    for (size_t col = 0; col < r->n_cols; col++)
        hash_column(r, col, begin, end);
}

bool
rowhash_fill(struct rowhash *r, struct pool *pool, struct error *err)
{
    if (!(r->hash = mem_try_array(r->n, sizeof *r->hash, err)))
        return false;
    pool_for(pool, r->n, GRAIN, hash_rows, r);
    return true;
}
