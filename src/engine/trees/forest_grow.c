/* engine/trees/forest_grow.c -- grow one tree of a random forest.
 *
 * Sums are floating, but by one thread in the order of the rows, which parting
 * keeps: the same bits however many trees grow side by side.  What was counted
 * of a column is found again by a bitmap of the codes that occur, so that a
 * node of a few rows costs no walk over all bins.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/forest_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static unsigned
lowest_bit(uint64_t x)
{
    return (unsigned)__builtin_ctzll(x);
}

/* ---- sums ---- */

static void
side_add(struct side *s, const struct column_sums *c, size_t code, size_t k)
{
    s->n += c->n[code];
    s->weight += c->weight[code];
    for (size_t i = 0; i < k; i++)
        s->sum[i] += c->sum[code * k + i];
}

void
forest_side_clear(struct side *s, size_t k)
{
    s->n = s->weight = 0;
    for (size_t i = 0; i < k; i++)
        s->sum[i] = 0;
}

static void
count_all(struct growth *g, const struct item *it)
{
    size_t k = g->r->k;

    forest_side_clear(&g->all, k);
    g->all.n = (double)it->n;
    for (size_t i = it->begin; i < it->begin + it->n; i++) {
        const struct forest_row *r = &g->rows[i];
        double w = (double)r->weight;

        g->all.weight += w;
        if (k == 1)
            g->all.sum[0] += w * r->y;
        else
            g->all.sum[(size_t)r->y] += w;
    }
}

void
forest_count_column(struct growth *g, const struct item *it, size_t slot)
{
    const uint8_t *code = g->b->col + slot * g->b->n_rows;
    struct column_sums *c = &g->c;
    size_t k = g->r->k;

    for (size_t w = 0; w < WORDS; w++)
        for (uint64_t bits = c->seen[w]; bits; bits &= bits - 1) {
            size_t at = w * 64 + lowest_bit(bits);

            c->n[at] = 0;
            c->weight[at] = 0;
            for (size_t i = 0; i < k; i++)
                c->sum[at * k + i] = 0;
        }
    memset(c->seen, 0, sizeof c->seen);
    for (size_t i = it->begin; i < it->begin + it->n; i++) {
        const struct forest_row *r = &g->rows[i];
        size_t at = code[r->row];
        double w = (double)r->weight;

        c->n[at]++;
        c->weight[at] += w;
        if (k == 1)
            c->sum[at] += w * r->y;
        else
            c->sum[at * k + (size_t)r->y] += w;
    }
    if (it->n < FEW_ROWS)
        for (size_t i = it->begin; i < it->begin + it->n; i++) {
            size_t at = code[g->rows[i].row];

            c->seen[at / 64] |= UINT64_C(1) << (at % 64);
        }
    else
        for (size_t at = 0; at < CODES; at++)
            c->seen[at / 64] |= (uint64_t)(c->n[at] > 0) << (at % 64);
}

/* ---- gains ---- */

static double
parent_score(const struct growth *g)
{
    double s = 0;

    for (size_t i = 0; i < g->r->k; i++)
        s += g->all.sum[i] * g->all.sum[i];
    return s / g->all.weight;
}

/* ---- numbers ---- */

void
forest_keep_cut(struct growth *g, size_t slot, size_t code, bool missing_left,
                size_t missing, struct best *best)
{
    struct tree_split *t = &best->split;

    /* Nothing to learn from: values missing later go with the larger side. */
    if (missing == 0)
        missing_left = 2 * g->left.n >= g->all.n;
    t->slot = (uint32_t)slot;
    t->code = (uint16_t)code;
    t->missing_left = missing_left;
    if (slot >= g->b->n_narrow)
        return;
    for (size_t w = 0; w < WORDS; w++) {
        size_t n = code + 1 > 64 * w ? code + 1 - 64 * w : 0; /* of its bits */

        t->set[w] = n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
    }
    t->set[0] = (t->set[0] & ~UINT64_C(1)) | missing_left;
}

/* Codes that occur, but for the missing, ascending; how many. */
size_t
forest_list_codes(struct growth *g)
{
    size_t n = 0;

    for (size_t w = 0; w < WORDS; w++)
        for (uint64_t bits = g->c.seen[w]; bits; bits &= bits - 1)
            if (w * 64 + lowest_bit(bits) > 0)
                g->order[n++] = (uint8_t)(w * 64 + lowest_bit(bits));
    return n;
}

/* Every cut between codes that occur, the missing on one side. */
static void
scan_cuts(struct growth *g, size_t slot, size_t n, bool missing_left,
          double parent, struct best *best)
{
    size_t k = g->r->k;

    forest_side_clear(&g->left, k);
    if (missing_left) {
        side_add(&g->left, &g->c, 0, k);
        if (forest_consider(g, parent, best))
            forest_keep_cut(g, slot, 0, true, g->c.n[0], best);
    }
    for (size_t i = 0; i + 1 < n; i++) {
        size_t code = g->order[i], next = g->order[i + 1];

        side_add(&g->left, &g->c, code, k);
        if (forest_consider(g, parent, best))
            forest_keep_cut(g, slot, code + (next - code - 1) / 2, missing_left,
                            g->c.n[0], best);
    }
    if (missing_left || n == 0)
        return;
    /* All there are against the missing. */
    side_add(&g->left, &g->c, g->order[n - 1], k);
    if (g->c.n[0] > 0 && forest_consider(g, parent, best))
        forest_keep_cut(g, slot, g->b->slot[slot].n_bins, false, g->c.n[0],
                        best);
}

static void
split_number(struct growth *g, size_t slot, double parent, struct best *best)
{
    size_t n = forest_list_codes(g);
    bool missing = g->c.n[0] > 0;

    scan_cuts(g, slot, n, false, parent, best);
    if (missing)
        scan_cuts(g, slot, n, true, parent, best);
}

/* ---- categories ---- */

/* Codes before `n_left` go left; those that do not occur with the larger
 * side. */
static void
keep_set(struct growth *g, size_t slot, size_t n, size_t n_left,
         struct best *best)
{
    struct tree_split *t = &best->split;
    uint64_t left[WORDS] = {0}, right[WORDS] = {0};
    bool rest_left = 2 * g->left.n >= g->all.n;

    for (size_t i = 0; i < n; i++)
        (i < n_left ? left : right)[g->order[i] / 64] |= UINT64_C(1)
                                                         << (g->order[i] % 64);
    for (size_t w = 0; w < WORDS; w++)
        t->set[w] = rest_left ? ~right[w] : left[w];
    t->slot = (uint32_t)slot;
    t->code = 0;
    t->missing_left = t->set[0] & 1;
}

/* The codes by key, ties by code; they are few. */
void
forest_sort_codes(struct growth *g, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        uint8_t code = g->order[i];
        size_t j = i;

        for (; j > 0 && (g->key[g->order[j - 1]] > g->key[code] ||
                         (g->key[g->order[j - 1]] == g->key[code] &&
                          g->order[j - 1] > code));
             j--)
            g->order[j] = g->order[j - 1];
        g->order[j] = code;
    }
}

/* In the order of the mean, or of the share of the most frequent class, where
 * the best set is a prefix (of two classes; a good one of more). */
static void
split_category(struct growth *g, size_t slot, double parent, struct best *best)
{
    size_t k = g->r->k, n = forest_list_codes(g), top = 0, n_left = 0;

    if (g->c.n[0] > 0)
        g->order[n++] = 0;
    if (n < 2)
        return;
    for (size_t i = 1; i < k; i++)
        if (g->all.sum[i] > g->all.sum[top])
            top = i;
    for (size_t i = 0; i < n; i++) {
        size_t code = g->order[i];

        g->key[code] = g->r->extra
                           ? (double)forest_draw(g, 1u << 30)
                           : g->c.sum[code * k + top] / g->c.weight[code];
    }
    forest_sort_codes(g, n);
    if (g->r->extra)
        n_left = 1 + forest_draw(g, n - 1);
    forest_side_clear(&g->left, k);
    for (size_t i = 0; i + 1 < n; i++) {
        side_add(&g->left, &g->c, g->order[i], k);
        if ((n_left == 0 || n_left == i + 1) &&
            forest_consider(g, parent, best))
            keep_set(g, slot, n, i + 1, best);
    }
}

/* ---- a node ---- */

static bool
is_constant(const struct growth *g)
{
    size_t n = 0;

    for (size_t w = 0; w < WORDS; w++)
        n += (size_t)__builtin_popcountll(g->c.seen[w]);
    return n < 2;
}

static bool
is_pure(const struct growth *g, const struct item *it)
{
    double y = g->rows[it->begin].y;

    for (size_t i = it->begin + 1; i < it->begin + it->n; i++)
        if (g->rows[i].y != y)
            return false;
    return true;
}

/* Look at a column; false when it is constant. */
static bool
try_slot(struct growth *g, const struct item *it, size_t slot, double parent,
         struct best *best)
{
    if (g->r->extra && (g->rank || !g->b->slot[slot].category))
        return forest_draw_cut(g, it, slot, parent, best);
    forest_count_column(g, it, slot);
    if (is_constant(g))
        return false;
    if (g->b->slot[slot].category)
        split_category(g, slot, parent, best);
    else
        split_number(g, slot, parent, best);
    return true;
}

/* The best split among columns drawn: as many as the rule says, and on until
 * one of them is not constant. */
static void
find_split(struct growth *g, const struct item *it, struct best *best)
{
    size_t n = g->b->n_slots, constant = 0;
    double parent;

    best->gain = 0;
    if (it->n < 2 * g->r->min_rows || it->n < 2 || is_pure(g, it) ||
        (g->r->max_depth > 0 && it->depth >= g->r->max_depth))
        return;
    count_all(g, it);
    parent = parent_score(g);
    for (size_t i = 0; i < n && (i < g->r->features || i == constant); i++) {
        size_t at = i + forest_draw(g, n - i);
        uint32_t slot = g->slot[at];

        g->slot[at] = g->slot[i];
        g->slot[i] = slot;
        constant += !try_slot(g, it, slot, parent, best);
    }
}

/* Does a row go left at a split? */
static bool
row_goes_left(const struct binned *b, const struct tree_split *s, size_t code)
{
    if (s->slot >= b->n_narrow)
        return forest_goes_left(forest_cut_of(s->code, s->missing_left),
                                (uint32_t)code);
    return s->set[code / 64] >> (code % 64) & 1;
}

/* Part the rows of an item, keeping their order; how many go left. */
static size_t
part_rows(struct growth *g, const struct item *it, const struct tree_split *s)
{
    const uint8_t *narrow = g->b->col + s->slot * g->b->n_rows;
    const uint16_t *code =
        s->slot < g->b->n_narrow ? NULL : binned_long(g->b, s->slot);
    struct forest_row *rows = g->rows + it->begin;
    size_t left = 0, right = 0;

    for (size_t i = 0; i < it->n; i++) {
        const struct forest_row r = rows[i];
        bool goes = row_goes_left(g->b, s, code ? code[r.row] : narrow[r.row]);

        /* To both, since a branch would be guessed wrong half the time. */
        rows[left] = g->scratch[right] = r;
        left += goes;
        right += !goes;
    }
    memcpy(rows + left, g->scratch, right * sizeof *rows);
    return left;
}

static void
link_child(struct forest_tree *t, const struct item *it, int16_t child)
{
    if (it->parent >= 0)
        (it->is_left ? t->left : t->right)[it->parent] = child;
}

static void
add_leaf(struct growth *g, const struct item *it)
{
    struct forest_tree *t = g->out;

    count_all(g, it);
    link_child(t, it, (int16_t)~t->n_leaves);
    for (size_t i = 0; i < g->r->k; i++)
        t->value[i * g->cap + t->n_leaves] =
            (float)(g->all.sum[i] / g->all.weight);
    t->cover[t->n_leaves++] = (uint32_t)it->n;
}

static void
add_node(struct growth *g, const struct item *it, const struct tree_split *s)
{
    struct forest_tree *t = g->out;
    size_t n_left = part_rows(g, it, s);
    int32_t id = (int32_t)t->n_nodes;

    link_child(t, it, (int16_t)id);
    t->split[t->n_nodes++] = *s;
    g->queue[g->tail++] =
        (struct item){it->begin, n_left, it->depth + 1, id, true};
    g->queue[g->tail++] = (struct item){it->begin + n_left, it->n - n_left,
                                        it->depth + 1, id, false};
}

/* ---- a tree ---- */

static bool
growth_init(struct growth *g, size_t n, struct error *err)
{
    size_t k = g->r->k, leaves = n < g->r->leaves ? n : g->r->leaves;
    struct forest_tree *t = g->out;

    g->cap = leaves;
    g->scratch = mem_try_array(n, sizeof *g->scratch, err);
    g->queue = mem_try_array(2 * leaves, sizeof *g->queue, err);
    g->slot = mem_try_array(g->b->n_slots, sizeof *g->slot, err);
    g->c.sum = mem_try_array(CODES * k, sizeof *g->c.sum, err);
    g->all.sum = mem_try_array(2 * k, sizeof *g->all.sum, err);
    g->key = mem_try_array(CODES, sizeof *g->key, err);
    g->code = mem_try_array(n, sizeof *g->code, err);
    t->split = mem_try_array(leaves, sizeof *t->split, err);
    t->left = mem_try_array(leaves, sizeof *t->left, err);
    t->right = mem_try_array(leaves, sizeof *t->right, err);
    t->value = mem_try_array(leaves * k, sizeof *t->value, err);
    t->cover = mem_try_array(leaves, sizeof *t->cover, err);
    if (!g->scratch || !g->queue || !g->slot || !g->c.sum || !g->all.sum ||
        !g->key || !g->code || !t->split || !t->left || !t->right ||
        !t->value || !t->cover)
        return false;
    g->left.sum = g->all.sum + k;
    for (size_t s = 0; s < g->b->n_slots; s++)
        g->slot[s] = (uint32_t)s;
    return true;
}

static void
growth_fini(struct growth *g)
{
    free(g->scratch);
    free(g->queue);
    free(g->slot);
    free(g->c.sum);
    free(g->all.sum);
    free(g->key);
    free(g->code);
    free(g->rank);
    free(g->rank_at);
}

/* Values of leaves one plane after another, without the room between. */
static void
close_planes(const struct growth *g)
{
    struct forest_tree *t = g->out;

    for (size_t i = 1; i < g->r->k; i++)
        memmove(t->value + i * t->n_leaves, t->value + i * g->cap,
                t->n_leaves * sizeof *t->value);
}

static bool
run(struct growth *g, size_t n, struct error *err)
{
    struct best best;

    g->queue[g->tail++] = (struct item){0, n, 0, -1, false};
    while (g->head < g->tail) {
        const struct item it = g->queue[g->head++];
        /* Leaves that there would be if none of those that wait is split. */
        size_t leaves = g->out->n_leaves + (g->tail - g->head) + 1;

        if (!progress_check(g->progress, err))
            return false;
        best.gain = 0;
        if (leaves < g->cap)
            find_split(g, &it, &best);
        if (best.gain > 0)
            add_node(g, &it, &best.split);
        else
            add_leaf(g, &it);
    }
    close_planes(g);
    return true;
}

bool
forest_grow(const struct binned *b, const struct forest_rule *r, size_t tree,
            struct forest_row *rows, size_t n, struct progress *progress,
            struct forest_tree *out, struct error *err)
{
    struct growth g = {.b = b,
                       .r = r,
                       .kernels = forest_choose(),
                       .progress = progress,
                       .stream = STREAM_NODES + ((uint64_t)tree << 32),
                       .rows = rows,
                       .out = out};
    bool ok;

    *out = (struct forest_tree){0};
    ok = growth_init(&g, n, err) && forest_rank_levels(&g, n, err) &&
         run(&g, n, err);
    growth_fini(&g);
    if (!ok)
        forest_tree_fini(out);
    return ok;
}

void
forest_tree_fini(struct forest_tree *t)
{
    free(t->split);
    free(t->left);
    free(t->right);
    free(t->value);
    free(t->cover);
    *t = (struct forest_tree){0};
}

size_t
forest_leaf(const struct forest_tree *t, const struct binned *b, size_t row)
{
    const uint8_t *narrow = binned_row(b, row);
    int32_t at = t->n_nodes ? 0 : ~0;

    while (at >= 0) {
        const struct tree_split *s = &t->split[at];
        size_t code = s->slot < b->n_narrow ? narrow[s->slot]
                                            : binned_long(b, s->slot)[row];

        at = row_goes_left(b, s, code) ? t->left[at] : t->right[at];
    }
    return (size_t)~at;
}
