/* engine/port/pmml_in.h -- a PMML document that is read, for pmml_in*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_PMML_IN_H
#define LATHE_ENGINE_PORT_PMML_IN_H

#include "engine/port/portable.h"
#include "engine/port/xml.h"
#include "frame/dict.h"

struct pmml_reading {
    struct arena arena;
    const struct xml *root;
    const char *target;   /* NULL: of clusters */
    struct dict *names;   /* of inputs: code = column */
    struct dict **levels; /* of each input; NULL: a number */
    bool floats;
    struct portable *p;
    struct error *err;
};

/* Always false: ERR_PARSE. */
bool pmml_bad(struct pmml_reading *r, const char *what);
/* An attribute, `fallback` where there is none. */
bool pmml_number(struct pmml_reading *r, const struct xml *x, const char *name,
                 double fallback, double *out) MUST_USE;
/* Are n values as many as an Array says, where it does? */
bool pmml_array_holds(struct pmml_reading *r, const struct xml *array,
                      size_t n) MUST_USE;
/* The input of that name. */
bool
pmml_column(struct pmml_reading *r, const char *name, uint32_t *out) MUST_USE;

/* What an input may stand for: itself, filled in, a flag, its levels. */
enum pmml_slot {
    PMML_SLOT_PLAIN,
    PMML_SLOT_FILLED,
    PMML_SLOT_FLAG,
    PMML_SLOT_LEVELS,
    PMML_N_SLOTS
};
/* "filled x", "missing x", or x. */
bool pmml_slot_of(struct pmml_reading *r, const char *name, uint32_t *input,
                  enum pmml_slot *slot) MUST_USE;

/* What is done to sums, by the normalizationMethod of a model. */
bool pmml_link_read(struct pmml_reading *r, const struct xml *model,
                    enum graph_op *link) MUST_USE;
/* The output that a table is for: of two classes the second's; SIZE_MAX: the
 * other's, which is empty. */
bool pmml_table_output(struct pmml_reading *r, const struct xml *table,
                       size_t *out) MUST_USE;
/* The last node of the graph is the sums: answers are what `link` makes. */
bool pmml_ends_in(struct pmml_reading *r, enum graph_op link) MUST_USE;

/* All of a MiningModel: a chain of sums and a regression behind them. */
bool pmml_chain_read(struct pmml_reading *r, const struct xml *model) MUST_USE;
/* All of a ClusteringModel. */
bool
pmml_clusters_read(struct pmml_reading *r, const struct xml *model) MUST_USE;
#endif
