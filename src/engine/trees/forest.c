/* engine/trees/forest.c -- random forests and extremely randomised trees.
 *
 * Trees are grown in waves, a tree to a thread at a time.  What a wave says of
 * the rows that its trees left out is added afterwards, by ranges of rows and in
 * the order of the trees.
 *
 * Defaults.
 *   trees     200
 *   features  of a node: the square root of the columns for classes; half of
 *             them for numbers, at least ten
 *   min_rows  5 for two classes, else 1.  A leaf of one row says 0 or 1, which
 *             ranks rows badly: on two tables of 4,000 and 7,000 rows five rows
 *             gain 0.007 and 0.019 of AUC.  Where there are several classes, and
 *             for numbers, it is better to go on to the end; but 2 for numbers
 *             where cuts are drawn: they tell apart less of two rows.
 *   bins      255; of numbers whose cuts are drawn 65,535: on 54,000 diamonds
 *             255 cost 3 % of the error
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/forest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "engine/trees/forest_grow.h"
#include "engine/trees/shap.h"

enum { STREAM_BAG = 0x626167, WAVE = 32, GRAIN = 4096 };

#define FOREST_PARAMS(bag, most, bins)                                           \
    {"trees", PARAM_INT, 1, 100000, "200", NULL, "trees, all of equal say"},     \
        {"features",                                                             \
         PARAM_TEXT,                                                             \
         0,                                                                      \
         0,                                                                      \
         "auto",                                                                 \
         NULL,                                                                   \
         "columns a node looks at: sqrt, log2, third, all, a share or a "        \
         "number; auto: sqrt for classes, for numbers half, at least ten"},      \
        {"leaves",                                                               \
         PARAM_INT,                                                              \
         2,                                                                      \
         TREE_MAX_LEAVES,                                                        \
         "32768",                                                                \
         NULL,                                                                   \
         "leaves of a tree, at most"},                                           \
        {"max_depth",                                                            \
         PARAM_INT,                                                              \
         0,                                                                      \
         64,                                                                     \
         "0",                                                                    \
         NULL,                                                                   \
         "splits from the root to a leaf, at most; 0: any"},                     \
        {"min_rows", PARAM_INT, 1, 1e9, NULL, NULL, "rows of a leaf, at least"}, \
        {"bootstrap",                                                            \
         PARAM_BOOL,                                                             \
         0,                                                                      \
         0,                                                                      \
         bag,                                                                    \
         NULL,                                                                   \
         "each tree learns from rows drawn with replacement"},                   \
        {"row_share",                                                            \
         PARAM_FLOAT,                                                            \
         0.01,                                                                   \
         1,                                                                      \
         "1",                                                                    \
         NULL,                                                                   \
         "rows drawn for a tree, as a share of all"},                            \
        {"bins",                                                                 \
         PARAM_INT,                                                              \
         2,                                                                      \
         most,                                                                   \
         NULL,                                                                   \
         NULL,                                                                   \
         "codes that a column is cut into, at most; auto: " bins},               \
        {"keep_oob",                                                             \
         PARAM_BOOL,                                                             \
         0,                                                                      \
         0,                                                                      \
         "false",                                                                \
         NULL,                                                                   \
         "keep the out-of-bag predictions in the model"},                        \
    {                                                                            \
        NULL, PARAM_INT, 0, 0, NULL, NULL, NULL                                  \
    }

static const struct param forest_params[] = {
    FOREST_PARAMS("true", BINNER_NARROW, "255")};
static const struct param extra_params[] = {
    FOREST_PARAMS("false", BINNER_MAX_BINS, "255, for numbers 65535")};

struct random_forest {
    struct forest *forest;
    enum problem problem;
    double *oob; /* (n_oob, outputs); NaN: in all bags; NULL: not kept */
    size_t n_oob;
};

/* ---- state ---- */

struct fitting {
    const struct fit_data *d;
    const struct train *ctx;
    struct forest_rule rule;
    size_t n, trees, outputs, draws;
    bool bootstrap;
    struct binned *b;
    struct forest *forest;
    size_t done; /* trees */

    /* of the wave at hand */
    size_t first, wave;
    struct forest_tree tree[WAVE];
    bool grown[WAVE];
    uint64_t *in_bag; /* (WAVE, words) */
    size_t words;

    double *oob;     /* (n, outputs): sums */
    uint32_t *n_oob; /* trees that a row was left out of */
};

static void
drop_wave(struct fitting *f)
{
    for (size_t t = 0; t < WAVE; t++)
        forest_tree_fini(&f->tree[t]);
}

static void
fitting_fini(struct fitting *f)
{
    drop_wave(f);
    binned_free(f->b);
    tree_forest_free(f->forest);
    free(f->in_bag);
    free(f->oob);
    free(f->n_oob);
}

/* ---- rules ---- */

static bool
features_of(const char *text, size_t cols, bool classes, size_t *out,
            struct error *err)
{
    double n = (double)cols, v;

    if (strcmp(text, "auto") == 0 && !classes)
        v = fmax(n / 2, 10);
    else if (strcmp(text, "sqrt") == 0 || strcmp(text, "auto") == 0)
        v = sqrt(n);
    else if (strcmp(text, "log2") == 0)
        for (v = 0; ldexp(1, (int)v + 1) <= n;)
            v++;
    else if (strcmp(text, "third") == 0)
        v = n / 3;
    else if (strcmp(text, "all") == 0)
        v = n;
    else if (!str_to_f64(str_of(text), &v) || !(v > 0) || v > 1e9 ||
             (v > 1 && v != floor(v)))
        return error_set(err, ERR_RANGE,
                         "features is '%.64s', expected sqrt, log2, third, "
                         "all, a share up to 1 or a number of columns",
                         text);
    else if (v < 1 || strchr(text, '.'))
        v *= n; /* a share, "1.0" being all */
    v = floor(v);
    *out = v < 1 ? 1 : v > n ? cols : (size_t)v;
    return true;
}

static size_t
rows_of(const struct params *p, bool binary, bool drawn)
{
    if (params_is_set(p, "min_rows"))
        return (size_t)params_int(p, "min_rows");
    return binary ? 5 : drawn ? 2 : 1;
}

static bool
choose_rule(struct fitting *f, const struct params *p, bool extra,
            struct error *err)
{
    bool classes = f->d->y->problem != PROBLEM_REGRESSION;
    bool binary = f->d->y->problem == PROBLEM_BINARY;

    f->outputs =
        f->d->y->problem == PROBLEM_MULTICLASS ? f->d->y->n_classes : 1;
    f->trees = (size_t)params_int(p, "trees");
    f->bootstrap = params_bool(p, "bootstrap");
    f->draws = (size_t)fmax(
        1, floor(params_float(p, "row_share") * (double)f->n + 0.5));
    f->rule =
        (struct forest_rule){.leaves = (size_t)params_int(p, "leaves"),
                             .max_depth = (unsigned)params_int(p, "max_depth"),
                             .min_rows = rows_of(p, binary, extra && !classes),
                             .extra = extra,
                             .numbers = !classes,
                             .k = f->outputs,
                             .seed = f->ctx->seed};
    return features_of(params_text(p, "features"), design_cols(f->d->train),
                       classes, &f->rule.features, err);
}

static bool
check_data(const struct fit_data *d, struct error *err)
{
    size_t cols = design_cols(d->train), n = design_rows(d->train);

    if (cols == 0 || cols > TREE_MAX_COLS)
        return error_set(err, ERR_LIMIT, "%zu columns, expected 1..%d", cols,
                         TREE_MAX_COLS);
    if (n == 0)
        return error_set(err, ERR_RANGE, "no rows to learn from");
    if (n > INT32_MAX)
        return error_set(err, ERR_LIMIT, "%zu rows, expected at most %d", n,
                         INT32_MAX);
    return true;
}

/* ---- bags ---- */

static double
weight_of(const struct fitting *f, size_t row)
{
    return f->d->y->weight ? f->d->y->weight[row] : 1;
}

/* How often each row is drawn for a tree. */
static void
draw_bag(const struct fitting *f, size_t tree, uint32_t *count)
{
    uint64_t stream = STREAM_BAG + ((uint64_t)tree << 32);

    memset(count, 0, f->n * sizeof *count);
    if (f->bootstrap) {
        for (size_t i = 0; i < f->draws; i++)
            count[rng_below(f->ctx->seed, stream, i, f->n)]++;
        return;
    }
    /* Without replacement: the first of a shuffle. */
    for (size_t i = 0; i < f->n; i++)
        count[i] = (uint32_t)i;
    if (f->draws < f->n)
        rng_shuffle(f->ctx->seed, stream, count, f->n);
    for (size_t i = f->draws; i < f->n; i++)
        count[i] |= UINT32_C(1) << 31;
}

/* The rows to learn from, ascending; how many. */
static size_t
fill_rows(const struct fitting *f, size_t t, uint32_t *count,
          struct forest_row *rows)
{
    uint64_t *bag = f->in_bag + t * f->words;
    size_t m = 0;

    memset(bag, 0, f->words * sizeof *bag);
    draw_bag(f, f->first + t, count);
    for (size_t i = 0; i < f->n; i++) {
        size_t row = f->bootstrap ? i : count[i] & INT32_MAX;
        bool in = f->bootstrap ? count[i] > 0 : count[i] >> 31 == 0;

        if (in)
            bag[row / 64] |= UINT64_C(1) << (row % 64);
    }
    for (size_t i = 0; i < f->n; i++) {
        double w = weight_of(f, i) * (f->bootstrap ? count[i] : 1);

        if ((bag[i / 64] >> (i % 64) & 1) && w > 0)
            rows[m++] =
                (struct forest_row){(uint32_t)i, (float)w, f->d->y->y[i]};
    }
    return m;
}

/* ---- a wave of trees ---- */

static bool
grow_tree(struct fitting *f, size_t t, struct error *err)
{
    struct forest_row *rows = mem_try_array(f->n, sizeof *rows, err);
    uint32_t *count = mem_try_array(f->n, sizeof *count, err);
    bool ok = rows && count;
    size_t n_drawn = ok ? fill_rows(f, t, count, rows) : 0, m = n_drawn;

    free(count);
    /* All that was drawn weighs nothing: learn from what weighs. */
    for (size_t i = 0; ok && n_drawn == 0 && i < f->n; i++)
        if (weight_of(f, i) > 0)
            rows[m++] = (struct forest_row){(uint32_t)i, (float)weight_of(f, i),
                                            f->d->y->y[i]};
    ok = ok && forest_grow(f->b, &f->rule, f->first + t, rows, m,
                           f->ctx->progress, &f->tree[t], err);
    free(rows);
    return ok;
}

static bool
grow_one(void *ctx, size_t t, struct pool *alone, struct error *err)
{
    struct fitting *f = ctx;

    (void)alone;
    f->grown[t] = progress_check(f->ctx->progress, err) && grow_tree(f, t, err);
    if (f->grown[t])
        progress_add(f->ctx->progress, 1);
    return f->grown[t];
}

/* What the trees of the wave say of the rows that they have not seen. */
static void
add_oob(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct fitting *f = ctx;

    (void)chunk;
    for (size_t t = 0; t < f->wave; t++) {
        const struct forest_tree *tree = &f->tree[t];
        const uint64_t *bag = f->in_bag + t * f->words;

        for (size_t r = begin; r < end; r++) {
            size_t leaf;

            if (bag[r / 64] >> (r % 64) & 1)
                continue;
            leaf = forest_leaf(tree, f->b, r);
            f->n_oob[r]++;
            for (size_t c = 0; c < f->outputs; c++)
                f->oob[r * f->outputs + c] +=
                    (double)tree->value[c * tree->n_leaves + leaf];
        }
    }
}

/* Append a grown tree: one for each output, alike but for the leaves. */
static bool
append_tree(struct fitting *f, const struct forest_tree *t, struct error *err)
{
    if (!tree_begin(f->forest, t->n_leaves, err))
        return false;
    for (size_t i = 0; i < t->n_nodes; i++)
        (void)tree_add_node(f->forest, f->b, &t->split[i], NULL, t->left[i],
                            t->right[i]);
    tree_end(f->forest, t->value, t->n_leaves);
    memcpy(tree_cover(f->forest), t->cover, t->n_leaves * sizeof *t->cover);
    for (size_t c = 1; c < f->outputs; c++)
        if (!tree_repeat(f->forest, t->value + c * t->n_leaves, err))
            return false;
    return true;
}

/* False also when it was stopped, with the trees before the first unfinished
 * one kept. */
static bool
run_wave(struct fitting *f, struct error *err)
{
    size_t asked = f->trees - f->done < WAVE ? f->trees - f->done : WAVE;

    f->first = f->done;
    f->wave = 0;
    memset(f->grown, 0, sizeof f->grown);
    if (!pool_each(f->ctx->pool, asked, grow_one, f, err) &&
        err->code != ERR_CANCELLED)
        return false;
    while (f->wave < asked && f->grown[f->wave])
        f->wave++;
    for (size_t t = 0; t < f->wave; t++)
        if (!append_tree(f, &f->tree[t], err))
            return false;
    if (f->oob)
        pool_for(f->ctx->pool, f->n, GRAIN, add_oob, f);
    f->done += f->wave;
    drop_wave(f);
    return progress_check(f->ctx->progress, err);
}

/* ---- out-of-bag scores ---- */

/* Rows that some tree has not seen, their predictions side by side. */
static size_t
mean_oob(const struct fitting *f, double *y, double *p)
{
    size_t m = 0, k = f->outputs;

    for (size_t r = 0; r < f->n; r++) {
        if (f->n_oob[r] == 0)
            continue;
        y[m] = f->d->y->y[r];
        for (size_t c = 0; c < k; c++)
            p[m * k + c] = f->oob[r * k + c] / f->n_oob[r];
        m++;
    }
    return m;
}

/* A certain class that was wrong would cost without bound. */
static void
soften(const struct fitting *f, double *p, size_t m)
{
    for (size_t i = 0; i < m * f->outputs; i++)
        p[i] = fmin(fmax(p[i], 1e-6), 1 - 1e-6);
}

static void
put_score(const struct fitting *f, const struct metric *m, const double *y,
          const double *p, size_t n, struct json_writer *chosen)
{
    double v = metric_score(m->kind, f->d->y->problem, y, p, n, f->outputs);
    char name[64];

    snprintf(name, sizeof name, "oob.%s", m->name);
    event_emit(&f->ctx->sink, name, (int64_t)f->done, v);
    if (!chosen)
        return;
    snprintf(name, sizeof name, "oob_%s", m->name);
    json_name(chosen, name);
    json_put_double(chosen, v);
}

/* The curve's point after a wave, and at the end all metrics for the record. */
static bool
tell_oob(const struct fitting *f, struct json_writer *chosen, struct error *err)
{
    double *y, *p;
    size_t m;

    if (!f->oob || f->d->n_metrics == 0 || (!chosen && !f->ctx->sink.emit))
        return true;
    y = mem_try_array(f->n, sizeof *y, err);
    p = mem_try_array(f->n, f->outputs * sizeof *p, err);
    if (y && p && (m = mean_oob(f, y, p)) > 0) {
        if (f->d->y->problem != PROBLEM_REGRESSION)
            soften(f, p, m);
        for (size_t i = 0; i < (chosen ? f->d->n_metrics : 1); i++)
            put_score(f, f->d->metrics[i], y, p, m, chosen);
    }
    free(y);
    free(p);
    return y && p;
}

/* ---- fitting ---- */

/* Cuts at random are drawn between values, so that all of a number's tell; in
 * classes they only make noise. */
static unsigned
bins_of(const struct fitting *f, const struct params *p)
{
    if (params_is_set(p, "bins"))
        return (unsigned)params_int(p, "bins");
    return f->rule.extra && f->rule.numbers ? BINNER_MAX_BINS : BINNER_NARROW;
}

static bool
fitting_init(struct fitting *f, const struct params *p, struct error *err)
{
    double base[TARGET_MAX_CLASSES] = {0};
    struct binned_rule rule = {bins_of(f, p), BINNER_NARROW, 0, f->ctx->seed,
                               false};
    bool left_out = f->bootstrap || f->draws < f->n;

    f->words = (f->n + 63) / 64;
    f->b = binned_fit(f->d->train, &rule, f->ctx->pool, f->ctx->progress, err);
    if (!f->b || !(f->forest = tree_forest_new(f->b, base, f->outputs, err)) ||
        !(f->in_bag = mem_try_array(WAVE * f->words, sizeof *f->in_bag, err)))
        return false;
    if (!left_out)
        return true;
    f->oob = mem_try_array(f->n, f->outputs * sizeof *f->oob, err);
    f->n_oob = mem_try_array(f->n, sizeof *f->n_oob, err);
    return f->oob && f->n_oob;
}

static bool
grow_all(struct fitting *f, struct error *err)
{
    progress_begin(f->ctx->progress, "growing trees", f->trees);
    while (f->done < f->trees) {
        struct error stopped;

        if (!run_wave(f, &stopped)) {
            if (stopped.code != ERR_CANCELLED || f->done == 0) {
                *err = stopped;
                return false;
            }
            break; /* what is finished is kept */
        }
        if (!tell_oob(f, NULL, err))
            return false;
    }
    for (size_t i = 0; i < f->forest->n_leaves; i++)
        f->forest->value[i] =
            (float)((double)f->forest->value[i] / (double)f->done);
    return tree_seal(f->forest, err);
}

static void
write_rule(const struct fitting *f, struct json_writer *w)
{
    const struct {
        const char *name;
        size_t value;
    } chosen[] = {{"trees", f->done},
                  {"features", f->rule.features},
                  {"min_rows", f->rule.min_rows}};

    for (size_t i = 0; w && i < sizeof chosen / sizeof *chosen; i++) {
        json_name(w, chosen[i].name);
        json_put_double(w, (double)chosen[i].value);
    }
}

/* The learner takes the forest, and the out-of-bag means where they are
 * wanted. */
static struct random_forest *
close_fit(struct fitting *f, bool keep, struct error *err)
{
    struct random_forest *m = mem_try_array(1, sizeof *m, err);

    if (!m)
        return NULL;
    m->problem = f->d->y->problem;
    m->forest = f->forest;
    f->forest = NULL;
    if (!keep || !f->oob)
        return m;
    for (size_t r = 0; r < f->n; r++)
        for (size_t c = 0; c < f->outputs; c++)
            f->oob[r * f->outputs + c] =
                f->n_oob[r] ? f->oob[r * f->outputs + c] / f->n_oob[r] : NAN;
    m->oob = f->oob;
    m->n_oob = f->n;
    f->oob = NULL;
    return m;
}

static void *
fit(const struct fit_data *d, const struct params *p, const struct train *ctx,
    bool extra, struct json_writer *chosen, struct error *err)
{
    struct fitting f = {.d = d, .ctx = ctx};
    struct random_forest *m = NULL;

    if (!check_data(d, err))
        return NULL;
    f.n = design_rows(d->train);
    if (choose_rule(&f, p, extra, err) && fitting_init(&f, p, err) &&
        grow_all(&f, err)) {
        write_rule(&f, chosen);
        if (!chosen || tell_oob(&f, chosen, err))
            m = close_fit(&f, params_bool(p, "keep_oob"), err);
    }
    fitting_fini(&f);
    return m;
}

static void *
forest_fit(const struct fit_data *d, const struct params *p,
           const struct train *ctx, struct json_writer *chosen,
           struct error *err)
{
    return fit(d, p, ctx, false, chosen, err);
}

static void *
extra_fit(const struct fit_data *d, const struct params *p,
          const struct train *ctx, struct json_writer *chosen,
          struct error *err)
{
    return fit(d, p, ctx, true, chosen, err);
}

/* ---- the learner ---- */

static void
forest_free(void *learner)
{
    struct random_forest *m = learner;

    if (!m)
        return;
    tree_forest_free(m->forest);
    free(m->oob);
    free(m);
}

const struct forest *
forest_forest(const void *learner)
{
    return ((const struct random_forest *)learner)->forest;
}

static bool
forest_margin(const void *learner, const struct design *d, struct pool *pool,
              double *out, struct error *err)
{
    return tree_score(((const struct random_forest *)learner)->forest, d, pool,
                      out, err);
}

/* Sums of floats are probabilities but for rounding. */
static void
finish(const struct random_forest *m, double *out, size_t n)
{
    size_t k = m->forest->n_outputs;

    for (size_t r = 0; r < n; r++) {
        double *row = out + r * k, sum = 0;

        for (size_t c = 0; c < k; c++)
            sum += row[c] = fmin(fmax(row[c], 0), 1);
        for (size_t c = 0; k > 1 && c < k; c++)
            row[c] = sum > 0 ? row[c] / sum : 1 / (double)k;
    }
}

static bool
forest_score(const void *learner, const struct design *d, struct pool *pool,
             double *out, struct error *err)
{
    const struct random_forest *m = learner;

    if (!forest_margin(m, d, pool, out, err))
        return false;
    if (m->problem != PROBLEM_REGRESSION)
        finish(m, out, design_rows(d));
    return true;
}

static bool
forest_attribute(const void *learner, const struct attribution *a,
                 struct error *err)
{
    return tree_shap(((const struct random_forest *)learner)->forest, a, err);
}

static bool
forest_needs_background(const void *learner)
{
    return !((const struct random_forest *)learner)->forest->cover;
}

static void
forest_importance(const void *learner, double *out)
{
    const struct forest *f = ((const struct random_forest *)learner)->forest;
    double sum = 0;

    for (size_t c = 0; c < f->n_cols; c++)
        sum += f->gain[c];
    for (size_t c = 0; c < f->n_cols; c++)
        out[c] = sum > 0 && isfinite(sum) ? f->gain[c] / sum
                                          : 1.0 / (double)f->n_cols;
}

static const double *
forest_out_of_bag(const void *learner, size_t *n)
{
    const struct random_forest *m = learner;

    *n = m->n_oob;
    return m->oob;
}

static void
forest_save(const void *learner, struct st_writer *w, struct json_writer *m)
{
    const struct random_forest *f = learner;

    (void)m;
    tree_save(f->forest, w);
    if (f->oob)
        st_add1(w, "forest.oob", ST_F64, f->n_oob * f->forest->n_outputs,
                f->oob);
}

static bool
load_oob(struct random_forest *m, const struct st_file *f, struct error *err)
{
    struct st_tensor t;
    struct error none;

    if (!st_need(f, "forest.oob", ST_F64, -1, &t, &none))
        return true;
    if (t.n % m->forest->n_outputs)
        return error_set(err, ERR_CORRUPT,
                         "tensor 'forest.oob' has %zu values for %zu outputs",
                         (size_t)t.n, m->forest->n_outputs);
    m->n_oob = (size_t)t.n / m->forest->n_outputs;
    m->oob = mem_try_array((size_t)t.n, sizeof *m->oob, err);
    if (!m->oob)
        return false;
    memcpy(m->oob, t.data, (size_t)t.n * sizeof *m->oob);
    return true;
}

static void *
forest_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
            enum problem problem, size_t n_classes, struct error *err)
{
    struct random_forest *m = mem_try_array(1, sizeof *m, err);

    (void)manifest;
    if (!m)
        return NULL;
    m->problem = problem;
    m->forest = tree_load(f, n_cols,
                          problem == PROBLEM_MULTICLASS ? n_classes : 1, err);
    if (m->forest && load_oob(m, f, err))
        return m;
    forest_free(m);
    return NULL;
}

size_t
forest_trees(const void *learner)
{
    const struct forest *f = ((const struct random_forest *)learner)->forest;

    return f->n_trees / f->n_outputs;
}

const struct family extra_trees_family = {
    .name = "extra_trees",
    .title = "extremely randomised trees",
    .params = extra_params,
    .style = PREPARE_TREES,
    .problems = FAMILY_ANY_TARGET,
    .weighs = true,
    .fit = extra_fit,
    .free = forest_free,
    .score = forest_score,
    .importance = forest_importance,
    .save = forest_save,
    .load = forest_load,
    .attribute = forest_attribute,
    .needs_background = forest_needs_background,
    .out_of_bag = forest_out_of_bag,
};

const struct family forest_family = {
    .name = "forest",
    .title = "random forest",
    .params = forest_params,
    .style = PREPARE_TREES,
    .problems = FAMILY_ANY_TARGET,
    .weighs = true,
    .fit = forest_fit,
    .free = forest_free,
    .score = forest_score,
    .importance = forest_importance,
    .save = forest_save,
    .load = forest_load,
    .attribute = forest_attribute,
    .needs_background = forest_needs_background,
    .out_of_bag = forest_out_of_bag,
};
