/* script/page.h -- what a notebook holds at one moment.
 *
 * An item is a cell's life: its number, state and outputs.  It is shared by
 * reference count between the notebook as it is, the undo steps and the queue,
 * so that a deleted cell that comes back by undo still has its outputs.  A
 * page is a list of items and the texts they have on it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SCRIPT_PAGE_H
#define LATHE_SCRIPT_PAGE_H

#include "script/notebook.h"
#include "script/percent.h"

struct item {
    unsigned refs;
    struct cell cell; /* title and source are borrowed from text */
    struct cell_text *text;
    char output_digest[33]; /* of the text that made the outputs */
    size_t output_bytes;
    bool ran;              /* to its end, in this kernel */
    char wants[64];        /* a global that it failed for want of; "" */
    size_t tail, tail_cap; /* bytes and room of the last output, a text; or 0 */
    size_t at;             /* on the page, as it was last settled */
    unsigned twins;        /* cells before it with the same digest */
    bool queued;
};

struct page {
    struct item **item;
    struct cell_text **text;
    size_t n, cap, cap_text;
};

struct item *item_new(void);
struct item *item_ref(struct item *it);
void item_unref(struct item *it); /* NULL is fine */
/* The item shows this text from now on. */
void item_show(struct item *it, struct cell_text *t);
void item_drop_outputs(struct item *it);
/* Text goes on with the text before it, up to 1 MiB; a run's second output
 * replaces its first. */
void item_take_output(struct item *it, const struct output *o);

void page_fini(struct page *p);
/* Takes both references. */
void
page_insert(struct page *p, size_t at, struct item *it, struct cell_text *t);
/* Numbers the items: at, twins. */
void page_settle(struct page *p);
/* Leaves both references to the caller. */
void page_remove(struct page *p, size_t at);
/* A stack of copies, at most 200: the oldest goes. */
void page_push(struct page **stack, size_t *n, const struct page *p);
void page_clear(struct page **stack, size_t *n);
#endif
