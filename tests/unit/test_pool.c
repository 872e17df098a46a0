/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/pool.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "tests/lib/close.h"

enum { N = 10007, GRAIN = 64, JOBS = 4 };

struct marks {
    atomic_uchar seen[N];
    atomic_size_t wrong;
};

static void
mark(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct marks *m = ctx;

    if (begin != chunk * GRAIN || end > N || end - begin > GRAIN)
        atomic_fetch_add(&m->wrong, 1);
    for (size_t i = begin; i < end; i++)
        atomic_fetch_add(&m->seen[i], 1);
}

static void
test_every_item_is_visited_once_for_any_thread_count(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 7; threads++) {
        struct pool *p = pool_new(threads);
        struct marks *m = calloc(1, sizeof *m);

        assert_non_null(m);
        for (int round = 0; round < 50; round++)
            pool_for(p, N, GRAIN, mark, m);
        for (size_t i = 0; i < N; i++)
            assert_int_equal(m->seen[i], 50);
        assert_int_equal(m->wrong, 0);
        free(m);
        pool_free(p);
    }
}

struct job {
    struct pool *pool;
    struct marks marks;
};

static void
run_job(void *ctx)
{
    struct job *j = ctx;

    for (int round = 0; round < 100; round++)
        pool_for(j->pool, N, GRAIN, mark, &j->marks);
}

static void
test_jobs_share_the_workers_without_mixing_their_work(void **state)
{
    struct pool *p = pool_new(3);
    struct job *jobs = calloc(JOBS, sizeof *jobs);
    struct pool_job *handle[JOBS];
    struct error err;

    (void)state;
    assert_non_null(jobs);
    for (int i = 0; i < JOBS; i++) {
        jobs[i].pool = p;
        handle[i] = pool_start(p, run_job, &jobs[i], &err);
        assert_non_null(handle[i]);
    }
    for (int i = 0; i < JOBS; i++) {
        pool_join(handle[i]);
        for (size_t k = 0; k < N; k++)
            assert_int_equal(jobs[i].marks.seen[k], 100);
    }
    free(jobs);
    pool_free(p);
}

static void
test_no_pool_and_no_items_are_fine(void **state)
{
    struct marks *m = calloc(1, sizeof *m);

    (void)state;
    assert_non_null(m);
    pool_for(NULL, N, GRAIN, mark, m);
    pool_for(NULL, 0, GRAIN, mark, m);
    assert_int_equal(m->seen[N - 1], 1);
    assert_int_equal(pool_chunks(0, 5), 0);
    assert_int_equal(pool_chunks(11, 5), 3);
    free(m);
}

/* Stops the work in the chunk that is the third to begin. */
struct halting {
    struct progress progress;
    atomic_uint begun;
};

static void
halt(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct halting *h = ctx;

    (void)chunk;
    (void)begin;
    (void)end;
    if (atomic_fetch_add(&h->begun, 1) == 2)
        progress_stop(&h->progress);
}

static void
test_no_chunk_begins_once_the_work_is_stopped(void **state)
{
    (void)state;
    for (unsigned threads = 0; threads <= 4; threads++) {
        struct pool *p = threads ? pool_new(threads) : NULL, *lent;
        struct halting h = {.begun = 0};
        struct error err = {0};

        progress_init(&h.progress);
        lent = pool_lend(p, &h.progress);
        assert_int_equal(pool_threads(lent), threads ? threads : 1);
        assert_ok(pool_check(lent, &err), err);
        assert_false(pool_try(lent, N, 1, halt, &h, &err));
        assert_int_equal(err.code, ERR_CANCELLED);
        /* Each thread may be in one that has begun before. */
        assert_in_range(h.begun, 3, 3 + threads);
        assert_true(pool_stopped(lent));
        pool_free(lent);
        pool_free(p);
    }
}

static void
test_lent_threads_do_all_work_that_nobody_stops(void **state)
{
    struct pool *p = pool_new(3), *lent, *again;
    struct marks *m = calloc(1, sizeof *m);
    struct progress progress;
    struct error err;

    (void)state;
    assert_non_null(m);
    progress_init(&progress);
    lent = pool_lend(p, &progress);
    again = pool_lend(lent, &progress);
    assert_ok(pool_try(lent, N, GRAIN, mark, m, &err), err);
    assert_ok(pool_try(again, N, GRAIN, mark, m, &err), err);
    progress_stop(&progress);
    pool_for(lent, N, GRAIN, mark, m); /* does not look */
    for (size_t i = 0; i < N; i++)
        assert_int_equal(m->seen[i], 3);
    assert_false(pool_try(again, N, GRAIN, mark, m, &err));
    assert_int_equal(m->seen[0], 3);
    free(m);
    pool_free(again);
    pool_free(lent);
    pool_free(p);
}

/* Each third thing fails, by its own name. */
static bool
fail_thirds(void *ctx, size_t i, struct pool *alone, struct error *err)
{
    struct marks *m = ctx;

    atomic_fetch_add(&m->seen[i], 1);
    assert_int_equal(pool_threads(alone), 1);
    return i % 3 != 2 || i < 5000 ||
           error_set(err, ERR_LIMIT, "thing %zu does not fit", i);
}

static void
test_the_error_is_that_of_the_first_thing_that_failed(void **state)
{
    (void)state;
    for (unsigned threads = 0; threads <= 4; threads++) {
        struct pool *p = threads ? pool_new(threads) : NULL;
        struct marks *m = calloc(1, sizeof *m);
        struct error err = {0};

        assert_non_null(m);
        assert_true(pool_each(p, 5000, fail_thirds, m, &err));
        assert_string_equal(err.message, "");
        for (size_t i = 0; i < 5000; i++)
            assert_int_equal(m->seen[i], 1);
        assert_false(pool_each(p, N, fail_thirds, m, &err));
        assert_int_equal(err.code, ERR_LIMIT);
        assert_string_equal(err.message, "thing 5000 does not fit");
        free(m);
        pool_free(p);
    }
}

static bool
stop_third(void *ctx, size_t i, struct pool *alone, struct error *err)
{
    (void)alone;
    (void)err;
    halt(ctx, i, 0, 0);
    return true;
}

static void
test_no_thing_is_begun_once_the_work_is_stopped(void **state)
{
    struct halting h = {.begun = 0};
    struct pool *p = pool_new(2), *lent;
    struct error err;

    (void)state;
    progress_init(&h.progress);
    lent = pool_lend(p, &h.progress);
    assert_false(pool_each(lent, N, stop_third, &h, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    assert_in_range(h.begun, 3, 3 + 2);
    pool_free(lent);
    pool_free(p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_item_is_visited_once_for_any_thread_count),
        cmocka_unit_test(test_jobs_share_the_workers_without_mixing_their_work),
        cmocka_unit_test(test_no_pool_and_no_items_are_fine),
        cmocka_unit_test(test_no_chunk_begins_once_the_work_is_stopped),
        cmocka_unit_test(test_lent_threads_do_all_work_that_nobody_stops),
        cmocka_unit_test(test_the_error_is_that_of_the_first_thing_that_failed),
        cmocka_unit_test(test_no_thing_is_begun_once_the_work_is_stopped),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
