/* engine/model_refit.c -- after early stopping, once more on all rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "engine/model_fit.h"

/* What the rules chose the first time, and as many rounds as stopping early
 * found, as parameters.  NULL on failure. */
static struct params *
refit_params(const struct fit *f, struct error *err)
{
    struct params *p = params_copy(f->params);
    struct json *chosen =
        json_parse((struct str){f->chosen.data, f->chosen.len}, err);
    struct buf text;
    bool ok = chosen != NULL;

    buf_init(&text);
    for (const struct param *d = f->family->params; ok && d->name; d++) {
        const struct json *v = json_find(chosen, d->name);

        buf_clear(&text);
        if (strcmp(d->name, f->family->rounds_param) == 0)
            buf_printf(&text, "%zu", f->family->rounds(f->m->learner));
        else if (v && json_type(v) == JSON_NUMBER)
            json_print(&text, v);
        else
            continue;
        ok = buf_check(&text, err) && params_set(p, d->name, text.data, err);
    }
    buf_fini(&text);
    json_free(chosen);
    if (ok)
        return p;
    params_free(p);
    return NULL;
}

size_t
model_fit_rounds(const struct fit *f)
{
    const char *name = f->family->rounds_param;
    const struct param *d = f->family->params;
    struct error ignored;
    struct json *chosen =
        json_parse((struct str){f->chosen.data, f->chosen.len}, &ignored);
    const struct json *v = chosen ? json_find(chosen, name) : NULL;
    double n = 0;

    while (d->name && strcmp(d->name, name) != 0)
        d++;
    if (v && json_type(v) == JSON_NUMBER)
        n = json_number(v);
    else if (d->name && (d->fallback || params_is_set(f->params, name)))
        n = (double)params_int(f->params, name);
    json_free(chosen);
    return n > 0 ? (size_t)n : 0;
}

/* What a fit has learnt. */
struct learnt {
    void *learner;
    struct prepare *prepare;
    struct finish finish;
    struct baseline *baseline;
    double *cuts, *share;
    size_t n_cuts, n_shares;
    struct buf chosen;
};

/* Out of the model, which has nothing of it then. */
static struct learnt
learnt_take(struct fit *f)
{
    struct model *m = f->m;
    struct learnt l = {m->learner,  m->prepare,  m->finish,
                       m->baseline, m->cuts,     m->share,
                       m->n_cuts,   m->n_shares, f->chosen};

    m->learner = NULL;
    m->prepare = NULL;
    m->finish = (struct finish){0};
    m->baseline = NULL;
    m->cuts = m->share = NULL;
    buf_init(&f->chosen);
    return l;
}

static void
learnt_put(struct fit *f, const struct learnt *l)
{
    struct model *m = f->m;

    m->learner = l->learner;
    m->prepare = l->prepare;
    m->finish = l->finish;
    m->baseline = l->baseline;
    m->cuts = l->cuts;
    m->share = l->share;
    m->n_cuts = l->n_cuts;
    m->n_shares = l->n_shares;
    f->chosen = l->chosen;
}

static void
learnt_fini(struct learnt *l, const struct family *family)
{
    if (l->learner)
        family->free(l->learner);
    prepare_free(l->prepare);
    finish_fini(&l->finish);
    free(l->baseline);
    free(l->cuts);
    free(l->share);
    buf_fini(&l->chosen);
}

bool
model_refit(struct fit *f, const struct frame *all, struct error *err)
{
    struct params *p;
    struct learnt first, second;
    struct error why;
    bool ok, stopped;

    if (f->family->rounds(f->m->learner) == 0)
        return !f->o->init ||
               error_set(err, ERR_RANGE,
                         "refit fits all rows with the rounds that were best, "
                         "and to the model of init none was added: leave it "
                         "out");
    if (!(p = refit_params(f, err)))
        return false;
    first = learnt_take(f);
    f->again = true;
    ok = model_fit_anew(f, all, &why) && model_fit_prepare(f, &why) &&
         model_fit_learn(f, p, 0, &why) && model_fit_finish(f, &why);
    params_free(p);
    stopped =
        ok ? progress_stopped(f->ctx->progress) : why.code == ERR_CANCELLED;
    if (stopped) {
        second = learnt_take(f);
        learnt_fini(&second, f->family);
        learnt_put(f, &first);
        return true;
    }
    learnt_fini(&first, f->family);
    f->m->n_scored = f->m->n_train;
    f->m->n_train = f->y.n;
    if (!ok)
        *err = why;
    return ok;
}
