/* A profile's page, and what is left when no value may be.
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

#include "base/mem.h"
#include "frame/builder.h"
#include "tests/lib/profile_table.h"

static struct profile *
profile_with(struct frame *f, const struct profile_options *o)
{
    struct error err = {0};
    struct profile *p = profile_new(f, o, NULL, NULL, &err);

    if (!p)
        fail_msg("%s", err.message);
    frame_unref(f);
    return p;
}

/* One of 2,000 values: "0.0%" would deny the alert beside it. */
static void
test_a_few_missing_values_are_not_none(void **state)
{
    static const char *const names[] = {"x", "y"};
    static const enum col_type types[] = {COL_INT64, COL_INT64};
    struct error err = {0};
    struct builder *b = builder_new(2, names, types, &err);
    struct profile *p;
    struct buf out;

    (void)state;
    assert_non_null(b);
    for (int i = 0; i < 2000; i++)
        assert_true((i == 77 || builder_i64(b, 0, i % 7, &err)) &&
                    builder_i64(b, 1, i % 7, &err) && builder_end_row(b, &err));
    p = profile_with(builder_finish(b, &err), &(struct profile_options){0});
    buf_init(&out);
    profile_markdown(p, &out);
    assert_non_null(strstr(out.data, "| x | int | <0.1% | 7 |"));
    assert_non_null(strstr(out.data, "| y | int | 0.0% | 7 |"));
    buf_clear(&out);
    profile_html(p, "a.csv", &out);
    assert_non_null(strstr(out.data, ">&lt;0.1%</td>"));
    buf_fini(&out);
    profile_free(p);
}

static void
test_page_loads_nothing(void **state)
{
    static const char *const never[] = {"http:", "https:", "src=", "@import",
                                        "url("};
    struct profile *p = profile_with(
        table(), &(struct profile_options){.target = "y", .slow = true});
    struct buf b;

    (void)state;
    buf_init(&b);
    profile_html(p, "a.csv", &b);
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (strstr(b.data, never[i]))
            fail_msg("the page has %s", never[i]);
    assert_non_null(strstr(b.data, "<title>a.csv</title>"));
    assert_non_null(strstr(b.data, "default-src 'none'"));
    assert_non_null(strstr(b.data, "<option>phi_k</option>"));
    assert_non_null(strstr(b.data, "aria-label=\"missing together\""));
    /* The first and the last rows, ten of each. */
    assert_non_null(strstr(b.data, "<td class=\"n dim\">1000</td>"));
    assert_non_null(strstr(b.data, "<td class=\"n dim\">10</td>"));
    assert_null(strstr(b.data, "<td class=\"n dim\">11</td>"));
    assert_non_null(strstr(b.data, ">HIGH_CORRELATION</span>"));
    assert_true(b.len < 1 << 20);
    buf_fini(&b);
    profile_free(p);
}

/* Names and values may hold markup, quotes, control characters. */
static void
test_texts_of_the_table_stay_text(void **state)
{
    static const char *const names[] = {"<b>\"&'", "v\x1b[1m\xff"};
    static const enum col_type types[] = {COL_TEXT, COL_TEXT};
    struct error err = {0};
    struct builder *b = builder_new(2, names, types, &err);
    struct profile *p;
    struct buf out;

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_true(
            builder_text(b, 0, STR("</script><script>alert(1)</script>"),
                         &err) &&
            builder_text(
                b, 1, i % 9 ? STR("\x1b]0;x\x07 <img>") : STR("\" onload=\"x"),
                &err) &&
            builder_end_row(b, &err));
    p = profile_with(builder_finish(b, &err), &(struct profile_options){0});
    buf_init(&out);
    profile_html(p, "<i>t</i>", &out);
    assert_null(strstr(out.data, "<script>alert"));
    assert_null(strstr(out.data, "<img>"));
    assert_null(strstr(out.data, "<b>"));
    assert_null(strstr(out.data, "<i>"));
    assert_null(strstr(out.data, "\" onload"));
    assert_null(strchr(out.data, '\x1b'));
    assert_true(str_utf8_valid((struct str){out.data, out.len}));
    buf_fini(&out);
    profile_free(p);
}

/* Values that would be known again wherever they came out: one of many, a
 * frequent one, an outlier, a constant, the only one of a class. */
static struct frame *
secrets(void)
{
    static const char *const names[] = {"who",  "town",  "pay", "same",
                                        "when", "class", "odd"};
    static const enum col_type types[] = {COL_TEXT,  COL_TEXT, COL_FLOAT64,
                                          COL_INT64, COL_DATE, COL_TEXT,
                                          COL_TEXT};
    struct error err = {0};
    struct builder *b = builder_new(7, names, types, &err);

    for (int64_t i = 0; i < 200; i++) {
        char who[32], odd[32];
        struct str town = i % 3 ? STR("Xanadu") : STR("Xanadou");

        snprintf(who, sizeof who, "Xaver Xu%d", (int)i);
        snprintf(odd, sizeof odd, i % 20 ? "%d" : "Xnone", (int)i);
        assert_true(
            builder_text(b, 0, str_of(who), &err) &&
            builder_text(b, 1, town, &err) &&
            builder_f64(b, 2, i == 7 ? 987654 : 3 + 0.5 * (double)(i % 7),
                        &err) &&
            builder_i64(b, 3, 777777, &err) &&
            builder_i64(b, 4, 18262 + i % 5, &err) &&
            builder_text(b, 5,
                         i == 7  ? STR("Xrare")
                         : i % 2 ? STR("Xa")
                                 : STR("Xb"),
                         &err) &&
            builder_text(b, 6, str_of(odd), &err) && builder_end_row(b, &err));
    }
    return builder_finish(b, &err);
}

static void
expect_silence(const char *what, const struct buf *b)
{
    static const char *const never[] = {
        "Xaver",  "Xanad",   "Xu",     "Xrare",   "Xa",         "Xnone",
        "987654", "987,654", "777777", "777,777", "2020-01-01", "2020-01-05"};

    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (strstr(b->data, never[i]))
            fail_msg("%s tells %s", what, never[i]);
}

static void
test_redacted_reports_tell_no_value(void **state)
{
    struct frame *other = secrets();
    struct profile *p =
        profile_with(secrets(), &(struct profile_options){.target = "class",
                                                          .dirty = true,
                                                          .slow = true,
                                                          .against = other,
                                                          .against_name = "b",
                                                          .redact = true});
    struct json_writer w;
    struct buf b;

    (void)state;
    frame_unref(other);
    buf_init(&b);
    profile_print(p, 200, true, &b);
    expect_silence("the page", &b);
    assert_non_null(strstr(b.data, "always one value"));
    buf_clear(&b);
    profile_markdown(p, &b);
    expect_silence("Markdown", &b);
    buf_clear(&b);
    profile_html(p, "t", &b);
    expect_silence("HTML", &b);
    buf_clear(&b);
    json_writer_init(&w, &b);
    profile_json(p, &w);
    expect_silence("JSON", &b);
    /* What does not give a row away stays. */
    assert_non_null(strstr(b.data, "\"distinct\":200"));
    assert_false(isnan(p->column[2].mean));
    buf_fini(&b);
    profile_free(p);
}

static void
test_reports_tell_values_unless_redacted(void **state)
{
    struct profile *p =
        profile_with(secrets(), &(struct profile_options){.target = "class"});
    struct buf b;

    (void)state;
    buf_init(&b);
    profile_html(p, "t", &b);
    assert_non_null(strstr(b.data, "Xanadu"));
    assert_non_null(strstr(b.data, "987,654"));
    assert_non_null(strstr(b.data, "777777"));
    buf_fini(&b);
    profile_free(p);
}

static void
test_an_empty_table_has_a_page(void **state)
{
    struct error err = {0};
    struct frame *all = table(), *none = frame_slice(all, 0, 0, &err);
    struct profile *p = profile_with(none, &(struct profile_options){0});
    struct buf b;

    (void)state;
    frame_unref(all);
    buf_init(&b);
    profile_html(p, "t", &b);
    assert_non_null(strstr(b.data, "EMPTY"));
    assert_null(strstr(b.data, "nan"));
    buf_fini(&b);
    profile_free(p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_few_missing_values_are_not_none),
        cmocka_unit_test(test_page_loads_nothing),
        cmocka_unit_test(test_texts_of_the_table_stay_text),
        cmocka_unit_test(test_redacted_reports_tell_no_value),
        cmocka_unit_test(test_reports_tell_values_unless_redacted),
        cmocka_unit_test(test_an_empty_table_has_a_page),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
