/* engine/port/probe.c -- made-up rows on which two forms of a model agree.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/probe.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/calibrate.h"
#include "frame/builder.h"

enum { SEED = 20, MISSING_IN = 12, UNSEEN_IN = 40 };

/* ---- where answers change ---- */

/* Values of interest of each input, one behind the other. */
struct hints {
    size_t *start; /* n_cols + 1 */
    double *value;
    double *spread; /* n_cols: how far a column reaches; 0: not known */
    bool around;    /* near these values, not on them */
};

/* The input behind column j of a node, or SIZE_MAX; what was done to it on the
 * way does not matter. */
static size_t
input_behind(const struct graph *g, uint32_t id, size_t j)
{
    for (;;) {
        const struct graph_node *n = &g->node[id];

        switch (n->op) {
        case GRAPH_INPUT:
            return n->index[j];
        case GRAPH_ROUND:
        case GRAPH_FILL:
        case GRAPH_SCALE:
            break;
        case GRAPH_PICK:
            j = n->index[j];
            break;
        case GRAPH_JOIN: {
            size_t k = 0;

            while (j >= g->node[n->in[k]].width)
                j -= g->node[n->in[k++]].width;
            id = n->in[k];
            continue;
        }
        default:
            return SIZE_MAX;
        }
        id = n->in[0];
    }
}

/* Call put() with each value of interest. */
typedef void hint_fn(void *ctx, size_t col, double v);

static void
each_hint(const struct portable *p, hint_fn *put, void *ctx)
{
    const struct graph *g = p->graph;

    for (size_t i = 0; i < g->n; i++) {
        const struct graph_node *n = &g->node[i];
        const struct ensemble *e = n->trees;
        size_t col;

        if (n->op == GRAPH_ONEHOT || n->op == GRAPH_MAP)
            for (size_t k = 0; k < n->n_a; k++)
                if ((col = input_behind(g, n->in[0], 0)) < SIZE_MAX)
                    put(ctx, col, n->a[k]);
        for (size_t k = 0; e && k < e->n_nodes; k++) {
            unsigned kind = e->kind[k] & ENSEMBLE_KIND;

            if (k % 65536 == 0 && progress_stopped(p->arena.stop))
                return;
            if (kind == ENSEMBLE_LEAF || kind == ENSEMBLE_SET)
                continue;
            col = input_behind(g, n->in[0], e->feature[k]);
            if (col < SIZE_MAX)
                put(ctx, col, e->threshold[k]);
        }
    }
}

static void
count_hint(void *ctx, size_t col, double v)
{
    struct hints *h = ctx;

    (void)v;
    h->start[col + 1]++;
}

static void
put_hint(void *ctx, size_t col, double v)
{
    struct hints *h = ctx;

    h->value[h->start[col]++] = v;
}

static void
spreads(const struct graph *g, struct hints *h)
{
    for (size_t i = 0; i < g->n; i++)
        for (size_t j = 0; g->node[i].op == GRAPH_SCALE && j < g->node[i].width;
             j++) {
            size_t col = input_behind(g, g->node[i].in[0], j);

            if (col < SIZE_MAX && g->node[i].b[j] != 0)
                h->spread[col] = fabs(1 / g->node[i].b[j]);
        }
}

/* The middle of what is scaled. */
static void
each_middle(const struct graph *g, hint_fn *put, void *ctx)
{
    for (size_t i = 0; i < g->n; i++)
        for (size_t j = 0; g->node[i].op == GRAPH_SCALE && j < g->node[i].width;
             j++) {
            size_t col = input_behind(g, g->node[i].in[0], j);

            if (col < SIZE_MAX)
                put(ctx, col, g->node[i].a[j]);
        }
}

static bool
hints_make(const struct portable *p, struct hints *h, struct error *err)
{
    const struct graph *g = p->graph;

    *h = (struct hints){0};
    if (!(h->start = mem_try_array(g->n_cols + 1, sizeof *h->start, err)) ||
        !(h->spread = mem_try_array(g->n_cols, sizeof *h->spread, err)))
        return false;
    each_hint(p, count_hint, h);
    each_middle(g, count_hint, h);
    spreads(g, h);
    for (size_t c = 0; c < g->n_cols; c++)
        h->start[c + 1] += h->start[c];
    if (!(h->value = mem_try_array(h->start[g->n_cols], sizeof *h->value, err)))
        return false;
    each_hint(p, put_hint, h);
    each_middle(g, put_hint, h);
    /* Filling moved each start to its end. */
    memmove(h->start + 1, h->start, g->n_cols * sizeof *h->start);
    h->start[0] = 0;
    return progress_check(p->arena.stop, err);
}

static void
hints_fini(struct hints *h)
{
    free(h->start);
    free(h->value);
    free(h->spread);
}

/* ---- drawing ---- */

static double
draw_level(size_t n_levels, uint64_t stream, uint64_t i)
{
    if (rng_below(SEED, stream + 1, i, MISSING_IN) == 0 ||
        rng_below(SEED, stream + 2, i, UNSEEN_IN) == 0)
        return NAN;
    return (double)rng_below(SEED, stream, i, n_levels);
}

static double
draw_number(const struct hints *h, size_t col, uint64_t stream, uint64_t i)
{
    size_t n = h->start[col + 1] - h->start[col];
    double spread = h->spread[col] > 0 ? h->spread[col] : 1, v;

    if (rng_below(SEED, stream + 1, i, MISSING_IN) == 0)
        return NAN;
    if (n == 0)
        return spread * rng_normal(SEED, stream, i);
    v = h->value[h->start[col] + rng_below(SEED, stream, i, n)];
    switch (h->around ? 4 : rng_below(SEED, stream + 2, i, 6)) {
    case 0:
        return v;
    case 1:
        return (double)nextafterf((float)v, INFINITY);
    case 2:
        return (double)nextafterf((float)v, -INFINITY);
    case 3:
        return nextafter(v, -INFINITY);
    default:
        if (h->spread[col] <= 0)
            spread = 0.1 * (fabs(v) + 1);
        return v + spread * rng_normal(SEED, stream + 3, i);
    }
}

/* A day within a lifetime or two of 1970, or a second. */
static double
draw_day(const struct portable_input *in, uint64_t stream, uint64_t i)
{
    double days = 80000 * (rng_unit(SEED, stream + 3, i) - 0.5);

    if (rng_below(SEED, stream + 1, i, MISSING_IN) == 0)
        return NAN;
    return floor(in->dated == COL_DATE ? days : days * 86400);
}

static double
settle(double v, bool floats, bool whole)
{
    /* A threshold at infinity parts numbers from what is missing. */
    v = v < -1e30 ? -1e30 : v > 1e30 ? 1e30 : v;
    if (whole && !isnan(v))
        v = nearbyint(fmax(fmin(v, 2e9), -2e9));
    return floats ? (double)(float)v : v;
}

struct drawing {
    const struct portable *p;
    const bool *whole; /* or NULL */
    bool floats;
    struct hints hints;
    struct probe *to;
};

static double
draw_cell(const struct drawing *d, size_t c, size_t i)
{
    const struct portable_input *in = &d->p->input[c];
    size_t levels = in->n_levels;
    bool day = d->whole && d->whole[c];
    bool free_day = day && d->hints.start[c + 1] == d->hints.start[c];
    double v = levels     ? draw_level(levels, 4 * c, i)
               : free_day ? draw_day(in, 4 * c, i)
                          : draw_number(&d->hints, c, 4 * c, i);

    if (!levels)
        v = settle(v, d->floats && !(day && portable_wide(d->p)), day);
    return in->truth && !isnan(v) ? v > 0.5 : v;
}

static void
draw_columns(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct drawing *d = ctx;

    (void)chunk;
    for (size_t c = begin; c < end; c++)
        for (size_t i = 0; i < d->to->n; i++)
            d->to->x[c * d->to->n + i] = draw_cell(d, c, i);
}

bool
probe_make(const struct portable *p, const struct probe_kind *kind,
           struct pool *pool, struct probe *out, struct error *err)
{
    struct drawing d = {p, kind->whole, kind->floats, {0}, out};
    size_t cols = p->graph->n_cols, total;
    bool ok = hints_make(p, &d.hints, err);

    d.hints.around = kind->floats && portable_rounds(p);
    *out = (struct probe){.n = kind->n, .n_cols = cols};
    if (ok && !mem_mul(kind->n, cols, &total))
        ok = error_set(err, ERR_NOMEM, "%zu columns are too many to probe",
                       cols);
    ok = ok && (out->x = mem_try_array(total, sizeof *out->x, err)) &&
         pool_try(pool, cols, 4, draw_columns, &d, err);
    hints_fini(&d.hints);
    return ok;
}

void
probe_fini(struct probe *q)
{
    free(q->x);
}

/* ---- asking ---- */

/* The number that p has for level k of input i of `like`. */
static double
level_of(const struct portable_input *in, const struct portable_input *like,
         double code)
{
    if (isnan(code) || in->n_levels == 0 || like->n_levels == 0)
        return code;
    if (code + 1 == (double)like->rest)
        return in->rest ? (double)(in->rest - 1) : (double)NAN;
    for (size_t k = 0; k < in->n_levels; k++)
        if (k + 1 != in->rest &&
            strcmp(in->levels[k], like->levels[(size_t)code]) == 0)
            return (double)k;
    return NAN;
}

static bool
score_dense(const struct graph *g, const double *x, size_t n, struct pool *pool,
            double *out, struct error *err)
{
    struct design_column *column =
        mem_try_array(g->n_cols, sizeof *column, err);
    struct design *d =
        column ? design_dense(x, n, g->n_cols, column, err) : NULL;
    bool ok = d && graph_score(g, d, pool, out, err);

    design_free(d);
    free(column);
    return ok;
}

struct translating {
    const struct portable *to, *from;
    const struct probe *q;
    double *x;
};

static void
translate_columns(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct translating *t = ctx;

    (void)chunk;
    for (size_t c = begin; c < end; c++)
        for (size_t i = 0; i < t->q->n; i++)
            t->x[c * t->q->n + i] = level_of(
                &t->to->input[c], &t->from->input[c], t->q->x[c * t->q->n + i]);
}

bool
probe_score(const struct portable *p, const struct portable *like,
            const struct probe *q, struct pool *pool, double **out,
            struct error *err)
{
    struct translating t = {.to = p, .from = like, .q = q};
    size_t width = portable_width(p);
    bool ok;

    if (p->graph->n_cols != q->n_cols)
        return error_set(err, ERR_STATE, "%zu inputs came back, expected %zu",
                         p->graph->n_cols, q->n_cols);
    t.x = mem_try_array(q->n * q->n_cols, sizeof *t.x, err);
    *out = t.x ? mem_try_array(q->n * width, sizeof **out, err) : NULL;
    ok = *out && pool_try(pool, q->n_cols, 4, translate_columns, &t, err) &&
         score_dense(p->graph, t.x, q->n, pool, *out, err);
    free(t.x);
    if (!ok) {
        free(*out);
        *out = NULL;
    }
    return ok;
}

static size_t
input_named(const struct portable *p, const char *name)
{
    size_t i = 0;

    while (i < p->graph->n_cols && strcmp(p->input[i].name, name) != 0)
        i++;
    return i;
}

static bool
put_cell(struct builder *b, size_t col, const struct portable_input *like,
         enum col_type type, double v, struct error *err)
{
    if (isnan(v))
        return true;
    if (like->n_levels)
        return builder_text(b, col, str_of(like->levels[(size_t)v]), err);
    if (type == COL_DATE)
        return builder_i64(b, col, (int64_t)v, err);
    if (type == COL_TIMESTAMP)
        return builder_i64(b, col, (int64_t)v * 1000000, err);
    return builder_f64(b, col, v, err);
}

static struct frame *
frame_of(const struct model *m, const struct portable *like,
         const size_t *place, const struct probe *q, const struct pool *pool,
         struct error *err)
{
    size_t n_in;
    const struct input *in = model_inputs(m, &n_in);
    const char **name = mem_try_array(n_in, sizeof *name, err);
    enum col_type *type = mem_try_array(n_in, sizeof *type, err);
    struct builder *b = NULL;
    bool ok = name && type;

    for (size_t i = 0; i < n_in && ok; i++) {
        name[i] = in[i].name;
        type[i] = in[i].type == COL_BOOL || in[i].type == COL_INT64
                      ? COL_FLOAT64
                      : in[i].type;
    }
    ok = ok && (b = builder_new(n_in, name, type, err));
    for (size_t r = 0; r < q->n && ok; r++) {
        ok = pool_check(pool, err);
        for (size_t i = 0; i < n_in && ok; i++)
            ok = put_cell(b, i, &like->input[place[i]], in[i].type,
                          q->x[place[i] * q->n + r], err);
        ok = ok && builder_end_row(b, err);
    }
    free(name);
    free(type);
    if (ok)
        return builder_finish(b, err);
    builder_free(b);
    return NULL;
}

bool
probe_ask(const struct model *m, const struct portable *like,
          const struct probe *q, struct pool *pool, double **out, bool *asked,
          struct error *err)
{
    size_t n;
    const struct input *in = model_inputs(m, &n);
    size_t *place = mem_try_array(n, sizeof *place, err);
    struct prediction p = {0};
    struct frame *f = NULL;

    *asked = place != NULL;
    /* Made-up rows do not know what is computed of what. */
    for (size_t c = 0; c < like->graph->n_cols && *asked; c++)
        *asked = !like->input[c].derived;
    for (size_t i = 0; i < n && *asked; i++) {
        place[i] = input_named(like, in[i].name);
        *asked = place[i] < like->graph->n_cols;
    }
    if (!*asked) {
        bool ok = place != NULL;

        free(place);
        return ok;
    }
    f = frame_of(m, like, place, q, pool, err);
    free(place);
    if (!f || !model_predict(m, f, pool, &p, err)) {
        frame_unref(f);
        return false;
    }
    frame_unref(f);
    *out = p.value;
    return true;
}

/* ---- judging ---- */

static double
difference(double a, double b, double scale)
{
    double d = a == b || (isnan(a) && isnan(b)) ? 0 : fabs(a - b) / scale;

    return isnan(d) ? INFINITY : d;
}

/* The log-odds of a share, as a calibration sees them, stretched. */
static double
stretched(const struct portable *p, double share)
{
    double x = fmax(fmin(share, 1 - CALIBRATE_LEAST), CALIBRATE_LEAST);

    x = p->slope * (log(x) - log1p(-x)) + p->offset;
    return 1 / (1 + exp(-x));
}

/* Near 1 a share keeps little of the sum that it was made of, and a calibration
 * of shares sees no more; one of sums sees all.  Is that all there is between
 * what the model has said and `b`, made of a stretched sum? */
static bool
is_lost(const struct portable *p, double said, double b, double tolerance)
{
    const double ulps = 4 * DBL_EPSILON;
    double sum = (log(b) - log1p(-b) - p->offset) / p->slope;
    double share = 1 / (1 + exp(-sum));
    double low = stretched(p, share - ulps);
    double high = stretched(p, share + ulps);

    return said >= fmin(low, high) - tolerance &&
           said <= fmax(low, high) + tolerance;
}

/* Do its constants become numbers of 32 bits? */
static bool
has_constants(enum graph_op op)
{
    return op == GRAPH_SCALE || op == GRAPH_DENSE || op == GRAPH_FILL ||
           op == GRAPH_CONV || op == GRAPH_EMBED;
}

/* A copy whose constants are off by a last bit of 32, each to its own side. */
static struct graph *
nudged(const struct graph *g, uint64_t draw, struct error *err)
{
    struct graph *out = graph_new(g->n_cols, err);
    uint64_t at = 0;
    bool ok = out != NULL;

    for (size_t i = 0; i < g->n && ok; i++) {
        struct graph_node *n;

        if (!(ok = graph_add(out, &g->node[i], NULL, err)))
            break;
        n = &out->node[i];
        for (size_t k = 0; has_constants(n->op) && k < n->n_a; k++)
            n->a[k] *= 1 + FLT_EPSILON * (rng_unit(SEED, draw, at++) - 0.5);
        for (size_t k = 0; has_constants(n->op) && k < n->n_b; k++)
            n->b[k] *= 1 + FLT_EPSILON * (rng_unit(SEED, draw, at++) - 0.5);
    }
    if (ok && graph_check(out, g->node[g->n - 1].width, err))
        return out;
    graph_unref(out);
    return NULL;
}

bool
probe_doubt(const struct portable *p, const struct probe *q, struct pool *pool,
            const double *want, double **out, struct error *err)
{
    enum { DRAWS = 4, TIMES = 4 };
    size_t n = q->n * portable_width(p);
    double *got;
    bool ok = true;

    *out = NULL;
    for (size_t i = 0; i < p->graph->n; i++)
        if (p->graph->node[i].op == GRAPH_TREES)
            return true;
    if (!(*out = mem_try_array(n, sizeof **out, err)))
        return false;
    for (uint64_t draw = 0; draw < DRAWS && ok; draw++) {
        struct portable other = *p;

        if (!(other.graph = nudged(p->graph, draw, err)))
            return false;
        ok = probe_score(&other, p, q, pool, &got, err);
        graph_unref(other.graph);
        /* What overflows or is NaN tells nothing of last bits. */
        for (size_t i = 0; i < n && ok; i++) {
            double off = TIMES * fabs(got[i] - want[i]);

            if (isfinite(off))
                (*out)[i] = fmax((*out)[i], off);
        }
        if (ok)
            free(got);
    }
    return ok;
}

bool
probe_compare(const struct probe *q, const double *a, const double *b,
              const struct probe_judge *how, double *worst, struct error *err)
{
    size_t width = portable_width(how->p), at = SIZE_MAX, apart = 0;
    double scale = 1, most = 0;

    for (size_t i = 0; i < q->n * width; i++)
        if (isfinite(a[i]) && fabs(a[i]) > scale)
            scale = fabs(a[i]);
    for (size_t i = 0; i < q->n * width; i++) {
        bool whole = how->p->n_answers ? how->p->answer[i % width].whole
                                       : portable_rounds(how->p);
        double d = difference(a[i], b[i], scale);
        double over = how->doubt ? d - how->doubt[i] / scale : d;

        if (how->shares && d > how->tolerance &&
            is_lost(how->p, a[i], b[i], how->tolerance))
            continue;
        if (whole && d > how->tolerance && apart++ < how->spare)
            continue;
        *worst = d > *worst ? d : *worst;
        if (over > how->tolerance && over > most) {
            most = over;
            at = i;
        }
    }
    if (at == SIZE_MAX)
        return true;
    return error_set(err, ERR_STATE,
                     "row %zu of %zu made up to compare gives %.9g, expected "
                     "%.9g: nothing was written",
                     at / width + 1, q->n, b[at], a[at]);
}
