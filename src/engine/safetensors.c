/* engine/safetensors.c -- the artifact file.
 *
 *   0      8           8 + N = a multiple of 64
 *   | N    | header    | tensor | ~pad.0 | tensor | ...
 *
 * The format refuses gaps, so what aligns a tensor is itself a tensor.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/safetensors.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

enum { ST_ALIGN = 64, ST_MAX_TENSORS = 1 << 20 };

static const struct {
    const char *word;
    size_t width;
} types[] = {
    [ST_U8] = {"U8", 1},     [ST_I8] = {"I8", 1},   [ST_U16] = {"U16", 2},
    [ST_I16] = {"I16", 2},   [ST_U32] = {"U32", 4}, [ST_I32] = {"I32", 4},
    [ST_U64] = {"U64", 8},   [ST_I64] = {"I64", 8}, [ST_F32] = {"F32", 4},
    [ST_F64] = {"F64", 8},   [ST_F16] = {"F16", 2}, [ST_BF16] = {"BF16", 2},
    [ST_BOOL] = {"BOOL", 1},
};
enum { N_TYPES = sizeof types / sizeof types[0] };

/* ---- writing ---- */

struct entry {
    char *name;
    enum st_type type;
    uint64_t shape[ST_MAX_DIMS];
    size_t n_dims;
    const void *data;
    size_t len;
};

struct st_writer {
    struct entry *entry;
    size_t n, cap;
    char *manifest;
    bool failed; /* told by st_write() */
};

struct st_writer *
st_writer_new(void)
{
    return mem_new(sizeof(struct st_writer));
}

void
st_writer_free(struct st_writer *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->n; i++)
        free(w->entry[i].name);
    free(w->entry);
    free(w->manifest);
    free(w);
}

static bool
entries_grow(struct st_writer *w)
{
    struct error err;
    struct entry *e = mem_try_grow(w->entry, w->n, &w->cap, sizeof *e, &err);

    if (e)
        w->entry = e;
    return e;
}

void
st_add(struct st_writer *w, const char *name, enum st_type type,
       const uint64_t *shape, size_t n_dims, const void *data)
{
    struct error err;
    struct entry e = {.type = type, .n_dims = n_dims, .data = data};

    assert(n_dims <= ST_MAX_DIMS);
    e.len = types[type].width;
    for (size_t i = 0; i < n_dims; i++) {
        e.shape[i] = shape[i];
        if (!mem_mul(e.len, (size_t)shape[i], &e.len))
            w->failed = true;
    }
    if (w->failed || !entries_grow(w) ||
        !(e.name = mem_try_text(name, strlen(name), &err))) {
        w->failed = true;
        return;
    }
    w->entry[w->n++] = e;
}

void
st_add1(struct st_writer *w, const char *name, enum st_type type, uint64_t n,
        const void *data)
{
    st_add(w, name, type, &n, 1, data);
}

void
st_manifest(struct st_writer *w, const char *json)
{
    struct error err;

    free(w->manifest);
    if (!(w->manifest = mem_try_text(json, strlen(json), &err)))
        w->failed = true;
}

static size_t
padding(size_t at)
{
    return (ST_ALIGN - at % ST_ALIGN) % ST_ALIGN;
}

static void
head_entry(struct json_writer *j, const char *name, enum st_type type,
           const uint64_t *shape, size_t n_dims, size_t begin, size_t end)
{
    json_name(j, name);
    json_open(j, '{');
    json_name(j, "dtype");
    json_put_string(j, types[type].word);
    json_name(j, "shape");
    json_open(j, '[');
    for (size_t i = 0; i < n_dims; i++)
        json_put_i64(j, (int64_t)shape[i]);
    json_close(j, ']');
    json_name(j, "data_offsets");
    json_open(j, '[');
    json_put_i64(j, (int64_t)begin);
    json_put_i64(j, (int64_t)end);
    json_close(j, ']');
    json_close(j, '}');
}

static void
head_write(const struct st_writer *w, struct buf *head)
{
    struct json_writer j;
    size_t at = 0;
    unsigned n_pads = 0;

    json_writer_init(&j, head);
    json_open(&j, '{');
    if (w->manifest) {
        json_name(&j, "__metadata__");
        json_open(&j, '{');
        json_name(&j, "lathe");
        json_put_string(&j, w->manifest);
        json_close(&j, '}');
    }
    for (size_t i = 0; i < w->n; i++) {
        const struct entry *e = &w->entry[i];
        uint64_t gap = padding(at);
        char name[32];

        if (gap) {
            snprintf(name, sizeof name, "~pad.%u", n_pads++);
            head_entry(&j, name, ST_U8, &gap, 1, at, at + gap);
            at += gap;
        }
        head_entry(&j, e->name, e->type, e->shape, e->n_dims, at, at + e->len);
        at += e->len;
    }
    json_close(&j, '}');
    buf_fill(head, ' ', padding(8 + head->len));
}

bool
st_write(struct st_writer *w, struct buf *out, struct error *err)
{
    struct buf head;
    uint8_t n[8];
    size_t at = 0;
    bool ok = false;

    buf_init(&head);
    if (w->failed) {
        error_set(err, ERR_NOMEM, "no memory for the model file");
        goto out;
    }
    head_write(w, &head);
    if (!buf_check(&head, err))
        goto out;
    if (head.len > ST_MAX_HEADER) {
        error_set(err, ERR_LIMIT,
                  "the model's manifest is %zu bytes, at most %d are written",
                  head.len, ST_MAX_HEADER);
        goto out;
    }
    for (size_t i = 0; i < 8; i++)
        n[i] = (uint8_t)((uint64_t)head.len >> 8 * i);
    buf_add(out, n, sizeof n);
    buf_add(out, head.data, head.len);
    for (size_t i = 0; i < w->n; i++) {
        buf_fill(out, '\0', padding(at));
        at += padding(at) + w->entry[i].len;
        buf_add(out, w->entry[i].data, w->entry[i].len);
    }
    ok = buf_check(out, err);
out:
    buf_fini(&head);
    return ok;
}

/* ---- reading ---- */

struct st_item {
    const char *name; /* borrowed from the header */
    struct st_tensor tensor;
    uint64_t begin, end; /* bytes in the data */
};

struct st_file {
    struct json *head;
    struct st_item *item; /* in data order */
    size_t n;
    const char *manifest; /* borrowed from the header */
};

static bool
type_parse(const char *word, enum st_type *out)
{
    for (unsigned i = 0; i < N_TYPES; i++)
        if (strcmp(word, types[i].word) == 0) {
            *out = (enum st_type)i;
            return true;
        }
    return false;
}

/* A whole number from 0 to 2^53, where doubles are still exact. */
static bool
count_parse(const struct json *v, uint64_t *out)
{
    double x;

    if (json_type(v) != JSON_NUMBER)
        return false;
    x = json_number(v);
    if (!(x >= 0 && x <= 9007199254740992.0) || (double)(uint64_t)x != x)
        return false;
    *out = (uint64_t)x;
    return true;
}

static bool
shape_parse(const struct json *v, struct st_tensor *t, struct error *err)
{
    const struct json *a;

    if (!json_get_array(v, "shape", &a, err))
        return false;
    if (json_len(a) > ST_MAX_DIMS)
        return error_set(err, ERR_CORRUPT, "%zu dimensions, at most %d",
                         json_len(a), ST_MAX_DIMS);
    t->n = 1;
    for (const struct json *d = json_first(a); d; d = json_next(d)) {
        if (!count_parse(d, &t->shape[t->n_dims]) ||
            __builtin_mul_overflow(t->n, t->shape[t->n_dims], &t->n))
            return error_set(err, ERR_CORRUPT, "a bad shape");
        t->n_dims++;
    }
    return true;
}

static bool
item_parse(const struct json *v, struct st_item *it, struct str data,
           struct error *err)
{
    const char *word;
    const struct json *a, *b;
    uint64_t bytes;

    if (json_type(v) != JSON_OBJECT)
        return error_set(err, ERR_CORRUPT, "not an object");
    if (!json_get_string(v, "dtype", &word, err) ||
        !shape_parse(v, &it->tensor, err) ||
        !json_get_array(v, "data_offsets", &a, err))
        return false;
    if (!type_parse(word, &it->tensor.type))
        return error_set(err, ERR_CORRUPT, "dtype '%.16s' is not known", word);
    b = json_len(a) == 2 ? json_next(json_first(a)) : NULL;
    if (!b || !count_parse(json_first(a), &it->begin) ||
        !count_parse(b, &it->end) || it->begin > it->end || it->end > data.n)
        return error_set(err, ERR_CORRUPT,
                         "data_offsets do not lie within the file");
    if (__builtin_mul_overflow(
            it->tensor.n, (uint64_t)types[it->tensor.type].width, &bytes) ||
        bytes != it->end - it->begin)
        return error_set(err, ERR_CORRUPT,
                         "shape and data_offsets do not agree");
    it->tensor.data = data.p + it->begin;
    return true;
}

static bool
metadata_parse(const struct json *v, struct st_file *f, struct error *err)
{
    if (json_type(v) != JSON_OBJECT)
        return error_set(err, ERR_CORRUPT, "__metadata__ is not an object");
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        if (json_type(m) != JSON_STRING)
            return error_set(err, ERR_CORRUPT,
                             "__metadata__ holds what is not a text");
        if (strcmp(json_key(m), "lathe") == 0)
            f->manifest = json_string(m);
    }
    return true;
}

static int
by_offset(const void *a, const void *b)
{
    const struct st_item *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Tensors must follow each other and fill the data. */
static bool
layout_check(struct st_file *f, size_t len, struct error *err)
{
    uint64_t at = 0;

    qsort(f->item, f->n, sizeof *f->item, by_offset);
    for (size_t i = 0; i < f->n; i++) {
        if (f->item[i].begin != at)
            return error_set(err, ERR_CORRUPT,
                             "tensor '%.64s' begins at %" PRIu64
                             ", expected %" PRIu64,
                             f->item[i].name, f->item[i].begin, at);
        at = f->item[i].end;
    }
    if (at != len)
        return error_set(err, ERR_CORRUPT,
                         "%zu bytes of data, the tensors take %" PRIu64, len,
                         at);
    return true;
}

static bool
head_parse(struct st_file *f, struct str data, struct error *err)
{
    size_t n;

    if (json_type(f->head) != JSON_OBJECT)
        return error_set(err, ERR_CORRUPT, "the header is not an object");
    if ((n = json_len(f->head)) > ST_MAX_TENSORS)
        return error_set(err, ERR_CORRUPT, "%zu tensors, at most %d", n,
                         ST_MAX_TENSORS);
    if (!(f->item = mem_try_array(n, sizeof *f->item, err)))
        return false;
    for (const struct json *v = json_first(f->head); v; v = json_next(v)) {
        if (strcmp(json_key(v), "__metadata__") == 0) {
            if (!metadata_parse(v, f, err))
                return false;
            continue;
        }
        f->item[f->n].name = json_key(v);
        if (!item_parse(v, &f->item[f->n], data, err))
            return error_prefix(err, "tensor '%.64s': ", json_key(v));
        f->n++;
    }
    return layout_check(f, data.n, err);
}

static bool
size_parse(struct str bytes, size_t *n, struct error *err)
{
    uint64_t v = 0;

    if (bytes.n < 10)
        return error_set(err, ERR_CORRUPT, "%zu bytes: not a model file",
                         bytes.n);
    for (size_t i = 0; i < 8; i++)
        v |= (uint64_t)(unsigned char)bytes.p[i] << 8 * i;
    if (v > ST_MAX_HEADER)
        return error_set(err, ERR_CORRUPT,
                         "a header of %" PRIu64 " bytes: not a model file", v);
    if (v > bytes.n - 8)
        return error_set(err, ERR_CORRUPT,
                         "the header wants %" PRIu64
                         " bytes, the file has %zu: it was cut off",
                         v, bytes.n - 8);
    if (v < 2 || bytes.p[8] != '{')
        return error_set(err, ERR_CORRUPT, "no header: not a model file");
    *n = (size_t)v;
    return true;
}

struct st_file *
st_parse(struct str bytes, struct error *err)
{
    struct st_file *f;
    size_t n = 0;

    if (!size_parse(bytes, &n, err) || !(f = mem_try_array(1, sizeof *f, err)))
        return NULL;
    f->head = json_parse((struct str){bytes.p + 8, n}, err);
    if (f->head &&
        head_parse(f, (struct str){bytes.p + 8 + n, bytes.n - 8 - n}, err))
        return f;
    /* Whatever is wrong with the header, it is the file that is damaged. */
    if (err->code != ERR_NOMEM)
        err->code = ERR_CORRUPT;
    st_free(f);
    return NULL;
}

void
st_free(struct st_file *f)
{
    if (!f)
        return;
    json_free(f->head);
    free(f->item);
    free(f);
}

bool
st_need(const struct st_file *f, const char *name, enum st_type type, int64_t n,
        struct st_tensor *out, struct error *err)
{
    const struct st_tensor *t;
    size_t i = 0;

    while (i < f->n && strcmp(f->item[i].name, name) != 0)
        i++;
    if (i == f->n)
        return error_set(err, ERR_CORRUPT, "no tensor '%s'", name);
    t = &f->item[i].tensor;
    if (t->type != type)
        return error_set(err, ERR_CORRUPT, "tensor '%s' is %s, expected %s",
                         name, types[t->type].word, types[type].word);
    if (n >= 0 && t->n != (uint64_t)n)
        return error_set(err, ERR_CORRUPT,
                         "tensor '%s' has %" PRIu64
                         " elements, expected %" PRId64,
                         name, t->n, n);
    if ((uintptr_t)t->data % types[type].width != 0)
        return error_set(err, ERR_CORRUPT, "tensor '%s' is not aligned", name);
    *out = *t;
    return true;
}

size_t
st_count(const struct st_file *f)
{
    return f->n;
}

const char *
st_item(const struct st_file *f, size_t i, struct st_tensor *out)
{
    *out = f->item[i].tensor;
    return f->item[i].name;
}

const char *
st_get_manifest(const struct st_file *f)
{
    return f->manifest;
}
