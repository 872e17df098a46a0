/* tests/unit/test_eigen.c -- eigenvalues, Cholesky, products of columns.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/classic/eigen.h"
#include "engine/classic/gram.h"
#include "engine/classic/tridiagonal.h"

/* a v = lambda v, v'v = 1 and v'w = 0: what makes them eigenvectors. */
static void
expect_vectors(const double *a, size_t n, const double *value, const double *v,
               size_t k)
{
    double size = 0;

    for (size_t i = 0; i < n * n; i++)
        size = fmax(size, fabs(a[i]));
    for (size_t c = 0; c < k; c++) {
        assert_true(c == 0 || value[c] <= value[c - 1]);
        for (size_t i = 0; i < n; i++) {
            double sum = 0;

            for (size_t j = 0; j < n; j++)
                sum += a[i * n + j] * v[c * n + j];
            assert_true(fabs(sum - value[c] * v[c * n + i]) <=
                        1e-13 * (double)n * (size + 1e-300));
        }
        for (size_t d = 0; d <= c; d++) {
            double dot = 0;

            for (size_t j = 0; j < n; j++)
                dot += v[c * n + j] * v[d * n + j];
            assert_true(fabs(dot - (c == d)) < 1e-13 * (double)n);
        }
    }
}

/* A few by inverse iteration, which must get there where values are apart. */
static void
test_values_that_are_apart_have_vectors_by_iteration(void **state)
{
    enum { N = 100, K = 20 };
    static double a[N * N], out[K * N], value[K];
    struct tridiagonal t;
    struct error err;

    (void)state;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j <= i; j++)
            a[i * N + j] = rng_normal(2, i, j);
    assert_true(tridiagonal_make(&t, a, N, NULL, NULL, &err));
    /* 2 - 2 cos(k pi / (n + 1)) are those of the second difference. */
    for (size_t i = 0; i < N; i++) {
        t.d[i] = 2;
        t.e[i] = -1;
    }
    for (size_t k = 0; k < K; k++)
        value[k] = 2 - 2 * cos((double)(N - k) * M_PI / (N + 1));
    assert_true(tridiagonal_vectors(&t, value, K, out, NULL));
    for (size_t k = 0; k < K; k++) {
        double norm = sqrt(2.0 / (N + 1));
        double turn = out[k * N] > 0 ? 1 : -1;

        for (size_t i = 0; i < N; i++)
            assert_true(fabs(turn * out[k * N + i] -
                             norm * sin((double)((N - k) * (i + 1)) * M_PI /
                                        (N + 1))) < 1e-9);
    }
    tridiagonal_fini(&t);
}

/* All of them, and the first few, which are found another way. */
static void
expect_eigen(const double *a, size_t n, struct pool *pool)
{
    double *v = malloc(n * n * sizeof *v), *value = malloc(n * sizeof *value);
    struct eigen *g;
    struct error err;

    memcpy(v, a, n * n * sizeof *v);
    assert_true(eigen_symmetric(v, n, value, pool, NULL, &err));
    expect_vectors(a, n, value, v, n);
    memcpy(v, a, n * n * sizeof *v);
    g = eigen_new(v, n, pool, NULL, &err);
    assert_non_null(g);
    assert_memory_equal(eigen_values(g), value, n * sizeof *value);
    if (n >= 4) {
        double *few = malloc(n / 4 * n * sizeof *few);

        assert_true(eigen_vectors(g, n / 4, few, &err));
        expect_vectors(a, n, value, few, n / 4);
        free(few);
    }
    eigen_free(g);
    free(v);
    free(value);
}

static void
test_random_matrices_have_their_eigenvectors(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 40; n += n < 8 ? 1 : 11) {
        double *a = malloc(n * n * sizeof *a);

        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j <= i; j++)
                a[i * n + j] = a[j * n + i] = rng_normal(n, i, j);
        expect_eigen(a, n, NULL);
        free(a);
    }
}

/* Equal eigenvalues, a zero matrix, blocks, and sizes far apart. */
static void
test_special_matrices_have_their_eigenvectors(void **state)
{
    double a[36] = {0};

    (void)state;
    expect_eigen(a, 6, NULL);
    for (size_t i = 0; i < 6; i++)
        a[i * 7] = 3;
    expect_eigen(a, 6, NULL);
    a[1] = a[6] = 2;
    a[4 * 6 + 5] = a[5 * 6 + 4] = -1;
    expect_eigen(a, 6, NULL);
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 6; j++)
            a[i * 6 + j] = 1;
    expect_eigen(a, 6, NULL);
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 6; j++)
            a[i * 6 + j] =
                ldexp(1.0 + (double)(i * j % 5), -(int)(20 * (i + j)));
    expect_eigen(a, 6, NULL);
}

/* Values that are equal or hardly differ, many of them among the first. */
static void
test_crowded_values_have_vectors_at_right_angles(void **state)
{
    enum { N = 64 };
    static double a[N * N];

    (void)state;
    expect_eigen(a, N, NULL);
    for (size_t i = 0; i < N; i++)
        a[i * (N + 1)] = 3;
    expect_eigen(a, N, NULL);
    for (size_t i = 0; i < N; i++)
        a[i * (N + 1)] = 1 + ldexp(1, -(int)i);
    expect_eigen(a, N, NULL);
    for (size_t i = 0; i < N * N; i++)
        a[i] = 1;
    expect_eigen(a, N, NULL);
    /* Wilkinson's: pairs of values that agree to the last digit. */
    memset(a, 0, sizeof a);
    for (size_t i = 0; i < N; i++) {
        a[i * (N + 1)] = fabs((double)i - (N - 1) / 2.0);
        if (i)
            a[i * N + i - 1] = a[(i - 1) * N + i] = 1;
    }
    expect_eigen(a, N, NULL);
    /* The same block of 8 eight times. */
    memset(a, 0, sizeof a);
    for (size_t i = 0; i < N; i++)
        for (size_t j = i / 8 * 8; j < i / 8 * 8 + 8; j++)
            a[i * N + j] = 1 / (double)(1 + i % 8 + j % 8);
    expect_eigen(a, N, NULL);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++)
            a[i * N + j] =
                ldexp(1.0 + (double)(i * j % 5), -(int)(4 * (i + j)));
    expect_eigen(a, N, NULL);
}

/* 2 on the diagonal and -1 beside it: 2 - 2 cos(k pi / (n + 1)). */
static void
test_the_second_difference_has_known_eigenvalues(void **state)
{
    enum { N = 50 };
    static double a[N * N], value[N];
    struct error err;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        a[i * N + i] = 2;
        if (i)
            a[i * N + i - 1] = a[(i - 1) * N + i] = -1;
    }
    assert_true(eigen_symmetric(a, N, value, NULL, NULL, &err));
    for (size_t k = 0; k < N; k++)
        assert_true(fabs(value[N - 1 - k] -
                         (2 - 2 * cos((double)(k + 1) * M_PI / (N + 1)))) <
                    1e-13);
}

static void
test_threads_do_not_change_a_bit_of_them(void **state)
{
    enum { N = 90 };
    static double one[N * N], many[N * N], a[N], b[N];
    struct error err;

    (void)state;
    for (unsigned threads = 1; threads <= 7; threads += 3) {
        struct pool *pool = pool_new(threads);
        double *m = threads == 1 ? one : many;

        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j <= i; j++)
                m[i * N + j] = m[j * N + i] = rng_normal(1, i, j);
        assert_true(
            eigen_symmetric(m, N, threads == 1 ? a : b, pool, NULL, &err));
        if (threads > 1) {
            assert_memory_equal(one, many, sizeof one);
            assert_memory_equal(a, b, sizeof a);
        }
        pool_free(pool);
    }
}

static void
test_cholesky_solves_and_knows_what_it_cannot(void **state)
{
    double a[] = {4, 2, 2, 2, 5, 3, 2, 3, 6}, x[] = {1, 2, 3};
    double singular[] = {1, 1, 1, 1};

    (void)state;
    assert_true(cholesky(a, 3, NULL));
    cholesky_solve(a, 3, x);
    /* 4a + 2b + 2c = 1, 2a + 5b + 3c = 2, 2a + 3b + 6c = 3 */
    assert_true(fabs(4 * x[0] + 2 * x[1] + 2 * x[2] - 1) < 1e-14);
    assert_true(fabs(2 * x[0] + 5 * x[1] + 3 * x[2] - 2) < 1e-14);
    assert_true(fabs(2 * x[0] + 3 * x[1] + 6 * x[2] - 3) < 1e-14);
    assert_false(cholesky(singular, 2, NULL));
}

static void
test_products_of_columns_are_those_of_a_book(void **state)
{
    enum { N = 3000, P = 70 };
    double *x = malloc(N * P * sizeof *x), *y = malloc(N * sizeof *y);
    static double mean[P], got[P * P], xy[P];
    static struct design_column columns[P];
    struct design *d;
    struct error err;

    (void)state;
    for (size_t i = 0; i < N * P; i++)
        x[i] = rng_normal(2, 0, i) + 3;
    for (size_t i = 0; i < N; i++)
        y[i] = rng_normal(2, 1, i);
    for (size_t j = 0; j < P; j++)
        columns[j].name = "x";
    d = design_dense(x, N, P, columns, &err);
    assert_true(gram_means(d, NULL, mean, &err));
    assert_true(gram_make(
        &(struct gram){
            .d = d, .mean = mean, .y = y, .y_mean = 0.5, .out = got, .xy = xy},
        &err));
    for (size_t i = 0; i < P; i++)
        for (size_t j = 0; j <= P; j++) {
            double want = 0, sum = 0;

            for (size_t r = 0; r < N; r++)
                sum += x[i * N + r] / N;
            assert_true(fabs(mean[i] - sum) < 1e-12);
            for (size_t r = 0; r < N; r++)
                want += (x[i * N + r] - mean[i]) *
                        (j < P ? x[j * N + r] - mean[j] : y[r] - 0.5);
            assert_true(fabs((j < P ? got[i * P + j] : xy[i]) - want) < 1e-9);
        }
    design_free(d);
    free(x);
    free(y);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_that_are_apart_have_vectors_by_iteration),
        cmocka_unit_test(test_random_matrices_have_their_eigenvectors),
        cmocka_unit_test(test_special_matrices_have_their_eigenvectors),
        cmocka_unit_test(test_crowded_values_have_vectors_at_right_angles),
        cmocka_unit_test(test_the_second_difference_has_known_eigenvalues),
        cmocka_unit_test(test_threads_do_not_change_a_bit_of_them),
        cmocka_unit_test(test_cholesky_solves_and_knows_what_it_cannot),
        cmocka_unit_test(test_products_of_columns_are_those_of_a_book),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
