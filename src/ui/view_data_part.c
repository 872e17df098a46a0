/* ui/view_data_part.c -- the profile of the rows that a filter leaves.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/mem.h"
#include "frame/gather.h"
#include "ui/tether.h"
#include "ui/ui.h"

enum { MEMORY_SHARE = 8, CELL_BYTES = 8 };

/* Of these rows of a table; with no profile, while it is made. */
struct data_part {
    struct frame *all; /* references */
    char *filter, *target;
    struct profile *profile;
};

struct parting {
    char table[256];
    struct rowset *rows;
    struct data_part *part;
    struct tether *view;
};

static struct data_part *
part_new(const struct table *t)
{
    struct data_part *p = mem_new(sizeof *p);

    p->all = frame_ref(t->all);
    p->filter = mem_text(t->steps->filter);
    p->target = mem_text(t->target ? t->target : "");
    return p;
}

void
data_part_free(struct data_part *p)
{
    if (!p)
        return;
    profile_free(p->profile);
    frame_unref(p->all);
    free(p->filter);
    free(p->target);
    free(p);
}

/* Is it of what shows?  An order of rows makes no difference. */
static bool
is_of(const struct data_part *p, const struct table *t)
{
    return p && p->all == t->all && strcmp(p->filter, t->steps->filter) == 0 &&
           strcmp(p->target, t->target ? t->target : "") == 0;
}

static bool
run_part(struct task *t, void *ctx, struct error *err)
{
    struct parting *w = ctx;
    struct data_part *p = w->part;
    struct profile_options o = {.target = p->target[0] ? p->target : NULL};
    struct pool *pool = session_pool(task_session(t));
    struct frame *f =
        gather_frame(p->all, rowset_ids(w->rows), rowset_n(w->rows), pool, err);

    if (f && progress_check(task_progress(t), err))
        p->profile = profile_new(f, &o, pool, task_progress(t), err);
    frame_unref(f);
    return p->profile;
}

static void
part_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct parting *w = ctx;
    struct view_data *d = tether_end(w->view);
    struct table *table = d ? data_table(d) : NULL;

    (void)err; /* the numbers stay those of all rows */
    if (d && d->parting == t)
        d->parting = NULL;
    if (ok && table && strcmp(table->name, w->table) == 0 &&
        is_of(w->part, table)) {
        data_part_free(d->look->part);
        d->look->part = w->part;
        w->part = NULL;
        ui_answer(d->view.ui);
    }
    data_part_free(w->part);
    rowset_unref(w->rows);
    free(w);
}

static bool
fits(const struct table *t)
{
    double bytes = (double)rowset_n(t->rows) * (double)frame_cols(t->all) *
                   (double)CELL_BYTES;

    return bytes < (double)(budget_bytes() / MEMORY_SHARE);
}

void
data_part_ask(struct view_data *d, const struct table *t)
{
    struct parting *w;

    if (!t->steps->filter[0] || !t->rows || is_of(d->look->part, t))
        return;
    if (d->parting)
        task_cancel(d->parting);
    d->parting = NULL;
    if (!fits(t))
        return;
    w = mem_new(sizeof *w);
    snprintf(w->table, sizeof w->table, "%s", t->name);
    w->rows = rowset_ref(t->rows);
    w->part = part_new(t);
    w->view = tether_hold(d->tether);
    d->parting =
        task_start(data_session(d),
                   &(struct task_spec){.title = "profile the rows that match",
                                       .run = run_part,
                                       .done = part_done,
                                       .ctx = w,
                                       .of = {w->part->all},
                                       .brief = true});
}

const struct table *
data_part_seen(struct view_data *d, struct table *as)
{
    const struct table *t = data_table(d);

    if (!t || !t->steps->filter[0] || !is_of(d->look->part, t))
        return t;
    *as = *t;
    as->profile = d->look->part->profile;
    as->profile_beyond = true; /* other rows than those of `all` */
    return as;
}
