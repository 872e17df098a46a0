/* engine/port/portable.c -- what lies between formats and models.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/portable.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/imported.h"
#include "frame/dict.h"

enum { MAX_INPUTS = 1 << 15 };

struct portable *
portable_new(size_t n_inputs, struct error *err)
{
    struct portable *p;

    if (n_inputs == 0 || n_inputs > MAX_INPUTS) {
        error_set(err, ERR_LIMIT, "a model of %zu inputs, expected 1..%d",
                  n_inputs, MAX_INPUTS);
        return NULL;
    }
    if (!(p = mem_try_array(1, sizeof *p, err)))
        return NULL;
    arena_init(&p->arena);
    buf_init(&p->about);
    buf_init(&p->notes);
    p->problem = PROBLEM_REGRESSION;
    if ((p->graph = graph_new(n_inputs, err)) &&
        (p->input = arena_try(&p->arena, n_inputs, sizeof *p->input, err)))
        return p;
    portable_free(p);
    return NULL;
}

void
portable_free(struct portable *p)
{
    if (!p)
        return;
    graph_unref(p->graph);
    buf_fini(&p->about);
    buf_fini(&p->notes);
    arena_fini(&p->arena);
    free(p);
}

bool
portable_name(struct portable *p, size_t i, struct str name, struct error *err)
{
    if (name.n == 0 || !str_utf8_valid(name) || memchr(name.p, '\0', name.n))
        return error_set(err, ERR_PARSE,
                         "the name of input %zu is empty or no UTF-8", i + 1);
    p->input[i].name = arena_text(&p->arena, name.p, name.n, err);
    return p->input[i].name != NULL;
}

bool
portable_rest_text(const struct dict *levels, struct buf *text,
                   struct error *err)
{
    buf_clear(text);
    buf_puts(text, "any other text");
    while (!text->failed &&
           dict_find(levels, (struct str){text->data, text->len}) != DICT_NONE)
        buf_putc(text, '.');
    return buf_check(text, err);
}

bool
portable_name_rest(struct portable *p, const char *prefix, struct error *err)
{
    char name[64];

    for (size_t i = 0; i < p->graph->n_cols; i++) {
        if (p->input[i].name)
            continue;
        snprintf(name, sizeof name, "%s%zu", prefix, i);
        if (!portable_name(p, i, str_of(name), err))
            return false;
    }
    return true;
}

bool
portable_classes(struct portable *p, const char *const *names, size_t n,
                 struct error *err)
{
    char number[24];

    if (n < 2 || n > TARGET_MAX_CLASSES)
        return error_set(err, ERR_LIMIT, "%zu classes, expected 2..%d", n,
                         TARGET_MAX_CLASSES);
    if (!(p->classes = arena_try(&p->arena, n, sizeof *p->classes, err)))
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *text = names ? names[i] : number;

        snprintf(number, sizeof number, "%zu", i);
        if (!str_utf8_valid(str_of(text)))
            return error_set(err, ERR_PARSE, "class %zu is no UTF-8", i + 1);
        if (!(p->classes[i] = arena_text(&p->arena, text, strlen(text), err)))
            return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(p->classes[k], p->classes[i]) == 0)
                return error_set(err, ERR_PARSE, "class '%s' is there twice",
                                 text);
    }
    p->named = names != NULL;
    p->n_classes = n;
    p->problem = n == 2 ? PROBLEM_BINARY : PROBLEM_MULTICLASS;
    return true;
}

bool
portable_answers(struct portable *p, size_t n, struct error *err)
{
    if (n == 0 || n > MAX_INPUTS)
        return error_set(err, ERR_LIMIT, "%zu answers, expected 1..%d", n,
                         MAX_INPUTS);
    p->problem = PROBLEM_NONE;
    p->n_answers = n;
    return (p->answer = arena_try(&p->arena, n, sizeof *p->answer, err));
}

static void
tell_name(struct portable *p, const char *name)
{
    if (p->about.len)
        buf_putc(&p->about, ',');
    buf_json(&p->about, name, strlen(name));
    buf_putc(&p->about, ':');
}

void
portable_tell(struct portable *p, const char *name, const char *text)
{
    tell_name(p, name);
    buf_json(&p->about, text, strlen(text));
}

void
portable_tell_count(struct portable *p, const char *name, size_t n)
{
    tell_name(p, name);
    buf_printf(&p->about, "%zu", n);
}

size_t
portable_width(const struct portable *p)
{
    return p->problem == PROBLEM_MULTICLASS ? p->n_classes
           : p->problem == PROBLEM_NONE     ? p->n_answers
                                            : 1;
}

/* Is it a comparison that others go by?  Some are of what is missing. */
static bool
compares(const struct graph *g, const struct graph_node *n)
{
    bool any = false;

    for (size_t k = 0; k < n->n_in; k++)
        any = any || g->node[n->in[k]].op == GRAPH_STEP;
    return any &&
           (n->op == GRAPH_OR || n->op == GRAPH_SUB || n->op == GRAPH_WHERE);
}

bool
portable_wide(const struct portable *p)
{
    for (size_t i = 0; i < p->graph->n && !p->wide; i++) {
        enum graph_op op = p->graph->node[i].op;

        if (op == GRAPH_DISTANCE || op == GRAPH_FLOOR || op == GRAPH_POW ||
            op == GRAPH_MOD || op == GRAPH_WHOLE ||
            compares(p->graph, &p->graph->node[i]))
            return true;
    }
    return p->wide;
}

bool
portable_rounds(const struct portable *p)
{
    bool trees = false;

    for (size_t i = 0; i < p->graph->n; i++)
        trees = trees || p->graph->node[i].op == GRAPH_TREES;
    return trees && p->wide;
}

const struct portable_grams *
portable_grams_at(const struct portable *p, size_t node)
{
    const struct portable_grams *g = p->grams;

    while (g && g->node != node)
        g = g->next;
    return g;
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
names_check(const struct portable *p, struct error *err)
{
    size_t n = p->graph->n_cols;
    const char **name = mem_try_array(n, sizeof *name, err);
    bool ok = name != NULL;

    for (size_t i = 0; i < n && ok; i++) {
        name[i] = p->input[i].name;
        ok = name[i] ||
             error_set(err, ERR_PARSE, "input %zu has no name", i + 1);
    }
    if (ok)
        qsort(name, n, sizeof *name, by_text);
    for (size_t i = 1; i < n && ok; i++)
        ok = strcmp(name[i - 1], name[i]) != 0 ||
             error_set(err, ERR_PARSE, "input '%s' is there twice", name[i]);
    free(name);
    return ok;
}

bool
portable_check(struct portable *p, struct error *err)
{
    size_t k = p->n_classes;

    if ((p->problem == PROBLEM_REGRESSION || p->problem == PROBLEM_NONE) !=
            (k == 0) ||
        (p->problem == PROBLEM_BINARY && k != 2))
        return error_set(err, ERR_PARSE, "%zu classes for a %s model", k,
                         problem_word(p->problem));
    return names_check(p, err) &&
           graph_check(p->graph, portable_width(p), err) &&
           buf_check(&p->about, err) && buf_check(&p->notes, err);
}

/* ---- as a model ---- */

enum col_type
portable_type(const struct portable_input *in)
{
    if (in->n_levels)
        return COL_TEXT;
    return in->dated == COL_DATE || in->dated == COL_TIMESTAMP ? in->dated
                                                               : COL_FLOAT64;
}

static void
column_json(const struct portable_input *in, bool feature,
            struct json_writer *w)
{
    json_open(w, '{');
    json_name(w, "name");
    json_put_string(w, in->name);
    json_name(w, "type");
    json_put_string(w, column_type_word(portable_type(in)));
    if (feature && in->n_levels) {
        json_name(w, "levels");
        json_open(w, '[');
        for (size_t i = 0; i < in->n_levels; i++)
            json_put_string(w, in->levels[i]);
        json_close(w, ']');
    }
    if (feature && in->rest) {
        json_name(w, "rest");
        json_put_i64(w, (int64_t)in->rest - 1);
    }
    json_close(w, '}');
}

static void
columns_json(const struct portable *p, const char *name, bool feature,
             struct json_writer *w)
{
    json_name(w, name);
    json_open(w, '[');
    for (size_t i = 0; i < p->graph->n_cols; i++)
        column_json(&p->input[i], feature, w);
    json_close(w, ']');
}

static void
prepare_text(const struct portable *p, struct buf *out)
{
    struct json_writer w;

    json_writer_init(&w, out);
    json_open(&w, '{');
    json_name(&w, "style");
    json_put_string(&w, "trees");
    columns_json(p, "inputs", false, &w);
    json_name(&w, "derive");
    json_open(&w, '[');
    json_close(&w, ']');
    columns_json(p, "features", true, &w);
    json_name(&w, "notes");
    json_put_string(&w, p->notes.data);
    json_close(&w, '}');
}

struct model *
portable_model(const struct portable *p, struct error *err)
{
    struct buf prepare, about;
    struct model_parts parts = {.family = &imported_family,
                                .target = p->n_answers ? NULL
                                          : p->target  ? p->target
                                                       : "target",
                                .problem = p->problem,
                                .classes = (const char *const *)p->classes,
                                .n_classes = p->n_classes};
    struct model *m = NULL;

    buf_init(&prepare);
    buf_init(&about);
    prepare_text(p, &prepare);
    buf_printf(&about, "{%s}", p->about.data);
    if (buf_check(&prepare, err) && buf_check(&about, err) &&
        (parts.learner =
             imported_new(graph_ref(p->graph), p->answer, p->n_answers, err))) {
        parts.prepare = prepare.data;
        parts.params = about.data;
        m = model_of_parts(&parts, err);
    }
    buf_fini(&prepare);
    buf_fini(&about);
    return m;
}
