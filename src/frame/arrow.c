/* frame/arrow.c -- Arrow IPC files and streams to a frame.
 *
 *   stream:   schema, then dictionaries and record batches, each a message:
 *             0xffffffff, int32 length, flatbuffer, body
 *             (before format 0.15 without the first four bytes)
 *   file:     "ARROW1", two zero bytes, a stream, footer, int32 its length,
 *             "ARROW1"; the footer holds the schema and the messages' places
 *
 * The messages are gone through first and all lengths checked; then columns
 * are made, each by one thread.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/arrow.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/arrow_reading.h"
#include "frame/names.h"

enum { MAGIC = 6, HEAD = 8, TAIL = 10, CONTINUES = -1 };
enum { MESSAGE_VERSION, MESSAGE_KIND, MESSAGE_HEADER, MESSAGE_BODY };
enum { DICTIONARY_ID, DICTIONARY_DATA, DICTIONARY_DELTA };
enum { NOTE_KEY, NOTE_VALUE };
enum { CHECK_DIGITS = 32 };

bool
arrow_starts(struct str head)
{
    static const unsigned char more[4] = {0xff, 0xff, 0xff, 0xff};

    return str_starts(head, ARROW_MAGIC) ||
           (head.n >= HEAD && memcmp(head.p, more, sizeof more) == 0);
}

static bool
damaged(struct arrow_reading *r, const char *what)
{
    return error_set(r->err, ERR_PARSE, "%s", what);
}

/* What it meant is to be found anew. */
static void
clear_version(struct arrow_version *v)
{
    dict_unref(v->texts);
    column_unref(v->values);
    v->texts = NULL;
    v->values = NULL;
}

static void
clear_dictionary(struct arrow_dictionary *d)
{
    for (size_t k = 0; k < d->n_versions; k++)
        clear_version(&d->version[k]);
    d->n_versions = 0;
}

void
arrow_forget_dictionaries(struct arrow_reading *r)
{
    struct arrow_schema *s = &r->file.schema;

    for (size_t i = 0; i < s->n_dicts; i++)
        clear_dictionary(&s->dict[i]);
}

void
arrow_reading_init(struct arrow_reading *r, struct str bytes, struct pool *pool,
                   struct progress *progress, struct error *err)
{
    *r = (struct arrow_reading){.pool = pool, .progress = progress, .err = err};
    r->file.bytes = bytes;
    arena_init(&r->file.arena);
    buf_init(&r->checked);
}

void
arrow_reading_fini(struct arrow_reading *r)
{
    arrow_forget_dictionaries(r);
    free(r->file.batch);
    arena_fini(&r->file.arena);
    buf_fini(&r->checked);
}

/* ---- batches ---- */

static bool
add_batch(struct arrow_reading *r, struct flat *f, size_t batch,
          struct str body)
{
    struct arrow_file *a = &r->file;
    size_t n = a->schema.n_fields;
    int64_t rows = flat_int(f, batch, 0, 8, 0);

    if (a->n_batches == a->cap_batches) {
        size_t cap = a->cap_batches ? a->cap_batches * 2 : 1, all;
        void *more;

        if (!mem_mul(cap, n ? n : 1, &all) ||
            !(more = mem_try_resize(a->batch, all, sizeof *a->batch, r->err)))
            return false;
        a->batch = more;
        a->cap_batches = cap;
    }
    if (!arrow_batch_read(a, f, batch, body, a->schema.field, n,
                          a->batch + a->n_batches * n, r->err))
        return false;
    a->n_batches++;
    a->n_rows += (size_t)rows;
    return a->n_rows <= UINT32_MAX ||
           error_set(r->err, ERR_LIMIT, "%zu rows, the limit is %lu", a->n_rows,
                     (unsigned long)UINT32_MAX);
}

/* One more at the end of a list in the arena, whose room doubles. */
static void *
grow(struct arena *arena, void *list, size_t n, size_t size, struct error *err)
{
    void *more;

    if ((n & (n - 1)) != 0)
        return list;
    more = arena_try(arena, n ? n * 2 : 1, size, err);
    if (more && n > 0)
        memcpy(more, list, n * size);
    return more;
}

static bool
add_dictionary(struct arrow_reading *r, struct flat *f, size_t message,
               struct str body)
{
    struct arrow_file *a = &r->file;
    int64_t id = flat_int(f, message, DICTIONARY_ID, 8, 0);
    bool delta = flat_int(f, message, DICTIONARY_DELTA, 1, 0) != 0;
    size_t batch = flat_table(f, message, DICTIONARY_DATA), i = 0;
    struct arrow_dictionary *d = a->schema.dict;
    struct arrow_version *v;
    struct arrow_field field;

    while (i < a->schema.n_dicts && d->id != id)
        i++, d++;
    if (i == a->schema.n_dicts || batch == 0)
        return damaged(r, "a dictionary that no column has");
    if (r->one_version && !delta)
        clear_dictionary(d);
    if (!delta || d->n_versions == 0) {
        d->version = grow(&a->arena, d->version, d->n_versions,
                          sizeof *d->version, r->err);
        if (!d->version)
            return false;
        d->version[d->n_versions++] = (struct arrow_version){0};
    }
    v = &d->version[d->n_versions - 1];
    clear_version(v);
    v->part = grow(&a->arena, v->part, v->n_parts, sizeof *v->part, r->err);
    if (!v->part)
        return false;
    field = d->field;
    field.dict = NULL;
    if (!arrow_batch_read(a, f, batch, body, &field, 1, &v->part[v->n_parts],
                          r->err))
        return false;
    v->n_values += v->part[v->n_parts++].n;
    return true;
}

/* ---- messages ---- */

bool
arrow_message_open(struct arrow_reading *r, struct str in, struct flat *f,
                   size_t *used)
{
    struct flat head = {in, false};
    int32_t len = flat_i32(&head, 0);

    *used = 4;
    if (len == CONTINUES) {
        len = flat_i32(&head, 4);
        *used = 8;
    }
    if (head.bad || len < 0 || (size_t)len > in.n - *used)
        return damaged(r, "it ends within a message");
    *f = (struct flat){{in.p + *used, (size_t)len}, false};
    *used += (size_t)len;
    return true;
}

int
arrow_message_kind(const struct flat *f)
{
    struct flat copy = *f;

    return (int)flat_int(&copy, flat_root(&copy), MESSAGE_KIND, 1, 0);
}

bool
arrow_message_read(struct arrow_reading *r, struct flat *f, struct str rest,
                   size_t *body)
{
    size_t root = flat_root(f), header;
    int64_t version = flat_int(f, root, MESSAGE_VERSION, 2, 0);
    int64_t kind = flat_int(f, root, MESSAGE_KIND, 1, 0);
    int64_t len = flat_int(f, root, MESSAGE_BODY, 8, 0);
    bool known = r->file.schema.dict != NULL;

    header = flat_table(f, root, MESSAGE_HEADER);
    if (f->bad || header == 0)
        return damaged(r, "a message is damaged");
    if (version != ARROW_VERSION_4 && version != ARROW_VERSION_5)
        return error_set(r->err, ERR_PARSE,
                         "metadata version %lld, expected 4 or 5",
                         (long long)version + 1);
    if (len < 0 || (uint64_t)len > rest.n)
        return damaged(r, "it ends within a message");
    *body = (size_t)len;
    rest.n = *body;
    if (kind == ARROW_SCHEMA && !known)
        return arrow_schema_read(&r->file, f, header, r->err);
    if (kind == ARROW_DICTIONARY && known)
        return add_dictionary(r, f, header, rest);
    if (kind == ARROW_BATCH && known)
        return add_batch(r, f, header, rest);
    return damaged(r, "a message that does not belong there");
}

static bool
read_stream(struct arrow_reading *r)
{
    struct str rest = r->file.bytes;

    while (rest.n > 0) {
        struct flat f;
        size_t used, body;

        if (!progress_check(r->progress, r->err) ||
            !arrow_message_open(r, rest, &f, &used))
            return false;
        if (f.s.n == 0)
            break;
        rest = (struct str){rest.p + used, rest.n - used};
        if (!arrow_message_read(r, &f, rest, &body))
            return false;
        rest = (struct str){rest.p + body, rest.n - body};
    }
    return r->file.schema.dict || damaged(r, "it has no schema");
}

/* ---- the footer ---- */

static bool
open_footer(struct arrow_reading *r)
{
    struct str s = r->file.bytes;
    struct flat tail;
    int32_t len;

    if (s.n < HEAD + TAIL || memcmp(s.p + s.n - MAGIC, ARROW_MAGIC, MAGIC) != 0)
        return damaged(r, "it is cut short: it does not end as it begins");
    tail = (struct flat){{s.p + s.n - TAIL, TAIL}, false};
    len = flat_i32(&tail, 0);
    if (len <= 0 || (size_t)len > s.n - HEAD - TAIL)
        return damaged(r, "the length of its footer is damaged");
    r->end = s.n - TAIL - (size_t)len;
    r->footer = (struct flat){{s.p + r->end, (size_t)len}, false};
    return true;
}

bool
arrow_block_read(struct arrow_reading *r, size_t at, int kind)
{
    int64_t offset = flat_i64(&r->footer, at);
    int64_t meta = flat_i32(&r->footer, at + 8);
    int64_t body = flat_i64(&r->footer, at + 16);
    struct str in;
    struct flat f;
    size_t used, told;

    if (offset < 0 || meta < 0 || body < 0 || (uint64_t)offset > r->end ||
        (uint64_t)meta > r->end - (size_t)offset ||
        (uint64_t)body > r->end - (size_t)offset - (size_t)meta)
        return damaged(r, "its footer points outside of it");
    in = (struct str){r->file.bytes.p + offset, (size_t)meta};
    if (r->file.ours)
        buf_add(&r->checked, in.p, in.n);
    if (!arrow_message_open(r, in, &f, &used) || f.s.n == 0)
        return f.s.n != 0 ? false : damaged(r, "a message is empty");
    if (arrow_message_kind(&f) != kind)
        return damaged(r, "its footer points to a message of another kind");
    return arrow_message_read(r, &f, (struct str){in.p + meta, (size_t)body},
                              &told);
}

static bool
read_blocks(struct arrow_reading *r, size_t root, unsigned id, int kind)
{
    size_t n, at = flat_vector(&r->footer, root, id, ARROW_BLOCK, &n);

    for (size_t i = 0; i < n; i++)
        if (!progress_check(r->progress, r->err) ||
            !arrow_block_read(r, at + i * ARROW_BLOCK, kind))
            return false;
    return true;
}

bool
arrow_file_open(struct arrow_reading *r)
{
    size_t root, schema;

    if (!open_footer(r))
        return false;
    root = flat_root(&r->footer);
    schema = flat_table(&r->footer, root, ARROW_FOOTER_SCHEMA);
    if (r->footer.bad || schema == 0)
        return damaged(r, "its footer is damaged");
    return arrow_schema_read(&r->file, &r->footer, schema, r->err);
}

static bool
read_file(struct arrow_reading *r)
{
    size_t root;

    if (!arrow_file_open(r))
        return false;
    root = flat_root(&r->footer);
    return read_blocks(r, root, ARROW_FOOTER_DICTIONARIES, ARROW_DICTIONARY) &&
           read_blocks(r, root, ARROW_FOOTER_BATCHES, ARROW_BATCH) &&
           (!r->footer.bad || damaged(r, "its footer is damaged"));
}

/* ---- columns ---- */

/* Work of one thread, and what came of it. */
struct part {
    struct arrow_columns columns;
    bool ok;
    struct error err;
};
struct parts {
    struct arrow_reading *r;
    struct part *part;
};

static void
decode_dictionary(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct parts *p = ctx;
    struct part *x = &p->part[chunk];

    (void)begin;
    (void)end;
    x->ok = progress_check(p->r->progress, &x->err) &&
            arrow_decode_dictionary(&p->r->file, &p->r->file.schema.dict[chunk],
                                    &x->err);
}

static void
decode_field(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct parts *p = ctx;
    struct part *x = &p->part[chunk];

    (void)begin;
    (void)end;
    x->ok = progress_check(p->r->progress, &x->err) &&
            arrow_decode_field(&p->r->file, chunk, p->r->progress, &x->columns,
                               &x->err);
    progress_add(p->r->progress, 1);
}

/* The error of the first that failed. */
static bool
all_ok(struct arrow_reading *r, const struct part *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!x[i].ok) {
            *r->err = x[i].err;
            return false;
        }
    return true;
}

static bool
decode_dictionaries(struct arrow_reading *r)
{
    size_t n = r->file.schema.n_dicts;
    struct parts p = {r, mem_try_array(n, sizeof *p.part, r->err)};
    bool ok;

    if (!p.part)
        return false;
    pool_for(r->pool, n, 1, decode_dictionary, &p);
    ok = all_ok(r, p.part, n);
    free(p.part);
    return ok;
}

/* Put together what the fields gave: several columns where they are structs. */
static bool
make_names(const struct part *x, size_t n, char **names, struct error *err)
{
    struct dict *taken = dict_new(err);
    size_t at = 0;
    bool ok = taken != NULL;

    for (size_t i = 0; ok && i < n; i++) {
        const char *name = x[i].columns.names.data;

        for (size_t k = 0; ok && k < x[i].columns.n; k++, at++) {
            names[at] = names_unique(str_of(name), at, taken, err);
            ok = names[at] != NULL;
            name += strlen(name) + 1;
        }
    }
    dict_unref(taken);
    return ok;
}

static struct frame *
make_frame(struct arrow_reading *r, struct part *x, size_t n)
{
    size_t all = 0, at = 0;
    struct column **columns;
    struct frame *f = NULL;
    char **names;

    for (size_t i = 0; i < n; i++)
        all += x[i].columns.n;
    names = mem_try_array(all, sizeof *names, r->err);
    columns = names ? mem_try_array(all, sizeof *columns, r->err) : NULL;
    if (columns && make_names(x, n, names, r->err)) {
        for (size_t i = 0; i < n; i++) {
            for (size_t k = 0; k < x[i].columns.n; k++)
                columns[at++] = x[i].columns.column[k];
            x[i].columns.n = 0; /* frame_new takes them */
        }
        f = frame_new(r->file.n_rows, all, (const char *const *)names, columns,
                      r->err);
    }
    for (size_t i = 0; names && i < all; i++)
        free(names[i]);
    free(names);
    free(columns);
    return f;
}

struct frame *
arrow_decode(struct arrow_reading *r)
{
    size_t n = r->file.schema.n_fields;
    struct parts p = {r, NULL};
    struct frame *f = NULL;

    progress_begin(r->progress, "reading", n);
    if (!decode_dictionaries(r) ||
        !(p.part = mem_try_array(n, sizeof *p.part, r->err)))
        return NULL;
    for (size_t i = 0; i < n; i++)
        buf_init(&p.part[i].columns.names);
    pool_for(r->pool, n, 1, decode_field, &p);
    if (all_ok(r, p.part, n))
        f = make_frame(r, p.part, n);
    for (size_t i = 0; i < n; i++)
        arrow_columns_fini(&p.part[i].columns);
    free(p.part);
    return f;
}

static struct frame *
read_any(struct arrow_reading *r)
{
    struct str s = r->file.bytes;

    if (str_starts(s, "FEA1")) {
        damaged(r, "Feather of version 1, expected version 2 (Arrow IPC)");
        return NULL;
    }
    if (str_starts(s, ARROW_MAGIC) ? !read_file(r) : !read_stream(r))
        return NULL;
    return arrow_decode(r);
}

/* ---- entry points ---- */

bool
arrow_parse(struct str bytes, const char *name, struct pool *pool,
            struct progress *progress, struct frame **out, struct error *err)
{
    struct arrow_reading r;

    arrow_reading_init(&r, bytes, pool, progress, err);
    *out = read_any(&r);
    arrow_reading_fini(&r);
    return *out || error_prefix(err, "%s: ", name);
}

bool
arrow_read_map(struct file_map *m, const char *name, struct pool *pool,
               struct progress *progress, struct frame **out, struct error *err)
{
    struct arrow_reading r;

    arrow_reading_init(&r, (struct str){m->data, m->len}, pool, progress, err);
    r.file.hold = file_hold_new(m, err);
    *out = r.file.hold ? read_any(&r) : NULL;
    arrow_reading_fini(&r);
    file_hold_unref(r.file.hold);
    return *out || error_prefix(err, "%s: ", name);
}

bool
arrow_read(const char *path, struct pool *pool, struct progress *progress,
           struct frame **out, struct error *err)
{
    struct file_map m;

    return file_map_open(&m, path, progress, err) &&
           arrow_read_map(&m, path, pool, progress, out, err);
}

/* ---- our own files ---- */

static struct str
footer_note(struct arrow_reading *r, const char *key)
{
    size_t n, at = flat_vector(&r->footer, flat_root(&r->footer),
                               ARROW_FOOTER_NOTES, 4, &n);

    for (size_t i = 0; i < n; i++) {
        size_t pair = flat_element(&r->footer, at, i);

        if (str_is(flat_text(&r->footer, pair, NOTE_KEY), key))
            return flat_text(&r->footer, pair, NOTE_VALUE);
    }
    return STR("");
}

/* The footer is under the checksum too, with zeros where that stands in it. */
static bool
check_sum(struct arrow_reading *r)
{
    struct str sum = footer_note(r, "lathe.check"), f = r->footer.s;
    char want[CHECK_DIGITS + 1];
    size_t at = r->checked.len;
    int64_t end;

    if (sum.n != CHECK_DIGITS ||
        !str_to_i64(footer_note(r, "lathe.end"), &end) || (size_t)end != r->end)
        return false;
    buf_add(&r->checked, f.p, f.n);
    if (r->checked.failed)
        return false;
    memset(r->checked.data + at + (sum.p - f.p), '0', CHECK_DIGITS);
    file_hash(r->checked.data, r->checked.len, want);
    return memcmp(want, sum.p, CHECK_DIGITS) == 0;
}

static struct frame *
recall(struct arrow_reading *r, char **note)
{
    struct str text;
    struct frame *f;

    *note = NULL;
    if (!str_starts(r->file.bytes, ARROW_MAGIC) || !read_file(r))
        return NULL;
    if (!check_sum(r)) {
        damaged(r, "it is damaged or not ours");
        return NULL;
    }
    text = footer_note(r, "lathe.note");
    if (!(f = arrow_decode(r)))
        return NULL;
    if ((*note = mem_try_text(text.p, text.n, r->err)))
        return f;
    frame_unref(f);
    return NULL;
}

bool
arrow_recall(const char *path, struct pool *pool, struct frame **out,
             char **note, struct error *err)
{
    struct arrow_reading r;
    struct file_map m;

    if (!file_map_open(&m, path, NULL, err))
        return false;
    arrow_reading_init(&r, (struct str){m.data, m.len}, pool, NULL, err);
    r.file.ours = true;
    error_set(err, ERR_CORRUPT, "it is no Arrow file");
    *out = (r.file.hold = file_hold_new(&m, err)) ? recall(&r, note) : NULL;
    arrow_reading_fini(&r);
    file_hold_unref(r.file.hold);
    if (*out)
        return true;
    if (err->code != ERR_NOMEM && err->code != ERR_IO)
        err->code = ERR_CORRUPT;
    return error_prefix(err, "%s: ", path);
}
