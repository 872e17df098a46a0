/* fuzz_arrow -- any bytes as an Arrow file or stream.
 *
 * Beyond not crashing: every value of what was read can be printed, what is
 * written from it reads back the same, and a stream gives what the whole
 * does, from the file and from what was written, in batches of few rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frame/arrow.h"
#include "tests/lib/same_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { ROWS_MAX = 1 << 16 };

static void
check(bool ok)
{
    if (!ok)
        abort();
}

static void
look_at_all(const struct frame *f)
{
    struct buf b;

    buf_init(&b);
    for (size_t k = 0; k < frame_cols(f); k++)
        for (size_t i = 0; i < frame_rows(f); i++) {
            buf_clear(&b);
            column_print(frame_column(f, k), i, &b);
        }
    buf_fini(&b);
}

/* A name with blanks around it is trimmed, but all else stays. */
static bool
has_plain_names(const struct frame *f)
{
    for (size_t k = 0; k < frame_cols(f); k++) {
        struct str s = str_of(frame_name(f, k));

        if (str_trim(s).n != s.n)
            return false;
    }
    return true;
}

static void
write_and_read(const struct frame *f)
{
    char path[] = "/tmp/lathe-fuzz.XXXXXX", x[33], y[33];
    int fd = mkstemp(path);
    struct error err;
    struct frame *g;

    check(fd >= 0);
    close(fd);
    check(arrow_write(f, path, NULL, &err));
    check(arrow_read(path, NULL, NULL, &g, &err));
    unlink(path);
    check(frame_fingerprint(f, x, &err) && frame_fingerprint(g, y, &err));
    check(strcmp(x, y) == 0);
    frame_unref(g);
}

static void
write_in_batches(const struct frame *f, bool stream)
{
    struct arrow_options o = {.stream = stream,
                              .batch_rows = 1 + frame_rows(f) / 3};
    char path[] = "/tmp/lathe-fuzz.XXXXXX";
    struct source_options as = {.format = SOURCE_ARROW};
    int fd = mkstemp(path);
    struct error err;

    check(fd >= 0);
    close(fd);
    check(arrow_write(f, path, &o, &err));
    check(same_or_both_fail(path, &as));
    unlink(path);
}

static void
read_streamed(struct str bytes)
{
    struct source_options o = {.format = SOURCE_ARROW, .csv = {.header = -1}};
    char path[40];
    int fd = same_file_of(bytes, path);

    check(fd >= 0 && same_or_both_fail(path, &o));
    close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct str bytes = {(const char *)data, len};
    struct error err;
    struct frame *f;

    if (len > 0 && codec_sniff(bytes) == CODEC_NONE)
        read_streamed(bytes);
    if (!arrow_parse(bytes, "fuzz", NULL, NULL, &f, &err))
        return 0;
    if (frame_rows(f) <= ROWS_MAX) {
        look_at_all(f);
        if (has_plain_names(f))
            write_and_read(f);
        if (has_plain_names(f) && frame_cols(f) > 0) {
            write_in_batches(f, true);
            write_in_batches(f, false);
        }
    }
    frame_unref(f);
    return 0;
}
