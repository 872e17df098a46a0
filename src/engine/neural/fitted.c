/* engine/neural/fitted.c -- a net that has learnt, and its file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/neural/fitted.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
net_fitted_free(struct net_fitted *f)
{
    if (!f)
        return;
    net_ready_fini(&f->ready);
    net_free(f->net);
    free(f->layers);
    free(f->levels);
    free(f->widths);
    free(f->importance);
    free(f);
}

/* The plan again, without numbers. */
static struct net_fitted *
fitted_of(const struct net_plan *p, size_t n_cols, struct error *err)
{
    struct net_fitted *f = mem_try_array(1, sizeof *f, err);
    size_t n = p->n_tables;

    if (!f)
        return NULL;
    f->act = p->act;
    f->norm = p->norm;
    f->drop = p->drop;
    f->input = p->input;
    f->n_tables = n;
    f->n_cols = n_cols;
    if ((f->net = net_new(p, err)) &&
        (f->layers = mem_try_text(p->layers, strlen(p->layers), err)) &&
        (f->levels = mem_try_array(n, sizeof *f->levels, err)) &&
        (f->widths = mem_try_array(n, sizeof *f->widths, err)) &&
        (f->importance = mem_try_array(n_cols, sizeof *f->importance, err))) {
        for (size_t i = 0; i < n; i++) {
            f->levels[i] = p->n_levels[i];
            f->widths[i] = p->widths[i];
        }
        return f;
    }
    net_fitted_free(f);
    return NULL;
}

struct net_fitted *
net_fitted_new(const struct net_plan *plan, size_t n_cols, uint64_t seed,
               struct error *err)
{
    struct net_fitted *f = fitted_of(plan, n_cols, err);

    if (f && net_begin(f->net, seed, err))
        return f;
    net_fitted_free(f);
    return NULL;
}

bool
net_fitted_seal(struct net_fitted *f, struct pool *pool, struct error *err)
{
    if (!net_ready_init(&f->ready, f->net, false, err))
        return false;
    net_ready_make(&f->ready, pool);
    return true;
}

void
net_fitted_importance(const struct net_fitted *f, double *out)
{
    double sum = 0;

    for (size_t i = 0; i < f->n_cols; i++)
        sum += f->importance[i];
    for (size_t i = 0; i < f->n_cols; i++)
        out[i] = sum > 0 && isfinite(sum) ? f->importance[i] / sum
                                          : 1 / (double)f->n_cols;
}

/* ---- file ---- */

static void
put_count(struct json_writer *m, const char *name, uint64_t v)
{
    json_name(m, name);
    json_put_i64(m, (int64_t)v);
}

void
net_fitted_save(const struct net_fitted *f, const char *family,
                struct st_writer *w, struct json_writer *m)
{
    char name[64];

    json_name(m, "layers");
    json_put_string(m, f->layers);
    json_name(m, "activation");
    json_put_string(m, net_act_word(f->act));
    json_name(m, "norm");
    json_put_bool(m, f->norm);
    json_name(m, "dropout");
    json_put_double(m, f->drop);
    put_count(m, "height", f->input.h);
    put_count(m, "width", f->input.w);
    put_count(m, "channels", f->input.c);
    json_name(m, "tables");
    json_open(m, '[');
    for (size_t i = 0; i < f->n_tables; i++) {
        json_put_i64(m, f->levels[i]);
        json_put_i64(m, f->widths[i]);
    }
    json_close(m, ']');
    json_name(m, "mean");
    json_put_double(m, f->scale.mean);
    json_name(m, "sd");
    json_put_double(m, f->scale.sd);
    put_count(m, "epochs", f->epochs);
    snprintf(name, sizeof name, "%s.param", family);
    st_add1(w, name, ST_F32, f->net->n_params, f->net->param);
    snprintf(name, sizeof name, "%s.state", family);
    st_add1(w, name, ST_F32, f->net->n_state, f->net->state);
    snprintf(name, sizeof name, "%s.importance", family);
    st_add1(w, name, ST_F64, f->n_cols, f->importance);
}

static bool
count_read(const struct json *m, const char *name, uint32_t *out,
           struct error *err)
{
    int64_t v;

    if (!json_get_i64(m, name, &v, err))
        return false;
    if (v < 0 || v > UINT32_MAX)
        return error_set(err, ERR_CORRUPT, "%s is %" PRId64, name, v);
    *out = (uint32_t)v;
    return true;
}

/* Levels and widths in turns. */
static bool
tables_read(const struct json *m, uint32_t *levels, uint32_t *widths, size_t *n,
            struct error *err)
{
    const struct json *a;
    size_t i = 0;

    if (!json_get_array(m, "tables", &a, err))
        return false;
    if (json_len(a) % 2 || json_len(a) / 2 > NET_MAX_TABLES)
        return error_set(err, ERR_CORRUPT, "%zu numbers of tables",
                         json_len(a));
    for (const struct json *v = json_first(a); v; v = json_next(v), i++) {
        double x = json_type(v) == JSON_NUMBER ? json_number(v) : -1;

        if (!(x >= 0 && x <= NET_MAX_PARAMS) || x != floor(x))
            return error_set(err, ERR_CORRUPT, "a table of bad size");
        (i % 2 ? widths : levels)[i / 2] = (uint32_t)x;
    }
    *n = json_len(a) / 2;
    return true;
}

static bool
plan_read(const struct json *m, struct net_plan *p, uint32_t *levels,
          uint32_t *widths, struct error *err)
{
    const char *act;

    if (!json_get_string(m, "layers", &p->layers, err) ||
        !json_get_string(m, "activation", &act, err) ||
        !json_get_bool(m, "norm", &p->norm, err) ||
        !json_get_double(m, "dropout", &p->drop, err) ||
        !count_read(m, "height", &p->input.h, err) ||
        !count_read(m, "width", &p->input.w, err) ||
        !count_read(m, "channels", &p->input.c, err) ||
        !tables_read(m, levels, widths, &p->n_tables, err))
        return false;
    p->n_levels = levels;
    p->widths = widths;
    if (!net_act_parse(act, &p->act))
        return error_set(err, ERR_CORRUPT, "activation '%.16s' is not known",
                         act);
    return (p->drop >= 0 && p->drop < 1) ||
           error_set(err, ERR_CORRUPT, "dropout is %g", p->drop);
}

static bool
floats_read(const struct st_file *f, const char *family, const char *what,
            size_t n, float **out, struct error *err)
{
    struct st_tensor t;
    const float *v;
    char name[64];

    snprintf(name, sizeof name, "%s.%s", family, what);
    /* Looked up before memory is taken for it. */
    if (!st_need(f, name, ST_F32, (int64_t)n, &t, err) ||
        !(*out = mem_try_aligned(n, sizeof **out, err)))
        return false;
    v = t.data;
    for (size_t i = 0; i < n; i++)
        if (!isfinite((*out)[i] = v[i]))
            return error_set(err, ERR_CORRUPT,
                             "tensor '%s' holds what is not a number", name);
    return true;
}

static bool
importance_read(struct net_fitted *to, const struct st_file *f,
                const char *family, struct error *err)
{
    struct st_tensor t;
    char name[64];

    snprintf(name, sizeof name, "%s.importance", family);
    if (!st_need(f, name, ST_F64, (int64_t)to->n_cols, &t, err))
        return false;
    memcpy(to->importance, t.data, to->n_cols * sizeof *to->importance);
    for (size_t i = 0; i < to->n_cols; i++)
        if (!(to->importance[i] >= 0) || !isfinite(to->importance[i]))
            return error_set(err, ERR_CORRUPT,
                             "tensor '%s' holds a negative number", name);
    return true;
}

/* Variances, which a root is taken of. */
static bool
state_check(const struct net *n, struct error *err)
{
    for (size_t i = 0; i < n->n_layers; i++) {
        const struct net_layer *l = &n->layer[i];

        for (size_t c = 0; l->kind == NET_NORM && c < l->out.c; c++)
            if (n->state[l->state + l->out.c + c] < 0)
                return error_set(err, ERR_CORRUPT,
                                 "a norm has a negative variance");
    }
    return true;
}

static bool
rest_read(struct net_fitted *to, const struct st_file *f, const char *family,
          const struct json *m, struct error *err)
{
    uint32_t epochs = 0;

    if (!json_get_double(m, "mean", &to->scale.mean, err) ||
        !json_get_double(m, "sd", &to->scale.sd, err) ||
        !count_read(m, "epochs", &epochs, err))
        return false;
    to->epochs = epochs;
    if (!isfinite(to->scale.mean) || !isfinite(to->scale.sd) ||
        !(to->scale.sd > 0))
        return error_set(err, ERR_CORRUPT, "the target's scale is %g, %g",
                         to->scale.mean, to->scale.sd);
    return floats_read(f, family, "param", to->net->n_params, &to->net->param,
                       err) &&
           floats_read(f, family, "state", to->net->n_state, &to->net->state,
                       err) &&
           importance_read(to, f, family, err) && state_check(to->net, err) &&
           net_fitted_seal(to, NULL, err);
}

struct net_fitted *
net_fitted_load(const struct st_file *f, const char *family,
                const struct json *m, size_t n_cols, enum problem problem,
                size_t n_classes, struct error *err)
{
    uint32_t levels[NET_MAX_TABLES], widths[NET_MAX_TABLES];
    struct net_plan plan = {.n_outputs =
                                problem == PROBLEM_MULTICLASS ? n_classes : 1};
    struct net_fitted *to;

    if (!plan_read(m, &plan, levels, widths, err) ||
        !(to = fitted_of(&plan, n_cols, err)))
        return NULL;
    to->scale.problem = problem;
    to->scale.k = plan.n_outputs;
    if (rest_read(to, f, family, m, err))
        return to;
    net_fitted_free(to);
    return NULL;
}
