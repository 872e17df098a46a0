/* session/cmd_query.c -- query: what is done to a table, from options.
 *
 * A table that fits is a frame and is changed by verbs; one that does not is a
 * stream and is changed by the same verbs over batches.  What comes out is
 * written or printed as it comes; where only the first rows are shown, the rest
 * is counted.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/join.h"
#include "frame/overview.h"
#include "frame/sink.h"
#include "frame/stack.h"
#include "frame/stream_verbs.h"
#include "frame/verbs.h"
#include "session/cmd.h"

/* One of the two; neither after an error. */
struct rows {
    struct frame *f;
    struct stream *s;
};

static void
table_fini(struct rows *t)
{
    frame_unref(t->f);
    stream_close(t->s);
    *t = (struct rows){0};
}

static bool
is_open(const struct rows *t)
{
    return t->f || t->s;
}

static const struct frame *
head_of(const struct rows *t)
{
    return t->f ? t->f : stream_head(t->s);
}

/* Another frame in the place of the one there is. */
static void
become(struct rows *t, struct frame *next)
{
    frame_unref(t->f);
    t->f = next;
}

static bool
open_table(struct rows *out, struct task *t, const struct call *c,
           const char *path, struct error *err)
{
    *out = (struct rows){0};
    if (stream_wanted(path, NULL))
        out->s = cmd_stream(t, c, path, err);
    else
        out->f = cmd_table(t, c, path, err);
    return is_open(out);
}

/* ---- changing ---- */

/* Either side may be beyond memory. */
static void
join_tables(struct rows *left, struct rows *right, const struct join_options *o,
            struct task *t, struct error *err)
{
    struct pool *pool = task_pool(t);

    if (left->f && right->s &&
        (left->s = stream_of_frame(left->f, 0, pool, task_progress(t), err)))
        become(left, NULL);
    if (left->s && right->s) {
        left->s = stream_join_stream(left->s, right->s, o, err);
        right->s = NULL;
    } else if (left->s) {
        left->s = stream_join(left->s, right->f, o, err);
    } else if (right->f) {
        become(left,
               join_frames(left->f, right->f, o, pool, task_progress(t), err));
    } else {
        become(left, NULL);
    }
}

static void
joined(struct rows *table, struct task *t, const struct call *c,
       struct error *err)
{
    struct join_options o = {.bounded = call_text(c, "tolerance"),
                             .tolerance = call_float(c, "tolerance")};
    struct rows other;
    struct cmd_names by;

    cmd_names_init(&by, head_of(table), c, "by");
    o.by = by.name;
    if (open_table(&other, t, c, call_text(c, "join"), err) &&
        join_how_parse(call_text(c, "how"), &o.how, err))
        join_tables(table, &other, &o, t, err);
    else
        table_fini(table);
    cmd_names_fini(&by);
    table_fini(&other);
}

static void
where(struct rows *t, const char *text, struct pool *pool, struct error *err)
{
    if (t->s)
        t->s = stream_where(t->s, text, err);
    else
        become(t, verb_where(t->f, text, pool, err));
}

static void
derived(struct rows *t, const char *text, struct pool *pool, struct error *err)
{
    if (t->s)
        t->s = stream_derive(t->s, text, err);
    else
        become(t, verb_derive(t->f, text, pool, err));
}

static void
sampled(struct rows *t, const struct call *c, struct pool *pool,
        struct error *err)
{
    double amount = call_float(c, "sample");
    uint64_t seed = (uint64_t)call_int(c, "seed");

    if (t->s)
        t->s = stream_sample(t->s, amount, seed, err);
    else
        become(t, verb_sample(t->f, amount, seed, pool, err));
}

/* --group, --agg and --pivot. */
static void
grouped(struct rows *t, const struct call *c, struct pool *pool,
        struct error *err)
{
    const char *const count[] = {"count()", NULL};
    const char **all = cmd_all(c, "agg"), *across = call_text(c, "pivot");
    const char *const *aggregates = all ? all : count;
    struct cmd_names by;

    cmd_names_init(&by, head_of(t), c, "group");
    if (t->s && across)
        t->s = stream_pivot(t->s, by.name, across, aggregates, err);
    else if (t->s)
        t->s = stream_group(t->s, by.name, aggregates, err);
    else if (across)
        become(t,
               verb_pivot(t->f, by.name, across, aggregates, pool, NULL, err));
    else
        become(t, verb_group(t->f, by.name, aggregates, pool, NULL, err));
    cmd_names_fini(&by);
    free(all);
}

/* --about describe or relations. */
static struct frame *
profiled(const struct frame *f, struct task *t, bool relations,
         struct error *err)
{
    struct profile *p = profile_new(f, &(struct profile_options){0},
                                    task_pool(t), task_progress(t), err);
    struct frame *out = NULL;

    if (p)
        out = relations ? overview_relations(p, RELATION_AUTO, err)
                        : overview_describe(p, err);
    profile_free(p);
    return out;
}

static struct frame *
overview(const struct frame *f, const char *word, const char *const *by,
         struct task *t, const struct call *c, struct error *err)
{
    struct pool *pool = task_pool(t);
    int64_t bins = call_int(c, "bins");

    if (strcmp(word, "missing") == 0)
        return overview_missing(f, pool, NULL, err);
    if (strcmp(word, "patterns") == 0)
        return overview_patterns(f, pool, NULL, err);
    if (strcmp(word, "duplicates") == 0)
        return overview_duplicates(f, by, pool, NULL, err);
    if (strcmp(word, "frequency") != 0)
        return profiled(f, t, strcmp(word, "relations") == 0, err);
    return overview_frequency(f, by[0], bins < 0 ? 0 : (size_t)bins, pool, NULL,
                              err);
}

/* --about; --group names columns, and of a stream only those are kept. */
static void
about(struct rows *table, struct task *t, const struct call *c,
      struct error *err)
{
    const char *word = call_text(c, "about");
    struct cmd_names by;

    cmd_names_init(&by, head_of(table), c, "group");
    if (strcmp(word, "frequency") == 0 && (!by.name || by.name[1])) {
        error_set(err, ERR_USAGE,
                  "--about frequency wants one column: --group NAME");
        table_fini(table);
    }
    if (table->s && by.name)
        table->s = stream_select(table->s, by.name, err);
    if (table->s) {
        table->f = stream_collect(table->s, err);
        stream_close(table->s);
        table->s = NULL;
    }
    if (table->f)
        become(table, overview(table->f, word, by.name, t, c, err));
    cmd_names_fini(&by);
}

/* The rows --limit leaves of n. */
static uint64_t
limit_of(const struct call *c, uint64_t n)
{
    int64_t limit = call_text(c, "limit") ? call_int(c, "limit") : INT64_MAX;

    return limit < 0 ? 0 : (uint64_t)limit < n ? (uint64_t)limit : n;
}

/* Where equal rows stay, only the first are sorted. */
static void
sorted(struct rows *t, const char *const *names, const struct call *c,
       struct pool *pool, struct error *err)
{
    uint64_t n = t->f ? frame_rows(t->f) : UINT64_MAX;

    if (!call_flag(c, "distinct") && call_text(c, "limit"))
        n = limit_of(c, n);
    if (t->f)
        become(t, verb_top(t->f, names, (size_t)n, pool, err));
    else if (n == UINT64_MAX)
        t->s = stream_sort(t->s, names, err);
    else
        t->s = stream_top(t->s, names, n, err);
}

/* --sort and --select. */
static void
arranged(struct rows *t, const struct call *c, struct pool *pool,
         struct error *err)
{
    struct cmd_names sort, select;

    cmd_names_init(&sort, head_of(t), c, "sort");
    cmd_names_init(&select, head_of(t), c, "select");
    if (sort.name)
        sorted(t, sort.name, c, pool, err);
    if (t->s && select.name)
        t->s = stream_select(t->s, select.name, err);
    else if (t->f && select.name)
        become(t, verb_select(t->f, select.name, err));
    cmd_names_fini(&sort);
    cmd_names_fini(&select);
}

static void
different(struct rows *t, struct pool *pool, struct error *err)
{
    if (t->s)
        t->s = stream_distinct(t->s, NULL, err);
    else
        become(t, verb_distinct(t->f, NULL, pool, err));
}

static void
limited(struct rows *t, const struct call *c, struct error *err)
{
    if (t->s && call_text(c, "limit"))
        t->s = stream_limit(t->s, limit_of(c, UINT64_MAX), err);
    else if (t->f && limit_of(c, frame_rows(t->f)) < frame_rows(t->f))
        become(t, frame_slice(t->f, 0, (size_t)limit_of(c, frame_rows(t->f)),
                              err));
}

/* What query does to a table, in this order. */
static bool
transform(struct rows *table, struct task *t, const struct call *c,
          struct error *err)
{
    struct pool *pool = task_pool(t);

    if (call_text(c, "join"))
        joined(table, t, c, err);
    for (size_t i = 0; is_open(table) && i < call_count(c, "with"); i++)
        derived(table, call_nth(c, "with", i), pool, err);
    if (is_open(table) && call_text(c, "where"))
        where(table, call_text(c, "where"), pool, err);
    if (is_open(table) && call_text(c, "sample"))
        sampled(table, c, pool, err);
    if (is_open(table) && call_text(c, "about"))
        about(table, t, c, err);
    else if (is_open(table) && (call_count(c, "group") ||
                                call_count(c, "agg") || call_text(c, "pivot")))
        grouped(table, c, pool, err);
    if (is_open(table) && call_text(c, "having"))
        where(table, call_text(c, "having"), pool, err);
    if (is_open(table))
        arranged(table, c, pool, err);
    if (is_open(table) && call_flag(c, "distinct"))
        different(table, pool, err);
    if (is_open(table))
        limited(table, c, err);
    return is_open(table);
}

/* ---- what comes out ---- */

/* The first rows, and how many there are. */
static bool
show_stream(struct stream *s, size_t n_shown, struct call *c, struct error *err)
{
    struct frame_list first = {0};
    struct frame *f, *shown = NULL;
    uint64_t n = 0;
    bool ok;

    while ((ok = stream_next(s, &f, err)) && f) {
        n += frame_rows(f);
        if (first.n_rows >= n_shown)
            frame_unref(f);
        else if (!(ok = frame_list_add(&first, f, err)))
            break;
    }
    if (ok && (shown = frame_list_stack(&first, stream_head(s), NULL, err)))
        frame_print_first(shown, n, n_shown, call_width(c), call_out(c));
    frame_unref(shown);
    frame_list_clear(&first);
    return shown;
}

static bool
put_stream(struct stream *s, struct call *c, size_t n_shown, struct error *err)
{
    if (call_text(c, "out"))
        return cmd_write_rows(s, call_text(c, "out"), c, err);
    return call_flag(c, "csv") || call_json(c)
               ? cmd_print_rows(s, c, err)
               : show_stream(s, n_shown, c, err);
}

static bool
put_frame(const struct frame *f, struct task *t, struct call *c, size_t n_shown,
          struct error *err)
{
    struct cmd_written done = {call_text(c, "out"), frame_rows(f),
                               frame_cols(f)};

    if (done.path) {
        if (!sink_write(f, done.path, task_pool(t), task_progress(t), err))
            return false;
        cmd_tell_written(&done, c);
        return true;
    }
    if (call_json(c)) {
        frame_json(f, 0, frame_rows(f), call_out(c));
        cmd_json_end(c);
    } else if (call_flag(c, "csv")) {
        csv_write_rows(f, 0, frame_rows(f), true, ',', call_out(c));
    } else {
        frame_print(f, n_shown, call_width(c), call_out(c));
    }
    return true;
}

bool
cmd_query(struct session *s, struct task *t, struct call *c, struct error *err)
{
    const char *path = call_text(c, "data");
    int64_t given = call_int(c, "rows");
    size_t n_shown = given < 0 ? 0 : (size_t)given;
    struct rows table;
    bool ok;

    (void)s;
    if (!open_table(&table, t, c, path, err))
        return false;
    ok = transform(&table, t, c, err) && cmd_goes_on(t, err) &&
         (table.s ? put_stream(table.s, c, n_shown, err)
                  : put_frame(table.f, t, c, n_shown, err));
    if (ok && table.s)
        cmd_tell_stream(t, path, table.s);
    table_fini(&table);
    return ok;
}
