/* engine/port/graph_file.c -- a graph in lathe's own artifact.
 *
 * The manifest says what nodes there are and how long their arrays; these
 * stand one behind the other in two tensors, numbers (a, then b) and indices.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/graph_state.h"

/* ---- saving ---- */

static void
put_count(struct json_writer *m, const char *name, size_t n)
{
    if (n == 0)
        return;
    json_name(m, name);
    json_put_i64(m, (int64_t)n);
}

static void
node_json(const struct graph_node *n, struct json_writer *m)
{
    json_open(m, '{');
    json_name(m, "op");
    json_put_string(m, graph_op_word(n->op));
    put_count(m, "width", n->width);
    json_name(m, "in");
    json_open(m, '[');
    for (size_t k = 0; k < n->n_in; k++)
        json_put_i64(m, n->in[k]);
    json_close(m, ']');
    put_count(m, "a", n->n_a);
    put_count(m, "b", n->n_b);
    put_count(m, "index", n->n_index);
    if (n->c != 0) { /* NaN as null */
        json_name(m, "c");
        json_put_double(m, n->c);
    }
    json_close(m, '}');
}

void
graph_save(const struct graph *g, struct st_writer *w, struct json_writer *m)
{
    const struct graph_state *s = g->state;

    json_name(m, "nodes");
    json_open(m, '[');
    for (size_t i = 0; i < g->n; i++)
        node_json(&g->node[i], m);
    json_close(m, ']');
    st_add1(w, "imported.number", ST_F64, s->n_numbers, s->number);
    st_add1(w, "imported.index", ST_U32, s->n_indices, s->index);
    for (size_t i = 0; i < g->n; i++)
        if (g->node[i].trees)
            ensemble_save(g->node[i].trees, (unsigned)i, w);
}

/* ---- loading ---- */

struct loader {
    const struct st_file *file;
    struct graph *g;
    size_t number, index; /* how far they are used */
};

static bool
count_read(const struct json *o, const char *key, size_t *out,
           struct error *err)
{
    int64_t v = 0;

    if (!json_find(o, key))
        return true;
    if (!json_get_i64(o, key, &v, err))
        return false;
    if (v < 0 || v > UINT32_MAX)
        return error_set(err, ERR_CORRUPT, "%s is %" PRId64, key, v);
    *out = (size_t)v;
    return true;
}

static bool
op_read(const struct json *o, enum graph_op *out, struct error *err)
{
    const char *word;

    if (!json_get_string(o, "op", &word, err))
        return false;
    for (int op = 0; op < GRAPH_N_OPS; op++)
        if (strcmp(word, graph_op_word((enum graph_op)op)) == 0) {
            *out = (enum graph_op)op;
            return true;
        }
    return error_set(err, ERR_CORRUPT, "step '%.16s' is not known", word);
}

static bool
inputs_read(struct loader *l, const struct json *o, struct graph_node *n,
            struct error *err)
{
    struct graph_state *s = l->g->state;
    const struct json *a;

    if (!json_get_array(o, "in", &a, err) ||
        !(n->in = arena_try(&s->arena, json_len(a), sizeof *n->in, err)))
        return false;
    for (const struct json *v = json_first(a); v; v = json_next(v)) {
        double x = json_type(v) == JSON_NUMBER ? json_number(v) : -1;

        /* That nodes stand behind their inputs is seen by graph_check(). */
        if (!(x >= 0 && x < (double)l->g->n))
            return error_set(err, ERR_CORRUPT, "a step has a bad input");
        n->in[n->n_in++] = (uint32_t)x;
    }
    return true;
}

/* The arrays of a node are the next ones. */
static bool
arrays_take(struct loader *l, struct graph_node *n, struct error *err)
{
    struct graph_state *s = l->g->state;

    if (n->n_a > s->n_numbers - l->number ||
        n->n_b > s->n_numbers - l->number - n->n_a ||
        n->n_index > s->n_indices - l->index)
        return error_set(err, ERR_CORRUPT, "a step has more than there is");
    n->a = s->number + l->number;
    n->b = n->a + n->n_a;
    n->index = s->index + l->index;
    l->number += n->n_a + n->n_b;
    l->index += n->n_index;
    return true;
}

static bool
node_read(struct loader *l, const struct json *o, struct error *err)
{
    struct graph *g = l->g;
    struct graph_node n = {0}, *more;
    const struct json *c;

    if (json_type(o) != JSON_OBJECT)
        return error_set(err, ERR_CORRUPT, "a step is %s", json_type_word(o));
    if (!op_read(o, &n.op, err) || !count_read(o, "width", &n.width, err) ||
        !count_read(o, "a", &n.n_a, err) || !count_read(o, "b", &n.n_b, err) ||
        !count_read(o, "index", &n.n_index, err) ||
        !inputs_read(l, o, &n, err) || !arrays_take(l, &n, err))
        return false;
    if ((c = json_find(o, "c")))
        n.c = json_type(c) == JSON_NUMBER ? json_number(c) : (double)NAN;
    if (n.op == GRAPH_TREES && n.n_in == 1 &&
        !(n.trees = ensemble_load(l->file, (unsigned)g->n,
                                  g->node[n.in[0]].width, n.width, err)))
        return false;
    if (g->n >= GRAPH_MAX_NODES ||
        !(more = mem_try_grow(g->node, g->n, &g->cap, sizeof *more, err))) {
        ensemble_free(n.trees);
        return g->n < GRAPH_MAX_NODES
                   ? false
                   : error_set(err, ERR_CORRUPT, "too many steps");
    }
    g->node = more;
    g->node[g->n++] = n;
    return true;
}

static void *
borrow(const struct st_file *f, const char *name, enum st_type type, size_t *n,
       struct error *err)
{
    struct st_tensor t;
    void *data;

    if (!st_need(f, name, type, -1, &t, err))
        return NULL;
    *n = (size_t)t.n;
    memcpy(&data, &t.data, sizeof data);
    return data;
}

struct graph *
graph_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
           size_t width, struct error *err)
{
    struct graph *g = graph_new(n_cols, err);
    struct loader l = {f, g, 0, 0};
    struct graph_state *s = g ? g->state : NULL;
    const struct json *a;
    bool ok = false;

    if (g &&
        (s->number =
             borrow(f, "imported.number", ST_F64, &s->n_numbers, err)) &&
        (s->index = borrow(f, "imported.index", ST_U32, &s->n_indices, err)) &&
        json_get_array(manifest, "nodes", &a, err)) {
        ok = true;
        for (const struct json *v = json_first(a); v && ok; v = json_next(v))
            ok = node_read(&l, v, err);
        ok = ok && graph_check(g, width, err);
    }
    if (ok)
        return g;
    graph_unref(g);
    return NULL;
}
