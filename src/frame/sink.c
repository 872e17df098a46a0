/* frame/sink.c -- a table file that is written batch by batch.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/sink.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/arrow.h"
#include "frame/parquet.h"
#include "frame/sink_part.h"
#include "frame/sink_text.h"
#include "frame/source_part.h"

enum { NEW_FILE = 0666 };

struct sink {
    struct sink_bytes out;
    size_t n_cols;
    uint64_t n_rows;
    char *path;
    struct pool *pool;
    struct progress *progress;
    /* One of them: */
    struct arrow_out *arrow;
    struct parquet_out *parquet;
    struct sink_text *text;
};

/* ---- how it is written ---- */

static bool
begin_arrow(struct sink *s, const struct frame *head, bool stream,
            struct error *err)
{
    struct arrow_options o = {.stream = stream, .pool = s->pool};

    s->arrow = arrow_out_begin(&s->out, head, &o, err);
    return s->arrow != NULL;
}

static bool
begin_text(struct sink *s, const struct frame *head, enum source_format format,
           struct error *err)
{
    struct sink_text_options o = {.lines = format == SOURCE_JSONL,
                                  .delimiter = ',',
                                  .progress = s->progress};

    if (source_name_ends(source_plain_name(s->path, &o.codec), ".tsv"))
        o.delimiter = '\t';
    s->text = sink_text_begin(&s->out, head, &o, s->pool, err);
    return s->text != NULL;
}

static bool
begin(struct sink *s, const struct frame *head, struct error *err)
{
    enum source_format format = source_format_of_name(s->path);
    enum codec codec;
    struct str name = source_plain_name(s->path, &codec);

    switch (format) {
    case SOURCE_ARROW:
        return begin_arrow(s, head, source_name_ends(name, ".arrows"), err);
    case SOURCE_PARQUET:
        s->parquet =
            parquet_out_begin(&s->out, head, NULL, s->pool, s->progress, err);
        return s->parquet != NULL;
    default:
        return begin_text(s, head, format, err);
    }
}

/* What stands behind the last dot of the file's name; it has a letter, or the
 * dot belongs to a date or a number. */
static bool
has_ending(struct str name)
{
    bool letter = false;
    size_t i = name.n;

    for (; i > 0 && isalnum((unsigned char)name.p[i - 1]); i--)
        letter = letter || isalpha((unsigned char)name.p[i - 1]);
    return letter && i > 1 && name.p[i - 1] == '.' && name.p[i - 2] != '/';
}

/* Delimited text under the name of a spreadsheet would be noticed by the one
 * who opens it.  A name without an ending promises nothing.  Parquet and Arrow
 * compress their own parts: as a whole they could not be read in parts any
 * more. */
static bool
check_name(const char *path, struct error *err)
{
    enum source_format format = source_format_of_name(path);
    enum codec codec;
    struct str name = source_plain_name(path, &codec);

    if (format == SOURCE_FIND && has_ending(name))
        return error_set(err, ERR_USAGE,
                         "%s: its ending tells no format, expected .csv, .tsv, "
                         ".jsonl, .arrow, .arrows or .parquet",
                         path);
    if (codec == CODEC_NONE ||
        (format != SOURCE_ARROW && format != SOURCE_PARQUET))
        return true;
    return error_set(err, ERR_USAGE,
                     "%s: this format compresses by itself, expected a "
                     "name that ends in %s",
                     path, format == SOURCE_ARROW ? ".arrow" : ".parquet");
}

/* ---- opening and closing ---- */

/* What the file itself says of a failure begins with its path. */
static void
tell_path(const struct sink *s, struct error *err)
{
    if (s->path && strncmp(err->message, s->path, strlen(s->path)) != 0)
        error_prefix(err, "%s: ", s->path);
}

static struct sink *
sink_new(const struct frame *head, struct pool *pool, struct progress *progress)
{
    struct sink *s = mem_new(sizeof *s);

    s->n_cols = frame_cols(head);
    s->pool = pool;
    s->progress = progress;
    return s;
}

static void
sink_free(struct sink *s)
{
    arrow_out_free(s->arrow);
    parquet_out_free(s->parquet);
    sink_text_free(s->text);
    free(s->path);
    free(s);
}

struct sink *
sink_open(const char *path, const struct frame *head, struct pool *pool,
          struct progress *progress, struct error *err)
{
    struct sink *s;

    if (!check_name(path, err))
        return NULL;
    s = sink_new(head, pool, progress);
    s->path = mem_text(path);
    if (!sink_bytes_open(&s->out, path, err)) {
        sink_free(s);
        return NULL;
    }
    if (begin(s, head, err))
        return s;
    tell_path(s, err);
    sink_drop(s);
    return NULL;
}

void
sink_drop(struct sink *s)
{
    if (!s)
        return;
    sink_bytes_drop(&s->out);
    sink_free(s);
}

static bool
end(struct sink *s, struct error *err)
{
    if (s->arrow)
        return arrow_out_end(s->arrow, err);
    if (s->parquet)
        return parquet_out_end(s->parquet, err);
    return sink_text_end(s->text, err);
}

bool
sink_commit(struct sink *s, struct error *err)
{
    bool ok = end(s, err);

    if (!ok)
        tell_path(s, err);
    if (ok)
        ok = sink_bytes_commit(&s->out, NEW_FILE, err);
    else
        sink_bytes_drop(&s->out);
    sink_free(s);
    return ok;
}

/* ---- rows ---- */

bool
sink_put(struct sink *s, const struct frame *f, struct error *err)
{
    bool ok;

    assert(frame_cols(f) == s->n_cols);
    s->n_rows += frame_rows(f);
    if (frame_rows(f) == 0)
        return true;
    if (s->arrow)
        ok = arrow_out_put(s->arrow, f, err);
    else if (s->parquet)
        ok = parquet_out_put(s->parquet, f, err);
    else
        ok = sink_text_put(s->text, f, err);
    if (!ok)
        tell_path(s, err);
    return ok;
}

bool
sink_put_all(struct sink *s, struct stream *from, struct error *err)
{
    struct frame *f;

    while (stream_next(from, &f, err)) {
        bool ok;

        if (!f)
            return true;
        ok = sink_put(s, f, err);
        frame_unref(f);
        if (!ok)
            return false;
    }
    return false;
}

uint64_t
sink_rows(const struct sink *s)
{
    return s->n_rows;
}

/* ---- whole tables ---- */

bool
sink_write_stream(struct stream *from, const char *path, uint64_t *n_rows,
                  struct error *err)
{
    struct sink *s = sink_open(path, stream_head(from), stream_pool(from),
                               stream_progress(from), err);

    if (!s)
        return false;
    if (!sink_put_all(s, from, err) ||
        !progress_check(stream_progress(from), err)) {
        sink_drop(s);
        return false;
    }
    if (n_rows)
        *n_rows = sink_rows(s);
    return sink_commit(s, err);
}

bool
sink_write(const struct frame *f, const char *path, struct pool *pool,
           struct progress *progress, struct error *err)
{
    enum source_format format = source_format_of_name(path);
    struct arrow_options o = {.pool = pool, .progress = progress};
    struct sink *s;
    enum codec codec;

    if (!check_name(path, err))
        return false;
    o.stream = source_name_ends(source_plain_name(path, &codec), ".arrows");
    if (format == SOURCE_ARROW)
        return arrow_write(f, path, &o, err);
    if (format == SOURCE_PARQUET)
        return parquet_write(f, path, NULL, pool, progress, err);
    if (!(s = sink_open(path, f, pool, progress, err)))
        return false;
    if (sink_put(s, f, err))
        return sink_commit(s, err);
    sink_drop(s);
    return false;
}
