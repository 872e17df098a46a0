/* engine/metric_slice.h -- the scores of parts of the rows.
 *
 * A slice comes from an expression over the judged table: a condition gives the
 * rows where it holds and those where it does not; a text, bool or int gives
 * its values, the most frequent ones first (the rest together as "others"); any
 * other number, a date and a timestamp give four parts at their quartiles, named
 * by their ends.  Missing is a part of its own.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_METRIC_SLICE_H
#define LATHE_ENGINE_METRIC_SLICE_H

#include "engine/metric.h"

enum { SLICE_MANY = 20 }; /* values that are parts of their own */

struct slice {
    char *by;   /* the expression; owned, as is */
    char *part; /* "north" */
    struct evaluation of;
};
struct slices {
    struct slice *slice;
    size_t n;
};

/* exprs: NULL-ended.  f has a row for each of rows.  An expression that fails
 * is told by its text.  Released by slices_fini, also after a failure. */
bool slices_make(const struct frame *f, const char *const *exprs,
                 const struct metric_rows *rows, char *const *classes,
                 const struct evaluation_options *o, struct pool *pool,
                 struct slices *out, struct error *err) MUST_USE;
void slices_fini(struct slices *s);
/* A line a slice: expression, part, rows, and the first metrics that fit. */
void slices_print(const struct slices *s, const struct evaluation *whole,
                  size_t width, struct buf *out);
void slices_json(const struct slices *s, struct json_writer *w);
/* Columns slice, part, rows, and value, low and high of each metric. */
struct frame *slices_frame(const struct slices *s, struct error *err) MUST_USE;
#endif
