/* The first rows of delimited text, before the rest is looked at.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "frame/csv.h"

static struct csv_table
head_of(struct str text, size_t want)
{
    struct csv_table t;
    struct error err;

    if (!csv_parse_head(text, "t.csv", NULL, want, &t, &err))
        fail_msg("%s", err.message);
    return t;
}

/* The rows as they would be written, below their names. */
static void
assert_rows(const struct csv_table *t, const char *want)
{
    struct buf b;

    buf_init(&b);
    csv_write_rows(t->frame, 0, frame_rows(t->frame), true, ',', &b);
    assert_string_equal(b.data, want);
    buf_fini(&b);
}

static void
assert_head(const char *text, size_t want, const char *rows)
{
    struct csv_table t = head_of(str_of(text), want);

    assert_rows(&t, rows);
    csv_table_fini(&t);
}

/* Types of the columns by their first letters: "iff". */
static void
assert_types(const struct csv_table *t, const char *want)
{
    for (size_t k = 0; want[k]; k++)
        assert_int_equal(
            *column_type_word(column_type(frame_column(t->frame, k))), want[k]);
}

/* ---- where it is cut ---- */

static void
a_row_that_is_cut_is_left_out(void **state)
{
    const char *text = "a,b\n1,2\n3,4\n5,6\n";

    (void)state;
    assert_head(text, 8, "a,b\n1,2\n");
    assert_head(text, 11, "a,b\n1,2\n");
    assert_head(text, 12, "a,b\n1,2\n3,4\n");
    assert_head(text, 15, "a,b\n1,2\n3,4\n");
}

static void
the_end_of_the_head_is_said(void **state)
{
    struct csv_table t = head_of(str_of("a,b\n1,2\n3,4\n5,6\n"), 10);

    (void)state;
    assert_int_equal(t.n_bytes, 8);
    csv_table_fini(&t);
}

static void
a_text_that_is_not_longer_is_read_whole(void **state)
{
    struct csv_table t = head_of(str_of("a,b\n1,2\n3,4"), 11);

    (void)state;
    assert_rows(&t, "a,b\n1,2\n3,4\n");
    assert_int_equal(t.n_bytes, 11);
    csv_table_fini(&t);
    assert_head("a,b\n1,2\n3,4", 1000, "a,b\n1,2\n3,4\n");
    assert_head("a,b\n1,2\n3,4", 0, "a,b\n1,2\n3,4\n");
}

/* The cut stands within the quotes, at the doubled quote, at the line end in
 * the field, behind the closing quote. */
static void
a_quoted_field_is_never_cut(void **state)
{
    const char *text = "a,b\n1,x\n2,\"p\"\"\nq\"\n3,y\n";

    (void)state;
    for (size_t want = 8; want < 18; want++)
        assert_head(text, want, "a,b\n1,x\n");
    assert_head(text, 18, "a,b\n1,x\n2,\"p\"\"\nq\"\n");
    assert_head(text, 21, "a,b\n1,x\n2,\"p\"\"\nq\"\n");
}

static void
crlf_may_be_cut_in_the_middle(void **state)
{
    const char *text = "a,b\r\n1,2\r\n3,4\r\n5,6\r\n";

    (void)state;
    assert_head(text, 13, "a,b\n1,2\n");
    assert_head(text, 14, "a,b\n1,2\n3,4\n");
    assert_head(text, 15, "a,b\n1,2\n3,4\n");
    assert_head("a,b\r1,2\r3,4\r5,6\r", 12, "a,b\n1,2\n3,4\n");
}

static void
a_byte_order_mark_and_blank_lines_come_before(void **state)
{
    (void)state;
    assert_head("\xef\xbb\xbf\n\r\na,b\n1,2\n\n3,4\n5,6\n", 20,
                "a,b\n1,2\n3,4\n");
}

/* A quote that nothing closes takes the rest with it, however much that is. */
static void
an_open_quote_ends_the_head(void **state)
{
    (void)state;
    assert_head("a,b\n1,2\n3,\"4\n5,6\n7,8\n", 20, "a,b\n1,2\n");
}

/* ---- how much is looked at ---- */

/* What follows the head is in pages that cannot be read. */
static void
the_rest_is_not_touched(void **state)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), len = 64 * page;
    char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct csv_table t;

    (void)state;
    assert_true(p != MAP_FAILED);
    for (size_t i = 0; i < 2 * page; i += 8)
        memcpy(p + i, i ? "12,3456\n" : "abc,def\n", 8);
    assert_int_equal(mprotect(p + 2 * page, len - 2 * page, PROT_NONE), 0);
    t = head_of((struct str){p, len}, 2 * page);
    assert_int_equal(frame_rows(t.frame), 2 * page / 8 - 1);
    csv_table_fini(&t);
    t = head_of((struct str){p, len}, 2 * page - 3);
    assert_int_equal(frame_rows(t.frame), 2 * page / 8 - 2);
    csv_table_fini(&t);
    munmap(p, len);
}

/* n names or numbers of 10 bytes with their delimiter. */
static void
put_row(struct buf *b, const char *field, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%s%zu%c", field, 10000 + i, i + 1 < n ? ',' : '\n');
}

static void
long_rows_are_looked_for_further_on(void **state)
{
    struct csv_table t;
    struct buf b;

    (void)state;
    buf_init(&b);
    put_row(&b, "colu", 40000);
    for (int i = 0; i < 3; i++)
        put_row(&b, "0.00", 40000);
    t = head_of((struct str){b.data, b.len}, 0);
    assert_int_equal(frame_cols(t.frame), 40000);
    assert_int_equal(frame_rows(t.frame), 1);
    assert_types(&t, "ff");
    assert_string_equal(frame_name(t.frame, 39999), "colu49999");
    csv_table_fini(&t);
    buf_fini(&b);
}

static void
a_first_row_of_more_than_four_mib_has_no_head(void **state)
{
    struct csv_table t;
    struct error err;
    struct buf b;

    (void)state;
    buf_init(&b);
    for (size_t i = 0; i < 50000; i++)
        buf_printf(&b, "%099zu,", i);
    buf_puts(&b, "\n");
    put_row(&b, "0.00", 50000);
    assert_false(csv_parse_head((struct str){b.data, b.len}, "wide.csv", NULL,
                                0, &t, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.message,
                        "wide.csv: no row ends in the first 4194304 bytes");
    buf_fini(&b);
}

/* ---- what is found from it ---- */

/* id, a float, a date, a text with all that must be quoted, a gap. */
static void
put_mixed(struct buf *b, size_t n)
{
    static const char *const texts[] = {
        "plain", "\"a, b\"", "\"two\nlines\"", "\"\"\"q\"\"\"", "NA", "\"\""};

    buf_puts(b, "id,share,day,note,gap\n");
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%zu,%zu.25,2024-0%zu-1%zu,%s,%s\n", i, i % 97, i % 9 + 1,
                   i % 10, texts[i % 6], i % 3 ? "1" : "");
}

static void
the_head_is_that_of_the_whole(void **state)
{
    struct csv_table whole, t;
    struct buf text, want, got;
    struct error err;

    (void)state;
    buf_init(&text);
    put_mixed(&text, 2000);
    assert_true(csv_parse((struct str){text.data, text.len}, "t.csv", NULL,
                          NULL, NULL, &whole, &err));
    for (size_t len = 200; len < text.len; len += 997) {
        t = head_of((struct str){text.data, text.len}, len);
        assert_types(&t, "ifdti");
        assert_true(frame_rows(t.frame) > 3 && t.header);
        buf_init(&want);
        buf_init(&got);
        csv_write_rows(whole.frame, 0, frame_rows(t.frame), true, ',', &want);
        csv_write_rows(t.frame, 0, frame_rows(t.frame), true, ',', &got);
        assert_string_equal(got.data, want.data);
        buf_fini(&want);
        buf_fini(&got);
        csv_table_fini(&t);
    }
    csv_table_fini(&whole);
    buf_fini(&text);
}

static void
the_whole_may_decide_otherwise(void **state)
{
    const char *text = "a,b,c\n1,2,\n3,4,\n5.5,x,7\n";
    struct csv_table t = head_of(str_of(text), 16);

    (void)state;
    assert_types(&t, "iit");
    csv_table_fini(&t);
    t = head_of(str_of(text), 1000);
    assert_types(&t, "fti");
    csv_table_fini(&t);
}

static void
bad_rows_of_the_head_are_set_aside(void **state)
{
    struct csv_table t = head_of(str_of("a,b\n1,2\n3\n4,5\n6,7\n8\n"), 14);

    (void)state;
    assert_rows(&t, "a,b\n1,2\n4,5\n");
    assert_int_equal(t.n_rejected, 1);
    assert_int_equal(column_int64s(frame_column(t.rejects, 0))[0], 3);
    csv_table_fini(&t);
}

static void
options_hold_for_the_head(void **state)
{
    static const char *const types[] = {"column_2=text", NULL};
    const struct csv_options o = {.delimiter = ';', .types = types};
    struct csv_table t;
    struct error err;

    (void)state;
    assert_true(csv_parse_head(str_of("1,2;3\n4,5;6\n7,8;9\n"), "t.csv", &o, 13,
                               &t, &err));
    assert_rows(&t, "column_1,column_2\n\"1,2\",3\n\"4,5\",6\n");
    assert_types(&t, "tt");
    assert_false(t.header);
    csv_table_fini(&t);
}

/* ---- failing ---- */

static void
bytes_that_are_no_text_fail_as_the_whole_does(void **state)
{
    static const char text[] = "PK\x03\x04\0\0\nab\ncd\nef\ngh\n";
    const struct str s = {text, sizeof text - 1};
    struct error head, whole;
    struct csv_table t;

    (void)state;
    assert_false(csv_parse_head(s, "t.csv", NULL, 12, &t, &head));
    assert_false(csv_parse(s, "t.csv", NULL, NULL, NULL, &t, &whole));
    assert_int_equal(head.code, ERR_PARSE);
    assert_string_equal(head.message, whole.message);
}

static void
every_failing_allocation_is_reported(void **state)
{
    struct csv_table t;
    struct error err;
    struct buf b;
    unsigned long n;

    (void)state;
    buf_init(&b);
    put_mixed(&b, 60);
    for (n = 1;; n++) {
        bool ok;

        mem_fault_arm(n, false);
        ok = csv_parse_head((struct str){b.data, b.len}, "t", NULL, 1000, &t,
                            &err);
        mem_fault_arm(0, false);
        if (ok)
            break;
        assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_true(n > 30);
    csv_table_fini(&t);
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_is_cut_is_left_out),
        cmocka_unit_test(the_end_of_the_head_is_said),
        cmocka_unit_test(a_text_that_is_not_longer_is_read_whole),
        cmocka_unit_test(a_quoted_field_is_never_cut),
        cmocka_unit_test(crlf_may_be_cut_in_the_middle),
        cmocka_unit_test(a_byte_order_mark_and_blank_lines_come_before),
        cmocka_unit_test(an_open_quote_ends_the_head),
        cmocka_unit_test(the_rest_is_not_touched),
        cmocka_unit_test(long_rows_are_looked_for_further_on),
        cmocka_unit_test(a_first_row_of_more_than_four_mib_has_no_head),
        cmocka_unit_test(the_head_is_that_of_the_whole),
        cmocka_unit_test(the_whole_may_decide_otherwise),
        cmocka_unit_test(bad_rows_of_the_head_are_set_aside),
        cmocka_unit_test(options_hold_for_the_head),
        cmocka_unit_test(bytes_that_are_no_text_fail_as_the_whole_does),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
