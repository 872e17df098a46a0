/* ui/view_data_join.c -- the table at hand joined with another one.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/recipe.h"
#include "frame/stream_verbs.h"
#include "ui/ui.h"

/* "a=b" as "b=a". */
static char **
turned_keys(const struct recipe *r)
{
    char **by = mem_new((r->n_by + 1) * sizeof *by);

    for (size_t i = 0; i < r->n_by; i++) {
        const char *eq = strchr(r->by[i], '=');
        struct buf b;

        buf_init(&b);
        if (eq)
            buf_printf(&b, "%s=%.*s", eq + 1, (int)(eq - r->by[i]), r->by[i]);
        else
            buf_puts(&b, r->by[i]);
        by[i] = buf_take(&b);
    }
    return by;
}

/* Rows of a that have a partner in b. */
static bool
count_matched(const struct frame *a, const struct frame *b, char **by,
              struct task *t, size_t *n, struct error *err)
{
    struct join_options o = {.how = JOIN_SEMI, .by = (const char *const *)by};
    struct frame *f =
        join_frames(a, b, &o, data_pool_of(t), task_progress(t), err);

    *n = f ? frame_rows(f) : 0;
    frame_unref(f);
    return f;
}

static bool
say_matched(struct data_making *m, const struct recipe *r,
            const struct frame *left, const struct frame *right, struct task *t,
            struct error *err)
{
    char **turned, a[4][STR_F64_MAX];
    size_t n_left, n_right;
    bool ok;

    if (r->how == JOIN_ASOF) /* near, not equal */
        return true;
    turned = turned_keys(r);
    ok = count_matched(left, right, r->by, t, &n_left, err) &&
         count_matched(right, left, turned, t, &n_right, err);
    for (size_t i = 0; i < r->n_by; i++)
        free(turned[i]);
    free(turned);
    if (!ok)
        return false;
    str_from_count(n_left, a[0]);
    str_from_count(frame_rows(left), a[1]);
    str_from_count(n_right, a[2]);
    str_from_count(frame_rows(right), a[3]);
    snprintf(m->note, sizeof m->note,
             "%s of %s rows here have a partner, %s of %s there", a[0], a[1],
             a[2], a[3]);
    return true;
}

/* The left one is beyond memory, the right one may be. */
static bool
join_beyond(struct data_making *m, struct task *t, struct error *err)
{
    struct stream *s = data_beyond_stream(m, t, err), *with = NULL;
    struct frame *right = NULL;
    struct recipe r = {0};
    struct join_options o = {0};
    bool ok = s && recipe_parse_join(m->text, &r, err);

    o.how = r.how;
    o.by = (const char *const *)r.by;
    if (ok && m->beyond_with) {
        struct steps *none = steps_new();

        with = beyond_open(m->beyond_with, none, 0, t, err);
        steps_free(none);
        s = with ? stream_join_stream(s, with, &o, err) : s;
        ok = with && s;
    } else if (ok) {
        right = shown_gather(&m->with, data_pool_of(t), err);
        s = right ? stream_join(s, right, &o, err) : s;
        ok = right && s;
    }
    m->made = ok ? stream_collect(s, err) : NULL;
    stream_close(s);
    frame_unref(right);
    recipe_fini(&r);
    return m->made;
}

static bool
make_join(struct data_making *m, struct task *t, struct error *err)
{
    struct frame *left, *right;
    struct recipe r = {0};
    struct join_options o = {0};

    if (m->beyond)
        return join_beyond(m, t, err);
    left = shown_gather(&m->of, data_pool_of(t), err);
    right = left ? shown_gather(&m->with, data_pool_of(t), err) : NULL;
    if (right && recipe_parse_join(m->text, &r, err)) {
        o.how = r.how;
        o.by = (const char *const *)r.by;
        if (say_matched(m, &r, left, right, t, err))
            m->made = join_frames(left, right, &o, data_pool_of(t),
                                  task_progress(t), err);
    }
    recipe_fini(&r);
    frame_unref(left);
    frame_unref(right);
    return m->made;
}

static void
open_join(struct view_data *d, struct table *other, const char *text)
{
    static const char *const words[] = {"inner", "left", "semi", "anti",
                                        "asof"};
    struct recipe r = {0};
    struct error err;
    struct buf call, suffix;

    buf_init(&call);
    buf_init(&suffix);
    if (!recipe_parse_join(text, &r, &err)) {
        ui_error(d->view.ui, &err);
    } else {
        buf_puts(&call, "join(%s, { by = ");
        steps_put_names((const char *const *)r.by, r.n_by, &call);
        buf_printf(&call, ", how = \"%s\" })", words[r.how]);
        buf_printf(&suffix, "%s %s", words[r.how], other->name);
        data_make(d, &(struct data_make){.suffix = suffix.data,
                                         .call = call.data,
                                         .collect = true,
                                         .other = other,
                                         .text = text,
                                         .make = make_join});
    }
    recipe_fini(&r);
    buf_fini(&call);
    buf_fini(&suffix);
}

static void
join_told(void *ctx, const char *text)
{
    struct view_data *d = ctx;
    struct table *other = data_find_table(data_session(d), d->join_with);

    if (text && text[0] && other && data_whole_table(d))
        open_join(d, other, text);
}

static size_t
complete_name(void *ctx, struct str line, size_t at, size_t *begin, char ***out)
{
    static const char *const words[] = {"inner by ", "left by ", "semi by ",
                                        "anti by ", "asof by "};
    const struct frame *f = data_frame(ctx);
    size_t n = 0, cols = f ? frame_cols(f) : 0;

    while (at > 0 && !strchr(" ,=", line.p[at - 1]))
        at--;
    *begin = at;
    *out = mem_new((cols + 5) * sizeof **out);
    for (size_t i = 0; at == 0 && i < 5; i++)
        (*out)[n++] = mem_text(words[i]);
    for (size_t i = 0; at > 0 && i < cols; i++)
        (*out)[n++] = mem_text(frame_name(f, i));
    return n;
}

static void
ask_join(struct view_data *d, const struct table *other)
{
    struct table *t = data_whole_table(d);
    struct buf text;
    char label[160];

    if (!t)
        return;
    snprintf(d->join_with, sizeof d->join_with, "%s", other->name);
    snprintf(label, sizeof label, "join with %.100s: ", other->name);
    buf_init(&text);
    recipe_propose_join(t->frame, other->frame, &text);
    ui_ask(d->view.ui,
           &(struct ui_question){
               .label = label,
               .text = text.data,
               .history = "join",
               .hint = "inner, left, semi, anti or asof, by columns: left by "
                       "id, day = date",
               .complete = complete_name,
               .done = join_told,
               .ctx = d});
    buf_fini(&text);
}

/* The tables but the one at hand. */
static struct table *
other_table(struct view_data *d, size_t i)
{
    return session_table(data_session(d), i < data_table_index(d) ? i : i + 1);
}

static void
join_chosen(void *ctx, size_t chosen)
{
    struct view_data *d = ctx;

    if (chosen + 1 < session_tables(data_session(d)))
        ask_join(d, other_table(d, chosen));
}

void
data_sheet_join(struct view *v, const struct view_call *call)
{
    struct view_data *d = data_mine(v);
    size_t n = session_tables(data_session(d));
    struct ui_menu_item *items;
    char(*notes)[64];

    (void)call;
    if (!data_whole_table(d))
        return;
    if (n < 2) {
        ui_message(v->ui, MESSAGE_INFO,
                   "no other table is open to join with: o opens one");
        return;
    }
    items = mem_new(n * sizeof *items);
    notes = mem_new(n * sizeof *notes);
    for (size_t i = 0; i + 1 < n; i++) {
        const struct table *t = other_table(d, i);

        data_beyond_size(t, notes[i], sizeof notes[i]);
        items[i] = (struct ui_menu_item){t->name, notes[i], t->path};
    }
    ui_menu(v->ui, "join with", items, n - 1, join_chosen, d);
    free(items);
    free(notes);
}
