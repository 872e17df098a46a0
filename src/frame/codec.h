/* frame/codec.h -- compressed bytes to plain ones and back.
 *
 * The one home of zlib, zstd, lz4 and brotli; snappy is our own.  Whole
 * buffers for the pages of columnar files, a stream for compressed text that
 * is read piece by piece.  Input is foreign: any bytes are safe, and no more
 * is written or allocated than the caller gives room for (a window of at most
 * 128 MiB in the zstd stream).
 * Threads: any; a stream has one owner at a time.
 * Source:  RFC 1951, 1952, 7932, 8878; the lz4 block and frame formats; the
 *          snappy format description.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_CODEC_H
#define LATHE_FRAME_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum codec {
    CODEC_NONE,
    CODEC_SNAPPY,     /* raw, without framing */
    CODEC_GZIP,       /* zlib's wrapping is taken too; members may follow */
    CODEC_ZSTD,       /* frames may follow one another */
    CODEC_LZ4,        /* one raw block */
    CODEC_LZ4_FRAME,  /* with magic number, as in .lz4 files and Arrow */
    CODEC_LZ4_HADOOP, /* blocks with big-endian lengths; raw is taken too */
    CODEC_BROTLI
};
enum { CODEC_N = CODEC_BROTLI + 1 };

const char *codec_name(enum codec kind); /* "none", "snappy", "gzip", ... */
/* gzip, zstd or lz4 frame by the first bytes, else CODEC_NONE. */
enum codec codec_sniff(struct str in);

/* All of `in` to exactly len bytes at out.  ERR_PARSE when it is damaged or
 * holds another number of bytes, ERR_NOMEM. */
bool codec_decompress(enum codec kind, struct str in, void *out, size_t len,
                      struct error *err) MUST_USE;
/* Appends to out.  level 0 is the codec's usual one (zstd 3, gzip 6).  Every
 * kind but CODEC_LZ4_HADOOP and CODEC_BROTLI, which are ERR_STATE. */
bool codec_compress(enum codec kind, int level, struct str in, struct buf *out,
                    struct error *err) MUST_USE;

/* CRC-32 as gzip and PNG use it. */
uint32_t codec_crc32(struct str in);

/* Piece by piece: CODEC_NONE, CODEC_GZIP, CODEC_ZSTD and CODEC_LZ4_FRAME;
 * others are ERR_STATE.  `in` is borrowed until the stream is closed. */
struct codec_stream;
struct codec_stream *
codec_stream_open(enum codec kind, struct str in, struct error *err) MUST_USE;
/* The next bytes: *got is cap, or less at the end of the data, where it stays
 * 0.  ERR_PARSE for damaged data and data that stops short. */
bool codec_stream_read(struct codec_stream *s, void *out, size_t cap,
                       size_t *got, struct error *err) MUST_USE;
size_t codec_stream_used(const struct codec_stream *s); /* bytes of `in` */
void codec_stream_close(struct codec_stream *s);
#endif
