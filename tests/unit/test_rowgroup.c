/* Which rows are equal: by keys that fit, by hashing, and by keys that do not
 * fit, against comparing every row with every one before it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/rowgroup.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "frame/builder.h"
#include "frame/keytable.h"
#include "frame/rowkey.h"

enum { N_ROWS = 3000, N_COLS = 5 };

static const char *const names[N_COLS] = {"t", "wide", "x", "b", "n"};
static const enum col_type types[N_COLS] = {COL_TEXT, COL_INT64, COL_FLOAT64,
                                            COL_BOOL, COL_INT64};

static uint64_t
draw(uint64_t stream, size_t i, uint64_t n)
{
    return rng_below(9, stream, i, n);
}

/* A tenth of all values is missing; 0 and -0, NaN, both ends of int64. */
static struct frame *
table(void)
{
    struct error err = {0};
    struct builder *b = builder_new(N_COLS, names, types, &err);
    bool ok = b;

    for (size_t i = 0; ok && i < N_ROWS; i++) {
        const double x[] = {0, -0.0, NAN, INFINITY, 1e-300, -7, 7};
        const int64_t wide[] = {INT64_MIN, INT64_MAX, 0, -1, 1};
        const char *const t[] = {"", "a", "b", "ab"};

        ok = (draw(0, i, 10) == 0 ||
              builder_text(b, 0, str_of(t[draw(1, i, 4)]), &err)) &&
             (draw(2, i, 10) == 0 ||
              builder_i64(b, 1, wide[draw(3, i, 5)], &err)) &&
             (draw(4, i, 10) == 0 ||
              builder_f64(b, 2, x[draw(5, i, 7)], &err)) &&
             (draw(6, i, 10) == 0 ||
              builder_i64(b, 3, (int64_t)draw(7, i, 2), &err)) &&
             builder_i64(b, 4, (int64_t)draw(8, i, 50) - 25, &err) &&
             builder_end_row(b, &err);
    }
    assert_true(ok);
    return builder_finish(b, &err);
}

static bool
equal(const struct frame *f, size_t col, size_t a, size_t b)
{
    const struct column *c = frame_column(f, col);
    double x, y;

    if (!column_is_valid(c, a) || !column_is_valid(c, b))
        return column_is_valid(c, a) == column_is_valid(c, b);
    if (column_type(c) == COL_INT64)
        return column_int64s(c)[a] == column_int64s(c)[b];
    if (column_type(c) == COL_TEXT)
        return str_eq(column_text(c, a), column_text(c, b));
    x = column_number(c, a);
    y = column_number(c, b);
    return x == y || (isnan(x) && isnan(y));
}

static void
find_slowly(const struct frame *f, const size_t *by, size_t n_by,
            uint32_t *first)
{
    for (size_t i = 0; i < N_ROWS; i++)
        for (size_t k = 0; k <= i; k++) {
            size_t c = 0;

            while (c < n_by && equal(f, by[c], i, k))
                c++;
            if (c == n_by) {
                first[i] = (uint32_t)k;
                break;
            }
        }
}

static void
check(const struct frame *f, const size_t *by, size_t n_by, struct pool *pool)
{
    static uint32_t want[N_ROWS];
    struct keytable_in in = {.n = N_ROWS};
    struct rowgroup g;
    struct keytable *t;
    struct rowkey *k;
    struct error err;
    uint64_t *key, *valid;

    find_slowly(f, by, n_by, want);
    assert_true(rowgroup_find(f, by, n_by, pool, NULL, &g, &err));
    for (size_t i = 0; i < N_ROWS; i++)
        assert_int_equal(g.first[g.group[i]], want[i]);
    for (size_t i = 1; i < g.n_groups; i++)
        assert_true(g.first[i - 1] < g.first[i]);
    k = rowkey_new(f, by, n_by, pool, NULL, &err);
    assert_non_null(k);
    assert_true(rowkey_all(k, 0, pool, &key, &valid, &err));
    assert_null(valid);
    in.key = key;
    in.span = rowkey_span(k);
    t = keytable_new(&in, pool, NULL, &err);
    assert_memory_equal(keytable_first(t), want, sizeof want);
    assert_int_equal(keytable_count(t), g.n_groups);
    keytable_free(t);
    rowkey_free(k);
    free(key);
    rowgroup_fini(&g);
}

static void
test_rows_are_equal_where_all_their_columns_are(void **state)
{
    static const size_t by[][N_COLS] = {
        {0}, {1}, {2}, {3}, {4}, {0, 3, 4}, {1, 2}, {2, 1, 0}, {4, 3, 2, 1, 0}};
    static const size_t n_by[] = {1, 1, 1, 1, 1, 3, 2, 3, 5};
    struct frame *f = table();

    (void)state;
    for (unsigned threads = 1; threads <= 3; threads += 2) {
        struct pool *pool = pool_new(threads);

        for (size_t i = 0; i < sizeof n_by / sizeof *n_by; i++)
            check(f, by[i], n_by[i], pool);
        check(f, NULL, 0, pool);
        pool_free(pool);
    }
    frame_unref(f);
}

/* 0 and missing, -0 and 0, must fall as they should among many rows. */
static void
test_zero_and_missing_differ_among_many_rows(void **state)
{
    enum { N = 100000 };
    const char *const name[] = {"v", "w"};
    struct error err = {0};
    double *v = mem_try_aligned(N, sizeof *v, &err);
    int64_t *w = mem_try_aligned(N, sizeof *w, &err);
    uint64_t *valid = mem_try_array((N + 63) / 64, sizeof *valid, &err);
    struct pool *pool = pool_new(3);
    struct column *c[2];
    struct frame *f;
    struct rowgroup g;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        v[i] = i % 2 ? -0.0 : 0.0;
        w[i] = (int64_t)(i % 1000);
        valid[i / 64] |= (uint64_t)(i % 1000 != 7) << (i % 64);
    }
    c[0] = column_new(COL_FLOAT64, N, v, NULL, NULL, &err);
    c[1] = column_new(COL_INT64, N, w, valid, NULL, &err);
    f = frame_new(N, 2, name, c, &err);
    assert_true(
        rowgroup_find(f, (const size_t[]){0, 1}, 2, pool, NULL, &g, &err));
    assert_int_equal(g.n_groups, 1000);
    for (size_t i = 0; i < g.n_groups; i++)
        assert_int_equal(g.first[i], i);
    rowgroup_fini(&g);
    frame_unref(f);
    pool_free(pool);
}

static void
test_ranges_that_do_not_fit_are_told(void **state)
{
    struct frame *f = table();
    struct error err = {0};
    bool packs = true;

    (void)state;
    assert_null(rowkey_new(f, (const size_t[]){1, 2}, 2, NULL, &packs, &err));
    assert_false(packs);
    assert_int_equal(err.code, ERR_NONE);
    frame_unref(f);
}

static void
test_every_allocation_may_fail(void **state)
{
    static const size_t by[] = {4, 3, 2, 1, 0};
    struct frame *f = table();
    struct rowgroup g = {0};
    struct error err;
    bool ok = false;

    (void)state;
    for (unsigned long n = 1; !ok && n < 200; n++) {
        mem_fault_arm(n, false);
        ok = rowgroup_find(f, by, 5, NULL, NULL, &g, &err);
        mem_fault_arm(0, false);
        if (!ok)
            assert_int_equal(err.code, ERR_NOMEM);
        rowgroup_fini(&g);
    }
    assert_true(ok);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_equal_where_all_their_columns_are),
        cmocka_unit_test(test_zero_and_missing_differ_among_many_rows),
        cmocka_unit_test(test_ranges_that_do_not_fit_are_told),
        cmocka_unit_test(test_every_allocation_may_fail),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
