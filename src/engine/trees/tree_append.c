/* engine/trees/tree_append.c -- the trees of one forest behind those of
 * another, and one more of the last.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "engine/trees/tree_state.h"

static void
copy_nodes(struct forest *f, const struct forest *from, size_t first, size_t n)
{
    size_t at = f->n_nodes;

    memcpy(f->feature + at, from->feature + first, n * sizeof *f->feature);
    if (f->feature_high)
        memcpy(f->feature_high + at, from->feature_high + first, n);
    memcpy(f->threshold + at, from->threshold + first,
           n * sizeof *f->threshold);
    memcpy(f->left + at, from->left + first, n * sizeof *f->left);
    memcpy(f->right + at, from->right + first, n * sizeof *f->right);
    memcpy(f->flags + at, from->flags + first, n * sizeof *f->flags);
    for (size_t i = 0; i < n; i++)
        f->node_gain[at + i] = from->node_gain ? from->node_gain[first + i] : 0;
    f->open_nodes = n;
}

/* Sets are numbered anew, in the order of their nodes. */
static void
copy_sets(struct forest *f, const struct forest *from, size_t n)
{
    for (size_t i = f->n_nodes; i < f->n_nodes + n; i++)
        if (f->flags[i] & TREE_CATEGORY) {
            size_t blocks = tree_blocks_of(f, i);

            memcpy(f->set + f->n_sets * TREE_SET_WORDS,
                   from->set + (size_t)f->threshold[i] * TREE_SET_WORDS,
                   blocks * TREE_SET_WORDS * sizeof *f->set);
            f->threshold[i] = (double)f->n_sets;
            f->n_sets += blocks;
        }
}

bool
tree_append_one(struct forest *f, const struct forest *from, size_t t,
                const float *value, struct error *err)
{
    size_t first = from->node_start[t], leaf = from->leaf_start[t];
    size_t n = from->node_start[t + 1] - first;

    if (!tree_begin(f, n + 1, err))
        return false;
    copy_nodes(f, from, first, n);
    copy_sets(f, from, n);
    tree_end(f, value, n + 1);
    if (from->cover)
        memcpy(tree_cover(f), from->cover + leaf,
               (n + 1) * sizeof *from->cover);
    return true;
}

bool
tree_append(struct forest *f, const struct forest *from, struct error *err)
{
    for (size_t t = 0; t < from->n_trees; t++) {
        size_t leaf = from->leaf_start[t];
        size_t n = from->leaf_start[t + 1] - leaf;

        if (!tree_append_one(f, from, t, from->value + leaf, err) ||
            !tree_append_lines(f, from, leaf, n, err))
            return false;
    }
    return true;
}

bool
tree_repeat(struct forest *f, const float *value, struct error *err)
{
    size_t t = f->n_trees - 1, first = f->node_start[t];
    size_t leaf = f->leaf_start[t], n = f->n_leaves - leaf;

    if (!tree_begin(f, n, err))
        return false;
    copy_nodes(f, f, first, n - 1);
    tree_end(f, value, n);
    memcpy(tree_cover(f), f->cover + leaf, n * sizeof *f->cover);
    return true;
}

bool
tree_same_levels(const struct forest *a, const struct forest *b)
{
    return a->n_cols == b->n_cols &&
           memcmp(a->level_start, b->level_start,
                  (a->n_cols + 1) * sizeof *a->level_start) == 0 &&
           memcmp(a->level_code, b->level_code,
                  a->level_start[a->n_cols] * sizeof *a->level_code) == 0;
}
