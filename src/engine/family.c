/* engine/family.c -- the table of model families.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/family.h"

#include <string.h>

#include "base/str.h"
#include "engine/classic/als.h"
#include "engine/classic/bayes.h"
#include "engine/classic/ets.h"
#include "engine/classic/isolation.h"
#include "engine/classic/kmeans.h"
#include "engine/classic/knn.h"
#include "engine/classic/linear.h"
#include "engine/classic/path.h"
#include "engine/classic/pca.h"
#include "engine/classic/sgd.h"
#include "engine/neural/cnn.h"
#include "engine/neural/mlp.h"
#include "engine/port/imported.h"
#include "engine/trees/forest.h"
#include "engine/trees/gbdt.h"
#include "engine/trees/lags.h"
#include "frame/synonym.h"

static const struct family *const families[] = {
    &als_family,
    &cnn_family,
    &elastic_net_family,
    &ets_family,
    &extra_trees_family,
    &forest_family,
    &gbdt_family,
    &gbdt_lags_family,
    &isolation_forest_family,
    &kmeans_family,
    &knn_family,
    &lasso_family,
    &linear_family,
    &logistic_family,
    &mlp_family,
    &naive_bayes_family,
    &pca_family,
    &ridge_family,
    &seasonal_naive_family,
    &sgd_family,
};
enum { N_FAMILIES = sizeof families / sizeof families[0] };

const struct family *const *
family_table(size_t *n)
{
    *n = N_FAMILIES;
    return families;
}

const struct family *
family_find(const char *name)
{
    for (size_t i = 0; i < N_FAMILIES; i++)
        if (strcmp(families[i]->name, name) == 0)
            return families[i];
    /* It is opened, but not learnt. */
    return strcmp(name, imported_family.name) == 0 ? &imported_family : NULL;
}

/* Small letters are all that names are of. */
static const char *
family_near(const char *name, const char *const *names)
{
    char low[64];
    size_t n = 0;

    for (; name[n] && n < sizeof low; n++)
        low[n] = (char)(name[n] >= 'A' && name[n] <= 'Z' ? name[n] - 'A' + 'a'
                                                         : name[n]);
    return synonym_nearest((struct str){low, n}, names, N_FAMILIES);
}

const struct family *
family_need(const char *name, struct error *err)
{
    const struct family *f = family_find(name);
    const char *names[N_FAMILIES], *near;
    struct buf list;

    if (f && f->fit)
        return f;
    buf_init(&list);
    for (size_t i = 0; i < N_FAMILIES; i++) {
        names[i] = families[i]->name;
        buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
    }
    near = family_near(name, names);
    error_set(err, ERR_NOTFOUND, "no model '%.64s'%s%s%s", name,
              near ? " (did you mean '" : ", there are ",
              near ? near : list.data, near ? "'?)" : "");
    buf_fini(&list);
    return NULL;
}
