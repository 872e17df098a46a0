/* engine/port/portable_steps_text.c -- the learnt steps for categories.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/portable_steps.h"

/* The place of a level in a list, or n. */
static size_t
place_in(const char *text, const char *const *list, size_t n)
{
    size_t i = 0;

    while (i < n && strcmp(list[i], text) != 0)
        i++;
    return i;
}

/* Each level's value, c for all else; value[place of the level in list], and
 * value[n] for those that are not in it. */
bool
steps_map(struct stepping *s, const struct known *k, const char *const *list,
          size_t n, const double *value, double c, uint32_t *id)
{
    uint32_t in;
    struct graph_node map = {.op = GRAPH_MAP,
                             .width = 1,
                             .n_in = 1,
                             .in = &in,
                             .n_a = k->n_levels,
                             .n_b = k->n_levels,
                             .c = c};

    if (!steps_node(s, k, &in) || !graph_add(s->g, &map, id, s->err))
        return false;
    for (size_t t = 0; t < k->n_levels; t++) {
        size_t at = place_in(k->level[t], list, n);

        s->g->node[*id].a[t] = (double)t;
        s->g->node[*id].b[t] = value[at];
    }
    return true;
}

/* 0, 1 ... n - 1, and `rest` behind them; caller frees. */
double *
steps_places(size_t n, double rest, struct error *err)
{
    double *v = mem_try_array(n + 1, sizeof *v, err);

    for (size_t i = 0; v && i < n; i++)
        v[i] = (double)i;
    if (v)
        v[n] = rest;
    return v;
}

static bool
onehot_one(struct stepping *s, const struct learnt *l)
{
    struct graph_node hot = {.op = GRAPH_ONEHOT,
                             .width = l->n_texts,
                             .n_in = 1,
                             .n_a = l->n_texts,
                             .n_index = l->n_texts};
    double *v = steps_places(l->n_texts, (double)NAN, s->err);
    struct known *k;
    uint32_t code, id;
    struct buf name;
    bool ok = v && steps_need(s, l->name, true, &k);

    if (ok && l->n_texts == 0) {
        k->name = NULL;
        free(v);
        return true;
    }
    hot.in = &code;
    ok = ok && steps_map(s, k, l->text, l->n_texts, v, (double)NAN, &code) &&
         graph_add(s->g, &hot, &id, s->err);
    if (ok)
        k->name = NULL;
    buf_init(&name);
    for (size_t t = 0; t < l->n_texts && ok; t++) {
        s->g->node[id].a[t] = (double)t;
        s->g->node[id].index[t] = (uint32_t)t;
        (void)step_name(&name, l->name, "=", l->text[t]);
        ok = buf_check(&name, s->err) &&
             steps_put_number(s, name.data, id, (uint32_t)t);
    }
    buf_fini(&name);
    free(v);
    return ok;
}

bool
steps_take_onehot(struct stepping *s, const struct step *step)
{
    for (size_t i = 0; i < step->n; i++)
        if (!onehot_one(s, &step->column[i]))
            return false;
    return true;
}

bool
steps_take_ordinal(struct stepping *s, const struct step *step)
{
    const char **order = NULL;
    size_t n = 0;
    bool ok = true;

    if (step->words.n_words &&
        !(order = steps_written_order(s, step->words.word[0], &n)))
        return false;
    for (size_t i = 0; i < step->n && ok; i++) {
        const struct learnt *l = &step->column[i];
        const char *const *list = order ? order : l->text;
        size_t count = order ? n : l->n_texts;
        double *v = steps_places(count, (double)NAN, s->err);
        struct known *k;
        uint32_t id;

        ok = v && steps_need(s, l->name, true, &k);
        ok = ok && steps_map(s, k, list, count, v, (double)NAN, &id) &&
             steps_put_number(s, l->name, id, 0);
        free(v);
    }
    free(order);
    return ok;
}

/* Those that are not kept are one level behind the others; what is missing
 * stays so. */
static bool
rare_one(struct stepping *s, const struct learnt *l)
{
    size_t n = l->n_texts;
    double *v = steps_places(n, (double)n, s->err);
    const char **level = arena_try(&s->p->arena, n + 1, sizeof *level, s->err);
    struct known *k;
    uint32_t id;
    bool ok = v && level && steps_need(s, l->name, true, &k);

    if (ok) {
        memcpy(level, l->text, n * sizeof *level);
        level[n] = "(rare)";
        ok = steps_map(s, k, l->text, n, v, (double)NAN, &id);
    }
    if (ok) {
        k->level = level;
        k->n_levels = n + 1;
        k->node = id;
        k->column = 0;
    }
    free(v);
    return ok;
}

bool
steps_take_rare(struct stepping *s, const struct step *step)
{
    for (size_t i = 0; i < step->n; i++)
        if (!rare_one(s, &step->column[i]))
            return false;
    return true;
}

/* number: k a level, then k for missing, then k for those not seen. */
static bool
target_one(struct stepping *s, const struct learnt *l)
{
    size_t n = l->n_texts, k = l->n_numbers / (n + 2);
    double *v = mem_try_array(n + 1, sizeof *v, s->err);
    const double *missing = l->number + n * k, *unknown = missing + k;
    struct known *from;
    struct buf name;
    char class[24];
    bool ok = v && steps_need(s, l->name, true, &from);

    buf_init(&name);
    for (size_t c = 0; c < k && ok; c++) {
        struct known as = *steps_find(s, l->name);
        uint32_t id;

        for (size_t t = 0; t < n; t++)
            v[t] = l->number[t * k + c];
        v[n] = unknown[c];
        snprintf(class, sizeof class, "%zu", c + 1);
        (void)step_name(&name, l->name, " of class ", class);
        ok = buf_check(&name, s->err) &&
             steps_map(s, &as, l->text, n, v, missing[c], &id) &&
             steps_put_number(s, k == 1 ? l->name : name.data, id, 0);
    }
    if (ok && k > 1)
        steps_find(s, l->name)->name = NULL;
    buf_fini(&name);
    free(v);
    return ok;
}

bool
steps_take_target(struct stepping *s, const struct step *step)
{
    for (size_t i = 0; i < step->n; i++)
        if (!target_one(s, &step->column[i]))
            return false;
    return true;
}
