/* tests/bench/bench_gbdt.c -- fit and score one boosted model on raw tables.
 *
 *   bench_gbdt [-t THREADS] [-s SEED] [-p PATIENCE] TRAIN VALID|- TEST OUT
 *              [NAME=VALUE]...
 *
 * gbdt.py writes the tables and judges the answers.  A table is
 *   u64 rows, columns, classes (0: regression, 2: binary)
 *   u64 levels of each column (0: a number)
 *   f64 columns one after the other, then the target
 * OUT receives the test predictions as f64; standard output one JSON object:
 * seconds to fit, of the clock and of all threads, and the most memory until
 * then in KiB; seconds to score all rows and microseconds to score one row by
 * itself (both the best of five); trees, bytes and hash of the model.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/trees/gbdt.h"

struct table {
    struct file_map map;
    struct design *design;
    struct design_column *columns;
    struct target target;
};

static void
die(const struct error *err)
{
    fprintf(stderr, "bench_gbdt: %s\n", err->message);
    exit(1);
}

static double
seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Processor time of all threads. */
static double
work_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The most memory this program had, in KiB.  That of getrusage() counts the
 * program that started this one as well. */
static size_t
peak_kib(void)
{
    FILE *f = fopen("/proc/self/status", "re");
    char line[256];
    size_t kib = 0;

    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %zu", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib;
}

static void
open_table(struct table *t, const char *path)
{
    struct error err;
    uint64_t head[3], levels;

    memset(t, 0, sizeof *t);
    if (!file_map_open(&t->map, path, NULL, &err))
        die(&err);
    memcpy(head, t->map.data, sizeof head);
    t->columns = mem_new(head[1] * sizeof *t->columns);
    for (uint64_t c = 0; c < head[1]; c++) {
        memcpy(&levels, t->map.data + 8 * (3 + c), sizeof levels);
        t->columns[c] = (struct design_column){"x", (unsigned)levels};
    }

    const double *x = (const void *)(t->map.data + 8 * (3 + head[1]));

    t->design = design_dense(x, head[0], head[1], t->columns, &err);
    if (!t->design)
        die(&err);
    t->target.problem = head[2] == 0   ? PROBLEM_REGRESSION
                        : head[2] == 2 ? PROBLEM_BINARY
                                       : PROBLEM_MULTICLASS;
    t->target.n = head[0];
    t->target.n_classes = head[2];
    /* Read only: the target is the table's, no copy of it. */
    t->target.y = (double *)(uintptr_t)(x + head[0] * head[1]);
}

static void
close_table(struct table *t)
{
    design_free(t->design);
    free(t->columns);
    file_map_close(&t->map);
}

/* Best of five; *work: of all threads. */
static double
time_score(const void *m, const struct table *t, struct pool *pool, double *out,
           double *work)
{
    struct error err;
    double best = INFINITY;

    *work = INFINITY;
    for (int i = 0; i < 5; i++) {
        double from = seconds(), work_from = work_seconds();

        if (!gbdt_family.score(m, t->design, pool, out, &err))
            die(&err);
        best = fmin(best, seconds() - from);
        *work = fmin(*work, work_seconds() - work_from);
    }
    return best;
}

/* Seconds a row, for the first rows one by one. */
static double
time_row(const void *m, const struct table *t, struct pool *pool)
{
    size_t n = t->target.n < 500 ? t->target.n : 500;
    size_t cols = design_cols(t->design);
    struct design **row = mem_new(n * sizeof(struct design *) + 8);
    double *x = mem_new(n * cols * sizeof *x + 8), best = INFINITY;
    double out[TARGET_MAX_CLASSES];
    struct error err;

    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < cols; c++)
            design_pull(t->design, c, i, i + 1, x + i * cols + c);
        row[i] = design_dense(x + i * cols, 1, cols, t->columns, &err);
        if (!row[i])
            die(&err);
    }
    for (int k = 0; k < 5; k++) {
        double from = seconds();

        for (size_t i = 0; i < n; i++)
            if (!gbdt_family.score(m, row[i], pool, out, &err))
                die(&err);
        best = fmin(best, (seconds() - from) / (double)n);
    }
    for (size_t i = 0; i < n; i++)
        design_free(row[i]);
    free(row);
    free(x);
    return best;
}

static void
print_model(void *learner, double fit_s, double score_s, double row_s)
{
    struct st_writer *w = st_writer_new();
    struct buf out, manifest;
    struct json_writer j;
    struct error err;
    char hash[33];

    buf_init(&out);
    buf_init(&manifest);
    json_writer_init(&j, &manifest);
    gbdt_family.save(learner, w, &j);
    st_manifest(w, "{}");
    if (!st_write(w, &out, &err))
        die(&err);
    file_hash(out.data, out.len, hash);
    printf(
        "\"fit_s\":%.4f,\"score_s\":%.4f,\"row_us\":%.2f,\"trees\":%zu,\"bytes\":%zu,"
        "\"hash\":\"%s\"}\n",
        fit_s, score_s, row_s * 1e6, gbdt_trees(learner), out.len, hash);
    st_writer_free(w);
    buf_fini(&out);
    buf_fini(&manifest);
}

int
main(int argc, char **argv)
{
    struct table train, valid, test;
    struct params *params = params_new(gbdt_family.params);
    struct fit_data d = {.n_metrics = 1, .patience = 50};
    struct train ctx = {.seed = 1};
    struct error err;
    struct buf chosen;
    struct json_writer w;
    unsigned threads = 1;
    int c;

    while ((c = getopt(argc, argv, "t:s:p:")) != -1) {
        if (c == 't')
            threads = (unsigned)atoi(optarg);
        else if (c == 's')
            ctx.seed = (uint64_t)atoll(optarg);
        else if (c == 'p')
            d.patience = (unsigned)atoi(optarg);
        else
            return 2;
    }
    if (argc - optind < 4)
        return 2;
    argv += optind;
    argc -= optind;
    for (int i = 4; i < argc; i++)
        if (!params_set_pair(params, argv[i], &err))
            die(&err);
    open_table(&train, argv[0]);
    open_table(&test, argv[2]);
    open_table(&valid, strcmp(argv[1], "-") == 0 ? argv[2] : argv[1]);
    if (strcmp(argv[1], "-") == 0) { /* none: the first 0 rows of a table */
        design_free(valid.design);
        valid.design = design_dense(NULL, 0, design_cols(train.design),
                                    train.columns, &err);
        if (!valid.design)
            die(&err);
        valid.target.n = 0;
    }
    ctx.pool = pool_new(threads);

    const struct metric *m = metric_default(train.target.problem);

    d.train = train.design;
    d.valid = valid.design;
    d.y = &train.target;
    d.y_valid = &valid.target;
    d.metrics = &m;
    buf_init(&chosen);
    json_writer_init(&w, &chosen);
    json_open(&w, '{');

    double w0 = work_seconds(), t0 = seconds();
    void *learner = gbdt_family.fit(&d, params, &ctx, &w, &err);
    double t1 = seconds(), w1 = work_seconds();
    size_t fit_kib = peak_kib();

    if (!learner)
        die(&err);

    size_t k =
        train.target.problem == PROBLEM_MULTICLASS ? train.target.n_classes : 1;
    double *out = mem_new(test.target.n * k * sizeof *out + 8);
    double score_cpu_s;
    double score_s = time_score(learner, &test, ctx.pool, out, &score_cpu_s);
    double row_s = time_row(learner, &test, ctx.pool);

    if (!file_replace(argv[3], out, test.target.n * k * sizeof *out, 0644,
                      &err))
        die(&err);
    printf("%s,\"fit_cpu_s\":%.4f,\"fit_kib\":%zu,\"score_cpu_s\":%.4f,",
           chosen.data, w1 - w0, fit_kib, score_cpu_s);
    print_model(learner, t1 - t0, score_s, row_s);
    gbdt_family.free(learner);
    buf_fini(&chosen);
    free(out);
    pool_free(ctx.pool);
    params_free(params);
    close_table(&train);
    close_table(&valid);
    close_table(&test);
    return 0;
}
