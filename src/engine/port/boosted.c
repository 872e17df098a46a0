/* engine/port/boosted.c -- trees and a link function.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/boosted.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- finding ---- */

static bool
is_link(enum graph_op op)
{
    return op == GRAPH_CLIP || op == GRAPH_SIGMOID || op == GRAPH_SOFTMAX ||
           op == GRAPH_EXP || op == GRAPH_STEP || op == GRAPH_SOFTPLUS ||
           op == GRAPH_SQUARE;
}

static bool
is_shares(const struct graph_node *n)
{
    return n->op == GRAPH_CLIP && n->a[0] == 0 && n->b[0] == 1;
}

bool
boosted_find_in(const struct graph *g, struct boosted *out)
{
    const struct graph_node *n = &g->node[g->n - 1];

    *out = (struct boosted){.link = GRAPH_INPUT};
    if (n->op == GRAPH_NORMALIZE && is_shares(&g->node[n->in[0]])) {
        out->link = GRAPH_NORMALIZE;
        n = &g->node[g->node[n->in[0]].in[0]];
    } else if (is_link(n->op) && (n->op != GRAPH_CLIP || is_shares(n))) {
        out->link = n->op;
        n = &g->node[n->in[0]];
    }
    if (n->op == GRAPH_TREES) {
        out->e = n->trees;
        out->node = (uint32_t)(n - g->node);
        n = &g->node[n->in[0]];
    }
    if (n->op == GRAPH_ROUND) {
        out->rounded = true;
        n = &g->node[n->in[0]];
    }
    out->column = n->index;
    return out->e && n->op == GRAPH_INPUT;
}

bool
boosted_find(const struct portable *p, const char *format, struct boosted *out,
             struct error *err)
{
    return boosted_find_in(p->graph, out) ||
           error_set(err, ERR_TYPE,
                     "%s holds trees and nothing else: write this model as "
                     "%s",
                     format,
                     p->n_answers || p->curves || portable_wide(p)
                         ? "--onnx or --c"
                         : "--onnx, --c or --pmml");
}

bool
boosted_put_link(struct portable *p, enum graph_op link, uint32_t in,
                 struct error *err)
{
    struct graph *g = p->graph;

    if (link == GRAPH_INPUT)
        return true;
    if (link != GRAPH_CLIP && link != GRAPH_NORMALIZE)
        return graph_add_simple(g, link, in, NULL, err);
    return graph_add_clip(g, in, 0, 1, &in, err) &&
           (link == GRAPH_CLIP || graph_add_simple(g, link, in, NULL, err));
}

bool
boosted_put(struct portable *p, struct ensemble *e, bool round,
            enum graph_op link, struct error *err)
{
    uint32_t in;

    if (graph_add_input(p->graph, 0, e->n_cols, &in, err))
        return boosted_put_at(p, in, e, round, link, err);
    ensemble_free(e);
    return false;
}

bool
boosted_put_at(struct portable *p, uint32_t in, struct ensemble *e, bool round,
               enum graph_op link, struct error *err)
{
    struct graph_node n = {
        .op = GRAPH_TREES, .width = e->n_outputs, .n_in = 1, .trees = e};

    n.in = &in;
    if (round && !graph_add_simple(p->graph, GRAPH_ROUND, in, &in, err)) {
        ensemble_free(e);
        return false;
    }
    return graph_add(p->graph, &n, &in, err) &&
           boosted_put_link(p, link, in, err);
}

/* ---- trees as lists ---- */

static bool
list_push(struct boosted_node **list, size_t *n, size_t *cap, uint32_t node,
          uint32_t parent, struct error *err)
{
    struct boosted_node *more;

    if (*n >= BOOSTED_MAX_NODES)
        return error_set(err, ERR_LIMIT, "a tree of more than %d nodes",
                         BOOSTED_MAX_NODES);
    if (!(more = mem_try_grow(*list, *n, cap, sizeof *more, err)))
        return false;
    *list = more;
    more[(*n)++] = (struct boosted_node){node, parent, 0, 0};
    return true;
}

bool
boosted_tree(const struct ensemble *e, size_t t, struct boosted_node **out,
             size_t *n, struct error *err)
{
    struct boosted_node *list = NULL;
    size_t cap = 0;

    *n = 0;
    if (!list_push(&list, n, &cap, e->root[t], UINT32_MAX, err))
        return false;
    for (size_t i = 0; i < *n; i++) {
        uint32_t node = list[i].node;

        if ((e->kind[node] & ENSEMBLE_KIND) == ENSEMBLE_LEAF)
            continue;
        list[i].yes = (uint32_t)*n;
        list[i].no = (uint32_t)*n + 1;
        if (!list_push(&list, n, &cap, e->yes[node], (uint32_t)i, err) ||
            !list_push(&list, n, &cap, e->no[node], (uint32_t)i, err)) {
            free(list);
            return false;
        }
    }
    *out = list;
    return true;
}

double *
boosted_gains(const struct ensemble *e, struct error *err)
{
    double *gain = mem_try_array(e->n_cols, sizeof *gain, err);
    size_t *n = gain ? mem_try_array(e->n_cols, sizeof *n, err) : NULL;

    if (!n) {
        free(gain);
        return NULL;
    }
    for (size_t i = 0; i < e->n_nodes; i++)
        if ((e->kind[i] & ENSEMBLE_KIND) != ENSEMBLE_LEAF)
            n[e->feature[i]]++;
    for (size_t c = 0; c < e->n_cols; c++)
        gain[c] = n[c] ? e->gain[c] / (double)n[c] : 0;
    free(n);
    return gain;
}

bool
boosted_rounds(const struct ensemble *e, const char *format, size_t **out,
               size_t *n_rounds, struct error *err)
{
    size_t k = e->n_outputs, rounds = 0, *output, *order = NULL;
    size_t *count = mem_try_array(k, sizeof *count, err);
    bool ok = false;

    output = mem_try_array(e->n_trees, sizeof *output, err);
    if (!count || !output)
        goto out;
    for (size_t t = 0; t < e->n_trees; t++) {
        output[t] = ensemble_output(e, t);
        if (output[t] == k) {
            error_set(err, ERR_TYPE,
                      "a leaf of tree %zu has several values, which %s cannot "
                      "say: write this model as --onnx or --c",
                      t + 1, format);
            goto out;
        }
        if (++count[output[t]] > rounds)
            rounds = count[output[t]];
    }
    if (!(order = mem_try_array(rounds * k, sizeof *order, err)))
        goto out;
    for (size_t i = 0; i < rounds * k; i++)
        order[i] = SIZE_MAX;
    memset(count, 0, k * sizeof *count);
    for (size_t t = 0; t < e->n_trees; t++)
        order[count[output[t]]++ * k + output[t]] = t;
    *out = order;
    *n_rounds = rounds;
    ok = true;
out:
    free(count);
    free(output);
    return ok;
}

/* ---- the schema ---- */

void
portable_schema_json(const struct portable *p, struct json_writer *w)
{
    struct boosted b;
    struct error ignored;

    json_open(w, '{');
    json_name(w, "target");
    json_put_string(w, p->target);
    json_name(w, "classes");
    json_open(w, '[');
    for (size_t i = 0; i < p->n_classes; i++)
        json_put_string(w, p->classes[i]);
    json_close(w, ']');
    if (boosted_find(p, "", &b, &ignored) &&
        (b.link == GRAPH_CLIP || b.link == GRAPH_NORMALIZE)) {
        json_name(w, "answers");
        json_put_string(w, "shares");
    }
    for (size_t c = 0; c < p->n_answers; c++) {
        if (c == 0) {
            json_name(w, "outputs");
            json_open(w, '[');
        }
        json_open(w, '{');
        json_name(w, "name");
        json_put_string(w, p->answer[c].name);
        json_name(w, "whole");
        json_put_bool(w, p->answer[c].whole);
        json_close(w, '}');
        if (c + 1 == p->n_answers)
            json_close(w, ']');
    }
    json_name(w, "inputs");
    json_open(w, '[');
    for (size_t i = 0; i < p->graph->n_cols; i++) {
        json_open(w, '{');
        json_name(w, "name");
        json_put_string(w, p->input[i].name);
        if (portable_type(&p->input[i]) == COL_DATE ||
            portable_type(&p->input[i]) == COL_TIMESTAMP) {
            json_name(w, "type");
            json_put_string(w, column_type_word(portable_type(&p->input[i])));
        }
        if (p->input[i].n_levels) {
            json_name(w, "levels");
            json_open(w, '[');
            for (size_t k = 0; k < p->input[i].n_levels; k++)
                json_put_string(w, p->input[i].levels[k]);
            json_close(w, ']');
        }
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static bool
all_texts(const struct json *a)
{
    if (!a || json_type(a) != JSON_ARRAY)
        return false;
    for (const struct json *v = json_first(a); v; v = json_next(v))
        if (json_type(v) != JSON_STRING)
            return false;
    return true;
}

bool
portable_levels(struct portable *p, size_t i, const struct json *a,
                struct error *err)
{
    const char **level;
    size_t n = 0;

    if (!all_texts(a) || json_len(a) == 0)
        return true;
    if (!(level = arena_try(&p->arena, json_len(a), sizeof *level, err)))
        return false;
    for (const struct json *v = json_first(a); v; v = json_next(v), n++)
        if (!(level[n] = arena_text(&p->arena, json_string(v),
                                    strlen(json_string(v)), err)))
            return false;
    p->input[i].levels = level;
    p->input[i].n_levels = n;
    return true;
}

static bool
inputs_read(struct portable *p, const struct json *a, bool with_levels,
            struct error *err)
{
    size_t i = 0;

    if (!a || json_type(a) != JSON_ARRAY || json_len(a) != p->graph->n_cols)
        return true;
    for (const struct json *v = json_first(a); v; v = json_next(v), i++) {
        const struct json *name =
            json_type(v) == JSON_OBJECT ? json_find(v, "name") : NULL;
        const struct json *levels = name ? json_find(v, "levels") : NULL;

        const struct json *type = name ? json_find(v, "type") : NULL;

        if (!name || json_type(name) != JSON_STRING || !*json_string(name))
            return true;
        if (!type || json_type(type) != JSON_STRING ||
            !column_type_parse(json_string(type), &p->input[i].dated))
            p->input[i].dated = COL_BOOL;
        if (!portable_name(p, i, str_of(json_string(name)), err) ||
            (with_levels && !portable_levels(p, i, levels, err)))
            return false;
    }
    return true;
}

static bool
classes_read(struct portable *p, const struct json *a, struct error *err)
{
    const char *name[TARGET_MAX_CLASSES];
    size_t n = 0;

    if (!all_texts(a) || json_len(a) != p->n_classes || p->n_classes == 0)
        return true;
    for (const struct json *v = json_first(a); v; v = json_next(v))
        name[n++] = json_string(v);
    return portable_classes(p, name, n, err);
}

bool
portable_schema_shares(struct str text, bool *out, struct error *err)
{
    struct error why = {0};
    struct json *v = json_parse(text, &why);
    const struct json *word =
        v && json_type(v) == JSON_OBJECT ? json_find(v, "answers") : NULL;

    *out = word && json_type(word) == JSON_STRING &&
           strcmp(json_string(word), "shares") == 0;
    json_free(v);
    return why.code != ERR_NOMEM ||
           error_set(err, ERR_NOMEM, "%s", why.message);
}

bool
portable_schema_read(struct portable *p, struct str text, bool levels,
                     struct error *err)
{
    struct error why = {0};
    struct json *v = json_parse(text, &why);
    const struct json *target;
    bool ok = true;

    if (!v || json_type(v) != JSON_OBJECT) {
        json_free(v);
        return why.code != ERR_NOMEM ||
               error_set(err, ERR_NOMEM, "%s", why.message);
    }
    target = json_find(v, "target");
    if (target && json_type(target) == JSON_STRING && *json_string(target))
        ok = (p->target = arena_text(&p->arena, json_string(target),
                                     strlen(json_string(target)), err)) != NULL;
    ok = ok && classes_read(p, json_find(v, "classes"), err) &&
         inputs_read(p, json_find(v, "inputs"), levels, err);
    json_free(v);
    return ok;
}
