/* bench_query -- questions to a table in memory, asked by query.mjs.
 *
 *   bench_query [-t THREADS] TABLE
 *
 * Prints "ready" when the table is read.  Then, for each line "QUESTION
 * [KEY...]" of standard input, a line of fields with tabs between them:
 * seconds, seconds of all processors, rows, and what tells the answer from
 * another: for each column, by name, how many values there are, their sum and
 * the sum of their products with the next column's; and of the keys the values
 * in 64 rows.  Each time a whole new frame is made.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "frame/join.h"
#include "frame/source.h"
#include "frame/verbs.h"

enum { N_PROBES = 64 };

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

struct tables {
    struct frame *mixed, *users, *customers, *days, *events;
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
                      t->pool, NULL, err);
}

static struct frame *
group_many(const struct tables *t, struct error *err)
{
    return verb_group(t->mixed, NAMES("user_id"),
                      NAMES("n = count()", "p = mean(price)", "q = sum(qty)",
                            "s = max(score)"),
                      t->pool, NULL, err);
}

static struct frame *
group_text(const struct tables *t, struct error *err)
{
    return verb_group(t->mixed, NAMES("customer"),
                      NAMES("n = count()", "p = sum(price)"), t->pool, NULL,
                      err);
}

static struct frame *
group_median(const struct tables *t, struct error *err)
{
    return verb_group(
        t->mixed, NAMES("category"),
        NAMES("m = median(price)", "d = distinct(sku)", "v = sd(score)"),
        t->pool, NULL, err);
}

static struct frame *
distinct(const struct tables *t, const char *const *names, struct error *err)
{
    struct frame *f = verb_select(t->mixed, names, err), *out = NULL;

    if (f)
        out = verb_distinct(f, NULL, t->pool, err);
    frame_unref(f);
    return out;
}

static struct frame *
distinct_few(const struct tables *t, struct error *err)
{
    return distinct(t, NAMES("category", "country", "active"), err);
}

static struct frame *
distinct_many(const struct tables *t, struct error *err)
{
    return distinct(t, NAMES("customer", "qty"), err);
}

static struct frame *
sort_int(const struct tables *t, struct error *err)
{
    return verb_sort(t->mixed, NAMES("amount_cents"), t->pool, err);
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
top_few(const struct tables *t, struct error *err)
{
    return verb_top(t->mixed, NAMES("-score"), 100, t->pool, err);
}

static struct frame *
top_several(const struct tables *t, struct error *err)
{
    return verb_top(t->mixed, NAMES("category", "-price", "id"), 1000, t->pool,
                    err);
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
join_text_left(const struct tables *t, struct error *err)
{
    return join(t, t->customers, "customer", JOIN_LEFT, err);
}

static struct frame *
join_semi_far(const struct tables *t, struct error *err)
{
    return join(t, t->mixed, "amount_cents", JOIN_SEMI, err);
}

static struct frame *
join_two(const struct tables *t, struct error *err)
{
    const struct join_options o = {.how = JOIN_INNER,
                                   .by = NAMES("country", "day")};

    return join_frames(t->mixed, t->days, &o, t->pool, NULL, err);
}

static struct frame *
join_asof(const struct tables *t, struct error *err)
{
    const struct join_options o = {.how = JOIN_ASOF,
                                   .by = NAMES("user_id", "ts")};

    return join_frames(t->mixed, t->events, &o, t->pool, NULL, err);
}

static struct frame *
window_mean(const struct tables *t, struct error *err)
{
    return verb_with(t->mixed, "w", "price / mean(price) over (user_id)",
                     t->pool, err);
}

static struct frame *
window_rank(const struct tables *t, struct error *err)
{
    return verb_with(t->mixed, "w", "rank(price) over (category)", t->pool,
                     err);
}

static struct frame *
window_sum(const struct tables *t, struct error *err)
{
    return verb_with(t->mixed, "w",
                     "cumsum(price) over (user_id order by ts, id)", t->pool,
                     err);
}

#define ASK(name)   \
    {               \
#name, name \
    }
static const struct question questions[] = {
    ASK(filter_few),     ASK(filter_many),   ASK(filter_text),
    ASK(group_few),      ASK(group_many),    ASK(group_text),
    ASK(group_median),   ASK(distinct_few),  ASK(distinct_many),
    ASK(sort_int),       ASK(sort_number),   ASK(sort_several),
    ASK(sort_text),      ASK(top_few),       ASK(top_several),
    ASK(join_inner),     ASK(join_left),     ASK(join_text),
    ASK(join_text_left), ASK(join_semi_far), ASK(join_two),
    ASK(join_asof),      ASK(window_mean),   ASK(window_rank),
    ASK(window_sum),
};

static double
seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *
must(void *p, const struct error *err)
{
    if (p)
        return p;
    fprintf(stderr, "bench_query: %s\n", err->message);
    exit(1);
}

/* ---- what tells an answer -------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of texts how many characters, of dates seconds. */
static double
number(const struct column *c, size_t row)
{
    struct str text;
    size_t n = 0;

    if (column_type(c) == COL_TEXT) {
        text = column_text(c, row);
        for (size_t i = 0; i < text.n; i++)
            n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
        return (double)n;
    }
    return column_number(c, row) * (column_type(c) == COL_DATE ? 86400 : 1);
}

static void
print_sums(const struct column *c, const struct column *next)
{
    double sum = 0, product = 0;

    for (size_t i = 0; i < column_rows(c); i++) {
        if (!column_is_valid(c, i))
            continue;
        sum += number(c, i);
        if (column_is_valid(next, i))
            product += number(c, i) * number(next, i);
    }
    printf("\t%zu\t%.17g\t%.17g", column_rows(c) - column_missing(c), sum,
           product);
}

static void
print_answer(const struct frame *f)
{
    size_t n = frame_cols(f);
    const char **name = mem_new(n * sizeof *name);

    for (size_t i = 0; i < n; i++)
        name[i] = frame_name(f, i);
    qsort(name, n, sizeof *name, by_name);
    for (size_t i = 0; i < n; i++)
        print_sums(frame_column(f, (size_t)frame_find(f, name[i])),
                   frame_column(f, (size_t)frame_find(f, name[(i + 1) % n])));
    free(name);
}

static void
print_probes(const struct frame *f, const char *key)
{
    long col = frame_find(f, key);
    struct buf text;

    buf_init(&text);
    for (size_t i = 0; col >= 0 && i < N_PROBES; i++) {
        buf_putc(&text, '\t');
        column_print(frame_column(f, (size_t)col), i * frame_rows(f) / N_PROBES,
                     &text);
    }
    fwrite(text.data, 1, text.len, stdout);
    buf_fini(&text);
}

/* ---- questions ------------------------------------------------------- */

static void
answer(char *line, const struct tables *t)
{
    const char *name = strtok(line, " \n"), *key;
    const struct question *q = questions;
    size_t n = sizeof questions / sizeof *questions;
    double wall, processor;
    struct error err;
    struct frame *f;

    while (name && n && strcmp(q->name, name))
        n--, q++;
    if (!name || !n) {
        fprintf(stderr, "bench_query: no such question\n");
        exit(1);
    }
    wall = seconds(CLOCK_MONOTONIC);
    processor = seconds(CLOCK_PROCESS_CPUTIME_ID);
    f = must(q->ask(t, &err), &err);
    wall = seconds(CLOCK_MONOTONIC) - wall;
    processor = seconds(CLOCK_PROCESS_CPUTIME_ID) - processor;
    printf("%.6f\t%.6f\t%zu", wall, processor, frame_rows(f));
    print_answer(f);
    while ((key = strtok(NULL, " \n")))
        print_probes(f, key);
    putchar('\n');
    fflush(stdout);
    frame_unref(f);
}

/* One row for each user and each customer, for the joins. */
static void
open_tables(struct tables *t, const char *path, unsigned threads)
{
    struct csv_table table;
    struct frame *known;
    struct error err;

    t->pool = pool_new(threads);
    if (!source_read(path, NULL, t->pool, NULL, &table, &err))
        must(NULL, &err);
    t->mixed = frame_ref(table.frame);
    csv_table_fini(&table);
    t->users = must(verb_group(t->mixed, NAMES("user_id"),
                               NAMES("orders = count()", "paid = sum(price)"),
                               t->pool, NULL, &err),
                    &err);
    t->days = must(verb_group(t->mixed, NAMES("country", "day"),
                              NAMES("orders = count()"), t->pool, NULL, &err),
                   &err);
    known = must(verb_where(t->mixed, "user_id is not null and ts is not null",
                            t->pool, &err),
                 &err);
    t->events =
        must(verb_select(known, NAMES("user_id", "ts", "temp"), &err), &err);
    frame_unref(known);
    t->customers =
        must(verb_group(t->mixed, NAMES("customer"), NAMES("orders = count()"),
                        t->pool, NULL, &err),
             &err);
}

int
main(int argc, char **argv)
{
    unsigned threads = 2;
    char line[256];
    struct tables t;
    int option;

    while ((option = getopt(argc, argv, "t:")) != -1)
        if (option == 't')
            threads = (unsigned)atoi(optarg);
        else
            return 2;
    if (optind + 1 != argc) {
        fprintf(stderr, "usage: bench_query [-t THREADS] TABLE\n");
        return 2;
    }
    open_tables(&t, argv[optind], threads);
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin))
        answer(line, &t);
    frame_unref(t.mixed);
    frame_unref(t.users);
    frame_unref(t.customers);
    frame_unref(t.days);
    frame_unref(t.events);
    pool_free(t.pool);
    return 0;
}
