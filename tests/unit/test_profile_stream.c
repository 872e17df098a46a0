/* Profiles of streams beside those of the same tables in memory: what is exact
 * agrees, what is estimated lies within the error it states.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/profile_stream.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "frame/profile_part.h"
#include "frame/stream_part.h"
#include "tests/lib/profile_table.h"

enum { MANY = 120000 };
enum { ID, PRICE, ITEM, CODE, NAME, WHEN, BIG_COLS };

/* More values than are counted one by one: price runs over all floats, with
 * infinite ones, item is frequent to rare, name a text like item; the last
 * rows repeat the first ones. */
static struct frame *
big_table(void)
{
    static const char *const names[] = {"id",   "price", "item",
                                        "code", "name",  "when"};
    static const enum col_type types[] = {
        COL_INT64, COL_FLOAT64, COL_INT64, COL_TEXT, COL_TEXT, COL_TIMESTAMP};
    struct error err = {0};
    struct builder *b = builder_new(BIG_COLS, names, types, &err);

    assert_non_null(b);
    for (uint64_t row = 0; row < MANY; row++) {
        uint64_t i = row < MANY - 500 ? row : row - (MANY - 500);
        uint64_t r = rng_at(5, 1, i),
                 item = 60000 / (1 + rng_at(5, 2, i) % 60000);

        item += r % 2 ? 0 : rng_at(5, 6, i) % 90000;

        char text[40];
        bool ok = builder_i64(b, ID, (int64_t)i * 3, &err);

        if (r % 20)
            ok = ok && builder_f64(b, PRICE,
                                   i == 4000   ? INFINITY
                                   : i == 4001 ? -INFINITY
                                               : rng_normal(5, 3, i) * 20 + 7,
                                   &err);
        if (r % 20 && r % 50)
            ok = ok && builder_i64(b, ITEM, (int64_t)item - 1000, &err);
        snprintf(text, sizeof text, "user%llu", (unsigned long long)(r >> 40));
        ok = ok && builder_text(b, CODE, str_of(text), &err);
        snprintf(text, sizeof text, "n\xc3\xa4me %llu",
                 (unsigned long long)(item + rng_at(5, 4, i) % 2 * r % 70000));
        if (i % 90 > 3)
            ok = ok && builder_text(b, NAME, str_of(text), &err);
        ok = ok && builder_i64(b, WHEN, (int64_t)i * 60000000, &err);
        assert_true(ok && builder_end_row(b, &err));
    }
    return builder_finish(b, &err);
}

static struct profile *
stream_profile(const struct frame *f, size_t batch,
               const struct profile_options *o, struct pool *pool)
{
    struct error err = {0};
    struct stream *s = stream_of_frame(f, batch, pool, NULL, &err);
    struct profile *p = s ? profile_stream(s, o, NULL, &err) : NULL;

    if (!p)
        fail_msg("%s", err.message);
    stream_close(s);
    return p;
}

static struct profile *
memory_profile(const struct frame *f, const struct profile_options *o)
{
    struct error err = {0};
    struct profile *p = profile_new(f, o, NULL, NULL, &err);

    if (!p)
        fail_msg("%s", err.message);
    return p;
}

/* ---- what is exact ---- */

static void
same(const char *name, const char *what, double got, double want, double scale)
{
    if (isnan(got) && isnan(want))
        return;
    if (!(got == want || fabs(got - want) <= 1e-12 * fmax(fabs(want), scale)))
        fail_msg("%s of %s: got %.17g, want %.17g", what, name, got, want);
}

/* A sample of the rows here does not tell which texts there are none of. */
static void
same_verdict(const struct profile_pair *got, const struct profile_pair *want)
{
    if (want->test == DRIFT_UNSEEN && isnan(got->unseen)) {
        assert_int_equal(got->test, DRIFT_NONE);
        return;
    }
    same(got->name, "score", got->score, want->score, 1);
    assert_int_equal(got->drifts, want->drifts);
}

static void
same_list(const char *name, const struct profile_top *got, size_t n_got,
          const struct profile_top *want, size_t n_want)
{
    if (n_got != n_want)
        fail_msg("%s: got %zu values, want %zu", name, n_got, n_want);
    for (size_t i = 0; i < n_got; i++)
        if (strcmp(got[i].text, want[i].text) || got[i].count != want[i].count)
            fail_msg("%s: got %s %zu times, want %s %zu times", name,
                     got[i].text, got[i].count, want[i].text, want[i].count);
}

static void
same_words(const struct profile_column *a, const struct profile_column *b)
{
    if (!b->words) {
        assert_null(a->words);
        return;
    }
    assert_int_equal(a->words->n, b->words->n);
    assert_memory_equal(a->words->script, b->words->script,
                        sizeof a->words->script);
    same_list(a->name, a->words->top, a->words->n_top, b->words->top,
              b->words->n_top);
}

static void
same_column(const struct profile_column *a, const struct profile_column *b)
{
    assert_string_equal(a->name, b->name);
    same(a->name, "n", (double)a->n, (double)b->n, 0);
    same(a->name, "missing", (double)a->n_missing, (double)b->n_missing, 0);
    same(a->name, "rise", (double)a->n_rise, (double)b->n_rise, 0);
    same(a->name, "fall", (double)a->n_fall, (double)b->n_fall, 0);
    same(a->name, "zero", (double)a->n_zero, (double)b->n_zero, 0);
    same(a->name, "negative", (double)a->n_negative, (double)b->n_negative, 0);
    same(a->name, "infinite", (double)a->n_infinite, (double)b->n_infinite, 0);
    same(a->name, "mean", a->mean, b->mean, b->sd);
    same(a->name, "sum", a->sum, b->sum, b->sd * (double)b->n);
    same(a->name, "sd", a->sd, b->sd, 0);
    same(a->name, "skew", a->skew, b->skew, 1);
    same(a->name, "kurtosis", a->kurtosis, b->kurtosis, 1);
    same(a->name, "min", a->min, b->min, 0);
    same(a->name, "max", a->max, b->max, 0);
    same_list(a->name, a->low, a->n_low, b->low, b->n_low);
    same_list(a->name, a->high, a->n_high, b->high, b->n_high);
    same(a->name, "shortest", (double)a->min_length, (double)b->min_length, 0);
    same(a->name, "longest", (double)a->max_length, (double)b->max_length, 0);
    same(a->name, "mean length", a->mean_length, b->mean_length, 0);
    same(a->name, "median length", a->median_length, b->median_length, 0);
    same(a->name, "score", a->target_score, b->target_score, 0);
    same(a->name, "mutual", a->mutual, b->mutual, 1);
    same_words(a, b);
}

/* Where there are few values. */
static void
same_values(const struct profile_column *a, const struct profile_column *b)
{
    assert_int_equal(a->estimated, 0);
    same(a->name, "distinct", (double)a->n_distinct, (double)b->n_distinct, 0);
    same(a->name, "unique", (double)a->n_unique, (double)b->n_unique, 0);
    same(a->name, "entropy", a->entropy, b->entropy, 1);
    same(a->name, "uniform", a->uniform, b->uniform, 1);
    same(a->name, "mad", a->mad, b->mad, 0);
    for (size_t k = 0; k < PROFILE_QUANTILES; k++)
        same(a->name, "quantile", a->quantile[k], b->quantile[k], 0);
    assert_int_equal(a->n_bins, b->n_bins);
    assert_memory_equal(a->histogram, b->histogram, sizeof a->histogram);
    same_list(a->name, a->top, a->n_top, b->top, b->n_top);
}

static void
same_rows(const struct profile *a, const struct profile *b)
{
    assert_int_equal(a->n_rows, b->n_rows);
    assert_int_equal(a->n_duplicates, b->n_duplicates);
    assert_int_equal(a->n_near, b->n_near);
    assert_int_equal(a->n_near_rows, b->n_near_rows);
    assert_int_equal(a->n_complete, b->n_complete);
    assert_int_equal(a->n_bands, b->n_bands);
    if (b->band)
        assert_memory_equal(a->band, b->band,
                            a->n_bands * a->n_cols * sizeof *a->band);
    assert_int_equal(a->n_patterns, b->n_patterns);
    for (size_t k = 0; k < a->n_patterns; k++) {
        assert_int_equal(a->pattern[k].rows, b->pattern[k].rows);
        assert_int_equal(a->pattern[k].row, b->pattern[k].row);
        for (size_t i = 0; i < a->n_cols; i++)
            assert_int_equal(profile_pattern_has(a, k, i),
                             profile_pattern_has(b, k, i));
    }
    for (size_t i = 0; b->nullity && i < a->n_cols; i++)
        for (size_t k = i + 1; k < a->n_cols; k++)
            same(a->column[i].name, "nullity", a->nullity[i * a->n_cols + k],
                 b->nullity[i * a->n_cols + k], 1);
    assert_int_equal(a->n_links, b->n_links);
    for (size_t i = 0; i < a->n_links; i++)
        same("link", "score", a->link[i].score, b->link[i].score, 1);
}

static void
same_alerts(const struct profile *a, const struct profile *b)
{
    for (size_t i = 0; i < a->n_alerts && i < b->n_alerts; i++)
        if (strcmp(a->alert[i].text, b->alert[i].text))
            fail_msg("got: %s, want: %s", a->alert[i].text, b->alert[i].text);
    assert_int_equal(a->n_alerts, b->n_alerts);
}

static void
a_small_table_is_told_exactly_however_it_is_cut(void **state)
{
    static const size_t batches[] = {1, 7, 333, 0};
    static const char *const targets[] = {NULL, "y", "x"};
    struct frame *f = table();

    (void)state;
    for (size_t i = 0; i < 12; i++) {
        struct profile_options o = {
            .target = targets[i % 3], .slow = true, .dirty = true};
        struct profile *b = memory_profile(f, &o);
        struct profile *a = stream_profile(f, batches[i / 3], &o, NULL);

        for (size_t k = 0; k < a->n_cols; k++) {
            same_column(&a->column[k], &b->column[k]);
            same_values(&a->column[k], &b->column[k]);
        }
        same_rows(a, b);
        same_alerts(a, b);
        profile_free(a);
        profile_free(b);
    }
    frame_unref(f);
}

/* ---- what is estimated ---- */

/* The share of the values below x and that of x itself, in column col. */
static void
rank_of(const struct frame *f, size_t col, double x, double *low, double *high)
{
    size_t below = 0, same_as = 0, n = 0;

    for (size_t i = 0; i < frame_rows(f); i++) {
        double v = column_number(frame_column(f, col), i);

        if (!isfinite(v))
            continue;
        n++;
        below += v < x;
        same_as += v == x;
    }
    *low = (double)below / (double)n;
    *high = (double)(below + same_as) / (double)n;
}

static void
expect_quantiles(const struct frame *f, size_t col,
                 const struct profile_column *c)
{
    for (size_t k = 0; k < PROFILE_QUANTILES; k++) {
        double low, high, within = c->error.rank + 1e-4;

        rank_of(f, col, c->quantile[k], &low, &high);
        if (profile_levels[k] < low - within ||
            profile_levels[k] > high + within)
            fail_msg("%s: %g is from %g to %g, not %g", c->name, c->quantile[k],
                     low, high, profile_levels[k]);
    }
}

static size_t
count_text(const struct frame *f, size_t col, const char *text)
{
    struct buf b;
    size_t n = 0;

    buf_init(&b);
    for (size_t i = 0; i < frame_rows(f); i++) {
        buf_clear(&b);
        column_print(frame_column(f, col), i, &b);
        n += strcmp(b.data, text) == 0;
    }
    buf_fini(&b);
    return n;
}

static void
expect_estimates(const struct frame *f, size_t col,
                 const struct profile_column *a, const struct profile_column *b)
{
    double within = a->error.distinct * (double)b->n_distinct;

    if (fabs((double)a->n_distinct - (double)b->n_distinct) > within)
        fail_msg("%s: %zu distinct, want %zu within %g", a->name, a->n_distinct,
                 b->n_distinct, within);
    if (fabs((double)a->n_unique - (double)b->n_unique) > within)
        fail_msg("%s: %zu unique, want %zu within %g", a->name, a->n_unique,
                 b->n_unique, within);
    if (fabs(a->entropy - b->entropy) > 0.05)
        fail_msg("%s: entropy %g, want %g", a->name, a->entropy, b->entropy);
    for (size_t i = 0; i < a->n_top; i++) {
        size_t n = count_text(f, col, a->top[i].text);

        if (n > a->top[i].count || n + a->error.top < a->top[i].count)
            fail_msg("%s: %s %zu times, want %zu", a->name, a->top[i].text,
                     a->top[i].count, n);
    }
    if (!a->numeric)
        return;
    expect_quantiles(f, col, a);
    assert_int_equal(a->n_bins, b->n_bins);
    for (size_t i = 0; i < a->n_bins; i++)
        if (fabs((double)a->histogram[i] - (double)b->histogram[i]) >
            (double)a->error.bin)
            fail_msg("%s: bin %zu is %zu, want %zu within %zu", a->name, i,
                     a->histogram[i], b->histogram[i], a->error.bin);
}

static void
a_big_table_is_told_within_the_errors_stated(void **state)
{
    struct frame *f = big_table();
    struct profile_options o = {.target = "price"};
    struct profile *b = memory_profile(f, &o);
    struct profile *a = stream_profile(f, 997, &o, NULL);

    (void)state;
    for (size_t i = 0; i < a->n_cols; i++) {
        same_column(&a->column[i], &b->column[i]);
        expect_estimates(f, i, &a->column[i], &b->column[i]);
        assert_true(a->column[i].estimated & ESTIMATE_DISTINCT);
    }
    same_rows(a, b);
    /* The most frequent ones are exact. */
    assert_int_equal(a->column[ITEM].n_top, PROFILE_TOP);
    same_list("item", a->column[ITEM].top, 3, b->column[ITEM].top, 3);
    assert_int_equal(a->column[PRICE].n_infinite, 2);
    profile_free(a);
    profile_free(b);
    frame_unref(f);
}

/* All that is told as JSON, but for bytes. */
static char *
all_of(struct profile *p)
{
    struct json_writer w;
    struct buf b;

    p->bytes = 0;
    for (size_t i = 0; i < p->n_cols; i++)
        p->column[i].bytes = 0;
    buf_init(&b);
    json_writer_init(&w, &b);
    profile_json(p, &w);
    profile_free(p);
    return buf_take(&b);
}

static void
threads_and_batches_make_no_difference(void **state)
{
    size_t numbers[] = {ID, PRICE, ITEM, WHEN};
    struct error err;
    struct frame *big = big_table(), *f = frame_select(big, numbers, 4, &err);
    struct profile_options o = {.target = "item", .time = "when"};
    struct pool *pool = pool_new(3);
    char *one = all_of(stream_profile(f, 10000, &o, NULL));
    char *threads = all_of(stream_profile(f, 10000, &o, pool));
    char *batches = all_of(stream_profile(f, 777, &o, pool));
    char *texts = all_of(stream_profile(big, 5000, &o, NULL));
    char *texts_threads = all_of(stream_profile(big, 5000, &o, pool));

    (void)state;
    assert_string_equal(one, threads);
    assert_string_equal(one, batches);
    assert_string_equal(texts, texts_threads);
    free(one);
    free(threads);
    free(batches);
    free(texts);
    free(texts_threads);
    pool_free(pool);
    frame_unref(f);
    frame_unref(big);
}

/* ---- streams that do not know how long they are ---- */

/* By the front door alone: verbs and files make such streams. */
static struct profile *
unknown_profile(const struct frame *f, size_t batch,
                const struct profile_options *o)
{
    struct error err = {0};
    struct stream *s = stream_of_frame(f, batch, NULL, NULL, &err);
    struct profile *p;

    assert_non_null(s);
    s->rows_known = false;
    p = profile_stream(s, o, NULL, &err);
    if (!p)
        fail_msg("%s", err.message);
    stream_close(s);
    return p;
}

static void
without_the_number_of_rows_the_sample_is_evenly_spaced(void **state)
{
    struct frame *f = big_table();
    struct profile *b = memory_profile(f, &(struct profile_options){0});
    struct profile *a = unknown_profile(f, 997, &(struct profile_options){0});
    size_t n = frame_rows(a->frame), sum = 0;

    (void)state;
    assert_true(n > PROFILE_SAMPLE / 2 && n <= PROFILE_SAMPLE);
    for (size_t i = 0; i < n; i++) {
        double want = (double)i * MANY / (double)n;

        assert_true(fabs((double)profile_row(a, i) - want) <= 8);
        assert_int_equal(
            column_int64s(frame_column(a->frame, WHEN))[i],
            column_int64s(frame_column(f, WHEN))[profile_row(a, i)]);
    }
    /* Bands are shared out: all values, and few in another one. */
    for (size_t k = 0; k < a->n_bands; k++) {
        size_t at = NAME * a->n_bands + k;

        sum += a->band[at];
        assert_true(fabs((double)a->band[at] - (double)b->band[at]) <= 30);
    }
    assert_int_equal(sum, b->column[NAME].n_missing);
    assert_true(a->bands_estimated);
    profile_free(a);
    profile_free(b);
    frame_unref(f);
}

/* ---- another table, time, redaction ---- */

static void
another_table_is_compared_with_all_rows(void **state)
{
    struct frame *f = big_table();
    struct error err;
    struct frame *other = frame_slice(f, 60000, 61000, &err);
    struct profile_options o = {.against = other, .against_name = "other"};
    struct profile *b = memory_profile(f, &o);
    struct profile *a = stream_profile(f, 10007, &o, NULL);

    (void)state;
    assert_int_equal(a->against->n_overlap, 1000);
    assert_int_equal(a->against->n_common, BIG_COLS);
    assert_int_equal(a->against->n_rows, b->against->n_rows);
    for (size_t i = 0; i < BIG_COLS; i++) {
        const struct profile_pair *x = &a->against->pair[i];
        const struct profile_pair *y = &b->against->pair[i];

        assert_int_equal(x->n_missing[0], y->n_missing[0]);
        assert_int_equal(x->n_missing[1], y->n_missing[1]);
        same_verdict(x, y);
    }
    profile_free(a);
    profile_free(b);
    frame_unref(other);
    frame_unref(f);
}

static void
same_comparison(const struct profile_against *a,
                const struct profile_against *b)
{
    assert_int_equal(a->n_overlap, b->n_overlap);
    assert_int_equal(a->n_common, b->n_common);
    assert_int_equal(a->n_rows, b->n_rows);
    assert_int_equal(a->n_pairs, b->n_pairs);
    assert_int_equal(a->n_drifting, b->n_drifting);
    assert_memory_equal(a->n_looked, b->n_looked, sizeof a->n_looked);
    for (size_t i = 0; i < b->n_pairs; i++) {
        const struct profile_pair *x = &a->pair[i], *y = &b->pair[i];

        assert_string_equal(x->name, y->name);
        assert_int_equal(x->n_missing[0], y->n_missing[0]);
        assert_int_equal(x->n_missing[1], y->n_missing[1]);
        same_verdict(x, y);
        same(x->name, "psi", x->psi, y->psi, 1);
        same(x->name, "mean there", x->mean[1], y->mean[1], 1);
    }
}

/* 45,000 rows, that is more than are looked at, with one column too many and
 * one too few. */
static struct frame *
beyond(const struct frame *f)
{
    struct error err;
    struct frame *rows = frame_slice(f, 70000, 115000, &err);
    const char *name[BIG_COLS] = {"price", "item", "more",
                                  "name",  "when", "id"};
    struct column *col[BIG_COLS];
    struct frame *out;

    for (size_t i = 0; i < BIG_COLS; i++) {
        long from = frame_find(rows, i == 2 ? "item" : name[i]);

        col[i] = column_ref(frame_column(rows, (size_t)from));
    }
    assert_non_null(out =
                        frame_new(frame_rows(rows), BIG_COLS, name, col, &err));
    frame_unref(rows);
    return out;
}

/* Either side may be a stream: rows and missing values are those of the whole,
 * and the sample that drift is measured on is the same. */
static void
a_table_beyond_memory_is_compared_as_one_in_memory_is(void **state)
{
    struct frame *f = big_table(), *other = beyond(f);
    struct error err = {0};
    struct profile_options o = {.against = other, .against_name = "other"};
    struct profile *want = memory_profile(f, &o), *got;

    (void)state;
    assert_int_equal(want->against->n_overlap, 45000);
    assert_int_equal(want->against->n_common, BIG_COLS - 1);
    for (int streamed = 0; streamed < 2; streamed++) {
        struct profile_options with = {.against_name = "other"};

        with.against_rows = stream_of_frame(other, 7001, NULL, NULL, &err);
        assert_non_null(with.against_rows);
        got = streamed ? stream_profile(f, 10007, &with, NULL)
                       : memory_profile(f, &with);
        stream_close(with.against_rows);
        same_comparison(got->against, want->against);
        profile_free(got);
    }
    profile_free(want);
    frame_unref(other);
    frame_unref(f);
}

static void
drift_that_is_estimated_is_called_so(void **state)
{
    struct frame *f = big_table(), *other = beyond(f);
    struct profile_options o = {.against = other, .against_name = "other"};
    struct profile *p = memory_profile(f, &o);
    struct error err;
    struct frame *few = frame_slice(other, 0, 900, &err);
    struct buf out;

    (void)state;
    buf_init(&out);
    profile_looked_text(p, &out);
    assert_string_equal(out.data,
                        "; drift is estimated on 20,000 rows of each");
    profile_free(p);
    o.against = few;
    p = memory_profile(f, &o);
    buf_clear(&out);
    profile_looked_text(p, &out);
    assert_string_equal(out.data,
                        "; drift is estimated on 20,000 rows here, 900 there");
    profile_free(p);
    p = memory_profile(few, &o);
    buf_clear(&out);
    profile_looked_text(p, &out);
    assert_int_equal(out.len, 0);
    profile_free(p);
    buf_fini(&out);
    frame_unref(few);
    frame_unref(other);
    frame_unref(f);
}

static void
the_last_rows_are_the_series(void **state)
{
    struct frame *f = big_table();
    struct error err;
    struct frame *last = frame_slice(f, MANY - 20000, MANY, &err);
    struct profile_options o = {.time = "id"};
    struct profile *b = memory_profile(last, &o);
    struct profile *a = stream_profile(f, 10007, &o, NULL);

    (void)state;
    assert_int_equal(a->times->n, 20000);
    same("id", "step", a->times->step, b->times->step, 0);
    same("id", "longest", a->times->longest, b->times->longest, 0);
    for (size_t k = 0; k < PROFILE_LAGS; k++)
        same("price", "autocorrelation",
             a->column[PRICE].series->autocorrelation[k],
             b->column[PRICE].series->autocorrelation[k], 1);
    profile_free(a);
    profile_free(b);
    frame_unref(last);
    frame_unref(f);
}

static void
redacted_it_keeps_no_value(void **state)
{
    struct frame *f = big_table();
    struct profile *p =
        stream_profile(f, 0, &(struct profile_options){.redact = true}, NULL);
    char *text;

    (void)state;
    assert_true(p->redacted && isnan(p->column[PRICE].quantile[4]));
    text = all_of(p);
    assert_null(strstr(text, "user"));
    assert_null(strstr(text, "n\xc3\xa4me"));
    free(text);
    frame_unref(f);
}

static void
tables_of_no_rows_or_columns_have_profiles(void **state)
{
    struct error err = {0};
    struct frame *f = table(), *none = frame_slice(f, 0, 0, &err);
    struct frame *bare = frame_select(f, NULL, 0, &err);
    struct profile *p =
        stream_profile(none, 0, &(struct profile_options){0}, NULL);

    (void)state;
    assert_int_equal(p->n_rows, 0);
    assert_int_equal(p->column[X].n_distinct, 0);
    profile_free(p);
    p = stream_profile(bare, 0, &(struct profile_options){0}, NULL);
    assert_int_equal(p->n_cols, 0);
    assert_int_equal(p->n_duplicates, 0);
    profile_free(p);
    frame_unref(bare);
    frame_unref(none);
    frame_unref(f);
}

/* ---- marks ---- */

static void
reports_mark_what_they_estimate(void **state)
{
    struct frame *f = big_table(), *small = table();
    struct profile *p =
        stream_profile(f, 0, &(struct profile_options){0}, NULL);
    struct profile *q = memory_profile(small, &(struct profile_options){0});
    struct buf b;

    (void)state;
    buf_init(&b);
    profile_print(p, 132, true, &b);
    assert_non_null(strstr(b.data, "~ estimates: distinct values within"));
    assert_non_null(strstr(b.data, " ~"));
    buf_clear(&b);
    profile_markdown(p, &b);
    assert_non_null(strstr(b.data, "| \xe2\x89\x88"));
    assert_non_null(strstr(b.data, "\xe2\x89\x88 marks estimates: distinct"));
    buf_clear(&b);
    profile_html(p, "big", &b);
    assert_non_null(strstr(b.data, ">\xe2\x89\x88"));
    assert_non_null(strstr(b.data, "marks estimates: distinct"));
    buf_clear(&b);
    profile_print(q, 132, true, &b);
    profile_markdown(q, &b);
    profile_html(q, "small", &b);
    assert_null(strstr(b.data, "estimates"));
    assert_null(strstr(b.data, "\xe2\x89\x88"));
    buf_fini(&b);
    expect_widths(p);
    profile_free(p);
    profile_free(q);
    frame_unref(small);
    frame_unref(f);
}

static void
json_lists_what_it_estimates_and_the_errors(void **state)
{
    struct frame *f = big_table();
    char *text =
        all_of(stream_profile(f, 0, &(struct profile_options){0}, NULL));

    (void)state;
    assert_non_null(strstr(text, "\"sampled_rows\":20000"));
    assert_non_null(
        strstr(text, "\"estimated\":[\"distinct\",\"unique\",\"entropy\""));
    assert_non_null(strstr(text, "\"errors\":{\"distinct\":0.0"));
    free(text);
    frame_unref(f);
}

/* ---- failures ---- */

static void
a_stopped_profile_says_so(void **state)
{
    struct frame *f = table();
    struct progress progress;
    struct error err = {0};
    struct stream *s = stream_of_frame(f, 100, NULL, NULL, &err);

    (void)state;
    progress_init(&progress);
    progress_stop(&progress);
    assert_null(
        profile_stream(s, &(struct profile_options){0}, &progress, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    stream_close(s);
    frame_unref(f);
}

static void
a_column_that_is_not_there_is_named(void **state)
{
    struct frame *f = table();
    struct error err = {0};
    struct stream *s = stream_of_frame(f, 100, NULL, NULL, &err);

    (void)state;
    assert_null(profile_stream(s, &(struct profile_options){.target = "flagg"},
                               NULL, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    assert_non_null(strstr(err.message, "flag"));
    stream_close(s);
    frame_unref(f);
}

/* n-th failure for n = 1, 2, ... in steps, until it works. */
static void
fail_each(const struct frame *f, size_t batch, const struct profile_options *o,
          unsigned long step)
{
    unsigned long n = 1, failed = 0;

    for (;; n += step) {
        struct error err = {0};
        struct stream *s = stream_of_frame(f, batch, NULL, NULL, &err);
        struct profile *p;

        assert_non_null(s);
        mem_fault_arm(n, false);
        p = profile_stream(s, o, NULL, &err);
        mem_fault_arm(0, false);
        stream_close(s);
        if (p) {
            profile_free(p);
            break;
        }
        failed++;
        if (err.code != ERR_NOMEM && err.code != ERR_IO)
            fail_msg("failure %lu: %s", n, err.message);
    }
    assert_true(failed > 20);
}

/* The other table fails, in memory or while it is read. */
static void
every_failure_of_another_stream_is_reported(void **state)
{
    struct frame *f = table();
    struct profile_options o = {.against_name = "f"};
    unsigned long failed = 0;

    (void)state;
    for (unsigned long n = 1;; n++) {
        struct error err = {0};
        struct profile *p;

        assert_non_null(o.against_rows =
                            stream_of_frame(f, 300, NULL, NULL, &err));
        mem_fault_arm(n, false);
        p = profile_new(f, &o, NULL, NULL, &err);
        mem_fault_arm(0, false);
        stream_close(o.against_rows);
        profile_free(p);
        if (p)
            break;
        failed++;
        assert_true(err.code == ERR_NOMEM || err.code == ERR_IO);
    }
    assert_true(failed > 20);
    frame_unref(f);
}

static void
every_failure_is_reported(void **state)
{
    struct error err;
    struct frame *f = table(), *big = big_table();
    struct frame *some = frame_slice(big, 0, 45000, &err);

    (void)state;
    fail_each(
        f, 300,
        &(struct profile_options){
            .target = "y", .time = "x", .against = f, .against_name = "f"},
        1);
    fail_each(some, 9000, &(struct profile_options){0}, 23);
    frame_unref(some);
    frame_unref(big);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_table_is_told_exactly_however_it_is_cut),
        cmocka_unit_test(a_big_table_is_told_within_the_errors_stated),
        cmocka_unit_test(threads_and_batches_make_no_difference),
        cmocka_unit_test(
            without_the_number_of_rows_the_sample_is_evenly_spaced),
        cmocka_unit_test(another_table_is_compared_with_all_rows),
        cmocka_unit_test(a_table_beyond_memory_is_compared_as_one_in_memory_is),
        cmocka_unit_test(drift_that_is_estimated_is_called_so),
        cmocka_unit_test(the_last_rows_are_the_series),
        cmocka_unit_test(redacted_it_keeps_no_value),
        cmocka_unit_test(tables_of_no_rows_or_columns_have_profiles),
        cmocka_unit_test(reports_mark_what_they_estimate),
        cmocka_unit_test(json_lists_what_it_estimates_and_the_errors),
        cmocka_unit_test(a_stopped_profile_says_so),
        cmocka_unit_test(a_column_that_is_not_there_is_named),
        cmocka_unit_test(every_failure_is_reported),
        cmocka_unit_test(every_failure_of_another_stream_is_reported),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
