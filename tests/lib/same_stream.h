/* A stream gives what the file gives when it is read whole: what differs, for
 * unit tests and fuzzers alike.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_TESTS_SAME_STREAM_H
#define LATHE_TESTS_SAME_STREAM_H

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "frame/codec.h"
#include "frame/stream.h"

/* What differs, or NULL. */
static inline const char *
same_value(const struct column *a, size_t i, const struct column *b, size_t k)
{
    struct str s, t;

    if (column_is_valid(a, i) != column_is_valid(b, k))
        return "a value is missing";
    switch (column_type(a)) {
    case COL_TEXT:
        s = column_text(a, i);
        t = column_text(b, k);
        return s.n == t.n && memcmp(s.p, t.p, s.n) == 0 ? NULL : "a text";
    case COL_FLOAT64:
        return memcmp(&column_float64s(a)[i], &column_float64s(b)[k],
                      sizeof(double)) == 0
                   ? NULL
                   : "a float";
    case COL_BOOL:
        return column_bools(a)[i] == column_bools(b)[k] ? NULL : "a bool";
    case COL_DATE:
        return column_dates(a)[i] == column_dates(b)[k] ? NULL : "a date";
    default:
        return column_int64s(a)[i] == column_int64s(b)[k] ? NULL : "an int";
    }
}

/* Rows `at` and so on of `want` are those of `got`. */
static inline const char *
same_rows(const struct frame *want, size_t at, const struct frame *got)
{
    const char *why = NULL;

    if (frame_cols(want) != frame_cols(got))
        return "the number of columns";
    if (frame_rows(want) - at < frame_rows(got))
        return "too many rows";
    for (size_t c = 0; !why && c < frame_cols(want); c++) {
        const struct column *a = frame_column(want, c);
        const struct column *b = frame_column(got, c);

        if (strcmp(frame_name(want, c), frame_name(got, c)) != 0)
            return "a name";
        if (column_type(a) != column_type(b))
            return "a type";
        for (size_t i = 0; !why && i < frame_rows(got); i++)
            why = same_value(a, at + i, b, i);
    }
    return why;
}

/* What is told of the file besides rows and rejects. */
static inline const char *
same_told(const struct csv_table *want, const struct stream *s)
{
    struct csv_table got;

    stream_told(s, &got);
    if (got.n_foreign != want->n_foreign ||
        got.foreign_line != want->foreign_line)
        return "what is not UTF-8";
    if (want->delimiter == 0)
        return NULL;
    return got.delimiter != want->delimiter ? "the delimiter"
           : got.header != want->header     ? "the header"
           : got.n_bytes != want->n_bytes   ? "the bytes"
                                            : NULL;
}

/* The rest of the stream; it is not closed. */
static inline const char *
same_stream(const struct csv_table *want, struct stream *s, struct error *err)
{
    const struct frame *rejects;
    const char *why = NULL;
    size_t at = 0, n_rejected;
    uint64_t n_rows;
    struct frame *f;

    if (same_rows(want->frame, 0, stream_head(s)))
        return same_rows(want->frame, 0, stream_head(s));
    while (!why) {
        if (!stream_next(s, &f, err))
            return err->message;
        if (!f)
            break;
        why = frame_rows(f) == 0 ? "a batch of no rows"
                                 : same_rows(want->frame, at, f);
        at += frame_rows(f);
        frame_unref(f);
    }
    if (why)
        return why;
    if (at != frame_rows(want->frame))
        return "the number of rows";
    if (stream_rows(s, &n_rows) && n_rows != at)
        return "the number of rows that was told";
    rejects = stream_rejects(s, &n_rejected);
    if (n_rejected != want->n_rejected)
        return "the number of rejects";
    if (rejects && frame_rows(rejects) != frame_rows(want->rejects))
        return "the number of rejects that are kept";
    why = rejects ? same_rows(want->rejects, 0, rejects) : NULL;
    return why ? why : same_told(want, s);
}

static inline const char *
same_opened(const char *path, const struct source_options *o,
            struct error *parts)
{
    struct csv_table want;
    struct error whole;
    bool ok = source_read(path, o, NULL, NULL, &want, &whole);
    struct stream *s = stream_open(path, o, NULL, NULL, parts);
    const char *why = NULL;

    if (ok && !s)
        why = parts->message;
    else if (!ok && s)
        why = "no error";
    else if (ok)
        why = same_stream(&want, s, parts);
    else if (parts->code != ERR_LIMIT &&
             strcmp(whole.message, parts->message) != 0)
        why = "another error";
    stream_close(s);
    if (ok)
        csv_table_fini(&want);
    return why;
}

/* Of a format whose damage is met only when it is come to: where reading the
 * whole fails, a stream fails too, when it is opened or later.  Memory and
 * other limits are met at other sizes. */
static inline bool
same_or_both_fail(const char *path, const struct source_options *o)
{
    struct csv_table want;
    struct error whole = {0}, parts = {0};
    bool ok = source_read(path, o, NULL, NULL, &want, &whole);
    struct stream *s = stream_open(path, o, NULL, NULL, &parts);
    struct frame *f = NULL;
    bool differs = false;

    if (ok && s)
        differs = same_stream(&want, s, &parts) != NULL;
    else if (ok)
        differs = true;
    while (!ok && s && stream_next(s, &f, &parts)) {
        if (!f) {
            differs = true;
            break;
        }
        frame_unref(f);
    }
    stream_close(s);
    if (ok)
        csv_table_fini(&want);
    if (whole.code == ERR_LIMIT || whole.code == ERR_NOMEM ||
        parts.code == ERR_LIMIT || parts.code == ERR_NOMEM)
        return true;
    if (differs)
        fprintf(stderr, "whole: %s\nparts: %s\n", whole.message, parts.message);
    return !differs;
}

/* Bytes in memory as a file with a name. */
static inline int
same_file_of(struct str bytes, char path[40])
{
    int fd = memfd_create("same", MFD_CLOEXEC);

    snprintf(path, 40, "/proc/self/fd/%d", fd);
    if (fd >= 0 && write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n)
        return fd;
    close(fd);
    return -1;
}

/* The same of bytes in memory, as a file in pieces of `grain`.  What can be
 * read only whole is left out, and what is packed: damage is met at another
 * time. */
static inline bool
same_bytes(struct str text, enum source_format format, enum encoding encoding,
           size_t grain)
{
    struct source_options o = {
        .format = format,
        .encoding = encoding,
        .csv = {.header = -1, .grain = grain, .max_rejects = 5}};
    struct error err = {0};
    const char *why = NULL;
    char path[40];
    int fd;

    if (codec_sniff(text) != CODEC_NONE || (fd = same_file_of(text, path)) < 0)
        return true;
    why = same_opened(path, &o, &err);
    close(fd);
    return !why || err.code == ERR_LIMIT;
}
#endif
