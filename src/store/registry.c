/* store/registry.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/registry.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"
#include "store/run.h"
#include "store/sql.h"

enum { MODEL_NAME_MAX = 100, ALIAS_MAX = 100, WHO_MAX = 320 };

static const char *const STAGES[] = {"None", "Staging", "Production",
                                     "Archived"};
enum { N_STAGES = sizeof STAGES / sizeof STAGES[0] };

const char *
stage_word(enum stage s)
{
    return STAGES[s];
}

static bool
find_stage(struct str word, enum stage *out)
{
    for (size_t i = 0; i < N_STAGES; i++) {
        if (str_eq_nocase(word, str_of(STAGES[i]))) {
            *out = (enum stage)i;
            return true;
        }
    }
    return false;
}

bool
stage_parse(const char *word, enum stage *out, struct error *err)
{
    if (find_stage(str_of(word), out))
        return true;
    return error_set(err, ERR_RANGE,
                     "'%s' is no stage, expected None, Staging, Production or "
                     "Archived",
                     word);
}

/* ---- names ---- */

static bool
is_number(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

static bool
is_name(const char *name, size_t max)
{
    size_t n = strlen(name);

    if (n == 0 || n > max || name[0] == '-' || name[0] == '.' ||
        !str_utf8_valid(str_of(name)))
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)name[i];

        if (c <= ' ' || c == 0x7f || strchr("/@:,\\\"'", c))
            return false;
    }
    return true;
}

static bool
check_model(const char *name, struct error *err)
{
    if (is_name(name, MODEL_NAME_MAX))
        return true;
    return error_set(err, ERR_RANGE,
                     "'%.120s' cannot name a model: expected at most %d bytes "
                     "without blanks, '/', '@', ':', ',' or quotes",
                     name, (int)MODEL_NAME_MAX);
}

static bool
check_alias(const char *alias, struct error *err)
{
    enum stage stage;

    if (find_stage(str_of(alias), &stage) ||
        str_eq_nocase(str_of(alias), STR("latest")))
        return error_set(
            err, ERR_RANGE, "'%s' cannot be an alias: it is what %s is called",
            alias,
            find_stage(str_of(alias), &stage) ? "a stage"
                                              : "the newest version");
    if (is_number(str_of(alias)) || !is_name(alias, ALIAS_MAX))
        return error_set(err, ERR_RANGE, "'%.120s' cannot be an alias", alias);
    return true;
}

/* Who does it, for the log. */
static void
who_am_i(char who[WHO_MAX])
{
    struct passwd entry, *found = NULL;
    char text[4096], host[65] = "";
    const char *name = getenv("LOGNAME");

    if (getpwuid_r(geteuid(), &entry, text, sizeof text, &found) == 0 && found)
        name = entry.pw_name;
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    snprintf(who, WHO_MAX, "%.200s%s%s", name ? name : "unknown",
             *host ? "@" : "", host);
}

/* ---- what every change needs ---- */

struct change {
    const char *model;
    int64_t number;
    enum stage to;
    const char *why, *alias;
    int64_t now_ms;
    char who[WHO_MAX];
};

static void
change_init(struct change *c, const char *model, const char *why)
{
    *c = (struct change){
        .model = model, .why = why ? why : "", .now_ms = loop_wall_ms()};
    who_am_i(c->who);
}

static bool
note(struct sqlite3 *db, const struct change *c, int64_t number,
     const char *what, const char *from, const char *to, const char *why,
     struct error *err)
{
    const struct sql_value at[] = {sql_int(c->now_ms), sql_text(c->model),
                                   sql_int(number),    sql_text(what),
                                   sql_text(from),     sql_text(to),
                                   sql_text(why),      sql_text(c->who)};

    return sql_run(db,
                   "INSERT INTO transition(time_ms, model, number, what, "
                   "source, target, why, who) "
                   "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                   at, 8, err);
}

enum { MODELS_TRIED = 200, MODELS_LISTED = 5 };

static void
no_near(const char *model, const char *const *names, size_t n,
        struct error *err)
{
    struct buf b;

    buf_init(&b);
    for (size_t i = 0; i < n && i < MODELS_LISTED; i++)
        buf_printf(&b, "%s%s", i ? ", " : "", names[i]);
    error_set(err, ERR_NOTFOUND, "no model '%s', there %s %s%s", model,
              n == 1 ? "is" : "are", b.data, n > MODELS_LISTED ? ", ..." : "");
    buf_fini(&b);
}

static bool
is_run(struct sqlite3 *db, const char *name)
{
    struct error none;
    int64_t key;

    return run_key(db, name, false, &key, &none);
}

/* "no model 'chrun', did you mean 'churn'?", or that it is a run, or what there
 * is, or how there comes to be one. */
static bool
no_model(struct sqlite3 *db, const char *model, struct error *err)
{
    struct sqlite3_stmt *q = sql_open(
        db, "SELECT DISTINCT model FROM version ORDER BY model", NULL, 0, err);
    char *names[MODELS_TRIED];
    const char *near, *view[MODELS_TRIED];
    size_t n = 0;

    if (!q)
        return false;
    while (n < MODELS_TRIED && sql_step(q, err) == SQL_ROW) {
        view[n] = names[n] = mem_text(sql_text_at(q, 0));
        n++;
    }
    sql_close(q);
    near = str_nearest(str_of(model), view, n);
    if (is_run(db, model))
        error_set(err, ERR_NOTFOUND,
                  "no model '%s', did you mean the run runs:/%s?", model,
                  model);
    else if (near)
        error_set(err, ERR_NOTFOUND, "no model '%s', did you mean '%s'?", model,
                  near);
    else if (n > 0)
        no_near(model, view, n, err);
    else
        error_set(err, ERR_NOTFOUND,
                  "no model '%s': none is registered yet, `lathe train ... "
                  "--register %s` makes one",
                  model, model);
    while (n > 0)
        free(names[--n]);
    return false;
}

bool
registry_newest(struct sqlite3 *db, const char *model, int64_t *newest,
                struct error *err)
{
    const struct sql_value at[] = {sql_text(model)};

    if (!sql_get_int(db,
                     "SELECT ifnull(max(number), 0) FROM version "
                     "WHERE model = ?1",
                     at, 1, 0, newest, err))
        return false;
    return *newest > 0 || no_model(db, model, err);
}

static bool
stage_of(struct sqlite3 *db, const char *model, int64_t number,
         enum stage *stage, struct error *err)
{
    const struct sql_value at[] = {sql_text(model), sql_int(number)};
    int64_t found = -1, newest = 0;

    if (!sql_get_int(db,
                     "SELECT stage FROM version WHERE model = ?1 "
                     "AND number = ?2",
                     at, 2, -1, &found, err))
        return false;
    if (found >= 0) {
        *stage = (enum stage)found;
        return true;
    }
    if (!registry_newest(db, model, &newest, err))
        return false;
    return error_set(err, ERR_NOTFOUND,
                     "no version %s/%lld, the newest is %lld", model,
                     (long long)number, (long long)newest);
}

/* ---- add ---- */

struct addition {
    struct change c;
    const struct new_version *v;
    const char *metrics;
    int64_t *number;
};

static bool
add(struct sqlite3 *db, void *ctx, struct error *err)
{
    const struct addition *a = ctx;
    const struct new_version *v = a->v;
    const struct sql_value by_model[] = {sql_text(a->c.model)};
    int64_t number = 0;

    if (!sql_get_int(db,
                     "SELECT ifnull(max(number), 0) + 1 FROM version "
                     "WHERE model = ?1",
                     by_model, 1, 1, &number, err))
        return false;
    const struct sql_value at[] = {
        sql_text(a->c.model), sql_int(number),      sql_text(v->digest),
        sql_text(v->run),     sql_text(a->metrics), sql_text(v->description),
        sql_text(v->family),  sql_int(v->size),     sql_int(a->c.now_ms),
    };

    if (!sql_run(db,
                 "INSERT INTO version(model, number, artifact, run, metrics, "
                 "description, family, size, created_ms) "
                 "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                 at, 9, err) ||
        !note(db, &a->c, number, "add", "", stage_word(STAGE_NONE), "", err))
        return false;
    *a->number = number;
    return true;
}

static bool
check_metrics(const char *metrics, struct error *err)
{
    struct json *root = json_parse(str_of(metrics), err);
    bool ok;

    if (!root)
        return error_prefix(err, "metrics: ");
    ok = json_type(root) == JSON_OBJECT ||
         error_set(err, ERR_TYPE, "metrics: %s, expected an object",
                   json_type_word(root));
    json_free(root);
    return ok;
}

bool
registry_add(struct store *s, const struct new_version *v, int64_t *number,
             struct error *err)
{
    struct addition a = {.v = v,
                         .metrics =
                             v->metrics && *v->metrics ? v->metrics : "{}",
                         .number = number};
    char *path;

    if (!check_model(v->model, err) || !check_metrics(a.metrics, err) ||
        !(path = artifact_path(s, v->digest, err)))
        return false;
    free(path);
    change_init(&a.c, v->model, NULL);
    return store_write(s, add, &a, err);
}

/* ---- stages ---- */

static bool
set_stage(struct sqlite3 *db, const struct change *c, int64_t number,
          enum stage to, struct error *err)
{
    const struct sql_value at[] = {sql_int(to), sql_text(c->model),
                                   sql_int(number)};

    return sql_run(db,
                   "UPDATE version SET stage = ?1 WHERE model = ?2 "
                   "AND number = ?3",
                   at, 3, err);
}

/* Who holds a stage that one version may hold; 0: nobody. */
static bool
holder_of(struct sqlite3 *db, const char *model, enum stage stage,
          int64_t *number, struct error *err)
{
    const struct sql_value at[] = {sql_text(model), sql_int(stage)};

    return sql_get_int(db,
                       "SELECT number FROM version WHERE model = ?1 "
                       "AND stage = ?2",
                       at, 2, 0, number, err);
}

/* Move a version, and out of its way who holds the stage now. */
static bool
move(struct sqlite3 *db, const struct change *c, const char *what,
     struct error *err)
{
    enum stage from;
    int64_t holder = 0;
    char why[64];

    if (!stage_of(db, c->model, c->number, &from, err))
        return false;
    if (from == c->to)
        return true;
    if (c->to == STAGE_STAGING || c->to == STAGE_PRODUCTION) {
        if (!holder_of(db, c->model, c->to, &holder, err))
            return false;
    }
    if (holder) {
        snprintf(why, sizeof why, "version %lld took its place",
                 (long long)c->number);
        if (!set_stage(db, c, holder, STAGE_ARCHIVED, err) ||
            !note(db, c, holder, "stage", stage_word(c->to),
                  stage_word(STAGE_ARCHIVED), why, err))
            return false;
    }
    return set_stage(db, c, c->number, c->to, err) &&
           note(db, c, c->number, what, stage_word(from), stage_word(c->to),
                c->why, err);
}

static bool
promote(struct sqlite3 *db, void *ctx, struct error *err)
{
    return move(db, ctx, "stage", err);
}

bool
registry_promote(struct store *s, const char *model, int64_t number,
                 enum stage to, const char *why, struct error *err)
{
    struct change c;

    change_init(&c, model, why);
    c.number = number;
    c.to = to;
    return store_write(s, promote, &c, err);
}

/* ---- rollback ---- */

/* The versions that held Production, the last on top.  A rollback takes the
 * top away, so that the next one goes further back and not to and fro. */
struct holders {
    int64_t *number;
    size_t n, cap;
};

static bool
push_holder(struct holders *h, int64_t number, struct error *err)
{
    int64_t *more = mem_try_grow(h->number, h->n, &h->cap, sizeof *more, err);

    if (!more)
        return false;
    h->number = more;
    h->number[h->n++] = number;
    return true;
}

static bool
replay_log(struct sqlite3 *db, const char *model, struct holders *h,
           struct error *err)
{
    const struct sql_value at[] = {sql_text(model)};
    struct sqlite3_stmt *q =
        sql_open(db,
                 "SELECT number, what FROM transition WHERE model = ?1 AND "
                 "what IN ('stage', 'rollback') AND target = 'Production' "
                 "ORDER BY key",
                 at, 1, err);
    enum sql_step step = SQL_FAILED;

    if (!q)
        return false;
    while ((step = sql_step(q, err)) == SQL_ROW) {
        int64_t number = sql_int_at(q, 0);

        /* To whom a rollback went is on the stack already, or on top of it
         * when the former holder had been archived by hand. */
        if (strcmp(sql_text_at(q, 1), "rollback") == 0) {
            while (h->n > 1 && h->number[h->n - 1] != number)
                h->n--;
        } else if (!push_holder(h, number, err)) {
            break;
        }
    }
    sql_close(q);
    return step == SQL_END;
}

static bool
choose_earlier(struct sqlite3 *db, struct change *c, const struct holders *h,
               struct error *err)
{
    int64_t holder = 0;
    size_t n = h->n;

    if (!holder_of(db, c->model, STAGE_PRODUCTION, &holder, err))
        return false;
    while (n > 0 && h->number[n - 1] == holder)
        n--;
    if (n == 0)
        return error_set(err, ERR_STATE,
                         "%s has no earlier Production version to go back to",
                         c->model);
    c->number = h->number[n - 1];
    return true;
}

static bool
roll_back(struct sqlite3 *db, void *ctx, struct error *err)
{
    struct change *c = ctx;
    struct holders h = {.n = 0};
    int64_t newest = 0;
    bool ok = registry_newest(db, c->model, &newest, err) &&
              replay_log(db, c->model, &h, err) &&
              choose_earlier(db, c, &h, err);

    free(h.number);
    return ok && move(db, c, "rollback", err);
}

bool
registry_rollback(struct store *s, const char *model, const char *why,
                  int64_t *now, struct error *err)
{
    struct change c;

    change_init(&c, model, why);
    c.to = STAGE_PRODUCTION;
    if (!store_write(s, roll_back, &c, err))
        return false;
    *now = c.number;
    return true;
}

/* ---- aliases ---- */

static bool
set_alias(struct sqlite3 *db, void *ctx, struct error *err)
{
    const struct change *c = ctx;
    const struct sql_value at[] = {sql_text(c->model), sql_text(c->alias),
                                   sql_int(c->number)};
    char from[24] = "", to[24] = "";
    int64_t before = 0;
    enum stage stage;

    if (!sql_get_int(db,
                     "SELECT number FROM alias WHERE model = ?1 AND name = ?2",
                     at, 2, 0, &before, err))
        return false;
    if (c->number) {
        if (!stage_of(db, c->model, c->number, &stage, err))
            return false;
    } else if (!before) {
        return error_set(err, ERR_NOTFOUND, "%s has no alias '%s'", c->model,
                         c->alias);
    }
    if (before == c->number)
        return true;
    if (before)
        snprintf(from, sizeof from, "%lld", (long long)before);
    if (c->number)
        snprintf(to, sizeof to, "%lld", (long long)c->number);
    return sql_run(db, "DELETE FROM alias WHERE model = ?1 AND name = ?2", at,
                   2, err) &&
           (!c->number || sql_run(db,
                                  "INSERT INTO alias(model, name, number) "
                                  "VALUES(?1, ?2, ?3)",
                                  at, 3, err)) &&
           note(db, c, c->number ? c->number : before, "alias", from, to,
                c->alias, err);
}

bool
registry_alias(struct store *s, const char *model, const char *alias,
               int64_t number, struct error *err)
{
    struct change c;

    if (!check_alias(alias, err))
        return false;
    change_init(&c, model, NULL);
    c.alias = alias;
    c.number = number;
    return store_write(s, set_alias, &c, err);
}

/* ---- read ---- */

/* What read_version() reads. */
#define COLUMNS                                                             \
    "v.number, v.stage, v.size, v.created_ms, v.model, v.artifact, v.run, " \
    "v.metrics, v.description, v.family, "                                  \
    "(SELECT group_concat(name, ',') FROM (SELECT name FROM alias a "       \
    "WHERE a.model = v.model AND a.number = v.number ORDER BY name))"

static bool
read_version(struct sqlite3_stmt *q, struct version *v, struct error *err)
{
    char **const texts[] = {&v->model,   &v->artifact,    &v->run,
                            &v->metrics, &v->description, &v->family,
                            &v->aliases};

    *v = (struct version){.number = sql_int_at(q, 0),
                          .stage = (enum stage)sql_int_at(q, 1),
                          .size = sql_int_at(q, 2),
                          .created_ms = sql_int_at(q, 3)};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!sql_take_text(q, (int)i + 4, texts[i], err)) {
            version_fini(v);
            return false;
        }
    }
    return true;
}

void
version_fini(struct version *v)
{
    free(v->model);
    free(v->artifact);
    free(v->run);
    free(v->metrics);
    free(v->description);
    free(v->family);
    free(v->aliases);
    *v = (struct version){.number = 0};
}

void
version_list_fini(struct version_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        version_fini(&l->version[i]);
    free(l->version);
    *l = (struct version_list){.n = 0};
}

struct listing {
    const char *model;
    struct version_list *versions;
    struct transition_list *transitions;
};

static bool
list_versions(struct sqlite3 *db, void *ctx, struct error *err)
{
    const struct listing *l = ctx;
    struct version_list *out = l->versions;
    const struct sql_value at[] = {sql_text(l->model)};
    struct sqlite3_stmt *q =
        l->model
            ? sql_open(db,
                       "SELECT " COLUMNS " FROM version v WHERE model = ?1 "
                       "ORDER BY number DESC",
                       at, 1, err)
            : sql_open(db,
                       "SELECT " COLUMNS " FROM version v WHERE number = "
                       "(SELECT max(number) FROM version w "
                       "WHERE w.model = v.model) ORDER BY model",
                       NULL, 0, err);
    enum sql_step step = SQL_FAILED;
    size_t cap = 0;

    if (!q)
        return false;
    while ((step = sql_step(q, err)) == SQL_ROW) {
        struct version *more =
            mem_try_grow(out->version, out->n, &cap, sizeof *more, err);

        if (!more)
            break;
        out->version = more;
        if (!read_version(q, &out->version[out->n], err))
            break;
        out->n++;
    }
    sql_close(q);
    if (step == SQL_END && out->n == 0 && l->model)
        return no_model(db, l->model, err);
    return step == SQL_END;
}

bool
registry_list(struct store *s, const char *model, struct version_list *out,
              struct error *err)
{
    struct listing l = {.model = model, .versions = out};

    *out = (struct version_list){.n = 0};
    if (store_read(s, list_versions, &l, err))
        return true;
    version_list_fini(out);
    return false;
}

static bool
read_transition(struct sqlite3_stmt *q, struct transition *t, struct error *err)
{
    char **const texts[] = {&t->model, &t->what, &t->from,
                            &t->to,    &t->why,  &t->who};

    *t = (struct transition){.time_ms = sql_int_at(q, 0),
                             .number = sql_int_at(q, 1)};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!sql_take_text(q, (int)i + 2, texts[i], err))
            return false;
    return true;
}

static bool
list_transitions(struct sqlite3 *db, void *ctx, struct error *err)
{
    const struct listing *l = ctx;
    struct transition_list *out = l->transitions;
    const struct sql_value at[] = {sql_text(l->model)};
    struct sqlite3_stmt *q = sql_open(
        db,
        "SELECT time_ms, number, model, what, source, target, why, "
        "who FROM transition WHERE ?1 IN ('', model) ORDER BY key DESC",
        at, 1, err);
    enum sql_step step = SQL_FAILED;
    size_t cap = 0;

    if (!q)
        return false;
    while ((step = sql_step(q, err)) == SQL_ROW) {
        struct transition *more =
            mem_try_grow(out->transition, out->n, &cap, sizeof *more, err);

        if (!more)
            break;
        out->transition = more;
        if (!read_transition(q, &out->transition[out->n++], err))
            break;
    }
    sql_close(q);
    if (step == SQL_END && out->n == 0 && l->model)
        return no_model(db, l->model, err);
    return step == SQL_END;
}

bool
registry_history(struct store *s, const char *model,
                 struct transition_list *out, struct error *err)
{
    struct listing l = {.model = model, .transitions = out};

    *out = (struct transition_list){.n = 0};
    if (store_read(s, list_transitions, &l, err))
        return true;
    transition_list_fini(out);
    return false;
}

void
transition_list_fini(struct transition_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        struct transition *t = &l->transition[i];

        free(t->model);
        free(t->what);
        free(t->from);
        free(t->to);
        free(t->why);
        free(t->who);
    }
    free(l->transition);
    *l = (struct transition_list){.n = 0};
}

bool
registry_version(struct sqlite3 *db, const char *model, int64_t number,
                 struct version *out, struct error *err)
{
    const struct sql_value at[] = {sql_text(model), sql_int(number)};
    struct sqlite3_stmt *q;
    enum stage stage;
    bool ok;

    if (!stage_of(db, model, number, &stage, err))
        return false;
    q = sql_open(db,
                 "SELECT " COLUMNS " FROM version v WHERE model = ?1 "
                 "AND number = ?2",
                 at, 2, err);
    if (!q)
        return false;
    ok = sql_step(q, err) == SQL_ROW && read_version(q, out, err);
    sql_close(q);
    return ok;
}
