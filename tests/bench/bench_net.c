/* tests/bench/bench_net.c -- time of an epoch of a net.
 *
 *   bench_net mlp|cnn THREADS ROWS EPOCHS
 *
 * mlp: 64 numbers, layers 256 and 128 with batch norm, batches of 256.
 * cnn: images of 64 x 64 x 3 in memory, the layers that are usual for them,
 * batches of 64.  Both with AdamW on made data, no validation rows.  Prints
 * "NAME WALL CPU": the least seconds that an epoch took.  tests/bench/net.py
 * runs it in turns with PyTorch on the same layers.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/family.h"

enum { NUMBERS = 64, IMAGE = 64 * 64 * 3, CLASSES = 10 };

struct clock {
    double wall, cpu, best_wall, best_cpu;
};

static double
seconds(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void
on_event(void *ctx, const struct event *e)
{
    struct clock *c = ctx;
    double wall = seconds(CLOCK_MONOTONIC);
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);

    /* The first epoch warms up. */
    if (e->step > 1 && (c->best_wall == 0 || wall - c->wall < c->best_wall))
        c->best_wall = wall - c->wall;
    if (e->step > 1 && (c->best_cpu == 0 || cpu - c->cpu < c->best_cpu))
        c->best_cpu = cpu - c->cpu;
    c->wall = wall;
    c->cpu = cpu;
}

static void
die(const struct error *err)
{
    fprintf(stderr, "bench_net: %s\n", err->message);
    exit(1);
}

static void
set(struct params *p, const char *text)
{
    struct error err;

    if (!params_set_pair(p, text, &err))
        die(&err);
}

int
main(int argc, char **argv)
{
    bool images = argc == 5 && strcmp(argv[1], "cnn") == 0;
    const struct family *family = family_find(images ? "cnn" : "mlp");
    struct params *p = params_new(family->params);
    size_t n = argc == 5 ? strtoull(argv[3], NULL, 10) : 0;
    size_t cols = images ? IMAGE : NUMBERS;
    struct design_column *column = mem_new(cols * sizeof *column);
    struct pool *pool;
    struct clock clock = {0};
    struct target y = {
        .problem = PROBLEM_MULTICLASS, .n = n, .n_classes = CLASSES};
    struct train ctx = {.sink = {on_event, &clock}, .seed = 1};
    struct fit_data d = {.y = &y};
    struct json_writer w;
    struct buf chosen, epochs;
    struct error err;
    double *x;
    void *m;

    if (n == 0) {
        fputs("usage: bench_net mlp|cnn THREADS ROWS EPOCHS\n", stderr);
        return 2;
    }
    pool = pool_new((unsigned)strtoul(argv[2], NULL, 10));
    ctx.pool = pool;
    x = mem_new(n * cols * sizeof *x);
    y.y = mem_new(n * sizeof *y.y);
    for (size_t i = 0; i < n * cols; i++)
        x[i] = rng_unit(1, 1, i) * 2 - 1;
    for (size_t i = 0; i < n; i++)
        y.y[i] = (double)rng_below(1, 2, i, CLASSES);
    for (size_t j = 0; j < cols; j++)
        column[j] = (struct design_column){"x", 0};
    if (!(d.train = design_dense(x, n, cols, column, &err)))
        die(&err);
    buf_init(&epochs);
    buf_printf(&epochs, "epochs=%s", argv[4]);
    set(p, epochs.data);
    set(p, images ? "batch=64" : "batch=256");
    if (images) {
        set(p, "channels=3");
        set(p, "shift=0");
    } else {
        set(p, "layers=256, 128");
        set(p, "dropout=0");
    }
    buf_init(&chosen);
    json_writer_init(&w, &chosen);
    if (!(m = family->fit(&d, p, &ctx, &w, &err)))
        die(&err);
    printf("%s %.4f %.4f\n", argv[1], clock.best_wall, clock.best_cpu);
    family->free(m);
    pool_free(pool);
    return 0;
}
