/* engine/trees/lags_state.h -- what the files of lags share: lags.c knows
 * parameters and files, lags_series.c finds the series among the rows,
 * lags_fit.c learns, lags_rows.c makes features of a past, lags_ahead.c goes on
 * from it.  Private to them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_LAGS_STATE_H
#define LATHE_ENGINE_TREES_LAGS_STATE_H

#include "engine/series.h"
#include "engine/trees/lags.h"

enum {
    LAGS_MOST = 400,        /* lags, and means */
    LAGS_MAX_STEP = 100000, /* the oldest value that is looked at */
    LAGS_MAX_AHEAD = 100000,
    LAGS_MAX_DIRECT = 1000 /* steps that are answered directly */
};
#define LAGS_NO_COLUMN SIZE_MAX

enum lags_part { LAGS_HOUR, LAGS_WEEKDAY, LAGS_DAY, LAGS_MONTH, LAGS_N_PARTS };

struct lags_rule {
    size_t period;
    size_t n_lags, n_means;
    uint32_t lag[LAGS_MOST], mean[LAGS_MOST];
    size_t gap;      /* a value is seen less the one so many steps ago; 0: as
                        it is */
    size_t ahead;    /* steps that are answered from what came before the first
                        of them; 0: each from those before it */
    unsigned parts;  /* bits 1 << enum lags_part */
    bool in_seconds; /* the unit of times; else days */
    size_t time, series; /* columns of the design, or LAGS_NO_COLUMN */
    size_t n_cols;
    size_t n_inputs; /* the other columns, in their order */
};

struct lags_series {
    struct clock clock;
    double key;   /* the column's value; 0: there is one series */
    size_t begin; /* of its values in y; clock.n of them */
    size_t errors_begin, n_errors; /* where steps are answered directly those
                                      of the first, of the second, ... */
};

struct lags {
    struct lags_rule rule;
    void *trees;  /* of gbdt_family */
    double *gain; /* by feature: what splits by it have gained, of sum 1 */
    size_t n, n_series, n_errors;
    struct lags_series *series; /* by ascending key */
    double *y;                  /* n */
    double *error;              /* n_errors, by series: of rows held out */
    /* by series, as in the file: */
    double *key, *first;
    uint64_t *rows, *errors;
};

/* A fit under way. */
struct lags_fit {
    const struct fit_data *d;
    const struct params *p;
    const struct train *ctx;
    struct lags *m;
    struct moment *row; /* of y[i] */
    double cut;         /* rows from this time on are held out */
    size_t n_held_out;
    size_t horizons; /* of each row that is learnt from */
    size_t every;    /* one row in so many of those there are is judged */
    bool judged;     /* by those, on trees that have not seen them */
};

/* ---- lags_series.c ---- */

/* The rows as series with their clocks. */
bool lags_read(struct lags_fit *g, struct error *err) MUST_USE;
/* The rule, but for its gap. */
bool lags_choose(struct lags_fit *g, struct error *err) MUST_USE;

/* ---- lags_fit.c ---- */

void *lags_fit(const struct fit_data *d, const struct params *p,
               const struct train *ctx, struct json_writer *chosen,
               struct error *err) MUST_USE;
/* gain, from the trees. */
bool lags_weigh(struct lags *m, struct error *err) MUST_USE;
void lags_free(void *learner);

/* ---- lags_rows.c ---- */

/* A series up to a step. */
struct lags_past {
    const struct lags_series *series;
    const double *y; /* y[t - first] is the value of step t */
    size_t first;
};

size_t lags_features(const struct lags_rule *r);
/* Name of a feature; of the series and inputs as `prepare` has them. */
void lags_feature_name(const struct lags_rule *r, size_t feature,
                       const struct prepare *prepare, char *out, size_t size);
/* The column of the design that a feature comes from; LAGS_NO_COLUMN: from the
 * target alone. */
size_t lags_feature_column(const struct lags_rule *r, size_t feature);
/* Steps back that any feature looks. */
size_t lags_reach(const struct lags_rule *r);
/* A step as it is seen from h steps before it, h - 1 of which are not known; 1
 * where no steps are answered directly. */
struct lags_step {
    size_t t, h;
};
/* How many steps before it is what it is a difference to; 0: it is none. */
size_t lags_back(const struct lags_rule *r, size_t h);
/* What a step looks like, every `stride` doubles; inputs: n_inputs. */
void lags_row(const struct lags_rule *r, const struct lags_past *past,
              struct lags_step step, const double *inputs, double *out,
              size_t stride);
/* The inputs of a row of a design, every `stride` doubles. */
void lags_inputs(const struct lags_rule *r, const struct design *d, size_t row,
                 double *out, size_t stride);
/* The series of that key, or NULL. */
const struct lags_series *lags_find(const struct lags *m, double key);

/* ---- lags_ahead.c ---- */

/* A way on from the first steps of a series. */
struct lags_path {
    const struct lags_series *series;
    size_t from, n;       /* n steps from that one on */
    const double *inputs; /* (n, inputs); NULL: not known */
    uint64_t stream;      /* of the errors that are drawn; 0: none */
    /* set by lags_run(): */
    double *y;    /* its past, and what is answered */
    size_t first; /* the step of y[0] */
};
/* Several ways, all together. */
struct lags_walk {
    struct lags_path *path; /* owned */
    size_t n;
    struct pool *pool;
    struct progress *progress; /* counts steps of paths; or NULL */
    double *room;              /* of lags_run(): where their values are */
};
/* Step by step.  ERR_NOMEM, ERR_CANCELLED. */
bool
lags_run(const struct lags *m, struct lags_walk *w, struct error *err) MUST_USE;
void lags_walk_fini(struct lags_walk *w);
static inline double *
lags_path_out(const struct lags_path *p)
{
    return p->y + (p->from - p->first);
}

bool lags_score(const void *learner, const struct design *d, struct pool *pool,
                double *out, struct error *err) MUST_USE;
struct frame *
lags_forecast(const void *learner, const struct prepare *prepare,
              const struct forecast *ask, struct error *err) MUST_USE;
#endif
