/* engine/classic/path_file.c -- a path as a table, and in a file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/path_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/classic/coefficients.h"
#include "engine/classic/linear_fit.h"
#include "engine/classic/path_choose.h"
#include "frame/builder.h"

/* ---- tables ---- */

const struct family_table path_tables[] = {
    {"path", "a row for each lambda: error in cross-validation, and weights"},
    COEFFICIENTS_TABLE,
    {NULL, NULL},
};
enum { TOLD = 4 };

static bool
path_rows(const struct linear *l, struct builder *b, struct error *err)
{
    for (size_t i = 0; i < l->n_path; i++) {
        const double *row = l->path + i * LINEAR_PATH_COLS;
        bool judged = l->n_path > 1;

        if (!builder_f64(b, 0, row[PATH_LAMBDA], err) ||
            (judged && (!builder_f64(b, 1, row[PATH_LOSS], err) ||
                        !builder_f64(b, 2, row[PATH_ERROR], err))) ||
            !builder_i64(b, 3, (int64_t)row[PATH_COUNT], err))
            return false;
        for (size_t j = 0; j < l->p * l->k; j++)
            if (!builder_f64(b, TOLD + j, l->path_weight[i * l->p * l->k + j],
                             err))
                return false;
        if (!builder_end_row(b, err))
            return false;
    }
    return true;
}

/* The columns: of several classes each has its own weights. */
static void
name_columns(const struct linear *l, const struct prepare *prepare,
             const char **names, enum col_type *types, char (*text)[256])
{
    bool numbers = l->problem == PROBLEM_REGRESSION;
    const char *const told[TOLD] = {"lambda", numbers ? "rmse" : "logloss",
                                    numbers ? "rmse_error" : "logloss_error",
                                    "weights"};

    for (size_t j = 0; j < l->p * l->k + TOLD; j++) {
        struct prepared column = {0};

        types[j] = j == 3 ? COL_INT64 : COL_FLOAT64;
        if (j < TOLD) {
            names[j] = told[j];
            continue;
        }
        prepare_column(prepare, (j - TOLD) % l->p, &column);
        snprintf(text[j], sizeof *text, "%s", column.name);
        if (l->k > 1)
            snprintf(text[j], sizeof *text, "%zu: %.200s",
                     (j - TOLD) / l->p + 1, column.name);
        names[j] = text[j];
    }
}

static struct frame *
path_frame(const void *learner, const struct prepare *prepare,
           struct error *err)
{
    const struct linear *l = learner;
    size_t n = l->p * l->k + TOLD;
    const char **names = mem_try_array(n, sizeof *names, err);
    enum col_type *types = mem_try_array(n, sizeof *types, err);
    char(*text)[256] = mem_try_array(n, sizeof *text, err);
    struct builder *b = NULL;
    bool ok = names && types && text;

    if (ok && l->n_path == 0)
        ok = error_set(err, ERR_STATE,
                       "it was learnt by one lambda; folds=5 tries a path");
    if (ok)
        name_columns(l, prepare, names, types, text);
    ok = ok && (b = builder_new(n, names, types, err)) && path_rows(l, b, err);
    free(names);
    free(types);
    free(text);
    if (ok)
        return builder_finish(b, err);
    builder_free(b);
    return NULL;
}

struct frame *
path_table(const void *learner, size_t which, const struct prepare *prepare,
           struct error *err)
{
    return which == 0 ? path_frame(learner, prepare, err)
                      : coefficients_table(learner, which, prepare, err);
}

/* ---- the file ---- */

void
path_save(const void *learner, struct st_writer *w, struct json_writer *j)
{
    const struct linear *l = learner;
    const uint64_t path[] = {l->n_path, LINEAR_PATH_COLS};
    const uint64_t weight[] = {l->n_path, l->p * l->k};

    linear_save(learner, w, j);
    if (l->n_path == 0)
        return;
    json_name(j, "steps");
    json_put_i64(j, (int64_t)l->n_path);
    st_add(w, "path.steps", ST_F64, path, 2, l->path);
    st_add(w, "path.weight", ST_F64, weight, 2, l->path_weight);
}

static bool
steps_check(const struct linear *l, struct error *err)
{
    for (size_t i = 0; i < l->n_path; i++) {
        double n = l->path[i * LINEAR_PATH_COLS + PATH_COUNT];

        if (!(n >= 0 && n <= (double)(l->p * l->k)))
            return error_set(err, ERR_CORRUPT, "a step of %g weights", n);
    }
    return true;
}

void *
path_load(const struct st_file *f, const struct json *manifest, size_t n_cols,
          enum problem problem, size_t n_classes, struct error *err)
{
    struct linear *l;
    int64_t steps;

    if (!json_find(manifest, "steps") && problem != PROBLEM_REGRESSION)
        return linear_load(f, manifest, n_cols, problem, n_classes, err);
    if (!json_get_i64(manifest, "steps", &steps, err))
        return NULL;
    if (steps < 1 || steps > PATH_MAX_STEPS) {
        error_set(err, ERR_CORRUPT, "a path of %lld steps", (long long)steps);
        return NULL;
    }
    if (!(l = linear_load(f, manifest, n_cols, problem, n_classes, err)))
        return NULL;
    l->n_path = (size_t)steps;
    if (dense_take(f, "path.steps", &l->path, l->n_path, LINEAR_PATH_COLS,
                   err) &&
        dense_take(f, "path.weight", &l->path_weight, l->n_path, l->p * l->k,
                   err) &&
        steps_check(l, err))
        return l;
    linear_learner_free(l);
    return NULL;
}
