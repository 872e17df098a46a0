/* Verbs that change batches one by one, and streams made of results.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/mem.h"
#include "frame/expr.h"
#include "frame/gather.h"
#include "frame/stream_verbs_part.h"
#include "frame/verbs.h"

enum { WORK_SHARE = 4, MB = 1 << 20 };

size_t
stream_work(const struct stream *s)
{
    return s->work ? s->work : (size_t)(budget_bytes() / WORK_SHARE);
}

size_t
names_count(const char *const *names)
{
    size_t n = 0;

    while (names && names[n])
        n++;
    return n;
}

/* ---- batch by batch -------------------------------------------------- */

struct map {
    struct stream stream;
    stream_apply *apply;
    void *ctx;
    void (*release)(void *);
};

static bool
map_next(struct stream *s, struct frame **out, struct error *err)
{
    struct map *m = (struct map *)s;
    struct frame *f;

    if (!stream_next(s->of, &f, err))
        return false;
    if (!f)
        return true;
    *out = m->apply(m->ctx, f, s->pool, err);
    frame_unref(f);
    return *out;
}

static bool
rewind_of(struct stream *s, struct error *err)
{
    return stream_rewind(s->of, err);
}

static void
map_close(struct stream *s)
{
    struct map *m = (struct map *)s;

    m->release(m->ctx);
    free(m);
}

static const struct stream_class map_class = {
    .next = map_next, .rewind = rewind_of, .close = map_close};

struct stream *
stream_map(struct stream *of, stream_apply *apply, void *ctx,
           void (*release)(void *), struct error *err)
{
    struct map *m = mem_try_array(1, sizeof *m, err);
    struct frame *head = m ? apply(ctx, of->head, NULL, err) : NULL;

    if (!head) {
        free(m);
        release(ctx);
        stream_close(of);
        return NULL;
    }
    stream_init(&m->stream, &map_class, head, of);
    m->apply = apply;
    m->ctx = ctx;
    m->release = release;
    return &m->stream;
}

/* A stream of as many rows as the one it was made of. */
static struct stream *
same_rows(struct stream *s)
{
    if (s) {
        s->n_rows = s->of->n_rows;
        s->rows_known = s->of->rows_known;
    }
    return s;
}

static void
release_expr(void *e)
{
    expr_free(e);
}

static struct frame *
apply_where(void *ctx, const struct frame *f, struct pool *pool,
            struct error *err)
{
    struct frame *out = NULL;
    uint32_t *rows;
    size_t n;

    if (!expr_where(ctx, f, pool, &rows, &n, err))
        return NULL;
    out =
        n == frame_rows(f) ? frame_ref(f) : gather_frame(f, rows, n, pool, err);
    free(rows);
    return out;
}

/* Over columns that hold what the expression wants of other rows. */
static struct stream *
where_around(struct stream *s, const char *expression, struct error *err)
{
    struct frame *head = frame_ref(s->head);
    struct frame *checked = verb_where(head, expression, NULL, err);
    char *instead = NULL;

    if (checked)
        s = stream_windows(s, expression, &instead, err);
    else
        stream_close(s);
    if (checked && s)
        s = stream_where(s, instead, err);
    if (checked && s)
        s = stream_only(s, head, err);
    frame_unref(head);
    frame_unref(checked);
    free(instead);
    return checked ? s : NULL;
}

struct stream *
stream_where(struct stream *s, const char *expression, struct error *err)
{
    struct expr *e = expr_parse(str_of(expression), err);

    if (!e) {
        stream_close(s);
        return NULL;
    }
    if (expr_is_rowwise(e))
        return stream_map(s, apply_where, e, release_expr, err);
    expr_free(e);
    return where_around(s, expression, err);
}

struct with {
    char *name;
    struct expr *e;
};

static void
release_with(void *ctx)
{
    struct with *w = ctx;

    expr_free(w->e);
    free(w->name);
    free(w);
}

static struct frame *
apply_with(void *ctx, const struct frame *f, struct pool *pool,
           struct error *err)
{
    const struct with *w = ctx;
    struct column *c = expr_eval(w->e, f, pool, err);
    struct frame *out = c ? frame_with(f, w->name, c, err) : NULL;

    if (!out)
        error_prefix(err, "%s: ", w->name);
    return out;
}

static struct stream *
with_around(struct stream *s, const char *name, const char *expression,
            struct error *err)
{
    struct frame *head = verb_with(s->head, name, expression, NULL, err);
    char *instead = NULL;

    if (!head) {
        stream_close(s);
        return NULL;
    }
    s = stream_windows(s, expression, &instead, err);
    if (s)
        s = stream_with(s, name, instead, err);
    if (s)
        s = stream_only(s, head, err);
    frame_unref(head);
    free(instead);
    return s;
}

struct stream *
stream_with(struct stream *s, const char *name, const char *expression,
            struct error *err)
{
    struct with *w = mem_try_array(1, sizeof *w, err);

    if (!w || !(w->name = mem_try_text(name, strlen(name), err)) ||
        !(w->e = expr_parse(str_of(expression), err))) {
        if (w && w->name)
            error_prefix(err, "%s: ", name);
        if (w)
            release_with(w);
        stream_close(s);
        return NULL;
    }
    if (expr_is_rowwise(w->e))
        return same_rows(stream_map(s, apply_with, w, release_with, err));
    release_with(w);
    return with_around(s, name, expression, err);
}

struct stream *
stream_derive(struct stream *s, const char *text, struct error *err)
{
    struct frame *head = verb_derive(s->head, text, NULL, err);
    size_t n = strcspn(text, "=");
    struct str name = str_trim((struct str){text, n});
    char *copy = head ? mem_try_text(name.p, name.n, err) : NULL;

    frame_unref(head);
    if (!copy) {
        stream_close(s);
        return NULL;
    }
    s = stream_with(s, copy, text + n + 1, err);
    free(copy);
    return s;
}

struct columns {
    size_t *col, n;
};

static void
release_columns(void *ctx)
{
    struct columns *c = ctx;

    free(c->col);
    free(c);
}

static struct frame *
apply_columns(void *ctx, const struct frame *f, struct pool *pool,
              struct error *err)
{
    const struct columns *c = ctx;

    (void)pool;
    return frame_select(f, c->col, c->n, err);
}

/* Of these names, in the order of `want`. */
static struct stream *
by_columns(struct stream *s, const struct frame *want, struct error *err)
{
    struct columns *c = mem_try_array(1, sizeof *c, err);
    size_t n = frame_cols(want);

    if (!c || !(c->col = mem_try_array(n, sizeof *c->col, err))) {
        free(c);
        stream_close(s);
        return NULL;
    }
    for (c->n = 0; c->n < n; c->n++)
        if (!frame_need(s->head, frame_name(want, c->n), &c->col[c->n], err)) {
            release_columns(c);
            stream_close(s);
            return NULL;
        }
    return same_rows(stream_map(s, apply_columns, c, release_columns, err));
}

struct stream *
stream_only(struct stream *of, const struct frame *head, struct error *err)
{
    return by_columns(of, head, err);
}

/* Takes head, NULL after an error. */
static struct stream *
like_head(struct stream *s, struct frame *head, struct error *err)
{
    if (head) {
        s = by_columns(s, head, err);
    } else {
        stream_close(s);
        s = NULL;
    }
    frame_unref(head);
    return s;
}

struct stream *
stream_select(struct stream *s, const char *const *names, struct error *err)
{
    return like_head(s, verb_select(s->head, names, err), err);
}

struct stream *
stream_drop(struct stream *s, const char *const *names, struct error *err)
{
    return like_head(s, frame_drop(s->head, names, names_count(names), err),
                     err);
}

struct rename {
    char *from, *to;
};

static void
release_rename(void *ctx)
{
    struct rename *r = ctx;

    free(r->from);
    free(r->to);
    free(r);
}

static struct frame *
apply_rename(void *ctx, const struct frame *f, struct pool *pool,
             struct error *err)
{
    const struct rename *r = ctx;

    (void)pool;
    return verb_rename(f, r->from, r->to, err);
}

struct stream *
stream_rename(struct stream *s, const char *from, const char *to,
              struct error *err)
{
    struct rename *r = mem_try_array(1, sizeof *r, err);

    if (r && (r->from = mem_try_text(from, strlen(from), err)) &&
        (r->to = mem_try_text(to, strlen(to), err)))
        return same_rows(stream_map(s, apply_rename, r, release_rename, err));
    if (r)
        release_rename(r);
    stream_close(s);
    return NULL;
}

/* ---- numbers of rows ------------------------------------------------- */

struct numbered {
    struct stream stream;
    char *name;
    int64_t at;
};

static struct frame *
with_numbers(const struct frame *f, const char *name, int64_t at,
             struct error *err)
{
    size_t n = frame_rows(f);
    int64_t *x = mem_try_unset(n, sizeof *x, err);
    struct column *c;

    if (!x)
        return NULL;
    for (size_t i = 0; i < n; i++)
        x[i] = at + (int64_t)i;
    c = column_new(COL_INT64, n, x, NULL, NULL, err);
    return c ? frame_with(f, name, c, err) : NULL;
}

static bool
numbered_next(struct stream *s, struct frame **out, struct error *err)
{
    struct numbered *l = (struct numbered *)s;
    struct frame *f;

    if (!stream_next(s->of, &f, err))
        return false;
    if (!f)
        return true;
    *out = with_numbers(f, l->name, l->at, err);
    l->at += (int64_t)frame_rows(f);
    frame_unref(f);
    return *out;
}

static bool
numbered_rewind(struct stream *s, struct error *err)
{
    ((struct numbered *)s)->at = 0;
    return stream_rewind(s->of, err);
}

static void
numbered_close(struct stream *s)
{
    free(((struct numbered *)s)->name);
    free(s);
}

static const struct stream_class numbered_class = {
    .next = numbered_next, .rewind = numbered_rewind, .close = numbered_close};

struct stream *
stream_numbered(struct stream *of, const char *name, struct error *err)
{
    struct numbered *l = mem_try_array(1, sizeof *l, err);
    struct frame *head = NULL;

    if (!l || !(l->name = mem_try_text(name, strlen(name), err)) ||
        !(head = with_numbers(of->head, name, 0, err))) {
        if (l)
            free(l->name);
        free(l);
        stream_close(of);
        return NULL;
    }
    stream_init(&l->stream, &numbered_class, head, of);
    return same_rows(&l->stream);
}

/* ---- made when asked for --------------------------------------------- */

struct made {
    struct stream stream;
    stream_make *make;
    void *ctx;
    void (*release)(void *);
    struct stream *result;
};

static bool
made_next(struct stream *s, struct frame **out, struct error *err)
{
    struct made *m = (struct made *)s;

    if (!m->result && !(m->result = m->make(m->ctx, s->of, err)))
        return false;
    return stream_next(m->result, out, err);
}

static bool
made_rewind(struct stream *s, struct error *err)
{
    struct made *m = (struct made *)s;

    return m->result ? stream_rewind(m->result, err)
                     : stream_rewind(s->of, err);
}

static void
made_close(struct stream *s)
{
    struct made *m = (struct made *)s;

    stream_close(m->result);
    m->release(m->ctx);
    free(m);
}

static const struct stream_class made_class = {
    .next = made_next, .rewind = made_rewind, .close = made_close};

struct stream *
stream_made(struct stream *of, const struct frame *head, stream_make *make,
            void *ctx, void (*release)(void *), struct error *err)
{
    struct made *m = mem_try_array(1, sizeof *m, err);

    if (!m) {
        release(ctx);
        stream_close(of);
        return NULL;
    }
    stream_init(&m->stream, &made_class, frame_ref(head), of);
    m->make = make;
    m->ctx = ctx;
    m->release = release;
    return &m->stream;
}

struct stream *
stream_of_result(const struct frame *f, const struct stream *like,
                 struct error *err)
{
    struct stream *s = stream_of_frame(f, 0, like->pool, like->progress, err);

    if (s)
        s->work = like->work;
    return s;
}

/* ---- from the disk --------------------------------------------------- */

struct unspilled {
    struct stream stream;
    struct spilled *file;
    size_t at;
};

static bool
unspilled_next(struct stream *s, struct frame **out, struct error *err)
{
    struct unspilled *l = (struct unspilled *)s;

    if (l->at == spilled_count(l->file))
        return true;
    if ((*out = spilled_get(l->file, l->at, err)))
        l->at++;
    return *out;
}

static bool
unspilled_rewind(struct stream *s, struct error *err)
{
    (void)err;
    ((struct unspilled *)s)->at = 0;
    return true;
}

static void
unspilled_close(struct stream *s)
{
    spilled_free(((struct unspilled *)s)->file);
    free(s);
}

static const struct stream_class unspilled_class = {.next = unspilled_next,
                                                    .rewind = unspilled_rewind,
                                                    .close = unspilled_close};

struct stream *
stream_of_spilled(struct spilled *file, const struct frame *head,
                  const struct stream *like, struct error *err)
{
    struct unspilled *l = mem_try_array(1, sizeof *l, err);

    if (!l) {
        spilled_free(file);
        return NULL;
    }
    stream_init(&l->stream, &unspilled_class, frame_ref(head), NULL);
    l->stream.pool = like->pool;
    l->stream.progress = like->progress;
    l->stream.work = like->work;
    l->stream.n_rows = spilled_rows(file);
    l->stream.rows_known = true;
    l->file = file;
    return &l->stream;
}

/* ---- the first rows -------------------------------------------------- */

struct limit {
    struct stream stream;
    uint64_t n, left;
};

static bool
limit_next(struct stream *s, struct frame **out, struct error *err)
{
    struct limit *l = (struct limit *)s;
    struct frame *f;

    if (l->left == 0)
        return true;
    if (!stream_next(s->of, &f, err))
        return false;
    if (!f)
        return true;
    if (frame_rows(f) > l->left) {
        *out = frame_slice(f, 0, (size_t)l->left, err);
        frame_unref(f);
        l->left = 0;
        return *out;
    }
    l->left -= frame_rows(f);
    *out = f;
    return true;
}

static bool
limit_rewind(struct stream *s, struct error *err)
{
    struct limit *l = (struct limit *)s;

    l->left = l->n;
    return stream_rewind(s->of, err);
}

static void
limit_close(struct stream *s)
{
    free(s);
}

static const struct stream_class limit_class = {
    .next = limit_next, .rewind = limit_rewind, .close = limit_close};

struct stream *
stream_limit(struct stream *s, uint64_t n, struct error *err)
{
    struct limit *l = mem_try_array(1, sizeof *l, err);

    if (!l) {
        stream_close(s);
        return NULL;
    }
    stream_init(&l->stream, &limit_class, frame_ref(s->head), s);
    l->n = l->left = n;
    l->stream.n_rows = s->n_rows < n ? s->n_rows : n;
    l->stream.rows_known = s->rows_known;
    return &l->stream;
}

/* ---- the end --------------------------------------------------------- */

enum { FEW = 4 };

/* Few rows of a batch do not keep all its texts.  Takes f. */
static struct frame *
without_others(struct frame *f, struct pool *pool, struct error *err)
{
    size_t n = frame_rows(f);
    struct frame *out = NULL;
    uint32_t *rows;
    bool many = false;

    for (size_t i = 0; i < frame_cols(f); i++) {
        const struct column *c = frame_column(f, i);

        if (column_type(c) == COL_TEXT && !column_is_loose(c))
            many = many || dict_count(column_dict(c)) / FEW > n;
    }
    if (!many)
        return f;
    if ((rows = mem_try_unset(n, sizeof *rows, err))) {
        for (size_t i = 0; i < n; i++)
            rows[i] = (uint32_t)i;
        out = stack_apart(f, rows, n, pool, err);
    }
    free(rows);
    frame_unref(f);
    return out;
}

struct frame *
stream_collect(struct stream *s, struct error *err)
{
    size_t most = stream_work(s) * (WORK_SHARE / 2);
    struct frame_list l = {0};
    struct frame *out = NULL, *f;
    bool ok;

    /* While they are put together, all rows are there twice. */
    while ((ok = stream_next(s, &f, err)) && f) {
        if (!(ok = (f = without_others(f, s->pool, err)) &&
                   frame_list_add(&l, f, err)))
            break;
        if (l.bytes > most) {
            ok = error_set(err, ERR_LIMIT,
                           "the result takes more than the %llu MB that "
                           "tables may have (LATHE_MEMORY)",
                           (unsigned long long)most * 2 / MB);
            break;
        }
    }
    if (ok)
        out = frame_list_stack(&l, s->head, s->pool, err);
    frame_list_clear(&l);
    return out;
}
