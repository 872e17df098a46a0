/* engine/classic/linear_fit.h -- the state of a fit, for linear*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_LINEAR_FIT_H
#define LATHE_ENGINE_CLASSIC_LINEAR_FIT_H

#include "engine/classic/linear.h"
#include "engine/classic/panels.h"

enum {
    LINEAR_ROWS = 4096, /* rows a chunk */
    LINEAR_TILE = 512,  /* rows of a column that stay in cache */
    LINEAR_MAX_HALVINGS = 40,
    LINEAR_GRAM_COLS = 4096, /* beyond it no matrix of products is made */
    LINEAR_MAX_COLS = 1 << 20
};

/* The fitted model. */
struct linear {
    enum problem problem;
    size_t p, k;    /* columns; 1 or n_classes */
    double *weight; /* (k, p) */
    double *bias;   /* k */
    double *spread; /* p: deviation in training, for importance */
    /* of path.c: what was tried, and the weights it led to */
    size_t n_path;
    double *path;        /* (n_path, LINEAR_PATH_COLS) */
    double *path_weight; /* (n_path, k p) */
};
enum { LINEAR_PATH_COLS = 4 }; /* as path_choose.h says */

/* The parts of a family; path.c has families of its own with them. */
struct linear *linear_learner_new(enum problem problem, size_t p, size_t k,
                                  struct error *err) MUST_USE;
void linear_learner_free(void *learner);
bool linear_score(const void *learner, const struct design *d,
                  struct pool *pool, double *out, struct error *err);
bool linear_margin(const void *learner, const struct design *d,
                   struct pool *pool, double *out, struct error *err);
bool linear_attribute(const void *learner, const struct attribution *a,
                      struct error *err);
void linear_importance(const void *learner, double *out);
void
linear_save(const void *learner, struct st_writer *w, struct json_writer *m);
void *
linear_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
            enum problem problem, size_t n_classes, struct error *err);

/* The state of a fit.  Per-class arrays are (k, n) so that one class is
 * contiguous. */
struct fitting {
    const struct fit_data *d;
    const struct train *ctx;
    struct linear *l;
    enum problem problem;
    size_t n, p, k;
    const double *y;      /* regression: scaled */
    const double *weight; /* NULL: all 1 */
    double total;         /* of the weights */
    double l1, l2;        /* the penalty's two parts */
    double tolerance;
    int64_t max_iter;
    double *x;            /* (p, n) */
    double *eta;          /* (k, n): x w + b */
    double *lse;          /* n: log of the sum of exp(eta), softmax only */
    double *move;         /* n: what the step adds to eta */
    double *curve, *rest; /* n: second and first derivative in eta */
    double *h, *solved;   /* (p, p): the quadratic part; its Cholesky factor;
                             of linear_wide.c: (4, p); n */
    double *g, *mean, *step, *pull; /* p each */
    double *partial;                /* a chunk each */
    double *score;                  /* (n, k) row-major, for events */
    double g_bias, h_bias;
};

static inline double
linear_weight(const struct fitting *f, size_t i)
{
    return f->weight ? f->weight[i] : 1;
}

static inline bool
linear_stopped(const struct fitting *f)
{
    return progress_stopped(f->ctx->progress);
}

/* One step of class c with the others held still; the largest change of a
 * weight, relative to the largest weight where that is over 1.  Stopped on its
 * way it changes nothing, as all steps do. */
double linear_step(struct fitting *f, size_t c);

/* ---- linear_wide.c: more than LINEAR_GRAM_COLS columns ---- */

/* g, mean and what else is known of the model around the weights of a class,
 * after derivatives and g_bias, h_bias. */
void wide_build(struct fitting *f, const double *w);
/* step: to its minimum. */
void wide_solve(struct fitting *f, const double *w);

/* Weights and margins of 0. */
void linear_reset(struct fitting *f);
/* Classes by l1 and l2, from the weights at hand on. */
bool linear_run_classes(struct fitting *f, struct error *err) MUST_USE;

/* ---- linear_path.c ---- */

struct linear_path {
    double l1_ratio, reach;
    size_t n_steps, n_folds;
    bool simple; /* the largest lambda within the error of the best */
};
/* Classes along a path of lambdas; f->l has the weights of the one that
 * predicts best, and the path. */
bool linear_trace(struct fitting *f, const struct linear_path *by,
                  double *lambda, struct error *err) MUST_USE;

/* Newton steps of all classes together, by conjugate gradients: softmax
 * without an L1 part. */
struct softmax;
struct softmax *
softmax_new(const struct fitting *f, struct error *err) MUST_USE;
void softmax_free(struct softmax *s);
double softmax_step(struct softmax *s, struct fitting *f);
#endif
