/* engine/trees/boost_line.c -- lines in the leaves of the tree just grown.
 *
 * In a leaf the loss is, to the second order, a weighted square: of the targets
 * -g / h with the weights h.  So a line over the columns that were asked on the
 * way to it is a ridge regression: columns are brought to mean 0 and deviation 1
 * within the leaf, and with Z and the penalty p
 *
 *     (Z' H Z + p I) b = -Z' g        base = -G / H
 *
 * Rows that miss one of the columns are left out, and answered by the constant.
 * Source: Shi et al., "Gradient boosting with piece-wise linear regression
 *         trees", IJCAI 2019.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/trees/boost.h"
#include "engine/trees/tree_state.h"

enum { MOST = 16 }; /* columns of a line: the nearest ones to the leaf */

struct line {
    size_t n;
    uint32_t col[MOST];
    double term[MOST];
    double base;
};

struct boost_lines {
    double *x, *valid; /* by column: n rows, of the numbers */
    uint16_t *leaf;    /* by row; those of either part in turn */
    uint32_t *row;     /* rows that the tree was grown on, by leaf */
    size_t *start;     /* of a leaf's */
    size_t n_leaves;
    struct line *line;
};

void
boost_lines_free(struct boost_lines *l)
{
    if (!l)
        return;
    free(l->x);
    free(l->valid);
    free(l->leaf);
    free(l->row);
    free(l->start);
    free(l->line);
    free(l);
}

struct pull {
    const struct design *d;
    double *x;
};

static void
pull_columns(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct pull *j = ctx;
    size_t n = design_rows(j->d);

    (void)chunk;
    for (size_t c = begin; c < end; c++)
        design_pull(j->d, c, 0, n, j->x + c * n);
}

static double *
pull_all(const struct design *d, struct pool *pool, struct error *err)
{
    size_t cells;
    struct pull j = {.d = d};

    if (!mem_mul(design_rows(d), design_cols(d), &cells)) {
        error_set(err, ERR_NOMEM, "%zu rows of %zu columns do not fit",
                  design_rows(d), design_cols(d));
        return NULL;
    }
    if ((j.x = mem_try_array(cells, sizeof *j.x, err)))
        pool_for(pool, design_cols(d), 1, pull_columns, &j);
    return j.x;
}

bool
boost_make_lines(struct boost *s, struct error *err)
{
    size_t leaves = s->rule.grow.leaves + 1;
    size_t n_valid = design_rows(s->d->valid);
    struct boost_lines *l;

    if (!s->rule.lines)
        return true;
    if (!(s->lines = l = mem_try_array(1, sizeof *l, err)))
        return false;
    l->x = pull_all(s->d->train, s->ctx->pool, err);
    l->valid = l->x ? pull_all(s->d->valid, s->ctx->pool, err) : NULL;
    if (!l->valid)
        return false;
    l->leaf =
        mem_try_array(s->n > n_valid ? s->n : n_valid, sizeof *l->leaf, err);
    l->row = mem_try_array(s->n, sizeof *l->row, err);
    l->start = mem_try_array(leaves + 1, sizeof *l->start, err);
    l->line = mem_try_array(leaves, sizeof *l->line, err);
    return l->leaf && l->row && l->start && l->line;
}

/* ---- a tree ---- */

/* The numbers that are asked on the way to each leaf, the nearest first. */
static void
find_columns(const struct forest *f, struct line *line)
{
    size_t t = f->n_trees - 1, start = f->node_start[t];
    size_t n = f->node_start[t + 1] - start;

    for (size_t i = n; i-- > 0;)
        for (int side = 0; side < 2; side++) {
            int32_t child = (side ? f->right : f->left)[start + i];

            if (child < 0)
                line[~child].n = 0;
        }
    /* Upwards from each node: children stand behind their parents. */
    for (size_t i = n; i-- > 0;)
        for (int side = 0; side < 2; side++) {
            int32_t child = (side ? f->right : f->left)[start + i];
            int32_t node = (int32_t)i;

            if (child >= 0)
                continue;
            while (node >= 0) {
                struct line *to = &line[~child];
                uint32_t col = tree_feature(f, start + (size_t)node);
                bool new = !(f->flags[start + (size_t)node] & TREE_CATEGORY);
                int32_t up = node - 1;

                for (size_t k = 0; k < to->n; k++)
                    new &= to->col[k] != col;
                if (new && to->n < MOST)
                    to->col[to->n++] = col;
                while (up >= 0 && f->left[start + (size_t)up] != node &&
                       f->right[start + (size_t)up] != node)
                    up--;
                node = up;
            }
        }
}

static void
sort_rows(struct boost *s)
{
    struct boost_lines *l = s->lines;
    size_t *start = l->start;

    memset(start, 0, (l->n_leaves + 2) * sizeof *start);
    for (size_t i = 0; i < s->n_sample; i++)
        start[l->leaf[s->sample ? s->sample[i] : i] + 2]++;
    for (size_t k = 2; k <= l->n_leaves; k++)
        start[k] += start[k - 1];
    for (size_t i = 0; i < s->n_sample; i++) {
        uint32_t row = s->sample ? s->sample[i] : (uint32_t)i;

        l->row[start[l->leaf[row] + 1]++] = row;
    }
}

/* Sums over the rows of a leaf that miss nothing. */
struct sums {
    double g, h, rows;
    double mean[MOST], sd[MOST];
    double zz[MOST][MOST], zg[MOST];
};

static bool
is_whole(const double *x, const struct line *l, size_t n, size_t row)
{
    for (size_t k = 0; k < l->n; k++)
        if (!isfinite(x[l->col[k] * n + row]))
            return false;
    return true;
}

static void
sum_leaf(const struct boost *s, size_t leaf, const struct line *l,
         struct sums *m)
{
    const struct boost_lines *b = s->lines;

    memset(m, 0, sizeof *m);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = b->start[leaf]; i < b->start[leaf + 1]; i++) {
            uint32_t row = b->row[i];
            double g = (double)s->plane[row].g, h = (double)s->plane[row].h;
            double z[MOST];

            if (!is_whole(b->x, l, s->n, row))
                continue;
            if (pass == 0) {
                m->g += g;
                m->h += h;
                m->rows++;
            }
            for (size_t k = 0; k < l->n; k++) {
                z[k] = b->x[l->col[k] * s->n + row] - m->mean[k];
                m->zg[k] += z[k] * g;
                for (size_t q = 0; q <= k; q++)
                    m->zz[k][q] += h * z[k] * z[q];
                if (pass == 0)
                    m->sd[k] += h * z[k];
            }
        }
        if (pass > 0 || !(m->h > 0))
            break;
        for (size_t k = 0; k < l->n; k++) {
            m->mean[k] = m->sd[k] / m->h;
            m->zg[k] = 0;
            memset(m->zz[k], 0, sizeof m->zz[k]);
        }
    }
    for (size_t k = 0; k < l->n; k++)
        m->sd[k] = m->h > 0 ? sqrt(m->zz[k][k] / m->h) : 0;
}

/* Solve the ridge by Cholesky's way; false where columns tell nothing. */
static bool
solve(struct sums *m, size_t n, double penalty, double *out)
{
    double(*a)[MOST] = m->zz;

    if (!(m->h > 0))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!(m->sd[i] > 0) || !isfinite(1 / m->sd[i]))
            return false;
        out[i] = -m->zg[i] / m->sd[i];
        for (size_t j = 0; j <= i; j++)
            a[i][j] /= m->sd[i] * m->sd[j];
        a[i][i] += penalty;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double v = a[i][j];

            for (size_t k = 0; k < j; k++)
                v -= a[i][k] * a[j][k];
            if (i == j && !(v > 1e-9 * m->h))
                return false;
            a[i][j] = i == j ? sqrt(v) : v / a[j][j];
        }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            out[i] -= a[i][k] * out[k];
        out[i] /= a[i][i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            out[i] -= a[k][i] * out[k];
        out[i] /= a[i][i];
    }
    return true;
}

static void
fit_leaves(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct boost *s = ctx;
    double rate = s->rule.grow.rate;

    (void)chunk;
    for (size_t leaf = begin; leaf < end; leaf++) {
        struct line *l = &s->lines->line[leaf];
        struct sums m;
        size_t n = l->n;

        sum_leaf(s, leaf, l, &m);
        if (n == 0 || m.rows < (double)n + 2 ||
            !solve(&m, n, s->rule.line_l2, l->term)) {
            l->n = 0;
            continue;
        }
        l->base = -m.g / (m.h + s->rule.grow.split.l2) * rate;
        for (size_t k = 0; k < n; k++) {
            l->term[k] *= rate / m.sd[k];
            l->base -= l->term[k] * m.mean[k];
            if (!isfinite(l->term[k]) || !isfinite(l->base))
                l->n = 0;
        }
    }
}

bool
boost_fit_lines(struct boost *s, struct error *err)
{
    struct boost_lines *l = s->lines;
    struct forest *f = s->forest;
    size_t n = grower_leaves(s->grower), terms = 0, first;

    if (!l)
        return true;
    l->n_leaves = n;
    memset(l->line, 0, n * sizeof *l->line);
    grower_leaf_of(s->grower, l->leaf);
    find_columns(f, l->line);
    sort_rows(s);
    pool_for(s->ctx->pool, n, 1, fit_leaves, s);
    for (size_t i = 0; i < n; i++)
        terms += l->line[i].n;
    first = f->leaf_start[f->n_trees - 1];
    if (!f->line_start) {
        if (!tree_room_for_lines(f, f->n_leaves, terms, err))
            return false;
        for (size_t i = 0; i < first; i++)
            tree_add_line(f, i, 0, NULL, NULL, 0);
    } else if (!tree_room_for_lines(f, f->n_leaves, terms, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++)
        tree_add_line(f, first + i, l->line[i].base, l->line[i].col,
                      l->line[i].term, l->line[i].n);
    return true;
}

/* ---- scores ---- */

struct add_job {
    struct boost *s;
    const struct binned *b;
    const double *x;
    double *score;
};

static void
add_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct add_job *j = ctx;
    const struct boost *s = j->s;
    const struct forest *f = s->forest;
    size_t first = f->leaf_start[f->n_trees - 1];

    (void)chunk;
    grower_leaf_coded(s->grower, j->b, begin, end, s->lines->leaf);
    for (size_t i = begin; i < end; i++)
        j->score[i * s->k] += tree_leaf_value(f, first + s->lines->leaf[i],
                                              j->x + i, j->b->n_rows);
}

void
boost_add_lines(struct boost *s, size_t output)
{
    struct add_job j = {s, s->train, s->lines->x, s->score + output};

    pool_for(s->ctx->pool, s->n, BOOST_GRAIN, add_rows, &j);
    if (!s->valid)
        return;
    j.b = s->valid;
    j.x = s->lines->valid;
    j.score = s->valid_score + output;
    pool_for(s->ctx->pool, s->valid->n_rows, BOOST_GRAIN, add_rows, &j);
}
