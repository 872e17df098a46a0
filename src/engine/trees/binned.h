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
    uint32_t first;  /* its code 0 in a histogram */
    uint16_t n_bins; /* codes 1..n_bins */
    bool category;
};

/* How columns become codes. */
struct binned_rule {
    unsigned max_bins;   /* of a number, 2..BINNER_MAX_BINS */
    unsigned max_levels; /* told apart of a category, the same range */
    size_t level_rows;   /* as binner_fit_levels()'s min_rows */
    uint64_t seed;
};

struct binned {
    size_t n_rows, n_cols, n_slots;
    size_t n_narrow;          /* leading slots, of 8-bit codes */
    size_t n_words;           /* of a row */
    size_t n_wide;            /* leading words whose slots are all wide */
    size_t n_bins;            /* of a histogram */
    struct binned_slot *slot; /* n_slots */
    struct binner **binner;   /* n_cols */
    uint64_t *row;            /* n_rows x n_words; readable past the end */
    uint8_t *col;             /* n_narrow x n_rows, readable PART_SLACK past
                                 the end; NULL in binned_apply() */
    uint16_t *long_col;       /* of the long slots, likewise; always there */
    struct room rows, cols, long_cols; /* what those lie in */
    bool borrowed; /* slots and binners are those of another */
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

/* Codes of the narrow slots. */
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

static inline unsigned
binned_code(const struct binned *b, size_t slot, size_t row)
{
    return slot < b->n_narrow ? binned_row(b, row)[slot]
                              : binned_long(b, slot)[row];
}
#endif
