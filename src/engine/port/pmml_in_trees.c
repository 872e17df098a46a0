/* engine/port/pmml_in_trees.c -- read sums of trees of PMML.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/ensemble.h"
#include "engine/port/pmml_in.h"

/* ---- trees ---- */

struct tree {
    struct ensemble *e;
    struct ensemble_node *node;
    size_t n, cap, output;
};

static size_t
node_push(struct pmml_reading *r, struct tree *t)
{
    struct ensemble_node *more =
        mem_try_grow(t->node, t->n, &t->cap, sizeof *more, r->err);

    if (!more)
        return SIZE_MAX;
    t->node = more;
    more[t->n] = (struct ensemble_node){0};
    return t->n++;
}

/* The next word of a list: in quotes, with \" within, or bare; into text, which
 * has room for all of the list. */
static struct str
next_member(struct str list, size_t *at, char *text)
{
    bool quoted = list.p[*at] == '"';
    size_t len = 0;

    for (*at += quoted; *at < list.n && (quoted ? list.p[*at] != '"'
                                                : !xml_is_blank(list.p[*at]));
         ++*at) {
        *at += quoted && list.p[*at] == '\\' && *at + 1 < list.n;
        text[len++] = list.p[*at];
    }
    *at += quoted;
    return (struct str){text, len};
}

static bool
members_read(struct pmml_reading *r, const struct xml *array, uint32_t column,
             double *member, size_t *n)
{
    struct str list = array->text;
    char *text = mem_try_array(list.n + 1, 1, r->err);
    bool ok = text != NULL;

    *n = 0;
    for (size_t at = 0; at < list.n && ok;) {
        struct str word;

        if (xml_is_blank(list.p[at])) {
            at++;
            continue;
        }
        word = next_member(list, &at, text);
        if (r->levels[column])
            member[*n] = dict_find(r->levels[column], word);
        else if (!str_to_f64(word, &member[*n]))
            ok = pmml_bad(r, "a list of numbers holds something else");
        ++*n;
    }
    free(text);
    return ok && pmml_array_holds(r, array, *n);
}

static bool
set_read(struct pmml_reading *r, struct tree *t, const struct xml *x,
         struct ensemble_node *to, bool *yes)
{
    const struct xml *array = xml_child(x, "Array");
    const char *op = xml_get(x, "booleanOperator");
    double *member;
    uint32_t number;
    size_t n;
    bool ok;

    if (!array || !op)
        return pmml_bad(r, "a set without its members");
    *yes = strcmp(op, "isIn") == 0;
    to->kind = ENSEMBLE_SET;
    member = mem_try_array(array->text.n + 1, sizeof *member, r->err);
    ok = member && members_read(r, array, to->feature, member, &n) &&
         ensemble_add_set(t->e, member, n, &number, r->err);
    free(member);
    if (ok)
        to->threshold = number;
    return ok;
}

/* The question that the first child answers with yes or no. */
static bool
predicate_read(struct pmml_reading *r, struct tree *t, const struct xml *child,
               struct ensemble_node *to, bool *yes)
{
    static const struct {
        const char *op;
        enum ensemble_kind kind;
        bool yes;
    } ops[] = {
        {"lessThan", ENSEMBLE_LT, true},
        {"greaterOrEqual", ENSEMBLE_LT, false},
        {"lessOrEqual", ENSEMBLE_LE, true},
        {"greaterThan", ENSEMBLE_LE, false},
        {"equal", ENSEMBLE_EQ, true},
        {"notEqual", ENSEMBLE_EQ, false},
    };
    const struct xml *x = xml_child(child, "SimplePredicate");
    const struct xml *set = xml_child(child, "SimpleSetPredicate");
    const char *op = xml_get(x, "operator");

    if (!pmml_column(r, xml_get(x ? x : set, "field"), &to->feature))
        return false;
    if (set)
        return set_read(r, t, set, to, yes);
    for (size_t i = 0; i < sizeof ops / sizeof *ops && op; i++)
        if (strcmp(op, ops[i].op) == 0) {
            to->kind = (uint8_t)ops[i].kind;
            *yes = ops[i].yes;
            return pmml_number(r, x, "value", 0, &to->threshold);
        }
    return pmml_bad(r, "a predicate that is not known");
}

static bool
inner_read(struct pmml_reading *r, struct tree *t, const struct xml *x,
           size_t at, const struct xml *child[2])
{
    const char *id = xml_get(child[0], "id"), *to = xml_get(x, "defaultChild");
    struct ensemble_node node = {0};
    size_t place[2];
    bool yes = true;

    if (!predicate_read(r, t, child[0], &node, &yes))
        return false;
    for (size_t k = 0; k < 2; k++)
        if ((place[k] = node_push(r, t)) == SIZE_MAX)
            return false;
    node.yes = (uint32_t)place[!yes];
    node.no = (uint32_t)place[yes];
    if (to && id && (strcmp(to, id) == 0) == yes)
        node.kind |= ENSEMBLE_MISSING_YES;
    t->node[at] = node;
    return true;
}

static bool
leaf_read(struct pmml_reading *r, struct tree *t, const struct xml *x,
          size_t at)
{
    double score;

    if (!pmml_number(r, x, "score", 0, &score) ||
        !ensemble_add_value(t->e, t->output, score, r->err))
        return false;
    t->node[at].kind = ENSEMBLE_LEAF;
    t->node[at].feature = (uint32_t)t->e->n_values - 1;
    t->node[at].yes = (uint32_t)t->e->n_values;
    return true;
}

/* Elements wait in a list beside the nodes that they become. */
static bool
nodes_read(struct pmml_reading *r, struct tree *t, const struct xml *root)
{
    const struct xml **x = NULL;
    size_t cap = 0;
    bool ok = node_push(r, t) == 0;

    for (size_t i = 0; ok && i < t->n; i++) {
        const struct xml *child[2] = {NULL, NULL}, **more;

        while (cap < t->n + 2) {
            more =
                mem_try_grow(x, cap, &cap, sizeof(const struct xml *), r->err);
            if (!more) {
                free(x);
                return false;
            }
            x = more;
        }
        if (i == 0)
            x[0] = root;
        child[0] = xml_child(x[i], "Node");
        child[1] = child[0] ? xml_next(child[0], "Node") : NULL;
        if (child[0] && !child[1])
            ok = pmml_bad(r, "a node with one child");
        else
            ok = child[0] ? inner_read(r, t, x[i], i, child)
                          : leaf_read(r, t, x[i], i);
        if (ok && child[0]) {
            x[t->n - 2] = child[0];
            x[t->n - 1] = child[1];
        }
    }
    free(x);
    return ok;
}

static bool
tree_read(struct pmml_reading *r, struct ensemble *e, const struct xml *model,
          size_t output)
{
    struct tree t = {.e = e, .output = output};
    const struct xml *root = xml_child(model, "Node");
    bool ok =
        root ? nodes_read(r, &t, root) : pmml_bad(r, "a tree without a node");

    ok = ok && ensemble_add_tree(e, t.node, t.n, 0, r->err);
    free(t.node);
    return ok;
}

/* ---- chains of sums ---- */

static bool
sum_read(struct pmml_reading *r, struct ensemble *e, const struct xml *model,
         size_t output)
{
    const struct xml *all = xml_child(model, "Segmentation");

    for (const struct xml *s = xml_child(all, "Segment"); s;
         s = xml_next(s, "Segment"))
        if (!progress_check(r->arena.stop, r->err) ||
            !tree_read(r, e, xml_child(s, "TreeModel"), output))
            return false;
    return true;
}

static bool
bases_read(struct pmml_reading *r, struct ensemble *e, const struct xml *model)
{
    for (const struct xml *t = xml_child(model, "RegressionTable"); t;
         t = xml_next(t, "RegressionTable")) {
        size_t k;

        if (!pmml_table_output(r, t, &k))
            return false;
        if (k < e->n_outputs && !pmml_number(r, t, "intercept", 0, &e->base[k]))
            return false;
    }
    return true;
}

bool
pmml_chain_read(struct pmml_reading *r, const struct xml *model)
{
    const struct xml *all = xml_child(model, "Segmentation"), *last = NULL;
    struct ensemble *e =
        ensemble_new(r->p->graph->n_cols, portable_width(r->p), r->err);
    struct graph_node n = {.op = GRAPH_TREES, .n_in = 1};
    enum graph_op link;
    size_t output = 0;
    uint32_t in;
    bool ok = e != NULL;

    for (const struct xml *s = xml_child(all, "Segment"); s && ok;
         s = xml_next(s, "Segment")) {
        const struct xml *sum = xml_child(s, "MiningModel");

        last = xml_child(s, "RegressionModel");
        if (sum)
            ok = sum_read(r, e, sum, output++);
    }
    ok = ok && (last || pmml_bad(r, "no regression behind the sums")) &&
         (output == portable_width(r->p) ||
          pmml_bad(r, "not as many sums as classes")) &&
         bases_read(r, e, last) && pmml_link_read(r, last, &link) &&
         graph_add_input(r->p->graph, 0, r->p->graph->n_cols, &in, r->err) &&
         (!r->floats ||
          graph_add_simple(r->p->graph, GRAPH_ROUND, in, &in, r->err));
    if (!ok) {
        ensemble_free(e);
        return false;
    }
    n.in = &in;
    n.trees = e;
    n.width = e->n_outputs;
    return graph_add(r->p->graph, &n, NULL, r->err) && pmml_ends_in(r, link);
}
