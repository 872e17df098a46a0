/* engine/trees/tree.h -- a forest as arrays: grow it, walk it, save it.
 *
 * Inner nodes and leaves of all trees stand one after the other; tree t has
 * nodes node_start[t] .. node_start[t + 1] - 1 and leaves likewise, and what
 * refers to them counts from the start of the tree.  A child >= 0 is an inner
 * node, always after its parent; a child < 0 is leaf ~child.  A tree without
 * nodes is its only leaf.
 *
 *   number    x < threshold goes left; NaN goes left if TREE_MISSING_LEFT
 *   category  the level's code (level_code) is looked up in blocks of 256
 *             bits, as many as the column's codes need, from number
 *             (size_t)threshold on; bit 0 stands for missing, unseen and pooled
 *             levels
 *
 * Tree t adds to output t % n_outputs.
 *
 * Threads: immutable once tree_seal() is called.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_TREE_H
#define LATHE_ENGINE_TREES_TREE_H

#include "base/pool.h"
#include "engine/encode.h"
#include "engine/safetensors.h"
#include "engine/trees/binned.h"

enum {
    TREE_MAX_LEAVES = 32768,
    TREE_MAX_COLS = 1 << 24,
    TREE_SET_WORDS = 4, /* of 64 bits, in a block */
    TREE_MISSING_LEFT = 1,
    TREE_CATEGORY = 2
};

/* One split as it was found on codes. */
struct tree_split {
    uint32_t slot; /* of the binned table */
    uint16_t code; /* number: codes 1..code go left; 0: only the
                                     missing do */
    bool missing_left;
    uint64_t set[TREE_SET_WORDS]; /* codes that go left, of both kinds, but of
                                     long slots */
    double gain;
};

struct forest {
    size_t n_trees, n_nodes, n_leaves, n_sets; /* blocks of sets */
    size_t n_cols, n_outputs;
    /* Borrowed from a mapped file when `borrowed`. */
    uint32_t *node_start, *leaf_start; /* n_trees + 1 */
    uint16_t *feature; /* n_nodes, column of the design: see tree_feature() */
    uint8_t *feature_high; /* its bits from 16 on; NULL: all are 0 */
    double *threshold;
    int16_t *left, *right;
    uint8_t *flags;
    float *value;        /* n_leaves */
    uint32_t *cover;     /* n_leaves: training rows; NULL: not known; owned */
    uint8_t *cover_code; /* as it is saved: seven bits a byte, the lowest
                              first, all but a number's last with 128 */
    size_t n_cover_code;
    uint64_t *set;     /* n_sets x TREE_SET_WORDS */
    uint8_t *set_code; /* as they are saved where some are long; owned
                              unless borrowed: see tree_set.c */
    size_t n_set_code;
    uint32_t *level_start; /* n_cols + 1: codes of a column's levels */
    uint16_t *level_code;  /* owned */
    uint16_t *blocks;      /* n_cols: of a set; owned */
    size_t most_blocks;
    /* Leaves that are lines, or NULL: those of leaf l are terms line_start[l]
     * .. line_start[l + 1] - 1, and with any of them it gives line_base[l] + the
     * sum of line[t] * column line_col[t], or value[l] where that misses one. */
    uint32_t *line_start; /* n_leaves + 1 */
    double *line_base, *line;
    uint16_t *line_col;
    uint8_t *line_high; /* as feature_high, of line_col */
    size_t n_terms;
    double *gain; /* n_cols: sum over its splits, by tree_seal() */
    double *base; /* n_outputs */
    bool borrowed;
    size_t cap_trees, cap_nodes, cap_leaves, cap_sets;
    size_t open_nodes;      /* of the tree begun */
    float *node_gain;       /* n_nodes, while growing */
    struct tree_once *once; /* as it is saved where every tree is there once
                               for each output, by tree_seal(); owned */
    struct walk *walk;      /* owned; made by tree_seal() */
    uint32_t *used;         /* columns that any node looks at; owned */
    size_t n_used;
};

/* The column that a node looks at, and that of a term of a line. */
static inline uint32_t
tree_feature(const struct forest *f, size_t node)
{
    uint32_t high = f->feature_high ? f->feature_high[node] : 0;

    return high << 16 | f->feature[node];
}
static inline uint32_t
tree_line_col(const struct forest *f, size_t term)
{
    uint32_t high = f->line_high ? f->line_high[term] : 0;

    return high << 16 | f->line_col[term];
}

struct forest *tree_forest_new(const struct binned *b, const double *base,
                               size_t n_outputs, struct error *err) MUST_USE;
void tree_forest_free(struct forest *f);
/* Append a tree of up to n_leaves leaves: room first, then its parts. */
bool tree_begin(struct forest *f, size_t n_leaves, struct error *err) MUST_USE;
/* A node of the tree begun, whose children are leaves `left` and `right` for
 * now; returns its number within the tree.  long_set: of a long slot, the codes
 * that go left. */
int16_t tree_add_node(struct forest *f, const struct binned *b,
                      const struct tree_split *s, const uint64_t *long_set,
                      int16_t left, int16_t right);
/* Make a child of node `parent` point at node `child`. */
void tree_link(struct forest *f, int16_t parent, bool left, int16_t child);
void tree_end(struct forest *f, const float *value, size_t n_leaves);
/* The tree that ended last once more, covers too, with other values. */
bool
tree_repeat(struct forest *f, const float *value, struct error *err) MUST_USE;
/* Where the tree that ended last has its training rows by leaf, 0 so far. */
uint32_t *tree_cover(struct forest *f);
/* Append the trees of another, of the same columns, levels and outputs. */
bool tree_append(struct forest *f, const struct forest *from,
                 struct error *err) MUST_USE;
bool tree_same_levels(const struct forest *a, const struct forest *b);
/* Forget all trees from `n_trees` on. */
void tree_cut(struct forest *f, size_t n_trees);
/* No more trees: prepare for walking. */
bool tree_seal(struct forest *f, struct error *err) MUST_USE;

/* Raw scores of all rows of d: out has shape (rows, n_outputs). */
bool tree_score(const struct forest *f, const struct design *d,
                struct pool *pool, double *out, struct error *err) MUST_USE;

void tree_save(const struct forest *f, struct st_writer *w);
/* Borrows the tensors; checks every index before it is used. */
struct forest *tree_load(const struct st_file *file, size_t n_cols,
                         size_t n_outputs, struct error *err) MUST_USE;
#endif
