/* ui/view_data_beyond.c -- tables beyond memory, of which the first rows show.
 *
 * What these are asked goes through the file as a stream, by way of
 * data_make(): with progress, in the background, until Esc.
 *
 *   filter, sort, keep, leave out, sample   another table of what comes out,
 *                                           when that fits; of a sort the top
 *   frequency, groups, joins, missing ...   the same sheets, of all rows
 *   profile                                 takes the place of the first rows'
 *   computed, renamed, hidden columns       steps as ever: part of the above
 *   find, charts, types                     of the first rows, and say so
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/gather.h"
#include "frame/overview.h"
#include "frame/profile_stream.h"
#include "frame/stream_verbs.h"
#include "ui/ui.h"

enum { TOP_ROWS = 100000 }; /* that a sort gives */

/* ---- words ---- */

bool
data_beyond_words(const struct table *t, struct buf *out)
{
    char first[STR_F64_MAX];

    if (!t || !t->beyond)
        return false;
    str_from_count(frame_rows(t->base), first);
    buf_printf(out, "first %s of ", first);
    beyond_put_rows(t->beyond, out);
    return true;
}

void
data_beyond_size(const struct table *t, char *out, size_t size)
{
    char n[STR_F64_MAX];
    struct buf rows;

    buf_init(&rows);
    str_from_count(frame_rows(t->frame), n);
    if (t->beyond)
        beyond_put_rows(t->beyond, &rows);
    else
        buf_puts(&rows, n);
    snprintf(out, size, "%s × %zu", rows.data, frame_cols(t->frame));
    buf_fini(&rows);
}

/* Too much came out: what to do. */
static bool
advise(const struct data_making *m, struct error *err)
{
    if (err->code == ERR_LIMIT)
        error_prefix(err,
                     "filter further, sample with gx, or write it all: :query "
                     "%s ... --out FILE.parquet: ",
                     file_base(m->beyond->path));
    return false;
}

/* ---- rows ---- */

struct stream *
data_beyond_stream(struct data_making *m, struct task *t, struct error *err)
{
    return beyond_open(m->beyond, m->steps, TOP_ROWS, t, err);
}

bool
data_beyond_where(struct data_making *m, struct task *t, struct error *err)
{
    struct stream *s = data_beyond_stream(m, t, err);

    if (s && m->text[0])
        s = stream_where(s, m->text, err);
    m->made = s ? stream_collect(s, err) : NULL;
    stream_close(s);
    return m->made || advise(m, err);
}

/* "filter x > 1" */
static void
put_suffix(const struct steps *s, struct buf *out)
{
    buf_printf(out, "%.150s", s->filter);
    for (size_t i = 0; i < s->sort.n; i++)
        buf_printf(out, "%s%s",
                   i          ? ", "
                   : out->len ? " by "
                              : "top by ",
                   s->sort.name[i]);
}

static void
say_top(const struct table *t, const struct steps *s, struct buf *note)
{
    char n[STR_F64_MAX];

    str_from_count(TOP_ROWS, n);
    if (s->sort.n > 0)
        buf_printf(note,
                   "of all rows of %s the first %s in this order; q goes "
                   "back",
                   t->name, n);
    else
        buf_printf(note, "all rows of %s that match; q goes back", t->name);
}

/* What is behind the steps of a filter and a sort, which are lines before. */
static void
put_scan(const struct steps *s, struct buf *out)
{
    buf_puts(out, s->sort.n > 0 ? "limit(" : "collect()");
    if (s->sort.n > 0)
        buf_printf(out, "%d):collect()", TOP_ROWS);
}

void
data_beyond_rows(struct view_data *d, struct table *t,
                 const struct steps *steps)
{
    struct buf suffix, scan, note;

    buf_init(&suffix);
    buf_init(&scan);
    buf_init(&note);
    put_suffix(steps, &suffix);
    put_scan(steps, &scan);
    say_top(t, steps, &note);
    data_make(d, &(struct data_make){.of = t,
                                     .suffix = suffix.data,
                                     .call = "",
                                     .scan = scan.data,
                                     .steps = steps,
                                     .note = note.data,
                                     .make = data_beyond_where});
    buf_fini(&suffix);
    buf_fini(&scan);
    buf_fini(&note);
}

/* ---- a sample, also of tables in memory ---- */

static bool
make_sample(struct data_making *m, struct task *t, struct error *err)
{
    double amount = strtod(m->text, NULL);
    struct pool *pool = data_pool_of(t);
    struct frame *f;
    struct stream *s;

    if (m->beyond) {
        s = data_beyond_stream(m, t, err);
        if (s && (s = stream_sample(s, amount, 1, err)))
            m->made = stream_collect(s, err);
        stream_close(s);
        return m->made || advise(m, err);
    }
    if ((f = data_gather_shown(m, t, err)))
        m->made = verb_sample(f, amount, 1, pool, err);
    frame_unref(f);
    return m->made;
}

/* "1000", "5%", "0.05" */
static bool
parse_amount(const char *text, double *amount)
{
    struct str s = str_trim(str_of(text));
    bool percent = s.n > 0 && s.p[s.n - 1] == '%';

    s.n -= percent;
    if (!str_to_f64(str_trim(s), amount) || !(*amount > 0))
        return false;
    *amount = percent ? *amount / 100 : *amount;
    return *amount >= 1 ? *amount < 4e9 && !percent : true;
}

void
data_beyond_sample(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    char number[STR_F64_MAX], method[64], suffix[64];
    double amount;

    if (!call->arg || !call->arg[0] || !data_whole_table(d))
        return;
    if (!parse_amount(call->arg, &amount)) {
        ui_message(v->ui, MESSAGE_ERROR,
                   "a sample is a number of rows, or a share of them: 10000 or "
                   "1%%");
        return;
    }
    if (amount >= 1)
        snprintf(number, sizeof number, "%.0f", amount);
    else
        str_from_f64(amount, number);
    snprintf(method, sizeof method, "sample(%s, { seed = 1 })", number);
    snprintf(suffix, sizeof suffix, "sample %.40s", call->arg);
    data_make(d, &(struct data_make){.suffix = suffix,
                                     .call = method,
                                     .collect = true,
                                     .text = number,
                                     .note = "drawn from all rows; q goes back",
                                     .make = make_sample});
}

/* ---- the profile of all rows ---- */

/* Of a table about columns the rows of those that show. */
static struct frame *
of_shown(const struct frame *about, const struct frame *shown,
         struct error *err)
{
    size_t n = 0, rows = frame_rows(about);
    uint32_t *ids = mem_new((rows + 1) * sizeof *ids);
    const struct column *names = frame_column(about, 0);
    struct frame *out;

    for (size_t i = 0; i < rows; i++) {
        struct str s = column_text(names, i);
        char *name = mem_new(s.n + 1);

        memcpy(name, s.p, s.n);
        if (frame_find(shown, name) >= 0)
            ids[n++] = (uint32_t)i;
        free(name);
    }
    out = gather_frame(about, ids, n, NULL, err);
    free(ids);
    return out;
}

/* And of its columns behind the first. */
static struct frame *
related_shown(const struct frame *about, const struct frame *shown,
              struct error *err)
{
    size_t n = 0, *col = mem_new((frame_cols(about) + 1) * sizeof *col);
    struct frame *out;

    for (size_t i = 0; i < frame_cols(about); i++)
        if (i == 0 || frame_find(shown, frame_name(about, i)) >= 0)
            col[n++] = i;
    out = frame_select(about, col, n, err);
    free(col);
    return out;
}

static struct frame *
about_columns(const struct profile *p, enum table_kind kind,
              const struct frame *shown, struct error *err)
{
    bool relations = kind == TABLE_RELATIONS;
    struct frame *all = relations ? overview_relations(p, RELATION_AUTO, err)
                                  : overview_describe(p, err);
    struct frame *some = all ? of_shown(all, shown, err) : NULL;
    struct frame *out =
        some && relations ? related_shown(some, shown, err) : frame_ref(some);

    frame_unref(all);
    frame_unref(some);
    return out;
}

/* Hidden columns, too: they may show again. */
static struct profile *
profile_all(struct data_making *m, struct task *t, struct error *err)
{
    struct profile_options o = {.target = m->text[0] ? m->text : NULL};
    struct steps *edits = steps_copy(m->steps);
    struct profile *p = NULL;
    struct stream *s;

    steps_unhide(edits, m->of.all, NULL);
    steps_order(edits, m->of.all);
    s = beyond_open(m->beyond, edits, 0, t, err);
    if (s)
        p = profile_stream(s, &o, task_progress(t), err);
    stream_close(s);
    steps_free(edits);
    return p;
}

bool
data_beyond_profiled(struct data_making *m, struct task *t, struct error *err)
{
    m->profile = profile_all(m, t, err);
    if (m->profile && !m->page)
        m->made = about_columns(m->profile, m->kind, m->of.frame, err);
    return m->profile && (m->page || m->made);
}

static void
show_page(struct view_data *d, const struct table *t)
{
    struct buf b;

    buf_init(&b);
    profile_print(t->profile, 100, true, &b);
    ui_page(d->view.ui, t->name, b.data, b.len);
    buf_fini(&b);
}

bool
data_beyond_keep(struct view_data *d, struct session *s, struct data_making *m)
{
    struct table *t = m->profile ? data_find_table(s, m->parent) : NULL;
    const char *target = t && t->target ? t->target : "";

    if (t && t->beyond == m->beyond && t->all == m->of.all &&
        strcmp(target, m->text) == 0) {
        profile_free(t->profile);
        t->profile = m->profile;
        t->profile_beyond = true;
        m->profile = NULL;
        session_touch_table(s, t);
        if (m->page && d && data_table(d) == t)
            show_page(d, t);
    }
    profile_free(m->profile);
    m->profile = NULL;
    return m->page;
}

void
data_beyond_page(struct view_data *d, struct table *t)
{
    if (t->profile_beyond) {
        show_page(d, t);
        return;
    }
    ui_message(d->view.ui, MESSAGE_INFO,
               "going through all rows of %s; Esc stops", t->name);
    data_make(d, &(struct data_make){.of = t,
                                     .suffix = "profile",
                                     .call = "",
                                     .scan = "profile()",
                                     .text = t->target,
                                     .page = true,
                                     .make = data_beyond_profiled});
}
