/* frame/jsonl_load.h -- what both passes over JSON lines work on.
 * Internal to jsonl.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_JSONL_LOAD_H
#define LATHE_FRAME_JSONL_LOAD_H

#include "frame/csv_value.h"
#include "frame/jsonl.h"
#include "frame/jsonl_row.h"
#include "frame/piece.h"

enum { JSONL_STOP_EVERY = 1024 /* rows: a look at whether to stop */ };

struct jsonl_reject {
    size_t begin, end; /* bytes */
    struct jsonl_fault fault;
};

/* What the first pass has seen at a node. */
struct jsonl_seen {
    enum csv_class class;
    bool null, value; /* leaves were there */
};

/* A stretch of whole rows. */
struct jsonl_part {
    size_t begin, end;
    size_t first_row, n_rows;
    struct jsonl_tree tree;
    struct jsonl_seen *seen; /* by node of its tree */
    size_t n_seen;
    struct jsonl_reject *reject;
    size_t n_rejects, n_bad;
    struct error err;
    bool failed;
};

/* A column to be. */
struct jsonl_target {
    uint32_t node;
    enum col_type type;
    char *name;
    void *data;
    struct column *column;
    struct error err;
    bool failed;
};

struct jsonl_reading {
    const struct jsonl_options *o;
    struct pool *pool;
    struct progress *progress;
    struct str text;
    size_t body; /* where the rows begin */
    bool list;
    struct jsonl_part *part;
    size_t n_parts, n_rows, n_bad, max_rejects;
    struct jsonl_tree tree;
    struct jsonl_seen *seen; /* by node */
    size_t n_seen;
    bool *inner; /* by node: objects stand there */
    struct jsonl_target *target;
    size_t n_cols;
    uint32_t *column_of; /* by node: its column + 1, or 0 */
    struct piece *piece; /* n_parts * n_cols, by column */
};

/* Remember why a part could not be read; false. */
bool jsonl_fail_part(struct jsonl_part *p, const struct error *err);
/* The second pass: what the first one has left in parts, tree and seen to
 * columns in target. */
bool jsonl_load(struct jsonl_reading *r, struct error *err) MUST_USE;
#endif
