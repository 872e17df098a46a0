/* tests/bench/bench_cancel.c -- how long work goes on after it was stopped.
 *
 *   bench_cancel [-t THREADS] [-n ROWS] [-p COLUMNS] [-k POINTS] [-s SECONDS]
 *                [FAMILY...]
 *
 * Of gbdt some losses are measured besides, under names of their own: "gbdt,
 * cox" and others.
 *
 * Everything that takes long is done once to its end, then stopped at POINTS
 * moments spread over that time.  Standard output, a line for each: family,
 * work, seconds that it takes (of which SECONDS, 20, are looked at), and the
 * longest wait by the clock and by the CPU time of all threads, which a busy
 * machine does not stretch, with the moment (of the whole) at which it was
 * stopped.  The aim is below 100 ms.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/cv.h"
#include "engine/explain.h"
#include "engine/family.h"
#include "engine/port/port.h"
#include "tests/lib/any_family.h"

/* A family by itself, or with a loss that has an order of its own to find. */
struct variant {
    const char *name;                       /* NULL: the family's */
    const char *const *set;                 /* parameters, NULL-ended */
    const char *group;                      /* a column; NULL */
    double (*target)(size_t row, double y); /* NULL: as it is */
};

struct bench {
    const struct family *family;
    const struct variant *variant;
    struct frame *f;
    struct model *m;
    struct buf file[PORT_N_FORMATS]; /* m, as others write it */
    struct pool *pool;
    size_t n_points;
    double most; /* seconds of a work */
};

static double
as_time(size_t row, double y)
{
    return (row % 3 ? 1 : -1) * (1 + floor(fabs(y) * 1000));
}

static double
as_grade(size_t row, double y)
{
    (void)row;
    return y < 4 ? 0 : y < 5 ? 1 : y < 6 ? 2 : 3;
}

static const char *const no_settings[] = {NULL};
static const struct variant plain = {.set = no_settings};
static const struct variant losses[] = {
    {"gbdt, cox", (const char *const[]){"loss=cox", NULL}, NULL, as_time},
    {"gbdt, rank", (const char *const[]){"loss=rank", NULL}, "user", as_grade},
    {"gbdt, huber", (const char *const[]){"loss=huber", NULL}, NULL, NULL},
    {"gbdt, quantiles",
     (const char *const[]){"loss=quantile", "alpha=0.1,0.25,0.5,0.75,0.9",
                           NULL},
     NULL, NULL},
};

static const char *
name_of(const struct bench *b)
{
    return b->variant->name ? b->variant->name : b->family->name;
}

/* One piece of work: false only with err. */
struct work {
    const char *name;
    bool (*run)(struct bench *b, const struct train *ctx, struct error *err);
};

static double
seconds(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool
run_fit(struct bench *b, const struct train *ctx, struct error *err)
{
    const struct model_options o = {
        .problem = -1, .patience = -1, .group = b->variant->group};
    struct model *m = any_fit(b->family, b->f, b->variant->set, &o, ctx, err);

    if (m && !b->m)
        b->m = m;
    else
        model_unref(m);
    return m != NULL;
}

static bool
run_cv(struct bench *b, const struct train *ctx, struct error *err)
{
    const struct cv_options o = {.k = 3};
    struct params *p = params_new(b->family->params);
    struct cv_result r;
    bool ok = !b->variant->name ||
              error_set(err, ERR_RANGE, "measured for the family itself");

    for (const char *const *s = any_settings(b->family); ok && *s; s++)
        ok = params_set_pair(p, *s, err);
    ok = ok &&
         cv_run(b->family, p, b->f, any_target(b->family), &o, ctx, &r, err);
    if (ok)
        cv_result_fini(&r);
    params_free(p);
    return ok;
}

static bool
run_predict(struct bench *b, const struct train *ctx, struct error *err)
{
    struct frame *f = model_predict_frame(b->m, b->f, ctx->pool, err);

    frame_unref(f);
    return f != NULL;
}

static bool
run_evaluate(struct bench *b, const struct train *ctx, struct error *err)
{
    struct evaluation e;
    bool ok = model_evaluate(b->m, b->f, 1, ctx->pool, &e, err);

    if (ok)
        evaluation_fini(&e);
    return ok;
}

static bool
run_shares(struct bench *b, const struct train *ctx, struct error *err)
{
    struct shares s;
    bool ok = explain_shares(b->m, b->f, NULL, ctx, &s, err);

    if (ok)
        shares_fini(&s);
    return ok;
}

static bool
run_shuffle(struct bench *b, const struct train *ctx, struct error *err)
{
    double whole;
    struct frame *f = explain_shuffle(b->m, b->f, NULL, ctx, &whole, err);

    frame_unref(f);
    return f != NULL;
}

static bool
run_effect(struct bench *b, const struct train *ctx, struct error *err)
{
    const struct effect_options o = {.column = "x2"};
    struct effect e;
    bool ok = explain_effect(b->m, b->f, &o, ctx, &e, err);

    if (ok)
        effect_fini(&e);
    return ok;
}

static bool
write_as(struct bench *b, enum port_format format, const struct train *ctx,
         struct error *err)
{
    const struct port_export o = {.format = format};
    struct port_report r = {0};
    struct buf out;
    bool ok;

    buf_init(&out);
    ok = port_write(b->m, &o, ctx->pool, &out, &r, err);
    port_report_fini(&r);
    if (ok && b->file[format].len == 0)
        b->file[format] = out;
    else
        buf_fini(&out);
    return ok;
}

static bool
read_from(struct bench *b, enum port_format format, const struct train *ctx,
          struct error *err)
{
    const struct port_import o = {.stop = ctx->progress};
    const struct buf *file = &b->file[format];
    struct model *m;

    if (file->len == 0)
        return error_set(err, ERR_RANGE, "it was not written");
    m = port_read((struct str){file->data, file->len}, &o, err);
    model_unref(m);
    return m != NULL;
}

static bool
run_onnx(struct bench *b, const struct train *ctx, struct error *err)
{
    return write_as(b, PORT_ONNX, ctx, err);
}

static bool
run_xgboost(struct bench *b, const struct train *ctx, struct error *err)
{
    return write_as(b, PORT_XGBOOST, ctx, err);
}

static bool
run_lightgbm(struct bench *b, const struct train *ctx, struct error *err)
{
    return write_as(b, PORT_LIGHTGBM, ctx, err);
}

static bool
run_pmml(struct bench *b, const struct train *ctx, struct error *err)
{
    return write_as(b, PORT_PMML, ctx, err);
}

static bool
run_from_onnx(struct bench *b, const struct train *ctx, struct error *err)
{
    return read_from(b, PORT_ONNX, ctx, err);
}

static bool
run_from_xgboost(struct bench *b, const struct train *ctx, struct error *err)
{
    return read_from(b, PORT_XGBOOST, ctx, err);
}

static bool
run_from_lightgbm(struct bench *b, const struct train *ctx, struct error *err)
{
    return read_from(b, PORT_LIGHTGBM, ctx, err);
}

static bool
run_from_pmml(struct bench *b, const struct train *ctx, struct error *err)
{
    return read_from(b, PORT_PMML, ctx, err);
}

static bool
run_forecast(struct bench *b, const struct train *ctx, struct error *err)
{
    const struct forecast ask = {.horizon = 2000,
                                 .level = 0.9,
                                 .pool = ctx->pool,
                                 .progress = ctx->progress};
    struct frame *f = model_forecast(b->m, &ask, err);

    frame_unref(f);
    return f != NULL;
}

static bool
run_c(struct bench *b, const struct train *ctx, struct error *err)
{
    return write_as(b, PORT_C, ctx, err);
}

/* The fit comes first: it gives the model of the others. */
static const struct work works[] = {
    {"fit", run_fit},
    {"cv", run_cv},
    {"predict", run_predict},
    {"evaluate", run_evaluate},
    {"forecast", run_forecast},
    {"shares", run_shares},
    {"shuffle", run_shuffle},
    {"effect", run_effect},
    {"onnx", run_onnx},
    {"from onnx", run_from_onnx},
    {"xgboost", run_xgboost},
    {"from xgboost", run_from_xgboost},
    {"lightgbm", run_lightgbm},
    {"from lightgbm", run_from_lightgbm},
    {"pmml", run_pmml},
    {"from pmml", run_from_pmml},
    {"c", run_c},
};

struct run {
    struct bench *b;
    const struct work *work;
    struct progress progress;
    bool ok;
    double end, cpu; /* when it ended, and what all threads had used */
    struct error err;
};

static void *
run_main(void *arg)
{
    struct run *r = arg;
    struct pool *pool = pool_lend(r->b->pool, &r->progress);
    struct train ctx = {.pool = pool, .progress = &r->progress, .seed = 1};

    r->ok = r->work->run(r->b, &ctx, &r->err);
    r->end = seconds(CLOCK_MONOTONIC);
    r->cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    pool_free(pool);
    return NULL;
}

/* How long it went on. */
struct wait {
    double wall, cpu;
};

/* Stopped after so many seconds; nothing when it had ended. */
static struct wait
run_for(struct run *r, double after)
{
    struct timespec t;
    pthread_t thread;
    double wall, cpu;

    progress_init(&r->progress);
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += (time_t)after;
    t.tv_nsec += (long)((after - (double)(time_t)after) * 1e9);
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    if (pthread_create(&thread, NULL, run_main, r) != 0)
        exit(1);
    if (pthread_timedjoin_np(thread, NULL, &t) == 0)
        return (struct wait){0, 0};
    wall = seconds(CLOCK_MONOTONIC);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    progress_stop(&r->progress);
    pthread_join(thread, NULL);
    return (struct wait){r->end - wall, r->cpu - cpu};
}

static void
measure(struct bench *b, const struct work *w)
{
    struct run r = {.b = b, .work = w};
    double begin = seconds(CLOCK_MONOTONIC), at = 1, whole;
    struct wait worst = run_for(&r, b->most);

    whole = seconds(CLOCK_MONOTONIC) - begin;
    if (!r.ok && r.err.code != ERR_CANCELLED) {
        printf("%-18s %-13s -- %.60s\n", name_of(b), w->name, r.err.message);
        return;
    }
    for (size_t i = 0; i < b->n_points; i++) {
        double share = ((double)i + 0.5) / (double)b->n_points;
        struct wait wait = run_for(&r, whole * share);

        if (wait.cpu > worst.cpu) {
            worst = wait;
            at = share;
        }
    }
    printf("%-18s %-13s %8.3f s %8.1f ms %8.1f ms of CPU, at %.2f%s\n",
           name_of(b), w->name, whole, worst.wall * 1000, worst.cpu * 1000, at,
           worst.cpu > 0.1 ? "  LONG" : "");
    fflush(stdout);
}

static void
fail(const struct error *err)
{
    fprintf(stderr, "bench_cancel: %s\n", err->message);
    exit(1);
}

/* A column of whole numbers as such: what may be a group. */
static struct frame *
with_whole(const struct frame *f, const char *name, struct error *err)
{
    const struct column *c = frame_column(f, (size_t)frame_find(f, name));
    size_t n = frame_rows(f);
    int64_t *x = mem_try_aligned(n + !n, sizeof *x, err);

    for (size_t i = 0; x && i < n; i++)
        x[i] = (int64_t)column_float64s(c)[i];
    return x ? frame_with(f, name, column_new(COL_INT64, n, x, NULL, NULL, err),
                          err)
             : NULL;
}

/* other, if it is there, instead of b->f. */
static void
take_frame(struct bench *b, struct frame *other, const struct error *err)
{
    if (!other)
        fail(err);
    frame_unref(b->f);
    b->f = other;
}

static void
measure_family(struct bench *b, size_t n, size_t p)
{
    bool classes = any_of_classes(b->family) && !b->variant->name;
    struct error err;

    if (strcmp(b->family->name, "cnn") == 0)
        p = p < 64 ? 64 : p < 1024 ? 256 : 1024;
    b->m = NULL;
    if (!(b->f = any_frame(classes, n, p, &err)))
        fail(&err);
    if (b->variant->target)
        take_frame(b, any_change(b->f, "y", b->variant->target, &err), &err);
    if (b->variant->group)
        take_frame(b, with_whole(b->f, b->variant->group, &err), &err);
    for (size_t i = 0; i < PORT_N_FORMATS; i++)
        buf_init(&b->file[i]);
    for (size_t i = 0; i < sizeof works / sizeof *works; i++)
        if (i == 0 || b->m)
            measure(b, &works[i]);
    for (size_t i = 0; i < PORT_N_FORMATS; i++)
        buf_fini(&b->file[i]);
    model_unref(b->m);
    frame_unref(b->f);
}

static bool
is_wanted(const struct bench *b, int n, char **name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(name[i], name_of(b)) == 0)
            return true;
    return n == 0;
}

int
main(int argc, char **argv)
{
    struct bench b = {.n_points = 10, .most = 20};
    size_t n = 200000, p = 64, n_families;
    const struct family *const *table = family_table(&n_families);
    unsigned threads = 2;
    int c;

    while ((c = getopt(argc, argv, "t:n:p:k:s:")) != -1)
        if (c == 't')
            threads = (unsigned)atoi(optarg);
        else if (c == 'n')
            n = strtoul(optarg, NULL, 10);
        else if (c == 'p')
            p = strtoul(optarg, NULL, 10);
        else if (c == 'k')
            b.n_points = strtoul(optarg, NULL, 10);
        else if (c == 's')
            b.most = strtod(optarg, NULL);
        else
            return 2;
    b.pool = pool_new(threads);
    for (size_t i = 0; i < n_families; i++) {
        b.family = table[i];
        b.variant = &plain;
        if (is_wanted(&b, argc - optind, argv + optind))
            measure_family(&b, n, p);
    }
    b.family = family_find("gbdt");
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        b.variant = &losses[i];
        if (is_wanted(&b, argc - optind, argv + optind))
            measure_family(&b, n, p);
    }
    pool_free(b.pool);
    return 0;
}
