/* tests/unit/test_kmeans.c -- clusters around k centres.
 *
 * Centres, sizes, inertia, silhouette: scikit-learn 1.2.1 on the same formula,
 * KMeans(k, n_init = 50, tol = 0) and silhouette_score, clusters in order of
 * their first column.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/classic/kmeans.h"
#include "engine/classic/kmeans_run.h"
#include "tests/lib/lesson.h"

enum { N = 300 };

/* k groups, the last of them at the origin, 12 apart. */
static struct lesson
clustered(const char *const *set, size_t n, size_t p, size_t k)
{
    struct lesson l = lesson_new(&kmeans_family, PROBLEM_NONE, n, p);

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < p; j++)
            l.x[j * n + i] = lesson_number(i, j) + (i % 5 % k == j ? 12 : 0);
    l.set = set;
    return l;
}

static int
by_first(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
expect_centres(const char *const *set, size_t k, const double *want,
               const double *sizes, const double *inertia_and_silhouette)
{
    size_t p = k - 1;
    struct lesson l = clustered(set, N, p, k);
    double got[8 * 8], centre[8 * 8], size[8], choice[3];
    void *learner = lesson_must_learn(&l);

    lesson_tensor(&l, learner, "kmeans.centre", centre, k * p);
    lesson_tensor(&l, learner, "kmeans.size", size, k);
    lesson_tensor(&l, learner, "kmeans.choice", choice, 3);
    for (size_t c = 0; c < k; c++) {
        memcpy(got + c * (p + 1), centre + c * p, p * sizeof *got);
        got[c * (p + 1) + p] = size[c];
    }
    qsort(got, k, (p + 1) * sizeof *got, by_first);
    for (size_t c = 0; c < k; c++) {
        lesson_expect("centre", got + c * (p + 1), want + c * p, p, 1e-9);
        lesson_expect("size", got + c * (p + 1) + p, sizes + c, 1, 0);
    }
    lesson_expect("measure", choice + 1, inertia_and_silhouette, 2, 1e-9);
    kmeans_family.free(learner);
    lesson_free(&l);
}

static void
test_three_clusters_agree_with_scikit_learn(void **state)
{
    static const char *const set[] = {"k=3", "tolerance=0", NULL};
    static const double want[] = {0.08809523809523867, 0.5333333333333332,
                                  0.09523809523809579, 12.48809523809524,
                                  12.026190476190475,  0.5095238095238104};
    static const double sizes[] = {60, 120, 120};
    static const double measures[] = {698.6568027210888, 0.834149504063648};

    (void)state;
    expect_centres(set, 3, want, sizes, measures);
}

static void
test_five_clusters_agree_with_scikit_learn(void **state)
{
    static const char *const set[] = {"k=5", "starts=20", "tolerance=0", NULL};
    static const double want[] = {0.04761904761904745,
                                  0.5119047619047619,
                                  1.1904761904761898,
                                  13.404761904761903,
                                  0.07380952380952399,
                                  12.485714285714284,
                                  1.1428571428571423,
                                  1.3238095238095235,
                                  0.08809523809523778,
                                  0.5333333333333337,
                                  12.75,
                                  1.266666666666667,
                                  0.1166666666666667,
                                  0.4904761904761905,
                                  0.964285714285714,
                                  1.3476190476190482,
                                  12.004761904761905,
                                  0.5071428571428571,
                                  0.6190476190476182,
                                  1.380952380952381};
    static const double sizes[] = {60, 60, 60, 60, 60};
    static const double measures[] = {2163.652040816327, 0.6957760808305845};

    (void)state;
    expect_centres(set, 5, want, sizes, measures);
}

/* Lloyd's algorithm as it is written in a book, from the centres that were
 * found: nothing may move, and every row has its nearest centre. */
static void
test_no_row_is_nearer_to_another_centre(void **state)
{
    struct lesson l = clustered(NULL, 4000, 6, 5);
    struct panels x;
    struct error err;
    struct kmeans_found f;
    double mean[40 * 6] = {0};

    (void)state;
    assert_true(panels_init(&x, l.d, NULL, &err));
    assert_true(kmeans_run(
        &(struct kmeans_how){
            .x = &x, .k = 40, .max_iter = 1000, .starts = 1, .seed = 3},
        &f, &err));
    assert_int_equal(f.k, 40);
    for (size_t i = 0; i < l.n; i++) {
        double best = INFINITY;
        size_t at = 0;

        for (size_t c = 0; c < f.k; c++) {
            double sum = 0;

            for (size_t j = 0; j < l.p; j++) {
                double d = l.x[j * l.n + i] - f.centre[c * l.p + j];

                sum += d * d;
            }
            if (sum < best - 1e-12) {
                best = sum;
                at = c;
            }
        }
        assert_int_equal(f.label[i], at);
        for (size_t j = 0; j < l.p; j++)
            mean[at * l.p + j] += l.x[j * l.n + i] / f.size[at];
    }
    lesson_expect("centre", f.centre, mean, f.k * l.p, 1e-9);
    kmeans_found_fini(&f);
    panels_fini(&x);
    lesson_free(&l);
}

static double
chosen_k(const char *const *set, size_t blobs)
{
    struct lesson l = lesson_new(&kmeans_family, PROBLEM_NONE, 400, 2);
    void *learner;
    double k = 0;

    for (size_t i = 0; i < l.n; i++) {
        l.x[i] = 10 * (double)(i % blobs) + rng_normal(5, 0, i);
        l.x[l.n + i] = 10 * (double)(i % blobs % 2) + rng_normal(5, 1, i);
    }
    l.set = set;
    learner = lesson_must_learn(&l);

    double *out = lesson_answers(&l, learner);

    for (size_t i = 0; i < l.n; i++)
        k = out[2 * i] > k ? out[2 * i] : k;
    free(out);
    kmeans_family.free(learner);
    lesson_free(&l);
    return k;
}

static void
test_the_silhouette_finds_the_number_of_clusters(void **state)
{
    (void)state;
    assert_true(chosen_k(NULL, 3) == 3);
    assert_true(chosen_k(NULL, 7) == 7);
}

static void
test_the_elbow_finds_the_number_of_clusters(void **state)
{
    static const char *const set[] = {"choose=elbow", NULL};

    (void)state;
    assert_true(chosen_k(set, 3) == 3);
    assert_true(chosen_k(set, 4) == 4);
}

static void
test_equal_rows_leave_no_empty_cluster(void **state)
{
    static const char *const set[] = {"k=6", NULL};
    struct lesson l = lesson_new(&kmeans_family, PROBLEM_NONE, 50, 2);
    struct error err;
    void *learner;
    double size[3];

    (void)state;
    for (size_t i = 0; i < l.n; i++)
        l.x[i] = (double)(i % 3);
    l.set = set;
    learner = lesson_learn(&l, NULL, NULL, &err);
    assert_non_null(learner);
    lesson_tensor(&l, learner, "kmeans.size", size, 3);
    assert_true(size[0] + size[1] + size[2] == 50);
    kmeans_family.free(learner);
    lesson_free(&l);
}

static void
test_more_clusters_than_rows_is_an_error(void **state)
{
    static const char *const set[] = {"k=6", NULL};
    struct lesson l = clustered(set, 5, 2, 3);
    struct error err;

    (void)state;
    assert_null(lesson_learn(&l, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_string_equal(err.message, "k is 6, and there are 5 rows");
    lesson_free(&l);
}

static void
test_a_single_row_is_a_cluster(void **state)
{
    struct lesson l = clustered(NULL, 1, 2, 3);
    void *learner = lesson_must_learn(&l);
    double *out = lesson_answers(&l, learner);

    (void)state;
    assert_true(out[0] == 1 && out[1] == 0);
    free(out);
    kmeans_family.free(learner);
    lesson_free(&l);
}

static void
test_it_keeps_what_every_family_promises(void **state)
{
    static const char *const set[] = {"k=4", "starts=2", NULL};
    struct lesson l = clustered(set, 6000, 5, 4);

    (void)state;
    lesson_same_for_any_threads(&l);
    lesson_free(&l);
    l = clustered(set, N, 4, 3);
    lesson_same_from_file(&l);
    lesson_cancelled_is_an_error(&l);
    lesson_no_memory_is_an_error(&l);
    lesson_damage_is_harmless(&l);
    l.set = NULL;
    lesson_no_memory_is_an_error(&l);
    lesson_free(&l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_clusters_agree_with_scikit_learn),
        cmocka_unit_test(test_five_clusters_agree_with_scikit_learn),
        cmocka_unit_test(test_no_row_is_nearer_to_another_centre),
        cmocka_unit_test(test_the_silhouette_finds_the_number_of_clusters),
        cmocka_unit_test(test_the_elbow_finds_the_number_of_clusters),
        cmocka_unit_test(test_equal_rows_leave_no_empty_cluster),
        cmocka_unit_test(test_more_clusters_than_rows_is_an_error),
        cmocka_unit_test(test_a_single_row_is_a_cluster),
        cmocka_unit_test(test_it_keeps_what_every_family_promises),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
