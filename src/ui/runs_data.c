/* ui/runs_data.c -- the runs of the project and their curves.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/runs_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "session/live.h"
#include "ui/loader.h"

enum { CACHE = 24, LIST_MAX = 10000, FAR = 64 };

struct curve {
    run_id id; /* "": free */
    struct series_list list;
    uint64_t version; /* of the live run it was copied from */
    uint64_t used;    /* the oldest is given up */
    bool live, there;
};

struct parsed { /* when somebody looks; most of 10,000 runs nobody does */
    struct json *metrics, *params;
    bool done;
};

struct runs_data {
    struct session *session;
    void (*changed)(void *ctx);
    void *ctx;
    struct loader *lists, *curves;
    bool loaded;
    struct run_list list;
    struct parsed *parsed; /* one a run */
    char error[ERROR_MESSAGE_MAX];
    struct curve curve[CACHE];
    uint64_t clock;
};

static void
list_fini(struct runs_data *d)
{
    for (size_t i = 0; d->parsed && i < d->list.n; i++) {
        json_free(d->parsed[i].metrics);
        json_free(d->parsed[i].params);
    }
    free(d->parsed);
    d->parsed = NULL;
    run_list_fini(&d->list);
    d->list = (struct run_list){0};
}

static const struct loader_class list_loader, curve_loader;

struct runs_data *
runs_data_new(struct session *s, void (*changed)(void *ctx), void *ctx)
{
    struct runs_data *d = mem_new(sizeof *d);

    d->session = s;
    d->changed = changed;
    d->ctx = ctx;
    d->lists = loader_new(s, &list_loader, d);
    d->curves = loader_new(s, &curve_loader, d);
    return d;
}

void
runs_data_free(struct runs_data *d)
{
    if (!d)
        return;
    loader_free(d->lists);
    loader_free(d->curves);
    list_fini(d);
    for (size_t i = 0; i < CACHE; i++)
        series_list_fini(&d->curve[i].list);
    free(d);
}

/* ---- the list ---- */

static bool
load_list(struct task *t, const char *arg, void *out, struct error *err)
{
    struct store *s = session_store(task_session(t), false, err);

    (void)arg;
    if (s)
        return run_list(s, LIST_MAX, out, err);
    return err->code == ERR_NOTFOUND; /* a project without a store: no runs */
}

static struct json *
parse_object(const char *text)
{
    struct error err;
    struct json *v = json_parse(str_of(text), &err);

    if (v && json_type(v) != JSON_OBJECT) {
        json_free(v);
        v = NULL;
    }
    return v;
}

static bool
same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Runs that have not changed keep what was parsed of them.  Both lists are
 * newest first, so one walk finds them. */
static void
keep_parsed(struct runs_data *d, const struct run_list *list,
            struct parsed *parsed)
{
    size_t old = 0;

    for (size_t i = 0; d->parsed && i < list->n; i++) {
        const struct run *now = &list->run[i], *was;
        size_t k = old;

        while (k < d->list.n && k < old + FAR &&
               strcmp(d->list.run[k].id, now->id) != 0)
            k++;
        if (k == d->list.n || k == old + FAR)
            continue;
        old = k + 1;
        was = &d->list.run[k];
        if (same_text(was->metrics, now->metrics) &&
            same_text(was->params, now->params)) {
            parsed[i] = d->parsed[k];
            d->parsed[k] = (struct parsed){0};
        }
    }
}

static void
list_loaded(void *ctx, const char *arg, void *out, bool ok,
            const struct error *err)
{
    struct runs_data *d = ctx;
    struct run_list *list = out;

    (void)arg;
    d->loaded = true;
    snprintf(d->error, sizeof d->error, "%s", ok ? "" : err->message);
    if (ok) {
        struct parsed *parsed = mem_new((list->n + 1) * sizeof *parsed);

        keep_parsed(d, list, parsed);
        list_fini(d);
        d->list = *list;
        d->parsed = parsed;
        *list = (struct run_list){0};
    }
    d->changed(d->ctx);
}

static const struct parsed *
parsed_of(const struct runs_data *d, size_t i)
{
    struct parsed *p = &d->parsed[i];

    if (!p->done) {
        p->metrics = parse_object(d->list.run[i].metrics);
        p->params = parse_object(d->list.run[i].params);
        p->done = true;
    }
    return p;
}

static void
free_list(void *out)
{
    run_list_fini(out);
}

static const struct loader_class list_loader = {
    sizeof(struct run_list), load_list, list_loaded, free_list};

void
runs_data_reload(struct runs_data *d)
{
    loader_ask(d->lists, NULL);
}

bool
runs_data_loaded(const struct runs_data *d)
{
    return d->loaded;
}

const char *
runs_data_error(const struct runs_data *d)
{
    return d->error;
}

size_t
runs_data_count(const struct runs_data *d)
{
    return d->list.n;
}

const struct run *
runs_data_run(const struct runs_data *d, size_t i)
{
    return &d->list.run[i];
}

size_t
runs_data_find(const struct runs_data *d, const char *id)
{
    for (size_t i = 0; i < d->list.n; i++)
        if (strcmp(d->list.run[i].id, id) == 0 ||
            strcmp(d->list.run[i].name, id) == 0)
            return i;
    return SIZE_MAX;
}

const struct json *
runs_data_metrics(const struct runs_data *d, size_t i)
{
    return parsed_of(d, i)->metrics;
}

const struct json *
runs_data_params(const struct runs_data *d, size_t i)
{
    return parsed_of(d, i)->params;
}

bool
runs_data_headline(const struct runs_data *d, size_t i, const char **name,
                   double *value)
{
    static const char *const wanted[] = {
        "test.auc",      "auc",      "valid.auc", "test.accuracy",
        "accuracy",      "test.r2",  "r2",        "valid.accuracy",
        "valid.logloss", "valid.r2", "valid.rmse"};
    const struct json *m = parsed_of(d, i)->metrics;
    const struct json *v = NULL;

    for (size_t k = 0; m && !v && k < sizeof wanted / sizeof *wanted; k++)
        v = json_find(m, wanted[k]);
    if (m && !v)
        v = json_first(m);
    if (!v || json_type(v) != JSON_NUMBER)
        return false;
    *name = json_key(v);
    *value = json_number(v);
    return true;
}

/* ---- curves ---- */

static struct curve *
find_curve(struct runs_data *d, const char *id)
{
    for (size_t i = 0; i < CACHE; i++)
        if (strcmp(d->curve[i].id, id) == 0)
            return &d->curve[i];
    return NULL;
}

static struct curve *
new_curve(struct runs_data *d, const char *id)
{
    struct curve *c = &d->curve[0];

    for (size_t i = 1; i < CACHE; i++)
        if (d->curve[i].used < c->used)
            c = &d->curve[i];
    series_list_fini(&c->list);
    *c = (struct curve){0};
    snprintf(c->id, sizeof c->id, "%s", id);
    return c;
}

static bool
load_curve(struct task *t, const char *arg, void *out, struct error *err)
{
    struct store *s = session_store(task_session(t), false, err);

    return s && run_series(s, arg, out, err);
}

/* One curve is loaded at a time: when it has come, what is still wanted is
 * asked for by the frame that draws it. */
static void
curve_loaded(void *ctx, const char *arg, void *out, bool ok,
             const struct error *err)
{
    struct runs_data *d = ctx;
    struct curve *c = find_curve(d, arg);
    struct series_list *list = out;

    (void)err;
    if (c && !c->live) {
        if (ok) {
            series_list_fini(&c->list);
            c->list = *list;
            *list = (struct series_list){0};
        }
        c->there = true; /* a failed load is not tried again every frame */
    }
    d->changed(d->ctx);
}

static void
free_curve(void *out)
{
    series_list_fini(out);
}

static const struct loader_class curve_loader = {
    sizeof(struct series_list), load_curve, curve_loaded, free_curve};

const struct series_list *
runs_data_series(struct runs_data *d, const char *id)
{
    struct live *live = session_live(d->session);
    struct curve *c = find_curve(d, id);
    struct series_list fresh;
    uint64_t version;

    if (!c)
        c = new_curve(d, id);
    c->used = ++d->clock;
    version = live_version(live, id);
    if (version != 0 && (!c->live || version != c->version) &&
        live_series(live, id, &fresh)) {
        series_list_fini(&c->list);
        c->list = fresh;
        c->version = version;
        c->live = c->there = true;
    }
    if (!c->there && !loader_busy(d->curves))
        loader_ask(d->curves, id);
    return c->there ? &c->list : NULL;
}

const struct series *
series_by_name(const struct series_list *l, const char *name)
{
    for (size_t i = 0; l && i < l->n; i++)
        if (strcmp(l->series[i].name, name) == 0)
            return &l->series[i];
    return NULL;
}
