/* engine/trees/binned.h -- a design as codes, laid out for histograms.
 *
 * Columns that cannot split (one code only) have no place; the others have a
 * slot each.  Slots with many bins come first, so that eight neighbours share
 * one 64-bit word of a row and, where all eight are wide, a histogram stride of
 * 256 known to the compiler:
 *
 *     row i   | 8 codes | 8 codes | 8 codes, zero padded |     one word each
 *     bins    | n_wide words of 8 x 256 | then n_bins + 1 of each slot |
 *
 * The codes are kept twice: by row, for histograms and for walking a tree, and
 * by column, for splitting the rows of a leaf.
 *
 * Columns of more than BINNER_NARROW bins have long slots, behind all others:
 * codes of 16 bits, by column only.
 *
 * Narrow slots are stored at places, each its own, but for those that are
 * bundled (bundle.h): several at one place, whose stored codes 1.. are the codes
 * of one slot but for its usual one, then those of the next.  Words of a row,
 * wide ones too, are of places.
 *
 * Threads: immutable after binned_fit().
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_BINNED_H
#define LATHE_ENGINE_TREES_BINNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/progress.h"
#include "base/room.h"
#include "engine/encode.h"
#include "engine/trees/binner.h"

enum {
    BINNED_WORD = 8,        /* slots in a word */
    BINNED_WIDE = 256,      /* bins of a wide slot */
    BINNED_SAMPLE = 1 << 18 /* rows that cuts are learnt from, at most */
};

struct binned_slot {
    uint32_t col;    /* of the design */
    uint32_t first;  /* its code 0 in a histogram; bundled: stored `offset` */
    uint16_t n_bins; /* codes 1..n_bins */
    bool category, bundled;
    uint8_t rest, offset; /* of one that is bundled: bundle.h */
    uint32_t place;       /* of a narrow one */
};

/* How columns become codes. */
struct binned_rule {
    unsigned max_bins;   /* of a number, 2..BINNER_MAX_BINS */
    unsigned max_levels; /* told apart of a category, the same range */
    size_t level_rows;   /* as binner_fit_levels()'s min_rows */
    uint64_t seed;
    bool bundle; /* where all rows are there */
};

struct binned {
    size_t n_rows, n_cols, n_slots;
    size_t n_narrow;           /* leading slots, of 8-bit codes */
    size_t n_words;            /* of a row */
    size_t n_wide;             /* leading words whose slots are all wide */
    size_t n_bins;             /* of a histogram */
    struct binned_slot *slot;  /* n_slots */
    struct binned_slot *place; /* n_places; slot itself where none is bundled */
    size_t n_places;
    uint32_t *by_place;    /* narrow slots in the order of their places */
    uint32_t *place_start; /* n_places + 1, in by_place; both NULL where none is
                              bundled: slots are in that order */
    struct binner **binner; /* n_cols */
    uint64_t *row;          /* n_rows x n_words; readable past the end */
    uint8_t *col;           /* n_places x n_rows, readable PART_SLACK past
                                 the end; NULL in binned_apply() */
    uint16_t *long_col;     /* of the long slots, likewise; always there */
    struct room rows, cols, long_cols; /* what those lie in */
    bool borrowed;           /* slots and binners are those of another */
    struct binned_slot *own; /* slots after all, owned; or NULL */
};

/* Learn cuts and code the rows.  ERR_NOMEM, ERR_CANCELLED. */
struct binned *binned_fit(const struct design *d, const struct binned_rule *r,
                          struct pool *pool, struct progress *progress,
                          struct error *err) MUST_USE;
/* The same in parts, for a table beyond memory: learn cuts from the rows of
 * `sample`; then n_rows rows, none of them yet, are coded by binned_put().
 *   left  as room_init(): bounds what the codes take in memory */
struct binned *
binned_begin(const struct design *sample, size_t n_rows,
             const struct binned_rule *r, size_t *left, struct pool *pool,
             struct progress *progress, struct error *err) MUST_USE;
/* The codes that levels have already: those of column c are code[start[c]]
 * and on. */
struct binned_levels {
    const uint32_t *start; /* n_cols + 1 */
    const uint16_t *code;
};
/* As binned_fit(), with the levels of categories as they are. */
struct binned *
binned_continue(const struct design *d, const struct binned_levels *levels,
                const struct binned_rule *r, struct pool *pool,
                struct progress *progress, struct error *err) MUST_USE;
/* Rows at..at + (rows of d) - 1. */
bool binned_put(struct binned *b, const struct design *d, size_t at,
                struct pool *pool, struct progress *progress,
                struct error *err) MUST_USE;
/* Other rows by the cuts of `like`, which must outlive the result; by row
 * only.  The same errors. */
struct binned *binned_apply(const struct binned *like, const struct design *d,
                            struct pool *pool, struct progress *progress,
                            struct error *err) MUST_USE;
void binned_free(struct binned *b);

/* Stored codes of the places. */
static inline const uint8_t *
binned_row(const struct binned *b, size_t row)
{
    return (const uint8_t *)(b->row + row * b->n_words);
}

/* Words of a set of the codes of a slot: whole blocks of 256 bits. */
static inline size_t
binned_set_words(const struct binned *b, size_t slot)
{
    return ((size_t)b->slot[slot].n_bins / 256 + 1) * 4;
}

static inline const uint16_t *
binned_long(const struct binned *b, size_t slot)
{
    return b->long_col + (slot - b->n_narrow) * b->n_rows;
}

/* What a stored code says of a slot. */
static inline unsigned
binned_decode(const struct binned_slot *s, unsigned stored)
{
    unsigned r = stored - s->offset;

    if (!s->bundled)
        return stored;
    if (stored <= s->offset || r >= s->n_bins)
        return s->rest;
    return r < s->rest ? r : r + 1;
}

/* And where code k, which is not the usual one, is stored. */
static inline unsigned
binned_stored(const struct binned_slot *s, unsigned k)
{
    return s->offset + (k < s->rest ? k : k - 1);
}

static inline unsigned
binned_code(const struct binned *b, size_t slot, size_t row)
{
    const struct binned_slot *s = &b->slot[slot];

    return slot < b->n_narrow ? binned_decode(s, binned_row(b, row)[s->place])
                              : binned_long(b, slot)[row];
}

/* The i-th narrow slot in the order of places, and the first one at a place. */
static inline size_t
binned_at(const struct binned *b, size_t i)
{
    return b->by_place ? b->by_place[i] : i;
}
static inline size_t
binned_place_start(const struct binned *b, size_t place)
{
    return b->place_start ? b->place_start[place] : place;
}
#endif
