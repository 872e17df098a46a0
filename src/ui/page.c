/* ui/page.c -- a page of text laid over the screen.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/frame.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct page {
    struct view view;
    struct pager pager;
    char title[80];
};

static void
page_draw(struct view *v, const struct canvas *c)
{
    struct page *p = (struct page *)v;

    pager_draw(&p->pager, c, v->ui->search);
}

static void
page_title(struct view *v, struct buf *left, struct buf *right)
{
    const struct page *p = (const struct page *)v;

    buf_puts(left, p->title);
    buf_printf(right, "%zu line%s", p->pager.list.n,
               p->pager.list.n == 1 ? "" : "s");
}

static struct pager *
page_pager(struct view *v)
{
    return &((struct page *)v)->pager;
}

static void
page_close(struct view *v)
{
    struct page *p = (struct page *)v;

    pager_fini(&p->pager);
    free(p);
}

static bool
page_copy(struct view *v, enum copy_what what, struct buf *out)
{
    const struct page *p = (const struct page *)v;
    struct str line = pager_line(&p->pager, p->pager.list.at);

    if (what == COPY_ROW)
        buf_add(out, line.p, line.n);
    else
        buf_add(out, p->pager.text.data, p->pager.text.len);
    return true;
}

static const struct view_region page_regions[] = {{.name = "page",
                                                   .draw = page_draw,
                                                   .title = page_title,
                                                   .pager = page_pager},
                                                  {.name = NULL}};

static const struct view_class page_class = {.name = "page",
                                             .title = "Page",
                                             .regions = page_regions,
                                             .close = page_close,
                                             .copy = page_copy};

struct view *
page_new(struct ui *ui, const char *title, const char *text, size_t len)
{
    struct page *p = mem_new(sizeof *p);

    p->view.class = &page_class;
    p->view.ui = ui;
    pager_init(&p->pager);
    pager_set(&p->pager, text, len);
    snprintf(p->title, sizeof p->title, "%s", title);
    return &p->view;
}
