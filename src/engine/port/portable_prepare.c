/* engine/port/portable_prepare.c -- the preparation of a model of lathe.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/portable_of.h"

/* ---- features ---- */

/* Features of one node, or inputs, that follow one another are one step. */
static bool
run_put(struct graph *g, const struct portable_features *f, const size_t *ref,
        size_t n, uint32_t *id, struct error *err)
{
    uint32_t from = f->node[ref[0]];
    struct graph_node node = {.op =
                                  from == UINT32_MAX ? GRAPH_INPUT : GRAPH_PICK,
                              .width = n,
                              .n_index = n,
                              .n_in = from < UINT32_MAX,
                              .in = &from};
    bool all = from < UINT32_MAX && g->node[from].width == n;

    for (size_t i = 0; i < n; i++)
        all = all && f->column[ref[i]] == i;
    if (all) {
        *id = from;
        return true;
    }
    if (!graph_add(g, &node, id, err))
        return false;
    for (size_t i = 0; i < n; i++)
        g->node[*id].index[i] = f->column[ref[i]];
    return true;
}

bool
portable_features_put(struct graph *g, const struct portable_features *f,
                      const size_t *ref, size_t n, uint32_t *id,
                      struct error *err)
{
    struct graph_node join = {.op = GRAPH_JOIN, .width = n};
    uint32_t *part = mem_try_array(n, sizeof *part, err);
    bool ok = part != NULL;

    for (size_t i = 0, end; i < n && ok; i = end) {
        end = i + 1;
        while (end < n && f->node[ref[end]] == f->node[ref[i]])
            end++;
        ok = run_put(g, f, ref + i, end - i, &part[join.n_in++], err);
    }
    join.in = part;
    if (ok && join.n_in == 1)
        *id = part[0];
    else
        ok = ok && graph_add(g, &join, id, err);
    free(part);
    return ok;
}

/* ---- preparation ---- */

/* Design columns are gathered kind by kind, then put in order. */
struct preparing {
    const struct prepare *from;
    const struct portable_features *features;
    struct graph *g;
    size_t n_cols;
    uint32_t *place; /* n_cols: where a column is among the gathered */
    uint32_t *part;  /* gathered nodes */
    size_t n_parts, n_gathered;
    struct error *err;
};

static bool
is_plain(const struct design_source *s)
{
    return s->kind == DESIGN_CODE ||
           (s->kind == DESIGN_NUMBER && isnan(s->fill) && s->shift == 0 &&
            s->scale == 1);
}

/* Is a column of that kind among those that are gathered? */
static bool
is_wanted(const struct preparing *w, size_t c, enum design_kind kind,
          bool plain)
{
    const struct design_source *s = prepare_source(w->from, c);

    return s->kind == kind && is_plain(s) == plain;
}

/* The features of the columns of one kind side by side; *n of them. */
static bool
input_of_kind(struct preparing *w, enum design_kind kind, uint32_t *id,
              size_t *n)
{
    size_t *ref = mem_try_array(w->n_cols, sizeof *ref, w->err);
    bool ok = ref != NULL;

    *n = 0;
    for (size_t c = 0; c < w->n_cols && ok; c++)
        if (is_wanted(w, c, kind, false)) {
            w->place[c] = (uint32_t)(w->n_gathered + *n);
            ref[(*n)++] = prepare_source(w->from, c)->ref;
        }
    w->n_gathered += *n;
    if (*n > 0)
        ok =
            ok && portable_features_put(w->g, w->features, ref, *n, id, w->err);
    free(ref);
    return ok;
}

/* Numbers and codes as they are, in their order. */
static bool
prepare_asis(struct preparing *w, unsigned how)
{
    size_t *ref = mem_try_array(w->n_cols, sizeof *ref, w->err), n = 0;
    bool ok = ref != NULL;

    for (size_t c = 0; c < w->n_cols && ok; c++)
        if (is_wanted(w, c, DESIGN_NUMBER, true) ||
            (how & PORTABLE_CODES && is_wanted(w, c, DESIGN_CODE, true))) {
            w->place[c] = (uint32_t)(w->n_gathered + n);
            ref[n++] = prepare_source(w->from, c)->ref;
        }
    w->n_gathered += n;
    if (n > 0)
        ok = ok && portable_features_put(w->g, w->features, ref, n,
                                         &w->part[w->n_parts++], w->err);
    free(ref);
    return ok;
}

/* Imputed and scaled numbers. */
static bool
prepare_numbers(struct preparing *w, unsigned how)
{
    struct graph_node fill = {.op = GRAPH_FILL, .n_in = 1, .c = 1};
    struct graph_node scale = {.op = GRAPH_SCALE, .n_in = 1};
    uint32_t in, filled, scaled;
    size_t n;

    if (!input_of_kind(w, DESIGN_NUMBER, &in, &n))
        return false;
    if (n == 0)
        return true;
    fill.width = fill.n_a = scale.width = scale.n_a = scale.n_b = n;
    fill.in = &in;
    scale.in = &filled;
    if (!graph_add(w->g, &fill, &filled, w->err))
        return false;
    scaled = filled;
    if (!(how & PORTABLE_UNSCALED) && !graph_add(w->g, &scale, &scaled, w->err))
        return false;
    for (size_t c = 0, k = 0; c < w->n_cols; c++) {
        const struct design_source *s = prepare_source(w->from, c);

        if (s->kind != DESIGN_NUMBER || is_plain(s))
            continue;
        if (scaled != filled) {
            w->g->node[scaled].a[k] = s->shift;
            w->g->node[scaled].b[k] = s->scale;
        }
        w->g->node[filled].a[k++] = s->fill;
    }
    w->part[w->n_parts++] = scaled;
    return true;
}

static bool
prepare_missing(struct preparing *w)
{
    struct graph_node flag = {.op = GRAPH_MISSING, .n_in = 1, .c = 1};
    uint32_t in;
    size_t n;

    if (!input_of_kind(w, DESIGN_MISSING, &in, &n))
        return false;
    if (n == 0)
        return true;
    flag.width = n;
    flag.in = &in;
    return graph_add(w->g, &flag, &w->part[w->n_parts++], w->err);
}

/* The one-hot columns of one text stand side by side, from column c on. */
static bool
prepare_levels(struct preparing *w, size_t c)
{
    const struct design_source *s = prepare_source(w->from, c);
    struct graph_node hot = {.op = GRAPH_ONEHOT, .n_in = 1};
    struct prepare_feature f;
    uint32_t in, id;

    prepare_feature_get(w->from, s->ref, &f);
    hot.width = f.n_groups;
    hot.n_a = hot.n_index = f.as.n_levels;
    hot.in = &in;
    if (!portable_features_put(w->g, w->features, &s->ref, 1, &in, w->err) ||
        !graph_add(w->g, &hot, &id, w->err))
        return false;
    for (size_t k = 0; k < f.as.n_levels; k++) {
        w->g->node[id].a[k] = (double)k;
        w->g->node[id].index[k] = f.group[k];
    }
    for (size_t k = c; k < w->n_cols; k++) {
        const struct design_source *t = prepare_source(w->from, k);

        if (t->kind == DESIGN_LEVEL && t->ref == s->ref)
            w->place[k] = (uint32_t)w->n_gathered + t->group;
    }
    w->n_gathered += f.n_groups;
    w->part[w->n_parts++] = id;
    return true;
}

static bool
prepare_texts(struct preparing *w)
{
    size_t last = SIZE_MAX;

    for (size_t c = 0; c < w->n_cols; c++) {
        const struct design_source *s = prepare_source(w->from, c);

        if (s->kind == DESIGN_LEVEL && s->ref != last) {
            if (!prepare_levels(w, c))
                return false;
            last = s->ref;
        }
    }
    return true;
}

static bool
put_in_order(struct preparing *w, uint32_t *id)
{
    struct graph_node join = {.op = GRAPH_JOIN,
                              .width = w->n_gathered,
                              .n_in = w->n_parts,
                              .in = w->part};
    struct graph_node pick = {
        .op = GRAPH_PICK, .n_in = 1, .in = id, .index = w->place};
    bool sorted = true;

    if (w->n_parts == 0)
        return true;
    if (w->n_parts == 1)
        *id = w->part[0];
    else if (!graph_add(w->g, &join, id, w->err))
        return false;
    for (size_t c = 0; c < w->n_cols; c++)
        if (w->place[c] < UINT32_MAX) {
            sorted = sorted && w->place[c] == pick.width;
            w->place[pick.width++] = w->place[c];
        }
    sorted = sorted && pick.width == w->n_gathered;
    pick.n_index = pick.width;
    return sorted || graph_add(w->g, &pick, id, w->err);
}

static bool
kinds_check(const struct preparing *w)
{
    for (size_t c = 0; c < w->n_cols; c++) {
        enum design_kind kind = prepare_source(w->from, c)->kind;

        if (kind != DESIGN_NUMBER && kind != DESIGN_CODE &&
            kind != DESIGN_LEVEL && kind != DESIGN_MISSING)
            return error_set(w->err, ERR_TYPE,
                             "column '%s' is prepared in a way that no other "
                             "format can say",
                             prepare_feature(w->from, c));
    }
    return true;
}

bool
portable_columns(struct graph *g, const struct prepare *from,
                 const struct portable_features *features, unsigned how,
                 uint32_t *id, struct error *err)
{
    struct preparing w = {.from = from,
                          .features = features,
                          .g = g,
                          .n_cols = prepare_cols(from),
                          .err = err};
    bool ok;

    *id = UINT32_MAX;
    w.place = mem_try_array(w.n_cols, sizeof *w.place, err);
    w.part = mem_try_array(w.n_cols + 4, sizeof *w.part, err);
    for (size_t c = 0; c < w.n_cols && w.place; c++)
        w.place[c] = UINT32_MAX;
    ok = w.place && w.part && kinds_check(&w) && prepare_asis(&w, how) &&
         prepare_numbers(&w, how) && prepare_missing(&w) && prepare_texts(&w) &&
         put_in_order(&w, id);
    free(w.place);
    free(w.part);
    return ok;
}
