/* frame/csv_write.c -- a frame to delimited text.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <assert.h>
#include <string.h>

#include "frame/csv.h"
#include "frame/csv_value.h"
#include "frame/sink_text.h"

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Would these bytes, unquoted, be read back as something else? */
static bool
must_quote(struct str s, char delimiter, const struct csv_nulls *nulls)
{
    if (s.n == 0 || is_blank(s.p[0]) || is_blank(s.p[s.n - 1]) ||
        str_starts(s, "\xef\xbb\xbf") ||
        csv_cell_is_null((struct csv_cell){s, false}, nulls))
        return true;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == delimiter || s.p[i] == '"' || s.p[i] == '\n' ||
            s.p[i] == '\r')
            return true;
    return false;
}

static void
put_text(struct str s, char delimiter, const struct csv_nulls *nulls,
         struct buf *out)
{
    const char *q;

    if (!must_quote(s, delimiter, nulls)) {
        buf_add(out, s.p, s.n);
        return;
    }
    buf_putc(out, '"');
    while (s.n > 0 && (q = memchr(s.p, '"', s.n))) {
        size_t n = (size_t)(q - s.p) + 1;

        buf_add(out, s.p, n);
        buf_putc(out, '"');
        s.p += n;
        s.n -= n;
    }
    buf_add(out, s.p, s.n);
    buf_putc(out, '"');
}

void
csv_put_text(struct str s, char delimiter, struct buf *out)
{
    struct csv_nulls nulls;

    csv_nulls_init(&nulls, NULL);
    put_text(s, delimiter, &nulls, out);
}

/* "3" would come back as an int. */
static void
put_float(double x, struct buf *out)
{
    char text[STR_F64_MAX];
    size_t n = str_from_f64(x, text);

    buf_add(out, text, n);
    if (strspn(text, "-0123456789") == n)
        buf_puts(out, ".0");
}

static void
put_value(const struct frame *f, size_t col, size_t row, char delimiter,
          const struct csv_nulls *nulls, struct buf *out)
{
    const struct column *c = frame_column(f, col);

    if (!column_is_valid(c, row)) {
        if (frame_cols(f) == 1)
            buf_puts(out, "NA"); /* a blank line would be skipped */
    } else if (column_type(c) == COL_TEXT) {
        put_text(column_text(c, row), delimiter, nulls, out);
    } else if (column_type(c) == COL_FLOAT64) {
        put_float(column_float64s(c)[row], out);
    } else {
        column_print(c, row, out);
    }
}

void
csv_write_rows(const struct frame *f, size_t begin, size_t end, bool header,
               char delimiter, struct buf *out)
{
    struct csv_nulls nulls;

    assert(begin <= end && end <= frame_rows(f));
    csv_nulls_init(&nulls, NULL);
    for (size_t j = 0; header && j < frame_cols(f); j++) {
        if (j > 0)
            buf_putc(out, delimiter);
        put_text(str_of(frame_name(f, j)), delimiter, &nulls, out);
    }
    if (header)
        buf_putc(out, '\n');
    for (size_t i = begin; i < end && !out->failed; i++) {
        for (size_t j = 0; j < frame_cols(f); j++) {
            if (j > 0)
                buf_putc(out, delimiter);
            put_value(f, j, i, delimiter, &nulls, out);
        }
        buf_putc(out, '\n');
    }
}

bool
csv_write(const struct frame *f, const char *path, char delimiter,
          struct error *err)
{
    struct sink_text_options o = {.delimiter = delimiter};
    struct sink_text *t;
    struct sink_bytes out;
    bool ok;

    if (!sink_bytes_open(&out, path, err))
        return false;
    t = sink_text_begin(&out, f, &o, NULL, err);
    ok = (t && sink_text_put(t, f, err) && sink_text_end(t, err)) ||
         error_prefix(err, "%s: ", path);
    sink_text_free(t);
    if (ok)
        return sink_bytes_commit(&out, 0666, err);
    sink_bytes_drop(&out);
    return false;
}
