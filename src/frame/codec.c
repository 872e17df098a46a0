/* frame/codec.c -- compressed bytes to plain ones and back.
 *
 * The libraries allocate for themselves, so each use of one counts as a fault
 * point of the tests here.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/codec.h"

#include <brotli/decode.h>
#include <limits.h>
#include <lz4.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "frame/codec_crc.h"
#include "frame/codec_snappy.h"

enum { GZIP_BOTH = 15 + 32, GZIP_WRITE = 15 + 16, ZSTD_WINDOW_LOG = 27 };

static const char *const names[CODEC_N] = {
    "none", "snappy",    "gzip",         "zstd",
    "lz4",  "lz4 frame", "lz4 (hadoop)", "brotli"};

const char *
codec_name(enum codec kind)
{
    return names[kind];
}

enum codec
codec_sniff(struct str in)
{
    if (str_starts(in, "\x1f\x8b"))
        return CODEC_GZIP;
    if (str_starts(in, "\x28\xb5\x2f\xfd"))
        return CODEC_ZSTD;
    if (str_starts(in, "\x04\x22\x4d\x18"))
        return CODEC_LZ4_FRAME;
    return CODEC_NONE;
}

uint32_t
codec_crc32(struct str in)
{
    const Bytef *p = (const Bytef *)in.p;
    Bytef folded[CRC_FOLD_LEN];
    size_t n;
    uLong crc;

    if (in.n < CRC_FOLD_LEAST || !crc_can_fold())
        return (uint32_t)crc32_z(0, p, in.n);
    n = crc_fold(p, in.n, folded);
    /* zlib takes a CRC for a register turned round: this one is 0. */
    crc = crc32_z(UINT32_MAX, folded, sizeof folded);
    return (uint32_t)crc32_z(crc, p + n, in.n - n);
}

static bool
damaged(enum codec kind, struct error *err)
{
    return error_set(err, ERR_PARSE, "damaged %s data", names[kind]);
}

static bool
no_memory(enum codec kind, struct error *err)
{
    return error_set(err, ERR_NOMEM, "no memory for %s", names[kind]);
}

/* ---- streams ---- */

struct codec_stream {
    enum codec kind;
    struct str in;
    size_t used;
    bool done;   /* no more data will come */
    bool inside; /* a member or frame has begun and not ended */
    z_stream z;
    ZSTD_DStream *zstd;
    LZ4F_dctx *lz4;
};

static bool
stream_init(struct codec_stream *s)
{
    if (mem_fault_hit())
        return false;
    switch (s->kind) {
    case CODEC_GZIP:
        return inflateInit2(&s->z, GZIP_BOTH) == Z_OK;
    case CODEC_ZSTD:
        s->zstd = ZSTD_createDStream();
        return s->zstd && !ZSTD_isError(ZSTD_DCtx_setParameter(
                              s->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG));
    case CODEC_LZ4_FRAME:
        return !LZ4F_isError(
            LZ4F_createDecompressionContext(&s->lz4, LZ4F_VERSION));
    default:
        return true;
    }
}

struct codec_stream *
codec_stream_open(enum codec kind, struct str in, struct error *err)
{
    struct codec_stream *s;

    if (kind != CODEC_NONE && kind != CODEC_GZIP && kind != CODEC_ZSTD &&
        kind != CODEC_LZ4_FRAME) {
        error_set(err, ERR_STATE, "%s cannot be read as a stream", names[kind]);
        return NULL;
    }
    if (!(s = mem_try_array(1, sizeof *s, err)))
        return NULL;
    s->kind = kind;
    s->in = in;
    s->inside = kind != CODEC_NONE; /* no data at all is not a stream */
    if (!stream_init(s)) {
        no_memory(kind, err);
        s->kind = CODEC_NONE;
        codec_stream_close(s);
        return NULL;
    }
    return s;
}

void
codec_stream_close(struct codec_stream *s)
{
    if (!s)
        return;
    if (s->kind == CODEC_GZIP)
        inflateEnd(&s->z);
    ZSTD_freeDStream(s->zstd);
    LZ4F_freeDecompressionContext(s->lz4);
    free(s);
}

size_t
codec_stream_used(const struct codec_stream *s)
{
    return s->used;
}

static bool
step_none(struct codec_stream *s, char *out, size_t cap, size_t *got)
{
    *got = s->in.n - s->used;
    if (*got > cap)
        *got = cap;
    if (*got > 0)
        memcpy(out, s->in.p + s->used, *got);
    s->used += *got;
    return true;
}

/* zlib counts in unsigned int. */
static uInt
bite(size_t n)
{
    return n < UINT_MAX ? (uInt)n : UINT_MAX;
}

static bool
step_gzip(struct codec_stream *s, char *out, size_t cap, size_t *got)
{
    uInt give = bite(s->in.n - s->used), room = bite(cap);
    int rc;

    s->z.next_in = (z_const Bytef *)(uintptr_t)(s->in.p + s->used);
    s->z.avail_in = give;
    s->z.next_out = (Bytef *)out;
    s->z.avail_out = room;
    rc = inflate(&s->z, Z_NO_FLUSH);
    s->used += give - s->z.avail_in;
    *got = room - s->z.avail_out;
    s->inside = rc != Z_STREAM_END;
    if (rc != Z_STREAM_END)
        return rc == Z_OK || rc == Z_BUF_ERROR;
    /* Only another member continues the data; padding is ignored, as gzip
     * does. */
    if (codec_sniff((struct str){s->in.p + s->used, s->in.n - s->used}) !=
        CODEC_GZIP)
        s->used = s->in.n;
    return inflateReset(&s->z) == Z_OK;
}

static bool
step_zstd(struct codec_stream *s, char *out, size_t cap, size_t *got)
{
    ZSTD_inBuffer in = {s->in.p, s->in.n, s->used};
    ZSTD_outBuffer to = {out, cap, 0};
    size_t rc = ZSTD_decompressStream(s->zstd, &to, &in);

    s->used = in.pos;
    *got = to.pos;
    s->inside = rc != 0;
    return !ZSTD_isError(rc);
}

static bool
step_lz4(struct codec_stream *s, char *out, size_t cap, size_t *got)
{
    size_t take = s->in.n - s->used, rc;

    *got = cap;
    rc = LZ4F_decompress(s->lz4, out, got, s->in.p + s->used, &take, NULL);
    s->used += take;
    s->inside = rc != 0;
    return !LZ4F_isError(rc);
}

static bool
stream_step(struct codec_stream *s, char *out, size_t cap, size_t *got)
{
    switch (s->kind) {
    case CODEC_GZIP:
        return step_gzip(s, out, cap, got);
    case CODEC_ZSTD:
        return step_zstd(s, out, cap, got);
    case CODEC_LZ4_FRAME:
        return step_lz4(s, out, cap, got);
    default:
        return step_none(s, out, cap, got);
    }
}

bool
codec_stream_read(struct codec_stream *s, void *out, size_t cap, size_t *got,
                  struct error *err)
{
    char *to = out;

    *got = 0;
    while (*got < cap && !s->done) {
        size_t n = 0, before = s->used;

        if (!s->inside && s->used == s->in.n) {
            s->done = true;
            break;
        }
        if (mem_fault_hit())
            return no_memory(s->kind, err);
        if (!stream_step(s, to + *got, cap - *got, &n))
            return damaged(s->kind, err);
        *got += n;
        if (n > 0 || s->used > before)
            continue;
        return error_set(err, ERR_PARSE, "the %s data stops short",
                         names[s->kind]);
    }
    return true;
}

/* ---- whole buffers ---- */

/* As a stream that must end after exactly len bytes. */
static bool
all_of_stream(enum codec kind, struct str in, void *out, size_t len,
              struct error *err)
{
    struct codec_stream *s = codec_stream_open(kind, in, err);
    size_t got = 0, more = 0;
    char one;
    bool ok;

    if (!s)
        return false;
    ok = codec_stream_read(s, out, len, &got, err) &&
         codec_stream_read(s, &one, 1, &more, err);
    if (ok && (got != len || more > 0))
        ok = damaged(kind, err);
    codec_stream_close(s);
    return ok;
}

static bool
lz4_block(struct str in, void *out, size_t len)
{
    return in.n <= INT_MAX && len <= INT_MAX &&
           LZ4_decompress_safe(in.p, out, (int)in.n, (int)len) == (int)len;
}

static uint32_t
load_be32(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
           b[3];
}

/* Blocks of plain length, packed length and a raw block. */
static bool
lz4_hadoop(struct str in, char *out, size_t len)
{
    while (in.n >= 8) {
        size_t plain = load_be32(in.p), packed = load_be32(in.p + 4);

        if (packed > in.n - 8 || plain > len ||
            !lz4_block((struct str){in.p + 8, packed}, out, plain))
            return false;
        in.p += 8 + packed;
        in.n -= 8 + packed;
        out += plain;
        len -= plain;
    }
    return in.n == 0 && len == 0;
}

static bool
brotli_all(struct str in, void *out, size_t len)
{
    size_t got = len;

    return BrotliDecoderDecompress(in.n, (const uint8_t *)in.p, &got, out) ==
               BROTLI_DECODER_RESULT_SUCCESS &&
           got == len;
}

bool
codec_decompress(enum codec kind, struct str in, void *out, size_t len,
                 struct error *err)
{
    bool ok = false;

    if (mem_fault_hit())
        return no_memory(kind, err);
    switch (kind) {
    case CODEC_NONE:
        ok = in.n == len;
        if (ok && len > 0)
            memcpy(out, in.p, len);
        break;
    case CODEC_SNAPPY:
        ok = snappy_decode(in, out, len);
        break;
    case CODEC_GZIP:
    case CODEC_LZ4_FRAME:
        return all_of_stream(kind, in, out, len, err);
    case CODEC_ZSTD:
        ok = ZSTD_decompress(out, len, in.p, in.n) == len;
        break;
    case CODEC_LZ4:
        ok = lz4_block(in, out, len);
        break;
    case CODEC_LZ4_HADOOP:
        ok = lz4_hadoop(in, out, len) || lz4_block(in, out, len);
        break;
    case CODEC_BROTLI:
        ok = brotli_all(in, out, len);
        break;
    }
    return ok || damaged(kind, err);
}

static size_t
gzip_into(struct str in, int level, char *out, size_t cap)
{
    z_stream z = {0};
    size_t put = 0;
    int rc;

    if (deflateInit2(&z, level ? level : Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                     GZIP_WRITE, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;
    z.next_in = (z_const Bytef *)(uintptr_t)in.p;
    do {
        uInt give = bite(in.n), room = bite(cap - put);

        z.avail_in = give;
        z.next_out = (Bytef *)out + put;
        z.avail_out = room;
        rc = deflate(&z, give == in.n ? Z_FINISH : Z_NO_FLUSH);
        in.n -= give - z.avail_in;
        put += room - z.avail_out;
    } while (rc == Z_OK && put < cap);
    deflateEnd(&z);
    return rc == Z_STREAM_END ? put : 0;
}

/* Bytes that any input of n bytes is packed into; 0: too many. */
static size_t
bound(enum codec kind, size_t n)
{
    switch (kind) {
    case CODEC_GZIP:
        return n + n / 1000 + 64;
    case CODEC_ZSTD:
        return ZSTD_compressBound(n);
    case CODEC_LZ4:
        return n <= LZ4_MAX_INPUT_SIZE ? (size_t)LZ4_compressBound((int)n) : 0;
    case CODEC_LZ4_FRAME:
        return LZ4F_compressFrameBound(n, NULL);
    default:
        return 0;
    }
}

static size_t
compress_into(enum codec kind, int level, struct str in, char *out, size_t cap)
{
    size_t put;

    switch (kind) {
    case CODEC_GZIP:
        return gzip_into(in, level, out, cap);
    case CODEC_ZSTD:
        put = ZSTD_compress(out, cap, in.p, in.n,
                            level ? level : ZSTD_CLEVEL_DEFAULT);
        return ZSTD_isError(put) ? 0 : put;
    case CODEC_LZ4:
        return (size_t)LZ4_compress_default(in.p, out, (int)in.n, (int)cap);
    default:
        put = LZ4F_compressFrame(out, cap, in.p, in.n, NULL);
        return LZ4F_isError(put) ? 0 : put;
    }
}

bool
codec_compress(enum codec kind, int level, struct str in, struct buf *out,
               struct error *err)
{
    size_t cap, put;
    char *room;

    if (kind == CODEC_BROTLI || kind == CODEC_LZ4_HADOOP)
        return error_set(err, ERR_STATE, "%s is only read", names[kind]);
    if (kind == CODEC_NONE || kind == CODEC_SNAPPY) {
        if (in.n > UINT32_MAX && kind == CODEC_SNAPPY)
            return error_set(err, ERR_LIMIT, "over 4 GiB for snappy");
        if (kind == CODEC_SNAPPY)
            snappy_encode(in, out);
        else
            buf_add(out, in.p, in.n);
        return buf_check(out, err);
    }
    if ((cap = bound(kind, in.n)) == 0)
        return error_set(err, ERR_LIMIT, "over 2 GiB for %s", names[kind]);
    if (!(room = mem_try_resize(NULL, cap, 1, err)))
        return false;
    put = compress_into(kind, level, in, room, cap);
    if (put > 0)
        buf_add(out, room, put);
    free(room);
    return put > 0 ? buf_check(out, err) : no_memory(kind, err);
}
