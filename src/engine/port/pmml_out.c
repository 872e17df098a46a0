/* engine/port/pmml_out.c -- write PMML.
 *
 * A linear model's preparation is folded into it: scaling into coefficients and
 * intercept, one-hot columns into categorical predictors; what is filled in and
 * flags for what is missing are derived fields.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/boosted.h"
#include "engine/port/pmml.h"
#include "engine/port/pmml_out.h"
#include "engine/port/xml.h"

bool
pmml_refuse(struct error *err)
{
    return error_set(err, ERR_TYPE,
                     "PMML holds trees, linear models and clusters, with their "
                     "usual preparation: write this model as --onnx or --c");
}

/* ---- pieces ---- */

void
pmml_put_attribute(struct pmml_writing *w, const char *name, const char *value)
{
    buf_printf(w->out, " %s=\"", name);
    xml_put(w->out, value);
    buf_putc(w->out, '"');
}

void
pmml_put_number(struct pmml_writing *w, const char *name, double x)
{
    char text[STR_F64_MAX];

    (void)str_from_f64(fmax(fmin(x, DBL_MAX), -DBL_MAX), text);
    pmml_put_attribute(w, name, text);
}

static const char *
number_type(const struct pmml_writing *w)
{
    return w->floats ? "float" : "double";
}

static const char *
target_name(const struct pmml_writing *w)
{
    return w->p->target ? w->p->target : "target";
}

static void
put_field(struct pmml_writing *w, const struct portable_input *in)
{
    buf_puts(w->out, "  <DataField");
    pmml_put_attribute(w, "name", in->name);
    pmml_put_attribute(w, "optype",
                       in->n_levels ? "categorical" : "continuous");
    pmml_put_attribute(w, "dataType", in->n_levels ? "string" : number_type(w));
    buf_puts(w->out, in->n_levels ? ">\n" : "/>\n");
    for (size_t k = 0; k < in->n_levels; k++) {
        buf_puts(w->out, "   <Value");
        pmml_put_attribute(w, "value", in->levels[k]);
        buf_puts(w->out, "/>\n");
    }
    if (in->n_levels)
        buf_puts(w->out, "  </DataField>\n");
}

void
pmml_put_head(struct pmml_writing *w)
{
    struct portable_input target = {.name = target_name(w),
                                    .levels = w->p->classes,
                                    .n_levels = w->p->n_classes};

    buf_puts(w->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<PMML xmlns=\"http://www.dmg.org/PMML-4_4\" "
                     "version=\"4.4\">\n"
                     " <Header><Application name=\"lathe\" "
                     "version=\"" PACKAGE_VERSION "\"/></Header>\n");
    buf_printf(w->out, " <DataDictionary numberOfFields=\"%zu\">\n",
               w->g->n_cols + (w->p->n_answers == 0));
    for (size_t c = 0; c < w->g->n_cols; c++)
        put_field(w, &w->p->input[c]);
    if (w->p->n_answers == 0)
        put_field(w, &target);
    buf_puts(w->out, " </DataDictionary>\n");
}

/* All inputs, or those that are marked; the target where asked for. */
void
pmml_put_schema(struct pmml_writing *w, const bool *marked, bool target)
{
    buf_puts(w->out, "<MiningSchema>\n");
    for (size_t c = 0; c < w->g->n_cols; c++) {
        if (marked && !marked[c])
            continue;
        buf_puts(w->out, "<MiningField");
        pmml_put_attribute(w, "name", w->p->input[c].name);
        if (w->p->input[c].n_levels)
            pmml_put_attribute(w, "invalidValueTreatment", "asMissing");
        buf_puts(w->out, "/>\n");
    }
    if (target) {
        buf_puts(w->out, "<MiningField");
        pmml_put_attribute(w, "name", target_name(w));
        pmml_put_attribute(w, "usageType", "target");
        buf_puts(w->out, "/>\n");
    }
    buf_puts(w->out, "</MiningSchema>\n");
}

static const char *
function_word(const struct pmml_writing *w)
{
    return w->p->n_classes ? "classification" : "regression";
}

/* What makes answers of sums; NULL: nothing that PMML has. */
static const char *
normalization(const struct pmml_writing *w, enum graph_op link)
{
    switch (link) {
    case GRAPH_INPUT:
        return w->p->n_classes ? NULL : "none";
    case GRAPH_EXP:
        return w->p->n_classes ? NULL : "exp";
    case GRAPH_SIGMOID:
        return w->p->n_classes == 2 ? "logit" : NULL;
    case GRAPH_SOFTMAX:
        return w->p->n_classes > 2 ? "softmax" : NULL;
    case GRAPH_CLIP:
        return w->p->n_classes == 2 ? "none" : NULL;
    case GRAPH_NORMALIZE:
        return w->p->n_classes > 2 ? "simplemax" : NULL;
    default:
        return NULL;
    }
}

/* ---- trees ---- */

/* Members of a set as a list of words or numbers. */
static void
put_array(struct pmml_writing *w, const struct boosted *b, uint32_t node)
{
    const struct ensemble *e = b->e;
    const struct portable_input *in = &w->p->input[b->column[e->feature[node]]];
    uint32_t set = (uint32_t)e->threshold[node];
    size_t bits = (size_t)(e->set_start[set + 1] - e->set_start[set]) * 64;

    buf_printf(w->out, "<Array type=\"%s\">", in->n_levels ? "string" : "int");
    for (size_t v = 0; v < bits; v++) {
        if (!ensemble_has(e, set, (double)v))
            continue;
        if (in->n_levels == 0) {
            buf_printf(w->out, "%zu ", v);
            continue;
        }
        if (v >= in->n_levels)
            continue;
        /* In quotes, which within are written \". */
        buf_puts(w->out, "&quot;");
        for (const char *s = in->levels[v]; *s; s++) {
            char one[2] = {*s, '\0'};

            if (*s == '"' || *s == '\\')
                buf_putc(w->out, '\\');
            xml_put(w->out, one);
        }
        buf_puts(w->out, "&quot; ");
    }
    buf_puts(w->out, "</Array>");
}

/* What leads to a child of `node`. */
static void
put_predicate(struct pmml_writing *w, const struct boosted *b, uint32_t node,
              bool yes)
{
    static const char *const words[][2] = {
        [ENSEMBLE_LT] = {"greaterOrEqual", "lessThan"},
        [ENSEMBLE_LE] = {"greaterThan", "lessOrEqual"},
        [ENSEMBLE_EQ] = {"notEqual", "equal"}};
    const struct ensemble *e = b->e;
    enum ensemble_kind kind =
        (enum ensemble_kind)(e->kind[node] & ENSEMBLE_KIND);
    const char *name = w->p->input[b->column[e->feature[node]]].name;
    double t = e->threshold[node];

    if (kind == ENSEMBLE_SET) {
        buf_puts(w->out, "<SimpleSetPredicate");
        pmml_put_attribute(w, "field", name);
        pmml_put_attribute(w, "booleanOperator", yes ? "isIn" : "isNotIn");
        buf_putc(w->out, '>');
        put_array(w, b, node);
        buf_puts(w->out, "</SimpleSetPredicate>\n");
        return;
    }
    if (b->rounded)
        t = ensemble_cut(kind, t, true,
                         kind == ENSEMBLE_LT ? CUT_FLOAT_LT : CUT_FLOAT_LE);
    buf_puts(w->out, "<SimplePredicate");
    pmml_put_attribute(w, "field", name);
    pmml_put_attribute(w, "operator", words[kind][yes]);
    pmml_put_number(w, "value", t);
    buf_puts(w->out, "/>\n");
}

static void
open_node(struct pmml_writing *w, const struct boosted *b,
          const struct boosted_node *list, size_t i)
{
    const struct ensemble *e = b->e;
    uint32_t node = list[i].node;
    bool leaf = (e->kind[node] & ENSEMBLE_KIND) == ENSEMBLE_LEAF;

    buf_printf(w->out, "<Node id=\"%zu\"", i);
    if (leaf)
        pmml_put_number(w, "score", ensemble_leaf(e, node));
    else
        buf_printf(w->out, " defaultChild=\"%lu\"",
                   (unsigned long)(e->kind[node] & ENSEMBLE_MISSING_YES
                                       ? list[i].yes
                                       : list[i].no));
    buf_puts(w->out, ">");
    if (list[i].parent == UINT32_MAX)
        buf_puts(w->out, "<True/>\n");
    else
        put_predicate(w, b, list[list[i].parent].node,
                      list[list[i].parent].yes == i);
}

/* Down and up again without recursion: a node is closed when both of its
 * children are. */
static void
put_nodes(struct pmml_writing *w, const struct boosted *b,
          const struct boosted_node *list)
{
    size_t i = 0;

    open_node(w, b, list, i);
    for (;;) {
        uint32_t parent = list[i].parent;

        if ((b->e->kind[list[i].node] & ENSEMBLE_KIND) != ENSEMBLE_LEAF) {
            i = list[i].yes;
            open_node(w, b, list, i);
            continue;
        }
        buf_puts(w->out, "</Node>\n");
        while (parent != UINT32_MAX && list[parent].no == i) {
            buf_puts(w->out, "</Node>\n");
            i = parent;
            parent = list[i].parent;
        }
        if (parent == UINT32_MAX)
            return;
        i = list[parent].no;
        open_node(w, b, list, i);
    }
}

static bool
put_tree(struct pmml_writing *w, const struct boosted *b, size_t t, size_t id)
{
    struct boosted_node *list = NULL;
    bool *marked = mem_try_array(w->g->n_cols, sizeof *marked, w->err);
    size_t n = 0;

    if (!marked ||
        (t != SIZE_MAX && !boosted_tree(b->e, t, &list, &n, w->err))) {
        free(marked);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if ((b->e->kind[list[i].node] & ENSEMBLE_KIND) != ENSEMBLE_LEAF)
            marked[b->column[b->e->feature[list[i].node]]] = true;
    buf_printf(w->out,
               "<Segment id=\"%zu\"><True/>\n<TreeModel "
               "functionName=\"regression\" "
               "missingValueStrategy=\"defaultChild\" "
               "splitCharacteristic=\"binarySplit\">\n",
               id);
    pmml_put_schema(w, marked, false);
    if (list)
        put_nodes(w, b, list);
    else
        buf_puts(w->out, "<Node id=\"0\" score=\"0\"><True/></Node>\n");
    buf_puts(w->out, "</TreeModel></Segment>\n");
    free(list);
    free(marked);
    return buf_check(w->out, w->err);
}

/* The sum of the trees of output k, as a field of its own. */
static bool
put_sum(struct pmml_writing *w, const struct boosted *b, const size_t *order,
        size_t n_rounds, size_t k)
{
    size_t n_outputs = b->e->n_outputs;

    buf_printf(w->out,
               "<Segment id=\"score%zu\"><True/>\n<MiningModel "
               "functionName=\"regression\">\n",
               k);
    pmml_put_schema(w, NULL, false);
    buf_printf(w->out,
               "<Output><OutputField name=\"lathe score %zu\" "
               "optype=\"continuous\" dataType=\"double\" "
               "feature=\"predictedValue\"/></Output>\n"
               "<Segmentation multipleModelMethod=\"sum\">\n",
               k);
    for (size_t i = 0; i < n_rounds || i == 0; i++)
        if (!progress_check(w->p->arena.stop, w->err) ||
            !put_tree(w, b, n_rounds ? order[i * n_outputs + k] : SIZE_MAX, i))
            return false;
    buf_puts(w->out, "</Segmentation></MiningModel></Segment>\n");
    return true;
}

static void
open_table(struct pmml_writing *w, double intercept, const char *category)
{
    buf_puts(w->out, "<RegressionTable");
    pmml_put_number(w, "intercept", intercept);
    if (category)
        pmml_put_attribute(w, "targetCategory", category);
    buf_puts(w->out, ">\n");
}

/* Of two classes the first has no table of its own. */
static void
put_last_table(struct pmml_writing *w)
{
    if (w->p->n_classes != 2)
        return;
    open_table(w, 0, w->p->classes[0]);
    buf_puts(w->out, "</RegressionTable>\n");
}

static const char *
category_of(const struct pmml_writing *w, size_t k)
{
    return w->p->n_classes == 0 ? NULL
                                : w->p->classes[w->p->n_classes == 2 ? 1 : k];
}

/* Sums that are shares, within 0..1. */
static void
put_shares(struct pmml_writing *w, size_t n)
{
    buf_puts(w->out, "<LocalTransformations>\n");
    for (size_t k = 0; k < n; k++)
        buf_printf(w->out,
                   "<DerivedField name=\"lathe share %zu\" "
                   "optype=\"continuous\" dataType=\"double\"><Apply "
                   "function=\"min\"><Apply function=\"max\"><FieldRef "
                   "field=\"lathe score %zu\"/><Constant "
                   "dataType=\"double\">0</Constant></Apply><Constant "
                   "dataType=\"double\">1</Constant></Apply>"
                   "</DerivedField>\n",
                   k, k);
    buf_puts(w->out, "</LocalTransformations>\n");
}

static void
put_answer(struct pmml_writing *w, const struct boosted *b)
{
    bool shares = b->link == GRAPH_CLIP || b->link == GRAPH_NORMALIZE;

    buf_puts(w->out, "<Segment id=\"answer\"><True/>\n<RegressionModel");
    pmml_put_attribute(w, "functionName", function_word(w));
    pmml_put_attribute(w, "normalizationMethod", normalization(w, b->link));
    buf_puts(w->out, ">\n<MiningSchema>\n");
    for (size_t k = 0; k < b->e->n_outputs; k++)
        buf_printf(w->out, "<MiningField name=\"lathe score %zu\"/>\n", k);
    buf_puts(w->out, "<MiningField");
    pmml_put_attribute(w, "name", target_name(w));
    pmml_put_attribute(w, "usageType", "target");
    buf_puts(w->out, "/>\n</MiningSchema>\n");
    if (shares)
        put_shares(w, b->e->n_outputs);
    for (size_t k = 0; k < b->e->n_outputs; k++) {
        open_table(w, b->e->base[k], category_of(w, k));
        buf_printf(w->out,
                   "<NumericPredictor name=\"lathe %s %zu\" "
                   "coefficient=\"1\"/>\n</RegressionTable>\n",
                   shares ? "share" : "score", k);
    }
    put_last_table(w);
    buf_puts(w->out, "</RegressionModel></Segment>\n");
}

static bool
trees_write(struct pmml_writing *w, const struct boosted *b)
{
    size_t *order = NULL, n_rounds;
    bool ok = true;

    for (size_t i = 0; i < b->e->n_nodes; i++)
        if (b->e->kind[i] & ENSEMBLE_ZERO_MISSING)
            return pmml_refuse(w->err);
    if (!normalization(w, b->link))
        return pmml_refuse(w->err);
    if (!ensemble_no_lines(b->e, "PMML", w->err) ||
        !boosted_rounds(b->e, "PMML", &order, &n_rounds, w->err))
        return false;
    w->floats = b->rounded;
    pmml_put_head(w);
    buf_puts(w->out, "<MiningModel");
    pmml_put_attribute(w, "functionName", function_word(w));
    buf_puts(w->out, ">\n");
    pmml_put_schema(w, NULL, true);
    buf_puts(w->out, "<Segmentation multipleModelMethod=\"modelChain\">\n");
    for (size_t k = 0; k < b->e->n_outputs && ok; k++)
        ok = put_sum(w, b, order, n_rounds, k);
    put_answer(w, b);
    buf_puts(w->out, "</Segmentation></MiningModel>\n</PMML>\n");
    free(order);
    return ok;
}

/* ---- linear models ---- */

static bool
trace(const struct pmml_writing *w, uint32_t id, size_t j, struct pmml_term *t)
{
    *t = (struct pmml_term){.kind = PMML_TERM_NUMBER, .factor = 1};
    for (;;) {
        const struct graph_node *n = &w->g->node[id];

        switch (n->op) {
        case GRAPH_INPUT:
            t->input = n->index[j];
            return (t->kind == PMML_TERM_LEVEL) ==
                   (w->p->input[t->input].n_levels > 0);
        case GRAPH_PICK:
            j = n->index[j];
            break;
        case GRAPH_JOIN: {
            size_t k = 0;

            while (j >= w->g->node[n->in[k]].width)
                j -= w->g->node[n->in[k++]].width;
            id = n->in[k];
            continue;
        }
        case GRAPH_ROUND:
            break;
        case GRAPH_SCALE:
            if (t->kind != PMML_TERM_NUMBER)
                return false;
            t->shift -= t->factor * n->b[j] * n->a[j];
            t->factor *= n->b[j];
            break;
        case GRAPH_FILL:
            if (t->kind != PMML_TERM_NUMBER)
                return false;
            t->kind = PMML_TERM_FILLED;
            t->fill = n->a[j];
            break;
        case GRAPH_MISSING:
            if (t->kind != PMML_TERM_NUMBER || n->c == 2)
                return false;
            t->kind = PMML_TERM_FLAG;
            break;
        case GRAPH_ONEHOT:
            if (t->kind != PMML_TERM_NUMBER)
                return false;
            t->kind = PMML_TERM_LEVEL;
            t->hot = n;
            t->group = (uint32_t)j;
            j = 0;
            break;
        default:
            return false;
        }
        id = n->in[0];
    }
}

struct pmml_term *
pmml_terms(struct pmml_writing *w, uint32_t id)
{
    size_t n = w->g->node[id].width;
    struct pmml_term *t = mem_try_array(n, sizeof *t, w->err);

    for (size_t i = 0; i < n && t; i++)
        if (!trace(w, id, i, &t[i])) {
            pmml_refuse(w->err);
            free(t);
            return NULL;
        }
    return t;
}

void
pmml_put_derived(struct pmml_writing *w, const struct pmml_term *t)
{
    const char *name = w->p->input[t->input].name;
    bool flag = t->kind == PMML_TERM_FLAG;
    char fill[STR_F64_MAX];

    (void)str_from_f64(t->fill, fill);
    buf_puts(w->out, "<DerivedField name=\"");
    buf_puts(w->out, flag ? "missing " : "filled ");
    xml_put(w->out, name);
    buf_puts(w->out, "\" optype=\"continuous\" dataType=\"double\">"
                     "<Apply function=\"if\"><Apply "
                     "function=\"isMissing\"><FieldRef");
    pmml_put_attribute(w, "field", name);
    buf_printf(w->out, "/></Apply><Constant dataType=\"double\">%s</Constant>",
               flag ? "1" : fill);
    if (flag) {
        buf_puts(w->out, "<Constant dataType=\"double\">0</Constant>");
    } else {
        buf_puts(w->out, "<FieldRef");
        pmml_put_attribute(w, "field", name);
        buf_puts(w->out, "/>");
    }
    buf_puts(w->out, "</Apply></DerivedField>\n");
}

static void
put_level_terms(struct pmml_writing *w, const struct pmml_term *t,
                double weight)
{
    const struct portable_input *in = &w->p->input[t->input];

    for (size_t k = 0; k < t->hot->n_a; k++) {
        double key = t->hot->a[k];

        if (t->hot->index[k] != t->group ||
            !(key >= 0 && key < (double)in->n_levels))
            continue;
        buf_puts(w->out, "<CategoricalPredictor");
        pmml_put_attribute(w, "name", in->name);
        pmml_put_attribute(w, "value", in->levels[(size_t)key]);
        pmml_put_number(w, "coefficient", weight);
        buf_puts(w->out, "/>\n");
    }
}

static void
put_number_term(struct pmml_writing *w, const struct pmml_term *t,
                double weight)
{
    buf_puts(w->out, "<NumericPredictor name=\"");
    buf_puts(w->out, t->kind == PMML_TERM_FLAG     ? "missing "
                     : t->kind == PMML_TERM_FILLED ? "filled "
                                                   : "");
    xml_put(w->out, w->p->input[t->input].name);
    buf_putc(w->out, '"');
    pmml_put_number(w, "coefficient", weight * t->factor);
    buf_puts(w->out, "/>\n");
}

/* Numbers first, as the schema has it. */
static void
put_table(struct pmml_writing *w, const struct graph_node *dense,
          const struct pmml_term *t, size_t k)
{
    size_t n = dense->n_a / dense->width;
    double intercept = dense->n_b ? dense->b[k] : 0;

    for (size_t i = 0; i < n; i++)
        intercept += dense->a[i * dense->width + k] * t[i].shift;
    open_table(w, intercept, category_of(w, k));
    for (size_t i = 0; i < n; i++)
        if (t[i].kind != PMML_TERM_LEVEL)
            put_number_term(w, &t[i], dense->a[i * dense->width + k]);
    for (size_t i = 0; i < n; i++)
        if (t[i].kind == PMML_TERM_LEVEL)
            put_level_terms(w, &t[i], dense->a[i * dense->width + k]);
    buf_puts(w->out, "</RegressionTable>\n");
}

static bool
linear_write(struct pmml_writing *w, const struct graph_node *dense,
             enum graph_op link)
{
    struct pmml_term *t = pmml_terms(w, dense->in[0]);

    if (!t)
        return false;
    if (!normalization(w, link)) {
        free(t);
        return pmml_refuse(w->err);
    }
    for (size_t i = 0; i < w->g->n; i++)
        w->floats |= w->g->node[i].op == GRAPH_ROUND;
    pmml_put_head(w);
    buf_puts(w->out, "<RegressionModel");
    pmml_put_attribute(w, "functionName", function_word(w));
    pmml_put_attribute(w, "normalizationMethod", normalization(w, link));
    buf_puts(w->out, ">\n");
    pmml_put_schema(w, NULL, true);
    buf_puts(w->out, "<LocalTransformations>\n");
    for (size_t i = 0; i < dense->n_a / dense->width; i++)
        if (t[i].kind == PMML_TERM_FILLED || t[i].kind == PMML_TERM_FLAG)
            pmml_put_derived(w, &t[i]);
    buf_puts(w->out, "</LocalTransformations>\n");
    for (size_t k = 0; k < dense->width; k++)
        put_table(w, dense, t, k);
    put_last_table(w);
    buf_puts(w->out, "</RegressionModel>\n</PMML>\n");
    free(t);
    return true;
}

/* XML has no way to say most bytes below a blank, and with a blank instead two
 * texts would become one. */
static bool
text_check(const char *s, struct error *err)
{
    for (const char *c = s; *c; c++)
        if ((unsigned char)*c < 32 && !xml_is_blank(*c))
            return error_set(err, ERR_TYPE,
                             "PMML cannot hold '%.64s', which has a control "
                             "character: write this model as --onnx or --c",
                             s);
    return true;
}

static bool
texts_check(const struct portable *p, struct error *err)
{
    if (p->target && !text_check(p->target, err))
        return false;
    for (size_t c = 0; c < p->n_classes; c++)
        if (!text_check(p->classes[c], err))
            return false;
    for (size_t i = 0; i < p->graph->n_cols; i++) {
        const struct portable_input *in = &p->input[i];

        if (!text_check(in->name, err))
            return false;
        for (size_t l = 0; l < in->n_levels; l++)
            if (!text_check(in->levels[l], err))
                return false;
    }
    return true;
}

bool
pmml_write(const struct portable *p, struct buf *out, struct error *err)
{
    struct pmml_writing w = {.p = p, .g = p->graph, .out = out, .err = err};
    const struct graph_node *last = &w.g->node[w.g->n - 1];
    enum graph_op link = GRAPH_INPUT;
    struct error ignored;
    struct boosted b;

    if (!texts_check(p, err))
        return false;
    if (p->n_answers)
        return pmml_put_clusters(&w) && buf_check(out, err);
    if (boosted_find(p, "PMML", &b, &ignored))
        return trees_write(&w, &b) && buf_check(out, err);
    if (last->op != GRAPH_DENSE && last->n_in == 1) {
        link = last->op;
        last = &w.g->node[last->in[0]];
    }
    if (last->op != GRAPH_DENSE)
        return pmml_refuse(err);
    return linear_write(&w, last, link) && buf_check(out, err);
}
