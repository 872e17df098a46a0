/* frame/jsonl_tree.h -- the names within objects, as a tree: one node for each
 * path that occurs.
 *
 * Node 0 is the row itself.  Nodes are found by hash, but objects in a file
 * mostly have the same names in the same order, so a walk remembers which node
 * came after which and then only compares the name.  Internal to jsonl.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_JSONL_TREE_H
#define LATHE_FRAME_JSONL_TREE_H

#include "frame/dict.h"

struct jsonl_tree {
    struct dict *keys; /* of node i + 1: 4 bytes of the parent, the name */
    uint32_t *parent;
    size_t n, cap; /* nodes */
};

/* Where a walk through rows expects the next name; one for each thread. */
struct jsonl_trail {
    uint32_t *next, *first; /* by node; 0: nothing known */
    size_t cap;
};

bool jsonl_tree_init(struct jsonl_tree *t, struct error *err) MUST_USE;
void jsonl_tree_fini(struct jsonl_tree *t);
/* The node of a name, added when it is new. */
bool jsonl_tree_add(struct jsonl_tree *t, uint32_t parent, struct str name,
                    uint32_t *node, struct error *err) MUST_USE;
/* The node of a name, 0 when there is none.  The tree is not changed. */
uint32_t
jsonl_tree_find(const struct jsonl_tree *t, uint32_t parent, struct str name);
struct str jsonl_tree_name(const struct jsonl_tree *t, uint32_t node);

void jsonl_trail_fini(struct jsonl_trail *r);
/* Room for the nodes of the tree as it is now. */
bool jsonl_trail_reserve(struct jsonl_trail *r, const struct jsonl_tree *t,
                         struct error *err) MUST_USE;
#endif
