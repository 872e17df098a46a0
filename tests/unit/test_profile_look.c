/* What values look like, and the alerts on it.  Numbers marked (scipy) and
 * (pandas) came from scipy 1.10.1 and pandas 1.5.3.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/profile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "frame/builder.h"
#include "frame/profile_part.h"

enum { N = 400 };

/* A column whose row i is what fmt makes of pick(i). */
struct maker {
    const char *name;
    enum col_type type;
    void (*value)(int i, char out[64]); /* "" is missing */
};

static struct frame *
frame_of(const struct maker *m, size_t n_cols, int n)
{
    const char *names[8];
    enum col_type types[8];
    struct error err = {0};
    struct builder *b;

    for (size_t k = 0; k < n_cols; k++) {
        names[k] = m[k].name;
        types[k] = m[k].type;
    }
    b = builder_new(n_cols, names, types, &err);
    assert_non_null(b);
    for (int i = 0; i < n; i++) {
        for (size_t k = 0; k < n_cols; k++) {
            char text[64] = "";

            m[k].value(i, text);
            if (text[0])
                assert_true(builder_parse(b, k, str_of(text), &err));
        }
        assert_true(builder_end_row(b, &err));
    }
    return builder_finish(b, &err);
}

static struct profile *
profile_with(const struct maker *m, size_t n_cols, int n,
             const struct profile_options *o)
{
    struct frame *f = frame_of(m, n_cols, n);
    struct error err = {0};
    struct profile *p = profile_new(f, o, NULL, NULL, &err);

    if (!p)
        fail_msg("%s", err.message);
    frame_unref(f);
    return p;
}

static const char *
alert_text(const struct profile *p, enum alert_kind kind, long col)
{
    for (size_t i = 0; i < p->n_alerts; i++)
        if (p->alert[i].kind == kind && p->alert[i].col == col)
            return p->alert[i].text;
    return NULL;
}

/* The alert of one column of 400 rows; NULL text: none of that kind. */
static void
expect_alert(enum col_type type, void (*value)(int, char[64]),
             enum alert_kind kind, const char *text)
{
    struct maker m = {"c", type, value};
    struct profile *p =
        profile_with(&m, 1, N, &(struct profile_options){.dirty = true});
    const char *got = alert_text(p, kind, 0);

    if (text && (!got || strcmp(got, text) != 0))
        fail_msg("got %s, want %s", got ? got : "none", text);
    if (!text && got)
        fail_msg("got %s, want none", got);
    profile_free(p);
}

static void
day_month_year(int i, char out[64])
{
    snprintf(out, 64, "%d.%d.%d", 1 + i % 28, 1 + i % 12, 2000 + i % 20);
}

static void
named_month(int i, char out[64])
{
    snprintf(out, 64, i % 2 ? "Mar %d, 2024" : "%d September 2023", 1 + i % 28);
}

static void
packed(int i, char out[64])
{
    snprintf(out, 64, "%d%02d%02d", 2000 + i % 20, 1 + i % 12, 1 + i % 28);
}

static void
address(int i, char out[64])
{
    snprintf(out, 64, "10.%d.0.%d", i % 12, i % 28);
}

static void
counted(int i, char out[64])
{
    snprintf(out, 64, "%d", i * 37 % 401);
}

static void
test_dates_kept_as_texts_or_numbers_are_told(void **state)
{
    (void)state;
    expect_alert(COL_TEXT, day_month_year, ALERT_TYPE_DATE,
                 "100.0 % read as dates, but it is text");
    expect_alert(COL_TEXT, named_month, ALERT_TYPE_DATE,
                 "100.0 % read as dates, but it is text");
    expect_alert(COL_INT64, packed, ALERT_TYPE_DATE,
                 "100.0 % read as dates (yyyymmdd), but it is a number");
    expect_alert(COL_TEXT, address, ALERT_TYPE_DATE, NULL);
    expect_alert(COL_INT64, counted, ALERT_TYPE_DATE, NULL);
}

static void
test_texts_that_are_dates(void **state)
{
    static const char *const yes[] = {
        "31/12/2024", "12/31/24",      "2024.3.5",          "2024-03-05 10:00",
        "5-Mar-2024", "March 5, 2024", "05/03/2024 9:15 PM"};
    static const char *const no[] = {"",           "1.2.3",    "99/99/2024",
                                     "10.0.0.1",   "mar",      "2024",
                                     "13/13/2024", "1 May",    "2024-13-01",
                                     "12 34 2024", "abc 1 23", "555-12-34567"};

    (void)state;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!profile_reads_as_date(str_of(yes[i])))
            fail_msg("no date: %s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (profile_reads_as_date(str_of(no[i])))
            fail_msg("a date: %s", no[i]);
}

static void
mostly_numbers(int i, char out[64])
{
    snprintf(out, 64, i % 10 ? "%d.5" : "n/a", i);
}

static void
numbers_and_dates(int i, char out[64])
{
    if (i % 3)
        snprintf(out, 64, "x%d", i);
    else if (i % 2)
        snprintf(out, 64, "%d", i);
    else
        snprintf(out, 64, "%d/1/2024", 1 + i % 28);
}

static void
list(int i, char out[64])
{
    snprintf(out, 64, i % 2 ? "[1, %d]" : "{\"a\": %d}", i);
}

static void
test_mixed_and_nested_texts_are_told(void **state)
{
    (void)state;
    expect_alert(COL_TEXT, mostly_numbers, ALERT_MIXED_TYPES,
                 "90.0 % read as numbers, others are like n/a");
    /* 67 of 400 each. */
    expect_alert(COL_TEXT, numbers_and_dates, ALERT_MIXED_TYPES,
                 "16.8 % read as numbers, 16.8 % as dates");
    expect_alert(COL_TEXT, address, ALERT_MIXED_TYPES, NULL);
    expect_alert(COL_TEXT, list, ALERT_UNSUPPORTED,
                 "lists or objects kept as text: take their parts out");
    expect_alert(COL_TEXT, address, ALERT_UNSUPPORTED, NULL);
}

static void
code(int i, char out[64])
{
    snprintf(out, 64, "A%03d", i);
}

static void
sentence(int i, char out[64])
{
    snprintf(out, 64, "the %d words of it", i);
}

static void
measured(int i, char out[64])
{
    snprintf(out, 64, "%d", i * i);
}

static void
test_identifiers_are_told_from_what_merely_differs(void **state)
{
    static const struct maker named = {"user_id", COL_INT64, measured};
    const char *want = "400 values name 400 rows: leave it out of models";
    struct profile *p;

    (void)state;
    expect_alert(COL_TEXT, code, ALERT_ID_LIKE, want);
    expect_alert(COL_INT64, counted, ALERT_ID_LIKE, want);
    expect_alert(COL_TEXT, sentence, ALERT_ID_LIKE, NULL);
    expect_alert(COL_TEXT, sentence, ALERT_UNIQUE, "all 400 values differ");
    expect_alert(COL_TEXT, code, ALERT_CONSTANT_LENGTH,
                 "every text has 4 characters");
    expect_alert(COL_TEXT, sentence, ALERT_CONSTANT_LENGTH, NULL);
    expect_alert(COL_FLOAT64, measured, ALERT_ID_LIKE, NULL);
    p = profile_with(&named, 1, N, &(struct profile_options){0});
    assert_string_equal(alert_text(p, ALERT_ID_LIKE, 0), want);
    profile_free(p);
}

static void
misspelt(int i, char out[64])
{
    static const char *const words[] = {"Hamburg", "hamburg ", "Berlin",
                                        "Bonn"};

    snprintf(out, 64, "%s", words[i * i % 7 % 4]);
}

static void
near_spelling(int i, char out[64])
{
    static const char *const words[] = {"cancelled", "canceled", "open",
                                        "done"};

    snprintf(out, 64, "%s", words[i * i % 7 % 4]);
}

static void
spelt_well(int i, char out[64])
{
    static const char *const words[] = {"Hamburg", "Bremen", "Berlin", "Bonn"};

    snprintf(out, 64, "%s", words[i * i % 7 % 4]);
}

static void
test_categories_spelt_alike_are_told_when_asked(void **state)
{
    struct maker m = {"c", COL_TEXT, misspelt};
    struct profile *p = profile_with(&m, 1, N, &(struct profile_options){0});

    (void)state;
    assert_null(alert_text(p, ALERT_DIRTY_CATEGORY, 0));
    profile_free(p);
    expect_alert(COL_TEXT, misspelt, ALERT_DIRTY_CATEGORY,
                 "Hamburg and hamburg  may be one (1.00 alike)");
    /* One letter of nine. */
    expect_alert(COL_TEXT, near_spelling, ALERT_DIRTY_CATEGORY,
                 "cancelled and canceled may be one (0.89 alike)");
    expect_alert(COL_TEXT, spelt_well, ALERT_DIRTY_CATEGORY, NULL);
}

/* Spread over a factor of 3; grams from row 250 on. */
static void
weight(int i, char out[64])
{
    double kg = 2 + i * 7919 % 401 * 0.01;

    snprintf(out, 64, "%g", i < 250 ? kg : 1000 * kg);
}

static void
steady(int i, char out[64])
{
    snprintf(out, 64, "%g", 2 + i * 7919 % 401 * 0.01);
}

static void
sorted(int i, char out[64])
{
    snprintf(out, 64, "%d", 1 + i);
}

static void
other_level(int i, char out[64])
{
    double x = 2 + i * 7919 % 401 * 0.01;

    snprintf(out, 64, "%g", i < 250 ? x : 17 * x);
}

static void
test_a_change_of_unit_is_found(void **state)
{
    (void)state;
    expect_alert(COL_FLOAT64, weight, ALERT_UNIT_CHANGE,
                 "from about row 251 on as if multiplied by 1000: another "
                 "unit?");
    expect_alert(COL_FLOAT64, steady, ALERT_UNIT_CHANGE, NULL);
    expect_alert(COL_FLOAT64, sorted, ALERT_UNIT_CHANGE, NULL);
    expect_alert(COL_FLOAT64, other_level, ALERT_UNIT_CHANGE, NULL);
}

static void
even(int i, char out[64])
{
    snprintf(out, 64, "%d", i % 200);
}

static void
five(int i, char out[64])
{
    snprintf(out, 64, "%c", 'a' + i % 5);
}

static void
test_even_columns_are_told(void **state)
{
    (void)state;
    expect_alert(COL_INT64, even, ALERT_UNIFORM,
                 "all parts of its range are as frequent (p 1.0000)");
    expect_alert(COL_TEXT, five, ALERT_UNIFORM,
                 "all values are as frequent (p 1.0000)");
    expect_alert(COL_TEXT, spelt_well, ALERT_UNIFORM, NULL);
}

static void
first_then_last(int i, char out[64])
{
    snprintf(out, 64, i < N / 2 ? "no" : "yes");
}

static void
by_turns(int i, char out[64])
{
    snprintf(out, 64, i % 2 ? "no" : "yes");
}

static void
rising(int i, char out[64])
{
    snprintf(out, 64, "%g", i * 0.3);
}

static void
test_a_target_that_shifts_over_the_rows_is_told(void **state)
{
    static const struct maker m[] = {{"sorted", COL_TEXT, first_then_last},
                                     {"mixed", COL_TEXT, by_turns},
                                     {"rising", COL_FLOAT64, rising}};
    /* Halves that share nothing: sqrt((1 + 1) / 2). */
    const char *want = "its values differ between the first and the second "
                       "half of the rows (Jensen-Shannon 1.00): shuffle, or "
                       "split by time";

    (void)state;
    for (long target = 0; target < 3; target++) {
        struct profile *p = profile_with(
            m, 3, N, &(struct profile_options){.target = m[target].name});

        if (target == 1)
            assert_null(alert_text(p, ALERT_TARGET_SHIFT, target));
        else
            assert_string_equal(alert_text(p, ALERT_TARGET_SHIFT, target),
                                want);
        profile_free(p);
    }
}

static void
twice(int i, char out[64])
{
    snprintf(out, 64, "%d", 2 * (i * 37 % 401) + 1);
}

static void
test_a_column_that_repeats_another_is_told(void **state)
{
    static const struct maker m[] = {{"a", COL_INT64, counted},
                                     {"b", COL_INT64, twice},
                                     {"c", COL_INT64, even}};
    struct profile *p = profile_with(m, 3, N, &(struct profile_options){0});

    (void)state;
    assert_string_equal(alert_text(p, ALERT_REJECTED, 1),
                        "tells what a tells (1.0000): one of the two is "
                        "enough");
    assert_null(alert_text(p, ALERT_REJECTED, 0));
    assert_null(alert_text(p, ALERT_REJECTED, 2));
    profile_free(p);
}

/* Rows come in fours: as they are, in capitals with blanks, the same again,
 * and with the text "other". */
static void
cased(int i, char out[64])
{
    static const char *const forms[] = {"Name ", " NAME ", "Name ", "other "};

    snprintf(out, 64, "%s%d", forms[i % 4], i / 4);
}

static void
rounded(int i, char out[64])
{
    snprintf(out, 64, "%.9g", i / 4 * 1.37 + 1 + (i % 4 == 1) * 1e-8);
}

static void
test_rows_that_are_nearly_equal_are_counted(void **state)
{
    static const struct maker m[] = {{"name", COL_TEXT, cased},
                                     {"x", COL_FLOAT64, rounded}};
    struct profile *p = profile_with(m, 2, N, &(struct profile_options){0});

    (void)state;
    assert_int_equal(p->n_duplicates, 100);
    assert_int_equal(p->n_near, 100);
    assert_string_equal(alert_text(p, ALERT_NEAR_DUPLICATES, -1),
                        "100 of 400 (25.0 %) repeat an earlier row but for "
                        "case, blanks or the seventh digit");
    profile_free(p);
}

static void
prose(int i, char out[64])
{
    static const char *const texts[] = {"It's a \xc3\x9cmlaut, 12!", "a b", " ",
                                        "\xff"};

    snprintf(out, 64, "%s", texts[i % 4]);
}

/* Of a hundred of each text. */
static void
test_texts_are_taken_apart(void **state)
{
    static const struct maker m = {"t", COL_TEXT, prose};
    struct profile *p = profile_with(&m, 1, N, &(struct profile_options){0});
    const struct profile_words *w = p->column[0].words;

    (void)state;
    assert_int_equal(w->n, 400);
    assert_int_equal(w->n_blank, 100);
    assert_int_equal(w->n_invalid, 100);
    /* It s a Umlaut a b; 12; five blanks; ' , !; one bad byte */
    assert_int_equal(w->script[SCRIPT_LETTER], 1200);
    assert_int_equal(w->script[SCRIPT_DIGIT], 200);
    assert_int_equal(w->script[SCRIPT_BLANK], 500);
    assert_int_equal(w->script[SCRIPT_SIGN], 300);
    assert_int_equal(w->script[SCRIPT_CONTROL], 100);
    assert_int_equal(w->n_distinct, 5);
    assert_string_equal(w->top[0].text, "a");
    assert_int_equal(w->top[0].count, 200);
    assert_string_equal(w->top[1].text, "12");
    assert_string_equal(w->top[2].text, "b");
    assert_string_equal(w->top[3].text, "it's");
    assert_string_equal(w->top[4].text, "\xc3\xbcmlaut");
    /* 18, 3, 1, 1 characters */
    assert_true(p->column[0].mean_length == 5.75);
    assert_true(p->column[0].median_length == 2);
    profile_free(p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates_kept_as_texts_or_numbers_are_told),
        cmocka_unit_test(test_texts_that_are_dates),
        cmocka_unit_test(test_mixed_and_nested_texts_are_told),
        cmocka_unit_test(test_identifiers_are_told_from_what_merely_differs),
        cmocka_unit_test(test_categories_spelt_alike_are_told_when_asked),
        cmocka_unit_test(test_a_change_of_unit_is_found),
        cmocka_unit_test(test_even_columns_are_told),
        cmocka_unit_test(test_a_target_that_shifts_over_the_rows_is_told),
        cmocka_unit_test(test_a_column_that_repeats_another_is_told),
        cmocka_unit_test(test_rows_that_are_nearly_equal_are_counted),
        cmocka_unit_test(test_texts_are_taken_apart),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
