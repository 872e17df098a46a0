/* ui/theme.h -- what each part of the screen looks like.
 *
 * Code names roles, never colours.  A theme file gives each role a look, one
 * `role = fg[/bg] [attributes]` a line:
 *
 *     # lathe theme 1
 *     text = default      dim = 245      title = default bold
 *     select = 15/24      series = 74 178 36 221 175 203 117 145
 *     mono.select = rev   series.dash = solid dash dot dashdot
 *
 * Colours: default, 0..255, #rrggbb, or an ANSI name (red, brightred, ...).
 * Attributes: bold dim under rev.  `background = dark|light|#rrggbb` says
 * what the colours were chosen against.  The `mono.` rule of a role holds where
 * there is no colour.  With 16 or 8 colours the nearest ones are taken, unless
 * `16.ROLE` or `8.ROLE` says which.
 *
 * Themes live in themes/NAME.theme, a user's own in
 * $XDG_CONFIG_HOME/lathe/themes/, which are looked for first.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_THEME_H
#define LATHE_UI_THEME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum { THEME_SERIES = 8, THEME_HEAT = 7 };

/* Names in a theme file: lower case, `.` for `_`: ROLE_CODE_KEY is code.key. */
enum role {
    ROLE_TEXT,       /* what is read */
    ROLE_DIM,        /* what may be skipped: units, hints, ids */
    ROLE_ACCENT,     /* what can be acted on, the marker of the cursor */
    ROLE_TITLE,      /* headings, column names */
    ROLE_BORDER,     /* rules between regions */
    ROLE_FOCUS,      /* the rule of the region that has the keys */
    ROLE_SELECT,     /* the thing under the cursor, in the focused region */
    ROLE_SELECT_OFF, /* the same in a region without the keys */
    ROLE_MARK,       /* marked rows */
    ROLE_MATCH,      /* text that a search found */
    ROLE_OK,         /* done, up, passed: with a sign, never colour alone */
    ROLE_WARN,       /* drift, alerts */
    ROLE_ERROR,      /* failed */
    ROLE_INFO,       /* live, running */
    ROLE_BAR,        /* the bar at the bottom */
    ROLE_BAR_KEY,    /* keys named in it */
    ROLE_BAR_MODE,   /* the word at its left */
    ROLE_TAB,        /* tabs that are not shown */
    ROLE_TAB_ON,     /* the tab that is */
    ROLE_POPUP,      /* text in palette, menu, which-key */
    ROLE_KEY,        /* a key named in running text */
    ROLE_CODE_KEY,   /* Lua: words of the language */
    ROLE_CODE_STR,
    ROLE_CODE_NUM,
    ROLE_CODE_COM,
    ROLE_CODE_NAME, /* functions and fields of the library */
    ROLE_TYPE_INT,  /* columns by type */
    ROLE_TYPE_FLOAT,
    ROLE_TYPE_TEXT,
    ROLE_TYPE_TIME,
    ROLE_TYPE_BOOL,
    ROLE_NULL,   /* a missing value */
    ROLE_CELL,   /* the mark at the left of the cell at hand */
    ROLE_CHART,  /* axes and their numbers */
    ROLE_GRID,   /* lines of a chart that only guide the eye */
    ROLE_HEAT_0, /* THEME_HEAT steps, low to high */
    ROLE_SERIES_0 = ROLE_HEAT_0 + THEME_HEAT, /* THEME_SERIES lines */
    ROLE_COUNT = ROLE_SERIES_0 + THEME_SERIES
};

enum { THEME_BOLD = 1, THEME_DIM = 2, THEME_UNDER = 4, THEME_REV = 8 };

enum {
    THEME_DEFAULT = -1, /* the terminal's own */
    THEME_UNSET = -2,
    THEME_RGB = 0x1000000 /* | rrggbb */
};

struct look {
    int32_t fg, bg; /* THEME_DEFAULT, 0..255, THEME_RGB | rrggbb */
    uint8_t attrs;
};
enum theme_dash { DASH_SOLID, DASH_DASH, DASH_DOT, DASH_DASHDOT };

struct theme {
    char name[32];
    bool light;         /* meant for a light background */
    int32_t background; /* colour to compute contrast against */
    struct look role[ROLE_COUNT];
    struct look role16[ROLE_COUNT],
        role8[ROLE_COUNT];      /* fg THEME_UNSET: derive */
    uint8_t mono[ROLE_COUNT];   /* attributes without colour */
    uint8_t dash[THEME_SERIES]; /* enum theme_dash */
};

/* The built-in look, that of themes/dark.theme: every role is set. */
void theme_default(struct theme *t);
/* Read theme text over the default.  Unknown roles, colours and attributes are
 * not errors: a line each, with its number, goes to `warnings`. */
void theme_parse(struct theme *t, const char *text, size_t len,
                 struct buf *warnings);
/* Find and read NAME.theme. ERR_NOTFOUND names the themes there are. */
bool theme_load(struct theme *t, const char *name, struct buf *warnings,
                struct error *err) MUST_USE;
/* Names of the themes there are, sorted; caller frees each and the array. */
size_t theme_list(char ***names);

/* The look of `role` where the background belongs to `base`, on a terminal of
 * n colours (256, 16, 8, or 0: attributes only). Colours are in 0..n-1 or
 * THEME_DEFAULT. */
struct look
theme_look(const struct theme *t, unsigned role, unsigned base, int n_colours);
const char *theme_role_name(unsigned role); /* "code.key" */
/* Role of a name, or -1. */
int theme_role_find(const char *name);
/* Contrast ratio of WCAG 2, 1..21, of two colours (not THEME_DEFAULT). */
double theme_contrast(int32_t a, int32_t b);
uint32_t theme_rgb(int32_t colour); /* rrggbb of a palette index or RGB */
#endif
