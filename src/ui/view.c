/* ui/view.c -- lists, pagers, layouts, and the table of views.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

const struct view_class *const view_classes[] = {
    &view_data_class,
    &view_notebook_class,
    &view_runs_class,
    &view_registry_class,
    &view_endpoints_class,
    &view_jobs_class,
    NULL,
};

unsigned
view_regions(const struct view_class *c)
{
    unsigned n = 0;

    while (c->regions[n].name && n < VIEW_MAX_REGIONS)
        n++;
    return n;
}

const struct view_action *
view_action_find(const struct view_class *c, const char *name)
{
    for (const struct view_action *a = c->actions; a && a->name; a++)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

void
layout_place(struct layout *l, unsigned region, struct rect r)
{
    if (region < VIEW_MAX_REGIONS)
        l->placed[region] = r;
}

/* ---- lists ---- */

void
list_set(struct list *l, size_t n)
{
    l->n = n;
    if (l->at >= n)
        l->at = n ? n - 1 : 0;
    if (l->top >= n)
        l->top = n ? n - 1 : 0;
}

void
list_show(struct list *l, size_t rows)
{
    l->rows = rows;
    if (rows == 0)
        return;
    if (l->at < l->top)
        l->top = l->at;
    if (l->at >= l->top + rows)
        l->top = l->at - rows + 1;
    if (l->n <= rows)
        l->top = 0;
    else if (l->top > l->n - rows)
        l->top = l->n - rows;
}

static void
list_down(struct list *l, size_t by)
{
    size_t room = l->n ? l->n - 1 - l->at : 0;

    l->at += by < room ? by : room;
}

static void
list_up(struct list *l, size_t by)
{
    l->at -= by < l->at ? by : l->at;
}

bool
list_action(struct list *l, const char *action, int count)
{
    size_t times = count > 0 ? (size_t)count : 1;
    size_t page = l->rows > 1 ? l->rows - 1 : 1;
    size_t half = l->rows > 1 ? l->rows / 2 : 1;

    if (strcmp(action, "down") == 0)
        list_down(l, times);
    else if (strcmp(action, "up") == 0)
        list_up(l, times);
    else if (strcmp(action, "top") == 0) {
        l->at = 0;
        list_down(l, times - 1);
    } else if (strcmp(action, "bottom") == 0) {
        l->at = 0;
        list_down(l, count > 0 ? times - 1 : l->n);
    } else if (strcmp(action, "half-down") == 0)
        list_down(l, half * times);
    else if (strcmp(action, "half-up") == 0)
        list_up(l, half * times);
    else if (strcmp(action, "page-down") == 0)
        list_down(l, page * times);
    else if (strcmp(action, "page-up") == 0)
        list_up(l, page * times);
    else
        return false;
    return true;
}

/* ---- pagers ---- */

void
pager_init(struct pager *p)
{
    memset(p, 0, sizeof *p);
    buf_init(&p->text);
}

void
pager_fini(struct pager *p)
{
    buf_fini(&p->text);
    free(p->starts);
    memset(p, 0, sizeof *p);
}

static void
add_start(struct pager *p, size_t n, size_t at)
{
    struct error ignored;
    size_t *more = mem_try_grow(p->starts, n, &p->cap, sizeof *more, &ignored);

    if (!more)
        return;
    p->starts = more;
    p->starts[n] = at;
}

void
pager_set(struct pager *p, const char *text, size_t len)
{
    size_t n = 0;

    /* A log that only grew is the usual case: nothing else to do. */
    if (len == p->text.len && memcmp(text, p->text.data, len) == 0)
        return;
    buf_clear(&p->text);
    buf_add(&p->text, text, len);
    len = p->text.len;
    for (size_t at = 0; at < len;) {
        const char *newline = memchr(p->text.data + at, '\n', len - at);

        add_start(p, n, at);
        if (n < p->cap)
            n++;
        at = newline ? (size_t)(newline - p->text.data) + 1 : len;
    }
    list_set(&p->list, n);
    if (p->follow && n > 0)
        p->list.at = n - 1;
}

struct str
pager_line(const struct pager *p, size_t i)
{
    if (i >= p->list.n)
        return STR("");
    size_t end = i + 1 < p->list.n ? p->starts[i + 1] : p->text.len;
    struct str line = {p->text.data + p->starts[i], end - p->starts[i]};

    while (line.n > 0 &&
           (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
        line.n--;
    return line;
}

static size_t
find_nocase(struct str s, struct str what, size_t from)
{
    for (size_t i = from; what.n > 0 && i + what.n <= s.n; i++)
        if (str_eq_nocase((struct str){s.p + i, what.n}, what))
            return i;
    return s.n;
}

static void
mark_matches(const struct canvas *c, int y, struct str line, struct str match)
{
    size_t at = 0;

    while ((at = find_nocase(line, match, at)) < line.n) {
        int x = (int)str_width((struct str){line.p, at});
        int w = (int)str_width((struct str){line.p + at, match.n});

        draw_restyle(c, (struct rect){x, y, w, 1}, ROLE_MATCH);
        at += match.n;
    }
}

/* The part of line from `left` cells on. */
static struct str
skip_cells(struct str line, size_t left)
{
    size_t n = str_fit(line, left, NULL);

    return (struct str){line.p + n, line.n - n};
}

void
pager_draw(struct pager *p, const struct canvas *c, const char *match)
{
    list_show(&p->list, c->h > 0 ? (size_t)c->h : 0);
    for (int y = 0; y < c->h; y++) {
        size_t i = p->list.top + (size_t)y;

        if (i >= p->list.n)
            break;
        struct str line = skip_cells(pager_line(p, i), p->left);

        draw_str(c, 0, y, ROLE_TEXT, line);
        if (match && *match)
            mark_matches(c, y, line, str_of(match));
    }
    canvas_cursor(c, 0, (int)(p->list.at - p->list.top), false);
    draw_scrollbar(c, c->w - 1, 0, c->h, p->list.top, p->list.rows, p->list.n);
}

/* Without a visible cursor line the keys scroll: move what is seen. */
static void
pager_scroll(struct pager *p, const char *action, int count)
{
    struct list *l = &p->list;

    if (strcmp(action, "down") == 0)
        l->at = l->top + (l->rows ? l->rows - 1 : 0);
    else if (strcmp(action, "up") == 0)
        l->at = l->top;
    if (l->at >= l->n)
        l->at = l->n ? l->n - 1 : 0;
    list_action(l, action, count);
}

bool
pager_action(struct pager *p, const char *action, int count)
{
    size_t by = 8 * (count > 0 ? (size_t)count : 1);

    if (strcmp(action, "right") == 0)
        p->left += by;
    else if (strcmp(action, "left") == 0)
        p->left -= by < p->left ? by : p->left;
    else if (strcmp(action, "line-start") == 0)
        p->left = 0;
    else if (strcmp(action, "down") == 0 || strcmp(action, "up") == 0)
        pager_scroll(p, action, count);
    else if (!list_action(&p->list, action, count))
        return false;
    p->follow = p->follow && p->list.at + 1 >= p->list.n;
    return true;
}

bool
pager_search(struct pager *p, const char *text, int dir)
{
    size_t n = p->list.n, i = p->list.at;

    for (size_t k = 0; k < n; k++) {
        i = dir > 0 ? (i + 1) % n : (i + n - 1) % n;
        struct str line = pager_line(p, i);

        if (find_nocase(line, str_of(text), 0) < line.n) {
            p->list.at = i;
            p->follow = false;
            return true;
        }
    }
    return false;
}
