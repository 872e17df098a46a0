/* The files of tests/data/parquet were written by other programs; its README
 * says by which.  What none of them writes (INT96, bit-packed levels, lists of
 * two levels, checksums, ...) is put together here, byte by byte.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "frame/builder.h"
#include "frame/parquet.h"
#include "frame/parquet_meta.h"
#include "frame/parquet_thrift.h"
#include "tests/lib/scratch.h"

static struct str
data_file(const char *name, struct buf *b)
{
    char path[512];
    struct error err;

    snprintf(path, sizeof path, "%s/tests/data/parquet/%s",
             getenv("LATHE_SOURCE") ? getenv("LATHE_SOURCE") : ".", name);
    buf_init(b);
    if (!file_read(path, 1 << 20, b, &err))
        fail_msg("%s", err.message);
    return (struct str){b->data, b->len};
}

static struct frame *
parse(struct str bytes, const struct parquet_options *o)
{
    struct error err;
    struct frame *f;

    if (!parquet_parse(bytes, o, NULL, NULL, &f, &err))
        fail_msg("%s", err.message);
    return f;
}

static struct frame *
read_data(const char *name)
{
    struct buf b;
    struct frame *f = parse(data_file(name, &b), NULL);

    buf_fini(&b);
    return f;
}

static void
assert_lines(const struct frame *f, struct str want)
{
    struct buf b;

    buf_init(&b);
    frame_json_lines(f, 0, frame_rows(f), &b);
    assert_int_equal(b.len, want.n);
    assert_memory_equal(b.data, want.p, want.n);
    buf_fini(&b);
}

static void
assert_same(const struct frame *a, const struct frame *b)
{
    struct error err;
    char x[33], y[33];

    assert_true(frame_fingerprint(a, x, &err));
    assert_true(frame_fingerprint(b, y, &err));
    assert_string_equal(x, y);
}

static const struct column *
column(const struct frame *f, const char *name)
{
    long i = frame_find(f, name);

    if (i < 0)
        fail_msg("no column %s", name);
    return frame_column(f, (size_t)i);
}

static void
assert_int(const struct frame *f, const char *name, size_t row, int64_t want)
{
    assert_true(column_is_valid(column(f, name), row));
    assert_int_equal(column_int64s(column(f, name))[row], want);
}

/* Exactly: what is stored has one nearest double. */
static void
assert_float(const struct frame *f, const char *name, size_t row, double want)
{
    double got = column_float64s(column(f, name))[row];

    assert_true(column_is_valid(column(f, name), row));
    assert_memory_equal(&got, &want, sizeof got);
}

static void
assert_text(const struct frame *f, const char *name, size_t row,
            const char *want)
{
    struct str s = column_text(column(f, name), row);

    assert_true(column_is_valid(column(f, name), row));
    assert_int_equal(s.n, strlen(want));
    assert_memory_equal(s.p, want, s.n);
}

static void
assert_missing(const struct frame *f, const char *name, size_t row)
{
    assert_false(column_is_valid(column(f, name), row));
}

/* ---- files by other programs ---- */

static void
every_type_of_duckdb_is_read_in_all_codecs_and_versions(void **state)
{
    static const char *const files[] = {
        "types_v1_uncompressed.parquet", "types_v1_snappy.parquet",
        "types_v1_gzip.parquet",         "types_v1_brotli.parquet",
        "types_v1_lz4_raw.parquet",      "types_v2_zstd.parquet"};
    struct buf want;
    struct str text = data_file("types.txt", &want);

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct frame *f = read_data(files[i]);

        assert_lines(f, text);
        assert_int_equal(column_type(column(f, "u32")), COL_INT64);
        assert_int_equal(column_type(column(f, "u64")), COL_FLOAT64);
        assert_int_equal(column_type(column(f, "date")), COL_DATE);
        assert_int_equal(column_type(column(f, "ts_ns")), COL_TIMESTAMP);
        frame_unref(f);
    }
    buf_fini(&want);
}

/* By the formulas of the statement that made the file. */
static void
rows_of_duckdb_are_those_of_their_formulas(void **state)
{
    static const char *const files[] = {"rows_v1.parquet", "rows_v2.parquet"};
    static const char *const lists[] = {NULL, "[0]", "[0, 1]", "[0, 1, 2]",
                                        "[0, 1, 2, 3]"};
    char text[64];

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct frame *f = read_data(files[k]);

        assert_int_equal(frame_rows(f), 400);
        for (size_t i = 0; i < 400; i++) {
            assert_int(f, "id", i, (int64_t)i);
            assert_int(f, "p", i, (int64_t)i * 7919 % 1000003);
            assert_int(f, "q", i, (int64_t)i % 7);
            snprintf(text, sizeof text, "text %zu", i % 13);
            if (i % 5 == 0)
                assert_missing(f, "s", i);
            else
                assert_text(f, "s", i, text);
            snprintf(text, sizeof text, "row number %06zu", i);
            assert_text(f, "u", i, text);
            if (i % 3 == 0)
                assert_missing(f, "x", i);
            else
                assert_float(f, "x", i, sqrt((double)i));
            assert_float(f, "f", i, (double)i * 0.25);
            assert_int_equal(column_bools(column(f, "b"))[i], i % 2 == 0);
            assert_int_equal(column_dates(column(f, "d"))[i], 18262 + i);
            assert_int(f, "ts", i,
                       INT64_C(1577836800000000) + (int64_t)i * 60000000);
            if (i % 4 == 0)
                assert_missing(f, "l", i);
            else
                assert_text(f, "l", i, i % 5 ? lists[i % 5] : "[]");
        }
        frame_unref(f);
    }
}

static void
every_encoding_of_hyparquet_writer_is_read(void **state)
{
    struct frame *f = read_data("hyparquet.parquet");
    char text[64];

    (void)state;
    assert_int_equal(frame_rows(f), 400);
    for (size_t i = 0; i < 400; i++) {
        int64_t n = (int64_t)i;

        assert_int(f, "i32s", i, n * n - 1000);
        if (i % 7 == 6)
            assert_missing(f, "i64s", i);
        else
            assert_int(f, "i64s", i, n * 1000000007 - 5);
        if (i % 5 == 4)
            assert_missing(f, "f32s", i);
        else
            assert_float(f, "f32s", i, (double)i / 8);
        assert_float(f, "f64s", i, (double)i / 3);
        if (i % 6 == 5)
            assert_missing(f, "i32d", i);
        else
            assert_int(f, "i32d", i, n * 7919 % 10007 - 5000);
        assert_int(f, "i64d", i, (i % 2 ? -n : n) * INT64_C(9007199254740993));
        snprintf(text, sizeof text, "prefix/%04zu/%zu", i >> 3, i);
        if (i % 4 == 3)
            assert_missing(f, "tl", i);
        else
            assert_text(f, "tl", i, text);
        if (i % 9 == 8)
            assert_missing(f, "tp", i);
        else
            assert_text(f, "tp", i, text);
        if (i % 8 == 7)
            assert_missing(f, "bools", i);
        else
            assert_int_equal(column_bools(column(f, "bools"))[i], i % 5 < 2);
        snprintf(text, sizeof text, "value %zu", i % 11);
        if (i % 3 == 2)
            assert_missing(f, "coded", i);
        else
            assert_text(f, "coded", i, text);
        assert_float(f, "h", i, (double)i / 16 - 3);
        assert_int(f, "day", i, n * INT64_C(86400000000));
    }
    frame_unref(f);
}

static void
what_polars_writes_is_read(void **state)
{
    static const char *const letters[] = {"a", "b", "c"};
    struct frame *f = read_data("polars.parquet");
    char text[64];

    (void)state;
    assert_int_equal(frame_rows(f), 300);
    for (size_t i = 0; i < 300; i++) {
        assert_int(f, "id", i, (int64_t)i);
        if (i % 6 == 5)
            assert_missing(f, "f", i);
        else
            assert_float(f, "f", i, (double)i / 4);
        snprintf(text, sizeof text, "word %zu", i % 10);
        if (i % 4 == 3)
            assert_missing(f, "s", i);
        else
            assert_text(f, "s", i, text);
        assert_text(f, "c", i, letters[i % 3]);
        snprintf(text, sizeof text, "[%zu, %zu]", i, i + 1);
        if (i % 3 == 1)
            snprintf(text, sizeof text, "[%zu]", i);
        if (i % 5 == 4)
            assert_missing(f, "l", i);
        else
            assert_text(f, "l", i, i % 3 ? text : "[]");
        assert_int(f, "u", i, (int64_t)(i % 200));
        assert_int_equal(column_bools(column(f, "b"))[i], i % 2 == 0);
    }
    frame_unref(f);
}

/* ---- files put together here ---- */

/* One column, one page. */
struct one {
    enum pq_type type;
    int length, repetition, converted;
    int logical; /* 0: none; its content is empty */
    int n_rows, n_values;
    enum pq_encoding encoding, def_encoding;
    int codec;
    struct str page; /* levels and values */
    struct str packed;
    bool has_crc, two_level_list, encrypted;
    uint32_t crc;
    int version; /* 2: data page of version 2 */
    int def_len;
};

static void
put_leaf(const struct one *o, struct buf *b)
{
    int last = 0, inner = 0;

    thrift_put_int(b, &last, 1, THRIFT_I32, o->type);
    if (o->length)
        thrift_put_int(b, &last, 2, THRIFT_I32, o->length);
    thrift_put_int(b, &last, 3, THRIFT_I32, o->repetition);
    thrift_put_binary(b, &last, 4, STR("x"));
    if (o->converted >= 0)
        thrift_put_int(b, &last, 6, THRIFT_I32, o->converted);
    if (o->logical) {
        thrift_put_struct(b, &last, 10);
        thrift_put_struct(b, &inner, o->logical);
        thrift_put_stop(b);
        thrift_put_stop(b);
    }
    thrift_put_stop(b);
}

static void
put_schema(const struct one *o, struct buf *b)
{
    int root = 0, list = 0;

    thrift_put_binary(b, &root, 4, STR("schema"));
    thrift_put_int(b, &root, 5, THRIFT_I32, 1);
    thrift_put_stop(b);
    if (o->two_level_list) {
        thrift_put_int(b, &list, 3, THRIFT_I32, PQ_OPTIONAL);
        thrift_put_binary(b, &list, 4, STR("xs"));
        thrift_put_int(b, &list, 5, THRIFT_I32, 1);
        thrift_put_int(b, &list, 6, THRIFT_I32, PQ_CONV_LIST);
        thrift_put_stop(b);
    }
    put_leaf(o, b);
}

static void
put_page_header(const struct one *o, struct buf *b)
{
    struct str packed = o->packed.p ? o->packed : o->page;
    int last = 0, inner = 0;

    thrift_put_int(b, &last, 1, THRIFT_I32, o->version == 2 ? 3 : 0);
    thrift_put_int(b, &last, 2, THRIFT_I32, (int64_t)o->page.n);
    thrift_put_int(b, &last, 3, THRIFT_I32, (int64_t)packed.n);
    if (o->has_crc)
        thrift_put_int(b, &last, 4, THRIFT_I32, (int32_t)o->crc);
    thrift_put_struct(b, &last, o->version == 2 ? 8 : 5);
    thrift_put_int(b, &inner, 1, THRIFT_I32, o->n_values);
    if (o->version == 2) {
        thrift_put_int(b, &inner, 2, THRIFT_I32, 0);
        thrift_put_int(b, &inner, 3, THRIFT_I32, o->n_rows);
        thrift_put_int(b, &inner, 4, THRIFT_I32, o->encoding);
        thrift_put_int(b, &inner, 5, THRIFT_I32, o->def_len);
        thrift_put_int(b, &inner, 6, THRIFT_I32, 0);
        thrift_put_bool(b, &inner, 7, false);
    } else {
        thrift_put_int(b, &inner, 2, THRIFT_I32, o->encoding);
        thrift_put_int(b, &inner, 3, THRIFT_I32, o->def_encoding);
        thrift_put_int(b, &inner, 4, THRIFT_I32, PQ_RLE);
    }
    thrift_put_stop(b);
    thrift_put_stop(b);
    buf_add(b, packed.p, packed.n);
}

static struct str
put_file(const struct one *o, struct buf *b)
{
    int last = 0, group = 0, chunk = 0, meta = 0;
    size_t footer;
    uint32_t len;

    buf_init(b);
    buf_puts(b, "PAR1");
    put_page_header(o, b);
    footer = b->len;
    thrift_put_int(b, &last, 1, THRIFT_I32, 1);
    thrift_put_list(b, &last, 2, THRIFT_STRUCT, o->two_level_list ? 3 : 2);
    put_schema(o, b);
    thrift_put_int(b, &last, 3, THRIFT_I64, o->n_rows);
    thrift_put_list(b, &last, 4, THRIFT_STRUCT, 1);
    thrift_put_list(b, &group, 1, THRIFT_STRUCT, 1);
    thrift_put_struct(b, &chunk, 3);
    thrift_put_int(b, &meta, 1, THRIFT_I32, o->type);
    thrift_put_int(b, &meta, 4, THRIFT_I32, o->codec);
    thrift_put_int(b, &meta, 5, THRIFT_I64, o->n_values);
    thrift_put_int(b, &meta, 7, THRIFT_I64, (int64_t)footer - 4);
    thrift_put_int(b, &meta, 9, THRIFT_I64, 4);
    thrift_put_stop(b);
    if (o->encrypted) {
        thrift_put_struct(b, &chunk, 8);
        thrift_put_stop(b);
    }
    thrift_put_stop(b);
    thrift_put_int(b, &group, 3, THRIFT_I64, o->n_rows);
    thrift_put_stop(b);
    thrift_put_stop(b);
    len = (uint32_t)(b->len - footer);
    buf_add(b, &len, sizeof len);
    buf_puts(b, "PAR1");
    return (struct str){b->data, b->len};
}

static void
assert_one(const struct one *o, const char *lines)
{
    struct buf b;
    struct frame *f = parse(put_file(o, &b), NULL);

    assert_lines(f, str_of(lines));
    frame_unref(f);
    buf_fini(&b);
}

static void
assert_one_fails(const struct one *o, enum error_code code, const char *part)
{
    struct error err = {0};
    struct frame *f;
    struct buf b;

    assert_false(parquet_parse(put_file(o, &b), NULL, NULL, NULL, &f, &err));
    assert_null(f);
    assert_int_equal(err.code, code);
    if (!strstr(err.message, part))
        fail_msg("'%s' does not tell '%s'", err.message, part);
    buf_fini(&b);
}

/* Julian day 2440588 is 1970-01-01; nanoseconds of the day come first. */
static void
int96_is_a_timestamp(void **state)
{
    static const char page[] = "\xe8\x03\0\0\0\0\0\0\x8c\x3d\x25\0"
                               "\0\0\0\0\0\0\0\0\x8b\x3d\x25\0";
    const struct one o = {.type = PQ_INT96,
                          .converted = -1,
                          .n_rows = 2,
                          .n_values = 2,
                          .page = {page, 24}};

    (void)state;
    assert_one(&o, "{\"x\":\"1970-01-01 00:00:00.000001\"}\n"
                   "{\"x\":\"1969-12-31 00:00:00\"}\n");
}

/* The deprecated levels begin at the highest bit: 1, 0, 1 is 0xa0. */
static void
bit_packed_levels_are_read(void **state)
{
    static const char page[] = "\xa0\x07\0\0\0\x08\0\0\0";
    const struct one o = {.type = PQ_INT32,
                          .repetition = PQ_OPTIONAL,
                          .converted = -1,
                          .n_rows = 3,
                          .n_values = 3,
                          .def_encoding = PQ_BIT_PACKED,
                          .page = {page, 9}};

    (void)state;
    assert_one(&o, "{\"x\":7}\n{\"x\":null}\n{\"x\":8}\n");
}

/* optional group xs (LIST) { repeated int32 x }: [7, 8], missing, [], [9].
 * Repetition 0 1 0 0 0, definition 2 2 0 1 2, in packed groups of 8. */
static void
lists_of_two_levels_are_read(void **state)
{
    static const char page[] = "\x02\0\0\0\x03\x02"
                               "\x03\0\0\0\x03\x4a\x02"
                               "\x07\0\0\0\x08\0\0\0\x09\0\0\0";
    const struct one o = {.type = PQ_INT32,
                          .repetition = PQ_REPEATED,
                          .converted = -1,
                          .n_rows = 4,
                          .n_values = 5,
                          .def_encoding = PQ_RLE,
                          .two_level_list = true,
                          .page = {page, 25}};

    (void)state;
    assert_one(&o, "{\"xs\":\"[7, 8]\"}\n{\"xs\":null}\n{\"xs\":\"[]\"}\n"
                   "{\"xs\":\"[9]\"}\n");
}

static const char two_ints[] = "\x07\0\0\0\x08\0\0\0";
static const struct one plain_ints = {.type = PQ_INT32,
                                      .converted = -1,
                                      .n_rows = 2,
                                      .n_values = 2,
                                      .page = {two_ints, 8}};

/* CRC-32 of the eight bytes by python's zlib.crc32. */
static void
checksums_are_checked(void **state)
{
    struct one o = plain_ints;

    (void)state;
    o.has_crc = true;
    o.crc = UINT32_C(0xaa53fe9f);
    assert_one(&o, "{\"x\":7}\n{\"x\":8}\n");
    o.crc ^= 1;
    assert_one_fails(&o, ERR_PARSE, "checksum");
}

static void
lz4_is_read_with_and_without_lengths(void **state)
{
    static const char block[] = "\x80\x07\0\0\0\x08\0\0\0";
    static const char framed[] = "\0\0\0\x08\0\0\0\x09"
                                 "\x80\x07\0\0\0\x08\0\0\0";
    struct one o = plain_ints;

    (void)state;
    o.codec = 7;
    o.packed = (struct str){block, 9};
    assert_one(&o, "{\"x\":7}\n{\"x\":8}\n");
    o.codec = 5;
    assert_one(&o, "{\"x\":7}\n{\"x\":8}\n");
    o.packed = (struct str){framed, 17};
    assert_one(&o, "{\"x\":7}\n{\"x\":8}\n");
}

static void
pages_of_version_two_have_their_levels_unpacked(void **state)
{
    static const char page[] = "\x03\x05\x07\0\0\0\x08\0\0\0";
    const struct one o = {.type = PQ_INT32,
                          .repetition = PQ_OPTIONAL,
                          .converted = -1,
                          .n_rows = 3,
                          .n_values = 3,
                          .codec = 6,
                          .version = 2,
                          .def_len = 2,
                          .page = {page, 10}};

    (void)state;
    assert_one(&o, "{\"x\":7}\n{\"x\":null}\n{\"x\":8}\n");
}

static void
half_floats_have_their_odd_values(void **state)
{
    /* 1, -2, 65504, 2^-24, -0, inf, NaN (IEEE 754, binary16) */
    static const char page[] = "\x00\x3c\x00\xc0\xff\x7b\x01\x00\x00\x80"
                               "\x00\x7c\x01\x7e";
    const struct one o = {.type = PQ_FIXED,
                          .length = 2,
                          .converted = -1,
                          .logical = PQ_LOGICAL_FLOAT16,
                          .n_rows = 7,
                          .n_values = 7,
                          .page = {page, 14}};
    struct buf b;
    struct frame *f = parse(put_file(&o, &b), NULL);

    (void)state;
    assert_float(f, "x", 0, 1);
    assert_float(f, "x", 1, -2);
    assert_float(f, "x", 2, 65504);
    assert_float(f, "x", 3, 0x1p-24);
    assert_float(f, "x", 4, -0.0);
    assert_float(f, "x", 5, INFINITY);
    assert_true(isnan(column_float64s(column(f, "x"))[6]));
    frame_unref(f);
    buf_fini(&b);
}

static void
what_cannot_be_read_says_why(void **state)
{
    struct one o = plain_ints;
    struct error err = {0};
    struct frame *f;

    (void)state;
    o.encrypted = true;
    assert_one_fails(&o, ERR_PARSE, "encrypted");
    o = plain_ints;
    o.codec = 3;
    assert_one_fails(&o, ERR_PARSE, "LZO");
    o = plain_ints;
    o.n_rows = 3;
    assert_one_fails(&o, ERR_PARSE, "fewer values than rows");
    o = plain_ints;
    o.n_rows = 1;
    assert_one_fails(&o, ERR_PARSE, "more values than rows");
    o = plain_ints;
    o.n_rows = o.n_values = 3;
    assert_one_fails(&o, ERR_PARSE, "damaged values");
    o = plain_ints;
    o.encoding = PQ_RLE_DICTIONARY;
    o.page = (struct str){"\x02\x03\x00", 3};
    assert_one_fails(&o, ERR_PARSE, "dictionary");
    o = plain_ints;
    o.n_rows = o.n_values = INT32_MAX;
    assert_one_fails(&o, ERR_PARSE, "rows, which the file cannot hold");
    assert_false(
        parquet_parse(STR("PAR1....PARE"), NULL, NULL, NULL, &f, &err));
    assert_non_null(strstr(err.message, "encrypted"));
    assert_false(parquet_parse(STR("PAR1"), NULL, NULL, NULL, &f, &err));
    assert_non_null(strstr(err.message, "not a Parquet file"));
    assert_false(
        parquet_parse(STR("PAR1 and more"), NULL, NULL, NULL, &f, &err));
    assert_non_null(strstr(err.message, "cut short"));
}

/* A map of 2^62 pairs of bools, in eleven bytes. */
static void
a_map_is_not_believed_to_be_longer_than_its_bytes(void **state)
{
    static const uint8_t map[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                  0x80, 0x80, 0x40, 0x11, 0x01};
    static const uint8_t two[] = {0x02, 0x11, 0x01, 0x02, 0x01, 0x01};
    struct thrift_in in = {map, map + sizeof map, false};

    (void)state;
    thrift_skip(&in, THRIFT_MAP);
    assert_true(in.bad);
    in = (struct thrift_in){two, two + sizeof two, false};
    thrift_skip(&in, THRIFT_MAP);
    assert_false(in.bad);
    assert_ptr_equal(in.p, in.end);
}

/* ---- options ---- */

static void
columns_are_read_in_the_order_asked_for(void **state)
{
    static const char *const names[] = {"st.b.c", "i8", NULL};
    static const char *const wrong[] = {"st.b.d", NULL};
    struct parquet_options o = {.columns = names};
    struct error err = {0};
    struct frame *f;
    struct buf b;
    struct str file = data_file("types_v1_snappy.parquet", &b);

    (void)state;
    f = parse(file, &o);
    assert_int_equal(frame_cols(f), 2);
    assert_string_equal(frame_name(f, 0), "st.b.c");
    assert_int(f, "i8", 1, -128);
    frame_unref(f);
    o.columns = wrong;
    assert_false(parquet_parse(file, &o, NULL, NULL, &f, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    assert_string_equal(err.message,
                        "no column 'st.b.d' (did you mean 'st.b.c'?)");
    buf_fini(&b);
}

/* Row groups of hyparquet.parquet: 0..149, 150..299, 300..399. */
static void
assert_pruned(struct str file, struct parquet_test test, size_t n_rows)
{
    const struct parquet_options o = {.tests = &test, .n_tests = 1};
    struct frame *f = parse(file, &o);

    if (frame_rows(f) != n_rows)
        fail_msg("%s %d %s: %zu rows, expected %zu", test.column, test.op,
                 test.value, frame_rows(f), n_rows);
    frame_unref(f);
}

static void
row_groups_that_cannot_match_are_left_out(void **state)
{
    struct buf b;
    struct str file = data_file("hyparquet.parquet", &b);

    (void)state;
    assert_pruned(file, (struct parquet_test){"day", PARQUET_LT, "1970-01-02"},
                  150);
    assert_pruned(
        file, (struct parquet_test){"day", PARQUET_GE, "1970-10-28T00:00:00Z"},
        100);
    assert_pruned(file, (struct parquet_test){"i32s", PARQUET_EQ, "-1000"},
                  150);
    assert_pruned(file, (struct parquet_test){"i32s", PARQUET_EQ, "-2000"}, 0);
    assert_pruned(file, (struct parquet_test){"i32s", PARQUET_GT, "88401.5"},
                  100);
    assert_pruned(file, (struct parquet_test){"i32s", PARQUET_GE, "88401"},
                  250);
    assert_pruned(file, (struct parquet_test){"f64s", PARQUET_LE, "0"}, 150);
    assert_pruned(file, (struct parquet_test){"f64s", PARQUET_NE, "0"}, 400);
    assert_pruned(file, (struct parquet_test){"tp", PARQUET_GT, "prefix/0040"},
                  100);
    assert_pruned(file, (struct parquet_test){"tp", PARQUET_EQ, "prefix"}, 0);
    buf_fini(&b);
}

static void
a_test_of_another_type_is_an_error(void **state)
{
    const struct parquet_test test = {"day", PARQUET_LT, "soon"};
    const struct parquet_options o = {.tests = &test, .n_tests = 1};
    struct error err = {0};
    struct frame *f;
    struct buf b;
    struct str file = data_file("hyparquet.parquet", &b);

    (void)state;
    assert_false(parquet_parse(file, &o, NULL, NULL, &f, &err));
    assert_int_equal(err.code, ERR_TYPE);
    buf_fini(&b);
}

static void
a_range_of_row_groups_is_read_alone(void **state)
{
    struct parquet_options o = {.first_group = 1, .n_groups = 1};
    struct frame *f;
    struct buf b;
    struct str file = data_file("hyparquet.parquet", &b);

    (void)state;
    f = parse(file, &o);
    assert_int_equal(frame_rows(f), 150);
    assert_int(f, "i32s", 0, 150 * 150 - 1000);
    frame_unref(f);
    o = (struct parquet_options){.first_group = 2};
    f = parse(file, &o);
    assert_int_equal(frame_rows(f), 100);
    frame_unref(f);
    o.first_group = 7;
    f = parse(file, &o);
    assert_int_equal(frame_rows(f), 0);
    frame_unref(f);
    buf_fini(&b);
}

static void
the_footer_alone_tells_rows_and_columns(void **state)
{
    struct parquet_info i;
    struct error err;
    struct buf b;

    (void)state;
    assert_true(
        parquet_info_parse(data_file("hyparquet.parquet", &b), &i, &err));
    buf_fini(&b);
    assert_int_equal(i.n_rows, 400);
    assert_int_equal(i.n_groups, 3);
    assert_int_equal(i.group_rows[2], 100);
    assert_int_equal(i.n_columns, 12);
    assert_string_equal(i.columns[11].name, "day");
    assert_int_equal(i.columns[11].type, COL_TIMESTAMP);
    assert_string_equal(i.columns[11].stored,
                        "int64 timestamp in milliseconds");
    assert_null(i.columns[11].skipped);
    assert_string_equal(i.created_by, "hyparquet");
    parquet_info_fini(&i);
}

/* ---- round trips ---- */

static const enum codec codecs[] = {CODEC_NONE, CODEC_SNAPPY, CODEC_ZSTD,
                                    CODEC_GZIP, CODEC_LZ4};
enum { N_CODECS = sizeof codecs / sizeof *codecs };

/* Each type with many and few values, with gaps and without, and runs. */
static struct frame *
make_table(size_t n)
{
    static const char *const names[] = {"b", "i",     "few", "x",  "same",
                                        "t", "words", "day", "at", "full"};
    static const enum col_type types[] = {
        COL_BOOL, COL_INT64, COL_INT64, COL_FLOAT64,   COL_FLOAT64,
        COL_TEXT, COL_TEXT,  COL_DATE,  COL_TIMESTAMP, COL_INT64};
    enum { N = sizeof names / sizeof *names };
    struct error err;
    struct builder *b = builder_new(N, names, types, &err);
    bool ok = b != NULL;
    struct frame *f;

    for (size_t i = 0; ok && i < n; i++) {
        int64_t r = (int64_t)rng_below(1, 2, i, 1000000);
        char text[32];
        int len = snprintf(text, sizeof text, "text %" PRId64, r);

        ok = (i % 9 == 0 || builder_i64(b, 0, r % 2, &err)) &&
             (i % 7 == 0 || builder_i64(b, 1, (r - 500000) << 30, &err)) &&
             (i / 40 % 3 == 0 || builder_i64(b, 2, r % 5, &err)) &&
             (i % 11 == 0 || builder_f64(b, 3, (double)r / 7, &err)) &&
             builder_f64(b, 4, i % 50 == 3 ? -0.0 : 2.5, &err) &&
             (i % 13 == 0 ||
              builder_text(b, 5, (struct str){text, (size_t)len}, &err)) &&
             builder_text(b, 6, (struct str){text, 5 + (size_t)(r % 3 > 0)},
                          &err) &&
             (i % 4 == 0 || builder_i64(b, 7, r % 40000 - 20000, &err)) &&
             (i % 5 == 0 || builder_i64(b, 8, (r - 9) * 1234567891, &err)) &&
             builder_i64(b, 9, r * r, &err) && builder_end_row(b, &err);
    }
    assert_true(ok);
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

static void
what_is_written_is_read_back(void **state)
{
    static const size_t sizes[] = {0, 1, 7, 8, 9, 1000, 5000};
    struct error err;

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct frame *f = make_table(sizes[s]), *got;

        for (size_t k = 0; k < 2 * N_CODECS; k++) {
            struct parquet_write_options o = {.codec = codecs[k / 2],
                                              .group_rows = 999,
                                              .no_dictionary = k % 2};
            struct buf b;

            buf_init(&b);
            if (!parquet_format(f, &o, NULL, NULL, &b, &err))
                fail_msg("%s", err.message);
            got = parse((struct str){b.data, b.len}, NULL);
            assert_same(got, f);
            frame_unref(got);
            buf_fini(&b);
        }
        frame_unref(f);
    }
}

/* Texts that are read for batches are told apart at once, those of tables when
 * someone asks: the way of the one is checked against that of the other. */
static void
texts_left_as_they_lie_are_those_told_apart_at_once(void **state)
{
    const struct parquet_options batches = {.in_batches = true};
    struct frame *f = make_table(5000);
    struct pool *pool = pool_new(3);
    struct error err;

    (void)state;
    for (size_t k = 0; k < 2 * N_CODECS; k++) {
        struct parquet_write_options o = {
            .codec = codecs[k / 2], .group_rows = 700, .no_dictionary = k % 2};
        struct frame *loose, *once;
        struct buf b;

        buf_init(&b);
        assert_true(parquet_format(f, &o, NULL, NULL, &b, &err));
        assert_true(parquet_parse((struct str){b.data, b.len}, NULL, pool, NULL,
                                  &loose, &err));
        once = parse((struct str){b.data, b.len}, &batches);
        buf_fini(&b);
        assert_true(column_is_loose(column(loose, "t")));
        assert_false(column_is_loose(column(once, "t")));
        assert_int_equal(column_is_loose(column(loose, "words")), k % 2);
        for (size_t i = 0; i < 5000; i++)
            assert_true(str_eq(column_text(column(loose, "t"), i),
                               column_text(column(once, "t"), i)));
        assert_same(loose, once);
        assert_same(loose, f);
        frame_unref(loose);
        frame_unref(once);
    }
    pool_free(pool);
    frame_unref(f);
}

static void
bounds_of_what_is_written_prune(void **state)
{
    const struct parquet_write_options o = {.codec = CODEC_ZSTD,
                                            .group_rows = 1000};
    static const char *const names[] = {"i", "t", "x"};
    static const enum col_type types[] = {COL_INT64, COL_TEXT, COL_FLOAT64};
    struct error err;
    struct builder *b = builder_new(3, names, types, &err);
    struct frame *f;
    struct buf out;
    struct str file;

    (void)state;
    assert_non_null(b);
    for (int64_t i = 0; i < 3000; i++) {
        char text[16];
        int n = snprintf(text, sizeof text, "%04d", (int)i);

        assert_true(builder_i64(b, 0, i - 1500, &err));
        assert_true(builder_text(b, 1, (struct str){text, (size_t)n}, &err));
        assert_true(builder_f64(b, 2, i % 10 ? (double)i : NAN, &err));
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    buf_init(&out);
    assert_true(parquet_format(f, &o, NULL, NULL, &out, &err));
    file = (struct str){out.data, out.len};
    assert_pruned(file, (struct parquet_test){"i", PARQUET_LT, "-500"}, 1000);
    assert_pruned(file, (struct parquet_test){"i", PARQUET_GE, "499"}, 2000);
    assert_pruned(file, (struct parquet_test){"t", PARQUET_EQ, "1000"}, 1000);
    assert_pruned(file, (struct parquet_test){"t", PARQUET_GT, "2999"}, 0);
    assert_pruned(file, (struct parquet_test){"x", PARQUET_GT, "2998"}, 1000);
    buf_fini(&out);
    frame_unref(f);
}

/* Texts that are not UTF-8 are written as bytes and come back. */
static void
texts_of_any_bytes_come_back(void **state)
{
    static const char *const names[] = {"t"};
    static const enum col_type types[] = {COL_TEXT};
    struct error err;
    struct builder *b = builder_new(1, names, types, &err);
    struct frame *f, *got;
    struct buf out;

    (void)state;
    assert_non_null(b);
    assert_true(builder_text(b, 0, STR("\xff\0\x80"), &err));
    assert_true(builder_end_row(b, &err));
    f = builder_finish(b, &err);
    buf_init(&out);
    assert_true(parquet_format(f, NULL, NULL, NULL, &out, &err));
    got = parse((struct str){out.data, out.len}, NULL);
    assert_same(got, f);
    buf_fini(&out);
    frame_unref(got);
    frame_unref(f);
}

static void
threads_change_neither_what_is_written_nor_read(void **state)
{
    const struct parquet_write_options o = {.codec = CODEC_SNAPPY,
                                            .group_rows = 300};
    struct frame *f = make_table(5000), *a, *b;
    struct pool *pool = pool_new(4);
    struct progress progress;
    struct buf one, four;
    struct error err;

    (void)state;
    progress_init(&progress);
    buf_init(&one);
    buf_init(&four);
    assert_true(parquet_format(f, &o, NULL, NULL, &one, &err));
    assert_true(parquet_format(f, &o, pool, &progress, &four, &err));
    assert_int_equal(one.len, four.len);
    assert_memory_equal(one.data, four.data, one.len);
    a = parse((struct str){one.data, one.len}, NULL);
    assert_true(parquet_parse((struct str){one.data, one.len}, NULL, pool,
                              &progress, &b, &err));
    assert_same(a, b);
    for (size_t c = 0; c < frame_cols(a); c++)
        assert_memory_equal(
            column_data(frame_column(a, c)), column_data(frame_column(b, c)),
            5000 * column_width(column_type(frame_column(a, c))));
    frame_unref(a);
    frame_unref(b);
    frame_unref(f);
    buf_fini(&one);
    buf_fini(&four);
    pool_free(pool);
}

static void
work_that_is_stopped_ends_in_an_error(void **state)
{
    struct progress progress;
    struct error err = {0};
    struct frame *f;
    struct buf b;
    struct str file = data_file("types_v1_snappy.parquet", &b);

    (void)state;
    progress_init(&progress);
    progress_stop(&progress);
    assert_false(parquet_parse(file, NULL, NULL, &progress, &f, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    buf_fini(&b);
}

/* ---- failures ---- */

static void
read_while_allocations_fail(struct str file)
{
    struct frame *f = NULL;
    bool ok = false;

    for (unsigned long n = 1; !ok; n++) {
        struct error err = {0};

        mem_fault_arm(n, false);
        ok = parquet_parse(file, NULL, NULL, NULL, &f, &err);
        mem_fault_arm(0, false);
        assert_true(ok || (err.code == ERR_NOMEM && !f));
    }
    frame_unref(f);
}

static void
every_allocation_of_reading_may_fail(void **state)
{
    static const char *const files[] = {"types_v2_zstd.parquet",
                                        "hyparquet.parquet"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct buf b;

        read_while_allocations_fail(data_file(files[i], &b));
        buf_fini(&b);
    }
}

static void
every_allocation_of_reading_loose_texts_may_fail(void **state)
{
    const struct parquet_write_options o = {.codec = CODEC_SNAPPY,
                                            .group_rows = 40};
    struct frame *f = make_table(100);
    struct error err;
    struct buf b;

    (void)state;
    buf_init(&b);
    assert_true(parquet_format(f, &o, NULL, NULL, &b, &err));
    read_while_allocations_fail((struct str){b.data, b.len});
    buf_fini(&b);
    frame_unref(f);
}

static void
writing_that_fails_leaves_no_file(void **state)
{
    struct frame *f = make_table(50), *got;
    char dir[SCRATCH_PATH], path[SCRATCH_PATH + 16];
    struct error err = {0};
    bool ok = false;

    (void)state;
    assert_true(scratch_make(dir));
    snprintf(path, sizeof path, "%s/t.parquet", dir);
    for (unsigned long n = 1; !ok; n++) {
        mem_fault_arm(n, false);
        ok = parquet_write(f, path, NULL, NULL, NULL, &err);
        mem_fault_arm(0, false);
        assert_true(ok || err.code == ERR_NOMEM || err.code == ERR_IO);
        /* Once in place it stays: only the folder's sync can then fail. */
        if (!ok && file_exists(path))
            assert_int_equal(err.code, ERR_IO);
    }
    assert_true(parquet_read(path, NULL, NULL, NULL, &got, &err));
    assert_same(got, f);
    frame_unref(got);
    frame_unref(f);
    scratch_remove(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            every_type_of_duckdb_is_read_in_all_codecs_and_versions),
        cmocka_unit_test(rows_of_duckdb_are_those_of_their_formulas),
        cmocka_unit_test(every_encoding_of_hyparquet_writer_is_read),
        cmocka_unit_test(what_polars_writes_is_read),
        cmocka_unit_test(int96_is_a_timestamp),
        cmocka_unit_test(bit_packed_levels_are_read),
        cmocka_unit_test(lists_of_two_levels_are_read),
        cmocka_unit_test(checksums_are_checked),
        cmocka_unit_test(lz4_is_read_with_and_without_lengths),
        cmocka_unit_test(pages_of_version_two_have_their_levels_unpacked),
        cmocka_unit_test(half_floats_have_their_odd_values),
        cmocka_unit_test(what_cannot_be_read_says_why),
        cmocka_unit_test(a_map_is_not_believed_to_be_longer_than_its_bytes),
        cmocka_unit_test(columns_are_read_in_the_order_asked_for),
        cmocka_unit_test(row_groups_that_cannot_match_are_left_out),
        cmocka_unit_test(a_test_of_another_type_is_an_error),
        cmocka_unit_test(a_range_of_row_groups_is_read_alone),
        cmocka_unit_test(the_footer_alone_tells_rows_and_columns),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(texts_left_as_they_lie_are_those_told_apart_at_once),
        cmocka_unit_test(bounds_of_what_is_written_prune),
        cmocka_unit_test(texts_of_any_bytes_come_back),
        cmocka_unit_test(threads_change_neither_what_is_written_nor_read),
        cmocka_unit_test(work_that_is_stopped_ends_in_an_error),
        cmocka_unit_test(every_allocation_of_reading_may_fail),
        cmocka_unit_test(every_allocation_of_reading_loose_texts_may_fail),
        cmocka_unit_test(writing_that_fails_leaves_no_file),
    };

    (void)cmocka_run_group_tests_name("parquet", tests, NULL, NULL);
    return 0;
}
