/* engine/trees/boost_checkpoint.c -- a file to go on from.
 *
 * It holds the trees, the scores of all rows and what early stopping knows:
 * all else follows from data, parameters and seed, of which the key is a hash.
 * Scores are kept, not added up again, since trees that were left out and came
 * back leave other last bits.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/trees/boost.h"

/* ---- writing ---- */

static bool
write_parts(const struct boost *s, const struct forest *f, struct error *err)
{
    const struct checkpoint *c = s->d->checkpoint;
    struct st_writer *st = st_writer_new();
    size_t n_valid = s->valid ? s->valid_objective.n * s->k : 0;
    size_t n_best =
        s->best_value ? s->forest->leaf_start[s->best_round * s->k] : 0;
    struct json_writer w;
    struct buf manifest;
    bool ok;

    checkpoint_open(c, "gbdt", &w, &manifest);
    json_name(&w, "rounds");
    json_put_i64(&w, (int64_t)s->rounds);
    json_name(&w, "best_round");
    json_put_i64(&w, (int64_t)s->best_round);
    tree_save(f, st);
    st_add1(st, "boost.gain", ST_F32, f->n_nodes, f->node_gain);
    st_add1(st, "boost.score", ST_F64, s->n * s->k, s->score);
    st_add1(st, "boost.valid_score", ST_F64, n_valid, s->valid_score);
    st_add1(st, "boost.best", ST_F64, 1, &s->best);
    st_add1(st, "boost.best_value", ST_F32, n_best, s->best_value);
    ok = checkpoint_write(c, &w, &manifest, st, err);
    st_writer_free(st);
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
    return ok;
}

bool
boost_checkpoint(struct boost *s, struct error *err)
{
    if (!checkpoint_due(s->d->checkpoint, &s->saved, s->rounds))
        return true;
    if (!write_checkpoint(s, err))
        return false;
    checkpoint_mark(&s->saved, s->rounds);
    return true;
}

/* ---- reading ---- */

static bool
damaged(struct error *err, const char *what)
{
    return error_set(err, ERR_CORRUPT, "%s is damaged", what);
}

static bool
read_rounds(struct boost *s, const struct json *o, struct error *err)
{
    int64_t rounds, best;

    if (!json_get_i64(o, "rounds", &rounds, err) ||
        !json_get_i64(o, "best_round", &best, err))
        return false;
    if (rounds < (int64_t)s->inherited || best < 0 || best > rounds ||
        rounds > UINT32_MAX)
        return damaged(err, "rounds");
    s->rounds = (size_t)rounds;
    s->best_round = (size_t)best;
    return true;
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
        if (s->slot_of[tree_feature(f, i)] == SIZE_MAX)
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
take(void *ctx, const struct st_file *f, const struct json *manifest,
     struct error *err)
{
    struct boost *s = ctx;
    size_t n_valid = s->valid ? s->valid_objective.n * s->k : 0;

    return read_rounds(s, manifest, err) && read_trees(s, f, err) &&
           read_doubles(f, "boost.score", s->score, s->n * s->k, err) &&
           read_doubles(f, "boost.valid_score", s->valid_score, n_valid, err) &&
           read_doubles(f, "boost.best", &s->best, 1, err) &&
           read_best(s, f, err);
}

bool
boost_resume(struct boost *s, struct error *err)
{
    size_t before = s->rounds;
    bool ok = checkpoint_read(s->d->checkpoint, "gbdt", take, s, err);

    if (s->rounds > before)
        s->told = s->rounds;
    checkpoint_mark(&s->saved, s->rounds);
    return ok;
}
