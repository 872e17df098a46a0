/* frame/fingerprint.c -- what tells one table from another.
 *
 * A hash of a hash for each column: its rows are hashed in blocks of one size,
 * which follows from the number of columns, validity and values, and each
 * block's hash goes into the next one.  Texts
 * are told by a hash of their bytes, since codes depend on how a dict was
 * filled.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/fingerprint.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"

enum { BLOCK = 4096, MANY = 1024, LEAST_BLOCK = 64, WIDEST = 8 };
enum { HASH_TEXT = 33 };

struct track {
    unsigned char *value; /* a block of the widest type */
    uint64_t *valid;      /* its bits, and a word behind them */
    size_t n;             /* rows in the block */
    char hash[HASH_TEXT];
};

struct fingerprint {
    struct frame *head;
    struct track *track; /* one a column */
    uint64_t *room;      /* of all tracks */
    size_t block;        /* rows, a multiple of 64 */
    size_t n_rows;
};

/* Rows of a block: as many as fit in the memory of 1,024 columns. */
static size_t
block_rows(size_t n_cols)
{
    size_t n = n_cols > MANY ? (size_t)BLOCK * MANY / n_cols : BLOCK;

    return n < LEAST_BLOCK ? LEAST_BLOCK : n / 64 * 64;
}

static bool
tracks_init(struct fingerprint *p, size_t n, struct error *err)
{
    size_t words = p->block * WIDEST / sizeof *p->room, bits;

    bits = p->block / 64 + 1;
    if (!(p->track = mem_try_array(n, sizeof *p->track, err)) ||
        !(p->room = mem_try_array(n, (words + bits) * sizeof *p->room, err)))
        return false;
    for (size_t i = 0; i < n; i++) {
        p->track[i].valid = p->room + i * (words + bits);
        p->track[i].value = (unsigned char *)(p->track[i].valid + bits);
    }
    return true;
}

struct fingerprint *
fingerprint_new(const struct frame *head, struct error *err)
{
    struct fingerprint *p = mem_try_array(1, sizeof *p, err);

    if (!p)
        return NULL;
    p->block = block_rows(frame_cols(head));
    if (tracks_init(p, frame_cols(head), err) &&
        (p->head = frame_slice(head, 0, 0, err)))
        return p;
    fingerprint_free(p);
    return NULL;
}

void
fingerprint_free(struct fingerprint *p)
{
    if (!p)
        return;
    frame_unref(p->head);
    free(p->track);
    free(p->room);
    free(p);
}

/* ---- a block ---- */

static size_t
width_of(enum col_type t)
{
    return t == COL_TEXT ? sizeof(uint64_t) : column_width(t);
}

static void
close_block(struct track *t, enum col_type type)
{
    char all[3 * HASH_TEXT];

    memcpy(all, t->hash, HASH_TEXT);
    file_hash(t->valid, (t->n + 63) / 64 * sizeof *t->valid, all + HASH_TEXT);
    file_hash(t->value, t->n * width_of(type), all + 2 * HASH_TEXT);
    file_hash(all, sizeof all, t->hash);
    memset(t->valid, 0, (t->n / 64 + 1) * sizeof *t->valid);
    t->n = 0;
}

/* Bits begin..begin + n - 1 of a validity, n at most 64. */
static uint64_t
bits_at(const uint64_t *valid, size_t begin, size_t n)
{
    size_t shift = begin % 64;
    uint64_t keep = n < 64 ? ((uint64_t)1 << n) - 1 : UINT64_MAX, bits;

    if (!valid)
        return keep;
    bits = valid[begin / 64] >> shift;
    if (shift > 0 && n > 64 - shift)
        bits |= valid[begin / 64 + 1] << (64 - shift);
    return bits & keep;
}

static void
put_validity(struct track *t, const uint64_t *valid, size_t begin, size_t n)
{
    for (size_t i = 0; i < n; i += 64) {
        uint64_t bits = bits_at(valid, begin + i, n - i < 64 ? n - i : 64);
        size_t at = t->n + i;

        t->valid[at / 64] |= bits << at % 64;
        if (at % 64 > 0)
            t->valid[at / 64 + 1] |= bits >> (64 - at % 64);
    }
}

/* A text is hashed when it is first met in the batch; 0: not yet. */
static uint64_t
hash_code(const struct dict *d, uint32_t code, uint64_t *hash)
{
    uint64_t words[2];
    struct str s;

    if (hash[code] == 0) {
        s = dict_text(d, code);
        file_hash_words(s.p, s.n, words);
        hash[code] = words[0] | 1;
    }
    return hash[code];
}

static void
put_texts(struct track *t, const struct column *c, uint64_t *hash, size_t begin,
          size_t n)
{
    const struct dict *d = column_dict(c);
    const uint32_t *codes = column_codes(c) + begin;
    const uint64_t *valid = column_validity(c);
    unsigned char *out = t->value + t->n * sizeof *hash;

    for (size_t i = 0; i < n; i++) {
        uint64_t h =
            column_bit(valid, begin + i) ? hash_code(d, codes[i], hash) : 0;

        memcpy(out + i * sizeof h, &h, sizeof h);
    }
}

/* ---- a column ---- */

static bool
add_column(struct track *t, const struct column *c, size_t block,
           struct error *err)
{
    enum col_type type = column_type(c);
    size_t n_rows = column_rows(c), width = width_of(type);
    uint64_t *hash = NULL;

    if (type == COL_TEXT &&
        !(hash = mem_try_array(dict_count(column_dict(c)), sizeof *hash, err)))
        return false;
    for (size_t at = 0; at < n_rows;) {
        size_t n = block - t->n < n_rows - at ? block - t->n : n_rows - at;

        put_validity(t, column_validity(c), at, n);
        if (hash)
            put_texts(t, c, hash, at, n);
        else
            memcpy(t->value + t->n * width,
                   (const unsigned char *)column_data(c) + at * width,
                   n * width);
        t->n += n;
        at += n;
        if (t->n == block)
            close_block(t, type);
    }
    free(hash);
    return true;
}

bool
fingerprint_add(struct fingerprint *p, const struct frame *rows,
                struct error *err)
{
    for (size_t i = 0; i < frame_cols(rows); i++)
        if (!add_column(&p->track[i], frame_column(rows, i), p->block, err))
            return false;
    p->n_rows += frame_rows(rows);
    return true;
}

bool
fingerprint_end(struct fingerprint *p, char out[33], struct error *err)
{
    struct buf b;
    bool ok;

    buf_init(&b);
    buf_printf(&b, "lathe frame 2\n%zu rows\n", p->n_rows);
    for (size_t i = 0; i < frame_cols(p->head); i++) {
        const char *name = frame_name(p->head, i);
        enum col_type type = column_type(frame_column(p->head, i));

        if (p->track[i].n > 0)
            close_block(&p->track[i], type);
        buf_printf(&b, "%zu %s %s\n%s\n", strlen(name), name,
                   column_type_word(type), p->track[i].hash);
    }
    ok = buf_check(&b, err);
    if (ok)
        file_hash(b.data, b.len, out);
    buf_fini(&b);
    return ok;
}

bool
frame_fingerprint(const struct frame *f, char out[33], struct error *err)
{
    struct fingerprint *p = fingerprint_new(f, err);
    bool ok = p && fingerprint_add(p, f, err) && fingerprint_end(p, out, err);

    fingerprint_free(p);
    return ok;
}
