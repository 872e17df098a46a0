/* session/listing.c -- lists of things as aligned text.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"

enum {
    GAP = 2,
    NARROWEST = 6,
    FAIR = 8,  /* of a column, before the last one is cut beyond LAST */
    LAST = 24, /* it often holds the most */
    YEAR = 5,  /* "2026-" of the TIME cells of a time */
    TIME = 16
};

struct listing {
    const char *const *titles;
    size_t n_cols;
    char **cell;
    size_t n, cap;
};

struct listing *
listing_new(const char *const *titles)
{
    struct listing *l = mem_new(sizeof *l);

    l->titles = titles;
    while (titles[l->n_cols])
        l->n_cols++;
    return l;
}

void
listing_free(struct listing *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++)
        free(l->cell[i]);
    free(l->cell);
    free(l);
}

void
listing_add(struct listing *l, const char *text)
{
    struct buf b;

    l->cell = mem_grow(l->cell, l->n, &l->cap, sizeof(char *));
    buf_init(&b);
    buf_plain(&b, text && *text ? text : "-", text && *text ? strlen(text) : 1,
              0);
    l->cell[l->n++] = buf_take(&b);
}

void
listing_addf(struct listing *l, const char *fmt, ...)
{
    struct buf b;
    va_list ap;

    buf_init(&b);
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    listing_add(l, b.data);
    buf_fini(&b);
}

static const char *
title_of(const struct listing *l, size_t col)
{
    return l->titles[col] + strspn(l->titles[col], ">@");
}

static bool
is_time(const struct listing *l, size_t col)
{
    return l->titles[col][0] == '@';
}

/* Of a time where there is no room without its year. */
static const char *
cell_of(const struct listing *l, size_t i, bool narrow)
{
    bool time = is_time(l, i % l->n_cols);

    return l->cell[i] +
           (narrow && time && strlen(l->cell[i]) == TIME ? YEAR : 0);
}

static void
put_cell(const struct listing *l, size_t col, size_t cells, const char *text,
         struct buf *out)
{
    struct str s = str_of(text);
    size_t w = str_width(s);
    bool right = l->titles[col][0] == '>';
    bool last = col + 1 == l->n_cols;

    if (w > cells) {
        buf_add(out, s.p, str_fit(s, cells - 1, &w));
        buf_puts(out, "…");
        w++;
        right = false;
    } else if (right) {
        buf_fill(out, ' ', cells - w);
        buf_add(out, s.p, s.n);
        w = cells;
    } else {
        buf_add(out, s.p, s.n);
    }
    if (!last)
        buf_fill(out, ' ', cells - w + GAP);
}

static size_t
least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t
total_width(const size_t *cells, size_t n)
{
    size_t total = 0;

    for (size_t i = 0; i < n; i++)
        total += cells[i] + (i ? GAP : 0);
    return total;
}

/* Take from a column, down to `floor` cells, what `total` has over width. */
static void
cut(size_t *cells, size_t floor, size_t width, size_t *total)
{
    size_t over = *total > width ? *total - width : 0;
    size_t can = *cells > floor ? *cells - floor : 0;

    *cells -= least(over, can);
    *total -= least(over, can);
}

/* The widest of the columns that are neither last nor times; of equal ones the
 * last. */
static size_t
widest(const struct listing *l, const size_t *cells)
{
    size_t at = l->n_cols;

    for (size_t i = 0; i + 1 < l->n_cols; i++)
        if (!is_time(l, i) && (at == l->n_cols || cells[i] >= cells[at]))
            at = i;
    return at;
}

static void
fit_widths(const struct listing *l, size_t *cells, size_t width)
{
    size_t n = l->n_cols, total = total_width(cells, n), at;

    cut(&cells[n - 1], LAST, width, &total);
    while (total > width && (at = widest(l, cells)) < n && cells[at] > FAIR) {
        cells[at]--;
        total--;
    }
    for (size_t i = n; i-- > 0;)
        cut(&cells[i], NARROWEST, width, &total);
    for (size_t i = n; i-- > 0;)
        cut(&cells[i], 1, width, &total);
}

static void
measure(const struct listing *l, bool narrow, size_t *cells)
{
    for (size_t i = 0; i < l->n_cols; i++)
        cells[i] = str_width(str_of(title_of(l, i)));
    for (size_t i = 0; i < l->n; i++) {
        size_t w = str_width(str_of(cell_of(l, i, narrow)));

        if (w > cells[i % l->n_cols])
            cells[i % l->n_cols] = w;
    }
}

/* Is there no room for times with their years, where others have a fair part? */
static bool
is_narrow(const struct listing *l, const size_t *cells, size_t width)
{
    size_t total = 0;

    for (size_t i = 0; i < l->n_cols; i++)
        total += (i ? GAP : 0) +
                 (is_time(l, i)
                      ? cells[i]
                      : least(cells[i], i + 1 < l->n_cols ? 2 * FAIR : LAST));
    return width && total > width;
}

void
listing_print(const struct listing *l, size_t width, struct buf *out)
{
    size_t *cells = mem_new((l->n_cols + 1) * sizeof *cells);
    bool narrow;

    measure(l, false, cells);
    narrow = is_narrow(l, cells, width);
    if (narrow)
        measure(l, true, cells);
    if (width)
        fit_widths(l, cells, width);
    for (size_t i = 0; i < l->n_cols; i++)
        put_cell(l, i, cells[i], title_of(l, i), out);
    buf_putc(out, '\n');
    for (size_t i = 0; i < l->n; i++) {
        put_cell(l, i % l->n_cols, cells[i % l->n_cols], cell_of(l, i, narrow),
                 out);
        if (i % l->n_cols + 1 == l->n_cols)
            buf_putc(out, '\n');
    }
    free(cells);
}

void
listing_time(int64_t ms, char out[LISTING_WORD])
{
    time_t t = (time_t)(ms / 1000);
    struct tm tm;

    out[0] = '\0';
    if (ms && localtime_r(&t, &tm))
        strftime(out, LISTING_WORD, "%Y-%m-%d %H:%M", &tm);
}

void
listing_duration(int64_t ms, char out[LISTING_WORD])
{
    long long s = (ms + 500) / 1000;

    if (ms < 1000)
        snprintf(out, LISTING_WORD, "%lld ms", (long long)ms);
    else if (ms < 60000)
        snprintf(out, LISTING_WORD, "%.1f s", (double)ms / 1000);
    else if (s < 3600)
        snprintf(out, LISTING_WORD, "%lld min %lld s", s / 60, s % 60);
    else
        snprintf(out, LISTING_WORD, "%lld h %lld min", s / 3600, s / 60 % 60);
}

void
listing_bytes(uint64_t n, char out[LISTING_WORD])
{
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double x = (double)n;
    size_t i = 0;

    while (x >= 1024 && i < 4) {
        x /= 1024;
        i++;
    }
    snprintf(out, LISTING_WORD, i ? "%.1f %s" : "%.0f %s", x, unit[i]);
}
