/* frame/csv_cells.h -- a run of fields of one column to values, fast.
 *
 * Each function takes fields in turn and stops at the first one that is not of
 * the common form: it may still be a value, or missing, or neither.  Common
 * are what csv_fast_i64() and csv_fast_f64() take, "2024-05-31" for dates and
 * "2024-05-31 23:59:59", or with a T, for timestamps; no blanks, no quotes.
 * Internal to csv.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_CSV_CELLS_H
#define LATHE_FRAME_CSV_CELLS_H

#include <stddef.h>
#include <stdint.h>

/* Field i is base[from[i]..to[i]] of the text that begins at `text`. */
struct csv_cells {
    const char *text, *base;
    const uint32_t *from, *to;
};

/* Fields i..n - 1 to out[i..]; returns the one it stopped at, or n. */
typedef size_t
csv_ints_fn(const struct csv_cells *c, size_t i, size_t n, int64_t *out);
typedef size_t
csv_floats_fn(const struct csv_cells *c, size_t i, size_t n, double *out);
struct csv_cell_kernels {
    csv_ints_fn *ints;
    csv_floats_fn *floats;
};
/* The twins stop at the same fields and give the same bytes. */
extern const struct csv_cell_kernels csv_cells_plain, csv_cells_avx2,
    csv_cells_avx512;
const struct csv_cell_kernels *csv_cells_best(void); /* for this machine */

size_t
csv_cells_dates(const struct csv_cells *c, size_t i, size_t n, int32_t *out);
size_t csv_cells_timestamps(const struct csv_cells *c, size_t i, size_t n,
                            int64_t *out);
size_t
csv_cells_bools(const struct csv_cells *c, size_t i, size_t n, uint8_t *out);
#endif
