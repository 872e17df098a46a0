/* engine/port/pmml_in_clusters.c -- read clusters of PMML.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/pmml_in.h"
#include "engine/port/pmml_known.h"
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

/* What is 1 for some levels of a text: NormDiscrete, or the first of a sum of
 * such; else NULL. */
static const struct xml *
levels_find(const struct xml *derived)
{
    const struct xml *x = derived ? derived->first : NULL;
    const char *function = xml_get(x, "function");

    if (!x || x->next)
        return NULL;
    if (xml_is(x, "Apply") && function && strcmp(function, "sum") == 0)
        x = x->first;
    return x && xml_is(x, "NormDiscrete") ? x : NULL;
}

/* The level that is told by x, which none before it was. */
static bool
level_take(struct pmml_reading *r, const struct xml *x, uint32_t input,
           bool *seen, double *key)
{
    const char *value = xml_get(x, "value");
    uint32_t other, code = DICT_NONE;

    if (!xml_is(x, "NormDiscrete"))
        return pmml_bad(r, "a sum of levels and of something else");
    if (value)
        code = dict_find(r->levels[input], str_of(value));
    if (!pmml_column(r, xml_get(x, "field"), &other))
        return false;
    if (other != input || code == DICT_NONE)
        return pmml_bad(r, "NormDiscrete of no level of its field");
    if (seen[code])
        return pmml_bad(r, "a sum that has a level twice");
    seen[code] = true;
    *key = code;
    return true;
}

/* 1 for some levels of a text. */
static bool
levels_put(struct pmml_reading *r, const struct xml *first, uint32_t *id)
{
    struct graph_node hot = {
        .op = GRAPH_ONEHOT, .width = 1, .n_in = 1, .in = id};
    uint32_t input;
    bool *seen, ok;

    for (const struct xml *x = first; x; x = x->next)
        hot.n_a++;
    hot.n_index = hot.n_a;
    if (!pmml_column(r, xml_get(first, "field"), &input))
        return false;
    if (!r->levels[input])
        return pmml_bad(r, "NormDiscrete of a number");
    hot.a = mem_try_array(hot.n_a, sizeof *hot.a, r->err);
    seen = mem_try_array(dict_count(r->levels[input]), sizeof *seen, r->err);
    ok = hot.a && seen;
    hot.n_a = 0;
    for (const struct xml *x = first; x && ok; x = x->next)
        ok = level_take(r, x, input, seen, &hot.a[hot.n_a++]);
    ok = ok && graph_add_input(r->p->graph, input, 1, id, r->err) &&
         graph_add(r->p->graph, &hot, id, r->err);
    free(hot.a);
    free(seen);
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
    enum pmml_slot slot;
    uint32_t input;
    double with = 0;

    if (!pmml_slot_of(r, name, &input, &slot))
        return false;
    if (r->levels[input] || (slot != PMML_SLOT_PLAIN) != (derived != NULL) ||
        (derived && (!pmml_fills(derived, r->p->input[input].name, &with) ||
                     isnan(with) != (slot == PMML_SLOT_FLAG))))
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
    const struct xml *level = levels_find(derived);
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
    if (n != c->n)
        return pmml_bad(r, "a centre of other than a number a field");
    return pmml_array_holds(r, array, n);
}

/* ---- the whole ---- */

static bool
parts_put(struct pmml_reading *r, const struct xml *model,
          const struct clusters *c)
{
    bool root = xml_child(xml_child(model, "ComparisonMeasure"), "euclidean");
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
           portable_put_clusters(g, id, c->centre, c->k, root, r->err);
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
    return parts_put(r, model, c) && portable_answers(r->p, 2, r->err);
}

/* No name of an output is there twice. */
static bool
names_differ(struct pmml_reading *r, const struct xml *output)
{
    struct dict *names = dict_new(r->err);
    size_t n = 0;
    bool ok = names;

    for (const struct xml *f = xml_child(output, "OutputField"); f && ok;
         f = xml_next(f, "OutputField")) {
        const char *name = xml_get(f, "name");
        uint32_t code;

        if (!name)
            continue;
        ok = dict_add(names, str_of(name), &code, r->err) &&
             (code == n++ || pmml_bad(r, "two outputs of one name"));
    }
    dict_unref(names);
    return ok;
}

/* As the document calls them, where that is short enough. */
static bool
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

        if (c && xml_get(f, "value")) /* to another than the nearest */
            continue;
        if (name && what && (c || strcmp(what, "predictedValue") == 0) &&
            *name && strlen(name) < sizeof r->p->answer[c].name)
            strcpy(r->p->answer[c].name, name);
    }
    if (strcmp(r->p->answer[0].name, r->p->answer[1].name) == 0)
        return pmml_bad(r, "two outputs of one name");
    return names_differ(r, all);
}

bool
pmml_clusters_read(struct pmml_reading *r, const struct xml *model)
{
    size_t n = count(model, "ClusteringField"), k = count(model, "Cluster");
    struct clusters c = {0};
    size_t cells;
    double said;
    bool ok;

    if (n == 0 || k == 0 || n > GRAPH_MAX_WIDTH || !mem_mul(n, k, &cells))
        return pmml_bad(r, "clusters of no fields, or without a centre");
    if (!pmml_number(r, model, "numberOfClusters", (double)k, &said))
        return false;
    if (said != (double)k)
        return pmml_bad(r, "numberOfClusters is not how many there are");
    c.part = mem_try_array(n, sizeof *c.part, r->err);
    c.root = mem_try_array(n, sizeof *c.root, r->err);
    c.centre = mem_try_array(cells, sizeof *c.centre, r->err);
    ok = c.part && c.root && c.centre && clusters_take(r, model, &c) &&
         names_take(r, model);
    free(c.part);
    free(c.root);
    free(c.centre);
    free(c.derived);
    dict_unref(c.names);
    return ok;
}
