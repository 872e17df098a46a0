/* ui/view_runs_why_draw.c -- what is explained of a run, drawn: a line for each
 * feature, and what the one under the cursor does.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_runs_why.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ui/draw_plot.h"

enum {
    BAR_CELLS = 48,
    NUMBER_CELLS = 8,
    SHARE_CELLS = 6, /* "0.1234" */
    CLASS_CELLS = 16
};

static int
min_int(int a, int b)
{
    return a < b ? a : b;
}

static int
max_int(int a, int b)
{
    return a > b ? a : b;
}

/* One output, of which the shares may be drawn on one axis. */
static bool
has_strips(const struct explanation *e)
{
    return e->kind == EXPLANATION_SHARES &&
           (e->shares.k == 1 || e->output >= 0);
}

static int
name_width(const struct frame *f, const struct list *l, int w)
{
    size_t widest = 6;

    for (size_t i = l->top; i < frame_rows(f) && i < l->top + l->rows; i++) {
        size_t n = str_width(column_text(frame_column(f, 0), i));

        widest = n > widest ? n : widest;
    }
    return (int)widest < w / 3 ? (int)widest : w / 3;
}

static void
draw_strip(const struct explanation *e, struct str name,
           const struct explanation_axis *axis, const struct canvas *c, int x,
           int y)
{
    static const uint32_t glyph[] = {0x2581, 0x2582, 0x2583, 0x2584,
                                     0x2585, 0x2586, 0x2587, 0x2588};
    uint8_t level[EXPLANATION_CELLS];
    size_t zero = explanation_cell(axis, 0);
    size_t output = e->output < 0 ? 0 : (size_t)e->output;
    size_t j = explanation_feature(e, name);
    int trend = j == SIZE_MAX ? 0 : explanation_trend(e, j, output);

    if (j == SIZE_MAX)
        return;
    if (trend != 0)
        draw_cp(c, x, y, ROLE_DIM, trend > 0 ? 0x2197 : 0x2198);
    explanation_strip(e, output, j, axis, level);
    for (size_t i = 0; i < axis->cells; i++)
        if (level[i] > 0)
            draw_cp(c, x + 2 + (int)i, y,
                    i < zero ? ROLE_SERIES_0 + 1 : ROLE_SERIES_0,
                    glyph[level[i] - 1]);
        else if (i == zero)
            draw_cp(c, x + 2 + (int)i, y, ROLE_GRID, 0x2502);
}

static void
draw_axis(const struct explanation_axis *axis, const struct canvas *c, int x,
          int y)
{
    size_t zero = explanation_cell(axis, 0);
    char text[32];
    int w = (int)axis->cells;

    str_from_number(axis->low, 3, text);
    draw_fit(c, x, y, w, ROLE_DIM, DRAW_LEFT, str_of(text));
    if (zero > strlen(text) + 1 && zero + 8 < axis->cells)
        draw_text(c, x + (int)zero, y, ROLE_DIM, "0");
    str_from_number(axis->high, 3, text);
    draw_text(c, x + w - (int)strlen(text), y, ROLE_DIM, text);
}

/* In a column of numbers up to `top`; in NUMBER_CELLS, with fewer digits where
 * all would be too many. */
static void
number_text(double x, double top, char out[STR_F64_MAX])
{
    size_t n = str_from_decimals(x, str_decimals(top, 4), out);

    for (int digits = 4; n > NUMBER_CELLS && digits > 0; digits--)
        n = (size_t)snprintf(out, STR_F64_MAX, "%.*g", digits, x);
}

/* Of feature i, with the deviation of what was shuffled. */
static void
draw_value(const struct explanation *e, size_t i, const struct canvas *c,
           int at, int y)
{
    const struct frame *f = runs_why_features(e);
    double top = column_number(frame_column(f, 1), 0);
    double x = column_number(frame_column(f, 1), i);
    char text[STR_F64_MAX], off[STR_F64_MAX + 4];

    if (e->kind == EXPLANATION_GAIN) {
        snprintf(text, sizeof text, "%.1f%%", 100 * x);
    } else {
        number_text(x, top, text);
    }
    draw_fit(c, at, y, NUMBER_CELLS, ROLE_TEXT, DRAW_RIGHT, str_of(text));
    if (e->kind == EXPLANATION_SHUFFLE) {
        number_text(column_number(frame_column(f, 2), i), top, text);
        snprintf(off, sizeof off, "±%s", text);
        draw_fit(c, at + 9, y, 9, ROLE_DIM, DRAW_LEFT, str_of(off));
    }
}

static void
draw_features(struct runs_why *w, const struct canvas *c, int rows)
{
    const struct explanation *e = &w->about;
    const struct frame *f = runs_why_features(e);
    bool strips = has_strips(e), sd = e->kind == EXPLANATION_SHUFFLE;
    int y0 = strips ? 1 : 0, name_w, x;
    struct explanation_axis axis = {0};
    double top = frame_rows(f) ? column_number(frame_column(f, 1), 0) : 0;

    list_show(&w->list, (size_t)(rows > y0 ? rows - y0 : 0));
    name_w = name_width(f, &w->list, c->w);
    x = name_w + 11 + (sd ? 9 : 0);
    if (strips && c->w - x - 4 >= 10) {
        int cells = c->w - x - 4;

        axis = explanation_axis(e, e->output < 0 ? 0 : (size_t)e->output,
                                cells < 80 ? (size_t)cells : 80);
        draw_axis(&axis, c, x + 2, 0);
    }
    for (int y = y0; y < rows; y++) {
        size_t i = w->list.top + (size_t)(y - y0);
        struct str name;
        double v;

        if (i >= frame_rows(f))
            break;
        name = column_text(frame_column(f, 0), i);
        v = column_number(frame_column(f, 1), i);
        draw_fit(c, 1, y, name_w, ROLE_TEXT, DRAW_LEFT, name);
        if (i == w->list.at)
            draw_select(c, (struct rect){1, y, name_w, 1});
        draw_value(e, i, c, name_w + 2, y);
        if (axis.cells > 0)
            draw_strip(e, name, &axis, c, x, y);
        else if (top > 0 && v > 0 && c->w - x > 5)
            draw_hbar(c, x, y, min_int(c->w - x - 2, BAR_CELLS), ROLE_SERIES_0,
                      v / top);
    }
}

void
runs_why_draw(struct view *v, const struct canvas *c)
{
    struct runs_why *w = runs_mine(v)->why;
    struct rect all = {1, 0, c->w - 2, c->h};

    if (!w)
        return;
    if (w->trouble[0]) {
        draw_wrap(c, all, ROLE_WARN, str_of(w->trouble));
        return;
    }
    if (!w->there) {
        draw_markup(c, 1, 0, ROLE_DIM,
                    w->by == EXPLANATION_SHARES && w->chosen
                        ? "explaining… <i> takes another way"
                        : "explaining…");
        return;
    }
    draw_features(w, c, c->h - 1);
    draw_fit(c, 1, c->h - 1, c->w - 2, ROLE_DIM, DRAW_LEFT,
             str_of(w->rows || w->about.kind != EXPLANATION_GAIN ||
                            w->by == EXPLANATION_GAIN
                        ? w->about.note
                        : "its table is not here: open it to see shares of "
                          "the answers, and effects"));
}

void
runs_why_title(struct view *v, struct buf *left, struct buf *right)
{
    const struct runs_why *w = runs_mine(v)->why;
    const struct run *run = runs_at_cursor(runs_mine(v));

    buf_printf(left, "why · %s", run ? run->name : "");
    if (w && w->there)
        buf_puts(right, w->about.kind == EXPLANATION_GAIN      ? "by gain"
                        : w->about.kind == EXPLANATION_SHUFFLE ? "by shuffling"
                                                               : "by shares");
}

static void
draw_level(const struct effect *e, size_t p, const struct canvas *c, int y,
           int w)
{
    struct buf b;

    buf_init(&b);
    column_print(e->grid, p, &b);
    draw_fit(c, 1, y, w, ROLE_TEXT, DRAW_LEFT, (struct str){b.data, b.len});
    buf_fini(&b);
}

static int
level_width(const struct effect *e, int most)
{
    int widest = NUMBER_CELLS;

    for (size_t p = 0; e->type == COL_TEXT && p < e->n_points; p++)
        widest = max_int(widest, (int)str_width(column_text(e->grid, p)));
    return min_int(widest, most);
}

/* An input of texts: a bar for each. */
static void
draw_levels(const struct effect *e, const struct canvas *c)
{
    int w = c->w / 3, bar = c->w - w - 13;
    double top = 0;

    for (size_t p = 0; p < e->n_points; p++)
        top = fmax(top, fabs(effect_mean(e, p, 0)));
    for (size_t p = 0; p < e->n_points && (int)p < c->h; p++) {
        double mean = effect_mean(e, p, 0);
        char text[STR_F64_MAX];

        draw_level(e, p, c, (int)p, w);
        number_text(mean, top, text);
        draw_fit(c, w + 2, (int)p, NUMBER_CELLS, ROLE_TEXT, DRAW_RIGHT,
                 str_of(text));
        if (top > 0 && bar > 0)
            draw_hbar(c, w + 11, (int)p, min_int(bar, BAR_CELLS), ROLE_SERIES_0,
                      fabs(mean) / top);
    }
}

/* Of several classes or quantiles a column for each, in their order, as many as
 * there is room for. */
static void
draw_levels_by_name(const struct effect *e, const struct canvas *c)
{
    const struct explain_names *names = &e->names;
    int w = level_width(e, c->w / 4), at = w + 2;
    double top = 0;

    for (size_t p = 0; p < e->n_points && (int)p + 1 < c->h; p++)
        draw_level(e, p, c, (int)p + 1, w);
    for (size_t i = 0; i < e->n_points * names->n; i++)
        top = fmax(top, fabs(effect_mean(e, i / names->n, i % names->n)));
    for (size_t k = 0; k < names->n; k++) {
        struct str name = str_of(names->name[k]);
        int cells = max_int(min_int((int)str_width(name), CLASS_CELLS),
                            names->made ? NUMBER_CELLS : SHARE_CELLS);

        if (at + cells > c->w - (k + 1 < names->n ? 5 : 0)) {
            draw_printf(c, at, 0, ROLE_DIM, "+%zu", names->n - k);
            return;
        }
        draw_fit(c, at, 0, cells, ROLE_DIM, DRAW_RIGHT, name);
        for (size_t p = 0; p < e->n_points && (int)p + 1 < c->h; p++) {
            char text[STR_F64_MAX];

            number_text(effect_mean(e, p, k), top, text);
            draw_fit(c, at, (int)p + 1, cells, ROLE_TEXT, DRAW_RIGHT,
                     str_of(text));
        }
        at += cells + 2;
    }
}

void
runs_effect_draw(struct view *v, const struct canvas *c)
{
    const struct runs_why *w = runs_mine(v)->why;

    if (!w || !w->there)
        return;
    if (w->effect_trouble[0])
        draw_wrap(c, (struct rect){1, 0, c->w - 2, c->h}, ROLE_WARN,
                  str_of(w->effect_trouble));
    else if (!w->effect_there)
        draw_text(c, 1, 0, ROLE_DIM, w->rows ? "asking…" : "");
    else if (w->image.height > 0)
        draw_plot(c, 0, 0, &w->image, 0, c->h);
    else if (w->effect.effect.k > 1)
        draw_levels_by_name(&w->effect.effect, c);
    else
        draw_levels(&w->effect.effect, c);
}

void
runs_effect_title(struct view *v, struct buf *left, struct buf *right)
{
    const struct runs_why *w = runs_mine(v)->why;
    const char *what;
    size_t n;

    if (!w || !w->effect_there) {
        buf_puts(left, "effect");
        return;
    }
    /* Before all else: the lines leave out some. */
    if (w->image.height > 0 && w->effect.effect.k > EXPLANATION_LINES)
        buf_printf(left, "%d of %zu %s · ", EXPLANATION_LINES,
                   w->effect.effect.k, w->effect.effect.names.words);
    /* "probability of churn = Yes by tenure · 500 of 7,043 rows" */
    what = strstr(w->effect.note, " · ");
    n = what ? (size_t)(what - w->effect.note) : strlen(w->effect.note);
    buf_add(left, w->effect.note, n);
    if (what)
        buf_puts(right, what + strlen(" · "));
}
