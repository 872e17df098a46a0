/* frame/parquet_meta.c -- the footer and the page headers of a Parquet file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/parquet_meta.h"

#include <string.h>

#include "frame/parquet_thrift.h"

enum { MAGIC_LEN = 4, TAIL_LEN = 8 };

struct reader {
    struct thrift_in in;
    struct arena *arena;
    struct error *err;
    bool failed; /* no memory; err says so */
};

/* ---- schema ---- */

static enum pq_unit
read_unit(struct thrift_in *in, enum thrift_type type)
{
    enum pq_unit unit = PQ_MILLIS;
    int id = 0;

    if (!thrift_struct(in, type))
        return unit;
    while (thrift_field(in, &id, &type)) {
        if (id >= PQ_MILLIS && id <= PQ_NANOS)
            unit = (enum pq_unit)id;
        thrift_skip(in, type);
    }
    return unit;
}

/* The parameters of the one logical type that is there. */
static void
read_logical_content(struct thrift_in *in, struct pq_element *e)
{
    enum thrift_type type;
    int id = 0;

    while (thrift_field(in, &id, &type))
        if (e->logical == PQ_LOGICAL_DECIMAL && id == 1)
            e->scale = (int32_t)thrift_int(in, type);
        else if ((e->logical == PQ_LOGICAL_TIME ||
                  e->logical == PQ_LOGICAL_TIMESTAMP) &&
                 id == 2)
            e->unit = read_unit(in, type);
        else if (e->logical == PQ_LOGICAL_INTEGER && id == 2)
            e->is_signed = thrift_bool(in, type);
        else
            thrift_skip(in, type);
}

static void
read_logical(struct thrift_in *in, enum thrift_type type, struct pq_element *e)
{
    int id = 0;

    if (!thrift_struct(in, type))
        return;
    while (thrift_field(in, &id, &type)) {
        if (!thrift_struct(in, type))
            return;
        e->logical = id <= PQ_LOGICAL_GEOGRAPHY ? (enum pq_logical_kind)id
                                                : PQ_LOGICAL_NONE;
        read_logical_content(in, e);
    }
}

/* A number of a list of words; another one makes the input bad. */
static int
read_enum(struct thrift_in *in, enum thrift_type type, int max)
{
    int64_t v = thrift_int(in, type);

    if (v < 0 || v > max) {
        in->bad = true;
        return 0;
    }
    return (int)v;
}

static int32_t
read_i32(struct thrift_in *in, enum thrift_type type)
{
    int64_t v = thrift_int(in, type);

    in->bad |= v < INT32_MIN || v > INT32_MAX;
    return in->bad ? 0 : (int32_t)v;
}

static void
read_element(struct reader *r, struct pq_element *e)
{
    struct thrift_in *in = &r->in;
    enum thrift_type type;
    int64_t converted;
    int id = 0;

    *e = (struct pq_element){.type = PQ_GROUP, .converted = PQ_CONV_NONE};
    while (thrift_field(in, &id, &type))
        switch (id) {
        case 1:
            e->type = (enum pq_type)read_enum(in, type, PQ_FIXED);
            break;
        case 2:
            e->type_length = read_i32(in, type);
            break;
        case 3:
            e->repetition =
                (enum pq_repetition)read_enum(in, type, PQ_REPEATED);
            break;
        case 4:
            e->name = thrift_binary(in, type);
            break;
        case 5:
            e->n_children = read_i32(in, type);
            break;
        case 6:
            converted = thrift_int(in, type);
            if (converted >= 0 && converted <= PQ_CONV_INTERVAL)
                e->converted = (enum pq_converted)converted;
            break;
        case 7:
            e->scale = read_i32(in, type);
            break;
        case 10:
            read_logical(in, type, e);
            break;
        default:
            thrift_skip(in, type);
        }
    /* A group has children and no type; some writers tell a type too. */
    if (e->n_children > 0)
        e->type = PQ_GROUP;
}

/* ---- row groups ---- */

static void
read_statistics(struct thrift_in *in, enum thrift_type type,
                struct pq_statistics *s)
{
    int id = 0;

    if (!thrift_struct(in, type))
        return;
    while (thrift_field(in, &id, &type))
        switch (id) {
        case 1:
            s->old_max = thrift_binary(in, type);
            s->has_old_max = true;
            break;
        case 2:
            s->old_min = thrift_binary(in, type);
            s->has_old_min = true;
            break;
        case 3:
            s->n_nulls = thrift_int(in, type);
            break;
        case 5:
            s->max = thrift_binary(in, type);
            s->has_max = true;
            break;
        case 6:
            s->min = thrift_binary(in, type);
            s->has_min = true;
            break;
        default:
            thrift_skip(in, type);
        }
}

static void
read_chunk_meta(struct thrift_in *in, enum thrift_type type, struct pq_chunk *c)
{
    int id = 0;

    if (!thrift_struct(in, type))
        return;
    c->has_meta = true;
    while (thrift_field(in, &id, &type))
        switch (id) {
        case 1:
            c->type = (enum pq_type)read_enum(in, type, PQ_FIXED);
            break;
        case 4:
            c->codec = read_i32(in, type);
            break;
        case 5:
            c->n_values = thrift_int(in, type);
            break;
        case 7:
            c->packed_len = thrift_int(in, type);
            break;
        case 9:
            c->data_offset = thrift_int(in, type);
            break;
        case 11:
            c->dictionary_offset = thrift_int(in, type);
            break;
        case 12:
            read_statistics(in, type, &c->statistics);
            break;
        default:
            thrift_skip(in, type);
        }
}

static void
read_chunk(struct reader *r, struct pq_chunk *c)
{
    struct thrift_in *in = &r->in;
    enum thrift_type type;
    int id = 0;

    *c = (struct pq_chunk){.statistics.n_nulls = -1};
    while (thrift_field(in, &id, &type))
        switch (id) {
        case 1:
            c->elsewhere = thrift_binary(in, type).n > 0;
            break;
        case 3:
            read_chunk_meta(in, type, c);
            break;
        case 8:
            c->encrypted = true;
            thrift_skip(in, type);
            break;
        default:
            thrift_skip(in, type);
        }
}

/* Room for the items of a list of structs; NULL when there are none. */
static void *
read_list(struct reader *r, enum thrift_type type, size_t size, size_t *n)
{
    enum thrift_type item;
    void *p;

    *n = thrift_list(&r->in, type, &item);
    if (*n == 0)
        return NULL;
    if (item != THRIFT_STRUCT) {
        r->in.bad = true;
        *n = 0;
        return NULL;
    }
    if (!(p = arena_try(r->arena, *n, size, r->err))) {
        r->failed = r->in.bad = true;
        *n = 0;
    }
    return p;
}

static void
read_group(struct reader *r, struct pq_group *g)
{
    enum thrift_type type;
    int id = 0;

    while (thrift_field(&r->in, &id, &type))
        if (id == 1) {
            g->chunk = read_list(r, type, sizeof *g->chunk, &g->n_chunks);
            for (size_t i = 0; i < g->n_chunks && !r->in.bad; i++)
                read_chunk(r, &g->chunk[i]);
        } else if (id == 3) {
            g->n_rows = thrift_int(&r->in, type);
        } else {
            thrift_skip(&r->in, type);
        }
}

static void
read_file_meta(struct reader *r, struct pq_meta *m, bool *encrypted)
{
    struct thrift_in *in = &r->in;
    enum thrift_type type;
    int id = 0;

    while (thrift_field(in, &id, &type))
        switch (id) {
        case 2:
            m->element = read_list(r, type, sizeof *m->element, &m->n_elements);
            for (size_t i = 0; i < m->n_elements && !in->bad; i++)
                read_element(r, &m->element[i]);
            break;
        case 3:
            m->n_rows = thrift_int(in, type);
            break;
        case 4:
            m->group = read_list(r, type, sizeof *m->group, &m->n_groups);
            for (size_t i = 0; i < m->n_groups && !in->bad; i++)
                read_group(r, &m->group[i]);
            break;
        case 6:
            m->created_by = thrift_binary(in, type);
            break;
        case 8:
            *encrypted = true;
            thrift_skip(in, type);
            break;
        default:
            thrift_skip(in, type);
        }
}

static bool
is_encrypted(struct error *err)
{
    return error_set(err, ERR_PARSE,
                     "the file is encrypted, which is not supported");
}

/* The footer lies before its length and the magic number at the end. */
static bool
find_footer(struct str file, struct str *out, struct error *err)
{
    const unsigned char *tail;
    size_t len;

    if (file.n < MAGIC_LEN + TAIL_LEN)
        return error_set(err, ERR_PARSE, "not a Parquet file: %zu bytes",
                         file.n);
    tail = (const unsigned char *)file.p + file.n - TAIL_LEN;
    if (memcmp(tail + 4, "PARE", MAGIC_LEN) == 0)
        return is_encrypted(err);
    if (memcmp(tail + 4, "PAR1", MAGIC_LEN) != 0)
        return error_set(err, ERR_PARSE,
                         str_starts(file, "PAR1")
                             ? "the Parquet file is cut short: no PAR1 at its "
                               "end"
                             : "not a Parquet file: no PAR1 at its end");
    len = (size_t)tail[0] | (size_t)tail[1] << 8 | (size_t)tail[2] << 16 |
          (size_t)tail[3] << 24;
    if (len > file.n - MAGIC_LEN - TAIL_LEN)
        return error_set(err, ERR_PARSE,
                         "the footer has %zu bytes, the file %zu", len, file.n);
    *out = (struct str){file.p + file.n - TAIL_LEN - len, len};
    return true;
}

bool
pq_meta_read(struct str file, struct arena *a, struct pq_meta *out,
             struct error *err)
{
    struct reader r = {.arena = a, .err = err};
    bool encrypted = false;
    struct str footer = {0};

    *out = (struct pq_meta){0};
    if (!find_footer(file, &footer, err))
        return false;
    r.in.p = (const uint8_t *)footer.p;
    r.in.end = r.in.p + footer.n;
    out->footer = (size_t)(footer.p - file.p);
    read_file_meta(&r, out, &encrypted);
    if (r.failed)
        return false;
    if (encrypted)
        return is_encrypted(err);
    if (r.in.bad || out->n_elements == 0 || out->n_rows < 0)
        return error_set(err, ERR_PARSE, "the Parquet footer is damaged");
    return true;
}

/* ---- pages ---- */

static enum pq_encoding
read_encoding(struct thrift_in *in, enum thrift_type type)
{
    return (enum pq_encoding)read_enum(in, type, PQ_BYTE_STREAM_SPLIT);
}

/* Data pages of version 1, and dictionary pages: the first two fields. */
static void
read_data_header(struct thrift_in *in, enum thrift_type type, struct pq_page *p)
{
    int id = 0;

    if (!thrift_struct(in, type))
        return;
    while (thrift_field(in, &id, &type))
        if (id == 1)
            p->n_values = thrift_int(in, type);
        else if (id == 2)
            p->encoding = read_encoding(in, type);
        else if (id == 3 && p->type == PQ_PAGE_DATA)
            p->def_encoding = read_encoding(in, type);
        else if (id == 4 && p->type == PQ_PAGE_DATA)
            p->rep_encoding = read_encoding(in, type);
        else
            thrift_skip(in, type);
}

static void
read_data_header_v2(struct thrift_in *in, enum thrift_type type,
                    struct pq_page *p)
{
    int id = 0;

    if (!thrift_struct(in, type))
        return;
    while (thrift_field(in, &id, &type))
        switch (id) {
        case 1:
            p->n_values = thrift_int(in, type);
            break;
        case 4:
            p->encoding = read_encoding(in, type);
            break;
        case 5:
            p->def_len = thrift_int(in, type);
            break;
        case 6:
            p->rep_len = thrift_int(in, type);
            break;
        case 7:
            p->packed = thrift_bool(in, type);
            break;
        default:
            thrift_skip(in, type);
        }
}

static void
read_page_field(struct thrift_in *in, int id, enum thrift_type type,
                struct pq_page *p)
{
    switch (id) {
    case 1:
        p->type = (enum pq_page_type)read_enum(in, type, PQ_PAGE_DATA_V2);
        break;
    case 2:
        p->plain_len = thrift_int(in, type);
        break;
    case 3:
        p->packed_len = thrift_int(in, type);
        break;
    case 4:
        p->has_crc = true;
        p->crc = (uint32_t)thrift_int(in, type);
        break;
    case 5:
    case 7:
        read_data_header(in, type, p);
        break;
    case 8:
        read_data_header_v2(in, type, p);
        break;
    default:
        thrift_skip(in, type);
    }
}

bool
pq_page_read(struct str in, struct pq_page *out, size_t *len)
{
    struct thrift_in t = {(const uint8_t *)in.p, (const uint8_t *)in.p + in.n,
                          false};
    enum thrift_type type;
    int id = 0;

    *out = (struct pq_page){
        .packed = true, .def_encoding = PQ_RLE, .rep_encoding = PQ_RLE};
    while (thrift_field(&t, &id, &type))
        read_page_field(&t, id, type, out);
    *len = (size_t)(t.p - (const uint8_t *)in.p);
    return !t.bad && out->plain_len >= 0 && out->packed_len >= 0 &&
           out->n_values >= 0 && out->def_len >= 0 && out->rep_len >= 0 &&
           (uint64_t)out->packed_len <= in.n - *len;
}

bool
pq_codec(int32_t number, enum codec *out)
{
    static const enum codec codecs[] = {
        CODEC_NONE,   CODEC_SNAPPY,     CODEC_GZIP, CODEC_NONE,
        CODEC_BROTLI, CODEC_LZ4_HADOOP, CODEC_ZSTD, CODEC_LZ4};

    if (number < 0 || number == 3 ||
        number >= (int32_t)(sizeof codecs / sizeof *codecs))
        return false;
    *out = codecs[number];
    return true;
}
