/* Groups and their aggregates.
 *
 * What is read is made narrow first: keys, the values of the aggregates, the
 * number of the row.  Groups are found by hashes of their keys (keyset) and
 * have states that rows are added to.  Once groups fill the memory there is,
 * rows of other keys wait on the disk, dealt out by their hash, and each part
 * is grouped behind all others in the same way; the number of the first row of
 * each group then tells their order.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/gather.h"
#include "frame/rowgroup.h"
#include "frame/stream_states.h"
#include "frame/stream_verbs_part.h"
#include "frame/verbs.h"

struct spec {
    size_t n_by, n; /* keys and aggregates */
    enum aggregate_kind *kind;
    bool *of_rows;             /* count() */
    struct frame *head, *none; /* the result: its columns, and of no rows */
};

/* Columns of the narrow stream: keys, values (of count() one that does not
 * matter), the number of the row. */
struct grouping {
    const struct spec *spec;
    struct stream like;
    const struct frame *narrow; /* its head */
    unsigned depth;
    size_t *by; /* 0, 1, ..., and the number of the row */
    struct keyset *set;
    bool closed;
    struct frame_list keys; /* of groups as they were found: by */
    struct states **states;
    struct stream_parts *parts;
    uint32_t *group; /* of each row of the batch */
    size_t n_rows;   /* of it */
    struct error *error;
    bool *failed; /* of each aggregate */
};

static void
grouping_fini(struct grouping *g)
{
    for (size_t i = 0; g->states && i < g->spec->n; i++)
        states_free(g->states[i]);
    keyset_free(g->set);
    frame_list_clear(&g->keys);
    stream_parts_free(g->parts);
    free(g->states);
    free(g->by);
    free(g->error);
    free(g->failed);
}

static bool
grouping_init(struct grouping *g, const struct spec *spec,
              const struct stream *of, unsigned depth, struct error *err)
{
    *g = (struct grouping){
        .spec = spec, .like = *of, .narrow = of->head, .depth = depth};
    if (!(g->by = mem_try_array(spec->n_by + 1, sizeof *g->by, err)) ||
        !(g->set = keyset_new(err)) ||
        !(g->states = mem_try_array(spec->n, sizeof *g->states, err)) ||
        !(g->error = mem_try_array(spec->n, sizeof *g->error, err)) ||
        !(g->failed = mem_try_array(spec->n, sizeof *g->failed, err)))
        return false;
    for (size_t i = 0; i < spec->n_by; i++)
        g->by[i] = i;
    g->by[spec->n_by] = spec->n_by + spec->n;
    for (size_t i = 0; i < spec->n; i++) {
        const struct column *c = frame_column(g->narrow, spec->n_by + i);

        if (!(g->states[i] =
                  states_new(spec->kind[i], column_type(c), of, err)))
            return false;
    }
    return true;
}

/* ---- a batch --------------------------------------------------------- */

static bool
keep_keys(struct grouping *g, const struct frame *f, const uint32_t *rows,
          size_t n, struct error *err)
{
    struct frame *some, *keys;

    if (n == 0)
        return true;
    if (!(keys = frame_select(f, g->by, g->spec->n_by + 1, err)))
        return false;
    some = stack_apart(keys, rows, n, g->like.pool, err);
    frame_unref(keys);
    return some && frame_list_add(&g->keys, some, err);
}

/* Rows whose group is not in memory wait. */
static bool
put_aside(struct grouping *g, const struct frame *f, const uint32_t *local,
          const struct key128 *key, struct error *err)
{
    size_t n = frame_rows(f), n_aside = 0;
    uint32_t *rows = mem_try_unset(n, sizeof *rows, err);
    uint8_t *part = rows ? mem_try_unset(n, 1, err) : NULL;
    bool ok = part;

    for (size_t i = 0; ok && i < n; i++)
        if (g->group[i] == KEYSET_NONE) {
            part[n_aside] =
                (uint8_t)(key[local[i]].high >> (60 - 4 * g->depth) & 15);
            rows[n_aside++] = (uint32_t)i;
        }
    if (ok && n_aside && !g->parts)
        ok = (g->parts = stream_parts_new(g->narrow, &g->like, err));
    if (ok && n_aside)
        ok = stream_parts_add(g->parts, f, rows, part, n_aside, err);
    free(rows);
    free(part);
    return ok;
}

/* The group of each row of f. */
static bool
find_groups(struct grouping *g, const struct frame *f, struct rowgroup *local,
            struct error *err)
{
    size_t known = keyset_count(g->set), n = local->n_groups, n_new = 0;
    struct key128 *key = key128_rows(f, g->by, g->spec->n_by, local->first, n,
                                     g->like.pool, err);
    uint32_t *id = key ? mem_try_unset(n, sizeof *id, err) : NULL;
    bool ok = id && keyset_number(g->set, key, n, g->closed, id, err);

    for (size_t i = 0; ok && i < frame_rows(f); i++)
        g->group[i] = id[local->group[i]];
    ok = ok && (!g->closed || put_aside(g, f, local->group, key, err));
    for (size_t i = 0; ok && i < n; i++)
        if (id[i] != KEYSET_NONE && id[i] >= known)
            local->first[n_new++] = local->first[i];
    ok = ok && keep_keys(g, f, local->first, n_new, err);
    free(key);
    free(id);
    return ok;
}

struct feeding {
    struct grouping *g;
    const struct frame *f;
};

static void
feed_states(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct feeding *w = ctx;
    struct grouping *g = w->g;

    (void)chunk;
    for (size_t i = begin; i < end; i++)
        g->failed[i] = !states_feed(
            g->states[i],
            g->spec->of_rows[i] ? NULL : frame_column(w->f, g->spec->n_by + i),
            g->group, frame_rows(w->f), keyset_count(g->set), &g->error[i]);
}

/* Those that sort use the pool themselves. */
static bool
feed(struct grouping *g, const struct frame *f, struct error *err)
{
    struct feeding w = {g, f};
    bool alone = false;

    for (size_t i = 0; i < g->spec->n; i++)
        alone = alone || g->spec->kind[i] == AGG_MEDIAN ||
                g->spec->kind[i] == AGG_DISTINCT;
    if (alone)
        feed_states(&w, 0, 0, g->spec->n);
    else
        pool_for(g->like.pool, g->spec->n, 1, feed_states, &w);
    for (size_t i = 0; i < g->spec->n; i++)
        if (g->failed[i]) {
            *err = g->error[i];
            return false;
        }
    return true;
}

static bool
is_full(const struct grouping *g)
{
    size_t bytes = keyset_bytes(g->set) + g->keys.bytes;

    for (size_t i = 0; i < g->spec->n; i++)
        bytes += states_bytes(g->states[i]);
    return g->depth < STREAM_MAX_DEPTH && g->spec->n_by > 0 &&
           bytes > stream_work(&g->like);
}

static bool
take_batch(struct grouping *g, const struct frame *f, struct error *err)
{
    struct rowgroup local = {0};
    bool ok;

    g->group = mem_try_unset(frame_rows(f), sizeof *g->group, err);
    ok = g->group &&
         rowgroup_find(f, g->by, g->spec->n_by, g->like.pool, g->like.progress,
                       &local, err) &&
         find_groups(g, f, &local, err) && feed(g, f, err);
    rowgroup_fini(&local);
    free(g->group);
    g->group = NULL;
    g->closed = g->closed || (ok && is_full(g));
    return ok;
}

/* ---- the result ------------------------------------------------------ */

/* Keys, aggregates, and the number of the first row. */
static struct frame *
group_frame(struct grouping *g, struct error *err)
{
    const struct spec *spec = g->spec;
    size_t n = spec->n_by + spec->n + 1, made = 0;
    struct frame *head = frame_select(g->narrow, g->by, spec->n_by + 1, err);
    struct frame *keys =
        head ? frame_list_stack(&g->keys, head, g->like.pool, err) : NULL;
    struct column **c =
        keys ? mem_try_array(n, sizeof(struct column *), err) : NULL;
    const char **names = c ? mem_try_array(n, sizeof *names, err) : NULL;
    struct frame *out = NULL;

    for (; names && made < n; made++) {
        size_t i = made;

        names[i] = i + 1 < n ? frame_name(spec->head, i) : STREAM_ROW;
        if (i < spec->n_by || i + 1 == n)
            c[i] =
                column_ref(frame_column(keys, i < spec->n_by ? i : spec->n_by));
        else if (!(c[i] = states_finish(g->states[i - spec->n_by],
                                        frame_rows(keys), err)))
            break;
    }
    if (names && made == n)
        out = frame_new(frame_rows(keys), n, names, c, err);
    else
        while (made > 0)
            column_unref(c[--made]);
    frame_unref(head);
    frame_unref(keys);
    free(c);
    free(names);
    return out;
}

/* The groups of `of` that are found in memory, and what waits. */
static bool
group_all(const struct spec *spec, struct stream *of, unsigned depth,
          struct frame **out, struct stream_parts **parts, struct error *err)
{
    struct grouping g;
    struct frame *f = NULL;
    bool ok = grouping_init(&g, spec, of, depth, err);

    *out = NULL;
    while (ok && (ok = stream_next(of, &f, err)) && f) {
        ok = take_batch(&g, f, err);
        frame_unref(f);
    }
    if (ok)
        *out = group_frame(&g, err);
    *parts = g.parts;
    g.parts = NULL;
    grouping_fini(&g);
    if (*out)
        return true;
    stream_parts_free(*parts);
    return false;
}

static bool
add_parts(const struct spec *spec, struct stream_parts *parts, unsigned depth,
          struct stream_sorter *to, struct error *err);

/* Takes groups and parts over. */
static bool
add_groups(const struct spec *spec, struct frame *groups,
           struct stream_parts *parts, unsigned depth, struct stream_sorter *to,
           struct error *err)
{
    bool ok = stream_sorter_add(to, groups, err) &&
              (!parts || add_parts(spec, parts, depth + 1, to, err));

    stream_parts_free(parts);
    return ok;
}

static bool
add_parts(const struct spec *spec, struct stream_parts *parts, unsigned depth,
          struct stream_sorter *to, struct error *err)
{
    bool ok = true;

    for (size_t i = 0; ok && i < STREAM_PARTS; i++) {
        struct stream_parts *more;
        struct stream *part;
        struct frame *groups;

        ok = stream_parts_take(parts, i, &part, err);
        if (!ok || !part)
            continue;
        ok = group_all(spec, part, depth, &groups, &more, err) &&
             add_groups(spec, groups, more, depth, to, err);
        stream_close(part);
    }
    return ok;
}

static struct stream *
in_order(const struct spec *spec, struct frame *groups,
         struct stream_parts *parts, const struct stream *like,
         struct error *err)
{
    struct query_key key = {spec->n_by + spec->n, false};
    struct stream_sorter *s = stream_sorter_new(groups, &key, 1, like, err);
    struct stream *out;

    if (!s) {
        frame_unref(groups);
        stream_parts_free(parts);
        return NULL;
    }
    if (!add_groups(spec, groups, parts, 0, s, err)) {
        stream_sorter_free(s);
        return NULL;
    }
    out = stream_sorter_finish(s, err);
    return out ? stream_only(out, spec->head, err) : NULL;
}

static struct stream *
make_groups(void *ctx, struct stream *of, struct error *err)
{
    const struct spec *spec = ctx;
    struct stream_parts *parts;
    struct stream *out = NULL;
    struct frame *groups;

    if (!group_all(spec, of, 0, &groups, &parts, err))
        return NULL;
    if (parts)
        return in_order(spec, groups, parts, of, err);
    out = stream_of_result(frame_rows(groups) ? groups : spec->none, of, err);
    frame_unref(groups);
    return out ? stream_only(out, spec->head, err) : NULL;
}

/* ---- from texts ------------------------------------------------------ */

static void
spec_free(void *ctx)
{
    struct spec *spec = ctx;

    if (!spec)
        return;
    frame_unref(spec->head);
    frame_unref(spec->none);
    free(spec->kind);
    free(spec->of_rows);
    free(spec);
}

static struct spec *
spec_new(const struct frame *head, const char *const *by,
         const char *const *aggregates, struct error *err)
{
    struct spec *spec = mem_try_array(1, sizeof *spec, err);

    if (!spec)
        return NULL;
    spec->n_by = names_count(by);
    spec->n = names_count(aggregates);
    if ((spec->none = verb_group(head, by, aggregates, NULL, NULL, err)) &&
        (spec->head = frame_slice(spec->none, 0, 0, err)) &&
        (spec->kind = mem_try_array(spec->n, sizeof *spec->kind, err)) &&
        (spec->of_rows = mem_try_array(spec->n, sizeof *spec->of_rows, err)))
        return spec;
    spec_free(spec);
    return NULL;
}

/* With the value of each aggregate as a column "\001a0", ... */
static struct stream *
with_values(struct stream *s, struct spec *spec, const char *const *aggregates,
            struct error *err)
{
    for (size_t i = 0; s && i < spec->n; i++) {
        struct aggregate_text a = {0};
        char name[STR_F64_MAX];

        snprintf(name, sizeof name, "\001a%zu", i);
        if (aggregate_text_read(aggregates[i], &a, err)) {
            spec->kind[i] = a.kind;
            spec->of_rows[i] = !a.value;
            s = stream_with(s, name, a.value ? a.value : "true", err);
        } else {
            stream_close(s);
            s = NULL;
        }
        aggregate_text_fini(&a);
    }
    return s;
}

static struct stream *
narrow(struct stream *s, const struct spec *spec, const char *const *by,
       struct error *err)
{
    size_t n = spec->n_by + spec->n;
    const char **names = mem_try_array(n + 1, sizeof *names, err);
    char(*text)[STR_F64_MAX] =
        names ? mem_try_array(spec->n, sizeof *text, err) : NULL;

    if (!text) {
        stream_close(s);
        s = NULL;
    }
    for (size_t i = 0; text && i < n; i++) {
        if (i < spec->n_by) {
            names[i] = by[i];
            continue;
        }
        snprintf(text[i - spec->n_by], sizeof *text, "\001a%zu",
                 i - spec->n_by);
        names[i] = text[i - spec->n_by];
    }
    if (s)
        s = stream_select(s, names, err);
    free(text);
    free(names);
    return s ? stream_numbered(s, STREAM_ROW, err) : NULL;
}

struct stream *
stream_group(struct stream *s, const char *const *by,
             const char *const *aggregates, struct error *err)
{
    struct spec *spec = spec_new(s->head, by, aggregates, err);

    if (!spec) {
        stream_close(s);
        return NULL;
    }
    if ((s = with_values(s, spec, aggregates, err)))
        s = narrow(s, spec, by, err);
    if (s)
        return stream_made(s, spec->head, make_groups, spec, spec_free, err);
    spec_free(spec);
    return NULL;
}

struct stream *
stream_pivot(struct stream *s, const char *const *by, const char *across,
             const char *const *aggregates, struct error *err)
{
    size_t n = names_count(by);
    const char **all = mem_try_array(n + 2, sizeof *all, err);
    struct stream *groups = NULL, *out = NULL;
    struct frame *f = NULL, *spread = NULL;

    for (size_t i = 0; all && i < n; i++)
        all[i] = by[i];
    if (all) {
        all[n] = across;
        groups = stream_group(s, all, aggregates, err);
    } else {
        stream_close(s);
    }
    if (groups && (f = stream_collect(groups, err)))
        spread = verb_spread(f, n, names_count(aggregates), groups->pool, err);
    if (spread)
        out = stream_of_result(spread, groups, err);
    frame_unref(f);
    frame_unref(spread);
    stream_close(groups);
    free(all);
    return out;
}
