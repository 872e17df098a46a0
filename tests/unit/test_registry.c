/* Versions, stages, aliases, the log, and the names that models go by.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/deployment.h"
#include "store/registry.h"
#include "store_fixture.h"

#define OK(call)                         \
    do {                                 \
        if (!(call))                     \
            fail_msg("%s", err.message); \
    } while (0)
#define REFUSED(call, want)               \
    do {                                  \
        assert_false(call);               \
        assert_int_equal(err.code, want); \
    } while (0)

static int64_t
add(const char *model)
{
    char digest[DIGEST_HEX];
    int64_t number = 0;

    OK(artifact_put(store, model, strlen(model), digest, &err));
    OK(registry_add(store,
                    &(struct new_version){.model = model,
                                          .digest = digest,
                                          .metrics = "{\"auc\":0.9}",
                                          .description = "text",
                                          .family = "gbdt",
                                          .size = (int64_t)strlen(model)},
                    &number, &err));
    return number;
}

static void
promote(const char *model, int64_t number, enum stage to)
{
    OK(registry_promote(store, model, number, to, "tested", &err));
}

static enum stage
stage_now(const char *model, int64_t number)
{
    char reference[64];
    struct version v;
    enum stage stage;

    snprintf(reference, sizeof reference, "%s/%d", model, (int)number);
    OK(registry_find(store, reference, &v, &err));
    stage = v.stage;
    version_fini(&v);
    return stage;
}

static int64_t
number_of(const char *reference)
{
    struct version v;
    int64_t number;

    OK(registry_find(store, reference, &v, &err));
    number = v.number;
    version_fini(&v);
    return number;
}

static void
versions_count_from_one_for_each_model(void **state)
{
    struct version_list l;
    struct version v;

    (void)state;
    assert_int_equal(add("count"), 1);
    assert_int_equal(add("count"), 2);
    assert_int_equal(add("other"), 1);
    OK(registry_find(store, "count/1", &v, &err));
    assert_string_equal(v.model, "count");
    assert_int_equal(v.stage, STAGE_NONE);
    assert_string_equal(v.metrics, "{\"auc\":0.9}");
    assert_string_equal(v.run, "");
    assert_string_equal(v.aliases, "");
    assert_int_equal(v.size, 5);
    version_fini(&v);
    OK(registry_list(store, "count", &l, &err));
    assert_int_equal(l.n, 2);
    assert_int_equal(l.version[0].number, 2);
    version_list_fini(&l);
    OK(registry_list(store, NULL, &l, &err));
    assert_int_equal(l.n, 2);
    assert_string_equal(l.version[0].model, "count");
    assert_int_equal(l.version[0].number, 2);
    version_list_fini(&l);
}

static void
bad_names_and_missing_artifacts_are_refused(void **state)
{
    static const char *const bad[] = {"",    "a/b", "a@b", "a:b",
                                      "a b", "-rf", ".",   "\xff"};
    char digest[DIGEST_HEX];
    int64_t number;

    (void)state;
    OK(artifact_put(store, "x", 1, digest, &err));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        REFUSED(registry_add(store,
                             &(struct new_version){
                                 .model = bad[i], .digest = digest, .size = 1},
                             &number, &err),
                ERR_RANGE);
    OK(registry_add(store,
                    &(struct new_version){
                        .model = "modèle-1.0", .digest = digest, .size = 1},
                    &number, &err));
    memset(digest, '0', 64);
    REFUSED(registry_add(store,
                         &(struct new_version){
                             .model = "gone", .digest = digest, .size = 1},
                         &number, &err),
            ERR_NOTFOUND);
    REFUSED(registry_add(store,
                         &(struct new_version){.model = "gone",
                                               .digest = "../../etc/passwd",
                                               .size = 1},
                         &number, &err),
            ERR_RANGE);
}

static void
promotion_archives_the_former_holder(void **state)
{
    struct transition_list l;

    (void)state;
    add("promo");
    add("promo");
    promote("promo", 1, STAGE_PRODUCTION);
    promote("promo", 2, STAGE_STAGING);
    assert_int_equal(stage_now("promo", 1), STAGE_PRODUCTION);
    promote("promo", 2, STAGE_PRODUCTION);
    assert_int_equal(stage_now("promo", 1), STAGE_ARCHIVED);
    assert_int_equal(stage_now("promo", 2), STAGE_PRODUCTION);
    promote("promo", 2, STAGE_PRODUCTION); /* no news, no entry */

    OK(registry_history(store, "promo", &l, &err));
    assert_int_equal(l.n, 6);
    assert_int_equal(l.transition[0].number, 2);
    assert_string_equal(l.transition[0].what, "stage");
    assert_string_equal(l.transition[0].from, "Staging");
    assert_string_equal(l.transition[0].to, "Production");
    assert_string_equal(l.transition[0].why, "tested");
    assert_true(strlen(l.transition[0].who) > 0);
    assert_int_equal(l.transition[1].number, 1);
    assert_string_equal(l.transition[1].from, "Production");
    assert_string_equal(l.transition[1].to, "Archived");
    assert_string_equal(l.transition[5].what, "add");
    transition_list_fini(&l);
    REFUSED(registry_promote(store, "promo", 9, STAGE_STAGING, NULL, &err),
            ERR_NOTFOUND);
    REFUSED(registry_promote(store, "prom", 1, STAGE_STAGING, NULL, &err),
            ERR_NOTFOUND);
    assert_non_null(strstr(err.message, "did you mean 'promo'"));
}

static void
rollback_goes_back_one_step_each_time(void **state)
{
    int64_t now = 0;

    (void)state;
    for (int64_t i = 1; i <= 3; i++) {
        assert_int_equal(add("back"), i);
        promote("back", i, STAGE_PRODUCTION);
    }
    OK(registry_rollback(store, "back", "p99 rose", &now, &err));
    assert_int_equal(now, 2);
    assert_int_equal(stage_now("back", 3), STAGE_ARCHIVED);
    assert_int_equal(stage_now("back", 2), STAGE_PRODUCTION);
    OK(registry_rollback(store, "back", NULL, &now, &err));
    assert_int_equal(now, 1);
    assert_int_equal(stage_now("back", 1), STAGE_PRODUCTION);
    REFUSED(registry_rollback(store, "back", NULL, &now, &err), ERR_STATE);
    assert_int_equal(stage_now("back", 1), STAGE_PRODUCTION);

    /* A promotion after it starts a new history from there. */
    promote("back", 3, STAGE_PRODUCTION);
    OK(registry_rollback(store, "back", NULL, &now, &err));
    assert_int_equal(now, 1);
}

static void
rollback_restores_what_was_archived_by_hand(void **state)
{
    int64_t now = 0;

    (void)state;
    add("hand");
    REFUSED(registry_rollback(store, "hand", NULL, &now, &err), ERR_STATE);
    promote("hand", 1, STAGE_PRODUCTION);
    promote("hand", 1, STAGE_ARCHIVED);
    OK(registry_rollback(store, "hand", NULL, &now, &err));
    assert_int_equal(now, 1);
    REFUSED(registry_rollback(store, "nobody", NULL, &now, &err), ERR_NOTFOUND);
}

static void
aliases_move_and_refuse_words_that_mean_something(void **state)
{
    static const char *const bad[] = {
        "production", "NONE", "Archived", "latest", "12", "", "a,b", "x/y"};
    struct transition_list l;
    struct version v;

    (void)state;
    add("alias");
    add("alias");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        REFUSED(registry_alias(store, "alias", bad[i], 1, &err), ERR_RANGE);
    OK(registry_alias(store, "alias", "champion", 1, &err));
    OK(registry_alias(store, "alias", "eu", 1, &err));
    OK(registry_find(store, "alias/1", &v, &err));
    assert_string_equal(v.aliases, "champion,eu");
    version_fini(&v);
    OK(registry_alias(store, "alias", "CHAMPION", 2, &err));
    assert_int_equal(number_of("alias@champion"), 2);
    OK(registry_history(store, "alias", &l, &err));
    assert_string_equal(l.transition[0].what, "alias");
    assert_string_equal(l.transition[0].from, "1");
    assert_string_equal(l.transition[0].to, "2");
    assert_string_equal(l.transition[0].why, "CHAMPION");
    transition_list_fini(&l);
    OK(registry_alias(store, "alias", "champion", 0, &err));
    REFUSED(registry_alias(store, "alias", "champion", 0, &err), ERR_NOTFOUND);
    REFUSED(registry_find(store, "alias@champion", &v, &err), ERR_NOTFOUND);
    REFUSED(registry_alias(store, "alias", "x", 7, &err), ERR_NOTFOUND);
}

static void
every_form_of_reference_is_understood(void **state)
{
    struct version v;

    (void)state;
    for (int i = 0; i < 4; i++)
        add("ref");
    promote("ref", 1, STAGE_PRODUCTION);
    promote("ref", 2, STAGE_PRODUCTION);
    promote("ref", 3, STAGE_STAGING);
    OK(registry_alias(store, "ref", "champion", 1, &err));
    assert_int_equal(number_of("ref"), 4);
    assert_int_equal(number_of("models:/ref"), 4);
    assert_int_equal(number_of("ref@latest"), 4);
    assert_int_equal(number_of("models:/ref/latest"), 4);
    assert_int_equal(number_of("ref/3"), 3);
    assert_int_equal(number_of("ref@3"), 3);
    assert_int_equal(number_of("ref@champion"), 1);
    assert_int_equal(number_of("models:/ref@champion"), 1);
    assert_int_equal(number_of("ref@production"), 2);
    assert_int_equal(number_of("models:/ref/Production"), 2);
    assert_int_equal(number_of("ref@STAGING"), 3);
    assert_int_equal(number_of("ref@archived"), 1);
    promote("ref", 3, STAGE_ARCHIVED);
    REFUSED(registry_find(store, "ref@archived", &v, &err), ERR_USAGE);
    REFUSED(registry_find(store, "ref@staging", &v, &err), ERR_NOTFOUND);
    REFUSED(registry_find(store, "ref/champion", &v, &err), ERR_NOTFOUND);
    REFUSED(registry_find(store, "ref/9", &v, &err), ERR_NOTFOUND);
    REFUSED(registry_find(store, "ref/-1", &v, &err), ERR_NOTFOUND);
    REFUSED(registry_find(store, "reff", &v, &err), ERR_NOTFOUND);
}

static void
a_model_is_resolved_from_all_its_names(void **state)
{
    const struct run_start r = {.name = "fit", .params = "{}"};
    char file[96], name[64], digest[DIGEST_HEX];
    char *path, *label;
    struct buf content;
    run_id id;

    (void)state;
    buf_init(&content);
    add("whole");
    OK(model_resolve(store, "whole@latest", &path, &label, &err));
    assert_string_equal(label, "whole/1");
    OK(file_read(path, 100, &content, &err));
    assert_string_equal(content.data, "whole");
    free(path);
    free(label);

    OK(run_begin(store, &r, id, &err));
    snprintf(name, sizeof name, "runs:/%s", id);
    REFUSED(model_resolve(store, name, &path, &label, &err), ERR_NOTFOUND);
    OK(artifact_put(store, "model", 5, digest, &err));
    OK(run_end(store, id, RUN_DONE, "", NULL, NULL, digest, &err));
    OK(model_resolve(store, name, &path, &label, &err));
    assert_non_null(strstr(path, digest + 2));
    free(path);
    free(label);

    snprintf(file, sizeof file, "%s/m.safetensors", project);
    OK(file_replace(file, "x", 1, 0644, &err));
    OK(model_resolve(NULL, file, &path, &label, &err));
    assert_string_equal(path, file);
    assert_string_equal(label, "m.safetensors");
    free(path);
    free(label);
    REFUSED(model_resolve(NULL, "whole", &path, &label, &err), ERR_NOTFOUND);
    buf_fini(&content);
}

static void
artifacts_are_read_only_files_named_by_their_content(void **state)
{
    char digest[DIGEST_HEX], again[DIGEST_HEX];
    struct stat st;
    char *path;
    FILE *f;

    (void)state;
    OK(artifact_put(store, "abc", 3, digest, &err));
    path = artifact_path(store, digest, &err);
    assert_non_null(path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0444);
    assert_non_null(strstr(path, "/objects/ba/7816bf8f"));
    OK(artifact_verify(store, digest, &err));

    chmod(path, 0644);
    f = fopen(path, "w");
    fputs("abd", f);
    fclose(f);
    REFUSED(artifact_verify(store, digest, &err), ERR_CORRUPT);
    OK(artifact_put(store, "abc", 3, again, &err));
    assert_string_equal(again, digest);
    OK(artifact_verify(store, digest, &err));
    unlink(path);
    REFUSED(artifact_verify(store, digest, &err), ERR_NOTFOUND);
    free(path);
}

/* The n-th read, write, sync or allocation fails, n = 1, 2, ...: either the
 * artifact is whole or it is not there, and no temporary is left. */
static void
a_failing_disk_leaves_no_half_artifact(void **state)
{
    char digest[DIGEST_HEX], want[DIGEST_HEX], command[160];
    bool done = false;

    (void)state;
    digest_bytes("faulty", 6, want);
    for (unsigned long n = 1; !done; n++) {
        assert_true(n < 50);
        mem_fault_arm(n, false);
        done = artifact_put(store, "faulty", 6, digest, &err);
        mem_fault_arm(0, false);
        if (!done && err.code != ERR_IO && err.code != ERR_NOMEM)
            fail_msg("n = %lu: %s", n, err.message);
        if (artifact_verify(store, want, &err))
            continue;
        assert_int_equal(err.code, ERR_NOTFOUND);
    }
    OK(artifact_verify(store, want, &err));
    snprintf(command, sizeof command,
             "test -z \"$(find %s/objects -name '*.*')\"", lathe_dir);
    assert_int_equal(system(command), 0);
}

static sqlite3 *
open_by_hand(void)
{
    char path[128];
    sqlite3 *db;

    snprintf(path, sizeof path, "%s/lathe.db", lathe_dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    return db;
}

static void
the_log_and_versions_resist_another_program(void **state)
{
    static const char *const hostile[] = {
        "UPDATE transition SET why = 'x'",
        "DELETE FROM transition",
        "UPDATE version SET artifact = 'x'",
        "UPDATE version SET number = 99",
        "DELETE FROM version",
        "UPDATE version SET stage = 2 WHERE model = 'tough'",
    };
    sqlite3 *db = open_by_hand();

    (void)state;
    add("tough");
    add("tough");
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++)
        if (sqlite3_exec(db, hostile[i], NULL, NULL, NULL) != SQLITE_CONSTRAINT)
            fail_msg("%s: %s", hostile[i], sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* The second statement of a promotion is made to fail from outside: the first
 * must not be seen. */
static void
a_promotion_happens_whole_or_not_at_all(void **state)
{
    struct transition_list l;
    sqlite3 *db = open_by_hand();

    (void)state;
    add("atom");
    add("atom");
    promote("atom", 1, STAGE_PRODUCTION);
    assert_int_equal(
        sqlite3_exec(db,
                     "CREATE TRIGGER boom BEFORE UPDATE OF stage ON version "
                     "WHEN new.stage = 2 AND new.model = 'atom' BEGIN "
                     "SELECT RAISE(ABORT, 'boom'); END",
                     NULL, NULL, NULL),
        SQLITE_OK);
    REFUSED(registry_promote(store, "atom", 2, STAGE_PRODUCTION, "", &err),
            ERR_EXISTS);
    assert_int_equal(stage_now("atom", 1), STAGE_PRODUCTION);
    assert_int_equal(stage_now("atom", 2), STAGE_NONE);
    OK(registry_history(store, "atom", &l, &err));
    assert_int_equal(l.n, 3);
    transition_list_fini(&l);
    assert_int_equal(sqlite3_exec(db, "DROP TRIGGER boom", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
}

static void
deployments_are_put_found_listed_and_removed(void **state)
{
    char name[] = "churn", reference[] = "churn@production",
         label[] = "churn/3", host[] = "127.0.0.1";
    struct deployment d = {.name = name,
                           .reference = reference,
                           .label = label,
                           .host = host,
                           .port = 8080,
                           .pid = 42,
                           .start_ticks = 7,
                           .started_ms = 9,
                           .sla_ms = 20.5,
                           .wanted = true};
    struct deployment_list l;
    struct deployment got;

    (void)state;
    OK(deployment_put(store, &d, &err));
    d.port = 8081;
    OK(deployment_put(store, &d, &err));
    OK(deployment_find(store, "churn", &got, &err));
    assert_int_equal(got.port, 8081);
    assert_string_equal(got.label, "churn/3");
    assert_true(got.sla_ms == 20.5);
    assert_true(got.wanted);
    deployment_fini(&got);
    OK(deployment_list(store, &l, &err));
    assert_int_equal(l.n, 1);
    deployment_list_fini(&l);
    OK(deployment_remove(store, "churn", &err));
    REFUSED(deployment_remove(store, "churn", &err), ERR_NOTFOUND);
    REFUSED(deployment_find(store, "churn", &got, &err), ERR_NOTFOUND);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_count_from_one_for_each_model),
        cmocka_unit_test(bad_names_and_missing_artifacts_are_refused),
        cmocka_unit_test(promotion_archives_the_former_holder),
        cmocka_unit_test(rollback_goes_back_one_step_each_time),
        cmocka_unit_test(rollback_restores_what_was_archived_by_hand),
        cmocka_unit_test(aliases_move_and_refuse_words_that_mean_something),
        cmocka_unit_test(every_form_of_reference_is_understood),
        cmocka_unit_test(a_model_is_resolved_from_all_its_names),
        cmocka_unit_test(artifacts_are_read_only_files_named_by_their_content),
        cmocka_unit_test(a_failing_disk_leaves_no_half_artifact),
        cmocka_unit_test(the_log_and_versions_resist_another_program),
        cmocka_unit_test(a_promotion_happens_whole_or_not_at_all),
        cmocka_unit_test(deployments_are_put_found_listed_and_removed),
    };

    (void)cmocka_run_group_tests(tests, open_store, close_store);
    return 0;
}
