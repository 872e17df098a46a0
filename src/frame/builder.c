/* frame/builder.c -- append rows one value at a time, then freeze.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/builder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FIRST_ROWS = 64 }; /* a multiple of 64: whole validity words */

struct slot {
    char *name;
    enum col_type type;
    void *data; /* room for cap values, aligned */
    uint64_t *valid;
    struct dict *dict; /* COL_TEXT */
};

struct builder {
    size_t n_cols, n_rows, cap;
    struct slot *slots;
};

void
builder_free(struct builder *b)
{
    if (!b)
        return;
    for (size_t i = 0; b->slots && i < b->n_cols; i++) {
        free(b->slots[i].name);
        free(b->slots[i].data);
        free(b->slots[i].valid);
        dict_unref(b->slots[i].dict);
    }
    free(b->slots);
    free(b);
}

struct builder *
builder_new(size_t n_cols, const char *const *names, const enum col_type *types,
            struct error *err)
{
    struct builder *b = mem_try_array(1, sizeof *b, err);

    if (!b)
        return NULL;
    b->n_cols = n_cols;
    if (!(b->slots = mem_try_array(n_cols, sizeof *b->slots, err)))
        goto fail;
    for (size_t i = 0; i < n_cols; i++) {
        struct slot *s = &b->slots[i];

        s->type = types[i];
        if (!(s->name = mem_try_text(names[i], strlen(names[i]), err)) ||
            (s->type == COL_TEXT && !(s->dict = dict_new(err))))
            goto fail;
    }
    return b;
fail:
    builder_free(b);
    return NULL;
}

static bool
grow_slot(struct slot *s, size_t from, size_t to, struct error *err)
{
    size_t width = column_width(s->type);
    void *data = mem_try_aligned(to, width, err);
    uint64_t *valid = mem_try_array(to / 64, sizeof *valid, err);

    if (!data || !valid) {
        free(data);
        free(valid);
        return false;
    }
    if (from > 0) {
        memcpy(data, s->data, from * width);
        memcpy(valid, s->valid, from / 64 * sizeof *valid);
    }
    free(s->data);
    free(s->valid);
    s->data = data;
    s->valid = valid;
    return true;
}

/* Room for the row at hand.  A slot that grew before another one failed is
 * larger than cap says, which does no harm. */
static bool
reserve(struct builder *b, struct error *err)
{
    size_t cap = b->cap ? b->cap * 2 : FIRST_ROWS;

    if (b->n_rows < b->cap)
        return true;
    if (b->n_rows >= UINT32_MAX)
        return error_set(err, ERR_LIMIT, "more than %lu rows",
                         (unsigned long)UINT32_MAX);
    for (size_t i = 0; i < b->n_cols; i++)
        if (!grow_slot(&b->slots[i], b->n_rows, cap, err))
            return false;
    b->cap = cap;
    return true;
}

static void
mark(struct builder *b, struct slot *s)
{
    s->valid[b->n_rows / 64] |= UINT64_C(1) << (b->n_rows % 64);
}

bool
builder_i64(struct builder *b, size_t col, int64_t v, struct error *err)
{
    struct slot *s = &b->slots[col];

    assert(col < b->n_cols);
    if (!reserve(b, err))
        return false;
    switch (s->type) {
    case COL_BOOL:
        if (v != 0 && v != 1)
            return error_set(err, ERR_RANGE, "%lld in bool column '%s'",
                             (long long)v, s->name);
        ((uint8_t *)s->data)[b->n_rows] = (uint8_t)v;
        break;
    case COL_DATE:
        if (v < INT32_MIN || v > INT32_MAX)
            return error_set(err, ERR_RANGE, "%lld days in date column '%s'",
                             (long long)v, s->name);
        ((int32_t *)s->data)[b->n_rows] = (int32_t)v;
        break;
    default:
        assert(s->type == COL_INT64 || s->type == COL_TIMESTAMP);
        ((int64_t *)s->data)[b->n_rows] = v;
    }
    mark(b, s);
    return true;
}

bool
builder_f64(struct builder *b, size_t col, double v, struct error *err)
{
    struct slot *s = &b->slots[col];

    assert(col < b->n_cols && s->type == COL_FLOAT64);
    if (!reserve(b, err))
        return false;
    ((double *)s->data)[b->n_rows] = v;
    mark(b, s);
    return true;
}

bool
builder_text(struct builder *b, size_t col, struct str v, struct error *err)
{
    struct slot *s = &b->slots[col];
    uint32_t code;

    assert(col < b->n_cols && s->type == COL_TEXT);
    if (!reserve(b, err) || !dict_add(s->dict, v, &code, err))
        return false;
    ((uint32_t *)s->data)[b->n_rows] = code;
    mark(b, s);
    return true;
}

bool
builder_parse(struct builder *b, size_t col, struct str v, struct error *err)
{
    struct slot *s = &b->slots[col];
    int shown = v.n < 40 ? (int)v.n : 40;
    int64_t i = 0;
    double x = 0;

    assert(col < b->n_cols);
    if (s->type == COL_TEXT)
        return builder_text(b, col, v, err);
    if (!column_parse(s->type, v, &i, &x))
        return error_set(err, ERR_PARSE, "'%.*s' is not %s %s", shown, v.p,
                         s->type == COL_INT64 ? "an" : "a",
                         column_type_word(s->type));
    return s->type == COL_FLOAT64 ? builder_f64(b, col, x, err)
                                  : builder_i64(b, col, i, err);
}

bool
builder_end_row(struct builder *b, struct error *err)
{
    if (!reserve(b, err))
        return false;
    b->n_rows++;
    return true;
}

/* Shrinks the buffers to the rows there are and hands them to the columns. */
static struct column *
freeze(struct builder *b, struct slot *s, struct error *err)
{
    struct column *c;
    void *data = mem_try_aligned(b->n_rows, column_width(s->type), err);

    if (!data)
        return NULL;
    if (b->n_rows > 0)
        memcpy(data, s->data, b->n_rows * column_width(s->type));
    if (b->n_rows == 0) { /* perhaps never allocated */
        free(s->valid);
        s->valid = NULL;
    }
    c = column_new(s->type, b->n_rows, data, s->valid, s->dict, err);
    s->valid = NULL;
    s->dict = NULL;
    return c;
}

struct frame *
builder_finish(struct builder *b, struct error *err)
{
    size_t n = b->n_cols;
    struct column **columns = mem_try_array(n, sizeof(struct column *), err);
    const char **names = mem_try_array(n, sizeof *names, err);
    struct frame *f = NULL;
    size_t made = 0;

    for (; columns && names && made < n; made++) {
        names[made] = b->slots[made].name;
        if (!(columns[made] = freeze(b, &b->slots[made], err)))
            break;
    }
    if (columns && names && made == n)
        f = frame_new(b->n_rows, n, names, columns, err);
    else
        for (size_t i = 0; i < made; i++)
            column_unref(columns[i]);
    free(columns);
    free(names);
    builder_free(b);
    return f;
}
