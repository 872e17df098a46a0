/* engine/safetensors.h -- the artifact file.
 *
 * u64 little-endian header length, a JSON header, raw tensors. Written with the
 * header padded so that tensors start on 64 bytes, U8 fillers "~pad.K" between,
 * keys in the order given: the same content gives the same bytes.  Mapped at
 * load; every size, offset, gap, dtype and the JSON depth are checked before
 * anything is used, so that a hostile file ends in ERR_CORRUPT.
 * Source: format text of huggingface/safetensors.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_SAFETENSORS_H
#define LATHE_ENGINE_SAFETENSORS_H

#include "base/buf.h"
#include "base/file.h"
#include "base/str.h"

enum st_type {
    ST_U8,
    ST_I8,
    ST_U16,
    ST_I16,
    ST_U32,
    ST_I32,
    ST_U64,
    ST_I64,
    ST_F32,
    ST_F64,
    ST_F16,
    ST_BF16,
    ST_BOOL
};
enum { ST_MAX_DIMS = 4, ST_MAX_HEADER = 64 << 20 };

struct st_writer;
struct st_writer *st_writer_new(void);
void st_writer_free(struct st_writer *w);
/* data is borrowed until st_write(). */
void st_add(struct st_writer *w, const char *name, enum st_type type,
            const uint64_t *shape, size_t n_dims, const void *data);
void st_add1(struct st_writer *w, const char *name, enum st_type type,
             uint64_t n, const void *data);
/* The `__metadata__` entry "lathe". */
void st_manifest(struct st_writer *w, const char *json);
bool st_write(struct st_writer *w, struct buf *out, struct error *err) MUST_USE;

struct st_file; /* borrowed bytes + parsed header */
/* bytes must outlive the file. */
struct st_file *st_parse(struct str bytes, struct error *err) MUST_USE;
void st_free(struct st_file *f);
struct st_tensor {
    enum st_type type;
    uint64_t shape[ST_MAX_DIMS];
    size_t n_dims;
    uint64_t n;       /* elements */
    const void *data; /* aligned to its element when written by lathe; else
                         st_need() refuses it */
};
/* ERR_CORRUPT when absent, of another type, misaligned, or when n >= 0 and it
 * has not n elements. */
bool st_need(const struct st_file *f, const char *name, enum st_type type,
             int64_t n, struct st_tensor *out, struct error *err) MUST_USE;
/* All tensors, in the order of their data. */
size_t st_count(const struct st_file *f);
/* Tensor i: its name.  Its data may not be aligned. */
const char *st_item(const struct st_file *f, size_t i, struct st_tensor *out);
const char *st_get_manifest(const struct st_file *f); /* or NULL */
#endif
