/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "serve/stat.h"

#include <math.h>
#include <string.h>

#include "base/loop.h"
#include "tests/lib/close.h"

/* 3 % of the header's promise. */
static void
near(double got, double want)
{
    if (!(fabs(got - want) <= 0.03 * want))
        fail_msg("got %.17g, want %.17g within 3 %%", got, want);
}

static void
has(const struct buf *b, const char *part)
{
    if (!strstr(b->data, part))
        fail_msg("no '%s' in:\n%s", part, b->data);
}

static void
test_without_requests_there_is_no_latency(void **state)
{
    struct stats *s = stat_new();
    struct stat_view v;

    (void)state;
    stat_view(s, &v);
    assert_int_equal(v.requests, 0);
    assert_true(isnan(v.p50_ms) && isnan(v.recent_p99_ms));
    assert_true(isnan(v.recent_error_share));
    assert_true(v.recent_rps == 0);
    stat_free(s);
}

/* Nearest rank: of 1..n the q-quantile is ceil(q n). */
static void
test_quantiles_are_within_three_per_cent_at_every_size(void **state)
{
    (void)state;
    for (uint64_t unit = 1; unit < UINT64_C(100000000); unit *= 7) {
        struct stats *s = stat_new();
        struct stat_view v;

        for (uint64_t i = 1; i <= 1000; i++)
            stat_request(s, 200, i * unit, 1);
        stat_view(s, &v);
        near(v.p50_ms, 0.500 * (double)unit);
        near(v.p95_ms, 0.950 * (double)unit);
        near(v.p99_ms, 0.990 * (double)unit);
        near(v.recent_p50_ms, 0.500 * (double)unit);
        stat_free(s);
    }
}

static void
test_a_latency_beyond_all_buckets_is_still_counted(void **state)
{
    struct stats *s = stat_new();
    struct stat_view v;

    (void)state;
    stat_request(s, 200, UINT64_MAX / 1000, 1);
    stat_view(s, &v);
    assert_int_equal(v.requests, 1);
    assert_true(v.p50_ms > 1e7);
    stat_free(s);
}

static void
test_answers_are_counted_by_the_hundred_of_their_status(void **state)
{
    struct stats *s = stat_new();
    struct stat_view v;

    (void)state;
    stat_request(s, 200, 10, 8);
    stat_request(s, 400, 10, 0);
    stat_request(s, 413, 10, 0);
    stat_request(s, 503, 10, 0);
    stat_view(s, &v);
    assert_int_equal(v.requests, 4);
    assert_int_equal(v.rows, 8);
    assert_int_equal(v.errors_4xx, 2);
    assert_int_equal(v.errors_5xx, 1);
    assert_true(v.recent_error_share == 0.75);
    stat_free(s);
}

/* 100 slow requests, a minute and a bit of silence with its ticks, then 20
 * fast ones within two seconds. */
static void
test_recent_forgets_what_is_older_than_a_minute(void **state)
{
    struct stats *s = stat_new();
    struct stat_view v;
    int64_t now = loop_now_ms() + 1000;

    (void)state;
    for (int i = 0; i < 100; i++)
        stat_request(s, 500, 100000, 0);
    for (int i = 0; i < 70; i++)
        stat_tick(s, now += 1000);
    for (int i = 0; i < 20; i++)
        stat_request(s, 200, 1000, 1);
    stat_view_at(s, now + 2000, &v);
    assert_int_equal(v.requests, 120);
    near(v.p50_ms, 100);
    near(v.recent_p99_ms, 1);
    assert_true(v.recent_error_share == 0);
    /* The youngest tick at least 10 s old is 10 s old: 20 in 10 s. */
    assert_true(v.recent_rps == 2);
    stat_free(s);
}

static void
test_prometheus_text_follows_the_format(void **state)
{
    struct stats *s = stat_new();
    struct buf b;

    (void)state;
    buf_init(&b);
    stat_begin(s);
    stat_call(s, &(struct stat_call){.status = 200,
                                     .ns = 80000,
                                     .rows = 8,
                                     .input_ns = 20000,
                                     .infer_ns = 30000,
                                     .output_ns = 10000});
    stat_request(s, 400, 700, 0);
    stat_prometheus(s, "a\"b\\c", "3", &b);
    has(&b, "# TYPE nv_inference_request_success counter\n");
    has(&b, "nv_inference_request_success{model=\"a\\\"b\\\\c\","
            "version=\"3\"} 1\n");
    /* Triton's rule: a request of 8 rows is 1 request, 8 inferences, 1
     * execution. */
    has(&b, "nv_inference_count{model=\"a\\\"b\\\\c\",version=\"3\"} 8\n");
    has(&b, "nv_inference_exec_count{model=\"a\\\"b\\\\c\",version=\"3\"} 1\n");
    has(&b, "version=\"3\",reason=\"OTHER\"} 1\n");
    has(&b, "nv_inference_compute_infer_duration_us{model=\"a\\\"b\\\\c\","
            "version=\"3\"} 30\n");
    has(&b, "nv_inference_pending_request_count{model=\"a\\\"b\\\\c\","
            "version=\"3\"} 1\n");
    has(&b, "# TYPE lathe_request_duration_seconds histogram\n");
    has(&b, "code=\"200\",le=\"5e-05\"} 0\n");
    has(&b, "code=\"200\",le=\"0.0001\"} 1\n");
    has(&b, "code=\"200\",le=\"+Inf\"} 1\n");
    has(&b, "code=\"400\",le=\"0.0005\"} 0\n");
    has(&b, "code=\"400\",le=\"0.001\"} 1\n");
    has(&b, "lathe_request_duration_seconds_sum{model=\"a\\\"b\\\\c\","
            "version=\"3\",code=\"200\"} 8e-05\n");
    has(&b, "lathe_request_duration_seconds_count{model=\"a\\\"b\\\\c\","
            "version=\"3\",code=\"400\"} 1\n");
    assert_null(strstr(b.data, "code=\"503\""));
    buf_fini(&b);
    stat_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_requests_there_is_no_latency),
        cmocka_unit_test(
            test_quantiles_are_within_three_per_cent_at_every_size),
        cmocka_unit_test(test_a_latency_beyond_all_buckets_is_still_counted),
        cmocka_unit_test(
            test_answers_are_counted_by_the_hundred_of_their_status),
        cmocka_unit_test(test_recent_forgets_what_is_older_than_a_minute),
        cmocka_unit_test(test_prometheus_text_follows_the_format),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
