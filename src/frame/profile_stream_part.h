/* frame/profile_stream_part.h -- what a profile of a stream is made with; for
 * profile_stream*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PROFILE_STREAM_PART_H
#define LATHE_FRAME_PROFILE_STREAM_PART_H

#include <stdatomic.h>

#include "frame/profile_part.h"
#include "frame/profile_stream.h"
#include "frame/sketch_distinct.h"
#include "frame/sketch_heavy.h"
#include "frame/sketch_histogram.h"
#include "frame/sketch_moments.h"
#include "frame/sketch_quantile.h"

enum {
    GATHER_PATTERNS = SKETCH_BLOCK, /* that are counted */
    GATHER_SEGMENTS = 64 * PROFILE_BANDS,
    GATHER_GRAIN = 4096 /* rows that are hashed at once */
};

/* How large sketches may be, by the memory and the number of columns. */
struct gather_sizes {
    size_t distinct, width, heavy, fine;
};

/* What a worker needs while it is at a column. */
struct gather_scratch {
    uint64_t sorted[SKETCH_BLOCK], tag[SKETCH_BLOCK];
    struct sketch_point run[SKETCH_BLOCK];
    double x[SKETCH_BLOCK];
    struct sketch_heavy_scratch heavy;
};

/* A number with more values than are counted one by one: those that came are
 * in the sketches, but for less than a block. */
struct many {
    uint64_t *block; /* size.width of them, for all sketches */
    size_t n_block;
    struct sketch_quantile quantile;
    struct sketch_histogram histogram;
    struct sketch_moments moments;
    struct sketch_point low[PROFILE_TOP], high[PROFILE_TOP];
    size_t n_low, n_high;
    size_t n_zero, n_negative, n_infinite;
    uint64_t min, max; /* of the finite ones */
};

/* What is gathered of a column. */
struct gather {
    enum col_type type;
    struct gather_sizes size;
    uint64_t seed;
    size_t n, n_missing, bytes;
    struct dict *dict;               /* of the batch before; a reference */
    struct sketch_distinct distinct; /* of all but bools */
    struct sketch_heavy heavy;       /* once there are many values */
    bool is_many;
    struct many *many; /* of a number */
    uint64_t last;     /* value, as a key, when has_last */
    bool has_last;
    size_t n_rise, n_fall;
    size_t n_bool[2];
    /* texts */
    size_t *tally; /* by length */
    size_t n_tally, min_length, max_length;
    double length; /* sum */
    /* of the batch at hand */
    struct gather_scratch *scratch; /* NULL until it is needed */
    uint32_t *count;                /* by code */
    uint64_t *hash;                 /* by code */
    size_t cap_codes;
    uint64_t *bit; /* set where missing */
    size_t cap_words;
    bool has_holes;
    /* missing values by parts of the rows; NULL: none yet */
    uint32_t *segment;
};

/* Is there scratch, or can there be? */
bool gather_needs_scratch(struct gather *g, struct error *err) MUST_USE;
void gather_fini(struct gather *g);
/* profile_stream_number.c: numbers, dates, timestamps. */
bool gather_numbers(struct gather *g, const struct column *c,
                    struct error *err) MUST_USE;
bool gather_numbers_end(struct gather *g, struct profile_column *out,
                        struct error *err) MUST_USE;
/* profile_stream_text.c: texts and bools. */
bool gather_texts(struct gather *g, const struct column *c,
                  struct error *err) MUST_USE;
void gather_bools(struct gather *g, const struct column *c);
bool gather_texts_end(struct gather *g, struct profile_column *out,
                      struct error *err) MUST_USE;
bool gather_bools_end(struct gather *g, struct profile_column *out,
                      struct error *err) MUST_USE;
/* Distinct and unique values and entropy, of many. */
bool gather_estimate(const struct gather *g, struct profile_column *out,
                     struct error *err) MUST_USE;
/* Its items that may be told, *n of them, in order of their keys; the caller
 * frees the list.  Sets what is said of their error. */
struct sketch_heavy_item *
gather_top(const struct gather *g, struct profile_column *out, size_t *n,
           struct error *err) MUST_USE;

/* profile_stream_sample.c: evenly spaced rows, and the last ones. */
struct sampler;
struct sampler *sampler_new(const struct frame *head, const uint64_t *n_rows,
                            struct error *err) MUST_USE;
void sampler_free(struct sampler *s);
/* The rows of f come next. */
bool sampler_add(struct sampler *s, const struct frame *f,
                 struct error *err) MUST_USE;
/* The sample; the caller frees *row, the rows that they are. */
struct frame *sampler_frame(const struct sampler *s, uint64_t **row,
                            struct error *err) MUST_USE;
struct tail;
struct tail *tail_new(const struct frame *head, struct error *err) MUST_USE;
void tail_free(struct tail *t);
void tail_add(struct tail *t, const struct frame *f);
/* The last rows; of texts and bools nothing. */
struct frame *tail_frame(const struct tail *t, struct error *err) MUST_USE;

/* profile_stream_missing.c: where values are missing. */
struct absence {
    size_t n_cols, n_complete;
    uint64_t n_rows; /* until now */
    uint64_t known;  /* of all; 0: not known */
    uint64_t width;  /* rows of a segment */
    size_t *both;    /* rows, by pair of columns; NULL: too many columns */
    struct sketch_heavy pattern;
    struct gather_scratch *scratch;
    uint64_t *key; /* of the batch at hand, by row */
    size_t cap;
};
bool absence_init(struct absence *a, size_t n_cols, const uint64_t *n_rows,
                  struct error *err) MUST_USE;
void absence_fini(struct absence *a);
/* The bits and segments of a column; for a worker. */
bool absence_column(const struct absence *a, struct gather *g,
                    const struct column *c, struct error *err) MUST_USE;
/* Before the columns of a batch of n rows. */
void absence_begin(struct absence *a, struct gather *g, size_t n);
/* Behind them. */
bool absence_rows(struct absence *a, struct gather *g, size_t n,
                  struct pool *pool, struct error *err) MUST_USE;
bool absence_end(struct absence *a, const struct gather *g, struct profile *p,
                 struct error *err) MUST_USE;

/* profile_stream_lot.c: hashes of any number of rows; past 4,096 of those that
 * begin alike, on a file. */
struct lot;
struct lot *lot_new(struct error *err) MUST_USE;
void lot_free(struct lot *l);
bool lot_add(struct lot *l, const uint64_t *hash, size_t n,
             struct error *err) MUST_USE;
/* *n: how many equal one that came before. */
bool lot_repeats(const struct lot *l, struct pool *pool,
                 const struct progress *progress, size_t *n,
                 struct error *err) MUST_USE;
/* *n: how many of the one are in the other, too. */
bool lot_common(const struct lot *of, const struct lot *in, struct pool *pool,
                const struct progress *progress, size_t *n,
                struct error *err) MUST_USE;

/* profile_stream_rows.c: rows that repeat others. */
struct repeats;
/* against: NULL, or a table whose rows are looked for. */
struct repeats *
repeats_new(const struct frame *head, const struct frame *against,
            struct pool *pool, struct error *err) MUST_USE;
void repeats_free(struct repeats *r);
/* Behind the columns of the batch. */
bool
repeats_add(struct repeats *r, const struct gather *g, const struct frame *f,
            struct pool *pool, struct error *err) MUST_USE;
bool repeats_end(struct repeats *r, struct profile *p,
                 struct profile_overlap *overlap, struct pool *pool,
                 struct progress *progress, struct error *err) MUST_USE;
#endif
