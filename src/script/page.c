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
    it->tail = 0;
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

/* Text goes on with the text before it, line by line: its length is kept. */
static void
append_text(struct item *it, struct output *to, const char *text)
{
    size_t n = it->tail ? it->tail : strlen(to->text), m = strlen(text);

    if (!it->tail)
        it->tail_cap = 0;
    if (n + m + 1 > it->tail_cap) {
        char *both = mem_new((n + m + 1) * 2);

        memcpy(both, to->text, n);
        free(to->text);
        to->text = both;
        it->tail_cap = (n + m + 1) * 2;
    }
    memcpy(to->text + n, text, m + 1);
    it->tail = n + m;
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
    if (o->kind == OUT_TEXT && last && last->kind == OUT_TEXT) {
        append_text(it, last, o->text);
        return;
    }
    it->tail = 0;
    output_copy(add_output(c), o);
}

/* ---- pages ---- */

static struct page
page_copy(const struct page *p)
{
    struct page out = {.item = mem_new((p->n + 1) * sizeof *out.item),
                       .text = mem_new((p->n + 1) * sizeof *out.text),
                       .n = p->n,
                       .cap = p->n + 1,
                       .cap_text = p->n + 1};

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
    *p = (struct page){0};
}

/* Takes both references. */
void
page_insert(struct page *p, size_t at, struct item *it, struct cell_text *t)
{
    size_t behind = (p->n - at) * sizeof(void *);

    p->item = mem_grow(p->item, p->n, &p->cap, sizeof *p->item);
    p->text = mem_grow(p->text, p->n, &p->cap_text, sizeof *p->text);
    memmove(p->item + at + 1, p->item + at, behind);
    memmove(p->text + at + 1, p->text + at, behind);
    p->item[at] = it;
    p->text[at] = t;
    p->n++;
}

static int
by_digest(const void *a, const void *b)
{
    const struct item *x = *(struct item *const *)a;
    const struct item *y = *(struct item *const *)b;
    int order = strcmp(x->text->digest, y->text->digest);

    return order != 0 ? order : x->at < y->at ? -1 : x->at > y->at;
}

void
page_settle(struct page *p)
{
    struct item **sorted = mem_new((p->n + 1) * sizeof *sorted);

    for (size_t i = 0; i < p->n; i++) {
        sorted[i] = p->item[i];
        sorted[i]->at = i;
        sorted[i]->twins = 0;
    }
    qsort(sorted, p->n, sizeof *sorted, by_digest);
    for (size_t i = 1; i < p->n; i++)
        if (strcmp(sorted[i]->text->digest, sorted[i - 1]->text->digest) == 0)
            sorted[i]->twins = sorted[i - 1]->twins + 1;
    free(sorted);
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
