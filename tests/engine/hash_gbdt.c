/* tests/engine/hash_gbdt.c -- hashes of boosted models on made tables, for
 * same_bytes.sh to compare between processors and thread counts.
 *
 *   hash_gbdt THREADS
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/trees/gbdt.h"

enum { ROWS = 70000, VALID = 3000, COLS = 12, CLASSES = 3, LEVELS = 3000 };

struct table {
    double *x;
    struct design *d;
    struct target y;
};

static const struct design_column COLUMN[COLS] = {
    {"a", 0}, {"b", 0}, {"c", 7}, {"d", 0}, {"e", 0}, {"f", 0},
    {"g", 0}, {"h", 0}, {"i", 0}, {"j", 0}, {"k", 0}, {"l", 0}};

/* The same with more levels than 8 bits have codes for. */
static const struct design_column MANY[COLS] = {
    {"a", 0}, {"b", 0}, {"c", LEVELS}, {"d", 0}, {"e", 0}, {"f", 0},
    {"g", 0}, {"h", 0}, {"i", 0},      {"j", 0}, {"k", 0}, {"l", 0}};

static void
die(const struct error *err)
{
    fprintf(stderr, "hash_gbdt: %s\n", err->message);
    exit(1);
}

static struct table
make(size_t n, enum problem problem, size_t levels, uint64_t seed)
{
    struct table t = {.x = mem_new(n * COLS * sizeof *t.x),
                      .y = {.problem = problem,
                            .n = n,
                            .n_classes = problem == PROBLEM_REGRESSION ? 0
                                         : problem == PROBLEM_BINARY
                                             ? 2
                                             : CLASSES}};
    struct error err;

    t.y.y = mem_new(n * sizeof *t.y.y);
    for (size_t i = 0; i < n; i++) {
        double s = -3;

        /* Sums of uniforms: no libm, whose bits follow the processor. */
        for (size_t c = 0; c < COLS; c++) {
            double v = rng_unit(seed, c, i) + rng_unit(seed, c + 50, i);

            if (c == 2)
                v = (double)rng_below(seed, c, i, levels);
            if (c == 3 && rng_below(seed, 60, i, 9) == 0)
                v = NAN;
            t.x[c * n + i] = v;
            s += v > 1 || v != v ? 0.5 : 0;
        }
        s += 3 * rng_unit(seed, 99, i) - 1.5;
        t.y.y[i] = problem == PROBLEM_REGRESSION ? 7 * s
                   : problem == PROBLEM_BINARY   ? s > 0
                                                 : (s > 0) + (s > 1);
    }
    t.d = design_dense(t.x, n, COLS, levels > 7 ? MANY : COLUMN, &err);
    if (!t.d)
        die(&err);
    return t;
}

static void
drop(struct table *t)
{
    design_free(t->d);
    free(t->x);
    free(t->y.y);
}

static void
hash(enum problem problem, const char *const *set, struct pool *pool)
{
    size_t levels = set[0] && strcmp(set[0], "bins=2000") == 0 ? LEVELS : 7;
    struct table train = make(ROWS, problem, levels, 1),
                 valid = make(VALID, problem, levels, 2);
    const struct metric *metric = metric_default(problem);
    struct fit_data d = {.train = train.d,
                         .valid = valid.d,
                         .y = &train.y,
                         .y_valid = &valid.y,
                         .metrics = &metric,
                         .n_metrics = 1,
                         .patience = 5,
                         .usual_metrics = true};
    struct train ctx = {.pool = pool, .seed = 5};
    struct params *p = params_new(gbdt_family.params);
    struct st_writer *w = st_writer_new();
    struct error err;
    struct buf out;
    char text[33];
    void *m;

    buf_init(&out);
    for (size_t i = 0; set[0] && i < ROWS; i++)
        train.y.y[i] = fabs(train.y.y[i]);
    for (size_t i = 0; set[0] && i < VALID; i++)
        valid.y.y[i] = fabs(valid.y.y[i]);
    if (!params_set_pair(p, "trees=8", &err) ||
        !params_set_pair(p, "row_share=0.99", &err))
        die(&err);
    for (size_t i = 0; set[i]; i++)
        if (!params_set_pair(p, set[i], &err))
            die(&err);
    if (!(m = gbdt_family.fit(&d, p, &ctx, NULL, &err)))
        die(&err);
    gbdt_family.save(m, w, NULL);
    st_manifest(w, "{}");
    if (!st_write(w, &out, &err))
        die(&err);
    file_hash(out.data, out.len, text);
    printf("%s%s%s %s\n", problem_word(problem), set[0] ? " " : "",
           set[0] ? set[0] : "", text);
    gbdt_family.free(m);
    st_writer_free(w);
    buf_fini(&out);
    params_free(p);
    drop(&train);
    drop(&valid);
}

int
main(int argc, char **argv)
{
    static const char *const usual[] = {NULL};
    static const char *const losses[][4] = {
        {"loss=absolute"},
        {"loss=huber"},
        {"loss=quantile", "alpha=0.2,0.7"},
        {"loss=poisson"},
        {"loss=tweedie", "power=1.3"},
        {"loss=cox"},
        {"goss=true", "learning_rate=0.5", "row_share=1"},
        {"drop_rate=0.4", "skip_drop=0.2"},
        {"linear_leaves=true"},
        {"bins=2000", "drop_rate=0.4", "min_rows=1"},
    };
    struct pool *pool = pool_new(argc > 1 ? (unsigned)atoi(argv[1]) : 1);

    hash(PROBLEM_BINARY, usual, pool);
    hash(PROBLEM_MULTICLASS, usual, pool);
    hash(PROBLEM_REGRESSION, usual, pool);
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        hash(PROBLEM_REGRESSION, losses[i], pool);
    pool_free(pool);
    return 0;
}
