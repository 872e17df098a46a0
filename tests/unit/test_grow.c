/* One tree, grown best leaf first.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/trees/grow.h"
#include "tests/lib/close.h"

enum { MAX_COLS = 24 };

static const struct binned_rule usual = {255, 255, 0, 1, false};

struct fixture {
    size_t n, cols;
    double *x;
    struct design_column *column;
    struct design *d;
    struct binned *b;
    struct gradient *g;
};

/* Columns: the first is a category of 12, the second has missing values, the
 * others are numbers of `values` kinds; the hessian varies when uneven. */
static struct fixture
make(size_t n, size_t cols, unsigned values, bool uneven)
{
    struct fixture f = {.n = n, .cols = cols};
    struct error err;

    f.x = malloc(n * cols * sizeof *f.x);
    f.g = malloc(n * sizeof *f.g);
    f.column = calloc(MAX_COLS, sizeof *f.column);
    assert_true(f.x && f.g && f.column);
    for (size_t c = 0; c < cols; c++) {
        f.column[c] = (struct design_column){"x", c == 0 ? 12 : 0};
        for (size_t i = 0; i < n; i++) {
            double *x = &f.x[c * n + i];

            *x = (double)rng_below(1, c, i, c == 0 ? 12 : values);
            if (c == 1 && rng_below(2, c, i, 8) == 0)
                *x = NAN;
        }
    }
    for (size_t i = 0; i < n; i++) {
        double s = f.x[2 * n + i] / values - 0.4;

        if (f.x[i] < 5)
            s -= 0.3;
        if (isnan(f.x[n + i]))
            s += 0.5;
        s += 0.5 * rng_normal(3, 3, i);
        f.g[i].g = (float)s;
        f.g[i].h =
            uneven ? (float)(0.001 + 0.25 * pow(rng_unit(4, 4, i), 8)) : 1;
    }
    f.d = design_dense(f.x, n, cols, f.column, &err);
    assert_ok(f.d, err);
    f.b = binned_fit(f.d, &usual, NULL, NULL, &err);
    assert_ok(f.b, err);
    return f;
}

static void
drop(struct fixture *f)
{
    binned_free(f->b);
    design_free(f->d);
    free(f->column);
    free(f->x);
    free(f->g);
}

static struct grow_options
options(size_t leaves, unsigned depth)
{
    return (struct grow_options){
        .leaves = leaves,
        .max_depth = depth,
        .split = {.l2 = 1, .min_rows = 20, .level_rows = 1},
        .rate = 1};
}

struct grown {
    struct grower *grower;
    struct forest *forest;
};

static void
quantise(struct grown *r, const struct fixture *f,
         const struct hist_scale *scale)
{
    for (size_t i = 0; i < f->n; i++) {
        grower_rows(r->grower)[i] = (uint32_t)i;
        grower_quanta(r->grower)[i] =
            hist_quantise(scale, f->g[i], (uint32_t)i, 77);
    }
}

/* Another tree, of gradients the other way round. */
static void
grow_again(struct grown *r, const struct fixture *f)
{
    struct hist_scale scale = hist_scale(4, 0, 1);
    struct error err;

    for (size_t i = 0; i < f->n; i++) {
        struct gradient g = {f->g[f->n - 1 - i].g, f->g[i].h};

        grower_rows(r->grower)[i] = (uint32_t)i;
        grower_quanta(r->grower)[i] = hist_quantise(&scale, g, (uint32_t)i, 3);
    }
    assert_ok(grow_tree(r->grower, f->n, &scale, f->g, NULL, r->forest, &err),
              err);
}

static struct grown
grow(const struct fixture *f, const struct grow_options *o, struct pool *pool)
{
    struct grown r;
    struct error err;
    struct hist_scale scale;
    double base = 0;
    float max_g = 0, min_h = INFINITY, max_h = 0;

    r.grower = grower_new(f->b, o, pool, NULL, &err);
    assert_ok(r.grower, err);
    r.forest = tree_forest_new(f->b, &base, 1, &err);
    assert_ok(r.forest, err);
    for (size_t i = 0; i < f->n; i++) {
        max_g = fmaxf(max_g, fabsf(f->g[i].g));
        min_h = fminf(min_h, f->g[i].h);
        max_h = fmaxf(max_h, f->g[i].h);
    }
    scale = hist_scale(max_g, min_h, max_h);
    quantise(&r, f, &scale);
    assert_ok(grow_tree(r.grower, f->n, &scale, f->g, NULL, r.forest, &err),
              err);
    return r;
}

static void
drop_grown(struct grown *r)
{
    grower_free(r->grower);
    tree_forest_free(r->forest);
}

/* The forest as a file. */
static void
bytes_of(struct grown *r, struct buf *out)
{
    struct st_writer *w = st_writer_new();
    struct error err;

    buf_init(out);
    tree_save(r->forest, w);
    st_manifest(w, "{}");
    assert_ok(st_write(w, out, &err), err);
    st_writer_free(w);
}

static void
assert_same_bytes(struct grown *a, struct grown *b)
{
    struct buf x, y;

    bytes_of(a, &x);
    bytes_of(b, &y);
    assert_int_equal(x.len, y.len);
    assert_memory_equal(x.data, y.data, x.len);
    buf_fini(&x);
    buf_fini(&y);
}

/* ---- the plain version: doubles, all rows of all leaves, no histograms ---- */

struct plain_leaf {
    double gain;
    size_t col, n;
    uint64_t left; /* codes that go left */
    unsigned depth;
};

struct plain {
    const struct fixture *f;
    const struct grow_options *o;
    size_t *leaf_of;
    struct plain_leaf leaf[64];
    size_t n_leaves;
};

static double
term(double g, double h)
{
    return h + 1 > 0 ? g * g / (h + 1) : 0;
}

static void
plain_try(struct plain *p, size_t leaf, size_t col, uint64_t left)
{
    const struct fixture *f = p->f;
    double gl = 0, hl = 0, gt = 0, ht = 0, gain;
    size_t nl = 0, n = 0;
    uint8_t code;

    for (size_t i = 0; i < f->n; i++)
        if (p->leaf_of[i] == leaf) {
            binner_apply(f->b->binner[col], &f->x[col * f->n + i], 1, &code);
            gt += (double)f->g[i].g;
            ht += (double)f->g[i].h;
            n++;
            if (left >> code & 1) {
                gl += (double)f->g[i].g;
                hl += (double)f->g[i].h;
                nl++;
            }
        }
    if ((double)nl < p->o->split.min_rows ||
        (double)(n - nl) < p->o->split.min_rows)
        return;
    gain = 0.5 * (term(gl, hl) + term(gt - gl, ht - hl) - term(gt, ht));
    if (gain > p->leaf[leaf].gain + 1e-6) {
        p->leaf[leaf].gain = gain;
        p->leaf[leaf].col = col;
        p->leaf[leaf].left = left;
    }
}

static void
plain_search(struct plain *p, size_t leaf)
{
    struct plain_leaf *l = &p->leaf[leaf];

    l->gain = 0;
    if (p->o->max_depth > 0 && l->depth >= p->o->max_depth)
        return;
    for (size_t col = 1; col < p->f->cols; col++)
        for (unsigned k = 1; k <= binner_bins(p->f->b->binner[col]); k++) {
            uint64_t low = ((UINT64_C(2) << k) - 1) & ~UINT64_C(1);

            plain_try(p, leaf, col, low);
            plain_try(p, leaf, col, low | 1);
        }
}

/* Grow by the definition; returns the sum of G^2 / (H + 1) over the leaves. */
static double
grow_plainly(struct plain *p)
{
    const struct fixture *f = p->f;
    double sum = 0;

    p->leaf_of = calloc(f->n, sizeof *p->leaf_of);
    assert_non_null(p->leaf_of);
    p->n_leaves = 1;
    p->leaf[0].depth = 0;
    plain_search(p, 0);
    while (p->n_leaves < p->o->leaves) {
        size_t best = 0;
        struct plain_leaf *l;

        for (size_t i = 1; i < p->n_leaves; i++)
            if (p->leaf[i].gain > p->leaf[best].gain)
                best = i;
        l = &p->leaf[best];
        if (!(l->gain > 0))
            break;
        for (size_t i = 0; i < f->n; i++) {
            uint8_t code;

            if (p->leaf_of[i] != best)
                continue;
            binner_apply(f->b->binner[l->col], &f->x[l->col * f->n + i], 1,
                         &code);
            if (!(l->left >> code & 1))
                p->leaf_of[i] = p->n_leaves;
        }
        l->depth++;
        p->leaf[p->n_leaves].depth = l->depth;
        plain_search(p, best);
        plain_search(p, p->n_leaves++);
    }
    for (size_t k = 0; k < p->n_leaves; k++) {
        double g = 0, h = 0;

        for (size_t i = 0; i < f->n; i++)
            if (p->leaf_of[i] == k) {
                g += (double)f->g[i].g;
                h += (double)f->g[i].h;
            }
        sum += term(g, h);
    }
    return sum;
}

/* -g of a row summed over rows, weighted by its leaf value, is the same sum:
 * value = -G / (H + 1), so - sum g * value = sum G^2 / (H + 1). */
static double
sum_of_terms(const struct fixture *f, struct grown *r)
{
    double *score = calloc(f->n, sizeof *score), sum = 0;

    assert_non_null(score);
    grower_add_grown(r->grower, score, 1);
    for (size_t i = 0; i < f->n; i++)
        sum -= (double)f->g[i].g * score[i];
    free(score);
    return sum;
}

static void
check_against_plain(size_t leaves, unsigned depth, bool uneven)
{
    struct fixture f = make(400, 4, 20, uneven);
    struct grow_options o = options(leaves, depth);
    struct plain p = {.f = &f, .o = &o};
    struct grown r;
    struct error err;
    double want;

    /* The plain version knows numbers only: leave the category out. */
    f.column[0].n_levels = 0;
    for (size_t i = 0; i < f.n; i++)
        f.x[i] = 1;
    binned_free(f.b);
    f.b = binned_fit(f.d, &usual, NULL, NULL, &err);
    assert_ok(f.b, err);
    want = grow_plainly(&p);
    r = grow(&f, &o, NULL);
    assert_int_equal(grower_leaves(r.grower), p.n_leaves);
    assert_close(sum_of_terms(&f, &r), want, 1e-4);
    free(p.leaf_of);
    drop_grown(&r);
    drop(&f);
}

static void
test_tree_is_what_the_definition_gives(void **state)
{
    (void)state;
    check_against_plain(2, 0, false);
    check_against_plain(6, 0, false);  /* leaves run out */
    check_against_plain(40, 0, false); /* rows run out */
    check_against_plain(8, 3, false);  /* whole levels at a time */
    check_against_plain(5, 3, false);  /* both limits */
    check_against_plain(12, 0, true);
}

/* The value is the Newton step over exact gradients: by hand for one split. */
static void
test_values_are_exact_newton_steps(void **state)
{
    enum { N = 1000 };
    struct fixture f = make(N, 3, 10, true);
    struct grow_options o = options(2, 0);
    double *score = calloc(N, sizeof *score), g[2] = {0}, h[2] = {0}, v[2];
    struct grown r;
    size_t at = 0;

    (void)state;
    o.split.l1 = 0.5;
    o.rate = 0.1;
    r = grow(&f, &o, NULL);
    assert_int_equal(grower_leaves(r.grower), 2);
    grower_add_grown(r.grower, score, 1);
    v[0] = score[0];
    while (score[at] == v[0])
        at++;
    v[1] = score[at];
    for (size_t i = 0; i < N; i++) {
        size_t k = score[i] != v[0];

        assert_true(score[i] == v[k]);
        g[k] += (double)f.g[i].g;
        h[k] += (double)f.g[i].h;
    }
    for (size_t k = 0; k < 2; k++)
        assert_close(v[k], -copysign(fabs(g[k]) - 0.5, g[k]) / (h[k] + 1) * 0.1,
                     1e-7);
    drop_grown(&r);
    /* and no step is longer than max_delta */
    o.max_delta = 0.01;
    r = grow(&f, &o, NULL);
    memset(score, 0, N * sizeof *score);
    grower_add_grown(r.grower, score, 1);
    for (size_t i = 0; i < N; i++)
        assert_true(fabs(score[i]) <= 0.001 + 1e-9);
    drop_grown(&r);
    free(score);
    drop(&f);
}

/* Hessians that differ a thousandfold: the estimate of rows is wrong, the
 * limit holds all the same. */
static void
test_no_leaf_has_fewer_rows_than_min_rows(void **state)
{
    enum { N = 3000, LEAVES = 60 };
    struct fixture f = make(N, 8, 200, true);
    struct grow_options o = options(LEAVES, 0);
    double *score = calloc(N, sizeof *score);
    struct grown r;

    (void)state;
    for (double least = 1; least < 200; least *= 3) {
        o.split.min_rows = least;
        r = grow(&f, &o, NULL);
        memset(score, 0, N * sizeof *score);
        grower_add_grown(r.grower, score, 1);
        for (size_t i = 0; i < N; i++) {
            size_t same = 0;

            for (size_t k = 0; k < N && (double)same < least; k++)
                same += score[k] == score[i];
            assert_true((double)same >= least);
        }
        assert_true(grower_leaves(r.grower) > 10);
        drop_grown(&r);
    }
    free(score);
    drop(&f);
}

/* More rows than a narrow histogram holds, and leaves of both widths. */
static void
test_threads_do_not_change_the_tree(void **state)
{
    static const unsigned threads[] = {2, 3, 7};
    struct fixture f = make(90000, 12, 300, true);
    struct grow_options o = options(40, 0);

    (void)state;
    for (unsigned depth = 0; depth <= 5; depth += 5) {
        struct grown one, many;

        o.max_depth = depth;
        one = grow(&f, &o, NULL);
        assert_int_equal(grower_leaves(one.grower), depth ? 32 : 40);
        for (size_t t = 0; t < 3; t++) {
            struct pool *pool = pool_new(threads[t]);

            many = grow(&f, &o, pool);
            assert_same_bytes(&one, &many);
            drop_grown(&many);
            pool_free(pool);
        }
        drop_grown(&one);
    }
    drop(&f);
}

/* Histograms that were given up are counted again, to the same sums, and waves
 * of fewer leaves take them in the same turns. */
static void
test_little_memory_gives_the_same_tree(void **state)
{
    struct fixture f = make(6000, 12, 100, true);

    (void)state;
    for (size_t bytes = 1; bytes < 1 << 20; bytes += 75000) {
        struct grow_options o = options(64, bytes % 4 == 1 ? 0 : 7);
        struct grown much = grow(&f, &o, NULL), little;

        o.hist_bytes = bytes;
        little = grow(&f, &o, NULL);
        assert_same_bytes(&much, &little);
        /* and once more, with what the trees before left behind */
        for (int again = 0; again < 4; again++) {
            grow_again(&much, &f);
            grow_again(&little, &f);
        }
        assert_same_bytes(&much, &little);
        drop_grown(&little);
        drop_grown(&much);
    }
    drop(&f);
}

/* Leaves that are counted anew while they are searched: numbers and categories,
 * slots of a bundle, splits that turn out too small, shares of the columns. */
static void
check_without_hists(struct fixture *f, struct grow_options *o)
{
    struct pool *pool = pool_new(3);
    struct grown kept, one, many;

    o->hists = GROW_HISTS_KEPT;
    kept = grow(f, o, NULL);
    o->hists = GROW_HISTS_NONE;
    one = grow(f, o, NULL);
    many = grow(f, o, pool);
    assert_true(grower_leaves(kept.grower) > 10);
    for (int again = 0; again < 3; again++) {
        assert_same_bytes(&kept, &one);
        assert_same_bytes(&kept, &many);
        grow_again(&kept, f);
        grow_again(&one, f);
        grow_again(&many, f);
    }
    drop_grown(&kept);
    drop_grown(&one);
    drop_grown(&many);
    pool_free(pool);
}

static void
test_trees_need_no_histograms_to_be_kept(void **state)
{
    const struct binned_rule bundles = {255, 255, 0, 1, true};
    struct fixture f = make(6000, 12, 100, true);
    struct grow_options o = options(64, 0);
    struct error err;

    (void)state;
    check_without_hists(&f, &o);
    o.split.uneven = true;
    o.node_share = 0.3;
    o.by_level = true;
    check_without_hists(&f, &o);
    drop(&f);

    /* Of every row one of eight columns is on. */
    f = make(3000, 12, 100, false);
    for (size_t i = 0; i < f.n; i++)
        for (size_t c = 2; c < 10; c++)
            f.x[c * f.n + i] = c - 2 == i * 7 % 11 ? (double)(1 + i % 3) : 0;
    binned_free(f.b);
    f.b = binned_fit(f.d, &bundles, NULL, NULL, &err);
    assert_ok(f.b, err);
    assert_true(f.b->n_places < f.b->n_slots);
    o = options(40, 0);
    check_without_hists(&f, &o);
    drop(&f);
}

static void
check_twin(const char *without)
{
    struct fixture f = make(5000, 12, 250, true);
    struct grow_options o = options(31, 0);
    struct grown fast = grow(&f, &o, NULL), plain;

    setenv(without, "1", 1);
    plain = grow(&f, &o, NULL);
    unsetenv(without);
    assert_same_bytes(&fast, &plain);
    drop_grown(&fast);
    drop_grown(&plain);
    drop(&f);
}

static void
test_plain_twins_grow_the_same_tree(void **state)
{
    (void)state;
    if (!cpu_has_avx2())
        skip();
    check_twin("LATHE_NO_AVX512");
    check_twin("LATHE_NO_AVX2");
}

/* Rows as grown, as coded and as values reach the same leaf. */
static void
test_codes_and_values_reach_the_same_leaf(void **state)
{
    enum { N = 5003 };
    struct fixture f = make(N, 10, 400, true);
    struct grow_options o = options(50, 0);
    struct grown r = grow(&f, &o, NULL);
    double *grown = calloc(N, sizeof *grown), *coded = calloc(N, sizeof *coded);
    double *valued = calloc(N, sizeof *valued);
    struct error err;

    (void)state;
    assert_true(grown && coded && valued);
    grower_add_grown(r.grower, grown, 1);
    grower_add_coded(r.grower, f.b, 0, N, coded, 1);
    assert_ok(tree_seal(r.forest, &err), err);
    assert_ok(tree_score(r.forest, f.d, NULL, valued, &err), err);
    assert_memory_equal(grown, coded, N * sizeof *grown);
    assert_memory_equal(grown, valued, N * sizeof *grown);
    free(grown);
    free(coded);
    free(valued);
    drop_grown(&r);
    drop(&f);
}

static void
test_inactive_slots_are_not_split(void **state)
{
    struct fixture f = make(2000, 5, 30, false);
    struct grow_options o = options(20, 0);
    struct grown r = grow(&f, &o, NULL);
    struct error err;
    struct hist_scale scale = hist_scale(4, 1, 1);
    bool active[5] = {false};

    (void)state;
    for (size_t s = 0; s < f.b->n_slots; s++)
        active[s] = f.b->slot[s].col == 3;
    quantise(&r, &f, &scale);
    assert_ok(grow_tree(r.grower, f.n, &scale, f.g, active, r.forest, &err),
              err);
    assert_int_equal(r.forest->n_trees, 2);
    assert_true(r.forest->node_start[2] > r.forest->node_start[1]);
    for (size_t i = r.forest->node_start[1]; i < r.forest->n_nodes; i++)
        assert_int_equal(r.forest->feature[i], 3);
    drop_grown(&r);
    drop(&f);
}

/* By level: no node is deeper by two than a leaf that gains; with room for all
 * leaves of the depth the tree is that of best first. */
static void
test_levels_are_grown_one_after_the_other(void **state)
{
    struct fixture f = make(40000, 8, 200, true);
    struct grow_options o = options(23, 0);
    struct pool *pool = pool_new(3);
    struct grown one, many;
    unsigned depth[64] = {0}, deepest = 0;

    (void)state;
    o.by_level = true;
    one = grow(&f, &o, NULL);
    many = grow(&f, &o, pool);
    assert_same_bytes(&one, &many);
    assert_int_equal(grower_leaves(one.grower), 23);
    for (size_t i = 0; i < one.forest->n_nodes; i++) {
        int16_t child[2] = {one.forest->left[i], one.forest->right[i]};

        for (size_t k = 0; k < 2; k++)
            if (child[k] >= 0)
                depth[child[k]] = depth[i] + 1;
        deepest = depth[i] > deepest ? depth[i] : deepest;
        assert_true(i == 0 || depth[i] >= depth[i - 1]);
    }
    assert_int_equal(deepest, 4); /* 16 leaves fill it, 32 would the next */
    drop_grown(&one);
    drop_grown(&many);
    o = options(16, 4);
    many = grow(&f, &o, pool);
    o.by_level = true;
    one = grow(&f, &o, NULL);
    assert_int_equal(grower_leaves(one.grower), 16);
    assert_close(sum_of_terms(&f, &one), sum_of_terms(&f, &many), 1e-12);
    drop_grown(&one);
    drop_grown(&many);
    pool_free(pool);
    drop(&f);
}

/* Columns that are used at each level, or in all of the tree. */
static void
count_used(const struct forest *f, size_t *by_level, size_t *all)
{
    bool used[64][MAX_COLS] = {{false}}, any[MAX_COLS] = {false};
    unsigned depth[64] = {0};

    memset(by_level, 0, 64 * sizeof *by_level);
    *all = 0;
    for (size_t i = 0; i < f->n_nodes; i++) {
        int16_t child[2] = {f->left[i], f->right[i]};
        uint16_t c = f->feature[i];

        for (size_t k = 0; k < 2; k++)
            if (child[k] >= 0)
                depth[child[k]] = depth[i] + 1;
        by_level[depth[i]] += !used[depth[i]][c];
        *all += !any[c];
        used[depth[i]][c] = any[c] = true;
    }
}

static void
test_columns_are_drawn_by_level_and_by_node(void **state)
{
    struct fixture f = make(40000, 12, 200, true);
    struct grow_options o = options(32, 5);
    struct pool *pool = pool_new(2);
    size_t by_level[64], all;
    struct grown one, many;

    (void)state;
    o.level_share = 0.05; /* one of twelve */
    one = grow(&f, &o, NULL);
    many = grow(&f, &o, pool);
    assert_same_bytes(&one, &many);
    count_used(one.forest, by_level, &all);
    for (size_t d = 0; d < 5; d++)
        assert_int_equal(by_level[d], 1);
    assert_true(all > 1);
    drop_grown(&one);
    drop_grown(&many);
    o.level_share = 1;
    o.node_share = 0.05;
    o.hist_bytes = 1;
    one = grow(&f, &o, NULL);
    o.hist_bytes = 0;
    many = grow(&f, &o, pool);
    assert_same_bytes(&one, &many);
    count_used(one.forest, by_level, &all);
    assert_true(by_level[4] > 3 && all > 6);
    drop_grown(&one);
    drop_grown(&many);
    pool_free(pool);
    drop(&f);
}

/* Columns 0, 2 and 4 may meet, and 4 and 5; the others stand alone. */
static void
test_columns_meet_within_their_groups_only(void **state)
{
    const uint64_t group[] = {1 | 4 | 16, 16 | 32};
    struct fixture f = make(40000, 8, 200, true);
    struct grow_options o = options(60, 0);
    uint64_t way[64] = {0};
    struct grown r;
    size_t together = 0;

    (void)state;
    o.group = group;
    o.n_groups = 2;
    r = grow(&f, &o, NULL);
    for (size_t i = 0; i < r.forest->n_nodes; i++) {
        int16_t child[2] = {r.forest->left[i], r.forest->right[i]};
        uint64_t in = way[i] | UINT64_C(1) << r.forest->feature[i];

        assert_true((in & ~group[0]) == 0 || (in & ~group[1]) == 0 ||
                    (in & (in - 1)) == 0);
        together += (in & (in - 1)) != 0;
        for (size_t k = 0; k < 2; k++)
            if (child[k] >= 0)
                way[child[k]] = in;
    }
    assert_true(together > 5);
    drop_grown(&r);
    drop(&f);
}

/* What the tree says of rows that differ in one column only. */
static void
check_trend(const struct fixture *f, struct grown *r, size_t col, int sign)
{
    enum { STEPS = 60 };
    double x[STEPS * MAX_COLS], out[STEPS];
    struct error err;

    for (size_t row = 0; row < f->n; row += f->n / 50) {
        struct design *d;

        for (size_t c = 0; c < f->cols; c++)
            for (size_t i = 0; i < STEPS; i++)
                x[c * STEPS + i] =
                    c == col ? (double)i * 4 : f->x[c * f->n + row];
        d = design_dense(x, STEPS, f->cols, f->column, &err);
        assert_ok(d, err);
        assert_ok(tree_score(r->forest, d, NULL, out, &err), err);
        for (size_t i = 1; i < STEPS; i++)
            assert_true(sign * (out[i] - out[i - 1]) >= 0);
        design_free(d);
    }
}

static void
test_trends_hold_everywhere(void **state)
{
    int8_t trend[8] = {0, 0, -1, 0, 1, 0, 0, 0};
    struct fixture f = make(20000, 8, 240, true);
    struct grow_options o = options(60, 0);
    struct pool *pool = pool_new(2);
    struct error err;
    double free_sum;
    struct grown r, many;

    (void)state;
    r = grow(&f, &o, NULL);
    free_sum = sum_of_terms(&f, &r);
    drop_grown(&r);
    for (int turn = 0; turn < 2; turn++) {
        size_t used = 0;

        o.trend = trend;
        o.by_level = turn;
        r = grow(&f, &o, NULL);
        many = grow(&f, &o, pool);
        assert_same_bytes(&r, &many);
        for (size_t i = 0; i < r.forest->n_nodes; i++)
            used += r.forest->feature[i] == 4;
        assert_true(used > 0); /* the trend is tried, not the column avoided */
        assert_true(sum_of_terms(&f, &r) < free_sum);
        assert_ok(tree_seal(r.forest, &err), err);
        check_trend(&f, &r, 2, -1);
        check_trend(&f, &r, 4, 1);
        drop_grown(&r);
        drop_grown(&many);
        trend[2] = 1; /* against what the gradients say: all the same */
        trend[4] = 0;
        o.by_level = true;
        r = grow(&f, &o, NULL);
        assert_ok(tree_seal(r.forest, &err), err);
        check_trend(&f, &r, 2, 1);
        drop_grown(&r);
        trend[2] = -1;
        trend[4] = 1;
    }
    pool_free(pool);
    drop(&f);
}

static void
test_no_memory_is_an_error_at_every_allocation(void **state)
{
    struct fixture f = make(100, 4, 10, false);
    struct grow_options o = options(8, 0);
    struct error err;
    double base = 0;
    bool done = false;

    (void)state;
    for (unsigned long n = 1; !done; n++) {
        struct grower *g;
        struct forest *forest = NULL;
        struct hist_scale scale = hist_scale(1, 1, 1);

        mem_fault_arm(n, true);
        g = grower_new(f.b, &o, NULL, NULL, &err);
        if (g)
            forest = tree_forest_new(f.b, &base, 1, &err);
        done = forest && grow_tree(g, f.n, &scale, f.g, NULL, forest, &err) &&
               tree_seal(forest, &err);
        mem_fault_arm(0, false);
        if (!done)
            assert_int_equal(err.code, ERR_NOMEM);
        grower_free(g);
        tree_forest_free(forest);
        assert_true(n < 200);
    }
    drop(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree_is_what_the_definition_gives),
        cmocka_unit_test(test_values_are_exact_newton_steps),
        cmocka_unit_test(test_no_leaf_has_fewer_rows_than_min_rows),
        cmocka_unit_test(test_threads_do_not_change_the_tree),
        cmocka_unit_test(test_little_memory_gives_the_same_tree),
        cmocka_unit_test(test_trees_need_no_histograms_to_be_kept),
        cmocka_unit_test(test_plain_twins_grow_the_same_tree),
        cmocka_unit_test(test_codes_and_values_reach_the_same_leaf),
        cmocka_unit_test(test_inactive_slots_are_not_split),
        cmocka_unit_test(test_levels_are_grown_one_after_the_other),
        cmocka_unit_test(test_columns_are_drawn_by_level_and_by_node),
        cmocka_unit_test(test_columns_meet_within_their_groups_only),
        cmocka_unit_test(test_trends_hold_everywhere),
        cmocka_unit_test(test_no_memory_is_an_error_at_every_allocation),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
