/* session/chart.c -- the display list, and the rasteriser that turns it into
 * cells.
 *
 * A cell shows one thing: text before axis before series before grid.  Axes
 * are drawn with box characters, because margins land on whole cells.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { CHART_MAX_POINTS = 1 << 20 };

void
chart_init(struct chart_list *l, int columns, int rows, int sub)
{
    *l = (struct chart_list){.columns = columns, .rows = rows, .sub = sub};
    buf_init(&l->text);
}

void
chart_fini(struct chart_list *l)
{
    free(l->item);
    free(l->xy);
    buf_fini(&l->text);
}

static void
grow(struct chart_list *l, void **p, size_t n, size_t *cap, size_t size)
{
    struct error err;
    void *q = NULL;

    if (l->failed)
        return;
    if (n < CHART_MAX_POINTS)
        q = mem_try_grow(*p, n, cap, size, &err);
    if (q)
        *p = q;
    l->failed = !q;
}

void
chart_begin(struct chart_list *l, enum chart_kind kind, int ink)
{
    void *p = l->item;

    grow(l, &p, l->n_items, &l->cap_items, sizeof *l->item);
    l->item = p;
    if (!l->failed)
        l->item[l->n_items++] =
            (struct chart_item){.kind = kind, .ink = ink, .first = l->n_points};
}

void
chart_point(struct chart_list *l, int32_t x, int32_t y)
{
    void *p = l->xy;

    grow(l, &p, l->n_points, &l->cap_points, 2 * sizeof *l->xy);
    l->xy = p;
    if (l->failed)
        return;
    l->xy[2 * l->n_points] = x;
    l->xy[2 * l->n_points + 1] = y;
    l->n_points++;
    l->item[l->n_items - 1].n++;
}

void
chart_text(struct chart_list *l, int32_t x, int32_t y, enum chart_just just,
           struct str text)
{
    chart_begin(l, CHART_TEXT, INK_TEXT);
    chart_point(l, x, y);
    if (l->failed)
        return;
    l->item[l->n_items - 1].text = l->text.len;
    l->item[l->n_items - 1].text_len = text.n;
    l->item[l->n_items - 1].just = just;
    buf_add(&l->text, text.p, text.n);
}

/* ---- rasteriser ---- */

enum { ARM_LEFT = 1, ARM_RIGHT = 2, ARM_UP = 4, ARM_DOWN = 8 };

struct raster {
    int width, height;        /* cells */
    uint8_t *dots;            /* braille bits of each cell */
    uint8_t *arms;            /* axis: box arms of each cell */
    uint8_t *grid;            /* a grid line passes */
    int *ink;                 /* of the dots */
    int end_x[16], end_y[16]; /* cell of the last point of series 1.. */
};

/* Bit of a dot, column by row: the order of the braille code points. */
static const uint8_t braille_bit[2][4] = {{0x01, 0x02, 0x04, 0x40},
                                          {0x08, 0x10, 0x20, 0x80}};

static void
put_dot(struct raster *r, int x, int y, int ink)
{
    int cx = x >> 1, cy = y >> 2;
    size_t at;

    if (x < 0 || y < 0 || cx >= r->width || cy >= r->height)
        return;
    at = (size_t)cy * (size_t)r->width + (size_t)cx;
    if (ink == INK_GRID) {
        r->grid[at] = 1;
        return;
    }
    r->dots[at] |= braille_bit[x & 1][y & 3];
    r->ink[at] = ink;
    if (ink >= 1 && ink < 16) {
        r->end_x[ink] = cx;
        r->end_y[ink] = cy;
    }
}

static void
put_line(struct raster *r, int x0, int y0, int x1, int y1, int ink)
{
    int dx = abs(x1 - x0), dy = -abs(y1 - y0);
    int sx = x0 < x1 ? 1 : -1, sy = y0 < y1 ? 1 : -1;
    int e = dx + dy;

    for (;;) {
        put_dot(r, x0, y0, ink);
        if (x0 == x1 && y0 == y1)
            return;
        if (2 * e >= dy) {
            e += dy;
            x0 += sx;
        } else {
            e += dx;
            y0 += sy;
        }
    }
}

static int
clamp(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

/* A horizontal or vertical axis as box arms; slanted ones do not occur. */
static void
put_axis(struct raster *r, int x0, int y0, int x1, int y1)
{
    int c0 = clamp((x0 < x1 ? x0 : x1) >> 1, 0, r->width - 1);
    int c1 = clamp((x0 < x1 ? x1 : x0) >> 1, 0, r->width - 1);
    int r0 = clamp((y0 < y1 ? y0 : y1) >> 2, 0, r->height - 1);
    int r1 = clamp((y0 < y1 ? y1 : y0) >> 2, 0, r->height - 1);

    for (int y = r0; y <= r1; y++)
        for (int x = c0; x <= c1; x++) {
            size_t at = (size_t)y * (size_t)r->width + (size_t)x;

            r->arms[at] |=
                (uint8_t)((x > c0 ? ARM_LEFT : 0) | (x < c1 ? ARM_RIGHT : 0) |
                          (y > r0 ? ARM_UP : 0) | (y < r1 ? ARM_DOWN : 0));
        }
}

static void
draw_line(struct raster *r, const struct chart_list *l,
          const struct chart_item *it)
{
    const int32_t *p = l->xy + 2 * it->first;
    int top = l->rows * 4 - 1;

    for (size_t i = 0; i < it->n; i++) {
        size_t j = i > 0 ? i - 1 : 0;
        int x0 = p[2 * j] / l->sub, y0 = top - p[2 * j + 1] / l->sub;
        int x1 = p[2 * i] / l->sub, y1 = top - p[2 * i + 1] / l->sub;

        if (i == 0 && it->n > 1)
            continue;
        if (it->ink == INK_AXIS)
            put_axis(r, x0, y0, x1, y1);
        else
            put_line(r, x0, y0, x1, y1, it->ink);
    }
}

/* Line drawing is bounded by the coordinates: refuse what is far outside. */
static bool
inside(const struct chart_list *l)
{
    int64_t limit = 4 * (int64_t)l->sub * (l->columns + l->rows) * 4;

    for (size_t i = 0; i < 2 * l->n_points; i++)
        if (l->xy[i] > limit || l->xy[i] < -limit)
            return false;
    return true;
}

/* The ends of the axes have a tick at most: there is no upper right corner. */
static uint32_t
axis_glyph(uint8_t arms, bool below, enum plot_glyphs glyphs)
{
    static const uint32_t box[16] = {
        0x2500, 0x2500, 0x2500, 0x2500, 0x2502, 0x2518, 0x2514, 0x2534,
        0x2502, 0x2524, 0x250c, 0x252c, 0x2502, 0x2524, 0x251c, 0x253c};

    if (glyphs != PLOT_ASCII)
        return below && arms == (ARM_LEFT | ARM_DOWN) ? 0x252c : box[arms];
    if ((arms & (ARM_LEFT | ARM_RIGHT)) && (arms & (ARM_UP | ARM_DOWN)))
        return '+';
    return arms & (ARM_UP | ARM_DOWN) ? '|' : '-';
}

static uint32_t
dots_glyph(uint8_t dots, int ink, enum plot_glyphs glyphs)
{
    static const char marks[] = "*+ox#@%&";
    bool upper = dots & 0x1b; /* the two upper rows of dots */
    bool lower = dots & 0xe4;

    if (glyphs == PLOT_BRAILLE)
        return 0x2800u + dots;
    if (glyphs == PLOT_BLOCK)
        return upper && lower ? 0x2588 : upper ? 0x2580 : 0x2584;
    return (uint32_t)marks[(ink > 0 ? ink - 1 : 0) % 8];
}

static void
fill_cells(const struct raster *r, enum plot_glyphs glyphs,
           struct plot_image *out)
{
    for (size_t i = 0; i < (size_t)r->width * (size_t)r->height; i++) {
        struct plot_cell *c = &out->cell[i];

        if (r->arms[i])
            *c = (struct plot_cell){
                axis_glyph(r->arms[i], (int)i >= (r->height - 2) * r->width,
                           glyphs),
                INK_AXIS};
        else if (r->dots[i])
            *c = (struct plot_cell){dots_glyph(r->dots[i], r->ink[i], glyphs),
                                    r->ink[i]};
        else if (r->grid[i])
            *c = (struct plot_cell){glyphs == PLOT_ASCII ? '.' : 0x2508,
                                    INK_GRID};
    }
}

/* A dot alone is hardly seen; letters of ASCII are. */
static void
fill_points(const struct raster *r, const struct plot_spec *spec,
            struct plot_image *out)
{
    for (size_t i = 0; i < spec->n_series; i++) {
        const struct plot_series *s = &spec->series[i];
        int ink = s->ink & 15;

        if (spec->glyphs != PLOT_ASCII && r->end_x[ink] >= 0 &&
            chart_is_point(spec, s))
            out->cell[(size_t)r->end_y[ink] * (size_t)r->width +
                      (size_t)r->end_x[ink]] =
                (struct plot_cell){0x25cf, s->ink};
    }
}

static void
put_text(struct plot_image *out, int x, int y, int ink, struct str s)
{
    for (size_t at = 0; at < s.n;) {
        uint32_t cp = (uint32_t)str_next(s, &at);

        if (x >= 0 && x < out->width && y >= 0 && y < out->height)
            out->cell[(size_t)y * (size_t)out->width + (size_t)x] =
                (struct plot_cell){cp, ink};
        x += str_cp_width(cp);
    }
}

static void
draw_text(const struct chart_list *l, const struct chart_item *it,
          struct plot_image *out)
{
    struct str s = {l->text.data + it->text, it->text_len};
    int x = l->xy[2 * it->first] / (2 * l->sub);
    int y = l->rows - 1 - l->xy[2 * it->first + 1] / (4 * l->sub);
    int w = (int)str_width(s);

    if (it->just == CHART_RIGHT)
        x -= w;
    else if (it->just == CHART_CENTRE)
        x -= w / 2;
    put_text(out, clamp(x, 0, out->width - w), y, INK_TEXT, s);
}

static bool
row_is_free(const struct plot_image *out, int x, int y, int w)
{
    if (y < 0 || y >= out->height)
        return false;
    for (int i = x; i < x + w && i < out->width; i++) {
        const struct plot_cell *c = plot_image_at(out, i, y);

        if (c->cp && c->ink != INK_GRID)
            return false;
    }
    return true;
}

/* Each line ends with its label; two that end together stand in the order of
 * their ends. */
static void
draw_labels(const struct raster *r, const struct plot_spec *spec,
            struct plot_image *out)
{
    const struct plot_series *order[CHART_MAX_SERIES];
    size_t n = chart_order_of_ends(spec, order);

    for (size_t i = 0; i < n; i++) {
        struct str label = str_of(order[i]->label);
        int w = (int)str_width(label), ink = order[i]->ink & 15;
        int x = clamp(r->end_x[ink] + 2, 0, out->width - w);
        int y = r->end_y[ink];

        if (r->end_x[ink] < 0)
            continue;
        /* The one below wants this row, too: it is nearer to it. */
        if (i + 1 < n && r->end_y[order[i + 1]->ink & 15] == y &&
            row_is_free(out, x, y - 1, w))
            y--;
        for (int step = 0; step < out->height; step++) {
            int row = y + (step % 2 ? (step + 1) / 2 : -(step / 2));

            if (row_is_free(out, x, row, w)) {
                put_text(out, x, row, order[i]->ink, label);
                break;
            }
        }
    }
}

static bool
raster_init(struct raster *r, const struct chart_list *l, struct error *err)
{
    size_t n = (size_t)l->columns * (size_t)l->rows;

    *r = (struct raster){.width = l->columns, .height = l->rows};
    r->dots = mem_try_array(n, 1, err);
    r->arms = mem_try_array(n, 1, err);
    r->grid = mem_try_array(n, 1, err);
    r->ink = mem_try_array(n, sizeof *r->ink, err);
    for (int i = 0; i < 16; i++)
        r->end_x[i] = -1;
    return r->dots && r->arms && r->grid && r->ink;
}

static char
mark_of(const struct plot_spec *spec, int ink)
{
    for (size_t i = 0; i < spec->n_series; i++)
        if (spec->series[i].ink == ink && spec->series[i].dots)
            return spec->series[i].mark;
    return 0;
}

/* Letters in the place of dots. */
static void
draw_marks(const struct chart_list *l, const struct plot_spec *spec,
           struct plot_image *out)
{
    for (size_t i = 0; i < l->n_items; i++) {
        const struct chart_item *it = &l->item[i];
        const int32_t *p = l->xy + 2 * it->first;
        int x, y;
        char mark;

        if (it->kind != CHART_POINT || it->n == 0 ||
            !(mark = mark_of(spec, it->ink)))
            continue;
        x = p[0] / l->sub / 2;
        y = (l->rows * 4 - 1 - p[1] / l->sub) / 4;
        put_text(out, x, y, it->ink, (struct str){&mark, 1});
    }
}

bool
chart_raster(const struct chart_list *l, const struct plot_spec *spec,
             struct plot_image *out, struct error *err)
{
    struct raster r;
    bool ok = false;

    *out = (struct plot_image){0};
    if (l->failed)
        return error_set(err, ERR_NOMEM, "no memory for the chart");
    if (!inside(l))
        return error_set(err, ERR_PARSE, "a point far outside the chart");
    out->width = l->columns;
    out->height = l->rows;
    if (!raster_init(&r, l, err) ||
        !(out->cell = mem_try_array((size_t)l->columns * (size_t)l->rows,
                                    sizeof *out->cell, err)))
        goto out;
    for (size_t i = 0; i < l->n_items; i++)
        if (l->item[i].kind == CHART_LINE && l->item[i].n > 0)
            draw_line(&r, l, &l->item[i]);
        else if (l->item[i].kind == CHART_POINT && l->item[i].n > 0)
            draw_line(&r, l, &l->item[i]);
    fill_cells(&r, spec->glyphs, out);
    fill_points(&r, spec, out);
    for (size_t i = 0; i < l->n_items; i++)
        if (l->item[i].kind == CHART_TEXT && l->item[i].n > 0)
            draw_text(l, &l->item[i], out);
    draw_marks(l, spec, out);
    draw_labels(&r, spec, out);
    ok = true;
out:
    free(r.dots);
    free(r.arms);
    free(r.grid);
    free(r.ink);
    return ok;
}

/* ---- what the gnuplot driver writes ---- */

static bool
next_int(struct str *s, int32_t *out)
{
    int64_t v;
    size_t n = 0;

    while (s->n > 0 && s->p[0] == ' ') {
        s->p++;
        s->n--;
    }
    while (n < s->n && s->p[n] != ' ')
        n++;
    if (!str_to_i64((struct str){s->p, n}, &v) || v > INT32_MAX / 2 ||
        v < INT32_MIN / 2)
        return false;
    s->p += n;
    s->n -= n;
    *out = (int32_t)v;
    return true;
}

static struct str
next_word(struct str *s)
{
    struct str word = str_trim(*s);
    size_t n = 0;

    while (n < word.n && word.p[n] != ' ')
        n++;
    *s = (struct str){word.p + n, word.n - n};
    word.n = n;
    return word;
}

static bool
parse_text(struct chart_list *l, struct str rest)
{
    enum chart_just just;
    int32_t x, y;
    struct str word;

    if (!next_int(&rest, &x) || !next_int(&rest, &y))
        return false;
    word = next_word(&rest);
    just = str_eq_nocase(word, STR("right"))    ? CHART_RIGHT
           : str_eq_nocase(word, STR("center")) ? CHART_CENTRE
                                                : CHART_LEFT;
    chart_text(l, x, y, just, str_trim(rest));
    return true;
}

static bool
parse_points(struct chart_list *l, struct str rest, int ink, size_t max)
{
    int32_t x, y;

    chart_begin(l, max == 1 ? CHART_POINT : CHART_LINE, ink);
    for (size_t i = 0; i < max && str_trim(rest).n > 0; i++) {
        if (!next_int(&rest, &x) || !next_int(&rest, &y))
            return false;
        chart_point(l, x, y);
    }
    return true;
}

static int
colour_ink(struct str hex)
{
    int ink = 0;

    for (size_t i = 0; i < hex.n && i < 6; i++) {
        char c = hex.p[i];

        ink = ink * 16 + (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return ink >= 1 && ink < 16 ? ink : INK_TEXT;
}

static bool
parse_record(struct chart_list *l, struct str line, int *ink)
{
    struct str rest = {line.p + 1, line.n - 1};
    int32_t kind;

    switch (line.p[0]) {
    case 'L':
        if (!next_int(&rest, &kind))
            return false;
        *ink = kind == -2 ? INK_AXIS : kind == -1 ? INK_GRID : INK_TEXT;
        return true;
    case 'C':
        *ink = colour_ink(str_trim(rest));
        return true;
    case 'P':
    case 'F':
        return parse_points(l, rest, *ink, CHART_MAX_POINTS);
    case 'M':
        return parse_points(l, rest, *ink, 1);
    case 'T':
        return parse_text(l, rest);
    default:
        return false;
    }
}

bool
chart_parse(struct str text, struct chart_list *l, struct error *err)
{
    int ink = INK_TEXT;
    bool begun = false;

    while (text.n > 0) {
        const char *nl = memchr(text.p, '\n', text.n);
        struct str line = {text.p, nl ? (size_t)(nl - text.p) : text.n};
        struct str rest;

        text.p += line.n + (nl ? 1 : 0);
        text.n -= line.n + (nl ? 1 : 0);
        if (str_starts(line, "BEGIN ")) {
            rest = (struct str){line.p + 6, line.n - 6};
            if (!next_int(&rest, &l->columns) || !next_int(&rest, &l->rows) ||
                !next_int(&rest, &l->sub) || l->columns < 1 || l->rows < 1 ||
                l->columns > 2000 || l->rows > 2000 || l->sub < 1)
                return error_set(err, ERR_PARSE, "a chart of no size");
            begun = true;
        } else if (str_is(line, "END")) {
            return begun || error_set(err, ERR_PARSE, "END without BEGIN");
        } else if (begun && line.n > 0 && !parse_record(l, line, &ink)) {
            return error_set(err, ERR_PARSE, "not a chart record: %.*s",
                             (int)(line.n < 60 ? line.n : 60), line.p);
        }
    }
    return error_set(err, ERR_PARSE, "the chart has no end");
}

/* ---- images ---- */

void
plot_image_fini(struct plot_image *im)
{
    free(im->cell);
    *im = (struct plot_image){0};
}

void
plot_image_copy(struct plot_image *to, const struct plot_image *im)
{
    size_t bytes = (size_t)im->width * (size_t)im->height * sizeof *im->cell;

    plot_image_fini(to);
    *to = *im;
    to->cell = mem_new(bytes);
    memcpy(to->cell, im->cell, bytes);
}

const struct plot_cell *
plot_image_at(const struct plot_image *im, int x, int y)
{
    return &im->cell[(size_t)y * (size_t)im->width + (size_t)x];
}

void
plot_image_text(const struct plot_image *im, struct buf *out)
{
    for (int y = 0; y < im->height; y++) {
        size_t end = out->len;

        for (int x = 0; x < im->width; x++) {
            const struct plot_cell *c = plot_image_at(im, x, y);
            char utf8[4];

            buf_add(out, utf8, str_put_utf8(c->cp ? c->cp : ' ', utf8));
            if (c->cp)
                end = out->len;
            if (c->cp && str_cp_width(c->cp) == 2)
                x++;
        }
        if (!out->failed && out->len > end) {
            out->len = end;
            out->data[end] = '\0';
        }
        buf_putc(out, '\n');
    }
}

bool
plot_draw(const struct plot_spec *spec, struct plot_image *out,
          struct error *err)
{
    struct chart_list l;
    bool ok;

    *out = (struct plot_image){0};
    chart_init(&l, spec->width, spec->height, 1);
    ok = chart_layout(spec, &l, err) && chart_raster(&l, spec, out, err);
    if (!ok)
        plot_image_fini(out);
    chart_fini(&l);
    return ok;
}
