/* tests/bench/bench_explain.c -- explain all rows of a table.
 *
 *   bench_explain [-t THREADS] [-b BACKGROUND_ROWS] [-k] [-p] MODEL TABLE OUT
 *
 * -b: against so many background rows; -k: by the kernel; -p: pairs.  OUT
 * receives the shares as f64; standard output the seconds, the best of three.
 * explain.py sets XGBoost beside it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "engine/explain.h"
#include "engine/family.h"
#include "frame/csv.h"

static void
die(const struct error *err)
{
    fprintf(stderr, "bench_explain: %s\n", err->message);
    exit(1);
}

static double
seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int
main(int argc, char **argv)
{
    struct explain_options o = {.way = EXPLAIN_AUTO};
    struct train ctx = {.seed = 1};
    struct csv_table t;
    struct error err;
    struct model *m;
    unsigned threads = 1;
    double best = INFINITY;
    int c;

    while ((c = getopt(argc, argv, "t:b:kp")) != -1) {
        if (c == 't') {
            threads = (unsigned)atoi(optarg);
        } else if (c == 'b') {
            o.way = EXPLAIN_BACKGROUND;
            o.background_rows = (size_t)atoll(optarg);
        } else if (c == 'k') {
            o.way = EXPLAIN_KERNEL;
        } else if (c == 'p') {
            o.pairs = true;
        } else {
            return 2;
        }
    }
    if (argc - optind != 3)
        return 2;
    argv += optind;
    ctx.pool = pool_new(threads);
    if (!(m = model_open(argv[0], family_find, &err)) ||
        !csv_read(argv[1], NULL, ctx.pool, NULL, &t, &err))
        die(&err);
    for (int turn = 0; turn < 3; turn++) {
        struct shares s;
        double from = seconds();
        size_t width;

        if (!explain_shares(m, t.frame, &o, &ctx, &s, &err))
            die(&err);
        best = fmin(best, seconds() - from);
        width = s.n_features + 1;
        if (turn == 0 &&
            !file_replace(argv[2], s.value,
                          s.n * s.k * width * (s.pairs ? width : 1) *
                              sizeof *s.value,
                          0644, &err))
            die(&err);
        shares_fini(&s);
    }
    printf("%.4f\n", best);
    csv_table_fini(&t);
    model_unref(m);
    pool_free(ctx.pool);
    return 0;
}
