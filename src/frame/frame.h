/* frame/frame.h -- named columns of one length.
 *
 * Immutable; shared by reference count across threads without locks.  At most
 * 2^32 - 1 rows.  Names are unique and not empty.  Functions that "return a
 * frame" return a new reference that the caller releases.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_FRAME_H
#define LATHE_FRAME_FRAME_H

#include "base/pool.h"
#include "base/progress.h"
#include "frame/column.h"

struct frame;

/* Takes one reference of each column (also when it fails); copies the names.
 * Duplicate or empty names are ERR_EXISTS / ERR_RANGE.  n_cols may be 0 with
 * n_rows rows. */
struct frame *
frame_new(size_t n_rows, size_t n_cols, const char *const *names,
          struct column *const *columns, struct error *err) MUST_USE;
struct frame *frame_ref(const struct frame *f);
void frame_unref(struct frame *f);

size_t frame_rows(const struct frame *f);
size_t frame_cols(const struct frame *f);
const char *frame_name(const struct frame *f, size_t col);
const struct column *
frame_column(const struct frame *f, size_t col); /* borrowed */
/* Index of a column, or -1. */
long frame_find(const struct frame *f, const char *name);
/* The column whose name is spelt most like it, else one that ends in it behind a
 * point ("valid.auc" of "auc"), or NULL; borrowed. */
const char *frame_nearest(const struct frame *f, const char *name);
/* As frame_find, with an error that names the nearest column:
 * "no column 'tenur' (did you mean 'tenure'?)". */
bool frame_need(const struct frame *f, const char *name, size_t *col,
                struct error *err) MUST_USE;

/* Rows by id, in that order, repeats allowed. */
struct frame *frame_take(const struct frame *f, const uint32_t *rows, size_t n,
                         struct error *err) MUST_USE;
struct frame *frame_slice(const struct frame *f, size_t begin, size_t end,
                          struct error *err) MUST_USE;
struct frame *frame_select(const struct frame *f, const size_t *cols, size_t n,
                           struct error *err) MUST_USE;
/* With one column added, or replaced when the name is there.  Takes the
 * reference of c, also when it fails. */
struct frame *frame_with(const struct frame *f, const char *name,
                         struct column *c, struct error *err) MUST_USE;
struct frame *frame_drop(const struct frame *f, const char *const *names,
                         size_t n, struct error *err) MUST_USE;
/* Tell apart the texts of all columns where that is still to be done, side by
 * side (column_settle): for work that is going to ask for all of them.
 * ERR_CANCELLED. */
bool frame_settle(const struct frame *f, struct pool *pool,
                  const struct progress *progress, struct error *err) MUST_USE;
/* Have the files that it is mapped from, if any, all the bytes that they had?
 * Else it shows zeros in their place: ERR_IO names the file. */
bool frame_whole(const struct frame *f, struct error *err) MUST_USE;
size_t frame_bytes(const struct frame *f);
/* 128-bit hash of names, types and values as 32 hex digits and a zero: the
 * "data fingerprint" of lineage.  Independent of how the frame was made. */
bool frame_fingerprint(const struct frame *f, char out[33],
                       struct error *err) MUST_USE;
/* A text table for people: header, at most max_rows rows, columns cut to fit
 * `width` cells, then "N rows x M columns". */
void frame_print(const struct frame *f, size_t max_rows, size_t width,
                 struct buf *out);
/* The same where f is the beginning of a table of n_rows. */
void frame_print_first(const struct frame *f, uint64_t n_rows, size_t max_rows,
                       size_t width, struct buf *out);
/* What it puts into a cell: decimals for all of a column's first n rows (-1:
 * as each needs), then the text of one, without control characters. */
int frame_decimals(const struct column *c, size_t n_rows);
void
frame_cell(const struct column *c, size_t row, int decimals, struct buf *out);
/* Rows begin..end as a JSON array of objects. */
void
frame_json(const struct frame *f, size_t begin, size_t end, struct buf *out);
/* The same rows as JSON lines; a float's 3 is 3.0, so that it reads back. */
void frame_json_lines(const struct frame *f, size_t begin, size_t end,
                      struct buf *out);
#endif
