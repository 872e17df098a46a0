/* engine/port/portable_of.h -- pieces of a model of lathe as a graph, for
 * portable*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_PORTABLE_OF_H
#define LATHE_ENGINE_PORT_PORTABLE_OF_H

#include "engine/port/portable.h"
#include "engine/prepare.h"

/* The features of a preparation: an input each, or a column of a node that was
 * computed. */
struct portable_features {
    size_t n;
    uint32_t *node;   /* UINT32_MAX: an input */
    uint32_t *column; /* of the node; or which input */
};

/* Features ref[0..n-1] side by side. */
bool portable_features_put(struct graph *g, const struct portable_features *f,
                           const size_t *ref, size_t n, uint32_t *id,
                           struct error *err) MUST_USE;
/* The columns that the learner sees, as a node; without PORTABLE_CODES those
 * that are none, or UINT32_MAX where all are; PORTABLE_UNSCALED: numbers are
 * filled in, not scaled. */
enum { PORTABLE_CODES = 1, PORTABLE_UNSCALED = 2 };
bool portable_columns(struct graph *g, const struct prepare *from,
                      const struct portable_features *features, unsigned how,
                      uint32_t *id, struct error *err) MUST_USE;

/* An input of that type: a date is a number there, which is said in a note. */
void portable_date(struct portable *p, size_t i, enum col_type type);

/* What a graph begins with, where it computes columns: those of the table that
 * anything is made of, and the derived ones that it does not compute itself.
 * exprs: it computes those that it can say.  The caller calls _fini, also
 * after a failure. */
struct portable_sources {
    bool computed;  /* by steps, or by expressions; else features are inputs */
    size_t n;       /* of column */
    size_t *column; /* inputs, then derived columns behind the last of them */
    bool *said;     /* of the derived columns: is it a node? */
};
bool
portable_sources_find(const struct prepare *from, bool exprs,
                      struct portable_sources *out, struct error *err) MUST_USE;
void portable_sources_fini(struct portable_sources *s);

/* Inputs, derived columns, and the steps of a preparation that was learnt.
 * ERR_TYPE names a step that no format can say. */
bool portable_steps_put(struct portable *p, const struct prepare *from,
                        const struct portable_sources *sources,
                        struct portable_features *features,
                        struct error *err) MUST_USE;

struct portable_table {
    size_t n_levels, width;
    const double *rows;
};

/* What is done to answers, behind the last node. */
bool portable_finish(struct portable *p, const struct model *m,
                     struct error *err) MUST_USE;

/* The lines through knots whose x do not fall, of column `column` of node `in`:
 * y[0] up to the first, y[n - 1] from the last on; where knots have one x, the
 * middle of their y. */
struct portable_curve {
    uint32_t in, column;
    const double *x, *y;
    size_t n; /* at least 1 */
};
bool portable_put_curve(struct graph *g, const struct portable_curve *c,
                        uint32_t *id, struct error *err) MUST_USE;

/* The place, from 1 on, of the nearest of k centres, (k, width of in), and how
 * far it is, or without `root` the square of that; the last node. */
bool portable_put_clusters(struct graph *g, uint32_t in, const double *centre,
                           size_t k, bool root, struct error *err) MUST_USE;

/* All columns of naive Bayes, which sees features as they are. */
bool portable_take_bayes(struct portable *p, const struct prepare *from,
                         const struct portable_features *features,
                         const void *learner, struct error *err) MUST_USE;

/* Of the columns `in`: the nearest centre or rows; the score of an isolation
 * forest, of columns that are not scaled. */
struct portable_from {
    const struct prepare *prepare;
    const void *learner;
    uint32_t in;
};
bool portable_take_isolation(struct portable *p, const struct portable_from *f,
                             struct error *err) MUST_USE;
bool portable_take_kmeans(struct portable *p, const struct portable_from *f,
                          struct error *err) MUST_USE;
bool portable_take_knn(struct portable *p, const struct portable_from *f,
                       struct error *err) MUST_USE;

/* A row of a table for each level of feature `ref`, from row 1 on; row 0 is for
 * none of them.  rows: (n_levels + 1, width). */
bool
portable_put_table(struct graph *g, const struct portable_features *features,
                   size_t ref, const struct portable_table *table, uint32_t *id,
                   struct error *err) MUST_USE;

/* ---- nets ---- */

/* numbers: columns that are no codes, or UINT32_MAX. */
bool
portable_take_mlp(struct portable *p, const struct prepare *from,
                  const struct portable_features *features, const void *learner,
                  uint32_t numbers, struct error *err) MUST_USE;
/* in: the pixels. */
bool portable_take_cnn(struct portable *p, const void *learner, uint32_t in,
                       struct error *err) MUST_USE;
/* How many numbers the pictures have that a cnn takes; 0: it takes columns. */
size_t portable_pixels(const void *learner);
/* All of such a model, whose inputs are the numbers. */
bool portable_take_pictures(struct portable *p, const void *learner,
                            struct error *err) MUST_USE;
#endif
