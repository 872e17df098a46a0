/* frame/parquet_convert.h -- stored values to lathe's.  Internal to parquet.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PARQUET_CONVERT_H
#define LATHE_FRAME_PARQUET_CONVERT_H

#include "frame/parquet_schema.h"

/* n values of l->width bytes each (bools: of one byte) to the type of the
 * leaf, which is not text.  *beyond becomes true when an unsigned value does
 * not fit int64; it is then stored by its bits. */
void pq_convert(const struct pq_leaf *l, const uint8_t *raw, size_t n,
                void *out, bool *beyond);
/* Big-endian two's complement of n bytes (at most 32), divided by 10^scale,
 * rounded once. */
double pq_decimal(const uint8_t *p, size_t n, int scale);
/* The text of one stored value of a leaf whose type is text. */
void pq_convert_text(const struct pq_leaf *l, const uint8_t *raw, size_t len,
                     struct buf *out);
#endif
