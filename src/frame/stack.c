/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/stack.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct stacking {
    struct frame *const *f;
    size_t n, n_rows;
    const struct stack_row *rows; /* NULL: all, in order */
    bool apart;                   /* no dict is shared */
    struct column **column;
    struct error *error; /* of each column */
    const struct progress *progress;
};

/* One column under work. */
struct one {
    const struct stacking *s;
    size_t col, width;
    enum col_type type;
    char *data;
    uint64_t *valid;
    struct dict *dict;
    bool shared;    /* all have this dict */
    uint32_t **map; /* of each frame: its codes to those of dict */
};

static const struct column *
part_of(const struct one *o, size_t frame)
{
    return frame_column(o->s->f[frame], o->col);
}

/* ---- texts ----------------------------------------------------------- */

static bool
texts_init(struct one *o, struct error *err)
{
    const struct dict *first = column_dict(part_of(o, 0));

    o->shared = !o->s->apart;
    for (size_t k = 1; k < o->s->n; k++)
        o->shared = o->shared && column_dict(part_of(o, k)) == first;
    if (o->shared)
        return (o->dict = dict_ref(first));
    return (o->dict = dict_new(err)) &&
           (o->map = mem_try_array(o->s->n, sizeof *o->map, err));
}

static bool
map_init(struct one *o, size_t k, struct error *err)
{
    size_t n = dict_count(column_dict(part_of(o, k)));

    if (!(o->map[k] = mem_try_unset(n, sizeof **o->map, err)))
        return false;
    memset(o->map[k], 0xff, n * sizeof **o->map);
    return true;
}

static bool
put_code(struct one *o, size_t k, uint32_t code, size_t at, struct error *err)
{
    uint32_t *to = (uint32_t *)(void *)o->data + at, *known;

    if (!o->map[k] && !map_init(o, k, err))
        return false;
    known = &o->map[k][code];
    if (*known == DICT_NONE &&
        !dict_add(o->dict, dict_text(column_dict(part_of(o, k)), code), known,
                  err))
        return false;
    *to = *known;
    return true;
}

/* ---- values ---------------------------------------------------------- */

static void
put_value(const struct one *o, const struct column *c, size_t row, size_t at)
{
    const void *from = column_data(c);

    switch (o->width) {
    case 1:
        o->data[at] = ((const char *)from)[row];
        break;
    case 4:
        ((uint32_t *)(void *)o->data)[at] = ((const uint32_t *)from)[row];
        break;
    default:
        ((uint64_t *)(void *)o->data)[at] = ((const uint64_t *)from)[row];
        break;
    }
}

static bool
put_row(struct one *o, size_t k, size_t row, size_t at, struct error *err)
{
    const struct column *c = part_of(o, k);

    if (!column_is_valid(c, row)) {
        memset(o->data + at * o->width, 0, o->width);
        return true;
    }
    if (o->valid)
        o->valid[at / 64] |= UINT64_C(1) << (at % 64);
    if (o->map)
        return put_code(o, k, column_codes(c)[row], at, err);
    put_value(o, c, row, at);
    return true;
}

static bool
put_all(struct one *o, struct error *err)
{
    size_t at = 0;

    for (size_t k = 0; k < o->s->n; k++) {
        const struct column *c = part_of(o, k);
        size_t n = column_rows(c);

        if (!progress_check(o->s->progress, err))
            return false;
        if (!o->map && !o->valid) {
            if (n)
                memcpy(o->data + at * o->width, column_data(c), n * o->width);
            at += n;
            continue;
        }
        for (size_t i = 0; i < n; i++, at++)
            if (!put_row(o, k, i, at, err))
                return false;
    }
    return true;
}

static bool
put_picked(struct one *o, struct error *err)
{
    const struct stack_row *r = o->s->rows;

    for (size_t i = 0; i < o->s->n_rows; i++)
        if (!put_row(o, r[i].frame, r[i].row, i, err))
            return false;
    return true;
}

static bool
one_init(struct one *o, struct error *err)
{
    bool holes = false;

    o->type = column_type(part_of(o, 0));
    o->width = column_width(o->type);
    for (size_t k = 0; k < o->s->n; k++)
        holes = holes || column_validity(part_of(o, k));
    return (o->data = mem_try_unset(o->s->n_rows, o->width, err)) &&
           (!holes || (o->valid = mem_try_array((o->s->n_rows + 63) / 64,
                                                sizeof *o->valid, err))) &&
           (o->type != COL_TEXT || texts_init(o, err));
}

static struct column *
stack_column(const struct stacking *s, size_t col, struct error *err)
{
    struct one o = {.s = s, .col = col};
    struct column *out = NULL;

    if (one_init(&o, err) &&
        (s->rows ? put_picked(&o, err) : put_all(&o, err))) {
        out = column_new(o.type, s->n_rows, o.data, o.valid, o.dict, err);
    } else {
        free(o.data);
        free(o.valid);
        dict_unref(o.dict);
    }
    for (size_t k = 0; o.map && k < s->n; k++)
        free(o.map[k]);
    free(o.map);
    return out;
}

static void
stack_columns(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct stacking *s = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        s->column[i] = stack_column(s, i, &s->error[i]);
}

/* ---- frames ---------------------------------------------------------- */

static struct frame *
finish(struct stacking *s, size_t n_cols, struct error *err)
{
    const char **names = mem_try_array(n_cols, sizeof *names, err);
    struct frame *out = NULL;
    bool ok = names;

    for (size_t i = 0; i < n_cols; i++) {
        if (ok && !s->column[i])
            *err = s->error[i];
        ok = ok && s->column[i];
        if (names)
            names[i] = frame_name(s->f[0], i);
    }
    if (ok)
        out = frame_new(s->n_rows, n_cols, names, s->column, err);
    else
        for (size_t i = 0; i < n_cols; i++)
            column_unref(s->column[i]);
    free(names);
    return out;
}

static struct frame *
stack(struct stacking *s, struct pool *pool, struct error *err)
{
    size_t n_cols = frame_cols(s->f[0]);
    struct frame *out = NULL;

    if ((s->column = mem_try_array(n_cols, sizeof *s->column, err)) &&
        (s->error = mem_try_array(n_cols, sizeof *s->error, err))) {
        pool_for(pool, n_cols, 1, stack_columns, s);
        out = finish(s, n_cols, err);
    }
    free(s->column);
    free(s->error);
    return out;
}

struct frame *
stack_frames(struct frame *const *f, size_t n, struct pool *pool,
             const struct progress *progress, struct error *err)
{
    struct stacking s = {.f = f, .n = n, .progress = progress};

    if (n == 1)
        return frame_ref(f[0]);
    for (size_t k = 0; k < n; k++)
        s.n_rows += frame_rows(f[k]);
    if (s.n_rows > UINT32_MAX - 1) {
        error_set(err, ERR_LIMIT, "%zu rows, at most %lu fit into a table",
                  s.n_rows, (unsigned long)UINT32_MAX - 1);
        return NULL;
    }
    return stack(&s, pool, err);
}

struct frame *
stack_pick(struct frame *const *f, size_t n, const struct stack_row *rows,
           size_t n_rows, struct pool *pool, struct error *err)
{
    struct stacking s = {.f = f, .n = n, .n_rows = n_rows, .rows = rows};

    return stack(&s, pool, err);
}

struct frame *
stack_apart(const struct frame *f, const uint32_t *rows, size_t n_rows,
            struct pool *pool, struct error *err)
{
    struct frame *one = frame_ref(f), *out = NULL;
    struct stack_row *at = mem_try_array(n_rows, sizeof *at, err);
    struct stacking s = {
        .f = &one, .n = 1, .n_rows = n_rows, .rows = at, .apart = true};

    for (size_t i = 0; at && i < n_rows; i++)
        at[i].row = rows[i];
    if (at)
        out = stack(&s, pool, err);
    frame_unref(one);
    free(at);
    return out;
}

/* ---- lists ----------------------------------------------------------- */

size_t
frame_list_cost(const struct frame_list *l, const struct frame *f)
{
    const struct frame *last = l->n ? l->frame[l->n - 1] : NULL;
    size_t shared = 0;

    for (size_t i = 0; last && i < frame_cols(f) && i < frame_cols(last); i++) {
        const struct column *a = frame_column(f, i), *b = frame_column(last, i);
        bool known = !column_is_loose(a) && !column_is_loose(b);

        if (known && column_dict(a) && column_dict(a) == column_dict(b))
            shared += dict_bytes(column_dict(a));
    }
    return frame_bytes(f) - shared;
}

bool
frame_list_add(struct frame_list *l, struct frame *f, struct error *err)
{
    struct frame **more =
        mem_try_grow(l->frame, l->n, &l->cap, sizeof *more, err);

    if (!more) {
        frame_unref(f);
        return false;
    }
    l->frame = more;
    l->bytes += frame_list_cost(l, f);
    l->frame[l->n++] = f;
    l->n_rows += frame_rows(f);
    return true;
}

void
frame_list_clear(struct frame_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        frame_unref(l->frame[i]);
    free(l->frame);
    *l = (struct frame_list){0};
}

struct frame *
frame_list_stack(const struct frame_list *l, const struct frame *head,
                 struct pool *pool, struct error *err)
{
    return l->n ? stack_frames(l->frame, l->n, pool, NULL, err)
                : frame_ref(head);
}
