/* frame/parquet_write.c -- frames to a Parquet file.
 *
 * A few row groups at a time are written column by column on all threads and
 * put one after the other; the footer tells where each lies.  Of a whole frame
 * it is known which columns lack no value; in a table that comes in batches
 * any may.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/parquet.h"
#include "frame/parquet_chunk.h"
#include "frame/parquet_schema.h"
#include "frame/parquet_thrift.h"
#include "frame/sink_part.h"

enum { GROUP_ROWS = 1 << 17, GROUPS_AT_ONCE = 8 };

struct parquet_out {
    struct frame *head;    /* of batches; owned */
    const struct frame *f; /* at hand; its names and types are the file's */
    struct parquet_write_options o;
    struct pool *pool;
    struct progress *progress;
    bool in_batches;
    uint64_t n_rows, n_groups; /* written */
    bool *plain_bytes;         /* by column: texts that are not UTF-8 */
    struct pq_out *out;   /* of the groups at hand, by group, then column */
    struct error *errors; /* one for each of out, when it failed */
    atomic_bool *failed;
    struct sink_bytes *to; /* where the bytes go on to; NULL: they stay */
    struct buf *bytes;     /* of the file, those that are not there yet */
    size_t origin;         /* where they begin in there */
    uint64_t gone;         /* how many went before */
    struct buf groups;     /* of the footer */
};

static enum pq_type
stored_type(enum col_type t)
{
    static const enum pq_type types[COL_N_TYPES] = {
        [COL_BOOL] = PQ_BOOLEAN,   [COL_INT64] = PQ_INT64,
        [COL_FLOAT64] = PQ_DOUBLE, [COL_TEXT] = PQ_BYTE_ARRAY,
        [COL_DATE] = PQ_INT32,     [COL_TIMESTAMP] = PQ_INT64};

    return types[t];
}

/* ---- the footer ---- */

static void
put_logical(struct buf *b, int *last, int kind)
{
    int union_last = 0, inner = 0, unit = 0;

    thrift_put_struct(b, last, 10);
    thrift_put_struct(b, &union_last, kind);
    if (kind == PQ_LOGICAL_TIMESTAMP) {
        thrift_put_bool(b, &inner, 1, true); /* UTC */
        thrift_put_struct(b, &inner, 2);
        thrift_put_struct(b, &unit, PQ_MICROS);
        thrift_put_stop(b);
        thrift_put_stop(b);
    }
    thrift_put_stop(b);
    thrift_put_stop(b);
}

static void
put_element(struct parquet_out *w, size_t col, struct buf *b)
{
    const struct column *c = frame_column(w->f, col);
    enum col_type t = column_type(c);
    int last = 0, converted = PQ_CONV_NONE, logical = PQ_LOGICAL_NONE;

    if (t == COL_TEXT && !w->plain_bytes[col]) {
        converted = PQ_CONV_UTF8;
        logical = PQ_LOGICAL_STRING;
    } else if (t == COL_DATE) {
        converted = PQ_CONV_DATE;
        logical = PQ_LOGICAL_DATE;
    } else if (t == COL_TIMESTAMP) {
        converted = PQ_CONV_TIMESTAMP_MICROS;
        logical = PQ_LOGICAL_TIMESTAMP;
    }
    thrift_put_int(b, &last, 1, THRIFT_I32, stored_type(t));
    thrift_put_int(b, &last, 3, THRIFT_I32,
                   w->in_batches || column_validity(c) ? PQ_OPTIONAL
                                                       : PQ_REQUIRED);
    thrift_put_binary(b, &last, 4, str_of(frame_name(w->f, col)));
    if (converted != PQ_CONV_NONE)
        thrift_put_int(b, &last, 6, THRIFT_I32, converted);
    if (logical != PQ_LOGICAL_NONE)
        put_logical(b, &last, logical);
    thrift_put_stop(b);
}

static int32_t
codec_number(enum codec kind)
{
    switch (kind) {
    case CODEC_SNAPPY:
        return 1;
    case CODEC_GZIP:
        return 2;
    case CODEC_ZSTD:
        return 6;
    case CODEC_LZ4:
        return 7;
    default:
        return 0;
    }
}

static void
put_statistics(const struct pq_out *o, struct buf *b, int *outer)
{
    int last = 0;

    thrift_put_struct(b, outer, 12);
    thrift_put_int(b, &last, 3, THRIFT_I64, (int64_t)o->n_missing);
    if (o->has_bounds) {
        thrift_put_binary(b, &last, 5, (struct str){o->max.data, o->max.len});
        thrift_put_binary(b, &last, 6, (struct str){o->min.data, o->min.len});
    }
    thrift_put_stop(b);
}

static void
put_chunk(struct parquet_out *w, size_t col, const struct pq_out *o,
          uint64_t at, struct buf *b)
{
    struct str name = str_of(frame_name(w->f, col));
    int last = 0, inner = 0;

    thrift_put_int(b, &last, 2, THRIFT_I64, (int64_t)at);
    thrift_put_struct(b, &last, 3);
    thrift_put_int(b, &inner, 1, THRIFT_I32, stored_type(column_type(o->c)));
    thrift_put_list(b, &inner, 2, THRIFT_I32, o->has_dictionary ? 3 : 2);
    thrift_put_zigzag(b, PQ_PLAIN);
    thrift_put_zigzag(b, PQ_RLE);
    if (o->has_dictionary)
        thrift_put_zigzag(b, PQ_RLE_DICTIONARY);
    thrift_put_list(b, &inner, 3, THRIFT_BINARY, 1);
    thrift_put_varint(b, name.n);
    buf_add(b, name.p, name.n);
    thrift_put_int(b, &inner, 4, THRIFT_I32, codec_number(w->o.codec));
    thrift_put_int(b, &inner, 5, THRIFT_I64, (int64_t)(o->end - o->begin));
    thrift_put_int(b, &inner, 6, THRIFT_I64, (int64_t)o->plain_len);
    thrift_put_int(b, &inner, 7, THRIFT_I64, (int64_t)o->bytes.len);
    thrift_put_int(b, &inner, 9, THRIFT_I64, (int64_t)(at + o->dictionary_len));
    if (o->has_dictionary)
        thrift_put_int(b, &inner, 11, THRIFT_I64, (int64_t)at);
    put_statistics(o, b, &inner);
    thrift_put_stop(b);
    thrift_put_stop(b);
}

static void
put_footer(struct parquet_out *w)
{
    static const char by[] = PACKAGE_NAME " version " PACKAGE_VERSION;
    size_t n_cols = frame_cols(w->f), begin = w->bytes->len;
    struct buf *b = w->bytes;
    int last = 0, root = 0;
    uint32_t len;

    thrift_put_int(b, &last, 1, THRIFT_I32, 2);
    thrift_put_list(b, &last, 2, THRIFT_STRUCT, n_cols + 1);
    thrift_put_binary(b, &root, 4, STR("schema"));
    thrift_put_int(b, &root, 5, THRIFT_I32, (int64_t)n_cols);
    thrift_put_stop(b);
    for (size_t c = 0; c < n_cols; c++)
        put_element(w, c, b);
    thrift_put_int(b, &last, 3, THRIFT_I64, (int64_t)w->n_rows);
    thrift_put_list(b, &last, 4, THRIFT_STRUCT, (size_t)w->n_groups);
    buf_add(b, w->groups.data, w->groups.len);
    thrift_put_binary(b, &last, 6, STR(by));
    /* Bounds follow the order that each type has. */
    thrift_put_list(b, &last, 7, THRIFT_STRUCT, n_cols);
    for (size_t c = 0; c < n_cols; c++) {
        int order = 0;

        thrift_put_struct(b, &order, 1);
        thrift_put_stop(b);
        thrift_put_stop(b);
    }
    thrift_put_stop(b);
    len = (uint32_t)(b->len - begin);
    buf_add(b, &len, sizeof len);
    buf_add(b, "PAR1", 4);
}

/* ---- row groups ---- */

static void
write_chunks(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct parquet_out *w = ctx;

    (void)chunk;
    for (size_t i = begin; i < end; i++) {
        if (progress_stopped(w->progress))
            continue;
        if (!pq_out_write(&w->out[i], &w->errors[i]))
            atomic_store(&w->failed[i], true);
    }
}

static void
put_group(struct parquet_out *w, const struct pq_out *out, size_t n_rows)
{
    size_t n_cols = frame_cols(w->f), plain = 0, packed = 0;
    struct buf *b = &w->groups;
    int last = 0;

    thrift_put_list(b, &last, 1, THRIFT_STRUCT, n_cols);
    for (size_t c = 0; c < n_cols; c++) {
        put_chunk(w, c, &out[c], w->gone + (w->bytes->len - w->origin), b);
        buf_add(w->bytes, out[c].bytes.data, out[c].bytes.len);
        plain += out[c].plain_len;
        packed += out[c].bytes.len;
    }
    thrift_put_int(b, &last, 2, THRIFT_I64, (int64_t)plain);
    thrift_put_int(b, &last, 3, THRIFT_I64, (int64_t)n_rows);
    thrift_put_int(b, &last, 6, THRIFT_I64, (int64_t)packed);
    thrift_put_stop(b);
}

/* What is there goes on its way. */
static bool
hand_on(struct parquet_out *w, struct error *err)
{
    struct buf *b = w->bytes;
    bool ok;

    if (!w->to)
        return true;
    if (!buf_check(b, err))
        return false;
    ok = sink_bytes_put(w->to, b->data, b->len, err);
    w->gone += b->len;
    buf_clear(b);
    return ok;
}

/* n groups of w->f, the first of which is `first`. */
static bool
write_groups(struct parquet_out *w, size_t first, size_t n, struct error *err)
{
    size_t n_cols = frame_cols(w->f), n_rows = frame_rows(w->f);
    size_t rows = w->o.group_rows;
    bool ok = true;

    for (size_t i = 0; i < n * n_cols; i++) {
        size_t from = (first + i / n_cols) * rows;

        atomic_store(&w->failed[i], false);
        pq_out_init(&w->out[i], frame_column(w->f, i % n_cols), from,
                    n_rows - from < rows ? n_rows : from + rows, &w->o);
        w->out[i].levels |= w->in_batches;
    }
    pool_for(w->pool, n * n_cols, 1, write_chunks, w);
    ok = progress_check(w->progress, err);
    for (size_t i = 0; ok && i < n * n_cols; i++)
        if (atomic_load(&w->failed[i])) {
            *err = w->errors[i];
            ok = error_prefix(err,
                              "column '%s': ", frame_name(w->f, i % n_cols));
        }
    for (size_t g = 0; ok && g < n; g++) {
        size_t from = (first + g) * rows;

        put_group(w, &w->out[g * n_cols],
                  n_rows - from < rows ? n_rows - from : rows);
    }
    for (size_t i = 0; i < n * n_cols; i++)
        pq_out_fini(&w->out[i]);
    return ok && hand_on(w, err);
}

static void
find_plain_bytes(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct parquet_out *w = ctx;

    (void)chunk;
    for (size_t c = begin; c < end; c++) {
        const struct column *col = frame_column(w->f, c);
        const struct dict *d = column_dict(col);

        for (size_t i = 0; d && i < dict_count(d) && !w->plain_bytes[c]; i++)
            w->plain_bytes[c] = !str_utf8_valid(dict_text(d, (uint32_t)i));
    }
}

static bool
write_frame(struct parquet_out *w, struct error *err)
{
    size_t n_rows = frame_rows(w->f);
    size_t n_groups = (n_rows + w->o.group_rows - 1) / w->o.group_rows;

    pool_for(w->pool, frame_cols(w->f), 1, find_plain_bytes, w);
    if (!w->in_batches)
        progress_begin(w->progress, "writing", n_groups);
    for (size_t first = 0, n; first < n_groups; first += n) {
        n = n_groups - first;
        n = n < GROUPS_AT_ONCE ? n : GROUPS_AT_ONCE;
        if (!write_groups(w, first, n, err))
            return false;
        if (!w->in_batches)
            progress_add(w->progress, n);
    }
    w->n_rows += n_rows;
    w->n_groups += n_groups;
    return true;
}

static bool
out_init(struct parquet_out *w, const struct frame *f,
         const struct parquet_write_options *o, struct error *err)
{
    static const struct parquet_write_options usual = {.codec = CODEC_ZSTD};
    size_t n_cols = frame_cols(f), most = GROUPS_AT_ONCE * n_cols;

    w->f = f;
    w->o = o ? *o : usual;
    w->origin = w->bytes->len;
    buf_init(&w->groups);
    if (w->o.codec == CODEC_BROTLI || w->o.codec == CODEC_LZ4_FRAME ||
        w->o.codec == CODEC_LZ4_HADOOP)
        return error_set(err, ERR_STATE,
                         "a Parquet file packed by %s is only "
                         "read",
                         codec_name(w->o.codec));
    if (w->o.group_rows == 0)
        w->o.group_rows = GROUP_ROWS;
    w->plain_bytes = mem_try_array(n_cols, sizeof *w->plain_bytes, err);
    w->out = mem_try_array(most, sizeof *w->out, err);
    w->errors = mem_try_array(most, sizeof *w->errors, err);
    w->failed = mem_try_array(most, sizeof *w->failed, err);
    buf_add(w->bytes, "PAR1", 4);
    return w->plain_bytes && w->out && w->errors && w->failed;
}

static void
out_fini(struct parquet_out *w)
{
    buf_fini(&w->groups);
    free(w->plain_bytes);
    free(w->out);
    free(w->errors);
    free(w->failed);
}

static bool
write_end(struct parquet_out *w, struct error *err)
{
    put_footer(w);
    return buf_check(&w->groups, err) && buf_check(w->bytes, err) &&
           hand_on(w, err);
}

bool
parquet_format(const struct frame *f, const struct parquet_write_options *o,
               struct pool *pool, struct progress *progress, struct buf *out,
               struct error *err)
{
    struct parquet_out w = {.pool = pool, .progress = progress, .bytes = out};
    bool ok =
        out_init(&w, f, o, err) && write_frame(&w, err) && write_end(&w, err);

    out_fini(&w);
    return ok;
}

bool
parquet_write(const struct frame *f, const char *path,
              const struct parquet_write_options *o, struct pool *pool,
              struct progress *progress, struct error *err)
{
    struct buf b;
    struct sink_bytes to;
    struct parquet_out w = {
        .pool = pool, .progress = progress, .to = &to, .bytes = &b};
    bool ok;

    if (!sink_bytes_open(&to, path, err))
        return false;
    buf_init(&b);
    ok = (out_init(&w, f, o, err) && write_frame(&w, err) &&
          write_end(&w, err)) ||
         error_prefix(err, "%s: ", path);
    out_fini(&w);
    buf_fini(&b);
    if (ok)
        return sink_bytes_commit(&to, 0666, err);
    sink_bytes_drop(&to);
    return false;
}

/* ---- batch by batch ---- */

struct parquet_out *
parquet_out_begin(struct sink_bytes *out, const struct frame *head,
                  const struct parquet_write_options *o, struct pool *pool,
                  struct progress *progress, struct error *err)
{
    struct parquet_out *w = mem_try_array(1, sizeof *w, err);

    if (!w)
        return NULL;
    w->pool = pool;
    w->progress = progress;
    w->in_batches = true;
    w->to = out;
    w->head = frame_ref(head);
    w->bytes = mem_new(sizeof *w->bytes);
    buf_init(w->bytes);
    if (out_init(w, head, o, err))
        return w;
    parquet_out_free(w);
    return NULL;
}

void
parquet_out_free(struct parquet_out *w)
{
    if (!w)
        return;
    out_fini(w);
    buf_fini(w->bytes);
    free(w->bytes);
    frame_unref(w->head);
    free(w);
}

bool
parquet_out_put(struct parquet_out *w, const struct frame *f, struct error *err)
{
    bool ok;

    assert(frame_cols(f) == frame_cols(w->head));
    w->f = f;
    ok = write_frame(w, err);
    w->f = w->head;
    return ok;
}

bool
parquet_out_end(struct parquet_out *w, struct error *err)
{
    return write_end(w, err);
}
