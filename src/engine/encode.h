/* engine/encode.h -- a frame as numbers: the design matrix.
 *
 * A design is a view: columns are pulled in ranges, so that a tree binner
 * reads 28 columns of a million rows without a copy of all of them.
 * Missing is NaN.  A category column holds codes 0..n_levels-1 as doubles;
 * a level that was not seen in training is NaN.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_ENCODE_H
#define LATHE_ENGINE_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "frame/frame.h"

struct design_column {
    const char *name;  /* "contract", or "contract=One year" when one-hot */
    unsigned n_levels; /* 0: a number; else a category with codes */
};

struct design;

/* How a column of a design comes from column `ref` of a frame.  Missing is a
 * cleared validity bit or NaN, and infinity too where fill is a number. */
enum design_kind {
    DESIGN_NUMBER,  /* (v - shift) * scale, with v = fill where missing */
    DESIGN_CODE,    /* the level of a text, NaN where missing or unseen */
    DESIGN_LEVEL,   /* 1 where the text's group is `group`, else 0 */
    DESIGN_MISSING, /* 1 where missing, else 0 */
    DESIGN_TEXT,    /* as it is: design_text(); a pull gives NaN */
    DESIGN_DENSE    /* set by design_dense() */
};
struct design_source {
    enum design_kind kind;
    size_t ref;
    double fill, shift, scale;
    uint32_t group;
};
#define DESIGN_UNSEEN UINT32_MAX /* in a map: no level, no group */

/* `columns` and `sources` (n_cols of each) are borrowed until the design dies:
 * a prepare owns them.  Bind every ref before the first pull. */
struct design *
design_new(size_t n_rows, size_t n_cols, const struct design_column *columns,
           const struct design_source *sources, size_t n_refs,
           struct error *err) MUST_USE;
/* Holds a reference of c.  map: from the codes of c's dict to levels or
 * groups, taken (freed with the design); NULL when c is not text. */
void design_bind(struct design *d, size_t ref, const struct column *c,
                 uint32_t *map);

size_t design_rows(const struct design *d);
size_t design_cols(const struct design *d);
const struct design_column *design_column(const struct design *d, size_t col);
/* The type of what a column is made of; a number where it is not known. */
enum col_type design_type(const struct design *d, size_t col);
/* Values of rows begin..end-1 of a column. Any thread. */
void design_pull(const struct design *d, size_t col, size_t begin, size_t end,
                 double *out);
/* Is a column no number at all but text as it is?  Then that of a row, empty
 * where missing, which lives as long as d.  Any thread. */
bool design_is_text(const struct design *d, size_t col);
struct str design_text(const struct design *d, size_t col, size_t row);
void design_free(struct design *d);
/* What scores begin with, a number for each row: taken, freed with the
 * design. */
void design_put_offset(struct design *d, double *offset);
const double *design_offset(const struct design *d); /* NULL: 0 everywhere */
/* A design over plain column-major numbers (borrowed, as are the columns), for
 * tests and benches. */
struct design *
design_dense(const double *x, size_t n_rows, size_t n_cols,
             const struct design_column *columns, struct error *err) MUST_USE;
#endif
