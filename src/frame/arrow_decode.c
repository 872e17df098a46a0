/* frame/arrow_decode.c -- columns out of the arrays of all batches.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/arrow_decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
arrow_making_fini(struct arrow_making *m)
{
    free(m->data);
    free(m->valid);
    dict_unref(m->dict);
    buf_fini(&m->text);
}

struct column *
arrow_making_end(struct arrow_making *m, size_t n, struct error *err)
{
    struct column *c = column_new(m->type, n, m->data, m->valid, m->dict, err);

    buf_fini(&m->text);
    return c;
}

/* ---- validity ---- */

/* Bits 0..n of bytes to place `at` of words that are 0 there. */
static void
put_bits(uint64_t *words, size_t at, const char *bytes, size_t n)
{
    size_t n_bytes = n / 8 + (n % 8 != 0);

    if (at % 64 == 0) {
        memcpy(words + at / 64, bytes, n_bytes);
    } else {
        for (size_t i = 0; i < n_bytes; i++, at += 8) {
            uint64_t v = (unsigned char)bytes[i];

            if (i == n_bytes - 1 && n % 8 != 0)
                v &= (1u << (n % 8)) - 1;
            words[at / 64] |= v << (at % 64);
            if (at % 64 > 56 && v >> (64 - at % 64) != 0)
                words[at / 64 + 1] |= v >> (64 - at % 64);
        }
        return;
    }
    at += n;
    if (at % 64 != 0)
        words[at / 64] &= (UINT64_C(1) << (at % 64)) - 1;
}

void
arrow_put_ones(uint64_t *words, size_t at, size_t n)
{
    for (; n > 0 && at % 64 != 0; at++, n--)
        words[at / 64] |= UINT64_C(1) << (at % 64);
    for (; n >= 64; at += 64, n -= 64)
        words[at / 64] = ~UINT64_C(0);
    for (; n > 0; at++, n--)
        words[at / 64] |= UINT64_C(1) << (at % 64);
}

static bool
load_validity(struct arrow_decode *d, const struct arrow_parts *p)
{
    struct arrow_field bits = {.kind = ARROW_NULL};

    for (size_t i = 0; i < p->n; i++) {
        struct arrow_array only = {.n = p->x[i]->n};

        only.buf[ARROW_VALID] = p->x[i]->buf[ARROW_VALID];
        if (!arrow_array_load(d->a, &bits, &only, &d->keep, d->err))
            return false;
        p->x[i]->buf[ARROW_VALID] = only.buf[ARROW_VALID];
    }
    return true;
}

/* Which values are there, in the field and in all around it; *valid is NULL
 * when all are. */
static bool
merge_validity(struct arrow_decode *d, const struct arrow_parts *p,
               const uint64_t *around, uint64_t **valid)
{
    bool any = around != NULL, none = p->field->kind == ARROW_NULL;
    size_t row = 0;

    *valid = NULL;
    if (!load_validity(d, p))
        return false;
    for (size_t i = 0; i < p->n; i++)
        any = any || p->x[i]->buf[ARROW_VALID].len > 0;
    if (!any && !(none && !p->field->dict))
        return true;
    if (!(*valid = mem_try_array(arrow_words(p->rows), sizeof **valid, d->err)))
        return false;
    for (size_t i = 0; i < p->n && !(none && !p->field->dict); i++) {
        const struct arrow_array *x = p->x[i];

        if (x->buf[ARROW_VALID].len > 0)
            put_bits(*valid, row, x->buf[ARROW_VALID].s.p, x->n);
        else
            arrow_put_ones(*valid, row, x->n);
        row += x->n;
    }
    for (size_t w = 0; around && w < arrow_words(p->rows); w++)
        (*valid)[w] &= around[w];
    return true;
}

/* ---- values ---- */

static enum col_type
type_of(const struct arrow_field *f)
{
    switch (f->kind) {
    case ARROW_BOOL:
        return COL_BOOL;
    case ARROW_INT:
        return COL_INT64;
    case ARROW_FLOAT:
    case ARROW_DECIMAL:
    case ARROW_DURATION:
        return COL_FLOAT64;
    case ARROW_DATE:
        return COL_DATE;
    case ARROW_TIMESTAMP:
        return COL_TIMESTAMP;
    default:
        return COL_TEXT;
    }
}

/* Are the values stored as a column stores them? */
static bool
same_layout(const struct arrow_field *f)
{
    switch (f->kind) {
    case ARROW_INT:
    case ARROW_FLOAT:
        return f->bits == 64;
    case ARROW_DATE:
        return f->bits == 32;
    case ARROW_TIMESTAMP:
        return f->unit == ARROW_MICRO;
    default:
        return false;
    }
}

static bool
beyond(const struct arrow_field *f, size_t row, struct error *err)
{
    return error_set(err, ERR_RANGE, "row %zu: its %s is out of range", row + 1,
                     arrow_kind_word(f->kind));
}

static bool
put_moments(const struct arrow_field *f, const struct arrow_array *x,
            struct arrow_making *m, size_t row, struct error *err)
{
    int64_t v;

    for (size_t i = 0; i < x->n; i++) {
        if (!column_bit(m->valid, row + i))
            continue;
        if (m->type == COL_DATE) {
            if (!arrow_days(f, x, i, &v))
                return beyond(f, row + i, err);
            ((int32_t *)m->data)[row + i] = (int32_t)v;
        } else {
            if (!arrow_microseconds(f, x, i, &v))
                return beyond(f, row + i, err);
            ((int64_t *)m->data)[row + i] = v;
        }
    }
    return true;
}

static bool
put_numbers(const struct arrow_field *f, const struct arrow_array *x,
            struct arrow_making *m, size_t row)
{
    const unsigned char *bits = (const void *)x->buf[ARROW_DATA].s.p;
    uint8_t *b = m->data;
    int64_t *n = m->data;
    double *v = m->data;

    for (size_t i = 0; i < x->n; i++)
        if (m->type == COL_BOOL)
            b[row + i] = bits[i / 8] >> (i % 8) & 1;
        else if (m->type == COL_INT64)
            n[row + i] = arrow_int(f, x, i);
        else
            v[row + i] = arrow_float(f, x, i);
    return true;
}

static bool
is_bytes(const struct arrow_field *f)
{
    return f->kind == ARROW_UTF8 || f->kind == ARROW_LARGE_UTF8 ||
           f->kind == ARROW_BINARY || f->kind == ARROW_LARGE_BINARY ||
           f->kind == ARROW_UTF8_VIEW || f->kind == ARROW_BINARY_VIEW;
}

static bool
put_texts(const struct arrow_field *f, const struct arrow_array *x,
          struct arrow_making *m, size_t row, struct error *err)
{
    uint32_t *codes = m->data;
    bool bytes = is_bytes(f);

    for (size_t i = 0; i < x->n; i++) {
        struct str s;

        if (!column_bit(m->valid, row + i))
            continue;
        if (bytes) {
            s = arrow_bytes(f, x, i);
        } else {
            buf_clear(&m->text);
            arrow_print(f, x, i, false, &m->text);
            if (!buf_check(&m->text, err))
                return false;
            s = (struct str){m->text.data, m->text.len};
        }
        if (!dict_add(m->dict, s, &codes[row + i], err))
            return false;
    }
    return true;
}

static bool
put_part(const struct arrow_field *f, const struct arrow_array *x,
         struct arrow_making *m, size_t row, struct error *err)
{
    switch (m->type) {
    case COL_TEXT:
        return put_texts(f, x, m, row, err);
    case COL_DATE:
    case COL_TIMESTAMP:
        return put_moments(f, x, m, row, err);
    default:
        return put_numbers(f, x, m, row);
    }
}

/* As they are; compressed ones are unpacked where they belong. */
bool
arrow_copy_part(struct arrow_decode *d, const struct arrow_field *f,
                struct arrow_array *x, char *to, size_t width)
{
    struct arrow_buffer *b = &x->buf[ARROW_DATA];
    size_t len = x->n * width;

    if (b->codec != CODEC_NONE && b->len == len && len > 0 &&
        !d->a->schema.big_endian)
        return codec_decompress(b->codec, b->s, to, len, d->err);
    if (!arrow_array_load(d->a, f, x, &d->scratch, d->err))
        return false;
    memcpy(to, b->s.p, len);
    return true;
}

/* A number beyond int64 makes all of them doubles. */
static void
settle_unsigned(const struct arrow_field *f, struct arrow_making *m, size_t n)
{
    int64_t *v = m->data;
    double *x = m->data;
    bool large = false;

    if (f->kind != ARROW_INT || f->bits != 64 || f->is_signed)
        return;
    for (size_t i = 0; i < n && !large; i++)
        large = v[i] < 0 && column_bit(m->valid, i);
    if (!large)
        return;
    m->type = COL_FLOAT64;
    for (size_t i = 0; i < n; i++)
        x[i] = (double)(uint64_t)v[i];
}

struct column *
arrow_convert(struct arrow_decode *d, const struct arrow_parts *p,
              uint64_t *valid)
{
    const struct arrow_field *f = p->field;
    struct arrow_making m = {.type = type_of(f), .valid = valid};
    size_t row = 0, width = column_width(m.type);
    bool ok = true;

    buf_init(&m.text);
    if (!(m.data = mem_try_aligned(p->rows, width, d->err)) ||
        (m.type == COL_TEXT && !(m.dict = dict_new(d->err))))
        ok = false;
    for (size_t i = 0; ok && i < p->n; row += p->x[i++]->n) {
        arena_reset(&d->scratch);
        ok = progress_check(d->progress, d->err);
        if (ok && same_layout(f))
            ok = arrow_copy_part(d, f, p->x[i], (char *)m.data + row * width,
                                 width);
        else if (ok)
            ok = arrow_array_load(d->a, f, p->x[i], &d->scratch, d->err) &&
                 put_part(f, p->x[i], &m, row, d->err);
    }
    if (ok) {
        settle_unsigned(f, &m, p->rows);
        return arrow_making_end(&m, p->rows, d->err);
    }
    arrow_making_fini(&m);
    return NULL;
}

/* The one part whose values can stay where they are, or NULL. */
const void *
arrow_in_place(const struct arrow_decode *d, const struct arrow_parts *p,
               size_t width)
{
    const struct arrow_buffer *b;

    if (p->n != 1 || !d->a->hold)
        return NULL;
    b = &p->x[0]->buf[ARROW_DATA];
    return arrow_plain(d->a, b) && b->len > 0 && (uintptr_t)b->s.p % width == 0
               ? b->s.p
               : NULL;
}

struct column *
arrow_borrow(const struct arrow_decode *d, enum col_type type, const void *data,
             const struct arrow_parts *p, uint64_t *valid, struct dict *dict)
{
    struct column_loan loan = {data, file_hold_ref(d->a->hold), d->a->ours};

    return column_borrow(type, p->rows, &loan, valid, dict, d->err);
}

static bool
is_large(const struct arrow_field *f, const int64_t *v,
         const struct arrow_parts *p, const uint64_t *valid)
{
    if (f->kind != ARROW_INT || f->is_signed)
        return false;
    for (size_t i = 0; i < p->rows; i++)
        if (v[i] < 0 && column_bit(valid, i))
            return true;
    return false;
}

/* ---- columns ---- */

static struct column *
decode_column(struct arrow_decode *d, const struct arrow_parts *p,
              const uint64_t *around)
{
    const struct arrow_field *f = p->field;
    const void *data;
    uint64_t *valid;

    if (!merge_validity(d, p, around, &valid))
        return NULL;
    if (f->dict)
        return arrow_decode_codes(d, p, valid);
    data =
        same_layout(f) ? arrow_in_place(d, p, column_width(type_of(f))) : NULL;
    if (data && !is_large(f, data, p, valid))
        return arrow_borrow(d, type_of(f), data, p, valid, NULL);
    return arrow_convert(d, p, valid);
}

static bool
add_column(struct arrow_columns *out, struct column *c, struct str name,
           struct error *err)
{
    if (out->n == out->cap) {
        size_t cap = out->cap ? out->cap * 2 : 1;
        struct column **more =
            mem_try_resize(out->column, cap, sizeof *more, err);

        if (!more) {
            column_unref(c);
            return false;
        }
        out->column = more;
        out->cap = cap;
    }
    out->column[out->n++] = c;
    for (size_t i = 0; i < name.n; i++)
        buf_putc(&out->names, name.p[i] ? name.p[i] : ' ');
    buf_putc(&out->names, '\0');
    return buf_check(&out->names, err);
}

static bool
decode_tree(struct arrow_decode *d, const struct arrow_parts *p,
            const uint64_t *around, struct str name, struct arrow_columns *out);

static bool
decode_child(struct arrow_decode *d, const struct arrow_parts *p, size_t k,
             const uint64_t *valid, struct str name, struct arrow_columns *out)
{
    struct arrow_parts sub = {
        .field = &p->field->child[k], .n = p->n, .rows = p->rows};
    struct buf path;
    bool ok;

    buf_init(&path);
    buf_add(&path, name.p, name.n);
    buf_putc(&path, '.');
    buf_add(&path, sub.field->name.p, sub.field->name.n);
    sub.x = arena_try(&d->keep, p->n, sizeof *sub.x, d->err);
    ok = sub.x && buf_check(&path, d->err);
    for (size_t i = 0; ok && i < p->n; i++)
        sub.x[i] = &p->x[i]->child[k];
    ok = ok &&
         decode_tree(d, &sub, valid, (struct str){path.data, path.len}, out);
    buf_fini(&path);
    return ok;
}

static bool
decode_tree(struct arrow_decode *d, const struct arrow_parts *p,
            const uint64_t *around, struct str name, struct arrow_columns *out)
{
    struct column *c;
    uint64_t *valid;
    bool ok = true;

    if (p->field->kind != ARROW_STRUCT || p->field->dict) {
        c = decode_column(d, p, around);
        return c ? add_column(out, c, name, d->err)
                 : error_prefix(d->err, "column '%.*s': ", (int)name.n, name.p);
    }
    if (!merge_validity(d, p, around, &valid))
        return false;
    for (size_t k = 0; ok && k < p->field->n_children; k++)
        ok = decode_child(d, p, k, valid, name, out);
    free(valid);
    return ok;
}

static void
decode_init(struct arrow_decode *d, const struct arrow_file *a,
            struct progress *progress, struct error *err)
{
    *d = (struct arrow_decode){.a = a, .progress = progress, .err = err};
    arena_init(&d->keep);
    arena_init(&d->scratch);
}

static void
decode_fini(struct arrow_decode *d)
{
    arena_fini(&d->keep);
    arena_fini(&d->scratch);
}

bool
arrow_decode_field(const struct arrow_file *a, size_t k,
                   struct progress *progress, struct arrow_columns *out,
                   struct error *err)
{
    size_t n = a->schema.n_fields;
    struct arrow_parts p = {&a->schema.field[k], NULL, a->n_batches, a->n_rows};
    struct arrow_decode d;
    bool ok;

    decode_init(&d, a, progress, err);
    p.x = arena_try(&d.keep, p.n, sizeof *p.x, err);
    for (size_t i = 0; p.x && i < p.n; i++)
        p.x[i] = &a->batch[i * n + k];
    ok = p.x && decode_tree(&d, &p, NULL, p.field->name, out);
    decode_fini(&d);
    return ok;
}

void
arrow_columns_fini(struct arrow_columns *c)
{
    for (size_t i = 0; i < c->n; i++)
        column_unref(c->column[i]);
    free(c->column);
    buf_fini(&c->names);
}

/* ---- the values of dictionaries ---- */

/* Texts of our own file stay where they are, unhashed. */
static struct dict *
borrow_texts(struct arrow_decode *d, const struct arrow_parts *p)
{
    const struct arrow_array *x = p->x[0];
    const size_t *offset = arrow_in_place(d, p, sizeof *offset);

    if (!offset || x->n >= DICT_NONE || offset[0] != 0) {
        error_set(d->err, ERR_CORRUPT, "its texts are damaged");
        return NULL;
    }
    for (size_t i = 0; i < x->n; i++)
        if (offset[i] > offset[i + 1]) {
            error_set(d->err, ERR_CORRUPT, "its texts are damaged");
            return NULL;
        }
    if (offset[x->n] > x->buf[ARROW_BYTES].s.n) {
        error_set(d->err, ERR_CORRUPT, "its texts are damaged");
        return NULL;
    }
    return dict_borrow(x->buf[ARROW_BYTES].s.p, offset, x->n,
                       file_hold_ref(d->a->hold), d->err);
}

static bool
is_identity(const struct column *c)
{
    const uint32_t *codes;

    if (column_type(c) != COL_TEXT || column_missing(c) > 0)
        return false;
    codes = column_codes(c);
    for (size_t i = 0; i < column_rows(c); i++)
        if (codes[i] != i)
            return false;
    return true;
}

static bool
decode_version(struct arrow_decode *d, const struct arrow_field *f,
               struct arrow_version *v)
{
    struct arrow_parts p = {.field = f, .n = v->n_parts};

    if (v->texts || v->values)
        return true; /* known from the batch before */
    if (!(p.x = arena_try(&d->keep, p.n, sizeof *p.x, d->err)))
        return false;
    for (size_t i = 0; i < p.n; i++) {
        p.x[i] = &v->part[i];
        if (p.x[i]->n > UINT32_MAX - p.rows)
            return error_set(d->err, ERR_LIMIT, "a dictionary is too long");
        p.rows += p.x[i]->n;
    }
    if (d->a->ours && f->kind == ARROW_LARGE_UTF8 && p.n == 1 && p.rows > 0)
        return (v->texts = borrow_texts(d, &p)) != NULL;
    if (!(v->values = decode_column(d, &p, NULL)))
        return false;
    if (is_identity(v->values)) {
        v->texts = dict_ref(column_dict(v->values));
        column_unref(v->values);
        v->values = NULL;
    }
    return true;
}

bool
arrow_decode_dictionary(const struct arrow_file *a, struct arrow_dictionary *x,
                        struct error *err)
{
    struct arrow_field f = x->field;
    struct arrow_decode d;
    bool ok = true;

    f.dict = NULL;
    decode_init(&d, a, NULL, err);
    for (size_t i = 0; ok && i < x->n_versions; i++)
        ok = decode_version(&d, &f, &x->version[i]);
    decode_fini(&d);
    return ok || error_prefix(err, "column '%.*s': ", (int)f.name.n, f.name.p);
}
