/* ui/view_data_make.c -- what is made from a table in the background: its
 * profile, frequencies, derived columns, a file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/expr.h"
#include "frame/query.h"
#include "frame/source.h"
#include "session/task.h"
#include "ui/tether.h"
#include "ui/ui.h"

/* ---- profile, in the background ---- */

struct profiling {
    char table[256];
    struct frame *frame;
    char *target;
    struct profile *profile;
    struct tether *view;
};

static bool
run_profile(struct task *t, void *ctx, struct error *err)
{
    struct profiling *p = ctx;

    p->profile =
        profile_new(p->frame, &(struct profile_options){.target = p->target},
                    session_pool(task_session(t)), task_progress(t), err);
    return p->profile;
}

/* Is it still what the table needs? */
static bool
is_of(const struct profiling *p, const struct table *t)
{
    return t->frame == p->frame && (t->target != NULL) == (p->target != NULL) &&
           (!t->target || strcmp(t->target, p->target) == 0);
}

static void
profile_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct profiling *p = ctx;
    struct session *s = task_session(t);
    struct table *table = data_find_table(s, p->table);
    struct view_data *d = tether_end(p->view);

    if (d)
        d->profiling = false;
    if (ok && table && is_of(p, table)) {
        profile_free(table->profile);
        table->profile = p->profile;
        p->profile = NULL;
        session_touch_table(s, table);
    } else if (!ok && err->code != ERR_CANCELLED) {
        session_message(s, MESSAGE_ERROR, "profile: %s", err->message);
    }
    /* One at a time: what came to hand meanwhile has waited. */
    table = d ? data_table(d) : NULL;
    if (table && !table->profile && !is_of(p, table))
        data_profile(d, table);
    profile_free(p->profile);
    frame_unref(p->frame);
    free(p->target);
    free(p);
}

void
data_profile(struct view_data *d, struct table *t)
{
    struct profiling *p;
    char title[300];

    if (d->profiling)
        return;
    d->profiling = true;
    p = mem_new(sizeof *p);
    snprintf(p->table, sizeof p->table, "%s", t->name);
    p->frame = frame_ref(t->frame);
    p->target = mem_text(t->target);
    p->view = tether_hold(d->tether);
    snprintf(title, sizeof title, "profile %s", t->name);
    task_start(data_session(d), &(struct task_spec){.title = title,
                                                    .run = run_profile,
                                                    .done = profile_done,
                                                    .ctx = p});
}

/* ---- other tables ---- */

/* A table made from the one at hand: frequencies, a description, a derived
 * column. */
struct making {
    struct tether *view;
    struct frame *frame, *made;
    char table[256], name[320], path[256], text[DATA_EXPR_MAX];
    size_t col;
    bool (*make)(struct making *m, struct pool *pool, struct error *err);
    bool replace;
};

static bool
make_frequency(struct making *m, struct pool *pool, struct error *err)
{
    m->made = query_frequency(m->frame, m->col, pool, err);
    return m->made;
}

static bool
run_making(struct task *t, void *ctx, struct error *err)
{
    struct making *m = ctx;

    return m->make(m, session_pool(task_session(t)), err);
}

static void
making_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct making *m = ctx;
    struct session *s = task_session(t);
    struct view_data *d = tether_end(m->view);
    struct table *table = data_find_table(s, m->name);
    char *target;

    if (ok) {
        /* A column more or less leaves the target what it is. */
        target = m->replace && table && table->target &&
                         frame_find(m->made, table->target) >= 0
                     ? mem_text(table->target)
                     : NULL;
        table =
            session_add_table(s, m->name, m->replace ? m->path : "", m->made);
        table->target = target;
        table->tally = m->make == make_frequency;
        if (d && !d->before) /* else something newer is looked at */
            data_look_at(d, table);
    } else {
        session_message(s, MESSAGE_ERROR, "%s", err->message);
    }
    frame_unref(m->made);
    frame_unref(m->frame);
    free(m);
}

static void
start_making(struct view_data *d, const char *suffix, const char *text,
             bool (*make)(struct making *, struct pool *, struct error *))
{
    struct table *t = data_whole_table(d);
    struct making *m;

    if (!t)
        return;
    m = mem_new(sizeof *m);
    m->view = tether_hold(d->tether);
    m->frame = frame_ref(t->frame);
    m->col = d->look->sheet.col;
    m->make = make;
    m->replace = !suffix;
    snprintf(m->text, sizeof m->text, "%s", text ? text : "");
    snprintf(m->path, sizeof m->path, "%s", t->path);
    if (suffix)
        snprintf(m->name, sizeof m->name, "%s:%s", t->name, suffix);
    else
        snprintf(m->name, sizeof m->name, "%s", t->name);
    task_start(data_session(d), &(struct task_spec){.title = "make a table",
                                                    .run = run_making,
                                                    .done = making_done,
                                                    .ctx = m,
                                                    .quiet = true});
}

void
data_make_frequency(struct view *v, const struct view_call *call)
{
    (void)call;
    start_making(data_mine(v), data_column_name(data_mine(v)), NULL,
                 make_frequency);
}

/* "name = expression" */
static bool
make_derived(struct making *m, struct pool *pool, struct error *err)
{
    struct str text = str_of(m->text), name;
    const char *eq = memchr(text.p, '=', text.n);
    struct column *c;
    struct expr *e;
    char copy[128];

    if (!eq || eq[1] == '=')
        return error_set(err, ERR_USAGE, "write it as: name = expression");
    name = str_trim((struct str){text.p, (size_t)(eq - text.p)});
    if (name.n == 0 || name.n >= sizeof copy)
        return error_set(err, ERR_USAGE, "the new column needs a name");
    memcpy(copy, name.p, name.n);
    copy[name.n] = '\0';
    e = expr_parse(str_trim(str_of(eq + 1)), err);
    c = e ? expr_eval(e, m->frame, pool, err) : NULL;
    expr_free(e);
    m->made = c ? frame_with(m->frame, copy, c, err) : NULL;
    return m->made;
}

void
data_make_derived(struct view *v, const struct view_call *call)
{
    if (call->arg && call->arg[0])
        start_making(data_mine(v), NULL, call->arg, make_derived);
}

static bool
make_hidden(struct making *m, struct pool *pool, struct error *err)
{
    const char *name = frame_name(m->frame, m->col);

    (void)pool;
    m->made = frame_drop(m->frame, &name, 1, err);
    return m->made;
}

void
data_make_hidden(struct view *v, const struct view_call *call)
{
    (void)call;
    start_making(data_mine(v), NULL, NULL, make_hidden);
}

/* ---- export, in the background ---- */

struct writing {
    struct frame *frame;
    uint32_t *rows; /* those that pass the filter, in their order; NULL: all */
    size_t n_rows;
    char *path;
};

static bool
run_writing(struct task *t, void *ctx, struct error *err)
{
    struct writing *w = ctx;
    struct frame *shown = w->frame;
    bool ok;

    (void)t;
    if (w->rows)
        shown = frame_take(w->frame, w->rows, w->n_rows, err);
    ok = shown && source_write(shown, w->path, err);
    if (w->rows)
        frame_unref(shown);
    return ok;
}

static void
writing_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct writing *w = ctx;

    session_message(task_session(t), ok ? MESSAGE_INFO : MESSAGE_ERROR,
                    ok ? "wrote %s" : "%s", ok ? w->path : err->message);
    frame_unref(w->frame);
    free(w->rows);
    free(w->path);
    free(w);
}

void
data_export(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);
    struct writing *w;
    struct error err;

    if (!t || !call->arg || !call->arg[0])
        return;
    w = mem_new(sizeof *w);
    if (d->look->sheet.rows && d->look->sheet.frame == t->frame) {
        w->n_rows = d->look->sheet.n_rows;
        w->rows = mem_try_array(w->n_rows + 1, sizeof *w->rows, &err);
        if (!w->rows) {
            ui_error(v->ui, &err);
            free(w);
            return;
        }
        memcpy(w->rows, d->look->sheet.rows, w->n_rows * sizeof *w->rows);
    }
    w->frame = frame_ref(t->frame);
    w->path = call->arg[0] == '/'
                  ? mem_text(call->arg)
                  : file_join(session_project(data_session(d)), call->arg);
    task_start(data_session(d), &(struct task_spec){.title = "write a table",
                                                    .run = run_writing,
                                                    .done = writing_done,
                                                    .ctx = w});
}
