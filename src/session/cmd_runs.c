/* session/cmd_runs.c -- runs ls, show, diff, rm, export.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "session/cmd.h"
#include "session/summary.h"

/* JSON text as it is, or null when it is empty. */
static void
put_object(struct json_writer *w, const char *text)
{
    if (text && *text)
        json_put_raw(w, text);
    else
        json_put_null(w);
}

static void
put_text(struct json_writer *w, const char *name, const char *text)
{
    json_name(w, name);
    json_put_string(w, *text ? text : NULL);
}

static void
put_members(struct json_writer *w, const struct run *r)
{
    put_text(w, "id", r->id);
    put_text(w, "name", r->name);
    put_text(w, "state", run_state_word(r->state));
    put_text(w, "family", r->family);
    put_text(w, "target", r->target);
    put_text(w, "data", r->data);
    put_text(w, "fingerprint", r->fingerprint);
    json_name(w, "seed");
    json_put_i64(w, (int64_t)r->seed);
    put_text(w, "source", r->source);
    put_text(w, "git_commit", r->git_commit);
    put_text(w, "build", r->build);
    put_text(w, "artifact", r->artifact);
    put_text(w, "message", r->message);
    json_name(w, "start_ms");
    json_put_i64(w, r->start_ms);
    json_name(w, "end_ms");
    json_put_i64(w, r->end_ms);
    json_name(w, "params");
    put_object(w, r->params);
    json_name(w, "metrics");
    put_object(w, r->metrics);
    json_name(w, "tags");
    put_object(w, r->tags);
}

static void
put_run(struct json_writer *w, const struct run *r)
{
    json_open(w, '{');
    put_members(w, r);
    json_close(w, '}');
}

/* ---- ls ---- */

static void
put_listed(const void *of, size_t i, struct json_writer *w)
{
    put_members(w, &((const struct run_list *)of)->run[i]);
}

/* Metrics by their names, when it started and how long it took. */
static void
put_seen(const void *of, size_t i, struct json_writer *w)
{
    const struct run *r = &((const struct run_list *)of)->run[i];

    cmd_put_flat(w, r->metrics);
    cmd_put_time(w, "started", r->start_ms);
    json_name(w, "seconds");
    json_put_double(w,
                    r->end_ms ? 1e-3 * (double)(r->end_ms - r->start_ms) : NAN);
}

static void
add_row(const void *of, size_t i, struct listing *l)
{
    summary_run_row(&((const struct run_list *)of)->run[i], l);
}

bool
cmd_runs_ls(struct session *s, struct task *t, struct call *c,
            struct error *err)
{
    struct store *store = cmd_store(s, err);
    size_t most = (size_t)call_int(c, "limit");
    struct run_list list;
    bool ok;

    /* Which are the newest so many is known once it is known which are so. */
    if (!store ||
        !run_list(store, call_text(c, "where") ? 0 : most, &list, err))
        return false;
    ok = cmd_list(t, c,
                  &(struct cmd_list){.of = &list,
                                     .n = list.n,
                                     .most = most,
                                     .titles = summary_run_titles,
                                     .none = "no runs yet",
                                     .none_so = "no runs are so",
                                     .row = add_row,
                                     .put = put_listed,
                                     .put_more = put_seen},
                  err);
    run_list_fini(&list);
    return ok;
}

static void
put_series(struct json_writer *w, const struct series_list *list)
{
    json_open(w, '{');
    for (size_t i = 0; i < list->n; i++) {
        const struct series *s = &list->series[i];

        json_name(w, s->name);
        json_open(w, '[');
        for (size_t j = 0; j < s->n; j++) {
            json_open(w, '[');
            json_put_i64(w, s->step[j]);
            json_put_double(w, s->value[j]);
            json_close(w, ']');
        }
        json_close(w, ']');
    }
    json_close(w, '}');
}

static bool
find_with_series(struct session *s, const char *id, struct run *r,
                 struct series_list *series, struct error *err)
{
    struct store *store = cmd_store(s, err);

    if (!store || !run_find(store, id, r, err))
        return false;
    if (run_series(store, r->id, series, err))
        return true;
    run_fini(r);
    return false;
}

bool
cmd_runs_show(struct session *s, struct task *t, struct call *c,
              struct error *err)
{
    struct series_list series;
    struct json_writer w;
    struct run r;

    (void)t;
    if (!find_with_series(s, call_text(c, "run"), &r, &series, err))
        return false;
    if (call_json(c)) {
        cmd_json(c, &w);
        put_run(&w, &r);
        cmd_json_end(c);
    } else {
        summary_run(&r, &series, call_width(c), call_plain(c), call_out(c));
    }
    series_list_fini(&series);
    run_fini(&r);
    return true;
}

/* ---- diff ---- */

static void
print_value(const struct json *v, struct buf *out)
{
    if (v && json_type(v) == JSON_STRING)
        buf_puts(out, json_string(v));
    else if (v && json_type(v) == JSON_NUMBER)
        buf_number(out, json_number(v), 6);
    else if (v)
        json_print(out, v);
}

static void
diff_number(double x, struct listing *l)
{
    char text[STR_F64_MAX];

    str_from_number(x, 4, text);
    listing_addf(l, "%s%s", x >= 0 ? "+" : "", text);
}

static void
diff_value(const char *name, const struct json *a, const struct json *b,
           struct listing *l)
{
    struct buf ta, tb;

    buf_init(&ta);
    buf_init(&tb);
    print_value(a, &ta);
    print_value(b, &tb);
    listing_add(l, name);
    listing_add(l, ta.data);
    listing_add(l, tb.data);
    if (a && b && json_type(a) == JSON_NUMBER && json_type(b) == JSON_NUMBER)
        diff_number(json_number(b) - json_number(a), l);
    else
        listing_add(l, strcmp(ta.data, tb.data) == 0 ? "=" : "≠");
    buf_fini(&ta);
    buf_fini(&tb);
}

static bool
same(const struct json *a, const struct json *b)
{
    struct buf ta, tb;
    bool equal;

    buf_init(&ta);
    buf_init(&tb);
    if (a)
        json_print(&ta, a);
    if (b)
        json_print(&tb, b);
    equal = strcmp(ta.data, tb.data) == 0;
    buf_fini(&ta);
    buf_fini(&tb);
    return equal;
}

/* Members of either object, all of them or those that differ; NULL has none. */
static void
diff_members(const struct json *a, const struct json *b, bool all,
             struct listing *l)
{
    for (const struct json *v = a ? json_first(a) : NULL; v; v = json_next(v)) {
        const struct json *o = b ? json_find(b, json_key(v)) : NULL;

        if (all || !o || !same(v, o))
            diff_value(json_key(v), v, o, l);
    }
    for (const struct json *v = b ? json_first(b) : NULL; v; v = json_next(v))
        if (!a || !json_find(a, json_key(v)))
            diff_value(json_key(v), NULL, v, l);
}

static void
diff_options(const struct run *a, const struct run *b, struct listing *l)
{
    struct json *ra = summary_options(a), *rb = summary_options(b);

    diff_members(ra, rb, false, l);
    json_free(ra);
    json_free(rb);
}

static bool
diff_objects(const char *a, const char *b, bool all, struct listing *l,
             struct error *err)
{
    struct json *ra = json_parse(str_of(a && *a ? a : "{}"), err);
    struct json *rb = ra ? json_parse(str_of(b && *b ? b : "{}"), err) : NULL;
    bool ok = rb != NULL;

    if (ok)
        diff_members(ra, rb, all, l);
    json_free(ra);
    json_free(rb);
    return ok;
}

static void
diff_text(const char *name, const char *a, const char *b, struct listing *l)
{
    if (strcmp(a, b) == 0)
        return;
    listing_add(l, name);
    listing_addf(l, "%.40s", a);
    listing_addf(l, "%.40s", b);
    listing_add(l, "≠");
}

static bool
print_diff(const struct run *a, const struct run *b, struct call *c,
           struct error *err)
{
    char name_a[80], name_b[80];
    const char *titles[] = {"", name_a, name_b, ">change", NULL};
    struct listing *l;
    bool ok;

    snprintf(name_a, sizeof name_a, ">%.60s (%.8s)", a->name, a->id);
    snprintf(name_b, sizeof name_b, ">%.60s (%.8s)", b->name, b->id);
    l = listing_new(titles);
    ok = diff_objects(a->metrics, b->metrics, true, l, err) &&
         diff_objects(a->params, b->params, false, l, err);
    diff_options(a, b, l);
    diff_text("family", a->family, b->family, l);
    diff_text("data", a->data, b->data, l);
    diff_text("fingerprint", a->fingerprint, b->fingerprint, l);
    diff_text("target", a->target, b->target, l);
    diff_text("commit", a->git_commit, b->git_commit, l);
    diff_text("source", a->source, b->source, l);
    diff_text("build", a->build, b->build, l);
    if (ok)
        listing_print(l, call_list_width(c), call_out(c));
    listing_free(l);
    return ok;
}

bool
cmd_runs_diff(struct session *s, struct task *t, struct call *c,
              struct error *err)
{
    struct store *store = cmd_store(s, err);
    struct json_writer w;
    struct run a, b;
    bool ok = true;

    (void)t;
    if (!store || !run_find(store, call_text(c, "run"), &a, err))
        return false;
    if (!run_find(store, call_text(c, "other"), &b, err)) {
        run_fini(&a);
        return false;
    }
    if (call_json(c)) {
        cmd_json(c, &w);
        json_open(&w, '[');
        put_run(&w, &a);
        put_run(&w, &b);
        json_close(&w, ']');
        cmd_json_end(c);
    } else {
        ok = print_diff(&a, &b, c, err);
    }
    run_fini(&a);
    run_fini(&b);
    return ok;
}

/* ---- rm, export ---- */

bool
cmd_runs_rm(struct session *s, struct task *t, struct call *c,
            struct error *err)
{
    struct store *store = cmd_store(s, err);
    bool undo = call_flag(c, "undo");

    (void)t;
    for (size_t i = 0; store && i < call_count(c, "run"); i++) {
        const char *id = call_nth(c, "run", i);
        struct run r;

        if (undo) {
            if (!run_delete(store, id, true, err))
                return false;
            buf_printf(call_out(c), "%s is back\n", id);
            continue;
        }
        if (!run_find(store, id, &r, err))
            return false;
        if (!run_delete(store, r.id, false, err)) {
            run_fini(&r);
            return false;
        }
        buf_printf(call_out(c), "deleted %s (lathe runs rm --undo %s)\n",
                   r.name, r.id);
        run_fini(&r);
    }
    session_notify(s, TOPIC_RUNS);
    return store != NULL;
}

bool
cmd_runs_export(struct session *s, struct task *t, struct call *c,
                struct error *err)
{
    const char *path = call_text(c, "out");
    struct series_list series;
    struct json_writer w;
    struct run r;
    bool ok = true;

    (void)t;
    if (!find_with_series(s, call_text(c, "run"), &r, &series, err))
        return false;
    cmd_json(c, &w);
    json_open(&w, '{');
    json_name(&w, "run");
    put_run(&w, &r);
    json_name(&w, "series");
    put_series(&w, &series);
    json_close(&w, '}');
    cmd_json_end(c);
    if (path) {
        ok = file_replace(path, call_out(c)->data, call_out(c)->len, 0644, err);
        buf_clear(call_out(c));
    }
    series_list_fini(&series);
    run_fini(&r);
    return ok;
}
