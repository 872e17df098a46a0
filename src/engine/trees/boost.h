/* engine/trees/boost.h -- what the files of boosting share: gbdt.c knows
 * parameters and files, boost.c runs the rounds, boost_metric.c tells how they
 * do and when to stop, boost_sample.c chooses rows and columns, boost_drop.c
 * leaves trees out for a round, boost_replay.c walks trees that were grown
 * before, boost_checkpoint.c writes down how far it is, boost_refit.c
 * gives the leaves of a model other values, boost_leaf.c finds the values of
 * leaves anew.  Private to them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TREES_BOOST_H
#define LATHE_ENGINE_TREES_BOOST_H

#include "engine/model.h"
#include "engine/trees/grow.h"
#include "engine/trees/objective.h"

enum { BOOST_GRAIN = 8192 };

struct boost_rule {
    struct grow_options grow;
    struct loss_rule loss;
    size_t trees;
    double row_share, col_share;
    bool goss; /* rows by the size of their gradients */
    double top_share, other_share;
    double drop_rate, skip_drop; /* drop_rate 0: no trees are left out */
    size_t max_drop;
    bool refits;       /* no rounds: other values for the leaves of init */
    double refit_keep; /* the share of the old ones */
    unsigned bins;
    bool bundle;
    bool lines; /* in leaves */
    double line_l2;
};

struct boost {
    const struct fit_data *d;
    const struct train *ctx;
    struct boost_rule rule;
    enum problem problem;
    size_t n, k; /* training rows, outputs */
    struct objective objective, valid_objective;

    struct binned *train, *valid; /* valid: NULL without rows */
    struct grower *grower;
    struct forest *forest;
    struct room scores, gradients;
    double *score, *valid_score;    /* (rows, k) */
    double *valid_out;              /* probabilities or values */
    struct gradient *gradient;      /* k planes of n */
    struct gradient_extent *extent; /* (chunks, k) */
    double *loss;                   /* a sum per chunk */
    double (*power)[2];             /* g^2 and h, likewise; NULL: nobody asks */
    uint32_t *sample;               /* rows of this round; NULL: all */
    size_t n_sample;
    bool draws;      /* another sample each round */
    uint8_t *lifted; /* by row: stands for others that were not drawn */
    uint32_t *size;  /* by row: how large its gradients are, as bits */
    size_t *count;   /* rows by half of those bits */
    uint32_t *order; /* slots, for column sampling */
    bool *active;
    uint16_t *leaf; /* by row; of losses whose leaves are found anew */
    struct residual *residual;
    size_t *leaf_start;

    /* of the output whose tree is being grown */
    const struct gradient *plane;
    struct hist_scale scale;
    uint32_t salt;

    size_t *slot_of; /* by column of the design; of DART */
    size_t *dropped; /* rounds left out in this one */
    size_t n_dropped;
    float *best_value;         /* of leaves, at the best round */
    struct boost_lines *lines; /* NULL: leaves are constant */

    const struct forest *init; /* to go on from; NULL: nothing */
    size_t inherited;          /* its rounds */
    struct checkpoint_mark saved;
    size_t rounds, best_round;
    double best;
    size_t stop;                      /* as fit_data's */
    const struct metric *loss_metric; /* among d->metrics, or NULL */
    size_t told;                      /* rounds on the training curve */
};

/* Streams of random numbers; the index says which tree or round. */
enum {
    BOOST_STREAM_ROWS = 0x726f7773,
    BOOST_STREAM_COLS = 0x636f6c73,
    BOOST_STREAM_DITHER,
    BOOST_STREAM_DROP = 0x64726f70
};

/* ctx, d and rule are set, all else is 0.  False with err, or with all rounds
 * that were finished; forest is then sealed.  boost_fini() either way. */
bool boost_run(struct boost *s, struct error *err) MUST_USE;
/* False: gradients, or values by these, are no numbers of 32 bits. */
bool boost_refuse_size(struct error *err);
void boost_fini(struct boost *s);

/* ---- boost_metric.c ---- */

/* Which metric stops, and which the loss is. */
void boost_choose_metrics(struct boost *s);
/* Score the validation rows after a round. */
bool boost_check_valid(struct boost *s, struct error *err) MUST_USE;
bool boost_should_stop(const struct boost *s);
/* The curve on the training rows is that of the loss, which costs nothing; is
 * it asked for, and does anybody listen? */
bool boost_tells_train(const struct boost *s);
/* The training curve's point of the rounds so far, once, from the losses that
 * came with the gradients. */
void boost_emit_train(struct boost *s);
/* The same for the last round, after which there are no gradients. */
bool boost_emit_last(struct boost *s, struct error *err) MUST_USE;

/* ---- boost_sample.c ---- */

bool boost_make_sampling(struct boost *s, struct error *err) MUST_USE;
/* May change gradients: those of rows that stand for others. */
void boost_choose_rows(struct boost *s);
/* What a chunk of rows has of gradients. */
void
boost_measure_rows(struct boost *s, size_t chunk, size_t begin, size_t end);
void boost_choose_columns(struct boost *s);

/* ---- boost_drop.c ---- */

bool boost_make_drops(struct boost *s, struct error *err) MUST_USE;
/* Choose the rounds to leave out and take them off the training scores. */
bool boost_drop(struct boost *s, struct error *err) MUST_USE;
/* The share of a step that the tree just grown takes; sets its leaves. */
void boost_scale_grown(struct boost *s);
/* After a round: the trees left out come back, lighter. */
bool boost_bring_back(struct boost *s, struct error *err) MUST_USE;
/* Leaves as they are now are the best so far; and again in the end, where
 * there is a later round. */
bool boost_keep_best(struct boost *s, struct error *err) MUST_USE;
void boost_restore_best(struct boost *s);

/* ---- boost_replay.c ---- */

/* score[row * k] += factor * value of tree t, for all rows of a table that is
 * coded by the cuts the tree was grown on.  ERR_CANCELLED, ERR_NOMEM. */
bool boost_replay(const struct boost *s, size_t tree, const struct binned *b,
                  double factor, double *score, struct error *err) MUST_USE;

/* ---- boost_checkpoint.c ---- */

/* Go on from d->checkpoint, if that is asked for and there is one. */
bool boost_resume(struct boost *s, struct error *err) MUST_USE;
/* Between rounds: write it, when it is time. */
bool boost_checkpoint(struct boost *s, struct error *err) MUST_USE;

/* ---- boost_leaf.c ---- */

bool boost_make_leaves(struct boost *s, struct error *err) MUST_USE;
/* Values of the leaves of the tree just grown, for losses whose Newton step
 * says little. */
void boost_renew_leaves(struct boost *s, size_t output);
/* The residuals of an output leaf by leaf, by s->leaf; those of leaf l begin at
 * leaf_start[l]. */
void boost_sort_residuals(struct boost *s, size_t output, size_t n_leaves);
size_t boost_most_leaves(const struct forest *f); /* of a tree */

/* ---- boost_line.c ---- */

bool boost_make_lines(struct boost *s, struct error *err) MUST_USE;
void boost_lines_free(struct boost_lines *l);
/* Lines in the leaves of the tree just grown. */
bool boost_fit_lines(struct boost *s, struct error *err) MUST_USE;
/* What that tree gives, onto the scores of all rows. */
void boost_add_lines(struct boost *s, size_t output);

/* ---- boost_refit.c ---- */

/* Scores are those of init's base. */
bool boost_refit(struct boost *s, struct error *err) MUST_USE;
#endif
