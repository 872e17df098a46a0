/* ui/view_notebook_side.c -- beside the cells: the outline, the variables.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_notebook.h"

#include <stdio.h>
#include <string.h>

/* First words of a cell, for the outline. */
void
book_outline_text(const struct cell *c, char *out, size_t size)
{
    struct str s = {c->source, c->len};
    struct str line;

    if (c->title[0]) {
        snprintf(out, size, "%s", c->title);
        return;
    }
    do
        line = str_trim(book_next_line(&s));
    while (s.n > 0 && (line.n == 0 || str_starts(line, "--")));
    while (line.n > 0 && (line.p[0] == '#' || line.p[0] == ' ')) {
        line.p++;
        line.n--;
    }
    snprintf(out, size, "%.*s", (int)(line.n < 60 ? line.n : 60), line.p);
}

void
book_outline_draw(struct view *v, const struct canvas *c)
{
    static const char *const signs[] = {" ", "…", "●", "✓", "✗", "○"};
    static const unsigned styles[] = {ROLE_DIM, ROLE_DIM,   ROLE_INFO,
                                      ROLE_OK,  ROLE_ERROR, ROLE_WARN};
    struct view_notebook *b = book_mine(v);
    struct notebook *n = book_of(b);
    struct list shown = b->cells;

    if (!n)
        return;
    list_set(&b->cells, notebook_cells(n));
    shown.n = b->cells.n;
    shown.top = shown.at >= (size_t)c->h ? shown.at - (size_t)c->h + 1 : 0;
    for (int y = 0; y < c->h && shown.top + (size_t)y < shown.n; y++) {
        size_t i = shown.top + (size_t)y;
        const struct cell *cell = notebook_cell(n, i);
        char text[128];

        book_outline_text(cell, text, sizeof text);
        draw_text(c, 1, y, styles[cell->state], signs[cell->state]);
        draw_fit(c, 3, y, c->w - 4,
                 cell->kind == CELL_TEXT ? ROLE_TITLE : ROLE_TEXT, DRAW_LEFT,
                 str_of(text));
        if (i == b->cells.at) {
            draw_restyle(c, (struct rect){0, y, c->w, 1},
                         c->focus ? ROLE_SELECT : ROLE_SELECT_OFF);
            canvas_cursor(c, 1, y, false);
        }
    }
}

void
book_variables_draw(struct view *v, const struct canvas *c)
{
    struct view_notebook *b = book_mine(v);

    if (b->n_variables == 0)
        draw_text(c, 1, 0, ROLE_DIM, "none yet");
    list_set(&b->variables, b->n_variables);
    list_show(&b->variables, (size_t)c->h);
    for (int y = 0; y < c->h; y++) {
        size_t i = b->variables.top + (size_t)y;
        int x;

        if (i >= b->n_variables)
            break;
        x = draw_fit(c, 1, y, c->w / 3, ROLE_CODE_NAME, DRAW_LEFT,
                     str_of(b->variable[i].name));
        draw_fit(c, x + 1, y, c->w - x - 2, ROLE_DIM, DRAW_LEFT,
                 str_of(b->variable[i].text));
        if (c->focus && i == b->variables.at)
            draw_restyle(c, (struct rect){0, y, c->w, 1}, ROLE_SELECT);
    }
}
