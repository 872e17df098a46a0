/* engine/port/pmml_known.c -- is all of a PMML document understood?
 *
 * PMML says much by the way: Targets rescale sums, a MiningField fills in what
 * is missing, a Segmentation averages.  A reader that looks for what it knows
 * passes over the rest and answers something else.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/pmml_known.h"

#include <math.h>
#include <string.h>

#include "base/str.h"

static const struct element {
    const char *name;
    const char *attributes; /* NULL: whatever is in it changes no answer */
} elements[] = {
    {"Apply", "function"},
    {"Array", "n type"},
    {"CategoricalPredictor", "coefficient name value"},
    {"Cluster", "id name size"},
    {"ClusteringField", "compareFunction field fieldWeight"},
    {"ClusteringModel", "algorithmName functionName modelClass modelName "
                        "numberOfClusters"},
    {"ComparisonMeasure", "compareFunction kind"},
    {"Constant", "dataType"},
    {"DataDictionary", "numberOfFields"},
    {"DataField", "dataType displayName name optype"},
    {"DerivedField", "dataType name optype"},
    {"Extension", NULL},
    {"FieldRef", "field"},
    {"Header", NULL},
    {"LocalTransformations", ""},
    {"MiningBuildTask", NULL},
    {"MiningField", "importance invalidValueTreatment name optype usageType"},
    {"MiningModel", "algorithmName functionName modelName"},
    {"MiningSchema", ""},
    {"ModelExplanation", NULL},
    {"ModelStats", NULL},
    {"ModelVerification", NULL},
    {"Node", "defaultChild id recordCount score"},
    {"NormDiscrete", "field mapMissingTo value"},
    {"NumericPredictor", "coefficient exponent name"},
    {"Output", NULL},
    {"PMML", "schemaLocation version xmlns xsi"},
    {"RegressionModel", "algorithmName functionName modelName modelType "
                        "normalizationMethod targetFieldName"},
    {"RegressionTable", "intercept targetCategory"},
    {"ScoreDistribution", NULL},
    {"Segment", "id"},
    {"Segmentation", "multipleModelMethod"},
    {"SimplePredicate", "field operator value"},
    {"SimpleSetPredicate", "booleanOperator field"},
    {"TreeModel", "algorithmName functionName missingValueStrategy modelName "
                  "splitCharacteristic"},
    {"True", ""},
    {"Value", "displayValue value"},
    {"euclidean", ""},
    {"squaredEuclidean", ""},
};
enum { N_ELEMENTS = sizeof elements / sizeof elements[0] };

static bool
refuse(const struct xml *x, const char *what, struct error *err)
{
    return error_set(err, ERR_TYPE, "%.*s: %s",
                     (int)(x->name.n < 64 ? x->name.n : 64), x->name.p, what);
}

/* Is the attribute that word; or not there, with `absent`? */
static bool
says(const struct xml *x, const char *name, const char *word, bool absent)
{
    const char *value = xml_get(x, name);

    return value ? strcmp(value, word) == 0 : absent;
}

static bool
same(const struct xml *a, const struct xml *b, const char *name)
{
    const char *x = xml_get(a, name), *y = xml_get(b, name);

    return x && y && strcmp(x, y) == 0;
}

/* Do two predicates ask the same, and the second for the other answer? */
static bool
is_opposite(const struct xml *a, const struct xml *b)
{
    static const char *const pairs[][2] = {
        {"lessThan", "greaterOrEqual"},
        {"lessOrEqual", "greaterThan"},
        {"equal", "notEqual"},
        {"isIn", "isNotIn"},
    };
    bool set = xml_is(a, "SimpleSetPredicate");
    const char *name = set ? "booleanOperator" : "operator";
    const struct xml *x = xml_child(a, "Array"), *y = xml_child(b, "Array");

    if (!xml_is(b, set ? "SimpleSetPredicate" : "SimplePredicate") ||
        !same(a, b, "field") ||
        (set ? !x || !y || !str_eq(x->text, y->text) : !same(a, b, "value")))
        return false;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if ((says(a, name, pairs[i][0], false) &&
             says(b, name, pairs[i][1], false)) ||
            (says(a, name, pairs[i][1], false) &&
             says(b, name, pairs[i][0], false)))
            return true;
    return false;
}

/* The predicate of a node: its first child that is one. */
static const struct xml *
predicate_of(const struct xml *node)
{
    for (const struct xml *x = node->first; x; x = x->next)
        if (xml_is(x, "True") || xml_is(x, "SimplePredicate") ||
            xml_is(x, "SimpleSetPredicate"))
            return x;
    return NULL;
}

static bool
node_known(const struct xml *node, struct error *err)
{
    const struct xml *a = xml_child(node, "Node");
    const struct xml *b = a ? xml_next(a, "Node") : NULL;
    const struct xml *first = a ? predicate_of(a) : NULL;
    const struct xml *second = b ? predicate_of(b) : NULL;

    if (!xml_is(node->parent, "Node") &&
        !(predicate_of(node) && xml_is(predicate_of(node), "True")))
        return refuse(node, "a root that is not for all rows", err);
    if (!b)
        return true; /* a leaf, or what the reader refuses */
    if (xml_next(b, "Node"))
        return refuse(node, "more than two children", err);
    if (!first || !second ||
        !(xml_is(second, "True") || is_opposite(first, second)))
        return refuse(node, "two children that are not each the other's rest",
                      err);
    return true;
}

static bool
clusters_known(const struct xml *x, struct error *err)
{
    if (xml_is(x, "ClusteringModel") &&
        !says(x, "modelClass", "centerBased", false))
        return refuse(x, "clusters that are not around centres", err);
    if (xml_is(x, "ClusteringModel") &&
        !xml_child(xml_child(x, "ComparisonMeasure"), "euclidean") ==
            !xml_child(xml_child(x, "ComparisonMeasure"), "squaredEuclidean"))
        return refuse(x, "a measure other than the Euclidean one", err);
    if (xml_is(x, "ComparisonMeasure") && !says(x, "kind", "distance", false))
        return refuse(x, "a similarity, not a distance", err);
    if ((xml_is(x, "ComparisonMeasure") || xml_is(x, "ClusteringField")) &&
        !says(x, "compareFunction", "absDiff", true))
        return refuse(x, "a compareFunction other than absDiff", err);
    if (xml_is(x, "NormDiscrete") && !says(x, "mapMissingTo", "0", false))
        return refuse(x, "what is missing is not mapped to 0", err);
    return true;
}

static bool
values_known(const struct xml *x, struct error *err)
{
    const struct xml *up = x->parent ? x->parent->parent : NULL;
    bool within =
        up &&
        xml_is(xml_is(x, "NumericPredictor") && up->parent ? up->parent : up,
               "Segment");

    if (xml_is(x, "Node"))
        return node_known(x, err);
    if (!clusters_known(x, err))
        return false;
    if (xml_is(x, "NumericPredictor") && !says(x, "exponent", "1", true))
        return refuse(x, "an exponent other than 1", err);
    if (within && xml_is(x, "NumericPredictor") && /* of a chain's end */
        !says(x, "coefficient", "1", false))
        return refuse(x, "a sum of trees times another number than 1", err);
    if (xml_is(x, "TreeModel") &&
        !says(x, "missingValueStrategy", "defaultChild", false) &&
        xml_child(xml_child(x, "Node"), "Node"))
        return refuse(x, "missingValueStrategy other than defaultChild", err);
    if (xml_is(x, "Segmentation") &&
        !says(x, "multipleModelMethod", within ? "sum" : "modelChain", false))
        return refuse(x,
                      within ? "trees that are put together by another method "
                               "than sum"
                             : "models that are put together by another method "
                               "than modelChain",
                      err);
    if (xml_is(x, "Segment") && !xml_child(x, "True"))
        return refuse(x, "a segment that is not for all rows", err);
    return true;
}

/* *skip: nothing within changes an answer. */
static bool
element_known(const struct xml *x, bool *skip, struct error *err)
{
    const struct element *e = NULL;

    for (size_t i = 0; i < N_ELEMENTS; i++)
        if (xml_is(x, elements[i].name))
            e = &elements[i];
    if (!e)
        return refuse(x, "an element that is not read", err);
    *skip = e->attributes == NULL;
    if (*skip)
        return true;
    for (const struct xml_attribute *a = x->attribute; a; a = a->next)
        if (!str_is_among(a->name, e->attributes))
            return error_set(err, ERR_TYPE, "%s: attribute '%.*s' is not read",
                             e->name, (int)(a->name.n < 64 ? a->name.n : 64),
                             a->name.p);
    return values_known(x, err);
}

static bool
is_function(const struct xml *x, const char *name)
{
    return x && xml_is(x, "Apply") && says(x, "function", name, false);
}

static bool
is_field(const struct xml *x, const char *field)
{
    return x && xml_is(x, "FieldRef") && says(x, "field", field, false);
}

static bool
is_constant(const struct xml *x, double *out)
{
    return x && xml_is(x, "Constant") && str_to_f64(str_trim(x->text), out) &&
           isfinite(*out);
}

bool
pmml_fills(const struct xml *derived, const char *field, double *with)
{
    const struct xml *all = derived->first, *test, *yes, *no;
    double other;
    bool ok;

    if (!is_function(all, "if") || all->next)
        return false;
    test = all->first;
    if (!is_function(test, "isMissing") || !is_field(test->first, field) ||
        test->first->next)
        return false;
    yes = test->next;
    if (!is_constant(yes, with))
        return false;
    no = yes->next;
    if (!no || no->next)
        return false;
    if (is_field(no, field))
        return true;
    ok = is_constant(no, &other) && *with == 1 && other == 0;
    *with = NAN;
    return ok;
}

bool
pmml_known(const struct xml *root, const struct progress *stop,
           struct error *err)
{
    const struct xml *x = root;

    for (size_t seen = 1;; seen++) {
        bool skip;

        if ((seen % 4096 == 0 && !progress_check(stop, err)) ||
            !element_known(x, &skip, err))
            return false;
        if (x->first && !skip) {
            x = x->first;
            continue;
        }
        while (x != root && !x->next)
            x = x->parent;
        if (x == root)
            return true;
        x = x->next;
    }
}
