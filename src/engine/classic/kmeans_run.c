/* engine/classic/kmeans_run.c -- seeds, turns, bounds.
 *
 * For each row an upper bound on the distance to its centre and a lower bound
 * on that to any other are kept and moved along with the centres.  A row whose
 * upper bound is under its lower bound, or under half the way from its centre
 * to the next one, stays where it is: no distance is computed.  Rows that
 * might change are gathered in panels, so that their distances to all centres
 * come from the fast kernel.
 *
 * The sums of the clusters follow the rows that changed; each chunk of rows has
 * its own differences, folded in order.  At the end they are summed anew.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/classic/kmeans_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "base/rng.h"
#include "engine/classic/block.h"

enum {
    MAX_CHUNKS = 64,
    MIN_CHUNK = 1024,       /* rows */
    MAX_PARTIAL = 64 << 20, /* bytes of the chunks' differences, at most */
    MAX_CANDIDATES = 16,
    LOOK_EVERY = 64, /* panels between looks at the stop flag */
    NONE = UINT32_MAX,
    STREAM_SEED = 0x6b6d7365
};

struct run {
    const struct kmeans_how *how;
    const struct panels *x;
    const struct block_kernels *kernels;
    size_t n, p, k, grain, n_chunks;
    double *centre, *next; /* (k, p) */
    double *sum;           /* (k, p) */
    double *count;         /* k */
    double *moved;         /* k: how far each centre went */
    double *half;          /* k: half the way to the nearest other */
    uint32_t *label;
    double *upper, *lower; /* n each */
    double *partial;       /* a chunk each: (k, p) then k */
    double *scratch;       /* a chunk each: (k, PANEL) and (p, PANEL) */
    double *value;         /* a chunk each */
    uint32_t *where;       /* a chunk each: a row */
    size_t *changed;       /* a chunk each: rows that went elsewhere */
    double most_moved, second_moved;
    size_t most_at;
    bool first; /* no row has a centre yet */
    /* seeding */
    double *nearest;   /* n: squared distance to the nearest seed */
    double *candidate; /* (MAX_CANDIDATES, p) */
    size_t n_candidates;
};

static void
run_fini(struct run *r)
{
    free(r->centre);
    free(r->next);
    free(r->sum);
    free(r->count);
    free(r->moved);
    free(r->half);
    free(r->label);
    free(r->upper);
    free(r->lower);
    free(r->partial);
    free(r->scratch);
    free(r->value);
    free(r->where);
    free(r->changed);
    free(r->nearest);
    free(r->candidate);
}

/* Chunks follow from rows, columns and k alone. */
static void
cut_rows(struct run *r)
{
    size_t each = r->k * (r->p + 1) * sizeof(double);
    size_t most = MAX_PARTIAL / each;

    most = most < 1 ? 1 : most > MAX_CHUNKS ? MAX_CHUNKS : most;
    r->grain = (r->n + most - 1) / most;
    r->grain = r->grain < MIN_CHUNK ? MIN_CHUNK : r->grain;
    r->grain = (r->grain + PANEL - 1) / PANEL * PANEL;
    r->n_chunks = pool_chunks(r->n, r->grain);
}

static bool
run_init(struct run *r, const struct kmeans_how *how, struct error *err)
{
    size_t n = how->x->n, p = how->x->p, k = how->k, c;

    *r = (struct run){.how = how,
                      .x = how->x,
                      .kernels = block_kernels(),
                      .n = n,
                      .p = p,
                      .k = k};
    cut_rows(r);
    c = r->n_chunks;
    return dense_try(&r->centre, k, p, err) && dense_try(&r->next, k, p, err) &&
           dense_try(&r->sum, k, p, err) && dense_try(&r->count, k, 1, err) &&
           dense_try(&r->moved, k, 1, err) && dense_try(&r->half, k, 1, err) &&
           dense_try(&r->upper, n, 1, err) && dense_try(&r->lower, n, 1, err) &&
           dense_try(&r->nearest, n, 1, err) &&
           dense_try(&r->candidate, MAX_CANDIDATES, p, err) &&
           dense_try(&r->partial, c, k * (p + 1), err) &&
           dense_try(&r->scratch, c,
                     PANEL * ((k > MAX_CANDIDATES ? k : MAX_CANDIDATES) + p),
                     err) &&
           dense_try(&r->value, c, MAX_CANDIDATES, err) &&
           (r->label = mem_try_array(n, sizeof *r->label, err)) &&
           (r->where = mem_try_array(c, sizeof *r->where, err)) &&
           (r->changed = mem_try_array(c, sizeof *r->changed, err));
}

static bool
stopped(const struct run *r)
{
    return progress_stopped(r->how->progress);
}

static double *
chunk_scratch(const struct run *r, size_t chunk)
{
    size_t k = r->k > MAX_CANDIDATES ? r->k : MAX_CANDIDATES;

    return r->scratch + chunk * PANEL * (k + r->p);
}

/* Squared distances of the sixteen rows of a panel to n points. */
static void
distances(const struct run *r, const double *points, size_t n,
          const double *panel, double *out)
{
    const struct block b = {.a = points,
                            .a_row = r->p,
                            .a_col = 1,
                            .n_a = n,
                            .b = panel,
                            .b_row = PANEL,
                            .n_b = PANEL,
                            .p = r->p,
                            .out = out,
                            .out_row = PANEL};

    r->kernels->distance(&b);
}

/* ---- seeds ---- */

/* What each candidate would leave: the sum over the rows of the squared
 * distance to the nearest seed. */
static void
potential_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct run *r = ctx;
    double *d = chunk_scratch(r, chunk),
           *sum = r->value + chunk * MAX_CANDIDATES;
    size_t looked = 0;

    memset(sum, 0, MAX_CANDIDATES * sizeof *sum);
    for (size_t i = begin; i < end; i += PANEL) {
        size_t m = end - i < PANEL ? end - i : PANEL;

        if (++looked % LOOK_EVERY == 0 && stopped(r))
            return;
        distances(r, r->candidate, r->n_candidates,
                  r->x->x + panels_at(r->x, i), d);
        for (size_t c = 0; c < r->n_candidates; c++)
            for (size_t v = 0; v < m; v++)
                sum[c] += fmin(d[c * PANEL + v], r->nearest[i + v]);
    }
}

/* The first candidate is a seed now. */
static void
nearest_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    const struct run *r = ctx;
    double *d = chunk_scratch(r, chunk), sum = 0;

    for (size_t i = begin; i < end; i += PANEL) {
        size_t m = end - i < PANEL ? end - i : PANEL;

        distances(r, r->candidate, 1, r->x->x + panels_at(r->x, i), d);
        for (size_t v = 0; v < m; v++) {
            r->nearest[i + v] = fmin(r->nearest[i + v], d[v]);
            sum += r->nearest[i + v];
        }
    }
    r->value[chunk * MAX_CANDIDATES] = sum;
}

/* A row drawn with a chance that goes with nearest[]; the chunks' sums are in
 * value[]. */
static size_t
draw_row(const struct run *r, double total, double unit)
{
    double goal = unit * total, below = 0;
    size_t chunk = 0, i, end;

    while (chunk + 1 < r->n_chunks &&
           below + r->value[chunk * MAX_CANDIDATES] <= goal)
        below += r->value[chunk++ * MAX_CANDIDATES];
    i = chunk * r->grain;
    end = i + r->grain < r->n ? i + r->grain : r->n;
    for (; i + 1 < end; i++) {
        below += r->nearest[i];
        if (below > goal)
            break;
    }
    return i;
}

static double
total_of(const struct run *r, size_t c)
{
    double sum = 0;

    for (size_t i = 0; i < r->n_chunks; i++)
        sum += r->value[i * MAX_CANDIDATES + c];
    return sum;
}

/* Candidate c becomes seed number `at`. */
static void
seed_take(struct run *r, size_t c, size_t at)
{
    memmove(r->candidate, r->candidate + c * r->p, r->p * sizeof *r->candidate);
    memcpy(r->centre + at * r->p, r->candidate, r->p * sizeof *r->centre);
    pool_for(r->how->pool, r->n, r->grain, nearest_chunk, r);
}

static void
seeds_choose(struct run *r, unsigned start)
{
    uint64_t seed = r->how->seed, stream = STREAM_SEED + start, draw = 0;
    size_t n_candidates = 2 + (size_t)fm_log((double)r->k);

    for (size_t i = 0; i < r->n; i++)
        r->nearest[i] = INFINITY;
    panels_row(r->x, rng_below(seed, stream, draw++, r->n), r->candidate);
    seed_take(r, 0, 0);
    for (size_t at = 1; at < r->k && !stopped(r); at++) {
        double total = total_of(r, 0), least;
        size_t best = 0;

        r->n_candidates = n_candidates;
        for (size_t c = 0; c < n_candidates; c++)
            panels_row(r->x, draw_row(r, total, rng_unit(seed, stream, draw++)),
                       r->candidate + c * r->p);
        pool_for(r->how->pool, r->n, r->grain, potential_chunk, r);
        least = total_of(r, 0);
        for (size_t c = 1; c < n_candidates; c++)
            if (total_of(r, c) < least) {
                least = total_of(r, c);
                best = c;
            }
        seed_take(r, best, at);
    }
}

/* ---- bounds ---- */

static double
point_distance(const double *a, const double *b, size_t p)
{
    double sum = 0;

    for (size_t j = 0; j < p; j++)
        sum += (a[j] - b[j]) * (a[j] - b[j]);
    return sqrt(sum);
}

static void
half_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct run *r = ctx;

    (void)chunk;
    for (size_t c = begin; c < end && !stopped(r); c++) {
        double least = INFINITY;

        for (size_t d = 0; d < r->k; d++)
            if (d != c)
                least = fmin(least, point_distance(r->centre + c * r->p,
                                                   r->centre + d * r->p, r->p));
        r->half[c] = least / 2;
    }
}

static void
moves_measure(struct run *r)
{
    r->most_moved = r->second_moved = 0;
    r->most_at = 0;
    for (size_t c = 0; c < r->k; c++) {
        double by = r->moved[c] =
            point_distance(r->centre + c * r->p, r->next + c * r->p, r->p);

        if (by > r->most_moved) {
            r->second_moved = r->most_moved;
            r->most_moved = by;
            r->most_at = c;
        } else if (by > r->second_moved) {
            r->second_moved = by;
        }
    }
}

/* ---- a turn ---- */

/* Rows of a chunk that might change, until a panel is full. */
struct waiting {
    uint32_t row[PANEL];
    size_t n;
    double *panel, *d;
    double *sum, *count; /* differences of the chunk */
    size_t changed;
};

static void
change(const struct run *r, struct waiting *w, size_t at, uint32_t to)
{
    uint32_t from = r->label[w->row[at]];
    const double *x = w->panel + at;

    if (from != NONE) {
        for (size_t j = 0; j < r->p; j++)
            w->sum[from * r->p + j] -= x[j * PANEL];
        w->count[from] -= 1;
    }
    for (size_t j = 0; j < r->p; j++)
        w->sum[to * r->p + j] += x[j * PANEL];
    w->count[to] += 1;
    r->label[w->row[at]] = to;
    w->changed++;
}

/* Nearest and second nearest centre of each of the sixteen. */
static void
waiting_settle(const struct run *r, struct waiting *w)
{
    double best[PANEL], second[PANEL];
    uint32_t at[PANEL] = {0};

    if (w->n == 0)
        return;
    distances(r, r->centre, r->k, w->panel, w->d);
    for (size_t v = 0; v < PANEL; v++) {
        best[v] = w->d[v];
        second[v] = INFINITY;
    }
    for (size_t c = 1; c < r->k; c++)
        for (size_t v = 0; v < PANEL; v++) {
            double d = w->d[c * PANEL + v];

            if (d < best[v]) {
                second[v] = best[v];
                best[v] = d;
                at[v] = (uint32_t)c;
            } else if (d < second[v]) {
                second[v] = d;
            }
        }
    for (size_t v = 0; v < w->n; v++) {
        r->upper[w->row[v]] = sqrt(best[v]);
        r->lower[w->row[v]] = sqrt(second[v]);
        if (r->label[w->row[v]] != at[v])
            change(r, w, v, at[v]);
    }
    w->n = 0;
}

static bool
stays(const struct run *r, size_t i)
{
    uint32_t c = r->label[i];
    double lower, bound, sum = 0;
    const double *x;

    if (r->first)
        return false;
    r->upper[i] += r->moved[c];
    lower = r->lower[i] -= c == r->most_at ? r->second_moved : r->most_moved;
    bound = r->half[c] > lower ? r->half[c] : lower;
    if (r->upper[i] < bound)
        return true;
    x = r->x->x + panels_at(r->x, i);
    for (size_t j = 0; j < r->p; j++) {
        double d = x[j * PANEL] - r->centre[c * r->p + j];

        sum += d * d;
    }
    r->upper[i] = sqrt(sum);
    return r->upper[i] < bound;
}

static void
assign_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct run *r = ctx;
    struct waiting w = {.sum = r->partial + chunk * r->k * (r->p + 1)};
    size_t most = r->k > MAX_CANDIDATES ? r->k : MAX_CANDIDATES;

    w.count = w.sum + r->k * r->p;
    w.d = chunk_scratch(r, chunk);
    w.panel = w.d + most * PANEL;
    memset(w.sum, 0, r->k * (r->p + 1) * sizeof *w.sum);
    for (size_t i = begin; i < end; i++) {
        const double *x = r->x->x + panels_at(r->x, i);

        if (i % (PANEL * LOOK_EVERY) == 0 && stopped(r))
            break;
        if (stays(r, i))
            continue;
        for (size_t j = 0; j < r->p; j++)
            w.panel[j * PANEL + w.n] = x[j * PANEL];
        w.row[w.n++] = (uint32_t)i;
        if (w.n == PANEL)
            waiting_settle(r, &w);
    }
    waiting_settle(r, &w);
    r->changed[chunk] = w.changed;
}

static size_t
assign(struct run *r)
{
    size_t changed = 0;

    pool_for(r->how->pool, r->n, r->grain, assign_chunk, r);
    for (size_t i = 0; i < r->n_chunks; i++) {
        const double *part = r->partial + i * r->k * (r->p + 1);

        if (r->changed[i] == 0)
            continue;
        changed += r->changed[i];
        for (size_t j = 0; j < r->k * r->p; j++)
            r->sum[j] += part[j];
        for (size_t c = 0; c < r->k; c++)
            r->count[c] += part[r->k * r->p + c];
    }
    r->first = false;
    return changed;
}

/* ---- clusters that lost their rows ---- */

static void
farthest_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct run *r = ctx;

    r->value[chunk] = -1;
    for (size_t i = begin; i < end; i++) {
        const double *x = r->x->x + panels_at(r->x, i);
        const double *c = r->centre + r->label[i] * r->p;
        double sum = 0;

        if (r->count[r->label[i]] < 2)
            continue;
        for (size_t j = 0; j < r->p; j++)
            sum += (x[j * PANEL] - c[j]) * (x[j * PANEL] - c[j]);
        if (sum > r->value[chunk]) {
            r->value[chunk] = sum;
            r->where[chunk] = (uint32_t)i;
        }
    }
}

/* Give cluster c the row that is farthest from its centre; false where all
 * rows lie on theirs. */
static bool
refill(struct run *r, size_t c)
{
    double most = 0;
    size_t row = r->n;
    const double *x;
    uint32_t from;

    pool_for(r->how->pool, r->n, r->grain, farthest_chunk, r);
    for (size_t i = 0; i < r->n_chunks; i++)
        if (r->value[i] > most) {
            most = r->value[i];
            row = r->where[i];
        }
    if (row == r->n)
        return false;
    from = r->label[row];
    x = r->x->x + panels_at(r->x, row);
    for (size_t j = 0; j < r->p; j++) {
        r->sum[from * r->p + j] -= x[j * PANEL];
        r->sum[c * r->p + j] = x[j * PANEL];
    }
    r->count[from] -= 1;
    r->count[c] = 1;
    r->label[row] = (uint32_t)c;
    r->upper[row] = 0;
    r->lower[row] = 0; /* nothing is known */
    return true;
}

/* The means of the rows; a cluster without any stays where it is. */
static void
centres_update(struct run *r, bool fill)
{
    for (size_t c = 0; c < r->k && fill; c++)
        if (r->count[c] < 0.5 && !refill(r, c))
            break;
    for (size_t c = 0; c < r->k; c++)
        for (size_t j = 0; j < r->p; j++)
            r->next[c * r->p + j] = r->count[c] < 0.5
                                        ? r->centre[c * r->p + j]
                                        : r->sum[c * r->p + j] / r->count[c];
    moves_measure(r);
    memcpy(r->centre, r->next, r->k * r->p * sizeof *r->centre);
}

/* ---- the end ---- */

static void
sums_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct run *r = ctx;
    double *sum = r->partial + chunk * r->k * (r->p + 1);
    double *count = sum + r->k * r->p;

    memset(sum, 0, r->k * (r->p + 1) * sizeof *sum);
    for (size_t i = begin; i < end; i++) {
        const double *x = r->x->x + panels_at(r->x, i);
        double *to = sum + r->label[i] * r->p;

        for (size_t j = 0; j < r->p; j++)
            to[j] += x[j * PANEL];
        count[r->label[i]] += 1;
    }
}

/* Without what rounding has left in the sums. */
static void
sums_anew(struct run *r)
{
    memset(r->sum, 0, r->k * r->p * sizeof *r->sum);
    memset(r->count, 0, r->k * sizeof *r->count);
    pool_for(r->how->pool, r->n, r->grain, sums_chunk, r);
    for (size_t i = 0; i < r->n_chunks; i++) {
        const double *part = r->partial + i * r->k * (r->p + 1);

        for (size_t j = 0; j < r->k * r->p; j++)
            r->sum[j] += part[j];
        for (size_t c = 0; c < r->k; c++)
            r->count[c] += part[r->k * r->p + c];
    }
}

static void
inertia_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct run *r = ctx;
    double sum = 0;

    for (size_t i = begin; i < end; i++) {
        const double *x = r->x->x + panels_at(r->x, i);
        const double *c = r->centre + r->label[i] * r->p;

        for (size_t j = 0; j < r->p; j++)
            sum += (x[j * PANEL] - c[j]) * (x[j * PANEL] - c[j]);
    }
    r->value[chunk] = sum;
}

static double
inertia(struct run *r)
{
    double sum = 0;

    pool_for(r->how->pool, r->n, r->grain, inertia_chunk, r);
    for (size_t i = 0; i < r->n_chunks; i++)
        sum += r->value[i];
    return sum;
}

/* Mean variance of the columns: what the tolerance is a share of. */
static double
mean_variance(struct run *r)
{
    double all = 0, n = (double)r->n;

    for (size_t j = 0; j < r->p; j++) {
        double mean = 0, squares = 0;

        for (size_t i = 0; i < r->n; i++)
            mean += r->x->x[panels_at(r->x, i) + j * PANEL];
        mean /= n;
        for (size_t i = 0; i < r->n; i++) {
            double d = r->x->x[panels_at(r->x, i) + j * PANEL] - mean;

            squares += d * d;
        }
        all += squares / n;
    }
    return all / (double)r->p;
}

/* Rows that found another centre. */
static size_t
turn_take(struct run *r)
{
    if (!r->first)
        pool_for(r->how->pool, r->k, 16, half_chunk, r);
    return assign(r);
}

/* Centres and labels as they end.  Where the rows rest, the centres are their
 * means, without what rounding has left in the sums; else the rows go to the
 * centres that the last turn has left. */
static void
settle(struct run *r, bool rests)
{
    if (!rests) {
        turn_take(r);
        return;
    }
    sums_anew(r);
    centres_update(r, false);
}

/* From the seeds until the centres rest.  *turns: 0 when it was stopped before
 * the first turn was done. */
static void
start_run(struct run *r, unsigned start, double rest, unsigned *turns)
{
    *turns = 0;
    r->first = true;
    memset(r->sum, 0, r->k * r->p * sizeof *r->sum);
    memset(r->count, 0, r->k * sizeof *r->count);
    memset(r->label, 0xff, r->n * sizeof *r->label);
    seeds_choose(r, start);
    for (unsigned turn = 1; turn <= r->how->max_iter && !stopped(r); turn++) {
        size_t changed;
        double moved = 0;

        changed = turn_take(r);
        if (stopped(r))
            break;
        *turns = turn;
        if (changed == 0) {
            settle(r, true);
            return;
        }
        centres_update(r, true);
        for (size_t c = 0; c < r->k; c++)
            moved += r->moved[c] * r->moved[c];
        if (moved <= rest)
            break;
    }
    /* Stopped, the centres are the means of the rows that the last turn gave
     * them. */
    if (*turns && !stopped(r))
        settle(r, false);
}

/* What was found in place of *out, without clusters that have no row. */
static bool
found_take(struct run *r, double value, unsigned turns,
           struct kmeans_found *out, struct error *err)
{
    struct kmeans_found f = {.inertia = value, .turns = turns};
    uint32_t *map = mem_try_array(r->k, sizeof *map, err);

    if (!map || !dense_try(&f.centre, r->k, r->p, err) ||
        !dense_try(&f.size, r->k, 1, err) ||
        !(f.label = mem_try_array(r->n, sizeof *f.label, err))) {
        free(map);
        kmeans_found_fini(&f);
        return false;
    }
    for (size_t c = 0; c < r->k; c++)
        if (r->count[c] > 0.5) {
            memcpy(f.centre + f.k * r->p, r->centre + c * r->p,
                   r->p * sizeof *f.centre);
            f.size[f.k] = r->count[c];
            map[c] = (uint32_t)f.k++;
        }
    for (size_t i = 0; i < r->n; i++)
        f.label[i] = map[r->label[i]];
    free(map);
    kmeans_found_fini(out);
    *out = f;
    return true;
}

bool
kmeans_run(const struct kmeans_how *how, struct kmeans_found *out,
           struct error *err)
{
    struct run r;
    double rest;
    bool ok = run_init(&r, how, err);

    *out = (struct kmeans_found){0};
    rest = ok && how->tolerance > 0 ? how->tolerance * mean_variance(&r) : 0;
    for (unsigned start = 0; ok && start < how->starts; start++) {
        unsigned turns;
        double value;

        start_run(&r, start, rest, &turns);
        if (turns == 0 || (stopped(&r) && out->k))
            break;
        if (how->progress)
            progress_add(how->progress, 1);
        value = inertia(&r);
        if (out->k == 0 || value < out->inertia)
            ok = found_take(&r, value, turns, out, err);
    }
    if (ok && out->k == 0)
        ok = progress_check(how->progress, err);
    run_fini(&r);
    if (!ok)
        kmeans_found_fini(out);
    return ok;
}

void
kmeans_found_fini(struct kmeans_found *f)
{
    free(f->centre);
    free(f->size);
    free(f->label);
    *f = (struct kmeans_found){0};
}
