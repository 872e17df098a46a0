/* store/registry_name.c -- the names that versions and models go by.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/sql.h"

/* "churn@word" and "churn/word" cut in two; no word: "latest". */
struct reference {
    char *model;
    const char *word; /* within model's memory */
    bool alias;       /* after '@' */
};

static void
reference_parse(struct reference *r, const char *text)
{
    char *mark;

    if (strncmp(text, "models:/", 8) == 0)
        text += 8;
    *r = (struct reference){.model = mem_text(text), .word = "latest"};
    mark = strpbrk(r->model, "@/");
    if (!mark)
        return;
    r->alias = *mark == '@';
    *mark = '\0';
    r->word = mark + 1;
}

static bool
number_of_alias(struct sqlite3 *db, const struct reference *r, int64_t *number,
                struct error *err)
{
    const struct sql_value at[] = {sql_text(r->model), sql_text(r->word)};

    *number = 0;
    return !r->alias || sql_get_int(db,
                                    "SELECT number FROM alias WHERE model = ?1 "
                                    "AND name = ?2",
                                    at, 2, 0, number, err);
}

static bool
number_in_stage(struct sqlite3 *db, const struct reference *r, enum stage stage,
                int64_t *number, struct error *err)
{
    const struct sql_value at[] = {sql_text(r->model), sql_int(stage)};
    int64_t n = 0;

    if (!sql_get_int(db,
                     "SELECT count(*) FROM version WHERE model = ?1 "
                     "AND stage = ?2",
                     at, 2, 0, &n, err))
        return false;
    if (n == 0)
        return error_set(err, ERR_NOTFOUND, "%s has no version in %s", r->model,
                         stage_word(stage));
    if (n > 1)
        return error_set(err, ERR_USAGE,
                         "%s has %lld versions in %s: name one by its number",
                         r->model, (long long)n, stage_word(stage));
    return sql_get_int(db,
                       "SELECT number FROM version WHERE model = ?1 "
                       "AND stage = ?2",
                       at, 2, 0, number, err);
}

static bool
number_of(struct sqlite3 *db, const struct reference *r, int64_t *number,
          struct error *err)
{
    struct str word = str_of(r->word);
    struct error ignored;
    enum stage stage;
    int64_t newest = 0;

    if (!registry_newest(db, r->model, &newest, err) ||
        !number_of_alias(db, r, number, err))
        return false;
    if (*number)
        return true;
    if (stage_parse(r->word, &stage, &ignored))
        return number_in_stage(db, r, stage, number, err);
    if (str_eq_nocase(word, STR("latest"))) {
        *number = newest;
        return true;
    }
    if (str_to_i64(word, number))
        return true; /* whether there is such a one is asked next */
    if (r->alias)
        return error_set(err, ERR_NOTFOUND,
                         "%s has no alias '%s', and no stage is called so",
                         r->model, r->word);
    return error_set(err, ERR_NOTFOUND,
                     "%s/%s: expected a version's number or a stage after "
                     "'/'; an alias follows '@'",
                     r->model, r->word);
}

struct find {
    const struct reference *reference;
    struct version *out;
};

static bool
find(struct sqlite3 *db, void *ctx, struct error *err)
{
    const struct find *f = ctx;
    int64_t number = 0;

    return number_of(db, f->reference, &number, err) &&
           registry_version(db, f->reference->model, number, f->out, err);
}

bool
registry_find(struct store *s, const char *reference, struct version *out,
              struct error *err)
{
    struct reference r;
    struct find f = {&r, out};
    bool ok;

    reference_parse(&r, reference);
    ok = store_read(s, find, &f, err);
    free(r.model);
    return ok;
}

static bool
resolve_run(struct store *s, const char *name, char **path, char **label,
            struct error *err)
{
    struct run run;
    bool ok;

    if (!run_find(s, name, &run, err))
        return false;
    ok = *run.artifact ||
         error_set(err, ERR_NOTFOUND, "run '%s' is %s and has no model",
                   run.name, run_state_word(run.state));
    *path = ok ? artifact_path(s, run.artifact, err) : NULL;
    if (*path) {
        *label = mem_new(sizeof "run 12345678");
        snprintf(*label, sizeof "run 12345678", "run %.8s", run.id);
    }
    run_fini(&run);
    return *path != NULL;
}

static bool
resolve_version(struct store *s, const char *name, char **path, char **label,
                struct error *err)
{
    struct version v;
    size_t n;

    if (!registry_find(s, name, &v, err))
        return false;
    *path = artifact_path(s, v.artifact, err);
    if (*path) {
        n = strlen(v.model) + 32;
        *label = mem_new(n);
        snprintf(*label, n, "%s/%lld", v.model, (long long)v.number);
    }
    version_fini(&v);
    return *path != NULL;
}

bool
model_resolve(struct store *s, const char *name, char **path, char **label,
              struct error *err)
{
    bool is_run = strncmp(name, "runs:/", 6) == 0;
    bool is_model = strncmp(name, "models:/", 8) == 0;
    struct stat st;

    if (!is_run && !is_model && stat(name, &st) == 0 && S_ISREG(st.st_mode)) {
        *path = mem_text(name);
        *label = mem_text(file_base(name));
        return true;
    }
    if (!s)
        return error_set(err, ERR_NOTFOUND,
                         "%s: no such file, and no project here that could "
                         "know a model of that name",
                         name);
    if (is_run)
        return resolve_run(s, name, path, label, err);
    return resolve_version(s, name, path, label, err);
}
