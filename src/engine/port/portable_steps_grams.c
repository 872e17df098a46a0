/* engine/port/portable_steps_grams.c -- the learnt steps that count n-grams.
 *
 * A graph is of numbers, and a text of many words is not one of a few levels.
 * So its levels are made-up texts, and a table has what the step makes of each:
 * that is what the model is compared by.  What is written counts itself.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/port/portable_steps.h"

enum {
    SEED = 21,
    TEXTS = 240,
    PIECES = 60,
    LONG_PIECES = 3000,
    CASES = 200 /* characters with a lower case, in a text */
};

static bool
is_grams(const struct step_kind *kind)
{
    return kind == &step_words || kind == &step_chars;
}

bool
steps_is_open(const struct prepare *from, const char *name)
{
    for (size_t i = 0; i < from->n_steps; i++)
        for (size_t c = 0; c < from->step[i].n; c++)
            if (from->step[i].kind != &step_impute &&
                strcmp(from->step[i].column[c].name, name) == 0)
                return is_grams(from->step[i].kind);
    return false;
}

/* ---- texts to compare by ---- */

/* Few letters, so that n-grams occur more than once; of one to four bytes, with
 * and without a lower case, of which that of the Kelvin sign is an ASCII one; a
 * no-break space, which is as a letter. */
static void
draw_text(uint64_t i, struct buf *text)
{
    static const char *const piece[] = {
        " ",         " ",      " ",      " ",      " ",      "a",
        "b",         "c",      "e",      "A",      "B",      "E",
        "7",         "_",      "-",      ",",      "'",      "\t",
        "\u00e9",    "\u00c9", "\u00df", "\u1e9e", "\u03a9", "\u03c3",
        "\u0416",    "\u0130", "\u212a", "\u4e2d", "\u00a0", "\U0001f600",
        "\U00010400"};
    size_t most = i % 60 == 59 ? LONG_PIECES : PIECES;
    uint64_t n = rng_below(SEED, 2 * i, 0, most);

    for (uint64_t k = 1; k <= n; k++)
        buf_puts(
            text,
            piece[rng_below(SEED, 2 * i + 1, k, sizeof piece / sizeof *piece)]);
}

static bool
add(struct dict *all, struct buf *text, struct error *err)
{
    uint32_t code;
    bool ok = buf_check(text, err) &&
              dict_add(all, (struct str){text->data, text->len}, &code, err);

    buf_clear(text);
    return ok;
}

/* All characters that have a lower case, in words of five. */
static bool
add_cases(struct dict *all, struct buf *text, struct error *err)
{
    size_t n = 0;
    char utf8[4];

    for (uint32_t cp = 'A'; cp <= 0x10ffff; cp++) {
        if (str_cp_lower(cp) == cp)
            continue;
        if (n % 5 == 0)
            buf_putc(text, ' ');
        buf_add(text, utf8, str_put_utf8(cp, utf8));
        if (++n % CASES == 0 && !add(all, text, err))
            return false;
    }
    return add(all, text, err);
}

bool
steps_add_texts(struct dict *all, struct error *err)
{
    struct buf text;
    bool ok;

    buf_init(&text);
    ok = add(all, &text, err) && add_cases(all, &text, err);
    for (size_t i = 0; i < TEXTS && ok; i++) {
        draw_text(i, &text);
        ok = add(all, &text, err);
    }
    buf_fini(&text);
    return ok;
}

/* ---- the step ---- */

/* What stands in the place of the table, of an input that is any text. */
static bool
tell(struct stepping *s, const struct step *step, const struct learnt *l,
     const struct portable_grams *where)
{
    struct arena *arena = &s->p->arena;
    struct portable_grams *g = arena_try(arena, 1, sizeof *g, s->err);
    struct step_grams as = step_grams_of(step);
    double *weight = arena_try(arena, l->n_numbers, sizeof *weight, s->err);

    if (!g || !weight)
        return false;
    if (l->n_numbers)
        memcpy(weight, l->number, l->n_numbers * sizeof *weight);
    *g = *where;
    g->written = step->written;
    g->chars = as.chars;
    g->from = as.from;
    g->to = as.to;
    g->size = as.size;
    g->weight = l->n_numbers ? weight : NULL;
    g->next = s->p->grams;
    s->p->grams = g;
    return true;
}

static bool
grams_one(struct stepping *s, const struct step *step, const struct learnt *l)
{
    size_t size = step_grams_of(step).size;
    uint32_t place, id;
    struct graph_node table = {
        .op = GRAPH_EMBED, .width = size, .n_in = 1, .in = &place};
    double *row = NULL;
    struct known *k;
    struct buf name;
    bool ok;

    if (!steps_need(s, l->name, true, &k) ||
        !(row = mem_try_array(k->n_levels + 1, sizeof *row, s->err)))
        return false;
    for (size_t t = 0; t < k->n_levels; t++)
        row[t] = (double)t + 1;
    table.n_a = (k->n_levels + 1) * size;
    ok = steps_map(s, k, k->level, k->n_levels, row, 0, &place) &&
         graph_add(s->g, &table, &id, s->err) &&
         step_grams_rows(step, l, k->level, k->n_levels,
                         s->g->node[id].a + size, s->err);
    free(row);
    if (ok && k->open)
        ok = tell(s, step, l,
                  &(struct portable_grams){.node = id,
                                           .input = (uint32_t)(k - s->known),
                                           .fill = k->fill});
    if (ok)
        k->name = NULL;
    buf_init(&name);
    for (size_t b = 0; b < size && ok; b++) {
        step_bucket_name(l, b, &name);
        ok = buf_check(&name, s->err) &&
             steps_put_number(s, name.data, id, (uint32_t)b);
    }
    buf_fini(&name);
    return ok;
}

bool
steps_take_grams(struct stepping *s, const struct step *step)
{
    for (size_t i = 0; i < step->n; i++)
        if (!grams_one(s, step, &step->column[i]))
            return false;
    return true;
}
