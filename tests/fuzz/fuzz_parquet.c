/* fuzz_parquet -- any bytes as a Parquet file.
 *
 * Beyond not crashing: what was read is written so that it reads back the
 * same, and the footer alone tells the same number of rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "frame/parquet.h"

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct str bytes = {(const char *)data, len};
    struct parquet_info info;
    struct error err;
    struct frame *f;

    if (!parquet_parse(bytes, NULL, NULL, NULL, &f, &err))
        return 0;
    check(parquet_info_parse(bytes, &info, &err));
    check(info.n_rows == frame_rows(f));
    parquet_info_fini(&info);
    /* Rows that a few bytes stand for take long to write. */
    if (frame_rows(f) < 100000)
        write_and_read(f);
    frame_unref(f);
    return 0;
}
