/* fuzz_arrow -- any bytes as an Arrow file or stream.
 *
 * Beyond not crashing: every value of what was read can be printed, and what
 * is written from it reads back the same.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frame/arrow.h"

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct error err;
    struct frame *f;

    if (!arrow_parse((struct str){(const char *)data, len}, "fuzz", NULL, NULL,
                     &f, &err))
        return 0;
    if (frame_rows(f) <= ROWS_MAX) {
        look_at_all(f);
        if (has_plain_names(f))
            write_and_read(f);
    }
    frame_unref(f);
    return 0;
}
