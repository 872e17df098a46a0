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
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum { EVERY_MS = 30000, N_NUMBERS = 14 };

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

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

static bool
write_checkpoint(const struct sgd *s, struct error *err)
{
    struct st_writer *w = st_writer_new();
    double number[N_NUMBERS];
    struct buf manifest, file;
    struct json_writer j;
    bool ok;

    buf_init(&manifest);
    buf_init(&file);
    json_writer_init(&j, &manifest);
    json_open(&j, '{');
    json_name(&j, "checkpoint");
    json_put_string(&j, "sgd");
    json_name(&j, "key");
    json_put_string(&j, s->d->checkpoint->key);
    json_close(&j, '}');
    numbers_of(s, number);
    st_add1(w, "sgd.number", ST_F64, N_NUMBERS, number);
    st_add1(w, "sgd.weight", ST_F64, s->width * s->k, s->at.w);
    st_add1(w, "sgd.bias", ST_F64, s->k, s->at.b);
    st_add1(w, "sgd.mean_weight", ST_F64, s->width * s->k, s->at.mean_w);
    st_add1(w, "sgd.mean_bias", ST_F64, s->k, s->at.mean_b);
    st_add1(w, "sgd.paid", ST_F64, s->width * s->k, s->at.paid);
    st_add1(w, "sgd.spread", ST_F64, s->p, s->spread);
    st_manifest(w, manifest.data);
    ok = buf_check(&manifest, err) && st_write(w, &file, err) &&
         file_replace(s->d->checkpoint->path, file.data, file.len, 0644, err);
    st_writer_free(w);
    buf_fini(&manifest);
    buf_fini(&file);
    return ok || error_prefix(err, "checkpoint: ");
}

bool
sgd_checkpoint(struct sgd *s, struct error *err)
{
    const struct checkpoint *c = s->d->checkpoint;

    if (!c || (c->every_rounds > 0 ? s->epoch - s->saved_epoch < c->every_rounds
                                   : now_ms() - s->saved_ms < EVERY_MS))
        return true;
    if (!write_checkpoint(s, err))
        return false;
    s->saved_epoch = s->epoch;
    s->saved_ms = now_ms();
    return true;
}

/* ---- reading ---- */

static bool
key_check(const struct sgd *s, const struct json *o, struct error *err)
{
    const char *kind, *key;

    if (!json_get_string(o, "checkpoint", &kind, err) ||
        !json_get_string(o, "key", &key, err))
        return false;
    return (strcmp(kind, "sgd") == 0 &&
            strcmp(key, s->d->checkpoint->key) == 0) ||
           error_set(err, ERR_STATE,
                     "it is of another fit: other rows, parameters or seed");
}

static bool
read_checkpoint(struct sgd *s, const struct file_map *map, struct error *err)
{
    struct st_file *f = st_parse((struct str){map->data, map->len}, err);
    const char *text = f ? st_get_manifest(f) : NULL;
    struct json *o = text ? json_parse(str_of(text), err) : NULL;
    struct st_tensor number;
    bool ok = o != NULL;

    if (f && !text)
        error_set(err, ERR_CORRUPT, "it is no checkpoint");
    ok = ok && key_check(s, o, err) &&
         st_need(f, "sgd.number", ST_F64, N_NUMBERS, &number, err) &&
         dense_load(f, "sgd.weight", s->at.w, s->width * s->k, err) &&
         dense_load(f, "sgd.bias", s->at.b, s->k, err) &&
         dense_load(f, "sgd.mean_weight", s->at.mean_w, s->width * s->k, err) &&
         dense_load(f, "sgd.mean_bias", s->at.mean_b, s->k, err) &&
         dense_load(f, "sgd.paid", s->at.paid, s->width * s->k, err) &&
         dense_load(f, "sgd.spread", s->spread, s->p, err) &&
         file_map_whole(map, err) && numbers_take(s, number.data, err);
    json_free(o);
    st_free(f);
    return ok;
}

bool
sgd_resume(struct sgd *s, struct error *err)
{
    const struct checkpoint *c = s->d->checkpoint;
    struct file_map map;
    bool ok;

    s->saved_ms = now_ms();
    if (!c || !c->resume || access(c->path, F_OK) != 0)
        return true;
    if (!file_map_open(&map, c->path, NULL, err))
        return false;
    ok = read_checkpoint(s, &map, err);
    file_map_close(&map);
    s->saved_epoch = s->epoch;
    return (ok && sgd_skip(s, err)) || error_prefix(err, "%s: ", c->path);
}
