/* fuzz_jsonl -- any bytes as JSON lines.
 *
 * Beyond not crashing: the size of the pieces that threads take changes
 * nothing, and what was read is written so that it reads back the same.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "frame/jsonl.h"
#include "tests/lib/same_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(bool ok)
{
    if (!ok)
        abort();
}

static bool
same(const struct frame *a, const struct frame *b)
{
    struct error err;
    char x[33], y[33];

    check(frame_fingerprint(a, x, &err) && frame_fingerprint(b, y, &err));
    return strcmp(x, y) == 0;
}

static void
read_in_pieces(struct str text, const struct csv_table *want)
{
    struct jsonl_options o = {.grain = 1 + text.n / 7};
    struct csv_table t;
    struct error err;

    check(jsonl_parse(text, "fuzz", &o, NULL, NULL, &t, &err));
    check(same(t.frame, want->frame) && same(t.rejects, want->rejects));
    check(t.n_rejected == want->n_rejected);
    csv_table_fini(&t);
}

/* Infinities are written as null, bad UTF-8 as U+FFFD, a name that ends in
 * blanks or is empty gets another, and a column of missing values and bad
 * rows of dates lead to other types: only rows are certain. */
static void
write_and_read(const struct frame *f)
{
    struct csv_table t;
    struct error err;
    struct buf b;

    buf_init(&b);
    frame_json_lines(f, 0, frame_rows(f), &b);
    check(jsonl_parse((struct str){b.data, b.len}, "fuzz", NULL, NULL, NULL, &t,
                      &err));
    check(t.n_rejected == 0 && frame_rows(t.frame) == frame_rows(f));
    csv_table_fini(&t);
    buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct str text = {(const char *)data, len};
    struct csv_table t;
    struct error err;

    for (enum encoding e = ENCODING_FIND; e <= ENCODING_UTF16; e++)
        check(same_bytes(text, SOURCE_JSONL, e, 1 + len / 13));
    if (!jsonl_parse(text, "fuzz", NULL, NULL, NULL, &t, &err))
        return 0;
    read_in_pieces(text, &t);
    write_and_read(t.frame);
    csv_table_fini(&t);
    return 0;
}
