/* engine/port/pmml_out.h -- a PMML document that is written, for pmml_out*.c
 * alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_PMML_OUT_H
#define LATHE_ENGINE_PORT_PMML_OUT_H

#include "engine/port/portable.h"

struct pmml_writing {
    const struct portable *p;
    const struct graph *g;
    bool floats; /* inputs are rounded to 32 bits */
    struct buf *out;
    struct error *err;
};

/* What a column of a node is: factor x + shift of an input. */
struct pmml_term {
    enum {
        PMML_TERM_NUMBER,
        PMML_TERM_FILLED,
        PMML_TERM_FLAG,
        PMML_TERM_LEVEL
    } kind;
    uint32_t input;
    double factor, shift, fill;
    const struct graph_node *hot; /* PMML_TERM_LEVEL: its step, and the group */
    uint32_t group;
};

/* Always false: what PMML holds, and what to do. */
bool pmml_refuse(struct error *err);

/* Name="value" */
void
pmml_put_attribute(struct pmml_writing *w, const char *name, const char *value);
void pmml_put_number(struct pmml_writing *w, const char *name, double x);
/* Up to the model; the target where there is one. */
void pmml_put_head(struct pmml_writing *w);
/* All inputs, or those that are marked; the target where asked for. */
void pmml_put_schema(struct pmml_writing *w, const bool *marked, bool target);

/* The columns of a node, which the caller frees; NULL where one is none of
 * these. */
struct pmml_term *pmml_terms(struct pmml_writing *w, uint32_t id) MUST_USE;
/* "filled x" or "missing x" */
void pmml_put_derived(struct pmml_writing *w, const struct pmml_term *t);

/* A model without a target, all of it. */
bool pmml_put_clusters(struct pmml_writing *w) MUST_USE;
#endif
