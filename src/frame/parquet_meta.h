/* frame/parquet_meta.h -- the footer and the page headers of a Parquet file, as
 * they stand there.  Internal to parquet.
 *
 * Numbers are those of parquet.thrift.  What was read is checked for its form
 * alone; whether it fits the file is seen where it is used.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PARQUET_META_H
#define LATHE_FRAME_PARQUET_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "frame/codec.h"

enum pq_type {
    PQ_BOOLEAN,
    PQ_INT32,
    PQ_INT64,
    PQ_INT96,
    PQ_FLOAT,
    PQ_DOUBLE,
    PQ_BYTE_ARRAY,
    PQ_FIXED,
    PQ_GROUP /* our own: no type, but children */
};
enum pq_repetition { PQ_REQUIRED, PQ_OPTIONAL, PQ_REPEATED };
enum pq_converted {
    PQ_CONV_NONE = -1,
    PQ_CONV_UTF8,
    PQ_CONV_MAP,
    PQ_CONV_MAP_KEY_VALUE,
    PQ_CONV_LIST,
    PQ_CONV_ENUM,
    PQ_CONV_DECIMAL,
    PQ_CONV_DATE,
    PQ_CONV_TIME_MILLIS,
    PQ_CONV_TIME_MICROS,
    PQ_CONV_TIMESTAMP_MILLIS,
    PQ_CONV_TIMESTAMP_MICROS,
    PQ_CONV_UINT_8,
    PQ_CONV_UINT_16,
    PQ_CONV_UINT_32,
    PQ_CONV_UINT_64,
    PQ_CONV_INT_8,
    PQ_CONV_INT_16,
    PQ_CONV_INT_32,
    PQ_CONV_INT_64,
    PQ_CONV_JSON,
    PQ_CONV_BSON,
    PQ_CONV_INTERVAL
};
enum pq_logical_kind {
    PQ_LOGICAL_NONE,
    PQ_LOGICAL_STRING,
    PQ_LOGICAL_MAP,
    PQ_LOGICAL_LIST,
    PQ_LOGICAL_ENUM,
    PQ_LOGICAL_DECIMAL,
    PQ_LOGICAL_DATE,
    PQ_LOGICAL_TIME,
    PQ_LOGICAL_TIMESTAMP,
    PQ_LOGICAL_INTEGER = 10,
    PQ_LOGICAL_UNKNOWN,
    PQ_LOGICAL_JSON,
    PQ_LOGICAL_BSON,
    PQ_LOGICAL_UUID,
    PQ_LOGICAL_FLOAT16,
    PQ_LOGICAL_VARIANT,
    PQ_LOGICAL_GEOMETRY,
    PQ_LOGICAL_GEOGRAPHY
};
enum pq_unit { PQ_MILLIS = 1, PQ_MICROS, PQ_NANOS };
enum pq_encoding {
    PQ_PLAIN = 0,
    PQ_PLAIN_DICTIONARY = 2,
    PQ_RLE = 3,
    PQ_BIT_PACKED = 4,
    PQ_DELTA_BINARY_PACKED = 5,
    PQ_DELTA_LENGTH_BYTE_ARRAY = 6,
    PQ_DELTA_BYTE_ARRAY = 7,
    PQ_RLE_DICTIONARY = 8,
    PQ_BYTE_STREAM_SPLIT = 9
};
enum pq_page_type {
    PQ_PAGE_DATA,
    PQ_PAGE_INDEX,
    PQ_PAGE_DICTIONARY,
    PQ_PAGE_DATA_V2
};

struct pq_element {
    struct str name;
    enum pq_type type;
    int32_t type_length;
    enum pq_repetition repetition;
    int32_t n_children;
    enum pq_converted converted;
    int32_t scale;
    enum pq_logical_kind logical;
    bool is_signed; /* PQ_LOGICAL_INTEGER */
    enum pq_unit unit;
};

struct pq_statistics {
    struct str min, max; /* min_value, max_value, where they are */
    struct str old_min, old_max;
    bool has_min, has_max, has_old_min, has_old_max;
    int64_t n_nulls; /* -1: not told */
};

struct pq_chunk {
    enum pq_type type;
    int32_t codec;                          /* of parquet.thrift */
    int64_t n_values;                       /* nulls too */
    int64_t packed_len;                     /* bytes of all pages */
    int64_t data_offset, dictionary_offset; /* the latter 0: none */
    bool has_meta, encrypted, elsewhere;
    struct pq_statistics statistics;
};

struct pq_group {
    int64_t n_rows;
    struct pq_chunk *chunk;
    size_t n_chunks;
};

struct pq_meta {
    struct pq_element *element; /* the schema, depth first; [0] is the root */
    size_t n_elements;
    struct pq_group *group;
    size_t n_groups;
    int64_t n_rows;
    struct str created_by;
    size_t footer; /* where the footer begins */
};

struct pq_page {
    enum pq_page_type type;
    int64_t plain_len, packed_len;
    int64_t n_values;
    enum pq_encoding encoding;
    /* version 1 */
    enum pq_encoding def_encoding, rep_encoding;
    /* version 2 */
    int64_t def_len, rep_len;
    bool packed;
    bool has_crc;
    uint32_t crc;
};

/* Texts are borrowed from `file`, lists lie in the arena.  ERR_PARSE when it
 * is no Parquet file, is damaged or encrypted; ERR_NOMEM. */
bool pq_meta_read(struct str file, struct arena *a, struct pq_meta *out,
                  struct error *err) MUST_USE;
/* The page header at the start of `in`; *len is its length. */
bool pq_page_read(struct str in, struct pq_page *out, size_t *len) MUST_USE;
/* False for a codec that there is none for (LZO) or an unknown number. */
bool pq_codec(int32_t number, enum codec *out) MUST_USE;
#endif
