/* session/cmd_registry.c -- registry ls, show, add, promote, ...
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "session/cmd.h"
#include "session/enrol.h"
#include "session/gate.h"
#include "session/summary.h"
#include "store/artifact.h"

static void
put_text(struct json_writer *w, const char *name, const char *text)
{
    json_name(w, name);
    json_put_string(w, *text ? text : NULL);
}

static void
put_members(struct json_writer *w, const struct version *v)
{
    put_text(w, "model", v->model);
    json_name(w, "version");
    json_put_i64(w, v->number);
    put_text(w, "stage", stage_word(v->stage));
    put_text(w, "aliases", v->aliases);
    put_text(w, "family", v->family);
    put_text(w, "artifact", v->artifact);
    json_name(w, "size");
    json_put_i64(w, v->size);
    put_text(w, "run", v->run);
    put_text(w, "description", v->description);
    json_name(w, "created_ms");
    json_put_i64(w, v->created_ms);
    json_name(w, "metrics");
    json_put_raw(w, v->metrics[0] ? v->metrics : "{}");
}

static void
put_version(struct json_writer *w, const struct version *v)
{
    json_open(w, '{');
    put_members(w, v);
    json_close(w, '}');
}

/* ---- ls ---- */

static void
put_listed(const void *of, size_t i, struct json_writer *w)
{
    put_members(w, &((const struct version_list *)of)->version[i]);
}

/* Metrics by their names, and when it was made. */
static void
put_seen(const void *of, size_t i, struct json_writer *w)
{
    const struct version *v = &((const struct version_list *)of)->version[i];

    cmd_put_flat(w, v->metrics[0] ? v->metrics : "{}");
    cmd_put_time(w, "created", v->created_ms);
}

static void
add_row(const void *of, size_t i, struct listing *l)
{
    summary_version_row(&((const struct version_list *)of)->version[i], l);
}

bool
cmd_registry_ls(struct session *s, struct task *t, struct call *c,
                struct error *err)
{
    struct store *store = cmd_store(s, err);
    struct version_list list;
    bool ok;

    if (!store || !registry_list(store, call_text(c, "name"), &list, err))
        return false;
    ok = cmd_list(t, c,
                  &(struct cmd_list){.of = &list,
                                     .n = list.n,
                                     .titles = summary_version_titles,
                                     .none = "no models yet",
                                     .none_so = "no versions are so",
                                     .row = add_row,
                                     .put = put_listed,
                                     .put_more = put_seen},
                  err);
    version_list_fini(&list);
    return ok;
}

/* The version's own facts, then its model's card. */
bool
cmd_registry_show(struct session *s, struct task *t, struct call *c,
                  struct error *err)
{
    struct store *store = cmd_store(s, err);
    struct model *m = NULL;
    struct json_writer w;
    struct version v;
    char *path;

    (void)t;
    if (!store || !registry_find(store, call_text(c, "version"), &v, err))
        return false;
    path = artifact_path(store, v.artifact, err);
    if (path)
        m = model_open(path, family_find, err);
    free(path);
    if (m && call_json(c)) {
        cmd_json(c, &w);
        json_open(&w, '{');
        json_name(&w, "version");
        put_version(&w, &v);
        json_name(&w, "card");
        model_card_json(m, &w);
        json_close(&w, '}');
        cmd_json_end(c);
    } else if (m) {
        summary_version(&v, call_out(c));
        buf_putc(call_out(c), '\n');
        model_print(m, call_out(c));
    }
    version_fini(&v);
    model_unref(m);
    return m != NULL;
}

static void
tell_version(struct call *c, const struct version *v, const char *what)
{
    struct json_writer w;

    if (call_json(c)) {
        cmd_json(c, &w);
        put_version(&w, v);
        cmd_json_end(c);
    } else {
        buf_printf(call_out(c), "%s %s/%lld", what, v->model,
                   (long long)v->number);
        if (v->stage != STAGE_NONE)
            buf_printf(call_out(c), "  %s", stage_word(v->stage));
        buf_putc(call_out(c), '\n');
    }
}

/* Is there a run of that name, where there is no file? */
static bool
check_run(struct session *s, const char *what, struct error *err)
{
    struct store *store = session_store(s, true, err);
    struct run r;

    if (!store)
        return false;
    if (run_find(store, what, &r, err)) {
        run_fini(&r);
        return true;
    }
    return err->code == ERR_NOTFOUND && strncmp(what, "runs:/", 6) != 0
               ? error_set(err, ERR_NOTFOUND,
                           "no file and no run '%s', expected the file of a "
                           "model, or the id or name of a run",
                           what)
               : false;
}

/* "runs:/ID" or a run's name or id, or a file. */
bool
cmd_registry_add(struct session *s, struct task *t, struct call *c,
                 struct error *err)
{
    const char *name = call_text(c, "name"), *what = call_text(c, "model");
    const char *text = call_text(c, "description"), *metrics = NULL;
    struct version v;
    struct buf b;
    bool ok = true;

    (void)t;
    buf_init(&b);
    if (call_text(c, "metrics")) {
        ok = file_read(call_text(c, "metrics"), 1 << 20, &b, err);
        metrics = b.data;
    }
    if (ok && strncmp(what, "runs:/", 6) != 0 && file_exists(what))
        ok = enrol_file(s, name, what, metrics, text, &v, err);
    else if (ok)
        ok =
            check_run(s, what, err) &&
            enrol_run(s, name, what + (strncmp(what, "runs:/", 6) == 0 ? 6 : 0),
                      metrics, text, &v, err);
    if (ok) {
        tell_version(c, &v, "added");
        version_fini(&v);
    }
    buf_fini(&b);
    return ok;
}

bool
cmd_registry_promote(struct session *s, struct task *t, struct call *c,
                     struct error *err)
{
    const char *gate = call_text(c, "gate");
    struct store *store = cmd_store(s, err);
    struct version v, after;
    enum stage stage;
    struct buf name;
    bool ok;

    (void)t;
    if (!store || !stage_parse(call_text(c, "stage"), &stage, err) ||
        !registry_find(store, call_text(c, "version"), &v, err))
        return false;
    buf_init(&name);
    buf_printf(&name, "%s/%lld", v.model, (long long)v.number);
    ok = (!gate || gate_check(v.metrics, gate, err)) &&
         registry_promote(store, v.model, v.number, stage, call_text(c, "why"),
                          err) &&
         registry_find(store, name.data, &after, err);
    if (ok) {
        tell_version(c, &after, "promoted");
        version_fini(&after);
        session_notify(s, TOPIC_REGISTRY);
    }
    buf_fini(&name);
    version_fini(&v);
    return ok;
}

bool
cmd_registry_rollback(struct session *s, struct task *t, struct call *c,
                      struct error *err)
{
    struct store *store = cmd_store(s, err);
    struct version v;
    struct buf name;
    int64_t now;
    bool ok;

    (void)t;
    if (!store || !registry_rollback(store, call_text(c, "name"),
                                     call_text(c, "why"), &now, err))
        return false;
    buf_init(&name);
    buf_printf(&name, "%s/%lld", call_text(c, "name"), (long long)now);
    ok = registry_find(store, name.data, &v, err);
    if (ok) {
        tell_version(c, &v, "rolled back to");
        version_fini(&v);
        session_notify(s, TOPIC_REGISTRY);
    }
    buf_fini(&name);
    return ok;
}

bool
cmd_registry_alias(struct session *s, struct task *t, struct call *c,
                   struct error *err)
{
    struct store *store = cmd_store(s, err);
    const char *alias = call_text(c, "alias");
    bool remove = call_flag(c, "remove"), ok;
    struct version v;

    (void)t;
    if (!store || !registry_find(store, call_text(c, "version"), &v, err))
        return false;
    ok = registry_alias(store, v.model, alias, remove ? 0 : v.number, err);
    if (ok && remove)
        buf_printf(call_out(c), "removed %s@%s\n", v.model, alias);
    else if (ok)
        buf_printf(call_out(c), "%s@%s is %s/%lld\n", v.model, alias, v.model,
                   (long long)v.number);
    version_fini(&v);
    session_notify(s, TOPIC_REGISTRY);
    return ok;
}

static void
put_transition(struct json_writer *w, const struct transition *x)
{
    json_open(w, '{');
    json_name(w, "time_ms");
    json_put_i64(w, x->time_ms);
    put_text(w, "model", x->model);
    json_name(w, "version");
    json_put_i64(w, x->number);
    put_text(w, "what", x->what);
    put_text(w, "from", x->from);
    put_text(w, "to", x->to);
    put_text(w, "why", x->why);
    put_text(w, "who", x->who);
    json_close(w, '}');
}

static void
list_transitions(const struct transition_list *list, struct call *c)
{
    static const char *const titles[] = {"@time", "version", "what", "from",
                                         "to",    "who",     "why",  NULL};
    struct listing *l = listing_new(titles);

    for (size_t i = 0; i < list->n; i++) {
        const struct transition *x = &list->transition[i];
        char time[LISTING_WORD];

        listing_time(x->time_ms, time);
        listing_add(l, time);
        listing_addf(l, "%s/%lld", x->model, (long long)x->number);
        listing_add(l, x->what);
        listing_add(l, x->from);
        listing_add(l, x->to);
        listing_add(l, x->who);
        listing_add(l, x->why);
    }
    listing_print(l, call_list_width(c), call_out(c));
    listing_free(l);
}

bool
cmd_registry_history(struct session *s, struct task *t, struct call *c,
                     struct error *err)
{
    struct store *store = cmd_store(s, err);
    struct transition_list list;
    struct json_writer w;

    (void)t;
    if (!store || !registry_history(store, call_text(c, "name"), &list, err))
        return false;
    if (call_json(c)) {
        cmd_json(c, &w);
        json_open(&w, '[');
        for (size_t i = 0; i < list.n; i++)
            put_transition(&w, &list.transition[i]);
        json_close(&w, ']');
        cmd_json_end(c);
    } else if (list.n == 0) {
        buf_puts(call_out(c), "no models yet\n");
    } else {
        list_transitions(&list, c);
    }
    transition_list_fini(&list);
    return true;
}

/* Every version of one model, or of all: does the file still have its name? */
static bool
verify_model(struct store *store, const char *name, struct call *c, size_t *n,
             size_t *bad, struct error *err)
{
    struct version_list list;

    if (!registry_list(store, name, &list, err))
        return false;
    for (size_t i = 0; i < list.n; i++) {
        const struct version *v = &list.version[i];
        struct error why;
        bool good = artifact_verify(store, v->artifact, &why);

        ++*n;
        *bad += !good;
        buf_printf(call_out(c), "%s/%lld  %.12s  %s\n", v->model,
                   (long long)v->number, v->artifact,
                   good ? "ok" : why.message);
    }
    version_list_fini(&list);
    return true;
}

bool
cmd_registry_verify(struct session *s, struct task *t, struct call *c,
                    struct error *err)
{
    struct store *store = cmd_store(s, err);
    const char *name = call_text(c, "name");
    struct version_list models;
    size_t n = 0, bad = 0;
    bool ok = true;

    (void)t;
    if (!store)
        return false;
    if (name) {
        ok = verify_model(store, name, c, &n, &bad, err);
    } else {
        if (!registry_list(store, NULL, &models, err))
            return false;
        for (size_t i = 0; i < models.n && ok; i++)
            ok = verify_model(store, models.version[i].model, c, &n, &bad, err);
        version_list_fini(&models);
    }
    if (ok && bad)
        return error_set(err, ERR_CORRUPT, "%zu of %zu artifacts are damaged",
                         bad, n);
    return ok;
}
