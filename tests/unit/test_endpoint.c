/* Endpoints are processes: this program is also the server that it starts,
 * when its first argument is "serve".
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "serve/endpoint.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/proc.h"
#include "engine/family.h"
#include "serve/listen.h"
#include "serve/server.h"
#include "tests/lib/small_model.h"

/* What `lathe serve NAME --host H --port P [--sla-ms X]` does. */
static int
serve(int argc, char **argv)
{
    struct error err;
    struct pool *pool = pool_new(1);
    char *dir = store_find(NULL), *path = NULL, *label = NULL;
    struct store *store = store_open(dir, false, pool, &err);
    struct model *m = NULL;
    struct server_options o = {.threads = 1, .pool = pool};
    struct server *s = NULL;
    sigset_t set;
    int signo;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 3; i + 1 < argc; i += 2)
        if (!strcmp(argv[i], "--sla-ms"))
            o.sla_ms = strtod(argv[i + 1], NULL);
    if (store && model_resolve(store, argv[2], &path, &label, &err) &&
        (m = model_open(path, family_find, &err))) {
        o.label = label;
        s = server_start(m, &o, &err);
    }
    if (s) {
        fprintf(stderr, "serving %s on %s\n", label, server_url(s));
        sigwait(&set, &signo);
        server_stop(s, 5000);
    } else {
        fprintf(stderr, "lathe: %s\n", err.message);
    }
    model_unref(m);
    free(label);
    free(path);
    store_close(store);
    free(dir);
    pool_free(pool);
    return s == NULL;
}

struct place {
    char dir[64], file[96], broken[96];
    struct pool *pool;
    struct store *store;
};

static int
open_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    struct model *m = small_model(SMALL_BINARY);
    struct error err;
    struct buf b;

    strcpy(p->dir, "/tmp/lathe-endpoint-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->file, sizeof p->file, "%s/small.lathe", p->dir);
    snprintf(p->broken, sizeof p->broken, "%s/broken.lathe", p->dir);
    buf_init(&b);
    assert_ok(model_save(m, &b, &err) &&
                  file_replace(p->file, b.data, b.len, 0644, &err) &&
                  file_replace(p->broken, b.data, b.len / 2, 0644, &err),
              err);
    buf_fini(&b);
    model_unref(m);
    setenv("LATHE_PROJECT", p->dir, 1);
    p->pool = pool_new(2);
    {
        char *dir = store_find(NULL);

        p->store = store_open(dir, true, p->pool, &err);
        assert_ok(p->store != NULL, err);
        free(dir);
    }
    *state = p;
    return 0;
}

static int
close_place(void **state)
{
    struct place *p = *state;
    struct deployment_list l = {0};
    struct error err;
    const char *argv[] = {"rm", "-rf", p->dir, NULL};
    struct buf out;
    int status;

    if (deployment_list(p->store, &l, &err))
        for (size_t i = 0; i < l.n; i++)
            if (!endpoint_remove(p->store, l.deployment[i].name, &err))
                printf("# %s\n", err.message);
    deployment_list_fini(&l);
    store_close(p->store);
    pool_free(p->pool);
    buf_init(&out);
    if (!proc_capture(argv, 10000, NULL, &out, &status, &err))
        printf("# %s\n", err.message);
    buf_fini(&out);
    free(p);
    return 0;
}

static struct endpoint_status
ask(const struct deployment *d)
{
    struct endpoint_status s = {0};
    struct error err;

    assert_ok(endpoint_ask(d, &s, &err), err);
    return s;
}

static const char row[] =
    "{\"dataframe_records\": [{\"tenure\": 12, \"charges\": 79.5, \"senior\": "
    "true, \"contract\": \"One year\", \"joined\": \"2020-01-31\"}]}";

static void
invoke(const struct deployment *d, long want)
{
    struct error err;
    struct buf out;
    long status = 0;

    buf_init(&out);
    assert_ok(endpoint_invoke(d, row, strlen(row), &out, &status, &err), err);
    if (status != want)
        fail_msg("got %ld: %s", status, out.data);
    buf_fini(&out);
}

static void
test_an_endpoint_is_up_answers_and_tells_its_state(void **state)
{
    struct place *p = *state;
    struct endpoint_options o = {.sla_ms = 20};
    int64_t end = loop_now_ms() + 20000;
    struct deployment d;
    struct endpoint_status s = {0};
    struct error err;

    assert_ok(endpoint_create(p->store, "small", p->file, &o, &d, &err), err);
    assert_string_equal(d.label, "small.lathe");
    assert_true(d.port > 0 && d.pid > 0 && d.wanted);
    /* A session of its own: a hang-up here does not reach it. */
    assert_int_equal(getsid((pid_t)d.pid), d.pid);
    invoke(&d, 200);
    /* Drift is counted once the answer has left. */
    do {
        endpoint_status_fini(&s);
        s = ask(&d);
    } while (s.n_features && !s.feature[0].n && loop_now_ms() < end);
    assert_int_equal(s.state, ENDPOINT_UP);
    assert_int_equal(s.stat.requests, 1);
    assert_int_equal(s.pid, d.pid);
    assert_int_equal(s.n_features, 5);
    assert_string_equal(s.feature[0].name, "tenure");
    assert_int_equal(s.feature[0].n, 1);
    assert_int_equal(s.feature[0].level, DRIFT_FEW);
    assert_true(s.rss > 1000000);
    assert_true(isnan(s.cpu_percent));
    /* Asked again into the same snapshot there is something to compare. */
    while (isnan(s.cpu_percent)) /* at least a millisecond of uptime more */
        assert_ok(endpoint_ask(&d, &s, &err), err);
    assert_true(s.cpu_percent >= 0);
    endpoint_status_fini(&s);
    deployment_fini(&d);
}

static void
test_create_on_a_name_that_is_up_replaces_it(void **state)
{
    struct place *p = *state;
    struct deployment a, b, c;
    struct error err;
    bool gap = true;
    struct endpoint_options same;

    assert_ok(endpoint_create(p->store, "small", p->file, NULL, &a, &err), err);
    assert_ok(
        endpoint_create_gap(p->store, "small", p->file, NULL, &b, &gap, &err),
        err);
    assert_false(gap);
    assert_true(a.pid != b.pid && a.port != b.port);
    assert_false(proc_alive((pid_t)a.pid, (uint64_t)a.start_ticks));
    invoke(&b, 200);
    same = (struct endpoint_options){.port = (unsigned)b.port};
    assert_ok(
        endpoint_create_gap(p->store, "small", p->file, &same, &c, &gap, &err),
        err);
    assert_true(gap);
    assert_int_equal(c.port, b.port);
    assert_false(proc_alive((pid_t)b.pid, (uint64_t)b.start_ticks));
    invoke(&c, 200);
    deployment_fini(&a);
    deployment_fini(&b);
    deployment_fini(&c);
}

static void
test_a_broken_model_leaves_the_old_endpoint_up(void **state)
{
    struct place *p = *state;
    struct deployment a, b, now;
    struct endpoint_status s;
    struct error err;

    assert_ok(endpoint_create(p->store, "small", p->file, NULL, &a, &err), err);
    assert_false(endpoint_create(p->store, "small", p->broken, NULL, &b, &err));
    /* The reason is the last line of its log. */
    if (!strstr(err.message, "endpoint small ended at once: lathe: "))
        fail_msg("got '%s'", err.message);
    assert_ok(deployment_find(p->store, "small", &now, &err), err);
    assert_int_equal(now.pid, a.pid);
    s = ask(&now);
    assert_int_equal(s.state, ENDPOINT_UP);
    endpoint_status_fini(&s);
    deployment_fini(&now);
    deployment_fini(&a);
    assert_false(
        endpoint_create(p->store, "other", "no-such-model", NULL, &b, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
}

static void
test_stop_and_start_keep_the_port(void **state)
{
    struct place *p = *state;
    struct deployment a, b;
    struct endpoint_status s;
    struct error err;

    assert_ok(endpoint_create(p->store, "small", p->file, NULL, &a, &err), err);
    assert_ok(endpoint_stop(p->store, "small", &err), err);
    assert_ok(deployment_find(p->store, "small", &b, &err), err);
    assert_false(b.wanted);
    s = ask(&b);
    assert_int_equal(s.state, ENDPOINT_STOPPED);
    endpoint_status_fini(&s);
    deployment_fini(&b);
    assert_ok(endpoint_stop(p->store, "small", &err), err); /* once more */
    assert_ok(endpoint_start(p->store, "small", &err), err);
    assert_ok(deployment_find(p->store, "small", &b, &err), err);
    assert_int_equal(a.port, b.port);
    assert_true(b.wanted && a.pid != b.pid);
    invoke(&b, 200);
    /* What is up stays. */
    deployment_fini(&a);
    assert_ok(endpoint_start(p->store, "small", &err), err);
    assert_ok(deployment_find(p->store, "small", &a, &err), err);
    assert_int_equal(a.pid, b.pid);
    deployment_fini(&a);
    deployment_fini(&b);
}

static void
test_start_takes_another_port_when_its_own_is_taken(void **state)
{
    struct place *p = *state;
    struct deployment a, b;
    struct error err;
    unsigned port;
    int fd;

    assert_ok(endpoint_create(p->store, "small", p->file, NULL, &a, &err), err);
    assert_ok(endpoint_stop(p->store, "small", &err), err);
    fd = listen_new(NULL, (unsigned)a.port, &port, &err);
    assert_ok(fd >= 0, err);
    assert_ok(endpoint_start(p->store, "small", &err), err);
    assert_ok(deployment_find(p->store, "small", &b, &err), err);
    assert_true(b.port != a.port);
    invoke(&b, 200);
    close(fd);
    deployment_fini(&a);
    deployment_fini(&b);
}

static void
test_a_taken_port_is_told_before_anything_starts(void **state)
{
    struct place *p = *state;
    struct deployment d;
    struct error err;
    unsigned port;
    int fd = listen_new(NULL, 0, &port, &err);
    struct endpoint_options o = {.port = port};

    assert_true(fd >= 0);
    assert_false(endpoint_create(p->store, "small", p->file, &o, &d, &err));
    assert_int_equal(err.code, ERR_EXISTS);
    close(fd);
}

static void
test_a_killed_endpoint_is_dead_not_up(void **state)
{
    struct place *p = *state;
    struct deployment d;
    struct endpoint_status s;
    struct error err;

    assert_ok(endpoint_create(p->store, "small", p->file, NULL, &d, &err), err);
    kill((pid_t)d.pid, SIGKILL);
    assert_int_equal(waitpid((pid_t)d.pid, NULL, 0), d.pid);
    s = ask(&d);
    assert_int_equal(s.state, ENDPOINT_DEAD);
    assert_string_equal(endpoint_state_word(s.state), "dead");
    endpoint_status_fini(&s);
    /* Its number given to another process is not it. */
    d.pid = getpid();
    s = ask(&d);
    assert_int_equal(s.state, ENDPOINT_DEAD);
    endpoint_status_fini(&s);
    deployment_fini(&d);
    assert_ok(endpoint_start(p->store, "small", &err), err);
    assert_ok(deployment_find(p->store, "small", &d, &err), err);
    invoke(&d, 200);
    deployment_fini(&d);
}

static void
test_a_removed_endpoint_leaves_nothing(void **state)
{
    struct place *p = *state;
    struct deployment d;
    struct error err;
    char *path = store_path(p->store, "endpoints/small");
    struct buf log;

    buf_init(&log);
    assert_ok(endpoint_create(p->store, "small", p->file, NULL, &d, &err), err);
    assert_ok(endpoint_log(p->store, "small", 1, &log, &err), err);
    assert_non_null(
        strstr(log.data, "serving small.lathe on http://127.0.0.1"));
    assert_ok(endpoint_remove(p->store, "small", &err), err);
    assert_false(proc_alive((pid_t)d.pid, 0));
    deployment_fini(&d);
    assert_false(deployment_find(p->store, "small", &d, &err));
    assert_false(file_exists(path));
    assert_false(endpoint_stop(p->store, "small", &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    buf_fini(&log);
    free(path);
}

static void
test_what_is_typed_becomes_a_body(void **state)
{
#define LENIENT "{\"params\":{\"allow_missing\":true},"
    static const struct {
        const char *typed, *body;
    } c[] = {
        {" {\"a\": 1} ", LENIENT "\"dataframe_records\":[{\"a\": 1}]}"},
        {"{}", LENIENT "\"dataframe_records\":[{}]}"},
        {"[{\"a\": 1}]", LENIENT "\"dataframe_records\":[{\"a\": 1}]}"},
        {" {\"inputs\": {\"a\": [1]}}", LENIENT "\"inputs\": {\"a\": [1]}}"},
        {"{\"inputs\": [], \"params\": {}}",
         "{\"inputs\": [], \"params\": {}}"},
        {"{not JSON", "{not JSON"},
    };
    struct buf b;

    (void)state;
    buf_init(&b);
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
        buf_clear(&b);
        endpoint_body(str_of(c[i].typed), &b);
        assert_string_equal(b.data, c[i].body);
    }
    buf_fini(&b);
}

static void
test_a_name_cannot_leave_its_folder(void **state)
{
    static const char *const bad[] = {"",    ".",  "..", "../x",
                                      "a/b", "-x", "a b"};
    struct place *p = *state;
    struct deployment d;
    struct error err;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (endpoint_create(p->store, bad[i], p->file, NULL, &d, &err))
            fail_msg("accepted: '%s'", bad[i]);
        assert_int_equal(err.code, ERR_RANGE);
    }
}

/* A version of the registry is pinned when the endpoint starts. */
static void
test_a_reference_is_pinned_to_its_version(void **state)
{
    struct place *p = *state;
    char digest[DIGEST_HEX];
    struct deployment d;
    struct endpoint_status s;
    struct error err;
    int64_t number = 0, size = 0;
    struct buf b;

    buf_init(&b);
    assert_ok(file_read(p->file, 1 << 24, &b, &err), err);
    size = (int64_t)b.len;
    assert_ok(artifact_put(p->store, b.data, b.len, digest, &err), err);
    buf_fini(&b);
    assert_ok(registry_add(p->store,
                           &(struct new_version){.model = "churn",
                                                 .digest = digest,
                                                 .family = "logistic",
                                                 .size = size},
                           &number, &err) &&
                  registry_promote(p->store, "churn", number, STAGE_PRODUCTION,
                                   NULL, &err),
              err);
    assert_ok(
        endpoint_create(p->store, "live", "churn@production", NULL, &d, &err),
        err);
    assert_string_equal(d.reference, "churn@production");
    assert_string_equal(d.label, "churn/1");
    s = ask(&d);
    assert_string_equal(s.label, "churn/1");
    endpoint_status_fini(&s);
    deployment_fini(&d);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_place, close_place)

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_endpoint_is_up_answers_and_tells_its_state),
        TEST(test_create_on_a_name_that_is_up_replaces_it),
        TEST(test_a_broken_model_leaves_the_old_endpoint_up),
        TEST(test_stop_and_start_keep_the_port),
        TEST(test_start_takes_another_port_when_its_own_is_taken),
        TEST(test_a_taken_port_is_told_before_anything_starts),
        TEST(test_a_killed_endpoint_is_dead_not_up),
        TEST(test_a_removed_endpoint_leaves_nothing),
        cmocka_unit_test(test_what_is_typed_becomes_a_body),
        TEST(test_a_name_cannot_leave_its_folder),
        TEST(test_a_reference_is_pinned_to_its_version),
    };

    if (argc > 2 && !strcmp(argv[1], "serve"))
        return serve(argc, argv);
    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}
