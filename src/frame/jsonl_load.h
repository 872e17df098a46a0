/* frame/jsonl_load.h -- what both passes over JSON lines work on.
 * Internal to jsonl.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_JSONL_LOAD_H
#define LATHE_FRAME_JSONL_LOAD_H

#include "frame/csv_value.h"
#include "frame/jsonl.h"
#include "frame/jsonl_row.h"
#include "frame/piece.h"

enum {
    JSONL_STOP_EVERY = 1024, /* rows: a look at whether to stop */
    JSONL_MAX_REJECTS = 1000
};

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
/* ---- jsonl.c ---- */

void jsonl_reading_fini(struct jsonl_reading *r);
/* What stands before the rows, and whether they are a list. */
void jsonl_find_body(struct jsonl_reading *r);
/* Cut r->text from r->body on into parts of whole rows. */
bool jsonl_cut(struct jsonl_reading *r, struct error *err) MUST_USE;
/* The first pass over the parts: rows in each, and what they hold joined to
 * tree and seen. */
bool jsonl_survey_parts(struct jsonl_reading *r, struct error *err) MUST_USE;
bool jsonl_join_parts(struct jsonl_reading *r, struct error *err) MUST_USE;
/* A frame of the columns in target, which it takes. */
struct frame *
jsonl_make_frame(struct jsonl_reading *r, struct error *err) MUST_USE;
/* Rows of csv_rejects_new() from those of the parts, until *n are
 * r->max_rejects; `line` is that of the text's first byte. */
struct builder;
bool jsonl_add_rejects(const struct jsonl_reading *r, struct builder *b,
                       size_t *n, uint64_t line, struct error *err) MUST_USE;

/* ---- jsonl_load.c ---- */

/* The columns that the first pass has found, r->n_cols in target. */
bool jsonl_targets(struct jsonl_reading *r, struct error *err) MUST_USE;
/* Their values from the rows of the parts. */
/* Memory of a row of all columns, texts aside. */
size_t jsonl_row_bytes(const struct jsonl_reading *r);
bool jsonl_load_rows(struct jsonl_reading *r, struct error *err) MUST_USE;
/* The second pass: what the first one has left in parts, tree and seen to
 * columns in target. */
bool jsonl_load(struct jsonl_reading *r, struct error *err) MUST_USE;
#endif
