/* frame/jsonl_row.h -- rows of JSON text one after the other, each as the
 * values at its leaves.
 *
 * Rows stand on lines of their own, or with commas between them as the items
 * of one list.  Internal to jsonl.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_JSONL_ROW_H
#define LATHE_FRAME_JSONL_ROW_H

#include "frame/jsonl_scan.h"
#include "frame/jsonl_tree.h"

struct jsonl_leaf {
    uint32_t node; /* of the tree */
    struct jsonl_value v;
};

enum jsonl_found { JSONL_ROW, JSONL_BAD, JSONL_END, JSONL_FAILED };

struct jsonl_rows {
    const char *p, *end;
    bool list;                  /* commas between rows, or lines */
    struct jsonl_tree *grow;    /* names are added to it, or */
    const struct jsonl_tree *t; /* all are there already */
    struct jsonl_trail trail;
    struct jsonl_leaf *leaf; /* of the row at hand; of a name that occurs
                                twice the last one counts */
    size_t n, cap;
    const char *begin; /* of the row at hand; its end is p */
    struct jsonl_fault fault;
    struct buf scratch;
};

/* grow may be NULL. */
void
jsonl_rows_init(struct jsonl_rows *r, const char *p, const char *end, bool list,
                struct jsonl_tree *grow, const struct jsonl_tree *t);
void jsonl_rows_fini(struct jsonl_rows *r);
/* JSONL_BAD: r->fault says where and why; among lines the next call goes on
 * with the next one.  JSONL_FAILED: err is set. */
enum jsonl_found jsonl_next(struct jsonl_rows *r, struct error *err);
#endif
