/* frame/stream_open.c -- any table file as a stream.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/budget.h"
#include "base/mem.h"
#include "frame/arrow.h"
#include "frame/source_part.h"
#include "frame/stream_source.h"
#include "frame/stream_text.h"

enum {
    HEAD = 64 * 1024,     /* bytes that tell the format */
    WINDOW_OF_GRAINS = 4, /* a batch, where grains are given */
    /* Memory for each byte of a file, when the table is worked with. */
    LOAD_OF_TEXT = 2,
    LOAD_OF_ARROW = 2,
    LOAD_OF_PACKED = 8
};

static const struct source_options find_all = {.csv = {.header = -1}};

size_t
stream_window(const struct source_options *o)
{
    return o->csv.grain ? o->csv.grain * WINDOW_OF_GRAINS
                        : stream_batch_bytes();
}

/* ---- whether ---- */

/* The format and whether all is packed, by the first bytes. */
static bool
look(const char *path, const struct source_options *o,
     enum source_format *format, bool *packed)
{
    struct codec_stream *s;
    struct file_map m;
    struct error err;
    struct str bytes;
    char head[HEAD];
    size_t got = 0;
    enum codec codec;

    if (!file_map_open(&m, path, NULL, &err))
        return false;
    bytes = (struct str){m.data, m.len};
    codec = codec_sniff(bytes);
    *packed = codec != CODEC_NONE;
    if (*packed && (s = codec_stream_open(codec, bytes, &err))) {
        if (codec_stream_read(s, head, sizeof head, &got, &err))
            bytes = (struct str){head, got};
        codec_stream_close(s);
    }
    *format = source_format_of(path, o, bytes);
    file_map_close(&m);
    return true;
}

bool
stream_wanted(const char *path, const struct source_options *o)
{
    enum source_format format;
    uint64_t load;
    struct stat st;
    bool packed;

    if (strcmp(path, "-") == 0 || stat(path, &st) != 0 ||
        !S_ISREG(st.st_mode) || st.st_size == 0 ||
        !look(path, o ? o : &find_all, &format, &packed))
        return false;
    load = packed || format == SOURCE_PARQUET ? LOAD_OF_PACKED
           : format == SOURCE_ARROW           ? LOAD_OF_ARROW
                                              : LOAD_OF_TEXT;
    return (uint64_t)st.st_size > budget_bytes() / load;
}

/* ---- opening ---- */

/* What is a text is UTF-8 from here on, its head, too. */
static bool
decode_text(const struct stream_source *from, struct stream_text *t,
            struct str *head, struct error *err)
{
    enum source_format format = source_format_of(from->path, from->o, *head);
    bool last;

    return format == SOURCE_ARROW || format == SOURCE_PARQUET ||
           (stream_text_decode(t, *head, from->o->encoding, from->pool, err) &&
            stream_text_get(t, 0, HEAD, head, &last, err));
}

static struct stream *
open_text(const struct stream_source *from, struct file_map *m,
          struct error *err)
{
    struct stream_text *t = stream_text_new(m, err);
    struct stream *s;
    struct str head;
    bool last;

    if (!t)
        return NULL;
    if (!stream_text_get(t, 0, HEAD, &head, &last, err) ||
        !decode_text(from, t, &head, err)) {
        stream_text_free(t);
        return NULL;
    }
    switch (source_format_of(from->path, from->o, head)) {
    case SOURCE_JSONL:
        s = stream_open_jsonl(from, t, err);
        return stream_shape(s, from, SIZE_MAX / 4, err);
    case SOURCE_ARROW:
    case SOURCE_PARQUET:
        stream_text_free(t);
        error_set(err, ERR_LIMIT,
                  "a packed file of this format can be read only whole");
        return NULL;
    default:
        return stream_open_csv(from, t, err);
    }
}

static struct stream *
open_any(const struct stream_source *from, struct file_map *m,
         struct error *err)
{
    struct str bytes = {m->data, m->len};
    struct stream *s;

    if (codec_sniff(bytes) != CODEC_NONE)
        return open_text(from, m, err);
    switch (source_format_of(from->path, from->o, bytes)) {
    case SOURCE_ARROW:
        s = stream_open_arrow(from, m, err);
        return stream_shape(s, from, 0, err);
    case SOURCE_PARQUET:
        s = stream_open_parquet(from, m, err);
        return stream_shape(s, from, 0, err);
    default:
        return open_text(from, m, err);
    }
}

struct stream *
stream_open(const char *path, const struct source_options *o, struct pool *pool,
            struct progress *progress, struct error *err)
{
    struct stream_source from = {path, o ? o : &find_all, pool, progress};
    struct file_map m;
    struct stream *s;

    if (!file_map_open(&m, path, progress, err))
        return NULL;
    if (!(s = open_any(&from, &m, err)) &&
        strncmp(err->message, path, strlen(path)) != 0)
        error_prefix(err, "%s: ", path);
    return s;
}
