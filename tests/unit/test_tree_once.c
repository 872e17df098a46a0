/* Trees that stand in the file once for all outputs: what is saved comes back,
 * and no file is believed.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "engine/trees/tree_state.h"
#include "tests/lib/close.h"

enum { COLS = 3, TEXTS = 2, LEVELS = 300, K = 3, SPREAD = 60000 };

/* The tensors of a forest of two trees, one of which is a leaf, for three
 * outputs: each tree once. */
struct parts {
    uint32_t node_start[3], leaf_start[3], level_start[COLS + 1];
    uint16_t feature[2], level_code[LEVELS];
    double threshold[2], gain[COLS], base[K];
    int16_t left[2], right[2];
    uint8_t flags[2], code[4], cover[4];
    uint64_t set[2 * TREE_SET_WORDS];
    float value[8], line[4];
    uint32_t line_start[5];
    size_t n_values, n_code, n_sets;
    bool lines;
};

static struct parts
sound(void)
{
    struct parts p = {.node_start = {0, 2, 2},
                      .leaf_start = {0, 3, 4},
                      .level_start = {0, 0, 0, LEVELS},
                      .feature = {0, TEXTS},
                      .threshold = {0.5, 0},
                      .gain = {1, 0, 2},
                      .base = {0.25, 0.5, 0.75},
                      .left = {1, ~0},
                      .right = {~2, ~1},
                      .flags = {0, TREE_CATEGORY | TREE_MISSING_LEFT},
                      /* by leaf: outputs 0; 1 and 2; none; all */
                      .code = {1, 6, 0, 7},
                      .cover = {10, 20, 30, 60},
                      .value = {1, 2, 3, 4, 5, 6},
                      .n_values = 6,
                      .n_code = 4,
                      .n_sets = 2};

    for (size_t i = 0; i < LEVELS; i++)
        p.level_code[i] = (uint16_t)i;
    p.set[0] = 6;
    p.set[TREE_SET_WORDS] = 9;
    return p;
}

static struct buf
written(const struct parts *p)
{
    struct st_writer *w = st_writer_new();
    const uint64_t shape[] = {p->n_sets, TREE_SET_WORDS};
    struct error err;
    struct buf b;

    st_add1(w, "tree.node_start", ST_U32, 3, p->node_start);
    st_add1(w, "tree.leaf_start", ST_U32, 3, p->leaf_start);
    st_add1(w, "tree.feature", ST_U16, 2, p->feature);
    st_add1(w, "tree.threshold", ST_F64, 2, p->threshold);
    st_add1(w, "tree.left", ST_I16, 2, p->left);
    st_add1(w, "tree.right", ST_I16, 2, p->right);
    st_add1(w, "tree.flags", ST_U8, 2, p->flags);
    st_add1(w, "tree.value", ST_F32, p->n_values, p->value);
    st_add1(w, "tree.value_code", ST_U8, p->n_code, p->code);
    st_add1(w, "tree.cover", ST_U8, 4, p->cover);
    st_add(w, "tree.set", ST_U64, shape, 2, p->set);
    st_add1(w, "tree.level_start", ST_U32, COLS + 1, p->level_start);
    st_add1(w, "tree.level_code", ST_U16, LEVELS, p->level_code);
    st_add1(w, "tree.gain", ST_F64, COLS, p->gain);
    st_add1(w, "tree.base", ST_F64, K, p->base);
    if (p->lines) {
        st_add1(w, "tree.line_start", ST_U32, 5, p->line_start);
        st_add1(w, "tree.line_base", ST_F64, 4, p->set);
        st_add1(w, "tree.line_col", ST_U16, 0, p->feature);
        st_add1(w, "tree.line", ST_F64, 0, p->set);
    }
    buf_init(&b);
    assert_ok(st_write(w, &b, &err), err);
    st_writer_free(w);
    return b;
}

static struct forest *
loaded(const struct buf *b, struct error *err)
{
    struct st_file *f = st_parse((struct str){b->data, b->len}, err);
    struct forest *out = f ? tree_load(f, COLS, K, err) : NULL;

    st_free(f);
    return out;
}

/* What each output of each leaf says was written down by hand above. */
static void
check_values(const struct forest *f)
{
    static const float want[] = {1,      0, 0, /**/ 0, 2,      0,
                                 /**/ 0, 3, 0, 4,      /**/ 5, /**/ 6};

    assert_int_equal(f->n_trees, 2 * K);
    assert_int_equal(f->n_leaves, 4 * K);
    for (size_t i = 0; i < 4 * K; i++)
        assert_close((double)f->value[i], (double)want[i], 0);
    for (size_t t = 0; t < K; t++) {
        assert_int_equal(f->feature[2 * t], 0);
        assert_int_equal(f->feature[2 * t + 1], TEXTS);
        assert_close(f->threshold[2 * t], 0.5, 0);
        assert_int_equal(
            f->set[(size_t)f->threshold[2 * t + 1] * TREE_SET_WORDS], 6);
        assert_int_equal(f->cover[3 * t + 2], 30);
    }
}

static void
test_trees_of_all_outputs_come_from_one(void **state)
{
    struct parts p = sound();
    struct buf b = written(&p), again;
    struct st_writer *w = st_writer_new();
    struct error err = {0};
    struct forest *f = loaded(&b, &err), *g;

    (void)state;
    assert_ok(f, err);
    check_values(f);
    tree_save(f, w);
    buf_init(&again);
    assert_ok(st_write(w, &again, &err), err);
    st_writer_free(w);
    g = loaded(&again, &err);
    assert_ok(g, err);
    check_values(g);
    tree_forest_free(f);
    tree_forest_free(g);
    buf_fini(&b);
    buf_fini(&again);
}

static void
check_refused(const struct parts *p, const char *message)
{
    struct buf b = written(p);
    struct error err = {0};

    assert_null(loaded(&b, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_string_equal(err.message, message);
    buf_fini(&b);
}

static void
test_values_that_are_too_few_or_no_numbers_are_refused(void **state)
{
    struct parts p = sound();

    (void)state;
    p.n_values = 5;
    check_refused(&p, "trees: values of tree 1 are damaged");
    p.n_values = 7;
    check_refused(&p, "trees: values of no leaf");
    p = sound();
    p.value[0] = NAN;
    check_refused(&p, "trees: values of tree 0 are damaged");
    p = sound();
    p.n_code = 3;
    check_refused(&p, "tensor 'tree.value_code' has 3 elements, expected 4");
    p = sound();
    p.leaf_start[2] = UINT32_MAX;
    check_refused(&p, "trees: tree 1 is out of range");
}

/* Such were left out without a word. */
static void
test_trees_of_all_outputs_have_no_lines(void **state)
{
    struct parts p = sound();

    (void)state;
    p.lines = true;
    check_refused(&p, "trees: lines that no forest has");
}

/* Each of the trees to be gets a copy of each set. */
static void
test_nodes_that_share_a_set_are_refused(void **state)
{
    struct parts p = sound();

    (void)state;
    p.feature[0] = TEXTS;
    p.flags[0] = TREE_CATEGORY;
    p.threshold[0] = 0;
    check_refused(&p, "trees: sets that no forest has");
}

static void
test_no_damaged_byte_does_harm(void **state)
{
    struct parts p = sound();
    struct buf b = written(&p);

    (void)state;
    for (size_t i = 0; i < b.len; i++)
        for (unsigned bit = 0; bit < 8; bit += 7) {
            struct error err = {0};
            struct forest *f;

            b.data[i] = (char)(b.data[i] ^ 1 << bit);
            f = loaded(&b, &err);
            assert_true(f || err.message[0]);
            tree_forest_free(f);
            b.data[i] = (char)(b.data[i] ^ 1 << bit);
        }
    buf_fini(&b);
}

static void
test_no_memory_for_trees_is_an_error(void **state)
{
    struct parts p = sound();
    struct buf b = written(&p);
    struct forest *f = NULL;
    struct error err = {0};

    (void)state;
    for (unsigned long n = 1; !f; n++) {
        mem_fault_arm(n, false);
        f = loaded(&b, &err);
        mem_fault_arm(0, false);
        if (!f)
            assert_int_equal(err.code, ERR_NOMEM);
        assert_true(n < 1000);
    }
    check_values(f);
    tree_forest_free(f);
    buf_fini(&b);
}

static void *
room(size_t n, size_t size)
{
    void *p = calloc(n + 1, size);

    assert_non_null(p);
    return p;
}

/* A forest of one column, with a tree of one node for each threshold. */
static struct forest *
stumps(const double *threshold, size_t n)
{
    struct forest *f = room(1, sizeof *f);

    *f = (struct forest){.n_cols = 1, .n_outputs = 1};
    f->n_trees = f->n_nodes = n;
    f->n_leaves = 2 * n;
    f->node_start = room(n + 1, sizeof *f->node_start);
    f->leaf_start = room(n + 1, sizeof *f->leaf_start);
    f->feature = room(n, sizeof *f->feature);
    f->threshold = room(n, sizeof *f->threshold);
    f->left = room(n, sizeof *f->left);
    f->right = room(n, sizeof *f->right);
    f->flags = room(n, 1);
    f->value = room(2 * n, sizeof *f->value);
    f->level_start = room(2, sizeof *f->level_start);
    f->level_code = room(1, sizeof *f->level_code);
    f->gain = room(1, sizeof *f->gain);
    f->base = room(1, sizeof *f->base);
    for (size_t t = 0; t < n; t++) {
        f->node_start[t + 1] = (uint32_t)(t + 1);
        f->leaf_start[t + 1] = (uint32_t)(2 * t + 2);
        f->threshold[t] = threshold[t];
        f->left[t] = ~0;
        f->right[t] = ~1;
    }
    return f;
}

/* The number whose bits times 0x9e3779b97f4a7c15 are i: all of these want the
 * first place of a table that is told apart by the upper half.  The factor is
 * turned around by Newton's iteration, which doubles the bits that are right.
 */
static double
wants_first(uint64_t i)
{
    uint64_t factor = UINT64_C(0x9e3779b97f4a7c15), inverse = factor;
    double x;

    for (int step = 0; step < 5; step++)
        inverse *= 2 - factor * inverse;
    i *= inverse;
    memcpy(&x, &i, sizeof x);
    return x;
}

/* Half a minute and more where each is compared with all before it. */
static void
test_thresholds_that_want_one_place_take_no_time(void **state)
{
    double *threshold = room(4 * SPREAD, sizeof *threshold);
    struct forest *f;
    struct error err;
    clock_t began;
    size_t n = 0;

    (void)state;
    for (uint64_t i = 1; n < 4 * SPREAD; i++)
        if (!isnan(wants_first(i)))
            threshold[n++] = wants_first(i);
    f = stumps(threshold, n);
    began = clock();
    assert_ok(tree_seal(f, &err), err);
    assert_true((double)(clock() - began) < 5.0 * CLOCKS_PER_SEC);
    tree_forest_free(f);
    free(threshold);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trees_of_all_outputs_come_from_one),
        cmocka_unit_test(
            test_values_that_are_too_few_or_no_numbers_are_refused),
        cmocka_unit_test(test_trees_of_all_outputs_have_no_lines),
        cmocka_unit_test(test_nodes_that_share_a_set_are_refused),
        cmocka_unit_test(test_no_damaged_byte_does_harm),
        cmocka_unit_test(test_no_memory_for_trees_is_an_error),
        cmocka_unit_test(test_thresholds_that_want_one_place_take_no_time),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
