/* bench_query -- how long questions to a table in memory take.
 *
 *   bench_query [-t THREADS] [-n RUNS] [-q NAME] TABLE
 *
 * Prints "lathe NAME SECONDS" for each: the median of its runs, every run
 * giving a whole new frame.  TABLE is the `mixed` table that query.sh makes;
 * query.mjs asks DuckDB and Polars the same.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "frame/join.h"
#include "frame/source.h"
#include "frame/verbs.h"

enum { MAX_RUNS = 99 };

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

struct tables {
    struct frame *mixed, *users, *customers;
    struct pool *pool;
};

struct question {
    const char *name;
    struct frame *(*ask)(const struct tables *t, struct error *err);
};

static struct frame *
filter_few(const struct tables *t, struct error *err)
{
    return verb_where(t->mixed, "price > 100 and country = 'France'", t->pool,
                      err);
}

static struct frame *
filter_many(const struct tables *t, struct error *err)
{
    return verb_where(t->mixed,
                      "qty >= 2 and discount < 0.3 and status != 'new'",
                      t->pool, err);
}

static struct frame *
filter_text(const struct tables *t, struct error *err)
{
    return verb_where(t->mixed, "contains(note, 'refund')", t->pool, err);
}

static struct frame *
group_few(const struct tables *t, struct error *err)
{
    return verb_group(t->mixed, NAMES("country", "status"),
                      NAMES("n = count()", "p = mean(price)", "q = sum(qty)",
                            "s = max(score)"),
                      t->pool, err);
}

static struct frame *
group_many(const struct tables *t, struct error *err)
{
    return verb_group(t->mixed, NAMES("user_id"),
                      NAMES("n = count()", "p = mean(price)", "q = sum(qty)",
                            "s = max(score)"),
                      t->pool, err);
}

static struct frame *
group_text(const struct tables *t, struct error *err)
{
    return verb_group(t->mixed, NAMES("customer"),
                      NAMES("n = count()", "p = sum(price)"), t->pool, err);
}

static struct frame *
sort_number(const struct tables *t, struct error *err)
{
    return verb_sort(t->mixed, NAMES("-score"), t->pool, err);
}

static struct frame *
sort_several(const struct tables *t, struct error *err)
{
    return verb_sort(t->mixed, NAMES("country", "day", "-price"), t->pool, err);
}

static struct frame *
sort_text(const struct tables *t, struct error *err)
{
    return verb_sort(t->mixed, NAMES("sku"), t->pool, err);
}

static struct frame *
join(const struct tables *t, const struct frame *other, const char *by,
     enum join_how how, struct error *err)
{
    const struct join_options o = {.how = how, .by = NAMES(by)};

    return join_frames(t->mixed, other, &o, t->pool, NULL, err);
}

static struct frame *
join_inner(const struct tables *t, struct error *err)
{
    return join(t, t->users, "user_id", JOIN_INNER, err);
}

static struct frame *
join_left(const struct tables *t, struct error *err)
{
    return join(t, t->users, "user_id", JOIN_LEFT, err);
}

static struct frame *
join_text(const struct tables *t, struct error *err)
{
    return join(t, t->customers, "customer", JOIN_INNER, err);
}

static struct frame *
join_far(const struct tables *t, struct error *err)
{
    return join(t, t->mixed, "amount_cents", JOIN_SEMI, err);
}

static const struct question questions[] = {
    {"filter_few", filter_few},   {"filter_many", filter_many},
    {"filter_text", filter_text}, {"group_few", group_few},
    {"group_many", group_many},   {"group_text", group_text},
    {"sort_number", sort_number}, {"sort_several", sort_several},
    {"sort_text", sort_text},     {"join_inner", join_inner},
    {"join_left", join_left},     {"join_text", join_text},
    {"join_semi_far", join_far},
};

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

static void *
must(void *p, const struct error *err)
{
    if (p)
        return p;
    fprintf(stderr, "bench_query: %s\n", err->message);
    exit(1);
}

static void
measure(const struct question *q, const struct tables *t, size_t n_runs)
{
    double took[MAX_RUNS];
    size_t rows = 0;
    struct error err;

    for (size_t i = 0; i < n_runs; i++) {
        double begin = seconds();
        struct frame *f = must(q->ask(t, &err), &err);

        took[i] = seconds() - begin;
        rows = frame_rows(f);
        frame_unref(f);
    }
    qsort(took, n_runs, sizeof *took, by_value);
    printf("lathe %s %.4f %zu\n", q->name, took[n_runs / 2], rows);
    fflush(stdout);
}

/* One row for each user and each customer, for the joins. */
static void
open_tables(struct tables *t, const char *path, unsigned threads)
{
    struct csv_table table;
    struct error err;

    t->pool = pool_new(threads);
    if (!source_read(path, NULL, t->pool, NULL, &table, &err))
        must(NULL, &err);
    t->mixed = frame_ref(table.frame);
    csv_table_fini(&table);
    t->users = must(verb_group(t->mixed, NAMES("user_id"),
                               NAMES("orders = count()", "paid = sum(price)"),
                               t->pool, &err),
                    &err);
    t->customers = must(verb_group(t->mixed, NAMES("customer"),
                                   NAMES("orders = count()"), t->pool, &err),
                        &err);
}

int
main(int argc, char **argv)
{
    const char *only = NULL;
    unsigned threads = 2;
    size_t n_runs = 5;
    struct tables t;
    int option;

    while ((option = getopt(argc, argv, "t:n:q:")) != -1)
        if (option == 't')
            threads = (unsigned)atoi(optarg);
        else if (option == 'n')
            n_runs = (size_t)atoi(optarg);
        else if (option == 'q')
            only = optarg;
        else
            return 2;
    if (optind + 1 != argc || n_runs < 1 || n_runs > MAX_RUNS) {
        fprintf(stderr, "usage: bench_query [-t THREADS] [-n RUNS] [-q NAME] "
                        "TABLE\n");
        return 2;
    }
    open_tables(&t, argv[optind], threads);
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        if (!only || !strcmp(only, questions[i].name))
            measure(&questions[i], &t, n_runs);
    frame_unref(t.mixed);
    frame_unref(t.users);
    frame_unref(t.customers);
    pool_free(t.pool);
    return 0;
}
