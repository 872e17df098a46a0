/* What columns have to do with each other.  Numbers marked (pandas), (scipy),
 * (sklearn) came from pandas 1.5.3, scipy 1.10.1 and scikit-learn 1.2.1 on the
 * same table, which both sides make by the same formulas; those of phi-k from
 * the formulas of the paper with scipy's quad and brentq.
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

static void
test_phi_k_agrees_with_quadrature(void **state)
{
    struct profile *p = profile_with(&(struct profile_options){.slow = true});

    (void)state;
    expect_near("word v", profile_relation(p, RELATION_PHIK, WORD, V),
                0.928600944907029);
    expect_near("x z", profile_relation(p, RELATION_PHIK, X, Z),
                0.9621816142018695);
    expect_near("k word", profile_relation(p, RELATION_PHIK, K, WORD), 0);
    profile_free(p);
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

/* (pandas) groupby and crosstab. */
static void
test_columns_are_told_by_class(void **state)
{
    struct profile *p = profile_with(&(struct profile_options){.target = "y"});
    const struct profile_class *x = p->column[X].by_class;
    const struct profile_class *word = p->column[WORD].by_class;

    (void)state;
    assert_int_equal(p->n_classes, 2);
    assert_string_equal(p->class_name[0], "false");
    assert_string_equal(p->class_name[1], "true");
    assert_int_equal(p->class_rows[0], 575);
    assert_int_equal(p->class_rows[1], 425);
    expect_near("mean", x[0].mean, 29.91640625);
    expect_near("sd", x[0].sd, 29.24384231728918);
    expect_near("median", x[0].median, 29.95);
    assert_int_equal(x[0].n_missing, 575 - 512);
    expect_near("mean", x[1].mean, 31.053608247422684);
    assert_int_equal(x[1].n_missing, 425 - 388);
    assert_int_equal(word[0].top[0], 246);
    assert_int_equal(word[1].top[0], 183);
    assert_int_equal(word[0].top[1] + word[1].top[1], 286);
    profile_free(p);
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
        cmocka_unit_test(test_slow_measures_wait_until_asked),
        cmocka_unit_test(test_information_agrees_with_sklearn),
        cmocka_unit_test(test_columns_are_told_by_class),
        cmocka_unit_test(test_what_is_missing_together_is_told),
        cmocka_unit_test(test_a_column_without_values_leaves_no_row_complete),
        cmocka_unit_test(test_a_complete_table_has_no_patterns),
        cmocka_unit_test(test_page_shows_classes_pairs_and_what_is_missing),
        cmocka_unit_test(test_json_holds_the_matrices),
        cmocka_unit_test(test_no_memory_for_pairs_is_an_error),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
