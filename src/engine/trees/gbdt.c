/* engine/trees/gbdt.c -- gradient boosting: rounds, defaults, early stopping.
 *
 * Defaults.  What is not set follows from the n training rows (those held out
 * to stop early are not among them), the number of columns and the kind of
 * target; what was chosen is written into the run.
 *
 *   trees          1,000 when validation rows stop early, else 200
 *   learning_rate  0.05 with early stopping below 100,000 rows, else 0.1
 *   leaves         sqrt(n) / 8, at least 8 and at most 127; with max_depth set,
 *                  all that the depth has room for
 *   min_rows       20 for classes, 5 for numbers
 *   max_delta      4 for classes, which bounds what a class of few rows, whose
 *                  hessian is next to nothing, can do in one step; none for
 *                  numbers, 1 for those whose logarithm is what trees add to
 *   row_share      0.7 below 10,000 rows, else 1
 *   col_share      0.5 below 10,000 rows where there are 10 columns, else 1
 *   bins           255; where all columns would have more than 8 million, as
 *                  many as make 4 million, at least 16
 *
 * The defaults of other libraries (31 leaves or depth 6 at rate 0.1 to 0.3 on
 * any table) fit noise in tables of some thousand rows.  A leaf carries about
 * as much noise as 1 / sqrt(its rows), and what a tree gains by one more leaf
 * falls as leaves are added, so the best number grows slower than the rows:
 * between 3,000 and 60,000 rows of six tables, real and made, it was near
 * sqrt(n) / 8.  Sampling halves of the columns and 0.7 of the rows decorrelates
 * the trees, which pays only while variance is what errs.  Numbers carry more
 * per row than classes do, so their leaves may be smaller.
 *
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/gbdt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/trees/boost.h"
#include "engine/trees/limits.h"
#include "engine/trees/shap.h"

static const struct param GBDT_PARAMS[] = {
    {"trees", PARAM_INT, 1, 100000, NULL, NULL,
     "rounds of boosting, at most; fewer when early stopping finds them"},
    {"learning_rate", PARAM_FLOAT, 0.0001, 1, NULL, NULL,
     "share of each step that is taken"},
    {"loss", PARAM_CHOICE, 0, 0, NULL,
     "squared|absolute|huber|quantile|poisson|gamma|tweedie|logistic|softmax|"
     "ova|cox|rank",
     "what is made small; auto: squared, logistic or softmax"},
    {"alpha", PARAM_TEXT, 0, 0, "0.5", NULL,
     "loss=quantile: which ones, 0.1,0.5,0.9"},
    {"delta", PARAM_FLOAT, 1e-12, 1e12, NULL, NULL,
     "loss=huber: residuals beyond it count by their size, not its square"},
    {"power", PARAM_FLOAT, 1.001, 1.999, "1.5", NULL,
     "loss=tweedie: the variance grows as this power of the mean"},
    {"rank_at", PARAM_INT, 1, 1e6, "30", NULL,
     "loss=rank: first places of a query that count"},
    {"leaves", PARAM_INT, 2, TREE_MAX_LEAVES, NULL, NULL,
     "leaves of a tree, at most"},
    {"max_depth", PARAM_INT, 0, 64, "0", NULL,
     "splits from the root to a leaf, at most; 0: any"},
    {"grow", PARAM_CHOICE, 0, 0, "leaf", "leaf|depth",
     "which leaf is split next: the one that gains most, or the nearest to the "
     "root"},
    {"min_rows", PARAM_INT, 1, 1e9, NULL, NULL, "rows of a leaf, at least"},
    {"min_hessian", PARAM_FLOAT, 0, 1e9, "0.001", NULL,
     "sum of second derivatives of a leaf, at least"},
    {"l1", PARAM_FLOAT, 0, 1e9, "0", NULL,
     "taken off the gradient of a leaf before its value is found"},
    {"l2", PARAM_FLOAT, 0, 1e9, "1", NULL,
     "added to the second derivative of a leaf"},
    {"gamma", PARAM_FLOAT, 0, 1e12, "0", NULL, "gain a split must exceed"},
    {"max_delta", PARAM_FLOAT, 0, 1e12, NULL, NULL,
     "largest value of a leaf before learning_rate; 0: any"},
    {"row_share", PARAM_FLOAT, 0.01, 1, NULL, NULL,
     "share of the rows that a tree learns from"},
    {"col_share", PARAM_FLOAT, 0.01, 1, NULL, NULL,
     "share of the columns that a tree may use"},
    {"level_col_share", PARAM_FLOAT, 0.01, 1, "1", NULL,
     "share of those that one level of a tree may use"},
    {"node_col_share", PARAM_FLOAT, 0.01, 1, "1", NULL,
     "share of those that one split may use"},
    {"monotone", PARAM_TEXT, 0, 0, NULL, NULL,
     "columns with which the answer only rises, or only falls: age+,debt-"},
    {"interact", PARAM_TEXT, 0, 0, NULL, NULL,
     "groups of columns; those of one may meet in a tree: a,b;b,c,d"},
    {"refit_keep", PARAM_FLOAT, 0, 1, NULL, NULL,
     "with a model to go on from: add no trees, but give leaves new values "
     "that keep this share of the old"},
    {"linear_leaves", PARAM_BOOL, 0, 0, "false", NULL,
     "a leaf is a line over the columns that lead to it, not a number"},
    {"linear_l2", PARAM_FLOAT, 0, 1e9, "1", NULL,
     "linear_leaves: penalty on slopes, as l2 is on values"},
    {"goss", PARAM_BOOL, 0, 0, "false", NULL,
     "each tree learns from the rows of the largest gradients, and a few of "
     "the others"},
    {"top_share", PARAM_FLOAT, 0.001, 0.999, "0.2", NULL,
     "goss: share of the rows that are taken for their gradients"},
    {"other_share", PARAM_FLOAT, 0.001, 0.999, "0.1", NULL,
     "goss: share of the rows that stand for all others"},
    {"drop_rate", PARAM_FLOAT, 0, 1, "0", NULL,
     "share of the trees that are left out while the next is grown (DART)"},
    {"skip_drop", PARAM_FLOAT, 0, 1, "0.5", NULL,
     "DART: share of the rounds that leave out none"},
    {"max_drop", PARAM_INT, 1, 100000, "50", NULL,
     "DART: trees that are left out, at most"},
    {"bins", PARAM_INT, 2, BINNER_MAX_BINS, "255", NULL,
     "codes that a column of numbers is cut into, at most; beyond 255 those "
     "that need more take 16 bits"},
    {"bundle", PARAM_BOOL, 0, 0, "true", NULL,
     "columns that are never off their usual value in one row share memory; "
     "the model is the same"},
    {"level_rows", PARAM_INT, 1, 1e9, "10", NULL,
     "rows a category needs in a leaf to be told from the missing ones"},
    {"level_smooth", PARAM_FLOAT, 0, 1e9, "10", NULL,
     "rows without gradient added to a category before ordering"},
    {"level_l2", PARAM_FLOAT, 0, 1e9, "10", NULL,
     "added to l2 for splits by more than four categories"},
    {"level_noise", PARAM_FLOAT, 0, 1e6, "0.7", NULL,
     "what a split by more than 32 categories must gain, in shares of what it "
     "would gain if they said nothing"},
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

struct gbdt {
    struct forest *forest;
    size_t inherited; /* rounds of the one it went on from; not saved */
    enum problem problem;
    struct loss_rule loss;
    double rate; /* it was learnt with; 0: not known */
};

/* ---- defaults ---- */

enum {
    MOST_BINS = 1 << 23, /* of all columns together, by default */
    WIDE_BINS = 1 << 22, /* where they would be more */
    LEAST_BINS = 16      /* of a column all the same */
};

static double
pick_float(const struct params *p, const char *name, double otherwise)
{
    return params_is_set(p, name) ? params_float(p, name) : otherwise;
}

static size_t
pick_int(const struct params *p, const char *name, double otherwise)
{
    return params_is_set(p, name) ? (size_t)params_int(p, name)
                                  : (size_t)otherwise;
}

/* Leaves that a tree of this depth has room for. */
static double
leaves_of_depth(size_t depth)
{
    return depth < 15 ? ldexp(1, (int)depth) : TREE_MAX_LEAVES;
}

static size_t
train_rows(const struct fit_data *d)
{
    return d->feed ? d->feed->n_rows : design_rows(d->train);
}

/* What went before decides, as long as nothing else is asked for. */
static bool
continues_loss(const struct gbdt *init, const struct params *p,
               struct loss_rule *r, struct error *err)
{
    if (params_is_set(p, "loss") && r->loss != init->loss.loss)
        return error_set(err, ERR_RANGE,
                         "the model to go on from has learnt by loss=%s, not "
                         "%s",
                         loss_word(init->loss.loss), loss_word(r->loss));
    if ((r->loss == LOSS_OWN) != (init->loss.loss == LOSS_OWN))
        return error_set(err, ERR_RANGE,
                         "the model to go on from has learnt by %s",
                         init->loss.loss == LOSS_OWN
                             ? "a loss of your own: it is wanted again"
                             : "a loss of ours");
    r->loss = init->loss.loss;
    if (r->loss == LOSS_QUANTILE && params_is_set(p, "alpha")) {
        if (!loss_quantiles(r, params_text(p, "alpha"), err))
            return false;
        if (r->n_quantiles != init->loss.n_quantiles ||
            memcmp(r->quantile, init->loss.quantile,
                   r->n_quantiles * sizeof *r->quantile) != 0)
            return error_set(err, ERR_RANGE,
                             "alpha is %.64s, and the model to go on from has "
                             "learnt other quantiles",
                             params_text(p, "alpha"));
    }
    r->n_quantiles = init->loss.n_quantiles;
    memcpy(r->quantile, init->loss.quantile, sizeof r->quantile);
    if (!params_is_set(p, "delta"))
        r->delta = init->loss.delta;
    if (!params_is_set(p, "power") && init->loss.power > 0)
        r->power = init->loss.power;
    return true;
}

/* The loss named, or the caller's, with its numbers. */
static bool
choose_loss(const struct fit_data *d, const struct params *p,
            const struct train *ctx, struct loss_rule *r, struct error *err)
{
    enum problem problem = d->y->problem;
    const struct gbdt *init = d->init;
    const char *word = params_text(p, "loss");
    int of;

    *r = (struct loss_rule){
        .loss = ctx->loss ? LOSS_OWN : loss_usual(problem),
        .delta = params_is_set(p, "delta") ? params_float(p, "delta") : 0,
        .power = params_float(p, "power"),
        .rank_at = (size_t)params_int(p, "rank_at")};
    if (word && ctx->loss)
        return error_set(err, ERR_USAGE,
                         "a loss of your own, and loss=%s: which one?", word);
    if (word)
        (void)loss_find(word, &r->loss);
    if (init && !continues_loss(init, p, r, err))
        return false;
    of = loss_problem(r->loss);
    if (of >= 0 && of != (int)problem)
        return error_set(err, ERR_RANGE,
                         "loss=%s learns a %s target, and this one is %s",
                         loss_word(r->loss), problem_word((enum problem)of),
                         problem_word(problem));
    if (problem == PROBLEM_MULTICLASS && d->y->n_classes == 2)
        return error_set(err, ERR_RANGE,
                         "loss=%s is of three classes or more: two are learnt "
                         "by logistic",
                         loss_word(r->loss));
    if (r->loss == LOSS_OWN && problem == PROBLEM_MULTICLASS)
        return error_set(err, ERR_RANGE,
                         "a loss of your own learns numbers or two classes");
    return r->loss != LOSS_QUANTILE || init ||
           loss_quantiles(r, params_text(p, "alpha"), err);
}

/* Histograms of very many columns are kept small by fewer bins each. */
static unsigned
choose_bins(const struct fit_data *d, const struct params *p)
{
    size_t bins = (size_t)params_int(p, "bins"), cols = design_cols(d->train);

    if (params_is_set(p, "bins") || cols <= MOST_BINS / (bins + 1))
        return (unsigned)bins;
    bins = WIDE_BINS / cols;
    return (unsigned)(bins > LEAST_BINS ? bins : LEAST_BINS);
}

static struct boost_rule
choose_rule(const struct fit_data *d, const struct params *p,
            const struct loss_rule *loss)
{
    double n = (double)train_rows(d);
    bool stops = d->patience > 0 && design_rows(d->valid) > 0;
    bool classes = d->y->problem != PROBLEM_REGRESSION;
    bool small = n < 10000, many = design_cols(d->train) >= 10;
    double leaves = fmin(fmax(floor(sqrt(n) / 8), 8), 127);
    struct boost_rule r = {.loss = *loss,
                           .bins = choose_bins(d, p),
                           .bundle = params_bool(p, "bundle")};
    struct split_rule *s = &r.grow.split;
    size_t depth = (size_t)params_int(p, "max_depth");

    if (depth > 0)
        leaves = leaves_of_depth(depth);
    r.trees = pick_int(p, "trees", stops ? 1000 : 200);
    r.grow.rate =
        pick_float(p, "learning_rate", stops && n < 100000 ? 0.05 : 0.1);
    r.grow.leaves = pick_int(p, "leaves", leaves);
    r.grow.max_depth = (unsigned)depth;
    r.grow.max_delta = pick_float(p, "max_delta",
                                  classes                    ? 4
                                  : loss_is_log(r.loss.loss) ? 1
                                                             : 0);
    r.grow.by_level = strcmp(params_text(p, "grow"), "depth") == 0;
    r.grow.level_share = params_float(p, "level_col_share");
    r.grow.node_share = params_float(p, "node_col_share");
    r.refits = params_is_set(p, "refit_keep");
    r.refit_keep = r.refits ? params_float(p, "refit_keep") : 0;
    r.lines = params_bool(p, "linear_leaves");
    r.line_l2 = params_float(p, "linear_l2");
    r.goss = params_bool(p, "goss");
    r.top_share = params_float(p, "top_share");
    r.other_share = params_float(p, "other_share");
    r.drop_rate = params_float(p, "drop_rate");
    r.skip_drop = params_float(p, "skip_drop");
    r.max_drop = (size_t)params_int(p, "max_drop");
    r.row_share = pick_float(p, "row_share", small && !r.goss ? 0.7 : 1);
    r.col_share = pick_float(p, "col_share", small && many ? 0.5 : 1);
    s->l1 = params_float(p, "l1");
    s->l2 = params_float(p, "l2");
    s->gamma = params_float(p, "gamma");
    s->min_hessian = params_float(p, "min_hessian");
    s->min_rows = (double)pick_int(p, "min_rows", classes ? 20 : 5);
    s->uneven = loss_is_log(loss->loss) || d->y->weight || r.goss;
    s->level_rows = (double)params_int(p, "level_rows");
    s->level_smooth = params_float(p, "level_smooth");
    s->level_l2 = params_float(p, "level_l2");
    s->level_noise = params_float(p, "level_noise");
    return r;
}

/* What the rule chose, and the rounds that were kept. */
static void
write_rule(struct json_writer *w, const struct boost_rule *r, size_t rounds)
{
    const struct {
        const char *name;
        double value;
    } chosen[] = {
        {"trees", (double)r->trees},
        {"learning_rate", r->grow.rate},
        {"leaves", (double)r->grow.leaves},
        {"min_rows", r->grow.split.min_rows},
        {"max_delta", r->grow.max_delta},
        {"row_share", r->row_share},
        {"col_share", r->col_share},
        {"rounds", (double)rounds},
    };

    if (!w)
        return;
    json_name(w, "loss");
    json_put_string(w, loss_word(r->loss.loss));
    if (r->loss.loss == LOSS_HUBER) {
        json_name(w, "delta");
        json_put_double(w, r->loss.delta);
    }

    for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++) {
        json_name(w, chosen[i].name);
        json_put_double(w, chosen[i].value);
    }
}

/* ---- the family ---- */

static bool
check_data(const struct fit_data *d, struct error *err)
{
    size_t cols = design_cols(d->train);

    if (cols == 0 || cols > TREE_MAX_COLS)
        return error_set(err, ERR_LIMIT, "%zu columns, expected 1..%d", cols,
                         TREE_MAX_COLS);
    if (train_rows(d) == 0)
        return error_set(err, ERR_RANGE, "no rows to learn from");
    if (train_rows(d) >= UINT32_MAX)
        return error_set(err, ERR_LIMIT, "more than 2^32 - 2 rows");
    return true;
}

static bool
check_offset(const struct fit_data *d, struct error *err)
{
    return !design_offset(d->train) || d->y->problem != PROBLEM_MULTICLASS ||
           error_set(err, ERR_RANGE,
                     "an offset is for a number or two classes, not for "
                     "several");
}

static bool
check_rule(const struct boost_rule *r, const struct gbdt *init,
           struct error *err)
{
    if (r->refits && !init)
        return error_set(err, ERR_USAGE,
                         "refit_keep gives other values to the leaves of a "
                         "model: name it by init");
    if (r->goss && r->top_share + r->other_share > 1)
        return error_set(err, ERR_RANGE,
                         "top_share %g and other_share %g are more than all",
                         r->top_share, r->other_share);
    return !r->goss || r->row_share == 1 ||
           error_set(err, ERR_RANGE,
                     "goss chooses the rows by itself: leave out row_share");
}

/* What leaves that are lines do not go with. */
static bool
check_lines(const struct boost_rule *r, const struct fit_data *d,
            const struct gbdt *init, struct error *err)
{
    const struct objective o = {.rule = r->loss};
    const char *with = r->drop_rate > 0       ? "drop_rate"
                       : r->grow.trend        ? "monotone"
                       : objective_renews(&o) ? "this loss"
                       : d->feed              ? "a table beyond memory"
                                              : NULL;

    if (r->refits && init && init->forest->line_start)
        return error_set(err, ERR_RANGE,
                         "refit_keep: leaves that are lines keep theirs");
    return !r->lines || !with ||
           error_set(err, ERR_RANGE, "linear_leaves does not go with %s", with);
}

/* What `monotone` and `interact` hold the trees to. */
static bool
choose_limits(struct boost_rule *r, const struct fit_data *d,
              const struct params *p, const struct loss_rule *loss,
              struct limits *l, struct error *err)
{
    const struct objective o = {.rule = *loss};

    if (!limits_read(d->train, params_text(p, "monotone"),
                     params_text(p, "interact"), l, err))
        return false;
    if (l->trend && (r->refits || objective_renews(&o))) {
        limits_fini(l);
        return error_set(err, ERR_RANGE,
                         "monotone: %s the values of leaves one by one, which "
                         "may break a trend%s",
                         r->refits ? "refit_keep finds"
                                   : "absolute, quantile and huber losses find",
                         r->refits ? "" : "; learn by another loss");
    }
    r->grow.trend = l->trend;
    r->grow.group = l->group;
    r->grow.n_groups = l->n_groups;
    return true;
}

static void *
gbdt_fit(const struct fit_data *d, const struct params *p,
         const struct train *ctx, struct json_writer *chosen, struct error *err)
{
    const struct gbdt *init = d->init;
    struct boost s = {.d = d, .ctx = ctx, .init = init ? init->forest : NULL};
    struct loss_rule loss;
    struct limits limits;
    struct gbdt *m = NULL;

    if (!check_data(d, err) || !check_offset(d, err) ||
        !choose_loss(d, p, ctx, &loss, err))
        return NULL;
    s.rule = choose_rule(d, p, &loss);
    if (!check_rule(&s.rule, init, err) ||
        !choose_limits(&s.rule, d, p, &loss, &limits, err))
        return NULL;
    if (!check_lines(&s.rule, d, init, err)) {
        limits_fini(&limits);
        return NULL;
    }
    s.rule.grow.seed = ctx->seed;
    if (init && init->rate > 0 && !params_is_set(p, "learning_rate"))
        s.rule.grow.rate = init->rate; /* as it was learnt */
    if (boost_run(&s, err) && (m = mem_try_array(1, sizeof *m, err))) {
        m->forest = s.forest;
        m->inherited = s.inherited;
        m->rate = s.rule.grow.rate;
        m->problem = s.problem;
        m->loss = s.rule.loss = s.objective.rule;
        s.forest = NULL;
        write_rule(chosen, &s.rule, s.rounds);
    }
    boost_fini(&s);
    limits_fini(&limits);
    return m;
}

static void
gbdt_free(void *learner)
{
    struct gbdt *m = learner;

    if (!m)
        return;
    tree_forest_free(m->forest);
    free(m);
}

/* Raw scores, from where the rows begin. */
static bool
score_rows(const struct gbdt *m, const struct design *d, struct pool *pool,
           double *out, struct error *err)
{
    const double *offset = design_offset(d);
    size_t k = m->forest->n_outputs;

    if (!tree_score(m->forest, d, pool, out, err))
        return false;
    for (size_t i = 0; offset && i < design_rows(d) * k; i++)
        out[i] += offset[i / k];
    return true;
}

static bool
gbdt_score(const void *learner, const struct design *d, struct pool *pool,
           double *out, struct error *err)
{
    const struct gbdt *m = learner;

    if (!score_rows(m, d, pool, out, err))
        return false;
    objective_transform(&m->loss, m->problem, out, design_rows(d),
                        m->forest->n_outputs);
    return true;
}

static bool
gbdt_margin(const void *learner, const struct design *d, struct pool *pool,
            double *out, struct error *err)
{
    return score_rows(learner, d, pool, out, err);
}

/* Leaves that are lines have shares of what stands in them, too. */
static bool
gbdt_exact(const void *learner)
{
    return !((const struct gbdt *)learner)->forest->line_start;
}

static bool
gbdt_attribute(const void *learner, const struct attribution *a,
               struct error *err)
{
    const struct gbdt *m = learner;

    return tree_shap(m->forest, a, err);
}

static bool
gbdt_needs_background(const void *learner)
{
    return !((const struct gbdt *)learner)->forest->cover;
}

static int
gbdt_problem(const struct params *p)
{
    const char *word = params_text(p, "loss");
    enum loss loss;

    return word && loss_find(word, &loss) ? loss_problem(loss) : -1;
}

static size_t
gbdt_outputs(const void *learner, size_t *middle)
{
    const struct gbdt *m = learner;

    *middle = 0;
    if (m->loss.loss != LOSS_QUANTILE)
        return 1;
    *middle = loss_middle(&m->loss);
    return m->loss.n_quantiles;
}

static void
gbdt_output_name(const void *learner, size_t i, char *out)
{
    out[0] = 'q';
    str_from_f64(((const struct gbdt *)learner)->loss.quantile[i], out + 1);
}

/* Share of the gain; all the same where nothing was split. */
static void
gbdt_importance(const void *learner, double *out)
{
    const struct forest *f = ((const struct gbdt *)learner)->forest;
    double sum = 0;

    for (size_t c = 0; c < f->n_cols; c++)
        sum += f->gain[c];
    for (size_t c = 0; c < f->n_cols; c++)
        out[c] = sum > 0 && isfinite(sum) ? f->gain[c] / sum
                                          : 1.0 / (double)f->n_cols;
}

static void
gbdt_save(const void *learner, struct st_writer *w, struct json_writer *m)
{
    const struct gbdt *g = learner;

    tree_save(g->forest, w);
    if (!m)
        return;
    json_name(m, "loss");
    json_put_string(m, loss_word(g->loss.loss));
    json_name(m, "rate");
    json_put_double(m, g->rate);
    if (g->loss.loss == LOSS_HUBER || g->loss.loss == LOSS_TWEEDIE) {
        bool huber = g->loss.loss == LOSS_HUBER;

        json_name(m, huber ? "delta" : "power");
        json_put_double(m, huber ? g->loss.delta : g->loss.power);
    }
    if (g->loss.loss != LOSS_QUANTILE)
        return;
    json_name(m, "alpha");
    json_open(m, '[');
    for (size_t i = 0; i < g->loss.n_quantiles; i++)
        json_put_double(m, g->loss.quantile[i]);
    json_close(m, ']');
}

static bool
quantiles_read(const struct json *o, struct loss_rule *r, struct error *err)
{
    const struct json *a;

    if (!json_get_array(o, "alpha", &a, err))
        return false;
    for (const struct json *v = json_first(a); v; v = json_next(v)) {
        double q = json_type(v) == JSON_NUMBER ? json_number(v) : 0;

        if (r->n_quantiles == LOSS_MAX_QUANTILES || !(q > 0 && q < 1))
            return error_set(err, ERR_CORRUPT, "trees: alpha is damaged");
        r->quantile[r->n_quantiles++] = q;
    }
    return r->n_quantiles > 0 ||
           error_set(err, ERR_CORRUPT, "trees: alpha is empty");
}

/* How scores become predictions; files from before there was a choice do not
 * say. */
static bool
loss_read(const struct json *o, enum problem problem, struct loss_rule *r,
          struct error *err)
{
    const char *word;

    *r = (struct loss_rule){.loss = loss_usual(problem)};
    if (!o || !json_find(o, "loss"))
        return true;
    if (!json_get_string(o, "loss", &word, err))
        return false;
    if (!loss_find(word, &r->loss))
        return error_set(err, ERR_CORRUPT, "trees: loss '%.32s' is not known",
                         word);
    if (loss_problem(r->loss) >= 0 && loss_problem(r->loss) != (int)problem)
        return error_set(err, ERR_CORRUPT, "trees: loss '%s' of a %s target",
                         word, problem_word(problem));
    if ((r->loss == LOSS_HUBER &&
         !json_get_double(o, "delta", &r->delta, err)) ||
        (r->loss == LOSS_TWEEDIE &&
         !json_get_double(o, "power", &r->power, err)))
        return false;
    return r->loss != LOSS_QUANTILE || quantiles_read(o, r, err);
}

static void *
gbdt_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
          enum problem problem, size_t n_classes, struct error *err)
{
    struct loss_rule loss;
    struct gbdt *m;
    size_t k;

    if (!loss_read(manifest, problem, &loss, err) ||
        !(m = mem_try_array(1, sizeof *m, err)))
        return NULL;
    m->problem = problem;
    m->loss = loss;
    if (manifest && json_find(manifest, "rate") &&
        (!json_get_double(manifest, "rate", &m->rate, err) ||
         !(m->rate >= 0 && m->rate <= 1))) {
        free(m);
        error_set(err, ERR_CORRUPT, "trees: the rate is damaged");
        return NULL;
    }
    k = problem == PROBLEM_MULTICLASS ? n_classes
        : loss.loss == LOSS_QUANTILE  ? loss.n_quantiles
                                      : 1;
    m->forest = tree_load(f, n_cols, k, err);
    if (!m->forest) {
        free(m);
        return NULL;
    }
    return m;
}

const struct forest *
gbdt_forest(const void *learner)
{
    return ((const struct gbdt *)learner)->forest;
}

const struct loss_rule *
gbdt_loss(const void *learner)
{
    return &((const struct gbdt *)learner)->loss;
}

size_t
gbdt_trees(const void *learner)
{
    return ((const struct gbdt *)learner)->forest->n_trees;
}

static size_t
gbdt_rounds(const void *learner)
{
    const struct gbdt *m = learner;

    return m->forest->n_trees / m->forest->n_outputs - m->inherited;
}

const struct family gbdt_family = {
    .name = "gbdt",
    .title = "gradient boosting",
    .params = GBDT_PARAMS,
    .style = PREPARE_TREES,
    .problems = FAMILY_ANY_TARGET,
    .iterative = true,
    .feeds = true,
    .weighs = true,
    .own_losses = true,
    .offsets = true,
    .checkpoints = true,
    .continues = true,
    .rounds_param = "trees",
    .rounds = gbdt_rounds,
    .problem = gbdt_problem,
    .outputs = gbdt_outputs,
    .output_name = gbdt_output_name,
    .fit = gbdt_fit,
    .free = gbdt_free,
    .score = gbdt_score,
    .importance = gbdt_importance,
    .save = gbdt_save,
    .load = gbdt_load,
    .margin = gbdt_margin,
    .attribute = gbdt_attribute,
    .exact = gbdt_exact,
    .needs_background = gbdt_needs_background,
};
