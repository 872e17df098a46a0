/* What is done to a table, told in texts.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/verbs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "frame/csv.h"

static const char sales[] = "region,month,price,qty\n"
                            "north,jan,2,3\n"
                            "south,feb,4,1\n"
                            "north,feb,1,5\n"
                            "south,jan,8,\n"
                            "north,jan,3,2\n"
                            ",jan,7,1\n";

static struct frame *
table(void)
{
    struct csv_table t;
    struct error err;
    struct frame *f;

    if (!csv_parse((struct str){sales, sizeof sales - 1}, "sales", NULL, NULL,
                   NULL, &t, &err))
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

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_NAMES ((const char *const[]){NULL})

/* Missing last both ways; a tie of the first key is settled by the second,
 * then by the order of rows. */
static void
test_top_is_the_beginning_of_the_sorted_rows(void **state)
{
    struct frame *f = table(), *g;
    struct error err = {0};

    (void)state;
    expect(verb_top(f, NAMES("-price"), 2, NULL, &err), &err,
           "region,month,price,qty;south,jan,8,;,jan,7,1;");
    expect(verb_top(f, NAMES("qty", "-month"), 1, NULL, &err), &err,
           "region,month,price,qty;,jan,7,1;");
    expect(verb_top(f, NAMES("qty", "month"), 2, NULL, &err), &err,
           "region,month,price,qty;south,feb,4,1;,jan,7,1;");
    expect(verb_top(f, NAMES("month"), 3, NULL, &err), &err,
           "region,month,price,qty;south,feb,4,1;north,feb,1,5;north,jan,2,3;");
    expect(verb_top(f, NAMES("-qty"), 99, NULL, &err), &err,
           "region,month,price,qty;north,feb,1,5;north,jan,2,3;north,jan,3,2;"
           "south,feb,4,1;,jan,7,1;south,jan,8,;");
    expect(verb_top(f, NAMES("qty"), 0, NULL, &err), &err,
           "region,month,price,qty;");
    expect(verb_top(f, NAMES("cty"), 1, NULL, &err), &err,
           "no column 'cty' (did you mean 'qty'?)");
    g = verb_where(f, "price > 99", NULL, &err);
    expect(verb_top(g, NAMES("qty"), 1, NULL, &err), &err,
           "region,month,price,qty;");
    frame_unref(g);
    frame_unref(f);
}

static void
test_first_and_last_skip_what_is_missing(void **state)
{
    struct frame *f = table();
    struct error err = {0};

    (void)state;
    expect(verb_group(f, NAMES("month"),
                      NAMES("first(region)", "last(region)", "last(qty)"), NULL,
                      NULL, &err),
           &err,
           "month,first(region),last(region),last(qty);jan,north,north,1;"
           "feb,south,north,5;");
    expect(verb_group(f, NAMES("region"), NAMES("first(qty)", "last(qty)"),
                      NULL, NULL, &err),
           &err, "region,first(qty),last(qty);north,3,2;south,1,1;,1,1;");
    frame_unref(f);
}

static void
test_no_memory_for_the_first_few_is_an_error(void **state)
{
    struct frame *f = table(), *got = NULL;

    (void)state;
    for (unsigned long n = 1; !got && n < 200; n++) {
        struct error err = {0};

        mem_fault_arm(n, false);
        got = verb_top(f, NAMES("region", "-qty"), 2, NULL, &err);
        mem_fault_arm(0, false);
        if (!got)
            assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_non_null(got);
    frame_unref(got);
    frame_unref(f);
}

static void
test_where_keeps_rows_and_derive_adds_a_column(void **state)
{
    struct frame *f = table(), *g;
    struct error err = {0};

    (void)state;
    expect(verb_where(f, "price > 3 and qty = 1", NULL, &err), &err,
           "region,month,price,qty;south,feb,4,1;,jan,7,1;");
    g = verb_derive(f, " total = price * qty", NULL, &err);
    assert_non_null(g);
    expect(verb_select(g, NAMES("total", "region"), &err), &err,
           "total,region;6,north;4,south;5,north;,south;6,north;7,;");
    frame_unref(g);
    expect(verb_derive(f, "price == 2", NULL, &err), &err,
           "'price == 2': expected name = expression, as in total = price * "
           "qty");
    expect(verb_derive(f, "x = prise", NULL, &err), &err,
           "x: character 2: no column 'prise' (did you mean 'price'?)");
    expect(verb_select(f, NAMES("regio"), &err), &err,
           "no column 'regio' (did you mean 'region'?)");
    frame_unref(f);
}

static void
test_sort_by_names(void **state)
{
    struct frame *f = table(), *g;
    struct error err = {0};

    (void)state;
    g = verb_sort(f, NAMES("month", "-price"), NULL, &err);
    assert_non_null(g);
    expect(verb_select(g, NAMES("price"), &err), &err, "price;4;1;8;7;3;2;");
    frame_unref(g);
    frame_unref(f);
}

static void
test_distinct_keeps_first_rows(void **state)
{
    struct frame *f = table(), *g;
    struct error err = {0};

    (void)state;
    expect(verb_distinct(f, NAMES("region"), NULL, &err), &err,
           "region,month,price,qty;north,jan,2,3;south,feb,4,1;,jan,7,1;");
    g = verb_select(f, NAMES("month"), &err);
    assert_non_null(g);
    expect(verb_distinct(g, NULL, NULL, &err), &err, "month;jan;feb;");
    frame_unref(g);
    frame_unref(f);
}

/* pandas 1.5.3: pivot_table(index="region", columns="month",
 * values="price", aggfunc="sum", dropna=False), rows in order of first
 * appearance. */
static void
test_pivot_spreads_the_values_of_a_column(void **state)
{
    struct frame *f = table();
    struct error err = {0};

    (void)state;
    expect(verb_pivot(f, NAMES("region"), "month", NAMES("sum(price)"), NULL,
                      NULL, &err),
           &err, "region,feb,jan;north,1,5;south,4,8;,,7;");
    expect(verb_pivot(f, NAMES("month"), "region",
                      NAMES("n = count()", "top = max(price)"), NULL, NULL,
                      &err),
           &err,
           "month,north n,north top,south n,south top,missing n,missing top;"
           "jan,2,3,1,8,1,7;feb,1,1,1,4,,;");
    expect(verb_pivot(f, NO_NAMES, "month", NAMES("count()"), NULL, NULL, &err),
           &err, "feb,jan;2,4;");
    frame_unref(f);
}

static void
test_samples_are_rows_in_order_and_repeatable(void **state)
{
    struct frame *f = table(), *a, *b;
    struct error err = {0};
    char first[33], again[33];

    (void)state;
    a = verb_sample(f, 4, 7, NULL, &err);
    b = verb_sample(f, 4, 7, NULL, &err);
    assert_true(frame_fingerprint(a, first, &err));
    assert_true(frame_fingerprint(b, again, &err));
    assert_string_equal(first, again);
    assert_int_equal(frame_rows(a), 4);
    frame_unref(a);
    frame_unref(b);
    a = verb_sample(f, 0.5, 1, NULL, &err);
    assert_int_equal(frame_rows(a), 3);
    frame_unref(a);
    a = verb_sample(f, 100, 1, NULL, &err);
    assert_int_equal(frame_rows(a), 6);
    assert_true(frame_fingerprint(a, first, &err));
    assert_true(frame_fingerprint(f, again, &err));
    assert_string_equal(first, again);
    frame_unref(a);
    expect(verb_sample(f, -1, 1, NULL, &err), &err,
           "a sample is a number of rows or a share below 1, not -1");
    frame_unref(f);
}

static struct frame *
pivot_again(const struct frame *f, struct error *err)
{
    return verb_pivot(f, NAMES("month"), "region",
                      NAMES("count()", "max(price)"), NULL, NULL, err);
}

static void
test_every_allocation_of_a_pivot_may_fail(void **state)
{
    struct frame *f = table(), *out = NULL;
    struct error err = {0};

    (void)state;
    for (unsigned long n = 1; !out && n < 1000; n++) {
        mem_fault_arm(n, false);
        out = pivot_again(f, &err);
        mem_fault_arm(0, false);
        if (!out)
            assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_non_null(out);
    frame_unref(out);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_top_is_the_beginning_of_the_sorted_rows),
        cmocka_unit_test(test_first_and_last_skip_what_is_missing),
        cmocka_unit_test(test_no_memory_for_the_first_few_is_an_error),
        cmocka_unit_test(test_where_keeps_rows_and_derive_adds_a_column),
        cmocka_unit_test(test_sort_by_names),
        cmocka_unit_test(test_distinct_keeps_first_rows),
        cmocka_unit_test(test_pivot_spreads_the_values_of_a_column),
        cmocka_unit_test(test_samples_are_rows_in_order_and_repeatable),
        cmocka_unit_test(test_every_allocation_of_a_pivot_may_fail),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
