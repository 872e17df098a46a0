/* engine/trees/shap_state.h -- what the two ways of taking a feature away
 * share; for shap*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_SHAP_STATE_H
#define LATHE_ENGINE_TREES_SHAP_STATE_H

#include "engine/trees/shap.h"

/* The way from a node to a child: number 2 * node + (1 if to the right). */
struct shap_edge {
    double share;   /* of the node's training rows */
    double z;       /* of those that pass what is asked of the feature so far */
    int32_t before; /* the edge above that asks for the same feature, or -1 */
    uint32_t place; /* of the feature on the path: 0 for the first of it */
    uint32_t column; /* of the design */
};

/* A tree laid out for explaining; reused from tree to tree. */
struct shap_tree {
    const struct forest *f;
    size_t n, n_leaves, first; /* nodes, leaves, where the nodes start */
    const float *value;
    struct shap_edge *edge;           /* 2 n */
    int32_t *from;                    /* by node: the edge to it, -1: none */
    int32_t *leaf_last;               /* by leaf: the edge to it, -1: none */
    uint32_t *depth;                  /* by node: features on the path to it */
    double *cover;                    /* by node */
    uint32_t *leaf_start, *leaf_edge; /* by leaf: the last edge of each feature
                                         on its path, in order of place */
    size_t deepest;                   /* features on a path, at most */
    double expected;                  /* by cover */
    size_t cap_nodes, cap_edges;
};

bool shap_tree_set(struct shap_tree *s, const struct forest *f, size_t tree,
                   struct error *err) MUST_USE;
void shap_tree_fini(struct shap_tree *s);

/* Values of rows begin..end-1, row by row, n_used of each: a number, or a
 * category's code. */
void shap_pull(const struct forest *f, const struct design *d, size_t begin,
               size_t end, double *x);
/* left[i] = does the row go left at node i?  place: by column, where in x. */
void shap_decide(const struct shap_tree *s, const uint32_t *place,
                 const double *x, uint8_t *left);

struct shap_job {
    const struct forest *f;
    const struct attribution *a;
    const uint32_t *place; /* by column */
    size_t width;          /* of the shares of a row and output */
};

/* Where the shares of a row in an output stand. */
static inline double *
shap_out(const struct shap_job *j, size_t row, size_t output)
{
    return j->a->out + (row * j->f->n_outputs + output) * j->width;
}

/* A feature's own share is what the pairs leave of its phi. */
void shap_close_pairs(const double *phi, size_t n_features, double *out);

/* With background rows. */
bool shap_background(struct shap_job *j, struct error *err) MUST_USE;
#endif
