/* frame/parquet_schema.h -- from the tree of a Parquet schema to columns.
 *
 * Each leaf of the tree is a column.  Levels: a value's definition level says
 * how many of the optional and repeated nodes on its path are there, its
 * repetition level at which repeated node it goes on.  Internal to parquet.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PARQUET_SCHEMA_H
#define LATHE_FRAME_PARQUET_SCHEMA_H

#include "base/arena.h"
#include "frame/column.h"
#include "frame/parquet_meta.h"

enum { PQ_MAX_DEPTH = 64, PQ_MAX_REP = 16, PQ_MAX_LEVEL = 255 };

/* What a stored value becomes. */
enum pq_kind {
    PQ_KIND_BOOL,
    PQ_KIND_I32,  /* int */
    PQ_KIND_U32,  /* int */
    PQ_KIND_I64,  /* int */
    PQ_KIND_U64,  /* int, or float when one is beyond int64 */
    PQ_KIND_F16,  /* float */
    PQ_KIND_F32,  /* float */
    PQ_KIND_F64,  /* float */
    PQ_KIND_DATE, /* date */
    PQ_KIND_STAMP_MILLIS,
    PQ_KIND_STAMP_MICROS,
    PQ_KIND_STAMP_NANOS,
    PQ_KIND_INT96,     /* timestamp */
    PQ_KIND_DECIMAL32, /* float */
    PQ_KIND_DECIMAL64,
    PQ_KIND_DECIMAL_BYTES, /* big-endian, fixed or not */
    PQ_KIND_TIME32,        /* text, milliseconds */
    PQ_KIND_TIME64,        /* text, by unit */
    PQ_KIND_TEXT,
    PQ_KIND_HEX, /* text */
    PQ_KIND_UUID,
    PQ_KIND_INTERVAL
};

struct pq_leaf {
    const struct pq_element *element;
    const char *name;
    size_t index; /* of its chunk in each row group */
    enum pq_kind kind;
    enum col_type type;  /* of one value; a list is text */
    size_t width;        /* bytes of one stored value; 0: they vary */
    const char *skipped; /* why it cannot be read, or NULL */
    unsigned max_def, max_rep;
    /* list_def[r]: level from which on a list of depth r (1..) has an item */
    unsigned list_def[PQ_MAX_REP + 1];
};

struct pq_schema {
    struct pq_leaf *leaf;
    size_t n_leaves;
};

/* The leaves lie in the arena.  ERR_PARSE for a tree that is none. */
bool pq_schema_read(const struct pq_meta *m, struct arena *a,
                    struct pq_schema *out, struct error *err) MUST_USE;
/* Type of the column: a list is text. */
enum col_type pq_leaf_type(const struct pq_leaf *l);
/* "int64 timestamp(micros)", "list of double": for people. */
void pq_leaf_describe(const struct pq_leaf *l, struct buf *out);
#endif
