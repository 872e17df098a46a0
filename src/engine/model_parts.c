/* engine/model_parts.c -- a model of parts that were not learnt here.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "base/mem.h"
#include "engine/model_state.h"

static bool
target_make(struct target *t, const struct model_parts *p, struct error *err)
{
    t->problem = p->problem;
    if (p->n_classes == 0)
        return true;
    if (!(t->classes = mem_try_array(p->n_classes, sizeof *t->classes, err)))
        return false;
    for (size_t i = 0; i < p->n_classes; i++) {
        if (!(t->classes[i] =
                  mem_try_text(p->classes[i], strlen(p->classes[i]), err)))
            return false;
        t->n_classes++;
    }
    return true;
}

static bool
fill(struct model *m, const struct model_parts *p, struct error *err)
{
    struct json *v = json_parse(str_of(p->prepare), err);

    if (!v)
        return false;
    m->prepare = prepare_from_json(v, err);
    json_free(v);
    return m->prepare && target_make(&m->like, p, err) &&
           (!p->target ||
            (m->target = mem_try_text(p->target, strlen(p->target), err))) &&
           (m->params = mem_try_text(p->params, strlen(p->params), err));
}

struct model *
model_of_parts(const struct model_parts *p, struct error *err)
{
    struct model *m = model_new(p->family, err);

    if (!m) {
        p->family->free(p->learner);
        return NULL;
    }
    m->learner = p->learner;
    if (fill(m, p, err))
        return m;
    model_unref(m);
    return NULL;
}
