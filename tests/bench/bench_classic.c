/* tests/bench/bench_classic.c -- fit and score one classic family on raw
 * numbers.
 *
 *   bench_classic [-e] [-t THREADS] FAMILY TABLE [NAME=VALUE]...
 *
 * classic.py writes the tables and sets scikit-learn beside: u64 rows, columns,
 * classes (0: numbers, 1: no target), then f64 columns one after the other and
 * the target.  Standard output: seconds to fit and to score, those of all
 * threads together behind them.  With -e what the fit tells goes to standard
 * error, a line each: name, step, value.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/family.h"

static void
die(const struct error *err)
{
    fprintf(stderr, "bench_classic: %s\n", err->message);
    exit(1);
}

static double
seconds(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void
print_event(void *ctx, const struct event *e)
{
    (void)ctx;
    fprintf(stderr, "%s %lld %.17g\n", e->name, (long long)e->step, e->value);
}

int
main(int argc, char **argv)
{
    static const enum problem problems[] = {PROBLEM_REGRESSION, PROBLEM_NONE,
                                            PROBLEM_BINARY};
    struct train ctx = {.seed = 1};
    const struct family *family;
    struct design_column *columns;
    struct target y = {0};
    struct params *params;
    struct file_map map;
    struct json_writer w;
    struct buf chosen;
    struct error err;
    uint64_t head[3];
    unsigned threads = 1;
    double at[2], fit[2], score[2], *out;
    const double *x;
    void *learner;
    size_t width;
    int c;

    while ((c = getopt(argc, argv, "et:")) == 't' || c == 'e')
        if (c == 'e')
            ctx.sink.emit = print_event;
        else
            threads = (unsigned)atoi(optarg);
    if (c != -1 || argc - optind < 2)
        return 2;
    argv += optind;
    if (!(family = family_need(argv[0], &err)) ||
        !file_map_open(&map, argv[1], NULL, &err))
        die(&err);
    params = params_new(family->params);
    for (argv += 2; *argv; argv++)
        if (!params_set_pair(params, *argv, &err))
            die(&err);
    memcpy(head, map.data, sizeof head);
    x = (const void *)(map.data + sizeof head);
    columns = mem_new(head[1] * sizeof *columns + 1);
    for (uint64_t j = 0; j < head[1]; j++)
        columns[j].name = j == 0 ? "user" : "item";
    ctx.pool = pool_new(threads);
    y.problem = head[2] > 2 ? PROBLEM_MULTICLASS : problems[head[2]];
    y.n = head[0];
    y.n_classes = head[2] > 1 ? head[2] : 0;
    y.y = (double *)(uintptr_t)(x + head[0] * head[1]);

    struct fit_data d = {
        .train = design_dense(x, head[0], head[1], columns, &err), .y = &y};

    if (!d.train)
        die(&err);
    buf_init(&chosen);
    json_writer_init(&w, &chosen);
    json_open(&w, '{');
    at[0] = seconds(CLOCK_MONOTONIC);
    at[1] = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (!(learner = family->fit(&d, params, &ctx, &w, &err)))
        die(&err);
    fit[0] = seconds(CLOCK_MONOTONIC) - at[0];
    fit[1] = seconds(CLOCK_PROCESS_CPUTIME_ID) - at[1];
    width = y.problem == PROBLEM_NONE         ? family->width(learner)
            : y.problem == PROBLEM_MULTICLASS ? y.n_classes
                                              : 1;
    out = mem_new(head[0] * width * sizeof *out);
    at[0] = seconds(CLOCK_MONOTONIC);
    at[1] = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (!family->score(learner, d.train, ctx.pool, out, &err))
        die(&err);
    score[0] = seconds(CLOCK_MONOTONIC) - at[0];
    score[1] = seconds(CLOCK_PROCESS_CPUTIME_ID) - at[1];
    printf("%.4f %.4f %.4f %.4f\n", fit[0], score[0], fit[1], score[1]);
    family->free(learner);
    free(out);
    buf_fini(&chosen);
    design_free((struct design *)(uintptr_t)d.train);
    free(columns);
    params_free(params);
    pool_free(ctx.pool);
    file_map_close(&map);
    return 0;
}
