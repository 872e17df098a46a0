/* store/run.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/run.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/proc.h"
#include "store/origin.h"
#include "store/sql.h"

enum { PREFIX_MIN = 4, CANDIDATES = 5 };

const char *
run_state_word(enum run_state s)
{
    static const char *const words[] = {"running", "done", "failed",
                                        "cancelled", "lost"};

    return words[s];
}

/* ---- find ---- */

static bool
is_prefix(const char *text)
{
    size_t n = strlen(text);

    return n >= PREFIX_MIN && n <= RUN_ID_LEN &&
           strspn(text, "0123456789abcdef") == n;
}

struct match {
    int64_t key;
    size_t n;
    char ids[CANDIDATES * (RUN_ID_LEN + 2) + 8]; /* "aa..., bb..." */
};

static bool
collect(struct sqlite3 *db, const char *text, const char *value, bool deleted,
        struct match *m, struct error *err)
{
    const struct sql_value at[] = {sql_text(value), sql_int(deleted)};
    struct sqlite3_stmt *q = sql_open(db, text, at, 2, err);
    enum sql_step step;
    size_t len = 0;

    *m = (struct match){.n = 0};
    if (!q)
        return false;
    while ((step = sql_step(q, err)) == SQL_ROW) {
        m->key = sql_int_at(q, 0);
        if (m->n++ < CANDIDATES)
            len += (size_t)snprintf(m->ids + len, sizeof m->ids - len, "%s%.8s",
                                    m->n > 1 ? ", " : "", sql_text_at(q, 1));
    }
    sql_close(q);
    return step == SQL_END;
}

/* Among deleted runs, a full id finds one that is not deleted, too: to bring
 * it back once more is no error. */
bool
run_key(struct sqlite3 *db, const char *id, bool deleted, int64_t *key,
        struct error *err)
{
    static const char *const by[] = {
        "SELECT key, id FROM run WHERE id = ?1 AND (deleted_ms = 0 OR ?2)",
        "SELECT key, id FROM run WHERE name = ?1 AND (deleted_ms != 0) = ?2 "
        "ORDER BY key DESC",
        "SELECT key, id FROM run WHERE id >= ?1 AND id < ?1 || 'g' "
        "AND (deleted_ms != 0) = ?2 ORDER BY key DESC",
    };
    struct match m;

    if (strncmp(id, "runs:/", 6) == 0)
        id += 6;
    for (size_t i = 0; i < sizeof by / sizeof *by; i++) {
        if (i == 2 && !is_prefix(id))
            continue;
        if (!collect(db, by[i], id, deleted, &m, err))
            return false;
        *key = m.key;
        if (m.n == 1)
            return true;
        if (m.n > 1)
            return error_set(err, ERR_USAGE,
                             "%zu runs %s '%s': %s%s; use an id", m.n,
                             i == 2 ? "begin with" : "are called", id, m.ids,
                             m.n > CANDIDATES ? ", ..." : "");
    }
    return error_set(err, ERR_NOTFOUND, "no %srun '%s'",
                     deleted ? "deleted " : "", id);
}

/* ---- begin and end ---- */

static bool
check_object(const char *what, const char *text, struct error *err)
{
    struct json *root;
    bool ok;

    if (!text)
        return true;
    root = json_parse(str_of(text), err);
    if (!root)
        return error_prefix(err, "%s: ", what);
    ok = json_type(root) == JSON_OBJECT ||
         error_set(err, ERR_TYPE, "%s: %s, expected an object", what,
                   json_type_word(root));
    json_free(root);
    return ok;
}

static bool
put_tag(struct sqlite3 *db, int64_t run, const char *name, const char *value,
        struct error *err)
{
    const struct sql_value at[] = {sql_int(run), sql_text(name),
                                   sql_text(value)};

    return sql_run(db,
                   "INSERT INTO tag(run, name, value) VALUES(?1, ?2, ?3) "
                   "ON CONFLICT(run, name) DO UPDATE SET value = ?3",
                   at, 3, err);
}

/* Texts as they are, other values as JSON. */
static bool
put_tags(struct sqlite3 *db, int64_t run, const char *tags, struct error *err)
{
    struct json *root = json_parse(str_of(tags), err);
    struct buf value;
    bool ok = root != NULL;

    if (!root)
        return false;
    buf_init(&value);
    for (const struct json *v = json_first(root); ok && v; v = json_next(v)) {
        buf_clear(&value);
        if (json_type(v) == JSON_STRING)
            buf_puts(&value, json_string(v));
        else
            json_print(&value, v);
        ok = buf_check(&value, err) &&
             put_tag(db, run, json_key(v), value.data, err);
    }
    buf_fini(&value);
    json_free(root);
    return ok;
}

struct begin {
    const struct run_start *r;
    const char *id;
    int64_t start_ms, pid, ticks;
    struct origin here;
};

static bool
begin(struct sqlite3 *db, void *ctx, struct error *err)
{
    const struct begin *b = ctx;
    const struct run_start *r = b->r;
    const struct sql_value at[] = {
        sql_text(b->id),         sql_text(r->name),
        sql_text(r->family),     sql_text(r->params ? r->params : "{}"),
        sql_text(r->data),       sql_text(r->fingerprint),
        sql_text(r->target),     sql_int((int64_t)r->seed),
        sql_text(r->git_commit), sql_text(r->build),
        sql_text(r->source),     sql_int(b->start_ms),
        sql_int(b->pid),         sql_int(b->ticks),
        sql_text(b->here.host),  sql_text(b->here.boot),
    };
    const struct sql_value by_id[] = {sql_text(b->id)};
    int64_t key = 0;

    if (!sql_run(db,
                 "INSERT INTO run(id, name, family, params, data, fingerprint,"
                 " target, seed, git_commit, build, source, start_ms, pid,"
                 " ticks, host, boot) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
                 " ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
                 at, sizeof at / sizeof at[0], err) ||
        !sql_get_int(db, "SELECT key FROM run WHERE id = ?1", by_id, 1, 0, &key,
                     err))
        return false;
    if (!r->name || !*r->name) {
        const struct sql_value number[] = {sql_int(key)};

        if (!sql_run(db, "UPDATE run SET name = 'run-' || key WHERE key = ?1",
                     number, 1, err))
            return false;
    }
    return !r->tags || put_tags(db, key, r->tags, err);
}

bool
run_begin(struct store *s, const struct run_start *r, run_id id,
          struct error *err)
{
    struct begin b = {.r = r, .id = id};

    if (!check_object("params", r->params, err) ||
        !check_object("tags", r->tags, err))
        return false;
    digest_token(RUN_ID_LEN / 2, id);
    b.start_ms = loop_wall_ms();
    b.pid = getpid();
    b.ticks = (int64_t)proc_start_ticks(getpid());
    origin_get(&b.here);
    return store_write(s, begin, &b, err);
}

struct end {
    const char *id;
    enum run_state state;
    const char *message, *metrics, *params, *artifact;
    int64_t end_ms;
};

static bool
end(struct sqlite3 *db, void *ctx, struct error *err)
{
    const struct end *e = ctx;
    const struct sql_value by_id[] = {sql_text(e->id)};
    const struct sql_value at[] = {
        sql_text(e->id),      sql_int(e->state),   sql_text(e->message),
        sql_text(e->metrics), sql_text(e->params), sql_text(e->artifact),
        sql_int(e->end_ms),
    };
    int64_t ended = -1;

    if (!sql_get_int(db, "SELECT end_ms FROM run WHERE id = ?1", by_id, 1, -1,
                     &ended, err))
        return false;
    if (ended < 0)
        return error_set(err, ERR_NOTFOUND, "no run '%s'", e->id);
    if (ended > 0)
        return error_set(err, ERR_STATE, "run %.8s has ended already", e->id);
    return sql_run(db,
                   "UPDATE run SET state = ?2, message = ?3,"
                   " metrics = iif(?4 = '', metrics, ?4),"
                   " params = iif(?5 = '', params, ?5),"
                   " artifact = ?6, end_ms = ?7 WHERE id = ?1",
                   at, sizeof at / sizeof at[0], err);
}

bool
run_end(struct store *s, const run_id id, enum run_state state,
        const char *message, const char *metrics, const char *params,
        const char *artifact, struct error *err)
{
    struct end e = {.id = id,
                    .state = state,
                    .message = message,
                    .metrics = metrics,
                    .params = params,
                    .artifact = artifact,
                    .end_ms = loop_wall_ms()};

    assert(state != RUN_RUNNING);
    return check_object("metrics", metrics, err) &&
           check_object("params", params, err) && store_write(s, end, &e, err);
}

/* ---- change ---- */

struct change {
    const char *id, *name, *value;
    bool undelete;
    int64_t now_ms;
};

static bool
tag(struct sqlite3 *db, void *ctx, struct error *err)
{
    const struct change *c = ctx;
    int64_t key = 0;

    return run_key(db, c->id, false, &key, err) &&
           put_tag(db, key, c->name, c->value, err);
}

bool
run_tag(struct store *s, const char *id, const char *key, const char *value,
        struct error *err)
{
    struct change c = {.id = id, .name = key, .value = value};

    if (!*key)
        return error_set(err, ERR_RANGE, "a tag needs a name");
    return store_write(s, tag, &c, err);
}

static bool
rename_run(struct sqlite3 *db, void *ctx, struct error *err)
{
    const struct change *c = ctx;
    int64_t key = 0;

    if (!run_key(db, c->id, false, &key, err))
        return false;
    const struct sql_value at[] = {sql_text(c->name), sql_int(key)};

    return sql_run(db, "UPDATE run SET name = ?1 WHERE key = ?2", at, 2, err);
}

bool
run_rename(struct store *s, const char *id, const char *name, struct error *err)
{
    struct change c = {.id = id, .name = name};

    if (!*name)
        return error_set(err, ERR_RANGE, "a run needs a name");
    return store_write(s, rename_run, &c, err);
}

static bool
set_fingerprint(struct sqlite3 *db, void *ctx, struct error *err)
{
    const struct change *c = ctx;
    int64_t key = 0;

    if (!run_key(db, c->id, false, &key, err))
        return false;
    const struct sql_value at[] = {sql_text(c->value), sql_int(key)};

    return sql_run(db, "UPDATE run SET fingerprint = ?1 WHERE key = ?2", at, 2,
                   err);
}

bool
run_fingerprint(struct store *s, const char *id, const char *fingerprint,
                struct error *err)
{
    struct change c = {.id = id, .value = fingerprint};

    return store_write(s, set_fingerprint, &c, err);
}

static bool
add_metrics(struct sqlite3 *db, void *ctx, struct error *err)
{
    const struct change *c = ctx;
    int64_t key = 0;

    if (!run_key(db, c->id, false, &key, err))
        return false;
    const struct sql_value at[] = {sql_text(c->value), sql_int(key)};

    return sql_run(db,
                   "UPDATE run SET metrics = json_patch(metrics, ?1)"
                   " WHERE key = ?2",
                   at, 2, err);
}

bool
run_add_metrics(struct store *s, const char *id, const char *metrics,
                struct error *err)
{
    struct change c = {.id = id, .value = metrics};

    return check_object("metrics", metrics, err) &&
           store_write(s, add_metrics, &c, err);
}

static bool
is_live(struct sqlite3 *db, int64_t key, bool *live, struct error *err);

/* ---- read ---- */

#define TAGS                                                                \
    "(SELECT json_group_object(name, value) FROM (SELECT name, value FROM " \
    "tag WHERE tag.run = run.key ORDER BY name))"
/* What read_run() reads. */
#define COLUMNS                                                                   \
    "id, state, seed, start_ms, end_ms, pid, ticks, host, boot, name, "           \
    "family, params, data, fingerprint, target, git_commit, build, source, " TAGS \
    ", message, metrics, artifact"

static bool
read_run(struct sqlite3_stmt *q, const struct origin *h, struct run *r,
         struct error *err)
{
    char **const texts[] = {
        &r->name,    &r->family,     &r->params,  &r->data,   &r->fingerprint,
        &r->target,  &r->git_commit, &r->build,   &r->source, &r->tags,
        &r->message, &r->metrics,    &r->artifact};
    const size_t n = sizeof texts / sizeof texts[0];

    *r = (struct run){.state = (enum run_state)sql_int_at(q, 1)};
    snprintf(r->id, sizeof r->id, "%s", sql_text_at(q, 0));
    r->seed = (uint64_t)sql_int_at(q, 2);
    r->start_ms = sql_int_at(q, 3);
    r->end_ms = sql_int_at(q, 4);
    r->pid = sql_int_at(q, 5);
    if (r->state == RUN_RUNNING &&
        origin_gone(h, sql_text_at(q, 7), sql_text_at(q, 8), r->pid,
                    (uint64_t)sql_int_at(q, 6)))
        r->state = RUN_LOST;
    for (size_t i = 0; i < n; i++) {
        if (!sql_take_text(q, (int)i + 9, texts[i], err)) {
            run_fini(r);
            return false;
        }
    }
    return true;
}

void
run_fini(struct run *r)
{
    char *const texts[] = {r->name,        r->family, r->params,     r->data,
                           r->fingerprint, r->target, r->git_commit, r->build,
                           r->source,      r->tags,   r->message,    r->metrics,
                           r->artifact};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    *r = (struct run){.pid = 0};
}

static bool
run_by_key(struct sqlite3 *db, int64_t key, struct run *out, struct error *err)
{
    const struct sql_value at[] = {sql_int(key)};
    struct sqlite3_stmt *q =
        sql_open(db, "SELECT " COLUMNS " FROM run WHERE key = ?1", at, 1, err);
    struct origin h;
    bool ok;

    if (!q)
        return false;
    origin_get(&h);
    ok = sql_step(q, err) == SQL_ROW && read_run(q, &h, out, err);
    sql_close(q);
    return ok;
}

static bool
is_live(struct sqlite3 *db, int64_t key, bool *live, struct error *err)
{
    struct run r;

    if (!run_by_key(db, key, &r, err))
        return false;
    *live = r.state == RUN_RUNNING;
    run_fini(&r);
    return true;
}

static bool
delete_run(struct sqlite3 *db, void *ctx, struct error *err)
{
    const struct change *c = ctx;
    int64_t key = 0;
    bool live = false;

    if (!run_key(db, c->id, c->undelete, &key, err) ||
        !is_live(db, key, &live, err))
        return false;
    if (live)
        return error_set(err, ERR_STATE, "run '%s' is still running", c->id);
    const struct sql_value at[] = {sql_int(c->undelete ? 0 : c->now_ms),
                                   sql_int(key)};

    return sql_run(db, "UPDATE run SET deleted_ms = ?1 WHERE key = ?2", at, 2,
                   err);
}

bool
run_delete(struct store *s, const char *id, bool undelete, struct error *err)
{
    struct change c = {
        .id = id, .undelete = undelete, .now_ms = loop_wall_ms()};

    return store_write(s, delete_run, &c, err);
}

struct find {
    const char *id;
    struct run *out;
};

static bool
find(struct sqlite3 *db, void *ctx, struct error *err)
{
    struct find *f = ctx;
    int64_t key = 0;

    return run_key(db, f->id, false, &key, err) &&
           run_by_key(db, key, f->out, err);
}

bool
run_find(struct store *s, const char *id, struct run *out, struct error *err)
{
    struct find f = {id, out};

    return store_read(s, find, &f, err);
}

struct made {
    const char *digest, *tag;
    struct run *out;
};

static bool
find_artifact(struct sqlite3 *db, void *ctx, struct error *err)
{
    const struct made *m = ctx;
    const struct sql_value at[] = {sql_text(m->digest), sql_text(m->tag)};
    int64_t key = 0;

    if (!sql_get_int(db,
                     "SELECT run.key FROM run LEFT JOIN tag "
                     "ON tag.run = run.key AND tag.name = ?2 "
                     "WHERE artifact = ?1 AND deleted_ms = 0 "
                     "ORDER BY tag.value IS NULL, run.key DESC LIMIT 1",
                     at, 2, 0, &key, err))
        return false;
    if (key == 0)
        return error_set(err, ERR_NOTFOUND, "no run has artifact %.12s",
                         m->digest);
    return run_by_key(db, key, m->out, err);
}

bool
run_find_artifact(struct store *s, const char *digest, const char *tag,
                  struct run *out, struct error *err)
{
    struct made m = {digest, tag, out};

    return store_read(s, find_artifact, &m, err);
}

struct listing {
    size_t limit;
    struct run_list *out;
};

static bool
list(struct sqlite3 *db, void *ctx, struct error *err)
{
    struct listing *l = ctx;
    const struct sql_value at[] = {
        sql_int(l->limit > 0 ? (int64_t)l->limit : -1)};
    struct sqlite3_stmt *q =
        sql_open(db,
                 "SELECT " COLUMNS " FROM run WHERE deleted_ms = 0 "
                 "ORDER BY key DESC LIMIT ?1",
                 at, 1, err);
    enum sql_step step = SQL_FAILED;
    size_t cap = 0;
    struct origin h;

    if (!q)
        return false;
    origin_get(&h);
    while ((step = sql_step(q, err)) == SQL_ROW) {
        struct run_list *runs = l->out;
        struct run *more =
            mem_try_grow(runs->run, runs->n, &cap, sizeof *more, err);

        if (!more)
            break;
        runs->run = more;
        if (!read_run(q, &h, &runs->run[runs->n], err))
            break;
        runs->n++;
    }
    sql_close(q);
    return step == SQL_END;
}

bool
run_list(struct store *s, size_t limit, struct run_list *out, struct error *err)
{
    struct listing l = {limit, out};

    *out = (struct run_list){.n = 0};
    if (store_read(s, list, &l, err))
        return true;
    run_list_fini(out);
    return false;
}

void
run_list_fini(struct run_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        run_fini(&l->run[i]);
    free(l->run);
    *l = (struct run_list){.n = 0};
}
