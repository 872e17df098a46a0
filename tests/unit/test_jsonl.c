/* Reading and writing JSON lines.  Random rows are compared with what they
 * were written from; other values are those of RFC 8259 and, where said so, of
 * pandas 1.5.3 (read_json with lines=True).
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "frame/builder.h"
#include "frame/jsonl.h"

static struct csv_table
parse(const char *text)
{
    struct csv_table t;
    struct error err;

    if (!jsonl_parse(str_of(text), "t.jsonl", NULL, NULL, NULL, &t, &err))
        fail_msg("%s", err.message);
    return t;
}

static void
assert_fails(const char *text, const char *message)
{
    struct csv_table t;
    struct error err;

    if (jsonl_parse(str_of(text), "t.jsonl", NULL, NULL, NULL, &t, &err))
        fail_msg("read, expected: %s", message);
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, ERR_PARSE);
}

/* "name:type value value ..." of each column, "~" for missing, "; " between
 * columns. */
static void
assert_table(const char *text, const char *want)
{
    struct csv_table t = parse(text);
    struct buf b;

    buf_init(&b);
    for (size_t k = 0; k < frame_cols(t.frame); k++) {
        const struct column *c = frame_column(t.frame, k);

        buf_printf(&b, "%s%s:%s", k ? "; " : "", frame_name(t.frame, k),
                   column_type_word(column_type(c)));
        for (size_t i = 0; i < column_rows(c); i++) {
            buf_putc(&b, ' ');
            if (column_is_valid(c, i))
                column_print(c, i, &b);
            else
                buf_putc(&b, '~');
        }
    }
    assert_string_equal(b.data, want);
    buf_fini(&b);
    csv_table_fini(&t);
}

static void
test_each_name_is_a_column_in_order_of_appearance(void **state)
{
    (void)state;
    assert_table("{\"a\":1,\"b\":\"x\"}\n{\"c\":true,\"a\":2}\n",
                 "a:int 1 2; b:text x ~; c:bool ~ true");
}

static void
test_objects_within_a_row_become_dotted_columns(void **state)
{
    (void)state;
    assert_table("{\"a\":{\"b\":1,\"c\":{\"d\":2}},\"e\":3}\n"
                 "{\"e\":4,\"a\":{\"c\":{},\"b\":5}}\n",
                 "a.b:int 1 5; a.c.d:int 2 ~; e:int 3 4");
    /* A scalar where others have an object is a column of its own. */
    assert_table("{\"a\":{\"b\":1}}\n{\"a\":7}\n{\"a\":null}\n",
                 "a:int ~ 7 ~; a.b:int 1 ~ ~");
    /* Objects alone, or null in their place, are none. */
    assert_table("{\"a\":{\"b\":1}}\n{\"a\":null}\n", "a.b:int 1 ~");
}

static void
test_two_paths_of_one_spelling_are_two_columns(void **state)
{
    (void)state;
    assert_table("{\"a.b\":1,\"a\":{\"b\":2}}\n", "a.b:int 1; a.b_2:int 2");
}

static void
test_lists_are_kept_as_their_text(void **state)
{
    (void)state;
    assert_table("{\"a\":[1, {\"b\":[]}, \"]\"]}\n{\"a\":[]}\n",
                 "a:text [1, {\"b\":[]}, \"]\"] []");
}

static void
test_types_are_decided_by_all_values(void **state)
{
    (void)state;
    assert_table("{\"x\":1}\n{\"x\":2.5}\n", "x:float 1 2.5");
    assert_table("{\"x\":1}\n{\"x\":\"a\"}\n{\"x\":true}\n{\"x\":1e2}\n",
                 "x:text 1 a true 1e2");
    assert_table("{\"x\":9223372036854775807}\n{\"x\":-9223372036854775808}\n",
                 "x:int 9223372036854775807 -9223372036854775808");
    /* As pandas: too large for 64 bits is a float. */
    assert_table("{\"x\":18446744073709551616}\n",
                 "x:float 1.8446744073709552e+19");
    assert_table("{\"x\":\"1\"}\n", "x:text 1");
    assert_table("{\"x\":null}\n{\"x\":null}\n", "x:text ~ ~");
    assert_table("{\"x\":1e999}\n", "x:text 1e999");
}

static void
test_texts_that_are_all_dates_are_dates(void **state)
{
    (void)state;
    assert_table("{\"d\":\"2024-02-29\"}\n{\"d\":null}\n",
                 "d:date 2024-02-29 ~");
    assert_table("{\"d\":\"2024-02-29\"}\n{\"d\":\"2024-03-01T12:00:00Z\"}\n",
                 "d:timestamp 2024-02-29 00:00:00 2024-03-01 12:00:00");
    assert_table("{\"d\":\"2024-02-30\"}\n", "d:text 2024-02-30");
    assert_table("{\"d\":\"2024-02-29\"}\n{\"d\":1}\n", "d:text 2024-02-29 1");
}

static void
test_python_s_nan_is_missing_and_infinity_a_float(void **state)
{
    (void)state;
    assert_table("{\"x\":NaN}\n{\"x\":-Infinity}\n{\"x\":Infinity}\n",
                 "x:float ~ -inf inf");
}

static void
test_escapes_are_undone(void **state)
{
    (void)state;
    assert_table("{\"x\":\"a\\n\\t\\\"\\\\\\/\\u00e9\\ud83d\\ude00\"}\n",
                 "x:text a\n\t\"\\/\xc3\xa9\xf0\x9f\x98\x80");
    /* Halves of pairs stand for nothing. */
    assert_table("{\"x\":\"\\ud83dx\\ude00\\ud83d\\u0041\"}\n",
                 "x:text \xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd"
                 "A");
    assert_table("{\"\\u0061\":1}\n{\"a\":2}\n", "a:int 1 2");
}

static void
test_the_last_of_two_values_counts(void **state)
{
    (void)state;
    assert_table("{\"a\":1,\"a\":2}\n{\"a\":3,\"a\":null}\n", "a:int 2 ~");
}

static void
test_a_list_of_objects_is_read_as_rows(void **state)
{
    (void)state;
    assert_table(" [ {\"a\":1} ,\n{\"a\":[\",\"]}\n, {\"a\":\"]\"}]\n",
                 "a:text 1 [\",\"] ]");
    assert_fails("[{\"a\":1}\n{\"a\":2}]",
                 "t.jsonl: line 2: expected ',' or ']' after an object");
    assert_fails("[{\"a\":1},\n{\"a\"}]",
                 "t.jsonl: line 2: expected ':' after a name");
    assert_fails("[{\"a\":1},", "t.jsonl: the list has no end: no ']'");
    assert_fails("[]", "t.jsonl: no rows");
}

static void
test_bad_lines_go_to_the_rejects(void **state)
{
    static const char text[] = "{\"a\":1}\n"
                               "\n"
                               "{\"a\":2,\"b\"\n"
                               "nonsense\n"
                               "{\"a\":3} x\r\n"
                               "[1]\n"
                               "{\"z\":\"\x01\"}\n"
                               "{\"a\":4}\r\n"
                               "{\"a\":5,}\n"
                               "{\"a\":01}\n"
                               "{\"a\":\"\\x\"}\n"
                               "{\"a\":6";
    static const long lines[] = {3, 4, 5, 6, 7, 9, 10, 11, 12};
    struct csv_table t = parse(text);
    const struct column *line = frame_column(t.rejects, 0);

    (void)state;
    assert_int_equal(frame_cols(t.frame), 1);
    assert_int_equal(frame_rows(t.frame), 2);
    assert_int_equal(column_int64s(frame_column(t.frame, 0))[1], 4);
    assert_int_equal(t.n_rejected, 9);
    assert_int_equal(frame_rows(t.rejects), 9);
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(column_int64s(line)[i], lines[i]);
    assert_true(str_is(column_text(frame_column(t.rejects, 3), 1), "nonsense"));
    assert_true(str_is(column_text(frame_column(t.rejects, 2), 1),
                       "expected an object: '{'"));
    csv_table_fini(&t);
}

static void
test_a_file_without_rows_is_an_error(void **state)
{
    (void)state;
    assert_fails("", "t.jsonl: no rows");
    assert_fails(" \n\n", "t.jsonl: no rows");
    assert_fails("{}\n{\"a\":{}}\n", "t.jsonl: no names in any object");
    assert_fails("a,b\n1,2\n", "t.jsonl: line 1: expected an object: '{'");
    assert_fails("\xef\xbb\xbf{\"a\":", "t.jsonl: line 1: no value");
}

/* Each row has a name of its own: a column of all rows. */
static void
assert_diverse_fails(size_t n_rows, const char *message)
{
    struct csv_table t;
    struct error err;
    struct buf b;

    buf_init(&b);
    for (size_t i = 0; i < n_rows; i++)
        buf_printf(&b, "{\"k%zu\":1}\n", i);
    assert_false(jsonl_parse((struct str){b.data, b.len}, "t.jsonl", NULL, NULL,
                             NULL, &t, &err));
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, ERR_LIMIT);
    buf_fini(&b);
}

static void
test_names_and_the_room_of_rows_without_them_have_a_limit(void **state)
{
    (void)state;
    assert_diverse_fails(CSV_COLS_MAX + 1,
                         "t.jsonl: more than 100000 different names");
    assert_int_equal(setenv("LATHE_MEMORY", "64M", 1), 0);
    assert_diverse_fails(5000, "t.jsonl: 5000 columns of 5000 rows, most of "
                               "them without a value: more memory than there "
                               "is (LATHE_MEMORY)");
    unsetenv("LATHE_MEMORY");
}

static void
test_nesting_has_a_limit(void **state)
{
    struct buf b;
    struct csv_table t;

    (void)state;
    buf_init(&b);
    buf_puts(&b, "{\"a\":1}\n{\"a\":");
    buf_fill(&b, '[', 100000);
    buf_puts(&b, "\n");
    for (int i = 0; i < 200; i++)
        buf_puts(&b, "{\"a\":");
    buf_puts(&b, "\n");
    t = parse(b.data);
    assert_int_equal(frame_rows(t.frame), 1);
    assert_int_equal(t.n_rejected, 2);
    csv_table_fini(&t);
    buf_fini(&b);
}

/* ---- random tables ---- */

static void
add_value(struct builder *b, size_t col, uint64_t r)
{
    char text[16];
    struct error err;
    bool ok = true;

    switch (col) {
    case 0:
        ok = builder_i64(b, col, (int64_t)r, &err);
        break;
    case 1:
        ok = builder_f64(b, col, (double)(int64_t)r / 1e9, &err);
        break;
    case 2:
        snprintf(text, sizeof text, "%c\"\\%u\n", (char)('a' + r % 26),
                 (unsigned)(r >> 8) % 500);
        ok = builder_text(b, col, str_of(text), &err);
        break;
    case 3:
        ok = builder_i64(b, col, (int64_t)(r % 2), &err);
        break;
    case 4:
        ok = builder_i64(b, col, (int64_t)(r % 40000), &err);
        break;
    case 5:
        ok = builder_i64(b, col, (int64_t)(r % 2000000000) * 1000000, &err);
        break;
    }
    assert_true(ok);
}

static struct frame *
random_table(size_t n)
{
    static const char *const names[] = {"i", "x", "t", "b", "d", "at"};
    static const enum col_type types[] = {
        COL_INT64, COL_FLOAT64, COL_TEXT, COL_BOOL, COL_DATE, COL_TIMESTAMP};
    struct error err;
    struct builder *b = builder_new(6, names, types, &err);
    struct frame *f;

    assert_non_null(b);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < 6; k++)
            if (i == 0 || rng_at(7, k, 2 * i) % 8)
                add_value(b, k, rng_at(7, k, 2 * i + 1));
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

static void
assert_same(const struct frame *a, const struct frame *b)
{
    char x[33], y[33];
    struct error err;

    assert_true(frame_fingerprint(a, x, &err));
    assert_true(frame_fingerprint(b, y, &err));
    assert_string_equal(x, y);
}

static void
test_what_is_written_reads_back_whatever_the_threads_take(void **state)
{
    static const size_t grains[] = {0, 1, 100, 5000, 100000};
    struct frame *f = random_table(3000);
    struct pool *pool = pool_new(3);
    struct buf b;

    (void)state;
    buf_init(&b);
    frame_json_lines(f, 0, frame_rows(f), &b);
    for (size_t i = 0; i < sizeof grains / sizeof *grains; i++) {
        struct jsonl_options o = {.grain = grains[i]};
        struct csv_table t;
        struct error err;

        if (!jsonl_parse((struct str){b.data, b.len}, "t", &o, pool, NULL, &t,
                         &err))
            fail_msg("%s", err.message);
        assert_int_equal(t.n_rejected, 0);
        assert_same(t.frame, f);
        csv_table_fini(&t);
    }
    buf_clear(&b);
    frame_json(f, 0, frame_rows(f), &b);
    for (size_t i = 0; i < sizeof grains / sizeof *grains; i++) {
        struct jsonl_options o = {.grain = grains[i]};
        struct csv_table t;
        struct error err;

        if (!jsonl_parse((struct str){b.data, b.len}, "t", &o, pool, NULL, &t,
                         &err))
            fail_msg("%s", err.message);
        assert_same(t.frame, f);
        csv_table_fini(&t);
    }
    buf_fini(&b);
    pool_free(pool);
    frame_unref(f);
}

static void
test_a_stopped_reading_says_so(void **state)
{
    struct progress p;
    struct csv_table t;
    struct error err;

    (void)state;
    progress_init(&p);
    progress_stop(&p);
    assert_false(
        jsonl_parse(STR("{\"a\":1}\n"), "t", NULL, NULL, &p, &t, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
}

static void
test_no_memory_is_an_error_at_any_point(void **state)
{
    static const char text[] = "{\"a\":{\"b\":\"x\\n\"},\"c\":1.5}\n"
                               "bad\n"
                               "{\"c\":2,\"d\":\"2024-01-01\",\"e\":true}\n";
    struct jsonl_options o = {.grain = 10};
    bool done = false;

    (void)state;
    for (unsigned long n = 1; !done; n++) {
        struct csv_table t;
        struct error err;

        mem_fault_arm(n, false);
        done = jsonl_parse(STR(text), "t", &o, NULL, NULL, &t, &err);
        mem_fault_arm(0, false);
        if (done) {
            assert_int_equal(frame_rows(t.frame), 2);
            csv_table_fini(&t);
        } else {
            assert_int_equal(err.code, ERR_NOMEM);
        }
        assert_true(n < 1000);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_name_is_a_column_in_order_of_appearance),
        cmocka_unit_test(test_objects_within_a_row_become_dotted_columns),
        cmocka_unit_test(test_two_paths_of_one_spelling_are_two_columns),
        cmocka_unit_test(test_lists_are_kept_as_their_text),
        cmocka_unit_test(test_types_are_decided_by_all_values),
        cmocka_unit_test(test_texts_that_are_all_dates_are_dates),
        cmocka_unit_test(test_python_s_nan_is_missing_and_infinity_a_float),
        cmocka_unit_test(test_escapes_are_undone),
        cmocka_unit_test(test_the_last_of_two_values_counts),
        cmocka_unit_test(test_a_list_of_objects_is_read_as_rows),
        cmocka_unit_test(test_bad_lines_go_to_the_rejects),
        cmocka_unit_test(test_a_file_without_rows_is_an_error),
        cmocka_unit_test(
            test_names_and_the_room_of_rows_without_them_have_a_limit),
        cmocka_unit_test(test_nesting_has_a_limit),
        cmocka_unit_test(
            test_what_is_written_reads_back_whatever_the_threads_take),
        cmocka_unit_test(test_a_stopped_reading_says_so),
        cmocka_unit_test(test_no_memory_is_an_error_at_any_point),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
