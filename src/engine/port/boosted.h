/* engine/port/boosted.h -- a portable that is trees and a link function, as
 * XGBoost's and LightGBM's own formats hold.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_BOOSTED_H
#define LATHE_ENGINE_PORT_BOOSTED_H

#include "engine/port/portable.h"

struct boosted {
    const struct ensemble *e;
    const uint32_t *column; /* the input behind a column of the trees */
    uint32_t node;          /* the trees' own */
    bool rounded;           /* inputs are rounded to 32 bits */
    enum graph_op link;     /* GRAPH_INPUT: none; GRAPH_CLIP: sums that are
                               shares, within 0..1; GRAPH_NORMALIZE: so are
                               those of several classes, made to sum to 1 */
};

/* False for what is more than that. */
bool boosted_find_in(const struct graph *g, struct boosted *out);
/* ERR_TYPE for it; `format` is for the message. */
bool boosted_find(const struct portable *p, const char *format,
                  struct boosted *out, struct error *err) MUST_USE;
/* What makes answers of the sums that are node `in`. */
bool boosted_put_link(struct portable *p, enum graph_op link, uint32_t in,
                      struct error *err) MUST_USE;
/* Trees, ROUND where asked for, link, in p's empty graph; takes e over, also
 * when it fails. */
bool boosted_put(struct portable *p, struct ensemble *e, bool round,
                 enum graph_op link, struct error *err) MUST_USE;
/* The same behind node `in`, which is what the trees look at. */
bool boosted_put_at(struct portable *p, uint32_t in, struct ensemble *e,
                    bool round, enum graph_op link, struct error *err) MUST_USE;

/* A tree as a list, parents before children, each node with one parent. */
struct boosted_node {
    uint32_t node, parent, yes, no; /* node: of the ensemble; others: places */
};
enum { BOOSTED_MAX_NODES = 1 << 22 };
/* *out: caller frees.  ERR_LIMIT where sharing made it too many. */
bool boosted_tree(const struct ensemble *e, size_t t, struct boosted_node **out,
                  size_t *n, struct error *err) MUST_USE;
/* The gain of a column, shared by its splits; caller frees. */
double *boosted_gains(const struct ensemble *e, struct error *err) MUST_USE;
/* Trees by output, as many for each: order[i * n_outputs + k] is the i-th of
 * output k, or SIZE_MAX where that has no more.  *out: caller frees. */
bool boosted_rounds(const struct ensemble *e, const char *format, size_t **out,
                    size_t *n_rounds, struct error *err) MUST_USE;

/* ---- what the formats do not say of inputs and target, as a JSON object ----
 *   {"target": "churn", "classes": [...], "inputs": [{"name": "contract",
 *    "levels": [...]}, ...]}
 * and "answers": "shares", where the classes' shares are the sums of trees, or
 * "outputs": [{"name": "cluster", "whole": true}, ...] without a target. */
void portable_schema_json(const struct portable *p, struct json_writer *w);
/* Does it say that the sums of the trees are the shares of the classes? */
bool
portable_schema_shares(struct str text, bool *out, struct error *err) MUST_USE;
/* Of a text that may be anything: what is not understood is left alone.
 * levels: those too, which are the codes of the graph then. */
bool portable_schema_read(struct portable *p, struct str text, bool levels,
                          struct error *err) MUST_USE;
/* A list of texts as the levels of an input; of anything else nothing is
 * done. */
bool portable_levels(struct portable *p, size_t i, const struct json *list,
                     struct error *err) MUST_USE;
#endif
