/* fuzz_csv -- any bytes as delimited text.
 *
 * Beyond not crashing: the size of the pieces that threads take changes
 * nothing, the head of a text has the first rows of the whole, no row is lost
 * when a type is forced, a stream gives the same rows, and what was read is
 * written so that it reads back the same.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "frame/csv.h"
#include "tests/lib/same_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(bool ok)
{
    if (!ok)
        abort();
}

/* Types that are not asked for strictly, and the order of days and months. */
static void
stream_with_types(struct str text)
{
    static const char *const types[] = {"column_1=dmy", "column_2=int",
                                        "none=date", NULL};
    struct source_options o = {.format = SOURCE_CSV,
                               .csv = {.types = types,
                                       .types_loose = true,
                                       .grain = 1 + text.n / 5,
                                       .max_rejects = 5}};
    int fd = memfd_create("types", MFD_CLOEXEC);
    char path[40];
    struct error err = {0};
    bool same = true;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fd >= 0 && codec_sniff(text) == CODEC_NONE &&
        write(fd, text.p, text.n) == (ssize_t)text.n)
        same = !same_opened(path, &o, &err) || err.code == ERR_LIMIT;
    close(fd);
    check(same);
}

static bool
parse(struct str text, const struct csv_options *o, struct csv_table *t)
{
    struct error err;

    return csv_parse(text, "fuzz", o, NULL, NULL, t, &err);
}

static bool
same(const struct frame *a, const struct frame *b)
{
    struct error err;
    char x[33], y[33];

    check(frame_fingerprint(a, x, &err) && frame_fingerprint(b, y, &err));
    return strcmp(x, y) == 0;
}

/* A NaN is written as "nan", which is missing when read again; years beyond
 * 0..9999, which a time zone can lead to, are written and not read. */
static bool
comes_back(const struct frame *f)
{
    for (size_t j = 0; j < frame_cols(f); j++) {
        const struct column *c = frame_column(f, j);

        if (column_type(c) == COL_TIMESTAMP)
            return false;
        for (size_t i = 0; i < column_rows(c); i++)
            if (column_type(c) == COL_FLOAT64 && column_is_valid(c, i) &&
                isnan(column_float64s(c)[i]))
                return false;
    }
    return true;
}

static void
read_in_pieces(struct str text, const struct csv_table *want)
{
    struct csv_options o = {.header = -1, .grain = 1 + text.n / 7};
    struct csv_table t;

    check(parse(text, &o, &t));
    check(same(t.frame, want->frame) && same(t.rejects, want->rejects));
    check(t.n_rejected == want->n_rejected);
    csv_table_fini(&t);
}

static void
same_cells(const struct column *head, const struct column *whole)
{
    struct buf a, b;

    if (column_type(head) != column_type(whole))
        return;
    buf_init(&a);
    buf_init(&b);
    for (size_t i = 0; i < column_rows(head); i++) {
        buf_clear(&a);
        buf_clear(&b);
        check(column_is_valid(head, i) == column_is_valid(whole, i));
        column_print(head, i, &a);
        column_print(whole, i, &b);
        check(a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
    }
    buf_fini(&a);
    buf_fini(&b);
}

/* A part of a text may be taken for another table; when it is not, its rows
 * are the first ones. */
static void
read_the_head(struct str text, size_t want, const struct csv_table *whole)
{
    struct csv_table t;
    struct error err;

    if (!csv_parse_head(text, "fuzz", NULL, want, &t, &err)) {
        check(!whole || err.code == ERR_LIMIT);
        return;
    }
    check(t.n_bytes <= text.n);
    if (whole && t.delimiter == whole->delimiter && t.header == whole->header) {
        check(frame_cols(t.frame) == frame_cols(whole->frame));
        check(frame_rows(t.frame) <= frame_rows(whole->frame));
        check(t.n_rejected <= whole->n_rejected);
        for (size_t j = 0; j < frame_cols(t.frame); j++)
            same_cells(frame_column(t.frame, j), frame_column(whole->frame, j));
    }
    csv_table_fini(&t);
}

static void
read_heads(struct str text, const struct csv_table *whole)
{
    for (size_t i = 1; i < 4; i++)
        read_the_head(text, 1 + text.n * i / 4, whole);
}

static void
force_a_type(struct str text)
{
    static const char *const types[] = {"column_1=int", NULL};
    struct csv_options o = {.header = 0};
    struct csv_table t;
    size_t n;

    if (!parse(text, &o, &t))
        return;
    n = frame_rows(t.frame) + t.n_rejected;
    csv_table_fini(&t);
    o.types = types;
    check(parse(text, &o, &t));
    check(frame_rows(t.frame) + t.n_rejected == n);
    csv_table_fini(&t);
}

static void
write_and_read(const struct frame *f)
{
    struct csv_options o = {.header = 1, .delimiter = ';'};
    struct csv_table t;
    struct buf b;

    buf_init(&b);
    csv_write_rows(f, 0, frame_rows(f), true, ';', &b);
    check(parse((struct str){b.data, b.len}, &o, &t));
    check(t.n_rejected == 0 && same(t.frame, f));
    csv_table_fini(&t);
    buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct str text = {(const char *)data, len};
    struct csv_table t;

    force_a_type(text);
    stream_with_types(text);
    for (enum encoding e = ENCODING_FIND; e <= ENCODING_UTF16; e++)
        check(same_bytes(text, SOURCE_CSV, e, 1 + len / 13));
    if (!parse(text, NULL, &t)) {
        read_heads(text, NULL);
        return 0;
    }
    read_heads(text, &t);
    read_in_pieces(text, &t);
    if (comes_back(t.frame))
        write_and_read(t.frame);
    csv_table_fini(&t);
    return 0;
}
