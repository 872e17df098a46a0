/* session/steps.c -- what has been done to a table.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/steps.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/keyword.h"
#include "base/mem.h"
#include "frame/expr.h"
#include "frame/gather.h"
#include "frame/query.h"
#include "frame/stream_verbs.h"

/* ---- lists of names ---- */

static void
names_insert(struct step_names *l, size_t at, const char *name)
{
    char *own = mem_text(name);

    l->name = mem_grow(l->name, l->n, &l->cap, sizeof *l->name);
    memmove(l->name + at + 1, l->name + at, (l->n - at) * sizeof *l->name);
    l->name[at] = own;
    l->n++;
}

static void
names_add(struct step_names *l, const char *name)
{
    names_insert(l, l->n, name);
}

static void
names_remove(struct step_names *l, size_t at)
{
    free(l->name[at]);
    l->n--;
    memmove(l->name + at, l->name + at + 1, (l->n - at) * sizeof *l->name);
}

static void
names_clear(struct step_names *l)
{
    while (l->n > 0)
        names_remove(l, l->n - 1);
}

static void
names_fini(struct step_names *l)
{
    names_clear(l);
    free(l->name);
}

static void
names_copy(struct step_names *out, const struct step_names *l)
{
    *out = (struct step_names){0};
    for (size_t i = 0; i < l->n; i++)
        names_add(out, l->name[i]);
}

static bool
names_equal(const struct step_names *a, const struct step_names *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++)
        if (strcmp(a->name[i], b->name[i]) != 0)
            return false;
    return a->n == b->n;
}

/* Where it is; n when it is not there. */
static size_t
names_find(const struct step_names *l, const char *name)
{
    size_t i = 0;

    while (i < l->n && strcmp(l->name[i], name) != 0)
        i++;
    return i;
}

static void
names_replace(struct step_names *l, const char *from, const char *to)
{
    size_t i = names_find(l, from);

    if (i < l->n) {
        free(l->name[i]);
        l->name[i] = mem_text(to);
    }
}

/* ---- the value ---- */

struct steps *
steps_new(void)
{
    struct steps *s = mem_new(sizeof *s);

    s->filter = mem_text("");
    return s;
}

static void
add_edit(struct steps *s, bool rename, const char *name, const char *text)
{
    s->edit = mem_grow(s->edit, s->n_edits, &s->cap_edits, sizeof *s->edit);
    s->edit[s->n_edits++] =
        (struct step_edit){rename, mem_text(name), mem_text(text)};
}

struct steps *
steps_copy(const struct steps *s)
{
    struct steps *copy = steps_new();

    for (size_t i = 0; i < s->n_edits; i++)
        add_edit(copy, s->edit[i].rename, s->edit[i].name, s->edit[i].text);
    steps_filter(copy, s->filter);
    names_copy(&copy->sort, &s->sort);
    names_copy(&copy->hidden, &s->hidden);
    names_copy(&copy->order, &s->order);
    return copy;
}

void
steps_free(struct steps *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_edits; i++) {
        free(s->edit[i].name);
        free(s->edit[i].text);
    }
    free(s->edit);
    free(s->filter);
    names_fini(&s->sort);
    names_fini(&s->hidden);
    names_fini(&s->order);
    free(s);
}

/* How many edits they begin with alike. */
static size_t
common_edits(const struct steps *a, const struct steps *b)
{
    size_t i = 0;

    while (i < a->n_edits && i < b->n_edits &&
           a->edit[i].rename == b->edit[i].rename &&
           strcmp(a->edit[i].name, b->edit[i].name) == 0 &&
           strcmp(a->edit[i].text, b->edit[i].text) == 0)
        i++;
    return i;
}

static bool
same_rows(const struct steps *a, const struct steps *b)
{
    return strcmp(a->filter, b->filter) == 0 && names_equal(&a->sort, &b->sort);
}

bool
steps_near(const struct steps *a, const struct steps *b)
{
    return a->n_edits == b->n_edits && common_edits(a, b) == a->n_edits &&
           same_rows(a, b);
}

bool
steps_equal(const struct steps *a, const struct steps *b)
{
    return steps_near(a, b) && names_equal(&a->hidden, &b->hidden) &&
           names_equal(&a->order, &b->order);
}

bool
steps_empty(const struct steps *s)
{
    return s->n_edits == 0 && !s->filter[0] && s->sort.n == 0 &&
           s->hidden.n == 0 && s->order.n == 0;
}

/* ---- doing something ---- */

void
steps_filter(struct steps *s, const char *expression)
{
    char *own = mem_text(expression);

    free(s->filter);
    s->filter = own;
}

void
steps_with(struct steps *s, const char *name, const char *expression)
{
    size_t hidden = names_find(&s->hidden, name);

    add_edit(s, false, name, expression);
    if (hidden < s->hidden.n)
        names_remove(&s->hidden, hidden);
    if (s->order.n > 0 && names_find(&s->order, name) == s->order.n)
        names_add(&s->order, name);
}

static void
rename_in_filter(struct steps *s, const char *from, const char *to)
{
    struct error err;
    struct expr *e = s->filter[0] ? expr_parse(str_of(s->filter), &err) : NULL;
    struct buf text;

    if (!e)
        return;
    buf_init(&text);
    expr_rename(e, from, to, &text);
    steps_filter(s, text.data);
    buf_fini(&text);
    expr_free(e);
}

/* Keys upwards and downwards. */
static void
rename_in_sort(struct steps *s, const char *from, const char *to)
{
    bool descending;
    size_t at = steps_key(s, from, &descending);
    struct buf key;

    if (at == 0)
        return;
    buf_init(&key);
    buf_printf(&key, "%s%s", descending ? "-" : "", to);
    names_remove(&s->sort, at - 1);
    names_insert(&s->sort, at - 1, key.data);
    buf_fini(&key);
}

void
steps_rename(struct steps *s, const char *from, const char *to)
{
    add_edit(s, true, from, to);
    rename_in_filter(s, from, to);
    rename_in_sort(s, from, to);
    names_replace(&s->hidden, from, to);
    names_replace(&s->order, from, to);
}

size_t
steps_key(const struct steps *s, const char *name, bool *descending)
{
    for (size_t i = 0; i < s->sort.n; i++) {
        const char *key = s->sort.name[i];
        bool down = key[0] == '-' && strcmp(key, name) != 0;

        if (strcmp(key + down, name) == 0) {
            *descending = down;
            return i + 1;
        }
    }
    return 0;
}

void
steps_sort(struct steps *s, const char *name, bool descending, bool more)
{
    bool was;
    size_t at = steps_key(s, name, &was);
    struct buf key;

    buf_init(&key);
    buf_printf(&key, "%s%s", descending ? "-" : "", name);
    if (!more)
        names_clear(&s->sort);
    if (more && at > 0) {
        names_remove(&s->sort, at - 1);
        names_insert(&s->sort, at - 1, key.data);
    } else if (s->sort.n < STEPS_MAX_KEYS) {
        names_add(&s->sort, key.data);
    }
    buf_fini(&key);
}

void
steps_unsort(struct steps *s)
{
    names_clear(&s->sort);
}

void
steps_hide(struct steps *s, const char *name)
{
    size_t at = names_find(&s->order, name);

    if (at < s->order.n)
        names_remove(&s->order, at);
    if (names_find(&s->hidden, name) == s->hidden.n)
        names_add(&s->hidden, name);
}

/* Behind the nearest column before it in `all` that shows. */
static size_t
place_of(const struct step_names *order, const struct frame *all,
         const char *name)
{
    for (long i = frame_find(all, name) - 1; i >= 0; i--) {
        size_t at = names_find(order, frame_name(all, (size_t)i));

        if (at < order->n)
            return at + 1;
    }
    return 0;
}

void
steps_unhide(struct steps *s, const struct frame *all, const char *name)
{
    for (size_t i = s->hidden.n; i-- > 0;) {
        const char *one = s->hidden.name[i];

        if (name && strcmp(one, name) != 0)
            continue;
        if (s->order.n > 0)
            names_insert(&s->order, place_of(&s->order, all, one), one);
        names_remove(&s->hidden, i);
    }
}

void
steps_move(struct steps *s, const struct frame *shown, const char *name,
           size_t to)
{
    size_t from;

    if (s->order.n == 0)
        for (size_t i = 0; i < frame_cols(shown); i++)
            names_add(&s->order, frame_name(shown, i));
    from = names_find(&s->order, name);
    if (from == s->order.n)
        return;
    if (to >= s->order.n)
        to = s->order.n - 1;
    names_remove(&s->order, from);
    names_insert(&s->order, to, name);
}

void
steps_order(struct steps *s, const struct frame *all)
{
    while (s->order.n > 0)
        names_remove(&s->order, s->order.n - 1);
    for (size_t i = 0; i < frame_cols(all); i++)
        names_add(&s->order, frame_name(all, i));
}

/* ---- sets of rows ---- */

struct rowset {
    atomic_uint refs;
    size_t n;
    uint32_t *id;
};

struct rowset *
rowset_new(uint32_t *id, size_t n)
{
    struct rowset *r = mem_new(sizeof *r);

    atomic_init(&r->refs, 1);
    r->id = id;
    r->n = n;
    return r;
}

struct rowset *
rowset_ref(struct rowset *r)
{
    if (r)
        atomic_fetch_add(&r->refs, 1);
    return r;
}

void
rowset_unref(struct rowset *r)
{
    if (!r || atomic_fetch_sub(&r->refs, 1) != 1)
        return;
    free(r->id);
    free(r);
}

size_t
rowset_n(const struct rowset *r)
{
    return r->n;
}

const uint32_t *
rowset_ids(const struct rowset *r)
{
    return r->id;
}

/* ---- what shows ---- */

void
shown_fini(struct shown *s)
{
    frame_unref(s->all);
    frame_unref(s->frame);
    rowset_unref(s->rows);
    *s = (struct shown){0};
}

size_t
shown_rows(const struct shown *s)
{
    return s->rows ? s->rows->n : s->frame ? frame_rows(s->frame) : 0;
}

struct frame *
shown_gather(const struct shown *s, struct pool *pool, struct error *err)
{
    if (!s->rows)
        return frame_ref(s->frame);
    return gather_frame(s->frame, s->rows->id, s->rows->n, pool, err);
}

static struct frame *
apply_edits(const struct steps *s, size_t done, const struct frame *from,
            struct pool *pool, struct progress *progress, struct error *err)
{
    struct frame *now = frame_ref(from);

    for (size_t i = done; now && i < s->n_edits; i++) {
        const struct step_edit *e = &s->edit[i];
        struct frame *next = NULL;

        if (progress_check(progress, err))
            next = e->rename ? verb_rename(now, e->name, e->text, err)
                             : verb_with(now, e->name, e->text, pool, err);
        frame_unref(now);
        now = next;
    }
    return now;
}

/* Keep of `order` what the filter let through. */
static bool
intersect(size_t n_rows, uint32_t *order, const uint32_t *ids, size_t n,
          struct error *err)
{
    uint8_t *in = mem_try_array(n_rows, 1, err);
    size_t k = 0;

    if (!in)
        return false;
    for (size_t i = 0; i < n; i++)
        in[ids[i]] = 1;
    for (size_t i = 0; i < n_rows; i++)
        if (in[order[i]])
            order[k++] = order[i];
    free(in);
    return true;
}

static uint32_t *
order_rows(const struct steps *s, const struct frame *all, struct pool *pool,
           const struct progress *progress, struct error *err)
{
    struct query_key key[STEPS_MAX_KEYS];

    for (size_t i = 0; i < s->sort.n; i++)
        if (!query_key_find(all, s->sort.name[i], &key[i], err))
            return NULL;
    return query_sort(all, key, s->sort.n, pool, progress, err);
}

static bool
apply_rows(const struct steps *s, const struct frame *all, struct pool *pool,
           struct progress *progress, struct rowset **out, struct error *err)
{
    struct expr *e = NULL;
    uint32_t *ids = NULL, *order = NULL;
    size_t n = frame_rows(all);
    bool ok = true;

    *out = NULL;
    if (s->filter[0]) {
        e = expr_parse(str_of(s->filter), err);
        ok = e && expr_where(e, all, pool, &ids, &n, err);
    }
    if (ok && s->sort.n > 0)
        ok = (order = order_rows(s, all, pool, progress, err));
    if (ok && ids && order)
        ok = intersect(frame_rows(all), order, ids, n, err);
    if (ok && (ids || order))
        *out = rowset_new(order ? order : ids, n);
    if (!ok || (ids && order))
        free(ids);
    if (!ok)
        free(order);
    expr_free(e);
    return ok;
}

static struct frame *
apply_columns(const struct steps *s, const struct frame *all, struct error *err)
{
    size_t n = frame_cols(all), k = 0;
    size_t *col;
    struct frame *out = NULL;

    if (s->order.n == 0 && s->hidden.n == 0)
        return frame_ref(all);
    if (!(col = mem_try_array(n + s->order.n, sizeof *col, err)))
        return NULL;
    for (size_t i = 0; i < s->order.n; i++, k++)
        if (!frame_need(all, s->order.name[i], &col[k], err))
            goto out;
    for (size_t i = 0; s->order.n == 0 && i < n; i++)
        if (names_find(&s->hidden, frame_name(all, i)) == s->hidden.n)
            col[k++] = i;
    if (k == 0)
        error_set(err, ERR_RANGE, "one column stays");
    else
        out = frame_select(all, col, k, err);
out:
    free(col);
    return out;
}

bool
steps_apply(const struct steps *s, const struct frame *base,
            const struct steps *so_far, const struct shown *had,
            struct pool *pool, struct progress *progress, struct shown *out,
            struct error *err)
{
    size_t done = so_far && had ? common_edits(s, so_far) : 0;
    bool use = done > 0 && done == so_far->n_edits;
    bool rows_stay = so_far && had && steps_near(s, so_far);
    bool ok;

    *out = (struct shown){0};
    out->all = apply_edits(s, use ? done : 0, use ? had->all : base, pool,
                           progress, err);
    ok = out->all && (out->frame = apply_columns(s, out->all, err));
    if (ok && rows_stay)
        out->rows = rowset_ref(had->rows);
    else if (ok)
        ok = apply_rows(s, out->all, pool, progress, &out->rows, err);
    if (!ok)
        shown_fini(out);
    return ok;
}

/* ---- over a stream ---- */

/* NULL-ended, of borrowed names. */
static const char **
names_list(const struct step_names *l)
{
    const char **out = mem_new((l->n + 1) * sizeof *out);

    for (size_t i = 0; i < l->n; i++)
        out[i] = l->name[i];
    return out;
}

static struct stream *
stream_columns(const struct steps *s, struct stream *in, struct error *err)
{
    bool some = s->order.n > 0;
    const char **names = names_list(some ? &s->order : &s->hidden);

    if (names[0])
        in = some ? stream_select(in, names, err) : stream_drop(in, names, err);
    free(names);
    return in;
}

static struct stream *
stream_order(const struct steps *s, struct stream *in, uint64_t top,
             struct error *err)
{
    const char **names = names_list(&s->sort);

    if (names[0])
        in = top > 0 ? stream_top(in, names, top, err)
                     : stream_sort(in, names, err);
    free(names);
    return in;
}

struct stream *
steps_stream(const struct steps *s, struct stream *in, uint64_t top,
             struct error *err)
{
    for (size_t i = 0; in && i < s->n_edits; i++) {
        const struct step_edit *e = &s->edit[i];

        in = e->rename ? stream_rename(in, e->name, e->text, err)
                       : stream_with(in, e->name, e->text, err);
    }
    if (in && s->filter[0])
        in = stream_where(in, s->filter, err);
    if (in)
        in = stream_order(s, in, top, err);
    return in ? stream_columns(s, in, err) : NULL;
}

/* ---- as Lua ---- */

void
steps_put_text(const char *text, struct buf *out)
{
    buf_putc(out, '"');
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;

        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c == '\n')
            buf_puts(out, "\\n");
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\x%02x", c);
        else
            buf_putc(out, *p);
    }
    buf_putc(out, '"');
}

void
steps_put_names(const char *const *names, size_t n, struct buf *out)
{
    buf_putc(out, '{');
    for (size_t i = 0; i < n; i++) {
        buf_puts(out, i > 0 ? ", " : " ");
        steps_put_text(names[i], out);
    }
    buf_puts(out, " }");
}

/* A name where a table of Lua has it for a key. */
static void
put_key(const char *name, struct buf *out)
{
    if (keyword_allows(str_of(name))) {
        buf_puts(out, name);
        return;
    }
    buf_putc(out, '[');
    steps_put_text(name, out);
    buf_putc(out, ']');
}

static void
put_edit(const struct step_edit *e, struct buf *out)
{
    buf_puts(out, e->rename ? ":rename{ " : ":with{ ");
    put_key(e->name, out);
    buf_puts(out, " = ");
    steps_put_text(e->text, out);
    buf_puts(out, " }");
}

static void
put_list(const char *verb, const struct step_names *l, struct buf *out)
{
    buf_puts(out, verb);
    steps_put_names((const char *const *)l->name, l->n, out);
}

static void
put_filter(const char *filter, struct buf *out)
{
    buf_puts(out, ":where(");
    steps_put_text(filter, out);
    buf_putc(out, ')');
}

void
steps_each(const struct steps *s, void (*say)(void *ctx, const char *call),
           void *ctx)
{
    struct buf call;

    buf_init(&call);
    for (size_t i = 0; i < s->n_edits; i++) {
        buf_clear(&call);
        put_edit(&s->edit[i], &call);
        say(ctx, call.data);
    }
    buf_clear(&call);
    if (s->filter[0]) {
        put_filter(s->filter, &call);
        say(ctx, call.data);
    }
    buf_clear(&call);
    if (s->sort.n > 0) {
        put_list(":sort", &s->sort, &call);
        say(ctx, call.data);
    }
    buf_clear(&call);
    if (s->order.n > 0)
        put_list(":select", &s->order, &call);
    else if (s->hidden.n > 0)
        put_list(":drop", &s->hidden, &call);
    if (call.len > 0)
        say(ctx, call.data);
    buf_fini(&call);
}

static void
put_columns(const struct steps *was, const struct steps *is, struct buf *out)
{
    if (is->hidden.n > was->hidden.n)
        buf_printf(out, "hide %s", is->hidden.name[is->hidden.n - 1]);
    else if (is->hidden.n < was->hidden.n)
        buf_printf(out, "show hidden columns");
    else
        buf_puts(out, "move a column");
}

void
steps_difference(const struct steps *was, const struct steps *is,
                 struct buf *out)
{
    size_t same = common_edits(was, is);

    if (same < is->n_edits)
        put_edit(&is->edit[is->n_edits - 1], out);
    else if (strcmp(was->filter, is->filter) != 0 && is->filter[0])
        put_filter(is->filter, out);
    else if (strcmp(was->filter, is->filter) != 0)
        buf_puts(out, "show all rows again");
    else if (!names_equal(&was->sort, &is->sort) && is->sort.n > 0)
        put_list(":sort", &is->sort, out);
    else if (!names_equal(&was->sort, &is->sort))
        buf_puts(out, "rows as they came");
    else
        put_columns(was, is, out);
}
