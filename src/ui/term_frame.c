/* ui/term_frame.c -- frames to bytes, curses working out how.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/term_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/mem.h"
#include "ui/squeeze.h"

#define SYNC_ON "\033[?2026h"
#define SYNC_OFF "\033[?2026l"
#define ASK_STATUS "\033[5n"

static attr_t
attrs_of(unsigned attrs)
{
    return (attrs & THEME_BOLD ? A_BOLD : 0) | (attrs & THEME_DIM ? A_DIM : 0) |
           (attrs & THEME_UNDER ? A_UNDERLINE : 0) |
           (attrs & THEME_REV ? A_REVERSE : 0);
}

static void
to_cchar(const struct term *t, const struct glyph *g, cchar_t *out)
{
    struct look look = theme_look(t->theme, g->role, g->base, t->colours);
    wchar_t text[4] = {(wchar_t)g->ch[0], (wchar_t)g->ch[1], (wchar_t)g->ch[2],
                       0};
    int pair = 0;

    if (t->colours > 0 && (look.fg >= 0 || look.bg >= 0))
        pair = alloc_pair(look.fg, look.bg);
    if (pair < 0)
        pair = 0;
    setcchar(out, text, attrs_of(look.attrs | g->attrs), 0, &pair);
}

/* Without colour a line of a chart is known by its dashes. */
static uint32_t
dashed(const struct term *t, const struct glyph *g, int x, int y)
{
    unsigned series = g->role - ROLE_SERIES_0;

    if (t->colours > 0 || g->role < ROLE_SERIES_0 || series >= THEME_SERIES)
        return g->ch[0];
    return draw_dashed(g->ch[0], t->theme->dash[series], x, y);
}

static void
fold_row(const struct term *t, const struct glyph *from, struct glyph *to,
         int w, int y)
{
    for (int x = 0; x < w; x++) {
        to[x] = from[x];
        to[x].ch[0] = dashed(t, &from[x], x, y);
        if (t->glyphs == DRAW_BRAILLE)
            continue;
        to[x].ch[0] = draw_fold(to[x].ch[0], t->glyphs, t->utf8);
        if (t->utf8)
            continue;
        to[x].ch[1] = to[x].ch[2] = 0;
        /* Two cells of a wide character become two question marks. */
        if (from[x].width == 0)
            to[x].ch[0] = '?';
        to[x].width = 1;
    }
}

static void
put_row(struct term *t, int y)
{
    const struct grid *g = t->shown;
    const struct glyph *cells = g->cells + (size_t)y * (size_t)g->w;
    int n = 0;

    for (int x = 0; x < g->w; x++)
        if (cells[x].width > 0)
            to_cchar(t, &cells[x], &t->row[n++]);
    mvadd_wchnstr(y, 0, t->row, n);
}

/* Put what differs from the last frame into curses' window. */
static void
put_frame(struct term *t, const struct grid *g)
{
    struct glyph *row = mem_new((size_t)g->w * sizeof *row);

    for (int y = 0; y < g->h; y++) {
        struct glyph *old = t->shown->cells + (size_t)y * (size_t)g->w;

        fold_row(t, g->cells + (size_t)y * (size_t)g->w, row, g->w, y);
        squeeze_blanks(row, g->w, t->theme, t->colours);
        if (memcmp(old, row, (size_t)g->w * sizeof *row) == 0)
            continue;
        memcpy(old, row, (size_t)g->w * sizeof *row);
        put_row(t, y);
    }
    free(row);
}

/* A terminal that cannot place text gets the lines that changed. */
static size_t
print_frame(struct term *t, const struct grid *g)
{
    struct buf frame;
    size_t before = t->out.len;

    buf_init(&frame);
    for (int y = 0; y < g->h; y++) {
        struct glyph *old = t->shown->cells + (size_t)y * (size_t)g->w;
        struct grid line = {.w = g->w, .h = 1, .cells = old};

        struct glyph *row = mem_new((size_t)g->w * sizeof *row);

        fold_row(t, g->cells + (size_t)y * (size_t)g->w, row, g->w, y);
        bool same = memcmp(old, row, (size_t)g->w * sizeof *row) == 0;

        memcpy(old, row, (size_t)g->w * sizeof *row);
        free(row);
        if (same)
            continue;
        buf_clear(&frame);
        grid_text(&line, &frame);
        if (frame.len > 1) {
            buf_add(&t->out, frame.data, frame.len - 1);
            buf_puts(&t->out, "\r\n");
        }
    }
    buf_fini(&frame);
    return t->out.len - before;
}

static void
fit_screen(struct term *t, const struct grid *g)
{
    if (t->shown->w == g->w && t->shown->h == g->h)
        return;
    resize_term(g->h, g->w);
    grid_resize(t->shown, g->w, g->h);
    free(t->row);
    t->row = mem_new(((size_t)g->w + 1) * sizeof *t->row);
    term_redraw(t);
}

static size_t
curses_frame(struct term *t, const struct grid *g)
{
    struct buf frame;
    size_t n;

    put_frame(t, g);
    curs_set(g->cursor_shown ? 1 : 0);
    move(g->cursor_y, g->cursor_x);
    refresh();
    buf_init(&frame);
    n = term_take_curses(t, &frame);
    if (n > 0 && !t->plain) {
        squeeze_sgr(&frame);
        n = frame.len;
    }
    if (n > 0) {
        /* Small frames cannot tear: the wrapping would cost more. */
        bool sync = !t->plain && n > 256;

        buf_puts(&t->out, sync ? SYNC_ON : "");
        buf_add(&t->out, frame.data, frame.len);
        buf_puts(&t->out, sync ? SYNC_OFF : "");
    }
    buf_fini(&frame);
    return n;
}

size_t
term_present(struct term *t, const struct grid *g, const struct theme *theme,
             bool asked)
{
    size_t n;

    if (t->suspended)
        return 0;
    fit_screen(t, g);
    if (!t->theme || memcmp(&t->theme_shown, theme, sizeof *theme) != 0) {
        t->theme_shown = *theme;
        t->theme = &t->theme_shown;
        for (int y = 0; y < t->shown->h; y++)
            t->shown->cells[(size_t)y * (size_t)t->shown->w].width = 7;
    }
    n = t->printer ? print_frame(t, g) : curses_frame(t, g);
    t->frames++;
    if (n > 0 && !t->printer && (!asked || t->frames == 1) && !t->asked &&
        (t->paces || t->frames == 1) && strcmp(t->name, "dumb") != 0) {
        buf_puts(&t->out, ASK_STATUS);
        t->asked = true;
        t->asked_ms = loop_now_ms();
        if (!t->probed_ms)
            t->probed_ms = t->asked_ms;
    }
    term_flush(t);
    return n;
}
