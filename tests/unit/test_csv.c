/* Reading and writing delimited text.  Random texts are compared with a reader
 * that goes byte by byte (below), numbers with pandas 1.5.3 where said so.
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
#include "frame/csv.h"

static const struct csv_options plain = {.header = 0, .delimiter = ','};

static struct csv_table
parse(const char *text, const struct csv_options *o)
{
    struct csv_table t;
    struct error err;

    if (!csv_parse(str_of(text), "t.csv", o, NULL, NULL, &t, &err))
        fail_msg("%s", err.message);
    return t;
}

static void
assert_fails(const char *text, size_t len, const char *message)
{
    struct csv_table t;
    struct error err;

    if (csv_parse((struct str){text, len}, "t.csv", NULL, NULL, NULL, &t, &err))
        fail_msg("read, expected: %s", message);
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, ERR_PARSE);
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

static void
assert_reject(const struct csv_table *t, size_t i, int64_t line,
              const char *reason, const char *text)
{
    assert_int_equal(column_int64s(frame_column(t->rejects, 0))[i], line);
    assert_true(str_is(column_text(frame_column(t->rejects, 2), i), reason));
    assert_true(str_is(column_text(frame_column(t->rejects, 3), i), text));
}

/* ---- fields and rows ---- */

static void
quotes_hold_delimiters_newlines_and_doubled_quotes(void **state)
{
    struct csv_table t = parse("id,note\n"
                               "1,\"a, b\"\n"
                               "2,\"two\nlines\"\n"
                               "3,\"he said \"\"no\"\"\"\n"
                               "4,\"\"\"\"\n",
                               NULL);

    (void)state;
    assert_column(&t, 0, "id:int 1 2 3 4");
    assert_column(&t, 1, "note:text a, b two\nlines he said \"no\" \"");
    assert_int_equal(t.n_rejected, 0);
    csv_table_fini(&t);
}

static void
lf_crlf_and_cr_end_a_line(void **state)
{
    static const char *const texts[] = {"a,b\n1,x\n2,y\n", "a,b\r\n1,x\r\n2,y",
                                        "a,b\r1,x\r2,y\r", "a,b\n1,x\r\n2,y\r"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct csv_table t = parse(texts[i], NULL);

        assert_column(&t, 0, "a:int 1 2");
        assert_column(&t, 1, "b:text x y");
        csv_table_fini(&t);
    }
}

static void
a_quoted_field_keeps_its_line_ends(void **state)
{
    struct csv_table t = parse("a,b\r\n\"x\r\ny\",1\r\n\"\r\",2\r\n", NULL);

    (void)state;
    assert_column(&t, 0, "a:text x\r\ny \r");
    assert_column(&t, 1, "b:int 1 2");
    csv_table_fini(&t);
}

static void
a_byte_order_mark_is_skipped(void **state)
{
    struct csv_table t = parse("\xef\xbb\xbf\"a\",b\n1,2\n", NULL);

    (void)state;
    assert_column(&t, 0, "a:int 1");
    csv_table_fini(&t);
}

static void
blank_lines_are_skipped(void **state)
{
    struct csv_table t = parse("\n\r\na,b\n\n1,2\n\r\n\r3,4\n\n\n", NULL);

    (void)state;
    assert_column(&t, 0, "a:int 1 3");
    assert_int_equal(t.n_rejected, 0);
    csv_table_fini(&t);
}

static void
a_quote_within_an_unquoted_field_is_a_byte(void **state)
{
    struct csv_table t =
        parse("size,n\n12\" disc,1\n5'3\",2\nx\"y\"z,3\n", NULL);

    (void)state;
    assert_column(&t, 0, "size:text 12\" disc 5'3\" x\"y\"z");
    assert_column(&t, 1, "n:int 1 2 3");
    csv_table_fini(&t);
}

static void
delimiters_are_found(void **state)
{
    static const struct {
        const char *text;
        char delimiter;
    } cases[] = {
        {"a;b;c\n1,5;2;3\n4,5;5;6\n", ';'},
        {"a\tb\nx, y\t1\nz\t2\n", '\t'},
        {"a|b\n1|\"p|q,r\"\n", '|'},
        {"name;note\nx;\"a,b;c\"\ny;\"d,e\"\n", ';'},
        {"a, b;c\n1,2\n3,4\n5,6\n", ','},
        {"single\n1\n2\n", ','},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct csv_table t = parse(cases[i].text, NULL);

        assert_int_equal(t.delimiter, cases[i].delimiter);
        assert_int_equal(t.n_rejected, 0);
        csv_table_fini(&t);
    }
}

static void
one_column_and_header_only_are_tables(void **state)
{
    struct csv_table t = parse("x\n1\nNA\n3", NULL);

    (void)state;
    assert_column(&t, 0, "x:int 1 ~ 3");
    csv_table_fini(&t);
    t = parse("a,b,c\n", NULL);
    assert_true(t.header);
    assert_int_equal(frame_rows(t.frame), 0);
    assert_column(&t, 2, "c:text");
    csv_table_fini(&t);
}

/* ---- types ---- */

static void
types_are_the_narrowest_that_fit(void **state)
{
    struct csv_table t =
        parse("b,i,f,d,ts,s,e\n"
              "true,1,1,2024-02-29,2024-02-29 12:00,x,\n"
              "False,-2,2.5,1969-12-31,2024-02-29T12:00:00.25Z,true,NA\n"
              "TRUE,+3,1e3,1970-01-01,2024-03-01,2,null\n",
              NULL);

    (void)state;
    assert_column(&t, 0, "b:bool true false true");
    assert_column(&t, 1, "i:int 1 -2 3");
    assert_column(&t, 2, "f:float 1 2.5 1000");
    assert_column(&t, 3, "d:date 2024-02-29 1969-12-31 1970-01-01");
    assert_column(&t, 4,
                  "ts:timestamp 2024-02-29 12:00:00 2024-02-29 12:00:00.25 "
                  "2024-03-01 00:00:00");
    assert_column(&t, 5, "s:text x true 2");
    assert_column(&t, 6, "e:text ~ ~ ~");
    csv_table_fini(&t);
}

static void
yes_and_no_are_text_and_zero_one_are_int(void **state)
{
    struct csv_table t = parse("a,b\nyes,0\nno,1\n", NULL);

    (void)state;
    assert_column(&t, 0, "a:text yes no");
    assert_column(&t, 1, "b:int 0 1");
    csv_table_fini(&t);
}

/* But words that make no column of bools are ones where a type says so. */
static void
a_column_told_to_be_bool_takes_yes_and_no(void **state)
{
    static const char *const types[] = {"a=bool", "b=bool", NULL};
    struct csv_options o = {.header = 1, .types = types};
    struct csv_table t = parse("a,b,c\nyes,1,true\nNo,0,yes\ny,on,true\n"
                               "N,off,no\n\"T\",TRUE,f\n f ,NA,t\nmaybe,1,1\n"
                               "true,2,1\n,false,1\n",
                               &o);

    (void)state;
    assert_column(&t, 0, "a:bool true false true false true false ~");
    assert_column(&t, 1, "b:bool true false true false true ~ false");
    assert_column(&t, 2, "c:text true yes true no f t 1");
    assert_int_equal(t.n_rejected, 2);
    assert_reject(&t, 0, 8, "'maybe' is not a bool", "maybe,1,1");
    assert_reject(&t, 1, 9, "'2' is not a bool", "true,2,1");
    csv_table_fini(&t);
}

/* The sample that a type is guessed from has true and false alone. */
static void
a_yes_far_down_makes_a_column_of_true_and_false_a_text(void **state)
{
    struct buf b;
    struct csv_table t;

    (void)state;
    buf_init(&b);
    buf_puts(&b, "a\n");
    for (size_t i = 0; i < 50000; i++)
        buf_puts(&b, i % 2 ? "true\n" : "false\n");
    buf_puts(&b, "yes\n");
    t = parse(b.data, NULL);
    assert_int_equal(column_type(frame_column(t.frame, 0)), COL_TEXT);
    csv_table_fini(&t);
    buf_fini(&b);
}

static void
null_tokens_are_missing_and_blanks_do_not_count(void **state)
{
    struct csv_table t = parse("x,s,y\n"
                               "NA, a ,1\n"
                               "N/A,,  \n"
                               "NaN,?,2\n"
                               " null ,  , 3\n"
                               "NULL,None,\t4 \n"
                               "\"\",\"\",5\n"
                               "7,\"NA\",\"6\"\n",
                               NULL);

    (void)state;
    assert_column(&t, 0, "x:int ~ ~ ~ ~ ~ ~ 7");
    assert_column(&t, 1, "s:text  a  ~ ~ ~ ~  NA");
    assert_column(&t, 2, "y:int 1 ~ 2 3 4 5 6");
    csv_table_fini(&t);
}

static void
null_tokens_can_be_chosen(void **state)
{
    static const char *const nulls[] = {"-999", "none", NULL};
    struct csv_options o = {.header = 1, .nulls = nulls};
    struct csv_table t = parse("x,y,z\n-999,NA,1\n5,none,\n", &o);

    (void)state;
    assert_column(&t, 0, "x:int ~ 5");
    assert_column(&t, 1, "y:text NA ~");
    assert_column(&t, 2, "z:int 1 ~");
    csv_table_fini(&t);
}

/* Lines past what is sampled decide: 50,000 rows, then one of another kind. */
static void
the_last_row_may_change_every_type(void **state)
{
    static const char *const last[] = {"1.5,x,2024-01-01 10:00,7,maybe,?",
                                       "x,1,2,a,1,z"};
    static const char *const want[][6] = {
        {"float", "text", "timestamp", "int", "text", "text"},
        {"text", "int", "text", "text", "text", "text"}};
    struct buf b;

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct csv_table t;

        buf_init(&b);
        buf_puts(&b, "a,b,c,d,e,f\n");
        for (int i = 0; i < 50000; i++)
            buf_printf(&b, "%d,,2024-01-%02d,,true,\n", i, i % 31 + 1);
        buf_printf(&b, "%s\n", last[k]);
        t = parse(b.data, NULL);
        assert_int_equal(frame_rows(t.frame), 50001);
        for (size_t j = 0; j < 6; j++)
            assert_string_equal(
                column_type_word(column_type(frame_column(t.frame, j))),
                want[k][j]);
        csv_table_fini(&t);
        buf_fini(&b);
    }
}

static void
integers_beyond_64_bits_are_floats(void **state)
{
    struct csv_table t = parse("a,b\n9223372036854775807,1\n"
                               "-9223372036854775808,9223372036854775808\n",
                               NULL);

    (void)state;
    assert_column(&t, 0, "a:int 9223372036854775807 -9223372036854775808");
    assert_column(&t, 1, "b:float 1 9.223372036854776e+18");
    assert_true(column_float64s(frame_column(t.frame, 1))[1] == 0x1p63);
    csv_table_fini(&t);
}

static void
forced_types_send_misfits_to_the_rejects(void **state)
{
    static const char *const types[] = {"age=int", "zip=text", NULL};
    struct csv_options o = {.header = -1, .types = types};
    struct csv_table t = parse("name,age,zip\n"
                               "a,1,01234\n"
                               "b,old,2\n"
                               "c\n"
                               "\"d\n\",3.5,4\n"
                               "e,,5\n",
                               &o);

    (void)state;
    assert_column(&t, 0, "name:text a e");
    assert_column(&t, 1, "age:int 1 ~");
    assert_column(&t, 2, "zip:text 01234 5");
    assert_int_equal(t.n_rejected, 3);
    assert_reject(&t, 0, 3, "'old' is not an int", "b,old,2");
    assert_reject(&t, 1, 4, "1 field, expected 3", "c");
    assert_reject(&t, 2, 5, "'3.5' is not an int", "\"d\n\",3.5,4");
    assert_true(str_is(column_text(frame_column(t.rejects, 1), 0), "age"));
    assert_false(column_is_valid(frame_column(t.rejects, 1), 1));
    csv_table_fini(&t);
}

static void
forced_types_that_make_no_sense_are_refused(void **state)
{
    static const char *const unknown[] = {"ag=int", NULL}, *const bad[] = {
                                                               "age=number",
                                                               NULL};
    struct csv_options o = {.header = 1, .types = unknown};
    struct csv_table t;
    struct error err;

    (void)state;
    assert_false(
        csv_parse(STR("age,b\n1,2\n"), "t.csv", &o, NULL, NULL, &t, &err));
    assert_string_equal(err.message,
                        "t.csv: no column 'ag' (did you mean 'age'?)");
    o.types = bad;
    assert_false(
        csv_parse(STR("age,b\n1,2\n"), "t.csv", &o, NULL, NULL, &t, &err));
    assert_int_equal(err.code, ERR_USAGE);
}

/* ---- header ---- */

static void
headers_are_told_from_data(void **state)
{
    static const struct {
        const char *text;
        bool header;
    } cases[] = {
        {"a,b\n1,2\n", true},
        {"1,2\n3,4\n", false},
        {"1.5,x\n2,y\n3,z\n", false},
        {",name\n0,al\n1,bo\n", true},
        {"yes,no\nno,no\nyes,yes\n", false},
        {"name,city\nal,paris\nbo,rome\n", true},
        {"a,1\n", false},
        {"a,b\n", true},
        {"x,y\n,z\n", true},
        {"2024-01-01,a\n2024-01-02,b\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct csv_table t = parse(cases[i].text, NULL);

        if (t.header != cases[i].header)
            fail_msg("case %zu: header %d, expected %d", i, t.header,
                     cases[i].header);
        csv_table_fini(&t);
    }
}

/* 30,000 different words, then the first row's word again: it was data. */
static void
a_header_supposed_from_the_sample_is_checked_at_the_end(void **state)
{
    struct csv_table t;
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_puts(&b, "alpha,beta\n");
    for (int i = 0; i < 30000; i++)
        buf_printf(&b, "w%d,v%d\n", i, i);
    t = parse(b.data, NULL);
    assert_true(t.header);
    assert_int_equal(frame_rows(t.frame), 30000);
    csv_table_fini(&t);
    buf_puts(&b, "\"alpha\",z\n");
    t = parse(b.data, NULL);
    assert_false(t.header);
    assert_int_equal(frame_rows(t.frame), 30002);
    assert_string_equal(frame_name(t.frame, 0), "column_1");
    assert_true(str_is(column_text(frame_column(t.frame, 1), 0), "beta"));
    csv_table_fini(&t);
    buf_fini(&b);
}

static void
names_are_made_unique_and_never_empty(void **state)
{
    struct csv_table t =
        parse("a, b ,a,,\"a\",\"q\"\"q\",a_2\n1,2,3,4,5,6,7\n", NULL);
    static const char *const want[] = {"a",   "b",    "a_2",  "column_4",
                                       "a_3", "q\"q", "a_2_2"};

    (void)state;
    for (size_t i = 0; i < 7; i++)
        assert_string_equal(frame_name(t.frame, i), want[i]);
    csv_table_fini(&t);
}

/* ---- bad rows, bad files ---- */

static void
bad_rows_are_set_aside_with_line_and_reason(void **state)
{
    struct csv_table t = parse("a,b,c\n"
                               "1,2,3\n"
                               "4,5\n"
                               "6,\"x\ny\",7\n"
                               "8,9,10,11\n"
                               "12,\"p\"q,13\n"
                               "14,15,16\n"
                               "17,\"open,18\n19,20,21\n",
                               NULL);

    (void)state;
    assert_column(&t, 0, "a:int 1 6 14");
    assert_int_equal(t.n_rejected, 4);
    assert_reject(&t, 0, 3, "2 fields, expected 3", "4,5");
    assert_reject(&t, 1, 6, "4 fields, expected 3", "8,9,10,11");
    assert_reject(&t, 2, 7, "text after the closing quote of field 2",
                  "12,\"p\"q,13");
    assert_reject(&t, 3, 9, "the quote of field 2 is never closed",
                  "17,\"open,18\n19,20,21\n");
    csv_table_fini(&t);
}

static void
only_so_many_rejects_are_kept_but_all_are_counted(void **state)
{
    struct csv_options o = {.header = 1, .max_rejects = 3, .grain = 64};
    struct csv_table t;
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_puts(&b, "a,b\n");
    for (int i = 0; i < 500; i++)
        buf_puts(&b, i % 5 ? "1,2\n" : "1\n");
    t = parse(b.data, &o);
    assert_int_equal(t.n_rejected, 100);
    assert_int_equal(frame_rows(t.frame), 400);
    assert_int_equal(frame_rows(t.rejects), 3);
    assert_reject(&t, 2, 12, "1 field, expected 2", "1");
    csv_table_fini(&t);
    buf_fini(&b);
}

static void
what_is_no_table_fails_in_one_line(void **state)
{
    (void)state;
    assert_fails("", 0, "t.csv: line 1: the file is empty");
    assert_fails("\n\n", 2, "t.csv: line 3: no row in the whole file");
    assert_fails("\xef\xbb\xbf", 3, "t.csv: line 1: no row in the whole file");
    assert_fails("a,b\n1,\0\n", 8,
                 "t.csv: line 2: a zero byte: this is a binary file, expected "
                 "text in UTF-8");
    assert_fails("\x1f\x8b\x08\0\0\0", 6,
                 "t.csv: line 1: a zero byte: this is a gzip file, expected "
                 "text in UTF-8");
    assert_fails("\xff\xfe"
                 "a\0,\0b\0",
                 8,
                 "t.csv: line 1: a zero byte: this is UTF-16 text, expected "
                 "text in UTF-8");
    assert_fails("\n\"a,b\n1,2\n", 10,
                 "t.csv: line 2: a quote in the first row is never closed");
}

static void
files_that_cannot_be_read_are_named(void **state)
{
    struct csv_table t;
    struct error err;

    (void)state;
    assert_false(csv_read("no/such.csv", NULL, NULL, NULL, &t, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    assert_string_equal(err.message, "no/such.csv: No such file or directory");
    assert_false(csv_read("/", NULL, NULL, NULL, &t, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(err.message, "/: is a folder, expected a file");
}

static void
bytes_that_are_not_utf8_are_kept(void **state)
{
    struct csv_table t = parse("s,n\ncaf\xe9,1\n\xff\xfe\x80,2\n", NULL);

    (void)state;
    assert_column(&t, 0, "s:text caf\xe9 \xff\xfe\x80");
    csv_table_fini(&t);
}

static void
reading_can_be_stopped(void **state)
{
    struct csv_table t;
    struct progress p;
    struct error err;

    (void)state;
    progress_init(&p);
    progress_stop(&p);
    assert_false(csv_parse(STR("a\n1\n"), "t.csv", NULL, NULL, &p, &t, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
}

/* Both passes are one stage, also where quotes are looked at twice. */
static void
progress_goes_through_the_bytes_once(void **state)
{
    const struct csv_options o = {.header = -1, .grain = 512};
    struct csv_table t;
    struct progress p;
    struct error err;
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_puts(&b, "name,x\n");
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "\"n,%d\",%d\n", i, i);
    progress_init(&p);
    assert_true(csv_parse((struct str){b.data, b.len}, "t.csv", &o, NULL, &p,
                          &t, &err));
    assert_string_equal(p.stage, "reading");
    assert_int_equal(p.total, b.len);
    assert_true(p.done <= b.len && p.done > b.len - b.len / 100);
    csv_table_fini(&t);
    buf_puts(&b, "last,0.5\n"); /* x is float after all */
    assert_true(csv_parse((struct str){b.data, b.len}, "t.csv", &o, NULL, &p,
                          &t, &err));
    assert_string_equal(p.stage, "reading again");
    assert_true(p.done <= p.total && p.done > p.total - p.total / 100);
    csv_table_fini(&t);
    buf_fini(&b);
}

static void
ten_thousand_columns_are_read(void **state)
{
    enum { N = 10000 };
    struct csv_table t;
    struct buf b;

    (void)state;
    buf_init(&b);
    for (int row = -1; row < 5; row++)
        for (int i = 0; i < N; i++)
            buf_printf(&b, row < 0 ? "c%d%s" : "%d%s", row < 0 ? i : row * i,
                       i + 1 < N ? "," : "\n");
    t = parse(b.data, NULL);
    assert_int_equal(frame_cols(t.frame), N);
    assert_int_equal(frame_rows(t.frame), 5);
    assert_int_equal(frame_find(t.frame, "c9876"), 9876);
    assert_int_equal(column_int64s(frame_column(t.frame, 9876))[4], 4 * 9876);
    csv_table_fini(&t);
    buf_fini(&b);
}

/* ---- numbers ---- */

/* strtod is glibc's, which rounds correctly. */
static void
floats_are_correctly_rounded(void **state)
{
    enum { N = 20000 };
    struct csv_table t;
    struct buf b;
    const char *at;

    (void)state;
    buf_init(&b);
    buf_puts(&b, "x\n");
    for (uint64_t i = 0; i < N; i++) {
        double scale = pow(10, (double)rng_below(1, 2, i, 50) - 25);
        double x = (rng_unit(1, 1, i) - 0.5) * scale;

        switch (i % 4) {
        case 0:
            buf_printf(&b, "%.*g\n", (int)(i % 17 + 1), x);
            break;
        case 1:
            buf_printf(&b, "%.17g\n", x);
            break;
        case 2:
            buf_printf(&b, "%.*f\n", (int)(i % 20), x);
            break;
        default:
            buf_printf(&b, "%.*e\n", (int)(i % 22), x);
        }
    }
    buf_puts(&b, "9007199254740993\n9007199254740992.5\n0.1\n-0\n1e22\n1e23\n"
                 "123456789012345678e-10\n18446744073709551615\n5e-324\n"
                 "1.7976931348623157e308\n0.000000000000000000000000001\n"
                 "9999999999999999999e27\n.5\n5.\n1E5\n00012.50\n");
    t = parse(b.data, NULL);
    assert_int_equal(t.n_rejected, 0);
    assert_int_equal(column_type(frame_column(t.frame, 0)), COL_FLOAT64);
    at = b.data + 2;
    for (size_t i = 0; i < frame_rows(t.frame); i++) {
        double want = strtod(at, NULL);
        double got = column_float64s(frame_column(t.frame, 0))[i];

        if (memcmp(&want, &got, sizeof want) != 0)
            fail_msg("row %zu: %.17g, expected %.17g", i, got, want);
        at = strchr(at, '\n') + 1;
    }
    csv_table_fini(&t);
    buf_fini(&b);
}

/* Halfway between two doubles, just beside that, at both ends of the range, and
 * far more digits than decide. */
static void
hard_numbers_are_correctly_rounded_too(void **state)
{
    static const char *const hard[] = {
        "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000011102230246251565404236316680908203124",
        "1.00000000000000011102230246251565404236316680908203126",
        "1.00000000000000033306690738754696212708950042724609375",
        "9007199254740993.00000000000000000000000000000000000001",
        "9007199254740992.99999999999999999999999999999999999999",
        "2.2250738585072011e-308",
        "2.2250738585072012e-308",
        "2.2250738585072014e-308",
        "4.9406564584124654e-324",
        "2.4703282292062328e-324",
        "2.4703282292062327e-324",
        "7.4109846876186981626485318930233205854758970392148714663837852375101"
        "e-324",
        "1.7976931348623158e308",
        "179769313486231570000000000000000000000e270",
        "8.98846567431157953864652595394512366808988489471153286e307",
        "6.631236871469758276785396630275967242e-29",
        "3.237883913302901289588352412501532174863037669423108e-14",
        "100000000000000016777215",
        "100000000000000016777216",
        "100000000000000016777217",
        "1e-400",
        "0e400",
        "0.000000000000000000000000000000000000000000000000000000000000000001e66",
    };
    struct csv_table t;
    struct buf b;

    (void)state;
    buf_init(&b);
    for (size_t i = 0; i < sizeof hard / sizeof *hard; i++)
        buf_printf(&b, "%s\n-%s\n", hard[i], hard[i]);
    buf_puts(&b, "0.");
    buf_fill(&b, '3', 900);
    buf_puts(&b, "\n");
    t = parse(b.data, &plain);
    assert_int_equal(column_type(frame_column(t.frame, 0)), COL_FLOAT64);
    for (size_t i = 0; i < 2 * sizeof hard / sizeof *hard; i++) {
        double want = strtod(hard[i / 2], NULL);
        double got = column_float64s(frame_column(t.frame, 0))[i];

        want = i % 2 ? -want : want;
        if (memcmp(&want, &got, sizeof want) != 0)
            fail_msg("%s: %.17g, expected %.17g", hard[i / 2], got, want);
    }
    assert_true(column_float64s(frame_column(
                    t.frame, 0))[2 * sizeof hard / sizeof *hard] == 1 / 3.0);
    csv_table_fini(&t);
    buf_fini(&b);
    /* No double is that large: a column of it is text, not infinite. */
    t = parse("1e400\n2\n", &plain);
    assert_column(&t, 0, "column_1:text 1e400 2");
    csv_table_fini(&t);
}

static void
doubles_of_any_bits_are_read_as_they_were_written(void **state)
{
    enum { N = 50000 };
    double *x = mem_new(N * sizeof *x);
    const char *const names[] = {"x"};
    struct column *c;
    struct csv_table t;
    struct frame *f;
    struct error err;
    struct buf b;

    (void)state;
    for (uint64_t i = 0; i < N; i++) {
        uint64_t bits = rng_at(9, 1, i);

        if (i % 4 == 0)
            bits &= UINT64_C(0x800fffffffffffff); /* denormal */
        memcpy(&x[i], &bits, sizeof bits);
        x[i] = isfinite(x[i]) ? x[i] : 0.1;
    }
    assert_non_null(c = column_new(COL_FLOAT64, N, x, NULL, NULL, &err));
    assert_non_null(f = frame_new(N, 1, names, &c, &err));
    buf_init(&b);
    csv_write_rows(f, 0, N, true, ',', &b);
    t = parse(b.data, NULL);
    assert_int_equal(column_type(frame_column(t.frame, 0)), COL_FLOAT64);
    assert_memory_equal(column_float64s(frame_column(t.frame, 0)),
                        column_float64s(frame_column(f, 0)), N * sizeof *x);
    csv_table_fini(&t);
    buf_fini(&b);
    frame_unref(f);
}

/* Numbers of pandas 1.5.3: read_csv(...).sum(), .isna().sum(), .nunique(). */
static void
the_churn_table_has_the_numbers_of_pandas(void **state)
{
    struct csv_table t;
    struct error err;
    char *path = file_data_path("samples/churn/churn.csv", &err);
    const struct column *tenure, *total;
    int64_t sum = 0;

    (void)state;
    assert_non_null(path);
    assert_true(csv_read(path, NULL, NULL, NULL, &t, &err));
    assert_int_equal(frame_rows(t.frame), 7043);
    assert_int_equal(frame_cols(t.frame), 20);
    assert_int_equal(t.n_rejected, 0);
    tenure = frame_column(t.frame, (size_t)frame_find(t.frame, "tenure"));
    total = frame_column(t.frame, (size_t)frame_find(t.frame, "total_charges"));
    for (size_t i = 0; i < 7043; i++)
        sum += column_int64s(tenure)[i];
    assert_int_equal(sum, 227990);
    assert_int_equal(column_type(total), COL_FLOAT64);
    assert_int_equal(column_missing(total), 11);
    assert_int_equal(dict_count(column_dict(frame_column(t.frame, 17))), 4);
    csv_table_fini(&t);
    free(path);
}

/* ---- against a reader that goes byte by byte ---- */

enum { MAX_FIELDS = 600 };

struct plain_row {
    struct buf field[MAX_FIELDS];
    bool quoted[MAX_FIELDS];
    size_t n;
    bool bad;
};

/* One row from *at on; false at the end of the text. */
static bool
plain_row(const char *p, size_t len, size_t *at, struct plain_row *r)
{
    size_t i = *at;

    while (i < len && (p[i] == '\n' || p[i] == '\r'))
        i++;
    if (i == len)
        return false;
    r->bad = false;
    for (r->n = 0; r->n < MAX_FIELDS;) {
        struct buf *f = &r->field[r->n];
        bool quoted = i < len && p[i] == '"', open = quoted;

        buf_clear(f);
        r->quoted[r->n++] = quoted;
        i += quoted;
        for (; i < len; i++) {
            if (open && p[i] == '"' && i + 1 < len && p[i + 1] == '"')
                buf_putc(f, p[i++]);
            else if (open && p[i] == '"')
                open = false;
            else if (!open && (p[i] == ',' || p[i] == '\n' || p[i] == '\r'))
                break;
            else if (!open && quoted)
                r->bad = true;
            else
                buf_putc(f, p[i]);
        }
        r->bad |= open;
        if (i == len || p[i] != ',')
            break;
        i++;
    }
    *at = i;
    return true;
}

static bool
plain_is_missing(const struct plain_row *r, size_t k)
{
    struct str s = {r->field[k].data, r->field[k].len};

    while (s.n > 0 && *s.p == ' ') {
        s.p++;
        s.n--;
    }
    return !r->quoted[k] && s.n == 0;
}

static void
assert_same_as_plain(const char *p, size_t len, const struct csv_options *o,
                     struct pool *pool)
{
    static struct plain_row row;
    struct csv_table t;
    struct error err;
    size_t at = 0, width = 0, good = 0, bad = 0;
    bool ok = csv_parse((struct str){p, len}, "t", o, pool, NULL, &t, &err);

    while (plain_row(p, len, &at, &row)) {
        if (width == 0)
            width = row.n;
        if (!ok)
            break;
        if (row.bad || row.n != width) {
            bad++;
            continue;
        }
        assert_true(good < frame_rows(t.frame));
        for (size_t k = 0; k < width; k++) {
            const struct column *c = frame_column(t.frame, k);
            struct str s = column_text(c, good);

            assert_int_equal(column_is_valid(c, good),
                             !plain_is_missing(&row, k));
            if (column_is_valid(c, good) &&
                !str_eq(s, (struct str){row.field[k].data, row.field[k].len}))
                fail_msg("row %zu field %zu of %.*s", good, k, (int)len, p);
        }
        good++;
    }
    if (!ok) { /* no row at all, or its quote is never closed */
        assert_true(width == 0 || row.bad);
        return;
    }
    assert_int_equal(frame_cols(t.frame), width);
    assert_int_equal(frame_rows(t.frame), good);
    assert_int_equal(t.n_rejected, bad);
    csv_table_fini(&t);
}

/* Whatever is found out about the text does not depend on how it is cut. */
static void
assert_same_in_pieces(const char *p, size_t len, size_t grain)
{
    struct csv_options whole = {.header = -1, .grain = 1000000}, cut = whole;
    struct csv_table a, b;
    char x[33], y[33];
    struct error err;
    bool ok =
        csv_parse((struct str){p, len}, "t", &whole, NULL, NULL, &a, &err);

    cut.grain = grain;
    assert_int_equal(
        csv_parse((struct str){p, len}, "t", &cut, NULL, NULL, &b, &err), ok);
    if (!ok)
        return;
    assert_int_equal(a.delimiter, b.delimiter);
    assert_int_equal(a.n_rejected, b.n_rejected);
    assert_true(frame_fingerprint(a.frame, x, &err) &&
                frame_fingerprint(b.frame, y, &err));
    assert_string_equal(x, y);
    assert_true(frame_fingerprint(a.rejects, x, &err) &&
                frame_fingerprint(b.rejects, y, &err));
    assert_string_equal(x, y);
    csv_table_fini(&a);
    csv_table_fini(&b);
}

static void
random_texts_are_read_the_same_in_pieces(void **state)
{
    static const char alphabet[] = "a,;\n\"1\"\r|\t x.-";

    (void)state;
    for (uint64_t i = 0; i < 3000; i++) {
        size_t len = 1 + rng_below(6, 0, i, 300);
        uint64_t letters = 5 + rng_below(6, 1, i, sizeof alphabet - 5);
        char *text = malloc(len); /* its own size, for the sanitizer */

        assert_non_null(text);
        for (size_t k = 0; k < len; k++)
            text[k] = alphabet[rng_below(6, i + 2, k, letters)];
        assert_same_in_pieces(text, len, 1 + rng_below(7, 0, i, 90));
        free(text);
    }
}

/* All columns as text: letters in column 0 would not keep "1" from being an
 * int elsewhere, so digits are left out of the alphabet. */
static void
random_texts_are_read_as_byte_by_byte(void **state)
{
    static const char alphabet[] = "ab \"\",,\n\n\r\"x";
    static const size_t grains[] = {1, 3, 17, 64, 200, 100000};
    struct pool *pool = pool_new(3);

    (void)state;
    for (uint64_t i = 0; i < 4000; i++) {
        size_t len = rng_below(5, 0, i, 600);
        char *text = malloc(len + !len);
        uint64_t letters = 4 + rng_below(5, 1, i, sizeof alphabet - 4);
        struct csv_options o = plain;

        assert_non_null(text);
        o.grain = grains[i % 6];
        for (size_t k = 0; k < len; k++)
            text[k] = alphabet[rng_below(5, i + 2, k, letters)];
        setenv("LATHE_NO_AVX2", "1", 1);
        assert_same_as_plain(text, len, &o, pool);
        unsetenv("LATHE_NO_AVX2");
        assert_same_as_plain(text, len, &o, NULL);
        free(text);
    }
    pool_free(pool);
}

static void
fill_mixed(struct buf *b, size_t n)
{
    static const char *const notes[] = {
        "\"a, b\"", "plain", "\"two\nlines, \"\"quoted\"\"\"", "", "\"\"",
        "x\"y",     "NA",
    };

    buf_puts(b, "id,x,note,day,flag,empty\n");
    for (uint64_t i = 0; i < n; i++) {
        buf_printf(b, "%u,", (unsigned)i);
        if (rng_below(3, 1, i, 10) > 0)
            buf_printf(b, "%.17g", rng_unit(3, 2, i));
        buf_printf(b, ",%s,20%02u-%02u-01,%s,\n", notes[rng_below(3, 3, i, 7)],
                   (unsigned)(i % 80), (unsigned)(i % 12 + 1),
                   i % 3 ? "true" : "false");
        if (i % 997 == 5)
            buf_puts(b, "too,few\n");
    }
}

static void
threads_grain_and_kernel_do_not_change_the_frame(void **state)
{
    static const unsigned threads[] = {1, 2, 7};
    static const size_t grains[] = {0, 50, 1000, 65536};
    char want[33] = "", rejects[33] = "", got[33];
    struct error err;
    struct buf b;

    (void)state;
    buf_init(&b);
    fill_mixed(&b, 12000);
    for (size_t i = 0; i < 12; i++) {
        struct csv_options o = {.header = -1, .grain = grains[i / 3]};
        struct pool *pool = pool_new(threads[i % 3]);
        struct csv_table t;

        if (i % 2)
            setenv("LATHE_NO_AVX2", "1", 1);
        assert_true(csv_parse((struct str){b.data, b.len}, "t", &o, pool, NULL,
                              &t, &err));
        unsetenv("LATHE_NO_AVX2");
        assert_int_equal(frame_rows(t.frame), 12000);
        assert_int_equal(t.n_rejected, 13);
        assert_true(frame_fingerprint(t.frame, got, &err));
        if (i == 0)
            memcpy(want, got, sizeof want);
        assert_string_equal(got, want);
        assert_true(frame_fingerprint(t.rejects, got, &err));
        if (i == 0)
            memcpy(rejects, got, sizeof rejects);
        assert_string_equal(got, rejects);
        csv_table_fini(&t);
        pool_free(pool);
    }
    buf_fini(&b);
}

/* Each third text is there twice, most have quotes within, some are missing. */
static void
fill_different(struct buf *b, size_t n)
{
    buf_puts(b, "id,who,what\n");
    for (size_t i = 0; i < n; i++) {
        buf_printf(b, "%zu,", i);
        if (i % 7 != 5)
            buf_printf(b, "\"say \"\"%zu\"\"\"", i % 3 ? i : i / 2);
        buf_printf(b, ",note %zu\n", i % 5 ? i : 5);
    }
}

static void
texts_nearly_all_different_have_codes_in_order_of_appearance(void **state)
{
    enum { ROWS = 3000 };
    struct error err;
    struct buf b;

    (void)state;
    buf_init(&b);
    fill_different(&b, ROWS);
    for (size_t grain = 100; grain < 1 << 20; grain *= 9) {
        struct csv_options o = {.header = -1, .grain = grain};
        struct pool *pool = pool_new(2);
        const struct column *c;
        uint32_t next = 0;
        struct csv_table t;

        assert_true(csv_parse((struct str){b.data, b.len}, "t", &o, pool, NULL,
                              &t, &err));
        c = frame_column(t.frame, 1);
        assert_int_equal(column_missing(c), (ROWS + 1) / 7);
        /* Nobody has asked for codes so far. */
        assert_int_equal(column_is_loose(c), grain * 9 < b.len);
        for (size_t i = 0; i < ROWS; i++) {
            char want[32];

            snprintf(want, sizeof want, "say \"%zu\"", i % 3 ? i : i / 2);
            assert_int_equal(column_is_valid(c, i), i % 7 != 5);
            if (i % 7 == 5) {
                assert_int_equal(column_codes(c)[i], 0);
                continue;
            }
            assert_true(str_is(column_text(c, i), want));
            assert_true(column_codes(c)[i] <= next);
            next += column_codes(c)[i] == next;
        }
        assert_int_equal(next, dict_count(column_dict(c)));
        csv_table_fini(&t);
        pool_free(pool);
    }
    buf_fini(&b);
}

static void
a_failing_allocation_between_two_waves_is_reported_or_done_without(void **state)
{
    const struct csv_options o = {.header = -1, .grain = 300};
    size_t n_without = 0;
    bool met = true;
    struct buf b;

    (void)state;
    buf_init(&b);
    fill_different(&b, 700);
    for (unsigned long n = 1; met; n += 1 + n / 40) {
        struct csv_table t;
        struct error err;
        bool ok;

        mem_fault_arm(n, false);
        ok = csv_parse((struct str){b.data, b.len}, "t", &o, NULL, NULL, &t,
                       &err);
        met = !mem_fault_armed();
        mem_fault_arm(0, false);
        if (ok) {
            assert_int_equal(frame_rows(t.frame), 700);
            assert_true(str_is(column_text(frame_column(t.frame, 1), 699),
                               "say \"349\""));
            csv_table_fini(&t);
            n_without += met;
        } else {
            assert_int_equal(err.code, ERR_NOMEM);
        }
    }
    assert_true(n_without > 0);
    buf_fini(&b);
}

/* Pages that were read are given back on the way, header and rejects are read
 * from them later. */
static void
a_mapped_file_is_read_as_its_bytes(void **state)
{
    char path[] = "/tmp/lathe-csv.XXXXXX", want[33], got[33];
    const struct csv_options o = {.header = -1, .grain = 5000};
    struct csv_table a, t;
    struct error err;
    struct buf b;
    int fd = mkstemp(path);

    (void)state;
    buf_init(&b);
    fill_mixed(&b, 9000);
    assert_true(fd >= 0 && write(fd, b.data, b.len) == (ssize_t)b.len);
    close(fd);
    a = parse(b.data, &o);
    assert_true(csv_read(path, &o, NULL, NULL, &t, &err));
    assert_true(frame_fingerprint(a.frame, want, &err));
    assert_true(frame_fingerprint(t.frame, got, &err));
    assert_string_equal(got, want);
    assert_true(frame_fingerprint(a.rejects, want, &err));
    assert_true(frame_fingerprint(t.rejects, got, &err));
    assert_string_equal(got, want);
    assert_true(t.n_rejected > 0);
    csv_table_fini(&a);
    csv_table_fini(&t);
    buf_fini(&b);
    unlink(path);
}

static void
a_delimiter_that_the_first_row_lacks_is_not_chosen(void **state)
{
    struct csv_table t =
        parse("a,b\n1;2;3,\"x;y\"\n1;2;3,\"p\n;q\"\n4;5;6,z\n", NULL);

    (void)state;
    assert_int_equal(t.delimiter, ',');
    assert_int_equal(t.n_rejected, 0);
    assert_column(&t, 0, "a:text 1;2;3 1;2;3 4;5;6");
    assert_column(&t, 1, "b:text x;y p\n;q z");
    csv_table_fini(&t);
}

/* ---- writing ---- */

static void
what_is_written_reads_back_the_same(void **state)
{
    static const char text[] =
        "id,note,x,b,d,t,\"odd, name\"\n"
        "1,\"a \"\"q\"\" , b\",0.1,true,2024-01-31,2024-01-31 12:00:00.5,u\n"
        "2,\"\",3.0,false,,1969-12-31 23:59:59,\" lead\"\n"
        "3,,-1e-300,,0001-01-01,,\"NA\"\n"
        "4,\"l1\r\nl2\",,true,9999-12-31,2024-01-31 00:00:00,\xc3\xa9\n";
    struct csv_table a = parse(text, NULL), b;
    char before[33], after[33];
    struct error err;
    struct buf out;

    (void)state;
    buf_init(&out);
    csv_write_rows(a.frame, 0, 4, true, ',', &out);
    assert_string_equal(out.data, text);
    b = parse(out.data, NULL);
    assert_true(frame_fingerprint(a.frame, before, &err));
    assert_true(frame_fingerprint(b.frame, after, &err));
    assert_string_equal(before, after);
    csv_table_fini(&b);
    buf_clear(&out);
    csv_write_rows(a.frame, 1, 2, false, ';', &out);
    assert_string_equal(out.data,
                        "2;\"\";3.0;false;;1969-12-31 23:59:59;\" lead\"\n");
    buf_fini(&out);
    csv_table_fini(&a);
}

static void
one_column_with_gaps_reads_back_the_same(void **state)
{
    struct csv_table a = parse("s\nx\nNA\n\"\"\n\"NA\"\n", NULL);
    struct buf out;

    (void)state;
    buf_init(&out);
    csv_write_rows(a.frame, 0, 4, true, ',', &out);
    assert_string_equal(out.data, "s\nx\nNA\n\"\"\n\"NA\"\n");
    buf_fini(&out);
    csv_table_fini(&a);
}

static void
a_written_file_appears_whole_or_not_at_all(void **state)
{
    char path[] = "/tmp/lathe-csv.XXXXXX", target[64];
    struct csv_table a = parse("a,b\n1,x\n", NULL), b;
    struct error err;
    bool done = false;

    (void)state;
    assert_non_null(mkdtemp(path));
    snprintf(target, sizeof target, "%s/out.csv", path);
    for (unsigned long n = 1; !done; n++) {
        mem_fault_arm(n, false);
        done = csv_write(a.frame, target, ',', &err);
        mem_fault_arm(0, false);
        if (!file_exists(target)) {
            assert_false(done);
            continue;
        }
        assert_true(csv_read(target, NULL, NULL, NULL, &b, &err));
        assert_column(&b, 1, "b:text x");
        csv_table_fini(&b);
        unlink(target);
    }
    csv_table_fini(&a);
    rmdir(path);
}

/* ---- failing ---- */

static void
every_failing_allocation_is_reported(void **state)
{
    static const char *const types[] = {"id=int", NULL};
    struct csv_options o = {.header = -1, .grain = 100, .types = types};
    struct csv_table t;
    struct error err;
    struct buf b;
    unsigned long n;

    (void)state;
    buf_init(&b);
    fill_mixed(&b, 30);
    buf_puts(&b, "x,1,2,3,4,5\n\"p\"q,1,2,3,4,5\n");
    for (n = 1;; n++) {
        bool ok;

        mem_fault_arm(n, false);
        ok = csv_parse((struct str){b.data, b.len}, "t", &o, NULL, NULL, &t,
                       &err);
        mem_fault_arm(0, false);
        if (ok)
            break;
        assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_true(n > 50);
    assert_int_equal(t.n_rejected, 3);
    csv_table_fini(&t);
    buf_fini(&b);
}

/* The calls before the parse: open, map, or read where nothing can be mapped. */
static void
a_file_that_fails_to_be_read_is_named(void **state)
{
    char path[] = "/tmp/lathe-csv.XXXXXX";
    struct csv_table t;
    struct error err;
    int fd = mkstemp(path);
    bool ok = false;

    (void)state;
    assert_true(fd >= 0 && write(fd, "a,b\n1,2\n", 8) == 8);
    for (unsigned long n = 1; !ok; n++) {
        mem_fault_arm(n, false);
        ok = csv_read(path, NULL, NULL, NULL, &t, &err);
        mem_fault_arm(0, false);
        if (!ok)
            assert_int_equal(strncmp(err.message, path, strlen(path)), 0);
    }
    assert_column(&t, 1, "b:int 2");
    csv_table_fini(&t);
    assert_true(ftruncate(fd, 0) == 0);
    assert_false(csv_read(path, NULL, NULL, NULL, &t, &err));
    assert_int_equal(err.code, ERR_PARSE);
    close(fd);
    unlink(path);
}

/* Columns are looked at one after the other; the rows that are kept are the
 * first ones all the same. */
static void
of_too_many_misfits_the_first_rows_are_kept(void **state)
{
    static const char *const types[] = {"a=int", "b=int", NULL};
    const struct csv_options o = {
        .header = 1, .types = types, .max_rejects = 2};
    struct csv_table t;
    struct error err;
    const struct column *line;

    (void)state;
    assert_true(csv_parse(STR("a,b\n1,x\n2,3\nx,4\ny,5\nz,6\n"), "test", &o,
                          NULL, NULL, &t, &err));
    assert_int_equal(t.n_rejected, 4);
    assert_int_equal(frame_rows(t.rejects), 2);
    line = frame_column(t.rejects, 0);
    assert_int_equal(column_int64s(line)[0], 2);
    assert_int_equal(column_int64s(line)[1], 4);
    csv_table_fini(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_hold_delimiters_newlines_and_doubled_quotes),
        cmocka_unit_test(lf_crlf_and_cr_end_a_line),
        cmocka_unit_test(a_quoted_field_keeps_its_line_ends),
        cmocka_unit_test(a_byte_order_mark_is_skipped),
        cmocka_unit_test(blank_lines_are_skipped),
        cmocka_unit_test(a_quote_within_an_unquoted_field_is_a_byte),
        cmocka_unit_test(delimiters_are_found),
        cmocka_unit_test(one_column_and_header_only_are_tables),
        cmocka_unit_test(types_are_the_narrowest_that_fit),
        cmocka_unit_test(yes_and_no_are_text_and_zero_one_are_int),
        cmocka_unit_test(a_column_told_to_be_bool_takes_yes_and_no),
        cmocka_unit_test(
            a_yes_far_down_makes_a_column_of_true_and_false_a_text),
        cmocka_unit_test(null_tokens_are_missing_and_blanks_do_not_count),
        cmocka_unit_test(null_tokens_can_be_chosen),
        cmocka_unit_test(the_last_row_may_change_every_type),
        cmocka_unit_test(integers_beyond_64_bits_are_floats),
        cmocka_unit_test(forced_types_send_misfits_to_the_rejects),
        cmocka_unit_test(forced_types_that_make_no_sense_are_refused),
        cmocka_unit_test(headers_are_told_from_data),
        cmocka_unit_test(
            a_header_supposed_from_the_sample_is_checked_at_the_end),
        cmocka_unit_test(names_are_made_unique_and_never_empty),
        cmocka_unit_test(bad_rows_are_set_aside_with_line_and_reason),
        cmocka_unit_test(only_so_many_rejects_are_kept_but_all_are_counted),
        cmocka_unit_test(of_too_many_misfits_the_first_rows_are_kept),
        cmocka_unit_test(what_is_no_table_fails_in_one_line),
        cmocka_unit_test(files_that_cannot_be_read_are_named),
        cmocka_unit_test(bytes_that_are_not_utf8_are_kept),
        cmocka_unit_test(reading_can_be_stopped),
        cmocka_unit_test(progress_goes_through_the_bytes_once),
        cmocka_unit_test(ten_thousand_columns_are_read),
        cmocka_unit_test(floats_are_correctly_rounded),
        cmocka_unit_test(hard_numbers_are_correctly_rounded_too),
        cmocka_unit_test(doubles_of_any_bits_are_read_as_they_were_written),
        cmocka_unit_test(the_churn_table_has_the_numbers_of_pandas),
        cmocka_unit_test(random_texts_are_read_as_byte_by_byte),
        cmocka_unit_test(random_texts_are_read_the_same_in_pieces),
        cmocka_unit_test(threads_grain_and_kernel_do_not_change_the_frame),
        cmocka_unit_test(
            texts_nearly_all_different_have_codes_in_order_of_appearance),
        cmocka_unit_test(
            a_failing_allocation_between_two_waves_is_reported_or_done_without),
        cmocka_unit_test(a_mapped_file_is_read_as_its_bytes),
        cmocka_unit_test(a_delimiter_that_the_first_row_lacks_is_not_chosen),
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(one_column_with_gaps_reads_back_the_same),
        cmocka_unit_test(a_written_file_appears_whole_or_not_at_all),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(a_file_that_fails_to_be_read_is_named),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
