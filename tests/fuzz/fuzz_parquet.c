/* fuzz_parquet -- any bytes as a Parquet file.
 *
 * Beyond not crashing: what was read is written so that it reads back the
 * same, the footer alone tells the same number of rows, a stream gives what
 * the whole does, and so do the row groups one by one.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "frame/parquet.h"
#include "tests/lib/same_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(bool ok)
{
    if (!ok)
        abort();
}

static void
write_and_read(const struct frame *f)
{
    const struct parquet_write_options o = {.codec = CODEC_SNAPPY};
    struct error err;
    char x[33], y[33];
    struct frame *got;
    struct buf b;

    buf_init(&b);
    check(parquet_format(f, &o, NULL, NULL, &b, &err));
    check(parquet_parse((struct str){b.data, b.len}, NULL, NULL, NULL, &got,
                        &err));
    check(frame_fingerprint(f, x, &err) && frame_fingerprint(got, y, &err));
    check(strcmp(x, y) == 0);
    frame_unref(got);
    buf_fini(&b);
}

static void
read_streamed(struct str bytes)
{
    struct source_options o = {.format = SOURCE_PARQUET, .csv = {.header = -1}};
    char path[40];
    int fd = same_file_of(bytes, path);

    check(fd >= 0 && same_or_both_fail(path, &o));
    close(fd);
}

/* Unsigned ints make floats where one is beyond an int, here and there. */
static bool
same_types(const struct frame *a, const struct frame *b)
{
    for (size_t i = 0; i < frame_cols(a); i++)
        if (column_type(frame_column(a, i)) != column_type(frame_column(b, i)))
            return false;
    return true;
}

static void
read_by_groups(struct str bytes, const struct parquet_info *info,
               const struct frame *want)
{
    struct parquet_options o = {.n_groups = 1, .in_batches = true};
    struct error err;
    struct frame *f;
    size_t at = 0;

    for (; o.first_group < info->n_groups; o.first_group++) {
        check(parquet_parse(bytes, &o, NULL, NULL, &f, &err));
        check(frame_cols(f) == frame_cols(want));
        check(frame_rows(f) == info->group_rows[o.first_group]);
        check(!same_types(f, want) || !same_rows(want, at, f));
        at += frame_rows(f);
        frame_unref(f);
    }
    check(at == frame_rows(want));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct str bytes = {(const char *)data, len};
    struct parquet_info info;
    struct error err;
    struct frame *f;

    if (len > 0 && codec_sniff(bytes) == CODEC_NONE)
        read_streamed(bytes);
    if (!parquet_parse(bytes, NULL, NULL, NULL, &f, &err))
        return 0;
    check(parquet_info_parse(bytes, &info, &err));
    check(info.n_rows == frame_rows(f));
    if (info.n_groups < 100)
        read_by_groups(bytes, &info, f);
    parquet_info_fini(&info);
    /* Rows that a few bytes stand for take long to write. */
    if (frame_rows(f) < 100000)
        write_and_read(f);
    frame_unref(f);
    return 0;
}
