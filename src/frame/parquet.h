/* frame/parquet.h -- Parquet files to frames and back.
 *
 * Read: all encodings of the format (plain, both dictionary ones, runs, the
 * three delta ones, byte stream split, and the deprecated bit-packed levels),
 * packed by snappy, gzip, zstd, brotli, LZ4 in both its forms or not at all;
 * pages of versions 1 and 2; checksums where there are any.
 *
 * A stored column becomes
 *   bool, int, float    of the same name; float16 and float32 are floats
 *   int                 signed and unsigned ints; unsigned ones of 64 bits
 *                       where one is beyond int64 are a float column instead
 *   float               decimals, each rounded once
 *   date                dates
 *   timestamp           timestamps of all units and INT96, in microseconds:
 *                       nanoseconds are rounded down, what is beyond the
 *                       range is its nearest end
 *   text                strings, enums, JSON, and bytes that are told to be
 *                       nothing else; times of day as "12:34:56.789";
 *                       UUIDs in their usual form; other fixed bytes, BSON
 *                       and geometries as hexadecimal digits; intervals as
 *                       "P1M2DT3.004S"
 *   text                lists of any depth as JSON: "[1, 2, null]"
 * A group is flattened: its members are "a.b".  The member b of a list of
 * groups is a list of its own, and a map m becomes the lists "m.key" and
 * "m.value".  Names that are empty or taken are changed as in names.h.  A
 * column of another kind (values of over 1 MiB each, decimals of over 256
 * bits) is left out and parquet_info() says why.
 *
 * Encrypted files, columns in other files and LZO are errors.  Every size in
 * the file is checked, and nothing is allocated on the word of a header alone.
 *
 * Cost: each column of each row group on any thread; a text column by one
 * thread, in the order of its rows, so that the codes of its dict do not
 * depend on how many there are.
 * Threads: all functions may be called from any thread but those of the pool.
 * Source:  parquet.thrift and Encodings.md of the Parquet format, 2.11.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PARQUET_H
#define LATHE_FRAME_PARQUET_H

#include "base/pool.h"
#include "base/progress.h"
#include "frame/codec.h"
#include "frame/frame.h"

enum parquet_op {
    PARQUET_EQ,
    PARQUET_NE,
    PARQUET_LT,
    PARQUET_LE,
    PARQUET_GT,
    PARQUET_GE
};

/* A comparison that rows have to meet. */
struct parquet_test {
    const char *column;
    enum parquet_op op;
    const char *value; /* as column_parse() reads it; texts go by bytes */
};

struct parquet_options {
    const char *const *columns; /* to read, in that order; NULL-ended; NULL:
                                   all */
    /* Leave out the row groups in which, by their statistics, no row meets all
     * tests.  Rows of the others come as they are, also those that do not. */
    const struct parquet_test *tests;
    size_t n_tests;
    size_t first_group, n_groups; /* read these row groups; 0: all from the
                                     first on */
    bool in_batches; /* progress stops it, and is counted by the caller */
};

/* "-" is standard input; o may be NULL.  Errors name the file and the column:
 * ERR_NOTFOUND (no file, no such column: the nearest is named), ERR_IO,
 * ERR_PARSE (no Parquet file, damaged, encrypted), ERR_LIMIT (2^32 rows),
 * ERR_TYPE (a test's value is not of the column's type), ERR_NOMEM,
 * ERR_CANCELLED. */
bool parquet_read(const char *path, const struct parquet_options *o,
                  struct pool *pool, struct progress *progress,
                  struct frame **out, struct error *err) MUST_USE;
/* The same of bytes in memory, which may go when it returns. */
bool parquet_parse(struct str bytes, const struct parquet_options *o,
                   struct pool *pool, struct progress *progress,
                   struct frame **out, struct error *err) MUST_USE;

struct parquet_column {
    const char *name;
    enum col_type type;
    const char *stored;  /* "int64 timestamp in milliseconds" */
    const char *skipped; /* why it is left out; NULL: it is read */
};

/* What the footer tells. */
struct parquet_info {
    uint64_t n_rows;
    size_t n_groups;
    struct parquet_column *columns;
    size_t n_columns;
    const char *created_by; /* the program; "" when it is not told */
    uint64_t *group_rows;   /* n_groups */
    void *priv;
};

/* Reads the footer alone. */
bool parquet_info(const char *path, struct parquet_info *out,
                  struct error *err) MUST_USE;
bool parquet_info_parse(struct str bytes, struct parquet_info *out,
                        struct error *err) MUST_USE;
void parquet_info_fini(struct parquet_info *i);

struct parquet_write_options {
    enum codec codec;   /* CODEC_NONE, CODEC_SNAPPY, CODEC_ZSTD, CODEC_GZIP
                            or CODEC_LZ4 */
    int level;          /* 0: the codec's usual one */
    size_t group_rows;  /* 0: 131,072 */
    bool no_dictionary; /* else where it makes the file smaller */
};

/* Whole or not at all, as file_replace().  o may be NULL: zstd.  The same
 * frame and options give the same bytes, whatever the threads. */
bool parquet_write(const struct frame *f, const char *path,
                   const struct parquet_write_options *o, struct pool *pool,
                   struct progress *progress, struct error *err) MUST_USE;
/* The same bytes, appended to out. */
bool
parquet_format(const struct frame *f, const struct parquet_write_options *o,
               struct pool *pool, struct progress *progress, struct buf *out,
               struct error *err) MUST_USE;

/* The same batch by batch: row groups of each frame, which has the columns of
 * head.  For frame/sink.h, which see. */
struct sink_bytes;
struct parquet_out;
struct parquet_out *
parquet_out_begin(struct sink_bytes *out, const struct frame *head,
                  const struct parquet_write_options *o, struct pool *pool,
                  struct progress *progress, struct error *err) MUST_USE;
bool parquet_out_put(struct parquet_out *w, const struct frame *f,
                     struct error *err) MUST_USE;
bool parquet_out_end(struct parquet_out *w, struct error *err) MUST_USE;
void parquet_out_free(struct parquet_out *w);
#endif
