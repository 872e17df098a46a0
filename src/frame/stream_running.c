/* What runs along a stream: rows that later ones want are carried from batch to
 * batch in front of those, so that frame/window.h finds them; sums and numbers
 * are carried as such.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/stream_verbs_part.h"
#include "frame/stream_window.h"
#include "frame/verbs.h"

struct running {
    struct stream stream;
    char *name;
    enum window_kind kind;
    int64_t shift;
    size_t col; /* of the value */
    bool has_value;
    struct frame *carry;     /* values before the batch; may be NULL */
    struct frame_list ahead; /* batches read before their turn, for lead */
    bool ended;
    int64_t whole, n, rank, dense;
    double sum, count;
    bool over; /* the whole sum left its range */
};

static void
forget(struct running *r)
{
    frame_unref(r->carry);
    frame_list_clear(&r->ahead);
    r->carry = NULL;
    r->ended = r->over = false;
    r->whole = r->n = r->rank = r->dense = 0;
    r->sum = r->count = 0;
}

/* ---- sums ------------------------------------------------------------ */

struct sums {
    void *data;
    uint64_t *valid;
};

static void
sum_row(struct running *r, const struct column *c, size_t i, struct sums *s)
{
    int64_t x;

    if (c && !column_is_valid(c, i))
        return;
    if (r->kind == WINDOW_ROW_NUMBER) {
        ((int64_t *)s->data)[i] = ++r->n;
    } else if (r->kind == WINDOW_CUMSUM && column_type(c) != COL_FLOAT64) {
        x = column_type(c) == COL_BOOL ? column_bools(c)[i]
                                       : column_int64s(c)[i];
        r->over = r->over ||
                  (x > 0 ? r->whole > INT64_MAX - x : r->whole < INT64_MIN - x);
        if (r->over)
            return;
        ((int64_t *)s->data)[i] = r->whole += x;
    } else {
        r->sum += column_number(c, i);
        r->count++;
        ((double *)s->data)[i] =
            r->kind == WINDOW_CUMMEAN ? r->sum / r->count : r->sum;
    }
    s->valid[i / 64] |= UINT64_C(1) << (i % 64);
}

static struct column *
run_sums(struct running *r, const struct frame *f, struct error *err)
{
    const struct column *c = r->has_value ? frame_column(f, r->col) : NULL;
    size_t n = frame_rows(f);
    struct sums s = {.data = mem_try_aligned(n, 8, err)};
    enum col_type type = COL_INT64;

    if (!s.data || (c && !window_type(r->kind, column_type(c), &type, err)) ||
        !(s.valid = mem_try_array((n + 63) / 64, sizeof *s.valid, err))) {
        free(s.data);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        sum_row(r, c, i, &s);
    return column_new(type, n, s.data, s.valid, NULL, err);
}

/* ---- rows before and behind ------------------------------------------ */

/* One column of f as a frame of its own. */
static struct frame *
alone(const struct frame *f, size_t col, struct error *err)
{
    static const char *const names[] = {"v"};
    struct column *c[1] = {column_ref(frame_column(f, col))};

    return frame_new(frame_rows(f), 1, names, c, err);
}

/* The carried values, those of f, and those that were read ahead. */
static struct frame *
around(const struct running *r, const struct frame *f, struct error *err)
{
    struct frame_list l = {0};
    struct frame *out = NULL, *one = alone(f, r->col, err);
    bool ok =
        one && (!r->carry || frame_list_add(&l, frame_ref(r->carry), err));

    if (ok)
        ok = frame_list_add(&l, one, err);
    else
        frame_unref(one);
    for (size_t i = 0; ok && i < r->ahead.n; i++)
        ok = (one = alone(r->ahead.frame[i], r->col, err)) &&
             frame_list_add(&l, one, err);
    if (ok)
        out = stack_frames(l.frame, l.n, r->stream.pool, NULL, err);
    frame_list_clear(&l);
    return out;
}

/* A few rows of texts have a dictionary of some size. */
enum { HELD_FREE = 256 * 1024 };

/* What is held for lag() and lead(), by columns of values or whole rows. */
static bool
check_held(const struct running *r, struct error *err)
{
    struct frame_list before = {.frame = r->ahead.frame};
    size_t bytes = r->carry ? frame_bytes(r->carry) : 0;
    uint64_t far = (uint64_t)r->shift;

    for (; before.n < r->ahead.n; before.n++)
        bytes += frame_list_cost(&before, r->ahead.frame[before.n]);
    return r->kind != WINDOW_LAG ||
           bytes <= HELD_FREE + 2 * stream_work(&r->stream) ||
           error_set(err, ERR_LIMIT,
                     "%s() over %llu rows: they do not fit into memory "
                     "(LATHE_MEMORY)",
                     r->shift < 0 ? "lead" : "lag",
                     (unsigned long long)(r->shift < 0 ? 0 - far : far));
}

static bool
carry_rows(struct running *r, const struct frame *f, size_t begin, size_t end,
           struct error *err)
{
    uint32_t *rows = mem_try_unset(end - begin, sizeof *rows, err);
    struct frame *next = NULL;

    for (size_t i = begin; rows && i < end; i++)
        rows[i - begin] = (uint32_t)i;
    if (rows)
        next = stack_apart(f, rows, end - begin, NULL, err);
    free(rows);
    if (!next)
        return false;
    frame_unref(r->carry);
    r->carry = next;
    return check_held(r, err);
}

/* The last row of what is there in c, which is row `row` of all. */
static bool
carry_last(struct running *r, const struct frame *all, const struct column *c,
           struct error *err)
{
    for (size_t i = column_rows(c); i-- > 0;)
        if (column_is_valid(c, i))
            return carry_rows(r, all, i, i + 1, err);
    return true;
}

/* The next row that a batch wants to know of these. */
static bool
carry_on(struct running *r, const struct frame *all, size_t n_before, size_t n,
         struct error *err)
{
    size_t end = n_before + n, keep;

    if (r->kind != WINDOW_LAG)
        return carry_last(r, all, frame_column(all, 0), err);
    if (r->shift <= 0)
        return true;
    keep = (uint64_t)r->shift < end ? (size_t)r->shift : end;
    return carry_rows(r, all, end - keep, end, err);
}

/* Ranks count from the carried row on, whose own is known. */
static bool
raise_ranks(struct running *r, struct column **c, bool carried,
            struct error *err)
{
    size_t n = column_rows(*c), words = (n + 63) / 64;
    const int64_t *local = column_int64s(*c);
    bool dense = r->kind == WINDOW_DENSE_RANK;
    int64_t *x = mem_try_array(n, sizeof *x, err), there = 0, most = r->dense;
    uint64_t *valid = x ? mem_try_array(words, sizeof *valid, err) : NULL;
    struct column *out;

    if (!valid) {
        free(x);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!column_is_valid(*c, i))
            continue;
        if (!carried)
            x[i] = local[i];
        else if (dense)
            x[i] = r->dense + local[i] - 1;
        else
            x[i] = local[i] == 1 ? r->rank : r->n + local[i] - 1;
        valid[i / 64] |= UINT64_C(1) << (i % 64);
        if (i > 0 || !carried)
            there++;
        if (x[i] > most)
            most = x[i];
    }
    /* Sorted, so that the last one there has the highest rank. */
    if (there > 0)
        r->rank = most;
    r->dense = most;
    r->n += there;
    if (!(out = column_new(COL_INT64, n, x, valid, NULL, err)))
        return false;
    column_unref(*c);
    *c = out;
    return true;
}

static struct column *
run_rows(struct running *r, const struct frame *f, struct error *err)
{
    struct frame *all = around(r, f, err), *made = NULL, *mine = NULL;
    size_t before = r->carry ? frame_rows(r->carry) : 0, n = frame_rows(f);
    struct window_over over = {.n_rows = all ? frame_rows(all) : 0};
    struct column *c = NULL, *out = NULL;
    bool ok = all && (c = window_values(&over, r->kind, frame_column(all, 0),
                                        r->shift, r->stream.pool, err));

    if (ok && (r->kind == WINDOW_RANK || r->kind == WINDOW_DENSE_RANK))
        ok = raise_ranks(r, &c, before > 0, err);
    if (ok &&
        (made =
             frame_new(over.n_rows, 1, (const char *const[]){"v"}, &c, err)) &&
        (mine = frame_slice(made, before, before + n, err))) {
        bool best = r->kind == WINDOW_CUMMIN || r->kind == WINDOW_CUMMAX;

        if (carry_on(r, best ? made : all, before, n, err))
            out = column_ref(frame_column(mine, 0));
    } else if (!made && !ok) {
        column_unref(c);
    }
    frame_unref(all);
    frame_unref(made);
    frame_unref(mine);
    return out;
}

/* ---- batches --------------------------------------------------------- */

/* The next batch; as many are read ahead as lead() looks into. */
static bool
next_batch(struct running *r, struct frame **out, struct error *err)
{
    uint64_t wanted = r->kind == WINDOW_LAG && r->shift < 0
                          ? (uint64_t)0 - (uint64_t)r->shift
                          : 0;
    struct frame_list *l = &r->ahead;
    struct frame *f;

    *out = NULL;
    while (!r->ended &&
           (l->n == 0 || l->n_rows - frame_rows(l->frame[0]) < wanted)) {
        if (!stream_next(r->stream.of, &f, err))
            return false;
        r->ended = !f;
        if (f && (!frame_list_add(l, f, err) || !check_held(r, err)))
            return false;
    }
    if (l->n == 0)
        return true;
    *out = l->frame[0];
    l->n--;
    l->n_rows -= frame_rows(*out);
    memmove(l->frame, l->frame + 1, l->n * sizeof(struct frame *));
    return true;
}

static bool
running_next(struct stream *s, struct frame **out, struct error *err)
{
    struct running *r = (struct running *)s;
    struct column *c;
    struct frame *f;

    if (!next_batch(r, &f, err))
        return false;
    if (!f)
        return true;
    if (r->kind == WINDOW_ROW_NUMBER || r->kind == WINDOW_CUMSUM ||
        r->kind == WINDOW_CUMMEAN)
        c = run_sums(r, f, err);
    else
        c = run_rows(r, f, err);
    if (c)
        *out = frame_with(f, r->name, c, err);
    frame_unref(f);
    return *out;
}

static bool
running_rewind(struct stream *s, struct error *err)
{
    forget((struct running *)s);
    return stream_rewind(s->of, err);
}

static void
running_close(struct stream *s)
{
    struct running *r = (struct running *)s;

    forget(r);
    free(r->name);
    free(r);
}

static const struct stream_class running_class = {
    .next = running_next, .rewind = running_rewind, .close = running_close};

static struct frame *
running_head(const struct running *r, const struct frame *head,
             struct error *err)
{
    enum col_type type = COL_INT64;
    struct column *none;
    struct dict *d = NULL;
    void *data;

    if (r->has_value &&
        !window_type(r->kind, column_type(frame_column(head, r->col)), &type,
                     err))
        return NULL;
    if (type == COL_TEXT && !(d = dict_new(err)))
        return NULL;
    if (!(data = mem_try_aligned(1, 8, err))) {
        dict_unref(d);
        return NULL;
    }
    none = column_new(type, 0, data, NULL, d, err);
    return none ? frame_with(head, r->name, none, err) : NULL;
}

struct stream *
stream_running(struct stream *s, const char *name, const struct window_call *w,
               struct error *err)
{
    struct running *r = mem_try_array(1, sizeof *r, err);
    struct frame *head = NULL;
    bool ok = r && (r->name = mem_try_text(name, strlen(name), err));

    if (ok) {
        r->kind = (enum window_kind)w->kind;
        r->shift = w->shift;
        r->has_value = w->value;
        ok = (!w->value || frame_need(s->head, w->value, &r->col, err)) &&
             (head = running_head(r, s->head, err));
    }
    if (!ok) {
        if (r)
            free(r->name);
        free(r);
        stream_close(s);
        return NULL;
    }
    stream_init(&r->stream, &running_class, head, s);
    r->stream.n_rows = s->n_rows;
    r->stream.rows_known = s->rows_known;
    return &r->stream;
}

/* ---- batches that are whole ------------------------------------------ */

struct evaluated {
    char *name, *expression;
};

static void
release_evaluated(void *ctx)
{
    struct evaluated *e = ctx;

    free(e->name);
    free(e->expression);
    free(e);
}

static struct frame *
apply_evaluated(void *ctx, const struct frame *f, struct pool *pool,
                struct error *err)
{
    const struct evaluated *e = ctx;

    return verb_with(f, e->name, e->expression, pool, err);
}

struct stream *
stream_evaluated(struct stream *s, const char *name, const char *expression,
                 struct error *err)
{
    struct evaluated *e = mem_try_array(1, sizeof *e, err);

    if (!e || !(e->name = mem_try_text(name, strlen(name), err)) ||
        !(e->expression = mem_try_text(expression, strlen(expression), err))) {
        if (e)
            release_evaluated(e);
        stream_close(s);
        return NULL;
    }
    return stream_map(s, apply_evaluated, e, release_evaluated, err);
}
