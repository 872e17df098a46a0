/* Rows are kept until they fill the memory there is, put in order and written
 * as a run; in the end the runs are merged, the first of equal rows from the
 * first run, so that the order is stable.  Where there are more runs than can
 * be merged at once, consecutive ones are merged to longer ones before.  A
 * table that never filled the memory is never written.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/order.h"
#include "frame/stream_verbs_part.h"
#include "frame/verbs.h"

enum { FAN = 32, ROW_SCRATCH = 48, TOP_MIN = 65536 };

struct run {
    size_t begin, end; /* batches of the file */
};

struct stream_sorter {
    struct frame *head;
    struct query_key *key;
    size_t n_keys;
    struct stream like; /* its pool, progress and bounds */
    size_t work;
    struct frame_list list;  /* not yet written */
    struct stack_row *order; /* of them, once all are there */
    struct spilled *file;    /* NULL: nothing was written */
    size_t batch_rows;       /* of the file */
    struct run *run;
    size_t n, cap;
    bool tells; /* to progress: that each pass over its rows is as long as one
                   over the file, */
    uint64_t n_told; /* and how many of its rows are behind it */
};

/* ---- keeping rows ---------------------------------------------------- */

struct stream_sorter *
stream_sorter_new(const struct frame *head, const struct query_key *keys,
                  size_t n_keys, const struct stream *like, struct error *err)
{
    struct stream_sorter *s = mem_try_array(1, sizeof *s, err);

    if (s && !(s->key = mem_try_array(n_keys, sizeof *s->key, err))) {
        free(s);
        return NULL;
    }
    if (!s)
        return NULL;
    for (size_t i = 0; i < n_keys; i++)
        s->key[i] = keys[i];
    s->n_keys = n_keys;
    s->head = frame_ref(head);
    s->like = *like;
    s->work = stream_work(like);
    return s;
}

void
stream_sorter_free(struct stream_sorter *s)
{
    if (!s)
        return;
    frame_list_clear(&s->list);
    spilled_free(s->file);
    frame_unref(s->head);
    free(s->order);
    free(s->run);
    free(s->key);
    free(s);
}

/* The key columns alone, of all frames of the list. */
static struct frame *
key_frame(const struct stream_sorter *s, struct error *err)
{
    struct frame_list keys = {0};
    struct frame *out = NULL;
    size_t *col = mem_try_array(s->n_keys, sizeof *col, err);
    bool ok = col;

    for (size_t i = 0; ok && i < s->n_keys; i++)
        col[i] = s->key[i].col;
    for (size_t k = 0; ok && k < s->list.n; k++) {
        struct frame *f = frame_select(s->list.frame[k], col, s->n_keys, err);

        ok = f && frame_list_add(&keys, f, err);
    }
    if (ok)
        out = stack_frames(keys.frame, keys.n, s->like.pool, s->like.progress,
                           err);
    frame_list_clear(&keys);
    free(col);
    return out;
}

/* Rows of the list become `order`. */
static bool
order_list(struct stream_sorter *s, struct error *err)
{
    struct query_key *key = mem_try_array(s->n_keys, sizeof *key, err);
    struct frame *f = key ? key_frame(s, err) : NULL;
    struct stack_row *at = NULL;
    uint32_t *id = NULL;
    size_t n = 0;

    for (size_t i = 0; f && i < s->n_keys; i++)
        key[i] = (struct query_key){i, s->key[i].descending};
    if (f &&
        (id = query_sort(f, key, s->n_keys, s->like.pool, s->like.progress,
                         err)) &&
        (at = mem_try_unset(s->list.n_rows, sizeof *at, err)) &&
        (s->order = mem_try_unset(s->list.n_rows, sizeof *at, err))) {
        for (size_t k = 0; k < s->list.n; k++)
            for (size_t i = 0; i < frame_rows(s->list.frame[k]); i++)
                at[n++] = (struct stack_row){(uint32_t)k, (uint32_t)i};
        for (size_t i = 0; i < n; i++)
            s->order[i] = at[id[i]];
    }
    frame_unref(f);
    free(key);
    free(at);
    free(id);
    return s->order;
}

static bool
add_run(struct stream_sorter *s, size_t begin, struct error *err)
{
    struct run *more = mem_try_grow(s->run, s->n, &s->cap, sizeof *more, err);

    if (!more)
        return false;
    s->run = more;
    s->run[s->n++] = (struct run){begin, spilled_count(s->file)};
    return true;
}

static bool
write_rows(struct stream_sorter *s, size_t begin, size_t end, struct error *err)
{
    struct frame *f = stack_pick(s->list.frame, s->list.n, s->order + begin,
                                 end - begin, s->like.pool, err);
    bool ok = f && progress_check(s->like.progress, err) &&
              spilled_put(s->file, f, err);

    frame_unref(f);
    return ok;
}

static bool
write_run(struct stream_sorter *s, struct error *err)
{
    size_t n = (size_t)s->list.n_rows, begin;
    bool ok = true;

    if (!s->file && !(s->file = spilled_new(s->head, err)))
        return false;
    /* The first run may be a few rows that take much. */
    if (s->batch_rows < n / FAN + 1)
        s->batch_rows = n / FAN + 1;
    begin = spilled_count(s->file);
    if (!order_list(s, err))
        return false;
    for (size_t at = 0; ok && at < n; at += s->batch_rows)
        ok = write_rows(s, at, n - at < s->batch_rows ? n : at + s->batch_rows,
                        err);
    free(s->order);
    s->order = NULL;
    frame_list_clear(&s->list);
    return ok && add_run(s, begin, err);
}

bool
stream_sorter_add(struct stream_sorter *s, struct frame *f, struct error *err)
{
    uint64_t n_rows = s->list.n_rows + frame_rows(f);
    size_t bytes = s->list.bytes + frame_list_cost(&s->list, f);
    bool full = n_rows >= UINT32_MAX || bytes + n_rows * ROW_SCRATCH > s->work;
    bool empty = frame_rows(f) == 0;

    if (empty || (s->list.n > 0 && full && !write_run(s, err))) {
        frame_unref(f);
        return empty;
    }
    return frame_list_add(&s->list, f, err);
}

bool
stream_sorter_add_all(struct stream_sorter *s, struct stream *of,
                      struct error *err)
{
    struct frame *f = NULL;
    bool ok;

    while ((ok = stream_next(of, &f, err)) && f)
        if (!stream_sorter_add(s, f, err))
            return false;
    return ok;
}

/* ---- merging --------------------------------------------------------- */

struct cursor {
    size_t next, end; /* batches still to come */
    struct frame *f;  /* NULL: no row is left */
    size_t row, held; /* its number among the held frames */
    uint64_t *key;    /* [key][row] */
};

struct merge {
    struct spilled *file; /* borrowed */
    const struct query_key *keys;
    size_t n_keys, n, n_heap, batch_rows;
    struct cursor *cursor;
    size_t *heap;           /* cursors, the next row's first */
    struct frame_list held; /* frames that rows to come are taken from */
    struct stack_row *pick;
    struct pool *pool;
};

/* The first eight bytes of a text: where they differ, they decide. */
static uint64_t
text_prefix(struct str s)
{
    uint64_t key = 0;

    for (size_t i = 0; i < 8; i++)
        key = key << 8 | (i < s.n ? (unsigned char)s.p[i] : 0);
    return key;
}

static void
fill_keys(const struct merge *m, struct cursor *c)
{
    size_t n = frame_rows(c->f);

    for (size_t k = 0; k < m->n_keys; k++) {
        const struct column *col = frame_column(c->f, m->keys[k].col);
        uint64_t *key = c->key + k * n;

        if (column_type(col) == COL_TEXT)
            for (size_t i = 0; i < n; i++)
                key[i] = column_is_valid(col, i)
                             ? text_prefix(column_text(col, i))
                             : 0;
        else
            order_keys(col, 0, n, NULL, key);
    }
}

/* The next batch of a run, or none. */
static bool
advance(struct merge *m, struct cursor *c, struct error *err)
{
    size_t n;

    frame_unref(c->f);
    free(c->key);
    c->f = NULL;
    c->key = NULL;
    c->row = 0;
    if (c->next == c->end)
        return true;
    if (!(c->f = spilled_get(m->file, c->next++, err)) ||
        !mem_mul(frame_rows(c->f), m->n_keys, &n) ||
        !(c->key = mem_try_unset(n, sizeof *c->key, err)))
        return false;
    fill_keys(m, c);
    c->held = m->held.n;
    return frame_list_add(&m->held, frame_ref(c->f), err);
}

/* Below 0: the row of a comes first. */
static int
compare(const struct merge *m, size_t ia, size_t ib)
{
    const struct cursor *a = &m->cursor[ia], *b = &m->cursor[ib];

    for (size_t k = 0; k < m->n_keys; k++) {
        const struct column *x = frame_column(a->f, m->keys[k].col);
        const struct column *y = frame_column(b->f, m->keys[k].col);
        bool there = column_is_valid(x, a->row);
        uint64_t p, q;
        int order;

        if (there != column_is_valid(y, b->row))
            return there ? -1 : 1;
        if (!there)
            continue;
        p = a->key[k * frame_rows(a->f) + a->row];
        q = b->key[k * frame_rows(b->f) + b->row];
        order = (p > q) - (p < q);
        if (order == 0 && column_type(x) == COL_TEXT)
            order = str_cmp(column_text(x, a->row), column_text(y, b->row));
        if (order)
            return m->keys[k].descending ? -order : order;
    }
    return ia < ib ? -1 : 1;
}

static void
sink(struct merge *m, size_t at)
{
    size_t moved = m->heap[at];

    for (;;) {
        size_t kid = 2 * at + 1;

        if (kid >= m->n_heap)
            break;
        if (kid + 1 < m->n_heap &&
            compare(m, m->heap[kid + 1], m->heap[kid]) < 0)
            kid++;
        if (compare(m, moved, m->heap[kid]) < 0)
            break;
        m->heap[at] = m->heap[kid];
        at = kid;
    }
    m->heap[at] = moved;
}

static void
merge_fini(struct merge *m)
{
    for (size_t i = 0; m->cursor && i < m->n; i++) {
        frame_unref(m->cursor[i].f);
        free(m->cursor[i].key);
    }
    frame_list_clear(&m->held);
    free(m->cursor);
    free(m->heap);
    free(m->pick);
    *m = (struct merge){0};
}

static bool
merge_init(struct merge *m, const struct stream_sorter *s,
           const struct run *run, size_t n, struct error *err)
{
    *m = (struct merge){.file = s->file,
                        .keys = s->key,
                        .n_keys = s->n_keys,
                        .n = n,
                        .batch_rows = s->batch_rows,
                        .pool = s->like.pool};
    if (!(m->cursor = mem_try_array(n, sizeof *m->cursor, err)) ||
        !(m->heap = mem_try_array(n, sizeof *m->heap, err)) ||
        !(m->pick = mem_try_array(m->batch_rows, sizeof *m->pick, err)))
        return false;
    for (size_t i = 0; i < n; i++) {
        m->cursor[i] = (struct cursor){.next = run[i].begin, .end = run[i].end};
        if (!advance(m, &m->cursor[i], err))
            return false;
        m->heap[m->n_heap++] = i;
    }
    for (size_t i = m->n_heap / 2; i-- > 0;)
        sink(m, i);
    return true;
}

/* Frames that no row to come lies in. */
static bool
let_go(struct merge *m, struct error *err)
{
    frame_list_clear(&m->held);
    for (size_t i = 0; i < m->n; i++) {
        struct cursor *c = &m->cursor[i];

        if (!c->f)
            continue;
        c->held = m->held.n;
        if (!frame_list_add(&m->held, frame_ref(c->f), err))
            return false;
    }
    return true;
}

/* The next rows; NULL in *out at the end. */
static bool
merge_next(struct merge *m, struct frame **out, struct error *err)
{
    size_t n = 0;

    *out = NULL;
    if (!let_go(m, err))
        return false;
    while (n < m->batch_rows && m->n_heap > 0) {
        struct cursor *c = &m->cursor[m->heap[0]];

        m->pick[n++] =
            (struct stack_row){(uint32_t)c->held, (uint32_t)c->row++};
        if (c->row == frame_rows(c->f) && !advance(m, c, err))
            return false;
        if (!c->f)
            m->heap[0] = m->heap[--m->n_heap];
        if (m->n_heap > 0)
            sink(m, 0);
    }
    return n == 0 || (*out = stack_pick(m->held.frame, m->held.n, m->pick, n,
                                        m->pool, err));
}

static void
begin_telling(struct stream_sorter *s)
{
    s->n_told = 0;
    if (s->tells)
        progress_begin(s->like.progress, "sorting", s->like.pass);
}

/* f may be NULL. */
static void
tell(struct stream_sorter *s, const struct frame *f)
{
    uint64_t n = s->file ? spilled_rows(s->file) : s->list.n_rows;

    if (!f || !s->tells)
        return;
    s->n_told += frame_rows(f);
    progress_set(s->like.progress, (uint64_t)((double)s->like.pass *
                                              (double)s->n_told / (double)n));
}

/* Runs begin..end of the old file become one of the new. */
static bool
merge_runs(struct stream_sorter *s, const struct run *run, size_t n,
           struct spilled *to, struct error *err)
{
    struct merge m;
    struct frame *f = NULL;
    bool ok = merge_init(&m, s, run, n, err);

    while (ok &&
           (ok = progress_check(s->like.progress, err) &&
                 merge_next(&m, &f, err)) &&
           f) {
        ok = spilled_put(to, f, err);
        tell(s, f);
        frame_unref(f);
    }
    merge_fini(&m);
    return ok;
}

/* Fewer and longer runs. */
static bool
merge_level(struct stream_sorter *s, struct error *err)
{
    struct spilled *to = spilled_new(s->head, err);
    size_t n = 0;
    bool ok = to;

    if (s->tells)
        progress_expect(s->like.progress, s->like.pass);
    begin_telling(s);
    for (size_t i = 0; ok && i < s->n; i += FAN) {
        size_t begin = spilled_count(to);

        ok =
            merge_runs(s, s->run + i, s->n - i < FAN ? s->n - i : FAN, to, err);
        s->run[n++] = (struct run){begin, spilled_count(to)};
    }
    if (!ok) {
        spilled_free(to);
        return false;
    }
    spilled_free(s->file);
    s->file = to;
    s->n = n;
    return true;
}

/* ---- the rows in order ----------------------------------------------- */

struct sorted {
    struct stream stream;
    struct stream_sorter *s;
    struct merge merge; /* of runs */
    bool begun;
    size_t at, batch_rows; /* of rows in memory */
};

static bool
sorted_next(struct stream *stream, struct frame **out, struct error *err)
{
    struct sorted *l = (struct sorted *)stream;
    struct stream_sorter *s = l->s;
    size_t n = (size_t)s->list.n_rows - l->at;

    if (s->file) {
        if (!l->begun && !merge_init(&l->merge, s, s->run, s->n, err))
            return false;
        l->begun = true;
        if (!merge_next(&l->merge, out, err))
            return false;
        tell(s, *out);
        return true;
    }
    if (n == 0)
        return true;
    if (n > l->batch_rows)
        n = l->batch_rows;
    if ((*out = stack_pick(s->list.frame, s->list.n, s->order + l->at, n,
                           stream->pool, err)))
        l->at += n;
    tell(s, *out);
    return *out;
}

static bool
sorted_rewind(struct stream *stream, struct error *err)
{
    struct sorted *l = (struct sorted *)stream;

    (void)err;
    merge_fini(&l->merge);
    l->begun = false;
    l->at = 0;
    return true;
}

static void
sorted_close(struct stream *stream)
{
    struct sorted *l = (struct sorted *)stream;

    merge_fini(&l->merge);
    stream_sorter_free(l->s);
    free(l);
}

static const struct stream_class sorted_class = {
    .next = sorted_next, .rewind = sorted_rewind, .close = sorted_close};

static bool
settle(struct stream_sorter *s, struct error *err)
{
    if (!s->file)
        return s->list.n == 0 || order_list(s, err);
    if (s->list.n > 0 && !write_run(s, err))
        return false;
    while (s->n > FAN)
        if (!merge_level(s, err))
            return false;
    return true;
}

struct stream *
stream_sorter_finish(struct stream_sorter *s, struct error *err)
{
    struct sorted *l = NULL;
    size_t row;

    if (!settle(s, err) || !(l = mem_try_array(1, sizeof *l, err))) {
        stream_sorter_free(s);
        return NULL;
    }
    stream_init(&l->stream, &sorted_class, frame_ref(s->head), NULL);
    l->stream.pool = s->like.pool;
    l->stream.progress = s->like.progress;
    l->stream.work = s->like.work;
    l->stream.n_rows = s->file ? spilled_rows(s->file) : s->list.n_rows;
    l->stream.rows_known = true;
    row = s->list.n_rows ? s->list.bytes / (size_t)s->list.n_rows + 1 : 1;
    l->batch_rows = s->work / FAN / row + 1;
    l->s = s;
    begin_telling(s);
    return &l->stream;
}

/* ---- verbs ----------------------------------------------------------- */

struct by_keys {
    struct query_key *key;
    size_t n_keys;
    const char **name; /* "-name", as given; NULL-ended, owned texts */
    uint64_t n;        /* the first so many */
};

static void
by_keys_free(void *ctx)
{
    struct by_keys *b = ctx;

    for (size_t i = 0; b->name && b->name[i]; i++)
        free((void *)(uintptr_t)b->name[i]);
    free(b->name);
    free(b->key);
    free(b);
}

/* Without a key that is there already: it decides nothing, and a frame of the
 * keys alone has each column once. */
static bool
add_key(struct by_keys *b, const struct frame *head, const char *name,
        struct error *err)
{
    struct query_key key;

    if (!query_key_find(head, name, &key, err))
        return false;
    for (size_t i = 0; i < b->n_keys; i++)
        if (b->key[i].col == key.col)
            return true;
    b->key[b->n_keys++] = key;
    return true;
}

static struct by_keys *
by_keys_new(const struct frame *head, const char *const *names, uint64_t n,
            struct error *err)
{
    struct by_keys *b = mem_try_array(1, sizeof *b, err);
    size_t n_keys = names_count(names);
    bool ok = b && (b->key = mem_try_array(n_keys, sizeof *b->key, err)) &&
              (b->name = mem_try_array(n_keys + 1, sizeof *b->name, err));

    for (size_t i = 0; ok && i < n_keys; i++)
        ok = add_key(b, head, names[i], err) &&
             (b->name[i] = mem_try_text(names[i], strlen(names[i]), err));
    if (!ok) {
        if (b)
            by_keys_free(b);
        return NULL;
    }
    b->n = n;
    return b;
}

static struct stream *
make_sorted(void *ctx, struct stream *of, struct error *err)
{
    const struct by_keys *b = ctx;
    struct stream_sorter *s =
        stream_sorter_new(of->head, b->key, b->n_keys, of, err);

    if (s && stream_sorter_add_all(s, of, err)) {
        s->tells = of->pass > 0;
        return stream_sorter_finish(s, err);
    }
    stream_sorter_free(s);
    return NULL;
}

/* Only the first n of what is in the list. */
static bool
leave_top(struct frame_list *l, const struct by_keys *b, struct stream *of,
          struct error *err)
{
    struct frame *all = frame_list_stack(l, of->head, of->pool, err);
    struct frame *top =
        all ? verb_top(all, b->name, (size_t)b->n, of->pool, err) : NULL;

    frame_unref(all);
    if (!top)
        return false;
    frame_list_clear(l);
    return frame_list_add(l, top, err);
}

/* The first are too many to be kept: sort all, those that were left first. */
static struct stream *
top_by_sorting(struct frame_list *l, const struct by_keys *b, struct stream *of,
               struct error *err)
{
    struct stream_sorter *s =
        stream_sorter_new(of->head, b->key, b->n_keys, of, err);
    struct stream *sorted;
    bool ok = s;

    for (size_t i = 0; ok && i < l->n; i++)
        ok = stream_sorter_add(s, frame_ref(l->frame[i]), err);
    frame_list_clear(l);
    if (!ok || !stream_sorter_add_all(s, of, err)) {
        stream_sorter_free(s);
        return NULL;
    }
    sorted = stream_sorter_finish(s, err);
    return sorted ? stream_limit(sorted, b->n, err) : NULL;
}

static struct stream *
make_top(void *ctx, struct stream *of, struct error *err)
{
    const struct by_keys *b = ctx;
    struct frame_list l = {0};
    struct stream *out = NULL;
    struct frame *f = NULL;
    bool ok;

    while ((ok = stream_next(of, &f, err)) && f) {
        if (!(ok = frame_list_add(&l, f, err)))
            break;
        if (l.bytes <= stream_work(of) / 2 &&
            (l.n_rows <= TOP_MIN || l.n_rows / 2 <= b->n))
            continue;
        if (!(ok = leave_top(&l, b, of, err)))
            break;
        if (l.bytes > stream_work(of) / 4) {
            out = top_by_sorting(&l, b, of, err);
            frame_list_clear(&l);
            return out;
        }
    }
    if (ok && leave_top(&l, b, of, err))
        out = stream_of_result(l.frame[0], of, err);
    frame_list_clear(&l);
    return out;
}

static struct stream *
by_names(struct stream *s, const char *const *names, uint64_t n,
         stream_make *make, struct error *err)
{
    struct by_keys *b = by_keys_new(s->head, names, n, err);

    if (b)
        return stream_made(s, s->head, make, b, by_keys_free, err);
    stream_close(s);
    return NULL;
}

struct stream *
stream_sort(struct stream *s, const char *const *names, struct error *err)
{
    s = by_names(s, names, UINT64_MAX, make_sorted, err);
    if (s)
        stream_expect(s);
    return s;
}

struct stream *
stream_top(struct stream *s, const char *const *names, uint64_t n,
           struct error *err)
{
    if (n > UINT32_MAX - 1) {
        s = stream_sort(s, names, err);
        return s ? stream_limit(s, n, err) : NULL;
    }
    return by_names(s, names, n, make_top, err);
}

struct stream *
stream_sort_by(struct stream *of, const char *name, struct error *err)
{
    return stream_sort(of, (const char *const[]){name, NULL}, err);
}
