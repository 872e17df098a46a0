/* Functions of texts, dates and times.  (python): CPython 3.11's datetime;
 * (dateutil): relativedelta, with which DuckDB 1.5's date_sub() agrees.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "frame/csv.h"
#include "frame/expr.h"

static const char text[] = "s,n,day,at\n"
                           "a-b-c,2,2024-02-29,2024-02-29 23:59:58.75\n"
                           "Z\xc3\xbcrich,-1,1969-12-31,1969-12-31 00:00:01\n"
                           ",,,\n";

/* The three values, "-" for missing; or the error. */
static void
expect(const char *expression, const char *want)
{
    struct csv_table t;
    struct error err = {0};
    struct expr *e = expr_parse(str_of(expression), &err);
    struct column *c = NULL;
    struct buf got;

    if (!csv_parse((struct str){text, sizeof text - 1}, "t", NULL, NULL, NULL,
                   &t, &err))
        fail_msg("%s", err.message);
    c = e ? expr_eval(e, t.frame, NULL, &err) : NULL;
    buf_init(&got);
    for (size_t i = 0; c && i < column_rows(c); i++) {
        buf_puts(&got, i ? "|" : "");
        if (column_is_valid(c, i))
            column_print(c, i, &got);
        else
            buf_putc(&got, '-');
    }
    if (!c)
        buf_puts(&got, err.message);
    if (strcmp(got.data, want))
        fail_msg("%s\n  got  %s\n  want %s", expression, got.data, want);
    buf_fini(&got);
    column_unref(c);
    expr_free(e);
    csv_table_fini(&t);
}

/* A constant gives the same three times. */
static void
expect_one(const char *expression, const char *want)
{
    char three[200];

    snprintf(three, sizeof three, "%s|%s|%s", want, want, want);
    expect(expression, three);
}

static void
test_substr_counts_characters_from_either_end(void **state)
{
    (void)state;
    expect("substr(s, 2, 2)", "-b|\xc3\xbcr|-");
    expect("substr(s, n)", "-b-c|h|-");
    expect("substr(s, -3)", "b-c|ich|-");
    expect("substr(s, -30, 31)", "a-b-c|Z\xc3\xbcrich|-");
    expect("substr(s, 30)", "||-");
    expect("substr(s, 1, 0)", "||-");
    expect("substr(s, 0)", "-|-|-");
    expect("substr(s, 1, -1)", "-|-|-");
    expect("substr(s, 'a')", "character 11: substr(text, start, n) wants a "
                             "int, not 'a' (text)");
}

static void
test_split_part_counts_from_either_end(void **state)
{
    (void)state;
    expect("split_part(s, '-', 1)", "a|Z\xc3\xbcrich|-");
    expect("split_part(s, '-', 3)", "c|-|-");
    expect("split_part(s, '-', -1)", "c|Z\xc3\xbcrich|-");
    expect("split_part(s, '-', -3)", "a|-|-");
    expect("split_part(s, '-', -4)", "-|-|-");
    expect("split_part(s, '-', 0)", "-|-|-");
    expect("split_part(s, '', 1)", "a-b-c|Z\xc3\xbcrich|-");
    expect_one("split_part('a,,b', ',', 2)", "");
    expect_one("split_part('', ',', 1)", "");
    expect_one("split_part('a,', ',', -1)", "");
}

static void
test_position_and_padding(void **state)
{
    (void)state;
    expect("position(s, 'r')", "-|3|-");
    expect("position(s, '')", "1|1|-");
    expect("lpad(s, 7)", "  a-b-c| Z\xc3\xbcrich|-");
    expect("rpad(s, 8, '\xc3\xa4.')",
           "a-b-c\xc3\xa4.\xc3\xa4|Z\xc3\xbcrich\xc3\xa4.|-");
    expect("lpad(s, 2, 'x')", "a-b-c|Z\xc3\xbcrich|-");
    expect("lpad(s, 9, '')", "a-b-c|Z\xc3\xbcrich|-");
    expect("lpad(s, -9223372036854775807)", "a-b-c|Z\xc3\xbcrich|-");
    expect("rpad(s, 9223372036854775807)",
           "character 1: a text of 1048577 bytes, at most 1048576");
}

/* (python) */
static void
test_parts_of_dates(void **state)
{
    static const struct {
        const char *day, *week, *yearday, *quarter;
    } cases[] = {
        {"2024-12-30", "1", "365", "4"},  {"2021-01-03", "53", "3", "1"},
        {"2020-12-31", "53", "366", "4"}, {"1969-12-31", "1", "365", "4"},
        {"2024-02-29", "9", "60", "1"},   {"0001-01-01", "1", "1", "1"}};
    char expression[80];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(expression, sizeof expression, "week('%s')", cases[i].day);
        expect_one(expression, cases[i].week);
        snprintf(expression, sizeof expression, "yearday('%s')", cases[i].day);
        expect_one(expression, cases[i].yearday);
        snprintf(expression, sizeof expression, "quarter('%s')", cases[i].day);
        expect_one(expression, cases[i].quarter);
    }
    expect("minute(at)", "59|0|-");
    expect("second(at)", "58|1|-");
    expect("minute(day)", "0|0|-");
}

static void
test_date_trunc(void **state)
{
    (void)state;
    expect("date_trunc('year', day)", "2024-01-01|1969-01-01|-");
    expect("date_trunc('quarter', day)", "2024-01-01|1969-10-01|-");
    expect("date_trunc('month', day)", "2024-02-01|1969-12-01|-");
    expect("date_trunc('week', day)", "2024-02-26|1969-12-29|-");
    expect("date_trunc('day', at)",
           "2024-02-29 00:00:00|1969-12-31 00:00:00|-");
    expect("date_trunc('HOUR', at)",
           "2024-02-29 23:00:00|1969-12-31 00:00:00|-");
    expect("date_trunc('minute', at)",
           "2024-02-29 23:59:00|1969-12-31 00:00:00|-");
    expect("date_trunc('second', at)",
           "2024-02-29 23:59:58|1969-12-31 00:00:01|-");
    expect("date_trunc('month', at)",
           "2024-02-01 00:00:00|1969-12-01 00:00:00|-");
    expect("date_trunc('eon', at)",
           "character 12: date_trunc(unit, date) wants 'year', 'quarter', "
           "'month', 'week', 'day', 'hour', 'minute' or 'second' here");
}

/* (dateutil) */
static void
test_whole_months_and_years(void **state)
{
    static const struct {
        const char *a, *b, *months, *years;
    } cases[] = {
        {"2024-01-31", "2024-02-29", "1", "0"},
        {"2024-01-31", "2024-03-30", "1", "0"},
        {"2024-02-29", "2025-02-28", "12", "1"},
        {"2024-02-29", "2023-02-28", "-12", "-1"},
        {"2024-03-31", "2024-02-29", "-1", "0"},
        {"2024-05-15", "2024-02-16", "-2", "0"},
        {"2000-02-29", "2023-03-01", "276", "23"},
        {"2024-01-01 12:00", "2024-02-01 11:59", "0", "0"},
    };
    char expression[100];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(expression, sizeof expression, "months_between('%s', '%s')",
                 cases[i].a, cases[i].b);
        expect_one(expression, cases[i].months);
        snprintf(expression, sizeof expression, "years_between('%s', '%s')",
                 cases[i].a, cases[i].b);
        expect_one(expression, cases[i].years);
    }
    expect("months_between(day, at)", "0|0|-");
    expect("add_months(day, 12)", "2025-02-28|1970-12-31|-");
    expect("add_months(day, n)", "2024-04-29|1969-11-30|-");
    expect("add_months(at, 1)", "2024-03-29 23:59:58.75|1970-01-31 00:00:01|-");
    expect("add_months(day, 9000000000)", "-|-|-");
    expect("years_between(s, day)",
           "character 15: years_between(a, b) wants a date or timestamp, not s "
           "(text); date() reads it as one");
}

/* (python) */
static void
test_formats(void **state)
{
    (void)state;
    expect_one("strftime('2024-03-09 00:05:07.123456', '%Y %y %m %d %j %b %B "
               "%a %A %H %I %p %M %S %f %%')",
               "2024 24 03 09 069 Mar March Sat Saturday 00 12 AM 05 07 123456 "
               "%");
    expect_one("strftime('2024-03-09 13:05:07', '%I %p')", "01 PM");
    expect("strftime(day, '%d.%m.%Y')", "29.02.2024|31.12.1969|-");
    expect_one("strptime('9 mar 69, 1:05 pm', '%d %b %y, %I:%M %p')",
               "1969-03-09 13:05:00");
    expect_one("strptime('2024 366', '%Y %j')", "2024-12-31 00:00:00");
    expect_one("strptime('2023 366', '%Y %j')", "-");
    expect_one("strptime('Monday, 12 AM .5', '%A, %I %p .%f')",
               "1970-01-01 00:00:00.5");
    expect_one("strptime('31.02.2024', '%d.%m.%Y')", "-");
    expect_one("strptime('1.2.2024x', '%d.%m.%Y')", "-");
    expect_one("strptime('1.2.', '%d.%m.%Y')", "-");
    expect_one("strptime('100%', '%H0%%')", "1970-01-01 10:00:00");
    expect("strptime(strftime(at, '%Y-%j %H:%M:%S.%f'), '%Y-%j %H:%M:%S.%f') "
           "= at",
           "true|true|-");
    expect("strptime(s, '%q')",
           "character 13: no directive '%q', expected one of %Y %y %m %d %j %b "
           "%B %a %A %H %I %p %M %S %f");
    expect(
        "strptime(s, s)",
        "character 13: strptime(text, format) wants a format in quotes here");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_substr_counts_characters_from_either_end),
        cmocka_unit_test(test_split_part_counts_from_either_end),
        cmocka_unit_test(test_position_and_padding),
        cmocka_unit_test(test_parts_of_dates),
        cmocka_unit_test(test_date_trunc),
        cmocka_unit_test(test_whole_months_and_years),
        cmocka_unit_test(test_formats),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
