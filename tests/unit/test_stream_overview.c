/* Tables about a stream are those about the whole table, whatever the batches.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "frame/builder.h"
#include "frame/overview.h"
#include "frame/stream_overview.h"

enum { N_COLS = 4, N_ROWS = 500 };

/* Few values, so that rows repeat; each value is missing now and then, but for
 * the first column's. */
static struct frame *
table(void)
{
    static const char *const names[N_COLS] = {"k", "copies", "x", "full"};
    static const enum col_type types[N_COLS] = {COL_INT64, COL_TEXT,
                                                COL_FLOAT64, COL_INT64};
    struct error err;
    struct builder *b = builder_new(N_COLS, names, types, &err);
    struct frame *f;

    for (size_t i = 0; i < N_ROWS; i++) {
        uint64_t r = rng_at(5, 0, i), has = rng_at(5, 1, i);

        if (has % 5)
            assert_true(builder_i64(b, 0, (int64_t)(r % 7), &err));
        if (has / 5 % 3)
            assert_true(
                builder_text(b, 1, r % 2 ? STR("a, b") : STR("c"), &err));
        if (has / 15 % 2)
            assert_true(builder_f64(b, 2, (double)(r % 3) / 4, &err));
        assert_true(builder_i64(b, 3, 1, &err));
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

static void
assert_same(struct frame *is, struct frame *want, const struct error *err)
{
    struct buf a, b;

    if (!is)
        fail_msg("%s", err->message);
    assert_non_null(want);
    buf_init(&a);
    buf_init(&b);
    csv_write_rows(is, 0, frame_rows(is), true, ',', &a);
    csv_write_rows(want, 0, frame_rows(want), true, ',', &b);
    assert_string_equal(a.data, b.data);
    for (size_t i = 0; i < frame_cols(want); i++)
        assert_int_equal(column_type(frame_column(is, i)),
                         column_type(frame_column(want, i)));
    buf_fini(&a);
    buf_fini(&b);
    frame_unref(is);
    frame_unref(want);
}

static const size_t steps[] = {1, 7, 64, N_ROWS};

#define EACH_STEP(f, s)                                                     \
    for (size_t i_ = 0;                                                     \
         i_ < 4 && ((s) = stream_of_frame(f, steps[i_], NULL, NULL, &err)); \
         i_++)

static void
frequencies_of_a_stream(void **state)
{
    struct frame *f = table();
    struct stream *s;
    struct error err;

    (void)state;
    EACH_STEP(f, s)
    assert_same(stream_frequency(s, "copies", 0, &err),
                overview_frequency(f, "copies", 0, NULL, NULL, &err), &err);
    EACH_STEP(f, s)
    assert_same(stream_frequency(s, "x", 3, &err),
                overview_frequency(f, "x", 3, NULL, NULL, &err), &err);
    frame_unref(f);
}

static void
what_a_stream_misses(void **state)
{
    struct frame *f = table();
    struct stream *s;
    struct error err;

    (void)state;
    EACH_STEP(f, s)
    assert_same(stream_missing(s, &err), overview_missing(f, NULL, NULL, &err),
                &err);
    frame_unref(f);
}

static void
what_a_stream_misses_together(void **state)
{
    struct frame *f = table();
    struct stream *s;
    struct error err;

    (void)state;
    EACH_STEP(f, s)
    assert_same(stream_patterns(s, &err),
                overview_patterns(f, NULL, NULL, &err), &err);
    frame_unref(f);
}

static void
repeated_rows_of_a_stream(void **state)
{
    struct frame *f = table();
    struct stream *s;
    struct error err;

    (void)state;
    EACH_STEP(f, s)
    assert_same(stream_duplicates(s, &err),
                overview_duplicates(f, NULL, NULL, NULL, &err), &err);
    frame_unref(f);
}

static void
values_of_a_stream(void **state)
{
    struct frame *f = table(), *v;
    struct stream *s;
    struct error err;

    (void)state;
    EACH_STEP(f, s)
    {
        v = stream_values(s, "k", &err);
        assert_non_null(v);
        assert_int_equal(frame_rows(v), 8); /* 0..6 and missing */
        frame_unref(v);
    }
    frame_unref(f);
}

static void
a_column_that_is_not_there(void **state)
{
    struct frame *f = table();
    struct error err;

    (void)state;
    assert_null(stream_frequency(stream_of_frame(f, 9, NULL, NULL, &err),
                                 "copie", 0, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    assert_non_null(strstr(err.message, "copies"));
    frame_unref(f);
}

typedef struct frame *stream_fn(struct stream *s, struct error *err);

/* Whatever allocation fails, nothing is kept and the error says so. */
static void
fail_each(stream_fn *about)
{
    struct frame *f = table(), *made = NULL;

    for (unsigned n = 1; !made && n < 100000; n++) {
        struct error err;
        struct stream *s = stream_of_frame(f, 100, NULL, NULL, &err);

        assert_non_null(s);
        mem_fault_arm(n, false);
        made = about(s, &err);
        mem_fault_arm(0, false);
        if (!made)
            assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_non_null(made);
    frame_unref(made);
    frame_unref(f);
}

static void
memory_that_runs_out(void **state)
{
    (void)state;
    fail_each(stream_missing);
    fail_each(stream_patterns);
    fail_each(stream_duplicates);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frequencies_of_a_stream),
        cmocka_unit_test(what_a_stream_misses),
        cmocka_unit_test(what_a_stream_misses_together),
        cmocka_unit_test(repeated_rows_of_a_stream),
        cmocka_unit_test(values_of_a_stream),
        cmocka_unit_test(a_column_that_is_not_there),
        cmocka_unit_test(memory_that_runs_out),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
