/* bench_profile -- how long the profile of a table in memory takes.
 *
 *   bench_profile [-t THREADS] [-n RUNS] TABLE
 *
 * Prints "lathe profile SECONDS", the median of its runs, each the complete
 * profile but for what `lathe profile --all` adds; profile.sh sets DuckDB's
 * SUMMARIZE beside it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "frame/profile.h"
#include "frame/source.h"

enum { MAX_RUNS = 99 };

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static bool
measure(const char *path, struct pool *pool, int runs, struct error *err)
{
    struct csv_table t;
    double took[MAX_RUNS];

    if (!source_read(path, NULL, pool, NULL, &t, err))
        return false;
    for (int i = 0; i < runs; i++) {
        double begin = now();
        struct profile *p =
            profile_new(t.frame, &(struct profile_options){0}, pool, NULL, err);

        took[i] = now() - begin;
        if (!p) {
            csv_table_fini(&t);
            return false;
        }
        profile_free(p);
    }
    csv_table_fini(&t);
    qsort(took, (size_t)runs, sizeof *took, ascending);
    printf("lathe profile %.4f\n", took[runs / 2]);
    return true;
}

int
main(int argc, char **argv)
{
    unsigned threads = 2;
    int runs = 5, c;
    struct error err;
    struct pool *pool;
    bool ok;

    while ((c = getopt(argc, argv, "t:n:")) != -1) {
        if (c == 't')
            threads = (unsigned)atoi(optarg);
        else if (c == 'n')
            runs = atoi(optarg);
    }
    if (optind + 1 != argc || runs < 1 || runs > MAX_RUNS) {
        fprintf(stderr, "usage: bench_profile [-t THREADS] [-n RUNS] TABLE\n");
        return 2;
    }
    pool = pool_new(threads);
    ok = measure(argv[optind], pool, runs, &err);
    if (!ok)
        fprintf(stderr, "bench_profile: %s\n", err.message);
    pool_free(pool);
    return !ok;
}
