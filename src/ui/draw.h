/* ui/draw.h -- the cells of a frame, and what is drawn into them.
 *
 * A grid holds one frame: a character (with up to two combining marks), a
 * role and attributes in each cell.  A canvas is a clipped window onto a grid
 * with its own origin; views get one and can do no harm outside it.  Nothing
 * here knows a terminal: term.c turns the grid into bytes, themes turn roles
 * into colours, and a test reads a grid as text.
 *
 * Draw with the characters of the sketches (boxes, blocks, braille, ● ✓ ▸ …):
 * where the terminal cannot show them term.c puts plain ones in their place
 * (draw_fold), so views never ask.  The same holds for lack of colour: state
 * must be legible from signs and attributes.
 *
 * `style` is a role (theme.h), with DRAW_* attributes or'ed in.
 * Coordinates are cells from the canvas's top left; what is outside is cut.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_DRAW_H
#define LATHE_UI_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "ui/theme.h"

enum {
    DRAW_BOLD = THEME_BOLD << 8,
    DRAW_FAINT = THEME_DIM << 8,
    DRAW_UNDER = THEME_UNDER << 8,
    DRAW_REV = THEME_REV << 8
};

struct glyph {
    uint32_t ch[3]; /* base and marks; ch[0] = 0: right half of a wide one */
    uint8_t role;
    uint8_t base;  /* role whose background shows when role has none */
    uint8_t attrs; /* THEME_* */
    uint8_t width; /* 1, 2; 0 for the right half */
};

struct grid {
    int w, h;
    struct glyph *cells; /* w * h, row by row */
    int cursor_x, cursor_y;
    bool cursor_shown; /* a text cursor; else it only marks the focus */
};

struct grid *grid_new(int w, int h); /* aborts without memory */
void grid_free(struct grid *g);
void grid_resize(struct grid *g, int w, int h); /* blank after it */
void grid_clear(struct grid *g);
/* The frame as text, a line each, blanks at line ends left out. */
void grid_text(const struct grid *g, struct buf *out);

struct rect {
    int x, y, w, h;
};
/* Cut n cells off a side of *r and return them (less when there are less). */
struct rect rect_left(struct rect *r, int n);
struct rect rect_right(struct rect *r, int n);
struct rect rect_top(struct rect *r, int n);
struct rect rect_bottom(struct rect *r, int n);

struct canvas {
    struct grid *grid;
    struct rect at;   /* where this canvas lies in the grid */
    struct rect clip; /* the part of it that may be drawn, in grid cells */
    int w, h;         /* = at.w, at.h */
    uint8_t base;     /* background role */
    bool focus;       /* this region has the keys */
};

struct canvas canvas_of(struct grid *g);
/* A part of c; cut to it. */
struct canvas canvas_sub(const struct canvas *c, struct rect r);
/* Put the hardware cursor here: on the focused thing, for screen readers;
 * shown: a text cursor is visible. Ignored unless c->focus. */
void canvas_cursor(const struct canvas *c, int x, int y, bool shown);

/* Text; control characters show as `·`, bad UTF-8 as U+FFFD.  Returns the x
 * after it, also where it was cut. */
int
draw_text(const struct canvas *c, int x, int y, unsigned style, const char *s);
int
draw_str(const struct canvas *c, int x, int y, unsigned style, struct str s);
int draw_printf(const struct canvas *c, int x, int y, unsigned style,
                const char *fmt, ...) PRINTF_LIKE(5, 6);
enum draw_align { DRAW_LEFT, DRAW_RIGHT, DRAW_CENTRE };
/* In exactly w cells: padded, or cut with `…` at the end. Returns x + w. */
int draw_fit(const struct canvas *c, int x, int y, int w, unsigned style,
             enum draw_align align, struct str s);
/* Wrap at blanks into w cells, at most h lines; returns lines used. */
int
draw_wrap(const struct canvas *c, struct rect r, unsigned style, struct str s);
/* How many lines that would be. */
int draw_wrap_height(struct str s, int w);
/* Text with the keys in it marked: "Press <Enter>" draws Enter in ROLE_KEY. */
int draw_markup(const struct canvas *c, int x, int y, unsigned style,
                const char *s);
void draw_cp(const struct canvas *c, int x, int y, unsigned style, uint32_t cp);
void
draw_fill(const struct canvas *c, struct rect r, unsigned style, uint32_t cp);
/* Give cells another role and keep their characters: the selected row. */
void draw_restyle(const struct canvas *c, struct rect r, unsigned style);
/* The thing under the cursor: ROLE_SELECT, or ROLE_SELECT_OFF without focus,
 * and the hardware cursor.  r is its name, not the whole row: what changes is
 * sent, and a row sent twice for each key is too much on a slow line. */
void draw_select(const struct canvas *c, struct rect r);
/* Add attributes and keep the role. */
void draw_attrs(const struct canvas *c, struct rect r, unsigned attrs);

/* "─ left ───────── right ─" over the full width. */
void draw_rule(const struct canvas *c, int y, unsigned style, const char *left,
               const char *right);
void draw_vline(const struct canvas *c, int x, int y, int h, unsigned style);
/* A frame with a title in its upper and a hint in its lower edge; NULL: none.
 * Its inside is blanked. */
void draw_box(const struct canvas *c, struct rect r, unsigned style,
              const char *title, const char *hint);

/* "▓▓▓▓░░░░": fraction 0..1 of w cells. */
void draw_progress(const struct canvas *c, int x, int y, int w, unsigned style,
                   double fraction);
/* "▁▂▃▅▇" of n values on w cells (the last w when there are more; NaN blank),
 * from the least to the greatest, or from lo to hi when lo < hi. */
void draw_spark(const struct canvas *c, int x, int y, int w, unsigned style,
                const double *v, size_t n, double lo, double hi);
/* A bar of eighths: fraction 0..1 of w cells. */
void draw_hbar(const struct canvas *c, int x, int y, int w, unsigned style,
               double fraction);
/* Where the view is in n things when `rows` of them show from `top`. */
void draw_scrollbar(const struct canvas *c, int x, int y, int h, size_t top,
                    size_t rows, size_t n);

/* Braille: a canvas is 2 w by 4 h dots. Dots of one cell join; the last role
 * wins. Text that is there is not overwritten. */
void draw_dot(const struct canvas *c, int x, int y, unsigned style);
/* A line of dots in a dash pattern (enum theme_dash); *phase runs on from
 * segment to segment (NULL: from 0). */
void draw_dots_line(const struct canvas *c, int x0, int y0, int x1, int y1,
                    unsigned style, unsigned dash, unsigned *phase);

/* What a dash pattern leaves of the dots of cell (x, y) of the screen, whichever
 * way a line goes through them; other characters are as they were. */
uint32_t draw_dashed(uint32_t cp, unsigned dash, int x, int y);

enum glyph_set { DRAW_BRAILLE, DRAW_BLOCK, DRAW_ASCII };
/* What stands for cp in a glyph set; same width.  utf8 = false: the terminal
 * shows ASCII only. */
uint32_t draw_fold(uint32_t cp, enum glyph_set set, bool utf8);
#endif
