/* Delimited text that is odd or means harm: what is kept, what is set aside,
 * what is refused.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "frame/csv.h"

static struct pool *pool;

static struct csv_table
parse(struct str text, const struct csv_options *o)
{
    struct csv_table t;
    struct error err;

    if (!csv_parse(text, "t.csv", o, pool, NULL, &t, &err))
        fail_msg("%s", err.message);
    return t;
}

static void
assert_fails(struct str text, enum error_code code, const char *message)
{
    struct csv_table t;
    struct error err;

    if (csv_parse(text, "t.csv", NULL, pool, NULL, &t, &err))
        fail_msg("read, expected: %s", message);
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, code);
}

/* "name:type value value ..." of a column; "~" stands for missing. */
static void
assert_column(const struct csv_table *t, size_t col, const char *want)
{
    const struct column *c = frame_column(t->frame, col);
    struct buf b;

    buf_init(&b);
    buf_printf(&b, "%s:%s", frame_name(t->frame, col),
               column_type_word(column_type(c)));
    for (size_t i = 0; i < column_rows(c); i++) {
        buf_putc(&b, ' ');
        if (column_is_valid(c, i))
            column_print(c, i, &b);
        else
            buf_putc(&b, '~');
    }
    assert_string_equal(b.data, want);
    buf_fini(&b);
}

/* "line column reason", "-" where there is no column. */
static void
assert_reject(const struct csv_table *t, size_t i, const char *want)
{
    struct buf b;

    buf_init(&b);
    for (size_t k = 0; k < 3; k++) {
        const struct column *c = frame_column(t->rejects, k);

        if (k > 0)
            buf_putc(&b, ' ');
        if (column_is_valid(c, i))
            column_print(c, i, &b);
        else
            buf_putc(&b, '-');
    }
    assert_string_equal(b.data, want);
    buf_fini(&b);
}

static void
an_empty_file_and_one_of_blank_lines_have_no_rows(void **state)
{
    (void)state;
    assert_fails(STR(""), ERR_PARSE, "t.csv: line 1: the file is empty");
    assert_fails(STR("\n\r\n\r"), ERR_PARSE,
                 "t.csv: line 4: no row in the whole file");
}

static void
a_header_alone_is_a_table_of_no_rows(void **state)
{
    static const char *const texts[] = {"id,name", "id,name\n", "id,name\r\n",
                                        "\xef\xbb\xbfid,name\r"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct csv_table t = parse(str_of(texts[i]), NULL);

        assert_true(t.header);
        assert_int_equal(frame_rows(t.frame), 0);
        assert_column(&t, 0, "id:text");
        assert_column(&t, 1, "name:text");
        assert_int_equal(t.n_rejected, 0);
        csv_table_fini(&t);
    }
}

static void
one_column_needs_no_delimiter(void **state)
{
    struct csv_table t = parse(STR("x\n1\n2\n3"), NULL);

    (void)state;
    assert_int_equal(frame_cols(t.frame), 1);
    assert_column(&t, 0, "x:int 1 2 3");
    csv_table_fini(&t);
}

static void
ten_thousand_columns_are_read(void **state)
{
    enum { N = 10000, ROWS = 20 };
    struct csv_table t;
    struct buf b;

    (void)state;
    buf_init(&b);
    for (size_t row = 0; row <= ROWS; row++)
        for (size_t k = 0; k < N; k++)
            buf_printf(&b, "%s%zu%s", row ? "" : "c", row * N + k,
                       k + 1 == N ? "\n" : ",");
    t = parse((struct str){b.data, b.len}, NULL);
    assert_int_equal(frame_cols(t.frame), N);
    assert_int_equal(frame_rows(t.frame), ROWS);
    for (size_t k = 0; k < N; k++) {
        const struct column *c = frame_column(t.frame, k);

        assert_int_equal(column_type(c), COL_INT64);
        assert_int_equal(column_int64s(c)[ROWS - 1], ROWS * N + k);
    }
    csv_table_fini(&t);
    buf_fini(&b);
}

static void
line_ends_of_all_kinds_may_be_mixed(void **state)
{
    struct csv_table t = parse(STR("a,b\r1,2\r3,4\r"), NULL);

    (void)state;
    assert_column(&t, 0, "a:int 1 3");
    csv_table_fini(&t);
    t = parse(STR("a,b\r\n1,2\n3,4\r5,6"), NULL);
    assert_column(&t, 0, "a:int 1 3 5");
    assert_column(&t, 1, "b:int 2 4 6");
    csv_table_fini(&t);
}

static void
ragged_rows_are_told_by_line_and_reason(void **state)
{
    struct csv_table t =
        parse(STR("a,b\n1,2\n3\n4,5,6\n\"7\"x,8\n9,\"10\n11,12\n"), NULL);

    (void)state;
    assert_column(&t, 0, "a:int 1");
    assert_int_equal(t.n_rejected, 4);
    assert_reject(&t, 0, "3 - 1 field, expected 2");
    assert_reject(&t, 1, "4 - 3 fields, expected 2");
    assert_reject(&t, 2, "5 a text after the closing quote of field 1");
    assert_reject(&t, 3, "6 b the quote of field 2 is never closed");
    csv_table_fini(&t);
}

/* A text of `len` bytes: a header, rows of digits, and `what` at the end. */
static struct buf
padded(size_t len, struct str what)
{
    struct buf b;

    buf_init(&b);
    buf_puts(&b, "a,b\n");
    while (b.len < len)
        buf_puts(&b, "1,2\n");
    buf_add(&b, what.p, what.n);
    return b;
}

/* As a crash leaves them behind. */
static void
rows_with_zero_bytes_are_set_aside(void **state)
{
    static const size_t grains[] = {0, 1, 50, 5000};
    struct buf b = padded(6000, STR("3,\0\0\0\n4,5\n\0\0\0\n\"\0\",7\n8,9\n"));

    (void)state;
    for (size_t i = 0; i < sizeof grains / sizeof *grains; i++) {
        struct csv_options o = {.header = -1, .grain = grains[i]};
        struct csv_table t = parse((struct str){b.data, b.len}, &o);

        assert_int_equal(frame_rows(t.frame), 1499 + 2);
        assert_int_equal(column_type(frame_column(t.frame, 1)), COL_INT64);
        assert_int_equal(column_int64s(frame_column(t.frame, 1))[1500], 9);
        assert_int_equal(t.n_rejected, 3);
        assert_reject(&t, 0, "1501 b a zero byte in field 2");
        assert_reject(&t, 1, "1503 a a zero byte in field 1");
        assert_reject(&t, 2, "1504 a a zero byte in field 1");
        csv_table_fini(&t);
    }
    buf_fini(&b);
}

static void
a_zero_byte_near_the_beginning_is_no_text(void **state)
{
    struct buf b = padded(4000, STR("3,\0\n"));

    (void)state;
    assert_fails((struct str){b.data, b.len}, ERR_PARSE,
                 "t.csv: line 1001: a zero byte: this is a binary file, "
                 "expected text in UTF-8");
    buf_fini(&b);
    b = padded(6000, STR("3,\0\n"));
    memcpy(b.data, "PK\x03\x04", 4);
    assert_fails((struct str){b.data, b.len}, ERR_PARSE,
                 "t.csv: line 1500: a zero byte: this is a zip file, "
                 "expected text in UTF-8");
    buf_fini(&b);
}

static void
what_is_not_utf8_is_kept_and_counted(void **state)
{
    static const char text[] =
        "na\xefve,city\n\"a\nb\",K\xf6ln\nx,Köln\n\xff,\xfe\nonly one \xe9\n";
    static const size_t grains[] = {0, 1, 7, 20};

    (void)state;
    for (size_t i = 0; i < sizeof grains / sizeof *grains; i++) {
        struct csv_options o = {.header = 1, .grain = grains[i]};
        struct csv_table t = parse(STR(text), &o);

        assert_int_equal(t.n_foreign, 5);
        assert_int_equal(t.foreign_line, 1);
        assert_int_equal(t.n_rejected, 1);
        assert_column(&t, 1, "city:text K\xf6ln Köln \xfe");
        csv_table_fini(&t);
    }
    struct csv_table t = parse(STR("a,b\n\"1\n2\",x\ny,\xe9\n"), NULL);

    assert_int_equal(t.n_foreign, 1);
    assert_int_equal(t.foreign_line, 4);
    csv_table_fini(&t);
    t = parse(STR("a,b\nü,€\n"), NULL);
    assert_int_equal(t.n_foreign, 0);
    csv_table_fini(&t);
}

static char *
with_field(size_t len, size_t *n)
{
    static const char head[] = "a,b\n1,2\n3,";
    char *text = malloc(sizeof head + len + 8);

    assert_non_null(text);
    memcpy(text, head, sizeof head - 1);
    memset(text + sizeof head - 1, 'x', len);
    memcpy(text + sizeof head - 1 + len, "\n4,5\n", 5);
    *n = sizeof head - 1 + len + 5;
    return text;
}

static void
a_field_has_a_limit_that_is_told_with_its_place(void **state)
{
    size_t n;
    char *text = with_field(CSV_FIELD_MAX + 1, &n);
    struct csv_table t;

    (void)state;
    assert_fails((struct str){text, n}, ERR_LIMIT,
                 "t.csv: line 3, column 2: a field of 67108865 bytes, the "
                 "limit is 64 MiB");
    free(text);
    text = with_field(CSV_FIELD_MAX, &n);
    t = parse((struct str){text, n}, NULL);
    assert_int_equal(frame_rows(t.frame), 3);
    assert_int_equal(column_text(frame_column(t.frame, 1), 1).n, CSV_FIELD_MAX);
    csv_table_fini(&t);
    free(text);
}

/* The number is known before memory is taken for the columns. */
static void
a_hundred_thousand_columns_are_the_limit(void **state)
{
    struct csv_table t;
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_fill(&b, ',', CSV_COLS_MAX - 1);
    buf_add(&b, "\n", 1);
    buf_fill(&b, ',', CSV_COLS_MAX - 1);
    t = parse((struct str){b.data, b.len}, NULL);
    assert_int_equal(frame_cols(t.frame), CSV_COLS_MAX);
    csv_table_fini(&t);
    buf_clear(&b);
    buf_puts(&b, "\n");
    buf_fill(&b, ';', CSV_COLS_MAX);
    buf_puts(&b, "\n1\n");
    assert_fails((struct str){b.data, b.len}, ERR_LIMIT,
                 "t.csv: 100001 columns, the limit is 100000");
    buf_fini(&b);
}

static void
a_ragged_row_of_millions_of_fields_is_told_with_its_line(void **state)
{
    struct csv_table t;
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_puts(&b, "a,b\n\"1\n2\",3\n");
    buf_fill(&b, ',', CSV_CELLS_MAX - 1);
    buf_puts(&b, "\n4,5\n");
    t = parse((struct str){b.data, b.len}, NULL);
    assert_reject(&t, 0, "4 - 16777216 fields, expected 2");
    csv_table_fini(&t);
    buf_clear(&b);
    buf_puts(&b, "a,b\n\"1\n2\",3\n");
    buf_fill(&b, ',', CSV_CELLS_MAX);
    buf_puts(&b, "\n4,5\n");
    assert_fails((struct str){b.data, b.len}, ERR_LIMIT,
                 "t.csv: line 4: 16777217 fields, the limit is 16777216");
    buf_fini(&b);
}

/* What is set aside is cut short: it takes no room. */
static void
a_quote_that_is_never_closed_is_set_aside_however_long(void **state)
{
    size_t n;
    char *text = with_field(CSV_FIELD_MAX + 1, &n);
    struct csv_table t;

    (void)state;
    text[10] = '"';
    t = parse((struct str){text, n}, NULL);
    assert_column(&t, 0, "a:int 1");
    assert_reject(&t, 0, "3 b the quote of field 2 is never closed");
    assert_true(column_text(frame_column(t.rejects, 3), 0).n <= 4096);
    csv_table_fini(&t);
    free(text);
}

/* ---- options ---- */

static void
a_delimiter_is_one_character_or_tab(void **state)
{
    static const char *const wrong[] = {"", "\"", "\n", "ab", "ü", "tabs"};
    struct error err;
    char c;

    (void)state;
    assert_true(csv_delimiter_parse(";", &c, &err) && c == ';');
    assert_true(csv_delimiter_parse("tab", &c, &err) && c == '\t');
    assert_true(csv_delimiter_parse("\\t", &c, &err) && c == '\t');
    assert_true(csv_delimiter_parse("\t", &c, &err) && c == '\t');
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(csv_delimiter_parse(wrong[i], &c, &err));
        assert_int_equal(err.code, ERR_USAGE);
    }
}

static void
types_that_do_not_exist_name_the_nearest(void **state)
{
    const char *const wrong[] = {"a=int", "b=dat", NULL};
    struct error err;

    (void)state;
    assert_false(csv_types_check(wrong, &err));
    assert_string_equal(err.message,
                        "type 'b=dat', expected COLUMN= and one of bool, int, "
                        "float, text, date, timestamp, dmy, mdy (did you mean "
                        "'date'?)");
}

static void
a_type_of_no_column_is_an_error_unless_told_not_to_be(void **state)
{
    const char *const types[] = {"zip=text", "a=text", NULL};
    struct csv_options o = {.header = -1, .types = types};
    struct csv_table t;
    struct error err;

    (void)state;
    assert_false(
        csv_parse(STR("a,zap\n1,2\n"), "t.csv", &o, NULL, NULL, &t, &err));
    assert_string_equal(err.message,
                        "t.csv: no column 'zip' (did you mean 'zap'?)");
    o.types_loose = 2;
    t = parse(STR("a,zap\n1,2\n"), &o);
    assert_column(&t, 0, "a:text 1");
    assert_column(&t, 1, "zap:int 2");
    csv_table_fini(&t);
}

/* ---- days and months ---- */

/* Dates and times are what pandas 1.5.3 makes of the values one by one, by
 * to_datetime(..., dayfirst=True or False, utc=True); it takes none of those
 * that are no date at all.  That a column is text where the values leave two
 * orders, or mix forms, is a rule of ours. */
static void
all_values_of_a_column_decide_the_order_of_day_and_month(void **state)
{
    static const struct {
        const char *values, *want;
    } cases[] = {
        {"1/2/2024|13/2/2024", "d:date 2024-02-01 2024-02-13"},
        {"13/2/2024|1/2/2024", "d:date 2024-02-13 2024-02-01"},
        {"1/2/2024|2/13/2024", "d:date 2024-01-02 2024-02-13"},
        {"01.02.2024|3.4.1999", "d:date 2024-02-01 1999-04-03"},
        {"31-12-2024|NA|1-1-2025", "d:date 2024-12-31 ~ 2025-01-01"},
        {"29/02/2024", "d:date 2024-02-29"},
        {"2024/02/03|2024-02-04", "d:date 2024-02-03 2024-02-04"},
        {"20240203", "d:int 20240203"},
        /* Both orders are left, or none: text. */
        {"1/2/2024|3/4/2024", "d:text 1/2/2024 3/4/2024"},
        {"13/2/2024|2/13/2024", "d:text 13/2/2024 2/13/2024"},
        {"13/2/2024|x", "d:text 13/2/2024 x"},
        {"13/2/2024|2024-02-13", "d:text 13/2/2024 2024-02-13"},
        {"29/02/2023", "d:text 29/02/2023"},
        {"13/2/24", "d:text 13/2/24"},
        /* With a time. */
        {"1/2/2024 3:04|31/12/2024 23:59:58.5",
         "d:timestamp 2024-02-01 03:04:00 2024-12-31 23:59:58.5"},
        {"12/31/2024 12:00 AM|1/2/2024 1:05:06 pm",
         "d:timestamp 2024-12-31 00:00:00 2024-01-02 13:05:06"},
        {"1/2/2024|31/12/2024 10:00",
         "d:timestamp 2024-02-01 00:00:00 2024-12-31 10:00:00"},
        {"31.12.2024T10:00:00+0130", "d:timestamp 2024-12-31 08:30:00"},
        {"12/31/2024 13:00 PM", "d:text 12/31/2024 13:00 PM"},
        {"12/31/2024 25:00", "d:text 12/31/2024 25:00"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct csv_options o = {.header = 1, .delimiter = ','};
        struct buf b;
        struct csv_table t;

        buf_init(&b);
        buf_printf(&b, "d\n%s\n", cases[i].values);
        for (char *p = b.data; *p; p++)
            *p = *p == '|' ? '\n' : *p;
        t = parse(str_of(b.data), &o);
        assert_column(&t, 0, cases[i].want);
        csv_table_fini(&t);
        buf_fini(&b);
    }
}

/* The first value that decides may be far down, past what is sampled. */
static void
one_value_in_many_decides_the_order(void **state)
{
    struct csv_options o = {.header = 1, .grain = 1000};
    struct csv_table t;
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_puts(&b, "n,d\n");
    for (int i = 0; i < 20000; i++)
        buf_printf(&b, "%d,0%d/0%d/2024\n", i, 1 + i % 9, 1 + i % 7);
    t = parse((struct str){b.data, b.len}, &o);
    assert_int_equal(column_type(frame_column(t.frame, 1)), COL_TEXT);
    csv_table_fini(&t);
    buf_puts(&b, "x,14/07/1789\n");
    t = parse((struct str){b.data, b.len}, &o);
    assert_int_equal(column_type(frame_column(t.frame, 1)), COL_DATE);
    assert_int_equal(column_dates(frame_column(t.frame, 1))[0],
                     str_days(2024, 1, 1));
    assert_int_equal(column_dates(frame_column(t.frame, 1))[8],
                     str_days(2024, 2, 9));
    csv_table_fini(&t);
    buf_fini(&b);
}

static void
a_told_order_reads_dates_that_allow_both(void **state)
{
    const char *const dmy[] = {"d=dmy", NULL}, *const mdy[] = {"d=mdy", NULL};
    struct csv_options o = {.header = 1, .types = dmy};
    struct csv_table t = parse(STR("d\n1/2/2024\n3/4/2024\n"), &o);

    (void)state;
    assert_column(&t, 0, "d:date 2024-02-01 2024-04-03");
    csv_table_fini(&t);
    o.types = mdy;
    t = parse(STR("d\n1/2/2024\n13/4/2024\n"), &o);
    assert_column(&t, 0, "d:date 2024-01-02");
    assert_reject(&t, 0, "3 d '13/4/2024' is not a date");
    csv_table_fini(&t);
}

static void
every_lack_of_memory_in_a_check_is_an_error(void **state)
{
    struct buf b =
        padded(6000, STR("3,\0\n\xe9,5\n\"\0\",7\n8,9,\xe9\n10,11\n"));
    struct csv_options o = {.header = -1, .grain = 700};
    struct csv_table t;
    struct error err;
    bool ok = false;

    (void)state;
    for (unsigned long n = 1; !ok; n++) {
        mem_fault_arm(n, false);
        ok = csv_parse((struct str){b.data, b.len}, "t.csv", &o, NULL, NULL, &t,
                       &err);
        mem_fault_arm(0, false);
        assert_true(ok || err.code == ERR_NOMEM);
    }
    assert_int_equal(t.n_foreign, 2);
    assert_int_equal(t.n_rejected, 3);
    csv_table_fini(&t);
    buf_fini(&b);
}

static int
set_up(void **state)
{
    (void)state;
    pool = pool_new(2);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    pool_free(pool);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_and_one_of_blank_lines_have_no_rows),
        cmocka_unit_test(a_header_alone_is_a_table_of_no_rows),
        cmocka_unit_test(one_column_needs_no_delimiter),
        cmocka_unit_test(ten_thousand_columns_are_read),
        cmocka_unit_test(line_ends_of_all_kinds_may_be_mixed),
        cmocka_unit_test(ragged_rows_are_told_by_line_and_reason),
        cmocka_unit_test(rows_with_zero_bytes_are_set_aside),
        cmocka_unit_test(a_zero_byte_near_the_beginning_is_no_text),
        cmocka_unit_test(what_is_not_utf8_is_kept_and_counted),
        cmocka_unit_test(a_hundred_thousand_columns_are_the_limit),
        cmocka_unit_test(
            a_ragged_row_of_millions_of_fields_is_told_with_its_line),
        cmocka_unit_test(a_field_has_a_limit_that_is_told_with_its_place),
        cmocka_unit_test(
            a_quote_that_is_never_closed_is_set_aside_however_long),
        cmocka_unit_test(a_delimiter_is_one_character_or_tab),
        cmocka_unit_test(types_that_do_not_exist_name_the_nearest),
        cmocka_unit_test(a_type_of_no_column_is_an_error_unless_told_not_to_be),
        cmocka_unit_test(
            all_values_of_a_column_decide_the_order_of_day_and_month),
        cmocka_unit_test(one_value_in_many_decides_the_order),
        cmocka_unit_test(a_told_order_reads_dates_that_allow_both),
        cmocka_unit_test(every_lack_of_memory_in_a_check_is_an_error),
    };

    cmocka_run_group_tests(tests, set_up, tear_down);
    return 0;
}
