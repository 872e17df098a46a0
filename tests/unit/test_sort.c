/* qsort() that can be stopped.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/sort.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tests/lib/close.h"

/* A size that is no power of 2, as of records in general. */
struct item {
    uint32_t key, row;
    char rest[4];
};

static int
by_key(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static struct item *
make_items(size_t n)
{
    struct item *item = calloc(n + 1, sizeof *item);

    assert_non_null(item);
    for (size_t i = 0; i < n; i++)
        item[i] = (struct item){
            (uint32_t)rng_below(1, n, i, n / 3 + 1), (uint32_t)i, {(char)i}};
    return item;
}

static void
test_items_come_out_as_qsort_sorts_them(void **state)
{
    const size_t sizes[] = {0,     1,     2,     1000,          16383,  16384,
                            16385, 32768, 49153, (1 << 17) + 7, 1000003};
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct item *got = make_items(sizes[i]), *want = make_items(sizes[i]);

        qsort(want, sizes[i], sizeof *want, by_key);
        assert_ok(sort_items(got, sizes[i], sizeof *got, by_key, NULL, &err),
                  err);
        assert_memory_equal(got, want, sizes[i] * sizeof *got);
        free(got);
        free(want);
    }
}

static void
test_sorting_can_be_stopped_at_each_look(void **state)
{
    enum { N = 300000, MANY = 1 << 30 };
    atomic_uint_least64_t looks;
    struct progress progress;
    struct error err = {0};
    struct item *item = make_items(N);
    uint64_t all;

    (void)state;
    progress_init(&progress);
    progress.looks = &looks;
    atomic_init(&looks, MANY);
    assert_ok(sort_items(item, N, sizeof *item, by_key, &progress, &err), err);
    all = MANY - atomic_load(&looks);
    assert_true(all > N / 16384);
    free(item);
    for (uint64_t i = 0; i < all; i += 1 + i / 8) {
        item = make_items(N);
        atomic_store(&looks, i);
        assert_false(
            sort_items(item, N, sizeof *item, by_key, &progress, &err));
        assert_int_equal(err.code, ERR_CANCELLED);
        assert_int_equal(atomic_load(&looks), 0);
        free(item);
    }
}

static void
test_where_memory_runs_out_it_says_so(void **state)
{
    struct error err = {0};
    struct item *item = make_items(20000);

    (void)state;
    mem_fault_arm(1, false);
    assert_false(sort_items(item, 20000, sizeof *item, by_key, NULL, &err));
    assert_int_equal(err.code, ERR_NOMEM);
    mem_fault_arm(1, false);
    assert_ok(sort_items(item, 1000, sizeof *item, by_key, NULL, &err), err);
    mem_fault_arm(0, false);
    free(item);
}

/* numpy 1.24: np.sort, np.quantile. */
static void
test_numbers_in_order_have_the_quantiles_of_numpy(void **state)
{
    double x[] = {3.5, -1, 7, 0.25, NAN, 2, -0.0, 11};
    double down[] = {1, NAN, 3, 2};

    (void)state;
    qsort(x, 8, sizeof *x, sort_rising);
    assert_true(isnan(x[0]));
    assert_close(x[1], -1, 0);
    assert_close(x[7], 11, 0);
    assert_close(sort_quantile(x + 1, 7, 0), -1, 0);
    assert_close(sort_quantile(x + 1, 7, 0.25), 0.125, 1e-15);
    assert_close(sort_quantile(x + 1, 7, 0.9), 8.6, 1e-15);
    assert_close(sort_quantile(x + 1, 7, 1), 11, 0);
    qsort(down, 4, sizeof *down, sort_falling);
    assert_true(isnan(down[0]));
    assert_close(down[1], 3, 0);
    assert_close(down[3], 1, 0);
}

/* Against a count of each by hand. */
static void
test_numbers_in_order_tell_how_many_are_less(void **state)
{
    static const double x[] = {-INFINITY, -2, 0, 0, 0.5, 3, 3, 3, 8};
    static const double asked[] = {-INFINITY, -3, -2,  -0.0,    0.25,
                                   3,         8,  8.5, INFINITY};

    (void)state;
    for (size_t n = 0; n <= 9; n++)
        for (size_t k = 0; k < 9; k++) {
            size_t below = 0, up_to = 0;

            for (size_t i = 0; i < n; i++) {
                below += x[i] < asked[k];
                up_to += x[i] <= asked[k];
            }
            assert_int_equal(sort_below(x, n, asked[k]), below);
            assert_int_equal(sort_up_to(x, n, asked[k]), up_to);
        }
    assert_int_equal(sort_up_to(x, 9, NAN), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_come_out_as_qsort_sorts_them),
        cmocka_unit_test(test_sorting_can_be_stopped_at_each_look),
        cmocka_unit_test(test_where_memory_runs_out_it_says_so),
        cmocka_unit_test(test_numbers_in_order_have_the_quantiles_of_numpy),
        cmocka_unit_test(test_numbers_in_order_tell_how_many_are_less),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
