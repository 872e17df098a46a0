/* The folder, the connection, two processes at once, a full disk.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/registry.h"
#include "store_fixture.h"

#define OK(call)                         \
    do {                                 \
        if (!(call))                     \
            fail_msg("%s", err.message); \
    } while (0)

static const char *
in_project(const char *name)
{
    static char path[160];

    snprintf(path, sizeof path, "%s/%s", project, name);
    return path;
}

/* What the database answers to one question, asked from outside. */
static char *
ask(const char *dir, const char *question)
{
    static char answer[64];
    char path[160];
    sqlite3_stmt *q;
    sqlite3 *db;

    snprintf(path, sizeof path, "%s/lathe.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, question, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    snprintf(answer, sizeof answer, "%s",
             (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    sqlite3_close(db);
    return answer;
}

static void
assert_found(const char *from, const char *want)
{
    char *found = store_find(from);

    assert_string_equal(found, want);
    free(found);
}

static void
the_folder_is_found_upwards_or_named_by_the_environment(void **state)
{
    char deep[160], elsewhere[160], want[200];

    (void)state;
    snprintf(deep, sizeof deep, "%s", in_project("a/b/c"));
    OK(file_make_dirs(deep, 0755, &err));
    assert_found(deep, lathe_dir);
    assert_found(project, lathe_dir);

    snprintf(elsewhere, sizeof elsewhere, "%s", in_project("other"));
    OK(file_make_dirs(elsewhere, 0755, &err));
    snprintf(want, sizeof want, "%s/.lathe", elsewhere);
    setenv("LATHE_PROJECT", elsewhere, 1);
    assert_found(deep, want);
    setenv("LATHE_PROJECT", want, 1);
    assert_found(deep, want);
    setenv("LATHE_PROJECT", "", 1);
    assert_found(deep, lathe_dir);
    unsetenv("LATHE_PROJECT");
    assert_found("/", "/.lathe");
}

static void
the_folder_comes_with_a_gitignore_and_the_first_write(void **state)
{
    struct buf text;
    char dir[160];
    struct store *s;

    (void)state;
    buf_init(&text);
    OK(file_read(in_project(".lathe/.gitignore"), 10, &text, &err));
    assert_string_equal(text.data, "*\n");
    buf_fini(&text);
    snprintf(dir, sizeof dir, "%s", in_project("none/.lathe"));
    assert_null(store_open(dir, false, pool, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    assert_false(file_exists(dir));
    s = store_open(dir, true, pool, &err);
    assert_non_null(s);
    assert_string_equal(store_dir(s), dir);
    store_close(s);
    s = store_open(dir, false, pool, &err);
    assert_non_null(s);
    store_close(s);
    assert_string_equal(ask(dir, "PRAGMA journal_mode"), "wal");
}

static void
a_network_file_system_gets_a_rollback_journal(void **state)
{
    struct store *s;
    char dir[160];

    (void)state;
    assert_true(store_type_is_network(0x6969));      /* NFS, statfs(2) */
    assert_true(store_type_is_network(0xff534d42));  /* CIFS */
    assert_false(store_type_is_network(0xef53));     /* ext4 */
    assert_false(store_type_is_network(0x58465342)); /* XFS */
    assert_false(store_type_is_network(0x01021994)); /* tmpfs */
    snprintf(dir, sizeof dir, "%s", in_project("net/.lathe"));
    setenv("LATHE_JOURNAL", "rollback", 1);
    OK((s = store_open(dir, true, pool, &err)) != NULL);
    store_close(s);
    assert_string_equal(ask(dir, "PRAGMA journal_mode"), "delete");
    setenv("LATHE_JOURNAL", "wal", 1);
    OK((s = store_open(dir, true, pool, &err)) != NULL);
    store_close(s);
    unsetenv("LATHE_JOURNAL");
    assert_string_equal(ask(dir, "PRAGMA journal_mode"), "wal");
}

static void
change_by_hand(const char *dir, const char *text)
{
    char path[200];
    sqlite3 *db;

    snprintf(path, sizeof path, "%s/lathe.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void
a_store_of_a_newer_lathe_is_refused(void **state)
{
    struct store *s;
    char dir[160];

    (void)state;
    snprintf(dir, sizeof dir, "%s", in_project("newer/.lathe"));
    OK((s = store_open(dir, true, pool, &err)) != NULL);
    store_close(s);
    change_by_hand(dir, "PRAGMA user_version = 99");
    for (int create = 0; create < 2; create++) {
        assert_null(store_open(dir, create, pool, &err));
        assert_int_equal(err.code, ERR_STATE);
        assert_non_null(strstr(err.message, "written by a newer lathe"));
        assert_non_null(strstr(err.message, "99"));
    }
}

static void
a_foreign_or_damaged_file_is_refused(void **state)
{
    static const char noise[8192] = "this is no database at all";
    char dir[160], path[200];

    (void)state;
    snprintf(dir, sizeof dir, "%s", in_project("foreign/.lathe"));
    OK(file_make_dirs(dir, 0755, &err));
    change_by_hand(dir, "CREATE TABLE theirs(x)");
    assert_null(store_open(dir, true, pool, &err));
    assert_int_equal(err.code, ERR_TYPE);
    assert_null(store_open(dir, false, pool, &err));
    assert_int_equal(err.code, ERR_TYPE);
    snprintf(path, sizeof path, "%s/lathe.db", dir);
    OK(file_replace(path, noise, sizeof noise, 0644, &err));
    assert_null(store_open(dir, true, pool, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.message, path));
}

static void
a_folder_that_cannot_be_made_says_so(void **state)
{
    char dir[160];

    (void)state;
    OK(file_replace(in_project("file"), "x", 1, 0644, &err));
    snprintf(dir, sizeof dir, "%s", in_project("file/.lathe"));
    assert_null(store_open(dir, true, pool, &err));
    assert_int_equal(err.code, ERR_IO);
}

enum { EACH = 25, WRITERS = 3 };

static bool
write_some(const char *dir)
{
    const struct run_start r = {.params = "{}"};
    const struct event e = {"valid.auc", 1, 0.5, 1};
    struct pool *own = pool_new(1);
    struct store *s = store_open(dir, true, own, &err);
    char digest[DIGEST_HEX];
    bool ok = s && artifact_put(s, "m", 1, digest, &err);

    for (int i = 0; ok && i < EACH; i++) {
        int64_t number;
        run_id id;

        ok = run_begin(s, &r, id, &err);
        if (!ok)
            break;
        run_event_post(s, id, &e);
        ok = run_end(s, id, RUN_DONE, "", NULL, NULL, "", &err) &&
             registry_add(
                 s,
                 &(struct new_version){
                     .model = "shared", .digest = digest, .run = id, .size = 1},
                 &number, &err) &&
             registry_promote(s, "shared", number, STAGE_PRODUCTION, "", &err);
    }
    if (!ok)
        fprintf(stderr, "%s\n", err.message);
    store_close(s);
    pool_free(own);
    return ok;
}

static void
write_at_once(const char *dir)
{
    pid_t child[WRITERS];
    int status;

    for (int i = 0; i < WRITERS; i++) {
        child[i] = fork();
        if (child[i] == 0)
            _exit(write_some(dir) ? 0 : 1);
    }
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_int_equal(status, 0);
    }
    assert_string_equal(ask(dir, "SELECT count(*) || '/' || max(number) || '/' "
                                 "|| sum(stage = 2) FROM version"),
                        "75/75/1");
    assert_string_equal(ask(dir, "SELECT count(DISTINCT name) FROM run "
                                 "WHERE state = 1"),
                        "75");
    assert_string_equal(ask(dir, "SELECT count(*) FROM point"), "75");
    assert_string_equal(ask(dir, "PRAGMA integrity_check"), "ok");
}

static void
processes_that_write_at_once_all_get_through(void **state)
{
    char dir[160];

    (void)state;
    SKIP_UNDER_TSAN();
    snprintf(dir, sizeof dir, "%s", in_project("at-once/.lathe"));
    write_at_once(dir);
    snprintf(dir, sizeof dir, "%s", in_project("at-once-net/.lathe"));
    setenv("LATHE_JOURNAL", "rollback", 1);
    write_at_once(dir);
    unsetenv("LATHE_JOURNAL");
}

/* A child that acknowledges each run through a pipe is killed after the k-th
 * acknowledgement, whatever it is doing then. */
static void
kill_9_takes_back_no_acknowledged_run(void **state)
{
    char dir[160];

    (void)state;
    SKIP_UNDER_TSAN();
    for (int k = 1; k <= 8; k++) {
        int pipes[2], acks = 0;
        run_id ids[64];
        struct store *s;
        pid_t child;

        snprintf(dir, sizeof dir, "%s/killed-%d/.lathe", project, k);
        assert_int_equal(pipe(pipes), 0);
        child = fork();
        if (child == 0) {
            const struct run_start r = {.params = "{}"};
            struct pool *own = pool_new(1);

            s = store_open(dir, true, own, &err);
            for (run_id id; s && run_begin(s, &r, id, &err);)
                if (write(pipes[1], id, sizeof id) < 0)
                    break;
            _exit(1);
        }
        close(pipes[1]);
        while (acks < 64 &&
               read(pipes[0], ids[acks], sizeof(run_id)) == sizeof(run_id)) {
            if (++acks == k)
                kill(child, SIGKILL);
        }
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(pipes[0]);
        assert_true(acks >= k);
        OK((s = store_open(dir, false, pool, &err)) != NULL);
        for (int i = 0; i < acks; i++) {
            struct run run;

            OK(run_find(s, ids[i], &run, &err));
            assert_int_equal(run.state, RUN_LOST);
            run_fini(&run);
        }
        store_close(s);
        assert_string_equal(ask(dir, "PRAGMA integrity_check"), "ok");
    }
}

/* Fill up with runs of 32 KiB until it is refused; 0 when it went as it
 * should: an error in words, the acknowledged runs there, and with room again
 * the same store goes on, also with the metrics that had to wait. */
static int
fill(struct store *s, void (*make_room)(void))
{
    static char params[32 * 1024];
    struct run_start r = {.name = "big", .params = params};
    const struct event e = {"loss", 1, 0.5, 1};
    struct run_list l;
    size_t n = 0;
    run_id first, id;

    memset(params, ' ', sizeof params - 1);
    params[0] = '{';
    params[sizeof params - 2] = '}';
    if (!run_begin(s, &r, first, &err))
        return 1;
    while (run_begin(s, &r, id, &err))
        if (++n > 1000)
            return 2;
    if (err.code != ERR_IO)
        return 3;
    for (int i = 0; i < 5000; i++)
        run_event_post(s, first, &e);
    if (store_flush(s, &err) || err.code != ERR_IO)
        return 4;
    if (!run_list(s, 0, &l, &err) || l.n != n + 1)
        return 5;
    run_list_fini(&l);
    make_room();
    if (!store_flush(s, &err) || !run_begin(s, &r, id, &err))
        return 6;
    struct series_list series;

    if (!run_series(s, first, &series, &err) || series.n != 1 ||
        series.series[0].n != 5000)
        return 7;
    series_list_fini(&series);
    return 0;
}

static void
lift_limit(void)
{
    const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};

    setrlimit(RLIMIT_FSIZE, &none);
}

static int
fill_below_a_limit(const char *dir)
{
    const struct rlimit limit = {1 << 20, RLIM_INFINITY};
    struct pool *own = pool_new(1);
    struct store *s = store_open(dir, true, own, &err);
    int rc;

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    rc = s ? fill(s, lift_limit) : 10;
    store_close(s);
    pool_free(own);
    return rc;
}

static char ballast[200];

static void
drop_ballast(void)
{
    unlink(ballast);
}

/* 77: may not mount. */
static int
fill_a_small_disk(const char *where)
{
    static const char half[512 * 1024];
    char dir[200];
    struct pool *own;
    struct store *s;
    int rc;

    if (unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", where, "tmpfs", 0, "size=2m") < 0)
        return 77;
    snprintf(dir, sizeof dir, "%s/.lathe", where);
    snprintf(ballast, sizeof ballast, "%s/ballast", where);
    own = pool_new(1);
    s = store_open(dir, true, own, &err);
    if (!s || !file_replace(ballast, half, sizeof half, 0644, &err))
        return 11;
    rc = fill(s, drop_ballast);
    store_close(s);
    pool_free(own);
    return rc;
}

static int
in_a_child(int (*fn)(const char *), const char *arg)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        int rc = fn(arg);

        if (rc && rc != 77)
            fprintf(stderr, "step %d: %s\n", rc, err.message);
        _exit(rc);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void
a_file_size_limit_gives_an_error_and_no_damage(void **state)
{
    char dir[160];

    (void)state;
    SKIP_UNDER_TSAN();
    snprintf(dir, sizeof dir, "%s", in_project("limited/.lathe"));
    assert_int_equal(in_a_child(fill_below_a_limit, dir), 0);
    assert_string_equal(ask(dir, "PRAGMA integrity_check"), "ok");
}

static void
a_full_disk_gives_an_error_and_no_damage(void **state)
{
    char where[160];
    int rc;

    (void)state;
    SKIP_UNDER_TSAN();
    snprintf(where, sizeof where, "%s", in_project("small"));
    OK(file_make_dirs(where, 0755, &err));
    rc = in_a_child(fill_a_small_disk, where);
    if (rc == 77)
        skip();
    assert_int_equal(rc, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            the_folder_is_found_upwards_or_named_by_the_environment),
        cmocka_unit_test(the_folder_comes_with_a_gitignore_and_the_first_write),
        cmocka_unit_test(a_network_file_system_gets_a_rollback_journal),
        cmocka_unit_test(a_store_of_a_newer_lathe_is_refused),
        cmocka_unit_test(a_foreign_or_damaged_file_is_refused),
        cmocka_unit_test(a_folder_that_cannot_be_made_says_so),
        cmocka_unit_test(processes_that_write_at_once_all_get_through),
        cmocka_unit_test(kill_9_takes_back_no_acknowledged_run),
        cmocka_unit_test(a_file_size_limit_gives_an_error_and_no_damage),
        cmocka_unit_test(a_full_disk_gives_an_error_and_no_damage),
    };

    unsetenv("LATHE_PROJECT");
    unsetenv("LATHE_JOURNAL");
    (void)cmocka_run_group_tests(tests, open_store, close_store);
    return 0;
}
