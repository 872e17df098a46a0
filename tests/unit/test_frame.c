/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/pool.h"
#include "base/progress.h"
#include "frame/builder.h"
#include "frame/fingerprint.h"
#include "frame/gather.h"

static const char *const names[] = {"name",   "age",   "score",
                                    "member", "since", "seen"};
static const enum col_type types[] = {COL_TEXT, COL_INT64, COL_FLOAT64,
                                      COL_BOOL, COL_DATE,  COL_TIMESTAMP};

static struct frame *
people(struct error *err)
{
    static const char *const rows[][6] = {
        {"Ada", "36", "0.1", "true", "1842-09-04", "2024-01-31 12:30:00"},
        {"Bj\xc3\xb6rn, \"B\"", "", "-1e-7", "false", "", ""},
        {"", "7", "", "", "1970-01-01", "1970-01-01 00:00:00.5"},
    };
    struct builder *b = builder_new(6, names, types, err);

    if (!b)
        return NULL;
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 6; j++)
            if (*rows[i][j] && !builder_parse(b, j, str_of(rows[i][j]), err)) {
                builder_free(b);
                return NULL;
            }
        if (!builder_end_row(b, err)) {
            builder_free(b);
            return NULL;
        }
    }
    return builder_finish(b, err);
}

static void
a_builder_makes_a_typed_frame(void **state)
{
    struct error err;
    struct frame *f = people(&err);

    (void)state;
    assert_non_null(f);
    assert_int_equal(frame_rows(f), 3);
    assert_int_equal(frame_cols(f), 6);
    assert_int_equal(frame_find(f, "score"), 2);
    assert_int_equal(frame_find(f, "Score"), -1);
    assert_int_equal(column_int64s(frame_column(f, 1))[0], 36);
    assert_true(column_float64s(frame_column(f, 2))[1] == -1e-7);
    assert_int_equal(column_missing(frame_column(f, 3)), 1);
    /* date -u -d 1842-09-04 +%s is -4018032000 */
    assert_int_equal(column_dates(frame_column(f, 4))[0],
                     INT64_C(-4018032000) / 86400);
    assert_int_equal(column_int64s(frame_column(f, 5))[2], 500000);
    assert_false(column_is_valid(frame_column(f, 0), 2));
    frame_unref(f);
}

static void
a_builder_names_value_and_type_it_cannot_read(void **state)
{
    struct error err;
    struct builder *b = builder_new(6, names, types, &err);

    (void)state;
    assert_false(builder_parse(b, 1, STR("3.5"), &err));
    assert_int_equal(err.code, ERR_PARSE);
    assert_string_equal(err.message, "'3.5' is not an int");
    assert_false(builder_parse(b, 3, STR("maybe"), &err));
    assert_string_equal(err.message, "'maybe' is not a bool");
    builder_free(b);
}

static void
a_thousand_rows_keep_their_values_and_gaps(void **state)
{
    struct error err;
    struct builder *b = builder_new(2, names, types, &err);
    struct frame *f;

    (void)state;
    for (int64_t i = 0; i < 1000; i++) {
        if (i % 3)
            assert_true(builder_i64(b, 1, i, &err));
        assert_true(builder_end_row(b, &err));
    }
    assert_true(builder_i64(b, 1, 5, &err)); /* a row never ended */
    f = builder_finish(b, &err);
    assert_int_equal(frame_rows(f), 1000);
    assert_int_equal(column_missing(frame_column(f, 1)), 334);
    assert_int_equal(column_missing(frame_column(f, 0)), 1000);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(column_is_valid(frame_column(f, 1), i), i % 3 != 0);
        assert_int_equal(column_int64s(frame_column(f, 1))[i], i % 3 ? i : 0);
    }
    frame_unref(f);
}

static void
duplicate_and_empty_names_are_refused(void **state)
{
    static const char *const twice[] = {"a", "a"}, *const empty[] = {"a", ""};
    struct error err;
    struct builder *b = builder_new(2, twice, types, &err);

    (void)state;
    assert_null(builder_finish(b, &err));
    assert_int_equal(err.code, ERR_EXISTS);
    assert_string_equal(err.message, "there are two columns 'a'");
    b = builder_new(2, empty, types, &err);
    assert_null(builder_finish(b, &err));
    assert_int_equal(err.code, ERR_RANGE);
    assert_string_equal(err.message, "column 2 has no name");
}

static void
an_unknown_column_names_its_neighbour(void **state)
{
    struct error err;
    struct frame *f = people(&err);
    size_t col;

    (void)state;
    assert_true(frame_need(f, "since", &col, &err));
    assert_int_equal(col, 4);
    assert_false(frame_need(f, "scor", &col, &err));
    assert_string_equal(err.message,
                        "no column 'scor' (did you mean 'score'?)");
    assert_false(frame_need(f, "quantity", &col, &err));
    assert_string_equal(err.message, "no column 'quantity'");
    frame_unref(f);
}

static void
many_columns_are_found_by_name_and_must_differ(void **state)
{
    enum { N = 100 };
    struct error err;
    char text[N][8];
    const char *list[N];
    enum col_type all[N] = {COL_BOOL};
    struct frame *f;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "c%zu", i);
        list[i] = text[i];
    }
    f = builder_finish(builder_new(N, list, all, &err), &err);
    assert_int_equal(frame_find(f, "c77"), 77);
    assert_int_equal(frame_find(f, "c100"), -1);
    frame_unref(f);
    list[99] = "c3";
    assert_null(builder_finish(builder_new(N, list, all, &err), &err));
    assert_string_equal(err.message, "there are two columns 'c3'");
}

static void
take_select_with_and_drop_make_new_frames(void **state)
{
    static const uint32_t rows[] = {2, 0};
    static const size_t cols[] = {1, 0};
    static const char *const gone[] = {"age", "seen"};
    struct error err;
    struct frame *f = people(&err), *t, *s, *d, *w, *r, *slice;

    (void)state;
    t = frame_take(f, rows, 2, &err);
    assert_int_equal(column_int64s(frame_column(t, 1))[0], 7);
    s = frame_select(t, cols, 2, &err);
    assert_string_equal(frame_name(s, 0), "age");
    assert_true(str_is(column_text(frame_column(s, 1), 1), "Ada"));
    d = frame_drop(f, gone, 2, &err);
    assert_int_equal(frame_cols(d), 4);
    assert_int_equal(frame_find(d, "age"), -1);
    w = frame_with(d, "age", column_ref(frame_column(f, 1)), &err);
    assert_int_equal(frame_find(w, "age"), 4);
    r = frame_with(w, "name", column_ref(frame_column(f, 2)), &err);
    assert_int_equal(frame_cols(r), 5);
    assert_int_equal(column_type(frame_column(r, 0)), COL_FLOAT64);
    assert_null(frame_with(t, "age", column_ref(frame_column(f, 1)), &err));
    assert_string_equal(err.message, "column 'age' has 3 rows, expected 2");
    slice = frame_slice(f, 1, 3, &err);
    assert_int_equal(frame_rows(slice), 2);
    assert_int_equal(column_int64s(frame_column(slice, 1))[1], 7);
    frame_unref(slice);
    frame_unref(r);
    frame_unref(w);
    frame_unref(d);
    frame_unref(s);
    frame_unref(t);
    frame_unref(f);
}

static void
the_fingerprint_ignores_how_a_frame_was_made(void **state)
{
    static const uint32_t back[] = {2, 1, 0}, all[] = {0, 1, 2};
    struct error err;
    struct frame *f = people(&err), *g = frame_take(f, back, 3, &err),
                 *h = frame_take(g, back, 3, &err), *k;
    char a[33], b[33], c[33], d[33];

    (void)state;
    assert_true(frame_fingerprint(f, a, &err));
    assert_true(frame_fingerprint(g, b, &err));
    assert_true(frame_fingerprint(h, c, &err));
    assert_string_equal(a, c);
    assert_string_not_equal(a, b);
    k = frame_take(g, all, 2, &err);
    assert_true(frame_fingerprint(k, d, &err));
    assert_string_not_equal(b, d);
    frame_unref(k);
    frame_unref(h);
    frame_unref(g);
    frame_unref(f);
}

static void
print_aligns_cuts_and_counts(void **state)
{
    struct error err;
    struct frame *f = people(&err);
    struct buf b;

    (void)state;
    buf_init(&b);
    frame_print(f, 2, 34, &b);
    assert_string_equal(b.data, "name        age   score  member\n"
                                "Ada          36     0.1  true\n"
                                "Bj\xc3\xb6rn, \"B\"    -  -1e-07  false\n"
                                "3 rows x 6 columns, first 2, 4 columns"
                                " shown\n");
    buf_clear(&b);
    frame_print(f, 3, 6, &b);
    assert_string_equal(b.data, "name\nAda\nBj\xc3\xb6r..\n-\n"
                                "3 rows x 6 columns, 1 columns shown\n");
    buf_fini(&b);
    frame_unref(f);
}

/* 0.000146 keeps three digits; 0.001 beside 1234.5 would lose all of its. */
static void
print_puts_points_below_each_other_where_no_digit_is_lost(void **state)
{
    static const char *const two[] = {"psi", "mixed"};
    static const enum col_type floats[] = {COL_FLOAT64, COL_FLOAT64};
    static const double rows[][2] = {
        {0.79952, 1234.5}, {0.000145682, 0.001}, {0, 7}};
    struct error err;
    struct builder *b = builder_new(2, two, floats, &err);
    struct frame *f;
    struct buf out;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_true(builder_f64(b, 0, rows[i][0], &err));
        assert_true(builder_f64(b, 1, rows[i][1], &err));
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    buf_init(&out);
    frame_print(f, 9, 80, &out);
    assert_string_equal(out.data, "     psi   mixed\n0.799520  1234.5\n"
                                  "0.000146   0.001\n0.000000       7\n"
                                  "3 rows x 2 columns\n");
    buf_fini(&out);
    frame_unref(f);
}

static void
print_shows_no_control_characters(void **state)
{
    struct error err;
    struct builder *b = builder_new(1, names, types, &err);
    struct frame *f;
    struct buf out;

    (void)state;
    assert_true(builder_text(b, 0, STR("a\x1b[31m\nb\xc2\x9bz"), &err));
    assert_true(builder_end_row(b, &err));
    f = builder_finish(b, &err);
    buf_init(&out);
    frame_print(f, 9, 80, &out);
    assert_string_equal(out.data, "name\na [31m b z\n1 row x 1 column\n");
    buf_fini(&out);
    frame_unref(f);
}

static void
json_gives_each_type_its_form(void **state)
{
    struct error err;
    struct frame *f = people(&err);
    struct buf b;

    (void)state;
    buf_init(&b);
    frame_json(f, 0, 2, &b);
    assert_string_equal(
        b.data, "[{\"name\":\"Ada\",\"age\":36,\"score\":0.1,\"member\":true,"
                "\"since\":\"1842-09-04\",\"seen\":\"2024-01-31 12:30:00\"},"
                "{\"name\":\"Bj\xc3\xb6rn, \\\"B\\\"\",\"age\":null,"
                "\"score\":-1e-07,\"member\":false,\"since\":null,"
                "\"seen\":null}]");
    buf_fini(&b);
    frame_unref(f);
}

static void
every_failing_allocation_is_reported(void **state)
{
    static const uint32_t rows[] = {1, 1};
    struct error err;
    struct frame *f = NULL, *t = NULL;
    char hash[33];
    unsigned long n;

    (void)state;
    for (n = 1; !f; n++) {
        mem_fault_arm(n, false);
        if (!(f = people(&err)))
            assert_int_equal(err.code, ERR_NOMEM);
    }
    for (n = 1; !t; n++) {
        mem_fault_arm(n, false);
        if (!(t = frame_take(f, rows, 2, &err)))
            assert_int_equal(err.code, ERR_NOMEM);
    }
    for (n = 1;; n++) {
        mem_fault_arm(n, false);
        if (frame_fingerprint(t, hash, &err))
            break;
        assert_int_equal(err.code, ERR_NOMEM);
    }
    mem_fault_arm(0, false);
    assert_int_equal(strlen(hash), 32);
    frame_unref(t);
    frame_unref(f);
}

/* Cuts fall anywhere in blocks and words of validity. */
static void
a_fingerprint_of_batches_is_that_of_the_whole(void **state)
{
    static const size_t widths[] = {1, 7, 63, 64, 65, 4095, 4096, 5000, 20000};
    enum { ROWS = 9001 };
    struct error err;
    int64_t *x = mem_try_aligned(ROWS, sizeof *x, &err);
    uint8_t *odd = mem_try_aligned(ROWS, 1, &err);
    uint32_t *codes = mem_try_aligned(ROWS, sizeof *codes, &err), code;
    uint64_t *valid = mem_try_array(ROWS / 64 + 1, sizeof *valid, &err);
    struct dict *d = dict_new(&err);
    const char *const columns[] = {"x", "odd", "word"};
    struct column *c[3];
    struct frame *f;
    char whole[33];

    (void)state;
    assert_true(dict_add(d, str_of("one"), &code, &err) &&
                dict_add(d, str_of(""), &code, &err) &&
                dict_add(d, str_of("three"), &code, &err));
    for (size_t i = 0; i < ROWS; i++) {
        bool there = i % 7 != 3;

        valid[i / 64] |= (uint64_t)there << i % 64;
        x[i] = there ? (int64_t)(i * i) : 0;
        odd[i] = i % 2;
        codes[i] = (uint32_t)(i % 3);
    }
    c[0] = column_new(COL_INT64, ROWS, x, valid, NULL, &err);
    c[1] = column_new(COL_BOOL, ROWS, odd, NULL, NULL, &err);
    c[2] = column_new(COL_TEXT, ROWS, codes, NULL, d, &err);
    f = frame_new(ROWS, 3, columns, c, &err);
    assert_non_null(f);
    assert_true(frame_fingerprint(f, whole, &err));
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
        struct fingerprint *p = fingerprint_new(f, &err);
        char got[33];

        for (size_t at = 0; at < ROWS; at += widths[k]) {
            size_t end = ROWS - at < widths[k] ? ROWS : at + widths[k];
            struct frame *batch = frame_slice(f, at, end, &err);

            assert_true(fingerprint_add(p, batch, &err));
            frame_unref(batch);
        }
        assert_true(fingerprint_end(p, got, &err));
        assert_string_equal(got, whole);
        fingerprint_free(p);
    }
    frame_unref(f);
}

/* Of many columns the blocks are shorter. */
static void
a_fingerprint_of_many_columns_is_that_of_the_whole_too(void **state)
{
    enum { ROWS = 1001, COLS = 9000, NAME = 12 };
    static char text[COLS][NAME];
    const char *name[COLS];
    struct column *c[COLS];
    struct error err;
    struct frame *f;
    struct fingerprint *p;
    char whole[33], got[33];
    double *x = mem_try_aligned(ROWS, sizeof *x, &err);

    (void)state;
    assert_non_null(x);
    for (size_t i = 0; i < ROWS; i++)
        x[i] = (double)(i * i % 77);
    c[0] = column_new(COL_FLOAT64, ROWS, x, NULL, NULL, &err);
    assert_non_null(c[0]);
    for (size_t j = 0; j < COLS; j++) {
        c[j] = j ? column_ref(c[0]) : c[0];
        snprintf(text[j], NAME, "c%zu", j);
        name[j] = text[j];
    }
    f = frame_new(ROWS, COLS, name, c, &err);
    assert_non_null(f);
    assert_true(frame_fingerprint(f, whole, &err));
    assert_non_null(p = fingerprint_new(f, &err));
    for (size_t at = 0; at < ROWS; at += 77) {
        size_t end = ROWS - at < 77 ? ROWS : at + 77;
        struct frame *batch = frame_slice(f, at, end, &err);

        assert_true(fingerprint_add(p, batch, &err));
        frame_unref(batch);
    }
    assert_true(fingerprint_end(p, got, &err));
    assert_string_equal(got, whole);
    fingerprint_free(p);
    frame_unref(f);
}

/* Many rows may be on their way when nobody wants them any more. */
static void
rows_stop_being_gathered_when_the_work_is_stopped(void **state)
{
    static const char *const name[] = {"x"};
    static const enum col_type type[] = {COL_FLOAT64};
    const uint32_t rows[] = {1, 0, 1};
    struct progress stopped;
    struct error err;
    struct builder *b = builder_new(1, name, type, &err);
    struct pool *pool;
    struct frame *f;

    (void)state;
    assert_non_null(b);
    for (size_t i = 0; i < 2; i++)
        assert_true(builder_f64(b, 0, (double)i, &err) &&
                    builder_end_row(b, &err));
    assert_non_null(f = builder_finish(b, &err));
    progress_init(&stopped);
    progress_stop(&stopped);
    pool = pool_lend(NULL, &stopped);
    assert_null(gather_frame(f, rows, 3, pool, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    pool_free(pool);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_stop_being_gathered_when_the_work_is_stopped),
        cmocka_unit_test(a_builder_makes_a_typed_frame),
        cmocka_unit_test(a_builder_names_value_and_type_it_cannot_read),
        cmocka_unit_test(a_thousand_rows_keep_their_values_and_gaps),
        cmocka_unit_test(duplicate_and_empty_names_are_refused),
        cmocka_unit_test(an_unknown_column_names_its_neighbour),
        cmocka_unit_test(many_columns_are_found_by_name_and_must_differ),
        cmocka_unit_test(take_select_with_and_drop_make_new_frames),
        cmocka_unit_test(the_fingerprint_ignores_how_a_frame_was_made),
        cmocka_unit_test(a_fingerprint_of_batches_is_that_of_the_whole),
        cmocka_unit_test(
            a_fingerprint_of_many_columns_is_that_of_the_whole_too),
        cmocka_unit_test(print_aligns_cuts_and_counts),
        cmocka_unit_test(
            print_puts_points_below_each_other_where_no_digit_is_lost),
        cmocka_unit_test(print_shows_no_control_characters),
        cmocka_unit_test(json_gives_each_type_its_form),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
