/* engine/trees/boost_checkpoint.c -- a file to go on from.
 *
 * It holds the trees, the scores of all rows and what early stopping knows:
 * all else follows from data, parameters and seed, of which the key is a hash.
 * Scores are kept, not added up again, since trees that were left out and came
 * back leave other last bits.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/trees/boost.h"

enum { EVERY_MS = 30000 };

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- writing ---- */

static void
put_manifest(const struct boost *s, struct buf *out)
{
    struct json_writer w;

    json_writer_init(&w, out);
    json_open(&w, '{');
    json_name(&w, "checkpoint");
    json_put_string(&w, "gbdt");
    json_name(&w, "key");
    json_put_string(&w, s->d->checkpoint->key);
    json_name(&w, "rounds");
    json_put_i64(&w, (int64_t)s->rounds);
    json_name(&w, "best_round");
    json_put_i64(&w, (int64_t)s->best_round);
    json_close(&w, '}');
}

static bool
write_parts(const struct boost *s, const struct forest *f, struct error *err)
{
    struct st_writer *w = st_writer_new();
    size_t n_valid = s->valid ? s->valid_objective.n * s->k : 0;
    size_t n_best =
        s->best_value ? s->forest->leaf_start[s->best_round * s->k] : 0;
    struct buf manifest, file;
    bool ok;

    buf_init(&manifest);
    buf_init(&file);
    put_manifest(s, &manifest);
    tree_save(f, w);
    st_add1(w, "boost.gain", ST_F32, f->n_nodes, f->node_gain);
    st_add1(w, "boost.score", ST_F64, s->n * s->k, s->score);
    st_add1(w, "boost.valid_score", ST_F64, n_valid, s->valid_score);
    st_add1(w, "boost.best", ST_F64, 1, &s->best);
    st_add1(w, "boost.best_value", ST_F32, n_best, s->best_value);
    st_manifest(w, manifest.data);
    ok = buf_check(&manifest, err) && st_write(w, &file, err) &&
         file_replace(s->d->checkpoint->path, file.data, file.len, 0644, err);
    st_writer_free(w);
    buf_fini(&manifest);
    buf_fini(&file);
    return ok;
}

/* A forest is saved when it is sealed, and grows no more then: a copy is. */
static bool
write_checkpoint(const struct boost *s, struct error *err)
{
    struct forest *f = tree_forest_new(s->train, s->forest->base, s->k, err);
    bool ok = f && tree_append(f, s->forest, err) && tree_seal(f, err) &&
              write_parts(s, f, err);

    tree_forest_free(f);
    return ok || error_prefix(err, "checkpoint: ");
}

bool
boost_checkpoint(struct boost *s, struct error *err)
{
    const struct checkpoint *c = s->d->checkpoint;
    int64_t now;

    if (!c)
        return true;
    now = now_ms();
    if (c->every_rounds > 0 ? s->rounds - s->saved_round < c->every_rounds
                            : now - s->saved_ms < EVERY_MS)
        return true;
    if (!write_checkpoint(s, err))
        return false;
    s->saved_round = s->rounds;
    s->saved_ms = now_ms();
    return true;
}

/* ---- reading ---- */

static bool
damaged(struct error *err, const char *what)
{
    return error_set(err, ERR_CORRUPT, "%s is damaged", what);
}

static bool
read_manifest(struct boost *s, const struct st_file *f, struct error *err)
{
    const char *text = st_get_manifest(f), *key, *kind;
    struct json *o = text ? json_parse(str_of(text), err) : NULL;
    int64_t rounds, best;
    bool ok;

    if (!o)
        return error_set(err, ERR_CORRUPT, "it is no checkpoint");
    ok = json_get_string(o, "checkpoint", &kind, err) &&
         json_get_string(o, "key", &key, err) &&
         json_get_i64(o, "rounds", &rounds, err) &&
         json_get_i64(o, "best_round", &best, err);
    if (ok &&
        (strcmp(kind, "gbdt") != 0 || strcmp(key, s->d->checkpoint->key) != 0))
        ok = error_set(err, ERR_STATE,
                       "it is of another fit: other rows, parameters or seed");
    if (ok && (rounds < (int64_t)s->inherited || best < 0 || best > rounds ||
               rounds > UINT32_MAX))
        ok = damaged(err, "rounds");
    if (ok) {
        s->rounds = (size_t)rounds;
        s->best_round = (size_t)best;
    }
    json_free(o);
    return ok;
}

static bool
read_doubles(const struct st_file *f, const char *name, double *out, size_t n,
             struct error *err)
{
    struct st_tensor t;

    if (!st_need(f, name, ST_F64, (int64_t)n, &t, err))
        return false;
    if (n > 0)
        memcpy(out, t.data, n * sizeof *out);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(out[i]))
            return damaged(err, name);
    return true;
}

static bool
read_best(struct boost *s, const struct st_file *f, struct error *err)
{
    struct st_tensor t;
    size_t n = s->forest->leaf_start[s->best_round * s->k];

    if (!st_need(f, "boost.best_value", ST_F32, -1, &t, err))
        return false;
    if (t.n == 0)
        return true;
    if (t.n != n || !s->dropped)
        return damaged(err, "boost.best_value");
    if (!(s->best_value = mem_try_array(n, sizeof *s->best_value, err)))
        return false;
    memcpy(s->best_value, t.data, n * sizeof *s->best_value);
    return true;
}

/* Trees that are walked on codes look at columns that have some. */
static bool
columns_check(const struct boost *s, struct error *err)
{
    const struct forest *f = s->forest;

    for (size_t i = f->node_start[s->inherited * s->k];
         s->slot_of && i < f->n_nodes; i++)
        if (s->slot_of[f->feature[i]] == SIZE_MAX)
            return damaged(err, "a tree");
    return true;
}

static bool
read_trees(struct boost *s, const struct st_file *f, struct error *err)
{
    struct forest *from = tree_load(f, s->forest->n_cols, s->k, err);
    struct st_tensor gain;
    bool ok = false;

    if (!from ||
        !st_need(f, "boost.gain", ST_F32, (int64_t)from->n_nodes, &gain, err))
        goto out;
    if (from->n_trees != s->rounds * s->k ||
        !tree_same_levels(from, s->forest)) {
        damaged(err, "the forest");
        goto out;
    }
    /* Those that are inherited are there, but gains are taken from here. */
    tree_cut(s->forest, 0);
    if (!tree_append(s->forest, from, err))
        goto out;
    if (from->n_nodes > 0)
        memcpy(s->forest->node_gain, gain.data,
               from->n_nodes * sizeof *s->forest->node_gain);
    ok = columns_check(s, err);
out:
    tree_forest_free(from);
    return ok;
}

static bool
read_checkpoint(struct boost *s, const struct file_map *map, struct error *err)
{
    struct st_file *f = st_parse((struct str){map->data, map->len}, err);
    size_t n_valid = s->valid ? s->valid_objective.n * s->k : 0;
    bool ok =
        f && read_manifest(s, f, err) && read_trees(s, f, err) &&
        read_doubles(f, "boost.score", s->score, s->n * s->k, err) &&
        read_doubles(f, "boost.valid_score", s->valid_score, n_valid, err) &&
        read_doubles(f, "boost.best", &s->best, 1, err) &&
        read_best(s, f, err) && file_map_whole(map, err);

    st_free(f);
    return ok;
}

bool
boost_resume(struct boost *s, struct error *err)
{
    const struct checkpoint *c = s->d->checkpoint;
    struct file_map map;
    bool ok;

    s->saved_ms = now_ms();
    s->saved_round = s->rounds;
    if (!c || !c->resume || access(c->path, F_OK) != 0)
        return true;
    if (!file_map_open(&map, c->path, NULL, err))
        return false;
    ok = read_checkpoint(s, &map, err);
    file_map_close(&map);
    s->saved_round = s->told = s->rounds;
    return ok || error_prefix(err, "%s: ", c->path);
}
