/* engine/trees/shap_background.c -- Shapley values against background rows.
 *
 * A row and a background row meet at a leaf only if every feature of its path
 * lets one of them pass.  Where a features let the row alone pass and b the
 * background row alone, each of the a has the share v (a-1)! b! / (a+b)!, each
 * of the b has -v a! (b-1)! / (a+b)!.
 *
 * Which features of a leaf's path let a row pass is a word of bits.  The
 * background rows of a leaf are the different words among them, with how often
 * they occur; and where a path is short and rows are many, the shares are made
 * once for every word that a row can have.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/shap_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    MAX_PATH = 64,  /* bits of a word */
    TABLE_PATH = 7, /* features of a path that has a table */
    TABLE_ROWS = 2, /* rows for each line of a table, at least */
    GROUP = 8,      /* trees laid out together */
    GRAIN = 64      /* rows */
};

struct pattern {
    uint64_t word;
    double share; /* of the background rows */
};

/* A tree with its background rows. */
struct ground {
    struct shap_tree tree;
    uint32_t *start;         /* by leaf: in pattern */
    struct pattern *pattern; /* room for leaves x background rows */
    size_t *table_start;     /* by leaf: in table; SIZE_MAX: none */
    double *table;           /* (words, features of the path) */
    double expected;
    size_t cap_leaves, cap_patterns, cap_table;
};

struct versus {
    struct shap_job *job;
    size_t n_rows, n_back;
    double *back;                   /* (background rows, used columns) */
    double (*weight)[MAX_PATH + 1]; /* [a][b]: a! b! / (a + b + 1)! */
    struct ground ground[GROUP];
    size_t first, n; /* the trees at hand */
};

static void
set_weights(struct versus *v)
{
    for (size_t b = 0; b <= MAX_PATH; b++)
        v->weight[0][b] = 1 / (double)(b + 1);
    for (size_t a = 1; a <= MAX_PATH; a++)
        for (size_t b = 0; b <= MAX_PATH; b++)
            v->weight[a][b] =
                v->weight[a - 1][b] * (double)a / (double)(a + b + 1);
}

/* ---- words ---- */

static unsigned
count_bits(uint64_t x)
{
    return (unsigned)__builtin_popcountll(x);
}

static unsigned
lowest_bit(uint64_t x)
{
    return (unsigned)__builtin_ctzll(x);
}

static size_t
path_of(const struct shap_tree *s, size_t leaf)
{
    return s->leaf_start[leaf + 1] - s->leaf_start[leaf];
}

/* The word of a row at every leaf; node: room for the nodes'. */
static void
find_words(const struct shap_tree *s, const uint8_t *left, uint64_t *node,
           uint64_t *leaf)
{
    node[0] = leaf[0] = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t right = 0; right < 2; right++) {
            const struct shap_edge *e = &s->edge[2 * i + right];
            int16_t child = (right ? s->f->right : s->f->left)[s->first + i];
            uint64_t bit = UINT64_C(1) << e->place;
            uint64_t word = s->from[i] < 0 ? 0 : node[i];

            if (left[i] == right)
                word &= ~bit;
            else if (e->before < 0)
                word |= bit;
            *(child >= 0 ? &node[child] : &leaf[~child]) = word;
        }
}

static int
by_word(const void *a, const void *b)
{
    uint64_t x = ((const struct pattern *)a)->word;
    uint64_t y = ((const struct pattern *)b)->word;

    return x < y ? -1 : x > y;
}

/* Sort n patterns and put the like together. */
static size_t
merge_patterns(struct pattern *p, size_t n)
{
    size_t m = 0;

    qsort(p, n, sizeof *p, by_word);
    for (size_t i = 0; i < n; i++) {
        if (m > 0 && p[m - 1].word == p[i].word)
            p[m - 1].share += p[i].share;
        else
            p[m++] = p[i];
    }
    return m;
}

/* ---- shares at a leaf ---- */

/* Of the features on the path of a leaf, for a row of this word; by place. */
static void
find_shares(const struct versus *v, const struct ground *g, size_t leaf,
            uint64_t word, double *out)
{
    size_t n = path_of(&g->tree, leaf);
    uint64_t all = n < MAX_PATH ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
    uint64_t fails = all & ~word;
    double value = (double)g->tree.value[leaf], loss = 0;

    for (size_t k = 0; k < n; k++)
        out[k] = 0;
    for (uint32_t i = g->start[leaf]; i < g->start[leaf + 1]; i++) {
        const struct pattern *p = &g->pattern[i];
        uint64_t alone = word & ~p->word;
        unsigned a, b;

        if (fails & ~p->word)
            continue;
        a = count_bits(alone);
        b = count_bits(fails);
        if (b > 0)
            loss += p->share * v->weight[a][b - 1];
        if (a == 0)
            continue;
        for (double w = p->share * v->weight[a - 1][b]; alone;
             alone &= alone - 1)
            out[lowest_bit(alone)] += w;
    }
    for (uint64_t rest = fails; rest; rest &= rest - 1)
        out[lowest_bit(rest)] = -loss;
    for (size_t k = 0; k < n; k++)
        out[k] *= value;
}

/* What two features do together at a leaf, half of it to each. */
static void
add_pairs(const struct versus *v, const struct ground *g, size_t leaf,
          uint64_t word, double *out)
{
    const struct attribution *a = v->job->a;
    const struct shap_tree *s = &g->tree;
    const uint32_t *edge = s->leaf_edge + s->leaf_start[leaf];
    size_t n = path_of(s, leaf), width = a->n_features + 1;
    uint64_t all = n < MAX_PATH ? (UINT64_C(1) << n) - 1 : UINT64_MAX;

    for (uint32_t i = g->start[leaf]; i < g->start[leaf + 1]; i++) {
        const struct pattern *p = &g->pattern[i];
        uint64_t row = word & ~p->word, back = p->word & ~word;
        unsigned n_row = count_bits(row), n_back = count_bits(back);
        double w = p->share * (double)s->value[leaf] / 2;

        if (all & ~word & ~p->word)
            continue;
        for (uint64_t x = row | back; x; x &= x - 1)
            for (uint64_t y = x & (x - 1); y; y &= y - 1) {
                unsigned j = lowest_bit(x), k = lowest_bit(y);
                uint32_t fj = a->feature[s->edge[edge[j]].column];
                uint32_t fk = a->feature[s->edge[edge[k]].column];
                bool in_j = row >> j & 1, in_k = row >> k & 1;
                double both = in_j != in_k
                                  ? -w * v->weight[n_row - 1][n_back - 1]
                              : in_j ? w * v->weight[n_row - 2][n_back]
                                     : w * v->weight[n_row][n_back - 2];

                if (fj == fk)
                    continue;
                out[fj * width + fk] += both;
                out[fk * width + fj] += both;
            }
    }
}

/* ---- laying out a group of trees ---- */

static void
ground_fini(struct ground *g)
{
    shap_tree_fini(&g->tree);
    free(g->start);
    free(g->pattern);
    free(g->table_start);
    free(g->table);
}

static bool
room_for_leaves(struct ground *g, size_t n_back, struct error *err)
{
    size_t leaves = g->tree.n_leaves, patterns;

    if (!mem_mul(leaves, n_back, &patterns) || patterns > UINT32_MAX)
        return error_set(err, ERR_NOMEM, "%zu background rows are too many",
                         n_back);
    if (leaves + 1 > g->cap_leaves) {
        free(g->start);
        free(g->table_start);
        g->cap_leaves = 0;
        g->start = mem_try_array(leaves + 1, sizeof *g->start, err);
        g->table_start = mem_try_array(leaves, sizeof *g->table_start, err);
        if (!g->start || !g->table_start)
            return false;
        g->cap_leaves = leaves + 1;
    }
    if (patterns > g->cap_patterns) {
        free(g->pattern);
        g->cap_patterns = 0;
        g->pattern = mem_try_array(patterns, sizeof *g->pattern, err);
        if (!g->pattern)
            return false;
        g->cap_patterns = patterns;
    }
    return true;
}

/* The words of all background rows, leaf after leaf. */
static bool
find_patterns(const struct versus *v, struct ground *g, struct error *err)
{
    const struct shap_tree *s = &g->tree;
    uint8_t *left = mem_try_array(s->n, 1, err);
    uint64_t *node = mem_try_array(s->n + 1, sizeof *node, err);
    uint64_t *leaf = mem_try_array(s->n_leaves, sizeof *leaf, err);
    bool ok = left && node && leaf;

    for (size_t r = 0; ok && r < v->n_back; r++) {
        shap_decide(s, v->job->place, v->back + r * v->job->f->n_used, left);
        find_words(s, left, node, leaf);
        for (size_t l = 0; l < s->n_leaves; l++)
            g->pattern[l * v->n_back + r] =
                (struct pattern){leaf[l], 1 / (double)v->n_back};
    }
    free(left);
    free(node);
    free(leaf);
    return ok;
}

static void
close_ranks(const struct versus *v, struct ground *g)
{
    size_t m = 0;

    g->expected = 0;
    for (size_t l = 0; l < g->tree.n_leaves; l++) {
        struct pattern *from = g->pattern + l * v->n_back;
        size_t n = merge_patterns(from, v->n_back);
        size_t path = path_of(&g->tree, l);
        uint64_t all = path < MAX_PATH ? (UINT64_C(1) << path) - 1 : UINT64_MAX;

        if (from[n - 1].word == all)
            g->expected += from[n - 1].share * (double)g->tree.value[l];
        memmove(g->pattern + m, from, n * sizeof *from);
        g->start[l] = (uint32_t)m;
        m += n;
    }
    g->start[g->tree.n_leaves] = (uint32_t)m;
}

static bool
fill_table(const struct versus *v, struct ground *g, struct error *err)
{
    size_t total = 0;

    for (size_t l = 0; l < g->tree.n_leaves; l++) {
        size_t n = path_of(&g->tree, l);
        bool pays =
            n <= TABLE_PATH && v->n_rows >= TABLE_ROWS * ((size_t)1 << n);

        g->table_start[l] = pays ? total : SIZE_MAX;
        total += pays ? n << n : 0;
    }
    if (total > g->cap_table) {
        free(g->table);
        g->cap_table = 0;
        if (!(g->table = mem_try_array(total, sizeof *g->table, err)))
            return false;
        g->cap_table = total;
    }
    for (size_t l = 0; l < g->tree.n_leaves; l++) {
        size_t n = path_of(&g->tree, l);

        if (g->table_start[l] != SIZE_MAX)
            for (uint64_t word = 0; word < UINT64_C(1) << n; word++)
                find_shares(v, g, l, word,
                            g->table + g->table_start[l] + word * n);
    }
    return true;
}

static bool
lay_out(const struct versus *v, struct ground *g, size_t t, struct error *err)
{
    if (!shap_tree_set(&g->tree, v->job->f, t, err))
        return false;
    if (g->tree.deepest > MAX_PATH)
        return error_set(err, ERR_LIMIT,
                         "a tree asks for %zu features on one way, at most %d: "
                         "explain it without background rows",
                         g->tree.deepest, MAX_PATH);
    if (!room_for_leaves(g, v->n_back, err) || !find_patterns(v, g, err))
        return false;
    close_ranks(v, g);
    return fill_table(v, g, err);
}

static bool
lay_out_tree(void *ctx, size_t i, struct pool *alone, struct error *err)
{
    struct versus *v = ctx;

    (void)alone;
    return lay_out(v, &v->ground[i], v->first + i, err);
}

/* ---- rows ---- */

static void
add_leaf(const struct versus *v, const struct ground *g, size_t leaf,
         uint64_t word, double *phi)
{
    const struct shap_tree *s = &g->tree;
    const uint32_t *edge = s->leaf_edge + s->leaf_start[leaf];
    size_t n = path_of(s, leaf);
    double made[MAX_PATH];
    const double *share = made;

    if (g->table_start[leaf] != SIZE_MAX)
        share = g->table + g->table_start[leaf] + word * n;
    else
        find_shares(v, g, leaf, word, made);
    for (size_t k = 0; k < n; k++)
        phi[v->job->a->feature[s->edge[edge[k]].column]] += share[k];
}

struct scratch {
    double *x, *phi;
    uint8_t *left;
    uint64_t *node, *leaf;
};

/* All trees at hand for one row.  phi: its shares, by output. */
static void
add_row(const struct versus *v, const struct scratch *room, const double *x,
        size_t row, double *phi)
{
    const struct attribution *a = v->job->a;
    size_t k = v->job->f->n_outputs, width = a->n_features + 1;

    for (size_t t = 0; t < v->n; t++) {
        const struct ground *g = &v->ground[t];
        size_t output = (v->first + t) % k;
        double *to = phi + output * width;

        to[a->n_features] += g->expected;
        shap_decide(&g->tree, v->job->place, x, room->left);
        find_words(&g->tree, room->left, room->node, room->leaf);
        for (size_t l = 0; l < g->tree.n_leaves; l++) {
            add_leaf(v, g, l, room->leaf[l], to);
            if (a->pairs)
                add_pairs(v, g, l, room->leaf[l],
                          shap_out(v->job, row, output));
        }
    }
}

static bool
scratch_init(const struct versus *v, size_t n, struct scratch *r,
             struct error *err)
{
    const struct shap_job *j = v->job;
    size_t leaves = 1;

    for (size_t t = 0; t < v->n; t++)
        if (v->ground[t].tree.n_leaves > leaves)
            leaves = v->ground[t].tree.n_leaves;
    r->x = mem_try_array(n * j->f->n_used, sizeof *r->x, err);
    r->left = mem_try_array(leaves, 1, err);
    r->node = mem_try_array(leaves, sizeof *r->node, err);
    r->leaf = mem_try_array(leaves, sizeof *r->leaf, err);
    r->phi = mem_try_array(
        j->a->pairs ? j->f->n_outputs * (j->a->n_features + 1) : 1,
        sizeof *r->phi, err);
    return r->x && r->left && r->node && r->leaf && r->phi;
}

/* Until the last tree a row's own shares, less what pairs have of them, gather
 * where they will be. */
static void
gather_own(const struct shap_job *j, size_t row, double *phi)
{
    size_t width = j->a->n_features + 1;

    for (size_t c = 0; c < j->f->n_outputs; c++) {
        double *out = shap_out(j, row, c);

        for (size_t i = 0; i < width; i++) {
            out[i * width + i] += phi[c * width + i];
            phi[c * width + i] = 0;
        }
    }
}

static bool
add_rows(void *ctx, size_t i, struct pool *alone, struct error *err)
{
    struct versus *v = ctx;
    struct shap_job *j = v->job;
    const struct attribution *a = j->a;
    struct scratch room = {NULL, NULL, NULL, NULL, NULL};
    size_t begin = i * GRAIN;
    size_t end = v->n_rows - begin < GRAIN ? v->n_rows : begin + GRAIN;
    bool ok = scratch_init(v, end - begin, &room, err);

    (void)alone;
    if (ok)
        shap_pull(j->f, a->rows, begin, end, room.x);
    for (size_t r = begin;
         ok && r < end && (ok = progress_check(a->progress, err)); r++) {
        double *phi = a->pairs ? room.phi : shap_out(j, r, 0);

        add_row(v, &room, room.x + (r - begin) * j->f->n_used, r, phi);
        if (a->pairs)
            gather_own(j, r, phi);
    }
    free(room.x);
    free(room.phi);
    free(room.left);
    free(room.node);
    free(room.leaf);
    return ok;
}

static void
close_row(double *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            if (k != i)
                out[i * (n + 1) + i] -= out[i * (n + 1) + k];
}

/* Take from each feature's own share what it has in pairs. */
static void
close_pairs(const struct shap_job *j, size_t n_rows)
{
    for (size_t r = 0; r < n_rows; r++)
        for (size_t c = 0; c < j->f->n_outputs; c++)
            close_row(shap_out(j, r, c), j->a->n_features);
}

static bool
versus_init(struct versus *v, struct error *err)
{
    const struct shap_job *j = v->job;

    v->n_rows = design_rows(j->a->rows);
    v->n_back = design_rows(j->a->background);
    if (v->n_back == 0)
        return error_set(err, ERR_RANGE, "no background rows");
    v->back = mem_try_array(v->n_back * j->f->n_used, sizeof *v->back, err);
    v->weight = mem_try_array(MAX_PATH + 1, sizeof *v->weight, err);
    if (!v->back || !v->weight)
        return false;
    set_weights(v);
    shap_pull(j->f, j->a->background, 0, v->n_back, v->back);
    for (size_t r = 0; r < v->n_rows; r++)
        for (size_t c = 0; c < j->f->n_outputs; c++)
            shap_out(j, r, c)[j->width - 1] += j->f->base[c];
    return true;
}

bool
shap_background(struct shap_job *j, struct error *err)
{
    struct versus v = {.job = j};
    const struct attribution *a = j->a;
    bool ok = versus_init(&v, err);

    for (v.first = 0; ok && v.first < j->f->n_trees; v.first += v.n) {
        size_t left = j->f->n_trees - v.first;

        v.n = left < GROUP ? left : GROUP;
        ok =
            pool_each(a->pool, v.n, lay_out_tree, &v, err) &&
            pool_each(a->pool, pool_chunks(v.n_rows, GRAIN), add_rows, &v, err);
        progress_add(a->progress,
                     v.n_rows * j->f->n_outputs * v.n / j->f->n_trees);
    }
    if (ok && a->pairs)
        close_pairs(j, v.n_rows);
    for (size_t t = 0; t < GROUP; t++)
        ground_fini(&v.ground[t]);
    free(v.back);
    free(v.weight);
    return ok;
}
