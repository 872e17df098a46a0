/* Runs: begin, stream, end, find, list.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "store/run.h"
#include "store_fixture.h"

static const struct run_start SOME = {.family = "gbdt",
                                      .params = "{\"trees\":300}",
                                      .data = "churn.csv",
                                      .fingerprint = "9f3a",
                                      .target = "churn",
                                      .seed = UINT64_MAX,
                                      .build = "lathe 0.1.0",
                                      .tags = "{\"who\":\"me\",\"n\":3}"};

static void
begin(const char *name, run_id id)
{
    struct run_start r = SOME;

    r.name = name;
    if (!run_begin(store, &r, id, &err))
        fail_msg("%s", err.message);
}

static void
finish(const char *id)
{
    assert_true(run_end(store, id, RUN_DONE, "", NULL, NULL, "", &err));
}

static void
a_run_reads_back_as_it_was_begun_and_ended(void **state)
{
    run_id id;
    struct run r;

    (void)state;
    begin(NULL, id);
    assert_int_equal(strlen(id), 32);
    assert_true(run_find(store, id, &r, &err));
    assert_string_equal(r.name, "run-1");
    assert_int_equal(r.state, RUN_RUNNING);
    assert_string_equal(r.params, "{\"trees\":300}");
    assert_string_equal(r.metrics, "{}");
    assert_string_equal(r.tags, "{\"n\":\"3\",\"who\":\"me\"}");
    assert_true(r.seed == UINT64_MAX);
    assert_int_equal(r.pid, getpid());
    assert_int_equal(r.end_ms, 0);
    assert_string_equal(r.git_commit, "");
    run_fini(&r);

    assert_true(run_end(store, id, RUN_DONE, NULL, "{\"auc\":0.85}",
                        "{\"trees\":120}", "abc", &err));
    assert_true(run_find(store, id, &r, &err));
    assert_int_equal(r.state, RUN_DONE);
    assert_string_equal(r.params, "{\"trees\":120}");
    assert_string_equal(r.metrics, "{\"auc\":0.85}");
    assert_string_equal(r.artifact, "abc");
    assert_true(r.end_ms >= r.start_ms);
    run_fini(&r);
    assert_false(run_end(store, id, RUN_FAILED, "", NULL, NULL, "", &err));
    assert_int_equal(err.code, ERR_STATE);
}

static void
what_is_no_json_object_is_refused(void **state)
{
    struct run_start r = SOME;
    run_id id;

    (void)state;
    r.params = "[1]";
    assert_false(run_begin(store, &r, id, &err));
    assert_int_equal(err.code, ERR_TYPE);
    r.params = "{";
    assert_false(run_begin(store, &r, id, &err));
    assert_int_equal(err.code, ERR_PARSE);
    begin(NULL, id);
    assert_false(run_end(store, id, RUN_DONE, "", "0.5", NULL, "", &err));
    finish(id);
}

static void
events_come_back_as_series_in_their_order(void **state)
{
    const struct event events[] = {
        {"valid.auc", 1, 0.5, 10},         {"train.auc", 1, 0.6, 11},
        {"valid.auc", 2, (double)NAN, 12}, {"train.auc", 2, HUGE_VAL, 13},
        {"valid.auc", 2, 0.7, 14},
    };
    struct series_list l;
    run_id id, other;

    (void)state;
    begin(NULL, id);
    begin(NULL, other);
    for (size_t i = 0; i < 5; i++)
        run_event_post(store, id, &events[i]);
    run_event_post(store, other, &events[0]);
    finish(id);
    run_event_post(store, other, &events[2]);
    assert_true(store_flush(store, &err));
    finish(other);

    assert_true(run_series(store, id, &l, &err));
    assert_int_equal(l.n, 2);
    assert_string_equal(l.series[0].name, "train.auc");
    assert_int_equal(l.series[0].n, 2);
    assert_true(isinf(l.series[0].value[1]));
    assert_string_equal(l.series[1].name, "valid.auc");
    assert_int_equal(l.series[1].n, 3);
    assert_int_equal(l.series[1].step[2], 2);
    assert_true(l.series[1].value[0] == 0.5);
    assert_true(isnan(l.series[1].value[1]));
    assert_true(l.series[1].value[2] == 0.7);
    assert_int_equal(l.series[1].time_ms[2], 14);
    series_list_fini(&l);
    assert_true(run_series(store, other, &l, &err));
    assert_int_equal(l.n, 1);
    assert_int_equal(l.series[0].n, 2);
    series_list_fini(&l);
}

static void
a_run_is_found_by_id_name_and_prefix(void **state)
{
    char text[64];
    run_id id;
    struct run r;

    (void)state;
    begin("baseline", id);
    finish(id);
    snprintf(text, sizeof text, "runs:/%s", id);
    assert_true(run_find(store, text, &r, &err));
    run_fini(&r);
    assert_true(run_find(store, "baseline", &r, &err));
    assert_string_equal(r.id, id);
    run_fini(&r);
    snprintf(text, sizeof text, "%.12s", id);
    assert_true(run_find(store, text, &r, &err));
    assert_string_equal(r.id, id);
    run_fini(&r);
    snprintf(text, sizeof text, "%.3s", id);
    assert_false(run_find(store, text, &r, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    assert_false(run_find(store, "%", &r, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
}

/* Ids are random, so the shared prefix is made by hand. */
static void
a_prefix_that_two_runs_have_names_the_candidates(void **state)
{
    char path[128];
    struct run r;
    run_id a, b;
    sqlite3 *db;

    (void)state;
    begin("amb-a", a);
    begin("amb-b", b);
    finish(a);
    finish(b);
    snprintf(path, sizeof path, "%s/lathe.db", lathe_dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "UPDATE run SET id = '5eed' || iif(name = 'amb-a', 'a', "
                     "'b') || substr(id, 6) WHERE name LIKE 'amb-%'",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    assert_false(run_find(store, "5eed", &r, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.message, "2 runs begin with '5eed'"));
    assert_non_null(strstr(err.message, "5eedb"));
    assert_true(run_find(store, "5eeda", &r, &err));
    assert_string_equal(r.name, "amb-a");
    run_fini(&r);
    assert_false(run_find(store, "5ee", &r, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
}

static void
a_name_that_two_runs_have_names_the_candidates(void **state)
{
    char wanted[32];
    run_id a, b;
    struct run r;

    (void)state;
    begin("twin", a);
    begin("twin", b);
    finish(a);
    finish(b);
    assert_false(run_find(store, "twin", &r, &err));
    assert_int_equal(err.code, ERR_USAGE);
    snprintf(wanted, sizeof wanted, "%.8s, %.8s", b, a);
    assert_non_null(strstr(err.message, wanted));
}

static void
a_list_is_newest_first_and_without_the_deleted(void **state)
{
    struct run_list l;
    struct run r;
    run_id a, b;

    (void)state;
    begin("first", a);
    finish(a);
    begin("second", b);
    assert_true(run_list(store, 2, &l, &err));
    assert_int_equal(l.n, 2);
    assert_string_equal(l.run[0].id, b);
    assert_string_equal(l.run[1].id, a);
    run_list_fini(&l);

    assert_false(run_delete(store, b, false, &err));
    assert_int_equal(err.code, ERR_STATE);
    finish(b);
    assert_true(run_delete(store, "second", false, &err));
    assert_false(run_find(store, b, &r, &err));
    assert_true(run_list(store, 1, &l, &err));
    assert_string_equal(l.run[0].id, a);
    run_list_fini(&l);
    assert_true(run_delete(store, b, true, &err));
    assert_true(run_find(store, "second", &r, &err));
    run_fini(&r);
}

static void
tags_names_and_fingerprints_change(void **state)
{
    struct run r;
    run_id id;

    (void)state;
    begin("old", id);
    finish(id);
    assert_true(run_tag(store, "old", "who", "you", &err));
    assert_true(run_tag(store, "old", "quote\"", "a\nb", &err));
    assert_true(run_rename(store, "old", "new", &err));
    assert_true(run_fingerprint(store, "new", "00ff", &err));
    assert_true(run_find(store, "new", &r, &err));
    assert_string_equal(r.fingerprint, "00ff");
    run_fini(&r);
    assert_true(run_add_metrics(store, id, "{\"test.auc\":0.5}", &err));
    assert_true(run_add_metrics(store, id,
                                "{\"test.auc\":0.75,\"test.ks\":0.1}", &err));
    assert_false(run_add_metrics(store, id, "[1]", &err));
    assert_int_equal(err.code, ERR_TYPE);
    assert_true(run_find(store, "new", &r, &err));
    assert_non_null(strstr(r.metrics, "\"test.auc\":0.75,\"test.ks\":0.1}"));
    assert_string_equal(
        r.tags, "{\"n\":\"3\",\"quote\\\"\":\"a\\nb\",\"who\":\"you\"}");
    run_fini(&r);
    assert_false(run_rename(store, "old", "x", &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
}

static void
a_live_run_of_a_dead_process_is_lost(void **state)
{
    struct run_list l;
    pid_t child;
    int status;

    (void)state;
    SKIP_UNDER_TSAN();
    child = fork();
    if (child == 0) {
        struct pool *own = pool_new(1);
        struct store *s = store_open(lathe_dir, true, own, &err);
        run_id id;

        if (!s || !run_begin(s, &SOME, id, &err))
            _exit(1);
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_true(run_list(store, 1, &l, &err));
    assert_int_equal(l.run[0].pid, child);
    assert_int_equal(l.run[0].state, RUN_LOST);
    assert_string_equal(run_state_word(l.run[0].state), "lost");
    run_list_fini(&l);
}

/* The n-th allocation of a read fails, n = 1, 2, ...: an error, no leak, and
 * the store reads on. */
static void
reads_without_memory_fail_and_pass(void **state)
{
    const struct event e = {"valid.auc", 1, 0.5, 10};
    struct series_list series;
    struct run_list l;
    struct run r;
    run_id id;

    (void)state;
    begin("scarce", id);
    run_event_post(store, id, &e);
    finish(id);
    for (int which = 0; which < 3; which++) {
        bool done = false;

        for (unsigned long n = 1; !done; n++) {
            assert_true(n < 1000);
            mem_fault_arm(n, false);
            if (which == 0 && (done = run_list(store, 3, &l, &err)))
                run_list_fini(&l);
            if (which == 1 && (done = run_find(store, "scarce", &r, &err)))
                run_fini(&r);
            if (which == 2 && (done = run_series(store, id, &series, &err)))
                series_list_fini(&series);
            mem_fault_arm(0, false);
            if (!done)
                assert_int_equal(err.code, ERR_NOMEM);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_reads_back_as_it_was_begun_and_ended),
        cmocka_unit_test(what_is_no_json_object_is_refused),
        cmocka_unit_test(events_come_back_as_series_in_their_order),
        cmocka_unit_test(a_run_is_found_by_id_name_and_prefix),
        cmocka_unit_test(a_prefix_that_two_runs_have_names_the_candidates),
        cmocka_unit_test(a_name_that_two_runs_have_names_the_candidates),
        cmocka_unit_test(a_list_is_newest_first_and_without_the_deleted),
        cmocka_unit_test(tags_names_and_fingerprints_change),
        cmocka_unit_test(a_live_run_of_a_dead_process_is_lost),
        cmocka_unit_test(reads_without_memory_fail_and_pass),
    };

    (void)cmocka_run_group_tests(tests, open_store, close_store);
    return 0;
}
