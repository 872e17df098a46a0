/* ui/view_data_make.c -- what is made from a table in the background: its
 * profile, frequencies, derived columns, a file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/sink.h"
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
    return t->all == p->frame && (t->target != NULL) == (p->target != NULL) &&
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
    if (ok && table && is_of(p, table) && !table->profile_beyond) {
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
    p->frame = frame_ref(t->all);
    p->target = mem_text(t->target);
    p->view = tether_hold(d->tether);
    snprintf(title, sizeof title, "profile %s", t->name);
    task_start(data_session(d), &(struct task_spec){.title = title,
                                                    .run = run_profile,
                                                    .done = profile_done,
                                                    .ctx = p,
                                                    .of = {p->frame}});
}

/* ---- other tables ---- */

static bool
run_making(struct task *t, void *ctx, struct error *err)
{
    struct data_making *m = ctx;

    return m->make(m, t, err);
}

/* ---- what is said of it, and how it is stopped ---- */

static void
forget_making(struct view_data *d)
{
    d->making = NULL;
    loop_remove(d->making_timer);
    d->making_timer = NULL;
    ui_touch(d->view.ui);
}

static void
making_goes_on(void *ctx, int events)
{
    struct view_data *d = ctx;

    (void)events;
    ui_touch(d->view.ui);
}

/* One that is under way goes on unseen: it is listed in Jobs. */
static void
watch_making(struct view_data *d, struct task *t)
{
    d->making = t;
    loop_remove(d->making_timer);
    d->making_timer =
        loop_timer(ui_loop(d->view.ui), TASK_BRIEF_MS, true, making_goes_on, d);
}

bool
data_make_stop(struct view_data *d)
{
    if (!d->making)
        return false;
    task_cancel(d->making);
    forget_making(d);
    ui_message(d->view.ui, MESSAGE_INFO, "stopped");
    return true;
}

void
data_make_words(struct view_data *d, struct buf *out)
{
    struct task_view v;

    if (!d->making)
        return;
    task_look(d->making, &v);
    if (loop_wall_ms() - v.start_ms < TASK_BRIEF_MS)
        return;
    buf_printf(out, "%s%s", out->len ? " · " : "",
               v.stage ? v.stage : "waiting");
    if (v.total > 0)
        buf_printf(out, " %.0f%%",
                   100 * fmin(1, (double)v.done / (double)v.total));
    buf_puts(out, "… Esc stops");
}

static void
making_free(struct data_making *m)
{
    frame_unref(m->made);
    frame_unref(m->values);
    profile_free(m->profile);
    shown_fini(&m->of);
    shown_fini(&m->with);
    beyond_unref(m->beyond);
    beyond_unref(m->beyond_with);
    steps_free(m->steps);
    origin_fini(&m->origin);
    free(m->text);
    free(m);
}

static void
add_made(struct data_making *m, struct session *s, struct view_data *d)
{
    struct table *table;

    if (data_beyond_keep(d, s, m))
        return;
    table = session_add_table(s, m->name, "", m->made);
    table->tally = m->tally;
    table->kind = m->kind;
    table->parent = mem_text(m->parent);
    table->about = m->about[0] ? mem_text(m->about) : NULL;
    table->n_keys = m->n_keys;
    table->values = m->values;
    m->values = NULL;
    session_set_origin(s, table, &m->origin);
    if (d && !d->before) /* else something newer is looked at */
        data_enter_table(d, table);
    if (d && m->note[0])
        ui_message(d->view.ui, MESSAGE_INFO, "%s", m->note);
}

static void
making_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct data_making *m = ctx;
    struct session *s = task_session(t);
    struct view_data *d = tether_end(m->view);

    if (d && d->making == t)
        forget_making(d);
    if (ok && !progress_stopped(task_progress(t)))
        add_made(m, s, d);
    else if (!ok && err->code != ERR_CANCELLED)
        session_message(s, MESSAGE_ERROR, "%s", err->message);
    making_free(m);
}

static void
show_of(const struct table *t, struct shown *out)
{
    *out = (struct shown){frame_ref(t->all), frame_ref(t->frame),
                          rowset_ref(t->rows)};
}

/* Is there a way to it, when tables are beyond memory? */
static bool
can_make(struct view_data *d, const struct table *t,
         const struct data_make *what)
{
    if (t->beyond && !what->scan && !what->collect) {
        ui_message(d->view.ui, MESSAGE_INFO,
                   "%s is larger than memory: f or gx makes a smaller table "
                   "that can tell",
                   t->name);
        return false;
    }
    if (!t->beyond && what->other && what->other->beyond) {
        ui_message(d->view.ui, MESSAGE_INFO,
                   "%s is larger than memory: join from there, with %s",
                   what->other->name, t->name);
        return false;
    }
    return true;
}

static void
put_origin(struct data_making *m, const struct table *t,
           const struct data_make *what)
{
    struct table as = *t; /* by the steps that are asked for */
    struct buf call;

    buf_init(&call);
    buf_puts(&call, t->beyond && !what->collect ? what->scan : what->call);
    if (t->beyond && what->collect)
        buf_puts(&call, ":collect()");
    as.steps = m->steps;
    if (what->other)
        origin_call_with(&m->origin, t, what->other, call.data);
    else
        origin_call(&m->origin, t->beyond ? &as : t, call.data);
    buf_fini(&call);
}

static struct data_making *
making_new(struct view_data *d, const struct table *t,
           const struct data_make *what)
{
    struct data_making *m = mem_new(sizeof *m);

    m->kind = what->kind;
    m->n_keys = what->n_keys;
    snprintf(m->about, sizeof m->about, "%s", what->about ? what->about : "");
    snprintf(m->note, sizeof m->note, "%s", what->note ? what->note : "");
    snprintf(m->parent, sizeof m->parent, "%s", t->name);
    snprintf(m->name, sizeof m->name, "%s:%s", t->name, what->suffix);
    m->view = tether_hold(d->tether);
    m->beyond = beyond_ref(t->beyond);
    m->steps = steps_copy(t->beyond && what->steps ? what->steps : t->steps);
    show_of(t, &m->of);
    if (what->other) {
        show_of(what->other, &m->with);
        m->beyond_with = beyond_ref(what->other->beyond);
    }
    put_origin(m, t, what);
    m->col = d->look->sheet.col;
    m->make = what->make;
    m->tally = what->tally;
    m->page = what->page;
    m->text = mem_text(what->text ? what->text : "");
    return m;
}

void
data_make(struct view_data *d, const struct data_make *what)
{
    struct table *t = what->of ? what->of : data_whole_table(d);
    struct data_making *m;

    if (!t || !can_make(d, t, what))
        return;
    m = making_new(d, t, what);
    watch_making(d,
                 task_start(data_session(d),
                            &(struct task_spec){.title = m->name,
                                                .run = run_making,
                                                .done = making_done,
                                                .ctx = m,
                                                .of = {m->of.all, m->with.all},
                                                .brief = true}));
}

void
data_show_rejects(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d), *made;
    struct origin o;
    char name[320];

    (void)call;
    if (!t)
        return;
    if (!t->rejects || t->n_rejected == 0) {
        ui_message(v->ui, MESSAGE_INFO, "no row was set aside");
        return;
    }
    snprintf(name, sizeof name, "%s:rejects", t->name);
    origin_rejects(&o, t);
    made = session_add_table(data_session(d), name, "", t->rejects);
    session_set_origin(data_session(d), made, &o);
    data_look_at(d, made);
}

/* ---- export, in the background ---- */

struct writing {
    struct shown shown;
    struct beyond *beyond; /* NULL: shown is all of it */
    struct steps *steps;
    char *path;
};

static bool
run_writing(struct task *t, void *ctx, struct error *err)
{
    struct writing *w = ctx;
    struct stream *s;
    struct frame *f;
    bool ok;

    if (w->beyond) {
        s = beyond_open(w->beyond, w->steps, 0, t, err);
        ok = s && sink_write_stream(s, w->path, NULL, err);
        stream_close(s);
        return ok;
    }
    f = shown_gather(&w->shown, session_pool(task_session(t)), err);
    ok = f && source_write(f, w->path, err);
    frame_unref(f);
    return ok;
}

static void
writing_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct writing *w = ctx;

    session_message(task_session(t), ok ? MESSAGE_INFO : MESSAGE_ERROR,
                    ok ? "wrote %s" : "%s", ok ? w->path : err->message);
    shown_fini(&w->shown);
    beyond_unref(w->beyond);
    steps_free(w->steps);
    free(w->path);
    free(w);
}

void
data_export(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    struct table *t = data_whole_table(d);
    struct writing *w;

    if (!t || !call->arg || !call->arg[0])
        return;
    w = mem_new(sizeof *w);
    show_of(t, &w->shown);
    w->beyond = beyond_ref(t->beyond);
    w->steps = steps_copy(t->steps);
    w->path = call->arg[0] == '/'
                  ? mem_text(call->arg)
                  : file_join(session_project(data_session(d)), call->arg);
    task_start(data_session(d), &(struct task_spec){.title = "write a table",
                                                    .run = run_writing,
                                                    .done = writing_done,
                                                    .ctx = w,
                                                    .of = {w->shown.all}});
}
