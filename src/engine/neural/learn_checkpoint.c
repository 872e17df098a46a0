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

bool
epochs_checkpoint(struct epochs *e, struct error *err)
{
    const struct checkpoint *c = e->l->d->checkpoint;
    struct piece all[N_PIECES];
    struct st_writer *st;
    struct json_writer w;
    struct buf manifest;
    bool ok;

    if (!checkpoint_due(c, &e->saved, e->epoch))
        return true;
    st = st_writer_new();
    checkpoint_open(c, "net", &w, &manifest);
    json_name(&w, "epoch");
    json_put_i64(&w, (int64_t)e->epoch);
    json_name(&w, "best_epoch");
    json_put_i64(&w, (int64_t)e->best_epoch);
    pieces(e, all);
    for (unsigned i = 0; i < N_PIECES; i++)
        st_add1(st, all[i].name, ST_F32, all[i].n, all[i].p);
    st_add1(st, "net.best_value", ST_F64, 1, &e->best_value);
    ok = checkpoint_write(c, &w, &manifest, st, err);
    st_writer_free(st);
    checkpoint_mark(&e->saved, e->epoch);
    return ok;
}

/* ---- reading ---- */

static bool
read_epochs(struct epochs *e, const struct json *o, struct error *err)
{
    int64_t epoch, best;

    if (!json_get_i64(o, "epoch", &epoch, err) ||
        !json_get_i64(o, "best_epoch", &best, err))
        return false;
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
take(void *ctx, const struct st_file *f, const struct json *manifest,
     struct error *err)
{
    struct epochs *e = ctx;
    struct piece all[N_PIECES];
    struct st_tensor best;
    bool ok = read_epochs(e, manifest, err);

    pieces(e, all);
    for (unsigned i = 0; ok && i < N_PIECES; i++)
        ok = read_piece(f, &all[i], err);
    ok = ok && st_need(f, "net.best_value", ST_F64, 1, &best, err);
    if (ok)
        memcpy(&e->best_value, best.data, sizeof e->best_value);
    return ok;
}

bool
epochs_resume(struct epochs *e, struct error *err)
{
    bool ok = checkpoint_read(e->l->d->checkpoint, "net", take, e, err);

    checkpoint_mark(&e->saved, e->epoch);
    return ok;
}
