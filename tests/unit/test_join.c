/* Joins.  Results marked (DuckDB) came from DuckDB 1.5 on the same tables,
 * those marked (pandas) from pandas 1.5.3; large ones are compared with two
 * nested loops.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/join.h"

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

enum { MAX_COLS = 8 };

/* "name:type name:type; cell cell; ..." with "-" for missing. */
static struct frame *
table(const char *text)
{
    struct error err = {0};
    char *copy = mem_text(text), *rows = NULL, *cells = NULL, *row;
    char *name[MAX_COLS];
    const char *names[MAX_COLS];
    enum col_type types[MAX_COLS];
    struct builder *b;
    struct frame *f;
    size_t n = 0;

    row = strtok_r(copy, ";", &rows);
    for (char *c = strtok_r(row, " ", &cells); c;
         c = strtok_r(NULL, " ", &cells)) {
        char *colon = strchr(c, ':');

        *colon = '\0';
        name[n] = c;
        names[n] = name[n];
        assert_true(column_type_parse(colon + 1, &types[n++]));
    }
    b = builder_new(n, names, types, &err);
    assert_non_null(b);
    while ((row = strtok_r(NULL, ";", &rows))) {
        size_t c = 0;

        for (char *cell = strtok_r(row, " ", &cells); cell;
             cell = strtok_r(NULL, " ", &cells), c++)
            if (strcmp(cell, "-") && !builder_parse(b, c, str_of(cell), &err))
                fail_msg("%s", err.message);
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    free(copy);
    return f;
}

static char *
print(const struct frame *f)
{
    struct buf out;

    buf_init(&out);
    for (size_t c = 0; c < frame_cols(f); c++)
        buf_printf(&out, "%s%s", c ? " " : "", frame_name(f, c));
    for (size_t r = 0; r < frame_rows(f); r++)
        for (size_t c = 0; c < frame_cols(f); c++) {
            buf_puts(&out, c ? " " : ";");
            if (column_is_valid(frame_column(f, c), r))
                column_print(frame_column(f, c), r, &out);
            else
                buf_putc(&out, '-');
        }
    return buf_take(&out);
}

static void
expect(const char *left, const char *right, const struct join_options *o,
       const char *want)
{
    struct frame *l = table(left), *r = table(right), *f;
    struct error err = {0};
    char *got;

    f = join_frames(l, r, o, NULL, NULL, &err);
    got = f ? print(f) : mem_text(err.message);
    if (strcmp(got, want))
        fail_msg("got  %s\n       want %s", got, want);
    free(got);
    frame_unref(f);
    frame_unref(l);
    frame_unref(r);
}

#define BY(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char people[] = "id:int name:text; 1 ann; 2 bob; 2 bea; - dan;"
                             "5 eve";
static const char cities[] = "id:int city:text; 2 rome; 9 oslo; 1 bern;"
                             "2 kiel; - nice";

/* (DuckDB: inner, left, semi and anti join ... using (id), in row order.) */
static void
test_each_kind_of_join_keeps_the_order_of_the_left_table(void **state)
{
    struct join_options o = {.by = BY("id")};

    (void)state;
    expect(people, cities, &o,
           "id name city;1 ann bern;2 bob rome;2 bob kiel;2 bea rome;"
           "2 bea kiel");
    o.how = JOIN_LEFT;
    expect(people, cities, &o,
           "id name city;1 ann bern;2 bob rome;2 bob kiel;2 bea rome;"
           "2 bea kiel;- dan -;5 eve -");
    o.how = JOIN_SEMI;
    expect(people, cities, &o, "id name;1 ann;2 bob;2 bea");
    o.how = JOIN_ANTI;
    expect(people, cities, &o, "id name;- dan;5 eve");
}

static void
test_a_left_join_on_unique_keys_keeps_every_row_once(void **state)
{
    struct join_options o = {.by = BY("id"), .how = JOIN_LEFT};

    (void)state;
    expect(people, "id:int city:text; 2 rome; 1 bern", &o,
           "id name city;1 ann bern;2 bob rome;2 bea rome;- dan -;5 eve -");
    expect(people, "id:int city:text", &o,
           "id name city;1 ann -;2 bob -;2 bea -;- dan -;5 eve -");
    expect("id:int name:text", cities, &o, "id name city");
}

static void
test_keys_may_have_two_names_and_types(void **state)
{
    struct join_options o = {.by = BY("id=key")};

    (void)state;
    expect(people, "key:float city:text; 2.0 rome; 1.5 oslo; 1 bern", &o,
           "id name city;1 ann bern;2 bob rome;2 bea rome");
    expect(people, "key:bool city:text; true bern", &o,
           "id name city;1 ann bern");
    o.by = BY("day=at");
    expect("day:date; 2024-05-01; 2024-05-02",
           "at:timestamp n:int; 2024-05-01T00:00:01 1; 2024-05-02T00:00:00 2",
           &o, "day n;2024-05-02 2");
    o.by = BY("id=city");
    expect(people, cities, &o,
           "id is int here and city is text there: convert one of them");
}

static void
test_minus_zero_and_nan_are_equal_to_their_like(void **state)
{
    struct join_options o = {.by = BY("x")};

    (void)state;
    expect("x:float a:int; 0 1; -0 2; nan 3; - 4; inf 5",
           "x:float b:int; -0 1; nan 2; - 3", &o, "x a b;0 1 1;-0 2 1;nan 3 2");
}

static void
test_several_keys_of_all_types(void **state)
{
    struct join_options o = {.by = BY("city", "n", "ok", "x")};

    (void)state;
    expect("city:text n:int ok:bool x:float a:int;"
           "b 1 true 0.5 1; b 1 false 0.5 2; a 1 true 0.5 3; b 1 true - 4;"
           "zz 1 true 0.5 5",
           "x:float n:int city:text ok:bool c:int;"
           "0.5 1 b true 7; 0.5 2 b true 8; 0.5 1 a true 9; - 1 b true 6",
           &o, "city n ok x a c;b 1 true 0.5 1 7;a 1 true 0.5 3 9");
}

static void
test_names_that_are_taken_get_the_suffix(void **state)
{
    struct join_options o = {.by = BY("id")};

    (void)state;
    expect("id:int v:int v_right:int; 1 2 3", "v:int id:int; 9 1", &o,
           "id v v_right v_right_2;1 2 3 9");
    o.suffix = ".b";
    expect("id:int v:int; 1 2", "v:int id:int; 9 1", &o, "id v v.b;1 2 9");
}

/* (pandas: merge_asof(trades, quotes, on="t", by="s"), then with
 * tolerance=2; trades sorted there, here in any order.) */
static const char trades[] = "t:int s:text; 23 b; 1 a; 38 a; 48 b; 48 c;"
                             "- a; 5 -";
static const char quotes[] = "t:int s:text bid:float; 41 b 4; 23 b 1;"
                             "23 b 2; 48 b 5; 30 a 3; 49 c 6; - b 7; 5 - 8";

static void
test_asof_takes_the_nearest_earlier_row(void **state)
{
    struct join_options o = {.by = BY("s", "t"), .how = JOIN_ASOF};

    (void)state;
    expect(trades, quotes, &o,
           "t s bid;23 b 2;1 a -;38 a 3;48 b 5;48 c -;- a -;5 - -");
    o.bounded = true;
    o.tolerance = 2;
    expect(trades, quotes, &o,
           "t s bid;23 b 2;1 a -;38 a -;48 b 5;48 c -;- a -;5 - -");
    o.bounded = false;
    o.by = BY("t");
    expect(trades, "t:int q:int; 40 1; 5 2", &o,
           "t s q;23 b 2;1 a -;38 a 2;48 b 1;48 c 1;- a -;5 - 2");
}

static void
test_asof_keeps_a_last_key_of_another_name(void **state)
{
    struct join_options o = {.by = BY("at=since"), .how = JOIN_ASOF};

    (void)state;
    expect("at:date; 2024-01-03; 2024-01-01",
           "since:timestamp v:int; 2024-01-02T12:00:00 1;"
           "2024-01-01T00:00:01 2",
           &o, "at since v;2024-01-03 2024-01-02 12:00:00 1;2024-01-01 - -");
    o.bounded = true;
    o.tolerance = 43199; /* seconds */
    expect("at:date; 2024-01-03",
           "since:timestamp v:int; 2024-01-02T12:00:00 1", &o,
           "at since v;2024-01-03 - -");
    o.by = BY("name");
    expect(people, people, &o,
           "as-of wants a number, date or timestamp as its last key, and name "
           "is text");
}

static void
test_what_is_wrong_is_said(void **state)
{
    struct join_options o = {.by = BY("idd")};
    enum join_how how;
    struct error err;

    (void)state;
    expect(people, cities, &o,
           "the left table: no column 'idd' (did you mean 'id'?)");
    o.by = BY("name");
    expect(people, cities, &o, "the right table: no column 'name'");
    o.by = NULL;
    expect(people, cities, &o, "a join wants a column to join by");
    assert_false(join_how_parse("outer", &how, &err));
    assert_string_equal(
        err.message,
        "no join 'outer', expected inner, left, semi, anti or asof");
}

/* ---- many rows ------------------------------------------------------- */

static uint64_t
draw(uint64_t stream, size_t i, uint64_t n)
{
    return rng_below(3, stream, i, n);
}

/* Keys of four kinds, each with missing values: few texts; whole numbers far
 * apart; halves with NaN; all 64-bit numbers from a small set. */
static struct frame *
random_table(uint64_t stream, size_t n)
{
    static const char *const names[] = {"t", "far", "x", "wide", "row"};
    static const enum col_type types[] = {COL_TEXT, COL_INT64, COL_FLOAT64,
                                          COL_INT64, COL_INT64};
    struct error err = {0};
    struct builder *b = builder_new(5, names, types, &err);
    bool ok = true;

    for (size_t i = 0; i < n; i++) {
        uint64_t t = draw(stream, i, 40), x = draw(stream + 2, i, 9);
        char word[8] = {(char)('a' + t % 20), (char)('a' + t / 20), 0};

        ok = ok && (t == 39 || builder_text(b, 0, str_of(word), &err)) &&
             (t == 38 || builder_i64(b, 1,
                                     (int64_t)draw(stream + 1, i, 150) *
                                         INT64_C(1000000007),
                                     &err)) &&
             (t == 37 ||
              builder_f64(b, 2, x == 8 ? NAN : (double)x / 2 - 1, &err)) &&
             (t == 36 || builder_i64(b, 3,
                                     x == 0   ? INT64_MIN
                                     : x == 1 ? INT64_MAX
                                              : (int64_t)rng_at(5, 0, x),
                                     &err)) &&
             builder_i64(b, 4, (int64_t)i, &err) && builder_end_row(b, &err);
    }
    assert_true(ok);
    return builder_finish(b, &err);
}

static bool
same(const struct frame *l, size_t i, const struct frame *r, size_t k,
     const char *name)
{
    const struct column *a = frame_column(l, (size_t)frame_find(l, name));
    const struct column *b = frame_column(r, (size_t)frame_find(r, name));

    if (!column_is_valid(a, i) || !column_is_valid(b, k))
        return false;
    if (column_type(a) == COL_TEXT)
        return str_eq(column_text(a, i), column_text(b, k));
    if (column_type(a) == COL_INT64)
        return column_int64s(a)[i] == column_int64s(b)[k];
    return column_number(a, i) == column_number(b, k) ||
           (isnan(column_number(a, i)) && isnan(column_number(b, k)));
}

static size_t
match_slowly(const struct frame *l, const struct frame *r,
             const char *const *by, int64_t (*pair)[2])
{
    size_t n = 0;

    for (size_t i = 0; i < frame_rows(l); i++)
        for (size_t k = 0; k < frame_rows(r); k++) {
            bool equal = true;

            for (size_t c = 0; by[c] && equal; c++)
                equal = same(l, i, r, k, by[c]);
            if (!equal)
                continue;
            pair[n][0] = (int64_t)i;
            pair[n++][1] = (int64_t)k;
        }
    return n;
}

static void
test_many_rows_agree_with_nested_loops(void **state)
{
    static const char *const keys[][5] = {
        {"t", "far"},    {"far", "t", "x"},         {"x", "far"},
        {"wide", "far"}, {"far", "wide", "t", "x"}, {"t", "wide"},
        {"row"}};
    enum { LEFT = 3000, RIGHT = 1500 };
    struct frame *l = random_table(10, LEFT), *r = random_table(20, RIGHT);
    int64_t(*pair)[2] = malloc(sizeof *pair * LEFT * RIGHT / 16);
    struct error err = {0};

    (void)state;
    for (size_t t = 0; t < sizeof keys / sizeof *keys; t++) {
        size_t n = match_slowly(l, r, keys[t], pair);

        for (unsigned threads = 1; threads <= 3; threads += 2) {
            const struct join_options o = {.by = keys[t], .suffix = "_r"};
            struct pool *pool = pool_new(threads);
            struct frame *f = join_frames(l, r, &o, pool, NULL, &err);
            bool is_row = strcmp(keys[t][0], "row") == 0;

            assert_non_null(f);
            assert_int_equal(frame_rows(f), n);
            for (size_t i = 0; i < n; i++) {
                const char *right = is_row ? "row" : "row_r";

                assert_int_equal(column_int64s(frame_column(
                                     f, (size_t)frame_find(f, "row")))[i],
                                 pair[i][0]);
                assert_int_equal(column_int64s(frame_column(
                                     f, (size_t)frame_find(f, right)))[i],
                                 pair[i][1]);
            }
            frame_unref(f);
            pool_free(pool);
        }
    }
    free(pair);
    frame_unref(l);
    frame_unref(r);
}

/* 70,000 x 70,000 equal keys would be 4.9e9 rows. */
static void
test_a_result_of_too_many_rows_is_refused(void **state)
{
    enum { N = 70000 };
    static const char *const names[] = {"k", NULL};
    const struct join_options o = {.by = names};
    struct error err = {0};
    int64_t *data = mem_try_aligned(N, sizeof *data, &err);
    struct column *c = column_new(COL_INT64, N, data, NULL, NULL, &err);
    struct frame *f = frame_new(N, 1, names, &c, &err);

    (void)state;
    assert_null(join_frames(f, f, &o, NULL, NULL, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.message,
                        "the join would have 4900000000 rows, at most "
                        "4294967294 fit into a table: do the keys repeat on "
                        "both sides?");
    frame_unref(f);
}

static void
test_every_allocation_may_fail(void **state)
{
    static const enum join_how hows[] = {JOIN_INNER, JOIN_LEFT, JOIN_ASOF};
    struct frame *l = random_table(1, 60), *r = random_table(2, 50);

    (void)state;
    for (size_t h = 0; h < 3; h++) {
        const struct join_options o = {.by = BY("wide", "t", "far"),
                                       .how = hows[h]};
        struct frame *f = NULL;
        struct error err = {0};

        for (unsigned long n = 1; !f && n < 500; n++) {
            mem_fault_arm(n, false);
            f = join_frames(l, r, &o, NULL, NULL, &err);
            mem_fault_arm(0, false);
            if (!f)
                assert_int_equal(err.code, ERR_NOMEM);
        }
        assert_non_null(f);
        frame_unref(f);
    }
    frame_unref(l);
    frame_unref(r);
}

static void
test_a_stopped_join_gives_nothing(void **state)
{
    struct frame *l = random_table(1, 60);
    const struct join_options o = {.by = BY("far")};
    struct progress progress;
    struct error err;

    (void)state;
    progress_init(&progress);
    progress_stop(&progress);
    assert_null(join_frames(l, l, &o, NULL, &progress, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    frame_unref(l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_each_kind_of_join_keeps_the_order_of_the_left_table),
        cmocka_unit_test(test_a_left_join_on_unique_keys_keeps_every_row_once),
        cmocka_unit_test(test_keys_may_have_two_names_and_types),
        cmocka_unit_test(test_minus_zero_and_nan_are_equal_to_their_like),
        cmocka_unit_test(test_several_keys_of_all_types),
        cmocka_unit_test(test_names_that_are_taken_get_the_suffix),
        cmocka_unit_test(test_asof_takes_the_nearest_earlier_row),
        cmocka_unit_test(test_asof_keeps_a_last_key_of_another_name),
        cmocka_unit_test(test_what_is_wrong_is_said),
        cmocka_unit_test(test_many_rows_agree_with_nested_loops),
        cmocka_unit_test(test_a_result_of_too_many_rows_is_refused),
        cmocka_unit_test(test_every_allocation_may_fail),
        cmocka_unit_test(test_a_stopped_join_gives_nothing),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
