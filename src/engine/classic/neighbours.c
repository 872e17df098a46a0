/* engine/classic/neighbours.c -- k-d tree and brute force.
 *
 * Both end in the same comparison: squared distances of rows to a panel of
 * sixteen, by the same kernel.  So what they find is equal to the bit.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/neighbours.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { LEAF = 2 }; /* panels of a leaf, at most */
/* A cell may be nearer than its bound by what rounding adds to it. */
#define SLACK (1 + 1e-9)

static size_t
n_panels(const struct panels *x)
{
    return (x->n + PANEL - 1) / PANEL;
}

size_t
neighbours_nodes(size_t n)
{
    size_t panels = (n + PANEL - 1) / PANEL, nodes = 1;

    /* A node's halves differ by one panel, so that the longest path goes with
     * the rounded-up halves. */
    while (panels > LEAF) {
        panels = (panels + 1) / 2;
        nodes *= 2;
    }
    return nodes;
}

/* ---- building ---- */

struct building {
    struct neighbours *t;
    const struct panels *from;
    struct progress *progress;
};

static double
value_at(const struct building *b, size_t at, size_t column)
{
    return b->from->x[panels_at(b->from, b->t->id[at]) + column * PANEL];
}

static size_t
widest_column(const struct building *b, size_t begin, size_t end)
{
    double most = -1;
    size_t best = 0;

    for (size_t j = 0; j < b->from->p; j++) {
        double low = INFINITY, high = -INFINITY;

        for (size_t i = begin; i < end; i++) {
            double v = value_at(b, i, j);

            low = v < low ? v : low;
            high = v > high ? v : high;
        }
        if (high - low > most) {
            most = high - low;
            best = j;
        }
    }
    return best;
}

static bool
comes_before(uint32_t x, double v, uint32_t y, double w)
{
    return v < w || (v == w && x < y);
}

static void
swap_ids(uint32_t *id, size_t i, size_t j)
{
    uint32_t keep = id[i];

    id[i] = id[j];
    id[j] = keep;
}

/* Hoare's selection: id[k] is where sorting would put it, less before it and
 * more behind.  The order is total: value, then row. */
static void
select_row(const struct building *b, size_t column, size_t begin, size_t end,
           size_t k)
{
    uint32_t *id = b->t->id;

    while (end - begin > 1) {
        size_t mid = begin + (end - begin) / 2, i = begin, j = end - 1;
        uint32_t pivot = id[mid];
        double w = value_at(b, mid, column);

        for (;;) {
            while (comes_before(id[i], value_at(b, i, column), pivot, w))
                i++;
            while (comes_before(pivot, w, id[j], value_at(b, j, column)))
                j--;
            if (i >= j)
                break;
            swap_ids(id, i++, j--);
        }
        /* begin..i-1 are not more than the pivot, j+1.. not less; what is
         * between stands where it belongs. */
        if (k >= i + (i == j))
            begin = i + (i == j);
        else if (k + (i == j) > j)
            return;
        else
            end = j + 1 - (i == j);
    }
}

static bool
build_node(const struct building *b, size_t node, size_t begin, size_t end,
           struct error *err)
{
    size_t panels = (end - begin + PANEL - 1) / PANEL, mid;

    if (panels <= LEAF)
        return true;
    if (b->progress && !progress_check(b->progress, err))
        return false;
    mid = begin + (panels + 1) / 2 * PANEL;
    b->t->column[node] = (uint32_t)widest_column(b, begin, end);
    select_row(b, b->t->column[node], begin, end, mid);
    b->t->cut[node] = value_at(b, mid, b->t->column[node]);
    return build_node(b, 2 * node, begin, mid, err) &&
           build_node(b, 2 * node + 1, mid, end, err);
}

static void
put_in_order(struct panels *to, const struct panels *from, const uint32_t *id)
{
    for (size_t i = 0; i < from->n; i++) {
        const double *x = from->x + panels_at(from, id[i]);
        double *y = to->x + panels_at(to, i);

        for (size_t j = 0; j < from->p; j++)
            y[j * PANEL] = x[j * PANEL];
    }
}

bool
neighbours_build(struct neighbours *t, struct panels *x, bool tree,
                 struct progress *progress, struct error *err)
{
    struct building b = {t, x, progress};
    size_t n = x->n, nodes = tree ? neighbours_nodes(n) : 0;
    bool ok;

    *t = (struct neighbours){.kernels = block_kernels()};
    if (!(t->id = mem_try_array(n, sizeof *t->id, err)))
        return false;
    for (size_t i = 0; i < n; i++)
        t->id[i] = (uint32_t)i;
    if (!tree) {
        t->x = *x;
        *x = (struct panels){0};
        return true;
    }
    ok = (t->column = mem_try_array(nodes, sizeof *t->column, err)) &&
         dense_try(&t->cut, nodes, 1, err) && build_node(&b, 1, 0, n, err) &&
         (t->x.x =
              mem_try_aligned(n_panels(x) * PANEL * x->p, sizeof *t->x.x, err));
    if (!ok) {
        neighbours_fini(t);
        return false;
    }
    t->n_nodes = nodes;
    t->x.n = n;
    t->x.p = x->p;
    put_in_order(&t->x, x, t->id);
    panels_fini(x);
    return true;
}

void
neighbours_fini(struct neighbours *t)
{
    panels_fini(&t->x);
    free(t->id);
    free(t->column);
    free(t->cut);
    *t = (struct neighbours){0};
}

/* ---- searching ---- */

/* A heap with the farthest on top; of equal distances the later row is
 * farther. */
static bool
is_farther(const struct neighbour *a, const struct neighbour *b)
{
    return a->distance > b->distance ||
           (a->distance == b->distance && a->id > b->id);
}

static void
sift_down(struct neighbour *heap, size_t n, size_t i)
{
    for (;;) {
        size_t c = 2 * i + 1;
        struct neighbour keep = heap[i];

        if (c >= n)
            return;
        if (c + 1 < n && is_farther(&heap[c + 1], &heap[c]))
            c++;
        if (!is_farther(&heap[c], &keep))
            return;
        heap[i] = heap[c];
        heap[c] = keep;
        i = c;
    }
}

struct search {
    const struct neighbours *t;
    const struct pool *pool; /* that may be stopped */
    const double *q;         /* the panel of the rows asked about */
    size_t k;
    struct neighbour *heap;
    double *d; /* (PANEL, PANEL) */
    /* of one row: */
    double *off; /* p: how far the cell is off in each column */
    size_t row;
};

static void
offer(struct neighbour *heap, size_t k, const struct neighbour *found)
{
    if (!is_farther(&heap[0], found))
        return;
    heap[0] = *found;
    sift_down(heap, k, 0);
}

/* Distances of n rows of q, from the first on, to the rows of a panel. */
static void
panel_distances(const struct search *s, size_t first, size_t n, size_t panel)
{
    const struct panels *x = &s->t->x;

    s->t->kernels->distance(&(struct block){.a = s->q + first,
                                            .a_row = 1,
                                            .a_col = PANEL,
                                            .n_a = n,
                                            .b = x->x + panel * PANEL * x->p,
                                            .b_row = PANEL,
                                            .n_b = PANEL,
                                            .p = x->p,
                                            .out = s->d,
                                            .out_row = PANEL});
}

static void
offer_panel(const struct search *s, const double *d, size_t panel,
            struct neighbour *heap)
{
    size_t first = panel * PANEL;
    size_t m = s->t->x.n - first < PANEL ? s->t->x.n - first : PANEL;

    for (size_t v = 0; v < m; v++)
        if (d[v] <= heap[0].distance)
            offer(heap, s->k,
                  &(struct neighbour){d[v], s->t->id[first + v],
                                      (uint32_t)(first + v)});
}

static void
search_all(struct search *s, size_t n)
{
    size_t all = n_panels(&s->t->x);

    for (size_t panel = 0; panel < all && !pool_stopped(s->pool); panel++) {
        panel_distances(s, 0, n, panel);
        for (size_t i = 0; i < n; i++)
            offer_panel(s, s->d + i * PANEL, panel, s->heap + i * s->k);
    }
}

/* bound: squared distance to the node's cell. */
static void
search_node(struct search *s, size_t node, size_t begin, size_t end,
            double bound)
{
    size_t panels = (end - begin + PANEL - 1) / PANEL, mid, column;
    struct neighbour *heap = s->heap + s->row * s->k;
    double by, was, beyond;
    bool right;

    if (bound > heap[0].distance * SLACK)
        return;
    if (panels <= LEAF) {
        for (size_t i = 0; i < panels; i++) {
            panel_distances(s, s->row, 1, begin / PANEL + i);
            offer_panel(s, s->d, begin / PANEL + i, heap);
        }
        return;
    }
    mid = begin + (panels + 1) / 2 * PANEL;
    column = s->t->column[node];
    by = s->q[column * PANEL + s->row] - s->t->cut[node];
    right = by >= 0;
    if (right)
        search_node(s, 2 * node + 1, mid, end, bound);
    else
        search_node(s, 2 * node, begin, mid, bound);
    was = s->off[column];
    beyond = bound - was * was + by * by;
    s->off[column] = by;
    if (right)
        search_node(s, 2 * node, begin, mid, beyond);
    else
        search_node(s, 2 * node + 1, mid, end, beyond);
    s->off[column] = was;
}

size_t
neighbours_scratch(const struct neighbours *t)
{
    return PANEL * PANEL + t->x.p;
}

static int
by_distance(const void *a, const void *b)
{
    const struct neighbour *x = a, *y = b;

    return is_farther(x, y) ? 1 : is_farther(y, x) ? -1 : 0;
}

void
neighbours_find(const struct neighbours *t, const struct pool *pool,
                const double *q, size_t n, size_t k, double *scratch,
                struct neighbour *out)
{
    struct search s = {t, pool, q, k, out, scratch, scratch + PANEL * PANEL, 0};

    for (size_t i = 0; i < n * k; i++)
        out[i] = (struct neighbour){INFINITY, UINT32_MAX, 0};
    if (t->n_nodes == 0)
        search_all(&s, n);
    for (s.row = 0; s.row < n && t->n_nodes && !pool_stopped(pool); s.row++) {
        memset(s.off, 0, t->x.p * sizeof *s.off);
        search_node(&s, 1, 0, t->x.n, 0);
    }
    for (size_t i = 0; i < n; i++)
        qsort(out + i * k, k, sizeof *out, by_distance);
}
