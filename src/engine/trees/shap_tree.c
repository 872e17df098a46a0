/* engine/trees/shap_tree.c -- a tree laid out for explaining, and the ways rows
 * go in it.
 *
 * A damaged file may hold nodes and leaves that none or several lead to.  Then
 * the last edge that does counts, everywhere, and all else keeps its bounds.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/shap_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { PULL_ROWS = 256 };

/* ---- laying out ---- */

static void
fini_nodes(struct shap_tree *s)
{
    free(s->edge);
    free(s->from);
    free(s->depth);
    free(s->cover);
    free(s->leaf_start);
    free(s->leaf_last);
}

void
shap_tree_fini(struct shap_tree *s)
{
    fini_nodes(s);
    free(s->leaf_edge);
    *s = (struct shap_tree){0};
}

static bool
room_for_nodes(struct shap_tree *s, size_t n, struct error *err)
{
    if (n < s->cap_nodes)
        return true;
    fini_nodes(s);
    s->cap_nodes = 0;
    s->edge = mem_try_array(2 * n + 2, sizeof *s->edge, err);
    s->from = mem_try_array(n + 1, sizeof *s->from, err);
    s->depth = mem_try_array(n + 1, sizeof *s->depth, err);
    s->cover = mem_try_array(n + 1, sizeof *s->cover, err);
    s->leaf_start = mem_try_array(n + 2, sizeof *s->leaf_start, err);
    s->leaf_last = mem_try_array(n + 1, sizeof *s->leaf_last, err);
    if (!s->edge || !s->from || !s->depth || !s->cover || !s->leaf_start ||
        !s->leaf_last)
        return false;
    s->cap_nodes = n + 1;
    return true;
}

static int16_t
child_of(const struct shap_tree *s, size_t node, size_t right)
{
    return (right ? s->f->right : s->f->left)[s->first + node];
}

/* Rows below each node; 0 where the forest does not know them. */
static void
add_covers(struct shap_tree *s, size_t tree)
{
    const uint32_t *leaf =
        s->f->cover ? s->f->cover + s->f->leaf_start[tree] : NULL;

    for (size_t i = s->n; i-- > 0;) {
        s->cover[i] = 0;
        for (size_t right = 0; right < 2; right++) {
            int16_t c = child_of(s, i, right);

            s->cover[i] += c >= 0 ? s->cover[c] : leaf ? (double)leaf[~c] : 0;
        }
    }
}

static double
cover_below(const struct shap_tree *s, size_t tree, int16_t child)
{
    if (child >= 0)
        return s->cover[child];
    return s->f->cover
               ? (double)s->f->cover[s->f->leaf_start[tree] + (size_t)~child]
               : 0;
}

/* The nearest edge above node i that asks for the same column. */
static int32_t
asked_before(const struct shap_tree *s, size_t node, uint32_t column)
{
    int32_t e = s->from[node];

    while (e >= 0 && s->edge[e].column != column)
        e = s->from[e / 2];
    return e;
}

static void
set_edges(struct shap_tree *s, size_t tree, size_t node)
{
    uint32_t column = tree_feature(s->f, s->first + node);
    int32_t before = asked_before(s, node, column);
    uint32_t depth = s->depth[node] + (before < 0);

    for (size_t right = 0; right < 2; right++) {
        struct shap_edge *e = &s->edge[2 * node + right];
        int16_t child = child_of(s, node, right);
        double cover = cover_below(s, tree, child);

        e->column = column;
        e->before = before;
        e->place = before >= 0 ? s->edge[before].place : s->depth[node];
        e->share = s->cover[node] > 0 ? cover / s->cover[node] : 0;
        e->z = e->share * (before >= 0 ? s->edge[before].z : 1);
        if (child >= 0) {
            s->from[child] = (int32_t)(2 * node + right);
            s->depth[child] = depth;
        }
    }
    if (depth > s->deepest)
        s->deepest = depth;
}

/* The last edge of each feature on the way to a leaf, by its place. */
static void
list_path(struct shap_tree *s, int32_t last, uint32_t depth, uint32_t *out)
{
    for (uint32_t k = 0; k < depth; k++)
        out[k] = UINT32_MAX;
    for (int32_t e = last; e >= 0; e = s->from[e / 2])
        if (out[s->edge[e].place] == UINT32_MAX)
            out[s->edge[e].place] = (uint32_t)e;
}

static uint32_t
leaf_depth(const struct shap_tree *s, size_t leaf)
{
    int32_t last = s->leaf_last[leaf];

    return last < 0 ? 0 : s->depth[last / 2] + (s->edge[last].before < 0);
}

static bool
list_paths(struct shap_tree *s, struct error *err)
{
    s->leaf_start[0] = 0;
    for (size_t l = 0; l < s->n_leaves; l++)
        s->leaf_last[l] = -1;
    for (size_t e = 0; e < 2 * s->n; e++) {
        int16_t child = child_of(s, e / 2, e % 2);

        if (child < 0)
            s->leaf_last[~child] = (int32_t)e;
    }
    for (size_t l = 0; l < s->n_leaves; l++)
        s->leaf_start[l + 1] = s->leaf_start[l] + leaf_depth(s, l);
    if (s->leaf_start[s->n_leaves] > s->cap_edges) {
        size_t total = s->leaf_start[s->n_leaves];

        free(s->leaf_edge);
        s->cap_edges = 0;
        s->leaf_edge = mem_try_array(total, sizeof *s->leaf_edge, err);
        if (!s->leaf_edge)
            return false;
        s->cap_edges = total;
    }
    for (size_t l = 0; l < s->n_leaves; l++)
        list_path(s, s->leaf_last[l], leaf_depth(s, l),
                  s->leaf_edge + s->leaf_start[l]);
    return true;
}

static double
expected_value(const struct shap_tree *s)
{
    double sum = 0;

    for (size_t l = 0; l < s->n_leaves; l++) {
        double p = (double)s->value[l];

        for (uint32_t k = s->leaf_start[l]; k < s->leaf_start[l + 1]; k++)
            p *= s->edge[s->leaf_edge[k]].z;
        sum += p;
    }
    return sum;
}

bool
shap_tree_set(struct shap_tree *s, const struct forest *f, size_t tree,
              struct error *err)
{
    s->f = f;
    s->first = f->node_start[tree];
    s->n = f->node_start[tree + 1] - s->first;
    s->n_leaves = s->n + 1;
    s->value = f->value + f->leaf_start[tree];
    s->deepest = 0;
    if (!room_for_nodes(s, s->n, err))
        return false;
    for (size_t i = 0; i <= s->n; i++) {
        s->from[i] = -1;
        s->depth[i] = 0;
    }
    add_covers(s, tree);
    for (size_t i = 0; i < s->n; i++)
        set_edges(s, tree, i);
    if (!list_paths(s, err))
        return false;
    s->expected = expected_value(s);
    return true;
}

/* ---- rows ---- */

void
shap_pull(const struct forest *f, const struct design *d, size_t begin,
          size_t end, double *x)
{
    double v[PULL_ROWS];

    for (size_t u = 0; u < f->n_used; u++) {
        uint32_t c = f->used[u], first = f->level_start[c];
        uint32_t n_levels = f->level_start[c + 1] - first;

        for (size_t at = begin; at < end; at += PULL_ROWS) {
            size_t n = end - at < PULL_ROWS ? end - at : PULL_ROWS;
            double *to = x + (at - begin) * f->n_used + u;

            design_pull(d, c, at, at + n, v);
            for (size_t i = 0; i < n; i++, to += f->n_used)
                *to = n_levels == 0 ? v[i]
                      : v[i] >= 0 && v[i] < n_levels
                          ? f->level_code[first + (uint32_t)v[i]]
                          : 0;
        }
    }
}

void
shap_decide(const struct shap_tree *s, const uint32_t *place, const double *x,
            uint8_t *left)
{
    const struct forest *f = s->f;

    for (size_t i = 0; i < s->n; i++) {
        size_t node = s->first + i;
        double v = x[place[tree_feature(f, node)]], cut = f->threshold[node];

        if (f->flags[node] & TREE_CATEGORY) {
            const uint64_t *set = f->set + (size_t)cut * TREE_SET_WORDS;
            size_t code = (size_t)v;

            left[i] = set[code / 64] >> (code % 64) & 1;
        } else {
            left[i] = v < cut ||
                      (v != v && (f->flags[node] & TREE_MISSING_LEFT) != 0);
        }
    }
}
