/* frame/source_part.h -- what names and first bytes tell of a format.  Private
 * to source*.c, sink*.c and stream*.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_SOURCE_PART_H
#define LATHE_FRAME_SOURCE_PART_H

#include "frame/codec.h"
#include "frame/source.h"

/* The name without .gz and the like, which is told in *codec. */
struct str source_plain_name(const char *path, enum codec *codec);
bool source_name_ends(struct str name, const char *ending);
/* SOURCE_FIND: the ending is no table's. */
enum source_format source_format_of_name(const char *path);
/* Of a file with these plain first bytes; not SOURCE_FIND. */
enum source_format
source_format_of(const char *path, const struct source_options *o,
                 struct str text);
/* With what the name tells of the delimiter. */
struct csv_options
source_csv_options(const char *path, const struct source_options *o);
/* Parquet columns that are left out are told where rows that are set aside
 * would be. */
struct builder;
struct parquet_info;
bool source_note_left_out(const struct parquet_info *info, struct builder *b,
                          size_t *n, struct error *err) MUST_USE;
/* Replace columns by what the types of the options ask for.  ERR_PARSE: a value
 * is no such thing. */
bool source_cast_all(struct frame **f, const struct csv_options *o,
                     struct error *err) MUST_USE;
#endif
