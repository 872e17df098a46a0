/* engine/neural/cnn.c -- convolutional nets, for images.
 *
 * Defaults.  What is not set follows from the image's shorter side s and the
 * n training rows:
 *
 *   height, width   64 for pictures; of columns the root of how many there are
 *   layers          s below 16: conv32 conv32 max2 conv64 conv64 max2 128
 *                   else: conv16 max2, conv32 max2, conv64 max2 ... with twice
 *                   the numbers each time, at most 128, down to a side of 8;
 *                   then res of as many, mean
 *   shift           s / 8
 *   learning_rate   0.003, along one cycle
 *   weight_decay    0.01
 *   epochs          30, below 6,000 rows 60
 *   batch           n / 16, at least 8 and at most 64
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/neural/cnn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/neural/fitted.h"
#include "engine/neural/pixels.h"
#include "engine/neural/rule.h"

enum { MAX_CHANNELS = 64 };

static const struct param CNN_PARAMS[] = {
    {"layers", PARAM_TEXT, 0, 0, NULL, NULL,
     "conv32, res64, max2, mean, 128, drop0.5 ..., from the image on"},
    {"height", PARAM_INT, 1, NET_MAX_SIDE, NULL, NULL,
     "pixels of an image from top to bottom"},
    {"width", PARAM_INT, 1, NET_MAX_SIDE, NULL, NULL,
     "pixels of an image from left to right"},
    {"channels", PARAM_INT, 1, MAX_CHANNELS, NULL, NULL,
     "numbers of a pixel; of pictures 1 is grey and 3 colour"},
    {"flip", PARAM_BOOL, 0, 0, "false", NULL,
     "mirror every second image in training"},
    {"shift", PARAM_INT, 0, 1024, NULL, NULL,
     "move images in training, by so many pixels at most"},
    {"crop", PARAM_FLOAT, 0, 0.9, "0", NULL,
     "share of each side that is cut off in training, at most"},
    {"brightness", PARAM_FLOAT, 0, 1, "0", NULL,
     "share by which images are lighter or darker in training, at most"},
    {"dropout", PARAM_FLOAT, 0, 0.95, "0", NULL,
     "share of each dense layer's numbers left out in training"},
    NET_RULE_PARAMS,
    {NULL, PARAM_INT, 0, 0, NULL, NULL, NULL},
};

enum { SIDE = 64 };

struct cnn {
    struct net_fitted *net;
    struct image_size size;
    bool files;
    float *scale; /* means, then 1 / deviations, c each; owned */
};

static void
cnn_free(void *learner)
{
    struct cnn *m = learner;

    if (!m)
        return;
    net_fitted_free(m->net);
    free(m->scale);
    free(m);
}

/* ---- shape ---- */

static uint32_t
root_of(size_t n)
{
    uint32_t r = 0;

    while ((size_t)(r + 1) * (r + 1) <= n)
        r++;
    return (size_t)r * r == n ? r : 0;
}

static bool
size_of_columns(const struct params *p, size_t n, struct image_size *s,
                struct error *err)
{
    size_t sides[2];

    s->c = (uint32_t)net_pick_int(p, "channels", root_of(n) ? 1 : 3);
    s->h = n % s->c ? 0 : root_of(n / s->c);
    sides[0] = net_pick_int(p, "height", 0);
    sides[1] = net_pick_int(p, "width", 0);
    s->w = s->h;
    if (sides[0] || sides[1]) {
        size_t known = (sides[0] ? sides[0] : 1) * (sides[1] ? sides[1] : 1);

        s->h = (uint32_t)(sides[0] ? sides[0] : n / s->c / known);
        s->w = (uint32_t)(sides[1] ? sides[1] : n / s->c / known);
    }
    if (s->h == 0 && !sides[0] && !sides[1] && !params_is_set(p, "channels"))
        return error_set(err, ERR_RANGE,
                         "%zu columns are no square picture of one number or "
                         "three a pixel: height, width and channels say what "
                         "they are; what is no picture is for another family, "
                         "as mlp",
                         n);
    return (s->h > 0 && image_numbers(*s) == n) ||
           error_set(err, ERR_RANGE,
                     "%zu columns are no image of %u x %u pixels with %u "
                     "numbers each: height, width and channels say what they "
                     "are",
                     n, s->h, s->w, s->c);
}

static bool
size_of(const struct design *d, const struct params *p, struct image_size *s,
        struct error *err)
{
    if (!design_is_text(d, 0))
        return size_of_columns(p, design_cols(d), s, err);
    s->h = (uint32_t)net_pick_int(p, "height", net_pick_int(p, "width", SIDE));
    s->w = (uint32_t)net_pick_int(p, "width", s->h);
    s->c = (uint32_t)net_pick_int(p, "channels", 3);
    return s->c == 1 || s->c == 3 ||
           error_set(err, ERR_RANGE,
                     "channels is %u, expected 1 or 3 for pictures", s->c);
}

static void
usual_layers(struct image_size s, struct buf *out)
{
    uint32_t side = s.h < s.w ? s.h : s.w, units = 16;

    if (side < 4) {
        buf_puts(out, "conv32 conv32 mean");
        return;
    }
    if (side < 16) {
        buf_puts(out, "conv32 conv32 max2 conv64 conv64 max2 128");
        return;
    }
    for (; side >= 16; side /= 2) {
        buf_printf(out, "conv%u max2 ", units);
        units = units < 128 ? units * 2 : units;
    }
    buf_printf(out, "res%u mean", units);
}

/* ---- learning ---- */

struct fitting {
    struct cnn *m;
    struct pixels train, valid;
    struct net_rows rows, valid_rows;
    struct buf layers;
};

static struct net_usual
usual_of(size_t n)
{
    return (struct net_usual){.rate = 0.003,
                              .decay = 0.01,
                              .schedule = RATE_ONE_CYCLE,
                              .epochs = n < 6000 ? 60 : 30,
                              .batch = n < 128    ? 8
                                       : n < 1024 ? n / 16
                                                  : 64};
}

static bool
rows_init(struct fitting *f, struct net_learning *l, const struct params *p,
          struct error *err)
{
    const struct fit_data *d = l->d;
    struct pool *pool = l->ctx->pool;
    struct image_size s = f->m->size;
    uint32_t side = s.h < s.w ? s.h : s.w;
    float *mean = f->m->scale, *inverse = f->m->scale + s.c;

    if (!pixels_init(&f->train, d->train, s, pool, l->ctx->progress, err) ||
        !pixels_measure(&f->train, pool, l->ctx->progress, mean, inverse, err))
        return false;
    f->train.mean = f->valid.mean = mean;
    f->train.inverse = f->valid.inverse = inverse;
    f->train.change = (struct pixels_change){
        .flip = params_bool(p, "flip"),
        .shift = (uint32_t)net_pick_int(p, "shift", side / 8),
        .crop = params_float(p, "crop"),
        .brightness = params_float(p, "brightness"),
        .seed = l->ctx->seed};
    f->rows = (struct net_rows){design_rows(d->train), pixels_take, &f->train};
    l->rows = &f->rows;
    if (!d->valid || design_rows(d->valid) == 0)
        return true;
    if (!pixels_init(&f->valid, d->valid, s, pool, l->ctx->progress, err))
        return error_prefix(err, "validation rows: ");
    f->valid.mean = mean;
    f->valid.inverse = inverse;
    f->valid_rows =
        (struct net_rows){design_rows(d->valid), pixels_take, &f->valid};
    l->valid = &f->valid_rows;
    return true;
}

static bool
net_init(struct fitting *f, struct net_learning *l, const struct params *p,
         struct error *err)
{
    struct image_size s = f->m->size;
    struct net_plan plan = {.input = {s.h, s.w, s.c},
                            .n_outputs = l->scale.k,
                            .norm = params_bool(p, "batch_norm"),
                            .drop = params_float(p, "dropout")};

    if (params_is_set(p, "layers"))
        buf_puts(&f->layers, params_text(p, "layers"));
    else
        usual_layers(s, &f->layers);
    if (!buf_check(&f->layers, err))
        return false;
    plan.layers = f->layers.data;
    if (!net_act_parse(params_text(p, "activation"), &plan.act))
        return error_set(err, ERR_RANGE, "activation '%s'",
                         params_text(p, "activation"));
    f->m->net =
        net_fitted_new(&plan, design_cols(l->d->train), l->ctx->seed, err);
    return f->m->net != NULL;
}

static bool
put_importance(const struct net_learning *l, struct cnn *m, struct error *err)
{
    if (m->files) {
        m->net->importance[0] = 1;
        return true;
    }
    return net_reach(l, m->net->importance, NULL, err);
}

static void
put_chosen(const struct fitting *f, const struct net_learning *l,
           struct json_writer *w)
{
    json_name(w, "layers");
    json_put_string(w, f->layers.data);
    json_name(w, "height");
    json_put_i64(w, f->m->size.h);
    json_name(w, "width");
    json_put_i64(w, f->m->size.w);
    json_name(w, "channels");
    json_put_i64(w, f->m->size.c);
    json_name(w, "shift");
    json_put_i64(w, f->train.change.shift);
    net_rule_json(l, w);
}

static bool
fitting_run(struct fitting *f, struct net_learning *l, const struct params *p,
            struct json_writer *chosen, struct error *err)
{
    struct net_usual usual = usual_of(design_rows(l->d->train));
    struct cnn *m = f->m;

    m->files = design_is_text(l->d->train, 0);
    if (!size_of(l->d->train, p, &m->size, err) ||
        !net_rule(l, p, &usual, err) || !net_init(f, l, p, err) ||
        !(m->scale =
              mem_try_array(2 * (size_t)m->size.c, sizeof *m->scale, err)) ||
        !rows_init(f, l, p, err))
        return false;
    l->net = m->net->net;
    if (l->d->init)
        l->init = ((const struct cnn *)l->d->init)->net->net;
    if (!net_learn(l, err) || !put_importance(l, m, err))
        return false;
    m->net->scale = l->scale;
    m->net->epochs = l->kept;
    put_chosen(f, l, chosen);
    return net_fitted_seal(m->net, l->ctx->pool, err);
}

static void *
cnn_fit(const struct fit_data *d, const struct params *p,
        const struct train *ctx, struct json_writer *chosen, struct error *err)
{
    struct net_learning l = {
        .d = d,
        .ctx = ctx,
        .scale.k = d->y->problem == PROBLEM_MULTICLASS ? d->y->n_classes : 1};
    struct fitting f = {.m = mem_try_array(1, sizeof *f.m, err)};
    bool ok = f.m != NULL;

    buf_init(&f.layers);
    if (ok && design_rows(d->train) == 0)
        ok = error_set(err, ERR_RANGE, "no rows to learn from");
    ok = ok && fitting_run(&f, &l, p, chosen, err);
    pixels_fini(&f.train);
    pixels_fini(&f.valid);
    buf_fini(&f.layers);
    if (ok)
        return f.m;
    cnn_free(f.m);
    return NULL;
}

/* ---- the fitted model ---- */

struct cnn_parts
cnn_parts(const void *learner)
{
    const struct cnn *m = learner;

    return (struct cnn_parts){m->net, m->scale, m->files};
}

static bool
answer(const void *learner, const struct design *d, enum net_answers want,
       struct pool *pool, double *out, struct error *err)
{
    const struct cnn *m = learner;
    struct pixels p = {.d = d,
                       .size = m->size,
                       .files = m->files,
                       .mean = m->scale,
                       .inverse = m->scale + m->size.c};
    struct net_rows rows = {design_rows(d), pixels_take, &p};
    struct net_question q = {&m->net->ready, &m->net->scale, &rows, want};

    if (design_cols(d) != m->net->n_cols || design_is_text(d, 0) != m->files)
        return error_set(err, ERR_STATE,
                         "the net is not made for these columns");
    return net_answer(&q, pool, NULL, out, err);
}

static bool
cnn_score(const void *learner, const struct design *d, struct pool *pool,
          double *out, struct error *err)
{
    return answer(learner, d, NET_PREDICTIONS, pool, out, err);
}

static bool
cnn_margin(const void *learner, const struct design *d, struct pool *pool,
           double *out, struct error *err)
{
    return answer(learner, d, NET_MARGINS, pool, out, err);
}

static void
cnn_importance(const void *learner, double *out)
{
    net_fitted_importance(((const struct cnn *)learner)->net, out);
}

static void
cnn_save(const void *learner, struct st_writer *w, struct json_writer *m)
{
    const struct cnn *c = learner;

    net_fitted_save(c->net, "cnn", w, m);
    json_name(m, "pictures");
    json_put_bool(m, c->files);
    st_add1(w, "cnn.scale", ST_F32, 2 * (uint64_t)c->size.c, c->scale);
}

static bool
scale_read(struct cnn *m, const struct st_file *f, struct error *err)
{
    size_t n = 2 * (size_t)m->size.c;
    struct st_tensor t;

    if (!st_need(f, "cnn.scale", ST_F32, (int64_t)n, &t, err) ||
        !(m->scale = mem_try_array(n, sizeof *m->scale, err)))
        return false;
    memcpy(m->scale, t.data, n * sizeof *m->scale);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(m->scale[i]))
            return error_set(err, ERR_CORRUPT,
                             "tensor 'cnn.scale' holds what is not a number");
    return true;
}

/* Do the columns suit the net's input? */
static bool
size_read(struct cnn *m, const struct json *manifest, size_t n_cols,
          struct error *err)
{
    struct net_shape s = m->net->input;

    m->size = (struct image_size){s.h, s.w, s.c};
    if (!json_get_bool(manifest, "pictures", &m->files, err))
        return false;
    if (m->net->n_tables == 0 && s.c > 0 && s.c <= MAX_CHANNELS &&
        (m->files ? n_cols == 1 && (s.c == 1 || s.c == 3)
                  : n_cols == image_numbers(m->size)))
        return true;
    return error_set(err, ERR_CORRUPT, "%zu columns for images of %u x %u x %u",
                     n_cols, s.h, s.w, s.c);
}

static void *
cnn_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
         enum problem problem, size_t n_classes, struct error *err)
{
    struct cnn *m = mem_try_array(1, sizeof *m, err);

    if (!m)
        return NULL;
    m->net =
        net_fitted_load(f, "cnn", manifest, n_cols, problem, n_classes, err);
    if (m->net && size_read(m, manifest, n_cols, err) && scale_read(m, f, err))
        return m;
    cnn_free(m);
    return NULL;
}

static size_t
cnn_rounds(const void *learner)
{
    return ((const struct cnn *)learner)->net->epochs;
}

const struct family cnn_family = {
    .name = "cnn",
    .title = "convolutional net",
    .params = CNN_PARAMS,
    .style = PREPARE_PIXELS,
    .problems = FAMILY_ANY_TARGET,
    .iterative = true,
    .weighs = true,
    .checkpoints = true,
    .continues = true,
    .rounds_param = "epochs",
    .rounds = cnn_rounds,
    .fit = cnn_fit,
    .free = cnn_free,
    .score = cnn_score,
    .margin = cnn_margin,
    .importance = cnn_importance,
    .save = cnn_save,
    .load = cnn_load,
};
