/* engine/classic/sgd_checkpoint.c -- a file for stochastic gradients to go on
 * from.
 *
 * Written between blocks, where all else follows from data, parameters and
 * seed, of which the key is a hash.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/sgd_state.h"

#include <math.h>
#include <string.h>

enum { N_NUMBERS = 14 };

/* How far it is. */
static void
numbers_of(const struct sgd *s, double out[N_NUMBERS])
{
    const double all[N_NUMBERS] = {(double)s->at.t,  (double)s->next_row,
                                   (double)s->epoch, (double)s->stale,
                                   s->loss,          s->weight,
                                   s->best,          s->rule.rate,
                                   s->y_mean,        s->y_sd,
                                   s->unit,          s->rule.l1,
                                   s->rule.delta,    s->at.owed};

    memcpy(out, all, sizeof all);
}

static bool
numbers_take(struct sgd *s, const double in[N_NUMBERS], struct error *err)
{
    bool ok = in[0] >= 1 && in[0] < 1e18 && in[1] >= 1 &&
              in[1] <= (double)s->n && in[2] >= 0 &&
              in[2] <= (double)s->epochs && in[3] >= 0 && in[3] < 1e9;

    for (unsigned i = 0; i < N_NUMBERS; i++)
        ok = ok && isfinite(in[i]);
    for (unsigned i = 7; i < N_NUMBERS; i++)
        ok = ok && (in[i] > 0 || i == 8 || i == 11 || i == 13);
    ok = ok && in[5] >= 0 && in[11] >= 0 && in[13] >= 0 &&
         (in[1] == (double)s->n || (size_t)in[1] % s->block_rows == 0);
    if (!ok)
        return error_set(err, ERR_CORRUPT, "its numbers are damaged");
    s->at.t = (uint64_t)in[0];
    s->next_row = (size_t)in[1];
    s->epoch = (size_t)in[2];
    s->stale = (size_t)in[3];
    s->loss = in[4];
    s->weight = in[5];
    s->best = in[6];
    s->rule.rate = in[7];
    s->y_mean = in[8];
    s->y_sd = in[9];
    s->unit = in[10];
    s->rule.l1 = in[11];
    s->rule.delta = in[12];
    s->at.owed = in[13];
    return true;
}

/* ---- writing ---- */

bool
sgd_checkpoint(struct sgd *s, struct error *err)
{
    const struct checkpoint *c = s->d->checkpoint;
    double number[N_NUMBERS];
    struct st_writer *st;
    struct json_writer w;
    struct buf manifest;
    bool ok;

    if (!checkpoint_due(c, &s->saved, s->epoch))
        return true;
    st = st_writer_new();
    checkpoint_open(c, "sgd", &w, &manifest);
    numbers_of(s, number);
    st_add1(st, "sgd.number", ST_F64, N_NUMBERS, number);
    st_add1(st, "sgd.weight", ST_F64, s->width * s->k, s->at.w);
    st_add1(st, "sgd.bias", ST_F64, s->k, s->at.b);
    st_add1(st, "sgd.mean_weight", ST_F64, s->width * s->k, s->at.mean_w);
    st_add1(st, "sgd.mean_bias", ST_F64, s->k, s->at.mean_b);
    st_add1(st, "sgd.paid", ST_F64, s->width * s->k, s->at.paid);
    st_add1(st, "sgd.spread", ST_F64, s->p, s->spread);
    ok = checkpoint_write(c, &w, &manifest, st, err);
    st_writer_free(st);
    checkpoint_mark(&s->saved, s->epoch);
    return ok;
}

/* ---- reading ---- */

static bool
take(void *ctx, const struct st_file *f, const struct json *manifest,
     struct error *err)
{
    struct sgd *s = ctx;
    struct st_tensor number;

    (void)manifest;
    return st_need(f, "sgd.number", ST_F64, N_NUMBERS, &number, err) &&
           dense_load(f, "sgd.weight", s->at.w, s->width * s->k, err) &&
           dense_load(f, "sgd.bias", s->at.b, s->k, err) &&
           dense_load(f, "sgd.mean_weight", s->at.mean_w, s->width * s->k,
                      err) &&
           dense_load(f, "sgd.mean_bias", s->at.mean_b, s->k, err) &&
           dense_load(f, "sgd.paid", s->at.paid, s->width * s->k, err) &&
           dense_load(f, "sgd.spread", s->spread, s->p, err) &&
           numbers_take(s, number.data, err);
}

bool
sgd_resume(struct sgd *s, struct error *err)
{
    const struct checkpoint *c = s->d->checkpoint;

    if (!checkpoint_read(c, "sgd", take, s, err))
        return false;
    checkpoint_mark(&s->saved, s->epoch);
    return s->at.t == 0 || sgd_skip(s, err) ||
           error_prefix(err, "%s: ", c->path);
}
