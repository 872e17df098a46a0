/* Shapley values of trees, against the definition: all subsets.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/trees/shap.h"
#include "tests/lib/close.h"

enum { COLS = 6, LEVELS = 5, CATEGORY = 2, LEAVES = 24, ROWS = 40, BACK = 9 };

/* ---- forests grown at random ---- */

struct fixture {
    struct forest f;
    struct design_column column[128];
    double *x, *back;
    struct design *rows, *background;
    uint32_t feature[128];
    size_t n_cols;
};

static void *
room(size_t n, size_t size)
{
    void *p = calloc(n + 1, size);

    assert_non_null(p);
    return p;
}

static void
forest_init(struct fixture *x, size_t n_trees, size_t leaves, size_t n_outputs)
{
    struct forest *f = &x->f;
    uint64_t levels = x->n_cols > CATEGORY ? LEVELS : 0;

    *f = (struct forest){.n_cols = x->n_cols, .n_outputs = n_outputs};
    f->node_start = room(n_trees + 1, sizeof *f->node_start);
    f->leaf_start = room(n_trees + 1, sizeof *f->leaf_start);
    f->feature = room(n_trees * leaves, sizeof *f->feature);
    f->threshold = room(n_trees * leaves, sizeof *f->threshold);
    f->left = room(n_trees * leaves, sizeof *f->left);
    f->right = room(n_trees * leaves, sizeof *f->right);
    f->flags = room(n_trees * leaves, 1);
    f->value = room(n_trees * leaves, sizeof *f->value);
    f->cover = room(n_trees * leaves, sizeof *f->cover);
    f->set = room(n_trees * leaves * TREE_SET_WORDS, sizeof *f->set);
    f->level_start = room(x->n_cols + 1, sizeof *f->level_start);
    f->level_code = room(levels, sizeof *f->level_code);
    f->gain = room(x->n_cols, sizeof *f->gain);
    f->base = room(n_outputs, sizeof *f->base);
    for (size_t c = CATEGORY + 1; c <= x->n_cols && levels; c++)
        f->level_start[c] = LEVELS;
    for (size_t l = 0; l < levels; l++) {
        f->level_code[l] = (uint16_t)((l + 1) % LEVELS);
        x->column[CATEGORY].n_levels = LEVELS;
    }
    for (size_t c = 0; c < n_outputs; c++)
        f->base[c] = 0.25 + (double)c;
}

static void
random_node(struct fixture *x, size_t node, uint64_t seed, uint64_t draw)
{
    struct forest *f = &x->f;
    size_t c = rng_below(seed, 1, draw, x->n_cols);

    f->feature[node] = (uint16_t)c;
    f->flags[node] = rng_below(seed, 2, draw, 2) ? TREE_MISSING_LEFT : 0;
    f->threshold[node] = rng_normal(seed, 3, draw);
    if (x->column[c].n_levels == 0)
        return;
    f->flags[node] |= TREE_CATEGORY;
    f->threshold[node] = (double)f->n_sets;
    f->set[f->n_sets++ * TREE_SET_WORDS] = rng_below(seed, 4, draw, 32);
}

/* Split random leaves; `chain` always the newest one. */
static void
random_tree(struct fixture *x, size_t leaves, bool chain, uint64_t seed)
{
    struct forest *f = &x->f;
    size_t first = f->n_nodes, leaf = f->n_leaves;
    int16_t *parent = room(leaves, sizeof *parent);
    bool *is_left = room(leaves, sizeof *is_left);

    parent[0] = -1;
    f->cover[leaf] = 1000;
    for (size_t i = 0; i + 1 < leaves; i++) {
        size_t at = chain ? i : rng_below(seed, 5, i, i + 1), node = first + i;
        uint32_t cover = f->cover[leaf + at];
        uint32_t left = (uint32_t)rng_below(seed, 6, i, cover + 1);

        random_node(x, node, seed, i);
        if (parent[at] >= 0)
            (is_left[at] ? f->left : f->right)[first + (size_t)parent[at]] =
                (int16_t)i;
        f->left[node] = (int16_t)~at;
        f->right[node] = (int16_t) ~(i + 1);
        f->cover[leaf + at] = left;
        f->cover[leaf + i + 1] = cover - left;
        parent[at] = parent[i + 1] = (int16_t)i;
        is_left[at] = true;
        is_left[i + 1] = false;
    }
    for (size_t i = 0; i < leaves; i++)
        f->value[leaf + i] = (float)rng_normal(seed, 7, i);
    f->n_nodes += leaves - 1;
    f->n_leaves += leaves;
    f->n_trees++;
    f->node_start[f->n_trees] = (uint32_t)f->n_nodes;
    f->leaf_start[f->n_trees] = (uint32_t)f->n_leaves;
    free(parent);
    free(is_left);
}

static double *
random_rows(const struct fixture *x, size_t n, uint64_t seed)
{
    double *v = room(n * x->n_cols, sizeof *v);

    for (size_t c = 0; c < x->n_cols; c++)
        for (size_t i = 0; i < n; i++) {
            v[c * n + i] = x->column[c].n_levels
                               ? (double)rng_below(seed, c, i, LEVELS + 1)
                               : rng_normal(seed, c, i);
            if (rng_below(seed, 100 + c, i, 8) == 0)
                v[c * n + i] = NAN;
        }
    return v;
}

static void
make(struct fixture *x, size_t n_cols, size_t n_trees, size_t n_outputs,
     bool chain)
{
    struct error err;
    size_t leaves = chain ? n_cols * 2 : LEAVES;

    memset(x, 0, sizeof *x);
    x->n_cols = n_cols;
    for (size_t c = 0; c < n_cols; c++) {
        x->column[c].name = "x";
        x->feature[c] = (uint32_t)c;
    }
    forest_init(x, n_trees, leaves, n_outputs);
    for (size_t t = 0; t < n_trees; t++)
        random_tree(x, t == 1 ? 1 : leaves, chain, 11 + t);
    assert_ok(tree_seal(&x->f, &err), err);
    x->x = random_rows(x, ROWS, 5);
    x->back = random_rows(x, BACK, 6);
    x->rows = design_dense(x->x, ROWS, n_cols, x->column, &err);
    x->background = design_dense(x->back, BACK, n_cols, x->column, &err);
    assert_true(x->rows && x->background);
}

static void
drop(struct fixture *x)
{
    struct forest *f = room(1, sizeof *f);

    *f = x->f;
    tree_forest_free(f);
    design_free(x->rows);
    design_free(x->background);
    free(x->x);
    free(x->back);
}

static double *
explain(struct fixture *x, bool background, bool pairs, size_t n_features,
        struct pool *pool)
{
    size_t width = (n_features + 1) * (pairs ? n_features + 1 : 1);
    struct attribution a = {
        .rows = x->rows,
        .background = background ? x->background : NULL,
        .feature = x->feature,
        .n_features = n_features,
        .pairs = pairs,
        .pool = pool,
        .out = room(ROWS * x->f.n_outputs * width, sizeof *a.out)};
    struct error err;

    assert_ok(tree_shap(&x->f, &a, &err), err);
    return a.out;
}

/* ---- the definition ---- */

static bool
goes_left(const struct forest *f, size_t node, double v)
{
    if (f->flags[node] & TREE_CATEGORY) {
        uint32_t first = f->level_start[f->feature[node]];
        size_t code =
            v >= 0 && v < LEVELS ? f->level_code[first + (uint32_t)v] : 0;

        return f->set[(size_t)f->threshold[node] * TREE_SET_WORDS] >> code & 1;
    }
    return isnan(v) ? f->flags[node] & TREE_MISSING_LEFT
                    : v < f->threshold[node];
}

static double
cover_of(const struct forest *f, size_t t, int child)
{
    size_t node = f->node_start[t] + (size_t)child;

    if (child < 0)
        return f->cover[f->leaf_start[t] + (size_t)~child];
    return cover_of(f, t, f->left[node]) + cover_of(f, t, f->right[node]);
}

/* The answer of a tree when only the features of `set` are known: the others
 * follow the training rows, or have the values of `other`. */
static double
answer(const struct forest *f, size_t t, int child, const double *x,
       const double *other, unsigned set)
{
    size_t node = f->node_start[t] + (size_t)child;
    bool known, left;
    double l, r;

    if (child < 0)
        return (double)f->value[f->leaf_start[t] + (size_t)~child];
    known = set >> f->feature[node] & 1;
    if (known || other) {
        left = goes_left(f, node, (known ? x : other)[f->feature[node]]);
        return answer(f, t, left ? f->left[node] : f->right[node], x, other,
                      set);
    }
    l = cover_of(f, t, f->left[node]);
    r = cover_of(f, t, f->right[node]);
    if (l + r == 0)
        return 0;
    return (l * answer(f, t, f->left[node], x, other, set) +
            r * answer(f, t, f->right[node], x, other, set)) /
           (l + r);
}

static void
row_of(const double *x, size_t n, size_t row, double *out)
{
    for (size_t c = 0; c < COLS; c++)
        out[c] = x[c * n + row];
}

/* answers[set] of a row in an output. */
static void
all_answers(const struct fixture *x, size_t row, size_t output, bool background,
            double *answers)
{
    const struct forest *f = &x->f;
    double v[COLS], other[COLS];

    row_of(x->x, ROWS, row, v);
    for (unsigned set = 0; set < 1u << COLS; set++) {
        answers[set] = f->base[output];
        for (size_t t = output; t < f->n_trees; t += f->n_outputs) {
            int root = f->node_start[t] == f->node_start[t + 1] ? -1 : 0;

            if (!background) {
                answers[set] += answer(f, t, root, v, NULL, set);
                continue;
            }
            for (size_t b = 0; b < BACK; b++) {
                row_of(x->back, BACK, b, other);
                answers[set] += answer(f, t, root, v, other, set) / BACK;
            }
        }
    }
}

static double
factorial(unsigned n)
{
    return n < 2 ? 1 : n * factorial(n - 1);
}

static double
shapley(const double *answers, unsigned j)
{
    double sum = 0;

    for (unsigned set = 0; set < 1u << COLS; set++) {
        unsigned s = (unsigned)__builtin_popcount(set);

        if (!(set >> j & 1))
            sum += factorial(s) * factorial(COLS - s - 1) / factorial(COLS) *
                   (answers[set | 1u << j] - answers[set]);
    }
    return sum;
}

static double
interaction(const double *answers, unsigned i, unsigned j)
{
    unsigned both = 1u << i | 1u << j;
    double sum = 0;

    for (unsigned set = 0; set < 1u << COLS; set++) {
        unsigned s = (unsigned)__builtin_popcount(set);

        if (set & both)
            continue;
        sum += factorial(s) * factorial(COLS - s - 2) /
               (2 * factorial(COLS - 1)) *
               (answers[set | both] - answers[set | 1u << i] -
                answers[set | 1u << j] + answers[set]);
    }
    return sum;
}

/* ---- tests ---- */

static void
check_shares(bool background)
{
    double answers[1 << COLS];
    struct fixture x;
    double *phi;

    make(&x, COLS, 6, 2, false);
    phi = explain(&x, background, false, COLS, NULL);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t k = 0; k < 2; k++) {
            const double *at = phi + (r * 2 + k) * (COLS + 1);

            all_answers(&x, r, k, background, answers);
            for (unsigned j = 0; j < COLS; j++)
                assert_close(at[j], shapley(answers, j), 1e-13);
            assert_close(at[COLS], answers[0], 1e-13);
        }
    free(phi);
    drop(&x);
}

static void
test_shares_by_cover_are_those_of_all_subsets(void **state)
{
    (void)state;
    check_shares(false);
}

static void
test_shares_by_background_are_those_of_all_subsets(void **state)
{
    (void)state;
    check_shares(true);
}

static void
check_pairs(bool background)
{
    double answers[1 << COLS];
    struct fixture x;
    double *phi;

    make(&x, COLS, 6, 2, false);
    phi = explain(&x, background, true, COLS, NULL);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t k = 0; k < 2; k++) {
            const double *at = phi + (r * 2 + k) * (COLS + 1) * (COLS + 1);

            all_answers(&x, r, k, background, answers);
            for (unsigned i = 0; i < COLS; i++) {
                double sum = 0;

                for (unsigned j = 0; j < COLS; j++) {
                    sum += at[i * (COLS + 1) + j];
                    if (i != j)
                        assert_close(at[i * (COLS + 1) + j],
                                     interaction(answers, i, j), 1e-13);
                }
                assert_close(sum, shapley(answers, i), 1e-13);
            }
            assert_close(at[(COLS + 1) * (COLS + 1) - 1], answers[0], 1e-13);
        }
    free(phi);
    drop(&x);
}

static void
test_pairs_by_cover_are_those_of_all_subsets(void **state)
{
    (void)state;
    check_pairs(false);
}

static void
test_pairs_by_background_are_those_of_all_subsets(void **state)
{
    (void)state;
    check_pairs(true);
}

/* One path asks for `n_cols` columns twice each. */
static void
check_long_path(size_t n_cols, bool background)
{
    struct fixture x;
    double *phi, *margin = room(ROWS, sizeof *margin);
    struct error err;

    make(&x, n_cols, 3, 1, true);
    phi = explain(&x, background, false, n_cols, NULL);
    assert_ok(tree_score(&x.f, x.rows, NULL, margin, &err), err);
    for (size_t r = 0; r < ROWS; r++) {
        double sum = 0;

        for (size_t j = 0; j <= n_cols; j++)
            sum += phi[r * (n_cols + 1) + j];
        assert_close(sum, margin[r], 1e-11);
    }
    free(phi);
    free(margin);
    drop(&x);
}

static void
test_shares_of_long_paths_add_up_to_the_margin(void **state)
{
    (void)state;
    check_long_path(17, false);
    check_long_path(60, false);
    check_long_path(127, false);
    check_long_path(17, true);
    check_long_path(60, true);
}

static void
test_a_path_too_long_for_background_is_an_error(void **state)
{
    struct fixture x;
    struct error err;
    struct attribution a = {.n_features = 120};

    (void)state;
    make(&x, 120, 1, 1, true);
    a.rows = x.rows;
    a.background = x.background;
    a.feature = x.feature;
    a.out = room(ROWS * 121, sizeof *a.out);
    assert_false(tree_shap(&x.f, &a, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    free(a.out);
    drop(&x);
}

static void
test_columns_of_one_feature_share_its_place(void **state)
{
    struct fixture x;
    double *each, *sum, *pairs;

    (void)state;
    make(&x, COLS, 5, 1, false);
    each = explain(&x, false, false, COLS, NULL);
    for (uint32_t c = 0; c < COLS; c++)
        x.feature[c] = c / 2;
    sum = explain(&x, false, false, COLS / 2, NULL);
    pairs = explain(&x, false, true, COLS / 2, NULL);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t j = 0; j < COLS / 2; j++) {
            const double *a = each + r * (COLS + 1) + 2 * j;
            const double *p = pairs + (r * (COLS / 2 + 1) + j) * (COLS / 2 + 1);

            assert_close(sum[r * (COLS / 2 + 1) + j], a[0] + a[1], 1e-14);
            assert_close(p[0] + p[1] + p[2], a[0] + a[1], 1e-14);
        }
    free(each);
    free(sum);
    free(pairs);
    drop(&x);
}

static void
test_threads_do_not_matter(void **state)
{
    struct pool *pool = pool_new(3);
    struct fixture x;

    (void)state;
    make(&x, COLS, 20, 2, false);
    for (int way = 0; way < 4; way++) {
        bool pairs = way & 1;
        size_t n = ROWS * 2 * (COLS + 1) * (pairs ? COLS + 1 : 1);
        double *a = explain(&x, way & 2, pairs, COLS, NULL);
        double *b = explain(&x, way & 2, pairs, COLS, pool);

        assert_memory_equal(a, b, n * sizeof *a);
        free(a);
        free(b);
    }
    drop(&x);
    pool_free(pool);
}

static void
test_without_covers_there_must_be_a_background(void **state)
{
    struct fixture x;
    struct error err;
    double *phi;
    struct attribution a = {.n_features = COLS};

    (void)state;
    make(&x, COLS, 3, 1, false);
    free(x.f.cover);
    x.f.cover = NULL;
    a.rows = x.rows;
    a.feature = x.feature;
    assert_false(tree_shap(&x.f, &a, &err));
    assert_int_equal(err.code, ERR_STATE);
    phi = explain(&x, true, false, COLS, NULL);
    free(phi);
    drop(&x);
}

static void
test_a_failed_allocation_is_told(void **state)
{
    struct fixture x;
    struct error err;
    struct attribution a = {.n_features = COLS, .pairs = true};

    (void)state;
    make(&x, COLS, 3, 1, false);
    a.rows = x.rows;
    a.feature = x.feature;
    a.out = room(ROWS * (COLS + 1) * (COLS + 1), sizeof *a.out);
    for (int way = 0; way < 2; way++) {
        bool ok = false;

        a.background = way ? x.background : NULL;
        for (unsigned long n = 1; !ok; n++) {
            mem_fault_arm(n, false);
            ok = tree_shap(&x.f, &a, &err);
            if (mem_fault_armed())
                assert_ok(ok, err);
            else if (!ok)
                assert_int_equal(err.code, ERR_NOMEM);
            mem_fault_arm(0, false);
        }
    }
    free(a.out);
    drop(&x);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_by_cover_are_those_of_all_subsets),
        cmocka_unit_test(test_shares_by_background_are_those_of_all_subsets),
        cmocka_unit_test(test_pairs_by_cover_are_those_of_all_subsets),
        cmocka_unit_test(test_pairs_by_background_are_those_of_all_subsets),
        cmocka_unit_test(test_shares_of_long_paths_add_up_to_the_margin),
        cmocka_unit_test(test_a_path_too_long_for_background_is_an_error),
        cmocka_unit_test(test_columns_of_one_feature_share_its_place),
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_without_covers_there_must_be_a_background),
        cmocka_unit_test(test_a_failed_allocation_is_told),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
