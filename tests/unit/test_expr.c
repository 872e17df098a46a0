/* The expression language.  Expected values are worked out by hand from the
 * rules in frame/expr.h; numbers marked (python) came from CPython 3.11.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/expr.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "frame/builder.h"

/* age int, fee float, city text, paid bool, born date, seen timestamp,
 * other text; `-` is missing. */
static const char *const names[] = {"age",  "fee",  "city",  "paid",
                                    "born", "seen", "other", "odd name"};
static const enum col_type types[] = {COL_INT64, COL_FLOAT64, COL_TEXT,
                                      COL_BOOL,  COL_DATE,    COL_TIMESTAMP,
                                      COL_TEXT,  COL_INT64};
static const char *const rows[][8] = {
    {"30", "1.5", "Z\xc3\xbcrich", "true", "2024-02-29", "2024-02-29 23:30:00",
     "rich", "1"},
    {"-7", "-2.5", "Basel", "false", "1969-12-31", "1969-12-31 23:59:59", "el",
     "2"},
    {"-", "0", "-", "-", "-", "-", "x", "3"},
    {"0", "-", "Bern", "true", "2000-01-01", "2000-01-01 00:00:00.500000", "-",
     "4"},
};
enum { N_ROWS = 4, N_COLS = 8 };

static struct frame *
table(void)
{
    struct error err = {0};
    struct builder *b = builder_new(N_COLS, names, types, &err);
    struct frame *f;

    assert_non_null(b);
    for (size_t r = 0; r < N_ROWS; r++) {
        for (size_t c = 0; c < N_COLS; c++)
            if (strcmp(rows[r][c], "-") &&
                !builder_parse(b, c, str_of(rows[r][c]), &err))
                fail_msg("%s", err.message);
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

static struct column *
eval(const struct frame *f, const char *text)
{
    struct error err = {0};
    enum col_type type;
    struct expr *e = expr_parse(str_of(text), &err);
    struct column *c = NULL;

    if (!e)
        fail_msg("%s: %s", text, err.message);
    if (!expr_check(e, f, &type, &err) || !(c = expr_eval(e, f, NULL, &err)))
        fail_msg("%s: %s", text, err.message);
    assert_int_equal(type, column_type(c));
    expr_free(e);
    return c;
}

/* The type and the values of all four rows, missing ones as "-". */
static void
expect(const char *text, const char *want)
{
    struct frame *f = table();
    struct column *c = eval(f, text);
    struct buf got;

    buf_init(&got);
    buf_puts(&got, column_type_word(column_type(c)));
    for (size_t i = 0; i < column_rows(c); i++) {
        buf_puts(&got, i ? "|" : ": ");
        if (column_is_valid(c, i))
            column_print(c, i, &got);
        else
            buf_putc(&got, '-');
    }
    if (strcmp(got.data, want))
        fail_msg("%s\n  got  %s\n  want %s", text, got.data, want);
    buf_fini(&got);
    column_unref(c);
    frame_unref(f);
}

static void
expect_error(const char *text, const char *want)
{
    struct frame *f = table();
    struct error err = {0};
    struct expr *e = expr_parse(str_of(text), &err);
    struct column *c = e ? expr_eval(e, f, NULL, &err) : NULL;

    if (c)
        fail_msg("%s: no error", text);
    if (strcmp(err.message, want))
        fail_msg("%s\n  got  %s\n  want %s", text, err.message, want);
    expr_free(e);
    frame_unref(f);
}

static void
test_columns_and_literals_keep_their_type(void **state)
{
    (void)state;
    expect("age", "int: 30|-7|-|0");
    expect("city", "text: Z\xc3\xbcrich|Basel|-|Bern");
    expect("`odd name`", "int: 1|2|3|4");
    expect("1", "int: 1|1|1|1");
    expect("1.5e1", "float: 15|15|15|15");
    expect("5.", "float: 5|5|5|5");
    expect("'it''s'", "text: it's|it's|it's|it's");
    expect("\"two\"", "text: two|two|two|two");
    expect("TRUE", "bool: true|true|true|true");
    expect("null", "float: -|-|-|-");
    expect("9223372036854775808", "float: 9.223372036854776e+18|"
                                  "9.223372036854776e+18|"
                                  "9.223372036854776e+18|"
                                  "9.223372036854776e+18");
}

static void
test_arithmetic_follows_precedence(void **state)
{
    (void)state;
    expect("1 + 2 * 3", "int: 7|7|7|7");
    expect("(1 + 2) * 3", "int: 9|9|9|9");
    expect("-2 ^ 2", "float: -4|-4|-4|-4");
    expect("2 ^ 3 ^ 2", "float: 512|512|512|512");
    expect("2 ^ -1", "float: 0.5|0.5|0.5|0.5");
    expect("10 - 3 - 2", "int: 5|5|5|5");
    expect("7 / 2", "float: 3.5|3.5|3.5|3.5");
    expect("age + 1", "int: 31|-6|-|1");
    expect("age + fee", "float: 31.5|-9.5|-|-");
    expect("paid + 1", "int: 2|1|-|2");
    expect("--age", "int: 30|-7|-|0");
}

/* Remainders have the sign of the divisor (python). */
static void
test_quotients_round_down(void **state)
{
    (void)state;
    expect("age // 4", "int: 7|-2|-|0");
    expect("age % 4", "int: 2|1|-|0");
    expect("age % -4", "int: -2|-3|-|0");
    expect("age // 4.0", "float: 7|-2|-|0");
    expect("fee % 1", "float: 0.5|0.5|0|-");
    expect("1 // 0.1", "float: 9|9|9|9");
}

static void
test_a_value_that_does_not_exist_is_missing(void **state)
{
    (void)state;
    expect("1 / age", "float: 0.03333333333333333|-0.14285714285714285|-|-");
    expect("1 // age", "int: 0|-1|-|-");
    expect("1 % age", "int: 1|-6|-|-");
    expect("sqrt(fee)", "float: 1.224744871391589|-|0|-");
    expect("log(fee) is null", "bool: false|true|true|true");
    expect("9223372036854775807 + age",
           "int: -|9223372036854775800|-|9223372036854775807");
    expect("9223372036854775807 * age", "int: -|-|-|0");
    expect("-9223372036854775807 - age",
           "int: -|-9223372036854775800|-|-9223372036854775807");
    expect("0 ^ -1", "float: -|-|-|-");
    expect("if(age = 0, 0, 10 / age)",
           "float: 0.3333333333333333|-1.4285714285714286|-|0");
}

static void
test_comparisons_with_missing_are_missing(void **state)
{
    (void)state;
    expect("age > 0", "bool: true|false|-|false");
    expect("age >= fee", "bool: true|false|-|-");
    expect("age = 30", "bool: true|false|-|false");
    expect("age <> 30", "bool: false|true|-|true");
    expect("age != int(null)", "bool: -|-|-|-");
    expect("city == 'Bern'", "bool: false|false|-|true");
    expect("city < 'C'", "bool: false|true|-|true");
    expect("city >= other", "bool: false|false|-|-");
    expect("paid = 1", "bool: true|false|-|true");
    expect("born < '2000-01-01'", "bool: false|true|-|false");
    expect("seen >= '2000-01-01 00:00:00'", "bool: true|false|-|true");
    expect("born = seen", "bool: false|false|-|false");
    expect("born <= '1999-12-31 12:00:00'", "bool: false|true|-|false");
}

static void
test_logic_is_three_valued(void **state)
{
    (void)state;
    expect("null and false", "bool: false|false|false|false");
    expect("null and true", "bool: -|-|-|-");
    expect("null or true", "bool: true|true|true|true");
    expect("null or false", "bool: -|-|-|-");
    expect("not null", "bool: -|-|-|-");
    expect("age > 0 or fee = 0", "bool: true|false|true|-");
    expect("age > 0 and fee > 0", "bool: true|false|false|false");
    expect("not age > 0", "bool: false|true|-|true");
    expect("paid or not paid", "bool: true|true|-|true");
    expect("age > 0 AND paid OR city = 'Basel'", "bool: true|true|-|false");
    expect("true or true and false", "bool: true|true|true|true");
}

static void
test_in_between_and_null_tests(void **state)
{
    (void)state;
    expect("age in (30, 0)", "bool: true|false|-|true");
    expect("age not in (30, 0)", "bool: false|true|-|false");
    expect("age in (30, null)", "bool: true|-|-|-");
    expect("city in ('Bern', 'Basel')", "bool: false|true|-|true");
    expect("city in (other, 'Bern')", "bool: false|false|-|true");
    expect("born in ('2000-01-01')", "bool: false|false|-|true");
    expect("age between -7 and 0", "bool: false|true|-|true");
    expect("age not between fee and 100", "bool: false|true|-|-");
    expect("age between 1 and null", "bool: -|false|-|false");
    expect("age is null", "bool: false|false|true|false");
    expect("age is not null", "bool: true|true|false|true");
    expect("is_missing(fee)", "bool: false|false|false|true");
}

static void
test_choice_functions(void **state)
{
    (void)state;
    expect("if(age > 0, 'old', city)", "text: old|Basel|-|Bern");
    expect("if(age > 0, 1, 2.5)", "float: 1|2.5|2.5|2.5");
    expect("if(paid, born, '2020-05-17')",
           "date: 2024-02-29|2020-05-17|2020-05-17|2000-01-01");
    expect("if(true, null, age)", "int: -|-|-|-");
    expect("coalesce(age, fee, 9)", "float: 30|-7|0|0");
    expect("coalesce(city, 'none')", "text: Z\xc3\xbcrich|Basel|none|Bern");
    expect("min(age, 5, 3)", "int: 3|-7|-|0");
    expect("max(age, fee)", "float: 30|-2.5|-|-");
    expect("max(city, other)", "text: rich|el|-|-");
    expect("100 / max(age, 1)", "float: 3.3333333333333335|100|-|100");
}

static void
test_number_functions(void **state)
{
    (void)state;
    expect("abs(age)", "int: 30|7|-|0");
    expect("abs(fee)", "float: 1.5|2.5|0|-");
    expect("round(fee)", "float: 2|-2|0|-");
    expect("round(2.675 * 100, -1)", "float: 270|270|270|270");
    expect("round(1.2345, 2)", "float: 1.23|1.23|1.23|1.23");
    expect("floor(fee)", "float: 1|-3|0|-");
    expect("ceil(fee)", "float: 2|-2|0|-");
    expect("floor(age)", "int: 30|-7|-|0");
    expect("exp(0)", "float: 1|1|1|1");
    expect("log10(1000)", "float: 3|3|3|3");
    expect("log(exp(1.0))", "float: 1|1|1|1");
    expect("2 ^ 0.5", "float: 1.4142135623730951|1.4142135623730951|"
                      "1.4142135623730951|1.4142135623730951");
}

static void
test_text_functions(void **state)
{
    (void)state;
    expect("upper(city)", "text: Z\xc3\x9cRICH|BASEL|-|BERN");
    expect("lower('\xc3\x9c')", "text: \xc3\xbc|\xc3\xbc|\xc3\xbc|\xc3\xbc");
    expect("length(city)", "int: 6|5|-|4");
    expect("trim('  a b ')", "text: a b|a b|a b|a b");
    expect("contains(city, 'er')", "bool: false|false|-|true");
    expect("contains(city, other)", "bool: true|true|-|-");
    expect("starts_with(city, 'B')", "bool: false|true|-|true");
    expect("ends_with(city, 'rich')", "bool: true|false|-|false");
    expect("ends_with(city, '')", "bool: true|true|-|true");
    expect("replace(city, 'e', 'ee')", "text: Z\xc3\xbcrich|Baseel|-|Beern");
    expect("replace('aaaa', 'aa', 'b')", "text: bb|bb|bb|bb");
    expect("replace('abcabc', 'abc', '')", "text: |||");
    expect("replace_matches(city, '[aeiou]', '<\\0>')",
           "text: Z\xc3\xbcr<i>ch|B<a>s<e>l|-|B<e>rn");
    expect("replace_matches(city, '(.)(.)', '\\2\\1')",
           "text: \xc3\xbcZirhc|aBesl|-|eBnr");
    expect("replace_matches(city, 'B', other)",
           "text: Z\xc3\xbcrich|elasel|-|-");
    expect("length(e'\\x00\\n''\\\\')", "int: 4|4|4|4");
    expect("E\"\\x41\\xc3\\xBc\\t\"", "text: A\xc3\xbc\t|A\xc3\xbc\t|"
                                      "A\xc3\xbc\t|A\xc3\xbc\t");
    expect("'a\\n' = e'a\\\\n'", "bool: true|true|true|true");
    expect("concat(city, '-', age)",
           "text: Z\xc3\xbcrich-30|Basel--7|-|Bern-0");
    expect("extract(city, '[A-Z](.)')", "text: \xc3\xbc|a|-|e");
    expect("extract(city, '(B)(.)', 2)", "text: -|a|-|e");
    expect("extract(city, 'r.')", "text: ri|-|-|rn");
    expect("city matches '^B'", "bool: false|true|-|true");
    expect("city not matches '(?i)^b'", "bool: true|false|-|false");
}

static void
test_date_functions(void **state)
{
    (void)state;
    expect("year(born)", "int: 2024|1969|-|2000");
    expect("month(seen)", "int: 2|12|-|1");
    expect("day(born)", "int: 29|31|-|1");
    /* Thursday, Wednesday, Saturday (python isoweekday). */
    expect("weekday(born)", "int: 4|3|-|6");
    expect("hour(seen)", "int: 23|23|-|0");
    expect("days_between(born, '2024-03-01')", "int: 1|19784|-|8826");
    expect("days_between(seen, born)", "int: 0|0|-|0");
    expect("born + 1", "date: 2024-03-01|1970-01-01|-|2000-01-02");
    expect("born - 31", "date: 2024-01-29|1969-11-30|-|1999-12-01");
    expect("born - '2024-02-28'", "int: 1|-19782|-|-8824");
    expect("born + 10000000000", "date: -|-|-|-");
    expect("seen + 60 >= '2024-03-01'", "bool: false|false|-|false");
    expect("seen - timestamp(born)", "float: 84600|86399|-|0.5");
    expect("seen + 0.5 = '2000-01-01 00:00:01'", "bool: false|false|-|true");
}

static void
test_casts(void **state)
{
    (void)state;
    expect("int(fee)", "int: 1|-2|0|-");
    expect("int('12.0') + int(' 7 ')", "int: 19|19|19|19");
    expect("int('12.5')", "int: -|-|-|-");
    expect("int(1e30)", "int: -|-|-|-");
    expect("float('1e3')", "float: 1000|1000|1000|1000");
    expect("float(paid)", "float: 1|0|-|1");
    expect("text(fee)", "text: 1.5|-2.5|0|-");
    expect("text(paid)", "text: true|false|-|true");
    expect("text(born)", "text: 2024-02-29|1969-12-31|-|2000-01-01");
    expect("bool(age)", "bool: true|true|-|false");
    expect("bool('Yes')", "bool: true|true|true|true");
    expect("bool(' off ')", "bool: false|false|false|false");
    expect("bool('maybe')", "bool: -|-|-|-");
    expect("date('2024-13-01')", "date: -|-|-|-");
    expect("date(seen)", "date: 2024-02-29|1969-12-31|-|2000-01-01");
    expect("date(1)", "date: 1970-01-02|1970-01-02|1970-01-02|1970-01-02");
    expect("int(born)", "int: 19782|-1|-|10957");
    expect("int(seen)", "int: 1709249400|-1|-|946684800");
    expect("float(seen)", "float: 1709249400|-1|-|946684800.5");
    expect("int(null)", "int: -|-|-|-");
}

/* In SQL it is silently never true, and no row is found. */
static void
test_a_comparison_with_null_itself_is_an_error(void **state)
{
    (void)state;
    expect_error("age = null",
                 "character 5: beside null no comparison is true: write x is "
                 "null, or x is not null");
    expect_error("age > 1 and null <> city",
                 "character 18: beside null no comparison is true: write x is "
                 "null, or x is not null");
}

static void
test_errors_point_at_the_character(void **state)
{
    (void)state;
    expect_error("1 + ages",
                 "character 5: no column 'ages' (did you mean 'age'?)");
    expect_error("uper(city)",
                 "character 1: no function 'uper' (did you mean 'upper'?)");
    expect_error("avg(age) over ()",
                 "character 1: no function 'avg' (did you mean 'mean'?)");
    expect_error("isnull(age)", "character 1: no function 'isnull' (did you "
                                "mean 'is_missing'?)");
    expect_error("cast(age as text)",
                 "character 1: no function 'cast'; write int(x), float(x), "
                 "text(x) or date(x)");
    expect_error("pow(age, 2)", "character 1: no function 'pow'; write x ^ y");
    expect_error("age ** 2", "character 5: write ^ for **");
    expect_error("age > 1 ? 1 : 0", "character 9: unexpected character '?'; "
                                    "write if(condition, a, b)");
    expect_error("city like 'B%'",
                 "character 6: expected an operator or the end, found like; "
                 "write x matches 'pattern'");
    expect_error("age = None",
                 "character 7: no column 'None'; write x is null");
    expect_error("missing(age)",
                 "character 1: missing(x) over (...) wants the groups: over "
                 "(column, ...), or over () for all rows; of one value write "
                 "x is null");
    expect_error("'Z\xc3\xbc' = cit",
                 "character 8: no column 'cit' (did you mean 'city'?)");
    expect_error("city = bad", "character 8: no column 'bad'; a text stands in "
                               "quotes: 'bad'");
    expect_error("", "character 1: the expression is empty");
    expect_error("age +", "character 6: expected a value, found the end");
    expect_error("(age", "character 5: expected ')', found the end");
    expect_error("age 5",
                 "character 5: expected an operator or the end, found 5");
    expect_error("age > 'x'",
                 "character 5: age (int) and 'x' (text) do not go together");
    expect_error("age and true",
                 "character 1: 'and' wants true or false, not age (int)");
    expect_error("city + 1",
                 "character 6: arithmetic wants numbers, not city (text); "
                 "float() reads it as one, concat() joins texts");
    expect_error("lower(age)",
                 "character 7: lower(text) wants a text, not age (int)");
    expect_error("contains(city)",
                 "character 1: contains(text, part) was given 1 argument");
    expect_error("age && true", "character 5: write 'and' for &");
    expect_error("1 < age < 5",
                 "character 9: comparisons do not chain: join them with 'and'");
    expect_error("city = 'x", "character 8: the text has no closing quote");
    expect_error("`age", "character 1: the name has no closing backtick");
    expect_error("city = e'a\\q'", "character 11: no such escape: \\n, \\r, "
                                   "\\t, \\\\ or \\x and two digits");
    expect_error("city = e'\\x0'", "character 10: no such escape: \\n, \\r, "
                                   "\\t, \\\\ or \\x and two digits");
    expect_error("city = e'\\", "character 9: the text has no closing quote");
    expect_error("age $ 2", "character 5: unexpected character '$'");
    expect_error("12abc", "character 1: a number runs into a word");
    expect_error("age in 5", "character 8: expected '(' and the values, as in  "
                             "x in ('a', 'b'), found 5");
    expect_error("age in ()", "character 5: the list after 'in' is empty");
    expect_error("age is 5",
                 "character 8: expected 'null', as in  x is not null, found 5");
    expect_error(
        "age between 1, 2",
        "character 14: expected 'and', as in  x between 1 and 5, found "
        ",");
    expect_error("city matches '('", "character 14: pattern: missing closing "
                                     "parenthesis at character 2");
    expect_error("city matches other",
                 "character 14: matches wants a pattern in quotes");
    expect_error("born = 'soon'", "character 8: 'soon' is not a date "
                                  "(YYYY-MM-DD) or a timestamp");
    expect_error("born + born",
                 "character 6: born (date) and born (date) do not "
                 "add");
    expect_error("bool(born)",
                 "character 6: bool(x) cannot convert born (date)");
    expect_error("round(fee, age)",
                 "character 12: round(x, digits) wants a whole "
                 "number from -15 to 15 here");
    expect_error("extract(city, '(a)', 2)",
                 "character 22: extract(text, pattern, group) wants a whole "
                 "number from 0 to 1 here");
    expect_error("replace_matches(city, '(', '')",
                 "character 23: pattern: missing closing parenthesis at "
                 "character 2");
    expect_error("year(age)",
                 "character 6: year(date) wants a date or timestamp, not age "
                 "(int)");
}

static void
test_hostile_pattern_ends_in_an_error(void **state)
{
    (void)state;
    expect_error("concat('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab', "
                 "if(age > 0, '', '')) matches '^(a+)+$'",
                 "character 71: the pattern needs too much backtracking (match "
                 "limit exceeded)");
}

/* Text that grows 64 times at each level must not fill the memory. */
static void
test_growing_text_is_bounded(void **state)
{
    char text[4096] = "", *p = text;
    struct error err = {0};
    struct frame *f = table();

    (void)state;
    for (size_t i = 0; i < 40; i++)
        p += sprintf(p, "replace(");
    p += sprintf(p, "'a'");
    for (size_t i = 0; i < 40; i++)
        p += sprintf(p, ", 'a', '%064d')", 0);
    while ((p = strchr(text, '0')))
        *p = 'a';

    struct expr *e = expr_parse(str_of(text), &err);

    assert_non_null(e);
    assert_null(expr_eval(e, f, NULL, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    expr_free(e);
    frame_unref(f);
}

static void
test_nesting_is_bounded(void **state)
{
    static const struct {
        const char *open, *close;
    } kinds[] = {{"(", ")"}, {"-", ""},       {"not ", ""},
                 {"2^", ""}, {"abs(", ")"},   {"if(true, 1, ", ")"},
                 {"1+", ""}, {"1 in (", ")"}, {"1 - (", ")"}};
    char text[60000];
    struct error err = {0};

    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct expr *e;
        char *p = text;

        for (size_t i = 0; i < 3000; i++)
            p += sprintf(p, "%s", kinds[k].open);
        p += sprintf(p, "1");
        for (size_t i = 0; i < 3000; i++)
            p += sprintf(p, "%s", kinds[k].close);
        if ((e = expr_parse(str_of(text), &err)))
            fail_msg("%s... was read", kinds[k].open);
        assert_int_equal(err.code, ERR_LIMIT);
    }
}

static void
test_long_chains_are_not_deep(void **state)
{
    char text[60000], *p = text;
    struct frame *f = table();
    struct column *c;

    (void)state;
    p += sprintf(p, "age = 1");
    for (size_t i = 0; i < 2000; i++)
        p += sprintf(p, " or age = %zu", i);
    c = eval(f, text);
    assert_true(column_bools(c)[0]);
    assert_false(column_bools(c)[1]);
    column_unref(c);
    frame_unref(f);
}

static void
test_columns_are_listed_once_in_order(void **state)
{
    struct error err = {0};
    const char *got[2];
    struct expr *e =
        expr_parse(STR("fee > age and (city = 'a' or fee < `odd name`)"), &err);

    (void)state;
    assert_non_null(e);
    assert_int_equal(expr_columns(e, got, 2), 4);
    assert_string_equal(got[0], "fee");
    assert_string_equal(got[1], "age");
    assert_string_equal(expr_text(e),
                        "fee > age and (city = 'a' or fee < `odd name`)");
    expr_free(e);
}

static void
test_where_takes_true_rows_only(void **state)
{
    struct error err = {0};
    struct frame *f = table();
    struct expr *e = expr_parse(STR("age <= 0"), &err);
    uint32_t *ids;
    size_t n;

    (void)state;
    assert_non_null(e);
    assert_true(expr_where(e, f, NULL, &ids, &n, &err));
    assert_int_equal(n, 2);
    assert_int_equal(ids[0], 1);
    assert_int_equal(ids[1], 3);
    free(ids);
    expr_free(e);
    e = expr_parse(STR("age + 1"), &err);
    assert_false(expr_where(e, f, NULL, &ids, &n, &err));
    assert_string_equal(err.message,
                        "character 1: a condition is wanted, and this is int");
    expr_free(e);
    frame_unref(f);
}

static void
test_gate_over_a_row_of_metrics(void **state)
{
    const char *const name[] = {"auc", "logloss", "valid.auc"};
    const enum col_type type[] = {COL_FLOAT64, COL_FLOAT64, COL_FLOAT64};
    const struct {
        const char *gate;
        size_t passes;
    } gates[] = {{"auc >= 0.83 and logloss < 0.5", 1},
                 {"auc >= 0.85", 0},
                 {"valid.auc > auc", 1}};
    struct error err = {0};
    struct builder *b = builder_new(3, name, type, &err);
    struct frame *f;

    (void)state;
    assert_non_null(b);
    assert_true(builder_f64(b, 0, 0.84, &err) &&
                builder_f64(b, 1, 0.42, &err) &&
                builder_f64(b, 2, 0.845, &err) && builder_end_row(b, &err));
    f = builder_finish(b, &err);
    for (size_t i = 0; i < 3; i++) {
        struct expr *e = expr_parse(str_of(gates[i].gate), &err);
        uint32_t *ids;
        size_t n;

        assert_true(expr_where(e, f, NULL, &ids, &n, &err));
        assert_int_equal(n, gates[i].passes);
        free(ids);
        expr_free(e);
    }
    frame_unref(f);
}

/* ---- many rows ------------------------------------------------------- */

enum { MANY = 100003 };

static struct frame *
many_rows(void)
{
    static const char *const words[] = {"red", "green", "blue", "Red", ""};
    const char *const name[] = {"i", "x", "word"};
    struct error err = {0};
    int64_t *i = mem_try_aligned(MANY, sizeof *i, &err);
    double *x = mem_try_aligned(MANY, sizeof *x, &err);
    uint32_t *code = mem_try_aligned(MANY, sizeof *code, &err);
    uint64_t *valid = mem_try_array((MANY + 63) / 64, sizeof *valid, &err);
    struct dict *d = dict_new(&err);
    struct column *c[3];
    uint32_t got;

    for (size_t k = 0; k < 5; k++)
        assert_true(dict_add(d, str_of(words[k]), &got, &err));
    for (size_t k = 0; k < MANY; k++) {
        i[k] = (int64_t)k;
        x[k] = (double)k * 0.25 - 1000;
        if (k % 7) {
            valid[k / 64] |= (uint64_t)1 << (k % 64);
            code[k] = (uint32_t)(k % 5);
        }
    }
    c[0] = column_new(COL_INT64, MANY, i, NULL, NULL, &err);
    c[1] = column_new(COL_FLOAT64, MANY, x, NULL, NULL, &err);
    c[2] = column_new(COL_TEXT, MANY, code, valid, d, &err);
    return frame_new(MANY, 3, name, c, &err);
}

/* Every row against the same formula in plain C, for 1 and 3 threads. */
static void
test_batches_and_threads_agree_with_plain_c(void **state)
{
    struct frame *f = many_rows();
    struct pool *pools[] = {NULL, pool_new(3)};
    struct error err = {0};

    (void)state;
    for (size_t t = 0; t < 2; t++) {
        struct expr *e = expr_parse(
            STR("x * 2 + i > 500 and lower(word) = 'red' or i % 1000 = 3"),
            &err);
        struct column *c = expr_eval(e, f, pools[t], &err);

        assert_non_null(c);
        for (size_t k = 0; k < MANY; k++) {
            double x = (double)k * 0.25 - 1000;
            bool word = k % 7 != 0;
            bool red = k % 5 == 0 || k % 5 == 3;
            bool big = x * 2 + (double)k > 500;
            bool third = k % 1000 == 3;
            bool known = third || !big || word;

            assert_int_equal(column_is_valid(c, k), known);
            assert_int_equal(column_bools(c)[k],
                             known && (third || (big && red)));
        }
        column_unref(c);
        expr_free(e);
    }
    pool_free(pools[1]);
    frame_unref(f);
}

static void
test_text_results_are_coded_by_first_appearance(void **state)
{
    struct frame *f = many_rows();
    struct pool *pool = pool_new(3);
    struct error err = {0};
    const char *const texts[] = {"upper(word)", "if(i >= 0, upper(word), 'x')"};

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct expr *e = expr_parse(str_of(texts[k]), &err);
        struct column *c = expr_eval(e, f, pool, &err);

        assert_non_null(c);
        /* Row 0 is missing; rows 1, 2, 3, 4: green, blue, Red, "". */
        assert_int_equal(dict_count(column_dict(c)), 4);
        assert_true(str_is(dict_text(column_dict(c), 0), "GREEN"));
        assert_true(str_is(dict_text(column_dict(c), 2), "RED"));
        assert_true(str_is(column_text(c, 50), "RED"));
        assert_int_equal(column_missing(c), (MANY + 6) / 7);
        column_unref(c);
        expr_free(e);
    }
    pool_free(pool);
    frame_unref(f);
}

static void
test_empty_frame_gives_an_empty_column(void **state)
{
    struct error err = {0};
    struct frame *all = table(), *f = frame_slice(all, 0, 0, &err);
    const char *const texts[] = {"age + 1", "upper(city)", "city matches 'x'",
                                 "concat(age, city)"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct column *c = eval(f, texts[i]);

        assert_int_equal(column_rows(c), 0);
        column_unref(c);
    }
    frame_unref(f);
    frame_unref(all);
}

/* Every allocation fails once; nothing leaks, nothing is half done. */
static void
test_no_memory_is_an_error(void **state)
{
    struct frame *f = table();
    const char *text = "upper(concat(city, age)) in ('BASEL-7', 'x') or "
                       "extract(city, '(.)') = 'B'";

    (void)state;
    for (unsigned long n = 1;; n++) {
        struct error err = {0};
        struct expr *e;
        struct column *c = NULL;

        mem_fault_arm(n, false);
        if ((e = expr_parse(str_of(text), &err)))
            c = expr_eval(e, f, NULL, &err);
        mem_fault_arm(0, false);
        if (!c)
            assert_int_equal(err.code, ERR_NOMEM);
        column_unref(c);
        expr_free(e);
        if (c)
            break;
        assert_true(n < 1000);
    }
    frame_unref(f);
}

static void
test_functions_have_help(void **state)
{
    size_t n;
    const struct expr_function *f = expr_functions(&n);

    (void)state;
    assert_true(n > 30);
    for (size_t i = 0; i < n; i++) {
        assert_true(str_starts(str_of(f[i].usage), f[i].name));
        assert_true(strlen(f[i].help) > 3);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_and_literals_keep_their_type),
        cmocka_unit_test(test_arithmetic_follows_precedence),
        cmocka_unit_test(test_quotients_round_down),
        cmocka_unit_test(test_a_value_that_does_not_exist_is_missing),
        cmocka_unit_test(test_comparisons_with_missing_are_missing),
        cmocka_unit_test(test_logic_is_three_valued),
        cmocka_unit_test(test_in_between_and_null_tests),
        cmocka_unit_test(test_choice_functions),
        cmocka_unit_test(test_number_functions),
        cmocka_unit_test(test_text_functions),
        cmocka_unit_test(test_date_functions),
        cmocka_unit_test(test_casts),
        cmocka_unit_test(test_a_comparison_with_null_itself_is_an_error),
        cmocka_unit_test(test_errors_point_at_the_character),
        cmocka_unit_test(test_hostile_pattern_ends_in_an_error),
        cmocka_unit_test(test_growing_text_is_bounded),
        cmocka_unit_test(test_nesting_is_bounded),
        cmocka_unit_test(test_long_chains_are_not_deep),
        cmocka_unit_test(test_columns_are_listed_once_in_order),
        cmocka_unit_test(test_where_takes_true_rows_only),
        cmocka_unit_test(test_gate_over_a_row_of_metrics),
        cmocka_unit_test(test_batches_and_threads_agree_with_plain_c),
        cmocka_unit_test(test_text_results_are_coded_by_first_appearance),
        cmocka_unit_test(test_empty_frame_gives_an_empty_column),
        cmocka_unit_test(test_no_memory_is_an_error),
        cmocka_unit_test(test_functions_have_help),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
