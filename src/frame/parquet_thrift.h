/* frame/parquet_thrift.h -- Thrift's compact protocol, as much of it as Parquet
 * uses.
 *
 * A reader never fails at once: the first bad byte sets `bad`, after which
 * every field list is at its end and every value is 0, so a caller looks once.
 * Internal to parquet.
 * Source:  the Thrift compact protocol description.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PARQUET_THRIFT_H
#define LATHE_FRAME_PARQUET_THRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum thrift_type {
    THRIFT_STOP,
    THRIFT_TRUE,
    THRIFT_FALSE,
    THRIFT_I8,
    THRIFT_I16,
    THRIFT_I32,
    THRIFT_I64,
    THRIFT_DOUBLE,
    THRIFT_BINARY,
    THRIFT_LIST,
    THRIFT_SET,
    THRIFT_MAP,
    THRIFT_STRUCT
};
enum { THRIFT_MAX_DEPTH = 32 };

struct thrift_in {
    const uint8_t *p, *end;
    bool bad;
};

/* The next field of a struct; false at its end.  *id is 0 before the first. */
bool thrift_field(struct thrift_in *in, int *id, enum thrift_type *type);
/* Values; one of another type than asked for makes the input bad. */
int64_t thrift_int(struct thrift_in *in, enum thrift_type type);
bool thrift_bool(struct thrift_in *in, enum thrift_type type);
struct str thrift_binary(struct thrift_in *in, enum thrift_type type);
/* How many items of *item follow; at most the bytes that are left. */
size_t thrift_list(struct thrift_in *in, enum thrift_type type,
                   enum thrift_type *item);
/* Is it a struct, whose fields follow? */
bool thrift_struct(struct thrift_in *in, enum thrift_type type);
void thrift_skip(struct thrift_in *in, enum thrift_type type);

/* Fields of a struct, in the order of their ids; `last` is the id before,
 * 0 at the start of a struct.  Failures are those of the buffer. */
void thrift_put_int(struct buf *b, int *last, int id, enum thrift_type type,
                    int64_t v);
void thrift_put_bool(struct buf *b, int *last, int id, bool v);
void thrift_put_binary(struct buf *b, int *last, int id, struct str s);
/* The header of a struct or list field, whose content follows. */
void thrift_put_struct(struct buf *b, int *last, int id);
void thrift_put_list(struct buf *b, int *last, int id, enum thrift_type item,
                     size_t n);
void thrift_put_stop(struct buf *b);
/* Items of lists. */
void thrift_put_varint(struct buf *b, uint64_t v);
void thrift_put_zigzag(struct buf *b, int64_t v);
#endif
