/* engine/port/pmml_out_clusters.c -- write clusters as PMML.
 *
 * Centres are in the units of the fields; what scales these is a field's weight.
 * Source: the ClusteringModel of PMML 4.4, whose euclidean measure is the root
 *         of the sum of weights times squares of differences, and whose squared
 *         one is that sum.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>

#include "engine/port/pmml_out.h"
#include "engine/port/xml.h"

/* The distances of which the least one's place and root are the answers, or
 * without *root itself; or NULL. */
static const struct graph_node *
distances_find(const struct graph *g, bool *root)
{
    const struct graph_node *last = &g->node[g->n - 1], *part[2];
    const struct graph_node *nearest;

    if (last->op != GRAPH_JOIN || last->n_in != 2 || last->width != 2)
        return NULL;
    part[0] = &g->node[last->in[0]];
    part[1] = &g->node[last->in[1]];
    *root = part[1]->op == GRAPH_SQRT;
    if (*root)
        part[1] = &g->node[part[1]->in[0]];
    for (size_t k = 0; k < 2; k++)
        if (part[k]->op != GRAPH_PICK || part[k]->width != 1 ||
            part[k]->index[0] != k || part[k]->in[0] != part[0]->in[0])
            return NULL;
    nearest = &g->node[part[0]->in[0]];
    if (nearest->op != GRAPH_NEAREST || nearest->width != 2 ||
        g->node[nearest->in[0]].op != GRAPH_DISTANCE)
        return NULL;
    return &g->node[nearest->in[0]];
}

/* The name of the field that a column is, without what weighs it. */
static void
put_name(struct pmml_writing *w, const struct pmml_term *t, size_t column)
{
    if (t->kind == PMML_TERM_LEVEL) {
        buf_printf(w->out, "lathe level %zu", column);
        return;
    }
    buf_puts(w->out, t->kind == PMML_TERM_FLAG     ? "missing "
                     : t->kind == PMML_TERM_FILLED ? "filled "
                                                   : "");
    xml_put(w->out, w->p->input[t->input].name);
}

/* 1 where the text is among those of the group. */
static void
put_level(struct pmml_writing *w, const struct pmml_term *t, size_t column)
{
    const struct portable_input *in = &w->p->input[t->input];

    buf_puts(w->out, "<DerivedField name=\"");
    put_name(w, t, column);
    buf_puts(w->out, "\" optype=\"continuous\" dataType=\"double\">"
                     "<Apply function=\"sum\">");
    for (size_t k = 0; k < t->hot->n_a; k++) {
        double key = t->hot->a[k];

        if (t->hot->index[k] != t->group ||
            !(key >= 0 && key < (double)in->n_levels))
            continue;
        buf_puts(w->out, "<NormDiscrete");
        pmml_put_attribute(w, "field", in->name);
        pmml_put_attribute(w, "value", in->levels[(size_t)key]);
        buf_puts(w->out, " mapMissingTo=\"0\"/>");
    }
    buf_puts(w->out, "</Apply></DerivedField>\n");
}

static void
put_fields(struct pmml_writing *w, const struct pmml_term *t, size_t n,
           bool root)
{
    buf_puts(w->out, "<LocalTransformations>\n");
    for (size_t j = 0; j < n; j++)
        if (t[j].kind == PMML_TERM_LEVEL)
            put_level(w, &t[j], j);
        else if (t[j].kind != PMML_TERM_NUMBER)
            pmml_put_derived(w, &t[j]);
    buf_printf(w->out,
               "</LocalTransformations>\n<ComparisonMeasure "
               "kind=\"distance\" compareFunction=\"absDiff\">"
               "<%s/></ComparisonMeasure>\n",
               root ? "euclidean" : "squaredEuclidean");
    for (size_t j = 0; j < n; j++) {
        buf_puts(w->out, "<ClusteringField field=\"");
        put_name(w, &t[j], j);
        buf_putc(w->out, '"');
        pmml_put_number(w, "fieldWeight", t[j].factor * t[j].factor);
        buf_puts(w->out, "/>\n");
    }
}

static void
put_centre(struct pmml_writing *w, const struct pmml_term *t, size_t n,
           const double *centre, size_t place)
{
    buf_printf(w->out, "<Cluster id=\"%zu\"><Array n=\"%zu\" type=\"real\">",
               place, n);
    for (size_t j = 0; j < n; j++) {
        char text[STR_F64_MAX];

        (void)str_from_f64((centre[j] - t[j].shift) / t[j].factor, text);
        buf_printf(w->out, j ? " %s" : "%s", text);
    }
    buf_puts(w->out, "</Array></Cluster>\n");
}

static void
put_output(struct pmml_writing *w)
{
    static const char *const as[2][2] = {
        {" optype=\"categorical\" dataType=\"string\"", "predictedValue"},
        {" optype=\"continuous\" dataType=\"double\"", "affinity"}};

    buf_puts(w->out, "<Output>\n");
    for (size_t c = 0; c < 2; c++) {
        buf_puts(w->out, "<OutputField");
        pmml_put_attribute(w, "name", w->p->answer[c].name);
        buf_printf(w->out, "%s feature=\"%s\"/>\n", as[c][0], as[c][1]);
    }
    buf_puts(w->out, "</Output>\n");
}

bool
pmml_put_clusters(struct pmml_writing *w)
{
    bool root;
    const struct graph_node *apart = distances_find(w->g, &root);
    size_t n = apart ? w->g->node[apart->in[0]].width : 0;
    struct pmml_term *t;
    bool ok = true;

    if (!apart)
        return pmml_refuse(w->err);
    if (!(t = pmml_terms(w, apart->in[0])))
        return false;
    for (size_t j = 0; j < n; j++)
        ok = ok && isnormal(t[j].factor) && isnormal(t[j].factor * t[j].factor);
    if (!ok) {
        free(t);
        return pmml_refuse(w->err);
    }
    pmml_put_head(w);
    buf_printf(w->out,
               "<ClusteringModel functionName=\"clustering\" "
               "modelClass=\"centerBased\" numberOfClusters=\"%zu\">\n",
               apart->width);
    pmml_put_schema(w, NULL, false);
    put_output(w);
    put_fields(w, t, n, root);
    for (size_t k = 0; k < apart->width; k++)
        put_centre(w, t, n, apart->a + k * n, k + 1);
    buf_puts(w->out, "</ClusteringModel>\n</PMML>\n");
    free(t);
    return true;
}
