/* tests/unit/test_prepare.c -- steps learnt on training rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/prepare.h"
#include "frame/builder.h"

enum { MAX_COLS = 8, MAX_DESIGN = 300 };

/* A frame from text cells: "name:type" headers, then rows; "" is missing. */
static struct frame *
table(size_t n_cols, const char *const *heads, size_t n_rows,
      const char *const *cells)
{
    const char *names[MAX_COLS];
    enum col_type types[MAX_COLS];
    char store[MAX_COLS][32];
    struct error err;
    struct builder *b;
    struct frame *f;

    for (size_t c = 0; c < n_cols; c++) {
        const char *colon = strchr(heads[c], ':');

        snprintf(store[c], sizeof store[c], "%.*s", (int)(colon - heads[c]),
                 heads[c]);
        names[c] = store[c];
        assert_true(column_type_parse(colon + 1, &types[c]));
    }
    b = builder_new(n_cols, names, types, &err);
    assert_non_null(b);
    for (size_t r = 0; r < n_rows; r++) {
        for (size_t c = 0; c < n_cols; c++) {
            const char *cell = cells[r * n_cols + c];

            if (*cell)
                assert_true(builder_parse(b, c, str_of(cell), &err));
        }
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

static struct prepare *
learn(const struct frame *f, enum prepare_style style)
{
    struct error err = {0};
    struct prepare *p = prepare_fit(f, "y", style, NULL, NULL, NULL, &err);

    if (!p)
        print_message("# %s\n", err.message);
    assert_non_null(p);
    return p;
}

static long
design_find(const struct design *d, const char *name)
{
    for (size_t j = 0; j < design_cols(d); j++)
        if (strcmp(design_column(d, j)->name, name) == 0)
            return (long)j;
    return -1;
}

static void
expect_column(const struct prepare *p, const struct frame *f, const char *name,
              const double *want)
{
    double got[MAX_DESIGN];
    struct error err = {0};
    struct design *d = prepare_apply(p, f, NULL, &err);
    long j;

    if (!d)
        print_message("# %s\n", err.message);
    assert_non_null(d);
    j = design_find(d, name);
    assert_true(j >= 0);
    design_pull(d, (size_t)j, 0, design_rows(d), got);
    for (size_t i = 0; i < design_rows(d); i++)
        if (isnan(want[i]) ? !isnan(got[i]) : fabs(got[i] - want[i]) > 1e-12) {
            print_message("# %s row %zu: got %.17g, want %.17g\n", name, i,
                          got[i], want[i]);
            fail();
        }
    design_free(d);
}

static void
expect_refused(const struct prepare *p, const struct frame *f,
               enum error_code code, const char *message)
{
    struct error err = {0};
    struct design *d = prepare_apply(p, f, NULL, &err);

    assert_null(d);
    if (strcmp(err.message, message) != 0)
        print_message("# got '%s', want '%s'\n", err.message, message);
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, code);
}

/* y, then x with gaps. */
static const char *const gaps_heads[] = {"x:float", "c:text", "y:int"};
static const char *const gaps[] = {
    "3",  "b", "0", "", "a", "1", "7", "b", "0", "1",   "",  "1",
    "10", "c", "0", "", "a", "1", "4", "a", "0", "8.5", "b", "1",
};

/* scikit-learn 1.2.1: SimpleImputer("median") and StandardScaler in a row. */
static void
test_numbers_are_imputed_and_scaled_as_in_scikit_learn(void **state)
{
    const double want[] = {-0.93399166245310494, -0.022780284450075731,
                           0.52394654235174176,  -1.6629607648555285,
                           1.617400195955377,    -0.022780284450075731,
                           -0.56950711125189324, 1.0706733691535593};
    const double missing[] = {0, 1, 0, 0, 0, 1, 0, 0};
    struct frame *f = table(3, gaps_heads, 8, gaps);
    struct prepare *p = learn(f, PREPARE_DENSE);

    (void)state;
    expect_column(p, f, "x", want);
    expect_column(p, f, "x is missing", missing);
    prepare_free(p);
    frame_unref(f);
}

static void
test_texts_become_a_column_a_level(void **state)
{
    const double a[] = {0, 1, 0, 0, 0, 1, 1, 0};
    const double b[] = {1, 0, 1, 0, 0, 0, 0, 1};
    struct frame *f = table(3, gaps_heads, 8, gaps);
    struct prepare *p = learn(f, PREPARE_DENSE);

    (void)state;
    expect_column(p, f, "c=a", a);
    expect_column(p, f, "c=b", b);
    prepare_free(p);
    frame_unref(f);
}

static void
test_trees_get_numbers_and_codes_as_they_are(void **state)
{
    const double x[] = {3, NAN, 7, 1, 10, NAN, 4, 8.5};
    const double c[] = {1, 0, 1, NAN, 2, 0, 0, 1};
    struct frame *f = table(3, gaps_heads, 8, gaps);
    struct prepare *p = learn(f, PREPARE_TREES);

    (void)state;
    expect_column(p, f, "x", x);
    expect_column(p, f, "c", c);
    prepare_free(p);
    frame_unref(f);
}

static void
test_a_level_not_seen_is_all_zeros_or_missing(void **state)
{
    const char *const heads[] = {"c:text", "x:float"};
    const char *const cells[] = {"new", "1", "c", "1"};
    const double zeros[] = {0, 0}, codes[] = {NAN, 2};
    struct frame *f = table(3, gaps_heads, 8, gaps);
    struct frame *asked = table(2, heads, 2, cells);
    struct prepare *dense = learn(f, PREPARE_DENSE);
    struct prepare *trees = learn(f, PREPARE_TREES);

    (void)state;
    expect_column(dense, asked, "c=a", zeros);
    expect_column(dense, asked, "c=b", zeros);
    expect_column(trees, asked, "c", codes);
    prepare_free(dense);
    prepare_free(trees);
    frame_unref(f);
    frame_unref(asked);
}

/* The training rows are taken from a table whose other rows hold an extreme
 * number, another level and a missing value: the dict is shared, and still
 * nothing of them may be known. */
static void
test_only_training_rows_are_looked_at(void **state)
{
    const char *const cells[] = {
        "1e9", "zebra", "0", "3",        "b",   "1",     "5",
        "a",   "0",     "",  "aardvark", "1",   "7",     "b",
        "0",   "9",     "a", "1",        "1e9", "zebra", "0",
    };
    const uint32_t rows[] = {1, 2, 4, 5};
    const double want[] = {-1.3416407864998738, -0.4472135954999579,
                           0.4472135954999579, 1.3416407864998738};
    struct frame *all = table(3, gaps_heads, 7, cells), *train;
    const struct input *in;
    struct prepare *p;
    struct design *d;
    struct error err;
    size_t n;

    (void)state;
    train = frame_take(all, rows, 4, &err);
    p = learn(train, PREPARE_DENSE);
    expect_column(p, train, "x", want);
    in = prepare_inputs(p, &n);
    assert_int_equal(n, 2);
    assert_int_equal(in[1].n_levels, 2);
    assert_string_equal(in[1].levels[0], "a");
    assert_string_equal(in[1].levels[1], "b");
    d = prepare_apply(p, all, NULL, &err);
    assert_non_null(d);
    assert_true(design_find(d, "x is missing") < 0);
    assert_true(design_find(d, "c=zebra") < 0);
    assert_int_equal(design_cols(d), 3);
    design_free(d);
    prepare_free(p);
    frame_unref(train);
    frame_unref(all);
}

static void
test_useless_columns_are_dropped_with_a_note(void **state)
{
    static const char *const names[] = {"id", "same", "none", "x", "y"};
    static const enum col_type types[] = {COL_TEXT, COL_INT64, COL_FLOAT64,
                                          COL_INT64, COL_INT64};
    struct error err;
    struct builder *b = builder_new(5, names, types, &err);
    struct prepare *p;
    struct frame *f;
    size_t n;

    (void)state;
    for (int i = 0; i < 100; i++) {
        char id[16];

        snprintf(id, sizeof id, "id-%d", i);
        assert_true(builder_text(b, 0, str_of(id), &err) &&
                    builder_i64(b, 1, 5, &err) && builder_i64(b, 3, i, &err) &&
                    builder_i64(b, 4, i % 2, &err) && builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    p = learn(f, PREPARE_TREES);
    assert_string_equal(prepare_notes(p),
                        "column 'id' is left out: it looks like an identifier\n"
                        "column 'same' is left out: it is constant\n"
                        "column 'none' is left out: it has no values\n");
    (void)prepare_inputs(p, &n);
    assert_int_equal(n, 1);
    prepare_free(p);
    frame_unref(f);
}

/* 60 levels in 3,000 rows: 58 of them 10 times each, under 0.5 %. */
static void
test_rare_levels_share_a_column(void **state)
{
    static const char *const names[] = {"c", "y"};
    static const enum col_type types[] = {COL_TEXT, COL_INT64};
    const char *const heads[] = {"c:text"};
    const char *const cells[] = {"level-07", "level-58", "level-59",
                                 "level-99"};
    const double rare[] = {1, 0, 0, 0}, frequent[] = {0, 1, 0, 0};
    struct frame *f, *asked = table(1, heads, 4, cells);
    struct error err;
    struct builder *b = builder_new(2, names, types, &err);
    struct prepare *p, *back;
    struct json_writer w;
    struct json *v;
    struct buf json;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        char text[16];
        int level = i < 580 ? i % 58 : 58 + i % 2;

        snprintf(text, sizeof text, "level-%02d", level);
        assert_true(builder_text(b, 0, str_of(text), &err) &&
                    builder_i64(b, 1, i % 2, &err) && builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    p = learn(f, PREPARE_DENSE);
    assert_int_equal(prepare_cols(p), 3);
    expect_column(p, asked, "c=(rare)", rare);
    expect_column(p, asked, "c=level-58", frequent);
    buf_init(&json);
    json_writer_init(&w, &json);
    prepare_json(p, &w);
    v = json_parse((struct str){json.data, json.len}, &err);
    back = prepare_from_json(v, &err);
    assert_non_null(back);
    expect_column(back, asked, "c=(rare)", rare);
    expect_column(back, asked, "c=level-58", frequent);
    prepare_free(p);
    prepare_free(back);
    json_free(v);
    buf_fini(&json);
    frame_unref(f);
    frame_unref(asked);
}

static void
test_columns_are_matched_by_name(void **state)
{
    const char *const heads[] = {"extra:text", "c:text", "x:int"};
    const char *const cells[] = {"-", "b", "7"};
    const double x[] = {7}, c[] = {1};
    struct frame *f = table(3, gaps_heads, 8, gaps);
    struct frame *asked = table(3, heads, 1, cells);
    struct prepare *p = learn(f, PREPARE_TREES);

    (void)state;
    expect_column(p, asked, "x", x);
    expect_column(p, asked, "c", c);
    prepare_free(p);
    frame_unref(f);
    frame_unref(asked);
}

static void
test_an_absent_column_is_named(void **state)
{
    const char *const heads[] = {"other:float"};
    const char *const cells[] = {"1"};
    struct frame *f = table(3, gaps_heads, 8, gaps);
    struct frame *asked = table(1, heads, 1, cells);
    struct prepare *p = learn(f, PREPARE_TREES);

    (void)state;
    expect_refused(p, asked, ERR_NOTFOUND, "no column 'x'");
    prepare_free(p);
    frame_unref(f);
    frame_unref(asked);
}

static void
test_a_column_of_another_kind_is_refused(void **state)
{
    const char *const heads[] = {"x:date", "c:text"};
    const char *const cells[] = {"2020-01-01", "a"};
    const char *const heads2[] = {"x:float", "c:int"};
    const char *const cells2[] = {"1", "5"};
    const char *const heads3[] = {"x:text", "c:text"};
    const char *const cells3[] = {"1.5", "a", "", "a", "many", "b"};
    struct frame *f = table(3, gaps_heads, 8, gaps);
    struct frame *date = table(2, heads, 1, cells);
    struct frame *number = table(2, heads2, 1, cells2);
    struct frame *text = table(2, heads3, 3, cells3);
    struct prepare *p = learn(f, PREPARE_TREES);

    (void)state;
    expect_refused(p, date, ERR_TYPE, "column 'x' is date, expected float");
    expect_refused(p, number, ERR_TYPE,
                   "column 'c' is int, expected text: read the table "
                   "with types c=text");
    expect_refused(p, text, ERR_TYPE,
                   "column 'x' is 'many' in row 3, expected float");
    prepare_free(p);
    frame_unref(f);
    frame_unref(date);
    frame_unref(number);
    frame_unref(text);
}

static void
test_text_of_numbers_and_empty_columns_fit(void **state)
{
    const char *const heads[] = {"x:text", "c:float"};
    const char *const cells[] = {"1.5", "", "", ""};
    const double x[] = {1.5, NAN}, c[] = {NAN, NAN};
    struct frame *f = table(3, gaps_heads, 8, gaps);
    struct frame *asked = table(2, heads, 2, cells);
    struct prepare *p = learn(f, PREPARE_TREES);

    (void)state;
    expect_column(p, asked, "x", x);
    expect_column(p, asked, "c", c);
    prepare_free(p);
    frame_unref(f);
    frame_unref(asked);
}

static void
test_derived_columns_are_computed_on_both_sides(void **state)
{
    static const char *const derive[] = {"twice = x * 2", "x = twice + 1",
                                         NULL};
    static const char *const drop[] = {"c", NULL};
    const double twice[] = {6, NAN, 14, 2, 20, NAN, 8, 17};
    const double x[] = {7, NAN, 15, 3, 21, NAN, 9, 18};
    struct frame *f = table(3, gaps_heads, 8, gaps);
    struct error err;
    struct prepare *p =
        prepare_fit(f, "y", PREPARE_TREES, drop, derive, NULL, &err);
    const struct input *in;
    size_t n;

    (void)state;
    assert_non_null(p);
    expect_column(p, f, "twice", twice);
    expect_column(p, f, "x", x);
    in = prepare_inputs(p, &n);
    assert_int_equal(n, 1);
    assert_string_equal(in[0].name, "x");
    prepare_free(p);
    frame_unref(f);
}

static void
expect_derive_refused(const char *text, const char *message)
{
    const char *const derive[] = {text, NULL};
    struct frame *f = table(3, gaps_heads, 8, gaps);
    struct error err = {0};

    assert_null(prepare_fit(f, "y", PREPARE_TREES, NULL, derive, NULL, &err));
    if (!strstr(err.message, message))
        print_message("# got '%s', want '%s'\n", err.message, message);
    assert_non_null(strstr(err.message, message));
    frame_unref(f);
}

static void
test_a_derived_column_cannot_reach_the_target(void **state)
{
    (void)state;
    expect_derive_refused("z = y + 1", "derived column 'z' reads the target");
    expect_derive_refused("y = x + 1", "has the name of the target");
    expect_derive_refused("z = xx + 1", "derived column 'z': ");
    expect_derive_refused("z = x - mean(x) over ()",
                          "derived column 'z' looks at other rows");
    expect_derive_refused("z + 1", "is not 'name = expression'");
    expect_derive_refused(" = x", "has no name");
}

static void
expect_json_refused(const char *text)
{
    struct error err = {0};
    struct json *v = json_parse(str_of(text), &err);
    struct prepare *p;

    if (!v)
        print_message("# %s\n", err.message);
    assert_non_null(v);
    p = prepare_from_json(v, &err);
    if (p)
        print_message("# taken: %s\n", text);
    assert_null(p);
    prepare_free(p);
    json_free(v);
}

#define HEAD                                                                   \
    "{\"style\":\"dense\",\"notes\":\"\",\"derive\":[],\"inputs\":[{\"name\":" \
    "\"c\",\"type\":\"text\"}],\"features\":"

static void
test_hostile_steps_are_refused(void **state)
{
    (void)state;
    expect_json_refused("[]");
    expect_json_refused("{}");
    expect_json_refused("{\"style\":\"other\",\"notes\":\"\"}");
    expect_json_refused(HEAD "[]}");
    expect_json_refused(HEAD "[5]}");
    expect_json_refused(HEAD "[{\"name\":\"c\",\"type\":\"float\"}]}");
    expect_json_refused(HEAD "[{\"name\":\"d\",\"type\":\"text\","
                             "\"levels\":[]}]}");
    expect_json_refused(HEAD "[{\"name\":\"c\",\"type\":\"text\","
                             "\"levels\":[\"a\",\"a\"]}]}");
    expect_json_refused(HEAD "[{\"name\":\"c\",\"type\":\"text\","
                             "\"levels\":[\"a\"],\"rare\":[1]}]}");
    expect_json_refused(HEAD "[{\"name\":\"c\",\"type\":\"text\","
                             "\"levels\":[\"a\"],\"rare\":[-1]}]}");
    expect_json_refused(HEAD "[{\"name\":\"c\",\"type\":\"text\","
                             "\"levels\":[1]}]}");
    expect_json_refused(HEAD "[{\"name\":\"c\",\"type\":\"colour\"}]}");
    expect_json_refused(
        "{\"style\":\"dense\",\"notes\":\"\",\"derive\":[],\"inputs\":[{"
        "\"name\":\"x\",\"type\":\"int\"}],\"features\":[{\"name\":\"x\","
        "\"type\":\"int\",\"fill\":0,\"mean\":0,\"sd\":0,\"missing\":false}]}");
    expect_json_refused(
        "{\"style\":\"trees\",\"notes\":\"\",\"derive\":[\"z = q + 1\"],"
        "\"inputs\":[{\"name\":\"x\",\"type\":\"int\"}],\"features\":[{"
        "\"name\":\"x\",\"type\":\"int\"}]}");
    expect_json_refused(
        "{\"style\":\"trees\",\"notes\":\"\",\"derive\":[\"z = x + 1\"],"
        "\"inputs\":[{\"name\":\"x\",\"type\":\"int\"}],\"features\":[{"
        "\"name\":\"z\",\"type\":\"text\",\"levels\":[\"a\"]}]}");
}

static void
test_no_memory_ends_in_an_error_not_a_leak(void **state)
{
    static const char *const derive[] = {"z = x * 2", NULL};
    struct frame *f = table(3, gaps_heads, 8, gaps);
    struct prepare *p = NULL;
    struct design *d = NULL;
    struct error err;
    unsigned long n;

    (void)state;
    for (n = 1; n < 1000 && !p; n++) {
        mem_fault_arm(n, false);
        p = prepare_fit(f, "y", PREPARE_DENSE, NULL, derive, NULL, &err);
        mem_fault_arm(0, false);
        if (!p)
            assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_in_range(n, 10, 999);
    for (n = 1; n < 1000 && !d; n++) {
        mem_fault_arm(n, false);
        d = prepare_apply(p, f, NULL, &err);
        mem_fault_arm(0, false);
        if (!d)
            assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_in_range(n, 5, 999);
    design_free(d);
    prepare_free(p);
    frame_unref(f);
}

/* Each row names itself twice over, in a text and in a number: both are put in
 * order, and that takes long. */
static void
test_many_levels_can_be_stopped_while_they_are_put_in_order(void **state)
{
    enum { MANY = 50000, MOST_LOOKS = 1 << 30, RUN = 16384 };
    static const char *const names[] = {"name", "x", "y"};
    static const enum col_type types[] = {COL_TEXT, COL_FLOAT64, COL_FLOAT64};
    struct error err = {0};
    struct builder *b = builder_new(3, names, types, &err);
    atomic_uint_least64_t looks;
    struct progress progress;
    struct pool *pool;
    struct prepare *p;
    struct frame *f;
    uint64_t all;

    (void)state;
    assert_non_null(b);
    for (size_t i = 0; i < MANY; i++) {
        size_t at = i * 7919 % MANY;
        char text[32];

        snprintf(text, sizeof text, "row %zu", at / 3);
        assert_true(builder_text(b, 0, str_of(text), &err) &&
                    builder_f64(b, 1, (double)at, &err) &&
                    builder_f64(b, 2, (double)(i % 2), &err) &&
                    builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    progress_init(&progress);
    progress.looks = &looks;
    pool = pool_lend(NULL, &progress);
    atomic_init(&looks, MOST_LOOKS);
    p = prepare_fit(f, "y", PREPARE_DENSE, NULL, NULL, pool, &err);
    assert_non_null(p);
    prepare_free(p);
    all = MOST_LOOKS - atomic_load(&looks);
    assert_true(all > MANY / 3 / RUN + 4);
    for (uint64_t n = 0; n < all; n++) {
        atomic_store(&looks, n);
        assert_null(prepare_fit(f, "y", PREPARE_DENSE, NULL, NULL, pool, &err));
        assert_int_equal(err.code, ERR_CANCELLED);
        assert_int_equal(atomic_load(&looks), 0);
    }
    pool_free(pool);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_numbers_are_imputed_and_scaled_as_in_scikit_learn),
        cmocka_unit_test(test_texts_become_a_column_a_level),
        cmocka_unit_test(test_trees_get_numbers_and_codes_as_they_are),
        cmocka_unit_test(test_a_level_not_seen_is_all_zeros_or_missing),
        cmocka_unit_test(test_only_training_rows_are_looked_at),
        cmocka_unit_test(test_useless_columns_are_dropped_with_a_note),
        cmocka_unit_test(test_rare_levels_share_a_column),
        cmocka_unit_test(test_columns_are_matched_by_name),
        cmocka_unit_test(test_an_absent_column_is_named),
        cmocka_unit_test(test_a_column_of_another_kind_is_refused),
        cmocka_unit_test(test_text_of_numbers_and_empty_columns_fit),
        cmocka_unit_test(test_derived_columns_are_computed_on_both_sides),
        cmocka_unit_test(test_a_derived_column_cannot_reach_the_target),
        cmocka_unit_test(test_hostile_steps_are_refused),
        cmocka_unit_test(test_no_memory_ends_in_an_error_not_a_leak),
        cmocka_unit_test(
            test_many_levels_can_be_stopped_while_they_are_put_in_order),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
