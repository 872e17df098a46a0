/* Live curves: what comes in goes out, however much it is.
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
#include "base/pool.h"
#include "session/live.h"

#define RUN "0123456789abcdef0123456789abcdef"

static void
put(struct live *l, const char *run, const char *name, int64_t step,
    double value)
{
    live_event(l, run, &(struct event){name, step, value, 1000 + step});
}

static void
a_few_events_come_out_as_they_are_by_name(void **state)
{
    struct live *l = live_new(NULL);
    struct series_list got;

    (void)state;
    live_begin(l, RUN);
    put(l, RUN, "valid.auc", 1, 0.5);
    put(l, RUN, "train.auc", 1, 0.6);
    put(l, RUN, "valid.auc", 2, (double)NAN);
    assert_true(live_series(l, RUN, &got));
    assert_int_equal(got.n, 2);
    assert_string_equal(got.series[0].name, "train.auc");
    assert_string_equal(got.series[1].name, "valid.auc");
    assert_int_equal(got.series[1].n, 2);
    assert_int_equal(got.series[1].step[0], 1);
    assert_int_equal(got.series[1].time_ms[1], 1002);
    assert_true(got.series[1].value[0] == 0.5);
    assert_true(isnan(got.series[1].value[1]));
    series_list_fini(&got);
    live_free(l);
}

static void
versions_change_with_data_and_are_zero_for_strangers(void **state)
{
    struct live *l = live_new(NULL);
    struct series_list got;
    uint64_t a, b;

    (void)state;
    assert_true(live_version(l, RUN) == 0);
    assert_false(live_series(l, RUN, &got));
    put(l, RUN, "x", 1, 1); /* nobody began it */
    assert_true(live_version(l, RUN) == 0);
    live_begin(l, RUN);
    a = live_version(l, RUN);
    put(l, RUN, "x", 1, 1);
    b = live_version(l, RUN);
    assert_true(a != 0 && b != a);
    assert_true(live_version(l, RUN) == b);
    live_end(l, RUN);
    assert_true(live_version(l, RUN) != b);
    assert_true(live_series(l, RUN, &got));
    series_list_fini(&got);
    live_free(l);
}

/* A million noisy values: bounded, in order, evenly spread, with every spike
 * and the last value. */
static void
a_long_series_keeps_its_bounds_and_its_end(void **state)
{
    enum { N = 1000001, SPIKES = 100 };
    struct live *l = live_new(NULL);
    struct series_list got;
    const struct series *s;
    size_t ups = 0, downs = 0, widest = 0;

    (void)state;
    live_begin(l, RUN);
    for (int64_t i = 0; i < N; i++) {
        double value = (double)(i * 7919 % 1000) / 1000;

        if (i % (N / SPIKES) == 17)
            value = i % 2 ? 50 : -50;
        put(l, RUN, "loss", i, i == N - 1 ? 0.123 : value);
    }
    assert_true(live_series(l, RUN, &got));
    s = &got.series[0];
    assert_true(s->n <= LIVE_POINTS + 3);
    assert_true(s->n >= LIVE_POINTS / 4);
    assert_true(s->value[s->n - 1] == 0.123);
    assert_int_equal(s->step[s->n - 1], N - 1);
    for (size_t i = 0; i < s->n; i++) {
        ups += s->value[i] == 50;
        downs += s->value[i] == -50;
        if (i == 0)
            continue;
        assert_true(s->step[i] > s->step[i - 1]);
        if ((size_t)(s->step[i] - s->step[i - 1]) > widest)
            widest = (size_t)(s->step[i] - s->step[i - 1]);
    }
    assert_int_equal(ups + downs, SPIKES);
    assert_true(widest < 4 * (N / (LIVE_POINTS / 4)));
    series_list_fini(&got);
    live_free(l);
}

static void
nan_does_not_hide_its_neighbours(void **state)
{
    struct live *l = live_new(NULL);
    struct series_list got;
    size_t finite = 0, high = 0;

    (void)state;
    live_begin(l, RUN);
    for (int64_t i = 0; i < 4 * LIVE_POINTS; i++)
        put(l, RUN, "loss", i, i % 3 ? (double)NAN : i % 1000 ? 1.0 : 2.0);
    assert_true(live_series(l, RUN, &got));
    for (size_t i = 0; i < got.series[0].n; i++) {
        finite += !isnan(got.series[0].value[i]);
        high += got.series[0].value[i] == 2.0;
    }
    assert_true(finite >= got.series[0].n - 2);
    assert_int_equal(high, (4 * LIVE_POINTS + 2999) / 3000);
    series_list_fini(&got);
    live_free(l);
}

static void
only_the_last_ended_runs_are_held(void **state)
{
    struct live *l = live_new(NULL);
    char run[33];

    (void)state;
    live_begin(l, RUN);
    for (int i = 0; i < LIVE_ENDED + 5; i++) {
        snprintf(run, sizeof run, "%032d", i);
        live_begin(l, run);
        live_end(l, run);
    }
    for (int i = 0; i < LIVE_ENDED + 5; i++) {
        snprintf(run, sizeof run, "%032d", i);
        assert_int_equal(live_version(l, run) != 0, i >= 5);
    }
    assert_true(live_version(l, RUN) != 0);
    live_free(l);
}

static void
no_memory_for_a_snapshot_is_no_snapshot(void **state)
{
    struct live *l = live_new(NULL);
    struct series_list got;
    bool done = false;

    (void)state;
    live_begin(l, RUN);
    put(l, RUN, "a", 1, 1);
    put(l, RUN, "b", 1, 1);
    for (unsigned long n = 1; !done; n++) {
        assert_true(n < 20);
        mem_fault_arm(n, false);
        done = live_series(l, RUN, &got);
        mem_fault_arm(0, false);
    }
    assert_int_equal(got.n, 2);
    series_list_fini(&got);
    live_free(l);
}

static void
emit_some(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct live *l = ctx;
    char name[24];

    snprintf(name, sizeof name, "metric-%zu", chunk);
    for (size_t i = begin; i < end; i++) {
        struct series_list got;

        put(l, RUN, name, (int64_t)i, 1);
        if (i % 100 == 0 && live_series(l, RUN, &got))
            series_list_fini(&got);
    }
}

static void
threads_may_emit_and_look_at_once(void **state)
{
    struct pool *pool = pool_new(4);
    struct live *l = live_new(NULL);
    struct series_list got;

    (void)state;
    live_begin(l, RUN);
    pool_for(pool, 8000, 1000, emit_some, l);
    assert_true(live_series(l, RUN, &got));
    assert_int_equal(got.n, 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(got.series[i].n, 1000);
    series_list_fini(&got);
    live_free(l);
    pool_free(pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_events_come_out_as_they_are_by_name),
        cmocka_unit_test(versions_change_with_data_and_are_zero_for_strangers),
        cmocka_unit_test(a_long_series_keeps_its_bounds_and_its_end),
        cmocka_unit_test(nan_does_not_hide_its_neighbours),
        cmocka_unit_test(only_the_last_ended_runs_are_held),
        cmocka_unit_test(no_memory_for_a_snapshot_is_no_snapshot),
        cmocka_unit_test(threads_may_emit_and_look_at_once),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
