/* engine/trees/shap.c -- Shapley values by the ways training rows went.
 *
 * A row goes down the whole tree: with every node it takes the products
 * prod (t o_i + (1 - t) z_i) at the points of the rule, the weights of the rule
 * among them.  On the way back the products of the leaves, times their values,
 * are summed, and an edge gets its feature's share out of the sum below it,
 * divided by its own factor.  Where the feature was asked for above already,
 * that edge's sum holds these leaves too, under an older factor: it is given
 * back at once.
 *
 * Children come after parents, so both ways are a loop over the nodes.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/shap_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/trees/shap_rule.h"

enum { GRAIN = 128 }; /* rows for which a tree is laid out once */

/* ---- a chunk of rows ---- */

/* What one thread needs for one tree after another. */
struct walk {
    struct shap_tree tree;
    struct shap_rule rule;
    double *x;         /* (rows, used columns) */
    double *inverse;   /* by edge: 1 / (t + (1 - t) z) at the points */
    double *down, *up; /* by node: products; sums below */
    double *at_leaf;   /* by leaf: value times products */
    double *part;      /* (features of a path, points); for pairs */
    uint8_t *left;     /* by node */
    uint8_t *passes;   /* by edge: all that is asked of its feature so far? */
    size_t cap_numbers, cap_nodes, cap_part;
};

static void
fini_numbers(struct walk *w)
{
    free(w->inverse);
    free(w->down);
    free(w->up);
    free(w->at_leaf);
    free(w->left);
    free(w->passes);
    free(w->part);
}

static void
walk_fini(struct walk *w)
{
    shap_tree_fini(&w->tree);
    shap_rule_fini(&w->rule);
    free(w->x);
    fini_numbers(w);
}

static bool
room_for_tree(struct walk *w, struct error *err)
{
    size_t n = w->tree.n, q = w->rule.n, part = w->tree.deepest * q;

    if (n * q < w->cap_numbers && n < w->cap_nodes && part < w->cap_part)
        return true;
    fini_numbers(w);
    w->cap_numbers = w->cap_nodes = w->cap_part = 0;
    w->inverse = mem_try_aligned(2 * n * q, sizeof *w->inverse, err);
    w->down = mem_try_aligned(n * q, sizeof *w->down, err);
    w->up = mem_try_aligned(n * q, sizeof *w->up, err);
    w->at_leaf = mem_try_aligned((n + 1) * q, sizeof *w->at_leaf, err);
    w->part = mem_try_aligned(part, sizeof *w->part, err);
    w->left = mem_try_array(n, sizeof *w->left, err);
    w->passes = mem_try_array(2 * n, sizeof *w->passes, err);
    if (!w->inverse || !w->down || !w->up || !w->at_leaf || !w->part ||
        !w->left || !w->passes)
        return false;
    w->cap_numbers = n * q + 1;
    w->cap_nodes = n + 1;
    w->cap_part = part + 1;
    return true;
}

static bool
walk_set(struct walk *w, const struct forest *f, size_t tree, struct error *err)
{
    size_t q;

    if (!shap_tree_set(&w->tree, f, tree, err))
        return false;
    q = shap_rule_points(w->tree.deepest);
    if (q != w->rule.n) {
        shap_rule_fini(&w->rule);
        w->rule = (struct shap_rule){0};
        if (!shap_rule_init(&w->rule, q, err))
            return false;
    }
    if (!room_for_tree(w, err))
        return false;
    for (size_t e = 0; e < 2 * w->tree.n; e++)
        for (size_t k = 0; k < q; k++)
            w->inverse[e * q + k] =
                1 / (w->rule.t[k] + w->rule.rest[k] * w->tree.edge[e].z);
    return true;
}

/* The share of an edge's feature out of the sum of the leaves below it. */
static INLINE_ALWAYS double
share_of(const struct walk *w, int32_t edge, const double *sum, size_t q)
{
    const double *inverse = w->inverse + (size_t)edge * q;
    double out = 0;

    if (w->passes[edge]) {
        for (size_t k = 0; k < q; k++)
            out += sum[k] * inverse[k];
        return out * (1 - w->tree.edge[edge].z);
    }
    for (size_t k = 0; k < q; k++)
        out += sum[k] * w->rule.over[k];
    return -out;
}

static INLINE_ALWAYS void
give_share(const struct walk *w, int32_t edge, const double *sum, size_t q,
           const uint32_t *feature, double *phi)
{
    const struct shap_edge *e = &w->tree.edge[edge];
    double share = share_of(w, edge, sum, q);

    if (e->before >= 0)
        share -= share_of(w, e->before, sum, q);
    phi[feature[e->column]] += share;
}

/* The products behind an edge, from those before it. */
static INLINE_ALWAYS void
pass_edge(const struct walk *w, size_t edge, const double *from, double *to,
          size_t q)
{
    const struct shap_edge *e = &w->tree.edge[edge];
    const double *rest = w->rule.rest, *t = w->rule.t;

    if (e->before >= 0 && !w->passes[e->before]) {
        for (size_t k = 0; k < q; k++)
            to[k] = from[k] * e->share;
        return;
    }
    if (w->passes[edge])
        for (size_t k = 0; k < q; k++)
            to[k] = from[k] * (t[k] + rest[k] * e->z);
    else
        for (size_t k = 0; k < q; k++)
            to[k] = from[k] * (rest[k] * e->z);
    if (e->before >= 0) {
        const double *inverse = w->inverse + (size_t)e->before * q;

        for (size_t k = 0; k < q; k++)
            to[k] *= inverse[k];
    }
}

static INLINE_ALWAYS void
go_down(struct walk *w, size_t q, const uint32_t *feature, double *phi)
{
    const struct shap_tree *s = &w->tree;

    memcpy(w->down, w->rule.w, q * sizeof *w->down);
    for (size_t i = 0; i < s->n; i++) {
        double *up = w->up + i * q;

        for (size_t k = 0; k < q; k++)
            up[k] = 0;
        for (size_t right = 0; right < 2; right++) {
            size_t e = 2 * i + right;
            int16_t child = (right ? s->f->right : s->f->left)[s->first + i];
            int32_t before = s->edge[e].before;
            double *to = child >= 0 ? w->down + (size_t)child * q
                                    : w->at_leaf + (size_t)~child * q;

            w->passes[e] =
                (w->left[i] != right) & (before < 0 ? 1 : w->passes[before]);
            pass_edge(w, e, w->down + i * q, to, q);
            if (child >= 0)
                continue;
            for (size_t k = 0; k < q; k++) {
                to[k] *= (double)s->value[~child];
                up[k] += to[k];
            }
            give_share(w, (int32_t)e, to, q, feature, phi);
        }
    }
}

static INLINE_ALWAYS void
go_up(struct walk *w, size_t q, const uint32_t *feature, double *phi)
{
    const struct shap_tree *s = &w->tree;

    for (size_t i = s->n; i-- > 1;) {
        int32_t e = s->from[i];
        double *to, *sum = w->up + i * q;

        if (e < 0)
            continue; /* of a damaged file */
        to = w->up + (size_t)(e / 2) * q;
        give_share(w, e, sum, q, feature, phi);
        for (size_t k = 0; k < q; k++)
            to[k] += sum[k];
    }
}

static INLINE_ALWAYS void
explain_row(struct walk *w, size_t q, const uint32_t *feature, double *phi)
{
    go_down(w, q, feature, phi);
    go_up(w, q, feature, phi);
}

/* With the usual numbers of points known to the compiler. */
static void
explain(struct walk *w, const uint32_t *feature, double *phi)
{
    if (w->rule.n == 4)
        explain_row(w, 4, feature, phi);
    else if (w->rule.n == 8)
        explain_row(w, 8, feature, phi);
    else
        explain_row(w, w->rule.n, feature, phi);
}

/* ---- pairs ---- */

/* At a leaf, what a feature's factor is to be replaced by:  (o - z) / factor. */
static void
set_parts(struct walk *w, size_t leaf)
{
    const struct shap_tree *s = &w->tree;
    size_t q = w->rule.n, first = s->leaf_start[leaf];

    for (size_t j = first; j < s->leaf_start[leaf + 1]; j++) {
        uint32_t e = s->leaf_edge[j];
        double *part = w->part + (j - first) * q;

        for (size_t k = 0; k < q; k++)
            part[k] = w->passes[e] ? (1 - s->edge[e].z) * w->inverse[e * q + k]
                                   : -w->rule.over[k];
    }
}

/* Half of the effect of two features together to each of them. */
static void
add_pairs(struct walk *w, size_t leaf, const uint32_t *feature, double *out,
          size_t width)
{
    const struct shap_tree *s = &w->tree;
    size_t q = w->rule.n, first = s->leaf_start[leaf];
    const double *sum = w->at_leaf + leaf * q;

    for (size_t i = first; i < s->leaf_start[leaf + 1]; i++) {
        const double *a = w->part + (i - first) * q;
        uint32_t fi = feature[s->edge[s->leaf_edge[i]].column];

        for (size_t j = first; j < i; j++) {
            const double *b = w->part + (j - first) * q;
            uint32_t fj = feature[s->edge[s->leaf_edge[j]].column];
            double both = 0;

            if (fi == fj)
                continue;
            for (size_t k = 0; k < q; k++)
                both += sum[k] * a[k] * b[k];
            out[fi * width + fj] += both / 2;
            out[fj * width + fi] += both / 2;
        }
    }
}

void
shap_close_pairs(const double *phi, size_t n_features, double *out)
{
    size_t width = n_features + 1;

    for (size_t i = 0; i < n_features; i++) {
        double rest = phi[i];

        for (size_t j = 0; j < n_features; j++)
            if (j != i)
                rest -= out[i * width + j];
        out[i * width + i] = rest;
    }
    out[width * width - 1] = phi[n_features];
}

/* ---- all rows ---- */

/* Shares of rows begin..end-1 in tree t, whose place in the chunk's phi is
 * given where pairs want a place of their own. */
static void
add_tree(struct walk *w, const struct shap_job *j, size_t t, size_t begin,
         size_t end, double *phi)
{
    const struct attribution *a = j->a;
    size_t k = j->f->n_outputs, width = a->n_features + 1;

    for (size_t r = begin; r < end; r++) {
        double *out = shap_out(j, r, t % k);
        double *to = a->pairs ? phi + ((r - begin) * k + t % k) * width : out;

        to[a->n_features] += w->tree.expected;
        if (w->tree.n == 0)
            continue;
        shap_decide(&w->tree, j->place, w->x + (r - begin) * j->f->n_used,
                    w->left);
        explain(w, a->feature, to);
        for (size_t l = 0; a->pairs && l < w->tree.n_leaves; l++) {
            set_parts(w, l);
            add_pairs(w, l, a->feature, out, width);
        }
    }
}

static bool
explain_rows(struct walk *w, const struct shap_job *j, size_t begin, size_t end,
             double *phi, struct error *err)
{
    const struct attribution *a = j->a;
    size_t k = j->f->n_outputs, width = a->n_features + 1;

    shap_pull(j->f, a->rows, begin, end, w->x);
    for (size_t r = begin; r < end; r++)
        for (size_t c = 0; c < k; c++)
            (a->pairs ? phi + ((r - begin) * k + c) * width
                      : shap_out(j, r, c))[a->n_features] += j->f->base[c];
    for (size_t t = 0; t < j->f->n_trees; t++) {
        if (!walk_set(w, j->f, t, err) || !progress_check(a->progress, err))
            return false;
        add_tree(w, j, t, begin, end, phi);
    }
    for (size_t r = begin; a->pairs && r < end; r++)
        for (size_t c = 0; c < k; c++)
            shap_close_pairs(phi + ((r - begin) * k + c) * width, a->n_features,
                             shap_out(j, r, c));
    return true;
}

static bool
explain_some(void *ctx, size_t i, struct pool *alone, struct error *err)
{
    const struct shap_job *j = ctx;
    const struct attribution *a = j->a;
    size_t rows = design_rows(a->rows), begin = i * GRAIN;
    size_t k = j->f->n_outputs, n = rows - begin < GRAIN ? rows - begin : GRAIN;
    struct walk w = {0};
    double *phi = NULL;
    bool ok;

    (void)alone;
    w.x = mem_try_array(n * j->f->n_used, sizeof *w.x, err);
    phi = mem_try_array(a->pairs ? n * k * (a->n_features + 1) : 1, sizeof *phi,
                        err);
    ok = w.x && phi && explain_rows(&w, j, begin, begin + n, phi, err);
    if (ok)
        progress_add(a->progress, n * k);
    walk_fini(&w);
    free(phi);
    return ok;
}

bool
tree_shap(const struct forest *f, const struct attribution *a,
          struct error *err)
{
    uint32_t *place;
    struct shap_job j = {.f = f, .a = a};
    bool ok;

    if (design_cols(a->rows) != f->n_cols)
        return error_set(err, ERR_RANGE, "%zu columns, expected %zu",
                         design_cols(a->rows), f->n_cols);
    if (!a->background && !f->cover)
        return error_set(err, ERR_STATE,
                         "the model does not know how its training rows went, "
                         "so it needs background rows");
    if (!(place = mem_try_array(f->n_cols, sizeof *place, err)))
        return false;
    for (size_t u = 0; u < f->n_used; u++)
        place[f->used[u]] = (uint32_t)u;
    j.place = place;
    j.width = a->pairs ? (a->n_features + 1) * (a->n_features + 1)
                       : a->n_features + 1;
    ok = a->background
             ? shap_background(&j, err)
             : pool_each(a->pool, pool_chunks(design_rows(a->rows), GRAIN),
                         explain_some, &j, err);
    free(place);
    return ok;
}
