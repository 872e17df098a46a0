/* frame/profile_part.h -- the parts of a profile; for profile_*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PROFILE_PART_H
#define LATHE_FRAME_PROFILE_PART_H

#include "frame/profile.h"

enum {
    PROFILE_FEW = 5,          /* a number with fewer values is a category */
    PROFILE_MANY = 50,        /* a category with more: high cardinality */
    PROFILE_SAMPLE = 20000,   /* rows that relations are measured on */
    PROFILE_WIDE = 1 << 20,   /* rows from which columns go one by one */
    PROFILE_MAX_PAIRED = 300, /* columns beyond which no pairs are measured */
    PROFILE_MAX_CLASSES = 20  /* whole numbers that are classes of a target */
};

/* profile_number.c: numbers, dates, timestamps.  pool: for one column alone;
 * NULL within a worker.  The result is the same. */
bool profile_number(const struct column *c, struct profile_column *out,
                    struct pool *pool, const struct progress *progress,
                    struct error *err) MUST_USE;
/* profile_text.c: texts and bools. */
bool
profile_category(const struct column *c, struct profile_column *out,
                 const struct progress *progress, struct error *err) MUST_USE;
/* Keep text as one of the PROFILE_TOP most frequent; call in value order. */
bool profile_top_add(struct profile_column *c, size_t count, const char *text,
                     size_t len, struct error *err) MUST_USE;
/* Would count be kept? */
bool profile_top_wants(const struct profile_column *c, size_t count);
/* Count one of the distinct values; entropy holds a sum until all are. */
void profile_distinct_add(struct profile_column *c, size_t count);
void profile_distinct_end(struct profile_column *c);
/* A category for people: text, bool, or a number with few values. */
bool profile_is_category(const struct profile_column *c);

/* A column on the sampled rows, 0..n-1. */
struct feature {
    bool number;     /* x, order and bin hold, else only code */
    size_t n;        /* rows of the sample */
    size_t n_here;   /* of them present */
    double *x;       /* NaN: missing */
    uint32_t *order; /* rows in order of x, n_here of them */
    uint32_t *code;  /* 0: missing; categories, or ten equal widths of x */
    size_t n_codes;  /* codes run from 0 to n_codes - 1 */
};

/* profile_sample.c */
bool feature_init(struct feature *s, const struct profile *p, size_t col,
                  struct error *err) MUST_USE;
void feature_fini(struct feature *s);
/* Ranks (from 1, ties averaged) of the rows of x where also `with` is present
 * (NULL: all), others 0; returns how many. */
size_t feature_ranks(const struct feature *x, const struct feature *with,
                     double *rank);

/* profile_relate.c: pairs that go together. */
bool profile_relate(struct profile *p, const struct feature *features,
                    struct pool *pool, const struct progress *progress,
                    struct error *err) MUST_USE;
/* profile_target.c: the score of each column against the target. */
bool profile_score(struct profile *p, const struct feature *features,
                   size_t target, struct pool *pool,
                   const struct progress *progress, struct error *err) MUST_USE;
/* profile_alert.c */
bool profile_judge(struct profile *p, struct error *err) MUST_USE;
#endif
