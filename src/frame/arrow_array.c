/* frame/arrow_array.c -- record batches as arrays of buffers.
 *
 * A batch lists nodes (length and missing values of an array) and buffers, of
 * all fields and their children in depth-first order.  Lengths are checked
 * here against what the type needs, so that nothing is allocated for rows that
 * are not there; what buffers point to is checked when they are loaded.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "base/mem.h"
#include "frame/arrow_part.h"

enum {
    BATCH_LENGTH,
    BATCH_NODES,
    BATCH_BUFFERS,
    BATCH_COMPRESSION,
    BATCH_VIEWS
};
enum { NODE = 16, BUFFER = 16, VIEW = 16, INLINE_MAX = 12 };
enum {
    HOLLOW_MAX = 1 << 24, /* rows without a byte in the file to show for */
    OVERLAP_MAX = 64,     /* times that lists may show the same values */
    RATIO_MAX = 1 << 16   /* beyond what either codec can reach */
};

struct cursor {
    struct arrow_file *a;
    struct flat *f;
    struct str body;
    enum codec codec;
    unsigned depth; /* 0: a column */
    size_t node, n_nodes, buffer, n_buffers, views, n_views;
    struct error *err;
};

static bool
damaged(const struct cursor *c, const struct arrow_field *f, const char *what)
{
    return error_set(c->err, ERR_PARSE, "column '%.*s': %s", (int)f->name.n,
                     f->name.p, what);
}

/* ---- buffers ---- */

/* Compressed: the plain length, or -1 when it was not worth it, goes first. */
static bool
open_compressed(struct arrow_buffer *b)
{
    struct flat head = {b->s, false};
    int64_t len;

    if (b->s.n == 0)
        return true;
    len = flat_i64(&head, 0);
    if (head.bad)
        return false;
    b->s.p += 8;
    b->s.n -= 8;
    if (len == -1) {
        b->codec = CODEC_NONE;
        b->len = b->s.n;
        return true;
    }
    b->len = (size_t)len;
    return len >= 0 && (size_t)len / RATIO_MAX <= b->s.n;
}

static bool
next_buffer(struct cursor *c, const struct arrow_field *f,
            struct arrow_buffer *b)
{
    int64_t at, len;

    if (c->n_buffers == 0)
        return damaged(c, f, "its batch has too few buffers");
    at = flat_i64(c->f, c->buffer);
    len = flat_i64(c->f, c->buffer + 8);
    c->buffer += BUFFER;
    c->n_buffers--;
    /* An empty buffer may lie anywhere. */
    if (len == 0)
        at = 0;
    if (at < 0 || len < 0 || (uint64_t)at > c->body.n ||
        (uint64_t)len > c->body.n - (size_t)at)
        return damaged(c, f, "a buffer lies outside of the file");
    *b = (struct arrow_buffer){.s = {c->body.p + at, (size_t)len},
                               .codec = c->codec,
                               .len = (size_t)len};
    if (b->codec != CODEC_NONE && !open_compressed(b))
        return damaged(c, f, "a compressed buffer is damaged");
    return true;
}

/* Bytes that n values need at least in the data buffer. */
static bool
data_needs(const struct arrow_field *f, size_t n, size_t *need)
{
    switch (f->kind) {
    case ARROW_BOOL:
        *need = n / 8 + (n % 8 != 0);
        return true;
    case ARROW_INT:
    case ARROW_FLOAT:
    case ARROW_DECIMAL:
    case ARROW_DATE:
    case ARROW_TIME:
    case ARROW_TIMESTAMP:
    case ARROW_INTERVAL:
    case ARROW_DURATION:
    case ARROW_FIXED_BINARY:
        return mem_mul(n, f->bits / 8, need);
    case ARROW_BINARY_VIEW:
    case ARROW_UTF8_VIEW:
        return mem_mul(n, VIEW, need);
    case ARROW_LIST_VIEW:
    case ARROW_LARGE_LIST_VIEW:
        return mem_mul(n, arrow_offset_width(f), need);
    case ARROW_NULL:
    case ARROW_STRUCT:
    case ARROW_FIXED_LIST:
        *need = 0;
        return true;
    default: /* n + 1 offsets; none at all when there is no value */
        *need = 0;
        return n == 0 || (n < SIZE_MAX / 8 &&
                          mem_mul(n + 1, arrow_offset_width(f), need));
    }
}

static size_t
n_buffers_of(const struct arrow_field *f)
{
    switch (f->kind) {
    case ARROW_NULL:
        return 0;
    case ARROW_STRUCT:
    case ARROW_FIXED_LIST:
        return 1;
    case ARROW_BINARY:
    case ARROW_UTF8:
    case ARROW_LARGE_BINARY:
    case ARROW_LARGE_UTF8:
    case ARROW_LIST_VIEW:
    case ARROW_LARGE_LIST_VIEW:
        return 3;
    default:
        return 2;
    }
}

static bool
is_view(const struct arrow_field *f)
{
    return f->kind == ARROW_BINARY_VIEW || f->kind == ARROW_UTF8_VIEW;
}

static bool
read_views(struct cursor *c, const struct arrow_field *f, struct arrow_array *x)
{
    int64_t n;

    if (c->n_views == 0)
        return damaged(c, f, "its batch has too few counts of buffers");
    n = flat_i64(c->f, c->views);
    c->views += 8;
    c->n_views--;
    if (n < 0 || (uint64_t)n > c->n_buffers)
        return damaged(c, f, "its batch has too few buffers");
    x->n_views = (size_t)n;
    x->view = arena_try(&c->a->arena, x->n_views, sizeof *x->view, c->err);
    for (size_t i = 0; x->view && i < x->n_views; i++)
        if (!next_buffer(c, f, &x->view[i]))
            return false;
    return x->view != NULL;
}

static bool
read_buffers(struct cursor *c, const struct arrow_field *f,
             struct arrow_array *x)
{
    size_t need, n = n_buffers_of(f);

    for (size_t i = 0; i < n; i++)
        if (!next_buffer(c, f, &x->buf[i]))
            return false;
    if (n == 0)
        return true;
    need = x->n / 8 + (x->n % 8 != 0);
    if (x->buf[ARROW_VALID].len > 0 && x->buf[ARROW_VALID].len < need)
        return damaged(c, f, "its validity is shorter than its rows");
    if (!data_needs(f, x->n, &need) || x->buf[ARROW_DATA].len < need)
        return damaged(c, f, "its values are shorter than its rows");
    if ((f->kind == ARROW_LIST_VIEW || f->kind == ARROW_LARGE_LIST_VIEW) &&
        x->buf[ARROW_BYTES].len < need)
        return damaged(c, f, "its sizes are shorter than its rows");
    return !is_view(f) || read_views(c, f, x);
}

/* ---- arrays ---- */

static bool read_array(struct cursor *c, const struct arrow_field *f,
                       struct arrow_array *x);

static bool
read_children(struct cursor *c, const struct arrow_field *f,
              struct arrow_array *x)
{
    size_t need = x->n;

    if (f->n_children == 0)
        return true;
    x->child = arena_try(&c->a->arena, f->n_children, sizeof *x->child, c->err);
    if (!x->child)
        return false;
    c->depth++;
    for (size_t i = 0; i < f->n_children; i++)
        if (!read_array(c, &f->child[i], &x->child[i]))
            return false;
    c->depth--;
    if (f->kind == ARROW_FIXED_LIST && !mem_mul(x->n, f->list_size, &need))
        return damaged(c, f, "its lists are too long");
    if (f->kind != ARROW_STRUCT && f->kind != ARROW_FIXED_LIST)
        return true;
    for (size_t i = 0; i < f->n_children; i++) {
        if (x->child[i].n < need)
            return damaged(c, f, "a field within it is shorter");
        x->child[i].n = need;
    }
    return true;
}

/* No byte of the file shows how many of these there are. */
static bool
is_hollow(const struct arrow_field *f)
{
    return !f->dict && (f->kind == ARROW_NULL ||
                        (f->kind == ARROW_STRUCT && f->n_children == 0) ||
                        (f->kind == ARROW_FIXED_LIST && f->list_size == 0) ||
                        (f->kind == ARROW_FIXED_BINARY && f->bits == 0));
}

static bool
read_array(struct cursor *c, const struct arrow_field *f, struct arrow_array *x)
{
    int64_t n, n_missing;

    if (c->n_nodes == 0)
        return damaged(c, f, "its batch has too few nodes");
    n = flat_i64(c->f, c->node);
    n_missing = flat_i64(c->f, c->node + 8);
    c->node += NODE;
    c->n_nodes--;
    if (n < 0 || n_missing < 0 || n_missing > n)
        return damaged(c, f, "its length is damaged");
    if (c->depth > 0 && n > HOLLOW_MAX && is_hollow(f))
        return damaged(c, f, "too many rows of nothing");
    *x = (struct arrow_array){.n = (size_t)n, .n_missing = (size_t)n_missing};
    if (f->dict) {
        if (f->dict->n_versions == 0)
            return damaged(c, f, "its dictionary is missing");
        x->version = f->dict->n_versions - 1;
        x->known = f->dict->version[x->version].n_values;
        return read_buffers(c, f->index, x);
    }
    return read_buffers(c, f, x) && read_children(c, f, x);
}

static bool
open_cursor(struct cursor *c, size_t batch)
{
    enum { COMPRESSION_CODEC, COMPRESSION_METHOD, LZ4 = 0, ZSTD = 1 };
    size_t t = flat_table(c->f, batch, BATCH_COMPRESSION);
    int64_t codec = flat_int(c->f, t, COMPRESSION_CODEC, 1, LZ4);

    c->node = flat_vector(c->f, batch, BATCH_NODES, NODE, &c->n_nodes);
    c->buffer = flat_vector(c->f, batch, BATCH_BUFFERS, BUFFER, &c->n_buffers);
    c->views = flat_vector(c->f, batch, BATCH_VIEWS, 8, &c->n_views);
    if (c->f->bad)
        return error_set(c->err, ERR_PARSE, "a batch is damaged");
    if (t == 0)
        return true;
    if ((codec != LZ4 && codec != ZSTD) ||
        flat_int(c->f, t, COMPRESSION_METHOD, 1, 0) != 0)
        return error_set(c->err, ERR_PARSE,
                         "a batch is compressed in an unknown way");
    c->codec = codec == LZ4 ? CODEC_LZ4_FRAME : CODEC_ZSTD;
    return true;
}

bool
arrow_batch_read(struct arrow_file *a, struct flat *f, size_t batch,
                 struct str body, const struct arrow_field *field, size_t n,
                 struct arrow_array *out, struct error *err)
{
    struct cursor c = {.a = a, .f = f, .body = body, .err = err};
    int64_t rows = flat_int(f, batch, BATCH_LENGTH, 8, 0);
    bool hollow = n > 0;

    if (!open_cursor(&c, batch))
        return false;
    if (rows < 0 || rows > UINT32_MAX)
        return error_set(err, rows < 0 ? ERR_PARSE : ERR_LIMIT,
                         "a batch of %lld rows", (long long)rows);
    for (size_t i = 0; i < n; i++) {
        hollow = hollow && is_hollow(&field[i]);
        if (!read_array(&c, &field[i], &out[i]))
            return false;
        if (out[i].n != (size_t)rows)
            return damaged(&c, &field[i], "its length is not the batch's");
    }
    if (hollow && rows > HOLLOW_MAX)
        return error_set(err, ERR_LIMIT, "%lld rows of nothing",
                         (long long)rows);
    return !f->bad || error_set(err, ERR_PARSE, "a batch is damaged");
}

/* ---- loading ---- */

bool
arrow_plain(const struct arrow_file *a, const struct arrow_buffer *b)
{
    return b->codec == CODEC_NONE && !a->schema.big_endian;
}

static void
swap_each(char *p, size_t len, size_t width)
{
    for (size_t at = 0; at + width <= len; at += width)
        for (size_t i = 0; i < width / 2; i++) {
            char c = p[at + i];

            p[at + i] = p[at + width - 1 - i];
            p[at + width - 1 - i] = c;
        }
}

/* Plain, in this byte order (numbers of `width` bytes), aligned to 8. */
static bool
load_buffer(const struct arrow_file *a, struct arrow_buffer *b, size_t width,
            struct arena *arena, struct error *err)
{
    bool swap = a->schema.big_endian && width > 1;
    char *p;

    if (b->len == 0)
        *b = (struct arrow_buffer){.s = STR("")};
    if (b->len == 0 || (b->codec == CODEC_NONE && !swap &&
                        (uintptr_t)b->s.p % sizeof(int64_t) == 0))
        return true;
    if (!(p = arena_try(arena, b->len, 1, err)))
        return false;
    if (b->codec == CODEC_NONE)
        memcpy(p, b->s.p, b->len);
    else if (!codec_decompress(b->codec, b->s, p, b->len, err))
        return false;
    if (swap)
        swap_each(p, b->len, width);
    *b = (struct arrow_buffer){.s = {p, b->len}, .len = b->len};
    return true;
}

static size_t
swap_width(const struct arrow_field *f)
{
    switch (f->kind) {
    case ARROW_BOOL:
    case ARROW_FIXED_BINARY:
    case ARROW_BINARY_VIEW:
    case ARROW_UTF8_VIEW:
        return 1;
    case ARROW_INTERVAL:
        return 4; /* but for records, which load_records() swaps */
    case ARROW_INT:
    case ARROW_FLOAT:
    case ARROW_DECIMAL:
    case ARROW_DATE:
    case ARROW_TIME:
    case ARROW_TIMESTAMP:
    case ARROW_DURATION:
        return f->bits / 8;
    default:
        return arrow_offset_width(f);
    }
}

/* Records of fields of several widths, in the other byte order. */
static bool
load_records(const struct arrow_file *a, const struct arrow_field *f,
             struct arrow_buffer *b, struct arena *arena, struct error *err)
{
    char *p;

    if (!load_buffer(a, b, 1, arena, err))
        return false;
    if (!a->schema.big_endian || b->len == 0)
        return true;
    if (!(p = arena_try(arena, b->len, 1, err)))
        return false;
    memcpy(p, b->s.p, b->len);
    for (size_t at = 0; at + VIEW <= b->len; at += VIEW) {
        int32_t len;

        swap_each(p + at, 4, 4);
        memcpy(&len, p + at, 4);
        if (!is_view(f)) {
            swap_each(p + at + 4, 4, 4);
            swap_each(p + at + 8, 8, 8);
        } else if (len > INLINE_MAX) {
            swap_each(p + at + 8, 8, 4);
        }
    }
    b->s.p = p;
    return true;
}

static bool
is_record(const struct arrow_field *f)
{
    return is_view(f) ||
           (f->kind == ARROW_INTERVAL && f->unit == ARROW_MONTH_DAY_NANO);
}

bool
arrow_bit(const struct arrow_array *x, size_t i)
{
    const struct str *s = &x->buf[ARROW_VALID].s;

    return s->n == 0 || ((unsigned char)s->p[i / 8] >> (i % 8) & 1);
}

static int64_t
offset_at(const struct arrow_field *f, const struct arrow_array *x, size_t i)
{
    const char *p = x->buf[ARROW_DATA].s.p;
    int32_t narrow;
    int64_t wide;

    if (arrow_offset_width(f) == sizeof wide) {
        memcpy(&wide, p + i * sizeof wide, sizeof wide);
        return wide;
    }
    memcpy(&narrow, p + i * sizeof narrow, sizeof narrow);
    return narrow;
}

/* Offsets rise from 0 or more to at most `limit`. */
static bool
check_offsets(const struct arrow_field *f, const struct arrow_array *x,
              size_t limit)
{
    int64_t last;

    if (x->n == 0)
        return true;
    last = offset_at(f, x, 0);
    if (last < 0)
        return false;
    for (size_t i = 1; i <= x->n; i++) {
        int64_t next = offset_at(f, x, i);

        if (next < last)
            return false;
        last = next;
    }
    return (uint64_t)last <= limit;
}

static bool
check_views(const struct arrow_array *x)
{
    const char *p = x->buf[ARROW_DATA].s.p;

    for (size_t i = 0; i < x->n; i++) {
        int32_t v[4];

        if (!arrow_bit(x, i))
            continue;
        memcpy(v, p + i * VIEW, VIEW);
        if (v[0] >= 0 && v[0] <= INLINE_MAX)
            continue;
        if (v[0] < 0 || v[2] < 0 || (size_t)v[2] >= x->n_views || v[3] < 0 ||
            (size_t)v[3] > x->view[v[2]].s.n ||
            (size_t)v[0] > x->view[v[2]].s.n - (size_t)v[3])
            return false;
    }
    return true;
}

static int64_t
list_view_size(const struct arrow_field *f, const struct arrow_array *x,
               size_t i)
{
    const char *p = x->buf[ARROW_BYTES].s.p;
    int32_t narrow;
    int64_t wide;

    if (f->kind == ARROW_LARGE_LIST_VIEW) {
        memcpy(&wide, p + i * sizeof wide, sizeof wide);
        return wide;
    }
    memcpy(&narrow, p + i * sizeof narrow, sizeof narrow);
    return narrow;
}

static bool
check_list_views(const struct arrow_field *f, const struct arrow_array *x)
{
    size_t limit = x->child[0].n, all = 0;

    for (size_t i = 0; i < x->n; i++) {
        int64_t at = offset_at(f, x, i), n = list_view_size(f, x, i);

        if (at < 0 || n < 0 || (uint64_t)at > limit ||
            (uint64_t)n > limit - (size_t)at)
            return false;
        all += (size_t)n;
        if (all / OVERLAP_MAX > limit)
            return false;
    }
    return true;
}

static bool
check_targets(const struct arrow_field *f, const struct arrow_array *x)
{
    switch (f->kind) {
    case ARROW_BINARY:
    case ARROW_UTF8:
    case ARROW_LARGE_BINARY:
    case ARROW_LARGE_UTF8:
        return check_offsets(f, x, x->buf[ARROW_BYTES].s.n);
    case ARROW_LIST:
    case ARROW_LARGE_LIST:
    case ARROW_MAP:
        return check_offsets(f, x, x->child[0].n);
    case ARROW_LIST_VIEW:
    case ARROW_LARGE_LIST_VIEW:
        return check_list_views(f, x);
    case ARROW_BINARY_VIEW:
    case ARROW_UTF8_VIEW:
        return check_views(x);
    default:
        return true;
    }
}

bool
arrow_array_load(const struct arrow_file *a, const struct arrow_field *f,
                 struct arrow_array *x, struct arena *arena, struct error *err)
{
    bool sizes = f->kind == ARROW_LIST_VIEW || f->kind == ARROW_LARGE_LIST_VIEW;

    if (f->dict)
        f = f->index;
    if (!load_buffer(a, &x->buf[ARROW_VALID], 1, arena, err) ||
        !(is_record(f) ? load_records(a, f, &x->buf[ARROW_DATA], arena, err)
                       : load_buffer(a, &x->buf[ARROW_DATA], swap_width(f),
                                     arena, err)) ||
        !load_buffer(a, &x->buf[ARROW_BYTES], sizes ? arrow_offset_width(f) : 1,
                     arena, err))
        return false;
    for (size_t i = 0; i < x->n_views; i++)
        if (!load_buffer(a, &x->view[i], 1, arena, err))
            return false;
    for (size_t i = 0; i < f->n_children; i++)
        if (!arrow_array_load(a, &f->child[i], &x->child[i], arena, err))
            return false;
    return check_targets(f, x) ||
           error_set(err, ERR_PARSE, "it points outside of itself");
}

/* ---- values ---- */

static struct str
view_at(const struct arrow_array *x, size_t i)
{
    const char *p = x->buf[ARROW_DATA].s.p + i * VIEW;
    int32_t v[4];

    memcpy(v, p, VIEW);
    if (v[0] <= INLINE_MAX)
        return (struct str){p + 4, (size_t)v[0]};
    return (struct str){x->view[v[2]].s.p + v[3], (size_t)v[0]};
}

void
arrow_range(const struct arrow_field *f, const struct arrow_array *x, size_t i,
            size_t *begin, size_t *end)
{
    if (f->kind == ARROW_FIXED_LIST) {
        *begin = i * f->list_size;
        *end = *begin + f->list_size;
        return;
    }
    *begin = (size_t)offset_at(f, x, i);
    if (f->kind == ARROW_LIST_VIEW || f->kind == ARROW_LARGE_LIST_VIEW)
        *end = *begin + (size_t)list_view_size(f, x, i);
    else
        *end = (size_t)offset_at(f, x, i + 1);
}

struct str
arrow_bytes(const struct arrow_field *f, const struct arrow_array *x, size_t i)
{
    size_t width = f->bits / 8, begin;

    if (is_view(f))
        return view_at(x, i);
    if (f->kind == ARROW_FIXED_BINARY)
        return (struct str){x->buf[ARROW_DATA].s.p + i * width, width};
    begin = (size_t)offset_at(f, x, i);
    return (struct str){x->buf[ARROW_BYTES].s.p + begin,
                        (size_t)offset_at(f, x, i + 1) - begin};
}

int64_t
arrow_int(const struct arrow_field *f, const struct arrow_array *x, size_t i)
{
    const char *p = x->buf[ARROW_DATA].s.p + i * (f->bits / 8);
    int16_t v16;
    int32_t v32;
    int64_t v64;

    switch (f->bits) {
    case 8:
        return f->is_signed ? (int64_t)(signed char)*p : (unsigned char)*p;
    case 16:
        memcpy(&v16, p, sizeof v16);
        return f->is_signed ? v16 : (int64_t)(uint16_t)v16;
    case 32:
        memcpy(&v32, p, sizeof v32);
        return f->is_signed ? v32 : (int64_t)(uint32_t)v32;
    default:
        memcpy(&v64, p, sizeof v64);
        return v64;
    }
}
