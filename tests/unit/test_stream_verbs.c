/* Verbs over streams give what those over whole tables give, whatever the
 * batches are and however little memory there is.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "frame/builder.h"
#include "frame/stream_part.h"
#include "frame/stream_states.h"
#include "frame/stream_verbs.h"
#include "frame/verbs.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_NAMES ((const char *const[]){NULL})

enum { N_ROWS = 700, N_COLS = 8 };

static const char *const names[N_COLS] = {"k", "t", "u", "x",
                                          "b", "d", "s", "big"};
static const enum col_type types[N_COLS] = {COL_INT64,     COL_TEXT, COL_TEXT,
                                            COL_FLOAT64,   COL_BOOL, COL_DATE,
                                            COL_TIMESTAMP, COL_INT64};

/* ---- tables ---------------------------------------------------------- */

static bool
put(struct builder *b, size_t row, size_t col, uint64_t r, struct error *err)
{
    static const double odd[] = {NAN, -0.0, 0.0, INFINITY, 1e300, -2.5};
    char text[40];

    switch (col) {
    case 0:
        return builder_i64(b, col, (int64_t)(r % 7) - 3, err);
    case 1:
        snprintf(text, sizeof text, "%s%d", r % 2 ? "colour " : "",
                 (int)(r % 5));
        return builder_text(b, col, str_of(text), err);
    case 2:
        snprintf(text, sizeof text, "a long beginning %llu",
                 (unsigned long long)(r % 300));
        return builder_text(b, col, r % 11 ? str_of(text) : STR(""), err);
    case 3:
        return builder_f64(
            b, col, r % 9 == 0 ? odd[r / 9 % 6] : (double)(r % 1000) / 8 + 1,
            err);
    case 4:
        return builder_i64(b, col, (int64_t)(r % 2), err);
    case 5:
        return builder_i64(b, col, (int64_t)(r % 90), err);
    case 6:
        return builder_i64(b, col, (int64_t)(row * 1000000 + r % 3), err);
    default:
        return builder_i64(b, col, (int64_t)(r - (r % 5)), err);
    }
}

static struct frame *
random_table(size_t n, uint64_t seed)
{
    struct error err;
    struct builder *b = builder_new(N_COLS, names, types, &err);
    struct frame *f;

    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < N_COLS; c++) {
            uint64_t r = rng_at(seed, c, i);

            if (r % 10 != 3)
                assert_true(put(b, i, c, rng_at(seed, c + 100, i), &err));
        }
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

/* Texts of each batch have a dict of their own, as those of files do. */
struct rows {
    struct stream stream;
    const struct frame *f;
    size_t at, step;
};

static struct frame *
rebuilt(const struct frame *f, size_t begin, size_t end, struct error *err)
{
    struct builder *b = builder_new(N_COLS, names, types, err);
    bool ok = b;

    for (size_t i = begin; ok && i < end; i++) {
        for (size_t c = 0; ok && c < N_COLS; c++) {
            const struct column *col = frame_column(f, c);

            if (!column_is_valid(col, i))
                continue;
            if (types[c] == COL_TEXT)
                ok = builder_text(b, c, column_text(col, i), err);
            else if (types[c] == COL_FLOAT64)
                ok = builder_f64(b, c, column_float64s(col)[i], err);
            else
                ok = builder_i64(b, c,
                                 types[c] == COL_BOOL   ? column_bools(col)[i]
                                 : types[c] == COL_DATE ? column_dates(col)[i]
                                                        : column_int64s(col)[i],
                                 err);
        }
        ok = ok && builder_end_row(b, err);
    }
    if (ok)
        return builder_finish(b, err);
    builder_free(b);
    return NULL;
}

static bool
rows_next(struct stream *s, struct frame **out, struct error *err)
{
    struct rows *r = (struct rows *)s;
    size_t end = r->at + r->step;

    if (end > frame_rows(r->f))
        end = frame_rows(r->f);
    if (r->at == end)
        return true;
    *out = rebuilt(r->f, r->at, end, err);
    r->at = end;
    return *out;
}

static bool
rows_rewind(struct stream *s, struct error *err)
{
    (void)err;
    ((struct rows *)s)->at = 0;
    return true;
}

static void
rows_close(struct stream *s)
{
    free(s);
}

static const struct stream_class rows_class = {
    .next = rows_next, .rewind = rows_rewind, .close = rows_close};

static struct stream *
stream_of(const struct frame *f, size_t step, size_t work, struct error *err)
{
    struct rows *r = mem_try_array(1, sizeof *r, err);
    struct frame *head = r ? frame_slice(f, 0, 0, err) : NULL;

    if (!head) {
        free(r);
        return NULL;
    }
    stream_init(&r->stream, &rows_class, head, NULL);
    r->stream.work = work;
    r->f = f;
    r->step = step;
    return &r->stream;
}

/* ---- comparing ------------------------------------------------------- */

static bool
near(double a, double b)
{
    return (isnan(a) && isnan(b)) || a == b ||
           fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b)) + 1e-12;
}

static bool
cells_equal(const struct column *a, const struct column *b, size_t i)
{
    struct buf x, y;
    bool same;

    if (column_is_valid(a, i) != column_is_valid(b, i))
        return false;
    if (!column_is_valid(a, i))
        return true;
    if (column_type(a) == COL_FLOAT64)
        return near(column_float64s(a)[i], column_float64s(b)[i]);
    buf_init(&x);
    buf_init(&y);
    column_print(a, i, &x);
    column_print(b, i, &y);
    same = x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
    buf_fini(&x);
    buf_fini(&y);
    return same;
}

static void
expect_equal(const struct frame *got, const struct frame *want,
             const char *what, size_t step, size_t work)
{
    if (frame_rows(got) != frame_rows(want) ||
        frame_cols(got) != frame_cols(want))
        fail_msg("%s by %zu rows in %zu bytes: %zu rows x %zu columns, "
                 "expected %zu x %zu",
                 what, step, work, frame_rows(got), frame_cols(got),
                 frame_rows(want), frame_cols(want));
    for (size_t c = 0; c < frame_cols(want); c++) {
        const struct column *a = frame_column(got, c);
        const struct column *b = frame_column(want, c);

        assert_string_equal(frame_name(got, c), frame_name(want, c));
        assert_int_equal(column_type(a), column_type(b));
        for (size_t i = 0; i < frame_rows(want); i++)
            if (!cells_equal(a, b, i)) {
                struct buf t;

                buf_init(&t);
                column_print(a, i, &t);
                buf_puts(&t, " is not ");
                column_print(b, i, &t);
                fail_msg("%s by %zu rows in %zu bytes: row %zu, %s: %s", what,
                         step, work, i, frame_name(want, c), t.data);
            }
    }
}

/* ---- verbs ----------------------------------------------------------- */

typedef struct frame *whole_fn(const struct frame *f, struct error *err);
typedef struct stream *stream_fn(struct stream *s, struct error *err);

struct verb {
    const char *what;
    whole_fn *whole;
    stream_fn *stream;
};

#define BOTH(name, on_frame, on_stream)                                      \
    static struct frame *name##_frame(const struct frame *f,                 \
                                      struct error *err)                     \
    {                                                                        \
        return on_frame;                                                     \
    }                                                                        \
    static struct stream *name##_stream(struct stream *s, struct error *err) \
    {                                                                        \
        return on_stream;                                                    \
    }
#define VERB(name)                         \
    {                                      \
#name, name##_frame, name##_stream \
    }

#define WHERE(name, text) \
    BOTH(name, verb_where(f, text, NULL, err), stream_where(s, text, err))
#define DERIVE(name, text) \
    BOTH(name, verb_derive(f, text, NULL, err), stream_derive(s, text, err))
#define SORT(name, ...)                                     \
    BOTH(name, verb_sort(f, NAMES(__VA_ARGS__), NULL, err), \
         stream_sort(s, NAMES(__VA_ARGS__), err))
#define TOP(name, n, ...)                                     \
    BOTH(name, verb_top(f, NAMES(__VA_ARGS__), n, NULL, err), \
         stream_top(s, NAMES(__VA_ARGS__), n, err))
#define DISTINCT(name, list) \
    BOTH(name, verb_distinct(f, list, NULL, err), stream_distinct(s, list, err))
#define GROUP(name, by, ...)                                           \
    BOTH(name, verb_group(f, by, NAMES(__VA_ARGS__), NULL, NULL, err), \
         stream_group(s, by, NAMES(__VA_ARGS__), err))
#define SAMPLE(name, amount)                         \
    BOTH(name, verb_sample(f, amount, 5, NULL, err), \
         stream_sample(s, amount, 5, err))

WHERE(some_rows, "k > 0 and t != 'colour 1' or x is null")
WHERE(few_rows, "k = 2 and d = date('1970-01-08')")
WHERE(no_rows, "k > 100")
DERIVE(a_new_column, "y = x * 2 + k")
DERIVE(a_column_replaced, "t = concat(t, u)")
BOTH(columns, verb_select(f, NAMES("u", "k"), err),
     stream_select(s, NAMES("u", "k"), err))
BOTH(without_columns, frame_drop(f, NAMES("u", "k"), 2, err),
     stream_drop(s, NAMES("u", "k"), err))
BOTH(another_name, verb_rename(f, "u", "a longer name", err),
     stream_rename(s, "u", "a longer name", err))
BOTH(first_rows,
     frame_slice(f, 0, frame_rows(f) < 19 ? frame_rows(f) : 19, err),
     stream_limit(s, 19, err))
SORT(sort_by_numbers, "k", "-x")
SORT(sort_by_texts, "-t", "u", "b")
SORT(sort_by_long_texts, "u", "-d")
SORT(sort_by_times, "-s")
SORT(sort_by_a_column_twice, "k", "-t", "-k")
TOP(top_by_two, 25, "-x", "t")
TOP(top_of_more_than_there_are, 9999, "d")
TOP(top_of_none, 0, "d")
DISTINCT(distinct_rows, NULL)
DISTINCT(distinct_in_few, NAMES("k", "b"))
DISTINCT(distinct_texts, NAMES("u"))
DISTINCT(distinct_floats, NAMES("x", "d"))
SAMPLE(sample_of_some, 40)
SAMPLE(sample_of_a_share, 0.3)
SAMPLE(sample_of_all, 100000)
GROUP(count_all, NO_NAMES, "count()")
GROUP(groups_of_few, NAMES("t"), "count()", "n = count(x)", "sum(k)",
      "mean(d - date('1970-01-01'))", "missing(u)", "share(b)", "k2 = min(k)")
GROUP(groups_of_texts, NAMES("u"), "count()", "min(x)", "max(t)", "first(u)",
      "last(t)", "sum(b)")
GROUP(picks, NAMES("k", "b"), "min(u)", "max(u)", "first(x)", "last(x)",
      "min(d)", "max(s)", "first(big)", "last(b)")
GROUP(spread, NAMES("k"), "sd(d - date('1970-01-01'))", "sd(k)",
      "mean(if(x < 1000, x, null))")
GROUP(medians, NAMES("t"), "median(x)", "distinct(u)", "distinct(x)",
      "median(k)", "distinct(t)")
GROUP(median_of_all, NO_NAMES, "median(x)", "distinct(u)", "sum(k)", "sd(k)",
      "first(s)", "last(u)")
GROUP(many_groups, NAMES("s"), "count()", "median(x)", "distinct(u)", "last(u)",
      "sum(k)")
GROUP(sums_that_overflow, NAMES("t"), "sum(big)", "a = sum(big // 4096)")
DERIVE(from_the_mean, "y = (k + 1) * 2 - mean((k + 1)*2) over () ")
DERIVE(aggregates_of_groups,
       "y = count() over (t, b) + max(k) over (u) - distinct(d) over (t)")
DERIVE(row_numbers, "y = row_number() * 10")
DERIVE(lags, "y = coalesce(lag(u), lag(u, 9))")
DERIVE(leads, "y = lead(k, 13) - lead(k)")
DERIVE(running_sums, "y = cumsum(k) + cumsum(big) + cumsum(b)")
DERIVE(running_means, "y = cummean(d - date('1970-01-01'))")
DERIVE(running_extremes, "y = concat(cummin(t), cummax(u))")
DERIVE(ranks, "y = rank(x) * 1000 + dense_rank(u)")
DERIVE(along_an_order, "y = lag(k) over (order by -x, t)")
DERIVE(within_groups, "y = cumsum(k) over (t order by s, -u)")
DERIVE(ranks_of_groups, "y = rank(x) over (k, b)")
DERIVE(lags_of_groups, "y = lag(u, 2) over (b)")
DERIVE(one_in_another, "y = sum(k - lag(k) over (t)) over (b)")
WHERE(rows_by_others, "x > mean(x) over (t) or k = max(k) over ()")
GROUP(groups_of_windows, NAMES("t"), "sum(k - lag(k))", "max(row_number())")
BOTH(pivot,
     verb_pivot(f, NAMES("t"), "k",
                NAMES("count()", "sum(d - date('1970-01-01'))"), NULL, NULL,
                err),
     stream_pivot(s, NAMES("t"), "k",
                  NAMES("count()", "sum(d - date('1970-01-01'))"), err))

static const struct verb verbs[] = {VERB(some_rows),
                                    VERB(few_rows),
                                    VERB(no_rows),
                                    VERB(a_new_column),
                                    VERB(a_column_replaced),
                                    VERB(columns),
                                    VERB(without_columns),
                                    VERB(another_name),
                                    VERB(first_rows),
                                    VERB(sort_by_numbers),
                                    VERB(sort_by_texts),
                                    VERB(sort_by_long_texts),
                                    VERB(sort_by_times),
                                    VERB(sort_by_a_column_twice),
                                    VERB(top_by_two),
                                    VERB(top_of_more_than_there_are),
                                    VERB(top_of_none),
                                    VERB(distinct_rows),
                                    VERB(distinct_in_few),
                                    VERB(distinct_texts),
                                    VERB(distinct_floats),
                                    VERB(sample_of_some),
                                    VERB(sample_of_a_share),
                                    VERB(sample_of_all),
                                    VERB(count_all),
                                    VERB(groups_of_few),
                                    VERB(groups_of_texts),
                                    VERB(picks),
                                    VERB(spread),
                                    VERB(medians),
                                    VERB(median_of_all),
                                    VERB(many_groups),
                                    VERB(sums_that_overflow),
                                    VERB(from_the_mean),
                                    VERB(aggregates_of_groups),
                                    VERB(row_numbers),
                                    VERB(lags),
                                    VERB(leads),
                                    VERB(running_sums),
                                    VERB(running_means),
                                    VERB(running_extremes),
                                    VERB(ranks),
                                    VERB(along_an_order),
                                    VERB(within_groups),
                                    VERB(ranks_of_groups),
                                    VERB(lags_of_groups),
                                    VERB(one_in_another),
                                    VERB(rows_by_others),
                                    VERB(groups_of_windows),
                                    VERB(pivot)};

/* What is left of s; it stays open. */
static struct frame *
rest_of(struct stream *s, struct error *err)
{
    size_t work = s->work;
    struct frame *f;

    s->work = 0; /* what is collected does not count here */
    f = stream_collect(s, err);
    s->work = work;
    return f;
}

static struct stream *
run_verb(const struct verb *v, const struct frame *f, size_t step, size_t work,
         struct error *err)
{
    struct stream *s = stream_of(f, step, work, err);

    return s ? v->stream(s, err) : NULL;
}

static void
check_verb(const struct verb *v, const struct frame *f, size_t step,
           size_t work)
{
    struct error err;
    struct frame *want = v->whole(f, &err), *got;
    struct stream *s;

    if (!want)
        fail_msg("%s: %s", v->what, err.message);
    if (!(s = run_verb(v, f, step, work, &err)))
        fail_msg("%s: %s", v->what, err.message);
    for (int i = 0; i < 2; i++) { /* and again */
        if (!(got = rest_of(s, &err)))
            fail_msg("%s: %s", v->what, err.message);
        expect_equal(got, want, v->what, step, work);
        frame_unref(got);
        assert_true(stream_rewind(s, &err));
    }
    stream_close(s);
    frame_unref(want);
}

/* What keeps the values of groups, or the rows of one, takes some memory. */
static bool
suits(const struct verb *v, size_t work)
{
    static const char *const large[] = {
        "pivot",           "aggregates_of_groups", "within_groups",
        "ranks_of_groups", "lags_of_groups",       "one_in_another",
        "rows_by_others",  "groups_of_windows"};

    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        if (strcmp(v->what, large[i]) == 0)
            return work == 0 || work > 100000;
    return true;
}

/* Single rows take long, so that each bound is met by one of two ways to cut
 * them small, and by every way to cut them large. */
static void
each_verb_gives_what_it_gives_for_the_table(void **state)
{
    static const size_t steps[] = {1, 2, 7, 100, 5000};
    static const size_t works[] = {0, 3000, 30000, 200000};
    struct frame *f = random_table(N_ROWS, 11);

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        for (size_t k = 0; k < sizeof works / sizeof *works; k++)
            for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++)
                if ((i > 1 || i == k % 2) && suits(&verbs[v], works[k]))
                    check_verb(&verbs[v], f, steps[i], works[k]);
    frame_unref(f);
}

static void
a_table_without_rows_stays_one(void **state)
{
    struct frame *f = random_table(0, 1);

    (void)state;
    for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++)
        check_verb(&verbs[v], f, 3, 0);
    frame_unref(f);
}

/* ---- joins ----------------------------------------------------------- */

static void
check_join(const struct frame *left, const struct frame *right,
           const struct join_options *o, size_t step, size_t work)
{
    struct error err;
    struct frame *want = join_frames(left, right, o, NULL, NULL, &err);
    struct frame *got = NULL;
    struct stream *s = stream_of(left, step, work, &err);

    assert_non_null(want);
    if (work == 0)
        s = stream_join(s, right, o, &err);
    else
        s = stream_join_stream(s, stream_of(right, step, work, &err), o, &err);
    for (int i = 0; i < 2; i++) {
        if (!s || !(got = rest_of(s, &err)))
            fail_msg("join %d in %zu: %s", o->how, work, err.message);
        expect_equal(got, want, "join", step, work);
        frame_unref(got);
        assert_true(stream_rewind(s, &err));
    }
    stream_close(s);
    frame_unref(want);
}

/* Keys of one type and of two, that repeat and are missing on both sides. */
static void
joins_are_those_of_the_tables(void **state)
{
    static const char *const by[][3] = {{"u", NULL, NULL},
                                        {"d", "t", NULL},
                                        {"k=x", NULL, NULL},
                                        {"d=s", NULL, NULL},
                                        {"k", "b", NULL}};
    static const size_t works[] = {0, 20000, 100000, 10000000};
    struct frame *left = random_table(300, 21), *right = random_table(200, 22);

    (void)state;
    for (size_t k = 0; k < sizeof by / sizeof *by; k++)
        for (int how = JOIN_INNER; how <= JOIN_ASOF; how++)
            for (size_t w = 0; w < sizeof works / sizeof *works; w++) {
                struct join_options o = {.how = (enum join_how)how,
                                         .by = by[k]};

                if (how == JOIN_ASOF &&
                    (k == 0 || k == 1 || k == 4 || w == 1 || w == 2))
                    continue; /* as-of a text or truth, or beyond memory */
                check_join(left, right, &o, w % 2 ? 7 : 64, works[w]);
            }
    frame_unref(left);
    frame_unref(right);
}

static void
an_as_of_join_beyond_memory_says_so(void **state)
{
    const struct join_options o = {.how = JOIN_ASOF, .by = NAMES("d")};
    struct frame *f = random_table(200, 21);
    struct error err;

    (void)state;
    assert_null(stream_join_stream(stream_of(f, 9, 2000, &err),
                                   stream_of(f, 9, 2000, &err), &o, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    frame_unref(f);
}

/* ---- errors ---------------------------------------------------------- */

WHERE(bad_name, "tt = 3")
WHERE(bad_text, "k > ")
DERIVE(bad_type, "y = t + 1")
DERIVE(no_equals, "y")
SORT(sort_of_nothing, "-nope")
DISTINCT(distinct_of_nothing, NAMES("nope"))
GROUP(bad_aggregate, NAMES("t"), "mean(u)")
GROUP(bad_function, NAMES("t"), "men(x)")
GROUP(no_such_key, NAMES("tt"), "count()")
SAMPLE(bad_sample, NAN)
BOTH(bad_select, verb_select(f, NAMES("kk"), err),
     stream_select(s, NAMES("kk"), err))

BOTH(bad_rename, verb_rename(f, "kk", "j", err),
     stream_rename(s, "kk", "j", err))
BOTH(name_that_is_taken, verb_rename(f, "u", "k", err),
     stream_rename(s, "u", "k", err))

static void
errors_are_those_of_the_table(void **state)
{
    static const struct verb bad[] = {
        VERB(bad_name),          VERB(bad_text),
        VERB(bad_type),          VERB(no_equals),
        VERB(sort_of_nothing),   VERB(distinct_of_nothing),
        VERB(bad_aggregate),     VERB(bad_function),
        VERB(no_such_key),       VERB(bad_sample),
        VERB(bad_select),        VERB(bad_rename),
        VERB(name_that_is_taken)};
    struct frame *f = random_table(20, 2);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error want = {0}, got = {0};

        assert_null(bad[i].whole(f, &want));
        assert_null(run_verb(&bad[i], f, 7, 0, &got));
        assert_string_equal(got.message, want.message);
        assert_int_equal(got.code, want.code);
    }
    frame_unref(f);
}

/* ---- failures -------------------------------------------------------- */

static bool
try_verb(const struct verb *v, const struct frame *f, struct error *err)
{
    struct stream *s = run_verb(v, f, 40, 3000, err);
    struct frame *got = s ? rest_of(s, err) : NULL;
    bool ok = got;

    frame_unref(got);
    stream_close(s);
    return ok;
}

/* Memory, and reads and writes of what waits on the disk. */
static void
every_failing_call_is_reported(void **state)
{
    static const struct verb few[] = {VERB(some_rows),   VERB(sort_by_texts),
                                      VERB(top_by_two),  VERB(distinct_rows),
                                      VERB(many_groups), VERB(sample_of_some)};
    struct frame *f = random_table(120, 3);

    (void)state;
    for (size_t v = 0; v < sizeof few / sizeof *few; v++) {
        bool done = false;

        for (unsigned long n = 1; !done; n += 1 + n / 40) {
            struct error err = {0};

            mem_fault_arm(n, n % 2);
            done = try_verb(&few[v], f, &err);
            mem_fault_arm(0, false);
            if (!done && err.code != ERR_NOMEM && err.code != ERR_IO)
                fail_msg("%s: %s", few[v].what, err.message);
            assert_true(n < 10000000);
        }
    }
    frame_unref(f);
}

static void
a_result_beyond_memory_says_so(void **state)
{
    struct frame *f = random_table(500, 4);
    struct error err;
    struct stream *s = stream_of(f, 50, 1000, &err);

    (void)state;
    assert_null(stream_collect(s, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.message, "LATHE_MEMORY"));
    stream_close(s);
    frame_unref(f);
}

/* Rows that are held to look back, and batches to look ahead. */
static void
rows_held_to_look_far_are_bounded(void **state)
{
    static const char *const far[] = {"lag(k, 60000)", "lead(k, 60000)",
                                      "lead(k, 9223372036854775807)"};
    static const char *const near[] = {"lag(k, 4)", "lead(k, 4)"};
    struct frame *f = random_table(70000, 4), *out;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        struct stream *s = stream_of(f, 5000, 1500, &err);

        s = stream_with(s, "y", far[i], &err);
        assert_non_null(s);
        while (stream_next(s, &out, &err)) {
            assert_non_null(out);
            frame_unref(out);
        }
        assert_int_equal(err.code, ERR_LIMIT);
        assert_non_null(strstr(err.message, i ? "lead() over" : "lag() over"));
        stream_close(s);
    }
    for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
        struct stream *s = stream_of(f, 5000, 1500, &err);

        s = stream_with(s, "y", near[i], &err);
        assert_non_null(s);
        while (stream_next(s, &out, &err) && out)
            frame_unref(out);
        assert_null(out);
        stream_close(s);
    }
    frame_unref(f);
}

/* n rows of different texts of 200 bytes, in ascending order. */
static struct frame *
long_texts(size_t n)
{
    static const char *const name[] = {"t"};
    static const enum col_type type[] = {COL_TEXT};
    struct error err;
    struct builder *b = builder_new(1, name, type, &err);
    struct frame *f;
    char text[201], number[24];

    memset(text, ' ', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t i = 0; i < n; i++) {
        snprintf(number, sizeof number, "%08zu", i);
        memcpy(text, number, strlen(number));
        assert_true(builder_text(b, 0, str_of(text), &err));
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

static void
texts_that_slices_share_are_counted_once(void **state)
{
    struct frame *f = long_texts(2000), *out;
    struct error err;
    struct stream *s = stream_of_frame(f, 20, NULL, NULL, &err);

    (void)state;
    assert_non_null(s);
    s->work = frame_bytes(f);
    if (!(out = stream_collect(s, &err)))
        fail_msg("%s", err.message);
    assert_int_equal(frame_rows(out), 2000);
    frame_unref(out);
    stream_close(s);
    frame_unref(f);
}

/* The greatest of texts that ascend is another one in each row. */
static void
texts_that_were_picked_for_a_while_go(void **state)
{
    enum { ROWS = 20000, STEP = 1000 };
    static const enum aggregate_kind kinds[] = {AGG_MAX, AGG_LAST};
    struct frame *f = long_texts(ROWS);
    uint32_t *group = mem_new(STEP * sizeof *group);
    struct stream like = {0};
    struct error err;

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct states *s = states_new(kinds[k], COL_TEXT, &like, &err);
        struct column *c;

        assert_non_null(s);
        for (size_t at = 0; at < ROWS; at += STEP) {
            struct frame *part = frame_slice(f, at, at + STEP, &err);

            assert_non_null(part);
            assert_true(
                states_feed(s, frame_column(part, 0), group, STEP, 1, &err));
            frame_unref(part);
        }
        assert_true(states_bytes(s) < frame_bytes(f) / 4);
        c = states_finish(s, 1, &err);
        assert_non_null(c);
        assert_true(str_starts(column_text(c, 0), "00019999"));
        column_unref(c);
        states_free(s);
    }
    free(group);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_verb_gives_what_it_gives_for_the_table),
        cmocka_unit_test(a_table_without_rows_stays_one),
        cmocka_unit_test(joins_are_those_of_the_tables),
        cmocka_unit_test(an_as_of_join_beyond_memory_says_so),
        cmocka_unit_test(errors_are_those_of_the_table),
        cmocka_unit_test(every_failing_call_is_reported),
        cmocka_unit_test(a_result_beyond_memory_says_so),
        cmocka_unit_test(rows_held_to_look_far_are_bounded),
        cmocka_unit_test(texts_that_slices_share_are_counted_once),
        cmocka_unit_test(texts_that_were_picked_for_a_while_go),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
