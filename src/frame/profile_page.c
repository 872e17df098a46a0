/* Cells, numbers, bars and lines of a page.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/profile_page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- cells ----------------------------------------------------------- */

struct str
page_clean(const char *s, size_t n, struct buf *scratch)
{
    buf_clear(scratch);
    buf_plain(scratch, s, n, 0);
    return (struct str){scratch->data, scratch->len};
}

/* s in exactly `cells` cells; ".." or an ellipsis where it is cut. */
void
page_cell(struct page *t, struct str s, size_t cells, bool right)
{
    const char *dots = t->utf8 ? "\xe2\x80\xa6" : "..";
    size_t dots_width = t->utf8 ? 1 : 2, w = str_width(s);

    if (w > cells) {
        size_t room = cells > dots_width ? cells - dots_width : cells;

        s.n = str_fit(s, room, &w);
        buf_add(t->out, s.p, s.n);
        if (room < cells) {
            buf_puts(t->out, dots);
            w += dots_width;
        }
        buf_fill(t->out, ' ', cells - w);
        return;
    }
    if (right)
        buf_fill(t->out, ' ', cells - w);
    buf_add(t->out, s.p, s.n);
    if (!right)
        buf_fill(t->out, ' ', cells - w);
}

void
page_dirty(struct page *t, const char *s, size_t cells)
{
    struct buf scratch;

    buf_init(&scratch);
    page_cell(t, page_clean(s, str_of(s).n, &scratch), cells, false);
    t->out->failed |= scratch.failed;
    buf_fini(&scratch);
}

void
page_end_line(struct buf *out)
{
    while (out->len > 0 && out->data[out->len - 1] == ' ')
        out->data[--out->len] = 0;
    buf_putc(out, '\n');
}

static void
put_count(struct buf *out, size_t n)
{
    char text[STR_F64_MAX];

    buf_add(out, text, str_from_count(n, text));
}

void
page_plural(struct buf *out, size_t n, const char *one)
{
    put_count(out, n);
    buf_printf(out, " %s%s", one, n == 1 ? "" : "s");
}

/* ---- numbers --------------------------------------------------------- */

/* Without the zeros that say nothing: "0.50" is "0.5". */
static size_t
trim_zeros(char *s, size_t n)
{
    if (!memchr(s, '.', n) || memchr(s, 'e', n))
        return n;
    while (s[n - 1] == '0')
        n--;
    return s[n - 1] == '.' ? n - 1 : n;
}

size_t
page_number_text(double x, enum col_type type, char out[48])
{
    double size = fabs(x);
    int digits = size >= 1 ? (int)floor(log10(size)) + 1 : 1;
    int decimals = digits < 5 ? 5 - digits : 0; /* of what has no commas */
    size_t n = 0;

    if (isnan(x))
        return (size_t)snprintf(out, 48, "-");
    if (type == COL_DATE || type == COL_TIMESTAMP) {
        double days = floor(type == COL_DATE ? x : x / 86400);

        if (fabs(days) > INT32_MAX)
            return (size_t)snprintf(out, 48, "-");
        return str_from_date((int32_t)days, out);
    }
    if (size >= 1e7 || (size > 0 && size < 1e-3))
        return (size_t)snprintf(out, 48, "%.2e", x);
    if (x < 0)
        out[n++] = '-';
    /* Four digits stay together: they are often years. */
    if (size >= 9999.95) {
        n += str_from_count((uint64_t)rint(size), out + n);
        return n;
    }
    n += (size_t)snprintf(out + n, 40, "%.*f", decimals, size);
    return trim_zeros(out, n);
}

size_t
page_distinct_text(const struct profile_column *c, char out[48])
{
    static const struct {
        double size;
        const char *unit;
    } units[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}};
    const char *about = c->estimated & ESTIMATE_DISTINCT ? "~" : "";
    double x = (double)c->n_distinct;
    size_t i = 0;

    if (!*about && c->n_distinct < 100000000)
        return str_from_count(c->n_distinct, out);
    while (units[i].size > 1 && x < units[i].size)
        i++;
    x /= units[i].size;
    return (size_t)snprintf(out, 48, "%s%.*f%s", about, x < 100 ? 1 : 0, x,
                            units[i].unit);
}

void
page_number(struct page *t, double x, enum col_type type, size_t cells)
{
    char text[48];

    page_cell(t, (struct str){text, page_number_text(x, type, text)}, cells,
              true);
}

const char *
page_share_text(size_t part, size_t whole, char out[32])
{
    double share = whole ? 100 * (double)part / (double)whole : 0;

    if (part > 0 && share < 0.1)
        snprintf(out, 32, "<0.1%%");
    else
        snprintf(out, 32, "%.1f%%", share);
    return out;
}

void
page_share(struct page *t, size_t part, size_t whole, size_t cells)
{
    char text[32];

    page_cell(t, part ? str_of(page_share_text(part, whole, text)) : STR("-"),
              cells, true);
}

/* ---- shapes ---------------------------------------------------------- */

static void
put_bar(struct buf *out, double share, bool utf8)
{
    static const char ascii[] = " .:-=+*#@";
    char block[4];
    int level = share > 0 ? (int)ceil(share * 8) : 0;

    if (level > 8)
        level = 8;
    if (!utf8 || level == 0)
        buf_putc(out, ascii[level]);
    else
        buf_add(out, block, str_put_utf8(0x2580 + (uint32_t)level, block));
}

/* Rows in cell `i` of `cells`: bins count by the part that lies in it. */
static double
cell_count(const struct profile_column *c, size_t i, size_t cells)
{
    double step = (double)c->n_bins / (double)cells;
    double begin = (double)i * step, end = begin + step, sum = 0;

    for (size_t b = (size_t)begin; b < c->n_bins && (double)b < end; b++) {
        double low = begin > (double)b ? begin : (double)b;
        double high = end < (double)b + 1 ? end : (double)b + 1;

        sum += (double)c->histogram[b] * (high - low);
    }
    return sum;
}

void
profile_sparkline(const struct profile_column *c, size_t cells, bool utf8,
                  struct buf *out)
{
    size_t n = c->numeric ? c->n_bins : c->n_top;
    double most = 0;

    if (n < cells)
        cells = n;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < cells; i++) {
            double x =
                c->numeric ? cell_count(c, i, cells) : (double)c->top[i].count;

            if (pass)
                put_bar(out, x / most, utf8);
            else if (x > most)
                most = x;
        }
}

/* A horizontal bar of `cells` cells, filled by share. */
void
page_meter(struct page *t, double share, size_t cells)
{
    size_t n = (size_t)rint(share * (double)cells);

    for (size_t i = 0; i < n && i < cells; i++)
        buf_puts(t->out, t->utf8 ? "\xe2\x96\x87" : "#");
}

/* ---- lines ---------------------------------------------------------- */

/* Bytes of s that go on a line: as many words as fit, one at least. */
static size_t
line_length(struct str s, size_t cells)
{
    size_t n = str_fit(s, cells, NULL), at = n;

    if (n == s.n || n == 0)
        return s.n;
    while (at > 0 && s.p[at] != ' ')
        at--;
    return at > 0 ? at : n;
}

/* s over as many lines of `cells` cells as it takes, from the second on behind
 * `indent` blanks. */
void
page_wrapped(struct page *t, struct str s, size_t cells, size_t indent)
{
    for (bool goes_on = false; s.n > 0; goes_on = true) {
        size_t n = line_length(s, cells);

        if (goes_on)
            buf_fill(t->out, ' ', indent);
        buf_add(t->out, s.p, n);
        page_end_line(t->out);
        s = str_trim((struct str){s.p + n, s.n - n});
    }
}

const char *
page_mark(enum alert_level level, bool utf8)
{
    static const char *const marks[][2] = {
        [ALERT_NOTE] = {".", "\xc2\xb7"},
        [ALERT_WARN] = {"!", "!"},
        [ALERT_BAD] = {"x", "\xe2\x9c\x97"},
    };

    return marks[level][utf8];
}
