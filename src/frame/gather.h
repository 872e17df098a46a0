/* frame/gather.h -- rows of a frame in another order, over the pool.
 *
 * The same as frame_take(), by all threads; and rows that are not there.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_GATHER_H
#define LATHE_FRAME_GATHER_H

#include "base/pool.h"
#include "frame/frame.h"

/* Columns of n rows each: the given ones, of one length, at `rows`, where
 * COLUMN_NO_ROW, if `holes` says that there may be such, is a missing value.
 * out takes n_cols references.  Nothing is kept on failure: ERR_NOMEM, or
 * ERR_CANCELLED where the pool was lent for work that can be stopped. */
bool
gather_columns(const struct column *const *in, size_t n_cols,
               const uint32_t *rows, size_t n, bool holes, struct pool *pool,
               struct column **out, struct error *err) MUST_USE;
/* As frame_take(). */
struct frame *
gather_frame(const struct frame *f, const uint32_t *rows, size_t n,
             struct pool *pool, struct error *err) MUST_USE;
#endif
