/* ui/draw.c -- cells, clipping, text, boxes, bars, sparklines, braille.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/draw.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct glyph blank = {{' ', 0, 0}, ROLE_TEXT, ROLE_TEXT, 0, 1};

static size_t
grid_cells(int w, int h)
{
    return (size_t)(w > 0 ? w : 1) * (size_t)(h > 0 ? h : 1);
}

struct grid *
grid_new(int w, int h)
{
    struct grid *g = mem_new(sizeof *g);

    grid_resize(g, w, h);
    return g;
}

void
grid_free(struct grid *g)
{
    if (g)
        free(g->cells);
    free(g);
}

void
grid_resize(struct grid *g, int w, int h)
{
    free(g->cells);
    g->w = w > 0 ? w : 1;
    g->h = h > 0 ? h : 1;
    g->cells = mem_new(grid_cells(g->w, g->h) * sizeof *g->cells);
    grid_clear(g);
}

void
grid_clear(struct grid *g)
{
    size_t n = grid_cells(g->w, g->h);

    for (size_t i = 0; i < n; i++)
        g->cells[i] = blank;
    g->cursor_x = g->cursor_y = 0;
    g->cursor_shown = false;
}

static void
glyph_text(const struct glyph *g, struct buf *out)
{
    char utf8[4];

    for (size_t i = 0; i < 3 && g->ch[i]; i++)
        buf_add(out, utf8, str_put_utf8(g->ch[i], utf8));
}

void
grid_text(const struct grid *g, struct buf *out)
{
    for (int y = 0; y < g->h; y++) {
        const struct glyph *row = g->cells + (size_t)y * (size_t)g->w;
        int end = g->w;

        while (end > 0 && row[end - 1].ch[0] == ' ')
            end--;
        for (int x = 0; x < end; x++)
            glyph_text(&row[x], out);
        buf_putc(out, '\n');
    }
}

static int
clamp(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

struct rect
rect_left(struct rect *r, int n)
{
    struct rect cut = *r;

    cut.w = clamp(n, 0, r->w);
    r->x += cut.w;
    r->w -= cut.w;
    return cut;
}

struct rect
rect_right(struct rect *r, int n)
{
    struct rect cut = *r;

    cut.w = clamp(n, 0, r->w);
    cut.x = r->x + r->w - cut.w;
    r->w -= cut.w;
    return cut;
}

struct rect
rect_top(struct rect *r, int n)
{
    struct rect cut = *r;

    cut.h = clamp(n, 0, r->h);
    r->y += cut.h;
    r->h -= cut.h;
    return cut;
}

struct rect
rect_bottom(struct rect *r, int n)
{
    struct rect cut = *r;

    cut.h = clamp(n, 0, r->h);
    cut.y = r->y + r->h - cut.h;
    r->h -= cut.h;
    return cut;
}

static struct rect
rect_meet(struct rect a, struct rect b)
{
    int x = a.x > b.x ? a.x : b.x, y = a.y > b.y ? a.y : b.y;
    int right = a.x + a.w < b.x + b.w ? a.x + a.w : b.x + b.w;
    int low = a.y + a.h < b.y + b.h ? a.y + a.h : b.y + b.h;

    return (struct rect){x, y, right > x ? right - x : 0,
                         low > y ? low - y : 0};
}

struct canvas
canvas_of(struct grid *g)
{
    struct rect all = {0, 0, g->w, g->h};

    return (struct canvas){g, all, all, g->w, g->h, ROLE_TEXT, true};
}

struct canvas
canvas_sub(const struct canvas *c, struct rect r)
{
    struct canvas sub = *c;

    sub.at = (struct rect){c->at.x + r.x, c->at.y + r.y, r.w > 0 ? r.w : 0,
                           r.h > 0 ? r.h : 0};
    sub.clip = rect_meet(c->clip, sub.at);
    sub.w = sub.at.w;
    sub.h = sub.at.h;
    return sub;
}

void
canvas_cursor(const struct canvas *c, int x, int y, bool shown)
{
    int gx = c->at.x + x, gy = c->at.y + y;

    if (!c->focus || gx < c->clip.x || gx >= c->clip.x + c->clip.w ||
        gy < c->clip.y || gy >= c->clip.y + c->clip.h)
        return;
    c->grid->cursor_x = gx;
    c->grid->cursor_y = gy;
    c->grid->cursor_shown = shown;
}

/* The cell at (x, y) of the canvas, or NULL where it is clipped. */
static struct glyph *
cell_at(const struct canvas *c, int x, int y)
{
    int gx = c->at.x + x, gy = c->at.y + y;

    if (gx < c->clip.x || gx >= c->clip.x + c->clip.w || gy < c->clip.y ||
        gy >= c->clip.y + c->clip.h)
        return NULL;
    return &c->grid->cells[(size_t)gy * (size_t)c->grid->w + (size_t)gx];
}

/* Overwriting one half of a wide character leaves no half behind. */
static void
break_wide(const struct canvas *c, struct glyph *g)
{
    const struct glyph *row = c->grid->cells + (size_t)(g - c->grid->cells) /
                                                   (size_t)c->grid->w *
                                                   (size_t)c->grid->w;

    if (g->width == 0 && g > row) {
        g[-1].ch[0] = ' ';
        g[-1].ch[1] = g[-1].ch[2] = 0;
        g[-1].width = 1;
    } else if (g->width == 2 && g + 1 < row + c->grid->w) {
        g[1].ch[0] = ' ';
        g[1].width = 1;
    }
}

static void
put_glyph(const struct canvas *c, struct glyph *g, unsigned style, uint32_t cp,
          unsigned width)
{
    if (g->width != 1)
        break_wide(c, g);
    *g = (struct glyph){{cp, 0, 0},
                        (uint8_t)style,
                        c->base,
                        (uint8_t)(style >> 8),
                        (uint8_t)width};
}

/* Draw one code point; returns the cells it took.  A wide one that does not
 * fit whole becomes a blank. */
static int
put_cp(const struct canvas *c, int x, int y, unsigned style, uint32_t cp)
{
    int width = str_cp_width(cp);
    struct glyph *g = cell_at(c, x, y);

    if (width < 2) {
        if (g)
            put_glyph(c, g, style, cp, 1);
        return 1;
    }
    struct glyph *right = cell_at(c, x + 1, y);

    if (!g || !right) {
        if (g)
            put_glyph(c, g, style, ' ', 1);
        if (right)
            put_glyph(c, right, style, ' ', 1);
        return 2;
    }
    put_glyph(c, g, style, cp, 1);
    put_glyph(c, right, style, 0, 1);
    g->width = 2;
    right->width = 0;
    return 2;
}

static void
put_mark(const struct canvas *c, int x, int y, uint32_t cp)
{
    struct glyph *g = cell_at(c, x, y);

    if (g && g->width == 0)
        g = cell_at(c, x - 1, y);
    if (!g || g->ch[0] == ' ' || g->ch[0] == 0)
        return;
    if (!g->ch[1])
        g->ch[1] = cp;
    else if (!g->ch[2])
        g->ch[2] = cp;
}

void
draw_cp(const struct canvas *c, int x, int y, unsigned style, uint32_t cp)
{
    put_cp(c, x, y, style, cp);
}

int
draw_str(const struct canvas *c, int x, int y, unsigned style, struct str s)
{
    size_t at = 0;
    int start = x;
    int32_t cp;

    while ((cp = str_next(s, &at)) >= 0) {
        if (str_cp_is_control((uint32_t)cp))
            cp = cp == '\t' ? ' ' : 0xb7;
        if (str_cp_width((uint32_t)cp) > 0)
            x += put_cp(c, x, y, style, (uint32_t)cp);
        else if (x > start)
            put_mark(c, x - 1, y, (uint32_t)cp);
        if (x >= c->w)
            break;
    }
    return x;
}

int
draw_text(const struct canvas *c, int x, int y, unsigned style, const char *s)
{
    return draw_str(c, x, y, style, str_of(s));
}

int
draw_printf(const struct canvas *c, int x, int y, unsigned style,
            const char *fmt, ...)
{
    char line[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    return draw_text(c, x, y, style, line);
}

int
draw_fit(const struct canvas *c, int x, int y, int w, unsigned style,
         enum draw_align align, struct str s)
{
    size_t used = 0;
    size_t n;
    bool cut = false;

    if (w <= 0)
        return x;
    n = str_fit(s, (size_t)w, &used);
    if (n < s.n) {
        n = str_fit(s, (size_t)w - 1, &used);
        cut = true;
    }
    int room = w - (int)used - (cut ? 1 : 0);
    int before = align == DRAW_RIGHT    ? room
                 : align == DRAW_CENTRE ? room / 2
                                        : 0;

    draw_fill(c, (struct rect){x, y, w, 1}, style, ' ');
    if (n > 0)
        draw_str(c, x + before, y, style, (struct str){s.p, n});
    if (cut)
        put_cp(c, x + before + (int)used, y, style, 0x2026);
    return x + w;
}

/* The next line of s from *at that fits w cells; false at the end. */
static bool
wrap_line(struct str s, size_t *at, int w, struct str *line)
{
    if (*at >= s.n || w <= 0)
        return false;
    struct str rest = {s.p + *at, s.n - *at};
    const char *newline = memchr(rest.p, '\n', rest.n);
    size_t end = newline ? (size_t)(newline - rest.p) : rest.n;
    size_t n = str_fit((struct str){rest.p, end}, (size_t)w, NULL);

    if (n < end) {
        size_t blank_at = n;

        while (blank_at > 0 && rest.p[blank_at] != ' ')
            blank_at--;
        if (blank_at > 0)
            n = blank_at;
        else if (n == 0)
            n = 1;
    }
    *line = (struct str){rest.p, n};
    while (n < end && rest.p[n] == ' ')
        n++;
    if (n == end && newline)
        n++;
    *at += n;
    return true;
}

int
draw_wrap(const struct canvas *c, struct rect r, unsigned style, struct str s)
{
    struct str line;
    size_t at = 0;
    int y = 0;

    while (y < r.h && wrap_line(s, &at, r.w, &line))
        draw_str(c, r.x, r.y + y++, style, line);
    return y;
}

int
draw_wrap_height(struct str s, int w)
{
    struct str line;
    size_t at = 0;
    int n = 0;

    while (wrap_line(s, &at, w, &line))
        n++;
    return n;
}

int
draw_markup(const struct canvas *c, int x, int y, unsigned style, const char *s)
{
    while (*s && x < c->w) {
        const char *open = strchr(s, '<');
        const char *close = open ? strchr(open, '>') : NULL;

        if (!close)
            return draw_text(c, x, y, style, s);
        x = draw_str(c, x, y, style, (struct str){s, (size_t)(open - s)});
        x = draw_str(c, x, y, ROLE_KEY,
                     (struct str){open + 1, (size_t)(close - open - 1)});
        s = close + 1;
    }
    return x;
}

void
draw_fill(const struct canvas *c, struct rect r, unsigned style, uint32_t cp)
{
    struct rect part = rect_meet(
        c->clip, (struct rect){c->at.x + r.x, c->at.y + r.y, r.w, r.h});

    for (int y = part.y; y < part.y + part.h; y++) {
        for (int x = part.x; x < part.x + part.w; x++)
            put_cp(c, x - c->at.x, y - c->at.y, style, cp);
    }
}

static void
restyle(const struct canvas *c, struct rect r, unsigned style, bool role)
{
    for (int y = r.y; y < r.y + r.h; y++) {
        for (int x = r.x; x < r.x + r.w; x++) {
            struct glyph *g = cell_at(c, x, y);

            if (!g)
                continue;
            g->attrs = (uint8_t)(style >> 8 | (role ? 0U : g->attrs));
            if (role)
                g->role = (uint8_t)style;
        }
    }
}

void
draw_restyle(const struct canvas *c, struct rect r, unsigned style)
{
    restyle(c, r, style, true);
}

void
draw_select(const struct canvas *c, struct rect r)
{
    restyle(c, r, c->focus ? ROLE_SELECT : ROLE_SELECT_OFF, true);
    canvas_cursor(c, r.x + (r.w > 1), r.y, false);
}

void
draw_attrs(const struct canvas *c, struct rect r, unsigned attrs)
{
    restyle(c, r, attrs, false);
}

enum { LINE_H = 0x2500, LINE_V = 0x2502 };

void
draw_rule(const struct canvas *c, int y, unsigned style, const char *left,
          const char *right)
{
    unsigned title = (style & 0xff) == ROLE_FOCUS ? ROLE_TITLE : ROLE_DIM;
    int w = c->w;

    draw_fill(c, (struct rect){0, y, w, 1}, style, LINE_H);
    if (left && *left && w > 4) {
        size_t used = str_width(str_of(left));
        int n = (int)used < w - 4 ? (int)used : w - 4;

        draw_cp(c, 1, y, style, ' ');
        draw_fit(c, 2, y, n, title, DRAW_LEFT, str_of(left));
        draw_cp(c, 2 + n, y, style, ' ');
        w -= n + 4;
    }
    if (right && *right) {
        int n = (int)str_width(str_of(right));

        if (n + 3 > w)
            return;
        draw_cp(c, c->w - n - 3, y, style, ' ');
        draw_text(c, c->w - n - 2, y, ROLE_DIM, right);
        draw_cp(c, c->w - 2, y, style, ' ');
    }
}

void
draw_vline(const struct canvas *c, int x, int y, int h, unsigned style)
{
    draw_fill(c, (struct rect){x, y, 1, h}, style, LINE_V);
}

static void
edge_text(const struct canvas *c, struct rect r, int y, unsigned style,
          const char *text)
{
    int n = (int)str_width(str_of(text));

    if (r.w < 8)
        return;
    if (n > r.w - 6)
        n = r.w - 6;
    draw_cp(c, r.x + 2, y, style, ' ');
    draw_fit(c, r.x + 3, y, n, style, DRAW_LEFT, str_of(text));
    draw_cp(c, r.x + 3 + n, y, style, ' ');
}

void
draw_box(const struct canvas *c, struct rect r, unsigned style,
         const char *title, const char *hint)
{
    int right = r.x + r.w - 1, low = r.y + r.h - 1;

    if (r.w < 2 || r.h < 2)
        return;
    draw_fill(c, r, style, ' ');
    draw_fill(c, (struct rect){r.x, r.y, r.w, 1}, style, LINE_H);
    draw_fill(c, (struct rect){r.x, low, r.w, 1}, style, LINE_H);
    draw_vline(c, r.x, r.y, r.h, style);
    draw_vline(c, right, r.y, r.h, style);
    draw_cp(c, r.x, r.y, style, 0x250c);
    draw_cp(c, right, r.y, style, 0x2510);
    draw_cp(c, r.x, low, style, 0x2514);
    draw_cp(c, right, low, style, 0x2518);
    if (title)
        edge_text(c, r, r.y, (style & 0xff) | DRAW_BOLD, title);
    if (hint)
        edge_text(c, r, low, style, hint);
}

void
draw_progress(const struct canvas *c, int x, int y, int w, unsigned style,
              double fraction)
{
    int full = isfinite(fraction) ? (int)lround(fraction * w) : 0;

    full = clamp(full, 0, w > 0 ? w : 0);
    draw_fill(c, (struct rect){x, y, full, 1}, style, 0x2593);
    draw_fill(c, (struct rect){x + full, y, w - full, 1}, ROLE_DIM, 0x2591);
}

void
draw_spark(const struct canvas *c, int x, int y, int w, unsigned style,
           const double *v, size_t n, double lo, double hi)
{
    size_t first = w > 0 && n > (size_t)w ? n - (size_t)w : 0;

    if (!(lo < hi)) {
        lo = INFINITY;
        hi = -INFINITY;
        for (size_t i = first; i < n; i++) {
            if (!isfinite(v[i]))
                continue;
            lo = v[i] < lo ? v[i] : lo;
            hi = v[i] > hi ? v[i] : hi;
        }
    }
    for (size_t i = first; i < n && (int)(i - first) < w; i++) {
        if (!isfinite(v[i]))
            continue;
        double f = hi > lo ? (v[i] - lo) / (hi - lo) : 0;
        int step = clamp((int)(f * 7.999), 0, 7);

        draw_cp(c, x + (int)(i - first), y, style, 0x2581 + (uint32_t)step);
    }
}

void
draw_hbar(const struct canvas *c, int x, int y, int w, unsigned style,
          double fraction)
{
    int eighths = isfinite(fraction) ? (int)lround(fraction * w * 8) : 0;

    eighths = clamp(eighths, 0, w * 8);
    draw_fill(c, (struct rect){x, y, eighths / 8, 1}, style, 0x2588);
    if (eighths % 8)
        draw_cp(c, x + eighths / 8, y, style, 0x2590 - (uint32_t)(eighths % 8));
}

void
draw_scrollbar(const struct canvas *c, int x, int y, int h, size_t top,
               size_t rows, size_t n)
{
    if (h < 3 || n <= rows || n == 0)
        return;
    int size = (int)((double)h * (double)rows / (double)n);

    size = clamp(size, 1, h);
    double span = (double)(n - rows);
    int at = (int)lround((double)(h - size) * (double)top / span);

    draw_vline(c, x, y, h, ROLE_BORDER);
    draw_fill(c, (struct rect){x, y + clamp(at, 0, h - size), 1, size},
              ROLE_DIM, 0x2503);
}

enum { BRAILLE = 0x2800 };
static const uint8_t bit[4][2] = {
    {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};

void
draw_dot(const struct canvas *c, int x, int y, unsigned style)
{
    if (x < 0 || y < 0)
        return;
    struct glyph *g = cell_at(c, x / 2, y / 4);

    if (!g)
        return;
    uint32_t old = g->ch[0];
    bool braille = old >= BRAILLE && old < BRAILLE + 256;
    /* A guide line gives way to data, text does not. */
    if (!braille && old != ' ' && g->role != ROLE_GRID)
        return;
    put_glyph(c, g, style, (braille ? old : BRAILLE) | bit[y % 4][x % 2], 1);
}

/* Is dot number `phase` of a dashed line drawn? */
static bool
dash_on(unsigned dash, unsigned phase)
{
    switch (dash) {
    case DASH_DASH:
        return phase % 8 < 5;
    case DASH_DOT:
        return phase % 4 < 1;
    case DASH_DASHDOT:
        return phase % 10 < 5 || phase % 10 == 7;
    default:
        return true;
    }
}

uint32_t
draw_dashed(uint32_t cp, unsigned dash, int x, int y)
{
    uint32_t left = cp;

    if (cp < BRAILLE || cp >= BRAILLE + 256 || dash == DASH_SOLID)
        return cp;
    /* Along no straight line of dots the phase stands still. */
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 4; i++)
            if (!dash_on(dash, (unsigned)(2 * x + k + 2 * (4 * y + i))))
                left &= ~(uint32_t)bit[i][k];
    return left == BRAILLE ? ' ' : left;
}

void
draw_dots_line(const struct canvas *c, int x0, int y0, int x1, int y1,
               unsigned style, unsigned dash, unsigned *phase)
{
    unsigned own = 0, *p = phase ? phase : &own;
    int dx = abs(x1 - x0), dy = -abs(y1 - y0);
    int sx = x0 < x1 ? 1 : -1, sy = y0 < y1 ? 1 : -1, e = dx + dy;

    /* The first dot is the last one of the segment before. */
    for (;;) {
        if (dash_on(dash, *p))
            draw_dot(c, x0, y0, style);
        if (x0 == x1 && y0 == y1)
            break;
        int e2 = 2 * e;

        (*p)++;
        if (e2 >= dy) {
            e += dy;
            x0 += sx;
        }
        if (e2 <= dx) {
            e += dx;
            y0 += sy;
        }
    }
}

/* ---- plain characters in place of those a terminal may lack ---- */

struct fold {
    uint32_t from, to;
};
/* Sorted by `from`. */
static const struct fold fold_signs[] = {
    {0xa0, ' '},   {0xb0, 'o'},   {0xb1, '+'},    {0xb7, '.'},    {0xd7, 'x'},
    {0x2013, '-'}, {0x2014, '-'}, {0x2018, '\''}, {0x2019, '\''}, {0x201c, '"'},
    {0x201d, '"'}, {0x2022, '*'}, {0x2026, '~'},  {0x2039, '<'},  {0x203a, '>'},
    {0x2190, '<'}, {0x2191, '^'}, {0x2192, '>'},  {0x2193, 'v'},  {0x2205, '-'},
    {0x2248, '~'}, {0x2260, '#'}, {0x2264, '<'},  {0x2265, '>'},  {0x25a0, '#'},
    {0x25a1, '.'}, {0x25aa, '#'}, {0x25b2, '^'},  {0x25b6, '>'},  {0x25b8, '>'},
    {0x25bc, 'v'}, {0x25be, 'v'}, {0x25c6, '*'},  {0x25cb, 'o'},  {0x25cf, '*'},
    {0x2605, '*'}, {0x2610, '_'}, {0x2611, 'x'},  {0x26a0, '!'},  {0x2713, '+'},
    {0x2714, '+'}, {0x2717, 'x'}, {0x2718, 'x'},
};

static uint32_t
fold_box(uint32_t cp)
{
    switch (cp) {
    case 0x2500:
    case 0x2501:
    case 0x2504:
    case 0x2508:
    case 0x2574:
    case 0x2576:
        return '-';
    case 0x2502:
    case 0x2503:
    case 0x2506:
    case 0x250a:
        return '|';
    default:
        return '+';
    }
}

static uint32_t
fold_block(uint32_t cp)
{
    static const char lower[] = "__..-=+#";

    if (cp >= 0x2581 && cp <= 0x2588)
        return (uint32_t)lower[cp - 0x2581];
    if (cp >= 0x2589 && cp <= 0x258f)
        return cp <= 0x258c ? '#' : '-';
    if (cp == 0x2591)
        return '.';
    if (cp == 0x2592)
        return ':';
    return '#';
}

static uint32_t
fold_sign(uint32_t cp)
{
    size_t lo = 0, hi = sizeof fold_signs / sizeof *fold_signs;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (fold_signs[mid].from == cp)
            return fold_signs[mid].to;
        if (fold_signs[mid].from < cp)
            lo = mid + 1;
        else
            hi = mid;
    }
    return cp;
}

/* Braille to four quarters of a cell. */
static uint32_t
braille_to_block(unsigned dots)
{
    static const uint16_t quarters[16] = {
        ' ',    0x2598, 0x259d, 0x2580, 0x2596, 0x258c, 0x259e, 0x259b,
        0x2597, 0x259a, 0x2590, 0x259c, 0x2584, 0x2599, 0x259f, 0x2588};
    unsigned q = (dots & 0x03 ? 1U : 0U) | (dots & 0x18 ? 2U : 0U) |
                 (dots & 0x44 ? 4U : 0U) | (dots & 0xa0 ? 8U : 0U);

    return quarters[q];
}

static uint32_t
braille_to_ascii(unsigned dots)
{
    bool high = dots & 0x09, upper = dots & 0x12, lower = dots & 0x24;
    bool low = dots & 0xc0;

    if (!dots)
        return ' ';
    if ((high || upper) && (lower || low))
        return high && low ? '|' : ':';
    if (high || upper)
        return high && upper ? '"' : high ? '\'' : '-';
    return lower ? '.' : '_';
}

uint32_t
draw_fold(uint32_t cp, enum glyph_set set, bool utf8)
{
    if (cp < 0x80)
        return cp;
    if (!utf8)
        set = DRAW_ASCII;
    if (set == DRAW_BRAILLE)
        return cp;
    if (cp >= BRAILLE && cp < BRAILLE + 256)
        return set == DRAW_BLOCK ? braille_to_block(cp - BRAILLE)
                                 : braille_to_ascii(cp - BRAILLE);
    if (set == DRAW_BLOCK)
        return cp;
    uint32_t plain = cp >= 0x2500 && cp < 0x2580   ? fold_box(cp)
                     : cp >= 0x2580 && cp < 0x25a0 ? fold_block(cp)
                                                   : fold_sign(cp);

    return plain >= 0x80 && !utf8 ? '?' : plain;
}
