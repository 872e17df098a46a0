/* frame/source.h -- a table file of any format to a frame and back.
 *
 * The format is known by the first bytes (Parquet, Arrow), else by the ending
 * of the name (.csv .tsv .txt, .jsonl .ndjson .json), else by the text: what
 * begins with an object is JSON lines, the rest delimited.  Text may be
 * compressed by gzip, zstd or lz4, whatever its name says, and is UTF-8,
 * UTF-16 with its mark, or what the options say.  "-" is standard
 * input, a folder one of pictures (frame/folder.h).  A Parquet column that is
 * left out is a row of the rejects.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_SOURCE_H
#define LATHE_FRAME_SOURCE_H

#include "frame/csv.h"
#include "frame/encoding.h"

enum source_format {
    SOURCE_FIND,
    SOURCE_CSV,
    SOURCE_JSONL,
    SOURCE_ARROW,
    SOURCE_PARQUET
};

struct source_options {
    enum source_format format;
    enum encoding encoding; /* of text */
    struct csv_options csv; /* delimiter, header and nulls are for delimited
                               text alone; types for every format */
};

/* o may be NULL.  Progress counts bytes.  Errors name the file.  ERR_PARSE:
 * damaged, or a value that a type in o->csv.types cannot hold (in CSV that row
 * goes to the rejects). */
bool source_read(const char *path, const struct source_options *o,
                 struct pool *pool, struct progress *progress,
                 struct csv_table *out, struct error *err) MUST_USE;
/* The whole rows at the beginning, quickly: csv_parse_head() of what is left
 * when compression is undone; of JSON lines likewise, where later names are
 * later columns.
 *   n_bytes  of the whole text, 0 when it is not known; out->n_bytes when the
 *            head is all there is
 * ERR_LIMIT: there is no such thing here (a pipe, which is read but once, a
 * list, a first row of more than 4 MiB, Arrow, Parquet); all else befalls the whole
 * too. */
bool source_read_head(const char *path, const struct source_options *o,
                      struct csv_table *out, size_t *n_bytes,
                      struct error *err) MUST_USE;
/* The format by the ending: .tsv, .jsonl or .ndjson, .arrow or .feather,
 * .arrows (the stream form), .parquet, else CSV; and .gz, .zst or .lz4 behind
 * that of text.  The file appears whole or not at
 * all. */
bool source_write(const struct frame *f, const char *path,
                  struct error *err) MUST_USE;
/* "csv, tsv, jsonl, arrow, parquet": the endings, for help and for choosing files. */
bool source_is_table(const char *path);
#endif
