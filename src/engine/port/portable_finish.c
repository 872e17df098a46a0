/* engine/port/portable_finish.c -- what is done to a model's answers.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/port/imported.h"
#include "engine/port/portable_of.h"

/* ---- curves ---- */

/* Copies of one column. */
static bool
spread(struct graph *g, uint32_t in, uint32_t column, size_t n, uint32_t *id,
       struct error *err)
{
    struct graph_node pick = {
        .op = GRAPH_PICK, .width = n, .n_in = 1, .in = &in, .n_index = n};

    if (!graph_add(g, &pick, id, err))
        return false;
    for (size_t i = 0; i < n; i++)
        g->node[*id].index[i] = column;
    return true;
}

/* One column: the sum of all, times weights, plus what it begins with. */
static bool
add_up(struct graph *g, uint32_t in, double begin, uint32_t *id,
       struct error *err)
{
    struct graph_node dense = {.op = GRAPH_DENSE,
                               .width = 1,
                               .n_in = 1,
                               .in = &in,
                               .n_a = g->node[in].width,
                               .n_b = 1,
                               .b = &begin};

    return graph_add(g, &dense, id, err);
}

/* How much of a jump at knot i is made by what is beyond it (sign 1), and by
 * what is on it or beyond (-1): half each, but at the ends, whose outer side
 * is the end. */
static double
part_of_jump(const struct portable_curve *c, size_t i, double sign)
{
    double beyond = c->x[i] == c->x[0]          ? 1
                    : c->x[i] == c->x[c->n - 1] ? 0
                                                : 0.5;

    return (c->y[i] - c->y[i - 1]) * (sign > 0 ? beyond : 1 - beyond);
}

/* Pieces of a curve that are added up: rises between knots that differ, or
 * jumps where they are equal. */
struct pieces {
    const struct portable_curve *of;
    size_t n;
    int sign;     /* of jumps; 0: rises */
    double begin; /* what the sum begins with */
};

static bool
is_piece(const struct pieces *p, size_t i)
{
    return (p->of->x[i] == p->of->x[i - 1]) == (p->sign != 0);
}

/* Of each how far x has come through it, from 0 to 1, times how much it is. */
static bool
put_pieces(struct graph *g, const struct pieces *p, uint32_t *id,
           struct error *err)
{
    const struct portable_curve *c = p->of;
    uint32_t in;
    struct graph_node scale = {.op = GRAPH_SCALE,
                               .width = p->n,
                               .n_in = 1,
                               .in = &in,
                               .n_a = p->n,
                               .n_b = p->n};
    double begin = p->begin;
    size_t at = 0;

    if (!spread(g, c->in, c->column, p->n, &in, err) ||
        !graph_add(g, &scale, id, err))
        return false;
    for (size_t i = 1; i < c->n; i++)
        if (is_piece(p, i)) {
            g->node[*id].a[at] = c->x[i - 1];
            g->node[*id].b[at++] =
                p->sign ? p->sign : 1 / (c->x[i] - c->x[i - 1]);
            /* x > t, or not t > x. */
            begin += p->sign < 0 ? part_of_jump(c, i, p->sign) : 0;
        }
    if (!(p->sign ? graph_add_simple(g, GRAPH_STEP, *id, id, err)
                  : graph_add_clip(g, *id, 0, 1, id, err)) ||
        !add_up(g, *id, begin, id, err))
        return false;
    at = 0;
    for (size_t i = 1; i < c->n; i++)
        if (is_piece(p, i))
            g->node[*id].a[at++] = p->sign
                                       ? p->sign * part_of_jump(c, i, p->sign)
                                       : c->y[i] - c->y[i - 1];
    return true;
}

bool
portable_put_curve(struct graph *g, const struct portable_curve *c,
                   uint32_t *id, struct error *err)
{
    size_t jumps = 0, rises;
    uint32_t two[2] = {0, 0}, half;
    struct graph_node sum = {.op = GRAPH_ADD, .width = 1, .n_in = 2, .in = two};

    for (size_t i = 1; i < c->n; i++)
        jumps += c->x[i] == c->x[i - 1];
    rises = c->n - 1 - jumps;
    if (rises == 0 && jumps == 0) {
        struct portable_curve flat = *c;
        const double x[] = {c->x[0], c->x[0] + 1}, y[] = {c->y[0], c->y[0]};

        flat.x = x;
        flat.y = y;
        flat.n = 2;
        return put_pieces(g, &(struct pieces){&flat, 1, 0, c->y[0]}, id, err);
    }
    if (rises > 0 &&
        !put_pieces(g, &(struct pieces){c, rises, 0, c->y[0]}, &two[0], err))
        return false;
    *id = two[0];
    for (int sign = 1; sign >= -1 && jumps > 0; sign -= 2) {
        const struct pieces some = {c, jumps, sign,
                                    rises == 0 && sign == 1 ? c->y[0] : 0};

        if (!put_pieces(g, &some, &half, err))
            return false;
        two[1] = half;
        if (rises == 0 && sign == 1) {
            two[0] = half;
            continue;
        }
        if (!graph_add(g, &sum, id, err))
            return false;
        two[0] = *id;
    }
    return true;
}

/* ---- what is done to answers ---- */

/* slope x + offset of the sums before the link: of leaves, of weights. */
static void
sums_stretch(struct portable *p, double slope, double offset)
{
    struct graph *g = p->graph;
    struct graph_node *n = &g->node[g->n - 1];
    struct ensemble *e;

    n = &g->node[n->in[0]];
    e = n->trees;
    for (size_t i = 0; i < n->n_a; i++)
        n->a[i] *= slope;
    for (size_t k = 0; k < n->n_b; k++)
        n->b[k] = n->b[k] * slope + offset;
    if (e)
        ensemble_scale(e, slope, 1);
    for (size_t k = 0; e && k < e->n_outputs; k++)
        e->base[k] = e->base[k] * slope + offset;
}

/* Are the shares a link of sums that can be stretched? */
static bool
has_sums(const struct graph *g)
{
    const struct graph_node *n = &g->node[g->n - 1];

    if (n->op != GRAPH_SIGMOID && n->op != GRAPH_SOFTMAX)
        return false;
    n = &g->node[n->in[0]];
    return n->op == GRAPH_TREES || n->op == GRAPH_DENSE;
}

/* The logarithms of the shares, or their log-odds, times the slopes plus the
 * offsets of the curves. */
static bool
logs_put(struct portable *p, const struct calibration *c, bool odds,
         uint32_t *id, struct error *err)
{
    struct graph *g = p->graph;
    uint32_t shares, in = (uint32_t)g->n - 1, other, two[2];
    size_t k = g->node[in].width;
    struct graph_node scale = {.op = GRAPH_SCALE,
                               .width = k,
                               .n_in = 1,
                               .in = &shares,
                               .n_a = k,
                               .n_b = k};
    struct graph_node minus = {
        .op = GRAPH_SUB, .width = k, .n_in = 2, .in = two};
    struct graph_node *n;

    /* Nearly 1 is 1 in 32 bits: what is left of it is kept from 0. */
    if (!graph_add_clip(g, in, CALIBRATE_LEAST, 1, &shares, err) ||
        !graph_add_simple(g, GRAPH_LOG, shares, &two[0], err))
        return false;
    shares = in;
    *id = two[0];
    if (odds) {
        if (!graph_add(g, &scale, &other, err))
            return false;
        for (size_t j = 0; j < k; j++) {
            g->node[other].a[j] = 1;
            g->node[other].b[j] = -1;
        }
        if (!graph_add_clip(g, other, 1 - (1 - CALIBRATE_LEAST), 1, &other,
                            err) ||
            !graph_add_simple(g, GRAPH_LOG, other, &two[1], err) ||
            !graph_add(g, &minus, id, err))
            return false;
    }
    shares = *id;
    if (!graph_add(g, &scale, id, err))
        return false;
    n = &g->node[*id];
    for (size_t j = 0; j < k; j++) {
        size_t curve = j < c->n_curves ? j : 0;

        n->b[j] = c->slope[curve];
        n->a[j] = c->kind == CALIBRATE_PLATT && c->slope[curve] != 0
                      ? -c->offset[curve] / c->slope[curve]
                      : 0;
    }
    return true;
}

/* Of several classes the curves' answers are made to sum to one. */
static bool
shares_put(struct portable *p, uint32_t id, struct error *err)
{
    return p->graph->node[id].width == 1 ||
           graph_add_simple(p->graph, GRAPH_NORMALIZE, id, NULL, err);
}

static bool
platt_put(struct portable *p, const struct calibration *c, struct error *err)
{
    uint32_t id;

    for (size_t j = 0; j < c->n_curves; j++)
        if (c->slope[j] == 0)
            return error_set(err, ERR_TYPE,
                             "this model's calibration has no other format");
    return logs_put(p, c, true, &id, err) &&
           graph_add_simple(p->graph, GRAPH_SIGMOID, id, &id, err) &&
           shares_put(p, id, err);
}

static bool
temperature_put(struct portable *p, const struct calibration *c,
                struct error *err)
{
    uint32_t id;

    return logs_put(p, c, c->k == 1, &id, err) &&
           graph_add_simple(p->graph, c->k == 1 ? GRAPH_SIGMOID : GRAPH_SOFTMAX,
                            id, NULL, err);
}

static bool
isotonic_put(struct portable *p, const struct calibration *c, struct error *err)
{
    struct graph *g = p->graph;
    uint32_t in = (uint32_t)g->n - 1, *part, id;
    struct graph_node join = {.op = GRAPH_JOIN, .width = c->k, .n_in = c->k};
    const double *x = c->x, *y = c->y;
    bool ok;

    p->slack = 1e-3;
    buf_puts(&p->notes, "calibration by isotonic is steep in places: what is "
                        "computed in 32 bits may differ by\nup to 1e-3\n");
    ok = (part = mem_try_array(c->k, sizeof *part, err));

    for (size_t j = 0; j < c->k && ok; j++) {
        struct portable_curve curve = {in, (uint32_t)j, x, y, c->n_knots[j]};

        ok = portable_put_curve(g, &curve, &part[j], err);
        x += c->n_knots[j];
        y += c->n_knots[j];
    }
    join.in = part;
    ok = ok && graph_add(g, &join, &id, err) && shares_put(p, id, err);
    free(part);
    return ok;
}

/* A temperature, and of two classes a sigmoid, are a stretch of the sums where
 * there are such. */
static bool
calibration_take(struct portable *p, const struct calibration *c,
                 struct error *err)
{
    if (has_sums(p->graph) && (c->kind == CALIBRATE_TEMPERATURE ||
                               (c->kind == CALIBRATE_PLATT && c->k == 1))) {
        p->slope = p->problem == PROBLEM_BINARY ? c->slope[0] : 0;
        p->offset = c->kind == CALIBRATE_PLATT ? c->offset[0] : 0;
        sums_stretch(p, c->slope[0], p->offset);
        return true;
    }
    p->curves = calibrate_word(c->kind);
    if (c->kind == CALIBRATE_ISOTONIC)
        return isotonic_put(p, c, err);
    return c->kind == CALIBRATE_PLATT ? platt_put(p, c, err)
                                      : temperature_put(p, c, err);
}

bool
portable_finish(struct portable *p, const struct model *m, struct error *err)
{
    const struct finish *f = model_finish(m);

    if (model_offset(m))
        buf_printf(&p->notes,
                   "scores begin at 0 there: '%s' is to be added to them\n",
                   model_offset(m));
    if (!f)
        return true;
    if (f->decided)
        buf_puts(&p->notes, "labels there are the most probable class, not "
                            "what this model's threshold says\n");
    if (f->ranged)
        buf_puts(&p->notes, "ranges of answers are not written\n");
    if (!f->calibrated)
        return true;
    if (model_family(m) == &imported_family)
        return error_set(err, ERR_TYPE,
                         "an imported model with a calibration of its own has "
                         "no other format");
    return calibration_take(p, &f->calibration, err);
}
