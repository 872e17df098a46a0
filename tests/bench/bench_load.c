/* bench_load -- how long a Parquet file takes to read, and to write.
 *
 *   bench_load [-t THREADS] [-n RUNS] [-c COLUMN] [-w OUT.parquet] FILE...
 *
 * Prints for each file rows, columns, each run's seconds, their median, and
 * the peak of memory so far; with -w also the seconds of writing the last one.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "frame/parquet.h"

enum { MAX_RUNS = 99 };

static double
seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void
fail(const struct error *err)
{
    fprintf(stderr, "bench_load: %s\n", err->message);
    exit(1);
}

static struct frame *
measure(const char *path, const char *const *columns, struct pool *pool,
        size_t n_runs)
{
    const struct parquet_options o = {.columns = columns};
    double took[MAX_RUNS];
    struct frame *f = NULL;
    struct rusage use;
    struct error err;

    for (size_t i = 0; i < n_runs; i++) {
        double t = seconds();

        frame_unref(f);
        if (!parquet_read(path, &o, pool, NULL, &f, &err))
            fail(&err);
        took[i] = seconds() - t;
    }
    printf("%s: %zu x %zu:", path, frame_rows(f), frame_cols(f));
    for (size_t i = 0; i < n_runs; i++)
        printf(" %.3f", took[i]);
    qsort(took, n_runs, sizeof *took, by_value);
    getrusage(RUSAGE_SELF, &use);
    printf("; median %.3f s, frame %zu MB, peak %ld MB\n", took[n_runs / 2],
           frame_bytes(f) >> 20, use.ru_maxrss >> 10);
    return f;
}

int
main(int argc, char **argv)
{
    const char *out = NULL, *columns[] = {NULL, NULL};
    unsigned threads = 0;
    size_t n_runs = 5;
    struct frame *f = NULL;
    struct pool *pool;
    struct error err = {0};
    int c;

    while ((c = getopt(argc, argv, "c:n:t:w:")) != -1)
        if (c == 'n')
            n_runs = strtoul(optarg, NULL, 10);
        else if (c == 'c')
            columns[0] = optarg;
        else if (c == 't')
            threads = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'w')
            out = optarg;
        else
            return 2;
    if (n_runs < 1 || n_runs > MAX_RUNS || optind == argc)
        return 2;
    pool = pool_new(threads);
    for (int i = optind; i < argc; i++) {
        frame_unref(f);
        f = measure(argv[i], columns[0] ? columns : NULL, pool, n_runs);
    }
    if (out) {
        double t = seconds();

        if (!parquet_write(f, out, NULL, pool, NULL, &err))
            fail(&err);
        printf("written in %.3f s\n", seconds() - t);
    }
    frame_unref(f);
    pool_free(pool);
    return 0;
}
