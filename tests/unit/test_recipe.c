/* Groups, pivots and joins in one line.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/recipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "frame/csv.h"

/* by|across|aggregates, or the message. */
static void
expect(const char *text, const char *want)
{
    struct recipe r;
    struct error err;
    struct buf b;
    bool ok = recipe_parse(text, &r, &err);

    buf_init(&b);
    for (size_t i = 0; ok && i < r.n_by; i++)
        buf_printf(&b, "%s%s", i ? ";" : "", r.by[i]);
    buf_printf(&b, "|%s|", ok && r.across ? r.across : "");
    for (size_t i = 0; ok && i < r.n_aggregates; i++)
        buf_printf(&b, "%s%s", i ? ";" : "", r.aggregate[i]);
    assert_string_equal(ok ? b.data : err.message, want);
    buf_fini(&b);
    recipe_fini(&r);
}

static void
expect_join(const char *text, enum join_how how, const char *want)
{
    struct recipe r;
    struct error err;
    struct buf b;
    bool ok = recipe_parse_join(text, &r, &err);

    buf_init(&b);
    for (size_t i = 0; ok && i < r.n_by; i++)
        buf_printf(&b, "%s%s", i ? ";" : "", r.by[i]);
    assert_string_equal(ok ? b.data : err.message, want);
    if (ok)
        assert_int_equal(r.how, how);
    buf_fini(&b);
    recipe_fini(&r);
}

static void
test_groups_name_columns_then_aggregates(void **state)
{
    (void)state;
    expect("country, year: total = sum(price), count()",
           "country;year||total = sum(price);count()");
    expect("country", "country||count()");
    expect(" country : ", "country||count()");
    expect("`a, b: c`, `d``e`: max(if(x, 1, 2))",
           "a, b: c;d`e||max(if(x, 1, 2))");
    expect("a: share(b = 'x, y')", "a||share(b = 'x, y')");
    expect("a,, b", "a name is missing at a comma");
    expect(": count()", "expected columns: aggregates, as in country, year: "
                        "total = sum(price)");
}

static void
test_pivots_have_a_slash(void **state)
{
    (void)state;
    expect("a, b / c: mean(x / y)", "a;b|c|mean(x / y)");
    expect("/ c", "|c|count()");
    expect("a / : count()", "a column is missing behind the slash");
}

static void
test_joins_say_how_and_by_what(void **state)
{
    (void)state;
    expect_join("inner by id", JOIN_INNER, "id");
    expect_join("asof by `a b`, day = date", JOIN_ASOF, "a b;day=date");
    expect_join("left by", JOIN_LEFT,
                "expected how by columns, as in left by id, day = date");
    expect_join("outer by id", JOIN_LEFT,
                "no join 'outer', expected inner, left, semi, anti or asof");
}

/* The columns of a pivot behind its keys are of these, in this order. */
static void
test_values_of_a_pivot_are_in_the_order_of_its_columns(void **state)
{
    static const char csv[] = "k,v\na,10\na,9\nb,\nb,9\n";
    struct csv_table t;
    struct error err;
    struct recipe r = {0};
    struct frame *values, *made;
    struct buf text;

    (void)state;
    assert_true(csv_parse(str_of(csv), "test", NULL, NULL, NULL, &t, &err));
    assert_true(recipe_parse("k / v: count()", &r, &err));
    values = recipe_values(&r, t.frame, NULL, NULL, &err);
    made = recipe_make(&r, t.frame, NULL, NULL, &err);
    assert_non_null(values);
    assert_non_null(made);
    assert_int_equal(frame_cols(made), 1 + frame_rows(values));
    buf_init(&text);
    for (size_t i = 0; i < frame_rows(values); i++) {
        buf_clear(&text);
        column_print(frame_column(values, 0), i, &text);
        assert_string_equal(i == 2 ? "missing" : text.data,
                            frame_name(made, 1 + i));
    }
    assert_string_equal(frame_name(made, 1), "9");
    buf_fini(&text);
    recipe_fini(&r);
    frame_unref(values);
    frame_unref(made);
    csv_table_fini(&t);
}

static void
test_every_allocation_may_fail(void **state)
{
    struct recipe r;
    struct error err = {0};
    bool ok = false;

    (void)state;
    for (unsigned long n = 1; !ok && n < 100; n++) {
        mem_fault_arm(n, false);
        ok = recipe_parse("a, b / c: sum(x), mean(y)", &r, &err);
        mem_fault_arm(0, false);
        if (!ok)
            assert_int_equal(err.code, ERR_NOMEM);
        recipe_fini(&r);
    }
    assert_true(ok);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_name_columns_then_aggregates),
        cmocka_unit_test(test_pivots_have_a_slash),
        cmocka_unit_test(test_joins_say_how_and_by_what),
        cmocka_unit_test(
            test_values_of_a_pivot_are_in_the_order_of_its_columns),
        cmocka_unit_test(test_every_allocation_may_fail),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
