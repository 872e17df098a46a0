/* tests/unit/test_pca.c -- principal components.
 *
 * Variances, loadings and answers: scikit-learn 1.2.1, PCA(svd_solver='full')
 * on the same formula, each component turned so that its largest loading is
 * positive.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/classic/pca.h"
#include "tests/lib/lesson.h"

static struct lesson
table(const char *const *set, size_t n, size_t p)
{
    struct lesson l = lesson_new(&pca_family, PROBLEM_NONE, n, p);

    l.set = set;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++)
            l.x[j * n + i] = lesson_number(i, j) * (double)(j + 1);
    return l;
}

struct expected {
    size_t n, p, k;
    const double *variance, *loading;
    double answer[8]; /* of the first two rows */
};

static void
expect_components(const char *const *set, const struct expected *want)
{
    struct lesson l = table(set, want->n, want->p);
    void *learner = lesson_must_learn(&l);
    double loading[9 * 9], variance[9], *out = lesson_answers(&l, learner);

    assert_int_equal(pca_family.width(learner), want->k);
    lesson_tensor(&l, learner, "pca.variance", variance, want->k);
    lesson_tensor(&l, learner, "pca.loading", loading, want->k * want->p);
    lesson_expect("variance", variance, want->variance, want->k, 1e-9);
    lesson_expect("loading", loading, want->loading, want->k * want->p, 1e-9);
    lesson_expect("answer", out, want->answer, 2 * want->k, 1e-9);
    free(out);
    pca_family.free(learner);
    lesson_free(&l);
}

static const double tall_variance[] = {95.22786955322096, 46.08620836230367,
                                       18.432287009471516};
static const double tall_loading[] = {
    0.009305168171626289,  0.01929339828941129,   -0.06163163179441718,
    -0.08525329342056338,  0.9942205975290638,    -0.030543145558961676,
    -0.005648067302762328, 0.004993234301211232,  0.9957902881045035,
    0.08609288776124782,   0.001955572709393138,  -0.025129794940933377,
    0.9977390600809569,    -0.010396397051670518, 0.061427616417354905};
static const struct expected tall = {90,
                                     5,
                                     3,
                                     tall_variance,
                                     tall_loading,
                                     {7.665009027462452, -8.376378397508422,
                                      1.8259967565463777, -13.27780867682007,
                                      -1.0127288368094516, 5.991379719913207}};

static void
test_components_of_columns_agree_with_scikit_learn(void **state)
{
    static const char *const set[] = {"components=3", NULL};

    (void)state;
    expect_components(set, &tall);
}

/* 95.2 of 166.3 are 57 %, with 46.1 85 %, with 18.4 96.03 %. */
static void
test_as_many_are_kept_as_explain_the_share(void **state)
{
    static const char *const set[] = {"share=0.96", NULL};

    (void)state;
    expect_components(set, &tall);
    expect_components(NULL, &tall);
}

static void
test_components_of_few_rows_agree_with_scikit_learn(void **state)
{
    static const char *const set[] = {"components=4", NULL};
    static const double variance[] = {1055.9107691492227, 647.695255420226,
                                      147.25366360389583, 51.62110970603036};
    static const double loading[] = {
        0.011669299278857393,  -0.03418337925844946,  0.1287810719929096,
        -0.0883094585175335,   0.014909961596264306,  0.3655356021991479,
        -0.24677659525024231,  -0.5245002950597099,   0.7102635906187156,
        -0.011103208344578229, -0.002457595785995278, 0.026477436909371953,
        -0.2612543616737312,   0.19329422010444558,   0.08375719684571602,
        -0.6543610651074391,   0.654844040719242,     0.17183927980903238,
        0.01195655352824856,   -0.15439651638125296,  -0.0731701988363373,
        -0.170547189165505,    0.5213215609544085,    -0.21776495213755143,
        -0.42566711148442393,  -0.5030104537601588,   -0.43378425990364283,
        0.12683044765788018,   0.14937306547908918,   -0.056638022185605735,
        0.09271043679958342,   0.812900707581616,     0.03204028599674413,
        0.43621706556204765,   0.16402617025295627,   0.2660349245470493};
    static const struct expected want = {
        6,
        9,
        4,
        variance,
        loading,
        {-9.894468100606872, 29.007731641265465, 8.611810538590927,
         -6.3595704399270785, 40.84291815520715, -12.738502314841755,
         -14.978095638522538, -6.3548472613019875}};

    (void)state;
    expect_components(set, &want);
}

static void
test_whitened_answers_have_variance_one(void **state)
{
    static const char *const set[] = {"components=5", "whiten=true", NULL};
    struct lesson l = table(set, 90, 5);
    void *learner = lesson_must_learn(&l);
    double *out = lesson_answers(&l, learner);

    (void)state;
    for (size_t c = 0; c < 5; c++) {
        double mean = 0, squares = 0;

        for (size_t i = 0; i < l.n; i++) {
            mean += out[i * 5 + c] / (double)l.n;
            squares += out[i * 5 + c] * out[i * 5 + c];
        }
        assert_true(fabs(mean) < 1e-12);
        assert_true(fabs(squares / (double)(l.n - 1) - 1) < 1e-9);
    }
    free(out);
    pca_family.free(learner);
    lesson_free(&l);
}

/* Equal columns, fewer rows than columns: one direction holds everything, and the
 * others are at right angles to it and hold nothing. */
static void
test_directions_without_variance_are_at_right_angles(void **state)
{
    enum { N = 12, P = 20, K = 3 };
    static const char *const set[] = {"components=3", "whiten=true", NULL};
    struct lesson l = table(set, N, P);
    double loading[K * P], variance[K], *out;
    void *learner;

    (void)state;
    for (size_t j = 1; j < P; j++)
        memcpy(l.x + j * N, l.x, N * sizeof *l.x);
    learner = lesson_must_learn(&l);
    lesson_tensor(&l, learner, "pca.variance", variance, K);
    lesson_tensor(&l, learner, "pca.loading", loading, K * P);
    assert_true(variance[0] > 0 && variance[1] == 0 && variance[2] == 0);
    for (size_t c = 0; c < K; c++)
        for (size_t b = 0; b <= c; b++) {
            double dot = 0;

            for (size_t j = 0; j < P; j++)
                dot += loading[c * P + j] * loading[b * P + j];
            assert_true(fabs(dot - (b == c)) < 1e-12);
        }
    for (size_t j = 0; j < P; j++)
        assert_true(fabs(loading[j] - 1 / sqrt(P)) < 1e-12);
    out = lesson_answers(&l, learner);
    for (size_t i = 0; i < N; i++)
        assert_true(out[i * K + 1] == 0 && out[i * K + 2] == 0);
    free(out);
    pca_family.free(learner);
    lesson_free(&l);
}

static void
expect_refusal(struct lesson *l, const char *message)
{
    struct error err;

    assert_null(lesson_learn(l, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_string_equal(err.message, message);
    lesson_free(l);
}

static void
test_tables_without_components_are_refused(void **state)
{
    static const char *const set[] = {"components=4", NULL};
    struct lesson l = table(NULL, 1, 3);

    (void)state;
    expect_refusal(&l, "1 rows have no variance");
    l = table(set, 9, 3);
    expect_refusal(&l, "4 components, and there are 9 rows of 3 columns");
    l = table(NULL, 9, 2);
    for (size_t i = 0; i < 18; i++)
        l.x[i] = 5;
    expect_refusal(&l, "all rows are equal");
    l = table(NULL, 9, 2);
    l.x[3] = INFINITY;
    expect_refusal(&l, "the values are too far apart");
    l = table(NULL, 9, 2);
    l.x[3] = 1e200;
    expect_refusal(&l, "the values are too far apart");
}

static void
test_it_keeps_what_every_family_promises(void **state)
{
    struct lesson l = table(NULL, 5000, 20);

    (void)state;
    lesson_same_for_any_threads(&l);
    lesson_same_from_file(&l);
    lesson_cancelled_is_an_error(&l);
    lesson_no_memory_is_an_error(&l);
    lesson_damage_is_harmless(&l);
    lesson_free(&l);
    l = table(NULL, 7, 20);
    lesson_same_for_any_threads(&l);
    lesson_no_memory_is_an_error(&l);
    lesson_cancelled_is_an_error(&l);
    lesson_free(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_components_of_columns_agree_with_scikit_learn),
        cmocka_unit_test(test_as_many_are_kept_as_explain_the_share),
        cmocka_unit_test(test_components_of_few_rows_agree_with_scikit_learn),
        cmocka_unit_test(test_whitened_answers_have_variance_one),
        cmocka_unit_test(test_directions_without_variance_are_at_right_angles),
        cmocka_unit_test(test_tables_without_components_are_refused),
        cmocka_unit_test(test_it_keeps_what_every_family_promises),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
