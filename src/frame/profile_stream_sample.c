/* Rows of a stream for what is measured on a sample: evenly spaced ones, and
 * the last ones.
 *
 * Where the number of rows is known they are those that profile_new() takes.
 * Else every row is kept, then every second, every fourth and so on: whenever
 * there are twice as many as wanted, or their texts take too much, every other
 * one of them goes.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/profile_stream_part.h"

enum { TEXT_BYTES = 16 << 20, LEAST_ROWS = 1000 };

/* A column's values, 8 bytes each; a text's is its code. */
struct kept {
    enum col_type type;
    uint64_t *value;
    uint8_t *here;
    struct dict *dict;
};

struct sampler {
    struct frame *head; /* a reference */
    struct kept *col;
    size_t n_cols, n, cap;
    uint64_t *row;
    uint64_t at;     /* the row that comes next */
    uint64_t step;   /* between rows; 0: the number of rows is known */
    uint64_t n_rows; /* then */
    size_t n_text;   /* bytes */
};

struct sampler *
sampler_new(const struct frame *head, const uint64_t *n_rows, struct error *err)
{
    struct sampler *s = mem_try_array(1, sizeof *s, err);

    if (!s)
        return NULL;
    s->head = frame_ref(head);
    s->n_cols = frame_cols(head);
    s->step = n_rows ? 0 : 1;
    s->n_rows = n_rows ? *n_rows : 0;
    if (!(s->col = mem_try_array(s->n_cols, sizeof *s->col, err)))
        goto fail;
    for (size_t i = 0; i < s->n_cols; i++) {
        s->col[i].type = column_type(frame_column(head, i));
        if (s->col[i].type == COL_TEXT && !(s->col[i].dict = dict_new(err)))
            goto fail;
    }
    return s;
fail:
    sampler_free(s);
    return NULL;
}

void
sampler_free(struct sampler *s)
{
    if (!s)
        return;
    for (size_t i = 0; s->col && i < s->n_cols; i++) {
        free(s->col[i].value);
        free(s->col[i].here);
        dict_unref(s->col[i].dict);
    }
    free(s->col);
    free(s->row);
    frame_unref(s->head);
    free(s);
}

static bool
grow(struct sampler *s, struct error *err)
{
    size_t cap = s->cap ? 2 * s->cap : 256;
    uint64_t *row = mem_try_resize(s->row, cap, sizeof *row, err);

    if (!row)
        return false;
    s->row = row;
    for (size_t i = 0; i < s->n_cols; i++) {
        uint64_t *value =
            mem_try_resize(s->col[i].value, cap, sizeof *value, err);
        uint8_t *here;

        if (!value)
            return false;
        s->col[i].value = value;
        if (!(here = mem_try_resize(s->col[i].here, cap, 1, err)))
            return false;
        s->col[i].here = here;
    }
    s->cap = cap;
    return true;
}

static uint64_t
value_of(const struct column *c, size_t row)
{
    uint64_t bits = 0;

    switch (column_type(c)) {
    case COL_BOOL:
        return column_bools(c)[row];
    case COL_DATE:
        return (uint64_t)(int64_t)column_dates(c)[row];
    default:
        memcpy(&bits, (const char *)column_data(c) + 8 * row, 8);
        return bits;
    }
}

static bool
keep_row(struct sampler *s, const struct frame *f, size_t row,
         struct error *err)
{
    if (s->n == s->cap && !grow(s, err))
        return false;
    for (size_t i = 0; i < s->n_cols; i++) {
        const struct column *c = frame_column(f, i);
        struct kept *k = &s->col[i];
        size_t before;
        uint32_t code = 0;

        k->here[s->n] = column_is_valid(c, row);
        if (k->type != COL_TEXT) {
            k->value[s->n] = k->here[s->n] ? value_of(c, row) : 0;
            continue;
        }
        before = dict_count(k->dict);
        if (k->here[s->n] &&
            !dict_add(k->dict, column_text(c, row), &code, err))
            return false;
        k->value[s->n] = code;
        if (dict_count(k->dict) > before)
            s->n_text += column_text(c, row).n;
    }
    s->row[s->n++] = s->at;
    return true;
}

/* A dictionary of the texts that are left. */
static bool
shrink_dict(struct sampler *s, struct kept *k, struct error *err)
{
    struct dict *d = dict_new(err);

    if (!d)
        return false;
    for (size_t i = 0; i < s->n; i++) {
        struct str t = dict_text(k->dict, (uint32_t)k->value[i]);
        size_t before = dict_count(d);
        uint32_t code;

        if (!k->here[i])
            continue;
        if (!dict_add(d, t, &code, err)) {
            dict_unref(d);
            return false;
        }
        k->value[i] = code;
        s->n_text += dict_count(d) > before ? t.n : 0;
    }
    dict_unref(k->dict);
    k->dict = d;
    return true;
}

static bool
thin_out(struct sampler *s, struct error *err)
{
    size_t n = (s->n + 1) / 2;

    for (size_t i = 1; i < n; i++) {
        s->row[i] = s->row[2 * i];
        for (size_t c = 0; c < s->n_cols; c++) {
            s->col[c].value[i] = s->col[c].value[2 * i];
            s->col[c].here[i] = s->col[c].here[2 * i];
        }
    }
    s->n = n;
    s->n_text = 0;
    for (size_t c = 0; c < s->n_cols; c++)
        if (s->col[c].dict && !shrink_dict(s, &s->col[c], err))
            return false;
    return true;
}

/* The next row, from s->at on, that belongs to the sample. */
static uint64_t
next_row(const struct sampler *s)
{
    uint64_t k = s->n, row;

    if (s->step)
        return (s->at + s->step - 1) / s->step * s->step;
    if (k >= PROFILE_SAMPLE)
        return UINT64_MAX;
    row = s->n_rows <= PROFILE_SAMPLE
              ? k
              : (uint64_t)((double)k * (double)s->n_rows / PROFILE_SAMPLE);
    return row;
}

bool
sampler_add(struct sampler *s, const struct frame *f, struct error *err)
{
    uint64_t begin = s->at, end = begin + frame_rows(f), row;

    while ((row = next_row(s)) < end) {
        s->at = row;
        if (!keep_row(s, f, (size_t)(row - begin), err))
            return false;
        s->at = row + 1;
        if (s->n < 2 * PROFILE_SAMPLE &&
            !(s->n_text > TEXT_BYTES && s->n > LEAST_ROWS))
            continue;
        /* Known or not, from here on the step tells which rows to take. */
        if (!s->step)
            s->step =
                s->n_rows / PROFILE_SAMPLE ? s->n_rows / PROFILE_SAMPLE : 1;
        s->step *= 2;
        if (!thin_out(s, err))
            return false;
    }
    s->at = end;
    return true;
}

static struct column *
make_column(const struct kept *k, size_t n, struct error *err)
{
    size_t width = column_width(k->type);
    char *data = mem_try_aligned(n, width, err);
    uint64_t *valid =
        data ? mem_try_aligned((n + 63) / 64, sizeof *valid, err) : NULL;

    if (!valid) {
        free(data);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t narrow = (uint32_t)k->value[i];
        uint8_t bit = (uint8_t)k->value[i];

        if (k->here[i])
            valid[i / 64] |= (uint64_t)1 << i % 64;
        memcpy(data + i * width,
               width == 8   ? (const void *)&k->value[i]
               : width == 4 ? (const void *)&narrow
                            : (const void *)&bit,
               width);
    }
    return column_new(k->type, n, data, valid,
                      k->dict ? dict_ref(k->dict) : NULL, err);
}

static struct frame *
make_frame(const struct frame *head, const struct kept *col, size_t n,
           struct error *err)
{
    size_t n_cols = frame_cols(head), made = 0;
    struct column **c = mem_try_array(n_cols, sizeof *c, err);
    const char **name = c ? mem_try_array(n_cols, sizeof *name, err) : NULL;
    struct frame *f = NULL;

    for (; name && made < n_cols; made++) {
        name[made] = frame_name(head, made);
        if (!(c[made] = make_column(&col[made], n, err)))
            break;
    }
    if (name && made == n_cols)
        f = frame_new(n, n_cols, name, c, err);
    else
        while (made > 0)
            column_unref(c[--made]);
    free(c);
    free(name);
    return f;
}

/* Evenly spaced ones of those there are, where they are too many. */
struct frame *
sampler_frame(const struct sampler *s, uint64_t **row, struct error *err)
{
    struct frame *all = make_frame(s->head, s->col, s->n, err), *f;
    size_t n = s->n < PROFILE_SAMPLE ? s->n : PROFILE_SAMPLE;
    uint32_t *id;

    if (!all)
        return NULL;
    if (!(*row = mem_try_array(n, sizeof **row, err)) ||
        !(id = mem_try_array(n, sizeof *id, err))) {
        free(*row);
        *row = NULL;
        frame_unref(all);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        id[i] = (uint32_t)profile_sample_row(all, i, n);
        (*row)[i] = s->row[id[i]];
    }
    f = n == s->n ? frame_ref(all) : frame_take(all, id, n, err);
    free(id);
    frame_unref(all);
    if (!f) {
        free(*row);
        *row = NULL;
    }
    return f;
}

/* ---- the last rows ---- */

struct tail {
    struct frame *head; /* a reference */
    struct kept *col;   /* rings; none for texts and bools */
    uint64_t n;         /* rows until now */
};

struct tail *
tail_new(const struct frame *head, struct error *err)
{
    struct tail *t = mem_try_array(1, sizeof *t, err);
    size_t n_cols = frame_cols(head);

    if (!t)
        return NULL;
    t->head = frame_ref(head);
    if (!(t->col = mem_try_array(n_cols, sizeof *t->col, err)))
        goto fail;
    for (size_t i = 0; i < n_cols; i++) {
        struct kept *k = &t->col[i];

        k->type = column_type(frame_column(head, i));
        if (k->type != COL_TEXT && k->type != COL_BOOL &&
            (!(k->value = mem_try_array(PROFILE_SAMPLE, 8, err)) ||
             !(k->here = mem_try_array(PROFILE_SAMPLE, 1, err))))
            goto fail;
    }
    return t;
fail:
    tail_free(t);
    return NULL;
}

void
tail_free(struct tail *t)
{
    if (!t)
        return;
    for (size_t i = 0; t->col && i < frame_cols(t->head); i++) {
        free(t->col[i].value);
        free(t->col[i].here);
    }
    free(t->col);
    frame_unref(t->head);
    free(t);
}

void
tail_add(struct tail *t, const struct frame *f)
{
    size_t rows = frame_rows(f);
    size_t begin = rows > PROFILE_SAMPLE ? rows - PROFILE_SAMPLE : 0;

    for (size_t i = 0; i < frame_cols(f); i++) {
        const struct column *c = frame_column(f, i);
        struct kept *k = &t->col[i];

        for (size_t row = begin; k->value && row < rows; row++) {
            size_t at = (size_t)((t->n + row) % PROFILE_SAMPLE);

            k->here[at] = column_is_valid(c, row);
            k->value[at] = k->here[at] ? value_of(c, row) : 0;
        }
    }
    t->n += rows;
}

struct frame *
tail_frame(const struct tail *t, struct error *err)
{
    size_t n = t->n < PROFILE_SAMPLE ? (size_t)t->n : PROFILE_SAMPLE;
    size_t n_cols = frame_cols(t->head), made = 0;
    size_t first = t->n > n ? (size_t)(t->n % PROFILE_SAMPLE) : 0;
    struct kept *flat = mem_try_array(n_cols, sizeof *flat, err);
    struct frame *f = NULL;

    for (; flat && made < n_cols; made++) {
        const struct kept *k = &t->col[made];
        struct kept *to = &flat[made];

        to->type = k->value ? k->type : COL_BOOL;
        if (!(to->value = mem_try_array(n, 8, err)) ||
            !(to->here = mem_try_array(n, 1, err)))
            break;
        for (size_t i = 0; k->value && i < n; i++) {
            to->value[i] = k->value[(first + i) % PROFILE_SAMPLE];
            to->here[i] = k->here[(first + i) % PROFILE_SAMPLE];
        }
    }
    if (flat && made == n_cols)
        f = make_frame(t->head, flat, n, err);
    for (size_t i = 0; flat && i < n_cols; i++) {
        free(flat[i].value);
        free(flat[i].here);
    }
    free(flat);
    return f;
}
