/* parquet_lines -- Parquet files as text, and text as Parquet files, for the
 * scripts that set other programs beside lathe's reader and writer.
 *
 *   parquet_lines read FILE              a line "NAME TYPE" for each column, an
 *                                        empty one, then the rows as JSON lines
 *   parquet_lines write CSV FILE CODEC   none, snappy, zstd, gzip or lz4
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "frame/csv.h"
#include "frame/parquet.h"

static int
fail(const struct error *err)
{
    fprintf(stderr, "%s\n", err->message);
    return 1;
}

static int
read_file(const char *path)
{
    struct error err = {0};
    struct frame *f;
    struct buf b;

    if (!parquet_read(path, NULL, NULL, NULL, &f, &err))
        return fail(&err);
    buf_init(&b);
    for (size_t i = 0; i < frame_cols(f); i++)
        buf_printf(&b, "%s %s\n", frame_name(f, i),
                   column_type_word(column_type(frame_column(f, i))));
    buf_putc(&b, '\n');
    frame_json_lines(f, 0, frame_rows(f), &b);
    fwrite(b.data, 1, b.len, stdout);
    buf_fini(&b);
    frame_unref(f);
    return 0;
}

static int
write_file(const char *from, const char *to, const char *codec)
{
    struct parquet_write_options o = {.group_rows = 1000};
    struct csv_table t;
    struct error err = {0};
    bool ok;

    while ((int)o.codec < CODEC_N && strcmp(codec_name(o.codec), codec) != 0)
        o.codec++;
    if ((int)o.codec == CODEC_N || !csv_read(from, NULL, NULL, NULL, &t, &err))
        return fail(&err);
    ok = parquet_write(t.frame, to, &o, NULL, NULL, &err);
    csv_table_fini(&t);
    return ok ? 0 : fail(&err);
}

int
main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "read") == 0)
        return read_file(argv[2]);
    if (argc == 5 && strcmp(argv[1], "write") == 0)
        return write_file(argv[2], argv[3], argv[4]);
    return 2;
}
