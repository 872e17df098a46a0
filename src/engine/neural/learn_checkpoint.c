/* engine/neural/learn_checkpoint.c -- a file for a net to go on from.
 *
 * Written at the ends of epochs, where all else follows from data, parameters
 * and seed, of which the key is a hash: what is learnt, what norms measured,
 * what the optimiser remembers, and the best so far.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/neural/learn_state.h"

#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum { EVERY_MS = 30000 };

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The arrays of a checkpoint. */
struct piece {
    const char *name;
    float *p;
    size_t n;
};
enum { N_PIECES = 6 };

static void
pieces(struct epochs *e, struct piece out[N_PIECES])
{
    struct net *n = e->l->net;
    float *first, *second;
    size_t n_second = opt_memory(e->opt, &first, &second) * n->n_params;
    const struct piece all[N_PIECES] = {
        {"net.param", n->param, n->n_params},
        {"net.state", n->state, n->n_state},
        {"net.first", first, n->n_params},
        {"net.second", second, n_second},
        {"net.best", e->best, n->n_params},
        {"net.best_state", e->best_state, n->n_state}};

    memcpy(out, all, sizeof all);
}

/* ---- writing ---- */

static void
put_manifest(const struct epochs *e, struct buf *out)
{
    struct json_writer w;

    json_writer_init(&w, out);
    json_open(&w, '{');
    json_name(&w, "checkpoint");
    json_put_string(&w, "net");
    json_name(&w, "key");
    json_put_string(&w, e->l->d->checkpoint->key);
    json_name(&w, "epoch");
    json_put_i64(&w, (int64_t)e->epoch);
    json_name(&w, "best_epoch");
    json_put_i64(&w, (int64_t)e->best_epoch);
    json_close(&w, '}');
}

static bool
write_checkpoint(struct epochs *e, struct error *err)
{
    struct st_writer *w = st_writer_new();
    struct piece all[N_PIECES];
    struct buf manifest, file;
    bool ok;

    buf_init(&manifest);
    buf_init(&file);
    put_manifest(e, &manifest);
    pieces(e, all);
    for (unsigned i = 0; i < N_PIECES; i++)
        st_add1(w, all[i].name, ST_F32, all[i].n, all[i].p);
    st_add1(w, "net.best_value", ST_F64, 1, &e->best_value);
    st_manifest(w, manifest.data);
    ok =
        buf_check(&manifest, err) && st_write(w, &file, err) &&
        file_replace(e->l->d->checkpoint->path, file.data, file.len, 0644, err);
    st_writer_free(w);
    buf_fini(&manifest);
    buf_fini(&file);
    return ok || error_prefix(err, "checkpoint: ");
}

bool
epochs_checkpoint(struct epochs *e, struct error *err)
{
    const struct checkpoint *c = e->l->d->checkpoint;

    if (!c || (c->every_rounds > 0 ? e->epoch - e->saved_epoch < c->every_rounds
                                   : now_ms() - e->saved_ms < EVERY_MS))
        return true;
    if (!write_checkpoint(e, err))
        return false;
    e->saved_epoch = e->epoch;
    e->saved_ms = now_ms();
    return true;
}

/* ---- reading ---- */

static bool
read_manifest(struct epochs *e, const struct json *o, struct error *err)
{
    const char *kind, *key;
    int64_t epoch, best;

    if (!json_get_string(o, "checkpoint", &kind, err) ||
        !json_get_string(o, "key", &key, err) ||
        !json_get_i64(o, "epoch", &epoch, err) ||
        !json_get_i64(o, "best_epoch", &best, err))
        return false;
    if (strcmp(kind, "net") != 0 || strcmp(key, e->l->d->checkpoint->key) != 0)
        return error_set(
            err, ERR_STATE,
            "it is of another fit: other rows, parameters or seed");
    if (epoch < 0 || epoch > (int64_t)e->l->epochs || best < 0 || best > epoch)
        return error_set(err, ERR_CORRUPT, "its epochs are damaged");
    e->epoch = (size_t)epoch;
    e->best_epoch = (size_t)best;
    e->step = e->n_steps * e->epoch;
    opt_go_on(e->opt, e->step);
    return true;
}

static bool
read_piece(const struct st_file *f, const struct piece *p, struct error *err)
{
    struct st_tensor t;

    if (!st_need(f, p->name, ST_F32, (int64_t)p->n, &t, err))
        return false;
    if (p->n > 0)
        memcpy(p->p, t.data, p->n * sizeof *p->p);
    for (size_t i = 0; i < p->n; i++)
        if (!isfinite(p->p[i]))
            return error_set(err, ERR_CORRUPT, "%s is damaged", p->name);
    return true;
}

static bool
read_checkpoint(struct epochs *e, const struct file_map *map, struct error *err)
{
    struct st_file *f = st_parse((struct str){map->data, map->len}, err);
    const char *text = f ? st_get_manifest(f) : NULL;
    struct json *o = text ? json_parse(str_of(text), err) : NULL;
    struct piece all[N_PIECES];
    struct st_tensor best;
    bool ok = o != NULL;

    if (f && !text)
        error_set(err, ERR_CORRUPT, "it is no checkpoint");
    ok = ok && read_manifest(e, o, err);
    pieces(e, all);
    for (unsigned i = 0; ok && i < N_PIECES; i++)
        ok = read_piece(f, &all[i], err);
    ok = ok && st_need(f, "net.best_value", ST_F64, 1, &best, err) &&
         file_map_whole(map, err);
    if (ok)
        memcpy(&e->best_value, best.data, sizeof e->best_value);
    json_free(o);
    st_free(f);
    return ok;
}

bool
epochs_resume(struct epochs *e, struct error *err)
{
    const struct checkpoint *c = e->l->d->checkpoint;
    struct file_map map;
    bool ok;

    e->saved_ms = now_ms();
    if (!c || !c->resume || access(c->path, F_OK) != 0)
        return true;
    if (!file_map_open(&map, c->path, NULL, err))
        return false;
    ok = read_checkpoint(e, &map, err);
    file_map_close(&map);
    e->saved_epoch = e->epoch;
    return ok || error_prefix(err, "%s: ", c->path);
}
