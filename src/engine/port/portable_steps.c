/* engine/port/portable_steps.c -- the learnt steps of a preparation as a graph.
 *
 * A table of the columns that there are after each step: inputs at first, then
 * columns of nodes.  A text is the number of its level in a list of its own;
 * NaN stands for what is missing and for a text that is none of them; where a
 * step may tell these two apart, the list ends in a level for the latter.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/portable_steps.h"

/* ---- the table ---- */

struct known *
steps_find(struct stepping *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->known[i].name && strcmp(s->known[i].name, name) == 0)
            return &s->known[i];
    return NULL;
}

bool
steps_need(struct stepping *s, const char *name, bool text, struct known **out)
{
    *out = steps_find(s, name);
    return (*out && (*out)->text == text) ||
           error_set(s->err, ERR_STATE, "column '%s' is not known", name);
}

/* Add or replace a number. */
bool
steps_put_number(struct stepping *s, const char *name, uint32_t node,
                 uint32_t column)
{
    struct known *k = steps_find(s, name), *more;

    if (!k) {
        if (!(more =
                  mem_try_grow(s->known, s->n, &s->cap, sizeof *more, s->err)))
            return false;
        s->known = more;
        k = &more[s->n++];
        *k = (struct known){
            .name = arena_text(&s->p->arena, name, strlen(name), s->err)};
        if (!k->name)
            return false;
    }
    k->text = false;
    k->node = node;
    k->column = column;
    return true;
}

/* A column as a node of width 1. */
bool
steps_node(struct stepping *s, const struct known *k, uint32_t *id)
{
    struct portable_features one = {1, (uint32_t *)(uintptr_t)&k->node,
                                    (uint32_t *)(uintptr_t)&k->column};
    const size_t ref = 0;

    return portable_features_put(s->g, &one, &ref, 1, id, s->err);
}

/* The columns of a step side by side. */
static bool
columns_of(struct stepping *s, const struct step *step, uint32_t *id)
{
    size_t n = step->n;
    struct portable_features all = {
        n, mem_try_array(n, sizeof *all.node, s->err),
        mem_try_array(n, sizeof *all.column, s->err)};
    size_t *ref = mem_try_array(n, sizeof *ref, s->err);
    bool ok = all.node && all.column && ref;

    for (size_t i = 0; i < n && ok; i++) {
        struct known *k;

        if (!(ok = steps_need(s, step->column[i].name, false, &k)))
            break;
        all.node[i] = k->node;
        all.column[i] = k->column;
        ref[i] = i;
    }
    ok = ok && portable_features_put(s->g, &all, ref, n, id, s->err);
    free(all.node);
    free(all.column);
    free(ref);
    return ok;
}

/* ---- inputs ---- */

/* Column i: an input, or behind those a derived one. */
static const char *
column_name(const struct prepare *from, size_t i)
{
    return i < from->n_inputs ? from->input[i].name
                              : from->derived[i - from->n_inputs].name;
}

/* Is it a text?  A derived column tells by how it is used. */
static bool
is_text(const struct prepare *from, size_t i, const char *name)
{
    struct prepare_feature f;

    if (i < from->n_inputs)
        return from->input[i].type == COL_TEXT;
    if (steps_is_open(from, name))
        return true;
    for (size_t k = 0; k < from->n_steps; k++)
        for (size_t c = 0; c < from->step[k].n; c++)
            if (strcmp(from->step[k].column[c].name, name) == 0)
                return from->step[k].column[c].n_texts > 0;
    for (size_t k = 0; k < from->n_features; k++) {
        prepare_feature_get(from, k, &f);
        if (strcmp(f.as.name, name) == 0)
            return f.as.type == COL_TEXT;
    }
    return false;
}

/* The order that is written, "S|M|L", as a list; *n of them, caller frees the
 * list. */
const char **
steps_written_order(struct stepping *s, struct str order, size_t *n)
{
    const char **list;

    *n = 1;
    for (size_t i = 0; i < order.n; i++)
        *n += order.p[i] == '|';
    if (!(list = mem_try_array(*n, sizeof *list, s->err)))
        return NULL;
    for (size_t i = 0; i < *n; i++) {
        const char *bar = memchr(order.p, '|', order.n);
        size_t len = bar ? (size_t)(bar - order.p) : order.n;

        if (!(list[i] = arena_text(&s->p->arena, order.p, len, s->err))) {
            free(list);
            return NULL;
        }
        order.p += len + (bar != NULL);
        order.n -= len + (bar != NULL);
    }
    return list;
}

/* What a step learnt of a column, or the order that its line says; n-grams are
 * no levels. */
static bool
step_levels_add(struct stepping *s, const struct step *step,
                const struct learnt *l, struct dict *all)
{
    bool grams = step->kind == &step_words || step->kind == &step_chars;
    bool written = step->kind == &step_ordinal && step->words.n_words > 0;
    size_t n = grams ? 0 : l->n_texts;
    const char **order =
        written ? steps_written_order(s, step->words.word[0], &n) : l->text;
    uint32_t code;
    bool ok = order || n == 0;

    for (size_t t = 0; t < n && ok; t++)
        ok = dict_add(all, str_of(order[t]), &code, s->err);
    if (written)
        free(order);
    return ok;
}

static bool
levels_add(struct stepping *s, const char *name, struct dict *all)
{
    const struct prepare *from = s->from;
    struct prepare_feature f;
    uint32_t code;
    bool ok = !steps_is_open(from, name) || steps_add_texts(all, s->err);

    for (size_t i = 0; i < from->n_steps; i++)
        for (size_t c = 0; c < from->step[i].n && ok; c++)
            if (strcmp(from->step[i].column[c].name, name) == 0)
                ok = step_levels_add(s, &from->step[i],
                                     &from->step[i].column[c], all);
    for (size_t i = 0; i < from->n_derived && ok; i++)
        ok = !s->said[i] ||
             steps_add_literals(from->derived[i].expr, name, all, s->err);
    for (size_t i = 0; i < from->n_features && ok; i++) {
        prepare_feature_get(from, i, &f);
        if (strcmp(f.as.name, name) != 0 || f.as.type != COL_TEXT)
            continue;
        for (size_t t = 0; t < f.as.n_levels && ok; t++)
            ok = dict_add(all, str_of(f.as.levels[t]), &code, s->err);
    }
    return ok;
}

/* Does a step, or a derived column that is computed, tell a missing text of
 * that name from one that nobody has seen? */
static bool
has_rest(const struct stepping *s, const char *name)
{
    const struct prepare *from = s->from;

    for (size_t i = 0; i < from->n_steps; i++) {
        const struct step_kind *kind = from->step[i].kind;

        if (kind != &step_impute && kind != &step_rare && kind != &step_target)
            continue;
        for (size_t c = 0; c < from->step[i].n; c++)
            if (strcmp(from->step[i].column[c].name, name) == 0)
                return true;
    }
    for (size_t i = 0; i < from->n_derived; i++)
        if (s->said[i] && steps_reads(from->derived[i].expr, name))
            return true;
    return false;
}

static bool
rest_add(struct dict *all, struct error *err)
{
    struct buf text;
    uint32_t code;
    bool ok;

    buf_init(&text);
    ok = portable_rest_text(all, &text, err) &&
         dict_add(all, (struct str){text.data, text.len}, &code, err);
    buf_fini(&text);
    return ok;
}

/* Texts that anything learnt of a column of that name; *rest: the last one
 * stands for all others. */
static bool
levels_of(struct stepping *s, const char *name, struct known *k, bool *rest)
{
    struct dict *all = dict_new(s->err);
    const char **level = NULL;
    bool ok = all && levels_add(s, name, all);

    *rest = ok && !k->open && has_rest(s, name);
    ok = ok && (!*rest || rest_add(all, s->err));
    k->n_levels = ok ? dict_count(all) : 0;
    ok = ok &&
         (level = arena_try(&s->p->arena, k->n_levels, sizeof *level, s->err));
    for (size_t t = 0; t < k->n_levels && ok; t++) {
        struct str text = dict_text(all, (uint32_t)t);

        ok = (level[t] = arena_text(&s->p->arena, text.p, text.n, s->err)) !=
             NULL;
    }
    k->level = level;
    dict_unref(all);
    return ok;
}

/* Column `column` as input i. */
static bool
input_take(struct stepping *s, size_t i, size_t column)
{
    struct known *k = &s->known[i];
    bool derived = column >= s->from->n_inputs;
    enum col_type type = derived ? COL_FLOAT64 : s->from->input[column].type;
    bool rest = false;

    k->name = column_name(s->from, column);
    k->node = UINT32_MAX;
    k->column = (uint32_t)i;
    k->text = is_text(s->from, column, k->name);
    k->open = k->text && steps_is_open(s->from, k->name);
    if (!portable_name(s->p, i, str_of(k->name), s->err) ||
        (k->text && !levels_of(s, k->name, k, &rest)))
        return false;
    if (k->text && k->n_levels == 0)
        return error_set(s->err, ERR_TYPE,
                         "column '%s' is a text of no levels, which no other "
                         "format has",
                         k->name);
    s->p->input[i].derived = derived;
    if (derived)
        buf_printf(&s->p->notes,
                   "input '%s' is to be computed before: it is a derived "
                   "column\n",
                   k->name);
    portable_date(s->p, i, type);
    s->p->input[i].truth = !derived && type == COL_BOOL;
    s->p->input[i].open = k->open;
    s->p->input[i].rest = rest ? k->n_levels : 0;
    s->p->input[i].levels = k->level;
    s->p->input[i].n_levels = k->n_levels;
    return true;
}

/* ---- numbers ---- */

static bool
scale_by(struct stepping *s, const struct step *step)
{
    struct graph_node n = {.op = GRAPH_SCALE,
                           .width = step->n,
                           .n_in = 1,
                           .n_a = step->n,
                           .n_b = step->n};
    uint32_t in, id;

    if (step->n == 0)
        return true;
    if (!columns_of(s, step, &in))
        return false;
    n.in = &in;
    if (!graph_add(s->g, &n, &id, s->err))
        return false;
    for (size_t i = 0; i < step->n; i++) {
        s->g->node[id].a[i] = step->column[i].number[0];
        s->g->node[id].b[i] = 1 / step->column[i].number[1];
        if (!steps_put_number(s, step->column[i].name, id, (uint32_t)i))
            return false;
    }
    return true;
}

/* Shares of the quantiles: 0, 1/n ... 1. */
static bool
scale_by_quantiles(struct stepping *s, const struct learnt *l)
{
    size_t n = l->n_numbers;
    double *share = mem_try_array(n, sizeof *share, s->err);
    struct portable_curve c = {.x = l->number, .y = share, .n = n};
    struct known *k;
    uint32_t id;
    bool ok =
        share && steps_need(s, l->name, false, &k) && steps_node(s, k, &c.in);

    for (size_t i = 0; i < n && ok; i++)
        share[i] = n > 1 ? (double)i / (double)(n - 1) : 0;
    ok = ok && portable_put_curve(s->g, &c, &id, s->err) &&
         steps_put_number(s, l->name, id, 0);
    free(share);
    return ok;
}

static bool
take_scale(struct stepping *s, const struct step *step)
{
    if (!step_has(step, "quantile"))
        return scale_by(s, step);
    for (size_t i = 0; i < step->n; i++)
        if (step->column[i].n_numbers < 2)
            return error_set(s->err, ERR_TYPE,
                             "a scale by one quantile has no other format");
        else if (!scale_by_quantiles(s, &step->column[i]))
            return false;
    return true;
}

struct multiplying {
    struct stepping *s;
    const struct step *step;
};

static bool
take_product(void *ctx, const size_t *at, size_t d, const char *name)
{
    struct multiplying *m = ctx;
    struct stepping *s = m->s;
    uint32_t two[2], id = 0;
    struct graph_node n = {.op = GRAPH_MUL, .width = 1, .n_in = 2, .in = two};

    for (size_t i = 0; i < d; i++) {
        struct known *k;

        if (!steps_need(s, m->step->column[at[i]].name, false, &k) ||
            !steps_node(s, k, &two[i > 0]) ||
            (i > 0 && !graph_add(s->g, &n, &id, s->err)))
            return false;
        two[0] = i > 0 ? id : two[0];
    }
    return steps_put_number(s, name, id, 0);
}

static bool
take_polynomial(struct stepping *s, const struct step *step)
{
    struct multiplying m = {s, step};

    return step_each_product(step, take_product, &m, s->err);
}

/* ---- filling in ---- */

static bool
take_indicator(struct stepping *s, const struct learnt *l)
{
    struct known *k = steps_find(s, l->name);
    struct buf name;
    uint32_t in, id;
    bool ok;

    if (l->number[l->n_texts ? 0 : 1] <= 0)
        return true;
    if (!k)
        return error_set(s->err, ERR_STATE, "column '%s' is not known",
                         l->name);
    if (!steps_node(s, k, &in) ||
        !graph_add_simple(s->g, GRAPH_MISSING, in, &id, s->err))
        return false;
    buf_init(&name);
    (void)step_name(&name, l->name, " ", "was missing");
    ok = buf_check(&name, s->err) && steps_put_number(s, name.data, id, 0);
    buf_fini(&name);
    return ok;
}

/* The level that is filled in is among those of the input: levels_of(). */
static bool
fill_text(struct stepping *s, const struct learnt *l)
{
    struct graph_node n = {.op = GRAPH_FILL, .width = 1, .n_in = 1, .n_a = 1};
    double code = -1;
    struct known *k;
    uint32_t in;

    if (!steps_need(s, l->name, true, &k))
        return false;
    for (size_t t = 0; t < k->n_levels; t++)
        if (strcmp(k->level[t], l->text[0]) == 0)
            code = (double)t;
    if (code < 0)
        return error_set(s->err, ERR_TYPE,
                         "column '%s': the text that is filled in has no "
                         "number",
                         l->name);
    n.in = &in;
    n.a = &code;
    k->fill = k->fill ? k->fill : l->text[0];
    if (!steps_node(s, k, &in) || !graph_add(s->g, &n, &k->node, s->err))
        return false;
    k->column = 0;
    return true;
}

static bool
fill_number(struct stepping *s, const struct learnt *l, uint32_t *id)
{
    struct graph_node n = {
        .op = GRAPH_FILL, .width = 1, .n_in = 1, .n_a = 1, .a = l->number};
    struct known *k;
    uint32_t in;

    n.in = &in;
    return steps_need(s, l->name, false, &k) && steps_node(s, k, &in) &&
           graph_add(s->g, &n, id, s->err) &&
           steps_put_number(s, l->name, *id, 0);
}

/* Column j from all the others, where it had a gap. */
static bool
fill_by_others(struct stepping *s, const struct step *step, size_t j,
               const double *coef, uint32_t gap)
{
    size_t n = step->n;
    uint32_t all, guess, three[3];
    struct graph_node dense = {.op = GRAPH_DENSE,
                               .width = 1,
                               .n_in = 1,
                               .in = &all,
                               .n_a = n,
                               .n_b = 1};
    struct graph_node where = {
        .op = GRAPH_WHERE, .width = 1, .n_in = 3, .in = three};
    struct known *k;

    if (!columns_of(s, step, &all) || !graph_add(s->g, &dense, &guess, s->err))
        return false;
    for (size_t c = 0; c < n; c++)
        s->g->node[guess].a[c] = c == j ? 0 : coef[c];
    s->g->node[guess].b[0] = coef[j];
    three[0] = gap;
    three[1] = guess;
    return steps_need(s, step->column[j].name, false, &k) &&
           steps_node(s, k, &three[2]) &&
           graph_add(s->g, &where, &guess, s->err) &&
           steps_put_number(s, step->column[j].name, guess, 0);
}

static bool
take_rounds(struct stepping *s, const struct step *step)
{
    size_t n = step->n, rounds = n ? (step->column[0].n_numbers - 3) / n : 0;
    uint32_t *gap = mem_try_array(n, sizeof *gap, s->err), in, id;
    size_t *order = mem_try_array(n, sizeof *order, s->err);
    bool ok = gap && order;

    for (size_t j = 0; j < n && ok; j++) {
        struct known *k;

        order[(size_t)step->column[j].number[2]] = j;
        if (!(ok = steps_need(s, step->column[j].name, false, &k) &&
                   steps_node(s, k, &in) &&
                   graph_add_simple(s->g, GRAPH_MISSING, in, &gap[j], s->err)))
            break;
        s->g->node[gap[j]].c = 1;
        ok = fill_number(s, &step->column[j], &id);
        if (ok)
            s->g->node[id].c = 1;
    }
    for (size_t r = 0; r < rounds && ok; r++)
        for (size_t o = 0; o < n && ok; o++)
            ok = fill_by_others(s, step, order[o],
                                step->column[order[o]].number + 3 + r * n,
                                gap[order[o]]);
    free(gap);
    free(order);
    return ok;
}

static bool
take_impute(struct stepping *s, const struct step *step)
{
    uint32_t id;

    for (size_t i = 0; i < step->n && step_has(step, "indicator"); i++)
        if (!take_indicator(s, &step->column[i]))
            return false;
    if (step_has(step, "iterative"))
        return take_rounds(s, step);
    for (size_t i = 0; i < step->n; i++)
        if (!(step->column[i].n_texts ? fill_text(s, &step->column[i])
                                      : fill_number(s, &step->column[i], &id)))
            return false;
    return true;
}

/* ---- all of them ---- */

static bool
take_select(struct stepping *s, const struct step *step)
{
    for (size_t i = 0; i < step->n; i++) {
        struct known *k = steps_find(s, step->column[i].name);

        if (k)
            k->name = NULL;
    }
    return true;
}

typedef bool take_fn(struct stepping *s, const struct step *step);

static const struct {
    const struct step_kind *kind;
    take_fn *take;
} takers[] = {
    {&step_chars, steps_take_grams},     {&step_date, steps_take_date},
    {&step_impute, take_impute},         {&step_onehot, steps_take_onehot},
    {&step_ordinal, steps_take_ordinal}, {&step_polynomial, take_polynomial},
    {&step_rare, steps_take_rare},       {&step_scale, take_scale},
    {&step_select, take_select},         {&step_target, steps_take_target},
    {&step_words, steps_take_grams},
};

static bool
step_take(struct stepping *s, const struct step *step)
{
    for (size_t i = 0; i < sizeof takers / sizeof *takers; i++)
        if (takers[i].kind == step->kind)
            return takers[i].take(s, step);
    return error_set(s->err, ERR_TYPE, "the step '%.64s' has no other format",
                     step->written);
}

/* A text's number in the levels of the feature, which may be others. */
static bool
feature_take(struct stepping *s, size_t i, struct portable_features *out)
{
    struct prepare_feature f;
    struct known *k;
    double *v;
    bool ok, same;

    prepare_feature_get(s->from, i, &f);
    if (!steps_need(s, f.as.name, f.as.type == COL_TEXT, &k))
        return false;
    out->node[i] = k->node;
    out->column[i] = k->column;
    same = !k->text || k->n_levels == f.as.n_levels;
    for (size_t t = 0; same && k->text && t < k->n_levels; t++)
        same = strcmp(k->level[t], f.as.levels[t]) == 0;
    if (same)
        return true;
    v = steps_places(f.as.n_levels, (double)NAN, s->err);
    ok = v && steps_map(s, k, f.as.levels, f.as.n_levels, v, (double)NAN,
                        &out->node[i]);
    out->column[i] = 0;
    free(v);
    return ok;
}

bool
portable_steps_put(struct portable *p, const struct prepare *from,
                   const struct portable_sources *sources,
                   struct portable_features *features, struct error *err)
{
    struct stepping s = {.p = p,
                         .g = p->graph,
                         .from = from,
                         .n = p->graph->n_cols,
                         .said = sources->said,
                         .err = err};
    size_t n = features->n = prepare_features(from);
    bool ok;

    s.cap = s.n;
    s.known = mem_try_array(s.n, sizeof *s.known, err);
    features->node = arena_try(&p->arena, n, sizeof *features->node, err);
    features->column = arena_try(&p->arena, n, sizeof *features->column, err);
    ok = s.known && features->node && features->column;
    for (size_t i = 0; i < p->graph->n_cols && ok; i++)
        ok = input_take(&s, i, sources->column[i]);
    for (size_t i = 0; i < from->n_derived && ok; i++)
        ok = !sources->said[i] || steps_take_derived(&s, i);
    for (size_t i = 0; i < from->n_steps && ok; i++)
        ok = step_take(&s, &from->step[i]);
    for (size_t i = 0; i < n && ok; i++)
        ok = feature_take(&s, i, features);
    free(s.known);
    return ok;
}
