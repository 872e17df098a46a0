/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "tests/lib/close.h"

static void
test_integers_are_whole_and_in_range(void **state)
{
    int64_t v;

    (void)state;
    assert_true(str_to_i64(STR("-9223372036854775808"), &v));
    assert_true(v == INT64_MIN);
    assert_true(str_to_i64(STR("9223372036854775807"), &v));
    assert_true(v == INT64_MAX);
    assert_false(str_to_i64(STR("9223372036854775808"), &v));
    assert_false(str_to_i64(STR(""), &v));
    assert_false(str_to_i64(STR("-"), &v));
    assert_false(str_to_i64(STR("1 "), &v));
    assert_false(str_to_i64(STR("1.0"), &v));
}

static void
test_doubles_are_decimal_and_correctly_rounded(void **state)
{
    double v;

    (void)state;
    /* The halfway case of the IEEE 754 literature: 2^53 + 1. */
    assert_true(str_to_f64(STR("9007199254740993"), &v));
    assert_true(v == 9007199254740992.0);
    assert_true(str_to_f64(STR("2.2250738585072011e-308"), &v));
    assert_true(v == 0x0.fffffffffffffp-1022);
    assert_true(str_to_f64(STR(".5"), &v) && v == 0.5);
    assert_true(str_to_f64(STR("-Inf"), &v) && v == -INFINITY);
    assert_true(str_to_f64(STR("NaN"), &v) && isnan(v));
    assert_false(str_to_f64(STR("1e999"), &v));
    assert_false(str_to_f64(STR("0x10"), &v));
    assert_false(str_to_f64(STR("1e"), &v));
    assert_false(str_to_f64(STR("."), &v));
    assert_false(str_to_f64(STR(" 1"), &v));
}

static void
test_every_double_reads_back_as_itself(void **state)
{
    char text[STR_F64_MAX];

    (void)state;
    for (uint64_t i = 0; i < 100000; i++) {
        uint64_t bits = rng_at(1, 2, i);
        double x, y;
        size_t n;

        memcpy(&x, &bits, sizeof x);
        if (!isfinite(x))
            continue;
        n = str_from_f64(x, text);
        assert_true(str_to_f64((struct str){text, n}, &y));
        assert_memory_equal(&x, &y, sizeof x);
    }
    str_from_f64(0.1, text);
    assert_string_equal(text, "0.1");
    str_from_f64(3, text);
    assert_string_equal(text, "3");
}

/* The shortest of %.15g, %.16g and %.17g that reads back, by the C library. */
static void
test_short_decimals_are_printed_as_printf_does(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 200000; i++) {
        double x = ldexp(1, (int)rng_below(4, 1, i, 70) - 20) *
                   (rng_unit(4, 2, i) - 0.5);
        char got[STR_F64_MAX], want[STR_F64_MAX];
        int places = (int)rng_below(4, 3, i, 18);

        if (i % 3) { /* as a table would hold it */
            snprintf(want, sizeof want, i % 2 ? "%.*g" : "%.*f", places % 7, x);
            x = strtod(want, NULL);
        }
        for (int p = 15; p <= 17; p++) {
            snprintf(want, sizeof want, "%.*g", p, x);
            if (strtod(want, NULL) == x)
                break;
        }
        str_from_f64(x, got);
        assert_string_equal(got, want);
    }
}

static void
test_true_and_false_have_other_words(void **state)
{
    static const char *const words[2][6] = {
        {"false", "No", "n", "F", "OFF", "0"},
        {"TRUE", "yes", "Y", "t", "on", "1"}};
    static const char *const none[] = {"",     "2",  "ye", "yess",
                                       " yes", "ja", "tr"};
    bool b;

    (void)state;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < 6; i++)
            assert_true(str_to_bool(str_of(words[k][i]), &b) && b == (k == 1));
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(str_to_bool(str_of(none[i]), &b));
}

static void
test_dates_and_times_follow_the_calendar(void **state)
{
    char text[STR_F64_MAX + 8];
    int32_t d;
    int64_t us;

    (void)state;
    assert_true(str_to_date(STR("1970-01-01"), &d) && d == 0);
    assert_true(str_to_date(STR("2000-02-29"), &d) && d == 11016);
    assert_false(str_to_date(STR("1900-02-29"), &d));
    assert_false(str_to_date(STR("2024-13-01"), &d));
    /* date -u -d '2038-01-19 03:14:07' +%s: 2147483647 */
    assert_true(str_to_timestamp(STR("2038-01-19T03:14:07.25Z"), &us));
    assert_true(us == INT64_C(2147483647250000));
    assert_true(str_to_timestamp(STR("2038-01-19 05:14:07+02:00"), &us));
    assert_true(us == INT64_C(2147483647000000));
    assert_false(str_to_timestamp(STR("2038-01-19 25:00"), &us));
    /* The first microsecond there is: -(2^63). */
    str_from_timestamp(INT64_MIN, text);
    assert_string_equal(text, "-290308-12-21 19:59:05.224192");
    str_from_timestamp(-1500000, text);
    assert_string_equal(text, "1969-12-31 23:59:58.5");
    for (int32_t day = -800000; day < 800000; day += 37) {
        int y, m, dd;

        str_civil(day, &y, &m, &dd);
        assert_int_equal(str_days(y, m, dd), day);
    }
}

static void
test_width_counts_cells_not_bytes(void **state)
{
    size_t used;

    (void)state;
    assert_int_equal(str_width(STR("zürich")), 6);
    assert_int_equal(str_width(STR("東京")), 4);
    assert_int_equal(str_width(STR("e\xcc\x81")), 1); /* e + combining acute */
    assert_int_equal(str_fit(STR("東京x"), 3, &used), 3);
    assert_int_equal(used, 2);
}

static void
test_the_nearest_name_is_offered_only_when_near(void **state)
{
    static const char *const names[] = {"tenure", "churn", "contract"};

    (void)state;
    assert_string_equal(str_nearest(STR("tenur"), names, 3), "tenure");
    assert_string_equal(str_nearest(STR("contarct"), names, 3), "contract");
    assert_null(str_nearest(STR("zzzzzz"), names, 3));
    assert_int_equal(str_distance(STR("ca"), STR("abc")), 3);
    assert_int_equal(str_distance(STR("ab"), STR("ba")), 1);
}

static void
test_counts_have_commas(void **state)
{
    char text[STR_F64_MAX];

    (void)state;
    str_from_count(1234567, text);
    assert_string_equal(text, "1,234,567");
    str_from_count(999, text);
    assert_string_equal(text, "999");
}

static void
test_numbers_have_the_digits_that_people_read(void **state)
{
    static const struct {
        double x;
        int digits;
        const char *text;
    } want[] = {
        {26067.31, 4, "26067"},
        {0.0971817, 4, "0.09718"},
        {0.85, 4, "0.85"},
        {9999.6, 4, "10000"},
        {-54789.62, 4, "-54790"},
        {1234567.8, 6, "1234568"},
        {0, 4, "0"},
        {999999999999999.0, 4, "999999999999999"},
        {1e15, 4, "1e+15"},
        {0.0001234567, 4, "0.0001235"},
        {0.00001234567, 4, "1.235e-05"},
        {(double)NAN, 4, "nan"},
        {(double)-INFINITY, 4, "-inf"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        char text[STR_F64_MAX];

        assert_int_equal(str_from_number(want[i].x, want[i].digits, text),
                         strlen(want[i].text));
        assert_string_equal(text, want[i].text);
    }
}

static void
test_numbers_of_a_column_have_the_decimals_of_its_largest(void **state)
{
    static const struct {
        double largest, x;
        const char *text;
    } want[] = {
        {5594.2, 166.31, "166"}, {59.942, 1.5, "1.50"},
        {0.85, 0.9, "0.9000"},   {0.0971817, 0.103059, "0.10306"},
        {0, 0, "0.000"},         {1.5, -0.0001, "0.000"},
        {1.5, -0.001, "-0.001"}, {1e-7, 3.25e-8, "3.25e-08"},
        {3, 1e300, "1e+300"},    {(double)NAN, 2.5, "2.5"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        char text[STR_F64_MAX];
        int decimals = str_decimals(want[i].largest, 4);

        assert_int_equal(str_from_decimals(want[i].x, decimals, text),
                         strlen(want[i].text));
        assert_string_equal(text, want[i].text);
    }
}

static void
seconds_are_written_as_people_say_them(void **state)
{
    static const struct {
        double seconds;
        const char *want;
    } cases[] = {
        {0, "0.0 s"},      {2.14, "2.1 s"},
        {10, "00:10"},     {252.9, "04:12"},
        {3599.9, "59:59"}, {3600, "1:00 h"},
        {5430, "1:30 h"},  {3599999, "999:59 h"},
        {3.6e6, "-"},      {INFINITY, "-"},
        {NAN, "-"},        {-1, "-"},
    };
    char text[STR_F64_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = str_from_seconds(cases[i].seconds, text);

        assert_string_equal(text, cases[i].want);
        assert_int_equal(n, strlen(text));
    }
}

/* Chi-square of 256 buckets over 2^16 draws: 99.99 % point for 255 degrees of
 * freedom is 341 (R: qchisq(.9999, 255)). */
static void
test_random_bytes_are_uniform_in_every_counter(void **state)
{
    (void)state;
    for (int which = 0; which < 3; which++) {
        unsigned count[256] = {0};
        double chi = 0;

        for (uint64_t i = 0; i < 65536; i++) {
            uint64_t v = rng_at(which == 0 ? i : 1, which == 1 ? i : 2,
                                which == 2 ? i : 3);
            count[v >> 56]++;
        }
        for (int b = 0; b < 256; b++)
            chi += (count[b] - 256.0) * (count[b] - 256.0) / 256.0;
        assert_true(chi < 341);
    }
}

static void
test_normals_have_mean_zero_and_variance_one(void **state)
{
    double sum = 0, square = 0;
    const int n = 100000;

    (void)state;
    for (int i = 0; i < n; i++) {
        double x = rng_normal(5, 6, (uint64_t)i);

        sum += x;
        square += x * x;
    }
    /* Four standard errors. */
    assert_true(fabs(sum / n) < 4 / sqrt(n));
    assert_true(fabs(square / n - 1) < 4 * sqrt(2.0 / n));
}

static void
test_a_word_is_among_words_as_a_whole(void **state)
{
    (void)state;
    assert_true(str_is_among(STR("axis"), "axis"));
    assert_true(str_is_among(STR("to"), "saturate to"));
    assert_true(str_is_among(STR("max"), "max min"));
    assert_false(str_is_among(STR("ma"), "max min"));
    assert_false(str_is_among(STR("max min"), "max min"));
    assert_false(str_is_among(STR("a"), ""));
    assert_false(str_is_among(STR(""), "max min"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_word_is_among_words_as_a_whole),
        cmocka_unit_test(test_integers_are_whole_and_in_range),
        cmocka_unit_test(test_doubles_are_decimal_and_correctly_rounded),
        cmocka_unit_test(test_every_double_reads_back_as_itself),
        cmocka_unit_test(test_short_decimals_are_printed_as_printf_does),
        cmocka_unit_test(test_true_and_false_have_other_words),
        cmocka_unit_test(test_dates_and_times_follow_the_calendar),
        cmocka_unit_test(test_width_counts_cells_not_bytes),
        cmocka_unit_test(test_the_nearest_name_is_offered_only_when_near),
        cmocka_unit_test(test_counts_have_commas),
        cmocka_unit_test(test_numbers_have_the_digits_that_people_read),
        cmocka_unit_test(
            test_numbers_of_a_column_have_the_decimals_of_its_largest),
        cmocka_unit_test(seconds_are_written_as_people_say_them),
        cmocka_unit_test(test_random_bytes_are_uniform_in_every_counter),
        cmocka_unit_test(test_normals_have_mean_zero_and_variance_one),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
