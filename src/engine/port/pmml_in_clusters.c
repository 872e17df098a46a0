/* engine/port/pmml_in_clusters.c -- read clusters of PMML.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/pmml_in.h"
#include "engine/port/portable_of.h"

/* Fields side by side, what weighs their differences, and the centres. */
struct clusters {
    size_t n, k;
    uint32_t *part; /* n: a node of one column each */
    double *root;   /* n: of the weight */
    double *centre; /* (k, n) */
    struct dict *names;
    const struct xml **derived; /* by their codes */
};

static size_t
count(const struct xml *model, const char *name)
{
    size_t n = 0;

    for (const struct xml *x = xml_child(model, name); x; x = xml_next(x, name))
        n++;
    return n;
}

/* ---- fields ---- */

/* Derived fields by their names. */
static bool
derived_read(struct pmml_reading *r, const struct xml *model,
             struct clusters *c)
{
    const struct xml *all = xml_child(model, "LocalTransformations");
    size_t n = count(all, "DerivedField");

    if (!(c->names = dict_new(r->err)) ||
        !(c->derived = mem_try_array(n, sizeof(struct xml *), r->err)))
        return false;
    for (const struct xml *f = xml_child(all, "DerivedField"); f;
         f = xml_next(f, "DerivedField")) {
        const char *name = xml_get(f, "name");
        uint32_t code;

        if (!name || dict_find(c->names, str_of(name)) != DICT_NONE)
            return pmml_bad(r, "a derived field without a name of its own");
        if (!dict_add(c->names, str_of(name), &code, r->err))
            return false;
        c->derived[code] = f;
    }
    return true;
}

static const struct xml *
derived_find(const struct clusters *c, const char *name)
{
    uint32_t code = dict_find(c->names, str_of(name));

    return code == DICT_NONE ? NULL : c->derived[code];
}

/* 1 for some levels of a text. */
static bool
levels_put(struct pmml_reading *r, const struct xml *first, uint32_t *id)
{
    struct graph_node hot = {
        .op = GRAPH_ONEHOT, .width = 1, .n_in = 1, .in = id};
    uint32_t input, other, code;
    double *key;
    bool ok = true;

    for (const struct xml *x = first; x; x = xml_next(x, "NormDiscrete"))
        hot.n_a++;
    hot.n_index = hot.n_a;
    if (!pmml_column(r, xml_get(first, "field"), &input))
        return false;
    if (!r->levels[input])
        return pmml_bad(r, "NormDiscrete of a number");
    if (!(key = mem_try_array(hot.n_a, sizeof *key, r->err)))
        return false;
    hot.a = key;
    hot.n_a = 0;
    for (const struct xml *x = first; ok && x;
         x = xml_next(x, "NormDiscrete")) {
        const char *value = xml_get(x, "value");

        code = value ? dict_find(r->levels[input], str_of(value)) : DICT_NONE;
        ok = pmml_column(r, xml_get(x, "field"), &other);
        if (ok && (other != input || code == DICT_NONE))
            ok = pmml_bad(r, "NormDiscrete of no level of its field");
        key[hot.n_a++] = code;
    }
    ok = ok && graph_add_input(r->p->graph, input, 1, id, r->err) &&
         graph_add(r->p->graph, &hot, id, r->err);
    free(key);
    return ok;
}

/* A number, filled in, or a flag. */
static bool
number_put(struct pmml_reading *r, const struct xml *derived, const char *name,
           uint32_t *id)
{
    struct graph *g = r->p->graph;
    struct graph_node fill = {
        .op = GRAPH_FILL, .width = 1, .n_in = 1, .in = id, .n_a = 1};
    const struct xml *c = xml_child(xml_child(derived, "Apply"), "Constant");
    enum pmml_slot slot;
    uint32_t input;
    double with = 0;

    if (!pmml_slot_of(r, name, &input, &slot))
        return false;
    if (r->levels[input] || (slot != PMML_SLOT_PLAIN) != (derived != NULL) ||
        (slot == PMML_SLOT_FILLED && (!c || !str_to_f64(c->text, &with))))
        return pmml_bad(r, "a field of clusters that is not known");
    fill.a = &with;
    if (!graph_add_input(g, input, 1, id, r->err) ||
        (r->floats && !graph_add_simple(g, GRAPH_ROUND, *id, id, r->err)))
        return false;
    if (slot == PMML_SLOT_FLAG)
        return graph_add_simple(g, GRAPH_MISSING, *id, id, r->err);
    return slot == PMML_SLOT_PLAIN || graph_add(g, &fill, id, r->err);
}

static bool
field_read(struct pmml_reading *r, const struct xml *field, struct clusters *c)
{
    const char *name = xml_get(field, "field");
    const struct xml *derived = name ? derived_find(c, name) : NULL;
    const struct xml *sum = xml_child(derived, "Apply");
    const struct xml *level =
        xml_child(sum && xml_get(sum, "function") &&
                          strcmp(xml_get(sum, "function"), "sum") == 0
                      ? sum
                      : derived,
                  "NormDiscrete");
    double weight;

    if (!name)
        return pmml_bad(r, "a field of clusters without a name");
    if (!pmml_number(r, field, "fieldWeight", 1, &weight))
        return false;
    if (!(weight > 0))
        return pmml_bad(r, "a field of clusters without a weight");
    c->root[c->n] = sqrt(weight);
    return level ? levels_put(r, level, &c->part[c->n++])
                 : number_put(r, derived, name, &c->part[c->n++]);
}

/* ---- centres ---- */

static bool
centre_read(struct pmml_reading *r, const struct xml *cluster,
            struct clusters *c)
{
    const struct xml *array = xml_child(cluster, "Array");
    struct str text = array ? str_trim(array->text) : STR("");
    double *to = c->centre + c->k++ * c->n;
    const char *id = xml_get(cluster, "id");
    size_t n = 0;
    int64_t place;

    /* Answers are places, from 1 on. */
    if (id && !(str_to_i64(str_of(id), &place) && place == (int64_t)c->k))
        return error_set(r->err, ERR_TYPE,
                         "Cluster: ids that are not 1, 2, ...");
    while (text.n > 0) {
        size_t len = 0;

        while (len < text.n && !strchr(" \t\r\n", text.p[len]))
            len++;
        if (n == c->n || !str_to_f64((struct str){text.p, len}, &to[n]) ||
            !isfinite(to[n]))
            return pmml_bad(r, "a centre of other than a number a field");
        to[n] *= c->root[n];
        n++;
        text = str_trim((struct str){text.p + len, text.n - len});
    }
    return n == c->n || pmml_bad(r, "a centre of other than a number a field");
}

/* ---- the whole ---- */

static bool
parts_put(struct pmml_reading *r, const struct clusters *c)
{
    struct graph *g = r->p->graph;
    uint32_t id;
    struct graph_node join = {
        .op = GRAPH_JOIN, .width = c->n, .n_in = c->n, .in = c->part};
    struct graph_node scale = {.op = GRAPH_SCALE,
                               .width = c->n,
                               .n_in = 1,
                               .in = &id,
                               .n_a = c->n,
                               .n_b = c->n,
                               .b = c->root};

    return graph_add(g, &join, &id, r->err) &&
           graph_add(g, &scale, &id, r->err) &&
           portable_put_clusters(g, id, c->centre, c->k, r->err);
}

static bool
clusters_take(struct pmml_reading *r, const struct xml *model,
              struct clusters *c)
{
    if (!derived_read(r, model, c))
        return false;
    for (const struct xml *f = xml_child(model, "ClusteringField"); f;
         f = xml_next(f, "ClusteringField"))
        if (!field_read(r, f, c))
            return false;
    for (const struct xml *x = xml_child(model, "Cluster"); x;
         x = xml_next(x, "Cluster"))
        if (!centre_read(r, x, c))
            return false;
    return parts_put(r, c) && portable_answers(r->p, 2, r->err);
}

/* As the document calls them, where that is short enough. */
static void
names_take(struct pmml_reading *r, const struct xml *model)
{
    static const struct answer usual[] = {{"cluster", true},
                                          {"distance", false}};
    const struct xml *all = xml_child(model, "Output");

    memcpy(r->p->answer, usual, sizeof usual);
    for (const struct xml *f = xml_child(all, "OutputField"); f;
         f = xml_next(f, "OutputField")) {
        const char *name = xml_get(f, "name"), *what = xml_get(f, "feature");
        size_t c = what && strcmp(what, "affinity") == 0;

        if (name && what && (c || strcmp(what, "predictedValue") == 0) &&
            *name && strlen(name) < sizeof r->p->answer[c].name)
            strcpy(r->p->answer[c].name, name);
    }
}

bool
pmml_clusters_read(struct pmml_reading *r, const struct xml *model)
{
    size_t n = count(model, "ClusteringField"), k = count(model, "Cluster");
    struct clusters c = {0};
    size_t cells;
    bool ok;

    if (n == 0 || k == 0 || n > GRAPH_MAX_WIDTH || !mem_mul(n, k, &cells))
        return pmml_bad(r, "clusters of no fields, or without a centre");
    c.part = mem_try_array(n, sizeof *c.part, r->err);
    c.root = mem_try_array(n, sizeof *c.root, r->err);
    c.centre = mem_try_array(cells, sizeof *c.centre, r->err);
    ok = c.part && c.root && c.centre && clusters_take(r, model, &c);
    if (ok)
        names_take(r, model);
    free(c.part);
    free(c.root);
    free(c.centre);
    free(c.derived);
    dict_unref(c.names);
    return ok;
}
