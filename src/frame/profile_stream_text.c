/* Texts and bools of a stream.  The texts of a batch are counted by their
 * codes, each different one is looked at once.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "frame/profile_stream_part.h"

/* ---- lengths ---- */

static bool
add_length(struct gather *g, size_t len, size_t count, struct error *err)
{
    size_t at = len < PROFILE_LENGTHS ? len : PROFILE_LENGTHS - 1;

    if (at >= g->n_tally) {
        size_t n = at < 32                    ? 64
                   : 2 * at < PROFILE_LENGTHS ? 2 * at + 1
                                              : PROFILE_LENGTHS;
        size_t *more = mem_try_resize(g->tally, n, sizeof *more, err);

        if (!more)
            return false;
        memset(more + g->n_tally, 0, (n - g->n_tally) * sizeof *more);
        g->tally = more;
        g->n_tally = n;
    }
    if (len < g->min_length)
        g->min_length = len;
    if (len > g->max_length)
        g->max_length = len;
    g->length += (double)len * (double)count;
    g->tally[at] += count;
    return true;
}

/* ---- from few to many ---- */

/* The texts of items that are new: by their codes in d or, where it is NULL,
 * from the counts. */
static bool
hold_texts(struct gather *g, const struct dict *d, struct error *err)
{
    for (size_t i = 0; i < g->heavy.n_slots; i++) {
        struct sketch_heavy_item *item = &g->heavy.slot[i];
        struct str s;

        if (!item->count || item->held)
            continue;
        s = d ? dict_text(d, (uint32_t)item->tag)
              : sketch_distinct_text(
                    &g->distinct,
                    sketch_distinct_find(&g->distinct, item->key));
        if (s.n > SKETCH_TEXT)
            for (s.n = SKETCH_TEXT;
                 ((unsigned char)s.p[s.n] & 0xc0) == 0x80 && s.n > 0; s.n--)
                ;
        if (!(item->held = mem_try_text(s.p, s.n, err)))
            return false;
    }
    return true;
}

static bool
become_many(struct gather *g, struct error *err)
{
    struct sketch_point *p;

    if (!sketch_heavy_init(&g->heavy, g->size.heavy, err) ||
        !(p = sketch_distinct_points(&g->distinct, err)))
        return false;
    for (size_t i = 0, n = g->distinct.n; i < n; i += SKETCH_BLOCK)
        sketch_heavy_add(&g->heavy, p + i, NULL,
                         n - i < SKETCH_BLOCK ? n - i : SKETCH_BLOCK,
                         &g->scratch->heavy);
    free(p);
    g->is_many = true;
    return hold_texts(g, NULL, err);
}

/* ---- values ---- */

static bool
count_codes(struct gather *g, const struct column *c, struct error *err)
{
    const uint64_t *valid = column_validity(c);
    const uint32_t *code = column_codes(c);
    size_t n = dict_count(column_dict(c)), rows = column_rows(c);

    if (n > g->cap_codes || !g->count) {
        free(g->count);
        free(g->hash);
        g->hash = NULL;
        g->cap_codes = 0;
        if (!(g->count = mem_try_unset(n, sizeof *g->count, err)) ||
            !(g->hash = mem_try_unset(n, sizeof *g->hash, err)))
            return false;
        g->cap_codes = n;
    }
    memset(g->count, 0, n * sizeof *g->count);
    if (!valid)
        for (size_t i = 0; i < rows; i++)
            g->count[code[i]]++;
    else
        for (size_t i = 0; i < rows; i++)
            if (column_bit(valid, i))
                g->count[code[i]]++;
    return true;
}

/* One text so many times; *n counts the block that is ready for the sketch of
 * the most frequent. */
static bool
add_text(struct gather *g, struct str s, uint32_t code, size_t *n,
         struct error *err)
{
    uint64_t key = g->hash[code], count = g->count[code];

    if (!add_length(g, profile_code_points(s), count, err))
        return false;
    if (!g->is_many && sketch_distinct_is_full(&g->distinct) &&
        !sketch_distinct_find(&g->distinct, key) && !become_many(g, err))
        return false;
    if (sketch_distinct_wants(&g->distinct, sketch_mix(key)) &&
        !sketch_distinct_add(&g->distinct, key, count, s, err))
        return false;
    if (!g->is_many)
        return true;
    g->scratch->run[*n] = (struct sketch_point){key, count};
    g->scratch->tag[(*n)++] = code;
    if (*n == SKETCH_BLOCK) {
        sketch_heavy_add(&g->heavy, g->scratch->run, g->scratch->tag, *n,
                         &g->scratch->heavy);
        *n = 0;
    }
    return true;
}

bool
gather_texts(struct gather *g, const struct column *c, struct error *err)
{
    const struct dict *d = column_dict(c);
    size_t n_texts = dict_count(d), n = 0;

    if (!gather_needs_scratch(g, err) || !count_codes(g, c, err))
        return false;
    g->n += column_rows(c);
    g->n_missing += column_missing(c);
    for (size_t i = 0; i < n_texts; i++) {
        struct str s;

        if (!g->count[i])
            continue;
        s = dict_text(d, (uint32_t)i);
        g->hash[i] = sketch_hash_text(s);
        if (!add_text(g, s, (uint32_t)i, &n, err))
            return false;
    }
    if (!g->is_many)
        return true;
    sketch_heavy_add(&g->heavy, g->scratch->run, g->scratch->tag, n,
                     &g->scratch->heavy);
    return hold_texts(g, d, err);
}

void
gather_bools(struct gather *g, const struct column *c)
{
    const uint64_t *valid = column_validity(c);
    const uint8_t *x = column_bools(c);
    size_t rows = column_rows(c), ones = 0;

    /* What is missing is 0. */
    for (size_t i = 0; i < rows; i++)
        ones += valid ? x[i] & column_bit(valid, i) : x[i];
    g->n += rows;
    g->n_missing += column_missing(c);
    g->n_bool[1] += ones;
    g->n_bool[0] += rows - column_missing(c) - ones;
}

/* ---- in the end ---- */

static void
set_counts(const struct gather *g, struct profile_column *out)
{
    out->n = g->n;
    out->n_missing = g->n_missing;
    out->bytes = g->bytes;
}

bool
gather_bools_end(struct gather *g, struct profile_column *out,
                 struct error *err)
{
    static const char *const words[] = {"false", "true"};

    set_counts(g, out);
    for (size_t v = 0; v < 2; v++) {
        if (!g->n_bool[v])
            continue;
        profile_distinct_add(out, g->n_bool[v]);
        if (!profile_top_add(out, g->n_bool[v], words[v], strlen(words[v]),
                             err))
            return false;
    }
    profile_distinct_end(out);
    return true;
}

static bool
end_few(const struct gather *g, struct profile_column *out, struct error *err)
{
    struct sketch_point *p = sketch_distinct_points(&g->distinct, err);
    bool ok = p;

    for (size_t i = 0; ok && i < g->distinct.n; i++) {
        const struct sketch_point *at =
            sketch_distinct_find(&g->distinct, p[i].key);

        profile_distinct_add(out, at->weight);
        ok = profile_top_insert(out->top, &out->n_top, at->weight,
                                sketch_distinct_text(&g->distinct, at), err);
    }
    free(p);
    profile_distinct_end(out);
    return ok;
}

static bool
end_many(const struct gather *g, struct profile_column *out, struct error *err)
{
    struct sketch_heavy_item *item;
    size_t n;
    bool ok;

    if (!gather_estimate(g, out, err) || !(item = gather_top(g, out, &n, err)))
        return false;
    ok = true;
    for (size_t i = 0; ok && i < n; i++)
        ok = profile_top_insert(out->top, &out->n_top, item[i].count,
                                str_of(item[i].held), err);
    free(item);
    return ok;
}

static bool
set_lengths(const struct gather *g, struct profile_column *out,
            struct error *err)
{
    size_t *tally = mem_try_array(PROFILE_LENGTHS, sizeof *tally, err);

    if (!tally)
        return false;
    if (g->n > g->n_missing) {
        memcpy(tally, g->tally, g->n_tally * sizeof *tally);
        out->min_length = g->min_length;
        out->max_length = g->max_length;
        out->mean_length = g->length;
        profile_lengths(out, tally);
    }
    free(tally);
    return true;
}

bool
gather_texts_end(struct gather *g, struct profile_column *out,
                 struct error *err)
{
    set_counts(g, out);
    return (g->distinct.level == 0 ? end_few(g, out, err)
                                   : end_many(g, out, err)) &&
           set_lengths(g, out, err);
}

/* ---- estimates of both ---- */

/* The frequent values add to the sum of c log c what they are known to be, the
 * others in proportion to those in the sample. */
static double
estimate_entropy(const struct gather *g, const struct sketch_point *p, double n)
{
    const struct sketch_heavy *h = &g->heavy;
    double sum = 0, frequent = 0, part = 0, rest = 0;

    for (size_t i = 0; i < h->n_slots; i++) {
        double c = (double)(h->slot[i].count - h->slot[i].slack);

        if (!h->slot[i].count || h->slot[i].count <= 2 * h->lost)
            continue;
        frequent += c;
        sum += c * fm_log(c);
    }
    for (size_t i = 0; i < g->distinct.n; i++) {
        const struct sketch_heavy_item *item = sketch_heavy_find(h, p[i].key);
        double c = (double)p[i].weight;

        if (item && item->count > 2 * h->lost)
            continue;
        part += c;
        rest += c * fm_log(c);
    }
    if (part > 0 && n > frequent)
        sum += rest / part * (n - frequent);
    return fmax((fm_log(n) - sum / n) / fm_log(2), 0);
}

bool
gather_estimate(const struct gather *g, struct profile_column *out,
                struct error *err)
{
    const struct sketch_distinct *d = &g->distinct;
    struct sketch_point *p = sketch_distinct_points(d, err);
    double n = (double)(out->n - out->n_missing), all, once = 0;

    if (!p)
        return false;
    for (size_t i = 0; i < d->n; i++)
        once += p[i].weight == 1;
    all = fmin(sketch_distinct_estimate(d), n);
    once = fmin(ldexp(once, (int)d->level), all);
    out->n_distinct = (size_t)all;
    out->n_unique = (size_t)once;
    out->entropy = estimate_entropy(g, p, n);
    out->uniform = NAN;
    out->error.distinct = sketch_distinct_error(d);
    if (d->level > 0)
        out->estimated |= ESTIMATE_DISTINCT;
    free(p);
    return true;
}

static int
by_key(const void *x, const void *y)
{
    const struct sketch_heavy_item *a = x, *b = y;

    return (a->key > b->key) - (a->key < b->key);
}

/* Told are those whose count is known to a half of it and that no other value
 * can exceed unseen.  What the sample counted is exact. */
struct sketch_heavy_item *
gather_top(const struct gather *g, struct profile_column *out, size_t *n,
           struct error *err)
{
    const struct sketch_heavy *h = &g->heavy;
    struct sketch_heavy_item *list = mem_try_array(h->n, sizeof *list, err);

    *n = 0;
    for (size_t i = 0; list && i < h->n_slots; i++) {
        struct sketch_heavy_item item = h->slot[i];
        const struct sketch_point *p =
            item.count ? sketch_distinct_find(&g->distinct, item.key) : NULL;

        if (p) {
            item.count = p->weight;
            item.slack = 0;
        }
        if (item.count <= 1 || item.count <= h->lost ||
            item.count < 2 * item.slack)
            continue;
        if (item.slack > out->error.top)
            out->error.top = item.slack;
        list[(*n)++] = item;
    }
    if (list)
        qsort(list, *n, sizeof *list, by_key);
    if (out->error.top > 0 || (h->lost > 0 && *n < PROFILE_TOP))
        out->estimated |= ESTIMATE_TOP;
    return list;
}
