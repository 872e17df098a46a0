/* Profiles.  Numbers marked (pandas), (numpy), (scipy), (sklearn) came from
 * pandas 1.5.3, numpy 1.24.2, scipy 1.10.1 and scikit-learn 1.2.1 on the same
 * table, which both sides make by the same formulas.
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

/* One column of the texts, in order; "-" is missing. */
static struct frame *
one_column(enum col_type type, const char *const *values, size_t n)
{
    static const char *const name[] = {"c"};
    struct error err = {0};
    struct builder *b = builder_new(1, name, &type, &err);

    assert_non_null(b);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(values[i], "-"))
            assert_true(builder_parse(b, 0, str_of(values[i]), &err));
        assert_true(builder_end_row(b, &err));
    }
    return builder_finish(b, &err);
}

static const struct alert *
find_alert(const struct profile *p, enum alert_kind kind, long col)
{
    for (size_t i = 0; i < p->n_alerts; i++)
        if (p->alert[i].kind == kind && p->alert[i].col == col)
            return &p->alert[i];
    return NULL;
}

static void
test_float_statistics_agree_with_pandas(void **state)
{
    static const double quantiles[] = {
        -19.001, -14.904999999999998, -9.909999999999998, 5.1750000000000025,
        30.55,   55.525000000000006,  70.52000000000001,  75.605,
        79.702}; /* (pandas) */
    static const size_t histogram[PROFILE_BINS] = {
        19, 18, 17, 18, 18, 18, 19, 17, 18, 19, 16, 19, 19, 18, 19, 16, 19,
        18, 18, 19, 17, 18, 16, 18, 17, 19, 17, 18, 18, 18, 18, 18, 19, 18,
        18, 19, 17, 19, 18, 18, 18, 18, 18, 20, 17, 18, 18, 17, 18, 18};
    struct profile *p = profile_of(table(), NULL);
    const struct profile_column *c = &p->column[X];

    (void)state;
    assert_int_equal(c->n, N);
    assert_int_equal(c->n_missing, 100);
    assert_int_equal(c->n_distinct, 900);
    assert_true(c->numeric);
    expect_near("mean", c->mean, 30.406666666666666);    /* (pandas) */
    expect_near("sd", c->sd, 29.12990008524989);         /* (pandas) */
    expect_near("skew", c->skew, -0.004197292141717779); /* (pandas) */
    expect_near("kurtosis", c->kurtosis, -1.2052995620797893);
    expect_near("min", c->min, -20.0);
    expect_near("max", c->max, 80.80000000000001);
    expect_near("sum", c->sum, 27366.0);
    for (size_t i = 0; i < PROFILE_QUANTILES; i++)
        expect_near("quantile", c->quantile[i], quantiles[i]);
    assert_int_equal(c->n_zero, 1);
    assert_int_equal(c->n_negative, 179);
    assert_int_equal(c->n_bins, PROFILE_BINS);
    assert_memory_equal(c->histogram, histogram, sizeof histogram); /* numpy */
    profile_free(p);
}

static void
test_int_and_date_statistics_agree_with_pandas(void **state)
{
    struct profile *p = profile_of(table(), NULL);
    const struct profile_column *k = &p->column[K], *day = &p->column[DAY];

    (void)state;
    assert_int_equal(k->n_distinct, 49);
    expect_near("sd", k->sd, 30.373194282638885);
    expect_near("skew", k->skew, 0.013488235297828078);
    expect_near("kurtosis", k->kurtosis, -1.286877494399645);
    assert_int_equal(k->n_zero, 11);
    assert_int_equal(k->histogram[0], 32);
    assert_int_equal(k->histogram[7], 0);
    assert_int_equal(k->histogram[49], 42);
    assert_int_equal(k->n_top, PROFILE_TOP);
    /* Ties among the 21 times in value order: 1, 2, 3, ... */
    assert_string_equal(k->top[0].text, "1");
    assert_string_equal(k->top[1].text, "2");
    assert_int_equal(k->top[0].count, 21);

    assert_int_equal(day->n_distinct, 400);
    expect_near("mean", day->mean, 19197.9);
    expect_near("sd", day->sd, 115.5960745546857);
    expect_near("median", day->quantile[4], 19196.5);
    expect_near("skew", day->skew, 0.019968444512760183);
    assert_string_equal(day->top[0].text, "2022-01-08"); /* 19000 days */
    profile_free(p);
}

/* What ydata-profiling tells beside: (pandas), the p-values (scipy). */
static void
test_further_statistics_agree_with_pandas_and_scipy(void **state)
{
    struct profile *p = profile_of(table(), NULL);
    const struct profile_column *x = &p->column[X], *k = &p->column[K];
    const struct profile_column *w = &p->column[WORD];

    (void)state;
    expect_near("mad of x", x->mad, 25.15);
    expect_near("mad of k", k->mad, 26);
    assert_int_equal(x->n_unique, 900);
    assert_int_equal(k->n_unique, 0);
    assert_int_equal(x->n_rise, 152);
    assert_int_equal(x->n_fall, 747);
    assert_int_equal(k->n_rise, 501);
    assert_int_equal(k->n_fall, 488);
    assert_int_equal(k->n_low, PROFILE_TOP);
    assert_string_equal(k->low[0].text, "0");
    assert_string_equal(k->low[2].text, "2");
    assert_string_equal(k->high[0].text, "96");
    assert_string_equal(x->low[1].text, "-19.9");
    assert_string_equal(x->high[2].text, "80.60000000000001");
    expect_near("uniform x", x->uniform, 1);
    expect_near("uniform k", k->uniform, 1.6468386623637302e-71);
    expect_near("uniform word", w->uniform, 1.1391311662281855e-09);
    expect_near("mean length", w->mean_length, 1.857);
    expect_near("median length", w->median_length, 2);
    assert_int_equal(w->histogram[0], 429);
    profile_free(p);
}

static void
test_categories_are_counted(void **state)
{
    struct profile *p = profile_of(table(), NULL);
    const struct profile_column *w = &p->column[WORD], *b = &p->column[FLAG];

    (void)state;
    assert_false(w->numeric);
    assert_int_equal(w->n_distinct, 3);
    assert_int_equal(w->n_top, 3);
    assert_string_equal(w->top[0].text, "a");
    assert_int_equal(w->top[0].count, 429);
    assert_string_equal(w->top[1].text, "ccc");
    assert_int_equal(w->top[1].count, 286);
    assert_int_equal(w->min_length, 1);
    assert_int_equal(w->max_length, 3);
    expect_near("entropy", w->entropy, 1.556404204976313); /* (numpy) */
    assert_string_equal(b->top[0].text, "false");
    assert_int_equal(b->top[0].count, 900);
    assert_int_equal(b->n_distinct, 2);
    profile_free(p);
}

static void
test_infinite_and_nan_do_not_spoil_the_rest(void **state)
{
    static const char *const values[] = {"1", "inf",  "nan", "2",
                                         "-", "-inf", "3"};
    struct profile *p = profile_of(one_column(COL_FLOAT64, values, 7), NULL);
    const struct profile_column *c = &p->column[0];

    (void)state;
    assert_int_equal(c->n_missing, 2);
    assert_int_equal(c->n_infinite, 2);
    assert_int_equal(c->n_distinct, 5);
    expect_near("mean", c->mean, 2);
    expect_near("sd", c->sd, 1);
    expect_near("min", c->min, 1);
    expect_near("median", c->quantile[4], 2);
    assert_int_equal(c->n_bins, 3);
    assert_non_null(find_alert(p, ALERT_INFINITE, 0));
    profile_free(p);
}

static void
test_huge_range_does_not_overflow_the_histogram(void **state)
{
    static const char *const values[] = {"-1.7e308", "0", "1.7e308"};
    struct profile *p = profile_of(one_column(COL_FLOAT64, values, 3), NULL);
    const struct profile_column *c = &p->column[0];

    (void)state;
    assert_int_equal(c->n_bins, PROFILE_BINS);
    assert_int_equal(c->histogram[0], 1);
    assert_int_equal(c->histogram[25], 1);
    assert_int_equal(c->histogram[49], 1);
    profile_free(p);
}

static void
test_links_agree_with_pandas_and_scipy(void **state)
{
    struct profile *p = profile_of(table(), NULL);
    bool x_z = false, word_v = false;

    (void)state;
    for (size_t i = 0; i < p->n_links; i++) {
        const struct profile_link *l = &p->link[i];

        if (l->a == X && l->b == Z) {
            x_z = l->spearman;
            expect_near("spearman", l->score, 0.9369065504382631);
        }
        if (l->a == WORD && l->b == V) {
            word_v = !l->spearman;
            expect_near("Cramer's V", l->score, 0.6733744475938027);
        }
        assert_true(i == 0 || fabs(p->link[i - 1].score) >= fabs(l->score));
        assert_true(fabs(l->score) >= 0.5);
    }
    assert_true(x_z);
    assert_true(word_v);
    assert_non_null(find_alert(p, ALERT_HIGH_CORRELATION, X));
    assert_null(find_alert(p, ALERT_HIGH_CORRELATION, DAY));
    profile_free(p);
}

static void
test_score_against_two_classes_is_an_auc(void **state)
{
    struct profile *p = profile_of(table(), "y");

    (void)state;
    assert_true(p->target_classes);
    assert_true(isnan(p->column[Y].target_score));
    /* 0.9168 by order alone (sklearn); bins may only add to it. */
    assert_true(p->column[K].target_score >= 0.9167897698209718 - 1e-12);
    assert_true(p->column[K].target_score < 0.95);
    assert_true(p->column[X].target_score < 0.6);
    assert_true(p->column[DAY].target_score < 0.6);
    profile_free(p);
}

static void
test_score_against_a_number_is_a_correlation(void **state)
{
    struct profile *p = profile_of(table(), "z");

    (void)state;
    assert_false(p->target_classes);
    /* z is a parabola of x: a straight line sees little of it, bins much. */
    assert_true(p->column[X].target_score > 0.98);
    assert_true(p->column[K].target_score < 0.2);
    profile_free(p);
}

/* id: the row; copy: the target as text; part: the target, one row in ten
 * wrong; three classes. */
static struct frame *
leaky(size_t classes)
{
    static const char *const names[] = {"id", "copy", "part", "y"};
    static const enum col_type types[] = {COL_TEXT, COL_TEXT, COL_INT64,
                                          COL_INT64};
    struct error err = {0};
    struct builder *b = builder_new(4, names, types, &err);

    assert_non_null(b);
    for (size_t i = 0; i < 600; i++) {
        size_t y = i * i % 7 % classes;
        char id[16], copy[16];

        snprintf(id, sizeof id, "id%zu", i);
        snprintf(copy, sizeof copy, "class %zu", y);
        assert_true(
            builder_text(b, 0, str_of(id), &err) &&
            builder_text(b, 1, str_of(copy), &err) &&
            builder_i64(b, 2, (int64_t)(i % 10 ? y : 1 - y % 2), &err) &&
            builder_i64(b, 3, (int64_t)y, &err) && builder_end_row(b, &err));
    }
    return builder_finish(b, &err);
}

static void
test_leakage_is_raised_for_a_copy_and_not_for_an_identifier(void **state)
{
    (void)state;
    for (size_t classes = 2; classes <= 3; classes++) {
        struct profile *p = profile_of(leaky(classes), "y");
        const struct alert *a = find_alert(p, ALERT_LEAKAGE, 1);

        assert_non_null(a);
        assert_ptr_equal(a, &p->alert[0]);
        assert_int_equal(a->level, ALERT_BAD);
        assert_string_equal(a->text, "alone it tells y (AUC 1.0000): was it "
                                     "known before y was?");
        assert_null(find_alert(p, ALERT_LEAKAGE, 0));
        assert_null(find_alert(p, ALERT_LEAKAGE, 2));
        assert_non_null(find_alert(p, ALERT_UNIQUE, 0));
        expect_near("identifier", p->column[0].target_score, 0.5);
        profile_free(p);
    }
}

static void
test_leakage_of_a_number(void **state)
{
    static const char *const names[] = {"price", "tax", "noise"};
    static const enum col_type types[] = {COL_FLOAT64, COL_FLOAT64, COL_INT64};
    struct error err = {0};
    struct builder *b = builder_new(3, names, types, &err);
    struct profile *p;

    (void)state;
    for (int64_t i = 0; i < 500; i++) {
        double price = (double)(i * 7919 % 1009);

        assert_true(builder_f64(b, 0, price, &err) &&
                    builder_f64(b, 1, price * 0.19 + 3, &err) &&
                    builder_i64(b, 2, i * i % 89, &err) &&
                    builder_end_row(b, &err));
    }
    p = profile_of(builder_finish(b, &err), "price");
    assert_non_null(find_alert(p, ALERT_LEAKAGE, 1));
    assert_string_equal(find_alert(p, ALERT_LEAKAGE, 1)->text,
                        "alone it tells price (R2 1.0000): was it known before "
                        "price was?");
    assert_null(find_alert(p, ALERT_LEAKAGE, 2));
    profile_free(p);
}

static void
test_alerts_of_single_columns(void **state)
{
    static const char *const gone[] = {"-", "-", "-"};
    static const char *const same[] = {"7", "7", "-"};
    static const char *const flat[] = {"a", "a", "b", "b"};
    struct profile *p = profile_of(one_column(COL_INT64, gone, 3), NULL);
    char words[60][8];
    const char *many[600];

    (void)state;
    assert_non_null(find_alert(p, ALERT_EMPTY, 0));
    assert_null(find_alert(p, ALERT_MISSING, 0));
    profile_free(p);

    p = profile_of(one_column(COL_INT64, same, 3), NULL);
    assert_string_equal(find_alert(p, ALERT_CONSTANT, 0)->text,
                        "always 7: it tells nothing");
    assert_string_equal(find_alert(p, ALERT_MISSING, 0)->text,
                        "1 of 3 (33.3 %) missing");
    assert_int_equal(find_alert(p, ALERT_MISSING, 0)->level, ALERT_WARN);
    profile_free(p);

    p = profile_of(one_column(COL_TEXT, flat, 4), NULL);
    assert_null(find_alert(p, ALERT_IMBALANCE, 0));
    assert_null(find_alert(p, ALERT_UNIQUE, 0));
    assert_string_equal(find_alert(p, ALERT_DUPLICATES, -1)->text,
                        "2 of 4 (50.0 %) repeat an earlier row");
    profile_free(p);

    for (size_t i = 0; i < 60; i++)
        snprintf(words[i], sizeof words[i], "w%zu", i);
    for (size_t i = 0; i < 600; i++)
        many[i] = words[i % 60];
    p = profile_of(one_column(COL_TEXT, many, 600), NULL);
    assert_string_equal(find_alert(p, ALERT_HIGH_CARDINALITY, 0)->text,
                        "60 different texts");
    profile_free(p);

    /* 1 - H / log2 k with 590 of 600: 1 - 0.1221 (numpy). */
    for (size_t i = 0; i < 600; i++)
        many[i] = i < 590 ? "no" : "yes";
    p = profile_of(one_column(COL_TEXT, many, 600), NULL);
    assert_string_equal(find_alert(p, ALERT_IMBALANCE, 0)->text,
                        "98.3 % are no (imbalance 0.88)");
    profile_free(p);

    for (size_t i = 0; i < 600; i++)
        many[i] = i < 590 ? "0" : i < 599 ? words[i % 60] + 1 : "1000000";
    p = profile_of(one_column(COL_INT64, many, 600), NULL);
    assert_non_null(find_alert(p, ALERT_SKEWED, 0));
    assert_non_null(find_alert(p, ALERT_ZEROS, 0));
    profile_free(p);
}

static void
test_worst_alerts_come_first(void **state)
{
    struct profile *p = profile_of(leaky(2), "y");

    (void)state;
    for (size_t i = 1; i < p->n_alerts; i++)
        assert_true(p->alert[i - 1].level >= p->alert[i].level);
    assert_string_equal(profile_alert_word(p->alert[0].kind), "LEAKAGE");
    assert_string_equal(profile_alert_word(ALERT_EMPTY), "EMPTY");
    profile_free(p);
}

static void
test_empty_table_is_profiled(void **state)
{
    struct error err = {0};
    struct frame *all = table(), *none = frame_slice(all, 0, 0, &err);
    struct profile *p = profile_of(none, "y");
    struct buf b;

    (void)state;
    assert_non_null(find_alert(p, ALERT_EMPTY, -1));
    buf_init(&b);
    profile_print(p, 80, true, &b);
    profile_markdown(p, &b);
    assert_non_null(strstr(b.data, "the table has no rows"));
    buf_fini(&b);
    profile_free(p);
    frame_unref(all);

    p = profile_of(frame_new(3, 0, NULL, NULL, &err), NULL);
    assert_int_equal(p->n_duplicates, 0);
    assert_non_null(find_alert(p, ALERT_EMPTY, -1));
    profile_free(p);
}

static void
test_unknown_target_is_an_error(void **state)
{
    struct frame *f = table();
    struct error err = {0};

    (void)state;
    assert_null(profile_new(f, &(struct profile_options){.target = "wort"},
                            NULL, NULL, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    assert_string_equal(err.message, "no column 'wort' (did you mean 'word'?)");
    frame_unref(f);
}

static void
test_cancel_stops_it(void **state)
{
    struct frame *f = table();
    struct error err = {0};
    struct progress progress;

    (void)state;
    progress_init(&progress);
    progress_stop(&progress);
    assert_null(
        profile_new(f, &(struct profile_options){0}, NULL, &progress, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    frame_unref(f);
}

static void
test_no_memory_is_an_error(void **state)
{
    struct error err = {0};
    struct frame *all = table(), *f = frame_slice(all, 0, 40, &err);

    (void)state;
    for (unsigned long n = 1;; n++) {
        struct profile *p;

        mem_fault_arm(n, false);
        p = profile_new(f, &(struct profile_options){.target = "y"}, NULL, NULL,
                        &err);
        mem_fault_arm(0, false);
        if (p) {
            profile_free(p);
            break;
        }
        assert_int_equal(err.code, ERR_NOMEM);
        assert_true(n < 10000);
    }
    frame_unref(f);
    frame_unref(all);
}

/* Long enough that columns go one by one, over all threads: 0, 1, .., n - 1 in
 * a scrambled order, whose statistics have closed forms. */
static void
test_long_column_agrees_with_closed_forms(void **state)
{
    enum { MANY = (1 << 20) + 77 };
    static const char *const name[] = {"v"};
    struct error err = {0};
    struct pool *pool = pool_new(3);
    struct buf out[2];

    (void)state;
    for (size_t t = 0; t < 2; t++) {
        double n = MANY, *v = mem_try_aligned(MANY, sizeof *v, &err);
        struct column *c;
        struct frame *f;
        struct profile *p;
        const struct profile_column *got;
        struct json_writer w;

        for (size_t i = 0; i < MANY; i++)
            v[i] = (double)(i * 7919 % MANY);
        c = column_new(COL_FLOAT64, MANY, v, NULL, NULL, &err);
        f = frame_new(MANY, 1, name, &c, &err);
        p = profile_new(f, &(struct profile_options){0}, t ? pool : NULL, NULL,
                        &err);
        assert_non_null(p);
        got = &p->column[0];
        assert_int_equal(got->n_distinct, MANY);
        assert_int_equal(p->n_duplicates, 0);
        expect_near("mean", got->mean, (n - 1) / 2);
        expect_near("sd", got->sd, sqrt(n * (n + 1) / 12));
        expect_near("skew", got->skew, 0);
        expect_near("kurtosis", got->kurtosis, -1.2);
        expect_near("median", got->quantile[4], (n - 1) / 2);
        expect_near("entropy", got->entropy, log2(n));
        buf_init(&out[t]);
        json_writer_init(&w, &out[t]);
        profile_json(p, &w);
        profile_free(p);
        frame_unref(f);
    }
    assert_string_equal(out[0].data, out[1].data);
    buf_fini(&out[0]);
    buf_fini(&out[1]);
    pool_free(pool);
}

/* All there is, in all forms, for 1 and 3 threads. */
static void
test_threads_do_not_change_a_byte(void **state)
{
    struct frame *f = table();
    struct pool *pool = pool_new(3);
    struct error err = {0};
    struct buf out[2];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct profile *p =
            profile_new(f,
                        &(struct profile_options){.target = "y",
                                                  .time = "day",
                                                  .dirty = true,
                                                  .slow = true,
                                                  .against = f,
                                                  .against_name = "f"},
                        i ? pool : NULL, NULL, &err);
        struct json_writer w;

        assert_non_null(p);
        buf_init(&out[i]);
        profile_print(p, 100, true, &out[i]);
        profile_html(p, "t", &out[i]);
        json_writer_init(&w, &out[i]);
        profile_json(p, &w);
        profile_free(p);
    }
    assert_string_equal(out[0].data, out[1].data);
    buf_fini(&out[0]);
    buf_fini(&out[1]);
    pool_free(pool);
    frame_unref(f);
}

static void
test_lines_keep_to_the_width(void **state)
{
    struct profile *p = profile_of(table(), "y");

    (void)state;
    expect_widths(p);
    profile_free(p);
}

static void
test_pages_without_utf8_are_ascii(void **state)
{
    struct profile *p = profile_of(table(), "y");
    char *line, *rest;
    struct buf b;

    (void)state;
    buf_init(&b);
    profile_print(p, 120, false, &b);
    for (rest = b.data; (line = strsep(&rest, "\n"));)
        for (const char *c = line; *c; c++)
            if ((unsigned char)*c >= 0x80 && !strstr(line, "d\xc3\xa9"))
                fail_msg("not ASCII: %s", line);
    buf_fini(&b);
    profile_free(p);
}

/* A table may hold escape sequences; the page must not. */
static void
test_control_characters_are_not_printed(void **state)
{
    static const char *const values[] = {"\x1b[31mred", "\x1b[31mred", "b\n"};
    struct profile *p = profile_of(one_column(COL_TEXT, values, 3), NULL);
    struct buf b;

    (void)state;
    buf_init(&b);
    profile_print(p, 80, true, &b);
    assert_null(strchr(b.data, '\x1b'));
    assert_non_null(strstr(b.data, " [31mred 66.7%"));
    buf_clear(&b);
    profile_markdown(p, &b);
    assert_null(strchr(b.data, '\x1b'));
    buf_fini(&b);
    profile_free(p);
}

/* Markdown makes links of brackets, also to what a browser runs. */
static void
test_values_are_no_links_in_markdown(void **state)
{
    static const char *const values[] = {"[a](javascript:b)",
                                         "[a](javascript:b)", "c"};
    struct profile *p = profile_of(one_column(COL_TEXT, values, 3), NULL);
    struct buf b;

    (void)state;
    buf_init(&b);
    profile_markdown(p, &b);
    assert_non_null(strstr(b.data, "\\[a\\](javascript:b)"));
    assert_null(strstr(b.data, " [a]"));
    buf_fini(&b);
    profile_free(p);
}

/* Latin-1 bytes in a value and a long name: the alert stays whole UTF-8. */
static void
test_alert_texts_are_utf8(void **state)
{
    static const char *const values[] = {"caf\xe9 au lait", "caf\xe9 au lait"};
    struct profile *p = profile_of(one_column(COL_TEXT, values, 2), NULL);
    const struct alert *a = find_alert(p, ALERT_CONSTANT, 0);

    (void)state;
    assert_non_null(a);
    assert_string_equal(a->text,
                        "always caf\xef\xbf\xbd au lait: it tells nothing");
    profile_free(p);
}

static void
test_sparkline_has_eight_levels(void **state)
{
    struct profile_column c = {.numeric = true, .n_bins = 9};
    struct buf b;

    (void)state;
    for (size_t i = 0; i < 9; i++)
        c.histogram[i] = i * 10;
    buf_init(&b);
    profile_sparkline(&c, 9, true, &b);
    assert_string_equal(b.data, " \u2581\u2582\u2583\u2584\u2585\u2586\u2587"
                                "\u2588");
    buf_clear(&b);
    profile_sparkline(&c, 9, false, &b);
    assert_string_equal(b.data, " .:-=+*#@");
    buf_clear(&b);
    /* Three bins a cell: 30, 120, 210 of 210. */
    profile_sparkline(&c, 3, true, &b);
    assert_string_equal(b.data, "\u2582\u2585\u2588");
    buf_fini(&b);
}

static void
test_json_reads_back(void **state)
{
    struct profile *p = profile_of(table(), "y");
    struct error err = {0};
    struct json_writer w;
    struct json *root;
    const struct json *columns, *first;
    double mean;
    struct buf b;

    (void)state;
    buf_init(&b);
    json_writer_init(&w, &b);
    profile_json(p, &w);
    root = json_parse((struct str){b.data, b.len}, &err);
    if (!root)
        fail_msg("%s", err.message);
    assert_true(json_get_array(root, "column", &columns, &err));
    assert_int_equal(json_len(columns), N_COLS);
    first = json_first(columns);
    assert_true(json_get_double(first, "mean", &mean, &err));
    assert_true(mean == p->column[X].mean);
    json_free(root);
    buf_fini(&b);
    profile_free(p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_float_statistics_agree_with_pandas),
        cmocka_unit_test(test_int_and_date_statistics_agree_with_pandas),
        cmocka_unit_test(test_further_statistics_agree_with_pandas_and_scipy),
        cmocka_unit_test(test_categories_are_counted),
        cmocka_unit_test(test_infinite_and_nan_do_not_spoil_the_rest),
        cmocka_unit_test(test_huge_range_does_not_overflow_the_histogram),
        cmocka_unit_test(test_links_agree_with_pandas_and_scipy),
        cmocka_unit_test(test_score_against_two_classes_is_an_auc),
        cmocka_unit_test(test_score_against_a_number_is_a_correlation),
        cmocka_unit_test(
            test_leakage_is_raised_for_a_copy_and_not_for_an_identifier),
        cmocka_unit_test(test_leakage_of_a_number),
        cmocka_unit_test(test_alerts_of_single_columns),
        cmocka_unit_test(test_worst_alerts_come_first),
        cmocka_unit_test(test_empty_table_is_profiled),
        cmocka_unit_test(test_unknown_target_is_an_error),
        cmocka_unit_test(test_cancel_stops_it),
        cmocka_unit_test(test_no_memory_is_an_error),
        cmocka_unit_test(test_long_column_agrees_with_closed_forms),
        cmocka_unit_test(test_threads_do_not_change_a_byte),
        cmocka_unit_test(test_lines_keep_to_the_width),
        cmocka_unit_test(test_pages_without_utf8_are_ascii),
        cmocka_unit_test(test_control_characters_are_not_printed),
        cmocka_unit_test(test_values_are_no_links_in_markdown),
        cmocka_unit_test(test_alert_texts_are_utf8),
        cmocka_unit_test(test_sparkline_has_eight_levels),
        cmocka_unit_test(test_json_reads_back),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
