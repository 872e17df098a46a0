/* Expressions that look at other rows, over streams.
 *
 * The calls that do so are computed one by one, the innermost first, and become
 * columns, which the expression then reads in their place.
 *
 *   an aggregate             the stream is grouped, begun again, and each row
 *                            gets the value of its group
 *   along the table          what rows before leave is carried from batch to
 *                            batch (stream_running.c)
 *   along an order, a rank   the same over the sorted stream, which is sorted
 *                            back by the number of the row
 *   within groups            the stream is sorted by group and cut where groups
 *                            end, so that each is whole in memory
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/expr.h"
#include "frame/gather.h"
#include "frame/keyset.h"
#include "frame/stream_verbs_part.h"
#include "frame/stream_window.h"

/* ---- values of groups ------------------------------------------------ */

/* A stream that someone else closes. */
struct lent {
    struct stream stream;
    struct stream *from;
};

static bool
lent_next(struct stream *s, struct frame **out, struct error *err)
{
    return stream_next(((struct lent *)s)->from, out, err);
}

static bool
lent_rewind(struct stream *s, struct error *err)
{
    return stream_rewind(((struct lent *)s)->from, err);
}

static void
lent_close(struct stream *s)
{
    free(s);
}

static const struct stream_class lent_class = {
    .next = lent_next, .rewind = lent_rewind, .close = lent_close};

static struct stream *
lend(struct stream *from, struct error *err)
{
    struct lent *l = mem_try_array(1, sizeof *l, err);

    if (!l)
        return NULL;
    stream_init(&l->stream, &lent_class, frame_ref(from->head), NULL);
    l->stream.pool = from->pool;
    l->stream.progress = from->progress;
    l->stream.work = from->work;
    l->stream.n_rows = from->n_rows;
    l->stream.rows_known = from->rows_known;
    l->from = from;
    return &l->stream;
}

struct totals {
    struct stream stream;
    char *name;
    const char **by;    /* NULL-ended, owned texts */
    char *aggregate[2]; /* "name = function(value)", NULL */
    size_t *col, n_by;  /* the keys in `of` */
    struct frame *groups;
    struct keyset *set;
};

static bool
find_totals(struct totals *t, struct error *err)
{
    struct stream *s = lend(t->stream.of, err);
    size_t *by = mem_try_array(t->n_by, sizeof *by, err);
    struct key128 *key = NULL;
    uint32_t *id = NULL;
    size_t n;
    bool ok = by;

    if (s)
        s = stream_group(s, t->by, (const char *const *)t->aggregate, err);
    ok = ok && s && (t->groups = stream_collect(s, err)) &&
         stream_rewind(t->stream.of, err);
    stream_close(s);
    n = ok ? frame_rows(t->groups) : 0;
    for (size_t i = 0; ok && i < t->n_by; i++)
        by[i] = i;
    ok = ok &&
         (key = key128_rows(t->groups, by, t->n_by, NULL, n, t->stream.pool,
                            err)) &&
         (id = mem_try_unset(n, sizeof *id, err)) &&
         (t->set = keyset_new(err)) &&
         keyset_number(t->set, key, n, false, id, err);
    free(by);
    free(key);
    free(id);
    return ok;
}

/* f with the value of the group of each row. */
static struct frame *
look_up(struct totals *t, const struct frame *f, struct error *err)
{
    const struct column *values = frame_column(t->groups, t->n_by);
    size_t n = frame_rows(f);
    struct key128 *key =
        key128_rows(f, t->col, t->n_by, NULL, n, t->stream.pool, err);
    uint32_t *id = key ? mem_try_unset(n, sizeof *id, err) : NULL;
    struct column *c;
    struct frame *out = NULL;

    if (id && keyset_number(t->set, key, n, true, id, err) &&
        gather_columns(&values, 1, id, n, true, t->stream.pool, &c, err))
        out = frame_with(f, t->name, c, err);
    free(key);
    free(id);
    return out;
}

static bool
totals_next(struct stream *s, struct frame **out, struct error *err)
{
    struct totals *t = (struct totals *)s;
    struct frame *f;

    if (!t->set && !find_totals(t, err))
        return false;
    if (!stream_next(s->of, &f, err))
        return false;
    if (!f)
        return true;
    *out = look_up(t, f, err);
    frame_unref(f);
    return *out;
}

static bool
totals_rewind(struct stream *s, struct error *err)
{
    return stream_rewind(s->of, err);
}

static void
totals_close(struct stream *s)
{
    struct totals *t = (struct totals *)s;

    for (size_t i = 0; t->by && i < t->n_by; i++)
        free((void *)(uintptr_t)t->by[i]);
    free(t->by);
    free(t->col);
    free(t->aggregate[0]);
    free(t->name);
    frame_unref(t->groups);
    keyset_free(t->set);
    free(t);
}

static const struct stream_class totals_class = {
    .next = totals_next, .rewind = totals_rewind, .close = totals_close};

/* The head with the column it adds. */
static struct frame *
totals_head(const struct totals *t, const struct stream *s, struct error *err)
{
    struct stream *groups = lend((struct stream *)(uintptr_t)s, err);
    struct column *c;
    struct frame *out = NULL;

    if (groups)
        groups =
            stream_group(groups, t->by, (const char *const *)t->aggregate, err);
    if (groups) {
        c = column_ref(frame_column(groups->head, t->n_by));
        out = frame_with(s->head, t->name, c, err);
    }
    stream_close(groups);
    return out;
}

static struct stream *
add_totals(struct stream *s, const char *name, const struct window_call *w,
           struct error *err)
{
    const char *word = aggregate_word((enum aggregate_kind)w->kind);
    struct totals *t = mem_try_array(1, sizeof *t, err);
    char text[80];
    struct frame *head = NULL;
    bool ok = t && (t->by = mem_try_array(w->n_keys + 1, sizeof *t->by, err)) &&
              (t->col = mem_try_array(w->n_keys, sizeof *t->col, err)) &&
              (t->name = mem_try_text(name, strlen(name), err));

    for (size_t i = 0; ok && i < w->n_keys; i++) {
        const char *key = w->key[i];

        ok = (t->by[i] = mem_try_text(key, strlen(key), err)) &&
             frame_need(s->head, key, &t->col[i], err);
        t->n_by += ok;
    }
    if (w->value)
        snprintf(text, sizeof text, "\001t = %s(`%s`)", word, w->value);
    else
        snprintf(text, sizeof text, "\001t = %s()", word);
    ok = ok && (t->aggregate[0] = mem_try_text(text, strlen(text), err)) &&
         (head = totals_head(t, s, err));
    if (!ok) {
        if (t)
            totals_close(&t->stream);
        stream_close(s);
        return NULL;
    }
    stream_init(&t->stream, &totals_class, head, s);
    stream_expect(&t->stream); /* the totals come first */
    t->stream.n_rows = s->n_rows;
    t->stream.rows_known = s->rows_known;
    return &t->stream;
}

/* ---- whole groups ---------------------------------------------------- */

/* Batches of a sorted stream, cut only where the keys change. */
struct whole {
    struct stream stream;
    size_t *by, n_by;
    struct frame_list list; /* the group that has begun */
    struct key128 last;     /* its key */
    bool ended;
};

/* Where the last group of f begins; rows before end what the list holds. */
static bool
last_change(struct whole *w, const struct frame *f, size_t *at,
            struct error *err)
{
    size_t n = frame_rows(f);
    struct key128 *key =
        key128_rows(f, w->by, w->n_by, NULL, n, w->stream.pool, err);

    *at = 0;
    for (size_t i = n; key && i-- > 0;) {
        struct key128 before = i ? key[i - 1] : w->last;

        if ((i > 0 || w->list.n > 0) &&
            (key[i].high != before.high || key[i].low != before.low)) {
            *at = i;
            break;
        }
        if (i == 0)
            *at = SIZE_MAX; /* nothing changes */
    }
    if (key)
        w->last = key[n - 1];
    free(key);
    return key;
}

static bool
keep_slice(struct whole *w, const struct frame *f, size_t begin, size_t end,
           struct error *err)
{
    struct frame *some;

    if (begin == end)
        return true;
    some = frame_slice(f, begin, end, err);
    return some && frame_list_add(&w->list, some, err);
}

/* What the list holds, as one. */
static bool
give_list(struct whole *w, struct frame **out, struct error *err)
{
    *out = frame_list_stack(&w->list, w->stream.head, w->stream.pool, err);
    frame_list_clear(&w->list);
    return *out;
}

static bool
take_rows(struct whole *w, const struct frame *f, struct frame **out,
          struct error *err)
{
    size_t at, n = frame_rows(f);

    if (!last_change(w, f, &at, err))
        return false;
    if (at == SIZE_MAX)
        at = 0;
    else if (!keep_slice(w, f, 0, at, err) || !give_list(w, out, err))
        return false;
    if (!keep_slice(w, f, at, n, err))
        return false;
    return w->list.bytes <= 2 * stream_work(&w->stream) ||
           error_set(err, ERR_LIMIT,
                     "the rows of one group do not fit into memory "
                     "(LATHE_MEMORY): leave out columns, or take smaller "
                     "groups");
}

static bool
whole_next(struct stream *s, struct frame **out, struct error *err)
{
    struct whole *w = (struct whole *)s;
    struct frame *f;
    bool ok = true;

    while (ok && !*out && !w->ended) {
        if (!stream_next(s->of, &f, err))
            return false;
        if (!f) {
            w->ended = true;
            return w->list.n == 0 || give_list(w, out, err);
        }
        ok = take_rows(w, f, out, err);
        frame_unref(f);
    }
    if (!ok) {
        frame_unref(*out);
        *out = NULL;
    }
    return ok;
}

static bool
whole_rewind(struct stream *s, struct error *err)
{
    struct whole *w = (struct whole *)s;

    frame_list_clear(&w->list);
    w->ended = false;
    return stream_rewind(s->of, err);
}

static void
whole_close(struct stream *s)
{
    struct whole *w = (struct whole *)s;

    frame_list_clear(&w->list);
    free(w->by);
    free(w);
}

static const struct stream_class whole_class = {
    .next = whole_next, .rewind = whole_rewind, .close = whole_close};

static struct stream *
whole_groups(struct stream *s, const struct window_call *c, struct error *err)
{
    struct whole *w = mem_try_array(1, sizeof *w, err);
    bool ok = w && (w->by = mem_try_array(c->n_keys, sizeof *w->by, err));

    for (size_t i = 0; ok && i < c->n_keys; i++)
        ok = frame_need(s->head, c->key[i], &w->by[i], err);
    if (!ok) {
        if (w)
            free(w->by);
        free(w);
        stream_close(s);
        return NULL;
    }
    w->n_by = c->n_keys;
    stream_init(&w->stream, &whole_class, frame_ref(s->head), s);
    return &w->stream;
}

/* ---- the calls ------------------------------------------------------- */

/* s, which has the columns that the call reads, with the text of the call over
 * those: of rows that are all there are of their groups. */
static struct stream *
within_groups(struct stream *s, const char *name, const struct window_call *w,
              const char *text, struct error *err)
{
    const char **keys = mem_try_array(w->n_keys + 1, sizeof *keys, err);

    for (size_t i = 0; keys && i < w->n_keys; i++)
        keys[i] = w->key[i];
    if (!keys) {
        stream_close(s);
        return NULL;
    }
    if ((s = stream_numbered(s, STREAM_ROW, err)))
        s = stream_sort(s, keys, err);
    if (s)
        s = whole_groups(s, w, err);
    if (s)
        s = stream_evaluated(s, name, text, err);
    free(keys);
    return s ? stream_sort_by(s, STREAM_ROW, err) : NULL;
}

/* Sorted, run along, and sorted back. */
static struct stream *
along_order(struct stream *s, const char *name, const struct window_call *w,
            struct error *err)
{
    if ((s = stream_numbered(s, STREAM_ROW, err)))
        s = stream_sort(s, w->order, err);
    if (s)
        s = stream_running(s, name, w, err);
    return s ? stream_sort_by(s, STREAM_ROW, err) : NULL;
}

static bool
is_rank(const struct window_call *w)
{
    return !w->aggregates &&
           (w->kind == WINDOW_RANK || w->kind == WINDOW_DENSE_RANK);
}

/* The parts of a call as columns of s: "\001v", "\001k0", "\001o0", ... */
static struct stream *
with_parts(struct stream *s, const struct expr_around *a, struct window_call *w,
           struct error *err)
{
    size_t n = a->n_values + a->n_keys + a->n_order;

    w->aggregates = a->aggregates;
    w->kind = a->kind;
    w->shift = a->shift;
    w->n_keys = a->n_keys;
    if (!(w->name = mem_try_array(n + 1, sizeof *w->name, err)) ||
        !(w->order = mem_try_array(a->n_order + 2, sizeof *w->order, err))) {
        stream_close(s);
        return NULL;
    }
    w->key = (const char *const *)w->name + a->n_values;
    for (size_t i = 0; s && i < n; i++) {
        char name[STR_F64_MAX];
        size_t order = i - a->n_values - a->n_keys;
        bool orders = i >= a->n_values + a->n_keys;

        /* A sign before what orders; the column has none. */
        snprintf(name, sizeof name, "%s\001p%zu",
                 orders && a->descending[order] ? "-" : "", i);
        if (!(w->name[i] = mem_try_text(name, strlen(name), err))) {
            stream_close(s);
            return NULL;
        }
        if (orders)
            w->order[order] = w->name[i];
        s = stream_with(s, name + (name[0] == '-'), a->text[i], err);
    }
    w->value = a->n_values ? w->name[0] : NULL;
    if (is_rank(w))
        w->order[0] = w->value;
    return s;
}

/* The call again, over the columns of its parts. */
static bool
rewrite(const struct expr_around *a, const struct window_call *w,
        const char *call, struct buf *out, struct error *err)
{
    buf_add(out, call, strcspn(call, "("));
    buf_puts(out, "(");
    if (w->value)
        buf_printf(out, "`%s`", w->value);
    if (!a->aggregates && a->kind == WINDOW_LAG)
        buf_printf(out, ", %lld",
                   (long long)(a->shift < 0 ? -a->shift : a->shift));
    buf_puts(out, ") over (");
    for (size_t i = 0; i < a->n_keys; i++)
        buf_printf(out, "%s`%s`", i ? ", " : "", w->key[i]);
    for (size_t i = 0; i < a->n_order; i++)
        buf_printf(out, "%s%s`%s`", i ? ", " : " order by ",
                   a->descending[i] ? "-" : "", w->order[i] + a->descending[i]);
    buf_puts(out, ")");
    return buf_check(out, err);
}

static void
window_call_fini(struct window_call *w)
{
    for (size_t i = 0; w->name && w->name[i]; i++)
        free(w->name[i]);
    free(w->name);
    free(w->order);
}

/* s with the value of a call as column `name`. */
static struct stream *
with_call(struct stream *s, const char *name, const struct expr_around *a,
          const char *call, struct error *err)
{
    struct window_call w = {0};
    struct frame *head = frame_ref(s->head), *want = NULL;
    struct buf text;

    buf_init(&text);
    if ((s = with_parts(s, a, &w, err))) {
        if (w.aggregates) {
            s = add_totals(s, name, &w, err);
        } else if (w.n_keys == 0) {
            s = w.order[0] ? along_order(s, name, &w, err)
                           : stream_running(s, name, &w, err);
        } else if (rewrite(a, &w, call, &text, err)) {
            s = within_groups(s, name, &w, text.data, err);
        } else {
            stream_close(s);
            s = NULL;
        }
    }
    if (s) {
        struct column *c = column_ref(
            frame_column(s->head, (size_t)frame_find(s->head, name)));

        if ((want = frame_with(head, name, c, err))) {
            s = stream_only(s, want, err);
        } else {
            stream_close(s);
            s = NULL;
        }
    }
    frame_unref(want);
    frame_unref(head);
    buf_fini(&text);
    window_call_fini(&w);
    return s;
}

/* One call after the other, until none is left in *text. */
static struct stream *
next_call(struct stream *s, char **text, size_t number, bool *found,
          struct error *err)
{
    struct expr *e = expr_parse(str_of(*text), err);
    struct expr_around a = {0};
    char name[STR_F64_MAX], *call = NULL;
    struct buf out;

    buf_init(&out);
    snprintf(name, sizeof name, "\001w%zu", number);
    if (!e || !expr_around_find(e, &a, found, err) ||
        !(call = mem_try_text(*text + a.begin, a.end - a.begin, err))) {
        stream_close(s);
        s = NULL;
    } else if (*found) {
        buf_add(&out, *text, a.begin);
        buf_printf(&out, "`%s`", name);
        buf_puts(&out, *text + a.end);
        s = with_call(s, name, &a, call, err);
        if (s && !buf_check(&out, err)) {
            stream_close(s);
            s = NULL;
        }
        free(*text);
        *text = buf_take(&out);
    }
    expr_around_fini(&a);
    expr_free(e);
    free(call);
    buf_fini(&out);
    return s;
}

struct stream *
stream_windows(struct stream *s, const char *expression, char **instead,
               struct error *err)
{
    bool found = true;

    if (!(*instead = mem_try_text(expression, strlen(expression), err))) {
        stream_close(s);
        return NULL;
    }
    /* What an outer expression added keeps its names. */
    for (size_t i = frame_cols(s->head); s && found; i++)
        s = next_call(s, instead, i, &found, err);
    return s;
}
