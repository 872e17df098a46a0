/* frame/arrow_write.c -- frames to an Arrow IPC file or stream.
 *
 * A batch is a list of pieces, most of them the columns' own memory, and a
 * flatbuffer that says where each lies.  Messages are padded so that bodies
 * begin, and pieces lie, at multiples of 64 bytes in the file.
 *
 * A whole frame has one dictionary for each text column.  Batches bring their
 * own: in a stream one replaces that of the batch before; in a file, where
 * that is not allowed, texts are written out instead, since one dictionary for
 * all could grow without limit.  Whether all texts are UTF-8 is known at the
 * end: then the schema is written once more, over the first.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/arrow_body.h"
#include "frame/arrow_part.h"
#include "frame/arrow_texts.h"
#include "frame/sink_part.h"

enum { STEP = 8 << 20, BLOCK = 24, ROWS_AT_ONCE = 64 };
static const char zeros[MEM_ALIGN];

struct field {
    enum arrow_kind kind;
    struct arrow_texts texts; /* of the batch at hand */
    struct dict *last;        /* what the stream's dictionary is; owned */
    bool foreign;             /* a text was not UTF-8 */
    bool ok;
    struct error err;
};

struct arrow_out {
    struct frame *head;        /* of batches; owned */
    const struct frame *f;     /* names and types */
    const struct frame *batch; /* at hand */
    struct arrow_options o;
    struct field *field;
    bool ours, in_batches;
    const char *note;
    struct sink_bytes *out;
    size_t at, schema_at;
    struct buf meta;                  /* of the message at hand */
    struct buf dictionaries, batches; /* blocks for the footer */
    struct buf checked;
    struct error *err; /* of the call at hand */
};

static bool
write_bytes(struct arrow_out *w, const void *p, size_t len)
{
    for (size_t at = 0; at < len; at += STEP) {
        size_t n = len - at < STEP ? len - at : STEP;

        if (!progress_check(w->o.progress, w->err) ||
            !sink_bytes_put(w->out, (const char *)p + at, n, w->err))
            return false;
        progress_add(w->o.progress, n);
    }
    w->at += len;
    return true;
}

/* ---- metadata ---- */

static size_t
put_int_type(struct buf *b, size_t bits, bool is_signed)
{
    struct flat_slot type[] = {{.id = 0, .width = 4, .value = bits},
                               {.id = 1, .width = 1, .value = is_signed}};

    return flat_put_table(b, type, 2);
}

static size_t
put_unit_type(struct buf *b, int unit)
{
    struct flat_slot type = {.id = 0, .width = 2, .value = (uint64_t)unit};

    return flat_put_table(b, &type, 1);
}

static bool
is_narrow(const struct arrow_out *w, const struct dict *d)
{
    return !w->ours && !w->in_batches && dict_len(d) <= INT32_MAX;
}

/* Readers may refuse bytes that are called utf8 and are not. */
static enum arrow_kind
text_kind(const struct arrow_out *w, const struct dict *d)
{
    bool narrow = is_narrow(w, d);

    if (w->in_batches)
        return w->o.stream ? ARROW_LARGE_UTF8 : ARROW_UTF8;
    for (size_t i = 0; !w->ours && i < dict_count(d); i++)
        if (!str_utf8_valid(dict_text(d, (uint32_t)i)))
            return narrow ? ARROW_BINARY : ARROW_LARGE_BINARY;
    return narrow ? ARROW_UTF8 : ARROW_LARGE_UTF8;
}

static enum arrow_kind
kind_of(const struct arrow_out *w, const struct column *c)
{
    static const enum arrow_kind kinds[COL_N_TYPES] = {
        [COL_BOOL] = ARROW_BOOL,           [COL_INT64] = ARROW_INT,
        [COL_FLOAT64] = ARROW_FLOAT,       [COL_DATE] = ARROW_DATE,
        [COL_TIMESTAMP] = ARROW_TIMESTAMP,
    };
    enum col_type t = column_type(c);

    return t == COL_TEXT ? text_kind(w, column_dict(c)) : kinds[t];
}

static bool
has_dictionary(const struct arrow_out *w, size_t col)
{
    return column_type(frame_column(w->f, col)) == COL_TEXT &&
           (!w->in_batches || w->o.stream);
}

static size_t
put_type(struct buf *b, enum arrow_kind kind)
{
    enum { DAY = 0, DOUBLE = 2 };

    switch (kind) {
    case ARROW_INT:
        return put_int_type(b, 64, true);
    case ARROW_FLOAT:
        return put_unit_type(b, DOUBLE);
    case ARROW_DATE:
        return put_unit_type(b, DAY);
    case ARROW_TIMESTAMP:
        return put_unit_type(b, ARROW_MICRO);
    default:
        return flat_put_table(b, NULL, 0);
    }
}

static size_t
put_dictionary(struct buf *b, size_t id, bool is_signed)
{
    struct flat_slot slot[] = {{.id = 0, .width = 8, .value = id}, {.id = 1}};
    size_t at = flat_put_table(b, slot, 2);

    flat_point(b, slot[1].at, put_int_type(b, 32, is_signed));
    return at;
}

static size_t
put_field(const struct arrow_out *w, struct buf *b, size_t col)
{
    enum { DICTIONARY, NAME, TYPE, CHILDREN, NULLABLE, KIND, N_SLOTS };
    const struct dict *d = column_dict(frame_column(w->f, col));
    size_t at, skip = !has_dictionary(w, col);
    enum arrow_kind kind = w->field[col].kind;
    struct flat_slot slot[N_SLOTS] = {
        [DICTIONARY] = {.id = 4},
        [NAME] = {.id = 0},
        [TYPE] = {.id = 3},
        [CHILDREN] = {.id = 5},
        [NULLABLE] = {.id = 1, .width = 1, .value = 1},
        [KIND] = {.id = 2, .width = 1, .value = kind},
    };

    at = flat_put_table(b, slot + skip, N_SLOTS - skip);
    flat_point(b, slot[NAME].at,
               flat_put_text(b, str_of(frame_name(w->f, col))));
    flat_point(b, slot[TYPE].at, put_type(b, kind));
    flat_point(b, slot[CHILDREN].at, flat_put_vector(b, 0, 4));
    if (!skip)
        flat_point(b, slot[DICTIONARY].at,
                   put_dictionary(b, col, dict_count(d) <= INT32_MAX));
    return at;
}

static size_t
put_schema(const struct arrow_out *w, struct buf *b)
{
    struct flat_slot slot = {.id = 1};
    size_t at = flat_put_table(b, &slot, 1), list, n = frame_cols(w->f);

    flat_point(b, slot.at, flat_put_vector(b, n, 4));
    list = flat_put_references(b, n);
    for (size_t i = 0; i < n; i++)
        flat_point(b, list + i * 4, put_field(w, b, i));
    return at;
}

/* Begins a message; the place where its header is to be pointed. */
static size_t
begin_message(struct arrow_out *w, enum arrow_message kind, size_t body)
{
    struct flat_slot slot[] = {
        {.id = 3, .width = 8, .value = body},
        {.id = 2},
        {.id = 0, .width = 2, .value = ARROW_VERSION_5},
        {.id = 1, .width = 1, .value = kind},
    };
    size_t root;

    buf_clear(&w->meta);
    root = flat_put_root(&w->meta);
    flat_point(&w->meta, root, flat_put_table(&w->meta, slot, 4));
    return slot[1].at;
}

/* Its length, the flatbuffer, zeros; noted in `blocks` for the footer. */
static bool
end_message(struct arrow_out *w, struct buf *blocks, size_t body)
{
    unsigned char head[8] = {0xff, 0xff, 0xff, 0xff};
    size_t begin = w->at, len;

    buf_fill(&w->meta, '\0',
             arrow_body_padding(w->at + sizeof head + w->meta.len));
    if (!buf_check(&w->meta, w->err))
        return false;
    len = w->meta.len;
    for (size_t i = 0; i < 4; i++)
        head[4 + i] = (unsigned char)(len >> (8 * i));
    if (w->ours && blocks) {
        buf_add(&w->checked, head, sizeof head);
        buf_add(&w->checked, w->meta.data, len);
    }
    if (!write_bytes(w, head, sizeof head) ||
        !write_bytes(w, w->meta.data, len))
        return false;
    if (blocks) {
        flat_put_i64(blocks, (int64_t)begin);
        flat_put_i64(blocks, (int64_t)(sizeof head + len));
        flat_put_i64(blocks, (int64_t)body);
    }
    return true;
}

/* ---- bodies ---- */

/* `begin` is a multiple of 64. */
static bool
add_validity(struct arrow_body *b, const struct column *c, size_t begin,
             size_t n, struct error *err)
{
    const uint64_t *valid = column_validity(c);
    size_t present = 0;

    if (!valid) {
        arrow_body_node(b, n, 0);
        return arrow_body_add(b, zeros, 0, NULL, err);
    }
    valid += begin / 64;
    for (size_t w = 0; w < n / 64 + (n % 64 != 0); w++)
        present += (size_t)__builtin_popcountll(valid[w]);
    arrow_body_node(b, n, n - present);
    return arrow_body_add(b, valid, present < n ? n / 8 + (n % 8 != 0) : 0,
                          NULL, err);
}

static bool
add_bools(struct arrow_body *b, const uint8_t *v, size_t n, struct error *err)
{
    size_t len = n / 8 + (n % 8 != 0);
    unsigned char *bits = mem_try_array(len, 1, err);

    for (size_t i = 0; bits && i < n; i++)
        bits[i / 8] |= (unsigned char)(v[i] << (i % 8));
    return bits && arrow_body_add(b, bits, len, bits, err);
}

static bool
add_column(struct arrow_out *w, struct arrow_body *b, size_t col, size_t begin,
           size_t n)
{
    const struct column *c = frame_column(w->batch, col);
    const struct arrow_texts *t = &w->field[col].texts;
    size_t width = column_width(column_type(c));

    if (!add_validity(b, c, begin, n, w->err))
        return false;
    if (column_type(c) == COL_BOOL)
        return add_bools(b, column_bools(c) + begin, n, w->err);
    if (column_type(c) == COL_TEXT && !has_dictionary(w, col))
        return arrow_body_add(b, t->ends, (n + 1) * sizeof(int32_t), NULL,
                              w->err) &&
               arrow_body_add(b, t->bytes, t->len, NULL, w->err);
    if (t->codes)
        return arrow_body_add(b, t->codes, n * width, NULL, w->err);
    return arrow_body_add(b, (const char *)column_data(c) + begin * width,
                          n * width, NULL, w->err);
}

/* Offsets, which are small ones, become int32_t in their place. */
static void
make_narrow(void *ends, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *p = ends;
        size_t wide;
        int32_t small;

        memcpy(&wide, p + i * sizeof wide, sizeof wide);
        small = (int32_t)wide;
        memcpy(p + i * sizeof small, &small, sizeof small);
    }
}

static bool
add_texts(struct arrow_body *b, const struct dict *d,
          const struct arrow_texts *t, bool narrow, struct error *err)
{
    size_t n = t->n_used, width = narrow ? sizeof(int32_t) : sizeof(size_t);
    const size_t *end;
    struct str block;

    (void)dict_block(d, &block, &end);
    if (narrow)
        make_narrow(t->ends, n + 1);
    arrow_body_node(b, n, 0);
    return arrow_body_add(b, zeros, 0, NULL, err) &&
           arrow_body_add(b, t->ends, (n + 1) * width, NULL, err) &&
           arrow_body_add(b, t->bytes ? t->bytes : block.p, t->len, NULL, err);
}

static bool
write_pieces(struct arrow_out *w, const struct arrow_body *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (!write_bytes(w, b->piece[i].p, b->piece[i].len) ||
            !write_bytes(w, zeros, arrow_body_padding(b->piece[i].len)))
            return false;
    return true;
}

/* ---- messages ---- */

static bool
write_schema(struct arrow_out *w)
{
    size_t header = begin_message(w, ARROW_SCHEMA, 0);

    flat_point(&w->meta, header, put_schema(w, &w->meta));
    return end_message(w, NULL, 0);
}

static bool
write_dictionary(struct arrow_out *w, size_t col)
{
    const struct dict *d = column_dict(frame_column(w->batch, col));
    struct arrow_texts all = {0}, *t = &w->field[col].texts;
    struct flat_slot slot[] = {{.id = 0, .width = 8, .value = col}, {.id = 1}};
    size_t len, header;
    struct arrow_body b;
    bool ok;

    t = w->in_batches ? t : &all;
    arrow_body_init(&b);
    ok = (w->in_batches || arrow_texts_all(&all, d, w->err)) &&
         add_texts(&b, d, t, is_narrow(w, d), w->err) &&
         arrow_body_squeeze(&b, w->o.codec, w->o.pool, w->err);
    if (ok) {
        len = arrow_body_place(&b);
        header = begin_message(w, ARROW_DICTIONARY, len);
        flat_point(&w->meta, header, flat_put_table(&w->meta, slot, 2));
        flat_point(&w->meta, slot[1].at,
                   arrow_body_put(&b, w->o.codec, t->n_used, &w->meta));
        ok = end_message(w, &w->dictionaries, len) && write_pieces(w, &b);
    }
    arrow_body_fini(&b);
    arrow_texts_fini(&all);
    return ok;
}

static bool
write_batch(struct arrow_out *w, size_t begin, size_t n)
{
    struct arrow_body b;
    size_t len, header;
    bool ok = true;

    arrow_body_init(&b);
    for (size_t i = 0; ok && i < frame_cols(w->f); i++)
        ok = add_column(w, &b, i, begin, n);
    ok = ok && arrow_body_squeeze(&b, w->o.codec, w->o.pool, w->err);
    if (ok) {
        len = arrow_body_place(&b);
        header = begin_message(w, ARROW_BATCH, len);
        flat_point(&w->meta, header,
                   arrow_body_put(&b, w->o.codec, n, &w->meta));
        ok = end_message(w, &w->batches, len) && write_pieces(w, &b);
    }
    arrow_body_fini(&b);
    return ok;
}

/* ---- the footer ---- */

static size_t
put_blocks(struct buf *b, const struct buf *blocks)
{
    size_t at = flat_put_vector(b, blocks->len / BLOCK, 8);

    buf_add(b, blocks->data, blocks->len);
    b->failed |= blocks->failed;
    return at;
}

static size_t
put_note(struct buf *b, const char *key, const char *value, size_t *text)
{
    struct flat_slot slot[] = {{.id = 0}, {.id = 1}};
    size_t at = flat_put_table(b, slot, 2);

    flat_point(b, slot[0].at, flat_put_text(b, str_of(key)));
    *text = flat_put_text(b, str_of(value));
    flat_point(b, slot[1].at, *text);
    *text += 4;
    return at;
}

/* What arrow_recall() looks for; the place of the checksum. */
static size_t
put_notes(const struct arrow_out *w, struct buf *b, size_t slot)
{
    char end[STR_F64_MAX];
    size_t list, sum, text;

    snprintf(end, sizeof end, "%zu", w->at);
    flat_point(b, slot, flat_put_vector(b, 3, 4));
    list = flat_put_references(b, 3);
    flat_point(
        b, list,
        put_note(b, "lathe.check", "00000000000000000000000000000000", &sum));
    flat_point(b, list + 4, put_note(b, "lathe.end", end, &text));
    flat_point(b, list + 8, put_note(b, "lathe.note", w->note, &text));
    return sum;
}

static bool
sum_up(struct arrow_out *w, struct buf *b, size_t sum)
{
    char digits[33];

    buf_add(&w->checked, b->data, b->len);
    if (!buf_check(&w->checked, w->err) || !buf_check(b, w->err))
        return false;
    file_hash(w->checked.data, w->checked.len, digits);
    memcpy(b->data + sum, digits, sizeof digits - 1);
    return true;
}

static bool
write_footer(struct arrow_out *w)
{
    enum { NOTES, SCHEMA, DICTIONARIES, BATCHES, WHICH, N_SLOTS };
    struct flat_slot slot[N_SLOTS] = {
        [NOTES] = {.id = 4},
        [SCHEMA] = {.id = 1},
        [DICTIONARIES] = {.id = 2},
        [BATCHES] = {.id = 3},
        [WHICH] = {.id = 0, .width = 2, .value = ARROW_VERSION_5},
    };
    struct buf *b = &w->meta;
    unsigned char len[4];
    size_t root, skip = !w->ours;

    buf_clear(b);
    root = flat_put_root(b);
    flat_point(b, root, flat_put_table(b, slot + skip, N_SLOTS - skip));
    flat_point(b, slot[SCHEMA].at, put_schema(w, b));
    flat_point(b, slot[DICTIONARIES].at, put_blocks(b, &w->dictionaries));
    flat_point(b, slot[BATCHES].at, put_blocks(b, &w->batches));
    if (w->ours && !sum_up(w, b, put_notes(w, b, slot[NOTES].at)))
        return false;
    if (!buf_check(b, w->err))
        return false;
    for (size_t i = 0; i < 4; i++)
        len[i] = (unsigned char)(b->len >> (8 * i));
    return write_bytes(w, b->data, b->len) && write_bytes(w, len, sizeof len) &&
           write_bytes(w, ARROW_MAGIC, sizeof ARROW_MAGIC - 1);
}

/* ---- the whole ---- */

static bool
begin_file(struct arrow_out *w)
{
    if (!w->o.stream && !write_bytes(w, ARROW_MAGIC "\0", 8))
        return false;
    w->schema_at = w->at;
    return write_schema(w);
}

static bool
end_file(struct arrow_out *w)
{
    static const unsigned char end[8] = {0xff, 0xff, 0xff, 0xff};

    return write_bytes(w, end, sizeof end) && (w->o.stream || write_footer(w));
}

static bool
write_all(struct arrow_out *w)
{
    size_t rows = frame_rows(w->f), step = w->o.batch_rows, begin = 0;

    /* Validity is cut between its words. */
    if (step == 0 || step > rows)
        step = rows;
    step += (ROWS_AT_ONCE - step % ROWS_AT_ONCE) % ROWS_AT_ONCE;
    progress_begin(w->o.progress, "writing", frame_bytes(w->f));
    if (!begin_file(w))
        return false;
    for (size_t i = 0; i < frame_cols(w->f); i++)
        if (has_dictionary(w, i) && !write_dictionary(w, i))
            return false;
    do {
        size_t n = rows - begin < step ? rows - begin : step;

        if (!write_batch(w, begin, n))
            return false;
        begin += n;
    } while (begin < rows);
    return end_file(w);
}

static bool
out_init(struct arrow_out *w, const struct frame *f, struct error *err)
{
    size_t n = frame_cols(f);

    assert(w->o.codec == CODEC_NONE || w->o.codec == CODEC_LZ4_FRAME ||
           w->o.codec == CODEC_ZSTD);
    w->f = w->batch = f;
    w->err = err;
    buf_init(&w->meta);
    buf_init(&w->dictionaries);
    buf_init(&w->batches);
    buf_init(&w->checked);
    if (!(w->field = mem_try_array(n, sizeof *w->field, err)) ||
        !frame_settle(f, w->o.pool, NULL, err))
        return false;
    for (size_t i = 0; i < n; i++)
        w->field[i].kind = kind_of(w, frame_column(f, i));
    return true;
}

static void
out_fini(struct arrow_out *w)
{
    for (size_t i = 0; w->field && i < frame_cols(w->f); i++) {
        arrow_texts_fini(&w->field[i].texts);
        dict_unref(w->field[i].last);
    }
    free(w->field);
    buf_fini(&w->meta);
    buf_fini(&w->dictionaries);
    buf_fini(&w->batches);
    buf_fini(&w->checked);
}

static bool
write_to(struct arrow_out *w, const struct frame *f, const char *path,
         struct error *err)
{
    struct sink_bytes out;
    bool ok;

    if (!sink_bytes_open(&out, path, err))
        return false;
    w->out = &out;
    ok = out_init(w, f, err) && write_all(w);
    out_fini(w);
    if (ok)
        return sink_bytes_commit(&out, 0644, err);
    sink_bytes_drop(&out);
    return false;
}

bool
arrow_write(const struct frame *f, const char *path,
            const struct arrow_options *o, struct error *err)
{
    struct arrow_out w = {.o = o ? *o : (struct arrow_options){0}};

    return write_to(&w, f, path, err);
}

bool
arrow_keep(const struct frame *f, const char *note, const char *path,
           struct error *err)
{
    struct arrow_out w = {.ours = true, .note = note};

    return write_to(&w, f, path, err);
}

/* ---- batch by batch ---- */

struct arrow_out *
arrow_out_begin(struct sink_bytes *out, const struct frame *head,
                const struct arrow_options *o, struct error *err)
{
    struct arrow_out *w = mem_try_array(1, sizeof *w, err);

    if (!w)
        return NULL;
    w->o = *o;
    w->in_batches = true;
    w->out = out;
    w->head = frame_ref(head);
    if (out_init(w, head, err) && begin_file(w))
        return w;
    arrow_out_free(w);
    return NULL;
}

void
arrow_out_free(struct arrow_out *w)
{
    if (!w)
        return;
    out_fini(w);
    frame_unref(w->head);
    free(w);
}

/* The rows that are made ready at a time. */
struct range {
    struct arrow_out *w;
    size_t begin, n;
};

static void
make_ready(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct range *r = ctx;
    struct arrow_out *w = r->w;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        const struct column *c = frame_column(w->batch, i);
        struct field *f = &w->field[i];

        arrow_texts_fini(&f->texts);
        f->ok = column_type(c) != COL_TEXT ||
                (w->o.stream ? arrow_texts_gather(&f->texts, c, &f->err)
                             : arrow_texts_spell(&f->texts, c, r->begin, r->n,
                                                 &f->err));
        f->foreign |= f->texts.foreign;
    }
}

static bool
ready(struct arrow_out *w, size_t begin, size_t n)
{
    size_t n_cols = frame_cols(w->f);
    struct range r = {w, begin, n};

    pool_for(w->o.pool, n_cols, 1, make_ready, &r);
    for (size_t i = 0; i < n_cols; i++)
        if (!w->field[i].ok) {
            *w->err = w->field[i].err;
            return error_prefix(w->err, "column '%s': ", frame_name(w->f, i));
        }
    return true;
}

/* Unless the stream's is the very same. */
static bool
renew_dictionary(struct arrow_out *w, size_t col)
{
    struct field *f = &w->field[col];
    const struct dict *d = column_dict(frame_column(w->batch, col));

    if (f->last == d && !f->texts.used)
        return true;
    dict_unref(f->last);
    f->last = f->texts.used ? NULL : dict_ref(d);
    return write_dictionary(w, col);
}

static bool
put_coded(struct arrow_out *w)
{
    if (!ready(w, 0, frame_rows(w->batch)))
        return false;
    for (size_t i = 0; i < frame_cols(w->f); i++)
        if (has_dictionary(w, i) && !renew_dictionary(w, i))
            return false;
    return write_batch(w, 0, frame_rows(w->batch));
}

/* In as many batches as the limit of texts wants. */
static bool
put_spelt(struct arrow_out *w, size_t begin, size_t n)
{
    size_t half = n / 2 / ROWS_AT_ONCE * ROWS_AT_ONCE;

    if (ready(w, begin, n))
        return write_batch(w, begin, n);
    return w->err->code == ERR_LIMIT && half > 0 && put_spelt(w, begin, half) &&
           put_spelt(w, begin + half, n - half);
}

bool
arrow_out_put(struct arrow_out *w, const struct frame *f, struct error *err)
{
    bool ok;

    assert(frame_cols(f) == frame_cols(w->f));
    w->err = err;
    w->batch = f;
    ok = w->o.stream ? put_coded(w) : put_spelt(w, 0, frame_rows(f));
    for (size_t i = 0; i < frame_cols(f); i++)
        arrow_texts_fini(&w->field[i].texts);
    w->batch = w->f;
    return ok;
}

/* Once more, as long as it was, with bytes for what is no text. */
static bool
mend_schema(struct arrow_out *w)
{
    enum { HEAD = 8 }; /* the message's length before it */
    bool any = false;
    size_t header;

    for (size_t i = 0; i < frame_cols(w->f); i++) {
        struct field *f = &w->field[i];

        any |= f->foreign;
        if (f->foreign)
            f->kind = w->o.stream ? ARROW_LARGE_BINARY : ARROW_BINARY;
    }
    if (!any)
        return true;
    header = begin_message(w, ARROW_SCHEMA, 0);
    flat_point(&w->meta, header, put_schema(w, &w->meta));
    return buf_check(&w->meta, w->err) &&
           sink_bytes_change(w->out, w->schema_at + HEAD, w->meta.data,
                             w->meta.len, w->err);
}

bool
arrow_out_end(struct arrow_out *w, struct error *err)
{
    w->err = err;
    return mend_schema(w) && end_file(w);
}
