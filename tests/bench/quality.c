/* tests/bench/quality.c -- how good the defaults are, by cross-validation.
 *
 *   quality TABLE.csv TARGET FOLDS.csv [MODEL...]
 *
 * 5 folds x 3 seeds of each model (gbdt if none is named) with its own
 * defaults.  Writes the fold of every row under every seed to
 * FOLDS.csv, so that quality.py can put other programs to the same test, and
 * prints a line a model: name, metric, mean over seeds, then each seed's.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/cv.h"
#include "engine/family.h"
#include "frame/csv.h"

enum { FOLDS = 5, SEEDS = 3 };

static void
fail(const struct error *err)
{
    fprintf(stderr, "quality: %s\n", err->message);
    exit(1);
}

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The index of the metric that the table reports: AUC of two classes, accuracy
 * of more, RMSE of numbers. */
static size_t
headline(const struct cv_result *r)
{
    size_t m = 0;
    enum metric_kind kind = r->out.k > 1 ? METRIC_ACCURACY : METRIC_AUC;

    while (m + 1 < r->metrics.n && r->metrics.metric[m]->kind != kind &&
           r->metrics.metric[m]->kind != METRIC_RMSE)
        m++;
    return m;
}

static void
score(const char *name, const struct frame *f, const char *target,
      struct pool *pool, uint8_t *fold)
{
    struct error err;
    const struct family *family = family_need(name, &err);
    const struct cv_options folds = {.k = FOLDS};
    struct params *p;
    double each[SEEDS], sum = 0, start = now();
    const char *metric = "";

    if (!family)
        fail(&err);
    p = params_new(family->params);
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        struct train ctx = {.pool = pool, .seed = seed};
        struct cv_result r;
        size_t m;

        if (!cv_run(family, p, f, target, &folds, &ctx, &r, &err))
            fail(&err);
        m = headline(&r);
        metric = r.metrics.metric[m]->name;
        sum += each[seed] = r.mean[m];
        for (size_t i = 0; i < r.out.n; i++)
            fold[i * SEEDS + seed] = r.row_fold[i];
        cv_result_fini(&r);
    }
    printf("%-30s %-8s %10.5f ", name, metric, sum / SEEDS);
    for (unsigned seed = 0; seed < SEEDS; seed++)
        printf(" %10.5f", each[seed]);
    printf("  %6.1f s\n", now() - start);
    fflush(stdout);
    params_free(p);
}

static void
folds_write(const char *path, const uint8_t *fold, size_t n)
{
    FILE *out = fopen(path, "w");

    if (!out) {
        perror(path);
        exit(1);
    }
    for (size_t i = 0; i < n; i++)
        for (unsigned s = 0; s < SEEDS; s++)
            fprintf(out, "%u%c", (unsigned)fold[i * SEEDS + s],
                    s + 1 < SEEDS ? ',' : '\n');
    fclose(out);
}

int
main(int argc, char **argv)
{
    struct csv_table t;
    struct error err;
    struct pool *pool;
    uint8_t *fold;
    size_t n;

    if (argc < 4) {
        fprintf(stderr, "quality TABLE.csv TARGET FOLDS.csv [MODEL...]\n");
        return 2;
    }
    pool = pool_new(0);
    if (!csv_read(argv[1], NULL, pool, NULL, &t, &err))
        fail(&err);
    n = frame_rows(t.frame);
    if (!(fold = calloc(n, SEEDS)))
        return 1;
    for (int i = 4; i < argc; i++)
        score(argv[i], t.frame, argv[2], pool, fold);
    if (argc == 4)
        score("gbdt", t.frame, argv[2], pool, fold);
    folds_write(argv[3], fold, n);
    free(fold);
    csv_table_fini(&t);
    pool_free(pool);
    return 0;
}
