/* Functions of other rows.  Lines marked (pandas) came from pandas 1.5.3:
 * groupby("g", dropna=False) with transform, rank(method="min" or "dense"),
 * shift, cumsum and expanding().mean(), rows sorted by t where it says so.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/window.h"

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
#include "frame/csv.h"
#include "frame/expr.h"

static const char text[] = "g,t,x,s\n"
                           "a,3,10,pear\n"
                           "b,1,4,fig\n"
                           "a,1,2.5,apple\n"
                           "a,2,10,pear\n"
                           "b,2,,kiwi\n"
                           ",5,1,plum\n"
                           "b,3,-1,fig\n"
                           "a,4,,\n"
                           ",4,7,date\n";

static struct frame *
table(void)
{
    struct csv_table t;
    struct error err;
    struct frame *f;

    if (!csv_parse((struct str){text, sizeof text - 1}, "t", NULL, NULL, NULL,
                   &t, &err))
        fail_msg("%s", err.message);
    f = frame_ref(t.frame);
    csv_table_fini(&t);
    return f;
}

/* The values of the rows, "-" for missing; or the error. */
static void
expect(const char *expression, const char *want)
{
    struct frame *f = table();
    struct error err = {0};
    struct expr *e = expr_parse(str_of(expression), &err);
    struct column *c = NULL;
    enum col_type type;
    struct buf got;

    if (e && expr_check(e, f, &type, &err))
        c = expr_eval(e, f, NULL, &err);
    buf_init(&got);
    for (size_t i = 0; c && i < column_rows(c); i++) {
        buf_puts(&got, i ? " " : "");
        if (column_is_valid(c, i))
            column_print(c, i, &got);
        else
            buf_putc(&got, '-');
    }
    if (c)
        assert_int_equal(type, column_type(c));
    else
        buf_puts(&got, err.message);
    if (strcmp(got.data, want))
        fail_msg("%s\n  got  %s\n  want %s", expression, got.data, want);
    buf_fini(&got);
    column_unref(c);
    expr_free(e);
    frame_unref(f);
}

static void
test_aggregates_of_the_group_of_a_row(void **state)
{
    (void)state;
    /* (pandas) */
    expect("mean(x) over (g)", "7.5 1.5 7.5 7.5 1.5 4 1.5 7.5 4");
    expect("median(x) over (g)", "10 1.5 10 10 1.5 4 1.5 10 4");
    expect("round(sd(x) over (g), 12)",
           "4.330127018922 3.535533905933 4.330127018922 4.330127018922 "
           "3.535533905933 4.242640687119 3.535533905933 4.330127018922 "
           "4.242640687119");
    expect("count() over (g)", "4 3 4 4 3 2 3 4 2");
    expect("count(x) over ()", "7 7 7 7 7 7 7 7 7");
    expect("max(s) over (g)", "pear kiwi pear pear kiwi plum kiwi pear plum");
    expect("sum(t) over (g, x > 3)", "5 1 1 5 2 5 3 4 4");
    expect("x - max(x) over (g)", "0 0 -7.5 0 - -6 -5 - 0");
    expect("sum(x - mean(x) over (g)) over ()", "0 0 0 0 0 0 0 0 0");
    expect("share(x > 3) over (g) * 3 // 1", "2 1 2 2 1 1 1 2 1");
}

static void
test_ranks_go_by_the_value(void **state)
{
    (void)state;
    expect("rank(x) over (g)", "2 2 1 2 - 1 1 - 2");        /* (pandas) */
    expect("dense_rank(-x) over (g)", "1 1 2 1 - 2 2 - 1"); /* (pandas) */
    expect("rank(s)", "6 3 1 6 5 8 3 - 2");
    expect("dense_rank(s)", "5 3 1 5 4 6 3 - 2");
}

static void
test_neighbours_and_numbers_along_the_order(void **state)
{
    (void)state;
    /* (pandas) */
    expect("row_number() over (g order by t)", "3 1 1 2 2 2 3 4 1");
    expect("lag(s) over (g order by t)", "pear - - apple fig date kiwi pear -");
    expect("lead(x, 2)", "2.5 10 - 1 -1 - 7 - -");
    expect("lag(x, 0)", "10 4 2.5 10 - 1 -1 - 7");
    expect("lag(x, 9)", "- - - - - - - - -");
    expect("lag(x) over (order by -t, x)", "-1 2.5 - 10 10 - - 7 1");
    expect("row_number()", "1 2 3 4 5 6 7 8 9");
    expect("coalesce(lower(lag(s)), 'none')",
           "none pear fig apple pear kiwi plum fig none");
}

static void
test_running_values(void **state)
{
    (void)state;
    /* (pandas, but for cummean, which is missing where x is) */
    expect("cumsum(x) over (g order by -t)", "10 3 22.5 20 - 1 -1 - 8");
    expect("cummean(x)", "10 7 5.5 6.625 - 5.5 4.416666666666667 - "
                         "4.785714285714286");
    expect("cummax(s) over (g order by t)",
           "pear fig apple pear kiwi plum kiwi - date");
    expect("cummin(x)", "10 4 2.5 2.5 - 1 -1 - -1");
    expect("cumsum(x > 3)", "1 2 2 3 - 3 3 - 4");
    expect("cumsum(9223372036854775803 + t * 0 + 1)",
           "9223372036854775804 - - - - - - - -");
}

static void
test_order_and_over_may_be_names_of_columns(void **state)
{
    static const char *const names[] = {"order", "over"};
    static const enum col_type types[] = {COL_INT64, COL_INT64};
    struct error err = {0};
    struct builder *b = builder_new(2, names, types, &err);
    struct expr *e;
    struct column *c;
    struct frame *f;

    (void)state;
    for (int64_t i = 0; i < 4; i++)
        assert_true(builder_i64(b, 0, i % 2, &err) &&
                    builder_i64(b, 1, 10 - i, &err) &&
                    builder_end_row(b, &err));
    f = builder_finish(b, &err);
    e = expr_parse(STR("cumsum(over) over (order order by over)"), &err);
    assert_non_null(e);
    assert_false(expr_is_rowwise(e));
    c = expr_eval(e, f, NULL, &err);
    assert_non_null(c);
    assert_memory_equal(column_int64s(c), ((int64_t[]){18, 16, 8, 7}), 32);
    column_unref(c);
    expr_free(e);
    e = expr_parse(STR("min(over, order) + over"), &err);
    assert_true(expr_is_rowwise(e));
    expr_free(e);
    frame_unref(f);
}

static void
test_errors_point_at_the_character(void **state)
{
    (void)state;
    expect("1 + mean(x)", "character 5: mean(x) over (...) wants the groups: "
                          "over (column, ...), or over () for all rows");
    expect("abs(x) over ()", "character 8: abs(x) takes no over (...)");
    expect("sum(x) over (g order by t)",
           "character 16: an aggregate does not depend on the order of rows; "
           "cumsum() and its like run along it");
    expect("rank(x) over (order by t)",
           "character 15: ranks go by their value: leave out 'order by'");
    expect("lag(x, t)", "character 8: lag(x, n) over (...) wants a number of "
                        "rows here, such as 1");
    expect("min(x, t) over ()",
           "character 1: with over (...) it takes one value, not 2");
    expect("sum(s) over ()",
           "character 5: sum() wants a number, and this is text");
    expect("cumsum(x) over g",
           "character 16: expected '(' after 'over', found g");
    expect("mean(x) over (gg)",
           "character 15: no column 'gg' (did you mean 'g'?)");
    expect("lag(x) over (g order t)",
           "character 22: expected 'by' after 'order', found t");
}

/* 60,000 rows in 700 groups: against loops over the rows, for one thread and
 * several. */
static void
test_many_rows_agree_with_plain_loops(void **state)
{
    enum { N = 60000, GROUPS = 700 };
    static const char *const names[] = {"g", "x"};
    struct error err = {0};
    int64_t *g = mem_try_aligned(N, sizeof *g, &err);
    int64_t *x = mem_try_aligned(N, sizeof *x, &err);
    static int64_t sum[GROUPS], last[GROUPS];
    struct column *columns[2];
    struct frame *f;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        g[i] = (int64_t)rng_below(1, 0, i, GROUPS);
        x[i] = (int64_t)rng_below(1, 1, i, 1000) - 500;
    }
    columns[0] = column_new(COL_INT64, N, g, NULL, NULL, &err);
    columns[1] = column_new(COL_INT64, N, x, NULL, NULL, &err);
    f = frame_new(N, 2, names, columns, &err);
    assert_non_null(f);
    for (unsigned threads = 1; threads <= 3; threads += 2) {
        struct pool *pool = pool_new(threads);
        struct expr *e = expr_parse(
            STR("cumsum(x) over (g) * 1000000 + coalesce(lag(x) over (g), 0)"),
            &err);
        struct column *c = expr_eval(e, f, pool, &err);

        assert_non_null(c);
        memset(sum, 0, sizeof sum);
        memset(last, 0, sizeof last);
        for (size_t i = 0; i < N; i++) {
            sum[g[i]] += x[i];
            assert_int_equal(column_int64s(c)[i],
                             sum[g[i]] * 1000000 + last[g[i]]);
            last[g[i]] = x[i];
        }
        column_unref(c);
        expr_free(e);
        pool_free(pool);
    }
    frame_unref(f);
}

/* Numbers with many ties, -0 beside 0, NaN and missing ones, in groups of 3
 * sizes; what is expected is counted pair by pair. */
enum { PAIRS = 2500, NONE = -1 };
struct numbers {
    int64_t g[PAIRS];
    double x[PAIRS];
    bool there[PAIRS], first[PAIRS]; /* of its value in its group */
};

static int
by_size(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return a < b ? -1 : a > b;
}

static void
draw(struct numbers *v, uint64_t n_groups)
{
    for (size_t i = 0; i < PAIRS; i++) {
        uint64_t k = rng_below(2, 1, i, 60);

        v->g[i] = (int64_t)rng_below(2, 0, i, n_groups);
        v->x[i] = k == 0   ? (double)NAN
                  : k == 1 ? -0.0
                  : k == 2 ? 0.0
                           : (double)k / 4 - 7;
        v->there[i] = rng_below(2, 2, i, 10) > 0 && v->g[i] != 1;
        v->first[i] = v->there[i];
        for (size_t j = 0; j < i; j++)
            if (v->there[j] && v->g[j] == v->g[i] &&
                by_size(v->x[j], v->x[i]) == 0)
                v->first[i] = false;
    }
}

/* Of the group of row i: values that are smaller, as large and there at all,
 * and how many of those are the first of their kind. */
struct tally {
    int64_t less, equal, all, different_less, different;
};

static struct tally
count_pairs(const struct numbers *v, size_t i)
{
    struct tally t = {0};

    for (size_t j = 0; j < PAIRS; j++) {
        int order = by_size(v->x[j], v->x[i]);

        if (v->g[j] != v->g[i] || !v->there[j])
            continue;
        t.less += order < 0;
        t.equal += order == 0;
        t.all++;
        t.different_less += order < 0 && v->first[j];
        t.different += v->first[j];
    }
    return t;
}

static struct frame *
frame_of(const struct numbers *v)
{
    static const char *const names[] = {"g", "x"};
    struct error err = {0};
    int64_t *g = mem_try_aligned(PAIRS, sizeof *g, &err);
    double *x = mem_try_aligned(PAIRS, sizeof *x, &err);
    uint64_t *valid = mem_try_array((PAIRS + 63) / 64, sizeof *valid, &err);
    struct column *columns[2];

    memcpy(g, v->g, sizeof v->g);
    for (size_t i = 0; i < PAIRS; i++) {
        x[i] = v->there[i] ? v->x[i] : 0;
        valid[i / 64] |= (uint64_t)v->there[i] << (i % 64);
    }
    columns[0] = column_new(COL_INT64, PAIRS, g, NULL, NULL, &err);
    columns[1] = column_new(COL_FLOAT64, PAIRS, x, valid, NULL, &err);
    return frame_new(PAIRS, 2, names, columns, &err);
}

static struct column *
values(const char *expression, const struct frame *f, struct pool *pool)
{
    struct error err = {0};
    struct expr *e = expr_parse(str_of(expression), &err);
    struct column *c = e ? expr_eval(e, f, pool, &err) : NULL;

    if (!c)
        fail_msg("%s: %s", expression, err.message);
    expr_free(e);
    return c;
}

static int64_t
whole(const struct column *c, size_t i)
{
    return column_is_valid(c, i) ? column_int64s(c)[i] : NONE;
}

static void
agree(const struct numbers *v, const struct frame *f, struct pool *pool)
{
    struct column *rank = values("rank(x) over (g)", f, pool);
    struct column *dense = values("dense_rank(x) over (g)", f, pool);
    struct column *distinct = values("distinct(x) over (g)", f, pool);
    struct column *median = values("median(x) over (g)", f, pool);

    for (size_t i = 0; i < PAIRS; i++) {
        struct tally t = count_pairs(v, i);
        bool there = v->there[i];

        assert_int_equal(whole(rank, i), there ? t.less + 1 : NONE);
        assert_int_equal(whole(dense, i), there ? t.different_less + 1 : NONE);
        assert_int_equal(whole(distinct, i), t.different);
        assert_int_equal(column_is_valid(median, i), t.all > 0);
        if (there && t.less <= (t.all - 1) / 2 && t.less + t.equal > t.all / 2)
            assert_int_equal(by_size(column_float64s(median)[i], v->x[i]), 0);
    }
    column_unref(rank);
    column_unref(dense);
    column_unref(distinct);
    column_unref(median);
}

static void
test_ranks_and_medians_agree_with_counting_pairs(void **state)
{
    static const uint64_t n_groups[] = {1, 3, 400};
    static const unsigned threads[] = {1, 2, 7};
    static struct numbers v;

    (void)state;
    for (size_t k = 0; k < 3; k++) {
        struct frame *f;

        draw(&v, n_groups[k]);
        assert_non_null(f = frame_of(&v));
        for (size_t t = 0; t < 3; t++) {
            struct pool *pool = pool_new(threads[t]);

            agree(&v, f, pool);
            pool_free(pool);
        }
        frame_unref(f);
    }
}

static void
test_every_allocation_may_fail(void **state)
{
    static const char *const texts[] = {
        "rank(s) over (g)", "cummax(s) over (g order by -t) = 'x'",
        "mean(x) over (g, t) + cumsum(t)", "median(x) over (g)"};
    struct frame *f = table();

    (void)state;
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        struct error err = {0};
        struct expr *e = expr_parse(str_of(texts[t]), &err);
        struct column *c = NULL;

        for (unsigned long n = 1; !c && n < 500; n++) {
            mem_fault_arm(n, false);
            c = expr_eval(e, f, NULL, &err);
            mem_fault_arm(0, false);
            if (!c)
                assert_int_equal(err.code, ERR_NOMEM);
        }
        assert_non_null(c);
        column_unref(c);
        expr_free(e);
    }
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aggregates_of_the_group_of_a_row),
        cmocka_unit_test(test_ranks_go_by_the_value),
        cmocka_unit_test(test_neighbours_and_numbers_along_the_order),
        cmocka_unit_test(test_running_values),
        cmocka_unit_test(test_order_and_over_may_be_names_of_columns),
        cmocka_unit_test(test_errors_point_at_the_character),
        cmocka_unit_test(test_many_rows_agree_with_plain_loops),
        cmocka_unit_test(test_ranks_and_medians_agree_with_counting_pairs),
        cmocka_unit_test(test_every_allocation_may_fail),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
