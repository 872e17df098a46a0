/* engine/trees/split.c -- the best split of one slot of a histogram.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/trees/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEW_LEVELS = 4, NOISY_LEVELS = 32 };

/* Gains below this share of the sum they are a difference of are rounding. */
static const double NOISE = 1e-10;

static double
square_over(double g, double h, double l1, double l2)
{
    double t = fabs(g) - l1;

    t = t > 0 ? t : 0;
    return h + l2 > 0 ? t * t / (h + l2) : 0;
}

/* One division for both children: gains are compared, so that the same form
 * everywhere matters more than the last bit. */
static struct split_peak
scan_plain(const struct split_scan *s)
{
    struct split_peak peak = {-1, s->first};

    for (size_t i = s->first; i <= s->last; i++) {
        double gl = s->g[i] + s->add_g, hl = s->h[i] + s->add_h;
        double a = fabs(gl) - s->l1, b = fabs(s->total_g - gl) - s->l1;
        double p = hl + s->l2, q = (s->total_h - hl) + s->l2;

        a = a > 0 ? a : 0;
        b = b > 0 ? b : 0;

        double v = (a * a * q + b * b * p) / (p * q);

        if (v > peak.value)
            peak = (struct split_peak){v, i};
    }
    return peak;
}

static void
sum_plain(const int64_t *hist, size_t n, const struct hist_scale *scale,
          double *g, double *h)
{
    int64_t packed = 0;

    for (size_t k = 0; k < n; k++) {
        packed += hist[k];
        g[k] = (double)hist_g(packed) * scale->g_unit;
        h[k] = (double)hist_h(packed) * scale->h_unit;
    }
}

const struct split_kernels split_plain = {scan_plain, sum_plain};

const struct split_kernels *
split_choose(void)
{
    if (cpu_has_avx512())
        return &split_avx512;
    return cpu_has_avx2() ? &split_avx2 : &split_plain;
}

double
split_value(const struct split_rule *r, double g, double h, double low,
            double high)
{
    double t = fabs(g) - r->l1, d = h + r->l2, v = 0;

    if (t > 0 && d > 0)
        v = (g > 0 ? -t : t) / d;
    return fmin(fmax(v, low), high);
}

/* ---- what both kinds share ---- */

struct context {
    const struct binned_slot *slot;
    uint32_t slot_number;
    const struct split_leaf *leaf;
    const struct hist_scale *scale;
    const struct split_rule *rule;
    const struct split_kernels *kernels;
    struct split_level *level; /* of a long category */
    double total_g, total_h;   /* in units of the loss */
    double least_h;            /* of a child, by hessian and by rows */
    double parent;             /* its own term */
    int trend;                 /* of the slot */
    bool bounded;              /* by a trend, of this slot or one above */
    struct split_found *best;
};

/* Where its bins begin in the histogram. */
static size_t
first_bin(const struct context *c)
{
    return c->slot->first - c->leaf->first;
}

static int64_t
bin_g(const struct context *c, size_t code)
{
    size_t i = first_bin(c) + code;

    return c->leaf->wide ? c->leaf->hist[2 * i] : hist_g(c->leaf->hist[i]);
}

static int64_t
bin_h(const struct context *c, size_t code)
{
    size_t i = first_bin(c) + code;

    return c->leaf->wide ? c->leaf->hist[2 * i + 1] : hist_h(c->leaf->hist[i]);
}

/* Rows of one code: counted, or estimated by its share of the hessian. */
static double
bin_rows(const struct context *c, size_t code)
{
    if (c->leaf->counts)
        return c->leaf->counts[first_bin(c) + code];
    return (double)bin_h(c, code) * (double)c->leaf->n_rows /
           (double)c->leaf->h;
}

/* What a leaf of these sums takes off the loss, twice: with the best value
 * T(G)^2/(H + l2), with the nearest within bounds less. */
static double
term_of(const struct context *c, double g, double h, double l2)
{
    struct split_rule rule = *c->rule;
    double w;

    if (!c->bounded)
        return square_over(g, h, rule.l1, l2);
    rule.l2 = l2;
    w = split_value(&rule, g, h, c->leaf->low, c->leaf->high);
    return -(2 * g * w + (h + l2) * w * w + 2 * rule.l1 * fabs(w));
}

/* The gain of a peak over no split, 0 when it is noise. */
static double
gain_of(const struct context *c, double peak, double parent)
{
    double gain = 0.5 * (peak - parent);

    return gain > NOISE * peak ? gain - c->rule->gamma : 0;
}

/* ---- numbers ---- */

struct sums {
    double g[BINNED_WIDE], h[BINNED_WIDE]; /* of codes 1..k, in loss units */
    double rows[BINNED_WIDE];              /* only with counts */
    size_t base;          /* of a long slot: k counts from it */
    size_t last;          /* cut that may be */
    int64_t sum_g, sum_h; /* of codes 1..base + last + 1 */
};

static void
add_up(const struct context *c, struct sums *s)
{
    int64_t g = 0, h = 0;
    double g_unit = c->scale->g_unit, h_unit = c->scale->h_unit;
    size_t n = c->slot->n_bins;

    s->base = 0;
    s->last = n - 1;
    s->g[0] = s->h[0] = 0;
    if (c->leaf->wide) {
        const int64_t *hist = c->leaf->hist + 2 * first_bin(c);

        for (size_t k = 1; k <= n; k++) {
            g += hist[2 * k];
            h += hist[2 * k + 1];
            s->g[k] = (double)g * g_unit;
            s->h[k] = (double)h * h_unit;
        }
        return;
    }

    c->kernels->sum(c->leaf->hist + first_bin(c) + 1, n, c->scale, s->g + 1,
                    s->h + 1);
}

static void
count_up(const struct context *c, struct sums *s)
{
    s->rows[0] = 0;
    for (size_t k = 1; k <= c->slot->n_bins; k++)
        s->rows[k] = s->rows[k - 1] + bin_rows(c, k);
}

/* Is the left side, codes 1..k and maybe the missing, large enough? */
static bool
left_is_enough(const struct context *c, const struct sums *s, size_t k,
               const struct split_scan *scan, double missing_rows)
{
    return s->h[k] + scan->add_h >= c->least_h &&
           (!c->leaf->counts || s->rows[k] + missing_rows >= c->rule->min_rows);
}

static bool
right_is_enough(const struct context *c, const struct sums *s, size_t k,
                const struct split_scan *scan, double missing_rows)
{
    return c->total_h - (s->h[k] + scan->add_h) >= c->least_h &&
           (!c->leaf->counts ||
            (double)c->leaf->n_rows - (s->rows[k] + missing_rows) >=
                c->rule->min_rows);
}

/* As kernels->scan() where values are bounded: candidates whose sides would go
 * against the trend are none. */
static struct split_peak
scan_bounded(const struct context *c, const struct split_scan *s)
{
    struct split_peak peak = {-INFINITY, s->first};
    const struct split_leaf *l = c->leaf;

    for (size_t i = s->first; i <= s->last; i++) {
        double gl = s->g[i] + s->add_g, hl = s->h[i] + s->add_h;
        double gr = s->total_g - gl, hr = s->total_h - hl, v;
        double left = split_value(c->rule, gl, hl, l->low, l->high);
        double right = split_value(c->rule, gr, hr, l->low, l->high);

        if ((c->trend > 0 && left > right) || (c->trend < 0 && left < right))
            continue;
        v = term_of(c, gl, hl, s->l2) + term_of(c, gr, hr, s->l2);
        if (v > peak.value)
            peak = (struct split_peak){v, i};
    }
    return peak;
}

/* Leave out the cuts at both ends whose smaller side is not enough; what is on
 * a side only grows from there on.  False when no cut is left. */
static bool
trim(const struct context *c, const struct sums *s, struct split_scan *scan,
     double missing_rows)
{
    size_t low = scan->first, high = scan->last + 1, end = high;

    while (low < high) {
        size_t k = (low + high) / 2;

        if (left_is_enough(c, s, k, scan, missing_rows))
            high = k;
        else
            low = k + 1;
    }
    scan->first = low;
    for (high = end; low < high;) {
        size_t k = (low + high) / 2;

        if (right_is_enough(c, s, k, scan, missing_rows))
            low = k + 1;
        else
            high = k;
    }
    scan->last = low - 1;
    return scan->first < low;
}

/* Cuts after codes first..n_bins-1 with the missing on one side. */
static void
scan_numbers(const struct context *c, const struct sums *s, bool missing_left,
             size_t first)
{
    struct split_scan scan = {.g = s->g,
                              .h = s->h,
                              .total_g = c->total_g,
                              .total_h = c->total_h,
                              .l1 = c->rule->l1,
                              .l2 = c->rule->l2,
                              .first = first,
                              .last = s->last};
    double missing_rows = missing_left && c->leaf->counts ? bin_rows(c, 0) : 0;
    struct split_peak peak;
    struct tree_split *t = &c->best->split;
    double gain;
    size_t k;

    if (missing_left) {
        scan.add_g = (double)bin_g(c, 0) * c->scale->g_unit;
        scan.add_h = (double)bin_h(c, 0) * c->scale->h_unit;
    }
    if (!trim(c, s, &scan, missing_rows))
        return;
    peak = c->bounded ? scan_bounded(c, &scan) : c->kernels->scan(&scan);
    gain = gain_of(c, peak.value, c->parent);
    if (!(gain > t->gain))
        return;

    /* The cut may lie anywhere among the empty bins after it: the middle is as
     * far from the rows of one side as from those of the other. */
    for (k = peak.at; k < scan.last && s->h[k + 1] == s->h[peak.at];)
        k++;
    if (peak.at > 0 && c->slot->n_bins <= BINNER_NARROW)
        k = peak.at + (k - peak.at) / 2;
    else
        k = peak.at;
    t->slot = c->slot_number;
    t->code = (uint16_t)(s->base + k);
    t->missing_left = missing_left;
    t->gain = gain;
}

static void
split_number(const struct context *c)
{
    struct sums s;

    add_up(c, &s);
    if (c->leaf->counts)
        count_up(c, &s);
    if (c->slot->n_bins > 1)
        scan_numbers(c, &s, false, 1);
    if (bin_h(c, 0) > 0)
        scan_numbers(c, &s, true, 0);
}

/* The next stretch of cuts of a long slot; the first when it is new. */
static bool
next_stretch(const struct context *c, struct sums *s, bool first)
{
    size_t n = c->slot->n_bins, m;

    if (first) {
        *s = (struct sums){.base = 0};
    } else {
        s->base += BINNED_WIDE - 1;
        s->rows[0] = s->rows[BINNED_WIDE - 1];
    }
    if (s->base + 1 >= n)
        return false;
    m = n - s->base < BINNED_WIDE - 1 ? n - s->base : BINNED_WIDE - 1;
    s->last = s->base + m == n ? m - 1 : m;
    s->g[0] = (double)s->sum_g * c->scale->g_unit;
    s->h[0] = (double)s->sum_h * c->scale->h_unit;
    for (size_t k = 1; k <= m; k++) {
        s->sum_g += bin_g(c, s->base + k);
        s->sum_h += bin_h(c, s->base + k);
        s->g[k] = (double)s->sum_g * c->scale->g_unit;
        s->h[k] = (double)s->sum_h * c->scale->h_unit;
        if (c->leaf->counts)
            s->rows[k] = s->rows[k - 1] + bin_rows(c, s->base + k);
    }
    return true;
}

static void
split_long_number(const struct context *c)
{
    bool missing = bin_h(c, 0) > 0;
    struct sums s;

    /* What ends a stretch is not seen again at the start of the next. */
    for (bool more = next_stretch(c, &s, true); more;
         more = next_stretch(c, &s, false)) {
        scan_numbers(c, &s, false, 1);
        if (missing)
            scan_numbers(c, &s, true, s.base == 0 ? 0 : 1);
    }
}

static void
set_codes(uint64_t *set, size_t first, size_t last)
{
    for (size_t k = first; k <= last; k++)
        set[k / 64] |= UINT64_C(1) << (k % 64);
}

/* Where the codes that go left are said. */
static uint64_t *
set_of(const struct context *c, size_t *words)
{
    bool is_long = c->slot->n_bins > BINNER_NARROW;

    *words = ((size_t)c->slot->n_bins / 256 + 1) * TREE_SET_WORDS;
    return is_long ? c->leaf->long_set : c->best->split.set;
}

/* What the search of numbers leaves out: the sums on the left, the codes. */
static void
finish_number(const struct context *c)
{
    struct tree_split *t = &c->best->split;
    size_t words, n_bins = c->slot->n_bins, empty = 0;
    int64_t g = 0, h = 0;
    uint64_t *set;

    if (n_bins > BINNER_NARROW && t->code > 0)
        while (t->code + empty + 1 < n_bins &&
               bin_h(c, t->code + empty + 1) == 0)
            empty++;
    t->code = (uint16_t)(t->code + empty / 2);
    for (size_t k = t->missing_left ? 0 : 1; k <= t->code; k++) {
        g += bin_g(c, k);
        h += bin_h(c, k);
    }
    c->best->left_g = g;
    c->best->left_h = h;
    /* Nothing to learn from: values missing later go with the larger side. */
    if (bin_h(c, 0) == 0)
        t->missing_left = 2 * h >= c->leaf->h;
    set = set_of(c, &words);
    memset(set, 0, words * sizeof *set);
    set_codes(set, 1, t->code);
    set[0] |= t->missing_left;
}

/* ---- categories ---- */

struct pool {
    int64_t g, h;
    double rows;
};

static int
by_key(const void *pa, const void *pb)
{
    const struct split_level *a = pa, *b = pb;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->code < b->code ? -1 : a->code > b->code;
}

/* The levels that occur, in the order of their gradients.  Those that are too
 * rare to have a side of their own are pooled with the missing. */
static size_t
order_levels(const struct context *c, struct split_level *level,
             struct pool *pool)
{
    double smooth =
        c->rule->level_smooth * c->total_h / (double)c->leaf->n_rows;
    double g_unit = c->scale->g_unit, h_unit = c->scale->h_unit;
    size_t n = 0;

    *pool = (struct pool){bin_g(c, 0), bin_h(c, 0), 0};
    if (pool->h > 0)
        pool->rows = bin_rows(c, 0);
    for (uint32_t k = 1; k <= c->slot->n_bins; k++) {
        int64_t g = bin_g(c, k), h = bin_h(c, k);
        double rows;

        if (h == 0)
            continue;
        rows = bin_rows(c, k);
        if (rows >= c->rule->level_rows) {
            level[n++] = (struct split_level){
                (double)g * g_unit / ((double)h * h_unit + smooth), k};
        } else {
            pool->g += g;
            pool->h += h;
            pool->rows += rows;
        }
    }
    if (pool->h > 0)
        level[n++] = (struct split_level){
            (double)pool->g * g_unit / ((double)pool->h * h_unit + smooth), 0};
    qsort(level, n, sizeof *level, by_key);
    return n;
}

/* Codes of the levels before `n_left`; all other codes go with the pool when
 * there is one, else with the larger side. */
static void
make_set(const struct context *c, const struct split_level *level, size_t n,
         size_t n_left)
{
    struct tree_split *t = &c->best->split;
    bool pool_left = 2 * c->best->left_h >= c->leaf->h;
    size_t words;
    uint64_t *set = set_of(c, &words);

    for (size_t i = 0; i < n; i++)
        if (level[i].code == 0)
            pool_left = i < n_left;
    memset(set, pool_left ? 0xff : 0, words * sizeof *set);
    for (size_t i = 0; i < n; i++)
        if (level[i].code > 0 && (i < n_left) != pool_left)
            set[level[i].code / 64] ^= UINT64_C(1) << (level[i].code % 64);
    t->missing_left = pool_left;
}

/* What a prefix of i of n levels gains on average where they are noise. */
static double
noise_gain(const struct context *c, size_t i, size_t n)
{
    const double two_over_pi = 0.63661977236758134;

    return c->rule->level_noise * c->scale->noise * two_over_pi *
           sqrt((double)i * (double)(n - i));
}

/* How many levels of the order go left, 0 when nothing is better than what is
 * there. */
static size_t
best_prefix(const struct context *c, const struct split_level *level, size_t n,
            const struct pool *pool)
{
    bool many = n > FEW_LEVELS;
    double l2 = c->rule->l2 + (many ? c->rule->level_l2 : 0);
    double parent = term_of(c, c->total_g, c->total_h, l2);
    double best = c->best->split.gain, rows = 0;
    size_t best_n = 0;
    int64_t g = 0, h = 0;

    for (size_t i = 0; i + 1 < n; i++) {
        unsigned k = level[i].code;

        g += k ? bin_g(c, k) : pool->g;
        h += k ? bin_h(c, k) : pool->h;
        rows += k ? bin_rows(c, k) : pool->rows;

        double hl = (double)h * c->scale->h_unit, hr = c->total_h - hl;
        double gl = (double)g * c->scale->g_unit;

        if (hl < c->least_h || hr < c->least_h ||
            (c->leaf->counts &&
             (rows < c->rule->min_rows ||
              (double)c->leaf->n_rows - rows < c->rule->min_rows)))
            continue;

        double gain = gain_of(
            c, term_of(c, gl, hl, l2) + term_of(c, c->total_g - gl, hr, l2),
            parent);

        if (n > NOISY_LEVELS)
            gain -= noise_gain(c, i + 1, n);
        if (gain > best) {
            best = gain;
            best_n = i + 1;
            c->best->left_g = g;
            c->best->left_h = h;
        }
    }
    if (best_n > 0)
        c->best->split.gain = best;
    return best_n;
}

static void
split_category(const struct context *c)
{
    struct split_level level[BINNED_WIDE];
    struct pool pool;
    size_t n = order_levels(c, level, &pool);
    size_t n_left = best_prefix(c, level, n, &pool);

    if (n_left == 0)
        return;
    c->best->split.slot = c->slot_number;
    c->best->split.code = 0;
    make_set(c, level, n, n_left);
}

/* The set is made when this is the best of all slots, from the same order. */
static void
split_long_category(const struct context *c)
{
    struct pool pool;
    size_t n = order_levels(c, c->level, &pool);
    size_t n_left = best_prefix(c, c->level, n, &pool);

    if (n_left == 0)
        return;
    c->best->split.slot = c->slot_number;
    c->best->split.code = (uint16_t)n_left;
}

static void
finish_long_category(const struct context *c)
{
    struct pool pool;
    size_t n = order_levels(c, c->level, &pool);

    make_set(c, c->level, n, c->best->split.code);
}

/* ---- bundles ---- */

/* A bundled slot as if it stood by itself: its usual code has what the others
 * leave of the leaf. */
struct alone {
    struct binned_slot slot;
    struct split_leaf leaf;
    int64_t hist[2 * (BINNED_WIDE + 8)]; /* read past the end, by eight */
    uint32_t counts[BINNED_WIDE + 8];
};

static void
stand_alone(const struct binned_slot *s, const struct split_leaf *l,
            struct alone *a)
{
    size_t n = s->n_bins, words = l->wide ? 2 : 1;
    int64_t rest[2] = {l->g, l->h};
    int64_t packed = (int64_t)((uint64_t)l->g << 32) + l->h;
    uint32_t rows = (uint32_t)l->n_rows;

    a->slot = *s;
    a->slot.first = 0;
    a->slot.bundled = false;
    a->leaf = *l;
    a->leaf.hist = a->hist;
    a->leaf.first = 0;
    a->leaf.counts = l->counts ? a->counts : NULL;
    memset(a->hist, 0, (n + 9) * words * sizeof *a->hist);
    memset(a->counts, 0, (n + 1) * sizeof *a->counts);
    for (unsigned k = 1; k <= n; k++) {
        size_t from = s->first - l->first + (k < s->rest ? k : k - 1);

        if (k == s->rest)
            continue;
        if (l->wide) {
            rest[0] -= a->hist[2 * k] = l->hist[2 * from];
            rest[1] -= a->hist[2 * k + 1] = l->hist[2 * from + 1];
        } else {
            packed -= a->hist[k] = l->hist[from];
        }
        if (l->counts)
            rows -= a->counts[k] = l->counts[from];
    }
    if (l->wide) {
        a->hist[2 * s->rest] = rest[0];
        a->hist[2 * s->rest + 1] = rest[1];
    } else {
        a->hist[s->rest] = packed;
    }
    a->counts[s->rest] = rows;
}

void
split_slot(const struct split_search *s, size_t slot, struct split_found *best)
{
    const struct split_leaf *leaf = s->leaf;
    const struct hist_scale *scale = s->scale;
    const struct split_rule *rule = s->rule;
    struct context c = {.slot = &s->b->slot[slot],
                        .slot_number = (uint32_t)slot,
                        .leaf = leaf,
                        .scale = scale,
                        .rule = rule,
                        .kernels = s->kernels,
                        .level = s->level,
                        .total_g = (double)leaf->g * scale->g_unit,
                        .total_h = (double)leaf->h * scale->h_unit,
                        .best = best};
    double rows = leaf->counts || rule->uneven ? 0 : rule->min_rows;
    struct alone alone;

    if (c.slot->bundled) {
        stand_alone(c.slot, leaf, &alone);
        c.slot = &alone.slot;
        c.leaf = &alone.leaf;
    }
    /* Half a row of doubt: the estimate must not refuse what it would round
     * to min_rows. */
    c.least_h = (rows - 0.5) * c.total_h / (double)leaf->n_rows;
    if (c.least_h < rule->min_hessian)
        c.least_h = rule->min_hessian;
    /* A side without rows is no side. */
    if (c.least_h < 0.5 * scale->h_unit)
        c.least_h = 0.5 * scale->h_unit;
    if (rule->trend) {
        c.trend = rule->trend[slot];
        c.bounded = c.trend != 0 || isfinite(leaf->low) || isfinite(leaf->high);
    }
    c.parent = term_of(&c, c.total_g, c.total_h, rule->l2);
    if (s->b->slot[slot].n_bins > BINNER_NARROW)
        (c.slot->category ? split_long_category : split_long_number)(&c);
    else if (c.slot->category)
        split_category(&c);
    else
        split_number(&c);
}

void
split_finish(const struct split_search *s, struct split_found *best)
{
    const struct split_leaf *leaf = s->leaf;
    struct context c = {.slot = &s->b->slot[best->split.slot],
                        .leaf = leaf,
                        .scale = s->scale,
                        .rule = s->rule,
                        .level = s->level,
                        .total_h = (double)leaf->h * s->scale->h_unit,
                        .best = best};
    struct alone alone;

    if (!(best->split.gain > 0))
        return;
    if (c.slot->bundled) {
        stand_alone(c.slot, leaf, &alone);
        c.slot = &alone.slot;
        c.leaf = &alone.leaf;
    }
    if (!c.slot->category)
        finish_number(&c);
    else if (c.slot->n_bins > BINNER_NARROW)
        finish_long_category(&c);
}

bool
split_better(const struct split_found *a, const struct split_found *than)
{
    if (a->split.gain != than->split.gain || !(a->split.gain > 0))
        return a->split.gain > than->split.gain;
    return a->split.slot < than->split.slot;
}
