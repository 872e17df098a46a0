/* tests/lib/small_model.h -- small tables and models for the tests of what
 * stands on them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_TESTS_SMALL_MODEL_H
#define LATHE_TESTS_SMALL_MODEL_H

#include <string.h>

#include "base/rng.h"
#include "engine/classic/linear.h"
#include "engine/family.h"
#include "engine/model.h"
#include "frame/builder.h"
#include "tests/lib/close.h"

enum small_kind { SMALL_BINARY, SMALL_MULTICLASS, SMALL_REGRESSION };

static const char *const small_contracts[] = {"Month-to-month", "One year",
                                              "Two year"};

/* tenure int, charges float (a tenth missing), senior bool, contract text,
 * joined date, and the target: churn bool, plan text (three classes) or spend
 * float. */
static inline struct frame *
small_frame(enum small_kind kind, size_t n, uint64_t seed)
{
    static const char *const targets[] = {"churn", "plan", "spend"};
    static const enum col_type types[] = {COL_BOOL, COL_TEXT, COL_FLOAT64};
    const char *names[] = {"tenure",   "charges", "senior",
                           "contract", "joined",  targets[kind]};
    const enum col_type all[] = {COL_INT64, COL_FLOAT64, COL_BOOL,
                                 COL_TEXT,  COL_DATE,    types[kind]};
    struct error err;
    struct builder *b = builder_new(6, names, all, &err);
    struct frame *f;

    assert_non_null(b);
    for (size_t i = 0; i < n; i++) {
        int64_t tenure = (int64_t)rng_below(seed, 1, i, 72);
        double charges = 20 + 100 * rng_unit(seed, 2, i);
        size_t c = rng_below(seed, 3, i, 3);
        double z = charges / 40 - (double)tenure / 20 - (double)c +
                   rng_normal(seed, 4, i);
        bool ok = builder_i64(b, 0, tenure, &err) &&
                  (rng_below(seed, 5, i, 10) == 0 ||
                   builder_f64(b, 1, charges, &err)) &&
                  builder_i64(b, 2, rng_below(seed, 6, i, 2) == 1, &err) &&
                  builder_text(b, 3, str_of(small_contracts[c]), &err) &&
                  builder_i64(b, 4, 18000 + (int64_t)(i % 900), &err);

        if (kind == SMALL_BINARY)
            ok = ok && builder_i64(b, 5, z > 0, &err);
        else if (kind == SMALL_MULTICLASS)
            ok = ok && builder_text(b, 5,
                                    z < -1  ? STR("basic")
                                    : z < 1 ? STR("plus")
                                            : STR("pro"),
                                    &err);
        else
            ok = ok && builder_f64(b, 5, z, &err);
        ok = ok && builder_end_row(b, &err);
        assert_ok(ok, err);
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

/* Fitted on 600 rows, those among them that are kept for `finish`. */
static inline struct model *
small_finished_model(enum small_kind kind, struct finish_options finish)
{
    static const char *const targets[] = {"churn", "plan", "spend"};
    const struct family *family =
        kind == SMALL_REGRESSION ? &linear_family : &logistic_family;
    struct frame *f = small_frame(kind, 600, 7);
    struct params *p = params_new(family->params);
    struct model_options o = {.problem = -1, .patience = -1};
    struct train ctx = {.seed = 7};
    struct error err;
    struct model *m;

    o.finish = finish;
    m = model_fit(family, p, f, targets[kind], &o, &ctx, &err);
    if (!m)
        fail_msg("small model: %s", err.message);
    params_free(p);
    frame_unref(f);
    return m;
}

/* With ranges that hold the truth as often as `interval` says, 0: none. */
static inline struct model *
small_ranged_model(enum small_kind kind, double interval)
{
    return small_finished_model(kind,
                                (struct finish_options){.interval = interval});
}

static inline struct model *
small_model(enum small_kind kind)
{
    return small_ranged_model(kind, 0);
}
#endif
