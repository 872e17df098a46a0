/* Sorting, groups, frequencies, distinct rows.  Numbers marked (pandas) came
 * from pandas 1.5.3 on the same table.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/query.h"

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
#include "frame/order.h"

static const char *const names[] = {"city", "n", "x", "ok", "day"};
static const enum col_type types[] = {COL_TEXT, COL_INT64, COL_FLOAT64,
                                      COL_BOOL, COL_DATE};
enum { CITY, COUNT, X, OK, DAY, N_COLS };
static const char *const rows[][N_COLS] = {
    {"b", "3", "1.5", "true", "2024-01-02"},
    {"a", "-1", "nan", "false", "2024-01-01"},
    {"-", "3", "-0", "true", "-"},
    {"b", "-", "2.5", "-", "1969-12-31"},
    {"a", "3", "0", "true", "2024-01-01"},
    {"b", "3", "1.5", "true", "2024-01-02"},
    {"A", "9", "-inf", "false", "2024-01-03"},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

static struct frame *
table(void)
{
    struct error err = {0};
    struct builder *b = builder_new(N_COLS, names, types, &err);

    assert_non_null(b);
    for (size_t r = 0; r < N_ROWS; r++) {
        for (size_t c = 0; c < N_COLS; c++)
            if (strcmp(rows[r][c], "-") &&
                !builder_parse(b, c, str_of(rows[r][c]), &err))
                fail_msg("%s", err.message);
        assert_true(builder_end_row(b, &err));
    }
    return builder_finish(b, &err);
}

/* All cells of a frame: rows end in ";", missing cells are "-". */
static void
expect_frame(struct frame *f, const char *want)
{
    struct buf got;

    assert_non_null(f);
    buf_init(&got);
    for (size_t c = 0; c < frame_cols(f); c++)
        buf_printf(&got, "%s%s", c ? "," : "", frame_name(f, c));
    for (size_t r = 0; r < frame_rows(f); r++)
        for (size_t c = 0; c < frame_cols(f); c++) {
            buf_puts(&got, c ? "," : ";");
            if (column_is_valid(frame_column(f, c), r))
                column_print(frame_column(f, c), r, &got);
            else
                buf_putc(&got, '-');
        }
    if (strcmp(got.data, want))
        fail_msg("got  %s\n       want %s", got.data, want);
    buf_fini(&got);
    frame_unref(f);
}

static void
expect_order(const struct query_key *keys, size_t n_keys, const char *want)
{
    struct frame *f = table();
    struct error err = {0};
    uint32_t *ids = query_sort(f, keys, n_keys, NULL, NULL, &err);
    char got[N_ROWS + 1] = "";

    assert_non_null(ids);
    for (size_t i = 0; i < N_ROWS; i++)
        got[i] = (char)('0' + ids[i]);
    assert_string_equal(got, want);
    free(ids);
    for (size_t n = 1; n <= N_ROWS; n++) {
        assert_non_null(ids = query_top(f, keys, n_keys, n, NULL, &err));
        for (size_t i = 0; i < n; i++)
            assert_int_equal('0' + ids[i], want[i]);
        free(ids);
    }
    frame_unref(f);
}

static void
test_sort_is_stable_with_missing_last(void **state)
{
    (void)state;
    expect_order(&(struct query_key){COUNT, false}, 1, "1024563");
    expect_order(&(struct query_key){COUNT, true}, 1, "6024513");
    expect_order(&(struct query_key){CITY, false}, 1, "6140352");
    expect_order(&(struct query_key){CITY, true}, 1, "0351462");
    expect_order(&(struct query_key){DAY, false}, 1, "3140562");
    expect_order(&(struct query_key){OK, false}, 1, "1602453");
    /* -inf, -0 and 0 equal, 1.5 twice, 2.5, NaN */
    expect_order(&(struct query_key){X, false}, 1, "6240531");
    expect_order(NULL, 0, "0123456");
}

static void
test_sort_by_several_keys(void **state)
{
    const struct query_key keys[] = {{COUNT, false}, {CITY, true}, {X, true}};

    (void)state;
    expect_order(keys, 3, "1054263");
}

/* A sort of many rows, against qsort with a total order. */
static int64_t big[200000];

static int
by_big(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    if (big[x] != big[y])
        return big[x] < big[y] ? -1 : 1;
    return (x > y) - (x < y);
}

static void
test_sort_of_many_rows_agrees_with_qsort(void **state)
{
    enum { N = sizeof big / sizeof *big };
    struct error err = {0};
    const char *const name[] = {"v"};
    int64_t *data = mem_try_aligned(N, sizeof *data, &err);
    uint32_t *want = malloc(N * sizeof *want), *got;
    struct pool *pool = pool_new(3);
    struct column *c;
    struct frame *f;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        data[i] = big[i] = (int64_t)(i * 2654435761u % 5003) * 100003 - 99999;
        want[i] = (uint32_t)i;
    }
    c = column_new(COL_INT64, N, data, NULL, NULL, &err);
    f = frame_new(N, 1, name, &c, &err);
    got = query_sort(f, &(struct query_key){0, false}, 1, pool, NULL, &err);
    qsort(want, N, sizeof *want, by_big);
    assert_memory_equal(got, want, N * sizeof *want);
    free(got);
    for (size_t n = 1; n <= N; n = n * 7 + 5) {
        got = query_top(f, &(struct query_key){0, false}, 1, n, pool, &err);
        assert_memory_equal(got, want, n * sizeof *want);
        free(got);
    }
    free(want);
    frame_unref(f);
    pool_free(pool);
}

static int
by_key(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Lengths about the chunks of 2^18, with odd runs left over. */
static void
test_wide_sort_agrees_with_qsort(void **state)
{
    static const size_t lengths[] = {0, 1, 262144, 262145, 700001, 1048577};
    struct pool *pool = pool_new(3);
    struct error err = {0};

    (void)state;
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        size_t n = lengths[k];
        uint64_t *key = mem_try_array(n, sizeof *key, &err), *got;
        uint64_t *scratch = mem_try_array(n, sizeof *scratch, &err);
        uint64_t *want = mem_try_array(n, sizeof *want, &err);

        for (size_t i = 0; i < n; i++)
            want[i] = key[i] = rng_at(1, 2, i) >> (i % 3 ? 40 : 0);
        qsort(want, n, sizeof *want, by_key);
        got = order_sort_wide(key, scratch, n, pool, NULL);
        assert_memory_equal(got, want, n * sizeof *want);
        free(key);
        free(scratch);
        free(want);
    }
    pool_free(pool);
}

/* By number and by text, whose order in a dictionary takes long, too. */
static void
a_sort_that_is_stopped_says_so(void **state)
{
    struct frame *f = table();
    struct progress stop;

    (void)state;
    progress_init(&stop);
    progress_stop(&stop);
    for (size_t col = 0; col < frame_cols(f); col++) {
        struct query_key key = {col, false};
        struct error err = {0};

        assert_null(query_sort(f, &key, 1, NULL, &stop, &err));
        assert_int_equal(err.code, ERR_CANCELLED);
    }
    frame_unref(f);
}

static void
test_frequency_most_frequent_first(void **state)
{
    struct error err = {0};
    struct frame *f = table();

    (void)state;
    expect_frame(query_frequency(f, CITY, NULL, NULL, &err),
                 "value,count,share;b,3,0.42857142857142855;"
                 "a,2,0.2857142857142857;A,1,0.14285714285714285;"
                 "-,1,0.14285714285714285");
    expect_frame(query_frequency(f, COUNT, NULL, NULL, &err),
                 "value,count,share;3,4,0.5714285714285714;"
                 "-1,1,0.14285714285714285;9,1,0.14285714285714285;"
                 "-,1,0.14285714285714285");
    expect_frame(query_frequency(f, X, NULL, NULL, &err),
                 "value,count,share;0,2,0.2857142857142857;"
                 "1.5,2,0.2857142857142857;-inf,1,0.14285714285714285;"
                 "2.5,1,0.14285714285714285;nan,1,0.14285714285714285");
    frame_unref(f);
}

static void
test_groups_come_in_order_of_appearance(void **state)
{
    const char *const aggregates[] = {
        "rows = count()",          "n = count(n)",   "gaps = missing(n)",
        "different = distinct(n)", "total = sum(n)", "good = share(ok)"};
    struct error err = {0};
    struct frame *f = table();

    (void)state;
    expect_frame(
        query_group(f, &(size_t){CITY}, 1, aggregates, 6, NULL, NULL, &err),
        "city,rows,n,gaps,different,total,good;"
        "b,3,2,1,1,6,1;a,2,2,0,2,2,0.5;-,1,1,0,1,3,1;A,1,1,0,1,9,0");
    frame_unref(f);
}

static void
test_aggregates_of_every_kind(void **state)
{
    const char *const aggregates[] = {
        "mean(n)",     "sd(n)",        "median(n * 2)", "min(day)",
        "max(city)",   "low = min(n)", "count(n=3)",    "twice = sum(n*2)",
        "share(n = 3)"};
    struct error err = {0};
    struct frame *f = table();

    (void)state;
    /* All rows are one group.  Mean, sd (pandas). */
    expect_frame(query_group(f, NULL, 0, aggregates, 9, NULL, NULL, &err),
                 "mean(n),sd(n),median(n * 2),min(day),max(city),low,"
                 "count(n=3),twice,share(n = 3);3.3333333333333335,"
                 "3.204163957519444,6,1969-12-31,b,-1,6,40,"
                 "0.6666666666666666");
    expect_frame(
        query_group(f, &(size_t){OK}, 1,
                    (const char *const[]){"sd(n)", "max(x)", "min(day)"}, 3,
                    NULL, NULL, &err),
        "ok,sd(n),max(x),min(day);true,0,1.5,2024-01-01;"
        "false,7.0710678118654755,nan,2024-01-01;-,-,2.5,1969-12-31");
    frame_unref(f);
}

static void
test_sum_beyond_int64_is_missing(void **state)
{
    struct error err = {0};
    struct frame *f = table();

    (void)state;
    expect_frame(query_group(f, NULL, 0,
                             (const char *const[]){
                                 "s = sum(if(n = 9, 9223372036854775807, 1))"},
                             1, NULL, NULL, &err),
                 "s;-");
    frame_unref(f);
}

static void
expect_group_error(const char *aggregate, const char *want)
{
    struct error err = {0};
    struct frame *f = table();

    assert_null(
        query_group(f, &(size_t){CITY}, 1, &aggregate, 1, NULL, NULL, &err));
    assert_string_equal(err.message, want);
    frame_unref(f);
}

static void
test_bad_aggregates_say_why(void **state)
{
    (void)state;
    expect_group_error("t = summ(n)", "t = summ(n): no aggregate 'summ' (did "
                                      "you mean 'sum'?)");
    expect_group_error("t = avg(n)", "t = avg(n): no aggregate 'avg' (did you "
                                     "mean 'mean'?)");
    expect_group_error("len(n)", "len(n): no aggregate 'len' (did you mean "
                                 "'count'?)");
    expect_group_error("t = sum(m)",
                       "t = sum(m): character 9: no column 'm' (did "
                       "you mean 'n'?)");
    expect_group_error("t = sum(city)",
                       "t = sum(city): sum() wants a number, and this is text");
    expect_group_error("share(n)",
                       "share(n): share() wants a condition, and this is int");
    expect_group_error("sum", "sum: expected name = function(value), as in "
                              "total = sum(price)");
    expect_group_error("mean()", "mean(): mean() wants a value");
    expect_group_error("", ": expected name = function(value), as in total = "
                           "sum(price)");
}

static void
test_no_memory_is_an_error(void **state)
{
    const char *const aggregates[] = {"a = median(n)", "max(city)"};
    struct frame *f = table();

    (void)state;
    for (unsigned long n = 1;; n++) {
        struct error err = {0};
        struct frame *groups = NULL, *counts = NULL;
        uint32_t *ids;

        mem_fault_arm(n, false);
        ids = query_sort(f, &(struct query_key){CITY, false}, 1, NULL, NULL,
                         &err);
        if (ids)
            counts = query_frequency(f, CITY, NULL, NULL, &err);
        if (counts)
            groups = query_group(f, &(size_t){OK}, 1, aggregates, 2, NULL, NULL,
                                 &err);
        mem_fault_arm(0, false);
        if (!groups)
            assert_int_equal(err.code, ERR_NOMEM);
        free(ids);
        frame_unref(counts);
        frame_unref(groups);
        if (groups)
            break;
        assert_true(n < 1000);
    }
    frame_unref(f);
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* As qsort() has them, what is missing behind. */
static void
test_numbers_are_sorted_as_they_compare(void **state)
{
    enum { MANY = 600000 };
    static const double odd[] = {INFINITY, -INFINITY, 0, -0.0, 5e-324, -1e308};
    const size_t sizes[] = {0, 1, 2, 40, 1000, MANY};
    double *got = malloc(MANY * sizeof *got),
           *want = malloc(MANY * sizeof *got);
    struct pool *pool = pool_new(2);
    struct error err;

    (void)state;
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        size_t n = sizes[k], m = 0;

        for (size_t i = 0; i < n; i++) {
            got[i] = i % 97 == 3   ? (double)NAN
                     : i % 31 == 1 ? odd[i % 6]
                                   : rng_normal(1, k, i % 5000);
            if (!isnan(got[i]))
                want[m++] = got[i];
        }
        qsort(want, m, sizeof *want, by_value);
        assert_true(order_numbers(got, n, pool, &err));
        for (size_t i = 0; i < n; i++)
            assert_true(i < m ? got[i] == want[i] : isnan(got[i]));
    }
    pool_free(pool);
    free(got);
    free(want);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_sorted_as_they_compare),
        cmocka_unit_test(test_sort_is_stable_with_missing_last),
        cmocka_unit_test(test_sort_by_several_keys),
        cmocka_unit_test(test_sort_of_many_rows_agrees_with_qsort),
        cmocka_unit_test(test_wide_sort_agrees_with_qsort),
        cmocka_unit_test(a_sort_that_is_stopped_says_so),
        cmocka_unit_test(test_frequency_most_frequent_first),
        cmocka_unit_test(test_groups_come_in_order_of_appearance),
        cmocka_unit_test(test_aggregates_of_every_kind),
        cmocka_unit_test(test_sum_beyond_int64_is_missing),
        cmocka_unit_test(test_bad_aggregates_say_why),
        cmocka_unit_test(test_no_memory_is_an_error),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
