/* script/page.c -- what a notebook holds at one moment.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "script/page.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { UNDO_MAX = 200, TEXT_MAX = 1 << 20 };

/* ---- items ---- */

struct item *
item_ref(struct item *it)
{
    it->refs++;
    return it;
}

void
item_drop_outputs(struct item *it)
{
    for (size_t i = 0; i < it->cell.n_outputs; i++)
        output_fini(&it->cell.output[i]);
    free(it->cell.output);
    it->cell.output = NULL;
    it->cell.n_outputs = 0;
    it->output_bytes = 0;
}

void
item_unref(struct item *it)
{
    if (!it || --it->refs)
        return;
    item_drop_outputs(it);
    cell_text_unref(it->text);
    free(it);
}

struct item *
item_new(void)
{
    struct item *it = mem_new(sizeof *it);

    it->refs = 1;
    return it;
}

/* The item shows this text from now on. */
void
item_show(struct item *it, struct cell_text *t)
{
    struct cell *c = &it->cell;

    cell_text_ref(t);
    cell_text_unref(it->text);
    it->text = t;
    c->kind = t->kind;
    c->parameters = t->parameters;
    c->title = t->title;
    c->source = t->source;
    c->len = t->len;
    c->stale =
        it->output_digest[0] && strcmp(it->output_digest, t->digest) != 0;
}

static struct output *
add_output(struct cell *c)
{
    struct output *grown = mem_new((c->n_outputs + 1) * sizeof *grown);

    if (c->n_outputs)
        memcpy(grown, c->output, c->n_outputs * sizeof *grown);
    free(c->output);
    c->output = grown;
    return &grown[c->n_outputs++];
}

/* Text goes on with the text before it. */
static void
append_text(struct output *to, const char *text)
{
    size_t n = strlen(to->text), m = strlen(text);
    char *both = mem_new(n + m + 1);

    memcpy(both, to->text, n);
    memcpy(both + n, text, m);
    free(to->text);
    to->text = both;
}

void
item_take_output(struct item *it, const struct output *o)
{
    static char too_much[] = "... more than 1 MiB of output: the rest is "
                             "left out\n";
    const struct output cut = {.kind = OUT_TEXT, .text = too_much};
    struct cell *c = &it->cell;
    struct output *last = c->n_outputs ? &c->output[c->n_outputs - 1] : NULL;
    bool was_full = it->output_bytes > TEXT_MAX;

    it->output_bytes += strlen(o->text);
    if (o->kind == OUT_RUN && o->run)
        for (size_t i = 0; i < c->n_outputs; i++)
            if (c->output[i].run && strcmp(c->output[i].run, o->run) == 0) {
                output_fini(&c->output[i]);
                output_copy(&c->output[i], o);
                return;
            }
    if (o->kind == OUT_TEXT && it->output_bytes > TEXT_MAX) {
        if (was_full)
            return;
        o = &cut;
    }
    if (o->kind == OUT_TEXT && last && last->kind == OUT_TEXT)
        append_text(last, o->text);
    else
        output_copy(add_output(c), o);
}

/* ---- pages ---- */

static struct page
page_copy(const struct page *p)
{
    struct page out = {mem_new((p->n + 1) * sizeof *out.item),
                       mem_new((p->n + 1) * sizeof *out.text), p->n};

    for (size_t i = 0; i < p->n; i++) {
        out.item[i] = item_ref(p->item[i]);
        out.text[i] = cell_text_ref(p->text[i]);
    }
    return out;
}

void
page_fini(struct page *p)
{
    for (size_t i = 0; i < p->n; i++) {
        item_unref(p->item[i]);
        cell_text_unref(p->text[i]);
    }
    free(p->item);
    free(p->text);
    *p = (struct page){NULL, NULL, 0};
}

/* Takes both references. */
void
page_insert(struct page *p, size_t at, struct item *it, struct cell_text *t)
{
    struct page grown = {mem_new((p->n + 1) * sizeof *grown.item),
                         mem_new((p->n + 1) * sizeof *grown.text), p->n + 1};

    for (size_t i = 0; i < p->n; i++) {
        grown.item[i + (i >= at)] = p->item[i];
        grown.text[i + (i >= at)] = p->text[i];
    }
    grown.item[at] = it;
    grown.text[at] = t;
    free(p->item);
    free(p->text);
    *p = grown;
}

void
page_remove(struct page *p, size_t at)
{
    p->n--;
    for (size_t i = at; i < p->n; i++) {
        p->item[i] = p->item[i + 1];
        p->text[i] = p->text[i + 1];
    }
}

void
page_push(struct page **stack, size_t *n, const struct page *p)
{
    struct page *grown;

    if (*n == UNDO_MAX) {
        page_fini(&(*stack)[0]);
        memmove(*stack, *stack + 1, --*n * sizeof **stack);
    }
    grown = mem_new((*n + 1) * sizeof *grown);
    if (*n)
        memcpy(grown, *stack, *n * sizeof *grown);
    free(*stack);
    *stack = grown;
    grown[(*n)++] = page_copy(p);
}

void
page_clear(struct page **stack, size_t *n)
{
    while (*n)
        page_fini(&(*stack)[--*n]);
    free(*stack);
    *stack = NULL;
}
