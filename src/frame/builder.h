/* frame/builder.h -- append rows one value at a time, then freeze.
 * For small tables: query results, JSON rows, Lua tables.  CSV builds columns
 * directly.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_BUILDER_H
#define LATHE_FRAME_BUILDER_H

#include "frame/frame.h"

struct builder;

struct builder *
builder_new(size_t n_cols, const char *const *names, const enum col_type *types,
            struct error *err) MUST_USE;
void builder_free(struct builder *b);
/* Values of the row at hand; a column not set is missing.  The setter must
 * suit the column's type (asserted); i64 serves int, bool, date, timestamp. */
bool builder_i64(struct builder *b, size_t col, int64_t v,
                 struct error *err) MUST_USE;
bool builder_f64(struct builder *b, size_t col, double v,
                 struct error *err) MUST_USE;
bool builder_text(struct builder *b, size_t col, struct str v,
                  struct error *err) MUST_USE;
/* Parse v into the column's type; ERR_PARSE names value and type. */
bool builder_parse(struct builder *b, size_t col, struct str v,
                   struct error *err) MUST_USE;
bool builder_end_row(struct builder *b, struct error *err) MUST_USE;
/* Consumes the builder, also on failure. */
struct frame *builder_finish(struct builder *b, struct error *err) MUST_USE;
#endif
