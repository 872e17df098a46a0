/* bench_load -- how long a table file of any format takes to read, and to
 * write.
 *
 *   bench_load [-t THREADS] [-n RUNS] [-k FOLDER] [-p] [-w OUT] FILE...
 *
 * Prints for each file rows, columns, each run's seconds, their median, and
 * the peak of memory so far.
 *   -k  read through a cache in FOLDER: kept there by the first run
 *   -p  one run of one file, for a program: seconds, seconds of processor
 *       time, peak of memory in KiB, rows, columns, values present
 *   -w  write the last table too (its ending says what)
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "frame/cache.h"
#include "frame/parquet.h"

enum { MAX_RUNS = 99 };

struct bench {
    struct pool *pool;
    const char *cache; /* NULL: none */
    size_t n_runs;
    bool plain;
};

struct times {
    double wall, cpu;
};

static double
seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct times
now(void)
{
    return (struct times){seconds(CLOCK_MONOTONIC),
                          seconds(CLOCK_PROCESS_CPUTIME_ID)};
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

/* What the session's shelf does, and in its order. */
static struct frame *
load(const struct bench *b, const char *path, struct times *took)
{
    struct cache_key *key = NULL;
    struct csv_table t;
    struct error err;
    struct frame *f;
    bool kept;

    *took = now();
    if (b->cache && !(key = cache_key_new(b->cache, path, NULL)))
        fprintf(stderr, "bench_load: %s is not for the cache\n", path);
    kept = key && cache_get(key, b->pool, &t);
    if (!kept && !source_read(path, NULL, b->pool, NULL, &t, &err))
        fail(&err);
    took->wall = seconds(CLOCK_MONOTONIC) - took->wall;
    took->cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - took->cpu;
    if (key && !kept && !cache_put(key, &t, &err))
        fail(&err);
    cache_key_free(key);
    f = frame_ref(t.frame);
    csv_table_fini(&t);
    return f;
}

static size_t
count_present(const struct frame *f)
{
    size_t n = 0;

    for (size_t i = 0; i < frame_cols(f); i++)
        n += frame_rows(f) - column_missing(frame_column(f, i));
    return n;
}

static struct frame *
measure(const struct bench *b, const char *path)
{
    double took[MAX_RUNS];
    struct frame *f = NULL;
    struct times t = {0};
    struct rusage use;

    for (size_t i = 0; i < b->n_runs; i++) {
        frame_unref(f);
        f = load(b, path, &t);
        took[i] = t.wall;
    }
    getrusage(RUSAGE_SELF, &use);
    if (b->plain) {
        printf("%.6f %.6f %ld %zu %zu %zu\n", t.wall, t.cpu, use.ru_maxrss,
               frame_rows(f), frame_cols(f), count_present(f));
        return f;
    }
    printf("%s: %zu x %zu:", path, frame_rows(f), frame_cols(f));
    for (size_t i = 0; i < b->n_runs; i++)
        printf(" %.3f", took[i]);
    qsort(took, b->n_runs, sizeof *took, by_value);
    printf("; median %.3f s, frame %zu MB, peak %ld MB\n", took[b->n_runs / 2],
           frame_bytes(f) >> 20, use.ru_maxrss >> 10);
    return f;
}

static void
write_out(const struct bench *b, const struct frame *f, const char *out)
{
    const char *dot = strrchr(out, '.');
    struct times t = now();
    struct error err;

    if (!(dot && strcmp(dot, ".parquet") == 0
              ? parquet_write(f, out, NULL, b->pool, NULL, &err)
              : source_write(f, out, &err)))
        fail(&err);
    printf("written in %.3f s\n", seconds(CLOCK_MONOTONIC) - t.wall);
}

int
main(int argc, char **argv)
{
    struct bench b = {.n_runs = 5};
    const char *out = NULL;
    unsigned threads = 0;
    struct frame *f = NULL;
    int c;

    while ((c = getopt(argc, argv, "k:n:pt:w:")) != -1)
        if (c == 'n')
            b.n_runs = strtoul(optarg, NULL, 10);
        else if (c == 'k')
            b.cache = optarg;
        else if (c == 'p')
            b.plain = true;
        else if (c == 't')
            threads = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'w')
            out = optarg;
        else
            return 2;
    if (b.n_runs < 1 || b.n_runs > MAX_RUNS || optind == argc)
        return 2;
    if (b.plain)
        b.n_runs = 1;
    b.pool = pool_new(threads);
    for (int i = optind; i < argc; i++) {
        frame_unref(f);
        f = measure(&b, argv[i]);
    }
    if (out)
        write_out(&b, f, out);
    frame_unref(f);
    pool_free(b.pool);
    return 0;
}
