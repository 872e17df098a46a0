/* What columns have to do with each other.  Numbers marked (pandas), (scipy),
 * (sklearn) came from pandas 1.5.3, scipy 1.10.1 and scikit-learn 1.2.1 on the
 * same table, which both sides make by the same formulas; those of phi-k from
 * the formulas of the paper, written for this with numpy's searchsorted, scipy's
 * chi2_contingency, quad over the correlation and brentq; of any shape with
 * mpmath to 22 digits and more.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/profile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "frame/profile_part.h"
#include "tests/lib/profile_table.h"

static struct profile *
profile_with(const struct profile_options *o)
{
    struct frame *f = table();
    struct error err = {0};
    struct profile *p = profile_new(f, o, NULL, NULL, &err);

    if (!p)
        fail_msg("%s", err.message);
    frame_unref(f);
    return p;
}

static void
test_correlations_agree_with_pandas(void **state)
{
    static const struct {
        enum relation r;
        size_t a, b;
        double want;
    } cases[] = {
        {RELATION_PEARSON, X, K, 0.011766992409708679},
        {RELATION_PEARSON, X, Z, 0.9194925165780774},
        {RELATION_PEARSON, Z, K, 0.018178176490352575},
        {RELATION_SPEARMAN, X, K, 0.011919230397927324},
        {RELATION_SPEARMAN, X, Z, 0.9369065504382631},
        {RELATION_SPEARMAN, K, Z, 0.057165947480547964},
        {RELATION_KENDALL, X, K, 0.007975492137437324},
        {RELATION_KENDALL, X, Z, 0.8377186857080346},
        {RELATION_KENDALL, K, Z, 0.0398302782356098},
        {RELATION_AUTO, X, Z, 0.9369065504382631},
        {RELATION_AUTO, WORD, V, 0.6733744475938027},
        {RELATION_CRAMER, WORD, V, 0.6733744475938027},
    };
    struct profile *p = profile_with(&(struct profile_options){.slow = true});

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_near(profile_relation_word(cases[i].r),
                    profile_relation(p, cases[i].r, cases[i].a, cases[i].b),
                    cases[i].want);
    /* A category has no rank, a number no V of its own. */
    assert_true(isnan(profile_relation(p, RELATION_PEARSON, X, WORD)));
    assert_true(isnan(profile_relation(p, RELATION_CRAMER, X, WORD)));
    profile_free(p);
}

/* All pairs of the table; those that are not here are 0. */
static void
test_phi_k_agrees_with_quadrature(void **state)
{
    static const struct {
        size_t a, b;
        double want;
    } cases[] = {
        {X, Z, 0.9626578842310236},    {X, V, 0.311175778758915},
        {X, Y, 0.05466456843069016},   {K, Y, 0.9658224081497231},
        {WORD, V, 0.9286035210580942}, {Z, V, 0.3084644189458063},
    };
    struct profile *p = profile_with(&(struct profile_options){.slow = true});
    double want[N_COLS][N_COLS] = {{0}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        want[cases[i].a][cases[i].b] = cases[i].want;
    for (size_t a = 0; a < N_COLS; a++)
        for (size_t b = a + 1; b < N_COLS; b++)
            expect_near(p->column[a].name,
                        profile_relation(p, RELATION_PHIK, a, b), want[a][b]);
    profile_free(p);
}

/* Chi-squares between what chance gives and the most there can be, for tables
 * of many shapes. */
static void
test_phi_k_of_any_shape_agrees_with_quadrature(void **state)
{
    static const struct {
        double chi2, n;
        size_t rows, cols;
        double want;
    } cases[] = {
        {300.7, 1000, 2, 2, 0.7580785911562},
        {407.2, 500, 3, 7, 0.713729526988061},
        {972.9, 1000, 10, 10, 0.7455407064331446},
        {4540.5, 1000, 10, 10, 0.9715651811626305},
        {8910.81, 1000, 10, 10, 0.9999924544098},
        {829.4, 2000, 2, 50, 0.7679502932466},
        {6024.9, 3000, 20, 20, 0.83284137622100561},
        {13808.7, 5000, 50, 10, 0.900312749922748},
        {140750, 4000, 51, 51, 0.99918889562261792},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_near("phi-k",
                    profile_phik(cases[i].chi2, cases[i].n, cases[i].rows,
                                 cases[i].cols),
                    cases[i].want);
}

/* As numpy.searchsorted() and pandas.cut() have it: 0 and 1 of eleven whole
 * numbers are in one width. */
static void
test_a_value_at_an_edge_is_in_the_width_below(void **state)
{
    static const char *const names[] = {"n", "big"};
    static const enum col_type types[] = {COL_INT64, COL_FLOAT64};
    static const uint32_t want[] = {1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    struct error err = {0};
    struct builder *b = builder_new(2, names, types, &err);
    struct frame *f;
    struct feature x;

    (void)state;
    for (int64_t i = 0; i < 11; i++)
        assert_true(builder_i64(b, 0, i, &err) &&
                    builder_f64(b, 1, ((double)i - 5) * 3e307, &err) &&
                    builder_end_row(b, &err));
    f = builder_finish(b, &err);
    assert_true(feature_of(&x, f, 0, 0, 10, &err));
    assert_int_equal(x.n_codes, 11);
    assert_memory_equal(x.code, want, sizeof want);
    feature_fini(&x);
    assert_true(feature_of(&x, f, 1, -1.5e308, 1.5e308, &err));
    assert_int_equal(x.code[0], 1);
    assert_int_equal(x.code[5], 5);
    assert_int_equal(x.code[10], 10);
    feature_fini(&x);
    frame_unref(f);
}

static void
test_slow_measures_wait_until_asked(void **state)
{
    struct profile *p = profile_with(&(struct profile_options){0});

    (void)state;
    assert_null(p->relation[RELATION_KENDALL]);
    assert_null(p->relation[RELATION_PHIK]);
    assert_true(isnan(profile_relation(p, RELATION_PHIK, X, Z)));
    profile_free(p);
}

/* (sklearn), numbers in tenths of their rows. */
static void
test_information_agrees_with_sklearn(void **state)
{
    struct profile *p = profile_with(&(struct profile_options){.target = "y"});

    (void)state;
    expect_near("word", p->column[WORD].mutual, 4.449440137610505e-06);
    expect_near("v", p->column[V].mutual, 0.0002741073597793131);
    expect_near("k", p->column[K].mutual, 0.3821689863839539);
    expect_near("x", p->column[X].mutual, 0.005260213211848788);
    profile_free(p);
}

/* (pandas) groupby, with mean, std, median and count. */
static void
test_numbers_are_told_by_class(void **state)
{
    static const struct {
        const char *target;
        size_t col, class;
        double mean, sd, median;
        size_t n_missing;
    } cases[] = {
        {"y", X, 0, 29.91640625, 29.243842317289179, 29.95, 63},
        {"y", X, 1, 31.053608247422684, 29.003857221358238, 31.05, 37},
        {"y", K, 0, 28.982608695652175, 20.951238647114788, 27, 0},
        {"y", K, 1, 73.352941176470594, 21.087254646967668, 75, 0},
        {"y", Z, 0, 1777.3007031250004, 1914.821082091742, 922.125, 63},
        {"y", Z, 1, 1876.3847938144331, 1935.0355469125639, 1045.4, 37},
        {"word", X, 0, 30.312919896640828, 29.14055697173788, 30.8, 42},
        {"word", X, 1, 31, 28.978052546914959, 31.9, 29},
        {"word", X, 2, 29.956809338521403, 29.367748478857074, 29.3, 29},
        {"word", K, 0, 47.801864801864802, 30.377844796139073, 48, 0},
        {"word", K, 1, 47.852631578947367, 30.405580619997057, 48, 0},
        {"word", K, 2, 47.884615384615387, 30.44034674328714, 48, 0},
        {"word", Z, 0, 1813.9904651162792, 1915.5631518972471, 1018.64, 42},
        {"word", Z, 1, 1845.3809375000003, 1923.1566963076207, 1071.98, 29},
        {"word", Z, 2, 1803.8265758754865, 1941.6125324512675, 876.36, 29},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct profile *p =
            profile_with(&(struct profile_options){.target = cases[i].target});
        const struct profile_class *c =
            &p->column[cases[i].col].by_class[cases[i].class];

        expect_near("mean", c->mean, cases[i].mean);
        expect_near("sd", c->sd, cases[i].sd);
        expect_near("median", c->median, cases[i].median);
        assert_int_equal(c->n_missing, cases[i].n_missing);
        profile_free(p);
    }
}

/* (pandas) crosstab, of the values in order of how frequent they are. */
static void
test_categories_are_told_by_class(void **state)
{
    static const struct {
        const char *target;
        size_t col, n;
        const char *value[3];
        size_t rows[3][3]; /* by class, by value */
    } cases[] = {
        {"y", WORD, 3, {"a", "ccc", "bb"}, {{246, 165, 164}, {183, 121, 121}}},
        {"y", V, 3, {"r", "q", "z"}, {{376, 150, 49}, {273, 110, 42}}},
        {"y", FLAG, 2, {"false", "true"}, {{517, 58}, {383, 42}}},
        {"word",
         V,
         3,
         {"r", "q", "z"},
         {{390, 0, 39}, {259, 0, 26}, {0, 260, 26}}},
        {"word", FLAG, 2, {"false", "true"}, {{386, 43}, {257, 28}, {257, 29}}},
    };
    static const char *const names[] = {"false", "true", "a", "bb", "ccc"};
    static const size_t sizes[] = {575, 425, 429, 285, 286};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct profile *p =
            profile_with(&(struct profile_options){.target = cases[i].target});
        const struct profile_column *c = &p->column[cases[i].col];
        size_t first = strcmp(cases[i].target, "y") == 0 ? 0 : 2;

        assert_int_equal(p->n_classes, first ? 3 : 2);
        assert_int_equal(c->n_top, cases[i].n);
        for (size_t k = 0; k < p->n_classes; k++) {
            assert_string_equal(p->class_name[k], names[first + k]);
            assert_int_equal(p->class_rows[k], sizes[first + k]);
            assert_int_equal(c->by_class[k].n_missing, 0);
            for (size_t v = 0; v < cases[i].n; v++) {
                assert_string_equal(c->top[v].text, cases[i].value[v]);
                assert_int_equal(c->by_class[k].top[v], cases[i].rows[k][v]);
            }
        }
        profile_free(p);
    }
}

/* Rows 0..99; a misses every second, b every fourth, c every fourth but one
 * later, d nothing; of e the first half is NaN. */
static struct frame *
holes(void)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    static const enum col_type types[] = {COL_INT64, COL_TEXT, COL_DATE,
                                          COL_BOOL, COL_FLOAT64};
    struct error err = {0};
    struct builder *b = builder_new(5, names, types, &err);

    assert_non_null(b);
    for (int64_t i = 0; i < 100; i++) {
        bool ok = i % 2 == 0 || builder_i64(b, 0, i, &err);

        ok = ok && (i % 4 == 0 || builder_text(b, 1, STR("t"), &err)) &&
             (i % 4 == 1 || builder_i64(b, 2, i, &err)) &&
             builder_i64(b, 3, i % 3 == 0, &err) &&
             builder_f64(b, 4, i < 50 ? (double)NAN : 1, &err) &&
             builder_end_row(b, &err);
        assert_true(ok);
    }
    return builder_finish(b, &err);
}

/* r of two bits: (n ab - a b) / sqrt(a (n - a) b (n - b)). */
static void
test_what_is_missing_together_is_told(void **state)
{
    struct profile *p = profile_of(holes(), NULL);

    (void)state;
    expect_near("a b", p->nullity[0 * 5 + 1], 1250 / sqrt(2500.0 * 1875));
    expect_near("a c", p->nullity[0 * 5 + 2], -1250 / sqrt(2500.0 * 1875));
    expect_near("b c", p->nullity[1 * 5 + 2], -625.0 / 1875);
    expect_near("a e", p->nullity[0 * 5 + 4], 0);
    assert_true(isnan(p->nullity[0 * 5 + 3]));
    /* 100 rows: a b, c, a, nothing by turns, each with e in 50 of them: 13 12
     * of the first two kinds. */
    assert_int_equal(p->n_patterns, 7);
    assert_int_equal(p->n_complete, 13);
    assert_int_equal(p->pattern[0].rows, 13);
    assert_int_equal(p->pattern[0].row, 0);
    assert_true(profile_pattern_has(p, 0, 0));
    assert_true(profile_pattern_has(p, 0, 1));
    assert_false(profile_pattern_has(p, 0, 2));
    assert_true(profile_pattern_has(p, 0, 4));
    /* 40 parts of two or three rows. */
    assert_int_equal(p->n_bands, 40);
    assert_int_equal(p->band[4 * 40 + 0], 3);
    assert_int_equal(p->band[4 * 40 + 39], 0);
    assert_int_equal(p->band[3 * 40 + 0], 0);
    profile_free(p);
}

/* (pandas) isna().corr() of 300 rows; f is complete and g empty. */
static void
test_missing_values_correlate_as_in_pandas(void **state)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
    static const enum col_type types[] = {
        COL_INT64,     COL_TEXT, COL_FLOAT64, COL_BOOL,
        COL_TIMESTAMP, COL_DATE, COL_FLOAT64};
    static const double want[5][5] = {
        {1, 0.0009323686112951193, 0.002751409082267559, 0.7288689868556625,
         -0.006028035277130086},
        {1, 1, 0.01411956236812264, -0.002558398362694336, 0.01237376449779484},
        {1, 1, 1, 0, 0},
        {1, 1, 1, 1, -0.003308158467894262}};
    static const size_t n_missing[] = {128, 110, 180, 85, 50, 0, 300};
    struct error err = {0};
    struct builder *b = builder_new(7, names, types, &err);
    struct profile *p;

    (void)state;
    for (int64_t i = 0; i < 300; i++) {
        bool ok = i * i % 7 < 2 || builder_i64(b, 0, i, &err);

        ok = ok && (i * 3 % 11 < 4 || builder_text(b, 1, STR("t"), &err)) &&
             builder_f64(b, 2, i % 2 == 0 || i % 5 == 0 ? (double)NAN : 1,
                         &err) &&
             ((i * i % 7 < 2 && i % 3 > 0) || builder_i64(b, 3, 1, &err)) &&
             (i >= 250 || builder_i64(b, 4, i, &err)) &&
             builder_i64(b, 5, i, &err) && builder_end_row(b, &err);
        assert_true(ok);
    }
    p = profile_of(builder_finish(b, &err), NULL);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(p->column[i].n_missing, n_missing[i]);
    for (size_t i = 0; i < 7; i++)
        for (size_t k = i + 1; k < 7; k++)
            if (k < 5)
                expect_near(names[i], p->nullity[i * 7 + k], want[i][k]);
            else
                assert_true(isnan(p->nullity[i * 7 + k]));
    profile_free(p);
}

/* Where every row misses something, none is complete. */
static void
test_a_column_without_values_leaves_no_row_complete(void **state)
{
    static const char *const names[] = {"none", "n"};
    static const enum col_type types[] = {COL_TEXT, COL_INT64};
    struct error err = {0};
    struct builder *b = builder_new(2, names, types, &err);
    struct profile *p;

    (void)state;
    for (int64_t i = 0; i < 10; i++) {
        assert_true(i == 4 || builder_i64(b, 1, i, &err));
        assert_true(builder_end_row(b, &err));
    }
    p = profile_of(builder_finish(b, &err), NULL);
    assert_int_equal(p->n_complete, 0);
    assert_int_equal(p->n_patterns, 2);
    assert_int_equal(p->pattern[0].rows, 9);
    profile_free(p);
}

static void
test_a_complete_table_has_no_patterns(void **state)
{
    struct error err = {0};
    struct frame *f = holes(), *d;
    size_t col = 3;
    struct profile *p;

    (void)state;
    d = frame_select(f, &col, 1, &err);
    assert_non_null(d);
    frame_unref(f);
    p = profile_of(d, NULL);
    assert_int_equal(p->n_patterns, 0);
    assert_int_equal(p->n_complete, 100);
    assert_null(p->band);
    profile_free(p);
}

static void
test_page_shows_classes_pairs_and_what_is_missing(void **state)
{
    struct profile *p = profile_with(&(struct profile_options){.target = "y"});
    struct buf b;

    (void)state;
    expect_widths(p);
    buf_init(&b);
    profile_print(p, 120, false, &b);
    assert_non_null(strstr(b.data, " k        0.9"));
    assert_non_null(strstr(b.data, "28.983     73.353  mean"));
    assert_non_null(strstr(b.data, " x        z         0.937 rho"));
    assert_non_null(strstr(b.data, "        100 x, z"));
    assert_non_null(strstr(b.data, "      90.0% nothing"));
    buf_clear(&b);
    profile_markdown(p, &b);
    assert_non_null(strstr(b.data, "| k | mean | 28.9826 | 73.3529 |"));
    assert_non_null(strstr(b.data, "| x | z | Spearman | 0.937 |"));
    assert_non_null(strstr(b.data, "| 100 | x, z |"));
    buf_fini(&b);
    profile_free(p);
}

static void
test_json_holds_the_matrices(void **state)
{
    struct profile *p = profile_with(&(struct profile_options){.slow = true});
    struct error err = {0};
    struct json_writer w;
    struct json *root;
    struct buf b;

    (void)state;
    buf_init(&b);
    json_writer_init(&w, &b);
    profile_json(p, &w);
    root = json_parse((struct str){b.data, b.len}, &err);
    assert_non_null(root);
    json_free(root);
    assert_non_null(strstr(b.data, "\"phi_k\":[[1,"));
    assert_non_null(strstr(b.data, "\"kendall\":[[1,"));
    assert_non_null(strstr(b.data, "\"patterns\":[{\"rows\":100,\"columns\":"
                                   "[\"x\",\"z\"]}]"));
    buf_fini(&b);
    profile_free(p);
}

static void
test_no_memory_for_pairs_is_an_error(void **state)
{
    struct error err = {0};
    struct frame *all = table(), *f = frame_slice(all, 0, 40, &err);

    (void)state;
    for (unsigned long n = 1;; n++) {
        struct profile *p;

        mem_fault_arm(n, false);
        p = profile_new(
            f, &(struct profile_options){.target = "word", .slow = true}, NULL,
            NULL, &err);
        mem_fault_arm(0, false);
        if (p) {
            profile_free(p);
            break;
        }
        assert_int_equal(err.code, ERR_NOMEM);
        assert_true(n < 10000);
    }
    frame_unref(f);
    frame_unref(all);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_correlations_agree_with_pandas),
        cmocka_unit_test(test_phi_k_agrees_with_quadrature),
        cmocka_unit_test(test_phi_k_of_any_shape_agrees_with_quadrature),
        cmocka_unit_test(test_a_value_at_an_edge_is_in_the_width_below),
        cmocka_unit_test(test_slow_measures_wait_until_asked),
        cmocka_unit_test(test_information_agrees_with_sklearn),
        cmocka_unit_test(test_numbers_are_told_by_class),
        cmocka_unit_test(test_categories_are_told_by_class),
        cmocka_unit_test(test_what_is_missing_together_is_told),
        cmocka_unit_test(test_missing_values_correlate_as_in_pandas),
        cmocka_unit_test(test_a_column_without_values_leaves_no_row_complete),
        cmocka_unit_test(test_a_complete_table_has_no_patterns),
        cmocka_unit_test(test_page_shows_classes_pairs_and_what_is_missing),
        cmocka_unit_test(test_json_holds_the_matrices),
        cmocka_unit_test(test_no_memory_for_pairs_is_an_error),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
