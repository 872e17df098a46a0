/* frame/arrow_part.h -- what the arrow files share.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_ARROW_PART_H
#define LATHE_FRAME_ARROW_PART_H

#include "base/arena.h"
#include "frame/arrow.h"
#include "frame/arrow_flat.h"

/* The numbers are those of the format. */
enum arrow_kind {
    ARROW_NULL = 1,
    ARROW_INT,
    ARROW_FLOAT,
    ARROW_BINARY,
    ARROW_UTF8,
    ARROW_BOOL,
    ARROW_DECIMAL,
    ARROW_DATE,
    ARROW_TIME,
    ARROW_TIMESTAMP,
    ARROW_INTERVAL,
    ARROW_LIST,
    ARROW_STRUCT,
    ARROW_UNION,
    ARROW_FIXED_BINARY,
    ARROW_FIXED_LIST,
    ARROW_MAP,
    ARROW_DURATION,
    ARROW_LARGE_BINARY,
    ARROW_LARGE_UTF8,
    ARROW_LARGE_LIST,
    ARROW_RUN_END,
    ARROW_BINARY_VIEW,
    ARROW_UTF8_VIEW,
    ARROW_LIST_VIEW,
    ARROW_LARGE_LIST_VIEW
};
enum arrow_message { ARROW_SCHEMA = 1, ARROW_DICTIONARY, ARROW_BATCH };
enum { ARROW_VERSION_4 = 3, ARROW_VERSION_5 = 4 };
#define ARROW_MAGIC "ARROW1"

/* Units of times: what one second holds of them is arrow_unit(). */
enum { ARROW_SECOND, ARROW_MILLI, ARROW_MICRO, ARROW_NANO };
enum { ARROW_YEAR_MONTH, ARROW_DAY_TIME, ARROW_MONTH_DAY_NANO };

struct arrow_dictionary;

struct arrow_field {
    struct str name;
    enum arrow_kind kind;
    size_t bits; /* of a value of fixed width; 64 for the offsets of "large" */
    bool is_signed;
    int unit, scale;
    size_t list_size; /* of a fixed-size list */
    struct arrow_dictionary *dict;
    const struct arrow_field *index; /* the codes' type when there is a dict */
    struct arrow_field *child;
    size_t n_children;
};

struct arrow_schema {
    bool big_endian;
    struct arrow_field *field;
    size_t n_fields;
    struct arrow_dictionary *dict;
    size_t n_dicts;
};

/* A piece of a body.  After arrow_array_load() p is plain, in this machine's
 * byte order and aligned to 8 bytes, in the file or in scratch memory. */
struct arrow_buffer {
    struct str s;
    enum codec codec;
    size_t len; /* plain */
    bool mapped;
};

enum { ARROW_VALID, ARROW_DATA, ARROW_BYTES, ARROW_FIXED_BUFFERS };

struct arrow_array {
    size_t n, n_missing;
    struct arrow_buffer buf[ARROW_FIXED_BUFFERS];
    struct arrow_buffer *view; /* bytes that views point into */
    size_t n_views;
    size_t version; /* of the dictionary */
    size_t known;   /* values of it that had come before this batch */
    struct arrow_array *child;
};

/* The values of a dictionary since its last replacement. */
struct arrow_version {
    struct arrow_array *part;
    size_t n_parts;
    size_t n_values; /* of all parts */
    /* Made by arrow_decode_dictionary(): */
    struct dict *texts;    /* when code i is its text i */
    struct column *values; /* else */
};
struct arrow_dictionary {
    int64_t id;
    struct arrow_field field; /* of the values */
    struct arrow_version *version;
    size_t n_versions;
};

/* A file while it is read. */
struct arrow_file {
    struct str bytes;
    struct file_hold *hold; /* NULL: nothing may be borrowed */
    bool ours;              /* written by arrow_keep(), checksum seen */
    struct arena arena;
    struct arrow_schema schema;
    struct arrow_array *batch; /* n_batches x n_fields */
    size_t n_batches, cap_batches, n_rows;
};

/* ---- arrow_schema.c ---- */

bool arrow_schema_read(struct arrow_file *a, struct flat *f, size_t schema,
                       struct error *err) MUST_USE;
const char *arrow_kind_word(enum arrow_kind k);
/* Bytes of one offset, of a list or a text. */
size_t arrow_offset_width(const struct arrow_field *f);

/* ---- arrow_array.c ---- */

/* A record batch as the arrays of n fields, with the lengths of all buffers
 * checked. */
bool
arrow_batch_read(struct arrow_file *a, struct flat *f, size_t batch,
                 struct str body, const struct arrow_field *field, size_t n,
                 struct arrow_array *out, struct error *err) MUST_USE;
/* Make the buffers plain and check that what they point to is there. */
bool arrow_array_load(const struct arrow_file *a, const struct arrow_field *f,
                      struct arrow_array *x, struct arena *arena,
                      struct error *err) MUST_USE;
/* An array whose buffers need nothing done to them. */
bool arrow_plain(const struct arrow_file *a, const struct arrow_buffer *b);
bool arrow_bit(const struct arrow_array *x, size_t i); /* of validity */
/* Value i of a text, bytes or view array that is loaded. */
struct str
arrow_bytes(const struct arrow_field *f, const struct arrow_array *x, size_t i);
int64_t
arrow_int(const struct arrow_field *f, const struct arrow_array *x, size_t i);
/* The values of list i within the child. */
void arrow_range(const struct arrow_field *f, const struct arrow_array *x,
                 size_t i, size_t *begin, size_t *end);

/* ---- arrow_decode.c ---- */

/* The columns of top-level field k, one but for structs, with their names;
 * appended to what `out` holds. */
struct arrow_columns {
    struct column **column;
    struct buf names; /* each ended by a zero byte */
    size_t n, cap;
};
void arrow_columns_fini(struct arrow_columns *c);
bool arrow_decode_field(const struct arrow_file *a, size_t k,
                        struct progress *progress, struct arrow_columns *out,
                        struct error *err) MUST_USE;
bool
arrow_decode_dictionary(const struct arrow_file *a, struct arrow_dictionary *d,
                        struct error *err) MUST_USE;

/* ---- arrow_value.c ---- */

/* A value as text, in the notation of JSON within lists. */
void arrow_print(const struct arrow_field *f, const struct arrow_array *x,
                 size_t i, bool quoted, struct buf *out);
double
arrow_float(const struct arrow_field *f, const struct arrow_array *x, size_t i);
/* Microseconds of a timestamp, days of a date; false: out of range. */
bool arrow_microseconds(const struct arrow_field *f,
                        const struct arrow_array *x, size_t i, int64_t *us);
bool arrow_days(const struct arrow_field *f, const struct arrow_array *x,
                size_t i, int64_t *days);
int64_t arrow_unit(int unit);
#endif
