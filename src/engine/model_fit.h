/* engine/model_fit.h -- what fitting on a table and on a stream share.
 * Private to model_fit*.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_MODEL_FIT_H
#define LATHE_ENGINE_MODEL_FIT_H

#include "engine/model_state.h"
#include "frame/split.h"

/* Rows held out to stop early where nothing else is said. */
#define MODEL_FIT_VALID_SHARE 0.2

/* Everything between a table and a fitted model. */
struct fit {
    struct model *m;
    const struct family *family;
    const struct params *params;
    const struct model_options *o;
    const struct train *ctx;
    const char *target; /* NULL: none */
    const struct metric *metric[METRIC_MAX];
    struct metric asked[METRIC_MAX]; /* what they are; names are the options' */
    size_t n_metrics;
    size_t stop; /* as fit_data's */
    struct frame *train, *valid;
    struct frame *rest, *kept; /* all rows but those kept for the finish */
    struct target all, y, y_valid;
    const char **drop; /* o->drop, weight and group; owned, NULL-ended */
    struct design *x, *x_valid;
    const struct design_feed *feed; /* NULL: the rows of train */
    struct buf chosen;              /* members of a JSON object */
    bool again; /* fitted once: no checkpoint, nothing to go on from */
};

/* Part the rows into those to learn from, f->rest, and those for the finish. */
bool model_fit_keep(struct fit *f, const struct frame *all,
                    struct error *err) MUST_USE;
/* Learn the finish on them; again after a refit.  Nothing when it is stopped. */
bool model_fit_finish(struct fit *f, struct error *err) MUST_USE;
/* Hold out a share as the options say: by groups, by time, by class. */
bool model_fit_split(const struct fit *f, const struct frame *all, double share,
                     struct split *s, struct error *err) MUST_USE;
/* Which rows train and which ones stop the training, with their targets: train,
 * valid, y and y_valid of f. */
bool model_fit_rows(struct fit *f, const struct frame *all,
                    struct error *err) MUST_USE;
/* All train, and none stops it. */
bool model_fit_all_rows(struct fit *f, const struct frame *all,
                        struct error *err) MUST_USE;
bool model_fit_begin(struct fit *f, struct error *err) MUST_USE;
/* Weights and queries of rows from the columns that o names. */
bool model_fit_weigh(const struct fit *f, struct target *t,
                     const struct frame *rows, struct error *err) MUST_USE;
/* The model, or NULL when !ok; releases all else. */
struct model *model_fit_end(struct fit *f, bool ok);
/* With the target known: does the family learn it, by which metrics? */
bool model_fit_settle(struct fit *f, struct error *err) MUST_USE;
/* The share to hold out; 0: none. */
bool
model_fit_share(const struct fit *f, double *share, struct error *err) MUST_USE;
/* Preparation, designs from train and valid, and the baselines of train. */
bool model_fit_prepare(struct fit *f, struct error *err) MUST_USE;
bool model_fit_learn(struct fit *f, const struct params *p, unsigned patience,
                     struct error *err) MUST_USE;
unsigned model_fit_patience(const struct fit *f);
/* Of the whole fit, for its checkpoint; once rows and target are known.  of: a
 * JSON object with all that the key is a hash of. */
bool model_fit_key(const struct fit *f, char key[33], struct buf *of,
                   struct error *err) MUST_USE;
/* Begin again with all of these rows to learn from, and none held out. */
bool model_fit_anew(struct fit *f, const struct frame *all,
                    struct error *err) MUST_USE;
/* How many rounds a family of such may learn, as asked or chosen; 0: not
 * known.  In model_refit.c. */
size_t model_fit_rounds(const struct fit *f);
/* Learn from all rows what early stopping has found: in model_refit.c.  When it
 * is stopped before its end, what was learnt before is kept. */
bool
model_refit(struct fit *f, const struct frame *all, struct error *err) MUST_USE;
/* Was it stopped, so that the model is kept without what `why` says is missing?
 * Otherwise its error. */
bool model_fit_kept(const struct fit *f, const struct error *why,
                    struct error *err) MUST_USE;
/* How the validation rows score; before a refit has eaten them.  Nothing when
 * it is stopped. */
bool model_fit_score(struct fit *f, struct error *err) MUST_USE;
/* All parameters, auto replaced by what the rules chose, then what else the
 * family wants known. */
bool model_fit_close(struct fit *f, struct error *err) MUST_USE;
#endif
