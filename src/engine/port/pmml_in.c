/* engine/port/pmml_in.c -- read PMML as lathe writes it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/boosted.h"
#include "engine/port/pmml.h"
#include "engine/port/pmml_in.h"
#include "engine/port/pmml_known.h"
#include "engine/port/xml.h"
#include "frame/dict.h"

bool
pmml_bad(struct pmml_reading *r, const char *what)
{
    return error_set(r->err, ERR_PARSE, "%s", what);
}

bool
pmml_number(struct pmml_reading *r, const struct xml *x, const char *name,
            double fallback, double *out)
{
    const char *text = xml_get(x, name);

    *out = fallback;
    if (!text)
        return true;
    return (str_to_f64(str_of(text), out) && isfinite(*out)) ||
           error_set(r->err, ERR_PARSE, "%s is '%.32s', expected a number",
                     name, text);
}

bool
pmml_column(struct pmml_reading *r, const char *name, uint32_t *out)
{
    *out = name ? dict_find(r->names, str_of(name)) : DICT_NONE;
    return *out != DICT_NONE ||
           error_set(r->err, ERR_PARSE, "field '%.64s' is not known",
                     name ? name : "");
}

bool
pmml_array_holds(struct pmml_reading *r, const struct xml *array, size_t n)
{
    double said;

    return pmml_number(r, array, "n", (double)n, &said) &&
           (said == (double)n ||
            error_set(r->err, ERR_PARSE, "an Array of n=\"%.32s\" holds %zu",
                      xml_get(array, "n"), n));
}

/* ---- fields ---- */

static const struct xml *
model_of(const struct pmml_reading *r)
{
    static const char *const kinds[] = {"MiningModel", "RegressionModel",
                                        "ClusteringModel"};
    const struct xml *m = NULL;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !m; i++)
        m = xml_child(r->root, kinds[i]);
    return m;
}

/* Of clusters there is none. */
static bool
target_find(struct pmml_reading *r)
{
    const struct xml *schema = xml_child(model_of(r), "MiningSchema");

    if (xml_is(model_of(r), "ClusteringModel"))
        return true;
    for (const struct xml *f = xml_child(schema, "MiningField"); f;
         f = xml_next(f, "MiningField")) {
        const char *usage = xml_get(f, "usageType");

        if (usage &&
            (strcmp(usage, "target") == 0 || strcmp(usage, "predicted") == 0))
            r->target = xml_get(f, "name");
    }
    return r->target || pmml_bad(r, "no target");
}

static bool
values_read(struct pmml_reading *r, const struct xml *field, size_t i)
{
    uint32_t code;

    if (!(r->levels[i] = dict_new(r->err)))
        return false;
    for (const struct xml *v = xml_child(field, "Value"); v;
         v = xml_next(v, "Value"))
        if (!xml_get(v, "value"))
            return pmml_bad(r, "a value without a value");
        else if (!dict_add(r->levels[i], str_of(xml_get(v, "value")), &code,
                           r->err))
            return false;
    return true;
}

static bool
classes_read(struct pmml_reading *r, const struct xml *field)
{
    const char *name[TARGET_MAX_CLASSES];
    size_t n = 0;

    for (const struct xml *v = xml_child(field, "Value"); v;
         v = xml_next(v, "Value")) {
        if (n == TARGET_MAX_CLASSES || !xml_get(v, "value"))
            return pmml_bad(r, "too many classes");
        name[n++] = xml_get(v, "value");
    }
    return n == 0 || portable_classes(r->p, name, n, r->err);
}

static bool
field_read(struct pmml_reading *r, const struct xml *f, size_t i)
{
    const char *name = xml_get(f, "name"), *type = xml_get(f, "dataType");
    uint32_t code;

    if (!portable_name(r->p, i, str_of(name), r->err) ||
        !dict_add(r->names, str_of(name), &code, r->err))
        return false;
    if (code != i)
        return pmml_bad(r, "a field is there twice");
    if (type && strcmp(type, "float") == 0)
        r->floats = true;
    return !xml_get(f, "optype") ||
           strcmp(xml_get(f, "optype"), "categorical") != 0 ||
           values_read(r, f, i);
}

static bool
levels_take(struct pmml_reading *r)
{
    for (size_t i = 0; i < r->p->graph->n_cols; i++) {
        size_t n = r->levels[i] ? dict_count(r->levels[i]) : 0;
        const char **level = arena_try(&r->p->arena, n, sizeof *level, r->err);

        for (size_t k = 0; k < n && level; k++) {
            struct str t = dict_text(r->levels[i], (uint32_t)k);

            if (!(level[k] = arena_text(&r->p->arena, t.p, t.n, r->err)))
                return false;
        }
        if (!level)
            return false;
        r->p->input[i].levels = level;
        r->p->input[i].n_levels = n;
    }
    return true;
}

static bool
is_target(const struct pmml_reading *r, const struct xml *field)
{
    return r->target && strcmp(xml_get(field, "name"), r->target) == 0;
}

static bool
fields_read(struct pmml_reading *r)
{
    const struct xml *d = xml_child(r->root, "DataDictionary");
    size_t n = 0;

    for (const struct xml *f = xml_child(d, "DataField"); f;
         f = xml_next(f, "DataField")) {
        if (!xml_get(f, "name"))
            return pmml_bad(r, "a field without a name");
        n += !is_target(r, f);
    }
    if (!(r->p = portable_new(n, r->err)) ||
        !(r->levels = mem_try_array(n, sizeof(struct dict *), r->err)))
        return false;
    if (r->target && !(r->p->target = arena_text(&r->p->arena, r->target,
                                                 strlen(r->target), r->err)))
        return false;
    n = 0;
    for (const struct xml *f = xml_child(d, "DataField"); f;
         f = xml_next(f, "DataField"))
        if (is_target(r, f) ? !classes_read(r, f) : !field_read(r, f, n++))
            return false;
    return levels_take(r);
}

/* ---- answers ---- */

bool
pmml_link_read(struct pmml_reading *r, const struct xml *model,
               enum graph_op *link)
{
    const char *word = xml_get(model, "normalizationMethod");

    *link = r->p->n_classes == 2 ? GRAPH_CLIP : GRAPH_INPUT;
    if (!word || strcmp(word, "none") == 0)
        return true;
    if (strcmp(word, "simplemax") == 0) {
        *link = GRAPH_NORMALIZE;
        return true;
    }
    if (strcmp(word, "logit") == 0)
        *link = GRAPH_SIGMOID;
    else if (strcmp(word, "softmax") == 0)
        *link = GRAPH_SOFTMAX;
    else if (strcmp(word, "exp") == 0)
        *link = GRAPH_EXP;
    else
        return pmml_bad(r, "a normalization that is not known");
    return true;
}

bool
pmml_table_output(struct pmml_reading *r, const struct xml *table, size_t *out)
{
    const char *category = xml_get(table, "targetCategory");
    size_t k = 0;

    *out = 0;
    if (r->p->n_classes == 0)
        return true;
    while (category && k < r->p->n_classes &&
           strcmp(r->p->classes[k], category) != 0)
        k++;
    if (!category || k == r->p->n_classes)
        return pmml_bad(r, "a table for a class that is not there");
    if (r->p->n_classes == 2)
        *out = k == 1 ? 0 : SIZE_MAX;
    else
        *out = k;
    return true;
}

bool
pmml_ends_in(struct pmml_reading *r, enum graph_op link)
{
    return boosted_put_link(r->p, link, (uint32_t)r->p->graph->n - 1, r->err);
}

/* ---- linear models ---- */

struct linear {
    double *fill;   /* of each input */
    bool *derived;  /* inputs x PMML_N_SLOTS: there is such a field */
    size_t *column; /* inputs x PMML_N_SLOTS: the first of the dense step; or
                       SIZE_MAX */
    size_t n;       /* columns */
    double *weight; /* (n, k) */
    double *bias;
    size_t k;
};

/* "filled x", "missing x", or x. */
bool
pmml_slot_of(struct pmml_reading *r, const char *name, uint32_t *input,
             enum pmml_slot *slot)
{
    *slot = PMML_SLOT_PLAIN;
    if (name && dict_find(r->names, str_of(name)) == DICT_NONE) {
        if (str_starts(str_of(name), "filled ")) {
            *slot = PMML_SLOT_FILLED;
            name += 7;
        } else if (str_starts(str_of(name), "missing ")) {
            *slot = PMML_SLOT_FLAG;
            name += 8;
        }
    }
    return pmml_column(r, name, input);
}

static size_t
slot_width(const struct pmml_reading *r, size_t input, enum pmml_slot slot)
{
    return slot == PMML_SLOT_LEVELS ? dict_count(r->levels[input]) : 1;
}

static bool
fills_read(struct pmml_reading *r, struct linear *l, const struct xml *model)
{
    const struct xml *all = xml_child(model, "LocalTransformations");

    for (const struct xml *f = xml_child(all, "DerivedField"); f;
         f = xml_next(f, "DerivedField")) {
        uint32_t input;
        enum pmml_slot slot;
        double with;

        if (!pmml_slot_of(r, xml_get(f, "name"), &input, &slot))
            return false;
        if (slot == PMML_SLOT_PLAIN ||
            !pmml_fills(f, r->p->input[input].name, &with) ||
            isnan(with) != (slot == PMML_SLOT_FLAG))
            return pmml_bad(r, "a derived field that is not known");
        if (l->derived[(size_t)input * PMML_N_SLOTS + slot])
            return pmml_bad(r, "a derived field is there twice");
        l->derived[(size_t)input * PMML_N_SLOTS + slot] = true;
        if (slot == PMML_SLOT_FILLED)
            l->fill[input] = with;
    }
    return true;
}

/* Which slots are used, by all tables. */
static bool
slot_use(struct pmml_reading *r, struct linear *l, uint32_t input,
         enum pmml_slot slot)
{
    size_t place = (size_t)input * PMML_N_SLOTS + slot;
    size_t *at = &l->column[place];

    if ((slot == PMML_SLOT_FILLED || slot == PMML_SLOT_FLAG) &&
        !l->derived[place])
        return pmml_bad(r, "a predictor of a derived field that is not there");
    if ((slot == PMML_SLOT_LEVELS) != (r->levels[input] != NULL))
        return pmml_bad(r, "a predictor of another type than its field");
    if (*at == SIZE_MAX) {
        *at = l->n;
        l->n += slot_width(r, input, slot);
    }
    return true;
}

static bool
predictor(struct pmml_reading *r, struct linear *l, const struct xml *x,
          size_t k)
{
    bool category = xml_is(x, "CategoricalPredictor");
    enum pmml_slot slot = PMML_SLOT_LEVELS;
    uint32_t input, level = 0;
    double w;
    size_t at;

    if (category ? !pmml_column(r, xml_get(x, "name"), &input)
                 : !pmml_slot_of(r, xml_get(x, "name"), &input, &slot))
        return false;
    if (!l->weight)
        return slot_use(r, l, input, slot);
    if (category &&
        (!xml_get(x, "value") ||
         (level = dict_find(r->levels[input], str_of(xml_get(x, "value")))) ==
             DICT_NONE))
        return pmml_bad(r, "a level that its field has not");
    if (!pmml_number(r, x, "coefficient", 0, &w))
        return false;
    at = l->column[(size_t)input * PMML_N_SLOTS + slot] + level;
    l->weight[at * l->k + k] += w;
    return true;
}

static bool
tables_read(struct pmml_reading *r, struct linear *l, const struct xml *model)
{
    for (const struct xml *t = xml_child(model, "RegressionTable"); t;
         t = xml_next(t, "RegressionTable")) {
        size_t k;

        if (!pmml_table_output(r, t, &k))
            return false;
        if (k >= l->k)
            continue;
        if (!pmml_number(r, t, "intercept", 0, &l->bias[k]))
            return false;
        for (const struct xml *x = t->first; x; x = x->next)
            if ((xml_is(x, "NumericPredictor") ||
                 xml_is(x, "CategoricalPredictor")) &&
                !predictor(r, l, x, k))
                return false;
    }
    return true;
}

static bool
slot_put(struct pmml_reading *r, const struct linear *l, uint32_t input,
         enum pmml_slot slot, uint32_t *id)
{
    struct graph *g = r->p->graph;
    size_t width = slot_width(r, input, slot);
    struct graph_node n = {.width = width, .n_in = 1, .in = id};

    if (!graph_add_input(g, input, 1, id, r->err) ||
        (r->floats && slot != PMML_SLOT_LEVELS &&
         !graph_add_simple(g, GRAPH_ROUND, *id, id, r->err)))
        return false;
    if (slot == PMML_SLOT_PLAIN)
        return true;
    n.op = slot == PMML_SLOT_FILLED ? GRAPH_FILL
           : slot == PMML_SLOT_FLAG ? GRAPH_MISSING
                                    : GRAPH_ONEHOT;
    n.n_a = slot == PMML_SLOT_FLAG ? 0 : width;
    n.n_index = slot == PMML_SLOT_LEVELS ? width : 0;
    if (!graph_add(g, &n, id, r->err))
        return false;
    if (slot == PMML_SLOT_FILLED)
        g->node[*id].a[0] = l->fill[input];
    for (size_t k = 0; slot == PMML_SLOT_LEVELS && k < width; k++) {
        g->node[*id].a[k] = (double)k;
        g->node[*id].index[k] = (uint32_t)k;
    }
    return true;
}

/* The columns in the order in which slots came into use. */
static bool
columns_put(struct pmml_reading *r, const struct linear *l, uint32_t *id)
{
    size_t n_slots = r->p->graph->n_cols * PMML_N_SLOTS, used = 0;
    struct graph_node join = {.op = GRAPH_JOIN, .width = l->n};
    uint32_t *part = mem_try_array(n_slots, sizeof *part, r->err);
    size_t *by_column = mem_try_array(l->n, sizeof *by_column, r->err);
    bool ok = part && by_column;

    for (size_t s = 0; s < n_slots && ok; s++)
        if (l->column[s] < l->n)
            by_column[l->column[s]] = s + 1;
    for (size_t c = 0; c < l->n && ok; c++)
        if (by_column[c])
            ok = slot_put(r, l, (uint32_t)((by_column[c] - 1) / PMML_N_SLOTS),
                          (enum pmml_slot)((by_column[c] - 1) % PMML_N_SLOTS),
                          &part[used++]);
    join.n_in = used;
    join.in = part;
    ok = ok && graph_add(r->p->graph, &join, id, r->err);
    free(part);
    free(by_column);
    return ok;
}

static bool
linear_put(struct pmml_reading *r, const struct linear *l, enum graph_op link)
{
    struct graph_node n = {.op = GRAPH_DENSE,
                           .width = l->k,
                           .n_in = 1,
                           .n_a = l->n * l->k,
                           .a = l->weight,
                           .n_b = l->k,
                           .b = l->bias};
    uint32_t id;

    if (!columns_put(r, l, &id))
        return false;
    n.in = &id;
    return graph_add(r->p->graph, &n, NULL, r->err) && pmml_ends_in(r, link);
}

static bool
linear_read(struct pmml_reading *r, const struct xml *model)
{
    size_t inputs = r->p->graph->n_cols, cells;
    struct linear l = {.k = portable_width(r->p)};
    enum graph_op link;
    bool ok;

    l.fill = mem_try_array(inputs, sizeof *l.fill, r->err);
    l.derived = mem_try_array(inputs, PMML_N_SLOTS * sizeof *l.derived, r->err);
    l.column = mem_try_array(inputs, PMML_N_SLOTS * sizeof *l.column, r->err);
    l.bias = mem_try_array(l.k, sizeof *l.bias, r->err);
    ok = l.fill && l.derived && l.column && l.bias;
    for (size_t s = 0; s < inputs * PMML_N_SLOTS && ok; s++)
        l.column[s] = SIZE_MAX;
    ok = ok && fills_read(r, &l, model) && pmml_link_read(r, model, &link) &&
         tables_read(r, &l, model);
    if (ok && (l.n == 0 || l.n > GRAPH_MAX_WIDTH || !mem_mul(l.n, l.k, &cells)))
        ok = pmml_bad(r, "a regression of no columns, or of too many");
    if (ok && (l.weight = mem_try_array(cells, sizeof *l.weight, r->err)))
        ok = tables_read(r, &l, model) && linear_put(r, &l, link);
    else
        ok = false;
    free(l.fill);
    free(l.derived);
    free(l.column);
    free(l.weight);
    free(l.bias);
    return ok;
}

/* ---- the whole ---- */

bool
pmml_is(struct str bytes)
{
    struct str t = str_trim(bytes);

    return str_starts(t, "<?xml") || str_starts(t, "<PMML");
}

static bool
read_all(struct pmml_reading *r, struct str bytes)
{
    const struct xml *model;

    if (!str_utf8_valid(bytes))
        return pmml_bad(r, "not valid UTF-8");
    if (!(r->root = xml_parse(bytes, &r->arena, r->err)) ||
        !(r->names = dict_new(r->err)))
        return false;
    if (!xml_is(r->root, "PMML") || !(model = model_of(r)))
        return pmml_bad(
            r, "no PMML with a mining model, a regression or clusters");
    if (!pmml_known(r->root, r->arena.stop, r->err) || !target_find(r) ||
        !fields_read(r))
        return false;
    portable_tell(r->p, "format", "PMML");
    return (xml_is(model, "MiningModel")       ? pmml_chain_read(r, model)
            : xml_is(model, "ClusteringModel") ? pmml_clusters_read(r, model)
                                               : linear_read(r, model)) &&
           portable_check(r->p, r->err);
}

struct portable *
pmml_read(struct str bytes, const struct progress *stop, struct error *err)
{
    struct pmml_reading r = {.err = err};
    bool ok;

    arena_init(&r.arena);
    r.arena.stop = stop;
    ok = read_all(&r, bytes);
    for (size_t i = 0; r.levels && i < r.p->graph->n_cols; i++)
        dict_unref(r.levels[i]);
    free(r.levels);
    dict_unref(r.names);
    arena_fini(&r.arena);
    if (ok)
        return r.p;
    portable_free(r.p);
    return NULL;
}
