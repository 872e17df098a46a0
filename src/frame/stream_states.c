/* frame/stream_states.c -- aggregates of groups that are fed batch by batch.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/stream_states.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/order.h"
#include "frame/stream_verbs_part.h"

enum { BATCH = 1024, TEXTS_MIN = 1024 };

struct sum {
    double sum;
    uint64_t n;
};

struct whole { /* 128 bits */
    uint64_t low;
    int64_t high;
};

struct spread { /* Welford 1962 */
    double mean, squares;
    uint64_t n;
};

struct pick {
    uint64_t key, raw; /* of the value; a text's code is in raw */
    uint32_t stamp;    /* the batch it was found in; 0: there is none */
};

struct states {
    enum aggregate_kind kind;
    enum col_type from, type; /* of the values, and of the result */
    size_t width, cap;
    char *state;       /* of each group; what later ones have is zero */
    struct dict *text; /* of picked texts */
    uint32_t stamp;
    struct stream_sorter *sorter; /* of group and value */
    struct stream like;           /* its pool, progress and bounds */
};

static bool
sorts(enum aggregate_kind kind)
{
    return kind == AGG_MEDIAN || kind == AGG_DISTINCT;
}

static bool
picks(enum aggregate_kind kind)
{
    return kind == AGG_MIN || kind == AGG_MAX || kind == AGG_FIRST ||
           kind == AGG_LAST;
}

static bool
is_whole(const struct states *s)
{
    return s->kind == AGG_SUM && s->type == COL_INT64;
}

static size_t
width_of(const struct states *s)
{
    if (picks(s->kind))
        return sizeof(struct pick);
    if (s->kind == AGG_SD)
        return sizeof(struct spread);
    if (is_whole(s))
        return sizeof(struct whole);
    if (s->kind == AGG_SUM || s->kind == AGG_MEAN || s->kind == AGG_SHARE)
        return sizeof(struct sum);
    return sizeof(uint64_t);
}

/* Group and value: a float for median, a hash in two halves for distinct. */
static bool
sorter_open(struct states *s, struct error *err)
{
    static const char *const names[] = {"group", "value", "low"};
    const struct query_key keys[] = {{0, false}, {1, false}, {2, false}};
    bool median = s->kind == AGG_MEDIAN;
    struct column *c[3] = {NULL, NULL, NULL};
    struct frame *head = NULL;
    size_t n = median ? 2 : 3;
    bool ok = true;

    for (size_t i = 0; ok && i < n; i++) {
        void *data = mem_try_aligned(1, 8, err);

        ok = data && (c[i] = column_new(median && i ? COL_FLOAT64 : COL_INT64,
                                        0, data, NULL, NULL, err));
    }
    if (ok)
        head = frame_new(0, n, names, c, err);
    else
        for (size_t i = 0; i < n; i++)
            column_unref(c[i]);
    if (head)
        s->sorter = stream_sorter_new(head, keys, n, &s->like, err);
    frame_unref(head);
    return s->sorter;
}

struct states *
states_new(enum aggregate_kind kind, enum col_type type,
           const struct stream *like, struct error *err)
{
    struct states *s = mem_try_array(1, sizeof *s, err);

    if (!s)
        return NULL;
    s->kind = kind;
    s->from = type;
    s->like = *like;
    if (!aggregate_type(kind, type, &s->type, err) ||
        (picks(kind) && type == COL_TEXT && !(s->text = dict_new(err))) ||
        (sorts(kind) && !sorter_open(s, err))) {
        states_free(s);
        return NULL;
    }
    s->width = width_of(s);
    return s;
}

void
states_free(struct states *s)
{
    if (!s)
        return;
    stream_sorter_free(s->sorter);
    dict_unref(s->text);
    free(s->state);
    free(s);
}

size_t
states_bytes(const struct states *s)
{
    return s->cap * s->width + (s->text ? dict_bytes(s->text) : 0);
}

static bool
reserve(struct states *s, size_t n, struct error *err)
{
    size_t cap = s->cap + s->cap / 2;
    char *more;

    if (n <= s->cap)
        return true;
    if (cap < n)
        cap = n;
    if (!(more = mem_try_resize(s->state, cap, s->width, err)))
        return false;
    memset(more + s->cap * s->width, 0, (cap - s->cap) * s->width);
    s->state = more;
    s->cap = cap;
    return true;
}

/* ---- feeding --------------------------------------------------------- */

static void
feed_counts(struct states *s, const struct column *c, const uint32_t *group,
            size_t n)
{
    uint64_t *state = (uint64_t *)(void *)s->state;
    bool missing = s->kind == AGG_MISSING;

    for (size_t i = 0; i < n; i++)
        if (group[i] != KEYSET_NONE)
            state[group[i]] += !c || column_is_valid(c, i) != missing;
}

static void
feed_wholes(struct states *s, const struct column *c, const uint32_t *group,
            size_t n)
{
    struct whole *state = (struct whole *)(void *)s->state;
    bool flags = column_type(c) == COL_BOOL;

    for (size_t i = 0; i < n; i++) {
        struct whole *w;
        int64_t x;

        if (group[i] == KEYSET_NONE)
            continue;
        w = &state[group[i]];
        x = flags ? column_bools(c)[i] : column_int64s(c)[i];
        w->low += (uint64_t)x;
        w->high += -(int64_t)(x < 0) + (w->low < (uint64_t)x);
    }
}

static void
feed_numbers(struct states *s, const struct column *c, const uint32_t *group,
             size_t n)
{
    struct sum *sums = (struct sum *)(void *)s->state;
    struct spread *spreads = (struct spread *)(void *)s->state;
    double x[BATCH];

    for (size_t at = 0; at < n; at += BATCH) {
        size_t m = n - at < BATCH ? n - at : BATCH;

        column_numbers(c, at, at + m, x);
        for (size_t i = 0; i < m; i++) {
            uint32_t g = group[at + i];

            if (g == KEYSET_NONE || !column_is_valid(c, at + i))
                continue;
            if (s->kind == AGG_SD) {
                struct spread *p = &spreads[g];
                double d = x[i] - p->mean;

                p->mean += d / (double)++p->n;
                p->squares += d * (x[i] - p->mean);
            } else {
                sums[g].sum += x[i];
                sums[g].n++;
            }
        }
    }
}

static uint64_t
raw_of(const struct column *c, size_t i)
{
    uint64_t raw = 0;
    size_t width = column_width(column_type(c));

    memcpy(&raw, (const char *)column_data(c) + i * width, width);
    return raw;
}

/* Is row i of c, which is there, to be picked instead of what was? */
static bool
is_better(const struct states *s, const struct pick *p, const struct column *c,
          size_t i, uint64_t key)
{
    int order;

    if (!p->stamp)
        return true;
    if (s->kind == AGG_FIRST || s->kind == AGG_LAST)
        return s->kind == AGG_LAST && p->stamp != s->stamp;
    order = s->text ? str_cmp(column_text(c, i),
                              dict_text(s->text, (uint32_t)p->raw))
                    : (key > p->key) - (key < p->key);
    return s->kind == AGG_MIN ? order < 0 : order > 0;
}

static bool
feed_pick(struct states *s, const struct column *c, uint32_t group, size_t i,
          struct error *err)
{
    struct pick *p = (struct pick *)(void *)s->state + group;
    uint64_t key = 0;
    uint32_t code;

    if (!s->text)
        order_keys(c, i, i + 1, NULL, &key);
    if (!is_better(s, p, c, i, key))
        return true;
    p->key = key;
    p->stamp = s->stamp;
    if (!s->text) {
        p->raw = raw_of(c, i);
        return true;
    }
    if (!dict_add(s->text, column_text(c, i), &code, err))
        return false;
    p->raw = code;
    return true;
}

/* Last ones are met first from behind. */
static bool
feed_picks(struct states *s, const struct column *c, const uint32_t *group,
           size_t n, struct error *err)
{
    s->stamp++;
    for (size_t k = 0; k < n; k++) {
        size_t i = s->kind == AGG_LAST ? n - 1 - k : k;

        if (group[i] != KEYSET_NONE && column_is_valid(c, i) &&
            !feed_pick(s, c, group[i], i, err))
            return false;
    }
    return true;
}

/* Rows to be sorted: values that are there. */
struct pairs {
    int64_t *group;
    void *value;  /* doubles, or upper halves of hashes */
    int64_t *low; /* the other halves */
    size_t n;
};

static bool
fill_pairs(struct states *s, struct pairs *p, const struct column *c,
           const uint32_t *group, size_t n, struct error *err)
{
    struct key128 *key = NULL;

    if (!(p->group = mem_try_unset(n, sizeof *p->group, err)) ||
        !(p->value = mem_try_unset(n, 8, err)) ||
        !(p->low = mem_try_unset(n, sizeof *p->low, err)))
        return false;
    if (s->kind == AGG_DISTINCT &&
        (!(key = mem_try_unset(n, sizeof *key, err)) ||
         !key128_column(c, key, s->like.pool, err))) {
        free(key);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (group[i] == KEYSET_NONE || !column_is_valid(c, i))
            continue;
        p->group[p->n] = group[i];
        if (key) {
            ((int64_t *)p->value)[p->n] = (int64_t)key[i].high;
            p->low[p->n] = (int64_t)key[i].low;
        } else {
            ((double *)p->value)[p->n] = column_number(c, i);
        }
        p->n++;
    }
    free(key);
    return true;
}

/* Takes over what is in p. */
static struct frame *
pairs_frame(struct states *s, struct pairs *p, struct error *err)
{
    static const char *const names[] = {"group", "value", "low"};
    bool median = s->kind == AGG_MEDIAN;
    struct column *c[3];

    if (median) {
        free(p->low);
        p->low = NULL;
    }
    c[0] = column_new(COL_INT64, p->n, p->group, NULL, NULL, err);
    c[1] = column_new(median ? COL_FLOAT64 : COL_INT64, p->n, p->value, NULL,
                      NULL, err);
    c[2] = median ? NULL : column_new(COL_INT64, p->n, p->low, NULL, NULL, err);
    if (c[0] && c[1] && (median || c[2]))
        return frame_new(p->n, median ? 2 : 3, names, c, err);
    for (size_t i = 0; i < 3; i++)
        column_unref(c[i]);
    return NULL;
}

static bool
feed_sorter(struct states *s, const struct column *c, const uint32_t *group,
            size_t n, struct error *err)
{
    struct pairs p = {0};
    struct frame *f;

    if (!fill_pairs(s, &p, c, group, n, err)) {
        free(p.group);
        free(p.value);
        free(p.low);
        return false;
    }
    for (size_t i = 0; i < p.n; i++)
        ((uint64_t *)(void *)s->state)[p.group[i]]++;
    f = pairs_frame(s, &p, err);
    return f && stream_sorter_add(s->sorter, f, err);
}

/* Texts that were picked and left for better ones go once they are more than
 * those that are still picked, so that a long table takes no more than its
 * groups do. */
static bool
drop_texts(struct states *s, size_t n_groups, struct error *err)
{
    struct pick *p = (struct pick *)(void *)s->state;
    struct dict *d;

    if (!s->text || dict_count(s->text) <= 2 * n_groups + TEXTS_MIN)
        return true;
    if (!(d = dict_new(err)))
        return false;
    for (size_t g = 0; g < n_groups; g++) {
        uint32_t code;

        if (!p[g].stamp)
            continue;
        if (!dict_add(d, dict_text(s->text, (uint32_t)p[g].raw), &code, err)) {
            dict_unref(d);
            return false;
        }
        p[g].raw = code;
    }
    dict_unref(s->text);
    s->text = d;
    return true;
}

bool
states_feed(struct states *s, const struct column *values,
            const uint32_t *group, size_t n, size_t n_groups, struct error *err)
{
    if (!reserve(s, n_groups, err))
        return false;
    if (s->kind == AGG_COUNT || s->kind == AGG_MISSING)
        feed_counts(s, values, group, n);
    else if (picks(s->kind))
        return feed_picks(s, values, group, n, err) &&
               drop_texts(s, n_groups, err);
    else if (sorts(s->kind))
        return feed_sorter(s, values, group, n, err);
    else if (is_whole(s))
        feed_wholes(s, values, group, n);
    else
        feed_numbers(s, values, group, n);
    return true;
}

/* ---- results --------------------------------------------------------- */

struct result {
    void *data;
    uint64_t *valid;
    size_t width;
};

static void
put(struct result *r, size_t group, uint64_t raw)
{
    memcpy((char *)r->data + group * r->width, &raw, r->width);
    r->valid[group / 64] |= UINT64_C(1) << (group % 64);
}

static void
put_float(struct result *r, size_t group, double x)
{
    uint64_t raw;

    memcpy(&raw, &x, sizeof raw);
    put(r, group, raw);
}

static void
put_group(const struct states *s, struct result *r, size_t g)
{
    const void *state = s->state + g * s->width;
    const struct sum *sum = state;
    const struct whole *whole = state;
    const struct spread *spread = state;

    if (picks(s->kind)) {
        if (((const struct pick *)state)->stamp)
            put(r, g, ((const struct pick *)state)->raw);
    } else if (s->kind == AGG_SD) {
        if (spread->n > 1)
            put_float(r, g, sqrt(spread->squares / (double)(spread->n - 1)));
    } else if (is_whole(s)) {
        if (whole->high == -(int64_t)(whole->low >> 63))
            put(r, g, whole->low);
    } else if (s->kind == AGG_SUM) {
        put_float(r, g, sum->sum);
    } else if (s->kind == AGG_MEAN || s->kind == AGG_SHARE) {
        if (sum->n > 0)
            put_float(r, g, sum->sum / (double)sum->n);
    } else {
        put(r, g, *(const uint64_t *)state);
    }
}

/* One sorted value after the other. */
struct scan {
    int64_t group;
    uint64_t at, count; /* of its values */
    int64_t high, low;
    double lower;
};

static void
scan_median(struct states *s, struct scan *a, const struct frame *f, size_t i,
            struct result *r)
{
    double x = column_float64s(frame_column(f, 1))[i] + 0.0; /* no -0 */
    uint64_t n = ((uint64_t *)(void *)s->state)[a->group];

    if (a->at == (n - 1) / 2)
        a->lower = x;
    if (a->at == n / 2)
        put_float(r, (size_t)a->group,
                  a->lower == x ? x : a->lower / 2 + x / 2);
    a->at++;
}

static void
scan_distinct(struct scan *a, const struct frame *f, size_t i, struct result *r)
{
    int64_t high = column_int64s(frame_column(f, 1))[i];
    int64_t low = column_int64s(frame_column(f, 2))[i];

    if (a->at++ == 0 || high != a->high || low != a->low)
        put(r, (size_t)a->group, ++a->count);
    a->high = high;
    a->low = low;
}

static void
scan_batch(struct states *s, struct scan *a, const struct frame *f,
           struct result *r)
{
    const int64_t *group = column_int64s(frame_column(f, 0));

    for (size_t i = 0; i < frame_rows(f); i++) {
        if (group[i] != a->group)
            *a = (struct scan){.group = group[i]};
        if (s->kind == AGG_MEDIAN)
            scan_median(s, a, f, i, r);
        else
            scan_distinct(a, f, i, r);
    }
}

static bool
scan_sorted(struct states *s, struct result *r, struct error *err)
{
    struct stream *sorted = stream_sorter_finish(s->sorter, err);
    struct scan a = {.group = -1};
    struct frame *f = NULL;
    bool ok = sorted;

    s->sorter = NULL;
    while (ok && (ok = stream_next(sorted, &f, err)) && f) {
        scan_batch(s, &a, f, r);
        frame_unref(f);
    }
    stream_close(sorted);
    return ok;
}

struct column *
states_finish(struct states *s, size_t n, struct error *err)
{
    struct result r = {.width = column_width(s->type)};

    if (!reserve(s, n, err) || !(r.data = mem_try_array(n, r.width, err)) ||
        !(r.valid = mem_try_array((n + 63) / 64, sizeof *r.valid, err)))
        goto fail;
    if (s->kind == AGG_DISTINCT)
        for (size_t g = 0; g < n; g++)
            put(&r, g, 0);
    if (sorts(s->kind)) {
        if (!scan_sorted(s, &r, err))
            goto fail;
    } else {
        for (size_t g = 0; g < n; g++)
            put_group(s, &r, g);
    }
    return column_new(s->type, n, r.data, r.valid,
                      s->text ? dict_ref(s->text) : NULL, err);
fail:
    free(r.data);
    free(r.valid);
    return NULL;
}
