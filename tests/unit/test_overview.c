/* Tables about a table, and the way back to its rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/overview.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "frame/bins.h"
#include "frame/builder.h"
#include "frame/csv.h"
#include "frame/query.h"
#include "frame/verbs.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Two rows twice, one of them once more but for its price. */
static const char sales[] = "region,price,qty,day\n"
                            "north,2.5,3,2025-01-30\n"
                            "south,4,1,2025-02-28\n"
                            "north,2.5,3,2025-01-30\n"
                            ",,5,2025-03-01\n"
                            "south,4,1,2025-02-28\n"
                            "north,,3,2025-01-30\n"
                            ",,7,\n";

static struct frame *
read_csv(const char *text)
{
    struct csv_table t;
    struct error err;
    struct frame *f;

    if (!csv_parse(str_of(text), "test", NULL, NULL, NULL, &t, &err))
        fail_msg("%s", err.message);
    f = frame_ref(t.frame);
    csv_table_fini(&t);
    return f;
}

/* Takes got; CSV with newlines as ";". */
static void
expect(struct frame *got, const struct error *err, const char *want)
{
    struct buf text;

    buf_init(&text);
    if (got)
        csv_write_rows(got, 0, frame_rows(got), true, ',', &text);
    else
        buf_puts(&text, err->message);
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\n')
            text.data[i] = ';';
    if (strcmp(text.data, want))
        fail_msg("got  %s\n       want %s", text.data, want);
    buf_fini(&text);
    frame_unref(got);
}

static void
expect_bins(const char *csv, size_t wanted, bool logarithmic, const char *step,
            const char *edges)
{
    struct frame *f = read_csv(csv);
    struct error err;
    struct bins b;
    struct buf text;

    if (!bins_of(frame_column(f, 0), wanted, logarithmic, NULL, &b, &err))
        fail_msg("%s", err.message);
    buf_init(&text);
    for (size_t i = 0; b.n && i <= b.n; i++)
        buf_printf(&text, "%s%.6g", i ? " " : "", b.edge[i]);
    assert_string_equal(b.step, step);
    assert_string_equal(text.data, edges);
    buf_fini(&text);
    bins_fini(&b);
    frame_unref(f);
}

static void
test_bins_have_round_edges_that_hold_every_value(void **state)
{
    (void)state;
    expect_bins("x\n0.13\n0.98\n", 5, false, "0.2", "0 0.2 0.4 0.6 0.8 1");
    expect_bins("x\n-7\n13\n", 4, false, "5", "-10 -5 0 5 10 15");
    /* Whole numbers are not cut. */
    expect_bins("x\n1\n2\n3\n", 20, false, "1", "1 2 3 4");
    expect_bins("x\n5\n5\n", 20, false, "1", "5 6");
    expect_bins("x\n-1\n1\n10\n100\n", 2, true, "", "1 10 100");
}

/* Days since 1970: 2025-01-01 is 20089, February 20120, March 20148. */
static void
test_bins_of_days_are_of_the_calendar(void **state)
{
    (void)state;
    expect_bins("d\n2025-01-30\n2025-02-28\n", 2, false, "month",
                "20089 20120 20148");
    /* 2025-01-27, a Monday, is 20115. */
    expect_bins("d\n2025-01-30\n2025-02-12\n", 3, false, "week",
                "20115 20122 20129 20136");
    expect_bins("d\n2025-01-30\n2025-01-31\n", 5, false, "day",
                "20118 20119 20120");
    expect_bins(
        "t\n2025-01-30T10:20:00\n2025-01-30T14:40:00\n", 5, false, "hour",
        "1.73823e+09 1.73823e+09 1.73824e+09 1.73824e+09 1.73825e+09 1.73825e+09");
    expect_bins("d\n1901-05-01\n2025-01-31\n", 20, false, "decade",
                "-25567 -21915 -18263 -14610 -10958 -7305 -3653 "
                "0 3652 7305 10957 14610 18262 21915");
}

static void
test_text_is_not_cut_into_bins(void **state)
{
    struct frame *f = read_csv("a\nx\ny\n");
    struct error err = {0};

    (void)state;
    expect(overview_frequency(f, "a", 10, NULL, NULL, &err), &err,
           "a: text is not cut into bins");
    expect(overview_frequency(f, "b", 10, NULL, NULL, &err), &err,
           "no column 'b' (did you mean 'a'?)");
    frame_unref(f);
}

static void
test_ranges_count_every_row_once(void **state)
{
    struct frame *f = read_csv(sales);
    struct error err = {0};

    (void)state;
    expect(overview_frequency(f, "qty", 2, NULL, NULL, &err), &err,
           "from,to,count,share;0,5,5,0.7142857142857143;"
           "5,10,2,0.2857142857142857;");
    expect(overview_frequency(f, "day", 3, NULL, NULL, &err), &err,
           "from,to,count,share;"
           "2025-01-01,2025-02-01,3,0.42857142857142855;"
           "2025-02-01,2025-03-01,2,0.2857142857142857;"
           "2025-03-01,2025-04-01,1,0.14285714285714285;"
           ",,1,0.14285714285714285;");
    expect(overview_frequency(f, "qty", 0, NULL, NULL, &err), &err,
           "value,count,share;3,3,0.42857142857142855;1,2,0.2857142857142857;"
           "5,1,0.14285714285714285;7,1,0.14285714285714285;");
    frame_unref(f);
}

static void
test_counts_by_group_add_up(void **state)
{
    struct frame *f = read_csv(sales);
    const uint32_t group[] = {0, 1, 0, 2, 1, 0, 2}; /* the third not counted */
    struct error err;
    struct bins b;
    size_t count[2 * 3];

    (void)state;
    assert_true(bins_of(frame_column(f, 2), 2, false, NULL, &b, &err));
    assert_int_equal(b.n, 2);
    assert_true(
        bins_count(frame_column(f, 2), &b, group, 2, NULL, count, &err));
    assert_int_equal(count[0], 3);
    assert_int_equal(count[1] + count[2], 0);
    assert_int_equal(count[3], 2);
    bins_fini(&b);
    frame_unref(f);
}

static void
test_missing_tells_which_rows_miss_nothing_else(void **state)
{
    struct frame *f = read_csv(sales);
    struct error err = {0};

    (void)state;
    expect(overview_missing(f, NULL, NULL, &err), &err,
           "column,missing,share,only;"
           "region,2,0.2857142857142857,0;price,3,0.42857142857142855,1;"
           "qty,0,0.0,0;day,1,0.14285714285714285,0;");
    expect(overview_patterns(f, NULL, NULL, &err), &err,
           "missing,columns,rows,share;,0,4,0.5714285714285714;"
           "\"region, price\",2,1,0.14285714285714285;"
           "price,1,1,0.14285714285714285;"
           "\"region, price, day\",3,1,0.14285714285714285;");
    frame_unref(f);
}

/* pandas 1.5.3: df.groupby(list(df), dropna=False).size() */
static void
test_duplicates_come_once_with_their_number(void **state)
{
    struct frame *f = read_csv(sales), *g;
    struct error err = {0};

    (void)state;
    expect(overview_duplicates(f, NULL, NULL, NULL, &err), &err,
           "copies,region,price,qty,day;2,north,2.5,3,2025-01-30;"
           "2,south,4.0,1,2025-02-28;");
    expect(overview_duplicates(f, NAMES("region"), NULL, NULL, &err), &err,
           "copies,region;3,north;2,south;2,;");
    expect(overview_duplicates(f, NAMES("regio"), NULL, NULL, &err), &err,
           "no column 'regio' (did you mean 'region'?)");
    frame_unref(f);
    g = read_csv("copies,b\n1,2\n1,2\n1,3\n");
    expect(overview_duplicates(g, NULL, NULL, NULL, &err), &err,
           "copies_2,copies,b;2,1,2;");
    frame_unref(g);
}

/* pandas 1.5.3: describe(), and numpy's default quantiles. */
static void
test_a_description_has_a_row_for_each_column(void **state)
{
    struct frame *f = read_csv(sales), *d, *some;
    struct profile_options o = {0};
    struct error err = {0};
    struct profile *p = profile_new(f, &o, NULL, NULL, &err);

    (void)state;
    assert_non_null(p);
    d = overview_describe(p, &err);
    assert_non_null(d);
    some = verb_select(d,
                       NAMES("column", "type", "missing", "distinct", "mean",
                             "min", "q25", "median", "max", "low", "high",
                             "top", "top_share"),
                       &err);
    expect(
        some, &err,
        "column,type,missing,distinct,mean,min,q25,median,max,low,high,top,"
        "top_share;"
        "region,text,2,2,,,,,,,,north,0.42857142857142855;"
        "price,float,3,2,3.25,2.5,2.5,3.25,4.0,2.5,4,2.5,0.2857142857142857;"
        "qty,int,0,4,3.2857142857142856,1.0,2.0,3.0,7.0,1,7,3,0.42857142857142855;"
        "day,date,1,3,,,,,,2025-01-30,2025-03-01,2025-01-30,"
        "0.42857142857142855;");
    frame_unref(d);
    profile_free(p);
    frame_unref(f);
}

static void
test_relations_are_a_matrix_with_ones_across(void **state)
{
    struct frame *f =
        read_csv("column,b,c\n1,2,k\n2,4,k\n3,6,k\n4,8,k\n5,10,k\n"
                 "6,12,k\n7,14,k\n8,16,k\n9,18,k\n10,20,k\n");
    struct profile_options o = {0};
    struct error err = {0};
    struct profile *p = profile_new(f, &o, NULL, NULL, &err);

    (void)state;
    assert_non_null(p);
    expect(overview_relations(p, RELATION_PEARSON, &err), &err,
           "column,column_2,b;column,1.0,1.0;b,1.0,1.0;");
    profile_free(p);
    frame_unref(f);
}

static void
test_numbers_without_rows_in_common_keep_their_place(void **state)
{
    struct frame *f = read_csv("a,b,c\n1,2,\n2,4,\n3,6,\n4,8,\n5,1,\n"
                               ",,1\n,,3\n,,2\n,,5\n,,8\n");
    struct error err = {0};
    struct profile *p =
        profile_new(f, &(struct profile_options){0}, NULL, NULL, &err);
    struct frame *r;

    (void)state;
    assert_non_null(p);
    r = overview_relations(p, RELATION_PEARSON, &err);
    assert_non_null(r);
    assert_int_equal(frame_cols(r), 4);
    assert_true(column_is_valid(frame_column(r, 2), 0));
    assert_false(column_is_valid(frame_column(r, 3), 0));
    assert_true(column_is_valid(frame_column(r, 3), 2));
    frame_unref(r);
    profile_free(p);
    frame_unref(f);
}

/* ---- the way back ---- */

/* Every row of the frequencies stands for as many rows as it says. */
static void
check_way_back(const struct frame *f, const char *name, size_t bins)
{
    struct error err = {0};
    struct frame *counts = overview_frequency(f, name, bins, NULL, NULL, &err),
                 *rows;
    const int64_t *n = column_int64s(
        frame_column(counts, (size_t)frame_find(counts, "count")));
    struct buf text;

    buf_init(&text);
    for (size_t i = 0; i < frame_rows(counts); i++) {
        buf_clear(&text);
        if (bins)
            overview_put_range(&text, name, counts, i);
        else
            overview_put_equals(&text, name, frame_column(counts, 0), i);
        if (!(rows = verb_where(f, text.data, NULL, &err)))
            fail_msg("%s: %s", text.data, err.message);
        if ((int64_t)frame_rows(rows) != n[i])
            fail_msg("%s: %zu rows, not %lld", text.data, frame_rows(rows),
                     (long long)n[i]);
        frame_unref(rows);
    }
    buf_fini(&text);
    frame_unref(counts);
}

static void
test_each_value_leads_back_to_its_rows(void **state)
{
    static const char odd[] =
        "`a b`,is,\"say \"\"x\"\"\",on,when,x\n"
        "it's,1,\"a \"\"b\"\"\",true,2025-01-30T10:20:30,0.1\n"
        "\"x,y\",-9223372036854775808,,false,2025-01-30T10:20:30.5,1e300\n"
        "`q`,9223372036854775807,c,true,,-0.0\n"
        ",1,,,2024-02-29T00:00:00,0\n";
    struct frame *f = read_csv(odd);

    (void)state;
    for (size_t i = 0; i < frame_cols(f); i++)
        check_way_back(f, frame_name(f, i), 0);
    check_way_back(f, "when", 4);
    check_way_back(f, "x", 3);
    frame_unref(f);
    f = read_csv(sales);
    check_way_back(f, "day", 20);
    check_way_back(f, "price", 20);
    frame_unref(f);
}

static struct frame *
floats(const double *v, size_t n)
{
    static const enum col_type types[] = {COL_FLOAT64};
    struct error err;
    struct builder *b = builder_new(1, NAMES("x"), types, &err);

    assert_non_null(b);
    for (size_t i = 0; i < n; i++) {
        assert_true(builder_f64(b, 0, v[i], &err));
        assert_true(builder_end_row(b, &err));
    }
    assert_true(builder_end_row(b, &err)); /* a missing one */
    return builder_finish(b, &err);
}

static void
test_what_has_no_literal_is_found_too(void **state)
{
    const double v[] = {NAN, INFINITY, -INFINITY, 1, -0.0, 0, NAN, 1e308};
    struct frame *f = floats(v, 8);

    (void)state;
    check_way_back(f, "x", 0);
    check_way_back(f, "x", 5);
    frame_unref(f);
}

static void
test_rows_that_miss_anything_are_one_expression(void **state)
{
    struct frame *f = read_csv(sales), *rows;
    struct error err = {0};
    struct buf text;

    (void)state;
    buf_init(&text);
    overview_put_any_missing(&text, f);
    rows = verb_where(f, text.data, NULL, &err);
    assert_non_null(rows);
    assert_int_equal(frame_rows(rows), 3);
    buf_fini(&text);
    frame_unref(rows);
    frame_unref(f);
}

/* ---- without memory ---- */

static struct frame *
make_one(unsigned which, const struct frame *f, const struct profile *p,
         struct error *err)
{
    switch (which) {
    case 0:
        return overview_frequency(f, "region", 0, NULL, NULL, err);
    case 1:
        return overview_frequency(f, "price", 5, NULL, NULL, err);
    case 2:
        return overview_missing(f, NULL, NULL, err);
    case 3:
        return overview_patterns(f, NULL, NULL, err);
    case 4:
        return overview_duplicates(f, NULL, NULL, NULL, err);
    case 5:
        return overview_relations(p, RELATION_AUTO, err);
    default:
        return overview_describe(p, err);
    }
}

static void
test_what_is_stopped_says_so(void **state)
{
    static const char *const by[] = {"a", NULL}, *const n[] = {"count()", NULL};
    struct frame *f = read_csv("a,b\n1,\n,2\n1,\n");
    struct progress p;

    (void)state;
    progress_init(&p);
    progress_stop(&p);
    for (int i = 0; i < 6; i++) {
        struct error err = {0};
        struct frame *got =
            i == 0   ? overview_frequency(f, "a", 0, NULL, &p, &err)
            : i == 1 ? overview_frequency(f, "a", 5, NULL, &p, &err)
            : i == 2 ? overview_missing(f, NULL, &p, &err)
            : i == 3 ? overview_patterns(f, NULL, &p, &err)
            : i == 4 ? overview_duplicates(f, NULL, NULL, &p, &err)
                     : verb_group(f, by, n, NULL, &p, &err);

        if (got || err.code != ERR_CANCELLED)
            fail_msg("%d: not stopped", i);
    }
    frame_unref(f);
}

static void
test_every_allocation_may_fail(void **state)
{
    struct frame *f = read_csv(sales), *out;
    struct profile_options o = {0};
    struct error err = {0};
    struct profile *p = profile_new(f, &o, NULL, NULL, &err);

    (void)state;
    assert_non_null(p);
    for (unsigned which = 0; which < 7; which++) {
        out = NULL;
        for (unsigned long n = 1; !out && n < 5000; n++) {
            mem_fault_arm(n, false);
            out = make_one(which, f, p, &err);
            mem_fault_arm(0, false);
            if (!out)
                assert_int_equal(err.code, ERR_NOMEM);
        }
        assert_non_null(out);
        frame_unref(out);
    }
    profile_free(p);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bins_have_round_edges_that_hold_every_value),
        cmocka_unit_test(test_bins_of_days_are_of_the_calendar),
        cmocka_unit_test(test_text_is_not_cut_into_bins),
        cmocka_unit_test(test_ranges_count_every_row_once),
        cmocka_unit_test(test_counts_by_group_add_up),
        cmocka_unit_test(test_missing_tells_which_rows_miss_nothing_else),
        cmocka_unit_test(test_duplicates_come_once_with_their_number),
        cmocka_unit_test(test_a_description_has_a_row_for_each_column),
        cmocka_unit_test(test_relations_are_a_matrix_with_ones_across),
        cmocka_unit_test(test_numbers_without_rows_in_common_keep_their_place),
        cmocka_unit_test(test_each_value_leads_back_to_its_rows),
        cmocka_unit_test(test_what_has_no_literal_is_found_too),
        cmocka_unit_test(test_rows_that_miss_anything_are_one_expression),
        cmocka_unit_test(test_what_is_stopped_says_so),
        cmocka_unit_test(test_every_allocation_may_fail),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
